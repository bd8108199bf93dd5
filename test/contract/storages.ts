/** The storages and locks that a runtime has: the suites of the package, and sessions over them. */
import { Context, Effect, type Layer, Layer as L, Redacted } from "effect"
import { SessionLock, TokenStorage } from "effect-oneentry"
import { SessionLockSuite, TokenStorageSuite } from "effect-oneentry/testing"
import { type Case, fails, same, type Suite } from "./check.ts"
import { ann, authData, type Client, connect, expireAccessTokens, fresh, type Needs, statuses } from "./host.ts"

/** A storage, with the lock that is used beside it. */
export interface Kept {
  readonly storage: Layer.Layer<TokenStorage.TokenStorage, unknown>
  readonly lock: Layer.Layer<never, unknown>
  /** Whether it tells of the changes that others make. */
  readonly changes: boolean
}

/** By name; a text says what the runtime lacks for it. */
export type Storages = Readonly<Record<string, Kept | string>>
export type Locks = Readonly<Record<string, Layer.Layer<never, unknown> | string>>

export const inProcess: Layer.Layer<never> = L.sync(SessionLock.SessionLock, SessionLock.makeInProcess)

export const encryptedKey = Redacted.make(new Uint8Array(32).fill(9))

/** A client with an instance of its own of storage and lock. */
const open = ({ lock, storage }: Kept, slot: string) =>
  Effect.gen(function* () {
    const context = yield* L.build(L.fresh(L.merge(storage, lock)))
    return yield* connect({
      slot,
      storage: Context.get(context, TokenStorage.TokenStorage),
      lock: Context.get(context, SessionLock.SessionLock)
    })
  })

const pair = (kept: Kept) =>
  Effect.gen(function* () {
    yield* fresh
    const slot = crypto.randomUUID()
    const [one, two] = [yield* open(kept, slot), yield* open(kept, slot)]
    yield* Effect.addFinalizer(() => Effect.ignore(one.session.signOutLocally))
    yield* one.signIn()
    return { one, two, third: open(kept, slot) }
  })

const calls = (clients: ReadonlyArray<Client>) =>
  Effect.forEach(
    clients.flatMap((client) => [client.me, client.me, client.me]),
    (call) => call,
    { concurrency: "unbounded" }
  )

const sessionCases = (kept: Kept): ReadonlyArray<Case<Needs>> => [
  {
    name: "a session outlives its client",
    run: Effect.gen(function* () {
      const { third, two } = yield* pair(kept)
      yield* same("who the second is", yield* two.me, ann)
      yield* same("who one is that comes later", yield* Effect.flatMap(third, ({ me }) => me), ann)
    })
  },
  {
    name: "two clients with an ended token: one refresh, all calls succeed",
    run: Effect.gen(function* () {
      const { one, two } = yield* pair(kept)
      yield* two.me
      for (const round of [1, 2]) {
        yield* expireAccessTokens
        yield* same("who they are", [...new Set(yield* calls([one, two]))], [ann])
        yield* same("the refreshes", (yield* statuses("refresh")).length, round)
      }
    })
  },
  {
    name: "a sign-out in one ends the other's",
    run: Effect.gen(function* () {
      const { one, third, two } = yield* pair(kept)
      yield* two.me
      yield* one.auth.logout()
      const later = yield* third
      yield* fails("one that comes later", later.me, "NotAuthenticated")
      yield* two.auth.auth("email", { authData: authData() })
      yield* same("who the second is again", yield* two.me, ann)
    })
  }
]

export const storageSuites = (storages: Storages): ReadonlyArray<Suite<Needs>> =>
  Object.entries(storages).map(([name, kept]) => ({
    name: `storage: ${name}`,
    ...(typeof kept === "string"
      ? { lacks: kept, cases: [] }
      : {
          cases: [
            ...TokenStorageSuite.checks({ other: kept.storage, changes: kept.changes }).map((check) => ({
              name: check.name,
              run: Effect.provide(check.effect, kept.storage, { local: true })
            })),
            ...sessionCases(kept)
          ]
        })
  }))

export const lockSuites = (locks: Locks): ReadonlyArray<Suite<Needs>> =>
  Object.entries(locks).map(([name, lock]) => ({
    name: `lock: ${name}`,
    ...(typeof lock === "string"
      ? { lacks: lock, cases: [] }
      : {
          parallel: true,
          cases: SessionLockSuite.checks(lock === inProcess ? {} : { other: lock }).map((check) => ({
            name: check.name,
            run: Effect.provide(check.effect, lock, { local: true })
          }))
        })
  }))
