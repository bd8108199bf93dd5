import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "../../scripts/lib/package.ts"
import { directoryWith } from "./fixture.ts"

const lint = (files: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  using directory = directoryWith({
    ".oxlintrc.json": fs.readFileSync(path.join(root, ".oxlintrc.json"), "utf8"),
    ...files
  })
  const oxlint = path.join(root, "node_modules/oxlint/bin/oxlint")
  const { status, stdout } = spawnSync(process.execPath, [oxlint, "--deny-warnings", "--format=unix", "src", "test"], {
    cwd: directory.path,
    encoding: "utf8"
  })
  const lines = stdout.split("\n").filter((line) => /^\S+:\d+:\d+: /.test(line))
  assert.strictEqual(status === 0, lines.length === 0, stdout)
  return lines.map((line) => line.replace(/^(\S+?):(\d+):\d+: .*\[Error\/(.*)\]$/, "$1:$2 $3"))
}

describe("the lint rules", () => {
  it("refuse in src what the sources promise not to do", () => {
    assert.deepStrictEqual(
      lint({
        "src/a.ts": [
          `import { Effect } from "effect"`,
          `import { b } from "./b.ts"`,
          `import * as All from "./index.ts"`,
          "export const now = Date.now()",
          "export const random = Math.random()",
          "export const bytes = Buffer.from('a')",
          "export const environment = process.env",
          "export const dies = Effect.die(b)",
          "export const given = (up: any) => up!",
          "console.log(All)",
          ""
        ].join("\n"),
        "src/b.ts": `import { now } from "./a.ts"\nexport const b = now\n`,
        "src/index.ts": `export const all = 1\n`,
        "test/a.test.ts": `import { it } from "vitest"\nit.only("x", () => {})\nit.skip("y", () => {})\n`
      }).toSorted(),
      [
        "src/a.ts:1 eslint(no-restricted-imports)",
        "src/a.ts:10 eslint(no-console)",
        "src/a.ts:2 import(no-cycle)",
        "src/a.ts:3 eslint(no-restricted-imports)",
        "src/a.ts:4 eslint(no-restricted-properties)",
        "src/a.ts:5 eslint(no-restricted-properties)",
        "src/a.ts:6 eslint(no-restricted-globals)",
        "src/a.ts:7 eslint(no-restricted-globals)",
        "src/a.ts:8 eslint(no-restricted-properties)",
        "src/a.ts:9 typescript(no-explicit-any)",
        "src/a.ts:9 typescript(no-non-null-assertion)",
        "src/b.ts:1 import(no-cycle)",
        "test/a.test.ts:2 vitest(no-focused-tests)",
        "test/a.test.ts:3 vitest(no-disabled-tests)"
      ]
    )
  })

  it("let tests and scripts use the barrels, the clock and the console", () => {
    assert.deepStrictEqual(
      lint({
        "src/a.ts": `import * as Effect from "effect/Effect"\nexport const a = Effect.void\n`,
        "test/a.ts": `import { Effect } from "effect"\nconsole.log(Effect, Date.now(), process.pid)\n`
      }),
      []
    )
  })
})
