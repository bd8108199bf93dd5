/** The transport straight to `fetch`, for who needs no `HttpClient` besides: without the modules of `effect/http`. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClientOptions from "../ClientOptions.ts"
import * as FetchClient from "../FetchClient.ts"
import type * as OneEntryError from "../OneEntryError.ts"
import * as Lean from "./lean.ts"
import * as Transport from "./transport.ts"

/** One GET whose answer is left unread, under the rules of the transport. */
export const open = (
  transport: Transport.Transport,
  call: Transport.Call
): Effect.Effect<Response, OneEntryError.OneEntryError> =>
  transport.run(call, (fiber, deadlines) =>
    FetchClient.open(Lean.requestOf(transport.project, call, undefined, fiber, deadlines))
  )

/** Makes the transport of a project over a `fetch`; a caller's `FetchClient.Fetch` comes before it. */
export const make = (
  project: ClientOptions.Project,
  fetch: typeof globalThis.fetch | undefined
): Effect.Effect<Transport.Transport, never, Scope.Scope> =>
  Transport.make(project, (call, fiber, deadlines) =>
    Lean.isPlain(call.body)
      ? FetchClient.lean(Lean.requestOf(project, call, call.body, fiber, deadlines), FetchClient.fetchOf(fiber, fetch))
      : // Only `FileUploading` sends streams, and it has an `HttpClient`.
        Effect.fail<Lean.Failure>({ _tag: "Network", description: "a stream needs an HttpClient" })
  )

/** Checks the options and makes the transport. */
export const connect = (
  options: ClientOptions.ClientOptions
): Effect.Effect<Transport.Transport, OneEntryError.OneEntryError, Scope.Scope> =>
  Effect.flatMap(ClientOptions.resolve(options), (project) =>
    Effect.flatMap(FetchClient.Fetch, (fetch) => make(project, fetch))
  )
