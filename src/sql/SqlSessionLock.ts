/**
 * A session lock in PostgreSQL or SQLite, for many processes: a row with its
 * owner and the time when its lease ends, by the clock of the database. Where
 * that is put back, a dead process's lease lasts ten minutes longer at the most
 * (ten times the lease, if that is more).
 *
 * PostgreSQL's advisory locks would need no table, but each holds a connection
 * for as long as it is held, does not pass through a pooler of transactions,
 * and has no end: a process that is stopped keeps it for ever.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as LeaseLock from "../internal/leaseLock.ts"
import * as SessionLock from "../SessionLock.ts"
import * as Client from "./internal/client.ts"
import * as SqlMigrations from "./SqlMigrations.ts"
import type { UnsupportedDialectError } from "./UnsupportedDialectError.ts"

/**
 * How locks are kept in the database.
 *
 * **Example** (A crashed process hinders the others for ten seconds at most)
 *
 * ```ts
 * import type { SqlSessionLock } from "effect-oneentry/sql"
 *
 * export const options: SqlSessionLock.Options = { lease: "10 seconds" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The table's name; `"oneentry_session_locks"` by default. */
  readonly table?: string | undefined
  /**
   * How long a lease is, renewed while the lock is held. By default it is as
   * long as the lock may be held, and two seconds. A shorter one lets the
   * others go on sooner after a crash, and a stopped process lose it sooner.
   */
  readonly lease?: Duration.Input | undefined
  /** How long the database may take to answer before the lock is `Unavailable`; 5 seconds by default. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * Locks sessions in the database.
 *
 * **Example** (Together with the storage)
 *
 * ```ts
 * import { PgClient } from "@effect/sql-pg"
 * import { Layer, Redacted } from "effect"
 * import { SqlSessionLock, SqlTokenStorage } from "effect-oneentry/sql"
 *
 * export const layer = Layer.merge(SqlTokenStorage.layer(), SqlSessionLock.layer()).pipe(
 *   Layer.provide(PgClient.layer({ url: Redacted.make("postgres://app@127.0.0.1/app") }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<never, UnsupportedDialectError, SqlClient.SqlClient> =>
  Layer.effect(SessionLock.SessionLock, make(options))

/**
 * Makes a lock in the database.
 *
 * **Example** (A lock at hand)
 *
 * ```ts
 * import { Duration, Effect } from "effect"
 * import { SqlSessionLock } from "effect-oneentry/sql"
 *
 * export const alone = Effect.flatMap(SqlSessionLock.make(), (lock) =>
 *   lock.withLock("ann", { maxHold: Duration.seconds(30) })(Effect.log("alone")))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = /* @__PURE__ */ Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<SessionLock.SessionLock, UnsupportedDialectError, SqlClient.SqlClient> {
  const client = yield* Client.make
  const { end, now, sql } = client
  const table = sql(options?.table ?? SqlMigrations.defaultLocks)
  const run = (slot: string, statement: Effect.Effect<ReadonlyArray<unknown>, SqlError>) =>
    Effect.mapBoth(client.run(statement), {
      onFailure: (error) =>
        new SessionLock.SessionLockError({ slot, reason: "Unavailable", cause: Client.safeCause(error) }),
      onSuccess: (rows) => rows.length === 1
    })
  return LeaseLock.make(
    {
      acquire: (slot, owner, lease) =>
        run(
          slot,
          sql`INSERT INTO ${table} (slot, owner, expires_at) VALUES (${slot}, ${owner}, ${end(lease)})
        ON CONFLICT (slot) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
        WHERE ${table}.expires_at <= ${now} OR ${table}.expires_at > ${end(LeaseLock.longest(lease))}
        RETURNING slot`
        ),
      renew: (slot, owner, lease) =>
        run(
          slot,
          sql`UPDATE ${table} SET expires_at = ${end(lease)}
        WHERE slot = ${slot} AND owner = ${owner} AND expires_at > ${now}
        RETURNING slot`
        ),
      release: (slot, owner) =>
        Effect.asVoid(run(slot, sql`DELETE FROM ${table} WHERE slot = ${slot} AND owner = ${owner} RETURNING slot`))
    },
    options
  )
})
