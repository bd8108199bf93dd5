/** Reads JSON and remembers where each value stands, so that a mistake in a file can be pointed at. */

export interface Place {
  readonly line: number
  readonly column: number
}

export type Parsed =
  | { readonly _tag: "Parsed"; readonly value: unknown; readonly placeOf: (path: ReadonlyArray<PropertyKey>) => Place }
  | { readonly _tag: "Invalid"; readonly place: Place; readonly problem: string }

class Problem extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

const maxDepth = 200

/** Where things stand: of keys the place of the key, of items the place of the item. */
interface Spot {
  readonly at: number
  readonly inner: Map<PropertyKey, Spot>
}

export const parseJson = (text: string): Parsed => {
  let position = text.startsWith("\ufeff") ? 1 : 0

  const place = (at: number): Place => {
    const before = text.slice(0, at).split("\n")
    return { line: before.length, column: (before.at(-1) ?? "").length + 1 }
  }
  const skip = () => {
    while (position < text.length && " \t\r\n".includes(text.charAt(position))) position++
  }
  const shown = () => (position >= text.length ? "the file ends" : `${JSON.stringify(text.charAt(position))} stands`)
  const expected = (what: string) => new Problem(position, `${shown()} where ${what} is expected`)

  const scalar = (pattern: RegExp, what: string): unknown => {
    pattern.lastIndex = position
    const match = pattern.exec(text)?.[0]
    if (match === undefined) throw expected(what)
    try {
      const value: unknown = JSON.parse(match)
      position += match.length
      return value
    } catch {
      throw new Problem(position, `${what} is malformed`)
    }
  }
  const string = () => scalar(/"(?:[^"\\\n]|\\.)*"/y, "a string in double quotes")

  const value = (depth: number): readonly [unknown, Map<PropertyKey, Spot>] => {
    if (depth > maxDepth) throw new Problem(position, "the file is nested too deeply")
    const inner = new Map<PropertyKey, Spot>()
    const first = text.charAt(position)
    if (first === "{") {
      const entries: Array<readonly [string, unknown]> = []
      position++
      skip()
      while (text.charAt(position) !== "}") {
        const at = position
        const key = String(string())
        if (inner.has(key)) throw new Problem(at, `the key ${JSON.stringify(key)} stands here twice`)
        skip()
        if (text.charAt(position) !== ":") throw expected('":"')
        position++
        skip()
        const [item, spots] = value(depth + 1)
        entries.push([key, item])
        inner.set(key, { at, inner: spots })
        skip()
        if (text.charAt(position) === ",") {
          position++
          skip()
          if (text.charAt(position) === "}") throw expected("another key")
        } else if (text.charAt(position) !== "}") throw expected('"," or "}"')
      }
      position++
      return [Object.fromEntries(entries), inner]
    }
    if (first === "[") {
      const items: Array<unknown> = []
      position++
      skip()
      while (text.charAt(position) !== "]") {
        const at = position
        const [item, spots] = value(depth + 1)
        inner.set(items.length, { at, inner: spots })
        items.push(item)
        skip()
        if (text.charAt(position) === ",") {
          position++
          skip()
          if (text.charAt(position) === "]") throw expected("another value")
        } else if (text.charAt(position) !== "]") throw expected('"," or "]"')
      }
      position++
      return [items, inner]
    }
    if (first === '"') return [string(), inner]
    return [scalar(/true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y, "a value"), inner]
  }

  try {
    skip()
    const [result, root] = value(0)
    skip()
    if (position < text.length) throw expected("the end of the file")
    return {
      _tag: "Parsed",
      value: result,
      // A key that is missing is reported where its object stands.
      placeOf: (path) => {
        let at = 0
        let level = root
        for (const key of path) {
          const spot = level.get(key)
          if (spot === undefined) break
          at = spot.at
          level = spot.inner
        }
        return place(at)
      }
    }
  } catch (cause) {
    if (cause instanceof Problem) return { _tag: "Invalid", place: place(cause.at), problem: cause.message }
    throw cause
  }
}
