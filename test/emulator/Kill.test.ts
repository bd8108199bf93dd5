/** `kill -9` in the middle of writes, a hundred times on one file: whatever was answered is there afterwards. */
import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Emulator, Project } from "effect-oneentry/emulator"
import * as FilePersistence from "effect-oneentry/emulator/FilePersistence"
import * as fs from "node:fs"
import * as path from "node:path"
import { bundle, listening, start, temporary } from "./cliSupport.ts"

const lives = 100
const connections = 6
/** How many of them also refresh a session of their own. */
const sessions = 2

const project: Project.Input = {
  ...Project.defaultProject,
  forms: [
    ...(Project.defaultProject.forms ?? []),
    {
      identifier: "contact",
      type: "data",
      attributes: [{ type: "string", marker: "text" }],
      moduleFormConfigs: [{ id: 7, isAnonymous: true, isGlobal: true }]
    }
  ],
  users: [{ login: "ann@example.com", password: "123456" }]
}

const Answer = Schema.Struct({
  accessToken: Schema.optionalKey(Schema.String),
  refreshToken: Schema.optionalKey(Schema.String),
  formData: Schema.optionalKey(Schema.Struct({ id: Schema.Int }))
})
const decode = Schema.decodeUnknownSync(Answer)
const Sessions = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ fingerprint: Schema.String, refreshes: Schema.Int }))
)
const authData = [
  { marker: "email_reg", value: "ann@example.com" },
  { marker: "password_reg", value: "123456" }
]

it.live(
  "restarting a hundred times after kill -9 under load loses no answered write",
  () =>
    Effect.gen(function* () {
      const dir = yield* Effect.acquireRelease(Effect.sync(temporary), (dir) =>
        Effect.sync(() => fs.rmSync(dir, { recursive: true, force: true }))
      )
      const command = yield* Effect.promise(() => bundle(path.join(dir, "bin")))
      const data = path.join(dir, "emulator.data")
      fs.writeFileSync(path.join(dir, "project.json"), JSON.stringify(project))

      const submitted: Array<number> = []
      /** By device: the token that was answered last, and how often its session was refreshed by then. */
      const devices = Array.from({ length: sessions }, () => ({ refreshToken: "", answered: 0 }))
      let refreshed = 0
      let text = 0

      const life = async (number: number) => {
        const running = start(command, ["emulator", "--port", "0", "--data", data, "--project", "project.json"], dir)
        const url = await listening(running)
        const send = async (route: string, body: unknown, device: number) => {
          const response = await fetch(url + route, {
            method: "POST",
            headers: {
              "content-type": "application/json",
              "x-app-token": "emulator-app-token",
              "x-device-metadata": JSON.stringify({ fingerprint: `device-${device}`, deviceInfo: {} })
            },
            body: JSON.stringify(body)
          })
          const answer: unknown = await response.json()
          return { status: response.status, body: response.status === 201 ? decode(answer) : {} }
        }
        const users = "/api/content/users-auth-providers/marker/email/users"
        const stop = new AbortController()
        let written = 0
        let enough = () => {}
        const loaded = new Promise<void>((resolve) => {
          enough = resolve
        })
        // What the killed one had answered is known to this one, and at most the one request more that was under way.
        const known = Sessions(await (await fetch(`${url}/__emulator/sessions`)).json())
        for (const [index, device] of devices.entries()) {
          if (device.refreshToken === "") continue
          const times = known.find((session) => session.fingerprint === `device-${index}`)?.refreshes
          assert.include([device.answered, device.answered + 1], times, `an answered refresh is gone in life ${number}`)
          if (times !== device.answered) device.refreshToken = ""
        }

        const refresh = async (index: number) => {
          const device = devices[index]
          if (device === undefined) return
          if (device.refreshToken === "") {
            const { body, status } = await send(`${users}/auth`, { authData }, index)
            assert.strictEqual(status, 201)
            device.refreshToken = body.refreshToken ?? ""
            device.answered = 0
          }
          const { body, status } = await send(`${users}/refresh`, { refreshToken: device.refreshToken }, index)
          assert.strictEqual(status, 201)
          device.refreshToken = body.refreshToken ?? ""
          device.answered++
          refreshed++
        }
        const load = async (index: number) => {
          try {
            while (!stop.signal.aborted) {
              await refresh(index)
              const sent = await send(
                "/api/content/form-data",
                {
                  formIdentifier: "contact",
                  formModuleConfigId: 7,
                  formData: { en_US: [{ marker: "text", type: "string", value: `text ${text++}` }] }
                },
                index
              )
              assert.strictEqual(sent.status, 201)
              submitted.push(sent.body.formData?.id ?? 0)
              // after a different number of writes in every life, and always with others under way
              if (++written === 5 + ((number * 7) % 40)) enough()
            }
          } catch (cause) {
            if (!stop.signal.aborted || !(cause instanceof TypeError)) throw cause
          }
        }
        const loads = Array.from({ length: connections }, (_, index) => load(index))
        await Promise.race([loaded, Promise.all(loads)])
        stop.abort()
        running.child.kill("SIGKILL")
        await Promise.all(loads)
        assert.strictEqual((await running.ended).signal, "SIGKILL")
      }

      for (let number = 0; number < lives; number++) yield* Effect.promise(() => life(number))

      const snapshot = yield* Effect.scoped(
        Effect.gen(function* () {
          const persistence = yield* FilePersistence.make({ file: data })
          const emulator = yield* Emulator.make({ project, persistence })
          return yield* emulator.snapshot
        })
      )
      assert.isAbove(submitted.length, lives * 5)
      assert.strictEqual(new Set(submitted).size, submitted.length, "an id was given twice")
      const kept = new Set(snapshot.submissions.map((row) => row.id))
      assert.deepStrictEqual(
        submitted.filter((id) => !kept.has(id)),
        [],
        "answered submissions that are gone"
      )
      // and no more than what was under way at each kill
      assert.isAtMost(kept.size - submitted.length, lives * connections)
      assert.deepStrictEqual(
        snapshot.users.map((user) => user.login),
        ["ann@example.com"]
      )
      assert.isAbove(refreshed, lives)
    }),
  240_000
)
