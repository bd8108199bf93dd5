/**
 * The envelope that a storage keeps. The provider marker and the device travel with the tokens, because refresh and
 * logout need the very ones that the sign-in used. Tokens are plain strings here: this record never leaves `internal`
 * but as `SessionInfo` and `Redacted` tokens.
 */
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as DeviceMetadata from "../DeviceMetadata.ts"
import { lifetimeOf, readClaims } from "./jwt.ts"

const version = 1

const maxEnvelopeLength = 65_536

const StoredSessionJson = Schema.fromJsonString(
  Schema.Struct({
    version: Schema.Literal(version),
    marker: Schema.NonEmptyString,
    /** Empty after a refresh token was adopted alone. */
    accessToken: Schema.String,
    refreshToken: Schema.NonEmptyString,
    device: Schema.Struct({ fingerprint: Schema.String, deviceInfo: DeviceMetadata.DeviceInfo }),
    /** When the pair came, by the clock of the device that received it, in milliseconds. */
    receivedAt: Schema.Finite,
    /** `exp - iat` in milliseconds; `null`: the token does not say. */
    lifetime: Schema.NullOr(Schema.Finite),
    /** The server's clock minus the device's, in milliseconds. */
    clockOffset: Schema.Finite,
    userIdentifier: Schema.optionalKey(Schema.String),
    /** An exchange of this refresh token was begun then, and its answer has not been seen: the token is in doubt. */
    exchangeStartedAt: Schema.optionalKey(Schema.Finite),
    /** The server rejected this refresh token: it is never sent again. */
    rejected: Schema.optionalKey(Schema.Literal(true))
  })
)

/** One stored session. */
export type StoredSession = (typeof StoredSessionJson)["Type"]

const decodeExit = Schema.decodeUnknownExit(StoredSessionJson)

const isNewer = (text: string): boolean => {
  const match = /"version"\s*:\s*(\d{1,9})/.exec(text)
  return match !== null && Number(match[1]) > version
}

/** What a stored string is. A newer envelope belongs to a newer version of this package: it is left alone. */
export type Decoded =
  | { readonly _tag: "Session"; readonly session: StoredSession }
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Newer" }
  | { readonly _tag: "Unreadable" }

const absent: Decoded = { _tag: "Absent" }
const newer: Decoded = { _tag: "Newer" }
const unreadable: Decoded = { _tag: "Unreadable" }

/** Decodes an envelope. */
export const decode = (text: string | undefined): Decoded => {
  if (text === undefined) return absent
  if (text.length > maxEnvelopeLength) return unreadable
  const exit = decodeExit(text)
  if (Exit.isSuccess(exit)) return { _tag: "Session", session: exit.value }
  return isNewer(text) ? newer : unreadable
}

/** Encodes an envelope, the version first, so that a later one is recognised cheaply. */
export const encode = (session: StoredSession): string => JSON.stringify(session)

/** What a decoded answer of `auth`, `oauth` or `refresh` holds. */
export interface Pair {
  readonly userIdentifier: string | undefined
  readonly accessToken: string
  readonly refreshToken: string
}

/** Makes the session of a pair that was asked for at `sentAt` and came at `receivedAt`. */
export const fromPair = (options: {
  readonly pair: Pair
  readonly marker: string
  readonly device: DeviceMetadata.Metadata
  readonly sentAt: number
  readonly receivedAt: number
  /** The `Date` header of the answer, in milliseconds. */
  readonly serverDate: number | undefined
}): StoredSession => {
  const claims = readClaims(options.pair.accessToken)
  // The token was issued while the request was under way: half-way is the best guess.
  const middle = (options.sentAt + options.receivedAt) / 2
  // `iat` has whole seconds, cut off: half a second is the best guess for the rest.
  const serverTime = claims.iat === undefined ? options.serverDate : claims.iat * 1000 + 500
  return {
    version,
    marker: options.marker,
    accessToken: options.pair.accessToken,
    refreshToken: options.pair.refreshToken,
    device: {
      fingerprint: Redacted.value(options.device.fingerprint),
      deviceInfo: options.device.deviceInfo
    },
    receivedAt: options.receivedAt,
    lifetime: lifetimeOf(claims),
    clockOffset: serverTime === undefined ? 0 : Math.round(serverTime - middle),
    ...(options.pair.userIdentifier === undefined ? {} : { userIdentifier: options.pair.userIdentifier })
  }
}

/** The device of a session, as the header wants it. */
export const deviceOf = (session: StoredSession): DeviceMetadata.Metadata => ({
  fingerprint: Redacted.make(session.device.fingerprint, { label: "fingerprint" }),
  deviceInfo: session.device.deviceInfo
})

/** Clocks that disagree by less than this are called equal. */
const tolerance = 60_000

/** Where an access token stands: good, within the margin, past its end, or written by a clock that ran backward. */
export type Freshness = "fresh" | "due" | "expired" | "distrusted"

/**
 * How fresh the access token is. The server's `exp` is never compared with this device's clock: life is counted from
 * receipt. `clockOffset` is this process's own estimate, for an envelope that another machine wrote.
 */
export const freshness = (
  session: StoredSession,
  now: number,
  marginMillis: number,
  clockOffset: number = session.clockOffset
): Freshness => {
  if (session.accessToken === "") return "expired"
  if (session.lifetime === null) return "fresh"
  const elapsed = now + clockOffset - (session.receivedAt + session.clockOffset)
  if (elapsed < -tolerance) return "distrusted"
  if (elapsed >= session.lifetime) return "expired"
  return elapsed >= session.lifetime - Math.min(marginMillis, session.lifetime / 10) ? "due" : "fresh"
}

/** When the access token ends by this device's clock; `undefined`: it does not say. */
export const endsAt = (session: StoredSession): number | undefined =>
  session.lifetime === null || session.accessToken === "" ? undefined : session.receivedAt + session.lifetime
