/** The commands of `effect-oneentry`. */
import process from "node:process"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type * as Emulator from "../../Emulator.ts"
import { isLoopback } from "../control/guard.ts"
import { Failure, readProject, writeProject } from "./projectFile.ts"

const defaultPort = 4010

const flags = {
  port: Flag.Int("port").pipe(
    Flag.withAlias("p"),
    Flag.withDescription("Port to listen on, 4010 when absent; 0 takes a free one"),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
    Flag.withDefault(defaultPort)
  ),
  host: Flag.String("host").pipe(
    Flag.withDescription(
      "Address to listen on, for others to reach it: 0.0.0.0 (every network) when given without one; without --host only this machine reaches it (127.0.0.1)"
    ),
    Flag.withMetavar("address"),
    Flag.withOptionalValue("0.0.0.0"),
    Flag.optional
  ),
  data: Flag.String("data").pipe(
    Flag.withDescription("File to keep users, sessions and everything else in; without it they end with the process"),
    Flag.withMetavar("file"),
    Flag.optional
  ),
  project: Flag.String("project").pipe(
    Flag.withDescription(
      "Project file (JSON): providers, forms, events, permissions, users; the registration scenario when absent"
    ),
    Flag.withMetavar("file"),
    Flag.optional
  ),
  appToken: Flag.Redacted("app-token").pipe(
    Flag.withDescription("App token that clients have to send; emulator-app-token when absent"),
    Flag.withMetavar("token"),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withDescription("Makes codes, tokens and ids repeat from run to run"),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: -(2 ** 31), maximum: 2 ** 32 }))),
    Flag.withMetavar("number"),
    Flag.optional
  )
}

/** Until the system asks the process to end. */
const asked = Effect.callback<NodeJS.Signals>((resume) => {
  const end = (signal: NodeJS.Signals) => resume(Effect.succeed(signal))
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
  for (const signal of signals) process.once(signal, end)
  return Effect.sync(() => {
    for (const signal of signals) process.off(signal, end)
  })
})

const fail = (error: { readonly message: string }) => new Failure({ message: error.message })

const addresses = Effect.promise(async () => {
  const { networkInterfaces } = await import("node:os")
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((one) => one.family === "IPv4" && !one.internal)
    .map((one) => one.address)
})

const banner = Effect.fnUntraced(function* (
  emulator: Emulator.Service,
  options: {
    readonly host: string
    readonly project: string | undefined
    readonly data: string | undefined
    readonly token: string
  }
) {
  const open = !isLoopback(options.host)
  const line = (name: string, text: string) => `  ${name.padEnd(10)} ${text}`
  const query = open ? `?token=${encodeURIComponent(options.token)}` : ""
  const port = new URL(emulator.url).port
  const others = open && /^(0\.0\.0\.0|::)$/.test(options.host) ? yield* addresses : []
  yield* Console.log(
    [
      "",
      "OneEntry emulator",
      "",
      line("Listening", emulator.url),
      ...others.map((address) => line("", `http://${address}:${port}`)),
      line("App token", options.token),
      line("Page", `${emulator.url}/__emulator${query}`),
      line("API", `${emulator.url}/__emulator/api${query}`),
      line("Project", options.project ?? "the registration scenario (emulator init writes it to a file)"),
      line("Data", options.data ?? "in memory (--data FILE keeps it)"),
      "",
      ...(open
        ? [
            "  WARNING: it listens off loopback. Whoever reaches it and knows the app token reads every code,",
            "  token and user. It is no production server.",
            ""
          ]
        : ["  For tests and development: it is no production server.", ""]),
      "  Ctrl+C ends it.",
      ""
    ].join("\n")
  )
})

const run = Effect.fnUntraced(function* (input: {
  readonly port: number
  readonly host: Option.Option<string>
  readonly data: Option.Option<string>
  readonly project: Option.Option<string>
  readonly appToken: Option.Option<Redacted.Redacted>
  readonly seed: Option.Option<number>
}) {
  // Loaded here, so that --help need not wait for them.
  const {
    control,
    emulator: emulators,
    filePersistence
  } = yield* Effect.promise(async () => ({
    control: await import("../../Control.ts"),
    emulator: await import("../../Emulator.ts"),
    filePersistence: await import("../../FilePersistence.ts")
  }))
  const host = Option.getOrElse(input.host, () => "127.0.0.1")
  const file = Option.getOrUndefined(input.project)
  const data = Option.getOrUndefined(input.data)
  const appToken = Option.getOrUndefined(input.appToken)
  const read = file === undefined ? undefined : yield* readProject(file)
  const persistence =
    data === undefined ? undefined : yield* Effect.mapError(filePersistence.make({ file: data }), fail)
  const emulator = yield* emulators
    .makeServer({
      port: input.port,
      host,
      project: read,
      appToken,
      seed: Option.getOrUndefined(input.seed),
      persistence,
      routes: control.routes
    })
    .pipe(Effect.mapError(fail))
  yield* banner(emulator, {
    host,
    project: file,
    data,
    token: Redacted.value(emulator.appToken)
  })
  yield* asked
}, Effect.scoped)

const init = Command.make(
  "init",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("Where to write it"),
      Argument.withDefault("emulator.json")
    )
  },
  Effect.fnUntraced(function* ({ file }) {
    yield* writeProject(file)
    yield* Console.log(`Wrote ${file}. Start it with: effect-oneentry emulator --project ${file}`)
  })
).pipe(
  Command.withDescription("Write the default project to a file, to change it there"),
  Command.withExamples([
    { command: "effect-oneentry emulator init shop.json", description: "Begin a project of your own" }
  ])
)

const emulator = Command.make("emulator", flags, run).pipe(
  Command.withDescription(
    "Start a local OneEntry backend for tests and development, with a page at /__emulator that shows codes, users, sessions and requests"
  ),
  Command.withExamples([
    { command: "effect-oneentry emulator", description: "The registration scenario on port 4010" },
    { command: "effect-oneentry emulator --port 0 --data dev.data", description: "A free port, kept between runs" },
    {
      command: "effect-oneentry emulator --project emulator.json --seed 1",
      description: "A project of your own, repeatable"
    }
  ]),
  Command.withSubcommands([init])
)

export const cli = Command.make("effect-oneentry").pipe(
  Command.withDescription("Tools for building on OneEntry"),
  Command.withSubcommands([emulator])
)
