/**
 * The official SDK's calls on this package: `defineOneEntry(url, config)` with the same modules, method names,
 * positional arguments and plain results, for code that is not Effect yet.
 *
 * Underneath it is the session of this package: one refresh for all callers, tokens that outlive a bad network, errors
 * with a tag. On top of the original there are an `AbortSignal` as the last argument of each method, `session.subscribe`,
 * a `saveFunction` that is waited for, and `dispose`.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as AuthError from "../AuthError.ts"
import type * as AuthSchema from "../AuthSchema.ts"
import type * as ClientOptions from "../ClientOptions.ts"
import type * as FieldValue from "../FieldValue.ts"
import type * as FormSchema from "../FormSchema.ts"
import type * as FormsData from "../FormsData.ts"
import { isObject } from "../internal/fieldEncoding.ts"
import type { SessionEvent as Event, SessionInfo as Info, SignedOutReason } from "../internal/sessionEvent.ts"
import type * as TokenStorage from "../TokenStorage.ts"
import * as Client from "./internal/client.ts"
import type { Device } from "./internal/device.ts"
import type { PlainError } from "./internal/failure.ts"
import { fileFromUrl, getFile } from "./internal/files.ts"
import { normalize, normalizeForm, type Options as NormalizeOptions } from "./internal/normalize.ts"
import type { Plain, PlainWith } from "./internal/types.ts"

// -----------------------------------------------------------------------------
// errors
// -----------------------------------------------------------------------------

/**
 * An error as a value: the server's envelope, and the tag that this package knows it by.
 *
 * `statusCode` is the server's; where there was no answer it is 503 (no connection), 504 (timeout), 502 (an answer that
 * could not be read), 401 (nobody signed in) or 400 (nothing was sent). `reason` is there where `_tag` is
 * `OneEntryError`. `cause` is the typed error, not enumerable.
 *
 * **Example** (By tag, not by text)
 *
 * ```ts
 * import type { IError } from "effect-oneentry/promise"
 *
 * export const text = (error: IError): string =>
 *   error._tag === "UserAlreadyHasCode" ? "Use the code that was sent before" : error.message
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export interface IError extends PlainError {}

/**
 * What is thrown with `errors: { isShell: false }`: an `Error` with the members of an `IError`.
 *
 * **Example** (Catching it)
 *
 * ```ts
 * import { OneEntryException } from "effect-oneentry/promise"
 *
 * export const tagOf = (thrown: unknown): string | undefined =>
 *   thrown instanceof OneEntryException ? thrown._tag : undefined
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class OneEntryException extends Error implements IError {
  readonly _tag: IError["_tag"]
  readonly statusCode: number
  readonly timestamp: string
  readonly pageData: unknown
  readonly reason?: NonNullable<IError["reason"]>
  constructor(error: IError) {
    super(error.message, { cause: error.cause })
    this.name = "OneEntryException"
    const { _tag, cause: _, message: __, pageData, statusCode, timestamp, ...rest } = error
    this._tag = _tag
    this.statusCode = statusCode
    this.timestamp = timestamp
    this.pageData = pageData
    Object.assign(this, rest)
  }
}

/**
 * Tells an error from a result, where errors are values.
 *
 * **Example** (Before anything is shown)
 *
 * ```ts
 * import { type IUserEntity, type IError, isError } from "effect-oneentry/promise"
 *
 * export const greeting = (result: IUserEntity | IError): string =>
 *   isError(result) ? result.message : `Hello, ${result.identifier}`
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isError = (result: unknown): result is IError =>
  typeof result === "object" &&
  result !== null &&
  "_tag" in result &&
  typeof result._tag === "string" &&
  "statusCode" in result &&
  typeof result.statusCode === "number" &&
  "message" in result

// -----------------------------------------------------------------------------
// configuration
// -----------------------------------------------------------------------------

type CustomErrors = {
  readonly [Status in 400 | 401 | 403 | 404 | 429 | 500 | 502 | 503 | 504]?: (error?: IError) => unknown
}

/**
 * The configuration of the official SDK, and what this package adds to it: `storage`, `deviceMetadata`, `fetch` and
 * `client`.
 *
 * - `auth.saveFunction` is told each new refresh token, and `""` when there is none to keep; every call that changed it
 *   resolves after it has run
 * - `auth.customAuth`: no refresh; the tokens are set with `setAccessToken` and `setRefreshToken`
 * - `errors.isShell`: errors are values (`true`, the default), or thrown
 * - `validation.strictMode`: with `enabled`, an answer of another shape is an error (422); it is passed on otherwise
 * - `storage`: keeps the whole session, where `saveFunction` keeps the refresh token only
 * - `deviceMetadata`: this device, to which the server binds its tokens; in a browser one is kept by itself
 *
 * **Example** (A session that outlives the page)
 *
 * ```ts no-run
 * import type { Config } from "effect-oneentry/promise"
 *
 * export const config: Config = {
 *   token: "your-app-token",
 *   auth: {
 *     refreshToken: localStorage.getItem("refreshToken"),
 *     saveFunction: (token) => localStorage.setItem("refreshToken", token)
 *   }
 * }
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface Config {
  /** The app token of the project. */
  readonly token?: string | undefined
  /** Language of what comes back, where a call does not say; `en_US`. */
  readonly langCode?: string | undefined
  /** Leaves `additionalFields` the array that the server sent. */
  readonly rawData?: boolean | undefined
  /** The official SDK's, without effect on the modules here. */
  readonly traficLimit?: boolean | undefined
  readonly validation?:
    | {
        readonly enabled?: boolean | undefined
        readonly strictMode?: boolean | undefined
        readonly logErrors?: boolean | undefined
      }
    | undefined
  readonly auth?:
    | {
        readonly customAuth?: boolean | undefined
        readonly refreshToken?: string | null | undefined
        readonly providerMarker?: string | undefined
        readonly saveFunction?: ((refreshToken: string) => unknown) | undefined
      }
    | undefined
  readonly errors?:
    | {
        readonly isShell?: boolean | undefined
        /** Told of the errors of a status, before they are given back or thrown. */
        readonly customErrors?: CustomErrors | undefined
      }
    | undefined
  /** Where the session is kept; in memory by default. */
  readonly storage?: TokenStorage.TokenStorage["Service"] | undefined
  readonly deviceMetadata?: Device | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Options of the client that have no name in the official SDK. */
  readonly client?: Omit<ClientOptions.ClientOptions, "url" | "appToken" | "langCode" | "providerMarker"> | undefined
}

/**
 * The last argument of every method: a signal that calls it off. The call then rejects with the signal's reason, as
 * `fetch` does.
 *
 * **Example** (Five seconds)
 *
 * ```ts
 * import { defineOneEntry } from "effect-oneentry/promise"
 *
 * const { Users } = defineOneEntry("https://my-project.oneentry.cloud", { token: "your-app-token" })
 *
 * export const profile = () => Users.getUser("en_US", { signal: AbortSignal.timeout(5_000) })
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export type CallOptions = AbortSignal | { readonly signal?: AbortSignal | undefined }

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Login and password, by the markers of the provider's form; `code` where the provider signs in by code.
 *
 * **Example** (Login and password)
 *
 * ```ts
 * import type { IAuthPostBody } from "effect-oneentry/promise"
 *
 * export const body: IAuthPostBody = {
 *   authData: [
 *     { marker: "email_reg", value: "your-user@email.com" },
 *     { marker: "password_reg", value: "123456" }
 *   ]
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IAuthPostBody {
  readonly authData: ReadonlyArray<{ readonly marker: string; readonly value?: string }>
  readonly code?: string | undefined
}

/**
 * A field of a form with its value. Files (`image`, `groupOfImages`, `file`) with a `fileQuery` are uploaded first.
 *
 * **Example** (A name)
 *
 * ```ts
 * import type { IAuthFormData } from "effect-oneentry/promise"
 *
 * export const name: IAuthFormData = { marker: "name_reg", type: "string", value: "UserName" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IAuthFormData {
  readonly marker: string
  readonly type: string
  readonly value: unknown
  readonly fileQuery?: IUploadingQuery
}

/**
 * Who registers, with what.
 *
 * **Example** (The least)
 *
 * ```ts
 * import type { ISignUpData } from "effect-oneentry/promise"
 *
 * export const data: ISignUpData = {
 *   formIdentifier: "reg",
 *   authData: [
 *     { marker: "email_reg", value: "your-user@email.com" },
 *     { marker: "password_reg", value: "123456" }
 *   ],
 *   formData: [{ marker: "name_reg", type: "string", value: "UserName" }],
 *   notificationData: { email: "your-user@email.com", phonePush: [] }
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface ISignUpData {
  readonly formIdentifier?: string | undefined
  readonly langCode?: string | undefined
  readonly authData: IAuthPostBody["authData"]
  /** One field, several, or lists of them by language. */
  readonly formData?:
    | IAuthFormData
    | ReadonlyArray<IAuthFormData>
    | { readonly [langCode: string]: ReadonlyArray<IAuthFormData> }
    | undefined
  readonly notificationData?: FieldValue.NotificationData | undefined
}

/**
 * What a network sent back with the visitor.
 *
 * **Example** (A tenant that keeps its own credentials)
 *
 * ```ts
 * import type { IOauthData } from "effect-oneentry/promise"
 *
 * export const data: IOauthData = { code: "…", redirect_uri: "https://app.example.com/callback" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IOauthData {
  readonly code: string
  readonly redirect_uri: string
  readonly client_id?: string | undefined
  readonly client_secret?: string | undefined
  readonly grant_type?: string | undefined
}

/**
 * The tokens of a sign-in. The client has stored them already.
 *
 * **Example** (Who signed in)
 *
 * ```ts
 * import type { IAuthEntity } from "effect-oneentry/promise"
 *
 * export const who = (entity: IAuthEntity): string => entity.userIdentifier
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type IAuthEntity = Plain<AuthSchema.AuthEntity>

/**
 * A registered user.
 *
 * **Example** (What to show next)
 *
 * ```ts
 * import type { ISignUpEntity } from "effect-oneentry/promise"
 *
 * export const next = (user: ISignUpEntity): "code" | "signIn" => (user.isActive ? "signIn" : "code")
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type ISignUpEntity = Plain<AuthSchema.SignUpEntity>

/**
 * A way to sign in. Numbers of its `config` are numbers or digits, as the server has them.
 *
 * **Example** (The label of a button)
 *
 * ```ts
 * import type { IAuthProvidersEntity } from "effect-oneentry/promise"
 *
 * export const label = (provider: IAuthProvidersEntity): string => provider.localizeInfos.title ?? provider.identifier
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type IAuthProvidersEntity = PlainWith<
  Omit<AuthSchema.AuthProviderEntity, "title">,
  {
    localizeInfos: { title?: string; [key: string]: unknown }
    config: {
      accessTokenTtlSec?: number | string | null
      refreshTokenTtlMc?: number | string | null
      deleteNoneActiveUsersAfterDays?: number | string | null
      systemCodeTlsSec?: number | string | null
      systemCodeLength?: number | string | null
      systemCodeOnlyNumbers?: boolean | string | null
      oauthAuthUrl?: string | null
    }
  }
>

/**
 * A device that is signed in.
 *
 * **Example** (A list of devices)
 *
 * ```ts
 * import type { IActiveSession } from "effect-oneentry/promise"
 *
 * export const label = ({ deviceInfo }: IActiveSession): string => `${deviceInfo.browser} on ${deviceInfo.os}`
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type IActiveSession = Plain<AuthSchema.ActiveSession>

/**
 * The profile of the signed-in user. `total` is a string on the wire.
 *
 * **Example** (A name, if the form has one)
 *
 * ```ts
 * import type { IUserEntity } from "effect-oneentry/promise"
 *
 * export const name = (user: IUserEntity): unknown => user.formData.find((field) => field.marker === "name_reg")?.value
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type IUserEntity = PlainWith<AuthSchema.UserEntity, { total: string }>

/**
 * A form in one language. Attributes are an array; a form without fields has `{}` on some servers.
 *
 * **Example** (The markers of the fields)
 *
 * ```ts
 * import type { IFormsEntity } from "effect-oneentry/promise"
 *
 * export const markers = (form: IFormsEntity): ReadonlyArray<string> => form.attributes.map((field) => field.marker)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type IFormsEntity = PlainWith<
  FormSchema.Form,
  {
    attributes: Array<
      PlainWith<
        Omit<FormSchema.FormAttribute, "title" | "rules" | "undecided" | FormSchema.AttributeFlag>,
        {
          [Flag in FormSchema.AttributeFlag]?: boolean | null
        }
      >
    >
    moduleFormConfigs?: Array<Partial<Plain<FormSchema.FormModuleConfig>> & { id: number }>
  }
>

/**
 * A page of forms.
 *
 * **Example** (How many there are)
 *
 * ```ts
 * import type { IFormsResponse } from "effect-oneentry/promise"
 *
 * export const count = (page: IFormsResponse): number => page.total
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IFormsResponse {
  total: number
  items: Array<IFormsEntity>
}

/**
 * Where an upload belongs. What is `null` is not sent.
 *
 * **Example** (A page's picture)
 *
 * ```ts
 * import type { IUploadingQuery } from "effect-oneentry/promise"
 *
 * export const query: IUploadingQuery = { type: "page", entity: "editor", id: 3492 }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IUploadingQuery {
  readonly type?: string | null
  readonly entity?: string | null
  readonly id?: number | string | null
  readonly width?: number | null
  readonly height?: number | null
  readonly compress?: boolean | null
  readonly template?: number | string | null
}

/**
 * A file that the server has.
 *
 * **Example** (Its address)
 *
 * ```ts
 * import type { IUploadingReturn } from "effect-oneentry/promise"
 *
 * export const href = (file: IUploadingReturn): string => file.downloadLink
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type IUploadingReturn = Plain<FieldValue.UploadedFile>

/**
 * A submission of a form.
 *
 * **Example** (A comment)
 *
 * ```ts
 * import type { IBodyPostFormData } from "effect-oneentry/promise"
 *
 * export const comment: IBodyPostFormData = {
 *   formIdentifier: "contact_us",
 *   formModuleConfigId: 2,
 *   moduleEntityIdentifier: "blog",
 *   replayTo: null,
 *   status: "sent",
 *   formData: [{ marker: "name", type: "string", value: "Ann" }]
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IBodyPostFormData {
  readonly formIdentifier: string
  readonly formModuleConfigId?: number | undefined
  readonly moduleEntityIdentifier?: string | number | undefined
  readonly replayTo?: string | number | null | undefined
  /** `""` is as good as none. */
  readonly status?: FormsData.Status | "" | undefined
  readonly formData: NonNullable<ISignUpData["formData"]>
}

/**
 * What a submission is changed to.
 *
 * **Example** (Another name)
 *
 * ```ts
 * import type { IBodyUpdateFormData } from "effect-oneentry/promise"
 *
 * export const change: IBodyUpdateFormData = { formData: [{ marker: "name", type: "string", value: "Anna" }] }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IBodyUpdateFormData extends Partial<IBodyPostFormData> {
  readonly langCode?: string | undefined
}

/**
 * A stored submission, in lists and as the answer to a change.
 *
 * **Example** (Who sent it)
 *
 * ```ts
 * import type { IFormByMarkerDataEntity } from "effect-oneentry/promise"
 *
 * export const author = (entry: IFormByMarkerDataEntity): string => entry.userIdentifier ?? "guest"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type IFormByMarkerDataEntity = PlainWith<FormsData.Submission, { time: string }> & { formModuleId?: number }

/**
 * A page of submissions.
 *
 * **Example** (How many there are)
 *
 * ```ts
 * import type { IFormsByMarkerDataEntity } from "effect-oneentry/promise"
 *
 * export const count = (page: IFormsByMarkerDataEntity): number => page.total
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IFormsByMarkerDataEntity {
  items: Array<IFormByMarkerDataEntity>
  total: number
}

/**
 * The answer to a submission.
 *
 * **Example** (What to show)
 *
 * ```ts
 * import type { IPostFormResponse } from "effect-oneentry/promise"
 *
 * export const thanks = (response: IPostFormResponse): string => response.actionMessage
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IPostFormResponse {
  formData: IFormByMarkerDataEntity
  actionMessage: string
}

/**
 * What is changed of a profile. What is left out stays; `state` is replaced as a whole.
 *
 * **Example** (Another name)
 *
 * ```ts
 * import type { IUserBody } from "effect-oneentry/promise"
 *
 * export const body: IUserBody = {
 *   formIdentifier: "reg",
 *   formData: [{ marker: "name_reg", type: "string", value: "Anna" }]
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface IUserBody {
  readonly formIdentifier?: string | undefined
  readonly langCode?: string | undefined
  readonly authData?: IAuthPostBody["authData"] | undefined
  readonly formData?: ISignUpData["formData"] | undefined
  readonly notificationData?: FieldValue.NotificationData | undefined
  readonly state?: { readonly [key: string]: unknown } | undefined
}

/**
 * What may be shown of a session. No tokens.
 *
 * **Example** (A greeting)
 *
 * ```ts
 * import type { SessionInfo } from "effect-oneentry/promise"
 *
 * export const greeting = (session: SessionInfo): string => `Hello, ${session.userIdentifier ?? "stranger"}`
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionInfo {
  /** The provider that it was signed in with. */
  readonly marker: string
  readonly userIdentifier?: string
  /** When the access token ends by this device's clock, ISO. */
  readonly accessTokenEndsAt?: string
}

/**
 * What happens to the session. `State` comes first, on subscription; the rest as it happens.
 *
 * **Example** (Back to the sign-in page)
 *
 * ```ts
 * import type { SessionEvent } from "effect-oneentry/promise"
 *
 * export const isOver = (event: SessionEvent): boolean =>
 *   event._tag === "SignedOut" || (event._tag === "State" && event.session === undefined)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type SessionEvent =
  | { readonly _tag: "State"; readonly session: SessionInfo | undefined }
  | { readonly _tag: "SignedIn" | "Refreshed" | "RefreshRejected"; readonly session: SessionInfo }
  | { readonly _tag: "SignedOut"; readonly reason: SignedOutReason }
  /** The session is in memory only: the storage, or the `saveFunction`, failed. */
  | { readonly _tag: "StorageDegraded"; readonly error: Error }

// -----------------------------------------------------------------------------
// modules
// -----------------------------------------------------------------------------

/** Tokens by hand, for `customAuth`: each module has them. */
type Module<Methods> = Methods & {
  readonly setAccessToken: (accessToken: string) => Module<Methods>
  readonly setRefreshToken: (refreshToken: string) => Module<Methods>
}

interface AuthProviderMethods<F> {
  /** Registers a user. Files in `formData` are uploaded first. */
  readonly signUp: (
    marker: string,
    body: ISignUpData,
    langCode?: string,
    options?: CallOptions
  ) => Promise<ISignUpEntity | F>
  /** Sends a code to the user. */
  readonly generateCode: (
    marker: string,
    userIdentifier: string,
    eventIdentifier: string,
    options?: CallOptions
  ) => Promise<void | F>
  /** Checks a code without using it up. */
  readonly checkCode: (
    marker: string,
    userIdentifier: string,
    eventIdentifier: string,
    code: string,
    options?: CallOptions
  ) => Promise<boolean | F>
  /** Activates a registered user with a code, which is used up. */
  readonly activateUser: (
    marker: string,
    userIdentifier: string,
    code: string,
    options?: CallOptions
  ) => Promise<boolean | F>
  /** Signs in, and keeps the session. */
  readonly auth: (marker: string, body: IAuthPostBody, options?: CallOptions) => Promise<IAuthEntity | F>
  /** Refreshes now; with a token, that one's session is adopted first. */
  readonly refresh: (marker?: string, token?: string, options?: CallOptions) => Promise<IAuthEntity | F>
  /** 🔐 Signs out, here in any case and on the server if it can be reached. */
  readonly logout: (marker?: string, token?: string, options?: CallOptions) => Promise<boolean | F>
  /** 🔐 Signs out on all devices. */
  readonly logoutAll: (marker: string, options?: CallOptions) => Promise<boolean | F>
  /** Sets a new password; `type` is 1 for a change, 2 for a recovery. */
  readonly changePassword: (
    marker: string,
    userIdentifier: string,
    eventIdentifier: string,
    type: number,
    code: string,
    newPassword: string,
    repeatPassword?: string,
    options?: CallOptions
  ) => Promise<boolean | F>
  /** A page of providers. */
  readonly getAuthProviders: (
    langCode?: string,
    offset?: number,
    limit?: number,
    options?: CallOptions
  ) => Promise<Array<IAuthProvidersEntity> | F>
  /** One provider. */
  readonly getAuthProviderByMarker: (
    marker: string,
    langCode?: string,
    options?: CallOptions
  ) => Promise<IAuthProvidersEntity | F>
  /** 🔐 The devices that are signed in. */
  readonly getActiveSessionsByMarker: (marker: string, options?: CallOptions) => Promise<Array<IActiveSession> | F>
  /** Signs in (and up) with the code of a network, and keeps the session. */
  readonly oauth: (
    marker: string,
    body: IOauthData,
    langCode?: string,
    options?: CallOptions
  ) => Promise<IAuthEntity | F>
}

interface FormsMethods<F> {
  /** A page of forms. */
  readonly getAllForms: (
    langCode?: string,
    offset?: number,
    limit?: number,
    options?: CallOptions
  ) => Promise<IFormsResponse | F>
  /** One form. */
  readonly getFormByMarker: (marker: string, langCode?: string, options?: CallOptions) => Promise<IFormsEntity | F>
}

interface FormDataMethods<F> {
  /** Sends a form. Files are uploaded first. */
  readonly postFormsData: (
    body: IBodyPostFormData,
    langCode?: string,
    options?: CallOptions
  ) => Promise<IPostFormResponse | F>
  /** A page of submissions. */
  readonly getFormsDataByMarker: (
    marker: string,
    formModuleConfigId?: number,
    body?: FormsData.SubmissionFilter,
    isExtended?: number,
    langCode?: string,
    offset?: number,
    limit?: number,
    options?: CallOptions
  ) => Promise<IFormsByMarkerDataEntity | F>
  /** 🔐 Changes a submission of one's own. */
  readonly updateFormsDataByid: (
    id: number,
    body?: IBodyUpdateFormData,
    options?: CallOptions
  ) => Promise<IFormByMarkerDataEntity | F>
  /** 🔐 Changes the status of a submission. */
  readonly updateFormsDataStatusByid: (
    id: number,
    body?: { readonly status?: FormsData.Status },
    options?: CallOptions
  ) => Promise<boolean | F>
  /** 🔐 Deletes a submission of one's own. */
  readonly deleteFormsDataByid: (id: number, options?: CallOptions) => Promise<boolean | F>
}

interface FileUploadingMethods<F> {
  /** Uploads a file. */
  readonly upload: (
    file: Blob,
    fileQuery?: IUploadingQuery,
    options?: CallOptions
  ) => Promise<Array<IUploadingReturn> | F>
  /** Deletes a file. */
  readonly delete: (filename: string, fileQuery?: IUploadingQuery, options?: CallOptions) => Promise<boolean | F>
  /** A file, as it comes. */
  readonly getFile: (
    id: number,
    type: string,
    entity: string,
    filename: string,
    template?: number | string,
    options?: CallOptions
  ) => Promise<Response | F>
  /** Makes a `File` of what a URL holds: `https:`, `http:` on loopback, or `data:`. */
  readonly createFileFromUrl: (
    url: string,
    filename: string,
    mimeType?: string,
    options?: CallOptions
  ) => Promise<File | F>
}

interface UsersMethods<F> {
  /** 🔐 The profile. */
  readonly getUser: (langCode?: string, options?: CallOptions) => Promise<IUserEntity | F>
  /** 🔐 Changes of the profile what the body names. */
  readonly updateUser: (body: IUserBody, langCode?: string, options?: CallOptions) => Promise<boolean | F>
  /** 🔐 Puts the account away. The session ends. */
  readonly archiveUser: (options?: CallOptions) => Promise<boolean | F>
  /** 🔐 Deletes the account. The session ends. */
  readonly deleteUser: (options?: CallOptions) => Promise<boolean | F>
  /** 🔐 Adds the Firebase token of a device. */
  readonly addFCMToken: (token: string, options?: CallOptions) => Promise<boolean | F>
  /** 🔐 Takes the Firebase token of a device away. */
  readonly deleteFCMToken: (token: string, options?: CallOptions) => Promise<boolean | F>
}

/**
 * What `defineOneEntry` gives. `F` is what calls give instead of a result: `IError`, or nothing where errors are thrown.
 *
 * **Example** (Only what a page needs)
 *
 * ```ts
 * import type { OneEntry } from "effect-oneentry/promise"
 *
 * export const title = async ({ Forms }: OneEntry<never>): Promise<string | null | undefined> =>
 *   (await Forms.getFormByMarker("reg")).localizeInfos.title
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface OneEntry<F = IError> extends AsyncDisposable {
  readonly AuthProvider: Module<AuthProviderMethods<F>>
  readonly Forms: Module<FormsMethods<F>>
  readonly FormData: Module<FormDataMethods<F>>
  readonly FileUploading: Module<FileUploadingMethods<F>>
  readonly Users: Module<UsersMethods<F>>
  /** The session, which the official SDK does not show. */
  readonly session: {
    /** Who is signed in. Never touches the network. */
    readonly current: () => Promise<SessionInfo | undefined>
    /** Tells a listener what happens, the state at hand first. Gives what ends it. */
    readonly subscribe: (listener: (event: SessionEvent) => void) => () => void
  }
  /** Ends the client: calls under way are interrupted, the last `saveFunction` is waited for. Twice is no error. */
  readonly dispose: () => Promise<void>
}

// -----------------------------------------------------------------------------
// make
// -----------------------------------------------------------------------------

const signalOf = (options: CallOptions | undefined): AbortSignal | undefined =>
  options === undefined || options instanceof AbortSignal ? options : options.signal

const toInfo = (info: Info): SessionInfo => ({
  marker: info.marker,
  ...(info.userIdentifier === undefined ? {} : { userIdentifier: info.userIdentifier }),
  ...(info.accessTokenEndsAt === undefined ? {} : { accessTokenEndsAt: DateTime.formatIso(info.accessTokenEndsAt) })
})

const toEvent = (event: Event): SessionEvent => {
  switch (event._tag) {
    case "State":
      return { _tag: "State", session: Option.getOrUndefined(Option.map(event.session, toInfo)) }
    case "SignedIn":
    case "Refreshed":
    case "RefreshRejected":
      return { _tag: event._tag, session: toInfo(event.session) }
    case "SignedOut":
    case "StorageDegraded":
      return event
  }
}

// What comes from plain JavaScript is of any type: the encoders of the services look at it.
const asFields = (data: unknown) => data as FieldValue.FormFields
const asAuthData = (data: unknown) => data as ReadonlyArray<FieldValue.AuthField>

/** Files of a submission that name no place go to one of their own, as the official SDK has it. */
const withPlaces = (data: IBodyPostFormData["formData"]): unknown => {
  const place = (field: unknown): unknown =>
    isObject(field) && fileTypes.includes(String(field["type"])) && field["fileQuery"] === undefined
      ? { ...field, fileQuery: { type: "page", entity: "editor", id: crypto.getRandomValues(new Uint16Array(1))[0] } }
      : field
  if (Array.isArray(data)) return data.map(place)
  if (!isObject(data) || "marker" in data) return place(data)
  return Object.fromEntries(
    Object.entries(data).map(([language, fields]) => [language, Array.isArray(fields) ? fields.map(place) : fields])
  )
}

const fileTypes = ["file", "image", "groupOfImages"]

const whatItSays = (_: unknown, body: unknown): unknown => (body === undefined ? {} : body)

/**
 * Makes a client. It opens nothing and reads nothing until its first call, and takes its configuration as it is: what is
 * wrong with it, each call says.
 *
 * **Example** (From a form to a session)
 *
 * ```ts
 * import { defineOneEntry, isError } from "effect-oneentry/promise"
 *
 * const { AuthProvider, Forms } = defineOneEntry("https://my-project.oneentry.cloud", { token: "your-app-token" })
 *
 * export const signIn = async (login: string, password: string): Promise<string> => {
 *   const form = await Forms.getFormByMarker("reg")
 *   if (isError(form)) return form.message
 *   const result = await AuthProvider.auth("email", {
 *     authData: [
 *       { marker: "email_reg", value: login },
 *       { marker: "password_reg", value: password }
 *     ]
 *   })
 *   return isError(result) ? result._tag : `Welcome, ${result.userIdentifier}`
 * }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export function defineOneEntry(
  url: string,
  config: Config & { readonly errors: { readonly isShell: false } }
): OneEntry<never>
export function defineOneEntry(url: string, config?: Config): OneEntry
export function defineOneEntry(url: string, config: Config = {}): OneEntry {
  const { auth, client: clientOptions, errors, validation } = config
  const rawData = config.rawData === true

  const client = Client.make({
    client: {
      ...clientOptions,
      url,
      appToken: config.token,
      langCode: config.langCode,
      providerMarker: auth?.providerMarker
    },
    storage: config.storage,
    fetch: config.fetch,
    device: config.deviceMetadata,
    // Web Storage says `null`, and `""` is what `saveFunction` was told last.
    refreshToken: auth?.refreshToken || undefined,
    saveFunction: auth?.saveFunction,
    customAuth: auth?.customAuth === true,
    validation: {
      enabled: validation?.enabled === true,
      strictMode: validation?.strictMode === true,
      logErrors: validation?.logErrors !== false
    },
    settle: (error) => {
      const hooks: { readonly [status: number]: ((error?: IError) => unknown) | undefined } = errors?.customErrors ?? {}
      hooks[error.statusCode]?.(error)
      if (errors?.isShell === false) throw new OneEntryException(error)
      return error
    }
  })

  const call = <A, T>(one: Client.Call<A>, options: CallOptions | undefined): Promise<T> =>
    // What the server said is of the type that its schema has: it was decoded by it, or `validation` is not strict.
    client.run(one, signalOf(options)) as Promise<T>

  /** In the language of the call. */
  const localized =
    (f: (data: unknown, options: NormalizeOptions) => unknown, langCode: string | undefined) =>
    (_: unknown, body: unknown, services: Client.Services): unknown =>
      f(body === undefined ? {} : body, {
        langCodes: langCode === undefined ? [services.langCode] : [langCode, services.langCode],
        rawData
      })

  const withTokens = <Methods extends object>(methods: Methods): Module<Methods> => {
    const self: Module<Methods> = {
      ...methods,
      setAccessToken: (accessToken) => {
        client.setAccessToken(accessToken)
        return self
      },
      setRefreshToken: (refreshToken) => {
        client.setRefreshToken(refreshToken)
        return self
      }
    }
    return self
  }

  const api: OneEntry = {
    AuthProvider: withTokens<AuthProviderMethods<IError>>({
      signUp: (marker, body, langCode = body?.langCode, options) =>
        call(
          {
            operation: "signUp",
            run: ({ auth }) =>
              auth.signUp(
                marker,
                { ...body, authData: asAuthData(body?.authData), formData: asFields(body?.formData) },
                {
                  langCode
                }
              ),
            result: localized(normalize, langCode)
          },
          options
        ),
      generateCode: (marker, userIdentifier, eventIdentifier, options) =>
        call(
          {
            operation: "generateCode",
            run: ({ auth }) => auth.generateCode(marker, { userIdentifier, eventIdentifier }),
            result: whatItSays
          },
          options
        ),
      checkCode: (marker, userIdentifier, eventIdentifier, code, options) =>
        call(
          {
            operation: "checkCode",
            run: ({ auth }) => auth.checkCode(marker, { userIdentifier, eventIdentifier, code }),
            result: whatItSays
          },
          options
        ),
      activateUser: (marker, userIdentifier, code, options) =>
        call(
          {
            operation: "activateUser",
            run: ({ auth }) => auth.activateUser(marker, { userIdentifier, code }),
            result: whatItSays
          },
          options
        ),
      auth: (marker, body, options) =>
        call(
          {
            operation: "auth",
            run: ({ auth }) => auth.auth(marker, { authData: asAuthData(body?.authData), code: body?.code }),
            result: whatItSays,
            undecoded: "failure"
          },
          options
        ),
      refresh: (marker, token, options) =>
        call(
          {
            operation: "refresh",
            run: ({ auth }) => auth.refresh(marker, token || undefined),
            // Whoever joins a refresh under way has no answer of its own.
            result: (entity): IAuthEntity | undefined =>
              entity === undefined
                ? undefined
                : {
                    userIdentifier: entity.userIdentifier,
                    authProviderIdentifier: entity.authProviderIdentifier,
                    accessToken: Redacted.value(entity.accessToken),
                    refreshToken: Redacted.value(entity.refreshToken)
                  }
          },
          options
        ),
      logout: (marker, token, options) =>
        call(
          {
            operation: "logout",
            run: ({ auth, session }) =>
              Effect.gen(function* () {
                const stored = yield* session.peek
                const result = yield* Effect.ensuring(auth.logout(marker, token || undefined), client.forget)
                if (result.revoked) return
                // What the server says of a token that is good no more is below; the rest is why it could not be asked.
                if (result.failure !== undefined && result.failure.reason._tag !== "Unexpected")
                  return yield* result.failure
                // Here it is over in any case; this is what the server said, or would have said.
                return yield* stored === undefined && !token
                  ? new AuthError.NotAuthenticated({ slot: "default" })
                  : new AuthError.TokenExpired({
                      marker: marker ?? stored?.marker ?? "",
                      messages: [],
                      reason: "Rejected"
                    })
              }),
            result: whatItSays
          },
          options
        ),
      logoutAll: (marker, options) =>
        call(
          {
            operation: "logoutAll",
            run: ({ auth }) => auth.logoutAll(marker),
            result: whatItSays
          },
          options
        ),
      changePassword: (marker, userIdentifier, eventIdentifier, type, code, newPassword, repeatPassword, options) =>
        call(
          {
            operation: "changePassword",
            run: ({ auth }) =>
              auth.changePassword(marker, {
                userIdentifier,
                eventIdentifier,
                type: Number(type) === 1 ? "change" : "recovery",
                code,
                newPassword,
                repeatPassword
              }),
            result: whatItSays
          },
          options
        ),
      getAuthProviders: (langCode, offset, limit, options) =>
        call(
          {
            operation: "getAuthProviders",
            run: ({ auth }) => auth.getAuthProviders({ langCode, offset, limit }),
            result: localized(normalize, langCode)
          },
          options
        ),
      getAuthProviderByMarker: (marker, langCode, options) =>
        call(
          {
            operation: "getAuthProviderByMarker",
            run: ({ auth }) => auth.getAuthProviderByMarker(marker, { langCode }),
            result: localized(normalize, langCode)
          },
          options
        ),
      getActiveSessionsByMarker: (marker, options) =>
        call(
          {
            operation: "getActiveSessionsByMarker",
            run: ({ auth }) => auth.getActiveSessionsByMarker(marker),
            result: localized(normalize, undefined)
          },
          options
        ),
      oauth: (marker, body, langCode, options) =>
        call(
          {
            operation: "oauth",
            run: ({ auth }) => auth.oauth(marker, body, { langCode }),
            result: whatItSays,
            undecoded: "failure"
          },
          options
        )
    }),
    Forms: withTokens<FormsMethods<IError>>({
      getAllForms: (langCode, offset, limit, options) =>
        call(
          {
            operation: "getAllForms",
            run: ({ plain }) => plain.getAllForms(langCode, offset, limit),
            result: localized(normalizeForm, langCode)
          },
          options
        ),
      getFormByMarker: (marker, langCode, options) =>
        call(
          {
            operation: "getFormByMarker",
            run: ({ plain }) => plain.getFormByMarker(marker, langCode),
            result: localized(normalizeForm, langCode)
          },
          options
        )
    }),
    FormData: withTokens<FormDataMethods<IError>>({
      postFormsData: (body, langCode, options) =>
        call(
          {
            operation: "postFormsData",
            run: ({ plain }) => plain.postFormsData({ ...body, formData: withPlaces(body?.formData) }, langCode),
            result: localized(normalizeForm, langCode)
          },
          options
        ),
      getFormsDataByMarker: (
        marker,
        formModuleConfigId,
        body = {},
        isExtended = 0,
        langCode,
        offset = 0,
        limit = 30,
        options
      ) =>
        call(
          {
            operation: "getFormsDataByMarker",
            run: ({ plain }) =>
              plain.getFormsDataByMarker(marker, { formModuleConfigId, isExtended, langCode, offset, limit }, body),
            result: localized(normalizeForm, langCode)
          },
          options
        ),
      updateFormsDataByid: (id, body, options) =>
        call(
          {
            operation: "updateFormsDataById",
            run: ({ plain }) => plain.updateFormsDataByid(id, { ...body }, body?.langCode),
            result: whatItSays
          },
          options
        ),
      updateFormsDataStatusByid: (id, body = {}, options) =>
        call(
          {
            operation: "updateFormsDataStatusById",
            run: ({ plain }) => plain.updateFormsDataStatusByid(id, body),
            result: whatItSays
          },
          options
        ),
      deleteFormsDataByid: (id, options) =>
        call(
          {
            operation: "deleteFormsDataById",
            run: ({ plain }) => plain.deleteFormsDataByid(id),
            result: whatItSays
          },
          options
        )
    }),
    FileUploading: withTokens<FileUploadingMethods<IError>>({
      upload: (file, fileQuery, options) =>
        call(
          {
            operation: "upload",
            run: ({ plain }) => plain.upload(file, { ...fileQuery }),
            result: whatItSays
          },
          options
        ),
      delete: (filename, fileQuery, options) =>
        call(
          {
            operation: "deleteFile",
            run: ({ plain }) => plain.deleteFile(filename, { ...fileQuery }),
            result: whatItSays
          },
          options
        ),
      getFile: (id, type, entity, filename, template, options) =>
        call(
          {
            operation: "getFile",
            run: ({ session, transport }) => getFile(transport, session, { id, type, entity, filename, template }),
            result: (response) => response
          },
          options
        ),
      createFileFromUrl: (url, filename, mimeType, options) =>
        call(
          {
            operation: "createFileFromUrl",
            run: () => fileFromUrl(config.fetch ?? globalThis.fetch, url, filename, mimeType || undefined),
            result: (file) => file
          },
          options
        )
    }),
    Users: withTokens<UsersMethods<IError>>({
      getUser: (langCode, options) =>
        call(
          {
            operation: "getUser",
            run: ({ plain }) => plain.getUser(langCode),
            result: localized(normalize, langCode)
          },
          options
        ),
      updateUser: (body, langCode = body?.langCode, options) =>
        call(
          {
            operation: "updateUser",
            run: ({ plain }) => plain.updateUser({ ...body }, langCode),
            result: whatItSays
          },
          options
        ),
      archiveUser: (options) =>
        call({ operation: "archiveUser", run: ({ plain }) => plain.archiveUser, result: whatItSays }, options),
      deleteUser: (options) =>
        call({ operation: "deleteUser", run: ({ plain }) => plain.deleteUser, result: whatItSays }, options),
      addFCMToken: (token, options) =>
        call({ operation: "addFCMToken", run: ({ plain }) => plain.addFCMToken(token), result: whatItSays }, options),
      deleteFCMToken: (token, options) =>
        call(
          { operation: "deleteFCMToken", run: ({ plain }) => plain.deleteFCMToken(token), result: whatItSays },
          options
        )
    }),
    session: {
      current: async () => Option.getOrUndefined(Option.map(await client.current(), toInfo)),
      subscribe: (listener) => client.subscribe((event) => listener(toEvent(event)))
    },
    dispose: client.dispose,
    [Symbol.asyncDispose]: client.dispose
  }
  return api
}
