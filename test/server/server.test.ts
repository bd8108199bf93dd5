import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Browser, type App, type Integration, type Mode, origin, type Reply, send, start, withApp } from "./support.ts"

const modes: ReadonlyArray<Mode> = ["sealed", "reference"]
const integrations: ReadonlyArray<Integration> = ["HttpRouter", "Request → Response"]

const attributes = (setCookie: string) =>
  setCookie
    .split("; ")
    .slice(1)
    .map((part) => part.toLowerCase())

const isUncacheable = (reply: Reply) => {
  assert.strictEqual(reply.headers["cache-control"], "private, no-store")
  assert.include((reply.headers["vary"] ?? "").toLowerCase().split(/,\s*/), "cookie")
}

/** The pairs of a `Cookie` header that a reply's cookies make, without the device's. */
const sessionOf = (reply: Reply): string =>
  reply.setCookies
    .map((text) => text.split(";")[0] ?? "")
    .filter((pair) => !pair.startsWith("__Host-oneentry-device") && !pair.endsWith("="))
    .join("; ")

const fingerprints = (app: App, route: string): ReadonlyArray<unknown> =>
  app.server.seen
    .filter((seen) => seen.route === route)
    .map((seen) => JSON.parse(seen.headers["x-device-metadata"] ?? "{}").fingerprint)

const inTurn = <A>(effects: ReadonlyArray<Effect.Effect<A>>) => Effect.all(effects, { concurrency: "unbounded" })

for (const integration of integrations) {
  for (const mode of modes) {
    describe(`${mode} cookies in ${integration}`, () => {
      const live = (name: string, body: Parameters<typeof withApp>[1]) =>
        it.live(name, () => withApp({ mode, integration }, body))

      live("carry a session from the sign-in to the sign-out", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          assert.strictEqual((yield* browser.get("/peek")).text, "nobody")
          assert.strictEqual((yield* browser.get("/me")).text, "NotAuthenticated")
          assert.deepStrictEqual(yield* browser.cookies, [])

          const signIn = yield* browser.post("/sign-in/ann")
          assert.strictEqual(signIn.status, 204, signIn.text)
          isUncacheable(signIn)
          assert.strictEqual(signIn.setCookies.length, 2)
          for (const cookie of signIn.setCookies) {
            assert.match(cookie, /^__Host-oneentry/)
            assert.includeMembers(attributes(cookie), ["httponly", "secure", "samesite=lax", "path=/"])
            assert.isFalse(attributes(cookie).some((part) => part.startsWith("domain")))
            assert.isBelow(cookie.length, 4_096)
            // A month, and as long as browsers keep a device.
            assert.include(attributes(cookie), `max-age=${cookie.includes("-device") ? 34_560_000 : 2_592_000}`)
          }

          assert.strictEqual((yield* browser.get("/peek")).text, "ann")
          const me = yield* browser.get("/me")
          assert.strictEqual(me.text, "ann")
          // Nothing has changed: nothing is set, and what the application says of caching stands.
          assert.deepStrictEqual(me.setCookies, [])
          assert.isUndefined(me.headers["cache-control"])

          const signOut = yield* browser.post("/sign-out")
          assert.strictEqual(signOut.status, 204)
          isUncacheable(signOut)
          assert.deepStrictEqual(yield* browser.session, [])
          assert.strictEqual((yield* browser.get("/peek")).text, "nobody")
          assert.strictEqual(app.server.revoked.length, 1)
          assert.deepStrictEqual(app.late, [])
        })
      )

      live("stay as they were after a sign-in that failed", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          const before = yield* browser.session
          const failed = yield* browser.post("/sign-in/nobody")
          assert.strictEqual(failed.status, 502)
          assert.deepStrictEqual(failed.setCookies, [])
          assert.deepStrictEqual(
            (yield* browser.session).map(({ value }) => value),
            before.map(({ value }) => value)
          )
          assert.strictEqual((yield* browser.get("/me")).text, "ann")
        })
      )

      live("leave nothing of a session that begins and ends within one request", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          assert.strictEqual((yield* browser.post("/sign-in-and-out/ann")).status, 204)
          assert.deepStrictEqual(yield* browser.session, [])
          assert.strictEqual((yield* browser.get("/peek")).text, "nobody")
        })
      )

      live("are renewed in each of the parallel requests that shared one refresh", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          const before = yield* browser.cookieHeader
          app.server.expire()
          const gate = app.server.gate("refresh")
          const requests = yield* Effect.forkChild(
            inTurn(Array.from({ length: 20 }, () => browser.get("/me", { cookie: before }))),
            { startImmediately: true }
          )
          yield* gate.arrived
          yield* gate.answer
          const replies = yield* Fiber.join(requests)
          assert.deepStrictEqual(new Set(replies.map(({ text }) => text)), new Set(["ann"]))
          assert.strictEqual(app.server.count("refresh"), 1)
          // Another process knows only what is in the cookie, or in the storage.
          const other = yield* start({ mode, integration, beside: app, inner: app.inner })
          for (const reply of replies) {
            // A reference stays what it is; only who was there during the refresh gets it for another month.
            if (mode === "sealed") isUncacheable(reply)
            const cookie = mode === "sealed" ? sessionOf(reply) : before
            assert.strictEqual((yield* Effect.promise(() => send(other.port, "/me", { cookie }))).text, "ann")
          }
          assert.strictEqual(app.server.count("refresh"), 1)
          assert.deepStrictEqual(app.late, [])
        })
      )

      live("that were sent before the refresh find its result afterwards, and bring it home", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          const before = yield* browser.cookieHeader
          app.server.expire()
          yield* browser.get("/me")
          assert.strictEqual(app.server.count("refresh"), 1)
          // The browser had sent this one before the new cookie came.
          const late = yield* browser.get("/me", { cookie: before })
          assert.strictEqual(late.text, "ann")
          assert.strictEqual(app.server.count("refresh"), 1)
          assert.strictEqual(late.setCookies.length, mode === "sealed" ? 1 : 0)
          assert.strictEqual((yield* browser.get("/me")).text, "ann")
          assert.strictEqual(app.server.count("refresh"), 1)
        })
      )

      live("never mix a hundred users in a thousand interleaved requests", (app) =>
        Effect.gen(function* () {
          const users = Array.from({ length: 100 }, (_, index) => ({
            name: `user-${index}`,
            browser: new Browser(app)
          }))
          yield* Effect.forEach(users, ({ browser, name }) => browser.post(`/sign-in/${name}`), { concurrency: 25 })
          for (let round = 0; round < 2; round++) {
            app.server.expire()
            // Five at a time of one user, all with the cookie from before.
            const requests = Array.from({ length: 500 }, (_, index) => users[(index * 37) % 100]).map((user) =>
              Effect.suspend(() => {
                assert.isDefined(user)
                return Effect.map(user.browser.get("/me"), ({ text }) => assert.strictEqual(text, user.name))
              })
            )
            yield* Effect.all(requests, { concurrency: 50 })
          }
          // Each user refreshed once a round, and no refresh token was sent twice.
          assert.strictEqual(app.server.count("refresh"), 200)
          assert.strictEqual(new Set(app.server.exchanges.map(({ refreshToken }) => refreshToken)).size, 200)
          assert.isTrue(app.server.exchanges.every(({ accepted }) => accepted))
          for (const { browser, name } of users) assert.strictEqual((yield* browser.get("/peek")).text, name)
          assert.strictEqual(app.server.count("refresh"), 200)
        })
      )

      live("are merged with what the response says of caches", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          const kept = yield* browser.get("/vary")
          assert.strictEqual(kept.headers["cache-control"], "public, max-age=60")
          assert.strictEqual(kept.headers["cdn-cache-control"], "max-age=60")
          app.server.expire()
          const renewed = yield* browser.get("/vary")
          assert.strictEqual(renewed.text, "ann")
          assert.strictEqual(renewed.headers["cache-control"], "private, no-store")
          assert.strictEqual(renewed.headers["vary"], "Accept-Encoding, Cookie")
          // Nor does anything go before that.
          assert.isFalse(Object.keys(renewed.headers).some((name) => /cdn|surrogate/.test(name)))
        })
      )

      live("move to a new id with each sign-in, so that a planted one leads nowhere", (app) =>
        Effect.gen(function* () {
          const attacker = new Browser(app)
          yield* attacker.post("/sign-in/mallory")
          const planted = (yield* attacker.session).map((cookie) => cookie.cookieString()).join("; ")
          const victim = new Browser(app)
          // While the victim signs in with the planted cookie, the attacker is there with the same.
          const gate = app.server.gate("auth")
          const signIn = yield* Effect.forkChild(victim.post("/sign-in/ann", { cookie: planted }), {
            startImmediately: true
          })
          yield* gate.arrived
          assert.strictEqual((yield* attacker.get("/peek", { cookie: planted })).text, "mallory")
          yield* gate.answer
          assert.strictEqual((yield* Fiber.join(signIn)).status, 204)
          assert.strictEqual((yield* attacker.get("/peek", { cookie: planted })).text, "nobody")
          assert.strictEqual((yield* attacker.get("/me", { cookie: planted })).text, "NotAuthenticated")
          assert.strictEqual((yield* victim.get("/me")).text, "ann")
        })
      )

      live("are not cleared by a request that a sign-in has overtaken", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          const pause = app.pause()
          const slow = yield* Effect.forkChild(browser.get("/me-then-pause"), { startImmediately: true })
          yield* Effect.promise(() => pause.begun.promise)
          const before = yield* browser.cookieHeader
          yield* browser.post("/sign-in/bob")
          pause.goOn.resolve()
          const reply = yield* Fiber.join(slow)
          assert.strictEqual(reply.text, "ann")
          assert.deepStrictEqual(reply.setCookies, [])
          // And by one that was sent before the new cookie came.
          const late = yield* browser.get("/peek", { cookie: before })
          assert.strictEqual(late.text, "nobody")
          assert.deepStrictEqual(late.setCookies, [])
          assert.strictEqual((yield* browser.get("/peek")).text, "bob")
        })
      )

      live("are cleared in every request that a sign-out has overtaken, and do not come back", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          const before = yield* browser.cookieHeader
          const pause = app.pause()
          const slow = yield* Effect.forkChild(browser.get("/me-then-pause"), { startImmediately: true })
          yield* Effect.promise(() => pause.begun.promise)
          yield* browser.post("/sign-out")
          pause.goOn.resolve()
          yield* Fiber.join(slow)
          assert.deepStrictEqual(yield* browser.session, [])
          const again = yield* browser.get("/me", { cookie: before })
          assert.strictEqual(again.text, "NotAuthenticated")
          assert.match(again.setCookies[0] ?? "", /^__Host-oneentry=; Max-Age=0; .*Expires=Thu, 01 Jan 1970/)
        })
      )

      live("of a stream are decided before its headers, and what comes later is told and not lost", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          const before = yield* browser.cookieHeader
          app.server.expire()
          const pause = app.pause()
          const streaming = yield* Effect.forkChild(
            browser.get("/stream-me", { onHeaders: () => pause.goOn.resolve() }),
            {
              startImmediately: true
            }
          )
          const reply = yield* Fiber.join(streaming)
          assert.strictEqual(reply.text, "first;ann")
          assert.deepStrictEqual(reply.setCookies, [])
          assert.strictEqual(app.server.count("refresh"), 1)
          assert.deepStrictEqual(
            app.late.map(({ change }) => change),
            mode === "sealed" ? ["Refreshed"] : []
          )
          assert.strictEqual(yield* browser.cookieHeader, before)
          // The next request gets what the stream could not bring.
          const next = yield* browser.get("/me")
          assert.strictEqual(next.text, "ann")
          assert.strictEqual(app.server.count("refresh"), 1)
          assert.strictEqual(next.setCookies.length, mode === "sealed" ? 1 : 0)
        })
      )

      live("of a stream cannot begin a session any more: the sign-in fails, and its tokens are revoked", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          const pause = app.pause()
          const reply = yield* browser.get("/stream-sign-in/ann", { onHeaders: () => pause.goOn.resolve() })
          assert.strictEqual(reply.text, "first;TokenStorageError")
          assert.strictEqual(app.server.revoked.length, 1)
          assert.isTrue(app.server.sessions.every(({ alive }) => !alive))
        })
      )

      live("of a stream that signs out stay, and are worth nothing", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          const pause = app.pause()
          const reply = yield* browser.get("/stream-sign-out", { onHeaders: () => pause.goOn.resolve() })
          assert.strictEqual(reply.text, "first;out")
          assert.deepStrictEqual(
            app.late.map(({ change }) => change),
            mode === "sealed" ? ["SignedOut"] : []
          )
          assert.strictEqual((yield* browser.get("/me")).text, "NotAuthenticated")
          assert.deepStrictEqual(yield* browser.session, [])
        })
      )

      live("are not lost to a handler that crashes after a refresh", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          app.server.expire()
          const crashed = yield* browser.get("/me-then-crash")
          assert.strictEqual(crashed.status, 500)
          const carries = integration === "HttpRouter"
          assert.strictEqual(crashed.setCookies.length, carries ? 1 : 0)
          assert.strictEqual((yield* browser.get("/me")).text, "ann")
          assert.deepStrictEqual(
            app.late.map(({ change }) => change),
            carries || mode === "reference" ? [] : ["Refreshed"]
          )
          assert.strictEqual(app.server.count("refresh"), 1)
        })
      )

      live("come with a device that stays the same from one sign-in to the next", (app) =>
        Effect.gen(function* () {
          const headers = {
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
            "accept-language": "de-AT,de;q=0.8,en;q=0.5"
          }
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann", { headers })
          const sent: unknown = JSON.parse(app.server.seen.at(-1)?.headers["x-device-metadata"] ?? "{}")
          assert.deepInclude(sent, { deviceInfo: { os: "Linux", browser: "Firefox/141", location: "de-AT" } })
          app.server.expire()
          yield* browser.get("/me", { headers })
          yield* browser.post("/sign-out", { headers })
          yield* browser.post("/sign-in/bob", { headers })
          const [first, second] = fingerprints(app, "auth")
          assert.match(String(first), /^web-[A-Za-z0-9_-]{22}$/)
          assert.strictEqual(second, first)
          assert.deepStrictEqual(fingerprints(app, "refresh"), [first])
          assert.deepStrictEqual(fingerprints(app, "logout"), [first])
          // The API takes a refresh token from its own device only: here it did.
          assert.isTrue(app.server.exchanges[0]?.accepted)

          const other = new Browser(app)
          yield* other.post("/sign-in/ann", { headers })
          const device = (yield* browser.cookies).find(({ key }) => key === "__Host-oneentry-device")
          assert.isDefined(device)
          const forged = `${device.key}=${device.value.replace(/\.[A-Za-z0-9_-]{2}/, ".xx")}`
          yield* new Browser(app).post("/sign-in/eve", { headers, cookie: forged })
          assert.strictEqual(new Set(fingerprints(app, "auth")).size, 3)
        })
      )

      live("are refused to a POST from another origin", (app) =>
        Effect.gen(function* () {
          const post = (headers: Readonly<Record<string, string>>) =>
            Effect.promise(() => send(app.port, "/sign-in/ann", { method: "POST", headers }))
          const refused = yield* post({ "sec-fetch-site": "cross-site", origin: "https://evil.example" })
          assert.strictEqual(refused.status, 403)
          assert.deepStrictEqual(refused.setCookies, [])
          assert.strictEqual((yield* post({ "sec-fetch-site": "same-site", origin })).status, 403)
          assert.strictEqual(app.server.count("auth"), 0)
          assert.strictEqual((yield* post({ "sec-fetch-site": "same-origin", origin })).status, 204)
          const safe = yield* Effect.promise(() =>
            send(app.port, "/peek", { headers: { "sec-fetch-site": "cross-site", origin: "https://evil.example" } })
          )
          assert.strictEqual(safe.status, 200)
        })
      )
    })
  }
}
