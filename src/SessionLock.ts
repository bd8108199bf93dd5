/**
 * Keeps everybody who shares a session from refreshing it at the same time.
 *
 * The lock is an optimisation: what makes a refresh correct is the storage's
 * compare-and-set. It covers reading, comparing, exchanging and writing, never
 * code of the user. The default excludes the fibers of one process; tabs and
 * processes have their own in `effect-oneentry/browser`, `/redis` and `/sql`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Codecs from "./internal/codecs.ts"
import * as KeyedMutex from "./internal/keyedMutex.ts"

/**
 * Fails a refresh that could not get the lock. The session is kept, and the
 * call can be made again.
 *
 * `reason` is `"Timeout"` when another owner held it for longer than a refresh
 * may take, `"Unavailable"` when the server that keeps the locks cannot be reached.
 *
 * **Example** (Trying again later)
 *
 * ```ts
 * import { Effect, Schedule } from "effect"
 * import { Session } from "effect-oneentry"
 *
 * export const token = Session.Session.use((session) => session.accessToken).pipe(
 *   Effect.retry({
 *     while: (error) => error._tag === "SessionLockError",
 *     schedule: Schedule.exponential("1 second"),
 *     times: 3
 *   })
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class SessionLockError extends Schema.TaggedError<SessionLockError>(
  "effect-oneentry/SessionLock/SessionLockError"
)("SessionLockError", {
  slot: Schema.String,
  reason: Schema.Literals(["Timeout", "Unavailable"]),
  cause: Schema.optionalKey(Codecs.Foreign)
}) {
  override get message(): string {
    return this.reason === "Timeout"
      ? `Another owner held the lock of session "${this.slot}" for too long`
      : `The lock of session "${this.slot}" is out of reach`
  }
}

/**
 * A lock by slot name.
 *
 * `withLock` runs an effect while it holds the slot. `maxHold` is the longest
 * time that the effect can take: an implementation with leases asks for one
 * that long, and a waiter waits longer than that before it gives up with
 * `SessionLockError` (it never steals). Interrupting a waiter releases its place.
 *
 * **Example** (A lock that counts)
 *
 * ```ts
 * import { Effect } from "effect"
 * import type { SessionLock } from "effect-oneentry"
 *
 * export const counting = (inner: SessionLock.SessionLock) => {
 *   let held = 0
 *   const lock: SessionLock.SessionLock = {
 *     withLock: (slot, options) => (effect) => Effect.suspend(() => {
 *       held++
 *       return inner.withLock(slot, options)(effect)
 *     })
 *   }
 *   return { lock, count: () => held }
 * }
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export interface SessionLock {
  readonly withLock: (
    slot: string,
    options: { readonly maxHold: Duration.Duration }
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SessionLockError, R>
}

/**
 * How long a waiter waits: longer than the longest possible hold.
 *
 * **Example** (The wait for a hold of ten seconds)
 *
 * ```ts
 * import { Duration } from "effect"
 * import { SessionLock } from "effect-oneentry"
 *
 * console.log(Duration.toSeconds(SessionLock.maxWait(Duration.seconds(10)))) // => 15
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const maxWait = (maxHold: Duration.Duration): Duration.Duration => Duration.sum(maxHold, Duration.seconds(5))

/**
 * Makes a lock for the fibers of one process, bounded in its waiting. A slot
 * takes memory only while somebody holds it or waits for it.
 *
 * **Example** (A lock of one's own)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { SessionLock } from "effect-oneentry"
 *
 * export const layer = Layer.sync(SessionLock.SessionLock, SessionLock.makeInProcess)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeInProcess = (): SessionLock => {
  const slots = KeyedMutex.make()
  return {
    withLock: (slot, { maxHold }) =>
      slots.withKey(slot, {
        wait: maxWait(maxHold),
        orElse: () => Effect.fail(new SessionLockError({ slot, reason: "Timeout" }))
      })
  }
}

/**
 * The lock that sessions use; by default one for this process.
 *
 * **Example** (Providing another lock)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { SessionLock } from "effect-oneentry"
 *
 * export const layer = Layer.succeed(SessionLock.SessionLock, SessionLock.makeInProcess())
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export const SessionLock: Context.Reference<SessionLock> = Context.Reference<SessionLock>(
  "effect-oneentry/SessionLock",
  { defaultValue: makeInProcess }
)
