import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { readManifest, root } from "../../scripts/lib/package.ts"
import { directoryWith } from "./fixture.ts"

const run = (directory: string, ...options: ReadonlyArray<string>) => {
  const script = path.join(root, "scripts/api-report.ts")
  return spawnSync(process.execPath, [script, "--root", directory, ...options], { encoding: "utf8" })
}

const fixture = () =>
  directoryWith({
    "package.json": JSON.stringify(readManifest()),
    "src/index.ts": "",
    "src/Session.ts": "",
    "src/internal/refresh.ts": "",
    "dist/index.d.ts": `/** Sessions. */\nexport * as Session from "./Session.js";\nexport { helper } from "./internal/refresh.js";\n`,
    "dist/Session.d.ts": [
      `import type * as Refresh from "./internal/refresh.js";`,
      `import type { Named } from "./internal/refresh.js";`,
      "/** What a session knows. */",
      "export interface Info {",
      "    /** The user. */",
      "    readonly user: string; // trailing",
      "",
      "    readonly outcome: Refresh.Outcome;",
      "}",
      "declare const Hidden_base: Named;",
      "declare const unmentioned: string;",
      "export declare class Session extends Hidden_base {}",
      "export declare const late: import('./internal/refresh.js').Quoted;".replaceAll("'", '"'),
      "export declare function a(x: string): void;",
      "export declare function a(x: number): void;",
      "declare const inner: number;",
      "export { inner as outer };",
      "export {};"
    ].join("\n"),
    "dist/internal/refresh.d.ts": [
      "export type Outcome = Deep | string;",
      "type Deep = 1;",
      "export declare const helper: number;",
      "export interface Named {}",
      "export interface Quoted {}",
      "export interface NotMentioned {}"
    ].join("\n")
  })

describe("the API report", () => {
  it("holds the public types and what they mention, sorted, without comments", () => {
    using directory = fixture()
    assert.strictEqual(run(directory.path).status, 0)
    assert.strictEqual(
      fs.readFileSync(path.join(directory.path, "api/effect-oneentry.api.md"), "utf8"),
      [
        "# The public types of effect-oneentry",
        "",
        "Written by `npm run api:report` from the declarations that the build emits. Do not edit.",
        "",
        "## effect-oneentry",
        "",
        "```ts",
        `export * as Session from "effect-oneentry/Session"`,
        "",
        `export { helper } from "internal/refresh"`,
        "```",
        "",
        "## effect-oneentry/Session",
        "",
        "```ts",
        "const Hidden_base: Named;",
        "",
        "export interface Info {",
        "    readonly user: string;",
        "    readonly outcome: Refresh.Outcome;",
        "}",
        "",
        "export class Session extends Hidden_base {}",
        "",
        "export function a(x: string): void;",
        "export function a(x: number): void;",
        "",
        "const inner: number;",
        "",
        `export const late: import("./internal/refresh.js").Quoted;`,
        "",
        "export { inner as outer }",
        "```",
        "",
        "## not exported: internal/refresh",
        "",
        "```ts",
        "type Deep = 1;",
        "",
        "export interface Named {}",
        "",
        "export type Outcome = Deep | string;",
        "",
        "export interface Quoted {}",
        "",
        "export const helper: number;",
        "```",
        ""
      ].join("\n")
    )
  })

  it("is checked: fresh after writing, stale after a change of a type, fresh after a change of a comment", () => {
    using directory = fixture()
    const missing = run(directory.path, "--check")
    assert.strictEqual(missing.status, 1)
    assert.isFalse(fs.existsSync(path.join(directory.path, "api")))
    run(directory.path)
    assert.strictEqual(run(directory.path, "--check").status, 0)

    const file = path.join(directory.path, "dist/Session.d.ts")
    const text = fs.readFileSync(file, "utf8")
    fs.writeFileSync(file, text.replace("/** The user. */", "/** Who it is. */"))
    assert.strictEqual(run(directory.path, "--check").status, 0)

    fs.writeFileSync(file, text.replace("readonly user: string", "readonly user: number"))
    const stale = run(directory.path, "--check")
    assert.strictEqual(stale.status, 1)
    assert.match(stale.stderr, /^- {5}readonly user: string;$/m)
    assert.match(stale.stderr, /^\+ {5}readonly user: number;$/m)
    assert.match(stale.stderr, /stale \(1 lines gone, 1 new\)/)
  })
})
