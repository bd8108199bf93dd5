/**
 * Cookie sessions as middleware of Effect's `HttpRouter`: each request that
 * passes is a visit, and the response gets the cookies right before it is sent,
 * also when it is streamed and also when the handler failed.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Cookies from "effect/http/Cookies"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as CookieSession from "./CookieSession.ts"
import * as HttpCookies from "./internal/cookies.ts"
import * as OriginCheck from "./OriginCheck.ts"
import * as Visitor from "./Visitor.ts"

/**
 * Options of the middleware and of the wrapper.
 *
 * **Example** (Another origin that may post)
 *
 * ```ts
 * import type { HttpSession } from "effect-oneentry/server"
 *
 * export const options: HttpSession.Options = { trustedOrigins: ["https://admin.example.com"] }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * What to do with a request that changes something and comes from another origin: `"refuse"` answers 403, `"allow"`
   * is for who checks by other means. `"refuse"` by default.
   */
  readonly crossOrigin?: "refuse" | "allow" | undefined
  /** Origins that may, such as `"https://admin.example.com"`. */
  readonly trustedOrigins?: ReadonlyArray<string> | undefined
}

/**
 * A web `Response` as the body has headers of its own. The platform puts those of the response over them, and so leaves
 * what only they say: it would go before our `Cache-Control`.
 */
const withoutOverruling = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  if (body._tag !== "Raw" || !(body.body instanceof Response)) return response
  const own = new Response(body.body.body, body.body)
  HttpCookies.removeOverruling(own.headers)
  const vary = response.headers["vary"] ?? own.headers.get("vary")
  return HttpServerResponse.setBody(response, HttpBody.raw(own, body)).pipe(
    HttpServerResponse.setHeaders(response.headers),
    vary === null ? identity : HttpServerResponse.setHeader("vary", vary)
  )
}

const withCookies = (
  original: HttpServerResponse.HttpServerResponse,
  cookies: ReadonlyArray<Cookies.Cookie>
): HttpServerResponse.HttpServerResponse => {
  if (cookies.length === 0) return original
  const response = withoutOverruling(original)
  return Object.keys(response.headers)
    .filter(HttpCookies.overrulesCacheControl)
    .reduce(HttpServerResponse.removeHeader, response)
    .pipe(
      HttpServerResponse.updateCookies((before) => Cookies.merge(before, Cookies.fromIterable(cookies))),
      HttpServerResponse.setHeaders(CookieSession.cacheHeaders(response.headers["vary"]))
    )
}

/**
 * The platform interrupts a request whose connection is closed, and then makes a response (or takes the handler's) all the
 * same, which goes nowhere.
 */
const clientIsGone: Effect.Effect<boolean> = Effect.map(
  Effect.exit(Effect.interruptible(Effect.void)),
  (exit) =>
    Exit.isFailure(exit) && exit.cause.reasons.some((reason) => reason.annotations.has(HttpServerError.ClientAbort.key))
)

type Handler<E, R> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>

const wrap =
  (sessions: CookieSession.CookieSession["Service"], options: Options | undefined) =>
  <E, R>(
    handler: Handler<E, R>
  ): Handler<E, Exclude<R, Visitor.Visitor> | HttpServerRequest.HttpServerRequest | Scope.Scope> =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      if (options?.crossOrigin !== "allow" && OriginCheck.isCrossOrigin(request, options?.trustedOrigins)) {
        return HttpServerResponse.text("A request from another origin is refused", { status: 403 })
      }
      // The same middleware on the router and on a route: one visit.
      const outer = yield* Effect.serviceOption(Visitor.Visitor)
      if (Option.isSome(outer)) return yield* Effect.provideService(handler, Visitor.Visitor, outer.value)
      return yield* Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const visit = yield* sessions.open(request)
          // For a request that ends without a response.
          yield* Effect.addFinalizer(() => visit.abandon)
          yield* HttpEffect.appendPreResponseHandler((_, response) =>
            Effect.gen(function* () {
              const cookies = yield* visit.close
              if (yield* clientIsGone) yield* visit.lost
              return withCookies(response, cookies)
            })
          )
          return yield* restore(visit.provide(handler))
        })
      )
    })

/**
 * Makes the middleware for some routes: handlers may ask for `Visitor`, and `Session` is the visitor's.
 *
 * **Example** (A route for who is signed in)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { HttpRouter, HttpServerResponse } from "effect/http"
 * import { Users } from "effect-oneentry"
 * import { HttpSession } from "effect-oneentry/server"
 *
 * export const Me = HttpRouter.add("GET", "/me",
 *   Effect.gen(function*() {
 *     const users = yield* Users.Users
 *     const user = yield* users.getUser()
 *     return HttpServerResponse.jsonUnsafe({ name: user.identifier })
 *   }).pipe(
 *     Effect.catchTag(["NotAuthenticated", "TokenExpired"], () => Effect.succeed(HttpServerResponse.redirect("/sign-in")))
 *   )
 * ).pipe(Layer.provide(HttpSession.middleware().layer))
 * ```
 *
 * @category middleware
 * @since 0.1.0
 */
export const middleware = (options?: Options) =>
  HttpRouter.middleware<{ provides: Visitor.Visitor }>()(
    Effect.map(CookieSession.CookieSession, (sessions) => (handler) => wrap(sessions, options)(handler))
  )

/**
 * The middleware for every route of the router, those that are not found included.
 *
 * **Example** (A whole application, as a web handler)
 *
 * ```ts
 * import { Effect, Layer, Option, Redacted } from "effect"
 * import { FetchHttpClient, HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
 * import { OneEntry, Session } from "effect-oneentry"
 * import { CookieSession, HttpSession } from "effect-oneentry/server"
 *
 * const OneEntryLive = OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provideMerge(CookieSession.layerSealed({ keys: Redacted.make("…") })),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 *
 * const Home = HttpRouter.add("GET", "/", Effect.gen(function*() {
 *   const session = yield* Session.Session
 *   const current = yield* session.current
 *   return HttpServerResponse.text(Option.isSome(current) ? "Welcome back" : "Hello")
 * })).pipe(HttpRouter.provideRequest(OneEntryLive))
 *
 * const App = Layer.merge(Home, HttpSession.layer()).pipe(
 *   Layer.provide([OneEntryLive, HttpServer.layerServices])
 * )
 *
 * export const serve = () => HttpRouter.toWebHandler(App)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options) =>
  HttpRouter.middleware<{ provides: Visitor.Visitor }>()(
    Effect.map(CookieSession.CookieSession, (sessions) => (handler) => wrap(sessions, options)(handler)),
    { global: true }
  )
