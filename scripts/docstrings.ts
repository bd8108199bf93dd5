/**
 * Checks that every public export has a docstring with a summary, an example, `@category` and `@since`, and every
 * public module a comment at its head.
 *
 * What is `@internal` is not public: other modules of the package may use it, and the build leaves it out of the types. A
 * type and a value of one name are one export, and so are overloads: one docstring serves them. `--root DIR` works on
 * another checkout.
 */
import * as path from "node:path"
import { parseArgs } from "node:util"
import { type Export, moduleComment, Modules } from "./lib/exports.ts"
import { publicModules, root as ownRoot } from "./lib/package.ts"

const { values } = parseArgs({
  options: {
    root: { type: "string", default: ownRoot },
    /** How many may be incomplete: a number that only goes down. */
    allow: { type: "string", default: "0" }
  }
})
const root = path.resolve(values.root)
const modules = new Modules(root)

const demands: ReadonlyArray<readonly [what: string, holds: (docstring: string) => boolean]> = [
  ["summary", (docstring) => /^[^@`\s]/.test(docstring)],
  ["example", (docstring) => /^```ts\b/m.test(docstring)],
  ["@category", (docstring) => /^@category \S/m.test(docstring)],
  ["@since", (docstring) => /^@since \d+\.\d+\.\d+$/m.test(docstring)]
]

const missingFrom = (one: Export): ReadonlyArray<string> => {
  const docstrings = one.declarations.flatMap(({ docstring }) => docstring ?? [])
  if (docstrings.length === 0) return ["docstring"]
  return demands.filter(([, holds]) => !docstrings.some(holds)).map(([what]) => what)
}

const checked = new Set<string>()
const problems = new Set<string>()
const counts = new Map<string, number>()

for (const { source, specifier } of publicModules(root)) {
  const comment = moduleComment(modules.parse(source))
  if (comment === undefined || comment.startsWith("@")) problems.add(`${source}:1 no comment at the head of the module`)
  for (const one of modules.exportsOf(source).values()) {
    // A namespace of an index file is a module of its own: its comment was asked for above.
    if (one.namespace !== undefined) continue
    // Left out of the declarations by `stripInternal`.
    if (
      one.declarations.length > 0 &&
      one.declarations.every(({ docstring }) => /^@internal\b/m.test(docstring ?? ""))
    ) {
      continue
    }
    const [declaration] = one.declarations
    const place = declaration ? `${declaration.file}:${declaration.line}` : source
    const key = `${place} ${one.name}`
    if (checked.has(key)) continue
    checked.add(key)
    const missing = missingFrom(one)
    for (const what of missing) counts.set(what, (counts.get(what) ?? 0) + 1)
    if (missing.length > 0) problems.add(`${place} ${specifier} ${one.name}: no ${missing.join(", no ")}`)
  }
}

for (const problem of problems) console.error(problem)
const details = [...counts].map(([what, count]) => `${count} without ${what}`).join(", ")
console.log(`docstrings: ${checked.size} exports, ${problems.size} incomplete${details && ` (${details})`}`)
process.exitCode = problems.size > Number(values.allow) ? 1 : 0
