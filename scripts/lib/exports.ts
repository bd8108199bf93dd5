/**
 * The exports of a TypeScript module (a source or an emitted declaration), followed to where they are declared.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { type Comment, type Node, type Program, parseSync } from "oxc-parser"

export interface Declaration {
  readonly file: string
  readonly line: number
  /** The text of the declaration, with its `export`. */
  readonly text: string
  /** The text of the docstring before it, without stars. */
  readonly docstring: string | undefined
}

export interface Export {
  readonly name: string
  /** More than one for overloads, and where a type and a value share the name. */
  readonly declarations: ReadonlyArray<Declaration>
  /** For `export * as X from "./X.ts"`: the module that X is. */
  readonly namespace: string | undefined
}

export interface Module {
  readonly file: string
  readonly text: string
  readonly program: Program
  readonly comments: ReadonlyArray<Comment>
}

export class Modules {
  readonly #directory: string
  readonly #parsed = new Map<string, Module>()

  constructor(directory: string) {
    this.#directory = directory
  }

  parse(file: string): Module {
    const known = this.#parsed.get(file)
    if (known) return known
    const text = fs.readFileSync(path.join(this.#directory, file), "utf8")
    const { comments, errors, program } = parseSync(file, text)
    if (errors[0]) throw new Error(`${file}: ${errors[0].message}`)
    const module = { file, text, program, comments }
    this.#parsed.set(file, module)
    return module
  }

  /** The file behind a relative import of `file`: `./X.js` of a declaration means `./X.d.ts`. */
  resolve(file: string, specifier: string): string | undefined {
    if (!specifier.startsWith(".")) return undefined
    const target = path.posix.join(path.posix.dirname(file), specifier)
    return [target.replace(/\.[jt]s$/, ".d.ts"), target, target.replace(/\.js$/, ".ts")].find((candidate) =>
      fs.existsSync(path.join(this.#directory, candidate))
    )
  }

  /** The exports of a module by name, in the order of the source. */
  exportsOf(file: string): ReadonlyMap<string, Export> {
    const module = this.parse(file)
    const found = new Map<string, Export>()
    const add = (one: Export) => {
      const known = found.get(one.name)
      found.set(
        one.name,
        known
          ? {
              name: one.name,
              declarations: [...known.declarations, ...one.declarations],
              namespace: known.namespace ?? one.namespace
            }
          : one
      )
    }
    for (const statement of module.program.body) {
      if (statement.type === "ExportAllDeclaration") {
        const target = this.resolve(file, statement.source.value)
        if (target === undefined) continue
        if (statement.exported === null) {
          for (const one of this.exportsOf(target).values()) if (one.name !== "default") add(one)
        } else {
          add({ name: nameOf(statement.exported), declarations: [declarationOf(module, statement)], namespace: target })
        }
      } else if (statement.type === "ExportNamedDeclaration" && statement.declaration) {
        for (const name of namesDeclaredBy(statement.declaration)) {
          add({ name, declarations: [declarationOf(module, statement)], namespace: undefined })
        }
      } else if (statement.type === "ExportNamedDeclaration") {
        for (const specifier of statement.specifiers) {
          const name = nameOf(specifier.exported)
          const own = docstringBefore(module, specifier.start) ?? docstringBefore(module, statement.start)
          const meant = this.#meaningOf(module, nameOf(specifier.local), statement.source?.value)
          add({
            name,
            declarations: meant.declarations.map((one) => ({ ...one, docstring: own ?? one.docstring })),
            namespace: meant.namespace
          })
        }
      } else if (statement.type === "ExportDefaultDeclaration") {
        add({ name: "default", declarations: [declarationOf(module, statement)], namespace: undefined })
      }
    }
    return found
  }

  /** What `name` is in a module: declared there, imported, or taken from `source` by a re-export. */
  #meaningOf(module: Module, name: string, source: string | undefined): Omit<Export, "name"> {
    const follow = (specifier: string, imported: string): Omit<Export, "name"> => {
      const target = this.resolve(module.file, specifier)
      return (
        (target === undefined ? undefined : this.exportsOf(target).get(imported)) ?? {
          declarations: [],
          namespace: undefined
        }
      )
    }
    if (source !== undefined) return follow(source, name)
    const declarations: Array<Declaration> = []
    for (const statement of module.program.body) {
      if (statement.type === "ImportDeclaration") {
        const specifier = statement.specifiers.find((one) => one.local.name === name)
        if (specifier?.type === "ImportSpecifier") return follow(statement.source.value, nameOf(specifier.imported))
        if (specifier?.type === "ImportNamespaceSpecifier") {
          return {
            declarations: [declarationOf(module, statement)],
            namespace: this.resolve(module.file, statement.source.value)
          }
        }
      } else if (namesDeclaredBy(declaredIn(statement)).includes(name)) {
        declarations.push(declarationOf(module, statement))
      }
    }
    return { declarations, namespace: undefined }
  }
}

const nameOf = (node: { readonly type: string; readonly name?: string; readonly value?: unknown }): string =>
  node.name ?? String(node.value)

/** The names that a statement declares; none for an import, an export or an expression. */
export const namesDeclaredBy = (statement: Node): ReadonlyArray<string> => {
  switch (statement.type) {
    case "VariableDeclaration":
      return statement.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []))
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "ClassDeclaration":
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
    case "TSEnumDeclaration":
      return statement.id ? [statement.id.name] : []
    case "TSModuleDeclaration":
      return statement.id.type === "Identifier" ? [statement.id.name] : []
    default:
      return []
  }
}

/** The declaration that an export statement wraps, or the statement itself. */
export const declaredIn = (statement: Node): Node =>
  statement.type === "ExportNamedDeclaration" && statement.declaration ? statement.declaration : statement

const lineOf = (text: string, offset: number) => text.slice(0, offset).split("\n").length

const strip = (comment: Comment): string =>
  comment.value
    .slice(1)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim()

const isDocstring = (comment: Comment) => comment.type === "Block" && comment.value.startsWith("*")

/** The last docstring that ends right before `offset`, with nothing but white space between. */
export const docstringBefore = (module: Module, offset: number): string | undefined => {
  const comment = module.comments.findLast(
    (one) => one.end <= offset && isDocstring(one) && module.text.slice(one.end, offset).trim() === ""
  )
  return comment && strip(comment)
}

/** The docstring at the head of a file, unless it belongs to the first statement. */
export const moduleComment = (module: Module): string | undefined => {
  const comment = module.comments[0]
  return comment && isDocstring(comment) && module.text.slice(0, comment.start).trim() === ""
    ? strip(comment)
    : undefined
}

const declarationOf = (module: Module, statement: Node): Declaration => ({
  file: module.file,
  line: lineOf(module.text, statement.start),
  text: module.text.slice(statement.start, statement.end),
  docstring: docstringBefore(module, statement.start)
})
