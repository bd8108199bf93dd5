/**
 * Runs the examples: each has a test beside it that drives it against the emulator. A line an example, and the reasons of
 * those that failed. Words restrict the run to the examples whose path has one of them: `npm run examples -- hono`.
 */
import * as path from "node:path"
import type { TestModule } from "vitest/node"
import { startVitest } from "vitest/node"
import { root } from "./lib/package.ts"

let failures = 0

const report = (module: TestModule) => {
  const name = path.relative(path.join(root, "examples"), path.dirname(module.moduleId))
  const tests = [...module.children.allTests()]
  const errors = [
    ...module.errors(),
    ...tests.flatMap((test) => (test.result().errors ?? []).map((error) => ({ ...error, name: test.fullName })))
  ]
  const skipped = tests.filter((test) => test.result().state === "skipped").length
  const seconds = (module.diagnostic().duration / 1000).toFixed(1).padStart(5)
  const count = `${tests.length - skipped} checks${skipped > 0 ? `, ${skipped} skipped` : ""}`
  if (module.ok()) {
    console.log(`${skipped === tests.length ? "skipped" : "ok     "} ${name.padEnd(20)} ${seconds} s  ${count}`)
    return
  }
  failures++
  console.log(`FAILED  ${name.padEnd(20)} ${seconds} s  ${count}`)
  for (const error of errors) console.log(`${error.name}: ${error.stack ?? error.message}`.replace(/^/gm, "        "))
}

const vitest = await startVitest("test", process.argv.slice(2), {
  root,
  include: ["examples/**/*.test.ts"],
  watch: false,
  maxWorkers: 2,
  testTimeout: 60_000,
  reporters: [
    {
      onTestModuleEnd: report,
      onTestRunEnd: (_, errors) => errors.forEach((error) => console.log(error)),
      // What is skipped says so.
      onUserConsoleLog: ({ content }) => void process.stdout.write(content)
    }
  ]
})
const count = vitest.state.getFiles().length
await vitest.close()
if (count === 0) console.log("there is no such example")
console.log(`examples: ${count - failures} ok, ${failures} failed`)
process.exitCode = count === 0 || failures > 0 ? 1 : (process.exitCode ?? 0)
