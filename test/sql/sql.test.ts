import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Redacted, Schedule, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { Migrator, SqlClient, type SqlError, Statement } from "effect/sql"
import * as SessionLock from "effect-oneentry/SessionLock"
import * as TokenStorage from "effect-oneentry/TokenStorage"
import { SqlMigrations, SqlSessionLock, SqlTokenStorage, UnsupportedDialectError } from "effect-oneentry/sql"
import { SessionLockSuite, TokenStorageSuite } from "effect-oneentry/testing"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { inspect } from "node:util"
import { hosted } from "../helpers/hosted.ts"
import { layerClient, postgres, startPostgres } from "../helpers/postgres.ts"
import { layerSqlite } from "../helpers/sqlite.ts"

const hold = { maxHold: Duration.seconds(20) }
const key = Redacted.make(new Uint8Array(32).fill(3))

const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("20 millis"), times: 500 })

/** What holds on either database; `client` makes a new client each time it is built afresh, `schema` one for tables. */
const contract = (
  client: Layer.Layer<SqlClient.SqlClient>,
  schema: Effect.Effect<Required<SqlMigrations.Tables>, SqlError.SqlError, SqlClient.SqlClient>
) => {
  const storage = SqlTokenStorage.layer().pipe(Layer.provide(client), Layer.orDie)
  const lock = SqlSessionLock.layer().pipe(Layer.provide(client), Layer.orDie)
  const short = SqlSessionLock.layer({ lease: "400 millis" }).pipe(Layer.provide(client), Layer.orDie)

  describe("SqlTokenStorage", () => {
    TokenStorageSuite.register(it, storage, { other: storage })
  })
  describe("SqlTokenStorage, encrypted", () => {
    const encrypted = TokenStorage.layerEncrypted(key).pipe(Layer.provide(storage))
    TokenStorageSuite.register(it, encrypted, { other: encrypted })
  })
  describe("SqlSessionLock", () => {
    SessionLockSuite.register(it, lock, { other: lock })
  })
  describe("SqlSessionLock with a short lease", () => {
    SessionLockSuite.register(it, short, { other: short })
  })

  it.live("rows end, count as absent then, and are removed by removeExpired", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* SqlTokenStorage.removeExpired()
      const brief = yield* SqlTokenStorage.make({ timeToLive: "30 millis" })
      const lasting = yield* SqlTokenStorage.make({ timeToLive: "1 hour" })
      const forEver = yield* SqlTokenStorage.make({ timeToLive: Duration.infinity })
      for (const slot of ["ttl-1", "ttl-2", "ttl-3"]) {
        yield* brief.set(slot, "1")
        yield* eventually(Effect.filterOrFail(brief.get(slot), (value) => value === undefined))
      }
      // What has ended is neither expected nor in the way.
      assert.isFalse(yield* lasting.compareAndSet("ttl-1", "1", "2"))
      assert.isFalse(yield* lasting.compareAndSet("ttl-1", "1", undefined))
      assert.isTrue(yield* lasting.compareAndSet("ttl-1", undefined, "2"))
      assert.isFalse(yield* lasting.compareAndSet("ttl-1", undefined, "3"))
      yield* forEver.set("ttl-4", "1")
      yield* sql`INSERT INTO ${sql(SqlMigrations.defaultLocks)} (slot, owner, expires_at) VALUES ('ttl', 'dead', 1)`
      assert.strictEqual(yield* SqlTokenStorage.removeExpired(), 3)
      assert.strictEqual(yield* SqlTokenStorage.removeExpired(), 0)
      assert.strictEqual(yield* lasting.get("ttl-1"), "2")
      assert.strictEqual(yield* forEver.get("ttl-4"), "1")
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("a lock is renewed while it is held, is nobody's but its owner's, and ends with a dead process", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const table = sql(SqlMigrations.defaultLocks)
      const ownerOf = (slot: string) =>
        Effect.map(sql<{ owner: string }>`SELECT owner FROM ${table} WHERE slot = ${slot}`, (rows) => rows[0]?.owner)
      const lock = yield* SqlSessionLock.make({ lease: "300 millis" })
      const held = yield* Deferred.make<void>()
      const holder = yield* Effect.forkChild(
        lock.withLock("renewed", hold)(Effect.andThen(Deferred.succeed(held, undefined), Effect.never))
      )
      yield* Deferred.await(held)
      const owner = yield* ownerOf("renewed")
      assert.match(owner ?? "", /^[\w-]{22}$/)
      const before = yield* sql<{ expires_at: unknown }>`SELECT expires_at FROM ${table} WHERE slot = 'renewed'`
      yield* eventually(
        sql<{ expires_at: unknown }>`SELECT expires_at FROM ${table} WHERE slot = 'renewed'`.pipe(
          Effect.filterOrFail((rows) => Number(rows[0]?.expires_at) > Number(before[0]?.expires_at) + 300)
        )
      )
      assert.strictEqual(yield* ownerOf("renewed"), owner)
      yield* Fiber.interrupt(holder)
      assert.isUndefined(yield* ownerOf("renewed"))

      // Taken over by somebody else in the middle: left alone at the end.
      yield* lock.withLock("lost", hold)(sql`UPDATE ${table} SET owner = 'else' WHERE slot = 'lost'`)
      assert.strictEqual(yield* ownerOf("lost"), "else")
      // Left behind by a dead process: free when its time is over.
      assert.strictEqual(yield* lock.withLock("lost", hold)(Effect.succeed("in")), "in")
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("a lease that a dead process took before the clock was put back is nobody's", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const table = sql(SqlMigrations.defaultLocks)
      const lock = yield* SqlSessionLock.make()
      const taken = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const holder = yield* Effect.forkChild(
        lock.withLock("back", hold)(Effect.andThen(Deferred.succeed(taken, undefined), Deferred.await(go)))
      )
      yield* Deferred.await(taken)
      // Another process, which does not wait for long.
      const other = yield* SqlSessionLock.make({ lease: "1 second" })
      const brief = { maxHold: Duration.millis(1) }
      // Of a process that is configured otherwise: a lease of five minutes is no sign of a clock.
      yield* sql`UPDATE ${table} SET expires_at = expires_at + 300000 WHERE slot = 'back'`
      assert.strictEqual((yield* Effect.flip(other.withLock("back", brief)(Effect.void))).reason, "Timeout")
      yield* sql`UPDATE ${table} SET expires_at = expires_at + 3300000 WHERE slot = 'back'`
      assert.strictEqual(yield* other.withLock("back", hold)(Effect.succeed("in")), "in")
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(holder)
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("a table may be called anything: its name is never SQL", () =>
    Effect.gen(function* () {
      const tables = { sessions: `it's "ours"; DROP TABLE x; --`, locks: `"` }
      yield* SqlMigrations.make(tables)
      yield* SqlMigrations.make(tables)
      const storage = yield* SqlTokenStorage.make({ table: tables.sessions, timeToLive: "1 milli" })
      const lock = yield* SqlSessionLock.make({ table: tables.locks })
      yield* lock.withLock("ann", hold)(storage.set("ann", "1"))
      assert.isTrue(yield* eventually(storage.compareAndSet("ann", undefined, "2")))
      yield* eventually(Effect.filterOrFail(SqlTokenStorage.removeExpired(tables), (removed) => removed === 1))
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("tables with other names, in a schema of their own", () =>
    Effect.gen(function* () {
      const tables = yield* schema
      yield* SqlMigrations.make(tables)
      yield* SqlMigrations.make(tables)
      const storage = yield* SqlTokenStorage.make({ table: tables.sessions, timeToLive: "20 millis" })
      yield* storage.set("ann", "1")
      yield* eventually(Effect.filterOrFail(storage.get("ann"), (value) => value === undefined))
      assert.isTrue(yield* storage.compareAndSet("ann", undefined, "2"))
      yield* eventually(Effect.filterOrFail(storage.get("ann"), (value) => value === undefined))
      const lock = yield* SqlSessionLock.make({ table: tables.locks })
      assert.strictEqual(yield* lock.withLock("ann", hold)(Effect.succeed(1)), 1)
      assert.strictEqual(yield* SqlTokenStorage.removeExpired(tables), 1)
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("a missing table fails typed, and no value gets into the error", () =>
    Effect.gen(function* () {
      const storage = yield* SqlTokenStorage.make({ table: "nowhere" })
      const errors = yield* Effect.all([
        Effect.flip(storage.get("ann")),
        Effect.flip(storage.set("ann", "CANARY")),
        Effect.flip(storage.compareAndSet("ann", "CANARY", "CANARY")),
        Effect.flip(storage.remove("ann"))
      ])
      assert.deepStrictEqual(
        errors.map((error) => error.operation),
        ["get", "set", "compareAndSet", "remove"]
      )
      assert.isFalse(inspect(errors, { depth: 9 }).includes("CANARY"))
      const lock = yield* SqlSessionLock.make({ table: "nowhere" })
      assert.strictEqual((yield* Effect.flip(lock.withLock("ann", hold)(Effect.void))).reason, "Unavailable")
    }).pipe(Effect.scoped, Effect.provide(client))
  )
}

const migrate = Migrator.make({})({
  loader: Migrator.fromRecord({ "0001_oneentry_sessions": SqlMigrations.migration })
})

describe("on SQLite", () => {
  const file = hosted(
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => fs.mkdtemp(path.join(os.tmpdir(), "oneentry-sqlite-"))),
        (directory) => Effect.promise(() => fs.rm(directory, { recursive: true, force: true }))
      )
      const file = path.join(directory, "sessions.db")
      const migrated = yield* Effect.provide(migrate, layerSqlite(file))
      assert.deepStrictEqual(migrated, [[1, "oneentry_sessions"]])
      assert.deepStrictEqual(yield* Effect.provide(migrate, layerSqlite(file)), [])
      return file
    })
  )
  contract(
    Layer.unwrap(Effect.sync(() => layerSqlite(file()))),
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      Effect.as(sql`ATTACH DATABASE ':memory:' AS auth`, { sessions: "auth.Sessions", locks: "auth.locks" })
    )
  )

  it.live("tables of the main schema may be called by it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* SqlMigrations.make({ sessions: "main.called", locks: "main.called_locks" })
      const indices = yield* sql<{
        tbl_name: string
      }>`SELECT tbl_name FROM main.sqlite_schema WHERE name = ${"called_expires_at"}`
      assert.deepStrictEqual(
        indices.map(({ tbl_name }) => tbl_name),
        ["called"]
      )
    }).pipe(Effect.provide(Layer.unwrap(Effect.sync(() => layerSqlite(file())))))
  )

  it.live("inside of a transaction it fails typed, and touches nothing", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const storage = yield* SqlTokenStorage.make({ timeout: "100 millis" })
      const error = yield* sql.withTransaction(Effect.flip(storage.set("in-transaction", "1")))
      assert.deepStrictEqual([error._tag, error.operation], ["TokenStorageError", "set"])
      assert.isUndefined(yield* storage.get("in-transaction"))
    }).pipe(Effect.scoped, Effect.provide(Layer.unwrap(Effect.sync(() => layerSqlite(file())))))
  )

  it.live("waits while another process has the database locked, and not for ever", () =>
    Effect.gen(function* () {
      const storage = yield* SqlTokenStorage.make({ timeout: "500 millis" })
      const other = yield* Effect.map(Layer.build(Layer.fresh(layerSqlite(file()))), (context) => context)
      const sql = yield* Effect.provide(SqlClient.SqlClient, other)
      const locked = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const busy = yield* Effect.forkChild(
        sql.withTransaction(
          sql`INSERT INTO oneentry_sessions (slot, value) VALUES ('busy', '1')`.pipe(
            Effect.andThen(Deferred.succeed(locked, undefined)),
            Effect.andThen(Deferred.await(go))
          )
        )
      )
      yield* Deferred.await(locked)
      const error = yield* Effect.flip(storage.set("patient", "1"))
      assert.strictEqual(error.operation, "set")
      const patient = yield* Effect.forkChild(storage.set("patient", "2"), { startImmediately: true })
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(busy)
      yield* Fiber.join(patient)
      assert.strictEqual(yield* storage.get("patient"), "2")
    }).pipe(Effect.scoped, Effect.provide(Layer.unwrap(Effect.sync(() => layerSqlite(file())))))
  )
})

describe.skipIf(!postgres.available)("on PostgreSQL", () => {
  const server = hosted(
    Effect.gen(function* () {
      const server = yield* startPostgres
      yield* Effect.provide(migrate, layerClient(server.port))
      return server
    })
  )
  const client = Layer.unwrap(Effect.sync(() => layerClient(server().port))).pipe(Layer.orDie)
  contract(
    client,
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      Effect.as(sql`CREATE SCHEMA auth`, { sessions: "auth.Sessions", locks: "auth.locks" })
    )
  )

  describe("with changes", () => {
    const storage = Layer.unwrap(Effect.map(PgClient.PgClient, ({ listen }) => SqlTokenStorage.layer({ listen }))).pipe(
      Layer.provide(client),
      Layer.orDie
    )
    TokenStorageSuite.register(it, storage, { other: storage, changes: true })
  })

  it.live("processes that start together all run the migration", () =>
    Effect.gen(function* () {
      for (let round = 0; round < 5; round++) {
        const tables = { sessions: `together_${round}`, locks: `together_locks_${round}` }
        const migration = Effect.provide(SqlMigrations.make(tables), Layer.fresh(client))
        yield* Effect.all(
          Array.from({ length: 8 }, () => migration),
          { concurrency: "unbounded" }
        )
      }
    })
  )

  it.live("a session survives the rollback of the caller's transaction", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const storage = yield* SqlTokenStorage.make()
      const lock = yield* SqlSessionLock.make()
      yield* storage.set("rollback", "1")
      const exit = yield* Effect.exit(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* lock.withLock("rollback", hold)(storage.compareAndSet("rollback", "1", "2"))
            return yield* Effect.fail("rolled back")
          })
        )
      )
      assert.deepStrictEqual(exit, Exit.fail("rolled back"))
      assert.strictEqual(yield* storage.get("rollback"), "2")
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("is atomic at every level of isolation", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      for (const level of ["repeatable read", "serializable"]) {
        yield* sql.unsafe(`ALTER DATABASE postgres SET default_transaction_isolation = '${level}'`)
        yield* Effect.gen(function* () {
          const storage = yield* SqlTokenStorage.make({ timeout: "20 seconds" })
          yield* storage.remove("isolation")
          for (const expected of [undefined, "x"]) {
            if (expected !== undefined) yield* storage.set("isolation", expected)
            const wins = yield* Effect.forEach(
              Array.from({ length: 30 }),
              (_, n) => storage.compareAndSet("isolation", expected, `writer ${n}`),
              { concurrency: "unbounded" }
            )
            assert.strictEqual(wins.filter(Boolean).length, 1)
          }
        }).pipe(Effect.scoped, Effect.provide(Layer.fresh(client), { local: true }))
      }
      yield* sql`ALTER DATABASE postgres RESET default_transaction_isolation`
    }).pipe(Effect.provide(client))
  )

  it.live("what a constraint says of a row does not get into the error", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE strict_sessions (slot TEXT PRIMARY KEY, value TEXT NOT NULL CHECK (length(value) > 99), expires_at BIGINT)`
      yield* sql`CREATE TABLE json_sessions (slot TEXT PRIMARY KEY, value JSON NOT NULL, expires_at BIGINT)`
      for (const table of ["strict_sessions", "json_sessions"]) {
        const storage = yield* SqlTokenStorage.make({ table })
        const error = yield* Effect.flip(storage.set("ann", "CANARY"))
        assert.match(String(error.cause), /^SqlError: \w+Error/)
        assert.isFalse(`${inspect(error, { depth: 9 })}${JSON.stringify(error)}${error.stack}`.includes("CANARY"))
      }
    }).pipe(Effect.scoped, Effect.provide(client))
  )

  it.live("fails typed and soon while the server is away, and comes back by itself", () =>
    Effect.gen(function* () {
      const server = yield* startPostgres
      yield* Effect.gen(function* () {
        yield* SqlMigrations.migration
        const { listen } = yield* PgClient.PgClient
        const storage = yield* SqlTokenStorage.make({ timeout: "1 second", listen })
        const lock = yield* SqlSessionLock.make({ timeout: "1 second" })
        const seen: Array<string> = []
        yield* Effect.forkScoped(Stream.runForEach(storage.changes, (slot) => Effect.sync(() => seen.push(slot))))
        yield* storage.set("ann", "CANARY")
        yield* server.kill
        const failures = yield* Effect.all(
          [
            Effect.flip(storage.get("ann")),
            Effect.flip(storage.set("ann", "CANARY 2")),
            Effect.flip(storage.remove("ann")),
            Effect.flip(storage.compareAndSet("ann", "CANARY", "CANARY 3"))
          ],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          failures.map((error) => error.operation),
          ["get", "set", "remove", "compareAndSet"]
        )
        assert.isFalse(inspect(failures, { depth: 9 }).includes("CANARY"))
        const unavailable = yield* Effect.flip(lock.withLock("ann", hold)(Effect.succeed("in")))
        assert.deepStrictEqual([unavailable._tag, unavailable.reason], ["SessionLockError", "Unavailable"])
        yield* server.start
        yield* eventually(storage.set("ann", "1"))
        assert.isTrue(yield* storage.compareAndSet("ann", "1", "2"))
        assert.strictEqual(yield* eventually(lock.withLock("ann", hold)(Effect.succeed("in"))), "in")
        const foreign = yield* SqlTokenStorage.make()
        yield* eventually(
          Effect.andThen(
            foreign.set("bob", "1"),
            Effect.suspend(() => (seen.includes("bob") ? Effect.void : Effect.fail("not heard yet")))
          )
        )
      }).pipe(Effect.scoped, Effect.provide(layerClient(server.port)))
    }).pipe(Effect.scoped)
  )
})

describe("on anything else", () => {
  it.effect("fails when it is built, and says what it takes", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.make({
        acquirer: Effect.die("never used"),
        compiler: Statement.makeCompiler({
          dialect: "mysql",
          placeholder: () => "?",
          onIdentifier: (name) => name,
          onRecordUpdate: () => ["", []],
          onCustom: () => ["", []]
        }),
        driver: "mysql2",
        spanAttributes: []
      })
      const errors = yield* Effect.all([Effect.flip(SqlTokenStorage.make()), Effect.flip(SqlSessionLock.make())]).pipe(
        Effect.provideService(SqlClient.SqlClient, sql)
      )
      for (const error of errors) {
        assert.instanceOf(error, UnsupportedDialectError)
        assert.include(error.message, "PostgreSQL or SQLite")
        assert.include(error.message, "mysql2")
      }
      assert.isDefined(yield* SessionLock.SessionLock)
    }).pipe(Effect.scoped, Effect.provide(Reactivity.layer))
  )
})
