/**
 * Registration, activation, sign-in, password change and sign-out: OneEntry's
 * AuthProvider, every operation an `Effect` with its own failures. The marker
 * of the provider comes first, then one object. No input is mutated, secrets
 * may be plain or `Redacted`, and tokens come back `Redacted`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as AuthError from "./AuthError.ts"
import * as AuthSchema from "./AuthSchema.ts"
import type * as ClientOptions from "./ClientOptions.ts"
import * as FieldValue from "./FieldValue.ts"
import { authorized } from "./internal/authorizedCall.ts"
import { auth as rules, type DomainErrorOf, type Operation } from "./internal/classification.ts"
import type { FormInvalid } from "./internal/formInvalid.ts"
import * as Invoke from "./internal/invoke.ts"
import * as RefreshExchange from "./internal/refreshExchange.ts"
import * as Stored from "./internal/storedSession.ts"
import * as FetchTransport from "./internal/fetchTransport.ts"
import * as HttpTransport from "./internal/httpTransport.ts"
import * as Transport from "./internal/transport.ts"
import * as Uploads from "./internal/uploads.ts"
import { parseDate } from "./internal/wire.ts"
import * as OneEntryError from "./OneEntryError.ts"
import * as Session from "./Session.ts"
import type * as TokenStorage from "./TokenStorage.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * A secret, plain or redacted.
 *
 * **Example** (Either will do)
 *
 * ```ts
 * import { Redacted } from "effect"
 * import type { AuthProvider } from "effect-oneentry"
 *
 * export const codes: ReadonlyArray<AuthProvider.Secret> = ["123456", Redacted.make("123456")]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Secret = string | Redacted.Redacted<string>

/**
 * Whose code, for which event of the project.
 *
 * **Example** (A code for signing in)
 *
 * ```ts
 * import type { AuthProvider } from "effect-oneentry"
 *
 * export const request: AuthProvider.CodeRequest = { userIdentifier: "ann@example.com", eventIdentifier: "auth" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface CodeRequest {
  readonly userIdentifier: string
  readonly eventIdentifier: string
}

/**
 * Credentials: the values of the login and password fields of the provider's form, by their own markers; `code` on a
 * provider that signs in by code.
 *
 * **Example** (Login and password)
 *
 * ```ts
 * import { Redacted } from "effect"
 * import type { AuthProvider } from "effect-oneentry"
 *
 * export const credentials: AuthProvider.Credentials = {
 *   authData: [
 *     { marker: "email_reg", value: "ann@example.com" },
 *     { marker: "password_reg", value: Redacted.make("secret") }
 *   ]
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  readonly authData: ReadonlyArray<FieldValue.AuthField>
  readonly code?: Secret | undefined
}

/**
 * What the network sent back with the visitor. `client_id` and `client_secret` are for tenants that do not keep them in
 * the provider; a secret belongs on a server, never in a browser.
 *
 * **Example** (A tenant that keeps its own credentials)
 *
 * ```ts
 * import type { AuthProvider } from "effect-oneentry"
 *
 * export const data: AuthProvider.OAuthData = { code: "…", redirect_uri: "https://app.example.com/callback" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface OAuthData {
  readonly code: Secret
  /** The very one of the authorization step. */
  readonly redirect_uri: string
  readonly client_id?: string | undefined
  readonly client_secret?: Secret | undefined
  readonly grant_type?: string | undefined
  readonly code_verifier?: Secret | undefined
}

/**
 * A new password, with the code that proves the right to set it.
 *
 * **Example** (A forgotten password)
 *
 * ```ts
 * import { Redacted } from "effect"
 * import type { AuthProvider } from "effect-oneentry"
 *
 * export const change: AuthProvider.PasswordChange = {
 *   userIdentifier: "ann@example.com",
 *   eventIdentifier: "password_reset",
 *   type: "recovery",
 *   code: "123456",
 *   newPassword: Redacted.make("better")
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface PasswordChange extends CodeRequest {
  readonly type: "change" | "recovery"
  readonly code: Secret
  readonly newPassword: Secret
  /** Compared before anything is sent, where it is given. */
  readonly repeatPassword?: Secret | undefined
}

/**
 * What signing out came to. The local session is gone in any case; `revoked` says whether the server ended its half,
 * `failure` why it did not, if there was anything to end.
 *
 * **Example** (Offline)
 *
 * ```ts
 * import type { AuthProvider } from "effect-oneentry"
 *
 * export const text = (result: AuthProvider.LogoutResult): string =>
 *   result.revoked ? "Signed out" : "Signed out here; the server could not be told"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface LogoutResult {
  readonly revoked: boolean
  readonly failure?: OneEntryError.OneEntryError
}

interface LangCode {
  readonly langCode?: string | undefined
}

interface Page extends LangCode {
  readonly offset?: number | undefined
  readonly limit?: number | undefined
}

/** The failures of an operation: the rows of the table that can meet it, and what lies below the domain. */
type Failure<Op extends Operation> = DomainErrorOf<Op> | OneEntryError.OneEntryError

// -----------------------------------------------------------------------------
// service
// -----------------------------------------------------------------------------

/**
 * Every operation of OneEntry's AuthProvider. 🔐 marks those that need a session.
 *
 * **Example** (From registration to a session)
 *
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { AuthProvider } from "effect-oneentry"
 *
 * export const register = (code: Effect.Effect<string>) => Effect.gen(function*() {
 *   const auth = yield* AuthProvider.AuthProvider
 *   const authData = [
 *     { marker: "email_reg", value: "ann@example.com" },
 *     { marker: "password_reg", value: Redacted.make("secret") }
 *   ]
 *   yield* auth.signUp("email", { formIdentifier: "reg", authData })
 *   yield* auth.activateUser("email", { userIdentifier: "ann@example.com", code: yield* code })
 *   return yield* auth.auth("email", { authData })
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class AuthProvider extends Context.Service<
  AuthProvider,
  {
    /** Registers a user. Files in `formData` are uploaded first; if one fails, nothing is registered. */
    readonly signUp: (
      marker: string,
      data: FieldValue.SignUpData,
      options?: LangCode
    ) => Effect.Effect<AuthSchema.SignUpEntity, Failure<"signUp"> | AuthError.UploadFailed>
    /** Sends a code to the user. */
    readonly generateCode: (marker: string, request: CodeRequest) => Effect.Effect<void, Failure<"generateCode">>
    /** Checks a code without using it up. */
    readonly checkCode: (
      marker: string,
      request: CodeRequest & { readonly code: Secret }
    ) => Effect.Effect<void, Failure<"checkCode">>
    /** Activates a registered user with a code, which is used up. */
    readonly activateUser: (
      marker: string,
      request: { readonly userIdentifier: string; readonly code: Secret }
    ) => Effect.Effect<void, Failure<"activateUser">>
    /** Signs in, and stores the session. A failed sign-in leaves the session that was there. */
    readonly auth: (
      marker: string,
      credentials: Credentials
    ) => Effect.Effect<AuthSchema.AuthEntity, Failure<"auth"> | TokenStorage.TokenStorageError>
    /** Signs in (and up) with an authorization code of a network, and stores the session. */
    readonly oauth: (
      marker: string,
      data: OAuthData,
      options?: LangCode
    ) => Effect.Effect<AuthSchema.AuthEntity, Failure<"oauth"> | TokenStorage.TokenStorageError>
    /**
     * Refreshes the session now, or joins a refresh in flight. A token from elsewhere becomes the session: at once where
     * nobody is signed in, otherwise once the server has taken it.
     */
    readonly refresh: (
      marker?: string,
      refreshToken?: Secret
    ) => Effect.Effect<AuthSchema.AuthEntity, Session.RefreshError>
    /** 🔐 Signs out, here in any case and on the server if it can be reached. Twice is no error. */
    readonly logout: (
      marker?: string,
      refreshToken?: Secret
    ) => Effect.Effect<LogoutResult, Failure<"logout"> | TokenStorage.TokenStorageError>
    /** 🔐 Signs out on all devices of the account at this provider. */
    readonly logoutAll: (marker: string) => Effect.Effect<LogoutResult, Failure<"logoutAll"> | Session.RefreshError>
    /** Sets a new password. It ends all sessions of the account, so the local one of that user is dropped too. */
    readonly changePassword: (marker: string, change: PasswordChange) => Effect.Effect<void, Failure<"changePassword">>
    /** A page of providers: 30 from the start, where nothing else is said. */
    readonly getAuthProviders: (
      options?: Page
    ) => Effect.Effect<ReadonlyArray<AuthSchema.AuthProviderEntity>, Failure<"getAuthProviders">>
    /** All providers, page by page. */
    readonly streamAuthProviders: (
      options?: LangCode & { readonly pageSize?: number | undefined }
    ) => Stream.Stream<AuthSchema.AuthProviderEntity, Failure<"getAuthProviders">>
    /** One provider. */
    readonly getAuthProviderByMarker: (
      marker: string,
      options?: LangCode
    ) => Effect.Effect<AuthSchema.AuthProviderEntity, Failure<"getAuthProviderByMarker">>
    /** 🔐 The devices that are signed in with this account at this provider. */
    readonly getActiveSessionsByMarker: (
      marker: string
    ) => Effect.Effect<
      ReadonlyArray<AuthSchema.ActiveSession>,
      Failure<"getActiveSessionsByMarker"> | Session.RefreshError
    >
  }
>()("effect-oneentry/AuthProvider") {}

// -----------------------------------------------------------------------------
// make
// -----------------------------------------------------------------------------

const module = "users-auth-providers"

const endpoints = {
  signUp: Invoke.something(rules, "signUp", "POST", AuthSchema.decodeSignUpEntity, AuthSchema.toSignUpEntity),
  generateCode: Invoke.nothing(rules, "generateCode", "POST"),
  checkCode: Invoke.question(rules, "checkCode", "POST"),
  activateUser: Invoke.nothing(rules, "activateUser", "POST"),
  auth: Invoke.something(
    rules,
    "auth",
    "POST",
    AuthSchema.decodeAuthEntity,
    (wire) => wire,
    // As `checkCode` answers a code that is wrong.
    (body, withCode) => withCode && body === false
  ),
  oauth: Invoke.something(rules, "oauth", "POST", AuthSchema.decodeAuthEntity, (wire) => wire),
  logout: Invoke.nothing(rules, "logout", "POST"),
  logoutAll: Invoke.nothing(rules, "logoutAll", "POST"),
  changePassword: Invoke.nothing(rules, "changePassword", "POST"),
  getAuthProviders: Invoke.something(
    rules,
    "getAuthProviders",
    "GET",
    AuthSchema.decodeAuthProviders,
    AuthSchema.toAuthProviders
  ),
  getAuthProviderByMarker: Invoke.something(
    rules,
    "getAuthProviderByMarker",
    "GET",
    AuthSchema.decodeAuthProvider,
    AuthSchema.toAuthProvider
  ),
  getActiveSessionsByMarker: Invoke.something(
    rules,
    "getActiveSessionsByMarker",
    "GET",
    AuthSchema.decodeActiveSessions,
    AuthSchema.toActiveSessions
  )
} as const

/** What a form's fields lack is said in the domain: nothing was sent. */
const invalidData =
  (marker: string) =>
  (error: FormInvalid): AuthError.InvalidData =>
    new AuthError.InvalidData({
      marker,
      messages: error.issues.map((issue) => (issue.marker === "" ? issue.message : `${issue.marker}: ${issue.message}`))
    })

const nobody: LogoutResult = { revoked: false }

/** The issues of a page: a server makes of a bad one what it likes. */
const pageIssues = (name: string, value: number, minimum: number): ReadonlyArray<string> =>
  Number.isSafeInteger(value) && value >= minimum ? [] : [`\`${name}\` must be a whole number, ${minimum} or more`]

/** Servers may cap a page at that many, whatever is asked for. */
const cappedPage = 10

/** @internal */
export const makeInternal = (transport: Transport.Transport, session: Session.Internal): AuthProvider["Service"] => {
  const { project } = transport

  const userPath = (marker: string, name: string) => Invoke.path([module, "marker", marker, "users", name])

  // Of one device at a time, as `Session` keeps those of one session: cheap to make again.
  let last: { readonly device: Stored.Device; readonly headers: Readonly<Record<string, string>> } | undefined

  const jsonHeaders = (device: Stored.Device): Readonly<Record<string, string>> => {
    if (last?.device !== device) {
      const headers = {
        ...transport.headers,
        "content-type": "application/json",
        "x-device-metadata": Transport.deviceHeader(device)
      }
      last = { device, headers }
    }
    return last.headers
  }

  const post = <Op extends Operation, A>(
    endpoint: Invoke.Endpoint<Op, A>,
    marker: string,
    path: string,
    body: object,
    langCode = project.langCode,
    given?: unknown
  ) =>
    Effect.flatMap(session.device, (device) =>
      Invoke.anonymous(transport, endpoint, {
        path,
        headers: jsonHeaders(device),
        body: JSON.stringify(body),
        given,
        marker,
        langCode
      })
    )

  /** A call whose body is its arguments, none of them empty. */
  const withTexts = <Op extends Operation>(
    endpoint: Invoke.Endpoint<Op, void>,
    name: string,
    marker: string,
    texts: Readonly<Record<string, Secret>>
  ) =>
    Invoke.checked(endpoint.operation, Invoke.emptyArguments({ marker, ...texts }), () =>
      post(
        endpoint,
        marker,
        userPath(marker, name),
        Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Invoke.reveal(text)]))
      )
    )

  /** The two ways to sign in differ in what they send: what comes back is a pair of tokens, to be stored. */
  const signIn = <Op extends "auth" | "oauth">(
    endpoint: Invoke.Endpoint<Op, AuthSchema.AuthEntityWire>,
    marker: string,
    path: string,
    body: object,
    withCode: boolean
  ) =>
    transport.observe(
      endpoint.operation,
      path,
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const device = yield* restore(session.device)
          const clock = yield* Clock.Clock
          const sentAt = clock.currentTimeMillisUnsafe()
          const sent = { path, headers: jsonHeaders(device), body: JSON.stringify(body) }
          const answer = yield* restore(transport.send({ operation: endpoint.operation, method: "POST", ...sent }))
          // From here on there is a session: it reaches the storage even if the caller leaves.
          const receivedAt = clock.currentTimeMillisUnsafe()
          const parts = { marker, langCode: project.langCode, withCode }
          const pair = yield* Invoke.interpret(endpoint, parts, sent, answer)
          yield* session.signIn(
            Stored.fromPair({ pair, marker, device, sentAt, receivedAt, serverDate: parseDate(answer.header("date")) })
          )
          return AuthSchema.toAuthEntity(pair)
        })
      )
    )

  /** Tells the server to end a session. Never intercepted, never fails. */
  const tellServer = (ending: Stored.StoredSession): Effect.Effect<LogoutResult> =>
    Effect.match(
      Invoke.anonymous(transport, endpoints.logout, {
        path: userPath(ending.marker, "logout"),
        headers: { ...jsonHeaders(ending.device), authorization: `Bearer ${ending.accessToken}` },
        body: JSON.stringify({ refreshToken: ending.refreshToken }),
        marker: ending.marker,
        langCode: project.langCode
      }),
      {
        onFailure: (failure): LogoutResult => ({ revoked: false, failure }),
        onSuccess: (): LogoutResult => ({ revoked: true })
      }
    )

  /**
   * The server wants a bearer token to sign out: a session whose own has ended is exchanged for one more, unless its
   * refresh token was sent already. Whoever still waits for that answer finds the session gone, and revokes what he gets.
   */
  const end = (ending: Stored.StoredSession): Effect.Effect<LogoutResult> =>
    Clock.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      const isSpent = ending.rejected === true || ending.exchangeStartedAt !== undefined
      return isSpent || Stored.freshness(ending, now, 0, null) !== "expired"
        ? tellServer(ending)
        : Effect.flatMap(RefreshExchange.send(transport, ending, clock), (result) =>
            result.outcome === "rotated"
              ? tellServer(result.session)
              : Effect.succeed({
                  revoked: false,
                  failure: new OneEntryError.OneEntryError({ operation: "logout", reason: result.reason })
                })
          )
    })

  const upload = (files: ReadonlyArray<Blob>, query: FieldValue.FileQuery) =>
    Effect.flatMap(session.device, (device) =>
      Invoke.anonymous(transport, Uploads.uploadEndpoint, {
        path: Uploads.uploadPath(query),
        headers: { ...transport.headers, "x-device-metadata": Transport.deviceHeader(device) },
        body: Uploads.uploadBody(files),
        marker: "",
        langCode: project.langCode
      })
    )

  const toEntity = (refreshed: Stored.StoredSession): AuthSchema.AuthEntity =>
    AuthSchema.toAuthEntity({
      userIdentifier: refreshed.userIdentifier ?? "",
      authProviderIdentifier: refreshed.marker,
      accessToken: refreshed.accessToken,
      refreshToken: refreshed.refreshToken
    })

  const foreignExchanges = new Map<string, Fiber.Fiber<Stored.StoredSession, Session.RefreshError>>()

  /**
   * Spends a refresh token from elsewhere while somebody is signed in, once for all who ask meanwhile. The session that
   * is there goes only for one that the server gave out, as at a sign-in.
   */
  const exchangeForeign = (
    stored: Stored.StoredSession,
    given: string,
    marker = project.providerMarker
  ): Effect.Effect<Stored.StoredSession, Session.RefreshError> =>
    Effect.suspend(() => {
      // What is stored tells the slots of one process apart.
      const key = `${stored.refreshToken} ${given}`
      const underWay = foreignExchanges.get(key)
      if (underWay !== undefined) return Fiber.join(underWay)
      const exchange = Effect.gen(function* () {
        const clock = yield* Clock.Clock
        const pair = { accessToken: "", refreshToken: given, userIdentifier: undefined }
        const foreign = Stored.fromElsewhere(pair, marker, yield* session.device, clock.currentTimeMillisUnsafe())
        const result = yield* RefreshExchange.send(transport, foreign, clock)
        if (result.outcome === "rotated") {
          yield* session.signIn(result.session)
          return result.session
        }
        return yield* result.outcome === "rejected"
          ? new AuthError.TokenExpired({ messages: [], ...result.envelope, marker, reason: "Rejected" })
          : new OneEntryError.OneEntryError({ operation: "refresh", reason: result.reason })
      })
      // Whoever leaves has not stopped it: the token is spent.
      const ending = Effect.ensuring(
        exchange,
        Effect.sync(() => void foreignExchanges.delete(key))
      )
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Effect.forkDetach(ending), (fiber) => {
          foreignExchanges.set(key, fiber)
          return restore(Fiber.join(fiber))
        })
      )
    })

  const getAuthProviders: AuthProvider["Service"]["getAuthProviders"] = ({
    langCode = project.langCode,
    limit = 30,
    offset = 0
  } = {}) =>
    Invoke.checked(
      "getAuthProviders",
      [...Invoke.emptyArguments({ langCode }), ...pageIssues("offset", offset, 0), ...pageIssues("limit", limit, 1)],
      () =>
        Invoke.anonymous(transport, endpoints.getAuthProviders, {
          path: Invoke.path([module], { langCode, offset, limit }),
          headers: transport.headers,
          marker: "",
          langCode
        })
    )

  return AuthProvider.of({
    signUp: (marker, data, { langCode = project.langCode } = {}) =>
      Invoke.checked("signUp", Invoke.emptyArguments({ marker, langCode }), () =>
        Effect.gen(function* () {
          const authData = yield* Effect.fromResult(
            Result.mapError(FieldValue.encodeAuthData(data.authData), invalidData(marker))
          )
          const prepared = yield* Effect.fromResult(
            Result.mapError(Uploads.prepareFields(data.formData ?? {}, langCode), invalidData(marker))
          )
          const formData = yield* Uploads.completeEach(prepared, upload)
          const notificationData = FieldValue.encodeNotificationData(data.notificationData ?? {})
          return yield* post(
            endpoints.signUp,
            marker,
            userPath(marker, "sign-up"),
            {
              // What is `undefined` is not in the JSON.
              formIdentifier: data.formIdentifier ?? undefined,
              langCode,
              authData,
              formData: formData.length === 0 ? undefined : Object.fromEntries(formData),
              notificationData: Object.keys(notificationData).length === 0 ? undefined : notificationData
            },
            langCode,
            data.formData
          )
        })
      ),

    generateCode: (marker, { eventIdentifier, userIdentifier }) =>
      withTexts(endpoints.generateCode, "generate-code", marker, { userIdentifier, eventIdentifier }),

    checkCode: (marker, { code, eventIdentifier, userIdentifier }) =>
      withTexts(endpoints.checkCode, "check-code", marker, { userIdentifier, eventIdentifier, code }),

    activateUser: (marker, { code, userIdentifier }) =>
      withTexts(endpoints.activateUser, "activate", marker, { userIdentifier, code }),

    auth: (marker, { authData, code }) =>
      Invoke.checked("auth", Invoke.emptyArguments(code === undefined ? { marker } : { marker, code }), () =>
        Effect.flatMap(
          Effect.fromResult(Result.mapError(FieldValue.encodeAuthData(authData), invalidData(marker))),
          (encoded) =>
            signIn(
              endpoints.auth,
              marker,
              userPath(marker, "auth"),
              { authData: encoded, code: code === undefined ? code : Invoke.reveal(code) },
              code !== undefined || encoded.some((item) => item.marker === "code")
            )
        )
      ),

    oauth: (marker, data) =>
      Invoke.checked("oauth", Invoke.emptyArguments({ marker, code: data.code, redirect_uri: data.redirect_uri }), () =>
        signIn(
          endpoints.oauth,
          marker,
          Invoke.path([module, "marker", marker, "oauth"]),
          {
            client_id: data.client_id ?? "",
            client_secret: data.client_secret === undefined ? "" : Invoke.reveal(data.client_secret),
            code: Invoke.reveal(data.code),
            grant_type: data.grant_type ?? "authorization_code",
            redirect_uri: data.redirect_uri,
            code_verifier: data.code_verifier === undefined ? undefined : Invoke.reveal(data.code_verifier)
          },
          false
        )
      ),

    refresh: (marker, refreshToken) =>
      Invoke.checked(
        "refresh",
        Invoke.emptyArguments({
          ...(marker === undefined ? {} : { marker }),
          ...(refreshToken === undefined ? {} : { refreshToken })
        }),
        () =>
          Effect.gen(function* () {
            if (refreshToken !== undefined) {
              const stored = yield* session.peek
              const given = Invoke.reveal(refreshToken)
              if (stored === undefined) {
                yield* session.service.restore({ refreshToken: given, marker })
              } else if (stored.refreshToken !== given) {
                return toEntity(yield* exchangeForeign(stored, given, marker))
              }
            }
            return toEntity(yield* session.refresh(marker))
          })
      ),

    logout: (marker, refreshToken = "") =>
      Invoke.checked(
        "logout",
        // What the official SDK leaves behind when it signs out is an empty token: no error, there is nothing to end.
        Invoke.emptyArguments({
          ...(marker === undefined ? {} : { marker }),
          ...(refreshToken === "" ? {} : { refreshToken })
        }),
        () =>
          Effect.uninterruptibleMask((restore) =>
            Effect.gen(function* () {
              const given = Invoke.reveal(refreshToken)
              const stored = yield* session.peek
              const device = stored === undefined ? yield* session.device : stored.device
              // First: whatever is in flight cannot bring the session back.
              const local = yield* Effect.result(session.signOut("SignOut"))
              // Another process may have rotated what this one knew.
              const known = Result.isSuccess(local) ? local.success : undefined
              // Where the storage did not say, nobody may exchange what this process knew.
              const ended = known ?? (stored === undefined ? undefined : Stored.buried(stored))
              const endings = ended === undefined ? [] : [ended]
              if (given !== "" && given !== ended?.refreshToken && given !== stored?.refreshToken) {
                // An older token of the same session, or another session: it ends before the bearer token does.
                endings.unshift(
                  Stored.fromElsewhere(
                    { accessToken: stored?.accessToken ?? "", refreshToken: given, userIdentifier: undefined },
                    marker ?? stored?.marker ?? project.providerMarker,
                    device,
                    stored?.receivedAt ?? 0
                  )
                )
              }
              // The server is told even if the caller does not wait for it.
              const telling = yield* Effect.forkDetach(Effect.forEach(endings, end))
              const results = yield* restore(Fiber.join(telling))
              yield* Effect.fromResult(local)
              return results.at(-1) ?? nobody
            })
          )
      ),

    logoutAll: (marker) =>
      Invoke.checked("logoutAll", Invoke.emptyArguments({ marker }), () =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            yield* restore(
              authorized(transport, session, endpoints.logoutAll, {
                path: userPath(marker, "logout-all"),
                marker,
                langCode: project.langCode
              })
            )
            const stored = yield* session.peek
            if (stored?.marker === marker) yield* session.signOut("SignOut")
            return { revoked: true }
          })
        )
      ),

    changePassword: (
      marker,
      { code, eventIdentifier, newPassword, repeatPassword = newPassword, type, userIdentifier }
    ) =>
      Invoke.checked(
        "changePassword",
        [
          ...Invoke.emptyArguments({ marker, userIdentifier, eventIdentifier, code, newPassword }),
          ...(type === "change" || type === "recovery" ? [] : ['`type` must be "change" or "recovery"'])
        ],
        () =>
          Invoke.reveal(repeatPassword) !== Invoke.reveal(newPassword)
            ? Effect.fail(new AuthError.PasswordsDoNotMatch({ marker, messages: [] }))
            : Effect.uninterruptibleMask((restore) =>
                Effect.gen(function* () {
                  yield* restore(
                    post(endpoints.changePassword, marker, userPath(marker, "change-password"), {
                      userIdentifier,
                      eventIdentifier,
                      code: Invoke.reveal(code),
                      type: type === "change" ? 1 : 2,
                      password1: Invoke.reveal(newPassword),
                      password2: Invoke.reveal(repeatPassword)
                    })
                  )
                  const stored = yield* session.peek
                  const isTheirs =
                    stored !== undefined &&
                    stored.marker === marker &&
                    (stored.userIdentifier === undefined ||
                      stored.userIdentifier.toLowerCase() === userIdentifier.toLowerCase())
                  // The password is changed, whatever the storage says: the session is gone from memory, and on the server.
                  if (isTheirs) yield* Effect.ignore(session.signOut("PasswordChanged"))
                })
              )
      ),

    getAuthProviders,

    streamAuthProviders: ({ langCode, pageSize = 30 } = {}) =>
      Stream.paginate(0, (offset) =>
        Effect.map(getAuthProviders({ langCode, limit: pageSize, offset }), (page) => [
          page,
          page.length < Math.min(pageSize, cappedPage) ? Option.none() : Option.some(offset + page.length)
        ])
      ),

    getAuthProviderByMarker: (marker, { langCode = project.langCode } = {}) =>
      Invoke.checked("getAuthProviderByMarker", Invoke.emptyArguments({ marker, langCode }), () =>
        Invoke.anonymous(transport, endpoints.getAuthProviderByMarker, {
          path: Invoke.path([module, "marker", marker], { langCode }),
          headers: transport.headers,
          marker,
          langCode
        })
      ),

    getActiveSessionsByMarker: (marker) =>
      Invoke.checked("getActiveSessionsByMarker", Invoke.emptyArguments({ marker }), () =>
        authorized(transport, session, endpoints.getActiveSessionsByMarker, {
          path: userPath(marker, "sessions"),
          marker,
          langCode: project.langCode
        })
      )
  })
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * The operations alone, for who wants nothing else of this package.
 *
 * **Example** (A sign-in page)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { AuthProvider, TokenStorage } from "effect-oneentry"
 *
 * export const layer = AuthProvider.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<AuthProvider, OneEntryError.OneEntryError, HttpClient.HttpClient | TokenStorage.TokenStorage> =>
  Layer.effect(AuthProvider, Effect.flatMap(HttpTransport.connect(options), withSession))

/**
 * The same on the platform's `fetch` (or that of `FetchClient.Fetch`), without an `HttpClient`: 7 KiB less in a bundle
 * that has no other use for one.
 *
 * **Example** (A sign-in page and nothing else)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { AuthProvider, TokenStorage } from "effect-oneentry"
 *
 * export const layer = AuthProvider.layerFetch({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide(TokenStorage.layerMemory)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFetch = (
  options: ClientOptions.ClientOptions
): Layer.Layer<AuthProvider, OneEntryError.OneEntryError, TokenStorage.TokenStorage> =>
  Layer.effect(AuthProvider, Effect.flatMap(FetchTransport.connect(options), withSession))

const withSession = (transport: Transport.Transport) =>
  Effect.map(Session.makeInternal(transport), (session) => makeInternal(transport, session))
