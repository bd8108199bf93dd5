/**
 * What a sign-up and a sign-in page need, made from the form definition of a project: its fields in order, a schema of
 * its values, and the data for `AuthProvider.signUp` and `AuthProvider.auth`.
 *
 * Nothing about the form is written into the application: markers, labels, rules and their messages, and where each
 * value goes (credentials, form data, notification contacts) all come from the definition.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { AuthField, FormField, NotificationData, Secret } from "./FieldValue.ts"
import * as FormSchema from "./FormSchema.ts"
import { encodeValue, isObject, reveal } from "./internal/fieldEncoding.ts"
import * as Check from "./internal/formCheck.ts"
import { FormInvalid, type FormIssue } from "./internal/formInvalid.ts"
import * as Validators from "./internal/validators.ts"

export { FormInvalid, type FormIssue }

// ---------------------------------------------------------------------------------------------------------------------
// Fields
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Which page a field is for.
 *
 * ```ts
 * import type { SignUpForm } from "effect-oneentry"
 *
 * const page: SignUpForm.Page = "signUp"
 * console.log(page)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Page = "signIn" | "signUp"

/**
 * The control for a field: types of an HTML `<input>`, or another control. `checkbox` with choices is a group of them,
 * without a single one (its value a boolean).
 *
 * ```ts
 * import type { SignUpForm } from "effect-oneentry"
 *
 * const isChoice = (kind: SignUpForm.InputKind) => kind === "select" || kind === "radio" || kind === "checkbox"
 * console.log(isChoice("radio")) // => true
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type InputKind =
  | "email"
  | "password"
  | "tel"
  | "url"
  | "text"
  | "textarea"
  | "number"
  | "date"
  | "datetime-local"
  | "time"
  | "select"
  | "radio"
  | "checkbox"
  | "file"
  | "interval"
  | "json"
  | "captcha"

/**
 * What a field is to the server, which decides where its value goes.
 *
 * ```ts
 * import type { SignUpForm } from "effect-oneentry"
 *
 * const isCredential = (role: SignUpForm.Role) => role === "login" || role === "password"
 * console.log(isCredential("data")) // => false
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Role =
  | "login"
  | "password"
  | "notificationEmail"
  | "notificationPhoneSMS"
  | "notificationPhonePush"
  | "data"

/**
 * A field as a page shows it. Absent properties say nothing: there is no bound, no hint, no mask.
 *
 * ```ts
 * import type { SignUpForm } from "effect-oneentry"
 *
 * const input = (field: SignUpForm.Field) => ({
 *   name: field.marker,
 *   type: field.kind,
 *   required: field.required,
 *   autoComplete: field.autocomplete
 * })
 * console.log(typeof input)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Field {
  readonly marker: string
  readonly type: FormSchema.FormAttribute["type"]
  readonly role: Role
  readonly label: string
  readonly kind: InputKind
  /** A value for the HTML `autocomplete` attribute. */
  readonly autocomplete?: string
  readonly required: boolean
  /** Whether several values are allowed: choices, or files. */
  readonly multiple: boolean
  readonly choices: ReadonlyArray<{
    readonly value: string | number
    readonly label: string
    readonly extended?: { readonly value: string | null; readonly type: string | null }
  }>
  readonly placeholder?: string
  readonly hint?: string
  /** `#` and `9` stand for digits. */
  readonly mask?: string
  /** A prefix that the mask begins with and the visitor does not change. */
  readonly maskPrefix?: string
  /** A regular expression for the HTML `pattern` attribute, where the form has one that HTML can express. */
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  /** A number, or for dates `YYYY-MM-DD`. */
  readonly min?: number | string
  readonly max?: number | string
  readonly step?: number | "any"
  /** Extensions with a dot, for the HTML `accept` attribute. */
  readonly accept?: ReadonlyArray<string>
  /** Bytes a file. */
  readonly maxSize?: number
  /** Pixels of an image. */
  readonly maxWidth?: number
  readonly maxHeight?: number
  /** What the field is filled with at first. */
  readonly defaultValue?: unknown
  /** What the captcha widget needs. */
  readonly captcha?: { readonly siteKey: string; readonly action?: string }
}

// ---------------------------------------------------------------------------------------------------------------------
// Options
// ---------------------------------------------------------------------------------------------------------------------

/**
 * How a form is turned into sign-up data.
 *
 * `notifications`: `"all"` (default) sends e-mail and phones, as the documented scenario does; `"emailOnly"` is for newer
 * servers, which refuse phones in any form.
 *
 * `normalizeLogin`: `"lowercase"` writes the login in lower case, on sign-up and on sign-in (the server compares case on
 * sign-in, but not for uniqueness). Only on request, since a project may have users with capitals in their login.
 *
 * `fileQuery`: where new files belong, one query for all or one a field; without it a `File` or `Blob` is an issue.
 *
 * ```ts
 * import type { SignUpForm } from "effect-oneentry"
 *
 * const options: SignUpForm.Options = { notifications: "emailOnly", normalizeLogin: "lowercase" }
 * console.log(options.notifications)
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  readonly notifications?: "all" | "emailOnly" | undefined
  readonly normalizeLogin?: "lowercase" | undefined
  readonly fileQuery?: FormSchema.FileQueryOption | undefined
}

/**
 * The data for `AuthProvider.signUp`, as `encode` gives it: every part is there.
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider, type SignUpForm } from "effect-oneentry"
 *
 * const register = (data: SignUpForm.SignUpData) =>
 *   Effect.flatMap(AuthProvider.AuthProvider, (auth) => auth.signUp("email", data))
 * console.log(typeof register)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SignUpData {
  readonly formIdentifier: string
  readonly authData: ReadonlyArray<AuthField>
  readonly formData: ReadonlyArray<FormField>
  readonly notificationData: NotificationData
}

/**
 * A form for registration and sign-in.
 *
 * ```ts
 * import type { SignUpForm } from "effect-oneentry"
 *
 * const markers = (form: SignUpForm.SignUpForm) => form.fields("signIn").map((field) => field.marker)
 * console.log(typeof markers)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SignUpForm {
  readonly form: FormSchema.Form
  /** The fields of a page in order. On sign-in only the credentials. */
  readonly fields: (page: Page) => ReadonlyArray<Field>
  /** The schema of the values of the sign-up page; see `FormSchema.fieldsSchema`. */
  readonly schema: Schema.Codec<FormSchema.FormValues>
  /** The schema of the values of the sign-in page: that the credentials are there. */
  readonly signInSchema: Schema.Codec<FormSchema.FormValues>
  /** What is wrong with the definition; shown to developers, not to visitors. */
  readonly problems: ReadonlyArray<FormSchema.FormProblem>
  /** Checks all values and routes them; fails with every problem, by marker. */
  readonly encode: (values: FormSchema.FormValues) => Effect.Effect<SignUpData, FormInvalid>
  /**
   * The credentials out of the values. `withCode` is for a sign-in by one-time code, which needs no password.
   */
  readonly encodeSignIn: (
    values: FormSchema.FormValues,
    options?: { readonly withCode?: boolean }
  ) => Effect.Effect<{ readonly authData: ReadonlyArray<AuthField> }, FormInvalid>
  /** The server's refusal as `FormInvalid`, when it names a field of the form; see `FormSchema.fromServerError`. */
  readonly fromServerError: (messages: string | ReadonlyArray<string>) => Option.Option<FormInvalid>
}

// ---------------------------------------------------------------------------------------------------------------------
// Roles
// ---------------------------------------------------------------------------------------------------------------------

const ruleOf = <T extends Validators.Rule["_tag"]>(attribute: FormSchema.FormAttribute, tag: T) =>
  Validators.find(attribute.rules.validators, tag)

const isNotification = (attribute: FormSchema.FormAttribute): boolean =>
  attribute.isNotificationEmail || attribute.isNotificationPhoneSMS || attribute.isNotificationPhonePush

const additionalText = (attribute: FormSchema.FormAttribute, marker: string): string | undefined => {
  const value = attribute.additionalFields[marker]?.value
  return typeof value === "string" && value !== "" ? value : undefined
}

/**
 * The password field. Forms of today flag it; older ones said so with an additional field `type` of the value
 * `password`. A form that does neither (the captured one of the documented scenario) is left with a guess: the first
 * required string field whose marker contains "password", and that is nothing else (no login, no notification contact,
 * not shown for `isSignUp`). An explicit `isPassword: false` is never overruled.
 *
 * @internal
 */
export const findPassword = (
  attributes: ReadonlyArray<FormSchema.FormAttribute>
): FormSchema.FormAttribute | undefined => {
  const candidates = attributes.filter((attribute) => !attribute.isLogin && attribute.undecided.includes("isPassword"))
  return (
    attributes.find((attribute) => attribute.isPassword) ??
    candidates.find((attribute) => additionalText(attribute, "type") === "password") ??
    candidates.find(
      (attribute) =>
        attribute.type === "string" &&
        !attribute.isSignUp &&
        !isNotification(attribute) &&
        ruleOf(attribute, "Required") !== undefined &&
        attribute.marker.toLowerCase().includes("password")
    )
  )
}

const phoneWords = /(?:^|[^a-z])(?:phone|tel|telephone|mobile|cell)(?:[^a-z]|$)|phone/

const isPhone = (attribute: FormSchema.FormAttribute): boolean =>
  attribute.type === "string" &&
  (attribute.isNotificationPhoneSMS ||
    attribute.isNotificationPhonePush ||
    additionalText(attribute, "type") === "tel" ||
    phoneWords.test(attribute.marker.toLowerCase()))

/**
 * The field that feeds `phoneSMS`: the flagged one. Where none is flagged (the captured form of the documented scenario,
 * whose phone is sent all the same), the first phone field about which the flag says nothing.
 */
const findPhoneSMS = (
  attributes: ReadonlyArray<FormSchema.FormAttribute>,
  password: FormSchema.FormAttribute | undefined
): FormSchema.FormAttribute | undefined =>
  attributes.find((attribute) => attribute.isNotificationPhoneSMS) ??
  attributes.find(
    (attribute) =>
      attribute !== password &&
      attribute.isVisible &&
      !attribute.isLogin &&
      !isNotification(attribute) &&
      attribute.undecided.includes("isNotificationPhoneSMS") &&
      isPhone(attribute)
  )

// ---------------------------------------------------------------------------------------------------------------------
// Controls
// ---------------------------------------------------------------------------------------------------------------------

const kinds: ReadonlySet<string> = new Set<InputKind>(["email", "password", "tel", "url", "number", "textarea"])
const isKind = (word: string | undefined): word is InputKind => word !== undefined && kinds.has(word)

const stringKind = (attribute: FormSchema.FormAttribute, role: Role): InputKind => {
  if (role === "password") return "password"
  if (ruleOf(attribute, "Email") !== undefined || attribute.isNotificationEmail) return "email"
  const word = additionalText(attribute, "type")
  if (isKind(word)) return word
  if (ruleOf(attribute, "Boolean") !== undefined) return "checkbox"
  if (isPhone(attribute)) return "tel"
  if (ruleOf(attribute, "Url") !== undefined) return "url"
  return ruleOf(attribute, "Number") !== undefined ? "number" : "text"
}

const kindOf = (attribute: FormSchema.FormAttribute, role: Role): InputKind => {
  switch (attribute.type) {
    case "integer":
    case "float":
    case "real":
      return "number"
    case "date":
      return "date"
    case "dateTime":
      return "datetime-local"
    case "time":
      return "time"
    case "text":
    case "textWithHeader":
      return "textarea"
    case "list":
      return attribute.multiselect === true ? "checkbox" : "select"
    case "entity":
      return "select"
    case "radioButton":
      return "radio"
    case "timeInterval":
      return "interval"
    case "image":
    case "groupOfImages":
    case "file":
      return "file"
    case "json":
      return "json"
    case "spam":
      return "captcha"
    default:
      return stringKind(attribute, role)
  }
}

const nameWords: ReadonlyArray<readonly [RegExp, string]> = [
  [/first[-_]?name|given[-_]?name|(?:^|[-_])f[-_]?name(?:[-_]|$)/, "given-name"],
  [/last[-_]?name|family[-_]?name|surname|(?:^|[-_])l[-_]?name(?:[-_]|$)/, "family-name"],
  [/birth/, "bday"],
  [/(?:^|[-_])(?:zip|postal[-_]?code|postcode)(?:[-_]|$)/, "postal-code"],
  [/(?:^|[-_])country(?:[-_]|$)/, "country-name"],
  [/(?:^|[-_])(?:company|organi[sz]ation)(?:[-_]|$)/, "organization"],
  [/(?:^|[-_])(?:full[-_]?)?name(?:[-_]|$)/, "name"]
]

const autocompleteOf = (
  attribute: FormSchema.FormAttribute,
  role: Role,
  kind: InputKind,
  page: Page
): string | undefined => {
  if (role === "password") return page === "signUp" ? "new-password" : "current-password"
  if (role === "login") return page === "signUp" && kind === "email" ? "email" : "username"
  if (kind === "email") return "email"
  if (kind === "tel") return "tel"
  if (kind === "url") return "url"
  const marker = attribute.marker.toLowerCase()
  return nameWords.find(([words]) => words.test(marker))?.[1]
}

/** HTML's `pattern` is anchored and has no flags: only what it can express the same way. */
const patternOf = (attribute: FormSchema.FormAttribute): string | undefined => {
  const rule = ruleOf(attribute, "RegExp")
  if (rule === undefined || rule.invert || rule.regExp.flags !== "") return undefined
  const { source } = rule.regExp
  const anchored = source.startsWith("^") && source.endsWith("$") && !source.endsWith("\\$") && !source.includes("|")
  return anchored ? source.slice(1, -1) : `.*(?:${source}).*`
}

const present = <A extends object>(properties: A): { readonly [K in keyof A]?: Exclude<A[K], undefined> } => {
  const out: { [K in keyof A]?: Exclude<A[K], undefined> } = {}
  for (const key in properties) {
    const value = properties[key]
    if (isPresent(value)) out[key] = value
  }
  return out
}

const isPresent = <A>(value: A): value is Exclude<A, undefined> => value !== undefined

const day = (at: DateTime.DateTime | undefined): string | undefined =>
  at === undefined ? undefined : DateTime.formatIsoDateUtc(at)

const captchaOf = (attribute: FormSchema.FormAttribute): Field["captcha"] => {
  if (attribute.type !== "spam") return undefined
  const settings = attribute.settings["captcha"]
  const captcha = isObject(settings) ? settings : attribute.settings
  const siteKey = captcha["key"] ?? captcha["captchaKey"] ?? captcha["siteKey"]
  const action = captcha["action"] ?? captcha["captchaAction"]
  if (typeof siteKey !== "string" || siteKey === "") return undefined
  return { siteKey, ...(typeof action === "string" && action !== "" ? { action } : undefined) }
}

const stepOf = (attribute: FormSchema.FormAttribute, kind: InputKind): number | "any" | undefined => {
  if (kind !== "number") return undefined
  if (attribute.type === "integer" || ruleOf(attribute, "Number")?.integerOnly === true) return 1
  const decimals = ruleOf(attribute, "Rounding")?.decimals
  return decimals === undefined ? "any" : Number(`1e-${decimals}`)
}

const manyByType: ReadonlySet<string> = new Set(["groupOfImages", "file", "entity"])

const initial = (value: unknown): unknown => (value === null || value === "" ? undefined : value)

const describe = (attribute: FormSchema.FormAttribute, role: Role, required: boolean, page: Page): Field => {
  const kind = kindOf(attribute, role)
  const length = ruleOf(attribute, "StringLength")
  const number = ruleOf(attribute, "Number") ?? ruleOf(attribute, "Value")
  const dates = ruleOf(attribute, "MinMaxDate")
  const files = ruleOf(attribute, "Files")
  const pixels = ruleOf(attribute, "SizeInPixels")
  const mask = ruleOf(attribute, "Mask")
  return {
    marker: attribute.marker,
    type: attribute.type,
    role,
    label: attribute.title,
    kind,
    required,
    multiple: attribute.multiselect ?? manyByType.has(attribute.type),
    choices: attribute.listTitles.map(({ extended, title, value }) => ({
      value,
      label: title,
      ...(extended === undefined ? undefined : { extended })
    })),
    ...present({
      autocomplete: autocompleteOf(attribute, role, kind, page),
      placeholder: additionalText(attribute, "placeholder"),
      hint: additionalText(attribute, "hint"),
      mask: mask?.mask.replaceAll("[[space]]", " "),
      maskPrefix: mask === undefined || mask.hint === "" ? undefined : mask.hint,
      pattern: patternOf(attribute),
      minLength: length?.exact ?? length?.min,
      maxLength: length?.exact ?? length?.max,
      min: number?.min ?? day(dates?.min),
      max: number?.max ?? day(dates?.max),
      step: stepOf(attribute, kind),
      accept:
        files === undefined || files.extensions.length === 0
          ? undefined
          : files.extensions.map((extension) => `.${extension}`),
      maxSize: files?.maxBytes,
      maxWidth: pixels?.maxX,
      maxHeight: pixels?.maxY,
      defaultValue: initial(ruleOf(attribute, "Default")?.value) ?? initial(attribute.initialValue),
      captcha: captchaOf(attribute)
    })
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Make
// ---------------------------------------------------------------------------------------------------------------------

const lowercase = (value: Secret): Secret =>
  typeof value === "string" ? value.toLowerCase() : Redacted.make(Redacted.value(value).toLowerCase())

/** A credential goes as text; of a number, as the server writes it, whether it is a secret or not. */
const credentialText = (attribute: FormSchema.FormAttribute, value: unknown): unknown => {
  if (typeof value === "number") return String(value)
  if (!Redacted.isRedacted(value) || attribute.type === "string") return value
  const encoded = encodeValue(attribute.type, value)
  return encoded._tag === "Value" && typeof encoded.value === "number" ? Redacted.make(String(encoded.value)) : value
}

const isSecret = (value: unknown): value is Secret => typeof reveal(value) === "string"

const textOf = (passed: Check.Passed | undefined): string | undefined => {
  const value = reveal(passed?.value)
  return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined
}

/**
 * Makes of a form definition what a sign-up page needs. Pure: do it once per form.
 *
 * Fields of the sign-up page are the visible ones with any of the flags login, password, sign-up (or required at it) and
 * notification; in a form that flags none for sign-up, all visible ones. The credentials are always required; of the
 * others `isSignUpRequired` says so, and where the server leaves that open, the presence of a `requiredValidator`. A
 * field that is required but hidden needs a value from elsewhere.
 *
 * Values are routed by the flags: credentials into `authData`, all else into `formData`; notification contacts into
 * `notificationData` too, with the login as e-mail where no contact is given and it is an address. Empty values are left
 * out. A password stays `Redacted` when it was.
 *
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { FormSchema, SignUpForm } from "effect-oneentry"
 *
 * const page = (form: FormSchema.Form) => {
 *   const signUp = SignUpForm.make(form)
 *   console.log(signUp.fields("signUp").map((field) => `${field.label}: ${field.kind}`))
 *   return signUp.encode({ email_reg: "ann@example.com", password_reg: Redacted.make("secret") }).pipe(
 *     Effect.catchTag("FormInvalid", (error) => Effect.logInfo(error.byMarker))
 *   )
 * }
 * console.log(typeof page)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (form: FormSchema.Form, options: Options = {}): SignUpForm => {
  const attributes = form.attributes.filter((attribute) => attribute.type !== "button")
  const login = attributes.find((attribute) => attribute.isLogin)
  const password = findPassword(attributes)
  const phoneSMS = findPhoneSMS(attributes, password)
  const phonePush = attributes.filter((attribute) => attribute.isNotificationPhonePush)
  const email = attributes.find((attribute) => attribute.isNotificationEmail)
  const markers = new Set(form.attributes.map((attribute) => attribute.marker))
  const known = (marker: string): boolean => markers.has(marker)

  // By marker, since sign-in checks copies of the attributes.
  const credentials = attributes.filter(
    (attribute) => attribute.isLogin || attribute.isPassword || attribute === password
  )
  const credentialMarkers = new Set(credentials.map((attribute) => attribute.marker))
  const isCredential = (attribute: FormSchema.FormAttribute): boolean => credentialMarkers.has(attribute.marker)

  const roleOf = (attribute: FormSchema.FormAttribute): Role => {
    if (attribute.isLogin) return "login"
    if (isCredential(attribute)) return "password"
    if (attribute.isNotificationEmail) return "notificationEmail"
    if (attribute === phoneSMS || attribute.isNotificationPhoneSMS) return "notificationPhoneSMS"
    return attribute.isNotificationPhonePush ? "notificationPhonePush" : "data"
  }

  const flagged = attributes.some((attribute) => attribute.isSignUp)
  const isShown = (attribute: FormSchema.FormAttribute): boolean =>
    attribute.isVisible &&
    (!flagged ||
      attribute.isSignUp ||
      attribute.isSignUpRequired ||
      isCredential(attribute) ||
      isNotification(attribute))

  // What the server demands it demands of hidden fields too: hiding one only takes it off the page.
  const isRequired = (attribute: FormSchema.FormAttribute): boolean => {
    if (isCredential(attribute)) return true
    if (attribute.type === "spam") return false
    if (attribute.isSignUpRequired) return true
    return (
      isShown(attribute) &&
      attribute.undecided.includes("isSignUpRequired") &&
      ruleOf(attribute, "Required") !== undefined
    )
  }

  const demands = attributes.map((attribute): Check.Demand => ({ attribute, required: isRequired(attribute) }))

  // A sign-in only asks that the credentials are there: rules may be stricter today than when a password was chosen.
  const plainCredentials = credentials.map(plain)
  const signInDemands = (withCode: boolean): ReadonlyArray<Check.Demand> =>
    plainCredentials.map((attribute) => ({ attribute, required: attribute.isLogin || !withCode }))

  const authData = (passed: ReadonlyMap<string, Check.Passed>, issues: Array<FormIssue>): ReadonlyArray<AuthField> => {
    const out: Array<AuthField> = []
    for (const { attribute, value } of passed.values()) {
      if (!isCredential(attribute)) continue
      const text = credentialText(attribute, value)
      if (isSecret(text)) {
        const lower = options.normalizeLogin === "lowercase" && attribute.isLogin
        out.push({ marker: attribute.marker, value: lower ? lowercase(text) : text })
      } else {
        issues.push({
          marker: attribute.marker,
          message: `is a credential, but of the type "${attribute.type}"; make it a string field in the admin panel`,
          code: "form"
        })
      }
    }
    return out
  }

  const notificationData = (passed: ReadonlyMap<string, Check.Passed>): NotificationData => {
    const contact = (attribute: FormSchema.FormAttribute | undefined): string | undefined =>
      attribute === undefined ? undefined : textOf(passed.get(attribute.marker))
    const loginText = contact(login)
    const address = contact(email) ?? (loginText !== undefined && Validators.isEmail(loginText) ? loginText : undefined)
    const sms = contact(phoneSMS)
    const push = phonePush.map(contact).filter(isPresent)
    return {
      ...(address === undefined ? undefined : { email: address }),
      ...(options.notifications === "emailOnly"
        ? undefined
        : { phonePush: push, ...(sms === undefined ? undefined : { phoneSMS: sms }) })
    }
  }

  const noLogin: FormIssue = {
    marker: "",
    message: `the form "${form.identifier}" has no login field; flag one in the admin panel`,
    code: "form"
  }

  const captchas = attributes
    .filter((attribute) => attribute.type === "spam" && attribute.isVisible)
    .map(({ marker }): FormIssue => ({
      marker,
      message: "is a captcha, with which the server refuses every registration; hide or remove it in the admin panel",
      code: "form"
    }))

  const outcome = (checked: Check.Outcome) => {
    const issues: Array<FormIssue> = login === undefined ? [noLogin] : []
    issues.push(...checked.issues)
    return { authData: authData(checked.passed, issues), issues }
  }

  const encode = (values: FormSchema.FormValues): Result.Result<SignUpData, FormInvalid> => {
    const checked = Check.checkValues(demands, values, options.fileQuery, known)
    const { authData, issues: found } = outcome(checked)
    const issues = [...captchas, ...found]
    if (issues.length > 0) return Result.fail(new FormInvalid({ issues }))
    const formData: Array<FormField> = []
    for (const field of checked.passed.values()) {
      if (!isCredential(field.attribute)) formData.push(Check.toFormField(field))
    }
    return Result.succeed({
      formIdentifier: form.identifier,
      authData,
      formData,
      notificationData: notificationData(checked.passed)
    })
  }

  const encodeSignIn = (
    values: FormSchema.FormValues,
    withCode: boolean
  ): Result.Result<{ readonly authData: ReadonlyArray<AuthField> }, FormInvalid> => {
    const { authData, issues } = outcome(Check.checkValues(signInDemands(withCode), values, undefined, known))
    return issues.length > 0 ? Result.fail(new FormInvalid({ issues })) : Result.succeed({ authData })
  }

  const describeAll = (page: Page): ReadonlyArray<Field> =>
    attributes
      .filter((attribute) => (page === "signIn" ? isCredential(attribute) && attribute.isVisible : isShown(attribute)))
      .map((attribute) => describe(attribute, roleOf(attribute), page === "signIn" || isRequired(attribute), page))

  const pages = { signIn: describeAll("signIn"), signUp: describeAll("signUp") }

  return {
    form,
    fields: (page) => pages[page],
    schema: Check.toSchema(demands, options.fileQuery),
    signInSchema: Check.toSchema(signInDemands(false), undefined),
    problems: [...FormSchema.problems(form), ...formProblems(form, attributes, login, password)],
    encode: (values) => Effect.suspend(() => Effect.fromResult(encode(values))),
    encodeSignIn: (values, signIn) =>
      Effect.suspend(() => Effect.fromResult(encodeSignIn(values, signIn?.withCode === true))),
    fromServerError: (messages) => FormSchema.fromServerError(messages, form)
  }
}

/** An attribute without its validators but for trimming: what sign-in asks of a credential. */
const plain = (attribute: FormSchema.FormAttribute): FormSchema.FormAttribute => ({
  ...attribute,
  rules: {
    validators: attribute.rules.validators.filter(({ rule }) => rule._tag === "Trim" || rule._tag === "Required"),
    problems: []
  }
})

const formProblems = (
  form: FormSchema.Form,
  attributes: ReadonlyArray<FormSchema.FormAttribute>,
  login: FormSchema.FormAttribute | undefined,
  password: FormSchema.FormAttribute | undefined
): ReadonlyArray<FormSchema.FormProblem> => {
  const out: Array<FormSchema.FormProblem> = []
  if (!FormSchema.isSignUpForm(form)) {
    out.push({ marker: "", message: `the form is of the type ${form.type ?? "null"}, not one for registration` })
  }
  if (login === undefined) out.push({ marker: "", message: "no field is flagged as the login" })
  if (password !== undefined && !password.isPassword) {
    out.push({ marker: password.marker, message: "taken for the password though not flagged as such" })
  }
  for (const attribute of attributes) {
    if (attribute.type === "spam" && attribute.isVisible) {
      out.push({
        marker: attribute.marker,
        message: "the server refuses every registration with a visible captcha field"
      })
    }
  }
  return out
}
