import { Validator } from "@seriousme/openapi-schema-validator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, JsonSchema, Layer, Schema, SchemaRepresentation } from "effect"
import { HttpRouter } from "effect/http"
import { Control, type Emulator, Messages, Project } from "effect-oneentry/emulator"
import { call, inProcess, onPort } from "./support.ts"

type Json = { readonly [key: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const record = (value: unknown): Json => (isJson(value) ? value : {})

const list = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value.filter(isJson) : [])

const openapi = Effect.map(call("GET", "/__emulator/openapi.json"), ({ json }) => record(json))

interface Operation {
  readonly method: string
  readonly path: string
  readonly operation: Json
}

const operationsOf = (document: Json): ReadonlyArray<Operation> =>
  Object.entries(record(document["paths"])).flatMap(([path, item]) =>
    Object.entries(record(item)).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation: record(operation)
    }))
  )

const find = (document: Json, method: string, path: string): Json =>
  operationsOf(document).find((one) => one.method === method && one.path === path)?.operation ?? {}

const parametersOf = (operation: Json, place: string): ReadonlyArray<string> =>
  list(operation["parameters"]).flatMap((one) => (one["in"] === place ? [String(one["name"])] : []))

describe("the OpenAPI document", () => {
  for (const [name, options] of [
    ["of the default project", {}],
    [
      "of a project with every switch turned",
      {
        project: {
          switches: {
            deviceMetadata: "every-post",
            generateCodeBody: "true",
            refreshFailureStatus: 401,
            retryAfter: true,
            userExistsStatus: 409,
            usersWithoutSession: 500
          }
        }
      }
    ]
  ] as const) {
    it.effect(`is valid OpenAPI 3.1 ${name}`, () =>
      Effect.gen(function* () {
        const document = yield* openapi
        const result = yield* Effect.promise(() => new Validator().validate({ ...document }))
        assert.deepStrictEqual(result, { valid: true })
        assert.strictEqual(document["openapi"], "3.1.0")
        // what the schema of OpenAPI cannot say
        const operations = operationsOf(document)
        const ids = operations.map(({ operation }) => operation["operationId"])
        assert.strictEqual(new Set(ids).size, ids.length)
        const tags = list(document["tags"]).map((tag) => tag["name"])
        assert.strictEqual(new Set(tags).size, tags.length)
        const schemes = Object.keys(record(record(document["components"])["securitySchemes"]))
        for (const { method, operation, path } of operations) {
          const what = `${method} ${path}`
          assert.sameMembers(
            [...parametersOf(operation, "path")],
            [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ""),
            what
          )
          for (const tag of Array.isArray(operation["tags"]) ? operation["tags"] : []) assert.include(tags, tag, what)
          for (const one of list(operation["security"])) assert.includeMembers(schemes, Object.keys(one), what)
          assert.isString(operation["summary"], what)
          for (const one of list(operation["parameters"])) {
            assert.include(JSON.stringify(one), '"description":', `${what} ${one["name"]}`)
          }
        }
      }).pipe(Effect.provide(inProcess({ ...options, routes: Control.routes })))
    )
  }

  it.effect("has every route that is served, and no other", () => {
    const served = new Set<string>()
    const note = (routes: ReadonlyArray<{ readonly method: string; readonly path: string }>) => {
      for (const { method, path } of routes) {
        // preflights and what does not exist
        if (path === "*" || method === "HEAD") continue
        served.add(`${method} ${path.replace(/:(\w+)/g, "{$1}").replace(/\*$/, "{path}")}`)
      }
    }
    // The router as the emulator fills it, written down on the way.
    const watched = Layer.effectDiscard(
      Effect.map(HttpRouter.HttpRouter, (router) => {
        const { add, addAll } = router
        return Object.assign(router, {
          add: (method: "GET", path: `/${string}`, handler: Parameters<typeof add>[2]) => {
            note([{ method, path }])
            return add(method, path, handler)
          },
          addAll: (routes: Parameters<typeof addAll>[0]) => {
            note(routes)
            return addAll(routes)
          }
        })
      })
    )
    const routes = (emulator: Emulator.Service) => Layer.provide(Control.routes(emulator), watched)
    return Effect.gen(function* () {
      const documented = operationsOf(yield* openapi).map(({ method, path }) => `${method} ${path}`)
      assert.isAbove(served.size, 40)
      assert.sameMembers(documented, [...served])
    }).pipe(Effect.provide(inProcess({ routes })))
  })

  it.effect("has the queries, headers and bodies of the contract", () =>
    Effect.gen(function* () {
      const document = yield* openapi
      const marker = "/api/content/users-auth-providers/marker/{marker}"
      const queries = {
        "GET /api/content/users-auth-providers": ["langCode", "offset", "limit"],
        [`GET ${marker}`]: ["langCode"],
        "GET /api/content/forms": ["langCode", "offset", "limit"],
        "GET /api/content/forms/marker/{marker}": ["langCode"],
        "POST /api/content/form-data/marker/{marker}": [
          "formModuleConfigId",
          "isExtended",
          "langCode",
          "offset",
          "limit"
        ],
        "POST /api/content/files": ["type", "entity", "id", "width", "height", "compress", "template"],
        "GET /api/content/files": ["id", "type", "entity", "filename", "width", "height", "compress", "template"],
        "DELETE /api/content/files": ["filename", "type", "entity", "id", "width", "height", "compress", "template"],
        "GET /api/content/users/me": ["langCode"],
        "GET /api/content/events": ["offset", "limit"],
        "GET /api/content/events/subscriptions": ["offset", "limit"]
      }
      for (const { method, operation, path } of operationsOf(document)) {
        if (!path.startsWith("/api/")) continue
        const known = Object.entries(queries).find(([name]) => name === `${method} ${path}`)?.[1] ?? []
        assert.sameMembers([...parametersOf(operation, "query")], known, `${method} ${path}`)
      }

      const device = operationsOf(document).flatMap(({ operation, path }) =>
        list(operation["parameters"]).flatMap((one) =>
          one["name"] === "x-device-metadata" ? [[path, one["required"]] as const] : []
        )
      )
      assert.sameDeepMembers(device, [
        [`${marker}/users/auth`, true],
        [`${marker}/users/refresh`, true],
        [`${marker}/users/logout`, true],
        [`${marker}/oauth`, true],
        ["/api/content/form-data", false]
      ])

      // an authorization header would be ignored: OpenAPI wants security schemes
      assert.notInclude(JSON.stringify(document["paths"]).toLowerCase(), '"name":"authorization"')
      assert.deepStrictEqual(find(document, "GET", "/api/content/users/me")["security"], [
        { appToken: [], session: [] }
      ])
      assert.deepStrictEqual(find(document, "POST", "/api/content/form-data")["security"], [
        { appToken: [] },
        { appToken: [], session: [] }
      ])
      assert.deepStrictEqual(find(document, "GET", "/cloud-static/{path}")["security"], [])

      const upload = find(document, "POST", "/api/content/files")
      assert.deepInclude(record(record(record(upload["requestBody"])["content"])["multipart/form-data"])["schema"], {
        type: "object",
        required: ["files"]
      })
      const unsubscribe = find(document, "DELETE", "/api/content/events/unsubscribe/marker/{marker}")
      assert.isDefined(record(record(unsubscribe["requestBody"])["content"])["application/json"])
    }).pipe(Effect.provide(inProcess({ routes: Control.routes })))
  )

  it.effect("shows every refusal of the table where it can happen, with its words and the status of the project", () =>
    Effect.gen(function* () {
      const document = yield* openapi
      const examples = record(record(document["components"])["examples"])
      const shown = new Map<string, Set<string>>()
      for (const { operation, path } of operationsOf(document)) {
        if (path.startsWith("/__emulator")) continue
        for (const [status, response] of Object.entries(record(operation["responses"]))) {
          if (Number(status) < 400) continue
          const media = record(record(record(response)["content"])["application/json"])
          assert.deepStrictEqual(media["schema"], { $ref: "#/components/schemas/ErrorEnvelope" }, path)
          for (const name of Object.keys(record(media["examples"]))) {
            shown.set(name, new Set([...(shown.get(name) ?? []), status]))
            const value = record(record(examples[name])["value"])
            assert.strictEqual(String(value["statusCode"]), status, name)
          }
        }
      }
      assert.deepStrictEqual(shown.get("RefreshTokenIncorrect"), new Set(["401"]))
      for (const [name, row] of Object.entries(Messages.table)) {
        // routes that are not there, other limits of HTTP, and what a fault says
        if (["RouteNotFound", "HostMissing", "ExpectationUnknown", "TooManyRequests"].includes(name)) continue
        // with a switch that is off here
        if (name === "UsersWithoutSession") continue
        assert.isTrue(shown.has(name), name)
        assert.strictEqual(record(record(examples[name])["value"])["message"], row.text, name)
      }
    }).pipe(Effect.provide(inProcess({ routes: Control.routes, project: { switches: { refreshFailureStatus: 401 } } })))
  )

  it.effect("wants the app token for the control API off loopback", () =>
    Effect.gen(function* () {
      const document = record((yield* call("GET", "/__emulator/openapi.json")).json)
      assert.deepStrictEqual(find(document, "GET", "/__emulator/users")["security"], [
        { appToken: [] },
        { linkToken: [] }
      ])
    }).pipe(Effect.provide(onPort({ host: "0.0.0.0", routes: Control.routes })))
  )
})

describe("the JSON Schema of project files", () => {
  interface Property {
    readonly path: string
    readonly schema: Json
    readonly isRequired: boolean
  }

  const propertiesOf = (schema: Json, path: string): ReadonlyArray<Property> => {
    const required = Array.isArray(schema["required"]) ? schema["required"] : []
    const own = Object.entries(record(schema["properties"])).flatMap(([name, value]) => {
      const property = { path: `${path}.${name}`, schema: record(value), isRequired: required.includes(name) }
      return [property, ...propertiesOf(property.schema, property.path)]
    })
    const inner = [schema["items"], schema["additionalItems"], schema["additionalProperties"]]
      .concat(...["anyOf", "oneOf", "allOf"].map((key) => list(schema[key])))
      .filter(isJson)
    return [...own, ...inner.flatMap((one) => propertiesOf(one, path))]
  }

  it.effect("describes each field, with its default and an example that are valid", () =>
    Effect.gen(function* () {
      const schema = record((yield* call("GET", "/__emulator/project.schema.json")).json)
      const properties = propertiesOf(schema, "project")
      assert.isAbove(properties.length, 120)
      const defaults = new Set<string>()
      for (const { isRequired, path, schema } of properties) {
        assert.match(String(schema["description"]), /^[A-Z`$].*\.$/s, path)
        const described = SchemaRepresentation.fromJsonSchemaDocument(JsonSchema.fromSchemaDraft07({ ...schema }))
        const accepts = Schema.is(described as Schema.Codec<unknown>)
        if ("default" in schema) {
          defaults.add(path)
          assert.isFalse(isRequired, path)
          assert.isTrue(accepts(schema["default"]), `${path}: the default`)
        }
        const examples = Array.isArray(schema["examples"]) ? schema["examples"] : []
        for (const example of examples) assert.isTrue(accepts(example), `${path}: the example`)
        // booleans and choices are their own examples
        const text = JSON.stringify(schema)
        const isChoice = "enum" in schema || /^\{("anyOf":\[)?\{?"(type":"boolean"|type":"string","enum")/.test(text)
        assert.isTrue(isChoice || examples.length > 0, `${path}: an example`)
      }
      // an absent field has the value that the schema says
      const decoded = yield* Project.decode({ providers: [{ identifier: "a" }] })
      for (const [name, value] of Object.entries(decoded.switches)) {
        assert.isTrue(defaults.has(`project.switches.${name}`), name)
        const property = properties.find(({ path }) => path === `project.switches.${name}`)
        assert.deepStrictEqual(property?.schema["default"], value, name)
      }
      for (const [name, value] of Object.entries(decoded.providers[0]?.config ?? {})) {
        const property = properties.find(({ path }) => path === `project.providers.config.${name}`)
        assert.deepStrictEqual(property?.schema["default"], value, name)
      }
    }).pipe(Effect.provide(inProcess({ routes: Control.routes })))
  )
})
