/**
 * Markdown to HTML: headings with anchors, highlighted code, and links that lead to pages of the site.
 */
import MarkdownIt from "markdown-it"
import * as path from "node:path"
import { type BundledLanguage, createHighlighter } from "shiki"
import { isFileName } from "../lib/fences.ts"

export interface Heading {
  readonly level: number
  readonly id: string
  readonly text: string
}

export interface Rendered {
  readonly html: string
  readonly headings: ReadonlyArray<Heading>
  /** The text under each heading, for the search: the first belongs to the page itself. */
  readonly passages: ReadonlyArray<{ readonly id: string; readonly title: string; readonly text: string }>
}

/** Where a link of a page leads: an address relative to that page. */
export type Resolve = (target: string) => string

const languages = [
  "ts",
  "tsx",
  "js",
  "sh",
  "json",
  "html",
  "yaml",
  "sql",
  "md"
] as const satisfies ReadonlyArray<BundledLanguage>
const themes = { light: "github-light-high-contrast", dark: "github-dark-high-contrast" } as const

const highlighter = await createHighlighter({ themes: Object.values(themes), langs: [...languages] })

const isKnown = (language: string): language is (typeof languages)[number] => languages.some((one) => one === language)

export const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

/** A block of code, under the name of its file if it has one. */
export const code = (text: string, language: string, name?: string): string => {
  const html = highlighter.codeToHtml(text.replace(/\n$/, ""), {
    lang: isKnown(language) ? language : "text",
    themes,
    defaultColor: "light-dark()"
  })
  const caption = name === undefined ? "" : `<figcaption>${escape(name)}</figcaption>`
  return `<figure class="code">${caption}${html}</figure>\n`
}

/** As GitHub makes them, so that the links of the repository hold on the site. */
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-")

export const render = (text: string, resolve: Resolve): Rendered => {
  const headings: Array<Heading> = []
  const passages: Array<{ id: string; title: string; text: string }> = []
  const used = new Map<string, number>()
  const markdown = new MarkdownIt({ html: true })

  markdown.core.ruler.push("site", (state) => {
    for (const [index, token] of state.tokens.entries()) {
      if (token.type === "heading_open") {
        const inline = state.tokens[index + 1]
        const title = (inline?.children ?? []).map((child) => child.content).join("")
        const base = slug(title)
        const times = used.get(base) ?? 0
        used.set(base, times + 1)
        const id = times === 0 ? base : `${base}-${times}`
        token.attrSet("id", id)
        headings.push({ level: Number(token.tag.slice(1)), id, text: title })
        passages.push({ id, title, text: "" })
      } else if (token.type === "inline") {
        const open = state.tokens[index - 1]?.type === "heading_open"
        const passage = passages.at(-1)
        if (!open && passage) {
          const words = (token.children ?? []).map(({ content, type }) => (type === "softbreak" ? " " : content))
          passage.text += ` ${words.join("")}`
        }
        for (const child of token.children ?? []) {
          const attribute = child.type === "link_open" ? "href" : child.type === "image" ? "src" : undefined
          const target = attribute && child.attrGet(attribute)
          if (attribute && target) child.attrSet(attribute, resolve(String(target)))
          if (child.type === "html_inline") child.content = rewritten(child.content, resolve)
        }
      } else if (token.type === "html_block") {
        token.content = rewritten(token.content, resolve)
      }
    }
  })
  markdown.renderer.rules["fence"] = (tokens, index) => {
    const token = tokens[index]
    const [language = "", ...marks] = (token?.info ?? "").trim().split(/\s+/)
    return code(
      token?.content ?? "",
      language,
      marks.find(isFileName) ?? (marks.includes("output") ? "prints" : undefined)
    )
  }
  // A wide table scrolls by itself, with the keyboard too.
  markdown.renderer.rules["table_open"] = () =>
    `<div class="table" tabindex="0" role="group" aria-label="Table"><table>\n`
  markdown.renderer.rules["table_close"] = () => "</table></div>\n"
  // The corner of a table whose rows are named is no heading.
  markdown.renderer.rules["th_open"] = (tokens, index, options, _, self) => {
    const token = tokens[index]
    if (token && tokens[index + 1]?.content === "") token.tag = "td"
    return self.renderToken(tokens, index, options)
  }
  markdown.renderer.rules["th_close"] = (tokens, index) => (tokens[index - 1]?.content === "" ? "</td>" : "</th>")
  markdown.renderer.rules["heading_close"] = (tokens, index) => {
    const id = String(tokens[index - 2]?.attrGet("id") ?? "")
    const tag = tokens[index]?.tag ?? "h2"
    return tag === "h1"
      ? "</h1>\n"
      : ` <a class="anchor" href="#${id}" aria-label="Link to this section">#</a></${tag}>\n`
  }
  return { html: markdown.render(text), headings, passages }
}

const rewritten = (html: string, resolve: Resolve): string =>
  html.replaceAll(/\b(src|href)="([^"]+)"/g, (_, name: string, target: string) => `${name}="${resolve(target)}"`)

/** The address of one page as a link on another. */
export const relative = (from: string, to: string): string => path.posix.relative(path.posix.dirname(from), to) || to
