import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { build } from "esbuild"
import { createHash, createHmac, randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import { createContext, runInContext } from "node:vm"
import { equalText, hex, utf8 } from "../../src/emulator/internal/bytes.ts"
import * as password from "../../src/emulator/internal/password.ts"
import { secure, seeded } from "../../src/emulator/internal/random.ts"
import { hmacSha256, sha256 } from "../../src/emulator/internal/sha256.ts"

describe("SHA-256", () => {
  it("gives what the platform gives, for messages and keys of every length around a block", () => {
    for (let length = 0; length < 200; length++) {
      const message = randomBytes(length)
      const key = randomBytes(length)
      assert.strictEqual(hex(sha256(message)), createHash("sha256").update(message).digest("hex"), String(length))
      assert.strictEqual(
        hex(hmacSha256(key)(message)),
        createHmac("sha256", key).update(message).digest("hex"),
        String(length)
      )
    }
  })
  it("keeps a prepared key unchanged", () => {
    const sign = hmacSha256(utf8("key"))
    const first = hex(sign(utf8("a")))
    sign(utf8("something else"))
    assert.strictEqual(hex(sign(utf8("a"))), first)
  })
})

describe("random", () => {
  it("fills every kind of value, and repeats with a seed", () => {
    for (const random of [secure, seeded(1)]) {
      assert.match(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      const counts = new Map<number, number>()
      for (let i = 0; i < 3600; i++) {
        const value = random.below(36)
        counts.set(value, (counts.get(value) ?? 0) + 1)
        const fraction = random.fraction()
        assert.isTrue(fraction >= 0 && fraction < 1)
      }
      assert.strictEqual(counts.size, 36)
    }
    assert.deepStrictEqual(seeded(3).bytes(99), seeded(3).bytes(99))
    assert.notDeepEqual(seeded(3).bytes(99), seeded(4).bytes(99))
  })
})

describe("passwords", () => {
  it.effect("are verified, wrong and absent ones are not", () =>
    Effect.gen(function* () {
      const passwords = password.make(secure, 1)
      const hash = yield* passwords.hash("Grüße")
      assert.isTrue(yield* passwords.verify("Grüße", hash))
      assert.isFalse(yield* passwords.verify("grüße", hash))
      assert.isFalse(yield* passwords.verify("", null))
      assert.isTrue(yield* password.make(secure, 3).verify("Grüße", hash))
      // a hash from a runtime without scrypt
      const web = yield* passwords.hashWith("pbkdf2", "Grüße")
      assert.match(web, /^pbkdf2\$1\$/)
      assert.isTrue(yield* passwords.verify("Grüße", web))
      assert.isFalse(yield* passwords.verify("x", web))
    })
  )
  it("are compared without an early end", () => {
    assert.isTrue(equalText("", ""))
    assert.isTrue(equalText("abc", "abc"))
    for (const [a, b] of [
      ["a", ""],
      ["", "a"],
      ["abc", "abd"],
      ["abc", "abcd"],
      ["a\u0000", "a"]
    ] as const) {
      assert.isFalse(equalText(a, b))
    }
  })
})

describe("the module", () => {
  it.live("bundles for the web without a Node built-in", () =>
    Effect.gen(function* () {
      const result = yield* Effect.promise(() =>
        build({
          entryPoints: [fileURLToPath(new URL("../../src/emulator/index.ts", import.meta.url))],
          bundle: true,
          write: false,
          metafile: true,
          format: "esm",
          platform: "neutral",
          mainFields: ["module", "main"],
          conditions: ["workerd", "worker", "browser"],
          logLevel: "silent"
        })
      )
      assert.deepStrictEqual(result.errors, [])
      const outside = Object.values(result.metafile.outputs).flatMap((output) => output.imports)
      assert.deepStrictEqual(outside, [])
      const imports = Object.entries(result.metafile.inputs).flatMap(([file, input]) =>
        input.imports.filter((item) => item.path.startsWith("node:")).map((item) => `${file} ${item.path}`)
      )
      assert.deepStrictEqual(imports, [])
      const barrels = Object.keys(result.metafile.inputs).filter((file) =>
        /effect\/(src|dist)\/index\.(ts|js)$/.test(file)
      )
      assert.deepStrictEqual(barrels, [])
    })
  )

  it.live("answers in a runtime that has the web's globals and nothing else, code generation forbidden", () =>
    Effect.gen(function* () {
      const source = `
        import * as Effect from "effect/Effect"
        import { Emulator } from "./src/emulator/index.ts"
        export const run = (form) => Effect.runPromise(Effect.scoped(Effect.gen(function*() {
          const emulator = yield* Emulator.make({ passwordCost: 1 })
          const send = (method, path, body, headers = {}) => Effect.promise(async () => {
            const response = await emulator.handler(new Request(emulator.url + path, {
              method,
              headers: { "x-app-token": "emulator-app-token", ...(body instanceof FormData ? {} : { "content-type": "application/json" }), ...headers },
              ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) })
            }))
            return [response.status, await response.json()]
          })
          const users = "/api/content/users-auth-providers/marker/email/users"
          const authData = [{ marker: "email_reg", value: "a@b.io" }, { marker: "password_reg", value: "1" }]
          const device = { "x-device-metadata": JSON.stringify({ fingerprint: "x", deviceInfo: {} }) }
          const [signedUp] = yield* send("POST", users + "/sign-up", { langCode: "en_US", authData })
          const code = yield* emulator.awaitCode("a@b.io")
          const [, activated] = yield* send("POST", users + "/activate", { userIdentifier: "a@b.io", code })
          const [, tokens] = yield* send("POST", users + "/auth", { authData }, device)
          const [, me] = yield* send("GET", "/api/content/users/me", undefined, { authorization: "Bearer " + tokens.accessToken })
          const upload = new FormData()
          upload.append("files", new Blob(["abc"]), "a.txt")
          const [uploaded] = yield* send("POST", "/api/content/files", upload)
          const listen = yield* Effect.flip(Effect.scoped(Emulator.makeServer()))
          const hash = (yield* emulator.users)[0].passwordHash
          return JSON.stringify([signedUp, activated, me.identifier, uploaded, listen.reason, hash.slice(0, 9)])
        })))`
      const result = yield* Effect.promise(() =>
        build({
          stdin: { contents: source, resolveDir: fileURLToPath(new URL("../..", import.meta.url)), loader: "ts" },
          bundle: true,
          write: false,
          format: "iife",
          globalName: "emulator",
          platform: "neutral",
          mainFields: ["module", "main"],
          conditions: ["workerd", "worker", "browser"],
          logLevel: "silent"
        })
      )
      const names = [
        "AbortController",
        "AbortSignal",
        "Blob",
        "Event",
        "EventTarget",
        "File",
        "FormData",
        "Headers",
        "MessageChannel",
        "ReadableStream",
        "Request",
        "Response",
        "TextDecoder",
        "TextEncoder",
        "TransformStream",
        "URL",
        "URLSearchParams",
        "WritableStream",
        "atob",
        "btoa",
        "clearTimeout",
        "console",
        "crypto",
        "fetch",
        "performance",
        "queueMicrotask",
        "setTimeout",
        "structuredClone"
      ]
      const context = createContext(Object.fromEntries(names.map((name) => [name, Reflect.get(globalThis, name)])), {
        codeGeneration: { strings: false, wasm: false }
      })
      runInContext(result.outputFiles[0]?.text ?? "", context)
      const answer: unknown = yield* Effect.promise(async () => runInContext("emulator.run()", context))
      assert.strictEqual(answer, JSON.stringify([201, true, "a@b.io", 201, "NotSupported", "pbkdf2$1$"]))
    })
  )
})
