import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { Emulator, Project } from "effect-oneentry/emulator"
import * as fs from "node:fs"
import { defineOneEntry } from "oneentry"
import type { IError } from "oneentry/dist/base/utils.js"

const login = "your-user@email.com"
const authDataOf = (email: string) => [
  { marker: "email_reg", value: email },
  { marker: "password_reg", value: "123456" }
]
const authData = authDataOf(login)

/** What SDK 1.0.149 is strict about: numbers of a config as strings. */
const tenant: Project.Input = {
  ...Project.defaultProject,
  switches: { configNumbers: "string" },
  providers: [
    ...(Project.defaultProject.providers ?? []),
    {
      identifier: "google",
      type: "oauth",
      config: { oauthAuthUrl: "https://accounts.example.com/auth" },
      localizeInfos: { en_US: { title: "Google" } },
      formIdentifier: "reg"
    }
  ],
  forms: [
    ...(Project.defaultProject.forms ?? []),
    {
      identifier: "contact_us",
      localizeInfos: { en_US: { title: "Contact", successMessage: "Thank you" } },
      attributes: [{ type: "string", marker: "name", localizeInfos: { en_US: { title: "Name" } } }],
      moduleFormConfigs: [{ id: 2, entityIdentifiers: [{ id: "blog" }] }]
    }
  ],
  permissions: [
    { operation: "getFormsDataByMarker", rule: "granted" },
    { operation: "deleteFile", rule: "granted" }
  ]
}

const client = (
  emulator: Pick<Emulator.Service, "url" | "appToken">,
  validation?: { readonly enabled: boolean; readonly strictMode: boolean; readonly logErrors: boolean }
) => {
  const saved: Array<string> = []
  const api = defineOneEntry(emulator.url, {
    token: Redacted.value(emulator.appToken),
    auth: { saveFunction: (token: string) => saved.push(token) },
    ...(validation === undefined ? {} : { validation })
  })
  return { api, saved }
}

/** What the call gives; the SDK's types name errors beside results, and give errors as values. */
const wait = <A>(f: () => Promise<A>) => Effect.map(Effect.promise(f), (result) => result as Exclude<A, IError>)

/** The error that it gives as a value. */
const failure = (f: () => Promise<unknown>): Effect.Effect<object> =>
  Effect.map(Effect.promise(f), (result): object => Object(result))

describe("the official SDK (oneentry 1.0.149)", () => {
  it.live("runs the registration scenario over HTTP", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const { api, saved } = client(emulator)

      const form = yield* wait(() => api.Forms.getFormByMarker("reg"))
      assert.deepStrictEqual(form.localizeInfos.title, "Registration")
      assert.deepStrictEqual(
        form.attributes.map((a: { marker: string }) => a.marker),
        ["email_reg", "name_reg", "phone_reg", "password_reg", "email_notification_reg"]
      )

      const signedUp = yield* wait(() =>
        api.AuthProvider.signUp("email", {
          formIdentifier: "reg",
          authData,
          formData: [
            { marker: "name_reg", type: "string", value: "UserName" },
            { marker: "phone_reg", type: "string", value: "+18007986545" },
            { marker: "email_notification_reg", type: "string", value: login }
          ],
          notificationData: { email: login, phonePush: [], phoneSMS: "+18007986545" }
        })
      )
      assert.deepInclude(signedUp, {
        identifier: login,
        isActive: false,
        locale: "en_US",
        deletedAt: null,
        version: 0,
        state: {},
        formData: [
          { marker: "name_reg", type: "string", value: "UserName" },
          { marker: "phone_reg", type: "string", value: "+18007986545" },
          { marker: "email_notification_reg", type: "string", value: login }
        ],
        notificationData: { email: login, phonePush: [], phoneSMS: "+18007986545" }
      })

      const again = yield* failure(() => api.AuthProvider.generateCode("email", login, "auth"))
      assert.deepInclude(again, { statusCode: 400, message: "User already has a code", pageData: null })

      const code = yield* emulator.awaitCode(login)
      assert.strictEqual(yield* wait(() => api.AuthProvider.checkCode("email", login, "1", "nonsense")), false)
      assert.strictEqual(yield* wait(() => api.AuthProvider.checkCode("email", login, "1", code)), true)
      assert.strictEqual(yield* wait(() => api.AuthProvider.activateUser("email", login, code)), true)

      const tokens = yield* wait(() => api.AuthProvider.auth("email", { authData }))
      assert.deepInclude(tokens, { userIdentifier: login, authProviderIdentifier: "email" })
      assert.strictEqual(saved.length, 1)
      assert.deepInclude(yield* wait(() => api.Users.getUser()), { identifier: login, total: "1", groups: [1] })

      // Expired: the module that signed in refreshes and asks again.
      yield* emulator.expireAccessTokens
      assert.strictEqual((yield* wait(() => api.AuthProvider.getActiveSessionsByMarker("email"))).length, 1)
      assert.strictEqual(saved.length, 2)
      assert.deepInclude(yield* wait(() => api.Users.getUser()), { identifier: login })

      // In Node every module of that SDK has a fingerprint of its own, so another module cannot refresh.
      yield* emulator.expireAccessTokens
      assert.deepInclude(yield* failure(() => api.Users.getUser()), { statusCode: 401, message: "Unauthorized" })
      const rejected = (yield* emulator.requests).at(-1)
      assert.deepInclude(rejected, { operation: "refresh", status: 400, detail: "another device owns it" })
      assert.strictEqual(saved.length, 2)

      yield* wait(() => api.AuthProvider.auth("email", { authData }))
      assert.strictEqual(yield* wait(() => api.AuthProvider.logoutAll("email")), true)
      assert.strictEqual((yield* emulator.sessions).length, 0)
    }).pipe(Effect.provide(Emulator.layer({ passwordCost: 1 })))
  )

  const registered = (emulator: Emulator.Service, api: ReturnType<typeof client>["api"], email = login) =>
    Effect.gen(function* () {
      yield* wait(() =>
        api.AuthProvider.signUp("email", {
          formIdentifier: "reg",
          authData: authDataOf(email),
          formData: [{ marker: "name_reg", type: "string", value: "UserName" }],
          notificationData: { email, phonePush: [], phoneSMS: "" }
        })
      )
      const code = yield* emulator.awaitCode(email)
      assert.strictEqual(yield* wait(() => api.AuthProvider.activateUser("email", email, code)), true)
      return yield* wait(() => api.AuthProvider.auth("email", { authData: authDataOf(email) }))
    })

  it.effect("loses calls when fifty meet an expired token", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const { api, saved } = client(emulator)
      yield* registered(emulator, api)
      // answers of refreshes wait, so that all fifty know of the expiry before the first new token is there
      yield* emulator.faults.add({ operation: "refresh", kind: "delay", delay: "1 hour", phase: "after" })
      yield* emulator.expireAccessTokens
      const fiber = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 50 }, () => failure(() => api.AuthProvider.getActiveSessionsByMarker("email"))),
          { concurrency: "unbounded" }
        ),
        { startImmediately: true }
      )
      while ((yield* emulator.faults.list)[0]?.hits !== 50) {
        yield* Effect.promise(() => new Promise((resume) => setImmediate(resume)))
      }
      yield* TestClock.adjust("1 hour")
      const results = yield* Fiber.join(fiber)
      const refreshes = (yield* emulator.requests).filter((entry) => entry.operation === "refresh")
      assert.strictEqual(refreshes.filter((entry) => entry.status === 201).length, 1)
      assert.strictEqual(refreshes.filter((entry) => entry.detail === "already spent").length, 49)
      const lost = results.filter((result) => "statusCode" in result && result.statusCode === 401)
      assert.strictEqual(lost.length, 49)
      assert.strictEqual(saved.length, 2)
    }).pipe(Effect.provide(Emulator.layer({ passwordCost: 1 })))
  )

  it.live("its other methods and its strict validation find nothing to complain about", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const { api } = client(emulator, { enabled: true, strictMode: true, logErrors: false })
      assert.deepInclude((yield* wait(() => api.AuthProvider.getAuthProviders()))[0], { identifier: "email" })
      assert.deepInclude(yield* wait(() => api.AuthProvider.getAuthProviderByMarker("email")), {
        localizeInfos: { title: "Email" }
      })
      assert.strictEqual((yield* wait(() => api.Forms.getAllForms())).total, 2)
      const tokens = yield* registered(emulator, api)
      assert.strictEqual(tokens.userIdentifier, login)

      // users
      assert.strictEqual(
        yield* wait(() =>
          api.Users.updateUser({
            formIdentifier: "reg",
            formData: [{ marker: "name_reg", type: "string", value: "Another" }],
            state: { theme: "dark" }
          })
        ),
        true
      )
      const user = yield* wait(() => api.Users.getUser())
      assert.deepStrictEqual(user.formData, [{ marker: "name_reg", type: "string", value: "Another" }])
      assert.strictEqual(yield* wait(() => api.Users.addFCMToken("device-token")), true)
      assert.strictEqual(yield* wait(() => api.Users.deleteFCMToken("device-token")), true)

      // files and form data
      const [file] = yield* wait(() =>
        api.FileUploading.upload(new File(["abc"], "a.txt", { type: "text/plain" }), {
          type: "page",
          entity: "editor",
          id: 7
        })
      )
      assert.strictEqual(file?.size, 3)
      const name = String(file?.filename).split("/").at(-1) ?? ""
      const posted = yield* wait(() =>
        api.FormData.postFormsData({
          formIdentifier: "contact_us",
          formModuleConfigId: 2,
          moduleEntityIdentifier: "blog",
          replayTo: null,
          status: "sent",
          formData: [{ marker: "name", type: "string", value: "Ann" }]
        })
      )
      assert.deepInclude(posted, { actionMessage: "Thank you" })
      const list = yield* wait(() => api.FormData.getFormsDataByMarker("contact_us", 2, {}, 1))
      assert.strictEqual(list.total, 1)
      const updated = yield* wait(() =>
        api.FormData.updateFormsDataByid(1, {
          formIdentifier: "contact_us",
          formData: [{ marker: "name", type: "string", value: "Bea" }]
        })
      )
      assert.deepInclude(updated, { id: 1, userIdentifier: login })
      assert.include(JSON.stringify(updated), "Bea")
      assert.strictEqual(yield* wait(() => api.FormData.updateFormsDataStatusByid(1, { status: "approved" })), true)
      assert.strictEqual(yield* wait(() => api.FormData.deleteFormsDataByid(1)), true)
      const response = yield* wait(() => api.FileUploading.getFile(7, "page", "editor", name))
      assert.strictEqual(yield* Effect.promise(() => response.text()), "abc")
      const fetched = yield* Effect.promise(() =>
        api.FileUploading.createFileFromUrl(String(file?.downloadLink), "b.txt", "text/plain")
      )
      assert.deepStrictEqual([fetched.name, yield* Effect.promise(() => fetched.text())], ["b.txt", "abc"])
      assert.strictEqual(yield* wait(() => api.FileUploading.delete(String(file?.filename))), true)

      // events
      assert.strictEqual(yield* wait(() => api.Events.subscribeByMarker("auth", 1)), true)
      assert.deepInclude(yield* wait(() => api.Events.getAllSubscriptions()), { total: 1 })
      assert.strictEqual(yield* wait(() => api.Events.unsubscribeByMarker("auth", 1)), true)

      // tokens and passwords
      const next = yield* wait(() => api.AuthProvider.refresh("email", tokens.refreshToken))
      assert.notStrictEqual(next.refreshToken, tokens.refreshToken)
      assert.strictEqual(yield* wait(() => api.AuthProvider.logout("email", next.refreshToken)), true)
      assert.deepInclude(yield* failure(() => api.AuthProvider.refresh("email", next.refreshToken)), {
        statusCode: 400,
        message: "Provided token is incorrect"
      })
      assert.deepStrictEqual(yield* failure(() => api.AuthProvider.generateCode("email", login, "auth")), {})
      const code = yield* emulator.awaitCode(login)
      assert.strictEqual(
        yield* wait(() => api.AuthProvider.changePassword("email", login, "reset", 1, code, "n3w-pass", "n3w-pass")),
        true
      )
      const wrong = yield* failure(() => api.AuthProvider.auth("email", { authData }))
      assert.deepInclude(wrong, { statusCode: 401 })
      yield* wait(() =>
        api.AuthProvider.auth("email", {
          authData: [
            { marker: "email_reg", value: login },
            { marker: "password_reg", value: "n3w-pass" }
          ]
        })
      )
      const federated = yield* wait(() =>
        api.AuthProvider.oauth("google", {
          client_id: "",
          client_secret: "",
          code: "emulator-ann@example.com",
          grant_type: "authorization_code",
          redirect_uri: "http://localhost"
        })
      )
      assert.strictEqual(federated.authProviderIdentifier, "google")
      assert.strictEqual(yield* wait(() => api.Users.archiveUser()), true)
      const { api: another } = client(emulator)
      yield* registered(emulator, another, "another@email.com")
      assert.strictEqual(yield* wait(() => another.Users.deleteUser()), true)
      assert.deepStrictEqual(
        (yield* emulator.users).filter((user) => !user.isDeleted && user.provider === "email"),
        []
      )
      assert.deepInclude(yield* failure(() => api.System.test404()), { statusCode: 404 })
      assert.deepInclude(yield* failure(() => api.System.test500()), { statusCode: 500 })
    }).pipe(Effect.provide(Emulator.layer({ passwordCost: 1, project: tenant })))
  )

  it("is called here by every method of the modules that this package covers", () => {
    const { api } = client({ url: "http://127.0.0.1", appToken: Redacted.make("") })
    const script = fs.readFileSync(new URL(import.meta.url), "utf8")
    for (const module of ["AuthProvider", "FileUploading", "FormData", "Forms", "Users"] as const) {
      const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(api[module])).filter(
        (name) => name !== "constructor" && !name.startsWith("_")
      )
      assert.isAbove(methods.length, 1)
      assert.deepStrictEqual(
        methods.filter((name) => !new RegExp(`\\.${module}\\.${name}\\(`).test(script)),
        [],
        module
      )
    }
  })
})
