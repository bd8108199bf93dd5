/** What a client tells of itself: spans inside of a span, metrics where somebody counts, and no secret in either. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Metric, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { AuthProvider, Metrics, OneEntry, OneEntryClient, Session, TokenStorage, Users } from "effect-oneentry"
import { Emulator, Project } from "effect-oneentry/emulator"
import * as fs from "node:fs"

const login = "ann@example.com"
const authData = [
  { marker: "email_reg", value: login },
  { marker: "password_reg", value: "123456" }
]

const emulator = Emulator.layerClient({
  passwordCost: 1,
  project: {
    ...Project.defaultProject,
    providers: [{ identifier: "email", formIdentifier: "reg" }],
    users: [{ provider: "email", login, password: "123456" }]
  }
})

const client = (below: Layer.Layer<never>) =>
  Layer.unwrap(
    Effect.map(Emulator.Emulator, ({ appToken, url }) => OneEntry.layer({ url, appToken, retry: false }))
  ).pipe(Layer.provide(below), Layer.provideMerge(TokenStorage.layerMemory), Layer.provideMerge(emulator))

const signIn = AuthProvider.AuthProvider.use((auth) => auth.auth("email", { authData }))
const profile = Users.Users.use((users) => users.getUser())

/** Signs in, calls with an ended token, fails to sign in, and signs out. */
const day = Effect.gen(function* () {
  const { expireAccessTokens } = yield* Emulator.Emulator
  yield* signIn
  yield* expireAccessTokens
  yield* Effect.all([profile, profile, profile], { concurrency: "unbounded" })
  const wrong = authData.map((field) => (field.marker === "password_reg" ? { ...field, value: "wrong" } : field))
  yield* Effect.flip(AuthProvider.AuthProvider.use((auth) => auth.auth("email", { authData: wrong })))
  yield* AuthProvider.AuthProvider.use((auth) => auth.logout())
})

/** A registry of its own, so that tests count alone. */
const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

const count = (metric: Metric.Counter<number>, attributes: Record<string, string>) =>
  Effect.map(Metric.value(Metric.withAttributes(metric, attributes)), (state) => state.count)

describe("metrics", () => {
  it.effect("count calls, refreshes, waiters, locks and events", () =>
    Effect.gen(function* () {
      yield* day
      assert.strictEqual(yield* count(Metrics.calls, { operation: "auth", outcome: "Success" }), 1)
      assert.strictEqual(yield* count(Metrics.calls, { operation: "auth", outcome: "InvalidCredentials" }), 1)
      assert.strictEqual(yield* count(Metrics.calls, { operation: "getUser", outcome: "Success" }), 3)
      assert.strictEqual(yield* count(Metrics.calls, { operation: "logout", outcome: "Success" }), 1)
      assert.strictEqual(yield* count(Metrics.refreshes, { outcome: "Success" }), 1)
      const waiters = yield* Metric.value(Metrics.refreshWaiters)
      assert.deepStrictEqual([waiters.count, waiters.sum], [1, 1])
      assert.strictEqual((yield* Metric.value(Metrics.lockWait)).count, 1)
      const durations = yield* Metric.value(Metric.withAttributes(Metrics.callDuration, { operation: "getUser" }))
      assert.strictEqual(durations.count, 3)
      for (const event of ["SignedIn", "Refreshed"]) {
        assert.strictEqual(yield* count(Metrics.sessionEvents, { event }), 1)
      }
      assert.strictEqual(yield* count(Metrics.sessionEvents, { event: "SignedOut", reason: "SignOut" }), 1)
      assert.strictEqual((yield* Metric.value(Metrics.cooldowns)).count, 0)
    }).pipe(Effect.provide(client(Metrics.layer)), alone)
  )

  it.effect("count who waits for a refresh", () =>
    Effect.gen(function* () {
      const { expireAccessTokens, faults } = yield* Emulator.Emulator
      yield* signIn
      yield* expireAccessTokens
      yield* faults.add({ operation: "refresh", kind: "delay", delay: "1 second" })
      const waiting = yield* Effect.forkChild(Effect.all([profile, profile, profile], { concurrency: "unbounded" }), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(waiting)
      const waiters = yield* Metric.value(Metrics.refreshWaiters)
      assert.deepStrictEqual([waiters.count, waiters.sum], [1, 3])
    }).pipe(Effect.provide(client(Metrics.layer)), alone)
  )

  it.effect("count refreshes that fail, and calls that are interrupted", () =>
    Effect.gen(function* () {
      const { faults } = yield* Emulator.Emulator
      yield* signIn
      yield* faults.add({ operation: "refresh", kind: "status", status: 503 })
      yield* Effect.flip(Session.Session.use((session) => session.refresh))
      assert.strictEqual(yield* count(Metrics.refreshes, { outcome: "ServerFailure" }), 1)
      assert.strictEqual((yield* Metric.value(Metrics.cooldowns)).count, 1)
      yield* faults.add({ operation: "getUser", kind: "delay", delay: "1 minute" })
      const waiting = yield* Effect.forkChild(profile, { startImmediately: true })
      yield* TestClock.adjust(1)
      yield* Fiber.interrupt(waiting)
      assert.strictEqual(yield* count(Metrics.calls, { operation: "getUser", outcome: "Interrupted" }), 1)
    }).pipe(Effect.provide(client(Metrics.layer)), alone)
  )

  it.effect("count requests of one's own", () =>
    Effect.gen(function* () {
      yield* signIn
      yield* OneEntryClient.OneEntryClient.use(({ authorized }) => authorized.get("/api/content/users/me"))
      assert.strictEqual(yield* count(Metrics.calls, { operation: "request", outcome: "Success" }), 1)
    }).pipe(Effect.provide(client(Metrics.layer)), alone)
  )

  it.effect("are nothing to a client that was made without them", () =>
    Effect.gen(function* () {
      yield* day
      assert.deepStrictEqual(
        (yield* Metric.snapshot).filter(({ id }) => id.startsWith("oneentry")),
        []
      )
    }).pipe(Effect.provide(client(Layer.empty)), alone)
  )
})

describe("spans", () => {
  const spansOf = <E, R>(effect: Effect.Effect<unknown, E, R>) =>
    Effect.gen(function* () {
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      yield* Effect.withTracer(effect, tracer)
      return spans
    })

  const allowed = [
    "error.type",
    "http.request.method",
    "http.request.resend_count",
    "http.response.status_code",
    "oneentry.operation",
    "oneentry.provider",
    "server.address",
    "server.port",
    "url.template"
  ]

  it.effect("one for an operation, one for each of its requests, and the refresh in the call that needed it", () =>
    Effect.gen(function* () {
      yield* signIn
      yield* (yield* Emulator.Emulator).expireAccessTokens
      const spans = yield* spansOf(Effect.withSpan(profile, "page"))
      const parentOf = (span: Tracer.NativeSpan) =>
        spans.find(({ spanId }) => span.parent._tag === "Some" && span.parent.value.spanId === spanId)?.name
      assert.deepStrictEqual(
        spans.map((span) => [span.name, span.kind, parentOf(span)]),
        [
          ["page", "internal", undefined],
          ["OneEntry.getUser", "internal", "page"],
          ["GET /api/content/users/me", "client", "OneEntry.getUser"],
          ["OneEntry.refresh", "internal", "OneEntry.getUser"],
          ["POST /api/content/users-auth-providers/marker/{}/users/refresh", "client", "OneEntry.refresh"],
          ["GET /api/content/users/me", "client", "OneEntry.getUser"]
        ]
      )
      const [, , first, , refresh, second] = spans
      if (first === undefined || refresh === undefined || second === undefined) return assert.fail("too few")
      assert.strictEqual(first.attributes.get("http.response.status_code"), 401)
      assert.strictEqual(first.attributes.get("error.type"), "401")
      assert.isUndefined(first.attributes.get("http.request.resend_count"))
      assert.strictEqual(second.attributes.get("http.response.status_code"), 200)
      assert.strictEqual(second.attributes.get("http.request.resend_count"), 1)
      assert.strictEqual(refresh.attributes.get("oneentry.provider"), "email")
      assert.strictEqual(
        refresh.attributes.get("url.template"),
        "/api/content/users-auth-providers/marker/{}/users/refresh"
      )
    }).pipe(Effect.provide(client(Layer.empty)))
  )

  it.effect("say what is on the list, and neither values nor errors but by name", () =>
    Effect.gen(function* () {
      const spans = yield* spansOf(Effect.withSpan(day, "day"))
      const own = spans.filter(({ name }) => name !== "day")
      assert.isAtLeast(own.length, 10)
      for (const span of own) {
        for (const name of span.attributes.keys()) assert.include(allowed, name)
        assert.deepStrictEqual(span.events, [])
        assert.notInclude(JSON.stringify([span.name, [...span.attributes], span.status._tag]), login)
        if (span.status._tag !== "Ended") return assert.fail("has not ended")
        const { exit } = span.status
        if (exit._tag === "Success") assert.isUndefined(exit.value)
        else
          assert.deepStrictEqual(
            exit.cause.reasons.map((reason) => reason._tag === "Fail" && reason.error),
            [span.attributes.get("error.type")]
          )
      }
      const refused = own.filter((span) => span.attributes.get("error.type") === "InvalidCredentials")
      assert.deepStrictEqual(
        refused.map(({ name }) => name),
        ["OneEntry.auth"]
      )
    }).pipe(Effect.provide(client(Layer.empty)))
  )

  it.effect("are none outside of a span", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* spansOf(day), [])
    }).pipe(Effect.provide(client(Layer.empty)))
  )
})

it("the dashboard asks for metrics that there are", () => {
  const text = fs.readFileSync(new URL("../docs/grafana-dashboard.json", import.meta.url), "utf8")
  const dashboard: { readonly panels: ReadonlyArray<{ readonly targets: ReadonlyArray<{ readonly expr: string }> }> } =
    JSON.parse(text)
  const asked = new Set(
    dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/oneentry_\w+/g) ?? []))
  )
  // As a collector names them for Prometheus.
  const names = Object.values(Metrics)
    .filter((value) => "id" in value)
    .map(
      ({ attributes, id, type }) =>
        [id.replaceAll(".", "_"), ...(attributes?.["unit"] === "ms" ? ["milliseconds"] : [])].join("_") +
        (type === "Counter" ? "_total" : "_bucket")
    )
  assert.deepStrictEqual([...asked].toSorted(), names.toSorted())
})
