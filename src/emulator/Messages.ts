/**
 * Every refusal that the emulator can answer with, in one table: status, wording and how sure that wording is.
 *
 * OneEntry's API has no machine-readable error codes, so the English text is the contract. Some of it was captured
 * from real tenants, some is quoted by the official documents, some is seen in applications only and some was never
 * seen by anybody. Whoever meets a live answer that differs corrects it here and nowhere else.
 *
 * @since 0.1.0
 */

/**
 * How well the wording of a {@link Row} is known.
 *
 * - `captured`: seen in a published response or measured live
 * - `quoted`: quoted by the official documents
 * - `application`: seen only in the code or the test doubles of applications
 * - `framework`: the default text of the framework that the server runs on
 * - `unknown`: the status is known at best; the text is ours, neutral on purpose
 *
 * @example
 * ```ts
 * import { Messages } from "effect-oneentry/emulator"
 *
 * const certainty: Messages.Certainty = "captured"
 * console.log(Object.values(Messages.table).filter((row) => row.certainty === certainty).length > 5) // => true
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Certainty = "captured" | "quoted" | "application" | "framework" | "unknown"

/**
 * One refusal: the status, the text (with `{0}`, `{1}` for what varies), its certainty and where it is known from.
 *
 * @example
 * ```ts
 * import { Messages } from "effect-oneentry/emulator"
 *
 * const row: Messages.Row = Messages.table.EventNotFound
 * console.log(row.status, row.text) // => 404 Event "{0}" with formType "send_code" not found
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Row {
  readonly status: number
  readonly text: string
  readonly certainty: Certainty
  readonly source: string
}

const row = (status: number, text: string, certainty: Certainty, source: string): Row => ({
  status,
  text,
  certainty,
  source
})

/**
 * The table of refusals by name.
 *
 * @example
 * ```ts
 * import { Messages } from "effect-oneentry/emulator"
 *
 * console.log(Messages.table.UserAlreadyHasCode.text, Messages.table.UserAlreadyHasCode.certainty)
 * ```
 *
 * @category tables
 * @since 0.1.0
 */
export const table = {
  // access and headers
  ResourceClosed: row(403, "Resource is closed", "quoted", "platform rules; demo applications"),
  PermissionMissing: row(
    403,
    "Permission data not found. Provide the permission for requested url",
    "captured",
    "oauth page of the SDK's documents, January 2026"
  ),
  PermissionDenied: row(
    403,
    "User doesn't have permissions to access the requested url or API method",
    "quoted",
    "SDK rules; platform rules"
  ),
  AddRuleRequired: row(
    403,
    'The requested method requires the "addRule" rule to be enabled on the permission (permissionId: {0}) linked to the user group',
    "quoted",
    "SDK rules; the beginning of the sentence is ours"
  ),
  Unauthorized: row(401, "Unauthorized", "framework", "the status is confirmed"),
  UsersWithoutSession: row(500, "Internal server error", "framework", "SDK rules name the 500, not its text"),
  RouteNotFound: row(404, "Cannot {0} {1}", "quoted", "platform rules"),
  DeviceMetadataMissing: row(400, "Missing x-device-metadata header", "quoted", "platform rules; SDK rules"),
  DeviceMetadataInvalid: row(400, "Invalid x-device-metadata format", "quoted", "platform rules; SDK rules"),
  ReadRestricted: row(400, "maximum allowed data length = 10", "captured", "log of a demo restaurant"),
  PlanNotIncluded: row(405, "Operation is not included in the plan", "unknown", "platform rules name the status"),
  TooManyRequests: row(429, "Too many requests", "framework", "platform rules name the status"),

  // transport and bodies
  BodyTooLarge: row(413, "request entity too large", "framework", "body parser of the framework"),
  HostMissing: row(400, "Bad Request", "framework", "HTTP"),
  ExpectationUnknown: row(417, "Expectation Failed", "framework", "HTTP"),
  HeadersTooLarge: row(431, "Request header fields too large", "framework", "HTTP"),
  BodyMalformed: row(400, "Request body is not valid JSON", "unknown", "the framework quotes the parser, which varies"),
  BodyTooDeep: row(400, "Request body is nested too deeply", "unknown", "a limit of the emulator"),
  BodyPrototype: row(400, "Request body must not have the key __proto__", "unknown", "a limit of the emulator"),
  PathMalformed: row(400, "Failed to decode param", "framework", "router of the framework"),
  MultipartMalformed: row(400, "Malformed multipart body", "unknown", "none seen"),
  InternalError: row(500, "Internal server error", "framework", "default filter of the framework"),

  // providers and forms behind them
  ProviderNotDefined: row(400, "auth provider not defined", "application", "tooling of a demo shop names it for auth"),
  ProviderNotFound: row(404, "auth provider not defined", "application", "status for change-password: platform rules"),
  ProviderFormMissing: row(400, "form is not defined", "application", "tooling of a demo shop"),
  FormNotFound: row(404, "Form not found", "unknown", "status inferred"),

  // sign-up and sign-in
  LoginOrPasswordMissed: row(400, "Login or password values are missed", "captured", "measured: SDK rules"),
  UserExists: row(400, "User with this identifier already exists", "unknown", "platform rules describe it"),
  PhonesNotAllowed: row(400, '"notificationData.{0}" is not allowed', "quoted", "pattern; platform rules"),
  WrongCredentials: row(401, "Wrong login or password", "unknown", "the status is likely"),
  CodeRejectedAtAuth: row(401, "Wrong code", "unknown", "platform rules name the status"),
  CodeNotAccepted: row(400, '"code" is not allowed', "unknown", "pattern of the validator"),
  UserNotActivated: row(400, "User is not activated", "application", "a mobile demo matches the text; status unknown"),

  // codes
  UserAlreadyHasCode: row(400, "User already has a code", "captured", "registration scenario, April 2025"),
  CodeReissueTooSoon: row(429, "Code has already been sent, try again later", "unknown", "platform rules: status"),
  UserNotFound: row(404, "User not found", "application", "a demo shop; the status is unknown"),
  UserNotUnderProvider: row(400, "User not found", "unknown", "platform rules name the status"),
  EventNotFound: row(404, 'Event "{0}" with formType "send_code" not found', "quoted", "platform rules"),
  CodeIncorrect: row(400, "User code is expired or incorrect", "application", "test double of a demo shop"),
  CodeAttemptsExceeded: row(429, "Too many wrong codes, request a new one", "unknown", "platform rules: status"),
  PasswordsDiffer: row(400, "Passwords do not match", "unknown", "platform rules name the status"),
  TypeRequired: row(404, "Type not found", "unknown", "older servers; the status is quoted"),

  // tokens
  RefreshTokenIncorrect: row(400, "Provided token is incorrect", "captured", "log of a demo restaurant"),
  LogoutTokenIncorrect: row(400, "Provided token is incorrect", "unknown", "inferred from refresh"),

  // oauth
  OAuthRejected: row(
    400,
    "We couldn't pass the oauth authentication with provided data. Check the code, the credentials and the redirect_uri",
    "captured",
    "the beginning is captured, the rest is ours"
  ),
  OAuthNotVerified: row(400, "The e-mail address is not verified by the provider", "unknown", "platform rules"),
  OAuthNotConfigured: row(400, "oauthAuthUrl is not set for the provider", "unknown", "platform rules"),
  OAuthUnreachable: row(
    400,
    "We couldn't pass the oauth authentication with provided data. The provider is out of reach",
    "unknown",
    "ours"
  ),

  // users
  LocaleOfNull: row(
    500,
    "Cannot read properties of null (reading '{0}')",
    "captured",
    "demo restaurant, users made by OAuth"
  ),
  LoginCannotChange: row(400, "Login cannot be changed", "unknown", "SDK rules call it impossible"),

  // form data
  FieldIncorrect: row(400, "formData's marker '{0}' value is missing or incorrect", "captured", "SDK rules"),
  FieldsRequired: row(400, "required values are missing or incorrect: {0}", "quoted", "SDK rules"),
  FieldType: row(400, "formData's marker '{0}' type must be one of [{1}]", "quoted", "SDK rules"),
  FormDataEmpty: row(400, "empty form data section", "quoted", "SDK rules"),
  FieldUnknown: row(400, "wrong form's attribute type", "quoted", "SDK rules; the condition is unknown"),
  FormType: row(404, "Form has incorrect type: {0}", "captured", "SDK rules (404); platform rules give no status"),
  FormConfigMismatch: row(400, "Incorrect formIdentifier for provided config", "captured", "SDK rules"),
  EntityUnknown: row(
    400,
    "We couldn't find out correspondent entityId for provided moduleEntityIdentifier",
    "quoted",
    "SDK rules"
  ),
  AnonymousNotAllowed: row(
    400,
    "This form doesn't allow anonymous users sending data. You must authorize.",
    "quoted",
    "SDK rules"
  ),
  AlreadyRated: row(400, "You have already rated this entity", "quoted", "SDK rules"),
  CaptchaMissing: row(400, "formData doesn't have spam attribute", "quoted", "SDK rules"),
  CaptchaFailed: row(400, "Captcha Validation Failed, captcha type is: google", "quoted", "SDK rules"),
  CaptchaTwice: row(
    400,
    "Your form has more than 1 span attribute whereas the only one is possible",
    "quoted",
    "SDK rules"
  ),
  SubmissionsPrivate: row(403, "This form's submissions are not publicly readable", "quoted", "SDK rules"),
  SubmissionNotFound: row(404, "Form data not found", "unknown", "none seen"),
  SubmissionNotYours: row(403, "Forbidden resource", "framework", "guard of the framework"),
  ListPerForm: row(
    405,
    "Use POST /form-data/marker/{marker} to read the submissions of a form",
    "unknown",
    "status is quoted"
  ),

  // files
  FileTooLarge: row(
    400,
    'File size exceeds the setting "maxFileSize" ({0} bytes) of the storage "{1}"',
    "unknown",
    "platform rules describe it"
  ),
  FileNotFound: row(404, "File not found", "unknown", "the status is quoted"),
  FilesMissing: row(400, '"files" is required', "unknown", "pattern of the validator"),

  // events and the system
  EventMarkerNotFound: row(404, "Event not found", "unknown", "none seen"),
  Test404: row(404, "Not Found", "framework", "system/test404"),
  Test500: row(500, "Internal Server Error", "framework", "system/test500")
} as const satisfies Record<string, Row>

/**
 * The name of a row in the {@link table}.
 *
 * @example
 * ```ts
 * import { Messages } from "effect-oneentry/emulator"
 *
 * const textOf = (name: Messages.Name) => Messages.table[name].text
 * console.log(textOf("ResourceClosed")) // => Resource is closed
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Name = keyof typeof table
