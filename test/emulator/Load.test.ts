/** Load from fifty connections, and ten thousand malformed requests over raw sockets. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Emulator, Project } from "effect-oneentry/emulator"
import * as net from "node:net"
import { applicationOf, load, signIn } from "../../scripts/lib/load.ts"
import { onPort } from "./support.ts"

const project: Project.Input = {
  ...Project.defaultProject,
  users: [{ login: "ann@example.com", password: "123456" }]
}

const Envelope = Schema.fromJsonString(
  Schema.Struct({
    statusCode: Schema.Int,
    timestamp: Schema.String,
    message: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
    pageData: Schema.Null
  })
)
const decodeEnvelope = Schema.decodeUnknownSync(Envelope, { onExcessProperty: "error" })

describe("load", () => {
  it.live("from fifty connections is answered without an error, and leaves the state as it should be", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const people = yield* Effect.promise(() => signIn(emulator.url, "emulator-app-token", 50))
      const outcome = yield* Effect.promise(() =>
        load({
          port: Number(new URL(emulator.url).port),
          connections: 50,
          milliseconds: 4000,
          makeNext: (index) => {
            const person = people[index]
            if (person === undefined) throw new Error("nobody")
            return applicationOf(person, "emulator-app-token")
          }
        })
      )
      // every answer was looked at on the way; each session stands where its last answer left it
      assert.isAbove(outcome.answers, 500)
      const sessions = yield* emulator.sessions
      assert.strictEqual(sessions.length, 50)
      const tokens = new Set(sessions.map((session) => session.refreshToken))
      assert.deepStrictEqual(
        people.filter((person) => !tokens.has(person.refreshToken)),
        []
      )
      assert.isAtMost((yield* emulator.requests).length, 1000)
    }).pipe(Effect.provide(onPort({ project, seed: undefined })))
  )
})

/** mulberry32: the same malformed requests in every run. */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const endpoints = [
  ["POST", "/api/content/users-auth-providers/marker/email/users/sign-up"],
  ["POST", "/api/content/users-auth-providers/marker/email/users/auth"],
  ["POST", "/api/content/users-auth-providers/marker/email/users/generate-code"],
  ["POST", "/api/content/users-auth-providers/marker/email/users/check-code"],
  ["POST", "/api/content/users-auth-providers/marker/email/users/activate"],
  ["POST", "/api/content/users-auth-providers/marker/email/users/refresh"],
  ["POST", "/api/content/users-auth-providers/marker/email/users/change-password"],
  ["POST", "/api/content/users-auth-providers/marker/email/oauth"],
  ["POST", "/api/content/form-data"],
  ["POST", "/api/content/files"],
  ["PUT", "/api/content/users/me"],
  ["PUT", "/api/content/form-data/1"],
  ["GET", "/api/content/users/me"],
  ["DELETE", "/api/content/form-data/9"]
] as const

const device = '{"fingerprint":"f","deviceInfo":{}}'

const deep = (n: number) => "[".repeat(n) + "]".repeat(n)

/** Values that are wrong wherever they stand. */
const wrong = [
  "null",
  "true",
  "0",
  "-1e999",
  '""',
  "[]",
  "{}",
  "[[]]",
  '"\\u0000"',
  '"\\ud800"',
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"toString":1}',
  "[null]",
  "1e400",
  deep(100),
  '{"$ref":"#"}'
]

const keys = [
  "langCode",
  "authData",
  "formData",
  "notificationData",
  "userIdentifier",
  "code",
  "refreshToken",
  "password1",
  "password2",
  "formIdentifier",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "state",
  "marker",
  "value",
  "",
  "eventIdentifier"
]

/** A malformed request as bytes; what it breaks varies. */
const malformed = (next: () => number, number: number): Buffer => {
  const pick = <A>(list: ReadonlyArray<A>): A => list[Math.floor(next() * list.length)] as A
  const [method, path] = pick(endpoints)
  const head = (headers: ReadonlyArray<string>, length: number, target: string = path) =>
    `${method} ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\nx-app-token: emulator-app-token\r\n${headers
      .map((header) => `${header}\r\n`)
      .join("")}content-length: ${length}\r\n\r\n`
  const json = ["content-type: application/json", `x-device-metadata: ${device}`]
  const request = (headers: ReadonlyArray<string>, body: string | Buffer, target?: string) =>
    Buffer.concat([Buffer.from(head(headers, Buffer.byteLength(body), target), "latin1"), Buffer.from(body)])
  switch (number % 10) {
    case 0: {
      // JSON that breaks off or goes wrong in the middle
      const text = `{"langCode":"en_US","authData":[{"marker":"email_reg","value":"a@b.io"}],"x":${pick(wrong)}}`
      const at = Math.floor(next() * text.length)
      return request(
        json,
        next() < 0.5
          ? text.slice(0, at)
          : `${text.slice(0, at)}${pick(["}", "\u0000", "'", ",,", "\\", "NaN"])}${text.slice(at)}`
      )
    }
    case 1: {
      // wrong types, prototype keys
      const body = Array.from({ length: 1 + Math.floor(next() * 5) }, () => `"${pick(keys)}":${pick(wrong)}`).join(",")
      return request(json, `{${body}}`)
    }
    case 2:
      return request(json, pick([...wrong, "", " ", "undefined", "\ufeff{}", "{}{}", '"text"', "//", deep(5000)]))
    case 3: {
      // bytes that are no text
      const bytes = Buffer.from(Array.from({ length: 1 + Math.floor(next() * 200) }, () => Math.floor(next() * 256)))
      return request(json, bytes)
    }
    case 4: {
      // larger than what is read
      const body = `{"langCode":"${"x".repeat(70_000)}"}`
      return next() < 0.5 ? request(json, body) : Buffer.from(head(json, 10 ** (5 + Math.floor(next() * 12))), "latin1")
    }
    case 5: {
      // a device that is none
      const header = pick([
        "",
        "{",
        "null",
        "[]",
        '{"fingerprint":1}',
        '{"__proto__":{}}',
        deep(80),
        "%7B%7D",
        "\u00ff\u00fe",
        '{"fingerprint":"f","deviceInfo":null}'
      ])
      return request([`x-device-metadata: ${header}`, "content-type: application/json"], pick(["{}", "{", "[]"]))
    }
    case 6: {
      // multipart that is none
      const boundary = pick(["b", "", '"', "b; boundary=c", "x".repeat(300)])
      const body = pick([
        "",
        "--b",
        "--b\r\n\r\n--b--",
        "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
        '--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nnever ends',
        '--b\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\nx\r\n--b--\r\n',
        `--b\r\n${"X: y\r\n".repeat(500)}\r\nx\r\n--b--`,
        "\u0000\u0001"
      ])
      return request([`content-type: multipart/form-data; boundary=${boundary}`], body, "/api/content/files")
    }
    case 7: {
      // headers that are none, or too many
      const header = pick([
        "authorization: Bearer",
        `authorization: Bearer ${"x".repeat(9000)}`,
        "authorization: Basic ::::",
        "authorization: Bearer a.b.c\u00ff",
        `x-guest-id: ${"y".repeat(17_000)}`,
        `x-guest-id: ${"y".repeat(60_000)}`,
        "content-encoding: gzip",
        "transfer-encoding: chunked",
        "expect: 100-maybe",
        "content-length: 5",
        "bad header: x",
        ": empty",
        "x-\u0000: 1"
      ])
      return request([header, "content-type: application/json"], '{"nothing":1}')
    }
    case 8: {
      // paths
      const target = pick([
        "/api/content/%",
        "/api/content/%ff%fe",
        "/api/content/users-auth-providers/marker/%E0%A4%A/users/auth",
        "/api/content/users-auth-providers/marker/__proto__/users/sign-up",
        "/api/content/forms/marker/constructor",
        "/api/content/form-data/NaN",
        "/api/content/users?offset=-1",
        "//",
        "/..%2f..%2fetc/passwd",
        `/${"a".repeat(6000)}`,
        "/api/content/users-auth-providers/marker/email/users/auth/../../../x",
        "*",
        "http://evil.example/api/content/forms/x"
      ])
      return request(json, '{"x":1}', target)
    }
    default:
      // no HTTP at all
      return Buffer.from(
        pick([
          "GET\r\n\r\n",
          "\u0000\u0001\u0002\r\n\r\n",
          "POST /x HTTP/9.9\r\n\r\n",
          "G\u00ebT / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\n\r\n",
          '{"json":true}\r\n\r\n',
          "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n"
        ]),
        "latin1"
      )
  }
}

/** Sends bytes and gives everything that comes back. */
const send = (port: number, bytes: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1")
    const chunks: Array<Buffer> = []
    const done = () => resolve(Buffer.concat(chunks).toString("utf8"))
    socket.on("data", (chunk: Buffer) => chunks.push(chunk))
    socket.on("end", done)
    socket.on("close", done)
    // who is refused while it still sends may find the connection reset after the answer
    socket.on("error", (error) => (chunks.length > 0 ? done() : reject(error)))
    socket.on("connect", () => socket.write(bytes))
  })

const limits = { bodyBytes: 64 * 1024 }

describe("ten thousand malformed requests", () => {
  it.live(
    "get a 4xx with the envelope, never a 5xx, and change nothing",
    () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const port = Number(new URL(emulator.url).port)
        const before = yield* emulator.snapshot
        const next = random(20261122)
        const requests = Array.from({ length: 10_000 }, (_, index) => malformed(next, index))
        const statuses = new Map<number, number>()
        const worker = async (offset: number) => {
          for (let index = offset; index < requests.length; index += 20) {
            const bytes = requests[index] ?? Buffer.alloc(0)
            const shown = `#${index}: ${bytes.toString("latin1").slice(0, 500)}`
            const text = await send(port, bytes)
            const [head = "", body = ""] = text.split(/\r\n\r\n(.*)/s)
            const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
            assert.isTrue(status >= 400 && status < 500, `${shown}\n${text}`)
            let statusCode: number | undefined
            try {
              statusCode = decodeEnvelope(body).statusCode
            } catch {
              // told below
            }
            assert.strictEqual(statusCode, status, `${shown}\n${text}`)
            statuses.set(status, (statuses.get(status) ?? 0) + 1)
          }
        }
        yield* Effect.promise(() => Promise.all(Array.from({ length: 20 }, (_, index) => worker(index))))
        for (const status of [400, 401, 404, 413, 431])
          assert.isAbove(statuses.get(status) ?? 0, 10, `only ${statuses.get(status)} × ${status}`)
        assert.deepStrictEqual(yield* emulator.snapshot, before)
        assert.isUndefined(Reflect.get({}, "isAdmin"))
      }).pipe(Effect.provide(onPort({ project, limits }))),
    120_000
  )
})
