/**
 * Cloudflare Workers, where requests share the memory but not their I/O. A request that waits for nothing of its own is
 * given up as hung; and who is woken by another request goes on in that one's name, and ends with it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Waiting, type Wait } from "../../internal/waiting.ts"

const isWorker = (): boolean => globalThis.navigator?.userAgent === "Cloudflare-Workers"

/** As long as a timer can be. Nothing happens at its end: it says that somebody is waiting. */
const forever = 2 ** 31 - 1

/** A promise made by who waits comes back to the request of who waits, and a timer keeps that open. */
export const awaited = async <A>(
  start: (resolve: (value: A) => void, reject: (reason: unknown) => void) => void
): Promise<A> => {
  const timer = setTimeout(() => {}, forever)
  try {
    return await new Promise<A>(start)
  } finally {
    clearTimeout(timer)
  }
}

const waitAcrossRequests: Wait = <A, E>(wait: Effect.Effect<A, E>) =>
  Effect.flatMap(Effect.context<never>(), (context) =>
    Effect.callback<A, E>((resume) => {
      const fiber = Effect.runForkWith(context)(wait)
      const exit = awaited<Exit.Exit<A, E>>((resolve) => fiber.addObserver(resolve))
      void exit.then(resume)
      return Fiber.interrupt(fiber)
    })
  )

/** Visits share refreshes, and so wait for each other. */
export const provideWaiting = <R>(context: Context.Context<R>): Context.Context<R> =>
  isWorker() ? Context.add(context, Waiting, waitAcrossRequests) : context

/** The `ctx` that the platform gives beside a request. */
interface ExecutionContext {
  readonly waitUntil: (promise: Promise<unknown>) => void
}

const isExecutionContext = (u: unknown): u is ExecutionContext =>
  typeof u === "object" && u !== null && "waitUntil" in u && typeof u.waitUntil === "function"

/** Lets a request come to its end even if its visitor goes away: others may be waiting for what it does. */
export const keepAlive = (args: ReadonlyArray<unknown>, request: Promise<unknown>): void => {
  for (const arg of args) if (isExecutionContext(arg)) arg.waitUntil(request.catch(() => {}))
}
