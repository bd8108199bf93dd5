/** The page in a real Chromium, with people who sign up elsewhere. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { FetchHttpClient } from "effect/http"
import { Control, Emulator, Project } from "effect-oneentry/emulator"
import * as fs from "node:fs"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { launchChromium, requirementOfChromium } from "../helpers/chromium.ts"

/** A shop's registration page: a form and a script that any client could be. */
const shop = (url: string) => `<!doctype html><meta charset="utf-8"><title>Shop</title>
<form id="sign-up"><input name="email"><input name="password" type="password"><button>Sign up</button></form>
<form id="activate"><input name="code"><button>Activate</button></form>
<button id="me" type="button">Who am I?</button><output id="out"></output>
<script>
const api = ${JSON.stringify(url)} + "/api/content/"
const users = "users-auth-providers/marker/email/users/"
let email = "", password = "", tokens
const say = (text) => { out.textContent = text }
const call = (method, path, body, headers) => fetch(api + path, {
  method,
  headers: { "x-app-token": "emulator-app-token", "content-type": "application/json", "x-device-metadata": '{"fingerprint":"shop-1","deviceInfo":{"browser":"Chromium","os":"Test"}}', ...headers },
  body: body && JSON.stringify(body)
})
const authData = () => [{ marker: "email_reg", value: email }, { marker: "password_reg", value: password }]
document.getElementById("sign-up").onsubmit = async (event) => {
  event.preventDefault()
  email = event.target.email.value; password = event.target.password.value
  const answer = await call("POST", users + "sign-up", { langCode: "en_US", formIdentifier: "reg", authData: authData() })
  say("signed up " + answer.status)
}
document.getElementById("activate").onsubmit = async (event) => {
  event.preventDefault()
  const answer = await call("POST", users + "activate", { userIdentifier: email, code: event.target.code.value })
  if (!answer.ok) return say("not activated")
  tokens = await (await call("POST", users + "auth", { authData: authData() })).json()
  say("signed in")
}
const me = () => call("GET", "users/me", undefined, { authorization: "Bearer " + tokens.accessToken })
document.getElementById("me").onclick = async () => {
  let answer = await me()
  if (answer.status === 401) {
    tokens = await (await call("POST", users + "refresh", { refreshToken: tokens.refreshToken })).json()
    answer = await me()
  }
  say("I am " + (await answer.json()).identifier)
}
</script>`

const site = (html: string) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<{ origin: string; close: () => void }>((resolve) => {
          const server = createServer((_, response) => {
            response.setHeader("content-type", "text/html; charset=utf-8")
            response.end(html)
          })
          server.listen(0, "127.0.0.1", () => {
            const address = server.address()
            resolve({
              origin: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
              close: () => {
                server.closeAllConnections()
                server.close()
              }
            })
          })
        })
    ),
    ({ close }) => Effect.sync(close)
  )

/** A tab of a new profile; whatever it complains about ends the test. */
const open = (browser: Browser, url: string, options?: BrowserContextOptions) =>
  Effect.promise(async () => {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const complaints: Array<string> = []
    page.on("pageerror", (error) => complaints.push(error.message))
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
    })
    await page.goto(url)
    return { page, complaints }
  })

const live = Emulator.layer({ passwordCost: 1, seed: 5, routes: Control.routes })

const suite = it.live.skipIf(!requirementOfChromium.available)

const textOf = (page: Page, selector: string) => page.locator(selector).innerText()

suite("a sign-up elsewhere: the code appears, is copied, activates; an expired session refreshes once", () =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    const { origin } = yield* site(shop(emulator.url))
    const browser = yield* launchChromium
    const pageUrl = `${emulator.url}/__emulator`
    const people = yield* open(browser, pageUrl, { permissions: ["clipboard-read", "clipboard-write"] })
    const elsewhere = yield* open(browser, origin)
    yield* Effect.promise(async () => {
      const { page } = people
      const app = elsewhere.page
      await page.locator("#connection.on").waitFor()
      await page.getByText("No messages yet.").waitFor()
      let loads = 0
      page.on("load", () => loads++)

      await app.fill("[name=email]", "ann@example.com")
      await app.fill("[name=password]", "123456")
      await app.click("text=Sign up")
      await app.getByText("signed up 201").waitFor()

      // the code appears by itself, and is said to who listens
      const code = page.locator("#outbox .code")
      await code.waitFor()
      const shown = await code.innerText()
      assert.match(shown, /^[0-9A-Z]{6}$/)
      await page.locator("#live", { hasText: `New code ${shown} for ann@example.com` }).waitFor({ state: "attached" })
      assert.strictEqual(await textOf(page, "nav [data-count=outbox]"), "1")
      await page.locator("#users", { hasText: "ann@example.com not activated" }).waitFor()

      await page.click("#outbox [data-act=copy]")
      await page.locator("#outbox button", { hasText: "Copied" }).waitFor()
      const copied = await page.evaluate("navigator.clipboard.readText()")
      assert.strictEqual(copied, shown)

      await app.fill("[name=code]", String(copied))
      await app.click("text=Activate")
      await app.getByText("signed in").waitFor()
      await page.locator("#users .badge.good", { hasText: "active" }).waitFor()
      await page.locator("#outbox .badge", { hasText: "spent" }).waitFor()
      await page.locator("#sessions", { hasText: "Chromium · Test" }).waitFor()

      await app.click("#me")
      await app.getByText("I am ann@example.com").waitFor()
      await page.click("#sessions [data-act=expire]")
      await page.locator("#sessions .badge.warn", { hasText: "wants refresh" }).waitFor()
      await app.click("#me")
      const refreshes = page.locator("#requests-list li", { hasText: "refresh POST" })
      await refreshes.waitFor()
      await page.locator("#sessions", { hasText: "refreshed 1×" }).waitFor()
      assert.strictEqual(await refreshes.count(), 1)
      const log = await page.locator("#requests-list li .op b").allInnerTexts()
      assert.deepStrictEqual(log.slice(0, 3), ["getUser", "refresh", "getUser"])
      const refused = page.locator("#requests-list li", { hasText: "expired, replaced or closed token" })
      assert.match(await refused.innerText(), /401/)

      // the sessions of everybody
      await page.click("#sessions [data-act=revoke]")
      await page.locator("#sessions [data-armed=yes]").click()
      await page.getByText("Nobody is signed in.").waitFor()
      assert.strictEqual(loads, 0, "the page was loaded again")
    })
    assert.deepStrictEqual(people.complaints, [])
    // what the app was answered, and nothing else
    for (const text of elsewhere.complaints) assert.match(text, /401/)
  }).pipe(Effect.provide([live, FetchHttpClient.layer]))
)

suite("the keyboard reaches and does everything; names of others stay text", () =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    const browser = yield* launchChromium
    const { complaints, page } = yield* open(browser, `${emulator.url}/__emulator`)
    yield* Effect.promise(async () => {
      await page.locator("#connection.on").waitFor()
      const send = (path: string, body: unknown) =>
        fetch(`${emulator.url}/api/content/${path}`, {
          method: "POST",
          headers: { "x-app-token": "emulator-app-token", "content-type": "application/json" },
          body: JSON.stringify(body)
        })
      const signUp = (login: string) =>
        send("users-auth-providers/marker/email/users/sign-up", {
          langCode: "en_US",
          authData: [
            { marker: "email_reg", value: login },
            { marker: "password_reg", value: "123456" }
          ]
        })
      await page.keyboard.press("Tab")
      assert.strictEqual(await page.evaluate("document.activeElement.textContent"), "Skip to the outbox")
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
      assert.strictEqual(outline, "solid")
      await page.keyboard.press("Enter")
      assert.strictEqual(await page.evaluate("location.hash"), "#outbox")

      // the clock
      await page.focus("[data-act=advance][data-id='1 hour']")
      await page.keyboard.press("Enter")
      await page.locator("#clock .badge.accent", { hasText: "+1 h" }).waitFor()
      await page.focus("[data-act=clock-reset]")
      await page.keyboard.press("Space")
      await page.locator("#clock .badge", { hasText: "real time" }).waitFor()

      // a fault, by the keys alone
      await page.focus("details.add summary")
      await page.keyboard.press("Enter")
      await page.selectOption("[name=kind]", "status")
      await page.fill("[name=where]", "signUp")
      await page.fill("[name=status]", "502")
      await page.fill("[name=count]", "1")
      await page.keyboard.press("Enter")
      await page.locator("#faults-list li", { hasText: "Error status on signUp" }).waitFor()
      assert.strictEqual((await signUp("ann@example.com")).status, 502)
      await page.locator("#faults-list li", { hasText: "0 of 1 left · 1 hit" }).waitFor()
      await page.fill("[name=status]", "200")
      await page.keyboard.press("Enter")
      assert.isTrue(await page.evaluate("!document.querySelector('[name=status]').checkValidity()"))
      await page.focus("#faults-list [data-act=remove-fault]")
      await page.keyboard.press("Enter")
      await page.getByText("Nothing is broken.").waitFor()
      // who removed the last one is not lost
      assert.strictEqual(await page.evaluate("document.activeElement.id"), "faults-title")

      // users; the focus stays on a row that did not change
      await signUp("ann@example.com")
      const first = page.locator("#users-list [data-act=delete-user]").first()
      await first.waitFor()
      await page.locator("#users-list [data-act=activate]").focus()
      await signUp("bob@example.com")
      await page.locator("#users-list li", { hasText: "bob@example.com" }).waitFor()
      assert.strictEqual(
        await page.evaluate("document.activeElement.getAttribute('aria-label')"),
        "Activate ann@example.com"
      )
      await page.keyboard.press("Enter")
      await page.locator("#users-list .badge.good").waitFor()
      assert.strictEqual(
        await page.evaluate("document.activeElement.getAttribute('aria-label')"),
        "Delete ann@example.com"
      )
      await page.keyboard.press("Enter")
      await page.locator("#users-list [data-armed=yes]").waitFor()
      assert.strictEqual(await page.locator("#users-list li").count(), 2, "asked twice before it deletes")
      await page.keyboard.press("Enter")
      await page.locator("#users-list li", { hasText: "ann@example.com" }).waitFor({ state: "detached" })

      // the log can be narrowed
      await fetch(`${emulator.url}/api/<img src=x onerror=document.title='hacked'>`)
      await page.locator("#requests-list li", { hasText: "no route" }).waitFor()
      await page.check("#log-refused")
      await page.fill("#log-filter", "no route")
      assert.strictEqual(await page.locator("#requests-list li").count(), 1)
      assert.include(await textOf(page, "#requests-list"), "img%20src=x")
      await page.fill("#log-filter", "nothing like that")
      await page.getByText("No request matches.").waitFor()

      await page.click("[data-act=reset]")
      await page.click("[data-act=reset]")
      await page.getByText("Nobody has signed up yet.").waitFor()
      assert.strictEqual(await page.title(), "OneEntry emulator")
      assert.strictEqual(await page.locator("img").count(), 0)
    })
    assert.deepStrictEqual(complaints, [])
  }).pipe(Effect.provide([live, FetchHttpClient.layer]))
)

suite("light and dark, by the system and by the button; nothing is cut off on a phone", () =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    const browser = yield* launchChromium
    const background = (page: Page) => page.evaluate("getComputedStyle(document.body).backgroundColor")
    const seen = new Set<unknown>()
    for (const colorScheme of ["light", "dark"] as const) {
      const { complaints, page } = yield* open(browser, `${emulator.url}/__emulator`, { colorScheme })
      yield* Effect.promise(async () => {
        await page.locator("#connection.on").waitFor()
        for (const width of [320, 390, 820, 1100, 1280]) {
          await page.setViewportSize({ width, height: 800 })
          const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
          assert.isAtMost(Number(overflow), 0, `${width} px`)
          if (width !== 390) continue
          const small = await page.evaluate(
            "[...document.querySelectorAll('button')].filter((b) => b.offsetParent && b.offsetHeight < 32).map((b) => b.textContent)"
          )
          assert.deepStrictEqual(small, [], "too small to be pressed with a finger")
        }
        const before = await background(page)
        seen.add(before)
        const names: Array<string> = []
        for (let presses = 0; presses < 3; presses++) {
          await page.click("[data-act=theme]")
          names.push(await textOf(page, "[data-act=theme]"))
          if (presses !== (colorScheme === "light" ? 1 : 0)) continue
          assert.notStrictEqual(await background(page), before)
          await page.reload()
          await page.locator("#connection.on").waitFor()
          assert.notStrictEqual(await background(page), before, "the choice is forgotten")
        }
        assert.deepStrictEqual(names, ["Theme: light", "Theme: dark", "Theme: auto"])
      })
      assert.deepStrictEqual(complaints, [])
    }
    assert.strictEqual(seen.size, 2)
  }).pipe(Effect.provide([live, FetchHttpClient.layer]))
)

suite("off loopback the page works with its token, and not without", () =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    const browser = yield* launchChromium
    const refused = yield* Effect.promise(() => fetch(`${emulator.url}/__emulator`))
    assert.strictEqual(refused.status, 403)
    const { complaints, page } = yield* open(browser, `${emulator.url}/__emulator?token=a%20secret`)
    yield* Effect.promise(async () => {
      await page.locator("#connection.on").waitFor()
      await page.click("[data-act=advance][data-id='1 minute']")
      await page.locator("#clock .badge.accent", { hasText: "+1 min" }).waitFor()
      for (const path of await page
        .locator("footer a")
        .evaluateAll((links) => links.map((link) => link.getAttribute("href")))) {
        assert.strictEqual((await page.request.get(`${emulator.url}${path}`)).status(), 200, String(path))
      }
    })
    assert.deepStrictEqual(complaints, [])
  }).pipe(
    Effect.provide([
      Emulator.layer({ passwordCost: 1, routes: Control.routes, host: "0.0.0.0", appToken: "a secret" }),
      FetchHttpClient.layer
    ])
  )
)

const crowd = [
  ...Array.from({ length: 200 }, (_, index) => ({ login: `user${index}@example.com`, password: "123456" })),
  // turns round what follows it on a page that lets it
  { login: "\u202Eevil@example.com", password: "123456", isActive: false }
]

suite("axe finds nothing, names from right to left stay in their place, and a long list says that it is not all", () =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    const browser = yield* launchChromium
    const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
    yield* emulator.faults.add({ kind: "drop", route: "/nowhere" })
    yield* Effect.promise(() => fetch(`${emulator.url}/api/content/nothing`))
    for (const colorScheme of ["light", "dark"] as const) {
      const { complaints, page } = yield* open(browser, `${emulator.url}/__emulator`, { colorScheme, bypassCSP: true })
      yield* Effect.promise(async () => {
        await page.locator("#connection.on").waitFor()
        await page.addScriptTag({ content: axe })
        await page.click("details.add summary")
        for (const width of [375, 1440]) {
          await page.setViewportSize({ width, height: 900 })
          const found = "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id))"
          assert.deepStrictEqual(await page.evaluate(found), [], `${colorScheme} ${width}`)
        }
        const badge = await page.locator("#users-list .badge.warn").boundingBox()
        const name = await page.locator("#users-list .who", { hasText: "evil" }).locator("bdi").boundingBox()
        assert.isAtLeast(badge?.x ?? 0, (name?.x ?? 0) + (name?.width ?? 0))
        assert.strictEqual(await textOf(page, "nav [data-count=users]"), "201")
        assert.strictEqual(await page.locator("#users-list li:not([data-key=more])").count(), 200)
        assert.match(await textOf(page, "#users-list [data-key=more]"), /newest 200/)
        assert.strictEqual(await page.locator("[data-key=more]").count(), 1)
      })
      assert.deepStrictEqual(complaints, [])
    }
  }).pipe(
    Effect.provide(
      Emulator.layer({ passwordCost: 1, routes: Control.routes, project: { ...Project.defaultProject, users: crowd } })
    )
  )
)

suite("an emulator that was started anew has nothing of the one before on its page", () =>
  Effect.gen(function* () {
    const browser = yield* launchChromium
    const started = (port: number) => Emulator.makeServer({ passwordCost: 1, routes: Control.routes, port })
    const first = yield* Scope.make()
    const { url } = yield* Scope.provide(started(0), first)
    const { page } = yield* open(browser, `${url}/__emulator`)
    yield* Effect.promise(async () => {
      for (const name of ["one", "two", "three"]) await fetch(`${url}/api/content/${name}`)
      await page.locator("#requests-list li", { hasText: "three" }).waitFor()
    })
    yield* Scope.close(first, Exit.void)
    yield* Effect.promise(() => page.locator("#connection", { hasText: "reconnecting" }).waitFor())
    yield* started(Number(new URL(url).port))
    yield* Effect.promise(async () => {
      await fetch(`${url}/api/content/four`)
      await page.locator("#requests-list li", { hasText: "four" }).waitFor()
      assert.deepStrictEqual(await page.locator("#requests-list .path").allInnerTexts(), ["GET /api/content/four"])
    })
  }).pipe(Effect.scoped)
)
