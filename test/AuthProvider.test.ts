import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, DateTime, Duration, Effect, Fiber, Layer, Option, Redacted, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import {
  AuthProvider,
  DeviceMetadata,
  FetchClient,
  type FieldValue,
  Session,
  TokenStorage,
  Users
} from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { UndiciClient } from "effect-oneentry/undici"
import {
  authData,
  clientLayer,
  count,
  deepFreeze,
  failsWith,
  inProcess,
  login,
  overHttp,
  password,
  project,
  register,
  signIn,
  signUpData
} from "./helpers/scenario.ts"

const codeOf = (name = login) => Emulator.Emulator.use((emulator) => emulator.awaitCode(name))
const other = "000000000"

/** All thirteen operations, one after the other, as a user lives through them. */
const everything = Effect.gen(function* () {
  const auth = yield* AuthProvider.AuthProvider
  const session = yield* Session.Session
  const emulator = yield* Emulator.Emulator

  const providers = yield* auth.getAuthProviders()
  assert.deepStrictEqual(
    providers.map((provider) => provider.identifier),
    ["email", "google", "simple", "asleep", "formless", "rich"]
  )
  const provider = yield* auth.getAuthProviderByMarker("email")
  assert.deepStrictEqual(provider, providers[0])
  assert.deepStrictEqual(
    { ...provider, config: undefined },
    {
      id: 1,
      identifier: "email",
      type: "email",
      isActive: true,
      isCheckCode: true,
      version: 0,
      title: "Email",
      formIdentifier: "reg",
      userGroupIdentifier: "guest",
      config: undefined
    }
  )
  assert.strictEqual(Duration.toSeconds(provider.config.accessTokenTtl ?? 0), 36_000)
  assert.strictEqual(Duration.toDays(provider.config.refreshTokenTtl ?? 0), 7)

  const user = yield* auth.signUp("email", signUpData())
  assert.strictEqual(user.identifier, login)
  assert.isFalse(user.isActive)
  assert.deepStrictEqual(
    user.formData.map((entry) => [entry.marker, entry.value]),
    [
      ["name_reg", "Ann"],
      ["phone_reg", "+18007986545"],
      ["email_notification_reg", login]
    ]
  )
  assert.deepStrictEqual(user.notificationData, { email: login, phonePush: [], phoneSMS: "+18007986545" })
  assert.isTrue(DateTime.isUtc(user.updatedDate))

  yield* failsWith(auth.generateCode("email", { userIdentifier: login, eventIdentifier: "auth" }), "UserAlreadyHasCode")
  const code = yield* codeOf()
  yield* failsWith(
    auth.checkCode("email", { userIdentifier: login, eventIdentifier: "auth", code: other }),
    "InvalidCode"
  )
  assert.isUndefined(yield* auth.checkCode("email", { userIdentifier: login, eventIdentifier: "auth", code }))
  assert.isUndefined(yield* auth.activateUser("email", { userIdentifier: login, code: Redacted.make(code) }))
  assert.isUndefined(yield* auth.generateCode("email", { userIdentifier: login, eventIdentifier: "auth" }))

  const entity = yield* auth.auth("email", { authData: authData(login, Redacted.make(password)) })
  assert.strictEqual(entity.userIdentifier, login)
  assert.strictEqual(entity.authProviderIdentifier, "email")
  assert.strictEqual(Redacted.value(entity.accessToken).split(".").length, 3)
  assert.isTrue(Redacted.isRedacted(entity.refreshToken))
  assert.strictEqual((yield* Users.Users.use((users) => users.getUser())).identifier, login)
  assert.strictEqual(Option.getOrThrow(yield* session.current).marker, "email")

  const devices = yield* auth.getActiveSessionsByMarker("email")
  assert.strictEqual(devices.length, 1)
  assert.isString(devices[0]?.deviceInfo.os)

  const refreshed = yield* auth.refresh()
  assert.notStrictEqual(Redacted.value(refreshed.refreshToken), Redacted.value(entity.refreshToken))
  assert.strictEqual(refreshed.userIdentifier, login)

  yield* auth.changePassword("email", {
    userIdentifier: login,
    eventIdentifier: "auth",
    type: "change",
    code: Redacted.make(yield* codeOf()),
    newPassword: Redacted.make("better"),
    repeatPassword: "better"
  })
  assert.isTrue(Option.isNone(yield* session.current))
  yield* failsWith(signIn(), "InvalidCredentials")
  yield* signIn(login, "better")
  assert.deepStrictEqual(yield* auth.logoutAll("email"), { revoked: true })
  assert.isTrue(Option.isNone(yield* session.current))

  const viaNetwork = yield* auth.oauth("google", {
    code: Redacted.make("emulator-bob@example.com"),
    redirect_uri: "https://app.example.com/callback"
  })
  assert.strictEqual(viaNetwork.userIdentifier, "bob@example.com")
  assert.strictEqual(Option.getOrThrow(yield* session.current).marker, "google")
  assert.deepStrictEqual(yield* auth.logout(), { revoked: true })
  assert.deepStrictEqual(yield* auth.logout(), { revoked: false })
  assert.strictEqual((yield* emulator.sessions).length, 0)
})

describe("the thirteen operations", () => {
  it.effect("in the process", () => everything.pipe(Effect.provide(inProcess())))

  for (const [name, http] of [
    ["FetchHttpClient", FetchHttpClient.layer],
    ["FetchClient", FetchClient.layer],
    ["NodeHttpClient.layerUndici", NodeHttpClient.layerUndici],
    ["UndiciClient", UndiciClient.layer]
  ] as const) {
    it.live(`on a port, with ${name}`, () => everything.pipe(Effect.provide(overHttp(http))))
  }

  it.effect("in a span, where requests become spans", () =>
    everything.pipe(Effect.withSpan("test"), Effect.provide(inProcess()))
  )

  it.live("in a span, with FetchClient", () =>
    everything.pipe(Effect.withSpan("test"), Effect.provide(overHttp(FetchClient.layer)))
  )

  it.effect("AuthProvider.layer alone", () =>
    Effect.gen(function* () {
      yield* register()
      assert.strictEqual((yield* signIn()).userIdentifier, login)
    }).pipe(
      Effect.provide(
        Layer.unwrap(Effect.map(Emulator.Emulator, ({ appToken, url }) => AuthProvider.layer({ url, appToken }))).pipe(
          Layer.provideMerge(TokenStorage.layerMemory),
          Layer.provideMerge(Emulator.layerClient({ passwordCost: 1 }))
        )
      )
    )
  )
})

describe("signUp", () => {
  it.effect("UserAlreadyExists, whatever the case and status", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* auth.signUp("email", signUpData())
      const error = yield* Effect.flip(auth.signUp("email", signUpData(login.toUpperCase())))
      assert.strictEqual(error._tag, "UserAlreadyExists")
      if (error._tag !== "UserAlreadyExists") return
      assert.strictEqual(error.marker, "email")
      assert.strictEqual(error.statusCode, 409)
      assert.strictEqual(error.messages.length, 1)
      assert.isTrue(error.timestamp !== undefined && DateTime.isUtc(error.timestamp))
    }).pipe(Effect.provide(inProcess({}, { project: { ...project, switches: { userExistsStatus: 409 } } })))
  )

  it.effect("ProviderNotFound for one that is missing, asleep or without a form", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      for (const marker of ["nobody", "asleep"]) yield* failsWith(auth.signUp(marker, signUpData()), "ProviderNotFound")
      yield* failsWith(auth.signUp("formless", { authData: authData() }), "ProviderNotFound")
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("InvalidData where the server refuses, and where nothing is sent", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const refused = yield* failsWith(
        auth.signUp("email", { authData: [{ marker: "login", value: login }] }),
        "InvalidData"
      )
      assert.include(refused.message, "Login or password values are missed")
      const before = yield* count("signUp")
      const local = yield* Effect.flip(
        auth.signUp("rich", {
          authData: [
            { marker: "login", value: login },
            { marker: "secret", value: password }
          ],
          formData: [
            { marker: "integer", type: "integer", value: 1.5 },
            { marker: "date", type: "date", value: "2024-02-31" }
          ]
        })
      )
      assert.strictEqual(local._tag, "InvalidData")
      if (local._tag !== "InvalidData") return
      assert.isUndefined(local.statusCode)
      assert.deepStrictEqual(
        local.messages.map((message) => message.split(":")[0]),
        ["integer", "date"]
      )
      assert.strictEqual(yield* count("signUp"), before)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("speaks the language of the call, and unwraps the answer for it", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const user = yield* auth.signUp("email", signUpData(), { langCode: "de_DE" })
      assert.strictEqual(user.locale, "de_DE")
      assert.strictEqual(user.formData.length, 3)
      assert.strictEqual((yield* auth.getAuthProviderByMarker("google", { langCode: "de_DE" })).title, "Gugel")
      assert.strictEqual((yield* auth.getAuthProviders({ langCode: "de_DE" }))[1]?.title, "Gugel")
      assert.strictEqual((yield* auth.getAuthProviderByMarker("google")).title, "Google")
      const [stored] = yield* Emulator.Emulator.use((emulator) => emulator.users)
      assert.deepStrictEqual(Object.keys(stored?.formData ?? {}), ["de_DE"])
    }).pipe(Effect.provide(inProcess()))
  )

  const picture = (name: string) => new File([`bytes of ${name}`], name, { type: "image/png" })
  const fileQuery = { type: "page", entity: "editor", id: 3492, width: 100, compress: true }
  const rich = (): FieldValue.SignUpData => ({
    authData: [
      { marker: "login", value: login },
      { marker: "secret", value: Redacted.make(password) }
    ],
    formData: [
      { marker: "string", type: "string", value: Redacted.make("Ann") },
      { marker: "integer", type: "integer", value: 33n },
      { marker: "float", type: "float", value: 1.74 },
      { marker: "real", type: "real", value: "2.50" },
      { marker: "date", type: "date", value: "1990-05-07" },
      { marker: "dateTime", type: "dateTime", value: new Date(0) },
      { marker: "time", type: "time", value: "14:30" },
      { marker: "text", type: "text", value: { htmlValue: "<p>me</p>" } },
      { marker: "textWithHeader", type: "textWithHeader", value: [{ header: "About", mdValue: "me" }] },
      { marker: "list", type: "list", value: ["a", "b"] },
      { marker: "radioButton", type: "radioButton", value: ["1"] },
      { marker: "entity", type: "entity", value: [2954, "p-1-2"] },
      { marker: "timeInterval", type: "timeInterval", value: [["2024-05-07T10:00:00Z", "2024-05-07T11:00:00Z"]] },
      { marker: "image", type: "image", value: picture("me.png"), fileQuery },
      {
        marker: "groupOfImages",
        type: "groupOfImages",
        value: [
          picture("1.png"),
          { filename: "files/old.png", downloadLink: "https://x.example/old.png", size: 3 },
          picture("2.png")
        ],
        fileQuery
      },
      { marker: "file", type: "file", value: new Blob(["text"]), fileQuery: { type: "page", entity: "editor", id: 1 } },
      { marker: "spam", type: "spam", value: { event: { token: Redacted.make("token"), siteKey: "key" } } },
      { marker: "json", type: "json", value: { a: [1, null, "x"] } },
      { marker: "button", type: "button", value: "never sent" }
    ]
  })

  it.effect("takes a value of every attribute type, files uploaded first", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const user = yield* AuthProvider.AuthProvider.use((auth) => auth.signUp("rich", rich()))
      const values = new Map(user.formData.map((entry) => [entry.marker, entry]))
      assert.deepStrictEqual([...values.keys()].sort(), [
        "date",
        "dateTime",
        "entity",
        "file",
        "float",
        "groupOfImages",
        "image",
        "integer",
        "json",
        "list",
        "radioButton",
        "real",
        "spam",
        "string",
        "text",
        "textWithHeader",
        "time",
        "timeInterval"
      ])
      const [row] = yield* emulator.users
      const sent = new Map((row?.formData["en_US"] ?? []).map((item) => [item.marker, item]))
      const value = (marker: string) => sent.get(marker)?.value
      assert.strictEqual(value("string"), "Ann")
      assert.strictEqual(value("integer"), 33)
      assert.strictEqual(value("float"), 1.74)
      assert.strictEqual(value("real"), 2.5)
      assert.deepStrictEqual(value("date"), {
        fullDate: "1990-05-07T00:00:00.000Z",
        formattedValue: "07-05-1990",
        formatString: "DD-MM-YYYY"
      })
      assert.deepStrictEqual(value("text"), { htmlValue: "<p>me</p>" })
      assert.deepStrictEqual(value("textWithHeader"), [{ header: "About", mdValue: "me" }])
      assert.deepStrictEqual(value("list"), ["a", "b"])
      assert.deepStrictEqual(value("entity"), [2954, "p-1-2"])
      assert.deepStrictEqual(value("timeInterval"), [["2024-05-07T10:00:00.000Z", "2024-05-07T11:00:00.000Z"]])
      assert.deepStrictEqual(value("spam"), { event: { token: "token", siteKey: "key" } })
      assert.deepStrictEqual(value("json"), { a: [1, null, "x"] })
      const files = (marker: string) =>
        (Array.isArray(value(marker)) ? Object.values(Object(value(marker))) : []).map(Object)
      assert.deepStrictEqual(
        files("image").map((file) => [file.size, Object.keys(file).sort().join()]),
        [["bytes of me.png".length, "downloadLink,filename,size"]]
      )
      assert.match(files("image")[0].filename, /^files\/project\/page\/3492\/editor\/.*\.png$/)
      // The order of what was given, with the one that the server had already in its place.
      assert.deepStrictEqual(
        files("groupOfImages").map((file) => file.size),
        [14, 3, 14]
      )
      assert.strictEqual(files("groupOfImages")[1].filename, "files/old.png")
      assert.strictEqual(files("file")[0].size, 4)

      const operations = (yield* emulator.requests).map((entry) => entry.operation)
      assert.strictEqual(operations.at(-1), "signUp")
      assert.deepStrictEqual(operations.filter((name) => name === "upload").length, 3)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("UploadFailed names the marker, and nothing is registered", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const auth = yield* AuthProvider.AuthProvider
      yield* emulator.faults.add({ operation: "upload", kind: "status", status: 500 })
      const error = yield* Effect.flip(
        auth.signUp("rich", {
          authData: [
            { marker: "login", value: login },
            { marker: "secret", value: password }
          ],
          formData: [
            { marker: "string", type: "string", value: "Ann" },
            { marker: "image", type: "image", value: picture("me.png"), fileQuery }
          ]
        })
      )
      assert.strictEqual(error._tag, "UploadFailed")
      if (error._tag !== "UploadFailed") return
      assert.strictEqual(error.marker, "image")
      assert.include(String(error.cause), "500")
      assert.strictEqual(yield* count("signUp"), 0)
      assert.strictEqual((yield* emulator.users).length, 0)

      yield* emulator.faults.clear
      yield* emulator.faults.add({ operation: "upload", kind: "malformed", body: "[]" })
      yield* failsWith(auth.signUp("rich", rich()), "UploadFailed")
      assert.strictEqual(yield* count("signUp"), 0)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("a file too large for the project is UploadFailed too", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* failsWith(auth.signUp("rich", rich()), "UploadFailed")
      assert.strictEqual(yield* count("signUp"), 0)
    }).pipe(Effect.provide(inProcess({}, { project: { ...project, files: { maxFileSize: 10 } } })))
  )

  it.effect("mutates no input, and sends the same twice", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const data = deepFreeze(rich())
      const register = auth.signUp("rich", data, deepFreeze({ langCode: "en_US" }))
      const first = yield* register
      yield* failsWith(register, "UserAlreadyExists")
      assert.strictEqual(first.identifier, login)
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("codes", () => {
  const request = { userIdentifier: login, eventIdentifier: "auth" }

  it.effect("generateCode: every failure", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* failsWith(auth.generateCode("email", request), "UserNotFound")
      yield* failsWith(auth.generateCode("nobody", request), "ProviderNotFound")
      yield* failsWith(auth.generateCode("email", { ...request, eventIdentifier: "typo" }), "EventNotFound")
      yield* auth.signUp("email", signUpData())
      const error = yield* failsWith(auth.generateCode("email", request), "UserAlreadyHasCode")
      assert.include(error.message, "User already has a code")
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("generateCode: UserAlreadyHasCode of newer servers says when", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* auth.signUp("email", signUpData())
      const error = yield* Effect.flip(auth.generateCode("email", request))
      assert.strictEqual(error._tag, "UserAlreadyHasCode")
      if (error._tag !== "UserAlreadyHasCode" || error.retryAfter === undefined) return assert.fail("no retryAfter")
      assert.strictEqual(Duration.toSeconds(error.retryAfter), 30)
      yield* Emulator.Emulator.use((emulator) => emulator.clock.advance("31 seconds"))
      yield* auth.generateCode("email", request)
    }).pipe(
      Effect.provide(
        inProcess(
          {},
          {
            project: { ...project, switches: { codePolicy: "reissue-window-429", retryAfter: true } }
          }
        )
      )
    )
  )

  const attempts = (effect: Effect.Effect<void, { readonly _tag: string }>) =>
    Effect.gen(function* () {
      for (let i = 0; i < 4; i++) yield* failsWith(effect, "InvalidCode")
      const error = yield* failsWith(effect, "CodeAttemptsExceeded")
      assert.notProperty(error, "retryAfter")
    })

  it.effect("checkCode, activateUser, changePassword: wrong codes, and too many of them", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const change = { ...request, type: "recovery", code: other, newPassword: "new" } as const
      yield* failsWith(auth.checkCode("email", { ...request, code: other }), "UserNotFound")
      yield* failsWith(auth.activateUser("email", { userIdentifier: login, code: other }), "UserNotFound")
      yield* failsWith(auth.changePassword("email", change), "UserNotFound")
      yield* failsWith(auth.checkCode("nobody", { ...request, code: other }), "ProviderNotFound")
      yield* failsWith(auth.activateUser("nobody", { userIdentifier: login, code: other }), "ProviderNotFound")
      yield* failsWith(auth.changePassword("nobody", change), "ProviderNotFound")
      yield* auth.signUp("email", signUpData())
      yield* attempts(auth.checkCode("email", { ...request, code: other }))
      yield* auth.generateCode("email", request)
      yield* attempts(auth.activateUser("email", { userIdentifier: login, code: other }))
      yield* auth.generateCode("email", request)
      yield* attempts(auth.changePassword("email", change))
      yield* auth.generateCode("email", request)
      yield* auth.changePassword("email", { ...change, code: yield* codeOf() })
    }).pipe(Effect.provide(inProcess({}, { project: { ...project, switches: { retryAfter: true } } })))
  )

  it.effect("activateUser: the `false` of some servers is InvalidCode", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* auth.signUp("email", signUpData())
      yield* failsWith(auth.activateUser("email", { userIdentifier: login, code: other }), "InvalidCode")
    }).pipe(Effect.provide(inProcess({}, { project: { ...project, switches: { activateWrongCode: "false" } } })))
  )

  it.effect("checkCode: only a yes is one", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      yield* auth.signUp("email", signUpData())
      const check = auth.checkCode("email", { ...request, code: yield* codeOf() })
      for (const body of ["", "{}", "null", "[]", "1", '"true"', '{"success":"no"}']) {
        yield* emulator.faults.add({ operation: "checkCode", kind: "malformed", body, count: 1 })
        yield* failsWith(check, "OneEntryError/ResponseInvalid")
      }
      yield* emulator.faults.add({ operation: "checkCode", kind: "malformed", body: '{"success":false}', count: 1 })
      yield* failsWith(check, "InvalidCode")
      yield* emulator.faults.add({ operation: "checkCode", kind: "malformed", body: '{"success":true}', count: 1 })
      yield* check
      yield* check
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("changePassword: passwords that differ, in the call and on the server", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      yield* auth.signUp("email", signUpData())
      const change = { ...request, type: "change", code: yield* codeOf(), newPassword: "new" } as const
      const local = yield* Effect.flip(
        auth.changePassword("email", { ...change, repeatPassword: Redacted.make("other") })
      )
      assert.strictEqual(local._tag, "PasswordsDoNotMatch")
      assert.notProperty(local, "statusCode")
      assert.strictEqual(yield* count("changePassword"), 0)
      yield* emulator.faults.add({
        operation: "changePassword",
        kind: "status",
        status: 400,
        message: "Passwords do not match",
        count: 1
      })
      assert.propertyVal(
        yield* failsWith(auth.changePassword("email", change), "PasswordsDoNotMatch"),
        "statusCode",
        400
      )
      yield* auth.changePassword("email", change)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("changePassword of somebody else leaves the session alone", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* register()
      yield* signIn()
      yield* auth.signUp("email", signUpData("bob@example.com"))
      yield* auth.changePassword("email", {
        userIdentifier: "bob@example.com",
        eventIdentifier: "auth",
        type: "recovery",
        code: yield* codeOf("bob@example.com"),
        newPassword: "new"
      })
      assert.strictEqual((yield* Users.Users.use((users) => users.getUser())).identifier, login)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("a storage that cannot be cleared does not fail a password that is changed", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const session = yield* Session.Session
      const broken = yield* Broken
      yield* register()
      yield* signIn()
      yield* auth.generateCode("email", request)
      broken.is = true
      yield* auth.changePassword("email", { ...request, type: "change", code: yield* codeOf(), newPassword: "new" })
      assert.isTrue(Option.isNone(yield* session.current))
      assert.strictEqual((yield* Effect.flip(Users.Users.use((users) => users.getUser())))._tag, "NotAuthenticated")
      // The next write reaches it.
      broken.is = false
      yield* signIn(login, "new")
      assert.strictEqual((yield* Users.Users.use((users) => users.getUser())).identifier, login)
    }).pipe(Effect.provide(withBrokenStorage))
  )
})

class Broken extends Context.Service<Broken, { is: boolean }>()("test/Broken") {}

const withBrokenStorage = clientLayer().pipe(
  Layer.provideMerge(
    Layer.effect(
      TokenStorage.TokenStorage,
      Effect.gen(function* () {
        const broken = yield* Broken
        const slots = new Map<string, string>()
        const guard = <A>(operation: "get" | "set" | "remove", slot: string, run: () => A) =>
          Effect.suspend(() =>
            broken.is
              ? Effect.fail(new TokenStorage.TokenStorageError({ operation, slot, cause: new Error("disk full") }))
              : Effect.sync(run)
          )
        return TokenStorage.make({
          get: (slot) => guard("get", slot, () => slots.get(slot)),
          set: (slot, value) => guard("set", slot, () => void slots.set(slot, value)),
          remove: (slot) => guard("remove", slot, () => void slots.delete(slot))
        })
      })
    )
  ),
  Layer.provideMerge(Layer.sync(Broken, () => ({ is: false }))),
  Layer.provideMerge(Emulator.layerClient({ passwordCost: 1, project }))
)

describe("auth", () => {
  it.effect("every failure of the domain", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const credentials = { authData: authData() }
      yield* failsWith(auth.auth("email", credentials), "InvalidCredentials")
      for (const marker of ["nobody", "asleep", "formless"])
        yield* failsWith(auth.auth(marker, credentials), "ProviderNotFound")
      yield* failsWith(auth.auth("email", { authData: [{ marker: "login", value: login }] }), "InvalidData")
      yield* failsWith(auth.auth("email", { authData: [] }), "InvalidData")
      yield* auth.signUp("email", signUpData())
      yield* failsWith(auth.auth("email", credentials), "UserNotActivated")
      yield* failsWith(auth.auth("email", { authData: authData(login, "wrong") }), "InvalidCredentials")
      yield* failsWith(auth.auth("simple", { ...credentials, code: "1" }), "InvalidData")
    }).pipe(Effect.provide(inProcess()))
  )

  for (const notActivatedStatus of [400, 401, 403] as const) {
    it.effect(`UserNotActivated with status ${notActivatedStatus}`, () =>
      Effect.gen(function* () {
        const auth = yield* AuthProvider.AuthProvider
        yield* auth.signUp("email", signUpData())
        yield* failsWith(auth.auth("email", { authData: authData() }), "UserNotActivated")
      }).pipe(Effect.provide(inProcess({}, { project: { ...project, switches: { notActivatedStatus } } })))
    )
  }

  it.effect("with a code, beside the data or among them: wrong, too many, right", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const session = yield* Session.Session
      yield* auth.signUp("email", signUpData())
      const name = [{ marker: "email_reg", value: login }]
      const beside = auth.auth("email", { authData: name, code: other })
      const among = auth.auth("email", { authData: [...name, { marker: "code", value: Redacted.make(other) }] })
      yield* failsWith(beside, "InvalidCode")
      yield* failsWith(among, "InvalidCode")
      yield* failsWith(beside, "InvalidCode")
      yield* failsWith(among, "InvalidCode")
      yield* failsWith(beside, "CodeAttemptsExceeded")
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.add({ operation: "auth", kind: "malformed", body: "false", count: 1 })
      yield* failsWith(beside, "InvalidCode")
      yield* auth.generateCode("email", { userIdentifier: login, eventIdentifier: "auth" })
      assert.isTrue(Option.isNone(yield* session.current))
      yield* auth.auth("email", { authData: name, code: Redacted.make(yield* codeOf()) })
      assert.isTrue(Option.isSome(yield* session.current))
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("a failed sign-in leaves the session that was there", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      yield* register()
      yield* signIn()
      yield* failsWith(signIn(login, "wrong"), "InvalidCredentials")
      yield* emulator.faults.add({ operation: "auth", kind: "status", status: 502, count: 1 })
      yield* failsWith(signIn(), "OneEntryError/ServerFailure")
      yield* emulator.faults.add({ operation: "auth", kind: "drop", count: 1 })
      yield* failsWith(signIn(), "OneEntryError/Network")
      yield* failsWith(auth.oauth("google", { code: "bad", redirect_uri: "https://app.example.com/" }), "OAuthRejected")
      assert.strictEqual((yield* Users.Users.use((users) => users.getUser())).identifier, login)
      // None of these was mistaken for a session that has ended.
      assert.strictEqual(yield* count("refresh"), 0)
      // Not even by an answer that cannot be understood (the server, though, may have replaced the device's session).
      yield* emulator.faults.add({ operation: "auth", kind: "malformed", body: '{"userIdentifier":"x"}', count: 1 })
      yield* failsWith(signIn(), "OneEntryError/ResponseInvalid")
      // Nor by a token that no header can carry.
      for (const accessToken of ["line\r\nx-evil: 1", "nul\0", "tökən", " "]) {
        const body = JSON.stringify({
          userIdentifier: login,
          authProviderIdentifier: "email",
          accessToken,
          refreshToken: "1"
        })
        yield* emulator.faults.add({ operation: "auth", kind: "malformed", body, count: 1 })
        const error = yield* failsWith(signIn(), "OneEntryError/ResponseInvalid")
        assert.notInclude(error.message, accessToken.trim() || "nothing")
      }
      assert.isTrue(Option.isSome(yield* Session.Session.use((session) => session.current)))
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("TokenStorageError when the storage holds another session and cannot be written", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      const broken = yield* Broken
      yield* register()
      yield* register("bob@example.com")
      yield* signIn()
      broken.is = true
      yield* failsWith(signIn("bob@example.com"), "TokenStorageError")
      yield* failsWith(
        auth.oauth("google", { code: "emulator-c@example.com", redirect_uri: "https://a.example" }),
        "TokenStorageError"
      )
      // What cannot be kept is given back.
      assert.deepStrictEqual(
        (yield* emulator.sessions).map((session) => session.userIdentifier),
        [login]
      )
    }).pipe(Effect.provide(withBrokenStorage))
  )
})

describe("oauth", () => {
  it.effect("OAuthRejected and ProviderNotFound", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const data = {
        code: "bad",
        redirect_uri: "https://app.example.com/callback",
        client_id: "id",
        client_secret: "s"
      }
      yield* failsWith(auth.oauth("google", data), "OAuthRejected")
      yield* failsWith(auth.oauth("google", { ...data, code: "emulator-unverified-a@b.example" }), "OAuthRejected")
      yield* failsWith(auth.oauth("email", data), "OAuthRejected")
      yield* failsWith(auth.oauth("nobody", data), "ProviderNotFound")
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("refresh", () => {
  it.effect("NotAuthenticated without a session, or for another provider", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* failsWith(auth.refresh(), "NotAuthenticated")
      yield* register()
      yield* signIn()
      yield* failsWith(auth.refresh("google"), "NotAuthenticated")
      assert.strictEqual(yield* count("refresh"), 0)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("joins a refresh in flight", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* register()
      yield* signIn()
      yield* Emulator.Emulator.use((emulator) =>
        emulator.faults.add({ operation: "refresh", kind: "delay", delay: "1 second" })
      )
      const fiber = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 20 }, () => auth.refresh("email")),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("1 second")
      const all = yield* Fiber.join(fiber)
      assert.strictEqual(new Set(all.map((entity) => Redacted.value(entity.accessToken))).size, 1)
      assert.strictEqual(yield* count("refresh"), 1)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("adopts a token that is given", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const session = yield* Session.Session
      yield* register()
      const { refreshToken } = yield* signIn()
      yield* session.signOutLocally
      const entity = yield* auth.refresh("email", refreshToken)
      assert.strictEqual(entity.userIdentifier, login)
      assert.strictEqual((yield* Users.Users.use((users) => users.getUser())).identifier, login)
      yield* session.signOutLocally
      yield* failsWith(auth.refresh("email", Redacted.value(refreshToken)), "TokenExpired")
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("a token from elsewhere takes the place of the session once the server has taken it", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const session = yield* Session.Session
      yield* register()
      yield* register("bob@example.com")
      const { refreshToken: foreign } = yield* signIn("bob@example.com")
      yield* session.signOutLocally
      yield* signIn()

      yield* failsWith(auth.refresh("email", "1-nobody"), "TokenExpired")
      yield* Emulator.Emulator.use((emulator) =>
        emulator.faults.add({ operation: "refresh", kind: "status", status: 503, count: 1 })
      )
      yield* failsWith(auth.refresh("email", foreign), "OneEntryError/ServerFailure")
      assert.strictEqual((yield* Users.Users.use((users) => users.getUser())).identifier, login)

      const before = yield* count("refresh")
      const both = yield* Effect.all([auth.refresh("email", foreign), auth.refresh("email", foreign)], {
        concurrency: "unbounded"
      })
      assert.strictEqual(yield* count("refresh"), before + 1)
      assert.deepStrictEqual(
        both.map((entity) => entity.userIdentifier),
        ["bob@example.com", "bob@example.com"]
      )
      assert.strictEqual((yield* Users.Users.use((users) => users.getUser())).identifier, "bob@example.com")
      // Spent by now, and not worth a session.
      yield* failsWith(auth.refresh("email", foreign), "TokenExpired")
      assert.isTrue(Option.isSome(yield* session.current))
    }).pipe(Effect.provideService(DeviceMetadata.DeviceMetadata, DeviceMetadata.make()), Effect.provide(inProcess()))
  )

  it.effect("TokenExpired when the server closed the session", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* register()
      yield* signIn()
      yield* Emulator.Emulator.use((emulator) => emulator.revokeSessions())
      yield* failsWith(auth.getActiveSessionsByMarker("email"), "TokenExpired")
      yield* failsWith(auth.logoutAll("email"), "NotAuthenticated")
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("logout", () => {
  it.effect("offline: gone here, and the result says what failed", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const session = yield* Session.Session
      const emulator = yield* Emulator.Emulator
      yield* register()
      yield* signIn()
      yield* emulator.faults.add({ operation: "logout", kind: "drop" })
      const result = yield* auth.logout()
      assert.isFalse(result.revoked)
      assert.strictEqual(result.failure?.reason._tag, "Network")
      assert.isTrue(Option.isNone(yield* session.current))
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("a refusal of the server is told, never intercepted", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      yield* register()
      yield* signIn()
      yield* emulator.expireAccessTokens
      const result = yield* auth.logout("email")
      assert.isFalse(result.revoked)
      assert.propertyVal(result.failure?.reason, "statusCode", 401)
      assert.strictEqual(yield* count("refresh"), 0)
      assert.strictEqual(yield* count("logout"), 1)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("a token that is known to have ended is exchanged for one more, so that the server's half ends", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      const session = yield* Session.Session
      yield* register()
      yield* signIn()
      yield* TestClock.adjust("11 hours")
      assert.deepStrictEqual(yield* auth.logout(), { revoked: true })
      assert.strictEqual((yield* emulator.sessions).length, 0)
      assert.strictEqual(yield* count("refresh"), 1)

      const { refreshToken } = yield* signIn()
      yield* session.signOutLocally
      // A refresh token alone, in a process that knows nothing else.
      assert.deepStrictEqual(yield* auth.logout("email", refreshToken), { revoked: true })
      assert.strictEqual((yield* emulator.sessions).length, 0)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("an older token does not keep the session of now alive", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      yield* register()
      const { refreshToken } = yield* signIn()
      yield* auth.refresh()
      assert.deepStrictEqual(yield* auth.logout("email", refreshToken), { revoked: true })
      assert.strictEqual((yield* emulator.sessions).length, 0)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("an empty token, as the official SDK leaves behind, ends what there is", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* register()
      yield* signIn()
      assert.deepStrictEqual(yield* auth.logout("email", ""), { revoked: true })
      assert.deepStrictEqual(yield* auth.logout("email", ""), { revoked: false })
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("interrupted, the caller is free at once, and the server is told all the same", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      const session = yield* Session.Session
      yield* register()
      yield* signIn()
      yield* emulator.faults.add({ operation: "logout", kind: "delay", delay: "5 seconds" })
      const fiber = yield* Effect.forkChild(auth.logout(), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Option.isNone(yield* session.current))
      assert.strictEqual((yield* emulator.sessions).length, 1)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* emulator.sessions).length, 0)

      // Also where more than one request is needed for it.
      yield* emulator.faults.clear
      yield* signIn()
      yield* TestClock.adjust("11 hours")
      yield* emulator.faults.add({ operation: "refresh", kind: "delay", delay: "5 seconds" })
      const second = yield* Effect.forkChild(auth.logout(), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(second)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* count("logout"), 2)
      assert.strictEqual((yield* emulator.sessions).length, 0)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("TokenStorageError when the storage cannot be cleared: gone from memory, and from the server", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      const broken = yield* Broken
      yield* register()
      yield* signIn()
      broken.is = true
      yield* failsWith(auth.logout(), "TokenStorageError")
      assert.strictEqual((yield* emulator.sessions).length, 0)
    }).pipe(Effect.provide(withBrokenStorage))
  )
})

describe("logoutAll and sessions", () => {
  it.effect("NotAuthenticated without a session, and refresh on 401", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      yield* failsWith(auth.logoutAll("email"), "NotAuthenticated")
      yield* failsWith(auth.getActiveSessionsByMarker("email"), "NotAuthenticated")
      yield* register()
      yield* signIn()
      yield* emulator.expireAccessTokens
      assert.strictEqual((yield* auth.getActiveSessionsByMarker("email")).length, 1)
      yield* emulator.expireAccessTokens
      assert.deepStrictEqual(yield* auth.logoutAll("email"), { revoked: true })
      assert.strictEqual(yield* count("refresh"), 2)
      assert.strictEqual((yield* emulator.sessions).length, 0)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("logoutAll at another provider leaves the session of this one", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* register()
      yield* signIn()
      yield* auth.logoutAll("google")
      assert.strictEqual((yield* Users.Users.use((users) => users.getUser())).identifier, login)
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("providers", () => {
  it.effect("getAuthProviderByMarker: ProviderNotFound", () =>
    failsWith(
      AuthProvider.AuthProvider.use((auth) => auth.getAuthProviderByMarker("nobody")),
      "ProviderNotFound"
    ).pipe(Effect.provide(inProcess()))
  )

  const many = {
    ...project,
    providers: Array.from({ length: 25 }, (_, index) => ({ id: index + 1, identifier: `p${index + 1}` }))
  }
  const all = many.providers.map((provider) => provider.identifier)

  it.effect("pages", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const page = yield* auth.getAuthProviders({ offset: 20, limit: 3 })
      assert.deepStrictEqual(
        page.map((provider) => provider.identifier),
        ["p21", "p22", "p23"]
      )
      for (const pageSize of [undefined, 1, 5, 10, 25, 100]) {
        const streamed = yield* Stream.runCollect(auth.streamAuthProviders({ pageSize }))
        assert.deepStrictEqual(
          [...streamed].map((provider) => provider.identifier),
          all
        )
      }
      const before = yield* count("getAuthProviders")
      yield* Stream.runDrain(auth.streamAuthProviders({ pageSize: 10 }))
      assert.strictEqual(yield* count("getAuthProviders"), before + 3)
      yield* Stream.runDrain(Stream.take(auth.streamAuthProviders({ pageSize: 10 }), 5))
      assert.strictEqual(yield* count("getAuthProviders"), before + 4)
      for (const options of [{ limit: 0 }, { limit: 1.5 }, { offset: -1 }, { offset: Number.NaN }]) {
        yield* failsWith(auth.getAuthProviders(options), "OneEntryError/InvalidRequest")
      }
      // Without a check this would never end.
      yield* failsWith(Stream.runDrain(auth.streamAuthProviders({ pageSize: 0 })), "OneEntryError/InvalidRequest")
    }).pipe(Effect.provide(inProcess({}, { project: many })))
  )

  it.effect("a config of strings, nulls and strangers reads as one of numbers", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      const config = (yield* auth.getAuthProviderByMarker("email")).config
      assert.strictEqual(config.systemCodeLength, 6)
      assert.strictEqual(Duration.toMinutes(config.systemCodeTtl ?? 0), 2)
      assert.strictEqual(Duration.toDays(config.deleteNoneActiveUsersAfter ?? 0), 2)
      yield* emulator.faults.add({
        operation: "getAuthProviderByMarker",
        kind: "malformed",
        // An array of one, as old servers answer.
        body: JSON.stringify([
          { id: 1, identifier: "email", config: { systemCodeLength: "", systemCodeOnlyNumbers: "true", x: 1 } }
        ])
      })
      assert.deepStrictEqual(yield* auth.getAuthProviderByMarker("email"), {
        id: 1,
        identifier: "email",
        type: "",
        isActive: true,
        isCheckCode: false,
        version: 0,
        config: { systemCodeOnlyNumbers: true }
      })
    }).pipe(Effect.provide(inProcess({}, { project: { ...project, switches: { configNumbers: "string" } } })))
  )
})
