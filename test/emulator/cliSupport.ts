import { build } from "esbuild"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "../..")

/** The command as it runs from the sources. */
export const sources = ["--conditions=effect-oneentry-source", path.join(root, "src/bin.ts")]

/** The command in a few files, which start faster than hundreds. */
export const bundle = async (folder: string): Promise<ReadonlyArray<string>> => {
  await build({
    entryPoints: [path.join(root, "src/bin.ts")],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    logLevel: "silent"
  })
  return [path.join(folder, "bin.mjs")]
}

export const temporary = () => fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-cli-"))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves to the text once it has been printed; rejects when the process ends before. */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>
}

export const start = (command: ReadonlyArray<string>, args: ReadonlyArray<string>, cwd: string): Running => {
  const child = spawn(process.execPath, [...command, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" }
  })
  let stdout = ""
  let stderr = ""
  const watchers = new Set<() => void>()
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString()
    for (const watcher of watchers) watcher()
  })
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return {
    child,
    ended,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout)
          if (match === null) return
          watchers.delete(look)
          resolve(match)
        }
        watchers.add(look)
        look()
        void ended.then(({ code }) => reject(new Error(`ended with ${code}: ${stdout}${stderr}`)))
      })
  }
}

/** Where an emulator listens, once it does. */
export const listening = async (running: Running): Promise<string> =>
  (await running.printed(/Listening\s+(http:\/\/\S+)[\s\S]*Ctrl\+C/))[1] ?? ""
