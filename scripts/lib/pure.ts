/**
 * Marks calls as pure, so that a bundler may drop what they make when nobody uses it: a schema, an error class, an
 * endpoint. Only calls that run when a module is loaded and whose result is kept are marked; a call that stands alone is
 * there for what it does. The package has no module that does anything when it is loaded (`sideEffects: []`).
 *
 * Leaves out what only readers need: the columns of the table of answers that say where a row is known from.
 */
import { parseSync } from "oxc-parser"

const mark = "/* @__PURE__ */ "

const isNode = (
  u: unknown
): u is { readonly type: string; readonly start: number; readonly end: number; readonly [key: string]: unknown } =>
  typeof u === "object" && u !== null && "type" in u && typeof u.type === "string"

/** In a row of `internal/classification.ts`: where it is known from, and how sure it is. */
const documentation = ["source", "certainty"]

/** The columns of an object that are documentation; `source` alone is anybody's. */
const documentationOf = (properties: unknown): ReadonlyArray<{ readonly start: number; readonly end: number }> => {
  const found = (Array.isArray(properties) ? properties.filter(isNode) : []).filter(
    ({ key }) => isNode(key) && documentation.some((name) => key["name"] === name)
  )
  return found.length === documentation.length ? found.map(({ end, start }) => ({ end, start })) : []
}

/** The code of a JavaScript module with the marks. No line moves. */
export const markPure = (name: string, code: string): string => {
  const { errors, program } = parseSync(name, code)
  if (errors.length > 0) throw new Error(`${name}: ${errors[0]?.message}`)
  const edits: Array<{ readonly start: number; readonly end: number; readonly text: string }> = []

  const visit = (u: unknown): void => {
    if (Array.isArray(u)) return u.forEach(visit)
    if (!isNode(u)) return
    switch (u.type) {
      // What runs later, if at all.
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
      case "ExpressionStatement":
      case "StaticBlock":
        return
      case "MethodDefinition":
        return visit(u["key"])
      case "PropertyDefinition":
        visit(u["key"])
        return u["static"] === true ? visit(u["value"]) : undefined
      case "ObjectExpression":
        for (const { end, start } of documentationOf(u["properties"])) {
          edits.push({ start, end: code[end] === "," ? end + 1 : end, text: "" })
        }
        break
      case "CallExpression":
      case "NewExpression":
        // `f(a)(b)` starts once: one mark does for all calls of a chain.
        if (!code.slice(0, u.start).endsWith(mark)) edits.push({ start: u.start, end: u.start, text: mark })
    }
    for (const key in u) visit(u[key])
  }
  visit(program.body)

  let marked = code
  let last = code.length + 1
  for (const { end, start, text } of edits.sort((a, b) => b.start - a.start)) {
    if (start === last) continue
    last = start
    marked = marked.slice(0, start) + text + marked.slice(end)
  }
  return marked
}
