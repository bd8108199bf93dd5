/**
 * A real PostgreSQL cluster on a port of its own, in a temporary folder, that tests can stop and start again.
 */
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { freePort } from "./freePort.ts"
import { requirement } from "./requirements.ts"

export interface PostgresServer {
  readonly port: number
  /** Ends it at once, as a crash does. */
  readonly kill: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

export const postgres = requirement("postgres")

const run = promisify(execFile)

// The server refuses to run as root.
const asPostgres = (program: string, args: ReadonlyArray<string>) =>
  process.getuid?.() === 0
    ? run("runuser", ["-u", "postgres", "--", program, ...args], { cwd: os.tmpdir() })
    : run(program, [...args], { cwd: os.tmpdir() })

export const startPostgres = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const directory = await fs.mkdtemp(path.join(os.tmpdir(), "oneentry-pg-"))
      if (process.getuid?.() === 0) await run("chown", ["postgres", directory])
      return directory
    }),
    (directory) => Effect.promise(() => fs.rm(directory, { recursive: true, force: true }))
  )
  const data = path.join(directory, "data")
  const port = yield* Effect.promise(freePort)
  const { initdb = "initdb", pg_ctl = "pg_ctl" } = postgres.binaries
  yield* Effect.promise(() =>
    asPostgres(initdb, ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C"])
  )
  const settings = [
    `-p ${port}`,
    "-c listen_addresses=127.0.0.1",
    `-c unix_socket_directories=${directory}`,
    "-c fsync=off",
    "-c synchronous_commit=off",
    "-c full_page_writes=off"
  ]
  const start = Effect.promise(async () => {
    await asPostgres(pg_ctl, ["-D", data, "-w", "-o", settings.join(" "), "-l", path.join(directory, "log"), "start"])
  })
  const kill = Effect.promise(async () => {
    await asPostgres(pg_ctl, ["-D", data, "-m", "immediate", "stop"])
  })
  yield* start
  yield* Effect.addFinalizer(() => Effect.ignoreCause(kill))
  const server: PostgresServer = { port, start, kill }
  return server
})

export const layerClient = (port: number) =>
  PgClient.layer({
    url: Redacted.make(`postgres://postgres@127.0.0.1:${port}/postgres`),
    connectTimeout: "2 seconds",
    maxConnections: 10
  })
