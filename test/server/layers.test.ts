/** The layers put together as an application does it, without a context built beforehand. */
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Option, Redacted } from "effect"
import { HttpClient, HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { AuthProvider, OneEntry, Session } from "effect-oneentry"
import { CookieSession, HttpSession, Visitor } from "effect-oneentry/server"
import { createServer } from "node:http"
import { Server, url } from "../helpers/session.ts"
import { Browser, keyOf } from "./support.ts"

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
})
