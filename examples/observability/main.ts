/**
 * Spans and metrics by OTLP, to a collector that stands for Grafana's, Honeycomb's or anybody's: signs in, reads the
 * profile with an ended token, and says what has arrived. `node examples/observability/main.ts`
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer, Redacted, Schema } from "effect"
import { FetchHttpClient, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { AuthProvider, Metrics, OneEntry, TokenStorage, Users } from "effect-oneentry"
import { Emulator, Project } from "effect-oneentry/emulator"
import { Otlp } from "effect/observability"
import * as Http from "node:http"

const login = "ann@example.com"
const password = "123456"

// What of OTLP's JSON is looked at.
const Attributes = Schema.Array(
  Schema.Struct({ key: Schema.String, value: Schema.Record(Schema.String, Schema.Unknown) })
)
const Points = Schema.Struct({ dataPoints: Schema.Array(Schema.Struct({ attributes: Attributes })) })
const Traces = Schema.Struct({
  resourceSpans: Schema.Array(
    Schema.Struct({
      scopeSpans: Schema.Array(
        Schema.Struct({ spans: Schema.Array(Schema.Struct({ name: Schema.String, attributes: Attributes })) })
      )
    })
  )
})
const Metering = Schema.Struct({
  resourceMetrics: Schema.Array(
    Schema.Struct({
      scopeMetrics: Schema.Array(
        Schema.Struct({
          metrics: Schema.Array(
            Schema.Struct({
              name: Schema.String,
              sum: Schema.optionalKey(Points),
              histogram: Schema.optionalKey(Points)
            })
          )
        })
      )
    })
  )
})

/** A collector on loopback, and the names that it has heard of. */
const collector = Effect.gen(function* () {
  const heard = { spans: new Set<string>(), metrics: new Set<string>(), text: "" }
  const server = yield* NodeHttpServer.make(() => Http.createServer(), { host: "127.0.0.1", port: 0 })
  const labels = (attributes: typeof Attributes.Type) =>
    attributes.map(({ key, value }) => `${key}=${String(Object.values(value)[0])}`).join(" ")
  yield* server.serve(
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const body = yield* request.json
      heard.text += JSON.stringify(body)
      if (request.url === "/v1/traces") {
        const { resourceSpans } = yield* Schema.decodeUnknownEffect(Traces)(body)
        for (const { scopeSpans } of resourceSpans)
          for (const { spans } of scopeSpans) for (const { name } of spans) heard.spans.add(name)
      }
      if (request.url === "/v1/metrics") {
        const { resourceMetrics } = yield* Schema.decodeUnknownEffect(Metering)(body)
        for (const { scopeMetrics } of resourceMetrics)
          for (const { metrics } of scopeMetrics)
            for (const { histogram, name, sum } of metrics)
              for (const { attributes } of (sum ?? histogram)?.dataPoints ?? [])
                heard.metrics.add(`${name} ${labels(attributes)}`.trim())
      }
      return HttpServerResponse.empty({ status: 200 })
    })
  )
  return { heard, url: HttpServer.formatAddress(server.address) }
})

const program = Effect.gen(function* () {
  const auth = yield* AuthProvider.AuthProvider
  const users = yield* Users.Users
  const { expireAccessTokens } = yield* Emulator.Emulator
  yield* auth.auth("email", {
    authData: [
      { marker: "email_reg", value: login },
      { marker: "password_reg", value: Redacted.make(password) }
    ]
  })
  yield* expireAccessTokens
  const { identifier } = yield* users.getUser()
  yield* auth.logout()
  return identifier
}).pipe(Effect.withSpan("visit"))

const main = Effect.gen(function* () {
  const { heard, url } = yield* collector
  const emulator = yield* Emulator.makeServer({
    passwordCost: 1,
    project: {
      ...Project.defaultProject,
      providers: [{ identifier: "email", formIdentifier: "reg" }],
      users: [{ provider: "email", login, password }]
    }
  })
  const Client = OneEntry.layer({ url: emulator.url, appToken: emulator.appToken }).pipe(
    Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer, Metrics.layer]),
    Layer.provideMerge(Layer.succeed(Emulator.Emulator, emulator))
  )
  const Exporter = Otlp.layerJson({ baseUrl: url, resource: { serviceName: "shop" } }).pipe(
    Layer.provide(FetchHttpClient.layer)
  )
  // What is left is sent when the exporter is closed.
  const who = yield* program.pipe(Effect.provide(Layer.merge(Client, Exporter)))

  const missing = [
    ...[
      "visit",
      "OneEntry.auth",
      "OneEntry.getUser",
      "OneEntry.refresh",
      "GET /api/content/users/me",
      "POST /api/content/users-auth-providers/marker/{}/users/refresh"
    ].filter((name) => !heard.spans.has(name)),
    ...[
      "oneentry.calls operation=auth outcome=Success",
      "oneentry.calls operation=getUser outcome=Success",
      "oneentry.refreshes outcome=Success",
      "oneentry.refresh.waiters",
      "oneentry.session.events event=SignedIn",
      "oneentry.session.events event=SignedOut reason=SignOut"
    ].filter((name) => !heard.metrics.has(name))
  ]
  if (missing.length > 0) return yield* Effect.fail(`The collector has not heard of ${missing.join(", ")}`)
  const leaked = [login, password, Redacted.value(emulator.appToken)].filter((secret) => heard.text.includes(secret))
  if (leaked.length > 0) return yield* Effect.fail(`The collector has heard ${leaked.length} things that it should not`)
  console.log(`${who} was here; the collector has ${heard.spans.size} spans and ${heard.metrics.size} series:`)
  for (const name of [...heard.spans, ...heard.metrics].toSorted()) console.log(`  ${name}`)
})

await Effect.runPromise(Effect.scoped(main))
