import { assert } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { Emulator, type Project } from "effect-oneentry/emulator"
import { backends } from "../../src/emulator/internal/backend.ts"
import { refusalsOf } from "../../src/emulator/internal/control/openApi.ts"

export const token = "emulator-app-token"
export const login = "ann@example.com"
export const password = "123456"
export const providers = "/api/content/users-auth-providers"
export const users = `${providers}/marker/email/users`

export const device = (
  fingerprint = "device-1",
  deviceInfo: object = { os: "Test", browser: "none", location: "en-US" }
) => JSON.stringify({ fingerprint, deviceInfo })

export const authData = (name = login, secret = password) => [
  { marker: "email_reg", value: name },
  { marker: "password_reg", value: secret }
]

export const signUpBody = (name = login, secret = password) => ({
  formIdentifier: "reg",
  langCode: "en_US",
  authData: authData(name, secret),
  formData: {
    en_US: [
      { marker: "name_reg", type: "string", value: "Ann" },
      { marker: "phone_reg", type: "string", value: "+18007986545" },
      { marker: "email_notification_reg", type: "string", value: name }
    ]
  },
  notificationData: { email: name, phonePush: [], phoneSMS: "+18007986545" }
})

export interface Options {
  readonly body?: unknown
  /** Sent as it is, instead of `body`. */
  readonly raw?: string
  readonly form?: FormData
  readonly headers?: Readonly<Record<string, string>>
  readonly bearer?: string
  readonly device?: string
  readonly appToken?: string | null
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly json: unknown
  readonly headers: Readonly<Record<string, string | undefined>>
}

const parse = (text: string): unknown => {
  if (text === "") return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const call = Effect.fnUntraced(function* (
  method: "GET" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "HEAD",
  path: string,
  options: Options = {}
) {
  const emulator = yield* Emulator.Emulator
  const client = yield* HttpClient.HttpClient
  let request = HttpClientRequest.make(method)(`${emulator.url}${path}`, {
    headers: {
      ...(options.appToken === null ? {} : { "x-app-token": options.appToken ?? token }),
      ...(options.bearer === undefined ? {} : { authorization: `Bearer ${options.bearer}` }),
      ...(options.device === undefined ? {} : { "x-device-metadata": options.device }),
      ...options.headers
    }
  })
  if (options.raw !== undefined) {
    request = HttpClientRequest.bodyText(request, options.raw, options.headers?.["content-type"] ?? "application/json")
  } else if (options.form !== undefined) {
    request = HttpClientRequest.bodyFormData(request, options.form)
  } else if (options.body !== undefined) {
    request = HttpClientRequest.bodyJsonUnsafe(request, options.body)
  }
  const response = yield* client.execute(request)
  const text = yield* response.text
  const answer: Answer = { status: response.status, text, json: parse(text), headers: response.headers }
  return answer
})

/** Asserts an error envelope: exactly its four keys. */
export const refused = (answer: Answer, status: number, message: string | ReadonlyArray<string>) => {
  const body = Object(answer.json)
  assert.deepStrictEqual(
    { status: answer.status, ...body },
    { status, statusCode: status, timestamp: body.timestamp, message, pageData: null }
  )
  assert.match(String(body.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
}

export const ok = (answer: Answer, status: number, json: unknown) =>
  assert.deepStrictEqual({ status: answer.status, json: answer.json }, { status, json })

const Tokens = Schema.Struct({
  userIdentifier: Schema.String,
  authProviderIdentifier: Schema.String,
  accessToken: Schema.String,
  refreshToken: Schema.String
})

export const tokensOf = (answer: Answer) => {
  assert.strictEqual(answer.status, 201, answer.text)
  return Schema.decodeUnknownSync(Tokens)(answer.json, { onExcessProperty: "error" })
}

export const signUp = (name = login, secret = password) =>
  call("POST", `${users}/sign-up`, { body: signUpBody(name, secret) })

export const auth = (name = login, secret = password, fingerprint = "device-1") =>
  call("POST", `${users}/auth`, { body: { authData: authData(name, secret) }, device: device(fingerprint) })

/** A new active user. */
export const register = Effect.fnUntraced(function* (name = login, secret = password) {
  const emulator = yield* Emulator.Emulator
  assert.strictEqual((yield* signUp(name, secret)).status, 201)
  const code = yield* emulator.awaitCode(name)
  ok(yield* call("POST", `${users}/activate`, { body: { userIdentifier: name, code } }), 201, true)
})

export const signIn = (name = login, secret = password, fingerprint = "device-1") =>
  Effect.map(auth(name, secret, fingerprint), tokensOf)

export const registered = Effect.fnUntraced(function* (name = login) {
  yield* register(name)
  return yield* signIn(name)
})

export const refresh = (refreshToken: string | undefined, fingerprint = "device-1", marker = "email") =>
  call("POST", `${providers}/marker/${marker}/users/refresh`, {
    body: { refreshToken },
    device: device(fingerprint)
  })

export const me = (bearer: string) => call("GET", "/api/content/users/me", { bearer })

/** Whatever a test provokes, the OpenAPI description has to know. */
const answersAreDescribed = Layer.effectDiscard(
  Effect.gen(function* () {
    const emulator = yield* Emulator.Emulator
    yield* Effect.addFinalizer(() =>
      Effect.map(emulator.requests, (entries) => {
        const described = new Map(backends.get(emulator)?.described.map((one) => [one.operation, one]))
        for (const { fault, operation, path, refusal, status } of entries) {
          if (operation === null || fault !== null || status === null) continue
          const one = described.get(operation)
          assert.isDefined(one, `${operation} is not described`)
          if (one === undefined) continue
          if (refusal === null) {
            assert.strictEqual(status, one.status, `${operation} ${path}`)
            assert.notStrictEqual(one.answer, "refusal", operation)
          } else {
            assert.include<string>(refusalsOf(one, emulator.project.switches), refusal, `${operation} refuses so`)
          }
        }
      })
    )
  })
)

/** A fresh emulator without a socket. */
export const inProcess = (options?: Emulator.Options) =>
  Layer.provideMerge(answersAreDescribed, Emulator.layerClient({ passwordCost: 1, seed: 1, ...options }))

/** A fresh emulator on a free port, reached by `fetch`. */
export const onPort = (options?: Emulator.ListenOptions) =>
  Layer.provideMerge(
    answersAreDescribed,
    Layer.merge(Emulator.layer({ passwordCost: 1, seed: 1, ...options }), FetchHttpClient.layer)
  )

/** The scenario's project with changes. */
export const project = (
  base: Project.Input,
  change: { readonly switches?: NonNullable<Project.Input["switches"]> } & Partial<Project.Input>
): Project.Input => ({ ...base, ...change })
