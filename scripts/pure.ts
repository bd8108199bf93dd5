/**
 * The last step of the build: marks what bundlers may drop in everything under `dist` (see `lib/pure.ts`).
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { filesUnder, root } from "./lib/package.ts"
import { markPure } from "./lib/pure.ts"

const dist = path.join(root, "dist")
const files = filesUnder(dist).filter((file) => file.endsWith(".js"))
for (const file of files) {
  const target = path.join(dist, file)
  fs.writeFileSync(target, markPure(file, fs.readFileSync(target, "utf8")))
}
console.log(`marked what is pure in ${files.length} files`)
