/**
 * Writes the JSON Schema of project files, which is shipped with the package: `src/emulator/project.schema.json`. With
 * `--check` it only says whether the file is up to date.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { projectJsonSchema } from "../src/emulator/internal/projectSchema.ts"
import { root } from "./lib/package.ts"

const file = path.join(root, "src/emulator/project.schema.json")
const text = `${JSON.stringify(projectJsonSchema(), null, 2)}\n`
const current = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : ""

if (current === text) {
  console.log("project schema: up to date")
} else if (process.argv.includes("--check")) {
  console.error("src/emulator/project.schema.json is not what the code describes: run node scripts/project-schema.ts")
  process.exitCode = 1
} else {
  fs.writeFileSync(file, text)
  console.log("project schema: written")
}
