/** The two requests that carry a refresh token, and what their answers mean. They are never intercepted. */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as OneEntryError from "../OneEntryError.ts"
import { AuthEntityWire } from "./authWire.ts"
import { unquoted } from "./quoted.ts"
import { readEnvelope, type ServerEnvelope } from "./serverEnvelope.ts"
import * as Stored from "./storedSession.ts"
import { deviceHeader, type Transport } from "./transport.ts"
import { parseDate, parseJson, parseRetryAfter } from "./wire.ts"

export type Envelope = ServerEnvelope

/** What became of an exchange. */
export type Result =
  | { readonly outcome: "rotated"; readonly session: Stored.StoredSession }
  | {
      readonly outcome: "malformed" | "rejected" | "refused" | "lost"
      readonly envelope: Envelope | undefined
      /** Why the session could not be refreshed, for the caller. */
      readonly reason: OneEntryError.Reason
      /** What the server asked to wait, in milliseconds. */
      readonly retryAfter: number | undefined
    }

const routeOf = (marker: string, name: "refresh" | "logout"): string =>
  `/api/content/users-auth-providers/marker/${encodeURIComponent(marker)}/users/${name}`

const headersOf = (transport: Transport, session: Stored.StoredSession): Readonly<Record<string, string>> => ({
  ...transport.headers,
  "content-type": "application/json",
  "x-device-metadata": deviceHeader(session.device)
})

/** Spends the refresh token of a session, once. */
export const send = (transport: Transport, session: Stored.StoredSession, clock: Clock.Clock): Effect.Effect<Result> =>
  Effect.suspend(() => {
    const sentAt = clock.currentTimeMillisUnsafe()
    const sent = {
      path: routeOf(session.marker, "refresh"),
      headers: headersOf(transport, session),
      body: JSON.stringify({ refreshToken: session.refreshToken })
    }
    return Effect.match(transport.send({ operation: "refresh", method: "POST", ...sent }), {
      onFailure: (error): Result => ({
        // A redirect and an answer past the limit are answers.
        outcome:
          error.reason._tag === "Redirected"
            ? "refused"
            : error.reason._tag === "ResponseInvalid"
              ? "malformed"
              : "lost",
        envelope: undefined,
        reason: error.reason,
        retryAfter: undefined
      }),
      onSuccess: (answer): Result => {
        const { status } = answer
        const receivedAt = clock.currentTimeMillisUnsafe()
        const serverDate = parseDate(answer.header("date"))
        // A date is by the server's clock: so is what it is counted from.
        const retryAfter = parseRetryAfter(answer.header("retry-after"), serverDate ?? receivedAt)
        const body = parseJson(answer.text)
        if (status >= 200 && status < 300) {
          const decoded = AuthEntityWire.decode(body)
          if (Exit.isFailure(decoded)) {
            return {
              outcome: "malformed",
              envelope: undefined,
              reason: new OneEntryError.ResponseInvalid({ statusCode: status, issue: "no pair of tokens" }),
              retryAfter
            }
          }
          return {
            outcome: "rotated",
            session: Stored.fromPair({
              pair: decoded.value,
              marker: session.marker,
              device: session.device,
              sentAt,
              receivedAt,
              serverDate
            })
          }
        }
        const said = readEnvelope(status, body)
        const envelope = said === undefined ? undefined : unquoted(said, sent)
        const messages = envelope?.messages ?? []
        if (envelope !== undefined && (status === 400 || status === 401 || status === 403)) {
          return { outcome: "rejected", envelope, reason: new OneEntryError.Unexpected(envelope), retryAfter }
        }
        const fields = {
          statusCode: status,
          messages,
          ...envelope,
          ...(retryAfter === undefined ? {} : { retryAfter: Duration.millis(retryAfter) })
        }
        return {
          outcome: "refused",
          envelope,
          reason:
            status === 429
              ? new OneEntryError.TooManyRequests(fields)
              : status >= 500
                ? new OneEntryError.ServerFailure(fields)
                : new OneEntryError.Unexpected({ statusCode: status, messages, ...envelope }),
          retryAfter
        }
      }
    })
  }).pipe(
    // A client that dies, or is interrupted by somebody of its own, has lost the answer.
    Effect.catchCause((cause) =>
      Effect.succeed<Result>({
        outcome: "lost",
        envelope: undefined,
        reason: new OneEntryError.Network({ description: Cause.hasInterrupts(cause) ? "interrupted" : "defect" }),
        retryAfter: undefined
      })
    )
  )

/** Tells the server to end a session; whether it did. */
const logout = (
  transport: Transport,
  session: Stored.StoredSession
): Effect.Effect<boolean, OneEntryError.OneEntryError> =>
  Effect.map(
    transport.send({
      operation: "logout",
      method: "POST",
      path: routeOf(session.marker, "logout"),
      headers: {
        ...headersOf(transport, session),
        ...(session.accessToken === "" ? {} : { authorization: `Bearer ${session.accessToken}` })
      },
      body: JSON.stringify({ refreshToken: session.refreshToken })
    }),
    (answer) => answer.status >= 200 && answer.status < 300 && answer.text.trim() !== "false"
  )

/** Best effort, for a pair that nobody will use. */
export const revoke = (transport: Transport, session: Stored.StoredSession): Effect.Effect<void> =>
  Effect.ignoreCause(logout(transport, session))
