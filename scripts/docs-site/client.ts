/**
 * What the pages do in a browser: the search, the menu on a phone, light and dark, and copying code. Without it every page
 * can still be read.
 */
import MiniSearch from "minisearch"
import type { Passage } from "./search.ts"
import { search as searchIn, searchOptions } from "./search.ts"

declare global {
  // Set by search-index.js, which is a script so that a page opened as a file may load it.
  var searchIndex: string | undefined
}

const page = document.documentElement
const find = <A extends Element>(selector: string): A => {
  const found = document.querySelector<A>(selector)
  if (found === null) throw new Error(`The page has no ${selector}`)
  return found
}

// Light and dark.

find<HTMLButtonElement>(".theme").addEventListener("click", () => {
  const dark =
    page.dataset["theme"] === undefined
      ? matchMedia("(prefers-color-scheme: dark)").matches
      : page.dataset["theme"] === "dark"
  const next = dark ? "light" : "dark"
  page.dataset["theme"] = next
  try {
    localStorage.setItem("theme", next)
  } catch {
    // It is not remembered, then.
  }
})

// The menu.

const menu = find<HTMLButtonElement>(".menu")
const navigation = find<HTMLElement>("#navigation")
const setMenu = (open: boolean) => {
  navigation.classList.toggle("open", open)
  menu.setAttribute("aria-expanded", String(open))
}
menu.addEventListener("click", () => setMenu(menu.getAttribute("aria-expanded") !== "true"))
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu.getAttribute("aria-expanded") === "true") {
    setMenu(false)
    menu.focus()
  }
})
const current = navigation.querySelector<HTMLElement>("[aria-current]")
if (current !== null && current.offsetTop > navigation.clientHeight * 0.7) {
  navigation.scrollTop = current.offsetTop - navigation.clientHeight / 2
}

// Copying code.

for (const figure of document.querySelectorAll(".code")) {
  const button = document.createElement("button")
  button.type = "button"
  button.textContent = "Copy"
  button.addEventListener("click", () => {
    void navigator.clipboard.writeText(figure.querySelector("pre")?.textContent ?? "").then(() => {
      button.textContent = "Copied"
      setTimeout(() => {
        button.textContent = "Copy"
      }, 2000)
    })
  })
  figure.append(button)
}

// The search.

const dialog = find<HTMLDialogElement>("dialog")
const input = find<HTMLInputElement>("#query")
const status = find<HTMLElement>("dialog [role=status]")
const list = find<HTMLOListElement>("dialog ol")
const root = page.dataset["root"] ?? "./"
let index: Promise<MiniSearch<Passage>> | undefined

const load = (): Promise<MiniSearch<Passage>> =>
  (index ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = `${root}search-index.js`
    script.addEventListener("load", () =>
      resolve(MiniSearch.loadJSON<Passage>(globalThis.searchIndex ?? "{}", searchOptions))
    )
    script.addEventListener("error", () => reject(new Error("The index did not load")))
    document.head.append(script)
  }))

const search = async (): Promise<void> => {
  const query = input.value.trim()
  if (query === "") {
    list.replaceChildren()
    status.textContent = "Type to search all pages and the reference."
    return
  }
  const found = searchIn(await load(), query)
  // Another key was pressed while the index was on its way.
  if (query !== input.value.trim()) return
  list.replaceChildren(
    ...found.map((result) => {
      const link = document.createElement("a")
      link.href = `${root}${result.id}`
      const title = document.createElement("strong")
      title.textContent = String(result["title"])
      const where = document.createElement("small")
      where.textContent = [result["page"], result["start"]].filter((part) => part !== "").join(": ")
      link.append(title, where)
      const item = document.createElement("li")
      item.append(link)
      return item
    })
  )
  status.textContent =
    found.length === 0 ? "Nothing found." : `${found.length} ${found.length === 1 ? "place" : "places"}`
}

const openSearch = () => {
  if (dialog.open) return
  dialog.showModal()
  input.select()
  void load().catch(() => {
    status.textContent = "The search could not be loaded."
  })
  void search()
}
find<HTMLButtonElement>(".search").addEventListener("click", openSearch)
input.addEventListener("input", () => void search())
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select")
  if ((event.key === "/" && !typing) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
    event.preventDefault()
    openSearch()
  }
})
dialog.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target === input) {
    event.preventDefault()
    list.querySelector("a")?.click()
    return
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
  event.preventDefault()
  const stops: ReadonlyArray<HTMLElement> = [input, ...list.querySelectorAll("a")]
  const at = stops.findIndex((stop) => stop === document.activeElement)
  stops[(at + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length]?.focus()
})
// A result on the page that is open already.
list.addEventListener("click", () => dialog.close())
