import { assert, describe, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Deferred, Effect, Fiber, Layer, Option, Redacted, Stream } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { OneEntry, Session, SessionLock, Sessions, TokenStorage, Users } from "effect-oneentry"
import * as Slots from "../src/internal/slots.ts"
import {
  type Client,
  makeWorld,
  settled,
  status,
  stored,
  storageOver,
  until,
  url,
  type World
} from "./helpers/session.ts"

const start = 1_790_000_000_000

const inWorld = <A, E>(
  run: (world: World, client: Client) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E, Scope.Scope> =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const world = yield* makeWorld
    return yield* run(world, yield* world.client())
  })

const users = Array.from({ length: 40 }, (_, index) => `user${index}`)

describe("withSlot", () => {
  it.effect("forty users at once, refreshes and all, never see each other", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* Effect.forEach(users, (user) => Sessions.withSlot(user)(client.signIn(user)), {
          concurrency: "unbounded"
        })
        assert.strictEqual(new Set(world.server.sessions.map((one) => one.fingerprint)).size, users.length)
        const round = (calls: number) =>
          Effect.forEach(
            users,
            (user) =>
              Effect.forEach(
                Array.from({ length: calls }),
                () =>
                  Effect.gen(function* () {
                    assert.strictEqual(yield* client.me, user)
                    assert.strictEqual(Option.getOrThrow(yield* client.session.current).userIdentifier, user)
                    const token = Redacted.value(yield* client.session.accessToken)
                    const owner = world.server.sessions.find((one) => one.accessToken === token)
                    if (owner !== undefined) assert.strictEqual(owner.user, user)
                  }),
                { concurrency: "unbounded", discard: true }
              ).pipe(Sessions.withSlot(user)),
            {
              concurrency: "unbounded",
              discard: true
            }
          )
        yield* round(5)
        yield* TestClock.adjust("2 hours")
        yield* round(5)
        world.server.expire()
        yield* round(5)
        assert.strictEqual(world.server.exchanges.length, 2 * users.length)
        assert.isTrue(world.server.exchanges.every((one) => one.accepted))
        for (const user of users) assert.strictEqual(stored(world.backing, user)?.["userIdentifier"], user)
      })
    )
  )

  it.effect("one user's slow refresh, failure or sign-out is nobody else's", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        const as = Sessions.withSlot
        for (const user of ["ann", "bob", "cyd"]) yield* as(user)(client.signIn(user))
        yield* TestClock.adjust("2 hours")
        const gate = world.server.gate("refresh")
        const slow = yield* Effect.forkChild(as("ann")(client.me))
        yield* gate.arrived
        assert.strictEqual(yield* as("bob")(client.me), "bob")
        world.server.script("refresh", status(400))
        assert.strictEqual((yield* Effect.flip(as("cyd")(client.me)))._tag, "TokenExpired")
        yield* as("bob")(client.session.signOutLocally)
        yield* gate.answer
        assert.strictEqual(yield* Fiber.join(slow), "ann")
        assert.deepStrictEqual([...world.backing.map.keys()], ["ann"])
      })
    )
  )

  it.effect("holds for fibers that are forked in it, for streams and for keepAlive, and can be nested", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* Sessions.withSlot("b")(client.signIn("bob"))
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* Effect.flatMap(Effect.forkChild(client.me), Fiber.join), "bob")
          assert.strictEqual(yield* Sessions.withSlot("default")(client.me), "ann")
          const state = yield* client.session.changes.pipe(Stream.take(1), Stream.runCollect)
          assert.strictEqual(
            state[0]?._tag === "State" ? Option.getOrThrow(state[0].session).userIdentifier : "",
            "bob"
          )
          assert.strictEqual(yield* client.me, "bob")
        }).pipe(Sessions.withSlot("b"))
        assert.strictEqual(yield* client.me, "ann")
      })
    )
  )

  it.effect("a sign-in of one slot is not one of another, even half-way", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const goOn = yield* Deferred.make<void>()
        const storage = storageOver(world.backing, {
          before: (operation, slot) => (operation === "set" && slot === "a" ? Deferred.await(goOn) : Effect.void)
        })
        const client = yield* world.client({ storage })
        const signIn = yield* Effect.forkChild(Sessions.withSlot("a")(client.signIn("ann")))
        yield* until("it is being stored", () => world.server.count("auth") === 1)
        yield* settled
        assert.isTrue(Option.isNone(yield* client.session.current))
        assert.isTrue(Option.isNone(yield* Sessions.withSlot("b")(client.session.current)))
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(signIn)
        assert.isTrue(Option.isNone(yield* Sessions.withSlot("b")(client.session.current)))
      })
    )
  )
})

describe("memory", () => {
  it.effect("idle slots leave it, and come back from the storage", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const storage = storageOver(world.backing)
        const client = yield* world.client({ storage })
        const registry = Slots.registryOf(storage)
        yield* Sessions.withSlot("first")(client.signIn("ann"))
        for (let index = 0; index < 500; index++) yield* Sessions.withSlot(`visitor${index}`)(client.session.current)
        assert.strictEqual(registry.size, 501)
        yield* TestClock.adjust("11 minutes")
        for (let index = 0; index < 100; index++) yield* Sessions.withSlot(`later${index}`)(client.session.current)
        assert.isAtMost(registry.size, 100)
        assert.isUndefined(registry.peek("first"))
        assert.strictEqual(yield* Sessions.withSlot("first")(client.me), "ann")
      })
    )
  )

  it.effect("a hundred thousand visitors leave no more than the limit behind", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const storage = TokenStorage.makeMemory()
        const client = yield* world.client({ storage })
        const registry = Slots.registryOf(storage)
        for (let index = 0; index < 100_000; index++)
          yield* Sessions.withSlot(`visitor${index}`)(client.session.current)
        assert.isAtMost(registry.size, 10_000)
      })
    )
  )

  it.effect("what is in use stays: listeners, refreshes, what could not be stored, what cools down", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const storage = storageOver(world.backing, {
          fault: (operation, slot) => (operation !== "get" && slot === "unsaved" ? "fail" : undefined)
        })
        const client = yield* world.client({ storage })
        const registry = Slots.registryOf(storage)
        // More of them than a sweep looks at, so that they would hide the others behind them.
        for (let index = 0; index < 20; index++) {
          yield* Effect.forkScoped(
            Stream.runDrain(client.session.changes).pipe(Sessions.withSlot(`listening${index}`)),
            { startImmediately: true }
          )
        }
        for (const user of ["flying", "unsaved", "cooling"]) yield* Sessions.withSlot(user)(client.signIn(user))
        const gate = world.server.gate("refresh")
        const flying = yield* Effect.forkChild(Sessions.withSlot("flying")(client.session.refresh))
        yield* gate.arrived
        world.server.script("refresh", status(503, { "retry-after": "900" }))
        registry.maxIdle = 30
        registry.maxIdleMillis = 1
        yield* Effect.exit(Sessions.withSlot("cooling")(client.session.refresh))
        yield* TestClock.adjust("10 seconds")
        for (let index = 0; index < 200; index++) {
          yield* TestClock.adjust("2 millis")
          yield* Sessions.withSlot(`visitor${index}`)(client.session.current)
        }
        for (const name of ["flying", "unsaved", "cooling", "listening0", "listening19"]) {
          assert.isDefined(registry.peek(name), name)
        }
        assert.isAtMost(registry.size, 40)
        assert.strictEqual(yield* Sessions.withSlot("unsaved")(client.me), "unsaved")
        yield* gate.answer
        yield* Fiber.join(flying)
        yield* TestClock.adjust("6 minutes")
        for (let index = 200; index < 260; index++) yield* Sessions.withSlot(`visitor${index}`)(client.session.current)
        assert.isUndefined(registry.peek("flying"))
        assert.isUndefined(registry.peek("cooling"))
      })
    )
  )

  it.effect("a slot that leaves it while somebody begins to listen is not listened to in vain", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const goOn = yield* Deferred.make<void>()
        let reads = 0
        const storage = storageOver(world.backing, {
          before: (operation, slot) =>
            operation === "get" && slot === "slow" && ++reads === 1 ? Deferred.await(goOn) : Effect.void
        })
        const client = yield* world.client({ storage })
        const heard: Array<string> = []
        yield* Effect.forkScoped(
          Stream.runForEach(client.session.changes, (event) => Effect.sync(() => heard.push(event._tag))).pipe(
            Sessions.withSlot("slow")
          ),
          { startImmediately: true }
        )
        yield* settled
        assert.isTrue(Slots.registryOf(storage).forget("slow", start))
        yield* Deferred.succeed(goOn, undefined)
        yield* settled
        yield* Sessions.withSlot("slow")(client.signIn("ann"))
        yield* settled
        assert.deepStrictEqual(heard, ["State", "SignedIn"])
      })
    )
  )

  it.effect("importing creates no state: storages know nothing of each other", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const other = yield* world.client({ storage: TokenStorage.makeMemory() })
        assert.isTrue(Option.isNone(yield* other.session.current))
        yield* other.signIn("bob")
        assert.strictEqual(yield* client.me, "ann")
        // Nor does a layer that is built twice.
        const who = Effect.provide(
          Session.Session.use((session) => session.current),
          OneEntry.layer({ url }).pipe(
            Layer.provide([
              Layer.succeed(HttpClient.HttpClient, world.server.client),
              TokenStorage.layerMemory,
              Layer.succeed(SessionLock.SessionLock, SessionLock.makeInProcess())
            ])
          )
        )
        assert.isTrue(Option.isNone(yield* who))
        assert.isTrue(Option.isNone(yield* who))
      })
    )
  )

  it.effect("Sessions.layer sets the limits", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const storage = TokenStorage.makeMemory()
        const services = yield* Layer.build(
          OneEntry.layer({ url }).pipe(
            Layer.provide([
              Layer.succeed(HttpClient.HttpClient, world.server.client),
              Layer.succeed(TokenStorage.TokenStorage, storage),
              Sessions.layer({ maxIdle: 5 })
            ])
          )
        )
        for (let index = 0; index < 50; index++) {
          yield* Session.Session.use((session) => session.current).pipe(
            Sessions.withSlot(`v${index}`),
            Effect.provide(services)
          )
        }
        assert.isAtMost(Slots.registryOf(storage).size, 5)
        assert.strictEqual(
          (yield* Effect.flip(Users.Users.use((one) => one.getUser()).pipe(Effect.provide(services))))._tag,
          "NotAuthenticated"
        )
      })
    )
  )
})
