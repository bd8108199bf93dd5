import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Emulator, Messages, Project } from "effect-oneentry/emulator"
import { createHmac } from "node:crypto"
import {
  auth,
  authData,
  call,
  device,
  inProcess,
  login,
  me,
  ok,
  password,
  project,
  providers,
  refresh,
  refused,
  register,
  registered,
  signIn,
  signUp,
  signUpBody,
  tokensOf,
  users
} from "./support.ts"

const text = (name: Messages.Name) => Messages.table[name].text
const unauthorized = "Unauthorized"

const withSwitches = (switches: NonNullable<Project.Input["switches"]>) =>
  inProcess({ project: project(Project.defaultProject, { switches }) })

const [firstProvider] = Project.defaultProject.providers ?? []

const twoProviders = project(Project.defaultProject, {
  providers: [
    { ...firstProvider, identifier: "email" },
    { ...firstProvider, id: 2, identifier: "second" },
    { ...firstProvider, id: 3, identifier: "off", isActive: false },
    { ...firstProvider, id: 4, identifier: "formless", formIdentifier: null },
    { id: 5, identifier: "open", formIdentifier: "reg" }
  ]
})

describe("sign-up", () => {
  it.effect("answers as captured, issues a code at once and awaits activation", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* TestClock.adjust("1 hour")
      const body = signUpBody()
      ok(yield* call("POST", `${users}/sign-up`, { body }), 201, {
        id: 1,
        identifier: login,
        isActive: false,
        formData: body.formData,
        notificationData: body.notificationData,
        locale: "en_US",
        createdDate: "1970-01-01T01:00:00.000Z",
        updatedDate: "1970-01-01T01:00:00.000Z",
        deletedAt: null,
        isDeleted: false,
        version: 0,
        state: {}
      })
      const [message] = yield* emulator.outbox
      assert.deepInclude(message, {
        to: login,
        channel: "email",
        userIdentifier: login,
        marker: "email",
        event: "auth",
        at: 3_600_000
      })
      assert.match(message?.code ?? "", /^[0-9A-Z]{6}$/)
      assert.strictEqual(yield* emulator.awaitCode(login), message?.code)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("wants only langCode and authData", () =>
    Effect.gen(function* () {
      const answer = yield* call("POST", `${users}/sign-up`, { body: { langCode: "en_US", authData: authData() } })
      assert.strictEqual(answer.status, 201)
      assert.deepStrictEqual(Object(answer.json).formData, {})
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("is active at once where the provider has no activation", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const answer = yield* call("POST", `${providers}/marker/open/users/sign-up`, { body: signUpBody() })
      assert.deepInclude(Object(answer.json), { isActive: true })
      assert.deepStrictEqual(yield* emulator.outbox, [])
    }).pipe(Effect.provide(inProcess({ project: twoProviders })))
  )

  it.effect("refuses wrong bodies in Joi's words", () =>
    Effect.gen(function* () {
      const good = signUpBody()
      const rows: ReadonlyArray<readonly [unknown, string]> = [
        [{}, `"langCode" is required`],
        [{ ...good, langCode: "" }, `"langCode" is not allowed to be empty`],
        [{ ...good, langCode: 1 }, `"langCode" must be a string`],
        [{ langCode: "en_US" }, `"authData" is required`],
        [{ ...good, authData: {} }, `"authData" must be an array`],
        [{ ...good, authData: ["x"] }, `"authData[0]" must be of type object`],
        [
          { ...good, authData: [{ marker: "email_reg", value: "a@b.io", type: "string" }] },
          `"authData[0].type" is not allowed`
        ],
        [{ ...good, authData: [{ marker: "email_reg", value: "" }] }, `"authData[0].value" is not allowed to be empty`],
        [{ ...good, authData: [{ marker: "email_reg" }] }, `"authData[0].value" is required`],
        [{ ...good, authData: [{ marker: "email_reg", value: 1 }] }, `"authData[0].value" must be a string`],
        [{ ...good, extra: 1 }, `"extra" is not allowed`],
        [{ ...good, constructor: 1 }, `"constructor" is not allowed`],
        [{ ...good, formData: good.formData.en_US }, `"formData" must be of type object`],
        [{ ...good, formData: { en_US: {} } }, `"formData.en_US" must be an array`],
        [{ ...good, formData: { en_US: [{ type: "string", value: "x" }] } }, `"formData.en_US[0].marker" is required`],
        [
          { ...good, formData: { en_US: [{ marker: "a", value: 1, fileQuery: {} }] } },
          `"formData.en_US[0].fileQuery" is not allowed`
        ],
        [{ ...good, notificationData: { phoneSMS: "" } }, `"notificationData.phoneSMS" is not allowed to be empty`],
        [{ ...good, notificationData: { email: 1 } }, `"notificationData.email" must be a string`],
        [{ ...good, notificationData: { other: 1 } }, `"notificationData.other" is not allowed`],
        [[], `"value" must be of type object`]
      ]
      for (const [body, message] of rows) refused(yield* call("POST", `${users}/sign-up`, { body }), 400, message)
      assert.lengthOf(yield* Emulator.Emulator.use((e) => e.users), 0)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("wants exactly the login and the password of the form", () =>
    Effect.gen(function* () {
      const rows = [
        [],
        [{ marker: "email_reg", value: login }],
        [{ marker: "password_reg", value: password }],
        [
          { marker: "email", value: login },
          { marker: "password", value: password }
        ],
        [...authData(), { marker: "name_reg", value: "Ann" }]
      ]
      for (const items of rows) {
        const answer = yield* call("POST", `${users}/sign-up`, { body: { ...signUpBody(), authData: items } })
        refused(answer, 400, "Login or password values are missed")
      }
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("checks the form data", () =>
    Effect.gen(function* () {
      const send = (formData: unknown, more: object = {}) =>
        call("POST", `${users}/sign-up`, { body: { ...signUpBody(), formData, ...more } })
      refused(yield* send({ de_DE: [{ marker: "name_reg", type: "string", value: "x" }] }), 400, text("FormDataEmpty"))
      refused(yield* send({}, { langCode: "de_DE" }), 400, text("FormDataEmpty"))
      refused(
        yield* send({ en_US: [{ marker: "name_reg", type: "text", value: "x" }] }),
        400,
        "formData's marker 'name_reg' type must be one of [string]"
      )
      refused(
        yield* send({ en_US: [{ marker: "name_reg", type: "string", value: 5 }] }),
        400,
        "formData's marker 'name_reg' value is missing or incorrect"
      )
      refused(
        yield* send({ en_US: [{ marker: "nope", type: "string", value: "x" }] }),
        400,
        "wrong form's attribute type"
      )
      refused(
        yield* send({ en_US: [{ marker: "password_reg", type: "string", value: "x" }] }),
        400,
        "wrong form's attribute type"
      )
      const credential = yield* call("POST", `${users}/sign-up`, { body: signUpBody("no address") })
      refused(credential, 400, "formData's marker 'email_reg' value is missing or incorrect")
      refused(yield* send(undefined, { formIdentifier: "nope" }), 400, "form is not defined")
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("wants the fields of the sign-up flag, and never passes with a captcha", () =>
    Effect.gen(function* () {
      const send = (marker: string, items: ReadonlyArray<object> | undefined) =>
        call("POST", `${providers}/marker/${marker}/users/sign-up`, {
          body: {
            langCode: "en_US",
            authData: authData(),
            ...(items === undefined ? {} : { formData: { en_US: items } })
          }
        })
      const missing = "formData's marker 'name' value is missing or incorrect"
      const name = { marker: "name", type: "string", value: "Ann" }
      refused(yield* send("flagged", undefined), 400, missing)
      refused(yield* send("flagged", [{ ...name, value: "" }]), 400, missing)
      assert.strictEqual((yield* send("flagged", [name])).status, 201)
      refused(yield* send("guarded", [name]), 400, text("CaptchaMissing"))
      const spam = { marker: "spam", type: "spam", value: { event: { token: "x", siteKey: "y" } } }
      refused(yield* send("guarded", [name, spam]), 400, text("CaptchaFailed"))
    }).pipe(
      Effect.provide(
        inProcess({
          project: {
            providers: [
              { identifier: "flagged", formIdentifier: "flagged" },
              { identifier: "guarded", formIdentifier: "guarded" }
            ],
            forms: ["flagged", "guarded"].map((identifier) => ({
              identifier,
              type: "sing_in_up" as const,
              attributes: [
                { type: "string" as const, marker: "email_reg", isLogin: true },
                // how forms older than the flag mark a password
                {
                  type: "string" as const,
                  marker: "password_reg",
                  additionalFields: [{ marker: "type", value: "password" }]
                },
                { type: "string" as const, marker: "name", isSignUpRequired: true },
                { type: "string" as const, marker: "optional", validators: { requiredValidator: { strict: true } } },
                ...(identifier === "guarded" ? [{ type: "spam" as const, marker: "spam" }] : [])
              ]
            }))
          }
        })
      )
    )
  )

  it.effect("takes a login once, whatever its case, archived users included", () =>
    Effect.gen(function* () {
      const tokens = yield* registered()
      refused(yield* signUp(), 400, text("UserExists"))
      refused(yield* signUp("ANN@Example.com"), 400, text("UserExists"))
      ok(yield* call("DELETE", "/api/content/users/me", { bearer: tokens.accessToken }), 200, true)
      refused(yield* signUp(), 400, text("UserExists"))
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("lets one of two sign-ups at once win", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.all([signUp(), signUp(), signUp("Ann@example.com")], { concurrency: 3 })
      assert.deepStrictEqual(answers.map((answer) => answer.status).sort(), [201, 400, 400])
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("refuses telephone numbers with the switch", () =>
    Effect.gen(function* () {
      const send = (notificationData: object) =>
        call("POST", `${users}/sign-up`, { body: { ...signUpBody(), notificationData } })
      refused(yield* send({ phonePush: [] }), 400, `"notificationData.phonePush" is not allowed`)
      refused(yield* send({ phoneSMS: "+1" }), 400, `"notificationData.phoneSMS" is not allowed`)
      assert.strictEqual((yield* send({ email: login })).status, 201)
    }).pipe(Effect.provide(withSwitches({ notificationPhones: "refuse" })))
  )

  it.effect("can answer 409, and show the login among the form data", () =>
    Effect.gen(function* () {
      const answer = yield* signUp()
      assert.deepStrictEqual(Object(answer.json).formData.en_US[0], {
        marker: "email_reg",
        type: "string",
        value: login
      })
      refused(yield* signUp(), 409, text("UserExists"))
    }).pipe(Effect.provide(withSwitches({ userExistsStatus: 409, loginInFormData: true })))
  )

  it.effect("users who never activate are removed in time", () =>
    Effect.gen(function* () {
      yield* signUp()
      yield* TestClock.adjust("47 hours")
      refused(yield* signUp(), 400, text("UserExists"))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* signUp()).status, 201)
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("providers that are not there", () => {
  it.effect("are refused at each operation", () =>
    Effect.gen(function* () {
      const post = (marker: string, operation: string, body: object, bearer?: string) =>
        call("POST", `${providers}/marker/${marker}/${operation}`, {
          body,
          device: device(),
          ...(bearer === undefined ? {} : { bearer })
        })
      yield* register()
      const { accessToken, refreshToken } = yield* signIn()
      const code = { userIdentifier: login, eventIdentifier: "auth", code: "1" }
      for (const marker of ["nope", "off"]) {
        const message = text("ProviderNotDefined")
        refused(yield* post(marker, "users/sign-up", signUpBody()), 400, message)
        refused(yield* post(marker, "users/auth", { authData: authData() }), 400, message)
        refused(
          yield* post(marker, "users/generate-code", { userIdentifier: login, eventIdentifier: "auth" }),
          400,
          message
        )
        refused(yield* post(marker, "users/check-code", code), 400, message)
        refused(yield* post(marker, "users/activate", { userIdentifier: login, code: "1" }), 400, message)
        refused(yield* post(marker, "users/refresh", { refreshToken }), 400, message)
        refused(yield* post(marker, "oauth", { code: "x" }), 400, message)
        refused(yield* post(marker, "users/logout", { refreshToken }, accessToken), 400, message)
        refused(yield* post(marker, "users/logout-all", {}, accessToken), 400, message)
        refused(yield* post(marker, "users/change-password", { ...code, password1: "a", password2: "a" }), 404, message)
      }
      refused(yield* call("GET", `${providers}/marker/nope`), 404, text("ProviderNotFound"))
      refused(yield* post("formless", "users/auth", { authData: authData() }), 400, "form is not defined")
    }).pipe(Effect.provide(inProcess({ project: twoProviders })))
  )
})

describe("codes", () => {
  const generate = (body: object = { userIdentifier: login, eventIdentifier: "auth" }) =>
    call("POST", `${users}/generate-code`, { body })
  const check = (code: string, userIdentifier = login) =>
    call("POST", `${users}/check-code`, { body: { userIdentifier, eventIdentifier: "1", code } })
  const activate = (code: string) => call("POST", `${users}/activate`, { body: { userIdentifier: login, code } })
  const exceeded = text("CodeAttemptsExceeded")
  const incorrect = "User code is expired or incorrect"

  it.effect("generate-code: one live code, refused until it expires", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      yield* TestClock.adjust("119 seconds")
      refused(yield* generate(), 400, "User already has a code")
      yield* TestClock.adjust("1 second")
      const before = yield* emulator.outbox
      const answer = yield* generate()
      assert.deepStrictEqual([answer.status, answer.text], [201, ""])
      const after = yield* emulator.outbox
      assert.strictEqual(after.length, before.length + 1)
      ok(yield* check(after.at(-1)?.code ?? ""), 201, true)
      ok(yield* check(before.at(-1)?.code ?? ""), 201, false)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("generate-code: the body, the event, the user, in this order", () =>
    Effect.gen(function* () {
      yield* signUp()
      refused(yield* generate({ userIdentifier: login }), 400, ["eventIdentifier should not be empty"])
      refused(yield* generate({ userIdentifier: login, eventIdentifier: "" }), 400, [
        "eventIdentifier should not be empty"
      ])
      refused(yield* generate({ userIdentifier: 1, eventIdentifier: "auth" }), 400, ["userIdentifier must be a string"])
      refused(yield* generate({ userIdentifier: login, eventIdentifier: "auth", x: 1 }), 400, [
        "property x should not exist"
      ])
      refused(
        yield* generate({ userIdentifier: "nobody", eventIdentifier: "reg" }),
        404,
        `Event "reg" with formType "send_code" not found`
      )
      refused(
        yield* generate({ userIdentifier: login, eventIdentifier: "order" }),
        404,
        `Event "order" with formType "send_code" not found`
      )
      refused(yield* generate({ userIdentifier: "nobody", eventIdentifier: "auth" }), 404, "User not found")
      assert.lengthOf(yield* Emulator.Emulator.use((e) => e.outbox), 1)
    }).pipe(
      Effect.provide(
        inProcess({
          project: project(Project.defaultProject, {
            events: [{ identifier: "auth" }, { identifier: "order", formType: "order" }]
          })
        })
      )
    )
  )

  it.effect("generate-code with the reissue window", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      const first = yield* emulator.awaitCode(login)
      const early = yield* generate()
      refused(early, 429, text("CodeReissueTooSoon"))
      assert.strictEqual(early.headers["retry-after"], "30")
      ok(yield* check(first), 201, true)
      yield* TestClock.adjust("30 seconds")
      ok(yield* generate(), 201, true)
      const second = yield* emulator.awaitCode(login)
      assert.notStrictEqual(second, first)
      ok(yield* check(first), 201, false)
      ok(yield* check(second), 201, true)
    }).pipe(
      Effect.provide(withSwitches({ codePolicy: "reissue-window-429", retryAfter: true, generateCodeBody: "true" }))
    )
  )

  it.effect("the wait, the number of wrong codes and the status of an unknown user are the project's to say", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      refused(yield* check("x", "nobody"), 400, "User not found")
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual((yield* generate()).status, 429)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* generate()).status, 201)
      const code = yield* emulator.awaitCode(login)
      ok(yield* check("x"), 201, false)
      refused(yield* check("x"), 429, text("CodeAttemptsExceeded"))
      ok(yield* check(code), 201, false)
    }).pipe(
      Effect.provide(
        withSwitches({
          codePolicy: "reissue-window-429",
          reissueWindowSec: 10,
          codeAttempts: 2,
          userNotFoundStatus: 400
        })
      )
    )
  )

  it.effect("check-code gives true or false, and does not consume the code", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      const code = yield* emulator.awaitCode(login)
      ok(yield* check(code), 201, true)
      ok(yield* check(code), 201, true)
      ok(yield* check(` ${code}`), 201, false)
      ok(yield* check(code.toLowerCase() === code ? "x" : code.toLowerCase()), 201, false)
      refused(yield* check(code, "nobody"), 404, "User not found")
      refused(yield* check(code, login.toUpperCase()), 404, "User not found")
      const extra = yield* call("POST", `${users}/check-code`, { body: { userIdentifier: login, code, type: 1 } })
      refused(extra, 400, ["property type should not exist"])
      ok(yield* call("POST", `${users}/check-code`, { body: { userIdentifier: login, code } }), 201, true)
      yield* TestClock.adjust("120 seconds")
      ok(yield* check(code), 201, false)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("activate consumes the code", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      const code = yield* emulator.awaitCode(login)
      refused(yield* activate("wrong"), 400, incorrect)
      ok(yield* activate(code), 201, true)
      assert.deepInclude((yield* emulator.users)[0], { isActive: true })
      refused(yield* activate(code), 400, incorrect)
      ok(yield* check(code), 201, false)
      refused(
        yield* call("POST", `${users}/activate`, { body: { userIdentifier: "nobody", code } }),
        404,
        "User not found"
      )
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("activate can answer false", () =>
    Effect.gen(function* () {
      yield* signUp()
      ok(yield* activate("wrong"), 201, false)
    }).pipe(Effect.provide(withSwitches({ activateWrongCode: "false" })))
  )

  it.effect("the fifth wrong code destroys the code; the four calls count together", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      const code = yield* emulator.awaitCode(login)
      ok(yield* check("wrong"), 201, false)
      refused(yield* activate("wrong"), 400, incorrect)
      const byCode = yield* call("POST", `${users}/auth`, {
        body: { authData: [{ marker: "email_reg", value: login }], code: "wrong" },
        device: device()
      })
      refused(byCode, 401, text("CodeRejectedAtAuth"))
      const change = yield* call("POST", `${users}/change-password`, {
        body: { userIdentifier: login, eventIdentifier: "x", code: "wrong", type: 1, password1: "n", password2: "n" }
      })
      refused(change, 400, incorrect)
      refused(yield* check("wrong"), 429, exceeded)
      ok(yield* check(code), 201, false)
      refused(yield* activate(code), 400, incorrect)
      assert.strictEqual((yield* generate()).status, 201)
      ok(yield* check(yield* emulator.awaitCode(login)), 201, true)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("have the length and the alphabet of the config, and go where the user is reached", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* call("POST", `${providers}/marker/phone/users/sign-up`, {
        body: {
          langCode: "en_US",
          authData: [
            { marker: "email_reg", value: "a@b.io" },
            { marker: "password_reg", value: "1" }
          ],
          notificationData: { phoneSMS: "+49" }
        }
      })
      const [message] = yield* emulator.outbox
      assert.deepInclude(message, { to: "+49", channel: "sms", marker: "phone" })
      assert.match(message?.code ?? "", /^[0-9]{8}$/)
      yield* TestClock.adjust("10 seconds")
      const expired = yield* call("POST", `${providers}/marker/phone/users/check-code`, {
        body: { userIdentifier: "a@b.io", code: message?.code }
      })
      ok(expired, 201, false)
    }).pipe(
      Effect.provide(
        inProcess({
          project: project(Project.defaultProject, {
            providers: [
              {
                identifier: "phone",
                type: "phone",
                formIdentifier: "reg",
                isCheckCode: true,
                config: { systemCodeLength: 8, systemCodeOnlyNumbers: true, systemCodeTlsSec: 10 }
              }
            ]
          })
        })
      )
    )
  )
})

describe("sign-in", () => {
  it.effect("gives a token pair: a signed JWT, and a refresh token of the same moment", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_759_264_361_355)
      yield* register()
      const tokens = yield* signIn()
      assert.deepInclude(tokens, { userIdentifier: login, authProviderIdentifier: "email" })
      assert.match(
        tokens.refreshToken,
        /^1759264361355-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
      )
      const [header = "", payload = "", signature = ""] = tokens.accessToken.split(".")
      const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString())
      assert.deepStrictEqual(decode(header), { alg: "HS256", typ: "JWT" })
      const { jti, ...claims } = decode(payload)
      assert.isString(jti)
      assert.deepStrictEqual(claims, {
        id: 1,
        authProviderIdentifier: "email",
        userIdentifier: login,
        iat: 1_759_264_361,
        exp: 1_759_300_361
      })
      assert.strictEqual(
        signature,
        createHmac("sha256", "very secret").update(`${header}.${payload}`).digest("base64url")
      )
    }).pipe(
      Effect.provide(
        inProcess({
          project: project(Project.defaultProject, {
            providers: [{ ...firstProvider, identifier: "email", tokenSecretKey: "very secret" }]
          })
        })
      )
    )
  )

  it.effect("refuses wrong credentials with 401 and wrong bodies with 400", () =>
    Effect.gen(function* () {
      yield* register()
      const missed = "Login or password values are missed"
      refused(yield* auth(login, "wrong"), 401, text("WrongCredentials"))
      refused(yield* auth("nobody@example.com"), 401, text("WrongCredentials"))
      refused(yield* auth("Ann@example.com"), 401, text("WrongCredentials"))
      const send = (body: unknown) => call("POST", `${users}/auth`, { body, device: device() })
      refused(yield* send({}), 400, `"authData" is required`)
      refused(yield* send({ authData: [] }), 400, missed)
      refused(yield* send({ authData: [{ marker: "email_reg", value: login }] }), 400, missed)
      refused(
        yield* send({
          authData: [
            { marker: "email", value: login },
            { marker: "password", value: "x" }
          ]
        }),
        400,
        missed
      )
      refused(yield* send({ authData: authData(), formIdentifier: "reg" }), 400, `"formIdentifier" is not allowed`)
      refused(yield* send({ authData: authData(), langCode: "en_US" }), 400, `"langCode" is not allowed`)
      refused(
        yield* send({ authData: [{ marker: "email_reg", type: "string", value: login }] }),
        400,
        `"authData[0].type" is not allowed`
      )
      refused(
        yield* send({ authData: [{ marker: "email_reg", value: "" }] }),
        400,
        `"authData[0].value" is not allowed to be empty`
      )
      const log = (yield* Emulator.Emulator.use((e) => e.requests)).filter((entry) => entry.status === 401)
      assert.deepStrictEqual(
        log.map((entry) => entry.detail),
        ["wrong password", "unknown login", "unknown login"]
      )
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("waits for the activation", () =>
    Effect.gen(function* () {
      yield* signUp()
      refused(yield* auth(), 403, "User is not activated")
      refused(yield* auth(login, "wrong"), 401, text("WrongCredentials"))
    }).pipe(Effect.provide(withSwitches({ notActivatedStatus: 403 })))
  )

  it.effect("takes a code beside the data or among it, once", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      yield* signUp()
      const identity = [{ marker: "email_reg", value: login }]
      const send = (body: unknown) => call("POST", `${users}/auth`, { body, device: device() })
      const code = yield* emulator.awaitCode(login)
      const tokens = tokensOf(yield* send({ authData: identity, code }))
      assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
      refused(yield* send({ authData: identity, code }), 401, text("CodeRejectedAtAuth"))
      yield* call("POST", `${users}/generate-code`, { body: { userIdentifier: login, eventIdentifier: "auth" } })
      const second = yield* emulator.awaitCode(login)
      tokensOf(yield* send({ authData: [...identity, { marker: "code", value: second }] }))
      refused(
        yield* send({ authData: [{ marker: "email_reg", value: "nobody" }], code }),
        401,
        text("CodeRejectedAtAuth")
      )
      assert.strictEqual((yield* auth()).status, 201)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("takes no code where the provider has none", () =>
    Effect.gen(function* () {
      const answer = yield* call("POST", `${providers}/marker/open/users/auth`, {
        body: { authData: [{ marker: "email_reg", value: login }], code: "1" },
        device: device()
      })
      refused(answer, 400, `"code" is not allowed`)
    }).pipe(Effect.provide(inProcess({ project: twoProviders })))
  )

  it.effect("logins are unique in a provider, not across them", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* signUp()).status, 201)
      const other = yield* call("POST", `${providers}/marker/second/users/sign-up`, { body: signUpBody() })
      assert.strictEqual(other.status, 201)
      const emulator = yield* Emulator.Emulator
      const [first, second] = yield* Effect.all([
        emulator.awaitCode(login, { marker: "email" }),
        emulator.awaitCode(login, { marker: "second" })
      ])
      assert.notStrictEqual(first, second)
    }).pipe(Effect.provide(inProcess({ project: twoProviders })))
  )
})

describe("tokens", () => {
  const rejected = "Provided token is incorrect"

  it.effect("an access token lives as long as its config says", () =>
    Effect.gen(function* () {
      const tokens = yield* registered()
      yield* TestClock.adjust("35999 seconds")
      assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
      yield* TestClock.adjust("1 second")
      refused(yield* me(tokens.accessToken), 401, unauthorized)
      const next = tokensOf(yield* refresh(tokens.refreshToken))
      assert.strictEqual((yield* me(next.accessToken)).status, 200)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("a refresh token is spent once", () =>
    Effect.gen(function* () {
      const first = yield* registered()
      const second = tokensOf(yield* refresh(first.refreshToken))
      assert.notStrictEqual(second.refreshToken, first.refreshToken)
      assert.notStrictEqual(second.accessToken, first.accessToken)
      refused(yield* refresh(first.refreshToken), 400, rejected)
      tokensOf(yield* refresh(second.refreshToken))
      const log = (yield* Emulator.Emulator.use((e) => e.requests)).filter((entry) => entry.operation === "refresh")
      assert.deepStrictEqual(
        log.map((entry) => entry.detail),
        [null, "already spent", null]
      )
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("of fifty at once with one token, one wins", () =>
    Effect.gen(function* () {
      const tokens = yield* registered()
      const answers = yield* Effect.all(
        Array.from({ length: 50 }, () => refresh(tokens.refreshToken)),
        {
          concurrency: "unbounded"
        }
      )
      assert.strictEqual(answers.filter((answer) => answer.status === 201).length, 1)
      assert.strictEqual(answers.filter((answer) => answer.status === 400).length, 49)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("a refresh token belongs to its device, its provider and its time", () =>
    Effect.gen(function* () {
      const tokens = yield* registered()
      refused(yield* refresh(tokens.refreshToken, "device-2"), 400, rejected)
      refused(yield* refresh(tokens.refreshToken, "device-1", "second"), 400, rejected)
      refused(yield* refresh("nonsense"), 400, rejected)
      refused(yield* refresh(undefined), 400, rejected)
      const wrongType = yield* call("POST", `${users}/refresh`, { body: { refreshToken: 1 }, device: device() })
      refused(wrongType, 400, ["refreshToken must be a string"])
      yield* TestClock.adjust("604799 seconds")
      const next = tokensOf(yield* refresh(tokens.refreshToken))
      yield* TestClock.adjust("7 days")
      refused(yield* refresh(next.refreshToken), 400, rejected)
      const log = (yield* Emulator.Emulator.use((e) => e.requests)).filter((entry) => entry.status === 400)
      assert.deepStrictEqual(
        log.map((entry) => entry.detail),
        ["another device owns it", "another provider issued it", "unknown token", "unknown token", null, "expired"]
      )
    }).pipe(Effect.provide(inProcess({ project: twoProviders })))
  )

  it.effect("the access token dies with its refresh token, or lives on with the switch", () =>
    Effect.gen(function* () {
      const first = yield* registered()
      tokensOf(yield* refresh(first.refreshToken))
      refused(yield* me(first.accessToken), 401, unauthorized)
    }).pipe(
      Effect.provide(inProcess()),
      Effect.andThen(
        Effect.gen(function* () {
          const first = yield* registered()
          const second = tokensOf(yield* refresh(first.refreshToken))
          assert.strictEqual((yield* me(first.accessToken)).status, 200)
          assert.strictEqual((yield* me(second.accessToken)).status, 200)
          ok(yield* call("POST", `${users}/logout-all`, { bearer: first.accessToken }), 201, true)
          refused(yield* me(first.accessToken), 401, unauthorized)
        }).pipe(Effect.provide(withSwitches({ accessTokenAfterRefresh: "lives", refreshFailureStatus: 401 })))
      )
    )
  )

  it.effect("refusals can be 401", () =>
    Effect.gen(function* () {
      refused(yield* refresh("nonsense"), 401, rejected)
    }).pipe(Effect.provide(withSwitches({ refreshFailureStatus: 401 })))
  )

  it.effect("what an interrupted client asked for is done all the same", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const tokens = yield* registered()
      yield* emulator.faults.add({ operation: "refresh", kind: "delay", delay: "10 seconds", count: 1 })
      const fiber = yield* Effect.forkChild(refresh(tokens.refreshToken), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
      yield* TestClock.adjust("9 seconds")
      refused(yield* refresh(tokens.refreshToken), 400, rejected)
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("sessions", () => {
  const sessions = (bearer: string, marker = "email") =>
    call("GET", `${providers}/marker/${marker}/users/sessions`, { bearer })
  const info = { os: "Test", browser: "none", location: "en-US" }

  it.effect("are one a device: another fingerprint adds, the same replaces", () =>
    Effect.gen(function* () {
      const first = yield* registered()
      ok(yield* sessions(first.accessToken), 200, [{ deviceInfo: info }])
      const second = yield* signIn(login, password, "device-2")
      ok(yield* sessions(second.accessToken), 200, [{ deviceInfo: info }, { deviceInfo: info }])
      const again = yield* signIn()
      refused(yield* me(first.accessToken), 401, unauthorized)
      refused(yield* refresh(first.refreshToken), 400, "Provided token is incorrect")
      assert.strictEqual((yield* me(second.accessToken)).status, 200)
      ok(yield* sessions(again.accessToken), 200, [{ deviceInfo: info }, { deviceInfo: info }])
      ok(yield* sessions(again.accessToken, "second"), 200, [])
      refused(yield* call("GET", `${users}/sessions`), 401, unauthorized)
      yield* TestClock.adjust("8 days")
      const last = yield* signIn()
      ok(yield* sessions(last.accessToken), 200, [{ deviceInfo: info }])
    }).pipe(Effect.provide(inProcess({ project: twoProviders })))
  )

  it.effect("end at logout, this device's only", () =>
    Effect.gen(function* () {
      const first = yield* registered()
      const second = yield* signIn(login, password, "device-2")
      const logout = (refreshToken: string, bearer?: string, fingerprint = "device-1") =>
        call("POST", `${users}/logout`, {
          body: { refreshToken },
          device: device(fingerprint),
          ...(bearer === undefined ? {} : { bearer })
        })
      refused(yield* logout(first.refreshToken), 401, unauthorized)
      refused(yield* logout("dead", first.accessToken), 400, text("LogoutTokenIncorrect"))
      refused(yield* logout(first.refreshToken, first.accessToken, "device-3"), 400, text("LogoutTokenIncorrect"))
      const body = yield* call("POST", `${users}/logout`, { body: {}, device: device(), bearer: first.accessToken })
      refused(body, 400, ["refreshToken should not be empty"])
      ok(yield* logout(first.refreshToken, first.accessToken), 201, true)
      refused(yield* me(first.accessToken), 401, unauthorized)
      refused(yield* refresh(first.refreshToken), 400, "Provided token is incorrect")
      assert.strictEqual((yield* me(second.accessToken)).status, 200)
      refused(yield* logout(first.refreshToken, first.accessToken), 401, unauthorized)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("of other accounts cannot be ended", () =>
    Effect.gen(function* () {
      const ann = yield* registered()
      const bob = yield* registered("bob@example.com")
      const answer = yield* call("POST", `${users}/logout`, {
        body: { refreshToken: bob.refreshToken },
        device: device(),
        bearer: ann.accessToken
      })
      refused(answer, 400, text("LogoutTokenIncorrect"))
      assert.strictEqual((yield* me(bob.accessToken)).status, 200)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("end all at logout-all, and leave other accounts alone", () =>
    Effect.gen(function* () {
      const first = yield* registered()
      const second = yield* signIn(login, password, "device-2")
      const bob = yield* registered("bob@example.com")
      refused(yield* call("POST", `${users}/logout-all`), 401, unauthorized)
      ok(yield* call("POST", `${users}/logout-all`, { bearer: first.accessToken }), 201, true)
      refused(yield* me(first.accessToken), 401, unauthorized)
      refused(yield* me(second.accessToken), 401, unauthorized)
      assert.strictEqual((yield* me(bob.accessToken)).status, 200)
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("change-password", () => {
  const change = (body: object) =>
    call("POST", `${users}/change-password`, {
      body: {
        userIdentifier: login,
        eventIdentifier: "whatever",
        code: "wrong",
        type: 2,
        password1: "new one",
        password2: "new one",
        ...body
      }
    })
  const newCode = Effect.gen(function* () {
    yield* call("POST", `${users}/generate-code`, { body: { userIdentifier: login, eventIdentifier: "auth" } })
    return yield* Emulator.Emulator.use((emulator) => emulator.awaitCode(login))
  })

  it.effect("needs a code, and ends all sessions", () =>
    Effect.gen(function* () {
      const tokens = yield* registered()
      const other = yield* signIn(login, password, "device-2")
      const code = yield* newCode
      ok(yield* change({ code }), 201, true)
      refused(yield* me(tokens.accessToken), 401, unauthorized)
      refused(yield* me(other.accessToken), 401, unauthorized)
      refused(yield* refresh(tokens.refreshToken), 400, "Provided token is incorrect")
      refused(yield* auth(), 401, text("WrongCredentials"))
      tokensOf(yield* auth(login, "new one"))
      refused(yield* change({ code }), 400, "User code is expired or incorrect")
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("refuses what does not fit", () =>
    Effect.gen(function* () {
      yield* register()
      const code = yield* newCode
      refused(yield* change({ userIdentifier: "nobody" }), 400, "User not found")
      refused(yield* change({ code, password2: "other" }), 400, text("PasswordsDiffer"))
      refused(yield* change({ code, password1: "", password2: "" }), 400, [
        "password1 should not be empty",
        "password2 should not be empty"
      ])
      refused(yield* change({ code, password1: 1, password2: 1 }), 400, [
        "password1 must be a string",
        "password2 must be a string"
      ])
      refused(yield* change({ code, type: "1" }), 400, [
        "type must be a number conforming to the specified constraints"
      ])
      refused(yield* change({ code, extra: 1 }), 400, ["property extra should not exist"])
      refused(yield* change({}), 400, "User code is expired or incorrect")
      ok(yield* change({ code, type: undefined }), 201, true)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("wants the type on older servers", () =>
    Effect.gen(function* () {
      yield* register()
      refused(yield* change({ type: undefined }), 404, text("TypeRequired"))
    }).pipe(Effect.provide(withSwitches({ typeRequired: true })))
  )
})

describe("providers", () => {
  const raw = {
    id: 1,
    localizeInfos: { en_US: { title: "Email" } },
    version: 0,
    identifier: "email",
    type: "email",
    formIdentifier: "reg",
    userGroupIdentifier: "guest",
    isActive: true,
    isCheckCode: true,
    config: {
      accessTokenTtlSec: 36_000,
      refreshTokenTtlMc: 604_800,
      deleteNoneActiveUsersAfterDays: 2,
      systemCodeTlsSec: 120,
      systemCodeLength: 6,
      systemCodeOnlyNumbers: null,
      oauthAuthUrl: null
    }
  }

  it.effect("are a bare array, with numbers in the config", () =>
    Effect.gen(function* () {
      ok(yield* call("GET", providers), 200, [raw])
      ok(yield* call("GET", `${providers}?langCode=en_US&offset=1&limit=30`), 200, [])
      ok(yield* call("GET", `${providers}/marker/email?langCode=en_US`), 200, raw)
      refused(yield* call("GET", `${providers}?limit=x`), 400, ["limit must be an integer number"])
      refused(yield* call("GET", `${providers}?offset=-1`), 400, ["offset must be an integer number"])
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("can have strings in the config; secrets never show", () =>
    Effect.gen(function* () {
      const answer = yield* call("GET", `${providers}/marker/email`)
      assert.deepInclude(Object(answer.json).config, { accessTokenTtlSec: "36000", systemCodeOnlyNumbers: null })
      assert.notInclude(answer.text, "hidden")
    }).pipe(
      Effect.provide(
        inProcess({
          project: project(Project.defaultProject, {
            switches: { configNumbers: "string" },
            providers: [{ ...firstProvider, identifier: "email", tokenSecretKey: "hidden" }]
          })
        })
      )
    )
  )
})
