import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { AuthProvider, OAuth, OneEntry, Session, TokenStorage, Users } from "effect-oneentry"
import { Emulator, type Project } from "effect-oneentry/emulator"
import { Events } from "oauth2-mock-server"
import { failsWith, project as scenario } from "../helpers/scenario.ts"
import { browse, confidential, exchange, lenient, type Network, open, redirectUri, strict } from "./servers.ts"

/** The project whose provider "google" is the network. */
const projectOf = (network: Network, credentials: boolean): Project.Input => ({
  ...scenario,
  providers: (scenario.providers ?? []).map((one) =>
    one.identifier === "google"
      ? {
          ...one,
          formIdentifier: "reg",
          config: { oauthAuthUrl: network.authorizeUrl },
          oauth: {
            tokenUrl: network.tokenUrl,
            userInfoUrl: network.userInfoUrl,
            nameMarker: "name_reg",
            ...(credentials ? confidential : {})
          }
        }
      : one
  )
})

/** The client and the emulator on a port, with the network behind it. */
const withNetwork = <A, E, R>(
  network: Network,
  effect: Effect.Effect<A, E, R>,
  options: { readonly credentials: boolean } = { credentials: true }
) => {
  const emulator = Emulator.layer({ passwordCost: 1, project: projectOf(network, options.credentials) })
  const client = Layer.unwrap(Effect.map(Emulator.Emulator, ({ appToken, url }) => OneEntry.layer({ url, appToken })))
  return Effect.provide(
    effect,
    client.pipe(Layer.provideMerge(Layer.mergeAll(TokenStorage.layerMemory, FetchHttpClient.layer, emulator)))
  )
}

const begin = (options: Partial<OAuth.AuthorizationOptions> & { readonly person?: string } = {}) =>
  Effect.gen(function* () {
    const auth = yield* AuthProvider.AuthProvider
    const oauth = yield* OAuth.OAuth
    const { person, ...rest } = options
    return yield* oauth.authorizationUrl(yield* auth.getAuthProviderByMarker("google"), {
      clientId: confidential.clientId,
      redirectUri,
      scopes: ["openid", "email", "profile"],
      parameters: { login_hint: person ?? "eve@example.com" },
      ...rest
    })
  })

const take = (address: string, options?: OAuth.CallbackOptions) =>
  OAuth.OAuth.use((oauth) => oauth.callback(address, options))

const signIn = (callback: OAuth.Callback) =>
  AuthProvider.AuthProvider.use((auth) => auth.oauth(callback.marker, callback.data))

const isSignedIn = Effect.map(
  Session.Session.use((session) => session.current),
  Option.isSome
)

describe("a strict OpenID provider behind the project", () => {
  it.effect("from the button to the profile, by a real code", () =>
    Effect.gen(function* () {
      const network = yield* strict
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          const address = yield* browse(yield* begin({ pkce: false, returnTo: "/cart" }))
          const taken = yield* take(address)
          assert.strictEqual(taken.returnTo, "/cart")
          const entity = yield* signIn(taken)
          assert.deepInclude(entity, { userIdentifier: "eve@example.com", authProviderIdentifier: "google" })
          const user = yield* Users.Users.use((users) => users.getUser())
          assert.deepStrictEqual(
            user.formData.map(({ marker, value }) => [marker, value]),
            [["name_reg", "Network Person"]]
          )

          // The code is used up, whatever still tries it.
          yield* failsWith(take(address), "CallbackReplayed")
          yield* failsWith(signIn(taken), "OAuthRejected")
          assert.isTrue(yield* isSignedIn)
        })
      )
    })
  )

  it.effect("StrictMode: the callback runs twice at once, one session comes of it", () =>
    Effect.gen(function* () {
      const network = yield* strict
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          const address = yield* browse(yield* begin({ pkce: false }))
          const run = Effect.result(Effect.flatMap(take(address), signIn))
          const results = yield* Effect.all([run, run], { concurrency: "unbounded" })
          assert.deepStrictEqual(
            results.map((one) => (one._tag === "Success" ? "ok" : one.failure._tag)),
            ["ok", "CallbackReplayed"]
          )
          assert.isTrue(yield* isSignedIn)
          const { requests } = yield* Emulator.Emulator
          assert.lengthOf(
            (yield* requests).filter(({ operation }) => operation === "oauth"),
            1
          )
        })
      )
    })
  )

  it.effect("two sign-ins under way at once end in the other order", () =>
    Effect.gen(function* () {
      const network = yield* strict
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          const first = yield* begin({ pkce: false, person: "ann@example.com", returnTo: "/ann" })
          const second = yield* begin({ pkce: false, person: "bob@example.com", returnTo: "/bob" })
          const [one, two] = [yield* browse(first), yield* browse(second)]
          const bob = yield* take(two)
          assert.deepStrictEqual([bob.returnTo, (yield* signIn(bob)).userIdentifier], ["/bob", "bob@example.com"])
          const ann = yield* take(one)
          assert.deepStrictEqual([ann.returnTo, (yield* signIn(ann)).userIdentifier], ["/ann", "ann@example.com"])
        })
      )
    })
  )

  it.effect("a person who refuses comes back with access_denied", () =>
    Effect.gen(function* () {
      const network = yield* strict
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          const error = yield* failsWith(
            Effect.flatMap(browse(yield* begin({ pkce: false, person: "nobody" })), take),
            "AuthorizationRefused"
          )
          assert(error._tag === "AuthorizationRefused")
          assert.deepStrictEqual(
            [error.error, error.description, error.marker],
            ["access_denied", "The person refused", "google"]
          )
          assert.isFalse(yield* isSignedIn)
        })
      )
    })
  )

  it.effect("it says who it is: a callback of a sign-in that was meant for another network is none", () =>
    Effect.gen(function* () {
      const network = yield* strict
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          for (const person of ["eve@example.com", "nobody"]) {
            const mixedUp = yield* begin({ pkce: false, person, issuer: "https://accounts.example.com" })
            const error = yield* failsWith(Effect.flatMap(browse(mixedUp), take), "CallbackInvalid")
            assert.include(error.message, "`iss`")
          }
          const own = yield* begin({ pkce: false, issuer: new URL(network.authorizeUrl).origin })
          const entity = yield* Effect.flatMap(Effect.flatMap(browse(own), take), signIn)
          assert.strictEqual(entity.userIdentifier, "eve@example.com")
        })
      )
    })
  )

  it.effect("a challenge that nobody answers is refused: OneEntry's body has no verifier", () =>
    Effect.gen(function* () {
      const network = yield* strict
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          const address = yield* browse(yield* begin())
          const taken = yield* take(address)
          assert.notProperty(taken.data, "code_verifier")
          yield* failsWith(signIn(taken), "OAuthRejected")
          const withVerifier = yield* take(yield* browse(yield* begin()), { withVerifier: true })
          const refused = yield* failsWith(signIn(withVerifier), "OAuthRejected")
          assert.match(refused.message, /code_verifier should not exist/)
          assert.isFalse(yield* isSignedIn)
        })
      )
    })
  )

  it.effect("a tenant that keeps no credentials gets them from a server of ours", () =>
    Effect.gen(function* () {
      const network = yield* strict
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          const credentials = { ...confidential, clientSecret: Redacted.make(confidential.clientSecret) }
          const without = yield* take(yield* browse(yield* begin({ pkce: false })))
          yield* failsWith(signIn(without), "OAuthRejected")
          const taken = yield* take(yield* browse(yield* begin({ pkce: false })))
          const data = yield* OAuth.withClientSecret(taken.data, credentials)
          assert.strictEqual((yield* signIn({ ...taken, data })).userIdentifier, "eve@example.com")
          const wrong = yield* take(yield* browse(yield* begin({ pkce: false })))
          const bad = yield* OAuth.withClientSecret(wrong.data, { ...credentials, clientSecret: "wrong" })
          yield* failsWith(signIn({ ...wrong, data: bad }), "OAuthRejected")
          assert.isTrue(yield* isSignedIn)
        }),
        { credentials: false }
      )
    })
  )
})

describe("PKCE, straight at the network", () => {
  /** An application without a secret: what stands between its code and a thief is the verifier alone. */
  const authorize = Effect.gen(function* () {
    const network = yield* strict
    const oauth = yield* OAuth.OAuth
    const address = yield* browse(
      yield* oauth.authorizationUrl(
        { identifier: "google", config: { oauthAuthUrl: network.authorizeUrl } },
        { clientId: open.clientId, redirectUri, scopes: ["openid"], parameters: { login_hint: "eve@example.com" } }
      )
    )
    const taken = yield* oauth.callback(address, { withVerifier: true })
    const reveal = (secret: string | Redacted.Redacted<string> | undefined) =>
      secret === undefined ? "" : Redacted.isRedacted(secret) ? Redacted.value(secret) : secret
    return { network, code: reveal(taken.data.code), verifier: reveal(taken.data.code_verifier) }
  })

  const client = OAuth.layer({ url: "https://my-project.oneentry.cloud" }).pipe(Layer.provide(TokenStorage.layerMemory))

  it.effect("the verifier answers the challenge, once", () =>
    Effect.gen(function* () {
      const { code, network, verifier } = yield* authorize
      const form = { client_id: open.clientId, code, code_verifier: verifier }
      const tokens = yield* exchange(network, form)
      assert.strictEqual(tokens.status, 200)
      assert.property(tokens.body, "access_token")
      const again = yield* exchange(network, form)
      assert.deepStrictEqual([again.status, Object(again.body).error], [400, "invalid_grant"])
    }).pipe(Effect.provide(client))
  )

  it.effect("another verifier does not, and none does not", () =>
    Effect.gen(function* () {
      for (const other of ["a".repeat(43), undefined]) {
        const { code, network } = yield* authorize
        const refused = yield* exchange(network, {
          client_id: open.clientId,
          code,
          ...(other === undefined ? {} : { code_verifier: other })
        })
        assert.deepStrictEqual([refused.status, Object(refused.body).error], [400, "invalid_grant"])
      }
    }).pipe(Effect.provide(client))
  )

  it.effect("a server that demands it refuses a sign-in without, by way of the callback", () =>
    Effect.gen(function* () {
      const network = yield* strict
      const oauth = yield* OAuth.OAuth
      const address = yield* browse(
        yield* oauth.authorizationUrl(
          { identifier: "google", config: { oauthAuthUrl: network.authorizeUrl } },
          { clientId: open.clientId, redirectUri, scopes: ["openid"], pkce: false }
        )
      )
      const error = yield* failsWith(oauth.callback(address), "AuthorizationRefused")
      assert(error._tag === "AuthorizationRefused" && error.error === "invalid_request")
    }).pipe(Effect.provide(client))
  )

  it.effect("the lenient server checks it as well", () =>
    Effect.gen(function* () {
      const network = yield* lenient
      const oauth = yield* OAuth.OAuth
      const authorized = Effect.gen(function* () {
        const address = yield* browse(
          yield* oauth.authorizationUrl(
            { identifier: "google", config: { oauthAuthUrl: network.authorizeUrl } },
            { clientId: open.clientId, redirectUri, scopes: ["openid"] }
          )
        )
        const { codeVerifier, data } = yield* oauth.callback(address)
        return { code: Redacted.isRedacted(data.code) ? Redacted.value(data.code) : data.code, codeVerifier }
      })
      const { code, codeVerifier } = yield* authorized
      const verifier = Redacted.value(codeVerifier ?? Redacted.make(""))
      assert.strictEqual(
        (yield* exchange(network, { client_id: open.clientId, code, code_verifier: verifier })).status,
        200
      )
      const second = yield* authorized
      const wrong = yield* exchange(network, { client_id: open.clientId, code: second.code, code_verifier: verifier })
      assert.strictEqual(wrong.status, 400)
    }).pipe(Effect.provide(client))
  )
})

describe("a network with faults", () => {
  it.effect("signs in where it has none", () =>
    Effect.gen(function* () {
      const network = yield* lenient
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          const entity = yield* signIn(yield* take(yield* browse(yield* begin({ pkce: false }))))
          assert.strictEqual(entity.userIdentifier, "mock@example.com")
        })
      )
    })
  )

  it.effect("an error instead of a code is that error", () =>
    Effect.gen(function* () {
      const network = yield* lenient
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          for (const word of ["access_denied", "temporarily_unavailable", "user_cancelled_login"]) {
            network.service.once(Events.BeforeAuthorizeRedirect, (redirect: { url: URL }) => {
              redirect.url.searchParams.delete("code")
              redirect.url.searchParams.set("error", word)
            })
            const error = yield* failsWith(
              Effect.flatMap(browse(yield* begin({ pkce: false })), take),
              "AuthorizationRefused"
            )
            assert(error._tag === "AuthorizationRefused" && error.error === word)
          }
        })
      )
    })
  )

  it.effect("a state that was changed on the way is unknown, and the right one still good", () =>
    Effect.gen(function* () {
      const network = yield* lenient
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          const url = yield* begin({ pkce: false })
          network.service.once(Events.BeforeAuthorizeRedirect, (redirect: { url: URL }) => {
            redirect.url.searchParams.set("state", "another")
          })
          yield* failsWith(Effect.flatMap(browse(url), take), "StateUnknown")
          yield* Effect.flatMap(browse(url), take)
        })
      )
    })
  )

  it.effect("an exchange that it refuses leaves the session that was there", () =>
    Effect.gen(function* () {
      const network = yield* lenient
      yield* withNetwork(
        network,
        Effect.gen(function* () {
          yield* signIn(yield* take(yield* browse(yield* begin({ pkce: false }))))
          network.service.once(Events.BeforeResponse, (answer: { body: unknown; statusCode: number }) => {
            answer.statusCode = 400
            answer.body = { error: "invalid_grant" }
          })
          yield* failsWith(signIn(yield* take(yield* browse(yield* begin({ pkce: false })))), "OAuthRejected")
          const user = yield* Users.Users.use((users) => users.getUser())
          assert.strictEqual(user.identifier, "mock@example.com")
        })
      )
    })
  )
})
