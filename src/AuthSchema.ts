/**
 * What the authentication endpoints answer, precisely typed. Decoding is
 * tolerant where sources of the API disagree (numbers as strings, locale maps
 * or not, fields that come and go with the server's version); what comes out is
 * always the same: tokens redacted, dates as `DateTime`, durations as `Duration`.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as FieldValue from "./FieldValue.ts"
import { AuthEntityWire } from "./internal/authWire.ts"
import * as Codecs from "./internal/codecs.ts"
import { isObject } from "./internal/fieldEncoding.ts"
import * as Locale from "./internal/locale.ts"

type Decoder<W> = (body: unknown) => Exit.Exit<W, Schema.SchemaError>

const nullish = <S extends Schema.Constraint>(schema: S) => Schema.optional(Schema.NullOr(schema))

const toDate = (value: string | null | undefined): DateTime.Utc | undefined => {
  const date = value === null || value === undefined ? undefined : DateTime.make(value)
  return date?._tag === "Some" ? DateTime.toUtc(date.value) : undefined
}

/** Leaves out what is `undefined` or `null`, as `exactOptionalPropertyTypes` wants it. */
const present = <K extends string, A>(key: K, value: A | null | undefined): { readonly [P in K]?: A } =>
  // A computed key has no better type than this.
  (value === undefined || value === null ? {} : { [key]: value }) as { readonly [P in K]?: A }

// -----------------------------------------------------------------------------
// tokens
// -----------------------------------------------------------------------------

/**
 * A signed-in user's tokens, redacted.
 *
 * **Example** (Who signed in)
 *
 * ```ts
 * import type { AuthSchema } from "effect-oneentry"
 *
 * export const label = (entity: AuthSchema.AuthEntity): string =>
 *   `${entity.userIdentifier} by ${entity.authProviderIdentifier}`
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface AuthEntity {
  readonly userIdentifier: string
  readonly authProviderIdentifier: string
  readonly accessToken: Redacted.Redacted<string>
  readonly refreshToken: Redacted.Redacted<string>
}

/** @internal */
export const decodeAuthEntity = AuthEntityWire.decode

/** @internal */
export type { AuthEntityWire }

/** @internal */
export const toAuthEntity = (wire: AuthEntityWire): AuthEntity => ({
  userIdentifier: wire.userIdentifier,
  authProviderIdentifier: wire.authProviderIdentifier,
  accessToken: Redacted.make(wire.accessToken, { label: "accessToken" }),
  refreshToken: Redacted.make(wire.refreshToken, { label: "refreshToken" })
})

// -----------------------------------------------------------------------------
// sign-up
// -----------------------------------------------------------------------------

/**
 * Where codes and notices go.
 *
 * **Example** (A mailbox)
 *
 * ```ts
 * import type { AuthSchema } from "effect-oneentry"
 *
 * export const contacts: AuthSchema.NotificationContacts = { email: "ann@example.com", phonePush: [] }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface NotificationContacts {
  readonly email?: string
  readonly phonePush: ReadonlyArray<string>
  readonly phoneSMS?: string
}

/**
 * A registered user. `isActive` is `false` while an activation code is awaited.
 *
 * **Example** (What to show next)
 *
 * ```ts
 * import type { AuthSchema } from "effect-oneentry"
 *
 * export const next = (user: AuthSchema.SignUpEntity): "code" | "signIn" => (user.isActive ? "signIn" : "code")
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SignUpEntity {
  readonly id: number
  readonly identifier: string
  readonly isActive: boolean
  readonly formData: ReadonlyArray<FieldValue.FieldEntry>
  readonly notificationData: NotificationContacts
  readonly updatedDate: DateTime.Utc
  readonly version: number
  readonly state: Readonly<Record<string, unknown>>
  readonly email?: string
  readonly locale?: string
  readonly createdDate?: DateTime.Utc
  readonly deletedAt?: DateTime.Utc
  readonly isDeleted?: boolean
  readonly attributeSetId?: number
  readonly authProviderId?: number
}

const Contacts = Schema.Struct({
  email: nullish(Schema.String),
  phonePush: nullish(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  phoneSMS: nullish(Schema.String)
})

const toContacts = (wire: typeof Contacts.Type | null | undefined): NotificationContacts => ({
  ...present("email", wire?.email),
  phonePush: typeof wire?.phonePush === "string" ? [wire.phonePush] : (wire?.phonePush ?? []),
  ...present("phoneSMS", wire?.phoneSMS)
})

const State = Schema.declare(isObject, { expected: "object" })

const SignUpWire = Schema.Struct({
  id: Schema.Finite,
  identifier: Schema.String,
  isActive: Schema.Boolean,
  formData: nullish(FieldValue.FieldEntries),
  notificationData: nullish(Contacts),
  updatedDate: Codecs.DateText,
  version: Schema.Finite,
  state: nullish(State),
  email: nullish(Schema.String),
  locale: nullish(Schema.String),
  createdDate: nullish(Schema.String),
  deletedAt: nullish(Schema.String),
  isDeleted: nullish(Schema.Boolean),
  attributeSetId: nullish(Schema.Finite),
  authProviderId: nullish(Schema.Finite)
})

/** @internal */
export const decodeSignUpEntity: Decoder<typeof SignUpWire.Type> = Schema.decodeUnknownExit(SignUpWire)

/** @internal */
export const toSignUpEntity = (wire: typeof SignUpWire.Type, langCode: string): SignUpEntity => ({
  id: wire.id,
  identifier: wire.identifier,
  isActive: wire.isActive,
  formData: wire.formData == null ? [] : FieldValue.entries(wire.formData, langCode),
  notificationData: toContacts(wire.notificationData),
  updatedDate: DateTime.makeUnsafe(wire.updatedDate),
  version: wire.version,
  state: wire.state ?? {},
  ...present("email", wire.email),
  ...present("locale", wire.locale),
  ...present("createdDate", toDate(wire.createdDate)),
  ...present("deletedAt", toDate(wire.deletedAt)),
  ...present("isDeleted", wire.isDeleted),
  ...present("attributeSetId", wire.attributeSetId),
  ...present("authProviderId", wire.authProviderId)
})

// -----------------------------------------------------------------------------
// providers
// -----------------------------------------------------------------------------

/**
 * What a provider says of its tokens and codes. A server shows what it likes of it, and nothing of it is secret.
 *
 * **Example** (How long a code is)
 *
 * ```ts
 * import type { AuthSchema } from "effect-oneentry"
 *
 * export const length = (config: AuthSchema.AuthProviderConfig): number => config.systemCodeLength ?? 6
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface AuthProviderConfig {
  readonly accessTokenTtl?: Duration.Duration
  readonly refreshTokenTtl?: Duration.Duration
  readonly deleteNoneActiveUsersAfter?: Duration.Duration
  readonly systemCodeTtl?: Duration.Duration
  readonly systemCodeLength?: number
  readonly systemCodeOnlyNumbers?: boolean
  readonly oauthAuthUrl?: string
}

/**
 * A way to sign in, as the admin panel has it. `title` is in the language of the call.
 *
 * **Example** (Buttons of a sign-in page)
 *
 * ```ts
 * import type { AuthSchema } from "effect-oneentry"
 *
 * export const buttons = (providers: ReadonlyArray<AuthSchema.AuthProviderEntity>): ReadonlyArray<string> =>
 *   providers.filter((provider) => provider.isActive).map((provider) => provider.title ?? provider.identifier)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface AuthProviderEntity {
  readonly id: number
  readonly identifier: string
  readonly type: string
  readonly isActive: boolean
  /** Users of this provider are activated, or signed in, by a code. */
  readonly isCheckCode: boolean
  readonly version: number
  readonly title?: string
  readonly formIdentifier?: string
  readonly userGroupIdentifier?: string
  readonly config: AuthProviderConfig
}

const NumberLike = nullish(Schema.Union([Schema.Finite, Schema.String]))
const BooleanLike = nullish(Schema.Union([Schema.Boolean, Schema.Finite, Schema.String]))

const toNumber = (value: number | string | null | undefined): number | undefined => {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number) ? number : undefined
}

const toBoolean = (value: boolean | number | string | null | undefined): boolean | undefined =>
  value === null || value === undefined ? undefined : value === true || value === 1 || value === "true" || value === "1"

const inSeconds = (value: number | string | null | undefined): Duration.Duration | undefined => {
  const seconds = toNumber(value)
  return seconds === undefined || seconds < 0 ? undefined : Duration.seconds(seconds)
}

const Texts = Schema.Struct({ title: nullish(Schema.String) })

const AuthProviderWire = Schema.Struct({
  id: Schema.Finite,
  identifier: Schema.String,
  type: nullish(Schema.String),
  isActive: nullish(Schema.Boolean),
  isCheckCode: nullish(Schema.Boolean),
  version: nullish(Schema.Finite),
  localizeInfos: nullish(Locale.localized(Texts, "object")),
  formIdentifier: nullish(Schema.String),
  userGroupIdentifier: nullish(Schema.String),
  config: nullish(
    Schema.Struct({
      accessTokenTtlSec: NumberLike,
      refreshTokenTtlMc: NumberLike,
      deleteNoneActiveUsersAfterDays: NumberLike,
      systemCodeTlsSec: NumberLike,
      systemCodeLength: NumberLike,
      systemCodeOnlyNumbers: BooleanLike,
      oauthAuthUrl: nullish(Schema.String)
    })
  )
})

const AuthProvidersWire = Schema.Array(AuthProviderWire)

/** @internal */
export const toAuthProvider = (wire: typeof AuthProviderWire.Type, langCode: string): AuthProviderEntity => {
  const { config } = wire
  const days = toNumber(config?.deleteNoneActiveUsersAfterDays)
  return {
    id: wire.id,
    identifier: wire.identifier,
    type: wire.type ?? "",
    isActive: wire.isActive ?? true,
    isCheckCode: wire.isCheckCode ?? false,
    version: wire.version ?? 0,
    ...present("title", wire.localizeInfos == null ? undefined : Locale.unwrap(wire.localizeInfos, langCode)?.title),
    ...present("formIdentifier", wire.formIdentifier),
    ...present("userGroupIdentifier", wire.userGroupIdentifier),
    config: {
      ...present("accessTokenTtl", inSeconds(config?.accessTokenTtlSec)),
      // Seconds, whatever its name says: 604800 is exactly a week.
      ...present("refreshTokenTtl", inSeconds(config?.refreshTokenTtlMc)),
      ...present("deleteNoneActiveUsersAfter", days === undefined ? undefined : Duration.days(days)),
      ...present("systemCodeTtl", inSeconds(config?.systemCodeTlsSec)),
      ...present("systemCodeLength", toNumber(config?.systemCodeLength)),
      ...present("systemCodeOnlyNumbers", toBoolean(config?.systemCodeOnlyNumbers)),
      ...present("oauthAuthUrl", config?.oauthAuthUrl)
    }
  }
}

/** @internal */
export const decodeAuthProviders: Decoder<typeof AuthProvidersWire.Type> = Schema.decodeUnknownExit(AuthProvidersWire)

/** @internal */
export const toAuthProviders = (
  wire: typeof AuthProvidersWire.Type,
  langCode: string
): ReadonlyArray<AuthProviderEntity> => wire.map((one) => toAuthProvider(one, langCode))

const decodeOneAuthProvider: Decoder<typeof AuthProviderWire.Type> = Schema.decodeUnknownExit(AuthProviderWire)

/**
 * Old servers answer one provider with an array of one.
 *
 * @internal
 */
export const decodeAuthProvider: Decoder<typeof AuthProviderWire.Type> = (body) =>
  decodeOneAuthProvider(Array.isArray(body) && body.length === 1 ? body[0] : body)

// -----------------------------------------------------------------------------
// sessions
// -----------------------------------------------------------------------------

/**
 * A device that is signed in. The server does not say which of them is the one that asks.
 *
 * **Example** (A list of devices)
 *
 * ```ts
 * import type { AuthSchema } from "effect-oneentry"
 *
 * export const label = ({ deviceInfo }: AuthSchema.ActiveSession): string => `${deviceInfo.browser} on ${deviceInfo.os}`
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface ActiveSession {
  readonly deviceInfo: {
    readonly os: string
    readonly browser: string
    readonly location: string
  }
}

const ActiveSessionsWire = Schema.Array(
  Schema.Struct({
    deviceInfo: nullish(
      Schema.Struct({
        os: nullish(Schema.String),
        browser: nullish(Schema.String),
        location: nullish(Schema.String)
      })
    )
  })
)

/** @internal */
export const decodeActiveSessions: Decoder<typeof ActiveSessionsWire.Type> =
  Schema.decodeUnknownExit(ActiveSessionsWire)

/** @internal */
export const toActiveSessions = (wire: typeof ActiveSessionsWire.Type): ReadonlyArray<ActiveSession> =>
  wire.map(({ deviceInfo }) => ({
    deviceInfo: {
      os: deviceInfo?.os ?? "",
      browser: deviceInfo?.browser ?? "",
      location: deviceInfo?.location ?? ""
    }
  }))

// -----------------------------------------------------------------------------
// users
// -----------------------------------------------------------------------------

/**
 * The profile of the signed-in user.
 *
 * **Example** (A name, if the form has one)
 *
 * ```ts
 * import type { AuthSchema } from "effect-oneentry"
 *
 * export const name = (user: AuthSchema.UserEntity): unknown =>
 *   user.formData.find((field) => field.marker === "name_reg")?.value
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface UserEntity {
  readonly id: number
  /** The login. */
  readonly identifier: string
  readonly authProviderIdentifier?: string
  readonly formIdentifier?: string
  readonly formData: ReadonlyArray<FieldValue.FieldEntry>
  readonly groups: ReadonlyArray<number | string>
  readonly state: Readonly<Record<string, unknown>>
  readonly rating?: unknown
  readonly moduleFormConfigs: ReadonlyArray<unknown>
  readonly notificationData?: NotificationContacts
  readonly locale?: string
  readonly total?: number
}

/** @internal */
export const UserWire = Schema.Struct({
  id: Schema.Finite,
  identifier: Schema.String,
  authProviderIdentifier: nullish(Schema.String),
  formIdentifier: nullish(Schema.String),
  formData: nullish(FieldValue.FieldEntries),
  groups: nullish(Schema.Array(Schema.Union([Schema.Finite, Schema.String]))),
  state: nullish(State),
  rating: Schema.optionalKey(Schema.Unknown),
  moduleFormConfigs: nullish(Schema.Array(Schema.Unknown)),
  notificationData: nullish(Contacts),
  locale: nullish(Schema.String),
  total: NumberLike
})

/** @internal */
export type UserWire = typeof UserWire.Type

const decodeUserBySchema: Decoder<UserWire> = Schema.decodeUnknownExit(UserWire)

const isTextOrNothing = (u: unknown): boolean => u === undefined || u === null || typeof u === "string"

const isContacts = (u: unknown): boolean =>
  isObject(u) &&
  isTextOrNothing(u["email"]) &&
  isTextOrNothing(u["phoneSMS"]) &&
  (isTextOrNothing(u["phonePush"]) || (Array.isArray(u["phonePush"]) && u["phonePush"].every(Predicate.isString)))

/**
 * `UserWire` written out by hand: what it accepts, the schema accepts (a test holds them together). The profile is what
 * is read most, and walking its schema was half of what reading it cost.
 *
 * @internal
 */
export const isUserWire = (u: unknown): u is UserWire =>
  isObject(u) &&
  Number.isFinite(u["id"]) &&
  typeof u["identifier"] === "string" &&
  isTextOrNothing(u["authProviderIdentifier"]) &&
  isTextOrNothing(u["formIdentifier"]) &&
  isTextOrNothing(u["locale"]) &&
  (u["formData"] == null || FieldValue.isWireEntries(u["formData"])) &&
  (u["groups"] == null ||
    (Array.isArray(u["groups"]) &&
      u["groups"].every((group) => Number.isFinite(group) || typeof group === "string"))) &&
  (u["state"] == null || isObject(u["state"])) &&
  (u["moduleFormConfigs"] == null || Array.isArray(u["moduleFormConfigs"])) &&
  (u["notificationData"] == null || isContacts(u["notificationData"])) &&
  (isTextOrNothing(u["total"]) || Number.isFinite(u["total"]))

/**
 * Whatever the check does not know goes through the schema, which says what is wrong with it.
 *
 * @internal
 */
export const decodeUser: Decoder<UserWire> = (body) =>
  isUserWire(body) ? Exit.succeed(body) : decodeUserBySchema(body)

/** @internal */
export const toUser = (wire: UserWire, langCode: string): UserEntity => {
  // The profile is what is read most: its keys are set one by one, which is several times faster than spreading.
  const user: { -readonly [K in keyof UserEntity]: UserEntity[K] } = {
    id: wire.id,
    identifier: wire.identifier,
    formData: wire.formData == null ? [] : FieldValue.entries(wire.formData, langCode),
    groups: wire.groups ?? [],
    state: wire.state ?? {},
    moduleFormConfigs: wire.moduleFormConfigs ?? []
  }
  const total = toNumber(wire.total)
  if (wire.authProviderIdentifier != null) user.authProviderIdentifier = wire.authProviderIdentifier
  if (wire.formIdentifier != null) user.formIdentifier = wire.formIdentifier
  if (wire.rating != null) user.rating = wire.rating
  if (wire.notificationData != null) user.notificationData = toContacts(wire.notificationData)
  if (wire.locale != null) user.locale = wire.locale
  if (total !== undefined) user.total = total
  return user
}
