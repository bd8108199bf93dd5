/**
 * A 401 on its way to the refresh. It is no error: nobody outside sees it, and the capture of its stack would be a third
 * of what a refused call costs, where a thousand of them come at once.
 */
import * as Effect from "effect/Effect"

export class Refused {
  /** The one that the call was sent with; none of a call without. */
  readonly accessToken: string
  readonly messages: ReadonlyArray<string>

  constructor(headers: Readonly<Record<string, string>>, messages: ReadonlyArray<string>) {
    this.accessToken = headers["authorization"]?.slice("Bearer ".length) ?? ""
    this.messages = messages
  }
}

export const isRefused = (u: unknown): u is Refused => u instanceof Refused

/** Fails with the 401 of a call with these headers. */
export const refused = (
  headers: Readonly<Record<string, string>>,
  messages: ReadonlyArray<string> = []
): Effect.Effect<never, Refused> => Effect.fail(new Refused(headers, messages))
