import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { KeyValueStore } from "effect/persistence"
import { TestClock } from "effect/testing"
import { AuthProvider, FetchClient, OAuth, OneEntry, Session, Sessions, TokenStorage } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { createHash } from "node:crypto"
import { sentBy } from "./helpers/content.ts"
import { failsWith, inProcess, overHttp, project as scenario } from "./helpers/scenario.ts"

const url = "https://my-project.oneentry.cloud"
const redirectUri = "https://app.example.com/callback"

const provider = (oauthAuthUrl?: string): Parameters<OAuth.OAuth["Service"]["authorizationUrl"]>[0] => ({
  identifier: "google",
  config: oauthAuthUrl === undefined ? {} : { oauthAuthUrl }
})

const google = provider("https://accounts.example.com/auth")

const options: OAuth.AuthorizationOptions = { clientId: "client", redirectUri, scopes: ["openid", "email"] }

const client = OAuth.layer({ url }).pipe(Layer.provideMerge(TokenStorage.layerMemory))

/** Begins a sign-in; gives the parameters of the authorization page. */
const begin = (more: Partial<OAuth.AuthorizationOptions> = {}, which = google) =>
  Effect.map(
    OAuth.OAuth.use((oauth) => oauth.authorizationUrl(which, { ...options, ...more })),
    (text) => new URL(text).searchParams
  )

const back = (state: string | null, more: Readonly<Record<string, string>> = { code: "abc" }) =>
  `${redirectUri}?${new URLSearchParams({ ...more, state: state ?? "" })}`

const callback = (address: string | URL, callbackOptions?: OAuth.CallbackOptions) =>
  OAuth.OAuth.use((oauth) => oauth.callback(address, callbackOptions))

const stored = (slot = "default") => TokenStorage.TokenStorage.use((storage) => storage.get(`~oauth:${slot}`))

const s256 = (verifier: string) => createHash("sha256").update(verifier).digest("base64url")

describe("authorizationUrl", () => {
  it.effect("asks for a code, with a state and a challenge of 256 bits each", () =>
    Effect.gen(function* () {
      const text = yield* OAuth.OAuth.use((oauth) =>
        oauth.authorizationUrl(
          provider("https://accounts.example.com/o/auth?access_type=offline&scope=old&state=fixed#top"),
          {
            ...options,
            parameters: { login_hint: "ann@example.com", prompt: "consent" }
          }
        )
      )
      const address = new URL(text)
      assert.strictEqual(address.origin + address.pathname + address.hash, "https://accounts.example.com/o/auth")
      const { state, code_challenge, ...rest } = Object.fromEntries(address.searchParams)
      assert.deepStrictEqual(rest, {
        access_type: "offline",
        login_hint: "ann@example.com",
        prompt: "consent",
        response_type: "code",
        client_id: "client",
        redirect_uri: redirectUri,
        scope: "openid email",
        code_challenge_method: "S256"
      })
      for (const random of [state, code_challenge])
        assert.strictEqual(Buffer.from(String(random), "base64url").byteLength, 32)
      const taken = yield* callback(back(String(state)))
      assert.strictEqual(
        Buffer.from(Redacted.value(taken.codeVerifier ?? Redacted.make("")), "base64url").byteLength,
        32
      )
      assert.strictEqual(s256(Redacted.value(taken.codeVerifier ?? Redacted.make(""))), code_challenge)
    }).pipe(Effect.provide(client))
  )

  it.effect(
    "takes the scope of the provider's address where none is given, and no challenge where none is wanted",
    () =>
      Effect.gen(function* () {
        const query = yield* begin(
          { scopes: undefined, pkce: false },
          provider("http://127.0.0.1:8080/auth?scope=openid+email")
        )
        assert.strictEqual(query.get("scope"), "openid email")
        assert.isFalse(query.has("code_challenge") || query.has("code_challenge_method"))
        assert.notProperty(yield* callback(back(query.get("state")), { withVerifier: true }), "codeVerifier")
      }).pipe(Effect.provide(client))
  )

  it.effect("never gives the same state or challenge twice", () =>
    Effect.gen(function* () {
      const all = yield* Effect.replicateEffect(begin(), 50)
      const values = all.flatMap((query) => [query.get("state"), query.get("code_challenge")])
      assert.strictEqual(new Set(values).size, 100)
    }).pipe(Effect.provide(client))
  )

  it.effect("refuses what would not be safe, and begins nothing then", () =>
    Effect.gen(function* () {
      const refused: ReadonlyArray<readonly [string, Effect.Effect<unknown, OAuthFailure, OAuth.OAuth>]> = [
        ["has no `oauthAuthUrl`", begin({}, provider())],
        ["begin with https:", begin({}, provider("http://accounts.example.com/auth"))],
        ["absolute URL", begin({}, provider("/auth"))],
        ["begin with https:", begin({}, provider("javascript:alert(1)"))],
        ["credentials", begin({}, provider("https://user:secret@accounts.example.com/auth"))],
        ["clientId", begin({ clientId: " " })],
        ["redirectUri", begin({ redirectUri: "http://app.example.com/callback" })],
        ["redirectUri", begin({ redirectUri: "javascript:alert(1)" })],
        ["redirectUri", begin({ redirectUri: "app:/callback" })],
        ["redirectUri", begin({ redirectUri: "/callback" })],
        ["fragment", begin({ redirectUri: `${redirectUri}#x` })],
        ["is no scope", begin({ scopes: ["openid email"] })],
        ["must not set state", begin({ parameters: { state: "mine" } })],
        ["must not set client_secret", begin({ parameters: { client_secret: "x" } })],
        ["must not set code_challenge_method", begin({ parameters: { code_challenge_method: "plain" } })]
      ]
      for (const [text, effect] of refused) {
        const error = yield* failsWith(effect, "OneEntryError/InvalidRequest")
        assert.include(error.message, text)
        assert.notInclude(error.message, "secret@")
      }
      assert.isUndefined(yield* stored())
    }).pipe(Effect.provide(client))
  )

  it.effect("lets an app have a scheme of its own, and loopback", () =>
    Effect.gen(function* () {
      for (const own of [
        "com.example.app:/callback",
        "http://127.0.0.1:5173/callback",
        "http://localhost/cb",
        "http://shop.localhost:3000/cb",
        "http://[::1]:3000/"
      ]) {
        assert.strictEqual((yield* begin({ redirectUri: own })).get("redirect_uri"), own)
      }
    }).pipe(Effect.provide(client))
  )

  it.effect("keeps a path to return to, and only one of the same site", () =>
    Effect.gen(function* () {
      for (const good of ["/", "/cart?x=1#top", "/a/../b", "/a//b", "/ü"]) {
        const query = yield* begin({ returnTo: good })
        assert.strictEqual((yield* callback(back(query.get("state")))).returnTo, good)
      }
      const bad = [
        "//evil.com",
        "/\\evil.com",
        "\\\\evil.com",
        "https://evil.com",
        "evil",
        "",
        "/a\nb",
        "/\t/evil.com",
        "/..//evil.com",
        "/.//evil.com",
        "javascript:alert(1)",
        " /a",
        `/${"a".repeat(3000)}`
      ]
      for (const returnTo of bad) {
        const error = yield* failsWith(begin({ returnTo }), "OneEntryError/InvalidRequest")
        assert.include(error.message, "`returnTo`")
      }
    }).pipe(Effect.provide(client))
  )
})

type OAuthFailure = { readonly _tag: string; readonly message: string }

describe("callback", () => {
  it.effect("gives what AuthProvider.oauth needs, from an address, a path or a query", () =>
    Effect.gen(function* () {
      const forms: ReadonlyArray<(address: string) => string | URL> = [
        (address) => address,
        (address) => new URL(`${address}#_=_`),
        (address) => address.slice("https://app.example.com".length),
        (address) => address.slice(address.indexOf("?")),
        (address) => address.slice(address.indexOf("?") + 1)
      ]
      for (const form of forms) {
        const query = yield* begin({ returnTo: "/cart" })
        const taken = yield* callback(form(back(query.get("state"), { code: "a+b/c=" })))
        assert.deepStrictEqual(
          [taken.marker, taken.returnTo, Object.keys(taken.data).sort()],
          ["google", "/cart", ["code", "redirect_uri"]]
        )
        assert(Redacted.isRedacted(taken.data.code) && Redacted.isRedacted(taken.codeVerifier))
        assert.deepStrictEqual([Redacted.value(taken.data.code), taken.data.redirect_uri], ["a+b/c=", redirectUri])
        assert.notInclude(JSON.stringify(taken), "a+b/c=")
      }
      const query = yield* begin()
      const { codeVerifier, data } = yield* callback(back(query.get("state")), { withVerifier: true })
      assert.strictEqual(data.code_verifier, codeVerifier)
    }).pipe(Effect.provide(client))
  )

  it.effect("what is no callback says why, and takes nothing", () =>
    Effect.gen(function* () {
      const query = yield* begin()
      const state = query.get("state") ?? ""
      const wrong: ReadonlyArray<readonly [string, string]> = [
        ["", "no address"],
        ["nonsense", "no address"],
        [redirectUri, "no `state`"],
        [`${redirectUri}?code=abc`, "no `state`"],
        [`${redirectUri}?state=${state}`, "neither"],
        [`${redirectUri}?state=${state}&code=`, "neither"],
        [`${redirectUri}?state=${state}&code=a&code=b`, "`code` twice"],
        [`${redirectUri}?state=x&state=${state}&code=a`, "`state` twice"],
        [`${redirectUri}?state=${state}&code=${"a".repeat(20_000)}`, "too long"]
      ]
      for (const [address, issue] of wrong) {
        const error = yield* failsWith(callback(address), "CallbackInvalid")
        assert.include(error.message, issue)
      }
      assert.strictEqual((yield* callback(back(state))).marker, "google")
    }).pipe(Effect.provide(client))
  )

  it.effect("one that came to another address than the redirectUri is none, and takes nothing", () =>
    Effect.gen(function* () {
      const own = "https://app.example.com:443/a/../callback?at=google"
      const query = `?code=abc&state=${(yield* begin({ redirectUri: own })).get("state")}`
      const elsewhere = [
        "https://evil.example.com/callback",
        "https://app.example.com:8443/callback",
        "https://app.example.com/callback/vk",
        "com.example.app:/callback",
        "/callback/vk",
        "//evil.example.com/callback",
        "/Callback"
      ]
      for (const address of elsewhere) {
        const error = yield* failsWith(callback(address + query), "CallbackInvalid")
        assert.include(error.message, "another address")
      }
      yield* callback(`HTTPS://APP.EXAMPLE.COM/callback${query}#_=_`)
      // As a server behind a proxy sees it.
      const proxied = (yield* begin({ redirectUri: own })).get("state")
      yield* callback(`http://app.example.com/callback?code=abc&state=${proxied}`)
      yield* failsWith(callback(`https://evil.example.com/callback${query}`), "CallbackReplayed")
      for (const redirectUri of ["com.example.app:/callback", "com.example.app:callback", "http://[::1]:3000/"]) {
        const state = (yield* begin({ redirectUri })).get("state")
        yield* failsWith(callback(`com.example.app:/other?code=abc&state=${state}`), "CallbackInvalid")
        yield* failsWith(callback(`/other?code=abc&state=${state}`), "CallbackInvalid")
        yield* callback(`${redirectUri}?code=abc&state=${state}`)
      }
    }).pipe(Effect.provide(client))
  )

  it.effect("one that says it is from another issuer is none, a refusal too, and takes nothing", () =>
    Effect.gen(function* () {
      const issuer = "https://accounts.example.com"
      const state = (yield* begin({ issuer })).get("state")
      for (const iss of ["https://evil.example.com", `${issuer}/`, ""]) {
        for (const more of [{ code: "abc" }, { error: "access_denied" }]) {
          const error = yield* failsWith(callback(back(state, { ...more, iss })), "CallbackInvalid")
          assert.include(error.message, "`iss`")
        }
      }
      const twice = yield* failsWith(callback(`${back(state, { code: "a", iss: issuer })}&iss=x`), "CallbackInvalid")
      assert.include(twice.message, "`iss` twice")
      yield* callback(back(state, { code: "abc", iss: issuer }))
      // A network that does not say, and an application that does not know.
      yield* callback(back((yield* begin({ issuer })).get("state")))
      yield* callback(back((yield* begin()).get("state"), { code: "abc", iss: issuer }))
    }).pipe(Effect.provide(client))
  )

  it.effect("a wrong state is unknown, and the sign-in under way goes on", () =>
    Effect.gen(function* () {
      const query = yield* begin()
      yield* failsWith(callback(back("made-up")), "StateUnknown")
      yield* failsWith(callback(back("__proto__")), "StateUnknown")
      yield* failsWith(callback(back(`${query.get("state")}x`)), "StateUnknown")
      yield* callback(back(query.get("state")))
    }).pipe(Effect.provide(client))
  )

  it.effect("a callback is good once", () =>
    Effect.gen(function* () {
      const query = yield* begin({ returnTo: "/cart" })
      yield* callback(back(query.get("state")))
      const error = yield* failsWith(callback(back(query.get("state"))), "CallbackReplayed")
      assert(error._tag === "CallbackReplayed")
      assert.deepStrictEqual([error.marker, error.returnTo], ["google", "/cart"])
      assert.notInclude(String(yield* stored()), "verifier")
    }).pipe(Effect.provide(client))
  )

  it.effect("of two at the same time, as StrictMode makes them, one goes on", () =>
    Effect.gen(function* () {
      for (let round = 0; round < 20; round++) {
        const query = yield* begin()
        const address = back(query.get("state"))
        const results = yield* Effect.all(
          Array.from({ length: 5 }, () => Effect.result(callback(address))),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          results.map((result) => (result._tag === "Success" ? "ok" : result.failure._tag)).sort(),
          ["CallbackReplayed", "CallbackReplayed", "CallbackReplayed", "CallbackReplayed", "ok"]
        )
      }
    }).pipe(Effect.provide(client))
  )

  it.effect("a storage that was cleared has lost the verifier, and says so", () =>
    Effect.gen(function* () {
      const query = yield* begin()
      const storage = yield* TokenStorage.TokenStorage
      yield* storage.remove("~oauth:default")
      yield* failsWith(callback(back(query.get("state"))), "FlowLost")
      yield* storage.set("~oauth:default", "half of a val")
      yield* failsWith(callback(back(query.get("state"))), "FlowLost")
      // Rubbish does not keep the next one from beginning.
      const next = yield* begin()
      yield* callback(back(next.get("state")))
    }).pipe(Effect.provide(client))
  )

  it.effect("ten minutes are the end of it, by Effect's clock", () =>
    Effect.gen(function* () {
      const early = yield* begin()
      yield* TestClock.adjust("10 minutes")
      const late = yield* begin({ returnTo: "/cart" })
      yield* callback(back(early.get("state")))
      yield* TestClock.adjust("10 minutes")
      yield* TestClock.adjust("1 millis")
      const error = yield* failsWith(callback(back(late.get("state"))), "FlowExpired")
      assert(error._tag === "FlowExpired" && error.returnTo === "/cart")
      yield* failsWith(callback(back(late.get("state"))), "FlowExpired")
      assert.notInclude(String(yield* stored()), "verifier")
      yield* TestClock.adjust("2 hours")
      yield* failsWith(callback(back(late.get("state"))), "FlowLost")
      assert.isUndefined(yield* stored())
    }).pipe(Effect.provide(client))
  )

  it.effect("a clock that is set back does not keep a sign-in alive", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("30 minutes")
      const query = yield* begin()
      yield* TestClock.setTime(0)
      yield* failsWith(callback(back(query.get("state"))), "FlowExpired")
    }).pipe(Effect.provide(client))
  )

  it.effect("two under way at once end in either order, each with its own verifier and path", () =>
    Effect.gen(function* () {
      const first = yield* begin({ returnTo: "/one" })
      const second = yield* begin({ returnTo: "/two" }, { ...google, identifier: "vk" })
      const two = yield* callback(back(second.get("state")))
      const one = yield* callback(back(first.get("state")))
      assert.deepStrictEqual([one.marker, one.returnTo, two.marker, two.returnTo], ["google", "/one", "vk", "/two"])
      assert.strictEqual(s256(Redacted.value(one.codeVerifier ?? Redacted.make(""))), first.get("code_challenge"))
      assert.strictEqual(s256(Redacted.value(two.codeVerifier ?? Redacted.make(""))), second.get("code_challenge"))
    }).pipe(Effect.provide(client))
  )

  it.effect("many that begin at the same time are all kept, sixteen at the most: the oldest makes room", () =>
    Effect.gen(function* () {
      const all = yield* Effect.all(
        Array.from({ length: 16 }, () => begin()),
        { concurrency: "unbounded" }
      )
      const next = yield* begin()
      const results = yield* Effect.forEach([...all, next], (query) =>
        Effect.result(callback(back(query.get("state"))))
      )
      const tags = results.map((result) => (result._tag === "Success" ? "ok" : result.failure._tag))
      assert.strictEqual(tags.filter((tag) => tag === "ok").length, 16)
      assert.strictEqual(tags.filter((tag) => tag === "StateUnknown").length, 1)
      assert.strictEqual(tags.at(-1), "ok")
      yield* Effect.replicateEffect(
        Effect.flatMap(begin(), (query) => callback(back(query.get("state")))),
        100
      )
      assert.isBelow(String(yield* stored()).length, 10_000)
    }).pipe(Effect.provide(client))
  )

  it.effect("a network that refuses is known by its word, once, and only where the state is right", () =>
    Effect.gen(function* () {
      const refusal = { error: "access_denied", error_description: `The user\nsaid no${"!".repeat(2000)}` }
      const query = yield* begin({ returnTo: "/cart" })
      yield* failsWith(callback(back("made-up", refusal)), "StateUnknown")
      const error = yield* failsWith(callback(back(query.get("state"), refusal)), "AuthorizationRefused")
      assert(error._tag === "AuthorizationRefused")
      assert.deepStrictEqual([error.error, error.marker, error.returnTo], ["access_denied", "google", "/cart"])
      assert.match(error.description ?? "", /^The user said no!+$/)
      assert.isBelow(error.message.length, 600)
      yield* failsWith(callback(back(query.get("state"), refusal)), "CallbackReplayed")
      // Both: a network that is not sure.
      const both = yield* begin()
      yield* failsWith(callback(back(both.get("state"), { ...refusal, code: "abc" })), "AuthorizationRefused")
    }).pipe(Effect.provide(client))
  )
})

describe("what a sign-in is bound to", () => {
  const other = (project: string, storage: TokenStorage.TokenStorage["Service"]) =>
    OAuth.layer({ url: project }).pipe(Layer.provide(Layer.succeed(TokenStorage.TokenStorage, storage)))

  it.effect("the project: another one over the same storage does not take it", () =>
    Effect.gen(function* () {
      const storage = TokenStorage.makeMemory()
      const query = yield* begin().pipe(Effect.provide(other(url, storage)))
      const take = callback(back(query.get("state")))
      yield* failsWith(take.pipe(Effect.provide(other("https://elsewhere.oneentry.cloud", storage))), "FlowLost")
      yield* take.pipe(Effect.provide(other(url, storage)))
    })
  )

  it.effect("the slot: one visitor's callback is no other's, and a session's slot is not touched", () =>
    Effect.gen(function* () {
      const ann = Sessions.withSlot("ann")
      const bob = Sessions.withSlot("bob")
      const query = yield* ann(begin())
      yield* failsWith(bob(callback(back(query.get("state")))), "FlowLost")
      yield* failsWith(callback(back(query.get("state"))), "FlowLost")
      const own = yield* bob(begin())
      yield* failsWith(bob(callback(back(query.get("state")))), "StateUnknown")
      yield* bob(callback(back(own.get("state"))))
      yield* ann(callback(back(query.get("state"))))
      const storage = yield* TokenStorage.TokenStorage
      for (const slot of ["ann", "bob", "default"]) assert.isUndefined(yield* storage.get(slot))
    }).pipe(Effect.provide(client))
  )
})

describe("storages", () => {
  const keyValue = TokenStorage.layerKeyValueStore.pipe(Layer.provide(KeyValueStore.layerMemory))
  const encrypted = Layer.unwrap(Effect.map(TokenStorage.generateKey, (key) => TokenStorage.layerEncrypted(key))).pipe(
    Layer.provide(TokenStorage.layerMemory)
  )

  /** Somebody else always comes in between. */
  const remote = Layer.sync(TokenStorage.TokenStorage, () => {
    const below = TokenStorage.makeMemory()
    const later = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.yieldNow.pipe(Effect.andThen(effect), Effect.tap(Effect.yieldNow))
    return TokenStorage.make({
      get: (slot) => later(below.get(slot)),
      set: (slot, value) => later(below.set(slot, value)),
      remove: (slot) => later(below.remove(slot)),
      compareAndSet: (slot, expected, next) => later(below.compareAndSet(slot, expected, next))
    })
  })

  for (const [name, storage] of [
    ["remote", remote],
    ["without compare-and-set", keyValue],
    ["encrypted", encrypted]
  ] as const) {
    it.effect(`${name}: twenty at once, and each callback once`, () =>
      Effect.gen(function* () {
        const all = yield* Effect.all(
          Array.from({ length: 10 }, () => begin()),
          { concurrency: "unbounded" }
        )
        const results = yield* Effect.forEach(
          [...all, ...all],
          (query) => Effect.result(callback(back(query.get("state")))),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(results.filter((result) => result._tag === "Success").length, 10)
        assert.isTrue(
          results.every((result) => result._tag === "Success" || result.failure._tag === "CallbackReplayed")
        )
      }).pipe(Effect.provide(OAuth.layer({ url }).pipe(Layer.provideMerge(storage))))
    )
  }

  it.effect("one that fails is a TokenStorageError, of both steps", () =>
    Effect.gen(function* () {
      yield* failsWith(begin(), "TokenStorageError")
      yield* failsWith(callback(back("x")), "TokenStorageError")
    }).pipe(
      Effect.provide(
        OAuth.layer({ url }).pipe(
          Layer.provide(
            Layer.succeed(
              TokenStorage.TokenStorage,
              TokenStorage.make({
                get: (slot) => Effect.fail(new TokenStorage.TokenStorageError({ operation: "get", slot })),
                set: () => Effect.void,
                remove: () => Effect.void
              })
            )
          )
        )
      )
    )
  )
})

describe("withClientSecret", () => {
  const data: AuthProvider.OAuthData = { code: "abc", redirect_uri: redirectUri }
  const credentials = { clientId: "client", clientSecret: Redacted.make("secret") }

  it.effect("adds the credentials on a server", () =>
    Effect.gen(function* () {
      const all = yield* OAuth.withClientSecret(data, credentials)
      assert.deepStrictEqual(all, { ...data, client_id: "client", client_secret: credentials.clientSecret })
      assert.notInclude(JSON.stringify(all), 'secret"}')
    })
  )

  it.effect("fails in a browser", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(globalThis, { document: {} })),
        () => Effect.sync(() => Reflect.deleteProperty(globalThis, "document"))
      )
      const error = yield* failsWith(OAuth.withClientSecret(data, credentials), "OneEntryError/InvalidRequest")
      assert.match(error.message, /must not reach a browser/)
    })
  )
})

describe("with the emulator", () => {
  const project = {
    ...scenario,
    providers: (scenario.providers ?? []).map((one) =>
      one.identifier === "google" ? { ...one, config: { oauthAuthUrl: "https://accounts.example.com/auth" } } : one
    )
  }

  /** From the button to a session; the network is the emulator's fake, which takes `emulator-<e-mail>`. */
  const signIn = Effect.gen(function* () {
    const auth = yield* AuthProvider.AuthProvider
    const oauth = yield* OAuth.OAuth
    const session = yield* Session.Session
    const which = yield* auth.getAuthProviderByMarker("google")
    const query = new URL(yield* oauth.authorizationUrl(which, { ...options, returnTo: "/cart" })).searchParams
    const address = back(query.get("state"), { code: "emulator-eve@example.com" })
    const taken = yield* oauth.callback(address)
    const entity = yield* auth.oauth(taken.marker, taken.data)
    assert.deepInclude(entity, { userIdentifier: "eve@example.com", authProviderIdentifier: "google" })
    assert.isTrue(Option.isSome(yield* session.current))
    const again = yield* sentBy(failsWith(oauth.callback(address), "CallbackReplayed"))
    assert.deepStrictEqual(again.sent, [])
  })

  it.effect("leads to a session, without a socket", () =>
    signIn.pipe(Effect.provide(inProcess(undefined, { project })))
  )
  it.effect("leads to a session, over HTTP", () =>
    signIn.pipe(Effect.provide(overHttp(FetchClient.layer, undefined, { project })))
  )

  it.effect("a server that does not know the verifier refuses it: it goes along only where it is asked for", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const query = yield* begin()
      const { data, marker } = yield* callback(back(query.get("state"), { code: "emulator-eve@example.com" }), {
        withVerifier: true
      })
      const error = yield* failsWith(auth.oauth(marker, data), "OAuthRejected")
      assert.match(error.message, /code_verifier should not exist/)
    }).pipe(Effect.provide(inProcess(undefined, { project })))
  )

  it.effect("is a service of the whole client", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const layer = OneEntry.layer({ url: emulator.url }).pipe(Layer.provide(TokenStorage.layerMemory))
      assert.isTrue((yield* begin().pipe(Effect.provide(layer))).has("state"))
    }).pipe(Effect.provide(Emulator.layerClient({ passwordCost: 1, project })))
  )
})
