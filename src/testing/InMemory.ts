/**
 * Storages and devices in memory for tests: one that several clients share as
 * tabs and processes do, and a layer with a fresh set of everything that a
 * session is injected with.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as DeviceMetadata from "../DeviceMetadata.ts"
import * as SessionLock from "../SessionLock.ts"
import * as TokenStorage from "../TokenStorage.ts"

/**
 * A storage in memory that is seen from several sides.
 *
 * **Example** (Two tabs)
 *
 * ```ts
 * import { InMemory } from "effect-oneentry/testing"
 *
 * const shared = InMemory.makeShared()
 *
 * export const tabs = [shared.view(), shared.view()]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Shared {
  /** A new view: atomic as the others, and told of their writes but not of its own. */
  readonly view: () => TokenStorage.TokenStorage["Service"]
  /** What is stored now, by slot: for assertions. */
  readonly slots: ReadonlyMap<string, string>
  /** Changes what is stored behind everybody's back: nobody is told. */
  readonly poke: (slot: string, value: string | undefined) => Effect.Effect<void>
}

/**
 * Makes a storage in memory that is seen from several sides.
 *
 * **Example** (A write that the other side hears of)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { InMemory } from "effect-oneentry/testing"
 *
 * const program = Effect.gen(function*() {
 *   const shared = InMemory.makeShared()
 *   const [one, two] = [shared.view(), shared.view()]
 *   yield* Effect.forkChild(Stream.runForEach(two.changes, (slot) => Effect.log(`changed: ${slot}`)))
 *   yield* Effect.yieldNow
 *   yield* one.set("default", "value")
 * })
 *
 * Effect.runPromise(program)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeShared = (): Shared => {
  const slots = new Map<string, string>()
  const listeners = new Set<{ readonly view: symbol; readonly queue: Queue.Enqueue<string> }>()
  const write = (slot: string, value: string | undefined) => {
    if (value === undefined) slots.delete(slot)
    else slots.set(slot, value)
  }
  return {
    slots,
    poke: (slot, value) => Effect.sync(() => write(slot, value)),
    view: () => {
      const view = Symbol()
      const tell = (slot: string) => {
        for (const listener of listeners) {
          if (listener.view !== view) Queue.offerUnsafe(listener.queue, slot)
        }
      }
      return TokenStorage.make({
        get: (slot) => Effect.sync(() => slots.get(slot)),
        set: (slot, value) =>
          Effect.sync(() => {
            write(slot, value)
            tell(slot)
          }),
        remove: (slot) =>
          Effect.sync(() => {
            write(slot, undefined)
            tell(slot)
          }),
        compareAndSet: (slot, expected, next) =>
          Effect.sync(() => {
            if (slots.get(slot) !== expected) return false
            write(slot, next)
            tell(slot)
            return true
          }),
        changes: Stream.callback<string>((queue) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              const listener = { view, queue }
              listeners.add(listener)
              return listener
            }),
            (listener) => Effect.sync(() => listeners.delete(listener))
          )
        )
      })
    }
  }
}

/**
 * The device of `layer`, always the same.
 *
 * **Example** (Its fingerprint)
 *
 * ```ts
 * import { Redacted } from "effect"
 * import { InMemory } from "effect-oneentry/testing"
 *
 * console.log(Redacted.value(InMemory.device.fingerprint)) // => test-device
 * ```
 *
 * @category devices
 * @since 0.1.0
 */
export const device: DeviceMetadata.Metadata = DeviceMetadata.make({
  fingerprint: "test-device",
  os: "test",
  browser: "effect-oneentry/testing",
  location: "en-US"
})

/**
 * A fresh storage in memory, a fresh lock in the process and a device that is always the same.
 *
 * **Example** (The layer of a test)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { OneEntry } from "effect-oneentry"
 * import { InMemory } from "effect-oneentry/testing"
 *
 * export const layer = OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([InMemory.layer, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<TokenStorage.TokenStorage> = Layer.mergeAll(
  TokenStorage.layerMemory,
  Layer.sync(SessionLock.SessionLock, SessionLock.makeInProcess),
  DeviceMetadata.layer(device)
)
