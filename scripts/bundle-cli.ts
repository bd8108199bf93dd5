/**
 * The last step of the build: bundles the command line, so that it starts from a handful of files instead of three
 * hundred. It replaces `dist/emulator/internal/cli/main.js`, which `dist/bin.js` imports; nothing else imports it.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { build } from "esbuild"
import { root } from "./lib/package.ts"

const folder = path.join(root, "dist/emulator/internal/cli")
const license = fs.readFileSync(path.join(root, "node_modules/effect/LICENSE"), "utf8").trim()

const { metafile } = await build({
  entryPoints: [path.join(folder, "main.js")],
  outdir: folder,
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
  metafile: true,
  logLevel: "warning"
})
const sizes = Object.values(metafile.outputs).map((output) => output.bytes)
console.log(
  `bundled the command line: ${sizes.length} files, ${Math.round(sizes.reduce((a, b) => a + b, 0) / 1024)} KB`
)
