/**
 * Marks calls as pure, so that a bundler may drop what they make when nobody uses it: a schema, an error class, an
 * endpoint. Only calls that run when a module is loaded and whose result is kept are marked; a call that stands alone is
 * there for what it does. The package has no module that does anything when it is loaded (`sideEffects: []`).
 */
import { parseSync } from "oxc-parser"

const mark = "/* @__PURE__ */ "

const isNode = (u: unknown): u is { readonly type: string; readonly start: number; readonly [key: string]: unknown } =>
  typeof u === "object" && u !== null && "type" in u && typeof u.type === "string"

/** The code of a JavaScript module with the marks. No line moves. */
export const markPure = (name: string, code: string): string => {
  const { errors, program } = parseSync(name, code)
  if (errors.length > 0) throw new Error(`${name}: ${errors[0]?.message}`)
  const starts = new Set<number>()

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
      case "CallExpression":
      case "NewExpression":
        // `f(a)(b)` starts once: one mark does for all calls of a chain.
        starts.add(u.start)
    }
    for (const key in u) visit(u[key])
  }
  visit(program.body)

  let marked = code
  for (const start of [...starts].sort((a, b) => b - a)) {
    if (!marked.slice(0, start).endsWith(mark)) marked = marked.slice(0, start) + mark + marked.slice(start)
  }
  return marked
}
