/**
 * Follows README.md and the pages of docs word for word, against the packed tarball (`npm run tarball`). For each page with
 * commands: an empty folder, in which its blocks are done in the order of the page, as a reader does them.
 *
 *     ```ts sign-up.ts    is saved under that name
 *     ```sh run           is run; a command that fails, fails the page
 *     ```text output      what the commands before it print, line by line, others in between left out
 *
 * `npm install effect-oneentry` in such a folder takes the tarball: npm is given a registry on loopback that knows this one
 * package and sends npm on for every other. File names restrict the work to those pages.
 */
import { execFileSync, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { createServer } from "node:http"
import * as os from "node:os"
import * as path from "node:path"
import { type Fence, fencesOfMarkdown, isFileName } from "./lib/fences.ts"
import { filesUnder, readManifest, root } from "./lib/package.ts"

const timeLimit = 180_000
const manifest = readManifest()
const tarball = path.join(root, ".cache/pack", `${manifest.name}.tgz`)
if (!fs.existsSync(tarball)) throw new Error("there is no tarball: npm run tarball")

// The registry.

const upstream = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim()
const packed = fs.readFileSync(tarball)
const registry = createServer((request, response) => {
  const origin = `http://${request.headers.host}`
  if (request.url === `/${manifest.name}`) {
    const { version } = manifest
    const dist = {
      tarball: `${origin}/${manifest.name}/-/${manifest.name}.tgz`,
      integrity: `sha512-${createHash("sha512").update(packed).digest("base64")}`
    }
    response.setHeader("content-type", "application/json")
    const { devDependencies: _, ...published } = manifest
    response.end(
      JSON.stringify({
        name: manifest.name,
        "dist-tags": { latest: version },
        versions: { [version]: { ...published, dist } }
      })
    )
  } else if (request.url?.startsWith(`/${manifest.name}/-/`) === true) {
    response.end(packed)
  } else {
    response.writeHead(302, { location: new URL(request.url?.slice(1) ?? "", upstream).href }).end()
  }
})
await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve))
const address = registry.address()
const port = typeof address === "object" && address !== null ? address.port : 0

// A page.

const isCommand = (fence: Fence) => fence.language === "sh" && fence.marks.includes("run")
const isOutput = (fence: Fence) => fence.language === "text" && fence.marks.includes("output")
const fileNameOf = (fence: Fence) => fence.marks.find(isFileName)

const heading = (fence: Fence) => `::: ${fence.file}:${fence.line}`

/** One script for the page: its files are saved and its commands run in turn, each after a line that names it. */
const scriptOf = (fences: ReadonlyArray<Fence>, blocks: string): string =>
  fences
    .flatMap((fence, index) => {
      if (isCommand(fence)) return [`echo "${heading(fence)}"`, fence.code]
      const name = fileNameOf(fence)
      if (name === undefined) return []
      fs.writeFileSync(path.join(blocks, String(index)), fence.code)
      return [`cp "${blocks}/${index}" "${name}"`]
    })
    .join("\n")

/** The lines that a page promises and its commands did not print. */
const missingLines = (fences: ReadonlyArray<Fence>, output: string): ReadonlyArray<string> => {
  let command: Fence | undefined
  const missing: Array<string> = []
  for (const fence of fences) {
    if (isCommand(fence)) command = fence
    if (!isOutput(fence) || command === undefined) continue
    const [printed = ""] = (output.split(`${heading(command)}\n`)[1] ?? "").split(/^::: /m)
    const lines = printed.split("\n").map((line) => line.trim())
    for (const [index, line] of fence.code.trim().split("\n").entries()) {
      const at = lines.indexOf(line.trim())
      if (at === -1) missing.push(`${fence.file}:${fence.line + index} is not printed: ${line}`)
      else lines.splice(0, at + 1)
    }
  }
  return missing
}

const follow = async (fences: ReadonlyArray<Fence>): Promise<ReadonlyArray<string>> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-guide-"))
  const blocks = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-blocks-"))
  fs.writeFileSync(path.join(blocks, "page.sh"), `set -euo pipefail\n${scriptOf(fences, blocks)}`)
  try {
    const { code, output } = await new Promise<{ code: number | string; output: string }>((resolve) => {
      // A group of its own, so that what the commands leave running ends with them.
      const child = spawn("bash", [path.join(blocks, "page.sh")], {
        cwd: folder,
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          ...process.env,
          npm_config_registry: `http://127.0.0.1:${port}/`,
          npm_config_audit: "false",
          npm_config_fund: "false",
          npm_config_update_notifier: "false",
          // npm tells scripts where their package is, and takes it for where it works itself.
          npm_config_local_prefix: undefined,
          INIT_CWD: folder,
          NO_COLOR: "1"
        }
      })
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
      child.on("exit", () => {
        clearTimeout(timer)
        endAll("SIGKILL")
      })
      child.on("close", (code, signal) => resolve({ code: code ?? signal ?? 1, output }))
    })
    return code === 0 ? missingLines(fences, output) : [`ended with ${code}\n${output.slice(-4000)}`]
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
    fs.rmSync(blocks, { recursive: true, force: true })
  }
}

// All pages, two at a time.

const wanted = process.argv.slice(2)
const pages = [...fs.readdirSync(root), ...filesUnder(path.join(root, "docs"), root)]
  .filter((file) => file.endsWith(".md") && (wanted.length === 0 || wanted.includes(file)))
  .map((page) => ({ page, fences: fencesOfMarkdown(page, fs.readFileSync(path.join(root, page), "utf8")) }))
  .filter(({ fences }) => fences.some(isCommand))
let failed = 0
const queue = [...pages]
const worker = async () => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const problems = await follow(next.fences)
    if (problems.length > 0) failed++
    for (const problem of problems) console.error(`${next.page}: ${problem}`)
  }
}
await Promise.all([worker(), worker()])
registry.close()
registry.closeAllConnections()
const commands = pages.flatMap(({ fences }) => fences.filter(isCommand)).length
console.log(`guides: ${pages.length} pages followed, ${commands} blocks of commands, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
