/**
 * Builds the package and packs it as `npm publish` would: `.cache/pack/effect-oneentry.tgz`, one name for every version.
 */
import { execSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "./lib/package.ts"

const folder = path.join(root, ".cache/pack")
fs.rmSync(folder, { recursive: true, force: true })
fs.mkdirSync(folder, { recursive: true })
// `prepack` builds.
const output = execSync(`npm pack --json --pack-destination ${JSON.stringify(folder)}`, {
  cwd: root,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"]
})
const [tarball] = fs.readdirSync(folder).filter((file) => file.endsWith(".tgz"))
if (tarball === undefined) throw new Error(`npm pack wrote no tarball:\n${output}`)
fs.renameSync(path.join(folder, tarball), path.join(folder, "effect-oneentry.tgz"))
const { size } = fs.statSync(path.join(folder, "effect-oneentry.tgz"))
console.log(`packed ${tarball}: ${Math.round(size / 1024)} KB`)
