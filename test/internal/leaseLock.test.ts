import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as LeaseLock from "../../src/internal/leaseLock.ts"

/** Leases in memory, by the test's clock. */
const makeLeases = () => {
  const held = new Map<string, { owner: string; end: number }>()
  const put = (slot: string, owner: string, lease: Duration.Duration, may: (now: number) => boolean) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (!may(now)) return false
      held.set(slot, { owner, end: now + Duration.toMillis(lease) })
      return true
    })
  const leases: LeaseLock.Leases = {
    acquire: (slot, owner, lease) => put(slot, owner, lease, (now) => (held.get(slot)?.end ?? 0) <= now),
    renew: (slot, owner, lease) =>
      put(slot, owner, lease, (now) => held.get(slot)?.owner === owner && (held.get(slot)?.end ?? 0) > now),
    release: (slot, owner) => Effect.sync(() => void (held.get(slot)?.owner === owner && held.delete(slot)))
  }
  return { held, leases }
}

const hold = { maxHold: Duration.seconds(10) }

describe("a lock on leases", () => {
  it.effect("is renewed for as long as the hold may be, and no longer", () =>
    Effect.gen(function* () {
      const { held, leases } = makeLeases()
      const lock = LeaseLock.make(leases, { lease: "1 second" })
      // Another process: the queue of this one would keep it out.
      const other = LeaseLock.make(leases, { lease: "1 second" })
      const stuck = yield* Effect.forkChild(lock.withLock("ann", hold)(Effect.never), { startImmediately: true })
      const waiting = yield* Effect.forkChild(other.withLock("ann", hold)(Clock.currentTimeMillis), {
        startImmediately: true
      })
      yield* TestClock.adjust("9 seconds")
      assert.isAbove(held.get("ann")?.end ?? 0, 9_000)
      yield* TestClock.adjust("5 seconds")
      const entered = yield* Fiber.join(waiting)
      assert.isTrue(entered >= 12_000 && entered < 12_500, `${entered}`)
      // Whoever lost it gives back nothing of the next owner's.
      held.set("ann", { owner: "next", end: 99_000 })
      yield* Fiber.interrupt(stuck)
      assert.strictEqual(held.get("ann")?.owner, "next")
    })
  )
})
