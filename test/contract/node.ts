/** What Node, Bun and Deno have beside the web: files, and SQLite with its lock. */
import { Effect, Layer } from "effect"
import { SessionLock, TokenStorage } from "effect-oneentry"
import { SqlMigrations, SqlSessionLock, SqlTokenStorage } from "effect-oneentry/sql"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { layerSqlite } from "../helpers/sqlite.ts"
import type { Platform } from "./suite.ts"

const hex = (bytes: ArrayBuffer) => Buffer.from(bytes).toString("hex")

/** A storage of one's own, as docs/custom-storage.md has it: a file for each slot, replaced in one step. */
const files = (folder: string): TokenStorage.TokenStorage["Service"] => {
  const attempt = <A>(operation: "get" | "set" | "remove", slot: string, run: (file: string) => Promise<A>) =>
    Effect.tryPromise({
      try: async () =>
        run(path.join(folder, hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(slot))))),
      catch: (cause) => new TokenStorage.TokenStorageError({ operation, slot, cause })
    })
  return TokenStorage.make({
    get: (slot) =>
      attempt("get", slot, (file) =>
        fs.readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
          if (error.code === "ENOENT") return undefined
          throw error
        })
      ),
    set: (slot, value) =>
      attempt("set", slot, async (file) => {
        const next = `${file}.${crypto.randomUUID()}`
        await fs.writeFile(next, value)
        await fs.rename(next, file)
      }),
    remove: (slot) => attempt("remove", slot, (file) => fs.rm(file, { force: true }))
  })
}

export const nodePlatform = async (): Promise<Platform> => {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "oneentry-contract-"))
  const sqlite = layerSqlite(path.join(folder, "sessions.db"), { busyTimeout: 10_000 })
  await Effect.runPromise(Effect.provide(SqlMigrations.migration, sqlite))
  const sqliteLock = SqlSessionLock.layer().pipe(Layer.provide(sqlite))
  return {
    storages: {
      files: {
        storage: Layer.sync(TokenStorage.TokenStorage, () => files(folder)),
        // Files do not compare and set: one process shares one lock.
        lock: Layer.succeed(SessionLock.SessionLock, SessionLock.makeInProcess()),
        changes: false
      },
      SQLite: { storage: SqlTokenStorage.layer().pipe(Layer.provide(sqlite)), lock: sqliteLock, changes: false }
    },
    locks: { SQLite: sqliteLock }
  }
}
