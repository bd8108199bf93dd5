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
  if (schema["type"] === "array") return `Array<${shapeOf(schema["items"], components, indent, depth + 1)}>`
  return typeof schema["type"] === "string" ? schema["type"] : "any JSON"
}

const bodyOf = (content: unknown): unknown => {
  if (!isJson(content)) return undefined
  const [media] = Object.values(content)
  return isJson(media) ? media["schema"] : undefined
}

const block = (title: string, text: string) => `<h3>${e(title)}</h3><pre>${e(text)}</pre>`

export const reference = (description: OpenApi.OpenAPISpec, query: string): HttpServerResponse.HttpServerResponse => {
  const components: Json = description.components.schemas
  const operation = (method: string, path: string, one: Json): string => {
    const parameters = (Array.isArray(one["parameters"]) ? one["parameters"] : []).filter(isJson)
    const parts: Array<string> = []
    if (parameters.length > 0) {
      parts.push(
        block(
          "Parameters",
          parameters
            .map(
              (parameter) =>
                `${String(parameter["name"])}${parameter["required"] === true ? "" : "?"}: ${shapeOf(parameter["schema"], components, "", 0)}  (${String(parameter["in"])})`
            )
            .join("\n")
        )
      )
    }
    const request = isJson(one["requestBody"]) ? bodyOf(one["requestBody"]["content"]) : undefined
    if (request !== undefined) parts.push(block("Body", shapeOf(request, components, "", 0)))
    for (const [status, response] of Object.entries(isJson(one["responses"]) ? one["responses"] : {})) {
      const body = isJson(response) ? bodyOf(response["content"]) : undefined
      parts.push(block(`Answer ${status}`, body === undefined ? "no body" : shapeOf(body, components, "", 0)))
    }
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
