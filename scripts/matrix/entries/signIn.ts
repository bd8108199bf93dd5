/** The sign-in application in a worker: what its cold start is measured with. */
import { Effect, Layer } from "effect"
import * as AuthProvider from "effect-oneentry/AuthProvider"
import * as FetchClient from "effect-oneentry/FetchClient"
import * as TokenStorage from "effect-oneentry/TokenStorage"

export default {
  fetch: (_: Request, env: { readonly URL: string }): Promise<Response> =>
    AuthProvider.AuthProvider.use((auth) =>
      auth.auth("email", {
        authData: [
          { marker: "email_reg", value: "test@test.ru" },
          { marker: "password_reg", value: "12345678" }
        ]
      })
    ).pipe(
      Effect.map(({ userIdentifier }) => new Response(userIdentifier)),
      Effect.provide(
        AuthProvider.layer({ url: env.URL }).pipe(Layer.provide([TokenStorage.layerMemory, FetchClient.layer]))
      ),
      Effect.runPromise
    )
}
