/** The endpoints of AuthProvider: sign-up, codes, sign-in, tokens, sessions, passwords. */
import * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Project from "../Project.ts"
import type { Session, User } from "../Snapshot.ts"
import * as answers from "./answers.ts"
import { credentialFields, type Backend } from "./backend.ts"
import * as bodies from "./bodies.ts"
import { type Endpoint, type Exchange, route } from "./endpoint.ts"
import { checkCredential, checkItems, fieldRefusals, localeOf } from "./fields.ts"
import { signInWithOAuth } from "./oauth.ts"
import { langCode, page, paging } from "./paging.ts"
import { Refusal, refusal, refuse } from "./refusal.ts"

type NumberedProvider = Project.Provider & { readonly id: number }

/** The provider that the path names; inactive ones count as missing. */
const providerOf = (exchange: Exchange<unknown>, status: "400" | "404" = "400"): NumberedProvider | Refusal => {
  const provider = exchange.backend.providers.get(exchange.params["marker"] ?? "")
  return provider !== undefined && provider.isActive
    ? provider
    : refusal(status === "400" ? "ProviderNotDefined" : "ProviderNotFound")
}

const formOf = (backend: Backend, provider: Project.Provider, identifier?: string) => {
  const name = identifier ?? provider.formIdentifier
  const form = name === null ? undefined : backend.forms.get(name)
  return form ?? refusal("ProviderFormMissing")
}

const tokensOf = (session: Session) => ({
  userIdentifier: session.userIdentifier,
  authProviderIdentifier: session.provider,
  accessToken: session.accessToken,
  refreshToken: session.refreshToken
})

export const iso = (ms: number): string => new Date(ms).toISOString()

/** Form data as answers show it: with the login among them where the project says so. */
export const shownFormData = (backend: Backend, user: User): User["formData"] => {
  if (!backend.switches.loginInFormData || user.oauthId !== null) return user.formData
  const form = user.formIdentifier === null ? undefined : backend.forms.get(user.formIdentifier)
  const login = form === undefined ? undefined : credentialFields(form).login
  if (login === undefined) return user.formData
  const items = user.formData[user.locale] ?? []
  return {
    ...user.formData,
    [user.locale]: [
      { marker: login.marker, type: login.type, value: user.login },
      ...items.filter((item) => item.marker !== login.marker)
    ]
  }
}

const signedUp = (backend: Backend, user: User) => ({
  id: user.id,
  identifier: user.login,
  isActive: user.isActive,
  formData: shownFormData(backend, user),
  notificationData: user.notificationData,
  locale: user.locale,
  createdDate: iso(user.createdAt),
  updatedDate: iso(user.updatedAt),
  deletedAt: user.deletedAt === null ? null : iso(user.deletedAt),
  isDeleted: user.isDeleted,
  version: user.version,
  state: user.state
})

export const checkPhones = (
  backend: Backend,
  data: { readonly phonePush?: unknown; readonly phoneSMS?: unknown } | undefined
): Refusal | undefined => {
  if (data === undefined || backend.switches.notificationPhones === "accept") return undefined
  if (data.phonePush !== undefined) return refusal("PhonesNotAllowed", ["phonePush"])
  return data.phoneSMS === undefined ? undefined : refusal("PhonesNotAllowed", ["phoneSMS"])
}

export const notificationOf = (
  data: bodies.NotificationBody | undefined
): { readonly email?: string; readonly phonePush?: ReadonlyArray<string>; readonly phoneSMS?: string } => {
  const push = data?.phonePush
  return {
    ...(data?.email === undefined ? {} : { email: data.email }),
    ...(push === undefined ? {} : { phonePush: typeof push === "string" ? [push] : push }),
    ...(data?.phoneSMS === undefined ? {} : { phoneSMS: data.phoneSMS })
  }
}

// -- sign-up ------------------------------------------------------------------

const signUp: Endpoint<Exclude<ReturnType<typeof bodies.signUp>, Refusal>, typeof answers.SignUp.Type> = {
  operation: "signUp",
  summary: "Sign up; where the provider activates by code, the code is sent at once",
  refuses: [
    "ProviderNotDefined",
    "ProviderFormMissing",
    "PhonesNotAllowed",
    "LoginOrPasswordMissed",
    "UserExists",
    ...fieldRefusals
  ],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/users/sign-up",
  body: bodies.signUp,
  answer: answers.SignUp,
  handle: Effect.fnUntraced(function* (exchange) {
    const { backend, body, now } = exchange
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return yield* Effect.fail(provider)
    const form = formOf(backend, provider, body.formIdentifier)
    if (form instanceof Refusal) return yield* Effect.fail(form)
    const phones = checkPhones(backend, body.notificationData)
    if (phones !== undefined) return yield* Effect.fail(phones)
    const locale = localeOf(backend.project, body.langCode)
    if (locale === undefined) return yield* refuse("FormDataEmpty")

    const fields = credentialFields(form)
    const values = new Map(body.authData.map((item) => [item.marker, item.value]))
    const login = fields.login === undefined ? undefined : values.get(fields.login.marker)
    const password = fields.password === undefined ? undefined : values.get(fields.password.marker)
    if (
      fields.login === undefined ||
      login === undefined ||
      (fields.password !== undefined && password === undefined) ||
      // a form without a password field belongs to a provider that signs in by code
      (fields.password === undefined && !provider.isCheckCode) ||
      body.authData.length !== (fields.password === undefined ? 1 : 2)
    ) {
      return yield* refuse("LoginOrPasswordMissed")
    }
    const credential = checkCredential(fields.login, login) ?? checkCredential(fields.password, password)
    if (credential !== undefined) return yield* Effect.fail(credential)

    const items = checkItems({
      form,
      formData: body.formData,
      locale,
      required: "sign-up",
      switches: backend.switches
    })
    if (items instanceof Refusal) return yield* Effect.fail(items)

    const exists = () => (backend.userByLogin(provider, login, now) === undefined ? Effect.void : refuse("UserExists"))
    yield* exists()
    const passwordHash = password === undefined ? null : yield* backend.passwords.hash(password)
    // another request may have taken the login while the password was hashed
    yield* exists()

    const user = backend.state.saveUser({
      id: backend.state.nextId("user"),
      provider: provider.identifier,
      login,
      passwordHash,
      oauthId: null,
      isActive: !provider.isCheckCode,
      isDeleted: false,
      deletedAt: null,
      locale,
      formIdentifier: form.identifier,
      formData: body.formData ?? {},
      notificationData: notificationOf(body.notificationData),
      state: {},
      groups: [backend.groupIds.get(provider.userGroupIdentifier) ?? 1],
      fcmTokens: [],
      createdAt: now,
      updatedAt: now,
      version: 0
    })
    exchange.log.userIdentifier = login
    if (provider.isCheckCode) {
      const event = backend.project.events.find((event) => event.formType === "send_code")
      backend.issueCode(provider, user, event?.identifier ?? null, now)
    }
    return signedUp(backend, user)
  })
}

// -- codes --------------------------------------------------------------------

const retryAfter = (backend: Backend, seconds: number) =>
  backend.switches.retryAfter ? { "retry-after": String(Math.max(1, Math.ceil(seconds))) } : undefined

const exceeded = (backend: Backend) => refuse("CodeAttemptsExceeded", [], retryAfter(backend, 1))

const generateCode: Endpoint<Exclude<ReturnType<typeof bodies.generateCode>, Refusal>, true | void> = {
  operation: "generateCode",
  summary: "Send a code to a user",
  refuses: ["ProviderNotDefined", "EventNotFound", "UserNotFound", "UserAlreadyHasCode", "CodeReissueTooSoon"],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/users/generate-code",
  body: bodies.generateCode,
  answer: "empty",
  handle: (exchange) => {
    const { backend, body, now } = exchange
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return Effect.fail(provider)
    const event = backend.project.events.find(
      (event) => event.identifier === body.eventIdentifier && event.formType === "send_code"
    )
    if (event === undefined) return refuse("EventNotFound", [body.eventIdentifier])
    const user = backend.liveUser(provider, body.userIdentifier, now)
    if (user === undefined) return refuse("UserNotFound")
    exchange.log.userIdentifier = user.login
    const live = backend.liveCode(user, now)
    if (live !== undefined) {
      if (backend.switches.codePolicy === "existing-code-400") return refuse("UserAlreadyHasCode")
      const wait = live.sentAt + backend.switches.reissueWindowSec * 1000 - now
      if (wait > 0) return refuse("CodeReissueTooSoon", [], retryAfter(backend, wait / 1000))
    }
    backend.issueCode(provider, user, event.identifier, now)
    return Effect.void
  }
}

const checkCode: Endpoint<Exclude<ReturnType<typeof bodies.checkCode>, Refusal>, boolean> = {
  operation: "checkCode",
  summary: "Whether a code is right; it stays good",
  refuses: ["ProviderNotDefined", "UserNotFound", "CodeAttemptsExceeded"],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/users/check-code",
  body: bodies.checkCode,
  answer: answers.Bool,
  handle: (exchange) => {
    const { backend, body, now } = exchange
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return Effect.fail(provider)
    const user = backend.liveUser(provider, body.userIdentifier, now)
    if (user === undefined) return refuse("UserNotFound")
    exchange.log.userIdentifier = user.login
    const outcome = backend.tryCode(user, body.code, now)
    return outcome === "exceeded" ? exceeded(backend) : Effect.succeed(outcome === "right")
  }
}

const activate: Endpoint<Exclude<ReturnType<typeof bodies.activate>, Refusal>, boolean> = {
  operation: "activateUser",
  summary: "Activate a user with a code",
  refuses: ["ProviderNotDefined", "UserNotFound", "CodeAttemptsExceeded", "CodeIncorrect"],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/users/activate",
  body: bodies.activate,
  answer: answers.Bool,
  handle: (exchange) => {
    const { backend, body, now } = exchange
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return Effect.fail(provider)
    const user = backend.liveUser(provider, body.userIdentifier, now)
    if (user === undefined) return refuse("UserNotFound")
    exchange.log.userIdentifier = user.login
    switch (backend.tryCode(user, body.code, now)) {
      case "exceeded":
        return exceeded(backend)
      case "wrong":
        return backend.switches.activateWrongCode === "false" ? Effect.succeed(false) : refuse("CodeIncorrect")
      case "right":
        backend.state.codes.delete(user.id)
        backend.touch(user, now, { isActive: true })
        return Effect.succeed(true)
    }
  }
}

// -- sign-in ------------------------------------------------------------------

const auth: Endpoint<Exclude<ReturnType<typeof bodies.auth>, Refusal>, typeof answers.Tokens.Type> = {
  operation: "auth",
  summary: "Sign in by password, or by code",
  refuses: [
    "ProviderNotDefined",
    "ProviderFormMissing",
    "LoginOrPasswordMissed",
    "CodeNotAccepted",
    "CodeRejectedAtAuth",
    "CodeAttemptsExceeded",
    "WrongCredentials",
    "UserNotActivated"
  ],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/users/auth",
  device: "required",
  body: bodies.auth,
  answer: answers.Tokens,
  handle: Effect.fnUntraced(function* (exchange) {
    const { backend, body, device, now } = exchange
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return yield* Effect.fail(provider)
    const form = formOf(backend, provider)
    if (form instanceof Refusal) return yield* Effect.fail(form)
    if (device === undefined) return yield* refuse("DeviceMetadataMissing")

    const fields = credentialFields(form)
    const values = new Map(body.authData.map((item) => [item.marker, item.value]))
    // The code stands beside the data, or among them under a marker of that name.
    const codeField = fields.login?.marker === "code" || fields.password?.marker === "code" ? undefined : "code"
    const inline = codeField === undefined ? undefined : values.get(codeField)
    if (codeField !== undefined) values.delete(codeField)
    const code = body.code === undefined || body.code === "" ? inline : body.code
    const login = fields.login === undefined ? undefined : values.get(fields.login.marker)
    const password = fields.password === undefined ? undefined : values.get(fields.password.marker)
    for (const marker of values.keys()) {
      if (marker !== fields.login?.marker && marker !== fields.password?.marker) {
        return yield* refuse("LoginOrPasswordMissed")
      }
    }
    if (login === undefined || (code === undefined && password === undefined)) {
      return yield* refuse("LoginOrPasswordMissed")
    }
    exchange.log.userIdentifier = login

    if (code !== undefined) {
      if (!provider.isCheckCode) return yield* refuse("CodeNotAccepted")
      const user = backend.liveUser(provider, login, now)
      if (user === undefined) return yield* refuse("CodeRejectedAtAuth")
      const outcome = backend.tryCode(user, code, now)
      if (outcome === "exceeded") return yield* exceeded(backend)
      if (outcome === "wrong") return yield* refuse("CodeRejectedAtAuth")
      backend.state.codes.delete(user.id)
      // the code proves what activation would prove
      const active = user.isActive ? user : backend.touch(user, now, { isActive: true })
      return tokensOf(backend.openSession(provider, active, device, now))
    }

    const found = backend.liveUser(provider, login, now)
    const right = yield* backend.passwords.verify(password ?? "", found?.passwordHash ?? null)
    // the account may have changed while the password was compared
    const user = found === undefined ? undefined : backend.state.users.get(found.id)
    if (!right || user === undefined || user.isDeleted || user.passwordHash !== found?.passwordHash) {
      exchange.log.detail = found === undefined ? "unknown login" : "wrong password"
      return yield* refuse("WrongCredentials")
    }
    if (!user.isActive) return yield* refuse("UserNotActivated")
    return tokensOf(backend.openSession(provider, user, device, now))
  })
}

const oauth: Endpoint<Exclude<ReturnType<typeof bodies.oauth>, Refusal>, typeof answers.Tokens.Type> = {
  operation: "oauth",
  summary: "Sign in with the code of an OAuth server; signs up who is new",
  refuses: ["ProviderNotDefined", "OAuthRejected", "OAuthNotVerified", "OAuthNotConfigured", "OAuthUnreachable"],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/oauth",
  device: "required",
  body: bodies.oauth,
  answer: answers.Tokens,
  handle: Effect.fnUntraced(function* (exchange) {
    const { backend, body, device } = exchange
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return yield* Effect.fail(provider)
    if (device === undefined) return yield* refuse("DeviceMetadataMissing")
    const user = yield* signInWithOAuth(backend, provider, body, exchange.now)
    exchange.log.userIdentifier = user.login
    return tokensOf(backend.openSession(provider, user, device, exchange.now))
  })
}

// -- tokens and sessions ------------------------------------------------------

/** The session that a refresh token belongs to, or which rule it broke. */
const presented = (exchange: Exchange<unknown>, token: string): Session | string => {
  const { backend, device, now } = exchange
  const session = backend.state.sessionByRefresh(token)
  if (session === undefined) return backend.state.whySpent(token) ?? "unknown token"
  if (session.provider !== exchange.params["marker"]) return "another provider issued it"
  if (device === undefined || session.fingerprint !== device.fingerprint) return "another device owns it"
  return now >= session.refreshExpiresAt ? "expired" : session
}

const refresh: Endpoint<Exclude<ReturnType<typeof bodies.refresh>, Refusal>, typeof answers.Tokens.Type> = {
  operation: "refresh",
  summary: "Exchange a refresh token, once, for the next pair",
  refuses: ["ProviderNotDefined", "RefreshTokenIncorrect"],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/users/refresh",
  device: "required",
  body: bodies.refresh,
  answer: answers.Tokens,
  handle: (exchange) => {
    const { backend, body, now } = exchange
    const rejected = (detail: string) => {
      exchange.log.detail = detail
      return refuse("RefreshTokenIncorrect")
    }
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return Effect.fail(provider)
    const session = presented(exchange, body.refreshToken ?? "")
    if (typeof session === "string") return rejected(session)
    const user = backend.state.users.get(session.userId)
    if (user === undefined || user.isDeleted) return rejected("the account is gone")
    exchange.log.userIdentifier = user.login
    exchange.log.sessionId = session.id
    return Effect.succeed(tokensOf(backend.rotate(provider, user, session, now)))
  }
}

const logout: Endpoint<Exclude<ReturnType<typeof bodies.logout>, Refusal>, true> = {
  operation: "logout",
  summary: "End the session of this device",
  refuses: ["ProviderNotDefined", "LogoutTokenIncorrect"],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/users/logout",
  device: "required",
  bearer: "required",
  body: bodies.logout,
  answer: answers.True,
  handle: (exchange) => {
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return Effect.fail(provider)
    const session = presented(exchange, exchange.body.refreshToken)
    if (typeof session === "string" || session.userId !== exchange.user?.id) {
      exchange.log.detail = typeof session === "string" ? session : "another account owns it"
      return refuse("LogoutTokenIncorrect")
    }
    exchange.backend.state.closeSession(session)
    return Effect.succeed(true)
  }
}

const logoutAll: Endpoint<undefined, true> = {
  operation: "logoutAll",
  summary: "End the sessions of all devices of the account",
  refuses: ["ProviderNotDefined"],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/users/logout-all",
  bearer: "required",
  answer: answers.True,
  handle: (exchange) => {
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return Effect.fail(provider)
    const { backend, user } = exchange
    if (user !== undefined && user.provider === provider.identifier) backend.state.closeSessions(user.id)
    return Effect.succeed(true)
  }
}

const shownSessions = new WeakMap<Session["deviceInfo"], typeof answers.Session.Type>()

/** The same object for the same device, however often its tokens change. */
const shownSession = ({ deviceInfo }: Session): typeof answers.Session.Type => {
  const known = shownSessions.get(deviceInfo)
  if (known !== undefined) return known
  const shown = { deviceInfo }
  shownSessions.set(deviceInfo, shown)
  return shown
}

const sessions: Endpoint<undefined, typeof answers.Sessions.Type> = {
  operation: "getActiveSessionsByMarker",
  summary: "The devices that are signed in",
  refuses: ["ProviderNotDefined"],
  method: "GET",
  path: "/api/content/users-auth-providers/marker/:marker/users/sessions",
  bearer: "required",
  answer: answers.Sessions,
  stable: answers.Session,
  handle: (exchange) => {
    const provider = providerOf(exchange)
    if (provider instanceof Refusal) return Effect.fail(provider)
    const { backend, now, user } = exchange
    if (user === undefined || user.provider !== provider.identifier) return Effect.succeed([])
    return Effect.succeed(
      backend.state
        .sessionsOf(user.id)
        .filter((session) => now < session.refreshExpiresAt || now < session.accessExpiresAt)
        .map(shownSession)
    )
  }
}

const changePassword: Endpoint<Exclude<ReturnType<typeof bodies.changePassword>, Refusal>, true> = {
  operation: "changePassword",
  summary: "Set a new password with a code; ends all sessions",
  refuses: [
    "ProviderNotFound",
    "TypeRequired",
    "UserNotUnderProvider",
    "PasswordsDiffer",
    "ProviderFormMissing",
    "FieldIncorrect",
    "CodeAttemptsExceeded",
    "CodeIncorrect"
  ],
  method: "POST",
  path: "/api/content/users-auth-providers/marker/:marker/users/change-password",
  body: bodies.changePassword,
  answer: answers.True,
  handle: Effect.fnUntraced(function* (exchange) {
    const { backend, body, now } = exchange
    const provider = providerOf(exchange, "404")
    if (provider instanceof Refusal) return yield* Effect.fail(provider)
    if (backend.switches.typeRequired && body.type === undefined) return yield* refuse("TypeRequired")
    const user = backend.liveUser(provider, body.userIdentifier, now)
    if (user === undefined) return yield* refuse("UserNotUnderProvider")
    exchange.log.userIdentifier = user.login
    if (body.password1 !== body.password2) return yield* refuse("PasswordsDiffer")
    const form = formOf(backend, provider)
    if (form instanceof Refusal) return yield* Effect.fail(form)
    const weak = checkCredential(credentialFields(form).password, body.password1)
    if (weak !== undefined) return yield* Effect.fail(weak)
    const outcome = backend.tryCode(user, body.code, now)
    if (outcome === "exceeded") return yield* exceeded(backend)
    if (outcome === "wrong") return yield* refuse("CodeIncorrect")
    backend.state.codes.delete(user.id)
    const passwordHash = yield* backend.passwords.hash(body.password1)
    const current = backend.state.users.get(user.id)
    if (current === undefined || current.isDeleted) return yield* refuse("UserNotUnderProvider")
    backend.touch(current, now, { passwordHash })
    backend.state.closeSessions(user.id)
    return true as const
  })
}

// -- providers ----------------------------------------------------------------

const shownProvider = (backend: Backend, provider: NumberedProvider): typeof answers.Provider.Type => {
  const written = (value: number | string | boolean | null) =>
    value === null || backend.switches.configNumbers === "number" ? value : String(value)
  const config = provider.config
  return {
    id: provider.id,
    localizeInfos: provider.localizeInfos,
    version: provider.version,
    identifier: provider.identifier,
    type: provider.type,
    formIdentifier: provider.formIdentifier,
    userGroupIdentifier: provider.userGroupIdentifier,
    isActive: provider.isActive,
    isCheckCode: provider.isCheckCode,
    config: {
      accessTokenTtlSec: written(config.accessTokenTtlSec),
      refreshTokenTtlMc: written(config.refreshTokenTtlMc),
      deleteNoneActiveUsersAfterDays: written(config.deleteNoneActiveUsersAfterDays),
      systemCodeTlsSec: written(config.systemCodeTlsSec),
      systemCodeLength: written(config.systemCodeLength),
      systemCodeOnlyNumbers: written(config.systemCodeOnlyNumbers),
      oauthAuthUrl: config.oauthAuthUrl
    }
  }
}

const getProviders: Endpoint<undefined, typeof answers.Providers.Type, keyof typeof langCode | keyof typeof page> = {
  operation: "getAuthProviders",
  summary: "The providers",
  query: { ...langCode, ...page },
  method: "GET",
  path: "/api/content/users-auth-providers",
  answer: answers.Providers,
  handle: (exchange) => {
    const { backend } = exchange
    const rows = paging(exchange)
    if (rows instanceof Refusal) return Effect.fail(rows)
    return Effect.succeed(
      [...backend.providers.values()]
        .slice(rows.offset, rows.offset + rows.limit)
        .map((provider) => shownProvider(backend, provider))
    )
  }
}

const getProvider: Endpoint<undefined, typeof answers.Provider.Type, keyof typeof langCode> = {
  operation: "getAuthProviderByMarker",
  summary: "One provider",
  query: langCode,
  refuses: ["ProviderNotFound"],
  method: "GET",
  path: "/api/content/users-auth-providers/marker/:marker",
  answer: answers.Provider,
  handle: ({ backend, params }) => {
    const provider = backend.providers.get(params["marker"] ?? "")
    return provider === undefined ? refuse("ProviderNotFound") : Effect.succeed(shownProvider(backend, provider))
  }
}

export const routes = (
  backend: Backend
): ReadonlyArray<HttpRouter.Route<never, HttpServerRequest.HttpServerRequest>> => [
  route(backend, signUp),
  backend.switches.generateCodeBody === "empty"
    ? route(backend, generateCode)
    : route(backend, {
        ...generateCode,
        answer: answers.True,
        handle: (exchange) => Effect.as(generateCode.handle(exchange), true as const)
      }),
  route(backend, checkCode),
  route(backend, activate),
  route(backend, auth),
  route(backend, refresh),
  route(backend, logout),
  route(backend, logoutAll),
  route(backend, changePassword),
  route(backend, sessions),
  route(backend, oauth),
  route(backend, getProviders),
  route(backend, getProvider)
]
