/**
 * What comes after the compiler, in everything under `dist`: marks what bundlers may drop (`lib/pure.ts`), bundles the
 * command line, so that it starts from a handful of files instead of three hundred, and joins the other modules into
 * fewer files (`lib/join.ts`).
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { build } from "esbuild"
import { join } from "./lib/join.ts"
import { filesUnder, root } from "./lib/package.ts"
import { markPure } from "./lib/pure.ts"

const dist = path.join(root, "dist")
const emitted = filesUnder(dist).filter((file) => file.endsWith(".js"))
for (const file of emitted) {
  const target = path.join(dist, file)
  fs.writeFileSync(target, markPure(file, fs.readFileSync(target, "utf8")))
}

// What `dist/bin.js` imports, and nothing else does.
const folder = path.join(dist, "emulator/internal/cli")
const license = fs.readFileSync(path.join(root, "node_modules/effect/LICENSE"), "utf8").trim()
const { outputFiles } = await build({
  entryPoints: [path.join(folder, "main.js")],
  outdir: folder,
  write: false,
  allowOverwrite: true,
  bundle: true,
  splitting: true,
  chunkNames: "bundle-[hash]",
  format: "esm",
  platform: "node",
  target: "node20",
  minifyWhitespace: true,
  minifySyntax: true,
  banner: { js: `/* Contains parts of Effect:\n\n${license}\n*/` },
  logLevel: "warning"
})
for (const file of filesUnder(folder).filter((file) => /\.js(\.map)?$/.test(file))) fs.rmSync(path.join(folder, file))
for (const { contents, path: file } of outputFiles) fs.writeFileSync(file, contents)

const joined = await join(dist)
console.log(
  `marked ${emitted.length} modules, joined them into ${joined} files and ${outputFiles.length} of the command line`
)
