import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Option, Redacted, Scope } from "effect"
import { Cookies, HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { AuthProvider, DeviceMetadata, OneEntry, Session, SessionLock, TokenStorage, Users } from "effect-oneentry"
import { CookieSession, OriginCheck, Visitor, WebSession } from "effect-oneentry/server"
import { registryOf } from "../../src/internal/slots.ts"
import { jwt, makeBacking, status, storageOver, until, url } from "../helpers/session.ts"
import { type App, Browser, keyOf, origin, send, type Services, start, withApp } from "./support.ts"

const get = (app: { readonly port: number }, path: string, cookie: string) =>
  Effect.promise(() => send(app.port, path, { cookie }))

/** As the application's own code would run, without a server. */
const as = <A, E, R extends Services>(app: App, effect: Effect.Effect<A, E, R>) =>
  Effect.provideContext(effect, app.context)

const me = Effect.map(
  Users.Users.use((users) => users.getUser()),
  (user) => user.identifier
)

const signIn = (user: string) =>
  AuthProvider.AuthProvider.use((auth) =>
    auth.auth("email", {
      authData: [
        { marker: "email_reg", value: user },
        { marker: "password_reg", value: Redacted.make("secret") }
      ]
    })
  )

const current = Effect.map(
  Session.Session.use((session) => session.current),
  Option.match({ onNone: () => "nobody", onSome: (info) => info.userIdentifier ?? "?" })
)

const headerOf = (cookies: ReadonlyArray<Cookies.Cookie>) =>
  cookies.map((cookie) => `${cookie.name}=${cookie.valueEncoded}`).join("; ")

/** Access tokens of about so many bytes. */
const longTokens = (app: App, bytes: number) => {
  app.server.accessToken = (claims) => jwt({ ...claims, filler: "x".repeat(Math.floor((bytes * 3) / 4)) })
}

const isCleared = (setCookies: ReadonlyArray<string>, name: string) =>
  assert.isTrue(
    setCookies.some(
      (text) => text.startsWith(`${name}=; Max-Age=0;`) && text.includes("; Path=/") && text.includes("; Secure")
    ),
    `${name} is not cleared by ${JSON.stringify(setCookies)}`
  )

const signedInCookie = (browser: Browser) =>
  Effect.gen(function* () {
    yield* browser.post("/sign-in/ann")
    const [cookie] = yield* browser.session
    assert.isDefined(cookie)
    return cookie
  })

describe("a sealed cookie", () => {
  it.live("that is tampered with, cut off, foreign or malformed counts as signed out and is cleared", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const { value } = yield* signedInCookie(new Browser(app))
        const foreign = yield* start({ mode: "sealed", beside: app, cookies: { keys: keyOf(2) } })
        const otherContext = yield* start({ mode: "sealed", beside: app, cookies: { context: "another application" } })
        const foreignValue = (yield* signedInCookie(new Browser(foreign))).value
        const contextValue = (yield* signedInCookie(new Browser(otherContext))).value
        const flip = (text: string, at: number) =>
          text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1)
        const [count = "", kid = "", sealed = ""] = value.split(".")
        const bad: Record<string, string> = {
          "one character changed": flip(value, Math.floor(value.length / 2)),
          "another nonce": `${count}.${kid}.${flip(sealed, 0)}`,
          "cut off": value.slice(0, -10),
          longer: `${value}AAAA`,
          "no key id": `${count}.${sealed}`,
          "another key id": `${count}.${flip(kid, 2)}.${sealed}`,
          "foreign key": foreignValue,
          "another context": contextValue,
          "not base64url": `1.${kid}.!!!`,
          "a count of pieces that are not there": `3.${kid}.${sealed}`,
          "a count without end": `9.${kid}.${sealed}`,
          empty: "",
          words: "hello",
          "too long": `1.${kid}.${"A".repeat(5_000)}`
        }
        for (const [what, value] of Object.entries(bad)) {
          const reply = yield* get(app, "/me", `__Host-oneentry=${value}`)
          assert.strictEqual(reply.text, "NotAuthenticated", what)
          isCleared(reply.setCookies, "__Host-oneentry")
          assert.strictEqual(reply.headers["cache-control"], "private, no-store")
        }
        // Under another name it is nothing, and the name of the development is another name.
        const renamed = yield* get(app, "/peek", `oneentry=${value}`)
        assert.strictEqual(renamed.text, "nobody")
        assert.deepStrictEqual(renamed.setCookies, [])
        assert.strictEqual((yield* get(app, "/peek", `__Host-oneentry=${value}`)).text, "ann")
        // Browsers do not send two, but others may: the first counts.
        const twice = yield* get(app, "/peek", `__Host-oneentry=${value}; __Host-oneentry=words`)
        assert.strictEqual(twice.text, "ann")
        // What any subdomain can set does not become what only this host can, and spaces of HTTP make no difference.
        const planted = yield* get(app, "/peek", `\u00a0__Host-oneentry=${value}`)
        assert.strictEqual(planted.text, "nobody")
        assert.strictEqual((yield* get(app, "/peek", `a=b;\t __Host-oneentry=${value};c=d`)).text, "ann")
      })
    )
  )

  it.live("is opened by every key and sealed anew by the first", () =>
    withApp({ mode: "sealed", cookies: { keys: keyOf(1) } }, (app) =>
      Effect.gen(function* () {
        const browser = new Browser(app)
        yield* signedInCookie(browser)
        const both = yield* start({ mode: "sealed", beside: app, cookies: { keys: [keyOf(2), keyOf(1)] } })
        browser.port = both.port
        const moved = yield* browser.get("/me")
        assert.strictEqual(moved.text, "ann")
        assert.strictEqual(moved.setCookies.length, 1)
        assert.deepStrictEqual((yield* browser.get("/me")).setCookies, [])
        const next = yield* start({ mode: "sealed", beside: app, cookies: { keys: keyOf(2) } })
        browser.port = next.port
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        browser.port = app.port
        assert.strictEqual((yield* browser.get("/me")).text, "NotAuthenticated")
        assert.strictEqual(app.server.count("refresh"), 0)
      })
    )
  )

  it.live("is worth nothing under another name", () =>
    withApp({ mode: "sealed", cookies: { insecureLoopback: true } }, (app) =>
      Effect.gen(function* () {
        const { value } = yield* signedInCookie(new Browser(app))
        const peek = (headers: Readonly<Record<string, string>>) => as(app, CookieSession.visit({ headers }, current))
        assert.deepStrictEqual(
          (yield* peek({ host: "shop.example", cookie: `__Host-oneentry=${value}` })).exit,
          Exit.succeed("ann")
        )
        assert.deepStrictEqual(
          (yield* peek({ host: "localhost", cookie: `oneentry=${value}` })).exit,
          Exit.succeed("nobody")
        )
      })
    )
  )

  it.live("is spread over several where one cannot hold it, and the rest is cleared when fewer are needed", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        longTokens(app, 5_000)
        const browser = new Browser(app)
        const signedIn = yield* browser.post("/sign-in/ann")
        const names = (yield* browser.session).map(({ key }) => key).sort()
        assert.deepStrictEqual(names, ["__Host-oneentry", "__Host-oneentry.1"])
        for (const text of signedIn.setCookies) assert.isBelow(text.length, 4_096)
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        assert.deepStrictEqual((yield* browser.get("/me")).setCookies, [])

        const [first] = (yield* browser.session).filter(({ key }) => key === "__Host-oneentry")
        assert.isDefined(first)
        const half = yield* get(app, "/me", first.cookieString())
        assert.strictEqual(half.text, "NotAuthenticated")
        isCleared(half.setCookies, "__Host-oneentry")
        const [second] = (yield* browser.session).filter(({ key }) => key === "__Host-oneentry.1")
        assert.isDefined(second)
        const otherHalf = yield* get(app, "/me", second.cookieString())
        assert.strictEqual(otherHalf.text, "NotAuthenticated")
        isCleared(otherHalf.setCookies, "__Host-oneentry.1")

        longTokens(app, 100)
        app.server.expire()
        const renewed = yield* browser.get("/me")
        assert.strictEqual(renewed.text, "ann")
        isCleared(renewed.setCookies, "__Host-oneentry.1")
        assert.deepStrictEqual(
          (yield* browser.session).map(({ key }) => key),
          ["__Host-oneentry"]
        )
        assert.strictEqual((yield* browser.get("/me")).text, "ann")

        // A piece that nobody needs any more is cleared where it is seen.
        const stray = yield* get(app, "/peek", `${yield* browser.cookieHeader}; __Host-oneentry.2=stray`)
        assert.strictEqual(stray.text, "ann")
        isCleared(stray.setCookies, "__Host-oneentry.2")
      })
    )
  )

  it.live("that would not fit fails the sign-in, whose tokens are revoked", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        longTokens(app, 12_000)
        const browser = new Browser(app)
        const failed = yield* browser.post("/sign-in/ann")
        assert.deepStrictEqual([failed.status, failed.text], [502, "TokenStorageError"])
        assert.strictEqual(app.server.revoked.length, 1)
        assert.deepStrictEqual(yield* browser.session, [])
        assert.strictEqual((yield* browser.get("/peek")).text, "nobody")
      })
    )
  )

  it.effect("ends with its time, and is sealed anew in the second half of it", () =>
    withApp({ mode: "sealed", cookies: { maxAge: "10 days", grace: "1 minute" } }, (app) =>
      Effect.gen(function* () {
        app.server.lifetime = 100 * 86_400
        const browser = new Browser(app)
        const first = yield* signedInCookie(browser)
        yield* TestClock.adjust("4 days")
        assert.deepStrictEqual((yield* browser.get("/me")).setCookies, [])
        yield* TestClock.adjust("2 days")
        assert.strictEqual((yield* browser.get("/me")).setCookies.length, 1)
        yield* TestClock.adjust("5 days")
        const old = yield* get(app, "/me", first.cookieString())
        assert.strictEqual(old.text, "NotAuthenticated")
        isCleared(old.setCookies, "__Host-oneentry")
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
      })
    )
  )

  it.live("of a newer version of the package is left alone", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        // What a newer version would seal: the same keys, another envelope.
        const { make } = yield* Effect.promise(() => import("../../src/server/internal/keyring.ts"))
        const keyring = yield* make(keyOf(1), "")
        const value = yield* Effect.promise(() =>
          keyring.seal("__Host-oneentry", `${"a".repeat(22)}.1.1.${Number(9e12).toString(36)}.{"version":99,"x":1}`)
        )
        const reply = yield* get(app, "/peek", `__Host-oneentry=1.${value}`)
        assert.strictEqual(reply.text, "nobody")
        assert.deepStrictEqual(reply.setCookies, [])
      })
    )
  )

  it.live("from another process that has refreshed goes before what this one remembers", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const browser = new Browser(app)
        yield* signedInCookie(browser)
        const other = yield* start({ mode: "sealed", beside: app })
        app.server.expire()
        browser.port = other.port
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        // This process has the session of before in memory; what it would refresh with is spent.
        browser.port = app.port
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        assert.strictEqual(app.server.count("me"), 3, "it does not try the old token first")
        assert.strictEqual(app.server.count("refresh"), 1)
        app.server.expire()
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        browser.port = other.port
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        assert.strictEqual(app.server.count("refresh"), 2)
      })
    )
  )

  it.live("of a session that another process kept alive brings it back where its old token was rejected", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const browser = new Browser(app)
        const stale = (yield* signedInCookie(browser)).cookieString()
        const other = yield* start({ mode: "sealed", beside: app })
        app.server.expire()
        // Both get the old cookie: nothing can keep the second from spending the token again.
        browser.port = other.port
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        assert.strictEqual((yield* get(app, "/me", stale)).text, "TokenExpired Rejected")
        browser.port = app.port
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
      })
    )
  )

  it.effect("that nobody brings is forgotten after the grace time, and is as good as before when it comes", () =>
    withApp({ mode: "sealed", cookies: { grace: "1 minute", maxSessions: 50 } }, (app) =>
      Effect.gen(function* () {
        app.server.lifetime = 86_400
        const storage = Context.get(app.context, TokenStorage.TokenStorage)
        const registry = registryOf(storage)
        const browsers = Array.from({ length: 120 }, () => new Browser(app))
        for (const [index, browser] of browsers.entries()) yield* browser.post(`/sign-in/user-${index}`)
        assert.isAtMost(registry.size, 51)
        const last = yield* as(
          app,
          CookieSession.visit(
            { headers: { host: "shop.example", cookie: yield* browsers.at(-1)?.cookieHeader ?? Effect.succeed("") } },
            Session.Session.use((session) => session.current)
          )
        )
        const slot = Exit.isSuccess(last.exit) && Option.isSome(last.exit.value) ? last.exit.value.value.slot : ""
        assert.isDefined(yield* storage.get(slot))
        yield* TestClock.adjust("2 minutes")
        // Each new one lets go of a few old ones.
        for (let index = 0; index < 20; index++) yield* new Browser(app).post(`/sign-in/late-${index}`)
        assert.isAtMost(registry.size, 21)
        assert.isUndefined(yield* storage.get(slot))
        for (const [index, browser] of browsers.entries()) {
          assert.strictEqual((yield* browser.get("/me")).text, `user-${index}`)
        }
        assert.strictEqual(app.server.count("refresh"), 0)
      })
    )
  )

  it.live("whose refresh token was rejected sends it no more, whoever brings it again", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const stale = (yield* signedInCookie(new Browser(app))).cookieString()
        app.server.revokeAll()
        assert.strictEqual((yield* get(app, "/me", stale)).text, "TokenExpired Rejected")
        const again = yield* get(app, "/me", stale)
        assert.strictEqual(again.text, "NotAuthenticated")
        isCleared(again.setCookies, "__Host-oneentry")
        assert.strictEqual(app.server.count("refresh"), 1)
      })
    )
  )

  it.effect("says so where its refresh token was rejected early, so that no other process sends it", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const browser = new Browser(app)
        yield* signedInCookie(browser)
        yield* TestClock.adjust(Duration.seconds(3_590))
        app.server.script("refresh", status(400))
        const early = yield* browser.get("/me")
        assert.deepStrictEqual([early.text, early.setCookies.length], ["ann", 1])
        const other = yield* start({ mode: "sealed", beside: app })
        browser.port = other.port
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        assert.strictEqual(app.server.count("refresh"), 1)
      })
    )
  )

  it.live("of the first version is opened by this one", () =>
    Effect.gen(function* () {
      const { make } = yield* Effect.promise(() => import("../../src/server/internal/keyring.ts"))
      const keyring = yield* make(keyOf(1), "shop")
      const opened = yield* Effect.promise(() =>
        Promise.all([
          keyring.open("__Host-oneentry", "V_gF3H5c.9aDmUcA0JNytv4khjvcrEqhviFJbsxB22eNGHpHWzJuLgKS_1g"),
          keyring.verify("__Host-oneentry-device", "V_gF3H5c.a~device.3p447_FSAcT5fBWUrfhuNg2aJvubJ6jDyRK7AaBDnHI")
        ])
      )
      assert.deepStrictEqual(opened, [
        { text: "a session", current: true },
        { text: "a~device", current: true }
      ])
    })
  )

  it.live("is remembered until a refresh is stored that its visitor did not wait for", () =>
    withApp({ mode: "sealed", cookies: { maxSessions: 1 } }, (app) =>
      Effect.gen(function* () {
        const browser = new Browser(app)
        yield* signedInCookie(browser)
        app.server.expire()
        const gate = app.server.gate("refresh")
        const headers = { cookie: yield* browser.cookieHeader, host: "shop.example" }
        const visiting = yield* Effect.forkChild(as(app, CookieSession.visit({ headers }, me)), {
          startImmediately: true
        })
        yield* gate.arrived
        yield* Fiber.interrupt(visiting)
        for (let index = 0; index < 5; index++) yield* new Browser(app).post(`/sign-in/user-${index}`)
        yield* gate.answer
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        assert.strictEqual(app.server.count("refresh"), 1)
        assert.deepStrictEqual(
          app.late.map(({ change }) => change),
          ["Refreshed"]
        )
      })
    )
  )
})

describe("a cookie by reference", () => {
  it.live("leads to a slot that shows nothing of it", () => {
    const backing = makeBacking()
    return withApp({ mode: "reference", inner: storageOver(backing) }, (app) =>
      Effect.gen(function* () {
        const browser = new Browser(app)
        const { value } = yield* signedInCookie(browser)
        const id = value.slice(2)
        assert.match(id, /^[A-Za-z0-9_-]{43}$/)
        assert.strictEqual(backing.map.size, 1)
        for (const [slot, text] of backing.map) {
          assert.match(slot, /^session~[A-Za-z0-9_-]{43}$/)
          assert.notInclude(slot + text, id)
        }
        yield* browser.post("/sign-out")
        assert.strictEqual(backing.map.size, 0)
      })
    )
  })

  it.live("is replaced by a sign-in, and the session before is removed", () => {
    const backing = makeBacking()
    return withApp({ mode: "reference", inner: storageOver(backing) }, (app) =>
      Effect.gen(function* () {
        const browser = new Browser(app)
        yield* signedInCookie(browser)
        const [before] = backing.map.keys()
        yield* browser.post("/sign-in/bob")
        assert.strictEqual(backing.map.size, 1)
        assert.notInclude([...backing.map.keys()], before)
      })
    )
  })

  it.live("that leads nowhere counts as signed out and is cleared", () =>
    withApp({ mode: "reference" }, (app) =>
      Effect.gen(function* () {
        for (const value of [
          `1.${"A".repeat(43)}`,
          "1.short",
          "words",
          "",
          `2.${"A".repeat(43)}`,
          `1.${"A".repeat(5_000)}`
        ]) {
          const reply = yield* get(app, "/me", `__Host-oneentry=${value}`)
          assert.strictEqual(reply.text, "NotAuthenticated", value)
          isCleared(reply.setCookies, "__Host-oneentry")
        }
      })
    )
  )

  it.live("is worth nothing at once when the session is removed from the storage", () => {
    const backing = makeBacking()
    return withApp({ mode: "reference", inner: storageOver(backing) }, (app) =>
      Effect.gen(function* () {
        const browser = new Browser(app)
        yield* signedInCookie(browser)
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        backing.map.clear()
        const reply = yield* browser.get("/me")
        assert.strictEqual(reply.text, "NotAuthenticated")
        isCleared(reply.setCookies, "__Host-oneentry")
      })
    )
  })

  it.live("is kept while the storage fails, and good again afterwards", () => {
    const backing = makeBacking()
    let down = false
    return withApp(
      { mode: "reference", inner: storageOver(backing, { fault: () => (down ? "fail" : undefined) }) },
      (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* signedInCookie(browser)
          const cold = yield* start({
            mode: "reference",
            beside: app,
            inner: storageOver(backing, { fault: () => (down ? "fail" : undefined) })
          })
          down = true
          // Who knows the session goes on with it; who does not, says why.
          assert.strictEqual((yield* browser.get("/me")).text, "ann")
          browser.port = cold.port
          const failed = yield* browser.get("/me")
          assert.deepStrictEqual([failed.status, failed.text], [502, "TokenStorageError"])
          assert.deepStrictEqual(failed.setCookies, [])
          const refused = yield* new Browser(cold).post("/sign-in/bob")
          assert.strictEqual(refused.text, "TokenStorageError")
          assert.strictEqual(app.server.revoked.length, 1)
          down = false
          assert.strictEqual((yield* browser.get("/me")).text, "ann")
        })
    )
  })

  it.live("is refreshed once by two processes over one storage and one lock", () => {
    const backing = makeBacking()
    return withApp({ mode: "reference", inner: storageOver(backing) }, (app) =>
      Effect.gen(function* () {
        const browser = new Browser(app)
        yield* signedInCookie(browser)
        // The lock by default is the process's, which both are in.
        const other = yield* start({ mode: "reference", beside: app, inner: storageOver(backing) })
        const cookie = yield* browser.cookieHeader
        yield* get(other, "/me", cookie)
        app.server.expire()
        const replies = yield* Effect.all(
          Array.from({ length: 20 }, (_, index) => get(index % 2 === 0 ? app : other, "/me", cookie)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(new Set(replies.map(({ text }) => text)), new Set(["ann"]))
        assert.strictEqual(app.server.count("refresh"), 1)
      })
    )
  })
})

describe("a read-only visit", () => {
  for (const mode of ["sealed", "reference"] as const) {
    it.effect(`refreshes nothing and says so, and leaves the session as it was (${mode})`, () =>
      withApp({ mode }, (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* signedInCookie(browser)
          const headers = { cookie: yield* browser.cookieHeader, host: "shop.example" }
          const readOnly = <A, E, R extends Visitor.Visitor | Services>(effect: Effect.Effect<A, E, R>) =>
            as(app, CookieSession.readOnly({ headers }, effect))
          assert.strictEqual(yield* readOnly(me), "ann")
          assert.isTrue(yield* readOnly(Effect.map(Visitor.Visitor, (visitor) => visitor.readOnly)))
          yield* TestClock.adjust("2 hours")
          for (const effect of [
            me,
            Session.Session.use((session) => session.accessToken),
            Session.Session.use((s) => s.refresh)
          ]) {
            const error = yield* Effect.flip(readOnly<unknown, unknown, Session.Session | Users.Users>(effect))
            assert.deepInclude(error, { _tag: "TokenExpired", reason: "ReadOnly" })
          }
          assert.strictEqual(yield* readOnly(current), "ann")
          yield* readOnly(
            Effect.scoped(
              Effect.andThen(
                Session.Session.use((session) => session.keepAlive),
                TestClock.adjust("1 minute")
              )
            )
          )
          assert.strictEqual(app.server.count("refresh"), 0)
          const refused = yield* Effect.flip(readOnly(signIn("bob")))
          assert.strictEqual(refused._tag, "TokenStorageError")
          assert.strictEqual(app.server.revoked.length, 1)

          assert.strictEqual((yield* browser.get("/me")).text, "ann")
          assert.strictEqual(app.server.count("refresh"), 1)
          // With the new cookie, and with the old one within the grace time.
          assert.strictEqual(yield* readOnly(me), "ann")
          assert.strictEqual(app.server.count("refresh"), 1)
        })
      )
    )

    it.live(`waits for a refresh that somebody else has begun, who can write it (${mode})`, () =>
      withApp({ mode }, (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* signedInCookie(browser)
          const headers = { cookie: yield* browser.cookieHeader, host: "shop.example" }
          app.server.expire()
          // A 401 is all that it learns, and nobody is there to write.
          const error = yield* Effect.flip(as(app, CookieSession.readOnly({ headers }, me)))
          assert.deepInclude(error, { _tag: "TokenExpired", reason: "ReadOnly" })
          const gate = app.server.gate("refresh")
          const writing = yield* Effect.forkChild(browser.get("/me"), { startImmediately: true })
          yield* gate.arrived
          const reading = yield* Effect.forkChild(as(app, CookieSession.readOnly({ headers }, me)), {
            startImmediately: true
          })
          yield* gate.answer
          assert.strictEqual(yield* Fiber.join(reading), "ann")
          assert.strictEqual((yield* Fiber.join(writing)).text, "ann")
          assert.strictEqual(app.server.count("refresh"), 1)
        })
      )
    )

    it.live(`that waits for a refresh begins none where that one is called off (${mode})`, () =>
      withApp({ mode }, (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* signedInCookie(browser)
          const headers = { cookie: yield* browser.cookieHeader, host: "shop.example" }
          app.server.expire()
          const waiting = yield* Deferred.make<void>()
          const lock: SessionLock.SessionLock = {
            withLock: () => () => Effect.andThen(Deferred.succeed(waiting, undefined), Effect.never)
          }
          // A client of its own over the same cookies, which is closed before it has the lock.
          const scope = yield* Scope.make()
          const other = yield* Layer.buildWithScope(
            OneEntry.layer({ url, retry: false }).pipe(
              Layer.provide([
                Layer.succeed(HttpClient.HttpClient, app.server.client),
                Layer.succeed(SessionLock.SessionLock, lock),
                Layer.succeedContext(app.context)
              ])
            ),
            scope
          )
          const closed = yield* Effect.forkChild(
            Effect.exit(CookieSession.visit({ headers }, me)).pipe(
              Effect.provideContext(Context.merge(app.context, other))
            )
          )
          yield* Deferred.await(waiting)
          const reading = yield* Effect.forkChild(as(app, Effect.flip(CookieSession.readOnly({ headers }, me))), {
            startImmediately: true
          })
          const visitor = yield* as(app, CookieSession.readOnly({ headers }, Session.CurrentSlot))
          const name = typeof visitor === "object" ? visitor.slot : ""
          const slot = registryOf(Context.get(app.context, TokenStorage.TokenStorage)).peek(name)
          yield* until("it waits, too", () => slot?.flight?.waiters === 2)
          yield* Scope.close(scope, Exit.void)
          assert.deepInclude(yield* Fiber.join(reading), { _tag: "TokenExpired", reason: "ReadOnly" })
          assert.strictEqual(app.server.count("refresh"), 0)
          yield* Fiber.interrupt(closed)
          assert.strictEqual((yield* browser.get("/me")).text, "ann")
          assert.strictEqual(app.server.count("refresh"), 1)
        })
      )
    )
  }
})

describe("a visit by hand", () => {
  it.live("gives the exit and the cookies, also when the effect fails", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const request = { method: "POST", headers: { host: "shop.example" } }
        const outcome = yield* as(
          app,
          CookieSession.visit(request, Effect.andThen(signIn("ann"), Effect.fail("after the sign-in")))
        )
        assert.isTrue(Exit.isFailure(outcome.exit) && Cause.hasFails(outcome.exit.cause))
        assert.deepStrictEqual(
          outcome.cookies.map(({ name }) => name),
          ["__Host-oneentry", "__Host-oneentry-device"]
        )
        const again = yield* as(
          app,
          CookieSession.visit({ headers: new Headers({ cookie: headerOf(outcome.cookies), host: "shop.example" }) }, me)
        )
        assert.deepStrictEqual(again, { exit: Exit.succeed("ann"), cookies: [] })
      })
    )
  )

  it.live.each(["sealed", "reference"] as const)(
    "is all that lets somebody sign in: outside of one there is no session (%s)",
    (mode) => {
      const backing = makeBacking()
      return withApp({ mode, inner: storageOver(backing) }, (app) =>
        Effect.gen(function* () {
          assert.strictEqual(yield* as(app, current), "nobody")
          const refused = yield* Effect.flip(as(app, signIn("ann")))
          assert.strictEqual(refused._tag, "TokenStorageError")
          assert.include(String(refused._tag === "TokenStorageError" ? refused.cause : ""), "inside a visit")
          assert.strictEqual(app.server.revoked.length, 1)
          assert.strictEqual(yield* as(app, current), "nobody")
          assert.strictEqual((yield* Effect.flip(as(app, me)))._tag, "NotAuthenticated")
          assert.strictEqual(backing.map.size, 0)
        })
      )
    }
  )

  it.live("on loopback has plain cookies where the options allow it, and only there", () =>
    withApp({ mode: "sealed", cookies: { insecureLoopback: true } }, (app) =>
      Effect.gen(function* () {
        for (const host of ["localhost:3000", "127.0.0.1", "shop.localhost", "[::1]:8080"]) {
          const { cookies } = yield* as(app, CookieSession.visit({ method: "POST", headers: { host } }, signIn("ann")))
          assert.deepStrictEqual(
            cookies.map(({ name }) => name),
            ["oneentry", "oneentry-device"],
            host
          )
          for (const cookie of cookies) {
            assert.notInclude(Cookies.serializeCookie(cookie), "Secure")
            assert.include(Cookies.serializeCookie(cookie), "HttpOnly")
          }
          const again = yield* as(app, CookieSession.visit({ headers: { host, cookie: headerOf(cookies) } }, me))
          assert.deepStrictEqual(again.exit, Exit.succeed("ann"))
        }
        for (const host of ["shop.example", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost"]) {
          const { cookies } = yield* as(app, CookieSession.visit({ method: "POST", headers: { host } }, signIn("ann")))
          assert.isTrue(
            cookies.every(({ name, options }) => name.startsWith("__Host-") && options?.secure === true),
            host
          )
        }
      })
    )
  )
})

describe("the options", () => {
  it.effect("fail the layer with what to change", () =>
    Effect.gen(function* () {
      const failure = (options: Partial<CookieSession.Options>) =>
        Effect.flip(Effect.scoped(Layer.build(CookieSession.layerSealed({ keys: keyOf(1), ...options }))))
      for (const options of [
        { name: "a b" },
        { name: "" },
        { name: "a=b;" },
        { maxAge: 0 },
        { maxSessions: 0 },
        { maxSessions: 1.5 }
      ]) {
        const error = yield* failure(options)
        assert.strictEqual(error._tag, "OneEntryError")
        assert.strictEqual(error._tag === "OneEntryError" ? error.reason._tag : "", "InvalidRequest")
      }
      const keys: ReadonlyArray<readonly [CookieSession.Options["keys"], string]> = [
        [[], "Missing"],
        [Redacted.make("not a key!"), "NotBase64Url"],
        [Redacted.make("c2hvcnQ"), "NotA256BitKey"],
        [Redacted.make(new Uint8Array(16)), "NotA256BitKey"]
      ]
      for (const [key, reason] of keys) {
        const error = yield* failure({ keys: key })
        assert.strictEqual(error._tag === "EncryptionKeyError" ? error.reason : error._tag, reason)
      }
    })
  )
})

describe("the wrapper", () => {
  it.live("sets cookies on responses whose headers cannot be changed", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const wrapper = WebSession.make(Layer.succeedContext(app.context))
        const handler = wrapper.withSession(async (_request, visit) => {
          await visit.run(signIn("ann"))
          return Response.redirect(`${origin}/home`, 303)
        })
        const response = yield* Effect.promise(() => handler(new Request(`${origin}/sign-in`, { method: "POST" })))
        assert.strictEqual(response.status, 303)
        assert.strictEqual(response.headers.get("location"), `${origin}/home`)
        assert.strictEqual(response.headers.getSetCookie().length, 2)
        assert.strictEqual(response.headers.get("vary"), "Cookie")
        const cookie = response.headers
          .getSetCookie()
          .map((text) => text.split(";")[0])
          .join("; ")
        const who = yield* Effect.promise(() =>
          wrapper.readOnly({ headers: new Headers({ cookie, host: "shop.example" }) }, (visit) => visit.run(me))
        )
        assert.strictEqual(who, "ann")
        const effectful = yield* as(
          app,
          WebSession.handle(new Request(origin, { headers: { cookie } }), () =>
            Effect.map(me, (name) => new Response(name))
          )
        )
        assert.strictEqual(yield* Effect.promise(() => effectful.text()), "ann")
        const crossOrigin = yield* as(
          app,
          WebSession.handle(
            new Request(origin, { method: "POST", headers: { cookie, origin: "https://evil.example" } }),
            () => Effect.succeed(new Response("done"))
          )
        )
        assert.strictEqual(crossOrigin.status, 403)
        yield* Effect.promise(() => wrapper.dispose())
      })
    )
  )

  it.live("leaves a response alone that the handler gives to everybody", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const wrapper = WebSession.make(Layer.succeedContext(app.context))
        const done = new Response(null, { status: 204 })
        const signingIn = wrapper.withSession(async (_request, visit) => {
          await visit.run(signIn("ann"))
          return done
        })
        const first = yield* Effect.promise(() => signingIn(new Request(`${origin}/sign-in`, { method: "POST" })))
        assert.deepStrictEqual([first.status, first.headers.getSetCookie().length], [204, 2])
        const next = yield* Effect.promise(() => wrapper.withSession(() => done)(new Request(origin)))
        assert.deepStrictEqual([...next.headers], [])
        yield* Effect.promise(() => wrapper.dispose())
      })
    )
  )

  it.live("rejects with the error of the effect, and hands the signal through", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const wrapper = WebSession.make(Layer.succeedContext(app.context))
        const outcomes = yield* Effect.promise(() =>
          wrapper.readOnly({ headers: {} }, async (visit) => [
            await visit.run(me).then(
              () => "",
              (error: unknown) => error
            ),
            await visit.run(Effect.never, { signal: AbortSignal.abort() }).then(
              () => "",
              () => "interrupted"
            )
          ])
        )
        assert.deepInclude(outcomes[0], { _tag: "NotAuthenticated" })
        assert.strictEqual(outcomes[1], "interrupted")
        yield* Effect.promise(() => wrapper.dispose())
      })
    )
  )
})

describe("the visitor's device", () => {
  it.live("is the one that adopted tokens were issued to", () =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.gen(function* () {
        const host = "shop.example"
        const tokens = {
          refreshToken: "of an older application",
          device: DeviceMetadata.make({ fingerprint: "its own" })
        }
        const { cookies } = yield* as(
          app,
          CookieSession.visit(
            { method: "POST", headers: { host } },
            Session.Session.use((session) => session.restore(tokens))
          )
        )
        const { exit } = yield* as(
          app,
          CookieSession.visit(
            { headers: { host, cookie: headerOf(cookies) } },
            Effect.andThen(
              Session.Session.use((session) => session.current),
              Visitor.Visitor.use((visitor) => visitor.device)
            )
          )
        )
        assert.isTrue(Exit.isSuccess(exit) && Redacted.value(exit.value.fingerprint) === "its own")
      })
    )
  )

  for (const mode of ["sealed", "reference"] as const) {
    it.live(`is the session's where its own cookie is lost (${mode})`, () =>
      withApp({ mode }, (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          const session = (yield* signedInCookie(browser)).cookieString()
          const forgetful = new Browser(app)
          yield* forgetful.post("/sign-in/bob", { cookie: session })
          yield* forgetful.post("/sign-out")
          yield* forgetful.post("/sign-in/cyd")
          const fingerprints = app.server.sessions.map(({ fingerprint }) => fingerprint)
          assert.strictEqual(fingerprints.length, 3)
          assert.strictEqual(new Set(fingerprints).size, 1)
        })
      )
    )
  }

  const browserOf = (userAgent: string, more: Readonly<Record<string, string>> = {}) =>
    Visitor.deviceInfo({ headers: { "user-agent": userAgent, ...more } })

  const agents: ReadonlyArray<readonly [userAgent: string, os: string, browser: string]> = [
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
      "Windows",
      "Chrome/141"
    ],
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
      "Windows",
      "Edge/141"
    ],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
      "macOS",
      "Safari/18"
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
      "iOS",
      "Safari/18"
    ],
    [
      "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.1 Mobile/15E148 Safari/604.1",
      "iPadOS",
      "Chrome/141"
    ],
    [
      "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
      "Android",
      "Samsung Internet/27"
    ],
    ["Mozilla/5.0 (Android 15; Mobile; rv:141.0) Gecko/141.0 Firefox/141.0", "Android", "Firefox/141"],
    [
      "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
      "ChromeOS",
      "Chrome/141"
    ],
    [
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 OPR/120.0.0.0",
      "Linux",
      "Opera/120"
    ],
    ["curl/8.5.0", "unknown", "curl/8"],
    ["", "unknown", "unknown"],
    ["<script>", "unknown", "unknown"],
    ["Mozilla/5.0 " + "(".repeat(100_000), "unknown", "Mozilla/5"]
  ]

  it("is what the user agent says, and no more", () => {
    for (const [userAgent, os, browser] of agents) {
      assert.deepInclude(browserOf(userAgent), { os, browser }, userAgent.slice(0, 80))
    }
    assert.strictEqual(browserOf("", { "sec-ch-ua-platform": '"Chrome OS"' }).os, "ChromeOS")
    assert.strictEqual(browserOf(agents[8]?.[0] ?? "", { "sec-ch-ua-platform": '"Windows"' }).os, "Windows")
    assert.strictEqual(browserOf("", { "sec-ch-ua-platform": '"Unknown"' }).os, "unknown")
    assert.strictEqual(browserOf("", { "sec-ch-ua-platform": '"a\r\nb"' }).os, "unknown")
  })

  it("speaks the language that is liked best", () => {
    const language = (value: string) => browserOf("", { "accept-language": value }).location
    assert.strictEqual(language("de-AT,de;q=0.8,en;q=0.5"), "de-AT")
    assert.strictEqual(language("en;q=0.5, fr-CA;q=0.9"), "fr-CA")
    assert.strictEqual(language("*"), "en-US")
    assert.strictEqual(language("de;q=0"), "en-US")
    assert.strictEqual(language(""), "en-US")
    assert.strictEqual(language('de"><script>'), "en-US")
    assert.strictEqual(Visitor.deviceInfo({ headers: {} }).location, "en-US")
    assert.strictEqual(Visitor.deviceInfo({ headers: new Headers({ "accept-language": "pt-BR" }) }).location, "pt-BR")
  })
})

it("what a response says of caches names the cookie once", () => {
  assert.deepStrictEqual(
    [undefined, null, " ", "Accept", "accept, COOKIE", "*"].map((vary) => CookieSession.cacheHeaders(vary).vary),
    ["Cookie", "Cookie", "Cookie", "Accept, Cookie", "accept, COOKIE", "*"]
  )
})

describe("the origin check", () => {
  const post = (headers: Readonly<Record<string, string>>, trusted?: ReadonlyArray<string>) =>
    OriginCheck.isCrossOrigin({ method: "POST", headers: { host: "shop.example", ...headers } }, trusted)

  it("believes the browser, and without its word compares origin and host", () => {
    assert.isFalse(post({ "sec-fetch-site": "same-origin" }))
    assert.isFalse(post({ "sec-fetch-site": "none" }))
    assert.isTrue(post({ "sec-fetch-site": "same-site" }))
    assert.isTrue(post({ "sec-fetch-site": "cross-site" }))
    assert.isTrue(post({ "sec-fetch-site": "anything" }))
    assert.isFalse(post({ origin: "https://shop.example" }))
    assert.isTrue(post({ origin: "https://shop.example.evil" }))
    assert.isTrue(post({ origin: "https://shop.example:8443" }))
    assert.isTrue(post({ origin: "null" }))
    assert.isFalse(post({}))
    assert.isFalse(post({ origin: "https://admin.example", "sec-fetch-site": "cross-site" }, ["https://admin.example"]))
    assert.isTrue(post({ origin: "https://other.example", "sec-fetch-site": "cross-site" }, ["https://admin.example"]))
    for (const method of ["GET", "HEAD", "OPTIONS", "TRACE", undefined]) {
      assert.isFalse(OriginCheck.isCrossOrigin({ method, headers: { "sec-fetch-site": "cross-site" } }))
    }
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "post", "QUERY"]) {
      assert.isTrue(OriginCheck.isCrossOrigin({ method, headers: { "sec-fetch-site": "cross-site" } }), method)
    }
    assert.isTrue(
      OriginCheck.isCrossOrigin(new Request(origin, { method: "POST", headers: { origin: "https://evil.example" } }))
    )
    assert.isFalse(OriginCheck.isCrossOrigin(new Request(origin, { method: "POST", headers: { origin } })))
  })
})
