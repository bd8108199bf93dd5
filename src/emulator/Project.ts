/**
 * The project that an emulator plays: providers, forms, events, permissions, languages, users to begin with, and the
 * switches between the eras of the platform.
 *
 * A project is plain JSON. Everything has a default, so `{}` is a project; {@link defaultProject} is the one of the
 * registration scenario in OneEntry's documents.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/** A field that has to be there. */
const required = <S extends Schema.Top>(schema: S, description: string, example?: S["Type"]) =>
  schema.annotate(example === undefined ? { description } : { description, examples: [example] })

/** A field that may be absent, and then stays absent. */
const optional = <S extends Schema.Top>(schema: S, description: string, example?: S["Type"]) =>
  Schema.optionalKey(required(schema, description, example))

/** A field that may be absent, and then has a value all the same. */
const withDefault = <S extends Schema.Top>(
  schema: S,
  value: S["Encoded"],
  description: string,
  example?: S["Encoded"]
): Schema.decodeTo<S, Schema.optionalKey<Schema.toEncoded<S>>> =>
  Schema.optionalKey(
    Schema.toEncoded(schema).annotate({
      description,
      default: value,
      ...(example === undefined ? {} : { examples: [example] })
    })
  ).pipe(
    Schema.decodeTo(schema, {
      decode: SchemaGetter.withDefault(Effect.succeed(value)),
      encode: SchemaGetter.passthrough()
    })
  )

const flag = (value: boolean, description: string) => withDefault(Schema.Boolean, value, description)

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** A name that can stand in a path or a body: not empty and bounded. */
const Marker = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(256))

const Json = Schema.Json

const JsonRecord = Schema.Record(Schema.String, Json)

// -----------------------------------------------------------------------------
// Switches
// -----------------------------------------------------------------------------

/**
 * Where sources or eras of the platform disagree, a switch decides. The defaults are the newest behaviour, except
 * where the captured registration scenario shows another.
 *
 * @example
 * ```ts
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const layer = Emulator.layer({ project: { switches: { codePolicy: "reissue-window-429", retryAfter: true } } })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Switches = Schema.Struct({
  codePolicy: withDefault(
    Schema.Literals(["existing-code-400", "reissue-window-429"]),
    "existing-code-400",
    "What a second generate-code meets: a refusal while a code lives (captured), or 429 within `reissueWindowSec` and then a new code."
  ),
  reissueWindowSec: withDefault(Count, 30, "Seconds until a new code may be asked for, with `reissue-window-429`.", 60),
  codeAttempts: withDefault(
    Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
    5,
    "Wrong codes that a live code survives, the last one included.",
    3
  ),
  notificationPhones: withDefault(
    Schema.Literals(["accept", "refuse"]),
    "accept",
    "Whether `notificationData` may carry `phonePush` and `phoneSMS`."
  ),
  configNumbers: withDefault(
    Schema.Literals(["number", "string"]),
    "number",
    "How the numbers of a provider's config are written in answers."
  ),
  typeRequired: flag(false, "Older servers answer 404 to a change of password without `type`."),
  refreshFailureStatus: withDefault(
    Schema.Literals([400, 401]),
    400,
    "The status that a refused refresh token is answered with."
  ),
  accessTokenAfterRefresh: withDefault(
    Schema.Literals(["dies", "lives"]),
    "dies",
    "Whether an access token still works after its refresh token was spent on the next one."
  ),
  activateWrongCode: withDefault(
    Schema.Literals(["error", "false"]),
    "error",
    "What a wrong code meets at `activate`: an error, or the answer `false`."
  ),
  generateCodeBody: withDefault(
    Schema.Literals(["empty", "true"]),
    "empty",
    "What `generate-code` answers with: nothing, or `true`."
  ),
  userNotFoundStatus: withDefault(
    Schema.Literals([400, 404]),
    404,
    "The status of `User not found` where a code is asked for or checked."
  ),
  userExistsStatus: withDefault(Schema.Literals([400, 409]), 400, "The status of a sign-up whose login is taken."),
  notActivatedStatus: withDefault(
    Schema.Literals([400, 401, 403]),
    400,
    "The status of a sign-in of a user who is not activated."
  ),
  usersWithoutSession: withDefault(
    Schema.Literals([401, 500]),
    401,
    "What routes under `/users` answer without a session: 401, or the 500 of some servers."
  ),
  eventsList: withDefault(
    Schema.Literals(["public", "session"]),
    "public",
    "Who may list events: everybody, or signed-in users."
  ),
  deviceMetadata: withDefault(
    Schema.Literals(["documented", "every-post"]),
    "documented",
    "Which POST routes want `x-device-metadata`: those where it is documented, or every one."
  ),
  loginChange: withDefault(
    Schema.Literals(["moves", "refused"]),
    "moves",
    "Whether a new login in a profile's form data moves the credential."
  ),
  loginInFormData: flag(false, "Whether profile and sign-up answers list the login among the form data."),
  oauthNotificationData: withDefault(
    Schema.Literals(["500", "accept"]),
    "500",
    "What `PUT /users/me` with `notificationData` meets for a user made by OAuth."
  ),
  validationMessages: withDefault(
    Schema.Literals(["array", "string"]),
    "array",
    "How class-validator style refusals are written: a list of texts, as the framework does, or the first of them."
  ),
  fileContentType: withDefault(
    Schema.Literals(["accept", "refuse"]),
    "accept",
    "Whether submitted file values may carry `contentType`, as newer servers allow."
  ),
  fieldWording: withDefault(
    Schema.Literals(["marker", "required"]),
    "marker",
    "How a missing or wrong value is worded: `formData's marker…`, or `required values are missing or incorrect…`."
  ),
  restrictedReads: withDefault(
    Schema.Literals(["fewer-rows", "400"]),
    "fewer-rows",
    "What a restricted read does with a larger page: fewer rows, or a refusal."
  ),
  formTypeStatus: withDefault(
    Schema.Literals([400, 404]),
    404,
    "The status of a submission to a form of the wrong type."
  ),
  retryAfter: flag(false, "Whether 429 answers say `Retry-After`.")
})

/**
 * The decoded {@link Switches}.
 *
 * @category models
 * @since 0.1.0
 */
export type Switches = typeof Switches.Type

// -----------------------------------------------------------------------------
// Providers
// -----------------------------------------------------------------------------

/**
 * What a provider's config holds; numbers only, whatever the wire shows.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * const config = Schema.decodeSync(Project.ProviderConfig)({ accessTokenTtlSec: 60, systemCodeOnlyNumbers: true })
 * console.log(config.systemCodeLength) // => 6
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const ProviderConfig = Schema.Struct({
  accessTokenTtlSec: withDefault(Count, 36_000, "Seconds that an access token lives.", 3600),
  refreshTokenTtlMc: withDefault(Count, 604_800, "Seconds, despite the name, that a refresh token lives.", 86_400),
  deleteNoneActiveUsersAfterDays: withDefault(Count, 2, "Days after which a user who never activated is removed.", 7),
  systemCodeTlsSec: withDefault(Count, 120, "Seconds that a code lives.", 300),
  systemCodeLength: withDefault(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 })),
    6,
    "Characters of a code.",
    4
  ),
  systemCodeOnlyNumbers: withDefault(
    Schema.NullOr(Schema.Boolean),
    null,
    "Whether codes are made of digits alone; otherwise of digits and capital letters."
  ),
  oauthAuthUrl: withDefault(
    Schema.NullOr(Schema.String),
    null,
    "Where a person is sent to sign in, for a provider of type `oauth`; without it `oauth` is refused.",
    "https://accounts.example.com/authorize"
  )
})

/**
 * A real OAuth server behind a provider. Without it, a provider of type `oauth` takes codes of the form
 * `emulator-<e-mail>` (and refuses `emulator-unverified-<e-mail>` as not verified).
 *
 * @example
 * ```ts
 * import { Project } from "effect-oneentry/emulator"
 *
 * const server = Project.OAuthServer.make({
 *   tokenUrl: "http://127.0.0.1:8080/token",
 *   userInfoUrl: "http://127.0.0.1:8080/userinfo",
 *   clientId: "shop"
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const OAuthServer = Schema.Struct({
  tokenUrl: required(Schema.String, "Where a code is exchanged for a token.", "http://127.0.0.1:8080/token"),
  userInfoUrl: required(
    Schema.String,
    "Where the person behind a token is asked for.",
    "http://127.0.0.1:8080/userinfo"
  ),
  clientId: optional(Schema.String, "The client id to use, whatever the request says.", "shop"),
  clientSecret: optional(Schema.String, "The client secret to use, whatever the request says.", "not-a-real-secret"),
  nameMarker: optional(Schema.String, "The form field that takes the person's name at creation.", "name_reg"),
  avatarMarker: optional(
    Schema.String,
    "The form field that takes the address of the person's picture at creation.",
    "avatar_reg"
  )
})

/**
 * An authorization provider.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * const provider = Schema.decodeSync(Project.Provider)({ identifier: "google", type: "oauth" })
 * console.log(provider.isCheckCode) // => false
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Provider = Schema.Struct({
  id: optional(Schema.Int, "The number in answers; the next free one when absent.", 1),
  identifier: required(Marker, "The marker in paths: `/marker/{identifier}`.", "email"),
  type: withDefault(Schema.Literals(["email", "phone", "oauth", "password"]), "email", "How people sign in with it."),
  localizeInfos: withDefault(JsonRecord, {}, "Titles by language.", { en_US: { title: "Email" } }),
  version: withDefault(Count, 0, "The version in answers.", 1),
  formIdentifier: withDefault(
    Schema.NullOr(Marker),
    null,
    "The form that people sign up with; its fields say which one is the login and which the password.",
    "reg"
  ),
  userGroupIdentifier: withDefault(Marker, "guest", "The group of the users that sign up here.", "customers"),
  isActive: flag(true, "Whether the provider answers at all."),
  isCheckCode: flag(false, "Activation by code: sign-up issues a code at once, and `auth` takes a code."),
  config: withDefault(ProviderConfig, {}, "Life times of tokens and codes, and what codes look like.", {
    accessTokenTtlSec: 3600
  }),
  oauth: optional(
    OAuthServer,
    "A real OAuth server behind the provider. Without it codes of the form `emulator-<e-mail>` are taken.",
    { tokenUrl: "http://127.0.0.1:8080/token", userInfoUrl: "http://127.0.0.1:8080/userinfo" }
  ),
  tokenSecretKey: optional(
    Schema.String.check(Schema.isMinLength(1)),
    "The secret of this provider's access tokens; random when absent.",
    "not-a-real-secret"
  )
})

/**
 * The decoded {@link Provider}.
 *
 * @category models
 * @since 0.1.0
 */
export type Provider = typeof Provider.Type

// -----------------------------------------------------------------------------
// Forms
// -----------------------------------------------------------------------------

/**
 * The types of a form field.
 *
 * @example
 * ```ts
 * import { Project } from "effect-oneentry/emulator"
 *
 * console.log(Project.AttributeType.literals.includes("groupOfImages")) // => true
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const AttributeType = Schema.Literals([
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
  "button",
  "json"
])

/**
 * The decoded {@link AttributeType}.
 *
 * @category models
 * @since 0.1.0
 */
export type AttributeType = typeof AttributeType.Type

const Loose = Schema.Union([Schema.Finite, Schema.String, Schema.Null])

const custom = {
  customErrorText: optional(Schema.String, "What to tell people; servers never send it back.", "Please fill this in"),
  errorMessage: optional(Schema.String, "The older name of `customErrorText`.", "Please fill this in")
}

const Payload = Schema.Union([Schema.Boolean, JsonRecord])

/**
 * The validators of a field by name. The list is closed; numbers may be written as strings, and `0` or `""` mean
 * "not set".
 *
 * @example
 * ```ts
 * import { Project } from "effect-oneentry/emulator"
 *
 * const validators = Project.Validators.make({
 *   requiredValidator: { strict: true },
 *   stringInspectionValidator: { stringMin: 8, stringMax: "64" }
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Validators = Schema.Struct({
  requiredValidator: optional(
    Schema.Union([
      Schema.Boolean,
      Schema.Struct({ strict: optional(Schema.Boolean, "Whether clients should insist, too."), ...custom })
    ]),
    "The field has to be there. Presence counts: `{}` is enough.",
    { strict: true }
  ),
  trimValidator: optional(Payload, "No space at the ends.", true),
  stringInspectionValidator: optional(
    Schema.Struct({
      stringMin: optional(Loose, "Characters at least.", 2),
      stringMax: optional(Loose, "Characters at most.", 64),
      stringLength: optional(Loose, "Characters exactly.", 10),
      ...custom
    }),
    "How long a text is.",
    { stringMin: 2, stringMax: "64" }
  ),
  urlInspectionValidator: optional(Payload, "An address of the web.", true),
  emailInspectionValidator: optional(Payload, "An e-mail address.", true),
  checkForNumberValidator: optional(
    Schema.Union([
      Schema.Boolean,
      Schema.Struct({
        integerOnly: optional(Schema.NullOr(Schema.Boolean), "Whole numbers alone."),
        minValue: optional(Loose, "The smallest one.", 1),
        maxValue: optional(Loose, "The largest one.", "99"),
        ...custom
      })
    ]),
    "A number, and in which range.",
    { integerOnly: true, minValue: 1 }
  ),
  roundingNumberValidator: optional(Payload, "How many decimals a number has.", { precision: 2 }),
  booleanValidator: optional(Payload, "A truth value.", true),
  comparisonValidator: optional(Payload, "How the value relates to that of another field.", {
    marker: "password_reg",
    comparison: "equal"
  }),
  checkForAGivenList: optional(Payload, "One value of a list.", { values: ["small", "large"] }),
  regExpValidator: optional(
    Schema.Struct({
      patternValue: required(Schema.String, "A regular expression of JavaScript, without slashes.", "^[a-z]+$"),
      invert: optional(Schema.NullOr(Schema.Boolean), "Whether the value must not match."),
      flags: optional(Schema.NullOr(Schema.Array(Schema.String)), "Flags of the expression.", ["i"]),
      ...custom
    }),
    "A text that matches a regular expression.",
    { patternValue: "^[a-z]+$", flags: ["i"] }
  ),
  fieldMaskValidator: optional(
    Schema.Struct({
      maskValue: required(Schema.String, "The mask; `#` and `9` stand for a digit.", "+1 (###) ###-####"),
      hint: optional(Schema.NullOr(Schema.String), "What always stands at the beginning.", "+1"),
      ...custom
    }),
    "A text that fits a mask.",
    { maskValue: "###-##" }
  ),
  defaultValueValidator: optional(Payload, "What clients fill in to begin with.", { fieldDefaultValue: "Lisbon" }),
  sizeInPixelsValidator: optional(Payload, "How large a picture is; clients check it, servers do not.", { maxX: 800 }),
  checkingFilesValidator: optional(Payload, "Sizes and kinds of files; clients check them, servers do not.", {
    maxUnits: "kb",
    maxValue: "2000",
    extensions: [".png"]
  }),
  minMaxDateValidator: optional(Payload, "A range of dates; clients check it, servers do not.", {
    minDate: "2024-01-01"
  }),
  valueValidator: optional(Payload, "A range of values; clients check it, servers do not.", { minValue: 1 }),
  checkForLettersValidator: optional(Payload, "Letters alone; clients check it, servers do not.", true)
})

/**
 * The decoded {@link Validators}.
 *
 * @category models
 * @since 0.1.0
 */
export type Validators = typeof Validators.Type

const mark = (description: string) => optional(Schema.NullOr(Schema.Boolean), description)

/**
 * A choice of a list or of radio buttons.
 *
 * @example
 * ```ts
 * import { Project } from "effect-oneentry/emulator"
 *
 * const size = Project.ListTitle.make({ title: "Large", value: "l", position: 2 })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const ListTitle = Schema.Struct({
  title: required(Schema.String, "What people see.", "Large"),
  value: required(Schema.Union([Schema.String, Schema.Finite, Schema.Null]), "What is submitted.", "l"),
  position: optional(Schema.Finite, "Its place in the list.", 1),
  extended: optional(
    Schema.Struct({
      value: required(Schema.NullOr(Json), "Any JSON.", "#ff0000"),
      type: required(Schema.NullOr(Schema.String), "What the value is.", "string")
    }),
    "More that belongs to the choice.",
    { value: "#ff0000", type: "string" }
  )
})

/**
 * A field of a form. Flags may be `true`, `false`, `null` or absent, as on the wire; absent ones stay absent.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * const field = Schema.decodeSync(Project.Attribute)({ type: "string", marker: "email_reg", isLogin: true })
 * console.log(field.isVisible) // => true
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Attribute = Schema.Struct({
  type: required(AttributeType, "What kind of value it takes."),
  marker: required(Marker, "Its name in submissions.", "email_reg"),
  position: optional(Schema.Finite, "Its place in the form.", 1),
  isVisible: flag(true, "Whether people see it; a captcha counts only when it is visible."),
  settings: withDefault(JsonRecord, {}, "Settings of its type, such as the key of a captcha.", {
    captcha: { key: "site-key" }
  }),
  listTitles: withDefault(
    Schema.Union([Schema.Array(ListTitle), Schema.Record(Schema.String, Schema.Array(ListTitle))]),
    [],
    "Choices of a list or of radio buttons: one list for every language, or a list by language.",
    [{ title: "Large", value: "l" }]
  ),
  validators: withDefault(Validators, {}, "What its values must be, by the name of the rule.", {
    requiredValidator: { strict: true }
  }),
  localizeInfos: withDefault(JsonRecord, {}, "Titles by language.", { en_US: { title: "E-mail" } }),
  additionalFields: withDefault(Schema.Array(JsonRecord), [], "More that a project knows of the field.", [
    { marker: "hint", type: "string", value: "As in your passport" }
  ]),
  initialValue: optional(Json, "What the field begins with.", "Lisbon"),
  isLogin: mark("Whether it is the login."),
  isPassword: mark("Whether it is the password."),
  isSignUp: mark("Whether registration forms show it."),
  isSignUpRequired: mark("Whether a sign-up has to fill it in."),
  isNotificationEmail: mark("Whether it is where messages go by e-mail."),
  isNotificationPhoneSMS: mark("Whether it is where messages go by SMS."),
  isNotificationPhonePush: mark("Whether it is where push messages go."),
  multiselect: mark("Whether several choices of a list may be taken."),
  isRatingValue: mark("Whether it is the number of a rating.")
})

/**
 * The decoded {@link Attribute}.
 *
 * @category models
 * @since 0.1.0
 */
export type Attribute = typeof Attribute.Type

const EntityId = Schema.Union([Schema.String, Schema.Finite])

/**
 * Where a form's submissions belong, and who may send and read them.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * const config = Schema.decodeSync(Project.FormConfig)({ id: 2, entityIdentifiers: [{ id: "blog" }], isAnonymous: false })
 * console.log(config.moduleIdentifier) // => content
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const FormConfig = Schema.Struct({
  id: required(Schema.Int, "What submissions name as `formModuleConfigId`; one number among all forms.", 2),
  moduleIdentifier: withDefault(Schema.String, "content", "The module that the form is attached to.", "catalog"),
  isGlobal: flag(false, "Whether every entity takes submissions."),
  isClosed: flag(false, "Whether nobody reads the submissions."),
  viewOnlyUserData: flag(false, "Whether people read their own submissions alone."),
  commentOnlyUserData: flag(false, "Whether people answer their own submissions alone."),
  entityIdentifiers: withDefault(
    Schema.Array(
      Schema.Struct({
        id: required(EntityId, "The entity.", "blog"),
        isNested: flag(false, "Whether what is below it counts, too.")
      })
    ),
    [],
    "The entities that take submissions; all of them when empty.",
    [{ id: "blog" }]
  ),
  exceptionIds: withDefault(Schema.Array(EntityId), [], "Entities that take none.", ["draft"]),
  isRating: withDefault(Schema.NullOr(Schema.Boolean), null, "Whether a submission is a rating: one a person."),
  isAnonymous: withDefault(
    Schema.NullOr(Schema.Boolean),
    null,
    "Whether people may submit without a session; `false` refuses them."
  ),
  allowHalfRatings: withDefault(Schema.NullOr(Schema.Boolean), null, "Whether halves are ratings."),
  allowRerating: withDefault(Schema.NullOr(Schema.Boolean), null, "Whether a person may rate again."),
  maxRatingScale: withDefault(Schema.NullOr(Schema.Finite), null, "The best rating; 5 when absent.", 10),
  isModerate: flag(false, "Whether new submissions wait for moderation. Kept by the emulator, not shown in answers.")
})

/**
 * The decoded {@link FormConfig}.
 *
 * @category models
 * @since 0.1.0
 */
export type FormConfig = typeof FormConfig.Type

/**
 * A form.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * const form = Schema.decodeSync(Project.Form)({
 *   identifier: "contact_us",
 *   attributes: [{ type: "string", marker: "name" }]
 * })
 * console.log(form.type, form.processingType) // => data db
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Form = Schema.Struct({
  id: optional(Schema.Int, "The number in answers; the next free one when absent.", 4),
  attributeSetId: withDefault(Schema.NullOr(Schema.Int), null, "The attribute set in answers.", 5),
  type: withDefault(
    Schema.NullOr(Schema.Literals(["order", "sing_in_up", "sign_in_up", "collection", "data", "rating"])),
    "data",
    "What the form is for. Those of sign-up (`sing_in_up` is how servers spell it) and orders take no submissions."
  ),
  version: withDefault(Count, 0, "The version in answers.", 1),
  position: withDefault(Schema.Finite, 1, "Its place among the forms.", 2),
  identifier: required(Marker, "The marker in paths: `/marker/{identifier}`.", "reg"),
  processingType: withDefault(
    Schema.Literals(["db", "email", "script"]),
    "db",
    "What a real project does with submissions; the emulator keeps them."
  ),
  templateId: withDefault(Schema.NullOr(Schema.Int), null, "The template in answers.", 1),
  localizeInfos: withDefault(
    JsonRecord,
    {},
    "Titles and messages by language. `successMessage` is what a submission answers with.",
    { en_US: { title: "Contact us", successMessage: "Thank you" } }
  ),
  attributes: withDefault(Schema.Array(Attribute), [], "The fields.", [
    { type: "string", marker: "email_reg", isLogin: true }
  ]),
  moduleFormConfigs: withDefault(
    Schema.Array(FormConfig),
    [],
    "Where submissions belong, and who may send and read them.",
    [{ id: 2, entityIdentifiers: [{ id: "blog" }] }]
  )
})

/**
 * The decoded {@link Form}.
 *
 * @category models
 * @since 0.1.0
 */
export type Form = typeof Form.Type

// -----------------------------------------------------------------------------
// The rest of a project
// -----------------------------------------------------------------------------

/**
 * An event. `generate-code` takes those of form type `send_code`.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * console.log(Schema.decodeSync(Project.Event)({ identifier: "password_reset" }).formType) // => send_code
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Event = Schema.Struct({
  id: optional(Schema.Int, "The number in answers; its place in the list when absent.", 1),
  identifier: required(Marker, "What requests name as `eventIdentifier`.", "auth"),
  formType: withDefault(
    Schema.NullOr(Schema.String),
    "send_code",
    "What happens at the event; `send_code` is what `generate-code` wants.",
    "order"
  ),
  localizeInfos: withDefault(JsonRecord, {}, "Titles by language.", { en_US: { title: "Sign-in code" } })
})

/**
 * A rule about who may call what. The last rule that matches a request decides; where none matches, all is granted
 * except the two that a new tenant denies to guests: reading submissions and deleting files.
 *
 * - `granted`: go ahead
 * - `missing`: the route is not linked to the caller's group (403 `Permission data not found…`)
 * - `denied`: the group's rule for the method is off (403 `User doesn't have permissions…`)
 * - `addRule`: the POST rule is off (403 `… requires the "addRule" rule…`)
 * - `restricted`: a read, of ten rows at most
 * - `notInPlan`: the plan does not include the operation (405)
 *
 * @example
 * ```ts
 * import { Project } from "effect-oneentry/emulator"
 *
 * const rule = Project.Permission.make({ operation: "refresh", group: "guest", rule: "missing" })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Permission = Schema.Struct({
  operation: optional(Schema.String, "The name of an operation; every one when absent.", "refresh"),
  route: optional(Schema.String, "A path with `*` for anything; every one when absent.", "/api/content/users/*"),
  method: optional(Schema.Literals(["GET", "POST", "PUT", "DELETE"]), "The verb; every one when absent."),
  group: optional(Schema.String, "The group that the rule is about; every group when absent.", "guest"),
  rule: required(
    Schema.Literals(["granted", "missing", "denied", "addRule", "restricted", "notInPlan"]),
    "What a matching request meets; the last rule that matches decides. `missing`: the route is not linked to the group. `denied`: the rule for the method is off. `addRule`: the POST rule is off. `restricted`: ten rows at most. `notInPlan`: 405."
  )
})

/**
 * The decoded {@link Permission}.
 *
 * @category models
 * @since 0.1.0
 */
export type Permission = typeof Permission.Type

/**
 * A group of users.
 *
 * @example
 * ```ts
 * import { Project } from "effect-oneentry/emulator"
 *
 * const group = Project.Group.make({ id: 2, identifier: "customers" })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Group = Schema.Struct({
  id: required(Schema.Int, "What users carry among their `groups`.", 2),
  identifier: required(Marker, "What providers and permissions name.", "customers")
})

/**
 * A user to begin with.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * const ann = Schema.decodeSync(Project.SeedUser)({ login: "ann@example.com", password: "secret" })
 * console.log(ann.provider, ann.isActive) // => email true
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const SeedUser = Schema.Struct({
  provider: withDefault(Marker, "email", "The provider that the user signs in with.", "phone"),
  login: required(Schema.String.check(Schema.isMinLength(1)), "What the user signs in as.", "ann@example.com"),
  password: optional(
    Schema.String.check(Schema.isMinLength(1)),
    "In plain text; it is hashed at the start. Without it nobody signs in by password.",
    "123456"
  ),
  isActive: flag(true, "Whether the user is activated."),
  locale: optional(Schema.String, "The language; the first one of the project when absent.", "en_US"),
  formData: withDefault(
    Schema.Array(
      Schema.Struct({
        marker: required(Schema.String, "The field.", "name_reg"),
        type: optional(Schema.String, "The type of the field.", "string"),
        value: required(Json, "The value.", "Ann")
      })
    ),
    [],
    "What the user filled in.",
    [{ marker: "name_reg", type: "string", value: "Ann" }]
  ),
  notificationData: withDefault(
    Schema.Struct({
      email: optional(Schema.String, "An e-mail address.", "ann@example.com"),
      phonePush: withDefault(Schema.Array(Schema.String), [], "Tokens of devices.", ["device-token"]),
      phoneSMS: optional(Schema.String, "A telephone number.", "+18007986545")
    }),
    {},
    "Where messages to the user go.",
    { email: "ann@example.com" }
  ),
  state: withDefault(JsonRecord, {}, "What applications keep with the user.", { theme: "dark" }),
  groups: optional(Schema.Array(Schema.Int), "Numbers of groups; that of the provider when absent.", [2])
})

/**
 * The project file.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * const project = Schema.decodeSync(Project.Project)({ events: [{ identifier: "auth" }] })
 * console.log(project.languages) // => [ 'en_US' ]
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Project = Schema.Struct({
  $schema: optional(
    Schema.String,
    "Where this description is, for editors.",
    "./node_modules/effect-oneentry/src/emulator/project.schema.json"
  ),
  languages: withDefault(
    Schema.NonEmptyArray(Marker),
    ["en_US"],
    "The languages. The first one is that of requests which name none.",
    ["en_US", "de_DE"]
  ),
  providers: withDefault(Schema.Array(Provider), [], "The ways to sign in.", [
    { identifier: "email", formIdentifier: "reg", isCheckCode: true }
  ]),
  forms: withDefault(Schema.Array(Form), [], "The forms: those of providers and those that take submissions.", [
    { identifier: "contact_us", attributes: [{ type: "string", marker: "name" }] }
  ]),
  events: withDefault(Schema.Array(Event), [], "The events that codes are sent for, and others.", [
    { identifier: "auth" }
  ]),
  groups: withDefault(Schema.Array(Group), [{ id: 1, identifier: "guest" }], "The groups of users.", [
    { id: 1, identifier: "guest" },
    { id: 2, identifier: "customers" }
  ]),
  permissions: withDefault(
    Schema.Array(Permission),
    [],
    "Who may call what. Where no rule matches, all is granted but reading submissions and deleting files.",
    [{ operation: "refresh", rule: "missing" }]
  ),
  users: withDefault(Schema.Array(SeedUser), [], "Users to begin with.", [
    { login: "ann@example.com", password: "123456" }
  ]),
  switches: withDefault(Switches, {}, "Where sources or eras of the platform disagree, a switch decides.", {
    codePolicy: "reissue-window-429"
  }),
  files: withDefault(
    Schema.Struct({
      maxFileSize: withDefault(Count, 10 * 1024 * 1024, "Bytes of an uploaded file at most.", 1_000_000),
      storage: withDefault(Schema.String, "local", "The name of the storage that refusals mention.", "s3")
    }),
    {},
    "Rules about uploads.",
    { maxFileSize: 1_000_000 }
  )
})

/**
 * A decoded project.
 *
 * @category models
 * @since 0.1.0
 */
export type Project = typeof Project.Type

/**
 * A project as written in a file: everything may be left out.
 *
 * @example
 * ```ts
 * import { Emulator, Project } from "effect-oneentry/emulator"
 *
 * const input: Project.Input = {
 *   ...Project.defaultProject,
 *   users: [{ login: "ann@example.com", password: "secret" }]
 * }
 * const layer = Emulator.layerClient({ project: input })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Input = typeof Project.Encoded

/**
 * The project has the wrong shape, or its parts do not fit together.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * const error = Effect.runSync(Effect.flip(Project.decode({ users: [{ login: "ann@example.com" }] })))
 * console.log(error.issues[0]) // => user "ann@example.com" names the provider "email", which does not exist
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class ProjectError extends Schema.TaggedError<ProjectError>("effect-oneentry/emulator/Project/ProjectError")(
  "ProjectError",
  { issues: Schema.Array(Schema.String) }
) {
  override get message() {
    return `The project is not valid:\n${this.issues.map((issue) => `- ${issue}`).join("\n")}`
  }
}

const duplicates = (kind: string, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `${kind} "${name}" is defined more than once`)

const check = (project: Project): ReadonlyArray<string> => {
  const forms = new Set(project.forms.map((form) => form.identifier))
  const providers = new Map(project.providers.map((provider) => [provider.identifier, provider]))
  const groups = new Set(project.groups.map((group) => group.identifier))
  const issues = [
    ...duplicates(
      "provider",
      project.providers.map((provider) => provider.identifier)
    ),
    ...duplicates(
      "form",
      project.forms.map((form) => form.identifier)
    ),
    ...duplicates(
      "event",
      project.events.map((event) => event.identifier)
    ),
    ...duplicates(
      "group",
      project.groups.map((group) => group.identifier)
    ),
    ...duplicates(
      "form config",
      project.forms.flatMap((form) => form.moduleFormConfigs.map((c) => String(c.id)))
    )
  ]
  for (const provider of project.providers) {
    if (provider.formIdentifier !== null && !forms.has(provider.formIdentifier)) {
      issues.push(`provider "${provider.identifier}" names the form "${provider.formIdentifier}", which does not exist`)
    }
    if (!groups.has(provider.userGroupIdentifier)) {
      issues.push(
        `provider "${provider.identifier}" names the group "${provider.userGroupIdentifier}", which does not exist`
      )
    }
  }
  for (const form of project.forms) {
    issues.push(
      ...duplicates(
        `form "${form.identifier}": field`,
        form.attributes.map((attribute) => attribute.marker)
      )
    )
    for (const attribute of form.attributes) {
      const pattern = attribute.validators.regExpValidator
      if (pattern === undefined) continue
      try {
        new RegExp(pattern.patternValue, (pattern.flags ?? []).join(""))
      } catch {
        issues.push(`form "${form.identifier}": the pattern of field "${attribute.marker}" is no regular expression`)
      }
    }
  }
  for (const { group } of project.permissions) {
    if (group !== undefined && group !== "guest" && !groups.has(group)) {
      issues.push(`a permission names the group "${group}", which does not exist`)
    }
  }
  for (const user of project.users) {
    if (!providers.has(user.provider)) {
      issues.push(`user "${user.login}" names the provider "${user.provider}", which does not exist`)
    }
  }
  return issues
}

const decodeProject = Schema.decodeUnknownEffect(Project)

/**
 * Decodes a project and checks that its parts fit together, naming every problem.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Project } from "effect-oneentry/emulator"
 *
 * const program = Project.decode({ providers: [{ identifier: "email", formIdentifier: "reg" }] }).pipe(
 *   Effect.catchTag("ProjectError", (error) => Effect.logError(error.message))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = (input: unknown): Effect.Effect<Project, ProjectError> =>
  decodeProject(input, { errors: "all", onExcessProperty: "error" }).pipe(
    Effect.mapError((error) => new ProjectError({ issues: error.message.split(/\n(?! )/) })),
    Effect.flatMap((project) => {
      const issues = check(project)
      return issues.length === 0 ? Effect.succeed(project) : Effect.fail(new ProjectError({ issues }))
    })
  )

// -----------------------------------------------------------------------------
// The project of the registration scenario
// -----------------------------------------------------------------------------

const field = (
  marker: string,
  position: number,
  title: string,
  rest: Omit<(typeof Attribute)["Encoded"], "type" | "marker" | "position" | "localizeInfos">
): (typeof Attribute)["Encoded"] => ({
  type: "string",
  marker,
  position,
  localizeInfos: { en_US: { title } },
  isNotificationEmail: false,
  isNotificationPhoneSMS: null,
  isNotificationPhonePush: null,
  ...rest
})

const mandatory = { requiredValidator: { strict: true } }

/**
 * The project of the registration scenario: provider `email` with activation by code, form `reg` with the five
 * captured fields, event `auth`.
 *
 * The captured form comes from the time before `isPassword`, and shows none of the older marks of a password field
 * either. Here `password_reg` carries `isPassword: true`, the way newer servers mark it: without it neither the server
 * nor a client could tell which of the fields is the password. All other flags are as captured.
 *
 * @example
 * ```ts
 * import { Project } from "effect-oneentry/emulator"
 *
 * console.log(Project.defaultProject.events) // => [ { identifier: 'auth', formType: 'send_code' } ]
 * ```
 *
 * @category projects
 * @since 0.1.0
 */
export const defaultProject: Input = {
  languages: ["en_US"],
  providers: [
    {
      id: 1,
      identifier: "email",
      type: "email",
      localizeInfos: { en_US: { title: "Email" } },
      formIdentifier: "reg",
      userGroupIdentifier: "guest",
      isActive: true,
      isCheckCode: true
    }
  ],
  forms: [
    {
      id: 4,
      attributeSetId: 5,
      type: "sing_in_up",
      version: 0,
      position: 1,
      identifier: "reg",
      processingType: "script",
      templateId: null,
      localizeInfos: {
        en_US: {
          title: "Registration",
          titleForSite: "",
          successMessage: "",
          unsuccessMessage: "",
          urlAddress: "",
          database: "0",
          script: "0"
        }
      },
      attributes: [
        field("email_reg", 1, "E-mail", {
          isLogin: true,
          isSignUp: false,
          validators: { ...mandatory, emailInspectionValidator: true }
        }),
        field("name_reg", 2, "Name", { isLogin: null, isSignUp: true, validators: mandatory }),
        field("phone_reg", 3, "Phone", { isLogin: null, isSignUp: true, validators: mandatory }),
        field("password_reg", 4, "Password", {
          isLogin: null,
          isPassword: true,
          isSignUp: null,
          validators: { ...mandatory, stringInspectionValidator: { stringMax: 0, stringMin: 0, stringLength: 0 } }
        }),
        field("email_notification_reg", 5, "email for notification", {
          isLogin: null,
          isSignUp: null,
          isNotificationEmail: true,
          validators: {}
        })
      ]
    }
  ],
  events: [{ identifier: "auth", formType: "send_code" }]
}

export {
  /**
   * The project of the registration scenario, by the name that reads well as `Project.default`.
   *
   * @example
   * ```ts
   * import { Emulator, Project } from "effect-oneentry/emulator"
   *
   * const layer = Emulator.layerClient({ project: { ...Project.default, languages: ["en_US", "de_DE"] } })
   * ```
   *
   * @category projects
   * @since 0.1.0
   */
  defaultProject as default
}
