/**
 * The answer of a call as the server gave it, for whoever started the call. The services of this package decode answers
 * into their own types; code written for the official SDK wants what was on the wire.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Lean from "../../internal/lean.ts"
import type { Transport } from "../../internal/transport.ts"

export interface Recorder {
  /** Only the answer of this operation is kept: a refresh or an upload on the way is none of it. */
  readonly operation: string
  answer: Lean.Answer | undefined
}

export const Recorder: Context.Reference<Recorder | undefined> = Context.Reference<Recorder | undefined>(
  "effect-oneentry/promise/Recorder",
  { defaultValue: () => undefined }
)

/** A transport that shows each answer to the recorder of the calling fiber. */
export const recording = (transport: Transport): Transport => ({
  ...transport,
  send: (call) =>
    Effect.withFiber((fiber) => {
      const recorder = fiber.getRef(Recorder)
      if (recorder === undefined || recorder.operation !== call.operation) return transport.send(call)
      return Effect.map(transport.send(call), (answer) => {
        recorder.answer = answer
        return answer
      })
    })
})
