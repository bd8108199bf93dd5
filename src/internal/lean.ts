/**
 * The short way into an `HttpClient` of this package's own (`FetchClient`, `UndiciClient`): a request made of plain parts, an answer
 * read in one hop, with the timeout inside. A client without this method, or one that somebody wrapped, is used through
 * `execute` as any other.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type { Project } from "../ClientOptions.ts"
import type { Deadlines } from "./deadlines.ts"
import type { Call } from "./transport.ts"

/** An answer, read whole. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly header: Header
}

/** What became of a request that got no answer. */
export type Failure =
  | { readonly _tag: "Network"; readonly description: string | undefined }
  | { readonly _tag: "Timeout"; readonly after?: Duration.Duration }
  | { readonly _tag: "Redirected"; readonly status: number }
  | { readonly _tag: "TooLarge"; readonly status: number }

type PlainBody = string | FormData | undefined

export interface Request {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: PlainBody
  readonly maxBytes: number
  /** Calls the function when the time is over; what comes back calls it off. */
  readonly watch: (expire: () => void) => () => void
  /** The fiber that asks. */
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

/** Effect's own, named by its key, so that its fetch client is not bundled for those who bring another. */
export const RequestInit = Context.Service<globalThis.RequestInit, globalThis.RequestInit>(
  "effect/http/FetchHttpClient/RequestInit"
)

export const LeanTypeId = "~effect-oneentry/FetchClient/Lean"

export interface LeanClient extends HttpClient.HttpClient {
  readonly [LeanTypeId]: (request: Request) => Effect.Effect<Answer, Failure>
}

export const isLean = <E>(
  client: HttpClient.HttpClient.With<E>
): client is HttpClient.HttpClient.With<E> & LeanClient => Object.hasOwn(client, LeanTypeId)

/** The client with a short way: whatever is made of it has none. */
export const withLean = (client: HttpClient.HttpClient, lean: LeanClient[typeof LeanTypeId]): HttpClient.HttpClient =>
  Object.assign(Object.create(client), { [LeanTypeId]: lean })

/** What `fetch` takes as it is. */
export const isPlain = (body: Call["body"]): body is PlainBody => typeof body !== "object" || body instanceof FormData

/** A call as the short way takes it. */
export const requestOf = (
  project: Project,
  call: Call,
  body: PlainBody,
  fiber: Fiber.Fiber<unknown, unknown>,
  deadlines: Deadlines | undefined
): Request => ({
  method: call.method,
  url: project.baseUrl + call.path,
  headers: call.headers,
  body,
  maxBytes: project.maxResponseBytes,
  watch: (expire) => deadlines?.watch(fiber, expire) ?? noWatch,
  fiber
})

const noWatch = () => undefined

/** The headers of an answer. */
export type Header = (name: string) => string | undefined

/**
 * The size that an answer is announced with, if that can be relied on: what is compressed may be larger than it says.
 */
export const announcedBytes = (header: Header): number | undefined => {
  const length = header("content-length")
  return length !== undefined && /^\d{1,15}$/.test(length) && (header("content-encoding") ?? "identity") === "identity"
    ? Number(length)
    : undefined
}

/** Whether an answer says that it is larger than that. Most are not, and then one header is looked at. */
export const announcesMore = (header: Header, maxBytes: number): boolean =>
  Number(header("content-length")) > maxBytes && announcedBytes(header) !== undefined

/** The headers of a web response. */
export const headerOf =
  ({ headers }: Response): Header =>
  (name) =>
    headers.get(name) ?? undefined

/**
 * Reads a web body up to a limit, chunk by chunk, which is no slower than `text()`; `undefined`: it is larger, or says
 * so. `reading` is given the function that calls it off.
 */
export const readWeb = async (
  response: Response,
  header: Header,
  maxBytes: number,
  reading: { cancel?: () => void } = {}
): Promise<string | undefined> => {
  if (response.body === null) return ""
  // What is refused, or nobody waits for, need not arrive; that it cannot be cancelled changes nothing.
  if (announcesMore(header, maxBytes)) {
    void response.body.cancel().catch(() => undefined)
    return undefined
  }
  const reader = response.body.getReader()
  const cancel = () => void reader.cancel().catch(() => undefined)
  reading.cancel = cancel
  let bytes = 0
  let text = ""
  // Most answers come in one piece, and need no decoder of their own.
  let first: Uint8Array | undefined
  let decoder: TextDecoder | undefined
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return decoder === undefined ? utf8.decode(first) : text + decoder.decode()
    bytes += value.byteLength
    if (bytes > maxBytes) {
      cancel()
      return undefined
    }
    if (first === undefined) first = value
    else {
      if (decoder === undefined) {
        decoder = new TextDecoder()
        text = decoder.decode(first, { stream: true })
      }
      text += decoder.decode(value, { stream: true })
    }
  }
}

const utf8 = /* @__PURE__ */ new TextDecoder()

/** What a body that came in one piece says. */
export const decodeText = (bytes: Uint8Array): string => utf8.decode(bytes)

/** The statuses that `fetch` would follow; browsers hide which one it was. */
export const isRedirect = (status: number): boolean =>
  (status >= 301 && status <= 303) || status === 307 || status === 308 || status === 0

const codeOf = (u: unknown): string | undefined =>
  u instanceof Error && "code" in u && typeof u.code === "string" ? u.code : undefined

/** What a broken connection calls itself. */
export const describeCause = (cause: unknown): string | undefined =>
  cause instanceof Error ? (codeOf(cause.cause) ?? codeOf(cause) ?? cause.name) : undefined

/** What an HTTP client says of a transport failure, without the request that it may quote. */
export const describe = (error: HttpClientError.HttpClientError): string =>
  describeCause(error.reason.cause) ?? error.reason.description ?? error.reason._tag
