import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Emulator } from "effect-oneentry/emulator"
import { call, inProcess, me, onPort, refresh, refused, registered, signUp, tokensOf } from "./support.ts"

const forms = "/api/content/forms"

for (const [name, live] of [
  ["in the process", inProcess],
  ["on a port", onPort]
] as const) {
  describe(`faults ${name}`, () => {
    it.effect("drop breaks the connection before the request is handled", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const tokens = yield* registered()
        yield* emulator.faults.add({ operation: "refresh", kind: "drop", count: 1 })
        const error = yield* Effect.flip(refresh(tokens.refreshToken))
        assert.strictEqual(error.reason._tag, "TransportError")
        tokensOf(yield* refresh(tokens.refreshToken))
        const log = (yield* emulator.requests).filter((entry) => entry.operation === "refresh")
        assert.deepStrictEqual(
          log.map((entry) => [entry.fault, entry.handled, entry.status]),
          [
            ["drop", false, null],
            [null, true, 201]
          ]
        )
      }).pipe(Effect.provide(live()))
    )

    it.effect("lostAnswer breaks it after: the token is spent and nobody knows", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const tokens = yield* registered()
        yield* emulator.faults.add({ operation: "refresh", kind: "lostAnswer", count: 1 })
        const error = yield* Effect.flip(refresh(tokens.refreshToken))
        assert.strictEqual(error.reason._tag, "TransportError")
        refused(yield* refresh(tokens.refreshToken), 400, "Provided token is incorrect")
        const log = (yield* emulator.requests).filter((entry) => entry.operation === "refresh")
        assert.deepStrictEqual(
          log.map((entry) => [entry.fault, entry.handled, entry.status]),
          [
            ["lostAnswer", true, null],
            [null, true, 400]
          ]
        )
      }).pipe(Effect.provide(live()))
    )

    it.effect("status answers with an envelope, before or after handling, with headers", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const tokens = yield* registered()
        yield* emulator.faults.add({ operation: "refresh", kind: "status", count: 1 })
        refused(yield* refresh(tokens.refreshToken), 503, "The emulator was told to fail")
        yield* emulator.faults.add({
          operation: "refresh",
          kind: "status",
          status: 429,
          message: "slow down",
          headers: { "retry-after": "7" },
          phase: "after",
          count: 1
        })
        const answer = yield* refresh(tokens.refreshToken)
        refused(answer, 429, "slow down")
        assert.strictEqual(answer.headers["retry-after"], "7")
        refused(yield* refresh(tokens.refreshToken), 400, "Provided token is incorrect")
      }).pipe(Effect.provide(live()))
    )

    it.effect("malformed handles the request and cuts its answer in half", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const tokens = yield* registered()
        yield* emulator.faults.add({ operation: "refresh", kind: "malformed", count: 1 })
        const answer = yield* refresh(tokens.refreshToken)
        assert.strictEqual(answer.status, 201)
        assert.isTrue(answer.text.startsWith('{"userIdentifier"'))
        assert.isUndefined(answer.json)
        refused(yield* refresh(tokens.refreshToken), 400, "Provided token is incorrect")
        yield* emulator.faults.add({
          route: "/api/content/forms",
          kind: "malformed",
          body: "<html>",
          contentType: "text/html"
        })
        const page = yield* call("GET", forms)
        assert.deepStrictEqual([page.status, page.text, page.headers["content-type"]], [200, "<html>", "text/html"])
      }).pipe(Effect.provide(live()))
    )

    it.effect("delay holds the request or its answer, by Effect's clock", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const tokens = yield* registered()
        yield* emulator.faults.add({ operation: "getUser", kind: "delay", delay: "1 hour", phase: "after" })
        const before = (yield* emulator.requests).length
        const fiber = yield* Effect.forkChild(me(tokens.accessToken), { startImmediately: true })
        // over a socket the request takes its time to arrive
        while ((yield* emulator.faults.list)[0]?.hits === 0)
          yield* Effect.promise(() => new Promise((resume) => setImmediate(resume)))
        assert.lengthOf(yield* emulator.requests, before)
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
        assert.deepInclude((yield* emulator.requests).at(-1), { fault: "delay", durationMs: 3_600_000 })
      }).pipe(Effect.provide(live()))
    )

    it.effect("a request that a delay holds until after a reset is not of the new beginning", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const tokens = yield* registered()
        yield* emulator.faults.add({ operation: "refresh", kind: "delay", delay: "1 hour", phase: "after" })
        yield* emulator.faults.add({ operation: "signUp", kind: "delay", delay: "1 hour" })
        const late = yield* Effect.forEach([refresh(tokens.refreshToken), signUp("bob@example.com")], (request) =>
          Effect.forkChild(Effect.exit(request), { startImmediately: true })
        )
        while ((yield* emulator.faults.list).some(({ hits }) => hits === 0))
          yield* Effect.promise(() => new Promise((resume) => setImmediate(resume)))
        yield* emulator.reset
        yield* TestClock.adjust("1 hour")
        const [refreshed, signedUp] = yield* Effect.forEach(late, Fiber.join)
        // That one was handled before, and only its answer was late.
        assert.strictEqual(refreshed !== undefined && Exit.isSuccess(refreshed) && refreshed.value.status, 201)
        assert.isTrue(signedUp !== undefined && Exit.isFailure(signedUp))
        assert.deepStrictEqual(yield* emulator.users, [])
        assert.deepStrictEqual(yield* emulator.requests, [])
      }).pipe(Effect.provide(live()))
    )
  })
}

describe("which requests a fault hits", () => {
  const statuses = (n: number) =>
    Effect.map(Effect.all(Array.from({ length: n }, () => call("GET", forms))), (answers) =>
      answers.map((answer) => answer.status)
    )

  it.effect("is up to route, method and operation together", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      // as a pattern of stars and as a long path, together hours of work for whoever goes back at each star
      yield* emulator.faults.add({ route: `${"/a*".repeat(30)}x`, kind: "drop" })
      yield* call("GET", "/a".repeat(1000))
      yield* emulator.faults.add({ route: "/api/content/*/marker/*", method: "GET", kind: "status", status: 500 })
      yield* emulator.faults.add({ route: "/api/content/forms*forms", kind: "status", status: 502 })
      yield* emulator.faults.add({ operation: "getAllForms", method: "POST", kind: "status", status: 501 })
      assert.deepStrictEqual(yield* statuses(1), [200])
      assert.strictEqual((yield* call("GET", "/api/content/forms/marker/reg")).status, 500)
      assert.strictEqual((yield* call("POST", "/api/content/form-data/marker/reg", { body: {} })).status, 403)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("of status 429 says so", () =>
    Effect.gen(function* () {
      const { faults } = yield* Emulator.Emulator
      yield* faults.add({ kind: "status", status: 429 })
      refused(yield* call("GET", forms), 429, "Too many requests")
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("that could never hit is refused in the process too", () =>
    Effect.gen(function* () {
      const { faults } = yield* Emulator.Emulator
      const wrong: ReadonlyArray<Emulator.FaultInput> = [
        { kind: "drop", operation: "refrsh" },
        { kind: "drop", count: 0 },
        { kind: "delay", delay: "100 days" },
        { kind: "delay", delay: Number.POSITIVE_INFINITY },
        { kind: "status", headers: { "content-length": "1" } },
        Object.assign({ kind: "drop" as const }, { ruote: "/x" })
      ]
      for (const fault of wrong) {
        const error = yield* Effect.flip(faults.add(fault))
        assert.strictEqual(error.reason, "InvalidOptions", JSON.stringify(fault))
      }
      assert.deepStrictEqual(yield* faults.list, [])
      yield* faults.add({ kind: "delay", delay: undefined, operation: "refresh" })
    }).pipe(Effect.provide(Emulator.layerClient()))
  )

  it.effect("is limited by count, and shown in the list", () =>
    Effect.gen(function* () {
      const { faults } = yield* Emulator.Emulator
      const fault = yield* faults.add({ kind: "status", status: 500, count: 2 })
      assert.deepStrictEqual(yield* statuses(3), [500, 500, 200])
      assert.deepStrictEqual(yield* faults.list, [{ ...fault, hits: 2 }])
      assert.isTrue(yield* faults.remove(fault.id))
      assert.isFalse(yield* faults.remove(fault.id))
      yield* faults.add({ kind: "status", status: 500 })
      yield* faults.clear
      assert.deepStrictEqual(yield* statuses(1), [200])
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("is a matter of chance with a rate, and repeats with the seed", () => {
    const run = Effect.gen(function* () {
      const { faults } = yield* Emulator.Emulator
      yield* faults.add({ kind: "status", status: 500, rate: 0.5 })
      return yield* statuses(100)
    })
    return Effect.gen(function* () {
      const first = yield* run.pipe(Effect.provide(inProcess({ seed: 7 })))
      const second = yield* run.pipe(Effect.provide(inProcess({ seed: 7 })))
      const hits = first.filter((status) => status === 500).length
      assert.deepStrictEqual(first, second)
      assert.isTrue(hits > 25 && hits < 75, String(hits))
    })
  })

  it.effect("a web handler rejects when the connection breaks", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.add({ kind: "drop", count: 1 })
      const request = () => new Request(`${emulator.url}${forms}`, { headers: { "x-app-token": "emulator-app-token" } })
      const error = yield* Effect.flip(Effect.tryPromise(() => emulator.handler(request())))
      assert.instanceOf(error.cause, TypeError)
      assert.strictEqual((yield* Effect.promise(() => emulator.handler(request()))).status, 200)
    }).pipe(Effect.provide(inProcess()))
  )
})
