/**
 * Requests from `node:http`. Nothing here imports Node: the module is handed in, so that the emulator also loads where
 * there is none.
 */
import type * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpMethod from "effect/http/HttpMethod"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as UrlParams from "effect/http/UrlParams"
import type { Backend } from "./backend.ts"
import { broken, envelope } from "./endpoint.ts"
import { refusal } from "./refusal.ts"
import type { Runner } from "./server.ts"

export interface ListenOptions {
  readonly port: number
  readonly host: string
}

export interface Listening {
  readonly port: number
}

export class ListenFailure {
  readonly _tag = "ListenFailure"
  readonly code: string
  readonly cause: unknown
  constructor(code: string, cause: unknown) {
    this.code = code
    this.cause = cause
  }
}

const noBody = new Set(["GET", "HEAD", "OPTIONS", "TRACE"])

/** Reads a body up to the limit; `undefined` when it is too large or breaks off. */
const readBody = (
  request: Http.IncomingMessage,
  limit: number,
  done: (body: Uint8Array | "too large" | "aborted") => void
): void => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  let settled = false
  const settle = (body: Uint8Array | "too large" | "aborted") => {
    if (settled) return
    settled = true
    done(body)
  }
  request.on("data", (chunk: Uint8Array) => {
    if (settled) return
    size += chunk.length
    if (size > limit) return settle("too large")
    chunks.push(chunk)
  })
  request.on("end", () => {
    const only = chunks[0]
    if (chunks.length === 1 && only !== undefined) return settle(only)
    const body = new Uint8Array(size)
    let offset = 0
    for (const chunk of chunks) {
      body.set(chunk, offset)
      offset += chunk.length
    }
    settle(body)
  })
  request.on("error", () => settle("aborted"))
  request.on("close", () => settle("aborted"))
}

const toRequest = (source: Http.IncomingMessage, origin: string, body: Uint8Array | undefined) => {
  const headers = Headers.fromInput(source.headers)
  const url = source.url ?? "/"
  return HttpServerRequest.fromClientRequest(
    HttpClientRequest.makeWith(
      (source.method ?? "GET") as HttpMethod.HttpMethod, // any word at all; the router does not care
      url.startsWith("/") ? `${origin}${url}` : url,
      UrlParams.empty,
      Option.none(),
      headers,
      body === undefined || body.length === 0 ? HttpBody.empty : HttpBody.uint8Array(body, headers["content-type"])
    )
  )
}

/** Writes an answer; one that Node refuses to write, such as a header with a line break, breaks the connection. */
const write = (
  runner: Runner,
  request: Http.IncomingMessage,
  target: Http.ServerResponse,
  response: HttpServerResponse.HttpServerResponse
): void => {
  try {
    writeAnswer(runner, request, target, response)
  } catch {
    request.socket.destroy()
  }
}

const writeAnswer = (
  runner: Runner,
  request: Http.IncomingMessage,
  target: Http.ServerResponse,
  response: HttpServerResponse.HttpServerResponse
): void => {
  if (target.destroyed) return
  if (response === broken) {
    request.socket.destroy()
    return
  }
  const body = response.body
  if (body._tag === "Uint8Array") {
    // type and length of the body are among them
    target.writeHead(response.status, response.headers)
    if (request.method === "HEAD") {
      target.end()
    } else if (body.text !== undefined) {
      // A text leaves in one write with the headers, bytes would take a second one. As long in bytes as in characters
      // it is ASCII, and is written faster as that.
      target.end(body.text, body.text.length === body.contentLength ? "latin1" : "utf8")
    } else {
      target.end(body.body)
    }
    return
  }
  const headers: Record<string, string | number> = { ...response.headers }
  if (body._tag === "Empty") {
    if (response.status !== 204 && response.status !== 304) headers["content-length"] = 0
    target.writeHead(response.status, headers)
    target.end()
    return
  }
  // Anything else goes through a web stream, a chunk at a time and no faster than the socket takes it.
  const web = HttpServerResponse.toWeb(response, { context: runner.context })
  web.headers.forEach((value, name) => {
    headers[name] = value
  })
  target.writeHead(response.status, headers)
  const reader = web.body?.getReader()
  if (reader === undefined || request.method === "HEAD") {
    target.end()
    return
  }
  target.on("close", () => {
    reader.cancel().catch(() => undefined)
  })
  const pump = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (!target.write(value))
        await new Promise<void>((resume) => {
          target.once("drain", resume)
          target.once("close", resume)
        })
      if (target.destroyed) break
    }
    target.end()
  }
  pump().catch(() => target.destroy())
}

/** Listens until the scope closes. */
export const listen = Effect.fnUntraced(function* (
  http: typeof Http,
  backend: Backend,
  runner: Runner,
  options: ListenOptions
): Effect.fn.Return<Listening, ListenFailure, Scope.Scope> {
  const clock = yield* Clock.Clock
  let origin = "http://localhost"
  const refuseEarly = (
    target: Http.ServerResponse,
    request: Http.IncomingMessage,
    name: "BodyTooLarge" | "HostMissing" | "ExpectationUnknown"
  ) => {
    const now = clock.currentTimeMillisUnsafe() + backend.clockOffset
    target.shouldKeepAlive = false
    write(runner, request, target, envelope(backend, refusal(name), now))
    request.resume()
  }
  const server = http.createServer(
    {
      maxHeaderSize: Math.max(backend.limits.headerBytes + 4096, 16_384),
      keepAliveTimeout: 60_000,
      // Node would refuse without a body; here it gets the envelope.
      requireHostHeader: false
    },
    (request, target) => {
      if (request.headers.host === undefined && request.httpVersion === "1.1") {
        return refuseEarly(target, request, "HostMissing")
      }
      const answer = (body: Uint8Array | undefined) =>
        runner.run(toRequest(request, origin, body), clock, (response) => write(runner, request, target, response))
      target.on("error", () => undefined)
      if (request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined) {
        return answer(undefined)
      }
      if (Number(request.headers["content-length"] ?? 0) > backend.limits.bodyBytes) {
        return refuseEarly(target, request, "BodyTooLarge")
      }
      readBody(request, backend.limits.bodyBytes, (body) => {
        if (body === "aborted") return
        if (body === "too large") return refuseEarly(target, request, "BodyTooLarge")
        answer(noBody.has(request.method ?? "") ? undefined : body)
      })
    }
  )
  server.on("checkExpectation", (request, target) => refuseEarly(target, request, "ExpectationUnknown"))
  // What does not parse as HTTP gets the envelope too, where a socket is left to write it to.
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) return
    const large = error.code === "HPE_HEADER_OVERFLOW"
    const status = large ? "431 Request Header Fields Too Large" : "400 Bad Request"
    const body = JSON.stringify({
      statusCode: large ? 431 : 400,
      timestamp: new Date(clock.currentTimeMillisUnsafe() + backend.clockOffset).toISOString(),
      message: large ? "Request header fields too large" : "Bad Request",
      pageData: null
    })
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`
    )
  })
  yield* Effect.acquireRelease(
    Effect.callback<void, ListenFailure>((resume) => {
      const onError = (error: NodeJS.ErrnoException) =>
        resume(Effect.fail(new ListenFailure(error.code ?? "UNKNOWN", error)))
      server.once("error", onError)
      server.listen(options.port, options.host, () => {
        server.off("error", onError)
        resume(Effect.void)
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const { port } = server.address() as AddressInfo // a TCP server has no other kind
  origin = `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`
  return { port }
})
