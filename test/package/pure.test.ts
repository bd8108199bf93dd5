import { assert, describe, it } from "@effect/vitest"
import { markPure } from "../../scripts/lib/pure.ts"

const marked = (code: string) => markPure("module.js", code).replaceAll("/* @__PURE__ */", "#")

describe("marks for bundlers", () => {
  it("stand before calls whose result is kept", () => {
    assert.strictEqual(marked("const a = f(1)"), "const a = # f(1)")
    assert.strictEqual(marked("export const a = new Map([g()])"), "export const a = # new Map([# g()])")
    assert.strictEqual(marked("export class A extends f()('a') {}"), "export class A extends # f()('a') {}")
    assert.strictEqual(marked("const a = { b: f(x => g(x)) }"), "const a = { b: # f(x => g(x)) }")
    assert.strictEqual(
      marked("class A { static a = f(); b = g(); c() { return h() } }"),
      "class A { static a = # f(); b = g(); c() { return h() } }"
    )
  })

  it("do not stand before what is there for its effect, or runs later", () => {
    for (const code of ["f()", "const a = () => f()", "function a() { return f() }", "class A { static { f() } }"]) {
      assert.strictEqual(marked(code), code)
    }
  })

  it("move no line, and are not set twice", () => {
    const code = "const a = f(\n  g(),\n  1\n)\n"
    const once = markPure("module.js", code)
    assert.strictEqual(once.split("\n").length, code.split("\n").length)
    assert.strictEqual(markPure("module.js", once), once)
  })

  it("come without the columns that only readers need", () => {
    const row = '{ error: "A", source: "B §1", certainty: "stated" }'
    const built = markPure("rows.js", `const rows = [${row}, { source: 1 }]\n`)
    assert.notInclude(built, "§1")
    assert.notInclude(built, "certainty")
    assert.include(built, "source: 1")
    assert.include(built, 'error: "A"')
    assert.strictEqual(markPure("rows.js", built), built)
  })

  it("name the file that cannot be read", () => {
    assert.throws(() => markPure("broken.js", "const = 1"), /broken\.js/)
  })
})
