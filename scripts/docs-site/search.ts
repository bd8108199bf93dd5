/**
 * The search: what is indexed when the site is built, and read again by the pages.
 */
import type MiniSearch from "minisearch"
import type { Options, SearchResult } from "minisearch"

/** A section of a page. */
export interface Passage {
  /** Its address from the root of the site, with the anchor. */
  readonly id: string
  readonly title: string
  /** The title of its page. */
  readonly page: string
  readonly text: string
  /** How the text begins: shown with a result. */
  readonly start: string
}

/** `UserAlreadyHasCode` is found by each of its words, too, and `Next.js` as `nextjs`. */
const words = (text: string): Array<string> =>
  text
    .replaceAll(/(\w)\.js\b/gi, "$1js")
    .split(/[^\p{L}\p{N}_$]+/u)
    .flatMap((word) => [word, ...word.split(/(?<=[a-z])(?=[A-Z])|[_$]/).filter((part) => part !== word)])
    .filter((word) => word !== "")

export const searchOptions: Options<Passage> = {
  fields: ["title", "page", "text"],
  storeFields: ["title", "page", "start"],
  tokenize: words,
  searchOptions: {
    boost: { title: 4, page: 2 },
    prefix: true,
    fuzzy: 0.15,
    // What is only similar comes after what has the word.
    weights: { prefix: 0.4, fuzzy: 0.1 },
    // Guides tell how, the reference what.
    boostDocument: (id) => (String(id).startsWith("reference/") ? 1 : 1.5)
  }
}

/** First what has all of the words, then what has some of them. */
export const search = (index: MiniSearch<Passage>, query: string): ReadonlyArray<SearchResult> => {
  const all = index.search(query, { combineWith: "AND" })
  const found = new Set(all.map(({ id }) => id))
  return [...all, ...index.search(query).filter(({ id }) => !found.has(id))].slice(0, 12)
}
