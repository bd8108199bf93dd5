/**
 * Decodes request bodies with schemas and words the refusals as the server's two validators do: one speaks like Joi,
 * the other like class-validator.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import { Refusal } from "./refusal.ts"

interface Problem {
  readonly path: ReadonlyArray<PropertyKey>
  readonly kind: string
  readonly detail: string
}

/** What a check's `message` says here: a kind, and a detail after the colon. */
export const notEmpty = Schema.isMinLength(1, { message: "empty" })
export const maxItems = (n: number) => Schema.isMaxLength(n, { message: `items:${n}` })
export const maxLength = (n: number) => Schema.isMaxLength(n, { message: `length:${n}` })

const flatten = (
  issue: SchemaIssue.Issue,
  path: ReadonlyArray<PropertyKey>,
  unexpectedFirst: boolean,
  out: Array<Problem>
): void => {
  switch (issue._tag) {
    case "Composite": {
      const issues = unexpectedFirst
        ? issue.issues
        : [...issue.issues].sort((a, b) => Number(isUnexpected(a)) - Number(isUnexpected(b)))
      for (const inner of issues) flatten(inner, path, unexpectedFirst, out)
      return
    }
    case "Pointer":
      return flatten(issue.issue, [...path, ...issue.path], unexpectedFirst, out)
    case "Encoding":
      return flatten(issue.issue, path, unexpectedFirst, out)
    case "Filter": {
      const message = issue.filter.annotations?.["message"]
      const [kind = "", detail = ""] = typeof message === "string" ? message.split(":") : ["value"]
      out.push({ path, kind, detail })
      return
    }
    case "MissingKey":
      out.push({ path, kind: "missing", detail: "" })
      return
    case "UnexpectedKey":
      out.push({ path, kind: "unexpected", detail: "" })
      return
    case "InvalidType":
      out.push({ path, kind: "type", detail: issue.ast._tag })
      return
    case "AnyOf": {
      const [inner] = issue.issues
      if (inner !== undefined) return flatten(inner, path, unexpectedFirst, out)
      // No member fits: named after the first of them, as the validators do with optional values.
      const member = issue.ast._tag === "Union" ? issue.ast.types.find((type) => type._tag !== "Null") : undefined
      out.push(
        member === undefined || member._tag === "Literal"
          ? { path, kind: "value", detail: "" }
          : { path, kind: "type", detail: member._tag }
      )
      return
    }
    default:
      out.push({ path, kind: "value", detail: "" })
  }
}

const isUnexpected = (issue: SchemaIssue.Issue): boolean =>
  issue._tag === "UnexpectedKey" || (issue._tag === "Pointer" && isUnexpected(issue.issue))

// Hostile keys end up in messages: bounded, and free of control characters.
const printable = (key: PropertyKey): string =>
  Array.from(String(key).slice(0, 200), (char) => (char < " " ? "?" : char)).join("")

const joiPath = (path: ReadonlyArray<PropertyKey>): string => {
  if (path.length === 0) return "value"
  let out = ""
  for (const key of path) out += typeof key === "number" ? `[${key}]` : `${out === "" ? "" : "."}${printable(key)}`
  return out
}

const joiTypes: Readonly<Record<string, string>> = {
  String: "must be a string",
  Number: "must be a number",
  Boolean: "must be a boolean",
  Arrays: "must be an array",
  Objects: "must be of type object"
}

const joi = (problem: Problem): string => {
  const label = `"${joiPath(problem.path)}"`
  switch (problem.kind) {
    case "missing":
      return `${label} is required`
    case "unexpected":
      return `${label} is not allowed`
    case "type":
      return `${label} ${joiTypes[problem.detail] ?? "contains an invalid value"}`
    case "empty":
      return `${label} is not allowed to be empty`
    case "items":
      return `${label} must contain less than or equal to ${problem.detail} items`
    case "length":
      return `${label} length must be less than or equal to ${problem.detail} characters long`
    default:
      return `${label} contains an invalid value`
  }
}

const classTypes: Readonly<Record<string, string>> = {
  String: "must be a string",
  Number: "must be a number conforming to the specified constraints",
  Boolean: "must be a boolean value",
  Arrays: "must be an array",
  Objects: "must be an object"
}

const classValidator = (problem: Problem): string => {
  const keys = problem.path.map(printable)
  const name = keys.length === 0 ? "body" : keys.join(".")
  switch (problem.kind) {
    case "missing":
    case "empty":
      return `${name} should not be empty`
    case "unexpected":
      return `${keys
        .slice(0, -1)
        .map((key) => `${key}.`)
        .join("")}property ${keys.at(-1) ?? ""} should not exist`
    case "type":
      return `${name} ${classTypes[problem.detail] ?? "is not valid"}`
    case "items":
      return `${name} must contain no more than ${problem.detail} elements`
    case "length":
      return `${name} must be shorter than or equal to ${problem.detail} characters`
    default:
      return `${name} is not valid`
  }
}

/** Decodes a body, or says why not. The schema that does it also describes the API. */
export interface Decode<A> {
  (body: unknown): A | Refusal
  readonly schema: Schema.Codec<A, unknown>
}

const decoder =
  (unexpectedFirst: boolean, word: (problems: ReadonlyArray<Problem>) => Refusal) =>
  <A>(schema: Schema.Codec<A, unknown>): Decode<A> => {
    const decode = Schema.decodeUnknownExit(schema, { errors: "all", onExcessProperty: "error" })
    const run = (body: unknown) => {
      const exit = decode(body)
      if (Exit.isSuccess(exit)) return exit.value
      const error = Cause.findErrorOption(exit.cause)
      const problems: Array<Problem> = []
      if (Option.isSome(error)) flatten(error.value.issue, [], unexpectedFirst, problems)
      return word(problems.length === 0 ? [{ path: [], kind: "value", detail: "" }] : problems)
    }
    return Object.assign(run, { schema })
  }

/** Joi stops at the first problem. */
export const joiBody = decoder(false, (problems) => new Refusal("ValidationFailed", 400, joi(problems[0] as Problem)))

/** class-validator collects them all, the whitelist's first. */
export const classBody = decoder(
  true,
  (problems) => new Refusal("ValidationFailed", 400, [...new Set(problems.map(classValidator))].slice(0, 50))
)
