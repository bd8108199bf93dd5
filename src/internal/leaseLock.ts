/**
 * A `SessionLock` on leases: a record with an owner and an end that some store
 * keeps. The store decides who has it; its clock decides when it ends.
 *
 * A lease is given back by its owner only, and is never longer than the hold
 * may be, renewals included: whoever dies or is stopped with the lock in his
 * hands keeps the others waiting for that long and no longer.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { makeInProcess, maxWait, SessionLockError } from "../SessionLock.ts"
import type { SessionLock } from "../SessionLock.ts"

export interface Leases {
  /**
   * Takes the slot, unless somebody has a lease on it that has not ended. One that ends further ahead than `longest` of
   * this lease has: the store's clock was put back since it was taken.
   */
  readonly acquire: (slot: string, owner: string, lease: Duration.Duration) => Effect.Effect<boolean, SessionLockError>
  /** Prolongs the lease from now on; false when the owner has lost it. */
  readonly renew: (slot: string, owner: string, lease: Duration.Duration) => Effect.Effect<boolean, SessionLockError>
  /** Gives the slot back, if the owner still has it. */
  readonly release: (slot: string, owner: string) => Effect.Effect<void, SessionLockError>
}

export interface Options {
  /** How long a lease is at most, renewed while the slot is held; by default as long as the hold may be. */
  readonly lease?: Duration.Input | undefined
  /** How long the store may take to answer. */
  readonly timeout?: Duration.Input | undefined
}

/** What a lease is longer than the hold, and shorter than the wait for it. */
const margin = Duration.seconds(2)
/** Processes need not be configured alike, and during a deployment they are not. */
export const longest = (lease: Duration.Duration): Duration.Duration =>
  Duration.max(Duration.times(lease, 10), Duration.minutes(10))

const firstPause = 25
const longestPause = 250

export const make = (leases: Leases, options?: Options): SessionLock => {
  // Fibers of one process queue up here, so that one of them asks the store.
  const local = makeInProcess()
  const timeout = Duration.fromInputUnsafe(options?.timeout ?? Duration.seconds(5))
  const asked = options?.lease === undefined ? undefined : Duration.fromInputUnsafe(options.lease)

  const bounded = <A>(slot: string, effect: Effect.Effect<A, SessionLockError>) =>
    Effect.timeoutOrElse(effect, {
      duration: timeout,
      orElse: () => Effect.fail(new SessionLockError({ slot, reason: "Unavailable" }))
    })

  const release = (slot: string, owner: string) => Effect.ignore(bounded(slot, leases.release(slot, owner)))

  // An answer that did not come may have been a yes, or become one later: nobody knows of such a lock, so it is given
  // back as soon as the store can be reached, and once more when what was on its way has arrived.
  const giveBack = Effect.fnUntraced(function* (slot: string, owner: string, lease: Duration.Duration) {
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(lease)
    let again = true
    while (true) {
      const given = yield* Effect.isSuccess(bounded(slot, leases.release(slot, owner)))
      if (given && !again) return
      if ((yield* Clock.currentTimeMillis) >= until) return
      if (given) again = false
      yield* Effect.sleep(given ? timeout : longestPause)
    }
  })

  const acquire = (slot: string, owner: string, lease: Duration.Duration) =>
    Effect.tapError(bounded(slot, leases.acquire(slot, owner, lease)), () =>
      Effect.forkDetach(giveBack(slot, owner, lease), { startImmediately: true })
    )

  const renewal = Effect.fnUntraced(function* (
    slot: string,
    owner: string,
    lease: Duration.Duration,
    limit: Duration.Duration
  ) {
    const since = yield* Clock.currentTimeMillis
    const period = Duration.toMillis(lease) / 3
    while (true) {
      yield* Effect.sleep(period)
      const left = since + Duration.toMillis(limit) - (yield* Clock.currentTimeMillis)
      if (left <= 0) return
      const kept = yield* Effect.orElseSucceed(
        bounded(slot, leases.renew(slot, owner, Duration.min(lease, Duration.millis(left)))),
        () => true
      )
      if (!kept) return
    }
  })

  return {
    withLock:
      (slot, { maxHold }) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.flatMap(Clock.currentTimeMillis, (called) => {
          const deadline = called + Duration.toMillis(maxWait(maxHold))
          const limit = Duration.sum(maxHold, margin)
          const lease = asked === undefined ? limit : Duration.min(asked, limit)
          const remote = Effect.uninterruptibleMask((restore) =>
            Effect.gen(function* (): Effect.fn.Return<A, E | SessionLockError, R> {
              const owner = Base64Url.encode(globalThis.crypto.getRandomValues(new Uint8Array(16)))
              let pause = firstPause
              while (!(yield* acquire(slot, owner, lease))) {
                const left = deadline - (yield* Clock.currentTimeMillis)
                if (left <= 0) return yield* new SessionLockError({ slot, reason: "Timeout" })
                const jitter = 0.5 + (yield* Random.next)
                yield* restore(Effect.sleep(Math.min(pause * jitter, left)))
                pause = Math.min(pause * 1.5, longestPause)
              }
              const renewing = Duration.isLessThan(lease, limit)
                ? yield* Effect.forkChild(renewal(slot, owner, lease, limit), { startImmediately: true })
                : undefined
              return yield* Effect.ensuring(
                restore(effect),
                Effect.andThen(renewing === undefined ? Effect.void : Fiber.interrupt(renewing), release(slot, owner))
              )
            })
          )
          return local.withLock(slot, { maxHold })(remote)
        })
  }
}
