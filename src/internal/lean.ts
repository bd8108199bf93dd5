/**
 * The short way into an `HttpClient` of this package's own (`FetchClient`): a request made of plain parts, an answer
 * read in one hop, with the timeout inside. A client without this method, or one that somebody wrapped, is used through
 * `execute` as any other.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"

/** An answer, read whole. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly header: (name: string) => string | undefined
}

/** What became of a request that got no answer. */
export type Failure =
  | { readonly _tag: "Network"; readonly description: string | undefined }
  | { readonly _tag: "Timeout" }
  | { readonly _tag: "Redirected"; readonly status: number }
  | { readonly _tag: "TooLarge"; readonly status: number }

export interface Request {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
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

export const isLean = <E>(client: HttpClient.HttpClient.With<E>): client is HttpClient.HttpClient.With<E> & LeanClient =>
  Object.hasOwn(client, LeanTypeId)

/** Reads a web body up to a limit: natively where its size is known (a compressed one may be larger than it says). */
export const readWeb = (response: Response, maxBytes: number): Promise<string | undefined> => {
  const announced = response.headers.get("content-length")
  if (announced === null || response.headers.has("content-encoding")) return readBounded(response, maxBytes)
  return Number(announced) > maxBytes ? Promise.resolve(undefined) : response.text()
}

const readBounded = async (response: Response, maxBytes: number): Promise<string | undefined> => {
  if (response.body === null) return ""
  const decoder = new TextDecoder()
  const reader = response.body.getReader()
  let bytes = 0
  let text = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > maxBytes) {
      // The answer is refused already; that the rest cannot be cancelled changes nothing.
      reader.cancel().catch(() => undefined)
      return undefined
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** Browsers hide the status of a redirect that is not followed. */
export const isRedirect = (status: number): boolean => status === 0 || (status >= 300 && status < 400)

/** What a broken connection calls itself. */
export const describeCause = (cause: unknown): string | undefined => {
  if (!(cause instanceof Error)) return undefined
  const inner = cause.cause
  return inner instanceof Error && "code" in inner && typeof inner.code === "string" ? inner.code : cause.name
}

/** What an HTTP client says of a transport failure, without the request that it may quote. */
export const describe = (error: HttpClientError.HttpClientError): string =>
  describeCause(error.reason.cause) ?? error.reason.description ?? error.reason._tag
