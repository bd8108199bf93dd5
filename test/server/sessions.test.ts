/** Many sessions in one process: what they take, and that ten thousand at once each get their own. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { OneEntry, Session, Sessions, TokenStorage, Users } from "effect-oneentry"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { registryOf } from "../../src/internal/slots.ts"
import { jwt, url } from "../helpers/session.ts"

const idleSessions = async (
  count: number,
  storage: "remote" | "memory"
): Promise<{ bytes: number; there: boolean }> => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--expose-gc",
    "--conditions=effect-oneentry-source",
    fileURLToPath(new URL("../helpers/idleSessions.ts", import.meta.url)),
    String(count),
    storage
  ])
  return JSON.parse(stdout)
}

describe("a hundred thousand idle sessions", () => {
  it.live(
    "take less than 60 MB of heap beyond their tokens, all in memory and the storage elsewhere",
    () =>
      Effect.gen(function* () {
        const { bytes, there } = yield* Effect.promise(() => idleSessions(100_000, "remote"))
        assert.isTrue(there)
        assert.isBelow(bytes, 600)
      }),
    120_000
  )

  it.live(
    "take less than that with the storage in memory, too, where only the last ten thousand slots are kept",
    () =>
      Effect.gen(function* () {
        const { bytes, there } = yield* Effect.promise(() => idleSessions(100_000, "memory"))
        assert.isTrue(there)
        assert.isBelow(bytes, 600)
      }),
    120_000
  )
})

describe("idle slots", () => {
  const nothing = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make(() => Effect.never)
  )

  it.effect("are bounded in number and in time, as Sessions.layer says", () => {
    const storage = TokenStorage.makeMemory()
    const registry = registryOf(storage)
    const peek = (slot: string) => Sessions.withSlot(slot)(Session.Session.use((session) => session.current))
    return Effect.gen(function* () {
      for (let index = 0; index < 300; index++) yield* peek(`user-${index}`)
      assert.strictEqual(registry.size, 100)
      assert.isUndefined(registry.peek("user-199"))
      assert.isDefined(registry.peek("user-200"))
      yield* TestClock.adjust("59 seconds")
      yield* peek("user-299")
      assert.strictEqual(registry.size, 100)
      yield* TestClock.adjust("2 seconds")
      // One that is used lets go of those that are not, a few at a time.
      for (let times = 0; times < 20; times++) {
        yield* peek("user-299")
        yield* TestClock.adjust("2 seconds")
      }
      assert.strictEqual(registry.size, 1)
      assert.isDefined(registry.peek("user-299"))
    }).pipe(
      Effect.provide(
        OneEntry.layer({ url }).pipe(
          Layer.provide([
            Layer.succeed(TokenStorage.TokenStorage, storage),
            Sessions.layer({ maxIdle: 100, idleTimeToLive: "1 minute" }),
            nothing
          ])
        )
      )
    )
  })
})

describe("ten thousand users", () => {
  it.effect(
    "who refresh at once each get their own",
    () => {
      const count = 10_000
      let serial = 0
      let refreshes = 0
      const spent = new Set<string>()
      const pairOf = (user: string, at: number) => {
        const iat = Math.floor(at / 1_000)
        const id = ++serial
        return {
          userIdentifier: user,
          authProviderIdentifier: "email",
          accessToken: jwt({ id, user, iat, exp: iat + 3_600 }),
          refreshToken: `${user}/${id}`
        }
      }
      const server = HttpClient.make((request) =>
        Effect.gen(function* () {
          const json = (status: number, body: unknown) =>
            HttpClientResponse.fromWeb(
              request,
              new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } })
            )
          const now = yield* Clock.currentTimeMillis
          if (request.url.endsWith("/refresh")) {
            const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
            const refreshToken = String(JSON.parse(body).refreshToken)
            refreshes++
            if (spent.has(refreshToken)) return json(400, { statusCode: 400, message: "spent" })
            spent.add(refreshToken)
            // All of them are under way before the first is answered.
            yield* Effect.sleep("1 second")
            return json(201, pairOf(refreshToken.split("/")[0] ?? "", now))
          }
          const token = request.headers["authorization"]?.slice("Bearer ".length) ?? ""
          const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())
          return claims.exp * 1_000 <= now
            ? json(401, { statusCode: 401, message: "expired" })
            : json(200, { id: 1, identifier: claims.user, authProviderIdentifier: "email", formData: [] })
        })
      )
      return Effect.gen(function* () {
        const session = yield* Session.Session
        const users = yield* Users.Users
        const names = Array.from({ length: count }, (_, index) => `user-${index}`)
        const start = yield* Clock.currentTimeMillis
        yield* Effect.forEach(names, (name) => Sessions.withSlot(name)(session.restore(pairOf(name, start))), {
          discard: true
        })
        yield* TestClock.adjust("2 hours")
        const fiber = yield* Effect.forkChild(
          Effect.forEach(
            names,
            (name) =>
              Effect.map(
                Sessions.withSlot(name)(Effect.all([users.getUser(), users.getUser()], { concurrency: 2 })),
                (found) =>
                  assert.deepStrictEqual(
                    found.map(({ identifier }) => identifier),
                    [name, name]
                  )
              ),
            { concurrency: "unbounded", discard: true }
          )
        )
        yield* Effect.yieldNow
        yield* TestClock.adjust("1 second")
        yield* Effect.raceFirst(
          Fiber.join(fiber),
          Effect.forever(Effect.andThen(Effect.yieldNow, TestClock.adjust("1 second")))
        )
        assert.strictEqual(refreshes, count)
        for (const name of ["user-0", "user-4999", "user-9999"]) {
          const token = Redacted.value(yield* Sessions.withSlot(name)(session.accessToken))
          assert.strictEqual(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).user, name)
        }
        assert.strictEqual(refreshes, count)
      }).pipe(
        Effect.provide(
          OneEntry.layer({ url, retry: false }).pipe(
            Layer.provide([Layer.succeed(HttpClient.HttpClient, server), TokenStorage.layerMemory])
          )
        )
      )
    },
    120_000
  )
})
