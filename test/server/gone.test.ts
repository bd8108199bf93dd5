/**
 * Visitors who close the connection in the middle of a request: what a refresh brought cannot reach their cookie, so it is
 * told, and the next visit with the old cookie goes on with it.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer } from "effect"
import { HttpEffect, HttpRouter, HttpServer, HttpServerError, HttpServerResponse } from "effect/http"
import { Users } from "effect-oneentry"
import { HttpSession, WebSession } from "effect-oneentry/server"
import { createServer } from "node:http"
import { until } from "../helpers/session.ts"
import { aborting, type App, Browser, type Integration, leaving, type Mode, origin, send, withApp } from "./support.ts"

const modes: ReadonlyArray<Mode> = ["sealed", "reference"]
const integrations: ReadonlyArray<Integration> = ["HttpRouter", "Request → Response"]

const changes = (app: App) => app.late.map(({ change }) => change)

for (const integration of integrations) {
  for (const mode of modes) {
    describe(`a visitor who goes away, with ${mode} cookies in ${integration}`, () => {
      const live = (name: string, body: Parameters<typeof withApp>[1]) =>
        it.live(name, () => withApp({ mode, integration }, body))

      /** The old cookie is as good as the new one, and the one refresh is all there is. */
      const goesOn = (app: App, browser: Browser) =>
        Effect.gen(function* () {
          const next = yield* browser.get("/me")
          assert.strictEqual(next.text, "ann")
          assert.strictEqual(next.setCookies.length, mode === "sealed" ? 1 : 0)
          const after = yield* browser.get("/me")
          assert.strictEqual(after.text, "ann")
          assert.deepStrictEqual(after.setCookies, [])
          assert.strictEqual(app.server.count("refresh"), 1)
          assert.deepStrictEqual(
            app.server.exchanges.map(({ accepted }) => accepted),
            [true]
          )
        })

      const told = (app: App, ...expected: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          yield* until(`${expected.join()} is told`, () => app.late.length >= expected.length)
          assert.deepStrictEqual(changes(app), expected)
        })

      for (const path of ["/me-then-pause", "/me-then-pause-regardless"]) {
        live(`after the refresh: it is told, and the old cookie stays good (${path})`, (app) =>
          Effect.gen(function* () {
            const browser = new Browser(app)
            yield* browser.post("/sign-in/ann")
            app.server.expire()
            const pause = app.pause()
            const cookie = yield* browser.cookieHeader
            yield* leaving(
              app,
              path,
              { cookie },
              Effect.promise(() => pause.begun.promise)
            )
            assert.strictEqual(app.server.count("refresh"), 1)
            pause.goOn.resolve()
            yield* told(app, ...(mode === "sealed" ? ["Refreshed"] : []))
            yield* goesOn(app, browser)
            assert.deepStrictEqual(changes(app), mode === "sealed" ? ["Refreshed"] : [])
          })
        )
      }

      live("in the middle of the refresh: it comes to its end, and the old cookie stays good", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          app.server.expire()
          const gate = app.server.gate("refresh")
          const cookie = yield* browser.cookieHeader
          yield* leaving(app, "/me", { cookie }, gate.arrived)
          yield* gate.answer
          yield* told(app, ...(mode === "sealed" ? ["Refreshed"] : []))
          yield* goesOn(app, browser)
          // Neither is the mark told, which the refresh began with.
          assert.deepStrictEqual(changes(app), mode === "sealed" ? ["Refreshed"] : [])
        })
      )

      live("and comes back while the refresh is under way: it is waited for, and brought home", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          app.server.expire()
          const gate = app.server.gate("refresh")
          const cookie = yield* browser.cookieHeader
          yield* leaving(app, "/me", { cookie }, gate.arrived)
          const pause = app.pause()
          const back = browser.fetch("/pause-then-me")
          yield* Effect.promise(() => pause.begun.promise)
          pause.goOn.resolve()
          yield* gate.answer
          assert.strictEqual((yield* Effect.promise(() => back)).text, "ann")
          assert.strictEqual((yield* browser.get("/me")).text, "ann")
          assert.strictEqual(app.server.count("refresh"), 1)
        })
      )

      live("after the sign-in: it is told, and nobody is signed in", (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          const pause = app.pause()
          yield* leaving(
            app,
            "/sign-in-then-pause/ann",
            {},
            Effect.promise(() => pause.begun.promise)
          )
          pause.goOn.resolve()
          yield* told(app, "SignedIn")
          assert.strictEqual((yield* browser.get("/me")).text, "NotAuthenticated")
        })
      )
    })
  }
}

describe("a response that does not come", () => {
  const me = Effect.orDie(Users.Users.use((users) => users.getUser()))

  it.live("to Effect's router, because something before it fails: the refresh is told, and not lost", () =>
    withApp({ mode: "sealed", integration: "HttpRouter" }, (app) =>
      Effect.gen(function* () {
        const failing = HttpRouter.middleware(
          Effect.succeed((handler) =>
            Effect.andThen(
              HttpEffect.appendPreResponseHandler((request) =>
                Effect.fail(
                  new HttpServerError.HttpServerError({ reason: new HttpServerError.InternalError({ request }) })
                )
              ),
              handler
            )
          )
        )
        const Route = HttpRouter.add("GET", "/me", Effect.as(me, HttpServerResponse.text("ann"))).pipe(
          Layer.provide(HttpSession.middleware().layer.pipe(Layer.provideMerge(failing.layer))),
          HttpRouter.provideRequest(Layer.succeedContext(app.context)),
          Layer.provide(Layer.succeedContext(app.context))
        )
        const running = yield* Layer.build(
          HttpRouter.serve(Route, { disableLogger: true, disableListenLog: true }).pipe(
            Layer.provideMerge(
              NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: "1 millis" })
            )
          )
        )
        const { address } = Context.get(running, HttpServer.HttpServer)
        const browser = new Browser(app)
        yield* browser.post("/sign-in/ann")
        app.server.expire()
        const cookie = yield* browser.cookieHeader
        const controller = aborting()
        const reply = send("port" in address ? address.port : 0, "/me", { cookie, signal: controller.signal }).then(
          ({ setCookies }) => setCookies,
          () => []
        )
        yield* until("the refresh is told", () => app.late.length > 0)
        controller.abort()
        assert.deepStrictEqual(yield* Effect.promise(() => reply), [])
        assert.deepStrictEqual(changes(app), ["Refreshed"])
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        assert.strictEqual(app.server.count("refresh"), 1)
      })
    )
  )

  it.live("to a web handler of Effect's router, whose request is aborted: the refresh is told, and not lost", () =>
    withApp({ mode: "sealed", integration: "HttpRouter" }, (app) =>
      Effect.gen(function* () {
        const refreshed = yield* Deferred.make<void>()
        const Route = HttpRouter.add(
          "GET",
          "/me",
          me.pipe(Effect.andThen(Deferred.succeed(refreshed, undefined)), Effect.andThen(Effect.never))
        ).pipe(
          Layer.provide(HttpSession.middleware().layer),
          HttpRouter.provideRequest(Layer.succeedContext(app.context)),
          Layer.provide([Layer.succeedContext(app.context), HttpServer.layerServices])
        )
        const { dispose, handler } = HttpRouter.toWebHandler(Route, { disableLogger: true })
        yield* Effect.addFinalizer(() => Effect.promise(dispose))
        const browser = new Browser(app)
        yield* browser.post("/sign-in/ann")
        app.server.expire()
        const cookie = yield* browser.cookieHeader
        const controller = aborting()
        const reply = handler(new Request(`${origin}/me`, { headers: { cookie }, signal: controller.signal }))
        yield* Deferred.await(refreshed)
        controller.abort()
        assert.strictEqual((yield* Effect.promise(() => reply)).status, 499)
        yield* until("the refresh is told", () => app.late.length > 0)
        assert.deepStrictEqual(changes(app), ["Refreshed"])
        assert.strictEqual((yield* browser.get("/me")).text, "ann")
        assert.strictEqual(app.server.count("refresh"), 1)
      })
    )
  )

  const moments: ReadonlyArray<readonly [when: string, last: (interrupt: () => void) => Effect.Effect<void>]> = [
    ["before its handler has come to its end", (interrupt) => Effect.andThen(Effect.sync(interrupt), Effect.never)],
    ["while its cookies are made", (interrupt) => Effect.sync(() => queueMicrotask(interrupt))]
  ]
  for (const [when, last] of moments) {
    it.live(`to whoever was interrupted ${when}: the refresh is told, and not lost`, () =>
      withApp({ mode: "sealed", integration: "Request → Response" }, (app) =>
        Effect.gen(function* () {
          const browser = new Browser(app)
          yield* browser.post("/sign-in/ann")
          app.server.expire()
          const cookie = yield* browser.cookieHeader
          const running: { fiber?: Fiber.Fiber<Response> } = {}
          const interrupt = () => running.fiber?.interruptUnsafe()
          running.fiber = yield* Effect.forkChild(
            WebSession.handle(new Request(`${origin}/me`, { headers: { cookie } }), () =>
              me.pipe(Effect.andThen(last(interrupt)), Effect.as(new Response("ann")))
            ).pipe(Effect.provideContext(app.context))
          )
          const exit = yield* Fiber.await(running.fiber)
          assert.isTrue(Exit.hasInterrupts(exit))
          yield* until("the refresh is told", () => app.late.length > 0)
          assert.deepStrictEqual(changes(app), ["Refreshed"])
          assert.strictEqual((yield* browser.get("/me")).text, "ann")
          assert.strictEqual(app.server.count("refresh"), 1)
        })
      )
    )
  }
})
