import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Duration, Effect, Exit, Layer, Redacted, Schedule } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import {
  AuthProvider,
  type ClientOptions,
  FileUploading,
  Forms,
  OneEntry,
  OneEntryClient,
  type OneEntryError,
  Session,
  TokenStorage,
  Users
} from "effect-oneentry"
import { failsWith } from "./helpers/scenario.ts"

/** A client that answers everything, and counts. */
const counting = () => {
  const sent: Array<string> = []
  const http = HttpClient.make((request, url) => {
    sent.push(url.href)
    return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json([])))
  })
  return { sent, layer: Layer.succeed(HttpClient.HttpClient, http) }
}

const over = <A, E>(
  layer: (options: ClientOptions.ClientOptions) => Layer.Layer<A, E, HttpClient.HttpClient | TokenStorage.TokenStorage>,
  options: ClientOptions.ClientOptions,
  http: Layer.Layer<HttpClient.HttpClient>
) => Layer.provide(layer(options), [TokenStorage.layerMemory, http])

const url = "https://my-project.oneentry.cloud"

/** What a program without types may hand over. */
const untyped = (value: object): ClientOptions.ClientOptions => Object.assign({ url }, value)

const issuesOf = (options: ClientOptions.ClientOptions) =>
  Effect.gen(function* () {
    const { layer, sent } = counting()
    const error = yield* Effect.flip(Effect.scoped(Layer.build(over(OneEntry.layer, options, layer))))
    assert.deepStrictEqual(sent, [])
    assert.strictEqual(error._tag, "OneEntryError")
    assert.strictEqual(error.operation, "layer")
    if (error.reason._tag !== "InvalidRequest") return assert.fail(error.reason._tag)
    assert.isFalse(error.isRetryable)
    assert.notProperty(error.reason, "statusCode")
    return error.reason.issues
  })

describe("options", () => {
  const bad: ReadonlyArray<readonly [string, ClientOptions.ClientOptions, RegExp]> = [
    ["an empty URL", { url: "" }, /`url` must be an absolute URL such as https:/],
    ["no URL", untyped({ url: undefined }), /`url` must be an absolute URL/],
    ["a relative URL", { url: "/api" }, /`url` must be an absolute URL/],
    ["a host without a scheme", { url: "my-project.oneentry.cloud" }, /`url` must be an absolute URL/],
    ["a broken URL", { url: "https://[" }, /`url` must be an absolute URL/],
    ["another scheme", { url: "ftp://my-project.oneentry.cloud" }, /`url` must begin with https:/],
    ["a script", { url: "javascript:alert(1)" }, /`url` must begin with https:/],
    ["http off loopback", { url: "http://my-project.oneentry.cloud" }, /https:.*`allowInsecureHttp`/],
    ["http to what only looks like loopback", { url: "http://127.0.0.1.evil.example" }, /https:/],
    ["http to a local name that is none", { url: "http://localhost.evil.example" }, /https:/],
    ["http to any interface", { url: "http://0.0.0.0:3000" }, /https:/],
    ["a user", { url: "https://user@my-project.oneentry.cloud" }, /must not carry credentials/],
    ["a password", { url: "https://:pass@my-project.oneentry.cloud" }, /must not carry credentials/],
    ["a query", { url: `${url}/?x=1` }, /neither a query nor a fragment/],
    ["a fragment", { url: `${url}/#x` }, /neither a query nor a fragment/],
    ["an empty token", { url, appToken: "" }, /`appToken` must be a token/],
    ["an empty redacted token", { url, appToken: Redacted.make("") }, /`appToken` must be a token/],
    ["a token with a space", { url, appToken: "a b" }, /`appToken`/],
    ["a token with a line break", { url, appToken: "a\r\nx-evil: 1" }, /`appToken`/],
    ["a token of another alphabet", { url, appToken: "tökən" }, /`appToken`/],
    ["a token that is far too long", { url, appToken: "x".repeat(10_000) }, /`appToken`/],
    ["null for a token", untyped({ appToken: null }), /`appToken`/],
    ["a number for a token", untyped({ appToken: 5 }), /`appToken`/],
    ["a language that is none", { url, langCode: "" }, /`langCode` must be a language code such as en_US/],
    ["a language with a path", { url, langCode: "en/../de" }, /`langCode`/],
    ["null for a language", untyped({ langCode: null }), /`langCode`/],
    ["an empty marker", { url, providerMarker: " " }, /`providerMarker` must not be empty/],
    ["a marker that leads elsewhere", { url, providerMarker: ".." }, /`providerMarker` must not be "\.\."/],
    ["null for a marker", untyped({ providerMarker: null }), /`providerMarker`/],
    ["an empty slot", { url, slot: "" }, /`slot` must not be empty/],
    ["a number for a slot", untyped({ slot: 5 }), /`slot`/],
    ["no time at all", { url, requestTimeout: 0 }, /`requestTimeout` must be a duration/],
    ["less than no time", { url, requestTimeout: -1 }, /`requestTimeout`/],
    ["a time that is no number", { url, requestTimeout: Number.NaN }, /`requestTimeout`/],
    ["for ever", { url, requestTimeout: Duration.infinity }, /`requestTimeout`/],
    ["a time that is no time", untyped({ requestTimeout: "soon" }), /`requestTimeout`/],
    ["a margin that is no number", { url, refreshMargin: Number.NaN }, /`refreshMargin` must be a duration/],
    ["a margin whose parts are no numbers", { url, refreshMargin: { seconds: Number.NaN } }, /`refreshMargin`/],
    ["a negative margin", { url, refreshMargin: "-5 seconds" }, /`refreshMargin`/],
    ["no bytes", { url, maxResponseBytes: 0 }, /`maxResponseBytes` must be a whole number of bytes/],
    ["half a byte", { url, maxResponseBytes: 0.5 }, /`maxResponseBytes`/],
    ["bytes that are no number", { url, maxResponseBytes: Number.NaN }, /`maxResponseBytes`/],
    ["true for a schedule", untyped({ retry: true }), /`retry` must be a schedule, or false/],
    ["a number for a schedule", untyped({ retry: 3 }), /`retry`/]
  ]
  for (const [what, options, message] of bad) {
    it.effect(`${what}: fails when the layer is built, and says what to change`, () =>
      Effect.gen(function* () {
        const issues = yield* issuesOf(options)
        assert.strictEqual(issues.length, 1, issues.join("\n"))
        assert.match(issues[0] ?? "", message)
      })
    )
  }

  it.effect("a name under localhost: in a browser alone it is this machine, elsewhere DNS answers for it", () =>
    Effect.gen(function* () {
      for (const name of ["app.localhost", "a.b.localhost", "evil-localhost", "127.0.0.1.evil.example"]) {
        const issues = yield* issuesOf({ url: `http://${name}:3000` })
        assert.match(issues.join(), /must begin with https/)
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(globalThis, { document: {} })),
        () => Effect.sync(() => Reflect.deleteProperty(globalThis, "document"))
      )
      const { layer } = counting()
      const app = over(OneEntry.layer, { url: "http://app.localhost:3000" }, layer)
      yield* AuthProvider.AuthProvider.use((auth) => auth.getAuthProviders()).pipe(Effect.provide(app))
      assert.lengthOf(yield* issuesOf({ url: "http://evil-localhost:3000" }), 1)
    })
  )

  it.effect("everything that is wrong is said at once, and no secret with it", () =>
    Effect.gen(function* () {
      const issues = yield* issuesOf({
        url: "http://user:canary@evil.example/?canary#x",
        appToken: "canary canary",
        langCode: "!",
        slot: "",
        requestTimeout: 0
      })
      assert.strictEqual(issues.length, 7, issues.join("\n"))
      assert.notInclude(issues.join(), "canary")
    })
  )

  const good: ReadonlyArray<readonly [string, ClientOptions.ClientOptions]> = [
    ["a slash at the end", { url: `${url}/` }],
    ["a URL object", { url: new URL(url) }],
    ["a port and a path", { url: "https://example.com:8443/base/path/" }],
    ["localhost", { url: "http://localhost:3000" }],
    ["a name under localhost where it is allowed", { url: "http://app.localhost:3000", allowInsecureHttp: true }],
    ["127.x", { url: "http://127.1.2.3:3000" }],
    ["a short 127", { url: "http://127.1:3000" }],
    ["IPv6 loopback", { url: "http://[::1]:3000" }],
    ["http where it is allowed", { url: "http://intranet", allowInsecureHttp: true }],
    ["languages of every form", { url, langCode: "zh-Hant-TW" }],
    ["no margin", { url, refreshMargin: 0 }],
    ["durations of every form", { url, requestTimeout: "1 second", refreshMargin: { seconds: 5 } }],
    ["a schedule", { url, retry: Schedule.recurs(1) }],
    ["undefined, where it may be", { url, appToken: undefined, langCode: undefined, retry: undefined, slot: undefined }]
  ]
  for (const [what, options] of good) {
    it.effect(`${what} is fine`, () =>
      Effect.gen(function* () {
        const { layer, sent } = counting()
        yield* AuthProvider.AuthProvider.use((auth) => auth.getAuthProviders()).pipe(
          Effect.provide(over(OneEntry.layer, options, layer))
        )
        assert.match(sent[0] ?? "", /[^/]\/api\/content\/users-auth-providers\?langCode=/)
      })
    )
  }

  it.effect("every layer checks", () =>
    Effect.gen(function* () {
      const { layer, sent } = counting()
      const options = { url: "nonsense" }
      const exits = yield* Effect.all([
        Effect.exit(Effect.scoped(Layer.build(over(AuthProvider.layer, options, layer)))),
        Effect.exit(Effect.scoped(Layer.build(over(FileUploading.layer, options, layer)))),
        Effect.exit(Effect.scoped(Layer.build(over(Forms.layer, options, layer)))),
        Effect.exit(Effect.scoped(Layer.build(over(OneEntryClient.layer, options, layer)))),
        Effect.exit(Effect.scoped(Layer.build(over(Session.layer, options, layer)))),
        Effect.exit(Effect.scoped(Layer.build(over(Users.layer, options, layer))))
      ])
      const errors = exits.map((exit: Exit.Exit<unknown, OneEntryError.OneEntryError>) =>
        Exit.isFailure(exit)
          ? exit.cause.reasons.map((reason) => reason._tag === "Fail" && reason.error.reason._tag)
          : []
      )
      assert.deepStrictEqual(
        errors,
        Array.from({ length: 6 }, () => ["InvalidRequest"])
      )
      assert.deepStrictEqual(sent, [])
    })
  )
})

describe("layerConfig", () => {
  const build = (variables: Record<string, string>, layer = OneEntry.layerConfig()) => {
    const { layer: http, sent } = counting()
    const provided = Layer.provide(layer, [
      TokenStorage.layerMemory,
      http,
      ConfigProvider.layer(ConfigProvider.fromEnvRecord(variables))
    ])
    // The client answers every request with an array, which no provider is.
    return Effect.map(
      Effect.flip(
        Effect.provide(
          AuthProvider.AuthProvider.use((auth) => auth.getAuthProviderByMarker("email")),
          provided
        )
      ),
      (error) => ({ error, sent })
    )
  }

  it.effect("reads what there is", () =>
    Effect.gen(function* () {
      const { sent } = yield* build({
        ONEENTRY_URL: url,
        ONEENTRY_TOKEN: "token",
        ONEENTRY_LANG_CODE: "de_DE",
        ONEENTRY_PROVIDER: "google"
      })
      assert.deepStrictEqual(sent, [`${url}/api/content/users-auth-providers/marker/email?langCode=de_DE`])
      assert.strictEqual((yield* build({ ONEENTRY_URL: url })).sent.length, 1)
    })
  )

  it.effect("a missing URL is named", () =>
    Effect.gen(function* () {
      const { error, sent } = yield* build({})
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(error.message, "ONEENTRY_URL")
      assert.deepStrictEqual(sent, [])
    })
  )

  it.effect("an empty variable is one that is not there", () =>
    Effect.gen(function* () {
      const { error, sent } = yield* build({ ONEENTRY_URL: "" })
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(error.message, "ONEENTRY_URL")
      assert.deepStrictEqual(sent, [])
      const empty = { ONEENTRY_LANG_CODE: "", ONEENTRY_PROVIDER: "" }
      assert.match((yield* build({ ONEENTRY_URL: url, ...empty })).sent[0] ?? "", /langCode=en_US$/)
    })
  )

  it.effect("invalid values are refused as options are, and never shown", () =>
    Effect.gen(function* () {
      const { error } = yield* build({
        ONEENTRY_URL: "http://canary.example",
        ONEENTRY_TOKEN: "can ary",
        ONEENTRY_LANG_CODE: "%"
      })
      assert.strictEqual(error._tag, "OneEntryError")
      for (const option of ["`url`", "`appToken`", "`langCode`"]) assert.include(error.message, option)
      assert.notInclude(error.message, "can ary")
    })
  )

  it.effect("a configuration of one's own", () =>
    Effect.gen(function* () {
      const layer = OneEntry.layerConfig(
        Config.all({
          url: Config.URL("MY_URL"),
          requestTimeout: Config.Duration("MY_TIMEOUT").pipe(Config.withDefault(undefined))
        })
      )
      assert.strictEqual((yield* build({ MY_URL: url }, layer)).sent.length, 1)
      assert.include((yield* build({ MY_URL: url, MY_TIMEOUT: "0 seconds" }, layer)).error.message, "`requestTimeout`")
      const fields = OneEntry.layerConfig({ url: Config.String("MY_URL"), appToken: Config.Redacted("MY_TOKEN") })
      assert.strictEqual((yield* build({ MY_URL: url, MY_TOKEN: "x" }, fields)).sent.length, 1)
      assert.include((yield* build({ MY_URL: url }, fields)).error.message, "MY_TOKEN")
    })
  )
})

describe("arguments", () => {
  const text = "\ud83d"
  const empties = ["", " ", "\t\n", ".", "..", text]

  const operations = (auth: AuthProvider.AuthProvider["Service"], forms: Forms.Forms["Service"]) => {
    const ann = { userIdentifier: "ann", eventIdentifier: "auth" }
    const change = { ...ann, type: "change", code: "1", newPassword: "2" } as const
    type Call = (
      value: string
    ) => Effect.Effect<unknown, { readonly _tag: string; readonly reason?: unknown; readonly message: string }>
    const calls: Record<string, Call> = {
      "signUp marker": (m) => auth.signUp(m, { authData: [] }),
      "signUp langCode": (langCode) => auth.signUp("email", { authData: [] }, { langCode }),
      "generateCode marker": (m) => auth.generateCode(m, ann),
      "generateCode userIdentifier": (userIdentifier) => auth.generateCode("email", { ...ann, userIdentifier }),
      "generateCode eventIdentifier": (eventIdentifier) => auth.generateCode("email", { ...ann, eventIdentifier }),
      "checkCode marker": (m) => auth.checkCode(m, { ...ann, code: "1" }),
      "checkCode code": (code) => auth.checkCode("email", { ...ann, code: Redacted.make(code) }),
      "activateUser marker": (m) => auth.activateUser(m, { userIdentifier: "ann", code: "1" }),
      "activateUser code": (code) => auth.activateUser("email", { userIdentifier: "ann", code }),
      "auth marker": (m) => auth.auth(m, { authData: [] }),
      "auth code": (code) => auth.auth("email", { authData: [], code }),
      "oauth marker": (m) => auth.oauth(m, { code: "1", redirect_uri: "x" }),
      "oauth code": (code) => auth.oauth("google", { code, redirect_uri: "x" }),
      "oauth redirect_uri": (redirect_uri) => auth.oauth("google", { code: "1", redirect_uri }),
      "refresh marker": (m) => auth.refresh(m),
      "refresh refreshToken": (token) => auth.refresh("email", Redacted.make(token)),
      "logout marker": (m) => auth.logout(m),
      "logoutAll marker": (m) => auth.logoutAll(m),
      "changePassword marker": (m) => auth.changePassword(m, change),
      "changePassword newPassword": (newPassword) => auth.changePassword("email", { ...change, newPassword }),
      "changePassword code": (code) => auth.changePassword("email", { ...change, code }),
      "getAuthProviders langCode": (langCode) => auth.getAuthProviders({ langCode }),
      "getAuthProviderByMarker marker": (m) => auth.getAuthProviderByMarker(m),
      "getAuthProviderByMarker langCode": (langCode) => auth.getAuthProviderByMarker("email", { langCode }),
      "getActiveSessionsByMarker marker": (m) => auth.getActiveSessionsByMarker(m),
      "getFormByMarker marker": (m) => forms.getFormByMarker(m)
    }
    return calls
  }

  it.effect("empty, or fit for no URL: each fails at the call, names the argument, and sends nothing", () =>
    Effect.gen(function* () {
      const { layer, sent } = counting()
      yield* Effect.gen(function* () {
        const calls = operations(yield* AuthProvider.AuthProvider, yield* Forms.Forms)
        for (const [name, call] of Object.entries(calls)) {
          const argument = name.split(" ")[1] ?? ""
          for (const value of empties) {
            const error = yield* failsWith(call(value), "OneEntryError/InvalidRequest")
            assert.include(error.message, `\`${argument}\``, `${name}: ${JSON.stringify(value)}`)
          }
        }
      }).pipe(Effect.provide(over(OneEntry.layer, { url }, layer)))
      assert.deepStrictEqual(sent, [])
    })
  )

  it.effect("what a program without types may pass is no defect either", () =>
    Effect.gen(function* () {
      const { layer, sent } = counting()
      yield* Effect.gen(function* () {
        const calls = operations(yield* AuthProvider.AuthProvider, yield* Forms.Forms)
        for (const [name, call] of Object.entries(calls)) {
          // The marker of these may be left out, and options have defaults.
          for (const value of [null, 5, {}, [], Symbol("x"), undefined]) {
            if (value === undefined && /^(refresh|logout) marker|langCode|^auth code/.test(name)) continue
            const untypedCall = (): ReturnType<typeof call> => Reflect.apply(call, undefined, [value])
            const exit = yield* Effect.exit(Effect.suspend(untypedCall))
            assert.isTrue(
              Exit.isFailure(exit) && exit.cause.reasons.every((reason) => reason._tag === "Fail"),
              `${name}: ${String(value)} ${String(exit)}`
            )
          }
        }
        const auth = yield* AuthProvider.AuthProvider
        const change = {
          userIdentifier: "a",
          eventIdentifier: "b",
          code: "1",
          newPassword: "2",
          type: "change"
        } as const
        const odd: typeof change = Object.assign({}, change, { type: "reset" })
        assert.include(
          (yield* failsWith(auth.changePassword("email", odd), "OneEntryError/InvalidRequest")).message,
          "`type`"
        )
      }).pipe(Effect.provide(over(OneEntry.layer, { url }, layer)))
      assert.deepStrictEqual(sent, [])
    })
  )

  it.effect("half a character in a query is a typed error, or travels as the one that says so: never a defect", () =>
    Effect.gen(function* () {
      const { layer, sent } = counting()
      yield* Effect.gen(function* () {
        const fileQuery = { type: text, entity: `a${text}b`, id: text }
        const value = new Blob(["x"])
        const files = yield* FileUploading.FileUploading
        const auth = yield* AuthProvider.AuthProvider
        const forms = yield* Forms.Forms
        yield* failsWith(files.upload(value, fileQuery), "OneEntryError/InvalidRequest")
        // A defect would not be ignored.
        yield* Effect.ignore(
          auth.signUp("email", { authData: [], formData: { marker: "m", type: "file", value, fileQuery } })
        )
        yield* Effect.ignore(forms.getAllForms({ langCode: text }))
        yield* Effect.ignore(forms.getFormByMarker("reg", { langCode: text }))
      }).pipe(Effect.provide(over(OneEntry.layer, { url }, layer)))
      for (const one of sent) assert.include(one, "%EF%BF%BD")
    })
  )
})
