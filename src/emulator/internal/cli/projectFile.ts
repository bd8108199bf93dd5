/** Reads and writes project files; every mistake is named with its place. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Project from "../../Project.ts"
import { reasonOf } from "../fileReason.ts"
import { projectJsonSchema } from "../projectSchema.ts"
import { parseJson, type Place } from "./jsonText.ts"

/** What the command line says before it ends with 1. */
export class Failure extends Schema.TaggedError<Failure>("effect-oneentry/emulator/internal/cli/Failure")("Failure", {
  message: Schema.String
}) {}

const decodeShape = Schema.decodeUnknownEffect(Project.Project)
const format = SchemaIssue.makeFormatterStandardSchemaV1()

const nameOf = (keys: ReadonlyArray<PropertyKey>): string =>
  keys.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}${text === "" ? "" : "."}${String(key)}`),
    ""
  )

const keyOf = (segment: PropertyKey | { readonly key: PropertyKey }): PropertyKey =>
  typeof segment === "object" ? segment.key : segment

type Node = { readonly [key: string]: unknown }

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value)

/** The keys that the object at a path may have, as the published schema knows them. */
const knownKeys = (keys: ReadonlyArray<PropertyKey>): ReadonlyArray<string> => {
  const root = projectJsonSchema()
  const alternatives = (node: unknown): ReadonlyArray<Node> => {
    if (!isNode(node)) return []
    const reference = node["$ref"]
    if (typeof reference === "string") {
      const definitions = root["definitions"]
      return isNode(definitions) ? alternatives(definitions[reference.slice("#/definitions/".length)]) : []
    }
    const inner = [node["anyOf"], node["oneOf"], node["allOf"]].flatMap((list) => (Array.isArray(list) ? list : []))
    return [node, ...inner.flatMap(alternatives)]
  }
  let nodes = alternatives(root)
  for (const key of keys) {
    nodes = nodes.flatMap((node) => {
      if (typeof key === "number") return alternatives(node["items"])
      const properties = node["properties"]
      const found = isNode(properties) ? properties[String(key)] : undefined
      return alternatives(found ?? node["additionalProperties"])
    })
  }
  return [...new Set(nodes.flatMap((node) => (isNode(node["properties"]) ? Object.keys(node["properties"]) : [])))]
}

const worded = (keys: ReadonlyArray<PropertyKey>, message: string): string => {
  if (message !== "Expected no excess property") return message
  const known = knownKeys(keys.slice(0, -1))
  return `there is no such key${known.length === 0 ? "" : `; known are ${known.join(", ")}`}`
}

/** Reads, decodes and checks a project file. */
export const readProject = Effect.fnUntraced(function* (file: string) {
  const text = yield* Effect.try({
    try: () => fs.readFileSync(file, "utf8"),
    catch: (cause) => new Failure({ message: `The project file ${file} cannot be read: ${reasonOf(cause)}` })
  })
  const parsed = parseJson(text)
  const at = ({ column, line }: Place) => `${file}:${line}:${column}`
  if (parsed._tag === "Invalid") {
    return yield* new Failure({
      message: `The project file is not JSON.\n\n  ${at(parsed.place)}\n    ${parsed.problem}`
    })
  }
  yield* decodeShape(parsed.value, { errors: "all", onExcessProperty: "error" }).pipe(
    Effect.mapError((error) => {
      const { issues } = format(error.issue)
      const lines = issues.slice(0, 20).map((issue) => {
        const keys = (issue.path ?? []).map(keyOf)
        const name = nameOf(keys)
        return `  ${at(parsed.placeOf(keys))}${name === "" ? "" : `  ${name}`}\n    ${worded(keys, issue.message)}`
      })
      const more = issues.length > lines.length ? `\n\n  and ${issues.length - lines.length} more` : ""
      return new Failure({ message: `The project file is not valid.\n\n${lines.join("\n\n")}${more}` })
    })
  )
  return yield* Effect.mapError(
    Project.decode(parsed.value),
    (error) =>
      new Failure({
        message: `The project file ${file} does not fit together.\n\n${error.issues.map((issue) => `  ${issue}`).join("\n")}`
      })
  )
})

/** The published schema as seen from a project file: in the installed package, or of a running emulator. */
const schemaOf = (file: string): string => {
  const published = path.resolve(import.meta.dirname, "../../../../src/emulator/project.schema.json")
  const inPackage = published.split(path.sep).includes("node_modules") && fs.existsSync(published)
  const relative = path
    .relative(path.dirname(path.resolve(file)), published)
    .split(path.sep)
    .join("/")
  return inPackage && relative.startsWith("node_modules/")
    ? `./${relative}`
    : "http://127.0.0.1:4010/__emulator/project.schema.json"
}

/** Writes the default project, and never over something. */
export const writeProject = (file: string): Effect.Effect<void, Failure> =>
  Effect.try({
    try: () => {
      const text = JSON.stringify({ $schema: schemaOf(file), ...Project.defaultProject }, null, 2)
      fs.writeFileSync(file, `${text}\n`, { flag: "wx" })
    },
    catch: (cause) => new Failure({ message: `${file} cannot be written: ${reasonOf(cause)}` })
  })
