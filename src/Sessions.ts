/**
 * Many sessions in one process: a server has one for each user, an account
 * switcher one for each account. A slot is named where it is used, so that no
 * two users can meet; idle slots leave the memory, and come back from the
 * storage when they are asked for.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Slots from "./internal/slots.ts"
import { CurrentSlot } from "./Session.ts"

/**
 * How long the process remembers slots that nobody uses. Their sessions stay in the storage: what is forgotten is only
 * read again. A slot that is being refreshed or listened to, or whose session could not be stored, is in use.
 *
 * **Example** (A large server)
 *
 * ```ts
 * import type { Sessions } from "effect-oneentry"
 *
 * export const options: Sessions.Options = { maxIdle: 100_000, idleTimeToLive: "30 minutes" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How many; 10,000. The ones used longest ago go first. */
  readonly maxIdle?: number | undefined
  /** For how long after their last use; 10 minutes. They go with the next use of any slot. */
  readonly idleTimeToLive?: Duration.Input | undefined
}

/**
 * Sets how many idle slots stay in memory, for the clients that are built with it.
 *
 * **Example** (Below the client)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { OneEntry, Sessions, TokenStorage } from "effect-oneentry"
 *
 * export const layer = OneEntry.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer, Sessions.layer({ maxIdle: 100_000 })])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never> => Layer.succeed(Slots.Idle, options)

/**
 * Runs an effect with the session of a slot: everything in it, fibers that it forks included, is that user's.
 *
 * **Example** (A request of a user)
 *
 * ```ts
 * import { Sessions, Users } from "effect-oneentry"
 *
 * export const profileOf = (userId: string) =>
 *   Users.Users.use((users) => users.getUser()).pipe(Sessions.withSlot(`user:${userId}`))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const withSlot =
  (slot: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(effect, CurrentSlot, slot)
