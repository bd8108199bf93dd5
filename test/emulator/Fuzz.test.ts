import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { Emulator, Project } from "effect-oneentry/emulator"
import { createConnection } from "node:net"
import { seeded } from "../../src/emulator/internal/random.ts"
import { call, device, inProcess, onPort, project, registered, users } from "./support.ts"

const seed = Number(process.env["FUZZ_SEED"] ?? crypto.getRandomValues(new Uint32Array(1))[0])
const runs = Number(process.env["FUZZ_RUNS"] ?? 3000)

const random = seeded(seed)
const pick = <A>(items: ReadonlyArray<A>): A => items[random.below(items.length)] as A

const prefix = "/api/content"
const auth = `${prefix}/users-auth-providers/marker/email`
const routes: ReadonlyArray<readonly ["GET" | "POST" | "PUT" | "DELETE", string]> = [
  ["POST", `${auth}/users/sign-up`],
  ["POST", `${auth}/users/generate-code`],
  ["POST", `${auth}/users/check-code`],
  ["POST", `${auth}/users/activate`],
  ["POST", `${auth}/users/auth`],
  ["POST", `${auth}/users/refresh`],
  ["POST", `${auth}/users/logout`],
  ["POST", `${auth}/users/change-password`],
  ["POST", `${auth}/oauth`],
  ["PUT", `${prefix}/users/me`],
  ["POST", `${prefix}/form-data`],
  ["POST", `${prefix}/form-data/marker/reg`],
  ["PUT", `${prefix}/form-data/1`],
  ["PUT", `${prefix}/form-data/1/update-status`],
  ["POST", `${prefix}/files`],
  ["POST", `${prefix}/events/subscribe/marker/nope`],
  ["DELETE", `${prefix}/events/unsubscribe/marker/nope`],
  ["GET", `${prefix}/files`],
  ["DELETE", `${prefix}/form-data/77`],
  ["GET", `${prefix}/forms/marker/nope`],
  ["GET", `${prefix}/nope`]
]

const keys = [
  "authData",
  "formData",
  "notificationData",
  "langCode",
  "formIdentifier",
  "marker",
  "value",
  "type",
  "code",
  "userIdentifier",
  "eventIdentifier",
  "refreshToken",
  "password1",
  "password2",
  "state",
  "en_US",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "length",
  "0",
  "",
  "\u0000",
  "ключ",
  "a.b",
  "[0]"
]

const scalars: ReadonlyArray<unknown> = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  "",
  " ",
  "x",
  "en_US",
  "reg",
  "email_reg",
  "password_reg",
  "auth",
  "ann@example.com",
  "\u0000",
  "\ud800",
  "💥",
  "x".repeat(20_000),
  "__proto__",
  "[object Object]",
  "'; drop table users; --",
  "${7*7}",
  "../../etc/passwd",
  "true",
  "1",
  "2024-99-99"
]

const json = (depth: number): unknown => {
  const kind = random.below(10)
  if (depth === 0 || kind < 5) return pick(scalars)
  if (kind < 7) return Array.from({ length: random.below(4) }, () => json(depth - 1))
  const out: Record<string, unknown> = {}
  for (let i = random.below(5); i > 0; i--) {
    Object.defineProperty(out, pick(keys), { value: json(depth - 1), enumerable: true, configurable: true })
  }
  return out
}

const base: ReadonlyArray<unknown> = [
  {
    langCode: "en_US",
    authData: [
      { marker: "email_reg", value: "a@b.io" },
      { marker: "password_reg", value: "1" }
    ],
    formData: { en_US: [] }
  },
  { userIdentifier: "ann@example.com", eventIdentifier: "auth", code: "x", type: 1, password1: "a", password2: "b" },
  { refreshToken: "x" },
  {
    formIdentifier: "reg",
    langCode: "en_US",
    formData: { en_US: [{ marker: "name_reg", type: "string", value: "x" }] }
  },
  { client_id: "", code: "x" }
]

/** A good body with one part replaced, added or removed. */
const mutated = (): unknown => {
  const copy: unknown = structuredClone(pick(base))
  let target: unknown = copy
  for (let depth = random.below(4); depth > 0; depth--) {
    const inner = Object.values(Object(target)).filter((value) => typeof value === "object" && value !== null)
    if (inner.length === 0) break
    target = pick(inner)
  }
  const own = Object.keys(Object(target))
  const key = random.below(2) === 0 && own.length > 0 ? pick(own) : pick(keys)
  if (typeof target === "object" && target !== null) {
    if (Array.isArray(target) && key === "length") return copy
    if (random.below(5) === 0) Reflect.deleteProperty(target, key)
    else Object.defineProperty(target, key, { value: json(3), enumerable: true, configurable: true, writable: true })
  }
  return copy
}

const rawBody = (): string => {
  switch (random.below(8)) {
    case 0:
      return JSON.stringify(json(5)).slice(0, -1)
    case 1:
      return String.fromCharCode(...random.bytes(random.below(60)))
    case 2:
      return "[".repeat(random.below(50_000)) + "]".repeat(random.below(10))
    case 3:
      return `{"a":`.repeat(random.below(3000))
    default:
      return JSON.stringify(random.below(3) === 0 ? json(6) : mutated()) ?? ""
  }
}

const headerValue = (): string =>
  pick([
    "",
    "{",
    "{}",
    "null",
    "[]",
    device(),
    `{"fingerprint":{},"deviceInfo":{}}`,
    `{"fingerprint":"x","deviceInfo":{"__proto__":{}}}`,
    "x".repeat(3000),
    "Bearer",
    "Bearer ",
    "Bearer a.b.c",
    "Basic x",
    `{"fingerprint":"${"f".repeat(2000)}","deviceInfo":{}}`
  ])

const contentTypes = [
  "application/json",
  "application/json; charset=utf-16",
  "text/plain",
  "multipart/form-data",
  "multipart/form-data; boundary=",
  "multipart/form-data; boundary=abc",
  "application/x-www-form-urlencoded",
  "",
  "json",
  'multipart/form-data; boundary="a'
]

const queries = [
  "",
  "?",
  "?offset=x",
  "?limit=-1",
  "?limit=99999999999",
  "?offset=1&offset=2",
  "?%",
  "?a=%zz",
  "?__proto__=1",
  "?filename=%00",
  "?langCode=",
  "?limit[]=1"
]
const paths = [
  "",
  "/",
  "/%",
  "/%zz",
  "/%2e%2e",
  "/..",
  "/a%2fb",
  "//",
  "/\u00e9",
  `/${"x".repeat(5000)}`,
  "/__proto__",
  "/constructor"
]

const Envelope = Schema.Struct({
  statusCode: Schema.Int,
  timestamp: Schema.String,
  message: Schema.Union([Schema.NonEmptyString, Schema.NonEmptyArray(Schema.NonEmptyString)]),
  pageData: Schema.Null
})
const decodeEnvelope = Schema.decodeUnknownExit(Schema.fromJsonString(Envelope), { onExcessProperty: "error" })

const tenant = project(Project.defaultProject, {
  permissions: [{ operation: "getFormsDataByMarker", rule: "granted" }]
})

const attack = (bearer: string) =>
  Effect.gen(function* () {
    const [method, path] = pick(routes)
    const url = `${path}${random.below(10) === 0 ? pick(paths) : ""}${random.below(5) === 0 ? pick(queries) : ""}`
    const headers: Record<string, string> = {}
    if (random.below(3) !== 0) headers["x-device-metadata"] = random.below(4) === 0 ? headerValue() : device()
    if (random.below(3) !== 0) headers["authorization"] = random.below(4) === 0 ? headerValue() : `Bearer ${bearer}`
    const raw = method === "GET" ? undefined : rawBody()
    const type = random.below(4) === 0 ? pick(contentTypes) : "application/json"
    if (raw !== undefined) headers["content-type"] = type
    const answer = yield* call(method, url, {
      ...(raw === undefined ? {} : { raw }),
      headers,
      ...(random.below(30) === 0 ? { appToken: headerValue() } : {})
    })
    const what = `seed ${seed}: ${method} ${url.slice(0, 200)} ${JSON.stringify(headers).slice(0, 300)} ${raw?.slice(0, 300)} -> ${answer.status} ${answer.text.slice(0, 300)}`
    assert.isTrue(answer.status < 500, what)
    if (answer.status >= 400) {
      const exit = decodeEnvelope(answer.text)
      assert.isTrue(Exit.isSuccess(exit) && exit.value.statusCode === answer.status, what)
    }
    return answer.status
  })

for (const [name, live, count] of [
  ["in the process", inProcess, runs],
  ["on a port", onPort, Math.ceil(runs / 3)]
] as const) {
  describe(`malformed requests ${name}`, () => {
    it.live(
      `${count} of them give a refusal with the envelope, never a 500 (FUZZ_SEED=${seed})`,
      () =>
        Effect.gen(function* () {
          const emulator = yield* Emulator.Emulator
          const tokens = yield* registered()
          const statuses = new Map<number, number>()
          for (let i = 0; i < count; i++) {
            const status = yield* attack(tokens.accessToken)
            statuses.set(status, (statuses.get(status) ?? 0) + 1)
          }
          for (const status of [400, 401, 403, 404])
            assert.isAbove(statuses.get(status) ?? 0, 0, `${status} of seed ${seed}`)
          const refusedOnes = [...statuses].filter(([status]) => status >= 400).reduce((sum, [, n]) => sum + n, 0)
          assert.isAbove(refusedOnes, count / 2)
          assert.isUndefined(Object(Object.prototype).admin)
          assert.deepStrictEqual(Object.keys(Object.prototype), [])
          assert.strictEqual((yield* call("GET", "/api/content/forms")).status, 200)
          assert.isTrue((yield* emulator.users).length >= 1)
        }).pipe(Effect.provide(live({ project: tenant, limits: { bodyBytes: 60_000, headerBytes: 8000 } }))),
      120_000
    )
  })
}

describe("what is hardly HTTP", () => {
  const talk = (port: number, text: string) =>
    Effect.callback<string>((resume) => {
      let received = ""
      const socket = createConnection({ port, host: "127.0.0.1" }, () => socket.write(text))
      socket.setEncoding("utf8")
      socket.on("data", (chunk) => {
        received += chunk
      })
      socket.on("close", () => resume(Effect.succeed(received)))
      socket.on("error", () => undefined)
      return Effect.sync(() => socket.destroy())
    })

  it.live(
    "is refused with the envelope, and hurts nobody",
    () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const port = Number(new URL(emulator.url).port)
        for (const [text, status] of [
          ["nonsense\r\n\r\n", 400],
          ["GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", 400],
          [`GET / HTTP/1.1\r\nHost: a\r\nx: ${"y".repeat(100_000)}\r\n\r\n`, 431],
          ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400],
          ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400]
        ] as const) {
          const answer = yield* talk(port, text)
          const [head = "", body = ""] = answer.split("\r\n\r\n")
          assert.match(head, new RegExp(`^HTTP/1.1 ${status} `), JSON.stringify(text.slice(0, 60)))
          assert.deepStrictEqual(
            Exit.map(decodeEnvelope(body), (envelope) => envelope.statusCode),
            Exit.succeed(status)
          )
        }
        // a body that announces more than it sends, and goes away
        yield* Effect.callback<void>((resume) => {
          const socket = createConnection({ port, host: "127.0.0.1" }, () => {
            socket.write(`POST ${users}/auth HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{`, () =>
              socket.destroy()
            )
          })
          socket.on("close", () => resume(Effect.void))
        })
        const chunked = yield* talk(
          port,
          `POST ${users}/check-code HTTP/1.1\r\nHost: a\r\nConnection: close\r\nx-app-token: emulator-app-token\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`
        )
        assert.match(chunked, /^HTTP\/1.1 400 Bad Request/)
        assert.include(chunked, "userIdentifier should not be empty")
        const absolute = yield* talk(
          port,
          `GET http://other.example${users} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
        )
        assert.match(absolute, /^HTTP\/1.1 404 Not Found/)
        assert.strictEqual((yield* call("GET", "/api/content/forms")).status, 200)
      }).pipe(Effect.provide(onPort())),
    60_000
  )
})
