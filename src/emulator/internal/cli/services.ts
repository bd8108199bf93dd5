/**
 * What `effect/cli` wants of a platform, on Node's built-ins. Nothing here reads from the terminal or starts programs:
 * the commands ask no questions.
 */
import process from "node:process"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Queue from "effect/Queue"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"

const write = (stream: NodeJS.WriteStream) => (text: string | Uint8Array) =>
  Effect.sync(() => {
    stream.write(text)
  })

const columns = Effect.sync(() => process.stdout.columns ?? 80)
const rows = Effect.sync(() => process.stdout.rows ?? 24)

const terminal = Terminal.make({
  columns,
  rows,
  size: Effect.flatMap(Effect.all({ columns, rows }), (size) =>
    Effect.tap(Queue.unbounded<Terminal.Size>(), (queue) => Queue.offer(queue, size))
  ),
  readInput: Queue.unbounded<Terminal.UserInput>(),
  readLine: Effect.fail(new Terminal.QuitError()),
  display: write(process.stdout)
})

const stdio = (args: ReadonlyArray<string>) =>
  Stdio.make({
    args: Effect.succeed(args),
    stdinIsTerminal: Effect.sync(() => process.stdin.isTTY === true),
    stdoutIsTerminal: Effect.sync(() => process.stdout.isTTY === true),
    stderrIsTerminal: Effect.sync(() => process.stderr.isTTY === true),
    stdout: () => Sink.forEach(write(process.stdout)),
    stderr: () => Sink.forEach(write(process.stderr)),
    stdin: Stream.empty
  })

const spawner = ChildProcessSpawner.make(() =>
  Effect.fail(
    PlatformError.systemError({ _tag: "Unknown", module: "ChildProcess", method: "spawn", description: "not offered" })
  )
)

export const layer = (args: ReadonlyArray<string>) =>
  Layer.mergeAll(
    FileSystem.layerNoop({}),
    Path.layer,
    Layer.succeed(Terminal.Terminal, terminal),
    Layer.succeed(Stdio.Stdio, stdio(args)),
    Layer.succeed(ChildProcessSpawner.ChildProcessSpawner, spawner)
  )
