/**
 * Assertions that fail as values, with what was expected and seen in words.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import { ConformanceError } from "../Conformance.ts"
import type { Check } from "../Conformance.ts"

export interface Expect {
  /** Fails unless the two are the same string, boolean, number or `undefined`. */
  readonly same: (what: string, actual: Value, expected: Value) => Effect.Effect<void, ConformanceError>
  readonly fail: (expected: string, actual: string, cause?: unknown) => ConformanceError
}

export type Value = string | number | boolean | undefined

const shown = (value: Value): string => {
  if (typeof value !== "string") return String(value)
  return value.length > 60
    ? `${JSON.stringify(value.slice(0, 50))}… (${value.length} characters)`
    : JSON.stringify(value)
}

/** Makes a check: errors and defects of the thing under test become `ConformanceError`s. */
export const check = <E, R>(name: string, run: (expect: Expect) => Effect.Effect<void, E, R>): Check<R> => {
  const expect: Expect = {
    fail: (expected, actual, cause) =>
      new ConformanceError({ check: name, expected, actual, ...(cause === undefined ? {} : { cause }) }),
    same: (what, actual, expected) =>
      actual === expected
        ? Effect.void
        : Effect.fail(expect.fail(`${what} to be ${shown(expected)}`, `it is ${shown(actual)}`))
  }
  return {
    name,
    effect: Effect.suspend(() => run(expect)).pipe(
      Effect.catchCause((cause) => {
        const error = Cause.squash(cause)
        if (error instanceof ConformanceError) return Effect.fail(error)
        if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
        const kind = Cause.hasDies(cause) ? "died with" : "failed with"
        return Effect.fail(expect.fail("every operation to succeed", `one ${kind} ${String(error)}`, error))
      })
    )
  }
}

/** Slots of this run only, so that a suite can run on a server that is in use. */
export const randomSlot = Effect.sync(() => Base64Url.encode(globalThis.crypto.getRandomValues(new Uint8Array(9))))
