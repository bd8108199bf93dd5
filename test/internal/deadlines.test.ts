import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Fiber } from "effect"
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
