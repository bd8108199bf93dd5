import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "../../scripts/lib/package.ts"
import { directoryWith } from "./fixture.ts"

const run = (directory: string, ...options: ReadonlyArray<string>) => {
  const script = path.join(root, "scripts/lockfile.ts")
  const { status, stderr, stdout } = spawnSync(process.execPath, [script, "--root", directory, ...options], {
    encoding: "utf8"
  })
  return { status, errors: stderr.trim(), summary: stdout.trim() }
}

const lock = (packages: Readonly<Record<string, unknown>>) => JSON.stringify({ lockfileVersion: 3, packages })
const read = (directory: string) => JSON.parse(fs.readFileSync(path.join(directory, "package-lock.json"), "utf8"))

describe("package-lock.json", () => {
  it("names the packages of every platform, so that npm ci takes it everywhere", () => {
    assert.deepStrictEqual(run(root, "--check"), {
      errors: "",
      status: 0,
      summary: "lockfile: 0 platform packages missing, 0 unclear"
    })
  })

  it("names no host that packages came from", () => {
    assert.notMatch(fs.readFileSync(path.join(root, "package-lock.json"), "utf8"), /"resolved": "https?:/)
  })

  it("is completed with the platform that a name tells", () => {
    using directory = directoryWith({
      "package-lock.json": lock({
        "": { name: "x" },
        "node_modules/tool": {
          version: "2.0.0",
          dev: true,
          optionalDependencies: {
            "@tool/binding-linux-arm-musleabihf": "2.0.0",
            "@tool/linux-x64": "2.0.0",
            "tool-win32-ia32-msvc": "2.0.0",
            "@tool/here": "2.0.0"
          }
        },
        "node_modules/tool/node_modules/@tool/here": { version: "2.0.0" }
      })
    })
    assert.strictEqual(run(directory.path, "--check").status, 1)
    assert.strictEqual(run(directory.path).summary, "lockfile: 3 platform packages added, 0 unclear")
    const { packages } = read(directory.path)
    assert.deepStrictEqual(Object.keys(packages), [
      "",
      "node_modules/@tool/binding-linux-arm-musleabihf",
      "node_modules/@tool/linux-x64",
      "node_modules/tool",
      "node_modules/tool-win32-ia32-msvc",
      "node_modules/tool/node_modules/@tool/here"
    ])
    assert.deepStrictEqual(packages["node_modules/@tool/binding-linux-arm-musleabihf"], {
      version: "2.0.0",
      cpu: ["arm"],
      dev: true,
      libc: ["musl"],
      optional: true,
      os: ["linux"]
    })
    assert.strictEqual(run(directory.path, "--check").status, 0)
  })

  it("is not guessed where the version or the platform is unclear", () => {
    const text = lock({
      "node_modules/tool": { version: "2.0.0", optionalDependencies: { fsevents: "2.3.2", "a-linux-x64": "^1.0.0" } }
    })
    using directory = directoryWith({ "package-lock.json": text })
    const { errors, status } = run(directory.path)
    assert.strictEqual(status, 1)
    assert.match(errors, /lacks fsevents@2\.3\.2/)
    assert.match(errors, /lacks a-linux-x64@\^1\.0\.0/)
    assert.strictEqual(fs.readFileSync(path.join(directory.path, "package-lock.json"), "utf8"), text)
  })
})
