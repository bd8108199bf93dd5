/**
 * Takes the screenshots of the React example for the documentation: `docs/images/react-*.png`, on a phone and a wide
 * screen, light and dark. Needs Chromium.
 *
 *     node --conditions=effect-oneentry-source scripts/screenshots-react.ts [folder]
 */
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Page } from "playwright-core"
import { startSite } from "../examples/react/site.ts"
import { root } from "./lib/package.ts"

const folder = path.resolve(process.argv[2] ?? path.join(root, "docs/images"))

const shots = [
  { name: "phone", width: 390, height: 844, scale: 1.5 },
  { name: "wide", width: 1280, height: 800, scale: 1 }
] as const

/** Somebody's picture. */
const portrait = `<body style="margin:0"><svg width="240" height="240" viewBox="0 0 240 240">
  <defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="#f7c59f"/><stop offset="1" stop-color="#7a9cc6"/></linearGradient></defs>
  <rect width="240" height="240" fill="url(#sky)"/><circle cx="172" cy="70" r="30" fill="#fff3d6"/>
  <path d="M0 240V170l60-60 50 55 40-35 90 80v30z" fill="#33506f"/><path d="M0 240v-30l90-40 150 60v10z" fill="#1e3450"/>
</svg>`

const program = Effect.gen(function* () {
  const { emulator, open } = yield* startSite
  const run = Effect.runPromiseWith(yield* Effect.context())
  fs.mkdirSync(folder, { recursive: true })

  const visit = async (shot: (typeof shots)[number], colorScheme: "light" | "dark") => {
    const { height, name, scale, width } = shot
    const { context, tab } = await open({ viewport: { width, height }, deviceScaleFactor: scale, colorScheme })
    const picture = await context.newPage()
    await picture.setViewportSize({ width: 240, height: 240 })
    await picture.setContent(portrait)
    const buffer = await picture.screenshot()
    await picture.close()

    await run(emulator.reset)
    const login = "ann@example.com"
    const page = await tab()
    const take = (page: Page, what: string) =>
      page.screenshot({ path: path.join(folder, `react-${what}-${name}-${colorScheme}.png`) })
    await page.getByRole("button", { name: "Sign up" }).click()
    await page.getByLabel("E-mail").fill(login)
    await page.getByLabel("Password").fill("short")
    await page.getByLabel("Name").fill("Ann Reader")
    await page.getByLabel("Favourite shelf").selectOption("Poetry")
    await page.getByLabel("Every month").check()
    await page.getByRole("button", { name: "Sign up" }).click()
    await page.getByText("Use eight characters or more").waitFor()
    await page.evaluate(() => window.scrollTo(0, 0))
    await take(page, "sign-up")
    await page.getByLabel("Password").fill("correct horse")
    await page.getByRole("button", { name: "Sign up" }).click()
    await page.getByLabel("Code").fill((await run(emulator.awaitCode(login))).slice(0, 4))
    await page.evaluate(() => window.scrollTo(0, 0))
    await take(page, "code")
    await page.getByLabel("Code").fill(await run(emulator.awaitCode(login)))
    await page.getByRole("button", { name: "Continue" }).click()
    await page.getByLabel("Add a picture").setInputFiles({ name: "ann.png", mimeType: "image/png", buffer })
    await page.getByRole("img", { name: "as others see you" }).waitFor()
    await page.getByText("Uploaded.").waitFor()
    await page.evaluate(() => window.scrollTo(0, 0))
    await take(page, "profile")
    await context.close()
  }
  for (const shot of shots) {
    yield* Effect.promise(() => visit(shot, "light"))
    yield* Effect.promise(() => visit(shot, "dark"))
  }
})

await Effect.runPromise(Effect.scoped(program))
for (const file of fs.readdirSync(folder).filter((file) => file.startsWith("react-"))) {
  console.log(`${file}: ${Math.round(fs.statSync(path.join(folder, file)).size / 1024)} KB`)
}
