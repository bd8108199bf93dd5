import { assert, describe, it } from "@effect/vitest"

describe("the Node that runs the tests", () => {
  it("is the one of the devDependency, or a newer line, whatever the machine's own is", () => {
    const [major = 0] = process.versions.node.split(".").map(Number)
    assert.isAtLeast(
      major,
      22,
      `npm test ran on ${process.version}: install with scripts, so that "node" brings its own`
    )
  })
})
