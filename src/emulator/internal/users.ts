/** The endpoints of Users. */
import * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { User } from "../Snapshot.ts"
import * as answers from "./answers.ts"
import { checkPhones, notificationOf, shownFormData } from "./auth.ts"
import { credentialFields, type Backend } from "./backend.ts"
import * as bodies from "./bodies.ts"
import { type Endpoint, type Exchange, route } from "./endpoint.ts"
import { checkCredential, checkItems, fieldRefusals, localeOf } from "./fields.ts"
import { langCode } from "./paging.ts"
import { Refusal, refusal, refuse } from "./refusal.ts"

const own = (exchange: Exchange<unknown>): User | Refusal => exchange.user ?? refusal("Unauthorized")

type Profiles = WeakMap<User, typeof answers.Profile.Type>

/** The same object for the same row; rows are replaced, never changed. */
const stableProfile = (profiles: Profiles, backend: Backend, user: User): typeof answers.Profile.Type => {
  const known = profiles.get(user)
  if (known !== undefined) return known
  const profile = {
    id: user.id,
    total: "1",
    identifier: user.login,
    authProviderIdentifier: user.provider,
    formIdentifier: user.formIdentifier,
    formData: shownFormData(backend, user),
    groups: user.groups,
    state: user.state,
    rating: {},
    moduleFormConfigs: []
  }
  profiles.set(user, profile)
  return profile
}

const getUser = (profiles: Profiles): Endpoint<undefined, typeof answers.Profile.Type, keyof typeof langCode> => ({
  operation: "getUser",
  summary: "The profile of who is signed in",
  query: langCode,
  method: "GET",
  path: "/api/content/users/me",
  bearer: "required",
  answer: answers.Profile,
  stable: "answer",
  handle: (exchange) => {
    const user = own(exchange)
    return user instanceof Refusal ? Effect.fail(user) : Effect.succeed(stableProfile(profiles, exchange.backend, user))
  }
})

const updateUser: Endpoint<Exclude<ReturnType<typeof bodies.updateUser>, Refusal>, true> = {
  operation: "updateUser",
  summary: "Change the profile, or the password",
  refuses: [
    "ProviderFormMissing",
    "PhonesNotAllowed",
    "LocaleOfNull",
    "LoginOrPasswordMissed",
    "LoginCannotChange",
    "UserExists",
    ...fieldRefusals
  ],
  method: "PUT",
  path: "/api/content/users/me",
  bearer: "required",
  body: bodies.updateUser,
  answer: answers.True,
  handle: Effect.fnUntraced(function* (exchange) {
    const { backend, body, now } = exchange
    const user = own(exchange)
    if (user instanceof Refusal) return yield* Effect.fail(user)
    const form = backend.forms.get(body.formIdentifier)
    if (form === undefined) return yield* refuse("ProviderFormMissing")
    const locale = localeOf(backend.project, body.langCode)
    if (locale === undefined) return yield* refuse("FormDataEmpty")
    const phones = checkPhones(backend, body.notificationData)
    if (phones !== undefined) return yield* Effect.fail(phones)
    if (
      body.notificationData !== undefined &&
      user.oauthId !== null &&
      backend.switches.oauthNotificationData === "500"
    ) {
      return yield* refuse("LocaleOfNull", [locale])
    }

    const fields = credentialFields(form)
    const credential = body.authData?.[0]
    if (body.authData !== undefined && (credential === undefined || credential.marker !== fields.password?.marker)) {
      return yield* refuse("LoginOrPasswordMissed")
    }
    const weak = checkCredential(fields.password, credential?.value)
    if (weak !== undefined) return yield* Effect.fail(weak)

    const items = checkItems({
      form,
      formData: body.formData,
      locale,
      required: "profile",
      switches: backend.switches
    })
    if (items instanceof Refusal) return yield* Effect.fail(items)

    // The login travels in the form data, and a new one moves the credential.
    const sent = items.find((item) => item.marker === fields.login?.marker)?.value
    const login = typeof sent === "string" && sent !== "" ? sent : user.login
    const mayMove = () => {
      if (login === user.login || user.oauthId !== null) return Effect.void
      if (backend.switches.loginChange === "refused") return refuse("LoginCannotChange")
      const owner = backend.state.userByLogin(user.provider, login)
      return owner === undefined || owner.id === user.id ? Effect.void : refuse("UserExists")
    }
    yield* mayMove()
    const passwordHash = credential === undefined ? undefined : yield* backend.passwords.hash(credential.value)
    yield* mayMove()

    const current = backend.state.users.get(user.id)
    if (current === undefined || current.isDeleted) return yield* refuse("Unauthorized")
    const kept = (current.formData[locale] ?? []).filter((old) => items.every((item) => item.marker !== old.marker))
    const stored = items.filter((item) => item.marker !== fields.login?.marker)
    backend.touch(current, now, {
      login: user.oauthId === null ? login : current.login,
      ...(body.formData === undefined ? {} : { formData: { ...current.formData, [locale]: [...kept, ...stored] } }),
      ...(body.notificationData === undefined ? {} : { notificationData: notificationOf(body.notificationData) }),
      ...(body.state === undefined ? {} : { state: body.state }),
      ...(passwordHash === undefined ? {} : { passwordHash })
    })
    return true as const
  })
}

const archiveUser: Endpoint<undefined, true> = {
  operation: "archiveUser",
  summary: "Archive the account; its login stays taken",
  method: "DELETE",
  path: "/api/content/users/me",
  bearer: "required",
  answer: answers.True,
  handle: (exchange) => {
    const user = own(exchange)
    if (user instanceof Refusal) return Effect.fail(user)
    const { backend, now } = exchange
    backend.state.closeSessions(user.id)
    backend.state.codes.delete(user.id)
    // the login stays taken
    backend.touch(user, now, { isDeleted: true, isActive: false, deletedAt: now })
    return Effect.succeed(true)
  }
}

const deleteUser: Endpoint<undefined, true> = {
  operation: "deleteUser",
  summary: "Delete the account and all that is its",
  method: "DELETE",
  path: "/api/content/users/me/account",
  bearer: "required",
  answer: answers.True,
  handle: (exchange) => {
    const user = own(exchange)
    if (user instanceof Refusal) return Effect.fail(user)
    exchange.backend.state.removeUser(user)
    return Effect.succeed(true)
  }
}

const fcm = (method: "POST" | "DELETE"): Endpoint<undefined, true> => ({
  operation: method === "POST" ? "addFCMToken" : "deleteFCMToken",
  summary: method === "POST" ? "Add the token of a device for push messages" : "Remove the token of a device",
  method,
  path: "/api/content/users/me/fcm-token/:token",
  bearer: "required",
  answer: answers.True,
  masked: true,
  handle: (exchange) => {
    const user = own(exchange)
    if (user instanceof Refusal) return Effect.fail(user)
    const token = exchange.params["token"] ?? ""
    const others = user.fcmTokens.filter((known) => known !== token)
    exchange.backend.touch(user, exchange.now, {
      fcmTokens: method === "POST" ? [...others, token].slice(-100) : others
    })
    return Effect.succeed(true)
  }
})

export const routes = (
  backend: Backend
): ReadonlyArray<HttpRouter.Route<never, HttpServerRequest.HttpServerRequest>> => [
  route(backend, getUser(new WeakMap())),
  route(backend, updateUser),
  route(backend, archiveUser),
  route(backend, deleteUser),
  route(backend, fcm("POST")),
  route(backend, fcm("DELETE"))
]
