/** A public form is read: nobody signs in, so no code of sessions belongs into the bundle. */
import * as Effect from "effect/Effect"
import * as Forms from "effect-oneentry/Forms"

const layer = Forms.layerFetch({ url: "https://my-project.oneentry.cloud" })

export const fields = (marker: string): Promise<ReadonlyArray<string>> =>
  Forms.Forms.use((forms) => forms.getFormByMarker(marker)).pipe(
    Effect.map((form) => form.attributes.map((attribute) => attribute.marker)),
    Effect.provide(layer),
    Effect.runPromise
  )
