/**
 * The forms of a project: what a sign-up page, a contact page or a rating asks
 * for. `SignUpForm.make` turns the form of a provider into a page and a schema.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as AuthError from "./AuthError.ts"
import type * as ClientOptions from "./ClientOptions.ts"
import * as FormSchema from "./FormSchema.ts"
import { anonymous, checked, emptyArguments, path, something } from "./internal/invoke.ts"
import { forms as rules } from "./internal/classification.ts"
import * as FetchTransport from "./internal/fetchTransport.ts"
import * as HttpTransport from "./internal/httpTransport.ts"
import type * as Transport from "./internal/transport.ts"
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
 * **Example** (All of them)
 *
 * ```ts
 * import { Stream } from "effect"
 * import { Forms } from "effect-oneentry"
 *
 * export const identifiers = Forms.Forms.use((forms) =>
 *   forms.streamForms().pipe(Stream.map((form) => form.identifier), Stream.runCollect)
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Forms extends Context.Service<
  Forms,
  {
    /** A page of forms: 30 from the start, where nothing else is said. */
    readonly getAllForms: (options?: {
      readonly langCode?: string | undefined
      readonly offset?: number | undefined
      readonly limit?: number | undefined
    }) => Effect.Effect<FormSchema.FormsPage, OneEntryError.OneEntryError>
    /** All forms, page by page. */
    readonly streamForms: (options?: {
      readonly langCode?: string | undefined
      readonly pageSize?: number | undefined
    }) => Stream.Stream<FormSchema.Form, OneEntryError.OneEntryError>
    /** One form, by its marker. */
    readonly getFormByMarker: (
      marker: string,
      options?: {
        readonly langCode?: string | undefined
      }
    ) => Effect.Effect<FormSchema.Form, AuthError.FormNotFound | OneEntryError.OneEntryError>
  }
>()("effect-oneentry/Forms") {}

const allForms = something(
  rules,
  "getAllForms",
  "GET",
  Schema.decodeUnknownExit(FormSchema.WireFormsPage),
  FormSchema.fromWirePage
)

const formByMarker = something(
  rules,
  "getFormByMarker",
  "GET",
  Schema.decodeUnknownExit(FormSchema.WireForm),
  FormSchema.fromWire
)

/** @internal */
export const makeInternal = (transport: Transport.Transport): Forms["Service"] => {
  const { headers, project } = transport
  const getAllForms: Forms["Service"]["getAllForms"] = ({ langCode = project.langCode, limit = 30, offset = 0 } = {}) =>
    anonymous(transport, allForms, {
      path: path(["forms"], { langCode, offset, limit }),
      headers,
      marker: "",
      langCode
    })
  return Forms.of({
    getAllForms,
    streamForms: ({ langCode, pageSize = 30 } = {}) =>
      Stream.paginate(0, (offset) =>
        Effect.map(getAllForms({ langCode, limit: pageSize, offset }), ({ items, total }) => {
          // A group's permission may cap a page below what was asked for: what came says where the next begins.
          const next = offset + items.length
          const last = items.length === 0 || (total === undefined ? items.length < pageSize : next >= total)
          return [items, last ? Option.none() : Option.some(next)]
        })
      ),
    getFormByMarker: (marker, { langCode = project.langCode } = {}) =>
      checked("getFormByMarker", emptyArguments({ marker }), () =>
        anonymous(transport, formByMarker, {
          path: path(["forms", "marker", marker], { langCode }),
          headers,
          marker,
          langCode
        })
      )
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
  Layer.effect(Forms, Effect.map(HttpTransport.connect(options), makeInternal))

/**
 * The same on the platform's `fetch` (or that of `FetchClient.Fetch`), without an `HttpClient`: 7 KiB less in a bundle
 * that has no other use for one.
 *
 * **Example** (Only forms)
 *
 * ```ts
 * import { Forms } from "effect-oneentry"
 *
 * export const layer = Forms.layerFetch({ url: "https://my-project.oneentry.cloud" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFetch = (options: ClientOptions.ClientOptions): Layer.Layer<Forms, OneEntryError.OneEntryError> =>
  Layer.effect(Forms, Effect.map(FetchTransport.connect(options), makeInternal))
