/**
 * The device of this client. The server binds a refresh token to it, so it must be the same after a reload: in a browser
 * it is kept in `localStorage`, and the one that the official SDK had is taken over, with the sessions it was issued.
 */
import * as Redacted from "effect/Redacted"
import * as DeviceMetadata from "../../DeviceMetadata.ts"

/** What a program may say of its device itself. */
export interface Device {
  readonly fingerprint: string
  readonly deviceInfo?: Partial<DeviceMetadata.DeviceInfo> | undefined
}

const ownKey = "effect-oneentry.fingerprint"

/** Where the official SDK keeps the number that its fingerprint is made with. */
const officialKey = "oneentry_device_id"

const storageOf = (): Storage | undefined => {
  // Blocked storage throws on access.
  try {
    return "window" in globalThis ? globalThis.localStorage : undefined
  } catch {
    return undefined
  }
}

const timeZone = (): string => {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone
  } catch {
    return "UTC"
  }
}

/** The fingerprint that the official SDK computes in this browser. */
const officialFingerprint = (id: string): string => {
  const { navigator, screen } = globalThis
  const text = [
    navigator?.platform || "Win32",
    navigator?.userAgent || "Node.js/22",
    navigator?.language || "en-US",
    screen?.width || 0,
    screen?.height || 0,
    screen?.colorDepth || 0,
    timeZone(),
    "normal",
    id
  ].join("|")
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = ((hash << 5) - hash + text.charCodeAt(i)) | 0
  return `UQ_${Math.abs(hash).toString(36)}_${id.substring(0, 12)}`
}

/** The device to send; `undefined` leaves it to the session, one for each client. */
export const deviceOf = (given: Device | undefined): DeviceMetadata.Metadata | undefined => {
  if (given !== undefined) return DeviceMetadata.make({ ...given.deviceInfo, fingerprint: given.fingerprint })
  const storage = storageOf()
  if (storage === undefined) return undefined
  try {
    const kept = storage.getItem(ownKey)
    if (kept) return DeviceMetadata.make({ fingerprint: kept })
    const id = storage.getItem(officialKey)
    const made = id ? DeviceMetadata.make({ fingerprint: officialFingerprint(id) }) : DeviceMetadata.make()
    // What it is now is what it stays: a browser's next version says another user agent.
    storage.setItem(ownKey, Redacted.value(made.fingerprint))
    return made
  } catch {
    return undefined
  }
}
