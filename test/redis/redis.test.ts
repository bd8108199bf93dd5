import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Redacted, Schedule, Stream } from "effect"
import { Redis } from "effect/persistence"
import * as TokenStorage from "effect-oneentry/TokenStorage"
import { RedisSessionLock, RedisTokenStorage } from "effect-oneentry/redis"
import { SessionLockSuite, TokenStorageSuite } from "effect-oneentry/testing"
import { inspect } from "node:util"
import { hosted } from "../helpers/hosted.ts"
import { layerClient, redis, startRedis } from "../helpers/redis.ts"

const hold = { maxHold: Duration.seconds(20) }
const key = Redacted.make(new Uint8Array(32).fill(3))

/** Again and again until it succeeds: for what comes back by itself. */
const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), times: 500 })

const storageOn = (port: number, options?: RedisTokenStorage.Options) =>
  RedisTokenStorage.layer(options).pipe(Layer.provide(layerClient(port)))
const lockOn = (port: number, options?: RedisSessionLock.Options) =>
  RedisSessionLock.layer(options).pipe(Layer.provide(layerClient(port)))

describe.skipIf(!redis.available)("on Redis", () => {
  const server = hosted(startRedis())
  const client = Layer.unwrap(Effect.sync(() => layerClient(server().port)))
  const shared = Layer.unwrap(Effect.sync(() => storageOn(server().port)))
  const locked = Layer.unwrap(Effect.sync(() => lockOn(server().port)))

  describe("RedisTokenStorage", () => {
    TokenStorageSuite.register(it, shared, { other: shared, changes: true })
  })

  describe("RedisTokenStorage, encrypted", () => {
    const encrypted = TokenStorage.layerEncrypted(key).pipe(Layer.provide(shared))
    TokenStorageSuite.register(it, encrypted, { other: encrypted, changes: true })
  })

  describe("RedisSessionLock", () => {
    SessionLockSuite.register(it, locked, { other: locked })
  })

  describe("RedisSessionLock with a short lease", () => {
    const short = Layer.unwrap(Effect.sync(() => lockOn(server().port, { prefix: "short:", lease: "300 millis" })))
    SessionLockSuite.register(it, short, { other: short })
  })

  it.live("entries expire, at each write anew; or live for ever", () =>
    Effect.gen(function* () {
      const { use } = yield* NodeRedis.NodeRedis
      const ttl = (key: string) => use((client) => client.pTTL(key))
      const storage = yield* RedisTokenStorage.make({ prefix: "ttl:", timeToLive: "1 hour" })
      yield* storage.set("ann", "1")
      assert.isAtMost(yield* ttl("ttl:session:ann"), 3_600_000)
      yield* use((client) => client.pExpire("ttl:session:ann", 1000))
      assert.isTrue(yield* storage.compareAndSet("ann", "1", "2"))
      assert.isAbove(yield* ttl("ttl:session:ann"), 3_000_000)
      const byDefault = yield* RedisTokenStorage.make({ prefix: "ttl:" })
      yield* byDefault.set("ann", "3")
      assert.isAbove(yield* ttl("ttl:session:ann"), Duration.toMillis("29 days"))
      const forEver = yield* RedisTokenStorage.make({ prefix: "ttl:", timeToLive: Duration.infinity })
      assert.isTrue(yield* forEver.compareAndSet("ann", "3", "4"))
      assert.strictEqual(yield* ttl("ttl:session:ann"), -1)
      const brief = yield* RedisTokenStorage.make({ prefix: "ttl:", timeToLive: "20 millis" })
      yield* brief.set("bob", "1")
      yield* eventually(Effect.filterOrFail(brief.get("bob"), (value) => value === undefined))
      assert.isTrue(yield* brief.compareAndSet("bob", undefined, "2"))
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("no message and no other key carries a value", () =>
    Effect.gen(function* () {
      const { client, use } = yield* NodeRedis.NodeRedis
      const messages: Array<string> = []
      const subscriber = client.duplicate()
      yield* Effect.promise(() => subscriber.connect())
      yield* Effect.addFinalizer(() => Effect.sync(() => subscriber.destroy()))
      yield* Effect.promise(() =>
        subscriber.pSubscribe("*", (message, channel) => messages.push(`${channel} ${message}`))
      )
      const storage = yield* RedisTokenStorage.make({ prefix: "canary:" })
      yield* storage.set("ann lee", "CANARY")
      yield* storage.compareAndSet("ann lee", "CANARY", "CANARY 2")
      yield* storage.remove("ann lee")
      yield* eventually(Effect.suspend(() => (messages.length === 3 ? Effect.void : Effect.fail("not yet"))))
      for (const message of messages) assert.match(message, /^canary:changes [\w-]+ ann lee$/)
      assert.deepStrictEqual(yield* use((client) => client.keys("canary:*")), [])
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("listens on one connection for any number of sessions, and on none for nobody", () =>
    Effect.gen(function* () {
      const { use } = yield* NodeRedis.NodeRedis
      const subscribers = (count: number) =>
        eventually(
          Effect.filterOrFail(
            use((client) => client.pubSubNumSub("one:changes")),
            (counts) => counts["one:changes"] === count
          )
        )
      const storage = yield* RedisTokenStorage.make({ prefix: "one:" })
      yield* subscribers(0)
      const fibers = yield* Effect.forEach(Array.from({ length: 50 }), () =>
        Effect.forkChild(Stream.runDrain(storage.changes))
      )
      yield* subscribers(1)
      yield* Fiber.interruptAll(fibers)
      yield* subscribers(0)
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("a lock is renewed while it is held, and lost with the process that held it", () =>
    Effect.gen(function* () {
      const { use } = yield* NodeRedis.NodeRedis
      const lock = yield* RedisSessionLock.make({ prefix: "renew:", lease: "1 second" })
      const held = yield* Deferred.make<void>()
      const holder = yield* Effect.forkChild(
        lock.withLock("ann", hold)(Effect.andThen(Deferred.succeed(held, undefined), Effect.never))
      )
      yield* Deferred.await(held)
      const owner = yield* use((client) => client.get("renew:lock:ann"))
      assert.match(owner ?? "", /^[\w-]{22}$/)
      // Three leases later it is still the same owner's.
      yield* Effect.sleep("3 seconds")
      assert.strictEqual(yield* use((client) => client.get("renew:lock:ann")), owner)
      const ttl = yield* use((client) => client.pTTL("renew:lock:ann"))
      assert.isTrue(ttl > 0 && ttl <= 1000)
      yield* Fiber.interrupt(holder)
      assert.strictEqual(yield* use((client) => client.get("renew:lock:ann")), null)
      // What a dead process leaves behind ends by itself.
      yield* use((client) => client.set("renew:lock:ann", "a dead owner", { PX: 150 }))
      assert.strictEqual(yield* lock.withLock("ann", hold)(Effect.succeed("in")), "in")
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("a lease that a dead process took before the clock was put back is nobody's", () =>
    Effect.gen(function* () {
      const { use } = yield* NodeRedis.NodeRedis
      const lock = yield* RedisSessionLock.make({ prefix: "back:", lease: "1 second" })
      const brief = { maxHold: Duration.millis(1) }
      // Of a process that is configured otherwise: a lease of five minutes is no sign of a clock.
      yield* use((client) => client.set("back:lock:ann", "alive", { PX: 300_000 }))
      assert.strictEqual((yield* Effect.flip(lock.withLock("ann", brief)(Effect.void))).reason, "Timeout")
      assert.strictEqual(yield* use((client) => client.get("back:lock:ann")), "alive")
      yield* use((client) => client.pExpire("back:lock:ann", 3_600_000))
      assert.strictEqual(yield* lock.withLock("ann", hold)(Effect.succeed("in")), "in")
      assert.strictEqual(yield* use((client) => client.get("back:lock:ann")), null)
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("nobody but the owner gives a lock back or prolongs it, and no lease is longer than the hold", () =>
    Effect.gen(function* () {
      const { use } = yield* NodeRedis.NodeRedis
      const lock = yield* RedisSessionLock.make({ prefix: "own:", lease: "1 hour" })
      yield* lock.withLock("ann", { maxHold: Duration.seconds(3) })(
        Effect.gen(function* () {
          const ttl = yield* use((client) => client.pTTL("own:lock:ann"))
          assert.isTrue(ttl > 3000 && ttl <= 5000, `${ttl}`)
          // The lease ends early and somebody else takes it.
          yield* use((client) => client.set("own:lock:ann", "somebody else", { PX: 60_000 }))
        })
      )
      assert.strictEqual(yield* use((client) => client.get("own:lock:ann")), "somebody else")
      const short = yield* RedisSessionLock.make({ prefix: "own:", lease: "90 millis" })
      yield* short.withLock(
        "bob",
        hold
      )(
        Effect.gen(function* () {
          yield* use((client) => client.set("own:lock:bob", "somebody else", { PX: 300 }))
          yield* Effect.sleep("200 millis")
          const ttl = yield* use((client) => client.pTTL("own:lock:bob"))
          assert.isTrue(ttl <= 150, "the loser prolongs nothing")
        })
      )
    }).pipe(Effect.scoped, Effect.provide(client))
  )
})

describe.skipIf(!redis.available)("when Redis goes away", () => {
  for (const [name, client] of [
    ["failing at once", {}],
    ["queueing", { disableOfflineQueue: false }]
  ] as const) {
    it.live(`fails typed and soon, hangs never, and comes back by itself: a client ${name}`, () =>
      Effect.gen(function* () {
        const server = yield* startRedis()
        yield* Effect.gen(function* () {
          const storage = yield* RedisTokenStorage.make({ timeout: "300 millis" })
          const lock = yield* RedisSessionLock.make({ timeout: "300 millis" })
          const seen: Array<string> = []
          yield* Effect.forkScoped(Stream.runForEach(storage.changes, (slot) => Effect.sync(() => seen.push(slot))))
          yield* storage.set("ann", "CANARY")
          const holder = yield* Effect.forkChild(Effect.exit(lock.withLock("held", hold)(Effect.sleep("600 millis"))))
          yield* eventually(
            Effect.flatMap(Redis.Redis, (redis) => redis.send("GET", "oneentry:lock:held")).pipe(
              Effect.filterOrFail((owner) => owner !== null)
            )
          )
          yield* server.kill

          const failures = yield* Effect.all(
            [
              Effect.flip(storage.get("ann")),
              Effect.flip(storage.set("ann", "CANARY 2")),
              Effect.flip(storage.remove("ann")),
              Effect.flip(storage.compareAndSet("ann", "CANARY", "CANARY 3"))
            ],
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(
            failures.map((error) => [error._tag, error.operation]),
            [
              ["TokenStorageError", "get"],
              ["TokenStorageError", "set"],
              ["TokenStorageError", "remove"],
              ["TokenStorageError", "compareAndSet"]
            ]
          )
          assert.isFalse(inspect(failures, { depth: 9 }).includes("CANARY"))
          const unavailable = yield* Effect.flip(lock.withLock("ann", hold)(Effect.succeed("in")))
          assert.deepStrictEqual([unavailable._tag, unavailable.reason], ["SessionLockError", "Unavailable"])
          // Whoever held a lock ends as he would have.
          assert.isTrue(Exit.isSuccess(yield* Fiber.join(holder)))

          yield* server.start
          // What was asked for in between, and is granted only now, is given back.
          yield* eventually(
            Effect.flatMap(Redis.Redis, (redis) => redis.send("GET", "oneentry:lock:ann")).pipe(
              Effect.filterOrFail((owner) => owner === null)
            )
          )
          assert.strictEqual(yield* eventually(lock.withLock("ann", hold)(Effect.succeed("in"))), "in")
          yield* eventually(storage.set("ann", "1"))
          assert.strictEqual(yield* storage.get("ann"), "1")
          assert.isTrue(yield* storage.compareAndSet("ann", "1", "2"))
          // The subscription has been taken again.
          const foreign = yield* RedisTokenStorage.make()
          yield* eventually(
            Effect.andThen(
              foreign.set("bob", "1"),
              Effect.suspend(() => (seen.includes("bob") ? Effect.void : Effect.fail("not heard yet")))
            )
          )
        }).pipe(Effect.scoped, Effect.provide(layerClient(server.port, client)))
      }).pipe(Effect.scoped)
    )
  }

  it.live("a server that does not answer is left after the timeout, and a lock it gave unasked is given back", () =>
    Effect.gen(function* () {
      const server = yield* startRedis()
      yield* Effect.gen(function* () {
        const redis = yield* Redis.Redis
        const storage = yield* RedisTokenStorage.make({ timeout: "200 millis" })
        const lock = yield* RedisSessionLock.make({ timeout: "200 millis" })
        yield* lock.withLock("ann", hold)(Effect.void)
        yield* server.pause
        const error = yield* Effect.flip(storage.get("ann"))
        assert.include(String(error.cause), "did not answer")
        assert.strictEqual((yield* Effect.flip(lock.withLock("ann", hold)(Effect.void))).reason, "Unavailable")
        yield* server.resume
        // The request for the lock is granted now, to nobody; and taken back.
        yield* eventually(Effect.filterOrFail(redis.send("GET", "oneentry:lock:ann"), (owner) => owner === null))
        assert.strictEqual(yield* eventually(lock.withLock("ann", hold)(Effect.succeed("in"))), "in")
      }).pipe(Effect.scoped, Effect.provide(layerClient(server.port)))
    }).pipe(Effect.scoped)
  )

  it.live("a caller that is interrupted while the server hangs does not hang", () =>
    Effect.gen(function* () {
      const server = yield* startRedis()
      yield* Effect.gen(function* () {
        const storage = yield* RedisTokenStorage.make({ timeout: "1 hour" })
        yield* storage.set("ann", "1")
        yield* server.pause
        const fiber = yield* Effect.forkChild(storage.get("ann"), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        yield* server.resume
        assert.strictEqual(yield* storage.get("ann"), "1")
      }).pipe(Effect.scoped, Effect.provide(layerClient(server.port)))
    }).pipe(Effect.scoped)
  )

  it.live("scripts that the server has forgotten are loaded again", () =>
    Effect.gen(function* () {
      const server = yield* startRedis()
      yield* Effect.gen(function* () {
        const redis = yield* Redis.Redis
        const storage = yield* RedisTokenStorage.make()
        yield* storage.set("ann", "1")
        yield* redis.send("SCRIPT", "FLUSH")
        assert.isTrue(yield* storage.compareAndSet("ann", "1", "2"))
        yield* storage.set("ann", "3")
        assert.strictEqual(yield* storage.get("ann"), "3")
      }).pipe(Effect.scoped, Effect.provide(layerClient(server.port)))
    }).pipe(Effect.scoped)
  )

  it.live("no answer of the server brings a value into an error", () =>
    Effect.gen(function* () {
      // Such a server repeats what it was sent: ERR unknown command 'EVALSHA', with args beginning with: …
      const server = yield* startRedis(["--rename-command", "EVALSHA", "", "--rename-command", "GET", ""])
      yield* Effect.gen(function* () {
        const storage = yield* RedisTokenStorage.make()
        const errors = [
          yield* Effect.flip(storage.set("ann", "CANARY")),
          yield* Effect.flip(storage.compareAndSet("ann", "CANARY", "CANARY")),
          yield* Effect.flip(storage.get("ann"))
        ]
        for (const error of errors) {
          assert.include(String(error.cause), "unknown command")
          assert.isFalse(`${inspect(error, { depth: 9 })}${JSON.stringify(error)}${error.stack}`.includes("CANARY"))
        }
      }).pipe(Effect.scoped, Effect.provide(layerClient(server.port)))
    }).pipe(Effect.scoped)
  )
})
