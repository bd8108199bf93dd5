/**
 * The wrapper as an edge runtime has it: one bundle, nothing but web globals, no code from strings. (The rule that no
 * Node built-in is within reach of `server` is checked on the import graph, by `npm run lint`.)
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { build } from "esbuild"
import * as path from "node:path"
import * as vm from "node:vm"
import { Server, url } from "../helpers/session.ts"
import { HttpClientRequest } from "effect/http"

const worker = `
import { Effect, Layer, Redacted } from "effect"
import { AuthProvider, FetchClient, OneEntry, Users } from "effect-oneentry"
import { CookieSession, WebSession } from "effect-oneentry/server"

const layer = OneEntry.layer({ url: "${url}", retry: false }).pipe(
  Layer.provideMerge(CookieSession.layerSealed({ keys: Redacted.make(new Uint8Array(32).fill(7)) })),
  Layer.provide(FetchClient.layer)
)
const app = WebSession.make(layer)
globalThis.handler = app.withSession(async (request, visit) => {
  if (request.method === "POST") {
    await visit.run(AuthProvider.AuthProvider.use((auth) => auth.auth("email", {
      authData: [{ marker: "email_reg", value: "ann" }, { marker: "password_reg", value: "secret" }]
    })))
    return Response.redirect("https://shop.example/", 303)
  }
  return new Response(await visit.run(Effect.map(Users.Users.use((users) => users.getUser()), (user) => user.identifier)))
})
globalThis.dispose = app.dispose
`

describe("in an edge runtime", () => {
  it.live(
    "a session is kept in cookies",
    () =>
      Effect.gen(function* () {
        const root = path.resolve(import.meta.dirname, "../..")
        const bundle = yield* Effect.promise(() =>
          build({
            stdin: { contents: worker, resolveDir: root, loader: "ts" },
            bundle: true,
            write: false,
            format: "iife",
            platform: "neutral",
            mainFields: ["module", "main"],
            conditions: ["effect-oneentry-source", "import"],
            metafile: true,
            logLevel: "silent"
          })
        )
        const external = Object.values(bundle.metafile.outputs).flatMap(({ imports }) => imports)
        assert.deepStrictEqual(external, [])

        const server = new Server(yield* Clock.Clock)
        const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
        const fetch = (input: string | URL, init: RequestInit = {}) =>
          runPromise(
            server.client
              .execute(
                HttpClientRequest.make(init.method === "POST" ? "POST" : "GET")(String(input), {
                  headers: Object.fromEntries(new Headers(init.headers))
                }).pipe((request) =>
                  typeof init.body === "string"
                    ? HttpClientRequest.bodyText(request, init.body, "application/json")
                    : request
                )
              )
              .pipe(
                Effect.flatMap((response) =>
                  Effect.map(
                    response.text,
                    (text) => new Response(text, { status: response.status, headers: { ...response.headers } })
                  )
                )
              )
          )
        const sandbox: Record<string, unknown> = {
          AbortController,
          AbortSignal,
          atob,
          Blob,
          btoa,
          clearInterval,
          clearTimeout,
          console,
          crypto: globalThis.crypto,
          fetch,
          FormData,
          Headers,
          queueMicrotask,
          ReadableStream,
          Request,
          Response,
          setInterval,
          setTimeout,
          structuredClone,
          TextDecoder,
          TextEncoder,
          TransformStream,
          URL,
          URLSearchParams,
          WritableStream
        }
        const context = vm.createContext(sandbox, { codeGeneration: { strings: false, wasm: false } })
        vm.runInContext(bundle.outputFiles[0]?.text ?? "", context)
        const { dispose, handler } = sandbox
        assert.isTrue(typeof handler === "function" && typeof dispose === "function")
        const handle = (request: Request): Effect.Effect<Response> =>
          Effect.promise(async () => {
            const response: unknown = typeof handler === "function" ? await handler(request) : undefined
            if (!(response instanceof Response)) throw new Error("no response")
            return response
          })
        const signedIn = yield* handle(new Request("https://shop.example/sign-in", { method: "POST" }))
        assert.strictEqual(signedIn.status, 303)
        assert.strictEqual(signedIn.headers.getSetCookie().length, 2)
        const cookie = signedIn.headers
          .getSetCookie()
          .map((text) => text.split(";")[0])
          .join("; ")
        const me = yield* handle(new Request("https://shop.example/me", { headers: { cookie } }))
        assert.strictEqual(yield* Effect.promise(() => me.text()), "ann")
        server.expire()
        const renewed = yield* handle(new Request("https://shop.example/me", { headers: { cookie } }))
        assert.strictEqual(yield* Effect.promise(() => renewed.text()), "ann")
        assert.strictEqual(renewed.headers.getSetCookie().length, 1)
        assert.strictEqual(server.count("refresh"), 1)
        yield* Effect.promise(async () => (typeof dispose === "function" ? dispose() : undefined))
      }),
    60_000
  )
})
