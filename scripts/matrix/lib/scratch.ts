/** The project in which the tarball is installed, and the programs that are built for it. */
import { build } from "esbuild"
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { readManifest, root } from "../../lib/package.ts"

const run = promisify(execFile)
const npm = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]

/** Installs the runtimes of scripts/matrix/runtimes, unless they are there already; gives their node_modules. */
export const installRuntimes = async (): Promise<string> => {
  const source = path.join(root, "scripts/matrix/runtimes")
  const folder = path.join(root, ".cache/matrix")
  const stamp = path.join(folder, "installed")
  const lock = fs.readFileSync(path.join(source, "package-lock.json"), "utf8")
  if (!fs.existsSync(stamp) || fs.readFileSync(stamp, "utf8") !== lock) {
    fs.mkdirSync(folder, { recursive: true })
    for (const name of ["package.json", "package-lock.json"])
      fs.copyFileSync(path.join(source, name), path.join(folder, name))
    await run("npm", ["ci", "--ignore-scripts", ...npm], { cwd: folder })
    fs.writeFileSync(stamp, lock)
  }
  return path.join(folder, "node_modules")
}

export interface Scratch {
  readonly folder: string
  /** Imports stay imports, of what is installed in the folder. */
  readonly forProcesses: (entry: string) => Promise<string>
  /** One file with everything in it. */
  readonly bundle: (entry: string, format: "esm" | "iife", conditions: ReadonlyArray<string>) => Promise<string>
  readonly remove: () => void
}

const entries = path.resolve(import.meta.dirname, "../entries")
const isOurs = /^effect(-oneentry)?(\/|$)/

/** A folder outside of the repository with nothing in it but the tarball and `effect`. */
export const makeScratch = async (): Promise<Scratch> => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-matrix-")))
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  const tarball = path.join(root, ".cache/pack/effect-oneentry.tgz")
  if (!fs.existsSync(tarball)) throw new Error("There is no tarball: npm run tarball")
  await run("npm", ["install", ...npm, tarball, `effect@${readManifest().devDependencies["effect"]}`], { cwd: folder })

  const common = {
    write: true,
    bundle: true,
    logLevel: "error",
    target: "es2022",
    // Not that of the repository, whose paths lead to the sources.
    tsconfigRaw: {}
  } as const
  return {
    folder,
    forProcesses: async (entry) => {
      const outfile = path.join(folder, `${path.basename(entry, ".ts")}.mjs`)
      const entryPoints = [path.resolve(entries, entry)]
      await build({ ...common, entryPoints, outfile, format: "esm", platform: "node", packages: "external" })
      return outfile
    },
    bundle: async (entry, format, conditions) => {
      const outfile = path.join(folder, `${path.basename(entry, ".ts")}.${format}.js`)
      await build({
        ...common,
        entryPoints: [path.resolve(entries, entry)],
        outfile,
        format,
        minify: true,
        keepNames: true,
        platform: "neutral",
        mainFields: ["module", "main"],
        conditions: [...conditions],
        plugins: [
          {
            name: "installed",
            setup: (builder) => {
              builder.onResolve({ filter: isOurs }, ({ kind, path: specifier, pluginData }) =>
                pluginData === "installed"
                  ? undefined
                  : builder.resolve(specifier, { kind, resolveDir: folder, pluginData: "installed" })
              )
            }
          }
        ]
      })
      return outfile
    },
    remove: () => fs.rmSync(folder, { recursive: true, force: true })
  }
}
