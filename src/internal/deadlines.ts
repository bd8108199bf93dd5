/**
 * A timeout for many calls of one length. `Effect.timeout` starts two fibers and a timer a call, which is a large part
 * of what a call costs; here a call costs one fiber, and one sweeper watches them all. It ends by itself soon after
 * the last call, so that it does not keep a process alive.
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

interface Entry {
  readonly deadline: number
  readonly expire: () => void
}

/** The longest that the sweeper outlives the last call. */
const slice = 500

/** Time that nobody can set: a clock that is put back by a day does not make a request wait for a day. */
const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** Deadlines of one length. */
export interface Deadlines {
  /** Calls `expire` when the time is over; the function that comes back calls it off. */
  readonly watch: (caller: Fiber.Fiber<unknown, unknown>, expire: () => void) => () => void
  /**
   * Runs an effect in a fiber of its own with the context given, so that it may end early even where the caller is
   * uninterruptible. Interrupting the caller (where it can be) interrupts the effect.
   */
  readonly within: <A, E, E2, R>(
    effect: Effect.Effect<A, E, R>,
    context: Context.Context<R>,
    onTimeout: () => E2
  ) => Effect.Effect<A, E | E2>
}

/** Makes deadlines of a length in milliseconds, with the finalizer that ends what is still watched. */
export const make = (millis: number): Deadlines & { readonly stop: Effect.Effect<void> } => {
  // All have the same length, so the order in which they were added is the order in which they end.
  const entries = new Set<Entry>()
  let sweeper: Fiber.Fiber<void> | undefined

  const sweep: Effect.Effect<void> = Effect.flatMap(Clock.Clock, (clock) =>
    Effect.whileLoop({
      while: () => entries.size > 0,
      body: () => {
        const [first] = entries
        const left = first === undefined ? 0 : first.deadline - millisOf(clock)
        return clock.sleep(Duration.millis(Math.max(0, Math.min(left, slice))))
      },
      step: () => {
        const now = millisOf(clock)
        for (const entry of entries) {
          if (entry.deadline > now) break
          entries.delete(entry)
          entry.expire()
        }
      }
    })
  )

  const watch: Deadlines["watch"] = (caller, expire) => {
    const entry: Entry = { deadline: millisOf(caller.getRef(Clock.Clock)) + millis, expire }
    entries.add(entry)
    if (sweeper === undefined || sweeper.pollUnsafe() !== undefined) {
      sweeper = Effect.runForkWith(caller.context)(sweep)
    }
    return () => entries.delete(entry)
  }

  return {
    watch,
    within: (effect, context, onTimeout) =>
      Effect.withFiber((caller) =>
        Effect.callback((resume) => {
          const fiber = Effect.runForkWith(context)(effect)
          const done = fiber.pollUnsafe()
          if (done !== undefined) return resume(done)
          const unwatch = watch(caller, () => {
            resume(Effect.fail(onTimeout()))
            fiber.interruptUnsafe()
          })
          fiber.addObserver((exit) => {
            unwatch()
            resume(exit)
          })
          return Effect.suspend(() => {
            unwatch()
            return Fiber.interrupt(fiber)
          })
        })
      ),
    // Whoever still waits has nobody left to watch his time.
    stop: Effect.suspend(() => {
      for (const entry of entries) entry.expire()
      entries.clear()
      return sweeper === undefined ? Effect.void : Fiber.interrupt(sweeper)
    })
  }
}
