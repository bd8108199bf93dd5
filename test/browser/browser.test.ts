import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import * as DeviceMetadata from "effect-oneentry/DeviceMetadata"
import * as TokenStorage from "effect-oneentry/TokenStorage"
import * as Browser from "effect-oneentry/browser"
import { SessionLockSuite, TokenStorageSuite } from "effect-oneentry/testing"
import type { BrowserContext, Frame, Page } from "playwright-core"
import { requirementOfChromium, startSite } from "../helpers/chromium.ts"
import { hosted } from "../helpers/hosted.ts"
import type { LockName, StorageName } from "./page.ts"

const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), times: 500 })
const until = (read: () => Promise<boolean>) =>
  eventually(
    Effect.filterOrFail(
      Effect.promise(read),
      (holds) => holds,
      () => "not yet"
    )
  )

describe.skipIf(!requirementOfChromium.available)("in Chromium", () => {
  const site = hosted(startSite("test/browser/page.ts"))

  /** A profile of its own, with what is to be missing in it. */
  const profile = (missing: ReadonlyArray<"locks" | "BroadcastChannel"> = []) =>
    Effect.acquireRelease(
      Effect.tap(
        Effect.suspend(() => site().context),
        (context) =>
          Effect.promise(() =>
            context.addInitScript((missing) => {
              if (missing.includes("locks")) Object.defineProperty(navigator, "locks", { value: undefined })
              if (missing.includes("BroadcastChannel")) Reflect.deleteProperty(globalThis, "BroadcastChannel")
            }, missing)
          )
      ),
      (context) => Effect.promise(() => context.close())
    )
  const tab = (context: BrowserContext) => site().open(context)
  const tabs = (missing: ReadonlyArray<"locks" | "BroadcastChannel"> = []) =>
    Effect.gen(function* () {
      const context = yield* profile(missing)
      return [yield* tab(context), yield* tab(context)] as const
    })
  const on = <A>(page: Page | Frame, run: () => Promise<A> | A) => Effect.promise(() => page.evaluate(run))
  const give = <B, A>(page: Page | Frame, argument: B, run: (argument: B) => Promise<A> | A) =>
    Effect.promise(() =>
      (page.evaluate as (run: (argument: B) => Promise<A> | A, argument: B) => Promise<A>)(run, argument)
    )

  const shared = hosted(
    Effect.suspend(() =>
      Effect.flatMap(startSite("test/browser/page.ts"), (site) =>
        Effect.flatMap(site.context, (context) => site.open(context))
      )
    )
  )

  describe("the storage suite", () => {
    for (const name of ["localStorage", "sessionStorage", "indexedDb", "encrypted"] satisfies Array<StorageName>) {
      describe(name, () => {
        const changes = name === "indexedDb" || name === "encrypted"
        const checks = TokenStorageSuite.checks({ other: TokenStorage.layerMemory, changes })
        for (const { name: check } of checks) {
          it.live(check, () =>
            Effect.map(
              give(shared(), { check, name }, ({ check, name }) => window.tab.runStorageCheck(name, check)),
              (result) => assert.strictEqual(result, "good")
            )
          )
        }
      })
    }
  })

  describe("the lock suite", () => {
    for (const name of ["webLocks", "leases"] satisfies Array<LockName>) {
      describe(name, () => {
        for (const { name: check } of SessionLockSuite.checks({ other: Layer.empty })) {
          it.live(check, () =>
            Effect.map(
              give(shared(), { check, name }, ({ check, name }) => window.tab.runLockCheck(name, check)),
              (result) => assert.strictEqual(result, "good")
            )
          )
        }
      })
    }
  })

  it.live("IndexedDB: of many compareAndSet of two tabs exactly one wins", () =>
    Effect.gen(function* () {
      const pages = yield* tabs()
      let stored: string | null = null
      for (let round = 0; round < 5; round++) {
        const wins: ReadonlyArray<ReadonlyArray<string>> = yield* Effect.forEach(
          pages,
          (page, n) =>
            give(page, { stored, who: `round ${round} tab ${n}` }, ({ stored, who }) =>
              window.tab.race("indexedDb", "raced", stored, who, 25)
            ),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(wins.flat().length, 1)
        stored = wins.flat()[0] ?? null
        const read = yield* on(pages[1], () => window.tab.get("indexedDb", "raced"))
        assert.strictEqual(read.value, stored)
      }
      assert.deepStrictEqual(
        yield* Effect.promise(() =>
          pages[0].evaluate(() =>
            Promise.all(
              (["localStorage", "sessionStorage", "indexedDb"] as const).map((name) => window.tab.atomic(name))
            )
          )
        ),
        [false, true, true]
      )
    }).pipe(Effect.scoped)
  )

  // The best that Chromium has is Web Locks.
  for (const name of ["best", "leases"] satisfies Array<LockName>) {
    it.live(`${name}: two tabs are never inside at once`, () =>
      Effect.gen(function* () {
        const pages = yield* tabs()
        yield* Effect.forEach(
          pages,
          (page) =>
            Effect.map(
              give(page, name, (name) => window.tab.increment(name, "counted", 10)),
              (result) => assert.isTrue(result.ok, result.message)
            ),
          { concurrency: "unbounded" }
        )
        const read = yield* on(pages[0], () => window.tab.get("indexedDb", "count counted"))
        assert.strictEqual(read.value, "20")
      }).pipe(Effect.scoped)
    )

    it.live(`${name}: a tab that is closed with the lock in its hands does not keep it`, () =>
      Effect.gen(function* () {
        const [first, second] = yield* tabs()
        assert.strictEqual(yield* give(first, name, (name) => window.tab.hold(name, "closed", 500)), "held")
        yield* Effect.promise(() => first.close())
        const result = yield* give(second, name, (name) => window.tab.acquire(name, "closed", 500))
        assert.strictEqual(result.value, "in")
      }).pipe(Effect.scoped)
    )

    it.live(`${name}: the lock is not held past its bound, whatever its holder does`, () =>
      Effect.gen(function* () {
        const [first, second] = yield* tabs()
        assert.strictEqual(yield* give(first, name, (name) => window.tab.hold(name, "stuck", 100)), "held")
        const result = yield* give(second, name, (name) => window.tab.acquire(name, "stuck", 100))
        assert.strictEqual(result.value, "in")
      }).pipe(Effect.scoped)
    )

    it.live(`${name}: a wait is bounded, and steals nothing from another tab`, () =>
      Effect.gen(function* () {
        const [first, second] = yield* tabs()
        assert.strictEqual(yield* give(first, name, (name) => window.tab.hold(name, "long", 60_000)), "held")
        const result = yield* give(second, name, (name) => window.tab.acquire(name, "long", 10))
        assert.deepStrictEqual([result.ok, result.tag, result.reason], [false, "SessionLockError", "Timeout"])
        yield* on(first, () => window.tab.release("long"))
        assert.strictEqual((yield* give(second, name, (name) => window.tab.acquire(name, "long", 10))).value, "in")
      }).pipe(Effect.scoped)
    )
  }

  it.live("localStorage: who gets the lock from another tab reads what that one wrote", () =>
    Effect.gen(function* () {
      // A browser passes writes from process to process when it pleases; without a fence some of these are lost.
      const context = yield* profile()
      const pages = yield* Effect.forEach([1, 2, 3, 4], () => tab(context))
      yield* Effect.forEach(
        pages,
        (page) =>
          Effect.map(
            on(page, () => window.tab.increment("best", "fenced", 50, "localStorage")),
            (result) => assert.isTrue(result.ok, result.message)
          ),
        { concurrency: "unbounded" }
      )
      const read = yield* on(pages[0] ?? assert.fail("no page"), () => window.tab.get("localStorage", "count fenced"))
      assert.strictEqual(read.value, "200")
      // Where somebody cleared it, readers wait for once and go on.
      const cleared = yield* on(pages[0] ?? assert.fail("no page"), () => {
        localStorage.clear()
        return window.tab.get("localStorage", "count fenced")
      })
      assert.deepStrictEqual(cleared, { ok: true, value: null })
    }).pipe(Effect.scoped)
  )

  it.live("a lease that a dead tab took before the clock was put back is nobody's", () =>
    Effect.gen(function* () {
      const [page] = yield* tabs()
      assert.strictEqual((yield* on(page, () => window.tab.acquire("leases", "skewed", 10))).value, "in")
      yield* on(
        page,
        () =>
          new Promise<void>((resolve) => {
            const opening = indexedDB.open("oneentry")
            opening.addEventListener("success", () => {
              const tomorrow = Date.now() + 86_400_000
              const tx = opening.result.transaction("leases", "readwrite")
              tx.objectStore("leases").put({ owner: "dead", at: tomorrow, end: tomorrow + 2_000 }, "skewed")
              tx.addEventListener("complete", () => {
                opening.result.close()
                resolve()
              })
            })
          })
      )
      assert.strictEqual((yield* on(page, () => window.tab.acquire("leases", "skewed", 10))).value, "in")
    }).pipe(Effect.scoped)
  )

  it.live("a waiter that is interrupted leaves the queue of the Web Lock", () =>
    Effect.gen(function* () {
      const [first, second] = yield* tabs()
      yield* on(first, () => window.tab.hold("webLocks", "queue", 60_000))
      assert.strictEqual(yield* on(second, () => window.tab.interruptWaiter("webLocks", "queue")), 0)
    }).pipe(Effect.scoped)
  )

  it.live("without Web Locks the lock of a browser is a lease that tabs share", () =>
    Effect.gen(function* () {
      const [first, second] = yield* tabs(["locks"])
      const alone = yield* on(first, () => window.tab.acquire("webLocks", "x", 10))
      assert.deepStrictEqual([alone.tag, alone.reason], ["SessionLockError", "Unavailable"])
      assert.strictEqual(yield* on(first, () => window.tab.hold("best", "lease", 60_000)), "held")
      const waiting = yield* on(second, () => window.tab.acquire("best", "lease", 10))
      assert.strictEqual(waiting.reason, "Timeout")
      yield* on(first, () => window.tab.release("lease"))
      assert.strictEqual((yield* on(second, () => window.tab.acquire("best", "lease", 10))).value, "in")
    }).pipe(Effect.scoped)
  )

  for (const [what, name, missing] of [
    ["IndexedDB, by BroadcastChannel", "indexedDb", []],
    ["IndexedDB, by storage events where there is no BroadcastChannel", "indexedDb", ["BroadcastChannel"]],
    ["localStorage", "localStorage", []],
    ["localStorage where there is no BroadcastChannel", "localStorage", ["BroadcastChannel"]]
  ] as const) {
    it.live(`a change reaches the other tabs, with its slot's name only, and does not come back: ${what}`, () =>
      Effect.gen(function* () {
        const context = yield* profile(missing)
        const pages = [yield* tab(context), yield* tab(context), yield* tab(context)] as const
        const [first, second, third] = pages
        for (const page of pages) yield* give(page, name, (name) => window.tab.listen(name))
        yield* give(first, name, async (name) => {
          await window.tab.set(name, "ann lee", "CANARY")
          await window.tab.compareAndSet(name, "ann lee", "CANARY", "CANARY 2")
          await window.tab.remove(name, "ann lee")
        })
        // The last of all: whatever came before has come by then.
        yield* give(second, name, (name) => window.tab.set(name, "last", "x"))
        yield* until(() => third.evaluate(() => window.tab.heard().includes("last")))
        yield* until(() => first.evaluate(() => window.tab.heard().includes("last")))
        assert.deepStrictEqual(yield* on(first, () => window.tab.heard()), ["last"])
        for (const page of [second, third]) {
          const heard = yield* on(page, () => window.tab.heard())
          assert.strictEqual(heard.filter((slot) => slot === "ann lee").length, 3)
          assert.isFalse(heard.some((slot) => slot.includes("CANARY")))
        }
        const read = yield* give(third, name, (name) => window.tab.get(name, "last"))
        assert.strictEqual(read.value, "x")
        // What is left behind in the fallback of the signals is no value either.
        assert.isFalse((yield* on(third, () => JSON.stringify({ ...localStorage }))).includes("CANARY"))
      }).pipe(Effect.scoped)
    )
  }

  it.live("tabs have one device between them, found at once and kept over a reload", () =>
    Effect.gen(function* () {
      const context = yield* profile()
      const pages = yield* Effect.forEach([1, 2, 3, 4], () => tab(context))
      const found = yield* Effect.forEach(pages, (page) => on(page, () => window.tab.fingerprint()), {
        concurrency: "unbounded"
      })
      const prints = new Set(found.map((device) => device?.fingerprint))
      assert.strictEqual(prints.size, 1)
      assert.match([...prints][0] ?? "", /^[\w-]{22}$/)
      const agent = yield* Effect.promise(
        () => context.pages()[0]?.evaluate(() => navigator.userAgent) ?? Promise.resolve("")
      )
      assert.strictEqual(found[0]?.info.browser, agent)
      const [page] = pages
      if (page === undefined) return assert.fail("no page")
      yield* Effect.promise(() => page.reload())
      assert.strictEqual((yield* on(page, () => window.tab.fingerprint()))?.fingerprint, [...prints][0])
      // Another profile is another device.
      const stranger = yield* tab(yield* profile())
      assert.isFalse(prints.has((yield* on(stranger, () => window.tab.fingerprint()))?.fingerprint))
    }).pipe(Effect.scoped)
  )

  it.live("where the browser blocks all storage: typed errors, a lock of the tab's own, a device for the page", () =>
    Effect.gen(function* () {
      const context = yield* profile()
      const page = yield* Effect.promise(() => context.newPage())
      yield* Effect.promise(() => page.goto(`${site().origin}/framed`))
      const frame = page.frames()[1]
      if (frame === undefined) return assert.fail("no frame")
      yield* until(() => frame.evaluate(() => "tab" in window))
      for (const name of ["localStorage", "sessionStorage", "indexedDb"] satisfies Array<StorageName>) {
        for (const result of [
          yield* give(frame, name, (name) => window.tab.get(name, "ann")),
          yield* give(frame, name, (name) => window.tab.set(name, "ann", "CANARY")),
          yield* give(frame, name, (name) => window.tab.remove(name, "ann")),
          yield* give(frame, name, (name) => window.tab.compareAndSet(name, "ann", null, "CANARY"))
        ]) {
          assert.deepStrictEqual([result.ok, result.tag], [false, "TokenStorageError"])
          assert.isFalse(result.message?.includes("CANARY"))
        }
      }
      assert.strictEqual((yield* on(frame, () => window.tab.acquire("webLocks", "ann", 100))).reason, "Unavailable")
      assert.strictEqual((yield* on(frame, () => window.tab.acquire("leases", "ann", 100))).reason, "Unavailable")
      assert.strictEqual((yield* on(frame, () => window.tab.lockOfEverything())).value, "in")
      const [one, two] = [
        yield* on(frame, () => window.tab.fingerprint()),
        yield* on(frame, () => window.tab.fingerprint())
      ]
      assert.match(one?.fingerprint ?? "", /^[\w-]{22}$/)
      assert.strictEqual(one?.fingerprint, two?.fingerprint)
    }).pipe(Effect.scoped)
  )

  it.live("a full localStorage fails typed, and shows no value", () =>
    Effect.gen(function* () {
      const page = yield* tab(yield* profile())
      yield* on(page, () => {
        const chunk = "x".repeat(1024 * 1024)
        for (let n = 0; n < 20; n++) {
          try {
            localStorage.setItem(`filler ${n}`, chunk)
          } catch {
            break
          }
        }
      })
      const result = yield* on(page, () => window.tab.set("localStorage", "ann", "CANARY".repeat(200_000)))
      assert.deepStrictEqual([result.ok, result.tag], [false, "TokenStorageError"])
      assert.isFalse(result.message?.includes("CANARY"))
    }).pipe(Effect.scoped)
  )

  it.live("a database that was deleted under its user is made again", () =>
    Effect.gen(function* () {
      const [first, second] = yield* tabs()
      yield* on(first, () => window.tab.set("indexedDb", "ann", "1"))
      yield* on(
        second,
        () =>
          new Promise<void>((resolve, reject) => {
            const request = indexedDB.deleteDatabase("oneentry")
            request.addEventListener("success", () => resolve())
            request.addEventListener("error", () => reject(request.error))
          })
      )
      assert.deepStrictEqual(yield* on(first, () => window.tab.get("indexedDb", "ann")), { ok: true, value: null })
      assert.isTrue((yield* on(first, () => window.tab.set("indexedDb", "ann", "2"))).ok)
      assert.strictEqual((yield* on(second, () => window.tab.get("indexedDb", "ann"))).value, "2")
    }).pipe(Effect.scoped)
  )

  it.live("a page that goes offline or is hidden is not active, and what runs while it is stops", () =>
    Effect.gen(function* () {
      const context = yield* profile()
      const page = yield* tab(context)
      yield* on(page, () => window.tab.watchActive())
      assert.deepStrictEqual(yield* on(page, () => window.tab.now()), [true, true])
      yield* until(() => page.evaluate(() => window.tab.log().join() === "start"))
      yield* Effect.promise(() => context.setOffline(true))
      yield* until(() => page.evaluate(() => window.tab.log().join() === "start,stop"))
      assert.deepStrictEqual(yield* on(page, () => window.tab.now()), [true, false])
      yield* Effect.promise(() => context.setOffline(false))
      yield* until(() => page.evaluate(() => window.tab.log().join() === "start,stop,start"))
      yield* on(page, () => {
        Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true })
        document.dispatchEvent(new Event("visibilitychange"))
      })
      yield* until(() => page.evaluate(() => window.tab.log().join() === "start,stop,start,stop"))
      assert.deepStrictEqual(yield* on(page, () => window.tab.now()), [false, true])
      assert.deepStrictEqual(yield* on(page, () => window.tab.active()), [true, false, true, false])
    }).pipe(Effect.scoped)
  )
})

describe("on a server", () => {
  it.live("importing and building it touches no window; its storage fails typed, its page is visible", () =>
    Effect.gen(function* () {
      assert.isUndefined(Reflect.get(globalThis, "window"))
      assert.deepStrictEqual(yield* Effect.all([Browser.BrowserPage.isVisible, Browser.BrowserPage.isOnline]), [
        true,
        true
      ])
      for (const storage of ["indexedDb", "localStorage", "sessionStorage"] as const) {
        yield* Effect.gen(function* () {
          if (storage !== "indexedDb" && storage in globalThis) return
          const kept = yield* TokenStorage.TokenStorage
          assert.strictEqual((yield* Effect.flip(kept.get("default")))._tag, "TokenStorageError")
          const source = yield* DeviceMetadata.DeviceMetadata
          assert.isFunction(source)
        }).pipe(Effect.provide(Browser.layer({ storage })))
      }
    })
  )
})
