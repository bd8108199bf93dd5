/** Reading a JWT without checking it: what it says is a hint for the clock and for display, never a proof. */

export interface Claims {
  readonly iat: number | undefined
  readonly exp: number | undefined
  readonly entries: () => ReadonlyArray<readonly [string, unknown]>
}

const maxTokenLength = 16_384

const none: Claims = { iat: undefined, exp: undefined, entries: () => [] }

/** Base64url in UTF-8, by the platform, as every sign-in needs it. */
const decodePayload = (payload: string): string => {
  const binary = atob(payload.replace(/-/g, "+").replace(/_/g, "/"))
  // Nearly all claims are ASCII, and that is text already.
  return /[\x80-\xff]/.test(binary)
    ? new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))
    : binary
}

/** The claims of a token; none if it is no JWT. Own keys only. */
export const readClaims = (token: string): Claims => {
  if (token.length > maxTokenLength) return none
  const [, payload, signature, more] = token.split(".", 4)
  if (payload === undefined || signature === undefined || more !== undefined) return none
  let parsed: unknown
  try {
    parsed = JSON.parse(decodePayload(payload))
  } catch {
    return none
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return none
  const timeOf = (name: "iat" | "exp"): number | undefined => {
    const value: unknown = Object.hasOwn(parsed, name) ? Reflect.get(parsed, name) : undefined
    return typeof value === "number" && Number.isFinite(value) ? value : undefined
  }
  return { iat: timeOf("iat"), exp: timeOf("exp"), entries: () => Object.entries(parsed) }
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
