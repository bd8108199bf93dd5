/** What the servers and stubs of the benchmarks answer. */

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A profile of about 1 KB. */
export const profile = JSON.stringify({
  id: 8,
  total: "1",
  identifier: "test@test.ru",
  authProviderIdentifier: "email",
  formIdentifier: "reg",
  formData: Array.from({ length: 8 }, (_, index) => ({
    marker: `field_${index}`,
    type: "string",
    value: "x".repeat(60)
  })),
  groups: [1],
  state: {},
  rating: {},
  moduleFormConfigs: []
})

export const accessToken = (now: number, id = 8): string =>
  `${base64({ alg: "HS256", typ: "JWT" })}.${base64({ id, authProviderIdentifier: "email", iat: now, exp: now + 36_000 })}.${"s".repeat(43)}`

export const pair = (access: string, refreshToken: string): string =>
  JSON.stringify({
    userIdentifier: "test@test.ru",
    authProviderIdentifier: "email",
    accessToken: access,
    refreshToken
  })

export const profilePath = "/api/content/users/me?langCode=en_US"

export const signInPath = "/api/content/users-auth-providers/marker/email/users/auth"

export const authData = [
  { marker: "email_reg", value: "test@test.ru" },
  { marker: "password_reg", value: "12345678" }
]
