/**
 * Sessions of visitors, found by a cookie. Inside a visit `Session`,
 * `AuthProvider` and the rest work as everywhere, on the session of the visitor
 * whose request is being handled; what has changed at the end is written to
 * `Set-Cookie`. Outside of a visit nobody is signed in, and nobody can be.
 *
 * There are two ways to keep a session. **Sealed** (`layerSealed`): the cookie
 * is the session, encrypted; no storage is needed. **By reference**
 * (`layerReference`): the cookie is a random id, the session is in a
 * `TokenStorage`.
 *
 * Requests of one visitor come in parallel, and the refresh token can be spent
 * once. A session has an id that stays the same when its tokens change (it is
 * sealed with them, or is the reference), the slot is named by it, and so all
 * requests of a visitor share one slot and one refresh. Each response that is
 * sent after it carries the new cookie, whether its own request began the
 * refresh or not. Requests that the browser sent before it had that cookie
 * bring the old one, whose refresh token is spent; a sealed session therefore
 * stays in the process for a grace time, and what the process knows goes before
 * what an older cookie says (each counts its refresh tokens, so older and newer
 * are told apart). The same memory keeps a session ended that an old cookie
 * would bring back, and keeps a response that was overtaken by a sign-in from
 * clearing the new cookie.
 *
 * That memory is one process's. Two processes that get the same sealed cookie
 * at the same moment both spend its refresh token, and one of them is refused:
 * with nothing shared between them, nothing can prevent that. Where requests
 * of one visitor may reach different processes, use `layerReference` on a
 * storage and a lock that they share (`effect-oneentry/redis`, `/sql`), or
 * route each visitor to one process.
 *
 * Signing in always moves the visitor to a new id and removes the old session:
 * a cookie that somebody planted leads nowhere afterwards.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Cookies from "effect/http/Cookies"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as DeviceMetadata from "../DeviceMetadata.ts"
import * as Slots from "../internal/slots.ts"
import * as Stored from "../internal/storedSession.ts"
import type * as InternalVisitor from "../internal/visitor.ts"
import * as OneEntryError from "../OneEntryError.ts"
import { CurrentSlot } from "../Session.ts"
import * as TokenStorage from "../TokenStorage.ts"
import * as HttpCookies from "./internal/cookies.ts"
import type { CookieStore, OpenVisit, Outcome as CookieOutcome } from "./internal/cookieStore.ts"
import * as Keyring from "./internal/keyring.ts"
import * as ReferenceStore from "./internal/referenceStore.ts"
import { header, hostOf, isLoopback } from "./internal/request.ts"
import * as SealedStore from "./internal/sealedStore.ts"
import * as SlotNames from "./internal/slotNames.ts"
import * as Workers from "./internal/workers.ts"
import * as Visitor from "./Visitor.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A change that no response could carry to the visitor: the headers had been sent (a streamed body), there is no response
 * (the handler failed), or nobody waits for it any more (the connection has been closed). The process keeps a sealed
 * session that was refreshed or signed out for the grace time, and the visitor's next request gets it; nobody will get a
 * session that was just signed in.
 *
 * **Example** (Counting them)
 *
 * ```ts
 * import { Effect, Metric } from "effect"
 * import type { CookieSession } from "effect-oneentry/server"
 *
 * const late = Metric.counter("late_session_changes", { incremental: true })
 *
 * export const onLateChange = (change: CookieSession.LateChange): Effect.Effect<void> =>
 *   Metric.update(Metric.withAttributes(late, { change: change.change }), 1)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface LateChange {
  readonly slot: string
  readonly change: "SignedIn" | "Refreshed" | "SignedOut"
}

/**
 * Options of both ways.
 *
 * `keys` are secrets of 256 bits (`TokenStorage.generateKey`): the first seals and signs, all open, so that a key is
 * replaced by putting the new one in front and taking the old one out when its cookies have expired.
 *
 * **Example** (A key from the environment, plain cookies on a developer's machine)
 *
 * ```ts
 * import { Config, Effect } from "effect"
 * import type { CookieSession } from "effect-oneentry/server"
 *
 * export const options = Effect.map(Config.Redacted("SESSION_KEY"), (keys): CookieSession.Options => ({
 *   keys,
 *   maxAge: "14 days",
 *   insecureLoopback: true
 * }))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly keys: TokenStorage.EncryptionKey | ReadonlyArray<TokenStorage.EncryptionKey>
  /** What the cookie is called, after `__Host-`; `oneentry`. The device's has `-device` behind it. */
  readonly name?: string | undefined
  /** Tells applications apart that share a key: a cookie of one is nothing to another. */
  readonly context?: string | undefined
  /** How long a cookie lasts after its session last changed; 30 days. */
  readonly maxAge?: Duration.Input | undefined
  /** How long the process remembers a session after its last request; 10 minutes. */
  readonly grace?: Duration.Input | undefined
  /** How many sessions the process remembers; 10,000. */
  readonly maxSessions?: number | undefined
  /**
   * On loopback hosts (`localhost`, `127.0.0.1`) cookies are set without `__Host-` and `Secure`, so that plain http works
   * in every browser. For development.
   */
  readonly insecureLoopback?: boolean | undefined
  /** Hears of changes that no response could carry; by default a warning is logged. */
  readonly onLateChange?: ((change: LateChange) => Effect.Effect<void>) | undefined
}

/**
 * A visit: a request that is being handled. For adapters; applications use the middleware, the wrapper, `visit` or
 * `readOnly`.
 *
 * `provide` runs an effect as the visitor. `close` says which cookies to set: call it right before the headers are
 * sent, and set `cacheHeaders` too if there are any. `abandon` is for a response that cannot be changed any more.
 * After either one, a second call of both does nothing. `lost` says of a response with the cookies of `close` that the
 * visitor did not get it, because the connection had been closed.
 *
 * **Example** (An adapter)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { CookieSession, type Visitor } from "effect-oneentry/server"
 *
 * export const handle = <A, E>(request: Visitor.RequestLike, effect: Effect.Effect<A, E>) =>
 *   Effect.gen(function*() {
 *     const sessions = yield* CookieSession.CookieSession
 *     const visit = yield* sessions.open(request)
 *     const exit = yield* Effect.exit(visit.provide(effect))
 *     return { exit, cookies: yield* visit.close }
 *   })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Visit {
  readonly provide: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Visitor.Visitor>>
  readonly close: Effect.Effect<ReadonlyArray<Cookies.Cookie>>
  readonly abandon: Effect.Effect<void>
  readonly lost: Effect.Effect<void>
}

// -----------------------------------------------------------------------------
// service
// -----------------------------------------------------------------------------

/**
 * Opens visits.
 *
 * **Example** (A whole server)
 *
 * ```ts
 * import { Layer, type Redacted } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { OneEntry } from "effect-oneentry"
 * import { CookieSession } from "effect-oneentry/server"
 *
 * export const layer = (key: Redacted.Redacted<string>) =>
 *   OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *     Layer.provideMerge(CookieSession.layerSealed({ keys: key })),
 *     Layer.provide(FetchHttpClient.layer)
 *   )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class CookieSession extends Context.Service<
  CookieSession,
  {
    readonly open: (
      request: Visitor.RequestLike,
      options?: { readonly readOnly?: boolean | undefined }
    ) => Effect.Effect<Visit>
  }
>()("effect-oneentry/server/CookieSession") {}

// -----------------------------------------------------------------------------
// make
// -----------------------------------------------------------------------------

/** What Chrome allows at the most. */
const deviceMaxAgeSeconds = 400 * 24 * 60 * 60

const fingerprintBytes = 16

/** Where the device's cookie is lost, the session still says what browser it was made in. */
const fingerprintOf = (text: string | undefined): string | undefined => {
  const decoded = Stored.decode(text)
  return decoded._tag === "Session"
    ? /^web-([A-Za-z0-9_-]{22})$/.exec(decoded.session.device.fingerprint)?.[1]
    : undefined
}

interface Settings {
  readonly name: string
  readonly maxAgeMillis: number
  readonly graceMillis: number
  readonly maxSessions: number
  readonly insecureLoopback: boolean
}

const resolve = (options: Options): Effect.Effect<Settings, OneEntryError.OneEntryError> =>
  Effect.suspend(() => {
    const issues: Array<string> = []
    const { maxSessions = 10_000, name = "oneentry" } = options
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      issues.push("`name` must be 1 to 64 letters, digits, hyphens and underscores; `__Host-` is put before it")
    }
    const millis = (
      option: string,
      input: Duration.Input | undefined,
      fallback: Duration.Input,
      least: number
    ): number => {
      const duration = Duration.fromInput(input ?? fallback)
      const value = duration._tag === "Some" ? Duration.toMillis(duration.value) : Number.NaN
      if (value >= least && Number.isFinite(value)) return value
      issues.push(`\`${option}\` must be a duration of ${least / 1_000} seconds at least`)
      return 0
    }
    const maxAgeMillis = millis("maxAge", options.maxAge, "30 days", 1_000)
    const graceMillis = millis("grace", options.grace, "10 minutes", 0)
    if (!Number.isSafeInteger(maxSessions) || maxSessions < 1)
      issues.push("`maxSessions` must be a whole number, 1 at least")
    return issues.length > 0
      ? Effect.fail(OneEntryError.invalidRequest("layer", ...issues))
      : Effect.succeed({
          name,
          maxAgeMillis,
          graceMillis,
          maxSessions,
          insecureLoopback: options.insecureLoopback === true
        })
  })

const makeOpen = (
  store: CookieStore,
  keyring: Keyring.Keyring,
  settings: Settings,
  onLate: (late: LateChange) => void
): CookieSession["Service"]["open"] => {
  const registry = Slots.registryOf(store.storage)
  const maxAge = Math.floor(settings.maxAgeMillis / 1_000)

  return Effect.fnUntraced(function* (request, options) {
    const secure = !(settings.insecureLoopback && isLoopback(hostOf(request)))
    const cookieName = HttpCookies.nameOf(settings.name, secure)
    const deviceName = HttpCookies.nameOf(`${settings.name}-device`, secure)
    const cookieHeader = header(request, "cookie")
    const brought = HttpCookies.join(cookieHeader, cookieName)
    const found = yield* store.find(cookieName, brought)

    // One half is what the API knows the browser by, the other names the slot of a visitor who is not signed in.
    const deviceCookie = HttpCookies.get(cookieHeader, deviceName)
    const verified =
      deviceCookie === undefined || deviceCookie.length > 256
        ? undefined
        : yield* Effect.promise(() => keyring.verify(deviceName, deviceCookie))
    const known = /^([A-Za-z0-9_-]{22})~([A-Za-z0-9_-]{22})$/.exec(verified?.text ?? "")
    const fingerprint = known?.[1] ?? fingerprintOf(found.stamp?.text) ?? keyring.random(fingerprintBytes)
    const visitorId = known?.[2] ?? keyring.random(fingerprintBytes)
    let deviceNeeded = false
    let deviceIsOld = known === null || verified?.current !== true

    const readOnly = options?.readOnly === true
    let open = true
    let slot = found.slot ?? SlotNames.visitorSlot(visitorId)
    const entered = new Set<string>()
    const self: OpenVisit = {
      get carries() {
        return open && !readOnly
      },
      needsDevice: () => {
        deviceNeeded = true
      }
    }
    const enter = (name: string): void => {
      entered.add(name)
      store.enter(name, self, found)
    }
    enter(slot)

    const metadataOf = (fingerprint: string, deviceInfo: DeviceMetadata.DeviceInfo): DeviceMetadata.Metadata => ({
      fingerprint: Redacted.make(fingerprint, { label: "fingerprint" }),
      deviceInfo
    })
    const metadata = metadataOf(`web-${fingerprint}`, Visitor.deviceInfo(request))

    /** A session speaks for the device that it was made on; that is this browser, whatever became of its cookie. */
    const deviceOf = (name: string): Effect.Effect<DeviceMetadata.Metadata> =>
      Effect.sync(() => {
        const session = registry.peek(name)?.session
        if (session !== undefined) return metadataOf(session.device.fingerprint, session.device.deviceInfo)
        deviceNeeded = true
        return metadata
      })

    const visitor: InternalVisitor.Visitor = {
      get slot() {
        return slot
      },
      readOnly,
      admit: Effect.suspend(() => {
        if (self.carries) {
          return Effect.map(store.admit, (name) => {
            enter(name)
            return name
          })
        }
        return Effect.fail(
          new TokenStorage.TokenStorageError({
            operation: "set",
            slot,
            cause: new Error(
              readOnly
                ? "nobody can sign in where no cookie can be set (a read-only visit)"
                : "nobody can sign in once the headers of the response have been sent"
            )
          })
        )
      }),
      moveTo: (name) => {
        const before = slot
        slot = name
        store.abandon(before)
        // A sign-in begins the time of the device anew, too.
        deviceNeeded = true
        deviceIsOld = true
        return SlotNames.isSessionSlot(before) ? before : undefined
      }
    }

    const context = Context.make(Visitor.Visitor, { device: Effect.suspend(() => deviceOf(slot)), readOnly }).pipe(
      Context.add(CurrentSlot, visitor),
      Context.add(DeviceMetadata.DeviceMetadata, deviceOf)
    )

    /** What is to be set, as things are in this moment; whatever comes later finds the visit closed. */
    const end = () => {
      open = false
      const outcome = store.outcome(slot, found)
      for (const name of entered) store.leave(name, self)
      return outcome
    }

    /** That nobody gets what is to be set. */
    const tell = (outcome: CookieOutcome): void => {
      if (readOnly) return
      if (outcome._tag === "Set" && outcome.renewed) {
        onLate({ slot, change: slot === found.slot ? "Refreshed" : "SignedIn" })
      }
      // A reference that leads nowhere any more, and a cookie that is good for nothing, can be cleared next time.
      if (outcome._tag === "Clear" && store.isSealed && !found.clear) onLate({ slot, change: "SignedOut" })
    }

    let closedWith: CookieOutcome | undefined

    const close = Effect.suspend(() => {
      if (!open) return Effect.succeed([])
      const outcome = end()
      closedWith = outcome
      if (readOnly) return Effect.succeed([])
      return Effect.promise(async () => {
        const cookies: Array<Cookies.Cookie> = []
        if (outcome._tag === "Set") {
          cookies.push(...HttpCookies.split(cookieName, await outcome.value(cookieName), { secure, maxAge }))
        }
        if (outcome._tag !== "Keep") {
          for (const name of HttpCookies.surplus(brought.names, cookies))
            cookies.push(...HttpCookies.clear(name, secure))
        }
        if (deviceNeeded && deviceIsOld) {
          const value = await keyring.sign(deviceName, `${fingerprint}~${visitorId}`)
          cookies.push(...HttpCookies.set(deviceName, value, { secure, maxAge: deviceMaxAgeSeconds }))
        }
        return cookies
      })
    })

    const abandon = Effect.sync(() => {
      if (open) tell(end())
    })

    const lost = Effect.sync(() => {
      if (closedWith !== undefined) tell(closedWith)
      closedWith = undefined
    })

    return {
      provide: (effect) => Effect.provideContext(effect, context),
      close,
      abandon,
      lost
    }
  })
}

/** What both ways need: the options, the keys, and somebody to tell what comes too late. */
const prepare = (options: Options) =>
  Effect.gen(function* () {
    const settings = yield* resolve(options)
    const keyring = yield* Keyring.make(options.keys, options.context ?? "")
    const clock = yield* Clock.Clock
    const scope = yield* Effect.scope
    const context = yield* Effect.context<never>()
    const tell =
      options.onLateChange ??
      ((late: LateChange) =>
        Effect.logWarning(
          `A session changed (${late.change}) when no response could carry its cookie any more: it is kept in this process only`
        ))
    return {
      settings,
      keyring,
      now: () => clock.currentTimeMillisUnsafe(),
      // In a fiber of its own: it is told in the middle of a write, and whoever listens must not hold that up.
      onLate: (late: LateChange): void => {
        Effect.runForkWith(context)(
          Effect.forkIn(Effect.ignoreCause(Effect.suspend(() => tell(late))), scope, { startImmediately: false })
        )
      }
    }
  })

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * Sessions in sealed cookies (AES-256-GCM): nothing is kept on the server but for the grace time.
 *
 * A session of more than one cookie's 4,096 bytes is spread over up to three. One that does not fit fails its sign-in
 * with `TokenStorageError`. A cookie that is tampered with, cut off, too long, too old, or made by another key, counts
 * as signed out and is cleared. Fails with `EncryptionKeyError`, or with a `OneEntryError` that says which option to
 * change.
 *
 * **Gotchas**
 *
 * Several processes without a way to route each visitor to one of them need `layerReference`: see the comment of this
 * module.
 *
 * **Example** (Replacing a key)
 *
 * ```ts
 * import type { TokenStorage } from "effect-oneentry"
 * import { CookieSession } from "effect-oneentry/server"
 *
 * export const layer = (current: TokenStorage.EncryptionKey, former: TokenStorage.EncryptionKey) =>
 *   CookieSession.layerSealed({ keys: [current, former] })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSealed = (
  options: Options
): Layer.Layer<
  CookieSession | TokenStorage.TokenStorage,
  TokenStorage.EncryptionKeyError | OneEntryError.OneEntryError
> =>
  Layer.effectContext(
    Effect.map(prepare(options), ({ keyring, now, onLate, settings }) => {
      const attributes = { secure: true, maxAge: Math.floor(settings.maxAgeMillis / 1_000) }
      const store = SealedStore.make({
        keyring,
        now,
        maxAgeMillis: settings.maxAgeMillis,
        graceMillis: settings.graceMillis,
        maxSessions: settings.maxSessions,
        maxValueLength: HttpCookies.maxValueLength(HttpCookies.nameOf(settings.name, true), attributes),
        onLate
      })
      return Context.make(TokenStorage.TokenStorage, store.storage).pipe(
        Context.add(CookieSession, CookieSession.of({ open: makeOpen(store, keyring, settings, onLate) })),
        Workers.provideWaiting
      )
    })
  )

/**
 * Sessions in the `TokenStorage` below, and in the cookie a random id of 256 bits that leads there. The slot's name is a
 * hash of the id. What is in the storage can be removed there, which signs the visitor out at once in every process.
 *
 * Give the storage's entries at least `maxAge` to live, and put `TokenStorage.layerEncrypted` between where others can
 * read it.
 *
 * **Example** (Many processes on Redis)
 *
 * ```ts
 * import * as NodeRedis from "@effect/platform-node/NodeRedis"
 * import { Layer, type Redacted } from "effect"
 * import { RedisSessionLock, RedisTokenStorage } from "effect-oneentry/redis"
 * import { CookieSession } from "effect-oneentry/server"
 *
 * export const layer = (key: Redacted.Redacted<string>) =>
 *   CookieSession.layerReference({ keys: key }).pipe(
 *     Layer.provide(RedisTokenStorage.layer()),
 *     Layer.provideMerge(RedisSessionLock.layer()),
 *     Layer.provide(NodeRedis.layer({ url: "redis://127.0.0.1" }))
 *   )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerReference = (
  options: Options
): Layer.Layer<
  CookieSession | TokenStorage.TokenStorage,
  TokenStorage.EncryptionKeyError | OneEntryError.OneEntryError,
  TokenStorage.TokenStorage
> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const inner = yield* TokenStorage.TokenStorage
      const { keyring, now, onLate, settings } = yield* prepare(options)
      const store = ReferenceStore.make({
        inner,
        keyring,
        now,
        graceMillis: settings.graceMillis,
        maxSessions: settings.maxSessions
      })
      return Context.make(TokenStorage.TokenStorage, store.storage).pipe(
        Context.add(CookieSession, CookieSession.of({ open: makeOpen(store, keyring, settings, onLate) })),
        Workers.provideWaiting
      )
    })
  )

// -----------------------------------------------------------------------------
// combinators
// -----------------------------------------------------------------------------

/**
 * What a visit came to: the effect's exit, and the cookies to set with the response, whatever the exit is. Whoever sets
 * one also sets `cacheHeaders`.
 *
 * **Example** (Setting them by hand)
 *
 * ```ts
 * import { Cookies } from "effect/http"
 * import type { CookieSession } from "effect-oneentry/server"
 *
 * export const setCookies = (outcome: CookieSession.Outcome<unknown, unknown>): ReadonlyArray<string> =>
 *   outcome.cookies.map(Cookies.serializeCookie)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Outcome<A, E> {
  readonly exit: Exit.Exit<A, E>
  readonly cookies: ReadonlyArray<Cookies.Cookie>
}

/**
 * Runs an effect as a visitor and gives what it came to, for frameworks that set cookies in their own way (Next's
 * server actions, SvelteKit, Astro). Where there is a response, use `HttpSession` or `WebSession`.
 *
 * **Example** (A server action)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Session } from "effect-oneentry"
 * import { CookieSession } from "effect-oneentry/server"
 *
 * export const signOut = (headers: Headers) =>
 *   CookieSession.visit({ method: "POST", headers }, Session.Session.use((session) => session.signOutLocally)).pipe(
 *     Effect.map(({ cookies }) => cookies.map(({ name, options, value }) => ({ name, value, ...options })))
 *   )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const visit = <A, E, R>(
  request: Visitor.RequestLike,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Outcome<A, E>, never, Exclude<R, Visitor.Visitor> | CookieSession> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const sessions = yield* CookieSession
      const opened = yield* sessions.open(request)
      const exit = yield* Effect.exit(restore(opened.provide(effect)))
      return { exit, cookies: yield* opened.close }
    })
  )

/**
 * Runs an effect as a visitor to whom nothing can be given: Next's server components, an `HTML` stream that has begun.
 * Nothing is refreshed, because the new tokens would be lost: a call whose access token has ended fails with
 * `TokenExpired` of reason `ReadOnly`, and the session is kept. Signing in fails with `TokenStorageError`.
 *
 * `Session.current` tells who is signed in all the same.
 *
 * **Example** (A server component)
 *
 * ```ts
 * import { Effect, Option } from "effect"
 * import { Users } from "effect-oneentry"
 * import { CookieSession } from "effect-oneentry/server"
 *
 * export const profile = (headers: Headers) =>
 *   CookieSession.readOnly({ headers }, Users.Users.use((users) => users.getUser())).pipe(
 *     Effect.map(Option.some),
 *     Effect.catchTag(["NotAuthenticated", "TokenExpired"], () => Effect.succeedNone)
 *   )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const readOnly = <A, E, R>(
  request: Visitor.RequestLike,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Visitor.Visitor> | CookieSession> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const sessions = yield* CookieSession
      const opened = yield* sessions.open(request, { readOnly: true })
      return yield* Effect.ensuring(restore(opened.provide(effect)), opened.abandon)
    })
  )

/**
 * What a response says that sets one of these cookies, so that no cache hands it to somebody else; `vary` is the `Vary`
 * that the response has already. Take out what a CDN goes by before it, such as `CDN-Cache-Control`: the middleware and
 * the wrapper do.
 *
 * **Example** (Merging with what is there)
 *
 * ```ts
 * import { CookieSession } from "effect-oneentry/server"
 *
 * console.log(CookieSession.cacheHeaders("Accept"))
 * // => { 'cache-control': 'private, no-store', vary: 'Accept, Cookie' }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const cacheHeaders = (
  vary?: string | null | undefined
): { readonly "cache-control": string; readonly vary: string } => ({
  "cache-control": HttpCookies.cacheControl,
  vary: HttpCookies.varyByCookie(vary)
})
