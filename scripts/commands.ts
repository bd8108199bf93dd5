/**
 * Runs the shell commands of the documentation against the packed tarball (`npm run tarball`): every fence marked
 *
 *     ```sh run
 *
 * of README.md and the pages beside it and of docs. Those of one file run one after the other in one shell, in an empty
 * folder with nothing but the package and `effect` installed. A command that fails, fails the run. File names restrict
 * the work to those files.
 */
import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fencesOfMarkdown } from "./lib/fences.ts"
import { filesUnder, readManifest, root } from "./lib/package.ts"

const timeLimit = 180_000
const manifest = readManifest()
const tarball = path.join(root, ".cache/pack", `${manifest.name}.tgz`)
if (!fs.existsSync(tarball)) throw new Error("there is no tarball: npm run tarball")

const wanted = process.argv.slice(2)
const docs = fs.existsSync(path.join(root, "docs")) ? filesUnder(path.join(root, "docs"), root) : []
const pages = [...fs.readdirSync(root), ...docs].filter(
  (file) => file.endsWith(".md") && (wanted.length === 0 || wanted.includes(file))
)

let failed = 0
let count = 0
for (const page of pages) {
  const fences = fencesOfMarkdown(page, fs.readFileSync(path.join(root, page), "utf8")).filter(
    (fence) => ["sh", "bash", "shell"].includes(fence.language) && fence.marks.includes("run")
  )
  if (fences.length === 0) continue
  count += fences.length
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-commands-"))
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  const packages = [tarball, `effect@${manifest.devDependencies["effect"]}`]
  execFileSync("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: folder, stdio: "ignore" })
  const script = fences.map((fence) => `echo "# ${page}:${fence.line}" >&2\n${fence.code}`).join("\n")
  fs.writeFileSync(path.join(folder, "commands.sh"), `set -euo pipefail\n${script}`)

  const { code, output } = await new Promise<{ code: number | string; output: string }>((resolve) => {
    // A group of its own, so that what the commands leave running ends with them.
    const child = spawn("bash", ["commands.sh"], { cwd: folder, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    const collect = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on("data", collect)
    child.stderr.on("data", collect)
    const endAll = (signal: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal)
      } catch {
        // it has ended
      }
    }
    const timer = setTimeout(() => {
      output += `\nstill running after ${timeLimit / 1000} s`
      endAll("SIGKILL")
    }, timeLimit)
    child.on("exit", (code, signal) => {
      clearTimeout(timer)
      endAll("SIGKILL")
      resolve({ code: code ?? signal ?? 1, output })
    })
  })
  if (code !== 0) {
    failed++
    console.error(`${page}: ended with ${code}\n${output.slice(-4000)}`)
  }
  fs.rmSync(folder, { recursive: true, force: true })
}
console.log(`commands: ${count} blocks run, ${failed} files failed`)
process.exitCode = failed > 0 ? 1 : 0
