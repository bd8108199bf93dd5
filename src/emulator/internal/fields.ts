/** Checks of submitted form values against a form: markers, presence, types, validators, captcha. */
import type * as Messages from "../Messages.ts"
import type * as Project from "../Project.ts"
import type { FormData } from "../Snapshot.ts"
import { credentialFields } from "./backend.ts"
import { type Refusal, refusal } from "./refusal.ts"

type Item = FormData[string][number]

export const localeOf = (project: Project.Project, langCode: string): string | undefined =>
  project.languages.find((language) => language === langCode)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isBlank = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === "string" && value.trim() === "") ||
  (Array.isArray(value) && value.length === 0)

const numberOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined
  if (typeof value !== "string" || !/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(value)) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

const isDate = (value: unknown): boolean => typeof value === "string" && !Number.isNaN(Date.parse(value))

const onlyKeys = (value: Readonly<Record<string, unknown>>, keys: ReadonlyArray<string>): boolean =>
  Object.keys(value).every((key) => keys.includes(key))

// -- values by type -----------------------------------------------------------

const textBlock = (value: unknown, header: boolean): boolean => {
  if (!isObject(value)) return false
  const contents = ["plainValue", "htmlValue", "mdValue"].filter((key) => value[key] !== undefined)
  return (
    contents.length === 1 &&
    typeof value[contents[0] ?? ""] === "string" &&
    (!header || value["header"] === undefined || typeof value["header"] === "string") &&
    onlyKeys(value, ["plainValue", "htmlValue", "mdValue", "params", ...(header ? ["header"] : [])])
  )
}

// A list of one block; the documents of the SDK show the bare block.
const text = (value: unknown, header: boolean): boolean =>
  Array.isArray(value) ? value.length === 1 && textBlock(value[0], header) : textBlock(value, header)

const choiceOf = (value: unknown): string | undefined => {
  const raw = isObject(value) ? value["value"] : value
  return typeof raw === "string" || typeof raw === "number" ? String(raw) : undefined
}

const titlesOf = (attribute: Project.Attribute): ReadonlyArray<string> => {
  const titles = attribute.listTitles
  const all = isList(titles) ? titles : Object.values(titles).flat()
  // a choice without a value goes by its title
  return all.map(({ title, value }) => String(value ?? title))
}

export const isList = <A>(
  value: ReadonlyArray<A> | Readonly<Record<string, ReadonlyArray<A>>>
): value is ReadonlyArray<A> => Array.isArray(value)

const choices = (attribute: Project.Attribute, value: ReadonlyArray<unknown>): boolean => {
  const allowed = titlesOf(attribute)
  return value.every((item) => {
    const choice = choiceOf(item)
    return choice !== undefined && (allowed.length === 0 || allowed.includes(choice))
  })
}

const entity = (value: unknown): boolean => {
  if (typeof value === "number") return Number.isInteger(value)
  if (typeof value === "string") return /^(\d+|p-\d+-\d+)$/.test(value)
  return isObject(value) && entity(value["id"])
}

const file = (value: unknown, switches: Project.Switches): boolean =>
  isObject(value) &&
  typeof value["filename"] === "string" &&
  value["filename"] !== "" &&
  typeof value["downloadLink"] === "string" &&
  typeof value["size"] === "number" &&
  onlyKeys(value, [
    "filename",
    "downloadLink",
    "size",
    "previewLink",
    "defaultPreview",
    "params",
    ...(switches.fileContentType === "accept" ? ["contentType"] : [])
  ])

const hasType = (attribute: Project.Attribute, value: unknown, switches: Project.Switches): boolean => {
  switch (attribute.type) {
    case "string":
      return typeof value === "string"
    case "integer": {
      const number = numberOf(value)
      return number !== undefined && Number.isInteger(number)
    }
    case "float":
    case "real":
      return numberOf(value) !== undefined
    case "date":
    case "dateTime":
    case "time":
      return (
        isObject(value) &&
        isDate(value["fullDate"]) &&
        typeof value["formattedValue"] === "string" &&
        typeof value["formatString"] === "string"
      )
    case "text":
      return text(value, false)
    case "textWithHeader":
      return text(value, true)
    case "list":
      return Array.isArray(value) && choices(attribute, value) && (attribute.multiselect !== false || value.length <= 1)
    case "radioButton":
      return Array.isArray(value) ? value.length === 1 && choices(attribute, value) : choices(attribute, [value])
    case "entity":
      return Array.isArray(value) && value.every(entity)
    case "timeInterval":
      return (
        Array.isArray(value) &&
        value.every((pair) => Array.isArray(pair) && pair.length === 2 && isDate(pair[0]) && isDate(pair[1]))
      )
    case "image":
    case "groupOfImages":
    case "file":
      return Array.isArray(value) && value.every((item) => file(item, switches))
    case "spam":
      return isObject(value) && isObject(value["event"])
    case "button":
      return false
    case "json":
      return true
  }
}

// -- validators ---------------------------------------------------------------

/** A bound that is set: numbers may be strings, and `0` and `""` mean "not set". */
const bound = (value: unknown): number | undefined => {
  const number = numberOf(value)
  return number === undefined || number === 0 ? undefined : number
}

const on = (value: unknown): boolean => value !== undefined && value !== false

/** A bound of lengths or places: nothing has fewer than none. */
const count = (value: unknown): number | undefined => {
  const number = bound(value)
  return number === undefined || number < 0 ? undefined : number
}

/** How many decimals a number has, however it is written: `1.50` has one, `1e-7` seven. */
const decimals = (value: string | number): number => {
  const [digits = "", exponent = "0"] = String(value).trim().toLowerCase().split("e")
  const [, fraction = ""] = digits.split(".")
  return Math.max(0, fraction.replace(/0+$/, "").length - Number(exponent))
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** `#` and `9` are digits; the admin writes a space as `[[space]]`, and the sign before a country code as `$`. */
const maskOf = (mask: string, hint: string): RegExp => {
  let source = ""
  for (const [token] of mask.matchAll(/\[\[space\]\]|[^]/gu)) {
    if (token === "[[space]]") source += " "
    else source += token === "#" || token === "9" ? "\\d" : token === "$" ? "[+$]" : literal(token)
  }
  return new RegExp(`^(${literal(hint)})?${source}$`)
}

/** The first list, number or text in a payload whose shape no source describes; texts for people are not settings. */
const within = (payload: unknown, pick: (value: unknown) => boolean): unknown =>
  isObject(payload)
    ? Object.entries(payload).find(
        ([key, value]) => key !== "customErrorText" && key !== "errorMessage" && pick(value)
      )?.[1]
    : undefined

/** What a comparison wants of two values by its word for it; numbers are compared as such, all else as text. */
const compares = (word: string, left: string, right: string): boolean => {
  const a = numberOf(left)
  const b = numberOf(right)
  const order = a !== undefined && b !== undefined ? Math.sign(a - b) : left === right ? 0 : left < right ? -1 : 1
  switch (word) {
    case "!=":
    case "!==":
    case "notEqual":
    case "neq":
      return left !== right
    case "<":
    case "less":
    case "lt":
      return order < 0
    case "<=":
    case "lte":
      return order <= 0
    case ">":
    case "greater":
    case "gt":
      return order > 0
    case ">=":
    case "gte":
      return order >= 0
    default:
      return left === right
  }
}

const isPlain = (value: unknown): value is string | number => typeof value === "string" || typeof value === "number"

const isUrl = (text: string): boolean => {
  try {
    return /^https?:$/.test(new URL(text).protocol)
  } catch {
    return false
  }
}

/** Only the validators that the real server enforces. */
const valid = (validators: Project.Validators, raw: unknown, other: (marker: string) => unknown): boolean => {
  if (!isPlain(raw)) return true
  if (on(validators.booleanValidator) && !/^(true|false|0|1)$/.test(String(raw))) return false
  const value = typeof raw === "string" && on(validators.trimValidator) ? raw.trim() : raw
  const string = String(value)
  const length = validators.stringInspectionValidator
  if (length !== undefined) {
    const min = count(length.stringMin)
    const max = count(length.stringMax)
    const exact = count(length.stringLength)
    if (min !== undefined && string.length < min) return false
    if (max !== undefined && string.length > max) return false
    if (exact !== undefined && string.length !== exact) return false
  }
  if (on(validators.urlInspectionValidator) && !isUrl(string)) return false
  if (on(validators.emailInspectionValidator) && !/^[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+$/.test(string)) return false
  const range = validators.checkForNumberValidator
  if (range !== undefined && range !== false) {
    const number = numberOf(value)
    if (number === undefined) return false
    if (range !== true) {
      const min = bound(range.minValue)
      const max = bound(range.maxValue)
      if (range.integerOnly === true && !Number.isInteger(number)) return false
      if (min !== undefined && number < min) return false
      if (max !== undefined && number > max) return false
    }
  }
  if (on(validators.roundingNumberValidator)) {
    const places = count(within(validators.roundingNumberValidator, (item) => count(item) !== undefined))
    if (places !== undefined && (numberOf(value) === undefined || decimals(value) > places)) return false
  }
  if (on(validators.checkForAGivenList)) {
    const list = within(validators.checkForAGivenList, (item) => Array.isArray(item) && item.length > 0)
    const given = (item: unknown) => String(isObject(item) ? (item["value"] ?? item["title"]) : item)
    if (Array.isArray(list) && !list.some((item) => given(item) === string)) return false
  }
  if (on(validators.comparisonValidator)) {
    const twin = other(
      String(within(validators.comparisonValidator, (item) => typeof item === "string" && isPlain(other(item))))
    )
    const words = isObject(validators.comparisonValidator) ? validators.comparisonValidator : {}
    const word = words["comparison"] ?? words["operator"] ?? words["condition"] ?? words["type"] ?? ""
    if (isPlain(twin) && !compares(String(word), string, String(twin))) return false
  }
  const pattern = validators.regExpValidator
  if (pattern !== undefined && pattern.patternValue !== "") {
    const flags = (pattern.flags ?? []).filter((flag) => flag !== "g" && flag !== "y").join("")
    const matches = new RegExp(pattern.patternValue, flags).test(string)
    if (matches === (pattern.invert === true)) return false
  }
  const mask = validators.fieldMaskValidator
  if (mask !== undefined && mask.maskValue !== "" && !maskOf(mask.maskValue, mask.hint ?? "").test(string)) return false
  return true
}

/** Checks a login or a password against its field. */
export const checkCredential = (
  attribute: Project.Attribute | undefined,
  value: string | undefined
): Refusal | undefined => {
  if (attribute === undefined || value === undefined) return undefined
  return valid(attribute.validators, value, () => undefined) ? undefined : refusal("FieldIncorrect", [attribute.marker])
}

// -- a form -------------------------------------------------------------------

export interface Check {
  readonly form: Project.Form
  readonly formData: FormData | undefined
  readonly locale: string
  /**
   * Which fields must be there: at sign-up those of the sign-up flag, in a submission those of the required
   * validator, in a profile only those that are sent.
   */
  readonly required: "sign-up" | "submission" | "profile"
  readonly switches: Project.Switches
}

const isRequired = (attribute: Project.Attribute, mode: Check["required"]): boolean => {
  if (attribute.type === "button" || attribute.type === "spam") return false
  switch (mode) {
    case "sign-up":
      return attribute.isSignUpRequired === true
    case "submission":
      return on(attribute.validators.requiredValidator)
    case "profile":
      return false
  }
}

const captcha = (form: Project.Form, items: ReadonlyArray<Item>, mode: Check["required"]): Refusal | undefined => {
  const fields = form.attributes.filter((attribute) => attribute.type === "spam" && attribute.isVisible)
  if (fields.length === 0) return undefined
  if (fields.length > 1) return refusal("CaptchaTwice")
  const sent = items.find((item) => item.marker === fields[0]?.marker)
  if (sent === undefined) return refusal("CaptchaMissing")
  // forms of users with a captcha never pass: nothing checks it there
  return mode === "submission" ? undefined : refusal("CaptchaFailed")
}

const captchaToken = (value: unknown): string => {
  const event = isObject(value) ? value["event"] : undefined
  const token = isObject(event) ? event["token"] : undefined
  return typeof token === "string" ? token : ""
}

const incorrect = (switches: Project.Switches, marker: string): Refusal =>
  refusal(switches.fieldWording === "marker" ? "FieldIncorrect" : "FieldsRequired", [marker])

/** How `checkItems` may refuse. */
export const fieldRefusals = [
  "FieldIncorrect",
  "FieldsRequired",
  "FieldType",
  "FieldUnknown",
  "FormDataEmpty",
  "CaptchaMissing",
  "CaptchaFailed",
  "CaptchaTwice"
] as const satisfies ReadonlyArray<Messages.Name>

/** Checks form data; gives the items of the locale, or the first refusal. */
export const checkItems = (check: Check): ReadonlyArray<Item> | Refusal => {
  const { form, formData, locale, required, switches } = check
  const locales = formData === undefined ? [] : Object.keys(formData)
  const items = formData?.[locale]
  if (formData !== undefined && (locales.length !== 1 || items === undefined)) return refusal("FormDataEmpty")
  if (required === "submission" && (items === undefined || items.length === 0)) return refusal("FormDataEmpty")
  const list = items ?? []
  const fields = new Map(form.attributes.map((attribute) => [attribute.marker, attribute]))
  // Those of a form for users come and are checked on their own; in forms older than the flag, one knows them otherwise.
  const { login, password } = credentialFields(form)
  const isPassword = (field: Project.Attribute) =>
    field.isPassword === true || (required !== "submission" && field === password)
  for (const item of list) {
    const field = fields.get(item.marker)
    // a password never belongs into form data, which is stored and shown as it is
    if (field === undefined || isPassword(field) || field.type === "button") return refusal("FieldUnknown")
  }
  const spam = captcha(form, list, required)
  if (spam !== undefined) return spam
  const byMarker = new Map(list.map((item) => [item.marker, item]))
  const ordered = [...form.attributes].sort((a, b) => (a.position ?? 0) - (b.position ?? 0))
  for (const field of ordered) {
    const elsewhere = required !== "submission" && (field === login || isPassword(field))
    if (!elsewhere && isRequired(field, required) && isBlank(byMarker.get(field.marker)?.value)) {
      return incorrect(switches, field.marker)
    }
  }
  for (const field of ordered) {
    const item = byMarker.get(field.marker)
    if (item === undefined) continue
    if (item.type !== field.type) return refusal("FieldType", [field.marker, field.type])
    if (field.type === "spam") {
      const token = captchaToken(item.value)
      if (token === "" || token === "emulator-invalid") return refusal("CaptchaFailed")
      continue
    }
    // an empty text that nobody requires is no value
    if (item.value === "" && field.type === "string") continue
    if (
      !hasType(field, item.value, switches) ||
      !valid(field.validators, item.value, (marker) => byMarker.get(marker)?.value)
    ) {
      return incorrect(switches, field.marker)
    }
  }
  return list
}
