/**
 * Mutual exclusion by key for the fibers of one process. A key takes memory
 * only while somebody holds it or waits for it, and is handed over first come,
 * first served.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { wait } from "./waiting.ts"

interface Ticket {
  granted: boolean
  wake: (() => void) | undefined
}

interface Bound<B, E, R> {
  readonly wait: Duration.Duration
  readonly orElse: () => Effect.Effect<B, E, R>
}

export interface KeyedMutex {
  /** Runs an effect while it holds the key; `orElse` instead when the wait took too long. */
  readonly withKey: <B = never, E2 = never, R2 = never>(
    key: string,
    bound?: Bound<B, E2, R2> | undefined
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A | B, E | E2, R | R2>
  /** How many keys are held now. */
  readonly size: () => number
}

export const make = (): KeyedMutex => {
  // The holder comes first in its queue.
  const queues = new Map<string, Set<Ticket>>()

  const enter = (key: string): Ticket => {
    let queue = queues.get(key)
    if (queue === undefined) {
      queue = new Set()
      queues.set(key, queue)
    }
    const ticket: Ticket = { granted: queue.size === 0, wake: undefined }
    queue.add(ticket)
    return ticket
  }

  const leave = (key: string, ticket: Ticket) => {
    const queue = queues.get(key)
    if (queue === undefined || !queue.delete(ticket) || !ticket.granted) return
    const next = queue.values().next()
    if (next.done === true) {
      queues.delete(key)
    } else {
      next.value.granted = true
      next.value.wake?.()
    }
  }

  const granted = (ticket: Ticket) =>
    Effect.callback<void>((resume) => {
      if (ticket.granted) resume(Effect.void)
      else ticket.wake = () => resume(Effect.void)
    })

  return {
    // The ticket is taken and given back outside every interruptible region,
    // so neither an interruption nor a timeout at the moment of the handover
    // can lose the key.
    withKey:
      <B, E2, R2>(key: string, bound?: Bound<B, E2, R2>) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.suspend(() => {
            const ticket = enter(key)
            const turn = (): Effect.Effect<A | B, E | E2, R | R2> =>
              ticket.granted || bound === undefined ? effect : bound.orElse()
            const turnComes = wait(granted(ticket))
            const waiting = bound === undefined ? turnComes : Effect.timeoutOption(turnComes, bound.wait)
            const run = ticket.granted ? restore(effect) : Effect.flatMap(restore(waiting), () => restore(turn()))
            return Effect.ensuring(
              run,
              Effect.sync(() => leave(key, ticket))
            )
          })
        ),
    size: () => queues.size
  }
}
