/**
 * Completes package-lock.json with the platform packages that npm left out: `npm run lockfile`, after every install.
 *
 * A tool with native code lists one optional package for each platform. Where the registry that npm asks has only those of
 * one platform, npm writes a lock file without the others, and then `npm ci` refuses it ("Missing: … from lock file") on
 * every machine. What belongs there is known without asking: the version that the tool wants, and the platform in the name.
 *
 * `--check` writes nothing and fails when something is missing.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { root as ownRoot } from "./lib/package.ts"

interface Entry {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly cpu?: ReadonlyArray<string>
  readonly libc?: ReadonlyArray<string>
  readonly os?: ReadonlyArray<string>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const { values } = parseArgs({
  options: { root: { type: "string", default: ownRoot }, check: { type: "boolean", default: false } }
})
const file = path.join(values.root, "package-lock.json")
const lock: { packages: Record<string, Entry> } = JSON.parse(fs.readFileSync(file, "utf8"))

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const processors = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"]

/** `@oxlint/binding-linux-arm-musleabihf` is for linux, arm, musl. */
const platformOf = (name: string) => {
  const words = name.split("/").at(-1)?.split("-") ?? []
  const os = words.filter((word) => systems.includes(word))
  const cpu = words.filter((word) => processors.includes(word))
  const libc = words.some((word) => word.startsWith("musl"))
    ? ["musl"]
    : os.includes("linux") && words.some((word) => word.startsWith("gnu"))
      ? ["glibc"]
      : []
  return os.length === 1 && cpu.length === 1 ? { os, cpu, libc } : undefined
}

/** Whether a package that `from` depends on is found, in its own node_modules or further up. */
const isLocked = (from: string, name: string): boolean => {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf("node_modules/") - 1))) {
    if (`${base === "" ? "" : `${base}/`}node_modules/${name}` in lock.packages) return true
    if (base === "") return false
  }
}

const missing: Record<string, Entry> = {}
const unknown: Array<string> = []
for (const [from, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(from, name)) continue
    const platform = platformOf(name)
    if (platform === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
      unknown.push(`${name}@${version}, wanted by ${from}`)
      continue
    }
    const { cpu, libc, os } = platform
    missing[`node_modules/${name}`] = {
      version,
      cpu,
      ...(entry.dev ? { dev: true } : {}),
      ...(libc.length > 0 ? { libc } : {}),
      optional: true,
      os
    }
  }
}

for (const one of unknown)
  console.error(`package-lock.json lacks ${one}: its version or platform is not clear from that`)
const names = Object.keys(missing)
if (values.check) {
  for (const name of names) console.error(`package-lock.json lacks ${name}: run npm run lockfile`)
} else if (names.length > 0) {
  const packages = { ...lock.packages, ...missing }
  lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en")))
  fs.writeFileSync(file, JSON.stringify(lock, null, 2) + "\n")
}
console.log(
  `lockfile: ${names.length} platform packages ${values.check ? "missing" : "added"}, ${unknown.length} unclear`
)
process.exitCode = unknown.length > 0 || (values.check && names.length > 0) ? 1 : 0
