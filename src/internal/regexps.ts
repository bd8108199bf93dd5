/**
 * Finds regular expressions that may take time exponential in the length of the text: those that repeat a group whose
 * repetitions can share out one text in several ways, as `(a+)+`, `(a|aa)*` or `(\w?\d)*` do.
 *
 * Conservative: what it cannot prove harmless (a group within a repeated group that repeats something) counts as
 * suspicious. `([\w-]+\.)+` is proved: each round needs a dot, and nothing else in it matches one.
 */

interface Atom {
  readonly source: string
  readonly quantified: boolean
}

interface Group {
  readonly start: number
  /** Something inside is repeated or optional, or there is an alternative: one text may be matched in several ways. */
  flexible: boolean
}

const bounded = /^\{(\d+)(?:(,)(\d*))?\}/

/** How a quantifier at `i` bounds its atom: not at all, at most once, a fixed number of times, or up to many. */
const quantifierAt = (
  source: string,
  i: number
): { readonly length: number; readonly many: boolean; readonly fixed: boolean } | undefined => {
  const c = source[i]
  if (c === "*" || c === "+") return { length: 1, many: true, fixed: false }
  if (c === "?") return { length: 1, many: false, fixed: false }
  if (c !== "{") return undefined
  const match = bounded.exec(source.slice(i, i + 24))
  if (match === null) return undefined
  const [whole, min, comma, max] = match
  if (comma === undefined) return { length: whole.length, many: Number(min) > 20, fixed: true }
  return { length: whole.length, many: max === "" || Number(max) > 8, fixed: false }
}

/** The index after the atom that starts at `i`; a group is not an atom here. */
const atomEnd = (source: string, i: number): number => {
  const c = source[i]
  if (c === "\\") {
    const long =
      /^\\(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[pP]\{[^}]{1,60}\}|k<[^>]{1,60}>|c[A-Za-z])/.exec(
        source.slice(i, i + 70)
      )
    return i + (long === null ? 2 : long[0].length)
  }
  if (c !== "[") return i + 1
  let end = i + 1
  while (end < source.length && source[end] !== "]") end += source[end] === "\\" ? 2 : 1
  return end + 1
}

/** The alternatives of a group's body as atoms, or `undefined` when it has groups or back references inside. */
const alternatives = (body: string): ReadonlyArray<ReadonlyArray<Atom>> | undefined => {
  const out: Array<Array<Atom>> = [[]]
  let i = 0
  while (i < body.length) {
    const c = body[i]
    if (c === "(" || c === ")") return undefined
    if (c === "|") {
      out.push([])
      i++
      continue
    }
    const end = atomEnd(body, i)
    const source = body.slice(i, end)
    if (/^\\(?:[1-9]|k<)/.test(source)) return undefined
    const quantifier = quantifierAt(body, end)
    i = end + (quantifier?.length ?? 0)
    if (quantifier !== undefined && body[i] === "?") i++
    // An assertion matches no text and separates nothing.
    if (!/^(?:\^|\$|\\b|\\B)$/.test(source)) {
      out.at(-1)?.push({ source, quantified: quantifier !== undefined && !quantifier.fixed })
    }
  }
  return out
}

const sampleSize = 0x300

const matcher = (atom: Atom): RegExp | undefined => {
  for (const flags of ["i", "iu"]) {
    try {
      return new RegExp(`^(?:${atom.source})$`, flags)
    } catch {
      continue
    }
  }
  return undefined
}

const disjoint = (a: Atom, b: Atom): boolean => {
  const left = matcher(a)
  const right = matcher(b)
  if (left === undefined || right === undefined) return false
  for (let code = 0; code < sampleSize; code++) {
    const c = String.fromCharCode(code)
    if (left.test(c) && right.test(c)) return false
  }
  return true
}

/** Whether a text can be cut into rounds of this body in one way only. */
const unambiguous = (body: string): boolean => {
  const branches = alternatives(body.replace(/^\?(?::|<[A-Za-z_$][\w$]*>)/, ""))
  if (branches === undefined || branches.some((branch) => branch.length === 0 || branch.length > 40)) return false
  const [only, ...more] = branches
  if (only === undefined) return false
  if (more.length === 0) {
    if (only.every((atom) => !atom.quantified)) return true
    return only.some((atom, i) => !atom.quantified && only.every((other, j) => i === j || disjoint(atom, other)))
  }
  return (
    branches.length <= 20 &&
    branches.every(
      (branch, i) =>
        branch.every((atom) => !atom.quantified) &&
        branches.every((other, j) => {
          const a = branch[0]
          const b = other[0]
          return i >= j || (a !== undefined && b !== undefined && disjoint(a, b))
        })
    )
  )
}

/** Whether matching with this expression may take exponential time. */
export const isSuspicious = (source: string): boolean => {
  const groups: Array<Group> = []
  let i = 0
  while (i < source.length) {
    const c = source[i]
    const group = groups.at(-1)
    if (c === "(") {
      groups.push({ start: i + 1, flexible: false })
      i++
      continue
    }
    if (c === "|") {
      if (group !== undefined) group.flexible = true
      i++
      continue
    }
    let body: string | undefined
    let flexible = false
    let end: number
    if (c === ")") {
      const closed = groups.pop()
      end = i + 1
      if (closed !== undefined) {
        body = source.slice(closed.start, i)
        flexible = closed.flexible
      }
    } else {
      end = atomEnd(source, i)
    }
    const quantifier = quantifierAt(source, end)
    if (quantifier?.many === true && flexible && body !== undefined && !unambiguous(body)) return true
    const parent = groups.at(-1)
    if (parent !== undefined && (flexible || (quantifier !== undefined && !quantifier.fixed))) parent.flexible = true
    i = end + (quantifier?.length ?? 0)
    if (quantifier !== undefined && source[i] === "?") i++
  }
  return false
}
