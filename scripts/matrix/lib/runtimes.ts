/** The runtimes: how each is found, and how it runs the contract. */
import { execFile, execFileSync, fork, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { Miniflare } from "miniflare"
import { chromiumArguments } from "../../../test/helpers/chromium.ts"
import { requirement } from "../../../test/helpers/requirements.ts"
import type { Result } from "../../../test/contract/check.ts"
import type { Address } from "../../../test/contract/host.ts"
import { withoutPeers } from "../../lib/imports.ts"
import { readManifest, root } from "../../lib/package.ts"
import type { Scratch } from "./scratch.ts"

const execute = promisify(execFile)
const limitMillis = 240_000

export interface Runtime {
  readonly name: string
  readonly version: string
  readonly run: (built: Built) => Promise<ReadonlyArray<Result>>
  /** Milliseconds from the start to the answer of the sign-in application's first call. */
  readonly coldStart?: (built: Built, url: string) => Promise<number>
}

/** A runtime that this machine does not have, and why. */
export interface Missing {
  readonly name: string
  readonly missing: string
}

/** What is built once and run everywhere. */
export interface Built {
  readonly scratch: Scratch
  /** Only the suites whose names begin so. */
  readonly suite: string
  readonly host: string
  readonly process: string
  readonly worker: string
  readonly edge: string
  readonly page: string
  readonly signIn: string
  readonly signInWorker: string
}

// -----------------------------------------------------------------------------
// the host
// -----------------------------------------------------------------------------

interface Host {
  readonly address: Address
  readonly site: string
  /** What the page sends. */
  readonly results: Promise<ReadonlyArray<Result>>
  readonly stop: () => void
}

const startHost = async ({ host, page, suite }: Built): Promise<Host> => {
  const child = fork(host, [page, suite], { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  const [{ address, site }]: [{ readonly address: Address; readonly site: string }] = JSON.parse(
    JSON.stringify(await once(child, "message"))
  )
  const results = once(child, "message").then(([{ results }]) => results)
  return { address, site, results, stop: () => void child.kill() }
}

const withHost = async <A>(built: Built, use: (host: Host) => Promise<A>): Promise<A> => {
  const host = await startHost(built)
  const late = new AbortController()
  try {
    return await Promise.race([
      use(host),
      new Promise<never>((_, reject) => {
        const timer = setTimeout(() => reject(new Error(`no results after ${limitMillis / 1000} s`)), limitMillis)
        late.signal.addEventListener("abort", () => clearTimeout(timer))
      })
    ])
  } finally {
    late.abort()
    host.stop()
  }
}

// -----------------------------------------------------------------------------
// processes
// -----------------------------------------------------------------------------

export const modules = JSON.stringify(
  withoutPeers(root, readManifest())
    .map(({ specifier }) => specifier)
    .filter((specifier) => !specifier.endsWith("/bin"))
)

const processRuntime = (name: string, file: string, args: ReadonlyArray<string>): Runtime | Missing => {
  if (!fs.existsSync(file)) return { name, missing: `no binary for ${process.platform} on ${process.arch}` }
  const [first = ""] = execFileSync(file, ["--version"], { encoding: "utf8" }).split("\n")
  return {
    name,
    version: first.replace(/^(v|deno )/, "").split(" ")[0] ?? first,
    run: (built) =>
      withHost(built, async ({ address }) => {
        const { stdout } = await execute(file, [...args, built.process, JSON.stringify(address), modules], {
          cwd: built.scratch.folder,
          maxBuffer: 1 << 26,
          timeout: limitMillis
        })
        return JSON.parse(stdout.trim().split("\n").at(-1) ?? "")
      }),
    coldStart: async ({ scratch, signIn }, url) => {
      const began = performance.now()
      await execute(file, [...args, signIn, url], { cwd: scratch.folder })
      return performance.now() - began
    }
  }
}

// -----------------------------------------------------------------------------
// workers
// -----------------------------------------------------------------------------

const versionOf = (folder: string): string =>
  JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")).version

const miniflare = (script: string, more: Readonly<Record<string, unknown>>) =>
  new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents: fs.readFileSync(script, "utf8") }],
    compatibilityDate: "2026-07-01",
    cf: false,
    ...more
  })

const workerd: Runtime = {
  name: "workerd",
  version: versionOf(path.join(root, "node_modules/workerd")),
  run: (built) =>
    withHost(built, async ({ address }) => {
      const worker = miniflare(built.worker, {
        bindings: { ADDRESS: address },
        durableObjects: { CONTRACT: "Contract" }
      })
      try {
        const answer = await worker.dispatchFetch("http://contract.example/")
        const text = await answer.text()
        if (answer.status !== 200) throw new Error(text)
        return JSON.parse(text)
      } finally {
        await worker.dispose()
      }
    }),
  coldStart: async ({ signInWorker }, url) => {
    const began = performance.now()
    const worker = miniflare(signInWorker, { bindings: { URL: url } })
    try {
      await (await worker.dispatchFetch("http://contract.example/")).text()
      return performance.now() - began
    } finally {
      await worker.dispose()
    }
  }
}

const edge = (installed: string): Runtime => ({
  name: "Vercel edge",
  version: versionOf(path.join(installed, "edge-runtime")),
  run: (built) =>
    withHost(built, async ({ address }) => {
      const args = [path.join(import.meta.dirname, "edge.ts"), installed, built.edge, JSON.stringify(address)]
      const { stdout } = await execute(process.execPath, args, { maxBuffer: 1 << 26, timeout: limitMillis })
      return JSON.parse(stdout.trim().split("\n").at(-1) ?? "")
    })
})

// -----------------------------------------------------------------------------
// browsers
// -----------------------------------------------------------------------------

const tabsOfChromium = (profile: string) => [
  ...chromiumArguments,
  "--headless",
  // The tabs of the suite are opened by a script, and none of them is in front.
  "--disable-popup-blocking",
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  `--user-data-dir=${profile}`
]

/** Firefox takes its settings from the profile. */
const firefoxSettings = {
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.disable_open_during_load": false,
  "dom.min_background_timeout_value": 4,
  "dom.popup_maximum": 200,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "toolkit.telemetry.enabled": false
}

const browser = (name: "Chromium" | "Firefox"): Runtime | Missing => {
  const found = requirement(name === "Chromium" ? "chromium" : "firefox")
  if (!found.available) return { name, missing: found.reason }
  const file = Object.values(found.binaries)[0] ?? ""
  const version = execFileSync(file, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
  return {
    name,
    version: /\d[\d.]*/.exec(version)?.[0] ?? version,
    run: (built) =>
      withHost(built, async ({ results, site }) => {
        const profile = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-profile-"))
        const lines = Object.entries(firefoxSettings).map(([key, value]) => `user_pref("${key}", ${value});\n`)
        if (name === "Firefox") fs.writeFileSync(path.join(profile, "user.js"), lines.join(""))
        const args = name === "Chromium" ? tabsOfChromium(profile) : ["--headless", "--no-remote", "--profile", profile]
        // A group of its own: a browser is many processes.
        const child = spawn(file, [...args, site], { detached: true, stdio: "ignore" })
        const ended = once(child, "exit")
        try {
          return await Promise.race([
            results,
            ended.then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`)))
          ])
        } finally {
          if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL")
          await ended
          fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
        }
      })
  }
}

// -----------------------------------------------------------------------------
// all of them
// -----------------------------------------------------------------------------

const platformNames: Readonly<Record<string, { readonly bun: string; readonly deno: string }>> = {
  "linux x64": { bun: "bun-linux-x64", deno: "linux-x64-glibc" },
  "linux arm64": { bun: "bun-linux-aarch64", deno: "linux-arm64-glibc" },
  "darwin arm64": { bun: "bun-darwin-aarch64", deno: "darwin-arm64" }
}

export const runtimes = (installed: string): ReadonlyArray<Runtime | Missing> => {
  const names = platformNames[`${process.platform} ${process.arch}`]
  const at = (...parts: ReadonlyArray<string>) => path.join(installed, ...parts)
  return [
    processRuntime("Node 22", at("node22/bin/node"), ["--no-warnings"]),
    // That of the devDependency, which runs this.
    processRuntime("Node 24", process.execPath, []),
    processRuntime("Node 26", at("node26/bin/node"), []),
    processRuntime("Bun", at("@oven", names?.bun ?? "none", "bin/bun"), []),
    processRuntime("Deno", at("@deno", names?.deno ?? "none", "deno"), [
      "run",
      "--no-prompt",
      "--node-modules-dir=manual",
      "-A"
    ]),
    workerd,
    edge(installed),
    browser("Chromium"),
    browser("Firefox")
  ]
}
