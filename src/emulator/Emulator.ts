/**
 * A strict OneEntry backend for tests and development: in the process behind an `HttpClient`, on a port, or as a
 * `fetch` handler.
 *
 * Everything that it knows, sends and refuses can be looked at: the codes in the outbox, users, sessions and the log of
 * requests. Time comes from Effect's `Clock`, so a `TestClock` moves client and server together. It is no production
 * server.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Fault from "./Fault.ts"
import { Backend, backends } from "./internal/backend.ts"
import { defaultAppToken as publicToken } from "./internal/defaultAppToken.ts"
import { listen } from "./internal/nodeServer.ts"
import * as password from "./internal/password.ts"
import * as random from "./internal/random.ts"
import { httpClient, makeApp, makeRunner, webHandler } from "./internal/server.ts"
import { State } from "./internal/state.ts"
import { makeFlush } from "./internal/writer.ts"
import type { Persistence } from "./Persistence.ts"
import * as Project from "./Project.ts"
import type { Entry } from "./RequestLog.ts"
import type { Message, Session, Snapshot, User } from "./Snapshot.ts"

// -----------------------------------------------------------------------------
// Errors
// -----------------------------------------------------------------------------

/**
 * The emulator could not start, or could not keep its rows: `reason` says which.
 *
 * - `PortTaken`: something listens there already
 * - `ListenFailed`: the address cannot be listened on
 * - `NotSupported`: this runtime cannot listen; use `layerClient` or `handler`
 * - `InvalidProject`: the project does not decode, or its parts do not fit together
 * - `InvalidOptions`: an option has a value that makes no sense
 * - `PersistenceFailed`: the rows could not be read or written
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.scoped(Emulator.makeServer({ port: 4010 })).pipe(
 *   Effect.catchTag("EmulatorError", (error) =>
 *     error.reason === "PortTaken" ? Effect.scoped(Emulator.makeServer({ port: 0 })) : Effect.fail(error)
 *   )
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class EmulatorError extends Schema.TaggedError<EmulatorError>("effect-oneentry/emulator/Emulator/EmulatorError")(
  "EmulatorError",
  {
    reason: Schema.Literals([
      "PortTaken",
      "ListenFailed",
      "NotSupported",
      "InvalidProject",
      "InvalidOptions",
      "PersistenceFailed"
    ]),
    description: Schema.String,
    cause: Schema.optionalKey(Schema.Defect())
  }
) {
  override get message() {
    return this.description
  }
}

// -----------------------------------------------------------------------------
// Service
// -----------------------------------------------------------------------------

/**
 * A fault to add; its delay may be any duration.
 *
 * @example
 * ```ts
 * import type { Emulator } from "effect-oneentry/emulator"
 *
 * const slow: Emulator.FaultInput = { kind: "delay", route: "/api/content/users/*", delay: "2 seconds", rate: 0.1 }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface FaultInput extends Omit<Fault.Fault, "delay"> {
  readonly delay?: Duration.Input | undefined
}

/**
 * A running emulator.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const refusals = (emulator: Emulator.Service) =>
 *   Effect.map(emulator.requests, (entries) => entries.filter((entry) => entry.refusal !== null))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export interface Service {
  /** Where it answers: the base URL for a client, without a slash at the end. */
  readonly url: string
  /** The address that it listens on, such as `127.0.0.1`; absent when it does not listen. */
  readonly host: string | undefined
  /** What clients must send as `x-app-token`. */
  readonly appToken: Redacted.Redacted
  /** The project, decoded. */
  readonly project: Project.Project
  /** The messages that a real tenant would have sent, newest last. */
  readonly outbox: Effect.Effect<ReadonlyArray<Message>>
  /** The live code of a user; waits until there is one. */
  readonly awaitCode: (
    userIdentifier: string,
    options?: { readonly marker?: string | undefined }
  ) => Effect.Effect<string>
  readonly users: Effect.Effect<ReadonlyArray<User>>
  readonly sessions: Effect.Effect<ReadonlyArray<Session>>
  /** The log of requests, newest last; the last thousand at least. */
  readonly requests: Effect.Effect<ReadonlyArray<Entry>>
  readonly faults: {
    readonly list: Effect.Effect<ReadonlyArray<Fault.Active>>
    /** Fails where the fault could never hit: a misspelt operation or key, or a value out of bounds. */
    readonly add: (fault: FaultInput) => Effect.Effect<Fault.Active, EmulatorError>
    readonly remove: (id: number) => Effect.Effect<boolean>
    readonly clear: Effect.Effect<void>
  }
  readonly clock: {
    /** Milliseconds; what tokens, codes and timestamps are made of. */
    readonly now: Effect.Effect<number>
    /** How far the emulator is ahead of Effect's clock, in milliseconds. */
    readonly offset: Effect.Effect<number>
    /** Moves the emulator's clock; delays of faults are not shortened by it. */
    readonly advance: (duration: Duration.Input) => Effect.Effect<void>
    readonly reset: Effect.Effect<void>
  }
  /** Makes every access token that is out expire at once; refresh tokens stay good. Gives how many. */
  readonly expireAccessTokens: Effect.Effect<number>
  /** Closes the sessions of one user (by login), or all. Gives how many. */
  readonly revokeSessions: (userIdentifier?: string) => Effect.Effect<number>
  /** Closes one session by its number. */
  readonly revokeSession: (id: number) => Effect.Effect<boolean>
  /**
   * Makes the access token of one session expire, or with `refresh` both of its tokens: the next refresh is refused.
   */
  readonly expireSession: (id: number, token?: "access" | "refresh") => Effect.Effect<boolean>
  /** Activates a user without a code. */
  readonly activateUser: (id: number) => Effect.Effect<boolean>
  /** Removes a user with everything that is theirs. */
  readonly deleteUser: (id: number) => Effect.Effect<boolean>
  /**
   * Back to the beginning: the project's users, no sessions, codes, messages, faults or requests, the clock unmoved. What
   * is under way is not listed afterwards, and what a fault still holds back is not done any more.
   */
  readonly reset: Effect.Effect<void>
  readonly snapshot: Effect.Effect<Snapshot>
  /** Replaces everything that is remembered. */
  readonly restore: (snapshot: Snapshot) => Effect.Effect<void>
  /** Emits at once, then after every request and change; many of them may come as one. */
  readonly changes: Stream.Stream<void>
  /** Answers a web request; a fault that breaks the connection rejects, as `fetch` does. */
  readonly handler: (request: Request) => Promise<Response>
}

/**
 * The emulator as a service.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   yield* Effect.logInfo(`sign up at ${emulator.url}`)
 *   return yield* emulator.awaitCode("ann@example.com")
 * })
 *
 * const main = program.pipe(Effect.provide(Emulator.layer({ port: 4010 })))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Emulator extends Context.Service<Emulator, Service>()("effect-oneentry/emulator/Emulator") {}

// -----------------------------------------------------------------------------
// Options
// -----------------------------------------------------------------------------

/**
 * How an emulator is made.
 *
 * @example
 * ```ts
 * import { Control, type Emulator } from "effect-oneentry/emulator"
 *
 * const options: Emulator.Options = { seed: 1, passwordCost: 1, routes: Control.routes }
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The project; that of the registration scenario when absent. */
  readonly project?: Project.Input | undefined
  /** `emulator-app-token` when absent. */
  readonly appToken?: Redacted.Redacted | string | undefined
  /** Makes codes, tokens and ids repeat from run to run. Without it they come from the platform's CSPRNG. */
  readonly seed?: number | undefined
  /**
   * The cost of password hashes: the logarithm of scrypt's N, from 1 to 20, 14 when absent. Tests that sign in often
   * take 1.
   */
  readonly passwordCost?: number | undefined
  /** Keeps the rows between runs. */
  readonly persistence?: Persistence | undefined
  /** What reaches the OAuth servers of the project; the global `fetch` when absent. */
  readonly fetch?: ((input: string, init: RequestInit) => Promise<Response>) | undefined
  readonly limits?:
    | {
        /** Bytes of a request body; 16 MiB when absent. */
        readonly bodyBytes?: number | undefined
        /** Bytes of all headers of a request together; 16 KiB when absent. */
        readonly headerBytes?: number | undefined
        /** Levels of nesting in a JSON body; 64 when absent. */
        readonly nesting?: number | undefined
        /** Requests that the log keeps; 1000 when absent. */
        readonly logEntries?: number | undefined
      }
    | undefined
  /** More routes on the same router, made from the running emulator. */
  readonly routes?: ((emulator: Service) => Layer.Layer<never, never, HttpRouter.HttpRouter>) | undefined
}

/**
 * How an emulator that listens is made.
 *
 * @example
 * ```ts
 * import type { Emulator } from "effect-oneentry/emulator"
 *
 * const options: Emulator.ListenOptions = { port: 4010, appToken: "token-of-my-tests" }
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface ListenOptions extends Options {
  /** A free one when absent or 0. */
  readonly port?: number | undefined
  /** `127.0.0.1` when absent. */
  readonly host?: string | undefined
}

/**
 * The app token of an emulator that was given none.
 *
 * @example
 * ```ts
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * console.log(Emulator.defaultAppToken) // => emulator-app-token
 * ```
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultAppToken = publicToken

// -----------------------------------------------------------------------------
// Make
// -----------------------------------------------------------------------------

const invalid = (description: string) => new EmulatorError({ reason: "InvalidOptions", description })

const whole = (name: string, value: number, minimum: number, maximum: number) =>
  Number.isSafeInteger(value) && value >= minimum && value <= maximum
    ? Effect.succeed(value)
    : Effect.fail(invalid(`${name} must be a whole number from ${minimum} to ${maximum}, not ${value}`))

/** Puts the users that the project begins with into the state. */
const plant = Effect.fnUntraced(function* (backend: Backend) {
  const now = (yield* Clock.currentTimeMillis) + backend.clockOffset
  for (const seed of backend.project.users) {
    const provider = backend.providers.get(seed.provider)
    if (provider === undefined || backend.state.userByLogin(seed.provider, seed.login) !== undefined) continue
    const passwordHash = seed.password === undefined ? null : yield* backend.passwords.hash(seed.password)
    const locale = seed.locale ?? backend.defaultLanguage
    const user = backend.state.saveUser({
      id: backend.state.nextId("user"),
      provider: seed.provider,
      login: seed.login,
      passwordHash,
      oauthId: provider.type === "oauth" ? seed.login.toLowerCase() : null,
      isActive: seed.isActive,
      isDeleted: false,
      deletedAt: null,
      locale,
      formIdentifier: provider.formIdentifier,
      formData: seed.formData.length === 0 ? {} : { [locale]: seed.formData },
      notificationData: seed.notificationData,
      state: seed.state,
      groups: seed.groups ?? [backend.groupIds.get(provider.userGroupIdentifier) ?? 1],
      fcmTokens: [],
      createdAt: now,
      updatedAt: now,
      version: 0
    })
    if (!user.isActive && provider.isCheckCode) backend.issueCode(provider, user, null, now)
  }
})

const makeBackend = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Backend, EmulatorError> {
  const project = yield* Project.decode(options.project ?? Project.defaultProject).pipe(
    Effect.mapError((error) => new EmulatorError({ reason: "InvalidProject", description: error.message }))
  )
  const appToken =
    options.appToken === undefined || typeof options.appToken === "string"
      ? (options.appToken ?? defaultAppToken)
      : Redacted.value(options.appToken)
  if (appToken === "") return yield* invalid("appToken must not be empty")
  const cost = yield* whole("passwordCost", options.passwordCost ?? 14, 1, 20)
  const limits = {
    bodyBytes: yield* whole("limits.bodyBytes", options.limits?.bodyBytes ?? 16 * 1024 * 1024, 1, 2 ** 31),
    headerBytes: yield* whole("limits.headerBytes", options.limits?.headerBytes ?? 16_384, 256, 2 ** 20),
    nesting: yield* whole("limits.nesting", options.limits?.nesting ?? 64, 1, 1000),
    logEntries: yield* whole("limits.logEntries", options.limits?.logEntries ?? 1000, 1, 1_000_000)
  }
  const source =
    options.seed === undefined ? random.secure : random.seeded(yield* whole("seed", options.seed, -(2 ** 31), 2 ** 32))
  const state = new State()
  const persistence = options.persistence
  const flush = persistence === undefined ? Effect.succeed(true) : makeFlush(state, persistence)
  const backend = new Backend({
    project,
    appToken,
    state,
    random: source,
    passwords: password.make(source, cost),
    limits,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    flush
  })
  if (persistence !== undefined) {
    const kept = yield* Effect.mapError(
      persistence.load,
      (error) => new EmulatorError({ reason: "PersistenceFailed", description: error.message, cause: error })
    )
    if (kept !== undefined) state.restore(kept)
    state.journal.recording = true
  }
  yield* plant(backend)
  if (!(yield* flush)) {
    return yield* new EmulatorError({ reason: "PersistenceFailed", description: "The rows could not be written" })
  }
  return backend
})

const decodeFault = Schema.decodeUnknownEffect(Fault.Fault)

/** A fault that can hit something. */
const faultOf = Effect.fnUntraced(function* (backend: Backend, input: FaultInput) {
  const { delay, ...rest } = input
  const millis = delay === undefined ? undefined : Option.map(Duration.fromInput(delay), Duration.toMillis)
  // What is `undefined` is not given.
  const given = Object.entries({ ...rest, delay: Option.isOption(millis) ? Option.getOrNull(millis) : undefined })
  const fault = yield* Effect.mapError(
    decodeFault(Object.fromEntries(given.filter(([, value]) => value !== undefined)), {
      errors: "all",
      onExcessProperty: "error"
    }),
    (error) => invalid(error.message)
  )
  if (fault.operation !== undefined && !backend.knows(fault.operation)) {
    return yield* invalid(`There is no operation "${fault.operation}"`)
  }
  return fault
})

const makeService = (
  backend: Backend,
  url: string,
  host: string | undefined,
  handler: (request: Request) => Promise<Response>
): Service => {
  const { state } = backend
  const now = Effect.map(Clock.currentTimeMillis, (ms) => ms + backend.clockOffset)
  // A change from outside is kept and announced like one of a request.
  const change = <A>(f: () => A): Effect.Effect<A> =>
    Effect.tap(Effect.sync(f), () =>
      Effect.andThen(
        Effect.sync(() => backend.changed()),
        backend.flush
      )
    )
  const changes: Stream.Stream<void> = Stream.callback<void>(
    Effect.fnUntraced(function* (queue) {
      const watcher = () => {
        Queue.offerUnsafe(queue, undefined)
      }
      backend.watchers.add(watcher)
      watcher()
      yield* Effect.addFinalizer(() => Effect.sync(() => backend.watchers.delete(watcher)))
      return yield* Effect.never
    }),
    { bufferSize: 1, strategy: "sliding" }
  )
  const liveCode = (userIdentifier: string, marker: string | undefined, ms: number): string | undefined => {
    for (const user of state.users.rows.values()) {
      if (user.login !== userIdentifier || (marker !== undefined && user.provider !== marker)) continue
      const code = state.codes.get(user.id)
      if (code !== undefined && ms < code.expiresAt) return code.code
    }
    return undefined
  }
  const reset = Effect.suspend(() => {
    state.clear()
    for (const name of state.settings.rows.keys()) if (name.startsWith("next:")) state.settings.delete(name)
    backend.olderAccess.clear()
    backend.faults = []
    backend.requests = []
    backend.forgotten = backend.requestCount
    backend.clockOffset = 0
    return plant(backend).pipe(Effect.andThen(Effect.sync(() => backend.changed())), Effect.andThen(backend.flush))
  })
  return {
    url,
    host,
    appToken: Redacted.make(backend.appToken),
    project: backend.project,
    outbox: Effect.sync(() => [...state.messages.rows.values()]),
    awaitCode: (userIdentifier, options) =>
      Clock.clockWith((clock) =>
        Effect.callback<string>((resume) => {
          const look = () => {
            const ms = clock.currentTimeMillisUnsafe() + backend.clockOffset
            const code = liveCode(userIdentifier, options?.marker, ms)
            if (code === undefined) return
            backend.watchers.delete(look)
            resume(Effect.succeed(code))
          }
          backend.watchers.add(look)
          look()
          return Effect.sync(() => {
            backend.watchers.delete(look)
          })
        })
      ),
    users: Effect.sync(() => [...state.users.rows.values()]),
    sessions: Effect.sync(() => [...state.sessions.rows.values()]),
    requests: Effect.sync(() => backend.requests.slice(-backend.limits.logEntries)),
    faults: {
      list: Effect.sync(() => backend.faults.map(({ pattern: _, ...fault }) => fault)),
      add: (input) => Effect.flatMap(faultOf(backend, input), (fault) => change(() => backend.addFault(fault))),
      remove: (id) =>
        change(() => {
          const before = backend.faults.length
          backend.faults = backend.faults.filter((fault) => fault.id !== id)
          return backend.faults.length < before
        }),
      clear: change(() => {
        backend.faults = []
      })
    },
    clock: {
      now,
      offset: Effect.sync(() => backend.clockOffset),
      advance: (duration) =>
        change(() => {
          backend.clockOffset += Duration.toMillis(duration)
        }),
      reset: change(() => {
        backend.clockOffset = 0
      })
    },
    expireAccessTokens: Effect.flatMap(now, (ms) =>
      change(() => {
        let expired = 0
        for (const session of state.sessions.rows.values()) {
          if (session.accessExpiresAt <= ms) continue
          state.saveSession({ ...session, accessExpiresAt: ms })
          expired++
        }
        backend.olderAccess.clear()
        return expired
      })
    ),
    expireSession: (id, token) =>
      Effect.flatMap(now, (ms) =>
        change(() => {
          const session = state.sessions.get(id)
          if (session === undefined) return false
          const refreshExpiresAt =
            token === "refresh" ? Math.min(ms, session.refreshExpiresAt) : session.refreshExpiresAt
          state.saveSession({
            ...session,
            accessExpiresAt: Math.min(ms, session.accessExpiresAt),
            refreshExpiresAt
          })
          for (const [older, { sessionId }] of backend.olderAccess) {
            if (sessionId === id) backend.olderAccess.delete(older)
          }
          return true
        })
      ),
    revokeSessions: (userIdentifier) =>
      change(() => {
        const sessions = [...state.sessions.rows.values()].filter(
          (session) => userIdentifier === undefined || session.userIdentifier === userIdentifier
        )
        for (const session of sessions) state.closeSession(session)
        return sessions.length
      }),
    revokeSession: (id) =>
      change(() => {
        const session = state.sessions.get(id)
        if (session === undefined) return false
        state.closeSession(session)
        return true
      }),
    activateUser: (id) =>
      Effect.flatMap(now, (ms) =>
        change(() => {
          const user = state.users.get(id)
          if (user === undefined) return false
          state.codes.delete(id)
          backend.touch(user, ms, { isActive: true })
          return true
        })
      ),
    deleteUser: (id) =>
      change(() => {
        const user = state.users.get(id)
        if (user === undefined) return false
        state.removeUser(user)
        return true
      }),
    reset,
    snapshot: Effect.sync(() => state.snapshot()),
    restore: (snapshot) =>
      change(() => {
        state.restore(snapshot)
        backend.forgetSigners()
        backend.olderAccess.clear()
      }),
    changes,
    handler
  }
}

// The routes of the caller want the service, the service wants the handler, the handler wants the routes.
const serve = Effect.fnUntraced(function* (backend: Backend, options: ListenOptions, urlOf: (runner: Runner) => Url) {
  let handler: (request: Request) => Promise<Response> = () => Promise.reject(new TypeError("not started"))
  const service = { ...makeService(backend, "", options.host, (request) => handler(request)) }
  backends.set(service, backend)
  const app = yield* makeApp(backend, options.routes?.(service))
  for (const { operation } of backend.permissions) {
    if (operation !== undefined && !backend.knows(operation)) {
      return yield* new EmulatorError({
        reason: "InvalidProject",
        description: `a permission names the operation "${operation}", which does not exist`
      })
    }
  }
  const runner = yield* makeRunner(backend, app)
  handler = webHandler(runner, yield* Clock.Clock)
  const url = yield* urlOf(runner)
  backend.url = url
  service.url = url
  return { service, runner }
})

type Runner = Effect.Success<ReturnType<typeof makeRunner>>
type Url = Effect.Effect<string, EmulatorError, Scope.Scope>

/** The name that an emulator without a socket goes by: on loopback, so that clients take it without TLS. */
const clientUrl = "http://127.0.0.1:4010"

/**
 * Makes an emulator that does not listen; `handler` answers. For workerd, edge functions and browsers.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const emulator = yield* Emulator.make()
 *   return yield* Effect.promise(() => emulator.handler(new Request(`${emulator.url}/api/content/forms`)))
 * }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<Service, EmulatorError, Scope.Scope> {
  const backend = yield* makeBackend(options ?? {})
  return (yield* serve(backend, options ?? {}, () => Effect.succeed(clientUrl))).service
})

type NodeHttp = typeof import("node:http")

// A value, so that bundlers for the web leave the import alone.
const nodeHttp: string = "node:http"

const loadHttp = Effect.tryPromise({
  try: (): Promise<NodeHttp> => import(/* @vite-ignore */ /* webpackIgnore: true */ nodeHttp),
  catch: (cause) =>
    new EmulatorError({
      reason: "NotSupported",
      description: "This runtime has no node:http to listen with; use Emulator.layerClient or Emulator.make",
      cause
    })
})

/**
 * Makes an emulator that listens on a port until the scope closes.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.scoped(
 *   Effect.gen(function*() {
 *     const emulator = yield* Emulator.makeServer()
 *     const response = yield* Effect.promise(() =>
 *       fetch(`${emulator.url}/api/content/forms`, { headers: { "x-app-token": "emulator-app-token" } })
 *     )
 *     console.log(response.status) // 200
 *   })
 * )
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeServer = Effect.fnUntraced(function* (
  options?: ListenOptions
): Effect.fn.Return<Service, EmulatorError, Scope.Scope> {
  const host = options?.host ?? "127.0.0.1"
  const port = yield* whole("port", options?.port ?? 0, 0, 65_535)
  const http = yield* loadHttp
  const backend = yield* makeBackend(options ?? {})
  const { service } = yield* serve(backend, { ...options, host }, (runner) =>
    listen(http, backend, runner, { port, host }).pipe(
      Effect.map((listening) => {
        const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
        return `http://${name.includes(":") ? `[${name}]` : name}:${listening.port}`
      }),
      Effect.mapError(
        (failure) =>
          new EmulatorError({
            reason: failure.code === "EADDRINUSE" ? "PortTaken" : "ListenFailed",
            description:
              failure.code === "EADDRINUSE"
                ? `Port ${port} of ${host} is taken; choose another one, or 0 for a free one`
                : `Cannot listen on port ${port} of ${host} (${failure.code})`,
            cause: failure.cause
          })
      )
    )
  )
  return service
})

// -----------------------------------------------------------------------------
// Layers
// -----------------------------------------------------------------------------

/**
 * An emulator on a port, a free one of `127.0.0.1` by default.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   yield* Effect.logInfo(`listening at ${url}`)
 * }).pipe(Effect.provide(Emulator.layer()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: ListenOptions): Layer.Layer<Emulator, EmulatorError> =>
  Layer.effect(Emulator, makeServer(options))

/**
 * An emulator without a socket, and the `HttpClient` that reaches it. Every request of that client goes to the
 * emulator, whatever its host.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { HttpClient } from "effect/http"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   const response = yield* HttpClient.get(`${emulator.url}/api/content/forms/marker/reg`, {
 *     headers: { "x-app-token": "emulator-app-token" }
 *   })
 *   return yield* response.json
 * }).pipe(Effect.provide(Emulator.layerClient({ passwordCost: 1 })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient = (options?: Options): Layer.Layer<Emulator | HttpClient.HttpClient, EmulatorError> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const backend = yield* makeBackend(options ?? {})
      const { runner, service } = yield* serve(backend, options ?? {}, () => Effect.succeed(clientUrl))
      return Context.make(Emulator, service).pipe(Context.add(HttpClient.HttpClient, httpClient(runner)))
    })
  )
