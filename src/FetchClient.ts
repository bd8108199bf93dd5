/**
 * A lean `HttpClient` on `fetch`, for who brings none. It does what this
 * package needs and little more: interruption and the client's time limit abort
 * the request and the download of the answer, redirects are never followed, and
 * spans are made only inside of a span. `FetchHttpClient`, `NodeHttpClient` or
 * any other client can be provided instead. Who has no other use for an
 * `HttpClient` needs none: `AuthProvider.layerFetch`, and that of `Session`,
 * `Users`, `Forms` and `FormsData`, call `fetch` by the same rules.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Lean from "./internal/lean.ts"

/**
 * The `fetch` to use: of a call that it is provided to, or of a client whose layer it is provided to. Left alone,
 * whatever `globalThis.fetch` is at the time of the call.
 *
 * **Example** (A `fetch` of one's own)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchClient } from "effect-oneentry"
 *
 * export const layer = FetchClient.layer.pipe(
 *   Layer.provide(Layer.succeed(FetchClient.Fetch, (input, init) => fetch(input, { ...init, cache: "no-store" })))
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export const Fetch: Context.Reference<typeof globalThis.fetch | undefined> = Context.Reference<
  typeof globalThis.fetch | undefined
>("effect-oneentry/FetchClient/Fetch", { defaultValue: () => undefined })

type FetchFunction = typeof globalThis.fetch

/**
 * A caller's own, or that of the client.
 *
 * @internal
 */
export const fetchOf = (fiber: Fiber.Fiber<unknown, unknown>, own: FetchFunction | undefined): FetchFunction =>
  fiber.getRef(Fetch) ?? own ?? globalThis.fetch

const toError = (request: HttpClientRequest.HttpClientRequest) => (cause: unknown) =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })

/** A request for `fetch`: what the caller adds to every one is beneath what this one says. */
const initOf = (
  fiber: Fiber.Fiber<unknown, unknown>,
  { headers, method }: { readonly method: string; readonly headers: Readonly<Record<string, string>> },
  body: BodyInit | undefined,
  signal: AbortSignal
): RequestInit => {
  const added = Context.getOrUndefined(fiber.context, Lean.RequestInit)
  return {
    ...added,
    method,
    headers: added?.headers === undefined ? headers : { ...Object.fromEntries(new Headers(added.headers)), ...headers },
    body: body ?? null,
    redirect: "manual",
    signal
  }
}

/**
 * Deno sends a request again when a connection that was in use before breaks without an answer, one that writes, too: a
 * refresh token would be spent twice. It leaves alone what it cannot rewind, and a blob is such a thing to it.
 */
const sentOnce = (body: string | Uint8Array<ArrayBuffer> | FormData): BodyInit =>
  "Deno" in globalThis && !(body instanceof FormData) ? new Blob([body]) : body

/**
 * The long way: any request, the answer unread. `fetchFor` says which `fetch` the asking fiber wants.
 *
 * @internal
 */
export const whole = (fetchFor: (fiber: Fiber.Fiber<unknown, unknown>) => FetchFunction): HttpClient.HttpClient =>
  HttpClient.make((request, url, signal, fiber) => {
    const fetch = fetchFor(fiber)
    const send = (body: BodyInit | undefined) =>
      Effect.map(
        Effect.tryPromise({
          try: () =>
            fetch(url, {
              ...initOf(fiber, request, body, signal),
              ...(body instanceof ReadableStream ? { duplex: "half" } : {})
            }),
          catch: toError(request)
        }),
        (response) => HttpClientResponse.fromWeb(request, response)
      )
    const { body } = request
    switch (body._tag) {
      case "Empty":
        return send(undefined)
      case "FormData":
        return send(body.formData)
      case "Uint8Array":
        return send(sentOnce(new Uint8Array(body.body)))
      case "Raw":
        // Whatever was handed in raw is `fetch`'s to judge.
        return send(body.body as BodyInit)
      case "Stream":
        return Effect.flatMap(Stream.toReadableStreamEffect(Stream.mapError(body.stream, toError(request))), send)
    }
  })

type Refuse = (failure: Lean.Failure) => Effect.Effect<never, Lean.Failure>

/** One `fetch`, without a fiber and a span of its own; `read` says what becomes of the answer. */
const exchange = <A>(
  request: Lean.Request,
  fetch: FetchFunction,
  read: (response: Response, refuse: Refuse) => Promise<Effect.Effect<A, Lean.Failure>>
): Effect.Effect<A, Lean.Failure> =>
  Effect.callback((resume) => {
    const controller = new AbortController()
    const unwatch = request.watch(() => {
      resume(Effect.fail({ _tag: "Timeout" }))
      controller.abort()
    })
    // A body that nobody reads holds its connection.
    const refuse: Refuse = (failure) => {
      controller.abort()
      return Effect.fail(failure)
    }
    const settle = async () => {
      const body = request.body === undefined ? undefined : sentOnce(request.body)
      const response = await fetch(request.url, initOf(request.fiber, request, body, controller.signal))
      // Awaited here, as a promise that is returned by a promise takes two turns more.
      return Lean.isRedirect(response.status)
        ? refuse({ _tag: "Redirected", status: response.status })
        : await read(response, refuse)
    }
    settle().then(
      (answer) => {
        unwatch()
        resume(answer)
      },
      (cause: unknown) => {
        unwatch()
        resume(Effect.fail({ _tag: "Network", description: Lean.describeCause(cause) }))
      }
    )
    return Effect.sync(() => {
      unwatch()
      controller.abort()
    })
  })

/**
 * The short way (see `internal/lean`): plain parts in, the answer read whole.
 *
 * @internal
 */
export const lean = (request: Lean.Request, fetch: FetchFunction): Effect.Effect<Lean.Answer, Lean.Failure> =>
  exchange(request, fetch, (response, refuse) => {
    const { status } = response
    const header = Lean.headerOf(response)
    return Lean.readWeb(response, header, request.maxBytes).then((text) =>
      text === undefined ? refuse({ _tag: "TooLarge", status }) : Effect.succeed({ status, text, header })
    )
  })

/**
 * The answer with its body unread, for files.
 *
 * @internal
 */
export const open = (request: Lean.Request): Effect.Effect<Response, Lean.Failure> =>
  exchange(request, fetchOf(request.fiber, undefined), async (response) => Effect.succeed(response))

/**
 * Makes the client, on a `fetch` of one's own where there is one.
 *
 * **Example** (With a header on every request; the short way is left then, the rest stays)
 *
 * ```ts
 * import { HttpClient, HttpClientRequest } from "effect/http"
 * import { FetchClient } from "effect-oneentry"
 *
 * export const client = FetchClient.make().pipe(
 *   HttpClient.mapRequest(HttpClientRequest.setHeader("x-tenant", "acme"))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (fetch?: typeof globalThis.fetch): HttpClient.HttpClient =>
  Lean.withLean(
    whole((fiber) => fetchOf(fiber, fetch)),
    (request) => lean(request, fetchOf(request.fiber, fetch))
  )

/**
 * Provides the client.
 *
 * **Example** (A whole application)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchClient, OneEntry, TokenStorage } from "effect-oneentry"
 *
 * export const layer = OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = Layer.effect(HttpClient.HttpClient, Effect.map(Fetch, make))
