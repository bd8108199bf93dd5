import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Emulator, Messages, Project } from "effect-oneentry/emulator"
import {
  auth,
  call,
  inProcess,
  login,
  me,
  ok,
  password,
  project,
  refresh,
  refused,
  registered,
  signIn,
  signUp,
  signUpBody,
  tokensOf
} from "./support.ts"

const text = (name: Messages.Name) => Messages.table[name].text
const path = "/api/content/users/me"
const base = { formIdentifier: "reg", langCode: "en_US" }

const withSwitches = (switches: NonNullable<Project.Input["switches"]>) =>
  inProcess({ project: project(Project.defaultProject, { switches }) })

describe("GET /users/me", () => {
  it.effect("is the profile, raw", () =>
    Effect.gen(function* () {
      const tokens = yield* registered()
      ok(yield* call("GET", `${path}?langCode=en_US`, { bearer: tokens.accessToken }), 200, {
        id: 1,
        total: "1",
        identifier: login,
        authProviderIdentifier: "email",
        formIdentifier: "reg",
        formData: signUpBody().formData,
        groups: [1],
        state: {},
        rating: {},
        moduleFormConfigs: []
      })
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("PUT /users/me", () => {
  it.effect("authData behaves as it was measured", () =>
    Effect.gen(function* () {
      const { accessToken: bearer } = yield* registered()
      const update = (more: object) => call("PUT", path, { bearer, body: { ...base, ...more } })
      const missed = "Login or password values are missed"
      ok(yield* update({}), 200, true)
      assert.strictEqual((yield* auth()).status, 201)
      const fresh = yield* signIn()
      const again = (more: object) => call("PUT", path, { bearer: fresh.accessToken, body: { ...base, ...more } })
      refused(yield* again({ authData: [] }), 400, missed)
      refused(yield* again({ authData: [{ marker: "email_reg", value: login }] }), 400, missed)
      refused(
        yield* again({
          authData: [
            { marker: "email_reg", value: login },
            { marker: "password_reg", value: "x" }
          ]
        }),
        400,
        `"authData" must contain less than or equal to 1 items`
      )
      refused(
        yield* again({ authData: [{ marker: "password_reg", type: "string", value: "x" }] }),
        400,
        `"authData[0].type" is not allowed`
      )
      ok(yield* again({ authData: [{ marker: "password_reg", value: "new one" }] }), 200, true)
      refused(yield* auth(login, password), 401, text("WrongCredentials"))
      tokensOf(yield* auth(login, "new one", "device-2"))
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("merges form data by marker, and replaces the state as a whole", () =>
    Effect.gen(function* () {
      const { accessToken: bearer } = yield* registered()
      const update = (more: object) => call("PUT", path, { bearer, body: { ...base, ...more } })
      ok(
        yield* update({
          formData: { en_US: [{ marker: "name_reg", type: "string", value: "Anna" }] },
          state: { a: { b: [1, null] } },
          notificationData: { email: "other@example.com" }
        }),
        200,
        true
      )
      ok(yield* update({ state: { c: 1 } }), 200, true)
      const profile = Object((yield* me(bearer)).json)
      assert.deepStrictEqual(profile.state, { c: 1 })
      assert.deepStrictEqual(
        profile.formData.en_US.find((item: { marker: string }) => item.marker === "name_reg").value,
        "Anna"
      )
      assert.lengthOf(profile.formData.en_US, 3)
      const [user] = yield* Emulator.Emulator.use((emulator) => emulator.users)
      assert.deepStrictEqual(user?.notificationData, { email: "other@example.com" })
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("refuses wrong bodies", () =>
    Effect.gen(function* () {
      const { accessToken: bearer } = yield* registered()
      const rows: ReadonlyArray<readonly [unknown, string]> = [
        [{}, `"formIdentifier" is required`],
        [{ formIdentifier: "reg" }, `"langCode" is required`],
        [{ ...base, x: 1 }, `"x" is not allowed`],
        [{ ...base, state: [] }, `"state" must be of type object`],
        [{ ...base, formIdentifier: "nope" }, "form is not defined"],
        [{ ...base, langCode: "xx" }, text("FormDataEmpty")],
        [{ ...base, formData: { en_US: [{ marker: "nope", type: "string", value: "x" }] } }, text("FieldUnknown")],
        [{ ...base, notificationData: { phoneSMS: "" } }, `"notificationData.phoneSMS" is not allowed to be empty`]
      ]
      for (const [body, message] of rows) refused(yield* call("PUT", path, { bearer, body }), 400, message)
      refused(yield* call("PUT", path, { body: base }), 401, "Unauthorized")
    }).pipe(Effect.provide(inProcess()))
  )

  const moveTo = (bearer: string, value: string) =>
    call("PUT", path, {
      bearer,
      body: { ...base, formData: { en_US: [{ marker: "email_reg", type: "string", value }] } }
    })

  it.effect("a new login in the form data moves the credential", () =>
    Effect.gen(function* () {
      const { accessToken: bearer } = yield* registered()
      assert.strictEqual((yield* signUp("bob@example.com")).status, 201)
      refused(yield* moveTo(bearer, "BOB@example.com"), 400, text("UserExists"))
      refused(yield* moveTo(bearer, "no address"), 400, "formData's marker 'email_reg' value is missing or incorrect")
      ok(yield* moveTo(bearer, "Ann@example.org"), 200, true)
      refused(yield* auth(), 401, text("WrongCredentials"))
      assert.strictEqual((yield* auth("Ann@example.org", password, "device-2")).status, 201)
      assert.deepInclude(Object((yield* me(bearer)).json), { identifier: "Ann@example.org" })
      assert.strictEqual((yield* signUp()).status, 201)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("or is refused with the switch", () =>
    Effect.gen(function* () {
      const { accessToken: bearer } = yield* registered()
      refused(yield* moveTo(bearer, "ann@example.org"), 400, text("LoginCannotChange"))
      ok(yield* moveTo(bearer, login), 200, true)
    }).pipe(Effect.provide(withSwitches({ loginChange: "refused" })))
  )
})

describe("leaving", () => {
  it.effect("archive keeps the login, delete frees it", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const ann = yield* registered()
      ok(yield* call("DELETE", path, { bearer: ann.accessToken }), 200, true)
      refused(yield* me(ann.accessToken), 401, "Unauthorized")
      refused(yield* refresh(ann.refreshToken), 400, "Provided token is incorrect")
      refused(yield* auth(), 401, text("WrongCredentials"))
      refused(yield* signUp(), 400, text("UserExists"))
      const bob = yield* registered("bob@example.com")
      ok(yield* call("DELETE", `${path}/account`, { bearer: bob.accessToken }), 200, true)
      refused(yield* me(bob.accessToken), 401, "Unauthorized")
      assert.strictEqual((yield* signUp("bob@example.com")).status, 201)
      assert.deepStrictEqual(
        (yield* emulator.users).map((user) => [user.login, user.isDeleted]),
        [
          [login, true],
          ["bob@example.com", false]
        ]
      )
      refused(yield* call("DELETE", path), 401, "Unauthorized")
      refused(yield* call("DELETE", `${path}/account`), 401, "Unauthorized")
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("device tokens", () => {
  it.effect("are added and removed, and masked in the log", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const { accessToken: bearer } = yield* registered()
      const token = `fcm:${"x".repeat(160)}`
      ok(yield* call("POST", `${path}/fcm-token/${encodeURIComponent(token)}`, { bearer }), 201, true)
      ok(yield* call("POST", `${path}/fcm-token/${encodeURIComponent(token)}`, { bearer }), 201, true)
      assert.deepStrictEqual((yield* emulator.users)[0]?.fcmTokens, [token])
      ok(yield* call("DELETE", `${path}/fcm-token/${encodeURIComponent(token)}`, { bearer }), 200, true)
      assert.deepStrictEqual((yield* emulator.users)[0]?.fcmTokens, [])
      refused(yield* call("POST", `${path}/fcm-token/abc`), 401, "Unauthorized")
      assert.notInclude(JSON.stringify(yield* emulator.requests), "xxxxxxxx")
    }).pipe(Effect.provide(inProcess()))
  )
})
