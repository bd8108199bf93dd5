import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Fiber, Layer, Option, Redacted, Schedule, Tracer } from "effect"
import { FetchHttpClient, HttpBody, HttpClient, HttpClientResponse } from "effect/http"
import {
  AuthProvider,
  type ClientOptions,
  DeviceMetadata,
  FetchClient,
  FileUploading,
  Forms,
  OneEntry,
  OneEntryClient,
  Session,
  TokenStorage,
  Users
} from "effect-oneentry"
import { UndiciClient } from "effect-oneentry/undici"
import { TestClock } from "effect/testing"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import * as zlib from "node:zlib"
import * as Undici from "undici"
import { envelope, json, loopback, type Seen } from "./helpers/loopback.ts"
import { failsWith } from "./helpers/scenario.ts"

const wrapped = (client: Layer.Layer<HttpClient.HttpClient>) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(
      HttpClient.HttpClient,
      HttpClient.mapRequest((r) => r)
    )
  ).pipe(Layer.provide(client))

const clients = [
  ["FetchHttpClient", FetchHttpClient.layer],
  ["FetchClient", FetchClient.layer],
  // A wrapped one is no longer lean: the same rules hold on the long way.
  ["FetchClient, wrapped", wrapped(FetchClient.layer)],
  ["NodeHttpClient.layerUndici", NodeHttpClient.layerUndici],
  ["UndiciClient", UndiciClient.layer],
  ["UndiciClient, wrapped", wrapped(UndiciClient.layer)]
] as const

const appToken = "app-token-1"

const client = <E>(
  http: Layer.Layer<HttpClient.HttpClient, E>,
  url: string,
  options?: Partial<ClientOptions.ClientOptions>
) =>
  OneEntry.layer({ url, appToken, retry: false, ...options }).pipe(
    Layer.provideMerge(TokenStorage.layerMemory),
    Layer.provideMerge(http)
  )

const aForm = { id: 1, identifier: "reg", localizeInfos: {}, attributes: [] }
const getForm = Forms.Forms.use((forms) => forms.getFormByMarker("reg"))
const getProviders = AuthProvider.AuthProvider.use((auth) => auth.getAuthProviders())
const generateCode = AuthProvider.AuthProvider.use((auth) =>
  auth.generateCode("email", { userIdentifier: "ann@example.com", eventIdentifier: "auth" })
)
const signIn = AuthProvider.AuthProvider.use((auth) =>
  auth.auth("email", {
    authData: [
      { marker: "email_reg", value: "ann" },
      { marker: "password_reg", value: "secret" }
    ]
  })
)
const tokens = (n = 1) => ({
  userIdentifier: "ann",
  authProviderIdentifier: "email",
  accessToken: `access-${n}`,
  refreshToken: `refresh-${n}`
})

/** Answers as a project would. */
const polite = (request: Seen, response: Parameters<typeof json>[0]) => {
  if (request.url.includes("/forms/")) return json(response, aForm)
  if (request.url.endsWith("/users/auth")) return json(response, tokens(), 201)
  if (request.url.endsWith("/users/refresh")) return json(response, tokens(2), 201)
  if (request.url.includes("/users/me")) return json(response, { id: 1, identifier: "ann", formData: [] })
  if (request.url.includes("/users/sessions")) return json(response, [])
  if (request.url.includes("/files")) return json(response, [{ filename: "f", downloadLink: "d", size: 1 }], 201)
  if (request.method === "GET") return json(response, [])
  response.writeHead(201).end()
}

/**
 * Runs an effect, and sees the server lose its connection while the client is still there: neither the end of the
 * client's layer nor the garbage collector, which would find a response that nobody holds, may be what let it go.
 */
const lets = <A, E, R>(
  server: Effect.Success<ReturnType<typeof loopback>>,
  effect: Effect.Effect<A, E, R>,
  arrived?: Deferred.Deferred<void>
) =>
  Effect.suspend(() => {
    const held: Array<Response> = []
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const response = await globalThis.fetch(input, init)
      held.push(response)
      return response
    }
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
      if (arrived !== undefined) {
        yield* server.next
        yield* Deferred.succeed(arrived, undefined)
      }
      const result = yield* Fiber.join(fiber)
      const [request] = server.seen
      assert.strictEqual(yield* Effect.promise(() => request?.closed ?? assert.fail("nothing came")), "aborted")
      assert.isAtMost(held.length, 1)
      return result
    }).pipe(Effect.provideService(FetchClient.Fetch, fetch), Effect.provideService(FetchHttpClient.Fetch, fetch))
  })

for (const [name, http] of clients) {
  describe(name, () => {
    describe("redirects", () => {
      for (const status of [301, 302, 303, 307, 308]) {
        it.live(`${status} is never followed, and nothing reaches where it points`, () =>
          Effect.gen(function* () {
            const target = yield* loopback(polite)
            const server = yield* loopback((request, response) =>
              response
                .writeHead(status, {
                  location: request.url.includes("same") ? "/elsewhere" : `${target.url}/stolen`
                })
                .end("moved")
            )
            yield* Effect.gen(function* () {
              const { anonymous } = yield* OneEntryClient.OneEntryClient
              const errors = yield* Effect.all([
                failsWith(getForm, "OneEntryError/Redirected"),
                failsWith(generateCode, "OneEntryError/Redirected"),
                failsWith(signIn, "OneEntryError/Redirected"),
                failsWith(anonymous.get("/x"), "OneEntryError/Redirected"),
                failsWith(anonymous.get("/same"), "OneEntryError/Redirected")
              ])
              for (const error of errors) {
                assert.propertyVal("reason" in error ? error.reason : undefined, "statusCode", status)
              }
            }).pipe(Effect.provide(client(http, server.url)))
            assert.strictEqual(target.seen.length, 0)
            assert.strictEqual(server.seen.length, 5)
          }).pipe(Effect.scoped)
        )
      }

      it.live("a refresh that is redirected keeps the session, and its token reaches nobody else", () =>
        Effect.gen(function* () {
          const target = yield* loopback(polite)
          const server = yield* loopback((request, response) =>
            request.url.endsWith("/users/refresh")
              ? response.writeHead(307, { location: `${target.url}/stolen` }).end()
              : polite(request, response)
          )
          yield* Effect.gen(function* () {
            const session = yield* Session.Session
            yield* signIn
            yield* failsWith(session.refresh, "OneEntryError/Redirected")
            assert.isTrue(Option.isSome(yield* session.current))
          }).pipe(Effect.provide(client(http, server.url)))
          assert.strictEqual(target.seen.length, 0)
        }).pipe(Effect.scoped)
      )

      it.live("the body of a redirect is not waited for, and its connection is let go", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) => {
            response.writeHead(302, { location: "/" })
            response.write("never ends")
          })
          yield* lets(server, failsWith(getForm, "OneEntryError/Redirected")).pipe(
            Effect.provide(client(http, server.url))
          )
        }).pipe(Effect.scoped)
      )
    })

    describe("OneEntryClient stays with the project", () => {
      it.live("refuses every other origin, and sends nothing", () =>
        Effect.gen(function* () {
          const other = yield* loopback(polite)
          const server = yield* loopback(polite)
          const port = server.port
          yield* Effect.gen(function* () {
            const { anonymous, authorized } = yield* OneEntryClient.OneEntryClient
            yield* signIn
            const before = server.seen.length
            const urls = [
              `${other.url}/x`,
              `//127.0.0.1:${other.port}/x`,
              `///127.0.0.1:${other.port}/x`,
              `\\\\127.0.0.1:${other.port}/x`,
              `/\\127.0.0.1:${other.port}/x`,
              `\\/127.0.0.1:${other.port}/x`,
              `/\t/127.0.0.1:${other.port}/x`,
              `\n//127.0.0.1:${other.port}/x`,
              `http:127.0.0.1:${other.port}/x`,
              `http:/127.0.0.1:${other.port}/x`,
              `HTTP://127.0.0.1:${other.port}/x`,
              `http://127.0.0.1:${port}@127.0.0.1:${other.port}/x`,
              `http://user:pass@127.0.0.1:${port}/x`,
              `http://user@127.0.0.1:${port}/x`,
              `http://localhost:${port}/x`,
              `http://127.0.0.1/x`,
              `https://127.0.0.1:${port}/x`,
              `ws://127.0.0.1:${port}/x`,
              `blob:http://127.0.0.1:${port}/x`,
              `data:text/plain,x`,
              `javascript:alert(1)`,
              `file:///etc/passwd`,
              `http://127.0.0.1:${port}.evil.example/x`,
              `http://127.0.0.1:${port}\\@evil.example/x`,
              `http://[`,
              `http://evil.example%2f@127.0.0.1:${port}/x`
            ]
            for (const url of urls) {
              for (const one of [anonymous, authorized]) {
                const { message } = yield* failsWith(one.get(url), "OneEntryError/InvalidRequest")
                if (url.startsWith("http://user")) assert.include(message, "must not carry credentials")
                yield* failsWith(one.post(url, { body: HttpBody.text("{}") }), "OneEntryError/InvalidRequest")
              }
            }
            assert.strictEqual(server.seen.length, before)
          }).pipe(Effect.provide(client(http, server.url)))
          assert.strictEqual(other.seen.length, 0)
        }).pipe(Effect.scoped)
      )

      it.live("what looks like another origin, and is a path of this one, stays here", () =>
        Effect.gen(function* () {
          const server = yield* loopback(polite)
          yield* Effect.gen(function* () {
            const { anonymous } = yield* OneEntryClient.OneEntryClient
            const paths = [
              ["/api/content/pages", "/base/api/content/pages"],
              ["api/content/pages", "/base/api/content/pages"],
              ["@evil.example/x", "/base/@evil.example/x"],
              [".evil.example", "/base/.evil.example"],
              ["/%2f%2fevil.example/x", "/base/%2f%2fevil.example/x"],
              ["/%5c%5cevil.example", "/base/%5c%5cevil.example"],
              ["/a b/ü?q=1 2", "/base/a%20b/%C3%BC?q=1%202"],
              ["/x#fragment", "/base/x"],
              ["?q=1", "/base/?q=1"],
              [`${server.url}/y`, "/y"]
            ] as const
            for (const [url, expected] of paths) {
              assert.strictEqual((yield* anonymous.get(url)).status, 200)
              assert.strictEqual(server.seen.at(-1)?.url, expected)
              assert.strictEqual(server.seen.at(-1)?.headers["x-app-token"], appToken)
            }
            yield* anonymous.get("/x?a=1", { urlParams: { b: "2&c=3", d: undefined } })
            assert.strictEqual(server.seen.at(-1)?.url, "/base/x?a=1&b=2%26c%3D3")
          }).pipe(Effect.provide(client(http, `${server.url}/base/`)))
        }).pipe(Effect.scoped)
      )

      it.live("carries what calls carry, and leaves the caller's headers alone where they are the caller's", () =>
        Effect.gen(function* () {
          const server = yield* loopback(polite)
          yield* Effect.gen(function* () {
            const { anonymous, authorized } = yield* OneEntryClient.OneEntryClient
            yield* failsWith(authorized.get("/x"), "NotAuthenticated")
            yield* signIn
            const forged = { authorization: "Bearer forged", "x-app-token": "forged", accept: "text/csv" }
            yield* authorized.get("/x", { headers: forged })
            const got = server.seen.at(-1)?.headers
            assert.strictEqual(got?.authorization, "Bearer access-1")
            assert.strictEqual(got?.["x-app-token"], appToken)
            assert.strictEqual(got?.accept, "text/csv")
            assert.notProperty(got, "x-device-metadata")
            yield* authorized.post("/x", { body: HttpBody.jsonUnsafe({ a: 1 }) })
            const posted = server.seen.at(-1)
            assert.property(posted?.headers, "x-device-metadata")
            assert.strictEqual(posted?.headers["content-type"], "application/json")
            assert.strictEqual(posted?.body, '{"a":1}')
            yield* anonymous.get("/x")
            assert.notProperty(server.seen.at(-1)?.headers, "authorization")
          }).pipe(Effect.provide(client(http, server.url)))
        }).pipe(Effect.scoped)
      )

      it.live("hands over answers of any status, bytes as they are", () =>
        Effect.gen(function* () {
          const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 256)
          const server = yield* loopback((request, response) => {
            const status = Number(request.url.slice(1))
            response.writeHead(status, { "x-answer": "yes" }).end(status === 204 || status === 304 ? undefined : bytes)
          })
          yield* Effect.gen(function* () {
            const { anonymous } = yield* OneEntryClient.OneEntryClient
            for (const status of [200, 201, 204, 304, 400, 404, 418, 500, 503, 599]) {
              const response = yield* anonymous.get(`/${status}`)
              assert.strictEqual(response.status, status)
              assert.strictEqual(response.headers["x-answer"], "yes")
              const body =
                status === 204 || status === 304 ? new Uint8Array(0) : new Uint8Array(yield* response.arrayBuffer)
              assert.deepStrictEqual(body, status === 204 || status === 304 ? body : bytes)
            }
          }).pipe(Effect.provide(client(http, server.url)))
        }).pipe(Effect.scoped)
      )
    })

    describe("requests", () => {
      it.live("path segments and query values are encoded", () =>
        Effect.gen(function* () {
          const server = yield* loopback(polite)
          yield* Effect.gen(function* () {
            const auth = yield* AuthProvider.AuthProvider
            const marker = "a/b?c#d%2e é\u{1F600}&x=../y"
            yield* Effect.exit(auth.getAuthProviderByMarker(marker, { langCode: "x&y=z#" }))
            const encoded = "a%2Fb%3Fc%23d%252e%20%C3%A9%F0%9F%98%80%26x%3D..%2Fy"
            assert.strictEqual(
              server.seen.at(-1)?.url,
              `/api/content/users-auth-providers/marker/${encoded}?langCode=x%26y%3Dz%23`
            )
            yield* auth.generateCode(marker, { userIdentifier: "a", eventIdentifier: "b" })
            assert.strictEqual(
              server.seen.at(-1)?.url,
              `/api/content/users-auth-providers/marker/${encoded}/users/generate-code`
            )
          }).pipe(Effect.provide(client(http, server.url)))
        }).pipe(Effect.scoped)
      )

      it.live("headers of WIRE §1.1 where they belong, and nowhere else", () =>
        Effect.gen(function* () {
          const server = yield* loopback(polite)
          const last = () => server.seen.at(-1)?.headers ?? assert.fail("nothing came")
          yield* Effect.gen(function* () {
            yield* getProviders
            assert.strictEqual(last()["x-app-token"], appToken)
            for (const absent of ["authorization", "x-device-metadata", "content-type", "x-guest-id", "cookie"]) {
              assert.notProperty(last(), absent)
            }
            yield* generateCode
            assert.strictEqual(last()["x-app-token"], appToken)
            assert.strictEqual(last()["content-type"], "application/json")
            assert.property(last(), "x-device-metadata")
            yield* signIn
            const device = last()["x-device-metadata"]
            const parsed = JSON.parse(String(device))
            assert.isString(parsed.fingerprint)
            assert.hasAllKeys(parsed.deviceInfo, ["os", "browser", "location"])
            yield* generateCode
            // Anonymous calls stay anonymous when somebody is signed in, and every module is the same device.
            assert.notProperty(last(), "authorization")
            assert.strictEqual(last()["x-device-metadata"], device)
            yield* Users.Users.use((users) => users.getUser())
            assert.strictEqual(last().authorization, "Bearer access-1")
            assert.notProperty(last(), "x-device-metadata")
            yield* AuthProvider.AuthProvider.use((auth) => auth.getActiveSessionsByMarker("email"))
            assert.notProperty(last(), "x-device-metadata")
            const uploaded = FileUploading.FileUploading.use((files) =>
              files.upload(new File(["x"], "x.txt"), { type: "page", entity: "editor", id: 1 })
            )
            yield* uploaded
            assert.match(String(last()["content-type"]), /^multipart\/form-data; boundary=/)
            assert.strictEqual(last()["x-device-metadata"], device)
            assert.strictEqual(last().authorization, "Bearer access-1")
            yield* Session.Session.use((session) => session.refresh)
            assert.notProperty(last(), "authorization")
            assert.strictEqual(last()["x-device-metadata"], device)
            yield* AuthProvider.AuthProvider.use((auth) => auth.logoutAll("email"))
            assert.strictEqual(last().authorization, "Bearer access-2")
            assert.strictEqual(server.seen.at(-1)?.body, "")
            assert.notProperty(last(), "content-type")
          }).pipe(Effect.provide(client(http, server.url)))
        }).pipe(Effect.scoped)
      )

      it.live("without an app token there is no such header", () =>
        Effect.gen(function* () {
          const server = yield* loopback(polite)
          yield* Effect.andThen(getProviders, generateCode).pipe(
            Effect.provide(client(http, server.url, { appToken: undefined }))
          )
          for (const { headers } of server.seen) assert.notProperty(headers, "x-app-token")
        }).pipe(Effect.scoped)
      )

      it.live("device metadata of any language travels as ASCII and arrives as it was", () =>
        Effect.gen(function* () {
          const server = yield* loopback(polite)
          const device = DeviceMetadata.make({
            fingerprint: Redacted.make('Gerät-\u{1F600}-\u0000\n"\\'),
            os: "Ωmega\u007f\u2028",
            browser: "浏览器/1.0",
            location: "ру-RU"
          })
          yield* generateCode.pipe(
            Effect.provide(client(http, server.url)),
            Effect.provideService(DeviceMetadata.DeviceMetadata, device)
          )
          const header = String(server.seen[0]?.headers["x-device-metadata"])
          assert.match(header, /^[\x20-\x7e]+$/)
          assert.deepStrictEqual(JSON.parse(header), {
            fingerprint: Redacted.value(device.fingerprint),
            deviceInfo: device.deviceInfo
          })
        }).pipe(Effect.scoped)
      )

      it.live("no trace headers leave, even inside of a span; the span itself is there", () =>
        Effect.gen(function* () {
          const server = yield* loopback(polite)
          const spans: Array<Tracer.NativeSpan> = []
          const tracer = Tracer.make({
            span: (options) => {
              const span = new Tracer.NativeSpan(options)
              spans.push(span)
              return span
            }
          })
          yield* Effect.all([getProviders, generateCode, signIn, Users.Users.use((users) => users.getUser())]).pipe(
            Effect.withSpan("outer"),
            Effect.withTracer(tracer),
            Effect.provide(client(http, server.url))
          )
          assert.strictEqual(server.seen.length, 4)
          for (const { headers } of server.seen) {
            for (const header of ["traceparent", "tracestate", "b3", "baggage", "x-b3-traceid"])
              assert.notProperty(headers, header)
          }
          assert.strictEqual(spans.filter((span) => span.kind === "client").length, 4)
          // Outside of a span nobody asked for one.
          spans.length = 0
          yield* getProviders.pipe(Effect.withTracer(tracer), Effect.provide(client(http, server.url)))
          assert.strictEqual(spans.length, 0)
        }).pipe(Effect.scoped)
      )
    })

    describe("time", () => {
      const stuck = (how: string) =>
        loopback((_, response) => {
          if (how === "no head") return
          response.writeHead(200, {
            "content-type": "application/json",
            ...(how === "announced" ? { "content-length": "100" } : {})
          })
          if (how === "trickle") return void response.write("[")
          response.write(how === "announced" ? "[1," : "[")
        })

      for (const how of ["no head", "announced", "unannounced", "trickle"]) {
        for (const [what, call] of [
          ["GET", getProviders],
          ["POST", generateCode]
        ] as const) {
          it.effect(`requestTimeout ends a ${what} with ${how}, and lets the connection go`, () =>
            Effect.gen(function* () {
              const server = yield* stuck(how)
              const arrived = yield* Deferred.make<void>()
              const fiber = yield* Effect.forkChild(
                lets(server, failsWith(call, "OneEntryError/Timeout"), arrived).pipe(
                  Effect.provide(client(http, server.url, { requestTimeout: "7 seconds" }))
                )
              )
              yield* Deferred.await(arrived)
              yield* TestClock.adjust("6900 millis")
              assert.isUndefined(fiber.pollUnsafe())
              yield* TestClock.adjust("1 second")
              const error = yield* Fiber.join(fiber)
              assert.include(error.message, "7000 millis")
            }).pipe(Effect.scoped)
          )
        }
      }

      it.effect("it holds for OneEntryClient too, the body included", () =>
        Effect.gen(function* () {
          const server = yield* stuck("unannounced")
          const arrived = yield* Deferred.make<void>()
          const call = OneEntryClient.OneEntryClient.use(({ anonymous }) => anonymous.get("/x"))
          const fiber = yield* Effect.forkChild(
            lets(server, failsWith(call, "OneEntryError/Timeout"), arrived).pipe(
              Effect.provide(client(http, server.url, { requestTimeout: "7 seconds" }))
            )
          )
          yield* Deferred.await(arrived)
          yield* TestClock.adjust("8 seconds")
          yield* Fiber.join(fiber)
        }).pipe(Effect.scoped)
      )

      for (const how of ["no head", "announced", "unannounced"]) {
        it.live(`interruption aborts the request (${how})`, () =>
          Effect.gen(function* () {
            const server = yield* stuck(how)
            const interrupted = Effect.gen(function* () {
              const fiber = yield* Effect.forkChild(getProviders, { startImmediately: true })
              yield* server.next
              yield* Fiber.interrupt(fiber)
            })
            yield* lets(server, interrupted).pipe(Effect.provide(client(http, server.url)))
          }).pipe(Effect.scoped)
        )
      }
    })

    describe("size", () => {
      const big = `[${"1,".repeat(2_000)}1]`
      const limited = (server: { readonly url: string }) => client(http, server.url, { maxResponseBytes: 1_000 })

      it.live("an announced size past the limit is refused unread", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) => {
            response.writeHead(200, { "content-length": "5000" })
            response.write("[")
          })
          const error = yield* lets(server, failsWith(getProviders, "OneEntryError/ResponseInvalid")).pipe(
            Effect.provide(limited(server))
          )
          assert.include(error.message, "maxResponseBytes")
        }).pipe(Effect.scoped)
      )

      it.live("an unannounced one is read as far as the limit", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) => {
            response.writeHead(200)
            response.write(big)
          })
          yield* lets(server, failsWith(getProviders, "OneEntryError/ResponseInvalid")).pipe(
            Effect.provide(limited(server))
          )
        }).pipe(Effect.scoped)
      )

      it.live("errors are limited as successes are", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) => {
            response.writeHead(500)
            response.end(big)
          })
          yield* failsWith(generateCode, "OneEntryError/ResponseInvalid").pipe(Effect.provide(limited(server)))
        }).pipe(Effect.scoped)
      )

      it.live("OneEntryClient too", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) => {
            response.writeHead(200)
            response.end(big)
          })
          yield* failsWith(
            OneEntryClient.OneEntryClient.use(({ anonymous }) => anonymous.get("/x")),
            "OneEntryError/ResponseInvalid"
          ).pipe(Effect.provide(limited(server)))
        }).pipe(Effect.scoped)
      )

      it.live("a gzip bomb bursts nothing", () =>
        Effect.gen(function* () {
          const bomb = zlib.gzipSync(Buffer.alloc(50_000_000, " "))
          const server = yield* loopback((_, response) => {
            response.writeHead(200, { "content-encoding": "gzip", "content-length": String(bomb.byteLength) })
            response.end(bomb)
          })
          const error = yield* failsWith(getProviders, "OneEntryError/ResponseInvalid").pipe(
            Effect.provide(client(http, server.url, { maxResponseBytes: 100_000 }))
          )
          // Effect's client on undici does not unpack: to it this is no JSON.
          assert.include(error.message, name === "NodeHttpClient.layerUndici" ? "no JSON" : "maxResponseBytes")
        }).pipe(Effect.scoped)
      )

      it.live("exactly the limit is within it, announced or not", () =>
        Effect.gen(function* () {
          const body = `[]${" ".repeat(998)}`
          const server = yield* loopback((_, response, index) => {
            response.writeHead(200, index === 1 ? { "content-length": "1000" } : {})
            response.write(body.slice(0, 500))
            response.end(body.slice(500))
          })
          yield* Effect.andThen(getProviders, getProviders).pipe(Effect.provide(limited(server)))
        }).pipe(Effect.scoped)
      )
    })

    describe("odd answers", () => {
      const answering = (status: number, body: string | undefined, headers: Record<string, string> = {}) =>
        loopback((_, response) => response.writeHead(status, headers).end(body))

      const invalid = [
        ["an empty 200", 200, "", {}],
        ["a 204", 204, undefined, {}],
        ["HTML with 200", 200, "<html>hello</html>", { "content-type": "text/html" }],
        ["broken JSON", 200, '[{"id":1,', { "content-type": "application/json" }],
        ["another shape", 200, '{"items":[]}', {}],
        ["a lone false", 200, "false", {}],
        ["deep nesting", 200, "[".repeat(100_000) + "]".repeat(100_000), {}]
      ] as const
      for (const [what, status, body, headers] of invalid) {
        it.live(`${what} is ResponseInvalid`, () =>
          Effect.gen(function* () {
            const server = yield* answering(status, body, headers)
            const error = yield* failsWith(getProviders, "OneEntryError/ResponseInvalid").pipe(
              Effect.provide(client(http, server.url))
            )
            assert.notInclude(error.message, "hello")
          }).pipe(Effect.scoped)
        )
      }

      it.live("JSON is JSON, whatever it calls itself", () =>
        Effect.gen(function* () {
          const server = yield* answering(200, "\uFEFF[]", { "content-type": "text/html" })
          assert.deepStrictEqual(yield* getProviders.pipe(Effect.provide(client(http, server.url))), [])
        }).pipe(Effect.scoped)
      )

      for (const [what, status, body] of [
        ["empty 201", 201, ""],
        ["204", 204, undefined],
        ["true", 201, "true"],
        ["{}", 200, "{}"],
        ["null", 201, "null"]
      ] as const) {
        it.live(`${what} is enough where nothing is to be said`, () =>
          Effect.gen(function* () {
            const server = yield* answering(status, body)
            yield* generateCode.pipe(Effect.provide(client(http, server.url)))
          }).pipe(Effect.scoped)
        )
      }

      it.live("HTML with 201 is no success", () =>
        Effect.gen(function* () {
          const server = yield* answering(201, "<html>please log in to the airport's WiFi</html>")
          yield* failsWith(generateCode, "OneEntryError/ResponseInvalid").pipe(Effect.provide(client(http, server.url)))
        }).pipe(Effect.scoped)
      )

      for (const [status, tag] of [
        [300, "Unexpected"],
        [304, "Unexpected"],
        [400, "Unexpected"],
        [418, "Unexpected"],
        [502, "ServerFailure"],
        [599, "ServerFailure"]
      ] as const) {
        it.live(`${status} without an envelope is ${tag}`, () =>
          Effect.gen(function* () {
            const server = yield* answering(status, status === 304 ? undefined : "<html>Bad</html>")
            const error = yield* failsWith(getProviders, `OneEntryError/${tag}`).pipe(
              Effect.provide(client(http, server.url))
            )
            assert.notInclude(error.message, "html")
          }).pipe(Effect.scoped)
        )
      }

      it.live("a 101 or an early hint confuses nobody", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) => {
            response.writeEarlyHints({ link: "</x>; rel=preload" })
            response.writeProcessing()
            json(response, [])
          })
          assert.deepStrictEqual(yield* getProviders.pipe(Effect.provide(client(http, server.url))), [])
        }).pipe(Effect.scoped)
      )

      it.live("__proto__ keys change no prototype", () =>
        Effect.gen(function* () {
          const server = yield* answering(
            200,
            '[{"id":1,"identifier":"x","__proto__":{"polluted":true},"config":{"__proto__":{"systemCodeLength":9}},"localizeInfos":{"__proto__":{"title":"y"},"constructor":{"prototype":{"polluted":true}}}}]'
          )
          const [provider] = yield* getProviders.pipe(Effect.provide(client(http, server.url)))
          assert.isUndefined(Reflect.get({}, "polluted"))
          assert.isUndefined(Reflect.get(provider ?? {}, "polluted"))
          assert.deepStrictEqual(provider?.config, {})
          assert.strictEqual(Object.getPrototypeOf(provider), Object.prototype)
        }).pipe(Effect.scoped)
      )

      it.live("a connection that breaks is Network, before the head and within the body", () =>
        Effect.gen(function* () {
          const server = yield* loopback((request, response) => {
            if (request.method === "POST") return void response.socket?.destroy()
            response.writeHead(200, { "content-length": "100" })
            response.write("[")
            setImmediate(() => response.socket?.destroy())
          })
          yield* Effect.all([
            failsWith(getProviders, "OneEntryError/Network"),
            failsWith(generateCode, "OneEntryError/Network"),
            failsWith(
              OneEntryClient.OneEntryClient.use(({ anonymous }) => anonymous.get("/x")),
              "OneEntryError/Network"
            )
          ]).pipe(Effect.provide(client(http, server.url)))
        }).pipe(Effect.scoped)
      )

      it.live("nobody there is Network", () =>
        Effect.gen(function* () {
          const { url } = yield* Effect.scoped(loopback(polite))
          const error = yield* failsWith(getProviders, "OneEntryError/Network").pipe(Effect.provide(client(http, url)))
          assert.include(error.message, "ECONNREFUSED")
        }).pipe(Effect.scoped)
      )
    })

    describe("retry", () => {
      const again = { retry: undefined, requestTimeout: "20 days" } as const

      it.effect("a GET is made again twice after a 503", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response, index) =>
            index <= 2 ? envelope(response, 503, "busy") : json(response, [])
          )
          assert.deepStrictEqual(
            yield* whileTimePasses(getProviders.pipe(Effect.provide(client(http, server.url, again)))),
            []
          )
          assert.strictEqual(server.seen.length, 3)
        }).pipe(Effect.scoped)
      )

      it.effect("and no more than that", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) => envelope(response, 503, "busy"))
          yield* whileTimePasses(
            failsWith(getProviders, "OneEntryError/ServerFailure").pipe(Effect.provide(client(http, server.url, again)))
          )
          assert.strictEqual(server.seen.length, 3)
        }).pipe(Effect.scoped)
      )

      it.effect("more patience than a caller has is not asked for: the error says how long", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) =>
            envelope(response, 429, "slow down", { "retry-after": "3600" })
          )
          const error = yield* failsWith(getProviders, "OneEntryError/TooManyRequests").pipe(
            Effect.provide(client(http, server.url, again))
          )
          assert.strictEqual(Duration.toHours(error.retryAfter ?? 0), 1)
          assert.strictEqual(server.seen.length, 1)
        }).pipe(Effect.scoped)
      )

      it.effect("a POST is never made again, nor what cannot pass", () =>
        Effect.gen(function* () {
          const server = yield* loopback((request, response) =>
            envelope(response, request.method === "POST" ? 503 : request.url.includes("forms") ? 404 : 400, "no")
          )
          yield* Effect.gen(function* () {
            yield* failsWith(generateCode, "OneEntryError/ServerFailure")
            yield* failsWith(signIn, "OneEntryError/ServerFailure")
            yield* failsWith(getProviders, "OneEntryError/Unexpected")
            yield* failsWith(getForm, "FormNotFound")
          }).pipe(Effect.provide(client(http, server.url, { retry: undefined })))
          assert.strictEqual(server.seen.length, 4)
        }).pipe(Effect.scoped)
      )

      it.effect("nor what came and could not be understood", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) => response.end("<html>"))
          yield* failsWith(getProviders, "OneEntryError/ResponseInvalid").pipe(
            Effect.provide(client(http, server.url, { retry: undefined }))
          )
          assert.strictEqual(server.seen.length, 1)
        }).pipe(Effect.scoped)
      )

      it.effect("`retry: false` and a schedule of one's own", () =>
        Effect.gen(function* () {
          const server = yield* loopback((_, response) => envelope(response, 503, "busy"))
          yield* failsWith(getProviders, "OneEntryError/ServerFailure").pipe(Effect.provide(client(http, server.url)))
          assert.strictEqual(server.seen.length, 1)
          const inputs: Array<string> = []
          const retry = Schedule.recurs(4).pipe(
            Schedule.setInputType<{ readonly message: string }>(),
            Schedule.tap(({ input }) => Effect.sync(() => inputs.push(input.message)))
          )
          yield* failsWith(getProviders, "OneEntryError/ServerFailure").pipe(
            Effect.provide(client(http, server.url, { retry }))
          )
          assert.strictEqual(server.seen.length, 6)
          assert.isTrue(inputs.length >= 4 && inputs.every((message) => message.includes("503")))
        }).pipe(Effect.scoped)
      )
    })
  })
}

/** Runs an effect while the test's clock runs, and real answers come in between. */
const whileTimePasses = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("100 millis")
      yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
    }
    return yield* Fiber.join(fiber)
  })

describe("when a GET is made again", () => {
  /** A client in the process, which notes when it was asked. */
  const noting = (answers: ReadonlyArray<Response>) => {
    const at: Array<number> = []
    const http = HttpClient.make((request) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const answer = answers[Math.min(at.length, answers.length - 1)]
        at.push(now)
        return HttpClientResponse.fromWeb(request, answer?.clone() ?? assert.fail("no answer"))
      })
    )
    return { at, layer: Layer.succeed(HttpClient.HttpClient, http) }
  }
  const failure = (status: number, headers: Record<string, string> = {}) => new Response("", { status, headers })

  it.effect("first after 200 milliseconds or so, then after 400 or so", () =>
    Effect.gen(function* () {
      const { at, layer } = noting([failure(503), failure(502), Response.json([])])
      yield* whileTimePasses(
        getProviders.pipe(Effect.provide(client(layer, "https://x.example", { retry: undefined })))
      )
      const [first = 0, second = 0, third = 0] = at
      assert.isTrue(second - first >= 100 && second - first <= 400, String(at))
      assert.isTrue(third - second >= 300 && third - second <= 700, String(at))
    })
  )

  for (const header of ["7", " 7 ", "Thu, 01 Jan 1970 00:00:07 GMT"]) {
    it.effect(`when Retry-After says (${header})`, () =>
      Effect.gen(function* () {
        const { at, layer } = noting([failure(429, { "retry-after": header }), Response.json([])])
        const fiber = yield* Effect.forkChild(
          getProviders.pipe(Effect.provide(client(layer, "https://x.example", { retry: undefined })))
        )
        yield* TestClock.adjust("6999 millis")
        assert.deepStrictEqual(at, [0])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(at, [0, 7_000])
        yield* Fiber.join(fiber)
      })
    )
  }

  for (const header of ["soon", "-5", "1e9", "", "99999999999999999999"]) {
    it.effect(`as if there were no Retry-After, where it says nothing (${header})`, () =>
      Effect.gen(function* () {
        const { at, layer } = noting([failure(503, { "retry-after": header }), Response.json([])])
        yield* whileTimePasses(
          getProviders.pipe(Effect.provide(client(layer, "https://x.example", { retry: undefined })))
        )
        assert.isTrue((at[1] ?? 0) >= 100 && (at[1] ?? 0) <= 400, String(at))
      })
    )
  }

  it.effect("an authorized GET too, with the session that there is", () =>
    Effect.gen(function* () {
      const { at, layer } = noting([
        Response.json(tokens(), { status: 201 }),
        failure(503),
        Response.json({ id: 1, identifier: "ann" })
      ])
      yield* Effect.gen(function* () {
        yield* signIn
        assert.strictEqual((yield* whileTimePasses(Users.Users.use((users) => users.getUser()))).identifier, "ann")
        assert.strictEqual(at.length, 3)
      }).pipe(Effect.provide(client(layer, "https://x.example", { retry: undefined })))
    })
  )

  it.effect("a client that dies is a network that fails", () =>
    Effect.gen(function* () {
      const dying = (f: () => never) =>
        Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.make(() => Effect.sync(f))
        )
      const throwing = dying(() => {
        throw new TypeError("secret in the message")
      })
      const error = yield* failsWith(getProviders, "OneEntryError/Network").pipe(
        Effect.provide(client(throwing, "https://x.example"))
      )
      assert.include(error.message, "TypeError")
      assert.notInclude(error.message, "secret")
      const fetch: typeof globalThis.fetch = () => {
        throw "not even an error"
      }
      yield* failsWith(getProviders, "OneEntryError/Network").pipe(
        Effect.provide(client(FetchClient.layer, "https://x.example")),
        Effect.provideService(FetchClient.Fetch, fetch)
      )
    })
  )

  it.effect("a browser hides the status of a redirect: 0 is one", () =>
    Effect.gen(function* () {
      const opaque = Response.error()
      const fetch: typeof globalThis.fetch = () => Promise.resolve(opaque)
      const error = yield* failsWith(getProviders, "OneEntryError/Redirected").pipe(
        Effect.provide(client(FetchClient.layer, "https://x.example")),
        Effect.provideService(FetchClient.Fetch, fetch)
      )
      assert.propertyVal("reason" in error ? error.reason : undefined, "statusCode", 0)
    })
  )
})

describe("UndiciClient", () => {
  /** A dispatcher that notes what it is asked for, and asks another. */
  const noting = (inner: Undici.Dispatcher) => {
    const seen: Array<Undici.Dispatcher.DispatchOptions> = []
    const outer = inner.compose((dispatch) => (options, handler) => {
      seen.push(options)
      return dispatch(options, handler)
    })
    return { seen, outer }
  }

  const agent = Effect.acquireRelease(
    Effect.sync(() => new Undici.Agent()),
    (agent) => Effect.promise(() => agent.destroy())
  )

  it.live("asks the dispatcher of the call, else that of its layer", () =>
    Effect.gen(function* () {
      const server = yield* loopback(polite)
      const layers = noting(yield* agent)
      const calls = noting(yield* agent)
      const http = UndiciClient.layer.pipe(Layer.provide(Layer.succeed(UndiciClient.Dispatcher, layers.outer)))
      yield* Effect.gen(function* () {
        yield* getProviders
        yield* getProviders.pipe(Effect.provideService(UndiciClient.Dispatcher, calls.outer))
      }).pipe(Effect.provide(client(http, server.url)))
      assert.deepStrictEqual([layers.seen.length, calls.seen.length, server.seen.length], [1, 1, 2])
    }).pipe(Effect.scoped)
  )

  it.live("a dispatcher that throws is a request that failed", () =>
    Effect.gen(function* () {
      const throwing = (yield* agent).compose(() => (_options, _handler) => {
        throw new TypeError("an interceptor of somebody's own")
      })
      yield* failsWith(getProviders, "OneEntryError/Network").pipe(
        Effect.provideService(UndiciClient.Dispatcher, throwing),
        Effect.provide(client(UndiciClient.layer, "https://x.example"))
      )
    }).pipe(Effect.scoped)
  )

  it.live("follows no redirect, whatever the dispatcher would do by itself", () =>
    Effect.gen(function* () {
      const target = yield* loopback(polite)
      const server = yield* loopback((_, response) => response.writeHead(302, { location: target.url }).end())
      const following = (yield* agent).compose(Undici.interceptors.redirect({ maxRedirections: 5 }))
      yield* failsWith(getProviders, "OneEntryError/Redirected").pipe(
        Effect.provideService(UndiciClient.Dispatcher, following),
        Effect.provide(client(UndiciClient.layer, server.url))
      )
      assert.strictEqual(target.seen.length, 0)
    }).pipe(Effect.scoped)
  )

  it.live("what the caller adds to every request goes along, beneath the headers of the client", () =>
    Effect.gen(function* () {
      const server = yield* loopback(polite)
      yield* getProviders.pipe(
        Effect.provideService(FetchHttpClient.RequestInit, {
          headers: { accept: "text/html", "x-tenant": "acme" },
          redirect: "follow"
        }),
        Effect.provide(client(UndiciClient.layer, server.url))
      )
      assert.deepInclude(server.seen[0]?.headers, { accept: "application/json", "x-tenant": "acme" })
    }).pipe(Effect.scoped)
  )

  it.live("unpacks what comes packed, and says that it would", () =>
    Effect.gen(function* () {
      const server = yield* loopback((request, response) => {
        const [encoding, bytes] = request.url.includes("offset=1")
          ? ["deflate", zlib.deflateSync("[]")]
          : ["gzip", zlib.gzipSync("[]")]
        response.writeHead(200, { "content-encoding": encoding }).end(bytes)
      })
      yield* Effect.gen(function* () {
        const auth = yield* AuthProvider.AuthProvider
        assert.deepStrictEqual(yield* auth.getAuthProviders(), [])
        assert.deepStrictEqual(yield* auth.getAuthProviders({ offset: 1 }), [])
      }).pipe(Effect.provide(client(UndiciClient.layer, server.url)))
      assert.strictEqual(server.seen[0]?.headers["accept-encoding"], "gzip")
    }).pipe(Effect.scoped)
  )

  it.live("takes one connection for one call at a time", () =>
    Effect.gen(function* () {
      const ports = new Set<number | undefined>()
      const server = yield* loopback((request, response) => {
        ports.add(response.socket?.remotePort)
        polite(request, response)
      })
      yield* Effect.repeat(getProviders, { times: 9 }).pipe(
        Effect.provideService(UndiciClient.Dispatcher, yield* agent),
        Effect.provide(client(UndiciClient.layer, server.url))
      )
      assert.strictEqual(ports.size, 1)
      assert.strictEqual(server.seen.length, 10)
    }).pipe(Effect.scoped)
  )

  it.live("a refresh token goes out once, also where a connection that was in use breaks under it", () =>
    Effect.gen(function* () {
      const server = yield* loopback((request, response) =>
        request.url.endsWith("/users/refresh") ? void response.socket?.destroy() : polite(request, response)
      )
      yield* Effect.gen(function* () {
        const session = yield* Session.Session
        yield* signIn
        yield* failsWith(session.refresh, "OneEntryError/Network")
        assert.isTrue(Option.isSome(yield* session.current))
      }).pipe(
        Effect.provideService(UndiciClient.Dispatcher, yield* agent),
        Effect.provide(client(UndiciClient.layer, server.url))
      )
      assert.deepStrictEqual(
        server.seen.map(({ url }) => url.split("/").at(-1)),
        ["auth", "refresh"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("what cannot be unpacked is Network", () =>
    Effect.gen(function* () {
      const server = yield* loopback((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("[]"))
      yield* failsWith(getProviders, "OneEntryError/Network").pipe(
        Effect.provide(client(UndiciClient.layer, server.url))
      )
    }).pipe(Effect.scoped)
  )
})

describe("a program that never disposes of its client", () => {
  for (const name of ["FetchHttpClient", "FetchClient", "UndiciClient"]) {
    it.live(`ends by itself (${name})`, () =>
      Effect.gen(function* () {
        const server = yield* loopback(polite)
        const program = `
          import { Effect, Layer, Scope } from "effect"
          import { FetchHttpClient } from "effect/http"
          import { FetchClient, Forms, OneEntry, TokenStorage } from "effect-oneentry"
          import { UndiciClient } from "effect-oneentry/undici"
          const layer = OneEntry.layer({ url: ${JSON.stringify(server.url)} }).pipe(
            Layer.provide([TokenStorage.layerMemory, ${name}.layer])
          )
          const context = await Effect.runPromise(Layer.buildWithScope(layer, Scope.makeUnsafe()))
          const form = await Effect.runPromise(
            Forms.Forms.use((forms) => forms.getFormByMarker("reg")).pipe(Effect.provideContext(context))
          )
          console.log(form.identifier)
        `
        const { stdout } = yield* Effect.promise(() =>
          promisify(execFile)(process.execPath, [
            "--conditions=effect-oneentry-source",
            "--input-type=module",
            "-e",
            program
          ])
        )
        assert.strictEqual(stdout.trim(), "reg")
      }).pipe(Effect.scoped)
    )
  }
})
