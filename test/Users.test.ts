import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted, Tracer } from "effect"
import { FetchHttpClient } from "effect/http"
import { AuthProvider, FetchClient, FieldValue, Forms, FormSchema, Session, TokenStorage, Users } from "effect-oneentry"
import { Emulator, type Project } from "effect-oneentry/emulator"
import { project, sentBy, signInByNetwork } from "./helpers/content.ts"
import {
  authData,
  count,
  deepFreeze,
  failsWith,
  inProcess,
  login,
  overHttp,
  password,
  register,
  signIn
} from "./helpers/scenario.ts"

const here = inProcess(undefined, { project })

const signedIn = Effect.andThen(register(), signIn())

const valueOf = (marker: string) =>
  Effect.map(
    Users.Users.use((users) => users.getUser()),
    (user) => user.formData.find((one) => one.marker === marker)?.value
  )

const issuesOf = (error: { readonly _tag: string }) =>
  error instanceof FormSchema.FormInvalid ? error.issues.map(({ code, marker }) => [marker, code]) : []

const isSignedIn = Effect.map(
  Session.Session.use((session) => session.current),
  Option.isSome
)

const fcm = "fcm:APA91b/with?odd#characters"

/** Every operation once. */
const everything = Effect.gen(function* () {
  const users = yield* Users.Users
  const emulator = yield* Emulator.Emulator
  const auth = yield* AuthProvider.AuthProvider
  yield* signedIn

  const user = yield* users.getUser()
  assert.deepInclude(user, {
    identifier: login,
    authProviderIdentifier: "email",
    formIdentifier: "reg",
    groups: [1],
    state: {},
    total: 1
  })
  assert.isUndefined(
    yield* users.updateUser({ formData: FieldValue.string("name_reg", "Anna"), state: { theme: "dark" } })
  )
  assert.deepInclude(yield* users.getUser({ langCode: "en_US" }), { state: { theme: "dark" } })
  assert.strictEqual(yield* valueOf("name_reg"), "Anna")
  assert.strictEqual(yield* valueOf("phone_reg"), "+18007986545")

  assert.isUndefined(yield* users.updateUser({ newPassword: Redacted.make("another") }))
  assert.isUndefined(yield* users.addFCMToken(fcm))
  assert.deepStrictEqual(
    (yield* emulator.users).map(({ fcmTokens }) => fcmTokens),
    [[fcm]]
  )
  assert.isUndefined(yield* users.deleteFCMToken(Redacted.make(fcm)))
  assert.deepStrictEqual(
    (yield* emulator.users).map(({ fcmTokens }) => fcmTokens),
    [[]]
  )

  assert.isUndefined(yield* users.archiveUser())
  assert.isFalse(yield* isSignedIn)
  yield* failsWith(signIn(login, "another"), "InvalidCredentials")

  yield* register("bob@example.com")
  yield* auth.auth("email", { authData: authData("bob@example.com") })
  assert.isUndefined(yield* users.deleteUser())
  assert.isFalse(yield* isSignedIn)
  assert.deepStrictEqual(
    (yield* emulator.users).map((one) => [one.login, one.isDeleted]),
    [[login, true]]
  )
})

describe("every operation", () => {
  it.effect("without a socket", () => everything.pipe(Effect.provide(here)))
  it.effect("over HTTP, by Effect's client", () =>
    everything.pipe(Effect.provide(overHttp(FetchHttpClient.layer, undefined, { project })))
  )
  it.effect("over HTTP, by our own", () =>
    everything.pipe(Effect.provide(overHttp(FetchClient.layer, undefined, { project })))
  )

  it.effect("with the layer of the module alone", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const layer = Users.layer({ url: emulator.url, appToken: emulator.appToken }).pipe(
        Layer.provide(TokenStorage.layerMemory)
      )
      yield* failsWith(Users.Users.use((users) => users.getUser()).pipe(Effect.provide(layer)), "NotAuthenticated")
    }).pipe(Effect.provide(Emulator.layerClient({ passwordCost: 1, project })))
  )
})

describe("updateUser", () => {
  it.effect("leaves alone what the patch does not name", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      const emulator = yield* Emulator.Emulator
      yield* signedIn
      yield* users.updateUser({ state: { cart: [1, 2] } })
      const [before] = yield* emulator.users
      yield* users.updateUser({ formData: FieldValue.string("name_reg", "Anna") })
      const [after] = yield* emulator.users
      assert.deepStrictEqual(after?.state, { cart: [1, 2] })
      assert.deepStrictEqual(after?.notificationData, before?.notificationData)
      assert.strictEqual(after?.login, login)
      yield* signIn(login, password)
    }).pipe(Effect.provide(here))
  )

  it.effect(
    "finds the form by the profile, and the password's marker by the form; what is at hand is not asked for",
    () =>
      Effect.gen(function* () {
        const users = yield* Users.Users
        yield* signedIn
        const form = yield* Forms.Forms.use((forms) => forms.getFormByMarker("reg"))
        const all = yield* sentBy(users.updateUser({ newPassword: "second" }))
        assert.deepStrictEqual(all.sent, ["getUser", "getFormByMarker", "updateUser"])
        const named = yield* sentBy(users.updateUser({ formIdentifier: "reg", state: {} }))
        assert.deepStrictEqual(named.sent, ["updateUser"])
        const given = yield* sentBy(users.updateUser({ newPassword: "third" }, { form }))
        assert.deepStrictEqual(given.sent, ["updateUser"])
        yield* failsWith(signIn(login, "second"), "InvalidCredentials")
        yield* signIn(login, "third")
        yield* users.updateUser({
          authData: [{ marker: "password_reg", value: Redacted.make("fourth"), type: "string" }]
        })
        yield* signIn(login, "fourth")
      }).pipe(Effect.provide(here))
  )

  it.effect("refuses credentials that the server would, before anything but the form is asked for", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      yield* signedIn
      const form = yield* Forms.Forms.use((forms) => forms.getFormByMarker("reg"))
      const bad = (patch: Users.UserPatch) => Effect.flip(users.updateUser(patch, { form }))
      const { result, sent } = yield* sentBy(
        Effect.all([
          bad({ authData: [{ marker: "email_reg", value: "eve@example.com" }] }),
          bad({ authData: [{ marker: "typo", value: "x" }] }),
          bad({ authData: [{ marker: "password_reg", value: "" }] }),
          bad({ authData: [] }),
          bad({ authData: authData() }),
          bad({ newPassword: "" }),
          bad({ newPassword: "x", authData: [{ marker: "password_reg", value: "y" }] }),
          bad({}),
          bad({ formData: FieldValue.string("name_reg", "") })
        ])
      )
      assert.deepStrictEqual(sent, [])
      assert.deepStrictEqual(result.slice(0, 3).map(issuesOf), [
        [["email_reg", "form"]],
        [["typo", "unknownMarker"]],
        [["password_reg", "missing"]]
      ])
      assert.match(result[0].message, /email_reg: is the login.*formData/)
      for (const error of result.slice(3, 8))
        assert(error._tag === "OneEntryError" && error.reason._tag === "InvalidRequest")
      assert.match(result[3].message, /`authData` must be exactly one item/)
      assert.match(result[7].message, /nothing to change/)
      assert.deepStrictEqual(issuesOf(result[8]), [["reg", "form"]])
    }).pipe(Effect.provide(here))
  )

  it.effect("a form without a password field says so", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      yield* signedIn
      const form = yield* Forms.Forms.use((forms) => forms.getFormByMarker("contact_us"))
      const blank = yield* Forms.Forms.use((forms) => forms.getFormByMarker("blank"))
      const { result, sent } = yield* sentBy(
        Effect.all([
          Effect.flip(users.updateUser({ newPassword: "x" }, { form })),
          Effect.flip(users.updateUser({ newPassword: "x" }, { form: blank }))
        ])
      )
      assert.deepStrictEqual(sent, [])
      assert.match(result[0].message, /^contact_us: has no password field: .*changePassword/)
      assert.match(result[1].message, /^blank: has no password field/)
    }).pipe(Effect.provide(here))
  )

  it.effect("fields are checked against the form where it is given, by the server where it is not", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      yield* signedIn
      const form = yield* Forms.Forms.use((forms) => forms.getFormByMarker("reg"))
      const { result, sent } = yield* sentBy(
        Effect.flip(
          users.updateUser(
            {
              formData: [FieldValue.string("typo", "x"), { marker: "name_reg", type: "date", value: "2024-02-31" }]
            },
            { form }
          )
        )
      )
      assert.deepStrictEqual(sent, [])
      assert.sameDeepMembers(issuesOf(result), [
        ["typo", "unknownMarker"],
        ["name_reg", "type"]
      ])
      const encoded = yield* sentBy(Effect.flip(users.updateUser({ formData: FieldValue.date("day", "2024-02-31") })))
      assert.deepStrictEqual([encoded.sent, issuesOf(encoded.result)], [[], [["day", "type"]]])
      const server = yield* failsWith(
        users.updateUser({ formData: FieldValue.date("name_reg", "2024-02-28") }),
        "FormInvalid"
      )
      assert.deepStrictEqual(issuesOf(server), [["name_reg", "server"]])
      yield* failsWith(users.updateUser({ formIdentifier: "typo", newPassword: "x" }), "FormNotFound")
    }).pipe(Effect.provide(here))
  )

  it.effect("files are uploaded first, and one that fails keeps the profile as it was", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      const credentials = [FieldValue.auth("login", "rick"), FieldValue.auth("secret", "x")]
      yield* auth.signUp("rich", { formIdentifier: "rich", authData: credentials })
      yield* auth.auth("rich", { authData: credentials })
      const picture = new File(["pixels"], "me.png", { type: "image/png" })
      const avatar = FieldValue.image("image", picture, { type: "page", entity: "editor", id: 1 })
      const { sent } = yield* sentBy(users.updateUser({ formIdentifier: "rich", formData: avatar }))
      assert.deepStrictEqual(sent, ["upload", "updateUser"])
      const stored = yield* valueOf("image")
      assert(Array.isArray(stored) && stored[0].size === 6)
      yield* emulator.faults.add({ kind: "status", operation: "upload", status: 500 })
      const failed = yield* sentBy(
        failsWith(users.updateUser({ formIdentifier: "rich", formData: avatar }), "UploadFailed")
      )
      assert.deepStrictEqual(failed.sent, ["upload"])
      const huge = yield* sentBy(
        failsWith(users.updateUser({ formIdentifier: "rich", formData: avatar }, { maxFileBytes: 5 }), "UploadFailed")
      )
      assert.deepStrictEqual(huge.sent, [])
      assert(huge.result._tag === "UploadFailed" && huge.result.marker === "image")
    }).pipe(Effect.provide(here))
  )

  it.effect("a new login moves the credential, unless somebody has it", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      yield* register("bob@example.com")
      yield* signedIn
      yield* failsWith(
        users.updateUser({ formData: FieldValue.string("email_reg", "bob@example.com") }),
        "UserAlreadyExists"
      )
      yield* users.updateUser({ formData: FieldValue.string("email_reg", "anna@example.com") })
      yield* signIn("anna@example.com")
    }).pipe(Effect.provide(here))
  )

  it.effect("people who came by OAuth can change their state; contacts are refused with the remedy", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      yield* signInByNetwork()
      const none = yield* failsWith(users.updateUser({ state: { a: 1 } }), "OneEntryError/InvalidRequest")
      assert.match(none.message, /provider has no form/)
      yield* users.updateUser({
        formIdentifier: "reg",
        state: { a: 1 },
        formData: FieldValue.string("name_reg", "Eve")
      })
      const user = yield* users.getUser()
      assert.deepInclude(user, { identifier: "eve@example.com", state: { a: 1 } })
      const contacts = yield* failsWith(
        users.updateUser({ formIdentifier: "reg", notificationData: { email: "eve@example.com" } }),
        "OneEntryError/InvalidRequest"
      )
      assert.match(contacts.message, /`notificationData`.*leave it out/)
    }).pipe(Effect.provide(here))
  )

  it.effect("contacts go along only where they are named", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      const emulator = yield* Emulator.Emulator
      yield* signedIn
      yield* users.updateUser({ notificationData: { email: "other@example.com", phonePush: [], phoneSMS: "" } })
      assert.deepInclude((yield* emulator.users)[0]?.notificationData, { email: "other@example.com" })
    }).pipe(Effect.provide(here))
  )

  it.effect("changes nothing that it is given, and refuses a state that is no JSON", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      yield* signedIn
      yield* users.updateUser(
        deepFreeze({
          formIdentifier: "reg",
          formData: [FieldValue.string("name_reg", "Anna")],
          state: { deep: { er: [1] } },
          notificationData: { email: "a@b.io", phonePush: ["+1"] }
        })
      )
      const cycle: { [key: string]: never } = {}
      Object.assign(cycle, { cycle })
      const { result, sent } = yield* sentBy(
        failsWith(users.updateUser({ state: cycle }), "OneEntryError/InvalidRequest")
      )
      assert.deepStrictEqual(sent, [])
      assert.match(result.message, /`state` must be an object/)
    }).pipe(Effect.provide(here))
  )
})

describe("leaving", () => {
  it.effect("a refused request keeps the session", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      const emulator = yield* Emulator.Emulator
      yield* signedIn
      yield* emulator.faults.add({ kind: "status", status: 500, count: 2 })
      yield* failsWith(users.archiveUser(), "OneEntryError/ServerFailure")
      yield* failsWith(users.deleteUser(), "OneEntryError/ServerFailure")
      assert.isTrue(yield* isSignedIn)
      yield* users.getUser()
    }).pipe(Effect.provide(here))
  )

  it.effect("tells whoever listens", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      yield* signedIn
      const { sent } = yield* sentBy(users.archiveUser())
      assert.deepStrictEqual(sent, ["archiveUser"])
      const after = yield* sentBy(failsWith(users.getUser(), "NotAuthenticated"))
      assert.deepStrictEqual(after.sent, [])
    }).pipe(Effect.provide(here))
  )
})

describe("push tokens", () => {
  it.effect("are in no span, no error and no log of requests; an empty one sends nothing", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      const emulator = yield* Emulator.Emulator
      yield* signedIn
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      yield* emulator.faults.add({ kind: "status", operation: "deleteFCMToken", status: 500, count: 1 })
      const error = yield* Effect.gen(function* () {
        yield* users.addFCMToken("fcm-secret")
        return yield* Effect.flip(users.deleteFCMToken("fcm-secret"))
      }).pipe(Effect.withSpan("page"), Effect.withTracer(tracer))
      assert.isAbove(spans.length, 0)
      const shown = JSON.stringify([
        spans.map(({ attributes, name }) => [name, [...attributes]]),
        error,
        yield* emulator.requests
      ])
      assert.notInclude(shown, "fcm-secret")
      const { sent } = yield* sentBy(
        Effect.all([
          failsWith(users.addFCMToken(""), "OneEntryError/InvalidRequest"),
          failsWith(users.deleteFCMToken(Redacted.make("..")), "OneEntryError/InvalidRequest")
        ])
      )
      assert.deepStrictEqual(sent, [])
    }).pipe(Effect.provide(here))
  )

  it.effect("are refreshed for, as every call is", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      const emulator = yield* Emulator.Emulator
      yield* signedIn
      yield* emulator.expireAccessTokens
      yield* users.addFCMToken("token")
      assert.deepStrictEqual([yield* count("addFCMToken"), yield* count("refresh")], [2, 1])
    }).pipe(Effect.provide(here))
  )
})

describe("a server of another era", () => {
  const older: Project.Input = { ...project, switches: { usersWithoutSession: 500, loginChange: "refused" } }

  it.effect("says 500 where nobody is signed in: nothing is sent at all", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      const { sent } = yield* sentBy(failsWith(users.updateUser({ state: {} }), "NotAuthenticated"))
      assert.deepStrictEqual(sent, [])
    }).pipe(Effect.provide(inProcess(undefined, { project: older })))
  )

  it.effect("may keep the login as it is", () =>
    Effect.gen(function* () {
      const users = yield* Users.Users
      yield* signedIn
      const error = yield* failsWith(
        users.updateUser({ formData: FieldValue.string("email_reg", "anna@example.com") }),
        "OneEntryError/Unexpected"
      )
      assert.match(error.message, /Login cannot be changed/)
    }).pipe(Effect.provide(inProcess(undefined, { project: older })))
  )
})
