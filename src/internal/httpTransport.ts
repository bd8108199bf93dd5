/**
 * The transport over an `HttpClient`, any at all. One of this package's own (`FetchClient`) has a short way in; what
 * somebody wrapped, and any other, is used through `execute`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ClientOptions from "../ClientOptions.ts"
import type * as OneEntryError from "../OneEntryError.ts"
import * as Lean from "./lean.ts"
import * as Transport from "./transport.ts"

export interface HttpTransport extends Transport.Transport {
  /** Runs one request of somebody's own under the same rules, the answer read whole. */
  readonly whole: (
    operation: string,
    request: HttpClientRequest.HttpClientRequest
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, OneEntryError.OneEntryError>
  /** As `whole`, but the body is left to whoever asked: neither time nor size of it is limited. For files. */
  readonly stream: (
    operation: string,
    request: HttpClientRequest.HttpClientRequest
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, OneEntryError.OneEntryError>
}

const redactedHeaders = ["x-app-token", "x-device-metadata", "x-guest-id"]

const always = () => true

/** What the request's context must say, whatever the caller's says. */
const requestContext = (caller: Context.Context<never>): Context.Context<never> =>
  caller.pipe(
    Context.add(HttpClient.TracerPropagationEnabled, false),
    // The spans of an `HttpClient` end with the request of whatever failed, its headers and its body: see `traced`.
    Context.add(HttpClient.TracerDisabledWhen, always),
    Context.add(Headers.CurrentRedactedNames, [
      ...Context.get(caller, Headers.CurrentRedactedNames),
      ...redactedHeaders
    ]),
    Context.add(Lean.RequestInit, { ...Context.getOrUndefined(caller, Lean.RequestInit), redirect: "manual" })
  )

const tooLarge = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.fail<Lean.Failure>({ _tag: "TooLarge", status: response.status })

const toFailure = (error: HttpClientError.HttpClientError): Lean.Failure => ({
  _tag: "Network",
  description: Lean.describe(error)
})

/** Reads a body of unknown size, as far as it may go. */
const readStream = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<Uint8Array<ArrayBuffer>, Lean.Failure> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let bytes = 0
    return Stream.runForEach(response.stream, (chunk): Effect.Effect<void, Lean.Failure> => {
      bytes += chunk.byteLength
      chunks.push(chunk)
      return bytes > maxBytes ? tooLarge(response) : Effect.void
    }).pipe(
      Effect.catchTag("HttpClientError", (error) =>
        error.reason._tag === "EmptyBodyError" ? Effect.void : Effect.fail(toFailure(error))
      ),
      Effect.map(() => {
        const whole = new Uint8Array(bytes)
        let offset = 0
        for (const chunk of chunks) {
          whole.set(chunk, offset)
          offset += chunk.byteLength
        }
        return whole
      })
    )
  })

/** Reads a body whole, up to the limit. */
const readBytes = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<Uint8Array<ArrayBuffer>, Lean.Failure> => {
  const { headers } = response
  const announced = Lean.announcedBytes((name) => headers[name])
  if (announced === undefined) return readStream(response, maxBytes)
  return announced > maxBytes
    ? Effect.andThen(discard(response), tooLarge(response))
    : Effect.mapBoth(response.arrayBuffer, { onFailure: toFailure, onSuccess: (buffer) => new Uint8Array(buffer) })
}

/**
 * An answer as text, up to the limit. A web response is read by itself: its own stream is several times cheaper than one
 * of Effect's. Its client no longer calls off what was handed over like that, so that the reader has to.
 */
const readAnswer = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<Lean.Answer, Lean.Failure> => {
  const { status } = response
  const web = Option.getOrUndefined(HttpClientResponse.toWeb(response))
  if (web === undefined) {
    const { headers } = response
    return Effect.map(readBytes(response, maxBytes), (bytes) => ({
      status,
      text: new TextDecoder().decode(bytes),
      header: (name) => headers[name]
    }))
  }
  return Effect.callback((resume) => {
    const reading: { cancel?: () => void } = {}
    const header = Lean.headerOf(web)
    Lean.readWeb(web, header, maxBytes, reading).then(
      (text) => resume(text === undefined ? tooLarge(response) : Effect.succeed({ status, text, header })),
      (cause: unknown) => resume(Effect.fail({ _tag: "Network", description: Lean.describeCause(cause) }))
    )
    return Effect.sync(() => reading.cancel?.())
  })
}

/** Opens and closes the body: one that nobody reads holds its connection. */
const discard = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<void> =>
  Effect.scoped(Effect.asVoid(Stream.toPull(response.stream)))

const refuseRedirect = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<never, Lean.Failure> =>
  Effect.andThen(discard(response), Effect.fail<Lean.Failure>({ _tag: "Redirected", status: response.status }))

/** A client that dies is a network that fails: no answer and no client turns into a defect. */
const withoutDefects = <A>(effect: Effect.Effect<A, Lean.Failure>): Effect.Effect<A, Lean.Failure> =>
  Effect.catchDefect(effect, (defect) =>
    Effect.fail<Lean.Failure>({
      _tag: "Network",
      description: defect instanceof Error ? defect.name : "unknown defect"
    })
  )

const bodyOf = (body: Transport.Call["body"]): HttpBody.HttpBody => {
  if (body === undefined) return HttpBody.empty
  if (typeof body === "string") return HttpBody.text(body, "application/json")
  return body instanceof FormData ? HttpBody.formData(body) : body
}

/** Makes the transport of a project over a client. */
export const make = (
  project: ClientOptions.Project,
  http: HttpClient.HttpClient
): Effect.Effect<HttpTransport, never, Scope.Scope> =>
  Effect.suspend(() => {
    const maxBytes = project.maxResponseBytes

    // Callers share a context more often than not, and a context costs more to make than to compare.
    let lastCaller: Context.Context<never> | undefined
    let lastContext: Context.Context<never> = Context.empty()
    const contextFor = (caller: Context.Context<never>): Context.Context<never> => {
      if (lastCaller !== caller) {
        lastCaller = caller
        lastContext = requestContext(caller)
      }
      return lastContext
    }

    /** Runs a request; what comes is read, or refused. */
    const execute = <A>(
      request: HttpClientRequest.HttpClientRequest,
      read: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<A, Lean.Failure>
    ): Effect.Effect<A, Lean.Failure> =>
      withoutDefects(
        Effect.matchEffect(http.execute(request), {
          onFailure: (error) => Effect.fail(toFailure(error)),
          onSuccess: (response) => (Lean.isRedirect(response.status) ? refuseRedirect(response) : read(response))
        })
      )

    const overClient: Transport.Connection = (call, fiber, deadlines) => {
      const request = HttpClientRequest.makeWith(
        call.method,
        project.baseUrl + call.path,
        UrlParams.empty,
        Option.none(),
        Headers.fromRecordUnsafe(call.headers),
        bodyOf(call.body)
      )
      const exchange = execute(request, (response) => readAnswer(response, maxBytes))
      const context = contextFor(fiber.context)
      return deadlines === undefined
        ? Effect.provideContext(exchange, context)
        : deadlines.within(exchange, context, Transport.onTimeout)
    }

    const lean = Lean.isLean(http) ? http[Lean.LeanTypeId] : undefined

    const connection: Transport.Connection = (call, fiber, deadlines) =>
      lean !== undefined && Lean.isPlain(call.body)
        ? lean(Lean.requestOf(project, call, call.body, fiber, deadlines))
        : overClient(call, fiber, deadlines)

    return Effect.map(Transport.make(project, connection), (transport): HttpTransport => {
      const own = (
        operation: string,
        request: HttpClientRequest.HttpClientRequest,
        read: Parameters<typeof execute<HttpClientResponse.HttpClientResponse>>[1]
      ) => {
        const path = request.url.startsWith(project.origin) ? request.url.slice(project.origin.length) : undefined
        return transport.run({ operation, method: request.method, path }, (fiber, deadlines) =>
          deadlines.within(execute(request, read), contextFor(fiber.context), Transport.onTimeout)
        )
      }
      return {
        ...transport,
        stream: (operation, request) => own(operation, request, Effect.succeed),
        whole: (operation, request) =>
          own(operation, request, (response) =>
            Effect.map(readBytes(response, maxBytes), (bytes) =>
              HttpClientResponse.fromWeb(
                request,
                new Response(bytes.byteLength === 0 ? null : bytes, {
                  status: response.status,
                  headers: response.headers
                })
              )
            )
          )
      }
    })
  })

/** Checks the options and makes the transport over the `HttpClient` of the context. */
export const connect = (
  options: ClientOptions.ClientOptions
): Effect.Effect<HttpTransport, OneEntryError.OneEntryError, HttpClient.HttpClient | Scope.Scope> =>
  Effect.flatMap(ClientOptions.resolve(options), (project) =>
    Effect.flatMap(HttpClient.HttpClient, (client) => make(project, client))
  )
