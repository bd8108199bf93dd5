/**
 * What a client tells of itself. Spans are made inside of a caller's span, and only there; who counts (`Metrics`) is given
 * the reference below. Nothing of it costs anything where nobody asked for it.
 *
 * What is told is chosen here, name by name: no path, no identifier of a user, no message of a server.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Tracer from "effect/Tracer"
import type { SlotEvent } from "./sessionEvent.ts"

export interface Observer {
  /** Sees how a call of an operation ends. */
  readonly call: <A, E>(operation: string, call: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** A refresh has ended that so many waited for. */
  readonly refresh: (outcome: string, waiters: number) => void
  /** A refresh waited so many nanoseconds for its lock. */
  readonly lockWait: (nanos: bigint) => void
  /** A refresh failed in a way that is waited for. */
  readonly cooldown: () => void
  readonly event: (event: SlotEvent) => void
}

/** Read once, when a client is made. */
export const Observer: Context.Reference<Observer | undefined> = Context.Reference<Observer | undefined>(
  "effect-oneentry/Observer",
  { defaultValue: () => undefined }
)

/** What an error is called: its tag, or that of its reason. */
export const errorType = (error: unknown): string => {
  const reason = Predicate.hasProperty(error, "reason") ? error.reason : undefined
  const named = Predicate.hasProperty(reason, "_tag") ? reason : error
  return Predicate.hasProperty(named, "_tag") ? String(named._tag) : "Error"
}

export const isTraced = (context: Context.Context<never>): boolean =>
  Context.getOrUndefined(context, Tracer.ParentSpan) !== undefined

// Effect's own reference brings its tracer into every bundle.
const CurrentTracer = /* @__PURE__ */ Context.Service<Tracer.Tracer>(Tracer.TracerKey)

/** A context that traces where the caller does. */
export const withSpanOf = (caller: Context.Context<never>, context: Context.Context<never>): Context.Context<never> => {
  const span = Context.getOrUndefined(caller, Tracer.ParentSpan)
  if (span === undefined) return context
  const tracer = Context.getOrUndefined(caller, CurrentTracer)
  const traced = Context.add(context, Tracer.ParentSpan, span)
  return tracer === undefined ? traced : Context.add(traced, CurrentTracer, tracer)
}

/** Runs inside of a span that is told what kind of error there was, and neither the error nor the value. */
export const traced = <A, E>(
  name: string,
  options: { readonly kind: Tracer.SpanKind; readonly attributes: Record<string, unknown> },
  effect: Effect.Effect<A, E>,
  seen?: (value: A, span: Tracer.Span) => void
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    let ended: Effect.Effect<A, E> | undefined
    const run = Effect.useSpan(name, options, (span) =>
      Effect.matchEffect(Effect.provideService(effect, Tracer.ParentSpan, span), {
        onFailure: (error) => {
          ended = Effect.fail(error)
          const type = errorType(error)
          span.attribute("error.type", type)
          return Effect.fail(type)
        },
        onSuccess: (value) => {
          ended = Effect.succeed(value)
          seen?.(value, span)
          return Effect.void
        }
      })
    )
    const end = Effect.suspend(() => ended ?? Effect.never)
    return Effect.matchEffect(run, { onFailure: () => end, onSuccess: () => end })
  })

/** Counts the requests of a traced call. */
export const Attempts: Context.Reference<{ count: number } | undefined> = Context.Reference<
  { count: number } | undefined
>("effect-oneentry/Attempts", { defaultValue: () => undefined })

/** The words of which the API's routes are made; whatever else stands in a path belongs to somebody. */
const words =
  /^(api|content|users-auth-providers|marker|users|sign-up|generate-code|check-code|activate|auth|oauth|refresh|logout|logout-all|sessions|change-password|me|account|fcm-token|forms|form-data|update-status|files|)$/

/** The route of a path: `/api/content/forms/marker/{}`. */
export const routeOf = (path: string): string =>
  path
    .replace(/[?#].*$/s, "")
    .split("/")
    .map((segment) => (words.test(segment) ? segment : "{}"))
    .join("/")

/** What every span says: whose marker it is does not matter, but that of a provider. */
export const attributesOf = (operation: string, path = ""): Record<string, unknown> => {
  const marker = /\/users-auth-providers\/marker\/([^/?]+)/.exec(path)?.[1]
  return { "oneentry.operation": operation, ...(marker === undefined ? {} : { "oneentry.provider": marker }) }
}
