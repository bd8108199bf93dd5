/** Signing in, as the page of `auth` has it. The compiler does not take a credential without its value. */
import { Redacted } from "effect"
import { AuthProvider } from "effect-oneentry"

export const complete = AuthProvider.AuthProvider.use((auth) =>
  auth.auth("email", {
    authData: [
      { marker: "login", value: "example@oneentry.cloud" },
      { marker: "password", value: Redacted.make("12345") }
    ]
  })
)
