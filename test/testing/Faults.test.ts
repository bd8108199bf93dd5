import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as SessionLock from "effect-oneentry/SessionLock"
import * as TokenStorage from "effect-oneentry/TokenStorage"
import { Faults, InMemory } from "effect-oneentry/testing"

const hold = { maxHold: Duration.seconds(10) }
const settle = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow)

const server = () => {
  const requests: Array<string> = []
  const client = HttpClient.make((request) =>
    Effect.sync(() => {
      requests.push(request.url)
      return HttpClientResponse.fromWeb(request, new Response("ok"))
    })
  )
  return { requests, client }
}

describe("Faults", () => {
  it.effect("lets everything through without rules, and lists the calls", () =>
    Effect.gen(function* () {
      const faults = Faults.make([])
      const storage = faults.storage(TokenStorage.makeMemory())
      const lock = faults.lock(SessionLock.makeInProcess())
      const { client, requests } = server()
      yield* storage.set("ann", "1")
      assert.strictEqual(yield* storage.get("ann"), "1")
      assert.isTrue(yield* storage.compareAndSet("ann", "1", "2"))
      yield* storage.remove("ann")
      assert.strictEqual(yield* lock.withLock("ann", hold)(Effect.succeed(1)), 1)
      yield* faults.httpClient(client).get("http://127.0.0.1/a")
      assert.deepStrictEqual(requests, ["http://127.0.0.1/a"])
      assert.isTrue(storage.atomic)
      assert.deepStrictEqual(
        faults.calls().map(({ operation, target }) => `${operation} ${target}`),
        [
          "set ann",
          "get ann",
          "compareAndSet ann",
          "remove ann",
          "acquire ann",
          "release ann",
          "request GET http://127.0.0.1/a"
        ]
      )
    })
  )

  it.effect("fails, by operation, target and number of the call", () =>
    Effect.gen(function* () {
      const faults = Faults.make([
        { on: ["set", "compareAndSet"], call: [2, 4], where: (call) => call.target === "ann", fault: Faults.fail }
      ])
      const inner = TokenStorage.makeMemory()
      const storage = faults.storage(inner)
      yield* storage.set("bob", "0")
      yield* storage.set("ann", "1")
      const error = yield* Effect.flip(storage.set("ann", "2"))
      assert.deepStrictEqual([error._tag, error.operation, error.slot], ["TokenStorageError", "set", "ann"])
      assert.strictEqual(yield* inner.get("ann"), "1")
      yield* storage.set("ann", "3")
      assert.strictEqual((yield* Effect.flip(storage.compareAndSet("ann", "3", "4"))).operation, "compareAndSet")
      assert.deepStrictEqual(
        faults.calls().map((call) => call.fault),
        [undefined, undefined, "Fail", undefined, "Fail"]
      )
    })
  )

  it.effect("loses the answer after the effect", () =>
    Effect.gen(function* () {
      const faults = Faults.make([
        { on: ["compareAndSet", "request", "acquire"], call: [1, 2, 3], fault: Faults.loseAnswer }
      ])
      const inner = TokenStorage.makeMemory()
      const { client, requests } = server()
      assert.isTrue(Exit.isFailure(yield* Effect.exit(faults.storage(inner).compareAndSet("ann", undefined, "1"))))
      assert.strictEqual(yield* inner.get("ann"), "1")
      const error = yield* Effect.flip(faults.httpClient(client).post("http://127.0.0.1/refresh"))
      assert.strictEqual(error.reason._tag, "TransportError")
      assert.strictEqual(requests.length, 1)
      // The lock is taken by nobody, until its time is over.
      const lock = SessionLock.makeInProcess()
      const lost = yield* Effect.flip(faults.lock(lock).withLock("ann", hold)(Effect.succeed("in")))
      assert.deepStrictEqual([lost._tag, lost.reason], ["SessionLockError", "Unavailable"])
      const next = yield* Effect.forkChild(lock.withLock("ann", hold)(Effect.succeed("in")))
      yield* TestClock.adjust("9 seconds")
      assert.isUndefined(next.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(next), "in")
    })
  )

  it.effect("delays and hangs", () =>
    Effect.gen(function* () {
      const faults = Faults.make([
        { on: "get", fault: Faults.delay("5 seconds") },
        { on: ["set", "acquire"], fault: Faults.hang }
      ])
      const inner = TokenStorage.makeMemory()
      const storage = faults.storage(inner)
      const read = yield* Effect.forkChild(storage.get("ann"))
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(read.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(read), undefined)
      const write = yield* Effect.forkChild(storage.set("ann", "1"))
      const wait = yield* Effect.forkChild(faults.lock(SessionLock.makeInProcess()).withLock("ann", hold)(Effect.void))
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(write.pollUnsafe())
      assert.isUndefined(wait.pollUnsafe())
      yield* Fiber.interruptAll([write, wait])
      assert.strictEqual(yield* inner.get("ann"), undefined)
    })
  )

  it.effect("crashes: nothing of this process returns any more, and its lock stays taken", () =>
    Effect.gen(function* () {
      const faults = Faults.make([{ on: "compareAndSet", call: 1, fault: Faults.crashAfter }])
      const inner = InMemory.makeShared()
      const lock = SessionLock.makeInProcess()
      const storage = faults.storage(inner.view())
      const slowStorage = faults.storage(
        TokenStorage.make({
          get: () => Effect.as(Effect.sleep("1 second"), "late"),
          set: () => Effect.void,
          remove: () => Effect.void
        })
      )
      const onItsWay = yield* Effect.forkChild(slowStorage.get("ann"))
      const dead = yield* Effect.forkChild(
        faults.lock(lock).withLock("ann", hold)(storage.compareAndSet("ann", undefined, "1"))
      )
      yield* settle
      assert.isTrue(faults.crashed())
      assert.strictEqual(inner.slots.get("ann"), "1")
      const later = yield* Effect.forkChild(storage.get("ann"))
      const other = yield* Effect.forkChild(lock.withLock("ann", hold)(Effect.void))
      yield* TestClock.adjust("2 seconds")
      for (const fiber of [onItsWay, dead, later, other]) assert.isUndefined(fiber.pollUnsafe())
    })
  )

  it.effect("crashes before the effect, at the lock and at its release", () =>
    Effect.gen(function* () {
      const inner = TokenStorage.makeMemory()
      const before = Faults.make([{ on: "set", fault: Faults.crash }])
      yield* Effect.forkChild(before.storage(inner).set("ann", "1"))
      yield* settle
      assert.isTrue(before.crashed())
      assert.strictEqual(yield* inner.get("ann"), undefined)

      for (const on of ["acquire", "release"] as const) {
        for (const fault of [Faults.crash, Faults.crashAfter]) {
          const lock = SessionLock.makeInProcess()
          const faults = Faults.make([{ on, fault }])
          let ran = false
          yield* Effect.forkChild(faults.lock(lock).withLock("ann", hold)(Effect.sync(() => (ran = true))))
          yield* settle
          const next = yield* Effect.forkChild(lock.withLock("ann", hold)(Effect.void))
          yield* settle
          const taken = next.pollUnsafe() === undefined
          assert.deepStrictEqual([ran, taken], [on === "release", on === "release" || fault === Faults.crashAfter])
        }
      }
    })
  )

  it.effect("strikes by chance, the same for the same seed", () =>
    Effect.gen(function* () {
      const run = (seed: number) =>
        Effect.gen(function* () {
          const faults = Faults.make([{ on: "get", rate: 0.3, fault: Faults.fail }], { seed })
          const storage = faults.storage(TokenStorage.makeMemory())
          return yield* Effect.forEach(Array.from({ length: 1000 }), () => Effect.exit(storage.get("ann"))).pipe(
            Effect.map((exits) => exits.map((exit) => (Exit.isSuccess(exit) ? "." : "x")).join(""))
          )
        })
      const [one, again, other] = [yield* run(1), yield* run(1), yield* run(2)]
      assert.strictEqual(one, again)
      assert.notStrictEqual(one, other)
      const struck = one.replaceAll(".", "").length
      assert.isTrue(struck > 250 && struck < 350, `${struck} of 1000`)
    })
  )

  it.effect("goes round whatever a layer gives", () =>
    Effect.gen(function* () {
      const faults = Faults.make([{ on: ["get", "acquire", "request"], fault: Faults.fail }])
      const { client } = server()
      const layer = Layer.mergeAll(
        Faults.layerTokenStorage(faults),
        Faults.layerSessionLock(faults),
        Faults.layerHttpClient(faults)
      ).pipe(Layer.provide([InMemory.layer, Layer.succeed(HttpClient.HttpClient, client)]))
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip((yield* TokenStorage.TokenStorage).get("a")))._tag, "TokenStorageError")
        const lock = yield* SessionLock.SessionLock
        assert.strictEqual((yield* Effect.flip(lock.withLock("a", hold)(Effect.void)))._tag, "SessionLockError")
        assert.strictEqual((yield* Effect.flip(HttpClient.get("http://127.0.0.1")))._tag, "HttpClientError")
      }).pipe(Effect.provide(layer))
    })
  )
})
