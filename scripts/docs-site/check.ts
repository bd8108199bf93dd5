/**
 * Whether the site is whole: every link leads to a page and to an anchor on it, and axe finds nothing on a page of every
 * kind, on a phone and wide, light and dark, with the search and the menu in use.
 */
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import type { Page } from "playwright-core"
import { requirementOfChromium, startChromium } from "../../test/helpers/chromium.ts"
import { filesUnder } from "../lib/package.ts"
import { serve } from "./serve.ts"

const unescape = (text: string) => text.replaceAll("&amp;", "&").replaceAll("&quot;", '"')

const deadLinks = (folder: string): ReadonlyArray<string> => {
  const pages = filesUnder(folder).filter((file) => file.endsWith(".html"))
  const texts = new Map(pages.map((page) => [page, fs.readFileSync(path.join(folder, page), "utf8")]))
  const anchors = new Map(
    [...texts].map(([page, text]) => [
      page,
      new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id = ""]) => unescape(id)))
    ])
  )
  const problems: Array<string> = []
  for (const [page, text] of texts) {
    const seen = new Set<string>()
    for (const [, link = ""] of text.matchAll(/\s(?:href|src)="([^"]+)"/g)) {
      if (/^[a-z]+:/i.test(link) || seen.has(link)) continue
      seen.add(link)
      const [target = "", anchor] = unescape(link).split("#")
      const file = target === "" ? page : path.posix.join(path.posix.dirname(page), decodeURI(target))
      if (!fs.existsSync(path.join(folder, file))) problems.push(`${page}: the link ${link} is dead`)
      else if (anchor !== undefined && !(anchors.get(file)?.has(decodeURIComponent(anchor)) ?? true)) {
        problems.push(`${page}: ${link} has no such anchor`)
      }
    }
  }
  return problems
}

/** A page of every kind: the start, prose with tables, commands, an error, figures, the reference, a source. */
const kinds: ReadonlyArray<string> = [
  "index.html",
  "sign-up.html",
  "emulator.html",
  "errors.html",
  "errors/InvalidCode.html",
  "bench/size.html",
  "reference/effect-oneentry.html",
  "reference/AuthProvider.html",
  "reference/AuthError.html",
  "source/test/canary.test.ts.html"
]

interface Axe {
  readonly violations: ReadonlyArray<{
    readonly id: string
    readonly help: string
    readonly nodes: ReadonlyArray<{ readonly target: ReadonlyArray<unknown>; readonly failureSummary?: string }>
  }>
}

const axeIn = async (page: Page): Promise<ReadonlyArray<string>> => {
  const { violations } = await page.evaluate<Axe>("axe.run(document, { resultTypes: ['violations'] })")
  return violations.map(
    ({ help, id, nodes }) =>
      `${id} (${help}): ${nodes.length} × ${String(nodes[0]?.target[0])} ${(nodes[0]?.failureSummary ?? "").replaceAll("\n", " ").slice(0, 240)}`
  )
}

const inChromium = async (folder: string, pictures: string): Promise<ReadonlyArray<string>> => {
  if (!requirementOfChromium.available) return []
  const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
  fs.rmSync(pictures, { recursive: true, force: true })
  fs.mkdirSync(pictures, { recursive: true })
  const problems: Array<string> = []
  const site = await serve(folder, 0)
  const browser = await startChromium()
  const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }
  try {
    for (const [size, viewport] of Object.entries(sizes)) {
      for (const colorScheme of ["light", "dark"] as const) {
        const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" })
        const page = await context.newPage()
        const look = async (name: string, what = "") => {
          const place = `${name}${what && ` ${what}`} (${size}, ${colorScheme})`
          problems.push(...(await axeIn(page)).map((problem) => `${place}: ${problem}`))
          const file = `${name.replaceAll("/", "-").replace(/\.html$/, "")}${what && `-${what}`}-${size}-${colorScheme}.png`
          await page.screenshot({ path: path.join(pictures, file) })
        }
        page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`))
        await page.addInitScript(axe)
        for (const kind of kinds.filter((file) => fs.existsSync(path.join(folder, file)))) {
          await page.goto(`${site.origin}/${kind}`)
          await look(kind)
          const wider = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")
          if (wider > 0) problems.push(`${kind} (${size}): ${wider} pixels wider than the screen`)
        }
        await page.goto(`${site.origin}/index.html`)
        if (size === "phone") {
          await page.click(".menu")
          await look("index.html", "menu")
          const cut = await page.evaluate<boolean>(
            `(({ bottom, top }) => top < document.querySelector("header").offsetHeight || bottom > innerHeight)(document.querySelector("#navigation").getBoundingClientRect())`
          )
          if (cut) problems.push(`the menu (${size}) is larger than the screen, and does not scroll`)
          await page.keyboard.press("Escape")
        }
        await page.keyboard.press("/")
        await page.fill("#query", "UserAlreadyHas")
        await page.waitForSelector("dialog li")
        await look("index.html", "search")
        await page.keyboard.press("Enter")
        await page.waitForURL((url) => !url.pathname.endsWith("/index.html"))
        await page.click(".theme")
        await page.reload()
        const theme = await page.evaluate<string | null>("document.documentElement.dataset.theme ?? null")
        if (theme !== (colorScheme === "light" ? "dark" : "light"))
          problems.push("the choice of light or dark is forgotten")
        await context.close()
      }
    }
  } finally {
    await browser.close()
    site.close()
  }
  return problems
}

export const check = async (folder: string, pictures: string): Promise<ReadonlyArray<string>> => [
  ...deadLinks(folder),
  ...(await inChromium(folder, pictures))
]
