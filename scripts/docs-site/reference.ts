/**
 * The API reference: a page for each public module, made of the docstrings of the sources and of the signatures that the
 * build emits.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { type Export, moduleComment, Modules } from "../lib/exports.ts"
import { type PublicModule, publicModules, readManifest, root } from "../lib/package.ts"
import { type Operation, operationsOf } from "./operations.ts"

export interface Entry {
  readonly name: string
  readonly category: string
  readonly since: string | undefined
  /** Empty where its members are shown one by one. */
  readonly signature: string
  /** The members of a service. */
  readonly operations: ReadonlyArray<Operation>
  /** The docstring as Markdown. */
  readonly text: string
  readonly file: string
  readonly line: number
}

export interface ReferencePage {
  readonly module: PublicModule
  readonly title: string
  readonly address: string
  readonly text: string
  /** Modules that this one exports as namespaces. */
  readonly namespaces: ReadonlyArray<{ readonly name: string; readonly source: string }>
  readonly entries: ReadonlyArray<Entry>
}

const modules = new Modules(root)

const tagOf = (docstring: string, tag: string): string | undefined =>
  new RegExp(`^@${tag} +(.+)$`, "m").exec(docstring)?.[1]?.trim()

const withoutTags = (docstring: string): string =>
  docstring
    .replaceAll(/^@example\s*$/gm, "**Example**\n")
    .replaceAll(/^@\w+.*$/gm, "")
    .replaceAll(/\{@link ([^}]+)\}/g, "`$1`")
    .replaceAll(/ ?🔐 marks those that need a session\./g, "")
    .replaceAll(/^🔐 /gm, "Needs a session. ")
    .trim()

/** What a field of an error is in TypeScript, of the type of its schema. */
const typeOfSchema = (schema: string): string => {
  const inner = (name: string) => new RegExp(`^Schema\\.${name}<(.*)>$`, "s").exec(schema)?.[1]
  const array = inner("\\$Array")
  const codec = /^Schema\.(?:Codec|decodeTo)<([^,<]+|[\w.]+<[^<>]*>),/.exec(schema)?.[1]
  const literals = /^Schema\.Literals<readonly \[(.*)\]>$/s.exec(schema)?.[1]
  const plain: Readonly<Record<string, string>> = {
    "Schema.Int": "number",
    "Schema.Finite": "number",
    "Schema.String": "string",
    "Schema.Boolean": "boolean",
    "Schema.Unknown": "unknown",
    "Schema.Defect": "unknown",
    "Schema.DateTimeUtcFromString": "DateTime.Utc",
    "Schema.DurationFromMillis": "Duration.Duration",
    "Schema.Redacted<Schema.String>": "Redacted.Redacted<string>"
  }
  if (array !== undefined) return `ReadonlyArray<${typeOfSchema(array)}>`
  if (literals !== undefined) return literals.split(", ").join(" | ")
  return plain[schema] ?? codec ?? schema
}

/** An error as a class with its fields, where it is made of a schema. */
const errorSignature = (name: string, declaration: string): string | undefined => {
  const text = modules.parse(declaration).text
  const base = new RegExp(`declare const ${name}_base: [^]*?Schema\\.TaggedStruct<"(\\w+)", \\{([^]*?)\\n\\}>`).exec(
    text
  )
  const fields =
    base?.[2] ??
    (new RegExp(`declare const ${name}_base: [^]*?Schema\\.TaggedStruct<"(\\w+)", \\{\\}>`).test(text) ? "" : undefined)
  if (fields === undefined) return undefined
  const lines = [...fields.matchAll(/readonly (\w+): (.+?);$/gm)].map(([, field = "", schema = ""]) => {
    const optional = /^Schema\.optionalKey<(.*)>$/s.exec(schema)?.[1]
    return `  readonly ${field}${optional === undefined ? "" : "?"}: ${typeOfSchema(optional ?? schema)}`
  })
  return [`declare class ${name} extends Error {`, `  readonly _tag: "${base?.[1] ?? name}"`, ...lines, "}"].join("\n")
}

/** The beginning of what goes on for pages. */
const shortened = (text: string): string => {
  const lines = text.split("\n")
  return lines.length > 60 ? [...lines.slice(0, 60), "// … and so on: see the source"].join("\n") : text
}

const withoutComments = (text: string): string => text.replaceAll(/^\s*\/\*\*[^]*?\*\/\n/gm, "")

const signatureOf = (one: Export, emitted: Export | undefined): string => {
  const parts = one.declarations.map(({ file, text }) => {
    const plain = text.replace(/^export (default )?/, "")
    if (/^(interface|type)\b/.test(plain)) return plain
    const declaration = file.replace(/^src\//, "dist/").replace(/\.ts$/, ".d.ts")
    if (/^class\b/.test(plain)) {
      return (
        errorSignature(one.name, declaration) ??
        (/Context\.Service</.test(plain) ? plain : withoutComments(emittedText(declaration, one.name) ?? plain))
      )
    }
    const emitted = withoutComments(emittedText(declaration, one.name) ?? plain)
    // A schema says more as it is written than by the type that it has.
    return /^declare const \w+: Schema\./.test(emitted) || emitted.split("\n").length > 40 ? plain : emitted
  })
  const texts = parts.length > 0 ? parts : (emitted?.declarations ?? []).map(({ text }) => text)
  return [...new Set(texts)].join("\n\n")
}

const emittedText = (declaration: string, name: string): string | undefined => {
  if (!fs.existsSync(path.join(root, declaration))) return undefined
  const found = modules
    .exportsOf(declaration)
    .get(name)
    ?.declarations.filter(({ text }) => !/^(export )?(interface|type)\b/.test(text))
  return found && found.length > 0 ? found.map(({ text }) => text.replace(/^export /, "")).join("\n") : undefined
}

/** Signatures as the repository's formatter lays them out, narrow enough for a page. */
const formatted = (signatures: ReadonlyArray<string>): ReadonlyArray<string> => {
  // Not in the repository, where the formatter passes over what git ignores.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-signatures-"))
  const fileOf = (index: number) => path.join(folder, `${index}.ts`)
  for (const [index, signature] of signatures.entries()) fs.writeFileSync(fileOf(index), signature)
  fs.writeFileSync(
    path.join(folder, "oxfmt.json"),
    JSON.stringify({ printWidth: 88, semi: false, trailingComma: "none" })
  )
  execFileSync(
    process.execPath,
    [path.join(root, "node_modules/oxfmt/bin/oxfmt"), "--config", path.join(folder, "oxfmt.json"), "."],
    { cwd: folder, stdio: "ignore" }
  )
  const texts = signatures.map((_, index) => fs.readFileSync(fileOf(index), "utf8").trim())
  fs.rmSync(folder, { recursive: true, force: true })
  return texts.map((text) =>
    shortened(text.replaceAll(/^declare /gm, "").replaceAll(/\bimport\("[^"]*?(\w+)(?:\.[jt]s)?"\)\./g, "$1."))
  )
}

const titleOf = ({ specifier }: PublicModule): string =>
  specifier === readManifest().name ? specifier : specifier.replace(/^[^/]+\//, "")

const addressOf = (module: PublicModule): string => `reference/${titleOf(module)}.html`

/** What one looks for stands first, what it is made of last. */
const rank = (category: string): number => {
  const at = ["services", "layers", "constructors", "running"].indexOf(category)
  return at !== -1 ? at : ["models", "options", "errors", "reasons", "guards"].includes(category) ? 20 : 10
}

/** The pages of the reference, the root first. */
export const referencePages = (): ReadonlyArray<ReferencePage> => {
  const pages = publicModules().map((module) => {
    const emitted = modules.exportsOf(module.declaration)
    const exports = [...modules.exportsOf(module.source).values()]
    const entries = exports.flatMap((one) => {
      const docstrings = one.declarations.flatMap(({ docstring }) => docstring ?? [])
      const [declaration] = one.declarations
      const isInternal = docstrings.length > 0 && docstrings.every((text) => /^@internal\b/m.test(text))
      if (one.namespace !== undefined || declaration === undefined || isInternal) return []
      const docstring = docstrings.join("\n\n")
      const category = tagOf(docstring, "category") ?? "exports"
      const operations = category === "services" ? one.declarations.flatMap((each) => operationsOf(modules, each)) : []
      return [
        {
          name: one.name,
          category,
          since: tagOf(docstring, "since"),
          signature: operations.length > 0 ? "" : signatureOf(one, emitted.get(one.name)),
          operations: operations.map((each) => ({ ...each, docstring: withoutTags(each.docstring) })),
          text: withoutTags(docstring),
          file: declaration.file,
          line: declaration.line
        }
      ]
    })
    return {
      module,
      title: titleOf(module),
      address: addressOf(module),
      text: withoutTags(moduleComment(modules.parse(module.source)) ?? ""),
      namespaces: exports.flatMap(({ name, namespace }) =>
        namespace === undefined ? [] : [{ name, source: namespace }]
      ),
      entries: entries.sort((a, b) => rank(a.category) - rank(b.category))
    }
  })
  const all = pages.flatMap(({ entries }) => entries)
  const signatures = formatted(all.map(({ signature }) => signature))
  // A member alone is no statement.
  const members = formatted(
    all.flatMap(({ operations }) => operations.map(({ signature }) => `type _${signature.replace(":", " =")}`))
  )
  let next = 0
  let nextMember = 0
  return pages.map((page) => ({
    ...page,
    entries: page.entries.map((entry) => ({
      ...entry,
      signature: signatures[next++] ?? entry.signature,
      operations: entry.operations.map((each) => ({
        ...each,
        signature: (members[nextMember++] ?? each.signature).replace(/^type _(\w+) =/, "$1:")
      }))
    }))
  }))
}
