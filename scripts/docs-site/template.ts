/**
 * The frame of every page: head, navigation, the page itself, what is on it, and the way on.
 */
import { escape, type Heading, relative } from "./markdown.ts"
import type { Page, Section } from "./pages.ts"

export interface Frame {
  readonly page: Page
  readonly sections: ReadonlyArray<Section>
  readonly body: string
  readonly headings: ReadonlyArray<Heading>
  readonly description: string
  readonly version: string
  /** The pages before and after it. */
  readonly before?: Page | undefined
  readonly after?: Page | undefined
}

const icon = (path: string): string =>
  `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${path}</svg>`

const icons = {
  menu: icon('<path d="M4 6h16M4 12h16M4 18h16"/>'),
  search: icon('<circle cx="11" cy="11" r="7"/><path d="m20 20-3.6-3.6"/>'),
  theme: icon('<circle cx="12" cy="12" r="9"/><path d="M12 3v18a9 9 0 0 0 0-18Z" fill="currentColor"/>')
}

const navigation = ({ page, sections }: Frame): string =>
  sections
    .map(({ pages, title }) => {
      const open =
        title === "Guides" || title === "From oneentry" || pages.some(({ address }) => address === page.address)
      const links = pages
        .map((one) => {
          const current = one.address === page.address ? ' aria-current="page"' : ""
          return `<li><a href="${relative(page.address, one.address)}"${current}>${escape(one.title)}</a></li>`
        })
        .join("")
      return `<details${open ? " open" : ""}><summary>${escape(title)}</summary><ul>${links}</ul></details>`
    })
    .join("\n")

const contents = ({ headings }: Frame): string => {
  const shown = headings.filter(({ level }) => level > 1)
  if (shown.length < 2) return ""
  const links = shown
    .map(({ id, level, text }) => `<li class="level-${level}"><a href="#${id}">${escape(text)}</a></li>`)
    .join("")
  return `<nav class="contents" aria-label="On this page"><p>On this page</p><ul>${links}</ul></nav>`
}

const ways = ({ after, before, page }: Frame): string => {
  const link = (one: Page | undefined, label: string, name: string) =>
    one === undefined
      ? "<span></span>"
      : `<a class="${name}" href="${relative(page.address, one.address)}"><small>${label}</small>${escape(one.title)}</a>`
  return before === undefined && after === undefined
    ? ""
    : `<nav class="ways" aria-label="Neighbouring pages">${link(before, "Before", "before")}${link(after, "Next", "after")}</nav>`
}

export const frame = (one: Frame): string => {
  const { body, description, page, version } = one
  const to = (address: string) => relative(page.address, address)
  const title = page.address === "index.html" ? "effect-oneentry" : `${page.title} · effect-oneentry`
  return `<!doctype html>
<html lang="en" data-root="${to("index.html").replace(/index\.html$/, "") || "./"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escape(description)}">
<title>${escape(title)}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%234338ca'/%3E%3Cpath d='M9 16h8m0 0-3-3m3 3-3 3M20 10h3v12h-3' fill='none' stroke='white' stroke-width='2.5' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E">
<link rel="stylesheet" href="${to("site.css")}">
<script>try{const t=localStorage.getItem("theme");if(t)document.documentElement.dataset.theme=t}catch{}</script>
<script defer src="${to("site.js")}"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<button type="button" class="menu" aria-label="Menu" aria-expanded="false" aria-controls="navigation">${icons.menu}</button>
<a class="brand" href="${to("index.html")}">effect-oneentry <small>${escape(version)}</small></a>
<button type="button" class="search">${icons.search}<span>Search</span><kbd>/</kbd></button>
<button type="button" class="theme" aria-label="Light or dark">${icons.theme}</button>
</header>
<div class="frame">
<nav id="navigation" aria-label="All pages">
${navigation(one)}
</nav>
<main id="content" tabindex="-1">
<article>
${body}
</article>
${ways(one)}
</main>
${contents(one)}
</div>
<dialog aria-label="Search the documentation">
<form method="dialog">
<label for="query" class="hidden">Search</label>
<input id="query" type="search" placeholder="An error, a function, a word" autocomplete="off" spellcheck="false">
<button type="submit">Close</button>
</form>
<p role="status"></p>
<ol></ol>
</dialog>
</body>
</html>
`
}
