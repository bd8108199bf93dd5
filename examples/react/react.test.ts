/** The page in Chromium, by keyboard. */
import { assert, describe, it } from "@effect/vitest"
import axe from "axe-core"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import { requirementOfChromium } from "../../test/helpers/chromium.ts"
import { startSite } from "./site.ts"

/** What has the focus, as somebody who cannot see it is told: its label, and what it is described by. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement
    const label =
      element instanceof HTMLInputElement || element instanceof HTMLSelectElement
        ? element.labels?.[0]?.textContent
        : element === document.body
          ? ""
          : element?.textContent
    const descriptions = (element?.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? "")
    return [label ?? "", ...descriptions].join(" | ")
  })

const violations = async (page: Page) => {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<axe.AxeResults>("axe.run()")
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

/** Nothing is wider than the screen. */
const fits = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)

/** Presses Tab until that has the focus. */
const tabTo = async (page: Page, text: string) => {
  for (let steps = 0; steps < 25; steps++) {
    await page.keyboard.press("Tab")
    if ((await focused(page)).includes(text)) return
  }
  throw new Error(`Tab does not lead to "${text}"`)
}

const type = (page: Page, text: string) => page.keyboard.insertText(text)

// A picture of one pixel, large enough to take a moment.
const picture = Buffer.concat([
  Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64"
  ),
  Buffer.alloc(2_000_000)
])

describe.skipIf(!requirementOfChromium.available)("the React page", () => {
  it.live("sign up, code, profile, picture, sign out in two tabs: by keyboard", () =>
    Effect.gen(function* () {
      const { emulator, open } = yield* startSite
      const run = Effect.runPromiseWith(yield* Effect.context())
      yield* Effect.promise(async () => {
        const { context, tab } = await open()
        const page = await tab()
        const problems: Array<string> = []
        page.on("pageerror", (error) => problems.push(String(error)))
        assert.deepStrictEqual(await violations(page), [])

        await tabTo(page, "Sign up")
        await page.keyboard.press("Enter")
        assert.include(await focused(page), "Become a reader")
        assert.deepStrictEqual(await violations(page), [])

        // The keyboard comes out of the page again, and meets every control once on its way.
        const met = new Set<string>()
        for (let text = "Become a reader"; text !== " | "; text = await focused(page)) {
          assert.isFalse(met.has(text), `"${text}" twice`)
          met.add(text)
          await page.keyboard.press("Tab")
        }
        assert.strictEqual(met.size, 8, [...met].join("; "))

        // Nothing entered: the first field that is wrong has the focus, and says what is wrong.
        await tabTo(page, "Sign up")
        await page.keyboard.press("Enter")
        await page.getByText("Enter your e-mail address").waitFor()
        assert.strictEqual(await focused(page), "E-mail | Enter your e-mail address")
        assert.deepStrictEqual(await violations(page), [])

        await type(page, "ann@example.com")
        await tabTo(page, "Password")
        await type(page, "short")
        await tabTo(page, "Name")
        await type(page, "Ann")
        await tabTo(page, "Favourite shelf")
        await page.keyboard.press("P")
        await tabTo(page, "Every week")
        await page.keyboard.press("ArrowDown")
        await tabTo(page, "Sign up")
        await page.keyboard.press("Enter")
        await page.getByText("Use eight characters or more").waitFor()
        assert.strictEqual(await focused(page), "Password | A short sentence is good | Use eight characters or more")
        await page.keyboard.press("ControlOrMeta+A")
        await type(page, "correct horse")
        await page.keyboard.press("Enter")

        await page.getByText("We have sent a code to ann@example.com").waitFor()
        assert.include(await focused(page), "Code")
        assert.isTrue(await page.getByRole("button", { name: /^Send a new code in \d+ s$/ }).isVisible())
        assert.deepStrictEqual(await violations(page), [])
        await type(page, "000000")
        await page.keyboard.press("Enter")
        await page.getByText("That is not the code that was sent").waitFor()
        const code = await run(emulator.awaitCode("ann@example.com"))
        await type(page, ` ${code.slice(0, 3)} ${code.slice(3)}`)
        await page.keyboard.press("Enter")

        await page.getByRole("heading", { name: "Your profile" }).waitFor()
        await page.getByText("Poetry").waitFor()
        assert.isTrue(await page.getByText("Every month").isVisible())
        assert.deepStrictEqual(await violations(page), [])

        await run(emulator.faults.add({ operation: "upload", kind: "delay", delay: "500 millis", count: 1 }))
        const chosen = page.waitForEvent("filechooser")
        await tabTo(page, "Add a picture")
        await page.keyboard.press("Enter")
        await (await chosen).setFiles({ name: "ann.png", mimeType: "image/png", buffer: picture })
        await page.getByRole("progressbar", { name: "Uploading" }).waitFor()
        await page.getByText("Uploaded.").waitFor()
        const image = page.getByRole("img", { name: "as others see you" })
        await image.waitFor()
        assert.strictEqual(await image.evaluate((img) => (img instanceof HTMLImageElement ? img.naturalWidth : 0)), 1)

        const second = await tab()
        await second.getByRole("heading", { name: "Your profile" }).waitFor()
        await tabTo(page, "Sign out")
        await page.keyboard.press("Enter")
        await page.getByText("You have signed out.").waitFor()
        await second.getByText("You have signed out in another tab.").waitFor()
        assert.include(await focused(second), "Welcome back")

        await second.getByLabel("E-mail").focus()
        await type(second, "ann@example.com")
        await tabTo(second, "Password")
        await type(second, "correct horse")
        await second.keyboard.press("Enter")
        await second.getByRole("heading", { name: "Your profile" }).waitFor()
        await page.getByRole("heading", { name: "Your profile" }).waitFor()
        assert.deepStrictEqual(problems, [])
        await context.close()
      })
    })
  )

  it.live("who left before the code was entered comes to it by signing in", () =>
    Effect.gen(function* () {
      const { emulator, open } = yield* startSite
      const run = Effect.runPromiseWith(yield* Effect.context())
      yield* Effect.promise(async () => {
        const { context, tab } = await open()
        const page = await tab()
        await page.getByRole("button", { name: "Sign up" }).click()
        await page.getByLabel("E-mail").fill("eve@example.com")
        await page.getByLabel("Password").fill("correct horse")
        await page.getByLabel("Name").fill("Eve")
        await page.getByLabel("Favourite shelf").selectOption("Novels")
        await page.getByRole("button", { name: "Sign up" }).click()
        await page.getByText("We have sent a code to eve@example.com").waitFor()
        await page.close()

        const later = await tab()
        await later.getByLabel("E-mail").fill("eve@example.com")
        await later.getByLabel("Password").fill("correct horse")
        await later.getByRole("button", { name: "Sign in" }).click()
        await later.getByText("We have sent a code to eve@example.com").waitFor()
        await later.getByLabel("Code").fill(await run(emulator.awaitCode("eve@example.com")))
        await later.getByRole("button", { name: "Continue" }).click()
        await later.getByRole("heading", { name: "Your profile" }).waitFor()
        await context.close()
      })
    })
  )

  it.live("on a small phone: the countdown lets the next code be asked for", () =>
    Effect.gen(function* () {
      const { emulator, open } = yield* startSite
      const run = Effect.runPromiseWith(yield* Effect.context())
      yield* Effect.promise(async () => {
        const { context, tab } = await open({ colorScheme: "dark", viewport: { width: 320, height: 640 } })
        await context.clock.install()
        const page = await tab()
        await page.getByRole("button", { name: "Sign up" }).click()
        await page.getByLabel("E-mail").fill("eve@example.com")
        await page.getByLabel("Password").fill("correct horse")
        await page.getByLabel("Name").fill("Eve")
        await page.getByLabel("Favourite shelf").selectOption("Novels")
        assert.isTrue(await fits(page))
        await page.getByRole("button", { name: "Sign up" }).click()
        const again = page.getByRole("button", { name: /^Send a new code/ })
        await again.waitFor()
        assert.deepStrictEqual(await violations(page), [])
        await context.clock.runFor(20_000)
        assert.match((await again.textContent()) ?? "", /in 1?\d s$/)
        await context.clock.runFor(11_000)
        await run(emulator.clock.advance("31 seconds"))
        const first = await run(emulator.awaitCode("eve@example.com"))
        await page.getByRole("button", { name: "Send a new code", exact: true }).click()
        await page.getByText("A new code is on its way.").waitFor()
        assert.notStrictEqual(await run(emulator.awaitCode("eve@example.com")), first)
        assert.match((await again.textContent()) ?? "", /in \d+ s$/)
        assert.isTrue(await fits(page))
        await page.getByLabel("Code").fill(await run(emulator.awaitCode("eve@example.com")))
        await page.getByRole("button", { name: "Continue" }).click()
        await page.getByLabel("Add a picture").waitFor()
        assert.isTrue(await fits(page))
        assert.deepStrictEqual(await violations(page), [])
        await context.close()
      })
    })
  )
})
