/** Effects in components: what is still running when a component goes away is interrupted. */
import { Cause, Effect, Exit, Fiber, Option, Stream } from "effect"
import { type OneEntry, type OneEntryError, Session } from "effect-oneentry"
import { useCallback, useEffect, useRef, useState } from "react"
import { runtime } from "./oneentry.ts"

type Run<A, E> = Effect.Effect<A, E, OneEntry.Services>

const start = <A, E>(effect: Run<A, E>, onExit: (exit: Exit.Exit<A, E | OneEntryError.OneEntryError>) => void) => {
  const fiber = runtime.runFork(effect)
  const stop = fiber.addObserver((exit) => onExit(exit))
  return () => {
    stop()
    Effect.runFork(Fiber.interrupt(fiber))
  }
}

export type State<A, E> =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Running" }
  | { readonly _tag: "Done"; readonly value: A }
  | { readonly _tag: "Failed"; readonly error: E | OneEntryError.OneEntryError }

const stateOf = <A, E>(exit: Exit.Exit<A, E>): State<A, E> =>
  Exit.isSuccess(exit)
    ? { _tag: "Done", value: exit.value }
    : Option.match(Cause.findErrorOption(exit.cause), {
        onNone: () => ({ _tag: "Idle" }),
        onSome: (error) => ({ _tag: "Failed", error })
      })

/** Something that a form or a button does, one at a time. */
export const useAction = <Args extends ReadonlyArray<unknown>, A, E>(make: (...args: Args) => Run<A, E>) => {
  const [state, setState] = useState<State<A, E>>({ _tag: "Idle" })
  const stop = useRef(() => {})
  useEffect(() => () => stop.current(), [])
  const run = (...args: Args) => {
    stop.current()
    setState({ _tag: "Running" })
    stop.current = start(make(...args), (exit) => setState(stateOf(exit)))
  }
  return [state, run] as const
}

/** Something that a page shows, loaded when it is first shown and whenever it is asked for again. */
export const useLoaded = <A, E>(effect: Run<A, E>) => {
  const [state, setState] = useState<State<A, E>>({ _tag: "Running" })
  const stop = useRef(() => {})
  const load = useCallback(() => {
    stop.current()
    stop.current = start(effect, (exit) => setState(stateOf(exit)))
  }, [effect])
  useEffect(() => {
    load()
    return () => stop.current()
  }, [load])
  return [state, load] as const
}

/** The values of a stream as they come. */
export const useStream = <A>(stream: Stream.Stream<A, never, OneEntry.Services>, initial: A) => {
  const [value, setValue] = useState(initial)
  useEffect(
    () =>
      start(
        Stream.runForEach(stream, (next) => Effect.sync(() => setValue(next))),
        () => {}
      ),
    [stream]
  )
  return value
}

export interface Visitor {
  readonly session: Option.Option<Session.SessionInfo> | undefined
  /** Whether somebody has come or gone since the page was opened. */
  readonly changed: boolean
  /** How the last session ended, if this page saw it end. */
  readonly ended?: Session.SignedOutReason
}

const visitors = Stream.unwrap(Session.Session.use((session) => Effect.succeed(session.changes))).pipe(
  Stream.scan(
    (): Visitor => ({ session: undefined, changed: false }),
    (before, event): Visitor => {
      switch (event._tag) {
        case "State":
          return { session: event.session, changed: false }
        case "SignedIn":
          return { session: Option.some(event.session), changed: true }
        case "Refreshed":
          return { ...before, session: Option.some(event.session) }
        case "SignedOut":
          return { session: Option.none(), changed: true, ended: event.reason }
        default:
          return before
      }
    }
  )
)

/** Who is there, whatever tab it was that signed in or out. */
export const useVisitor = (): Visitor => useStream(visitors, { session: undefined, changed: false })
