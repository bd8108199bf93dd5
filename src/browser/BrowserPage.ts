/**
 * Whether this page is seen and has a network: what a session should know
 * before it refreshes ahead of time. On a server, where there is no page, both
 * are always so.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * Whether the page is visible now.
 *
 * **Example** (Asking once)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { BrowserPage } from "effect-oneentry/browser"
 *
 * Effect.runPromise(BrowserPage.isVisible).then(console.log) // => true
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const isVisible: Effect.Effect<boolean> = /* @__PURE__ */ Effect.sync(() => readVisible())

/**
 * Whether the browser has a network now, as far as it knows.
 *
 * **Example** (Asking once)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { BrowserPage } from "effect-oneentry/browser"
 *
 * Effect.runPromise(BrowserPage.isOnline).then(console.log) // => true
 * ```
 *
 * @category reading
 * @since 0.1.0
 */
export const isOnline: Effect.Effect<boolean> = /* @__PURE__ */ Effect.sync(() => readOnline())

const readVisible = () => typeof document === "undefined" || document.visibilityState !== "hidden"
const readOnline = () => globalThis.navigator?.onLine !== false

const watch = (
  read: () => boolean,
  target: () => EventTarget | undefined,
  events: ReadonlyArray<string>
): Stream.Stream<boolean> =>
  Stream.callback<boolean>((queue) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const tell = () => {
          Queue.offerUnsafe(queue, read())
        }
        for (const event of events) target()?.addEventListener(event, tell)
        tell()
        return tell
      }),
      (tell) =>
        Effect.sync(() => {
          for (const event of events) target()?.removeEventListener(event, tell)
        })
    )
  ).pipe(Stream.changes)

/**
 * Whether the page is visible: now, and at each change.
 *
 * **Example** (Following it)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { BrowserPage } from "effect-oneentry/browser"
 *
 * export const follow = Stream.runForEach(BrowserPage.visible, (visible) => Effect.log(`visible: ${visible}`))
 * ```
 *
 * @category following
 * @since 0.1.0
 */
export const visible: Stream.Stream<boolean> = /* @__PURE__ */ watch(
  readVisible,
  () => (typeof document === "undefined" ? undefined : document),
  ["visibilitychange"]
)

/**
 * Whether the browser has a network: now, and at each change.
 *
 * **Example** (Following it)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { BrowserPage } from "effect-oneentry/browser"
 *
 * export const follow = Stream.runForEach(BrowserPage.online, (online) => Effect.log(`online: ${online}`))
 * ```
 *
 * @category following
 * @since 0.1.0
 */
export const online: Stream.Stream<boolean> = /* @__PURE__ */ watch(
  readOnline,
  () => (typeof window === "undefined" ? undefined : window),
  ["online", "offline"]
)

/**
 * Whether the page is visible and has a network: now, and at each change.
 *
 * **Example** (Following it)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { BrowserPage } from "effect-oneentry/browser"
 *
 * export const follow = Stream.runForEach(BrowserPage.active, (active) => Effect.log(`active: ${active}`))
 * ```
 *
 * @category following
 * @since 0.1.0
 */
export const active: Stream.Stream<boolean> = /* @__PURE__ */ Stream.zipLatestWith(
  visible,
  online,
  (visible, online) => visible && online
).pipe(Stream.changes)

/**
 * Runs an effect while the page is active, again each time it becomes so, and
 * interrupts it when the page is hidden or offline. What the effect leaves in
 * its scope lives as long.
 *
 * **Example** (Keeping the session of a visible tab fresh)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Session } from "effect-oneentry"
 * import { BrowserPage } from "effect-oneentry/browser"
 *
 * export const keepFresh = Session.Session.use((session) => BrowserPage.whileActive(session.keepAlive))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const whileActive = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<never, E, Exclude<R, Scope.Scope>> =>
  active.pipe(
    Stream.switchMap((active) =>
      active ? Stream.fromEffectDrain(Effect.scoped(Effect.andThen(effect, Effect.never))) : Stream.empty
    ),
    Stream.runDrain,
    Effect.andThen(Effect.never)
  )
