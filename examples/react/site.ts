/** The page, built and served on loopback, and a Chromium to open it in: for its test and its screenshots. */
import { Effect, Redacted } from "effect"
import { Emulator } from "effect-oneentry/emulator"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { BrowserContextOptions } from "playwright-core"
import { build, preview } from "vite"
import { launchChromium } from "../../test/helpers/chromium.ts"
import { project } from "./project.ts"

export const startSite = Effect.gen(function* () {
  const emulator = yield* Emulator.makeServer({ passwordCost: 1, project })
  const outDir = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-react-"))),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )
  const shared = {
    root: import.meta.dirname,
    configFile: path.join(import.meta.dirname, "vite.config.ts"),
    logLevel: "warn" as const
  }
  yield* Effect.promise(() =>
    build({
      ...shared,
      define: {
        "import.meta.env.VITE_ONEENTRY_URL": JSON.stringify(emulator.url),
        "import.meta.env.VITE_ONEENTRY_TOKEN": JSON.stringify(Redacted.value(emulator.appToken))
      },
      build: { outDir, emptyOutDir: true }
    })
  )
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => preview({ ...shared, build: { outDir }, preview: { host: "127.0.0.1", port: 0 } })),
    (server) => Effect.promise(() => server.close())
  )
  const origin = server.resolvedUrls?.local[0] ?? ""
  const browser = yield* launchChromium
  /** A new profile of the browser; each of its pages is a tab. */
  const open = async (options?: BrowserContextOptions) => {
    const context = await browser.newContext(options)
    context.setDefaultTimeout(10_000)
    const tab = async () => {
      const page = await context.newPage()
      await page.goto(origin)
      await page.getByRole("heading", { level: 1 }).waitFor()
      return page
    }
    return { context, tab }
  }
  return { emulator, open }
})
