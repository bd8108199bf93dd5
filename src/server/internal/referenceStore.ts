/**
 * Sessions in a `TokenStorage`, and in the cookie a random id that leads there. The slot is named by a hash of the id,
 * so that neither the storage nor an error nor a log shows what would sign somebody in.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as Stored from "../../internal/storedSession.ts"
import * as TokenStorage from "../../TokenStorage.ts"
import * as Store from "./cookieStore.ts"
import type { Keyring } from "./keyring.ts"
import * as SlotNames from "./slotNames.ts"

const idBytes = 32

export const make = (options: {
  readonly inner: TokenStorage.TokenStorage["Service"]
  readonly keyring: Keyring
  readonly now: () => number
  readonly graceMillis: number
  readonly maxSessions: number
}): Store.CookieStore => {
  const { inner, keyring, now } = options
  const { announce, changes } = Store.makeAnnouncer()
  // Only what is in use now, and for a while what has been replaced.
  const entries = new Store.Entries({
    max: options.maxSessions,
    graceMillis: options.graceMillis,
    now,
    release: () => true
  })

  const note = (slot: string, text: string | undefined): void => {
    const entry = entries.get(slot)
    if (entry === undefined || entry.state === "left") return
    entry.text = text
    entry.state = text === undefined ? "out" : "live"
  }

  const inVisit = <A>(
    operation: "set" | "compareAndSet",
    slot: string,
    run: () => Effect.Effect<A, TokenStorage.TokenStorageError>
  ): Effect.Effect<A, TokenStorage.TokenStorageError> =>
    Effect.suspend(() => {
      const owner = SlotNames.ownerOf(slot)
      if (owner === undefined) return Effect.fail(Store.outsideOfVisit(operation, slot))
      if (owner !== slot) for (const visit of entries.get(owner)?.open ?? []) visit.needsDevice()
      return run()
    })

  const storage = TokenStorage.TokenStorage.of({
    get: (slot) => (SlotNames.ownerOf(slot) === undefined ? Effect.undefined : inner.get(slot)),
    set: (slot, value) => inVisit("set", slot, () => Effect.map(inner.set(slot, value), () => note(slot, value))),
    remove: (slot) =>
      SlotNames.ownerOf(slot) === undefined ? Effect.void : Effect.map(inner.remove(slot), () => note(slot, undefined)),
    compareAndSet: (slot, expected, next) =>
      inVisit("compareAndSet", slot, () =>
        Effect.map(inner.compareAndSet(slot, expected, next), (written) => {
          if (written) note(slot, next)
          return written
        })
      ),
    changes: Stream.merge(inner.changes, changes),
    atomic: inner.atomic
  })

  const { registry, sync } = Store.makeSync(storage, announce, options)

  const slotOf = (id: string) =>
    Effect.map(
      Effect.promise(() => keyring.hash(`session ${id}`)),
      SlotNames.sessionSlot
    )

  const nobody: Store.Found = { slot: undefined, clear: false, stamp: undefined }
  const useless: Store.Found = { slot: undefined, clear: true, stamp: undefined }

  return {
    isSealed: false,
    storage,
    find: (_, brought) =>
      Effect.gen(function* () {
        if (brought.names.length === 0) return nobody
        const id = brought.value
        if (id === undefined || !/^[A-Za-z0-9_-]{43}$/.test(id)) return useless
        const slot = yield* slotOf(id)
        if (entries.get(slot)?.state === "left") return nobody
        const found = (text: string | undefined): Store.Found => ({
          slot,
          clear: false,
          stamp: { id, text, turn: 0, step: 0, sealedAt: 0, current: brought.exact }
        })
        const known = registry.peek(slot)
        // What only this process has, because the storage is out of reach, is a session all the same.
        if (known?.unsaved === true && known.session !== undefined) return found(known.encoded)
        const stored = yield* Effect.exit(inner.get(slot))
        // A storage that fails has not said that nobody is there.
        if (Exit.isFailure(stored)) return found(known?.encoded)
        sync(slot, stored.value)
        const decoded = Stored.decode(stored.value)
        if (decoded._tag === "Newer") return nobody
        return decoded._tag === "Session" ? found(stored.value) : useless
      }),
    admit: Effect.gen(function* () {
      const id = keyring.random(idBytes)
      const slot = yield* slotOf(id)
      entries.touch(slot, id)
      return slot
    }),
    enter: (slot, visit, found) => {
      const id = found?.stamp?.id ?? entries.get(slot)?.id ?? ""
      const entry = entries.touch(slot, id)
      if (found?.slot === slot && entry.state === "empty") {
        entry.state = "live"
        entry.text = found.stamp?.text
      }
      Store.enter(entry, visit)
    },
    leave: (slot, visit) => {
      const entry = entries.get(slot)
      if (entry === undefined || !Store.leave(entry, visit) || entry.state === "left") return
      entries.delete(slot)
      if (entry.state !== "live") registry.forget(slot, now())
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
      // A new pair of tokens is a sign of life: the cookie's time begins anew.
      if (found.slot === slot && stamp !== undefined && stamp.current && stamp.text === entry.text) return Store.keep
      const { id } = entry
      return { _tag: "Set", value: () => Promise.resolve(id), renewed: found.slot !== slot }
    }
  }
}
