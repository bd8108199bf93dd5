/** How a session behaves, over a real server: SESSION rules that a runtime could break. */
import { Deferred, Effect, Fiber, Layer, Option, Queue, Redacted, Schedule, Stream } from "effect"
import { HttpClient } from "effect/http"
import { FetchClient, type Session, Sessions, TokenStorage } from "effect-oneentry"
import type { Fault } from "effect-oneentry/emulator"
import { Faults, InMemory } from "effect-oneentry/testing"
import { type Case, fails, same, type Suite, tagOf } from "./check.ts"
import {
  ann,
  authData,
  bob,
  type Client,
  connect,
  expireAccessTokens,
  fresh,
  Host,
  type Needs,
  statuses
} from "./host.ts"

const nameOf = (event: Session.SessionEvent) => (event._tag === "SignedOut" ? `SignedOut ${event.reason}` : event._tag)

/** Follows the events; waits for the next one. */
const follow = Effect.fnUntraced(function* ({ session }: Client) {
  const heard = yield* Queue.unbounded<string>()
  yield* Effect.forkScoped(Stream.runForEach(session.changes, (event) => Queue.offer(heard, nameOf(event))))
  yield* Queue.take(heard)
  return { next: Queue.take(heard) }
})

/** As often as it takes, while the reason is one that passes. */
const eventually = <A, E extends { readonly _tag: string; readonly reason?: unknown }, R>(
  effect: Effect.Effect<A, E, R>
) =>
  Effect.retry(effect, {
    while: (error) => tagOf(error).startsWith("OneEntryError/"),
    times: 600,
    schedule: Schedule.spaced("50 millis")
  })

const isSignedIn = ({ session }: Client) => Effect.map(session.current, Option.isSome)

/** An HTTP client whose refreshes wait on the way out until they are let go. */
const makeGate = Effect.gen(function* () {
  const [begun, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const http = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(
      HttpClient.HttpClient,
      HttpClient.transform((effect, { url }) =>
        url.endsWith("/users/refresh")
          ? Deferred.succeed(begun, undefined).pipe(Effect.andThen(Deferred.await(go)), Effect.andThen(effect))
          : effect
      )
    )
  ).pipe(Layer.provide(FetchClient.layer))
  return { http, begun: Deferred.await(begun), go: Deferred.succeed(go, undefined) }
})

const crowd = (client: Client, count: number) =>
  Effect.all(
    Array.from({ length: count }, () => client.me),
    { concurrency: "unbounded" }
  )

const oneRefresh = Effect.flatMap(statuses("refresh"), (made) => same("the refreshes", made, [201]))

/** A refresh whose answer does not come, and the one after it, which is refused. */
const inDoubt = (client: Client, fault: Fault.Fault, reason: "Network" | "Timeout") =>
  Effect.gen(function* () {
    yield* fresh
    const { control } = yield* Host
    yield* client.signIn()
    const { next } = yield* follow(client)
    yield* expireAccessTokens
    yield* control.faults.add({ payload: fault })
    yield* fails("the call", client.me, `OneEntryError/${reason}`)
    yield* same("whether the session is kept", yield* isSignedIn(client), true)
    yield* fails("the call after the pause", eventually(client.me), "TokenExpired Ambiguous")
    yield* same("what happened", yield* next, "SignedOut Ambiguous")
    yield* fails("the next call", client.me, "NotAuthenticated")
  })

/**
 * Browsers send a request once more, a `POST` too, when a connection that was in use before breaks without an answer; a
 * page can neither see nor prevent it. A refresh that the server had handled is refused then, with no doubt about it.
 */
const sendsWritesAgain = Effect.gen(function* () {
  yield* fresh
  const { control } = yield* Host
  const client = yield* connect()
  yield* client.forms.getAllForms()
  yield* control.faults.add({ payload: { operation: "generateCode", kind: "lostAnswer", count: 1 } })
  yield* Effect.exit(client.auth.generateCode("email", { userIdentifier: ann, eventIdentifier: "auth" }))
  return (yield* statuses("generateCode")).length === 1 ? undefined : "a fetch that sends a write only once"
})

export const lostConnections: Suite<Needs> = {
  name: "a connection that breaks during a refresh",
  probe: Effect.scoped(sendsWritesAgain),
  cases: [
    {
      name: "then a rejection: Ambiguous",
      run: Effect.gen(function* () {
        yield* inDoubt(yield* connect(), { operation: "refresh", kind: "lostAnswer", count: 1 }, "Network")
        yield* same("the refreshes", (yield* statuses("refresh")).length, 2)
      })
    }
  ]
}

export const cases: ReadonlyArray<Case<Needs>> = [
  {
    name: "fifty calls with an ended token: one refresh, all succeed",
    run: Effect.gen(function* () {
      yield* fresh
      const client = yield* connect()
      const { next } = yield* follow(client)
      yield* client.signIn()
      yield* same("what happened", yield* next, "SignedIn")
      yield* expireAccessTokens
      yield* same("who they were made as", [...new Set(yield* crowd(client, 50))], [ann])
      yield* oneRefresh
      yield* same("what happened then", yield* next, "Refreshed")
    })
  },
  {
    name: "a refresh replaces the pair, whose old one is worth nothing",
    run: Effect.gen(function* () {
      yield* fresh
      const client = yield* connect()
      const first = yield* client.signIn()
      const device = yield* connect()
      const info = yield* client.session.refresh
      yield* same("whose it is", info.userIdentifier, ann)
      yield* device.session.restore({ refreshToken: first.refreshToken, marker: "email" })
      yield* fails("the token before", device.me, "TokenExpired Rejected")
    })
  },
  {
    name: "two processes over one storage: one refresh, the other adopts it",
    run: Effect.gen(function* () {
      yield* fresh
      const shared = InMemory.makeShared()
      const one = yield* connect({ storage: shared.view() })
      const two = yield* connect({ storage: shared.view() })
      yield* one.signIn()
      yield* same("who the other is", yield* two.me, ann)
      yield* expireAccessTokens
      yield* one.me
      yield* same("who the other is afterwards", yield* two.me, ann)
      yield* oneRefresh
    })
  },
  {
    name: "a rejected refresh ends the session, and says so",
    run: Effect.gen(function* () {
      yield* fresh
      const { control } = yield* Host
      const storage = TokenStorage.makeMemory()
      const client = yield* connect({ storage })
      yield* client.signIn()
      const { next } = yield* follow(client)
      yield* control.sessions.revokeAll({ query: {} })
      yield* fails("the call", client.me, "TokenExpired Rejected")
      yield* same("what happened", yield* next, "SignedOut Rejected")
      yield* same("what is stored", yield* storage.get("default"), undefined)
      yield* fails("the next call", client.me, "NotAuthenticated")
    })
  },
  {
    name: "an answer that does not come in time, then a rejection: Ambiguous",
    run: Effect.gen(function* () {
      const client = yield* connect({ requestTimeout: "1 second" })
      yield* inDoubt(
        client,
        { operation: "refresh", kind: "delay", delay: 30_000, phase: "after", count: 1 },
        "Timeout"
      )
    })
  },
  {
    name: "a server that fails keeps the session, which goes on afterwards",
    run: Effect.gen(function* () {
      yield* fresh
      const { control } = yield* Host
      const client = yield* connect()
      yield* client.signIn()
      yield* expireAccessTokens
      yield* control.faults.add({ payload: { operation: "refresh", kind: "status", status: 503, count: 1 } })
      yield* fails("the call", client.me, "OneEntryError/ServerFailure")
      yield* same("whether the session is kept", yield* isSignedIn(client), true)
      yield* same("who it is afterwards", yield* eventually(client.me), ann)
      yield* same("the refreshes", yield* statuses("refresh"), [503, 201])
    })
  },
  {
    name: "callers that leave do not stop the refresh on the wire",
    run: Effect.gen(function* () {
      yield* fresh
      const gate = yield* makeGate
      const client = yield* connect({ http: gate.http })
      yield* client.signIn()
      yield* expireAccessTokens
      const callers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(client.me))
      yield* gate.begun
      yield* Fiber.interruptAll(callers)
      yield* gate.go
      yield* same("who it is", yield* client.me, ann)
      yield* oneRefresh
    })
  },
  {
    name: "a sign-out during a refresh: its result is thrown away",
    run: Effect.gen(function* () {
      yield* fresh
      const gate = yield* makeGate
      const storage = TokenStorage.makeMemory()
      const client = yield* connect({ http: gate.http, storage })
      yield* client.signIn()
      yield* expireAccessTokens
      const caller = yield* Effect.forkChild(Effect.exit(client.me))
      yield* gate.begun
      const out = yield* Effect.forkChild(client.auth.logout())
      yield* Effect.yieldNow
      yield* same("whether somebody is signed in", yield* isSignedIn(client), false)
      yield* gate.go
      const exit = yield* Fiber.join(caller)
      yield* same("how the call ends", exit._tag, "Failure")
      yield* Fiber.join(out)
      yield* same("whether somebody is signed in at the end", yield* isSignedIn(client), false)
      yield* same("what is stored", yield* storage.get("default"), undefined)
    })
  },
  {
    name: "another user during a refresh: the first one's result is thrown away",
    run: Effect.gen(function* () {
      yield* fresh
      const gate = yield* makeGate
      const client = yield* connect({ http: gate.http })
      yield* client.signIn()
      yield* expireAccessTokens
      const caller = yield* Effect.forkChild(Effect.exit(client.me))
      yield* gate.begun
      const next = yield* Effect.forkChild(client.signIn(bob))
      yield* gate.go
      yield* Fiber.join(next)
      yield* Fiber.join(caller)
      yield* same("who it is", yield* client.me, bob)
    })
  },
  {
    name: "a sign-out without a network forgets all the same",
    run: Effect.gen(function* () {
      yield* fresh
      const { control } = yield* Host
      const client = yield* connect()
      yield* client.signIn()
      yield* control.faults.add({ payload: { operation: "logout", kind: "drop" } })
      yield* same("whether the server knows", (yield* client.auth.logout()).revoked, false)
      yield* same("whether somebody is signed in", yield* isSignedIn(client), false)
    })
  },
  {
    name: "a storage that cannot write: the new pair lives in memory, and is written with the next",
    run: Effect.gen(function* () {
      yield* fresh
      let broken = false
      const faults = Faults.make([{ on: ["set", "compareAndSet"], where: () => broken, fault: Faults.fail }])
      const shared = InMemory.makeShared()
      const client = yield* connect({ storage: faults.storage(shared.view()) })
      yield* client.signIn()
      const { next } = yield* follow(client)
      const stored = shared.slots.get("default")
      broken = true
      yield* client.session.refresh
      const events = [yield* next, yield* next].toSorted()
      yield* same("what happened", events, ["Refreshed", "StorageDegraded"])
      yield* same("who it is", yield* client.me, ann)
      broken = false
      yield* client.session.refresh
      yield* same("whether the storage has the new pair", shared.slots.get("default") === stored, false)
      const reader = yield* connect({ storage: shared.view() })
      yield* same("who it is for a reader", yield* reader.me, ann)
    })
  },
  {
    name: "a storage that cannot be read is a typed failure, and signs nobody out",
    run: Effect.gen(function* () {
      yield* fresh
      const shared = InMemory.makeShared()
      const writer = yield* connect({ storage: shared.view() })
      yield* writer.signIn()
      let broken = true
      const faults = Faults.make([{ on: "get", where: () => broken, fault: Faults.fail }])
      const client = yield* connect({ storage: faults.storage(shared.view()) })
      yield* fails("the call", client.me, "TokenStorageError")
      broken = false
      yield* same("who it is afterwards", yield* client.me, ann)
    })
  },
  {
    name: "a storage that nothing can be written to: a sign-in lives in memory, and says so",
    run: Effect.gen(function* () {
      yield* fresh
      const faults = Faults.make([{ on: ["set", "compareAndSet"], fault: Faults.fail }])
      const client = yield* connect({ storage: faults.storage(TokenStorage.makeMemory()) })
      const { next } = yield* follow(client)
      yield* client.signIn()
      yield* same("what happened", [yield* next, yield* next], ["SignedIn", "StorageDegraded"])
      yield* expireAccessTokens
      yield* same("who it is", yield* client.me, ann)
    })
  },
  {
    name: "tokens from elsewhere are adopted",
    run: Effect.gen(function* () {
      yield* fresh
      const first = yield* connect()
      const pair = yield* first.signIn()
      const client = yield* connect()
      const device = yield* first.session.current
      yield* same("whether the first has a session", Option.isSome(device), true)
      yield* client.session.restore({ refreshToken: pair.refreshToken, accessToken: pair.accessToken, marker: "email" })
      yield* same("who it is", yield* client.me, ann)
      const token = yield* client.session.accessToken
      yield* same("its token", Redacted.value(token) === Redacted.value(pair.accessToken), true)
    })
  },
  {
    name: "users of one process never see each other's sessions",
    run: Effect.gen(function* () {
      yield* fresh
      const client = yield* connect()
      const as = (login: string) => Sessions.withSlot(`user ${login}`)
      for (const login of [ann, bob]) yield* as(login)(client.auth.auth("email", { authData: authData(login) }))
      yield* expireAccessTokens
      const logins = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? ann : bob))
      const seen = yield* Effect.forEach(logins, (login) => as(login)(client.me), { concurrency: "unbounded" })
      yield* same("whose profiles they got", seen, logins)
      yield* same("the refreshes", yield* statuses("refresh"), [201, 201])
      yield* fails("a call as nobody", client.me, "NotAuthenticated")
    })
  }
]
