/**
 * What goes wrong below the domain: the network, the server, the project's
 * configuration, or a request that could not be sent at all. One class, whose
 * `reason` is a tagged union to be taken apart with `Effect.catchReason`.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Codecs from "./internal/codecs.ts"
import { envelopeFields } from "./internal/serverEnvelope.ts"

const sentence = (messages: ReadonlyArray<string>): string => (messages.length === 0 ? "" : `: ${messages.join("; ")}`)

/**
 * The server could not be reached, or the connection broke.
 *
 * `description` is what the HTTP client said of it (never the request: that may hold secrets).
 *
 * **Example** (Telling a person to look at the cable)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Forms } from "effect-oneentry"
 *
 * export const form = Forms.Forms.use((forms) => forms.getFormByMarker("reg")).pipe(
 *   Effect.catchReason("OneEntryError", "Network", () => Effect.logWarning("You seem to be offline"))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class Network extends Schema.TaggedError<Network>("effect-oneentry/OneEntryError/Network")("Network", {
  description: Schema.optionalKey(Schema.String)
}) {
  readonly isRetryable = true
  override get message(): string {
    return `The server could not be reached${this.description === undefined ? "" : ` (${this.description})`}`
  }
}

/**
 * No complete answer came within `requestTimeout`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "Timeout", (reason) => Effect.logWarning(`nothing for ${reason.after}`))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class Timeout extends Schema.TaggedError<Timeout>("effect-oneentry/OneEntryError/Timeout")("Timeout", {
  after: Codecs.Millis
}) {
  readonly isRetryable = true
  override get message(): string {
    return `No answer within ${this.after.toString()}`
  }
}

/**
 * The server answered with a redirect, which is never followed: it would carry the app token and the device metadata
 * to wherever it points.
 *
 * `statusCode` is 0 in a browser, which does not tell.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "Redirected", (reason) => Effect.logError(`is the project URL right? ${reason.statusCode}`))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class Redirected extends Schema.TaggedError<Redirected>("effect-oneentry/OneEntryError/Redirected")(
  "Redirected",
  { statusCode: Schema.Int }
) {
  readonly isRetryable = true
  override get message(): string {
    return "The server answered with a redirect, which is not followed: is `url` the address of the project itself?"
  }
}

/**
 * The answer is not what the API promises: no JSON (a proxy's page, an answer cut short), another shape, or larger than
 * the limit.
 *
 * `issue` says where, without the values. It may be understood another time, but reading is not made again by itself.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "ResponseInvalid", (reason) => Effect.logError(reason.message))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class ResponseInvalid extends Schema.TaggedError<ResponseInvalid>(
  "effect-oneentry/OneEntryError/ResponseInvalid"
)("ResponseInvalid", {
  statusCode: Schema.Int,
  issue: Schema.String
}) {
  readonly isRetryable = true
  override get message(): string {
    return `The answer (status ${this.statusCode}) could not be understood: ${this.issue}`
  }
}

/**
 * The server refuses more requests for now (429), outside of the code calls, which have errors of their own.
 *
 * `retryAfter` is the server's `Retry-After`, where it sent one.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "TooManyRequests", (reason) => Effect.logWarning(reason.message))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class TooManyRequests extends Schema.TaggedError<TooManyRequests>(
  "effect-oneentry/OneEntryError/TooManyRequests"
)("TooManyRequests", {
  ...envelopeFields,
  retryAfter: Schema.optionalKey(Codecs.Millis)
}) {
  readonly isRetryable = true
  override get message(): string {
    return `Too many requests${sentence(this.messages)}`
  }
}

/**
 * The server failed (5xx).
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "ServerFailure", (reason) => Effect.logWarning(`the server failed: ${reason.statusCode}`))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class ServerFailure extends Schema.TaggedError<ServerFailure>("effect-oneentry/OneEntryError/ServerFailure")(
  "ServerFailure",
  {
    ...envelopeFields,
    retryAfter: Schema.optionalKey(Codecs.Millis)
  }
) {
  readonly isRetryable = true
  override get message(): string {
    return `The server failed with status ${this.statusCode}${sentence(this.messages)}`
  }
}

/**
 * The project is closed to this application (403): the app token is missing or wrong.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "ResourceClosed", () => Effect.logError("The app token is wrong, or was revoked"))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class ResourceClosed extends Schema.TaggedError<ResourceClosed>("effect-oneentry/OneEntryError/ResourceClosed")(
  "ResourceClosed",
  envelopeFields
) {
  readonly isRetryable = false
  override get message(): string {
    return "The project refused the application: check `appToken`"
  }
}

/**
 * The caller's group has no permission for this route (403). It is granted in the admin panel, route by route.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "PermissionDenied", () => Effect.logError("Grant the route to the group, in the admin panel"))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class PermissionDenied extends Schema.TaggedError<PermissionDenied>(
  "effect-oneentry/OneEntryError/PermissionDenied"
)("PermissionDenied", envelopeFields) {
  readonly isRetryable = false
  override get message(): string {
    return `Not permitted${sentence(this.messages)} (grant the route to the user's group in the admin panel)`
  }
}

/**
 * The project's plan does not include this operation (405).
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "NotInPlan", () => Effect.logError("The plan of the project has no such operation"))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotInPlan extends Schema.TaggedError<NotInPlan>("effect-oneentry/OneEntryError/NotInPlan")(
  "NotInPlan",
  envelopeFields
) {
  readonly isRetryable = false
  override get message(): string {
    return `The project's plan does not include this operation${sentence(this.messages)}`
  }
}

/**
 * The server did not accept the `x-device-metadata` header (400).
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "DeviceMetadataRejected", (reason) => Effect.logError(reason.message))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class DeviceMetadataRejected extends Schema.TaggedError<DeviceMetadataRejected>(
  "effect-oneentry/OneEntryError/DeviceMetadataRejected"
)("DeviceMetadataRejected", envelopeFields) {
  readonly isRetryable = false
  override get message(): string {
    return `The device metadata was not accepted${sentence(this.messages)}`
  }
}

/**
 * The request is not one that can succeed: `issues` says what to change. With `statusCode` the server said so;
 * without, nothing was sent.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "InvalidRequest", (reason) => Effect.logError(reason.message))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>("effect-oneentry/OneEntryError/InvalidRequest")(
  "InvalidRequest",
  {
    issues: Schema.Array(Schema.String),
    statusCode: Schema.optionalKey(envelopeFields.statusCode),
    timestamp: envelopeFields.timestamp,
    pageData: envelopeFields.pageData
  }
) {
  readonly isRetryable = false
  override get message(): string {
    return this.issues.join("; ")
  }
}

/**
 * An answer that no rule expects. The statuses 408, 425 and 3xx may pass.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "Unexpected", (reason) => Effect.logError(reason.message))
 * )
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unexpected extends Schema.TaggedError<Unexpected>("effect-oneentry/OneEntryError/Unexpected")(
  "Unexpected",
  envelopeFields
) {
  get isRetryable(): boolean {
    return this.statusCode === 408 || this.statusCode === 425 || (this.statusCode >= 300 && this.statusCode < 400)
  }
  override get message(): string {
    return `Unexpected answer with status ${this.statusCode}${sentence(this.messages)}`
  }
}

/**
 * Every reason of a `OneEntryError`.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { OneEntryError } from "effect-oneentry"
 *
 * console.log(Schema.is(OneEntryError.Reason)(new OneEntryError.Network())) // => true
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  Network,
  Timeout,
  Redirected,
  ResponseInvalid,
  TooManyRequests,
  ServerFailure,
  ResourceClosed,
  PermissionDenied,
  NotInPlan,
  DeviceMetadataRejected,
  InvalidRequest,
  Unexpected
])

/**
 * Every reason of a `OneEntryError`.
 *
 * @category reasons
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * What went wrong below the domain, in `operation`, for `reason`.
 *
 * **Example** (Taking the reasons apart)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const profile = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.catchReason("OneEntryError", "PermissionDenied", (reason) => Effect.logError(reason.message))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class OneEntryError extends Schema.TaggedError<OneEntryError>("effect-oneentry/OneEntryError")("OneEntryError", {
  operation: Schema.String,
  reason: Reason
}) {
  override get message(): string {
    return `${this.operation}: ${this.reason.message}`
  }
  /** Whether the same call may succeed later. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }
  /** How long the server asked to wait, where it did. */
  get retryAfter(): Duration.Duration | undefined {
    return "retryAfter" in this.reason ? this.reason.retryAfter : undefined
  }
}

/**
 * Whether a value is a `OneEntryError`.
 *
 * **Example** (At the edge of a program)
 *
 * ```ts
 * import { OneEntryError } from "effect-oneentry"
 *
 * console.log(OneEntryError.isOneEntryError(new Error("something else"))) // => false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isOneEntryError = (u: unknown): u is OneEntryError => u instanceof OneEntryError

/**
 * Makes the error of a request that cannot be sent as it is.
 *
 * @internal
 */
export const invalidRequest = (operation: string, ...issues: ReadonlyArray<string>): OneEntryError =>
  new OneEntryError({ operation, reason: new InvalidRequest({ issues }) })
