import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TokenStorage } from "effect-oneentry"
import { freePort } from "../../test/helpers/freePort.ts"
import { emulator, makeBrowser, program } from "../support.ts"

it.live("sign in, stay signed in, sign out: forms and cookies, without a script", () =>
  Effect.gen(function* () {
    const { ann, appToken, expireAccessTokens, refreshes, url } = yield* emulator()
    const port = yield* Effect.promise(freePort)
    const server = yield* program("http-router/main.ts", {
      ONEENTRY_URL: url,
      ONEENTRY_TOKEN: Redacted.value(appToken),
      SESSION_KEY: Redacted.value(yield* TokenStorage.generateKey),
      PORT: String(port)
    })
    yield* server.says("Listening on ")
    const origin = `http://127.0.0.1:${port}`
    const browser = makeBrowser(origin)

    const form = yield* browser.page("/")
    assert.include(form.text, `type="password"`)
    const refused = yield* browser.page("/sign-in", { email_reg: "<b>@example.com", password_reg: "wrong" })
    assert.strictEqual(refused.status, 422)
    assert.include(refused.text, `role="alert"`)
    assert.include(refused.text, `value="&lt;b&gt;@example.com"`)

    const profile = yield* browser.page("/sign-in", { email_reg: ann.login, password_reg: ann.password })
    assert.include(profile.text, `Hello, ${ann.login}`)
    assert.isTrue((yield* browser.cookies).every((cookie) => cookie.httpOnly))

    // What a page of another site can make a browser send.
    const forged = yield* Effect.promise(() =>
      fetch(`${origin}/sign-out`, { method: "POST", headers: { origin: "https://evil.example" } })
    )
    assert.strictEqual(forged.status, 403)

    yield* expireAccessTokens
    assert.include((yield* browser.page("/")).text, `Hello, ${ann.login}`)
    assert.deepStrictEqual(yield* refreshes, [201])

    assert.include((yield* browser.page("/sign-out", {})).text, "<h1>Sign in</h1>")
    assert.include((yield* browser.page("/")).text, "<h1>Sign in</h1>")
  })
)
