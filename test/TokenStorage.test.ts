import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, FileSystem, Layer, Option, Redacted, Stream } from "effect"
import { WebCrypto } from "effect/crypto"
import { KeyValueStore } from "effect/persistence"
import { TestConsole } from "effect/testing"
import * as TokenStorage from "effect-oneentry/TokenStorage"
import { InMemory, TokenStorageSuite } from "effect-oneentry/testing"
import { inspect } from "node:util"

const key = Redacted.make("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
const otherKey = Redacted.make(new Uint8Array(32).fill(7))

const layerFiles = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    return KeyValueStore.layerFileSystem(directory)
  })
).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer]))

const storages = {
  memory: TokenStorage.layerMemory,
  "KeyValueStore in memory": TokenStorage.layerKeyValueStore.pipe(Layer.provide(KeyValueStore.layerMemory)),
  "KeyValueStore in files": TokenStorage.layerKeyValueStore.pipe(Layer.provide(layerFiles))
}

for (const [name, layer] of Object.entries(storages)) {
  describe(name, () => {
    TokenStorageSuite.register(it, layer)
  })
  describe(`${name}, encrypted`, () => {
    TokenStorageSuite.register(it, TokenStorage.layerEncrypted(key).pipe(Layer.provide(layer)))
  })
}

describe("memory shared by two", () => {
  const shared = InMemory.makeShared()
  const view = Layer.sync(TokenStorage.TokenStorage, shared.view)
  TokenStorageSuite.register(it, view, { other: view, changes: true })
})

describe("memory shared by two, encrypted", () => {
  const shared = InMemory.makeShared()
  const view = TokenStorage.layerEncrypted([key, otherKey]).pipe(
    Layer.provide(Layer.sync(TokenStorage.TokenStorage, shared.view))
  )
  TokenStorageSuite.register(it, view, { other: view, changes: true })
})

const failing = (thrown: Error) => {
  const die = (): Effect.Effect<never> => {
    throw thrown
  }
  return TokenStorage.make({
    get: die,
    set: () => Effect.suspend(die),
    remove: () => Effect.die(thrown),
    compareAndSet: () => Effect.promise(() => Promise.reject(thrown)),
    changes: Stream.fromEffect(Effect.suspend(die))
  })
}

describe("make", () => {
  it.effect("turns what a storage throws into TokenStorageError", () =>
    Effect.gen(function* () {
      const thrown = new Error("disk on fire")
      const storage = failing(thrown)
      const errors = [
        yield* Effect.flip(storage.get("s")),
        yield* Effect.flip(storage.set("s", "v")),
        yield* Effect.flip(storage.remove("s")),
        yield* Effect.flip(storage.compareAndSet("s", undefined, "v")),
        yield* Effect.flip(Stream.runDrain(storage.changes))
      ]
      assert.deepStrictEqual(
        errors.map((error) => [error._tag, error.operation, error.slot, error.cause]),
        (["get", "set", "remove", "compareAndSet", "changes"] as const).map((operation) => [
          "TokenStorageError",
          operation,
          operation === "changes" ? "*" : "s",
          thrown
        ])
      )
    })
  )

  it.effect("takes what is no text for nothing", () =>
    Effect.gen(function* () {
      for (const json of ["null", "7", "{}"]) {
        let written = ""
        const storage = TokenStorage.make({
          get: () => Effect.sync(() => JSON.parse(json)),
          set: (_, value) => Effect.sync(() => void (written = value)),
          remove: () => Effect.void
        })
        assert.isUndefined(yield* storage.get("s"))
        assert.isTrue(yield* storage.compareAndSet("s", undefined, "v"))
        assert.strictEqual(written, "v")
      }
    })
  )

  it.effect("keeps the errors and the interruption of a storage as they are", () =>
    Effect.gen(function* () {
      const error = new TokenStorage.TokenStorageError({ operation: "get", slot: "s" })
      const storage = TokenStorage.make({
        get: () => Effect.fail(error),
        set: () => Effect.interrupt,
        remove: () => Effect.void,
        changes: Stream.fail(error)
      })
      assert.strictEqual(yield* Effect.flip(storage.get("s")), error)
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(storage.changes)), error)
      const exit = yield* Effect.exit(Effect.forkChild(storage.set("s", "v")).pipe(Effect.flatMap(Fiber.await)))
      assert.isTrue(Exit.isSuccess(exit) && Exit.hasInterrupts(exit.value))
      assert.strictEqual(error.message, 'The token storage could not get slot "s"')
    })
  )

  it.effect("without compareAndSet: not atomic, and writers of a slot exclude each other", () =>
    Effect.gen(function* () {
      const map = new Map<string, string>()
      const pause = yield* Deferred.make<void>()
      const slow = TokenStorage.make({
        get: (slot) => Effect.sync(() => map.get(slot)),
        set: (slot, value) =>
          Effect.andThen(
            slot === "slow" ? Deferred.await(pause) : Effect.yieldNow,
            Effect.sync(() => map.set(slot, value))
          ),
        remove: (slot) => Effect.sync(() => map.delete(slot))
      })
      assert.isFalse(slow.atomic)
      const first = yield* Effect.forkChild(slow.set("slow", "1"), { startImmediately: true })
      const second = yield* Effect.forkChild(slow.compareAndSet("slow", "1", "2"), { startImmediately: true })
      const reader = yield* Effect.forkChild(slow.get("slow"), { startImmediately: true })
      // Another slot is not held up by the one that hangs.
      assert.isTrue(yield* slow.compareAndSet("quick", undefined, "x"))
      assert.strictEqual(map.get("slow"), undefined)
      yield* Deferred.succeed(pause, undefined)
      yield* Fiber.join(first)
      assert.isTrue(yield* Fiber.join(second))
      assert.strictEqual(yield* Fiber.join(reader), "2")
    })
  )

  it("says whether compareAndSet is atomic", () => {
    const options: TokenStorage.Options = {
      get: () => Effect.undefined,
      set: () => Effect.void,
      remove: () => Effect.void
    }
    const compareAndSet = () => Effect.succeed(true)
    assert.isFalse(TokenStorage.make(options).atomic)
    assert.isFalse(TokenStorage.make({ ...options, atomic: true }).atomic)
    assert.isTrue(TokenStorage.make({ ...options, compareAndSet }).atomic)
    assert.isFalse(TokenStorage.make({ ...options, compareAndSet, atomic: false }).atomic)
  })
})

describe("layerKeyValueStore", () => {
  it("finds the store by the very key of Effect's module", () => {
    // TokenStorage makes the key itself, to spare its users the module.
    assert.strictEqual(KeyValueStore.KeyValueStore.key, "effect/persistence/KeyValueStore")
  })

  it.effect("writes under a prefix, one of its own where wanted", () =>
    Effect.gen(function* () {
      const store = yield* KeyValueStore.KeyValueStore
      yield* TokenStorage.makeKeyValueStore(store).set("ann", "1")
      yield* TokenStorage.makeKeyValueStore(store, { prefix: "" }).set("ann", "2")
      const layered = yield* Effect.provide(TokenStorage.TokenStorage, TokenStorage.layerKeyValueStore)
      assert.strictEqual(yield* layered.get("ann"), "1")
      assert.deepStrictEqual((yield* store.keys).toSorted(), ["ann", "oneentry:ann"])
      assert.isFalse(layered.atomic)
    }).pipe(Effect.provide(KeyValueStore.layerMemory))
  )

  it.effect("fails typed, with the store's error as the cause", () =>
    Effect.gen(function* () {
      const storage = TokenStorage.makeKeyValueStore(yield* KeyValueStore.KeyValueStore, { prefix: "" })
      const error = yield* Effect.flip(storage.get(""))
      assert.strictEqual(error._tag, "TokenStorageError")
      assert.isTrue(error.cause instanceof KeyValueStore.KeyValueStoreError)
      // A key that no file name can encode makes the store throw.
      const thrown = yield* Effect.flip(storage.set("\ud800", "value"))
      assert.deepStrictEqual([thrown._tag, thrown.operation], ["TokenStorageError", "set"])
    }).pipe(Effect.provide(layerFiles))
  )
})

describe("layerEncrypted", () => {
  const secret = "CANARY-refresh-token"

  it.effect("keeps no clear text, and another nonce each time", () =>
    Effect.gen(function* () {
      const inner = TokenStorage.makeMemory()
      const storage = yield* TokenStorage.makeEncrypted(inner, key)
      yield* storage.set("ann", secret)
      const first = yield* inner.get("ann")
      yield* storage.set("ann", secret)
      const second = yield* inner.get("ann")
      assert.notStrictEqual(first, second)
      assert.isFalse(`${first}${second}`.includes("CANARY"))
      assert.isFalse(inspect(storage, { depth: 9 }).includes("AAECAwQ"))
      assert.strictEqual(yield* storage.get("ann"), secret)
    })
  )

  it.effect("binds a value to its slot", () =>
    Effect.gen(function* () {
      const inner = TokenStorage.makeMemory()
      const storage = yield* TokenStorage.makeEncrypted(inner, key)
      yield* storage.set("ann", secret)
      yield* inner.set("bob", (yield* inner.get("ann")) ?? "")
      assert.strictEqual(yield* storage.get("bob"), undefined)
    })
  )

  it.effect("takes what does not decrypt for absent, says so once without the value, and writes over it", () =>
    Effect.gen(function* () {
      const inner = TokenStorage.makeMemory()
      const storage = yield* TokenStorage.makeEncrypted(inner, key)
      yield* storage.set("ann", secret)
      const sealed = (yield* inner.get("ann")) ?? ""
      const flipped = `${sealed.slice(0, -3)}${sealed.at(-3) === "A" ? "B" : "A"}${sealed.slice(-2)}`
      const garbage = ["", "v1.", secret, "v1.!!!", "v1.AAAA", sealed.slice(0, -8), flipped, `v2.${sealed.slice(3)}`]
      for (const raw of garbage) {
        yield* inner.set("ann", raw)
        assert.strictEqual(yield* storage.get("ann"), undefined, raw)
        assert.strictEqual(yield* inner.get("ann"), raw, "nothing is rewritten by reading")
        assert.isFalse(yield* storage.compareAndSet("ann", secret, "x"))
        assert.isTrue(yield* storage.compareAndSet("ann", undefined, secret), raw)
        assert.strictEqual(yield* storage.get("ann"), secret)
      }
      const lines = (yield* TestConsole.logLines).map(String).filter((line) => line.includes("does not decrypt"))
      assert.strictEqual(lines.length, 1)
      assert.isFalse(lines.join("").includes("CANARY"))
    })
  )

  it.effect("replaces a key: the first encrypts, all decrypt", () =>
    Effect.gen(function* () {
      const inner = TokenStorage.makeMemory()
      yield* (yield* TokenStorage.makeEncrypted(inner, key)).set("ann", secret)
      const both = yield* TokenStorage.makeEncrypted(inner, [otherKey, key])
      assert.strictEqual(yield* both.get("ann"), secret)
      assert.isTrue(yield* both.compareAndSet("ann", secret, "next"))
      const onlyNew = yield* TokenStorage.makeEncrypted(inner, otherKey)
      assert.strictEqual(yield* onlyNew.get("ann"), "next")
      const onlyOld = yield* TokenStorage.makeEncrypted(inner, key)
      assert.strictEqual(yield* onlyOld.get("ann"), undefined)
    })
  )

  it.effect("compareAndSet wins over a rewrite of the same value, and loses to another value", () =>
    Effect.gen(function* () {
      const inner = TokenStorage.makeMemory()
      const storage = yield* TokenStorage.makeEncrypted(inner, key)
      const meanwhile = (value: string) => {
        let once = true
        return TokenStorage.TokenStorage.of({
          ...inner,
          compareAndSet: (slot, expected, next) =>
            Effect.andThen(
              once ? Effect.sync(() => (once = false)).pipe(Effect.andThen(storage.set(slot, value))) : Effect.void,
              inner.compareAndSet(slot, expected, next)
            )
        })
      }
      yield* storage.set("ann", "a")
      const same = yield* TokenStorage.makeEncrypted(meanwhile("a"), key)
      assert.isTrue(yield* same.compareAndSet("ann", "a", "b"))
      const other = yield* TokenStorage.makeEncrypted(meanwhile("c"), key)
      assert.isFalse(yield* other.compareAndSet("ann", "b", "d"))
      assert.strictEqual(yield* storage.get("ann"), "c")
    })
  )

  it.effect("ends where the storage below says no without a reason", () =>
    Effect.gen(function* () {
      const storage = yield* TokenStorage.makeEncrypted(
        TokenStorage.TokenStorage.of({ ...TokenStorage.makeMemory(), compareAndSet: () => Effect.succeed(false) }),
        key
      )
      assert.isFalse(yield* storage.compareAndSet("ann", undefined, "x"))
    })
  )

  it.effect("keeps atomicity, changes and errors of the storage below", () =>
    Effect.gen(function* () {
      const error = new TokenStorage.TokenStorageError({ operation: "get", slot: "ann" })
      const inner = TokenStorage.make({
        get: () => Effect.fail(error),
        set: () => Effect.void,
        remove: () => Effect.void,
        changes: Stream.make("ann", "bob")
      })
      const storage = yield* TokenStorage.makeEncrypted(inner, key)
      assert.isFalse(storage.atomic)
      assert.isTrue((yield* TokenStorage.makeEncrypted(TokenStorage.makeMemory(), key)).atomic)
      assert.deepStrictEqual(yield* Stream.runCollect(storage.changes), ["ann", "bob"])
      assert.strictEqual(yield* Effect.flip(storage.get("ann")), error)
      assert.strictEqual(yield* Effect.flip(storage.compareAndSet("ann", undefined, "x")), error)
    })
  )

  it.effect("refuses a key that is none, without showing it", () =>
    Effect.gen(function* () {
      const bad: ReadonlyArray<readonly [TokenStorage.EncryptionKey | [], string, number]> = [
        [Redacted.make("CANARY not base64url"), "NotBase64Url", 0],
        [Redacted.make("Q0FOQVJZ"), "NotA256BitKey", 0],
        [Redacted.make(new Uint8Array(16)), "NotA256BitKey", 0],
        [[], "Missing", 0]
      ]
      for (const [badKey, reason, index] of bad) {
        const exit = yield* Effect.exit(
          Effect.provide(
            TokenStorage.TokenStorage,
            TokenStorage.layerEncrypted(badKey).pipe(Layer.provide(TokenStorage.layerMemory))
          )
        )
        const error = Option.getOrThrow(Exit.findErrorOption(exit))
        assert.deepStrictEqual([error._tag, error.reason, error.index], ["EncryptionKeyError", reason, index])
        assert.isFalse(`${error.message}${inspect(error)}${JSON.stringify(error)}`.includes("CANARY"))
      }
      const second = yield* Effect.flip(
        TokenStorage.makeEncrypted(TokenStorage.makeMemory(), [key, Redacted.make("short")])
      )
      assert.strictEqual(second.index, 1)
    })
  )

  it.effect("says that WebCrypto is missing where it is", () =>
    Effect.gen(function* () {
      const insecure = { getRandomValues: crypto.getRandomValues.bind(crypto) } as Crypto
      const error = yield* TokenStorage.makeEncrypted(TokenStorage.makeMemory(), key).pipe(
        Effect.flip,
        Effect.provideService(WebCrypto.WebCrypto, insecure)
      )
      assert.strictEqual(error.reason, "WebCryptoUnavailable")
      assert.include(error.message, "https")
    })
  )

  it.effect("fails typed where encrypting fails", () =>
    Effect.gen(function* () {
      const broken = {
        getRandomValues: crypto.getRandomValues.bind(crypto),
        subtle: {
          importKey: crypto.subtle.importKey.bind(crypto.subtle),
          encrypt: () => Promise.reject(new Error("no entropy"))
        } as unknown as SubtleCrypto
      } as Crypto
      const storage = yield* TokenStorage.makeEncrypted(TokenStorage.makeMemory(), key).pipe(
        Effect.provideService(WebCrypto.WebCrypto, broken)
      )
      assert.strictEqual((yield* Effect.flip(storage.set("ann", secret))).operation, "set")
      assert.strictEqual(
        (yield* Effect.flip(storage.compareAndSet("ann", undefined, secret))).operation,
        "compareAndSet"
      )
    })
  )

  it.effect("generateKey makes a key that works, another each time", () =>
    Effect.gen(function* () {
      const made = yield* TokenStorage.generateKey
      assert.match(Redacted.value(made), /^[\w-]{43}$/)
      assert.notStrictEqual(Redacted.value(made), Redacted.value(yield* TokenStorage.generateKey))
      const storage = yield* TokenStorage.makeEncrypted(TokenStorage.makeMemory(), made)
      yield* storage.set("ann", secret)
      assert.strictEqual(yield* storage.get("ann"), secret)
    })
  )
})
