/**
 * `npm run docs:site`: the documentation as a static site in `.cache/site`. It is README, every page of docs, the pages of
 * the project, a reference made of the docstrings, and the sources that they link to; all links are relative, so that it
 * works in any folder of any server, and opened as a file.
 *
 * `--check` looks at what was built: dead links, and axe in Chromium on a page of every kind, on a phone and wide, light and
 * dark, with pictures of them in `.cache/site-pictures`. `--serve` serves it on loopback.
 */
import { build as bundle } from "esbuild"
import MiniSearch from "minisearch"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { filesUnder, readManifest, root } from "../lib/package.ts"
import { check } from "./check.ts"
import { code, escape, relative, render, type Rendered } from "./markdown.ts"
import { addressOf, guideSections, type Page, type Section } from "./pages.ts"
import type { Operation } from "./operations.ts"
import { type ReferencePage, referencePages } from "./reference.ts"
import { type Passage, search as searchIn, searchOptions } from "./search.ts"
import { serve } from "./serve.ts"
import { frame } from "./template.ts"

const { values } = parseArgs({
  options: { check: { type: "boolean", default: false }, serve: { type: "boolean", default: false } }
})
const started = process.hrtime.bigint()
const out = path.join(root, ".cache/site")
const { version } = readManifest()
const problems: Array<string> = []

// The reference shows what the build emits.
const newest = Math.max(
  ...filesUnder(path.join(root, "src")).map((file) => fs.statSync(path.join(root, "src", file)).mtimeMs)
)
const emitted = path.join(root, "dist/index.d.ts")
if (!fs.existsSync(emitted) || fs.statSync(emitted).mtimeMs < newest) {
  execFileSync("npm", ["run", "build"], { cwd: root, stdio: "ignore" })
}

fs.rmSync(out, { recursive: true, force: true })
const write = (address: string, text: string | Uint8Array) => {
  fs.mkdirSync(path.dirname(path.join(out, address)), { recursive: true })
  fs.writeFileSync(path.join(out, address), text)
}

// What there is.

const guides = guideSections()
const references = referencePages()
const pageOfModule = ({ address, module, title }: ReferencePage): Page => ({
  source: module.specifier,
  address,
  title,
  kind: "reference"
})
const referenceSection = (title: string, belongs: (title: string) => boolean): Section => ({
  title,
  pages: references.filter((one) => belongs(one.title)).map(pageOfModule)
})
const folders = ["browser", "server", "redis", "sql", "undici", "promise", "emulator", "testing"]
const folderOf = (title: string) => folders.find((folder) => title === folder || title.startsWith(`${folder}/`))
const sections: ReadonlyArray<Section> = [
  ...guides,
  referenceSection("Reference", (title) => folderOf(title) === undefined),
  ...folders.map((folder) => referenceSection(`Reference: ${folder}`, (title) => folderOf(title) === folder))
]
const order = guides.flatMap(({ pages }) => pages)

// Links.

const sources = new Set<string>()
const resolverOf = (page: Page) => {
  const folder = page.kind === "reference" ? "" : path.posix.dirname(page.source)
  return (target: string): string => {
    if (/^([a-z]+:|#|\/\/)/i.test(target)) return target
    const [file = "", fragment] = path.posix.normalize(path.posix.join(folder, target)).split("#")
    const anchor = fragment === undefined ? "" : `#${fragment}`
    const full = path.join(root, file)
    if (!fs.existsSync(full)) {
      problems.push(`${page.source}: ${target} leads nowhere`)
      return target
    }
    if (/\.(png|svg|jpg|gif)$/.test(file)) {
      const address = file.replace(/^docs\//, "")
      write(address, fs.readFileSync(full))
      return relative(page.address, address)
    }
    if (file.endsWith(".md")) return relative(page.address, addressOf(file)) + anchor
    sources.add(file.replace(/\/$/, ""))
    return relative(page.address, `source/${file.replace(/\/$/, "")}.html`) + anchor
  }
}

// Pages.

const passages: Array<Passage> = []
const index = (page: Page, rendered: Rendered) => {
  for (const { id, text, title } of rendered.passages) {
    const isTop = id === rendered.headings[0]?.id
    passages.push({
      id: page.address + (isTop ? "" : `#${id}`),
      title: isTop ? page.title : title,
      page: isTop ? "" : page.title,
      text,
      start: text.trim().slice(0, 110)
    })
  }
}

const descriptionOf = ({ passages }: Rendered): string => (passages[0]?.text ?? "").trim().slice(0, 180)

const neighbours = (page: Page) => {
  const at = order.findIndex(({ address }) => address === page.address)
  return at === -1 ? {} : { before: order[at - 1], after: order[at + 1] }
}

const publish = (page: Page, rendered: Rendered, body = rendered.html) =>
  write(
    page.address,
    frame({
      page,
      sections,
      body,
      headings: rendered.headings,
      description: descriptionOf(rendered),
      version,
      ...neighbours(page)
    })
  )

for (const page of order) {
  const rendered = render(fs.readFileSync(path.join(root, page.source), "utf8"), resolverOf(page))
  index(page, rendered)
  publish(page, rendered)
}

/** An error has a page of its own. */
const pageOfError = (one: ReferencePage, name: string, text: string): ReadonlyArray<string> => {
  const page = order.find(({ source }) => source === `docs/errors/${name}.md`)
  return page === undefined ? [] : [`[${text}](${relative(one.address, page.address)})`]
}

const markdownOfOperation = (one: ReferencePage, { docstring, errors, name, signature }: Operation): string => {
  if (/\bFailure\b/.test(signature)) problems.push(`${one.title}: the failures of ${name} have no names`)
  return [
    `#### ${name}`,
    docstring,
    "```ts\n" + signature + "\n```",
    ...(errors.length === 0
      ? []
      : [`Fails with ${errors.flatMap((error) => pageOfError(one, error, `\`${error}\``)).join(", ")}.`])
  ].join("\n\n")
}

const markdownOf = (one: ReferencePage): string => {
  const categories = [...new Set(one.entries.map(({ category }) => category))]
  const name = one.title.split("/").at(-1) ?? one.title
  const imports =
    one.namespaces.length > 0 || /^[a-z]/.test(name)
      ? `import { … } from "${one.module.specifier}"`
      : `import { ${name} } from "${one.module.specifier.replace(/\/[^/]+$/, "")}"\n// or, this module alone:\nimport * as ${name} from "${one.module.specifier}"`
  const namespaces = one.namespaces.flatMap(({ name, source }) => {
    const target = references.find(({ module }) => module.source === source)
    if (target === undefined) return []
    const [sentence = ""] = target.text.split(/(?<=\.)\s/)
    return [`| [\`${name}\`](${relative(one.address, target.address)}) | ${sentence.replaceAll("\n", " ")} |`]
  })
  return [
    `# ${one.title}`,
    one.text,
    "```ts\n" + imports + "\n```",
    ...(namespaces.length === 0 ? [] : [`| module | |\n| --- | --- |\n${namespaces.join("\n")}`]),
    ...categories.flatMap((category) => [
      `## ${category}`,
      ...one.entries
        .filter((entry) => entry.category === category)
        .map((entry) =>
          [
            `### ${entry.name}`,
            ...(entry.signature === "" ? [] : ["```ts\n" + entry.signature + "\n```"]),
            entry.text,
            ...pageOfError(one, entry.name, "When, why, what to do"),
            ...entry.operations.map((operation) => markdownOfOperation(one, operation))
          ].join("\n\n")
        )
    ])
  ].join("\n\n")
}

for (const one of references) {
  const page = pageOfModule(one)
  // Links of docstrings would be relative to their source; there are none but addresses.
  const rendered = render(markdownOf(one), (target) => target)
  index(page, rendered)
  publish(page, rendered)
}

/** A file as it is, or the files of a folder, which become pages too. */
const sourceBody = (file: string, address: string): string => {
  const full = path.join(root, file)
  if (fs.statSync(full).isFile()) {
    const language = path.extname(file).slice(1).replace(/^yml$/, "yaml")
    return code(fs.readFileSync(full, "utf8"), language)
  }
  const links = filesUnder(full, root).map((inside) => {
    sources.add(inside)
    return `<li><a href="${relative(address, `source/${inside}.html`)}">${escape(inside)}</a></li>`
  })
  return `<ul>${links.join("")}</ul>`
}

for (const file of sources) {
  const address = `source/${file}.html`
  const html = `<div class="source"><h1>${escape(file)}</h1>\n${sourceBody(file, address)}</div>`
  publish({ source: file, address, title: file, kind: "source" }, { html, headings: [], passages: [] })
}

// What the pages need.

const search = new MiniSearch<Passage>(searchOptions)
search.addAll([...new Map(passages.map((one) => [one.id, one])).values()])
// What people ask for in their own words leads to the page that answers it, among the first five.
const questions: ReadonlyArray<readonly [query: string, address: string]> = [
  ["countdown", "sign-up.html#a-new-code"],
  ["reset password", "sign-up.html#a-forgotten-password"],
  ["log out everywhere", "sessions.html#signing-out"],
  ["logoutAll", "reference/AuthProvider.html#logoutall"],
  ["getUser", "reference/Users.html#getuser"],
  ["react", "sessions.html#in-react"],
  ["next.js", "servers.html#in-your-framework"],
  ["nextjs", "servers.html#in-your-framework"],
  ["sveltekit", "servers.html#in-your-framework"],
  ["google login", "oauth.html"],
  ["TokenExpired", "errors/TokenExpired.html"],
  ["redis", "many-processes.html#redis"]
]
for (const [query, address] of questions) {
  const found = searchIn(search, query).slice(0, 5)
  if (!found.some(({ id }) => id === address)) {
    problems.push(
      `the search for "${query}" does not lead to ${address}: ${found.map(({ id }) => String(id)).join(", ")}`
    )
  }
}
write("search-index.js", `globalThis.searchIndex=${JSON.stringify(JSON.stringify(search))}`)
write("site.css", fs.readFileSync(path.join(import.meta.dirname, "site.css")))
await bundle({
  entryPoints: [path.join(import.meta.dirname, "client.ts")],
  outfile: path.join(out, "site.js"),
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  logLevel: "error"
})

const files = filesUnder(out)
const size = files.reduce((sum, file) => sum + fs.statSync(path.join(out, file)).size, 0)
const seconds = Number(process.hrtime.bigint() - started) / 1e9

if (values.check) problems.push(...(await check(out, path.join(root, ".cache/site-pictures"))))
for (const problem of problems) console.error(problem)
console.log(
  `site: ${files.filter((file) => file.endsWith(".html")).length} pages, ${Math.round(size / 1024 / 102.4) / 10} MB, ` +
    `built in ${seconds.toFixed(1)} s, ${problems.length} problems: .cache/site/index.html`
)
process.exitCode = problems.length > 0 ? 1 : 0
if (values.serve) {
  const { origin } = await serve(out, 4173)
  console.log(`serving ${origin}/index.html until Ctrl+C`)
}
