/**
 * A real Chromium, for whatever needs one; and a page of an origin of its own for it: `entry` bundled, served from loopback.
 */
import { Effect, type Scope } from "effect"
import { build } from "esbuild"
import { createServer } from "node:http"
import * as path from "node:path"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { chromium } from "playwright-core"
import { requirement } from "./requirements.ts"

export const requirementOfChromium = requirement("chromium")

/** It may run as root, has no graphics, and asks nobody for news. */
export const chromiumArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
] as const

/** A Chromium, which whoever calls has to close. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: requirementOfChromium.binaries["chromium"] ?? "chromium",
    args: [...chromiumArguments]
  })

/** A Chromium that is open for as long as the scope is. */
export const launchChromium: Effect.Effect<Browser, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(startChromium),
  (browser) => Effect.promise(() => browser.close())
)

const root = path.resolve(import.meta.dirname, "../..")
const folders = ["browser", "server", "redis", "sql", "promise", "emulator", "testing"]

/** One script of a test's entry and everything it imports; the package by its name, as in the tests. */
const bundle = async (entry: string): Promise<string> => {
  const result = await build({
    entryPoints: [path.resolve(root, entry)],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
    plugins: [
      {
        name: "package",
        setup: (builder) => {
          builder.onResolve({ filter: /^effect-oneentry(\/|$)/ }, ({ path: specifier }) => {
            const name = specifier.slice("effect-oneentry/".length)
            const file = name === "" ? "index" : folders.includes(name) ? `${name}/index` : name
            return { path: path.join(root, `src/${file}.ts`) }
          })
        }
      }
    ]
  })
  return result.outputFiles[0]?.text ?? ""
}

export interface Site {
  readonly origin: string
  readonly browser: Browser
  /** A new profile: nothing is stored in it. */
  readonly context: Effect.Effect<BrowserContext>
  /** A tab of a profile, with the script run. */
  readonly open: (context: BrowserContext) => Effect.Effect<Page>
}

export const startSite = (entry: string) =>
  Effect.gen(function* () {
    const script = yield* Effect.promise(() => bundle(entry))
    const html = "<!doctype html><meta charset=utf-8><title>test</title><script src=/page.js></script>"
    const framed = "<!doctype html><meta charset=utf-8><title>test</title><iframe sandbox=allow-scripts src=/></iframe>"
    const server = yield* Effect.acquireRelease(
      Effect.promise(
        () =>
          new Promise<ReturnType<typeof createServer>>((resolve) => {
            const server = createServer((request, response) => {
              const isScript = request.url === "/page.js"
              response.setHeader(
                "content-type",
                isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8"
              )
              response.end(isScript ? script : request.url === "/framed" ? framed : html)
            })
            server.listen(0, "127.0.0.1", () => resolve(server))
          })
      ),
      (server) =>
        Effect.promise(
          () =>
            new Promise<void>((resolve) => {
              server.closeAllConnections()
              server.close(() => resolve())
            })
        )
    )
    const address = server.address()
    const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
    const browser = yield* launchChromium
    const site: Site = {
      origin,
      browser,
      context: Effect.promise(() => browser.newContext()),
      open: (context) =>
        Effect.promise(async () => {
          const page = await context.newPage()
          await page.goto(origin)
          return page
        })
    }
    return site
  })
