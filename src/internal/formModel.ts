/**
 * The domain types of forms and how the wire becomes them; public through `FormSchema`.
 */
import * as Schema from "effect/Schema"
import type { AttributeType } from "../FieldValue.ts"
import { isObject } from "./fieldEncoding.ts"
import * as Locale from "./locale.ts"
import * as Validators from "./validators.ts"

/**
 * What a form is for. `sing_in_up` is the server's own spelling, `sign_in_up` that of newer ones.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const type: FormSchema.FormType = "sing_in_up"
 * console.log(type)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type FormType = "order" | "sing_in_up" | "sign_in_up" | "collection" | "data" | "rating"

/** A string with the known ones offered by editors. */
type Open<A extends string> = A | (string & {})

/**
 * The texts of a form in the language of the call; `database` and `script` are flags as strings.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const texts: FormSchema.FormTexts = { title: "Registration", successMessage: "Welcome" }
 * console.log(texts.title)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface FormTexts {
  readonly title?: string
  readonly titleForSite?: string
  readonly successMessage?: string
  readonly unsuccessMessage?: string
  readonly urlAddress?: string
  readonly database?: string
  readonly script?: string
}

/**
 * One choice of a list or radio button. `value` is what is submitted; of an `entity` field it is the id.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const choice: FormSchema.ListTitle = { title: "Red", value: "1", position: 1 }
 * console.log(choice.title)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface ListTitle {
  readonly title: string
  readonly value: string | number
  readonly position: number
  /** Something shown with the choice, such as a colour. */
  readonly extended?: { readonly value: string | null; readonly type: string | null }
}

/**
 * An extra of a field (`placeholder`, `hint`, `type`…), as its project's admin defined it.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const extra: FormSchema.AdditionalField = { marker: "placeholder", type: "string", value: "Enter first name" }
 * console.log(extra.value)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface AdditionalField {
  readonly marker: string
  readonly type: string
  readonly value: unknown
}

/**
 * The flags of a field that the server may send as `true`, `false` or `null`, or leave out.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const has = (attribute: FormSchema.FormAttribute, flag: FormSchema.AttributeFlag) => attribute[flag]
 * console.log(typeof has)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type AttributeFlag =
  | "isLogin"
  | "isPassword"
  | "isSignUp"
  | "isSignUpRequired"
  | "isNotificationEmail"
  | "isNotificationPhoneSMS"
  | "isNotificationPhonePush"

/**
 * A field of a form.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const label = (attribute: FormSchema.FormAttribute) => `${attribute.title} (${attribute.type})`
 * console.log(typeof label)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface FormAttribute extends Readonly<Record<AttributeFlag, boolean>> {
  readonly marker: string
  readonly type: Open<AttributeType>
  readonly position: number
  readonly isVisible: boolean
  /** The label; the marker where there is none. */
  readonly title: string
  readonly localizeInfos: Readonly<Record<string, unknown>>
  readonly settings: Readonly<Record<string, unknown>>
  readonly listTitles: ReadonlyArray<ListTitle>
  /** The validators as the server sent them. */
  readonly validators: Readonly<Record<string, unknown>>
  /** The validators as this package understands them, and what it does not. */
  readonly rules: Validators.Parsed
  /** By marker; a record without a prototype. */
  readonly additionalFields: Readonly<Record<string, AdditionalField>>
  readonly initialValue: unknown
  /** Whether several choices are allowed; absent where the server does not say. */
  readonly multiselect?: boolean
  readonly isRatingValue: boolean
  /** The flags that the server sent as `null` or not at all; they read `false`. */
  readonly undecided: ReadonlyArray<AttributeFlag>
}

/**
 * Where a form is attached: a module, and entities in it.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * // what a submission names
 * const target = (config: FormSchema.FormModuleConfig) => ({
 *   formModuleConfigId: config.id,
 *   moduleEntityIdentifier: config.entityIdentifiers[0]?.id
 * })
 * console.log(typeof target)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface FormModuleConfig {
  /** The `formModuleConfigId` of a submission. */
  readonly id: number
  readonly moduleIdentifier: string
  readonly isGlobal: boolean
  readonly isClosed: boolean
  readonly isModerate: boolean
  readonly viewOnlyUserData: boolean
  readonly commentOnlyUserData: boolean
  /** The `moduleEntityIdentifier`s of submissions, always as strings. */
  readonly entityIdentifiers: ReadonlyArray<{ readonly id: string; readonly isNested: boolean }>
  readonly exceptionIds: ReadonlyArray<string>
  readonly isRating: boolean
  /** Whether guests may submit; absent where the server does not say. */
  readonly isAnonymous?: boolean
  readonly allowHalfRatings: boolean
  readonly allowRerating: boolean
  readonly maxRatingScale?: number
}

/**
 * A form definition in one language, its fields in order.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const heading = (form: FormSchema.Form) => form.localizeInfos.titleForSite || form.localizeInfos.title
 * console.log(typeof heading)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Form {
  readonly id: number
  readonly identifier: string
  readonly type: Open<FormType> | null
  readonly attributeSetId: number | null
  readonly version: number
  readonly position: number
  readonly processingType: Open<"db" | "email" | "script"> | null
  readonly templateId: number | null
  readonly localizeInfos: FormTexts
  readonly attributes: ReadonlyArray<FormAttribute>
  readonly moduleFormConfigs: ReadonlyArray<FormModuleConfig>
  readonly total?: number
}

// ---------------------------------------------------------------------------------------------------------------------
// Wire
// ---------------------------------------------------------------------------------------------------------------------

const NumberLike = Schema.Union([Schema.Finite, Schema.FiniteFromString])
const Numeric = Schema.optional(Schema.NullOr(Schema.Union([Schema.Finite, Schema.String])))
const Flag = Schema.optional(Schema.NullOr(Schema.Boolean))

const Texts = Locale.localized(Schema.Unknown, "object")

const WireAttribute = Schema.Struct({
  marker: Schema.String,
  type: Schema.String,
  position: Numeric,
  isVisible: Flag,
  localizeInfos: Schema.optional(Texts),
  settings: Schema.optional(Schema.Unknown),
  listTitles: Schema.optional(Locale.localized(Schema.Unknown, "array")),
  validators: Schema.optional(Texts),
  // An array, a record by marker or a locale map of either: told apart in `additionalFields` below.
  additionalFields: Schema.optional(Schema.Unknown),
  initialValue: Schema.optional(Locale.localized(Schema.Unknown, "scalar")),
  multiselect: Flag,
  isRatingValue: Flag,
  isLogin: Flag,
  isPassword: Flag,
  isSignUp: Flag,
  isSignUpRequired: Flag,
  isNotificationEmail: Flag,
  isNotificationPhoneSMS: Flag,
  isNotificationPhonePush: Flag
})

const WireConfig = Schema.Struct({
  id: NumberLike,
  moduleIdentifier: Schema.optional(Schema.NullOr(Schema.String)),
  isGlobal: Flag,
  isClosed: Flag,
  isModerate: Flag,
  viewOnlyUserData: Flag,
  commentOnlyUserData: Flag,
  entityIdentifiers: Schema.optional(
    Schema.NullOr(
      Schema.Array(
        Schema.Struct({
          id: Schema.Union([Schema.String, Schema.Finite]),
          isNested: Flag
        })
      )
    )
  ),
  exceptionIds: Schema.optional(Schema.NullOr(Schema.Array(Schema.Union([Schema.String, Schema.Finite])))),
  isRating: Flag,
  isAnonymous: Flag,
  allowHalfRatings: Flag,
  allowRerating: Flag,
  maxRatingScale: Numeric
})

/** The wire schema of a form: strict only about what a form cannot be without. */
export const WireForm = Schema.Struct({
  id: NumberLike,
  identifier: Schema.String,
  type: Schema.optional(Schema.NullOr(Schema.String)),
  attributeSetId: Numeric,
  version: Numeric,
  position: Numeric,
  processingType: Schema.optional(Schema.NullOr(Schema.String)),
  templateId: Numeric,
  localizeInfos: Schema.optional(Texts),
  attributes: Schema.optional(
    Schema.NullOr(Schema.Union([Schema.Array(WireAttribute), Schema.Record(Schema.String, WireAttribute)]))
  ),
  moduleFormConfigs: Schema.optional(
    Schema.NullOr(Schema.Union([Schema.Array(WireConfig), Schema.Record(Schema.String, WireConfig)]))
  ),
  total: Numeric
})

/** A page of forms: newer servers count, older ones send the bare array. */
export const WireFormsPage = Schema.Union([
  Schema.Struct({ items: Schema.Array(WireForm), total: Numeric }),
  Schema.Array(WireForm)
])

// ---------------------------------------------------------------------------------------------------------------------
// Wire to domain
// ---------------------------------------------------------------------------------------------------------------------

const toNumber = (u: string | number | null | undefined): number | undefined => {
  const n = typeof u === "string" ? (u.trim() === "" ? undefined : Number(u)) : u
  return typeof n === "number" && Number.isFinite(n) ? n : undefined
}

const record = (u: unknown): Readonly<Record<string, unknown>> => (isObject(u) ? u : {})

const list = <A>(u: ReadonlyArray<A> | { readonly [key: string]: A } | null | undefined): ReadonlyArray<A> =>
  u === null || u === undefined ? [] : isArray(u) ? u : Object.values(u)

const isArray = <A>(u: ReadonlyArray<A> | { readonly [key: string]: A }): u is ReadonlyArray<A> => Array.isArray(u)

const string = (u: unknown): string | undefined =>
  typeof u === "string" ? u : typeof u === "number" ? String(u) : undefined

const textKeys = [
  "title",
  "titleForSite",
  "successMessage",
  "unsuccessMessage",
  "urlAddress",
  "database",
  "script"
] as const

const texts = (u: unknown): FormTexts => {
  const infos = record(u)
  const out: { -readonly [K in keyof FormTexts]: FormTexts[K] } = {}
  for (const key of textKeys) {
    const value = string(infos[key])
    if (value !== undefined) out[key] = value
  }
  return out
}

const listTitle = (u: unknown, index: number): ListTitle | undefined => {
  if (!isObject(u)) return undefined
  const title = string(u["title"])
  const given = isObject(u["value"]) ? u["value"]["id"] : u["value"]
  // A choice without a value is submitted by its title.
  const value = typeof given === "string" || typeof given === "number" ? given : title
  if (value === undefined) return undefined
  const position = u["position"]
  const nested = record(u["extended"])
  const extended = {
    value: string(nested["value"] ?? u["extendedValue"]) ?? null,
    type: string(nested["type"] ?? u["extendedValueType"]) ?? null
  }
  return {
    title: title ?? String(value),
    value,
    position: typeof position === "string" || typeof position === "number" ? (toNumber(position) ?? index) : index,
    ...(extended.value === null && extended.type === null ? undefined : { extended })
  }
}

const listTitles = (u: unknown): ReadonlyArray<ListTitle> => {
  if (!Array.isArray(u)) return []
  const out: Array<ListTitle> = []
  for (const item of u) {
    const choice = listTitle(item, out.length)
    if (choice !== undefined) out.push(choice)
  }
  return out.sort((a, b) => a.position - b.position)
}

const isFieldRecord = (u: { readonly [key: string]: unknown }): boolean =>
  Object.values(u).some((item) => isObject(item) && ("marker" in item || "value" in item))

const additionalFields = (u: unknown, langCode: string): Readonly<Record<string, AdditionalField>> => {
  const out: Record<string, AdditionalField> = Object.create(null)
  if (isObject(u) && !isFieldRecord(u) && Locale.isLocaleMap(u, "array")) {
    const language = Object.hasOwn(u, langCode) ? langCode : Object.keys(u)[0]
    return language === undefined ? out : additionalFields(u[language], "")
  }
  const entries: ReadonlyArray<readonly [string, unknown]> = Array.isArray(u)
    ? u.map((item: unknown) => ["", item] as const)
    : Object.entries(record(u))
  for (const [key, item] of entries) {
    if (!isObject(item)) continue
    const marker = string(item["marker"]) ?? key
    if (marker !== "") out[marker] = { marker, type: string(item["type"]) ?? "string", value: item["value"] }
  }
  return out
}

const flags = [
  "isLogin",
  "isPassword",
  "isSignUp",
  "isSignUpRequired",
  "isNotificationEmail",
  "isNotificationPhoneSMS",
  "isNotificationPhonePush"
] as const satisfies ReadonlyArray<AttributeFlag>

const attribute = (wire: typeof WireAttribute.Type, langCode: string, index: number): FormAttribute => {
  const unwrapped = (u: Locale.Localized<unknown> | undefined): unknown =>
    u === undefined ? undefined : Locale.unwrap(u, langCode)
  const localizeInfos = record(unwrapped(wire.localizeInfos))
  const validators = record(unwrapped(wire.validators))
  return {
    marker: wire.marker,
    type: wire.type,
    position: toNumber(wire.position) ?? index + 1,
    isVisible: wire.isVisible ?? true,
    title: string(localizeInfos["title"]) || wire.marker,
    localizeInfos,
    settings: record(wire.settings),
    listTitles: listTitles(unwrapped(wire.listTitles)),
    validators,
    rules: Validators.parse(validators),
    additionalFields: additionalFields(wire.additionalFields, langCode),
    initialValue: unwrapped(wire.initialValue) ?? null,
    ...(typeof wire.multiselect === "boolean" ? { multiselect: wire.multiselect } : undefined),
    isRatingValue: wire.isRatingValue ?? false,
    isLogin: wire.isLogin ?? false,
    isPassword: wire.isPassword ?? false,
    isSignUp: wire.isSignUp ?? false,
    isSignUpRequired: wire.isSignUpRequired ?? false,
    isNotificationEmail: wire.isNotificationEmail ?? false,
    isNotificationPhoneSMS: wire.isNotificationPhoneSMS ?? false,
    isNotificationPhonePush: wire.isNotificationPhonePush ?? false,
    undecided: flags.filter((flag) => typeof wire[flag] !== "boolean")
  }
}

const config = (wire: typeof WireConfig.Type): FormModuleConfig => {
  const maxRatingScale = toNumber(wire.maxRatingScale)
  return {
    id: wire.id,
    moduleIdentifier: wire.moduleIdentifier ?? "",
    isGlobal: wire.isGlobal ?? false,
    isClosed: wire.isClosed ?? false,
    isModerate: wire.isModerate ?? false,
    viewOnlyUserData: wire.viewOnlyUserData ?? false,
    commentOnlyUserData: wire.commentOnlyUserData ?? false,
    entityIdentifiers: (wire.entityIdentifiers ?? []).map(({ id, isNested }) => ({
      id: String(id),
      isNested: isNested ?? false
    })),
    exceptionIds: (wire.exceptionIds ?? []).map(String),
    isRating: wire.isRating ?? false,
    ...(typeof wire.isAnonymous === "boolean" ? { isAnonymous: wire.isAnonymous } : undefined),
    allowHalfRatings: wire.allowHalfRatings ?? false,
    allowRerating: wire.allowRerating ?? false,
    ...(maxRatingScale === undefined ? undefined : { maxRatingScale })
  }
}

/** A decoded form in the language of the call. Pure, and total. */
export const toForm = (wire: typeof WireForm.Type, langCode: string): Form => {
  const total = toNumber(wire.total)
  return {
    id: wire.id,
    identifier: wire.identifier,
    type: wire.type ?? null,
    attributeSetId: toNumber(wire.attributeSetId) ?? null,
    version: toNumber(wire.version) ?? 0,
    position: toNumber(wire.position) ?? 0,
    processingType: wire.processingType ?? null,
    templateId: toNumber(wire.templateId) ?? null,
    localizeInfos: texts(wire.localizeInfos === undefined ? undefined : Locale.unwrap(wire.localizeInfos, langCode)),
    attributes: list(wire.attributes)
      .map((item, index) => attribute(item, langCode, index))
      .sort((a, b) => a.position - b.position),
    moduleFormConfigs: list(wire.moduleFormConfigs).map(config),
    ...(total === undefined ? undefined : { total })
  }
}
