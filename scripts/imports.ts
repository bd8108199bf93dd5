/**
 * `npm run lint`, second half: the rules about imports that need the whole graph (see `lib/imports.ts`).
 */
import { graphOf, problemsOf } from "./lib/imports.ts"
import { readManifest, root } from "./lib/package.ts"

const problems = problemsOf(root, readManifest())
for (const { file, line, message } of problems) console.error(`${file}:${line} ${message}`)
console.log(`imports: ${graphOf(root).size} files, ${problems.length} problems`)
process.exitCode = problems.length > 0 ? 1 : 0
