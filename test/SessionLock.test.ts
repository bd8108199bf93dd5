import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as SessionLock from "effect-oneentry/SessionLock"
import { SessionLockSuite } from "effect-oneentry/testing"
import * as KeyedMutex from "../src/internal/keyedMutex.ts"

const hold = { maxHold: Duration.seconds(10) }

describe("in the process, on the test clock", () => {
  for (const check of SessionLockSuite.checks({ advance: TestClock.adjust })) {
    it.effect(check.name, () =>
      Effect.provideService(check.effect, SessionLock.SessionLock, SessionLock.makeInProcess())
    )
  }
})

describe("in the process, from two layers", () => {
  const lock = SessionLock.makeInProcess()
  const layer = Layer.succeed(SessionLock.SessionLock, lock)
  SessionLockSuite.register(it, layer, { other: layer })
})

describe("SessionLock", () => {
  it.effect("is one lock for the whole process, left alone", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* SessionLock.SessionLock, yield* SessionLock.SessionLock]
      assert.strictEqual(one, two)
    })
  )

  it.effect("waits longer than the longest hold, and then fails retryable", () =>
    Effect.gen(function* () {
      const lock = SessionLock.makeInProcess()
      const first = yield* Effect.forkChild(lock.withLock("ann", hold)(Effect.never), { startImmediately: true })
      const waiter = yield* Effect.forkChild(Effect.exit(lock.withLock("ann", hold)(Effect.void)), {
        startImmediately: true
      })
      yield* TestClock.adjust(Duration.subtract(SessionLock.maxWait(hold.maxHold), Duration.millis(1)))
      assert.isUndefined(waiter.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const exit = yield* Fiber.join(waiter)
      assert.deepStrictEqual(exit, Exit.fail(new SessionLock.SessionLockError({ slot: "ann", reason: "Timeout" })))
      assert.isUndefined(first.pollUnsafe())
      yield* Fiber.interrupt(first)
    })
  )

  it("says in words what happened", () => {
    assert.strictEqual(
      new SessionLock.SessionLockError({ slot: "ann", reason: "Timeout" }).message,
      'Another owner held the lock of session "ann" for too long'
    )
    assert.strictEqual(
      new SessionLock.SessionLockError({ slot: "ann", reason: "Unavailable" }).message,
      'The lock of session "ann" is out of reach'
    )
  })
})

describe("keyedMutex", () => {
  it.effect("hands over in the order of arrival and forgets idle keys", () =>
    Effect.gen(function* () {
      const mutex = KeyedMutex.make()
      const gate = yield* Deferred.make<void>()
      const order: Array<number> = []
      const first = yield* Effect.forkChild(mutex.withKey("k")(Deferred.await(gate)), { startImmediately: true })
      const rest = yield* Effect.forEach([1, 2, 3], (n) =>
        Effect.forkChild(mutex.withKey("k")(Effect.sync(() => order.push(n))), { startImmediately: true })
      )
      assert.strictEqual(mutex.size(), 1)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.joinAll([first, ...rest])
      assert.deepStrictEqual(order, [1, 2, 3])
      assert.strictEqual(mutex.size(), 0)
    })
  )

  it.effect("loses no key to interruptions and timeouts at any moment", () =>
    Effect.gen(function* () {
      const mutex = KeyedMutex.make()
      let inside = 0
      for (let round = 0; round < 200; round++) {
        const fibers = yield* Effect.forEach(Array.from({ length: 8 }), (_, n) =>
          Effect.forkChild(
            mutex.withKey("k", { wait: Duration.millis((n * 7) % 5), orElse: () => Effect.void })(
              Effect.gen(function* () {
                assert.strictEqual(++inside, 1)
                yield* Effect.ensuring(
                  Effect.sleep(n % 3),
                  Effect.sync(() => inside--)
                )
              })
            ),
            { startImmediately: n % 2 === 0 }
          )
        )
        yield* TestClock.adjust(round % 4)
        yield* Fiber.interruptAll(fibers.filter((_, n) => (n + round) % 3 === 0))
        yield* TestClock.adjust("1 second")
        yield* Effect.forEach(fibers, Fiber.await)
        assert.strictEqual(mutex.size(), 0)
      }
    })
  )
})
