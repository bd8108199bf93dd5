/**
 * The identity of this browser: a random fingerprint that is made once and
 * kept in the storage, beside the sessions, and what the browser says of
 * itself. Where the storage fails, the fingerprint lives as long as the page.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as DeviceMetadata from "../DeviceMetadata.ts"
import * as TokenStorage from "../TokenStorage.ts"

/**
 * The slot of the storage that the fingerprint is kept in.
 *
 * **Example** (Forgetting this device)
 *
 * ```ts
 * import { TokenStorage } from "effect-oneentry"
 * import { BrowserDeviceMetadata } from "effect-oneentry/browser"
 *
 * export const forget = TokenStorage.TokenStorage.use((storage) => storage.remove(BrowserDeviceMetadata.slot))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export const slot = "effect-oneentry/device"

/**
 * Speaks for this browser in every call.
 *
 * **Example** (Beside the storage)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { BrowserDeviceMetadata, BrowserTokenStorage } from "effect-oneentry/browser"
 *
 * export const layer = BrowserDeviceMetadata.layer.pipe(
 *   Layer.provideMerge(BrowserTokenStorage.layerIndexedDb())
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never, never, TokenStorage.TokenStorage> = Layer.effect(
  DeviceMetadata.DeviceMetadata,
  Effect.suspend(() => make)
)

/**
 * Makes the source of the metadata; the storage is read when it is first asked.
 *
 * **Example** (Who am I)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { BrowserDeviceMetadata } from "effect-oneentry/browser"
 *
 * export const metadata = Effect.flatMap(BrowserDeviceMetadata.make, (source) => source("default"))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<
  (slot: string) => Effect.Effect<DeviceMetadata.Metadata>,
  never,
  TokenStorage.TokenStorage
> = Effect.map(TokenStorage.TokenStorage, (storage) => {
  const fresh = DeviceMetadata.make()
  let known: DeviceMetadata.Metadata | undefined

  const adopt = (stored: string | undefined) => {
    if (stored === undefined || !isFingerprint(stored)) return undefined
    known = DeviceMetadata.make({ fingerprint: stored })
    return known
  }

  const find = Effect.gen(function* () {
    const stored = yield* storage.get(slot)
    const found = adopt(stored)
    if (found !== undefined) return found
    // Another tab may be making one, too: the first to store it wins.
    const mine = Redacted.value(fresh.fingerprint)
    return adopt((yield* storage.compareAndSet(slot, stored, mine)) ? mine : yield* storage.get(slot)) ?? fresh
  })

  return () =>
    Effect.suspend(() => (known === undefined ? Effect.orElseSucceed(find, () => fresh) : Effect.succeed(known)))
})

const isFingerprint = (stored: string) => /^[\w-]{16,128}$/.test(stored)
