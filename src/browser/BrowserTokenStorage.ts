/**
 * Sessions in the browser's own storages.
 *
 * IndexedDB is the one to choose: its transactions make `compareAndSet` atomic
 * over all tabs. `localStorage` has no such thing, so its `atomic` is `false`
 * and the session takes the `SessionLock` (Web Locks) round each write.
 * `sessionStorage` belongs to one tab; a browser copies it when it duplicates
 * a tab, and then two tabs hold one refresh token without knowing.
 *
 * A storage that throws on access (blocked, full, a private window) fails with
 * `TokenStorageError`, and the session goes on in memory.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TokenStorage from "../TokenStorage.ts"
import * as BrowserSignals from "./BrowserSignals.ts"
import * as Fence from "./internal/fence.ts"
import * as IndexedDb from "./internal/indexedDb.ts"

/**
 * How sessions are kept in the browser.
 *
 * **Example** (Two applications on one origin)
 *
 * ```ts
 * import { BrowserTokenStorage } from "effect-oneentry/browser"
 *
 * export const layer = BrowserTokenStorage.layerIndexedDb({ name: "admin" })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What the database is called and every key begins with; `"oneentry"` by default. */
  readonly name?: string | undefined
}

/**
 * Keeps sessions in IndexedDB, shared by all tabs of the origin.
 *
 * **Example** (The storage of a single-page application)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { OneEntry } from "effect-oneentry"
 * import { BrowserTokenStorage } from "effect-oneentry/browser"
 *
 * export const layer = OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([BrowserTokenStorage.layerIndexedDb(), FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerIndexedDb = (options?: Options): Layer.Layer<TokenStorage.TokenStorage> =>
  Layer.effect(TokenStorage.TokenStorage, makeIndexedDb(options))

/**
 * Keeps sessions in `localStorage`, shared by all tabs of the origin.
 *
 * **Example** (With the lock that it needs)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { BrowserSessionLock, BrowserTokenStorage } from "effect-oneentry/browser"
 *
 * export const layer = Layer.merge(BrowserTokenStorage.layerLocalStorage(), BrowserSessionLock.layer())
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerLocalStorage = (options?: Options): Layer.Layer<TokenStorage.TokenStorage> =>
  Layer.effect(TokenStorage.TokenStorage, makeLocalStorage(options))

/**
 * Keeps sessions in `sessionStorage`: for this tab, until it is closed.
 *
 * **Example** (A session that ends with its tab)
 *
 * ```ts
 * import { BrowserTokenStorage } from "effect-oneentry/browser"
 *
 * export const layer = BrowserTokenStorage.layerSessionStorage()
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSessionStorage = (options?: Options): Layer.Layer<TokenStorage.TokenStorage> =>
  Layer.sync(TokenStorage.TokenStorage, () => makeSessionStorage(options))

/**
 * Makes a storage in IndexedDB.
 *
 * **Example** (Encrypted, with a key that the page was given)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import { BrowserTokenStorage } from "effect-oneentry/browser"
 *
 * export const storage = (key: TokenStorage.EncryptionKey) =>
 *   Effect.flatMap(BrowserTokenStorage.makeIndexedDb(), (storage) => TokenStorage.makeEncrypted(storage, key))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeIndexedDb = /* @__PURE__ */ Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<TokenStorage.TokenStorage["Service"], never, Scope.Scope> {
  const name = options?.name ?? defaultName
  const database = yield* Effect.acquireRelease(
    Effect.sync(() => IndexedDb.make(name)),
    (database) => database.close
  )
  const signals = yield* BrowserSignals.make({ name })

  const run = <A>(
    operation: TokenStorage.TokenStorageError["operation"],
    slot: string,
    effect: Effect.Effect<A, IndexedDb.IndexedDbFailure>
  ) =>
    effect.pipe(
      Effect.mapError(({ cause }) => new TokenStorage.TokenStorageError({ operation, slot, cause })),
      // Some browsers leave a request without an answer when their database is broken.
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () =>
          Effect.fail(
            new TokenStorage.TokenStorageError({
              operation,
              slot,
              cause: new Error(`IndexedDB did not answer within ${Duration.format(timeout)}`)
            })
          )
      })
    )

  const write = (slot: string, value: string | undefined): IndexedDb.Decision<boolean> => ({
    result: true,
    write: value === undefined ? "delete" : { value }
  })
  const text = (stored: unknown) => (typeof stored === "string" ? stored : undefined)

  const update = (
    operation: TokenStorage.TokenStorageError["operation"],
    slot: string,
    decide: (stored: string | undefined) => IndexedDb.Decision<boolean>
  ) =>
    Effect.tap(
      run(
        operation,
        slot,
        database.update("sessions", slot, (stored) => decide(text(stored)))
      ),
      (written) => (written ? signals.publish(slot) : Effect.void)
    )

  return TokenStorage.make({
    get: (slot) => Effect.map(run("get", slot, database.read("sessions", slot)), text),
    set: (slot, value) => Effect.asVoid(update("set", slot, () => write(slot, value))),
    remove: (slot) => Effect.asVoid(update("remove", slot, () => write(slot, undefined))),
    compareAndSet: (slot, expected, next) =>
      update("compareAndSet", slot, (stored) => (stored === expected ? write(slot, next) : { result: false })),
    changes: signals.changes
  })
})

/**
 * Makes a storage in `localStorage`.
 *
 * Its `changes` are the browser's own `storage` events. Browsers hand writes
 * from process to process when they please, so each is counted in IndexedDB
 * too, and a reader waits for those that it has not seen yet.
 *
 * **Example** (A storage at hand)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { BrowserTokenStorage } from "effect-oneentry/browser"
 *
 * export const stored = Effect.scoped(
 *   Effect.flatMap(BrowserTokenStorage.makeLocalStorage(), (storage) => storage.get("default"))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeLocalStorage = /* @__PURE__ */ Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<TokenStorage.TokenStorage["Service"], never, Scope.Scope> {
  const name = options?.name ?? defaultName
  const prefix = prefixOf(options)
  const area = () => globalThis.localStorage
  const database = yield* Effect.acquireRelease(
    Effect.sync(() => IndexedDb.make(name)),
    (database) => database.close
  )
  const fence = Fence.make(database, area, `${name}:version:`)
  const storage = makeWebStorage(area, prefix)
  return TokenStorage.make({
    get: (slot) => Effect.andThen(fence.await(slot), storage.get(slot)),
    set: (slot, value) => Effect.andThen(storage.set(slot, value), fence.advance(slot)),
    remove: (slot) => Effect.andThen(storage.remove(slot), fence.advance(slot)),
    compareAndSet: (slot, expected, next) =>
      fence.await(slot).pipe(
        Effect.andThen(storage.compareAndSet(slot, expected, next)),
        Effect.tap((written) => (written ? fence.advance(slot) : Effect.void))
      ),
    // In one tab nothing comes between reading and writing, but in two it may.
    atomic: false,
    changes: BrowserSignals.storageEvents((event) =>
      event.key !== null && event.key.startsWith(prefix) && isLocal(event.storageArea)
        ? event.key.slice(prefix.length)
        : undefined
    )
  })
})

/**
 * Makes a storage in `sessionStorage`.
 *
 * **Example** (For one who needs no layer)
 *
 * ```ts
 * import { BrowserTokenStorage } from "effect-oneentry/browser"
 *
 * export const storage = BrowserTokenStorage.makeSessionStorage()
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeSessionStorage = (options?: Options): TokenStorage.TokenStorage["Service"] =>
  TokenStorage.make(makeWebStorage(() => globalThis.sessionStorage, prefixOf(options)))

const defaultName = "oneentry"
const timeout = Duration.seconds(5)
const prefixOf = (options: Options | undefined) => `${options?.name ?? defaultName}:session:`

const isLocal = (area: Storage | null) => {
  try {
    return area === globalThis.localStorage
  } catch {
    return false
  }
}

/** `storage` is asked for in each operation: reading the property may throw, and there is none on a server. */
const makeWebStorage = (storage: () => Storage, prefix: string) => {
  const use = <A>(
    operation: TokenStorage.TokenStorageError["operation"],
    slot: string,
    run: (storage: Storage, key: string) => A
  ) =>
    Effect.try({
      try: () => run(storage(), prefix + slot),
      catch: (cause) => new TokenStorage.TokenStorageError({ operation, slot, cause })
    })
  const write = (storage: Storage, key: string, value: string | undefined) => {
    if (value === undefined) storage.removeItem(key)
    else storage.setItem(key, value)
  }
  return {
    get: (slot: string) => use("get", slot, (storage, key) => storage.getItem(key) ?? undefined),
    set: (slot: string, value: string) => use("set", slot, (storage, key) => write(storage, key, value)),
    remove: (slot: string) => use("remove", slot, (storage, key) => write(storage, key, undefined)),
    compareAndSet: (slot: string, expected: string | undefined, next: string | undefined) =>
      use("compareAndSet", slot, (storage, key) => {
        if ((storage.getItem(key) ?? undefined) !== expected) return false
        write(storage, key, next)
        return true
      })
  }
}
