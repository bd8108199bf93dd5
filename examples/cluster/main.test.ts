import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TokenStorage } from "effect-oneentry"
import { freePort } from "../../test/helpers/freePort.ts"
import { redis, startRedis } from "../../test/helpers/redis.ts"
import { emulator, makeBrowser, program } from "../support.ts"

describe.skipIf(!redis.available)("a cluster on Redis", () => {
  it.live("one sign-in for all processes, and one refresh", () =>
    Effect.gen(function* () {
      const { ann, appToken, expireAccessTokens, refreshes, url } = yield* emulator()
      const server = yield* startRedis()
      const port = yield* Effect.promise(freePort)
      const cluster = yield* program("cluster/main.ts", {
        REDIS_URL: `redis://127.0.0.1:${server.port}`,
        ONEENTRY_URL: url,
        ONEENTRY_TOKEN: Redacted.value(appToken),
        SESSION_KEY: Redacted.value(yield* TokenStorage.generateKey),
        PORT: String(port),
        WORKERS: "2"
      })
      yield* cluster.says("Listening on ")
      yield* cluster.says("Listening on ")
      const browser = makeBrowser(`http://127.0.0.1:${port}`)

      const signedIn = yield* browser.page("/sign-in", { email_reg: ann.login, password_reg: ann.password })
      assert.include(signedIn.text, `Hello, ${ann.login}`)

      yield* expireAccessTokens
      const answers = yield* Effect.all(
        Array.from({ length: 40 }, () => browser.page("/")),
        { concurrency: "unbounded" }
      )
      assert.isTrue(answers.every(({ text }) => text.includes(`Hello, ${ann.login}`)))
      assert.strictEqual(new Set(answers.map(({ headers }) => headers.get("x-process"))).size, 2)
      assert.deepStrictEqual(yield* refreshes, [201])

      yield* browser.page("/sign-out", {})
      const gone = yield* Effect.all(
        Array.from({ length: 10 }, () => browser.page("/")),
        { concurrency: "unbounded" }
      )
      assert.isTrue(gone.every(({ text }) => text.includes("<h1>Sign in</h1>")))
    })
  )
})
