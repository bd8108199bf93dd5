/**
 * What may be told of a Redis failure. A server that does not know a command
 * answers with the arguments it was given, and those hold the session.
 */
import type { RedisError } from "effect/persistence/Redis"

export const safeCause = (error: RedisError): Error => {
  const { cause } = error
  const message =
    (cause instanceof Error ? cause.message : String(cause)).split(/,?\s*with args beginning with/)[0] ?? ""
  const safe = new Error(message.slice(0, 300))
  safe.name = cause instanceof Error ? cause.name : "RedisError"
  return safe
}
