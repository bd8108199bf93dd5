/** A failed exchange is remembered for a while, so that fifty calls make one attempt and not fifty. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { RefreshError } from "./sessionEvent.ts"
import type { Cooldown } from "./slots.ts"

const firstMillis = 1_000
const longestMillis = 60_000
const longestRetryAfterMillis = 300_000

/** The cooldown after one more failure: twice the last one, give or take a quarter, or what the server asked for. */
export const next = (
  last: Cooldown | undefined,
  failure: {
    readonly refreshToken: string
    readonly retryAfter: number | undefined
    readonly error: RefreshError
    readonly now: number
  }
): Effect.Effect<Cooldown> =>
  Effect.map(Random.next, (random) => {
    const { error, now, refreshToken, retryAfter } = failure
    const attempts = last?.refreshToken === refreshToken ? last.attempts + 1 : 1
    const backoff = Math.min(longestMillis, firstMillis * 2 ** (attempts - 1)) * (0.75 + random / 2)
    const wait = Math.max(backoff, Math.min(retryAfter ?? 0, longestRetryAfterMillis))
    return { refreshToken, since: now, until: now + wait, attempts, error }
  })

/** How long it lasts yet, in milliseconds. A clock that ran backward ends it. */
export const remaining = (cooldown: Cooldown | undefined, refreshToken: string, now: number): number =>
  cooldown !== undefined && cooldown.refreshToken === refreshToken && now >= cooldown.since
    ? Math.max(0, cooldown.until - now)
    : 0

/** Why nobody tries now. */
export const inForce = (cooldown: Cooldown | undefined, refreshToken: string, now: number): RefreshError | undefined =>
  remaining(cooldown, refreshToken, now) > 0 ? cooldown?.error : undefined
