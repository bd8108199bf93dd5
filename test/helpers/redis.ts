/**
 * A real redis-server on a port of its own, without persistence, that tests can stop, pause and start again.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { Effect, Layer, References } from "effect"
import type { Redis } from "effect/persistence"
import type { RedisError } from "effect/persistence/Redis"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { freePort } from "./freePort.ts"
import { requirement } from "./requirements.ts"

export interface RedisServer {
  readonly port: number
  /** Ends it at once, as a crash does. */
  readonly kill: Effect.Effect<void>
  readonly start: Effect.Effect<void>
  /** Stops it from answering while its connections stay open. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
}

export const redis = requirement("redis")

const launch = async (port: number, args: ReadonlyArray<string>): Promise<ChildProcess> => {
  const child = spawn(
    redis.binaries["redis-server"] ?? "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", ...args],
    { stdio: ["ignore", "pipe", "inherit"] }
  )
  await new Promise<void>((resolve, reject) => {
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes("Ready to accept connections")) resolve()
    })
    child.once("exit", () => reject(new Error(`redis-server ended:\n${output}`)))
    child.once("error", reject)
  })
  return child
}

const end = async (child: ChildProcess) => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, "exit")
  child.kill("SIGKILL")
  await gone
}

export const startRedis = (args: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const port = yield* Effect.promise(freePort)
    let child = yield* Effect.promise(() => launch(port, args))
    yield* Effect.addFinalizer(() => Effect.promise(() => end(child)))
    const server: RedisServer = {
      port,
      kill: Effect.promise(() => end(child)),
      start: Effect.promise(async () => {
        child = await launch(port, args)
      }),
      pause: Effect.sync(() => child.kill("SIGSTOP")),
      resume: Effect.sync(() => child.kill("SIGCONT"))
    }
    return server
  })

/** A client that fails at once while the server is away, and comes back by itself. */
export const layerClient = (
  port: number,
  options?: Parameters<typeof NodeRedis.layer>[0]
): Layer.Layer<Redis.Redis | NodeRedis.NodeRedis, RedisError> =>
  NodeRedis.layer({
    url: `redis://127.0.0.1:${port}`,
    disableOfflineQueue: true,
    ...options,
    socket: { reconnectStrategy: () => 20, ...options?.socket }
  }).pipe(
    // What the client has to say of each attempt to connect.
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error"))
  )
