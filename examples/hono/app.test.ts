import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { TokenStorage } from "effect-oneentry"
import { emulator } from "../support.ts"
import { makeApp } from "./app.ts"

it.live("a session in cookies, refreshed once however many ask", () =>
  Effect.gen(function* () {
    const { ann, appToken, expireAccessTokens, refreshes, url } = yield* emulator()
    const app = makeApp({ url, appToken }, yield* TokenStorage.generateKey)
    let cookie = ""
    const send = (method: string, route: string, body?: unknown, headers: Record<string, string> = {}) =>
      Effect.promise(async () => {
        const response = await app.request(`https://shop.example${route}`, {
          method,
          headers: { cookie, "content-type": "application/json", "sec-fetch-site": "same-origin", ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
        const set = response.headers.getSetCookie()
        if (set.length > 0) cookie = set.map((text) => text.split(";")[0]).join("; ")
        return { status: response.status, text: await response.text(), set }
      })
    const credentials = { email: ann.login, password: ann.password }

    assert.strictEqual((yield* send("GET", "/me")).status, 401)
    assert.deepInclude(yield* send("POST", "/sign-in", { ...credentials, password: "no" }), {
      status: 401,
      text: '{"error":"InvalidCredentials"}'
    })
    assert.deepInclude(yield* send("POST", "/sign-in", "no credentials"), {
      status: 400,
      text: '{"error":"BadRequest"}'
    })
    // From a page of somebody else's: not a word to the API.
    const forged = yield* send("POST", "/sign-in", credentials, { "sec-fetch-site": "cross-site" })
    assert.strictEqual(forged.status, 403)

    const signedIn = yield* send("POST", "/sign-in", credentials)
    assert.strictEqual(signedIn.status, 204)
    assert.isTrue(signedIn.set.every((text) => /^__Host-.*; Path=\/.*HttpOnly; Secure; SameSite=Lax/.test(text)))

    yield* expireAccessTokens
    const answers = yield* Effect.all(
      Array.from({ length: 20 }, () => send("GET", "/me")),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual([...new Set(answers.map(({ text }) => text))], [`{"name":"${ann.login}"}`])
    assert.deepStrictEqual(yield* refreshes, [201])

    assert.strictEqual((yield* send("POST", "/sign-out")).status, 204)
    assert.strictEqual((yield* send("GET", "/me")).status, 401)
  })
)
