/**
 * What the contract suite is made of: named cases, each an Effect, without a test framework, so that every runtime can run
 * them. A result is plain JSON.
 */
import { Cause, Clock, Effect, Exit, Schema } from "effect"

/** A case asked for one thing and saw another. */
export class Unmet extends Schema.TaggedError<Unmet>("test/contract/Unmet")("Unmet", {
  what: Schema.String,
  expected: Schema.String,
  actual: Schema.String
}) {
  override get message() {
    return `${this.what}: expected ${this.expected}, but it is ${this.actual}`
  }
}

export interface Case<R> {
  readonly name: string
  readonly run: Effect.Effect<void, unknown, R>
}

export interface Suite<R> {
  readonly name: string
  /** What the runtime lacks for it, by name. */
  readonly lacks?: string | undefined
  /** The same, where only the server can tell. */
  readonly probe?: Effect.Effect<string | undefined, unknown, R> | undefined
  /** The cases do not mind each other: they run at once, also those of suites beside this one. */
  readonly parallel?: boolean
  readonly cases: ReadonlyArray<Case<R>>
}

export type Result =
  | { readonly suite: string; readonly lacks: string }
  | { readonly suite: string; readonly name: string; readonly millis: number; readonly failure?: string }

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value)

/** Compares what JSON shows of two values. */
export const same = (what: string, actual: unknown, expected: unknown): Effect.Effect<void, Unmet> =>
  shown(actual) === shown(expected)
    ? Effect.void
    : Effect.fail(new Unmet({ what, expected: shown(expected), actual: shown(actual) }))

/** The tag of an error; reasons of `OneEntryError` as `OneEntryError/Reason`, of others as `Tag Reason`. */
export const tagOf = (error: { readonly _tag: string; readonly reason?: unknown }): string => {
  const { _tag, reason } = error
  if (typeof reason === "string") return `${_tag} ${reason}`
  return typeof reason === "object" && reason !== null && "_tag" in reason ? `${_tag}/${String(reason._tag)}` : _tag
}

/** Asks that an effect fails, and how. */
export const fails = <A, E extends { readonly _tag: string; readonly reason?: unknown }, R>(
  what: string,
  effect: Effect.Effect<A, E, R>,
  tag: string
): Effect.Effect<E, Unmet, R> =>
  Effect.matchEffect(effect, {
    onFailure: (error) => Effect.as(same(what, tagOf(error), tag), error),
    onSuccess: () => Effect.fail(new Unmet({ what, expected: tag, actual: "a success" }))
  })

const runCase = <R>(suite: string, { name, run }: Case<R>): Effect.Effect<Result, never, R> =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const exit = yield* Effect.exit(Effect.timeout(run, "60 seconds"))
    const millis = (yield* Clock.currentTimeMillis) - began
    return { suite, name, millis, ...(Exit.isSuccess(exit) ? {} : { failure: Cause.pretty(exit.cause) }) }
  })

const runSuite = <R>({
  cases,
  lacks,
  name,
  parallel,
  probe
}: Suite<R>): Effect.Effect<ReadonlyArray<Result>, never, R> =>
  Effect.gen(function* () {
    if (lacks !== undefined) return [{ suite: name, lacks }]
    const found = yield* Effect.exit(probe ?? Effect.undefined)
    if (Exit.isFailure(found))
      return [{ suite: name, name: "the probe", millis: 0, failure: Cause.pretty(found.cause) }]
    if (found.value !== undefined) return [{ suite: name, lacks: found.value }]
    return yield* Effect.forEach(cases, (one) => runCase(name, one), {
      concurrency: parallel === true ? "unbounded" : 1
    })
  })

/** Runs the suites, first those that do not mind each other. */
export const run = <R>(suites: ReadonlyArray<Suite<R>>): Effect.Effect<ReadonlyArray<Result>, never, R> =>
  Effect.gen(function* () {
    const parallel = suites.filter((suite) => suite.parallel === true)
    const together = yield* Effect.forEach(parallel, runSuite, { concurrency: "unbounded" })
    const results: Array<Result> = []
    for (const suite of suites) {
      const at = parallel.indexOf(suite)
      results.push(...(at === -1 ? yield* runSuite(suite) : (together[at] ?? [])))
    }
    return results
  })
