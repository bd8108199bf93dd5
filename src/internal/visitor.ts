/**
 * Somebody whose session is found by a cookie. `Session.CurrentSlot` holds a visitor for the time of a request: the
 * slot is not fixed then, because each sign-in moves to one that nobody has known before.
 */
import type * as Effect from "effect/Effect"
import type * as TokenStorage from "../TokenStorage.ts"

export interface Visitor {
  /** Where the visitor's session is now. */
  readonly slot: string
  /** What a refresh brings could not be handed to the visitor: nothing is refreshed. */
  readonly readOnly: boolean
  /** A new slot for a sign-in; fails where no cookie can be set any more. */
  readonly admit: Effect.Effect<string, TokenStorage.TokenStorageError>
  /** The session is stored in the slot: the visitor goes on there. Returns the slot of the session left behind, if any. */
  readonly moveTo: (slot: string) => string | undefined
}

/** The slot's name that a reference holds. */
export const slotName = (current: string | Visitor | undefined): string | undefined =>
  typeof current === "object" ? current.slot : current

const cookieStorages = new WeakSet<TokenStorage.TokenStorage["Service"]>()

/** Says of a storage that a session it cannot store is out of reach for the next request: a sign-in fails then. */
export const neverInMemoryOnly = (storage: TokenStorage.TokenStorage["Service"]): void => {
  cookieStorages.add(storage)
}

/** Whether a sign-in that cannot be stored may live in memory. */
export const mayBeInMemoryOnly = (storage: TokenStorage.TokenStorage["Service"]): boolean =>
  !cookieStorages.has(storage)
