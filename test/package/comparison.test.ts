import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "../../scripts/lib/package.ts"

const published: Readonly<Record<string, Readonly<Record<string, unknown>>>> = JSON.parse(
  fs.readFileSync(path.join(root, "docs/bench/comparison.json"), "utf8")
)

describe("what the comparison says of sessions whose access token has ended", () => {
  for (const name of ["effect-oneentry", "oneentry", "@supabase/auth-js", "@auth0/auth0-spa-js"]) {
    it(name, { timeout: 60_000 }, () => {
      const script = path.join(root, "scripts/comparison/measure.ts")
      const output = execFileSync(process.execPath, ["--conditions=effect-oneentry-source", script, name, "--quick"], {
        encoding: "utf8"
      })
      const measured: Readonly<Record<string, unknown>> = JSON.parse(output)
      const claimed = Object.fromEntries(Object.keys(measured).map((what) => [what, published[name]?.[what]]))
      assert.deepStrictEqual(measured, claimed)
    })
  }

  it("and that one refresh, with no call failed, is what this package makes of fifty calls", () => {
    const once = { refreshes: 1, failed: 0 }
    assert.deepInclude(published["effect-oneentry"], { one: once, two: once, outlives503: true, showsTokens: false })
  })
})
