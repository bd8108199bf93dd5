/**
 * One signed-in user, kept signed in. The server hands out an access token and
 * a one-time refresh token; this module sees to it that the refresh token is
 * spent once, whoever asks (fibers, clients, tabs, processes), that a rotated
 * pair is stored before anybody is told, and that nothing but the server's own
 * word ends a session.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as AuthError from "./AuthError.ts"
import type * as ClientOptions from "./ClientOptions.ts"
import * as DeviceMetadata from "./DeviceMetadata.ts"
import * as Codecs from "./internal/codecs.ts"
import { isBearer, maxTokenLength } from "./internal/authWire.ts"
import * as Cooldown from "./internal/cooldown.ts"
import * as Deadlines from "./internal/deadlines.ts"
import * as GuardedLock from "./internal/guardedLock.ts"
import * as GuardedStorage from "./internal/guardedStorage.ts"
import { storageTimeoutMillis } from "./internal/guardedStorage.ts"
import * as Mailbox from "./internal/mailbox.ts"
import * as RefreshExchange from "./internal/refreshExchange.ts"
import * as Refresher from "./internal/refresher.ts"
import { isRefused, type Refused } from "./internal/refused.ts"
import type * as Event from "./internal/sessionEvent.ts"
import * as Slots from "./internal/slots.ts"
import * as SlotStore from "./internal/slotStore.ts"
import * as Stored from "./internal/storedSession.ts"
import * as FetchTransport from "./internal/fetchTransport.ts"
import * as HttpTransport from "./internal/httpTransport.ts"
import type * as Transport from "./internal/transport.ts"
import { segmentIssue } from "./internal/urls.ts"
import * as Visitor from "./internal/visitor.ts"
import * as OneEntryError from "./OneEntryError.ts"
import * as SessionLock from "./SessionLock.ts"
import * as TokenStorage from "./TokenStorage.ts"

// -----------------------------------------------------------------------------
// errors
// -----------------------------------------------------------------------------

/**
 * A request was refused with 401. It is what `refreshOnUnauthorized` recurs on; the pipelines of this package turn it
 * into `TokenExpired` when a second try ends with it, so that programs do not meet it.
 *
 * `accessToken` is the one that the request was sent with.
 *
 * **Example** (A call of one's own that fails with it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Session } from "effect-oneentry"
 *
 * export const call = Effect.gen(function*() {
 *   const session = yield* Session.Session
 *   const accessToken = yield* session.accessToken
 *   const response = yield* Effect.promise(() => fetch("https://api.example.com/things"))
 *   return response.status === 401 ? yield* new Session.Unauthorized({ accessToken }) : response
 * }).pipe(Effect.retry(Session.refreshOnUnauthorized))
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class Unauthorized extends Schema.TaggedError<Unauthorized>("effect-oneentry/Session/Unauthorized")(
  "Unauthorized",
  {
    accessToken: Codecs.Secret,
    messages: Schema.optionalKey(Schema.Array(Schema.String))
  }
) {
  override get message(): string {
    return "The server refused the access token"
  }
}

/**
 * Everything that keeping a session alive can fail with.
 *
 * **Example** (Telling the end of a session from a bad moment)
 *
 * ```ts
 * import type { Session } from "effect-oneentry"
 *
 * export const isOver = (error: Session.RefreshError): boolean =>
 *   error._tag === "TokenExpired" || error._tag === "NotAuthenticated"
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export type RefreshError = Event.RefreshError

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What may be shown of a session. No tokens.
 *
 * `accessTokenEndsAt` is by this device's clock, `unverifiedClaims` what the access token says of itself: nobody has
 * checked its signature, so it is for display only.
 *
 * **Example** (A greeting)
 *
 * ```ts
 * import type { Session } from "effect-oneentry"
 *
 * export const greeting = (session: Session.SessionInfo): string => `Hello, ${session.userIdentifier ?? "stranger"}`
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionInfo extends Event.SessionInfo {}

/**
 * Why a session ended: the server rejected the refresh token (`"Rejected"`), or did so after an exchange whose answer
 * never came (`"Ambiguous"`); the program signed out (`"SignOut"`) or changed the password (`"PasswordChanged"`); or
 * another tab or process ended it (`"Elsewhere"`).
 *
 * **Example** (What to tell the person)
 *
 * ```ts
 * import type { Session } from "effect-oneentry"
 *
 * export const text = (reason: Session.SignedOutReason): string =>
 *   reason === "SignOut" ? "Good-bye" : "Please sign in again"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type SignedOutReason = Event.SignedOutReason

/**
 * What happens to a session. `State` comes first, on subscription; the rest as it happens.
 *
 * `RefreshRejected` says that the session will end with its access token, `StorageDegraded` that it lives in memory
 * only until the storage can be written again.
 *
 * **Example** (Following a session)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { Session } from "effect-oneentry"
 *
 * export const follow = Session.Session.use((session) =>
 *   Stream.runForEach(session.changes, (event) => Effect.logInfo(event._tag))
 * )
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type SessionEvent = Event.SessionEvent

/**
 * Tokens that come from elsewhere.
 *
 * `marker` is the provider that issued them (by default the client's), `device` the one they were issued to: the
 * server takes a refresh token from its own device only.
 *
 * **Example** (What the official SDK kept)
 *
 * ```ts
 * import type { Session } from "effect-oneentry"
 *
 * export const tokens = (stored: string): Session.Tokens => ({ refreshToken: stored, marker: "email" })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Tokens {
  readonly refreshToken: string | Redacted.Redacted<string>
  readonly accessToken?: string | Redacted.Redacted<string> | undefined
  readonly marker?: string | undefined
  readonly userIdentifier?: string | undefined
  readonly device?: DeviceMetadata.Metadata | undefined
}

// -----------------------------------------------------------------------------
// service
// -----------------------------------------------------------------------------

/**
 * The session of the current slot (see `Sessions.withSlot`).
 *
 * **Example** (Who is there?)
 *
 * ```ts
 * import { Effect, Option } from "effect"
 * import { Session } from "effect-oneentry"
 *
 * export const who = Session.Session.use((session) => session.current).pipe(
 *   Effect.map(Option.map((info) => info.marker))
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Session extends Context.Service<
  Session,
  {
    /** A peek: what is stored, as it is. Never touches the network; a storage out of reach counts as nobody. */
    readonly current: Effect.Effect<Option.Option<SessionInfo>>
    /** A token good for use now, refreshed first where it must be. */
    readonly accessToken: Effect.Effect<Redacted.Redacted<string>, RefreshError>
    /** The state on subscription, then what happens. */
    readonly changes: Stream.Stream<SessionEvent>
    /** Refreshes now, or joins a refresh in flight. */
    readonly refresh: Effect.Effect<SessionInfo, RefreshError>
    /**
     * Sees to it that the access token is another one than `used`: if it is already, nothing is done; otherwise one
     * refresh runs and everybody waits for it.
     */
    readonly renew: (used: Redacted.Redacted<string>) => Effect.Effect<void, RefreshError>
    /** Adopts tokens from elsewhere, in place of the session that was there. Sends nothing. */
    readonly restore: (
      tokens: Tokens
    ) => Effect.Effect<void, TokenStorage.TokenStorageError | OneEntryError.OneEntryError>
    /** Forgets the session without telling the server. Twice is no error. */
    readonly signOutLocally: Effect.Effect<void, TokenStorage.TokenStorageError>
    /**
     * Refreshes ahead of expiry for as long as the scope is open, so that no call waits for it. For long-lived processes
     * and visible tabs; a visit in which nothing can be written keeps nothing alive.
     */
    readonly keepAlive: Effect.Effect<void, never, Scope.Scope>
  }
>()("effect-oneentry/Session") {}

/**
 * The slot that sessions are taken from, where `Sessions.withSlot` has set one.
 *
 * @internal
 */
export const CurrentSlot: Context.Reference<string | Visitor.Visitor | undefined> = Context.Reference<
  string | Visitor.Visitor | undefined
>("effect-oneentry/Session/CurrentSlot", { defaultValue: () => undefined })

// -----------------------------------------------------------------------------
// the policy
// -----------------------------------------------------------------------------

/** Known by its tag: its own module would come with the whole HTTP client. */
const isHttpClientError = (u: unknown): u is HttpClientError.HttpClientError => Predicate.isTagged(u, "HttpClientError")

/** The access token that a failed call was sent with, if it failed for want of a good one. */
const refusedToken = (error: unknown): Redacted.Redacted<string> | undefined => {
  if (isRefused(error)) return Redacted.make(error.accessToken)
  if (error instanceof Unauthorized) return error.accessToken
  if (isHttpClientError(error) && error.reason._tag === "StatusCodeError" && error.reason.response.status === 401) {
    const header = error.request.headers["authorization"]
    if (header?.startsWith("Bearer ") === true) return Redacted.make(header.slice(7))
  }
  return undefined
}

/**
 * The refresh-on-401 policy, as a retry schedule: recur once, only after a 401, with a refresh in between.
 *
 * It knows a 401 by `Session.Unauthorized`, or by an `HttpClientError` for status 401 (`HttpClient.filterStatusOk`) of a
 * request that carried a bearer token. Other failures end it at once; a second 401 surfaces as it is; a refresh that
 * fails ends it with a `RefreshError`.
 *
 * **Example** (Around a client of one's own)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { HttpClient, HttpClientRequest } from "effect/http"
 * import { Session } from "effect-oneentry"
 *
 * export const client = Effect.gen(function*() {
 *   const session = yield* Session.Session
 *   return (yield* HttpClient.HttpClient).pipe(
 *     HttpClient.mapRequestEffect((request) =>
 *       Effect.map(session.accessToken, (token) => HttpClientRequest.bearerToken(request, token))
 *     ),
 *     HttpClient.filterStatusOk,
 *     HttpClient.retry(Session.refreshOnUnauthorized)
 *   )
 * })
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const refreshOnUnauthorized: Schedule.Schedule<void, unknown, RefreshError, Session> = Schedule.once.pipe(
  Schedule.while(({ input }) => {
    const used = refusedToken(input)
    return used === undefined
      ? Effect.succeed(false)
      : Effect.as(
          Session.use((session) => session.renew(used)),
          true
        )
  })
)

// -----------------------------------------------------------------------------
// make
// -----------------------------------------------------------------------------

/**
 * What the other modules of this package use of a session.
 *
 * @internal
 */
export interface Internal {
  readonly service: Session["Service"]
  /**
   * Runs an attempt with the headers of an authorized call, and once more after a refresh if it fails with
   * `Refused`.
   */
  readonly authorized: <A, E>(
    attempt: (headers: Readonly<Record<string, string>>, accessToken: string) => Effect.Effect<A, E | Refused>
  ) => Effect.Effect<A, E | RefreshError>
  /** The device for an anonymous call. */
  readonly device: Effect.Effect<Stored.Device>
  /** Stores the session of an answer that `exchange` got for the device. */
  readonly signIn: (session: Stored.StoredSession) => Effect.Effect<void, TokenStorage.TokenStorageError>
  /** The session as it is stored, for sign-out. */
  readonly peek: Effect.Effect<Stored.StoredSession | undefined>
  /** As `authorized` where somebody is signed in, otherwise with the headers of an anonymous call. */
  readonly optionally: <A, E>(
    attempt: (headers: Readonly<Record<string, string>>) => Effect.Effect<A, E | Refused>
  ) => Effect.Effect<A, E | RefreshError>
  /** Bumps the generation and forgets the session; returns it as the storage had it. */
  readonly signOut: (
    reason: SignedOutReason
  ) => Effect.Effect<Stored.StoredSession | undefined, TokenStorage.TokenStorageError>
  /** Refreshes a session of the marker. */
  readonly refresh: (marker: string | undefined) => Effect.Effect<Stored.StoredSession, RefreshError>
  readonly registry: Slots.Registry
}

const bare = (value: string | Redacted.Redacted<string>): string =>
  typeof value === "string" ? value : Redacted.value(value)

/** Nothing that a refresh brings could be handed to whoever is there. */
const isReadOnly = (current: string | Visitor.Visitor | undefined): boolean =>
  typeof current === "object" && current.readOnly

/** `keepAlive` looks at least that often: timers stand still while a machine sleeps. */
const keepAliveSlice = 30_000

/** The pauses of `keepAlive` between refreshes that fail, and between those of tokens with hardly any life in them. */
const keepAlivePause = { shortest: 1_000, longest: 60_000 }

/** What is wrong with tokens from elsewhere. */
const issuesOf = (tokens: Tokens): ReadonlyArray<string> => {
  const issues: Array<string> = []
  const refreshToken = bare(tokens.refreshToken)
  if (refreshToken === "") issues.push("`refreshToken` must not be empty")
  if (refreshToken.length > maxTokenLength) issues.push("`refreshToken` is too long")
  const accessToken = tokens.accessToken === undefined ? "" : bare(tokens.accessToken)
  if (accessToken !== "" && !isBearer(accessToken)) issues.push("`accessToken` is too long, or no text for a header")
  const markerIssue = tokens.marker === undefined ? undefined : segmentIssue("marker", tokens.marker)
  if (markerIssue !== undefined) issues.push(markerIssue)
  return issues
}

/**
 * Makes a session over a transport.
 *
 * @internal
 */
export const makeInternal = (
  transport: Transport.Transport
): Effect.Effect<Internal, never, TokenStorage.TokenStorage | Scope.Scope> =>
  Effect.gen(function* () {
    const { project } = transport
    const rawStorage = yield* TokenStorage.TokenStorage
    const scope = yield* Effect.scope
    const context = Context.omit(
      TokenStorage.TokenStorage,
      Scope.Scope,
      // A span around the making of the client has nothing to do with what it does later.
      Tracer.ParentSpan
    )(yield* Effect.context<TokenStorage.TokenStorage | Scope.Scope>())
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    const registry = Slots.registryOf(rawStorage)
    registry.configure((yield* Slots.Idle) ?? {})

    const deadlines = Deadlines.make(storageTimeoutMillis)
    yield* Effect.addFinalizer(() => deadlines.stop)
    // A round reads, marks, exchanges, reads and writes: one request, and a few operations of the storage.
    const maxHold = Duration.millis(Duration.toMillis(project.requestTimeout) + 6 * storageTimeoutMillis)
    const lock = GuardedLock.make(yield* SessionLock.SessionLock, maxHold, context)
    yield* Effect.addFinalizer(() => lock.stop)
    const store = SlotStore.make({
      storage: GuardedStorage.make(rawStorage, deadlines, context),
      lock,
      scope,
      observer: transport.observer,
      mayBeInMemoryOnly: Visitor.mayBeInMemoryOnly(rawStorage)
    })

    const freshnessOf = (session: Stored.StoredSession, at = now()) =>
      Stored.freshness(session, at, project.refreshMarginMillis, store.clockOffset())

    /** The access token may still be used: it has not ended, and no 401 was had with it. */
    const isValid = (slot: Slots.Slot, session: Stored.StoredSession): boolean =>
      slot.refused !== session.accessToken && freshnessOf(session) !== "expired"

    const refresher = Refresher.make({ transport, store, lock, clock, scope, context, isValid })

    const slotOf = (current: string | Visitor.Visitor | undefined, at = now()): Slots.Slot =>
      registry.get(Visitor.slotName(current) ?? project.slot, at)

    /** Runs with the slot of the calling fiber. */
    const withSlot = <A, E, R>(f: (slot: Slots.Slot) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.withFiber((fiber) => f(slotOf(fiber.getRef(CurrentSlot))))

    const notAuthenticated = (slot: Slots.Slot) => new AuthError.NotAuthenticated({ slot: slot.name })

    const present = (slot: Slots.Slot): Effect.Effect<Stored.StoredSession, AuthError.NotAuthenticated> =>
      Effect.suspend(() =>
        slot.session === undefined ? Effect.fail(notAuthenticated(slot)) : Effect.succeed(slot.session)
      )

    /** A visitor to whom nothing can be given waits for a refresh that is under way, but begins none. */
    const refreshOnce = (slot: Slots.Slot, used: string): Effect.Effect<void, RefreshError> =>
      Effect.withFiber((fiber) => refresher.refresh(slot, used, isReadOnly(fiber.getRef(CurrentSlot))))

    /** A visitor signs in under a name that nobody knew before: a cookie planted on him leads nowhere then. */
    const signingIn = <A, E, R>(
      signIn: (slot: Slots.Slot) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | TokenStorage.TokenStorageError, R> =>
      Effect.withFiber((fiber) => {
        const current = fiber.getRef(CurrentSlot)
        if (typeof current !== "object") return signIn(slotOf(current))
        return Effect.flatMap(current.admit, (name) =>
          Effect.tap(signIn(slotOf(name)), () => {
            const left = current.moveTo(name)
            return left === undefined ? Effect.void : Effect.ignore(store.signOut(slotOf(left), "SignOut"))
          })
        )
      })

    // -------------------------------------------------------------------------
    // what calls need
    // -------------------------------------------------------------------------

    /** The session with an access token that is good for use now. */
    const prepare = (slot: Slots.Slot): Effect.Effect<Stored.StoredSession, RefreshError> =>
      Effect.suspend(() =>
        slot.session === undefined ? Effect.andThen(store.load(slot), prepareLoaded(slot)) : prepareLoaded(slot)
      )

    /** The session if nothing stands between a call and its token, as before all but a few calls: no effect is made. */
    const ready = (slot: Slots.Slot, at: number): Stored.StoredSession | undefined => {
      const { session } = slot
      // A refresh under way will replace this token, and may end it: waiting for it saves a 401.
      if (session === undefined || slot.flight !== undefined || slot.refused === session.accessToken) return undefined
      const freshness = freshnessOf(session, at)
      if (freshness === "fresh") return session
      return freshness !== "expired" &&
        (session.rejected === true || Cooldown.inForce(slot.cooldown, session.refreshToken, at) !== undefined)
        ? session
        : undefined
    }

    const prepareLoaded = (slot: Slots.Slot): Effect.Effect<Stored.StoredSession, RefreshError> =>
      Effect.suspend(() => {
        const { session } = slot
        if (session === undefined) return Effect.fail(notAuthenticated(slot))
        const good = ready(slot, now())
        if (good !== undefined) return Effect.succeed(good)
        const usable = isValid(slot, session)
        return Effect.matchEffect(refreshOnce(slot, session.accessToken), {
          onSuccess: (): Effect.Effect<Stored.StoredSession, RefreshError> => {
            const next = slot.session
            // A call that began as one person does not go out as another.
            if (next === undefined || !Stored.sameOwner(session, next)) return Effect.fail(notAuthenticated(slot))
            // A refresh token that was restored meanwhile has yet to be exchanged.
            return next.accessToken === "" ? prepareLoaded(slot) : Effect.succeed(next)
          },
          // An early refresh that failed: the token at hand still does.
          onFailure: (error) =>
            usable && slot.session?.accessToken === session.accessToken && isValid(slot, slot.session)
              ? Effect.succeed(slot.session)
              : Effect.fail(error)
        })
      })

    const renew = (slot: Slots.Slot, used: string): Effect.Effect<void, RefreshError> =>
      Effect.suspend(() => {
        const { session } = slot
        if (session === undefined) return Effect.fail(notAuthenticated(slot))
        if (session.accessToken !== used) return Effect.void
        slot.refused = used
        return refreshOnce(slot, used)
      })

    // Of one session at a time: cheap to make again, and nothing that an idle session should hold.
    let last: { readonly session: Stored.StoredSession; readonly headers: Readonly<Record<string, string>> } | undefined

    const headersOf = (session: Stored.StoredSession): Readonly<Record<string, string>> => {
      if (last?.session !== session) {
        last = { session, headers: { ...transport.headers, authorization: `Bearer ${session.accessToken}` } }
      }
      return last.headers
    }

    const redactedToken = ({ accessToken }: Stored.StoredSession): Redacted.Redacted<string> =>
      Redacted.make(accessToken, { label: "accessToken" })

    const refresh = (
      slot: Slots.Slot,
      marker: string | undefined
    ): Effect.Effect<Stored.StoredSession, RefreshError> => {
      const once: Effect.Effect<Stored.StoredSession, RefreshError> = Effect.suspend(() => {
        const { session } = slot
        if (session === undefined || (marker !== undefined && marker !== session.marker)) {
          return Effect.fail(notAuthenticated(slot))
        }
        const { generation } = slot
        return Effect.flatMap(refreshOnce(slot, session.accessToken), () =>
          // The refresh that was joined was that of the session before, and came to nothing.
          slot.generation === generation ? present(slot) : once
        )
      })
      return Effect.andThen(store.load(slot), once)
    }

    const device: Effect.Effect<Stored.Device> = Effect.withFiber((fiber) => {
      const slot = slotOf(fiber.getRef(CurrentSlot))
      const source = fiber.getRef(DeviceMetadata.DeviceMetadata)
      if (typeof source === "function") return Effect.map(source(slot.name), Stored.toDevice)
      if (source !== undefined) return Effect.succeed(Stored.toDevice(source))
      return Effect.map(Effect.ignore(store.load(slot)), () =>
        slot.session === undefined ? (slot.device ??= Stored.toDevice(DeviceMetadata.make())) : slot.session.device
      )
    })

    const restore = (slot: Slots.Slot, tokens: Tokens) =>
      Effect.suspend((): Effect.Effect<void, TokenStorage.TokenStorageError | OneEntryError.OneEntryError> => {
        const issues = issuesOf(tokens)
        if (issues.length > 0) return Effect.fail(OneEntryError.invalidRequest("restore", ...issues))
        // Before anything is waited for.
        const generation = ++slot.generation
        return Effect.flatMap(
          tokens.device === undefined ? device : Effect.succeed(Stored.toDevice(tokens.device)),
          (own) => {
            const pair = {
              accessToken: tokens.accessToken === undefined ? "" : bare(tokens.accessToken),
              refreshToken: bare(tokens.refreshToken),
              userIdentifier: tokens.userIdentifier
            }
            return store.signIn(
              slot,
              Stored.fromElsewhere(pair, tokens.marker ?? project.providerMarker, own, now()),
              generation
            )
          }
        )
      })

    // -------------------------------------------------------------------------
    // the world outside
    // -------------------------------------------------------------------------

    const onOutsideChange = (name: string): Effect.Effect<void> =>
      Effect.suspend(() => {
        // What is not in memory is read when it is asked for.
        const slot = registry.peek(name)
        return slot === undefined ? Effect.void : store.lookOutside(slot)
      })

    yield* Stream.runForEach(rawStorage.changes, onOutsideChange).pipe(
      Effect.retry(
        Schedule.exponential("1 second").pipe(
          Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.minutes(1))))
        )
      ),
      Effect.catchCause((cause) =>
        Effect.logDebug("The token storage stopped telling of changes", Cause.hasDies(cause))
      ),
      Effect.forkScoped
    )

    /** Runs while a listener hears what happens to the slot, which keeps it in memory. */
    const listening = (slot: Slots.Slot, listener: (event: Event.SlotEvent) => void) =>
      Effect.acquireRelease(
        Effect.sync(() => void (slot.listeners ??= new Set()).add(listener)),
        () =>
          Effect.sync(() => {
            slot.listeners?.delete(listener)
            if (slot.listeners?.size === 0) slot.listeners = undefined
          })
      )

    /** Waits, but no longer than until something happens to the slot. */
    const pause = (slot: Slots.Slot, millis: number): Effect.Effect<void> =>
      Effect.scoped(
        Effect.flatMap(Deferred.make<void>(), (happened) =>
          Effect.andThen(
            listening(slot, () => Deferred.doneUnsafe(happened, Exit.void)),
            Effect.raceFirst(Deferred.await(happened), clock.sleep(Duration.millis(Math.min(millis, keepAliveSlice))))
          )
        )
      )

    const keepAliveOf = (name: string | undefined): Effect.Effect<never> =>
      Effect.suspend(() => {
        let failures = 0
        const step = Effect.gen(function* () {
          const slot = slotOf(name)
          yield* Effect.ignore(store.load(slot))
          const { session } = slot
          const left =
            session === undefined
              ? undefined
              : Stored.remaining(session, now(), project.refreshMarginMillis, store.clockOffset())
          if (session === undefined || left === undefined) return yield* pause(slot, keepAliveSlice)
          // One whose refresh token is dead lives until its end, and then somebody has to say so.
          const wait = Math.max(
            session.rejected === true ? left.end : left.due,
            Cooldown.remaining(slot.cooldown, session.refreshToken, now())
          )
          if (wait > 0 && freshnessOf(session) !== "distrusted") return yield* pause(slot, wait)
          const refreshed = yield* Effect.exit(refresher.refresh(slot, session.accessToken, false))
          failures = Exit.isSuccess(refreshed) ? 0 : failures + 1
          // Neither a storage out of reach nor a server with hardly any life in its tokens is asked without a break.
          yield* clock.sleep(
            Duration.millis(Math.min(keepAlivePause.longest, keepAlivePause.shortest * 2 ** Math.max(0, failures - 1)))
          )
        })
        return Effect.forever(step)
      })

    /** Begins to listen and says how things are in one step, so that nothing is lost or told twice. */
    const subscribe = (
      name: string | undefined,
      listener: (event: SessionEvent) => void
    ): Effect.Effect<void, never, Scope.Scope> =>
      Effect.suspend(() => {
        const slot = slotOf(name)
        return Effect.andThen(
          Effect.ignore(store.load(slot)),
          Effect.suspend(() => {
            // It may have left the memory while the storage was read.
            if (slotOf(name) !== slot) return subscribe(name, listener)
            listener({
              _tag: "State",
              session: Option.map(Option.fromUndefinedOr(slot.session), (session) => store.infoOf(slot, session))
            })
            return listening(slot, (event) =>
              listener("session" in event ? { ...event, session: store.infoOf(slot, event.session) } : event)
            )
          })
        )
      })

    const service = Session.of({
      current: withSlot((slot) =>
        Effect.map(Effect.ignore(store.load(slot)), () =>
          Option.map(Option.fromUndefinedOr(slot.session), (session) => store.infoOf(slot, session))
        )
      ),
      accessToken: withSlot((slot) => Effect.map(prepare(slot), redactedToken)),
      changes: Stream.unwrap(
        Effect.withFiber((fiber) => {
          const name = Visitor.slotName(fiber.getRef(CurrentSlot))
          const mailbox = Mailbox.make<SessionEvent>()
          return Effect.as(subscribe(name, mailbox.put), mailbox.stream)
        })
      ),
      refresh: withSlot((slot) => Effect.map(refresh(slot, undefined), (session) => store.infoOf(slot, session))),
      renew: (used) => withSlot((slot) => Effect.andThen(store.load(slot), renew(slot, Redacted.value(used)))),
      restore: (tokens) => signingIn((slot) => restore(slot, tokens)),
      signOutLocally: withSlot((slot) => Effect.asVoid(store.signOut(slot, "SignOut"))),
      keepAlive: Effect.withFiber((fiber) => {
        const current = fiber.getRef(CurrentSlot)
        if (isReadOnly(current)) return Effect.void
        const name = Visitor.slotName(current)
        return Effect.asVoid(Effect.forkScoped(Effect.provideContext(keepAliveOf(name), context)))
      })
    })

    /** Entered only after a failure: a schedule costs more to enter than a call costs. */
    const retryAfterRefresh = <A, E>(
      attempt: Effect.Effect<A, E | RefreshError | Refused>,
      again: Effect.Effect<A, E | RefreshError | Refused>
    ) =>
      Effect.catchIf(attempt, isRefused, (first) => {
        let pending: Refused | undefined = first
        const replay: Effect.Effect<A, E | RefreshError | Refused> = Effect.suspend(() => {
          if (pending === undefined) return again
          const error = pending
          pending = undefined
          return Effect.fail(error)
        })
        return Effect.retry(replay, refreshOnUnauthorized).pipe(
          Effect.catchIf(isRefused, (error) =>
            withSlot((slot) =>
              Effect.fail(
                new AuthError.TokenExpired({
                  marker: slot.session?.marker ?? project.providerMarker,
                  statusCode: 401,
                  messages: error.messages,
                  reason: "Refused"
                })
              )
            )
          ),
          Effect.provideService(Session, service)
        )
      })

    const authorized = <A, E>(
      attempt: (headers: Readonly<Record<string, string>>, accessToken: string) => Effect.Effect<A, E | Refused>
    ): Effect.Effect<A, E | RefreshError> =>
      Effect.withFiber((fiber) => {
        let first: Stored.StoredSession | undefined
        const once = (): Effect.Effect<A, E | RefreshError | Refused> => {
          const at = now()
          const slot = slotOf(fiber.getRef(CurrentSlot), at)
          const run = (session: Stored.StoredSession): Effect.Effect<A, E | RefreshError | Refused> => {
            // A call that began as one person is not made again as another.
            if (first !== undefined && !Stored.sameOwner(first, session)) return Effect.fail(notAuthenticated(slot))
            first = session
            return attempt(headersOf(session), session.accessToken)
          }
          const good = ready(slot, at)
          return good === undefined ? Effect.flatMap(prepare(slot), run) : run(good)
        }
        return retryAfterRefresh<A, E>(once(), Effect.suspend(once))
      })

    return {
      service,
      registry,
      authorized,
      optionally: <A, E>(attempt: (headers: Readonly<Record<string, string>>) => Effect.Effect<A, E | Refused>) =>
        withSlot((slot) =>
          Effect.flatMap(store.load(slot), (): Effect.Effect<A, E | RefreshError> => {
            if (slot.session !== undefined) return authorized<A, E>(attempt)
            const anonymous: Effect.Effect<A, E | RefreshError | Refused> = attempt(transport.headers)
            // Nobody is there whose token could be refreshed.
            return Effect.catchIf(anonymous, isRefused, () => Effect.fail(notAuthenticated(slot)))
          })
        ),
      device,
      signIn: (session) =>
        Effect.tapError(
          signingIn((slot) => store.signIn(slot, session)),
          () => RefreshExchange.revoke(transport, session)
        ),
      peek: withSlot((slot) => Effect.map(Effect.ignore(store.load(slot)), () => slot.session)),
      signOut: (reason) => withSlot((slot) => store.signOut(slot, reason)),
      refresh: (marker) => withSlot((slot) => refresh(slot, marker))
    }
  })

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * The session alone, without the operations.
 *
 * **Example** (Only a token for a client of one's own)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { Session, TokenStorage } from "effect-oneentry"
 *
 * export const layer = Session.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<Session, OneEntryError.OneEntryError, HttpClient.HttpClient | TokenStorage.TokenStorage> =>
  Layer.effect(Session, Effect.flatMap(HttpTransport.connect(options), serviceOver))

/**
 * The same on the platform's `fetch` (or that of `FetchClient.Fetch`), without an `HttpClient`: 7 KiB less in a bundle
 * that has no other use for one.
 *
 * **Example** (Only a token for a `fetch` of one's own)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { Session, TokenStorage } from "effect-oneentry"
 *
 * export const layer = Session.layerFetch({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide(TokenStorage.layerMemory)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFetch = (
  options: ClientOptions.ClientOptions
): Layer.Layer<Session, OneEntryError.OneEntryError, TokenStorage.TokenStorage> =>
  Layer.effect(Session, Effect.flatMap(FetchTransport.connect(options), serviceOver))

const serviceOver = (transport: Transport.Transport) => Effect.map(makeInternal(transport), ({ service }) => service)
