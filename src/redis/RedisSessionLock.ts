/**
 * A session lock in Redis, for many processes: a key with the owner's name
 * that ends by itself, given back and prolonged by its owner only. Where the
 * server's clock is put back, a dead process's lease lasts ten minutes longer
 * at the most (ten times the lease, if that is more).
 *
 * It is a lock of one server (or of one cluster slot): after a failover two
 * owners are possible. That costs a refresh more, not a session: what keeps
 * the session right is the storage's compare-and-set.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as LeaseLock from "../internal/leaseLock.ts"
import * as SessionLock from "../SessionLock.ts"
import { safeCause } from "./internal/safeCause.ts"

/**
 * How locks are kept in Redis.
 *
 * **Example** (A crashed process hinders the others for ten seconds at most)
 *
 * ```ts
 * import type { RedisSessionLock } from "effect-oneentry/redis"
 *
 * export const options: RedisSessionLock.Options = { lease: "10 seconds" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What every key begins with; `"oneentry:"` by default. */
  readonly prefix?: string | undefined
  /**
   * How long a lease is, renewed while the lock is held. By default it is as
   * long as the lock may be held, and two seconds. A shorter one lets the
   * others go on sooner after a crash, and a stopped process lose it sooner.
   */
  readonly lease?: Duration.Input | undefined
  /** How long the server may take to answer before the lock is `Unavailable`; 5 seconds by default. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * Locks sessions in Redis.
 *
 * **Example** (Together with the storage)
 *
 * ```ts
 * import * as NodeRedis from "@effect/platform-node/NodeRedis"
 * import { Layer } from "effect"
 * import { RedisSessionLock, RedisTokenStorage } from "effect-oneentry/redis"
 *
 * export const layer = Layer.merge(RedisTokenStorage.layer(), RedisSessionLock.layer()).pipe(
 *   Layer.provide(NodeRedis.layer({ url: "redis://127.0.0.1:6379", disableOfflineQueue: true }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<never, never, Redis.Redis> =>
  Layer.effect(SessionLock.SessionLock, make(options))

/**
 * Makes a lock in Redis.
 *
 * **Example** (A lock at hand)
 *
 * ```ts
 * import { Duration, Effect } from "effect"
 * import { RedisSessionLock } from "effect-oneentry/redis"
 *
 * export const alone = Effect.flatMap(RedisSessionLock.make(), (lock) =>
 *   lock.withLock("ann", { maxHold: Duration.seconds(30) })(Effect.log("alone")))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = /* @__PURE__ */ Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<SessionLock.SessionLock, never, Redis.Redis> {
  const redis = yield* Redis.Redis
  const prefix = options?.prefix ?? "oneentry:"
  const keyOf = (slot: string) => `${prefix}lock:${slot}`
  const run = <A>(slot: string, effect: Effect.Effect<A, Redis.RedisError>) =>
    Effect.mapError(
      effect,
      (error) => new SessionLock.SessionLockError({ slot, reason: "Unavailable", cause: safeCause(error) })
    )
  return LeaseLock.make(
    {
      acquire: (slot, owner, lease) =>
        Effect.map(
          run(
            slot,
            redis.send<unknown>(
              "EVAL",
              acquire,
              "1",
              keyOf(slot),
              owner,
              millis(lease),
              millis(LeaseLock.longest(lease))
            )
          ),
          (answer) => answer === 1
        ),
      renew: (slot, owner, lease) =>
        Effect.map(
          run(slot, redis.send<unknown>("EVAL", renew, "1", keyOf(slot), owner, millis(lease))),
          (answer) => answer === 1
        ),
      release: (slot, owner) => run(slot, Effect.asVoid(redis.send("EVAL", release, "1", keyOf(slot), owner)))
    },
    options
  )
})

const millis = (duration: Duration.Duration) => String(Math.max(1, Math.ceil(Duration.toMillis(duration))))

// Each script goes out as one command, with its text: one that is sent after
// an unanswered one must follow it in the client's queue, and not wait for the
// script to be loaded first.

// Keys expire by the server's clock: where that is put back by an hour, a dead
// process's lease would last an hour longer.
const acquire = `
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[3]) then
  redis.call('DEL', KEYS[1])
end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 1
end
return 0
`

const renew = `
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
`

const release = `
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
`
