/** Cold start: signs in, reads nothing else, says so. */
import * as AuthProvider from "effect-oneentry/AuthProvider"
import * as TokenStorage from "effect-oneentry/TokenStorage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const layer = AuthProvider.layerFetch({ url: process.argv[2] ?? "" }).pipe(Layer.provide(TokenStorage.layerMemory))

AuthProvider.AuthProvider.use((auth) =>
  auth.auth("email", {
    authData: [
      { marker: "email_reg", value: "test@test.ru" },
      { marker: "password_reg", value: "12345678" }
    ]
  })
)
  .pipe(
    Effect.map(({ userIdentifier }) => console.log(userIdentifier)),
    Effect.provide(layer),
    Effect.runPromise
  )
  .then(() => process.exit(0))
