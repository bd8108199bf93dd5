/**
 * How a fiber waits for what another one brings about. A runtime that keeps the I/O of requests apart, though they share
 * the memory, puts its own way here (see `server/internal/workers.ts`).
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

export type Wait = <A, E>(wait: Effect.Effect<A, E>) => Effect.Effect<A, E>

export const Waiting: Context.Reference<Wait> = /* @__PURE__ */ Context.Reference<Wait>(
  "effect-oneentry/internal/Waiting",
  { defaultValue: () => (wait) => wait }
)

/** Waits in the way of the fiber's runtime. */
export const wait: Wait = (effect) => Waiting.use((how) => how(effect))
