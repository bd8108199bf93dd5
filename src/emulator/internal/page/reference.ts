/** The page to read the API description on: `/__emulator/api`. */
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as OpenApi from "effect/http-api/OpenApi"
import { document } from "./page.ts"
import { makeViews } from "./views.ts"

const { escape: e } = makeViews()

type Json = { readonly [key: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const maxDepth = 12

/** A JSON Schema as the shape of a value, as people write it: `{ id: integer, name?: string }`. */
const shapeOf = (schema: unknown, components: Json, indent: string, depth: number): string => {
  if (!isJson(schema) || depth > maxDepth) return "…"
  const reference = schema["$ref"]
  if (typeof reference === "string") {
    const name = reference.slice(reference.lastIndexOf("/") + 1)
    return name in components ? shapeOf(components[name], components, indent, depth + 1) : name
  }
  const alternatives = schema["anyOf"] ?? schema["oneOf"]
  if (Array.isArray(alternatives)) {
    return alternatives.map((one) => shapeOf(one, components, indent, depth + 1)).join(" | ")
  }
  if (Array.isArray(schema["enum"])) return schema["enum"].map((value) => JSON.stringify(value)).join(" | ")
  if ("const" in schema) return JSON.stringify(schema["const"])
  const properties = schema["properties"]
  if (isJson(properties)) {
    const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : [])
    const inner = `${indent}  `
    const lines = Object.entries(properties).map(
      ([name, property]) =>
        `${inner}${/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)}${required.has(name) ? "" : "?"}: ${shapeOf(property, components, inner, depth + 1)}`
    )
    return lines.length === 0 ? "{}" : `{\n${lines.join("\n")}\n${indent}}`
  }
  if (isJson(schema["additionalProperties"])) {
    return `{ [key]: ${shapeOf(schema["additionalProperties"], components, indent, depth + 1)} }`
  }
  if (schema["format"] === "binary") return "bytes"
  if (schema["type"] === "array") return `Array<${shapeOf(schema["items"], components, indent, depth + 1)}>`
  return typeof schema["type"] === "string" ? schema["type"] : "any JSON"
}

const mediaOf = (content: unknown): Json | undefined => {
  if (!isJson(content)) return undefined
  const [media] = Object.values(content)
  return isJson(media) ? media : undefined
}

const bodyOf = (content: unknown): unknown => mediaOf(content)?.["schema"]

/** `marker: string  (path) The identifier …`, one a line. */
const parameterLine = (parameter: Json, components: Json): string => {
  const schema = isJson(parameter["schema"]) ? parameter["schema"] : {}
  const said = parameter["description"] ?? schema["description"]
  const shape =
    "contentSchema" in schema ? shapeOf(schema["contentSchema"], components, "", 0) : shapeOf(schema, components, "", 0)
  return `${String(parameter["name"])}${parameter["required"] === true ? "" : "?"}: ${shape}  (${String(parameter["in"])})${typeof said === "string" ? `  ${said}` : ""}`
}

/** The refusals of a status by name, each with its words. */
const refusalLines = (content: unknown, examples: Json): ReadonlyArray<string> => {
  const named = mediaOf(content)?.["examples"]
  return isJson(named)
    ? Object.keys(named).map((name) => {
        const example = examples[name]
        const value = isJson(example) ? example["value"] : undefined
        return `${name}: ${String(isJson(value) ? value["message"] : "")}`
      })
    : []
}

const credentials: Readonly<Record<string, string>> = {
  appToken: "x-app-token",
  session: "authorization: Bearer <access token>",
  linkToken: "?token= with the app token"
}

const block = (title: string, text: string) => `<h3>${e(title)}</h3><pre>${e(text)}</pre>`

export const reference = (description: OpenApi.OpenAPISpec, query: string): HttpServerResponse.HttpServerResponse => {
  const { components: all }: { readonly components: Json } = { components: { ...description.components } }
  const components: Json = description.components.schemas
  const examples = isJson(all["examples"]) ? all["examples"] : {}
  const operation = (method: string, path: string, one: Json): string => {
    const parameters = (Array.isArray(one["parameters"]) ? one["parameters"] : []).filter(isJson)
    const parts: Array<string> = []
    if (parameters.length > 0) {
      parts.push(block("Parameters", parameters.map((parameter) => parameterLine(parameter, components)).join("\n")))
    }
    const content = isJson(one["requestBody"]) ? one["requestBody"]["content"] : undefined
    const request = bodyOf(content)
    const isForm = isJson(content) && "multipart/form-data" in content
    if (request !== undefined)
      parts.push(block(isForm ? "Parts of the form" : "Body", shapeOf(request, components, "", 0)))
    const security = Array.isArray(one["security"]) ? one["security"].filter(isJson) : []
    const needs = security.map((scheme) =>
      Object.keys(scheme)
        .map((name) => credentials[name] ?? name)
        .join(" and ")
    )
    if (needs.length > 0) parts.unshift(block("Needs", needs.join(", or\n")))
    const refusals: Array<string> = []
    for (const [status, response] of Object.entries(isJson(one["responses"]) ? one["responses"] : {})) {
      const content = isJson(response) ? response["content"] : undefined
      const lines = refusalLines(content, examples)
      refusals.push(...lines.map((line) => `${status} ${line}`))
      if (lines.length > 0) continue
      const body = bodyOf(content)
      parts.push(block(`Answer ${status}`, body === undefined ? "no body" : shapeOf(body, components, "", 0)))
    }
    if (refusals.length > 0) parts.push(block("Refusals", refusals.join("\n")))
    return `<details><summary><span class="verb">${e(method.toUpperCase())}</span><code class="path">${e(path)}</code><span class="what">${e(one["summary"] ?? "")}</span></summary><div class="inner">${parts.join("")}</div></details>`
  }
  const sections = description.tags.map(({ name }) => {
    const operations = Object.entries(description.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, one]: [string, unknown]) =>
        isJson(one) && Array.isArray(one["tags"]) && one["tags"].includes(name) ? [operation(method, path, one)] : []
      )
    )
    return `<section aria-labelledby="tag-${e(name)}"><h2 id="tag-${e(name)}">${e(name)} <span class="n">${operations.length}</span></h2>${operations.join("")}</section>`
  })
  return document(
    "API of the OneEntry emulator",
    () => `<a class="skip" href="#content">Skip to the operations</a>
<header class="top"><div class="bar"><div class="brand"><h1>API of the OneEntry emulator</h1></div><a href="/__emulator${e(query)}">Back to the page</a><a href="/__emulator/openapi.json${e(query)}">OpenAPI</a></div></header>
<main class="doc" id="content"><p class="lead">${e(description.info.description ?? "")}</p>${sections.join("")}</main>`
  )
}
