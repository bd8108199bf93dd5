import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { program } from "../support.ts"

it.live("the collector hears of calls, requests and the refresh, and of nobody", () =>
  Effect.gen(function* () {
    const { code, output } = yield* (yield* program("observability/main.ts", {})).exit
    assert.strictEqual(code, 0, output)
    assert.include(output, "OneEntry.refresh")
    assert.include(output, "oneentry.refreshes outcome=Success")
  }).pipe(Effect.provide(NodeServices.layer))
)
