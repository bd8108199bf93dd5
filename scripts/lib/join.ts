/**
 * Joins the emitted modules into fewer files, for Node takes about a millisecond for each that it imports: those that any
 * program with a session loads become one, the others stand by who imports them. What a module exports stays under its
 * name, and bundlers drop what is not used as before: they look at statements, not at files, and `npm run size` says so.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { parseSync } from "oxc-parser"
import { rolldown } from "rolldown"
import { filesUnder } from "./package.ts"

/** Where the joined parts go; `exports` lets nobody in. */
const parts = "internal/parts"

/** What every program with a session imports. */
const core = ["AuthProvider.js", "TokenStorage.js"]

/** The command line is bundled by itself. */
const isApart = (file: string): boolean => file === "bin.js" || file.startsWith("emulator/internal/cli/")

const isInternal = (file: string): boolean => file.includes("internal/")

/** Relative modules that one imports or exports from. */
const requestsOf = (file: string, code: string): ReadonlyArray<string> => {
  const { module } = parseSync(file, code)
  return [
    ...module.staticImports.map((one) => one.moduleRequest.value),
    ...module.staticExports.flatMap((one) => one.entries.flatMap((entry) => entry.moduleRequest?.value ?? []))
  ].flatMap((request) => (request.startsWith(".") ? path.posix.join(path.posix.dirname(file), request) : []))
}

/** A list of namespaces stays as it is: joined, each would be an object, of which bundlers keep all or nothing. */
const isList = (file: string, code: string): boolean =>
  parseSync(file, code).program.body.some(
    (statement) => statement.type === "ExportAllDeclaration" && statement.exported !== null
  )

/** Joins the JavaScript under a folder, in place. */
export const join = async (dist: string): Promise<number> => {
  const codes = new Map(
    filesUnder(dist)
      .filter((file) => file.endsWith(".js") && !isApart(file))
      .map((file) => [file, fs.readFileSync(path.join(dist, file), "utf8")])
  )
  const isKept = (file: string) => !isInternal(file) && isList(file, codes.get(file) ?? "")
  const entries = [...codes.keys()].filter((file) => !isInternal(file) && !isKept(file))

  const reached = new Set<string>()
  const reach = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    requestsOf(file, codes.get(file) ?? "").forEach(reach)
  }
  core.forEach(reach)
  for (const file of [...codes.keys()].filter(isKept)) {
    const lost = requestsOf(file, codes.get(file) ?? "").filter(isInternal)
    if (lost.length > 0) throw new Error(`${file} stays as it is and imports ${lost.join(", ")}, which does not`)
  }

  const fileOf = (id: string) => path.relative(dist, id).split(path.sep).join("/")
  const bundle = await rolldown({
    cwd: dist,
    input: Object.fromEntries(entries.map((file) => [file.slice(0, -".js".length), `./${file}`])),
    external: (id) => !id.startsWith(".") && !path.isAbsolute(id),
    preserveEntrySignatures: "strict",
    platform: "neutral",
    treeshake: { moduleSideEffects: false },
    plugins: [
      {
        name: "source-maps",
        load: (id) => {
          const map = `${id}.map`
          const code = fs.readFileSync(id, "utf8").replace(/\n\/\/# sourceMappingURL=.*\n?$/, "\n")
          return { code, ...(fs.existsSync(map) ? { map: fs.readFileSync(map, "utf8") } : {}) }
        }
      }
    ]
  })
  const output = `${dist}-joined`
  fs.rmSync(output, { recursive: true, force: true })
  const { output: chunks } = await bundle.write({
    dir: output,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: `${parts}/[name].js`,
    minifyInternalExports: false,
    // Docstrings are in the declarations, and the sources are in the package.
    comments: { jsdoc: false },
    sourcemap: true,
    codeSplitting: { groups: [{ name: "core", test: (id) => reached.has(fileOf(id)) }] }
  })
  await bundle.close()

  for (const file of codes.keys()) {
    if (isKept(file)) continue
    fs.rmSync(path.join(dist, file))
    fs.rmSync(path.join(dist, `${file}.map`), { force: true })
  }
  fs.cpSync(output, dist, { recursive: true })
  fs.rmSync(output, { recursive: true })
  return chunks.filter((chunk) => chunk.type === "chunk").length
}
