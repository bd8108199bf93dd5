/**
 * Makes `localStorage` current before it is read. A browser keeps a copy of it
 * in each process and passes writes on when it pleases: a tab that got the lock
 * from another may still read what was there before that one wrote, and would
 * spend a refresh token twice.
 *
 * So each write is counted, in `localStorage` behind the value (writes of one
 * tab arrive in their order) and in IndexedDB, which is the same for all tabs.
 * A reader waits until its copy has come as far as IndexedDB says. Where
 * IndexedDB is blocked there is no such guard.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Database } from "./indexedDb.ts"

export interface Fence {
  /** Waits until the copy of this tab is current; for a second at most. */
  readonly await: (slot: string) => Effect.Effect<void>
  /** Counts a write that has just been made. */
  readonly advance: (slot: string) => Effect.Effect<void>
}

const longestWait = 1_000
const pause = 4

export const make = (database: Database, storage: () => Storage, prefix: string): Fence => {
  // A count that the copy never came to, for somebody cleared it: waited for once.
  const missing = new Map<string, number>()

  const local = (slot: string): number => {
    try {
      return Number(storage().getItem(prefix + slot) ?? 0)
    } catch {
      // Whoever reads the value is told.
      return Number.POSITIVE_INFINITY
    }
  }
  const store = (slot: string, count: number) => {
    try {
      storage().setItem(prefix + slot, String(count))
    } catch {
      // Full: the next readers wait in vain, once each.
    }
  }
  const bounded = <A, E>(effect: Effect.Effect<A, E>, otherwise: A) =>
    effect.pipe(
      Effect.timeoutOrElse({ duration: longestWait, orElse: () => Effect.succeed(otherwise) }),
      Effect.orElseSucceed(() => otherwise)
    )
  const countOf = (stored: unknown) => (typeof stored === "number" ? stored : 0)

  return {
    await: Effect.fnUntraced(function* (slot: string) {
      const count = countOf(yield* bounded(database.read("versions", slot), 0))
      if (local(slot) >= count || missing.get(slot) === count) return
      const end = (yield* Clock.currentTimeMillis) + longestWait
      while (local(slot) < count) {
        if ((yield* Clock.currentTimeMillis) >= end) {
          missing.set(slot, count)
          return
        }
        yield* Effect.sleep(pause)
      }
    }),
    advance: Effect.fnUntraced(function* (slot: string) {
      const count = local(slot) + 1
      if (!Number.isFinite(count)) return
      store(slot, count)
      const highest = yield* bounded(
        database.update("versions", slot, (stored) => {
          const highest = Math.max(countOf(stored), count)
          return { result: highest, write: { value: highest } }
        }),
        count
      )
      // Somebody wrote without the lock.
      if (highest > local(slot)) store(slot, highest)
    })
  }
}
