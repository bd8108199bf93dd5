/**
 * A server as all of these SDKs know one: access tokens end, and a refresh token works once. It speaks the dialect of the
 * SDK that asks, and answers a `fetch`.
 */
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** An unsigned token: none of these clients has the key to check one. */
const jwt = (claims: Readonly<Record<string, unknown>>): string =>
  `${base64url({ alg: "RS256", typ: "JWT", kid: "1" })}.${base64url(claims)}.c2lnbmF0dXJl`

export interface Server {
  readonly fetch: typeof globalThis.fetch
  /** The pair of the session that is under way: its access token has ended. */
  readonly ended: { readonly accessToken: string; readonly refreshToken: string }
  readonly state: {
    refreshes: number
    /** How a refresh is answered. */
    mood: "well" | "503" | "unreachable"
  }
}

export interface Dialect {
  readonly isRefresh: (url: string, body: string) => boolean
  readonly pair: (accessToken: string, refreshToken: string) => unknown
}

const now = () => Math.floor(Date.now() / 1000)
const claims = (number: number, lifetime: number) => ({
  sub: "ann",
  iss: "https://tenant.example/",
  aud: "client",
  jti: String(number),
  iat: now(),
  exp: now() + lifetime
})

export const makeServer = (dialect: Dialect): Server => {
  let number = 0
  let access = ""
  let refresh = "refresh-token-0"
  const ended = { accessToken: jwt({ ...claims(0, -60), iat: now() - 3600 }), refreshToken: refresh }
  const state: Server["state"] = { refreshes: 0, mood: "well" }
  const json = (status: number, body: unknown) => Response.json(body, { status })

  const answer = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    const body = await request.text()
    // An answer takes its time, so that calls meet.
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (!dialect.isRefresh(request.url, body)) {
      return request.headers.get("authorization") === `Bearer ${access}`
        ? json(200, { id: 1, identifier: "ann@example.com", formData: [] })
        : json(401, { statusCode: 401, message: "Unauthorized", timestamp: new Date().toISOString(), pageData: null })
    }
    state.refreshes++
    if (state.mood === "unreachable") throw new TypeError("fetch failed")
    if (state.mood === "503") return json(503, { statusCode: 503, message: "Service Unavailable" })
    if (!body.includes(refresh)) {
      return json(400, {
        statusCode: 400,
        message: "Provided token is incorrect",
        error: "invalid_grant",
        error_code: "refresh_token_already_used",
        msg: "Already used"
      })
    }
    number++
    access = jwt(claims(number, 3600))
    refresh = `refresh-token-${number}`
    return json(200, dialect.pair(access, refresh))
  }
  return { fetch: answer, ended, state }
}
