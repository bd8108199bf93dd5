/**
 * The failures of the domain: flat tagged classes, one tag a cause that a
 * program would treat on its own. What went wrong below the domain (network,
 * permissions, a server that fails) is `OneEntryError`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Codecs from "./internal/codecs.ts"
import { envelopeFields } from "./internal/serverEnvelope.ts"

const fields = {
  ...envelopeFields,
  /** The marker of the provider or form that the call named. */
  marker: Schema.String
} as const

const sentence = (text: string, messages: ReadonlyArray<string>): string =>
  messages.length === 0 ? text : `${text} (${messages.join("; ")})`

/**
 * Fails generateCode. The code that was sent before is still good, so no new one was sent (400 of older servers, 429 inside the reissue window of newer ones). `retryAfter` says when a new one may be asked for, where that is known.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.generateCode("email", { userIdentifier: "ann@example.com", eventIdentifier: "auth" })
 * ).pipe(
 *   Effect.catchTag("UserAlreadyHasCode", () => Effect.logInfo("Look into your mailbox"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class UserAlreadyHasCode extends Schema.TaggedError<UserAlreadyHasCode>(
  "effect-oneentry/AuthError/UserAlreadyHasCode"
)("UserAlreadyHasCode", {
  ...fields,
  retryAfter: Schema.optionalKey(Codecs.Millis)
}) {
  override get message(): string {
    return sentence("The code that was sent before is still good", this.messages)
  }
}

/**
 * Fails signUp. Another user has this login already. Logins are compared without regard to case, and removed users still occupy theirs.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.signUp("email", { formIdentifier: "reg", authData: [{ marker: "email_reg", value: "ann@example.com" }], formData: [] })
 * ).pipe(
 *   Effect.catchTag("UserAlreadyExists", () => Effect.logInfo("Sign in instead"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class UserAlreadyExists extends Schema.TaggedError<UserAlreadyExists>(
  "effect-oneentry/AuthError/UserAlreadyExists"
)("UserAlreadyExists", fields) {
  override get message(): string {
    return sentence("A user with this login exists already", this.messages)
  }
}

/**
 * Fails generateCode, checkCode, activateUser and changePassword. No user of this provider has this identifier.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.generateCode("email", { userIdentifier: "nobody@example.com", eventIdentifier: "auth" })
 * ).pipe(
 *   Effect.catchTag("UserNotFound", () => Effect.logInfo("Sign up first"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class UserNotFound extends Schema.TaggedError<UserNotFound>("effect-oneentry/AuthError/UserNotFound")(
  "UserNotFound",
  fields
) {
  override get message(): string {
    return sentence("No user with this identifier", this.messages)
  }
}

/**
 * Fails generateCode. The project has no event with this marker that sends codes.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.generateCode("email", { userIdentifier: "ann@example.com", eventIdentifier: "typo" })
 * ).pipe(
 *   Effect.catchTag("EventNotFound", () => Effect.logError("Create the event in the admin panel"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class EventNotFound extends Schema.TaggedError<EventNotFound>("effect-oneentry/AuthError/EventNotFound")(
  "EventNotFound",
  fields
) {
  override get message(): string {
    return sentence(
      "The project has no such event that sends codes: check `eventIdentifier` against the admin panel",
      this.messages
    )
  }
}

/**
 * Fails every operation with a provider marker. The project has no active provider with this marker, or it has no form.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.getAuthProviderByMarker("typo")
 * ).pipe(
 *   Effect.catchTag("ProviderNotFound", () => Effect.logError("Check the provider marker"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class ProviderNotFound extends Schema.TaggedError<ProviderNotFound>(
  "effect-oneentry/AuthError/ProviderNotFound"
)("ProviderNotFound", fields) {
  override get message(): string {
    return sentence("The project has no active provider with this marker", this.messages)
  }
}

/**
 * Fails checkCode, activateUser, auth with a code and changePassword. The code is wrong or no longer good (`201 false`, 400 or 401 on the wire).
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.checkCode("email", { userIdentifier: "ann@example.com", eventIdentifier: "auth", code: "000000" })
 * ).pipe(
 *   Effect.catchTag("InvalidCode", () => Effect.logInfo("Try again"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidCode extends Schema.TaggedError<InvalidCode>("effect-oneentry/AuthError/InvalidCode")(
  "InvalidCode",
  fields
) {
  override get message(): string {
    return sentence("The code is wrong or no longer good", this.messages)
  }
}

/**
 * Fails checkCode, activateUser, auth with a code and changePassword. Too many wrong codes (429): the code is destroyed, and even the right one fails now. Ask for a new one.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.activateUser("email", { userIdentifier: "ann@example.com", code: "000000" })
 * ).pipe(
 *   Effect.catchTag("CodeAttemptsExceeded", () => Effect.logInfo("Ask for a new code"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class CodeAttemptsExceeded extends Schema.TaggedError<CodeAttemptsExceeded>(
  "effect-oneentry/AuthError/CodeAttemptsExceeded"
)("CodeAttemptsExceeded", fields) {
  override get message(): string {
    return sentence("Too many wrong codes: ask for a new one", this.messages)
  }
}

/**
 * Fails auth. The login is unknown or the password wrong; the server does not say which.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.auth("email", { authData: [{ marker: "email_reg", value: "ann@example.com" }] })
 * ).pipe(
 *   Effect.catchTag("InvalidCredentials", () => Effect.logInfo("Wrong login or password"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidCredentials extends Schema.TaggedError<InvalidCredentials>(
  "effect-oneentry/AuthError/InvalidCredentials"
)("InvalidCredentials", fields) {
  override get message(): string {
    return sentence("The login is unknown or the password wrong", this.messages)
  }
}

/**
 * Fails auth. The user has not entered the activation code yet.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.auth("email", { authData: [{ marker: "email_reg", value: "ann@example.com" }] })
 * ).pipe(
 *   Effect.catchTag("UserNotActivated", () => Effect.logInfo("Enter your activation code first"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class UserNotActivated extends Schema.TaggedError<UserNotActivated>(
  "effect-oneentry/AuthError/UserNotActivated"
)("UserNotActivated", fields) {
  override get message(): string {
    return sentence("The user is not activated yet: an activation code is awaited", this.messages)
  }
}

/**
 * Fails signUp and auth. The data cannot be accepted as it is; `messages` says which field and why (the markers must be those of the provider's
 * form). Without `statusCode` nothing was sent.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.auth("email", { authData: [{ marker: "login", value: "ann@example.com" }] })
 * ).pipe(
 *   Effect.catchTag("InvalidData", () => Effect.logError("Take the markers from the form"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidData extends Schema.TaggedError<InvalidData>("effect-oneentry/AuthError/InvalidData")(
  "InvalidData",
  {
    ...fields,
    statusCode: Schema.optionalKey(envelopeFields.statusCode)
  }
) {
  override get message(): string {
    return sentence("The data cannot be accepted as it is", this.messages)
  }
}

/**
 * Fails oauth. The network did not accept the authorization code, the client or the redirect URI.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.oauth("google", { code: "…", redirect_uri: "https://app.example.com/callback" })
 * ).pipe(
 *   Effect.catchTag("OAuthRejected", () => Effect.logInfo("Sign in once more"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class OAuthRejected extends Schema.TaggedError<OAuthRejected>("effect-oneentry/AuthError/OAuthRejected")(
  "OAuthRejected",
  fields
) {
  override get message(): string {
    return sentence("The network did not accept the authorization", this.messages)
  }
}

/**
 * Fails the operations on forms. The project has no form with this marker.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Forms } from "effect-oneentry"
 *
 * export const program = Forms.Forms.use((forms) => forms.getFormByMarker("typo")).pipe(
 *   Effect.catchTag("FormNotFound", (error) => Effect.logError(error.message))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class FormNotFound extends Schema.TaggedError<FormNotFound>("effect-oneentry/AuthError/FormNotFound")(
  "FormNotFound",
  fields
) {
  override get message(): string {
    return sentence("The project has no form with this marker", this.messages)
  }
}

/**
 * Fails changePassword. The two passwords differ; where they differ already in the call, nothing is sent and
 * `statusCode` is absent.
 *
 * **Example** (Handling it)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.changePassword("email", {
 *     userIdentifier: "ann@example.com",
 *     eventIdentifier: "auth",
 *     type: "change",
 *     code: "123456",
 *     newPassword: "one",
 *     repeatPassword: "another"
 *   })
 * ).pipe(Effect.catchTag("PasswordsDoNotMatch", () => Effect.logInfo("Type it once more")))
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class PasswordsDoNotMatch extends Schema.TaggedError<PasswordsDoNotMatch>(
  "effect-oneentry/AuthError/PasswordsDoNotMatch"
)("PasswordsDoNotMatch", {
  ...fields,
  statusCode: Schema.optionalKey(envelopeFields.statusCode)
}) {
  override get message(): string {
    return sentence("The two passwords differ", this.messages)
  }
}

/**
 * Fails an operation with files: the upload for the field `marker` failed, for `cause`. Nothing was registered.
 *
 * **Example** (Naming the field)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const program = AuthProvider.AuthProvider.use((auth) =>
 *   auth.signUp("email", {
 *     formIdentifier: "reg",
 *     authData: [{ marker: "email_reg", value: "ann@example.com" }],
 *     formData: [{
 *       marker: "photo",
 *       type: "image",
 *       value: [new File(["…"], "me.png")],
 *       fileQuery: { type: "page", entity: "editor", id: 3492 }
 *     }]
 *   })
 * ).pipe(Effect.catchTag("UploadFailed", (error) => Effect.logError(`the file of ${error.marker} did not get through`)))
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class UploadFailed extends Schema.TaggedError<UploadFailed>("effect-oneentry/AuthError/UploadFailed")(
  "UploadFailed",
  {
    marker: Schema.String,
    cause: Codecs.Foreign
  }
) {
  override get message(): string {
    return `The file of field "${this.marker}" could not be uploaded`
  }
}

/**
 * Fails the operations that need a session: it has come to its end. The refresh token was rejected, or the server
 * refused even a fresh access token.
 *
 * `reason` is `"Rejected"` when the server's word is plain, `"Ambiguous"` when the refresh token may have been spent by
 * an exchange whose answer never came, `"Refused"` when a fresh access token was refused (the session is kept then),
 * `"ReadOnly"` when only the access token has ended, in a visit that may not refresh it (the session is kept then).
 *
 * **Example** (Sending the person back to the sign-in page)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchTag("TokenExpired", () => Effect.logInfo("Please sign in again"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class TokenExpired extends Schema.TaggedError<TokenExpired>("effect-oneentry/AuthError/TokenExpired")(
  "TokenExpired",
  {
    ...fields,
    statusCode: Schema.optionalKey(envelopeFields.statusCode),
    reason: Schema.Literals(["Rejected", "Ambiguous", "Refused", "ReadOnly"])
  }
) {
  override get message(): string {
    return this.reason === "ReadOnly"
      ? "The access token has ended, and in a read-only visit nothing is refreshed"
      : sentence("The session has come to its end: sign in again", this.messages)
  }
}

/**
 * Fails the operations that need a session: nobody is signed in (in this slot).
 *
 * **Example** (Asking who is there)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchTag("NotAuthenticated", () => Effect.logInfo("Please sign in"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class NotAuthenticated extends Schema.TaggedError<NotAuthenticated>(
  "effect-oneentry/AuthError/NotAuthenticated"
)("NotAuthenticated", {
  slot: Schema.String
}) {
  override get message(): string {
    return `Nobody is signed in (slot "${this.slot}")`
  }
}

/**
 * Every failure of the domain.
 *
 * **Example** (One handler for all)
 *
 * ```ts
 * import type { AuthError } from "effect-oneentry"
 *
 * export const title = (error: AuthError.AuthError): string => `${error._tag}: ${error.message}`
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export type AuthError =
  | UserAlreadyHasCode
  | UserAlreadyExists
  | UserNotFound
  | EventNotFound
  | ProviderNotFound
  | InvalidCode
  | CodeAttemptsExceeded
  | InvalidCredentials
  | UserNotActivated
  | InvalidData
  | OAuthRejected
  | FormNotFound
  | PasswordsDoNotMatch
  | UploadFailed
  | TokenExpired
  | NotAuthenticated
