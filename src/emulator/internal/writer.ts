/** Keeps what changed, in the order in which it changed: one writer at a time, and everybody who waits shares a write. */
import * as Effect from "effect/Effect"
import type { Persistence } from "../Persistence.ts"
import type { State } from "./state.ts"

type Resume = (effect: Effect.Effect<boolean>) => void

/**
 * Makes the effect that ends when all that changed before it is kept: true, or false when that failed. What could not
 * be kept is tried again with the next change.
 *
 * Who finds a write under way and nothing new to write waits for that one; who changed something meanwhile waits for
 * the next, which the first of them writes for all.
 */
export const makeFlush = ({ journal }: State, persistence: Persistence): Effect.Effect<boolean> => {
  let busy = false
  let waiting: Array<Resume> = []
  let next: Array<Resume> = []

  const write: Effect.Effect<boolean> = Effect.suspend(() => {
    const changes = journal.take()
    if (changes.length === 0) return Effect.succeed(true)
    journal.writing = true
    return Effect.matchEffect(persistence.append(changes), {
      onSuccess: () => Effect.succeed(true),
      onFailure: (error) => {
        journal.giveBack(changes)
        return Effect.as(Effect.logError(error.message, error), false)
      }
    })
  })

  const lead: Effect.Effect<boolean> = Effect.suspend(() => {
    waiting = [...waiting, ...next]
    next = []
    return Effect.map(write, (kept) => {
      journal.writing = false
      for (const resume of waiting) resume(Effect.succeed(kept))
      const [leader, ...others] = next
      waiting = others
      next = []
      if (leader === undefined) busy = false
      else leader(lead)
      return kept
    })
  })

  return Effect.uninterruptible(
    Effect.suspend(() => {
      if (journal.settled) return Effect.succeed(true)
      if (!busy) {
        busy = true
        return lead
      }
      return Effect.callback<boolean>((resume) => {
        if (journal.changes.length === 0) waiting.push(resume)
        else next.push(resume)
      })
    })
  )
}
