/** Runs a command line and gives the exit code. */
import process from "node:process"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import { version } from "../version.ts"
import { cli } from "./commands.ts"
import { Failure } from "./projectFile.ts"
import * as services from "./services.ts"

/** `--host 0.0.0.0` means `--host=0.0.0.0`; a flag with an optional value takes it only with the sign. */
const attachHost = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const index = args.indexOf("--host")
  const value = args[index + 1]
  // what follows may also be the next flag, or the one command that there is
  if (index === -1 || value === undefined || value.startsWith("-") || value === "init") return args
  return [...args.slice(0, index), `--host=${value}`, ...args.slice(index + 2)]
}

// The commands ask nothing, so there is nothing for a wizard to do.
const config = CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })

// A mistake is told in a line or two, without the whole help before it.
const presenter = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.gen(function* () {
          const formatter = CliOutput.defaultFormatter({ colors: process.stderr.isTTY === true })
          yield* Console.error(formatter.formatErrors(event.errors))
          yield* Console.error(`\nAll options: ${event.commandPath.join(" ")} --help`)
        })
      : CliOutput.defaultPresenter.present(event)
})

export const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const exit = await Command.runWith(cli, { version })(attachHost(args)).pipe(
    Effect.provide(Layer.mergeAll(services.layer(args), config, presenter)),
    Effect.runPromiseExit
  )
  if (Exit.isSuccess(exit)) return 0
  const error = Cause.squash(exit.cause)
  // Help that was asked for by leaving out the command is an answer; the rest has been printed with its errors.
  if (CliError.isCliError(error)) return error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : 1
  process.stderr.write(`\n${error instanceof Failure ? error.message : Cause.pretty(exit.cause)}\n\n`)
  return 1
}
