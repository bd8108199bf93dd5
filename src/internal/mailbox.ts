/** What one reader has yet to hear, in order, as a stream: what it needs of Effect's queue, without its 1 KiB. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

export interface Mailbox<A> {
  readonly put: (item: A) => void
  /** For one reader. It never ends. */
  readonly stream: Stream.Stream<A>
}

export const make = <A>(): Mailbox<A> => {
  let items: Array<A> = []
  let wake: (() => void) | undefined
  const pull = Effect.callback<readonly [A, ...Array<A>]>((resume) => {
    const give = (): void => {
      const [first, ...rest] = items
      if (first === undefined) return
      items = []
      wake = undefined
      resume(Effect.succeed([first, ...rest]))
    }
    wake = give
    give()
    // Who was interrupted takes nothing with him.
    return Effect.sync(() => {
      wake = undefined
    })
  })
  return {
    put: (item) => {
      items.push(item)
      wake?.()
    },
    stream: Stream.fromPull(Effect.succeed(pull))
  }
}
