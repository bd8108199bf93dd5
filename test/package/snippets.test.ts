import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fencesOfDocstrings, fencesOfMarkdown } from "../../scripts/lib/fences.ts"
import { root } from "../../scripts/lib/package.ts"
import { directoryWith } from "./fixture.ts"

const fixture = (files: Readonly<Record<string, string>>) =>
  directoryWith({
    "package.json": JSON.stringify({
      name: "effect-oneentry",
      type: "module",
      exports: { ".": { "effect-oneentry-source": "./src/index.ts", default: "./dist/index.js" } }
    }),
    "tsconfig.json": fs
      .readFileSync(path.join(root, "tsconfig.json"), "utf8")
      .replace(/"plugins": .*/, `"plugins": []`),
    "src/index.ts": "export const answer: number = 42\n",
    ...files
  })

const run = (directory: string, ...options: ReadonlyArray<string>) => {
  const script = path.join(root, "scripts/snippets.ts")
  const { status, stderr, stdout } = spawnSync(process.execPath, [script, "--root", directory, ...options], {
    encoding: "utf8"
  })
  return { status, errors: stderr, summary: stdout.trim().split("\n").at(-1) }
}

const markdown = (...blocks: ReadonlyArray<string>) => blocks.join("\n")

describe("fences", () => {
  it("are found with their line, language and marks, also indented and inside longer ones", () => {
    const page = markdown(
      "# Title",
      "```ts no-run",
      "const a = 1",
      "",
      "```",
      "1. item",
      "",
      "   ```sh run",
      "   npm ci",
      "     two",
      "   ```",
      "````md",
      "```ts",
      "not this one",
      "```",
      "````",
      "```",
      "plain",
      "```"
    )
    assert.deepStrictEqual(fencesOfMarkdown("a.md", page), [
      { file: "a.md", line: 3, language: "ts", marks: ["no-run"], code: "const a = 1\n\n" },
      { file: "a.md", line: 9, language: "sh", marks: ["run"], code: "npm ci\n  two\n" },
      { file: "a.md", line: 13, language: "md", marks: [], code: "```ts\nnot this one\n```\n" },
      { file: "a.md", line: 18, language: "", marks: [], code: "plain\n" }
    ])
  })

  it("are found in docstrings, and in no other comment or string", () => {
    const source = markdown(
      "/**",
      " * Module.",
      " *",
      " * ```ts",
      " * const a = {",
      " *   b: 1",
      " * }",
      " * ```",
      " */",
      "/* ```ts",
      "no",
      "``` */",
      "export const text = '/**\\n```ts\\nno\\n```\\n*/'",
      "// ```ts",
      "// no",
      "// ```",
      "",
      "",
      "",
      "export interface A {",
      "  /**",
      "   * ```ts",
      "   * deep()",
      "   * ```",
      "   */",
      "  readonly b: string",
      "}"
    )
    assert.deepStrictEqual(fencesOfDocstrings("a.ts", source), [
      { file: "a.ts", line: 5, language: "ts", marks: [], code: "const a = {\n  b: 1\n}\n" },
      { file: "a.ts", line: 23, language: "ts", marks: [], code: "deep()\n" }
    ])
  })
})

describe("snippets", () => {
  it("passes what type-checks and runs, against the sources", { timeout: 60_000 }, () => {
    using directory = fixture({
      "README.md": markdown(
        "```ts",
        `import { answer } from "effect-oneentry"`,
        `if (answer !== 42) throw new Error("wrong")`,
        "```",
        "```ts no-run",
        `throw new Error("only type-checked")`,
        "```",
        "```js",
        "not looked at(",
        "```"
      ),
      "docs/guide.md": markdown("```ts", "await Promise.resolve()", "```"),
      "src/other.ts": markdown(
        "/**",
        " * ```ts",
        " * setTimeout(() => {}, 1)",
        " * ```",
        " */",
        "export const other = 1"
      )
    })
    const { errors, status, summary } = run(directory.path)
    assert.deepStrictEqual(
      { errors, status, summary },
      { errors: "", status: 0, summary: "snippets: 4 type-checked, 3 run, 0 failed (3 files)" }
    )
  })

  it("names the file and the line of what is wrong, and runs the others all the same", { timeout: 60_000 }, () => {
    using directory = fixture({
      "README.md": markdown(
        "text", // 1
        "```ts",
        "const a = 1", // 3
        `const b: string = a`, // 4
        "```",
        "```ts",
        "let count = 0", // 7
        `if (count === 0) throw new Error("thrown at 8")`, // 8
        "```",
        "```ts",
        `Promise.reject(new Error("left behind"))`, // 11
        "```",
        "```ts",
        "await new Promise(() => {})", // 14
        "```",
        "```ts",
        "process.exit(3)", // 17
        "```",
        "```ts",
        "setInterval(() => {}, 1000)", // 20
        "```",
        "```ts",
        "process.exit(0)", // 23
        "```",
        "```ts",
        "process.exitCode = 7", // 26
        "```",
        "```ts norun",
        "const fine = 1", // 29
        "```",
        "```ts",
        "const fine = 1", // 32
        "```"
      )
    })
    const { errors, status, summary } = run(directory.path, "--time-limit", "3")
    assert.strictEqual(status, 1)
    assert.strictEqual(summary, "snippets: 10 type-checked, 8 run, 8 failed (1 files)")
    for (const expected of [
      /^README\.md:4 TS2322: /m,
      /^README\.md:8 fails when run: Error: thrown at 8/m,
      /^README\.md:11 fails when run: Error: left behind/m,
      /^README\.md:14 fails when run: its top-level await never settles/m,
      /^README\.md:17 fails when run: it ended the process with 3/m,
      /^README\.md:20 fails when run: still running after 3 s/m,
      /^README\.md:26 fails when run: it set the exit code 7/m,
      /^README\.md:28 unknown mark "norun"/m
    ]) {
      assert.match(errors, expected)
    }
    assert.notMatch(errors, /README\.md:(23|32)/)
  })

  it("holds a page to what it says that is printed, and lets its files import each other", { timeout: 60_000 }, () => {
    using directory = fixture({
      "README.md": markdown(
        "```ts one.ts",
        `export const one = "a b"`,
        `console.log(one) // => "a b"`, // 3
        "```",
        "```ts",
        `import { one } from "./one.ts"`,
        `console.log("first")`,
        "console.log({ one })",
        "// => { one: 'a b' }", // 9
        "```",
        "```ts",
        "console.log(1) // => 2", // 12
        "```",
        "```ts one.ts",
        "export {}",
        "```"
      )
    })
    const { errors, status, summary } = run(directory.path)
    assert.strictEqual(status, 1)
    assert.strictEqual(summary, "snippets: 4 type-checked, 3 run, 2 failed (1 files)")
    assert.match(errors, /^README\.md:12 says that it prints 2; it printed: 1$/m)
    assert.match(errors, /^README\.md:14 there is another one\.ts on this page$/m)
    assert.notMatch(errors, /README\.md:(3|9)/)
  })

  it("gives to vitest what is a test", { timeout: 60_000 }, () => {
    using directory = fixture({
      "vitest.config.ts": `export default { test: { include: ["test/**/*.test.ts"] } }\n`,
      "README.md": markdown(
        "```ts",
        `import { expect, it } from "vitest"`, // 2
        `it("passes", () => expect(1).toBe(1))`,
        "```",
        "```ts",
        `import { assert, it } from "@effect/vitest"`, // 6
        `it("fails", () => assert.strictEqual(1, 2))`,
        "```",
        "```ts",
        `import { it } from "vitest"`, // 10
        `it.skip("is not run", () => {})`,
        "```"
      )
    })
    const { errors, status, summary } = run(directory.path)
    assert.strictEqual(status, 1)
    assert.strictEqual(summary, "snippets: 3 type-checked, 3 run, 2 failed (1 files)", errors)
    assert.match(errors, /^README\.md:6 fails as a test: .*expected 1 to equal 2/m)
    assert.match(errors, /^README\.md:10 is a test file without a test that passes/m)
  })

  it("fails when there is nothing to type-check with", { timeout: 60_000 }, () => {
    using directory = fixture({ "README.md": markdown("```ts", "const a = 1", "```"), "tsconfig.json": "{" })
    assert.strictEqual(run(directory.path).status, 1)
  })
})
