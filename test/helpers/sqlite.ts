/**
 * A `SqlClient` on `node:sqlite`: no released driver of Effect's fits 4.1.
 */
import { Effect, Layer, Predicate, Semaphore, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, SqlError, Statement } from "effect/sql"
import type { SqlConnection } from "effect/sql"
import type { SQLInputValue } from "node:sqlite"
import { DatabaseSync } from "node:sqlite"

type Row = Effect.Success<ReturnType<SqlConnection.Connection["execute"]>>[number]

export const layerSqlite = (
  filename: string,
  options?: { readonly busyTimeout?: number }
): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const db = yield* Effect.acquireRelease(
        Effect.sync(() => new DatabaseSync(filename, { timeout: options?.busyTimeout ?? 0 })),
        (db) => Effect.sync(() => db.close())
      )
      const attempt = <A>(operation: string, run: () => A) =>
        Effect.try({
          try: run,
          catch: (cause) =>
            new SqlError.SqlError({
              // It reads `errno`; node:sqlite says `errcode`.
              reason: SqlError.classifySqliteError(
                Predicate.hasProperty(cause, "errcode") ? Object.assign(cause, { errno: cause.errcode }) : cause,
                { message: `Failed to ${operation}`, operation }
              )
            })
        })
      const all = (sql: string, params: ReadonlyArray<unknown>, arrays = false) =>
        attempt("execute", (): ReadonlyArray<Row> => {
          const statement = db.prepare(sql)
          statement.setReturnArrays(arrays)
          return statement.all(...(params as ReadonlyArray<SQLInputValue>))
        })
      const connection: SqlConnection.Connection = {
        execute: (sql, params, transform) => (transform ? Effect.map(all(sql, params), transform) : all(sql, params)),
        executeRaw: (sql, params) =>
          attempt("execute", () => db.prepare(sql).run(...(params as ReadonlyArray<SQLInputValue>))),
        executeValues: (sql, params) => all(sql, params, true),
        executeValuesUnprepared: (sql, params) => all(sql, params, true),
        executeUnprepared: (sql, params, transform) =>
          transform ? Effect.map(all(sql, params), transform) : all(sql, params),
        executeStream: (sql, params, transform) =>
          Stream.unwrap(Effect.map(all(sql, params), (rows) => Stream.fromIterable(transform ? transform(rows) : rows)))
      }
      const semaphore = yield* Semaphore.make(1)
      return yield* SqlClient.make({
        ...SqlClient.makeSqliteAcquirers({ connection: Effect.succeed(connection), semaphore }),
        compiler: Statement.makeCompilerSqlite(),
        driver: "sqlite",
        spanAttributes: [["db.system.name", "sqlite"]]
      })
    })
  ).pipe(Layer.provide(Reactivity.layer))
