/**
 * Sessions in PostgreSQL or SQLite, for many processes: each operation is one
 * statement, so `compareAndSet` is atomic in the database, and rows end by its
 * clock. In PostgreSQL every write notifies a channel with the name of its
 * slot, never with its value.
 *
 * Statements run outside of the caller's transaction: when that is rolled
 * back, a session that was refreshed meanwhile must not be. On SQLite, where
 * the one connection belongs to the transaction, they fail inside of one.
 *
 * A server that forgets what it has answered (`synchronous_commit = off`, and a
 * crash) brings spent refresh tokens back, and ends those sessions.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import type * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import * as TokenStorage from "../TokenStorage.ts"
import * as Client from "./internal/client.ts"
import * as SqlMigrations from "./SqlMigrations.ts"
import type { UnsupportedDialectError } from "./UnsupportedDialectError.ts"

/**
 * How sessions are kept in the database.
 *
 * **Example** (The lifetime of the provider's refresh tokens)
 *
 * ```ts
 * import type { SqlTokenStorage } from "effect-oneentry/sql"
 *
 * export const options: SqlTokenStorage.Options = { timeToLive: "7 days" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The table's name; `"oneentry_sessions"` by default. */
  readonly table?: string | undefined
  /**
   * How long a row counts after it was last written; 30 days by default. Make
   * it the lifetime of the provider's refresh tokens (`refreshTokenTtlMc` of
   * its configuration), and run `removeExpired` now and then.
   */
  readonly timeToLive?: Duration.Input | undefined
  /** How long the database may take to answer before an operation fails; 5 seconds by default. */
  readonly timeout?: Duration.Input | undefined
  /** The channel that PostgreSQL notifies of writes; `"oneentry_sessions"` by default. */
  readonly channel?: string | undefined
  /**
   * How to listen to that channel: the `listen` of a `PgClient`. Without it
   * the storage has no `changes`.
   */
  readonly listen?:
    | ((channel: string) => Effect.Effect<Queue.Dequeue<{ readonly payload: string }, SqlError>, SqlError, Scope.Scope>)
    | undefined
}

/**
 * Keeps sessions in the database.
 *
 * **Example** (PostgreSQL, with changes)
 *
 * ```ts
 * import { PgClient } from "@effect/sql-pg"
 * import { Effect, Layer, Redacted } from "effect"
 * import { SqlTokenStorage } from "effect-oneentry/sql"
 *
 * export const layer = Layer.unwrap(
 *   Effect.map(PgClient.PgClient, ({ listen }) => SqlTokenStorage.layer({ listen, timeToLive: "7 days" }))
 * ).pipe(
 *   Layer.provide(PgClient.layer({ url: Redacted.make("postgres://app@127.0.0.1/app") }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options?: Options
): Layer.Layer<TokenStorage.TokenStorage, UnsupportedDialectError, SqlClient.SqlClient> =>
  Layer.effect(TokenStorage.TokenStorage, make(options))

/**
 * Makes a storage in the database.
 *
 * **Example** (An encrypted one)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import { SqlTokenStorage } from "effect-oneentry/sql"
 *
 * export const storage = (key: TokenStorage.EncryptionKey) =>
 *   Effect.flatMap(SqlTokenStorage.make(), (storage) => TokenStorage.makeEncrypted(storage, key))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = /* @__PURE__ */ Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<TokenStorage.TokenStorage["Service"], UnsupportedDialectError, SqlClient.SqlClient | Scope.Scope> {
  const client = yield* Client.make
  const { now, sql } = client
  const table = sql(options?.table ?? SqlMigrations.defaultSessions)
  const channel = options?.channel ?? SqlMigrations.defaultSessions
  const timeout = Duration.fromInputUnsafe(options?.timeout ?? Duration.seconds(5))
  const end = client.end(Duration.fromInputUnsafe(options?.timeToLive ?? Duration.days(30)))
  // Whose notifications are echoes.
  const origin = Base64Url.encode(globalThis.crypto.getRandomValues(new Uint8Array(9)))

  const run = <A>(
    operation: TokenStorage.TokenStorageError["operation"],
    slot: string,
    statement: Effect.Effect<A, SqlError>
  ) =>
    client.run(statement).pipe(
      Effect.mapError(
        (error) => new TokenStorage.TokenStorageError({ operation, slot, cause: Client.safeCause(error) })
      ),
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () =>
          Effect.fail(
            new TokenStorage.TokenStorageError({
              operation,
              slot,
              cause: new Error(`The database did not answer within ${Duration.format(timeout)}`)
            })
          )
      })
    )

  type Row = { readonly slot: string }
  /** A write that returns the slots it touched, told to the others in the same transaction. */
  const write = (slot: string, statement: ReturnType<typeof sql<Row>>) =>
    client.dialect === "sqlite"
      ? statement
      : sql<Row>`WITH written AS (${statement}) SELECT slot, pg_notify(${channel}, ${`${origin} ${slot}`}) IS NULL FROM written`

  const alive = sql`(expires_at IS NULL OR expires_at > ${now})`

  const get = (slot: string) =>
    Effect.map(
      sql<{ readonly value: string }>`SELECT value FROM ${table} WHERE slot = ${slot} AND ${alive}`,
      (rows) => rows[0]?.value
    )

  const set = (slot: string, value: string) =>
    write(
      slot,
      sql<Row>`INSERT INTO ${table} (slot, value, expires_at) VALUES (${slot}, ${value}, ${end})
      ON CONFLICT (slot) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
      RETURNING slot`
    )

  const remove = (slot: string) => write(slot, sql<Row>`DELETE FROM ${table} WHERE slot = ${slot} RETURNING slot`)

  const compareAndSet = (slot: string, expected: string | undefined, next: string | undefined) => {
    if (expected === undefined) {
      return next === undefined
        ? Effect.map(get(slot), (stored) => stored === undefined)
        : // A row that has ended is as good as none.
          Effect.map(
            write(
              slot,
              sql<Row>`INSERT INTO ${table} (slot, value, expires_at) VALUES (${slot}, ${next}, ${end})
            ON CONFLICT (slot) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
            WHERE ${table}.expires_at <= ${now}
            RETURNING slot`
            ),
            (rows) => rows.length === 1
          )
    }
    const held = sql`slot = ${slot} AND value = ${expected} AND ${alive}`
    return Effect.map(
      write(
        slot,
        next === undefined
          ? sql<Row>`DELETE FROM ${table} WHERE ${held} RETURNING slot`
          : sql<Row>`UPDATE ${table} SET value = ${next}, expires_at = ${end} WHERE ${held} RETURNING slot`
      ),
      (rows) => rows.length === 1
    )
  }

  const { listen } = options ?? {}
  const changes =
    listen === undefined || client.dialect !== "pg"
      ? undefined
      : yield* listen(channel).pipe(
          Effect.map(Stream.fromQueue),
          Stream.unwrap,
          Stream.map(({ payload }) => payload),
          // A connection that broke is opened again.
          Stream.retry(Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("10 seconds")])),
          Stream.filter((payload) => !payload.startsWith(`${origin} `)),
          Stream.map((payload) => payload.slice(payload.indexOf(" ") + 1)),
          Stream.mapError(
            (error) =>
              new TokenStorage.TokenStorageError({ operation: "changes", slot: "*", cause: Client.safeCause(error) })
          ),
          // One connection, however many sessions listen, and none when nobody does.
          Stream.share({ capacity: "unbounded" })
        )

  return TokenStorage.make({
    get: (slot) => run("get", slot, get(slot)),
    set: (slot, value) => run("set", slot, Effect.asVoid(set(slot, value))),
    remove: (slot) => run("remove", slot, Effect.asVoid(remove(slot))),
    compareAndSet: (slot, expected, next) => run("compareAndSet", slot, compareAndSet(slot, expected, next)),
    changes
  })
})

/**
 * Removes the rows of sessions and locks that have ended, and gives their
 * number. They count as absent before, so it is enough to run it now and then.
 *
 * **Example** (Every hour)
 *
 * ```ts
 * import { Effect, Schedule } from "effect"
 * import { SqlTokenStorage } from "effect-oneentry/sql"
 *
 * export const cleaning = SqlTokenStorage.removeExpired().pipe(
 *   Effect.ignore,
 *   Effect.repeat(Schedule.spaced("1 hour"))
 * )
 * ```
 *
 * @category cleaning
 * @since 0.1.0
 */
export const removeExpired = /* @__PURE__ */ Effect.fnUntraced(function* (
  tables?: SqlMigrations.Tables
): Effect.fn.Return<number, SqlError | UnsupportedDialectError, SqlClient.SqlClient> {
  const { now, run, sql } = yield* Client.make
  let removed = 0
  for (const table of [
    tables?.sessions ?? SqlMigrations.defaultSessions,
    tables?.locks ?? SqlMigrations.defaultLocks
  ]) {
    const rows = yield* run(sql`DELETE FROM ${sql(table)} WHERE expires_at <= ${now} RETURNING slot`)
    removed += rows.length
  }
  return removed
})
