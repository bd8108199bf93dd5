/**
 * The forms of a project: what a sign-up page, a contact page or a rating asks
 * for. `SignUpForm.make` turns the form of a provider into a page and a schema.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as AuthError from "./AuthError.ts"
import * as ClientOptions from "./ClientOptions.ts"
import * as FormSchema from "./FormSchema.ts"
import { anonymous, checked, emptyArguments, path, something } from "./internal/invoke.ts"
import * as Transport from "./internal/transport.ts"
import type * as OneEntryError from "./OneEntryError.ts"

/**
 * The forms of a project.
 *
 * **Example** (The fields of a form)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Forms } from "effect-oneentry"
 *
 * export const labels = Effect.gen(function*() {
 *   const forms = yield* Forms.Forms
 *   const form = yield* forms.getFormByMarker("reg")
 *   return form.attributes.map((attribute) => attribute.marker)
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Forms extends Context.Service<Forms, {
  /** A page of forms: 30 from the start, where nothing else is said. */
  readonly getAllForms: (options?: {
    readonly langCode?: string | undefined
    readonly offset?: number | undefined
    readonly limit?: number | undefined
  }) => Effect.Effect<FormSchema.FormsPage, OneEntryError.OneEntryError>
  /** One form, by its marker. */
  readonly getFormByMarker: (marker: string, options?: {
    readonly langCode?: string | undefined
  }) => Effect.Effect<FormSchema.Form, AuthError.FormNotFound | OneEntryError.OneEntryError>
}>()("effect-oneentry/Forms") {}

const allForms = something(
  "getAllForms",
  "GET",
  Schema.decodeUnknownExit(FormSchema.WireFormsPage),
  FormSchema.fromWirePage
)

const formByMarker = something(
  "getFormByMarker",
  "GET",
  Schema.decodeUnknownExit(FormSchema.WireForm),
  FormSchema.fromWire
)

/** @internal */
export const makeInternal = (transport: Transport.Transport): Forms["Service"] => {
  const { headers, project } = transport
  return Forms.of({
    getAllForms: ({ langCode = project.langCode, limit = 30, offset = 0 } = {}) =>
      anonymous(transport, allForms, {
        path: path(["forms"], { langCode, offset, limit }),
        headers,
        marker: "",
        langCode
      }),
    getFormByMarker: (marker, { langCode = project.langCode } = {}) =>
      checked("getFormByMarker", emptyArguments({ marker }), () =>
        anonymous(transport, formByMarker, {
          path: path(["forms", "marker", marker], { langCode }),
          headers,
          marker,
          langCode
        }))
  })
}

/**
 * The forms alone: no session, no storage.
 *
 * **Example** (Only forms)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { Forms } from "effect-oneentry"
 *
 * export const layer = Forms.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<Forms, OneEntryError.OneEntryError, HttpClient.HttpClient> =>
  Layer.effect(
    Forms,
    Effect.gen(function*() {
      const project = yield* ClientOptions.resolve(options)
      return makeInternal(yield* Transport.make(project, yield* HttpClient.HttpClient))
    })
  )
