/**
 * What this process knows of each slot of a storage. All clients over one storage share it, so that they share one
 * refresh. A slot is a small record in a map; a lock, a flight or listeners exist only while somebody uses them.
 */
import * as Context from "effect/Context"
import type * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import type * as TokenStorage from "../TokenStorage.ts"
import type { KeyedMutex } from "./keyedMutex.ts"
import type { RefreshError, SlotEvent } from "./sessionEvent.ts"
import { type Device, encode, type StoredSession } from "./storedSession.ts"

/** A refresh under way, which everybody waits for; `false`: it was called off before it did anything. */
export interface Flight {
  readonly done: Deferred.Deferred<boolean, RefreshError>
  waiters: number
}

/** The last exchange of a refresh token failed: until when nobody tries again, and why. */
export interface Cooldown {
  readonly refreshToken: string
  readonly since: number
  readonly until: number
  readonly attempts: number
  readonly error: RefreshError
}

export interface Slot {
  readonly name: string
  /** Sign-in, adopt, sign-out and clear bump it first. */
  generation: number
  /** Whether the storage has been read. */
  loaded: boolean
  /** What this process goes on with. */
  session: StoredSession | undefined
  /** What the storage holds, as far as this process knows: what a compare-and-set expects. */
  readonly encoded: string | undefined
  /** Counts what this process learned of the storage: who read it before is out of date. */
  reads: number
  /** The refresh token before the present one, or of the session signed out: what holds it is the past. */
  spent: string | undefined
  /** `session` could not be written: it lives in memory only, and is written with the next change. */
  unsaved: boolean
  /** The access token that a 401 was had with. */
  refused: string | undefined
  flight: Flight | undefined
  cooldown: Cooldown | undefined
  /** The device of the slot before and after its sessions. */
  device: Device | undefined
  /** Writers of this process exclude each other. */
  writing: { readonly mutex: KeyedMutex; users: number } | undefined
  listeners: Set<(event: SlotEvent) => void> | undefined
  /** Somebody else changed the slot while this process was busy with it. */
  changedOutside: boolean
  warned: boolean
  usedAt: number
  /** Sets `encoded`; a session says that it is what `text` encodes. */
  readonly keep: (text: string | undefined, session?: StoredSession) => void
}

/**
 * The text that the storage holds is the larger half of an idle session, and mostly it says what `session` says: then
 * it is not kept, but made again when it is asked for.
 */
class SlotRecord implements Slot {
  readonly name: string
  generation = 0
  loaded = false
  session: StoredSession | undefined = undefined
  private kept: string | StoredSession | undefined = undefined
  reads = 0
  spent: string | undefined = undefined
  unsaved = false
  refused: string | undefined = undefined
  flight: Slot["flight"] = undefined
  cooldown: Slot["cooldown"] = undefined
  device: Slot["device"] = undefined
  writing: Slot["writing"] = undefined
  listeners: Slot["listeners"] = undefined
  changedOutside = false
  warned = false
  usedAt: number

  constructor(name: string, now: number) {
    this.name = name
    this.usedAt = now
  }

  get encoded(): string | undefined {
    return typeof this.kept === "object" ? encode(this.kept) : this.kept
  }

  keep(text: string | undefined, session?: StoredSession): void {
    this.kept = session ?? text
  }
}

/** How long idle slots stay in memory; `Sessions` shows it to the world. */
export interface IdleOptions {
  readonly maxIdle?: number | undefined
  readonly idleTimeToLive?: Duration.Input | undefined
}

export const Idle: Context.Reference<IdleOptions | undefined> = Context.Reference<IdleOptions | undefined>(
  "effect-oneentry/Sessions/Idle",
  { defaultValue: () => undefined }
)

/** Slots used within this time are not put in order again: order is for eviction, and need not be exact. */
const orderMillis = 1_000

/** How many of the oldest slots one call looks at. */
const sweepStep = 8

/** Somebody is about to write. */
export const isBusy = (slot: Slot): boolean => slot.flight !== undefined || slot.writing !== undefined

/** What only this process knows, or somebody waits for, keeps a slot in memory. */
const isIdle = (slot: Slot, now: number): boolean =>
  !isBusy(slot) &&
  slot.listeners === undefined &&
  !slot.unsaved &&
  (slot.cooldown === undefined || slot.cooldown.until <= now)

/** All slots of one storage, the one used longest ago first. */
export class Registry {
  private readonly slots = new Map<string, Slot>()
  /** How many idle slots stay in memory, and for how long (milliseconds). */
  maxIdle = 10_000
  maxIdleMillis = 600_000

  configure({ idleTimeToLive, maxIdle }: IdleOptions): void {
    if (maxIdle !== undefined && maxIdle >= 0) this.maxIdle = maxIdle
    if (idleTimeToLive !== undefined) {
      const duration = Duration.fromInput(idleTimeToLive)
      if (duration._tag === "Some") this.maxIdleMillis = Math.max(1, Duration.toMillis(duration.value))
    }
  }

  get(name: string, now: number): Slot {
    let slot = this.slots.get(name)
    if (slot === undefined) {
      this.sweep(now)
      slot = new SlotRecord(name, now)
      this.slots.set(name, slot)
    } else if (now - slot.usedAt > orderMillis) {
      slot.usedAt = now
      this.slots.delete(name)
      this.slots.set(name, slot)
      // Where no slot is new, what is past its time goes all the same.
      this.sweep(now, Number.POSITIVE_INFINITY)
    }
    return slot
  }

  /** The slot if it is in memory. */
  peek(name: string): Slot | undefined {
    return this.slots.get(name)
  }

  /** Lets go of a slot; whether it is gone: one that is in use stays. */
  forget(name: string, now: number): boolean {
    const slot = this.slots.get(name)
    if (slot === undefined) return true
    return isIdle(slot, now) && this.slots.delete(name)
  }

  get size(): number {
    return this.slots.size
  }

  /** Lets go of a few idle slots that are past their time, or too many: one call, a bounded amount of work. */
  sweep(now: number, max = this.maxIdle): void {
    let left = sweepStep
    for (const slot of this.slots.values()) {
      if (left-- === 0) return
      if (this.slots.size < max && now - slot.usedAt < this.maxIdleMillis) return
      this.slots.delete(slot.name)
      if (isIdle(slot, now)) continue
      // At the end of the line it does not hide those behind it.
      slot.usedAt = now
      this.slots.set(slot.name, slot)
    }
  }
}

const registries = new WeakMap<TokenStorage.TokenStorage["Service"], Registry>()

/** The registry of a storage. */
export const registryOf = (storage: TokenStorage.TokenStorage["Service"]): Registry => {
  let registry = registries.get(storage)
  if (registry === undefined) {
    registry = new Registry()
    registries.set(storage, registry)
  }
  return registry
}

/** Tells everybody who listens to the slot. */
export const emit = (slot: Slot, event: SlotEvent): void => {
  if (slot.listeners === undefined) return
  for (const listener of slot.listeners) listener(event)
}
