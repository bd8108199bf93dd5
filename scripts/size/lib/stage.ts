/**
 * The package as it is installed: emitted JavaScript with the marks of the build, under a `node_modules` of its own. Made
 * from the sources in a second, so that the sizes are those of the code at hand and not of the last build.
 */
import { transformSync } from "esbuild"
import * as fs from "node:fs"
import * as path from "node:path"
import { join } from "../../lib/join.ts"
import { filesUnder, readManifest, root } from "../../lib/package.ts"
import { markPure } from "../../lib/pure.ts"

/**
 * Writes the package and the entries; the folder in which bundlers find both. `apart`: every module is a file of its own,
 * so that one can see what a bundle is made of.
 */
export const stage = async (name: string, entries: string, apart = false): Promise<string> => {
  const folder = path.join(root, ".cache", name)
  fs.rmSync(folder, { recursive: true, force: true })
  const write = (file: string, text: string) => {
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, text)
  }
  const emit = (name: string, code: string) =>
    transformSync(code, {
      sourcefile: name,
      loader: "ts",
      target: "es2022",
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } }
    }).code.replace(/((?:from|import)\s*\(?\s*"\.{1,2}\/[^"\n]*)\.ts"/g, '$1.js"')

  const installed = path.join(folder, "node_modules/effect-oneentry")
  const { exports, name: packageName, version } = readManifest()
  const manifest = { name: packageName, version, type: "module", sideEffects: [], exports }
  write(path.join(installed, "package.json"), JSON.stringify(manifest))
  const sources = path.join(root, "src")
  for (const file of filesUnder(sources).filter((file) => file.endsWith(".ts"))) {
    const code = emit(file, fs.readFileSync(path.join(sources, file), "utf8"))
    write(path.join(installed, "dist", file.replace(/\.ts$/, ".js")), markPure(file, code))
  }
  if (!apart) await join(path.join(installed, "dist"))
  // Entries are programs: what they do is their purpose.
  write(path.join(folder, "package.json"), JSON.stringify({ type: "module" }))
  for (const file of filesUnder(entries).filter((file) => file.endsWith(".ts"))) {
    write(
      path.join(folder, file.replace(/\.ts$/, ".js")),
      emit(file, fs.readFileSync(path.join(entries, file), "utf8"))
    )
  }
  return folder
}
