/** The emulator as a worker: what `Workerd.test.ts` bundles and runs. */
import { Effect, Exit, Scope } from "effect"
import { Control, Emulator } from "effect-oneentry/emulator"

// A worker may not do anything at its start; the first request makes the emulator.
let handler: Promise<(request: Request) => Promise<Response>> | undefined

const make = () =>
  Effect.runPromiseExit(
    Emulator.make({ routes: Control.routes, passwordCost: 4 }).pipe(
      Effect.provideService(Scope.Scope, Scope.makeUnsafe())
    )
  ).then((exit) => {
    if (Exit.isSuccess(exit)) return exit.value.handler
    throw new Error(String(exit.cause))
  })

export default {
  fetch: async (request: Request): Promise<Response> => (await (handler ??= make()))(request)
}
