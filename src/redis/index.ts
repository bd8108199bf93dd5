/**
 * Sessions of many processes in Redis, on Effect's own `Redis` service: a
 * storage with an atomic compare-and-set, and a lock with leases.
 *
 * @since 0.1.0
 */
export * as RedisSessionLock from "./RedisSessionLock.ts"
export * as RedisTokenStorage from "./RedisTokenStorage.ts"
