/**
 * Writes the JSON Schema of project files, which is shipped with the package: `src/emulator/project.schema.json`. With
 * `--check` it only says whether the file is up to date.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { isDeepStrictEqual } from "node:util"
import { projectJsonSchema } from "../src/emulator/internal/projectSchema.ts"
import { root } from "./lib/package.ts"

const file = path.join(root, "src/emulator/project.schema.json")
const schema = projectJsonSchema()
const current: unknown = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined

if (isDeepStrictEqual(current, schema)) {
  console.log("project schema: up to date")
} else if (process.argv.includes("--check")) {
  console.error("src/emulator/project.schema.json is not what the code describes: run node scripts/project-schema.ts")
  process.exitCode = 1
} else {
  fs.writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`)
  execFileSync(path.join(root, "node_modules/.bin/oxfmt"), [file])
  console.log("project schema: written")
}
