import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as SessionLock from "effect-oneentry/SessionLock"
import * as TokenStorage from "effect-oneentry/TokenStorage"
import { Conformance, InMemory, SessionLockSuite, TokenStorageSuite } from "effect-oneentry/testing"

type Storage = TokenStorage.TokenStorage["Service"]

const failuresOf = (make: () => Storage, options?: TokenStorageSuite.Options) =>
  Effect.map(
    Effect.forEach(TokenStorageSuite.checks(options), (check) =>
      check.effect.pipe(
        Effect.as([]),
        Effect.catch((error) => {
          assert.instanceOf(error, Conformance.ConformanceError)
          assert.strictEqual(error.check, check.name)
          assert.match(error.message, /: expected .+, but .+/s)
          return Effect.succeed([check.name])
        }),
        Effect.provideService(TokenStorage.TokenStorage, make())
      )
    ),
    (names) => names.flat()
  )

/** A storage in memory with something wrong in it. */
const flawed = (flaw: (good: Storage, map: Map<string, string>) => Partial<Storage>) => (): Storage => {
  const map = new Map<string, string>()
  const write = (slot: string, value: string | undefined) =>
    Effect.sync(() => void (value === undefined ? map.delete(slot) : map.set(slot, value)))
  const good: Storage = TokenStorage.make({
    get: (slot) => Effect.sync(() => map.get(slot)),
    set: write,
    remove: (slot) => write(slot, undefined),
    compareAndSet: (slot, expected, next) =>
      Effect.suspend(() => (map.get(slot) === expected ? Effect.as(write(slot, next), true) : Effect.succeed(false)))
  })
  return { ...good, ...flaw(good, map) }
}

describe("TokenStorageSuite finds", () => {
  const flaws: Record<string, () => Storage> = {
    "slots that differ in case only": flawed((good) => ({
      get: (slot) => good.get(slot.toLowerCase()),
      set: (slot, value) => good.set(slot.toLowerCase(), value),
      remove: (slot) => good.remove(slot.toLowerCase()),
      compareAndSet: (slot, expected, next) => good.compareAndSet(slot.toLowerCase(), expected, next)
    })),
    "slots kept in a plain object": () => {
      const object: Record<string, string> = {}
      return TokenStorage.make({
        get: (slot) => Effect.sync(() => object[slot]),
        set: (slot, value) => Effect.sync(() => void (object[slot] = value)),
        remove: (slot) => Effect.sync(() => void delete object[slot])
      })
    },
    "values that are trimmed": flawed((good) => ({ set: (slot, value) => good.set(slot, value.trim()) })),
    "values that are cut": flawed((good) => ({ set: (slot, value) => good.set(slot, value.slice(0, 65_000)) })),
    "an empty string taken for nothing": flawed((good) => ({
      get: (slot) => Effect.map(good.get(slot), (value) => (value === "" ? undefined : value))
    })),
    "compareAndSet that reads and writes apart": flawed((good) => ({
      compareAndSet: Effect.fnUntraced(function* (slot, expected, next) {
        const stored = yield* good.get(slot)
        yield* Effect.yieldNow
        if (stored !== expected) return false
        yield* next === undefined ? good.remove(slot) : good.set(slot, next)
        return true
      })
    })),
    "compareAndSet that always wins": flawed((good) => ({
      compareAndSet: (slot, _expected, next) =>
        Effect.as(next === undefined ? good.remove(slot) : good.set(slot, next), true)
    })),
    "compareAndSet that takes undefined for a wildcard": flawed((good) => ({
      compareAndSet: (slot, expected, next) =>
        expected === undefined && next !== undefined
          ? Effect.as(good.set(slot, next), true)
          : good.compareAndSet(slot, expected, next)
    })),
    "compareAndSet that compares normalized text": flawed((good) => ({
      compareAndSet: (slot, expected, next) =>
        Effect.flatMap(good.get(slot), (stored) =>
          stored?.normalize() === expected?.normalize() ? good.compareAndSet(slot, stored, next) : Effect.succeed(false)
        )
    })),
    "remove that fails for what is absent": flawed((good) => ({
      remove: (slot) =>
        Effect.flatMap(good.get(slot), (stored) =>
          stored === undefined
            ? Effect.fail(new TokenStorage.TokenStorageError({ operation: "remove", slot }))
            : good.remove(slot)
        )
    })),
    "set that keeps the first value": flawed((good) => ({
      set: (slot, value) => Effect.asVoid(good.compareAndSet(slot, undefined, value))
    })),
    "a defect": flawed(() => ({
      get: () =>
        Effect.sync(() => {
          throw new Error("boom")
        })
    }))
  }
  for (const [name, make] of Object.entries(flaws)) {
    it.live(name, () => Effect.map(failuresOf(make), (failures) => assert.isAbove(failures.length, 0)))
  }

  it.live("nothing in a good one", () =>
    Effect.map(failuresOf(TokenStorage.makeMemory), (failures) => assert.deepStrictEqual(failures, []))
  )

  it.live("two sides that do not share, and changes that echo or keep silent", () =>
    Effect.gen(function* () {
      const apart = yield* failuresOf(TokenStorage.makeMemory, { other: TokenStorage.layerMemory })
      assert.isAbove(apart.length, 0)
      const shared = InMemory.makeShared()
      const other = Layer.sync(TokenStorage.TokenStorage, shared.view)
      const echo = shared.view()
      const [mine, theirs] = [shared.view(), shared.view()]
      // Heard through a third view: what this one writes itself comes back.
      const failures = yield* failuresOf(() => ({ ...mine, changes: theirs.changes }), { other, changes: true })
      assert.deepStrictEqual(failures, ["changes tells of foreign writes only"])
      assert.deepStrictEqual(yield* failuresOf(() => echo, { other, changes: true }), [])
    })
  )
})

describe("SessionLockSuite finds", () => {
  type Lock = SessionLock.SessionLock
  const good = SessionLock.makeInProcess
  const flaws: Record<string, () => Lock> = {
    "no exclusion": () => ({ withLock: () => (effect) => effect }),
    "one lock for all slots": () => {
      const lock = good()
      return { withLock: (_slot, options) => lock.withLock("all", options) }
    },
    "no release after a failure": () => {
      const lock = good()
      return {
        withLock: (slot, options) => (effect) =>
          Effect.gen(function* () {
            const exit = yield* lock.withLock(slot, options)(Effect.exit(effect))
            if (Exit.isFailure(exit)) {
              yield* Effect.forkDetach(lock.withLock(slot, options)(Effect.never), { startImmediately: true })
            }
            return yield* exit
          })
      }
    },
    "a wait without a bound": () => {
      const lock = good()
      return { withLock: (slot) => lock.withLock(slot, { maxHold: Duration.days(1) }) }
    },
    "a waiter that steals": () => {
      const lock = good()
      return {
        withLock: (slot, options) => (effect) =>
          Effect.catchTag(lock.withLock(slot, options)(effect), "SessionLockError", () => effect)
      }
    }
  }
  const failuresOf = (lock: Lock) =>
    Effect.map(
      Effect.forEach(SessionLockSuite.checks({ advance: TestClock.adjust }), (check) =>
        // A check that waits for ever on a broken lock is a finding, too.
        Effect.raceFirst(
          check.effect,
          Effect.forever(Effect.yieldNow).pipe(
            Effect.timeoutOrElse({
              duration: "60 seconds",
              orElse: () => Effect.fail("stuck")
            })
          )
        ).pipe(
          Effect.raceFirst(
            Effect.andThen(
              Effect.forEach(Array.from({ length: 200 }), () => Effect.yieldNow),
              Effect.andThen(TestClock.adjust("61 seconds"), Effect.never)
            )
          ),
          Effect.as([]),
          Effect.orElseSucceed(() => [check.name]),
          Effect.provideService(SessionLock.SessionLock, lock)
        )
      ),
      (names) => names.flat()
    )
  for (const [name, make] of Object.entries(flaws)) {
    it.effect(name, () => Effect.map(failuresOf(make()), (failures) => assert.isAbove(failures.length, 0)))
  }

  it.effect("nothing in a good one", () =>
    Effect.map(failuresOf(good()), (failures) => assert.deepStrictEqual(failures, []))
  )
})
