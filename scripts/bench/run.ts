/**
 * What a call, a session and a start cost beside the official SDK, `@supabase/auth-js` and raw `fetch`: `npm run bench`.
 * `--write` keeps it as docs/bench/bench.md, bench.json and the plots, `--short` measures less, for CI. Ratios are the
 * result: times are of a machine with other things to do. It fails where the storm loses a call or the session, or where
 * sessions take far too much memory; figures that miss their goal are said, not failed, for machines differ.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { root } from "../lib/package.ts"
import { runPart, startServer } from "./lib/child.ts"
import { coldStarts } from "./lib/coldStart.ts"
import { plot } from "./lib/plot.ts"
import type { Figure } from "./lib/rounds.ts"

const { values: options } = parseArgs({
  options: { short: { type: "boolean", default: false }, write: { type: "boolean", default: false } }
})
const short = options.short ? ["--short"] : []

interface Overhead {
  readonly raw: Figure
  readonly variants: ReadonlyArray<{
    readonly name: string
    readonly micros: Figure
    readonly adds: number
    readonly ratio: number
  }>
}
interface OverheadResult {
  readonly get: Overhead
  readonly post: Overhead
}
interface LoopbackResult {
  readonly loopback: ReadonlyArray<{
    readonly atOnce: number
    readonly clients: ReadonlyArray<{
      readonly name: string
      readonly perSecond: Figure
      readonly cpuMicros: Figure
      readonly ratio: number
      readonly p50: number
      readonly p99: number
    }>
  }>
  readonly storm: {
    readonly calls: number
    readonly bound: Figure
    readonly ratio: Figure
    readonly cpuRatio: Figure
    readonly runs: ReadonlyArray<{ readonly failures: number; readonly refreshes: number; readonly refused: number }>
    readonly official: {
      readonly failures: number
      readonly refreshes: number
      readonly revoked: boolean
      readonly millis: number
    }
  }
}
interface Grown {
  readonly size: number
  readonly microsEach: number
  readonly bytesEach: number
}
interface SessionsResult {
  /** All in memory, the storage elsewhere. */
  readonly sessions: ReadonlyArray<Grown>
  /** The storage in memory, with as many slots as usual. */
  readonly stored: Grown
  readonly waiters: ReadonlyArray<{ readonly size: number; readonly millis: Figure }>
  readonly official: { readonly size: number; readonly bytesEach: number }
}

const lines: Array<string> = []
const say = (...text: ReadonlyArray<string>) => {
  lines.push(...text)
  console.log(text.join("\n"))
}
const one = (value: number) => value.toFixed(1)
const two = (value: number) => value.toFixed(2)
const whole = (value: number) => Math.round(value).toLocaleString("en-US")
const spread = (figure: Figure, format = one) =>
  `${format(figure.median)} (${format(figure.low)}–${format(figure.high)})`

const versions = ["effect", "oneentry", "@supabase/auth-js", "undici"].map((name) => {
  const { version } = JSON.parse(fs.readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8"))
  return `${name} ${version}`
})
say(
  "# Speed",
  "",
  `Made by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.version}, ${os.cpus().length} × ${os.cpus()[0]?.model ?? "?"}, load ${os.loadavg().map(one).join(" ")}; ${versions.join(", ")}.`,
  "Variants take turns in one process. Compare the ratios, not the times. A figure has its spread in brackets (quartiles; for what a call adds, the tenth to the thirtieth of a hundred rounds)."
)

// --- what a call adds
const plain = (await runPart("overhead", short)) as OverheadResult
const jit = (await runPart("overhead", ["--jit", ...short])) as OverheadResult
const overheadTable = (title: string, of: (result: OverheadResult) => Overhead) => {
  const [a, b] = [of(plain), of(jit)]
  say(
    "",
    `## ${title}`,
    "",
    `Over raw \`fetch\` and \`json()\` (${spread(a.raw)} µs), \`fetch\` stubbed. × what the official SDK adds, which checks nothing.`,
    "",
    "| | adds, µs | × official | adds with the schema JIT, µs | × official |",
    "|---|---:|---:|---:|---:|",
    ...a.variants
      .filter(({ name }) => name !== "raw fetch")
      .map((variant) => {
        const withJit = b.variants.find(({ name }) => name === variant.name)
        return `| ${variant.name} | ${one(variant.adds)} | ${two(variant.ratio)} | ${withJit === undefined ? "" : one(withJit.adds)} | ${withJit === undefined ? "" : two(withJit.ratio)} |`
      })
  )
}
overheadTable("What an authenticated GET adds (a profile of 1 KB)", ({ get }) => get)
overheadTable("What a sign-in POST adds", ({ post }) => post)

// --- over loopback, and the storm
const server = await startServer()
const { loopback, storm } = (await runPart("loopback", [server.url, ...short])) as LoopbackResult
say("", "## Calls per second over loopback", "", "The server runs in a process of its own.")
for (const { atOnce, clients } of loopback) {
  say(
    "",
    `${atOnce} at once:`,
    "",
    "| | calls per second | × official | p50, ms | p99, ms | CPU, µs a call |",
    "|---|---:|---:|---:|---:|---:|",
    ...clients.map(
      (client) =>
        `| ${client.name} | ${spread(client.perSecond, whole)} | ${two(client.ratio)} | ${one(client.p50)} | ${one(client.p99)} | ${spread(client.cpuMicros, whole)} |`
    )
  )
}
const worst = (of: (run: LoopbackResult["storm"]["runs"][number]) => number) => Math.max(...storm.runs.map(of))
say(
  "",
  "## The storm",
  "",
  `${whole(storm.calls)} calls at once with a token that the server refuses, a refresh of 50 ms. The bound is raw \`fetch\`: the calls refused, one refresh, the calls again: ${spread(storm.bound, whole)} ms.`,
  "",
  "| | time, × the bound | CPU, × the bound | refreshes | refused calls | failed calls | session |",
  "|---|---:|---:|---:|---:|---:|---|",
  `| effect-oneentry, FetchClient | ${spread(storm.ratio, two)} | ${spread(storm.cpuRatio, two)} | ${worst(({ refreshes }) => refreshes)} | ${whole(worst(({ refused }) => refused))} | ${worst(({ failures }) => failures)} | kept |`,
  `| oneentry | ${two(storm.official.millis / storm.bound.median)} | | ${whole(storm.official.refreshes)} | | ${whole(storm.official.failures)} | ${storm.official.revoked ? "revoked by the server" : "kept"} |`
)

// --- sessions and waiters
const grown = (await runPart("sessions", short, ["--expose-gc"])) as SessionsResult
const largest = grown.sessions.at(-1)
if (largest === undefined) throw new Error("no sessions")
say(
  "",
  "## Memory per idle session",
  "",
  "Beyond the characters of its two tokens, everything counted: the whole envelope, what the process knows of it, the map that it is in.",
  "",
  "| | bytes |",
  "|---|---:|",
  `| effect-oneentry, ${whole(largest.size)} sessions in the process, the storage elsewhere | ${whole(largest.bytesEach)} |`,
  `| effect-oneentry, ${whole(grown.stored.size)} sessions in a storage in memory, 10,000 of them at hand | ${whole(grown.stored.bytesEach)} |`,
  `| oneentry, ${whole(grown.official.size)} instances | ${whole(grown.official.bytesEach)} |`,
  "",
  "## Growth",
  "",
  "| sessions | µs each, to read and use one | bytes each |",
  "|---:|---:|---:|",
  ...grown.sessions.map(
    ({ bytesEach, microsEach, size }) => `| ${whole(size)} | ${one(microsEach)} | ${whole(bytesEach)} |`
  ),
  "",
  "| callers that wait for one refresh of 5 ms | ms until all go on | µs each beyond the refresh |",
  "|---:|---:|---:|",
  ...grown.waiters.map(
    ({ millis, size }) =>
      `| ${whole(size)} | ${spread(millis)} | ${one((Math.max(0, millis.median - 5) * 1000) / size)} |`
  ),
  "",
  "![sessions](sessions.svg)",
  "",
  "![waiters](waiters.svg)"
)

// --- cold start
const starts = await coldStarts(server.url, options.short ? 3 : 15)
server.stop()
const millisOf = (name: string) => starts.find((start) => start.name === name)?.millis.median ?? Number.NaN
const unbundled =
  millisOf("import of it and of the sign-in app, unbundled") -
  millisOf("import of effect/http/FetchHttpClient, unbundled")
say(
  "",
  "## Cold start",
  "",
  "From the start of the process to the answer of a sign-in, on Node.",
  "",
  "| | ms | × oneentry, bundled |",
  "|---|---:|---:|",
  ...starts.map(
    ({ millis, name }) =>
      `| ${name} | ${spread(millis, whole)} | ${two(millis.median / millisOf("oneentry, bundled"))} |`
  ),
  "",
  `Unbundled, the sign-in app takes ${whole(unbundled)} ms more to import than \`effect/http/FetchHttpClient\` alone.`
)

// --- goals
const added = (of: OverheadResult, name: string) =>
  of.get.variants.find((one) => one.name === name)?.ratio ?? Number.NaN
const at50 = (name: string) =>
  loopback.find(({ atOnce }) => atOnce === 50)?.clients.find((one) => one.name === name)?.ratio ?? Number.NaN
const goals: ReadonlyArray<readonly [what: string, value: number, atMost: number]> = [
  ["a GET adds, × official: FetchClient with the schema JIT", added(jit, "effect-oneentry, FetchClient"), 1],
  ["a GET adds, × official: FetchClient", added(plain, "effect-oneentry, FetchClient"), 1.5],
  ["a GET adds, × official: FetchHttpClient", added(plain, "effect-oneentry, FetchHttpClient"), 2.5],
  ["time of 50 calls at once over fetch, × official", 1 / at50("effect-oneentry, FetchClient"), 1],
  ["time of 50 calls at once over undici, × official", 1 / at50("effect-oneentry, UndiciClient"), 0.5],
  ["the storm, × the bound", storm.ratio.median, 1.2],
  ["bytes of an idle session beyond its tokens", largest.bytesEach, 600],
  [
    "start of the bundled sign-in app, × official",
    millisOf("effect-oneentry, bundled") / millisOf("oneentry, bundled"),
    0.6
  ],
  ["import of the sign-in app beyond FetchHttpClient, ms", unbundled, 15]
]
say(
  "",
  "## Goals",
  "",
  "| | measured | at most | |",
  "|---|---:|---:|---|",
  ...goals.map(
    ([what, value, atMost]) => `| ${what} | ${two(value)} | ${atMost} | ${value <= atMost ? "✓" : "missed"} |`
  )
)

/** What no machine excuses. */
const broken: Array<string> = []
if (worst(({ refreshes }) => refreshes) !== 1) broken.push("the storm: more than one refresh")
if (worst(({ failures }) => failures) !== 0) broken.push("the storm: calls failed")
if (largest.bytesEach > 800) broken.push("memory: an idle session takes more than 800 bytes")

if (options.write) {
  const target = path.join(root, "docs/bench")
  fs.mkdirSync(target, { recursive: true })
  fs.writeFileSync(path.join(target, "bench.md"), `${lines.join("\n")}\n`)
  const load = os.loadavg()
  fs.writeFileSync(
    path.join(target, "bench.json"),
    `${JSON.stringify({ node: process.version, load, versions, plain, jit, loopback, storm, grown, starts }, undefined, 2)}\n`
  )
  fs.writeFileSync(
    path.join(target, "sessions.svg"),
    plot({
      title: "Sessions: what one costs, as they become many",
      x: "sessions",
      y: "each",
      lines: [
        { name: "bytes each", points: grown.sessions.map(({ bytesEach, size }) => [size, bytesEach]) },
        { name: "µs each", points: grown.sessions.map(({ microsEach, size }) => [size, microsEach]) }
      ]
    })
  )
  fs.writeFileSync(
    path.join(target, "waiters.svg"),
    plot({
      title: "Callers that wait for one refresh (5 ms)",
      x: "callers",
      y: "ms until all go on",
      lines: [{ name: "effect-oneentry", points: grown.waiters.map(({ millis, size }) => [size, millis.median]) }]
    })
  )
}

// --- many over one session, in a process of its own
const locks = ["--conditions=effect-oneentry-source", "--no-warnings", path.join(import.meta.dirname, "locks.ts")]
execFileSync(process.execPath, [...locks, ...short, ...(options.write ? ["--write"] : [])], { stdio: "inherit" })

if (broken.length > 0) {
  console.error(`\n${broken.join("\n")}`)
  process.exit(1)
}
process.exit(0)
