/**
 * The OpenAPI description of the emulator: the content API and the control API. The content API is described from its
 * endpoints, so its schemas are those that decode the bodies and encode the answers, its parameters those that are
 * read, and its refusals the rows of the table of messages.
 */
import * as OpenApi from "effect/http-api/OpenApi"
import * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import { Api } from "../../ControlApi.ts"
import type { Service } from "../../Emulator.ts"
import * as Messages from "../../Messages.ts"
import type { Switches } from "../../Project.ts"
import { type Backend, backends, type Described } from "../backend.ts"
import { DeviceHeader, Envelope } from "../endpoint.ts"
import { statusOf } from "../refusal.ts"
import { version } from "../version.ts"
import { isLoopback } from "./guard.ts"

const groups: ReadonlyArray<readonly [path: string, tag: string, description: string]> = [
  ["/api/content/users-auth-providers", "AuthProvider", "Sign-up, codes, sign-in, tokens and sessions."],
  ["/api/content/users", "Users", "The profile of who is signed in."],
  ["/api/content/forms", "Forms", "Forms and their fields."],
  ["/api/content/form-data", "FormData", "Submissions of forms."],
  ["/api/content/files", "FileUploading", "Files. Pictures are stored as they came, whatever size is asked for."],
  ["/cloud-static", "FileUploading", ""],
  ["/api/content/events", "Events", "Events, and who follows them."],
  ["/api/content/system", "System", "Tests of error handling, statistics, captchas."]
]

const groupOf = (path: string): string =>
  groups.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))?.[1] ?? "System"

const pathParameters: Readonly<Record<string, Schema.Top>> = {
  marker: Schema.String.annotate({ description: "The identifier of a provider, a form or an event." }),
  id: Schema.String.annotate({ description: "The number of a submission." }),
  token: Schema.String.annotate({ description: "The token of a device for push messages." }),
  path: Schema.String.annotate({ description: "The stored path; it may have slashes." })
}

const DeviceText = Schema.fromJsonString(DeviceHeader)

const deviceHeader = {
  description: "The device, as JSON: its fingerprint is what a session belongs to.",
  example: '{"fingerprint":"web-1","deviceInfo":{"os":"Linux","browser":"Firefox","location":"en-US"}}'
}

interface Example {
  readonly summary: string
  readonly value: typeof Envelope.Type
}

/** As the specification has it, examples included, which Effect's type leaves out. */
interface MediaType extends OpenApi.OpenApiSpecMediaType {
  readonly examples?: Readonly<Record<string, { readonly $ref: string }>>
}

interface Components extends OpenApi.OpenAPIComponents {
  readonly examples: Record<string, Example>
}

interface Response extends OpenApi.OpenApiSpecResponse {
  content?: Record<string, MediaType>
}

/** Schemas as OpenAPI has them; those with an identifier become components. */
const makeSchemas = (components: JsonSchema.Definitions) => (schema: Schema.Top, strict: boolean) => {
  const document = Schema.toJsonSchemaDocument(schema, { onExcessProperty: strict ? "error" : "ignore" })
  const { definitions, schemas } = JsonSchema.toMultiDocumentOpenApi3_1({
    dialect: document.dialect,
    schemas: [document.schema],
    definitions: document.definitions
  })
  Object.assign(components, definitions)
  return schemas[0]
}

const validationExample = '"authData[0].type" is not allowed'

/** The refusals that do not stand in the table: their words come from the validators. */
const rowOf = (name: Messages.Name | "ValidationFailed"): Messages.Row =>
  name === "ValidationFailed"
    ? { status: 400, text: validationExample, certainty: "captured", source: "pattern of the validators" }
    : Messages.table[name]

/** Everything that an endpoint may refuse with, in the order in which it looks. */
export const refusalsOf = (one: Described, switches: Switches): ReadonlyArray<Messages.Name | "ValidationFailed"> => {
  const users = one.path.startsWith("/api/content/users/")
  const names: ReadonlyArray<Messages.Name | "ValidationFailed"> = [
    ...(one.open
      ? []
      : ([
          "HeadersTooLarge",
          "ResourceClosed",
          "PermissionMissing",
          "PermissionDenied",
          "AddRuleRequired",
          "PlanNotIncluded"
        ] as const)),
    ...(one.device === "required" ? (["DeviceMetadataMissing", "DeviceMetadataInvalid"] as const) : []),
    ...(one.body === undefined
      ? []
      : (["BodyTooLarge", "BodyMalformed", "BodyTooDeep", "BodyPrototype", "ValidationFailed"] as const)),
    ...("limit" in one.query ? (["ValidationFailed", "ReadRestricted"] as const) : []),
    ...(one.bearer === "required" ? (["Unauthorized"] as const) : []),
    ...(one.bearer === "required" && users && switches.usersWithoutSession === 500
      ? (["UsersWithoutSession"] as const)
      : []),
    ...one.refuses,
    "PathMalformed",
    "InternalError"
  ]
  return [...new Set(names)]
}

const describeContent = (backend: Backend, components: Components): OpenApi.OpenAPISpecPaths => {
  const { switches } = backend
  const schemaOf = makeSchemas(components.schemas)
  const required = (schema: Schema.Top, strict: boolean) => schemaOf(schema, strict) ?? {}
  const envelope = required(Envelope, true)

  const refused = (one: Described, responses: OpenApi.OpenAPISpecResponses) => {
    const byStatus = new Map<number, Array<string>>()
    for (const name of refusalsOf(one, switches)) {
      const row = rowOf(name)
      const status = statusOf({ name, status: row.status }, switches)
      byStatus.set(status, [...(byStatus.get(status) ?? []), name])
      components.examples[name] = {
        summary: `${row.certainty}: ${row.source}`,
        value: { statusCode: status, timestamp: "2025-04-30T20:07:39.755Z", message: row.text, pageData: null }
      }
    }
    for (const [status, names] of byStatus) {
      const content: Record<string, MediaType> = {
        "application/json": {
          schema: envelope,
          examples: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/examples/${name}` }]))
        }
      }
      const response: Response = { description: names.join(", "), content }
      if (status === 429 && switches.retryAfter) {
        response.headers = {
          "retry-after": { schema: { type: "integer" }, required: true, description: "Seconds to wait." }
        }
      }
      responses[status] = response
    }
  }

  const parameter = (name: string, place: "path" | "query" | "header", schema: Schema.Top, isRequired: boolean) => {
    const { description, ...rest } = required(schema, false)
    return {
      name,
      in: place,
      required: isRequired,
      ...(typeof description === "string" ? { description } : {}),
      schema: rest
    }
  }

  const paths: OpenApi.OpenAPISpecPaths = {}
  for (const one of backend.described) {
    const path = one.path.replace(/:(\w+)/g, "{$1}").replace(/\*$/, "{path}")
    const responses: OpenApi.OpenAPISpecResponses = {}
    if (one.answer !== "refusal") {
      responses[one.status] = {
        description: one.answer === "empty" ? "Done; there is no body" : "Done",
        ...(one.answer === "empty"
          ? {}
          : {
              content:
                one.answer === "raw"
                  ? { "*/*": { schema: { type: "string", format: "binary" } } }
                  : { "application/json": { schema: required(one.answer, true) } }
            })
      }
    }
    refused(one, responses)
    const device =
      one.device === undefined
        ? []
        : [{ ...parameter("x-device-metadata", "header", DeviceText, one.device === "required"), ...deviceHeader }]
    const appToken = { appToken: [] }
    const operation: OpenApi.OpenAPISpecOperation = {
      operationId: `${groupOf(path)}.${one.operation}`,
      tags: [groupOf(path)],
      summary: one.summary,
      parameters: [
        ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) =>
          parameter(name, "path", pathParameters[name] ?? Schema.String, true)
        ),
        ...Object.entries(one.query).map(([name, schema]) => parameter(name, "query", schema, false)),
        ...device
      ],
      security: one.open
        ? []
        : [
            ...(one.bearer === "required" ? [] : [appToken]),
            ...(one.bearer === undefined ? [] : [{ ...appToken, session: [] }])
          ],
      ...(one.body === undefined && one.multipart === undefined
        ? {}
        : {
            requestBody: {
              required: true,
              content: {
                ...(one.body === undefined ? {} : { "application/json": { schema: required(one.body, true) } }),
                ...(one.multipart === undefined
                  ? {}
                  : { "multipart/form-data": { schema: required(one.multipart, false) } })
              }
            }
          }),
      responses
    }
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operation }
  }
  return paths
}

/** What stands beside the control API: for people, editors and generators. */
const documents: ReadonlyArray<readonly [path: string, operation: string, type: string, summary: string]> = [
  ["/__emulator", "page", "text/html", "The page for people"],
  ["/__emulator/api", "reference", "text/html", "This description, to read"],
  ["/__emulator/openapi.json", "openapi", "application/json", "This description"],
  ["/__emulator/project.schema.json", "projectSchema", "application/json", "The JSON Schema of project files"]
]

const describeDocuments = (): OpenApi.OpenAPISpecPaths =>
  Object.fromEntries(
    documents.map(([path, operation, type, summary]) => [
      path,
      {
        get: {
          operationId: `documents.${operation}`,
          tags: ["Documents"],
          summary,
          parameters: [],
          security: [],
          responses: {
            200: {
              description: "Done",
              content: { [type]: { schema: { type: type === "text/html" ? "string" : "object" } } }
            }
          }
        }
      } satisfies OpenApi.OpenAPISpecPathItem
    ])
  )

/** Off loopback the control API wants the app token, too. */
const closed = (paths: OpenApi.OpenAPISpecPaths): OpenApi.OpenAPISpecPaths => {
  for (const item of Object.values(paths)) {
    for (const operation of [item.get, item.post, item.put, item.delete]) {
      if (operation !== undefined) operation.security = [{ appToken: [] }, { linkToken: [] }]
    }
  }
  return paths
}

const made = new WeakMap<Service, OpenApi.OpenAPISpec>()

/** The description of an emulator; made once. */
export const describe = (emulator: Service): OpenApi.OpenAPISpec => {
  const known = made.get(emulator)
  if (known !== undefined) return known
  const control = OpenApi.fromApi(Api)
  const components: Components = {
    schemas: { ...control.components.schemas },
    examples: {},
    securitySchemes: {
      appToken: { type: "apiKey", in: "header", name: "x-app-token", description: "The app token." },
      session: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "The access token of a session." },
      linkToken: { type: "apiKey", in: "query", name: "token", description: "The app token, in links." }
    }
  }
  const backend = backends.get(emulator)
  const content = backend === undefined ? {} : describeContent(backend, components)
  const controlPaths = { ...control.paths, ...describeDocuments() }
  const description: OpenApi.OpenAPISpec = {
    openapi: "3.1.0",
    info: {
      title: "Emulator of OneEntry",
      version,
      description:
        "The content API as this emulator answers it, and the control API under /__emulator. Made from the schemas that check requests and answers."
    },
    servers: [{ url: emulator.url }],
    security: [],
    tags: [
      ...groups.flatMap(([, name, description]) => (description === "" ? [] : [{ name, description }])),
      ...control.tags,
      { name: "Documents", description: "What people, editors and generators read." }
    ],
    paths: {
      ...content,
      ...(emulator.host === undefined || isLoopback(emulator.host) ? controlPaths : closed(controlPaths))
    },
    components
  }
  made.set(emulator, description)
  return description
}
