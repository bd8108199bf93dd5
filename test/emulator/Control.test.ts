import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, JsonSchema, Redacted, Schema, SchemaRepresentation, Stream } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { Control, Emulator, Project } from "effect-oneentry/emulator"
import * as fs from "node:fs"
import * as http from "node:http"
import {
  authData,
  call,
  login,
  me,
  ok,
  onPort,
  refresh,
  register,
  registered,
  signIn,
  signUp,
  token,
  tokensOf,
  users
} from "./support.ts"

const options = { routes: Control.routes }
const inProcess = Emulator.layerClient({ passwordCost: 1, seed: 1, ...options })

/** The typed client, which reads every answer with its schema. */
const control = Effect.gen(function* () {
  const emulator = yield* Emulator.Emulator
  return yield* Control.client({ url: emulator.url })
})

const send = (
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  headers?: Record<string, string>
) =>
  call(method, `/__emulator/${path}`, {
    appToken: null,
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers })
  })

const json = { "content-type": "application/json" }

describe("the control API", () => {
  it.effect("shows messages, and waits for a code", () =>
    Effect.gen(function* () {
      const api = yield* control
      assert.deepStrictEqual(yield* api.outbox.list({ query: {} }), [])
      const waiting = yield* Effect.forkChild(api.outbox.code({ query: { userIdentifier: login, waitMs: 60_000 } }))
      yield* signUp()
      const { code } = yield* Fiber.join(waiting)
      const [message] = yield* api.outbox.list({ query: { userIdentifier: login, marker: "email" } })
      assert.deepInclude(message, { code, to: login, channel: "email", status: "live", userIdentifier: login })
      ok(yield* call("POST", `${users}/activate`, { body: { userIdentifier: login, code } }), 201, true)
      assert.strictEqual((yield* api.outbox.list({ query: {} }))[0]?.status, "spent")
      const none = yield* Effect.flip(api.outbox.code({ query: { userIdentifier: login } }))
      assert.strictEqual(none._tag, "NotFound")
      assert.deepStrictEqual(yield* api.outbox.list({ query: { userIdentifier: "eve@example.com" } }), [])
      yield* signUp("bob@example.com")
      yield* api.clock.advance({ payload: { past: "codes" } })
      assert.deepStrictEqual(
        (yield* api.outbox.list({ query: {} })).map((one) => one.status),
        ["expired", "expired"]
      )
    }).pipe(Effect.provide(inProcess))
  )

  it.effect("activates and deletes users, and never shows a hash", () =>
    Effect.gen(function* () {
      const api = yield* control
      yield* signUp()
      const [user] = yield* api.users.list()
      assert.deepInclude(user, { id: 1, login, isActive: false, hasPassword: true })
      assert.notInclude((yield* send("GET", "users")).text, "scrypt")
      yield* api.users.activate({ params: { id: 1 } })
      yield* signIn()
      yield* api.users.delete({ params: { id: 1 } })
      assert.deepStrictEqual(yield* api.users.list(), [])
      assert.deepStrictEqual(yield* api.sessions.list({ query: {} }), [])
      assert.strictEqual((yield* Effect.flip(api.users.activate({ params: { id: 1 } })))._tag, "NotFound")
      assert.strictEqual((yield* Effect.flip(api.users.delete({ params: { id: 1 } })))._tag, "NotFound")
      assert.strictEqual((yield* send("POST", "users/one/activate", {})).status, 400)
    }).pipe(Effect.provide(inProcess))
  )

  it.effect("expires and revokes sessions, and never shows a token", () =>
    Effect.gen(function* () {
      const api = yield* control
      const first = yield* registered()
      const second = yield* signIn(login, undefined, "device-2")
      const sessions = yield* api.sessions.list({ query: { userIdentifier: login } })
      assert.deepStrictEqual(
        sessions.map((session) => session.fingerprint),
        ["device-1", "device-2"]
      )
      const text = (yield* send("GET", "sessions")).text
      for (const secret of [first.accessToken, first.refreshToken, second.accessToken]) assert.notInclude(text, secret)

      yield* api.sessions.expire({ params: { id: 1 }, query: {} })
      assert.strictEqual((yield* me(first.accessToken)).status, 401)
      assert.strictEqual((yield* me(second.accessToken)).status, 200)
      const next = tokensOf(yield* refresh(first.refreshToken))
      yield* api.sessions.expire({ params: { id: 1 }, query: { token: "refresh" } })
      assert.strictEqual((yield* me(next.accessToken)).status, 401)
      assert.strictEqual((yield* refresh(next.refreshToken)).status, 400)

      assert.deepStrictEqual(yield* api.sessions.expireAll(), { count: 1 })
      assert.strictEqual((yield* me(second.accessToken)).status, 401)
      yield* api.sessions.revoke({ params: { id: 2 } })
      assert.strictEqual((yield* refresh(second.refreshToken, "device-2")).status, 400)
      assert.strictEqual((yield* Effect.flip(api.sessions.revoke({ params: { id: 2 } })))._tag, "NotFound")
      yield* signIn()
      assert.deepStrictEqual(yield* api.sessions.revokeAll({ query: { userIdentifier: "eve@example.com" } }), {
        count: 0
      })
      assert.deepStrictEqual(yield* api.sessions.revokeAll({ query: {} }), { count: 1 })
    }).pipe(Effect.provide(inProcess))
  )

  it.effect("shows the log without secrets", () =>
    Effect.gen(function* () {
      const api = yield* control
      const tokens = yield* registered()
      yield* refresh("wrong-secret-token")
      yield* call("POST", "/api/content/users/me/fcm-token/secret-device-token", { bearer: tokens.accessToken })
      const all = yield* api.requests.list({ query: {} })
      assert.deepStrictEqual(
        all.map((entry) => entry.operation),
        ["signUp", "activateUser", "auth", "refresh", "addFCMToken"]
      )
      const [refused] = yield* api.requests.list({ query: { operation: "refresh" } })
      assert.deepInclude(refused, { status: 400, reason: "Provided token is incorrect", detail: "unknown token" })
      const later = yield* api.requests.list({ query: { after: refused?.id ?? 0 } })
      assert.deepStrictEqual(
        later.map((entry) => entry.operation),
        ["addFCMToken"]
      )
      const text = (yield* send("GET", "requests")).text
      for (const secret of ["wrong-secret-token", "secret-device-token", tokens.accessToken, "123456", token]) {
        assert.notInclude(text, secret)
      }
      // looking is not an event of its own
      assert.strictEqual((yield* api.requests.list({ query: {} })).length, all.length)
    }).pipe(Effect.provide(inProcess))
  )

  it.effect("moves the clock forward and back to real time", () =>
    Effect.gen(function* () {
      const api = yield* control
      const tokens = yield* registered()
      assert.deepStrictEqual(yield* api.clock.get(), { now: 0, offset: 0 })
      ok(yield* send("POST", "clock/advance", { duration: "2 minutes" }), 200, { now: 120_000, offset: 120_000 })
      ok(yield* send("POST", "clock/advance", { duration: 500 }), 200, { now: 120_500, offset: 120_500 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* api.clock.get(), { now: 121_500, offset: 120_500 })
      yield* api.clock.advance({ payload: { past: "accessTokens" } })
      assert.strictEqual((yield* me(tokens.accessToken)).status, 401)
      yield* api.clock.advance({ payload: { past: "refreshTokens" } })
      assert.strictEqual((yield* refresh(tokens.refreshToken)).status, 400)
      assert.deepStrictEqual(yield* api.clock.reset(), { now: 1000, offset: 0 })
      assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
      for (const bad of ["-1 minute", "Infinity", "9000000 days", "soon", -1, null]) {
        assert.strictEqual((yield* send("POST", "clock/advance", { duration: bad })).status, 400, String(bad))
      }
      assert.deepStrictEqual(yield* api.clock.get(), { now: 1000, offset: 0 })
    }).pipe(Effect.provide(inProcess))
  )

  it.effect("adds faults and takes them back; a misspelt or impossible one is refused", () =>
    Effect.gen(function* () {
      const api = yield* control
      const fault = yield* api.faults.add({
        payload: { kind: "status", status: 502, operation: "getAllForms", count: 1 }
      })
      assert.deepInclude(fault, { id: 1, hits: 0 })
      assert.strictEqual((yield* call("GET", "/api/content/forms")).status, 502)
      assert.strictEqual((yield* call("GET", "/api/content/forms")).status, 200)
      assert.deepInclude((yield* api.faults.list())[0], { id: 1, hits: 1, count: 1 })
      yield* api.faults.remove({ params: { id: 1 } })
      assert.strictEqual((yield* Effect.flip(api.faults.remove({ params: { id: 1 } })))._tag, "NotFound")
      yield* api.faults.add({ payload: { kind: "drop" } })
      yield* api.faults.clear()
      assert.deepStrictEqual(yield* api.faults.list(), [])
      for (const bad of [
        { kind: "explode" },
        { kind: "drop", rate: 1.5 },
        { kind: "drop", ruote: "/x" },
        { kind: "drop", operation: "refrsh" },
        { kind: "status", status: 200 },
        { kind: "status", headers: { "x-a": "b\r\nset-cookie: c" } },
        { kind: "status", headers: { "x a": "b" } },
        { kind: "status", headers: { "Content-Length": "3" } },
        { kind: "status", headers: { "transfer-encoding": "chunked" } },
        { kind: "status", headers: { connection: "close" } },
        { kind: "delay", delay: 1e300 },
        { kind: "delay", delay: -1 },
        { kind: "drop", count: 0 },
        {}
      ]) {
        const refused = yield* send("POST", "faults", bad)
        assert.strictEqual(refused.status, 400, JSON.stringify(bad))
        assert.strictEqual(Object(refused.json)._tag, "BadRequest")
      }
    }).pipe(Effect.provide(inProcess))
  )

  it.effect("takes snapshots, restores them and begins anew", () =>
    Effect.gen(function* () {
      const api = yield* control
      const tokens = yield* registered()
      const form = new FormData()
      form.append("files", new Blob([new Uint8Array([0, 1, 254])]), "a.bin")
      assert.strictEqual((yield* call("POST", "/api/content/files", { form })).status, 201)
      const snapshot = yield* api.state.snapshot()
      yield* api.state.reset()
      assert.deepStrictEqual(yield* api.users.list(), [])
      assert.strictEqual((yield* me(tokens.accessToken)).status, 401)
      yield* api.state.restore({ payload: snapshot })
      assert.deepStrictEqual(yield* api.state.snapshot(), snapshot)
      assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
      assert.strictEqual((yield* send("PUT", "snapshot", { users: [] })).status, 400)
      const kept: unknown = (yield* send("GET", "snapshot")).json
      for (const wrong of [{ id: -1 }, { id: 0 }, { version: -1 }]) {
        const users = snapshot.users.map((user) => ({ ...user, ...wrong }))
        assert.strictEqual((yield* send("PUT", "snapshot", { ...Object(kept), users })).status, 400)
      }
      // A next number that is none is begun anew.
      const settings = [{ name: "next:message", value: -5 }]
      assert.strictEqual((yield* send("PUT", "snapshot", { ...Object(kept), messages: [], settings })).status, 204)
      yield* signUp("eve@example.com")
      assert.deepStrictEqual(
        (yield* api.outbox.list({ query: {} })).map(({ id }) => id),
        [1]
      )
      yield* api.state.restore({ payload: snapshot })
      assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
    }).pipe(Effect.provide(inProcess))
  )

  it.live("streams what changes, and ends its work when the reader goes away", () =>
    Effect.gen(function* () {
      const api = yield* control
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.add({ kind: "delay", delay: 1, operation: "auth" })
      const events = yield* api.state.events()
      const updates = yield* events.pipe(
        Stream.tap((update) => (update.faults !== undefined && update.faults.length === 1 ? signUp() : Effect.void)),
        Stream.takeUntil((update) => update.outbox !== undefined && update.outbox.total === 1),
        Stream.runCollect
      )
      const [first] = updates
      assert.deepInclude(first?.users, { total: 0 })
      assert.deepStrictEqual(first?.requests, { oldest: null, entries: [] })
      const last = updates.at(-1)
      assert.strictEqual(last?.outbox?.items[0]?.userIdentifier, login)
      assert.isUndefined(last?.faults, "what did not change is not sent again")
      const seen = updates.flatMap((update) => update.requests?.entries ?? []).map((entry) => entry.operation)
      assert.deepStrictEqual(seen, ["signUp"])
      yield* emulator.reset
      const again = yield* api.state.events()
      const [fresh] = yield* Stream.runCollect(Stream.take(again, 1))
      assert.deepStrictEqual(fresh?.requests, { oldest: null, entries: [] })
    }).pipe(Effect.provide(onPort(options)))
  )
})

/** A request with headers that no client library would send. */
const raw = (url: string, method: string, path: string, headers: Record<string, string>) =>
  Effect.promise(
    () =>
      new Promise<number>((resolve, reject) => {
        const { port } = new URL(url)
        const request = http.request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
          response.resume()
          resolve(response.statusCode ?? 0)
        })
        request.on("error", reject)
        request.end()
      })
  )

describe("the guard", () => {
  it.live("keeps foreign pages away", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator.Emulator
      const host = new URL(url).host
      const reset = (headers: Record<string, string>) => raw(url, "POST", "/__emulator/reset", headers)
      const read = (headers: Record<string, string>) => raw(url, "GET", "/__emulator/users", headers)
      const page = (headers: Record<string, string>) => raw(url, "GET", "/__emulator", headers)

      assert.strictEqual(yield* reset({ host, ...json }), 204)
      assert.strictEqual(
        yield* reset({ host, ...json, origin: `http://${host}`, "sec-fetch-site": "same-origin" }),
        204
      )
      // a form of a foreign page
      assert.strictEqual(yield* reset({ host }), 415)
      assert.strictEqual(yield* reset({ host, "content-type": "application/x-www-form-urlencoded" }), 415)
      assert.strictEqual(yield* reset({ host, "content-type": "text/plain; application/json" }), 415)
      // its scripts
      for (const origin of ["http://evil.example", "null", `http://${host}.evil.example`, "http://127.0.0.1:1"]) {
        assert.strictEqual(yield* reset({ host, ...json, origin }), 403, origin)
        assert.strictEqual(yield* read({ host, origin }), 403, origin)
      }
      assert.strictEqual(yield* read({ host, "sec-fetch-site": "cross-site" }), 403)
      assert.strictEqual(yield* raw(url, "DELETE", "/__emulator/users/1", { host, origin: "http://evil.example" }), 403)
      // a link to the page is no harm
      assert.strictEqual(yield* page({ host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }), 200)
      assert.strictEqual(yield* page({ host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" }), 403)
      // a name that was made to lead here
      for (const name of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]"]) {
        assert.strictEqual(yield* read({ host: name }), 403, name)
        assert.strictEqual(yield* page({ host: name }), 403, name)
      }
      // everybody knows the default token, and no page on the web makes an address or a container's name lead here
      for (const name of ["evil.example", "localhost.evil.example", "1.2.3.4.evil.example:4010"]) {
        assert.strictEqual(yield* read({ host: name, "x-app-token": token }), 403, name)
        const origin = `http://${name}`
        assert.strictEqual(yield* reset({ host: name, ...json, origin, "x-app-token": token }), 403, name)
      }
      for (const name of ["192.0.2.1:4010", "[::2]:4010", "emulator:4010"]) {
        assert.strictEqual(yield* read({ host: name, "x-app-token": token }), 200, name)
      }
      for (const name of ["localhost:4010", "LOCALHOST", "app.localhost", "127.0.0.1", "[::1]:4010"]) {
        assert.strictEqual(yield* read({ host: name }), 200, name)
      }
    }).pipe(Effect.provide(onPort(options)))
  )

  it.live("takes any name of the host with an app token that is not the default", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator.Emulator
      const read = (headers: Record<string, string>) => raw(url, "GET", "/__emulator/users", headers)
      assert.strictEqual(yield* read({ host: "emulator.example" }), 403)
      assert.strictEqual(yield* read({ host: "emulator.example", "x-app-token": token }), 403)
      assert.strictEqual(yield* read({ host: "emulator.example", "x-app-token": "a secret" }), 200)
    }).pipe(Effect.provide(onPort({ ...options, appToken: "a secret" })))
  )

  it.live("wants the app token off loopback, whatever the host is called", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator.Emulator
      for (const path of ["/__emulator", "/__emulator/users", "/__emulator/openapi.json", "/__emulator/api"]) {
        assert.strictEqual(yield* raw(url, "GET", path, { host: "localhost" }), 403, path)
        assert.strictEqual(yield* raw(url, "GET", `${path}?token=wrong`, { host: "localhost" }), 403, path)
        assert.strictEqual(yield* raw(url, "GET", path, { host: "localhost", "x-app-token": token }), 200, path)
        assert.strictEqual(yield* raw(url, "GET", `${path}?token=${token}`, { host: "192.0.2.1" }), 200, path)
      }
      const api = yield* Control.client({ url, appToken: Redacted.make(token) })
      assert.deepStrictEqual(yield* api.users.list(), [])
    }).pipe(Effect.provide(onPort({ ...options, host: "0.0.0.0" })))
  )
})

describe("the description", () => {
  it.effect("names every endpoint of both APIs once, from their schemas", () =>
    Effect.gen(function* () {
      const answer = yield* send("GET", "openapi.json")
      const description = Object(answer.json)
      assert.strictEqual(description.openapi, "3.1.0")
      const operations = Object.entries<object>(description.paths).flatMap(([path, item]) =>
        Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`)
      )
      for (const one of [
        "POST /api/content/users-auth-providers/marker/{marker}/users/sign-up",
        "GET /api/content/users/me",
        "POST /api/content/form-data",
        "POST /api/content/files",
        "POST /__emulator/clock/advance",
        "GET /__emulator/events"
      ])
        assert.include(operations, one)
      assert.strictEqual(new Set(operations).size, operations.length)
      const signUpBody =
        description.paths["/api/content/users-auth-providers/marker/{marker}/users/sign-up"].post.requestBody.content[
          "application/json"
        ].schema
      assert.deepStrictEqual(signUpBody.required, ["langCode", "authData"])
      // every reference leads somewhere
      const names = new Set(Object.keys(description.components.schemas))
      for (const [, name] of answer.text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
        assert.isTrue(names.has(name ?? ""), name)
      const reference = yield* send("GET", "api")
      assert.strictEqual(reference.status, 200)
      assert.include(reference.text, "/api/content/users-auth-providers/marker/{marker}/users/sign-up")
      assert.include(reference.text, "400 DeviceMetadataMissing: Missing x-device-metadata header")
      assert.include(reference.text, "files: Array&lt;bytes&gt;")
      assert.notInclude(reference.text, "undefined")
    }).pipe(Effect.provide(inProcess))
  )

  it.effect("of project files accepts the default project and refuses what the decoder refuses", () =>
    Effect.gen(function* () {
      const { json: schema } = yield* send("GET", "project.schema.json")
      const properties = Object(schema).properties
      assert.sameMembers(Object.keys(properties), Object.keys(Project.Project.fields))
      const file = fs.readFileSync(new URL("../../src/emulator/project.schema.json", import.meta.url), "utf8")
      assert.deepStrictEqual(JSON.parse(file), schema, "run node scripts/project-schema.ts")
      const document = JsonSchema.fromSchemaDraft07(Object(schema))
      // what JSON Schema describes needs no services
      const described = SchemaRepresentation.fromJsonSchemaDocument(document) as Schema.Codec<unknown, unknown>
      const decode = Schema.decodeUnknownExit(described, { onExcessProperty: "error" })
      const good = [
        Project.defaultProject,
        {},
        { ...Project.defaultProject, users: [{ login: "a@b.io", password: "x" }] }
      ]
      const bad = [
        { languages: [] },
        { providers: [{}] },
        { providers: [{ identifier: "email", tpye: "email" }] },
        { forms: [{ identifier: "f", attributes: [{ type: "strng", marker: "a" }] }] },
        { forms: [{ identifier: "f", attributes: [{ type: "string", marker: "a", validators: { nope: true } }] }] },
        { switches: { codePolicy: null } },
        { users: [{ login: "" }] }
      ]
      for (const [projects, valid] of [
        [good, true],
        [bad, false]
      ] as const) {
        for (const project of projects) {
          assert.strictEqual(Exit.isSuccess(decode(project)), valid, JSON.stringify(project))
          assert.strictEqual(
            Exit.isSuccess(yield* Effect.exit(Project.decode(project))),
            valid,
            JSON.stringify(project)
          )
        }
      }
    }).pipe(Effect.provide(inProcess))
  )

  it.effect("answers with a policy under which nothing foreign runs", () =>
    Effect.gen(function* () {
      for (const path of ["", "/api"]) {
        const answer = yield* call("GET", `/__emulator${path}`, { appToken: null })
        const policy = answer.headers["content-security-policy"] ?? ""
        const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? ""
        assert.match(nonce, /^[A-Za-z0-9+/]{24}$/)
        assert.match(policy, /^default-src 'none'; /)
        assert.notInclude(policy, "unsafe")
        assert.strictEqual(answer.headers["x-content-type-options"], "nosniff")
        assert.isUndefined(answer.headers["access-control-allow-origin"])
        assert.notMatch(answer.text, /<(script|style)>/)
        assert.notMatch(answer.text, / style="| on[a-z]+="/)
        assert.notMatch(answer.text.replaceAll("http://127.0.0.1:4010", ""), /(src|href)="(https?:)?\/\//)
        const again = yield* call("GET", `/__emulator${path}`, { appToken: null })
        assert.notInclude(again.text, nonce)
      }
    }).pipe(Effect.provide(inProcess))
  )

  it.live("and the rest of the control API are there for who only asks whether they are", () =>
    Effect.gen(function* () {
      const { url } = yield* Emulator.Emulator
      const { host } = new URL(url)
      for (const path of ["", "/api", "/openapi.json", "/clock", "/users"]) {
        assert.strictEqual(yield* raw(url, "HEAD", `/__emulator${path}`, { host }), 200, path)
      }
      assert.strictEqual(yield* raw(url, "HEAD", "/__emulator/nothing", { host }), 404)
      assert.strictEqual(yield* raw(url, "HEAD", "/__emulator", { host: "evil.example" }), 403)
    }).pipe(Effect.provide(onPort(options)))
  )

  it.effect("shows hostile names as text", () =>
    Effect.gen(function* () {
      yield* call("GET", "/api/<img src=x>")
      const { text } = yield* call("GET", "/__emulator", { appToken: null })
      assert.notInclude(text, "<img src=x")
      yield* call("GET", `/api/${"long".repeat(400)}`)
      yield* register()
      const signedIn = yield* call("POST", `${users}/auth`, {
        body: { authData: authData(login) },
        device: JSON.stringify({ fingerprint: "web-1", deviceInfo: { browser: "name".repeat(400) } })
      })
      assert.strictEqual(signedIn.status, 201)
      const page = yield* call("GET", "/__emulator", { appToken: null })
      for (const word of ["long", "name"]) {
        assert.include(page.text, word.repeat(20))
        assert.notInclude(page.text, word.repeat(120))
      }
      assert.include(text, "&lt;img src=x")
      assert.strictEqual((text.match(/<\/script>/g) ?? []).length, 1)
      assert.include(text, "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&lt;/script&gt;@example.com")
    }).pipe(
      Effect.provide(
        Emulator.layerClient({
          ...options,
          passwordCost: 1,
          project: {
            ...Project.defaultProject,
            users: [{ login: '"><img src=x onerror=alert(1)></script>@example.com', isActive: false }]
          }
        })
      )
    )
  )
})

it.effect("the client of the emulator's own layer also reaches the control API", () =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const emulator = yield* Emulator.Emulator
    const response = yield* client.get(`${emulator.url}/__emulator/clock`)
    assert.deepStrictEqual(yield* response.json, { now: 0, offset: 0 })
  }).pipe(Effect.provide(inProcess))
)
