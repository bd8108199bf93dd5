/**
 * The few codecs that errors are made of. Those of Effect do more (arbitraries, equivalences, code generation), and what
 * they bring along would be 2 KiB of every bundle.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

const isDate = (text: string): boolean => DateTime.make(text)._tag === "Some"

/** A string that is a date. */
export const DateText = Schema.String.check(Schema.makeFilter((text: string) => isDate(text) || "an ISO date"))

const isUtc = (u: unknown): u is DateTime.Utc => DateTime.isDateTime(u) && DateTime.isUtc(u)

/** An instant, an ISO string when it is encoded. */
export const Instant: Schema.Codec<DateTime.Utc, string> = DateText.pipe(
  Schema.decodeTo(
    Schema.declare(isUtc),
    SchemaTransformation.transform({
      decode: (text) => DateTime.toUtc(DateTime.makeUnsafe(text)),
      encode: DateTime.formatIso
    })
  )
)

/** A length of time, milliseconds when it is encoded. */
export const Millis: Schema.Codec<Duration.Duration, number> = Schema.Finite.pipe(
  Schema.decodeTo(
    Schema.declare(Duration.isDuration),
    SchemaTransformation.transform({ decode: Duration.millis, encode: Duration.toMillis })
  )
)

/** Whatever went wrong elsewhere; of an error, its name and message are kept when it is encoded. */
export const Foreign: Schema.Codec<unknown> = Schema.Unknown.pipe(
  Schema.decodeTo(
    Schema.Unknown,
    SchemaTransformation.transform({
      decode: (u): unknown =>
        Predicate.hasProperty(u, "message") && typeof u.message === "string"
          ? Object.assign(new Error(u.message), "name" in u ? { name: u.name } : {})
          : u,
      encode: (u): unknown => (u instanceof Error ? { name: u.name, message: u.message } : String(u))
    })
  )
)

/** A secret, which is never encoded. */
export const Secret: Schema.Schema<Redacted.Redacted<string>> = Schema.declare(
  (u): u is Redacted.Redacted<string> => Redacted.isRedacted(u) && typeof Redacted.value(u) === "string",
  { expected: "Redacted" }
)
