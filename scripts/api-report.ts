/**
 * Writes `api/effect-oneentry.api.md`: the public types as the build emits them, without comments, sorted by name, so that
 * a change of them is seen in review. It also holds what the public types mention without exporting it.
 *
 * Run `npm run build` first. `--check` writes nothing and fails when the report is stale; `--root DIR` works on another
 * checkout.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { parseArgs } from "node:util"
import type { Node } from "oxc-parser"
import { declaredIn, type Module, Modules, namesDeclaredBy } from "./lib/exports.ts"
import { publicModules, root as ownRoot } from "./lib/package.ts"

const { values } = parseArgs({
  options: { root: { type: "string", default: ownRoot }, check: { type: "boolean", default: false } }
})
const root = path.resolve(values.root)
const report = path.join(root, "api/effect-oneentry.api.md")
const modules = new Modules(root)

/** The text of a statement without comments, blank lines and the `declare` that says nothing in a declaration file. */
const normalise = (module: Module, statement: Node): string => {
  let text = ""
  let offset = statement.start
  for (const comment of module.comments) {
    if (comment.start < statement.start || comment.end > statement.end) continue
    text += module.text.slice(offset, comment.start)
    offset = comment.end
  }
  text += module.text.slice(offset, statement.end)
  // TypeScript writes the members of this large union in another order each time; the schemas it is made of stand alone.
  const unordered = /^(?:export )?(?:declare )?const (\w+): HttpApi\.HttpApi</.exec(text)
  if (unordered !== null) return `const ${unordered[1]}: HttpApi.HttpApi<…>`
  return text
    .replace(/^(export )?declare /, "$1")
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .join("\n")
}

const words = (text: string): ReadonlySet<string> => new Set(text.match(/[A-Za-z_$][\w$]*/g))

const declarations = new Map<string, { readonly title: string; readonly lines: Map<string, string> }>()
for (const { declaration, specifier } of publicModules(root)) {
  declarations.set(declaration, { title: specifier, lines: new Map() })
}
const sectionOf = (file: string) => {
  const known = declarations.get(file)
  if (known) return known
  const section = { title: `not exported: ${file.replace(/^dist\//, "").replace(/\.d\.ts$/, "")}`, lines: new Map() }
  declarations.set(file, section)
  return section
}

/** Adds the declarations of a name in a module and all that they mention, as far as it is not public elsewhere. */
const include = (file: string, name: string): void => {
  const module = modules.parse(file)
  const section = sectionOf(file)
  if (section.lines.has(name)) return
  const own = module.program.body.filter((statement) => namesDeclaredBy(declaredIn(statement)).includes(name))
  if (own.length === 0) return
  const text = own.map((statement) => normalise(module, statement)).join("\n")
  section.lines.set(name, text)
  for (const [, specifier = "", member = ""] of text.matchAll(/\bimport\("(\.[^"]+)"\)\.([\w$]+)/g)) {
    const target = modules.resolve(file, specifier)
    if (target !== undefined && !isPublic(target)) include(target, member)
  }
  const mentioned = words(text)
  for (const statement of module.program.body) {
    if (statement.type === "ImportDeclaration") {
      const target = modules.resolve(file, statement.source.value)
      if (target === undefined || isPublic(target)) continue
      for (const specifier of statement.specifiers) {
        if (!mentioned.has(specifier.local.name)) continue
        if (specifier.type === "ImportSpecifier" && specifier.imported.type === "Identifier") {
          include(target, specifier.imported.name)
        } else if (specifier.type === "ImportNamespaceSpecifier") {
          const members = text.matchAll(new RegExp(`\\b${specifier.local.name}\\.([\\w$]+)`, "g"))
          for (const [, member] of members) if (member !== undefined) include(target, member)
        }
      }
    } else {
      for (const other of namesDeclaredBy(declaredIn(statement))) if (mentioned.has(other)) include(file, other)
    }
  }
}

const publicDeclarations = new Set(publicModules(root).map((module) => module.declaration))
const isPublic = (file: string) => publicDeclarations.has(file)

for (const { declaration } of publicModules(root)) {
  const module = modules.parse(declaration)
  const section = sectionOf(declaration)
  for (const one of modules.exportsOf(declaration).values()) {
    const origin = one.declarations[0]?.file
    if (one.namespace !== undefined) {
      section.lines.set(one.name, `export * as ${one.name} from "${sectionOf(one.namespace).title}"`)
    } else if (origin === declaration) {
      include(declaration, one.name)
      if (!section.lines.has(one.name)) section.lines.set(one.name, renamed(module, one.name))
    } else if (origin !== undefined) {
      section.lines.set(
        one.name,
        `export { ${one.name} } from "${sectionOf(origin).title.replace("not exported: ", "")}"`
      )
      if (!isPublic(origin)) include(origin, one.name)
    }
  }
}

/** The export statement that gives a local declaration another name. */
function renamed(module: Module, name: string): string {
  for (const statement of module.program.body) {
    if (statement.type !== "ExportNamedDeclaration") continue
    for (const specifier of statement.specifiers) {
      if (specifier.exported.type === "Identifier" && specifier.exported.name === name) {
        if (specifier.local.type === "Identifier") include(module.file, specifier.local.name)
        return `export { ${module.text.slice(specifier.start, specifier.end)} }`
      }
    }
  }
  return `export { ${name} }`
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const sections = [...declarations.values()]
  .filter((section) => section.lines.size > 0)
  .sort((a, b) => Number(a.title.startsWith("not")) - Number(b.title.startsWith("not")) || order(a.title, b.title))

const text =
  [
    "# The public types of effect-oneentry",
    "",
    "Written by `npm run api:report` from the declarations that the build emits. Do not edit.",
    ...sections.flatMap(({ lines, title }) => [
      "",
      `## ${title}`,
      "",
      "```ts",
      [...lines]
        .sort(([a], [b]) => order(a, b))
        .map(([, line]) => line)
        .join("\n\n"),
      "```"
    ])
  ].join("\n") + "\n"

if (values.check) {
  const committed = fs.existsSync(report) ? fs.readFileSync(report, "utf8") : ""
  if (committed === text) {
    console.log(`api report: up to date, ${sections.length} sections`)
  } else {
    const [old, current] = [committed.split("\n"), text.split("\n")]
    const gone = old.filter((line) => !new Set(current).has(line))
    const added = current.filter((line) => !new Set(old).has(line))
    for (const line of gone.slice(0, 20)) console.error(`- ${line}`)
    for (const line of added.slice(0, 20)) console.error(`+ ${line}`)
    console.error(
      `api report: stale (${gone.length} lines gone, ${added.length} new); run npm run build && npm run api:report and commit it`
    )
    process.exitCode = 1
  }
} else {
  fs.mkdirSync(path.dirname(report), { recursive: true })
  fs.writeFileSync(report, text)
  console.log(`api report: written, ${sections.length} sections, ${text.split("\n").length} lines`)
}
