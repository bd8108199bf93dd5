/**
 * Who the server thinks is calling: a fingerprint, which is the identity of a
 * device and binds its refresh tokens, and what the list of active sessions
 * shows of it. By default each slot gets one random fingerprint and keeps it
 * with its session; a server that speaks for a visitor's browser provides the
 * visitor's, for a layer or for a single call.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Encoding from "effect/encoding/Base64Url"

/**
 * What the list of active sessions shows of a device.
 *
 * **Example** (A visitor's browser)
 *
 * ```ts
 * import { DeviceMetadata } from "effect-oneentry"
 *
 * export const info = DeviceMetadata.DeviceInfo.make({ os: "Linux", browser: "Firefox/141", location: "en-US" })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const DeviceInfo = Schema.Struct({
  os: Schema.String,
  browser: Schema.String,
  location: Schema.String
})

/**
 * What the list of active sessions shows of a device.
 *
 * @category models
 * @since 0.1.0
 */
export type DeviceInfo = typeof DeviceInfo.Type

/**
 * The identity of a device (its `fingerprint`, redacted) and what is shown of it.
 *
 * **Example** (Metadata of one's own)
 *
 * ```ts
 * import { Redacted } from "effect"
 * import { DeviceMetadata } from "effect-oneentry"
 *
 * export const metadata: DeviceMetadata.Metadata = {
 *   fingerprint: Redacted.make("web-7f3c…"),
 *   deviceInfo: { os: "Linux", browser: "Firefox/141", location: "en-US" }
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const Metadata = Schema.Struct({
  fingerprint: Schema.RedactedFromValue(Schema.String, { label: "fingerprint" }),
  deviceInfo: DeviceInfo
})

/**
 * The identity of a device (its `fingerprint`, redacted) and what is shown of it.
 *
 * @category models
 * @since 0.1.0
 */
export type Metadata = typeof Metadata.Type

/**
 * Metadata for every slot, or a function that finds them by slot.
 *
 * **Example** (By slot)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { DeviceMetadata } from "effect-oneentry"
 *
 * export const source: DeviceMetadata.Source = (slot) =>
 *   Effect.succeed(DeviceMetadata.make({ fingerprint: `device-of-${slot}` }))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Source = Metadata | ((slot: string) => Effect.Effect<Metadata>)

/**
 * The device that calls speak for. Left alone, each slot has a random one, kept with its session.
 *
 * **Example** (Speaking for a visitor in one call)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider, DeviceMetadata } from "effect-oneentry"
 *
 * export const signIn = (visitor: DeviceMetadata.Metadata) =>
 *   AuthProvider.AuthProvider.use((auth) =>
 *     auth.auth("email", { authData: [{ marker: "email_reg", value: "ann@example.com" }] })
 *   ).pipe(Effect.provideService(DeviceMetadata.DeviceMetadata, visitor))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export const DeviceMetadata: Context.Reference<Source | undefined> = Context.Reference<Source | undefined>(
  "effect-oneentry/DeviceMetadata",
  { defaultValue: () => undefined }
)

/**
 * Makes metadata; what is left out is filled in (128 random bits, what the runtime says of itself).
 *
 * **Example** (Only a fingerprint)
 *
 * ```ts
 * import { DeviceMetadata } from "effect-oneentry"
 *
 * console.log(DeviceMetadata.make({ fingerprint: "kiosk-17" }).deviceInfo.location)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options?: {
  readonly fingerprint?: string | Redacted.Redacted<string> | undefined
  readonly os?: string | undefined
  readonly browser?: string | undefined
  readonly location?: string | undefined
}): Metadata => {
  const { fingerprint = randomFingerprint() } = options ?? {}
  const navigator: { readonly userAgent?: string; readonly platform?: string; readonly language?: string } | undefined =
    globalThis.navigator
  return {
    fingerprint: typeof fingerprint === "string" ? Redacted.make(fingerprint, { label: "fingerprint" }) : fingerprint,
    deviceInfo: {
      os: options?.os ?? navigator?.platform ?? "unknown",
      browser: options?.browser ?? navigator?.userAgent ?? "effect-oneentry",
      location: options?.location ?? navigator?.language ?? "en-US"
    }
  }
}

/**
 * Provides the device for everything below it.
 *
 * **Example** (A kiosk)
 *
 * ```ts
 * import { DeviceMetadata } from "effect-oneentry"
 *
 * export const layer = DeviceMetadata.layer(DeviceMetadata.make({ fingerprint: "kiosk-17" }))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (source: Source): Layer.Layer<never> => Layer.succeed(DeviceMetadata, source)

const randomFingerprint = (): string => Encoding.encode(globalThis.crypto.getRandomValues(new Uint8Array(16)))
