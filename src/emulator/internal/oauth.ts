/** Sign-in by a network account: a real OAuth server behind the provider, or the fake that is built in. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Project from "../Project.ts"
import type { User } from "../Snapshot.ts"
import type { Backend } from "./backend.ts"
import { type Refusal, refusal, refuse } from "./refusal.ts"

interface Body {
  readonly client_id?: string
  readonly client_secret?: string
  readonly code: string
  readonly grant_type?: string
  readonly redirect_uri?: string
}

interface Person {
  readonly id: string
  readonly email: string | undefined
  readonly verified: boolean
  readonly name: string | undefined
  readonly avatar: string | undefined
}

const TokenAnswer = Schema.fromJsonString(Schema.Struct({ access_token: Schema.NonEmptyString }))

const Id = Schema.Union([Schema.NonEmptyString, Schema.Finite])

const UserInfo = Schema.fromJsonString(
  Schema.Struct({
    sub: Schema.optionalKey(Id),
    id: Schema.optionalKey(Id),
    email: Schema.optionalKey(Schema.NullOr(Schema.String)),
    email_verified: Schema.optionalKey(Schema.NullOr(Schema.Union([Schema.Boolean, Schema.String]))),
    name: Schema.optionalKey(Schema.NullOr(Schema.String)),
    picture: Schema.optionalKey(Schema.NullOr(Schema.String))
  })
)

const decodeToken = Schema.decodeUnknownEffect(TokenAnswer)
const decodeUser = Schema.decodeUnknownEffect(UserInfo)

const fake = (code: string): Effect.Effect<Person, Refusal> => {
  const match = /^emulator-(unverified-)?(\S+@\S+)$/.exec(code)
  const email = match?.[2]
  if (email === undefined) return refuse("OAuthRejected")
  return match?.[1] === undefined
    ? Effect.succeed({ id: email.toLowerCase(), email, verified: true, name: undefined, avatar: undefined })
    : refuse("OAuthNotVerified")
}

const timeoutMs = 10_000

const call = (backend: Backend, url: string, init: RequestInit): Effect.Effect<string, Refusal> =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await backend.fetch(url, { ...init, redirect: "manual", signal })
      const text = await response.text()
      return { ok: response.ok, text: text.slice(0, 1_000_000) }
    },
    catch: () => refusal("OAuthUnreachable")
  }).pipe(
    Effect.interruptible,
    Effect.timeoutOrElse({ duration: timeoutMs, orElse: () => refuse("OAuthUnreachable") }),
    Effect.flatMap(({ ok, text }) => (ok ? Effect.succeed(text) : refuse("OAuthRejected")))
  )

const real = Effect.fnUntraced(function* (
  backend: Backend,
  server: typeof Project.OAuthServer.Type,
  body: Body
): Effect.fn.Return<Person, Refusal> {
  const form = new URLSearchParams({ grant_type: "authorization_code", code: body.code })
  if (body.redirect_uri !== undefined) form.set("redirect_uri", body.redirect_uri)
  // Credentials stored with the provider win over those of the body.
  form.set("client_id", server.clientId ?? body.client_id ?? "")
  form.set("client_secret", server.clientSecret ?? body.client_secret ?? "")
  const answer = yield* call(backend, server.tokenUrl, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: form.toString()
  })
  const token = yield* Effect.mapError(decodeToken(answer), () => refusal("OAuthRejected"))
  const info = yield* call(backend, server.userInfoUrl, {
    method: "GET",
    headers: { authorization: `Bearer ${token.access_token}`, accept: "application/json" }
  })
  const user = yield* Effect.mapError(decodeUser(info), () => refusal("OAuthRejected"))
  const id = user.sub ?? user.id
  if (id === undefined) return yield* refuse("OAuthRejected")
  return {
    id: String(id),
    email: user.email ?? undefined,
    verified: user.email_verified !== false && user.email_verified !== "false",
    name: user.name ?? undefined,
    avatar: user.picture ?? undefined
  }
})

/** Finds the person's user by the network account, or makes one. */
export const signInWithOAuth = Effect.fnUntraced(function* (
  backend: Backend,
  provider: Project.Provider,
  body: Body,
  now: number
): Effect.fn.Return<User, Refusal> {
  if (provider.type !== "oauth" || provider.config.oauthAuthUrl === null) return yield* refuse("OAuthNotConfigured")
  const person = yield* provider.oauth === undefined ? fake(body.code) : real(backend, provider.oauth, body)
  if (!person.verified) return yield* refuse("OAuthNotVerified")
  const known = backend.state.userByOAuth(provider.identifier, person.id)
  if (known !== undefined) {
    return known.isDeleted || !known.isActive ? yield* refuse("OAuthRejected") : known
  }
  // A network without addresses gives a generated identifier, and so does an address that is taken.
  const wanted = person.email
  const login =
    wanted === undefined || backend.state.userByLogin(provider.identifier, wanted) !== undefined
      ? `${provider.identifier}_${backend.random.uuid()}`
      : wanted
  const form = provider.formIdentifier === null ? undefined : backend.forms.get(provider.formIdentifier)
  const items: Array<User["formData"][string][number]> = []
  const copy = (marker: string | undefined, value: string | undefined) => {
    const field = form?.attributes.find((attribute) => attribute.marker === marker)
    if (field !== undefined && value !== undefined) items.push({ marker: field.marker, type: field.type, value })
  }
  copy(provider.oauth?.nameMarker, person.name)
  copy(provider.oauth?.avatarMarker, person.avatar)
  const locale = backend.defaultLanguage
  return backend.state.saveUser({
    id: backend.state.nextId("user"),
    provider: provider.identifier,
    login,
    passwordHash: null,
    oauthId: person.id,
    isActive: true,
    isDeleted: false,
    deletedAt: null,
    locale,
    formIdentifier: form?.identifier ?? null,
    formData: items.length === 0 ? {} : { [locale]: items },
    notificationData: null,
    state: {},
    groups: [backend.groupIds.get(provider.userGroupIdentifier) ?? 1],
    fcmTokens: [],
    createdAt: now,
    updatedAt: now,
    version: 0
  })
})
