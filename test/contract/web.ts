/** Storages and locks of browsers, wherever they are: other runtimes have some of them. */
import { Layer } from "effect"
import { SessionLock } from "effect-oneentry"
import { BrowserSessionLock, BrowserTokenStorage } from "effect-oneentry/browser"
import { inProcess, type Kept, type Locks, type Storages } from "./storages.ts"

/** Whether a Web Storage is there and works: to read the property may throw. */
const works = (storage: () => Storage | undefined): boolean => {
  try {
    const found = storage()
    found?.setItem("probe", "1")
    found?.removeItem("probe")
    return found !== undefined
  } catch {
    return false
  }
}

const hasIndexedDb = () => "indexedDB" in globalThis && typeof globalThis.indexedDB === "object"
const hasWebLocks = () => typeof globalThis.navigator?.locks?.request === "function"
/** Two instances in one realm do not tell each other by `storage` events: those go to other documents. */
const hasSignals = () => typeof globalThis.BroadcastChannel === "function"

const leases = Layer.effect(SessionLock.SessionLock, BrowserSessionLock.makeLeases({ name: "leases" }))
const locks = Layer.sync(SessionLock.SessionLock, () => BrowserSessionLock.makeWebLocks())

export const webStorages = (): Storages => {
  const lock = hasWebLocks() ? locks : hasIndexedDb() ? leases : inProcess
  const kept = (storage: Kept["storage"], changes: boolean): Kept => ({ storage, lock, changes })
  return {
    localStorage: works(() => globalThis.localStorage)
      ? kept(BrowserTokenStorage.layerLocalStorage(), false)
      : "localStorage",
    sessionStorage: works(() => globalThis.sessionStorage)
      ? kept(BrowserTokenStorage.layerSessionStorage(), false)
      : "sessionStorage",
    IndexedDB: hasIndexedDb() ? kept(BrowserTokenStorage.layerIndexedDb(), hasSignals()) : "IndexedDB"
  }
}

export const webLocks = (): Locks => ({
  "Web Locks": hasWebLocks() ? locks : "Web Locks",
  leases: hasIndexedDb() ? leases : "IndexedDB"
})
