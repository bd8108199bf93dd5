/**
 * Sessions in Redis, for many processes: each operation is one command or one
 * Lua script, so `compareAndSet` is atomic on the server, entries expire by
 * themselves, and other processes hear which slot has changed by pub/sub. No
 * message carries a token.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TokenStorage from "../TokenStorage.ts"
import { safeCause } from "./internal/safeCause.ts"

/**
 * How sessions are kept in Redis.
 *
 * **Example** (The lifetime of the provider's refresh tokens)
 *
 * ```ts
 * import type { RedisTokenStorage } from "effect-oneentry/redis"
 *
 * export const options: RedisTokenStorage.Options = { prefix: "shop:", timeToLive: "7 days" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What every key and channel begins with; `"oneentry:"` by default. */
  readonly prefix?: string | undefined
  /**
   * How long an entry lives after it was last written; 30 days by default.
   * Make it the lifetime of the provider's refresh tokens (`refreshTokenTtlMc`
   * of its configuration): what is older can restore no session.
   */
  readonly timeToLive?: Duration.Input | undefined
  /** How long the server may take to answer before an operation fails; 5 seconds by default. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * Keeps sessions in Redis.
 *
 * Give the client `disableOfflineQueue: true` (or what it calls that): a write
 * that waited for the server to come back would overwrite a newer one.
 * And give the server `appendfsync always`, where sessions should outlive its
 * crash: one that comes back with older entries brings spent refresh tokens
 * back, and ends those sessions.
 *
 * **Example** (On Node)
 *
 * ```ts
 * import * as NodeRedis from "@effect/platform-node/NodeRedis"
 * import { Layer } from "effect"
 * import { RedisTokenStorage } from "effect-oneentry/redis"
 *
 * export const layer = RedisTokenStorage.layer({ timeToLive: "7 days" }).pipe(
 *   Layer.provide(NodeRedis.layer({ url: "redis://127.0.0.1:6379", disableOfflineQueue: true }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<TokenStorage.TokenStorage, never, Redis.Redis> =>
  Layer.effect(TokenStorage.TokenStorage, make(options))

/**
 * Makes a storage in Redis.
 *
 * **Example** (Encrypted, under one prefix for each tenant)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import { RedisTokenStorage } from "effect-oneentry/redis"
 *
 * export const storageOf = (tenant: string, key: TokenStorage.EncryptionKey) =>
 *   Effect.flatMap(RedisTokenStorage.make({ prefix: `${tenant}:` }), (storage) =>
 *     TokenStorage.makeEncrypted(storage, key))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = /* @__PURE__ */ Effect.fnUntraced(function* (
  options?: Options
): Effect.fn.Return<TokenStorage.TokenStorage["Service"], never, Redis.Redis | Scope.Scope> {
  const redis = yield* Redis.Redis
  const prefix = options?.prefix ?? "oneentry:"
  const keyOf = (slot: string) => `${prefix}session:${slot}`
  const channel = `${prefix}changes`
  const timeout = Duration.fromInputUnsafe(options?.timeout ?? Duration.seconds(5))
  const timeToLive = Duration.fromInputUnsafe(options?.timeToLive ?? Duration.days(30))
  const milliseconds = Duration.isFinite(timeToLive) ? Math.max(1, Math.ceil(Duration.toMillis(timeToLive))) : 0
  // Whose messages are echoes.
  const origin = Base64Url.encode(globalThis.crypto.getRandomValues(new Uint8Array(9)))

  const run = <A>(
    operation: TokenStorage.TokenStorageError["operation"],
    slot: string,
    effect: Effect.Effect<A, Redis.RedisError>
  ): Effect.Effect<A, TokenStorage.TokenStorageError> =>
    effect.pipe(
      Effect.mapError((error) => new TokenStorage.TokenStorageError({ operation, slot, cause: safeCause(error) })),
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () =>
          Effect.fail(
            new TokenStorage.TokenStorageError({
              operation,
              slot,
              cause: new Error(`Redis did not answer within ${Duration.format(timeout)}`)
            })
          )
      })
    )

  const writing = redis.eval(write)
  const swapping = redis.eval(compareAndSet)
  const message = (slot: string) => `${origin} ${slot}`

  const changes = yield* Effect.map(redis.subscribe(channel), Stream.fromQueue).pipe(
    Stream.unwrap,
    Stream.map(({ message }) => message),
    // The subscription of a client that gives up is taken again.
    Stream.retry(Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("10 seconds")])),
    Stream.filter((message) => !message.startsWith(`${origin} `)),
    Stream.map((message) => message.slice(message.indexOf(" ") + 1)),
    Stream.mapError(
      (error) => new TokenStorage.TokenStorageError({ operation: "changes", slot: "*", cause: safeCause(error) })
    ),
    // One connection, however many sessions listen, and none when nobody does.
    Stream.share({ capacity: "unbounded" })
  )

  return TokenStorage.make({
    get: (slot) =>
      Effect.map(run("get", slot, redis.send<unknown>("GET", keyOf(slot))), (value) =>
        typeof value === "string" ? value : undefined
      ),
    set: (slot, value) => run("set", slot, writing(keyOf(slot), value, milliseconds, channel, message(slot))),
    remove: (slot) => run("remove", slot, writing(keyOf(slot), undefined, 0, channel, message(slot))),
    compareAndSet: (slot, expected, next) =>
      Effect.map(
        run("compareAndSet", slot, swapping(keyOf(slot), expected, next, milliseconds, channel, message(slot))),
        (swapped) => swapped === 1
      ),
    changes
  })
})

// A present value is marked with "=", for an empty string is a value too.
const marked = (value: string | undefined) => (value === undefined ? "" : `=${value}`)

const put = `
local function put(key, value, ttl)
  if value == '' then
    return redis.call('DEL', key)
  elseif ttl == '0' then
    redis.call('SET', key, string.sub(value, 2))
  else
    redis.call('SET', key, string.sub(value, 2), 'PX', ttl)
  end
  return 1
end
`

const write = Redis.script(
  (key: string, value: string | undefined, ttl: number, channel: string, message: string) => [
    key,
    marked(value),
    ttl,
    channel,
    message
  ],
  {
    numberOfKeys: 1,
    lua: `${put}
if put(KEYS[1], ARGV[1], ARGV[2]) == 1 then
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return 1
`
  }
).withReturnType<number>()

const compareAndSet = Redis.script(
  (
    key: string,
    expected: string | undefined,
    next: string | undefined,
    ttl: number,
    channel: string,
    message: string
  ) => [key, marked(expected), marked(next), ttl, channel, message],
  {
    numberOfKeys: 1,
    lua: `${put}
local stored = redis.call('GET', KEYS[1])
if stored == false then
  if ARGV[1] ~= '' then return 0 end
elseif ARGV[1] ~= '=' .. stored then
  return 0
end
if put(KEYS[1], ARGV[2], ARGV[3]) == 1 then
  redis.call('PUBLISH', ARGV[4], ARGV[5])
end
return 1
`
  }
).withReturnType<number>()
