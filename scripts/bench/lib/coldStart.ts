/** From the start of a process to its first answer, in turns. */
import { build } from "esbuild"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { stage } from "../../size/lib/stage.ts"
import { type Figure, figureOf, turns } from "./rounds.ts"

const run = promisify(execFile)

export interface ColdStart {
  readonly name: string
  readonly millis: Figure
}

export const coldStarts = async (url: string, rounds: number): Promise<ReadonlyArray<ColdStart>> => {
  const folder = await stage("bench-start", path.resolve(import.meta.dirname, "../programs"))
  for (const name of ["ours", "official", "raw"]) {
    await build({
      entryPoints: [path.join(folder, `${name}.js`)],
      outfile: path.join(folder, `bundled/${name}.mjs`),
      bundle: true,
      minify: true,
      format: "esm",
      platform: "node",
      target: "node22",
      logLevel: "error",
      // The repository's would lead to `src`, and not to the package as it is installed.
      tsconfigRaw: {},
      banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' }
    })
  }
  const programs = [
    ["raw fetch", "raw.js"],
    ["oneentry, bundled", "bundled/official.mjs"],
    ["effect-oneentry, bundled", "bundled/ours.mjs"],
    ["oneentry, unbundled", "official.js"],
    ["effect-oneentry, unbundled", "ours.js"],
    ["import of effect/http/FetchHttpClient, unbundled", "imports-fetch-http-client.js"],
    ["import of it and of the sign-in app, unbundled", "imports-ours.js"]
  ] as const
  const results = new Map<string, Array<number>>(programs.map(([name]) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const program of turns(programs, Math.max(0, round))) {
      const began = performance.now()
      await run(process.execPath, [path.join(folder, program[1]), url])
      // The first round fills the caches of the file system.
      if (round >= 0) results.get(program[0])?.push(performance.now() - began)
    }
  }
  return [...results].map(([name, values]) => ({ name, millis: figureOf(values) }))
}
