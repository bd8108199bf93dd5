/**
 * Where sessions are kept. The SDK stores one opaque string (an encoded
 * envelope) under one slot name and never looks inside a storage any further,
 * so a custom storage is three functions. A storage that several processes or
 * tabs share should also give an atomic `compareAndSet`: it is what keeps a
 * one-time refresh token from being overwritten by its own past.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"

/**
 * Fails an operation of a token storage: it could not be reached, or refused.
 *
 * The value itself is never part of the error.
 *
 * **Example** (Keeping an application alive while the storage is down)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 *
 * const program = Effect.gen(function*() {
 *   const storage = yield* TokenStorage.TokenStorage
 *   return yield* storage.get("default")
 * }).pipe(
 *   Effect.catchTag("TokenStorageError", (error) => Effect.logWarning(error.message))
 * )
 *
 * Effect.runPromise(program.pipe(Effect.provide(TokenStorage.layerMemory)))
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class TokenStorageError
  extends Schema.TaggedError<TokenStorageError>("effect-oneentry/TokenStorage/TokenStorageError")("TokenStorageError", {
    operation: Schema.Literals(["get", "set", "remove", "compareAndSet", "changes"]),
    slot: Schema.String,
    cause: Schema.optionalKey(Schema.Defect())
  })
{
  override get message(): string {
    return `The token storage could not ${this.operation} slot "${this.slot}"`
  }
}

/**
 * A place for sessions, by slot name.
 *
 * **Example** (Reading the stored envelope)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 *
 * const stored = TokenStorage.TokenStorage.use((storage) => storage.get("default"))
 *
 * Effect.runPromise(stored.pipe(Effect.provide(TokenStorage.layerMemory)))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class TokenStorage extends Context.Service<TokenStorage, {
  /** The stored string, or `undefined`. */
  readonly get: (slot: string) => Effect.Effect<string | undefined, TokenStorageError>
  /** Stores, whatever was there. */
  readonly set: (slot: string, value: string) => Effect.Effect<void, TokenStorageError>
  /** Removes; removing what is absent is no error. */
  readonly remove: (slot: string) => Effect.Effect<void, TokenStorageError>
  /**
   * Stores `next` if the slot holds `expected` (`undefined`: nothing) and says
   * whether it did; `next` of `undefined` removes.
   */
  readonly compareAndSet: (
    slot: string,
    expected: string | undefined,
    next: string | undefined
  ) => Effect.Effect<boolean, TokenStorageError>
  /** Slots that somebody else (another tab, another process) changed. */
  readonly changes: Stream.Stream<string, TokenStorageError>
  /**
   * Whether `compareAndSet` is atomic for everybody who shares the storage.
   * Where it is not, the session takes the `SessionLock` round every write.
   */
  readonly atomic: boolean
}>()("effect-oneentry/TokenStorage") {}

/**
 * What a custom storage gives.
 *
 * **Example** (The least that a storage needs)
 *
 * ```ts
 * import { Effect } from "effect"
 * import type { TokenStorage } from "effect-oneentry"
 *
 * const map = new Map<string, string>()
 *
 * export const options: TokenStorage.Options = {
 *   get: (slot) => Effect.sync(() => map.get(slot)),
 *   set: (slot, value) => Effect.sync(() => void map.set(slot, value)),
 *   remove: (slot) => Effect.sync(() => void map.delete(slot))
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly get: (slot: string) => Effect.Effect<string | undefined, TokenStorageError>
  readonly set: (slot: string, value: string) => Effect.Effect<void, TokenStorageError>
  readonly remove: (slot: string) => Effect.Effect<void, TokenStorageError>
  /** Atomic compare-and-set, where the storage has one; `next` of `undefined` removes. */
  readonly compareAndSet?:
    | ((
      slot: string,
      expected: string | undefined,
      next: string | undefined
    ) => Effect.Effect<boolean, TokenStorageError>)
    | undefined
  /** Slots changed from outside, where the storage can tell. */
  readonly changes?: Stream.Stream<string, TokenStorageError> | undefined
}

/**
 * Makes a storage from three functions.
 *
 * Without `compareAndSet` one is built from them: writers of this process
 * exclude each other, and the session also takes the `SessionLock` round each
 * write, so it is as safe as that lock.
 *
 * **Example** (A storage over a `Map`)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 *
 * const map = new Map<string, string>()
 *
 * export const layer = Layer.succeed(
 *   TokenStorage.TokenStorage,
 *   TokenStorage.make({
 *     get: (slot) => Effect.sync(() => map.get(slot)),
 *     set: (slot, value) => Effect.sync(() => void map.set(slot, value)),
 *     remove: (slot) => Effect.sync(() => void map.delete(slot))
 *   })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): TokenStorage["Service"] => {
  const changes = options.changes ?? Stream.empty
  if (options.compareAndSet !== undefined) {
    return TokenStorage.of({
      get: options.get,
      set: options.set,
      remove: options.remove,
      compareAndSet: options.compareAndSet,
      changes,
      atomic: true
    })
  }
  const writers = Semaphore.makeUnsafe(1)
  const write = (slot: string, value: string | undefined) =>
    value === undefined ? options.remove(slot) : options.set(slot, value)
  return TokenStorage.of({
    get: options.get,
    set: (slot, value) => writers.withPermit(options.set(slot, value)),
    remove: (slot) => writers.withPermit(options.remove(slot)),
    compareAndSet: (slot, expected, next) =>
      writers.withPermit(
        Effect.flatMap(options.get(slot), (stored) =>
          stored === expected ? Effect.as(write(slot, next), true) : Effect.succeed(false))
      ),
    changes,
    atomic: false
  })
}

/**
 * Makes a storage in memory, empty.
 *
 * **Example** (Two clients that share one storage)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 *
 * const storage = TokenStorage.makeMemory()
 *
 * export const layer = Layer.succeed(TokenStorage.TokenStorage, storage)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeMemory = (): TokenStorage["Service"] => {
  const slots = new Map<string, string>()
  const write = (slot: string, value: string | undefined) => {
    if (value === undefined) slots.delete(slot)
    else slots.set(slot, value)
  }
  return make({
    get: (slot) => Effect.sync(() => slots.get(slot)),
    set: (slot, value) => Effect.sync(() => write(slot, value)),
    remove: (slot) => Effect.sync(() => write(slot, undefined)),
    compareAndSet: (slot, expected, next) =>
      Effect.sync(() => {
        if (slots.get(slot) !== expected) return false
        write(slot, next)
        return true
      })
  })
}

/**
 * Keeps sessions in memory: they end with the process.
 *
 * **Example** (The simplest client)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { OneEntry, TokenStorage } from "effect-oneentry"
 *
 * export const layer = OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<TokenStorage> = Layer.sync(TokenStorage, makeMemory)
