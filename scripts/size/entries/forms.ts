/** A public form is read: nobody signs in, so no code of sessions belongs into the bundle. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as FetchClient from "effect-oneentry/FetchClient"
import * as Forms from "effect-oneentry/Forms"

const layer = Forms.layer({ url: "https://my-project.oneentry.cloud" }).pipe(Layer.provide(FetchClient.layer))

export const fields = (marker: string): Promise<ReadonlyArray<string>> =>
  Forms.Forms.use((forms) => forms.getFormByMarker(marker)).pipe(
    Effect.map((form) => form.attributes.map((attribute) => attribute.marker)),
    Effect.provide(layer),
    Effect.runPromise
  )
