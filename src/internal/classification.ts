/**
 * Which error an answer is: one table, first match wins, keyed by operation, status and message. The server has no
 * error codes and its wording is no contract, so every row names where it is known from (the tags of WIRE.md §0) and
 * how sure it is, and whatever no row knows falls back to its status.
 *
 * The table is cut by area, so that a bundle holds the rows of the operations in it; `source` and `certainty` are for
 * those who read it, and are left out of the build (`scripts/lib/pure.ts`).
 */
import * as Duration from "effect/Duration"
import * as AuthError from "../AuthError.ts"
import * as OneEntryError from "../OneEntryError.ts"
import * as DomainErrors from "./domainErrors.ts"
import { type Sent, unquoted } from "./quoted.ts"
import { maxMessageLength, type ServerEnvelope } from "./serverEnvelope.ts"

/** Every operation that the package names. */
export type Operation =
  | "signUp"
  | "generateCode"
  | "checkCode"
  | "activateUser"
  | "auth"
  | "oauth"
  | "refresh"
  | "logout"
  | "logoutAll"
  | "changePassword"
  | "getAuthProviders"
  | "getAuthProviderByMarker"
  | "getActiveSessionsByMarker"
  | "getAllForms"
  | "getFormByMarker"
  | "postFormsData"
  | "getFormsDataByMarker"
  | "updateFormsDataById"
  | "updateFormsDataStatusById"
  | "deleteFormsDataById"
  | "upload"
  | "deleteFile"
  | "getFile"
  | "getUser"
  | "updateUser"
  | "archiveUser"
  | "deleteUser"
  | "addFCMToken"
  | "deleteFCMToken"
  | "request"

/**
 * `captured`: read in a published answer or measured live. `stated`: an official document says so. `app`: only in an
 * application's code or its mocks. `inferred`: concluded from the rest.
 */
export type Certainty = "captured" | "stated" | "app" | "inferred"

type DomainTag =
  | "UserAlreadyHasCode"
  | "UserAlreadyExists"
  | "UserNotFound"
  | "EventNotFound"
  | "ProviderNotFound"
  | "InvalidCode"
  | "CodeAttemptsExceeded"
  | "InvalidCredentials"
  | "UserNotActivated"
  | "InvalidData"
  | "OAuthRejected"
  | "FormNotFound"
  | "PasswordsDoNotMatch"
  | "AnonymousNotAllowed"
  | "AlreadyRated"
  | "FormMismatch"
  | "SubmissionNotFound"
  | "FileNotFound"
  | "FileTooLarge"

type ReasonTag =
  | "TooManyRequests"
  | "ServerFailure"
  | "ResourceClosed"
  | "PermissionDenied"
  | "NotInPlan"
  | "DeviceMetadataRejected"
  | "InvalidRequest"
  | "Unexpected"

export interface Row {
  /** `"*"`: any. */
  readonly operations: "*" | ReadonlyArray<Operation>
  /** One of these statuses, or all from the first to the second of a `range`; absent: any that is no success. */
  readonly status?: ReadonlyArray<number> | { readonly from: number; readonly to: number }
  /** One of the messages matches; absent: whatever it says. */
  readonly message?: RegExp
  /** Only when the request carried a one-time code, or only when it did not. */
  readonly withCode?: boolean
  /** A success whose body says no (`false`). */
  readonly refused?: true
  readonly error: DomainTag | ReasonTag
  readonly source: string
  readonly certainty: Certainty
}

/** The rows of an area and the errors that they make. */
export interface Rules {
  /** Before what every route answers. */
  readonly first: ReadonlyArray<Row>
  readonly rows: ReadonlyArray<Row>
  readonly errors: Partial<DomainClasses>
}

// -----------------------------------------------------------------------------
// every route
// -----------------------------------------------------------------------------

/** What every route answers before it looks at the request. */
export const before = [
  {
    operations: "*",
    status: [403],
    message: /^Resource is closed/i,
    error: "ResourceClosed",
    source: "PLAT, RULES §4.2",
    certainty: "stated"
  },
  { operations: "*", status: [403], error: "PermissionDenied", source: "DOCS, RULES+ §4.2", certainty: "captured" },
  {
    operations: "*",
    status: [400],
    message: /x-device-metadata/i,
    error: "DeviceMetadataRejected",
    source: "PLAT+, RULES+ §4.2",
    certainty: "captured"
  },
  { operations: "*", status: [405], error: "NotInPlan", source: "PLAT+ §4.2", certainty: "stated" },
  {
    operations: "*",
    status: [404],
    message: /^Cannot (GET|POST|PUT|PATCH|DELETE) /,
    error: "Unexpected",
    source: "PLAT §4.2",
    certainty: "captured"
  },
  { operations: "*", status: { from: 500, to: 599 }, error: "ServerFailure", source: "HTTP", certainty: "inferred" }
] as const satisfies ReadonlyArray<Row>

const refusedBody =
  /(is|are) not allowed|is required|must (be|contain)|should not (be|exist)|value is missing|missing or incorrect/i

/** What is left of the too many and the refused. */
export const after = [
  { operations: "*", status: [429], error: "TooManyRequests", source: "RULES §4.2", certainty: "stated" },
  {
    operations: "*",
    status: [400, 422],
    message: refusedBody,
    error: "InvalidRequest",
    source: "RULES+ §4.5",
    certainty: "captured"
  }
] as const satisfies ReadonlyArray<Row>

// -----------------------------------------------------------------------------
// the AuthProvider
// -----------------------------------------------------------------------------

const codeCalls = ["checkCode", "activateUser", "changePassword"] as const
const providerRoutes = [
  "signUp",
  "generateCode",
  "checkCode",
  "activateUser",
  "auth",
  "oauth",
  "changePassword",
  "getAuthProviderByMarker"
] as const
export const authFirst = [
  // Its status is not known: before the rows that go by a status alone.
  {
    operations: ["auth"],
    status: { from: 400, to: 499 },
    message: /not activated/i,
    error: "UserNotActivated",
    source: "RN §4.3",
    certainty: "app"
  }
] as const satisfies ReadonlyArray<Row>

export const authRows = [
  // A refused code that the server does not call an error.
  {
    operations: ["checkCode", "activateUser", "changePassword", "auth"],
    refused: true,
    error: "InvalidCode",
    source: "FASHION §3.2",
    certainty: "captured"
  },

  // Codes
  {
    operations: ["generateCode"],
    status: [400],
    message: /already has a code/i,
    error: "UserAlreadyHasCode",
    source: "SEED1 §4.3",
    certainty: "captured"
  },
  {
    operations: ["generateCode"],
    status: [429],
    error: "UserAlreadyHasCode",
    source: "PLAT §4.3",
    certainty: "stated"
  },
  {
    operations: ["generateCode"],
    message: /^Event ".*" with formType/i,
    error: "EventNotFound",
    source: "PLAT+ §4.3",
    certainty: "captured"
  },
  {
    operations: ["generateCode"],
    status: [400],
    message: /eventIdentifier/i,
    error: "EventNotFound",
    source: "PLAT+ §4.3",
    certainty: "stated"
  },
  {
    operations: ["generateCode", "checkCode", "activateUser", "changePassword"],
    message: /user not found/i,
    error: "UserNotFound",
    source: "FASHION §4.3",
    certainty: "app"
  },
  { operations: codeCalls, status: [429], error: "CodeAttemptsExceeded", source: "PLAT §4.3", certainty: "stated" },
  {
    operations: ["auth"],
    status: [429],
    withCode: true,
    error: "CodeAttemptsExceeded",
    source: "PLAT §4.3",
    certainty: "stated"
  },
  {
    operations: ["checkCode", "activateUser", "changePassword", "auth"],
    status: [400, 401],
    message: /code is (expired|incorrect)|expired or incorrect/i,
    error: "InvalidCode",
    source: "FASHION §4.3",
    certainty: "app"
  },
  {
    operations: ["changePassword"],
    status: [400],
    message: /password.*(match|equal|same|differ|must be \[ref)/i,
    error: "PasswordsDoNotMatch",
    source: "PLAT+ §4.3",
    certainty: "stated"
  },
  { operations: codeCalls, status: [401], error: "InvalidCode", source: "API.md", certainty: "inferred" },

  // A provider or a form that is not there
  {
    operations: providerRoutes,
    status: [400],
    message: /provider.*not (defined|found)|form is not defined/i,
    error: "ProviderNotFound",
    source: "FASHION §4.3",
    certainty: "app"
  },

  // Signing in
  {
    operations: ["auth"],
    status: [401],
    withCode: true,
    error: "InvalidCode",
    source: "PLAT §4.3",
    certainty: "stated"
  },
  { operations: ["auth"], status: [401], error: "InvalidCredentials", source: "FASHION §4.3", certainty: "app" },
  {
    operations: ["auth"],
    status: [400, 404],
    message: /user not found|wrong password/i,
    error: "InvalidCredentials",
    source: "FASHION §4.3",
    certainty: "app"
  },
  {
    operations: ["oauth"],
    status: [400, 401],
    error: "OAuthRejected",
    source: "REST, RULES+ §4.3",
    certainty: "captured"
  },
  // That a code is not wanted, or is no text, says nothing of the code.
  {
    operations: ["auth"],
    status: [400],
    message: /^(?!.*(not allowed|must be|should)).*\bcode\b/i,
    withCode: true,
    error: "InvalidCode",
    source: "API.md",
    certainty: "inferred"
  },
  { operations: ["auth"], status: [400, 422], error: "InvalidData", source: "RULES+ §4.3", certainty: "captured" },

  // Signing up
  {
    operations: ["signUp"],
    status: [400, 409],
    message: /(?<!not |n't )\bexists?\b|already (taken|registered|in use)/i,
    error: "UserAlreadyExists",
    source: "PLAT+ §4.3",
    certainty: "stated"
  },
  { operations: ["signUp"], status: [409], error: "UserAlreadyExists", source: "PLAT+ §10.2", certainty: "inferred" },
  {
    operations: ["signUp"],
    status: [400, 422],
    error: "InvalidData",
    source: "RULES, RULES+ §4.3",
    certainty: "captured"
  },

  {
    operations: ["signUp"],
    status: [404],
    message: /\bform\b/i,
    error: "InvalidData",
    source: "§4.5",
    certainty: "inferred"
  },

  // What is left of the not-found, refused and too-many
  { operations: providerRoutes, status: [404], error: "ProviderNotFound", source: "PLAT+ §4.3", certainty: "stated" },
  {
    operations: codeCalls,
    status: [400],
    message: /\bcode\b/i,
    error: "InvalidCode",
    source: "§4.3",
    certainty: "inferred"
  }
] as const satisfies ReadonlyArray<Row>

const authErrors = {
  UserAlreadyHasCode: AuthError.UserAlreadyHasCode,
  UserAlreadyExists: AuthError.UserAlreadyExists,
  UserNotFound: AuthError.UserNotFound,
  EventNotFound: AuthError.EventNotFound,
  ProviderNotFound: AuthError.ProviderNotFound,
  InvalidCode: AuthError.InvalidCode,
  CodeAttemptsExceeded: AuthError.CodeAttemptsExceeded,
  InvalidCredentials: AuthError.InvalidCredentials,
  UserNotActivated: AuthError.UserNotActivated,
  InvalidData: AuthError.InvalidData,
  OAuthRejected: AuthError.OAuthRejected,
  PasswordsDoNotMatch: AuthError.PasswordsDoNotMatch
} as const satisfies ErrorsOf<(typeof authFirst)[number] | (typeof authRows)[number]>

export const auth: Rules = { first: authFirst, rows: authRows, errors: authErrors }

// -----------------------------------------------------------------------------
// forms and submissions
// -----------------------------------------------------------------------------

const formRoutes = ["getFormByMarker", "postFormsData", "getFormsDataByMarker"] as const
const submissionRoutes = ["postFormsData", "getFormsDataByMarker", "updateFormsDataById"] as const
const oneSubmission = ["updateFormsDataById", "updateFormsDataStatusById", "deleteFormsDataById"] as const

export const formRows = [
  {
    operations: formRoutes,
    status: [400],
    message: /form.*not (defined|found)/i,
    error: "FormNotFound",
    source: "FASHION §4.3",
    certainty: "app"
  },

  {
    operations: ["postFormsData"],
    status: [400, 401],
    message: /allow anonymous users|must authorize/i,
    error: "AnonymousNotAllowed",
    source: "RULES+ §4.4",
    certainty: "captured"
  },
  {
    operations: ["postFormsData"],
    status: [400],
    message: /already rated/i,
    error: "AlreadyRated",
    source: "RULES+ §4.4",
    certainty: "captured"
  },
  {
    operations: submissionRoutes,
    status: [400, 404],
    message: /^Form has incorrect type|incorrect formIdentifier for provided config|find out correspondent entityId/i,
    error: "FormMismatch",
    source: "RULES+, PLAT §4.4",
    certainty: "captured"
  },
  { operations: oneSubmission, status: [404], error: "SubmissionNotFound", source: "HTTP", certainty: "inferred" },
  {
    operations: ["postFormsData"],
    status: [404],
    message: /form data not found/i,
    error: "SubmissionNotFound",
    source: "HTTP",
    certainty: "inferred"
  },
  { operations: formRoutes, status: [404], error: "FormNotFound", source: "§4.5", certainty: "inferred" }
] as const satisfies ReadonlyArray<Row>

const formErrors = {
  FormNotFound: AuthError.FormNotFound,
  AnonymousNotAllowed: DomainErrors.AnonymousNotAllowed,
  AlreadyRated: DomainErrors.AlreadyRated,
  FormMismatch: DomainErrors.FormMismatch,
  SubmissionNotFound: DomainErrors.SubmissionNotFound
} as const satisfies ErrorsOf<(typeof formRows)[number]>

export const forms: Rules = { first: [], rows: formRows, errors: formErrors }

// -----------------------------------------------------------------------------
// files
// -----------------------------------------------------------------------------

export const fileRows = [
  { operations: ["upload"], status: [413], error: "FileTooLarge", source: "HTTP", certainty: "inferred" },
  {
    operations: ["upload"],
    status: [400],
    message: /\b(size|large|exceed)/i,
    error: "FileTooLarge",
    source: "PLAT §4.4",
    certainty: "stated"
  },
  {
    operations: ["getFile", "deleteFile"],
    status: [404],
    error: "FileNotFound",
    source: "PLAT+ §4.4",
    certainty: "stated"
  }
] as const satisfies ReadonlyArray<Row>

const fileErrors = {
  FileNotFound: DomainErrors.FileNotFound,
  FileTooLarge: DomainErrors.FileTooLarge
} as const satisfies ErrorsOf<(typeof fileRows)[number]>

export const files: Rules = { first: [], rows: fileRows, errors: fileErrors }

// -----------------------------------------------------------------------------
// users
// -----------------------------------------------------------------------------

export const userRows = [
  // A login that moves to where another user is
  {
    operations: ["updateUser"],
    status: [400, 409],
    message: /already exist/i,
    error: "UserAlreadyExists",
    source: "PLAT+ §2.5",
    certainty: "inferred"
  }
] as const satisfies ReadonlyArray<Row>

export const users: Rules = {
  first: [],
  rows: userRows,
  errors: { UserAlreadyExists: AuthError.UserAlreadyExists } satisfies ErrorsOf<(typeof userRows)[number]>
}

// -----------------------------------------------------------------------------
// types
// -----------------------------------------------------------------------------

type Rows = (
  | typeof before
  | typeof after
  | typeof authFirst
  | typeof authRows
  | typeof formRows
  | typeof fileRows
  | typeof userRows
)[number]

type DomainClasses = typeof authErrors & typeof formErrors & typeof fileErrors

/** The classes of what rows make: none may be missing. */
type ErrorsOf<R extends Row> = { readonly [Tag in Exclude<R["error"], ReasonTag>]: unknown }

/** The rows that can meet an operation. */
type RowsOf<Op extends Operation> = Rows extends infer R
  ? R extends { readonly operations: "*" }
    ? R
    : R extends { readonly operations: ReadonlyArray<infer Names> }
      ? Op extends Names
        ? R
        : never
      : never
  : never

/** The domain errors that the table can make for an operation: its declared error type is derived from here. */
export type DomainErrorOf<Op extends Operation> = InstanceType<DomainClasses[Extract<RowsOf<Op>["error"], DomainTag>]>

/** Every error that the table can make for an operation. */
export type ErrorOf<Op extends Operation> = DomainErrorOf<Op> | OneEntryError.OneEntryError

// -----------------------------------------------------------------------------
// classifying
// -----------------------------------------------------------------------------

export interface Answer {
  readonly rules: Rules
  readonly operation: Operation
  /** The marker of the provider or the form. */
  readonly marker: string
  readonly envelope: ServerEnvelope
  /** The server's `Retry-After` in milliseconds. */
  readonly retryAfter: number | undefined
  readonly withCode: boolean
  /** A success whose body says no. */
  readonly refused: boolean
  /** What was refused: its secrets stay out of the error. */
  readonly sent: Sent
}

const statusMatches = (status: Row["status"], value: number): boolean =>
  status === undefined
    ? value >= 400
    : "from" in status
      ? value >= status.from && value <= status.to
      : status.includes(value)

const decides =
  (answer: Answer) =>
  (row: Row): boolean =>
    (row.operations === "*" || row.operations.includes(answer.operation)) &&
    (row.refused === true
      ? answer.refused
      : !answer.refused && statusMatches(row.status, answer.envelope.statusCode)) &&
    (row.withCode === undefined || row.withCode === answer.withCode) &&
    (row.message === undefined ||
      answer.envelope.messages.some((message) => row.message?.test(message.slice(0, maxMessageLength))))

/** The row that decides an answer, if any does. */
export const rowOf = (answer: Answer): Row | undefined => {
  const { first, rows } = answer.rules
  return [...first, ...before, ...rows, ...after].find(decides(answer))
}

const reasons = {
  TooManyRequests: OneEntryError.TooManyRequests,
  ServerFailure: OneEntryError.ServerFailure,
  ResourceClosed: OneEntryError.ResourceClosed,
  PermissionDenied: OneEntryError.PermissionDenied,
  NotInPlan: OneEntryError.NotInPlan,
  DeviceMetadataRejected: OneEntryError.DeviceMetadataRejected,
  InvalidRequest: OneEntryError.InvalidRequest,
  Unexpected: OneEntryError.Unexpected
} as const

const isReason = (tag: Row["error"]): tag is ReasonTag => Object.hasOwn(reasons, tag)

/** The error that an answer is. */
export const classify = (answer: Answer): InstanceType<DomainClasses[DomainTag]> | OneEntryError.OneEntryError => {
  const { marker, operation, retryAfter, rules, sent } = answer
  const tag = rowOf(answer)?.error ?? "Unexpected"
  const envelope = unquoted(answer.envelope, sent)
  // What a class has no field for, it leaves out.
  const fields = {
    ...envelope,
    marker,
    issues: envelope.messages,
    ...(retryAfter === undefined ? {} : { retryAfter: Duration.millis(retryAfter) })
  }
  const Domain = isReason(tag) ? undefined : rules.errors[tag]
  if (Domain !== undefined) return new Domain(fields)
  const Reason = reasons[isReason(tag) ? tag : "Unexpected"]
  return new OneEntryError.OneEntryError({ operation, reason: new Reason(fields) })
}
