import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schedule } from "effect"
import { Emulator, Project } from "effect-oneentry/emulator"
import type { BrowserContext, Page } from "playwright-core"
import { requirementOfChromium, startSite } from "../helpers/chromium.ts"
import { hosted } from "../helpers/hosted.ts"

const ann = "ann@example.com"
const bob = "bob@example.com"
const password = "correct horse battery staple"
const refreshPath = "/users/refresh"

const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), times: 500 })
const until = (what: string, holds: () => Promise<boolean>) =>
  eventually(
    Effect.filterOrFail(
      Effect.promise(holds),
      (yes) => yes,
      () => `not yet: ${what}`
    )
  )

const makeEmulator = Emulator.makeServer({
  passwordCost: 1,
  project: {
    ...Project.defaultProject,
    users: [ann, bob].map((login) => ({ provider: "email", login, password, isActive: true }))
  }
})

// Eight tabs share the machine with whatever else runs on it.
const patience = { timeout: 120_000 }

describe.skipIf(!requirementOfChromium.available)("a session in the tabs of a browser", patience, () => {
  const site = hosted(startSite("test/browser/sessionPage.ts"))

  type Storage = "indexedDb" | "localStorage"

  /** A backend, a profile and tabs in it. */
  const setUp = Effect.fnUntraced(function* (storage: Storage, count: number, webLocks = true) {
    const emulator = yield* makeEmulator
    const context = yield* Effect.acquireRelease(
      Effect.suspend(() => site().context),
      (context) => Effect.promise(() => context.close())
    )
    const openTab = (context: BrowserContext) =>
      Effect.tap(site().open(context), (page) =>
        Effect.promise(async () => {
          const options = { url: emulator.url, appToken: Redacted.value(emulator.appToken), storage, webLocks }
          const started = await page.evaluate((options) => window.app.start(options), options)
          assert.strictEqual(started.value, "started", started.message)
        })
      )
    const tabs = yield* Effect.forEach(Array.from({ length: count }), () => openTab(context))
    const [first] = tabs
    if (first === undefined) return assert.fail("no tab")
    const refreshes = Effect.map(emulator.requests, (requests) =>
      requests.filter((request) => request.path.endsWith(refreshPath) && request.method === "POST")
    )
    return { emulator, context, tabs, first, refreshes, open: openTab(context) }
  })

  const signIn = (page: Page, login: string) =>
    Effect.promise(async () => {
      const result = await page.evaluate(([login, password]) => window.app.signIn(login, password), [
        login,
        password
      ] as const)
      assert.strictEqual(result.value, login, result.message)
    })
  const call = <A>(page: Page, run: () => Promise<A>) => Effect.promise(() => page.evaluate(run))
  const isCurrent = (page: Page, who: string) =>
    until(`current is ${who}`, async () => (await page.evaluate(() => window.app.current())).value === who)

  for (const storage of ["indexedDb", "localStorage"] satisfies Array<Storage>) {
    for (const locks of ["Web Locks", "leases"]) {
      it.live(
        `eight tabs whose token expires at once make one refresh, and every call succeeds: ${storage}, ${locks}`,
        () =>
          Effect.gen(function* () {
            const { emulator, first, refreshes, tabs } = yield* setUp(storage, 8, locks === "Web Locks")
            yield* signIn(first, ann)
            yield* Effect.forEach(tabs, (page) => isCurrent(page, ann))
            for (let round = 1; round <= 3; round++) {
              assert.strictEqual(yield* emulator.expireAccessTokens, 1)
              const results = yield* Effect.forEach(tabs, (page) => call(page, () => window.app.calls(5)), {
                concurrency: "unbounded"
              })
              assert.deepStrictEqual(
                results.flat(),
                Array.from({ length: 40 }, () => ann)
              )
              const made = yield* refreshes
              assert.deepStrictEqual(
                made.map((request) => request.status),
                Array.from({ length: round }, () => 201)
              )
            }
            const events = yield* Effect.forEach(tabs, (page) => call(page, async () => window.app.events()))
            assert.isFalse(events.flat().some((event) => event.startsWith("SignedOut") || event === "RefreshRejected"))
          }).pipe(Effect.scoped)
      )
    }

    it.live(`sign-in, user switch and sign-out in one tab reach the others: ${storage}`, () =>
      Effect.gen(function* () {
        const { first, tabs } = yield* setUp(storage, 3)
        yield* Effect.forEach(tabs, (page) => isCurrent(page, "nobody"))
        yield* signIn(first, ann)
        yield* Effect.forEach(tabs, (page) => isCurrent(page, ann))
        const [, second, third] = tabs
        if (second === undefined || third === undefined) return assert.fail("no tab")
        assert.strictEqual((yield* call(second, () => window.app.me())).value, ann)
        yield* signIn(second, bob)
        yield* Effect.forEach(tabs, (page) => isCurrent(page, bob))
        assert.strictEqual((yield* call(third, () => window.app.me())).value, bob)
        assert.strictEqual((yield* call(third, () => window.app.logout())).value, true)
        yield* Effect.forEach(tabs, (page) => isCurrent(page, "nobody"))
        assert.include(yield* call(first, async () => window.app.events()), "SignedOut Elsewhere")
        assert.strictEqual((yield* call(first, () => window.app.me())).tag, "NotAuthenticated")
      }).pipe(Effect.scoped)
    )
  }

  it.live("a tab closed before its refresh was sent: the others refresh, and the session goes on", () =>
    Effect.gen(function* () {
      const { emulator, first, refreshes, tabs } = yield* setUp("indexedDb", 2)
      const [, second] = tabs
      if (second === undefined) return assert.fail("no tab")
      yield* signIn(first, ann)
      yield* isCurrent(second, ann)
      yield* emulator.expireAccessTokens
      yield* call(first, async () => window.app.holdRefreshes())
      yield* Effect.sync(() => void first.evaluate(() => window.app.me()).catch(() => {}))
      yield* until("the refresh would have been sent", () => first.evaluate(() => window.app.held()))
      yield* Effect.promise(() => first.close())
      assert.strictEqual((yield* call(second, () => window.app.me())).value, ann)
      assert.deepStrictEqual(
        (yield* refreshes).map((request) => request.status),
        [201]
      )
    }).pipe(Effect.scoped)
  )

  it.live("a tab closed while its refresh is on the wire, or before it wrote: no hang, and a typed end", () =>
    Effect.gen(function* () {
      for (const moment of ["on the wire", "before the write"]) {
        const { emulator, first, open, refreshes, tabs } = yield* setUp("indexedDb", 2)
        const [, second] = tabs
        if (second === undefined) return assert.fail("no tab")
        yield* signIn(first, ann)
        yield* isCurrent(second, ann)
        yield* emulator.expireAccessTokens
        if (moment === "on the wire") {
          yield* emulator.faults.add({ operation: "refresh", kind: "delay", delay: "1 hour", phase: "after", count: 1 })
        } else {
          yield* call(first, async () => window.app.freezeBeforeTheNewPair())
        }
        yield* Effect.sync(() => void first.evaluate(() => window.app.me()).catch(() => {}))
        // The server has spent the refresh token and nobody has the next one.
        yield* eventually(
          Effect.filterOrFail(emulator.sessions, (sessions) => sessions.some((session) => session.refreshes > 0))
        )
        yield* Effect.promise(() => first.close())
        const result = yield* call(second, () => window.app.me())
        assert.strictEqual(result.tag, "TokenExpired", result.message)
        const events = yield* call(second, async () => window.app.events())
        assert.deepStrictEqual(
          events.filter((event) => event.startsWith("SignedOut")),
          ["SignedOut Ambiguous"]
        )
        assert.isAtMost((yield* refreshes).length, 2)
        // And one can sign in again.
        yield* signIn(second, ann)
        const third = yield* open
        assert.strictEqual((yield* call(third, () => window.app.me())).value, ann)
      }
    }).pipe(Effect.scoped)
  )

  it.live("without any storage a tab works from memory", () =>
    Effect.gen(function* () {
      const emulator = yield* makeEmulator
      const context = yield* Effect.acquireRelease(
        Effect.suspend(() => site().context),
        (context) => Effect.promise(() => context.close())
      )
      const page = yield* Effect.promise(() => context.newPage())
      yield* Effect.promise(() => page.goto(`${site().origin}/framed`))
      const frame = page.frames()[1]
      if (frame === undefined) return assert.fail("no frame")
      yield* until("the frame is loaded", () => frame.evaluate(() => "app" in window))
      const options = {
        url: emulator.url,
        appToken: Redacted.value(emulator.appToken),
        storage: "indexedDb",
        webLocks: true
      } as const
      yield* Effect.promise(() => frame.evaluate((options) => window.app.start(options), options))
      const signedIn = yield* Effect.promise(() =>
        frame.evaluate(([login, password]) => window.app.signIn(login, password), [ann, password] as const)
      )
      assert.strictEqual(signedIn.value, ann, signedIn.message)
      yield* emulator.expireAccessTokens
      assert.strictEqual((yield* Effect.promise(() => frame.evaluate(() => window.app.me()))).value, ann)
      assert.include(yield* Effect.promise(() => frame.evaluate(() => window.app.events())), "StorageDegraded")
    }).pipe(Effect.scoped)
  )
})
