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
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as AuthError from "./AuthError.ts"
import * as ClientOptions from "./ClientOptions.ts"
import * as DeviceMetadata from "./DeviceMetadata.ts"
import * as Deadlines from "./internal/deadlines.ts"
import { readClaims } from "./internal/jwt.ts"
import * as RefreshExchange from "./internal/refreshExchange.ts"
import { decide } from "./internal/refreshOutcome.ts"
import type * as Event from "./internal/sessionEvent.ts"
import * as Slots from "./internal/slots.ts"
import * as Stored from "./internal/storedSession.ts"
import * as Transport from "./internal/transport.ts"
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
export class Unauthorized extends Schema.TaggedError<Unauthorized>("effect-oneentry/Session/Unauthorized")("Unauthorized", {
  accessToken: Schema.Redacted(Schema.String),
  messages: Schema.optionalKey(Schema.Array(Schema.String))
}) {
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
export class Session extends Context.Service<Session, {
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
  readonly restore: (tokens: Tokens) => Effect.Effect<void, TokenStorage.TokenStorageError>
  /** Forgets the session without telling the server. Twice is no error. */
  readonly signOutLocally: Effect.Effect<void, TokenStorage.TokenStorageError>
  /**
   * Refreshes ahead of expiry for as long as the scope is open, so that no call waits for it. For long-lived processes
   * and visible tabs.
   */
  readonly keepAlive: Effect.Effect<void, never, Scope.Scope>
}>()("effect-oneentry/Session") {}

/**
 * The slot that sessions are taken from, where `Sessions.withSlot` has set one.
 *
 * @internal
 */
export const CurrentSlot: Context.Reference<string | undefined> = Context.Reference<string | undefined>(
  "effect-oneentry/Session/CurrentSlot",
  { defaultValue: () => undefined }
)

// -----------------------------------------------------------------------------
// the policy
// -----------------------------------------------------------------------------

/** The access token that a failed call was sent with, if it failed for want of a good one. */
const refusedToken = (error: unknown): Redacted.Redacted<string> | undefined => {
  if (error instanceof Unauthorized) return error.accessToken
  if (
    HttpClientError.isHttpClientError(error) && error.reason._tag === "StatusCodeError" &&
    error.reason.response.status === 401
  ) {
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
      : Effect.as(Session.use((session) => session.renew(used)), true)
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
   * `Unauthorized`.
   */
  readonly authorized: <A, E>(
    attempt: (headers: Readonly<Record<string, string>>, accessToken: string) => Effect.Effect<A, E | Unauthorized>
  ) => Effect.Effect<A, E | RefreshError>
  /** The device for an anonymous call. */
  readonly device: Effect.Effect<DeviceMetadata.Metadata>
  /** Stores the session of an answer that `exchange` got for the device. */
  readonly signIn: (
    session: Stored.StoredSession
  ) => Effect.Effect<void, TokenStorage.TokenStorageError>
  /** The session as it is stored, for sign-out. */
  readonly peek: Effect.Effect<Stored.StoredSession | undefined>
  /** As `authorized` where somebody is signed in, otherwise with the headers of an anonymous call. */
  readonly optionally: <A, E>(
    attempt: (headers: Readonly<Record<string, string>>) => Effect.Effect<A, E | Unauthorized>
  ) => Effect.Effect<A, E | RefreshError>
  /** Bumps the generation and forgets the session. */
  readonly signOut: (reason: SignedOutReason) => Effect.Effect<void, TokenStorage.TokenStorageError>
  /** Refreshes a session of the marker. */
  readonly refresh: (marker: string | undefined) => Effect.Effect<Stored.StoredSession, RefreshError>
  readonly registry: Slots.Registry
}

const isUnauthorized = (u: unknown): u is Unauthorized => Predicate.isTagged(u, "Unauthorized") && u instanceof Unauthorized

const bare = (value: string | Redacted.Redacted<string>): string =>
  typeof value === "string" ? value : Redacted.value(value)

const maxCooldownMillis = 60_000
const maxRetryAfterMillis = 300_000

/** How long one operation of a storage may take before it counts as failed. */
const storageTimeoutMillis = 5_000

/** How often a refresh starts over because somebody else wrote in between. */
const maxRounds = 5

/** `keepAlive` looks at least that often: timers stand still while a machine sleeps. */
const keepAliveSlice = 30_000

/**
 * A storage that fails in typed ways only: what it throws, and what it never answers, is a `TokenStorageError`.
 */
const guarded = (
  storage: TokenStorage.TokenStorage["Service"],
  deadlines: Deadlines.Deadlines,
  context: Context.Context<never>
) => {
  const guard = <A>(
    operation: TokenStorage.TokenStorageError["operation"],
    slot: string,
    run: () => Effect.Effect<A, TokenStorage.TokenStorageError>
  ): Effect.Effect<A, TokenStorage.TokenStorageError> =>
    deadlines.within(
      Effect.catchDefect(
        Effect.suspend(run),
        (cause) => Effect.fail(new TokenStorage.TokenStorageError({ operation, slot, cause }))
      ),
      context,
      () =>
        new TokenStorage.TokenStorageError({ operation, slot, cause: new Error(`no answer within ${storageTimeoutMillis} ms`) })
    )
  return {
    get: (slot: string) => guard("get", slot, () => storage.get(slot)),
    set: (slot: string, value: string) => guard("set", slot, () => storage.set(slot, value)),
    remove: (slot: string) => guard("remove", slot, () => storage.remove(slot)),
    compareAndSet: (slot: string, expected: string | undefined, next: string | undefined) =>
      guard("compareAndSet", slot, () => storage.compareAndSet(slot, expected, next))
  }
}

/**
 * Makes a session over a transport.
 *
 * @internal
 */
export const makeInternal = (
  transport: Transport.Transport
): Effect.Effect<Internal, never, TokenStorage.TokenStorage | Scope.Scope> =>
  Effect.gen(function*() {
    const { project } = transport
    const rawStorage = yield* TokenStorage.TokenStorage
    const lock = yield* SessionLock.SessionLock
    const scope = yield* Effect.scope
    const context = Context.omit(TokenStorage.TokenStorage, Scope.Scope)(yield* Effect.context<TokenStorage.TokenStorage | Scope.Scope>())
    const clock = yield* Clock.Clock
    const registry = Slots.registryOf(rawStorage)
    const deadlines = Deadlines.make(storageTimeoutMillis)
    yield* Effect.addFinalizer(() => deadlines.stop)
    const storage = guarded(rawStorage, deadlines, context)
    const maxHold = Duration.millis(Duration.toMillis(project.requestTimeout) + 4 * storageTimeoutMillis)
    /** This process's own estimate of the server's clock, once it has one. */
    let clockOffset: number | undefined

    const now = () => clock.currentTimeMillisUnsafe()

    const slotOf = (name: string | undefined): Slots.Slot => registry.get(name ?? project.slot, now())

    /** Runs with the slot of the calling fiber. */
    const withSlot = <A, E, R>(f: (slot: Slots.Slot) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.withFiber((fiber) => f(slotOf(fiber.getRef(CurrentSlot))))

    const infoOf = (slot: Slots.Slot, session: Stored.StoredSession): SessionInfo => {
      const endsAt = Stored.endsAt(session)
      return {
        slot: slot.name,
        marker: session.marker,
        ...(session.userIdentifier === undefined ? {} : { userIdentifier: session.userIdentifier }),
        ...(endsAt === undefined ? {} : { accessTokenEndsAt: DateTime.makeUnsafe(endsAt) }),
        unverifiedClaims: readClaims(session.accessToken).claims
      }
    }

    /** What this process goes on with from here. */
    const setSession = (slot: Slots.Slot, session: Stored.StoredSession | undefined): void => {
      if (slot.session?.accessToken !== session?.accessToken) {
        slot.headers = undefined
        slot.accessToken = undefined
        slot.refused = undefined
      }
      if (slot.session?.refreshToken !== session?.refreshToken) slot.cooldown = undefined
      slot.session = session
      slot.loaded = true
      slot.usedAt = now()
    }

    const freshnessOf = (session: Stored.StoredSession) =>
      Stored.freshness(session, now(), project.refreshMarginMillis, clockOffset)

    /** The access token may still be used: it has not ended, and no 401 was had with it. */
    const isValid = (slot: Slots.Slot, session: Stored.StoredSession): boolean =>
      slot.refused !== session.accessToken && freshnessOf(session) !== "expired"

    // -------------------------------------------------------------------------
    // reading
    // -------------------------------------------------------------------------

    /**
     * Takes over what the storage holds. A session that only memory has stays, unless somebody else has written
     * since. Returns what listeners should hear.
     */
    const takeOver = (slot: Slots.Slot, text: string | undefined): Effect.Effect<ReadonlyArray<SessionEvent>> =>
      Effect.suspend(() => {
        if (slot.loaded && text === slot.encoded) return Effect.succeed([])
        const before = slot.loaded ? slot.session : undefined
        const first = !slot.loaded
        const decoded = Stored.decode(text)
        slot.encoded = text
        slot.unsaved = false
        const after = decoded._tag === "Session" ? decoded.session : undefined
        setSession(slot, after)
        const events: Array<SessionEvent> = []
        if (!first) {
          if (after === undefined) {
            if (before !== undefined) events.push({ _tag: "SignedOut", reason: "Elsewhere" })
          } else if (before === undefined || before.userIdentifier !== after.userIdentifier || before.marker !== after.marker) {
            events.push({ _tag: "SignedIn", session: infoOf(slot, after) })
          } else if (before.accessToken !== after.accessToken) {
            events.push({ _tag: "Refreshed", session: infoOf(slot, after) })
          }
        }
        if (decoded._tag !== "Unreadable" || slot.warned) return Effect.succeed(events)
        slot.warned = true
        return Effect.as(
          Effect.logWarning(`What the token storage holds in slot "${slot.name}" is no session: it counts as absent`),
          events
        )
      })

    /** Reads the storage, once per slot. */
    const load = (slot: Slots.Slot): Effect.Effect<void, TokenStorage.TokenStorageError> =>
      Effect.suspend(() => {
        if (slot.loaded) return Effect.void
        const { generation } = slot
        return Effect.flatMap(storage.get(slot.name), (text) =>
          slot.loaded || slot.generation !== generation ? Effect.void : Effect.asVoid(takeOver(slot, text)))
      })

    const emitAll = (slot: Slots.Slot, events: ReadonlyArray<SessionEvent>): void => {
      for (const event of events) Slots.emit(slot, event)
    }

    // -------------------------------------------------------------------------
    // writing
    // -------------------------------------------------------------------------

    /** Writers of this process exclude each other; the semaphore exists only while there are any. */
    const writing = <A, E>(slot: Slots.Slot, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        const entry = (slot.writing ??= { semaphore: Semaphore.makeUnsafe(1), users: 0 })
        entry.users++
        return Effect.ensuring(
          entry.semaphore.withPermit(effect),
          Effect.sync(() => {
            if (--entry.users === 0) slot.writing = undefined
          })
        )
      })

    /**
     * A write on the user's behalf (sign-in, sign-out). Where the storage cannot compare and set by itself, the lock
     * keeps it out of a refresh that is under way elsewhere; a lock out of reach does not keep anybody from signing out.
     */
    const exclusively = <A>(
      slot: Slots.Slot,
      write: Effect.Effect<A, TokenStorage.TokenStorageError>
    ): Effect.Effect<A, TokenStorage.TokenStorageError> => {
      const run = writing(slot, write)
      return rawStorage.atomic
        ? run
        : Effect.catchTag(locked(slot, run), "SessionLockError", () => run)
    }

    const locked = <A, E>(slot: Slots.Slot, effect: Effect.Effect<A, E>): Effect.Effect<A, E | SessionLock.SessionLockError> =>
      Effect.catchDefect(
        Effect.suspend(() => lock.withLock(slot.name, { maxHold })(effect)),
        (cause) => Effect.fail(new SessionLock.SessionLockError({ slot: slot.name, reason: "Unavailable", cause }))
      )

    const signInto = (slot: Slots.Slot, next: Stored.StoredSession) =>
      Effect.suspend(() => {
        // Before anything is waited for: a refresh in flight for the old session ends here.
        const generation = ++slot.generation
        const had = slot.loaded && slot.session !== undefined && !slot.unsaved ? slot.session : undefined
        const encoded = Stored.encode(next)
        clockOffset = next.clockOffset
        return exclusively(
          slot,
          Effect.suspend((): Effect.Effect<void, TokenStorage.TokenStorageError> => {
            // Somebody signed in or out after us and comes after us.
            if (slot.generation !== generation) return Effect.void
            return Effect.matchEffect(storage.set(slot.name, encoded), {
              onSuccess: () =>
                Effect.sync(() => {
                  if (slot.generation !== generation) return
                  slot.encoded = encoded
                  slot.unsaved = false
                  setSession(slot, next)
                  Slots.emit(slot, { _tag: "SignedIn", session: infoOf(slot, next) })
                }),
              onFailure: (error) => {
                if (slot.generation !== generation) return Effect.void
                // The storage still has another session, which would come back after a restart: better to fail.
                if (had !== undefined) return Effect.andThen(RefreshExchange.revoke(transport, next), Effect.fail(error))
                slot.unsaved = true
                setSession(slot, next)
                Slots.emit(slot, { _tag: "SignedIn", session: infoOf(slot, next) })
                Slots.emit(slot, { _tag: "StorageDegraded", error })
                return Effect.void
              }
            })
          })
        )
      })

    const signOutOf = (slot: Slots.Slot, reason: SignedOutReason) =>
      Effect.suspend(() => {
        const generation = ++slot.generation
        const had = slot.session !== undefined
        // A newer version's envelope is not ours to remove.
        const foreign = slot.loaded && !had && slot.encoded !== undefined && Stored.decode(slot.encoded)._tag === "Newer"
        if (slot.session !== undefined) slot.device = Stored.deviceOf(slot.session)
        setSession(slot, undefined)
        if (foreign) return Effect.void
        // Until the storage says so, only memory knows.
        slot.unsaved = true
        return Effect.ensuring(
          exclusively(
            slot,
            Effect.suspend(() =>
              slot.generation !== generation
                ? Effect.void
                : Effect.map(storage.remove(slot.name), () => {
                  if (slot.generation !== generation) return
                  slot.encoded = undefined
                  slot.unsaved = false
                })
            )
          ),
          Effect.sync(() => {
            if (had) Slots.emit(slot, { _tag: "SignedOut", reason })
          })
        )
      })

    // -------------------------------------------------------------------------
    // refreshing
    // -------------------------------------------------------------------------

    const notAuthenticated = (slot: Slots.Slot) => new AuthError.NotAuthenticated({ slot: slot.name })

    const coolDown = (
      slot: Slots.Slot,
      refreshToken: string,
      retryAfter: number | undefined,
      error: RefreshError
    ): Effect.Effect<void> =>
      Effect.map(Random.next, (random) => {
        const attempts = slot.cooldown?.refreshToken === refreshToken ? slot.cooldown.attempts + 1 : 1
        const backoff = Math.min(maxCooldownMillis, 1_000 * 2 ** (attempts - 1)) * (0.75 + random / 2)
        const wait = Math.max(backoff, Math.min(retryAfter ?? 0, maxRetryAfterMillis))
        slot.cooldown = { refreshToken, until: now() + wait, attempts, error }
      })

    const coolingDown = (slot: Slots.Slot, session: Stored.StoredSession): RefreshError | undefined =>
      slot.cooldown !== undefined && slot.cooldown.refreshToken === session.refreshToken && now() < slot.cooldown.until
        ? slot.cooldown.error
        : undefined

    type Step =
      /** Everybody can go on. */
      | { readonly _tag: "Done" }
      /** Somebody else wrote: look again. */
      | { readonly _tag: "Again" }
      | { readonly _tag: "Failed"; readonly error: RefreshError }

    const done: Step = { _tag: "Done" }
    const again: Step = { _tag: "Again" }
    const failed = (error: RefreshError): Step => ({ _tag: "Failed", error })

    const without = (session: Stored.StoredSession, options: { readonly doubt: boolean; readonly rejected: boolean }) => {
      const { exchangeStartedAt, rejected: _, ...rest } = session
      return {
        ...rest,
        ...(options.doubt && exchangeStartedAt !== undefined ? { exchangeStartedAt } : {}),
        ...(options.rejected ? { rejected: true as const } : {})
      }
    }

    /** Replaces what the storage holds if it still is what we know; goes on in memory if it cannot be written. */
    const replace = (
      slot: Slots.Slot,
      generation: number,
      next: Stored.StoredSession | undefined,
      events: Array<SessionEvent>
    ): Effect.Effect<"held" | "changed" | "signedOut"> =>
      writing(
        slot,
        Effect.suspend(() => {
          if (slot.generation !== generation) return Effect.succeed("signedOut" as const)
          const encoded = next === undefined ? undefined : Stored.encode(next)
          return Effect.matchEffect(storage.compareAndSet(slot.name, slot.encoded, encoded), {
            onSuccess: (held) => {
              if (slot.generation !== generation) return Effect.succeed("signedOut" as const)
              if (!held) return Effect.succeed("changed" as const)
              slot.encoded = encoded
              slot.unsaved = false
              setSession(slot, next)
              return Effect.succeed("held" as const)
            },
            onFailure: (error) => {
              if (slot.generation !== generation) return Effect.succeed("signedOut" as const)
              if (!slot.unsaved) events.push({ _tag: "StorageDegraded", error })
              slot.unsaved = true
              setSession(slot, next)
              return Effect.succeed("held" as const)
            }
          })
        })
      )

    const tokenExpired = (
      session: Stored.StoredSession,
      reason: AuthError.TokenExpired["reason"],
      envelope?: RefreshExchange.Envelope
    ) => new AuthError.TokenExpired({ ...envelope, messages: envelope?.messages ?? [], marker: session.marker, reason })

    /** The session has come to its end, unless the storage holds another by now. */
    const drop = (
      slot: Slots.Slot,
      generation: number,
      session: Stored.StoredSession,
      reason: "Rejected" | "Ambiguous",
      events: Array<SessionEvent>,
      envelope?: RefreshExchange.Envelope
    ): Effect.Effect<Step> =>
      Effect.map(replace(slot, generation, undefined, events), (result) => {
        if (result === "changed") return again
        if (result === "signedOut") return done
        slot.device = Stored.deviceOf(session)
        events.push({ _tag: "SignedOut", reason })
        return failed(tokenExpired(session, reason, envelope))
      })

    /** From here to the stored answer nothing can be interrupted. */
    const exchange = (
      slot: Slots.Slot,
      generation: number,
      session: Stored.StoredSession,
      wasInDoubt: boolean,
      events: Array<SessionEvent>
    ): Effect.Effect<Step> =>
      Effect.gen(function*() {
        const result = yield* RefreshExchange.send(transport, session, clock)
        const { refreshToken } = session
        // What else the storage may hold by now matters to a rejection; a rotated pair is written by comparison anyway.
        const stored = result.outcome === "rejected" ? yield* Effect.option(storage.get(slot.name)) : Option.none()
        const decision = decide(result.outcome, {
          accessValid: isValid(slot, session),
          inDoubt: wasInDoubt,
          generationHeld: slot.generation === generation,
          // A storage that cannot be read has not been seen to change.
          storageHeld: Option.isNone(stored) || stored.value === slot.encoded
        })
        if (result.outcome === "rotated") {
          const outcome = decision._tag === "Commit" ? yield* replace(slot, generation, result.session, events) : "signedOut"
          if (outcome === "held") {
            clockOffset = result.session.clockOffset
            events.push({ _tag: "Refreshed", session: infoOf(slot, result.session) })
            return done
          }
          yield* RefreshExchange.revoke(transport, result.session)
          return outcome === "changed" ? again : done
        }
        switch (decision._tag) {
          case "Drop":
            return yield* drop(slot, generation, session, decision.reason, events, result.envelope)
          case "Bury": {
            const buried = without(session, { doubt: wasInDoubt, rejected: true })
            const outcome = yield* replace(slot, generation, buried, events)
            if (outcome === "changed") return again
            if (outcome === "signedOut") return done
            events.push({ _tag: "RefreshRejected", session: infoOf(slot, buried) })
            return failed(tokenExpired(session, wasInDoubt ? "Ambiguous" : "Rejected", result.envelope))
          }
          case "Keep": {
            const error = new OneEntryError.OneEntryError({ operation: "refresh", reason: result.reason })
            yield* coolDown(slot, refreshToken, result.retryAfter, error)
            if (!decision.inDoubt) {
              // The server answered: the mark that the exchange began under is taken back.
              yield* replace(slot, generation, without(session, { doubt: false, rejected: false }), events)
            }
            return failed(error)
          }
          case "Adopt":
            return again
          default:
            return done
        }
      }).pipe(Effect.uninterruptible)

    /** One look at the storage, and what follows from it. Runs under the lock. */
    const round = (slot: Slots.Slot, used: string, events: Array<SessionEvent>): Effect.Effect<Step, TokenStorage.TokenStorageError> =>
      Effect.gen(function*() {
        const { generation } = slot
        const text = yield* Effect.catch(storage.get(slot.name), (error) =>
          // What lives in memory only does not need the storage.
          slot.unsaved ? Effect.succeed(slot.encoded) : Effect.fail(error))
        if (slot.generation !== generation) return done
        events.push(...(yield* takeOver(slot, text)))
        const session = slot.session
        if (session === undefined) return failed(notAuthenticated(slot))
        const valid = isValid(slot, session)
        // Another owner rotated meanwhile: its pair is as good as ours.
        if (session.accessToken !== used && valid) return done
        const wasInDoubt = session.exchangeStartedAt !== undefined
        if (session.rejected === true) {
          return valid
            ? failed(tokenExpired(session, wasInDoubt ? "Ambiguous" : "Rejected"))
            : yield* drop(slot, generation, session, wasInDoubt ? "Ambiguous" : "Rejected", events)
        }
        const cooling = coolingDown(slot, session)
        if (cooling !== undefined) return failed(cooling)
        // Whoever comes after us, should we die before the answer is stored, knows that this token was sent.
        const marked = wasInDoubt ? session : { ...session, exchangeStartedAt: now() }
        if (!wasInDoubt || slot.unsaved) {
          const outcome = yield* replace(slot, generation, marked, events)
          if (outcome !== "held") return outcome === "changed" ? again : done
        }
        return yield* exchange(slot, generation, marked, wasInDoubt, events)
      })

    const rounds = (slot: Slots.Slot, used: string, events: Array<SessionEvent>) =>
      Effect.gen(function*() {
        for (let count = 0; count < maxRounds; count++) {
          const step = yield* round(slot, used, events)
          if (step._tag === "Done") return
          if (step._tag === "Failed") return yield* step.error
        }
        return yield* new SessionLock.SessionLockError({ slot: slot.name, reason: "Timeout" })
      })

    /** A waiter that gave up does not steal: it reads once more, and is content if somebody else has refreshed. */
    const afterLock = (slot: Slots.Slot, used: string, error: SessionLock.SessionLockError, events: Array<SessionEvent>) =>
      Effect.gen(function*() {
        const text = yield* Effect.orElseSucceed(storage.get(slot.name), () => slot.encoded)
        events.push(...(yield* takeOver(slot, text)))
        const session = slot.session
        if (session === undefined) return yield* notAuthenticated(slot)
        if (session.accessToken !== used && isValid(slot, session)) return
        return yield* error
      })

    /** Starts a refresh for the slot, or joins the one under way. Only the caller can be interrupted. */
    const fly = (slot: Slots.Slot, used: string): Effect.Effect<void, RefreshError> =>
      Effect.suspend(() => {
        const running = slot.flight
        if (running !== undefined) return waitFor(running)
        const flight: Slots.Flight = { done: Deferred.makeUnsafe(), waiters: 0 }
        slot.flight = flight
        const events: Array<SessionEvent> = []
        const run = locked(slot, rounds(slot, used, events)).pipe(
          Effect.catchTag("SessionLockError", (error) => afterLock(slot, used, error, events)),
          Effect.provideContext(context),
          Effect.onExit((exit) =>
            Effect.sync(() => {
              slot.flight = undefined
              emitAll(slot, events)
              Deferred.doneUnsafe(flight.done, exit)
            })
          ),
          // Its exit is in the deferred.
          Effect.exit
        )
        return Effect.uninterruptibleMask((restore) =>
          Effect.andThen(Effect.forkIn(run, scope, { startImmediately: true }), restore(waitFor(flight)))
        )
      })

    const waitFor = (flight: Slots.Flight): Effect.Effect<void, RefreshError> =>
      Effect.suspend(() => {
        flight.waiters++
        return Deferred.await(flight.done)
      })

    // -------------------------------------------------------------------------
    // what calls need
    // -------------------------------------------------------------------------

    /** The session with an access token that is good for use now. */
    const prepare = (slot: Slots.Slot): Effect.Effect<Stored.StoredSession, RefreshError> =>
      Effect.suspend(() => {
        if (!slot.loaded) return Effect.andThen(load(slot), prepareLoaded(slot))
        return prepareLoaded(slot)
      })

    const prepareLoaded = (slot: Slots.Slot): Effect.Effect<Stored.StoredSession, RefreshError> =>
      Effect.suspend(() => {
        const { session } = slot
        if (session === undefined) return Effect.fail(notAuthenticated(slot))
        const freshness = freshnessOf(session)
        // A refresh under way will replace this token, and may end it: waiting for it saves a 401.
        if (slot.flight === undefined && freshness === "fresh" && slot.refused !== session.accessToken) {
          return Effect.succeed(session)
        }
        const usable = isValid(slot, session)
        if (usable && slot.flight === undefined && (session.rejected === true || coolingDown(slot, session) !== undefined)) {
          return Effect.succeed(session)
        }
        return Effect.matchEffect(fly(slot, session.accessToken), {
          onSuccess: () => (slot.session === undefined ? Effect.fail(notAuthenticated(slot)) : Effect.succeed(slot.session)),
          // An early refresh that failed: the token at hand still does.
          onFailure: (error) =>
            usable && slot.session !== undefined && isValid(slot, slot.session)
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
        return fly(slot, used)
      })

    const headersOf = (slot: Slots.Slot, session: Stored.StoredSession): Readonly<Record<string, string>> => {
      if (slot.session === session && slot.headers !== undefined) return slot.headers
      const headers = { ...transport.headers, authorization: `Bearer ${session.accessToken}` }
      if (slot.session === session) slot.headers = headers
      return headers
    }

    const refresh = (slot: Slots.Slot, marker: string | undefined): Effect.Effect<Stored.StoredSession, RefreshError> =>
      Effect.andThen(
        load(slot),
        Effect.suspend((): Effect.Effect<Stored.StoredSession, RefreshError> => {
          const { session } = slot
          if (session === undefined || (marker !== undefined && marker !== session.marker)) {
            return Effect.fail(notAuthenticated(slot))
          }
          return Effect.flatMap(fly(slot, session.accessToken), () =>
            slot.session === undefined ? Effect.fail(notAuthenticated(slot)) : Effect.succeed(slot.session))
        })
      )

    const device: Effect.Effect<DeviceMetadata.Metadata> = Effect.withFiber((fiber) => {
      const slot = slotOf(fiber.getRef(CurrentSlot))
      const source = fiber.getRef(DeviceMetadata.DeviceMetadata)
      if (typeof source === "function") return source(slot.name)
      if (source !== undefined) return Effect.succeed(source)
      return Effect.map(Effect.ignore(load(slot)), () =>
        (slot.device ??= slot.session === undefined ? DeviceMetadata.make() : Stored.deviceOf(slot.session)))
    })

    // -------------------------------------------------------------------------
    // the world outside
    // -------------------------------------------------------------------------

    /** Somebody else changed the slot: what is in memory is read anew, if anything is. */
    const onOutsideChange = (name: string): Effect.Effect<void> =>
      Effect.suspend(() => {
        const slot = registry.peek(name)
        // A refresh under way reads the storage itself.
        if (slot === undefined || !slot.loaded || slot.flight !== undefined) return Effect.void
        const { generation } = slot
        return storage.get(name).pipe(
          Effect.flatMap((text) =>
            slot.generation === generation && slot.flight === undefined && !slot.unsaved
              ? takeOver(slot, text)
              : Effect.succeed([])
          ),
          Effect.map((events) => emitAll(slot, events)),
          Effect.ignore
        )
      })

    yield* Stream.runForEach(rawStorage.changes, onOutsideChange).pipe(
      Effect.retry(Schedule.exponential("1 second").pipe(Schedule.modifyDelay(({ duration }) =>
        Effect.succeed(Duration.min(duration, Duration.minutes(1)))))),
      Effect.catchCause((cause) => Effect.logDebug("The token storage stopped telling of changes", Cause.hasDies(cause))),
      Effect.forkScoped
    )

    const keepAliveOf = (slot: Slots.Slot): Effect.Effect<never> =>
      Effect.gen(function*() {
        yield* Effect.ignore(load(slot))
        const { session } = slot
        const endsAt = session === undefined ? undefined : Stored.endsAt(session)
        if (session === undefined || endsAt === undefined || session.lifetime === null || session.rejected === true) {
          return yield* clock.sleep(Duration.millis(keepAliveSlice))
        }
        const due = endsAt - Math.min(project.refreshMarginMillis, session.lifetime / 10) - now()
        const wait = Math.max(due, (slot.cooldown?.until ?? 0) - now())
        if (wait > 0) return yield* clock.sleep(Duration.millis(Math.min(Math.max(wait, 1), keepAliveSlice)))
        yield* Effect.ignore(fly(slot, session.accessToken))
        // A server with hardly any life in its tokens is not asked without a break.
        return yield* clock.sleep(Duration.millis(1_000))
      }).pipe(Effect.forever)

    const service = Session.of({
      current: withSlot((slot) =>
        Effect.match(load(slot), {
          onFailure: () => slot.session,
          onSuccess: () => slot.session
        }).pipe(Effect.map((session) =>
          session === undefined ? Option.none() : Option.some(infoOf(slot, session))
        ))
      ),
      accessToken: withSlot((slot) =>
        Effect.map(prepare(slot), (session) =>
          slot.session === session
            ? (slot.accessToken ??= Redacted.make(session.accessToken, { label: "accessToken" }))
            : Redacted.make(session.accessToken, { label: "accessToken" }))
      ),
      changes: Stream.unwrap(
        Effect.withFiber((fiber) => {
          const name = fiber.getRef(CurrentSlot)
          return Effect.succeed(Stream.callback<SessionEvent>((queue) =>
            Effect.gen(function*() {
              const slot = slotOf(name)
              const listener = (event: SessionEvent) => void Queue.offerUnsafe(queue, event)
              yield* Effect.ignore(load(slot))
              yield* Effect.acquireRelease(
                Effect.sync(() => {
                  ;(slot.listeners ??= new Set()).add(listener)
                  listener({
                    _tag: "State",
                    session: slot.session === undefined ? Option.none() : Option.some(infoOf(slot, slot.session))
                  })
                }),
                () =>
                  Effect.sync(() => {
                    slot.listeners?.delete(listener)
                    if (slot.listeners?.size === 0) slot.listeners = undefined
                  })
              )
            })
          ))
        })
      ),
      refresh: withSlot((slot) => Effect.map(refresh(slot, undefined), (session) => infoOf(slot, session))),
      renew: (used) => withSlot((slot) => Effect.andThen(load(slot), renew(slot, Redacted.value(used)))),
      restore: (tokens) =>
        withSlot((slot) =>
          Effect.flatMap(tokens.device === undefined ? device : Effect.succeed(tokens.device), (metadata) => {
            const at = now()
            return signInto(
              slot,
              Stored.fromPair({
                pair: {
                  accessToken: tokens.accessToken === undefined ? "" : bare(tokens.accessToken),
                  refreshToken: bare(tokens.refreshToken),
                  userIdentifier: tokens.userIdentifier
                },
                marker: tokens.marker ?? project.providerMarker,
                device: metadata,
                sentAt: at,
                receivedAt: at,
                // Tokens from elsewhere are of any age: their `iat` says nothing of this device's clock.
                serverDate: undefined
              })
            )
          })
        ),
      signOutLocally: withSlot((slot) => Effect.andThen(Effect.ignore(load(slot)), signOutOf(slot, "SignOut"))),
      keepAlive: withSlot((slot) => Effect.asVoid(Effect.forkScoped(Effect.provideContext(keepAliveOf(slot), context))))
    })

    /** Entered only after a failure: a schedule costs more to enter than a call costs. */
    const retryAfterRefresh = <A, E>(attempt: Effect.Effect<A, E | RefreshError | Unauthorized>) =>
      Effect.catchIf(attempt, isUnauthorized, (first) => {
        let pending: Unauthorized | undefined = first
        const replay: Effect.Effect<A, E | RefreshError | Unauthorized> = Effect.suspend(() => {
          if (pending === undefined) return attempt
          const error = pending
          pending = undefined
          return Effect.fail(error)
        })
        return Effect.retry(replay, refreshOnUnauthorized).pipe(
          Effect.catchIf(isUnauthorized, (error) =>
            withSlot((slot) =>
              Effect.fail(
                new AuthError.TokenExpired({
                  marker: slot.session?.marker ?? project.providerMarker,
                  statusCode: 401,
                  messages: error.messages ?? [],
                  reason: "Refused"
                })
              )
            )),
          Effect.provideService(Session, service)
        )
      })

    const authorized: Internal["authorized"] = (attempt) =>
      retryAfterRefresh(
        Effect.withFiber((fiber) => {
          const slot = slotOf(fiber.getRef(CurrentSlot))
          return Effect.flatMap(prepare(slot), (session) => attempt(headersOf(slot, session), session.accessToken))
        })
      )

    return {
      service,
      registry,
      authorized,
      optionally: <A, E>(
        attempt: (headers: Readonly<Record<string, string>>) => Effect.Effect<A, E | Unauthorized>
      ) =>
        withSlot((slot) =>
          Effect.flatMap(load(slot), (): Effect.Effect<A, E | RefreshError> => {
            if (slot.session !== undefined) return authorized<A, E>(attempt)
            const anonymous: Effect.Effect<A, E | RefreshError | Unauthorized> = attempt(transport.headers)
            // Nobody is there whose token could be refreshed.
            return Effect.catchIf(anonymous, isUnauthorized, () => Effect.fail(notAuthenticated(slot)))
          })
        ),
      device,
      signIn: (session) => withSlot((slot) => signInto(slot, session)),
      peek: withSlot((slot) => Effect.map(Effect.ignore(load(slot)), () => slot.session)),
      signOut: (reason) => withSlot((slot) => signOutOf(slot, reason)),
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
  Layer.effect(
    Session,
    Effect.gen(function*() {
      const project = yield* ClientOptions.resolve(options)
      const transport = yield* Transport.make(project, yield* HttpClient.HttpClient)
      return (yield* makeInternal(transport)).service
    })
  )
