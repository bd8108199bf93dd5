/**
 * From what a program gives for a field to what goes over the wire, one function per family of types. Pure: reads its
 * input, never writes to it. Takes `unknown`, since forms are data and callers may be plain JavaScript.
 */
import * as DateTime from "effect/DateTime"
import * as Redacted from "effect/Redacted"
import * as Dates from "./dates.ts"
import type { FormIssueCode } from "./formInvalid.ts"

/** Where an upload belongs, in the SDK's own words; never sent as part of a field. */
export interface FileQuery {
  readonly type: string
  readonly entity: string
  readonly id: number | string
  readonly width?: number
  readonly height?: number
  readonly compress?: boolean
  readonly template?: number | string
}

/** A file that the server has already. */
export interface UploadedFile {
  readonly filename: string
  readonly downloadLink: string
  readonly size: number
  readonly previewLink?: unknown
  readonly params?: unknown
  readonly contentType?: string
}

/** What became of one value. */
export type Encoded =
  /** Nothing to send: empty values are dropped. */
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Value"; readonly value: unknown }
  /** Files to upload first, in order with those that the server has. */
  | {
      readonly _tag: "Upload"
      readonly files: ReadonlyArray<UploadedFile | Blob>
      readonly fileQuery: FileQuery
    }
  | { readonly _tag: "Invalid"; readonly code: FormIssueCode; readonly message: string }

const empty: Encoded = { _tag: "Empty" }
const value = (value: unknown): Encoded => ({ _tag: "Value", value })
const invalid = (message: string, code: FormIssueCode = "type"): Encoded => ({ _tag: "Invalid", code, message })

/** Opens a secret: only here, on the way to the wire. */
export const reveal = (u: unknown): unknown => (Redacted.isRedacted(u) ? Redacted.value(u) : u)

export const isObject = (u: unknown): u is { readonly [key: string]: unknown } =>
  typeof u === "object" && u !== null && !Array.isArray(u)

/** Also a `Blob` of another realm (an iframe, a test environment). */
export const isBlob = (u: unknown): u is Blob => {
  if (typeof Blob !== "undefined" && u instanceof Blob) return true
  const tag = Object.prototype.toString.call(u)
  return tag === "[object Blob]" || tag === "[object File]"
}

const isNothing = (u: unknown): boolean => u === undefined || u === null || u === ""

const maxDepth = 128

/** Whether a value survives JSON unchanged; `path` holds the parents, so that a cycle is found, not followed. */
export const isJson = (u: unknown, path: ReadonlyArray<unknown> = []): boolean => {
  if (u === null || typeof u === "string" || typeof u === "boolean") return true
  if (typeof u === "number") return Number.isFinite(u)
  if (typeof u !== "object" || path.length >= maxDepth || path.includes(u)) return false
  const inner = [...path, u]
  if (Array.isArray(u)) {
    for (const item of u) if (!isJson(item, inner)) return false
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(u)
  if (prototype !== null && prototype !== Object.prototype) return false
  for (const item of Object.values(u)) if (item !== undefined && !isJson(item, inner)) return false
  return true
}

const isJsonText = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const string = (input: unknown): Encoded => {
  const u = reveal(input)
  if (isNothing(u)) return empty
  return typeof u === "string" ? value(u) : invalid("must be a string; convert it before it is sent")
}

const integerText = /^[+-]?\d{1,400}$/
const decimalText = /^[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?$/

const number = (input: unknown, integer: boolean): Encoded => {
  const u = typeof input === "string" ? input.trim() : input
  if (isNothing(u)) return empty
  const kind = integer ? "a whole number" : "a number"
  if (typeof u === "bigint") return value(Number.isSafeInteger(Number(u)) ? Number(u) : String(u))
  if (typeof u === "string") {
    if (!(integer ? integerText : decimalText).test(u)) return invalid(`must be ${kind}, or its digits as a string`)
    const n = Number(u)
    if (!Number.isFinite(n)) return invalid("is out of range for a number")
    // Digits that a number cannot hold stay text: the server takes numeric strings.
    return value(integer ? (Number.isSafeInteger(n) ? n : u) : u.length <= 16 ? n : u)
  }
  if (typeof u !== "number" || !Number.isFinite(u)) return invalid(`must be ${kind}`)
  if (!integer) return value(u)
  if (!Number.isInteger(u)) return invalid("must be a whole number, without a fraction")
  return Number.isSafeInteger(u) ? value(u) : invalid("is beyond exact integers; pass its digits as a string")
}

const date = (input: unknown, type: "date" | "dateTime" | "time"): Encoded => {
  const u = typeof input === "string" ? input.trim() : input
  if (isNothing(u)) return empty
  const given = isObject(u) && !DateTime.isDateTime(u) && !(u instanceof Date) ? u : undefined
  const remedy =
    type === "time"
      ? 'must be a time of day: "14:30", an ISO date and time, a DateTime, or { fullDate } with an ISO string'
      : 'must be a date that exists: ISO ("2024-05-07"), a DateTime, a Date, or { fullDate } with an ISO string'
  if (given !== undefined && isNothing(given["fullDate"]) && isNothing(given["formattedValue"])) return empty
  const at = Dates.from(given === undefined ? u : given["fullDate"])
  if (at === undefined) return invalid(remedy)
  const formatGiven = given?.["formatString"]
  const formatString = typeof formatGiven === "string" && formatGiven !== "" ? formatGiven : Dates.defaultFormats[type]
  const formattedGiven = given?.["formattedValue"]
  return value({
    fullDate: Dates.iso(at),
    formattedValue:
      typeof formattedGiven === "string" && formattedGiven !== "" ? formattedGiven : Dates.format(at, formatString),
    formatString
  })
}

const textKeys = ["plainValue", "htmlValue", "mdValue"] as const

const textBlock = (u: unknown, withHeader: boolean): Encoded => {
  if (typeof u === "string") return u === "" ? empty : value({ plainValue: u })
  if (!isObject(u)) return invalid("must be a string, or an object with plainValue, htmlValue or mdValue")
  const out: Record<string, unknown> = {}
  const header = u["header"]
  if (!isNothing(header)) {
    if (!withHeader) return invalid("a text has no header; the type for that is textWithHeader")
    if (typeof header !== "string") return invalid("header must be a string")
    out["header"] = header
  }
  let texts = 0
  for (const key of textKeys) {
    const text = u[key]
    if (isNothing(text)) continue
    if (typeof text !== "string") return invalid(`${key} must be a string`)
    out[key] = text
    texts++
  }
  if (texts > 1) return invalid("give exactly one of plainValue, htmlValue and mdValue")
  if (texts === 0)
    return out["header"] === undefined ? empty : invalid("a header needs a text: add plainValue, htmlValue or mdValue")
  if (u["params"] !== undefined && u["params"] !== null) {
    if (!isJson(u["params"])) return invalid("params must be JSON")
    out["params"] = u["params"]
  }
  return value(out)
}

/** An object stays an object and an array an array, as the two generations of servers document it. */
const text = (input: unknown, withHeader: boolean): Encoded => {
  const u = reveal(input)
  if (isNothing(u)) return empty
  if (!Array.isArray(u)) {
    const block = textBlock(u, withHeader)
    return block._tag === "Value" && typeof u === "string" ? value([block.value]) : block
  }
  const blocks: Array<unknown> = []
  for (const item of u) {
    const block = textBlock(item, withHeader)
    if (block._tag === "Invalid") return block
    if (block._tag === "Value") blocks.push(block.value)
  }
  if (blocks.length > 1) return invalid("takes one text; join them, or make each a field of its own")
  return blocks.length === 0 ? empty : value(blocks)
}

/** A choice: its value or id, or (older servers) the whole `{ title, value, … }`. */
const isChoice = (u: unknown): boolean =>
  typeof u === "string" || (typeof u === "number" && Number.isFinite(u)) || (isObject(u) && isJson(u))

const choices = (input: unknown, keepScalar: boolean): Encoded => {
  if (isNothing(input)) return empty
  const remedy = "must be the value of a choice, or an array of such values"
  if (!Array.isArray(input)) {
    return isChoice(input) ? value(keepScalar && !isObject(input) ? input : [input]) : invalid(remedy)
  }
  const out: Array<unknown> = []
  for (const item of input) {
    if (isNothing(item)) continue
    if (!isChoice(item)) return invalid(remedy)
    out.push(item)
  }
  return out.length === 0 ? empty : value(out)
}

/** A page by its number, a product by `p-<parentId>-<productId>`, or (older servers) an object with such an `id`. */
const isEntity = (u: unknown): boolean =>
  typeof u === "number"
    ? Number.isSafeInteger(u)
    : typeof u === "string"
      ? /^(?:\d{1,16}|p-\d{1,16}-\d{1,16})$/.test(u)
      : isObject(u) && isJson(u) && isEntity(u["id"])

const entities = (input: unknown): Encoded => {
  if (isNothing(input)) return empty
  const out: Array<unknown> = []
  for (const item of Array.isArray(input) ? input : [input]) {
    if (isNothing(item)) continue
    if (!isEntity(item)) {
      return invalid(
        'must be ids: the number of a page, or "p-<parentId>-<productId>" of a product, or an array of them'
      )
    }
    out.push(item)
  }
  return out.length === 0 ? empty : value(out)
}

const timeInterval = (input: unknown): Encoded => {
  if (isNothing(input)) return empty
  const remedy = "must be an array of [start, end] pairs, each a DateTime, a Date or an ISO string"
  if (!Array.isArray(input)) return invalid(remedy)
  const items: ReadonlyArray<unknown> = input
  if (items.length === 0) return empty
  const pairs: ReadonlyArray<unknown> = items.length === 2 && !items.some(Array.isArray) ? [items] : items
  const out: Array<readonly [string, string]> = []
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return invalid(remedy)
    const start = Dates.from(pair[0])
    const end = Dates.from(pair[1])
    if (start === undefined || end === undefined) return invalid(remedy)
    if (DateTime.isGreaterThan(start, end)) return invalid("an interval ends before it starts; swap its two times")
    out.push([Dates.iso(start), Dates.iso(end)])
  }
  return value(out)
}

/** The keys that every server takes; `contentType` is refused by older ones and needed by none. */
export const uploadedFile = (u: unknown): UploadedFile | undefined => {
  if (!isObject(u)) return undefined
  const { filename, downloadLink, size, previewLink, params } = u
  const bytes = typeof size === "string" && integerText.test(size) ? Number(size) : size
  if (typeof filename !== "string" || filename === "" || typeof downloadLink !== "string") return undefined
  if (typeof bytes !== "number" || !Number.isFinite(bytes) || bytes < 0) return undefined
  return {
    filename,
    downloadLink,
    size: bytes,
    ...(previewLink === undefined || previewLink === null || !isJson(previewLink) ? undefined : { previewLink }),
    ...(params === undefined || params === null || !isJson(params) ? undefined : { params })
  }
}

const fileQuery = (u: unknown): FileQuery | undefined => {
  if (!isObject(u)) return undefined
  const { type, entity, id, width, height, compress, template } = u
  if (typeof type !== "string" || type === "" || typeof entity !== "string" || entity === "") return undefined
  if (!(typeof id === "number" && Number.isFinite(id)) && !(typeof id === "string" && id !== "")) return undefined
  return {
    type,
    entity,
    id,
    ...(typeof width === "number" ? { width } : undefined),
    ...(typeof height === "number" ? { height } : undefined),
    ...(typeof compress === "boolean" ? { compress } : undefined),
    ...(typeof template === "number" || typeof template === "string" ? { template } : undefined)
  }
}

/** What a browser's form data holds for a file input that was left alone. */
const isNoFile = (u: unknown): boolean => isBlob(u) && u.size === 0 && "name" in u && u.name === ""

const files = (input: unknown, query: unknown): Encoded => {
  if (isNothing(input)) return empty
  const items: ReadonlyArray<unknown> = Array.isArray(input)
    ? input
    : typeof FileList !== "undefined" && input instanceof FileList
      ? Array.from(input)
      : [input]
  if (items.length === 0) return empty
  const out: Array<UploadedFile | Blob> = []
  let uploads = false
  for (const item of items) {
    if (isNoFile(item)) continue
    if (isBlob(item)) {
      uploads = true
      out.push(item)
      continue
    }
    const uploaded = uploadedFile(item)
    if (uploaded === undefined) {
      return invalid(
        "must be a File or Blob together with a fileQuery, or what an upload returned: { filename, downloadLink, size }",
        "file"
      )
    }
    out.push(uploaded)
  }
  if (out.length === 0) return empty
  if (!uploads) return value(out)
  const where = fileQuery(query)
  return where === undefined
    ? invalid(
        "a File or Blob is uploaded first: add fileQuery: { type, entity, id }, e.g. the page it belongs to",
        "file"
      )
    : { _tag: "Upload", files: out, fileQuery: where }
}

const spam = (input: unknown): Encoded => {
  if (isNothing(input)) return empty
  const event = isObject(input) ? (isObject(input["event"]) ? input["event"] : input) : undefined
  const token = reveal(event?.["token"])
  const siteKey = event?.["siteKey"]
  return typeof token === "string" && token !== "" && typeof siteKey === "string" && siteKey !== ""
    ? value({ event: { token, siteKey } })
    : invalid("must be { event: { token, siteKey } } with the token that the captcha gave")
}

const json = (input: unknown): Encoded => {
  if (isNothing(input)) return empty
  if (typeof input === "string") {
    return isJsonText(input)
      ? value(input)
      : invalid("is not valid JSON; pass the value itself, or JSON.stringify of it")
  }
  return isJson(input)
    ? value(input)
    : invalid("cannot be written as JSON: no functions, cycles, class instances or NaN")
}

/** Encodes the value of a field of the given attribute type; a type of a newer server passes as JSON. */
export const encodeValue = (type: string, input: unknown, query?: unknown): Encoded => {
  switch (type) {
    case "string":
      return string(input)
    case "integer":
      return number(reveal(input), true)
    case "float":
    case "real":
      return number(reveal(input), false)
    case "date":
    case "dateTime":
    case "time":
      return date(reveal(input), type)
    case "text":
      return text(input, false)
    case "textWithHeader":
      return text(input, true)
    case "list":
      return choices(input, false)
    case "entity":
      return entities(input)
    case "radioButton":
      return choices(input, true)
    case "timeInterval":
      return timeInterval(input)
    case "image":
    case "groupOfImages":
    case "file":
      return files(input, query)
    case "spam":
      return spam(input)
    case "button":
      return empty
    case "json":
      return json(reveal(input))
    default: {
      const u = reveal(input)
      if (isNothing(u)) return empty
      return isJson(u) ? value(u) : invalid("cannot be written as JSON")
    }
  }
}
