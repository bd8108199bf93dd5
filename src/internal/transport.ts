/**
 * Sends a request to the project and reads the answer whole: one way for every operation, anonymous or not. It holds
 * the rules that no call may break: the configured origin only, no redirect followed, no trace headers to the API, a
 * time limit and a size limit.
 *
 * The way to the network is given: `httpTransport` goes through any `HttpClient`, `fetchTransport` straight to `fetch`.
 * Nothing here or above imports the modules of `effect/http`, which weigh 7 KiB: only who has a client pays for it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as HttpBody from "effect/http/HttpBody"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Project } from "../ClientOptions.ts"
import * as OneEntryError from "../OneEntryError.ts"
import * as Deadlines from "./deadlines.ts"
import type * as Lean from "./lean.ts"
import { Attempts, attributesOf, isTraced, Observer, routeOf, traced } from "./observer.ts"
import type { Device } from "./storedSession.ts"

/** A request with everything decided. */
export interface Call {
  readonly operation: string
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  /** Encoded path from the project's address on, with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | FormData | HttpBody.Stream | undefined
}

export interface Transport {
  readonly project: Project
  /** The headers of an anonymous call; with a body, the JSON content type too. */
  readonly headers: Readonly<Record<string, string>>
  readonly send: (call: Call) => Effect.Effect<Lean.Answer, OneEntryError.OneEntryError>
  /** Runs an exchange of somebody's own: its failures become errors, and it has a span inside of a span. */
  readonly run: <A extends { readonly status: number }>(
    request: { readonly operation: string; readonly method: string; readonly path: string | undefined },
    exchange: (fiber: Fiber.Fiber<unknown, unknown>, deadlines: Deadlines.Deadlines) => Effect.Effect<A, Lean.Failure>
  ) => Effect.Effect<A, OneEntryError.OneEntryError>
  readonly observer: Observer | undefined
  /** Runs a call of an operation, which may be several requests, where those see it who asked to. */
  readonly observe: <A, E>(operation: string, path: string, call: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** One exchange; without deadlines, whoever asks for it limits its time. */
export type Connection = (
  call: Call,
  fiber: Fiber.Fiber<unknown, unknown>,
  deadlines: Deadlines.Deadlines | undefined
) => Effect.Effect<Lean.Answer, Lean.Failure>

export const onTimeout = (): Lean.Failure => ({ _tag: "Timeout" })

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

/** Serialises device metadata for a header: ASCII only, whatever a browser calls itself. */
export const deviceHeader = (device: Device): string =>
  JSON.stringify({
    fingerprint: device.fingerprint,
    deviceInfo: {
      os: device.deviceInfo.os.slice(0, 256),
      browser: device.deviceInfo.browser.slice(0, 512),
      location: device.deviceInfo.location.slice(0, 64)
    }
  }).replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** The bytes of the files in a body; a stream that does not know its length is bounded by whoever made it. */
const fileBytes = (body: FormData | HttpBody.Stream): number | undefined => {
  if (!(body instanceof FormData)) return body.contentLength
  let bytes = 0
  for (const value of body.values()) bytes += typeof value === "string" ? 0 : value.size
  return bytes
}

/** Makes the transport of a project. */
export const make = (project: Project, connection: Connection): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.withFiber((fiber) => {
    const observer = fiber.getRef(Observer)
    const address = new URL(project.origin)
    const deadlines = Deadlines.make(Duration.toMillis(project.requestTimeout))

    const exchangeOf = (call: Call, fiber: Fiber.Fiber<unknown, unknown>) => {
      if (typeof call.body !== "object") return connection(call, fiber, deadlines)
      // Files take as long as they are large.
      const bytes = fileBytes(call.body)
      const upload = connection(call, fiber, undefined)
      if (bytes === undefined) return upload
      const after = transferTime(project, bytes)
      return Effect.timeoutOrElse(upload, {
        duration: after,
        orElse: () => Effect.fail<Lean.Failure>({ _tag: "Timeout", after })
      })
    }

    const run: Transport["run"] = (request, exchange) =>
      Effect.withFiber((fiber) => {
        const mapped = Effect.mapError(
          exchange(fiber, deadlines),
          (failure) =>
            new OneEntryError.OneEntryError({ operation: request.operation, reason: toReason(failure, project) })
        )
        if (!isTraced(fiber.context)) return mapped
        const { method, operation, path } = request
        const route = path === undefined ? "" : ` ${routeOf(path)}`
        const attempts = fiber.getRef(Attempts)
        const resent = attempts === undefined ? 0 : attempts.count++
        return traced(
          method + route,
          {
            kind: "client",
            attributes: {
              ...attributesOf(operation, path),
              "http.request.method": method,
              "server.address": address.hostname,
              "server.port": Number(address.port) || (address.protocol === "http:" ? 80 : 443),
              ...(route === "" ? {} : { "url.template": route.trim() }),
              ...(resent === 0 ? {} : { "http.request.resend_count": resent })
            }
          },
          mapped,
          ({ status }, span) => {
            span.attribute("http.response.status_code", status)
            if (status >= 400) span.attribute("error.type", String(status))
          }
        )
      })

    return Effect.as(
      Effect.addFinalizer(() => deadlines.stop),
      {
        project,
        observer,
        headers: {
          accept: "application/json",
          ...(project.appToken === undefined ? {} : { "x-app-token": Redacted.value(project.appToken) })
        },
        send: (call) => run(call, (fiber) => exchangeOf(call, fiber)),
        run,
        observe: (operation, path, call) =>
          Effect.withFiber((fiber) => {
            const seen = observer === undefined ? call : observer.call(operation, call)
            if (!isTraced(fiber.context)) return seen
            return traced(
              `OneEntry.${operation}`,
              { kind: "internal", attributes: attributesOf(operation, path) },
              Effect.provideService(seen, Attempts, { count: 0 })
            )
          })
      }
    )
  })
