import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { type Ended, bundle, listening, type Running, sources, start, temporary } from "./cliSupport.ts"

let command: ReadonlyArray<string> = sources
const built = temporary()
beforeAll(async () => {
  command = await bundle(built)
})
afterAll(() => fs.rmSync(built, { recursive: true, force: true }))

const folder = Effect.acquireRelease(Effect.sync(temporary), (dir) =>
  Effect.sync(() => fs.rmSync(dir, { recursive: true, force: true }))
)

const run = (args: ReadonlyArray<string>, cwd = os.tmpdir(), before: ReadonlyArray<string> = []) =>
  Effect.promise(() => start([...before, ...command], args, cwd).ended)

/** An emulator that is killed at the end if it still runs. */
const emulator = (args: ReadonlyArray<string>, cwd = os.tmpdir()) =>
  Effect.gen(function* () {
    const running = yield* Effect.acquireRelease(
      Effect.sync(() => start(command, ["emulator", "--port", "0", ...args], cwd)),
      ({ child, ended }) =>
        Effect.promise(() => {
          child.kill("SIGKILL")
          return ended
        })
    )
    return { ...running, url: yield* Effect.promise(() => listening(running)) }
  })

const end = (running: Running, signal: NodeJS.Signals): Effect.Effect<Ended> =>
  Effect.promise(() => {
    running.child.kill(signal)
    return running.ended
  })

const users = "/api/content/users-auth-providers/marker/email/users"

const post = (url: string, route: string, body: unknown, token = "emulator-app-token") =>
  Effect.promise(async () => {
    const response = await fetch(url + route, {
      method: "POST",
      headers: { "content-type": "application/json", "x-app-token": token },
      body: JSON.stringify(body)
    })
    return response.status
  })

const get = (url: string, route: string) =>
  Effect.promise(async () => {
    const response = await fetch(url + route)
    return { status: response.status, json: (await response.json()) as unknown }
  })

const signUp = (url: string, login: string, token?: string) =>
  post(
    url,
    `${users}/sign-up`,
    {
      langCode: "en_US",
      authData: [
        { marker: "email_reg", value: login },
        { marker: "password_reg", value: "123456" }
      ]
    },
    token
  )

describe("effect-oneentry", () => {
  it.live("runs from its sources", () =>
    Effect.gen(function* () {
      const ended = yield* Effect.promise(() => start(sources, ["--version"], os.tmpdir()).ended)
      assert.strictEqual(ended.code, 0, ended.stderr)
    })
  )

  it.live("explains itself", () =>
    Effect.gen(function* () {
      const [all, none, one, init, version] = yield* Effect.all(
        [
          run(["--help"]),
          run([]),
          run(["emulator", "--help"]),
          run(["emulator", "init", "--help"]),
          run(["--version"])
        ],
        { concurrency: 2 }
      )
      assert.deepInclude(all, { code: 0, stderr: "" })
      assert.match(all.stdout, /emulator\s+Start a local OneEntry backend/)
      assert.strictEqual(none.stdout, all.stdout)
      assert.strictEqual(one.code, 0)
      for (const part of [
        /--port, -p/,
        /4010/,
        /--host/,
        /--data/,
        /--project/,
        /--app-token/,
        /emulator-app-token/,
        /--seed/,
        /init\s+Write/,
        /EXAMPLES/
      ])
        assert.match(one.stdout, part)
      assert.match(init.stdout, /emulator init .*\[file\]|emulator init .*<file>/i)
      const manifest = JSON.parse(fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
      assert.strictEqual(version.stdout.trim(), `effect-oneentry v${manifest.version}`)
      assert.strictEqual(manifest.bin["effect-oneentry"], "dist/bin.js")
    })
  )

  it.live("names mistakes in the command line and ends with 1", () =>
    Effect.gen(function* () {
      for (const [args, said] of [
        [["emulator", "--port", "http"], /--port/],
        [["emulator", "--port", "65536"], /between 0 and 65535/],
        [["emulator", "--prot", "1"], /--prot[\s\S]*--port/],
        [["emulator", "--seed", "x"], /--seed/],
        [["emulaotr"], /emulaotr[\s\S]*emulator/],
        [["emulator", "--port", "0", "--app-token", ""], /appToken must not be empty/],
        [["emulator", "--port", "0", "--host", "256.0.0.1"], /Cannot listen on .*256\.0\.0\.1/],
        // a name without a dot is no command either
        [["emulator", "--port", "0", "--host", "256"], /Cannot listen on .* 256 /],
        [["emulator", "--port", "0", "--data", "none/dev.data"], /dev\.data cannot be used: there is no such .*folder/],
        [["emulator", "--port", "0", "--data", os.tmpdir()], /cannot be opened: it is a folder/]
      ] as const) {
        const ended = yield* run(args)
        assert.strictEqual(ended.code, 1, args.join(" "))
        assert.match(ended.stderr, said)
      }
    })
  )

  it.live("tells an old Node", () =>
    Effect.gen(function* () {
      const pretend = (version: string) => [
        "--import",
        `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`
      ]
      const ancient = yield* run(["--help"], undefined, pretend("18.20.0"))
      assert.deepInclude(ancient, { code: 1, stdout: "" })
      assert.match(ancient.stderr, /needs Node 22 or newer, and this is Node 18\.20\.0/)
      const older = yield* run(["--version"], undefined, pretend("20.20.2"))
      assert.strictEqual(older.code, 0)
      assert.match(older.stderr, /Node 20\.20\.2 is older than 22/)
      assert.strictEqual((yield* run(["--version"], undefined, pretend("22.0.0"))).stderr, "")
    })
  )
})

describe("effect-oneentry emulator", () => {
  it.live("says where it listens, the app token and the page, and ends on SIGTERM and SIGINT", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        const running = yield* emulator(["--data", "dev.data"], dir)
        assert.match(running.url, /^http:\/\/127\.0\.0\.1:\d+$/)
        assert.strictEqual(yield* signUp(running.url, `${signal}@example.com`), 201)
        assert.strictEqual((yield* Effect.promise(() => fetch(`${running.url}/__emulator`))).status, 200)
        // a page that stays open holds nothing up
        const events = yield* Effect.promise(() => fetch(`${running.url}/__emulator/events`))
        const reader = events.body?.getReader()
        yield* Effect.promise(async () => reader?.read())
        const ended = yield* end(running, signal)
        assert.strictEqual(ended.code, 0)
        assert.strictEqual(ended.stderr, "")
        const { stdout } = ended
        assert.include(stdout, "emulator-app-token")
        assert.include(stdout, `${running.url}/__emulator`)
        assert.match(stdout, /no production server/)
        yield* Effect.promise(async () => reader?.cancel().catch(() => undefined))
      }
      assert.deepStrictEqual(fs.readdirSync(dir), ["dev.data"])
      const kept = fs.readFileSync(path.join(dir, "dev.data"), "utf8")
      assert.include(kept, "SIGTERM@example.com")
      assert.include(kept, "SIGINT@example.com")
    })
  )

  it.live("is reached from this machine alone, unless --host says otherwise", () =>
    Effect.gen(function* () {
      const outside = Object.values(os.networkInterfaces())
        .flatMap((list) => list ?? [])
        .find((one) => one.family === "IPv4" && !one.internal)?.address
      const reached = (url: string, host: string) =>
        Effect.promise(
          () =>
            new Promise<boolean>((resolve) => {
              const socket = net.connect(Number(new URL(url).port), host)
              socket.on("connect", () => {
                socket.destroy()
                resolve(true)
              })
              socket.on("error", () => resolve(false))
            })
        )
      const alone = yield* emulator([])
      assert.isTrue(yield* reached(alone.url, "127.0.0.1"))
      // another address of loopback stands in where the machine has no network
      assert.isFalse(yield* reached(alone.url, outside ?? "127.0.0.2"))
      yield* end(alone, "SIGTERM")

      for (const args of [["--host"], ["--host", "0.0.0.0"], ["--host=0.0.0.0"]]) {
        const open = yield* emulator([...args, "--app-token", "shared secret"])
        assert.isTrue(yield* reached(open.url, outside ?? "127.0.0.2"), args.join(" "))
        assert.strictEqual((yield* get(open.url, "/__emulator/users")).status, 403)
        assert.strictEqual((yield* get(open.url, "/__emulator/users?token=shared%20secret")).status, 200)
        yield* end(open, "SIGTERM")
        const { stdout } = yield* Effect.promise(() => open.ended)
        assert.match(stdout, /WARNING: it listens off loopback/)
        assert.include(stdout, "/__emulator?token=shared%20secret")
      }
    })
  )

  it.live("takes its app token and seed", () =>
    Effect.gen(function* () {
      const codes: Array<unknown> = []
      for (const seed of ["7", "7", "8"]) {
        const running = yield* emulator(["--seed", seed, "--app-token", "mine"])
        assert.strictEqual(yield* signUp(running.url, "ann@example.com"), 403)
        assert.strictEqual(yield* signUp(running.url, "ann@example.com", "mine"), 201)
        const { json } = yield* get(running.url, "/__emulator/outbox/code?userIdentifier=ann@example.com")
        codes.push(Object(json).code)
        yield* end(running, "SIGTERM")
      }
      assert.strictEqual(codes[0], codes[1])
      assert.notStrictEqual(codes[0], codes[2])
    })
  )

  it.live("names a port that is taken and a file that is used", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      const first = yield* emulator(["--data", "dev.data"], dir)
      const { port } = new URL(first.url)
      const taken = yield* run(["emulator", "--port", port])
      assert.strictEqual(taken.code, 1)
      assert.include(taken.stderr, `Port ${port} of 127.0.0.1 is taken`)
      const used = yield* run(["emulator", "--port", "0", "--data", "dev.data"], dir)
      assert.strictEqual(used.code, 1)
      assert.match(used.stderr, new RegExp(`process ${first.child.pid} uses it`))
    })
  )

  it.live("points at what is wrong in a project file", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      const check = (text: string, ...said: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          fs.writeFileSync(path.join(dir, "p.json"), text)
          const ended = yield* run(["emulator", "--port", "0", "--project", "p.json"], dir)
          assert.strictEqual(ended.code, 1, text)
          for (const part of said) assert.include(ended.stderr, part)
          assert.notInclude(ended.stderr, "    at ", "no stack")
        })
      yield* check('{\n  "languages": ["en_US",]\n}', "p.json:2:25", "another value is expected")
      yield* check("", "p.json:1:1", "the file ends where a value is expected")
      yield* check('{"users": [], "users": []}', "p.json:1:15", "stands here twice")
      yield* check("[]", "Expected")
      yield* check(
        '{\n  "providers": [\n    { "identifier": "email", "formIdentifer": "reg",\n      "config": { "systemCodeLength": 0 } }\n  ]\n}',
        "p.json:3:30  providers[0].formIdentifer",
        "there is no such key; known are id, identifier",
        "p.json:4:19  providers[0].config.systemCodeLength",
        "Expected a value between 1 and 64"
      )
      yield* check(
        '{"providers": [{"identifier": "a", "formIdentifier": "b"}]}',
        'names the form "b", which does not exist'
      )
      const missing = yield* run(["emulator", "--project", "none.json"], dir)
      assert.strictEqual(missing.code, 1)
      assert.include(missing.stderr, "The project file none.json cannot be read: there is no such file or folder")
    })
  )

  it.live("writes the default project, and runs what it wrote", () =>
    Effect.gen(function* () {
      const dir = yield* folder
      const wrote = yield* run(["emulator", "init"], dir)
      assert.deepInclude(wrote, { code: 0, stderr: "" })
      const file = path.join(dir, "emulator.json")
      const project = JSON.parse(fs.readFileSync(file, "utf8"))
      assert.match(project.$schema, /project\.schema\.json$/)
      const again = yield* run(["emulator", "init"], dir)
      assert.strictEqual(again.code, 1)
      assert.include(again.stderr, "emulator.json cannot be written: it exists already")

      project.providers[0].config = { systemCodeLength: 4, systemCodeOnlyNumbers: true }
      project.users = [{ login: "seed@example.com", password: "secret" }]
      fs.writeFileSync(file, JSON.stringify(project))
      const running = yield* emulator(["--project", "emulator.json"], dir)
      assert.strictEqual(yield* signUp(running.url, "ann@example.com"), 201)
      const { json } = yield* get(running.url, "/__emulator/outbox/code?userIdentifier=ann@example.com")
      assert.match(Object(json).code, /^\d{4}$/)
      const { json: list } = yield* get(running.url, "/__emulator/users")
      assert.deepStrictEqual(
        Object(list).map((user: { login: string }) => user.login),
        ["seed@example.com", "ann@example.com"]
      )
    })
  )
})
