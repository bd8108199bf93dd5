import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { requirement, resolve } from "./requirements.ts"

const definition = {
  title: "a thing",
  binaries: ["thing-server"],
  folders: () => [],
  aliases: { "thing-server": ["thingd"] },
  install: "apt-get install thing"
}

const withProgram = (name: string, mode: number, use: (folder: string) => void) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "requirements-"))
  try {
    fs.writeFileSync(path.join(folder, name), "", { mode })
    use(folder)
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

describe("requirement", () => {
  it("finds a program in PATH, also under another name", () => {
    for (const name of ["thing-server", "thingd"]) {
      withProgram(name, 0o755, (folder) => {
        assert.deepStrictEqual(resolve("thing", definition, { PATH: `/nowhere:${folder}` }), {
          available: true,
          binaries: { "thing-server": path.join(folder, name) }
        })
      })
    }
  })

  it("prefers the folders of the definition", () => {
    withProgram("thing-server", 0o755, (folder) => {
      withProgram("thing-server", 0o755, (preferred) => {
        const found = resolve("thing", { ...definition, folders: () => [preferred] }, { PATH: folder })
        assert.strictEqual(found.binaries["thing-server"], path.join(preferred, "thing-server"))
      })
    })
  })

  it("says in words what is missing and how to get it", () => {
    withProgram("thing-server", 0o644, (folder) => {
      assert.deepStrictEqual(resolve("thing", definition, { PATH: folder }), {
        available: false,
        reason: "a thing is missing (thing-server not found): apt-get install thing",
        binaries: {}
      })
    })
  })

  it("fails instead where nothing may be skipped", () => {
    assert.throws(
      () => resolve("thing", definition, { PATH: "", EFFECT_ONEENTRY_NO_SKIP: "1" }),
      /wants the tests of "thing" to run, but a thing is missing/
    )
  })

  it("gives existing files for what this machine has", () => {
    for (const name of ["redis", "postgres", "chromium", "firefox"] as const) {
      const { binaries } = requirement(name)
      for (const file of Object.values(binaries)) assert.isTrue(fs.existsSync(file), file)
    }
  })
})
