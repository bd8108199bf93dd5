/**
 * Signals between the tabs of one origin: which slot has changed, and nothing
 * else. They go through a `BroadcastChannel`; where there is none, through
 * `storage` events. A tab does not hear its own.
 *
 * Nothing is opened before the first signal is sent or listened to.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * One end of the signals.
 *
 * **Example** (Logging what other tabs do)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import type { BrowserSignals } from "effect-oneentry/browser"
 *
 * export const log = (signals: BrowserSignals.Signals) =>
 *   Stream.runForEach(signals.changes, (slot) => Effect.log(`another tab changed ${slot}`))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Signals {
  /** Tells the other tabs; that it could not be told is no error. */
  readonly publish: (slot: string) => Effect.Effect<void>
  /** What other tabs told. */
  readonly changes: Stream.Stream<string>
}

/**
 * Makes an end of the signals with a name; it is closed with its scope.
 *
 * **Example** (Between the tabs of one application)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { BrowserSignals } from "effect-oneentry/browser"
 *
 * export const tell = Effect.scoped(
 *   Effect.flatMap(BrowserSignals.make({ name: "shop" }), (signals) => signals.publish("default"))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: { readonly name: string }): Effect.Effect<Signals, never, Scope.Scope> =>
  Effect.suspend(() =>
    typeof globalThis.BroadcastChannel === "function" ? makeBroadcast(options.name) : makeStorageEvents(options.name)
  )

const makeBroadcast = /* @__PURE__ */ Effect.fnUntraced(function* (
  name: string
): Effect.fn.Return<Signals, never, Scope.Scope> {
  let channel: BroadcastChannel | undefined
  let closed = false
  // One for both directions: it does not hear itself.
  const open = () => (channel ??= new BroadcastChannel(`${name}:changes`))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closed = true
      channel?.close()
    })
  )
  return {
    publish: (slot) =>
      Effect.sync(() => {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has one origin
        if (!closed) attempt(() => open().postMessage(slot))
      }),
    changes: Stream.callback<string>((queue) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const listener = (event: MessageEvent<unknown>) => {
            if (typeof event.data === "string") Queue.offerUnsafe(queue, event.data)
          }
          if (!closed) attempt(() => open().addEventListener("message", listener))
          return listener
        }),
        (listener) => Effect.sync(() => channel?.removeEventListener("message", listener))
      )
    )
  }
})

const makeStorageEvents = (name: string): Effect.Effect<Signals> =>
  Effect.sync(() => {
    const key = `${name}:changes`
    const origin = Base64Url.encode(globalThis.crypto.getRandomValues(new Uint8Array(9)))
    let count = 0
    return {
      publish: (slot) =>
        // Only a value that differs from the last one makes an event.
        Effect.sync(() => attempt(() => globalThis.localStorage.setItem(key, `${origin}-${++count} ${slot}`))),
      changes: storageEvents((event) =>
        event.key === key && event.newValue !== null ? event.newValue.slice(event.newValue.indexOf(" ") + 1) : undefined
      )
    }
  })

/**
 * The `storage` events of other tabs, as far as `slotOf` makes something of them.
 *
 * @internal
 */
export const storageEvents = (slotOf: (event: StorageEvent) => string | undefined): Stream.Stream<string> =>
  Stream.callback<string>((queue) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const listener = (event: StorageEvent) => {
          const slot = slotOf(event)
          if (slot !== undefined) Queue.offerUnsafe(queue, slot)
        }
        if (typeof window !== "undefined") window.addEventListener("storage", listener)
        return listener
      }),
      (listener) =>
        Effect.sync(() => {
          if (typeof window !== "undefined") window.removeEventListener("storage", listener)
        })
    )
  )

const attempt = (run: () => void) => {
  try {
    run()
  } catch {
    // The other tabs read the storage before they use it: a signal is a courtesy.
  }
}
