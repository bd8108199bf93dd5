/**
 * A server that a test drives step by step, and clients over it. Its refresh tokens are good once, for one marker and
 * one fingerprint; it notes every exchange, so that a test can say what was never sent.
 */
import { Clock, Context, Deferred, Effect, Layer, Redacted, type Scope, Stream } from "effect"
import type { HttpBody } from "effect/http"
import { HttpClient, HttpClientError, type HttpClientRequest, HttpClientResponse } from "effect/http"
import {
  AuthProvider,
  type ClientOptions,
  DeviceMetadata,
  OneEntry,
  OneEntryClient,
  Session,
  SessionLock,
  TokenStorage,
  Users
} from "effect-oneentry"

export const url = "https://project.test"

export type Route = "auth" | "refresh" | "logout" | "me" | "other"

/** One request as the server saw it. */
export interface Seen {
  readonly route: Route
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
  readonly text: string
}

export interface Exchange {
  readonly refreshToken: string
  readonly marker: string
  readonly fingerprint: string
  /** Whether the server took it. */
  accepted: boolean
  /** The status of the answer that went out; 0: none. */
  status: number
  /** Whether the answer that went out was the new pair. */
  rotated: boolean
  /** Nobody waits for an answer any more. */
  ended: boolean
}

/** What becomes of a request, instead of the usual. */
export type Behaviour =
  /** The connection breaks, before or after the server has done its work. */
  | { readonly _tag: "Lose"; readonly handled: boolean }
  /** No answer ever. */
  | { readonly _tag: "Hang"; readonly handled: boolean }
  /** The server does its work, and something else is answered. */
  | {
      readonly _tag: "Answer"
      readonly handled: boolean
      readonly status: number
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  | { readonly _tag: "Usual" }

export const lose = (handled: boolean): Behaviour => ({ _tag: "Lose", handled })
export const hang = (handled: boolean): Behaviour => ({ _tag: "Hang", handled })
export const usual: Behaviour = { _tag: "Usual" }
export const status = (status: number, headers?: Readonly<Record<string, string>>): Behaviour => ({
  _tag: "Answer",
  handled: false,
  status,
  body: JSON.stringify({ statusCode: status, message: `status ${status}` }),
  ...(headers === undefined ? {} : { headers })
})
export const answer = (
  status: number,
  body: string,
  options?: { readonly handled?: boolean; readonly headers?: Readonly<Record<string, string>> }
): Behaviour => ({
  _tag: "Answer",
  handled: options?.handled ?? true,
  status,
  body,
  ...(options?.headers === undefined ? {} : { headers: options.headers })
})

/** Holds one request: `arrived`, then the server does its work at `handle`, then it answers at `answer`. */
export interface Gate {
  readonly arrived: Effect.Effect<void>
  readonly handle: Effect.Effect<void>
  readonly answer: Effect.Effect<void>
}

interface HeldGate extends Gate {
  readonly signals: Readonly<Record<"arrived" | "mayHandle" | "handled" | "mayAnswer", Deferred.Deferred<void>>>
}

interface ServerSession {
  readonly user: string
  readonly marker: string
  readonly fingerprint: string
  accessToken: string
  refreshToken: string
  alive: boolean
  /** Whether its present pair went out in an answer. */
  delivered: boolean
}

const base64Url = (text: string) => Buffer.from(text).toString("base64url")

export const jwt = (claims: object): string =>
  `${base64Url(`{"alg":"HS256","typ":"JWT"}`)}.${base64Url(JSON.stringify(claims))}.c2lnbmF0dXJl`

const decoder = new TextDecoder()

const bodyOf = (body: HttpBody.HttpBody): Effect.Effect<Uint8Array> => {
  switch (body._tag) {
    case "Uint8Array":
      return Effect.succeed(body.body)
    case "Stream":
      return Stream.runFold(
        Stream.orDie(body.stream),
        () => new Uint8Array(0),
        (all, chunk) => Uint8Array.from([...all, ...chunk])
      )
    case "Raw":
    case "FormData":
      return Effect.promise(() => new Response(body._tag === "FormData" ? body.formData : String(body.body)).bytes())
    case "Empty":
      return Effect.succeed(new Uint8Array(0))
  }
}

export class Server {
  readonly seen: Array<Seen> = []
  readonly exchanges: Array<Exchange> = []
  readonly sessions: Array<ServerSession> = []
  readonly revoked: Array<string> = []
  /** Hears of each request. */
  onRequest: ((seen: Seen, behaviour: Behaviour) => void) | undefined
  /** Hears of each exchange as it comes, and of what is going to become of it. */
  onExchange: ((exchange: Exchange, behaviour: Behaviour) => void) | undefined
  /** What each refresh token was issued to. */
  readonly bindings = new Map<string, { readonly marker: string; readonly fingerprint: string }>()
  /** How long access tokens live, in seconds. */
  lifetime = 3_600
  /** The server's clock minus that of the test, in milliseconds. */
  skew = 0
  /** Makes the access token of a pair, where it is not to be the usual JWT. */
  accessToken: ((claims: { iat: number; exp: number; user: string; id: number }) => string) | undefined
  /** Whether answers carry a `Date`. */
  dates = false
  private readonly behaviours = new Map<Route, Array<Behaviour>>()
  private readonly gates = new Map<Route, Array<HeldGate>>()
  private serial = 0

  readonly clock: Clock.Clock

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  /** What becomes of the next requests of a route. */
  script(route: Route, ...steps: ReadonlyArray<Behaviour>): void {
    this.behaviours.set(route, [...(this.behaviours.get(route) ?? []), ...steps])
  }

  /** From now on everything goes the usual way; what is held stays held. */
  heal(): void {
    this.behaviours.clear()
    this.gates.clear()
  }

  /** Holds the next request of a route. */
  gate(route: Route): Gate {
    const signals = {
      arrived: Deferred.makeUnsafe<void>(),
      mayHandle: Deferred.makeUnsafe<void>(),
      handled: Deferred.makeUnsafe<void>(),
      mayAnswer: Deferred.makeUnsafe<void>()
    }
    const gate: HeldGate = {
      signals,
      arrived: Deferred.await(signals.arrived),
      handle: Effect.andThen(Deferred.succeed(signals.mayHandle, undefined), Deferred.await(signals.handled)),
      answer: Effect.andThen(
        Deferred.succeed(signals.mayHandle, undefined),
        Effect.asVoid(Deferred.succeed(signals.mayAnswer, undefined))
      )
    }
    this.gates.set(route, [...(this.gates.get(route) ?? []), gate])
    return gate
  }

  count(route: Route): number {
    return this.seen.filter((one) => one.route === route).length
  }

  now(): number {
    return this.clock.currentTimeMillisUnsafe() + this.skew
  }

  issue(user: string, marker: string, fingerprint: string): ServerSession {
    // A device has one session of a user.
    for (const one of this.sessions) {
      if (one.user === user && one.marker === marker && one.fingerprint === fingerprint) one.alive = false
    }
    const session: ServerSession = {
      user,
      marker,
      fingerprint,
      accessToken: "",
      refreshToken: "",
      alive: true,
      delivered: true
    }
    this.sessions.push(session)
    this.rotate(session)
    session.delivered = true
    return session
  }

  /** Ends every session, refresh tokens included. */
  revokeAll(): void {
    for (const one of this.sessions) one.alive = false
  }

  /** Lets the server forget the access tokens that are out; refresh tokens stay good. */
  expire(user?: string): void {
    for (const one of this.sessions) if (user === undefined || one.user === user) one.accessToken = "gone"
  }

  private rotate(session: ServerSession): void {
    const id = ++this.serial
    const iat = Math.floor(this.now() / 1000)
    const claims = { id, user: session.user, userIdentifier: session.user, iat, exp: iat + this.lifetime }
    session.accessToken = this.accessToken?.({ iat, exp: claims.exp, user: session.user, id }) ?? jwt(claims)
    session.refreshToken = `refresh-${id}-${session.user}`
    session.delivered = false
    this.bindings.set(session.refreshToken, { marker: session.marker, fingerprint: session.fingerprint })
  }

  private signedIn(session: ServerSession, pair: (session: ServerSession) => object) {
    session.delivered = false
    return { status: 201, body: pair(session), session }
  }

  private handle(
    seen: Seen,
    exchange: Exchange | undefined
  ): { status: number; body: unknown; session?: ServerSession } {
    const refuse = (status: number, message: string) => ({ status, body: { statusCode: status, message } })
    const marker = decodeURIComponent(/\/marker\/([^/]+)\//.exec(seen.path)?.[1] ?? "")
    const device: unknown = JSON.parse(seen.headers["x-device-metadata"] ?? "{}")
    const fingerprint =
      typeof device === "object" && device !== null && "fingerprint" in device ? String(device.fingerprint) : ""
    const input = seen.route === "other" || seen.text === "" ? {} : JSON.parse(seen.text)
    const bearer = seen.headers["authorization"]?.slice(7)
    const owner = this.sessions.find((one) => one.alive && one.accessToken === bearer)
    const pair = (session: ServerSession) => ({
      userIdentifier: session.user,
      authProviderIdentifier: session.marker,
      accessToken: session.accessToken,
      refreshToken: session.refreshToken
    })
    switch (seen.route) {
      case "auth": {
        const user = String(input.authData?.[0]?.value)
        return user === "nobody"
          ? refuse(401, "Invalid credentials")
          : this.signedIn(this.issue(user, marker, fingerprint), pair)
      }
      case "refresh": {
        const session = this.sessions.find(
          (one) =>
            one.alive &&
            one.refreshToken === input.refreshToken &&
            one.marker === marker &&
            one.fingerprint === fingerprint
        )
        if (session === undefined) return refuse(400, "Refresh token is not valid")
        if (exchange !== undefined) exchange.accepted = true
        this.rotate(session)
        return { status: 201, body: pair(session), session }
      }
      case "logout": {
        const session = this.sessions.find((one) => one.alive && one.refreshToken === input.refreshToken)
        this.revoked.push(input.refreshToken)
        if (session === undefined) return refuse(400, "Refresh token is not valid")
        session.alive = false
        return { status: 201, body: true }
      }
      case "me":
        return owner === undefined
          ? refuse(401, "Unauthorized")
          : { status: 200, body: { id: 1, identifier: owner.user, authProviderIdentifier: owner.marker, formData: [] } }
      case "other":
        return owner === undefined ? refuse(401, "Unauthorized") : { status: 200, body: { user: owner.user } }
    }
  }

  readonly client: HttpClient.HttpClient = HttpClient.make((request) => Effect.suspend(() => this.respond(request)))

  private respond(
    request: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> {
    const { pathname } = new URL(request.url)
    const name = /\/users\/(auth|refresh|logout)$/.exec(pathname)?.[1]
    const route: Route =
      name === "auth" || name === "refresh" || name === "logout"
        ? name
        : pathname.endsWith("/users/me")
          ? "me"
          : "other"
    const held = this.gates.get(route)?.shift()
    const behaviour = this.behaviours.get(route)?.shift() ?? usual
    // oxlint-disable-next-line typescript/no-this-alias -- a generator has a `this` of its own
    const self = this
    return Effect.scoped(
      Effect.gen(function* () {
        const body = yield* bodyOf(request.body)
        const seen: Seen = {
          route,
          method: request.method,
          path: pathname,
          headers: { ...request.headers },
          body,
          text: decoder.decode(body)
        }
        self.seen.push(seen)
        self.onRequest?.(seen, behaviour)
        const exchange: Exchange | undefined =
          route === "refresh"
            ? {
                refreshToken: JSON.parse(seen.text).refreshToken,
                marker: decodeURIComponent(/\/marker\/([^/]+)\//.exec(pathname)?.[1] ?? ""),
                fingerprint: JSON.parse(seen.headers["x-device-metadata"] ?? "{}").fingerprint,
                accepted: false,
                status: 0,
                rotated: false,
                ended: false
              }
            : undefined
        if (exchange !== undefined) {
          self.exchanges.push(exchange)
          self.onExchange?.(exchange, behaviour)
          yield* Effect.addFinalizer(() => Effect.sync(() => void (exchange.ended = true)))
        }
        if (held !== undefined) {
          yield* Deferred.succeed(held.signals.arrived, undefined)
          yield* Deferred.await(held.signals.mayHandle)
        }
        const handles = behaviour._tag === "Usual" || behaviour.handled
        const made = handles ? self.handle(seen, exchange) : undefined
        if (held !== undefined) {
          yield* Deferred.succeed(held.signals.handled, undefined)
          yield* Deferred.await(held.signals.mayAnswer)
        }
        if (behaviour._tag === "Hang") return yield* Effect.never
        if (behaviour._tag === "Lose") {
          return yield* new HttpClientError.HttpClientError({
            reason: new HttpClientError.TransportError({ request, cause: new Error("socket hang up") })
          })
        }
        const code = behaviour._tag === "Answer" ? behaviour.status : (made?.status ?? 500)
        const session = behaviour._tag === "Usual" ? made?.session : undefined
        if (session !== undefined) session.delivered = true
        if (exchange !== undefined) {
          exchange.status = code
          exchange.rotated = session !== undefined
        }
        return HttpClientResponse.fromWeb(
          request,
          new Response(behaviour._tag === "Answer" ? (behaviour.body ?? null) : JSON.stringify(made?.body), {
            status: code,
            headers: {
              "content-type": "application/json",
              ...(self.dates ? { date: new Date(self.now()).toUTCString() } : {}),
              ...(behaviour._tag === "Answer" ? behaviour.headers : {})
            }
          })
        )
      })
    )
  }
}

// -----------------------------------------------------------------------------
// storages
// -----------------------------------------------------------------------------

export type StorageOperation = "get" | "set" | "remove" | "compareAndSet"

/** What becomes of one operation of a storage. */
export type StorageFault = "fail" | "loseAnswer" | "hang" | "die" | "interrupt" | "throw"

export interface Backing {
  readonly map: Map<string, string>
  /** Every operation in order. */
  readonly log: Array<{ readonly operation: StorageOperation; readonly slot: string }>
}

export const makeBacking = (): Backing => ({ map: new Map(), log: [] })

/** A storage over a map that others may share; `fault` decides what becomes of an operation, `before` may hold it. */
export const storageOver = (
  backing: Backing,
  options?: {
    readonly atomic?: boolean | undefined
    readonly fault?: ((operation: StorageOperation, slot: string) => StorageFault | undefined) | undefined
    readonly before?: ((operation: StorageOperation, slot: string) => Effect.Effect<void>) | undefined
    readonly changes?: Stream.Stream<string, TokenStorage.TokenStorageError> | undefined
  }
): TokenStorage.TokenStorage["Service"] => {
  const { map, log } = backing
  const run = <A>(operation: StorageOperation, slot: string, effect: () => A) => {
    const fault = options?.fault?.(operation, slot)
    if (fault === "throw") throw new Error("a storage that throws")
    return Effect.gen(function* () {
      if (options?.before !== undefined) yield* options.before(operation, slot)
      log.push({ operation, slot })
      const failure = new TokenStorage.TokenStorageError({ operation, slot, cause: new Error("a fault of the test") })
      switch (fault) {
        case undefined:
          return effect()
        case "loseAnswer":
          effect()
          return yield* failure
        case "fail":
          return yield* failure
        case "hang":
          return yield* Effect.never
        case "interrupt":
          return yield* Effect.interrupt
        case "die":
          return yield* Effect.die(new Error("a storage that dies"))
      }
    })
  }
  const write = (slot: string, value: string | undefined) => {
    if (value === undefined) map.delete(slot)
    else map.set(slot, value)
  }
  // Not `TokenStorage.make`, which guards: the session has to stand what comes from a service made by hand.
  return TokenStorage.TokenStorage.of({
    get: (slot) => run("get", slot, () => map.get(slot)),
    set: (slot, value) => run("set", slot, () => write(slot, value)),
    remove: (slot) => run("remove", slot, () => write(slot, undefined)),
    compareAndSet: (slot, expected, next) =>
      run("compareAndSet", slot, () => {
        if (map.get(slot) !== expected) return false
        write(slot, next)
        return true
      }),
    changes: options?.changes ?? Stream.empty,
    atomic: options?.atomic ?? true
  })
}

/** What a slot of a backing map holds, decoded. */
export const stored = (backing: Backing, slot = "default"): Record<string, unknown> | undefined => {
  const text = backing.map.get(slot)
  return text === undefined ? undefined : JSON.parse(text)
}

// -----------------------------------------------------------------------------
// clients
// -----------------------------------------------------------------------------

export interface Client {
  readonly auth: AuthProvider.AuthProvider["Service"]
  readonly session: Session.Session["Service"]
  readonly users: Users.Users["Service"]
  readonly http: OneEntryClient.OneEntryClient["Service"]
  readonly signIn: (user: string, marker?: string) => Effect.Effect<void, unknown>
  /** Whose profile the server shows. */
  readonly me: Effect.Effect<string, CallError>
}

export type CallError = Effect.Error<ReturnType<Users.Users["Service"]["getUser"]>>

export const makeClient = (options: {
  readonly server: Server
  readonly storage: TokenStorage.TokenStorage["Service"]
  readonly lock: SessionLock.SessionLock
  readonly options?: Partial<ClientOptions.ClientOptions> | undefined
  readonly http?: HttpClient.HttpClient | undefined
}): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Layer.build(
      OneEntry.layer({ url, retry: false, ...options.options }).pipe(
        Layer.provide([
          Layer.succeed(HttpClient.HttpClient, options.http ?? options.server.client),
          Layer.succeed(TokenStorage.TokenStorage, options.storage),
          Layer.succeed(SessionLock.SessionLock, options.lock)
        ])
      )
    )
    const auth = Context.get(context, AuthProvider.AuthProvider)
    const users = Context.get(context, Users.Users)
    return {
      auth,
      session: Context.get(context, Session.Session),
      users,
      http: Context.get(context, OneEntryClient.OneEntryClient),
      signIn: (user, marker = "email") =>
        Effect.asVoid(
          auth.auth(marker, {
            authData: [
              { marker: "email_reg", value: user },
              { marker: "password_reg", value: Redacted.make("secret") }
            ]
          })
        ),
      me: Effect.map(users.getUser(), (user) => user.identifier)
    } satisfies Client
  }).pipe(Effect.orDie)

export interface World {
  readonly server: Server
  readonly backing: Backing
  readonly lock: SessionLock.SessionLock
  /** A client with a storage of its own over the one backing map. */
  readonly client: (options?: {
    readonly storage?: TokenStorage.TokenStorage["Service"] | undefined
    readonly lock?: SessionLock.SessionLock | undefined
    readonly options?: Partial<ClientOptions.ClientOptions> | undefined
    readonly http?: HttpClient.HttpClient | undefined
  }) => Effect.Effect<Client, never, Scope.Scope>
}

export const makeWorld: Effect.Effect<World> = Effect.map(Clock.Clock, (clock) => {
  const server = new Server(clock)
  const backing = makeBacking()
  const lock = SessionLock.makeInProcess()
  return {
    server,
    backing,
    lock,
    client: (options) =>
      makeClient({
        server,
        storage: options?.storage ?? storageOver(backing),
        lock: options?.lock ?? lock,
        options: options?.options,
        http: options?.http
      })
  }
})

export const device = (fingerprint: string): DeviceMetadata.Metadata => DeviceMetadata.make({ fingerprint })

// -----------------------------------------------------------------------------
// time
// -----------------------------------------------------------------------------

const tick = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Lets everything that can go on without the clock go on. */
export const settled = Effect.repeat(tick, { times: 30 })

/** Waits until something is the case: an event of the code under test that has no handle of its own. */
export const until = (what: string, condition: () => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let turn = 0; turn < 5_000; turn++) {
      if (condition()) return
      yield* tick
    }
    return yield* Effect.die(new Error(`it never came to this: ${what}`))
  })
