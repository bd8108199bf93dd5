/** A JSON API on Hono. The session is in sealed cookies: there is nothing to store on the server. */
import { Effect, Layer, Option, Schema } from "effect"
import { AuthProvider, type ClientOptions, FetchClient, OneEntry, type TokenStorage, Users } from "effect-oneentry"
import { CookieSession, WebSession } from "effect-oneentry/server"
import { type Context, Hono } from "hono"

type Visit = WebSession.Visit<OneEntry.Services>

const Credentials = Schema.fromJsonString(
  Schema.Struct({ email: Schema.String, password: Schema.RedactedFromValue(Schema.String) })
)

export const makeApp = (options: ClientOptions.ClientOptions, key: TokenStorage.EncryptionKey) => {
  const sessions = WebSession.make(
    OneEntry.layer(options).pipe(
      Layer.provideMerge(CookieSession.layerSealed({ keys: key, insecureLoopback: true })),
      Layer.provide(FetchClient.layer)
    )
  )
  /** A handler of Hono's as a visit: whatever changes of the session goes out with its response. */
  const visited = (handler: (c: Context, visit: Visit) => Promise<Response>) => {
    const handle = sessions.withSession((_request, visit, c: Context) => handler(c, visit))
    return (c: Context) => handle(c.req.raw, c)
  }

  return new Hono()
    .post(
      "/sign-in",
      visited(async (c, visit) => {
        const credentials = Schema.decodeOption(Credentials)(await c.req.text())
        if (Option.isNone(credentials)) return c.json({ error: "BadRequest" }, 400)
        const { email, password } = credentials.value
        return visit.run(
          AuthProvider.AuthProvider.use((auth) =>
            auth.auth("email", {
              authData: [
                { marker: "email_reg", value: email },
                { marker: "password_reg", value: password }
              ]
            })
          ).pipe(
            Effect.map(() => c.body(null, 204)),
            Effect.catchTag(["InvalidCredentials", "UserNotActivated"], (error) =>
              Effect.succeed(c.json({ error: error._tag }, 401))
            )
          )
        )
      })
    )
    .get(
      "/me",
      visited((c, visit) =>
        visit.run(
          Users.Users.use((users) => users.getUser()).pipe(
            Effect.map((user) => c.json({ name: user.identifier })),
            Effect.catchTag(["NotAuthenticated", "TokenExpired"], (error) =>
              Effect.succeed(c.json({ error: error._tag }, 401))
            )
          )
        )
      )
    )
    .post(
      "/sign-out",
      visited((c, visit) =>
        visit.run(
          Effect.as(
            AuthProvider.AuthProvider.use((auth) => auth.logout()),
            c.body(null, 204)
          )
        )
      )
    )
    .onError((error, c) => {
      console.error(error)
      return c.json({ error: "ServiceUnavailable" }, 503)
    })
}
