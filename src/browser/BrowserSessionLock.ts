/**
 * A session lock for the tabs of one origin, on Web Locks: a tab that is
 * closed or crashes gives its locks back at once. Where there are none (old
 * browsers, pages without https) it is a lease in IndexedDB; and where the
 * browser blocks that too, tabs share nothing, and the lock is the tab's own.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as LeaseLock from "../internal/leaseLock.ts"
import * as SessionLock from "../SessionLock.ts"
import * as IndexedDb from "./internal/indexedDb.ts"

/**
 * How the lock is called.
 *
 * **Example** (Two applications on one origin)
 *
 * ```ts
 * import { BrowserSessionLock } from "effect-oneentry/browser"
 *
 * export const layer = BrowserSessionLock.layer({ name: "admin" })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What the name of every lock begins with; `"oneentry"` by default. */
  readonly name?: string | undefined
}

/**
 * Locks sessions among the tabs of the origin, by the best means that the browser has.
 *
 * **Example** (Beside the storage)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { BrowserSessionLock, BrowserTokenStorage } from "effect-oneentry/browser"
 *
 * export const layer = Layer.merge(BrowserTokenStorage.layerIndexedDb(), BrowserSessionLock.layer())
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<never> => Layer.effect(SessionLock.SessionLock, make(options))

/**
 * Makes the lock that `layer` provides.
 *
 * **Example** (One tab at a time)
 *
 * ```ts
 * import { Duration, Effect } from "effect"
 * import { BrowserSessionLock } from "effect-oneentry/browser"
 *
 * export const alone = Effect.scoped(
 *   Effect.flatMap(BrowserSessionLock.make(), (lock) =>
 *     lock.withLock("default", { maxHold: Duration.seconds(30) })(Effect.log("alone")))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = /* @__PURE__ */ Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<SessionLock.SessionLock, never, Scope.Scope> {
  const leases = yield* makeLeases(options)
  const webLocks = makeWebLocks(options)
  const local = SessionLock.makeInProcess()
  return {
    withLock:
      (slot, hold) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.suspend(() => {
          let entered = false
          const inside = Effect.suspend(() => {
            entered = true
            return effect
          })
          const shared = (isLockManagerThere() ? webLocks : leases).withLock(slot, hold)(inside)
          return Effect.catchIf(
            shared,
            (error): error is Extract<typeof error, SessionLock.SessionLockError> => !entered && isBlocked(error),
            () => local.withLock(slot, hold)(effect)
          )
        })
  }
})

/**
 * Makes a lock on Web Locks only; it is `Unavailable` where the browser has none.
 *
 * A lock is given back when the hold is over, and at the latest two seconds
 * after `maxHold`, whatever the effect does.
 *
 * **Example** (For one who needs no fallback)
 *
 * ```ts
 * import { BrowserSessionLock } from "effect-oneentry/browser"
 *
 * export const lock = BrowserSessionLock.makeWebLocks({ name: "admin" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeWebLocks = (options?: Options): SessionLock.SessionLock => {
  const prefix = `${options?.name ?? "oneentry"}:lock:`
  return {
    withLock:
      (slot, { maxHold }) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.suspend(() => {
            const controller = new AbortController()
            let state: "waiting" | "held" | "left" = "waiting"
            let giveBack = () => {}
            const wait = Effect.callback<void, SessionLock.SessionLockError>((resume) => {
              const fail = (cause: unknown) => {
                if (state !== "waiting") return
                state = "left"
                resume(Effect.fail(new SessionLock.SessionLockError({ slot, reason: "Unavailable", cause })))
              }
              try {
                globalThis.navigator.locks
                  .request(prefix + slot, { signal: controller.signal }, () => {
                    // Granted after all, to one who has left.
                    if (state !== "waiting") return undefined
                    state = "held"
                    // Made first: the effect may be over before `resume` comes back.
                    const held = new Promise<void>((resolve) => {
                      giveBack = resolve
                    })
                    resume(Effect.void)
                    return held
                  })
                  .catch(fail)
              } catch (cause) {
                fail(cause)
              }
            })
            const leave = Effect.sync(() => {
              if (state === "waiting") controller.abort()
              state = "left"
              giveBack()
            })
            const hold = Effect.gen(function* (): Effect.fn.Return<A, E | SessionLock.SessionLockError, R> {
              yield* restore(Effect.timeoutOption(wait, SessionLock.maxWait(maxHold)))
              if (state !== "held") return yield* new SessionLock.SessionLockError({ slot, reason: "Timeout" })
              const bound = yield* Effect.forkChild(
                Effect.andThen(
                  Effect.sleep(Duration.sum(maxHold, margin)),
                  Effect.sync(() => giveBack())
                ),
                { startImmediately: true }
              )
              return yield* Effect.ensuring(restore(effect), Fiber.interrupt(bound))
            })
            return Effect.ensuring(hold, leave)
          })
        )
  }
}

/**
 * Makes a lock of leases in IndexedDB, which needs no Web Locks.
 *
 * A tab that crashes keeps the others waiting until its lease ends, two
 * seconds after `maxHold`.
 *
 * **Example** (For a page without https)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { SessionLock } from "effect-oneentry"
 * import { BrowserSessionLock } from "effect-oneentry/browser"
 *
 * export const layer = Layer.effect(SessionLock.SessionLock, BrowserSessionLock.makeLeases())
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeLeases = /* @__PURE__ */ Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<SessionLock.SessionLock, never, Scope.Scope> {
  const database = yield* Effect.acquireRelease(
    Effect.sync(() => IndexedDb.make(options?.name ?? "oneentry")),
    (database) => database.close
  )
  const update = (
    slot: string,
    decide: (lease: Lease | undefined, now: number) => IndexedDb.Decision<boolean>
  ): Effect.Effect<boolean, SessionLock.SessionLockError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      database.update("leases", slot, (stored) => decide(isLease(stored) ? stored : undefined, now))
    ).pipe(
      Effect.mapError(
        ({ cause, stage }) =>
          new SessionLock.SessionLockError({
            slot,
            reason: "Unavailable",
            cause: stage === "open" ? new BlockedError(cause) : cause
          })
      )
    )
  const write = (owner: string, now: number, lease: Duration.Duration): IndexedDb.Decision<boolean> => ({
    result: true,
    write: { value: { owner, at: now, end: now + Duration.toMillis(lease) } }
  })
  return LeaseLock.make({
    acquire: (slot, owner, lease) =>
      update(slot, (stored, now) =>
        stored === undefined || stored.end <= now || stored.at > now + clockTolerance
          ? write(owner, now, lease)
          : { result: false }
      ),
    renew: (slot, owner, lease) =>
      update(slot, (stored, now) =>
        stored?.owner === owner && stored.end > now ? write(owner, now, lease) : { result: false }
      ),
    release: (slot, owner) =>
      Effect.asVoid(
        update(slot, (stored) => (stored?.owner === owner ? { result: true, write: "delete" } : { result: false }))
      )
  })
})

const margin = Duration.seconds(2)

/** A lease from a later time than this was taken before the clock was put back: it would last until then. */
const clockTolerance = 5_000

interface Lease {
  readonly owner: string
  readonly at: number
  readonly end: number
}

const isLease = (stored: unknown): stored is Lease =>
  typeof stored === "object" &&
  stored !== null &&
  "owner" in stored &&
  "at" in stored &&
  "end" in stored &&
  typeof stored.owner === "string" &&
  typeof stored.at === "number" &&
  typeof stored.end === "number"

/** IndexedDB cannot be opened here, by this tab or any other. */
class BlockedError extends Error {
  override readonly name = "SecurityError"
  constructor(cause: unknown) {
    super("IndexedDB cannot be opened", { cause })
  }
}

const isLockManagerThere = () => typeof globalThis.navigator?.locks?.request === "function"

const isBlocked = (error: unknown) =>
  error instanceof SessionLock.SessionLockError &&
  error.reason === "Unavailable" &&
  typeof error.cause === "object" &&
  error.cause !== null &&
  "name" in error.cause &&
  error.cause.name === "SecurityError"
