/**
 * The members of a service, each with the errors that it fails with, by name. In the sources these are derived from the
 * table of answers (`Failure<"signUp">`), which tells a reader nothing.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { Node, TSSignature } from "oxc-parser"
import * as AuthError from "../../src/AuthError.ts"
import * as Classification from "../../src/internal/classification.ts"
import { type Declaration, declaredIn, docstringBefore, type Modules } from "../lib/exports.ts"
import { root } from "../lib/package.ts"

export interface Operation {
  readonly name: string
  readonly signature: string
  /** The docstring as it is written. */
  readonly docstring: string
  /** The names of its errors, as far as they have a page. */
  readonly errors: ReadonlyArray<string>
}

const { after, authFirst, authRows, before, fileRows, formRows, userRows } = Classification
const rows: ReadonlyArray<Classification.Row> = [
  ...before,
  ...after,
  ...authFirst,
  ...authRows,
  ...fileRows,
  ...formRows,
  ...userRows
]
const domainTags = new Set(
  [Classification.auth, Classification.files, Classification.forms, Classification.users].flatMap(({ errors }) =>
    Object.keys(errors)
  )
)
const documented = new Set(fs.readdirSync(path.join(root, "docs/errors")).map((file) => file.replace(/\.md$/, "")))

/** The domain errors of an operation, as the type `DomainErrorOf` has them. */
const domainErrorsOf = (operation: string): string => {
  const tags = rows
    .filter(({ operations }) => operations === "*" || operations.some((one) => one === operation))
    .map(({ error }) => error)
    .filter((tag) => domainTags.has(tag))
  return [...new Set(tags)].map((tag) => (Object.hasOwn(AuthError, tag) ? `AuthError.${tag}` : tag)).join(" | ")
}

/** The members of an interface that a module keeps to itself. */
const membersOfOwn = (name: string, module: string): string | undefined => {
  const own = new RegExp(`^interface ${name}(?: extends (\\w+))? \\{\\n([^]*?)\\n\\}`, "m").exec(module)
  return own === null ? undefined : `${membersOfOwn(own[1] ?? "", module) ?? ""}${own[2]}\n`
}

/** Types that a module keeps to itself, in the words of those that it exports. */
const spelledOut = (text: string, module: string): string => {
  const alias = /^type Failure(?:<.+?>)? = (.+)$/m.exec(module)?.[1] ?? ""
  return text
    .replaceAll(/\bFailure(?:<"(\w+)">)?(?!\w)/g, (_, operation: string | undefined) =>
      alias.replace("DomainErrorOf<Op>", domainErrorsOf(operation ?? "")).replace(/^ \| /, "")
    )
    .replaceAll(/: (\w+)\b/g, (whole, name: string) => {
      const members = membersOfOwn(name, module)
      return members === undefined ? whole : `: {\n${members}}`
    })
}

const refreshErrors = (modules: Modules): string =>
  /^export type RefreshError =((?:\n +\| [\w.]+)+)/m.exec(modules.parse("src/internal/sessionEvent.ts").text)?.[1] ?? ""

const membersOf = (statement: Node): ReadonlyArray<TSSignature> => {
  const declared = declaredIn(statement)
  if (declared.type === "TSInterfaceDeclaration") return declared.body.body
  if (declared.type !== "ClassDeclaration" || declared.superClass?.type !== "CallExpression") return []
  const { callee } = declared.superClass
  const shape = callee.type === "CallExpression" ? callee.typeArguments?.params[1] : undefined
  return shape?.type === "TSTypeLiteral" ? shape.members : []
}

/** The members of the service that is declared there; none if it is no service. */
export const operationsOf = (modules: Modules, { file, text }: Declaration): ReadonlyArray<Operation> => {
  const module = modules.parse(file)
  const statement = module.program.body.find(({ end, start }) => module.text.slice(start, end) === text)
  return (statement === undefined ? [] : membersOf(statement)).flatMap((member) => {
    if (member.type !== "TSPropertySignature" || member.key.type !== "Identifier") return []
    const written = module.text.slice(member.start, member.end).replace(/^readonly /, "")
    const signature = spelledOut(written, module.text)
    const channel = signature.slice(signature.search(/\b(?:Effect\.Effect|Stream\.Stream)</))
    const names = channel.replaceAll(/\b(?:Session\.)?RefreshError\b/g, refreshErrors(modules)).match(/\w+/g) ?? []
    return [
      {
        name: member.key.name,
        signature,
        docstring: docstringBefore(module, member.start) ?? "",
        errors: [...new Set(names)].filter((name) => documented.has(name))
      }
    ]
  })
}
