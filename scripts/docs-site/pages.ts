/**
 * What the site consists of: which file of the repository is which page, and in what order they stand.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { filesUnder, root } from "../lib/package.ts"

export interface Page {
  /** The file in the repository, or the specifier of a module. */
  readonly source: string
  /** The address within the site, relative to its root. */
  readonly address: string
  readonly title: string
  readonly kind: "guide" | "reference" | "source"
}

export interface Section {
  readonly title: string
  readonly pages: ReadonlyArray<Page>
}

/** The guides in the order to read them in; a page of docs that is not named here follows at the end of the first. */
const order: ReadonlyArray<readonly [title: string, files: ReadonlyArray<string>]> = [
  [
    "Guides",
    [
      "README.md",
      "docs/sign-up.md",
      "docs/sessions.md",
      "docs/oauth.md",
      "docs/servers.md",
      "docs/many-processes.md",
      "docs/custom-storage.md",
      "docs/testing.md",
      "docs/emulator.md",
      "docs/observability.md",
      "docs/security.md",
      "examples/README.md"
    ]
  ],
  ["From oneentry", ["docs/moving.md", "docs/promise-differences.md"]],
  ["Errors", ["docs/errors.md"]],
  ["Measured", []],
  ["Project", ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "AGENTS.md"]]
]

const folders: Readonly<Record<string, string>> = { "docs/errors/": "Errors", "docs/bench/": "Measured" }

export const addressOf = (file: string): string =>
  file === "README.md" ? "index.html" : file.replace(/^docs\//, "").replace(/\.md$/, ".html")

const titleOf = (file: string): string => {
  const text = fs.readFileSync(path.join(root, file), "utf8")
  const heading = /^# (.+)$/m.exec(text)?.[1] ?? path.basename(file, ".md")
  return file === "README.md" ? "Introduction" : heading.replaceAll("`", "")
}

const pageOf = (file: string): Page => ({
  source: file,
  address: addressOf(file),
  title: titleOf(file),
  kind: "guide"
})

/** Every Markdown file of the site, by section. */
export const guideSections = (): ReadonlyArray<Section> => {
  const known = new Set(order.flatMap(([, files]) => files))
  const others = filesUnder(path.join(root, "docs"), root).filter((file) => file.endsWith(".md") && !known.has(file))
  const sectionOf = (file: string) =>
    Object.entries(folders).find(([folder]) => file.startsWith(folder))?.[1] ?? order[0]?.[0]
  return order
    .map(([title, files]) => ({
      title,
      pages: [...files, ...others.filter((file) => sectionOf(file) === title)]
        .filter((file) => fs.existsSync(path.join(root, file)))
        .map(pageOf)
    }))
    .filter(({ pages }) => pages.length > 0)
}
