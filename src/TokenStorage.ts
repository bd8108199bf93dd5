/**
 * Where sessions are kept. The SDK stores one opaque string (an encoded
 * envelope) under one slot name and never looks inside a storage any further,
 * so a custom storage is three functions. A storage that several processes or
 * tabs share should also give an atomic `compareAndSet`: it is what keeps a
 * one-time refresh token from being overwritten by its own past.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Codecs from "./internal/codecs.ts"
import * as KeyedMutex from "./internal/keyedMutex.ts"

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
export class TokenStorageError extends Schema.TaggedError<TokenStorageError>(
  "effect-oneentry/TokenStorage/TokenStorageError"
)("TokenStorageError", {
  operation: Schema.Literals(["get", "set", "remove", "compareAndSet", "changes"]),
  slot: Schema.String,
  cause: Schema.optionalKey(Codecs.Foreign)
}) {
  override get message(): string {
    return this.operation === "changes"
      ? "The changes of the token storage could not be followed"
      : `The token storage could not ${this.operation} slot "${this.slot}"`
  }
}

/**
 * Fails the construction of an encrypted storage: a key cannot be used.
 *
 * The key itself is never part of the error; `index` is its place in the list.
 *
 * **Example** (A key from the environment)
 *
 * ```ts
 * import { Config, Effect, Layer } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 *
 * export const layer = Layer.unwrap(
 *   Effect.map(Config.Redacted("SESSION_KEY"), (key) => TokenStorage.layerEncrypted(key))
 * ).pipe(
 *   Layer.tapError((error) => Effect.logError(error.message))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class EncryptionKeyError extends Schema.TaggedError<EncryptionKeyError>(
  "effect-oneentry/TokenStorage/EncryptionKeyError"
)("EncryptionKeyError", {
  index: Schema.Int,
  reason: Schema.Literals(["Missing", "NotBase64Url", "NotA256BitKey", "WebCryptoUnavailable"])
}) {
  override get message(): string {
    switch (this.reason) {
      case "Missing":
        return "An encrypted token storage needs a key: pass the result of TokenStorage.generateKey"
      case "NotBase64Url":
        return `Encryption key ${this.index} is not base64url: pass 32 random bytes, as bytes or in base64url`
      case "NotA256BitKey":
        return `Encryption key ${this.index} does not have 256 bits: pass 32 random bytes, as bytes or in base64url`
      case "WebCryptoUnavailable":
        return "An encrypted token storage needs crypto.subtle, which a browser has in secure contexts (https) only"
    }
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
export class TokenStorage extends Context.Service<
  TokenStorage,
  {
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
  }
>()("effect-oneentry/TokenStorage") {}

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
  /**
   * Whether `compareAndSet` is atomic for everybody who shares the storage; by
   * default, whether it is given. Say `false` where it is so in part only.
   */
  readonly atomic?: boolean | undefined
}

/**
 * Makes a storage from three functions.
 *
 * Without `compareAndSet` one is built from them: the readers and writers of a
 * slot in this process exclude each other, and the session also takes the
 * `SessionLock` round each write, so it is as safe as that lock.
 *
 * An exception that a function throws, and a defect of its effect, fail the
 * operation with `TokenStorageError`, the exception as its `cause`: no storage
 * can kill a session. So keep values out of the exceptions you throw.
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
  const get = (slot: string) => guard("get", slot, () => Effect.map(options.get(slot), textOf))
  const set = (slot: string, value: string) => guard("set", slot, () => options.set(slot, value))
  const remove = (slot: string) => guard("remove", slot, () => options.remove(slot))
  const changes = options.changes === undefined ? Stream.empty : guardChanges(options.changes)
  const { compareAndSet } = options
  if (compareAndSet !== undefined) {
    return TokenStorage.of({
      get,
      set,
      remove,
      compareAndSet: (slot, expected, next) => guard("compareAndSet", slot, () => compareAndSet(slot, expected, next)),
      changes,
      atomic: options.atomic ?? true
    })
  }
  const turns = KeyedMutex.make()
  return TokenStorage.of({
    // Readers wait too: a store of files shows half of a value while it is written.
    get: (slot) => turns.withKey(slot)(get(slot)),
    set: (slot, value) => turns.withKey(slot)(set(slot, value)),
    remove: (slot) => turns.withKey(slot)(remove(slot)),
    compareAndSet: (slot, expected, next) =>
      turns.withKey(slot)(
        Effect.flatMap(get(slot), (stored) =>
          stored !== expected
            ? Effect.succeed(false)
            : Effect.as(next === undefined ? remove(slot) : set(slot, next), true)
        )
      ),
    changes,
    atomic: false
  })
}

/** `null` of a storage that knows no types, and whatever else is no text, is as good as nothing. */
const textOf = (stored: unknown): string | undefined => (typeof stored === "string" ? stored : undefined)

const guard = <A>(
  operation: TokenStorageError["operation"],
  slot: string,
  run: () => Effect.Effect<A, TokenStorageError>
): Effect.Effect<A, TokenStorageError> =>
  Effect.catchDefect(Effect.suspend(run), (cause) => Effect.fail(new TokenStorageError({ operation, slot, cause })))

const guardChanges = (changes: Stream.Stream<string, TokenStorageError>): Stream.Stream<string, TokenStorageError> =>
  Stream.catchCause(changes, (cause) => {
    const reason = cause.reasons.find(Cause.isDieReason)
    return reason === undefined
      ? Stream.failCause(cause)
      : Stream.fail(new TokenStorageError({ operation: "changes", slot: "*", cause: reason.defect }))
  })

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
export const layerMemory: Layer.Layer<TokenStorage> = /* @__PURE__ */ Layer.sync(TokenStorage, makeMemory)

/**
 * How a key-value store is used.
 *
 * **Example** (Two applications in one store)
 *
 * ```ts
 * import { TokenStorage } from "effect-oneentry"
 *
 * export const options: TokenStorage.KeyValueStoreOptions = { prefix: "shop:sessions:" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface KeyValueStoreOptions {
  /** What every key begins with, before the slot; `"oneentry:"` by default. */
  readonly prefix?: string | undefined
}

// The module of the service brings the file system and SQL with it, 12 modules
// that nobody else here needs. A service is found by its id, so its key is
// made here again.
const KeyValueStoreKey = /* @__PURE__ */ Context.Service<KeyValueStore.KeyValueStore>(
  "effect/persistence/KeyValueStore"
)

/**
 * Keeps sessions in any `KeyValueStore` of Effect's: files, SQL, Web Storage.
 *
 * Such a store has no compare-and-set, so `atomic` is `false` and the session
 * takes the `SessionLock` round each write. Files are written in place: a
 * process that dies while it writes leaves half a value, which counts as
 * absent. Where many processes share sessions, prefer `effect-oneentry/redis` or `effect-oneentry/sql`.
 *
 * **Example** (Sessions in files)
 *
 * ```ts
 * import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
 * import * as NodePath from "@effect/platform-node/NodePath"
 * import { Layer } from "effect"
 * import { KeyValueStore } from "effect/persistence"
 * import { TokenStorage } from "effect-oneentry"
 *
 * export const layer = TokenStorage.layerKeyValueStore.pipe(
 *   Layer.provide(KeyValueStore.layerFileSystem(".sessions")),
 *   Layer.provide([NodeFileSystem.layer, NodePath.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerKeyValueStore: Layer.Layer<TokenStorage, never, KeyValueStore.KeyValueStore> =
  /* @__PURE__ */ Layer.effect(
    TokenStorage,
    /* @__PURE__ */ Effect.map(KeyValueStoreKey, (store) => makeKeyValueStore(store))
  )

/**
 * Makes a storage from a `KeyValueStore` that is already at hand, under a prefix of one's own where wanted.
 *
 * **Example** (A store in a local map)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { KeyValueStore } from "effect/persistence"
 * import { TokenStorage } from "effect-oneentry"
 *
 * export const storage = Effect.map(KeyValueStore.KeyValueStore, (store) =>
 *   TokenStorage.makeKeyValueStore(store, { prefix: "admin:" }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeKeyValueStore = (
  store: KeyValueStore.KeyValueStore,
  options?: KeyValueStoreOptions
): TokenStorage["Service"] => {
  const prefix = options?.prefix ?? "oneentry:"
  const run = <A>(
    operation: TokenStorageError["operation"],
    slot: string,
    effect: Effect.Effect<A, KeyValueStore.KeyValueStoreError>
  ) => Effect.mapError(effect, (cause) => new TokenStorageError({ operation, slot, cause }))
  return make({
    get: (slot) => run("get", slot, store.get(prefix + slot)),
    set: (slot, value) => run("set", slot, store.set(prefix + slot, value)),
    remove: (slot) => run("remove", slot, store.remove(prefix + slot))
  })
}

/**
 * A secret key of 256 random bits: as bytes, or as text in base64url.
 *
 * **Example** (From text)
 *
 * ```ts
 * import { Redacted } from "effect"
 * import type { TokenStorage } from "effect-oneentry"
 *
 * export const key: TokenStorage.EncryptionKey = Redacted.make("n7R3…43 characters of base64url")
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type EncryptionKey = Redacted.Redacted<string> | Redacted.Redacted<Uint8Array>

/**
 * Makes a new random key, in base64url, to be kept where secrets are kept.
 *
 * **Example** (Printing a key, once)
 *
 * ```ts
 * import { Console, Effect, Redacted } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 *
 * const program = Effect.flatMap(TokenStorage.generateKey, (key) => Console.log(Redacted.value(key)))
 *
 * Effect.runPromise(program)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const generateKey: Effect.Effect<Redacted.Redacted<string>> = /* @__PURE__ */ Effect.map(
  WebCrypto.WebCrypto,
  (crypto) => Redacted.make(Base64Url.encode(crypto.getRandomValues(new Uint8Array(32))), { label: "encryptionKey" })
)

/**
 * Encrypts every value of the storage below it, with AES-256-GCM and a random
 * nonce for each write. The slot's name is authenticated with the value, so
 * one user's session cannot be put in another's place.
 *
 * Of several keys the first encrypts and each decrypts, so that a key is
 * replaced by putting the new one in front. What does not decrypt counts as
 * absent. Whether the storage is atomic and which changes it tells stay as
 * they are below; `compareAndSet` compares what was encrypted.
 *
 * **Example** (Replacing a key)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 *
 * export const layer = (current: TokenStorage.EncryptionKey, former: TokenStorage.EncryptionKey) =>
 *   TokenStorage.layerEncrypted([current, former]).pipe(
 *     Layer.provide(TokenStorage.layerKeyValueStore)
 *   )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerEncrypted = (
  key: EncryptionKey | ReadonlyArray<EncryptionKey>
): Layer.Layer<TokenStorage, EncryptionKeyError, TokenStorage> =>
  Layer.effect(
    TokenStorage,
    Effect.flatMap(TokenStorage, (storage) => makeEncrypted(storage, key))
  )

/**
 * Makes an encrypted view of a storage; see `layerEncrypted`.
 *
 * **Example** (Encrypting a storage that is at hand)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 *
 * export const storage = Effect.gen(function*() {
 *   const key = yield* TokenStorage.generateKey
 *   return yield* TokenStorage.makeEncrypted(TokenStorage.makeMemory(), key)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeEncrypted = /* @__PURE__ */ Effect.fnUntraced(function* (
  storage: TokenStorage["Service"],
  key: EncryptionKey | ReadonlyArray<EncryptionKey>
): Effect.fn.Return<TokenStorage["Service"], EncryptionKeyError> {
  const crypto = yield* WebCrypto.WebCrypto
  // Absent in insecure contexts of browsers, whatever its type says.
  const subtle: SubtleCrypto | undefined = crypto?.subtle
  if (subtle === undefined) return yield* new EncryptionKeyError({ index: 0, reason: "WebCryptoUnavailable" })
  const keys = yield* Effect.forEach(Redacted.isRedacted(key) ? [key] : key, (key, index) =>
    importKey(subtle, key, index)
  )
  const [first] = keys
  if (first === undefined) return yield* new EncryptionKeyError({ index: 0, reason: "Missing" })

  const encrypt = (operation: TokenStorageError["operation"], slot: string, value: string) =>
    Effect.tryPromise({
      try: async () => {
        const iv = crypto.getRandomValues(new Uint8Array(nonceLength))
        const sealed = await subtle.encrypt(gcm(iv, slot), first, encoder.encode(value))
        const bytes = new Uint8Array(nonceLength + sealed.byteLength)
        bytes.set(iv)
        bytes.set(new Uint8Array(sealed), nonceLength)
        return sealedPrefix + Base64Url.encode(bytes)
      },
      catch: (cause) => new TokenStorageError({ operation, slot, cause })
    })

  // A value that nobody here has encrypted is as good as none. That is said
  // once: a key taken out too early signs everybody out.
  let warned = false
  const unreadable = (slot: string) => {
    if (warned) return Effect.void
    warned = true
    return Effect.logWarning(`The stored value of slot "${slot}" does not decrypt with any key, so it counts as absent`)
  }
  const decrypt = Effect.fnUntraced(function* (slot: string, stored: string | undefined) {
    if (stored === undefined) return undefined
    const value = yield* Effect.promise(() => decryptWith(subtle, keys, slot, stored))
    if (value === undefined) yield* unreadable(slot)
    return value
  })

  const compareAndSet = Effect.fnUntraced(function* (
    slot: string,
    expected: string | undefined,
    next: string | undefined
  ): Effect.fn.Return<boolean, TokenStorageError> {
    const sealed = next === undefined ? undefined : yield* encrypt("compareAndSet", slot, next)
    let stored = yield* storage.get(slot)
    while (true) {
      if ((yield* decrypt(slot, stored)) !== expected) return false
      if (yield* storage.compareAndSet(slot, stored, sealed)) return true
      // Somebody wrote in between, and perhaps the same value with another nonce.
      const again = yield* storage.get(slot)
      if (again === stored) return false
      stored = again
    }
  })

  return TokenStorage.of({
    get: (slot) => Effect.flatMap(storage.get(slot), (stored) => decrypt(slot, stored)),
    set: (slot, value) => Effect.flatMap(encrypt("set", slot, value), (sealed) => storage.set(slot, sealed)),
    remove: storage.remove,
    compareAndSet,
    changes: storage.changes,
    atomic: storage.atomic
  })
})

const nonceLength = 12
const sealedPrefix = "v1."
const encoder = /* @__PURE__ */ new TextEncoder()

const gcm = (iv: Uint8Array<ArrayBuffer>, slot: string): AesGcmParams => ({
  name: "AES-GCM",
  iv,
  additionalData: encoder.encode(`effect-oneentry/TokenStorage:${slot}`)
})

const importKey = (subtle: SubtleCrypto, key: EncryptionKey, index: number) => {
  const value: string | Uint8Array = Redacted.value<string | Uint8Array>(key)
  const bytes = typeof value === "string" ? Base64Url.decode(value.trim()) : Result.succeed(value)
  if (Result.isFailure(bytes)) return Effect.fail(new EncryptionKeyError({ index, reason: "NotBase64Url" }))
  if (bytes.success.length !== 32) return Effect.fail(new EncryptionKeyError({ index, reason: "NotA256BitKey" }))
  const raw = new Uint8Array(bytes.success)
  return Effect.tryPromise({
    try: () => subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]),
    catch: () => new EncryptionKeyError({ index, reason: "NotA256BitKey" })
  })
}

const decryptWith = async (
  subtle: SubtleCrypto,
  keys: ReadonlyArray<CryptoKey>,
  slot: string,
  stored: string
): Promise<string | undefined> => {
  if (!stored.startsWith(sealedPrefix)) return undefined
  const decoded = Base64Url.decode(stored.slice(sealedPrefix.length))
  if (Result.isFailure(decoded) || decoded.success.length <= nonceLength) return undefined
  const bytes = new Uint8Array(decoded.success)
  for (const key of keys) {
    try {
      const opened = await subtle.decrypt(gcm(bytes.slice(0, nonceLength), slot), key, bytes.slice(nonceLength))
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(opened)
    } catch {
      // Another key, or nobody's.
    }
  }
  return undefined
}
