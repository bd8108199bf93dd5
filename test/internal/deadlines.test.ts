import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Deadlines from "../../src/internal/deadlines.ts"

/** The test's clock, which a person sets to another day. Timers and the monotonic clock are none the wiser. */
const settable = Effect.map(TestClock.testClockWith(Effect.succeed), (inner) => {
  const device = { offset: 0 }
  const clock: TestClock.TestClock = {
    ...inner,
    currentTimeMillisUnsafe: () => inner.currentTimeMillisUnsafe() + device.offset,
    currentTimeMillis: Effect.sync(() => inner.currentTimeMillisUnsafe() + device.offset)
  }
  return { clock, device }
})

const day = 86_400_000

describe("deadlines", () => {
  for (const [name, jump] of [
    ["back", -day],
    ["forward", day]
  ] as const) {
    it.effect(`are kept by a clock that nobody can set ${name}`, () =>
      Effect.gen(function* () {
        const { clock, device } = yield* settable
        const deadlines = Deadlines.make(5_000)
        const call = yield* deadlines
          .within(Effect.never, Context.make(Clock.Clock, clock), () => "too long")
          .pipe(Effect.flip, Effect.provideService(Clock.Clock, clock), Effect.forkChild)
        yield* TestClock.adjust("1 second")
        device.offset = jump
        yield* TestClock.adjust("3 seconds")
        assert.isUndefined(call.pollUnsafe())
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(call), "too long")
      })
    )
  }

  /** The test's clock, and how many timers run on it. */
  const counted = Effect.map(TestClock.testClockWith(Effect.succeed), (inner) => {
    const timers = { running: 0, most: 0 }
    const clock: TestClock.TestClock = {
      ...inner,
      sleep: (duration) =>
        Effect.suspend(() => {
          timers.most = Math.max(timers.most, ++timers.running)
          return Effect.ensuring(
            inner.sleep(duration),
            Effect.sync(() => timers.running--)
          )
        })
    }
    return { clock, timers }
  })

  it.effect("run one timer for all, and none soon after the last call has ended, however it did", () =>
    Effect.gen(function* () {
      const { clock, timers } = yield* counted
      const context = Context.make(Clock.Clock, clock)
      const deadlines = Deadlines.make(5_000)
      const within = <A>(effect: Effect.Effect<A>) =>
        Effect.provideService(
          deadlines.within(effect, context, () => "too long"),
          Clock.Clock,
          clock
        )
      for (const end of ["answer", "interruption"]) {
        const answer = yield* Deferred.make<void>()
        let interrupted = 0
        const call = within(Effect.onInterrupt(Deferred.await(answer), () => Effect.sync(() => void interrupted++)))
        const calls = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(call, { startImmediately: true }))
        assert.deepStrictEqual(timers, { running: 1, most: 1 })
        yield* end === "answer" ? Deferred.succeed(answer, undefined) : Fiber.interruptAll(calls)
        yield* Fiber.awaitAll(calls)
        assert.strictEqual(interrupted, end === "answer" ? 0 : 3)
        yield* TestClock.adjust("500 millis")
        assert.strictEqual(timers.running, 0)
      }
    })
  )

  it.effect("run no timer once they are stopped", () =>
    Effect.gen(function* () {
      const { clock, timers } = yield* counted
      const deadlines = Deadlines.make(5_000)
      yield* deadlines
        .within(Effect.never, Context.empty(), () => "stopped")
        .pipe(Effect.provideService(Clock.Clock, clock), Effect.flip, (call) =>
          Effect.forkChild(call, { startImmediately: true })
        )
      assert.strictEqual(timers.running, 1)
      yield* deadlines.stop
      assert.strictEqual(timers.running, 0)
    })
  )

  it.effect("end all that is watched when they are stopped", () =>
    Effect.gen(function* () {
      const deadlines = Deadlines.make(5_000)
      const call = yield* Effect.forkChild(
        Effect.flip(deadlines.within(Effect.never, Context.empty(), () => "stopped")),
        { startImmediately: true }
      )
      yield* deadlines.stop
      assert.strictEqual(yield* Fiber.join(call), "stopped")
    })
  )
})
