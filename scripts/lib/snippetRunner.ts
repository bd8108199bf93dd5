/**
 * The child process of `snippets.ts`: imports one module after another, each when the work of the one before is over,
 * and tells the parent how each ended. The paths are the arguments.
 *
 * Work is over when the event loop is empty (`beforeExit`), so a snippet may leave a promise or a server running for
 * as long as it likes; the parent's time limit ends one that never finishes.
 */
import { pathToFileURL } from "node:url"
import { format, inspect } from "node:util"

export type Message =
  | { readonly _tag: "Started"; readonly file: string }
  | {
      readonly _tag: "Ended"
      readonly file: string
      readonly problem: string | undefined
      /** The lines that `console.log` wrote. */
      readonly printed: ReadonlyArray<string>
    }

const queue = process.argv.slice(2)
let current: { readonly file: string; settled: boolean; problem: string | undefined } | undefined

let printed: Array<string> = []
const { log } = console
console.log = (...values: ReadonlyArray<unknown>) => {
  printed.push(...format(...values).split("\n"))
  log(...values)
}

const tell = (message: Message) => process.send?.(message)

const fail = (cause: unknown) => {
  if (current) current.problem ??= cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause)
}
const failWith = (problem: string) => {
  if (current) current.problem ??= problem
}
process.on("unhandledRejection", fail)
process.on("uncaughtException", fail)

const next = () => {
  if (current) {
    if (!current.settled) failWith("its top-level await never settles")
    if (process.exitCode !== undefined && process.exitCode !== 0) failWith(`it set the exit code ${process.exitCode}`)
    process.exitCode = 0
    tell({ _tag: "Ended", file: current.file, problem: current.problem, printed })
    printed = []
    current = undefined
  }
  const file = queue.shift()
  if (file === undefined) return
  const started = { file, settled: false, problem: undefined }
  current = started
  tell({ _tag: "Started", file })
  // A module that leaves no work behind would end the process here: the loop has to turn once more for `beforeExit`.
  setImmediate(() => {})
  import(pathToFileURL(file).href).then(
    () => {
      started.settled = true
    },
    (cause: unknown) => {
      started.settled = true
      fail(cause)
    }
  )
}
process.on("beforeExit", next)
next()
