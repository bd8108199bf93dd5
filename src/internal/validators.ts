/**
 * The eighteen validators of a form attribute, parsed into a typed model and checked.
 *
 * The server sends an object keyed by name: `true`, `{}` or a payload, numbers often as strings, `0` and `""` for
 * "unset". Nothing in here throws: a broken regular expression, an unknown name and a payload that is not understood are
 * listed as problems, and the server remains the judge.
 *
 * Regular expressions come from the project's own CMS, and run in the visitor's browser or in a server of the
 * application. JavaScript cannot bound the time of a match, so: an expression that may take exponential time (`(a+)+`) is
 * reported and not run, and a value of more than `maxTested` characters is refused instead of tested. What remains is
 * polynomial in the length of the value (`\s*\s*x`).
 */
import * as DateTime from "effect/DateTime"
import * as Dates from "./dates.ts"
import { isBlob, isObject } from "./fieldEncoding.ts"
import { isSuspicious } from "./regexps.ts"

/** The closed list of names. */
export const names = [
  "requiredValidator",
  "trimValidator",
  "stringInspectionValidator",
  "urlInspectionValidator",
  "emailInspectionValidator",
  "checkForNumberValidator",
  "roundingNumberValidator",
  "booleanValidator",
  "comparisonValidator",
  "checkForAGivenList",
  "regExpValidator",
  "fieldMaskValidator",
  "defaultValueValidator",
  "sizeInPixelsValidator",
  "checkingFilesValidator",
  "minMaxDateValidator",
  "valueValidator",
  "checkForLettersValidator"
] as const

/**
 * The name of a validator that this package knows.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const name: FormSchema.ValidatorName = "emailInspectionValidator"
 * console.log(name)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type ValidatorName = (typeof names)[number]

/** Those that a submission is not refused for: the server stores them for the client to check. */
const clientOnly: ReadonlySet<string> = new Set<ValidatorName>([
  "sizeInPixelsValidator",
  "checkingFilesValidator",
  "minMaxDateValidator",
  "valueValidator",
  "checkForLettersValidator",
  "defaultValueValidator"
])

/** How a comparison relates two fields. */
export type Comparison = "equal" | "notEqual" | "less" | "lessOrEqual" | "greater" | "greaterOrEqual"

/**
 * What a validator demands.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const bound = (rule: FormSchema.Rule) => rule._tag === "StringLength" ? rule.max : undefined
 * console.log(bound({ _tag: "StringLength", max: 20 })) // => 20
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Rule =
  | { readonly _tag: "Required"; readonly strict: boolean }
  | { readonly _tag: "Trim" }
  | { readonly _tag: "StringLength"; readonly min?: number; readonly max?: number; readonly exact?: number }
  | { readonly _tag: "Url" }
  | { readonly _tag: "Email" }
  | { readonly _tag: "Number"; readonly integerOnly: boolean; readonly min?: number; readonly max?: number }
  | { readonly _tag: "Rounding"; readonly decimals: number }
  | { readonly _tag: "Boolean" }
  | { readonly _tag: "Comparison"; readonly marker: string; readonly comparison: Comparison }
  | { readonly _tag: "GivenList"; readonly allowed: ReadonlyArray<string> }
  | { readonly _tag: "RegExp"; readonly regExp: RegExp; readonly invert: boolean }
  | { readonly _tag: "Mask"; readonly mask: string; readonly hint: string; readonly regExp: RegExp }
  | { readonly _tag: "Default"; readonly value: unknown; readonly second: unknown }
  | { readonly _tag: "SizeInPixels"; readonly maxX?: number; readonly maxY?: number }
  | { readonly _tag: "Files"; readonly maxBytes?: number; readonly extensions: ReadonlyArray<string> }
  | { readonly _tag: "MinMaxDate"; readonly min?: DateTime.DateTime; readonly max?: DateTime.DateTime }
  | { readonly _tag: "Value"; readonly min?: number; readonly max?: number }
  | { readonly _tag: "Letters" }

/**
 * A validator of one attribute.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const enforced = (attribute: FormSchema.FormAttribute) =>
 *   attribute.rules.validators.filter((validator: FormSchema.Validator) => validator.enforcedByServer)
 * console.log(typeof enforced)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Validator {
  readonly name: ValidatorName
  readonly rule: Rule
  /** Whether the server refuses a submission for it; a `false` one is checked here only. */
  readonly enforcedByServer: boolean
  /** The form's own words (`customErrorText`, in older forms `errorMessage`). */
  readonly customErrorText?: string
}

/**
 * Something about a form's definition that this package could not use.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const problem: FormSchema.ValidatorProblem = { validator: "futureValidator", message: "unknown validator" }
 * console.log(problem.validator)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface ValidatorProblem {
  readonly validator: string
  readonly message: string
}

/** The validators of an attribute, and what was wrong with their definition. */
export interface Parsed {
  readonly validators: ReadonlyArray<Validator>
  readonly problems: ReadonlyArray<ValidatorProblem>
}

// ---------------------------------------------------------------------------------------------------------------------
// Parsing
// ---------------------------------------------------------------------------------------------------------------------

/** A number that may come as a string; `0`, `""` and what is no number are "unset". */
const setNumber = (u: unknown): number | undefined => {
  const n = typeof u === "string" ? (u.trim() === "" ? 0 : Number(u)) : u
  return typeof n === "number" && Number.isFinite(n) && n !== 0 ? n : undefined
}

const setLength = (u: unknown): number | undefined => {
  const n = setNumber(u)
  return n === undefined || n < 0 ? undefined : n
}

const first = <A>(
  payload: { readonly [key: string]: unknown },
  keys: ReadonlyArray<string>,
  f: (u: unknown) => A | undefined
): A | undefined => {
  for (const key of keys) {
    const found = f(payload[key])
    if (found !== undefined) return found
  }
  return undefined
}

const text = (u: unknown): string | undefined => (typeof u === "string" && u !== "" ? u : undefined)

const date = (u: unknown): DateTime.DateTime | undefined =>
  isObject(u) && "fullDate" in u ? Dates.from(u["fullDate"]) : u === "" || u === 0 ? undefined : Dates.from(u)

const stringList = (u: unknown): ReadonlyArray<string> | undefined => {
  if (typeof u === "string") {
    const items = u
      .split(/[,;\n]/)
      .map((item) => item.trim())
      .filter((item) => item !== "")
    return items.length === 0 ? undefined : items
  }
  if (!Array.isArray(u)) return undefined
  const items: Array<string> = []
  for (const item of u) {
    const value: unknown = isObject(item) ? (item["value"] ?? item["title"]) : item
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") items.push(String(value))
  }
  return items.length === 0 ? undefined : items
}

const units: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

const comparisons: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ["", "equal"],
  ["=", "equal"],
  ["==", "equal"],
  ["===", "equal"],
  ["equal", "equal"],
  ["equals", "equal"],
  ["eq", "equal"],
  ["!=", "notEqual"],
  ["!==", "notEqual"],
  ["notEqual", "notEqual"],
  ["neq", "notEqual"],
  ["<", "less"],
  ["less", "less"],
  ["lt", "less"],
  ["<=", "lessOrEqual"],
  ["lte", "lessOrEqual"],
  [">", "greater"],
  ["greater", "greater"],
  ["gt", "greater"],
  [">=", "greaterOrEqual"],
  ["gte", "greaterOrEqual"]
])

const maxPatternLength = 2_000

const allowedFlags = "imsuv"

const parseRegExp = (payload: {
  readonly [key: string]: unknown
}):
  | { readonly _tag: "Rule"; readonly rule: Rule }
  | { readonly _tag: "Problem"; readonly message: string }
  | undefined => {
  const source = text(payload["patternValue"])
  if (source === undefined) return undefined
  if (source.length > maxPatternLength) return { _tag: "Problem", message: "the regular expression is too long to run" }
  if (isSuspicious(source)) {
    return {
      _tag: "Problem",
      message: "the regular expression can run for ever (a repetition repeated); only the server runs it"
    }
  }
  const given = payload["flags"]
  const letters =
    typeof given === "string" ? given : Array.isArray(given) ? given.filter((f) => typeof f === "string").join("") : ""
  // "g" and "y" only carry state from match to match; the rest of the letters must be ones that exist.
  const flags = [...new Set(letters)].filter((flag) => allowedFlags.includes(flag)).join("")
  try {
    return {
      _tag: "Rule",
      rule: { _tag: "RegExp", regExp: new RegExp(source, flags), invert: payload["invert"] === true }
    }
  } catch {
    return { _tag: "Problem", message: "the regular expression is broken; correct it in the admin panel" }
  }
}

/** `#` and `9` are digits, `[[space]]` a space, `$` the sign before a country code; all else stands for itself. */
const maskRegExp = (mask: string, hint: string): RegExp => {
  const escape = (s: string): string => s.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")
  let pattern = ""
  let rest = mask
  while (rest !== "") {
    if (rest.startsWith("[[space]]")) {
      pattern += " "
      rest = rest.slice("[[space]]".length)
      continue
    }
    const c = rest.charAt(0)
    pattern += c === "#" || c === "9" ? "\\d" : c === "$" ? "[+$]" : escape(c)
    rest = rest.slice(1)
  }
  return new RegExp(`^(?:${escape(hint)})?${pattern}$`)
}

type Outcome =
  | { readonly _tag: "Rule"; readonly rule: Rule }
  | { readonly _tag: "Problem"; readonly message: string }
  /** Present, and demands nothing. */
  | undefined

const rule = (rule: Rule): Outcome => ({ _tag: "Rule", rule })
const notUnderstood: Outcome = {
  _tag: "Problem",
  message: "its settings were not understood; only the server checks it"
}

const parseOne = (name: ValidatorName, payload: { readonly [key: string]: unknown }): Outcome => {
  switch (name) {
    case "requiredValidator":
      return rule({ _tag: "Required", strict: payload["strict"] === true })
    case "trimValidator":
      return rule({ _tag: "Trim" })
    case "stringInspectionValidator": {
      const min = setLength(payload["stringMin"])
      const max = setLength(payload["stringMax"])
      const exact = setLength(payload["stringLength"])
      if (min === undefined && max === undefined && exact === undefined) return undefined
      return rule({
        _tag: "StringLength",
        ...(min === undefined ? undefined : { min }),
        ...(max === undefined ? undefined : { max }),
        ...(exact === undefined ? undefined : { exact })
      })
    }
    case "urlInspectionValidator":
      return rule({ _tag: "Url" })
    case "emailInspectionValidator":
      return rule({ _tag: "Email" })
    case "checkForNumberValidator": {
      const min = setNumber(payload["minValue"])
      const max = setNumber(payload["maxValue"])
      return rule({
        _tag: "Number",
        integerOnly: payload["integerOnly"] === true || payload["integerOnly"] === "true",
        ...(min === undefined ? undefined : { min }),
        ...(max === undefined ? undefined : { max })
      })
    }
    case "roundingNumberValidator": {
      const keys = ["precision", "decimals", "digits", "fractionDigits", "roundingNumber", "roundingValue", "value"]
      const decimals = first(payload, keys, setLength)
      if (decimals !== undefined) return rule({ _tag: "Rounding", decimals })
      return keys.some((key) => key in payload) || Object.keys(payload).length === 0 ? undefined : notUnderstood
    }
    case "booleanValidator":
      return rule({ _tag: "Boolean" })
    case "comparisonValidator": {
      const marker = first(payload, ["marker", "fieldMarker", "attributeMarker", "compareWith", "field"], text)
      if (marker === undefined) return Object.keys(payload).length === 0 ? undefined : notUnderstood
      const word = first(payload, ["comparison", "operator", "condition", "type"], text) ?? ""
      const comparison = comparisons.get(word)
      return comparison === undefined ? notUnderstood : rule({ _tag: "Comparison", marker, comparison })
    }
    case "checkForAGivenList": {
      const keys = ["list", "values", "items", "givenList", "allowed", "listValues"]
      const allowed = first(payload, keys, stringList)
      if (allowed !== undefined) return rule({ _tag: "GivenList", allowed })
      return keys.some((key) => key in payload) || Object.keys(payload).length === 0 ? undefined : notUnderstood
    }
    case "regExpValidator":
      return parseRegExp(payload)
    case "fieldMaskValidator": {
      const mask = text(payload["maskValue"])
      const hint = text(payload["hint"]) ?? ""
      return mask === undefined
        ? undefined
        : mask.length > 200
          ? { _tag: "Problem", message: "the mask is too long" }
          : rule({ _tag: "Mask", mask, hint, regExp: maskRegExp(mask, hint) })
    }
    case "defaultValueValidator":
      return rule({
        _tag: "Default",
        value: payload["fieldDefaultValue"] ?? undefined,
        second: payload["fieldDefaultValue2"] ?? undefined
      })
    case "sizeInPixelsValidator": {
      const maxX = setLength(payload["maxX"])
      const maxY = setLength(payload["maxY"])
      if (maxX === undefined && maxY === undefined) return undefined
      return rule({
        _tag: "SizeInPixels",
        ...(maxX === undefined ? undefined : { maxX }),
        ...(maxY === undefined ? undefined : { maxY })
      })
    }
    case "checkingFilesValidator": {
      const size = setLength(payload["maxValue"])
      const word = (text(payload["maxUnits"]) ?? "b").toLowerCase()
      const unit = Object.hasOwn(units, word) ? units[word] : undefined
      if (size !== undefined && unit === undefined) return notUnderstood
      const extensions = (stringList(payload["extensions"]) ?? []).map((extension) =>
        extension.toLowerCase().replace(/^\*?\.?/, "")
      )
      if (size === undefined && extensions.length === 0) return undefined
      return rule({
        _tag: "Files",
        extensions,
        ...(size === undefined || unit === undefined ? undefined : { maxBytes: size * unit })
      })
    }
    case "minMaxDateValidator": {
      const min = first(payload, ["minDate", "min", "dateFrom", "from", "minValue"], date)
      const max = first(payload, ["maxDate", "max", "dateTo", "to", "maxValue"], date)
      if (min === undefined && max === undefined) return undefined
      return rule({
        _tag: "MinMaxDate",
        ...(min === undefined ? undefined : { min }),
        ...(max === undefined ? undefined : { max })
      })
    }
    case "valueValidator": {
      const min = first(payload, ["minValue", "min"], setNumber)
      const max = first(payload, ["maxValue", "max"], setNumber)
      if (min === undefined && max === undefined) {
        return Object.values(payload).some((v) => v !== "" && v !== 0 && v !== null) ? notUnderstood : undefined
      }
      return rule({
        _tag: "Value",
        ...(min === undefined ? undefined : { min }),
        ...(max === undefined ? undefined : { max })
      })
    }
    case "checkForLettersValidator":
      return rule({ _tag: "Letters" })
  }
}

const known: ReadonlySet<string> = new Set(names)
const isKnown = (name: string): name is ValidatorName => known.has(name)

/** Reads the `validators` of an attribute. Own keys only; what is unknown or broken is listed, never thrown. */
export const parse = (raw: unknown): Parsed => {
  const validators: Array<Validator> = []
  const problems: Array<ValidatorProblem> = []
  if (!isObject(raw)) return { validators, problems }
  for (const name of Object.keys(raw)) {
    const given = raw[name]
    // `false` and `null` switch a validator off; `true` is the same as `{}`.
    if (given === false || given === null || given === undefined) continue
    if (!isKnown(name)) {
      problems.push({ validator: name, message: "unknown validator; only the server checks it" })
      continue
    }
    const payload = isObject(given) ? given : {}
    const outcome = parseOne(name, payload)
    if (outcome === undefined) continue
    if (outcome._tag === "Problem") {
      problems.push({ validator: name, message: outcome.message })
      continue
    }
    const customErrorText = text(payload["customErrorText"]) ?? text(payload["errorMessage"])
    validators.push({
      name,
      rule: outcome.rule,
      enforcedByServer: !clientOnly.has(name),
      ...(customErrorText === undefined ? undefined : { customErrorText })
    })
  }
  return { validators, problems }
}

/** The rule of a tag, if the attribute has it. */
export const find = <T extends Rule["_tag"]>(
  validators: ReadonlyArray<Validator>,
  tag: T
): Extract<Rule, { readonly _tag: T }> | undefined => {
  for (const validator of validators) if (isRule(validator.rule, tag)) return validator.rule
  return undefined
}

const isRule = <T extends Rule["_tag"]>(rule: Rule, tag: T): rule is Extract<Rule, { readonly _tag: T }> =>
  rule._tag === tag

// ---------------------------------------------------------------------------------------------------------------------
// Checking
// ---------------------------------------------------------------------------------------------------------------------

/** The longest value that a regular expression is run on. */
export const maxTested = 10_000

/** What the validators look at: the value of a field, by its nature, never empty. */
export type Subject =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Number"; readonly number: number; readonly text: string }
  /** `text` where there can be one choice only. */
  | { readonly _tag: "Choices"; readonly values: ReadonlyArray<string>; readonly text?: string | undefined }
  | { readonly _tag: "Date"; readonly at: DateTime.DateTime }
  | { readonly _tag: "Files"; readonly files: ReadonlyArray<unknown> }
  | { readonly _tag: "Other" }

const emailPattern =
  /^(?=[^@]{1,64}@)[^\s@"(),:;<>[\]\\.]{1,64}(?:\.[^\s@"(),:;<>[\]\\.]{1,64}){0,16}@[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?){1,8}$/u

/** An e-mail address as forms mean it: a local part, one `@`, a domain with a dot. */
export const isEmail = (value: string): boolean => value.length <= 254 && emailPattern.test(value)

const isUrl = (value: string): boolean => {
  if (value.length > 8_192 || !/^https?:\/\/[^\s]+$/i.test(value)) return false
  try {
    return new URL(value).hostname !== ""
  } catch {
    return false
  }
}

const toNumber = (value: string): number | undefined => {
  if (value.length > 400 || !/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?\s*$/.test(value)) return undefined
  const n = Number(value)
  return Number.isFinite(n) ? n : undefined
}

const decimalsOf = (value: string): number => {
  const [digits = "", exponent = "0"] = value.trim().toLowerCase().split("e")
  const fraction = digits.split(".")[1] ?? ""
  return Math.max(0, fraction.replace(/0+$/, "").length - Number(exponent))
}

const inRange = (n: number, min: number | undefined, max: number | undefined): boolean =>
  (min === undefined || n >= min) && (max === undefined || n <= max)

const range = (min: number | string | undefined, max: number | string | undefined): string =>
  min === undefined ? `at most ${max}` : max === undefined ? `at least ${min}` : `between ${min} and ${max}`

const extensionOf = (name: string): string => {
  const dot = name.lastIndexOf(".")
  return dot < 0 ? "" : name.slice(dot + 1).toLowerCase()
}

const checkFile = (file: unknown, rule: Extract<Rule, { readonly _tag: "Files" }>): string | undefined => {
  if (!isObject(file) && !isBlob(file)) return undefined
  const size: unknown = file.size
  if (rule.maxBytes !== undefined && typeof size === "number" && size > rule.maxBytes) {
    return `a file is larger than ${rule.maxBytes} bytes`
  }
  if (rule.extensions.length === 0) return undefined
  const name: unknown = "name" in file ? file.name : "filename" in file ? file.filename : undefined
  // A Blob without a name is known by its media type only, which is compared with the extension as far as it goes.
  const extension =
    typeof name === "string"
      ? extensionOf(name)
      : "type" in file && typeof file.type === "string"
        ? (file.type.split("/")[1] ?? "").replace(/[+;].*$/, "")
        : ""
  const alike = extension === "jpeg" ? ["jpeg", "jpg"] : [extension]
  return rule.extensions.some((allowed) => alike.includes(allowed))
    ? undefined
    : `a file is of another kind than ${rule.extensions.join(", ")}`
}

/** Tells what is wrong with a value, in plain words without the value; `undefined` when nothing is. */
export const check = (rule: Rule, subject: Subject): string | undefined => {
  const text =
    subject._tag === "Text" || subject._tag === "Number" || subject._tag === "Choices" ? subject.text : undefined
  switch (rule._tag) {
    case "Required":
    case "Trim":
    case "Default":
    case "SizeInPixels":
    case "Comparison":
      return undefined
    case "StringLength": {
      if (text === undefined) return undefined
      const { length } = text
      if (rule.exact !== undefined && length !== rule.exact) return `must have exactly ${rule.exact} characters`
      return inRange(length, rule.min, rule.max) ? undefined : `must have ${range(rule.min, rule.max)} characters`
    }
    case "Url":
      return text === undefined || isUrl(text) ? undefined : "must be a web address, such as https://example.com"
    case "Email":
      return text === undefined || isEmail(text) ? undefined : "must be an e-mail address"
    case "Number": {
      if (text === undefined) return undefined
      const n = toNumber(text)
      if (n === undefined) return "must be a number"
      if (rule.integerOnly && !Number.isInteger(n)) return "must be a whole number"
      return inRange(n, rule.min, rule.max) ? undefined : `must be ${range(rule.min, rule.max)}`
    }
    case "Rounding": {
      if (text === undefined) return undefined
      if (toNumber(text) === undefined) return "must be a number"
      return decimalsOf(text) <= rule.decimals ? undefined : `must have at most ${rule.decimals} decimals`
    }
    case "Boolean":
      return text === undefined || text === "true" || text === "false" || text === "1" || text === "0"
        ? undefined
        : "must be true or false"
    case "GivenList": {
      const values = subject._tag === "Choices" ? subject.values : text === undefined ? [] : [text]
      return values.every((value) => rule.allowed.includes(value)) ? undefined : "must be one of the given values"
    }
    case "RegExp":
      if (text === undefined) return undefined
      if (text.length > maxTested) return `must have at most ${maxTested} characters`
      return rule.regExp.test(text) === rule.invert ? "has not the right format" : undefined
    case "Mask":
      return text === undefined || (text.length <= maxTested && rule.regExp.test(text))
        ? undefined
        : `must have the format ${rule.mask.replaceAll("[[space]]", " ")}`
    case "Files": {
      if (subject._tag !== "Files") return undefined
      for (const file of subject.files) {
        const message = checkFile(file, rule)
        if (message !== undefined) return message
      }
      return undefined
    }
    case "MinMaxDate": {
      if (subject._tag !== "Date") return undefined
      const early = rule.min !== undefined && DateTime.isLessThan(subject.at, rule.min)
      const late = rule.max !== undefined && DateTime.isGreaterThan(subject.at, rule.max)
      const day = (at: DateTime.DateTime | undefined) => (at === undefined ? undefined : DateTime.formatIsoDateUtc(at))
      return early || late ? `must be a date ${range(day(rule.min), day(rule.max))}` : undefined
    }
    case "Value": {
      const n = text === undefined ? undefined : toNumber(text)
      return n === undefined || inRange(n, rule.min, rule.max) ? undefined : `must be ${range(rule.min, rule.max)}`
    }
    case "Letters":
      return text === undefined || (text.length <= maxTested && /^[\p{L}\p{M}\s'’.-]*$/u.test(text))
        ? undefined
        : "must have letters only"
  }
}

/** Compares two fields; numbers as numbers, all else as text. */
export const compare = (comparison: Comparison, left: string, right: string): boolean => {
  const a = toNumber(left)
  const b = toNumber(right)
  const order = a !== undefined && b !== undefined ? Math.sign(a - b) : left === right ? 0 : left < right ? -1 : 1
  switch (comparison) {
    case "equal":
      // As text, since it is mostly a password that is compared.
      return left === right
    case "notEqual":
      return left !== right
    case "less":
      return order < 0
    case "lessOrEqual":
      return order <= 0
    case "greater":
      return order > 0
    case "greaterOrEqual":
      return order >= 0
  }
}
