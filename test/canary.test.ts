import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Logger, Metric, Redacted, References, Stream, Tracer } from "effect"
import { HttpClient, HttpClientError, HttpClientResponse } from "effect/http"
import {
  AuthProvider,
  DeviceMetadata,
  FetchClient,
  type FieldValue,
  FileUploading,
  Forms,
  FormsData,
  OneEntry,
  OneEntryClient,
  Session,
  SessionLock,
  TokenStorage,
  Users
} from "effect-oneentry"
import * as util from "node:util"

/** Every secret has it in it. */
const canary = "cAnArY"
const secret = (name: string) => `${canary}-${name}`

const appToken = secret("app")
const device = DeviceMetadata.make({
  fingerprint: secret("fingerprint"),
  os: "Test",
  browser: "none",
  location: "en-US"
})
let unique = 0
const pair = () => ({
  userIdentifier: "ann@example.com",
  authProviderIdentifier: "email",
  accessToken: `${secret("header")}.${secret("payload")}.${secret("access")}${unique++}`,
  refreshToken: `${secret("refresh")}${unique++}`
})
const envelope = (status: number, message: string) =>
  Response.json({ statusCode: status, timestamp: "2026-01-01T00:00:00.000Z", message, pageData: null }, { status })

/** What was sent, piece by piece. */
type Sent = ReadonlyArray<string>

type Answer = (url: string, sent: Sent) => Response

const well: Answer = (url) => {
  if (url.endsWith("sign-up")) {
    return Response.json({
      id: 1,
      identifier: "ann@example.com",
      isActive: false,
      formData: [],
      updatedDate: "2026-01-01T00:00:00.000Z",
      version: 0
    })
  }
  if (/users\/(auth|refresh)$|oauth$/.test(url)) return Response.json(pair(), { status: 201 })
  if (/users\/me\?|users\/me$/.test(url)) return Response.json({ id: 1, identifier: "ann@example.com" })
  if (url.endsWith("sessions")) return Response.json([])
  if (/forms\/marker/.test(url)) return Response.json({ id: 1, identifier: "reg", localizeInfos: {}, attributes: [] })
  if (/files/.test(url)) return Response.json([{ filename: "f", downloadLink: "d", size: 1 }])
  if (/marker\/email\?/.test(url)) return Response.json({ id: 1, identifier: "email" })
  if (/providers\?/.test(url)) return Response.json([])
  return Response.json(true, { status: 201 })
}

const broken = () => {
  throw Object.assign(new TypeError(`fetch failed for ${secret("in an error")}`), {
    cause: new Error(`Bearer ${secret("in its cause")}`),
    request: { headers: { authorization: secret("beside it") } }
  })
}

const answers: Record<string, Answer> = {
  "all well": well,
  "nothing right": () =>
    Response.json(
      { [secret("key")]: "x", accessToken: [secret("odd")], refreshToken: { a: secret("odd") } },
      { status: 201 }
    ),
  "half a pair": () => Response.json({ accessToken: secret("half"), refreshToken: 5 }, { status: 201 }),
  "an empty refresh token": () => Response.json({ ...pair(), refreshToken: "" }, { status: 201 }),
  "cut off": () => new Response(JSON.stringify(pair()).slice(0, -2), { status: 201 }),
  no: () => Response.json(false, { status: 201 }),
  "a redirect": () =>
    new Response(null, { status: 307, headers: { location: `https://evil.example/${secret("location")}` } }),
  "a set-cookie": () => {
    const response = envelope(500, "Internal server error")
    response.headers.set("set-cookie", `session=${secret("cookie")}`)
    return response
  },
  "too large": () => new Response(secret("large").repeat(10_000), { status: 201 }),
  "a page": () => new Response(`<html>${secret("page")}</html>`, { status: 200 }),
  "what was sent, refused": (_, sent) =>
    Response.json({ statusCode: 400, message: sent, pageData: { asked: sent } }, { status: 400 }),
  "what was sent, unauthorized": (_, sent) =>
    Response.json({ statusCode: 401, message: sent, pageData: { asked: sent } }, { status: 401 }),
  "what was sent, for a while": (_, sent) =>
    Response.json({ statusCode: 503, message: sent, pageData: { asked: sent } }, { status: 503 }),
  "what was sent, cut off in the middle of it": (_, sent) =>
    Response.json(
      {
        statusCode: 400,
        message: sent.map((text) => "x".repeat(2_000 - canary.length - Math.max(0, text.indexOf(canary))) + text)
      },
      { status: 400 }
    ),
  broken: broken,
  rejected: (url) =>
    url.endsWith("refresh") ? envelope(400, "Provided token is incorrect") : envelope(401, "Unauthorized"),
  ...Object.fromEntries(
    [400, 401, 403, 404, 405, 409, 422, 429, 503].map((status) => [
      String(status),
      () => envelope(status, "User code is expired or incorrect")
    ])
  )
}

/** As validators quote what they refuse, and servers the path that they do not know. */
const sentOf = (url: string, headers: HeadersInit, body: unknown): Sent => {
  const fields = typeof body === "string" ? Object.entries(JSON.parse(body) as object) : []
  return [
    `Cannot POST ${url}`,
    ...[...new Headers(headers)].map(([name, value]) => `"${name}" with value "${value}"`),
    ...fields.map(([key, value]) => `"${key}" with value ${JSON.stringify(value)}`)
  ]
}

const ann = { userIdentifier: "ann@example.com", eventIdentifier: "auth" }
const code = secret("code")
const passwords = { newPassword: Redacted.make(secret("new password")) }
const authData = [
  { marker: "email_reg", value: "ann@example.com" },
  { marker: "password_reg", value: secret("password") },
  { marker: "code", value: Redacted.make(secret("inline code")) }
]
const fields: FieldValue.FormFields = {
  en_US: [
    { marker: "secret", type: "string", value: Redacted.make(secret("field")) },
    { marker: "mail", type: "string", value: Redacted.make(`${canary}@example.com`) },
    { marker: "captcha", type: "spam", value: { event: { token: Redacted.make(secret("captcha")), siteKey: "key" } } }
  ]
}
/** The effects as the services gave them, before they run. */
const made: Array<unknown> = []
const kept = <A>(effect: A): A => {
  made.push(effect)
  return effect
}
const auth = <A, E>(f: (auth: AuthProvider.AuthProvider["Service"]) => Effect.Effect<A, E>) =>
  AuthProvider.AuthProvider.use((service) => kept(f(service)))
const users = <A, E>(f: (users: Users.Users["Service"]) => Effect.Effect<A, E>) =>
  Users.Users.use((service) => kept(f(service)))

const operations: Record<string, Effect.Effect<unknown, unknown, OneEntry.Services>> = {
  signUp: auth((a) =>
    a.signUp("email", {
      authData,
      formData: [
        { marker: "secret", type: "string", value: Redacted.make(secret("field")) },
        {
          marker: "captcha",
          type: "spam",
          value: { event: { token: Redacted.make(secret("captcha")), siteKey: "key" } }
        },
        {
          marker: "file",
          type: "file",
          value: new Blob([secret("file")]),
          fileQuery: { type: "page", entity: "e", id: 1 }
        }
      ]
    })
  ),
  "signUp, fields alone": auth((a) => a.signUp("email", { authData, formData: fields })),
  updateUser: users((u) => u.updateUser({ formIdentifier: "reg", formData: fields })),
  postFormsData: FormsData.FormsData.use((forms) => kept(forms.post({ formIdentifier: "reg", formData: fields }))),
  updateFormsData: FormsData.FormsData.use((forms) => kept(forms.updateById(1, { formData: fields }))),
  "signUp, refused here": auth((a) =>
    a.signUp("email", {
      authData,
      formData: [
        { marker: "age", type: "integer", value: secret("number") },
        { marker: "json", type: "json", value: `{${secret("json")}` }
      ]
    })
  ),
  generateCode: auth((a) => a.generateCode("email", ann)),
  checkCode: auth((a) => a.checkCode("email", { ...ann, code })),
  activateUser: auth((a) => a.activateUser("email", { userIdentifier: "ann@example.com", code: Redacted.make(code) })),
  auth: auth((a) => a.auth("email", { authData })),
  "auth with a code": auth((a) => a.auth("email", { authData, code })),
  oauth: auth((a) =>
    a.oauth("google", {
      code,
      redirect_uri: "https://app.example.com",
      client_id: "id",
      client_secret: secret("client"),
      code_verifier: secret("verifier")
    })
  ),
  refresh: auth((a) => a.refresh()),
  "refresh of a token": auth((a) => a.refresh("email", secret("given refresh"))),
  logout: auth((a) => a.logout()),
  "logout of a token": auth((a) => a.logout("email", secret("given refresh"))),
  logoutAll: auth((a) => a.logoutAll("email")),
  changePassword: auth((a) => a.changePassword("email", { ...ann, type: "change", code, ...passwords })),
  "changePassword, refused here": auth((a) =>
    a.changePassword("email", { ...ann, type: "change", code, ...passwords, repeatPassword: secret("repeated") })
  ),
  getAuthProviders: auth((a) => a.getAuthProviders()),
  getAuthProviderByMarker: auth((a) => a.getAuthProviderByMarker("email")),
  getActiveSessionsByMarker: auth((a) => a.getActiveSessionsByMarker("email")),
  getFormByMarker: Forms.Forms.use((forms) => forms.getFormByMarker("reg")),
  getUser: users((u) => u.getUser()),
  addFCMToken: users((u) => u.addFCMToken(secret("fcm"))),
  deleteFCMToken: users((u) => u.deleteFCMToken(Redacted.make(secret("fcm")))),
  upload: FileUploading.FileUploading.use((files) =>
    files.upload(new Blob([secret("file")]), { type: "page", entity: "e", id: 1 })
  ),
  restore: Session.Session.use((session) =>
    session.restore({ refreshToken: secret("restored"), accessToken: secret("restored") })
  ),
  accessToken: Session.Session.use((session) => session.accessToken),
  current: Session.Session.use((session) => session.current),
  anonymous: OneEntryClient.OneEntryClient.use((client) => Effect.asVoid(client.anonymous.post("/x"))),
  authorized: OneEntryClient.OneEntryClient.use((client) => Effect.asVoid(client.authorized.post("/x")))
}

/** Whatever somebody may do to look at a value. */
const looks = (value: unknown): ReadonlyArray<string> => [
  util.inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null }),
  util.inspect(value, { depth: Infinity, getters: true }),
  String(value),
  JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? String(item) : item)) ?? "",
  ...(value instanceof Error
    ? [value.message, value.stack ?? "", util.format("%s %o", value, value), ...looks(value.cause)]
    : []),
  ...(Cause.isCause(value)
    ? [Cause.pretty(value), ...value.reasons.flatMap((reason) => (reason._tag === "Fail" ? looks(reason.error) : []))]
    : []),
  ...(Exit.isExit(value) ? looks(Exit.isSuccess(value) ? value.value : value.cause) : [])
]

for (const lean of [false, true]) {
  describe(lean ? "the short way" : "over HttpClient, traced", () => {
    for (const [what, answer] of Object.entries(answers)) {
      it.effect(`no secret is seen: ${what}`, () => {
        const found: Array<string> = []
        const look = (where: string, value: unknown) => {
          for (const text of looks(value)) {
            const at = text.indexOf(canary)
            if (at !== -1) found.push(`${where}: …${text.slice(Math.max(0, at - 100), at + 100)}…`)
          }
        }
        let current: Answer = well
        const fetch: typeof globalThis.fetch = async (input, init) =>
          current(String(input), sentOf(String(input), init?.headers ?? {}, init?.body))
        const http = HttpClient.make((request, url) =>
          Effect.tryPromise({
            try: async () => {
              const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : undefined
              return HttpClientResponse.fromWeb(request, current(url.href, sentOf(url.href, request.headers, body)))
            },
            catch: (cause) =>
              new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
          })
        )
        const spans: Array<Tracer.NativeSpan> = []
        const tracer = Tracer.make({
          span: (options) => {
            const span = new Tracer.NativeSpan(options)
            spans.push(span)
            return span
          }
        })
        const logs: Array<unknown> = []
        const logger = Logger.make((options) => {
          logs.push([options.message, options.cause, options.fiber.getRef(References.CurrentLogAnnotations)])
        })
        const events: Array<unknown> = []

        const program = Effect.gen(function* () {
          const context = yield* Effect.context<OneEntry.Services>()
          const session = yield* Session.Session
          const following = yield* Effect.forkChild(
            Stream.runForEach(session.changes, (event) => Effect.sync(() => events.push(event))),
            { startImmediately: true }
          )
          let failures = 0
          for (const [name, operation] of Object.entries(operations)) {
            current = well
            // A session of its own, so that no cooldown of the last one answers.
            yield* auth((a) => a.auth("email", { authData }))
            current = answer
            made.length = 0
            const exit = yield* Effect.exit(lean ? operation : Effect.withSpan(operation, name))
            look(name, exit)
            look(`${name}, before it ran`, made)
            yield* Effect.logError(name, Exit.isFailure(exit) ? exit.cause : exit.value)
            // Who follows the session has time to.
            yield* Effect.yieldNow
            if (Exit.isFailure(exit)) {
              failures++
              assert.isTrue(
                exit.cause.reasons.every((reason) => reason._tag === "Fail"),
                `${name}: ${Cause.pretty(exit.cause)}`
              )
            }
          }
          look("the context", context)
          look("the services", [...context.mapUnsafe.values()])
          look("metrics", yield* Metric.snapshot)
          yield* Fiber.interrupt(following)
          return failures
        })

        return Effect.gen(function* () {
          const failures = yield* program.pipe(
            Effect.provide(
              OneEntry.layer({ url: "https://x.example", appToken, retry: false, maxResponseBytes: 60_000 }).pipe(
                Layer.provideMerge(TokenStorage.layerMemory),
                Layer.provide(lean ? FetchClient.layer : Layer.succeed(HttpClient.HttpClient, http)),
                Layer.provideMerge(Logger.layer([logger]))
              )
            ),
            Effect.provideService(FetchClient.Fetch, fetch),
            Effect.provideService(DeviceMetadata.DeviceMetadata, device),
            Effect.provideService(References.MinimumLogLevel, "All"),
            Effect.provideService(HttpClient.TracerHeaderFilter, () => true),
            Effect.withTracer(tracer)
          )
          for (const span of spans) {
            look(`span ${span.name}`, [span.name, [...span.attributes], span.events, span.links, span.status])
          }
          for (const log of logs) look("log", log)
          for (const event of events) look("event", event)
          assert.deepStrictEqual([...new Set(found)].slice(0, 5), [])
          // It was looked at something.
          assert.isAtLeast(failures, what === "all well" ? 2 : 10)
          assert.isAtLeast(logs.length, Object.keys(operations).length)
          assert.isAtLeast(events.length, Object.keys(operations).length)
          if (!lean) assert.isAtLeast(spans.filter((span) => span.kind === "client").length, 20)
        })
      })
    }
  })
}

it("the looks would see a canary", () => {
  const hits = (value: unknown) => looks(value).some((text) => text.includes(canary))
  assert.isTrue(hits({ deep: { deeper: [{ deepest: new Map([["k", secret("x")]]) }] } }))
  assert.isTrue(hits(new Error("x", { cause: new Error(secret("x")) })))
  assert.isTrue(hits(Cause.fail(new Error(secret("x")))))
  assert.isTrue(hits(Exit.fail({ a: secret("x") })))
  assert.isTrue(hits(Object.defineProperty({}, "hidden", { value: secret("x"), enumerable: false })))
  assert.isFalse(hits(Redacted.make(secret("x"), { label: "token" })))
})

it.effect("errors hold no request", () =>
  Effect.gen(function* () {
    const http = HttpClient.make((request) =>
      Effect.fail(
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.TransportError({ request, cause: new Error("x") })
        })
      )
    )
    const error = yield* Effect.flip(auth((a) => a.auth("email", { authData }))).pipe(
      Effect.provide(
        OneEntry.layer({ url: "https://x.example" }).pipe(
          Layer.provide([TokenStorage.layerMemory, Layer.succeed(HttpClient.HttpClient, http)])
        )
      )
    )
    assert.deepStrictEqual(JSON.parse(JSON.stringify(error)), {
      _tag: "OneEntryError",
      operation: "auth",
      reason: { _tag: "Network", description: "Error", isRetryable: true }
    })
    assert.isUndefined(error.cause)
  })
)

it.effect("a lock and a storage that fail show no secret of ours", () =>
  Effect.gen(function* () {
    const storage = Layer.sync(TokenStorage.TokenStorage, () =>
      TokenStorage.make({
        get: () => Effect.void as Effect.Effect<undefined>,
        set: (slot) =>
          Effect.fail(new TokenStorage.TokenStorageError({ operation: "set", slot, cause: new Error("quota") })),
        remove: (slot) => Effect.fail(new TokenStorage.TokenStorageError({ operation: "remove", slot }))
      })
    )
    const http = HttpClient.make((request, url) =>
      Effect.sync(() => HttpClientResponse.fromWeb(request, well(url.href, [])))
    )
    const lock = {
      withLock: (slot: string) => () => Effect.fail(new SessionLock.SessionLockError({ slot, reason: "Unavailable" }))
    }
    const exits = yield* Effect.gen(function* () {
      return [
        yield* Effect.exit(auth((a) => a.auth("email", { authData }))),
        yield* Effect.exit(auth((a) => a.refresh())),
        yield* Effect.exit(auth((a) => a.logout()))
      ]
    }).pipe(
      Effect.provide(
        OneEntry.layer({ url: "https://x.example", appToken }).pipe(
          Layer.provide([
            storage,
            Layer.succeed(HttpClient.HttpClient, http),
            Layer.succeed(SessionLock.SessionLock, lock)
          ])
        )
      )
    )
    for (const exit of exits) for (const text of looks(exit)) assert.notInclude(text, canary)
  })
)
