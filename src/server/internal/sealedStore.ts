/**
 * Sessions that are in the cookies themselves. What has been read from a cookie, or written since, stays here for a
 * grace time: see the comment of `CookieSession`.
 */
import * as Effect from "effect/Effect"
import * as Stored from "../../internal/storedSession.ts"
import * as TokenStorage from "../../TokenStorage.ts"
import * as Store from "./cookieStore.ts"
import type { Keyring } from "./keyring.ts"
import * as SlotNames from "./slotNames.ts"

/** A change that no response can carry to the visitor any more. */
export interface Late {
  readonly slot: string
  readonly change: "Refreshed" | "SignedOut"
}

const idBytes = 16

/** Five parts, the envelope last: it may hold anything. */
const encode = (entry: Store.Entry, sealedAt: number): string =>
  `${entry.id}.${entry.turn.toString(36)}.${entry.step.toString(36)}.${sealedAt.toString(36)}.${entry.text ?? ""}`

const decode = (text: string, current: boolean): Store.Stamp | undefined => {
  const match = /^([A-Za-z0-9_-]{22})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.(?=\{)/.exec(text)
  if (match === null) return undefined
  const [whole, id = "", turn = "", step = "", sealedAt = ""] = match
  return {
    id,
    turn: Number.parseInt(turn, 36),
    step: Number.parseInt(step, 36),
    sealedAt: Number.parseInt(sealedAt, 36),
    text: text.slice(whole.length),
    current
  }
}

/** The most that stands before an envelope. */
const maxPrefix = 60

const refreshTokenOf = (text: string | undefined): string | undefined => {
  const decoded = Stored.decode(text)
  return decoded._tag === "Session" ? decoded.session.refreshToken : undefined
}

const encoder = new TextEncoder()

export const make = (options: {
  readonly keyring: Keyring
  readonly now: () => number
  readonly maxAgeMillis: number
  readonly graceMillis: number
  readonly maxSessions: number
  readonly maxValueLength: number
  readonly onLate: (late: Late) => void
}): Store.CookieStore => {
  const { keyring, maxAgeMillis, now } = options
  const { announce, changes } = Store.makeAnnouncer()
  const entries = new Store.Entries({
    max: options.maxSessions,
    graceMillis: options.graceMillis,
    now,
    // A refresh that its visitor did not wait for has yet to be stored here.
    release: (slot) => registry.forget(slot, now())
  })

  const tooLong = (value: string | undefined): number | undefined => {
    if (value === undefined) return undefined
    const length = keyring.sealedLength(maxPrefix + encoder.encode(value).length)
    return length > options.maxValueLength ? length : undefined
  }

  const write = (slot: string, value: string | undefined, gone: Store.State): void => {
    const entry = entries.touch(slot, slot.slice(slot.indexOf("~") + 1))
    const before = refreshTokenOf(entry.text)
    const after = refreshTokenOf(value)
    const wasLive = entry.state === "live"
    entry.text = value
    entry.step++
    if (before !== after) entry.turn++
    if (value !== undefined) entry.state = "live"
    else if (entry.state !== "left") entry.state = gone
    // Marks of a session that goes on are of no interest to anybody; neither are things kept beside it.
    if (SlotNames.ownerOf(slot) !== slot || !wasLive || before === after || entry.state === "left") return
    for (const visit of entry.open ?? []) if (visit.carries) return
    options.onLate({ slot, change: value === undefined ? "SignedOut" : "Refreshed" })
  }

  const checked = (
    operation: "set" | "compareAndSet",
    slot: string,
    value: string | undefined,
    run: () => boolean
  ): Effect.Effect<boolean, TokenStorage.TokenStorageError> =>
    Effect.suspend(() => {
      const owner = SlotNames.ownerOf(slot)
      if (owner === undefined) return Effect.fail(Store.outsideOfVisit(operation, slot))
      const length = tooLong(value)
      if (length !== undefined) {
        return Effect.fail(
          new TokenStorage.TokenStorageError({
            operation,
            slot,
            cause: new Error(
              `sealed, the session has ${length} bytes, and cookies hold ${options.maxValueLength}: use CookieSession.layerReference`
            )
          })
        )
      }
      if (owner !== slot) for (const visit of entries.get(owner)?.open ?? []) visit.needsDevice()
      return Effect.succeed(run())
    })

  const storage = TokenStorage.TokenStorage.of({
    get: (slot) => Effect.sync(() => entries.get(slot)?.text),
    set: (slot, value) =>
      Effect.asVoid(
        checked("set", slot, value, () => {
          write(slot, value, "out")
          return true
        })
      ),
    remove: (slot) =>
      Effect.sync(() => {
        // What has never been here needs no tombstone.
        if (entries.get(slot) !== undefined) write(slot, undefined, "out")
      }),
    compareAndSet: (slot, expected, next) =>
      checked("compareAndSet", slot, next, () => {
        if (entries.get(slot)?.text !== expected) return false
        if (next !== undefined || expected !== undefined) write(slot, next, "dropped")
        return true
      }),
    changes,
    atomic: true
  })

  const { registry, sync } = Store.makeSync(storage, announce, options)

  /** Of what the cookie says and what this process knows, the later. */
  const merge = (stamp: Store.Stamp): Store.Entry => {
    const entry = entries.touch(SlotNames.sessionSlot(stamp.id), stamp.id)
    const later = stamp.turn > entry.turn || (stamp.turn === entry.turn && stamp.step > entry.step)
    // After a rejection only another refresh token is news; after a sign-out nothing is.
    const news =
      entry.state === "empty" ||
      (entry.state === "live" && later) ||
      (entry.state === "dropped" && stamp.turn >= entry.turn)
    if (news) {
      entry.text = stamp.text
      entry.turn = stamp.turn
      entry.step = stamp.step
      entry.state = "live"
      sync(entry.slot, entry.text)
    }
    return entry
  }

  const nobody: Store.Found = { slot: undefined, clear: false, stamp: undefined }
  const useless: Store.Found = { slot: undefined, clear: true, stamp: undefined }

  return {
    isSealed: true,
    storage,
    find: (cookieName, brought) =>
      Effect.suspend(() => {
        if (brought.names.length === 0) return Effect.succeed(nobody)
        const { value } = brought
        if (value === undefined) return Effect.succeed(useless)
        return Effect.map(
          Effect.promise(() => keyring.open(cookieName, value)),
          (opened): Store.Found => {
            const stamp = opened === undefined ? undefined : decode(opened.text, opened.current && brought.exact)
            if (stamp === undefined || now() - stamp.sealedAt >= maxAgeMillis) return useless
            const decoded = Stored.decode(stamp.text)
            // A newer version of this package made it, and will read it again.
            if (decoded._tag === "Newer") return nobody
            if (decoded._tag !== "Session") return useless
            const entry = merge(stamp)
            if (entry.state === "live") return { slot: entry.slot, clear: false, stamp }
            return entry.state === "left" ? nobody : useless
          }
        )
      }),
    admit: Effect.sync(() => {
      const id = keyring.random(idBytes)
      const slot = SlotNames.sessionSlot(id)
      entries.touch(slot, id)
      return slot
    }),
    enter: (slot, visit) => Store.enter(entries.touch(slot, slot.slice(slot.indexOf("~") + 1)), visit),
    leave: (slot, visit) => {
      const entry = entries.get(slot)
      if (entry !== undefined && Store.leave(entry, visit) && entry.state === "empty") {
        entries.delete(slot)
        registry.forget(slot, now())
      }
    },
    abandon: (slot) => {
      const entry = entries.get(slot)
      if (entry !== undefined && SlotNames.isSessionSlot(slot)) entry.state = "left"
    },
    outcome: (slot, found) => {
      const entry = entries.get(slot)
      if (entry === undefined || !SlotNames.isSessionSlot(slot)) return found.clear ? Store.clear : Store.keep
      if (entry.state === "left") return Store.keep
      if (entry.state !== "live") return Store.clear
      const { stamp } = found
      if (
        found.slot === slot &&
        stamp !== undefined &&
        stamp.current &&
        stamp.turn === entry.turn &&
        stamp.step === entry.step &&
        now() - stamp.sealedAt < maxAgeMillis / 2
      )
        return Store.keep
      // As it is now: what comes later finds no carrier.
      const text = encode(entry, now())
      return {
        _tag: "Set",
        value: (name) => keyring.seal(name, text),
        renewed: found.slot !== slot || stamp?.turn !== entry.turn
      }
    }
  }
}
