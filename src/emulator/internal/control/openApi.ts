/**
 * The OpenAPI description of the emulator: the content API and the control API. The content API is put together from
 * its endpoints as an `HttpApi` that is only described, never served, so its schemas are those that decode the bodies
 * and encode the answers.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Api } from "../../ControlApi.ts"
import type { Service } from "../../Emulator.ts"
import { backends, type Described } from "../backend.ts"

const groups: ReadonlyArray<readonly [path: string, name: string]> = [
  ["/api/content/users-auth-providers", "AuthProvider"],
  ["/api/content/users", "Users"],
  ["/api/content/forms", "Forms"],
  ["/api/content/form-data", "FormData"],
  ["/api/content/files", "FileUploading"],
  ["/api/content/events", "Events"]
]

const groupOf = (path: string): string =>
  groups.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))?.[1] ?? "System"

const Envelope = Schema.Struct({
  statusCode: Schema.Int,
  timestamp: Schema.String,
  message: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  pageData: Schema.Null
}).annotate({ identifier: "ErrorEnvelope" })

const Refused = Envelope.pipe(HttpApiSchema.status(400))
const Closed = Envelope.pipe(HttpApiSchema.status(403))
const NoSession = Envelope.pipe(HttpApiSchema.status(401))

/** Sentences for people, from the names of operations: `signUp` becomes `Sign up`. */
const sentence = (operation: string): string => {
  const words = operation.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const endpointOf = (described: Described): HttpApiEndpoint.Constraint => {
  const names = [...described.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? "")
  const answer =
    described.answer === "empty" || described.answer === "raw"
      ? HttpApiSchema.Empty(described.status)
      : described.answer.pipe(HttpApiSchema.status(described.status))
  const headers = {
    "x-app-token": Schema.String,
    ...(described.device ? { "x-device-metadata": Schema.String } : {}),
    ...(described.bearer ? { authorization: Schema.String } : {})
  }
  const path = described.path.startsWith("/") ? (described.path as `/${string}`) : (`/${described.path}` as const)
  const shared = {
    params: Object.fromEntries(names.map((name) => [name, Schema.String])),
    headers,
    success: answer,
    error: described.bearer ? [Refused, NoSession, Closed] : [Refused, Closed],
    disableCodecs: true as const
  }
  const payload = described.body === undefined ? {} : { payload: described.body }
  const endpoint =
    described.method === "GET"
      ? HttpApiEndpoint.get(described.operation, path, shared)
      : described.method === "DELETE"
        ? HttpApiEndpoint.delete(described.operation, path, shared)
        : described.method === "PUT"
          ? HttpApiEndpoint.put(described.operation, path, { ...shared, ...payload })
          : HttpApiEndpoint.post(described.operation, path, { ...shared, ...payload })
  return endpoint.annotateMerge(OpenApi.annotations({ summary: sentence(described.operation) }))
}

/** A description per group, as each is an API of its own to Effect's types. */
const contentApis = (described: ReadonlyArray<Described>): ReadonlyArray<OpenApi.OpenAPISpec> => {
  const byName = new Map<string, ReadonlyArray<HttpApiEndpoint.Constraint>>()
  for (const one of described) {
    const name = groupOf(one.path)
    byName.set(name, [...(byName.get(name) ?? []), endpointOf(one)])
  }
  return [...byName].map(([name, [first, ...rest]]) => {
    const group = HttpApiGroup.make(name)
    return OpenApi.fromApi(HttpApi.make("emulator").add(first === undefined ? group : group.add(first, ...rest)))
  })
}

const made = new WeakMap<Service, OpenApi.OpenAPISpec>()

/** The description of an emulator; made once. */
export const describe = (emulator: Service): OpenApi.OpenAPISpec => {
  const known = made.get(emulator)
  if (known !== undefined) return known
  const all = [...contentApis(backends.get(emulator)?.described ?? []), OpenApi.fromApi(Api)]
  const description: OpenApi.OpenAPISpec = {
    openapi: "3.1.0",
    info: {
      title: "Emulator of OneEntry",
      version: "0.1.0",
      description:
        "The content API as this emulator answers it, and the control API under /__emulator. Made from the schemas that check requests and answers."
    },
    servers: [{ url: emulator.url }],
    security: [],
    tags: all.flatMap((spec) => spec.tags),
    paths: Object.assign({}, ...all.map((spec) => spec.paths)),
    components: {
      schemas: Object.assign({}, ...all.map((spec) => spec.components.schemas)),
      securitySchemes: {}
    }
  }
  made.set(emulator, description)
  return description
}
