import { Effect, Exit, Scope } from "effect"
import { afterAll, beforeAll } from "vitest"

/** Starts something for a whole `describe`, and ends it afterwards. */
export const hosted = <A, E>(make: Effect.Effect<A, E, Scope.Scope>): (() => A) => {
  const scope = Scope.makeUnsafe()
  let value: { readonly is: A } | undefined
  beforeAll(async () => {
    value = { is: await Effect.runPromise(Scope.provide(make, scope)) }
  })
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return () => {
    if (value === undefined) throw new Error("It has not been started yet")
    return value.is
  }
}
