import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Emulator, Messages, Project } from "effect-oneentry/emulator"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { call, device, inProcess, me, ok, project, providers, refresh, refused, tokensOf } from "./support.ts"

const text = (name: Messages.Name) => Messages.table[name].text

const withOAuth = (oauth?: typeof Project.OAuthServer.Encoded, more: Partial<Project.Input> = {}): Project.Input =>
  project(Project.defaultProject, {
    providers: [
      ...(Project.defaultProject.providers ?? []),
      {
        identifier: "google",
        type: "oauth",
        formIdentifier: "reg",
        config: { oauthAuthUrl: "https://accounts.example.com/auth" },
        ...(oauth === undefined ? {} : { oauth })
      }
    ],
    ...more
  })

const send = (body: object, marker = "google") =>
  call("POST", `${providers}/marker/${marker}/oauth`, { body, device: device() })

describe("the fake behind a provider without a server", () => {
  it.effect("takes emulator-<e-mail>, makes a user once and signs in", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const body = {
        client_id: "",
        client_secret: "",
        code: "emulator-ann@example.com",
        grant_type: "authorization_code",
        redirect_uri: "http://localhost:3000"
      }
      const first = tokensOf(yield* send(body))
      assert.deepInclude(first, { userIdentifier: "ann@example.com", authProviderIdentifier: "google" })
      const second = tokensOf(yield* send({ code: "emulator-ann@example.com", redirect_uri: "x" }))
      assert.lengthOf(yield* emulator.users, 1)
      assert.strictEqual((yield* me(second.accessToken)).status, 200)
      refused(yield* me(first.accessToken), 401, "Unauthorized")
      tokensOf(yield* refresh(second.refreshToken, "device-1", "google"))
      refused(yield* refresh(second.refreshToken, "device-1", "email"), 400, "Provided token is incorrect")
    }).pipe(Effect.provide(inProcess({ project: withOAuth() })))
  )

  it.effect("is refused without the place where people are sent to sign in", () =>
    Effect.gen(function* () {
      refused(yield* send({ code: "emulator-ann@example.com" }), 400, text("OAuthNotConfigured"))
    }).pipe(Effect.provide(inProcess({ project: { providers: [{ identifier: "google", type: "oauth" }] } })))
  )

  it.effect("refuses other codes, addresses that are not verified, and providers of another type", () =>
    Effect.gen(function* () {
      refused(yield* send({ code: "nonsense" }), 400, text("OAuthRejected"))
      refused(yield* send({ code: "emulator-" }), 400, text("OAuthRejected"))
      refused(yield* send({ code: "emulator-unverified-ann@example.com" }), 400, text("OAuthNotVerified"))
      refused(yield* send({ code: "emulator-ann@example.com" }, "email"), 400, text("OAuthNotConfigured"))
      refused(yield* send({}), 400, ["code should not be empty"])
      refused(yield* send({ code: "x", langCode: "en_US" }), 400, ["property langCode should not exist"])
      refused(yield* send({ code: "x", client_id: 1 }), 400, ["client_id must be a string"])
      assert.lengthOf(yield* Emulator.Emulator.use((emulator) => emulator.users), 0)
    }).pipe(Effect.provide(inProcess({ project: withOAuth() })))
  )

  it.effect("a profile made by OAuth answers 500 to notificationData, as real servers do", () =>
    Effect.gen(function* () {
      const tokens = tokensOf(yield* send({ code: "emulator-ann@example.com" }))
      const update = (body: object) =>
        call("PUT", "/api/content/users/me", {
          bearer: tokens.accessToken,
          body: { formIdentifier: "reg", langCode: "en_US", ...body }
        })
      refused(
        yield* update({ notificationData: { email: "a@b.io" } }),
        500,
        "Cannot read properties of null (reading 'en_US')"
      )
      ok(yield* update({ state: { a: 1 } }), 200, true)
      assert.deepInclude(Object((yield* me(tokens.accessToken)).json), { formData: {}, state: { a: 1 } })
    }).pipe(Effect.provide(inProcess({ project: withOAuth() })))
  )

  it.effect("or takes it, where the project says so", () =>
    Effect.gen(function* () {
      const { accessToken } = tokensOf(yield* send({ code: "emulator-ann@example.com" }))
      const body = { formIdentifier: "reg", langCode: "en_US", notificationData: { email: "a@b.io" } }
      ok(yield* call("PUT", "/api/content/users/me", { bearer: accessToken, body }), 200, true)
      const [user] = yield* Emulator.Emulator.use((emulator) => emulator.users)
      assert.deepStrictEqual(user?.notificationData, { email: "a@b.io" })
    }).pipe(
      Effect.provide(inProcess({ project: withOAuth(undefined, { switches: { oauthNotificationData: "accept" } }) }))
    )
  )
})

const Params = Schema.Record(Schema.String, Schema.String)

/** An authorization server: two codes, each good once, with credentials and a redirect URI. */
const oauthServer = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly seen: Array<Readonly<Record<string, string>>> }>((resume) => {
    const seen: Array<Readonly<Record<string, string>>> = []
    const used = new Set<string>()
    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk) => {
        body += chunk
      })
      request.on("end", () => {
        const json = (status: number, value: unknown) => {
          response.writeHead(status, { "content-type": "application/json" })
          response.end(typeof value === "string" ? value : JSON.stringify(value))
        }
        if (request.url === "/token") {
          const form = Schema.decodeSync(Params)(Object.fromEntries(new URLSearchParams(body)))
          seen.push(form)
          const code = form["code"] ?? ""
          if (
            form["client_secret"] !== "stored secret" ||
            form["redirect_uri"] !== "https://app/callback" ||
            used.has(code)
          ) {
            return json(400, { error: "invalid_grant" })
          }
          used.add(code)
          if (code === "broken") return json(200, '{"access_token":')
          return json(200, { access_token: `token-of-${code}`, token_type: "bearer" })
        }
        switch (request.headers.authorization) {
          case "Bearer token-of-good":
          case "Bearer token-of-good-again":
            return json(200, { sub: "1234", email: "ann@example.com", email_verified: true, name: "Ann", picture: "p" })
          case "Bearer token-of-unverified":
            return json(200, { sub: "5", email: "eve@example.com", email_verified: false })
          case "Bearer token-of-nameless":
            return json(200, { id: 77 })
          case "Bearer token-of-same-address":
            return json(200, { sub: "other", email: "ann@example.com" })
          default:
            return json(401, {})
        }
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, seen, close: () => server.close() }))
    })
  }),
  (server) =>
    Effect.sync(() => {
      if ("close" in server && typeof server.close === "function") server.close()
    })
)

describe("a real OAuth server behind a provider", () => {
  it.live("exchanges codes with the stored credentials, and matches the network account", () =>
    Effect.gen(function* () {
      const server = yield* oauthServer
      const layer = inProcess({
        project: withOAuth({
          tokenUrl: `${server.url}/token`,
          userInfoUrl: `${server.url}/userinfo`,
          clientId: "stored id",
          clientSecret: "stored secret",
          nameMarker: "name_reg"
        })
      })
      yield* Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const redirect_uri = "https://app/callback"
        const first = tokensOf(yield* send({ code: "good", redirect_uri, client_id: "mine", client_secret: "mine" }))
        assert.strictEqual(first.userIdentifier, "ann@example.com")
        assert.deepStrictEqual(server.seen[0], {
          grant_type: "authorization_code",
          code: "good",
          redirect_uri,
          client_id: "stored id",
          client_secret: "stored secret"
        })
        assert.deepInclude(Object((yield* me(first.accessToken)).json), {
          formData: { en_US: [{ marker: "name_reg", type: "string", value: "Ann" }] }
        })
        const rejected = text("OAuthRejected")
        refused(yield* send({ code: "good", redirect_uri }), 400, rejected)
        refused(yield* send({ code: "new", redirect_uri: "https://other" }), 400, rejected)
        refused(yield* send({ code: "broken", redirect_uri }), 400, rejected)
        refused(yield* send({ code: "stranger", redirect_uri }), 400, rejected)
        refused(yield* send({ code: "unverified", redirect_uri }), 400, text("OAuthNotVerified"))
        tokensOf(yield* send({ code: "good-again", redirect_uri }))
        assert.lengthOf(yield* emulator.users, 1)
        const nameless = tokensOf(yield* send({ code: "nameless", redirect_uri }))
        assert.match(nameless.userIdentifier, /^google_/)
        const other = tokensOf(yield* send({ code: "same-address", redirect_uri }))
        assert.match(other.userIdentifier, /^google_/)
        assert.lengthOf(yield* emulator.users, 3)
      }).pipe(Effect.provide(layer))
    })
  )

  it.effect("is refused when it is out of reach", () =>
    Effect.gen(function* () {
      refused(yield* send({ code: "good", redirect_uri: "x" }), 400, text("OAuthUnreachable"))
    }).pipe(
      Effect.provide(
        inProcess({
          fetch: () => Promise.reject(new TypeError("fetch failed")),
          project: withOAuth({ tokenUrl: "http://oauth.invalid/token", userInfoUrl: "http://oauth.invalid/me" })
        })
      )
    )
  )
})
