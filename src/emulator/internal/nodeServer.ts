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
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as UrlParams from "effect/http/UrlParams"
import type { Backend } from "./backend.ts"
import { broken, envelope } from "./endpoint.ts"
import { refusal } from "./refusal.ts"
import type { Arrived } from "./request.ts"
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

/** Reads a body up to the limit. What breaks off is never done. */
const readBody = (
  request: Http.IncomingMessage,
  limit: number,
  done: (body: Uint8Array | "too large") => void
): void => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  request.on("data", (chunk: Uint8Array) => {
    if (size > limit) return
    size += chunk.length
    if (size > limit) return done("too large")
    chunks.push(chunk)
  })
  request.on("end", () => {
    if (size > limit) return
    const only = chunks[0]
    if (chunks.length === 1 && only !== undefined) return done(only)
    const body = new Uint8Array(size)
    let offset = 0
    for (const chunk of chunks) {
      body.set(chunk, offset)
      offset += chunk.length
    }
    done(body)
  })
  // without a listener it would be thrown
  request.on("error", () => undefined)
}

const nothing = new Uint8Array(0)

class FromNode implements Arrived {
  private readonly message: Http.IncomingMessage
  private readonly origin: string
  readonly method: string
  readonly url: string
  readonly bytes: Uint8Array
  constructor(message: Http.IncomingMessage, origin: string, bytes: Uint8Array) {
    const url = message.url ?? "/"
    this.message = message
    this.origin = origin
    this.method = message.method ?? "GET"
    this.url = url
    this.bytes = bytes
  }
  header(name: string): string | undefined {
    const value = this.message.headers[name]
    return typeof value === "object" ? value.join(", ") : value
  }
  headerBytes(): number {
    let bytes = 0
    for (const text of this.message.rawHeaders) bytes += text.length
    return bytes
  }
  source(): HttpServerRequest.HttpServerRequest {
    const { bytes, method, origin, url } = this
    const headers = Headers.fromInput(this.message.headers)
    return HttpServerRequest.fromClientRequest(
      HttpClientRequest.makeWith(
        method,
        url.startsWith("/") ? `${origin}${url}` : url,
        UrlParams.empty,
        Option.none(),
        headers,
        bytes.length === 0 ? HttpBody.empty : HttpBody.uint8Array(bytes, headers["content-type"])
      )
    )
  }
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
  if (reader === undefined) {
    target.end()
    return
  }
  target.on("close", () => {
    reader.cancel().catch(() => undefined)
  })
  if (request.method === "HEAD") {
    target.end()
    return
  }
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
      const answer = (body: Uint8Array) =>
        runner.serve(new FromNode(request, origin, body), clock, (response) => write(runner, request, target, response))
      target.on("error", () => undefined)
      if (request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined) {
        return answer(nothing)
      }
      if (Number(request.headers["content-length"] ?? 0) > backend.limits.bodyBytes) {
        return refuseEarly(target, request, "BodyTooLarge")
      }
      readBody(request, backend.limits.bodyBytes, (body) => {
        if (body === "too large") return refuseEarly(target, request, "BodyTooLarge")
        answer(noBody.has(request.method ?? "") ? nothing : body)
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
