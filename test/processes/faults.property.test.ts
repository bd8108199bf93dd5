/**
 * Random faults (delay, error, lost answer, crash) at every step of a session, over every storage and lock. A run is
 * drawn from a seed: two or three clients, each a process of its own as far as they can tell, use one session while
 * their storage, lock and network fail. Time runs faster here, so that a timeout is no reason to wait.
 *
 * SESSION_FAULTS_SEED=… repeats a run, SESSION_FAULTS_RUNS=… sets how many there are for each storage.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Context, Duration, Effect, Exit, Layer, Predicate, Redacted, Scope, Stream } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import type { Redis } from "effect/persistence"
import { KeyValueStore } from "effect/persistence"
import type { SqlClient } from "effect/sql"
import { AuthProvider, OneEntry, Session, SessionLock, TokenStorage, Users } from "effect-oneentry"
import { Emulator, Project } from "effect-oneentry/emulator"
import { RedisSessionLock, RedisTokenStorage } from "effect-oneentry/redis"
import { SqlMigrations, SqlSessionLock, SqlTokenStorage } from "effect-oneentry/sql"
import { Faults } from "effect-oneentry/testing"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { hosted } from "../helpers/hosted.ts"
import * as postgres from "../helpers/postgres.ts"
import * as redis from "../helpers/redis.ts"
import { layerSqlite } from "../helpers/sqlite.ts"

const runs = Number(process.env["SESSION_FAULTS_RUNS"] ?? 12)
const onlySeed = process.env["SESSION_FAULTS_SEED"]
const firstSeed = onlySeed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(onlySeed)

const ann = "ann@example.com"

// -----------------------------------------------------------------------------
// time
// -----------------------------------------------------------------------------

/** So many times as fast as the world's. */
const speed = 20

const from = Date.now()

/** A clock that runs fast, the same for all, and whose sleepers sleep for ever once their process is down. */
const fastClock = (live: Clock.Clock, crashed: () => boolean): Clock.Clock => {
  const millis = () => Math.floor(from + (live.currentTimeMillisUnsafe() - from) * speed)
  const nanos = () => BigInt(millis()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.andThen(
        live.sleep(Duration.millis(Duration.toMillis(duration) / speed)),
        Effect.suspend(() => (crashed() ? Effect.never : Effect.void))
      )
  }
}

// -----------------------------------------------------------------------------
// storages and locks
// -----------------------------------------------------------------------------

interface Part {
  readonly storage: TokenStorage.TokenStorage["Service"]
  readonly lock: SessionLock.SessionLock
}

interface Place {
  /** A lock that knows the fibers of one process only dies with that process: all clients are in it. */
  readonly oneProcess: boolean
  /** What one client has; those of one process share it. */
  readonly open: Effect.Effect<Part, never, Scope.Scope>
}

/** Real milliseconds: a lock that a dead process had is free after them. */
const lease = 500

const key = Redacted.make(new Uint8Array(32).fill(9))

const sealed = (part: Part): Effect.Effect<Part> =>
  Effect.map(Effect.orDie(TokenStorage.makeEncrypted(part.storage, key)), (storage) => ({ ...part, storage }))

const inMemory = Effect.sync((): Place => {
  const storage = TokenStorage.makeMemory()
  return {
    oneProcess: true,
    // The same map for those who come after a crash, and nothing else that they could know.
    open: Effect.sync(() => ({ storage: { ...storage }, lock: SessionLock.makeInProcess() }))
  }
})

const inMemorySealed = Effect.map(inMemory, (place): Place => ({ ...place, open: Effect.flatMap(place.open, sealed) }))

const inKeyValueStore = Effect.gen(function* () {
  const store = yield* KeyValueStore.KeyValueStore
  const place: Place = {
    oneProcess: true,
    open: Effect.sync(() => ({ storage: TokenStorage.makeKeyValueStore(store), lock: SessionLock.makeInProcess() }))
  }
  return place
}).pipe(Effect.provide(KeyValueStore.layerMemory))

const inRedis = (client: Context.Context<Redis.Redis>) => (prefix: string) =>
  Effect.sync((): Place => ({
    oneProcess: false,
    open: Effect.gen(function* () {
      const storage = yield* RedisTokenStorage.make({ prefix })
      return yield* sealed({ storage, lock: yield* RedisSessionLock.make({ prefix, lease }) })
    }).pipe(Effect.provideContext(client))
  }))

const inSql = (client: Context.Context<SqlClient.SqlClient>) => (prefix: string) =>
  Effect.gen(function* () {
    const tables = { sessions: `${prefix}sessions`, locks: `${prefix}locks` }
    yield* SqlMigrations.make(tables)
    const place: Place = {
      oneProcess: false,
      open: Effect.gen(function* () {
        const storage = yield* SqlTokenStorage.make({ table: tables.sessions })
        return { storage, lock: yield* SqlSessionLock.make({ table: tables.locks, lease }) }
      }).pipe(Effect.provideContext(client), Effect.orDie)
    }
    return place
  }).pipe(Effect.provideContext(client), Effect.orDie)

// -----------------------------------------------------------------------------
// a run
// -----------------------------------------------------------------------------

const generator = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Send {
  readonly client: string
  readonly token: string
  /** When the sender got the lock, and when it has read what is stored since; in the order of all things. */
  readonly lockedAt: number
  readonly readAt: number
  /** The token that came for it, if it was accepted. */
  next: string | undefined
}

const refreshTokenOf = (text: string | undefined): string | undefined => {
  const value: unknown = text === undefined ? undefined : JSON.parse(text)
  return Predicate.hasProperty(value, "refreshToken") ? String(value.refreshToken) : undefined
}

const bodyOf = (body: { readonly _tag: string }): string =>
  Predicate.hasProperty(body, "body") && body.body instanceof Uint8Array ? new TextDecoder().decode(body.body) : ""

const run = (seed: number, place: Place, live: Clock.Clock, trace: Array<string>) =>
  Effect.gen(function* () {
    const random = generator(seed)
    const below = (limit: number) => Math.floor(random() * limit)
    const pick = <A>(items: ReadonlyArray<A>): A => {
      const item = items[below(items.length)]
      if (item === undefined) throw new Error("nothing to pick from")
      return item
    }
    const emulator = yield* Emulator.Emulator
    const http = yield* HttpClient.HttpClient

    const problems: Array<string> = []
    const sends: Array<Send> = []
    /** Which refresh tokens were in the storage, and since when. */
    const stored = new Map<string, number>()
    let order = 0
    /** How often a storage has failed, so that a mark or a pair may be in memory only. */
    let failures = 0
    /** The newest refresh token that somebody goes on with; it may be in memory only. */
    let newest: string | undefined
    let serial = 0

    const rulesOf = (): ReadonlyArray<Faults.Rule> =>
      Array.from({ length: below(4) }, (): Faults.Rule => {
        const on = pick([
          "get",
          "compareAndSet",
          "compareAndSet",
          "set",
          "acquire",
          "release",
          "request",
          "request"
        ] as const)
        const faults: ReadonlyArray<Faults.Fault> = [
          Faults.delay(pick(["200 millis", "2 seconds"])),
          Faults.fail,
          ...(on === "acquire" ? [] : [Faults.loseAnswer, Faults.crashAfter]),
          Faults.crash
        ]
        return {
          on,
          call: 1 + below(5),
          ...(on === "request" ? { where: (call) => call.target.endsWith("/users/refresh") } : {}),
          fault: pick(faults)
        }
      })

    /** One process: what it knows dies with it. */
    const openAll = (count: number, sound: boolean) =>
      Effect.gen(function* () {
        const shared = place.oneProcess ? yield* place.open : undefined
        const sharedFaults = place.oneProcess ? Faults.make(sound ? [] : rulesOf()) : undefined
        return yield* Effect.forEach(Array.from({ length: count }), () =>
          Effect.gen(function* () {
            const name = `client ${serial++}`
            const faults = sharedFaults ?? Faults.make(sound ? [] : rulesOf())
            const clock = fastClock(live, faults.crashed)
            const own: { lockedAt: number; readAt: number } = { lockedAt: 0, readAt: 0 }
            const note = (inner: TokenStorage.TokenStorage["Service"]): TokenStorage.TokenStorage["Service"] => {
              const seen = (text: string | undefined) => {
                const token = refreshTokenOf(text)
                if (token !== undefined && !stored.has(token)) stored.set(token, ++order)
              }
              return {
                ...inner,
                get: (slot) =>
                  Effect.tap(inner.get(slot), () =>
                    Effect.sync(() => {
                      own.readAt = ++order
                    })
                  ),
                set: (slot, value) => Effect.tap(inner.set(slot, value), () => Effect.sync(() => seen(value))),
                compareAndSet: (slot, expected, next) =>
                  Effect.tap(inner.compareAndSet(slot, expected, next), (written) =>
                    Effect.sync(() => {
                      if (written) seen(next)
                    })
                  )
              }
            }
            const failed = <A, E>(call: Effect.Effect<A, E>) =>
              Effect.tapError(call, () =>
                Effect.sync(() => {
                  failures++
                })
              )
            const noteFailures = (
              inner: TokenStorage.TokenStorage["Service"]
            ): TokenStorage.TokenStorage["Service"] => ({
              ...inner,
              get: (slot) => failed(inner.get(slot)),
              set: (slot, value) => failed(inner.set(slot, value)),
              compareAndSet: (slot, expected, next) => failed(inner.compareAndSet(slot, expected, next))
            })
            const noteLock = (inner: SessionLock.SessionLock): SessionLock.SessionLock => ({
              withLock: (slot, options) => (effect) =>
                inner.withLock(
                  slot,
                  options
                )(
                  Effect.suspend(() => {
                    own.lockedAt = ++order
                    return effect
                  })
                )
            })
            const noteHttp = HttpClient.transform(http, (effect, request) => {
              if (!request.url.endsWith("/users/refresh")) return effect
              return Effect.gen(function* () {
                const token = refreshTokenOf(bodyOf(request.body)) ?? ""
                const send: Send = { client: name, token, lockedAt: own.lockedAt, readAt: own.readAt, next: undefined }
                order++
                check(send)
                sends.push(send)
                const response = yield* effect
                const text = yield* response.text
                trace.push(`${name} sent ${token.slice(-6)}: ${response.status}`)
                if (response.status < 300) send.next = refreshTokenOf(text)
                return HttpClientResponse.fromWeb(
                  request,
                  new Response(text, { status: response.status, headers: { "content-type": "application/json" } })
                )
              })
            })
            // What a client of one process has is the same for all of it: one memory, one lock.
            const part = shared ?? (yield* place.open.pipe(Effect.provideService(Clock.Clock, clock)))
            const storage = storages.get(part) ?? noteFailures(faults.storage(note(part.storage)))
            storages.set(part, storage)
            const scope = yield* Scope.make()
            const context = yield* Layer.build(
              OneEntry.layer({ url: emulator.url, appToken: emulator.appToken, retry: false }).pipe(
                Layer.provide([
                  Layer.succeed(TokenStorage.TokenStorage, storage),
                  Layer.succeed(SessionLock.SessionLock, faults.lock(noteLock(part.lock))),
                  Layer.succeed(HttpClient.HttpClient, faults.httpClient(noteHttp))
                ])
              )
            ).pipe(Scope.provide(scope), Effect.provideService(Clock.Clock, clock), Effect.orDie)
            const session = Context.get(context, Session.Session)
            yield* Stream.runForEach(session.changes, (event) =>
              Effect.sync(() => {
                if (event._tag !== "State") trace.push(`${name} heard ${event._tag}`)
                if (event._tag === "SignedOut" && event.reason !== "Elsewhere") ends.push(event.reason)
                if (event._tag === "SignedOut") newest = undefined
                if (event._tag === "Refreshed") newest = sends.findLast(({ next }) => next !== undefined)?.next
              })
            ).pipe(Effect.provideService(Clock.Clock, clock), Effect.forkIn(scope, { startImmediately: true }))
            return {
              name,
              faults,
              scope,
              auth: Effect.provideService(
                Context.get(context, AuthProvider.AuthProvider).auth("email", {
                  authData: [
                    { marker: "email_reg", value: ann },
                    { marker: "password_reg", value: Redacted.make("123456") }
                  ]
                }),
                Clock.Clock,
                clock
              ),
              call: Effect.provideService(Context.get(context, Users.Users).getUser(), Clock.Clock, clock)
            }
          })
        )
      })
    const storages = new Map<Part, TokenStorage.TokenStorage["Service"]>()
    const ends: Array<string> = []
    type Client = Effect.Success<ReturnType<typeof openAll>>[number]

    /** No refresh token goes out again by somebody who could have known that it was spent. */
    const check = (send: Send) => {
      for (const before of sends) {
        if (before.token !== send.token || before.next === undefined) continue
        const storedAt = stored.get(before.next)
        if (storedAt !== undefined && storedAt < send.lockedAt && send.lockedAt < send.readAt) {
          problems.push(`${send.client} sent a token again whose successor it had read`)
        }
      }
    }

    /** Runs until it ends or its process is down; one that does neither hangs. */
    const finish = (client: Client, what: string, effect: Effect.Effect<unknown, { readonly _tag: string }>) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
        const deadline = live.currentTimeMillisUnsafe() + Duration.toMillis("15 minutes") / speed
        while (fiber.pollUnsafe() === undefined && !client.faults.crashed()) {
          if (live.currentTimeMillisUnsafe() > deadline) {
            problems.push(`${what} of ${client.name} never ends`)
            return "Hung"
          }
          yield* live.sleep(Duration.millis(2))
        }
        const exit = fiber.pollUnsafe()
        if (exit === undefined) return "Crashed"
        if (Exit.isSuccess(exit)) return "Success"
        const error = Exit.findErrorOption(exit)
        if (error._tag === "None") {
          problems.push(`${what} of ${client.name} died: ${Cause.pretty(exit.cause)}`)
          return "Died"
        }
        if (!Predicate.hasProperty(error.value, "reason") || error.value._tag !== "TokenExpired")
          return error.value._tag
        // A token of another process was refused, too: that call has failed, and the session goes on.
        if (error.value.reason === "Refused") return "Refused"
        ends.push(String(error.value.reason))
        return error.value._tag
      })

    // Somebody signs in while all is well.
    const [signer] = yield* openAll(1, true)
    if (signer === undefined) return ["nobody"]
    assert.strictEqual(yield* finish(signer, "the sign-in", signer.auth), "Success")
    yield* Scope.close(signer.scope, Exit.void)

    const count = 2 + below(2)
    let clients = yield* openAll(count, false)
    const revive = Effect.gen(function* () {
      const down = clients.filter((client) => client.faults.crashed())
      if (down.length === 0) return
      trace.push(`down: ${down.map(({ name }) => name).join(", ")}`)
      if (place.oneProcess) {
        // The lock of the process went with it: another one begins with what is stored.
        clients = yield* openAll(count, false)
        return
      }
      const fresh = yield* openAll(down.length, false)
      clients = [...clients.filter((client) => !client.faults.crashed()), ...fresh]
    })

    for (let step = 0; step < 6; step++) {
      yield* revive
      if (random() < 0.8) yield* emulator.expireAccessTokens
      const outcomes = yield* Effect.forEach(
        clients.flatMap((client) => Array.from({ length: 1 + below(3) }, () => client)),
        (client) => finish(client, "a call", client.call),
        { concurrency: "unbounded" }
      )
      trace.push(outcomes.join(" "))
      if (random() < 0.5) yield* live.sleep(Duration.millis((500 + below(2_000)) / speed))
    }

    // What is in memory only gets written, unless its process goes down or is signed out before.
    const isUnwritten = () => newest !== undefined && !stored.has(newest)
    const written = Effect.gen(function* () {
      const deadline = live.currentTimeMillisUnsafe() + Duration.toMillis("1 minute") / speed
      while (isUnwritten()) {
        if (clients.some(({ faults }) => faults.crashed())) return
        if (live.currentTimeMillisUnsafe() > deadline) {
          // Of several processes one may have sent, and lost its answer, before the other's success was heard of.
          if (place.oneProcess) problems.push("what is in memory only is never written")
          return
        }
        yield* live.sleep(Duration.millis(5))
      }
    })

    // Everybody gets to an end, and to the same, in the first round in which no storage fails and no process goes down.
    yield* written
    const last = new Set<string>()
    const settle = (client: Client) =>
      Effect.gen(function* () {
        for (let attempt = 0; attempt < 200; attempt++) {
          const outcome = yield* finish(client, "a last call", client.call)
          if (outcome === "TokenExpired") return "NotAuthenticated"
          if (["Success", "NotAuthenticated", "Crashed", "Hung", "Died"].includes(outcome)) return outcome
          yield* live.sleep(Duration.millis(2_000 / speed))
        }
        return "Unsettled"
      })
    let calm = false
    for (let round = 0; round < 50 && !calm; round++) {
      yield* revive
      last.clear()
      const before = failures
      yield* emulator.expireAccessTokens
      for (const client of clients) {
        const outcome = yield* settle(client)
        trace.push(`${client.name} at last: ${outcome}`)
        last.add(outcome)
      }
      yield* written
      const [newcomer] = yield* openAll(1, true)
      if (newcomer === undefined) return ["nobody"]
      const outcome = yield* settle(newcomer)
      trace.push(`${newcomer.name}, who is new: ${outcome}`)
      last.add(outcome)
      yield* Scope.close(newcomer.scope, Exit.void)
      calm = failures === before && !clients.some(({ faults }) => faults.crashed())
    }
    if (!calm) problems.push("the faults never end")
    if (last.size !== 1 || ![...last].every((outcome) => outcome === "Success" || outcome === "NotAuthenticated")) {
      problems.push(`at last some have ${[...last].join(", some ")}`)
    }
    // A pair that came and was not stored when the next one looked is the one way to lose a session.
    const mayBeLost = sends.some(({ next, token }) => {
      const storedAt = next === undefined ? 0 : (stored.get(next) ?? Infinity)
      return sends.some((other) => other.token === token && other.next === undefined && other.readAt < storedAt)
    })
    if (!mayBeLost && (last.has("NotAuthenticated") || ends.length > 0)) problems.push("a session was lost for nothing")
    if (failures === 0 && ends.includes("Rejected")) problems.push("an ambiguous loss was called a rejection")
    for (const client of clients) {
      // Finalizers of what has crashed do not run.
      if (!client.faults.crashed()) yield* Scope.close(client.scope, Exit.void)
    }
    return problems
  })

const property = (name: string, make: (prefix: string) => Effect.Effect<Place>) => {
  it.live(
    name,
    () =>
      Effect.gen(function* () {
        console.log(`SESSION_FAULTS_SEED=${firstSeed} (${name})`)
        const live = yield* Clock.Clock
        for (let index = 0; index < (onlySeed === undefined ? runs : 1); index++) {
          const seed = (firstSeed + index) % 2 ** 31
          const trace: Array<string> = []
          const problems = yield* run(seed, yield* make(`p${seed}_`), live, trace).pipe(
            Effect.scoped,
            Effect.provide(
              Emulator.layerClient({
                passwordCost: 1,
                project: {
                  ...Project.defaultProject,
                  providers: [{ identifier: "email", formIdentifier: "reg" }],
                  users: [{ provider: "email", login: ann, password: "123456" }]
                }
              })
            ),
            Effect.provideService(
              Clock.Clock,
              fastClock(live, () => false)
            )
          )
          if (problems.length > 0) {
            assert.fail([`SESSION_FAULTS_SEED=${seed}`, ...new Set(problems), "what happened:", ...trace].join("\n"))
          }
        }
      }),
    60_000 + runs * 10_000
  )
}

describe("a session under faults, over", () => {
  property("memory", () => inMemory)
  property("memory, encrypted", () => inMemorySealed)
  property("a KeyValueStore", () => inKeyValueStore)

  const sqlite = hosted(
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => fs.mkdtemp(path.join(os.tmpdir(), "oneentry-faults-"))),
        (directory) => Effect.promise(() => fs.rm(directory, { recursive: true, force: true }))
      )
      return yield* Layer.build(layerSqlite(path.join(folder, "sessions.db")))
    })
  )
  property("SQLite", (prefix) => Effect.suspend(() => inSql(sqlite())(prefix)))

  describe.skipIf(!redis.redis.available)("a server:", () => {
    const client = hosted(Effect.flatMap(redis.startRedis(), (server) => Layer.build(redis.layerClient(server.port))))
    property("Redis, encrypted", (prefix) => Effect.suspend(() => inRedis(client())(prefix)))
  })

  describe.skipIf(!postgres.postgres.available)("a server:", () => {
    const client = hosted(
      Effect.flatMap(postgres.startPostgres, (server) => Layer.build(postgres.layerClient(server.port)))
    )
    property("PostgreSQL", (prefix) => Effect.suspend(() => inSql(client())(prefix)))
  })
})
