/** Somebody signs in, is greeted, and signs out: `fetch`, tokens in memory, subpaths. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AuthProvider from "effect-oneentry/AuthProvider"
import * as TokenStorage from "effect-oneentry/TokenStorage"

const layer = AuthProvider.layerFetch({ url: "https://my-project.oneentry.cloud" }).pipe(
  Layer.provide(TokenStorage.layerMemory)
)

export const signIn = (login: string, password: string): Promise<string> =>
  AuthProvider.AuthProvider.use((auth) =>
    auth.auth("email", {
      authData: [
        { marker: "email_reg", value: login },
        { marker: "password_reg", value: password }
      ]
    })
  ).pipe(
    Effect.map(({ userIdentifier }) => userIdentifier),
    Effect.provide(layer),
    Effect.runPromise
  )
