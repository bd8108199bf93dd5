/**
 * Writes the figures into the pages that show them, from what was measured: `npm run docs:tables`, or `--check`, which
 * writes nothing and fails where a page is behind.
 *
 *     <!-- table: size -->      what docs/bench/size.json says
 *     <!-- /table -->
 *
 * What was not measured yet leaves its place empty.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { execFileSync } from "node:child_process"
import { filesUnder, root } from "./lib/package.ts"

const check = process.argv.includes("--check")
const bench = (file: string) => path.join(root, "docs/bench", file)
const read = (file: string) => (fs.existsSync(bench(file)) ? fs.readFileSync(bench(file), "utf8") : undefined)

type Cells = ReadonlyArray<string>
const table = (head: Cells, rows: ReadonlyArray<Cells>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

// Size.

interface Sizes {
  readonly entries: Readonly<Record<string, { readonly esbuild: { readonly gzip: number } }>>
}

const kib = (bytes: number) => (bytes / 1024).toFixed(1)

/** A link from the page to a file of the repository. */
type To = (file: string) => string

const size = (to: To): string => {
  const text = read("size.json")
  if (text === undefined) return ""
  const { entries }: Sizes = JSON.parse(text)
  const of = (entry: string) => entries[entry]?.esbuild.gzip
  const rows: ReadonlyArray<readonly [what: string, bytes: number | undefined]> = [
    ["a sign-in application, all of `effect` that it needs included", of("sign-in")],
    ["the Promise facade, the same", of("promise")],
    ["everything that the package has, the same", of("root")],
    [
      "what it adds to an application on Effect that has a client and schemas already",
      (of("application-signed-in") ?? Number.NaN) - (of("application") ?? Number.NaN)
    ],
    ["the official SDK", of("official")],
    ["`@supabase/auth-js`", of("supabase")]
  ]
  return table(
    ["bundle (esbuild, minified, gzip)", "KiB"],
    rows.flatMap(([what, bytes]) =>
      bytes === undefined || Number.isNaN(bytes) ? [] : [[what, `[${kib(bytes)}](${to("docs/bench/size.md")})`]]
    )
  )
}

// Comparison.

interface Storm {
  readonly refreshes: number
  readonly failed: number
}
type Links = readonly [link: string, ours?: string]
type Range = readonly [least: number, most: number]
interface Figures {
  readonly version: string
  readonly kib?: number
  readonly packages: number
  readonly one: Storm
  /** The least and the most of some rounds. */
  readonly two: { readonly refreshes: Range; readonly failed: Range }
  readonly showsTokens: boolean
  readonly outlives503: boolean
  readonly outlivesUnreachable: boolean
}

const comparison = (to: To): string => {
  const text = read("comparison.json")
  if (text === undefined) return ""
  const figures: Readonly<Record<string, Figures>> = JSON.parse(text)
  const names = Object.keys(figures)
  const { entries }: Sizes = JSON.parse(read("size.json") ?? '{ "entries": {} }')
  const sized: Readonly<Record<string, string>> = {
    "effect-oneentry": "sign-in",
    oneentry: "official",
    "@supabase/auth-js": "supabase"
  }
  const sizeOf = (name: string) => {
    const gzip = entries[sized[name] ?? ""]?.esbuild.gzip
    return gzip === undefined ? figures[name]?.kib?.toFixed(1) : kib(gzip)
  }
  const test = to("test/package/comparison.test.ts")
  const script = to("scripts/comparison/measure.ts")
  const row = (
    what: string,
    cell: (one: Figures, name: string) => string | undefined,
    ...[link, ours = link]: Links
  ): Cells => [
    what,
    ...names.map((name) => {
      const one = figures[name]
      const text = one && cell(one, name)
      return text === undefined ? "" : `[${text}](${name === "effect-oneentry" ? ours : link})`
    })
  ]
  const range = ([least, most]: Range) => (least === most ? count(least) : `${count(least)} to ${most}`)
  const count = (number: number) => (number === 0 ? "none" : String(number))
  const storm = (refreshes: Range, failed: Range) =>
    `${range(refreshes)} ${refreshes[1] === 1 ? "refresh" : "refreshes"}, ${range(failed)} failed`
  const yes = (holds: boolean) => (holds ? "yes" : "no")
  return table(
    ["", ...names.map((name) => `\`${name}\` ${figures[name]?.version ?? ""}`)],
    [
      row(
        "fifty calls at once when the access token has ended",
        ({ one: { failed, refreshes } }) => storm([refreshes, refreshes], [failed, failed]),
        test
      ),
      row(
        "the same from two clients on one storage",
        ({ two: { failed, refreshes } }) => storm(refreshes, failed),
        script,
        // What comes of it with others is not the same each time.
        test
      ),
      row("still signed in after the server answered 503 to a refresh", ({ outlives503 }) => yes(outlives503), script),
      row(
        "still signed in after it could not be reached",
        ({ outlivesUnreachable }) => yes(outlivesUnreachable),
        script
      ),
      row("a session that is logged shows its tokens", ({ showsTokens }) => yes(showsTokens), test),
      row("packages that an installation brings", ({ packages }) => String(packages), to("scripts/comparison/run.ts")),
      row("bundle of the client, KiB (esbuild, gzip)", (_, name) => sizeOf(name), to("scripts/comparison/run.ts"))
    ]
  )
}

// Runtimes.

/** The first table of the page that `npm run matrix` writes. */
const runtimes = (to: To): string => {
  const text = read("matrix.md")
  const first = text && /^\|.*\n\|[ :|-]+\n(?:\|.*\n?)+/m.exec(text)?.[0]
  return first
    ? `${first.trim()}\n\nFrom [the runtime matrix](${to("docs/bench/matrix.md")})${whenAndWhere(text)}.`
    : ""
}

// Speed.

/** What a page of `docs/bench` says of the day and the machine. */
const whenAndWhere = (text: string): string => {
  const day = /\bon (\d{4}-\d\d-\d\d)/.exec(text)?.[1]
  const machine = /\d+ × [^,;.\n]+/.exec(text)?.[0]
  return day === undefined || machine === undefined ? "" : `, ${day}, ${machine}`
}

/** The goals and what was measured, as `npm run bench` closes its page. */
const speed = (to: To): string => {
  const text = read("bench.md")
  const goals = text && /^## Goals\n\n((?:\|.*\n?)+)/m.exec(text)?.[1]
  return goals ? `${goals.trim()}\n\nFrom [the bench](${to("docs/bench/bench.md")})${whenAndWhere(text)}.` : ""
}

// Pages.

const tables: Readonly<Record<string, (to: To) => string>> = { size, comparison, runtimes, speed }
const pages = ["README.md", ...filesUnder(path.join(root, "docs"), root).filter((file) => file.endsWith(".md"))]
const marked = /<!-- table: (\w+) -->\n[^]*?<!-- \/table -->/g

/** Laid out as `npm run format` does. */
const formatted = (file: string, text: string): string =>
  execFileSync(
    process.execPath,
    [path.join(root, "node_modules/oxfmt/bin/oxfmt"), `--stdin-filepath=${path.join(root, file)}`],
    { input: text, encoding: "utf8", cwd: root }
  )

let behind = 0
let count = 0
for (const page of pages) {
  const before = fs.readFileSync(path.join(root, page), "utf8")
  if (!before.includes("<!-- table: ")) continue
  const to: To = (file) => path.posix.relative(path.posix.dirname(page), file)
  const after = formatted(
    page,
    before.replaceAll(marked, (_, name: string) => {
      const make = tables[name]
      if (make === undefined) throw new Error(`${page}: there is no table ${name}`)
      count++
      const text = make(to)
      return `<!-- table: ${name} -->\n\n${text === "" ? "" : `${text}\n\n`}<!-- /table -->`
    })
  )
  if (after === before) continue
  behind++
  if (check) console.error(`${page}: its figures are behind: npm run docs:tables`)
  else fs.writeFileSync(path.join(root, page), after)
}
console.log(`tables: ${count} looked at, ${behind} pages ${check ? "behind" : "written"}`)
process.exitCode = check && behind > 0 ? 1 : 0
