/** How each SDK's server words a pair of tokens. */
export const url = "https://tenant.example"
/** The issuer that an OpenID client is told of. */
export const issuer = `${url}/`

export const oneEntryPair = (accessToken: string, refreshToken: string) => ({
  userIdentifier: "ann@example.com",
  authProviderIdentifier: "email",
  accessToken,
  refreshToken
})

export const supabasePair = (access_token: string, refresh_token: string) => ({
  access_token,
  refresh_token,
  token_type: "bearer" as const,
  expires_in: 3600,
  expires_at: Math.floor(Date.now() / 1000) + 3600,
  user: { id: "1", aud: "authenticated", app_metadata: {}, user_metadata: {}, created_at: "2026-01-01T00:00:00Z" }
})

export const auth0Pair = (access_token: string, refresh_token: string) => ({
  access_token,
  refresh_token,
  // Its claims are those of the access token here.
  id_token: access_token,
  token_type: "Bearer",
  expires_in: 3600,
  scope: "openid profile email offline_access"
})

export const msalPair = (access_token: string, refresh_token: string) => ({
  access_token,
  refresh_token,
  id_token: access_token,
  token_type: "Bearer" as const,
  expires_in: 3600,
  scope: "openid profile offline_access"
})
