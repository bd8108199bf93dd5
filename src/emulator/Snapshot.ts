/**
 * What an emulator remembers: users, sessions, codes, the outbox, submissions, files and subscriptions, as plain rows.
 * A snapshot of them can be kept, compared and given to another emulator.
 *
 * Snapshots hold live tokens and codes. They are for tests and local files.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const Id = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const JsonRecord = Schema.Record(Schema.String, Schema.Json)

/**
 * Form values by language, as stored and as on the wire.
 *
 * @example
 * ```ts
 * import { Snapshot } from "effect-oneentry/emulator"
 *
 * const data = Snapshot.FormData.make({ en_US: [{ marker: "name_reg", type: "string", value: "Ann" }] })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const FormData = Schema.Record(
  Schema.String,
  Schema.Array(
    Schema.Struct({
      marker: Schema.String,
      type: Schema.optionalKey(Schema.String),
      value: Schema.optionalKey(Schema.Json)
    })
  )
)

/**
 * The decoded {@link FormData}.
 *
 * @category models
 * @since 0.1.0
 */
export type FormData = typeof FormData.Type

/**
 * A user's notification contacts.
 *
 * @example
 * ```ts
 * import { Snapshot } from "effect-oneentry/emulator"
 *
 * const contacts = Snapshot.NotificationData.make({ email: "ann@example.com", phonePush: [] })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const NotificationData = Schema.Struct({
  email: Schema.optionalKey(Schema.String),
  phonePush: Schema.optionalKey(Schema.Array(Schema.String)),
  phoneSMS: Schema.optionalKey(Schema.String)
})

/**
 * A user; times in milliseconds.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const active = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   return (yield* emulator.users).filter((user) => user.isActive)
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const User = Schema.Struct({
  id: Id,
  provider: Schema.String,
  login: Schema.String,
  passwordHash: Schema.NullOr(Schema.String),
  /** The id in the network that an OAuth user came from. */
  oauthId: Schema.NullOr(Schema.String),
  isActive: Schema.Boolean,
  isDeleted: Schema.Boolean,
  deletedAt: Schema.NullOr(Schema.Finite),
  locale: Schema.String,
  formIdentifier: Schema.NullOr(Schema.String),
  formData: FormData,
  notificationData: Schema.NullOr(NotificationData),
  state: JsonRecord,
  groups: Schema.Array(Schema.Int),
  fcmTokens: Schema.Array(Schema.String),
  createdAt: Schema.Finite,
  updatedAt: Schema.Finite,
  version: Count
})

/**
 * The decoded {@link User}.
 *
 * @category models
 * @since 0.1.0
 */
export type User = typeof User.Type

/**
 * The session of one device; times in milliseconds.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const devices = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   return (yield* emulator.sessions).map((session) => session.fingerprint)
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Session = Schema.Struct({
  id: Id,
  userId: Id,
  provider: Schema.String,
  userIdentifier: Schema.String,
  fingerprint: Schema.String,
  deviceInfo: JsonRecord,
  accessToken: Schema.String,
  accessExpiresAt: Schema.Finite,
  refreshToken: Schema.String,
  refreshExpiresAt: Schema.Finite,
  createdAt: Schema.Finite,
  refreshedAt: Schema.NullOr(Schema.Finite),
  /** How often it was refreshed. */
  refreshes: Count
})

/**
 * The decoded {@link Session}.
 *
 * @category models
 * @since 0.1.0
 */
export type Session = typeof Session.Type

/**
 * The live code of a user; times in milliseconds.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const wrongTries = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   return (yield* emulator.snapshot).codes.map((code) => code.wrong)
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Code = Schema.Struct({
  userId: Id,
  code: Schema.String,
  event: Schema.NullOr(Schema.String),
  sentAt: Schema.Finite,
  expiresAt: Schema.Finite,
  wrong: Count
})

/**
 * The decoded {@link Code}.
 *
 * @category models
 * @since 0.1.0
 */
export type Code = typeof Code.Type

/**
 * A message that a real tenant would have sent; `at` in milliseconds.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const lastCode = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   return (yield* emulator.outbox).at(-1)?.code
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Message = Schema.Struct({
  id: Id,
  to: Schema.String,
  channel: Schema.Literals(["email", "sms", "push"]),
  code: Schema.String,
  userIdentifier: Schema.String,
  marker: Schema.String,
  event: Schema.NullOr(Schema.String),
  at: Schema.Finite,
  expiresAt: Schema.Finite
})

/**
 * The decoded {@link Message}.
 *
 * @category models
 * @since 0.1.0
 */
export type Message = typeof Message.Type

/**
 * A form submission; `time` in milliseconds.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const submitted = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   return (yield* emulator.snapshot).submissions.filter((row) => row.formIdentifier === "contact_us")
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Submission = Schema.Struct({
  id: Id,
  formIdentifier: Schema.String,
  formModuleConfigId: Schema.NullOr(Schema.Finite),
  moduleIdentifier: Schema.NullOr(Schema.String),
  entityIdentifier: Schema.NullOr(Schema.Union([Schema.String, Schema.Finite])),
  userId: Schema.NullOr(Id),
  userIdentifier: Schema.NullOr(Schema.String),
  fingerprint: Schema.NullOr(Schema.String),
  parentId: Schema.NullOr(Id),
  status: Schema.NullOr(Schema.String),
  formData: FormData,
  time: Schema.Finite
})

/**
 * The decoded {@link Submission}.
 *
 * @category models
 * @since 0.1.0
 */
export type Submission = typeof Submission.Type

/**
 * An uploaded file.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const bytesKept = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   return (yield* emulator.snapshot).files.reduce((sum, file) => sum + file.content.byteLength, 0)
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const File = Schema.Struct({
  filename: Schema.String,
  contentType: Schema.String,
  type: Schema.NullOr(Schema.String),
  entity: Schema.NullOr(Schema.String),
  id: Schema.NullOr(Schema.String),
  content: Schema.Uint8ArrayFromBase64,
  at: Schema.Finite
})

/**
 * The decoded {@link File}.
 *
 * @category models
 * @since 0.1.0
 */
export type File = typeof File.Type

/**
 * A user's subscription to an event of a product.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const followed = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   return (yield* emulator.snapshot).subscriptions.map((row) => row.event)
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Subscription = Schema.Struct({
  userId: Id,
  event: Schema.String,
  productId: Schema.Union([Schema.Finite, Schema.String]),
  locale: Schema.NullOr(Schema.String)
})

/**
 * The decoded {@link Subscription}.
 *
 * @category models
 * @since 0.1.0
 */
export type Subscription = typeof Subscription.Type

/**
 * A value beside the tables, such as a provider's signing secret or the next id.
 *
 * @example
 * ```ts
 * import { Snapshot } from "effect-oneentry/emulator"
 *
 * const setting = Snapshot.Setting.make({ name: "next:user", value: 4 })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Setting = Schema.Struct({ name: Schema.String, value: Schema.Json })

/**
 * The row schemas by table name.
 *
 * @example
 * ```ts
 * import { Snapshot } from "effect-oneentry/emulator"
 *
 * console.log(Object.keys(Snapshot.tables).includes("sessions")) // => true
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const tables = {
  users: User,
  sessions: Session,
  codes: Code,
  messages: Message,
  submissions: Submission,
  files: File,
  subscriptions: Subscription,
  settings: Setting
} as const

/**
 * The name of a table.
 *
 * @example
 * ```ts
 * import type { Snapshot } from "effect-oneentry/emulator"
 *
 * const name: Snapshot.TableName = "users"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type TableName = keyof typeof tables

/**
 * Everything an emulator remembers.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const tryTwice = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   const before = yield* emulator.snapshot
 *   yield* emulator.revokeSessions()
 *   yield* emulator.restore(before)
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Snapshot = Schema.Struct({
  users: Schema.Array(User),
  sessions: Schema.Array(Session),
  codes: Schema.Array(Code),
  messages: Schema.Array(Message),
  submissions: Schema.Array(Submission),
  files: Schema.Array(File),
  subscriptions: Schema.Array(Subscription),
  settings: Schema.Array(Setting)
})

/**
 * The decoded {@link Snapshot}.
 *
 * @category models
 * @since 0.1.0
 */
export type Snapshot = typeof Snapshot.Type

/**
 * One change of one row: its new value, or `undefined` when it is gone.
 *
 * @example
 * ```ts
 * import type { Snapshot } from "effect-oneentry/emulator"
 *
 * const removed: Snapshot.Change = { table: "sessions", key: "1", row: undefined }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly table: TableName
  readonly key: string
  readonly row: unknown
}
