/**
 * The signed-in user: the profile, a patch of it that changes what it names and
 * nothing else, the two ways to leave, and the tokens of push notifications.
 * All operations need a session (🔐).
 *
 * @since 0.1.0
 */
// Every operation is a function, also where it takes nothing.
// @effect-diagnostics lazyEffect:off
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import type * as AuthError from "./AuthError.ts"
import * as AuthSchema from "./AuthSchema.ts"
import type * as ClientOptions from "./ClientOptions.ts"
import * as FieldValue from "./FieldValue.ts"
import * as Forms from "./Forms.ts"
import * as FormSchema from "./FormSchema.ts"
import { authorized } from "./internal/authorizedCall.ts"
import { users as rules, type DomainErrorOf, type Operation } from "./internal/classification.ts"
import { isJson } from "./internal/fieldEncoding.ts"
import * as Invoke from "./internal/invoke.ts"
import { refusedFields } from "./internal/serverFields.ts"
import * as FetchTransport from "./internal/fetchTransport.ts"
import * as HttpTransport from "./internal/httpTransport.ts"
import type * as Transport from "./internal/transport.ts"
import * as Uploads from "./internal/uploads.ts"
import * as OneEntryError from "./OneEntryError.ts"
import * as Session from "./Session.ts"
import { findPassword } from "./SignUpForm.ts"
import type * as TokenStorage from "./TokenStorage.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What of a profile is to change; what is left out stays as it is.
 *
 * - `formData`: the fields that change, in the types of `FieldValue`. Files are uploaded first. Empty values are left
 *   out, so a field cannot be emptied that way.
 * - `newPassword`: goes to the password field of the form. With `authData` instead, exactly one item, the password's:
 *   a login cannot be changed there.
 * - `state`: takes the place of the whole state. To change a part, spread what `getUser` returned.
 * - `notificationData`: takes the place of the contacts. Leave it out for people who came by OAuth: servers fail on it.
 * - `formIdentifier`: the form of the profile; found out from the profile where it is left out.
 *
 * **Example** (A name, and one key of the state)
 *
 * ```ts
 * import { FieldValue } from "effect-oneentry"
 * import type { AuthSchema, Users } from "effect-oneentry"
 *
 * export const patch = (user: AuthSchema.UserEntity): Users.UserPatch => ({
 *   formIdentifier: "reg",
 *   formData: FieldValue.string("name_reg", "Ann"),
 *   state: { ...user.state, theme: "dark" }
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface UserPatch {
  readonly formIdentifier?: string | undefined
  readonly formData?: FieldValue.FormFields | undefined
  readonly newPassword?: string | Redacted.Redacted<string> | undefined
  readonly authData?: ReadonlyArray<FieldValue.AuthField> | undefined
  readonly state?: { readonly [key: string]: Schema.Json } | undefined
  readonly notificationData?: FieldValue.NotificationData | undefined
}

/**
 * How a profile is changed. `form` is that of the profile, for who has it at hand: a new password needs it (it is read
 * from the server otherwise), and with it the fields of `formData` are checked before anything is sent. `maxFileBytes`:
 * what one file may have; 100 MiB.
 *
 * **Example** (With the form of the page)
 *
 * ```ts
 * import type { FormSchema, Users } from "effect-oneentry"
 *
 * export const options = (form: FormSchema.Form): Users.UpdateOptions => ({ form, langCode: "de_DE" })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface UpdateOptions {
  readonly langCode?: string | undefined
  readonly form?: FormSchema.Form | undefined
  readonly maxFileBytes?: number | undefined
}

type Failure<Op extends Operation> = DomainErrorOf<Op> | OneEntryError.OneEntryError | Session.RefreshError

// -----------------------------------------------------------------------------
// service
// -----------------------------------------------------------------------------

/**
 * The signed-in user.
 *
 * **Example** (The profile)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const login = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.map((user) => user.identifier)
 * )
 * ```
 *
 * **Example** (Changing a name and a password)
 *
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { FieldValue, Users } from "effect-oneentry"
 *
 * export const program = Users.Users.use((users) =>
 *   users.updateUser({
 *     formData: FieldValue.string("name_reg", "Ann"),
 *     newPassword: Redacted.make("better")
 *   })
 * ).pipe(
 *   Effect.catchTag("FormInvalid", (error) => Effect.logInfo(error.byMarker))
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Users extends Context.Service<
  Users,
  {
    /** 🔐 The profile. */
    readonly getUser: (options?: {
      readonly langCode?: string | undefined
    }) => Effect.Effect<AuthSchema.UserEntity, OneEntryError.OneEntryError | Session.RefreshError>
    /**
     * 🔐 Changes what the patch names of the profile. Fails with `FormInvalid` for the fields that are wrong, before
     * anything is sent where that can be known. A new login moves the credential on most servers, and fails with
     * `UserAlreadyExists` where somebody has it.
     */
    readonly updateUser: (
      patch: UserPatch,
      options?: UpdateOptions
    ) => Effect.Effect<
      void,
      Failure<"updateUser"> | FormSchema.FormInvalid | AuthError.FormNotFound | AuthError.UploadFailed
    >
    /** 🔐 Puts the account away: nobody can sign in to it, its login stays taken. The local session is dropped. */
    readonly archiveUser: () => Effect.Effect<void, Failure<"archiveUser">>
    /** 🔐 Deletes the account with everything that is the user's. The local session is dropped. */
    readonly deleteUser: () => Effect.Effect<void, Failure<"deleteUser">>
    /** 🔐 Adds the Firebase token of a device, for push notifications. */
    readonly addFCMToken: (token: string | Redacted.Redacted<string>) => Effect.Effect<void, Failure<"addFCMToken">>
    /** 🔐 Takes the Firebase token of a device away. */
    readonly deleteFCMToken: (
      token: string | Redacted.Redacted<string>
    ) => Effect.Effect<void, Failure<"deleteFCMToken">>
  }
>()("effect-oneentry/Users") {}

// -----------------------------------------------------------------------------
// make
// -----------------------------------------------------------------------------

const endpoints = {
  getUser: Invoke.something(rules, "getUser", "GET", AuthSchema.decodeUser, AuthSchema.toUser),
  updateUser: Invoke.nothing(rules, "updateUser", "PUT"),
  archiveUser: Invoke.nothing(rules, "archiveUser", "DELETE"),
  deleteUser: Invoke.nothing(rules, "deleteUser", "DELETE"),
  addFCMToken: Invoke.nothing(rules, "addFCMToken", "POST"),
  deleteFCMToken: Invoke.nothing(rules, "deleteFCMToken", "DELETE")
} as const

const invalid = (marker: string, message: string, code: FormSchema.FormIssueCode = "form") =>
  new FormSchema.FormInvalid({ issues: [{ marker, message, code }] })

const patchIssues = (patch: UserPatch): ReadonlyArray<string> => {
  const { authData, formData, formIdentifier, newPassword, notificationData, state } = patch
  const issues: Array<string> = []
  if (
    authData === undefined &&
    formData === undefined &&
    newPassword === undefined &&
    notificationData === undefined &&
    state === undefined
  ) {
    issues.push("there is nothing to change: name `formData`, `newPassword`, `state` or `notificationData`")
  }
  if (formIdentifier !== undefined) issues.push(...Invoke.emptyArguments({ formIdentifier }))
  if (newPassword !== undefined) issues.push(...Invoke.emptyArguments({ newPassword }))
  if (authData !== undefined) {
    if (newPassword !== undefined) issues.push("`newPassword` and `authData` say the same: give one of them")
    if (authData.length !== 1) {
      issues.push("`authData` must be exactly one item, the new password; leave it out to keep the password as it is")
    }
  }
  if (state !== undefined && !isJson(state)) issues.push("`state` must be an object that can be written as JSON")
  return issues
}

/** @internal */
export const makeInternal = (transport: Transport.Transport, session: Session.Internal): Users["Service"] => {
  const { project } = transport
  const forms = Forms.makeInternal(transport)

  const me = (segments: ReadonlyArray<string>, query?: Readonly<Record<string, string>>) =>
    Invoke.path(["users", "me", ...segments], query)

  const getUser: Users["Service"]["getUser"] = ({ langCode = project.langCode } = {}) =>
    authorized(transport, session, endpoints.getUser, { path: me([], { langCode }), marker: "", langCode })

  /** The profile's form by its marker: the server wants it with every change. */
  const formIdentifierOf = (patch: UserPatch, options: UpdateOptions | undefined) => {
    const given = patch.formIdentifier ?? options?.form?.identifier
    if (given !== undefined) return Effect.succeed(given)
    return Effect.flatMap(getUser(options), ({ formIdentifier }) =>
      formIdentifier === undefined
        ? Effect.fail(
            OneEntryError.invalidRequest(
              "updateUser",
              "the user's provider has no form: set one in the admin panel, or name it as `formIdentifier`"
            )
          )
        : Effect.succeed(formIdentifier)
    )
  }

  /** The one credential that may be sent: the password, under the marker that the form has for it. */
  const credentialOf = Effect.fnUntraced(function* (patch: UserPatch, form: FormSchema.Form) {
    const password = findPassword(form.attributes)
    if (patch.newPassword !== undefined) {
      return password === undefined
        ? yield* invalid(
            form.identifier,
            "has no password field: mark one in the admin panel, or change the password by AuthProvider.changePassword"
          )
        : { marker: password.marker, value: Invoke.reveal(patch.newPassword) }
    }
    const [item] = yield* Effect.fromResult(FieldValue.encodeAuthData(patch.authData ?? []))
    if (item === undefined) {
      return yield* invalid(
        password?.marker ?? "",
        "is empty: leave `authData` out to keep the password as it is",
        "missing"
      )
    }
    const attribute = form.attributes.find(({ marker }) => marker === item.marker)
    if (attribute?.isLogin === true) {
      return yield* invalid(
        item.marker,
        "is the login, which `authData` cannot change: send it in `formData`, or leave it out"
      )
    }
    if (attribute === undefined) {
      return yield* invalid(
        item.marker,
        "the form has no such field; the password's marker stands here",
        "unknownMarker"
      )
    }
    return item
  })

  /** Ends the local session of the user that the call was about; whoever signed in meanwhile stays. */
  const leaving = <E>(call: Effect.Effect<void, E>) =>
    Effect.gen(function* () {
      const before = yield* session.peek
      yield* call
      const after = yield* session.peek
      if (after === undefined) return
      if (before === undefined || (after.marker === before.marker && after.userIdentifier === before.userIdentifier)) {
        yield* Effect.uninterruptible(session.signOut("SignOut"))
      }
    })

  const remove = <Op extends "archiveUser" | "deleteUser">(
    endpoint: Invoke.Endpoint<Op, void>,
    segments: ReadonlyArray<string>
  ) => leaving(authorized(transport, session, endpoint, { path: me(segments), marker: "", langCode: project.langCode }))

  const push = <Op extends "addFCMToken" | "deleteFCMToken">(
    endpoint: Invoke.Endpoint<Op, void>,
    token: string | Redacted.Redacted<string>
  ) =>
    Invoke.checked(endpoint.operation, Invoke.emptyArguments({ token }), () =>
      authorized(transport, session, endpoint, {
        path: me(["fcm-token", Invoke.reveal(token)]),
        marker: "",
        langCode: project.langCode
      })
    )

  return Users.of({
    getUser,

    updateUser: (patch, options) => {
      const langCode = options?.langCode ?? project.langCode
      return Invoke.checked("updateUser", [...patchIssues(patch), ...Invoke.emptyArguments({ langCode })], () =>
        Effect.gen(function* () {
          const { formData, notificationData, state } = patch
          let fields = formData
          if (formData !== undefined && options?.form !== undefined) {
            const checked: Record<string, ReadonlyArray<FieldValue.FormField>> = {}
            for (const [language, list] of FieldValue.byLanguage(formData, langCode)) {
              checked[language] = yield* FormSchema.validateFields(options.form, list, { partial: true })
            }
            fields = checked
          }
          const prepared = yield* Effect.fromResult(Uploads.prepareFields(fields ?? [], langCode))
          const formIdentifier = yield* formIdentifierOf(patch, options)
          const credential =
            patch.newPassword === undefined && patch.authData === undefined
              ? undefined
              : yield* Effect.flatMap(
                  options?.form === undefined
                    ? forms.getFormByMarker(formIdentifier, { langCode })
                    : Effect.succeed(options.form),
                  (form) => credentialOf(patch, form)
                )
          const completed = yield* Uploads.completeLanguages(
            transport,
            session,
            prepared,
            options?.maxFileBytes ?? Uploads.defaultMaxBytes
          )
          const sent = Object.values(completed).flat()
          if (sent.length === 0 && credential === undefined && notificationData === undefined && state === undefined) {
            return yield* invalid(formIdentifier, "there is nothing to change: the fields have no value")
          }
          yield* authorized(transport, session, endpoints.updateUser, {
            path: me([]),
            body: JSON.stringify({
              formIdentifier,
              langCode,
              ...(sent.length === 0 ? {} : { formData: completed }),
              ...(credential === undefined ? {} : { authData: [credential] }),
              ...(notificationData === undefined
                ? {}
                : { notificationData: FieldValue.encodeNotificationData(notificationData) }),
              ...(state === undefined ? {} : { state })
            }),
            given: formData,
            marker: formIdentifier,
            langCode
          }).pipe(
            Effect.mapError((error) => {
              if (!OneEntryError.isOneEntryError(error)) return error
              const { reason } = error
              // Users made by OAuth have no contacts, and the server trips over that.
              return reason._tag === "ServerFailure" &&
                notificationData !== undefined &&
                reason.messages.some((message) => /of null/i.test(message))
                ? OneEntryError.invalidRequest(
                    "updateUser",
                    "the server cannot set `notificationData` of this user (one made by OAuth?): leave it out"
                  )
                : (refusedFields(error, options?.form, sent) ?? error)
            })
          )
        })
      )
    },

    archiveUser: () => remove(endpoints.archiveUser, []),

    deleteUser: () => remove(endpoints.deleteUser, ["account"]),

    addFCMToken: (token) => push(endpoints.addFCMToken, token),

    deleteFCMToken: (token) => push(endpoints.deleteFCMToken, token)
  })
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * The user alone.
 *
 * **Example** (A profile page)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { TokenStorage, Users } from "effect-oneentry"
 *
 * export const layer = Users.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<Users, OneEntryError.OneEntryError, HttpClient.HttpClient | TokenStorage.TokenStorage> =>
  Layer.effect(Users, Effect.flatMap(HttpTransport.connect(options), withSession))

/**
 * The same on the platform's `fetch` (or that of `FetchClient.Fetch`), without an `HttpClient`: 7 KiB less in a bundle
 * that has no other use for one.
 *
 * **Example** (A profile page)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { Users, TokenStorage } from "effect-oneentry"
 *
 * export const layer = Users.layerFetch({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide(TokenStorage.layerMemory)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFetch = (
  options: ClientOptions.ClientOptions
): Layer.Layer<Users, OneEntryError.OneEntryError, TokenStorage.TokenStorage> =>
  Layer.effect(Users, Effect.flatMap(FetchTransport.connect(options), withSession))

const withSession = (transport: Transport.Transport) =>
  Effect.map(Session.makeInternal(transport), (session) => makeInternal(transport, session))
