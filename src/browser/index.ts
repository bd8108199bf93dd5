/**
 * What a single-page application needs: sessions in the browser's storages, a
 * lock and signals between its tabs, the page's visibility, and a device
 * identity. Importing it touches neither `window` nor `document`.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import type { TokenStorage } from "../TokenStorage.ts"
import * as BrowserDeviceMetadata from "./BrowserDeviceMetadata.ts"
import * as BrowserSessionLock from "./BrowserSessionLock.ts"
import * as BrowserTokenStorage from "./BrowserTokenStorage.ts"

export * as BrowserDeviceMetadata from "./BrowserDeviceMetadata.ts"
export * as BrowserPage from "./BrowserPage.ts"
export * as BrowserSessionLock from "./BrowserSessionLock.ts"
export * as BrowserSignals from "./BrowserSignals.ts"
export * as BrowserTokenStorage from "./BrowserTokenStorage.ts"

/**
 * How a browser keeps its sessions.
 *
 * **Example** (A session that ends with its tab)
 *
 * ```ts
 * import { layer, type Options } from "effect-oneentry/browser"
 *
 * const options: Options = { storage: "sessionStorage" }
 *
 * export const browser = layer(options)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Where; `"indexedDb"` by default, whose compare-and-set is atomic over all tabs. */
  readonly storage?: "indexedDb" | "localStorage" | "sessionStorage" | undefined
  /** What the database, keys and locks are called; `"oneentry"` by default. */
  readonly name?: string | undefined
}

/**
 * Everything at once: storage, lock, signals and device of a browser.
 *
 * **Example** (A single-page application)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { OneEntry } from "effect-oneentry"
 * import * as Browser from "effect-oneentry/browser"
 *
 * export const layer = OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([Browser.layer(), FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<TokenStorage> =>
  Layer.merge(BrowserDeviceMetadata.layer, BrowserSessionLock.layer(options)).pipe(
    Layer.provideMerge(storageLayers[options?.storage ?? "indexedDb"](options))
  )

const storageLayers = {
  indexedDb: BrowserTokenStorage.layerIndexedDb,
  localStorage: BrowserTokenStorage.layerLocalStorage,
  sessionStorage: BrowserTokenStorage.layerSessionStorage
}
