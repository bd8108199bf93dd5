import { Effect } from "effect"
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A server of one's own on 127.0.0.1, with its address; it ends with the scope. */
export const rawServer = (listener: RequestListener) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer(listener)
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        })
    ),
    (server) => {
      // A server on a TCP port has such an address.
      const { port } = server.address() as AddressInfo
      return `http://127.0.0.1:${port}`
    }
  )

/** The requests of a server, and a promise for what comes next. */
export const recorded = (answer: (request: IncomingMessage, response: ServerResponse, index: number) => void) => {
  const requests: Array<IncomingMessage> = []
  const listener: RequestListener = (request, response) => {
    requests.push(request)
    answer(request, response, requests.length - 1)
  }
  return { requests, listener }
}
