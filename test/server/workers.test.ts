/** Cloudflare's runtime, where a request that waits for nothing of its own is given up: requests wait for each other. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Redacted, Stream } from "effect"
import { TokenStorage } from "effect-oneentry"
import { Emulator, Project } from "effect-oneentry/emulator"
import { CookieSession, WebSession } from "effect-oneentry/server"
import { build } from "esbuild"
import { Miniflare } from "miniflare"
import * as path from "node:path"
import { CookieJar } from "tough-cookie"

const bundle = Effect.promise(async () => {
  const { outputFiles } = await build({
    entryPoints: [path.join(import.meta.dirname, "worker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["effect-oneentry-source", "workerd", "worker", "browser"],
    logLevel: "silent"
  })
  return outputFiles[0]?.text ?? ""
})

const requests = 25
const all = (text: string) => Array.from({ length: requests }, () => text)

const start = Effect.fnUntraced(function* (integration: "HttpRouter" | "Request → Response") {
  const emulator = yield* Emulator.makeServer({
    passwordCost: 1,
    project: { ...Project.defaultProject, users: [{ login: "ann@example.com", password: "secret" }] }
  })
  const contents = yield* bundle
  const key = yield* TokenStorage.generateKey
  const miniflare = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new Miniflare({
          modules: [{ type: "ESModule", path: "worker.mjs", contents }],
          upstream: "https://shop.example",
          compatibilityDate: "2026-07-01",
          cf: false,
          bindings: {
            URL: emulator.url,
            TOKEN: Redacted.value(emulator.appToken),
            KEY: Redacted.value(key),
            INTEGRATION: integration
          }
        })
    ),
    (miniflare) => Effect.promise(() => miniflare.dispose())
  )
  const { origin } = yield* Effect.promise(() => miniflare.ready)
  const jar = new CookieJar()
  const shop = "https://shop.example/"
  const send = (method: string) =>
    Effect.promise(async (signal) => {
      const response = await fetch(origin, {
        method,
        headers: { cookie: await jar.getCookieString(shop) },
        signal
      })
      for (const cookie of response.headers.getSetCookie()) await jar.setCookie(cookie, shop)
      return `${response.status} ${await response.text()}`
    })
  const atOnce = Effect.all(
    Array.from({ length: requests }, () => send("GET")),
    { concurrency: "unbounded" }
  )
  const refreshes = Effect.map(emulator.requests, (requests) =>
    requests.filter(({ operation }) => operation === "refresh").map(({ status }) => status)
  )
  return { atOnce, emulator, refreshes, send }
})

it.live.each(["HttpRouter", "Request → Response"] as const)(
  "%s: requests share the services and each refresh, round after round",
  (integration) =>
    Effect.gen(function* () {
      const { atOnce, emulator, refreshes, send } = yield* start(integration)
      // The first requests there are: one of them makes the services.
      assert.deepStrictEqual(yield* atOnce, all("401 NotAuthenticated"))
      assert.strictEqual(yield* send("POST"), "200 ann@example.com")
      for (let round = 0; round < 5; round++) {
        yield* emulator.expireAccessTokens
        // Slow enough that everybody has come before it is over.
        yield* emulator.faults.add({ operation: "refresh", kind: "delay", delay: "100 millis", count: 1 })
        assert.deepStrictEqual(yield* atOnce, all("200 ann@example.com"))
      }
      assert.deepStrictEqual(yield* refreshes, [201, 201, 201, 201, 201])
    })
)

it.live("a visitor who goes away in the middle of a refresh takes nobody with them", () =>
  Effect.gen(function* () {
    const { atOnce, emulator, refreshes, send } = yield* start("Request → Response")
    assert.strictEqual(yield* send("POST"), "200 ann@example.com")
    yield* emulator.expireAccessTokens
    yield* emulator.faults.add({ operation: "refresh", kind: "delay", delay: "500 millis", phase: "after", count: 1 })
    const first = yield* Effect.forkChild(send("GET"))
    // The server has spent the refresh token, and has not answered yet.
    yield* emulator.changes.pipe(
      Stream.mapEffect(() => emulator.sessions),
      Stream.takeUntil((sessions) => sessions.some((session) => session.refreshes > 0)),
      Stream.runDrain
    )
    const others = yield* Effect.forkChild(atOnce)
    yield* Fiber.interrupt(first)
    assert.deepStrictEqual(yield* Fiber.join(others), all("200 ann@example.com"))
    assert.deepStrictEqual(yield* refreshes, [201])
  })
)

it.live("the platform is told to let a request come to its end", () =>
  Effect.gen(function* () {
    const key = yield* TokenStorage.generateKey
    const app = WebSession.make(CookieSession.layerSealed({ keys: key }))
    const told: Array<Promise<unknown>> = []
    const context = { waitUntil: (promise: Promise<unknown>) => void told.push(promise) }
    const handle = app.withSession(async (_request, _visit, _env: object, _context: typeof context) => {
      assert.strictEqual(told.length, 1)
      throw new Error("broken")
    })
    const outcome = yield* Effect.exit(
      Effect.tryPromise(() => handle(new Request("https://shop.example/"), {}, context))
    )
    assert.isTrue(Exit.isFailure(outcome))
    // What the handler fails with is the caller's to hear of, not the platform's.
    assert.isUndefined(yield* Effect.promise(() => Promise.all(told).then(([value]) => value)))
    yield* Effect.promise(() => app.dispose())
  })
)
