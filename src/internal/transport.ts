/**
 * Sends a request to the project and reads the answer whole: one way for every operation, anonymous or not. It holds
 * the rules that no call may break: the configured origin only, no redirect followed, no trace headers to the API, a
 * time limit and a size limit.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type { Project } from "../ClientOptions.ts"
import type * as DeviceMetadata from "../DeviceMetadata.ts"
import * as OneEntryError from "../OneEntryError.ts"
import * as Deadlines from "./deadlines.ts"
import * as Lean from "./lean.ts"

/** A request with everything decided. */
export interface Call {
  readonly operation: string
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  /** Encoded path from the project's address on, with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | HttpBody.HttpBody | undefined
  /** The path holds a credential (a push token): no span may name it. */
  readonly secretPath?: boolean | undefined
}

export interface Transport {
  readonly project: Project
  /** The headers of an anonymous call; with a body, the JSON content type too. */
  readonly headers: Readonly<Record<string, string>>
  readonly send: (call: Call) => Effect.Effect<Lean.Answer, OneEntryError.OneEntryError>
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

const isSpan = (context: Context.Context<never>): boolean =>
  Context.getOrUndefined(context, Tracer.ParentSpan) !== undefined

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

/**
 * A span around an exchange, inside of a caller's: one without would begin a trace of its own, for nobody. It says where
 * the request went and what status came back, and ends without the answer.
 */
const traced = <A extends { readonly status: number }, E>(
  project: Project,
  request: { readonly operation: string; readonly method: string; readonly path: string | undefined },
  exchange: Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    let answer: A | undefined
    const span = Effect.useSpan(`OneEntry.${request.operation}`, { kind: "client" }, (span) => {
      span.attribute("http.request.method", request.method)
      span.attribute("server.address", project.origin.replace(/^.*:\/\//, ""))
      if (request.path !== undefined) span.attribute("url.path", request.path.replace(/[?#].*$/s, ""))
      return Effect.map(exchange, (value) => {
        answer = value
        span.attribute("http.response.status_code", value.status)
        if (value.status >= 400) span.attribute("error.type", String(value.status))
      })
    })
    return Effect.map(span, () => answer as A) // it has succeeded
  })

const tooLarge = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.fail<Lean.Failure>({ _tag: "TooLarge", status: response.status })

const announcedBytes = (response: HttpClientResponse.HttpClientResponse): number | undefined =>
  Lean.announcedBytes(response.headers["content-length"], response.headers["content-encoding"])

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
  const announced = announcedBytes(response)
  if (announced === undefined) return readStream(response, maxBytes)
  return announced > maxBytes
    ? Effect.andThen(discard(response), tooLarge(response))
    : Effect.mapBoth(response.arrayBuffer, { onFailure: toFailure, onSuccess: (buffer) => new Uint8Array(buffer) })
}

const decodeText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const readText = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<string, Lean.Failure> => {
  if (announcedBytes(response) !== undefined) return Effect.map(readBytes(response, maxBytes), decodeText)
  // A response that was handed over as a web response is no longer called off by its client: `readWeb` does that itself.
  const web = Option.getOrUndefined(HttpClientResponse.toWeb(response))
  if (web === undefined) return Effect.map(readStream(response, maxBytes), decodeText)
  return Effect.filterOrElse(
    Effect.tryPromise({
      try: (signal) => Lean.readWeb(web, maxBytes, signal),
      catch: (cause): Lean.Failure => ({ _tag: "Network", description: Lean.describeCause(cause) })
    }),
    (text): text is string => text !== undefined,
    () => tooLarge(response)
  )
}

/** Opens and closes the body: one that nobody reads holds its connection. */
const discard = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<void> =>
  Effect.scoped(Effect.asVoid(Stream.toPull(response.stream)))

const refuseRedirect = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<never, Lean.Failure> =>
  Effect.andThen(discard(response), Effect.fail<Lean.Failure>({ _tag: "Redirected", status: response.status }))

const toReason = (failure: Lean.Failure, project: Project): OneEntryError.Reason => {
  switch (failure._tag) {
    case "Network":
      return new OneEntryError.Network(failure.description === undefined ? {} : { description: failure.description })
    case "Timeout":
      return new OneEntryError.Timeout({ after: failure.after ?? project.requestTimeout })
    case "Redirected":
      return new OneEntryError.Redirected({ statusCode: failure.status })
    case "TooLarge":
      return new OneEntryError.ResponseInvalid({
        statusCode: failure.status,
        issue: `more than ${project.maxResponseBytes} bytes (\`maxResponseBytes\`)`
      })
  }
}

/** The slowest line that a file is waited for, in bytes a second. */
const slowest = 16 * 1024

/** How long files may take: a request's time, and what their bytes take on a slow line. */
export const transferTime = (project: Project, bytes: number): Duration.Duration =>
  Duration.sum(project.requestTimeout, Duration.seconds(bytes / slowest))

/** The bytes of the files in a body; a stream that does not know its length is bounded by whoever made it. */
const fileBytes = (body: HttpBody.HttpBody): number | undefined => {
  if (body._tag === "Stream") return body.contentLength
  let bytes = 0
  if (body._tag === "FormData") {
    for (const value of body.formData.values()) bytes += typeof value === "string" ? 0 : value.size
  }
  return bytes
}

/** A client that dies is a network that fails: no answer and no client turns into a defect. */
const withoutDefects = <A>(effect: Effect.Effect<A, Lean.Failure>): Effect.Effect<A, Lean.Failure> =>
  Effect.catchDefect(effect, (defect) =>
    Effect.fail<Lean.Failure>({
      _tag: "Network",
      description: defect instanceof Error ? defect.name : "unknown defect"
    })
  )

/** Serialises device metadata for a header: ASCII only, whatever a browser calls itself. */
export const deviceHeader = (device: DeviceMetadata.Metadata): string =>
  JSON.stringify({
    fingerprint: Redacted.value(device.fingerprint),
    deviceInfo: {
      os: device.deviceInfo.os.slice(0, 256),
      browser: device.deviceInfo.browser.slice(0, 512),
      location: device.deviceInfo.location.slice(0, 64)
    }
  }).replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** Makes the transport of a project over a client. */
export const make = (project: Project, http: HttpClient.HttpClient): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.gen(function* () {
    const deadlines = Deadlines.make(Duration.toMillis(project.requestTimeout))
    yield* Effect.addFinalizer(() => deadlines.stop)
    const maxBytes = project.maxResponseBytes
    const onTimeout = (): Lean.Failure => ({ _tag: "Timeout" })

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

    const overClient = (call: Call, caller: Context.Context<never>): Effect.Effect<Lean.Answer, Lean.Failure> => {
      const body = typeof call.body === "string" ? HttpBody.text(call.body, "application/json") : call.body
      const request = HttpClientRequest.makeWith(
        call.method,
        project.baseUrl + call.path,
        UrlParams.empty,
        Option.none(),
        Headers.fromRecordUnsafe(call.headers),
        body ?? HttpBody.empty
      )
      const exchange = withoutDefects(
        Effect.matchEffect(http.execute(request), {
          onFailure: (error) => Effect.fail(toFailure(error)),
          onSuccess: (response): Effect.Effect<Lean.Answer, Lean.Failure> =>
            Lean.isRedirect(response.status)
              ? refuseRedirect(response)
              : Effect.map(readText(response, maxBytes), (text) => ({
                  status: response.status,
                  text,
                  header: (name) => response.headers[name]
                }))
        })
      )
      const context = contextFor(caller)
      if (typeof call.body !== "object") return deadlines.within(exchange, context, onTimeout)
      // Files take as long as they are large.
      const bytes = fileBytes(call.body)
      const upload = Effect.provideContext(exchange, context)
      if (bytes === undefined) return upload
      const after = transferTime(project, bytes)
      return Effect.timeoutOrElse(upload, {
        duration: after,
        orElse: () => Effect.fail<Lean.Failure>({ _tag: "Timeout", after })
      })
    }

    const lean = Lean.isLean(http) ? http[Lean.LeanTypeId] : undefined

    const toError = (operation: string) => (failure: Lean.Failure) =>
      new OneEntryError.OneEntryError({ operation, reason: toReason(failure, project) })

    const execute = (
      operation: string,
      request: HttpClientRequest.HttpClientRequest,
      read: (
        response: HttpClientResponse.HttpClientResponse
      ) => Effect.Effect<HttpClientResponse.HttpClientResponse, Lean.Failure>
    ) =>
      Effect.withFiber((fiber) => {
        const exchange = Effect.mapError(
          deadlines.within(
            withoutDefects(
              Effect.matchEffect(http.execute(request), {
                onFailure: (error) => Effect.fail(toFailure(error)),
                onSuccess: (response) => (Lean.isRedirect(response.status) ? refuseRedirect(response) : read(response))
              })
            ),
            contextFor(fiber.context),
            onTimeout
          ),
          toError(operation)
        )
        if (!isSpan(fiber.context)) return exchange
        const path = request.url.startsWith(project.origin) ? request.url.slice(project.origin.length) : undefined
        return traced(project, { operation, method: request.method, path }, exchange)
      })

    return {
      project,
      headers: {
        accept: "application/json",
        ...(project.appToken === undefined ? {} : { "x-app-token": Redacted.value(project.appToken) })
      },
      send: (call) =>
        Effect.withFiber((fiber) => {
          const exchange = Effect.mapError(
            lean !== undefined &&
              (call.body === undefined || typeof call.body === "string") &&
              Context.getOrUndefined(fiber.context, Lean.RequestInit) === undefined
              ? lean({
                  method: call.method,
                  url: project.baseUrl + call.path,
                  headers: call.headers,
                  body: call.body,
                  maxBytes,
                  watch: (expire) => deadlines.watch(fiber, expire),
                  fiber
                })
              : overClient(call, fiber.context),
            toError(call.operation)
          )
          if (!isSpan(fiber.context)) return exchange
          return traced(project, { ...call, path: call.secretPath === true ? undefined : call.path }, exchange)
        }),
      stream: (operation, request) => execute(operation, request, Effect.succeed),
      whole: (operation, request) =>
        execute(operation, request, (response) =>
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
