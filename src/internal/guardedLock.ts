/**
 * A lock that always comes to an end: one that throws, or never hands over, fails with `SessionLockError`, and one that
 * hangs while it is given back keeps nobody. What ran in it has run, whatever becomes of the lock afterwards.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as SessionLock from "../SessionLock.ts"
import * as Deadlines from "./deadlines.ts"
import { withSpanOf } from "./observer.ts"

export interface GuardedLock {
  readonly withLock: <A, E>(
    slot: string,
    effect: Effect.Effect<A, E>
  ) => Effect.Effect<A, E | SessionLock.SessionLockError>
  readonly stop: Effect.Effect<void>
}

/** What a lock may wait longer than it says before it is given up. */
const graceMillis = 5_000

/** How long the lock may take to be given back. */
const releaseMillis = 5_000

export const make = (
  lock: SessionLock.SessionLock,
  maxHold: Duration.Duration,
  context: Context.Context<never>
): GuardedLock => {
  const waits = Deadlines.make(Duration.toMillis(SessionLock.maxWait(maxHold)) + graceMillis)
  const releases = Deadlines.make(releaseMillis)
  return {
    withLock: <A, E>(slot: string, effect: Effect.Effect<A, E>) =>
      Effect.withFiber((caller) =>
        Effect.callback<A, E | SessionLock.SessionLockError>((resume) => {
          let waiting = true
          let outcome: Exit.Exit<A, E> | undefined
          let unwatch = waits.watch(caller, () => {
            waiting = false
            resume(Effect.fail(new SessionLock.SessionLockError({ slot, reason: "Timeout" })))
            fiber.interruptUnsafe()
          })
          const inside = Effect.suspend(() => {
            // Handed over after we had given up.
            if (!waiting) return Effect.interrupt
            waiting = false
            unwatch()
            return Effect.onExit(effect, (exit) =>
              Effect.sync(() => {
                outcome = exit
                unwatch = releases.watch(caller, () => resume(exit))
              })
            )
          })
          const fiber = Effect.runForkWith(withSpanOf(caller.context, context))(
            Effect.catchDefect(
              Effect.suspend(() => lock.withLock(slot, { maxHold })(inside)),
              (cause) => Effect.fail(new SessionLock.SessionLockError({ slot, reason: "Unavailable", cause }))
            )
          )
          fiber.addObserver((exit) => {
            unwatch()
            resume(outcome ?? exit)
          })
          return Effect.suspend(() => {
            unwatch()
            return Fiber.interrupt(fiber)
          })
        })
      ),
    stop: Effect.andThen(waits.stop, releases.stop)
  }
}
