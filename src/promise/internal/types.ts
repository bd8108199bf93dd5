/** What plain results look like, computed from the types that the schemas of this package decode into. */
import type * as DateTime from "effect/DateTime"
import type * as Redacted from "effect/Redacted"

type Member<T, K extends keyof T> = Plain<T[K]> | ({} extends Pick<T, K> ? null : never)

/**
 * A decoded type as it was on the wire: secrets and dates are strings, arrays can be written to, and what may be absent
 * may be `null` too.
 */
export type Plain<T> = unknown extends T
  ? unknown
  : T extends Redacted.Redacted<infer A>
    ? Plain<A>
    : T extends DateTime.Utc
      ? string
      : T extends ReadonlyArray<infer A>
        ? Array<Plain<A>>
        : T extends object
          ? { -readonly [K in keyof T]: Member<T, K> }
          : T

/** As `Plain`, some members as the server writes them. */
export type PlainWith<T, Members> = Omit<Plain<T>, keyof Members> & Members
