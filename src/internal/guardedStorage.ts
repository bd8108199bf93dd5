/** A storage that fails in typed ways only: what it throws, interrupts or never answers is a `TokenStorageError`. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as TokenStorage from "../TokenStorage.ts"
import type { Deadlines } from "./deadlines.ts"

export interface GuardedStorage extends Pick<
  TokenStorage.TokenStorage["Service"],
  "get" | "set" | "remove" | "compareAndSet" | "atomic"
> {}

/** How long one operation of a storage may take before it counts as failed. */
export const storageTimeoutMillis = 5_000

/** Guards a storage; `deadlines` are of `storageTimeoutMillis`. */
export const make = (
  storage: TokenStorage.TokenStorage["Service"],
  deadlines: Deadlines,
  context: Context.Context<never>
): GuardedStorage => {
  const guard = <A>(
    operation: TokenStorage.TokenStorageError["operation"],
    slot: string,
    run: () => Effect.Effect<A, TokenStorage.TokenStorageError>
  ): Effect.Effect<A, TokenStorage.TokenStorageError> => {
    const failed = (cause: unknown) => new TokenStorage.TokenStorageError({ operation, slot, cause })
    return deadlines.within(
      Effect.catchCause(Effect.suspend(run), (cause) => {
        const reason = cause.reasons.find((reason) => Cause.isFailReason(reason) || Cause.isDieReason(reason))
        return Effect.fail(
          reason === undefined
            ? failed(new Error("interrupted"))
            : Cause.isFailReason(reason)
              ? reason.error
              : failed(reason.defect)
        )
      }),
      context,
      () => failed(new Error(`no answer within ${storageTimeoutMillis} ms`))
    )
  }
  return {
    get: (slot) => guard("get", slot, () => storage.get(slot)),
    set: (slot, value) => guard("set", slot, () => storage.set(slot, value)),
    remove: (slot) => guard("remove", slot, () => storage.remove(slot)),
    compareAndSet: (slot, expected, next) =>
      guard("compareAndSet", slot, () => storage.compareAndSet(slot, expected, next)),
    atomic: storage.atomic
  }
}
