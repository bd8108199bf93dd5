/**
 * The contract suite on the sources and this Node; `npm run matrix` runs it from the tarball, on every runtime. Storages
 * and locks have their suites in tests of their own.
 */
import { describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Control, Emulator } from "effect-oneentry/emulator"
import { UndiciClient } from "effect-oneentry/undici"
import { hosted } from "../helpers/hosted.ts"
import { nodePlatform } from "./node.ts"
import * as Operations from "./operations.ts"
import { project } from "./project.ts"
import { provided, suitesOf } from "./suite.ts"

// What is interrupted is seen through a `fetch` there, and through the server in transport.test.ts.
const overUndici = Operations.cases(UndiciClient.layer).filter(({ name }) => !name.includes("interrupted"))

const suites = await Effect.runPromise(
  suitesOf({
    ...(await nodePlatform()),
    more: [
      { name: "operations, UndiciClient", cases: overUndici },
      { name: "streamed uploads, UndiciClient", cases: Operations.streamed(UndiciClient.layer) }
    ]
  })
)

describe("the contract", () => {
  const emulator = hosted(Emulator.makeServer({ passwordCost: 1, project, routes: Control.routes }))
  for (const { cases, lacks, name } of suites) {
    if (lacks !== undefined || /^(storage|lock): /.test(name)) continue
    describe(name, () => {
      for (const one of cases) {
        it.live(one.name, () => {
          const { appToken, url } = emulator()
          return provided({ url, control: url, appToken: Redacted.value(appToken) })(one.run)
        })
      }
    })
  }
})
