/** Processes of a benchmark: the server, and what has to be measured in a process of its own. */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { promisify } from "node:util"

const parts = path.resolve(import.meta.dirname, "../parts")
const node = ["--conditions=effect-oneentry-source", "--no-warnings"]

export interface Server {
  readonly url: string
  readonly ask: (path: string) => Promise<Record<string, unknown>>
  readonly stop: () => void
}

/** Starts the server; it ends with this process. */
export const startServer = async (): Promise<Server> => {
  const child: ChildProcess = spawn(process.execPath, [...node, path.join(parts, "server.ts")], {
    stdio: ["ignore", "pipe", "inherit", "ipc"]
  })
  if (child.stdout === null) throw new Error("no output")
  const [chunk] = await once(child.stdout, "data")
  const url = `http://127.0.0.1:${String(chunk).trim()}`
  return {
    url,
    ask: async (name) => (await fetch(url + name)).json(),
    stop: () => void child.kill()
  }
}

/** Runs a part and reads the JSON that it prints last. */
export const runPart = async (
  name: string,
  args: ReadonlyArray<string>,
  flags: ReadonlyArray<string> = []
): Promise<unknown> => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...node, ...flags, path.join(parts, `${name}.ts`), ...args],
    { maxBuffer: 1 << 26 }
  )
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "")
}
