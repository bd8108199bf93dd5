/**
 * An application with a sign-in, in both integrations and both ways to keep sessions, on a real port; and browsers for
 * it: a cookie jar with the rules of `__Host-`, and the headers that a page's requests carry. TLS ends before the
 * application, as it mostly does, so that cookies are those of https.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { Clock, Context, Effect, Layer, Option, Redacted, type Scope, Stream } from "effect"
import { HttpClient, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { AuthProvider, OneEntry, Session, TokenStorage, Users } from "effect-oneentry"
import { CookieSession, type HttpSession, HttpSession as Http, Visitor, WebSession } from "effect-oneentry/server"
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http"
import { type Cookie, CookieJar } from "tough-cookie"
import { Server, url } from "../helpers/session.ts"

export const origin = "https://shop.example"

export const keyOf = (seed: number) => Redacted.make(new Uint8Array(32).fill(seed))

export type Mode = "sealed" | "reference"
export type Integration = "HttpRouter" | "Request → Response"

// -----------------------------------------------------------------------------
// the application
// -----------------------------------------------------------------------------

interface Answer {
  readonly status: number
  readonly body: string | Stream.Stream<string>
  readonly headers?: Readonly<Record<string, string>>
}

export type Services =
  | CookieSession.CookieSession
  | TokenStorage.TokenStorage
  | AuthProvider.AuthProvider
  | Session.Session
  | Users.Users

const answer = (status: number, body: Answer["body"] = "", headers?: Answer["headers"]): Answer =>
  headers === undefined ? { status, body } : { status, body, headers }

const identifier = Effect.map(
  Users.Users.use((users) => users.getUser()),
  (user) => user.identifier
)

const failure = (error: { readonly _tag: string; readonly reason?: unknown }): Answer =>
  answer(
    error._tag === "NotAuthenticated" || error._tag === "TokenExpired" ? 401 : 502,
    typeof error.reason === "string" ? `${error._tag} ${error.reason}` : error._tag
  )

const signIn = (user: string) =>
  AuthProvider.AuthProvider.use((auth) =>
    auth.auth("email", {
      authData: [
        { marker: "email_reg", value: user },
        { marker: "password_reg", value: Redacted.make("secret") }
      ]
    })
  )

interface Signal {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

const signal = (): Signal => {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** Something that a test does between the parts of a streamed body. */
export interface Pause {
  readonly begun: Signal
  readonly goOn: Signal
}

const routes = (
  path: string,
  pauses: Array<Pause>
): Effect.Effect<Answer, never, Exclude<Services, CookieSession.CookieSession> | Visitor.Visitor> => {
  const [, name = "", argument = ""] = path.split("/")
  const paused = () => {
    const pause = pauses.shift()
    if (pause === undefined) return Effect.void
    pause.begun.resolve()
    return Effect.promise(() => pause.goOn.promise)
  }
  const caught = <E extends { readonly _tag: string }, R>(effect: Effect.Effect<Answer, E, R>) =>
    Effect.catch(effect, (error) => Effect.succeed(failure(error)))
  /** A body whose second part is made when the headers have long been sent. */
  const streamed = <R>(late: Effect.Effect<Answer, never, R>) =>
    Effect.map(Effect.context<R>(), (context) =>
      answer(
        200,
        Stream.concat(
          Stream.make("first;"),
          Stream.fromEffect(
            Effect.andThen(Effect.suspend(paused), late).pipe(
              Effect.map(({ body }) => String(body)),
              Effect.provideContext(context)
            )
          )
        )
      )
    )
  switch (name) {
    case "sign-in":
      return caught(Effect.as(signIn(argument), answer(204)))
    case "sign-in-and-out":
      return caught(
        Effect.andThen(
          signIn(argument),
          Effect.as(
            AuthProvider.AuthProvider.use((auth) => auth.logout()),
            answer(204)
          )
        )
      )
    case "sign-out":
      return caught(
        Effect.as(
          AuthProvider.AuthProvider.use((auth) => auth.logout()),
          answer(204)
        )
      )
    case "me":
      return caught(Effect.map(identifier, (name) => answer(200, name)))
    case "me-then-pause":
      return caught(
        Effect.tap(
          Effect.map(identifier, (name) => answer(200, name)),
          Effect.suspend(paused)
        )
      )
    case "me-then-pause-regardless":
      return caught(
        Effect.tap(
          Effect.map(identifier, (name) => answer(200, name)),
          Effect.uninterruptible(Effect.suspend(paused))
        )
      )
    case "sign-in-then-pause":
      return caught(Effect.as(Effect.tap(signIn(argument), Effect.suspend(paused)), answer(204)))
    case "pause-then-me":
      return caught(
        Effect.andThen(
          Effect.suspend(paused),
          Effect.map(identifier, (name) => answer(200, name))
        )
      )
    case "peek":
      return Effect.map(
        Session.Session.use((session) => session.current),
        (current) =>
          answer(200, Option.match(current, { onNone: () => "nobody", onSome: (info) => info.userIdentifier ?? "?" }))
      )
    case "device":
      return Effect.map(
        Effect.flatMap(Visitor.Visitor, (visitor) => visitor.device),
        ({ deviceInfo }) => answer(200, JSON.stringify(deviceInfo))
      )
    case "vary":
      return caught(
        Effect.map(identifier, (name) =>
          answer(200, name, {
            vary: "Accept-Encoding",
            "cache-control": "public, max-age=60",
            "cdn-cache-control": "max-age=60",
            "vercel-cdn-cache-control": "max-age=60",
            "surrogate-control": "max-age=60"
          })
        )
      )
    case "stream-me":
      return streamed(caught(Effect.map(identifier, (name) => answer(200, name))))
    case "stream-sign-in":
      return streamed(caught(Effect.as(signIn(argument), answer(204))))
    case "stream-sign-out":
      return streamed(
        caught(
          Effect.as(
            AuthProvider.AuthProvider.use((auth) => auth.logout()),
            answer(200, "out")
          )
        )
      )
    case "me-then-crash":
      return Effect.andThen(Effect.ignore(identifier), Effect.die(new Error("a handler that crashes")))
    default:
      return Effect.succeed(answer(404))
  }
}

const effectResponse = ({ body, headers = {}, status }: Answer) =>
  typeof body === "string"
    ? HttpServerResponse.text(body, { status, headers })
    : HttpServerResponse.stream(Stream.encodeText(body), { status, headers })

const webResponse = ({ body, headers = {}, status }: Answer) =>
  new Response(
    status === 204 ? null : typeof body === "string" ? body : Stream.toReadableStream(Stream.encodeText(body)),
    { status, headers }
  )

// -----------------------------------------------------------------------------
// servers
// -----------------------------------------------------------------------------

const webRequest = (incoming: IncomingMessage, signal: AbortSignal): Request =>
  new Request(`https://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method ?? "GET",
    signal,
    headers: Object.entries(incoming.headers).flatMap(([name, value]): Array<[string, string]> =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]]
    )
  })

const sendResponse = async (response: Response, outgoing: ServerResponse) => {
  outgoing.statusCode = response.status
  for (const [name, value] of response.headers) if (name !== "set-cookie") outgoing.setHeader(name, value)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies)
  outgoing.flushHeaders()
  for await (const chunk of response.body ?? []) outgoing.write(chunk)
  outgoing.end()
}

export interface App {
  readonly server: Server
  readonly port: number
  readonly late: Array<CookieSession.LateChange>
  readonly pauses: Array<Pause>
  readonly context: Context.Context<Services>
  readonly inner: TokenStorage.TokenStorage["Service"]
  readonly pause: () => Pause
  /** The next connection that is closed before its response has been sent. */
  readonly disconnected: () => Promise<void>
}

export interface AppOptions {
  readonly mode: Mode
  readonly integration?: Integration
  readonly cookies?: Partial<CookieSession.Options>
  readonly http?: HttpSession.Options
  /** Another process of the same application: the API is the same, nothing else is. */
  readonly beside?: App
  /** The storage of references. */
  readonly inner?: TokenStorage.TokenStorage["Service"]
}

/** Starts the application on a free port. */
export const start = (options: AppOptions): Effect.Effect<App, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const server = options.beside?.server ?? new Server(clock)
    const late: Array<CookieSession.LateChange> = []
    const pauses: Array<Pause> = []
    const inner = options.inner ?? TokenStorage.makeMemory()
    const cookies: CookieSession.Options = {
      keys: keyOf(1),
      onLateChange: (change) => Effect.sync(() => void late.push(change)),
      ...options.cookies
    }
    const Sessions =
      options.mode === "sealed"
        ? CookieSession.layerSealed(cookies)
        : CookieSession.layerReference(cookies).pipe(Layer.provide(Layer.succeed(TokenStorage.TokenStorage, inner)))
    const Live = OneEntry.layer({ url, retry: false }).pipe(
      Layer.provideMerge(Sessions),
      Layer.provide(Layer.succeed(HttpClient.HttpClient, server.client)),
      Layer.provide(Layer.succeed(Clock.Clock, clock))
    )
    const context = yield* Layer.build(Live)
    const provided = Layer.succeedContext(context)
    const disconnects: Array<Signal> = []
    const disconnected = () => {
      const one = signal()
      disconnects.push(one)
      return one.promise
    }
    const base = { server, late, pauses, context, inner, disconnected }
    /** After whoever else listens has heard of it. */
    const watch = (outgoing: ServerResponse) =>
      outgoing.on("close", () => {
        if (!outgoing.writableEnded) setImmediate(() => disconnects.shift()?.resolve())
      })
    const pause = () => {
      const one: Pause = { begun: signal(), goOn: signal() }
      pauses.push(one)
      return one
    }
    if (options.integration === "Request → Response") {
      const app = WebSession.make(provided, options.http)
      const handler = app.withSession(async (request, visit, extra: string) => {
        if (extra !== "extra") throw new Error("arguments are handed through")
        return webResponse(await visit.run(routes(new URL(request.url).pathname, pauses)))
      })
      const http = createServer((incoming, outgoing) => {
        const controller = new AbortController()
        outgoing.on("close", () => {
          if (!outgoing.writableEnded) controller.abort()
        })
        watch(outgoing)
        handler(webRequest(incoming, controller.signal), "extra").then(
          (response) => sendResponse(response, outgoing),
          () => outgoing.writeHead(500).end()
        )
      })
      yield* Effect.promise(() => new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve)))
      yield* Effect.addFinalizer(() => Effect.promise(() => app.dispose()))
      yield* Effect.addFinalizer(() =>
        Effect.promise(() => {
          http.closeAllConnections()
          return new Promise<void>((resolve) => http.close(() => resolve()))
        })
      )
      const address = http.address()
      return { ...base, pause, port: typeof address === "object" && address !== null ? address.port : 0 }
    }
    const handler = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      return effectResponse(yield* routes(request.url, pauses))
    })
    const Router = HttpRouter.add("*", "*", handler).pipe(
      Layer.provide(Http.middleware(options.http).layer),
      HttpRouter.provideRequest(provided),
      Layer.provide(provided)
    )
    const Node = HttpRouter.serve(Router, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(
        NodeHttpServer.layer(() => createServer().on("request", (_, outgoing) => watch(outgoing)), {
          host: "127.0.0.1",
          port: 0,
          gracefulShutdownTimeout: "1 millis"
        })
      )
    )
    const running = yield* Layer.build(Node)
    const { address } = Context.get(running, HttpServer.HttpServer)
    return { ...base, pause, port: "port" in address ? address.port : 0 }
  }).pipe(Effect.orDie)

// -----------------------------------------------------------------------------
// browsers
// -----------------------------------------------------------------------------

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  readonly setCookies: ReadonlyArray<string>
  readonly text: string
}

export interface Send {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of what the jar has. */
  readonly cookie?: string
  /** When the headers of the answer are there. */
  readonly onHeaders?: () => void
  /** Closes the connection, as a visitor who goes away; there is no reply then. */
  readonly signal?: AbortSignal
}

/** One request over a socket, without a jar. */
export const send = (port: number, path: string, options: Send = {}): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const method = options.method ?? "GET"
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        agent: false,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        headers: {
          host: new URL(origin).host,
          ...(method === "GET" ? {} : { origin, "sec-fetch-site": "same-origin" }),
          ...(options.cookie === undefined || options.cookie === "" ? {} : { cookie: options.cookie }),
          ...options.headers
        }
      },
      (response) => {
        options.onHeaders?.()
        let text = ""
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => {
          text += chunk
        })
        response.on("error", reject)
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            setCookies: response.headers["set-cookie"] ?? [],
            text
          })
        )
      }
    )
    request.on("error", reject)
    request.end()
  })

/** A controller that a test aborts, and nobody else. */
export const aborting = () => new AbortController()

/** A request whose visitor goes away once `then` has come to its end, and the server has noticed. */
export const leaving = (app: App, path: string, options: Send, then: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const controller = aborting()
    const disconnected = app.disconnected()
    const reply = send(app.port, path, { ...options, signal: controller.signal }).then(
      () => "a reply",
      () => "gone"
    )
    yield* then
    controller.abort()
    yield* Effect.promise(() => disconnected)
    const outcome = yield* Effect.promise(() => reply)
    if (outcome !== "gone") return yield* Effect.die(new Error("the visitor was not away before the reply came"))
  })

export class Browser {
  jar = new CookieJar(undefined, { prefixSecurity: "strict", rejectPublicSuffixes: false })
  port: number

  constructor(app: { readonly port: number }) {
    this.port = app.port
  }

  /** Sends what the jar has now, and keeps what comes back. */
  async fetch(path: string, options: Send = {}): Promise<Reply> {
    const cookie = options.cookie ?? (await this.jar.getCookieString(`${origin}${path}`))
    const reply = await send(this.port, path, { ...options, cookie })
    for (const text of reply.setCookies) await this.jar.setCookie(text, `${origin}${path}`, { ignoreError: false })
    return reply
  }

  readonly get = (path: string, options?: Send): Effect.Effect<Reply> => Effect.promise(() => this.fetch(path, options))

  readonly post = (path: string, options?: Send): Effect.Effect<Reply> =>
    Effect.promise(() => this.fetch(path, { method: "POST", ...options }))

  readonly cookies: Effect.Effect<ReadonlyArray<Cookie>> = Effect.promise(() => this.jar.getCookies(origin))

  readonly cookieHeader: Effect.Effect<string> = Effect.promise(() => this.jar.getCookieString(origin))

  /** The cookies of the session, without the device's. */
  readonly session: Effect.Effect<ReadonlyArray<Cookie>> = Effect.map(this.cookies, (cookies) =>
    cookies.filter(({ key }) => !key.includes("-device"))
  )
}

/** Runs with an app of its own, on the real clock. */
export const withApp = <A, E>(
  options: AppOptions,
  f: (app: App) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E> => Effect.scoped(Effect.flatMap(start(options), f))
