/**
 * The import graph of the sources and the rules it keeps:
 *
 * - from Effect, deep modules only (a barrel costs every bundle 90 KB);
 * - nothing else at run time, but what a subpath declares as an optional peer;
 * - no Node built-in within reach of the root, `browser`, `promise` or `server`;
 * - imports run one way through the layers below.
 */
import { builtinModules } from "node:module"
import * as fs from "node:fs"
import * as path from "node:path"
import { type Node, parseSync } from "oxc-parser"
import { filesUnder, type Manifest, type PublicModule, publicModules } from "./package.ts"

export interface Import {
  readonly from: string
  readonly line: number
  readonly specifier: string
  /** The file it leads to, for a relative import. */
  readonly to: string | undefined
  readonly typeOnly: boolean
}

export interface Problem {
  readonly file: string
  readonly line: number
  readonly message: string
}

/**
 * A module may import from its own layer and from those above it. Modules of `src/internal` have no layer of their own:
 * they are seen through, so that what a module reaches by way of them counts as if it imported it itself.
 */
const layers: ReadonlyArray<{ readonly name: string; readonly modules: ReadonlyArray<RegExp> }> = [
  {
    name: "schemas and errors",
    modules: [/^(OneEntryError|AuthError|AuthSchema|ClientOptions|CodePolicy|FieldValue|FormSchema|Entities)$/]
  },
  { name: "injected services", modules: [/^(TokenStorage|SessionLock|DeviceMetadata|FetchClient|Metrics)$/] },
  { name: "anonymous client", modules: [/^AnonymousClient$/] },
  { name: "session", modules: [/^(Session|Sessions)$/] },
  { name: "authorized client", modules: [/^(OneEntryClient|AuthorizedClient)$/] },
  { name: "API modules", modules: [/^(AuthProvider|Forms|FormsData|FileUploading|Users|OAuth|SignUpForm)$/] },
  { name: "OneEntry", modules: [/^OneEntry$/] },
  { name: "subpaths", modules: [/^(browser|server|redis|sql|undici|promise|emulator|testing)\//] },
  { name: "entry points", modules: [/^index$/, /^bin$/] }
]

/** The entry points within whose reach no Node built-in may be. */
export const portableEntries = ["src/index.ts", "src/browser/index.ts", "src/promise/index.ts", "src/server/index.ts"]

const builtins = new Set(builtinModules)
const isBuiltin = (specifier: string) => specifier.startsWith("node:") || builtins.has(specifier)

const lineOf = (text: string, offset: number) => text.slice(0, offset).split("\n").length

const walk = (node: unknown, visit: (node: Node) => void): void => {
  if (Array.isArray(node)) {
    for (const child of node) walk(child, visit)
  } else if (typeof node === "object" && node !== null) {
    if ("type" in node && typeof node.type === "string") visit(node as Node)
    for (const child of Object.values(node)) walk(child, visit)
  }
}

/** Every import of one file: static, re-exported, dynamic with a literal, and in types. */
const importsOf = (directory: string, from: string): ReadonlyArray<Import> => {
  const text = fs.readFileSync(path.join(directory, from), "utf8")
  const { program } = parseSync(from, text)
  const found: Array<Import> = []
  const add = (specifier: string, offset: number, typeOnly: boolean) => {
    const to = specifier.startsWith(".") ? path.posix.join(path.posix.dirname(from), specifier) : undefined
    found.push({ from, line: lineOf(text, offset), specifier, to, typeOnly })
  }
  walk(program, (node) => {
    switch (node.type) {
      // `import { type A } from "x"` stays behind as `import {} from "x"`: only `import type` is gone after the build.
      case "ImportDeclaration":
        return add(node.source.value, node.start, node.importKind === "type")
      case "ExportNamedDeclaration":
      case "ExportAllDeclaration":
        return node.source ? add(node.source.value, node.start, node.exportKind === "type") : undefined
      case "ImportExpression":
        return node.source.type === "Literal" && typeof node.source.value === "string"
          ? add(node.source.value, node.start, false)
          : undefined
      case "TSImportType":
        return add(node.source.value, node.start, true)
    }
  })
  return found
}

export const graphOf = (directory: string): ReadonlyMap<string, ReadonlyArray<Import>> =>
  new Map(
    filesUnder(path.join(directory, "src"), directory)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => [file, importsOf(directory, file)])
  )

/** The files within reach of `entry` at run time, each with the way that leads there. */
const reach = (
  graph: ReadonlyMap<string, ReadonlyArray<Import>>,
  entry: string
): ReadonlyMap<string, ReadonlyArray<string>> => {
  const ways = new Map<string, ReadonlyArray<string>>([[entry, [entry]]])
  const queue = [entry]
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const { to, typeOnly } of graph.get(file) ?? []) {
      if (to !== undefined && !typeOnly && !ways.has(to)) {
        ways.set(to, [...(ways.get(file) ?? []), to])
        queue.push(to)
      }
    }
  }
  return ways
}

const optionalPeersOf = (manifest: Manifest): ReadonlyArray<string> =>
  Object.entries(manifest.peerDependenciesMeta ?? {})
    .filter(([, meta]) => meta.optional === true)
    .map(([name]) => name)

const isOf = (specifier: string, packages: ReadonlyArray<string>): boolean =>
  packages.some((name) => specifier === name || specifier.startsWith(`${name}/`))

/** The public modules that import without any optional peer beside the package. */
export const withoutPeers = (directory: string, manifest: Manifest): ReadonlyArray<PublicModule> => {
  const graph = graphOf(directory)
  const peers = optionalPeersOf(manifest)
  return publicModules(directory).filter(({ source }) =>
    [...reach(graph, source).keys()].every((file) =>
      (graph.get(file) ?? []).every(({ specifier, typeOnly }) => typeOnly || !isOf(specifier, peers))
    )
  )
}

const effectBarrels = (directory: string): ReadonlySet<string> => {
  const manifest: Manifest = JSON.parse(
    fs.readFileSync(path.join(directory, "node_modules/effect/package.json"), "utf8")
  )
  return new Set(
    Object.entries(manifest.exports)
      .filter(([key, target]) => !key.includes("*") && typeof target === "string" && target.endsWith("/index.js"))
      .map(([key]) => `effect${key.slice(1)}`)
  )
}

/** Whether Effect exports this deep module: its file exists and no `null` in the exports hides it. */
const isDeepEffectModule = (specifier: string, barrels: ReadonlySet<string>): boolean =>
  specifier.startsWith("effect/") && !barrels.has(specifier) && !specifier.split("/").includes("internal")

const nameOf = (file: string) => file.slice("src/".length, -".ts".length)
const isInternal = (file: string) => nameOf(file).split("/").includes("internal")

const layerOf = (file: string): number => {
  const name = nameOf(file)
  return layers.findIndex((layer) => layer.modules.some((pattern) => pattern.test(name)))
}

/** What `file` imports from modules that have a layer, seen through the internal modules between. */
const layeredImports = (
  graph: ReadonlyMap<string, ReadonlyArray<Import>>,
  file: string
): ReadonlyArray<{ readonly to: string; readonly line: number; readonly way: ReadonlyArray<string> }> => {
  const found: Array<{ readonly to: string; readonly line: number; readonly way: ReadonlyArray<string> }> = []
  const seen = new Set<string>()
  const follow = (imports: ReadonlyArray<Import>, line: number | undefined, way: ReadonlyArray<string>): void => {
    for (const one of imports) {
      if (one.to === undefined || seen.has(one.to)) continue
      seen.add(one.to)
      if (isInternal(one.to)) {
        follow(graph.get(one.to) ?? [], line ?? one.line, [...way, one.to])
      } else {
        found.push({ to: one.to, line: line ?? one.line, way: [...way, one.to] })
      }
    }
  }
  follow(graph.get(file) ?? [], undefined, [])
  return found
}

/** All that is wrong with the imports of the package in `directory`. */
export const problemsOf = (directory: string, manifest: Manifest): ReadonlyArray<Problem> => {
  const graph = graphOf(directory)
  const barrels = effectBarrels(directory)
  const optionalPeers = optionalPeersOf(manifest)
  const problems: Array<Problem> = []

  for (const [file, imports] of graph) {
    for (const { line, specifier, to } of imports) {
      const report = (message: string) => problems.push({ file, line, message })
      if (to !== undefined) {
        if (!to.endsWith(".ts")) report(`relative imports end in .ts: "${specifier}"`)
        else if (!graph.has(to)) report(`there is no file behind "${specifier}"`)
      } else if (isBuiltin(specifier)) {
        if (!specifier.startsWith("node:")) report(`write "node:${specifier}" for the built-in "${specifier}"`)
      } else if (barrels.has(specifier)) {
        report(`"${specifier}" is a barrel: import the deep module, as in "effect/Effect" or "effect/http/HttpClient"`)
      } else if (!isDeepEffectModule(specifier, barrels) && !isOf(specifier, optionalPeers)) {
        report(`"${specifier}" is neither a module of Effect nor a declared optional peer`)
      }
    }
  }

  for (const entry of portableEntries.filter((entry) => graph.has(entry))) {
    for (const [file, way] of reach(graph, entry)) {
      for (const { line, specifier, typeOnly } of graph.get(file) ?? []) {
        if (typeOnly) continue
        const foreign = isBuiltin(specifier) ? "the Node built-in" : "the optional peer"
        if (isBuiltin(specifier) || isOf(specifier, optionalPeers)) {
          problems.push({ file, line, message: `${foreign} "${specifier}" is within reach: ${way.join(" → ")}` })
        }
      }
    }
  }

  for (const file of graph.keys()) {
    if (isInternal(file)) continue
    const layer = layerOf(file)
    if (layer === -1) {
      problems.push({ file, line: 1, message: "has no layer yet: give it one in scripts/lib/imports.ts" })
      continue
    }
    for (const { line, to, way } of layeredImports(graph, file)) {
      const other = graph.has(to) ? layerOf(to) : -1
      if (other > layer) {
        problems.push({
          file,
          line,
          message:
            `imports run one way, and ${to} (${layers[other]?.name}) comes after ${layers[layer]?.name}` +
            (way.length > 1 ? `: ${[file, ...way].join(" → ")}` : "")
        })
      }
    }
  }
  return problems
}
