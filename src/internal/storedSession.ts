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
import { parseJson } from "./wire.ts"

const version = 1

const maxEnvelopeLength = 65_536

const NotEmpty = Schema.String.check(Schema.makeFilter((text: string) => text !== "" || "a text"))

const Envelope = Schema.Struct({
  version: Schema.Literal(version),
  marker: NotEmpty,
  /** Empty after a refresh token was adopted alone. */
  accessToken: Schema.String,
  refreshToken: NotEmpty,
  device: Schema.Struct({ fingerprint: Schema.String, deviceInfo: DeviceMetadata.DeviceInfo }),
  /** When the pair came, by the clock of the device that received it, in milliseconds. */
  receivedAt: Schema.Finite,
  /** `exp - iat` in milliseconds; `null`: the token does not say. */
  lifetime: Schema.NullOr(Schema.Finite),
  /** The server's clock minus the device's when the pair came, in milliseconds; `null`: nothing is known of it. */
  clockOffset: Schema.NullOr(Schema.Finite),
  userIdentifier: Schema.optionalKey(Schema.String),
  /** An exchange of this refresh token was begun then, and its answer has not been seen: the token is in doubt. */
  exchangeStartedAt: Schema.optionalKey(Schema.Finite),
  /** The server rejected this refresh token: it is never sent again. */
  rejected: Schema.optionalKey(Schema.Literal(true))
})

/** One stored session. */
export type StoredSession = (typeof Envelope)["Type"]

/** The device of a session, with its fingerprint in plain. */
export type Device = StoredSession["device"]

const decodeExit = Schema.decodeUnknownExit(Envelope)

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
  const exit = decodeExit(parseJson(text))
  if (Exit.isSuccess(exit)) return { _tag: "Session", session: compact(exit.value) }
  return isNewer(text) ? newer : unreadable
}

/** The same in one literal, which takes half of the memory of an object that grew key by key. */
const compact = (session: StoredSession): StoredSession => {
  const { accessToken, clockOffset, device, exchangeStartedAt, lifetime, marker, receivedAt, refreshToken } = session
  const { rejected, userIdentifier } = session
  if (userIdentifier === undefined || exchangeStartedAt !== undefined || rejected !== undefined) return session
  const { browser, location, os } = device.deviceInfo
  return {
    version,
    marker,
    accessToken,
    refreshToken,
    device: { fingerprint: device.fingerprint, deviceInfo: { os, browser, location } },
    receivedAt,
    lifetime,
    clockOffset,
    userIdentifier
  }
}

/** Encodes an envelope, the version first, so that a later one is recognised cheaply. */
export const encode = (session: StoredSession): string => JSON.stringify(session)

/** Whether a stored string is a session with this refresh token. */
export const holds = (text: string | undefined, refreshToken: string | undefined): boolean => {
  if (refreshToken === undefined) return false
  const decoded = decode(text)
  return decoded._tag === "Session" && decoded.session.refreshToken === refreshToken
}

/** The same session with a refresh token that is never sent again. */
export const buried = (session: StoredSession): StoredSession => ({ ...session, rejected: true })

/** What a decoded answer of `auth`, `oauth` or `refresh` holds. */
export interface Pair {
  readonly userIdentifier: string | undefined
  readonly accessToken: string
  readonly refreshToken: string
}

/** An exchange that took longer says little of when the server answered: the device may have slept. */
const maxExchangeMillis = 60_000

/** Makes the session of a pair that was asked for at `sentAt` and came at `receivedAt`. */
export const fromPair = (options: {
  readonly pair: Pair
  readonly marker: string
  readonly device: Device
  readonly sentAt: number
  readonly receivedAt: number
  /** The `Date` header of the answer, in milliseconds. */
  readonly serverDate: number | undefined
  /** The tokens come from elsewhere and are of any age: they say nothing of this device's clock. */
  readonly adopted?: boolean | undefined
}): StoredSession => {
  const { adopted = false, device, marker, pair, receivedAt, sentAt, serverDate } = options
  const claims = readClaims(pair.accessToken)
  // `iat` has whole seconds, cut off: half a second is the best guess for the rest.
  const serverTime = claims.iat === undefined ? serverDate : claims.iat * 1000 + 500
  // The token was issued while the request was under way: half-way is the best guess.
  const offset = serverTime === undefined ? Number.NaN : Math.round(serverTime - (sentAt + receivedAt) / 2)
  const took = receivedAt - sentAt
  return {
    version,
    marker,
    accessToken: pair.accessToken,
    refreshToken: pair.refreshToken,
    device,
    receivedAt,
    lifetime: lifetimeOf(claims, serverDate),
    clockOffset: !adopted && Number.isFinite(offset) && took >= 0 && took <= maxExchangeMillis ? offset : null,
    ...(pair.userIdentifier === undefined ? {} : { userIdentifier: pair.userIdentifier })
  }
}

/** Makes the session of tokens that came from elsewhere. */
export const fromElsewhere = (pair: Pair, marker: string, device: Device, at: number): StoredSession =>
  fromPair({ pair, marker, device, sentAt: at, receivedAt: at, serverDate: undefined, adopted: true })

/** Whether two sessions are one person's, as far as they say who that is. */
export const sameOwner = (one: StoredSession, other: StoredSession): boolean =>
  one.marker === other.marker &&
  (one.userIdentifier === undefined ||
    other.userIdentifier === undefined ||
    one.userIdentifier === other.userIdentifier)

/** The same session with what is known of its refresh token. */
export const withDoubt = (
  session: StoredSession,
  known: { readonly exchangeStartedAt: number | undefined; readonly rejected: boolean }
): StoredSession => {
  const { exchangeStartedAt: _, rejected: __, ...rest } = session
  return {
    ...rest,
    ...(known.exchangeStartedAt === undefined ? {} : { exchangeStartedAt: known.exchangeStartedAt }),
    ...(known.rejected ? { rejected: true } : {})
  }
}

/** A device as a session keeps it. */
export const toDevice = ({ deviceInfo, fingerprint }: DeviceMetadata.Metadata): Device => ({
  fingerprint: Redacted.value(fingerprint),
  deviceInfo
})

/** Clocks that disagree by less than this are called equal. */
const tolerance = 60_000

/** Where an access token stands: good, within the margin, past its end, or written by a clock that ran backward. */
export type Freshness = "fresh" | "due" | "expired" | "distrusted"

/** This device's present estimate of the server's clock, if it has one. */
export type ClockOffset = number | null

/**
 * How long the token has been here. The server's `exp` is never compared with this device's clock: life is counted from
 * receipt. Where the server's clock is known both then and now, a device's clock that was set in between, or another
 * device's that wrote the envelope, makes no difference.
 */
const elapsedOf = (session: StoredSession, now: number, clockOffset: ClockOffset): number =>
  clockOffset === null || session.clockOffset === null
    ? now - session.receivedAt
    : now + clockOffset - (session.receivedAt + session.clockOffset)

const marginOf = (lifetime: number, marginMillis: number): number => Math.min(marginMillis, lifetime / 10)

/** How fresh the access token is. */
export const freshness = (
  session: StoredSession,
  now: number,
  marginMillis: number,
  clockOffset: ClockOffset
): Freshness => {
  if (session.accessToken === "") return "expired"
  const { lifetime } = session
  if (lifetime === null) return "fresh"
  const elapsed = elapsedOf(session, now, clockOffset)
  if (elapsed < -tolerance) return "distrusted"
  if (elapsed >= lifetime) return "expired"
  return elapsed >= lifetime - marginOf(lifetime, marginMillis) ? "due" : "fresh"
}

/** In how many milliseconds the access token is due, and ends; `undefined`: it does not say. */
export const remaining = (
  session: StoredSession,
  now: number,
  marginMillis: number,
  clockOffset: ClockOffset
): { readonly due: number; readonly end: number } | undefined => {
  const { lifetime } = session
  if (lifetime === null || session.accessToken === "") return undefined
  const end = lifetime - elapsedOf(session, now, clockOffset)
  return { due: end - marginOf(lifetime, marginMillis), end }
}

/** When the access token ends by this device's clock; `undefined`: it does not say. */
export const endsAt = (session: StoredSession): number | undefined =>
  session.lifetime === null || session.accessToken === "" ? undefined : session.receivedAt + session.lifetime
