/**
 * Cookie sessions for everything that maps a `Request` to a `Response`: Hono,
 * Next's route handlers, `Bun.serve`, `Deno.serve`, Workers. The cookies are set
 * when the handler gives its response, before a streamed body begins.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cookies from "effect/http/Cookies"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as CookieSession from "./CookieSession.ts"
import type { Options } from "./HttpSession.ts"
import * as HttpCookies from "./internal/cookies.ts"
import * as Workers from "./internal/workers.ts"
import * as OriginCheck from "./OriginCheck.ts"
import type * as Visitor from "./Visitor.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What a handler gets beside its request: the way to run effects as the visitor. `run` rejects with the error that the
 * effect fails with.
 *
 * **Example** (A handler of its own)
 *
 * ```ts
 * import { Option } from "effect"
 * import { Session } from "effect-oneentry"
 * import type { WebSession } from "effect-oneentry/server"
 *
 * export const who = async (_: Request, visit: WebSession.Visit<Session.Session>): Promise<Response> => {
 *   const session = await visit.run(Session.Session.use((session) => session.current))
 *   return Response.json({ signedIn: Option.isSome(session) })
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Visit<R> {
  readonly run: <A, E>(
    effect: Effect.Effect<A, E, R | Visitor.Visitor>,
    options?: { readonly signal?: AbortSignal | undefined }
  ) => Promise<A>
}

/**
 * Wraps handlers. The services are built with the first request, and live until `dispose`.
 *
 * **Example** (A route handler of Next)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 * import type { WebSession } from "effect-oneentry/server"
 *
 * export const routes = (app: WebSession.WebSession<Users.Users>) => ({
 *   GET: app.withSession(async (_request, visit) =>
 *     Response.json(await visit.run(Effect.map(Users.Users.use((users) => users.getUser()), (user) => user.identifier)))
 *   )
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface WebSession<R> {
  /** The handler as a visit. Further arguments (Next's `params`, the `env` of Workers) are handed through. */
  readonly withSession: <Req extends Request, Args extends ReadonlyArray<unknown>>(
    handler: (request: Req, visit: Visit<R>, ...args: Args) => Response | Promise<Response>
  ) => (request: Req, ...args: Args) => Promise<Response>
  /** A visit in which nothing is written and so nothing refreshed: see `CookieSession.readOnly`. */
  readonly readOnly: <A>(request: Visitor.RequestLike, f: (visit: Visit<R>) => A | Promise<A>) => Promise<A>
  readonly dispose: () => Promise<void>
}

// -----------------------------------------------------------------------------
// setting cookies
// -----------------------------------------------------------------------------

/**
 * The response with the cookies, as another one: what `Response.redirect` gives cannot be changed, and one that the
 * handler gives to everybody (a constant `204`) would take a visitor's session to the next.
 */
const withCookies = (response: Response, cookies: ReadonlyArray<Cookies.Cookie>): Response => {
  if (cookies.length === 0) return response
  const own = new Response(response.body, response)
  HttpCookies.removeOverruling(own.headers)
  const cache = CookieSession.cacheHeaders(own.headers.get("vary"))
  own.headers.set("cache-control", cache["cache-control"])
  own.headers.set("vary", cache.vary)
  for (const cookie of cookies) own.headers.append("set-cookie", Cookies.serializeCookie(cookie))
  return own
}

/** Whoever runs the handler does not wait for its response. */
const isInterrupted: Effect.Effect<boolean> = Effect.map(Effect.exit(Effect.interruptible(Effect.void)), Exit.isFailure)

const refusal = (): Response => new Response("A request from another origin is refused", { status: 403 })

const isRefused = (request: Request, options: Options | undefined): boolean =>
  options?.crossOrigin !== "allow" && OriginCheck.isCrossOrigin(request, options?.trustedOrigins)

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Handles one request as a visit, in Effect. Turn failures into responses inside: with one that fails there is no
 * response to carry a cookie.
 *
 * **Example** (A handler of Effect's in any server)
 *
 * ```ts
 * import { Effect, Option } from "effect"
 * import { Session } from "effect-oneentry"
 * import { WebSession } from "effect-oneentry/server"
 *
 * export const handler = (request: Request) =>
 *   WebSession.handle(request, () =>
 *     Session.Session.use((session) => session.current).pipe(
 *       Effect.map((current) => Response.json({ signedIn: Option.isSome(current) }))
 *     ))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const handle = <Req extends Request, E, R>(
  request: Req,
  handler: (request: Req) => Effect.Effect<Response, E, R>,
  options?: Options
): Effect.Effect<Response, E, Exclude<R, Visitor.Visitor> | CookieSession.CookieSession> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      if (isRefused(request, options)) return refusal()
      const sessions = yield* CookieSession.CookieSession
      const visit = yield* sessions.open(request)
      const exit = yield* Effect.exit(restore(visit.provide(Effect.suspend(() => handler(request)))))
      if (Exit.isFailure(exit)) {
        yield* visit.abandon
        return yield* exit
      }
      const cookies = yield* visit.close
      if (cookies.length > 0 && (request.signal.aborted || (yield* isInterrupted))) yield* visit.lost
      return withCookies(exit.value, cookies)
    })
  )

/**
 * Makes the wrapper for handlers that are not Effect, on a layer with the services that they use.
 *
 * In a Cloudflare Worker hand the `env` and the `ctx` through: a visitor who goes away in the middle of a refresh then does
 * not take it with them. One visitor's requests may reach different isolates there, so keep the sessions in a storage and
 * under a lock that these share (`CookieSession.layerReference`), as `examples/cloudflare-worker` does.
 *
 * **Example** (Hono, Bun, Workers: the same)
 *
 * ```ts
 * import { Layer, Redacted } from "effect"
 * import { AuthProvider, FetchClient, OneEntry } from "effect-oneentry"
 * import { CookieSession, WebSession } from "effect-oneentry/server"
 *
 * const layer = OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provideMerge(CookieSession.layerSealed({ keys: Redacted.make("…") })),
 *   Layer.provide(FetchClient.layer)
 * )
 *
 * const app = WebSession.make(layer)
 *
 * const signIn = app.withSession(async (request, visit) => {
 *   const form = await request.formData()
 *   await visit.run(AuthProvider.AuthProvider.use((auth) => auth.auth("email", {
 *     authData: [
 *       { marker: "email_reg", value: String(form.get("email")) },
 *       { marker: "password_reg", value: String(form.get("password")) }
 *     ]
 *   })))
 *   return new Response(null, { status: 303, headers: { location: "/" } })
 * })
 *
 * export default { fetch: (request: Request) => signIn(request) }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <R, E>(
  layer: Layer.Layer<R | CookieSession.CookieSession, E>,
  options?: Options & { readonly memoMap?: Layer.MemoMap | undefined }
): WebSession<R> => {
  const runtime = ManagedRuntime.make(layer, options?.memoMap === undefined ? undefined : { memoMap: options.memoMap })

  const visitOf = (visit: CookieSession.Visit): Visit<R> => ({
    run: (effect, options) => {
      const provided = visit.provide(effect)
      return options?.signal === undefined
        ? runtime.runPromise(provided)
        : runtime.runPromise(provided, { signal: options.signal })
    }
  })

  let services: Promise<unknown> | undefined
  let ready = false
  const open = async (request: Visitor.RequestLike, readOnly: boolean) => {
    if (!ready) {
      // The first request makes the services, and the others wait for it.
      const made = (services ??= runtime.context())
      await Workers.awaited((resolve, reject) => made.then(resolve, reject))
      ready = true
    }
    return runtime.runPromise(CookieSession.CookieSession.use((sessions) => sessions.open(request, { readOnly })))
  }

  const respond = async (request: Request, handler: (visit: Visit<R>) => Response | Promise<Response>) => {
    const visit = await open(request, false)
    try {
      const response = await handler(visitOf(visit))
      const cookies = await runtime.runPromise(visit.close)
      // The cookies are set all the same: some frameworks give requests a signal of their own.
      if (cookies.length > 0 && request.signal.aborted) await runtime.runPromise(visit.lost)
      return withCookies(response, cookies)
    } catch (error) {
      // There is no response to carry a cookie.
      await runtime.runPromise(visit.abandon)
      throw error
    }
  }

  return {
    withSession:
      (handler) =>
      async (request, ...args) => {
        if (isRefused(request, options)) return refusal()
        const response = respond(request, (visit) => handler(request, visit, ...args))
        Workers.keepAlive(args, response)
        return response
      },
    readOnly: async (request, f) => {
      const visit = await open(request, true)
      try {
        return await f(visitOf(visit))
      } finally {
        await runtime.runPromise(visit.abandon)
      }
    },
    dispose: () => runtime.dispose()
  }
}
