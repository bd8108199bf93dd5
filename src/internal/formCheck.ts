/**
 * Checks values against the attributes of a form: one engine for `FormSchema`, `SignUpForm` and their schemas. Pure;
 * collects every problem; no message ever contains a value.
 */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { FormField } from "../FieldValue.ts"
import * as Dates from "./dates.ts"
import * as Encoding from "./fieldEncoding.ts"
import type { FormIssue, FormIssueCode } from "./formInvalid.ts"
import type { FormAttribute, ListTitle } from "./formModel.ts"
import * as Validators from "./validators.ts"

/**
 * Values by marker, as a form library holds them.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const values: FormSchema.FormValues = { name: "Ann", age: "33", colour: ["red"] }
 * console.log(Object.keys(values))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type FormValues = { readonly [marker: string]: unknown }

/**
 * Says where the new files of a field belong.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const option: FormSchema.FileQueryOption = (attribute) => ({
 *   type: "page",
 *   entity: "editor",
 *   id: attribute.marker === "avatar" ? 3492 : 3493
 * })
 * console.log(typeof option)
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export type FileQueryOption = Encoding.FileQuery | ((attribute: FormAttribute) => Encoding.FileQuery | undefined)

/** A field that passed. */
export interface Passed {
  readonly attribute: FormAttribute
  /** The value to submit: normalised, a secret still closed. */
  readonly value: unknown
  readonly fileQuery?: Encoding.FileQuery
}

/** What a check found: the field, when there is something to submit, or what is wrong with it. */
export interface Checked {
  readonly passed?: Passed
  readonly issues: ReadonlyArray<FormIssue>
}

/** An own property: a marker such as `constructor` or `__proto__` reads nothing inherited. */
const own = (values: FormValues, marker: string): unknown =>
  Object.hasOwn(values, marker) ? values[marker] : undefined

const nothing: Checked = { issues: [] }

const customText = (attribute: FormAttribute, tag: Validators.Rule["_tag"]): string | undefined =>
  attribute.rules.validators.find((validator) => validator.rule._tag === tag)?.customErrorText

const issue = (attribute: FormAttribute, code: FormIssueCode, message: string, validator?: string): FormIssue => ({
  marker: attribute.marker,
  message,
  code,
  ...(validator === undefined ? undefined : { validator })
})

const missing = (attribute: FormAttribute): FormIssue =>
  issue(
    attribute,
    "missing",
    customText(attribute, "Required") ??
      (attribute.isVisible
        ? "is required"
        : "is required, though the form hides it: give it a value, or make it visible in the admin panel"),
    Validators.find(attribute.rules.validators, "Required") === undefined ? undefined : "requiredValidator"
  )

const isFileType = (type: string): boolean => type === "image" || type === "groupOfImages" || type === "file"

/** Trims where the form says so, and turns what inputs give (booleans, numbers) into what the type takes. */
const normalise = (attribute: FormAttribute, input: unknown): unknown => {
  const trim = Validators.find(attribute.rules.validators, "Trim") !== undefined
  if (typeof input === "string") return trim ? input.trim() : input
  if (Redacted.isRedacted(input)) {
    const secret = Redacted.value(input)
    return trim && typeof secret === "string" && secret.trim() !== secret ? Redacted.make(secret.trim()) : input
  }
  if (attribute.type !== "string") return input
  return typeof input === "boolean" || (typeof input === "number" && Number.isFinite(input)) ? String(input) : input
}

const choiceKey = (u: unknown): string => String(Encoding.isObject(u) ? (u["value"] ?? u["id"] ?? u["title"]) : u)

/** Whether a choice says by itself what it is: without a value, an object is only what a page shows. */
const hasValue = (u: { readonly [key: string]: unknown }): boolean =>
  typeof u["value"] === "string" || typeof u["value"] === "number"

/** The choices as the form itself spells their values, or what is wrong with them. */
const matchChoices = (
  attribute: FormAttribute,
  values: ReadonlyArray<unknown>
): { readonly values: ReadonlyArray<unknown> } | { readonly message: string } => {
  const single = attribute.type === "radioButton" || attribute.multiselect === false
  if (single && values.length > 1) return { message: "takes one choice only" }
  if (attribute.listTitles.length === 0) {
    return values.every((value) => !Encoding.isObject(value) || hasValue(value))
      ? { values }
      : { message: "must be the value of a choice, or an object that has it as `value`" }
  }
  const byValue = new Map<string, ListTitle>()
  for (const choice of attribute.listTitles) byValue.set(String(choice.value), choice)
  const out: Array<unknown> = []
  for (const value of values) {
    const choice = byValue.get(choiceKey(value))
    if (choice === undefined) return { message: "must be one of the form's choices" }
    out.push(Encoding.isObject(value) && hasValue(value) ? value : choice.value)
  }
  return { values: out }
}

const plainText = (u: unknown): string => {
  const blocks: ReadonlyArray<unknown> = Array.isArray(u) ? u : [u]
  return blocks
    .map((block) => {
      if (!Encoding.isObject(block)) return ""
      const { plainValue, htmlValue, mdValue } = block
      return String(plainValue ?? htmlValue ?? mdValue ?? "")
    })
    .join("\n")
}

const subject = (type: string, encoded: unknown): Validators.Subject => {
  switch (type) {
    case "string":
      return { _tag: "Text", text: String(encoded) }
    case "integer":
    case "float":
    case "real":
      return { _tag: "Number", number: Number(encoded), text: String(encoded) }
    case "text":
    case "textWithHeader":
      return { _tag: "Text", text: plainText(encoded) }
    case "list":
    case "radioButton": {
      const values = (Array.isArray(encoded) ? encoded : [encoded]).map(choiceKey)
      return { _tag: "Choices", values, text: type === "radioButton" ? values[0] : undefined }
    }
    case "date":
    case "dateTime":
    case "time": {
      const at = Encoding.isObject(encoded) ? Dates.from(encoded["fullDate"]) : undefined
      return at === undefined ? { _tag: "Other" } : { _tag: "Date", at }
    }
    case "image":
    case "groupOfImages":
    case "file":
      return { _tag: "Files", files: Array.isArray(encoded) ? encoded : [encoded] }
    default:
      if (typeof encoded === "number") return { _tag: "Number", number: encoded, text: String(encoded) }
      return typeof encoded === "string" ? { _tag: "Text", text: encoded } : { _tag: "Other" }
  }
}

const isBlank = (u: unknown): boolean =>
  (typeof u === "string" && u.trim() === "") || (Array.isArray(u) && u.length === 0)

/** Checks one field. */
const checkField = (attribute: FormAttribute, input: unknown, required: boolean, fileQuery?: unknown): Checked => {
  const { type } = attribute
  if (type === "button") return nothing
  const value = normalise(attribute, input)
  // The server reads a required field of white space, or of a list of nothing, as an empty one.
  if (required && isBlank(Encoding.reveal(value))) return { issues: [missing(attribute)] }
  const encoded = Encoding.encodeValue(type, value, fileQuery)
  if (encoded._tag === "Empty") return required ? { issues: [missing(attribute)] } : nothing
  if (encoded._tag === "Invalid") {
    const custom =
      type === "integer" || type === "float" || type === "real" ? customText(attribute, "Number") : undefined
    return { issues: [issue(attribute, encoded.code, custom ?? encoded.message)] }
  }
  let wire: unknown = encoded._tag === "Upload" ? encoded.files : encoded.value
  if (type === "list" || type === "radioButton") {
    const matched = matchChoices(attribute, Array.isArray(wire) ? wire : [wire])
    if ("message" in matched) return { issues: [issue(attribute, "type", matched.message)] }
    wire = matched.values
  }
  const looked = subject(type, wire)
  const issues: Array<FormIssue> = []
  for (const { customErrorText, name, rule } of attribute.rules.validators) {
    const message = Validators.check(rule, looked)
    if (message !== undefined) issues.push(issue(attribute, "validator", customErrorText ?? message, name))
  }
  if (issues.length > 0) return { issues }
  // Encoding opens secrets; a value that was one is handed on closed.
  const keep = Redacted.isRedacted(value) || type === "spam"
  return {
    passed: {
      attribute,
      value: keep ? value : isText(type, wire) ? [wire] : wire,
      ...(encoded._tag === "Upload" ? { fileQuery: encoded.fileQuery } : undefined)
    },
    issues
  }
}

/** A form knows that its server is one that has forms of today: a text goes as an array of one. */
const isText = (type: string, wire: unknown): boolean =>
  (type === "text" || type === "textWithHeader") && !Array.isArray(wire)

/** The value of a field as text, for comparing one field with another. */
const comparable = (passed: Passed): string | undefined => {
  const { type } = passed.attribute
  const value = Encoding.reveal(passed.value)
  const looked = subject(type, value)
  switch (looked._tag) {
    case "Text":
    case "Number":
      return looked.text
    case "Date":
      return Dates.iso(looked.at)
    case "Choices":
      return looked.values.join("\n")
    case "Files":
    case "Other":
      return undefined
  }
}

/** The validators that relate two fields; fields with issues of their own, or empty, are left alone. */
const checkComparisons = (passed: ReadonlyMap<string, Passed>): ReadonlyArray<FormIssue> => {
  const issues: Array<FormIssue> = []
  for (const field of passed.values()) {
    for (const { customErrorText, name, rule } of field.attribute.rules.validators) {
      if (rule._tag !== "Comparison") continue
      const other = passed.get(rule.marker)
      const left = comparable(field)
      const right = other === undefined ? undefined : comparable(other)
      if (other === undefined || left === undefined || right === undefined) continue
      if (!Validators.compare(rule.comparison, left, right)) {
        issues.push(
          issue(field.attribute, "validator", customErrorText ?? `does not go with ${other.attribute.title}`, name)
        )
      }
    }
  }
  return issues
}

/** An attribute and whether it must be filled in. */
export interface Demand {
  readonly attribute: FormAttribute
  readonly required: boolean
}

const queryFor = (option: FileQueryOption | undefined, attribute: FormAttribute): unknown =>
  typeof option === "function" ? (isFileType(attribute.type) ? option(attribute) : undefined) : option

/** What a whole form came to. */
export interface Outcome {
  readonly passed: ReadonlyMap<string, Passed>
  readonly issues: ReadonlyArray<FormIssue>
}

/** Checks the values of a form; a marker that the form has not is an issue, since the server would refuse it. */
export const checkValues = (
  demands: ReadonlyArray<Demand>,
  values: FormValues,
  fileQuery: FileQueryOption | undefined,
  known: (marker: string) => boolean
): Outcome => {
  const issues: Array<FormIssue> = []
  const passed = new Map<string, Passed>()
  if (!Encoding.isObject(values)) {
    issues.push({ marker: "", message: "values must be an object of values by marker", code: "type" })
    return { passed, issues }
  }
  for (const { attribute, required } of demands) {
    const checked = checkField(attribute, own(values, attribute.marker), required, queryFor(fileQuery, attribute))
    issues.push(...checked.issues)
    if (checked.passed !== undefined) passed.set(attribute.marker, checked.passed)
  }
  for (const marker of Object.keys(values)) {
    if (!known(marker)) {
      issues.push({
        marker,
        message: "the form has no such field; leave it out or correct its marker",
        code: "unknownMarker"
      })
    }
  }
  issues.push(...checkComparisons(passed))
  return { passed, issues }
}

/** A checked field as `FormField`: `type` decides the type of `value`, which `encodeValue` has established. */
export const toFormField = (passed: Passed): FormField => {
  const { attribute, fileQuery, value } = passed
  const field = {
    marker: attribute.marker,
    type: attribute.type,
    value,
    ...(fileQuery === undefined ? undefined : { fileQuery })
  }
  // The type and its value come from data, and were checked as such: no narrower type can be inferred.
  return field as FormField
}

/** A schema of the values of a form, one key a field; its type is that of the values themselves. */
export const toSchema = (
  demands: ReadonlyArray<Demand>,
  fileQuery: FileQueryOption | undefined
): Schema.Codec<FormValues> => {
  const shape: Record<string, Schema.Codec<unknown> | Schema.optional<Schema.Codec<unknown>>> = Object.create(null)
  const demanded = new Map<string, Demand>()
  for (const demand of demands) {
    const { attribute, required } = demand
    if (attribute.type === "button" || demanded.has(attribute.marker)) continue
    demanded.set(attribute.marker, demand)
    const query = queryFor(fileQuery, attribute)
    const field: Schema.Codec<unknown> = Schema.Unknown.annotate({ title: attribute.title }).check(
      Schema.makeFilter((value: unknown) =>
        checkField(attribute, value, required, query).issues.map(({ message }): Schema.FilterIssue => ({
          path: [],
          issue: message
        }))
      )
    )
    shape[attribute.marker] = required
      ? field.pipe(Schema.annotateKey({ messageMissingKey: missing(attribute).message }))
      : Schema.optional(field)
  }
  const comparing = demands.some(
    ({ attribute }) => Validators.find(attribute.rules.validators, "Comparison") !== undefined
  )
  const struct: Schema.Codec<FormValues> = Schema.Struct(shape)
  if (!comparing) return struct
  return struct.check(
    Schema.makeFilter((values: FormValues) => {
      const passed = new Map<string, Passed>()
      for (const { attribute, required } of demanded.values()) {
        const query = queryFor(fileQuery, attribute)
        const checked = checkField(attribute, own(values, attribute.marker), required, query)
        if (checked.passed !== undefined) passed.set(attribute.marker, checked.passed)
      }
      return checkComparisons(passed).map(({ marker, message }): Schema.FilterIssue => ({
        path: [marker],
        issue: message
      }))
    })
  )
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers of the server
// ---------------------------------------------------------------------------------------------------------------------

const maxMessage = 2_000

const quoted = /marker '([^']+)'/g
const listed = /^required values are missing or incorrect:\s*(.+)$/i
const path = /\bnotificationData\.(email|phoneSMS|phonePush)\b/

const markersIn = (message: string, attributes: ReadonlyArray<FormAttribute>): ReadonlyArray<string> => {
  const markers = Array.from(message.matchAll(quoted), (match) => match[1] ?? "").filter((marker) => marker !== "")
  if (markers.length > 0) return markers
  const list = listed.exec(message)?.[1]
  if (list !== undefined)
    return list
      .split(",")
      .map((marker) => marker.trim().replace(/^['"]|['"]$/g, ""))
      .filter((m) => m !== "")
  if (/spam attribute|captcha/i.test(message)) {
    return attributes.filter((attribute) => attribute.type === "spam").map((attribute) => attribute.marker)
  }
  const contact = path.exec(message)?.[1]
  const flag =
    contact === "email"
      ? "isNotificationEmail"
      : contact === "phoneSMS"
        ? "isNotificationPhoneSMS"
        : contact === "phonePush"
          ? "isNotificationPhonePush"
          : undefined
  return flag === undefined
    ? []
    : attributes.filter((attribute) => attribute[flag]).map((attribute) => attribute.marker)
}

/** The first words of the form itself for a field that the server refused without saying why. */
const formText = (attribute: FormAttribute | undefined): string | undefined =>
  attribute?.rules.validators.find((validator) => validator.customErrorText !== undefined)?.customErrorText

/** The issues in the messages of a refusal that name a field; empty when none does. */
export const serverIssues = (
  messages: ReadonlyArray<string>,
  attributes: ReadonlyArray<FormAttribute>
): ReadonlyArray<FormIssue> => {
  const issues: Array<FormIssue> = []
  const seen = new Set<string>()
  for (const long of messages) {
    const message = long.slice(0, maxMessage)
    for (const marker of markersIn(message, attributes)) {
      if (seen.has(marker)) continue
      seen.add(marker)
      const attribute = attributes.find((candidate) => candidate.marker === marker)
      issues.push({ marker, message: formText(attribute) ?? message, code: "server" })
    }
  }
  return issues
}
