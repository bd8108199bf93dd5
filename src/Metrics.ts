/**
 * Counts what clients do: calls, refreshes, waits, events of sessions. Nothing
 * is counted, and nothing of this module is in a bundle, until `layer` is
 * provided below a client; whoever exports Effect's metrics (OTLP, Prometheus)
 * exports these with them. Their attributes are the names of operations, of
 * errors and of events: never a person, a token or a path.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { errorType, Observer } from "./internal/observer.ts"

const millisBoundaries: ReadonlyArray<number> = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000
]

/**
 * Calls of operations, by `operation` and `outcome`: `Success`, the tag of the error (of a `OneEntryError`, its
 * reason's), `Interrupted` or `Defect`.
 *
 * **Example** (How many sign-ins were refused)
 *
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { Metrics } from "effect-oneentry"
 *
 * export const refused = Effect.map(
 *   Metric.value(Metric.withAttributes(Metrics.calls, { operation: "auth", outcome: "InvalidCredentials" })),
 *   ({ count }) => count
 * )
 * ```
 *
 * @category metrics
 * @since 0.1.0
 */
export const calls: Metric.Counter<number> = Metric.counter("oneentry.calls", {
  description: "Calls of operations, by operation and outcome",
  incremental: true
})

/**
 * How long calls took, in milliseconds, by `operation`; retries and the wait for a refresh are in it.
 *
 * **Example** (The slowest profile)
 *
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { Metrics } from "effect-oneentry"
 *
 * export const slowest = Effect.map(
 *   Metric.value(Metric.withAttributes(Metrics.callDuration, { operation: "getUser" })),
 *   ({ max }) => max
 * )
 * ```
 *
 * @category metrics
 * @since 0.1.0
 */
export const callDuration: Metric.Histogram<number> = Metric.histogram("oneentry.call.duration", {
  description: "How long calls took, by operation",
  attributes: { unit: "ms" },
  boundaries: millisBoundaries
})

/**
 * Refreshes by `outcome`: `Success`, `Elsewhere` (another process had refreshed already, or the session was replaced),
 * the tag of the error, `Interrupted` (the client was closed) or `Defect`.
 *
 * **Example** (Sessions that came to their end)
 *
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { Metrics } from "effect-oneentry"
 *
 * export const ended = Effect.map(
 *   Metric.value(Metric.withAttributes(Metrics.refreshes, { outcome: "TokenExpired" })),
 *   ({ count }) => count
 * )
 * ```
 *
 * @category metrics
 * @since 0.1.0
 */
export const refreshes: Metric.Counter<number> = Metric.counter("oneentry.refreshes", {
  description: "Refreshes of sessions, by outcome",
  incremental: true
})

/**
 * How many callers waited for one refresh.
 *
 * **Example** (The largest crowd)
 *
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { Metrics } from "effect-oneentry"
 *
 * export const crowd = Effect.map(Metric.value(Metrics.refreshWaiters), ({ max }) => max)
 * ```
 *
 * @category metrics
 * @since 0.1.0
 */
export const refreshWaiters: Metric.Histogram<number> = Metric.histogram("oneentry.refresh.waiters", {
  description: "Callers that waited for one refresh",
  boundaries: [1, 2, 5, 10, 20, 50, 100, 1_000, 10_000]
})

/**
 * How long a refresh waited for its lock, in milliseconds.
 *
 * **Example** (Is the lock the bottleneck?)
 *
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { Metrics } from "effect-oneentry"
 *
 * export const mean = Effect.map(Metric.value(Metrics.lockWait), ({ count, sum }) => sum / Math.max(1, count))
 * ```
 *
 * @category metrics
 * @since 0.1.0
 */
export const lockWait: Metric.Histogram<number> = Metric.histogram("oneentry.lock.wait", {
  description: "How long refreshes waited for their lock",
  attributes: { unit: "ms" },
  boundaries: millisBoundaries
})

/**
 * Refreshes that failed in a way that may pass, after which nobody tries for a while.
 *
 * **Example** (Is the server well?)
 *
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { Metrics } from "effect-oneentry"
 *
 * export const well = Effect.map(Metric.value(Metrics.cooldowns), ({ count }) => count === 0)
 * ```
 *
 * @category metrics
 * @since 0.1.0
 */
export const cooldowns: Metric.Counter<number> = Metric.counter("oneentry.cooldowns", {
  description: "Refreshes after whose failure nobody tries for a while",
  incremental: true
})

/**
 * What happened to sessions, by `event` (the tags of `Session.SessionEvent`) and, for `SignedOut`, its `reason`.
 *
 * **Example** (Sign-ins)
 *
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { Metrics } from "effect-oneentry"
 *
 * export const signIns = Effect.map(
 *   Metric.value(Metric.withAttributes(Metrics.sessionEvents, { event: "SignedIn" })),
 *   ({ count }) => count
 * )
 * ```
 *
 * @category metrics
 * @since 0.1.0
 */
export const sessionEvents: Metric.Counter<number> = Metric.counter("oneentry.session.events", {
  description: "What happened to sessions",
  incremental: true
})

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "Success"
  const reason = exit.cause.reasons.find(Cause.isFailReason)
  if (reason !== undefined) return errorType(reason.error)
  return Cause.hasInterruptsOnly(exit.cause) ? "Interrupted" : "Defect"
}

/** A metric by its attributes, each made once: there are as many as operations and tags. */
const byAttributes = <Input, State>(metric: Metric.Metric<Input, State>) => {
  const made = new Map<string, Metric.Metric<Input, State>>()
  return (attributes: Readonly<Record<string, string>>): Metric.Metric<Input, State> => {
    const key = Object.values(attributes).join(" ")
    const known = made.get(key) ?? Metric.withAttributes(metric, attributes)
    made.set(key, known)
    return known
  }
}

const make = (context: Context.Context<never>): Observer => {
  const callsOf = byAttributes(calls)
  const durationOf = byAttributes(callDuration)
  const refreshesOf = byAttributes(refreshes)
  const eventsOf = byAttributes(sessionEvents)
  const millis = (nanos: bigint): number => Number(nanos) / 1e6
  return {
    call: (operation, call) =>
      Clock.clockWith((clock) => {
        const began = clock.monotonicTimeNanosUnsafe()
        return Effect.onExit(call, (exit) =>
          Effect.sync(() => {
            callsOf({ operation, outcome: outcomeOf(exit) }).updateUnsafe(1, context)
            durationOf({ operation }).updateUnsafe(millis(clock.monotonicTimeNanosUnsafe() - began), context)
          })
        )
      }),
    refresh: (outcome, waiters) => {
      refreshesOf({ outcome }).updateUnsafe(1, context)
      refreshWaiters.updateUnsafe(waiters, context)
    },
    lockWait: (nanos) => lockWait.updateUnsafe(millis(nanos), context),
    cooldown: () => cooldowns.updateUnsafe(1, context),
    event: (event) =>
      eventsOf({ event: event._tag, ...(event._tag === "SignedOut" ? { reason: event.reason } : {}) }).updateUnsafe(
        1,
        context
      )
  }
}

/**
 * Counts what the clients do that are built with it.
 *
 * **Example** (Below the client)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { Metrics, OneEntry, TokenStorage } from "effect-oneentry"
 *
 * export const layer = OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer, Metrics.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never> = Layer.effect(Observer, Effect.map(Effect.context(), make))
