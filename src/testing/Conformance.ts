/**
 * What the conformance suites are made of: named checks, each an Effect that
 * fails with a readable error, and a way to hand them to a test runner. The
 * runner's own `it` is passed in, so nothing here depends on one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/**
 * Fails a check: what the contract asks for, and what was seen instead.
 *
 * **Example** (Reading a failure)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import { TokenStorageSuite } from "effect-oneentry/testing"
 *
 * export const report = Effect.forEach(TokenStorageSuite.checks(), (check) =>
 *   check.effect.pipe(
 *     Effect.match({
 *       onFailure: (error) => `${check.name}: ${error.message}`,
 *       onSuccess: () => `${check.name}: good`
 *     })
 *   )).pipe(Effect.provide(TokenStorage.layerMemory))
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class ConformanceError extends Schema.TaggedError<ConformanceError>(
  "effect-oneentry/testing/Conformance/ConformanceError"
)("ConformanceError", {
  check: Schema.String,
  expected: Schema.String,
  actual: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return `${this.check}: expected ${this.expected}, but ${this.actual}`
  }
}

/**
 * One named check of a contract.
 *
 * **Example** (Running one)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import type { Conformance } from "effect-oneentry/testing"
 *
 * export const run = (check: Conformance.Check<TokenStorage.TokenStorage>) =>
 *   Effect.runPromise(Effect.provide(check.effect, TokenStorage.layerMemory))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Check<R> {
  readonly name: string
  readonly effect: Effect.Effect<void, ConformanceError, R>
}

/**
 * The part of a test runner's `it` that is used: vitest's, `@effect/vitest`'s,
 * `node:test`'s and others have it.
 *
 * **Example** (Any function will do)
 *
 * ```ts
 * import type { Conformance } from "effect-oneentry/testing"
 *
 * export const it: Conformance.TestFunction = (name, run) => run().then(() => console.log(`ok ${name}`))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown

/**
 * Hands checks to a test runner. Each runs on a layer built for it alone, on the live clock.
 *
 * **Example** (Checks of one's own)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Conformance } from "effect-oneentry/testing"
 *
 * export const register = (it: Conformance.TestFunction) =>
 *   Conformance.register(it, [{ name: "does nothing", effect: Effect.void }], Layer.empty)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const register = <R, E>(it: TestFunction, checks: ReadonlyArray<Check<R>>, layer: Layer.Layer<R, E>): void => {
  for (const check of checks) {
    it(check.name, () => Effect.runPromise(Effect.provide(check.effect, layer, { local: true })))
  }
}
