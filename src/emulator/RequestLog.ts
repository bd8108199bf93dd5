/**
 * The log of the requests that an emulator answered, and of the faults that hit them. Bodies, tokens, codes and
 * passwords never enter it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * One request. `at` is in milliseconds of the emulator's clock.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator, type RequestLog } from "effect-oneentry/emulator"
 *
 * const line = (entry: RequestLog.Entry) => `${entry.method} ${entry.path} ${entry.status} ${entry.detail ?? ""}`
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   for (const entry of yield* emulator.requests) yield* Effect.logInfo(line(entry))
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Entry = Schema.Struct({
  id: Schema.Int,
  at: Schema.Finite,
  method: Schema.String,
  /** Without the query; device tokens in it are masked. */
  path: Schema.String,
  /** The name of the operation, or `null` for a route that does not exist. */
  operation: Schema.NullOr(Schema.String),
  /** The provider or form that the path names. */
  marker: Schema.NullOr(Schema.String),
  /** `null` when the connection broke before an answer. */
  status: Schema.NullOr(Schema.Int),
  /** Why the request was refused: the message of the envelope. */
  reason: Schema.NullOr(Schema.String),
  /** What the server knows and does not tell, such as which rule a refresh token broke. */
  detail: Schema.NullOr(Schema.String),
  /** The name of the refusal in the table of messages. */
  refusal: Schema.NullOr(Schema.String),
  /** Whether the request was handled: the state is as if the answer had arrived. */
  handled: Schema.Boolean,
  /** The kind of the fault that hit it. */
  fault: Schema.NullOr(Schema.String),
  /** Which bearer token came along. */
  bearer: Schema.Literals(["none", "live", "dead"]),
  userIdentifier: Schema.NullOr(Schema.String),
  sessionId: Schema.NullOr(Schema.Int),
  durationMs: Schema.Finite
})

/**
 * The decoded {@link Entry}.
 *
 * @category models
 * @since 0.1.0
 */
export type Entry = typeof Entry.Type
