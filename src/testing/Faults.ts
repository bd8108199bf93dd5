/**
 * A fault script round a storage, a lock or an HTTP client: which call, by
 * operation, number or chance, is delayed, fails, hangs, loses its answer or
 * takes the process down. The same seed gives the same faults.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as SessionLock from "../SessionLock.ts"
import * as TokenStorage from "../TokenStorage.ts"

/**
 * What can be disturbed: the operations of a storage, taking and giving back a lock, sending a request.
 *
 * **Example** (The writes of a storage)
 *
 * ```ts
 * import type { Faults } from "effect-oneentry/testing"
 *
 * export const writes: ReadonlyArray<Faults.Operation> = ["set", "remove", "compareAndSet"]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Operation = "get" | "set" | "remove" | "compareAndSet" | "acquire" | "release" | "request"

/**
 * A call that was made: what a rule sees, and what `calls` lists.
 *
 * `target` is the slot of a storage or lock, and `"POST https://…"` of a request.
 *
 * **Example** (Only refreshes)
 *
 * ```ts
 * import type { Faults } from "effect-oneentry/testing"
 *
 * export const isRefresh = (call: Faults.Call) => call.target.endsWith("/users/refresh")
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly operation: Operation
  readonly target: string
  readonly fault: Fault["_tag"] | undefined
}

/**
 * What happens to a call.
 *
 * **Example** (Choosing one)
 *
 * ```ts
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const all: ReadonlyArray<Faults.Fault> = [
 *   Faults.delay("2 seconds"),
 *   Faults.fail,
 *   Faults.hang,
 *   Faults.loseAnswer,
 *   Faults.crash,
 *   Faults.crashAfter
 * ]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Fault =
  | { readonly _tag: "Delay"; readonly duration: Duration.Input }
  | { readonly _tag: "Fail"; readonly cause: unknown }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "LoseAnswer"; readonly cause: unknown }
  | { readonly _tag: "Crash"; readonly after: boolean }

/**
 * Delays a call, on the clock of the test.
 *
 * **Example** (A slow server)
 *
 * ```ts
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const faults = Faults.make([{ on: "request", fault: Faults.delay("30 seconds") }])
 * ```
 *
 * @category faults
 * @since 0.1.0
 */
export const delay = (duration: Duration.Input): Fault => ({ _tag: "Delay", duration })

/**
 * Fails a call before it has an effect, with the typed error of what it was
 * made on: `TokenStorageError`, `SessionLockError` (`Unavailable`) or a transport error.
 *
 * **Example** (A full disk)
 *
 * ```ts
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const faults = Faults.make([{ on: ["set", "compareAndSet"], fault: Faults.fail }])
 * ```
 *
 * @category faults
 * @since 0.1.0
 */
export const fail: Fault = { _tag: "Fail", cause: new Error("A fault of the test's script") }

/**
 * Never answers, and has no effect. It can be interrupted.
 *
 * **Example** (A lock whose server is gone)
 *
 * ```ts
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const faults = Faults.make([{ on: "acquire", fault: Faults.hang }])
 * ```
 *
 * @category faults
 * @since 0.1.0
 */
export const hang: Fault = { _tag: "Hang" }

/**
 * Fails a call after it had its effect: the request was handled, the value
 * stored, and nobody can know. A lock whose answer is lost stays taken for as
 * long as it may be held.
 *
 * **Example** (A refresh whose answer never came)
 *
 * ```ts
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const faults = Faults.make([{
 *   on: "request",
 *   where: (call) => call.target.endsWith("/users/refresh"),
 *   call: 1,
 *   fault: Faults.loseAnswer
 * }])
 * ```
 *
 * @category faults
 * @since 0.1.0
 */
export const loseAnswer: Fault = { _tag: "LoseAnswer", cause: new Error("The answer was lost, by the test's script") }

/**
 * Takes the process down before a call has its effect: this call and all that
 * go through the same faults, now and later, never return.
 *
 * A crashed fiber is left as it is: to interrupt it runs its finalizers, which
 * a process that is gone could not. So fork it, and do not wait for it.
 *
 * **Example** (Gone before the new pair was written)
 *
 * ```ts
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const faults = Faults.make([{ on: "compareAndSet", call: 1, fault: Faults.crash }])
 * ```
 *
 * @category faults
 * @since 0.1.0
 */
export const crash: Fault = { _tag: "Crash", after: false }

/**
 * Takes the process down after a call had its effect; see `crash`.
 *
 * **Example** (Gone after the server had spent the refresh token)
 *
 * ```ts
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const faults = Faults.make([{ on: "request", call: 2, fault: Faults.crashAfter }])
 * ```
 *
 * @category faults
 * @since 0.1.0
 */
export const crashAfter: Fault = { _tag: "Crash", after: true }

/**
 * Which calls a fault strikes: those of `on`, for which `where` holds; of
 * these the ones counted in `call` (the first is 1), or each with the chance
 * `rate`, or all. The first rule that strikes decides.
 *
 * **Example** (A tenth of all reads)
 *
 * ```ts
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const rule: Faults.Rule = { on: "get", rate: 0.1, fault: Faults.fail }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Rule {
  readonly on: Operation | ReadonlyArray<Operation>
  readonly where?: ((call: Pick<Call, "operation" | "target">) => boolean) | undefined
  readonly call?: number | ReadonlyArray<number> | undefined
  readonly rate?: number | undefined
  readonly fault: Fault
}

/**
 * A running fault script: the state of one simulated process.
 *
 * **Example** (What was called)
 *
 * ```ts
 * import type { Faults } from "effect-oneentry/testing"
 *
 * export const writes = (faults: Faults.Faults) => faults.calls().filter((call) => call.operation === "set").length
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Faults {
  readonly storage: (inner: TokenStorage.TokenStorage["Service"]) => TokenStorage.TokenStorage["Service"]
  readonly lock: (inner: SessionLock.SessionLock) => SessionLock.SessionLock
  readonly httpClient: (inner: HttpClient.HttpClient) => HttpClient.HttpClient
  /** Every call so far, with the fault that struck it. */
  readonly calls: () => ReadonlyArray<Call>
  /** Whether the simulated process is down. */
  readonly crashed: () => boolean
}

/**
 * Starts a fault script.
 *
 * **Example** (A lossy network, always the same)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import { Faults } from "effect-oneentry/testing"
 *
 * const faults = Faults.make([{ on: ["get", "set"], rate: 0.2, fault: Faults.fail }], { seed: 42 })
 * const storage = faults.storage(TokenStorage.makeMemory())
 *
 * Effect.runPromise(Effect.exit(storage.set("default", "value"))).then(console.log)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (rules: ReadonlyArray<Rule>, options?: { readonly seed?: number | undefined }): Faults => {
  const random = generator(options?.seed ?? 1)
  const calls: Array<Call> = []
  const counts = rules.map(() => 0)
  let crashed = false

  const choose = (operation: Operation, target: string): Fault | undefined => {
    let chosen: Fault | undefined
    for (const [index, rule] of rules.entries()) {
      if (!(typeof rule.on === "string" ? [rule.on] : rule.on).includes(operation)) continue
      if (rule.where !== undefined && !rule.where({ operation, target })) continue
      const count = (counts[index] ?? 0) + 1
      counts[index] = count
      const counted =
        rule.call === undefined || (typeof rule.call === "number" ? rule.call === count : rule.call.includes(count))
      // Drawn for every call, so that one rule's outcome does not move another's.
      const drawn = rule.rate === undefined || random() < rule.rate
      if (counted && drawn) chosen ??= rule.fault
    }
    calls.push({ operation, target, fault: chosen?._tag })
    return chosen
  }

  // Whoever was on its way when the process went down gets no answer either.
  const alive = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.exit(effect), (exit) => (crashed ? Effect.never : exit))

  const down = Effect.suspend(() => {
    crashed = true
    return Effect.never
  })

  const strike = <A, E, R>(
    operation: Operation,
    target: string,
    effect: Effect.Effect<A, E, R>,
    error: (cause: unknown) => E
  ): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      if (crashed) return Effect.never
      const fault = choose(operation, target)
      if (fault === undefined) return alive(effect)
      switch (fault._tag) {
        case "Delay":
          return alive(Effect.andThen(Effect.sleep(fault.duration), effect))
        case "Fail":
          return Effect.fail(error(fault.cause))
        case "Hang":
          return Effect.never
        case "LoseAnswer":
          return alive(Effect.andThen(effect, Effect.fail(error(fault.cause))))
        case "Crash":
          return fault.after ? Effect.andThen(effect, down) : down
      }
    })

  return {
    storage: (inner) => {
      const on = <A>(
        operation: "get" | "set" | "remove" | "compareAndSet",
        slot: string,
        effect: Effect.Effect<A, TokenStorage.TokenStorageError>
      ) => strike(operation, slot, effect, (cause) => new TokenStorage.TokenStorageError({ operation, slot, cause }))
      return TokenStorage.TokenStorage.of({
        get: (slot) => on("get", slot, inner.get(slot)),
        set: (slot, value) => on("set", slot, inner.set(slot, value)),
        remove: (slot) => on("remove", slot, inner.remove(slot)),
        compareAndSet: (slot, expected, next) => on("compareAndSet", slot, inner.compareAndSet(slot, expected, next)),
        changes: inner.changes,
        atomic: inner.atomic
      })
    },
    lock: (inner) => ({
      withLock:
        (slot, options) =>
        <A, E, R>(effect: Effect.Effect<A, E, R>) => {
          const error = (cause: unknown): E | SessionLock.SessionLockError =>
            new SessionLock.SessionLockError({ slot, reason: "Unavailable", cause })
          const release = strike("release", slot, Effect.void, error)
          const inside = Effect.flatMap(Effect.exit(effect), (exit) => Effect.andThen(release, exit))
          // A lock that nobody knows to have: held until its time is over.
          const ghost = Effect.forkDetach(inner.withLock(slot, options)(Effect.sleep(options.maxHold)))
          return Effect.suspend((): Effect.Effect<A, E | SessionLock.SessionLockError, R> => {
            if (crashed) return Effect.never
            const fault = choose("acquire", slot)
            const locked = inner.withLock(slot, options)(fault?._tag === "Crash" ? down : inside)
            if (fault === undefined) return locked
            switch (fault._tag) {
              case "Delay":
                return Effect.andThen(Effect.sleep(fault.duration), locked)
              case "Fail":
                return Effect.fail(error(fault.cause))
              case "Hang":
                return Effect.never
              case "LoseAnswer":
                return Effect.andThen(ghost, Effect.fail(error(fault.cause)))
              case "Crash":
                return fault.after ? locked : down
            }
          })
        }
    }),
    httpClient: HttpClient.transform((effect, request) =>
      strike(
        "request",
        `${request.method} ${request.url}`,
        effect,
        (cause) =>
          new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
      )
    ),
    calls: () => calls,
    crashed: () => crashed
  }
}

/**
 * Puts faults round the storage below.
 *
 * **Example** (A storage that fails once)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const layer = Faults.layerTokenStorage(Faults.make([{ on: "set", call: 1, fault: Faults.fail }])).pipe(
 *   Layer.provide(TokenStorage.layerMemory)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTokenStorage = (
  faults: Faults
): Layer.Layer<TokenStorage.TokenStorage, never, TokenStorage.TokenStorage> =>
  Layer.effect(TokenStorage.TokenStorage, Effect.map(TokenStorage.TokenStorage, faults.storage))

/**
 * Puts faults round the lock below, by default the one of the process.
 *
 * **Example** (A lock that cannot be reached)
 *
 * ```ts
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const layer = Faults.layerSessionLock(Faults.make([{ on: "acquire", fault: Faults.fail }]))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSessionLock = (faults: Faults): Layer.Layer<never> =>
  Layer.effect(SessionLock.SessionLock, Effect.map(SessionLock.SessionLock, faults.lock))

/**
 * Puts faults round the HTTP client below.
 *
 * **Example** (A network that loses a twentieth of the answers)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { Faults } from "effect-oneentry/testing"
 *
 * export const layer = Faults.layerHttpClient(
 *   Faults.make([{ on: "request", rate: 0.05, fault: Faults.loseAnswer }], { seed: 7 })
 * ).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerHttpClient = (faults: Faults): Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient> =>
  Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, faults.httpClient))

/** Numbers in [0, 1) that only the seed decides (mulberry32). */
const generator = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
