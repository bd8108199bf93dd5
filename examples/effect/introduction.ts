/** The introduction of AuthProvider: sign in, and stay signed in after the page is loaded again. */
import { Effect, Layer, Redacted } from "effect"
import { AuthProvider, FetchClient, OneEntry, TokenStorage } from "effect-oneentry"

/** Authenticates a user against the "email" provider and reads the tokens, which the session keeps by itself. */
export const quickstart = Effect.gen(function* () {
  const auth = yield* AuthProvider.AuthProvider
  const result = yield* auth.auth("email", {
    authData: [
      { marker: "login", value: "example@oneentry.cloud" },
      { marker: "password", value: Redacted.make("12345") }
    ]
  })
  // Redacted in logs and traces; they are opened where they are needed, which is hardly ever outside of this package.
  return [Redacted.value(result.accessToken), Redacted.value(result.refreshToken)] as const
})

/** A client whose session outlives the page, in any `KeyValueStore`: the whole session, not the refresh token alone. */
export const persistent = (url: string, appToken: string) =>
  OneEntry.layer({ url, appToken }).pipe(Layer.provide([TokenStorage.layerKeyValueStore, FetchClient.layer]))
