import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Deferred, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { SessionLock } from "effect-oneentry"
import * as GuardedLock from "../../src/internal/guardedLock.ts"
import { settled } from "../helpers/session.ts"

const maxHold = Duration.seconds(10)

const guarded = (lock: SessionLock.SessionLock) =>
  Effect.map(Clock.Clock, (clock) => GuardedLock.make(lock, maxHold, Context.make(Clock.Clock, clock)))

const unavailable = (slot: string) => new SessionLock.SessionLockError({ slot, reason: "Unavailable" })

describe("a guarded lock", () => {
  it.effect("that is handed over after it was given up runs nothing, and is told that nobody waits", () =>
    Effect.gen(function* () {
      for (const interruptible of [true, false]) {
        const handover = yield* Deferred.make<void>()
        let given = false
        let ran = false
        const lock = yield* guarded({
          withLock: () => (effect) => {
            const late = Effect.onInterrupt(Deferred.await(handover), () => Effect.sync(() => void (given = true)))
            return interruptible
              ? Effect.andThen(late, effect)
              : Effect.uninterruptible(Effect.andThen(Deferred.await(handover), effect))
          }
        })
        const call = yield* Effect.forkChild(
          Effect.flip(
            lock.withLock(
              "slot",
              Effect.sync(() => void (ran = true))
            )
          )
        )
        yield* settled
        yield* TestClock.adjust("20 seconds")
        assert.propertyVal(yield* Fiber.join(call), "reason", "Timeout")
        yield* settled
        assert.strictEqual(given, interruptible)
        yield* Deferred.succeed(handover, undefined)
        yield* settled
        assert.isFalse(ran)
      }
    })
  )

  it.effect("bounds the wait, not what runs in it", () =>
    Effect.gen(function* () {
      const lock = yield* guarded({ withLock: () => (effect) => Effect.andThen(Effect.sleep("15 seconds"), effect) })
      const call = yield* Effect.forkChild(lock.withLock("slot", Effect.as(Effect.sleep("8 seconds"), "ran")))
      yield* settled
      yield* TestClock.adjust("15 seconds")
      yield* settled
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(yield* Fiber.join(call), "ran")
    })
  )

  it.effect("that fails after what ran in it has run: what counts is what became of that", () =>
    Effect.gen(function* () {
      const lock = yield* guarded({ withLock: (slot) => (effect) => Effect.andThen(effect, unavailable(slot)) })
      assert.strictEqual(yield* lock.withLock("slot", Effect.succeed("ran")), "ran")
      assert.strictEqual(yield* Effect.flip(lock.withLock("slot", Effect.fail("failed"))), "failed")
    })
  )
})
