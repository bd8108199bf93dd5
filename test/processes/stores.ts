/** The three stores of many processes, and what a test wants to know of them from outside. */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { Context, Effect, Layer, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import { SqlMigrations } from "effect-oneentry/sql"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import * as postgres from "../helpers/postgres.ts"
import * as redis from "../helpers/redis.ts"
import { layerSqlite } from "../helpers/sqlite.ts"
import type { StoreConfig } from "./protocol.ts"

export interface Store {
  readonly config: StoreConfig
  /** What is stored, as it is. */
  readonly raw: (slot: string) => Effect.Effect<string | undefined>
  /** In how many milliseconds it ends. */
  readonly timeToLive: (slot: string) => Effect.Effect<number>
  /** How many milliseconds the lock's lease has left; 0: nobody has it. */
  readonly lease: (slot: string) => Effect.Effect<number>
  /** Puts the store out of reach, keeping what it holds; brings it back. */
  readonly down: Effect.Effect<void>
  readonly up: Effect.Effect<void>
}

const directory = (prefix: string) =>
  Effect.acquireRelease(
    Effect.promise(() => fs.mkdtemp(path.join(os.tmpdir(), prefix))),
    (folder) => Effect.promise(() => fs.rm(folder, { recursive: true, force: true }))
  )

export const startRedis: Effect.Effect<Store, never, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* directory("oneentry-redis-")
  // What was answered is on the disk: a restart forgets nothing.
  const server = yield* redis.startRedis(["--dir", folder, "--appendonly", "yes", "--appendfsync", "always"])
  const client = Context.get(yield* Layer.build(Layer.fresh(redis.layerClient(server.port))), NodeRedis.NodeRedis)
  const use = <A>(f: (client: NodeRedis.NodeRedis["Service"]["client"]) => Promise<A>) => Effect.orDie(client.use(f))
  return {
    config: { kind: "redis" as const, port: server.port },
    raw: (slot: string) =>
      Effect.map(
        use((client) => client.get(`oneentry:session:${slot}`)),
        (value) => value ?? undefined
      ),
    timeToLive: (slot: string) => use((client) => client.pTTL(`oneentry:session:${slot}`)),
    lease: (slot: string) =>
      Effect.map(
        use((client) => client.pTTL(`oneentry:lock:${slot}`)),
        (left) => Math.max(0, left)
      ),
    down: server.kill,
    up: server.start
  }
}).pipe(Effect.orDie)

const sqlStore = (options: {
  readonly config: StoreConfig
  readonly client: Layer.Layer<SqlClient.SqlClient, unknown>
  readonly now: string
  readonly down: Effect.Effect<void>
  readonly up: Effect.Effect<void>
}) =>
  Effect.gen(function* () {
    const sql = Context.get(yield* Layer.build(Layer.fresh(options.client)), SqlClient.SqlClient)
    yield* Effect.provideService(SqlMigrations.migration, SqlClient.SqlClient, sql)
    const left = (table: string, slot: string) =>
      Effect.map(
        sql.unsafe<{ left: unknown }>(
          `SELECT expires_at - ${options.now} AS "left" FROM ${table} WHERE slot = '${slot}'`
        ),
        (rows) => Math.max(0, Number(rows[0]?.left ?? 0))
      ).pipe(Effect.orDie)
    return {
      config: options.config,
      raw: (slot: string) =>
        Effect.map(
          sql<{ value: string }>`SELECT value FROM oneentry_sessions WHERE slot = ${slot}`,
          (rows) => rows[0]?.value
        ).pipe(Effect.orDie),
      timeToLive: (slot: string) => left(SqlMigrations.defaultSessions, slot),
      lease: (slot: string) => left(SqlMigrations.defaultLocks, slot),
      down: options.down,
      up: options.up
    }
  })

export const startPostgres: Effect.Effect<Store, never, Scope.Scope> = Effect.gen(function* () {
  const server = yield* postgres.startPostgres
  // What was answered outlives the server: the helper starts one that is quick, and forgets.
  yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`ALTER DATABASE postgres SET synchronous_commit = on`).pipe(
    Effect.provide(Layer.fresh(postgres.layerClient(server.port)))
  )
  return yield* sqlStore({
    config: { kind: "postgres", port: server.port },
    client: postgres.layerClient(server.port),
    now: "(extract(epoch from clock_timestamp()) * 1000)::bigint",
    down: server.kill,
    up: server.start
  })
}).pipe(Effect.orDie)

export const startSqlite: Effect.Effect<Store, never, Scope.Scope> = Effect.gen(function* () {
  const file = path.join(yield* directory("oneentry-sqlite-"), "sessions.db")
  // A file has no server to go away: somebody keeps it locked instead.
  const other = Context.get(
    yield* Layer.build(Layer.fresh(layerSqlite(file, { busyTimeout: 10_000 }))),
    SqlClient.SqlClient
  )
  return yield* sqlStore({
    config: { kind: "sqlite", file },
    client: layerSqlite(file, { busyTimeout: 10_000 }),
    now: "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    down: Effect.asVoid(Effect.orDie(other`BEGIN EXCLUSIVE`)),
    up: Effect.asVoid(Effect.orDie(other`COMMIT`))
  })
}).pipe(Effect.orDie)
