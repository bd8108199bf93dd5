/** What `workers.test.ts` runs: sessions in sealed cookies, services made once for all requests. */
import { Effect, Layer, Redacted } from "effect"
import { AuthProvider, FetchClient, OneEntry, Users } from "effect-oneentry"
import { CookieSession, WebSession } from "effect-oneentry/server"

interface Env {
  readonly URL: string
  readonly TOKEN: string
  readonly KEY: string
}

const make = (env: Env) => {
  const app = WebSession.make(
    OneEntry.layer({ url: env.URL, appToken: Redacted.make(env.TOKEN), retry: false }).pipe(
      Layer.provideMerge(CookieSession.layerSealed({ keys: Redacted.make(env.KEY) })),
      Layer.provide(FetchClient.layer)
    )
  )
  const signIn = AuthProvider.AuthProvider.use((auth) =>
    auth.auth("email", {
      authData: [
        { marker: "email_reg", value: "ann@example.com" },
        { marker: "password_reg", value: "secret" }
      ]
    })
  )
  const who = Users.Users.use((users) => users.getUser())
  return app.withSession((request, visit, _env: Env, _ctx: unknown) =>
    visit.run(
      Effect.when(signIn, Effect.succeed(request.method === "POST")).pipe(
        Effect.andThen(who),
        Effect.map((user) => new Response(user.identifier)),
        Effect.catch((error) => Effect.succeed(new Response(error._tag, { status: 401 })))
      )
    )
  )
}

let handler: ReturnType<typeof make> | undefined

export default {
  fetch: (request: Request, env: Env, ctx: unknown): Promise<Response> => (handler ??= make(env))(request, env, ctx)
}
