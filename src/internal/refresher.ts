/**
 * One refresh for a slot, which everybody waits for. A round takes the lock, reads the storage, and either adopts what
 * somebody else has rotated meanwhile, or marks the refresh token as sent, spends it and stores the answer. Events go out
 * and pairs that nobody will use are revoked after the lock is given back.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as AuthError from "../AuthError.ts"
import * as OneEntryError from "../OneEntryError.ts"
import * as SessionLock from "../SessionLock.ts"
import type * as TokenStorage from "../TokenStorage.ts"
import * as Cooldown from "./cooldown.ts"
import type { GuardedLock } from "./guardedLock.ts"
import { errorType, withSpanOf } from "./observer.ts"
import * as RefreshExchange from "./refreshExchange.ts"
import { decide } from "./refreshOutcome.ts"
import type { RefreshError, SlotEvent } from "./sessionEvent.ts"
import type * as Slots from "./slots.ts"
import type { SlotStore } from "./slotStore.ts"
import * as Stored from "./storedSession.ts"
import type { Transport } from "./transport.ts"
import { wait } from "./waiting.ts"

export interface Refresher {
  /**
   * Sees to it that the access token is another one than `used`: starts a refresh, or joins the one under way. Only the
   * caller can be interrupted. Who is `readOnly` joins and never starts: what a refresh brings could not be handed to him.
   */
  readonly refresh: (slot: Slots.Slot, used: string, readOnly: boolean) => Effect.Effect<void, RefreshError>
}

/** How often a refresh starts over because somebody else wrote in between. */
const maxRounds = 5

/**
 * Whoever was held up for longer between reading and sending (the process was stopped, the machine slept) reads again:
 * the lease may be over, and the token spent by another owner.
 */
const staleMillis = 1_000

/** How often a caller starts over because the client that ran the refresh for all was closed. */
const maxFlights = 3

/** How a refresh is counted: somebody else may have rotated already, or ended the session. */
const outcomeOf = (exit: Exit.Exit<boolean, RefreshError>, events: ReadonlyArray<SlotEvent>): string => {
  if (Exit.isFailure(exit)) {
    const reason = exit.cause.reasons.find(Cause.isFailReason)
    return reason === undefined ? "Defect" : errorType(reason.error)
  }
  if (!exit.value) return "Interrupted"
  return events.some((event) => event._tag === "Refreshed") ? "Success" : "Elsewhere"
}

type Step =
  /** Everybody can go on. */
  | { readonly _tag: "Done" }
  /** Somebody else wrote: look again. */
  | { readonly _tag: "Again" }
  | { readonly _tag: "Failed"; readonly error: RefreshError }

const done: Step = { _tag: "Done" }
const again: Step = { _tag: "Again" }
const failed = (error: RefreshError): Step => ({ _tag: "Failed", error })

/** What one refresh leaves to be done after the lock is given back. */
interface Aftermath {
  readonly events: Array<SlotEvent>
  readonly orphans: Array<Stored.StoredSession>
  /** It was held up once, and has read again: a storage that is slow by nature is not waited for in vain. */
  readAgain: boolean
  /** When it marked a refresh token without having sent it yet. */
  unsent: number | undefined
}

const tokenExpired = (
  session: Stored.StoredSession,
  reason: "Rejected" | "Ambiguous",
  envelope?: RefreshExchange.Envelope
) => new AuthError.TokenExpired({ ...envelope, messages: envelope?.messages ?? [], marker: session.marker, reason })

export const make = (options: {
  readonly transport: Transport
  readonly store: SlotStore
  readonly lock: GuardedLock
  readonly clock: Clock.Clock
  readonly scope: Scope.Scope
  readonly context: Context.Context<never>
  /** The access token may still be used. */
  readonly isValid: (slot: Slots.Slot, session: Stored.StoredSession) => boolean
}): Refresher => {
  const { clock, context, isValid, lock, scope, store, transport } = options
  const { storage } = store
  const { observer } = transport

  const notAuthenticated = (slot: Slots.Slot) => new AuthError.NotAuthenticated({ slot: slot.name })

  /** The session has come to its end, unless the storage holds another by now. */
  const drop = (
    slot: Slots.Slot,
    generation: number,
    session: Stored.StoredSession,
    reason: "Rejected" | "Ambiguous",
    { events }: Aftermath,
    envelope?: RefreshExchange.Envelope
  ): Effect.Effect<Step> =>
    Effect.gen(function* () {
      const result = yield* store.replace(slot, generation, session, undefined, events)
      if (result === "changed") return again
      if (result === "superseded") return yield* forget(slot, session)
      events.push({ _tag: "SignedOut", reason })
      return failed(tokenExpired(session, reason, envelope))
    })

  /** Whoever signs in or out meanwhile has yet to write: until then, nobody may spend this token again. */
  const forget = (slot: Slots.Slot, session: Stored.StoredSession): Effect.Effect<Step> =>
    Effect.suspend(() => {
      if (slot.session?.refreshToken === session.refreshToken) {
        slot.spent = session.refreshToken
        store.setSession(slot, undefined)
      }
      return Effect.as(store.withdraw(slot, session), done)
    })

  /** From here to the stored answer nothing can be interrupted. */
  const exchange = (
    slot: Slots.Slot,
    generation: number,
    session: Stored.StoredSession,
    wasInDoubt: boolean,
    aftermath: Aftermath
  ): Effect.Effect<Step> =>
    Effect.gen(function* () {
      const { events } = aftermath
      const result = yield* RefreshExchange.send(transport, session, clock)
      // What else the storage may hold by now matters to a rejection; a rotated pair is written by comparison anyway.
      const stored = result.outcome === "rejected" ? yield* Effect.option(storage.get(slot.name)) : Option.none()
      const decision = decide(result.outcome, {
        accessValid: isValid(slot, session),
        inDoubt: wasInDoubt,
        generationHeld: slot.generation === generation,
        // A storage that cannot be read has not been seen to change.
        storageHeld:
          Option.isNone(stored) ||
          stored.value === slot.encoded ||
          Stored.holds(stored.value, session.refreshToken) ||
          Stored.holds(stored.value, slot.spent)
      })
      if (result.outcome === "rotated") {
        const outcome =
          decision._tag === "Commit"
            ? yield* store.replace(slot, generation, session, result.session, events)
            : "superseded"
        if (outcome === "held") {
          store.learnClock(result.session)
          // Even one that the server gives out a second time.
          slot.refused = undefined
          events.push({ _tag: "Refreshed", session: result.session })
          return done
        }
        aftermath.orphans.push(result.session)
        return outcome === "changed" ? again : yield* forget(slot, session)
      }
      switch (decision._tag) {
        case "Drop":
          return yield* drop(slot, generation, session, decision.reason, aftermath, result.envelope)
        case "Bury": {
          const buried = Stored.withDoubt(session, {
            exchangeStartedAt: wasInDoubt ? session.exchangeStartedAt : undefined,
            rejected: true
          })
          const outcome = yield* store.replace(slot, generation, session, buried, events)
          if (outcome === "changed") return again
          if (outcome === "superseded") return yield* forget(slot, session)
          events.push({ _tag: "RefreshRejected", session: buried })
          return failed(tokenExpired(session, wasInDoubt ? "Ambiguous" : "Rejected", result.envelope))
        }
        case "Keep": {
          const error = new OneEntryError.OneEntryError({ operation: "refresh", reason: result.reason })
          observer?.cooldown()
          slot.cooldown = yield* Cooldown.next(slot.cooldown, {
            refreshToken: session.refreshToken,
            retryAfter: result.retryAfter,
            error,
            now: clock.currentTimeMillisUnsafe()
          })
          if (!decision.inDoubt) {
            // The server answered: the mark that the exchange began under is taken back.
            const clear = Stored.withDoubt(session, { exchangeStartedAt: undefined, rejected: false })
            yield* store.replace(slot, generation, session, clear, events)
          }
          return failed(error)
        }
        case "Adopt":
          return again
        case "Nothing":
          return result.outcome === "rejected" ? yield* forget(slot, session) : done
        default:
          return done
      }
    })

  /** One look at the storage, and what follows from it. Runs under the lock. */
  const round = (
    slot: Slots.Slot,
    used: string,
    aftermath: Aftermath
  ): Effect.Effect<Step, TokenStorage.TokenStorageError> =>
    Effect.gen(function* () {
      const { events } = aftermath
      const { generation } = slot
      const readAt = clock.currentTimeMillisUnsafe()
      events.push(
        ...(yield* Effect.catch(store.look(slot), (error) =>
          // What lives in memory only does not need the storage.
          slot.unsaved ? Effect.succeed([]) : Effect.fail(error)
        ))
      )
      if (slot.generation !== generation) return done
      const session = slot.session
      if (session === undefined) return failed(notAuthenticated(slot))
      const valid = isValid(slot, session)
      // Another owner rotated meanwhile: its pair is as good as ours.
      if (session.accessToken !== used && valid) return done
      const wasInDoubt = session.exchangeStartedAt !== undefined && session.exchangeStartedAt !== aftermath.unsent
      if (session.rejected === true) {
        const reason = wasInDoubt ? "Ambiguous" : "Rejected"
        return valid ? failed(tokenExpired(session, reason)) : yield* drop(slot, generation, session, reason, aftermath)
      }
      const cooling = Cooldown.inForce(slot.cooldown, session.refreshToken, clock.currentTimeMillisUnsafe())
      if (cooling !== undefined) return failed(cooling)
      return yield* Effect.uninterruptible(
        Effect.suspend(() => {
          // Whoever comes after us, should we die before the answer is stored, knows that this token was sent.
          const marked = Stored.withDoubt(session, {
            exchangeStartedAt: clock.currentTimeMillisUnsafe(),
            rejected: false
          })
          const spend = Effect.suspend((): Effect.Effect<Step> => {
            if (!slot.unsaved && !aftermath.readAgain && clock.currentTimeMillisUnsafe() - readAt > staleMillis) {
              aftermath.readAgain = true
              if (!wasInDoubt) aftermath.unsent = marked.exchangeStartedAt
              return Effect.succeed(again)
            }
            return exchange(slot, generation, marked, wasInDoubt, aftermath)
          })
          return Effect.flatMap(
            store.replace(slot, generation, session, marked, events),
            (outcome): Effect.Effect<Step> =>
              outcome === "held" ? spend : Effect.succeed(outcome === "changed" ? again : done)
          )
        })
      )
    })

  /** Each round takes the lock for itself, so that no hold is longer than one exchange. */
  const rounds = (slot: Slots.Slot, used: string, aftermath: Aftermath) =>
    Effect.gen(function* () {
      for (let count = 0; count < maxRounds; count++) {
        const began = observer === undefined ? 0n : clock.monotonicTimeNanosUnsafe()
        const step = yield* lock.withLock(
          slot.name,
          observer === undefined
            ? round(slot, used, aftermath)
            : Effect.suspend(() => {
                observer.lockWait(clock.monotonicTimeNanosUnsafe() - began)
                return round(slot, used, aftermath)
              })
        )
        if (step._tag === "Done") return
        if (step._tag === "Failed") return yield* step.error
      }
      return yield* new SessionLock.SessionLockError({ slot: slot.name, reason: "Timeout" })
    })

  /** A waiter that gave up does not steal: it reads once more, and is content if somebody else has refreshed. */
  const afterLock = (
    slot: Slots.Slot,
    used: string,
    error: SessionLock.SessionLockError,
    { events }: Aftermath
  ): Effect.Effect<void, RefreshError> =>
    Effect.gen(function* () {
      const { generation } = slot
      events.push(...(yield* Effect.orElseSucceed(store.look(slot), () => [])))
      if (slot.generation !== generation) return
      const session = slot.session
      if (session === undefined) return yield* notAuthenticated(slot)
      if (session.accessToken !== used && isValid(slot, session)) return
      return yield* error
    })

  const start = (slot: Slots.Slot, used: string): Effect.Effect<Slots.Flight> =>
    Effect.suspend(() => {
      const flight: Slots.Flight = { done: Deferred.makeUnsafe(), waiters: 1 }
      slot.flight = flight
      const { generation } = slot
      const aftermath: Aftermath = { events: [], orphans: [], readAgain: false, unsent: undefined }

      const land = (exit: Exit.Exit<boolean, RefreshError>): void => {
        if (slot.flight !== flight) return
        slot.flight = undefined
        // Whoever signed in or out since has told what came of it.
        const { events } = aftermath
        store.emitAll(
          slot,
          slot.generation === generation ? events : events.filter((event) => event._tag === "StorageDegraded")
        )
        observer?.refresh(outcomeOf(exit, events), flight.waiters)
        Deferred.doneUnsafe(flight.done, exit)
      }

      const run = transport.observe("refresh", "", rounds(slot, used, aftermath)).pipe(
        Effect.catchTag("SessionLockError", (error) => afterLock(slot, used, error, aftermath)),
        Effect.onExit((exit) =>
          Effect.suspend(() => {
            land(Exit.isFailure(exit) && Exit.hasInterrupts(exit) ? Exit.succeed(false) : Exit.map(exit, () => true))
            return Effect.andThen(
              store.settle(slot),
              Effect.forEach(aftermath.orphans, (orphan) => RefreshExchange.revoke(transport, orphan), {
                discard: true
              })
            )
          })
        ),
        // The first caller's references, a signal of its `RequestInit` say, are not everybody's; but it is his refresh.
        Effect.updateContext((caller: Context.Context<never>) => withSpanOf(caller, context))
      )
      return Effect.map(Effect.forkIn(run, scope, { startImmediately: true }), (fiber) => {
        // The client was closed before it came so far.
        fiber.addObserver(() => land(Exit.succeed(false)))
        return flight
      })
    })

  const join = (slot: Slots.Slot, used: string, readOnly: boolean, left: number): Effect.Effect<void, RefreshError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend((): Effect.Effect<Slots.Flight, RefreshError> => {
        if (slot.flight !== undefined) {
          slot.flight.waiters++
          return Effect.succeed(slot.flight)
        }
        if (!readOnly) return start(slot, used)
        return Effect.fail(
          slot.session === undefined
            ? notAuthenticated(slot)
            : new AuthError.TokenExpired({ marker: slot.session.marker, messages: [], reason: "ReadOnly" })
        )
      }).pipe(
        Effect.flatMap((flight) => restore(wait(Deferred.await(flight.done)))),
        Effect.flatMap((ran): Effect.Effect<void, RefreshError> =>
          ran
            ? Effect.void
            : left > 0
              ? restore(join(slot, used, readOnly, left - 1))
              : Effect.fail(new SessionLock.SessionLockError({ slot: slot.name, reason: "Unavailable" }))
        )
      )
    )

  return { refresh: (slot, used, readOnly) => join(slot, used, readOnly, maxFlights) }
}
