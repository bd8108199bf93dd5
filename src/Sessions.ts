/**
 * Many sessions in one process: a server has one for each user, an account
 * switcher one for each account. A slot is named where it is used, so that no
 * two users can meet; idle slots leave the memory, and come back from the
 * storage when they are asked for.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { CurrentSlot } from "./Session.ts"

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
export const withSlot = (slot: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, CurrentSlot, slot)
