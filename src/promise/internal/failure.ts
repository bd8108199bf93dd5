/** Errors as the official SDK shows them: the server's envelope, and the tag that this package knows it by. */
import type * as AuthError from "../../AuthError.ts"
import type * as FormSchema from "../../FormSchema.ts"
import type * as DomainErrors from "../../internal/domainErrors.ts"
import { isObject } from "../../internal/fieldEncoding.ts"
import type * as Lean from "../../internal/lean.ts"
import { parseJson } from "../../internal/wire.ts"
import type * as OneEntryError from "../../OneEntryError.ts"
import type * as SessionLock from "../../SessionLock.ts"
import type * as TokenStorage from "../../TokenStorage.ts"

/** Everything that a call of the package can fail with. */
export type Failure =
  | AuthError.AuthError
  | DomainErrors.AlreadyRated
  | DomainErrors.AnonymousNotAllowed
  | DomainErrors.FileNotFound
  | DomainErrors.FileTooLarge
  | DomainErrors.FormMismatch
  | DomainErrors.SubmissionNotFound
  | FormSchema.FormInvalid
  | OneEntryError.OneEntryError
  | SessionLock.SessionLockError
  | TokenStorage.TokenStorageError

/** The status of what no answer of the server was. */
const statusOf = (error: Failure, operation: string): number => {
  switch (error._tag) {
    case "TokenExpired":
      return operation === "refresh" ? (error.statusCode ?? 401) : 401
    case "NotAuthenticated":
      return 401
    case "SessionLockError":
      return 503
    case "TokenStorageError":
      return 500
    case "UploadFailed":
      return isFailure(error.cause) ? statusOf(error.cause, operation) : 400
    case "OneEntryError": {
      const { reason } = error
      switch (reason._tag) {
        case "Network":
          return 503
        case "Timeout":
          return 504
        case "Redirected":
        case "ResponseInvalid":
          return 502
        default:
          return reason.statusCode ?? 400
      }
    }
    default:
      return ("statusCode" in error ? error.statusCode : undefined) ?? 400
  }
}

const isFailure = (u: unknown): u is Failure => isObject(u) && "_tag" in u && u instanceof Error

/** Who is not signed in hears what the server says to whoever is not. */
const unauthorized = "Unauthorized"

const messageOf = (error: Failure, operation: string): string => {
  if (error._tag === "NotAuthenticated") return unauthorized
  // Why the session could not be refreshed is the answer to another request, unless that was the one.
  if (error._tag === "TokenExpired" && error.reason !== "Refused" && operation !== "refresh") return unauthorized
  const messages =
    "messages" in error
      ? error.messages
      : error._tag === "OneEntryError" && "messages" in error.reason
        ? error.reason.messages
        : []
  if (messages.length > 0) return messages.join("; ")
  return error._tag === "OneEntryError" ? error.reason.message : error.message
}

/** An error, plain: what the official SDK calls `IError`, with a tag. */
export interface PlainError {
  readonly _tag: Failure["_tag"]
  readonly statusCode: number
  readonly message: string
  readonly timestamp: string
  readonly pageData: unknown
  readonly reason?: OneEntryError.Reason["_tag"]
  readonly localizeMessage?: string
  readonly cause?: unknown
}

/** The body of an answer that was no success, if it is an object. */
const envelopeOf = (answer: Lean.Answer | undefined): { readonly [key: string]: unknown } | undefined => {
  if (answer === undefined || (answer.status >= 200 && answer.status < 300)) return undefined
  const body = parseJson(answer.text)
  return isObject(body) ? body : undefined
}

export const toPlain = (
  error: Failure,
  operation: string,
  answer: Lean.Answer | undefined,
  now: string,
  issue?: string
): PlainError => {
  const envelope = envelopeOf(answer)
  const plain: PlainError = {
    statusCode: envelope === undefined ? statusOf(error, operation) : (answer?.status ?? 0),
    message: messageOf(error, operation),
    timestamp: now,
    pageData: null,
    ...envelope,
    // The official SDK's words for an answer that is not what its schemas say.
    ...(issue === undefined ? {} : { statusCode: 422, message: "Response validation failed", localizeMessage: issue }),
    _tag: error._tag,
    ...(error._tag === "OneEntryError" ? { reason: error.reason._tag } : {})
  }
  // Not part of what is compared, copied or sent: for whoever wants to know more.
  return Object.defineProperty(plain, "cause", { value: error, enumerable: false })
}
