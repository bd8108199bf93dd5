/**
 * What this process knows of a slot, and what the storage holds: reading, comparing, writing. Memory goes first at a
 * sign-out, the storage goes first everywhere else; a storage that fails leaves what is in memory.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as TokenStorage from "../TokenStorage.ts"
import type { GuardedLock } from "./guardedLock.ts"
import type { GuardedStorage } from "./guardedStorage.ts"
import { readClaims } from "./jwt.ts"
import * as KeyedMutex from "./keyedMutex.ts"
import type { Observer } from "./observer.ts"
import type { SessionInfo, SignedOutReason, SlotEvent } from "./sessionEvent.ts"
import * as Slots from "./slots.ts"
import * as Stored from "./storedSession.ts"

/** What became of a write that expects the storage to be as it was. */
export type Replaced =
  /** Written, or kept in memory because the storage cannot be written. */
  | "held"
  /** Somebody else wrote another session, or removed it: that is what this process goes on with. */
  | "changed"
  /** Somebody in this process signed in or out meanwhile. */
  | "superseded"

/** The pauses between attempts to write what could not be written, and how many there are: about a minute. */
const savePause = { shortest: 100, longest: 5_000, attempts: 16 }

/** How many browsers are remembered. */
const maxInfos = 256

/** How often a write compares anew because the same session was touched by somebody else in between. */
const maxComparisons = 4

export interface SlotStore {
  readonly storage: GuardedStorage
  /** The estimate of the server's clock. */
  readonly clockOffset: () => Stored.ClockOffset
  readonly infoOf: (slot: Slots.Slot, session: Stored.StoredSession) => SessionInfo
  /** Reads the storage, unless a session is in memory. */
  readonly load: (slot: Slots.Slot) => Effect.Effect<void, TokenStorage.TokenStorageError>
  /** Reads the storage again and takes over what it holds. Returns what listeners should hear. */
  readonly look: (slot: Slots.Slot) => Effect.Effect<ReadonlyArray<SlotEvent>, TokenStorage.TokenStorageError>
  /** Looks at a slot that somebody else changed, as soon as this process is not busy with it. */
  readonly lookOutside: (slot: Slots.Slot) => Effect.Effect<void>
  /** To be run when this process was busy with a slot. */
  readonly settle: (slot: Slots.Slot) => Effect.Effect<void>
  readonly emitAll: (slot: Slots.Slot, events: ReadonlyArray<SlotEvent>) => void
  readonly setSession: (slot: Slots.Slot, session: Stored.StoredSession | undefined) => void
  /** The server's clock as the answer of an exchange showed it. */
  readonly learnClock: (session: Stored.StoredSession) => void
  /** Replaces the session `from` if the storage still holds it; goes on in memory if it cannot be written. */
  readonly replace: (
    slot: Slots.Slot,
    generation: number,
    from: Stored.StoredSession,
    next: Stored.StoredSession | undefined,
    events: Array<SlotEvent>
  ) => Effect.Effect<Replaced>
  /** Takes a session out of the storage whose refresh token is spent, so that no other process sends it again. */
  readonly withdraw: (slot: Slots.Slot, session: Stored.StoredSession) => Effect.Effect<void>
  /** Stores a session in place of the one that was there; `generation` where it has been bumped already. */
  readonly signIn: (
    slot: Slots.Slot,
    next: Stored.StoredSession,
    generation?: number
  ) => Effect.Effect<void, TokenStorage.TokenStorageError>
  /** Forgets the session of a slot, and returns what the storage had of it. */
  readonly signOut: (
    slot: Slots.Slot,
    reason: SignedOutReason
  ) => Effect.Effect<Stored.StoredSession | undefined, TokenStorage.TokenStorageError>
}

export const make = (options: {
  readonly storage: GuardedStorage
  readonly lock: GuardedLock
  readonly scope: Scope.Scope
  readonly observer: Observer | undefined
  /** Whether a sign-in that cannot be stored is worth anything. */
  readonly mayBeInMemoryOnly: boolean
}): SlotStore => {
  const { lock, scope, storage } = options
  let clockOffset: Stored.ClockOffset = null

  const infoOf = (slot: Slots.Slot, session: Stored.StoredSession): SessionInfo => {
    const endsAt = Option.flatMap(Option.fromUndefinedOr(Stored.endsAt(session)), DateTime.make)
    return {
      slot: slot.name,
      marker: session.marker,
      ...(session.userIdentifier === undefined ? {} : { userIdentifier: session.userIdentifier }),
      ...(Option.isNone(endsAt) ? {} : { accessTokenEndsAt: DateTime.toUtc(endsAt.value) }),
      unverifiedClaims: new Map(readClaims(session.accessToken).entries())
    }
  }

  const setSession = (slot: Slots.Slot, session: Stored.StoredSession | undefined): void => {
    const before = slot.session
    if (before?.accessToken !== session?.accessToken) slot.refused = undefined
    if (before?.refreshToken !== session?.refreshToken) slot.cooldown = undefined
    if (before !== undefined && session === undefined) slot.device = before.device
    slot.session = session
    slot.loaded = true
  }

  const emitAll: SlotStore["emitAll"] = (slot, events) => {
    for (const event of events) {
      options.observer?.event(event)
      Slots.emit(slot, event)
    }
  }

  const learnClock = (session: Stored.StoredSession): void => {
    if (session.clockOffset !== null) clockOffset = session.clockOffset
  }

  // Many people have the same browser: what their sessions say of it is kept once.
  const infos = new Map<string, Stored.Device["deviceInfo"]>()
  const sharing = (session: Stored.StoredSession): Stored.StoredSession => {
    const { deviceInfo, fingerprint } = session.device
    const key = JSON.stringify(deviceInfo)
    const known = infos.get(key)
    if (known !== undefined) return { ...session, device: { fingerprint, deviceInfo: known } }
    if (infos.size === maxInfos) infos.clear()
    infos.set(key, deviceInfo)
    return session
  }

  /** What the storage holds, as this process has just seen or written it. */
  const know = (slot: Slots.Slot, encoded: string | undefined, session?: Stored.StoredSession): void => {
    slot.keep(encoded, session)
    slot.reads++
  }

  // ---------------------------------------------------------------------------
  // reading
  // ---------------------------------------------------------------------------

  const eventsOf = (
    slot: Slots.Slot,
    before: Stored.StoredSession | undefined,
    after: Stored.StoredSession | undefined
  ): ReadonlyArray<SlotEvent> => {
    if (after === undefined) return before === undefined ? [] : [{ _tag: "SignedOut", reason: "Elsewhere" }]
    if (before === undefined || !Stored.sameOwner(before, after)) return [{ _tag: "SignedIn", session: after }]
    return before.accessToken === after.accessToken ? [] : [{ _tag: "Refreshed", session: after }]
  }

  /** What the storage holds is older than what is in memory: a write of ours failed, or did so only to our knowledge. */
  const isPast = (slot: Slots.Slot, stored: Stored.StoredSession): boolean =>
    slot.spent !== undefined && stored.refreshToken === slot.spent && slot.session?.refreshToken !== slot.spent

  /** Takes over what the storage holds. What only memory has stays, unless somebody else has written since. */
  const takeOver = (slot: Slots.Slot, text: string | undefined): Effect.Effect<ReadonlyArray<SlotEvent>> =>
    Effect.suspend(() => {
      if (slot.loaded && text === slot.encoded) return Effect.succeed([])
      const first = !slot.loaded
      const before = slot.session
      const decoded = Stored.decode(text)
      // Signed in or out while the storage was out of reach: what it shows first is what was there before.
      const isOlder = slot.loaded && slot.unsaved && slot.reads === 0
      const after = decoded._tag === "Session" ? sharing(decoded.session) : undefined
      know(slot, text, after !== undefined && Stored.encode(after) === text ? after : undefined)
      if (isOlder || (after !== undefined && (isPast(slot, after) || isUnaware(after, slot.session)))) {
        slot.unsaved = text !== undefined || slot.session !== undefined
        return Effect.succeed([])
      }
      slot.unsaved = false
      setSession(slot, after)
      const events = first ? [] : eventsOf(slot, before, after)
      if (decoded._tag !== "Unreadable" || slot.warned) return Effect.succeed(events)
      slot.warned = true
      return Effect.as(
        Effect.logWarning(`What the token storage holds in slot "${slot.name}" is no session: it counts as absent`),
        events
      )
    })

  const load: SlotStore["load"] = (slot) =>
    Effect.suspend(() => {
      // Somebody may have signed in elsewhere, and not every storage can tell.
      if (slot.loaded) return slot.session === undefined ? lookOutside(slot) : Effect.void
      const { generation } = slot
      return Effect.flatMap(storage.get(slot.name), (text) =>
        slot.loaded || slot.generation !== generation ? Effect.void : Effect.asVoid(takeOver(slot, text))
      )
    })

  const look: SlotStore["look"] = (slot) =>
    Effect.suspend(() => {
      const { generation, reads } = slot
      return Effect.flatMap(storage.get(slot.name), (text) =>
        slot.generation === generation && slot.reads === reads ? takeOver(slot, text) : Effect.succeed([])
      )
    })

  const lookOutside: SlotStore["lookOutside"] = (slot) =>
    Effect.suspend(() => {
      if (!slot.loaded) return Effect.void
      if (Slots.isBusy(slot)) {
        slot.changedOutside = true
        return Effect.void
      }
      const { generation, reads } = slot
      return storage.get(slot.name).pipe(
        Effect.flatMap((text) => {
          if (Slots.isBusy(slot)) slot.changedOutside = true
          return Slots.isBusy(slot) || slot.generation !== generation || slot.reads !== reads
            ? Effect.succeed([])
            : takeOver(slot, text)
        }),
        Effect.map((events) => emitAll(slot, events)),
        Effect.ignore
      )
    })

  const settle: SlotStore["settle"] = (slot) =>
    Effect.suspend(() => {
      if (!slot.changedOutside || Slots.isBusy(slot)) return Effect.void
      slot.changedOutside = false
      return Effect.asVoid(Effect.forkIn(lookOutside(slot), scope))
    })

  // ---------------------------------------------------------------------------
  // writing
  // ---------------------------------------------------------------------------

  /** Writers of this process exclude each other; the mutex exists only while there are any. */
  const writing = <A, E>(slot: Slots.Slot, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const entry = (slot.writing ??= { mutex: KeyedMutex.make(), users: 0 })
        entry.users++
        return Effect.ensuring(
          restore(entry.mutex.withKey(slot.name)(effect)),
          Effect.suspend(() => {
            if (--entry.users === 0) slot.writing = undefined
            return settle(slot)
          })
        )
      })
    )

  /**
   * A write on the user's behalf (sign-in, sign-out). Where the storage cannot compare and set by itself, the lock
   * keeps it out of a refresh that is under way elsewhere; a lock out of reach does not keep anybody from signing out.
   */
  const exclusively = <A, E>(slot: Slots.Slot, write: Effect.Effect<A, E>): Effect.Effect<A, E> => {
    const run = writing(slot, write)
    if (storage.atomic) return run
    // The error of the lock is told from those of the write by keeping the latter out of its way.
    return Effect.flatten(
      Effect.catchTag(lock.withLock(slot.name, Effect.exit(run)), "SessionLockError", () => Effect.exit(run))
    )
  }

  const saving = new WeakSet<Slots.Slot>()

  /**
   * Writes what only memory has as soon as the storage can be written, for others may rely on what it holds. Where that
   * takes too long, it is written with the next change.
   */
  const saveLater = (slot: Slots.Slot): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (!slot.unsaved || saving.has(slot)) return Effect.void
      saving.add(slot)
      const attempt = Effect.suspend((): Effect.Effect<ReadonlyArray<SlotEvent>, TokenStorage.TokenStorageError> => {
        const { generation } = slot
        const isCurrent = () => slot.unsaved && slot.generation === generation
        if (!isCurrent()) return Effect.succeed([])
        return Effect.flatMap(storage.get(slot.name), (text) => {
          if (!isCurrent()) return Effect.succeed([])
          return Effect.tap(takeOver(slot, text), () => {
            if (!isCurrent()) return Effect.void
            const { session } = slot
            const encoded = session === undefined ? undefined : Stored.encode(session)
            return Effect.map(storage.compareAndSet(slot.name, slot.encoded, encoded), (written) => {
              if (!written) return
              know(slot, encoded, session)
              if (slot.generation === generation) slot.unsaved = false
            })
          })
        })
      })
      const attempts = Effect.gen(function* () {
        let pause = savePause.shortest
        for (let left = savePause.attempts; left > 0 && slot.unsaved; left--) {
          yield* Effect.sleep(pause)
          pause = Math.min(pause * 2, savePause.longest)
          emitAll(slot, yield* Effect.orElseSucceed(exclusively(slot, attempt), () => []))
        }
      })
      return Effect.asVoid(
        Effect.forkIn(
          Effect.ensuring(
            attempts,
            Effect.sync(() => saving.delete(slot))
          ),
          scope
        )
      )
    })

  const replace: SlotStore["replace"] = (slot, generation, from, next, events) => {
    const encoded = next === undefined ? undefined : Stored.encode(next)

    const goOn = (): Replaced => {
      if (next?.refreshToken !== from.refreshToken) slot.spent = from.refreshToken
      setSession(slot, next)
      return "held"
    }

    const held = (): Replaced => {
      slot.unsaved = false
      return goOn()
    }

    const keepInMemory = (error: TokenStorage.TokenStorageError): Replaced => {
      if (slot.generation !== generation) return "superseded"
      if (!slot.unsaved) events.push({ _tag: "StorageDegraded", error })
      slot.unsaved = true
      return goOn()
    }

    const compare = (left: number): Effect.Effect<Replaced> =>
      Effect.suspend(() => {
        if (slot.generation !== generation) return Effect.succeed("superseded")
        // Memory went on with what somebody else wrote: the storage is not to be compared with that.
        if (slot.session?.refreshToken !== from.refreshToken) return Effect.succeed("changed")
        return Effect.matchEffect(storage.compareAndSet(slot.name, slot.encoded, encoded), {
          onFailure: (error) => Effect.sync(() => keepInMemory(error)),
          onSuccess: (written): Effect.Effect<Replaced> => {
            if (!written) return compareAgain(left)
            know(slot, encoded, next)
            return Effect.succeed(slot.generation === generation ? held() : "superseded")
          }
        })
      })

    // What counts is the refresh token. A write of ours whose answer was lost has changed the text, and so has
    // somebody who marked the same token: neither has another session.
    const compareAgain = (left: number): Effect.Effect<Replaced> =>
      Effect.matchEffect(storage.get(slot.name), {
        onFailure: (error) => Effect.sync(() => keepInMemory(error)),
        onSuccess: (text): Effect.Effect<Replaced> => {
          if (slot.generation !== generation) return Effect.succeed("superseded")
          if (text === encoded) {
            know(slot, text, next)
            return Effect.sync(held)
          }
          const decoded = Stored.decode(text)
          const same =
            text === slot.encoded ||
            (decoded._tag === "Session" &&
              ((decoded.session.refreshToken === from.refreshToken && !isUnaware(next, decoded.session)) ||
                isPast(slot, decoded.session)))
          if (!same) {
            return Effect.map(takeOver(slot, text), (heard) => {
              events.push(...heard)
              return "changed"
            })
          }
          know(slot, text)
          return left > 0
            ? compare(left - 1)
            : Effect.sync(() =>
                keepInMemory(
                  new TokenStorage.TokenStorageError({
                    operation: "compareAndSet",
                    slot: slot.name,
                    cause: new Error("it holds what was compared with, and does not write")
                  })
                )
              )
        }
      })

    return Effect.tap(writing(slot, compare(maxComparisons)), () => saveLater(slot))
  }

  const withdraw: SlotStore["withdraw"] = (slot, session) =>
    Effect.suspend(() => {
      // Who is writing already puts something else in its place, and need not be waited for.
      if (slot.writing !== undefined || !Stored.holds(slot.encoded, session.refreshToken)) return Effect.void
      const remove = Effect.map(storage.compareAndSet(slot.name, slot.encoded, undefined), (written) => {
        if (written) know(slot, undefined)
      })
      return writing(slot, Effect.ignore(remove))
    })

  const signIn: SlotStore["signIn"] = (slot, next, bumped) =>
    Effect.suspend(() => {
      // Before anything is waited for: a refresh in flight for the old session ends here.
      const generation = bumped ?? ++slot.generation
      const encoded = Stored.encode(next)
      const events: Array<SlotEvent> = []
      learnClock(next)

      // In one step with the write: whoever comes between them would take the old session for what the storage holds.
      const accept = (): void => {
        // A write for the session before may yet show.
        slot.spent = slot.session?.refreshToken === next.refreshToken ? undefined : slot.session?.refreshToken
        slot.unsaved = false
        setSession(slot, next)
        events.push({ _tag: "SignedIn", session: next })
      }

      const stored = (): void => {
        know(slot, encoded, next)
        // Who signed out meanwhile is about to remove it; who signed in after us may yet fail, and leaves this session.
        if (slot.generation === generation || slot.session !== undefined || !slot.unsaved) accept()
      }

      /** The storage keeps somebody else, who would come back after a restart: better to fail. */
      const acceptInMemory = (
        error: TokenStorage.TokenStorageError
      ): Effect.Effect<void, TokenStorage.TokenStorageError> => {
        if (slot.generation !== generation) return Effect.void
        const isAnothers = slot.session !== undefined && !slot.unsaved && !isSamePerson(slot.session, next)
        if (isAnothers || !options.mayBeInMemoryOnly) {
          // Should the write have landed after all, it is not to be taken for a session.
          slot.spent = next.refreshToken
          return Effect.fail(error)
        }
        accept()
        slot.unsaved = true
        events.push({ _tag: "StorageDegraded", error })
        return Effect.void
      }

      return exclusively(
        slot,
        Effect.suspend(() => {
          // Somebody signed in or out after us and comes after us.
          if (slot.generation !== generation) return Effect.void
          return Effect.matchEffect(storage.set(slot.name, encoded), {
            onSuccess: () => Effect.sync(stored),
            onFailure: (error) =>
              Effect.matchEffect(storage.get(slot.name), {
                onFailure: () => Effect.suspend(() => acceptInMemory(error)),
                onSuccess: (text) => {
                  // Perhaps only the answer was lost.
                  if (text === encoded) return Effect.sync(stored)
                  if (slot.generation !== generation) return Effect.void
                  return Effect.flatMap(takeOver(slot, text), (heard) => {
                    events.push(...heard)
                    return acceptInMemory(error)
                  })
                }
              })
          })
        })
      ).pipe(
        Effect.ensuring(
          Effect.suspend(() => {
            if (slot.generation === generation || slot.session === next) emitAll(slot, events)
            return slot.unsaved ? saveLater(slot) : Effect.void
          })
        )
      )
    })

  const signOut: SlotStore["signOut"] = (slot, reason) =>
    Effect.suspend(() => {
      const generation = ++slot.generation

      const end = (): void => {
        if (slot.generation !== generation) return
        const { session } = slot
        if (session !== undefined) slot.spent = session.refreshToken
        setSession(slot, undefined)
        // Until the storage says so, only memory knows.
        slot.unsaved = true
        if (session !== undefined) emitAll(slot, [{ _tag: "SignedOut", reason }])
      }

      const ended = Effect.suspend(
        (): Effect.Effect<Stored.StoredSession | undefined, TokenStorage.TokenStorageError> => {
          // Somebody signed in or out after us and comes after us.
          if (slot.generation !== generation) return Effect.undefined
          const { session: had, spent } = slot
          const inMemoryOnly = had !== undefined && slot.unsaved
          // A newer version's envelope is not ours to remove.
          const foreign = had === undefined && Stored.decode(slot.encoded)._tag === "Newer"
          end()
          if (foreign) {
            slot.unsaved = false
            return Effect.undefined
          }
          return exclusively(
            slot,
            Effect.suspend(() => {
              // Who came after us ends what the storage holds by now: ours may be spent.
              if (slot.generation !== generation) return Effect.succeed(had === undefined ? had : Stored.buried(had))
              return Effect.flatMap(Effect.option(storage.get(slot.name)), (read) => {
                // Should it not go, it is not taken for somebody else's write.
                if (Option.isSome(read)) know(slot, read.value)
                return Effect.map(
                  // Whoever looked while we waited has taken up what goes now.
                  Effect.ensuring(storage.remove(slot.name), Effect.sync(end)),
                  () => {
                    know(slot, undefined)
                    if (slot.generation === generation) slot.unsaved = false
                    if (inMemoryOnly || Option.isNone(read)) return had
                    // Another process may have rotated what we had, or ended it: then nobody may exchange it any more.
                    const decoded = Stored.decode(read.value)
                    if (decoded._tag !== "Session") return had === undefined ? had : Stored.buried(had)
                    // What a sign-out before this one could not remove may be on the wire.
                    return decoded.session.refreshToken === spent ? Stored.buried(decoded.session) : decoded.session
                  }
                )
              })
            })
          )
        }
      )
      return slot.loaded ? ended : Effect.andThen(Effect.ignore(load(slot)), ended)
    })

  return {
    storage,
    clockOffset: () => clockOffset,
    infoOf,
    load,
    look,
    lookOutside,
    settle,
    emitAll,
    setSession,
    learnClock,
    replace,
    withdraw,
    signIn,
    signOut
  }
}

/** Only the other says that the server rejected the refresh token of both: nobody takes that back. */
const isUnaware = (one: Stored.StoredSession | undefined, other: Stored.StoredSession | undefined): boolean =>
  other?.rejected === true && one?.rejected !== true && one?.refreshToken === other.refreshToken

/** Both say who they are, and it is the same person. */
const isSamePerson = (one: Stored.StoredSession, other: Stored.StoredSession): boolean =>
  one.userIdentifier !== undefined && other.userIdentifier !== undefined && Stored.sameOwner(one, other)
