/**
 * Installs the packed tarball (`npm run tarball`) with nothing but `effect` beside it in an empty project and uses it there:
 *
 * - what is shipped, and that the dependency tree is `effect` alone;
 * - every subpath that needs no optional peer is imported, internals are refused, on every Node found in `PATH`;
 * - the shipped declarations type-check with `skipLibCheck` off and without the types of Node;
 * - `pack-smoke/signUp.ts` signs a user up with the shipped emulator.
 */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { parseSync } from "oxc-parser"
import { withoutPeers } from "./lib/imports.ts"
import { filesUnder, publicModules, readManifest, root } from "./lib/package.ts"

const manifest = readManifest()
const tarball = path.join(root, ".cache/pack/effect-oneentry.tgz")
const project = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-smoke-"))
const installed = path.join(project, "node_modules", manifest.name)
const problems: Array<string> = []
const expect = (holds: boolean, problem: string) => {
  if (!holds) problems.push(problem)
}

const run = (file: string, ...args: ReadonlyArray<string>): string => {
  try {
    return execFileSync(file, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
  } catch (cause) {
    const {
      message,
      stderr = "",
      stdout = ""
    } = cause as Error & { readonly stdout?: string; readonly stderr?: string }
    throw new Error([message.split("\n")[0], stdout.slice(-3000), stderr.slice(-3000)].filter(Boolean).join("\n"), {
      cause
    })
  }
}

// Install.

fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }))
run("npm", "install", "--no-audit", "--no-fund", tarball, `effect@${manifest.devDependencies["effect"]}`)

const modulesBeside = fs.readdirSync(path.join(project, "node_modules")).filter((name) => !name.startsWith("."))
expect(
  modulesBeside.sort().join() === ["effect", manifest.name].sort().join(),
  `the dependency tree is not effect alone: ${modulesBeside.join(", ")}`
)
expect(!fs.existsSync(path.join(installed, "node_modules")), "the package brings its own node_modules")

// What is shipped.

const shipped = filesUnder(installed)
const allowed =
  /^(dist\/.+\.(js|d\.ts)(\.map)?|src\/.+\.ts|src\/emulator\/project\.schema\.json|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/
for (const file of shipped) expect(allowed.test(file), `ships ${file}`)
for (const file of filesUnder(path.join(root, "src")).filter((file) => file.endsWith(".ts"))) {
  const name = file.slice(0, -".ts".length)
  for (const wanted of [`dist/${name}.d.ts`, `src/${file}`]) {
    expect(shipped.includes(wanted), `does not ship ${wanted}`)
  }
}
/** The values that a module exports; that of a file which several modules were joined into must be the same. */
const exportsOf = (file: string): ReadonlyArray<string> => {
  const code = fs.readFileSync(file, "utf8")
  const { module, program } = parseSync(file, code)
  const types = program.body.filter((one) => one.type === "ExportNamedDeclaration" && one.exportKind === "type")
  const names = module.staticExports
    .flatMap(({ entries }) => entries)
    .filter(({ start }) => !types.some((one) => one.start <= start && start < one.end))
    .flatMap(({ exportName, isType }) => (isType || exportName.name === null ? [] : [exportName.name]))
  // An overload is exported once for each of its signatures.
  return [...new Set(names)].sort()
}
for (const { declaration, source } of publicModules()) {
  const file = declaration.replace(/\.d\.ts$/, ".js")
  expect(shipped.includes(file), `does not ship ${file}`)
  const [written, built] = [exportsOf(path.join(root, source)), exportsOf(path.join(installed, file))]
  expect(`${written}` === `${built}`, `${file} exports ${built.join(", ")} instead of ${written.join(", ")}`)
}
for (const file of shipped.filter((file) => file.endsWith(".js.map"))) {
  const map: { readonly sources: ReadonlyArray<string> } = JSON.parse(
    fs.readFileSync(path.join(installed, file), "utf8")
  )
  for (const source of map.sources) {
    expect(fs.existsSync(path.join(installed, path.dirname(file), source)), `${file} points to ${source}, not shipped`)
  }
}
const requestsOf = new Map<string, ReadonlyArray<string>>()
for (const file of shipped.filter((file) => file.endsWith(".js"))) {
  const { module } = parseSync(file, fs.readFileSync(path.join(installed, file), "utf8"))
  const requests = [
    ...module.staticImports.map((one) => one.moduleRequest.value),
    ...module.staticExports.flatMap((one) => one.entries.flatMap((entry) => entry.moduleRequest?.value ?? []))
  ]
  requestsOf.set(file, requests)
  for (const request of requests) {
    expect(request !== "effect", `${file} imports the barrel "effect"`)
    expect(
      !request.startsWith(".") || fs.existsSync(path.join(installed, path.dirname(file), request)),
      `${file} imports ${request}, not shipped`
    )
  }
}

// What runs everywhere asks for nothing but `effect`, whatever its modules were joined with.
for (const entry of ["dist/index.js", "dist/browser/index.js", "dist/promise/index.js", "dist/server/index.js"]) {
  const reached = new Set([entry])
  for (const file of reached) {
    for (const request of requestsOf.get(file) ?? []) {
      if (request.startsWith(".")) reached.add(path.posix.join(path.posix.dirname(file), request))
      else expect(request.startsWith("effect/"), `${entry} imports ${request}, by way of ${file}`)
    }
  }
}

// Import everything, on every Node there is.

const withEffectAlone = withoutPeers(root, manifest).filter(({ source }) => source !== "src/bin.ts")
const refused = [
  "internal/anything",
  "emulator/internal/anything",
  "index",
  "emulator/index",
  "src/index.ts",
  "dist/index.js"
]

fs.writeFileSync(
  path.join(project, "import.mjs"),
  `
const failed = []
for (const specifier of ${JSON.stringify(withEffectAlone.map(({ specifier }) => specifier))}) {
  await import(specifier).catch((error) => failed.push(specifier + ": " + error.message))
}
for (const subpath of ${JSON.stringify(refused)}) {
  const code = await import("${manifest.name}/" + subpath).then(() => "imported", (error) => error.code)
  // A subpath that the exports do not hide has no file behind it, and so cannot be found.
  if (code !== "ERR_PACKAGE_PATH_NOT_EXPORTED" && code !== "ERR_MODULE_NOT_FOUND") failed.push(subpath + " is not refused: " + code)
}
console.log(JSON.stringify({ version: process.version, failed }))
`
)
const nodes = [
  process.execPath,
  ...(process.env["PATH"] ?? "").split(path.delimiter).map((one) => path.join(one, "node"))
]
  .filter((file) => fs.existsSync(file))
  .map((file) => fs.realpathSync(file))
const versions: Array<string> = []
for (const node of new Set(nodes)) {
  const result: { readonly version: string; readonly failed: ReadonlyArray<string> } = JSON.parse(
    run(node, "import.mjs")
  )
  versions.push(result.version)
  for (const failure of result.failed) problems.push(`${result.version}: ${failure}`)
}

// Type-check a consumer against the shipped declarations, and run it.

fs.cpSync(path.join(root, "scripts/pack-smoke"), path.join(project, "src"), { recursive: true })
fs.writeFileSync(
  path.join(project, "src/everything.ts"),
  withEffectAlone.map(({ specifier }, index) => `export * as m${index} from "${specifier}"\n`).join("")
)
fs.writeFileSync(
  path.join(project, "tsconfig.json"),
  JSON.stringify({
    compilerOptions: {
      target: "ES2022",
      lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
      module: "NodeNext",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types: [],
      rootDir: "src",
      outDir: "out"
    },
    include: ["src"]
  })
)
try {
  run(process.execPath, path.join(root, "node_modules/typescript/bin/tsc"), "-p", ".", "--pretty", "false")
  for (const node of new Set(nodes)) run(node, "out/signUp.js")
} catch (cause) {
  problems.push(cause instanceof Error ? cause.message : String(cause))
}

fs.rmSync(project, { recursive: true, force: true })
for (const problem of problems) console.error(problem)
console.log(
  `pack smoke: ${shipped.length} files shipped, ${withEffectAlone.length} modules imported on ${versions.join(", ")}, ` +
    `${problems.length} problems`
)
process.exitCode = problems.length > 0 ? 1 : 0
