/** Signing in, as the page of `auth` has it. */
import type { OneEntry } from "effect-oneentry/promise"

/** The login is missing here, as on that page: the server is the one that says so. */
export const minimal = ({ AuthProvider }: OneEntry) => {
  const body = {
    authData: [
      {
        marker: "login"
      },
      {
        marker: "password",
        value: "12345"
      }
    ]
  }

  return AuthProvider.auth("email", body)
}

export const complete = ({ AuthProvider }: OneEntry) =>
  AuthProvider.auth("email", {
    authData: [
      {
        marker: "login",
        value: "example@oneentry.cloud"
      },
      {
        marker: "password",
        value: "12345"
      }
    ]
  })
