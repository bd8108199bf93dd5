/** The layers put together as an application does it, without a context built beforehand. */
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Option, Redacted } from "effect"
import { HttpClient, HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { AuthProvider, OneEntry, Session } from "effect-oneentry"
import { CookieSession, HttpSession, Visitor } from "effect-oneentry/server"
import { createServer } from "node:http"
import { Server, url } from "../helpers/session.ts"
import { Browser, keyOf, origin } from "./support.ts"

const signIn = AuthProvider.AuthProvider.use((auth) =>
  auth.auth("email", {
    authData: [
      { marker: "email_reg", value: "ann" },
      { marker: "password_reg", value: Redacted.make("secret") }
    ]
  })
).pipe(
  Effect.as(HttpServerResponse.empty()),
  Effect.catchCause(() => Effect.succeed(HttpServerResponse.empty({ status: 500 })))
)

const peek = Effect.gen(function* () {
  const session = yield* Session.Session
  const current = yield* session.current
  const { readOnly } = yield* Visitor.Visitor
  return HttpServerResponse.text(`${Option.isSome(current)} ${readOnly}`)
})

describe("the middleware, on the layers of an application", () => {
  it.live("serves a session, on the router and on a route at once", () =>
    Effect.gen(function* () {
      const server = new Server(yield* Clock.Clock)
      const Live = OneEntry.layer({ url }).pipe(
        Layer.provideMerge(CookieSession.layerSealed({ keys: keyOf(1) })),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, server.client))
      )
      const Routes = Layer.mergeAll(
        HttpRouter.add("POST", "/sign-in", signIn),
        HttpRouter.add("GET", "/peek", peek)
      ).pipe(Layer.provide(HttpSession.middleware().layer), HttpRouter.provideRequest(Live))
      const App = Layer.merge(Routes, HttpSession.layer()).pipe(Layer.provide(Live))
      yield* Effect.gen(function* () {
        const { address } = yield* HttpServer.HttpServer
        const browser = new Browser({ port: "port" in address ? address.port : 0 })
        const signedIn = yield* browser.post("/sign-in")
        assert.strictEqual(signedIn.status, 204)
        // The session and the device, each once.
        assert.strictEqual(signedIn.setCookies.length, 2)
        assert.strictEqual((yield* browser.get("/peek")).text, "true false")
        assert.strictEqual((yield* browser.get("/nowhere")).status, 404)
      }).pipe(
        Effect.provide(
          HttpRouter.serve(App, { disableLogger: true, disableListenLog: true }).pipe(
            Layer.provideMerge(
              NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: "1 millis" })
            )
          )
        )
      )
    })
  )

  it.live("keeps a web Response with a session out of every cache, whatever its own headers say", () =>
    Effect.gen(function* () {
      const server = new Server(yield* Clock.Clock)
      const Live = OneEntry.layer({ url }).pipe(
        Layer.provideMerge(CookieSession.layerSealed({ keys: keyOf(1) })),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, server.client))
      )
      const headers = {
        "content-type": "text/html",
        "cache-control": "public, max-age=60",
        "cdn-cache-control": "max-age=60",
        "vercel-cdn-cache-control": "max-age=60",
        "akamai-cache-control": "max-age=60",
        "surrogate-control": "max-age=60",
        "edge-control": "max-age=60",
        "x-accel-expires": "60",
        "set-cookie": "theme=dark",
        vary: "Accept-Encoding",
        "x-own": "1"
      }
      const raw = (name: string, init: ResponseInit, outer: Readonly<Record<string, string>> = {}) =>
        HttpRouter.add(
          "POST",
          `/${name}`,
          Effect.as(signIn, HttpServerResponse.raw(new Response(name, init)).pipe(HttpServerResponse.setHeaders(outer)))
        )
      const constant = Response.redirect(`${origin}/home`, 303)
      const App = Layer.mergeAll(
        raw("raw", { status: 201, headers }),
        raw("raw-under", { headers }, { vary: "Accept", "cdn-cache-control": "max-age=9", "content-type": "text/css" }),
        raw("raw-bare", {}),
        HttpRouter.add("POST", "/raw-constant", Effect.as(signIn, HttpServerResponse.raw(constant))),
        HttpRouter.add("GET", "/raw", Effect.succeed(HttpServerResponse.raw(new Response("nobody", { headers }))))
      ).pipe(
        Layer.provide(HttpSession.middleware().layer),
        HttpRouter.provideRequest(Live),
        Layer.provide([Live, HttpServer.layerServices])
      )
      const { dispose, handler } = HttpRouter.toWebHandler(App, { disableLogger: true })
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const fetch = (method: string, path: string) =>
        Effect.promise(() => handler(new Request(`${origin}${path}`, { method })))

      const nobody = yield* fetch("GET", "/raw")
      assert.strictEqual(nobody.headers.get("cdn-cache-control"), "max-age=60")

      for (const [path, status, vary, type] of [
        ["/raw", 201, "Accept-Encoding, Cookie", "text/html"],
        ["/raw-under", 200, "Accept, Cookie", "text/css"],
        ["/raw-bare", 200, "Cookie", "text/plain;charset=UTF-8"],
        ["/raw-constant", 303, "Cookie", null],
        ["/raw-constant", 303, "Cookie", null]
      ] as const) {
        const response = yield* fetch("POST", path)
        assert.strictEqual(response.status, status)
        assert.strictEqual(response.headers.get("cache-control"), "private, no-store")
        assert.strictEqual(response.headers.get("vary"), vary)
        assert.strictEqual(response.headers.get("content-type"), type)
        assert.deepStrictEqual(
          [...response.headers.keys()].filter((name) => /(?:surrogate|edge|.-cache)-control|expires/.test(name)),
          []
        )
        assert.deepStrictEqual(
          response.headers.getSetCookie().map((cookie) => cookie.split("=")[0]),
          [...(path === "/raw" || path === "/raw-under" ? ["theme"] : []), "__Host-oneentry", "__Host-oneentry-device"]
        )
        assert.strictEqual(yield* Effect.promise(() => response.text()), status === 303 ? "" : path.slice(1))
      }
      assert.deepStrictEqual([...constant.headers.keys()], ["location"])
    }).pipe(Effect.scoped)
  )
})
