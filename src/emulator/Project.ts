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

const withDefault = <S extends Schema.Top>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

const flag = (value: boolean) => withDefault(Schema.Boolean, value)

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
 * @category schemas
 * @since 0.1.0
 */
export const Switches = Schema.Struct({
  /** A second `generate-code`: refused while a code lives (captured), or 429 within `reissueWindowSec` and then a new code. */
  codePolicy: withDefault(Schema.Literals(["existing-code-400", "reissue-window-429"]), "existing-code-400"),
  reissueWindowSec: withDefault(Count, 30),
  /** Wrong codes that a live code survives, the last one included. */
  codeAttempts: withDefault(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)), 5),
  /** Whether `notificationData` may carry `phonePush` and `phoneSMS`. */
  notificationPhones: withDefault(Schema.Literals(["accept", "refuse"]), "accept"),
  /** How the numbers of a provider's config are written. */
  configNumbers: withDefault(Schema.Literals(["number", "string"]), "number"),
  /** Older servers answer 404 to a change of password without `type`. */
  typeRequired: flag(false),
  refreshFailureStatus: withDefault(Schema.Literals([400, 401]), 400),
  /** Whether an access token still works after its refresh token was spent on the next one. */
  accessTokenAfterRefresh: withDefault(Schema.Literals(["dies", "lives"]), "dies"),
  /** A wrong code at `activate`: an error, or `false`. */
  activateWrongCode: withDefault(Schema.Literals(["error", "false"]), "error"),
  /** What `generate-code` answers with. */
  generateCodeBody: withDefault(Schema.Literals(["empty", "true"]), "empty"),
  userNotFoundStatus: withDefault(Schema.Literals([400, 404]), 404),
  userExistsStatus: withDefault(Schema.Literals([400, 409]), 400),
  notActivatedStatus: withDefault(Schema.Literals([400, 401, 403]), 400),
  /** Endpoints under `/users` without a session: 401, or the 500 of some servers. */
  usersWithoutSession: withDefault(Schema.Literals([401, 500]), 401),
  /** The list of events: public, or for signed-in users. */
  eventsList: withDefault(Schema.Literals(["public", "session"]), "public"),
  /** Which POST routes want `x-device-metadata`: those where it is documented, or every one. */
  deviceMetadata: withDefault(Schema.Literals(["documented", "every-post"]), "documented"),
  /** Whether a new login in a profile's form data moves the credential. */
  loginChange: withDefault(Schema.Literals(["moves", "refused"]), "moves"),
  /** Whether profile and sign-up answers list the login among the form data. */
  loginInFormData: flag(false),
  /** `PUT /users/me` with `notificationData` for a user made by OAuth. */
  oauthNotificationData: withDefault(Schema.Literals(["500", "accept"]), "500"),
  /** Class-validator style refusals: a list of texts, as the framework writes it, or the first of them. */
  validationMessages: withDefault(Schema.Literals(["array", "string"]), "array"),
  /** `contentType` in submitted file values: newer servers take it. */
  fileContentType: withDefault(Schema.Literals(["accept", "refuse"]), "accept"),
  /** How a missing or wrong value is worded: `formData's marker…`, or `required values are missing or incorrect…`. */
  fieldWording: withDefault(Schema.Literals(["marker", "required"]), "marker"),
  /** What a restricted read does with a larger page: fewer rows, or a refusal. */
  restrictedReads: withDefault(Schema.Literals(["fewer-rows", "400"]), "fewer-rows"),
  formTypeStatus: withDefault(Schema.Literals([400, 404]), 404),
  /** Whether 429 answers say `Retry-After`. */
  retryAfter: flag(false)
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
 * @category schemas
 * @since 0.1.0
 */
export const ProviderConfig = Schema.Struct({
  accessTokenTtlSec: withDefault(Count, 36_000),
  /** Seconds, despite the name. */
  refreshTokenTtlMc: withDefault(Count, 604_800),
  deleteNoneActiveUsersAfterDays: withDefault(Count, 2),
  systemCodeTlsSec: withDefault(Count, 120),
  systemCodeLength: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 })), 6),
  systemCodeOnlyNumbers: withDefault(Schema.NullOr(Schema.Boolean), null),
  oauthAuthUrl: withDefault(Schema.NullOr(Schema.String), null)
})

/**
 * A real OAuth server behind a provider. Without it, a provider of type `oauth` takes codes of the form
 * `emulator-<e-mail>` (and refuses `emulator-unverified-<e-mail>` as not verified).
 *
 * @category schemas
 * @since 0.1.0
 */
export const OAuthServer = Schema.Struct({
  tokenUrl: Schema.String,
  userInfoUrl: Schema.String,
  clientId: Schema.optionalKey(Schema.String),
  clientSecret: Schema.optionalKey(Schema.String),
  /** The form field that takes the person's name at creation. */
  nameMarker: Schema.optionalKey(Schema.String),
  /** The form field that takes the address of the person's picture at creation. */
  avatarMarker: Schema.optionalKey(Schema.String)
})

/**
 * An authorization provider.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Provider = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  identifier: Marker,
  type: withDefault(Schema.Literals(["email", "phone", "oauth", "password"]), "email"),
  localizeInfos: withDefault(JsonRecord, {}),
  version: withDefault(Count, 0),
  formIdentifier: withDefault(Schema.NullOr(Marker), null),
  userGroupIdentifier: withDefault(Marker, "guest"),
  isActive: flag(true),
  /** Activation by code: sign-up issues a code at once, and `auth` takes a code. */
  isCheckCode: flag(false),
  config: withDefault(ProviderConfig, {}),
  oauth: Schema.optionalKey(OAuthServer),
  /** The secret of this provider's access tokens; random when absent. */
  tokenSecretKey: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1)))
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
  customErrorText: Schema.optionalKey(Schema.String),
  errorMessage: Schema.optionalKey(Schema.String)
}

const Payload = Schema.Union([Schema.Boolean, JsonRecord])

/**
 * The validators of a field by name. The list is closed; numbers may be written as strings, and `0` or `""` mean
 * "not set".
 *
 * @category schemas
 * @since 0.1.0
 */
export const Validators = Schema.Struct({
  requiredValidator: Schema.optionalKey(
    Schema.Union([Schema.Boolean, Schema.Struct({ strict: Schema.optionalKey(Schema.Boolean), ...custom })])
  ),
  trimValidator: Schema.optionalKey(Payload),
  stringInspectionValidator: Schema.optionalKey(
    Schema.Struct({
      stringMin: Schema.optionalKey(Loose),
      stringMax: Schema.optionalKey(Loose),
      stringLength: Schema.optionalKey(Loose),
      ...custom
    })
  ),
  urlInspectionValidator: Schema.optionalKey(Payload),
  emailInspectionValidator: Schema.optionalKey(Payload),
  checkForNumberValidator: Schema.optionalKey(
    Schema.Union([
      Schema.Boolean,
      Schema.Struct({
        integerOnly: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
        minValue: Schema.optionalKey(Loose),
        maxValue: Schema.optionalKey(Loose),
        ...custom
      })
    ])
  ),
  roundingNumberValidator: Schema.optionalKey(Payload),
  booleanValidator: Schema.optionalKey(Payload),
  comparisonValidator: Schema.optionalKey(Payload),
  checkForAGivenList: Schema.optionalKey(Payload),
  regExpValidator: Schema.optionalKey(
    Schema.Struct({
      patternValue: Schema.String,
      invert: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
      flags: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))),
      ...custom
    })
  ),
  fieldMaskValidator: Schema.optionalKey(
    Schema.Struct({ maskValue: Schema.String, hint: Schema.optionalKey(Schema.NullOr(Schema.String)), ...custom })
  ),
  defaultValueValidator: Schema.optionalKey(Payload),
  sizeInPixelsValidator: Schema.optionalKey(Payload),
  checkingFilesValidator: Schema.optionalKey(Payload),
  minMaxDateValidator: Schema.optionalKey(Payload),
  valueValidator: Schema.optionalKey(Payload),
  checkForLettersValidator: Schema.optionalKey(Payload)
})

/**
 * The decoded {@link Validators}.
 *
 * @category models
 * @since 0.1.0
 */
export type Validators = typeof Validators.Type

const Flag = Schema.optionalKey(Schema.NullOr(Schema.Boolean))

/**
 * A choice of a list or of radio buttons.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ListTitle = Schema.Struct({
  title: Schema.String,
  value: Schema.Union([Schema.String, Schema.Finite, Schema.Null]),
  position: Schema.optionalKey(Schema.Finite),
  extended: Schema.optionalKey(Schema.Struct({ value: Schema.NullOr(Json), type: Schema.NullOr(Schema.String) }))
})

/**
 * A field of a form. Flags may be `true`, `false`, `null` or absent, as on the wire; absent ones stay absent.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Attribute = Schema.Struct({
  type: AttributeType,
  marker: Marker,
  position: Schema.optionalKey(Schema.Finite),
  isVisible: flag(true),
  settings: withDefault(JsonRecord, {}),
  /** One list for every language, or a list by language. */
  listTitles: withDefault(
    Schema.Union([Schema.Array(ListTitle), Schema.Record(Schema.String, Schema.Array(ListTitle))]),
    []
  ),
  validators: withDefault(Validators, {}),
  /** By language. */
  localizeInfos: withDefault(JsonRecord, {}),
  additionalFields: withDefault(Schema.Array(JsonRecord), []),
  initialValue: Schema.optionalKey(Json),
  isLogin: Flag,
  isPassword: Flag,
  isSignUp: Flag,
  isSignUpRequired: Flag,
  isNotificationEmail: Flag,
  isNotificationPhoneSMS: Flag,
  isNotificationPhonePush: Flag,
  multiselect: Flag,
  isRatingValue: Flag
})

/**
 * The decoded {@link Attribute}.
 *
 * @category models
 * @since 0.1.0
 */
export type Attribute = typeof Attribute.Type

/**
 * Where a form's submissions belong, and who may send and read them.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FormConfig = Schema.Struct({
  id: Schema.Int,
  moduleIdentifier: withDefault(Schema.String, "content"),
  isGlobal: flag(false),
  isClosed: flag(false),
  viewOnlyUserData: flag(false),
  commentOnlyUserData: flag(false),
  entityIdentifiers: withDefault(
    Schema.Array(Schema.Struct({ id: Schema.Union([Schema.String, Schema.Finite]), isNested: flag(false) })),
    []
  ),
  exceptionIds: withDefault(Schema.Array(Schema.Union([Schema.String, Schema.Finite])), []),
  isRating: withDefault(Schema.NullOr(Schema.Boolean), null),
  isAnonymous: withDefault(Schema.NullOr(Schema.Boolean), null),
  allowHalfRatings: withDefault(Schema.NullOr(Schema.Boolean), null),
  allowRerating: withDefault(Schema.NullOr(Schema.Boolean), null),
  maxRatingScale: withDefault(Schema.NullOr(Schema.Finite), null),
  /** New submissions wait for moderation. Kept by the emulator, not shown on the wire. */
  isModerate: flag(false)
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
 * @category schemas
 * @since 0.1.0
 */
export const Form = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  attributeSetId: withDefault(Schema.NullOr(Schema.Int), null),
  type: withDefault(
    Schema.NullOr(Schema.Literals(["order", "sing_in_up", "sign_in_up", "collection", "data", "rating"])),
    "data"
  ),
  version: withDefault(Count, 0),
  position: withDefault(Schema.Finite, 1),
  identifier: Marker,
  processingType: withDefault(Schema.Literals(["db", "email", "script"]), "db"),
  templateId: withDefault(Schema.NullOr(Schema.Int), null),
  /** By language. `successMessage` is what a submission answers with. */
  localizeInfos: withDefault(JsonRecord, {}),
  attributes: withDefault(Schema.Array(Attribute), []),
  moduleFormConfigs: withDefault(Schema.Array(FormConfig), [])
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
 * @category schemas
 * @since 0.1.0
 */
export const Event = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  identifier: Marker,
  formType: withDefault(Schema.NullOr(Schema.String), "send_code"),
  localizeInfos: withDefault(JsonRecord, {})
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
 * @category schemas
 * @since 0.1.0
 */
export const Permission = Schema.Struct({
  /** The name of an operation, such as `refresh`. */
  operation: Schema.optionalKey(Schema.String),
  /** A path with `*` for anything, such as `/api/content/users/*`. */
  route: Schema.optionalKey(Schema.String),
  method: Schema.optionalKey(Schema.Literals(["GET", "POST", "PUT", "DELETE"])),
  /** The group that the rule is about; every group when absent. */
  group: Schema.optionalKey(Schema.String),
  rule: Schema.Literals(["granted", "missing", "denied", "addRule", "restricted", "notInPlan"])
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
 * @category schemas
 * @since 0.1.0
 */
export const Group = Schema.Struct({ id: Schema.Int, identifier: Marker })

/**
 * A user to begin with.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SeedUser = Schema.Struct({
  provider: withDefault(Marker, "email"),
  login: Schema.String.check(Schema.isMinLength(1)),
  password: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  isActive: flag(true),
  locale: Schema.optionalKey(Schema.String),
  formData: withDefault(
    Schema.Array(Schema.Struct({ marker: Schema.String, type: Schema.optionalKey(Schema.String), value: Json })),
    []
  ),
  notificationData: withDefault(
    Schema.Struct({
      email: Schema.optionalKey(Schema.String),
      phonePush: withDefault(Schema.Array(Schema.String), []),
      phoneSMS: Schema.optionalKey(Schema.String)
    }),
    {}
  ),
  state: withDefault(JsonRecord, {}),
  groups: Schema.optionalKey(Schema.Array(Schema.Int))
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
 * console.log(project.languages) // [ 'en_US' ]
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Project = Schema.Struct({
  $schema: Schema.optionalKey(Schema.String),
  /** The first one is the language of what names none. */
  languages: withDefault(Schema.NonEmptyArray(Marker), ["en_US"]),
  providers: withDefault(Schema.Array(Provider), []),
  forms: withDefault(Schema.Array(Form), []),
  events: withDefault(Schema.Array(Event), []),
  groups: withDefault(Schema.Array(Group), [{ id: 1, identifier: "guest" }]),
  permissions: withDefault(Schema.Array(Permission), []),
  users: withDefault(Schema.Array(SeedUser), []),
  switches: withDefault(Switches, {}),
  files: withDefault(
    Schema.Struct({
      /** Bytes. */
      maxFileSize: withDefault(Count, 10 * 1024 * 1024),
      storage: withDefault(Schema.String, "local")
    }),
    {}
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
 * @category models
 * @since 0.1.0
 */
export type Input = typeof Project.Encoded

/**
 * The project has the wrong shape, or its parts do not fit together.
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

const required = { requiredValidator: { strict: true } }

/**
 * The project of the registration scenario: provider `email` with activation by code, form `reg` with the five
 * captured fields, event `auth`.
 *
 * The captured form comes from the time before `isPassword`, and shows none of the older marks of a password field
 * either. Here `password_reg` carries `isPassword: true`, the way newer servers mark it: without it neither the server
 * nor a client could tell which of the fields is the password. All other flags are as captured.
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
          validators: { ...required, emailInspectionValidator: true }
        }),
        field("name_reg", 2, "Name", { isLogin: null, isSignUp: true, validators: required }),
        field("phone_reg", 3, "Phone", { isLogin: null, isSignUp: true, validators: required }),
        field("password_reg", 4, "Password", {
          isLogin: null,
          isPassword: true,
          isSignUp: null,
          validators: { ...required, stringInspectionValidator: { stringMax: 0, stringMin: 0, stringLength: 0 } }
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
   * @category projects
   * @since 0.1.0
   */
  defaultProject as default
}
