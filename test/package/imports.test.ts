import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as path from "node:path"
import { graphOf, portableEntries, problemsOf, withoutPeers } from "../../scripts/lib/imports.ts"
import { publicModules, readManifest, resolveSubpath, root, sourceCondition } from "../../scripts/lib/package.ts"
import { directoryWith } from "./fixture.ts"

const manifest = readManifest()

const problemsWith = (files: Readonly<Record<string, string>>, peers: ReadonlyArray<string> = []) => {
  using directory = directoryWith(files)
  return problemsOf(directory.path, {
    ...manifest,
    peerDependenciesMeta: Object.fromEntries(peers.map((peer) => [peer, { optional: true }]))
  }).map((problem) => `${problem.file}:${problem.line} ${problem.message}`)
}

const assertOneProblem = (files: Readonly<Record<string, string>>, expected: RegExp) => {
  const problems = problemsWith(files)
  assert.strictEqual(problems.length, 1, problems.join("\n"))
  assert.match(problems[0] ?? "", expected)
}

describe("the rules about imports", () => {
  it("hold for the sources", () => {
    assert.isAbove(graphOf(root).size, 0)
    assert.deepStrictEqual(problemsOf(root, manifest), [])
  })

  it("let deep modules, relative modules and declared optional peers pass", () => {
    assert.deepStrictEqual(
      problemsWith(
        {
          "src/TokenStorage.ts": `import * as Effect from "effect/Effect"\nexport const a = Effect.void\n`,
          "src/OneEntry.ts": `import { a } from "./TokenStorage.ts"\nimport * as C from "effect/http/HttpClient"\nexport { a, C }\n`,
          "src/emulator/index.ts": `import * as net from "node:net"\nimport "a-peer/deep"\nexport { net }\n`
        },
        ["a-peer"]
      ),
      []
    )
  })

  it("refuse Effect's barrels, however they are imported", () => {
    assertOneProblem(
      { "src/OneEntry.ts": `import { Effect } from "effect"\nexport { Effect }\n` },
      /OneEntry\.ts:1 .*barrel/
    )
    assertOneProblem({ "src/OneEntry.ts": `\nexport * from "effect/http"\n` }, /OneEntry\.ts:2 .*barrel/)
    assertOneProblem({ "src/OneEntry.ts": `export const load = () => import("effect/sql")\n` }, /barrel/)
    assertOneProblem({ "src/OneEntry.ts": `export type E = import("effect").Effect.Effect<void>\n` }, /barrel/)
  })

  it("keep an optional peer, its types too, to the subpath that is named after it: the rest works without", () => {
    const peers = Object.keys(manifest.peerDependenciesMeta ?? {})
    assert.deepStrictEqual(peers, ["undici"])
    const of = [...graphOf(root).values()].flat().filter(({ specifier }) => peers.includes(specifier))
    assert.isNotEmpty(of)
    for (const { from, specifier } of of) assert.match(from, new RegExp(`^src/${specifier}/`))
    const outside = [...graphOf(root).values()].flat().filter(({ from }) => !from.startsWith("src/undici/"))
    for (const { from, to } of outside) assert.isFalse(to?.startsWith("src/undici/") === true, from)
    const without = withoutPeers(root, manifest).map(({ specifier }) => specifier)
    const all = publicModules().map(({ specifier }) => specifier)
    assert.deepStrictEqual(
      all.filter((specifier) => !without.includes(specifier)),
      ["effect-oneentry/undici", "effect-oneentry/undici/UndiciClient"]
    )
  })

  it("leave effect the one thing that an installation brings", () => {
    assert.isUndefined(manifest.dependencies)
    const required = Object.keys(manifest.peerDependencies ?? {}).filter(
      (name) => manifest.peerDependenciesMeta?.[name]?.optional !== true
    )
    assert.deepStrictEqual(required, ["effect"])
  })

  it("refuse what is not a dependency, and Effect's internals", () => {
    assertOneProblem({ "src/OneEntry.ts": `import "undici"\n` }, /"undici" is neither/)
    assertOneProblem(
      { "src/OneEntry.ts": `import "effect/internal/effect"\n` },
      /"effect\/internal\/effect" is neither/
    )
  })

  it("refuse a relative import without its extension, or to nowhere", () => {
    assertOneProblem({ "src/OneEntry.ts": `import "./Session"\n` }, /end in \.ts/)
    assertOneProblem({ "src/OneEntry.ts": `import "./Session.ts"\n` }, /no file behind/)
  })

  it("refuse a Node built-in within reach of a portable entry, and name the way", () => {
    for (const entry of portableEntries) {
      const up = entry === "src/index.ts" ? "./" : "../"
      assertOneProblem(
        {
          [entry]: `import "${up}internal/a.ts"\n`,
          "src/internal/a.ts": `export const load = () => import("./b.ts")\n`,
          "src/internal/b.ts": `\nimport * as fs from "node:fs"\nexport { fs }\n`
        },
        new RegExp(
          `internal/b\\.ts:2 .*"node:fs" is within reach: ${entry} → src/internal/a\\.ts → src/internal/b\\.ts`
        )
      )
    }
  })

  it("do not mind a built-in that only types mention, or that no portable entry reaches", () => {
    assert.deepStrictEqual(
      problemsWith({
        "src/index.ts": `import type { A } from "./internal/a.ts"\nexport type B = A\n`,
        "src/internal/a.ts": `import * as fs from "node:fs"\nexport type A = fs.Stats\nexport { fs }\n`
      }),
      []
    )
  })

  it("refuse a built-in behind an import whose names alone are types, since the import itself stays", () => {
    assertOneProblem(
      {
        "src/index.ts": `import { type A } from "./internal/a.ts"\nexport type B = A\n`,
        "src/internal/a.ts": `import * as fs from "node:fs"\nexport type A = fs.Stats\nexport { fs }\n`
      },
      /within reach/
    )
  })

  it("refuse an import against the layers, also by way of an internal module", () => {
    assertOneProblem(
      { "src/Session.ts": `import "./Users.ts"\n`, "src/Users.ts": `export {}\n` },
      /Session\.ts:1 .*src\/Users\.ts \(API modules\) comes after session/
    )
    assertOneProblem(
      {
        "src/TokenStorage.ts": `import "./internal/helper.ts"\n`,
        "src/internal/helper.ts": `import type { S } from "../Session.ts"\nexport type T = S\n`,
        "src/Session.ts": `export type S = string\n`
      },
      /src\/TokenStorage\.ts → src\/internal\/helper\.ts → src\/Session\.ts/
    )
    assert.deepStrictEqual(
      problemsWith({ "src/Users.ts": `import "./Session.ts"\n`, "src/Session.ts": `export {}\n` }),
      []
    )
  })

  it("want a layer for every module", () => {
    assertOneProblem({ "src/Novelty.ts": `export {}\n` }, /has no layer yet/)
  })
})

describe("the manifest", () => {
  it("depends on nothing but effect", () => {
    assert.isUndefined(manifest.dependencies)
    const required = Object.keys(manifest.peerDependencies ?? {}).filter(
      (name) => manifest.peerDependenciesMeta?.[name]?.optional !== true
    )
    assert.deepStrictEqual(required, ["effect"])
  })

  it("names every barrel of Effect in the lint rules, for whose editor shows them", () => {
    const rules = fs.readFileSync(path.join(root, ".oxlintrc.json"), "utf8")
    const effect = readManifest(path.join(root, "node_modules/effect"))
    const barrels = Object.entries(effect.exports)
      .filter(([key, target]) => !key.includes("*") && typeof target === "string" && target.endsWith("/index.js"))
      .map(([key]) => `effect${key.slice(1)}`)
    assert.isAbove(barrels.length, 10)
    for (const barrel of barrels) assert.include(rules, `"${barrel}"`)
  })

  it("exports the same modules from the sources as from the build", () => {
    for (const module of publicModules()) {
      const built = resolveSubpath(manifest, module.subpath, "default")
      assert.strictEqual(built, module.source.replace(/^src\//, "./dist/").replace(/\.ts$/, ".js"))
    }
  })

  it("names every folder with an index as a subpath, and none that is not there", () => {
    const folders = [...graphOf(root).keys()]
      .filter((file) => /^src\/[^/]+\/index\.ts$/.test(file))
      .map((file) => `./${file.split("/")[1]}`)
    // A subpath of `null` is one that nobody may import: `./index`, and the program in `./bin`.
    const named = Object.entries(manifest.exports)
      .filter(([key, target]) => /^\.\/[a-z]+$/.test(key) && target !== null)
      .map(([key]) => key)
    assert.deepStrictEqual(named.sort(), folders.sort())
    assert.isTrue(graphOf(root).has("src/index.ts"))
  })

  it("hides internals and index files", () => {
    for (const condition of [sourceCondition, "default"]) {
      for (const hidden of ["./internal/x", "./internal/x/y", "./emulator/internal/x", "./index", "./emulator/index"]) {
        assert.isUndefined(resolveSubpath(manifest, hidden, condition), hidden)
      }
      assert.isDefined(resolveSubpath(manifest, "./emulator", condition))
      assert.isDefined(resolveSubpath(manifest, "./Session", condition))
    }
    const internals = [...graphOf(root).keys()].filter((file) => file.split("/").includes("internal"))
    const reachable = new Set(publicModules().map((module) => module.source))
    assert.deepStrictEqual(
      internals.filter((file) => reachable.has(file)),
      []
    )
  })

  it("means to Node what these tests take it to mean", async () => {
    using directory = directoryWith({
      "package.json": JSON.stringify({
        name: "effect-oneentry",
        type: "module",
        exports: Object.fromEntries(
          Object.entries(manifest.exports).map(([key, value]) => [
            key,
            typeof value === "object" && value !== null ? (value["default"] ?? null) : value
          ])
        )
      }),
      "dist/index.js": "export const where = 'index'\n",
      "dist/Session.js": "export const where = 'Session'\n",
      "dist/emulator/index.js": "export const where = 'emulator'\n",
      "dist/emulator/Server.js": "export const where = 'emulator/Server'\n",
      "dist/internal/x.js": "export const where = 'internal'\n",
      "dist/emulator/internal/x.js": "export const where = 'internal'\n",
      "try.mjs": `
        const results = {}
        for (const subpath of ["", "/Session", "/emulator", "/emulator/Server", "/internal/x", "/emulator/internal/x", "/index", "/emulator/index"]) {
          results[subpath] = await import("effect-oneentry" + subpath).then((m) => m.where, (e) => e.code)
        }
        console.log(JSON.stringify(results))
      `
    })
    const { execFileSync } = await import("node:child_process")
    const output = execFileSync(process.execPath, ["try.mjs"], { cwd: directory.path, encoding: "utf8" })
    assert.deepStrictEqual(JSON.parse(output), {
      "": "index",
      "/Session": "Session",
      "/emulator": "emulator",
      "/emulator/Server": "emulator/Server",
      "/internal/x": "ERR_PACKAGE_PATH_NOT_EXPORTED",
      "/emulator/internal/x": "ERR_PACKAGE_PATH_NOT_EXPORTED",
      "/index": "ERR_PACKAGE_PATH_NOT_EXPORTED",
      "/emulator/index": "ERR_PACKAGE_PATH_NOT_EXPORTED"
    })
  })
})
