import { assert, describe, it } from "@effect/vitest"
import type { Layer } from "effect"
import { Effect } from "effect"
import { Emulator } from "effect-oneentry/emulator"
import * as FilePersistence from "effect-oneentry/emulator/FilePersistence"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { auth, call, login, me, ok, refresh, register, registered, signIn, signUp, tokensOf, users } from "./support.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-data-"))),
  (dir) => Effect.sync(() => fs.rmSync(dir, { recursive: true, force: true }))
)

const fileIn = Effect.map(folder, (dir) => path.join(dir, "emulator.data"))

/** One life of an emulator on a file. */
const life = <A, E>(
  file: string,
  work: Effect.Effect<A, E, Layer.Success<ReturnType<typeof Emulator.layerClient>>>,
  options?: Omit<FilePersistence.Options, "file">
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const persistence = yield* FilePersistence.make({ file, ...options })
      return yield* work.pipe(Effect.provide(Emulator.layerClient({ passwordCost: 1, persistence })))
    })
  )

describe("FilePersistence", () => {
  it.effect("keeps users, sessions, codes, messages, files and secrets between lives", () =>
    Effect.gen(function* () {
      const file = yield* fileIn
      const first = yield* life(
        file,
        Effect.gen(function* () {
          const tokens = yield* registered()
          yield* signUp("bob@example.com")
          const form = new FormData()
          form.append("files", new Blob([new Uint8Array([0, 255, 10, 13])]), "a.bin")
          const uploaded = yield* call("POST", "/api/content/files", { form })
          assert.strictEqual(uploaded.status, 201)
          return { tokens, snapshot: yield* Emulator.Emulator.use((emulator) => emulator.snapshot) }
        })
      )
      yield* life(
        file,
        Effect.gen(function* () {
          const emulator = yield* Emulator.Emulator
          assert.deepStrictEqual(yield* emulator.snapshot, first.snapshot)
          assert.strictEqual((yield* me(first.tokens.accessToken)).status, 200)
          const next = tokensOf(yield* refresh(first.tokens.refreshToken))
          assert.strictEqual((yield* me(next.accessToken)).status, 200)
          const code = yield* emulator.awaitCode("bob@example.com")
          ok(yield* call("POST", `${users}/activate`, { body: { userIdentifier: "bob@example.com", code } }), 201, true)
          yield* signIn("bob@example.com")
          // numbers go on, so that nothing old is met again
          yield* register("eve@example.com")
          assert.deepStrictEqual(
            (yield* emulator.users).map((user) => user.id),
            [1, 2, 3]
          )
        })
      )
      // a spent refresh token stays spent
      yield* life(
        file,
        Effect.gen(function* () {
          assert.strictEqual((yield* refresh(first.tokens.refreshToken)).status, 400)
          const emulator = yield* Emulator.Emulator
          yield* emulator.reset
        })
      )
      yield* life(
        file,
        Effect.gen(function* () {
          const emulator = yield* Emulator.Emulator
          assert.deepStrictEqual(yield* emulator.users, [])
          assert.strictEqual((yield* auth()).status, 401)
        })
      )
    })
  )

  it.effect("cuts off a line that was never finished, whatever its length", () =>
    Effect.gen(function* () {
      const file = yield* fileIn
      yield* life(file, register())
      const whole = fs.readFileSync(file)
      const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1
      for (let end = lastLine; end <= whole.length; end += 7) {
        fs.writeFileSync(file, whole.subarray(0, end))
        const logins = yield* life(
          file,
          Emulator.Emulator.use((emulator) => emulator.users)
        )
        assert.deepStrictEqual(
          logins.map((user) => user.login),
          [login]
        )
        // what follows is written after the cut
        assert.strictEqual(fs.readFileSync(file).length, end === whole.length ? end : lastLine)
      }
      // zeros, as a disk may leave them
      fs.writeFileSync(file, Buffer.concat([whole, Buffer.alloc(4096)]))
      yield* life(file, register("bob@example.com"))
      const both = yield* life(
        file,
        Emulator.Emulator.use((emulator) => emulator.users)
      )
      assert.deepStrictEqual(
        both.map((user) => user.login),
        [login, "bob@example.com"]
      )
      // a header that was never finished is a new file
      fs.writeFileSync(file, whole.subarray(0, 10))
      assert.deepStrictEqual(
        yield* life(
          file,
          Emulator.Emulator.use((emulator) => emulator.users)
        ),
        []
      )
    })
  )

  it.effect("refuses a file that was damaged, is another's, or cannot be opened", () =>
    Effect.gen(function* () {
      const file = yield* fileIn
      yield* life(file, register())
      const whole = fs.readFileSync(file)
      whole[60] = (whole[60] ?? 0) ^ 1
      fs.writeFileSync(file, whole)
      const damaged = yield* Effect.flip(Effect.scoped(FilePersistence.make({ file })))
      assert.match(damaged.message, /is damaged at line 2/)
      assert.deepStrictEqual(fs.readFileSync(file), whole)

      fs.writeFileSync(file, JSON.stringify({ precious: "data" }))
      const foreign = yield* Effect.flip(Effect.scoped(FilePersistence.make({ file })))
      assert.match(foreign.message, /is no data file of the emulator/)
      assert.strictEqual(fs.readFileSync(file, "utf8"), JSON.stringify({ precious: "data" }))

      const nowhere = yield* Effect.flip(Effect.scoped(FilePersistence.make({ file: path.join(file, "x", "y") })))
      assert.strictEqual(nowhere.operation, "load")

      // A pipe would be read for ever.
      const pipe = path.join(path.dirname(file), "pipe")
      execFileSync("mkfifo", [pipe])
      const special = yield* Effect.flip(Effect.scoped(FilePersistence.make({ file: pipe })))
      assert.match(special.message, /pipe cannot be opened: it is a pipe or a device/)
      const folder = yield* Effect.flip(Effect.scoped(FilePersistence.make({ file: path.dirname(file) })))
      assert.match(folder.message, /cannot be opened: it is a folder/)
    })
  )

  it.effect("belongs to one emulator at a time, and to the next when its owner is dead", () =>
    Effect.gen(function* () {
      const file = yield* fileIn
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* FilePersistence.make({ file })
          const second = yield* Effect.flip(Effect.scoped(FilePersistence.make({ file })))
          assert.match(second.message, /another emulator of this process uses it/)
        })
      )
      assert.isFalse(fs.existsSync(`${file}.lock`))
      // a process that lives
      fs.writeFileSync(`${file}.lock`, `${process.ppid} \n`)
      const living = yield* Effect.flip(Effect.scoped(FilePersistence.make({ file })))
      assert.match(living.message, new RegExp(`process ${process.ppid} uses it`))
      // one that does not; on Linux also one whose number was given to another
      for (const owner of [
        "4194305 1",
        `${process.pid} 1`,
        ...(process.platform === "linux" ? [`${process.ppid} 1`] : [])
      ]) {
        fs.writeFileSync(`${file}.lock`, `${owner}\n`)
        yield* life(file, signUp())
      }
    })
  )

  it.effect("rewrites the file with the live rows when it has grown", () =>
    Effect.gen(function* () {
      const file = yield* fileIn
      const sizes: Array<number> = []
      const snapshot = yield* life(
        file,
        Effect.gen(function* () {
          yield* register()
          for (let i = 0; i < 120; i++) {
            yield* signIn()
            sizes.push(fs.statSync(file).size)
          }
          return yield* Emulator.Emulator.use((emulator) => emulator.snapshot)
        }),
        { compactAbove: 20_000, durability: "system" }
      )
      assert.isTrue(
        sizes.some((size, index) => index > 0 && size < (sizes[index - 1] ?? 0)),
        "it never shrank"
      )
      assert.isBelow(Math.max(...sizes), 40_000)
      assert.deepStrictEqual(
        yield* life(
          file,
          Emulator.Emulator.use((emulator) => emulator.snapshot)
        ),
        snapshot
      )
      assert.deepStrictEqual(fs.readdirSync(path.dirname(file)), [path.basename(file)])
    })
  )

  it.effect("answers 500 while nothing can be kept, and keeps it all afterwards", () =>
    Effect.gen(function* () {
      const file = yield* fileIn
      const persistence = yield* FilePersistence.make({ file })
      let full = false
      const wrapped: typeof persistence = {
        load: persistence.load,
        append: (changes) =>
          Effect.suspend(() => persistence.append(full ? [{ table: "users", key: "1", row: {} }] : changes))
      }
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* signUp()).status, 201)
        full = true
        const refused = yield* signUp("bob@example.com")
        assert.deepInclude(Object(refused.json), { statusCode: 500, message: "Internal server error", pageData: null })
        full = false
        assert.strictEqual((yield* signUp("eve@example.com")).status, 201)
      }).pipe(Effect.provide(Emulator.layerClient({ passwordCost: 1, persistence: wrapped })))
      const kept = fs.readFileSync(file, "utf8")
      for (const name of [login, "bob@example.com", "eve@example.com"]) assert.include(kept, name)
    })
  )
})
