import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { readManifest, root } from "../../scripts/lib/package.ts"
import { directoryWith } from "./fixture.ts"

const check = (files: Readonly<Record<string, string>>) => {
  using directory = directoryWith({ "package.json": JSON.stringify(readManifest()), ...files })
  const script = path.join(root, "scripts/docstrings.ts")
  const { status, stderr, stdout } = spawnSync(process.execPath, [script, "--root", directory.path], {
    encoding: "utf8"
  })
  return { status, problems: stderr.trim().split("\n").filter(Boolean), summary: stdout.trim() }
}

const head = "/**\n * A module.\n *\n * @since 0.1.0\n */\nimport * as Effect from 'effect/Effect'\n\n"
const doc = (summary = "Gives an answer.") =>
  `/**\n * ${summary}\n *\n * @example\n * \`\`\`ts\n * a()\n * \`\`\`\n *\n * @category constructors\n * @since 0.1.0\n */\n`

describe("docstrings", () => {
  it("passes what is documented, wherever it is declared", () => {
    assert.deepStrictEqual(
      check({
        "src/index.ts": `${head}export * as Session from "./Session.ts"\nexport { helper } from "./internal/helper.ts"\n`,
        "src/Session.ts":
          head +
          `${doc()}export const Info = 1\nexport type Info = typeof Info\n` +
          `${doc()}export function over(a: string): string\nexport function over(a: number): number\n` +
          `export function over(a: string | number): string | number { return a }\n` +
          `${doc()}const inner = 2\nexport { inner as outer, Info as again }\n` +
          "const hidden = 3\nvoid hidden\n" +
          "/** @internal */\nexport const shared = 4\n/**\n * For another module.\n *\n * @internal\n */\nexport const too = 5\n",
        "src/internal/helper.ts": `${doc()}export const helper = 1\nexport const undocumented = 2\n`,
        "src/internal/other.ts": "export const undocumented = 2\n"
      }),
      { status: 0, problems: [], summary: "docstrings: 5 exports, 0 incomplete" }
    )
  })

  it("names what is missing, with the place", () => {
    const { problems, status, summary } = check({
      "src/Session.ts":
        "export const bare = 1\n" + // 1
        "/** Says little. @since 0.1.0 */\nexport const little = 2\n" + // 3
        "/**\n * @category a\n * @since 0.1\n */\nexport interface Nameless {}\n" + // 8
        `${doc()}\n// a comment between\nexport const apart = 3\n` +
        "export { helper as renamed } from './internal/helper.ts'\n",
      "src/internal/helper.ts": "\n/**\n * Helps.\n */\nexport const helper = 1\n"
    })
    assert.strictEqual(status, 1)
    assert.deepStrictEqual(problems, [
      "src/Session.ts:1 no comment at the head of the module",
      "src/Session.ts:1 effect-oneentry/Session bare: no docstring",
      "src/Session.ts:3 effect-oneentry/Session little: no example, no @category, no @since",
      "src/Session.ts:8 effect-oneentry/Session Nameless: no summary, no example, no @since",
      "src/Session.ts:22 effect-oneentry/Session apart: no docstring",
      "src/internal/helper.ts:5 effect-oneentry/Session renamed: no example, no @category, no @since"
    ])
    assert.strictEqual(
      summary,
      "docstrings: 5 exports, 6 incomplete (2 without docstring, 3 without example, 2 without @category, 3 without @since, 1 without summary)"
    )
  })
})
