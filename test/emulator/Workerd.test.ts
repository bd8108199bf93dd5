/** The web handler in workerd: sign up, sign in, read the profile, refresh, and the control API beside it. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { AuthProvider, OneEntry, Session, TokenStorage, Users } from "effect-oneentry"
import { build } from "esbuild"
import { Miniflare } from "miniflare"
import * as path from "node:path"
import { authData, device, signUpBody, users } from "./support.ts"

const root = path.resolve(import.meta.dirname, "../..")
const folders = ["browser", "server", "redis", "sql", "promise", "emulator", "testing"]

const worker = Effect.acquireRelease(
  Effect.promise(async () => {
    const { outputFiles } = await build({
      entryPoints: [path.join(import.meta.dirname, "worker.ts")],
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["workerd", "worker", "browser"],
      keepNames: true,
      minify: true,
      logLevel: "silent",
      plugins: [
        {
          name: "package",
          setup: (builder) => {
            builder.onResolve({ filter: /^effect-oneentry(\/|$)/ }, ({ path: specifier }) => {
              const name = specifier.slice("effect-oneentry/".length)
              const file = name === "" ? "index" : folders.includes(name) ? `${name}/index` : name
              return { path: path.join(root, `src/${file}.ts`) }
            })
          }
        }
      ]
    })
    const miniflare = new Miniflare({
      // Named, as wrangler does: the imports of what only Node has are made from values, and stay behind.
      modules: [{ type: "ESModule", path: "worker.mjs", contents: outputFiles[0]?.text ?? "" }],
      compatibilityDate: "2026-07-01",
      cf: false
    })
    return { miniflare, url: (await miniflare.ready).origin }
  }),
  ({ miniflare }) => Effect.promise(() => miniflare.dispose())
)

it.live("answers in workerd as anywhere", () =>
  Effect.gen(function* () {
    const { url } = yield* worker
    const send = (method: string, route: string, body?: unknown, headers: Record<string, string> = {}) =>
      Effect.promise(async () => {
        const response = await fetch(url + route, {
          method,
          headers: { "x-app-token": "emulator-app-token", "content-type": "application/json", ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
        return { status: response.status, json: Object(await response.json()) }
      })
    const signedUp = yield* send("POST", `${users}/sign-up`, signUpBody())
    assert.strictEqual(signedUp.status, 201)
    const {
      json: { code }
    } = yield* send("GET", "/__emulator/outbox/code?userIdentifier=ann@example.com")
    assert.match(code, /^[0-9A-Z]{6}$/)
    const activated = yield* send("POST", `${users}/activate`, { userIdentifier: "ann@example.com", code })
    assert.strictEqual(activated.status, 201)
    const tokens = yield* send("POST", `${users}/auth`, { authData: authData() }, { "x-device-metadata": device() })
    assert.strictEqual(tokens.status, 201)
    const profile = yield* send("GET", "/api/content/users/me", undefined, {
      authorization: `Bearer ${tokens.json.accessToken}`
    })
    assert.deepInclude(profile.json, { identifier: "ann@example.com", authProviderIdentifier: "email" })

    const form = new FormData()
    form.append("files", new Blob(["abc"]), "a.txt")
    const uploaded = yield* Effect.promise(() =>
      fetch(`${url}/api/content/files`, {
        method: "POST",
        headers: { "x-app-token": "emulator-app-token" },
        body: form
      })
    )
    assert.strictEqual(uploaded.status, 201)

    // hashes of this runtime
    const { json: snapshot } = yield* send("GET", "/__emulator/snapshot")
    assert.match(snapshot.users[0].passwordHash, /^(pbkdf2|scrypt)\$4\$/)
    const page = yield* Effect.promise(async () => (await fetch(`${url}/__emulator`)).text())
    assert.include(page, "ann@example.com")
    const broken = yield* send("POST", `${users}/auth`, { authData: "x" })
    assert.deepInclude(broken.json, { statusCode: 400, pageData: null })
  })
)

it.live("serves the client of this package", () =>
  Effect.gen(function* () {
    const { url } = yield* worker
    yield* Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const session = yield* Session.Session
      yield* auth.signUp("email", {
        formIdentifier: "reg",
        authData: authData(),
        formData: [
          { marker: "name_reg", type: "string", value: "Ann" },
          { marker: "phone_reg", type: "string", value: "+1" }
        ],
        notificationData: { email: "ann@example.com" }
      })
      const code = yield* Effect.promise(
        async () =>
          Object(await (await fetch(`${url}/__emulator/outbox/code?userIdentifier=ann@example.com`)).json()).code
      )
      yield* auth.activateUser("email", { userIdentifier: "ann@example.com", code })
      yield* auth.auth("email", { authData: authData() })
      yield* session.refresh
      const user = yield* Users.Users.use((users) => users.getUser())
      assert.strictEqual(user.identifier, "ann@example.com")
    }).pipe(
      Effect.provide(
        OneEntry.layer({ url, appToken: "emulator-app-token" }).pipe(
          Layer.provideMerge(TokenStorage.layerMemory),
          Layer.provideMerge(FetchHttpClient.layer)
        )
      )
    )
  })
)
