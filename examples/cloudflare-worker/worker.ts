/**
 * A Worker with sign-in, profile and sign-out. Its cookie is a random id; the session is in a Durable Object.
 *
 * A request of a Worker must not wait for what another one does, though they share the memory. So the services are made
 * for each request, and the object is the only thing that requests have in common.
 */
import type { DurableObjectNamespace } from "@cloudflare/workers-types"
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

const services = (env: Env) =>
  OneEntry.layer({ url: env.ONEENTRY_URL, appToken: Redacted.make(env.ONEENTRY_TOKEN) }).pipe(
    Layer.provideMerge(CookieSession.layerReference({ keys: Redacted.make(env.SESSION_KEY) })),
    Layer.provide([DurableSessions.layer(env.SESSIONS), FetchClient.layer])
  )

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
  Effect.catchTag("InvalidCredentials", () => Effect.succeed(new Response("Wrong e-mail or password", { status: 401 })))
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

export default {
  fetch: (request: Request, env: Env): Promise<Response> =>
    Effect.runPromise(WebSession.handle(request, route).pipe(Effect.provide(services(env))))
}
