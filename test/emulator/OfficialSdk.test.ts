import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Emulator } from "effect-oneentry/emulator"
import { defineOneEntry } from "oneentry"
import type { IError } from "oneentry/dist/base/utils.js"

const login = "your-user@email.com"
const authData = [
  { marker: "email_reg", value: login },
  { marker: "password_reg", value: "123456" }
]

const client = (emulator: Emulator.Service) => {
  const saved: Array<string> = []
  const api = defineOneEntry(emulator.url, {
    token: Redacted.value(emulator.appToken),
    auth: { saveFunction: (token: string) => saved.push(token) }
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
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const { api, saved } = client(emulator)

      const form = yield* wait(() => api.Forms.getFormByMarker("reg"))
      assert.deepStrictEqual(form.localizeInfos.title, "Registration")
      assert.deepStrictEqual(form.attributes.map((a: { marker: string }) => a.marker), [
        "email_reg",
        "name_reg",
        "phone_reg",
        "password_reg",
        "email_notification_reg"
      ])

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
    }).pipe(Effect.provide(Emulator.layer({ passwordCost: 1 }))))
})
