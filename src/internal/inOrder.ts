/**
 * One stream after the other: what `Stream.concat` and `Stream.flatMap` do, without the concurrency that they bring
 * along, which is 3 KiB of a bundle.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Each stream is opened when the one before it has ended and was closed. */
export const inOrder = <A, E>(streams: () => Iterator<Stream.Stream<A, E>>): Stream.Stream<A, E> =>
  Stream.unwrap(
    Effect.map(Effect.scope, (outer) => {
      const iterator = streams()
      let current:
        | { readonly pull: Pull.Pull<readonly [A, ...Array<A>], E>; readonly scope: Scope.Closeable }
        | undefined
      const next: Pull.Pull<readonly [A, ...Array<A>], E> = Effect.suspend(() => {
        if (current !== undefined) {
          const { pull, scope } = current
          return Pull.catchDone(pull, () => {
            current = undefined
            return Effect.andThen(Scope.close(scope, Exit.void), next)
          })
        }
        const following = iterator.next()
        if (following.done === true) return Cause.done()
        return Effect.flatMap(Scope.fork(outer), (scope) =>
          Effect.flatMap(Scope.provide(Stream.toPull(following.value), scope), (pull) => {
            current = { pull, scope }
            return next
          })
        )
      })
      return Stream.fromPull(Effect.succeed(next))
    })
  )
