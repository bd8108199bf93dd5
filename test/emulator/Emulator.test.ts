import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Latch, Layer, Redacted, Schema, Stream } from "effect"
import { HttpClient, HttpRouter, HttpServerResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { Emulator, Persistence, Project, Snapshot } from "effect-oneentry/emulator"
import {
  auth,
  call,
  inProcess,
  login,
  me,
  onPort,
  password,
  project,
  refresh,
  refused,
  register,
  registered,
  signIn,
  signUp,
  tokensOf,
  users
} from "./support.ts"

const failure = <A, E>(layer: Layer.Layer<A, E>) => Effect.flip(Effect.scoped(Layer.build(layer)))

describe("layers", () => {
  it.live("listen on a free port, and end with their scope", () =>
    Effect.gen(function* () {
      const url = yield* Effect.scoped(
        Effect.gen(function* () {
          const emulator = yield* Emulator.makeServer()
          assert.match(emulator.url, /^http:\/\/127\.0\.0\.1:\d+$/)
          assert.strictEqual(Redacted.value(emulator.appToken), "emulator-app-token")
          assert.strictEqual((yield* Effect.promise(() => fetch(`${emulator.url}/x`))).status, 404)
          return emulator.url
        })
      )
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Effect.tryPromise(() => fetch(url)))))
    })
  )

  it.live("fail with a typed error when the port is taken or the host is not there", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.makeServer()
      const port = Number(new URL(emulator.url).port)
      const taken = yield* failure(Emulator.layer({ port }))
      assert.deepInclude({ ...taken }, { _tag: "EmulatorError", reason: "PortTaken" })
      assert.include(taken.message, String(port))
      assert.strictEqual((yield* failure(Emulator.layer({ host: "192.0.2.1" }))).reason, "ListenFailed")
    })
  )

  it.effect("fail when options or the project make no sense", () =>
    Effect.gen(function* () {
      for (const options of [
        { appToken: "" },
        { passwordCost: 0 },
        { passwordCost: 1.5 },
        { seed: Number.NaN },
        { limits: { bodyBytes: 0 } },
        { limits: { nesting: -1 } }
      ] satisfies ReadonlyArray<Emulator.Options>) {
        assert.strictEqual(
          (yield* failure(Emulator.layerClient(options))).reason,
          "InvalidOptions",
          JSON.stringify(options)
        )
      }
      assert.strictEqual((yield* failure(Emulator.layer({ port: 70_000 }))).reason, "InvalidOptions")
      const error = yield* failure(
        Emulator.layerClient({ project: { providers: [{ identifier: "a", formIdentifier: "nope" }] } })
      )
      assert.strictEqual(error.reason, "InvalidProject")
      assert.include(error.message, `provider "a" names the form "nope", which does not exist`)
      const misspelt = yield* failure(
        Emulator.layerClient({ project: { permissions: [{ operation: "refrsh", rule: "missing" }] } })
      )
      assert.strictEqual(misspelt.reason, "InvalidProject")
      assert.include(misspelt.message, `a permission names the operation "refrsh", which does not exist`)
    })
  )

  it.live("take many requests over one connection and many connections", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.all(
        Array.from({ length: 300 }, () => call("GET", "/api/content/forms/marker/reg")),
        {
          concurrency: 50
        }
      )
      assert.isTrue(answers.every((answer) => answer.status === 200))
      const log = yield* Emulator.Emulator.use((emulator) => emulator.requests)
      assert.strictEqual(log.length, 300)
    }).pipe(Effect.provide(onPort()))
  )

  it.live("end a stream whose reader only asks whether it is there", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void>()
      const body = Stream.ensuring(Stream.never, Deferred.succeed(ended, undefined))
      const routes = () => HttpRouter.add("GET", "/stream", Effect.succeed(HttpServerResponse.stream(body)))
      yield* Effect.gen(function* () {
        const { url } = yield* Emulator.Emulator
        assert.strictEqual((yield* HttpClient.head(`${url}/stream`)).status, 200)
        yield* Deferred.await(ended)
      }).pipe(Effect.provide(onPort({ routes })))
    })
  )

  it.effect("take more routes of the caller's", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.make({
        routes: (emulator) =>
          Layer.effectDiscard(
            Effect.gen(function* () {
              const router = yield* HttpRouter.HttpRouter
              yield* router.add(
                "GET",
                "/__emulator/users",
                Effect.map(emulator.users, (list) =>
                  HttpServerResponse.jsonUnsafe({ url: emulator.url, users: list.length })
                )
              )
            })
          )
      })
      const response = yield* Effect.promise(() => emulator.handler(new Request(`${emulator.url}/__emulator/users`)))
      assert.deepStrictEqual(yield* Effect.promise(() => response.json()), { url: emulator.url, users: 0 })
    })
  )
})

describe("projects", () => {
  it.effect("name all their problems", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Project.decode({
          providers: [{ identifier: "a" }, { identifier: "a", userGroupIdentifier: "nope" }],
          forms: [
            {
              identifier: "f",
              attributes: [
                { type: "string", marker: "m" },
                { type: "string", marker: "m", validators: { regExpValidator: { patternValue: "(" } } }
              ]
            }
          ],
          permissions: [{ group: "nobody", rule: "denied" }],
          users: [{ provider: "zzz", login: "x" }]
        })
      )
      assert.deepStrictEqual(error.issues, [
        `provider "a" is defined more than once`,
        `provider "a" names the group "nope", which does not exist`,
        `form "f": field "m" is defined more than once`,
        `form "f": the pattern of field "m" is no regular expression`,
        `a permission names the group "nobody", which does not exist`,
        `user "x" names the provider "zzz", which does not exist`
      ])
      const shape = yield* Effect.flip(Project.decode({ providers: [{ type: "nope" }], bla: 1 }))
      assert.isTrue(shape.issues.length >= 3, shape.message)
      assert.include(shape.message, `["bla"]`)
    })
  )

  it.effect("can begin with users", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      tokensOf(yield* auth())
      refused(yield* auth("new@example.com"), 400, "User is not activated")
      assert.isNotEmpty(yield* emulator.awaitCode("new@example.com"))
      const [ann] = yield* emulator.users
      assert.deepInclude(ann, { state: { vip: true }, groups: [1] })
    }).pipe(
      Effect.provide(
        inProcess({
          project: project(Project.defaultProject, {
            users: [
              { login, password, state: { vip: true } },
              { login: "new@example.com", password, isActive: false }
            ]
          })
        })
      )
    )
  )
})

describe("the service", () => {
  it.effect("awaitCode waits for a code that is not there yet", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const fiber = yield* Effect.forkChild(emulator.awaitCode(login), { startImmediately: true })
      yield* signUp("bob@example.com")
      assert.isUndefined(fiber.pollUnsafe())
      yield* signUp()
      assert.strictEqual(yield* Fiber.join(fiber), (yield* emulator.outbox).at(-1)?.code)
      yield* TestClock.adjust("2 minutes")
      const next = yield* Effect.forkChild(emulator.awaitCode(login), { startImmediately: true })
      assert.isUndefined(next.pollUnsafe())
      yield* call("POST", `${users}/generate-code`, { body: { userIdentifier: login, eventIdentifier: "auth" } })
      assert.strictEqual(yield* Fiber.join(next), (yield* emulator.outbox).at(-1)?.code)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("expireAccessTokens leaves refresh tokens good", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const first = yield* registered()
      yield* signIn(login, password, "device-2")
      assert.strictEqual(yield* emulator.expireAccessTokens, 2)
      assert.strictEqual(yield* emulator.expireAccessTokens, 0)
      refused(yield* me(first.accessToken), 401, "Unauthorized")
      const next = tokensOf(yield* refresh(first.refreshToken))
      assert.strictEqual((yield* me(next.accessToken)).status, 200)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("revokes sessions of one user, of all, or one of them", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const ann = yield* registered()
      const bob = yield* registered("bob@example.com")
      assert.strictEqual(yield* emulator.revokeSessions(login), 1)
      refused(yield* me(ann.accessToken), 401, "Unauthorized")
      refused(yield* refresh(ann.refreshToken), 400, "Provided token is incorrect")
      assert.strictEqual((yield* me(bob.accessToken)).status, 200)
      const [session] = yield* emulator.sessions
      assert.isTrue(yield* emulator.revokeSession(session?.id ?? 0))
      assert.isFalse(yield* emulator.revokeSession(session?.id ?? 0))
      refused(yield* me(bob.accessToken), 401, "Unauthorized")
      yield* signIn()
      assert.strictEqual(yield* emulator.revokeSessions(), 1)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("activates and deletes users", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      assert.isTrue(yield* emulator.activateUser(1))
      tokensOf(yield* auth())
      assert.isTrue(yield* emulator.deleteUser(1))
      assert.isFalse(yield* emulator.deleteUser(1))
      assert.isFalse(yield* emulator.activateUser(1))
      assert.strictEqual((yield* signUp()).status, 201)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("has a clock that can run ahead", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const tokens = yield* registered()
      yield* emulator.clock.advance("11 hours")
      assert.strictEqual(yield* emulator.clock.now, 11 * 3_600_000)
      assert.strictEqual(yield* emulator.clock.offset, 11 * 3_600_000)
      refused(yield* me(tokens.accessToken), 401, "Unauthorized")
      const answer = yield* call("GET", "/nope")
      assert.strictEqual(answer.headers["date"], "Thu, 01 Jan 1970 11:00:00 GMT")
      assert.strictEqual(Object(answer.json).timestamp, "1970-01-01T11:00:00.000Z")
      yield* emulator.clock.reset
      assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("resets to the beginning", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* registered("bob@example.com")
      yield* emulator.faults.add({ kind: "drop" })
      yield* emulator.clock.advance("1 day")
      yield* emulator.reset
      assert.deepStrictEqual(
        (yield* emulator.users).map((user) => [user.id, user.login]),
        [[1, login]]
      )
      assert.deepStrictEqual(
        [yield* emulator.sessions, yield* emulator.outbox, yield* emulator.requests, yield* emulator.faults.list],
        [[], [], [], []]
      )
      assert.strictEqual(yield* emulator.clock.offset, 0)
      tokensOf(yield* auth())
    }).pipe(Effect.provide(inProcess({ project: project(Project.defaultProject, { users: [{ login, password }] }) })))
  )

  it.effect("announces changes", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      let seen = 0
      yield* Effect.forkChild(
        Stream.runForEach(emulator.changes, () => Effect.sync(() => seen++)),
        {
          startImmediately: true
        }
      )
      yield* Effect.yieldNow
      const first = seen
      assert.isTrue(first >= 1)
      yield* signUp()
      yield* Effect.yieldNow
      assert.isTrue(seen > first)
      const second = seen
      yield* emulator.clock.advance(1)
      yield* Effect.yieldNow
      assert.isTrue(seen > second)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("the log keeps no secrets, and its last entries", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* register(login, "canary-password")
      const tokens = yield* signIn(login, "canary-password", "canary-device")
      yield* refresh(tokens.refreshToken, "canary-device")
      yield* refresh(tokens.refreshToken, "canary-device")
      yield* call("GET", `/api/content/canary?refreshToken=${tokens.refreshToken}`)
      yield* call("POST", `${users}/check-code`, { body: { userIdentifier: login, code: "canary-code" } })
      const log = JSON.stringify(yield* emulator.requests)
      for (const secret of [
        "canary-password",
        "canary-device",
        "canary-code",
        "emulator-app-token",
        tokens.refreshToken,
        tokens.accessToken
      ]) {
        assert.notInclude(log, secret)
      }
      for (let i = 0; i < 30; i++) yield* call("GET", "/nope")
      const kept = yield* emulator.requests
      assert.lengthOf(kept, 10)
      assert.strictEqual(kept.at(-1)?.id, 37)
    }).pipe(Effect.provide(inProcess({ limits: { logEntries: 10 } })))
  )

  it.effect("codes, tokens and ids repeat with a seed, and never without", () => {
    const run = Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      const code = yield* emulator.awaitCode(login)
      yield* emulator.activateUser(1)
      return { code, ...(yield* signIn()) }
    })
    const seeded = (seed: number | undefined) => Effect.provide(run, Emulator.layerClient({ passwordCost: 1, seed }))
    return Effect.gen(function* () {
      const first = yield* seeded(5)
      assert.deepStrictEqual(yield* seeded(5), first)
      const other = yield* seeded(6)
      const random = yield* seeded(undefined)
      for (const key of ["code", "accessToken", "refreshToken"] as const) {
        assert.strictEqual(new Set([first[key], other[key], random[key]]).size, 3)
      }
    })
  })

  it.effect("passwords are hashed, each with its own salt", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      yield* signUp("bob@example.com")
      const hashes = (yield* emulator.users).map((user) => user.passwordHash ?? "")
      for (const hash of hashes) assert.match(hash, /^scrypt\$1\$[0-9a-f]{32}\$[0-9a-f]{64}$/)
      assert.notStrictEqual(hashes[0], hashes[1])
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("snapshots and persistence", () => {
  const Json = Schema.fromJsonString(Snapshot.Snapshot)

  it.effect("a snapshot goes through JSON into another emulator, tokens and codes still good", () =>
    Effect.gen(function* () {
      const { json, tokens } = yield* Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const tokens = yield* registered()
        yield* signUp("bob@example.com")
        const form = new FormData()
        form.append("files", new File([new Uint8Array([0, 255])], "a.bin"))
        yield* call("POST", "/api/content/files", { form })
        return { tokens, json: yield* Schema.encodeEffect(Json)(yield* emulator.snapshot) }
      }).pipe(Effect.provide(inProcess()))
      yield* Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        yield* register("eve@example.com")
        const snapshot = yield* Schema.decodeEffect(Json)(json)
        yield* emulator.restore(snapshot)
        assert.deepStrictEqual(yield* emulator.snapshot, snapshot)
        assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
        tokensOf(yield* refresh(tokens.refreshToken))
        const code = yield* emulator.awaitCode("bob@example.com")
        assert.strictEqual(
          (yield* call("POST", `${users}/activate`, { body: { userIdentifier: "bob@example.com", code } })).status,
          201
        )
        refused(yield* signUp(), 400, "User with this identifier already exists")
        assert.strictEqual((yield* signUp("new@example.com")).status, 201)
        assert.deepStrictEqual(
          (yield* emulator.users).map((user) => user.id),
          [1, 2, 3]
        )
      }).pipe(Effect.provide(inProcess({ seed: 2 })))
    })
  )

  /** Keeps the rows in a map, as a database would. */
  const memory = () => {
    const rows = new Map<string, Snapshot.Change>()
    let appends = 0
    let fail = false
    const tables = (name: Snapshot.TableName) =>
      [...rows.values()].filter((change) => change.table === name).map((change) => change.row)
    const persistence: Persistence.Persistence = {
      load: Effect.suspend(() =>
        rows.size === 0
          ? Effect.as(Effect.void, undefined)
          : Effect.mapError(
              Schema.decodeUnknownEffect(Schema.toType(Snapshot.Snapshot))(
                Object.fromEntries(
                  Object.keys(Snapshot.tables).map((name) => [name, tables(name as Snapshot.TableName)])
                )
              ),
              (error) => new Persistence.PersistenceError({ operation: "load", description: error.message })
            )
      ),
      append: (changes) =>
        Effect.suspend(() => {
          if (fail)
            return Effect.fail(new Persistence.PersistenceError({ operation: "append", description: "disk full" }))
          appends++
          for (const change of changes) {
            const key = `${change.table} ${change.key}`
            if (change.row === undefined) rows.delete(key)
            else rows.set(key, change)
          }
          return Effect.void
        })
    }
    return {
      persistence,
      appends: () => appends,
      full: (value: boolean) => {
        fail = value
      }
    }
  }

  it.effect("what was answered is there after a restart", () =>
    Effect.gen(function* () {
      const store = memory()
      const live = inProcess({ persistence: store.persistence })
      const tokens = yield* Effect.provide(registered(), Layer.fresh(live))
      const kept = yield* Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
        const next = tokensOf(yield* refresh(tokens.refreshToken))
        yield* signUp("bob@example.com")
        yield* emulator.deleteUser(2)
        return { next, snapshot: yield* emulator.snapshot }
      }).pipe(Effect.provide(Layer.fresh(live)))
      yield* Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        assert.deepStrictEqual(yield* emulator.snapshot, kept.snapshot)
        refused(yield* refresh(tokens.refreshToken), 400, "Provided token is incorrect")
        assert.strictEqual((yield* me(kept.next.accessToken)).status, 200)
        const before = store.appends()
        yield* me(kept.next.accessToken)
        assert.strictEqual(store.appends(), before)
      }).pipe(Effect.provide(Layer.fresh(live)))
    })
  )

  it.effect("what cannot be kept is not answered as if it were, and is kept later", () =>
    Effect.gen(function* () {
      const store = memory()
      const live = inProcess({ persistence: store.persistence })
      yield* Effect.gen(function* () {
        store.full(true)
        refused(yield* signUp(), 500, "Internal server error")
        assert.strictEqual((yield* call("GET", "/api/content/forms")).status, 500)
        store.full(false)
        assert.strictEqual((yield* call("GET", "/api/content/forms")).status, 200)
      }).pipe(Effect.provide(Layer.fresh(live)))
      const users = yield* Effect.provide(
        Emulator.Emulator.use((emulator) => emulator.users),
        Layer.fresh(live)
      )
      assert.deepStrictEqual(
        users.map((user) => user.login),
        [login]
      )
    })
  )

  it.effect("a write waits until it is kept, and what only reads waits for none", () =>
    Effect.gen(function* () {
      const store = memory()
      const gate = yield* Latch.make(true)
      const live = inProcess({
        persistence: {
          load: store.persistence.load,
          append: (changes) => Effect.andThen(gate.await, store.persistence.append(changes))
        },
        project: project(Project.defaultProject, { users: [{ login, password }] })
      })
      yield* Effect.gen(function* () {
        yield* gate.close
        const first = yield* Effect.forkChild(call("GET", "/nope"), { startImmediately: true })
        assert.strictEqual((yield* Fiber.join(first)).status, 404)
        const emulator = yield* Emulator.Emulator
        const write = yield* Effect.forkChild(emulator.deleteUser(1), { startImmediately: true })
        yield* Effect.yieldNow
        assert.isUndefined(write.pollUnsafe())
        assert.strictEqual((yield* call("GET", "/api/content/forms")).status, 200)
        // these come while the first is under way, and share the next write
        const others = yield* Effect.forEach(["bob@example.com", "eve@example.com"], (name) =>
          Effect.forkChild(signUp(name), { startImmediately: true })
        )
        yield* Effect.yieldNow
        for (const other of others) assert.isUndefined(other.pollUnsafe())
        yield* gate.open
        assert.isTrue(yield* Fiber.join(write))
        for (const other of others) assert.strictEqual((yield* Fiber.join(other)).status, 201)
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("a store that does not open is a typed error", () =>
    Effect.gen(function* () {
      const error = yield* failure(
        Emulator.layerClient({
          persistence: {
            load: Effect.fail(new Persistence.PersistenceError({ operation: "load", description: "not a database" })),
            append: () => Effect.void
          }
        })
      )
      assert.deepInclude({ ...error }, { reason: "PersistenceFailed", description: "not a database" })
    })
  )
})
