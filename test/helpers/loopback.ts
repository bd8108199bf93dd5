import { Effect, Queue } from "effect"
import * as http from "node:http"
import type { AddressInfo } from "node:net"

/** A request that reached the server. */
export interface Seen {
  readonly method: string
  /** Path and query as they came over the wire. */
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
  /** Completes when the connection under it goes away, or the answer is out. */
  readonly closed: Promise<"aborted" | "finished">
}

export type Handler = (request: Seen, response: http.ServerResponse, index: number) => void

/** A server of one test on 127.0.0.1, with everything that reached it. */
export const loopback = (handler: Handler) =>
  Effect.gen(function* () {
    const seen: Array<Seen> = []
    const arrivals = yield* Queue.unbounded<Seen>()
    const server = http.createServer((request, response) => {
      const chunks: Array<Buffer> = []
      const closed = new Promise<"aborted" | "finished">((resolve) =>
        response.on("close", () => resolve(response.writableFinished ? "finished" : "aborted"))
      )
      request.on("error", () => undefined)
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const one: Seen = {
          method: request.method ?? "",
          url: request.url ?? "",
          headers: request.headers,
          body: Buffer.concat(chunks).toString("utf8"),
          closed
        }
        seen.push(one)
        handler(one, response, seen.length)
        Queue.offerUnsafe(arrivals, one)
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        })
    )
    const { port } = server.address() as AddressInfo
    return {
      url: `http://127.0.0.1:${port}`,
      port,
      seen,
      /** The next request that nobody has taken yet; waits for it. */
      next: Queue.take(arrivals)
    }
  })

export const json = (
  response: http.ServerResponse,
  body: unknown,
  status = 200,
  headers: http.OutgoingHttpHeaders = {}
) => {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(JSON.stringify(body))
}

export const envelope = (
  response: http.ServerResponse,
  status: number,
  message: string,
  headers: http.OutgoingHttpHeaders = {}
) =>
  json(
    response,
    { statusCode: status, timestamp: "2026-01-01T00:00:00.000Z", message, pageData: null },
    status,
    headers
  )
