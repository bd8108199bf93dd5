/**
 * Measures the emulator under load: 50 connections for a minute (`--seconds N`) against one that keeps its rows in
 * memory and for as long against one with `--data`, no hashing, and a bare `node:http` JSON echo in turns of the same
 * run. Prints the ratio of their throughputs and how memory went; ends with 1 when anything failed or a ratio is under
 * a third. An emulator gets a heap of 192 MB for all of it, of which the young generation alone takes up to 96, and would
 * run out of it if it kept what it should not; less makes V8 collect without end. `--write` writes `docs/bench/emulator.md`,
 * `--profile` CPU profiles to `.cache/profile`.
 */
import { execFileSync, spawn } from "node:child_process"
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
    write: { type: "boolean", default: false },
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

const emulator = async (args: ReadonlyArray<string>) => {
  const server = await start([
    "--max-old-space-size=192",
    ...(values.profile ? ["--cpu-prof", `--cpu-prof-dir=${path.join(root, ".cache/profile")}`] : []),
    bin,
    "emulator",
    "--port",
    "0",
    "--project",
    "project.json",
    ...args
  ])
  const people = await signIn(`http://127.0.0.1:${server.port}`, "emulator-app-token", connections)
  return { ...server, steps: people.map((person) => applicationOf(person, "emulator-app-token")) }
}

const measured = <A>(server: A) => {
  const numbers: Array<number> = []
  return { ...server, answers: 0, seconds: 0, cpu: 0, latencies: numbers, memory: [...numbers] }
}
const echo = measured({ name: "bare echo", turn: 2000, ...(await start(["echo.mjs"])), steps: [] })
const servers = [
  echo,
  measured({ name: "in memory", turn: 4000, ...(await emulator([])) }),
  measured({ name: "with --data", turn: 4000, ...(await emulator(["--data", "bench.data"])) })
]
type Server = (typeof servers)[number]

const run = ({ port, steps }: Server, milliseconds: number) =>
  load({ port, connections, milliseconds, makeNext: (index) => steps[index] ?? echoStep })

for (const server of servers) {
  await run(server, 2500)
  server.cpu = cpuOf(server.pid)
}
// Turns of a few seconds, so that what else the machine does meets all alike.
const rounds = Math.max(1, Math.round(seconds / 4))
for (let round = 0; round < rounds; round++) {
  const said: Array<string> = []
  for (const server of servers) {
    const outcome = await run(server, server.turn)
    const at = (share: number) => outcome.latencies[Math.floor(outcome.latencies.length * share)] ?? 0
    server.answers += outcome.answers
    server.seconds += outcome.answers / outcome.perSecond
    server.latencies.push(at(0.99))
    server.memory.push(Math.round(memoryOf(server.pid)))
    said.push(`${server.name} ${Math.round(outcome.perSecond)}/s, p99 ${at(0.99).toFixed(1)} ms`)
  }
  console.log(said.join("; "))
}

const rateOf = ({ answers, seconds }: Server) => answers / seconds
const median = (numbers: ReadonlyArray<number>) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0
const ratioOf = (server: Server) => rateOf(server) / rateOf(echo)
const rows = servers.map((server) => {
  const micros = ((cpuOf(server.pid) - server.cpu) * 1000) / server.answers
  return [
    server.name,
    server.answers,
    Math.round(rateOf(server)),
    ratioOf(server).toFixed(2),
    micros.toFixed(0),
    median(server.latencies).toFixed(1),
    // of each quarter of the time: flat is when the last is no more than the one before
    [0.25, 0.5, 0.75, 1].map((share) => server.memory[Math.ceil(server.memory.length * share) - 1]).join(" ")
  ]
})
for (const server of servers) await server.stop()
fs.rmSync(folder, { recursive: true, force: true })

const table = [
  ["", "answers", "a second", "× the echo", "CPU of an answer, µs", "p99, ms", "MB after each quarter"],
  ["---", ...Array.from({ length: 6 }, () => "---:")],
  ...rows
]
const markdown = table.map((row) => `| ${row.join(" | ")} |`).join("\n")
console.log(`\n${markdown}`)
if (values.write) {
  const file = path.join(root, "docs/bench/emulator.md")
  const processors = os.cpus()
  fs.writeFileSync(
    file,
    `# The emulator under load

Made by \`npm run bench:emulator -- --write\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.version}, ${processors.length} × ${processors[0]?.model.trim()},
load ${os
      .loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}.
${connections} connections, each with one request under way, for ${rounds * 4} seconds against each emulator, in turns with a bare \`node:http\` server that
parses a JSON body and writes it again. The emulator is asked for what an application asks for: the profile half of
the time, and the form, the devices, a check of a code and a refresh in turn; no call that hashes a password. Every answer is looked at, and one
that is wrong ends the run.

${markdown}
`
  )
  execFileSync(path.join(root, "node_modules/.bin/oxfmt"), [file], { cwd: root })
}
for (const server of servers) {
  if (ratioOf(server) >= 1 / 3) continue
  console.error(`${server.name}: less than a third of a bare echo`)
  process.exitCode = 1
}
