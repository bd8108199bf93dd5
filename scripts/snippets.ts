/**
 * Type-checks and runs the code of the documentation: every `ts` fence of README.md and the
 * pages beside it, of docs and of the docstrings of src.
 *
 *     ```ts               a complete module: type-checked, then run under Node
 *     ```ts no-run        type-checked only
 *     ```ts sign-up.ts    the same as `ts`; `commands.ts` saves it under that name, for the commands of the page
 *
 * A module that imports vitest is a test, and vitest runs it. What stands behind `// =>` has to be among the lines that
 * `console.log` writes, in that order.
 *
 * Other languages are left alone. Options: `--no-run` only type-checks, `--root DIR` works on another checkout, and
 * file names restrict the work to those files.
 */
import { execFile, fork } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { type Fence, fencesOfDocstrings, fencesOfMarkdown, isFileName } from "./lib/fences.ts"
import { filesUnder, root as ownRoot, sourceCondition } from "./lib/package.ts"
import type { Message } from "./lib/snippetRunner.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    root: { type: "string", default: ownRoot },
    "no-run": { type: "boolean", default: false },
    "time-limit": { type: "string", default: "30" }
  }
})
const root = path.resolve(values.root)
const folder = path.join(root, ".cache/snippets")
const timeLimit = Number(values["time-limit"]) * 1000

const problems = new Map<Fence, Array<string>>()
const report = (fence: Fence, line: number, message: string) => {
  const list = problems.get(fence) ?? []
  list.push(`${fence.file}:${line} ${message}`)
  problems.set(fence, list)
}

// Collect.

const filesIn = (name: string, extension: string): ReadonlyArray<string> =>
  fs.existsSync(path.join(root, name))
    ? filesUnder(path.join(root, name), root).filter((file) => file.endsWith(extension))
    : []

const pages = [...fs.readdirSync(root).filter((file) => file.endsWith(".md")), ...filesIn("docs", ".md")]
const sources = filesIn("src", ".ts")
const wanted = (file: string) => positionals.length === 0 || positionals.includes(file)
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8")

const fences = [
  ...pages.filter(wanted).flatMap((file) => fencesOfMarkdown(file, read(file))),
  ...sources.filter(wanted).flatMap((file) => fencesOfDocstrings(file, read(file)))
].filter((fence) => fence.language === "ts" || fence.language === "typescript")

for (const fence of fences) {
  if (fence.language === "typescript")
    report(fence, fence.line - 1, "write ```ts, so that all code is found the same way")
  for (const mark of fence.marks.filter((mark) => mark !== "no-run" && !isFileName(mark))) {
    report(fence, fence.line - 1, `unknown mark "${mark}": there is no-run, and the name of a file`)
  }
}

// Write.

fs.rmSync(folder, { recursive: true, force: true })
fs.mkdirSync(path.join(folder, "cwd"), { recursive: true })
const isTest = (fence: Fence) => /\bfrom "(@effect\/)?vitest"/.test(fence.code)
const fenceOf = new Map<string, Fence>()
for (const fence of fences) {
  const name = fence.marks.find(isFileName) ?? `L${fence.line}${isTest(fence) ? ".test" : ""}.ts`
  const file = path.join(folder, fence.file, name)
  if (fenceOf.has(file)) {
    report(fence, fence.line - 1, `there is another ${name} on this page`)
    continue
  }
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, fence.code)
  fenceOf.set(file, fence)
}
fs.writeFileSync(
  path.join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: "../../tsconfig.json",
    // A page shows a program and need not use it.
    compilerOptions: { noUnusedLocals: false },
    include: ["**/*.ts"]
  })
)

// Type-check.

const typeCheck = (): Promise<void> =>
  new Promise((done) => {
    const tsc = path.join(root, "node_modules/typescript/bin/tsc")
    const options = { cwd: root, maxBuffer: 1 << 28 }
    execFile(process.execPath, [tsc, "-p", folder, "--noEmit", "--pretty", "false"], options, (error, output) => {
      let matched = 0
      for (const line of output.split("\n")) {
        const match = /^(.+?)\((\d+),\d+\): error (.*)$/.exec(line)
        if (match === null) continue
        const [, file = "", row = "1", message = ""] = match
        const fence = fenceOf.get(path.resolve(root, file))
        if (fence) {
          matched++
          report(fence, fence.line + Number(row) - 1, message)
        } else {
          // A source file is wrong, which `npm run check` reports: here it only explains what follows.
          console.error(`outside the snippets: ${line}`)
        }
      }
      if (error && matched === 0) {
        console.error(`tsc failed:\n${output.slice(-2000)}`)
        process.exitCode = 1
      }
      done()
    })
  })

// Run.

/** What is printed and what a page says of it differ in quotes and blanks: `// => "a"` of a string. */
const bare = (line: string) => line.replaceAll(/[\s"'`]/g, "")

const checkPrinted = (fence: Fence, printed: ReadonlyArray<string>): void => {
  const lines = printed.map(bare)
  for (const [index, line] of fence.code.split("\n").entries()) {
    const promised = /\/\/ => (.+)$/.exec(line)?.[1]
    if (promised === undefined) continue
    const at = lines.indexOf(bare(promised))
    if (at === -1) {
      return report(fence, fence.line + index, `says that it prints ${promised}; it printed: ${lines.join(" | ")}`)
    }
    lines.splice(0, at + 1)
  }
}

const runAll = async (files: ReadonlyArray<string>): Promise<void> => {
  let rest = [...files]
  while (rest.length > 0) {
    rest = await runSome(rest)
  }
}

/** Runs files in one child process until one ends it; the files that are left. */
const runSome = (files: ReadonlyArray<string>): Promise<Array<string>> =>
  new Promise((done) => {
    const child = fork(path.join(import.meta.dirname, "lib/snippetRunner.ts"), [...files], {
      cwd: path.join(folder, "cwd"),
      execArgv: [`--conditions=${sourceCondition}`, "--enable-source-maps"],
      stdio: ["ignore", "pipe", "pipe", "ipc"]
    })
    const left = new Set(files)
    let current: string | undefined
    let output = ""
    let timedOut = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000)
    }
    child.stdout?.on("data", collect)
    child.stderr?.on("data", collect)

    const end = (file: string, problem: string | undefined, printed: ReadonlyArray<string> = []) => {
      clearTimeout(timer)
      left.delete(file)
      current = undefined
      const fence = fenceOf.get(file)
      if (fence && problem === undefined) checkPrinted(fence, printed)
      if (fence && problem !== undefined) {
        const inSnippet = new RegExp(`${file.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}:(\\d+)`).exec(problem)
        const line = fence.line + (inSnippet ? Number(inSnippet[1]) - 1 : 0)
        report(fence, line, [`fails when run: ${problem}`, output.trim()].filter(Boolean).join("\n"))
      }
    }
    child.on("message", (message: Message) => {
      if (message._tag === "Ended") return end(message.file, message.problem, message.printed)
      current = message.file
      output = ""
      timer = setTimeout(() => {
        timedOut = true
        child.kill("SIGKILL")
      }, timeLimit)
    })
    child.on("close", (code, signal) => {
      // A snippet may end the process itself, as `NodeRuntime.runMain` does.
      if (current !== undefined) {
        end(
          current,
          timedOut
            ? `still running after ${timeLimit / 1000} s; mark it no-run if it has to be`
            : code === 0
              ? undefined
              : `it ended the process with ${signal ?? code}`
        )
      } else if (left.size === files.length) {
        console.error(`the runner failed: ${output}`)
        process.exitCode = 1
        left.clear()
      }
      done([...left])
    })
  })

/** Runs the files that are tests. */
const runTests = async (files: ReadonlyArray<string>): Promise<void> => {
  if (files.length === 0) return
  const config = path.join(folder, "vitest.config.ts")
  const results = path.join(folder, "vitest.json")
  const base = JSON.stringify(path.join(root, "vitest.config.ts"))
  fs.writeFileSync(
    config,
    `import base from ${base}\nexport default { ...base, test: { ...base.test, include: ["**/*.test.ts"] } }\n`
  )
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs")
  const args = [vitest, "run", "--config", config, "--root", folder, "--reporter=json", `--outputFile=${results}`]
  const output = await new Promise<string>((done) => {
    execFile(process.execPath, [...args, ...files], { cwd: folder, timeout: 10 * timeLimit }, (_, stdout, stderr) =>
      done(stdout + stderr)
    )
  })
  interface Results {
    readonly testResults: ReadonlyArray<{
      readonly name: string
      readonly status: string
      readonly message: string
      readonly assertionResults: ReadonlyArray<{
        readonly status: string
        readonly failureMessages: ReadonlyArray<string>
      }>
    }>
  }
  const { testResults }: Results = fs.existsSync(results)
    ? JSON.parse(fs.readFileSync(results, "utf8"))
    : { testResults: [] }
  for (const file of files) {
    const fence = fenceOf.get(file)
    if (fence === undefined) continue
    const result = testResults.find((one) => path.resolve(one.name) === file)
    if (result === undefined) report(fence, fence.line, `vitest did not run it: ${output.slice(-1000)}`)
    else if (result.status !== "passed") {
      const messages = result.assertionResults.flatMap((one) => one.failureMessages)
      report(fence, fence.line, `fails as a test: ${[result.message, ...messages].filter(Boolean).join("\n")}`)
    } else if (result.assertionResults.every((one) => one.status !== "passed")) {
      report(fence, fence.line, "is a test file without a test that passes")
    }
  }
}

await typeCheck()
const runnable = values["no-run"]
  ? []
  : [...fenceOf].filter(([, fence]) => !fence.marks.includes("no-run") && !problems.has(fence)).map(([file]) => file)
await runAll(runnable.filter((file) => !file.endsWith(".test.ts")))
await runTests(runnable.filter((file) => file.endsWith(".test.ts")))

for (const message of [...problems.values()].flat()) console.error(message)
if (problems.size > 0) process.exitCode = 1
console.log(
  `snippets: ${fences.length} type-checked, ${runnable.length} run, ${problems.size} failed ` +
    `(${new Set(fences.map((fence) => fence.file)).size} files)`
)
