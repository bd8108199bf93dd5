/**
 * One client: the services of the package in one runtime, the refresh token that the program keeps by itself, and the
 * way from an Effect to a Promise.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as AuthError from "../../AuthError.ts"
import * as AuthProvider from "../../AuthProvider.ts"
import * as ClientOptions from "../../ClientOptions.ts"
import * as DeviceMetadata from "../../DeviceMetadata.ts"
import * as FetchClient from "../../FetchClient.ts"
import type { SessionEvent, SessionInfo, SlotEvent } from "../../internal/sessionEvent.ts"
import * as FetchTransport from "../../internal/fetchTransport.ts"
import * as KeyedMutex from "../../internal/keyedMutex.ts"
import * as Slots from "../../internal/slots.ts"
import type * as Stored from "../../internal/storedSession.ts"
import type * as Transport from "../../internal/transport.ts"
import { notJson, parseJson } from "../../internal/wire.ts"
import * as OneEntryError from "../../OneEntryError.ts"
import * as Session from "../../Session.ts"
import * as TokenStorage from "../../TokenStorage.ts"
import { type Device, deviceOf } from "./device.ts"
import * as Endpoints from "./endpoints.ts"
import { type Failure, type PlainError, toPlain } from "./failure.ts"
import { Recorder, recording } from "./recorder.ts"
import { isRefused, type Refused } from "../../internal/refused.ts"

export interface Options {
  readonly client: ClientOptions.ClientOptions
  readonly storage: TokenStorage.TokenStorage["Service"] | undefined
  readonly fetch: typeof globalThis.fetch | undefined
  readonly device: Device | undefined
  readonly refreshToken: string | undefined
  readonly saveFunction: ((refreshToken: string) => unknown) | undefined
  readonly customAuth: boolean
  readonly validation: { readonly enabled: boolean; readonly strictMode: boolean; readonly logErrors: boolean }
  /** What becomes of an error: given back or thrown. */
  readonly settle: (error: PlainError) => unknown
}

/** The services, as calls see them. */
export interface Services {
  readonly langCode: string
  readonly transport: Transport.Transport
  readonly session: Session.Internal
  readonly auth: AuthProvider.AuthProvider["Service"]
  readonly plain: Endpoints.Endpoints
}

interface Ready {
  readonly services: Services
  /** Takes over the tokens that were set by hand. */
  readonly adopt: Effect.Effect<void, OneEntryError.OneEntryError | TokenStorage.TokenStorageError>
}

class Client extends Context.Service<Client, Effect.Effect<Ready, OneEntryError.OneEntryError>>()(
  "effect-oneentry/promise/Client"
) {}

/** A call and what to make of it. */
export interface Call<A> {
  readonly operation: string
  readonly run: (services: Services) => Effect.Effect<A, Failure>
  /** What the program gets; `body` is what the server said, `undefined` where there was no answer or an empty one. */
  readonly result: (value: A | undefined, body: unknown, services: Services) => unknown
  /** The result when the answer did not decode: by default what the server said all the same. */
  readonly undecoded?: "failure" | undefined
}

/** How long a call waits for the refresh token to be saved: a `saveFunction` that waits for this client would never end. */
const saveTimeout = "5 seconds"

export const make = (options: Options) => {
  const { customAuth, saveFunction, validation } = options

  // -------------------------------------------------------------------------
  // tokens by hand
  // -------------------------------------------------------------------------

  /** Tokens that were set and not yet taken over; the one of the configuration yields to a stored session. */
  let given: { readonly accessToken?: string; readonly refreshToken?: string; readonly initial?: true } | undefined =
    options.refreshToken === undefined ? undefined : { refreshToken: options.refreshToken, initial: true }
  /** An access token without a refresh token. */
  let bare: string | undefined

  // -------------------------------------------------------------------------
  // the function that saves
  // -------------------------------------------------------------------------

  let told = options.refreshToken
  /** All that is being saved, in order. */
  let saving: Promise<void> = Promise.resolve()

  const tell = (token: string, failed: (cause: unknown) => void): void => {
    if (saveFunction === undefined || token === told) return
    told = token
    saving = saving.then(async () => {
      try {
        await saveFunction(token)
      } catch (cause) {
        failed(cause)
      }
    })
  }

  /** Runs an effect, and waits for what it gave to be saved. */
  const saved = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const before = saving
      return Effect.onExit(effect, () =>
        Effect.suspend(() =>
          saving === before
            ? Effect.void
            : Effect.asVoid(
                Effect.timeoutOption(
                  Effect.promise(() => saving),
                  saveTimeout
                )
              )
        )
      )
    })

  // -------------------------------------------------------------------------
  // services
  // -------------------------------------------------------------------------

  /** Calls in the name of an access token that nobody refreshes. */
  const byHand = (transport: Transport.Transport, session: Session.Internal): Session.Internal => {
    const manualToken = Effect.map(
      session.peek,
      (stored) => bare ?? (customAuth && stored?.accessToken !== "" ? stored?.accessToken : undefined)
    )
    const once = <A, E>(
      token: string,
      attempt: (headers: Readonly<Record<string, string>>, accessToken: string) => Effect.Effect<A, E | Refused>
    ): Effect.Effect<A, E | Session.RefreshError> => {
      const attempted: Effect.Effect<A, E | Session.RefreshError | Refused> = attempt(
        { ...transport.headers, authorization: `Bearer ${token}` },
        token
      )
      return Effect.catchIf(attempted, isRefused, (error) =>
        Effect.fail(
          new AuthError.TokenExpired({
            marker: transport.project.providerMarker,
            statusCode: 401,
            messages: error.messages,
            reason: "Refused"
          })
        )
      )
    }
    const forget = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        bare = undefined
        return effect
      })
    return {
      ...session,
      signIn: (next: Stored.StoredSession) => forget(session.signIn(next)),
      signOut: (reason) => forget(session.signOut(reason)),
      authorized: (attempt) =>
        Effect.flatMap(manualToken, (token) =>
          token !== undefined
            ? once(token, attempt)
            : customAuth
              ? Effect.fail(new AuthError.NotAuthenticated({ slot: transport.project.slot }))
              : session.authorized(attempt)
        ),
      optionally: (attempt) =>
        Effect.flatMap(manualToken, (token) =>
          token === undefined ? session.optionally(attempt) : once(token, attempt)
        )
    }
  }

  const build = Effect.gen(function* () {
    const project = yield* ClientOptions.resolve(options.client)
    const transport = recording(yield* FetchTransport.make(project, options.fetch))
    const own = yield* Session.makeInternal(transport)
    const session = byHand(transport, own)
    const clock = yield* Clock.Clock

    const slot = own.registry.get(project.slot, clock.currentTimeMillisUnsafe())
    const context = yield* Effect.context<never>()
    const listener = (event: SlotEvent): void => {
      if (event._tag === "StorageDegraded") return
      // A token that the server has rejected is of no use after a reload.
      tell(slot.session === undefined || slot.session.rejected === true ? "" : slot.session.refreshToken, (cause) => {
        Slots.emit(slot, {
          _tag: "StorageDegraded",
          error: new TokenStorage.TokenStorageError({ operation: "set", slot: slot.name, cause })
        })
        Effect.runForkWith(context)(Effect.logWarning("The `saveFunction` failed: the refresh token is in memory only"))
      })
    }
    ;(slot.listeners ??= new Set()).add(listener)
    yield* Effect.addFinalizer(() => Effect.sync(() => slot.listeners?.delete(listener)))

    const turn = KeyedMutex.make()
    const takeOver = Effect.gen(function* () {
      const tokens = given
      if (tokens === undefined) return
      const stored = yield* own.peek
      const refreshToken = tokens.refreshToken ?? stored?.refreshToken
      if (tokens.initial === true && stored !== undefined) {
        // What the storage holds is newer than what the program kept beside it.
      } else if (refreshToken === undefined || refreshToken === "") {
        bare = tokens.accessToken === "" ? undefined : tokens.accessToken
      } else {
        bare = undefined
        yield* own.service.restore({
          refreshToken,
          accessToken: tokens.accessToken ?? (stored?.refreshToken === refreshToken ? stored.accessToken : undefined),
          marker: stored?.marker
        })
      }
      if (given === tokens) given = undefined
    })
    const ready: Ready = {
      services: {
        langCode: project.langCode,
        transport,
        session,
        auth: AuthProvider.makeInternal(transport, session),
        plain: Endpoints.make({ transport, session })
      },
      adopt: Effect.suspend(() => (given === undefined ? Effect.void : turn.withKey("")(takeOver)))
    }
    return ready
  })

  const device = Effect.suspend(() => Effect.succeed(deviceOf(options.device)))

  const runtime = ManagedRuntime.make(
    Layer.mergeAll(
      // Options that cannot be are said to each call, by the ways that errors go.
      Layer.effect(Client, Effect.map(Effect.result(build), Effect.fromResult)),
      Layer.effect(DeviceMetadata.DeviceMetadata, device),
      Layer.succeed(FetchClient.Fetch, options.fetch)
    ).pipe(
      Layer.provide(
        options.storage === undefined
          ? TokenStorage.layerMemory
          : Layer.succeed(TokenStorage.TokenStorage, options.storage)
      )
    )
  )

  // -------------------------------------------------------------------------
  // from Effect to Promise
  // -------------------------------------------------------------------------

  let disposed = false

  type Outcome = { readonly result: unknown } | { readonly error: PlainError }

  const outcomeOf = <A>(call: Call<A>, recorder: Recorder, services: Services) =>
    Effect.matchEffect(call.run(services), {
      onSuccess: (value): Effect.Effect<Outcome> =>
        Effect.succeed({ result: call.result(value, bodyOf(recorder), services) }),
      onFailure: (error): Effect.Effect<Outcome> => {
        const body = bodyOf(recorder)
        // A code that is wrong is a plain `false`, where the server says no more than that.
        if (body === false) return Effect.succeed({ result: false })
        if (
          error._tag !== "OneEntryError" ||
          error.reason._tag !== "ResponseInvalid" ||
          body === undefined ||
          call.undecoded === "failure"
        ) {
          return failed(error, call.operation, recorder)
        }
        const { issue } = error.reason
        const log =
          validation.enabled && validation.logErrors
            ? Effect.logWarning(`${call.operation}: ${error.reason.message}`)
            : Effect.void
        return Effect.andThen(
          log,
          validation.enabled && validation.strictMode
            ? failed(error, call.operation, recorder, issue)
            : Effect.sync((): Outcome => ({ result: call.result(undefined, body, services) }))
        )
      }
    })

  const failed = (
    error: Failure,
    operation: string,
    recorder: Recorder,
    issue?: string
  ): Effect.Effect<{ readonly error: PlainError }> =>
    Effect.map(DateTime.now, (now) => ({
      error: toPlain(error, operation, recorder.answer, DateTime.formatIso(now), issue)
    }))

  const run = async <A>(call: Call<A>, signal: AbortSignal | undefined): Promise<unknown> => {
    signal?.throwIfAborted()
    const recorder: Recorder = { operation: call.operation, answer: undefined }
    const over = async (): Promise<unknown> => {
      const error = OneEntryError.invalidRequest(call.operation, "the client was disposed of: make another one")
      return options.settle((await Effect.runPromise(failed(error, call.operation, recorder))).error)
    }
    if (disposed) return over()
    const program = Effect.flatMap(Client, Effect.result).pipe(
      Effect.flatMap((ready) =>
        ready._tag === "Failure"
          ? failed(ready.failure, call.operation, recorder)
          : Effect.matchEffect(ready.success.adopt, {
              onFailure: (error) => failed(error, call.operation, recorder),
              onSuccess: () => outcomeOf(call, recorder, ready.success.services)
            })
      ),
      saved,
      Effect.provideService(Recorder, recorder)
    )
    const exit = await runtime.runPromiseExit(program, signal === undefined ? undefined : { signal })
    if (Exit.isFailure(exit)) {
      signal?.throwIfAborted()
      if (disposed) return over()
      throw Cause.squash(exit.cause)
    }
    return "error" in exit.value ? options.settle(exit.value.error) : exit.value.result
  }

  /** Tells a listener what happens, from the state at hand on. What a listener throws is its own affair. */
  const subscribe = (listener: (event: SessionEvent) => void): (() => void) => {
    const program = Effect.flatMap(Client, Effect.result).pipe(
      Effect.flatMap((ready) =>
        ready._tag === "Failure"
          ? Effect.void
          : Effect.andThen(
              Effect.ignore(ready.success.adopt),
              Stream.runForEach(ready.success.services.session.service.changes, (event) =>
                Effect.catchDefect(
                  Effect.sync(() => listener(event)),
                  (cause) => Effect.logError("A listener of the session threw", cause)
                )
              )
            )
      )
    )
    return runtime.runCallback(program)
  }

  return {
    run,
    subscribe,
    /** Who is signed in; a client that cannot be has nobody. */
    current: () =>
      runtime.runPromise(
        Effect.flatMap(Client, (ready) =>
          Effect.matchEffect(
            Effect.flatMap(ready, ({ adopt, services }) =>
              Effect.andThen(Effect.ignore(adopt), services.session.service.current)
            ),
            {
              onFailure: () => Effect.succeed(Option.none<SessionInfo>()),
              onSuccess: Effect.succeed
            }
          )
        )
      ),
    /** After a sign-out there is nothing to keep, even where nobody was signed in. */
    forget: Effect.sync(() => tell("", () => undefined)),
    setAccessToken: (accessToken: string) => {
      given = { ...(given?.refreshToken === undefined ? {} : { refreshToken: given.refreshToken }), accessToken }
    },
    setRefreshToken: (refreshToken: string) => {
      given = { ...(given?.accessToken === undefined ? {} : { accessToken: given.accessToken }), refreshToken }
    },
    dispose: async (): Promise<void> => {
      disposed = true
      await runtime.dispose()
      await saving
    }
  }
}

/** What the server said, if it was a success and JSON. */
const bodyOf = ({ answer }: Recorder): unknown => {
  if (answer === undefined || answer.status < 200 || answer.status >= 300) return undefined
  const body = parseJson(answer.text)
  return body === notJson ? undefined : body
}
