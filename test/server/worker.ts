/** What `workers.test.ts` runs: sessions in sealed cookies, services made once for all requests. */
import { Effect, Layer, Redacted } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { AuthProvider, FetchClient, OneEntry, Users } from "effect-oneentry"
import { CookieSession, HttpSession, WebSession } from "effect-oneentry/server"

interface Env {
  readonly URL: string
  readonly TOKEN: string
  readonly KEY: string
  readonly INTEGRATION: "HttpRouter" | "Request → Response"
}

const layer = (env: Env) =>
  OneEntry.layer({ url: env.URL, appToken: Redacted.make(env.TOKEN), retry: false }).pipe(
    Layer.provideMerge(CookieSession.layerSealed({ keys: Redacted.make(env.KEY) })),
    Layer.provide(FetchClient.layer)
  )

const signIn = AuthProvider.AuthProvider.use((auth) =>
  auth.auth("email", {
    authData: [
      { marker: "email_reg", value: "ann@example.com" },
      { marker: "password_reg", value: "secret" }
    ]
  })
)

const answer = (method: string) =>
  Effect.when(signIn, Effect.succeed(method === "POST")).pipe(
    Effect.andThen(Users.Users.use((users) => users.getUser())),
    Effect.match({
      onSuccess: (user) => ({ status: 200, text: user.identifier }),
      onFailure: (error) => ({ status: 401, text: error._tag })
    })
  )

const makeWrapper = (env: Env) =>
  WebSession.make(layer(env)).withSession(async (request, visit, _env: Env, _ctx: unknown) => {
    const { status, text } = await visit.run(answer(request.method))
    return new Response(text, { status })
  })

const makeRouter = (env: Env) => {
  const services = layer(env)
  const Routes = HttpRouter.add("*", "/", (request) =>
    Effect.map(answer(request.method), ({ status, text }) => HttpServerResponse.text(text, { status }))
  ).pipe(HttpRouter.provideRequest(services))
  const App = Layer.merge(Routes, HttpSession.layer()).pipe(Layer.provide([services, HttpServer.layerServices]))
  const { handler } = HttpRouter.toWebHandler(App, { disableLogger: true })
  return (request: Request, _env: Env, _ctx: unknown) => handler(request)
}

let handler: ReturnType<typeof makeWrapper> | undefined

export default {
  fetch: (request: Request, env: Env, ctx: unknown): Promise<Response> =>
    (handler ??= (env.INTEGRATION === "HttpRouter" ? makeRouter : makeWrapper)(env))(request, env, ctx)
}
