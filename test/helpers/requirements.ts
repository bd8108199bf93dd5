/**
 * What some tests need from the machine: a Redis server, PostgreSQL, a browser.
 *
 * A test asks with `requirement("redis")` and skips itself when it is not there, which is then said in words. Where
 * `EFFECT_ONEENTRY_NO_SKIP=1` is set, as `.ci/run` does after it has installed them all, a missing one is a failure.
 *
 * @example
 *   const redis = requirement("redis")
 *   describe.skipIf(!redis.available)("on Redis", () => {
 *     // start redis.binaries["redis-server"]
 *   })
 */
import * as fs from "node:fs"
import * as path from "node:path"

interface Definition {
  readonly title: string
  readonly binaries: ReadonlyArray<string>
  /** Folders to look into besides `PATH`, newest version first. */
  readonly folders: () => ReadonlyArray<string>
  /** The same program under other names. */
  readonly aliases?: Readonly<Record<string, ReadonlyArray<string>>>
  readonly install: string
}

const postgresFolders = (): ReadonlyArray<string> => {
  const base = "/usr/lib/postgresql"
  if (!fs.existsSync(base)) return []
  return fs
    .readdirSync(base)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(base, version, "bin"))
}

const definitions = {
  redis: {
    title: "a Redis server",
    binaries: ["redis-server"],
    folders: () => [],
    install: "apt-get install redis-server"
  },
  postgres: {
    title: "PostgreSQL",
    binaries: ["initdb", "pg_ctl", "postgres"],
    folders: postgresFolders,
    install: "apt-get install postgresql"
  },
  chromium: {
    title: "Chromium",
    binaries: ["chromium"],
    folders: () => ["/usr/bin"],
    aliases: { chromium: ["chromium-browser", "google-chrome"] },
    install: "apt-get install chromium"
  },
  firefox: {
    title: "Firefox",
    binaries: ["firefox-esr"],
    folders: () => ["/usr/bin"],
    aliases: { "firefox-esr": ["firefox"] },
    install: "apt-get install firefox-esr"
  }
} satisfies Record<string, Definition>

export type RequirementName = keyof typeof definitions

export type Requirement =
  | { readonly available: true; readonly binaries: Readonly<Record<string, string>> }
  | { readonly available: false; readonly reason: string; readonly binaries: Readonly<Record<string, string>> }

export interface Environment {
  readonly PATH?: string | undefined
  readonly EFFECT_ONEENTRY_NO_SKIP?: string | undefined
}

const isExecutable = (file: string): boolean => {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

const find = (definition: Definition, binary: string, environment: Environment): string | undefined => {
  // A package's own folder first: Debian's wrappers in PATH choose a version by themselves.
  const folders = [...definition.folders(), ...(environment.PATH ?? "").split(path.delimiter).filter(Boolean)]
  const names = [binary, ...(definition.aliases?.[binary] ?? [])]
  return folders.flatMap((folder) => names.map((name) => path.join(folder, name))).find(isExecutable)
}

/** Looks a definition up; `requirement` is this for the names above. */
export const resolve = (name: string, definition: Definition, environment: Environment): Requirement => {
  const found = definition.binaries.map((binary) => [binary, find(definition, binary, environment)] as const)
  const missing = found.filter(([, file]) => file === undefined).map(([binary]) => binary)
  const binaries = Object.fromEntries(found.flatMap(([binary, file]) => (file === undefined ? [] : [[binary, file]])))
  if (missing.length === 0) return { available: true, binaries }
  const reason = `${definition.title} is missing (${missing.join(", ")} not found): ${definition.install}`
  if (environment.EFFECT_ONEENTRY_NO_SKIP === "1") {
    throw new Error(`EFFECT_ONEENTRY_NO_SKIP=1 wants the tests of "${name}" to run, but ${reason}`)
  }
  return { available: false, reason, binaries }
}

const asked = new Map<RequirementName, Requirement>()

/** Whether the machine has it, with the paths of its programs; says once what is skipped when it has not. */
export const requirement = (name: RequirementName): Requirement => {
  const known = asked.get(name)
  if (known) return known
  const answer = resolve(name, definitions[name], process.env)
  if (!answer.available) console.warn(`Skipped: the tests of "${name}", because ${answer.reason}`)
  asked.set(name, answer)
  return answer
}
