/** Bundled as wrangler does, and run in workerd. */
import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TokenStorage } from "effect-oneentry"
import { build } from "esbuild"
import { Miniflare } from "miniflare"
import * as path from "node:path"
import { emulator, makeBrowser } from "../support.ts"

const bundle = Effect.promise(async () => {
  const { outputFiles } = await build({
    entryPoints: [path.join(import.meta.dirname, "worker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    // The first is for this repository, where the package is its sources.
    conditions: ["effect-oneentry-source", "workerd", "worker", "browser"],
    logLevel: "silent"
  })
  return outputFiles[0]?.text ?? ""
})

it.live("sessions in a Durable Object, one refresh for requests that come at once", () =>
  Effect.gen(function* () {
    const { ann, appToken, expireAccessTokens, refreshes, url } = yield* emulator()
    const contents = yield* bundle
    const key = yield* TokenStorage.generateKey
    const miniflare = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new Miniflare({
            // What a request's address begins with in the worker; the socket is plain.
            upstream: "https://shop.example",
            modules: [{ type: "ESModule", path: "worker.mjs", contents }],
            compatibilityDate: "2026-07-01",
            cf: false,
            bindings: {
              ONEENTRY_URL: url,
              ONEENTRY_TOKEN: Redacted.value(appToken),
              SESSION_KEY: Redacted.value(key)
            },
            durableObjects: { SESSIONS: "SessionObject" }
          })
      ),
      (miniflare) => Effect.promise(() => miniflare.dispose())
    )
    const { origin } = yield* Effect.promise(() => miniflare.ready)
    const browser = makeBrowser("https://shop.example", (request) =>
      fetch(new Request(origin + new URL(request.url).pathname, request), { redirect: "manual" })
    )

    assert.strictEqual((yield* browser.page("/me")).status, 401)
    assert.strictEqual((yield* browser.page("/sign-in", { email: ann.login, password: "no" })).status, 401)
    const signedIn = yield* browser.page("/sign-in", { email: ann.login, password: ann.password })
    assert.strictEqual(signedIn.text, `Hello, ${ann.login}`)

    yield* expireAccessTokens
    const answers = yield* Effect.all(
      Array.from({ length: 20 }, () => browser.page("/me")),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual([...new Set(answers.map(({ text }) => text))], [`Hello, ${ann.login}`])
    assert.deepStrictEqual(yield* refreshes, [201])

    assert.strictEqual((yield* browser.page("/sign-out", {})).text, "Good-bye")
    assert.strictEqual((yield* browser.page("/me")).status, 401)
  })
)
