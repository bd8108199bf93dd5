/** A Worker with sign-in, profile and sign-out. Its cookie is a random id; the session is in a Durable Object. */
import type { DurableObjectNamespace, ExecutionContext } from "@cloudflare/workers-types"
import { Effect, Layer, Redacted } from "effect"
import { AuthProvider, FetchClient, OneEntry, Users } from "effect-oneentry"
import { CookieSession, WebSession } from "effect-oneentry/server"
import * as DurableSessions from "./durableSessions.ts"

export { SessionObject } from "./durableSessions.ts"

interface Env {
  readonly ONEENTRY_URL: string
  readonly ONEENTRY_TOKEN: string
  readonly SESSION_KEY: string
  readonly SESSIONS: DurableObjectNamespace
}

const signIn = Effect.fn("signIn")(
  function* (request: Request) {
    const auth = yield* AuthProvider.AuthProvider
    const form = yield* Effect.promise(() => request.formData())
    yield* auth.auth("email", {
      authData: [
        { marker: "email_reg", value: String(form.get("email")) },
        { marker: "password_reg", value: Redacted.make(String(form.get("password"))) }
      ]
    })
    return Response.redirect(new URL("/me", request.url).href, 303)
  },
  Effect.catchTags({
    InvalidCredentials: () => Effect.succeed(new Response("Wrong e-mail or password", { status: 401 })),
    UserNotActivated: () => Effect.succeed(new Response("Enter your activation code first", { status: 401 }))
  })
)

const me = Users.Users.use((users) => users.getUser()).pipe(
  Effect.map((user) => new Response(`Hello, ${user.identifier}`)),
  Effect.catchTag(["NotAuthenticated", "TokenExpired"], () =>
    Effect.succeed(new Response("Please sign in", { status: 401 }))
  )
)

const signOut = AuthProvider.AuthProvider.use((auth) => auth.logout()).pipe(Effect.map(() => new Response("Good-bye")))

const route = Effect.fnUntraced(function* (request: Request) {
  switch (`${request.method} ${new URL(request.url).pathname}`) {
    case "POST /sign-in":
      return yield* signIn(request)
    case "GET /me":
      return yield* me
    case "POST /sign-out":
      return yield* signOut
    default:
      return new Response("Not here", { status: 404 })
  }
})

const make = (env: Env) => {
  const app = WebSession.make(
    OneEntry.layer({ url: env.ONEENTRY_URL, appToken: Redacted.make(env.ONEENTRY_TOKEN) }).pipe(
      Layer.provideMerge(CookieSession.layerReference({ keys: Redacted.make(env.SESSION_KEY) })),
      Layer.provide([DurableSessions.layer(env.SESSIONS), FetchClient.layer])
    )
  )
  return app.withSession((request, visit, _env: Env, _ctx: ExecutionContext) => visit.run(route(request)))
}

let handler: ReturnType<typeof make> | undefined

export default {
  // With the `ctx`, a visitor who goes away in the middle of a refresh does not take it with them.
  fetch: (request: Request, env: Env, ctx: ExecutionContext): Promise<Response> =>
    (handler ??= make(env))(request, env, ctx)
}
