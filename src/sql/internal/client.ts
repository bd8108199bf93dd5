/**
 * How this subpath talks to a database: outside of any transaction of the
 * caller, by the clock of the database, and with errors that hold no values.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import { UnsupportedDialectError } from "../UnsupportedDialectError.ts"

export interface Client {
  readonly sql: SqlClient.SqlClient
  readonly dialect: "pg" | "sqlite"
  /** Milliseconds since 1970 by the clock of the database: processes need not agree on the time. */
  readonly now: Fragment
  /** The time when something ends that begins now; NULL for never. */
  readonly end: (duration: Duration.Duration) => Fragment
  /** Runs a statement on a connection of its own, again where the database gave it up for another's sake. */
  readonly run: <A>(statement: Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>
}

export const make: Effect.Effect<Client, UnsupportedDialectError, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = (yield* SqlClient.SqlClient).withoutTransforms()
  const dialect = sql.onDialectOrElse({
    pg: () => "pg" as const,
    sqlite: () => "sqlite" as const,
    orElse: () => undefined
  })
  if (dialect === undefined) return yield* new UnsupportedDialectError({ driver: sql.driver })
  const time =
    dialect === "pg"
      ? "(extract(epoch from clock_timestamp()) * 1000)::bigint"
      : "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
  const now = sql.literal(time)
  return {
    sql,
    dialect,
    now,
    end: (duration) =>
      sql.literal(
        Duration.isFinite(duration) ? `${time} + ${Math.max(1, Math.ceil(Duration.toMillis(duration)))}` : "NULL"
      ),
    run: (statement) =>
      statement.pipe(
        // A session that was refreshed stays so, even if the caller's transaction is rolled back.
        Effect.updateContext((context: Context.Context<never>) => Context.omit(sql.transactionService)(context)),
        Effect.retry({ while: isContention, schedule: jittered })
      )
  }
})

const isContention = (error: SqlError): boolean =>
  error.reason._tag === "LockTimeoutError" ||
  error.reason._tag === "DeadlockError" ||
  error.reason._tag === "SerializationError"

const jittered = Schedule.forever.pipe(
  Schedule.addDelay(() => Effect.map(Random.next, (random) => Duration.millis(5 + random * 20)))
)

/**
 * What may be told of a failure. Drivers repeat rows and parameters in their
 * messages, and those hold the session; tags and SQLSTATE codes do not.
 */
export const safeCause = (error: SqlError): Error => {
  const { reason } = error
  const driver: unknown = reason.cause
  const nested = Predicate.hasProperty(driver, "cause") ? driver.cause : undefined
  const code = [driver, nested].flatMap((cause) =>
    Predicate.hasProperty(cause, "code") && /^[\w.]{1,40}$/.test(String(cause.code)) ? [String(cause.code)] : []
  )[0]
  const safe = new Error(code === undefined ? reason._tag : `${reason._tag} (${code})`)
  safe.name = "SqlError"
  return safe
}
