import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Exit, Fiber, Logger, Option, Queue, Redacted, Scope, Stream } from "effect"
import { HttpBody, HttpClient, HttpClientRequest } from "effect/http"
import { TestClock } from "effect/testing"
import { DeviceMetadata, Session, SessionLock, Sessions, TokenStorage } from "effect-oneentry"
import * as Slots from "../src/internal/slots.ts"
import {
  answer,
  type Behaviour,
  type CallError,
  type Client,
  device,
  hang,
  jwt,
  lose,
  makeWorld,
  settled,
  status,
  stored,
  type StorageFault,
  storageOver,
  type StorageOperation,
  until,
  usual,
  type World
} from "./helpers/session.ts"

const start = 1_790_000_000_000

/** A test in a world of its own, with one client in it. */
const inWorld = <A, E>(
  run: (world: World, client: Client) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E, Scope.Scope> =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const world = yield* makeWorld
    return yield* run(world, yield* world.client())
  })

/** Past the end of an access token of the usual hour. */
const expire = TestClock.adjust("2 hours")

const tagOf = <A>(effect: Effect.Effect<A, CallError>): Effect.Effect<string> =>
  Effect.match(effect, {
    onSuccess: (value) => `success ${String(value)}`,
    onFailure: (error) =>
      error._tag === "TokenExpired"
        ? `TokenExpired ${error.reason}`
        : error._tag === "OneEntryError"
          ? `OneEntryError ${error.reason._tag}`
          : error._tag === "SessionLockError"
            ? `SessionLockError ${error.reason}`
            : error._tag
  })

/** Follows `changes` in the background; what has been heard so far, in order. */
const follow = (client: Client) =>
  Effect.gen(function* () {
    const heard: Array<string> = []
    const first = yield* Deferred.make<void>()
    yield* Effect.forkScoped(
      Stream.runForEach(client.session.changes, (event) =>
        Effect.suspend(() => {
          heard.push(
            event._tag === "SignedOut"
              ? `SignedOut ${event.reason}`
              : event._tag === "State"
                ? `State ${Option.match(event.session, { onNone: () => "nobody", onSome: (one) => one.userIdentifier ?? "?" })}`
                : event._tag === "StorageDegraded"
                  ? "StorageDegraded"
                  : `${event._tag} ${event.session.userIdentifier ?? "?"}`
          )
          return Deferred.succeed(first, undefined)
        })
      ),
      { startImmediately: true }
    )
    yield* Deferred.await(first)
    return heard
  })

const hears = (heard: ReadonlyArray<string>, expected: ReadonlyArray<string>) =>
  Effect.andThen(
    settled,
    Effect.sync(() => assert.deepStrictEqual(heard, expected))
  )

/** Puts a lock round another and notes when it is held. */
const watched = (inner: SessionLock.SessionLock) => {
  const state = { held: 0, holds: 0, maxHolds: Array<Duration.Duration>() }
  const lock: SessionLock.SessionLock = {
    withLock: (slot, options) => (effect) =>
      inner.withLock(
        slot,
        options
      )(
        Effect.suspend(() => {
          state.held++
          state.holds++
          state.maxHolds.push(options.maxHold)
          return Effect.ensuring(
            effect,
            Effect.sync(() => state.held--)
          )
        })
      )
  }
  return { lock, state }
}

const noLock: SessionLock.SessionLock = { withLock: () => (effect) => effect }

// -----------------------------------------------------------------------------

describe("one refresh for everybody", () => {
  it.effect("fifty fibers", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* expire
        const gate = world.server.gate("refresh")
        const calls = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.forkChild(client.me))
        yield* gate.arrived
        yield* settled
        assert.strictEqual(world.server.count("me"), 0)
        yield* gate.answer
        assert.deepStrictEqual(new Set(yield* Fiber.joinAll(calls)), new Set(["ann"]))
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("fifty fibers whose tokens looked good", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.expire()
        const users = yield* Effect.forEach(Array.from({ length: 50 }), () => client.me, { concurrency: "unbounded" })
        assert.deepStrictEqual(new Set(users), new Set(["ann"]))
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("two clients on one storage", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const storage = storageOver(world.backing)
        // Not even a lock is needed for it.
        const one = yield* world.client({ storage, lock: noLock })
        const two = yield* world.client({ storage, lock: noLock })
        yield* one.signIn("ann")
        yield* expire
        const gate = world.server.gate("refresh")
        const calls = yield* Effect.forEach([one, two, one, two], (client) => Effect.forkChild(client.me))
        yield* gate.arrived
        yield* settled
        yield* gate.answer
        assert.deepStrictEqual(yield* Fiber.joinAll(calls), ["ann", "ann", "ann", "ann"])
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("two processes: the second waits for the lock, reads again, and sends nothing", () =>
    inWorld((world, one) =>
      Effect.gen(function* () {
        const two = yield* world.client()
        yield* one.signIn("ann")
        assert.strictEqual(yield* two.me, "ann")
        const heard = yield* follow(two)
        yield* expire
        const gate = world.server.gate("refresh")
        const first = yield* Effect.forkChild(one.me)
        yield* gate.arrived
        const second = yield* Effect.forkChild(two.me)
        yield* settled
        assert.strictEqual(world.server.exchanges.length, 1)
        yield* gate.answer
        assert.deepStrictEqual(yield* Fiber.joinAll([first, second]), ["ann", "ann"])
        assert.strictEqual(world.server.exchanges.length, 1)
        yield* hears(heard, ["State ann", "Refreshed ann"])
      })
    )
  )

  it.effect("a process that slept through it adopts the pair of the other", () =>
    inWorld((world, one) =>
      Effect.gen(function* () {
        const two = yield* world.client()
        yield* one.signIn("ann")
        yield* two.me
        yield* expire
        yield* one.me
        assert.strictEqual(yield* two.me, "ann")
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  /** A client that is stopped, or sleeps, when it has marked the token for the first time. */
  const heldUp = (world: World) =>
    Effect.gen(function* () {
      const marked = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const inner = storageOver(world.backing)
      let writes = 0
      const client = yield* world.client({
        lock: noLock,
        storage: {
          ...inner,
          compareAndSet: (...write) =>
            Effect.tap(inner.compareAndSet(...write), () =>
              ++writes === 1 ? Effect.andThen(Deferred.succeed(marked, undefined), Deferred.await(goOn)) : Effect.void
            )
        }
      })
      return {
        client,
        marked: Deferred.await(marked),
        wakes: Effect.andThen(TestClock.adjust("2 seconds"), Deferred.succeed(goOn, undefined))
      }
    })

  it.effect("a process that slept between the mark and the exchange reads again: the other has spent the token", () =>
    inWorld((world, other) =>
      Effect.gen(function* () {
        const { client, marked, wakes } = yield* heldUp(world)
        yield* other.signIn("ann")
        yield* client.me
        yield* expire
        const call = yield* Effect.forkChild(client.me)
        yield* marked
        yield* other.me
        yield* wakes
        assert.strictEqual(yield* Fiber.join(call), "ann")
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  for (const [doubt, reason] of [
    ["a mark of its own that nothing was sent under is no doubt", "Rejected"],
    ["a doubt from before stays", "Ambiguous"]
  ] as const) {
    it.effect(`and if nobody has: ${doubt}`, () =>
      inWorld((world, other) =>
        Effect.gen(function* () {
          const { client, marked, wakes } = yield* heldUp(world)
          yield* other.signIn("ann")
          yield* expire
          if (reason === "Ambiguous") {
            world.server.script("refresh", lose(false))
            yield* Effect.exit(other.me)
          }
          world.server.script("refresh", status(400))
          const call = yield* Effect.forkChild(tagOf(client.me))
          yield* marked
          yield* wakes
          assert.strictEqual(yield* Fiber.join(call), `TokenExpired ${reason}`)
        })
      )
    )
  }

  it.effect("a storage that is slow by nature is read again once, not for ever", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client({
          storage: storageOver(world.backing, {
            before: (operation) => (operation === "compareAndSet" ? Effect.sleep("2 seconds") : Effect.void)
          })
        })
        yield* client.signIn("ann")
        yield* expire
        const call = yield* Effect.forkChild(client.me)
        yield* Effect.repeat(Effect.andThen(settled, TestClock.adjust("2 seconds")), { times: 4 })
        assert.strictEqual(yield* Fiber.join(call), "ann")
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  for (const [often, times, expected] of [
    ["once: it is refreshed, and not tried", 1, "success ann"],
    ["again and again: it comes to an end", Number.POSITIVE_INFINITY, "SessionLockError Timeout"]
  ] as const) {
    it.effect(`another writes what has ended by now before each mark, ${often}`, () =>
      inWorld((world, other) =>
        Effect.gen(function* () {
          let writes = 0
          const client = yield* world.client({
            lock: noLock,
            storage: storageOver(world.backing, {
              before: (operation) =>
                operation === "compareAndSet" && ++writes <= times
                  ? Effect.andThen(Effect.orDie(other.session.refresh), TestClock.adjust("3 seconds"))
                  : Effect.void
            })
          })
          world.server.lifetime = 2
          yield* other.signIn("ann")
          yield* expire
          assert.strictEqual(yield* tagOf(client.me), expected)
          assert.strictEqual(world.server.exchanges.length, times === 1 ? 2 : writes)
        })
      )
    )
  }

  it.effect("a late 401 of an old token sends the request again, without a refresh", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { lock, state } = watched(world.lock)
        const client = yield* world.client({ lock })
        yield* client.signIn("ann")
        const late = world.server.gate("me")
        const call = yield* Effect.forkChild(client.me)
        yield* late.arrived
        yield* client.session.refresh
        assert.strictEqual(world.server.exchanges.length, 1)
        yield* late.answer
        assert.strictEqual(yield* Fiber.join(call), "ann")
        assert.strictEqual(state.holds, 1)
        assert.strictEqual(world.server.exchanges.length, 1)
        assert.strictEqual(world.server.count("me"), 2)
      })
    )
  )

  it.effect("`renew` of a token that a fresh client has not read yet", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const used = yield* client.session.accessToken
        const fresh = yield* world.client()
        yield* fresh.session.renew(used)
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("`refresh` joins the one under way", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const gate = world.server.gate("refresh")
        const calls = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(client.session.refresh))
        yield* gate.arrived
        yield* gate.answer
        assert.deepStrictEqual(
          (yield* Fiber.joinAll(calls)).map((one) => one.userIdentifier),
          ["ann", "ann", "ann"]
        )
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("a call waits for the refresh under way instead of fetching a 401", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const gate = world.server.gate("refresh")
        const refreshing = yield* Effect.forkChild(client.session.refresh)
        yield* gate.arrived
        yield* gate.handle
        const call = yield* Effect.forkChild(client.me)
        yield* settled
        assert.strictEqual(world.server.count("me"), 0)
        yield* gate.answer
        assert.strictEqual(yield* Fiber.join(call), "ann")
        assert.strictEqual(world.server.count("me"), 1)
        yield* Fiber.join(refreshing)
      })
    )
  )

  it.effect("a visitor to whom nothing can be given waits for the refresh under way, too", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* expire
        const visitor = { slot: "default", readOnly: true, admit: Effect.succeed("new"), moveTo: () => undefined }
        const visit = Effect.provideService(tagOf(client.me), Session.CurrentSlot, visitor)
        assert.strictEqual(yield* visit, "TokenExpired ReadOnly")
        const gate = world.server.gate("refresh")
        const call = yield* Effect.forkChild(client.me)
        yield* gate.arrived
        const visiting = yield* Effect.forkChild(visit)
        yield* settled
        yield* gate.answer
        yield* Fiber.join(call)
        assert.strictEqual(yield* Fiber.join(visiting), "success ann")
      })
    )
  )

  it.effect("the marker and the device of the sign-in go with it, whatever the caller's are", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client({ options: { providerMarker: "other" } })
        yield* client
          .signIn("ann", "phone book/1")
          .pipe(Effect.provideService(DeviceMetadata.DeviceMetadata, device("of-the-visitor")))
        yield* expire
        assert.strictEqual(
          yield* client.me.pipe(Effect.provideService(DeviceMetadata.DeviceMetadata, device("another"))),
          "ann"
        )
        assert.deepStrictEqual(
          world.server.exchanges.map(({ accepted, fingerprint, marker }) => ({ accepted, fingerprint, marker })),
          [{ accepted: true, fingerprint: "of-the-visitor", marker: "phone book/1" }]
        )
        // What a session has not said yet is random, and then stays.
        assert.strictEqual(stored(world.backing)?.["marker"], "phone book/1")
      })
    )
  )

  it.effect("a POST of the session carries the device of its sign-in", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        // Before anybody is there the slot has a device of its own.
        yield* client.signIn("nobody").pipe(Effect.ignore)
        yield* client.signIn("ann").pipe(Effect.provideService(DeviceMetadata.DeviceMetadata, device("phone")))
        yield* client.http.authorized.post("/api/content/things")
        assert.include(world.server.seen.at(-1)?.headers["x-device-metadata"] ?? "", `"phone"`)
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("the lock", () => {
  it.effect("is held while it reads, exchanges and writes, and once for each exchange", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { lock, state } = watched(world.lock)
        const seen: Array<string> = []
        const storage = storageOver(world.backing, {
          before: (operation) => Effect.sync(() => void seen.push(`${operation} ${state.held}`))
        })
        const client = yield* world.client({ storage, lock, options: { requestTimeout: "20 seconds" } })
        yield* client.signIn("ann")
        yield* expire
        seen.length = 0
        const gate = world.server.gate("refresh")
        const call = yield* Effect.forkChild(client.me)
        yield* gate.arrived
        assert.strictEqual(state.held, 1)
        yield* gate.answer
        yield* Fiber.join(call)
        assert.deepStrictEqual(seen, ["get 1", "compareAndSet 1", "compareAndSet 1"])
        assert.strictEqual(state.held, 0)
        // A lease that covers the request and what the storage may take.
        assert.isAtLeast(Duration.toSeconds(state.maxHolds[0] ?? Duration.zero), 20 + 4 * 5)
      })
    )
  )

  it.effect("another owner's write between two exchanges gives the lock back in between", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { lock, state } = watched(world.lock)
        const client = yield* world.client({ lock })
        const careless = yield* world.client({ lock: noLock })
        yield* client.signIn("ann")
        yield* expire
        const gate = world.server.gate("refresh")
        const call = yield* Effect.forkChild(tagOf(client.me))
        yield* gate.arrived
        yield* careless.signIn("bob")
        yield* gate.answer
        // The session that the call began with is gone: it is not sent as bob.
        assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
        assert.strictEqual(state.holds, 2)
      })
    )
  )

  it.effect("events are published, and pairs revoked, after it is given back", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const release = yield* Deferred.make<void>()
        const slow: SessionLock.SessionLock = {
          withLock: (slot, options) => (effect) =>
            world.lock.withLock(slot, options)(Effect.ensuring(effect, Deferred.await(release)))
        }
        const client = yield* world.client({ lock: slow })
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        const call = yield* Effect.forkChild(client.session.refresh)
        yield* until(
          "the pair is stored",
          () => world.server.exchanges.length === 1 && stored(world.backing)?.["refreshToken"] === "refresh-2-ann"
        )
        yield* settled
        yield* hears(heard, ["State ann"])
        assert.isUndefined(call.pollUnsafe())
        yield* Deferred.succeed(release, undefined)
        yield* Fiber.join(call)
        yield* hears(heard, ["State ann", "Refreshed ann"])
      })
    )
  )

  it.effect("of a refresh before a sign-out nothing is told after it, but that the storage failed", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        for (const fault of [undefined, "fail"] as const) {
          const release = yield* Deferred.make<void>()
          let ends = false
          let broken: StorageFault | undefined = undefined
          const lock: SessionLock.SessionLock = {
            withLock: () => (effect) =>
              Effect.tap(effect, () => {
                ends = true
                return Deferred.await(release)
              })
          }
          const client = yield* world.client({
            lock,
            storage: storageOver(world.backing, {
              fault: (operation) => (operation === "compareAndSet" ? broken : undefined)
            })
          })
          yield* client.signIn("ann")
          const heard = yield* follow(client)
          yield* expire
          broken = fault
          const call = yield* Effect.forkChild(tagOf(client.me))
          yield* until("the pair is taken", () => ends)
          yield* client.session.signOutLocally
          yield* Deferred.succeed(release, undefined)
          assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
          const told = ["State ann", "SignedOut SignOut"]
          yield* hears(heard, fault === undefined ? told : [...told, "StorageDegraded"])
        }
      })
    )
  )

  it.effect("a handler of an event may use the session: no deadlock, no lock held", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { lock, state } = watched(world.lock)
        const storage = storageOver(world.backing, { atomic: false })
        const client = yield* world.client({ storage, lock })
        const held: Array<number> = []
        const done = yield* Deferred.make<void>()
        yield* Effect.forkScoped(
          Stream.runForEach(client.session.changes, (event) =>
            Effect.gen(function* () {
              held.push(state.held)
              if (event._tag === "SignedIn") yield* client.session.refresh
              if (event._tag === "Refreshed") yield* client.session.signOutLocally
              if (event._tag === "SignedOut") yield* Deferred.succeed(done, undefined)
            })
          ),
          { startImmediately: true }
        )
        yield* client.signIn("ann")
        yield* Deferred.await(done)
        assert.deepStrictEqual(held, [0, 0, 0, 0])
      })
    )
  )

  it.effect("a waiter that gives up does not steal: the session stays, and the failure may pass", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client()
        yield* client.signIn("ann")
        yield* expire
        const before = stored(world.backing)
        yield* Effect.forkChild(world.lock.withLock("default", { maxHold: Duration.hours(9) })(Effect.never))
        yield* settled
        const call = yield* Effect.forkChild(tagOf(client.me))
        yield* settled
        yield* TestClock.adjust("60 seconds")
        assert.isUndefined(call.pollUnsafe())
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* Fiber.join(call), "SessionLockError Timeout")
        assert.deepStrictEqual(stored(world.backing), before)
        assert.strictEqual(world.server.exchanges.length, 0)
        assert.isTrue(Option.isSome(yield* client.session.current))
      })
    )
  )

  for (const [name, meanwhile, expected] of [
    ["rotated", (other) => other.me, "success ann"],
    [
      "rotated, but that has ended too",
      (other) => Effect.andThen(other.me, TestClock.adjust("20 seconds")),
      "SessionLockError Timeout"
    ],
    ["signed out", (other) => other.session.signOutLocally, "NotAuthenticated"]
  ] as const satisfies ReadonlyArray<readonly [string, (other: Client) => Effect.Effect<unknown, unknown>, string]>) {
    it.effect(`a waiter that gives up reads the storage again: another has ${name}`, () =>
      inWorld((world, other) =>
        Effect.gen(function* () {
          const givenUp = yield* Deferred.make<void>()
          const never: SessionLock.SessionLock = {
            withLock: (slot) => () =>
              Effect.andThen(Deferred.await(givenUp), new SessionLock.SessionLockError({ slot, reason: "Timeout" }))
          }
          const client = yield* world.client({ lock: never })
          yield* other.signIn("ann")
          yield* client.me
          const calls = world.server.count("me")
          yield* expire
          world.server.lifetime = expected === "success ann" ? 3_600 : 10
          const call = yield* Effect.forkChild(tagOf(client.me))
          yield* settled
          yield* meanwhile(other)
          const others = world.server.count("me") - calls
          yield* Deferred.succeed(givenUp, undefined)
          assert.strictEqual(yield* Fiber.join(call), expected)
          assert.isAtMost(world.server.exchanges.length, 1)
          // No call goes out with a token that is known to have ended.
          assert.strictEqual(world.server.count("me") - calls - others, expected === "success ann" ? 1 : 0)
        })
      )
    )
  }

  for (const [name, lock, expected] of [
    [
      "throws",
      {
        withLock: () => {
          throw new Error("no lock")
        }
      },
      "SessionLockError Unavailable"
    ],
    ["dies", { withLock: () => () => Effect.die("no lock") }, "SessionLockError Unavailable"],
    [
      "fails",
      { withLock: (slot) => () => Effect.fail(new SessionLock.SessionLockError({ slot, reason: "Unavailable" })) },
      "SessionLockError Unavailable"
    ],
    ["interrupts", { withLock: () => () => Effect.interrupt }, "SessionLockError Unavailable"],
    ["never hands over", { withLock: () => () => Effect.never }, "SessionLockError Timeout"]
  ] as const satisfies ReadonlyArray<readonly [string, SessionLock.SessionLock, string]>) {
    it.effect(`one that ${name} costs the call and not the session, and no call with a good token`, () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const client = yield* world.client({ lock })
          yield* client.signIn("ann")
          yield* TestClock.adjust(Duration.sum(Duration.minutes(59), Duration.seconds(45)))
          // An early refresh that cannot be: the token still does.
          const early = yield* Effect.forkChild(client.me)
          yield* settled
          yield* TestClock.adjust("10 seconds")
          if (name !== "never hands over") assert.strictEqual(yield* Fiber.join(early), "ann")
          yield* expire
          const call = yield* Effect.forkChild(tagOf(client.me))
          yield* settled
          yield* TestClock.adjust("2 minutes")
          assert.strictEqual(yield* Fiber.join(call), expected)
          assert.isTrue(Option.isSome(yield* client.session.current))
          assert.strictEqual(world.server.exchanges.length, 0)
          yield* Fiber.interrupt(early)
        })
      )
    )
  }

  it.effect("one that hangs while it is given back keeps nobody", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client({
          lock: { withLock: () => (effect) => Effect.tap(effect, () => Effect.never) }
        })
        yield* client.signIn("ann")
        const call = yield* Effect.forkChild(client.session.refresh)
        yield* until("the pair is stored", () => stored(world.backing)?.["refreshToken"] === "refresh-2-ann")
        yield* settled
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(call)
        assert.strictEqual(yield* client.me, "ann")
      })
    )
  )

  it.effect("round every write where the storage cannot compare by itself", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { lock, state } = watched(world.lock)
        const seen: Array<string> = []
        const storage = storageOver(world.backing, {
          atomic: false,
          before: (operation) => Effect.sync(() => void seen.push(`${operation} ${state.held}`))
        })
        const client = yield* world.client({ storage, lock })
        yield* client.signIn("ann")
        yield* client.session.signOutLocally
        assert.deepStrictEqual(seen, ["get 0", "set 1", "get 1", "remove 1"])
      })
    )
  )

  it.effect("out of reach, nobody is kept from signing in or out", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const storage = storageOver(world.backing, { atomic: false })
        const client = yield* world.client({
          storage,
          lock: {
            withLock: (slot) => () => Effect.fail(new SessionLock.SessionLockError({ slot, reason: "Unavailable" }))
          }
        })
        yield* client.signIn("ann")
        assert.strictEqual(yield* client.me, "ann")
        yield* client.session.signOutLocally
        assert.isUndefined(stored(world.backing))
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("compare and set", () => {
  it.effect("a pair is not written over another session: it is revoked, and the other adopted", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const one = yield* world.client({ lock: noLock })
        const two = yield* world.client({ lock: noLock })
        yield* one.signIn("ann")
        const gate = world.server.gate("refresh")
        const refreshing = yield* Effect.forkChild(one.session.refresh)
        yield* gate.arrived
        yield* two.signIn("bob")
        yield* gate.answer
        assert.strictEqual((yield* Fiber.join(refreshing)).userIdentifier, "bob")
        assert.strictEqual(stored(world.backing)?.["userIdentifier"], "bob")
        yield* until("it is revoked", () => world.server.revoked.length === 1)
        assert.deepStrictEqual(world.server.revoked, ["refresh-3-ann"])
        assert.strictEqual(yield* one.me, "bob")
      })
    )
  )

  it.effect("a sign-out elsewhere while the exchange is on the wire wins", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const one = yield* world.client({ lock: noLock })
        const two = yield* world.client({ lock: noLock })
        yield* one.signIn("ann")
        yield* two.me
        const heard = yield* follow(one)
        const gate = world.server.gate("refresh")
        const refreshing = yield* Effect.forkChild(tagOf(one.session.refresh))
        yield* gate.arrived
        yield* two.session.signOutLocally
        yield* gate.answer
        assert.strictEqual(yield* Fiber.join(refreshing), "NotAuthenticated")
        assert.isUndefined(stored(world.backing))
        yield* until("it is revoked", () => world.server.revoked.length === 1)
        yield* hears(heard, ["State ann", "SignedOut Elsewhere"])
      })
    )
  )

  it.effect("what counts is the refresh token, not the text: another's mark on it is no other session", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client({ lock: noLock })
        yield* client.signIn("ann")
        const gate = world.server.gate("refresh")
        const refreshing = yield* Effect.forkChild(client.session.refresh)
        yield* gate.arrived
        world.backing.map.set("default", JSON.stringify({ ...stored(world.backing), exchangeStartedAt: 7 }))
        yield* gate.answer
        assert.strictEqual((yield* Fiber.join(refreshing)).userIdentifier, "ann")
        assert.strictEqual(stored(world.backing)?.["refreshToken"], "refresh-2-ann")
        assert.deepStrictEqual(world.server.revoked, [])
      })
    )
  )

  for (const [state, seconds] of [
    ["ended", 7_200],
    ["good", 3_575]
  ] as const) {
    it.effect(`a rejection of a session whose access token is ${state} does not touch the one written meanwhile`, () =>
      inWorld((world, other) =>
        Effect.gen(function* () {
          let writes = 0
          const client = yield* world.client({
            lock: noLock,
            storage: storageOver(world.backing, {
              // The first one is the mark.
              before: (operation) =>
                operation === "compareAndSet" && ++writes === 2 ? Effect.orDie(other.signIn("ann")) : Effect.void
            })
          })
          yield* client.signIn("ann")
          const heard = yield* follow(client)
          yield* TestClock.adjust(`${seconds} seconds`)
          world.server.script("refresh", status(400))
          assert.strictEqual(yield* tagOf(client.me), "success ann")
          assert.include(stored(world.backing), { refreshToken: "refresh-2-ann" })
          yield* hears(heard, ["State ann", "Refreshed ann"])
        })
      )
    )
  }

  it.effect("a session whose refresh token is dead gives way to the one that another signs in", () =>
    inWorld((world, other) =>
      Effect.gen(function* () {
        const client = yield* world.client()
        yield* other.signIn("ann")
        yield* client.me
        yield* TestClock.adjust("3575 seconds")
        world.server.script("refresh", status(400))
        assert.strictEqual(yield* client.me, "ann")
        assert.include(stored(world.backing), { rejected: true })
        yield* other.signIn("ann")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* client.me, "ann")
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("what another has seen rejected meanwhile is not sent, although it is the same token", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client({ lock: noLock })
        const goOn = yield* Deferred.make<void>()
        let held = 0
        const other = yield* world.client({
          lock: noLock,
          storage: storageOver(world.backing, {
            before: (operation) =>
              Effect.suspend(() => (operation === "compareAndSet" && held++ === 0 ? Deferred.await(goOn) : Effect.void))
          })
        })
        yield* client.signIn("ann")
        // Due, but good for a few seconds more.
        yield* TestClock.adjust("3575 seconds")
        const call = yield* Effect.forkChild(tagOf(other.me))
        yield* until("it is about to mark the token", () => held === 1)
        world.server.script("refresh", status(400))
        assert.strictEqual(yield* client.me, "ann")
        assert.include(stored(world.backing), { rejected: true })
        yield* Deferred.succeed(goOn, undefined)
        assert.strictEqual(yield* Fiber.join(call), "success ann")
        assert.strictEqual(world.server.exchanges.length, 1)
        assert.include(stored(world.backing), { rejected: true })
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("generations: a refresh in flight", () => {
  /** A refresh of ann's that the server has handled and not yet answered. */
  const inFlight = (
    run: (parts: {
      readonly world: World
      readonly client: Client
      readonly call: Fiber.Fiber<string>
      readonly answer: Effect.Effect<void>
    }) => Effect.Effect<void, unknown, Scope.Scope>,
    options?: {
      readonly behaviour?: Behaviour
      readonly storage?: (world: World) => TokenStorage.TokenStorage["Service"]
    }
  ) =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client(options?.storage === undefined ? {} : { storage: options.storage(world) })
        yield* client.signIn("ann")
        yield* expire
        const gate = world.server.gate("refresh")
        world.server.script("refresh", options?.behaviour ?? usual)
        const call = yield* Effect.forkChild(tagOf(client.me))
        yield* gate.arrived
        yield* gate.handle
        yield* run({ world, client, call, answer: gate.answer })
      })
    )

  it.effect("is discarded and revoked when another user signs in", () =>
    inFlight(({ answer, call, client, world }) =>
      Effect.gen(function* () {
        const heard = yield* follow(client)
        yield* client.signIn("bob")
        yield* answer
        // The call began as ann, and is not made as bob.
        assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
        yield* until("ann's new pair is revoked", () => world.server.revoked.includes("refresh-2-ann"))
        assert.strictEqual(stored(world.backing)?.["userIdentifier"], "bob")
        assert.strictEqual(yield* client.me, "bob")
        yield* hears(heard, ["State ann", "SignedIn bob"])
      })
    )
  )

  it.effect("is discarded and revoked after a sign-out", () =>
    inFlight(({ answer, call, client, world }) =>
      Effect.gen(function* () {
        const heard = yield* follow(client)
        yield* client.session.signOutLocally
        yield* answer
        assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
        yield* until("the new pair is revoked", () => world.server.revoked.includes("refresh-2-ann"))
        assert.isUndefined(stored(world.backing))
        assert.isTrue(Option.isNone(yield* client.session.current))
        yield* hears(heard, ["State ann", "SignedOut SignOut"])
      })
    )
  )

  it.effect("is discarded and revoked after a logout, which does not wait for it", () =>
    inFlight(({ answer, call, client, world }) =>
      Effect.gen(function* () {
        // The old refresh token is spent by now: the server refuses it, the new one is revoked as soon as it is here.
        const result = yield* client.auth.logout()
        assert.isFalse(result.revoked)
        assert.strictEqual(world.server.exchanges.length, 1)
        yield* answer
        assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
        yield* until("the new pair is revoked", () => world.server.revoked.includes("refresh-2-ann"))
        assert.isTrue(world.server.sessions.every((one) => !one.alive))
        assert.isUndefined(stored(world.backing))
      })
    )
  )

  it.effect("is discarded and revoked when tokens are restored", () =>
    inFlight(({ answer, call, client, world }) =>
      Effect.gen(function* () {
        const pair = world.server.issue("cyd", "phone", "cyd's device")
        yield* client.session.restore({
          refreshToken: pair.refreshToken,
          accessToken: Redacted.make(pair.accessToken),
          marker: "phone",
          userIdentifier: "cyd",
          device: device("cyd's device")
        })
        yield* answer
        assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
        yield* until("ann's new pair is revoked", () => world.server.revoked.includes("refresh-2-ann"))
        assert.strictEqual(yield* client.me, "cyd")
        assert.strictEqual(stored(world.backing)?.["marker"], "phone")
      })
    )
  )

  it.effect("is discarded and revoked when tokens are restored whose device is yet to be found", () =>
    inFlight(({ answer, call, client, world }) =>
      Effect.gen(function* () {
        const pair = world.server.issue("cyd", "phone", "cyd's device")
        const found = yield* Deferred.make<void>()
        const restore = yield* Effect.forkChild(
          Effect.provideService(
            client.session.restore({ refreshToken: pair.refreshToken, marker: "phone", userIdentifier: "cyd" }),
            DeviceMetadata.DeviceMetadata,
            () => Effect.as(Deferred.await(found), device("cyd's device"))
          )
        )
        yield* settled
        yield* answer
        assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
        yield* until("ann's new pair is revoked", () => world.server.revoked.includes("refresh-2-ann"))
        yield* Deferred.succeed(found, undefined)
        yield* Fiber.join(restore)
        assert.strictEqual(yield* client.me, "cyd")
      })
    )
  )

  it.effect("with a refresh token alone: what waits for the old refresh exchanges the restored one", () =>
    inFlight(({ answer, call, client, world }) =>
      Effect.gen(function* () {
        const pair = world.server.issue("ann", "email", "another device")
        const token = yield* Effect.forkChild(client.session.accessToken)
        const refreshed = yield* Effect.forkChild(client.session.refresh)
        yield* settled
        yield* client.session.restore({ refreshToken: pair.refreshToken, device: device("another device") })
        yield* answer
        assert.strictEqual(yield* Fiber.join(call), "success ann")
        assert.strictEqual(Redacted.value(yield* Fiber.join(token)), pair.accessToken)
        assert.strictEqual((yield* Fiber.join(refreshed)).userIdentifier, "ann")
        assert.deepStrictEqual(
          world.server.exchanges.map((one) => one.accepted),
          [true, true]
        )
      })
    )
  )

  for (const kind of ["sign-in", "sign-out"] as const) {
    it.effect(
      `a ${kind} that waits for the lock: the spent token is out of the storage before another process gets it`,
      () =>
        inWorld((world, other) =>
          Effect.gen(function* () {
            const client = yield* world.client({ storage: storageOver(world.backing, { atomic: false }) })
            yield* client.signIn("ann")
            yield* other.me
            yield* expire
            const gate = world.server.gate("refresh")
            const call = yield* Effect.forkChild(tagOf(client.me))
            yield* gate.arrived
            const next = yield* Effect.forkChild(tagOf(other.me))
            yield* settled
            const change = yield* Effect.forkChild(
              kind === "sign-in" ? client.signIn("bob") : client.session.signOutLocally
            )
            yield* until("it is on its way", () => kind === "sign-out" || world.server.count("auth") === 2)
            yield* settled
            yield* gate.answer
            assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
            assert.strictEqual(yield* Fiber.join(next), "NotAuthenticated")
            yield* Fiber.join(change)
            assert.strictEqual(world.server.exchanges.length, 1)
            assert.strictEqual(stored(world.backing)?.["userIdentifier"], kind === "sign-in" ? "bob" : undefined)
          })
        )
    )
  }

  it.effect("a sign-in is in memory as soon as it is in the storage: nobody compares the old session with it", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const release = yield* Deferred.make<void>()
        let slow = false
        const lock: SessionLock.SessionLock = {
          withLock: (slot, options) => (effect) =>
            Effect.tap(world.lock.withLock(slot, options)(effect), () => (slow ? Deferred.await(release) : Effect.void))
        }
        const client = yield* world.client({ lock, storage: storageOver(world.backing, { atomic: false }) })
        yield* client.signIn("ann")
        yield* expire
        slow = true
        const signIn = yield* Effect.forkChild(client.signIn("bob"))
        yield* until("it is written", () => stored(world.backing)?.["userIdentifier"] === "bob")
        yield* settled
        assert.strictEqual(yield* client.me, "bob")
        assert.strictEqual(world.server.exchanges.length, 0)
        yield* Deferred.succeed(release, undefined)
        yield* Fiber.join(signIn)
      })
    )
  )

  it.effect("that is rejected does not touch the session after it", () =>
    inFlight(
      ({ answer, call, client, world }) =>
        Effect.gen(function* () {
          const heard = yield* follow(client)
          yield* client.signIn("bob")
          yield* answer
          assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
          assert.strictEqual(stored(world.backing)?.["userIdentifier"], "bob")
          assert.strictEqual(yield* client.me, "bob")
          yield* hears(heard, ["State ann", "SignedIn bob"])
        }),
      { behaviour: status(400) }
    )
  )

  it.effect("that fails does not cool down the session after it", () =>
    inFlight(
      ({ answer, call, client, world }) =>
        Effect.gen(function* () {
          yield* client.signIn("bob")
          yield* answer
          yield* Fiber.join(call)
          yield* client.session.refresh
          assert.strictEqual(world.server.exchanges.length, 2)
        }),
      { behaviour: status(503) }
    )
  )

  it.effect("a sign-in that waits to be written: the spent token is not sent again meanwhile", () => {
    let hold = false
    const written = Deferred.makeUnsafe<void>()
    return inFlight(
      ({ answer, call, client, world }) =>
        Effect.gen(function* () {
          hold = true
          const signIn = yield* Effect.forkChild(client.signIn("bob"))
          yield* until("it is about to be written", () => world.server.count("auth") === 2)
          yield* settled
          yield* answer
          assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
          assert.strictEqual(yield* tagOf(client.me), "NotAuthenticated")
          assert.strictEqual(world.server.exchanges.length, 1)
          yield* Deferred.succeed(written, undefined)
          yield* Fiber.join(signIn)
          assert.strictEqual(yield* client.me, "bob")
        }),
      {
        storage: (world) =>
          storageOver(world.backing, {
            before: (operation) => (operation === "set" && hold ? Deferred.await(written) : Effect.void)
          })
      }
    )
  })

  for (const [code, first, then, exchanges] of [
    [400, "in memory", "success bob", 1],
    [503, "not at all", "success ann", 2]
  ] as const) {
    it.effect(`a sign-in that cannot be written, while the refresh ends in ${code}: it lives ${first}`, () => {
      const written = Deferred.makeUnsafe<void>()
      let hold = false
      return inFlight(
        ({ answer, call, client, world }) =>
          Effect.gen(function* () {
            hold = true
            const signIn = yield* Effect.forkChild(Effect.exit(client.signIn("bob")))
            yield* until("it is about to be written", () => world.server.count("auth") === 2)
            yield* settled
            yield* answer
            yield* Fiber.join(call)
            yield* Deferred.succeed(written, undefined)
            assert.strictEqual(Exit.isSuccess(yield* Fiber.join(signIn)), code === 400)
            assert.strictEqual(yield* tagOf(client.me), then)
            assert.strictEqual(world.server.exchanges.length, exchanges)
          }),
        {
          behaviour: status(code),
          storage: (world) =>
            storageOver(world.backing, {
              fault: (operation) => (operation === "set" && hold ? "fail" : undefined),
              before: (operation) => (operation === "set" && hold ? Deferred.await(written) : Effect.void)
            })
        }
      )
    })
  }

  for (const [state, seconds] of [
    ["ended", 7_200],
    ["good", 3_575]
  ] as const) {
    it.effect(`that is rejected is not sent again after a sign-in that cannot be written (access token ${state})`, () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const goOn = yield* Deferred.make<void>()
          let writes = 0
          const client = yield* world.client({
            storage: storageOver(world.backing, {
              fault: (operation) => (operation === "set" && writes > 0 ? "fail" : undefined),
              // The first one is the mark, the second what the rejection does.
              before: (operation) =>
                operation === "compareAndSet" && ++writes === 2 ? Deferred.await(goOn) : Effect.void
            })
          })
          yield* client.signIn("ann")
          yield* TestClock.adjust(`${seconds} seconds`)
          world.server.script("refresh", status(400))
          const call = yield* Effect.forkChild(tagOf(client.me))
          yield* until("the rejection is being written", () => writes === 2)
          const signIn = yield* Effect.forkChild(Effect.exit(client.signIn("bob")))
          yield* until("it waits to be written", () => world.server.count("auth") === 2)
          yield* settled
          yield* Deferred.succeed(goOn, undefined)
          assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
          assert.isTrue(Exit.isFailure(yield* Fiber.join(signIn)))
          yield* expire
          assert.strictEqual(yield* tagOf(client.me), "NotAuthenticated")
          assert.strictEqual(world.server.exchanges.length, 1)
        })
      )
    )
  }

  it.effect("a sign-out whose removal fails is not undone by the pair that was being written", () => {
    let broken = false
    return inFlight(
      ({ answer, call, client }) =>
        Effect.gen(function* () {
          broken = true
          assert.strictEqual((yield* Effect.flip(client.session.signOutLocally))._tag, "TokenStorageError")
          yield* answer
          assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
          broken = false
          assert.isTrue(Option.isNone(yield* client.session.current))
          assert.strictEqual(yield* tagOf(client.me), "NotAuthenticated")
          // Signing out once more removes what the storage still has.
          yield* client.session.signOutLocally
          assert.isTrue(Option.isNone(yield* client.session.current))
        }),
      {
        storage: (world) =>
          storageOver(world.backing, { fault: (operation) => (operation === "remove" && broken ? "fail" : undefined) })
      }
    )
  })

  it.effect("a sign-out after a sign-in that is still being written wins", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const written = yield* Deferred.make<void>()
        const client = yield* world.client({
          storage: storageOver(world.backing, {
            before: (operation) => (operation === "set" ? Deferred.await(written) : Effect.void)
          })
        })
        const heard = yield* follow(client)
        const signIn = yield* Effect.forkChild(client.signIn("ann"))
        yield* until("it is signed in", () => world.server.count("auth") === 1)
        yield* settled
        const signOut = yield* Effect.forkChild(client.session.signOutLocally)
        yield* settled
        yield* Deferred.succeed(written, undefined)
        yield* Fiber.joinAll([signIn, signOut])
        assert.isUndefined(stored(world.backing))
        assert.isTrue(Option.isNone(yield* client.session.current))
        yield* hears(heard, ["State nobody"])
      })
    )
  )

  it.effect("a request that began as one user is not sent again as another", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const gate = world.server.gate("me")
        const call = yield* Effect.forkChild(tagOf(client.me))
        yield* gate.arrived
        yield* client.signIn("bob")
        world.server.expire("ann")
        yield* gate.answer
        assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
        assert.strictEqual(world.server.exchanges.length, 0)
        assert.strictEqual(yield* client.me, "bob")
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("interruption", () => {
  it.effect("of the first caller detaches him only", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* expire
        const gate = world.server.gate("refresh")
        const first = yield* Effect.forkChild(client.me)
        yield* gate.arrived
        const second = yield* Effect.forkChild(client.me)
        yield* settled
        yield* Fiber.interrupt(first)
        yield* gate.answer
        assert.strictEqual(yield* Fiber.join(second), "ann")
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  const everybodyLeaves = (
    name: string,
    when: (parts: { readonly world: World; readonly gate: ReturnType<World["server"]["gate"]> }) => {
      readonly reached: Effect.Effect<void>
      readonly goOn: Effect.Effect<void>
    },
    storage?: (world: World) => TokenStorage.TokenStorage["Service"]
  ) =>
    it.effect(`of every caller ${name}: the exchange completes and is stored`, () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const client = yield* world.client(storage === undefined ? {} : { storage: storage(world) })
          yield* client.signIn("ann")
          yield* expire
          const gate = world.server.gate("refresh")
          const { goOn, reached } = when({ world, gate })
          const callers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(client.me))
          yield* reached
          yield* Fiber.interruptAll(callers)
          yield* goOn
          yield* until("the pair is stored", () => stored(world.backing)?.["refreshToken"] === "refresh-2-ann")
          assert.strictEqual(yield* client.me, "ann")
          assert.strictEqual(world.server.exchanges.length, 1)
        })
      )
    )

  everybodyLeaves("on the wire", ({ gate }) => ({ reached: gate.arrived, goOn: gate.answer }))
  {
    let writes = 0
    const reached = Deferred.makeUnsafe<void>()
    const goOn = Deferred.makeUnsafe<void>()
    everybodyLeaves(
      "before the answer is written",
      ({ gate }) => ({
        reached: Effect.andThen(Effect.andThen(gate.arrived, gate.answer), Deferred.await(reached)),
        goOn: Effect.asVoid(Deferred.succeed(goOn, undefined))
      }),
      (world) =>
        storageOver(world.backing, {
          before: (operation) =>
            operation === "compareAndSet" && ++writes === 2
              ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn))
              : Effect.void
        })
    )
  }
  {
    const reached = Deferred.makeUnsafe<void>()
    const goOn = Deferred.makeUnsafe<void>()
    everybodyLeaves(
      "before the exchange",
      ({ gate }) => ({
        reached: Deferred.await(reached),
        goOn: Effect.andThen(Deferred.succeed(goOn, undefined), Effect.andThen(gate.arrived, gate.answer))
      }),
      (world) =>
        storageOver(world.backing, {
          before: (operation) =>
            operation === "compareAndSet"
              ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn))
              : Effect.void
        })
    )
  }

  it.effect("nobody goes on before the pair is in the storage", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        let writes = 0
        const writing = yield* Deferred.make<void>()
        const goOn = yield* Deferred.make<void>()
        const client = yield* world.client({
          storage: storageOver(world.backing, {
            before: (operation) =>
              operation === "compareAndSet" && ++writes === 2
                ? Effect.andThen(Deferred.succeed(writing, undefined), Deferred.await(goOn))
                : Effect.void
          })
        })
        yield* client.signIn("ann")
        yield* expire
        const call = yield* Effect.forkChild(client.me)
        yield* Deferred.await(writing)
        const later = yield* Effect.forkChild(client.session.accessToken)
        yield* settled
        assert.strictEqual(world.server.count("me"), 0)
        assert.isUndefined(later.pollUnsafe())
        yield* Deferred.succeed(goOn, undefined)
        assert.strictEqual(yield* Fiber.join(call), "ann")
        yield* Fiber.join(later)
      })
    )
  )

  it.effect("the first caller's references are not everybody's", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const Mine = DeviceMetadata.DeviceMetadata
        const seen: Array<unknown> = []
        const http = HttpClient.make((request) =>
          Effect.withFiber((fiber) => {
            if (request.url.endsWith("/refresh")) seen.push(fiber.getRef(Mine))
            return world.server.client.execute(request)
          })
        )
        const client = yield* world.client({ http })
        yield* client.signIn("ann")
        yield* expire
        yield* client.me.pipe(Effect.provideService(Mine, device("the caller's")))
        assert.deepStrictEqual(seen, [undefined])
      })
    )
  )

  it.effect("a client that is closed on the wire stores the answer first", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const client = yield* Scope.provide(world.client(), scope)
        yield* client.signIn("ann")
        yield* expire
        const gate = world.server.gate("refresh")
        yield* Effect.forkChild(client.me)
        yield* gate.arrived
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* settled
        assert.isUndefined(closing.pollUnsafe())
        yield* gate.answer
        yield* Fiber.join(closing)
        assert.strictEqual(stored(world.backing)?.["refreshToken"], "refresh-2-ann")
      })
    )
  )

  it.effect("a client that is closed before the exchange leaves it to the others on its storage", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const storage = storageOver(world.backing)
        const scope = yield* Scope.make()
        const closed = yield* Scope.provide(world.client({ storage }), scope)
        const open = yield* world.client({ storage })
        yield* closed.signIn("ann")
        yield* expire
        const holder = yield* Effect.forkChild(
          world.lock.withLock("default", { maxHold: Duration.minutes(1) })(Effect.never)
        )
        yield* settled
        yield* Effect.forkChild(Effect.exit(closed.me))
        yield* settled
        const call = yield* Effect.forkChild(open.me)
        yield* settled
        yield* Scope.close(scope, Exit.void)
        yield* settled
        yield* Fiber.interrupt(holder)
        assert.strictEqual(yield* Fiber.join(call), "ann")
        assert.strictEqual(world.server.exchanges.length, 1)
        // Who still has the closed one in his hands is told so, and blocks nobody.
        world.server.expire()
        assert.match(yield* tagOf(closed.me), /^(SessionLockError Unavailable|OneEntryError Network)$/)
        assert.strictEqual(yield* open.me, "ann")
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("sending again", () => {
  it.effect("once: a second 401 is TokenExpired, and the session stays", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.script("me", status(401), status(401))
        assert.strictEqual(yield* tagOf(client.me), "TokenExpired Refused")
        assert.strictEqual(world.server.count("me"), 2)
        assert.strictEqual(world.server.exchanges.length, 1)
        assert.isTrue(Option.isSome(yield* client.session.current))
        assert.strictEqual(yield* client.me, "ann")
      })
    )
  )

  it.effect("once, to a server that gives out the same tokens again", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const { accessToken, refreshToken } = world.server.sessions[0] ?? { accessToken: "", refreshToken: "" }
        const same = answer(
          201,
          JSON.stringify({ userIdentifier: "ann", authProviderIdentifier: "email", accessToken, refreshToken }),
          { handled: false }
        )
        world.server.script("me", status(401), usual, status(401), status(401))
        world.server.script("refresh", same, same, same)
        assert.strictEqual(yield* client.me, "ann")
        assert.strictEqual(world.server.exchanges.length, 1)
        assert.strictEqual(yield* tagOf(client.me), "TokenExpired Refused")
        assert.strictEqual(world.server.exchanges.length, 2)
        assert.strictEqual((yield* client.session.refresh).userIdentifier, "ann")
        assert.strictEqual(world.server.exchanges.length, 3)
        assert.strictEqual(yield* client.me, "ann")
      })
    )
  )

  it.effect("with the new token, and the body byte for byte", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        for (const body of [
          HttpBody.text("grüße \u0000\ud83d\ude00"),
          HttpBody.uint8Array(Uint8Array.of(0, 255, 128, 10, 13)),
          HttpBody.jsonUnsafe({ b: 1, a: [2] })
        ]) {
          world.server.expire()
          const response = yield* client.http.authorized.execute(
            HttpClientRequest.post("/api/content/things", { body })
          )
          assert.strictEqual(response.status, 200)
          const [first, second] = world.server.seen.filter((one) => one.route === "other").slice(-2)
          assert.deepStrictEqual(second?.body, first?.body)
          assert.isAbove(first?.body.length ?? 0, 0)
          assert.notStrictEqual(second?.headers["authorization"], first?.headers["authorization"])
        }
        assert.strictEqual(world.server.exchanges.length, 3)
      })
    )
  )

  it.effect("never a one-shot stream: it is reported, and the session refreshed for the next one", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.expire()
        const send = () =>
          client.http.authorized.execute(
            HttpClientRequest.post("/api/content/things", {
              body: HttpBody.stream(Stream.make(Uint8Array.of(1), Uint8Array.of(2)), "application/octet-stream")
            })
          )
        const error = yield* Effect.flip(send())
        assert.strictEqual(error._tag === "OneEntryError" ? error.reason._tag : error._tag, "InvalidRequest")
        assert.strictEqual(world.server.count("other"), 1)
        assert.strictEqual(world.server.exchanges.length, 1)
        assert.strictEqual((yield* send()).status, 200)
      })
    )
  )

  it.effect("never on sign-in, sign-up, code, oauth, refresh and logout", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const user = { userIdentifier: "ann", eventIdentifier: "auth" }
        const calls: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
          ["auth", client.signIn("nobody")],
          [
            "other",
            client.auth.signUp("email", {
              authData: [{ marker: "email_reg", value: "x" }],
              formIdentifier: "reg",
              formData: [],
              notificationData: { email: "x", phonePush: [], phoneSMS: "" }
            })
          ],
          ["other", client.auth.generateCode("email", user)],
          ["other", client.auth.checkCode("email", { ...user, code: "1" })],
          ["other", client.auth.activateUser("email", { userIdentifier: "ann", code: "1" })],
          ["other", client.auth.oauth("email", { code: "1", redirect_uri: "https://app.test/" })],
          ["other", client.auth.changePassword("email", { ...user, type: "recovery", code: "1", newPassword: "n" })]
        ]
        for (const [route, call] of calls) {
          const before = world.server.seen.length
          world.server.script(route === "auth" ? "auth" : "other", status(401))
          assert.isTrue(Exit.isFailure(yield* Effect.exit(call)))
          assert.strictEqual(world.server.seen.length, before + 1)
        }
        assert.strictEqual(world.server.exchanges.length, 0)
        assert.strictEqual(yield* client.me, "ann")
        world.server.script("logout", status(401))
        yield* client.auth.logout()
        assert.strictEqual(world.server.count("logout"), 1)
        assert.strictEqual(world.server.exchanges.length, 0)
      })
    )
  )

  it.effect("never after a 403", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.script("me", status(403))
        assert.match(yield* tagOf(client.me), /^OneEntryError /)
        assert.strictEqual(world.server.exchanges.length, 0)
        assert.strictEqual(world.server.count("me"), 1)
        world.server.script("other", status(403))
        assert.strictEqual((yield* client.http.authorized.get("/api/content/things")).status, 403)
        assert.strictEqual(world.server.exchanges.length, 0)
      })
    )
  )

  it.effect("refreshOnUnauthorized, round a client of one's own", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const own = world.server.client.pipe(
          HttpClient.mapRequestEffect((request) =>
            Effect.map(client.session.accessToken, (token) => HttpClientRequest.bearerToken(request, token))
          ),
          HttpClient.filterStatusOk,
          HttpClient.retry(Session.refreshOnUnauthorized)
        )
        const get = Effect.provideService(
          own.get("https://project.test/api/content/things"),
          Session.Session,
          client.session
        )
        world.server.expire()
        assert.strictEqual((yield* get).status, 200)
        assert.strictEqual(world.server.exchanges.length, 1)
        // A second 401 surfaces as it is; what is no 401 ends it at once.
        world.server.script("other", status(401), status(401), status(403), status(503))
        for (const [code, sent] of [
          [401, 2],
          [403, 1],
          [503, 1]
        ]) {
          const before = world.server.count("other")
          const error = yield* Effect.flip(get)
          assert.strictEqual(
            error._tag === "HttpClientError" && error.reason._tag === "StatusCodeError"
              ? error.reason.response.status
              : error._tag,
            code
          )
          assert.strictEqual(world.server.count("other") - before, sent)
        }
        assert.strictEqual(world.server.exchanges.length, 2)
        // A refresh that fails ends it with its error.
        world.server.script("refresh", status(503))
        world.server.expire()
        assert.strictEqual((yield* Effect.flip(get))._tag, "OneEntryError")
        // So does a 401 with nobody there.
        yield* client.session.signOutLocally
        assert.strictEqual((yield* Effect.flip(get))._tag, "NotAuthenticated")
        assert.strictEqual(
          (yield* Effect.fail(new Session.Unauthorized({ accessToken: Redacted.make("x") })).pipe(
            Effect.retry(Session.refreshOnUnauthorized),
            Effect.provideService(Session.Session, client.session),
            Effect.flip
          ))._tag,
          "NotAuthenticated"
        )
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("ahead of expiry", () => {
  const marginIs = (
    name: string,
    lifetime: number,
    margin: number,
    options?: { readonly refreshMargin?: Duration.Input }
  ) =>
    it.effect(`the margin is ${margin} s of ${name}`, () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.server.lifetime = lifetime
          const client = yield* world.client({ options: { ...options } })
          yield* client.signIn("ann")
          yield* TestClock.adjust(Duration.seconds(lifetime - margin - 1))
          yield* client.me
          assert.strictEqual(world.server.exchanges.length, 0)
          yield* TestClock.adjust("1 second")
          yield* client.me
          assert.strictEqual(world.server.exchanges.length, 1)
          assert.strictEqual(world.server.count("me"), 2)
        })
      )
    )

  marginIs("an hour", 3_600, 30)
  marginIs("an hour, as configured", 3_600, 60, { refreshMargin: "1 minute" })
  marginIs("a minute: a tenth", 60, 6)
  marginIs("a minute, however much is configured", 60, 6, { refreshMargin: "1 hour" })

  for (const lifetime of [1, 2, 5]) {
    it.effect(`a new token is used at least once, even one that lives ${lifetime} s`, () =>
      inWorld((world, client) =>
        Effect.gen(function* () {
          world.server.lifetime = lifetime
          yield* client.signIn("ann")
          yield* client.me
          assert.strictEqual(world.server.exchanges.length, 0)
          for (let count = 1; count <= 3; count++) {
            yield* TestClock.adjust("1 minute")
            yield* Effect.forEach([1, 2, 3, 4], () => client.me, { concurrency: "unbounded" })
            assert.strictEqual(world.server.exchanges.length, count)
          }
          assert.strictEqual(world.server.seen.filter((one) => one.route === "me").length, 13)
        })
      )
    )
  }

  it.effect("a token that is at its end when it comes is used, not refreshed again", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* expire
        world.server.lifetime = 1
        const gate = world.server.gate("refresh")
        const calls = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(client.me))
        yield* gate.arrived
        yield* gate.handle
        // The answer takes its time.
        yield* TestClock.adjust("20 seconds")
        yield* gate.answer
        yield* Fiber.joinAll(calls)
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  for (const [name, behaviour] of [
    ["503", status(503)],
    ["a broken connection", lose(false)],
    ["an answer that is no pair", answer(201, "{}")],
    ["a rejection", status(400)]
  ] as const) {
    it.effect(`a refresh that ends in ${name}: the request goes out with the token that is still good`, () =>
      inWorld((world, client) =>
        Effect.gen(function* () {
          yield* client.signIn("ann")
          yield* TestClock.adjust(Duration.seconds(3_580))
          world.server.script("refresh", behaviour, behaviour)
          const good = world.server.sessions[0]?.accessToken
          if (behaviour._tag === "Answer" && behaviour.handled) {
            // The server has rotated: its own access token of before is what the client still has.
            world.server.script(
              "me",
              answer(200, JSON.stringify({ id: 1, identifier: "ann", authProviderIdentifier: "email", formData: [] }))
            )
          }
          assert.strictEqual(yield* client.me, "ann")
          assert.strictEqual(world.server.seen.at(-1)?.headers["authorization"], `Bearer ${good}`)
          assert.strictEqual(world.server.exchanges.length, 1)
        })
      )
    )
  }
})

// -----------------------------------------------------------------------------

describe("a refresh that fails", () => {
  it.effect("after the access token has ended: the call does not go out with it", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* TestClock.adjust("3595 seconds")
        world.server.script("refresh", lose(false))
        const gate = world.server.gate("refresh")
        const call = yield* Effect.forkChild(tagOf(client.me))
        yield* gate.arrived
        yield* TestClock.adjust("10 seconds")
        yield* gate.answer
        assert.strictEqual(yield* Fiber.join(call), "OneEntryError Network")
        assert.strictEqual(world.server.count("me"), 0)
      })
    )
  )

  it.effect("after a 401: no call goes out with that token again while it cools down", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.expire()
        world.server.script("refresh", status(503))
        assert.strictEqual(yield* tagOf(client.me), "OneEntryError ServerFailure")
        assert.strictEqual(yield* tagOf(client.me), "OneEntryError ServerFailure")
        assert.strictEqual(world.server.count("me"), 1)
      })
    )
  )

  for (const code of [400, 503]) {
    it.effect(`early, with ${code}: calls with the token that is still good wait for no lock`, () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const { lock, state } = watched(world.lock)
          const client = yield* world.client({ lock })
          yield* client.signIn("ann")
          yield* TestClock.adjust("3575 seconds")
          world.server.script("refresh", status(code))
          assert.strictEqual(yield* client.me, "ann")
          assert.strictEqual(state.holds, 1)
          assert.strictEqual(yield* client.me, "ann")
          assert.strictEqual(state.holds, 1)
        })
      )
    )
  }
})

// -----------------------------------------------------------------------------

describe("what a refresh outcome does", () => {
  /** A refresh with a token that has ended, or has not, whose exchange goes as the script says. */
  const refreshing = (
    state: "valid" | "expired",
    behaviours: ReadonlyArray<Behaviour>,
    run: (parts: {
      readonly world: World
      readonly client: Client
      readonly heard: ReadonlyArray<string>
      /** How the refresh ended. */
      readonly outcome: string
    }) => Effect.Effect<void, unknown, Scope.Scope>
  ) =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        yield* TestClock.adjust(state === "expired" ? "2 hours" : "10 minutes")
        world.server.script("refresh", ...behaviours)
        const ending = yield* Effect.forkChild(tagOf(client.session.refresh))
        yield* settled
        // For those that only the timeout ends.
        yield* TestClock.adjust("30 seconds")
        const outcome = yield* Fiber.join(ending)
        yield* run({ world, client, heard, outcome: outcome.replace(/^success .*/, "success") })
      })
    )

  for (const state of ["valid", "expired"] as const) {
    describe(`access token ${state}`, () => {
      it.effect("2xx that decodes: commit", () =>
        refreshing(state, [usual], ({ client, heard, outcome, world }) =>
          Effect.gen(function* () {
            assert.strictEqual(outcome, "success")
            assert.deepInclude(stored(world.backing), { refreshToken: "refresh-2-ann", marker: "email" })
            assert.notProperty(stored(world.backing), "exchangeStartedAt")
            yield* hears(heard, ["State ann", "Refreshed ann"])
            assert.strictEqual(yield* client.me, "ann")
          })
        )
      )

      for (const [name, behaviour] of [
        ["empty", answer(201, "")],
        ["no JSON", answer(201, "<html>", { headers: { "content-type": "text/html" } })],
        ["another shape", answer(200, `{"accessToken":"a"}`)],
        [
          "an empty token",
          answer(200, `{"userIdentifier":"ann","authProviderIdentifier":"email","accessToken":"a","refreshToken":""}`)
        ],
        ["true", answer(200, "true")],
        ["no content", answer(204, "")]
      ] as const) {
        it.effect(`2xx that does not decode (${name}): keep, retryable`, () =>
          refreshing(
            state,
            [name === "no content" ? { _tag: "Answer", handled: false, status: 204 } : behaviour],
            ({ client, heard, outcome, world }) =>
              Effect.gen(function* () {
                assert.strictEqual(outcome, "OneEntryError ResponseInvalid")
                assert.include(stored(world.backing), { refreshToken: "refresh-1-ann" })
                // A definite answer takes the mark back.
                assert.notProperty(stored(world.backing), "exchangeStartedAt")
                yield* hears(heard, ["State ann"])
                assert.isTrue(Option.isSome(yield* client.session.current))
              })
          )
        )
      }

      for (const code of [400, 401, 403]) {
        it.effect(
          `${code} with the API's envelope: ${state === "valid" ? "keep, and never send it again" : "drop"}`,
          () =>
            refreshing(state, [status(code)], ({ client, heard, outcome, world }) =>
              Effect.gen(function* () {
                assert.strictEqual(outcome, "TokenExpired Rejected")
                if (state === "valid") {
                  yield* hears(heard, ["State ann", "RefreshRejected ann"])
                  assert.strictEqual(yield* client.me, "ann")
                  assert.strictEqual(yield* tagOf(client.session.refresh), "TokenExpired Rejected")
                  // Nor by another process.
                  const other = yield* world.client()
                  assert.strictEqual(yield* other.me, "ann")
                  assert.strictEqual(yield* tagOf(other.session.refresh), "TokenExpired Rejected")
                  // It ends with the access token.
                  yield* expire
                  assert.strictEqual(yield* tagOf(client.me), "TokenExpired Rejected")
                  yield* hears(heard, ["State ann", "RefreshRejected ann", "SignedOut Rejected"])
                } else {
                  yield* hears(heard, ["State ann", "SignedOut Rejected"])
                }
                assert.isUndefined(stored(world.backing))
                assert.strictEqual(yield* tagOf(client.me), "NotAuthenticated")
                assert.strictEqual(world.server.exchanges.length, 1)
              })
            )
        )

        it.effect(`${code} without it: keep, cool down`, () =>
          refreshing(state, [answer(code, "<html>proxy</html>", { handled: false })], ({ heard, outcome, world }) =>
            Effect.gen(function* () {
              assert.match(outcome, /^OneEntryError /)
              assert.include(stored(world.backing), { refreshToken: "refresh-1-ann" })
              yield* hears(heard, ["State ann"])
            })
          )
        )
      }

      for (const code of [301, 302, 307, 308, 404, 408, 425, 429, 500, 502, 503, 504]) {
        it.effect(`${code}: keep, cool down`, () =>
          refreshing(
            state,
            [status(code, { location: "https://elsewhere.test/" })],
            ({ client, heard, outcome, world }) =>
              Effect.gen(function* () {
                assert.match(outcome, /^OneEntryError /)
                assert.include(stored(world.backing), { refreshToken: "refresh-1-ann" })
                assert.notProperty(stored(world.backing), "exchangeStartedAt")
                yield* hears(heard, ["State ann"])
                if (state === "valid") {
                  assert.strictEqual(yield* client.me, "ann")
                } else {
                  yield* TestClock.adjust("2 minutes")
                  assert.strictEqual(yield* client.me, "ann")
                  assert.strictEqual(world.server.exchanges.length, 2)
                }
              })
          )
        )
      }

      for (const [name, behaviour, reason] of [
        ["a connection that breaks", lose(false), "Network"],
        ["a timeout", hang(false), "Timeout"]
      ] as const) {
        it.effect(`${name} before the server has it: keep, in doubt; the next attempt mends it`, () =>
          refreshing(state, [behaviour], ({ client, heard, outcome, world }) =>
            Effect.gen(function* () {
              assert.strictEqual(outcome, `OneEntryError ${reason}`)
              assert.include(stored(world.backing), { refreshToken: "refresh-1-ann" })
              assert.property(stored(world.backing), "exchangeStartedAt")
              yield* hears(heard, ["State ann"])
              yield* TestClock.adjust("2 minutes")
              yield* client.session.refresh
              assert.notProperty(stored(world.backing), "exchangeStartedAt")
              assert.strictEqual(yield* client.me, "ann")
            })
          )
        )

        it.effect(`${name} after it: ambiguous when the server then rejects it`, () =>
          refreshing(state, [name === "a timeout" ? hang(true) : lose(true)], ({ client, heard, outcome, world }) =>
            Effect.gen(function* () {
              assert.strictEqual(outcome, `OneEntryError ${reason}`)
              yield* TestClock.adjust("2 minutes")
              assert.strictEqual(yield* tagOf(client.session.refresh), "TokenExpired Ambiguous")
              if (state === "valid") {
                yield* hears(heard, ["State ann", "RefreshRejected ann"])
                yield* expire
                assert.strictEqual(yield* tagOf(client.me), "TokenExpired Ambiguous")
              }
              yield* settled
              assert.strictEqual(heard.at(-1), "SignedOut Ambiguous")
              assert.isUndefined(stored(world.backing))
              assert.strictEqual(world.server.exchanges.length, 2)
            })
          )
        )
      }

      it.effect("a definite answer does not end a doubt of before", () =>
        refreshing(state, [lose(true), status(503)], ({ client, world }) =>
          Effect.gen(function* () {
            yield* TestClock.adjust("2 minutes")
            assert.strictEqual(yield* tagOf(client.session.refresh), "OneEntryError ServerFailure")
            assert.property(stored(world.backing), "exchangeStartedAt")
            yield* TestClock.adjust("5 minutes")
            assert.strictEqual(yield* tagOf(client.session.refresh), "TokenExpired Ambiguous")
          })
        )
      )
    })
  }

  it.effect("a token that a 401 was had with counts as expired", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.revokeAll()
        assert.strictEqual(yield* tagOf(client.me), "TokenExpired Rejected")
        assert.isUndefined(stored(world.backing))
      })
    )
  )

  it.effect("a client that dies has lost the answer", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        for (const end of [Effect.die(new Error("oops")), Effect.interrupt]) {
          let broken = false
          const http = HttpClient.make((request) =>
            broken && request.url.endsWith("/refresh") ? end : world.server.client.execute(request)
          )
          const client = yield* world.client({ http })
          yield* client.signIn("ann")
          yield* expire
          broken = true
          assert.strictEqual(yield* tagOf(client.me), "OneEntryError Network")
          assert.property(stored(world.backing), "exchangeStartedAt")
          broken = false
          yield* TestClock.adjust("2 minutes")
          assert.strictEqual(yield* client.me, "ann")
        }
      })
    )
  )

  it.effect("rejected while the storage holds another refresh token: adopt it, and refresh that one if needed", () =>
    inWorld((world, other) =>
      Effect.gen(function* () {
        for (const [lifetime, exchanges] of [
          [3_600, 2],
          [10, 3]
        ] as const) {
          world.server.exchanges.length = 0
          const client = yield* world.client({ lock: noLock })
          const careless = yield* world.client({ lock: noLock })
          yield* other.signIn("ann")
          yield* client.me
          yield* expire
          world.server.lifetime = lifetime
          const gate = world.server.gate("refresh")
          const call = yield* Effect.forkChild(client.me)
          yield* gate.arrived
          // Somebody without our lock is faster: the server takes his, and then rejects ours.
          yield* careless.session.refresh
          yield* TestClock.adjust("20 seconds")
          yield* gate.answer
          assert.strictEqual(yield* Fiber.join(call), "ann")
          assert.deepStrictEqual(
            world.server.exchanges.map((one) => one.accepted),
            [false, true, true].slice(0, exchanges)
          )
        }
      })
    )
  )

  it.effect("the mark is in the storage before the exchange is on the wire", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* expire
        const gate = world.server.gate("refresh")
        const call = yield* Effect.forkChild(client.me)
        yield* gate.arrived
        assert.include(stored(world.backing), { refreshToken: "refresh-1-ann", exchangeStartedAt: start + 7_200_000 })
        yield* gate.answer
        yield* Fiber.join(call)
      })
    )
  )

  for (const handled of [true, false]) {
    it.effect(`a process that dies on the wire, the server ${handled ? "having" : "not having"} handled it`, () =>
      inWorld((world, dying) =>
        Effect.gen(function* () {
          yield* dying.signIn("ann")
          yield* expire
          // Never answered, and never to be heard of again: its lock, in another process, ends with its lease.
          world.server.script("refresh", hang(handled))
          yield* Effect.forkChild(Effect.exit(dying.me))
          yield* until("it is sent", () => world.server.exchanges.length === 1)
          const next = yield* world.client({ lock: SessionLock.makeInProcess() })
          assert.strictEqual(yield* tagOf(next.me), handled ? "TokenExpired Ambiguous" : "success ann")
          assert.strictEqual(world.server.exchanges.length, 2)
          yield* TestClock.adjust("1 minute")
        })
      )
    )
  }
})

describe("cooling down", () => {
  it.effect("fifty calls make one attempt, one after the other too", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* expire
        world.server.script("refresh", status(503), status(503))
        const together = yield* Effect.forEach(Array.from({ length: 25 }), () => tagOf(client.me), {
          concurrency: "unbounded"
        })
        const inTurn = yield* Effect.forEach(Array.from({ length: 25 }), () => tagOf(client.me))
        assert.deepStrictEqual(new Set([...together, ...inTurn]), new Set(["OneEntryError ServerFailure"]))
        assert.strictEqual(world.server.exchanges.length, 1)
        assert.strictEqual(world.server.count("me"), 0)
      })
    )
  )

  /** How long nobody tries after a failure, in milliseconds. */
  const cooldown = (world: World, client: Client) =>
    Effect.gen(function* () {
      const before = world.server.exchanges.length
      for (let millis = 0; millis <= 400_000; millis += 250) {
        yield* Effect.exit(client.session.refresh)
        if (world.server.exchanges.length > before) return millis
        yield* TestClock.adjust("250 millis")
      }
      return Number.POSITIVE_INFINITY
    })

  it.effect("grows with each failure, to a limit, and jitters", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.script("refresh", ...Array.from({ length: 9 }, () => status(503)))
        yield* Effect.exit(client.session.refresh)
        const waits = yield* Effect.forEach(Array.from({ length: 8 }), () => cooldown(world, client))
        for (const [index, wait] of waits.entries()) {
          const middle = Math.min(60_000, 1_000 * 2 ** index)
          assert.isAtLeast(wait, middle * 0.75)
          assert.isAtMost(wait, middle * 1.25 + 250)
        }
        assert.isTrue(waits.some((wait, index) => Math.abs(wait - Math.min(60_000, 1_000 * 2 ** index)) > 250))
      })
    )
  )

  for (const [name, header, expected] of [
    ["seconds", () => "120", 120_000],
    ["a date", (now: number) => new Date(now + 90_000).toUTCString(), 90_000],
    [
      "a date by a server whose clock is a day ahead",
      (now: number) => new Date(now + 86_400_000 + 90_000).toUTCString(),
      90_000
    ],
    ["a week, capped", () => String(7 * 86_400), 300_000],
    ["nonsense", () => "soon", 1_000],
    ["the past", (now: number) => new Date(now - 90_000).toUTCString(), 1_000]
  ] as const) {
    it.effect(`honours Retry-After: ${name}`, () =>
      inWorld((world, client) =>
        Effect.gen(function* () {
          yield* client.signIn("ann")
          const now = yield* Clock.currentTimeMillis
          world.server.dates = true
          if (name.includes("ahead")) world.server.skew = 86_400_000
          world.server.script("refresh", status(429, { "retry-after": header(now) }))
          const error = yield* Effect.flip(client.session.refresh)
          assert.strictEqual(error._tag === "OneEntryError" ? error.reason._tag : "", "TooManyRequests")
          const wait = yield* cooldown(world, client)
          assert.isAtLeast(wait, expected * 0.75)
          assert.isAtMost(wait, expected * 1.25 + 250)
          if (expected > 1_000) assert.isAtLeast(wait, expected - 1_000)
        })
      )
    )
  }

  const clears = (name: string, clear: (world: World, client: Client) => Effect.Effect<unknown, unknown>) =>
    it.effect(`is over after ${name}`, () =>
      inWorld((world, client) =>
        Effect.gen(function* () {
          yield* client.signIn("ann")
          world.server.script("refresh", status(503, { "retry-after": "300" }))
          yield* Effect.exit(client.session.refresh)
          yield* Effect.exit(client.session.refresh)
          assert.strictEqual(world.server.exchanges.length, 1)
          yield* clear(world, client)
          const before = world.server.exchanges.length
          yield* client.session.refresh
          assert.strictEqual(world.server.exchanges.length, before + 1)
        })
      )
    )

  clears("a new token", (_, client) => client.signIn("ann"))
  clears("a sign-out", (world, client) =>
    Effect.gen(function* () {
      yield* client.session.signOutLocally
      // The very same tokens, so that nothing else can have cleared it.
      yield* client.session.restore({
        refreshToken: "refresh-1-ann",
        device: device(world.server.exchanges[0]?.fingerprint ?? "")
      })
    })
  )
  clears("a success elsewhere", (world, client) =>
    Effect.scoped(Effect.flatMap(world.client(), (other) => other.session.refresh)).pipe(
      Effect.andThen(client.session.refresh)
    )
  )
  clears("its time", () => TestClock.adjust("5 minutes"))

  it.effect("a success starts the count anew", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.script("refresh", status(503), status(503), status(503), usual, status(503))
        for (const pause of ["2 seconds", "4 seconds", "8 seconds", "16 seconds"] as const) {
          yield* Effect.exit(client.session.refresh)
          yield* TestClock.adjust(pause)
        }
        yield* Effect.exit(client.session.refresh)
        assert.strictEqual(world.server.exchanges.length, 5)
        assert.isAtMost(yield* cooldown(world, client), 1_500)
      })
    )
  )

  it.effect("a clock that runs backward does not prolong it", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.script("refresh", status(503, { "retry-after": "300" }))
        yield* Effect.exit(client.session.refresh)
        yield* TestClock.setTime(start - 86_400_000)
        yield* client.session.refresh
        assert.strictEqual(world.server.exchanges.length, 2)
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("signing in and out", () => {
  it.effect("a failed sign-in leaves the session that was there", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const before = stored(world.backing)
        const heard = yield* follow(client)
        for (const behaviour of [usual, status(503), lose(false), answer(201, "{}"), answer(201, "")]) {
          world.server.script("auth", behaviour)
          assert.isTrue(Exit.isFailure(yield* Effect.exit(client.signIn("nobody"))))
          assert.deepStrictEqual(stored(world.backing), before)
        }
        assert.strictEqual(yield* client.me, "ann")
        yield* hears(heard, ["State ann"])
      })
    )
  )

  it.effect("logout clears locally even offline, and says which half failed", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        world.server.script("logout", lose(false))
        const result = yield* client.auth.logout()
        assert.isFalse(result.revoked)
        assert.isUndefined(stored(world.backing))
        assert.isTrue(Option.isNone(yield* client.session.current))
        yield* hears(heard, ["State ann", "SignedOut SignOut"])
      })
    )
  )

  it.effect("signing out twice is no error, and is told once", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        assert.isTrue((yield* client.auth.logout()).revoked)
        assert.isFalse((yield* client.auth.logout()).revoked)
        yield* client.session.signOutLocally
        yield* client.session.signOutLocally
        yield* hears(heard, ["State ann", "SignedOut SignOut"])
        assert.strictEqual(world.server.count("logout"), 1)
      })
    )
  )

  it.effect("signOutLocally tells nobody", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* client.session.signOutLocally
        assert.strictEqual(world.server.count("logout"), 0)
        assert.isUndefined(stored(world.backing))
        assert.isTrue(world.server.sessions[0]?.alive)
      })
    )
  )

  it.effect("logout ends what another process has rotated meanwhile, and spends nothing twice", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* expire
        yield* Effect.flatMap(world.client(), (other) => other.me)
        assert.isTrue((yield* client.auth.logout()).revoked)
        assert.deepStrictEqual(
          world.server.exchanges.map((one) => one.refreshToken),
          ["refresh-1-ann"]
        )
        assert.isFalse(world.server.sessions[0]?.alive)
        assert.isUndefined(stored(world.backing))
      })
    )
  )

  it.effect("two logouts at once, while another process refreshes: nothing is spent twice", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client({ storage: storageOver(world.backing, { atomic: false }) })
        const other = yield* world.client({ storage: storageOver(world.backing, { atomic: false }) })
        yield* client.signIn("ann")
        yield* other.me
        yield* expire
        const gate = world.server.gate("refresh")
        const call = yield* Effect.forkChild(Effect.exit(other.me))
        yield* gate.arrived
        const logouts = yield* Effect.forEach([1, 2], () => Effect.forkChild(client.auth.logout()))
        yield* settled
        yield* gate.answer
        yield* Fiber.joinAll(logouts)
        yield* Fiber.join(call)
        assert.deepStrictEqual(
          world.server.exchanges.map((one) => one.refreshToken),
          ["refresh-1-ann"]
        )
        assert.isFalse(world.server.sessions[0]?.alive)
        assert.isUndefined(stored(world.backing))
      })
    )
  )

  it.effect("a sign-out that waits for another process's refresh: what is looked up meanwhile goes with it", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        // Without compare-and-set of its own, a sign-out waits for the lock that the other's refresh holds.
        const storage = storageOver(world.backing, { atomic: false })
        const client = yield* world.client({ storage })
        const sibling = yield* world.client({ storage })
        const other = yield* world.client({ storage: storageOver(world.backing, { atomic: false }) })
        yield* client.signIn("ann")
        yield* other.signIn("cyd")
        yield* expire
        const heard = yield* follow(client)
        const gate = world.server.gate("refresh")
        const call = yield* Effect.forkChild(tagOf(other.me))
        yield* gate.arrived
        const signOut = yield* Effect.forkChild(client.session.signOutLocally)
        yield* settled
        // Nobody is signed in here: so it looks at the storage, and finds cyd with the token that is on the wire.
        const late = yield* Effect.forkChild(tagOf(sibling.me))
        yield* settled
        yield* gate.answer
        yield* Fiber.join(signOut)
        assert.strictEqual(yield* Fiber.join(late), "NotAuthenticated")
        yield* Fiber.join(call)
        assert.deepStrictEqual(
          world.server.exchanges.map((one) => one.refreshToken),
          ["refresh-2-cyd"]
        )
        assert.isUndefined(stored(world.backing))
        assert.isTrue(Option.isNone(yield* client.session.current))
        yield* hears(heard, ["State ann", "SignedOut SignOut", "SignedIn cyd", "SignedOut SignOut"])
      })
    )
  )

  it.effect("a second logout exchanges nothing that the first one left on the wire", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        // Neither the mark nor the first removal reaches the storage.
        const faults: Partial<Record<StorageOperation, StorageFault>> = { compareAndSet: "fail", remove: "fail" }
        let isBroken = false
        const storage = storageOver(world.backing, {
          fault: (operation) => (isBroken ? faults[operation] : undefined)
        })
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        yield* expire
        isBroken = true
        const gate = world.server.gate("refresh")
        const call = yield* Effect.forkChild(tagOf(client.me))
        yield* gate.arrived
        assert.strictEqual((yield* Effect.flip(client.auth.logout()))._tag, "TokenStorageError")
        isBroken = false
        yield* client.auth.logout()
        yield* gate.answer
        assert.strictEqual(yield* Fiber.join(call), "NotAuthenticated")
        assert.isUndefined(stored(world.backing))
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("a sign-out after a restore that cannot be written: what the storage held before does not come back", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        let faults: Partial<Record<StorageOperation, StorageFault>> = {}
        const storage = storageOver(world.backing, { fault: (operation) => faults[operation] })
        const client = yield* world.client({ storage })
        const sibling = yield* world.client({ storage })
        yield* client.signIn("ann")
        yield* expire
        // Of the mark only the answer is lost, and the pair is in memory only: the storage holds a token that is spent.
        const writes: Array<StorageFault> = ["loseAnswer", "fail"]
        Object.defineProperty(faults, "compareAndSet", { get: () => writes.shift() })
        assert.strictEqual(yield* client.me, "ann")
        assert.include(stored(world.backing), { refreshToken: "refresh-1-ann" })
        faults = { set: "hang", remove: "hang" }
        const pair = world.server.issue("ann", "email", "elsewhere")
        const restore = yield* Effect.forkChild(
          client.session.restore({ refreshToken: pair.refreshToken, device: device("elsewhere") })
        )
        yield* settled
        const signOut = yield* Effect.forkChild(Effect.flip(sibling.session.signOutLocally))
        yield* settled
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(restore)
        yield* settled
        assert.isTrue(Option.isNone(yield* client.session.current))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(signOut))._tag, "TokenStorageError")
        assert.strictEqual(yield* tagOf(client.me), "NotAuthenticated")
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("logout ends the pair that only memory has", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client({
          storage: storageOver(world.backing, {
            fault: (operation) => (operation === "compareAndSet" ? "fail" : undefined)
          })
        })
        yield* client.signIn("ann")
        yield* client.session.refresh
        assert.include(stored(world.backing), { refreshToken: "refresh-1-ann" })
        assert.isTrue((yield* client.auth.logout()).revoked)
        assert.deepStrictEqual(world.server.revoked, ["refresh-2-ann"])
        assert.isUndefined(stored(world.backing))
      })
    )
  )

  it.effect("logout exchanges nothing that another process has seen the end of", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* expire
        const other = yield* world.client()
        world.server.script("refresh", status(403))
        assert.strictEqual(yield* tagOf(other.me), "TokenExpired Rejected")
        yield* client.auth.logout()
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect(
    "signed out while the storage is out of reach: what it shows afterwards is not taken for a new session",
    () =>
      inWorld((world, client) =>
        Effect.gen(function* () {
          yield* client.signIn("ann")
          let broken = true
          const blind = yield* world.client({
            storage: storageOver(world.backing, { fault: () => (broken ? "fail" : undefined) })
          })
          assert.strictEqual((yield* Effect.flip(blind.session.signOutLocally))._tag, "TokenStorageError")
          broken = false
          assert.isTrue(Option.isNone(yield* blind.session.current))
          assert.strictEqual(yield* tagOf(blind.me), "NotAuthenticated")
          yield* blind.session.signOutLocally
          assert.isUndefined(stored(world.backing))
        })
      )
  )

  it.effect("of what nobody has read yet", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const storage = storageOver(world.backing)
        const fresh = yield* world.client({ storage })
        yield* fresh.session.signOutLocally
        assert.isUndefined(stored(world.backing))
        // The storage says so too: nothing has to be kept in memory.
        assert.isTrue(Slots.registryOf(storage).forget("default", start))
      })
    )
  )

  it.effect("a password change ends the session of the same user only", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        const change = (userIdentifier: string) =>
          client.auth.changePassword("email", {
            userIdentifier,
            eventIdentifier: "auth",
            type: "recovery",
            code: "123456",
            newPassword: "new"
          })
        world.server.script("other", answer(201, "true"), answer(201, "true"))
        yield* change("bob")
        assert.strictEqual(yield* client.me, "ann")
        yield* change("ann")
        assert.isUndefined(stored(world.backing))
        yield* hears(heard, ["State ann", "SignedOut PasswordChanged"])
      })
    )
  )

  it.effect("after a sign-out the slot keeps its device", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* client.session.signOutLocally
        yield* client.signIn("ann")
        // Another process knows it from the session only.
        const other = yield* world.client()
        yield* other.session.signOutLocally
        yield* other.signIn("ann")
        const [first, second, third] = world.server.sessions
        assert.strictEqual(second?.fingerprint, first?.fingerprint)
        assert.strictEqual(third?.fingerprint, first?.fingerprint)
        assert.isAtLeast(first?.fingerprint.length ?? 0, 22)
      })
    )
  )

  it.effect("two clients with tokens of the application of their own share a session, not their headers", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const storage = storageOver(world.backing)
        const one = yield* world.client({ storage, options: { appToken: "app-one" } })
        const two = yield* world.client({ storage, options: { appToken: "app-two" } })
        yield* one.signIn("ann")
        yield* one.me
        yield* two.me
        yield* one.me
        assert.deepStrictEqual(
          world.server.seen.filter((seen) => seen.route === "me").map((seen) => seen.headers["x-app-token"]),
          ["app-one", "app-two", "app-one"]
        )
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("time", () => {
  const day = 86_400_000

  for (const [name, skew] of [
    ["behind", day],
    ["ahead", -day]
  ] as const) {
    it.effect(`a device clock that is a day ${name} costs no extra refresh, for one slot and for many`, () =>
      inWorld((world, client) =>
        Effect.gen(function* () {
          world.server.skew = skew
          yield* client.signIn("ann")
          yield* Sessions.withSlot("second")(client.signIn("bob"))
          // Whose access token says nothing, and whose was restored, do not confuse the others.
          world.server.accessToken = () => "opaque"
          yield* Sessions.withSlot("third")(client.signIn("cyd"))
          world.server.accessToken = undefined
          const old = jwt({ iat: 1, exp: 3_601 })
          yield* Sessions.withSlot("fourth")(client.session.restore({ refreshToken: "r", accessToken: old }))
          yield* TestClock.adjust("59 minutes")
          yield* client.me
          yield* Sessions.withSlot("second")(client.me)
          const restarted = yield* world.client()
          yield* restarted.me
          assert.strictEqual(world.server.exchanges.length, 0)
          yield* TestClock.adjust("45 seconds")
          yield* client.me
          assert.strictEqual(world.server.exchanges.length, 1)
        })
      )
    )
  }

  it.effect("a clock that is set right, in one jump, costs one refresh, for all slots together", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        for (const jump of [day, -day]) {
          world.server.exchanges.length = 0
          world.server.lifetime = 36_000
          yield* client.signIn("ann")
          yield* Sessions.withSlot("second")(client.signIn("bob"))
          const now = yield* Clock.currentTimeMillis
          yield* TestClock.setTime(now + jump)
          world.server.skew -= jump
          yield* client.me
          yield* client.me
          yield* Sessions.withSlot("second")(client.me)
          yield* client.me
          assert.strictEqual(world.server.exchanges.length, 1)
        }
      })
    )
  )

  it.effect(
    "a clock that is set right is learned from a sign-in too, and not forgotten over tokens from elsewhere",
    () =>
      inWorld((world, client) =>
        Effect.gen(function* () {
          yield* client.signIn("ann")
          const now = yield* Clock.currentTimeMillis
          yield* TestClock.setTime(now + day)
          world.server.skew -= day
          yield* Sessions.withSlot("second")(client.signIn("bob"))
          yield* Sessions.withSlot("third")(client.session.restore({ refreshToken: "of any age" }))
          assert.strictEqual(yield* client.me, "ann")
          assert.strictEqual(world.server.exchanges.length, 0)
        })
      )
  )

  it.effect("a jump forward (sleep) costs one", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* TestClock.adjust("9 hours")
        yield* client.me
        yield* client.me
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("a jump backward distrusts the entry once, and goes on with it if it cannot be refreshed", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* TestClock.setTime(start - 3_600_000)
        world.server.script("refresh", status(503))
        assert.strictEqual(yield* client.me, "ann")
        assert.strictEqual(world.server.exchanges.length, 1)
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* client.me, "ann")
        assert.strictEqual(yield* client.me, "ann")
        assert.strictEqual(world.server.exchanges.length, 2)
      })
    )
  )

  it.effect("clocks that disagree by seconds are called equal", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* TestClock.setTime(start - 50_000)
        yield* client.me
        assert.strictEqual(world.server.exchanges.length, 0)
      })
    )
  )

  for (const [name, make] of [
    ["is no JWT", () => "opaque"],
    ["has no exp", ({ iat }: { iat: number }) => jwt({ iat })],
    ["ends before it begins", ({ iat }: { iat: number }) => jwt({ iat, exp: iat - 1 })],
    ["lives for longer than anybody can", ({ iat }: { iat: number }) => jwt({ iat, exp: 1e300 })],
    ["speaks in milliseconds", ({ iat }: { iat: number }) => jwt({ iat, exp: iat * 1_000 })],
    ["says nonsense", () => jwt({ iat: "now", exp: null })],
    ["holds no object", () => `a.${Buffer.from("[1]").toString("base64url")}.c`],
    ["holds no JSON", () => "a.%%%.c"]
  ] as const) {
    it.effect(`an access token that ${name} is used until a 401`, () =>
      inWorld((world, client) =>
        Effect.gen(function* () {
          let serial = 0
          // Different each time, as tokens are.
          world.server.accessToken = (claims) => `${make(claims)}${"x".repeat(++serial)}`
          yield* client.signIn("ann")
          yield* TestClock.adjust("300 days")
          assert.strictEqual(yield* client.me, "ann")
          assert.strictEqual(world.server.exchanges.length, 0)
          const info = Option.getOrThrow(yield* client.session.current)
          assert.notProperty(info, "accessTokenEndsAt")
          world.server.expire()
          assert.strictEqual(yield* client.me, "ann")
          assert.strictEqual(world.server.exchanges.length, 1)
        })
      )
    )
  }

  it.effect("without iat, life counts from the Date of the answer", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        world.server.skew = day
        world.server.dates = true
        world.server.accessToken = ({ exp, id }) => jwt({ exp, id })
        yield* client.signIn("ann")
        yield* TestClock.adjust("59 minutes")
        yield* client.me
        assert.strictEqual(world.server.exchanges.length, 0)
        yield* TestClock.adjust("2 minutes")
        yield* client.me
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("an exchange that the device slept through says nothing of the clock", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const client = yield* world.client({ options: { requestTimeout: "10 hours" } })
        yield* Sessions.withSlot("second")(client.signIn("bob"))
        const gate = world.server.gate("auth")
        const signIn = yield* Effect.forkChild(client.signIn("ann"))
        yield* gate.arrived
        yield* gate.handle
        yield* TestClock.adjust("30 minutes")
        yield* gate.answer
        yield* Fiber.join(signIn)
        yield* Sessions.withSlot("second")(client.me)
        assert.strictEqual(world.server.exchanges.length, 0)
      })
    )
  )

  it.effect("accessTokenEndsAt is by this device's clock, and claims are there to be shown", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        world.server.skew = day
        yield* client.signIn("ann")
        const info = Option.getOrThrow(yield* client.session.current)
        assert.strictEqual(info.accessTokenEndsAt?.epochMilliseconds, start + 3_600_000)
        assert.strictEqual(info.unverifiedClaims.get("userIdentifier"), "ann")
        assert.strictEqual(info.slot, "default")
        assert.strictEqual(info.marker, "email")
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("storage", () => {
  const warnings = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel === "Warn") lines.push(String(message))
    })
    return Effect.map(Effect.provide(effect, Logger.layer([logger])), (value) => ({ value, lines }))
  }

  for (const [name, text] of [
    ["bad JSON", "{"],
    ["half a chunk", `{"version":1,"marker":"email","accessToken":"SECRET-a`],
    ["another shape", `{"version":1,"tokens":["SECRET"]}`],
    [
      "an empty refresh token",
      `{"version":1,"marker":"email","accessToken":"SECRET","refreshToken":"","device":{"fingerprint":"f","deviceInfo":{"os":"","browser":"","location":""}},"receivedAt":0,"lifetime":null,"clockOffset":0}`
    ],
    [
      "numbers beyond reason",
      `{"version":1,"marker":"email","accessToken":"SECRET","refreshToken":"r","device":{"fingerprint":"f","deviceInfo":{"os":"","browser":"","location":""}},"receivedAt":1e999,"lifetime":null,"clockOffset":0}`
    ],
    ["prototypes", `{"__proto__":{"version":1,"marker":"email","refreshToken":"SECRET"}}`],
    ["a megabyte", `"${"SECRET".repeat(200_000)}"`],
    ["nothing", ""]
  ] as const) {
    it.effect(`what does not decode counts as absent (${name}): one warning without the value, nothing rewritten`, () =>
      inWorld((world, client) =>
        Effect.gen(function* () {
          world.backing.map.set("default", text)
          const { lines, value } = yield* warnings(
            Effect.gen(function* () {
              const first = yield* tagOf(client.me)
              yield* tagOf(client.session.refresh)
              // Nor is there another for other nonsense.
              world.backing.map.set("default", `${text} `)
              yield* client.session.current
              world.backing.map.set("default", text)
              yield* client.session.current
              return first
            })
          )
          assert.strictEqual(value, "NotAuthenticated")
          assert.strictEqual(lines.length, 1)
          assert.notInclude(lines[0], "SECRET")
          assert.strictEqual(world.backing.map.get("default"), text)
          // Signing in is what puts it right.
          yield* client.signIn("ann")
          assert.strictEqual(yield* client.me, "ann")
          assert.include(stored(world.backing), { userIdentifier: "ann" })
        })
      )
    )
  }

  it.effect("numbers at the edge of what decodes are no defect", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const good = stored(world.backing)
        for (const odd of [
          { receivedAt: 1e300 },
          { receivedAt: -1e300 },
          { lifetime: 1e300 },
          { lifetime: -5 },
          { clockOffset: 1e300 },
          { exchangeStartedAt: 1e300 }
        ]) {
          world.backing.map.set("default", JSON.stringify({ ...good, ...odd }))
          const fresh = yield* world.client()
          assert.isTrue(Option.isSome(yield* fresh.session.current))
          yield* Effect.scoped(fresh.session.keepAlive)
          yield* tagOf(fresh.me)
        }
      })
    )
  )

  it.effect("a newer version is ignored and left alone", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        const newer = `{"version": 2, "sealed": "…"}`
        world.backing.map.set("default", newer)
        const { lines } = yield* warnings(
          Effect.gen(function* () {
            assert.strictEqual(yield* tagOf(client.me), "NotAuthenticated")
            yield* client.session.signOutLocally
            yield* client.session.signOutLocally
            yield* client.auth.logout()
            // One that has read nothing yet.
            const storage = storageOver(world.backing)
            const fresh = yield* world.client({ storage })
            yield* fresh.session.signOutLocally
            assert.isTrue(Slots.registryOf(storage).forget("default", start))
          })
        )
        assert.deepStrictEqual(lines, [])
        assert.strictEqual(world.backing.map.get("default"), newer)
      })
    )
  )

  /** A storage with faults that the test turns on and off. */
  const faulty = (world: World, atomic = true) => {
    const state: { faults: Partial<Record<StorageOperation, StorageFault>> } = { faults: {} }
    return { state, storage: storageOver(world.backing, { atomic, fault: (operation) => state.faults[operation] }) }
  }

  it.effect("a failed write of a rotated pair: in memory, one StorageDegraded, written with the next change", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        yield* expire
        state.faults = { compareAndSet: "fail" }
        assert.strictEqual(yield* client.me, "ann")
        assert.include(stored(world.backing), { refreshToken: "refresh-1-ann" })
        yield* expire
        assert.strictEqual(yield* client.me, "ann")
        yield* hears(heard, ["State ann", "StorageDegraded", "Refreshed ann", "Refreshed ann"])
        state.faults = {}
        yield* expire
        assert.strictEqual(yield* client.me, "ann")
        assert.include(stored(world.backing), { refreshToken: "refresh-4-ann" })
        assert.deepStrictEqual(
          world.server.exchanges.map((one) => one.refreshToken),
          ["refresh-1-ann", "refresh-2-ann", "refresh-3-ann"]
        )
        assert.deepStrictEqual(world.server.revoked, [])
      })
    )
  )

  it.effect("a rotated pair that could not be written is written by itself, as soon as the storage works again", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        for (const id of [1, 2]) {
          yield* expire
          state.faults = { compareAndSet: "fail" }
          assert.strictEqual(yield* client.me, "ann")
          yield* TestClock.adjust("10 seconds")
          assert.include(stored(world.backing), { refreshToken: `refresh-${id}-ann` })
          state.faults = {}
          yield* TestClock.adjust("5 seconds")
          assert.include(stored(world.backing), { refreshToken: `refresh-${id + 1}-ann` })
          assert.strictEqual(world.server.exchanges.length, id)
        }
      })
    )
  )

  it.effect("and is not taken for written where somebody else was faster by a hair", () =>
    inWorld((world, other) =>
      Effect.gen(function* () {
        let left = 2
        const client = yield* world.client({
          storage: storageOver(world.backing, {
            // The mark and the pair cannot be written.
            fault: (operation) => (operation === "compareAndSet" && left > 0 ? "fail" : undefined),
            before: (operation) =>
              operation === "compareAndSet" && --left === -1 ? Effect.orDie(other.signIn("bob")) : Effect.void
          })
        })
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        yield* client.session.refresh
        yield* Effect.repeat(Effect.andThen(settled, TestClock.adjust("1 second")), { times: 3 })
        yield* hears(heard, ["State ann", "StorageDegraded", "Refreshed ann", "SignedIn bob"])
        assert.include(stored(world.backing), { userIdentifier: "bob" })
      })
    )
  )

  it.effect("a sign-in that could not be written is written by itself too", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        state.faults = { set: "fail" }
        yield* client.signIn("ann")
        assert.isUndefined(stored(world.backing))
        state.faults = {}
        yield* TestClock.adjust("5 seconds")
        assert.include(stored(world.backing), { refreshToken: "refresh-1-ann" })
      })
    )
  )

  it.effect("a rotated pair that could not be written gives way to whoever signed in elsewhere meanwhile", () =>
    inWorld((world, other) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        yield* expire
        state.faults = { compareAndSet: "fail" }
        assert.strictEqual(yield* client.me, "ann")
        yield* other.signIn("bob")
        yield* TestClock.adjust("5 seconds")
        yield* hears(heard, ["State ann", "StorageDegraded", "Refreshed ann", "SignedIn bob"])
        state.faults = {}
        yield* TestClock.adjust("5 seconds")
        assert.include(stored(world.backing), { userIdentifier: "bob" })
        assert.strictEqual(yield* client.me, "bob")
        // Nothing lives in memory only any more: what cannot be read again is not exchanged.
        yield* expire
        state.faults = { get: "fail", compareAndSet: "fail" }
        assert.strictEqual(yield* tagOf(client.me), "TokenStorageError")
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("a storage that nothing can be read from or written to after a sign-in: memory does", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        for (const fault of ["fail", "die", "throw", "interrupt"] as const) {
          const { state, storage } = faulty(world)
          state.faults = { get: fault, set: fault, remove: fault, compareAndSet: fault }
          const client = yield* world.client({ storage })
          assert.strictEqual(yield* tagOf(client.me), "TokenStorageError")
          assert.isTrue(Option.isNone(yield* client.session.current))
          const heard = yield* follow(client)
          yield* client.signIn("ann")
          assert.strictEqual(yield* client.me, "ann")
          yield* expire
          assert.strictEqual(yield* client.me, "ann")
          yield* hears(heard, ["State nobody", "SignedIn ann", "StorageDegraded", "Refreshed ann"])
          assert.strictEqual((yield* Effect.flip(client.session.signOutLocally))._tag, "TokenStorageError")
          assert.strictEqual(yield* tagOf(client.me), "NotAuthenticated")
        }
      })
    )
  )

  it.effect("a storage that never answers is given up, and nothing waits for ever", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        yield* expire
        state.faults = { get: "hang", set: "hang", remove: "hang", compareAndSet: "hang" }
        const call = yield* Effect.forkChild(tagOf(client.me))
        yield* settled
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* Fiber.join(call), "TokenStorageError")
        // What cannot be read again is not exchanged: another process may have rotated it.
        assert.strictEqual(world.server.exchanges.length, 0)
        const out = yield* Effect.forkChild(Effect.flip(client.session.signOutLocally))
        yield* settled
        // Gone at once, whatever the storage does.
        assert.isTrue(Option.isNone(Option.fromUndefinedOr(Slots.registryOf(storage).peek("default")?.session)))
        yield* TestClock.adjust("5 seconds")
        yield* settled
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(out))._tag, "TokenStorageError")
      })
    )
  )

  it.effect("a storage that hangs at the write: the pair is kept in memory", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        yield* expire
        state.faults = { compareAndSet: "hang" }
        const call = yield* Effect.forkChild(client.me)
        yield* settled
        yield* TestClock.adjust("5 seconds")
        yield* until("it is exchanged", () => world.server.exchanges.length === 1)
        yield* settled
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* Fiber.join(call), "ann")
      })
    )
  )

  for (const atomic of [true, false]) {
    it.effect(
      `a write whose answer is lost is neither revoked nor repeated (${atomic ? "atomic" : "not atomic"})`,
      () =>
        inWorld((world) =>
          Effect.gen(function* () {
            const { state, storage } = faulty(world, atomic)
            const client = yield* world.client({ storage })
            yield* client.signIn("ann")
            for (let count = 1; count <= 3; count++) {
              yield* expire
              state.faults = { compareAndSet: "loseAnswer" }
              assert.strictEqual(yield* client.me, "ann")
              state.faults = {}
            }
            yield* expire
            assert.strictEqual(yield* client.me, "ann")
            assert.deepStrictEqual(
              world.server.exchanges.map((one) => one.accepted),
              [true, true, true, true]
            )
            assert.deepStrictEqual(world.server.revoked, [])
            assert.include(stored(world.backing), { refreshToken: "refresh-5-ann" })
          })
        )
    )
  }

  it.effect("only the mark's answer is lost, and the server rejects: it is sent once", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        yield* expire
        world.server.revokeAll()
        let writes = 0
        const original = state.faults
        Object.defineProperty(original, "compareAndSet", { get: () => (++writes === 1 ? "loseAnswer" : undefined) })
        assert.strictEqual(yield* tagOf(client.me), "TokenExpired Rejected")
        assert.strictEqual(world.server.exchanges.length, 1)
        assert.isUndefined(stored(world.backing))
      })
    )
  )

  it.effect("a rejection that only memory has is not given up for the mark that the storage still holds", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        // Due, but good for a few seconds more: the session stays when its refresh token is rejected.
        yield* TestClock.adjust("3575 seconds")
        world.server.script("refresh", status(400))
        const faults: Array<StorageFault> = ["loseAnswer", "hang"]
        Object.defineProperty(state.faults, "compareAndSet", { get: () => faults.shift() })
        const call = yield* Effect.forkChild(client.me)
        yield* until("the rejection is being written", () => faults.length === 0)
        yield* settled
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* Fiber.join(call), "ann")
        // What could not be written is written as soon as it can be.
        yield* TestClock.adjust("5 seconds")
        yield* settled
        assert.include(stored(world.backing), { refreshToken: "refresh-1-ann", rejected: true })
        yield* expire
        assert.strictEqual(yield* tagOf(client.me), "TokenExpired Rejected")
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("a rotated pair that only memory has is not given up for what the storage still holds", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        yield* expire
        state.faults = { compareAndSet: "fail" }
        yield* client.me
        // Another process, which knows the old pair only, touches it.
        world.backing.map.set("default", JSON.stringify({ ...stored(world.backing), exchangeStartedAt: 1 }))
        state.faults = {}
        yield* expire
        assert.strictEqual(yield* client.me, "ann")
        assert.deepStrictEqual(
          world.server.exchanges.map((one) => one.refreshToken),
          ["refresh-1-ann", "refresh-2-ann"]
        )
        assert.include(stored(world.backing), { refreshToken: "refresh-3-ann" })
      })
    )
  )

  it.effect("a storage that says no to what it has written, as after a retry of its own: the pair is held", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const inner = storageOver(world.backing)
        const client = yield* world.client({
          storage: { ...inner, compareAndSet: (...write) => Effect.as(inner.compareAndSet(...write), false) }
        })
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        yield* expire
        assert.strictEqual(yield* client.me, "ann")
        assert.include(stored(world.backing), { refreshToken: "refresh-2-ann" })
        assert.deepStrictEqual(world.server.revoked, [])
        yield* hears(heard, ["State ann", "Refreshed ann"])
      })
    )
  )

  it.effect("a storage that says no although nothing has changed: memory does", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const inner = storageOver(world.backing)
        const client = yield* world.client({ storage: { ...inner, compareAndSet: () => Effect.succeed(false) } })
        yield* client.signIn("ann")
        yield* expire
        assert.strictEqual(yield* client.me, "ann")
        assert.deepStrictEqual(world.server.revoked, [])
      })
    )
  )

  it.effect("a start with a storage out of reach ends no session", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const { state, storage } = faulty(world)
        state.faults = { get: "fail" }
        const fresh = yield* world.client({ storage })
        assert.strictEqual(yield* tagOf(fresh.me), "TokenStorageError")
        assert.strictEqual(yield* tagOf(fresh.session.refresh), "TokenStorageError")
        assert.isTrue(Option.isNone(yield* fresh.session.current))
        state.faults = {}
        assert.strictEqual(yield* fresh.me, "ann")
      })
    )
  )

  it.effect("a sign-in that cannot be stored fails while the storage keeps somebody else, who stays", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        state.faults = { set: "fail" }
        const error = yield* Effect.flip(client.signIn("bob"))
        assert.propertyVal(error, "_tag", "TokenStorageError")
        assert.deepStrictEqual(world.server.revoked, ["refresh-2-bob"])
        assert.strictEqual(yield* client.me, "ann")
        // The same person goes on in memory: the server has ended the session before.
        yield* client.signIn("ann")
        assert.strictEqual(yield* client.me, "ann")
        state.faults = {}
        yield* client.session.refresh
        assert.include(stored(world.backing), { refreshToken: "refresh-4-ann" })
      })
    )
  )

  it.effect("a sign-in that cannot be stored fails where nobody knows whose the session there is", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.session.restore({ refreshToken: "somebody's" })
        state.faults = { set: "fail" }
        assert.propertyVal(yield* Effect.flip(client.signIn("bob")), "_tag", "TokenStorageError")
        assert.include(stored(world.backing), { refreshToken: "somebody's" })
      })
    )
  )

  it.effect("a sign-in that cannot be stored leaves the session of the one that was written just before it", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const written = yield* Deferred.make<void>()
        let sets = 0
        const client = yield* world.client({
          storage: storageOver(world.backing, {
            fault: (operation) => (operation === "set" && ++sets === 3 ? "fail" : undefined),
            before: (operation) => (operation === "set" && sets === 2 ? Deferred.await(written) : Effect.void)
          })
        })
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        const bob = yield* Effect.forkChild(client.signIn("bob"))
        yield* until("bob is being written", () => sets === 2)
        const cyd = yield* Effect.forkChild(Effect.exit(client.signIn("cyd")))
        yield* until("cyd is signed in", () => world.server.count("auth") === 3)
        yield* settled
        yield* Deferred.succeed(written, undefined)
        yield* Fiber.join(bob)
        assert.isTrue(Exit.isFailure(yield* Fiber.join(cyd)))
        assert.strictEqual(stored(world.backing)?.["userIdentifier"], "bob")
        assert.strictEqual(yield* client.me, "bob")
        yield* hears(heard, ["State ann", "SignedIn bob"])
      })
    )
  )

  it.effect("a sign-in whose write only seemed to fail is stored", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { state, storage } = faulty(world)
        const client = yield* world.client({ storage })
        yield* client.signIn("ann")
        const heard = yield* follow(client)
        state.faults = { set: "loseAnswer" }
        yield* client.signIn("bob")
        assert.strictEqual(yield* client.me, "bob")
        assert.deepStrictEqual(world.server.revoked, [])
        yield* hears(heard, ["State ann", "SignedIn bob"])
      })
    )
  )

  it.effect("the envelope has what SESSION.md says, and goes through a process and back", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        assert.deepStrictEqual(Object.keys(stored(world.backing) ?? {}), [
          "version",
          "marker",
          "accessToken",
          "refreshToken",
          "device",
          "receivedAt",
          "lifetime",
          "clockOffset",
          "userIdentifier"
        ])
        const restarted = yield* world.client()
        assert.strictEqual(yield* restarted.me, "ann")
        yield* expire
        assert.strictEqual(yield* restarted.me, "ann")
        assert.deepStrictEqual(
          world.server.exchanges.map((one) => one.accepted),
          [true]
        )
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("changes", () => {
  it.effect("the state first, then everything in order, to everybody who listens, nothing lost", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        const early = yield* follow(client)
        yield* client.signIn("ann")
        const late = yield* follow(client)
        for (let count = 0; count < 100; count++) yield* client.session.refresh
        yield* client.signIn("bob")
        yield* client.session.signOutLocally
        const after = [...Array.from({ length: 100 }, () => "Refreshed ann"), "SignedIn bob", "SignedOut SignOut"]
        yield* hears(early, ["State nobody", "SignedIn ann", ...after])
        yield* hears(late, ["State ann", ...after])
      })
    )
  )

  it.effect("a slow reader loses nothing", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const heard: Array<string> = []
        const goOn = yield* Deferred.make<void>()
        const reading = yield* Effect.forkChild(
          client.session.changes.pipe(
            Stream.tap(() => Deferred.await(goOn)),
            Stream.take(201),
            Stream.runForEach((event) => Effect.sync(() => heard.push(event._tag)))
          ),
          { startImmediately: true }
        )
        yield* settled
        for (let count = 0; count < 200; count++) yield* client.session.refresh
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(reading)
        assert.deepStrictEqual(heard, ["State", ...Array.from({ length: 200 }, () => "Refreshed")])
      })
    )
  )

  it.effect("what another tab did: the storage is read, events told once, nothing echoed", () =>
    inWorld((world, other) =>
      Effect.gen(function* () {
        const signals = yield* Queue.unbounded<string>()
        const storage = storageOver(world.backing, { changes: Stream.fromQueue(signals) })
        const one = yield* world.client({ storage })
        const two = yield* world.client({ storage: { ...storage, changes: Stream.empty } })
        assert.strictEqual(yield* tagOf(one.me), "NotAuthenticated")
        yield* two.session.current
        const heard = yield* follow(one)
        const signalled = (effect: Effect.Effect<unknown, unknown>) =>
          Effect.gen(function* () {
            yield* effect
            world.backing.log.length = 0
            yield* Queue.offer(signals, "default")
            yield* Queue.offer(signals, "default")
            yield* Queue.offer(signals, "another")
            yield* settled
            assert.deepStrictEqual(new Set(world.backing.log.map((entry) => entry.operation)), new Set(["get"]))
          })
        yield* signalled(other.signIn("ann"))
        assert.strictEqual(yield* one.me, "ann")
        yield* signalled(other.session.refresh)
        assert.strictEqual(yield* one.me, "ann")
        // A mark on the token is nothing to be told.
        const marked = JSON.stringify({ ...stored(world.backing), exchangeStartedAt: start })
        yield* signalled(Effect.sync(() => world.backing.map.set("default", marked)))
        yield* signalled(other.signIn("bob"))
        yield* signalled(other.session.signOutLocally)
        assert.strictEqual(yield* tagOf(one.me), "NotAuthenticated")
        yield* hears(heard, ["State nobody", "SignedIn ann", "Refreshed ann", "SignedIn bob", "SignedOut Elsewhere"])
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("a change that comes while a refresh is under way is looked at afterwards", () =>
    inWorld((world, other) =>
      Effect.gen(function* () {
        const signals = yield* Queue.unbounded<string>()
        const client = yield* world.client({
          storage: storageOver(world.backing, { changes: Stream.fromQueue(signals) }),
          lock: noLock
        })
        yield* other.signIn("ann")
        yield* client.me
        const heard = yield* follow(client)
        world.server.script("refresh", lose(false))
        const gate = world.server.gate("refresh")
        const refreshing = yield* Effect.forkChild(Effect.exit(client.session.refresh))
        yield* gate.arrived
        yield* other.session.signOutLocally
        yield* Queue.offer(signals, "default")
        yield* settled
        yield* hears(heard, ["State ann"])
        yield* gate.answer
        yield* Fiber.join(refreshing)
        yield* hears(heard, ["State ann", "SignedOut Elsewhere"])
      })
    )
  )

  it.effect("a change that is being looked at when a refresh begins is looked at again afterwards", () =>
    inWorld((world, other) =>
      Effect.gen(function* () {
        const signals = yield* Queue.unbounded<string>()
        const goOn = yield* Deferred.make<void>()
        let looking = false
        const client = yield* world.client({
          storage: storageOver(world.backing, {
            changes: Stream.fromQueue(signals),
            before: (operation) =>
              Effect.suspend(() => {
                if (operation !== "get" || !looking) return Effect.void
                looking = false
                return Deferred.await(goOn)
              })
          }),
          lock: noLock
        })
        yield* other.signIn("ann")
        yield* client.me
        const heard = yield* follow(client)
        looking = true
        yield* Queue.offer(signals, "default")
        yield* until("it looks", () => !looking)
        world.server.script("refresh", lose(false))
        const gate = world.server.gate("refresh")
        const refreshing = yield* Effect.forkChild(Effect.exit(client.session.refresh))
        yield* gate.arrived
        yield* other.session.signOutLocally
        yield* Deferred.succeed(goOn, undefined)
        yield* hears(heard, ["State ann"])
        yield* gate.answer
        yield* Fiber.join(refreshing)
        yield* hears(heard, ["State ann", "SignedOut Elsewhere"])
      })
    )
  )

  it.effect("a stream of changes that fails is taken up again", () =>
    inWorld((world, other) =>
      Effect.gen(function* () {
        let subscriptions = 0
        const signals = yield* Queue.unbounded<string>()
        const changes = Stream.unwrap(
          Effect.sync(() =>
            ++subscriptions < 3
              ? Stream.fail(new TokenStorage.TokenStorageError({ operation: "changes", slot: "*" }))
              : Stream.fromQueue(signals)
          )
        )
        const client = yield* world.client({ storage: storageOver(world.backing, { changes }) })
        const heard = yield* follow(client)
        yield* TestClock.adjust("10 seconds")
        yield* settled
        assert.strictEqual(subscriptions, 3)
        yield* other.signIn("ann")
        yield* Queue.offer(signals, "default")
        yield* hears(heard, ["State nobody", "SignedIn ann"])
      })
    )
  )

  it.effect("whoever stops listening is forgotten", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        const events = yield* client.session.changes.pipe(Stream.take(1), Stream.runCollect)
        assert.strictEqual(events[0]?._tag, "State")
        yield* client.session.refresh
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("current", () => {
  it.effect("is a peek: no network, whatever the state of the token", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        assert.isTrue(Option.isNone(yield* client.session.current))
        yield* client.signIn("ann")
        const before = world.server.seen.length
        yield* expire
        assert.strictEqual(Option.getOrThrow(yield* client.session.current).userIdentifier, "ann")
        assert.strictEqual(world.server.seen.length, before)
        assert.notInclude(JSON.stringify(yield* client.session.current), "refresh-")
      })
    )
  )
})

describe("accessToken", () => {
  it.effect("is good for use now, and redacted", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* tagOf(client.session.accessToken), "NotAuthenticated")
        yield* client.signIn("ann")
        const first = yield* client.session.accessToken
        assert.strictEqual(Redacted.value(first), world.server.sessions[0]?.accessToken)
        assert.notInclude(String(first), Redacted.value(first))
        yield* expire
        const second = yield* client.session.accessToken
        assert.strictEqual(Redacted.value(second), world.server.sessions[0]?.accessToken)
        assert.notStrictEqual(Redacted.value(second), Redacted.value(first))
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )
})

describe("restore", () => {
  it.effect("adopts a refresh token alone: it is exchanged with the first call", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        const pair = world.server.issue("ann", "email", "phone")
        const heard = yield* follow(client)
        yield* client.session.restore({ refreshToken: pair.refreshToken, device: device("phone") })
        assert.strictEqual(world.server.seen.length, 0)
        assert.strictEqual(yield* client.me, "ann")
        assert.deepStrictEqual(
          world.server.exchanges.map((one) => one.accepted),
          [true]
        )
        yield* hears(heard, ["State nobody", "SignedIn ?", "Refreshed ann"])
      })
    )
  )

  it.effect("uses an access token that came with it, until a 401", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        const pair = world.server.issue("ann", "email", "phone")
        // Tokens from elsewhere are of any age.
        yield* TestClock.adjust("50 minutes")
        yield* client.session.restore({
          refreshToken: Redacted.make(pair.refreshToken),
          accessToken: pair.accessToken,
          userIdentifier: "ann",
          device: device("phone")
        })
        assert.strictEqual(yield* client.me, "ann")
        assert.strictEqual(world.server.exchanges.length, 0)
        world.server.expire()
        assert.strictEqual(yield* client.me, "ann")
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("fails with what is wrong, and leaves the session that is there", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        for (const tokens of [
          { refreshToken: "" },
          { refreshToken: Redacted.make("") },
          { refreshToken: "x".repeat(20_000) },
          { refreshToken: "x", accessToken: "x".repeat(20_000) },
          // No header can carry it.
          { refreshToken: "x", accessToken: Redacted.make("x\r\nx-evil: 1") },
          { refreshToken: "x", marker: " " },
          // The refresh token would go to another route.
          { refreshToken: "x", marker: ".." },
          { refreshToken: "x", marker: "\ud83d" }
        ]) {
          const error = yield* Effect.flip(client.session.restore(tokens))
          assert.strictEqual(error._tag === "OneEntryError" ? error.reason._tag : error._tag, "InvalidRequest")
        }
        assert.strictEqual(yield* client.me, "ann")
      })
    )
  )
})

// -----------------------------------------------------------------------------

describe("keepAlive", () => {
  it.effect("refreshes ahead of expiry, so that no call waits", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* client.session.keepAlive
        yield* settled
        yield* TestClock.adjust("59 minutes")
        yield* settled
        assert.strictEqual(world.server.exchanges.length, 0)
        yield* TestClock.adjust("35 seconds")
        yield* until("it is refreshed", () => world.server.exchanges.length === 1)
        yield* settled
        for (let count = 2; count <= 5; count++) {
          for (let step = 0; step < 121; step++) {
            yield* TestClock.adjust("30 seconds")
            yield* settled
          }
          assert.strictEqual(world.server.exchanges.length, count)
        }
        assert.isTrue(world.server.exchanges.every((one) => one.accepted))
      })
    )
  )

  it.effect("ends with its scope", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* Effect.scoped(client.session.keepAlive)
        yield* TestClock.adjust("3 hours")
        yield* settled
        assert.strictEqual(world.server.exchanges.length, 0)
      })
    )
  )

  it.effect("notices a sign-in at once, however short its tokens live", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.session.keepAlive
        yield* settled
        world.server.lifetime = 20
        yield* client.signIn("ann")
        yield* settled
        yield* TestClock.adjust("19 seconds")
        yield* until("it is refreshed", () => world.server.exchanges.length === 1)
        assert.strictEqual(yield* client.me, "ann")
      })
    )
  )

  it.effect("waits out a cooldown, and longer each time", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* client.session.keepAlive
        world.server.script("refresh", ...Array.from({ length: 50 }, () => status(503)))
        yield* settled
        for (let step = 0; step < 30; step++) {
          yield* TestClock.adjust("2 minutes")
          yield* settled
        }
        const first = world.server.exchanges.length
        for (let step = 0; step < 600; step++) {
          yield* TestClock.adjust("1 second")
          yield* settled
        }
        assert.isAbove(world.server.exchanges.length, first)
        assert.isAtMost(world.server.exchanges.length - first, 16)
      })
    )
  )

  it.effect("says so when a session whose refresh token was rejected comes to its end", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        world.server.script("refresh", status(400))
        yield* Effect.exit(client.session.refresh)
        const heard = yield* follow(client)
        yield* client.session.keepAlive
        for (let step = 0; step < 61; step++) {
          yield* TestClock.adjust("1 minute")
          yield* settled
        }
        yield* hears(heard, ["State ann", "SignedOut Rejected"])
        assert.strictEqual(world.server.exchanges.length, 1)
      })
    )
  )

  it.effect("keeps the user of its own slot", () =>
    inWorld((world, client) =>
      Effect.gen(function* () {
        yield* client.signIn("ann")
        yield* Sessions.withSlot("two")(client.signIn("bob"))
        yield* Sessions.withSlot("two")(client.session.keepAlive)
        yield* settled
        yield* TestClock.adjust("59 minutes")
        yield* TestClock.adjust("40 seconds")
        yield* until("it is refreshed", () => world.server.exchanges.length === 1)
        assert.strictEqual(world.server.exchanges[0]?.refreshToken, "refresh-2-bob")
      })
    )
  )
})
