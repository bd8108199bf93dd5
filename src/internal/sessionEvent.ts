/** The types of a session that its parts share; `Session` shows them to the world. */
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import type * as AuthError from "../AuthError.ts"
import type * as OneEntryError from "../OneEntryError.ts"
import type * as SessionLock from "../SessionLock.ts"
import type * as TokenStorage from "../TokenStorage.ts"
import type { StoredSession } from "./storedSession.ts"

export interface SessionInfo {
  readonly slot: string
  readonly marker: string
  readonly userIdentifier?: string
  readonly accessTokenEndsAt?: DateTime.Utc
  readonly unverifiedClaims: ReadonlyMap<string, unknown>
}

export type SignedOutReason = "Rejected" | "Ambiguous" | "SignOut" | "PasswordChanged" | "Elsewhere"

export type SessionEvent =
  | { readonly _tag: "State"; readonly session: Option.Option<SessionInfo> }
  | { readonly _tag: "SignedIn"; readonly session: SessionInfo }
  | { readonly _tag: "Refreshed"; readonly session: SessionInfo }
  | { readonly _tag: "RefreshRejected"; readonly session: SessionInfo }
  | { readonly _tag: "SignedOut"; readonly reason: SignedOutReason }
  | { readonly _tag: "StorageDegraded"; readonly error: TokenStorage.TokenStorageError }

/** An event as it is made: what listeners see of its session is worked out where somebody listens. */
export type SlotEvent =
  | { readonly _tag: "SignedIn" | "Refreshed" | "RefreshRejected"; readonly session: StoredSession }
  | Extract<SessionEvent, { readonly _tag: "SignedOut" | "StorageDegraded" }>

export type RefreshError =
  | AuthError.TokenExpired
  | AuthError.NotAuthenticated
  | TokenStorage.TokenStorageError
  | SessionLock.SessionLockError
  | OneEntryError.OneEntryError
