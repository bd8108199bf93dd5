import { Effect } from "effect"
import * as http from "node:http"
import type { AddressInfo } from "node:net"

/** A request as a scripted server got it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: unknown
}

/** What it answers with; a body of text goes as it is. */
export interface Scripted {
  readonly status?: number
  readonly body?: unknown
  /** Closes the connection instead. */
  readonly broken?: true
  /** Holds the answer back until then. */
  readonly until?: Promise<unknown>
}

export interface Server {
  readonly url: string
  readonly seen: ReadonlyArray<Seen>
  /** The next request gets the next answer. */
  readonly answer: (...answers: ReadonlyArray<Scripted>) => void
  /** Resolves when the next request has come. */
  readonly nextRequest: () => Promise<Seen>
}

const parse = (text: string): unknown => {
  try {
    return text === "" ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

/** A server on a free port of loopback that answers with what it is told, in order, and with 599 after that. */
export const scripted = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<{ readonly server: http.Server; readonly api: Server }>((resolve) => {
        const seen: Array<Seen> = []
        const answers: Array<Scripted> = []
        const waiting: Array<(seen: Seen) => void> = []
        const server = http.createServer((request, response) => {
          const chunks: Array<Buffer> = []
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("end", async () => {
            const one: Seen = {
              method: request.method ?? "",
              path: request.url ?? "",
              headers: request.headers,
              body: parse(Buffer.concat(chunks).toString("utf8"))
            }
            seen.push(one)
            const next = answers.shift() ?? {
              status: 599,
              body: { statusCode: 599, message: "no answer was scripted" }
            }
            for (const waiter of waiting.splice(0)) waiter(one)
            await next.until
            if (next.broken) return void request.socket.destroy()
            const body =
              next.body === undefined ? "" : typeof next.body === "string" ? next.body : JSON.stringify(next.body)
            response.writeHead(next.status ?? (request.method === "POST" ? 201 : 200), {
              "content-type": "application/json"
            })
            response.end(body)
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          resolve({
            server,
            api: {
              url: `http://127.0.0.1:${port}`,
              seen,
              answer: (...more) => void answers.push(...more),
              nextRequest: () => new Promise((resolve) => waiting.push(resolve))
            }
          })
        })
      })
  ),
  ({ server }) =>
    Effect.promise(
      () =>
        new Promise<void>((resolve) => {
          server.closeAllConnections()
          server.close(() => resolve())
        })
    )
).pipe(Effect.map(({ api }) => api))

/** An access token that says when it was issued and when it ends, in seconds from now. */
export const accessToken = (secondsLeft: number, lifetime = 36_000): string => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const now = Math.floor(Date.now() / 1000)
  return [
    encode({ alg: "HS256", typ: "JWT" }),
    encode({ id: 8, userIdentifier: "test@test.ru", iat: now - lifetime + secondsLeft, exp: now + secondsLeft }),
    "c2lnbmF0dXJl"
  ].join(".")
}

/** The error that a promise rejects with. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => {
      throw new Error(`did not reject: ${JSON.stringify(value)}`)
    },
    (error: unknown) => error
  )
