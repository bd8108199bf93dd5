/** A thousand calls at once, over real HTTP, whose access token has ended: one refresh, and nobody fails. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Redacted } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { AuthProvider, FetchClient, OneEntry, Session, TokenStorage, Users } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"

const login = "ann@example.com"
const calls = 1_000

const project = Emulator.layer({ passwordCost: 1, limits: { logEntries: 10_000 } })

/** One more client of the emulator, over a storage; each with connections of its own. */
const makeClient = (
  storage: TokenStorage.TokenStorage["Service"],
  http: Layer.Layer<HttpClient.HttpClient> = FetchHttpClient.layer
) =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    const context = yield* Layer.build(
      OneEntry.layer({ url: emulator.url, appToken: emulator.appToken }).pipe(
        Layer.provide([Layer.succeed(TokenStorage.TokenStorage, storage), http])
      )
    )
    return {
      auth: Context.get(context, AuthProvider.AuthProvider),
      session: Context.get(context, Session.Session),
      me: Effect.map(Context.get(context, Users.Users).getUser(), (user) => user.identifier)
    }
  })

type Client = Effect.Success<ReturnType<typeof makeClient>>

/** Signs up, activates and signs in. */
const signIn = ({ auth }: Client) =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    const password = Redacted.make("secret-123")
    yield* auth.signUp("email", {
      formIdentifier: "reg",
      authData: [
        { marker: "email_reg", value: login },
        { marker: "password_reg", value: password }
      ],
      formData: [],
      notificationData: { email: login, phonePush: [], phoneSMS: "" }
    })
    const code = yield* emulator.awaitCode(login)
    yield* auth.activateUser("email", { userIdentifier: login, code })
    yield* auth.auth("email", {
      authData: [
        { marker: "email_reg", value: login },
        { marker: "password_reg", value: password }
      ]
    })
  })

/** The refreshes that the server has seen. */
const refreshes = Effect.map(
  Emulator.Emulator.use((emulator) => emulator.requests),
  (entries) => entries.filter((entry) => entry.path.endsWith("/users/refresh"))
)

const oneRefresh = Effect.map(refreshes, (entries) =>
  assert.deepStrictEqual(
    entries.map((entry) => entry.status),
    [201]
  )
)

const all = (effects: ReadonlyArray<Effect.Effect<string, unknown>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

const repeated = <A>(effect: A): ReadonlyArray<A> => Array.from({ length: calls }, () => effect)

describe("a thousand calls with an ended access token, over HTTP", () => {
  for (const [name, http] of [
    ["FetchHttpClient", FetchHttpClient.layer],
    ["FetchClient", FetchClient.layer]
  ] as const) {
    it.live(
      `one refresh, no failure (${name})`,
      () =>
        Effect.gen(function* () {
          const emulator = yield* Emulator.Emulator
          const client = yield* makeClient(TokenStorage.makeMemory(), http)
          yield* signIn(client)
          assert.strictEqual(yield* emulator.expireAccessTokens, 1)
          const users = yield* all(repeated(client.me))
          assert.deepStrictEqual(new Set(users), new Set([login]))
          assert.strictEqual(users.length, calls)
          yield* oneRefresh
        }).pipe(Effect.provide(project)),
      { timeout: 120_000 }
    )
  }

  it.live(
    "half of the callers interrupted half-way: the others never notice",
    () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const onTheWire = yield* Deferred.make<void>()
        const goOn = yield* Deferred.make<void>()
        // The refresh is held back until those who leave have left.
        const held = Layer.effect(
          HttpClient.HttpClient,
          Effect.map(HttpClient.HttpClient, (inner) =>
            HttpClient.make((request) =>
              request.url.endsWith("/users/refresh")
                ? Effect.andThen(
                    Effect.andThen(Deferred.succeed(onTheWire, undefined), Deferred.await(goOn)),
                    inner.execute(request)
                  )
                : inner.execute(request)
            )
          )
        ).pipe(Layer.provide(FetchHttpClient.layer))
        const client = yield* makeClient(TokenStorage.makeMemory(), held)
        yield* signIn(client)
        yield* emulator.expireAccessTokens
        const fibers = yield* Effect.forEach(repeated(client.me), (call) => Effect.forkChild(call))
        yield* Deferred.await(onTheWire)
        const leaving = fibers.filter((_, index) => index % 2 === 0)
        // The one that began the refresh is among them.
        yield* Fiber.interruptAll(leaving)
        yield* Deferred.succeed(goOn, undefined)
        const staying = yield* Fiber.joinAll(fibers.filter((_, index) => index % 2 === 1))
        assert.deepStrictEqual(new Set(staying), new Set([login]))
        assert.strictEqual(staying.length, calls / 2)
        for (const fiber of leaving) assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
        yield* oneRefresh
        assert.strictEqual(yield* client.me, login)
      }).pipe(Effect.provide(project)),
    { timeout: 120_000 }
  )

  it.live(
    "all of the callers interrupted: the pair is stored, and the next one needs no other",
    () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const storage = TokenStorage.makeMemory()
        const client = yield* makeClient(storage)
        yield* signIn(client)
        yield* emulator.expireAccessTokens
        const before = yield* storage.get("default")
        const fibers = yield* Effect.forEach(repeated(client.me), (call) => Effect.forkChild(call))
        yield* Effect.repeat(Effect.delay(refreshes, "1 millis"), { until: (entries) => entries.length > 0 })
        yield* Fiber.interruptAll(fibers)
        assert.strictEqual(yield* client.me, login)
        assert.notStrictEqual(yield* storage.get("default"), before)
        yield* oneRefresh
      }).pipe(Effect.provide(project)),
    { timeout: 120_000 }
  )

  it.live(
    "two clients on one storage",
    () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const storage = TokenStorage.makeMemory()
        const one = yield* makeClient(storage)
        const two = yield* makeClient(storage)
        yield* signIn(one)
        assert.strictEqual(yield* two.me, login)
        yield* emulator.expireAccessTokens
        const users = yield* all(Array.from({ length: calls }, (_, index) => (index % 2 === 0 ? one : two).me))
        assert.deepStrictEqual(new Set(users), new Set([login]))
        yield* oneRefresh
      }).pipe(Effect.provide(project)),
    { timeout: 120_000 }
  )

  for (const atomic of [true, false]) {
    it.live(
      `two clients, each with a storage of its own over the same values (${atomic ? "atomic" : "three functions"})`,
      () =>
        Effect.gen(function* () {
          const emulator = yield* Emulator.Emulator
          const inner = TokenStorage.makeMemory()
          const over = () =>
            TokenStorage.make({
              get: inner.get,
              set: inner.set,
              remove: inner.remove,
              ...(atomic ? { compareAndSet: inner.compareAndSet } : {})
            })
          const one = yield* makeClient(over())
          const two = yield* makeClient(over())
          yield* signIn(one)
          assert.strictEqual(yield* two.me, login)
          yield* emulator.expireAccessTokens
          const users = yield* all(Array.from({ length: calls }, (_, index) => (index % 2 === 0 ? one : two).me))
          assert.deepStrictEqual(new Set(users), new Set([login]))
          yield* oneRefresh
        }).pipe(Effect.provide(project)),
      { timeout: 120_000 }
    )
  }

  it.live(
    "a 401 that arrives after the refresh",
    () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const late = yield* Deferred.make<void>()
        let refused = 0
        // Every tenth 401 is under way until the others have refreshed.
        const slow = Layer.effect(
          HttpClient.HttpClient,
          Effect.map(HttpClient.HttpClient, (inner) =>
            HttpClient.make((request) =>
              Effect.tap(inner.execute(request), (response) => {
                if (response.status !== 401) return Effect.void
                refused++
                return refused % 10 === 0 ? Deferred.await(late) : Effect.void
              })
            )
          )
        ).pipe(Layer.provide(FetchHttpClient.layer))
        const client = yield* makeClient(TokenStorage.makeMemory(), slow)
        yield* signIn(client)
        yield* emulator.expireAccessTokens
        const fibers = yield* Effect.forEach(repeated(client.me), (call) => Effect.forkChild(call))
        yield* Effect.repeat(Effect.delay(refreshes, "1 millis"), {
          until: (entries) => entries.some((entry) => entry.status === 201)
        })
        assert.strictEqual(yield* client.me, login)
        yield* Deferred.succeed(late, undefined)
        const users = yield* Fiber.joinAll(fibers)
        assert.deepStrictEqual(new Set(users), new Set([login]))
        assert.isAtLeast(refused, 10)
        yield* oneRefresh
      }).pipe(Effect.provide(project)),
    { timeout: 120_000 }
  )
})
