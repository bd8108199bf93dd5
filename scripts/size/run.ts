/**
 * How much of a bundle the package is: `npm run size`. Bundles the entries with esbuild, rolldown and rollup, says what
 * they weigh and of what, and fails past a budget. `--write` keeps the tables as docs/bench/size.md and size.json,
 * `--modules` prints the breakdown.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { root } from "../lib/package.ts"
import { added, entries } from "./budgets.ts"
import { type Bundle, bundlers } from "./lib/bundle.ts"
import { stage } from "./lib/stage.ts"

const { values: options } = parseArgs({
  options: { write: { type: "boolean", default: false }, modules: { type: "boolean", default: false } }
})

const kib = (bytes: number): string => (bytes / 1024).toFixed(1)

const sources = path.join(import.meta.dirname, "entries")
const folder = await stage("size", sources)
const apart = await stage("size-apart", sources, true)
const failures: Array<string> = []
const results = new Map<string, Record<keyof typeof bundlers, Bundle>>()
for (const { file, what } of entries) {
  const input = path.join(folder, `${file}.js`)
  const esbuild = await bundlers.esbuild(input)
  // What it is made of shows in a package whose modules were not joined, and is as large.
  const { gzip, modules } = await bundlers.esbuild(path.join(apart, `${file}.js`))
  if (Math.abs(esbuild.gzip - gzip) > 512) {
    failures.push(`${what}: ${kib(esbuild.gzip)} KiB, and ${kib(gzip)} with modules that were not joined`)
  }
  results.set(file, {
    esbuild: { ...esbuild, modules },
    rolldown: await bundlers.rolldown(input),
    rollup: await bundlers.rollup(input)
  })
}
const resultOf = (file: string) => {
  const result = results.get(file)
  if (result === undefined) throw new Error(`no entry ${file}`)
  return result
}

const missed: Array<string> = []
const judge = (what: string, bytes: number, limits: { readonly budget?: number; readonly goal?: number }) => {
  if (limits.budget !== undefined && bytes > limits.budget * 1024) {
    failures.push(`${what}: ${kib(bytes)} KiB, the budget is ${limits.budget}`)
  }
  if (limits.goal !== undefined && bytes > limits.goal * 1024) {
    missed.push(`${what}: ${kib(bytes)} KiB, the goal is ${limits.goal}`)
  }
}

const lines = [
  "KiB, minified. gzip unless it says brotli; `effect` included.",
  "",
  "| bundle | esbuild | rolldown | rollup + terser | esbuild, brotli | goal | budget |",
  "|---|---:|---:|---:|---:|---:|---:|"
]
for (const entry of entries) {
  const { esbuild, rolldown, rollup } = resultOf(entry.file)
  judge(entry.what, esbuild.gzip, entry)
  lines.push(
    `| ${entry.what} | ${kib(esbuild.gzip)} | ${kib(rolldown.gzip)} | ${entry.commonJs === true ? "–" : kib(rollup.gzip)} | ${kib(esbuild.brotli)} | ${entry.goal ?? ""} | ${entry.budget ?? ""} |`
  )
  const strangers = esbuild.modules.filter(([module]) => entry.without?.test(module) === true)
  if (strangers.length > 0) {
    failures.push(
      `${entry.what}: carries ${strangers.map(([module, bytes]) => `${module} (${bytes} bytes)`).join(", ")}`
    )
  }
}

const differences = {
  esbuild: resultOf("application-signed-in").esbuild.gzip - resultOf("application").esbuild.gzip,
  rolldown: resultOf("application-signed-in").rolldown.gzip - resultOf("application").rolldown.gzip,
  rollup: resultOf("application-signed-in").rollup.gzip - resultOf("application").rollup.gzip,
  brotli: resultOf("application-signed-in").esbuild.brotli - resultOf("application").esbuild.brotli
}
judge("what the thirteen operations and the session add", differences.esbuild, added)
lines.push(
  `| **what the thirteen operations and the session add to it** | ${kib(differences.esbuild)} | ${kib(differences.rolldown)} | ${kib(differences.rollup)} | ${kib(differences.brotli)} | ${added.goal} | ${added.budget} |`
)

const floor = resultOf("floor").esbuild.gzip
lines.push(
  "",
  `Of the sign-in app, ${kib(floor)} is what any program with a layer, a schema, an error and a retry pays, and ` +
    `${kib(resultOf("sign-in").esbuild.gzip - floor)} is this package with what else of Effect it uses: spans, the logger, ` +
    "dates, streams. Look at gzipped figures before you shorten code: what repeats itself costs next to nothing, what is " +
    "there once costs a third of its bytes."
)

const breakdown = (file: string, top: number): ReadonlyArray<string> => {
  const { esbuild } = resultOf(file)
  const own = esbuild.modules.filter(([module]) => module.startsWith("effect-oneentry/"))
  const sum = (modules: Bundle["modules"]) => modules.reduce((total, [, bytes]) => total + bytes, 0)
  const rest = sum(esbuild.modules.slice(top))
  return [
    "",
    `Of what \`${file}\` is (esbuild, KiB minified, not compressed: ${kib(esbuild.bytes)}, of which this package ${kib(sum(own))}):`,
    "",
    "| module | KiB |",
    "|---|---:|",
    ...esbuild.modules.slice(0, top).map(([module, bytes]) => `| \`${module}\` | ${kib(bytes)} |`),
    ...(rest > 0 ? [`| ${esbuild.modules.length - top} more | ${kib(rest)} |`] : [])
  ]
}

const details = ["sign-in", "root", "promise", "forms"].flatMap((file) => breakdown(file, options.modules ? 200 : 24))
console.log([...lines, ...(options.modules ? details : [])].join("\n"))

if (options.write) {
  const target = path.join(root, "docs/bench")
  fs.mkdirSync(target, { recursive: true })
  const versions = ["effect", "esbuild", "rolldown", "rollup", "oneentry", "@supabase/auth-js"].map((name) => {
    const { version } = JSON.parse(fs.readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8"))
    return `${name} ${version}`
  })
  fs.writeFileSync(
    path.join(target, "size.md"),
    ["# Size", "", `Made by \`npm run size -- --write\`. ${versions.join(", ")}.`, "", ...lines, ...details, ""].join(
      "\n"
    )
  )
  const figures = ({ brotli, bytes, gzip }: Bundle) => ({ bytes, gzip, brotli })
  const json = Object.fromEntries(
    entries.map(({ file, budget, goal }) => {
      const { esbuild, rolldown, rollup } = resultOf(file)
      return [
        file,
        {
          esbuild: figures(esbuild),
          rolldown: figures(rolldown),
          rollup: figures(rollup),
          goal,
          budget,
          modules: Object.fromEntries(esbuild.modules)
        }
      ]
    })
  )
  fs.writeFileSync(
    path.join(target, "size.json"),
    `${JSON.stringify({ versions, entries: json, added: { ...added, ...differences } }, undefined, 2)}\n`
  )
  // The pages that show these figures.
  execFileSync(process.execPath, [path.join(root, "scripts/tables.ts")], { stdio: "inherit" })
}

if (missed.length > 0) console.log(`\nnot there yet:\n${missed.map((one) => `  ${one}`).join("\n")}`)
if (failures.length > 0) {
  console.error(`\npast the budget:\n${failures.map((one) => `  ${one}`).join("\n")}`)
  process.exitCode = 1
} else {
  console.log(`\n${entries.length} bundles by 3 bundlers within their budgets`)
}
