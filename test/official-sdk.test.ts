/** The official SDK and ours, against the same emulator over HTTP: the same scenario, and what becomes of a session. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted, Result } from "effect"
import { AuthProvider, FetchClient, Forms, OneEntry, Session, TokenStorage, Users } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { defineOneEntry } from "oneentry"
import { authData, login, signUpData } from "./helpers/scenario.ts"

const parallel = 50

/** What the official SDK gives, errors too: it has no other channel for them. */
const official = (emulator: Emulator.Service) => {
  const saved: Array<string> = []
  const api = defineOneEntry(emulator.url, {
    token: Redacted.value(emulator.appToken),
    auth: { saveFunction: (token: string) => saved.push(token) }
  })
  return { api, saved }
}

const wait = <A>(f: () => Promise<A>): Effect.Effect<object> =>
  Effect.map(Effect.promise(f), (value): object => Object(value))

const isError = (value: object): boolean => "statusCode" in value && Number(value.statusCode) >= 400

/** What the server has seen of an operation since a request. */
const since = (start: number, operation: string) =>
  Effect.map(
    Emulator.Emulator.use((emulator) => emulator.requests),
    (entries) => entries.filter((entry) => entry.id > start && entry.operation === operation)
  )

const lastRequest = Effect.map(
  Emulator.Emulator.use((emulator) => emulator.requests),
  (entries) => entries.at(-1)?.id ?? 0
)

const ours = Layer.unwrap(Effect.map(Emulator.Emulator, ({ appToken, url }) => OneEntry.layer({ url, appToken }))).pipe(
  Layer.provide([TokenStorage.layerMemory, FetchClient.layer]),
  Layer.provideMerge(Emulator.layer({ passwordCost: 1 }))
)

const plain = authData().map((field) => ({ marker: field.marker, value: String(field.value) }))

const officialSignedIn = Effect.gen(function* () {
  const emulator = yield* Emulator.Emulator
  const { api, saved } = official(emulator)
  yield* wait(() =>
    api.AuthProvider.signUp("email", {
      formIdentifier: "reg",
      authData: plain,
      formData: [
        { marker: "name_reg", type: "string", value: "Ann" },
        { marker: "phone_reg", type: "string", value: "+18007986545" },
        { marker: "email_notification_reg", type: "string", value: login }
      ],
      notificationData: { email: login, phonePush: [], phoneSMS: "+18007986545" }
    })
  )
  const code = yield* emulator.awaitCode(login)
  yield* wait(() => api.AuthProvider.activateUser("email", login, code))
  assert.isFalse(isError(yield* wait(() => api.AuthProvider.auth("email", { authData: plain }))))
  return { api, saved, emulator }
})

const oursSignedIn = Effect.gen(function* () {
  const emulator = yield* Emulator.Emulator
  const auth = yield* AuthProvider.AuthProvider
  yield* auth.signUp("email", signUpData())
  yield* auth.activateUser("email", { userIdentifier: login, code: yield* emulator.awaitCode(login) })
  yield* auth.auth("email", { authData: authData() })
  return { auth, emulator }
})

describe("the registration scenario", () => {
  const operations = [
    "getFormByMarker",
    "signUp",
    "generateCode",
    "checkCode",
    "checkCode",
    "activateUser",
    "auth",
    "getUser",
    "getActiveSessionsByMarker",
    "logout"
  ]

  it.live("by the official SDK", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const { api, saved } = official(emulator)
      assert.include(yield* wait(() => api.Forms.getFormByMarker("reg")), { identifier: "reg" })
      const user = yield* wait(() =>
        api.AuthProvider.signUp("email", {
          formIdentifier: "reg",
          authData: plain,
          formData: [
            { marker: "name_reg", type: "string", value: "Ann" },
            { marker: "phone_reg", type: "string", value: "+18007986545" },
            { marker: "email_notification_reg", type: "string", value: login }
          ],
          notificationData: { email: login, phonePush: [], phoneSMS: "+18007986545" }
        })
      )
      assert.include(user, { identifier: login, isActive: false })
      assert.include(yield* wait(() => api.AuthProvider.generateCode("email", login, "auth")), { statusCode: 400 })
      const code = yield* emulator.awaitCode(login)
      assert.strictEqual(
        (yield* wait(() => api.AuthProvider.checkCode("email", login, "auth", "wrong"))).valueOf(),
        false
      )
      assert.strictEqual((yield* wait(() => api.AuthProvider.checkCode("email", login, "auth", code))).valueOf(), true)
      assert.strictEqual((yield* wait(() => api.AuthProvider.activateUser("email", login, code))).valueOf(), true)
      assert.include(yield* wait(() => api.AuthProvider.auth("email", { authData: plain })), { userIdentifier: login })
      assert.include(yield* wait(() => api.Users.getUser()), { identifier: login })
      assert.propertyVal(yield* wait(() => api.AuthProvider.getActiveSessionsByMarker("email")), "length", 1)
      assert.strictEqual((yield* wait(() => api.AuthProvider.logout("email", saved.at(-1) ?? ""))).valueOf(), true)
      assert.deepStrictEqual(
        (yield* emulator.requests).map((entry) => entry.operation),
        operations
      )
    }).pipe(Effect.provide(Emulator.layer({ passwordCost: 1 })))
  )

  it.live("by ours: the same requests, the same answers", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const auth = yield* AuthProvider.AuthProvider
      assert.strictEqual((yield* Forms.Forms.use((forms) => forms.getFormByMarker("reg"))).identifier, "reg")
      assert.include(yield* auth.signUp("email", signUpData()), { identifier: login, isActive: false })
      const request = { userIdentifier: login, eventIdentifier: "auth" }
      assert.strictEqual((yield* Effect.flip(auth.generateCode("email", request)))._tag, "UserAlreadyHasCode")
      const code = yield* emulator.awaitCode(login)
      assert.strictEqual(
        (yield* Effect.flip(auth.checkCode("email", { ...request, code: "wrong" })))._tag,
        "InvalidCode"
      )
      yield* auth.checkCode("email", { ...request, code })
      yield* auth.activateUser("email", { userIdentifier: login, code })
      assert.include(yield* auth.auth("email", { authData: authData() }), { userIdentifier: login })
      assert.include(yield* Users.Users.use((users) => users.getUser()), { identifier: login })
      assert.strictEqual((yield* auth.getActiveSessionsByMarker("email")).length, 1)
      assert.deepStrictEqual(yield* auth.logout(), { revoked: true })
      assert.deepStrictEqual(
        (yield* emulator.requests).map((entry) => entry.operation),
        operations
      )
    }).pipe(Effect.provide(ours))
  )
})

describe(`${parallel} calls at once, after the access token has ended`, () => {
  it.live("the official SDK spends its one-time token again and again, and loses calls", () =>
    Effect.gen(function* () {
      const { api, emulator, saved } = yield* officialSignedIn
      yield* emulator.expireAccessTokens
      const start = yield* lastRequest
      const before = saved.length
      const results = yield* Effect.all(
        Array.from({ length: parallel }, () => wait(() => api.AuthProvider.getActiveSessionsByMarker("email"))),
        { concurrency: "unbounded" }
      )
      const refreshes = yield* since(start, "refresh")
      const failed = results.filter(isError)
      const spent = refreshes.filter((entry) => entry.status === 400)
      const [session] = yield* emulator.sessions
      const kept = session !== undefined && saved.at(-1) === session.refreshToken
      console.log(
        `official: ${refreshes.length} refreshes (${spent.length} refused), ${failed.length} of ${parallel} calls lost, ` +
          `what it saved last is ${kept ? "still" : "no longer"} good`
      )
      assert.isAbove(refreshes.length, 1)
      assert.isAbove(failed.length, 0)
      // Every call lost is a refresh that the server refused: the token had been spent by another call.
      assert.strictEqual(failed.length, spent.length)
      assert.isTrue(spent.every((entry) => entry.reason === "Provided token is incorrect"))
      assert.strictEqual(saved.length - before, refreshes.length - spent.length)
    }).pipe(Effect.provide(Emulator.layer({ passwordCost: 1 })))
  )

  it.live("ours makes one refresh, and loses none", () =>
    Effect.gen(function* () {
      const { auth, emulator } = yield* oursSignedIn
      yield* emulator.expireAccessTokens
      const start = yield* lastRequest
      const results = yield* Effect.all(
        Array.from({ length: parallel }, () => Effect.result(auth.getActiveSessionsByMarker("email"))),
        { concurrency: "unbounded" }
      )
      const refreshes = yield* since(start, "refresh")
      console.log(
        `ours: ${refreshes.length} refresh, ${results.filter(Result.isFailure).length} of ${parallel} calls lost`
      )
      assert.deepStrictEqual(
        refreshes.map((entry) => entry.status),
        [201]
      )
      assert.isTrue(results.every(Result.isSuccess))
      assert.strictEqual((yield* emulator.sessions).length, 1)
    }).pipe(Effect.provide(ours))
  )
})

describe("an answer of a refresh that is lost on the way", () => {
  it.live("the official SDK cannot tell what happened", () =>
    Effect.gen(function* () {
      const { api, emulator } = yield* officialSignedIn
      yield* emulator.expireAccessTokens
      yield* emulator.faults.add({ operation: "refresh", kind: "drop", count: 1 })
      const lost = yield* wait(() => api.AuthProvider.getActiveSessionsByMarker("email"))
      // The connection broke before the server did anything, and what comes back says neither that nor anything else.
      assert.notProperty(lost, "statusCode")
    }).pipe(Effect.provide(Emulator.layer({ passwordCost: 1 })))
  )

  it.live("ours says what happened, and keeps the session", () =>
    Effect.gen(function* () {
      const { auth, emulator } = yield* oursSignedIn
      yield* emulator.expireAccessTokens
      yield* emulator.faults.add({ operation: "refresh", kind: "drop" })
      const error = yield* Effect.flip(auth.logoutAll("email"))
      assert.isTrue(error._tag === "OneEntryError" && error.reason._tag === "Network" && error.isRetryable)
      assert.isTrue(Option.isSome(yield* Session.Session.use((session) => session.current)))
    }).pipe(Effect.provide(ours))
  )
})

describe("a wrong password while somebody is signed in", () => {
  it.live("makes the official SDK refresh, as if the session had ended", () =>
    Effect.gen(function* () {
      const { api, saved } = yield* officialSignedIn
      const start = yield* lastRequest
      const before = saved.length
      const wrong = plain.map((field) => (field.marker === "password_reg" ? { ...field, value: "wrong" } : field))
      assert.isTrue(isError(yield* wait(() => api.AuthProvider.auth("email", { authData: wrong }))))
      assert.strictEqual((yield* since(start, "refresh")).length, 1)
      assert.isAbove(saved.length, before)
    }).pipe(Effect.provide(Emulator.layer({ passwordCost: 1 })))
  )

  it.live("is a wrong password to ours", () =>
    Effect.gen(function* () {
      const { auth } = yield* oursSignedIn
      const start = yield* lastRequest
      const error = yield* Effect.flip(auth.auth("email", { authData: authData(login, "wrong") }))
      assert.strictEqual(error._tag, "InvalidCredentials")
      assert.strictEqual((yield* since(start, "refresh")).length, 0)
      assert.include(yield* Users.Users.use((users) => users.getUser()), { identifier: login })
    }).pipe(Effect.provide(ours))
  )
})
