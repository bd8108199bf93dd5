/**
 * Faults that an emulator can be told to have: delays, broken connections, wrong statuses, malformed bodies, and
 * answers that are lost after the request was handled.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * What goes wrong.
 *
 * - `delay`: the answer comes late; by default the request is handled late too (`phase`)
 * - `drop`: the connection breaks before the request is handled
 * - `status`: an error envelope instead of the answer; the request is not handled, unless `phase` is `after`
 * - `malformed`: the request is handled, and the body that comes back is cut in half (or is `body`)
 * - `lostAnswer`: the request is handled, then the connection breaks
 *
 * @example
 * ```ts
 * import { Fault } from "effect-oneentry/emulator"
 *
 * console.log(Fault.Kind.literals.join(", ")) // => delay, drop, status, malformed, lostAnswer
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Kind = Schema.Literals(["delay", "drop", "status", "malformed", "lostAnswer"])

/** What says where an answer ends, which is the server's: with another the connection is out of step. */
const framing = ["content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "te"]

const HeaderName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/),
  Schema.makeFilter((name: string) => !framing.includes(name.toLowerCase()) || "a header that the server does not set")
)

/** Visible characters, spaces and tabs: anything else could not be sent. */
const HeaderValue = Schema.String.check(Schema.isPattern(/^[\t\x20-\x7e]*$/))

/**
 * A fault. It hits the requests that match all of `route`, `method` and `operation`, `rate` of them (0 to 1), `count`
 * times at most.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator } from "effect-oneentry/emulator"
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   yield* emulator.faults.add({ operation: "refresh", kind: "lostAnswer", count: 1 })
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fault = Schema.Struct({
  kind: Kind,
  /** A path with `*` for anything, such as `/api/content/users/*`. */
  route: Schema.optionalKey(Schema.String),
  method: Schema.optionalKey(Schema.Literals(["GET", "POST", "PUT", "DELETE"])),
  /** The name of an operation, such as `refresh`. */
  operation: Schema.optionalKey(Schema.String),
  rate: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  count: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
  /** Milliseconds, less than 25 days of them; other kinds than `delay` may be late too. */
  delay: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_647 }))),
  /** Whether a delay or a status comes before the request is handled (the default) or after. */
  phase: Schema.optionalKey(Schema.Literals(["before", "after"])),
  /** Of `status`; 503 by default. */
  status: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 300, maximum: 599 }))),
  message: Schema.optionalKey(Schema.String),
  /** Headers of a `status` fault, such as `retry-after` or `location`. */
  headers: Schema.optionalKey(Schema.Record(HeaderName, HeaderValue)),
  /** What a `malformed` answer consists of. */
  body: Schema.optionalKey(Schema.String),
  contentType: Schema.optionalKey(HeaderValue)
})

/**
 * The decoded {@link Fault}.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * A fault that is in force: its number, and how often it has hit so far.
 *
 * @example
 * ```ts
 * import type { Fault } from "effect-oneentry/emulator"
 *
 * const isSpent = (fault: Fault.Active) => fault.count !== undefined && fault.hits >= fault.count
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Active extends Fault {
  readonly id: number
  readonly hits: number
}
