/**
 * The values of form fields: what a program may submit, one TypeScript type for each attribute type, and what comes
 * back from the server.
 *
 * A submitted field is `{ marker, type, value }`. Write it as a literal or with the constructors of this module
 * (`FieldValue.string("name_reg", "Ann")`). The encoders are pure: they never change what they are given, drop empty
 * values, and open secrets only at the very end.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Dates from "./internal/dates.ts"
import * as Encoding from "./internal/fieldEncoding.ts"
import { FormInvalid, type FormIssue } from "./internal/formInvalid.ts"
import * as Locale from "./internal/locale.ts"

// ---------------------------------------------------------------------------------------------------------------------
// Values
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Every attribute type that a form field can have.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * console.log(FieldValue.types.includes("textWithHeader")) // => true
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const types = [
  "string",
  "integer",
  "float",
  "real",
  "date",
  "dateTime",
  "time",
  "text",
  "textWithHeader",
  "list",
  "radioButton",
  "entity",
  "timeInterval",
  "image",
  "groupOfImages",
  "file",
  "spam",
  "json",
  "button"
] as const

/**
 * The name of an attribute type.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const type: FieldValue.AttributeType = "dateTime"
 * console.log(type)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type AttributeType = (typeof types)[number]

/**
 * A text that may be secret.
 *
 * ```ts
 * import { Redacted } from "effect"
 * import type { FieldValue } from "effect-oneentry"
 *
 * const password: FieldValue.Secret = Redacted.make("secret")
 * console.log(String(password)) // => "<redacted>"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Secret = string | Redacted.Redacted<string>

/**
 * A date as the server keeps it: the instant in UTC, and how it reads.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const birthday: FieldValue.DateValue = {
 *   fullDate: "1990-05-07T00:00:00.000Z",
 *   formattedValue: "07-05-1990",
 *   formatString: "DD-MM-YYYY"
 * }
 * console.log(birthday.formattedValue)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface DateValue {
  readonly fullDate: string
  readonly formattedValue: string
  readonly formatString: string
}

/**
 * What may be given for a date: the server's own object (`formattedValue` and `formatString` are made when absent), a
 * `DateTime` (a zoned one is formatted in its zone, any other in UTC), a `Date`, or an ISO 8601 string. A string without
 * offset is UTC; for the type `time` a time of day (`"14:30"`) is one too.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const days: ReadonlyArray<FieldValue.DateInput> = ["1990-05-07", new Date(0), { fullDate: "1990-05-07" }]
 * console.log(days.length)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type DateInput =
  | { readonly fullDate: string; readonly formattedValue?: string; readonly formatString?: string }
  | DateTime.DateTime
  | Date
  | string

/**
 * A text, in exactly one of three notations.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const about: FieldValue.TextValue = { mdValue: "This is **me**" }
 * console.log(about.mdValue)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type TextValue =
  | { readonly plainValue: string; readonly htmlValue?: undefined; readonly mdValue?: undefined }
  | {
      readonly htmlValue: string
      readonly params?: { readonly [key: string]: Schema.Json }
      readonly plainValue?: undefined
      readonly mdValue?: undefined
    }
  | { readonly mdValue: string; readonly plainValue?: undefined; readonly htmlValue?: undefined }

/**
 * A text with a header, in exactly one of three notations.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const about: FieldValue.TextWithHeaderValue = { header: "About", plainValue: "This is me" }
 * console.log(about.header)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type TextWithHeaderValue = TextValue & { readonly header?: string }

/**
 * One choice of a list or radio button: its value (or id), or, for older servers, the whole choice.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const choices: ReadonlyArray<FieldValue.Choice> = ["red", 7, { title: "Blue", value: "2" }]
 * console.log(choices.length)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Choice = string | number | { readonly [key: string]: Schema.Json }

/**
 * One end of a time interval.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const start: FieldValue.Moment = "2024-05-07T10:00:00+02:00"
 * console.log(start)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Moment = DateTime.DateTime | Date | string

/**
 * A file that the server has already, as an upload returns it; `size` in bytes.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const picture: FieldValue.UploadedFile = {
 *   filename: "files/a.png",
 *   downloadLink: "https://my-project.oneentry.cloud/files/a.png",
 *   size: 392585
 * }
 * console.log(picture.size)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type UploadedFile = Encoding.UploadedFile

/**
 * Where the SDK puts a file that it uploads for a field: the owner's `type`, `entity` and `id`, and how an image is
 * made smaller (pixels). It is never sent as part of the field.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const query: FieldValue.FileQuery = { type: "page", entity: "editor", id: 3492, width: 400, compress: true }
 * console.log(query.id)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type FileQuery = Encoding.FileQuery

// ---------------------------------------------------------------------------------------------------------------------
// Fields
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A line of text; a secret as `Redacted`.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.StringField = { marker: "name_reg", type: "string", value: "Ann" }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface StringField {
  readonly marker: string
  readonly type: "string"
  readonly value: Secret
}

/**
 * A whole number, or its digits as text.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.IntegerField = { marker: "age", type: "integer", value: 33 }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface IntegerField {
  readonly marker: string
  readonly type: "integer"
  readonly value: number | bigint | string
}

/**
 * A number, or its digits as text.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.FloatField = { marker: "height", type: "float", value: 1.74 }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface FloatField {
  readonly marker: string
  readonly type: "float" | "real"
  readonly value: number | string
}

/**
 * A date, a date and time, or a time of day.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.DateField = { marker: "birthday", type: "date", value: "1990-05-07" }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface DateField {
  readonly marker: string
  readonly type: "date" | "dateTime" | "time"
  readonly value: DateInput
}

/**
 * A string is taken as `plainValue`.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.TextField = { marker: "about", type: "text", value: { htmlValue: "<p>This is me</p>" } }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface TextField {
  readonly marker: string
  readonly type: "text"
  readonly value: string | TextValue | ReadonlyArray<TextValue>
}

/**
 * A text with a header; a string is taken as `plainValue`.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.TextWithHeaderField = {
 *   marker: "about",
 *   type: "textWithHeader",
 *   value: { header: "About", htmlValue: "<p>This is me</p>" }
 * }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface TextWithHeaderField {
  readonly marker: string
  readonly type: "textWithHeader"
  readonly value: string | TextWithHeaderValue | ReadonlyArray<TextWithHeaderValue>
}

/**
 * Always sent as an array.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.ListField = { marker: "colours", type: "list", value: ["red", "blue"] }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface ListField {
  readonly marker: string
  readonly type: "list"
  readonly value: Choice | ReadonlyArray<Choice>
}

/**
 * A bare string is sent as it is, an array as an array: servers differ.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.RadioButtonField = { marker: "plan", type: "radioButton", value: ["basic"] }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface RadioButtonField {
  readonly marker: string
  readonly type: "radioButton"
  readonly value: Choice | ReadonlyArray<Choice>
}

/**
 * Ids of pages (numbers) or products (`"p-<parentId>-<productId>"`).
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.EntityField = { marker: "pages", type: "entity", value: [2954, "p-10-2957"] }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface EntityField {
  readonly marker: string
  readonly type: "entity"
  readonly value: Choice | ReadonlyArray<Choice>
}

/**
 * One pair or several of start and end; sent in UTC.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.TimeIntervalField = {
 *   marker: "visit",
 *   type: "timeInterval",
 *   value: ["2024-05-07T10:00:00Z", "2024-05-07T11:00:00Z"]
 * }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface TimeIntervalField {
  readonly marker: string
  readonly type: "timeInterval"
  readonly value: readonly [start: Moment, end: Moment] | ReadonlyArray<readonly [start: Moment, end: Moment]>
}

/**
 * Files: those that the server has, as their descriptors, or new ones (`File`, `Blob`) with a `fileQuery`, which are
 * uploaded before the form is sent.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.FileField = {
 *   marker: "avatar",
 *   type: "image",
 *   value: [new Blob(["…"], { type: "image/png" })],
 *   fileQuery: { type: "page", entity: "editor", id: 3492 }
 * }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface FileField {
  readonly marker: string
  readonly type: "image" | "groupOfImages" | "file"
  readonly value: UploadedFile | Blob | ReadonlyArray<UploadedFile | Blob>
  readonly fileQuery?: FileQuery
}

/**
 * The answer to a captcha.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.SpamField = { marker: "captcha", type: "spam", value: { event: { token: "…", siteKey: "…" } } }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface SpamField {
  readonly marker: string
  readonly type: "spam"
  readonly value: { readonly event: { readonly token: Secret; readonly siteKey: string } }
}

/**
 * Any JSON value, or JSON text as a string.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.JsonField = { marker: "settings", type: "json", value: { theme: "dark" } }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface JsonField {
  readonly marker: string
  readonly type: "json"
  readonly value: Schema.Json
}

/**
 * Never sent; may stand in a form's values all the same.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.ButtonField = { marker: "send", type: "button" }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface ButtonField {
  readonly marker: string
  readonly type: "button"
  readonly value?: unknown
}

/**
 * A field whose type this package does not know yet; sent with `customType`.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.CustomField = { marker: "where", type: "custom", customType: "location", value: [52.5, 13.4] }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface CustomField {
  readonly marker: string
  readonly type: "custom"
  readonly customType: string
  readonly value: Schema.Json
}

/**
 * A field to submit, discriminated by `type`.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const fields: ReadonlyArray<FieldValue.FormField> = [
 *   { marker: "name_reg", type: "string", value: "Ann" },
 *   { marker: "birthday", type: "date", value: "1990-05-07" },
 *   { marker: "about", type: "text", value: { htmlValue: "<p>This is me</p>" } },
 *   { marker: "colour", type: "list", value: ["red"] }
 * ]
 * console.log(fields.length)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export type FormField =
  | StringField
  | IntegerField
  | FloatField
  | DateField
  | TextField
  | TextWithHeaderField
  | ListField
  | RadioButtonField
  | EntityField
  | TimeIntervalField
  | FileField
  | SpamField
  | JsonField
  | ButtonField
  | CustomField

/**
 * A credential: the marker of the form's login or password field, and its value. A `type` may stand here, and is not
 * sent.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const field: FieldValue.AuthField = { marker: "email_reg", value: "ann@example.com" }
 * console.log(field.marker)
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export interface AuthField {
  readonly marker: string
  readonly value: Secret
  readonly type?: string | undefined
}

/**
 * The fields of a form: one, several, or already keyed by language as the wire has it.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const one: FieldValue.FormFields = { marker: "last_name", type: "string", value: "Ivanov" }
 * const keyed: FieldValue.FormFields = { en_US: [one] }
 * console.log(Object.keys(keyed))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type FormFields =
  | FormField
  | ReadonlyArray<FormField>
  | { readonly [langCode: string]: ReadonlyArray<FormField> }

/**
 * Where codes and notices are sent. Newest servers take `email` only.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const contacts: FieldValue.NotificationData = { email: "ann@example.com", phonePush: [], phoneSMS: "+18007986545" }
 * console.log(contacts.email)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface NotificationData {
  readonly email?: string | undefined
  readonly phonePush?: string | ReadonlyArray<string> | undefined
  readonly phoneSMS?: string | undefined
}

/**
 * What a registration takes: the input of `AuthProvider.signUp` and the result of `SignUpForm.encode`.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const data: FieldValue.SignUpData = {
 *   formIdentifier: "reg",
 *   authData: [{ marker: "email_reg", value: "ann@example.com" }],
 *   formData: [{ marker: "name_reg", type: "string", value: "Ann" }],
 *   notificationData: { email: "ann@example.com" }
 * }
 * console.log(data.formIdentifier)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SignUpData {
  readonly formIdentifier?: string | undefined
  readonly authData: ReadonlyArray<AuthField>
  readonly formData?: FormFields | undefined
  readonly notificationData?: NotificationData | undefined
}

// ---------------------------------------------------------------------------------------------------------------------
// Constructors
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A credential for `authData`.
 *
 * ```ts
 * import { Redacted } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * const authData = [
 *   FieldValue.auth("email_reg", "ann@example.com"),
 *   FieldValue.auth("password_reg", Redacted.make("secret"))
 * ]
 * console.log(authData.length)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const auth = (marker: string, value: Secret): AuthField => ({ marker, value })

/**
 * A `string` field.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * console.log(FieldValue.string("name_reg", "Ann")) // => { marker: "name_reg", type: "string", value: "Ann" }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const string = (marker: string, value: Secret): StringField => ({ marker, type: "string", value })

/**
 * An `integer` field; digits beyond 2^53 as a `bigint` or a string.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.integer("age", 33)
 * FieldValue.integer("serial", 12345678901234567890n)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const integer = (marker: string, value: number | bigint | string): IntegerField => ({
  marker,
  type: "integer",
  value
})

/**
 * A `float` field.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.float("height", 1.74)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const float = (marker: string, value: number | string): FloatField => ({ marker, type: "float", value })

/**
 * A `real` field.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.real("balance", "0.1234567890123456789")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const real = (marker: string, value: number | string): FloatField => ({ marker, type: "real", value })

const dateInput = (value: DateInput, formatString: string | undefined): DateInput => {
  if (formatString === undefined) return value
  const at = Dates.from(Encoding.isObject(value) && "fullDate" in value ? value.fullDate : value)
  return at === undefined ? value : toDateValue(at, formatString)
}

const toDateValue = (at: DateTime.DateTime, formatString: string): DateValue => ({
  fullDate: Dates.iso(at),
  formattedValue: Dates.format(at, formatString),
  formatString
})

/**
 * A `date` field, written as `DD-MM-YYYY` unless a format says otherwise.
 *
 * ```ts
 * import { DateTime } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.date("birthday", "1990-05-07")
 * FieldValue.date("birthday", DateTime.makeUnsafe("1990-05-07T12:00:00Z"), { formatString: "YYYY/MM/DD" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const date = (marker: string, value: DateInput, options?: { readonly formatString?: string }): DateField => ({
  marker,
  type: "date",
  value: dateInput(value, options?.formatString)
})

/**
 * A `dateTime` field, written as `DD-MM-YYYY HH:mm` unless a format says otherwise.
 *
 * ```ts
 * import { DateTime } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.dateTime("visit", DateTime.makeZonedUnsafe("2024-05-07T21:02:00Z", { timeZone: "Europe/Berlin" }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const dateTime = (
  marker: string,
  value: DateInput,
  options?: { readonly formatString?: string }
): DateField => ({ marker, type: "dateTime", value: dateInput(value, options?.formatString) })

/**
 * A `time` field, written as `HH:mm` unless a format says otherwise.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.time("alarm", "06:30")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const time = (marker: string, value: DateInput, options?: { readonly formatString?: string }): DateField => ({
  marker,
  type: "time",
  value: dateInput(value, options?.formatString)
})

/**
 * A `text` field; a string is plain text.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.text("about", "This is me")
 * FieldValue.text("about", { htmlValue: "<p>This is me</p>" })
 * FieldValue.text("about", { mdValue: "This is **me**" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const text = (marker: string, value: string | TextValue): TextField => ({
  marker,
  type: "text",
  value: [typeof value === "string" ? { plainValue: value } : value]
})

/**
 * A `textWithHeader` field; a string is plain text.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.textWithHeader("about", "About me", { htmlValue: "<p>This is me</p>" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const textWithHeader = (marker: string, header: string, value: string | TextValue): TextWithHeaderField => ({
  marker,
  type: "textWithHeader",
  value: [{ header, ...(typeof value === "string" ? { plainValue: value } : value) }]
})

const many = <A>(value: A | ReadonlyArray<A>): ReadonlyArray<A> => (isReadonlyArray(value) ? value : [value])
const isReadonlyArray = <A>(value: A | ReadonlyArray<A>): value is ReadonlyArray<A> => Array.isArray(value)

/**
 * A `list` field with one choice or several.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.list("colours", ["red", "blue"])
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const list = (marker: string, value: Choice | ReadonlyArray<Choice>): ListField => ({
  marker,
  type: "list",
  value: many(value)
})

/**
 * A `radioButton` field with its one choice, sent as an array of one.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.radioButton("plan", "basic")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const radioButton = (marker: string, value: Choice): RadioButtonField => ({
  marker,
  type: "radioButton",
  value: [value]
})

/**
 * An `entity` field with ids of pages or products.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.entity("pages", [2954, 2957])
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const entity = (marker: string, value: Choice | ReadonlyArray<Choice>): EntityField => ({
  marker,
  type: "entity",
  value: many(value)
})

/**
 * A `timeInterval` field of one pair or several.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.timeInterval("visit", ["2024-05-07T10:00:00Z", "2024-05-07T11:00:00Z"])
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const timeInterval = (marker: string, value: TimeIntervalField["value"]): TimeIntervalField => ({
  marker,
  type: "timeInterval",
  value
})

const fileField = (
  marker: string,
  type: FileField["type"],
  value: FileField["value"],
  fileQuery: FileQuery | undefined
): FileField => ({ marker, type, value, ...(fileQuery === undefined ? undefined : { fileQuery }) })

/**
 * An `image` field: a file the server has, or a `File` or `Blob` with the query that says where to put it.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * const picture = new Blob(["…"], { type: "image/png" })
 * FieldValue.image("avatar", picture, { type: "page", entity: "editor", id: 3492 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const image = (marker: string, value: FileField["value"], fileQuery?: FileQuery): FileField =>
  fileField(marker, "image", value, fileQuery)

/**
 * A `groupOfImages` field; see `image`.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * const pictures = [new Blob(["…"]), new Blob(["…"])]
 * FieldValue.groupOfImages("gallery", pictures, { type: "page", entity: "editor", id: 3492 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const groupOfImages = (marker: string, value: FileField["value"], fileQuery?: FileQuery): FileField =>
  fileField(marker, "groupOfImages", value, fileQuery)

/**
 * A `file` field; see `image`.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.file("cv", new File(["…"], "cv.pdf"), { type: "page", entity: "editor", id: 3492 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const file = (marker: string, value: FileField["value"], fileQuery?: FileQuery): FileField =>
  fileField(marker, "file", value, fileQuery)

/**
 * A `spam` (captcha) field.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * const field = (tokenOfCaptcha: string) => FieldValue.spam("captcha", tokenOfCaptcha, "site-key")
 * console.log(field("…").marker)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const spam = (marker: string, token: Secret, siteKey: string): SpamField => ({
  marker,
  type: "spam",
  value: { event: { token, siteKey } }
})

/**
 * A `json` field; a string is taken as JSON text.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.json("settings", { theme: "dark" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const json = (marker: string, value: Schema.Json): JsonField => ({ marker, type: "json", value })

/**
 * A field of a type that this package does not know.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * FieldValue.custom("where", "location", [52.5, 13.4])
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const custom = (marker: string, customType: string, value: Schema.Json): CustomField => ({
  marker,
  type: "custom",
  customType,
  value
})

// ---------------------------------------------------------------------------------------------------------------------
// Encoding
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A field as it goes over the wire: these three keys and no other. Secrets are open here: never log one.
 *
 * ```ts
 * import { Result } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * const items: ReadonlyArray<FieldValue.WireField> = Result.getOrThrow(FieldValue.encode([FieldValue.integer("age", "33")]))
 * console.log(items) // => [{ marker: "age", type: "integer", value: 33 }]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface WireField {
  readonly marker: string
  readonly type: string
  readonly value: unknown
}

/**
 * A credential as it goes over the wire. The secret is open here: never log one.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const item: FieldValue.WireAuthField = { marker: "email_reg", value: "ann@example.com" }
 * console.log(item.marker)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface WireAuthField {
  readonly marker: string
  readonly value: string
}

/**
 * A field with files to upload before it can be sent; `attach` makes a wire field of it.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const describe = (pending: FieldValue.PendingUpload) => `${pending.marker}: ${pending.files.length} files`
 * console.log(typeof describe)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface PendingUpload {
  readonly _tag: "Upload"
  readonly marker: string
  readonly type: string
  readonly files: ReadonlyArray<UploadedFile | Blob>
  readonly fileQuery: FileQuery
}

/**
 * A field after encoding: ready for the wire, or waiting for its upload.
 *
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const waits = (prepared: FieldValue.Prepared) => prepared._tag === "Upload"
 * console.log(waits({ _tag: "Ready", field: { marker: "a", type: "string", value: "x" } })) // => false
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Prepared = { readonly _tag: "Ready"; readonly field: WireField } | PendingUpload

const isFieldLike = (u: unknown): u is { readonly [key: string]: unknown } => Encoding.isObject(u) && "marker" in u

const prepareField = (input: unknown, issues: Array<FormIssue>): Prepared | undefined => {
  const marker = Encoding.isObject(input) ? input["marker"] : undefined
  if (!Encoding.isObject(input) || typeof marker !== "string" || marker === "") {
    issues.push({ marker: "", message: "a field needs a marker: { marker, type, value }", code: "type" })
    return undefined
  }
  const type = input["type"] === "custom" ? input["customType"] : input["type"]
  if (typeof type !== "string" || type === "") {
    issues.push({ marker, message: 'needs a type: that of the form\'s attribute, e.g. "string"', code: "type" })
    return undefined
  }
  const encoded = Encoding.encodeValue(type, input["value"], input["fileQuery"])
  switch (encoded._tag) {
    case "Empty":
      return undefined
    case "Value":
      return { _tag: "Ready", field: { marker, type, value: encoded.value } }
    case "Upload":
      return { _tag: "Upload", marker, type, files: encoded.files, fileQuery: encoded.fileQuery }
    case "Invalid":
      issues.push({ marker, message: encoded.message, code: encoded.code })
      return undefined
  }
}

const settle = <A>(value: A, issues: ReadonlyArray<FormIssue>): Result.Result<A, FormInvalid> =>
  issues.length === 0 ? Result.succeed(value) : Result.fail(new FormInvalid({ issues }))

/**
 * Encodes fields for the wire and finds the files that must be uploaded first. Empty values and buttons are dropped.
 * Fails with every problem there is, each with its marker and what to do about it.
 *
 * Takes `unknown` as well, for values that no type checker has seen.
 *
 * ```ts
 * import { Result } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * const picture = FieldValue.image("avatar", new Blob(["…"]), { type: "page", entity: "editor", id: 3492 })
 * const prepared = Result.getOrThrow(FieldValue.prepare([FieldValue.string("name_reg", "Ann"), picture]))
 * console.log(prepared.map((item) => item._tag)) // => ["Ready", "Upload"]
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const prepare = (
  fields: FormField | ReadonlyArray<FormField> | ReadonlyArray<unknown>
): Result.Result<ReadonlyArray<Prepared>, FormInvalid> => {
  const issues: Array<FormIssue> = []
  const out: Array<Prepared> = []
  const items: ReadonlyArray<unknown> = isReadonlyArray<unknown>(fields) ? fields : [fields]
  for (const item of items) {
    const prepared = prepareField(item, issues)
    if (prepared !== undefined) out.push(prepared)
  }
  return settle(out, issues)
}

/**
 * Completes a field with what its upload returned, in the order of its new files; those the server had already keep
 * their places. An upload that returned fewer files than were sent is a `FormInvalid`.
 *
 * ```ts
 * import { Result } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * const picture = FieldValue.image("avatar", new Blob(["…"]), { type: "page", entity: "editor", id: 3492 })
 * const uploaded = [{ filename: "files/a.png", downloadLink: "https://my-project.oneentry.cloud/a.png", size: 3 }]
 * for (const item of Result.getOrThrow(FieldValue.prepare(picture))) {
 *   if (item._tag === "Upload") console.log(Result.getOrThrow(FieldValue.attach(item, uploaded)).value)
 * }
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const attach = (
  pending: PendingUpload,
  uploaded: ReadonlyArray<UploadedFile>
): Result.Result<WireField, FormInvalid> => {
  const value: Array<UploadedFile> = []
  let next = 0
  for (const item of pending.files) {
    const file = Encoding.uploadedFile(Encoding.isBlob(item) ? uploaded[next++] : item)
    if (file === undefined) {
      return Result.fail(
        new FormInvalid({
          issues: [
            {
              marker: pending.marker,
              message: "the upload returned no { filename, downloadLink, size } for one of its files; upload it again",
              code: "file"
            }
          ]
        })
      )
    }
    value.push(file)
  }
  return Result.succeed({ marker: pending.marker, type: pending.type, value })
}

/**
 * The new files of a field in order, as `attach` expects their uploads.
 *
 * ```ts
 * import { Result } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * const picture = FieldValue.image("avatar", new Blob(["…"]), { type: "page", entity: "editor", id: 3492 })
 * for (const item of Result.getOrThrow(FieldValue.prepare(picture))) {
 *   if (item._tag === "Upload") console.log(FieldValue.newFiles(item).length) // => 1
 * }
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const newFiles = (pending: PendingUpload): ReadonlyArray<Blob> => pending.files.filter(Encoding.isBlob)

/**
 * Encodes fields that need no upload: `{ marker, type, value }` each. A `File` or `Blob` among them is an issue; use
 * `prepare` and `attach` (as `signUp` does) to upload it.
 *
 * ```ts
 * import { Result } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * const items = FieldValue.encode([FieldValue.string("name_reg", "Ann"), FieldValue.string("phone_reg", "")])
 * console.log(Result.getOrThrow(items)) // => [{ marker: "name_reg", type: "string", value: "Ann" }]
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  fields: FormField | ReadonlyArray<FormField> | ReadonlyArray<unknown>
): Result.Result<ReadonlyArray<WireField>, FormInvalid> =>
  Result.flatMap(prepare(fields), (prepared) => {
    const issues: Array<FormIssue> = []
    const out: Array<WireField> = []
    for (const item of prepared) {
      if (item._tag === "Ready") out.push(item.field)
      else issues.push({ marker: item.marker, message: "has a file that must be uploaded first", code: "file" })
    }
    return settle(out, issues)
  })

/**
 * The lists of fields in `FormFields`, by language: what is not keyed yet belongs to `langCode`.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * const field = FieldValue.string("last_name", "Ivanov")
 * console.log(FieldValue.byLanguage(field, "en_US").map(([language]) => language)) // => ["en_US"]
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const byLanguage = (
  data: FormFields,
  langCode: string
): ReadonlyArray<readonly [langCode: string, fields: ReadonlyArray<FormField>]> => {
  if (isReadonlyArray(data)) return [[langCode, data]]
  if (isField(data)) return [[langCode, [data]]]
  return Object.entries(data).map(([language, fields]) => [language, isReadonlyArray(fields) ? fields : [fields]])
}

const isField = (data: Exclude<FormFields, ReadonlyArray<FormField>>): data is FormField => isFieldLike(data)

/**
 * Encodes credentials for `authData`: marker and value only, since the server refuses any other key. Empty values are
 * dropped. Secrets are opened here.
 *
 * ```ts
 * import { Redacted, Result } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * const items = FieldValue.encodeAuthData([FieldValue.auth("password_reg", Redacted.make("secret"))])
 * console.log(Result.getOrThrow(items)[0]?.marker) // => "password_reg"
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeAuthData = (
  fields: ReadonlyArray<AuthField> | ReadonlyArray<unknown>
): Result.Result<ReadonlyArray<WireAuthField>, FormInvalid> => {
  const issues: Array<FormIssue> = []
  const out: Array<WireAuthField> = []
  const items: ReadonlyArray<unknown> = isReadonlyArray<unknown>(fields) ? fields : [fields]
  for (const item of items) {
    const marker = Encoding.isObject(item) ? item["marker"] : undefined
    if (!Encoding.isObject(item) || typeof marker !== "string" || marker === "") {
      issues.push({ marker: "", message: "a credential needs a marker: { marker, value }", code: "type" })
      continue
    }
    const value = Encoding.reveal(item["value"])
    if (value === undefined || value === null || value === "") continue
    if (typeof value === "string") out.push({ marker, value })
    else issues.push({ marker, message: "must be a string or a Redacted string", code: "type" })
  }
  return settle(out, issues)
}

/**
 * Notification data as the wire wants it: empty contacts left out (the server refuses an empty `phoneSMS`), `phonePush`
 * always an array.
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * console.log(FieldValue.encodeNotificationData({ email: "ann@example.com", phoneSMS: "" })) // => { email: "ann@example.com" }
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeNotificationData = (
  data: NotificationData
): { readonly email?: string; readonly phonePush?: ReadonlyArray<string>; readonly phoneSMS?: string } => {
  const { email, phonePush, phoneSMS } = data
  return {
    ...(email === undefined || email === null || email === "" ? undefined : { email }),
    ...(phonePush === undefined || phonePush === null
      ? undefined
      : { phonePush: many(phonePush).filter((phone) => phone !== "") }),
    ...(phoneSMS === undefined || phoneSMS === null || phoneSMS === "" ? undefined : { phoneSMS })
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Decoding
// ---------------------------------------------------------------------------------------------------------------------

const nullable = <T extends string, S extends Schema.Constraint>(type: T, value: S) =>
  Schema.Struct({ marker: Schema.String, type: Schema.Literal(type), value: Schema.NullOr(value) })

/**
 * A date that came back.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DateValue = Schema.Struct({
  fullDate: Schema.String,
  formattedValue: Schema.String,
  formatString: Schema.String
})

/**
 * A text that came back: the notation it was written in, sometimes others beside it.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * console.log(Schema.is(FieldValue.TextContent)({ mdValue: "This is **me**" })) // => true
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const TextContent = Schema.Struct({
  header: Schema.optionalKey(Schema.String),
  plainValue: Schema.optionalKey(Schema.String),
  htmlValue: Schema.optionalKey(Schema.String),
  mdValue: Schema.optionalKey(Schema.String),
  params: Schema.optionalKey(Schema.Unknown)
})

/**
 * A file of the server; `size` in bytes.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UploadedFile = Schema.Struct({
  filename: Schema.String,
  downloadLink: Schema.String,
  size: Schema.Finite,
  previewLink: Schema.optionalKey(Schema.Unknown),
  params: Schema.optionalKey(Schema.Unknown),
  contentType: Schema.optionalKey(Schema.String)
})

const Choices = Schema.Array(Schema.Union([Schema.String, Schema.Finite, Schema.Record(Schema.String, Schema.Unknown)]))

const EntryType = Schema.Union([
  nullable("string", Schema.String),
  nullable("integer", Schema.Finite),
  nullable("float", Schema.Finite),
  nullable("real", Schema.Finite),
  nullable("date", DateValue),
  nullable("dateTime", DateValue),
  nullable("time", DateValue),
  nullable("text", Schema.Array(TextContent)),
  nullable("textWithHeader", Schema.Array(TextContent)),
  nullable("list", Choices),
  nullable("radioButton", Choices),
  nullable("entity", Choices),
  nullable("timeInterval", Schema.Array(Schema.Tuple([Schema.String, Schema.String]))),
  nullable("image", Schema.Array(UploadedFile)),
  nullable("groupOfImages", Schema.Array(UploadedFile)),
  nullable("file", Schema.Array(UploadedFile)),
  Schema.Struct({ marker: Schema.String, type: Schema.Literals(["spam", "json", "button"]), value: Schema.Unknown }),
  Schema.Struct({
    marker: Schema.String,
    type: Schema.optionalKey(Schema.Undefined),
    rawType: Schema.optionalKey(Schema.String),
    value: Schema.Unknown
  })
])

/**
 * A field that came back, discriminated by `type`; `value` is `null` where nothing was entered.
 *
 * An entry whose type the server left out, or this package does not know, or whose value does not fit its type, has no
 * `type` (the server's word for it, if any, is `rawType`) and an `unknown` value.
 *
 * ```ts
 * import { Schema } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * const entry = Schema.decodeUnknownSync(FieldValue.FieldEntry)({ marker: "age", type: "integer", value: "33" })
 * if (entry.type === "integer") console.log(entry.value) // => 33
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type FieldEntry = typeof EntryType.Type

const WireEntry = Schema.Struct({
  marker: Schema.String,
  type: Schema.optional(Schema.Unknown),
  value: Schema.optional(Schema.Unknown)
})

const isString = (u: unknown): u is string => typeof u === "string"

const toNumber = (u: unknown): number | undefined => {
  const n = isString(u) && u.trim() !== "" ? Number(u) : u
  return typeof n === "number" && Number.isFinite(n) ? n : undefined
}

const toDate = (u: unknown): DateValue | undefined => {
  if (!Encoding.isObject(u)) return undefined
  const { fullDate, formattedValue, formatString } = u
  return isString(fullDate) && isString(formattedValue) && isString(formatString)
    ? { fullDate, formattedValue, formatString }
    : undefined
}

const arrayOf = <A>(u: unknown, f: (item: unknown) => A | undefined): ReadonlyArray<A> | undefined => {
  const out: Array<A> = []
  for (const item of Array.isArray(u) ? u : [u]) {
    const value = f(item)
    if (value === undefined) return undefined
    out.push(value)
  }
  return out
}

const toText = (u: unknown): typeof TextContent.Type | undefined => {
  if (isString(u)) return { plainValue: u }
  if (!Encoding.isObject(u)) return undefined
  const out: { -readonly [K in keyof typeof TextContent.Type]: (typeof TextContent.Type)[K] } = {}
  for (const key of ["header", "plainValue", "htmlValue", "mdValue"] as const) {
    const text = u[key]
    if (isString(text)) out[key] = text
    else if (text !== undefined && text !== null) return undefined
  }
  if (u["params"] !== undefined && u["params"] !== null) out.params = u["params"]
  return out
}

const toChoice = (u: unknown): (typeof Choices.Type)[number] | undefined =>
  isString(u) || (typeof u === "number" && Number.isFinite(u)) || Encoding.isObject(u) ? u : undefined

const toPair = (u: unknown): readonly [string, string] | undefined =>
  Array.isArray(u) && u.length === 2 && isString(u[0]) && isString(u[1]) ? [u[0], u[1]] : undefined

const toFile = (u: unknown): UploadedFile | undefined => {
  const file = Encoding.uploadedFile(u)
  const contentType = Encoding.isObject(u) ? u["contentType"] : undefined
  return file !== undefined && isString(contentType) ? { ...file, contentType } : file
}

const toEntry = (wire: typeof WireEntry.Type): FieldEntry => {
  const { marker, type, value } = wire
  const untyped: FieldEntry = { marker, value, ...(isString(type) ? { rawType: type } : undefined) }
  if (!isString(type)) return untyped
  const nothing = value === undefined || value === null
  switch (type) {
    case "string":
      return nothing ? { marker, type, value: null } : isString(value) ? { marker, type, value } : untyped
    case "integer":
    case "float":
    case "real": {
      if (nothing || value === "") return { marker, type, value: null }
      const n = toNumber(value)
      return n === undefined ? untyped : { marker, type, value: n }
    }
    case "date":
    case "dateTime":
    case "time": {
      if (nothing || value === "") return { marker, type, value: null }
      const at = toDate(value)
      return at === undefined ? untyped : { marker, type, value: at }
    }
    case "text":
    case "textWithHeader": {
      if (nothing || value === "") return { marker, type, value: null }
      const texts = arrayOf(value, toText)
      return texts === undefined ? untyped : { marker, type, value: texts }
    }
    case "list":
    case "radioButton":
    case "entity": {
      if (nothing || value === "") return { marker, type, value: null }
      const chosen = arrayOf(value, toChoice)
      return chosen === undefined ? untyped : { marker, type, value: chosen }
    }
    case "timeInterval": {
      if (nothing || value === "") return { marker, type, value: null }
      const pairs = Array.isArray(value) ? arrayOf(value, toPair) : undefined
      return pairs === undefined ? untyped : { marker, type, value: pairs }
    }
    case "image":
    case "groupOfImages":
    case "file": {
      if (nothing || value === "") return { marker, type, value: null }
      const files = arrayOf(value, toFile)
      return files === undefined ? untyped : { marker, type, value: files }
    }
    case "spam":
    case "json":
    case "button":
      return { marker, type, value }
    default:
      return untyped
  }
}

/**
 * The schema of a field that came back. Decoding is tolerant (see the type `FieldEntry`): only an entry without a
 * marker fails.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FieldEntry: Schema.Codec<FieldEntry, typeof WireEntry.Encoded> = WireEntry.pipe(
  Schema.decodeTo(
    Schema.toType(EntryType),
    SchemaTransformation.transform({
      decode: toEntry,
      encode: (entry): typeof WireEntry.Type => {
        if (entry.type !== undefined) return { marker: entry.marker, type: entry.type, value: entry.value }
        return {
          marker: entry.marker,
          value: entry.value,
          ...(entry.rawType === undefined ? undefined : { type: entry.rawType })
        }
      }
    })
  )
)

/**
 * Fields as they came back: bare, or keyed by language.
 *
 * @example
 * ```ts
 * import type { FieldValue } from "effect-oneentry"
 *
 * const bare: FieldValue.WireEntries = [{ marker: "name_reg", value: "Ann" }]
 * const byLanguage: FieldValue.WireEntries = { en_US: bare }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type WireEntries =
  | ReadonlyArray<typeof WireEntry.Type>
  | { readonly [language: string]: ReadonlyArray<typeof WireEntry.Type> | null }

const isWireEntryList = (u: unknown): u is ReadonlyArray<typeof WireEntry.Type> => {
  if (!isReadonlyArray<unknown>(u)) return false
  for (const item of u) {
    if (!Encoding.isObject(item) || typeof item["marker"] !== "string") return false
  }
  return true
}

/** @internal */
export const isWireEntries = (u: unknown): u is WireEntries => {
  if (isWireEntryList(u)) return true
  if (!Locale.isLocaleMap(u, "array")) return false
  for (const language of Object.keys(u)) {
    const list = u[language]
    if (list !== null && !isWireEntryList(list)) return false
  }
  return true
}

/**
 * The fields that came back, bare or keyed by language; take those of one language with `entries`. Only an entry
 * without a marker fails.
 *
 * One check written by hand: a profile is mostly fields, and walking each through a schema of its own was most of what
 * reading a profile cost.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { FieldValue } from "effect-oneentry"
 *
 * const decode = Schema.decodeUnknownSync(FieldValue.FieldEntries)
 * console.log(FieldValue.entries(decode({ en_US: [{ marker: "name_reg", value: "Ann" }] }), "en_US").length) // => 1
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const FieldEntries: Schema.Codec<WireEntries> = Schema.declare(isWireEntries, {
  expected: "an array of fields, each with a marker, or such arrays by language"
})

/**
 * The fields of a language; where that language is absent those of the first one, and an empty array where there is
 * none.
 *
 * @example
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 *
 * const [name] = FieldValue.entries([{ marker: "name_reg", type: "string", value: "Ann" }], "en_US")
 * console.log(name?.marker) // => name_reg
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const entries = (self: WireEntries, langCode: string): ReadonlyArray<FieldEntry> => {
  if (isList(self)) return self.map(toEntry)
  if (Object.hasOwn(self, langCode)) {
    const list = self[langCode]
    if (list !== null && list !== undefined) return list.map(toEntry)
  }
  for (const language of Object.keys(self)) {
    const list = self[language]
    if (list !== null && list !== undefined) return list.map(toEntry)
  }
  return noEntries
}

const isList = (self: WireEntries): self is ReadonlyArray<typeof WireEntry.Type> => Array.isArray(self)

const noEntries: ReadonlyArray<FieldEntry> = []
