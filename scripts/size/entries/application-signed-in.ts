/** The same application with the thirteen operations and the session, on the HTTP client that it has. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as AuthProvider from "effect-oneentry/AuthProvider"
import * as TokenStorage from "effect-oneentry/TokenStorage"

export { follow, order } from "./application.ts"

const layer = AuthProvider.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
  Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
)

export const signIn = (login: string): Promise<string> =>
  AuthProvider.AuthProvider.use((auth) =>
    auth.auth("email", { authData: [{ marker: "email_reg", value: login }] })
  ).pipe(
    Effect.map(({ userIdentifier }) => userIdentifier),
    Effect.provide(layer),
    Effect.runPromise
  )
