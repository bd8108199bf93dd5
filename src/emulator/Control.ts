/**
 * Controls an emulator from outside: the routes under `/__emulator` (the page for people and the control API), and the
 * typed client of that API.
 *
 * On loopback it wants no token. Requests that a foreign web page makes are refused: by `Origin`, by
 * `Sec-Fetch-Site`, by the name in `Host` (against DNS rebinding), and by the content type of a form. An emulator that
 * listens elsewhere wants the app token, as `x-app-token` or as `?token=`.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpRouter from "effect/http/HttpRouter"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Api } from "./ControlApi.ts"
import type { Service } from "./Emulator.ts"
import { controlRoutes } from "./internal/control/routes.ts"

/**
 * The client of the control API.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import type { Control } from "effect-oneentry/emulator"
 *
 * const codeOf = (control: Control.Client, userIdentifier: string) =>
 *   Effect.map(control.outbox.code({ query: { userIdentifier, waitMs: 5000 } }), ({ code }) => code)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Client = HttpApiClient.ForApi<typeof Api>

/**
 * Makes a client of an emulator in another process.
 *
 * @example
 * ```ts no-run
 * import { Effect } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { Control } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const control = yield* Control.client({ url: "http://127.0.0.1:4010" })
 *   const { code } = yield* control.outbox.code({ query: { userIdentifier: "ann@example.com", waitMs: 5000 } })
 *   yield* control.faults.add({ payload: { operation: "refresh", kind: "lostAnswer", count: 1 } })
 *   return code
 * }).pipe(Effect.provide(FetchHttpClient.layer))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const client = (options: {
  readonly url: string
  /** For an emulator that listens off loopback. */
  readonly appToken?: Redacted.Redacted | undefined
}): Effect.Effect<Client, never, HttpClient.HttpClient> => {
  const token = options.appToken
  const prepare = HttpClient.mapRequest((request: HttpClientRequest.HttpClientRequest) => {
    const json =
      request.method === "POST" && request.body._tag === "Empty"
        ? HttpClientRequest.setHeader(request, "content-type", "application/json")
        : request
    return token === undefined ? json : HttpClientRequest.setHeader(json, "x-app-token", Redacted.value(token))
  })
  return HttpApiClient.make(Api, { baseUrl: options.url, transformClient: prepare })
}

// -----------------------------------------------------------------------------
// Routes
// -----------------------------------------------------------------------------

/**
 * The routes under `/__emulator`: the page for people, the control API, the OpenAPI description of both APIs
 * (`openapi.json`) with a page to read it (`api`), and the JSON Schema of project files (`project.schema.json`).
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const emulator = yield* Emulator.makeServer({ routes: Control.routes })
 *   yield* Effect.logInfo(`look at ${emulator.url}/__emulator`)
 * }))
 *
 * Effect.runPromise(program)
 * ```
 *
 * @category routes
 * @since 0.1.0
 */
export const routes = (emulator: Service): Layer.Layer<never, never, HttpRouter.HttpRouter> => controlRoutes(emulator)
