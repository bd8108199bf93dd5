/**
 * The same contract on every runtime, from the packed tarball: `npm run tarball && npm run matrix`.
 *
 * Prints a table of suites and runtimes, how long each takes to start, and what a runtime lacks, by name. `--only=Bun,Deno`
 * runs some of them, `--suite=lock` the suites whose names begin so, `--slow` names cases that took long, `--ci` fails where one is missing or a case fails, `--write` writes docs/bench/matrix.md.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import type { Result } from "../../test/contract/check.ts"
import { startServer } from "../bench/lib/child.ts"
import { figureOf } from "../bench/lib/rounds.ts"
import { readManifest, root } from "../lib/package.ts"
import { type Built, type Missing, modules, type Runtime, runtimes } from "./lib/runtimes.ts"
import { installRuntimes, makeScratch } from "./lib/scratch.ts"

const { values: options } = parseArgs({
  options: {
    ci: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string" },
    suite: { type: "string" },
    slow: { type: "boolean", default: false },
    write: { type: "boolean", default: false }
  }
})
const only = options.only?.split(",")
const rounds = Number(options.rounds ?? (options.ci ? 3 : 9))

interface Row {
  readonly runtime: Runtime
  readonly results: ReadonlyArray<Result>
  readonly failure?: string
  readonly seconds: number
}

const isMissing = (one: Runtime | Missing): one is Missing => "missing" in one

const began = performance.now()
const seconds = (since: number) => Math.round((performance.now() - since) / 100) / 10
const installed = await installRuntimes()
const installedAfter = seconds(began)
const all = runtimes(installed).filter(({ name }) => only === undefined || only.includes(name))
const missing = all.filter(isMissing)
const scratch = await makeScratch()

const conditions = ["workerd", "worker", "browser"]
const programs = path.join(root, "scripts/bench/programs")
const built: Built = {
  scratch,
  suite: options.suite ?? "",
  host: await scratch.forProcesses("host.ts"),
  process: await scratch.forProcesses("process.ts"),
  worker: await scratch.bundle("worker.ts", "esm", conditions),
  edge: await scratch.bundle("edge.ts", "iife", ["edge-light", "worker", "browser"]),
  page: await scratch.bundle("page.ts", "esm", ["browser"]),
  signIn: await scratch.bundle(path.join(programs, "ours.ts"), "esm", []),
  signInWorker: await scratch.bundle("signIn.ts", "esm", conditions)
}

// --- the contract, two runtimes at a time: that is how many cores CI has
const rows: Array<Row> = []
const runOne = async (runtime: Runtime): Promise<Row> => {
  const since = performance.now()
  try {
    return { runtime, results: await runtime.run(built), seconds: seconds(since) }
  } catch (error) {
    return {
      runtime,
      results: [],
      failure: String(error).replaceAll(modules, "…").slice(-3_000),
      seconds: seconds(since)
    }
  }
}
// Browsers take longest, and come first.
const queue = all.filter((one): one is Runtime => !isMissing(one)).toReversed()
const worker = async (): Promise<void> => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const row = await runOne(next)
    rows.push(row)
    const failed = row.results.filter((one) => "failure" in one).length
    if (options.slow) {
      for (const one of row.results)
        if ("millis" in one && one.millis > 2_000) console.error(`  ${one.millis} ms: ${one.suite}: ${one.name}`)
    }
    console.error(
      `${next.name} ${next.version}: ${row.results.length} results, ${failed} failed, ${row.seconds} s${row.failure === undefined ? "" : ` FAILED`}`
    )
  }
}
await Promise.all([worker(), worker()])
const order = all.map(({ name }) => name)
rows.sort((a, b) => order.indexOf(a.runtime.name) - order.indexOf(b.runtime.name))

// --- cold starts, in turns, when nothing else runs
const starts = new Map<string, Array<number>>()
const server = await startServer()
for (let round = -1; round < rounds; round++) {
  for (const { runtime } of rows) {
    if (runtime.coldStart === undefined) continue
    const millis = await runtime.coldStart(built, server.url)
    // The first round fills the caches of the file system.
    if (round >= 0) starts.set(runtime.name, [...(starts.get(runtime.name) ?? []), millis])
  }
}
server.stop()
scratch.remove()

// --- what came of it
const suites = [...new Set(rows.flatMap(({ results }) => results.map(({ suite }) => suite)))]
const cell = ({ results }: Row, suite: string): string => {
  const own = results.filter((one) => one.suite === suite)
  if (own.length === 0) return ""
  if (own.some((one) => "lacks" in one)) return "–"
  const failed = own.filter((one) => "failure" in one).length
  return failed === 0 ? String(own.length) : `**${own.length - failed} of ${own.length}**`
}
const passed = (row: Row) => row.results.filter((one) => "name" in one && !("failure" in one)).length
const failures = rows.flatMap((row) => [
  ...(row.failure === undefined ? [] : [`${row.runtime.name}: ${row.failure}`]),
  ...row.results.flatMap((one) =>
    "failure" in one && one.failure !== undefined
      ? [`${row.runtime.name}, ${one.suite}: ${one.name}: ${one.failure}`]
      : []
  )
])
const lacking = (row: Row): string => {
  const names = new Map<string, Array<string>>()
  for (const one of row.results) {
    if ("lacks" in one) names.set(one.lacks, [...(names.get(one.lacks) ?? []), one.suite])
  }
  return [...names].map(([what, where]) => `${what} (${where.join(", ")})`).join("; ")
}
const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
const markdown = [
  "# Runtimes",
  "",
  `Made by \`npm run matrix -- --write\` on ${new Date().toISOString().slice(0, 10)}: the tarball of effect-oneentry ${readManifest().version} with effect ${readManifest().devDependencies["effect"]}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? "?"}.`,
  "The same cases run everywhere, against the emulator in another process, over HTTP. A cell has the number of cases that passed; – is a suite that the runtime lacks something for, named below.",
  "",
  line(["", ...rows.map(({ runtime }) => runtime.name)]),
  line(["---", ...rows.map(() => "---:")]),
  line(["version", ...rows.map(({ runtime }) => runtime.version)]),
  ...suites.map((suite) => line([suite, ...rows.map((row) => cell(row, suite))])),
  line(["**cases passed**", ...rows.map((row) => `**${passed(row)}**`)]),
  "",
  "Lacking:",
  "",
  ...rows.map((row) => `- ${row.runtime.name}: ${lacking(row) || "nothing"}`),
  ...missing.map(({ missing, name }) => `- ${name} was not run: ${missing}`),
  "",
  "## Cold start",
  "",
  `From the start of the process to the answer of the first call, a sign-in: the application in one file, medians of ${rounds} rounds with quartiles. That of workerd has the start of miniflare in it.`,
  "",
  "| | ms |",
  "|---|---:|",
  ...[...starts].map(([name, values]) => {
    const { high, low, median } = figureOf(values)
    return `| ${name} | ${median.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)}) |`
  }),
  ""
].join("\n")

console.log(markdown)
for (const failure of failures) console.log(`FAILED ${failure}\n`)
for (const { missing: why, name } of missing) console.log(`MISSING ${name}: ${why}`)
if (options.write) {
  const folder = path.join(root, "docs/bench")
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, "matrix.md"), markdown)
  execFileSync(path.join(root, "node_modules/.bin/oxfmt"), ["matrix.md"], { cwd: folder })
  // The pages that show it.
  execFileSync(process.execPath, [path.join(root, "scripts/tables.ts")], { stdio: "inherit" })
}
console.log(
  `matrix: ${rows.reduce((sum, row) => sum + passed(row), 0)} cases passed on ${rows.length} runtimes, ${failures.length} failed, ` +
    `${missing.length} runtimes missing (${installedAfter} s to install, ${seconds(began)} s in all)`
)
process.exit(failures.length > 0 || (options.ci && missing.length > 0) ? 1 : 0)
