/**
 * The conformance suite for session locks: mutual exclusion, release however
 * the holder ends, waiting that is bounded and steals nothing.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { maxWait, SessionLock } from "../SessionLock.ts"
import * as Conformance from "./Conformance.ts"
import { check, randomSlot } from "./internal/expect.ts"

/**
 * What else is known of the lock.
 *
 * **Example** (With the test clock)
 *
 * ```ts
 * import { TestClock } from "effect/testing"
 * import type { SessionLockSuite } from "effect-oneentry/testing"
 *
 * export const options: SessionLockSuite.Options = { advance: TestClock.adjust }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The same lock, seen by somebody else: another connection, tab or process. Adds the checks between two. */
  readonly other?: Layer.Layer<never, unknown> | undefined
  /** How time passes: by sleeping, unless a test clock is moved. */
  readonly advance?: ((duration: Duration.Duration) => Effect.Effect<void>) | undefined
}

/**
 * Registers the suite with a test runner's `it`. It takes some seconds: one check waits for a wait to end.
 *
 * **Example** (With vitest)
 *
 * ```ts no-run
 * import { Layer } from "effect"
 * import { describe, it } from "vitest"
 * import { SessionLock } from "effect-oneentry"
 * import { SessionLockSuite } from "effect-oneentry/testing"
 *
 * const layer = Layer.sync(SessionLock.SessionLock, SessionLock.makeInProcess)
 *
 * describe("my lock", () => SessionLockSuite.register(it, layer))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const register = <E>(it: Conformance.TestFunction, layer: Layer.Layer<never, E>, options?: Options): void =>
  Conformance.register(it, checks(options), layer)

/**
 * The checks themselves, for a runner that wants Effects. They use the lock of their context.
 *
 * **Example** (With the test clock of `@effect/vitest`)
 *
 * ```ts no-run
 * import { it } from "@effect/vitest"
 * import { Effect } from "effect"
 * import { TestClock } from "effect/testing"
 * import { SessionLock } from "effect-oneentry"
 * import { SessionLockSuite } from "effect-oneentry/testing"
 *
 * for (const check of SessionLockSuite.checks({ advance: TestClock.adjust })) {
 *   it.effect(check.name, () =>
 *     Effect.provideService(check.effect, SessionLock.SessionLock, SessionLock.makeInProcess()))
 * }
 * ```
 *
 * @category checks
 * @since 0.1.0
 */
export const checks = (options?: Options): ReadonlyArray<Conformance.Check<never>> => [
  ...single(options?.advance ?? Effect.sleep),
  ...(options?.other === undefined ? [] : shared(options.other))
]

const hold = { maxHold: Duration.seconds(20) }

/** Somebody who holds the slot until told otherwise. */
const holder = Effect.fnUntraced(function* (lock: SessionLock, slot: string) {
  const held = yield* Deferred.make<void>()
  const release = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(
    lock.withLock(slot, hold)(Effect.andThen(Deferred.succeed(held, undefined), Deferred.await(release)))
  )
  yield* Effect.raceFirst(Deferred.await(held), Fiber.join(fiber))
  return { fiber, release: Effect.andThen(Deferred.succeed(release, undefined), Fiber.join(fiber)) }
})

const crowd = (locks: ReadonlyArray<SessionLock>, slot: string, count: number) =>
  Effect.gen(function* () {
    let inside = 0
    let most = 0
    let runs = 0
    const run = Effect.gen(function* () {
      most = Math.max(most, ++inside)
      for (let step = 0; step < 3; step++) yield* Effect.yieldNow
      inside--
      runs++
    })
    yield* Effect.forEach(
      Array.from({ length: count }, (_, n) => locks[n % locks.length]),
      (lock) => (lock === undefined ? Effect.void : lock.withLock(slot, hold)(run)),
      { concurrency: "unbounded", discard: true }
    )
    return { most, runs }
  })

const single = (
  advance: (duration: Duration.Duration) => Effect.Effect<void>
): ReadonlyArray<Conformance.Check<never>> => [
  check("gives back the result of what it ran", (expect) =>
    Effect.gen(function* () {
      const lock = yield* SessionLock
      const slot = yield* randomSlot
      yield* expect.same("the result", yield* lock.withLock(slot, hold)(Effect.succeed(42)), 42)
      const failure = yield* Effect.flip(lock.withLock(slot, hold)(Effect.fail("boom")))
      yield* expect.same("the failure", typeof failure === "string" ? failure : failure._tag, "boom")
    })
  ),

  check("lets one in at a time", (expect) =>
    Effect.gen(function* () {
      const { most, runs } = yield* crowd([yield* SessionLock], yield* randomSlot, 50)
      yield* expect.same("how many were inside at most", most, 1)
      yield* expect.same("how many ran in the end", runs, 50)
    })
  ),

  ...(
    [
      ["a failure", Effect.fail("boom")],
      ["an interruption of itself", Effect.interrupt],
      [
        "a defect",
        Effect.suspend((): Effect.Effect<never> => {
          throw new Error("boom")
        })
      ]
    ] as const
  ).map(([name, ending]) =>
    check(`is released after ${name}`, (expect) =>
      Effect.gen(function* () {
        const lock = yield* SessionLock
        const slot = yield* randomSlot
        const exit = yield* Effect.exit(lock.withLock(slot, hold)(ending))
        yield* expect.same("whether the holder succeeded", Exit.isSuccess(exit), false)
        yield* expect.same("the next holder's result", yield* lock.withLock(slot, hold)(Effect.succeed("in")), "in")
      })
    )
  ),

  check("is released when its holder is interrupted", (expect) =>
    Effect.gen(function* () {
      const lock = yield* SessionLock
      const slot = yield* randomSlot
      const { fiber } = yield* holder(lock, slot)
      yield* Fiber.interrupt(fiber)
      yield* expect.same("the next holder's result", yield* lock.withLock(slot, hold)(Effect.succeed("in")), "in")
    })
  ),

  check("a waiter that is interrupted gives up its place, and the others go on", (expect) =>
    Effect.gen(function* () {
      const lock = yield* SessionLock
      const slot = yield* randomSlot
      const first = yield* holder(lock, slot)
      let entered = 0
      const waiter = yield* Effect.forkChild(lock.withLock(slot, hold)(Effect.sync(() => entered++)))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(waiter)
      yield* first.release
      yield* expect.same("the next holder's result", yield* lock.withLock(slot, hold)(Effect.succeed("in")), "in")
      yield* expect.same("how often the interrupted one ran", entered, 0)
    })
  ),

  check("slots do not wait for each other, whatever their names", (expect) =>
    Effect.gen(function* () {
      const lock = yield* SessionLock
      const prefix = yield* randomSlot
      const names = ["", " ", "a", "A", "日本 🦊", 'it\'s "q"', "line\nbreak", "%2F/../", "*?[a]", "__proto__"]
      const slots = [...names, ...Array.from({ length: 30 }, (_, n) => `-${n}`)].map((name) => prefix + name)
      const inside = yield* Deferred.make<void>()
      let count = 0
      const meet = Effect.suspend(() =>
        ++count === slots.length ? Deferred.succeed(inside, undefined) : Deferred.await(inside)
      )
      yield* Effect.forEach(slots, (slot) => lock.withLock(slot, hold)(meet), {
        concurrency: "unbounded",
        discard: true
      })
      yield* expect.same("how many were inside at once", count, slots.length)
    })
  ),

  check("a wait is bounded, fails with Timeout and steals nothing", (expect) =>
    Effect.gen(function* () {
      const lock = yield* SessionLock
      const slot = yield* randomSlot
      const first = yield* holder(lock, slot)
      const maxHold = Duration.millis(10)
      const waiter = yield* Effect.forkChild(Effect.exit(lock.withLock(slot, { maxHold })(Effect.succeed("stolen"))))
      yield* Effect.yieldNow
      yield* advance(Duration.sum(maxWait(maxHold), Duration.seconds(1)))
      const exit = yield* Effect.timeoutOption(Fiber.join(waiter), "2 seconds").pipe(
        Effect.raceFirst(Effect.as(advance(Duration.seconds(3)), Option.none()))
      )
      if (Option.isNone(exit)) return yield* expect.fail("the wait to end after maxWait", "it goes on")
      const error = Option.flatMap(Option.some(exit.value), Exit.findErrorOption)
      if (Option.isNone(error)) {
        return yield* expect.fail("the wait to fail", Exit.isSuccess(exit.value) ? "the lock was stolen" : "it died")
      }
      yield* expect.same("the error", error.value._tag, "SessionLockError")
      yield* expect.same("its reason", error.value.reason, "Timeout")
      yield* expect.same("its slot", error.value.slot, slot)
      // The first one still has it: nobody else gets in before its release.
      let released = false
      const later = yield* Effect.forkChild(lock.withLock(slot, hold)(Effect.sync(() => released)))
      yield* Effect.yieldNow
      released = true
      yield* first.release
      yield* expect.same("whether the next one came after the release", yield* Fiber.join(later), true)
    })
  )
]

const shared = (other: Layer.Layer<never, unknown>): ReadonlyArray<Conformance.Check<never>> => {
  const otherView = Effect.map(Layer.build(Layer.fresh(other)), (context) => Context.get(context, SessionLock))
  return [
    check("lets one in at a time, from both sides", (expect) =>
      Effect.scoped(
        Effect.gen(function* () {
          const locks = [yield* SessionLock, yield* otherView]
          const { most, runs } = yield* crowd(locks, yield* randomSlot, 40)
          yield* expect.same("how many were inside at most", most, 1)
          yield* expect.same("how many ran in the end", runs, 40)
        })
      )
    ),

    check("one side waits for the other, however that one ends", (expect) =>
      Effect.scoped(
        Effect.gen(function* () {
          const lock = yield* SessionLock
          const foreign = yield* otherView
          for (const end of ["release", "interruption"]) {
            const slot = yield* randomSlot
            const first = yield* holder(foreign, slot)
            let released = false
            const waiter = yield* Effect.forkChild(lock.withLock(slot, hold)(Effect.sync(() => released)))
            yield* Effect.yieldNow
            released = true
            yield* end === "release" ? first.release : Fiber.interrupt(first.fiber)
            yield* expect.same(`whether it came after the ${end}`, yield* Fiber.join(waiter), true)
          }
        })
      )
    )
  ]
}
