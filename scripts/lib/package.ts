/**
 * What the package is made of: its manifest, its source files and which specifier, if any, reaches each of them.
 */
import * as fs from "node:fs"
import * as path from "node:path"

export const root = path.resolve(import.meta.dirname, "../..")

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>> | null>>
  readonly bin?: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly devDependencies: Readonly<Record<string, string>>
}

/** The condition under which the exports lead to `src` instead of `dist`. */
export const sourceCondition = "effect-oneentry-source"

export const readManifest = (directory: string = root): Manifest =>
  JSON.parse(fs.readFileSync(path.join(directory, "package.json"), "utf8"))

/** All files under a directory, as paths relative to `base` with forward slashes, sorted. */
export const filesUnder = (directory: string, base: string = directory): ReadonlyArray<string> =>
  fs
    .readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(base, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
    .sort()

const patternOrder = (a: string, b: string): number => {
  const [baseA, baseB] = [a.indexOf("*"), b.indexOf("*")]
  return baseA !== baseB ? baseB - baseA : b.length - a.length
}

/**
 * Resolves a subpath (`"."`, `"./Session"`) through the exports as Node does, under one condition:
 * the target relative to the package, or `undefined` when the subpath is not exported.
 */
export const resolveSubpath = (manifest: Manifest, subpath: string, condition: string): string | undefined => {
  const target = (value: Manifest["exports"][string] | undefined, star: string): string | undefined => {
    if (value === null || value === undefined) return undefined
    const chosen = typeof value === "string" ? value : (value[condition] ?? value["default"])
    return chosen?.replaceAll("*", star)
  }
  if (subpath in manifest.exports && !subpath.includes("*")) return target(manifest.exports[subpath], "")
  for (const key of Object.keys(manifest.exports)
    .filter((key) => key.includes("*"))
    .sort(patternOrder)) {
    const [before = "", after = ""] = key.split("*")
    if (subpath.startsWith(before) && subpath.endsWith(after) && subpath.length > before.length + after.length - 1) {
      const star = subpath.slice(before.length, subpath.length - after.length)
      if (star.length > 0) return target(manifest.exports[key], star)
    }
  }
  return undefined
}

export interface PublicModule {
  /** What a user writes: `effect-oneentry/Session`. */
  readonly specifier: string
  /** The subpath in the exports: `./Session`. */
  readonly subpath: string
  /** Relative to the package: `src/Session.ts`. */
  readonly source: string
  /** Relative to the package: `dist/Session.d.ts`. */
  readonly declaration: string
}

/** Every source file that some specifier reaches, in the order of the specifiers. */
export const publicModules = (directory: string = root): ReadonlyArray<PublicModule> => {
  const manifest = readManifest(directory)
  const sources = filesUnder(path.join(directory, "src"), directory).filter((file) => file.endsWith(".ts"))
  const modules: Array<PublicModule> = []
  for (const source of sources) {
    const name = source.slice("src/".length, -".ts".length)
    const candidates = [name === "index" ? "." : `./${name}`, `./${name.replace(/\/index$/, "")}`]
    const subpath = candidates.find(
      (candidate) => resolveSubpath(manifest, candidate, sourceCondition) === `./${source}`
    )
    if (subpath !== undefined) {
      modules.push({
        specifier: manifest.name + subpath.slice(1),
        subpath,
        source,
        declaration: `dist/${name}.d.ts`
      })
    }
  }
  return modules.sort((a, b) => (a.specifier < b.specifier ? -1 : 1))
}
