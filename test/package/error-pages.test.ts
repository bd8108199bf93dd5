import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as path from "node:path"
import { Modules } from "../../scripts/lib/exports.ts"
import { publicModules, root } from "../../scripts/lib/package.ts"
import { classify, type Operation } from "../../src/internal/classification.ts"
import { emptyEnvelope, readEnvelope } from "../../src/internal/serverEnvelope.ts"
import { rulesOf } from "../helpers/classification.ts"
import { tagOf } from "../helpers/scenario.ts"

const folder = path.join(root, "docs/errors")
const pages = fs.readdirSync(folder).map((file) => path.basename(file, ".md"))
const textOf = (page: string) => fs.readFileSync(path.join(folder, `${page}.md`), "utf8")

const modules = new Modules(root)
const classes = new Set(
  publicModules().flatMap(({ source }) =>
    [...modules.exportsOf(source).values()].flatMap(({ declarations, name }) =>
      declarations.some(({ text }) => /^export class \w+ extends (Schema\.TaggedError<|Error\b)/.test(text))
        ? [name]
        : []
    )
  )
)

/** `refresh` has no rules: what it is answered is decided in `src/internal/refreshOutcome.ts`. */
const isOperation = (name: string): name is Operation => name !== "refresh"

/** The table "What the server says" of a page: operation, status, message. */
const sayings = (page: string) =>
  [...textOf(page).matchAll(/^\| `(\w+)` +\| (\d{3}) +\| (?:`(.*?)`|–) +\|/gm)].map(
    ([, operation = "", status, message]) => ({
      operation,
      status: Number(status),
      message
    })
  )

describe("the pages of errors", () => {
  it("are one for each error class, and each page is of a class", () => {
    assert.isAbove(classes.size, 50)
    assert.deepStrictEqual([...pages].sort(), [...classes].sort())
  })

  it("say when, why and what to do, and show a program", () => {
    for (const page of pages) {
      const text = textOf(page)
      assert.match(text, new RegExp(`^# ${page}\n\n\\S`), page)
      assert.match(text, /\n## Why\n\n\S[^]+\n## What to do\n\n\S[^]+\n## In a program\n\n```ts\n/, page)
    }
  })

  it("are all in the table of contents", () => {
    const contents = fs.readFileSync(path.join(root, "docs/errors.md"), "utf8")
    for (const page of pages) assert.include(contents, `](errors/${page}.md)`)
  })

  const cases = pages.flatMap((page) => sayings(page).map((saying) => ({ page, ...saying })))
  it.each(cases.filter(({ operation }) => isOperation(operation)))(
    "what $operation says with $status is $page: $message",
    ({ message, operation, page, status }) => {
      if (!isOperation(operation)) return assert.fail(operation)
      const error = classify({
        rules: rulesOf(operation),
        operation,
        marker: "email",
        sent: { path: "", headers: {} },
        envelope: (message === undefined ? undefined : readEnvelope(status, { message })) ?? emptyEnvelope(status),
        retryAfter: undefined,
        withCode: operation === "auth" && /Code/.test(page),
        refused: status < 300
      })
      assert.strictEqual(tagOf(error).split("/").at(-1), page)
    }
  )

  it("have their sayings read", () => {
    assert.isAbove(cases.length, 35)
  })
})
