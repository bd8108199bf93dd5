/** What sealed cookies and cookies by reference have in common: the slots that are in use now. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Slots from "../../internal/slots.ts"
import { neverInMemoryOnly } from "../../internal/visitor.ts"
import * as TokenStorage from "../../TokenStorage.ts"
import type { Brought } from "./cookies.ts"

/** A visit whose response has not been sent. */
export interface OpenVisit {
  /** What the visitor is given to keep can be given to him. */
  readonly carries: boolean
  /** Something is kept for the visitor that the device cookie leads to. */
  readonly needsDevice: () => void
}

/** What a request's cookie stands for. */
export interface Found {
  /** `undefined`: nobody is signed in. */
  readonly slot: string | undefined
  /** The cookie is good for nothing. */
  readonly clear: boolean
  readonly stamp: Stamp | undefined
}

/** What the cookie of a request held. */
export interface Stamp {
  readonly id: string
  readonly text: string | undefined
  readonly turn: number
  readonly step: number
  readonly sealedAt: number
  /** Made by the first key, in exactly the cookies that it needs. */
  readonly current: boolean
}

/** What becomes of the session cookie. */
export type Outcome =
  | { readonly _tag: "Keep" }
  | { readonly _tag: "Clear" }
  | {
      readonly _tag: "Set"
      readonly value: (cookieName: string) => Promise<string>
      /** There are tokens that the cookie of the request does not lead to. */
      readonly renewed: boolean
    }

export const keep: Outcome = { _tag: "Keep" }
export const clear: Outcome = { _tag: "Clear" }

/** One way of keeping sessions by cookie. */
export interface CookieStore {
  /** Whether the cookie is the session, and not only the way to it. */
  readonly isSealed: boolean
  /** What `Session` uses. */
  readonly storage: TokenStorage.TokenStorage["Service"]
  readonly find: (cookieName: string, brought: Brought) => Effect.Effect<Found>
  /** A slot that nobody has heard of. */
  readonly admit: Effect.Effect<string>
  readonly enter: (slot: string, visit: OpenVisit, found?: Found) => void
  readonly leave: (slot: string, visit: OpenVisit) => void
  /** The visitor has moved to another slot by signing in there: this one's cookie is not cleared, it has been replaced. */
  readonly abandon: (slot: string) => void
  readonly outcome: (slot: string, found: Found) => Outcome
}

/**
 * How things are with a slot: `"empty"` nothing has been stored, `"live"` a session, `"dropped"` the server rejected
 * its refresh token, `"out"` signed out, `"left"` replaced by a sign-in.
 */
export type State = "empty" | "live" | "dropped" | "out" | "left"

export interface Entry {
  readonly slot: string
  id: string
  state: State
  text: string | undefined
  /** How many refresh tokens there have been: of two versions of a session the one with the higher number is later. */
  turn: number
  /** How many writes there have been. */
  step: number
  open: Set<OpenVisit> | undefined
  touchedAt: number
}

const sweepStep = 8

/** Entries, the one touched longest ago first. */
export class Entries {
  private readonly map = new Map<string, Entry>()
  private readonly options: {
    readonly max: number
    readonly graceMillis: number
    readonly now: () => number
    /** Asked before a slot goes that nobody visits; false where it is in use all the same. */
    readonly release: (slot: string) => boolean
  }

  constructor(options: {
    readonly max: number
    readonly graceMillis: number
    readonly now: () => number
    /** Asked before a slot goes that nobody visits; false where it is in use all the same. */
    readonly release: (slot: string) => boolean
  }) {
    this.options = options
  }

  get(slot: string): Entry | undefined {
    return this.map.get(slot)
  }

  get size(): number {
    return this.map.size
  }

  touch(slot: string, id: string): Entry {
    let entry = this.map.get(slot)
    if (entry === undefined) {
      this.sweep()
      entry = { slot, id, state: "empty", text: undefined, turn: 0, step: 0, open: undefined, touchedAt: 0 }
    } else {
      this.map.delete(slot)
    }
    entry.touchedAt = this.options.now()
    this.map.set(slot, entry)
    return entry
  }

  delete(slot: string): void {
    this.map.delete(slot)
  }

  /** One new entry, a bounded amount of work. */
  private sweep(): void {
    const { graceMillis, max, now, release } = this.options
    const at = now()
    let left = sweepStep
    for (const entry of this.map.values()) {
      if (left-- === 0) return
      if (this.map.size < max && at - entry.touchedAt < graceMillis) return
      this.map.delete(entry.slot)
      if (entry.open === undefined && release(entry.slot)) continue
      entry.touchedAt = at
      this.map.set(entry.slot, entry)
    }
  }
}

export const enter = (entry: Entry, visit: OpenVisit): void => {
  ;(entry.open ??= new Set()).add(visit)
}

/** Whether nobody is there any more. */
export const leave = (entry: Entry, visit: OpenVisit): boolean => {
  entry.open?.delete(visit)
  if (entry.open?.size === 0) entry.open = undefined
  return entry.open === undefined
}

/** Fails what is stored outside of a visit: it would be everybody's. */
export const outsideOfVisit = (
  operation: TokenStorage.TokenStorageError["operation"],
  slot: string
): TokenStorage.TokenStorageError =>
  new TokenStorage.TokenStorageError({
    operation,
    slot,
    cause: new Error(
      "sessions are kept in visitors' cookies: run this inside a visit (the middleware, or CookieSession.visit)"
    )
  })

/** Slots that changed without this process's `Session` doing it. */
export const makeAnnouncer = () => {
  const listeners = new Set<(slot: string) => void>()
  return {
    announce: (slot: string): void => {
      for (const listener of listeners) listener(slot)
    },
    changes: Stream.callback<string>((queue) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const listener = (slot: string) => void Queue.offerUnsafe(queue, slot)
          listeners.add(listener)
          return listener
        }),
        (listener) => Effect.sync(() => listeners.delete(listener))
      )
    )
  }
}

/** Makes what this process remembers of a slot follow what a cookie or the storage says. */
export const makeSync = (
  storage: TokenStorage.TokenStorage["Service"],
  announce: (slot: string) => void,
  options: { readonly now: () => number; readonly graceMillis: number; readonly maxSessions: number }
) => {
  const { graceMillis, maxSessions, now } = options
  neverInMemoryOnly(storage)
  const registry = Slots.registryOf(storage)
  registry.configure({ maxIdle: maxSessions, idleTimeToLive: graceMillis })
  return {
    registry,
    sync: (slot: string, text: string | undefined): void => {
      const known = registry.peek(slot)
      if (known === undefined || !known.loaded || known.unsaved || known.encoded === text) return
      if (!registry.forget(slot, now())) announce(slot)
    }
  }
}
