/** The introduction of AuthProvider: sign in, and stay signed in after the page is loaded again. */
import { defineOneEntry, isError } from "effect-oneentry/promise"

/** Authenticates a user against the "email" provider and reads the tokens, which the client keeps by itself. */
export const quickstart = async (
  url: string,
  token: string
): Promise<readonly [accessToken: string, refreshToken: string]> => {
  const { AuthProvider } = defineOneEntry(url, { token })

  const result = await AuthProvider.auth("email", {
    authData: [
      { marker: "login", value: "example@oneentry.cloud" },
      { marker: "password", value: "12345" }
    ]
  })
  if (isError(result)) throw new Error(result.message)
  return [result.accessToken, result.refreshToken]
}

/** A client whose session outlives the page: `localStorage` in a browser, anything alike elsewhere. */
export const persistent = (url: string, token: string, localStorage: Pick<Storage, "getItem" | "setItem">) =>
  defineOneEntry(url, {
    token,
    auth: {
      refreshToken: localStorage.getItem("refreshToken"),
      saveFunction: (token) => localStorage.setItem("refreshToken", token)
    }
  })
