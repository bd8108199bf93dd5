/** Reading a JWT without checking it: what it says is a hint for the clock and for display, never a proof. */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"

export interface Claims {
  readonly iat?: number
  readonly exp?: number
  readonly claims: ReadonlyMap<string, unknown>
}

const maxTokenLength = 16_384

const none: Claims = { claims: new Map() }

/** The claims of a token; none if it is no JWT. Own keys only. */
export const readClaims = (token: string): Claims => {
  if (token.length > maxTokenLength) return none
  const parts = token.split(".")
  const payload = parts[1]
  if (parts.length !== 3 || payload === undefined) return none
  const text = Base64Url.decodeString(payload)
  if (Result.isFailure(text)) return none
  let parsed: unknown
  try {
    parsed = JSON.parse(text.success)
  } catch {
    return none
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return none
  const claims = new Map<string, unknown>(Object.entries(parsed))
  const iat = claims.get("iat")
  const exp = claims.get("exp")
  return {
    ...(typeof iat === "number" && Number.isFinite(iat) ? { iat } : {}),
    ...(typeof exp === "number" && Number.isFinite(exp) ? { exp } : {}),
    claims
  }
}

/** A token that claims to live longer says nothing. */
const maxLifetimeMillis = 100 * 365 * 86_400_000

/**
 * How long the server meant the token to live, in milliseconds; `null` when it does not say. Without `iat` it counts
 * from the server's own clock when the token came.
 */
export const lifetimeOf = ({ exp, iat }: Claims, serverDate?: number): number | null => {
  const from = iat === undefined ? serverDate : iat * 1000
  if (exp === undefined || from === undefined) return null
  const lifetime = exp * 1000 - from
  return lifetime > 0 && lifetime <= maxLifetimeMillis ? lifetime : null
}
