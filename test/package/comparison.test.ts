import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "../../scripts/lib/package.ts"
import { requirementOfChromium } from "../helpers/chromium.ts"

const published: Readonly<Record<string, Readonly<Record<string, unknown>>>> = JSON.parse(
  fs.readFileSync(path.join(root, "docs/bench/comparison.json"), "utf8")
)

const inNode = ["oneentry"]
const inChromium = ["effect-oneentry", "@supabase/auth-js", "@auth0/auth0-spa-js", "@azure/msal-browser"]

describe("what the comparison says of sessions whose access token has ended", () => {
  for (const name of [...inNode, ...inChromium]) {
    const isHere = inNode.includes(name) || requirementOfChromium.available
    it.skipIf(!isHere)(name, { timeout: 120_000 }, () => {
      const script = path.join(root, "scripts/comparison/measure.ts")
      const output = execFileSync(process.execPath, ["--conditions=effect-oneentry-source", script, name, "--quick"], {
        encoding: "utf8"
      })
      const { two, ...measured }: Readonly<Record<string, unknown>> = JSON.parse(output)
      const claimed = Object.fromEntries(Object.keys(measured).map((what) => [what, published[name]?.[what]]))
      assert.deepStrictEqual(measured, claimed)
      // How two tabs meet is up to the browser, and with others so is what comes of it.
      if (name === "effect-oneentry") assert.deepStrictEqual(two, published[name]?.["two"])
    })
  }

  it("and that one refresh, with no call failed, is what this package makes of fifty calls", () => {
    assert.deepInclude(published["effect-oneentry"], {
      one: { refreshes: 1, failed: 0 },
      two: { refreshes: [1, 1], failed: [0, 0] },
      outlives503: true,
      outlivesUnreachable: true,
      showsTokens: false
    })
  })
})
