/** What one reader has yet to hear, in order, as a stream: what it needs of Effect's queue, without its 1.5 KiB. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"

export interface Mailbox<A, E> {
  readonly put: (item: A) => void
  /** Nothing more comes; what is there already is still read. */
  readonly end: (exit: Exit.Exit<unknown, E>) => void
  /** For one reader. */
  readonly stream: Stream.Stream<A, E>
}

/** Makes a mailbox for at most so many items: the oldest make room. */
export const make = <A, E = never>(size = Number.POSITIVE_INFINITY): Mailbox<A, E> => {
  let items: Array<A> = []
  let ended: Exit.Exit<unknown, E> | undefined
  let wake: (() => void) | undefined
  const pull = Effect.callback<readonly [A, ...Array<A>], E | Cause.Done>((resume) => {
    const give = (): void => {
      const [first, ...rest] = items
      if (first === undefined && ended === undefined) return
      items = []
      wake = undefined
      if (first !== undefined) resume(Effect.succeed([first, ...rest]))
      else if (ended !== undefined) resume(Exit.isFailure(ended) ? Exit.failCause(ended.cause) : Cause.done())
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
      if (items.length > size) items.shift()
      wake?.()
    },
    end: (exit) => {
      ended = exit
      wake?.()
    },
    stream: Stream.fromPull(Effect.succeed(pull))
  }
}

/** What an effect puts into a mailbox while it runs; leaving the stream ends the effect. */
export const during = <A, E, R>(
  size: number,
  run: (put: (item: A) => void) => Effect.Effect<unknown, E, R>
): Stream.Stream<A, E, R> =>
  Stream.unwrap(
    Effect.suspend(() => {
      const mailbox = make<A, E>(size)
      const running = Effect.onExit(run(mailbox.put), (exit) => Effect.sync(() => mailbox.end(exit)))
      return Effect.as(Effect.forkScoped(running), mailbox.stream)
    })
  )
