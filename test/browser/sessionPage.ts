/**
 * A tab of a single-page application: a client on the browser's storage and lock; `window.app` is driven from outside.
 */
import { Cause, Effect, Exit, Layer, ManagedRuntime, Option, Redacted, Stream } from "effect"
import * as AuthProvider from "effect-oneentry/AuthProvider"
import * as FetchClient from "effect-oneentry/FetchClient"
import * as OneEntry from "effect-oneentry/OneEntry"
import * as Session from "effect-oneentry/Session"
import * as Users from "effect-oneentry/Users"
import * as Browser from "effect-oneentry/browser"

interface Start {
  readonly url: string
  readonly appToken: string
  readonly storage: NonNullable<Browser.Options["storage"]>
  /** `false` hides the browser's, as on a page without https. */
  readonly webLocks: boolean
}

let holding = false
let held = false
let freezing = false
let answered = false
const { fetch } = window
window.fetch = async (input, init) => {
  if (!String(input).endsWith("/users/refresh")) return fetch(input, init)
  if (holding) {
    held = true
    return new Promise(() => {})
  }
  const response = await fetch(input, init)
  answered = true
  return response
}
const { put } = IDBObjectStore.prototype
IDBObjectStore.prototype.put = function (...args) {
  if (freezing && answered) for (;;);
  return put.apply(this, args)
}

const makeRuntime = ({ appToken, storage, url, webLocks }: Start) => {
  if (!webLocks) Object.defineProperty(navigator, "locks", { value: undefined })
  return ManagedRuntime.make(
    OneEntry.layer({ url, appToken: Redacted.make(appToken), requestTimeout: "5 seconds" }).pipe(
      Layer.provide([Browser.layer({ storage }), FetchClient.layer])
    )
  )
}
let runtime: ReturnType<typeof makeRuntime> | undefined
const events: Array<string> = []

const run = async <A, E>(
  effect: Effect.Effect<A, E, AuthProvider.AuthProvider | Session.Session | Users.Users>
): Promise<{ readonly value?: A; readonly tag?: string; readonly message?: string }> => {
  if (runtime === undefined) return { tag: "NotStarted" }
  const exit = await runtime.runPromiseExit(effect)
  if (Exit.isSuccess(exit)) return { value: exit.value }
  const error = Cause.squash(exit.cause)
  return { tag: error instanceof Error && "_tag" in error ? String(error._tag) : "defect", message: String(error) }
}

const app = {
  start: async (options: Start) => {
    runtime = makeRuntime(options)
    runtime.runFork(
      Effect.flatMap(Session.Session, (session) =>
        Stream.runForEach(session.changes, (event) =>
          Effect.sync(() => {
            events.push(event._tag === "SignedOut" ? `${event._tag} ${event.reason}` : event._tag)
          })
        )
      )
    )
    return run(Effect.map(Session.Session, () => "started"))
  },
  signIn: (login: string, password: string) =>
    run(
      Effect.flatMap(AuthProvider.AuthProvider, (auth) =>
        Effect.map(
          auth.auth("email", {
            authData: [
              { marker: "email_reg", value: login },
              { marker: "password_reg", value: Redacted.make(password) }
            ]
          }),
          (session) => session.userIdentifier
        )
      )
    ),
  logout: () =>
    run(
      Effect.map(
        Effect.flatMap(AuthProvider.AuthProvider, (auth) => auth.logout()),
        (result) => result.revoked
      )
    ),
  me: () =>
    run(
      Effect.map(
        Effect.flatMap(Users.Users, (users) => users.getUser()),
        (user) => user.identifier
      )
    ),
  /** Several calls at once; what each came to. */
  calls: async (count: number) => {
    const results = await Promise.all(Array.from({ length: count }, () => app.me()))
    return results.map((result) => result.value ?? `${result.tag}: ${result.message}`)
  },
  current: () =>
    run(
      Effect.flatMap(Session.Session, (session) =>
        Effect.map(
          session.current,
          Option.match({
            onNone: () => "nobody",
            onSome: (info) => info.userIdentifier ?? "somebody"
          })
        )
      )
    ),
  events: () => [...events],
  /** From now on this tab's refreshes are not sent; `held` says whether one would have been. */
  holdRefreshes: () => {
    holding = true
  },
  held: () => held,
  /** The new pair never gets written, and the tab's thread stands still: it is as good as gone. */
  freezeBeforeTheNewPair: () => {
    freezing = true
  }
}

declare global {
  interface Window {
    app: typeof app
  }
}
window.app = app
