/**
 * Measures the emulator under load: 50 connections for a minute (`--seconds N`), no hashing, and beside it a bare
 * `node:http` JSON echo in turns of the same run. Prints the ratio of their throughputs and how memory went; ends with 1
 * when anything failed or the ratio is under a third. The emulator gets a heap of 192 MB for all of it, of which
 * the young generation alone takes up to 96, and would run out of it if it kept what it should not; less makes V8
 * collect without end. `--data` keeps the rows in a file meanwhile, `--profile` writes a CPU profile
 * to `.cache/profile`.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { applicationOf, echoSource, echoStep, load, signIn } from "./lib/load.ts"
import { root } from "./lib/package.ts"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    connections: { type: "string", default: "50" },
    data: { type: "boolean", default: false },
    profile: { type: "boolean", default: false }
  }
})
const seconds = Number(values.seconds)
const connections = Number(values.connections)
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-bench-"))

const start = (args: ReadonlyArray<string>): Promise<{ pid: number; port: number; stop: () => Promise<void> }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...args], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] })
    const ended = new Promise<void>((done) => child.on("exit", () => done()))
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      const port = /Listening\s+http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1]
      if (port === undefined || !output.includes("Ctrl+C")) return
      resolve({
        pid: child.pid ?? 0,
        port: Number(port),
        stop: () => {
          child.kill("SIGTERM")
          return ended
        }
      })
    })
    child.on("exit", (code) => reject(new Error(`ended with ${code}: ${output}`)))
  })

/** Resident megabytes, where the system tells. */
const memoryOf = (pid: number): number => {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Milliseconds of CPU that a process has had, where the system tells. */
const cpuOf = (pid: number): number => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return 0
  }
}

fs.writeFileSync(path.join(folder, "echo.mjs"), echoSource)
const bin = path.join(root, "dist/bin.js")
if (!fs.existsSync(bin)) throw new Error("run npm run build first")
fs.writeFileSync(
  path.join(folder, "project.json"),
  JSON.stringify({
    ...(await import("../src/emulator/Project.ts")).defaultProject,
    users: [{ login: "ann@example.com", password: "123456" }]
  })
)

const echo = await start(["echo.mjs"])
const emulator = await start([
  "--max-old-space-size=192",
  ...(values.profile ? ["--cpu-prof", `--cpu-prof-dir=${path.join(root, ".cache/profile")}`] : []),
  bin,
  "emulator",
  "--port",
  "0",
  "--project",
  "project.json",
  ...(values.data ? ["--data", "bench.data"] : [])
])
const people = await signIn(`http://127.0.0.1:${emulator.port}`, "emulator-app-token", connections)
const steps = people.map((person) => applicationOf(person, "emulator-app-token"))
const run = async (which: "echo" | "emulator", milliseconds: number) =>
  load({
    port: which === "echo" ? echo.port : emulator.port,
    connections,
    milliseconds,
    makeNext: (index) => (which === "echo" ? echoStep : (steps[index] ?? echoStep))
  })

await run("echo", 1500)
await run("emulator", 3000)
// Turns of a few seconds, so that what else the machine does meets both alike.
const rounds = Math.max(1, Math.round(seconds / 4))
const bare = { answers: 0, seconds: 0, cpu: cpuOf(echo.pid) }
const own = { answers: 0, seconds: 0, cpu: cpuOf(emulator.pid) }
const memory: Array<number> = []
for (let round = 0; round < rounds; round++) {
  const echoed = await run("echo", 2000)
  const answered = await run("emulator", (seconds * 1000) / rounds)
  bare.answers += echoed.answers
  bare.seconds += echoed.answers / echoed.perSecond
  own.answers += answered.answers
  own.seconds += answered.answers / answered.perSecond
  memory.push(memoryOf(emulator.pid))
  const at = (share: number) => (answered.latencies[Math.floor(answered.latencies.length * share)] ?? 0).toFixed(1)
  console.log(
    `emulator ${Math.round(answered.perSecond)}/s, echo ${Math.round(echoed.perSecond)}/s, ` +
      `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${Math.round(memory.at(-1) ?? 0)} MB`
  )
}
const cpu = (which: typeof own, pid: number) => ((cpuOf(pid) - which.cpu) * 1000) / which.answers
const [ownCpu, bareCpu] = [cpu(own, emulator.pid), cpu(bare, echo.pid)]
await emulator.stop()
await echo.stop()
fs.rmSync(folder, { recursive: true, force: true })

const perSecond = [own, bare].map(({ answers, seconds }) => Math.round(answers / seconds))
const ratio = (perSecond[0] ?? 0) / (perSecond[1] ?? 1)
console.log(
  `ratio ${ratio.toFixed(2)}: ${own.answers} answers without an error, ${perSecond[0]}/s of the emulator, ${perSecond[1]}/s of a bare echo; ` +
    `CPU of an answer ${ownCpu.toFixed(0)} µs and ${bareCpu.toFixed(0)} µs (ratio ${(bareCpu / ownCpu).toFixed(2)}); ` +
    `memory ${memory.map(Math.round).join(" ")} MB`
)
if (ratio < 1 / 3) console.error("the emulator serves less than a third of a bare echo")
process.exitCode = ratio < 1 / 3 ? 1 : 0
