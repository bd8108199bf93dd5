/**
 * Forms as data: the schema of a form definition as the server sends it, the precise domain type it becomes, and checks
 * of values against it.
 *
 * The wire differs between servers (flags that are `null` or absent, locale maps or not, `attributes` as an array or
 * `{}`, numbers as strings); the domain type does not. `SignUpForm` builds on this module what a sign-up page needs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { FileQuery, FormField } from "./FieldValue.ts"
import { isObject } from "./internal/fieldEncoding.ts"
import * as Check from "./internal/formCheck.ts"
import { FormInvalid, FormIssue, type FormIssueCode } from "./internal/formInvalid.ts"
import * as Model from "./internal/formModel.ts"
import * as Validators from "./internal/validators.ts"

export { FormInvalid, FormIssue, type FormIssueCode }
export type {
  AdditionalField,
  AttributeFlag,
  Form,
  FormAttribute,
  FormModuleConfig,
  FormTexts,
  FormType,
  ListTitle
} from "./internal/formModel.ts"
export type { FileQueryOption, FormValues } from "./internal/formCheck.ts"
export type { Rule, Validator, ValidatorName, ValidatorProblem } from "./internal/validators.ts"

// ---------------------------------------------------------------------------------------------------------------------
// Decoding
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The schema of a form on the wire, of any server. What it decodes still has all its languages: `fromWire` takes one.
 * Fails only for a form without `id` or `identifier`, or a field without `marker` or `type`.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const wire = Schema.decodeUnknownSync(FormSchema.WireForm)({ id: 4, identifier: "reg", attributes: {} })
 * console.log(FormSchema.fromWire(wire, "en_US").attributes) // => []
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const WireForm = Model.WireForm

/**
 * A form in the language of the call, its fields sorted by position.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const wire = Schema.decodeUnknownSync(FormSchema.WireForm)({
 *   id: 4,
 *   identifier: "reg",
 *   localizeInfos: { en_US: { title: "Registration" }, de_DE: { title: "Anmeldung" } }
 * })
 * console.log(FormSchema.fromWire(wire, "de_DE").localizeInfos.title) // => "Anmeldung"
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromWire: (wire: typeof WireForm.Type, langCode: string) => Model.Form = Model.toForm

/**
 * A page of forms. `total` counts all there are, where the server says it.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const markers = (page: FormSchema.FormsPage) => page.items.map((form) => form.identifier)
 * console.log(markers({ items: [], total: 0 })) // => []
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface FormsPage {
  readonly items: ReadonlyArray<Model.Form>
  readonly total?: number
}

/**
 * The schema of a page of forms on the wire: `{ items, total }`, or the bare array of older servers.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const wire = Schema.decodeUnknownSync(FormSchema.WireFormsPage)({ items: [{ id: 4, identifier: "reg" }], total: 1 })
 * console.log(FormSchema.fromWirePage(wire, "en_US").total) // => 1
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const WireFormsPage = Model.WireFormsPage

/**
 * A page of forms in the language of the call.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const wire = Schema.decodeUnknownSync(FormSchema.WireFormsPage)([{ id: 4, identifier: "reg" }])
 * console.log(FormSchema.fromWirePage(wire, "en_US").items[0]?.identifier) // => "reg"
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromWirePage = (wire: typeof WireFormsPage.Type, langCode: string): FormsPage => {
  if (!("items" in wire)) return { items: wire.map((form) => Model.toForm(form, langCode)) }
  const total = typeof wire.total === "string" ? Number(wire.total) : wire.total
  return {
    items: wire.items.map((form) => Model.toForm(form, langCode)),
    ...(typeof total === "number" && Number.isFinite(total) ? { total } : undefined)
  }
}

const decodeWire = Schema.decodeUnknownExit(WireForm)

/**
 * Decodes a form definition that was kept as JSON (a build artefact, a cache, a test).
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const form = FormSchema.decode({ id: 4, identifier: "reg", attributes: {} }, "en_US")
 * Effect.runSync(Effect.map(form, (form) => console.log(form.identifier))) // => "reg"
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (json: unknown, langCode: string): Effect.Effect<Model.Form, Schema.SchemaError> =>
  Effect.suspend(() => Exit.map(decodeWire(json), (wire) => Model.toForm(wire, langCode)))

/**
 * Whether a form is one for registration and sign-in, in either spelling.
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const form = Effect.runSync(FormSchema.decode(
 *   { id: 4, identifier: "reg", type: "sing_in_up", attributes: [{ marker: "zip", type: "string", validators: {} }] },
 *   "en_US"
 * ))
 * console.log(FormSchema.isSignUpForm(form)) // => true
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isSignUpForm = (form: Model.Form): boolean => form.type === "sing_in_up" || form.type === "sign_in_up"

/**
 * Something about a form's definition that this package could not use: its field, the validator, and why.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const line = (problem: FormSchema.FormProblem) => `${problem.marker}: ${problem.message}`
 * console.log(line({ marker: "zip", message: "unknown validator" }))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface FormProblem {
  readonly marker: string
  readonly validator?: string
  readonly message: string
}

/**
 * What is wrong with the definition itself: broken regular expressions, unknown validators, settings that were not
 * understood. None of it keeps the form from being used; the server still checks what it can.
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const form = Effect.runSync(FormSchema.decode(
 *   { id: 4, identifier: "reg", type: "sing_in_up", attributes: [{ marker: "zip", type: "string", validators: { regExpValidator: { patternValue: "([" } } }] },
 *   "en_US"
 * ))
 * console.log(FormSchema.problems(form)[0]?.validator) // => "regExpValidator"
 * ```
 *
 * @category inspecting
 * @since 0.1.0
 */
export const problems = (form: Model.Form): ReadonlyArray<FormProblem> =>
  form.attributes.flatMap((attribute) =>
    attribute.rules.problems.map(({ message, validator }) => ({ marker: attribute.marker, validator, message }))
  )

// ---------------------------------------------------------------------------------------------------------------------
// Checking
// ---------------------------------------------------------------------------------------------------------------------

/**
 * How values are checked.
 *
 * `fileQuery` says where new files belong (one query for all, or one a field); without it, a `File` or `Blob` is an
 * issue. `partial` demands no field at all, for updates.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const options: FormSchema.CheckOptions = { fileQuery: { type: "page", entity: "editor", id: 3492 }, partial: true }
 * console.log(options.partial)
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface CheckOptions {
  readonly fileQuery?: Check.FileQueryOption | undefined
  readonly partial?: boolean | undefined
}

const demands = (form: Model.Form, options: CheckOptions | undefined): ReadonlyArray<Check.Demand> =>
  form.attributes.map((attribute) => ({
    attribute,
    required: options?.partial !== true && isDemanded(attribute)
  }))

/**
 * The server wants the answer of a visible captcha, and of no other. What is required it wants of hidden fields too:
 * nothing says that hiding a field changes more than what a page shows.
 */
const isDemanded = (attribute: Model.FormAttribute): boolean =>
  attribute.type === "spam"
    ? attribute.isVisible
    : Validators.find(attribute.rules.validators, "Required") !== undefined

/** The server takes no submission of a form with two visible captchas. */
const captchaIssues = (form: Model.Form): ReadonlyArray<FormIssue> => {
  const [first, second] = form.attributes.filter(({ isVisible, type }) => type === "spam" && isVisible)
  return first === undefined || second === undefined
    ? []
    : [
        {
          marker: second.marker,
          message: `is a second captcha beside "${first.marker}": hide or remove one of them in the admin panel`,
          code: "form"
        }
      ]
}

const knows = (form: Model.Form): ((marker: string) => boolean) => {
  const markers = new Set(form.attributes.map((attribute) => attribute.marker))
  return (marker) => markers.has(marker)
}

/**
 * Checks values against a form and gives the fields to submit, empty ones left out; fails with every problem there is.
 *
 * Values are by marker, in the types of `FieldValue` or as inputs give them: dates and numbers as strings, a choice as
 * its value, files as `File`s.
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const check = (form: FormSchema.Form) =>
 *   FormSchema.validate(form, { name: "Ann", colour: ["red"] }).pipe(
 *     Effect.catchTag("FormInvalid", (error) => Effect.logInfo(error.byMarker))
 *   )
 * console.log(typeof check)
 * ```
 *
 * @category checking
 * @since 0.1.0
 */
export const validate = (
  form: Model.Form,
  values: Check.FormValues,
  options?: CheckOptions
): Effect.Effect<ReadonlyArray<FormField>, FormInvalid> =>
  Effect.suspend(() => Effect.fromResult(validateResult(form, values, options)))

/**
 * As `validate`, without an effect.
 *
 * ```ts
 * import { Effect, Result } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const form = Effect.runSync(FormSchema.decode(
 *   { id: 4, identifier: "reg", type: "sing_in_up", attributes: [{ marker: "zip", type: "string", validators: { requiredValidator: {} } }] },
 *   "en_US"
 * ))
 * const result = FormSchema.validateResult(form, { zip: "" })
 * if (Result.isFailure(result)) console.log(result.failure.message) // => "zip: is required"
 * ```
 *
 * @category checking
 * @since 0.1.0
 */
export const validateResult = (
  form: Model.Form,
  values: Check.FormValues,
  options?: CheckOptions
): Result.Result<ReadonlyArray<FormField>, FormInvalid> => {
  const { issues: found, passed } = Check.checkValues(demands(form, options), values, options?.fileQuery, knows(form))
  const issues = [...captchaIssues(form), ...found]
  return issues.length > 0
    ? Result.fail(new FormInvalid({ issues }))
    : Result.succeed(Array.from(passed.values(), Check.toFormField))
}

/**
 * Checks fields that are written out already (`{ marker, type, value }`) against a form: their markers and types, and
 * all that `validate` checks. Gives them normalised.
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FieldValue, FormSchema } from "effect-oneentry"
 *
 * const form = Effect.runSync(FormSchema.decode(
 *   { id: 4, identifier: "reg", type: "sing_in_up", attributes: [{ marker: "zip", type: "string", validators: {} }] },
 *   "en_US"
 * ))
 * const fields = FormSchema.validateFields(form, [FieldValue.string("zip", "10115")])
 * console.log(Effect.runSync(fields).length) // => 1
 * ```
 *
 * @category checking
 * @since 0.1.0
 */
export const validateFields = (
  form: Model.Form,
  fields: FormField | ReadonlyArray<FormField>,
  options?: CheckOptions
): Effect.Effect<ReadonlyArray<FormField>, FormInvalid> =>
  Effect.suspend(() => {
    const issues: Array<FormIssue> = [...captchaIssues(form)]
    const values: Record<string, unknown> = Object.create(null)
    const queries = new Map<string, FileQuery>()
    const attributes = new Map(form.attributes.map((attribute) => [attribute.marker, attribute]))
    const given: ReadonlyArray<unknown> = Array.isArray(fields) ? fields : [fields]
    for (const field of given) {
      const marker = isObject(field) ? field["marker"] : undefined
      if (!isObject(field) || typeof marker !== "string") {
        issues.push({ marker: "", message: "a field needs a marker: { marker, type, value }", code: "type" })
        continue
      }
      const attribute = attributes.get(marker)
      const type = field["type"] === "custom" ? field["customType"] : field["type"]
      if (attribute !== undefined && type !== attribute.type) {
        issues.push({ marker, message: `has the wrong type; the form's is "${attribute.type}"`, code: "type" })
      } else if (marker in values) {
        issues.push({ marker, message: "is given twice; leave one out", code: "type" })
      } else {
        values[marker] = field["value"]
        const { fileQuery } = field
        if (isQuery(fileQuery)) queries.set(marker, fileQuery)
      }
    }
    const wrong = new Set(issues.filter(({ code }) => code === "type").map(({ marker }) => marker))
    const outcome = Check.checkValues(
      demands(form, options),
      values,
      (attribute) => {
        const query = queries.get(attribute.marker) ?? options?.fileQuery
        return typeof query === "function" ? query(attribute) : query
      },
      knows(form)
    )
    // A field of the wrong type has said what is wrong with it; that it is missing as well would only confuse.
    issues.push(...outcome.issues.filter(({ code, marker }) => code !== "missing" || !wrong.has(marker)))
    return issues.length > 0
      ? Effect.fail(new FormInvalid({ issues }))
      : Effect.succeed(Array.from(outcome.passed.values(), Check.toFormField))
  })

/** Whether it is a usable query is checked with the file; here it only must be an object. */
const isQuery = (u: unknown): u is FileQuery => isObject(u)

/**
 * A schema of a form's values, built at run time: one key a field, in the form's own words. It decodes values to
 * themselves and drops keys the form has not, and reports every problem when asked for all errors.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * // for form libraries that take a Standard Schema
 * const resolver = (form: FormSchema.Form) => Schema.toStandardSchemaV1(FormSchema.fieldsSchema(form))
 * console.log(typeof resolver)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const fieldsSchema = (form: Model.Form, options?: CheckOptions): Schema.Codec<Check.FormValues> =>
  Check.toSchema(demands(form, options), options?.fileQuery)

/**
 * The fields that the server named when it refused a form, as the error that checks here give: by marker, in the form's
 * own words where it has some. `None` when no message names a field.
 *
 * ```ts
 * import { Option } from "effect"
 * import { FormSchema } from "effect-oneentry"
 *
 * const error = FormSchema.fromServerError("formData's marker 'name' value is missing or incorrect")
 * console.log(Option.getOrThrow(error).issues[0]?.marker) // => name
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const fromServerError = (
  messages: string | ReadonlyArray<string>,
  form?: Model.Form
): Option.Option<FormInvalid> => {
  const issues = Check.serverIssues(typeof messages === "string" ? [messages] : messages, form?.attributes ?? [])
  return issues.length === 0 ? Option.none() : Option.some(new FormInvalid({ issues }))
}
