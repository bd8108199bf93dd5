/**
 * Compares this package with the official SDK and three others, in what can be measured here: `npm run comparison` writes
 * docs/bench/comparison.json. It needs Chromium and takes minutes, which is how long one of them tries before it gives up;
 * `test/package/comparison.test.ts` holds the rest of it to be true.
 */
import { execFileSync } from "node:child_process"
import { build } from "esbuild"
import * as fs from "node:fs"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import { readManifest, root } from "../lib/package.ts"

interface Figures {
  readonly version: string
  /** KiB of the client, minified and compressed by gzip, where docs/bench/size.json has it not. */
  readonly kib: number | undefined
  readonly packages: number
}

const clients = [
  { name: "effect-oneentry" },
  { name: "oneentry" },
  { name: "@supabase/auth-js" },
  { name: "@auth0/auth0-spa-js", source: `export { Auth0Client } from "@auth0/auth0-spa-js"` },
  { name: "@azure/msal-browser", source: `export { PublicClientApplication } from "@azure/msal-browser"` }
] as const

const bundled = async (source: string): Promise<number> => {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error"
  })
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length
}

// What an installation brings along, from the lock file.

interface Locked {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
}
const lock: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(
  fs.readFileSync(path.join(root, "package-lock.json"), "utf8")
)

const closure = (name: string, from: string, seen: Set<string>): Set<string> => {
  const nested = `${from}/node_modules/${name}`
  const key = nested in lock.packages ? nested : `node_modules/${name}`
  const locked = lock.packages[key]
  if (locked === undefined || seen.has(key)) return seen
  seen.add(key)
  for (const dependency of Object.keys(locked.dependencies ?? {})) closure(dependency, key, seen)
  return seen
}

const figuresOf = async (client: (typeof clients)[number]): Promise<Figures> => {
  const isOurs = client.name === "effect-oneentry"
  const gzip = "source" in client ? await bundled(client.source) : undefined
  const measured = execFileSync(
    process.execPath,
    ["--conditions=effect-oneentry-source", path.join(import.meta.dirname, "measure.ts"), client.name],
    { encoding: "utf8" }
  )
  return {
    version: isOurs ? readManifest().version : (lock.packages[`node_modules/${client.name}`]?.version ?? ""),
    kib: gzip === undefined ? undefined : Math.round((gzip / 1024) * 10) / 10,
    // This package and its one peer.
    packages: isOurs ? 1 + closure("effect", "", new Set()).size : closure(client.name, "", new Set()).size,
    ...JSON.parse(measured)
  }
}

const figures: Record<string, Figures> = {}
for (const client of clients) figures[client.name] = await figuresOf(client)
fs.writeFileSync(path.join(root, "docs/bench/comparison.json"), `${JSON.stringify(figures, undefined, 2)}\n`)
console.log(`comparison: ${clients.length} SDKs measured; now npm run docs:tables`)
