/**
 * What the control API of an emulator is made of: `/__emulator/*` as JSON, for the outbox, users, sessions, the log of
 * requests, the clock, faults, reset, snapshots and a stream of changes.
 *
 * It is one `HttpApi`: the same schemas check requests and answers, describe the API as OpenAPI and make the typed
 * client of `Control`. Any other test runner drives it with plain HTTP.
 *
 * @since 0.1.0
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import * as Fault from "./Fault.ts"
import * as RequestLog from "./RequestLog.ts"
import * as Snapshot from "./Snapshot.ts"

// -----------------------------------------------------------------------------
// Errors
// -----------------------------------------------------------------------------

/**
 * The request does not decode; `message` says where and what was expected.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   yield* control.clock.advance({ payload: { past: "codes" } }).pipe(
 *     Effect.catchTag("BadRequest", (error) => Effect.logError(error.message))
 *   )
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class BadRequest extends Schema.TaggedError<BadRequest>("effect-oneentry/emulator/ControlApi/BadRequest")(
  "BadRequest",
  { message: Schema.String },
  { httpApiStatus: 400 }
) {}

/**
 * The request comes from a place that may not control this emulator; `message` says why.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   yield* control.users.list().pipe(
 *     Effect.catchTag("Forbidden", (error) => Effect.logError(`give Control.client the app token: ${error.message}`))
 *   )
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class Forbidden extends Schema.TaggedError<Forbidden>("effect-oneentry/emulator/ControlApi/Forbidden")(
  "Forbidden",
  { message: Schema.String },
  { httpApiStatus: 403 }
) {}

/**
 * There is no such user, session, fault or code.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   const error = yield* Effect.flip(control.users.activate({ params: { id: 7 } }))
 *   console.log(error._tag) // NotFound
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class NotFound extends Schema.TaggedError<NotFound>("effect-oneentry/emulator/ControlApi/NotFound")(
  "NotFound",
  { message: Schema.String },
  { httpApiStatus: 404 }
) {}

/**
 * A change has to be sent as `application/json`, which no form of a foreign page can do.
 *
 * @example
 * ```ts
 * import { ControlApi } from "effect-oneentry/emulator"
 *
 * const error = new ControlApi.UnsupportedMediaType({ message: "Send changes with the content type application/json" })
 * console.log(error._tag)
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class UnsupportedMediaType extends Schema.TaggedError<UnsupportedMediaType>(
  "effect-oneentry/emulator/ControlApi/UnsupportedMediaType"
)("UnsupportedMediaType", { message: Schema.String }, { httpApiStatus: 415 }) {}

// -----------------------------------------------------------------------------
// Schemas
// -----------------------------------------------------------------------------

/**
 * A message of the outbox: `live` while its code can be used, `spent` once it was used or replaced, `expired` after
 * its time.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   const messages = yield* control.outbox.list({ query: { userIdentifier: "ann@example.com" } })
 *   console.log(messages.filter((message) => message.status === "live").map((message) => message.code))
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Message = Schema.Struct({
  ...Snapshot.Message.fields,
  status: Schema.Literals(["live", "spent", "expired"])
}).annotate({ identifier: "ControlMessage" })

/**
 * The decoded {@link Message}.
 *
 * @category models
 * @since 0.1.0
 */
export type Message = typeof Message.Type

/**
 * A user, without the password hash.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   for (const user of yield* control.users.list()) {
 *     if (!user.isActive) yield* control.users.activate({ params: { id: user.id } })
 *   }
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const User = Schema.Struct({
  ...Struct.omit(Snapshot.User.fields, ["passwordHash"]),
  hasPassword: Schema.Boolean
}).annotate({ identifier: "ControlUser" })

/**
 * The decoded {@link User}.
 *
 * @category models
 * @since 0.1.0
 */
export type User = typeof User.Type

/**
 * The session of one device, without its tokens.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   for (const session of yield* control.sessions.list({ query: {} })) {
 *     yield* control.sessions.expire({ params: { id: session.id }, query: { token: "access" } })
 *   }
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Session = Schema.Struct(Struct.omit(Snapshot.Session.fields, ["accessToken", "refreshToken"])).annotate({
  identifier: "ControlSession"
})

/**
 * The decoded {@link Session}.
 *
 * @category models
 * @since 0.1.0
 */
export type Session = typeof Session.Type

/**
 * The emulator's clock: its time, and how far it is ahead of the machine's, both in milliseconds.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   const { now, offset } = yield* control.clock.get()
 *   console.log(new Date(now).toISOString(), offset)
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Clock = Schema.Struct({ now: Schema.Finite, offset: Schema.Finite }).annotate({
  identifier: "ControlClock"
})

/**
 * The decoded {@link Clock}.
 *
 * @category models
 * @since 0.1.0
 */
export type Clock = typeof Clock.Type

/**
 * A fault that is in force.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   const fault = yield* control.faults.add({ payload: { kind: "drop", operation: "auth", count: 2 } })
 *   yield* control.faults.remove({ params: { id: fault.id } })
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const ActiveFault = Schema.Struct({ ...Fault.Fault.fields, id: Schema.Int, hits: Schema.Int }).annotate({
  identifier: "ControlFault"
})

/**
 * The decoded {@link ActiveFault}.
 *
 * @category models
 * @since 0.1.0
 */
export type ActiveFault = typeof ActiveFault.Type

const Count = Schema.Struct({ count: Schema.Int })

const section = <S extends Schema.Codec<unknown, unknown>>(item: S) =>
  Schema.optionalKey(Schema.Struct({ total: Schema.Int, items: Schema.Array(item) }))

/**
 * What changed since the update before, or everything in the first one of a stream: the newest rows of each part, with
 * how many there are in all. Parts that did not change are absent.
 *
 * @example
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   const updates = yield* control.state.events()
 *   const [first] = yield* Stream.runCollect(Stream.take(updates, 1))
 *   console.log(first?.users?.total) // 0
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Update = Schema.Struct({
  clock: Clock,
  outbox: section(Message),
  users: section(User),
  sessions: section(Session),
  faults: Schema.optionalKey(Schema.Array(ActiveFault)),
  /** Requests since the update before; those before `oldest` are gone from the log. */
  requests: Schema.optionalKey(
    Schema.Struct({ oldest: Schema.NullOr(Schema.Int), entries: Schema.Array(RequestLog.Entry) })
  )
}).annotate({ identifier: "ControlUpdate" })

/**
 * The decoded {@link Update}.
 *
 * @category models
 * @since 0.1.0
 */
export type Update = typeof Update.Type

/**
 * How to move the clock: by a duration (`"1 minute"`, `"2 hours"`, or milliseconds), or just past the time at which
 * the last of the live codes, access tokens or refresh tokens expires.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Control, Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const { url } = yield* Emulator.Emulator
 *   const control = yield* Control.client({ url })
 *   yield* control.clock.advance({ payload: { past: "accessTokens" } })
 * }).pipe(Effect.provide(Emulator.layerClient({ routes: Control.routes })))
 *
 * await Effect.runPromise(program)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Advance = Schema.Union([
  Schema.Struct({
    duration: Schema.Union([Schema.DurationFromMillis, Schema.DurationFromString])
  }),
  Schema.Struct({ past: Schema.Literals(["codes", "accessTokens", "refreshTokens"]) })
]).annotate({ identifier: "ControlAdvance" })

// -----------------------------------------------------------------------------
// The API
// -----------------------------------------------------------------------------

/**
 * Keeps foreign web pages and strangers away from the control API.
 *
 * @example
 * ```ts
 * import { ControlApi } from "effect-oneentry/emulator"
 *
 * console.log([...ControlApi.Guard.error].length) // => 2
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Guard extends HttpApiMiddleware.Service<Guard>()("effect-oneentry/emulator/ControlApi/Guard", {
  error: [Forbidden, UnsupportedMediaType]
}) {}

/**
 * Words what is wrong with a request.
 *
 * @example
 * ```ts
 * import { ControlApi } from "effect-oneentry/emulator"
 *
 * console.log([...ControlApi.Wording.error].length) // => 1
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Wording extends HttpApiMiddleware.Service<Wording>()("effect-oneentry/emulator/ControlApi/Wording", {
  error: BadRequest
}) {}

// Numbers are texts on the wire: what is said of them has to be said of the key.
const Id = { id: Schema.Int.annotateKey({ description: "The number that the list shows." }) }
const only = (description: string) => Schema.optionalKey(Schema.String.annotate({ description }))
const ofUser = only("Those of this user alone, by login.")
const ofProvider = only("Those of this provider alone.")
const about = (summary: string) => OpenApi.annotations({ summary })

class OutboxGroup extends HttpApiGroup.make("outbox")
  .add(
    HttpApiEndpoint.get("list", "/outbox", {
      query: { userIdentifier: ofUser, marker: ofProvider },
      success: Schema.Array(Message)
    }).annotateMerge(about("The messages that a real tenant would have sent, newest last")),
    HttpApiEndpoint.get("code", "/outbox/code", {
      query: {
        userIdentifier: Schema.String.annotate({ description: "The login." }),
        marker: ofProvider,
        waitMs: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60_000 }))).annotateKey({
          description: "Milliseconds to wait for a code, up to 60000; none when absent."
        })
      },
      success: Schema.Struct({ code: Schema.String }),
      error: NotFound
    }).annotateMerge(about("The live code of a user; waits up to waitMs until there is one"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Control: outbox" })) {}

class UsersGroup extends HttpApiGroup.make("users")
  .add(
    HttpApiEndpoint.get("list", "/users", { success: Schema.Array(User) }).annotateMerge(about("All users")),
    HttpApiEndpoint.post("activate", "/users/:id/activate", { params: Id, error: NotFound }).annotateMerge(
      about("Activates a user without a code")
    ),
    HttpApiEndpoint.delete("delete", "/users/:id", { params: Id, error: NotFound }).annotateMerge(
      about("Removes a user with everything that is theirs")
    )
  )
  .annotateMerge(OpenApi.annotations({ title: "Control: users" })) {}

class SessionsGroup extends HttpApiGroup.make("sessions")
  .add(
    HttpApiEndpoint.get("list", "/sessions", {
      query: { userIdentifier: ofUser },
      success: Schema.Array(Session)
    }).annotateMerge(about("All sessions, one per device")),
    HttpApiEndpoint.post("expire", "/sessions/:id/expire", {
      params: Id,
      query: {
        token: Schema.optionalKey(
          Schema.Literals(["access", "refresh"]).annotate({
            description: "`refresh` makes both tokens expire, `access` (when absent) the one."
          })
        )
      },
      error: NotFound
    }).annotateMerge(about("Makes the access token of a session expire, or with token=refresh both of its tokens")),
    HttpApiEndpoint.post("expireAll", "/sessions/expire", { success: Count }).annotateMerge(
      about("Makes every access token expire; refresh tokens stay good")
    ),
    HttpApiEndpoint.delete("revoke", "/sessions/:id", { params: Id, error: NotFound }).annotateMerge(
      about("Closes one session")
    ),
    HttpApiEndpoint.delete("revokeAll", "/sessions", {
      query: { userIdentifier: ofUser },
      success: Count
    }).annotateMerge(about("Closes the sessions of one user, or all"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Control: sessions" })) {}

class RequestsGroup extends HttpApiGroup.make("requests")
  .add(
    HttpApiEndpoint.get("list", "/requests", {
      query: {
        after: Schema.optionalKey(Schema.Int).annotateKey({ description: "Those after the request of this number." }),
        operation: only("Those of this operation alone, such as `refresh`.")
      },
      success: Schema.Array(RequestLog.Entry)
    }).annotateMerge(about("The log of requests, newest last; secrets never enter it"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Control: requests" })) {}

class ClockGroup extends HttpApiGroup.make("clock")
  .add(
    HttpApiEndpoint.get("get", "/clock", { success: Clock }).annotateMerge(about("The time of tokens and codes")),
    HttpApiEndpoint.post("advance", "/clock/advance", {
      payload: Advance,
      success: Clock,
      error: BadRequest
    }).annotateMerge(about("Moves the clock forward")),
    HttpApiEndpoint.post("reset", "/clock/reset", { success: Clock }).annotateMerge(about("Back to the machine's time"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Control: clock" })) {}

class FaultsGroup extends HttpApiGroup.make("faults")
  .add(
    HttpApiEndpoint.get("list", "/faults", { success: Schema.Array(ActiveFault) }).annotateMerge(
      about("Faults in force")
    ),
    HttpApiEndpoint.post("add", "/faults", {
      payload: Fault.Fault,
      success: ActiveFault.pipe(HttpApiSchema.status(201)),
      error: BadRequest
    }).annotateMerge(about("Adds a fault: by route, method and operation, for a share of the requests, some times")),
    HttpApiEndpoint.delete("remove", "/faults/:id", { params: Id, error: NotFound }).annotateMerge(
      about("Takes a fault back")
    ),
    HttpApiEndpoint.delete("clear", "/faults").annotateMerge(about("Takes all faults back"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Control: faults" })) {}

class StateGroup extends HttpApiGroup.make("state")
  .add(
    HttpApiEndpoint.post("reset", "/reset").annotateMerge(
      about("Back to the beginning: the users of the project, nothing else, the clock unmoved")
    ),
    HttpApiEndpoint.get("snapshot", "/snapshot", { success: Snapshot.Snapshot }).annotateMerge(
      about("Everything that is remembered, secrets too")
    ),
    HttpApiEndpoint.put("restore", "/snapshot", { payload: Snapshot.Snapshot }).annotateMerge(
      about("Replaces everything that is remembered")
    ),
    HttpApiEndpoint.get("events", "/events", {
      success: HttpApiSchema.StreamSse({ data: Update })
    }).annotateMerge(about("Everything once, then what changes, as server-sent events"))
  )
  .annotateMerge(OpenApi.annotations({ title: "Control: state" })) {}

/**
 * The control API. Its paths begin with `/__emulator`.
 *
 * @example
 * ```ts
 * import { OpenApi } from "effect/http-api"
 * import { ControlApi } from "effect-oneentry/emulator"
 *
 * const description = OpenApi.fromApi(ControlApi.Api)
 * console.log(Object.keys(description.paths).includes("/__emulator/outbox")) // => true
 * ```
 *
 * @category api
 * @since 0.1.0
 */
export class Api extends HttpApi.make("control")
  .add(OutboxGroup)
  .add(UsersGroup)
  .add(SessionsGroup)
  .add(RequestsGroup)
  .add(ClockGroup)
  .add(FaultsGroup)
  .add(StateGroup)
  .prefix("/__emulator")
  .middleware(Wording)
  .middleware(Guard)
  // A misspelt option is an error, not a wish that is ignored.
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error", errors: "all" })
  .annotateMerge(OpenApi.annotations({ title: "Control API of the emulator" })) {}
