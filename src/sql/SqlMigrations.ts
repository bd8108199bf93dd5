/**
 * The tables that sessions and locks are kept in: as a migration for Effect's
 * `Migrator`, and as plain SQL for any other tool.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/**
 * The names of the two tables.
 *
 * **Example** (In a schema of their own)
 *
 * ```ts
 * import type { SqlMigrations } from "effect-oneentry/sql"
 *
 * export const tables: SqlMigrations.Tables = { sessions: "auth.sessions", locks: "auth.session_locks" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Tables {
  /** `"oneentry_sessions"` by default. */
  readonly sessions?: string | undefined
  /** `"oneentry_session_locks"` by default. */
  readonly locks?: string | undefined
}

/**
 * Creates the tables, unless they are there: a migration, and an Effect that can run as it is.
 *
 * **Example** (Among the migrations of an application)
 *
 * ```ts
 * import { Migrator } from "effect/sql"
 * import { SqlMigrations } from "effect-oneentry/sql"
 *
 * export const migrate = Migrator.make({})({
 *   loader: Migrator.fromRecord({
 *     "0001_oneentry_sessions": SqlMigrations.migration
 *   })
 * })
 * ```
 *
 * @category migrations
 * @since 0.1.0
 */
export const migration: Effect.Effect<void, SqlError, SqlClient.SqlClient> = Effect.suspend(() => make())

/**
 * Makes the migration for tables with other names.
 *
 * **Example** (Prefixed tables)
 *
 * ```ts
 * import { Migrator } from "effect/sql"
 * import { SqlMigrations } from "effect-oneentry/sql"
 *
 * export const loader = Migrator.fromRecord({
 *   "0007_sessions": SqlMigrations.make({ sessions: "app_sessions", locks: "app_session_locks" })
 * })
 * ```
 *
 * @category migrations
 * @since 0.1.0
 */
export const make = (tables?: Tables): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => {
    const create = (dialect: "pg" | "sqlite") =>
      Effect.forEach(statements(tables, dialect), (statement) => sql.unsafe(statement), { discard: true })
    return sql.onDialectOrElse({
      // Of two processes that create a table at once PostgreSQL fails one, `IF NOT EXISTS` or not: so one comes after the other.
      pg: () =>
        sql.withTransaction(
          Effect.andThen(sql`SELECT pg_advisory_xact_lock(hashtext('effect-oneentry/SqlMigrations'))`, create("pg"))
        ),
      sqlite: () => create("sqlite"),
      orElse: () => create("pg")
    })
  })

/**
 * Gives the statements as plain SQL. They are the same for PostgreSQL and SQLite, unless a table has a schema: then the
 * index is named in another way, and the dialect counts (`"pg"` by default).
 *
 * Times are milliseconds since 1970.
 *
 * **Example** (For another migration tool)
 *
 * ```ts
 * import { SqlMigrations } from "effect-oneentry/sql"
 *
 * console.log(SqlMigrations.statements().join(";\n"))
 * ```
 *
 * **Example** (The index of a table in a schema)
 *
 * ```ts
 * import { SqlMigrations } from "effect-oneentry/sql"
 *
 * for (const dialect of ["pg", "sqlite"] as const)
 *   console.log(SqlMigrations.statements({ sessions: "auth.sessions" }, dialect)[1])
 * // => CREATE INDEX IF NOT EXISTS "sessions_expires_at" ON "auth"."sessions" (expires_at)
 * // => CREATE INDEX IF NOT EXISTS "auth"."sessions_expires_at" ON "sessions" (expires_at)
 * ```
 *
 * @category migrations
 * @since 0.1.0
 */
export const statements = (tables?: Tables, dialect: "pg" | "sqlite" = "pg"): ReadonlyArray<string> => {
  const sessions = tables?.sessions ?? defaultSessions
  const locks = tables?.locks ?? defaultLocks
  // An index is in the schema of its table: PostgreSQL takes it from there, SQLite from the name of the index.
  const bare = sessions.slice(sessions.lastIndexOf(".") + 1)
  const [index, indexed] = dialect === "sqlite" ? [sessions, bare] : [bare, sessions]
  return [
    `CREATE TABLE IF NOT EXISTS ${quoted(sessions)} (slot TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at BIGINT)`,
    `CREATE INDEX IF NOT EXISTS ${quoted(`${index}_expires_at`)} ON ${quoted(indexed)} (expires_at)`,
    `CREATE TABLE IF NOT EXISTS ${quoted(
      locks
    )} (slot TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at BIGINT NOT NULL)`
  ]
}

/**
 * The name of the sessions' table.
 *
 * **Example** (Counting sessions)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { SqlClient } from "effect/sql"
 * import { SqlMigrations } from "effect-oneentry/sql"
 *
 * export const count = Effect.flatMap(SqlClient.SqlClient, (sql) =>
 *   sql`SELECT count(*) FROM ${sql(SqlMigrations.defaultSessions)}`)
 * ```
 *
 * @category migrations
 * @since 0.1.0
 */
export const defaultSessions = "oneentry_sessions"

/**
 * The name of the locks' table.
 *
 * **Example** (Who holds what)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { SqlClient } from "effect/sql"
 * import { SqlMigrations } from "effect-oneentry/sql"
 *
 * export const locks = Effect.flatMap(SqlClient.SqlClient, (sql) =>
 *   sql`SELECT slot, expires_at FROM ${sql(SqlMigrations.defaultLocks)}`)
 * ```
 *
 * @category migrations
 * @since 0.1.0
 */
export const defaultLocks = "oneentry_session_locks"

const quoted = (name: string) =>
  name
    .split(".")
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join(".")
