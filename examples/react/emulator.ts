/** The backend for this example while you work on it: `node examples/react/emulator.ts`, then its page for the codes. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import { Control, Emulator } from "effect-oneentry/emulator"
import { project } from "./project.ts"

const Ready = Layer.effectDiscard(
  Emulator.Emulator.use(({ url }) => Effect.logInfo(`codes, users and sessions: ${url}/__emulator`))
)

Ready.pipe(
  Layer.provide(Emulator.layer({ port: 4010, project, routes: Control.routes })),
  Layer.launch,
  NodeRuntime.runMain
)
