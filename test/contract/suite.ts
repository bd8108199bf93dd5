/**
 * The contract that every runtime has to keep: the same cases everywhere, run from an entry of `scripts/matrix/entries` or,
 * on the sources, by `contract.test.ts`. What a runtime lacks is said by name.
 */
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { FetchClient, SessionLock, TokenStorage } from "effect-oneentry"
import { type Result, run, type Suite } from "./check.ts"
import { type Address, layer, type Needs } from "./host.ts"
import * as Operations from "./operations.ts"
import * as Rest from "./rest.ts"
import * as SessionCases from "./sessions.ts"
import { encryptedKey, inProcess, type Kept, type Locks, lockSuites, type Storages, storageSuites } from "./storages.ts"
import { webLocks, webStorages } from "./web.ts"

/** What only some runtimes have, and the suite cannot find by itself. */
export interface Platform {
  readonly storages: Storages
  readonly locks: Locks
  /** Suites of this runtime alone. */
  readonly more?: ReadonlyArray<Suite<Needs>>
}

const shared = TokenStorage.makeMemory()
const memory: Kept = {
  storage: Layer.succeed(TokenStorage.TokenStorage, shared),
  lock: Layer.succeed(SessionLock.SessionLock, SessionLock.makeInProcess()),
  changes: false
}

export const suitesOf = (platform: Platform): Effect.Effect<ReadonlyArray<Suite<Needs>>> =>
  Effect.gen(function* () {
    const rest = yield* Rest.suites
    return [
      { name: "operations, FetchClient", cases: Operations.cases(FetchClient.layer) },
      { name: "operations, FetchHttpClient", cases: Operations.cases(FetchHttpClient.layer) },
      { name: "streamed uploads, FetchClient", cases: Operations.streamed(FetchClient.layer) },
      {
        name: "streamed uploads, FetchHttpClient",
        lacks:
          typeof AbortSignal.any === "function"
            ? undefined
            : "AbortSignal.any, which Effect's client takes for streams",
        cases: Operations.streamed(FetchHttpClient.layer)
      },
      { name: "session", cases: SessionCases.cases },
      SessionCases.lostConnections,
      ...storageSuites({
        memory,
        encrypted: { ...memory, storage: Layer.provide(TokenStorage.layerEncrypted(encryptedKey), memory.storage) },
        ...webStorages(),
        ...platform.storages
      }),
      ...lockSuites({ "in the process": inProcess, ...webLocks(), ...platform.locks }),
      ...rest,
      ...(platform.more ?? [])
    ]
  })

/** With a scope and the host. */
export const provided =
  (address: Address) =>
  <A>(run: Effect.Effect<A, unknown, Needs>): Effect.Effect<A, unknown> =>
    run.pipe(Effect.scoped, Effect.provide(layer(address)))

/** Runs everything; what comes out is JSON. */
export const contract = (address: Address, platform: Platform): Promise<ReadonlyArray<Result>> => {
  const provide = provided(address)
  return Effect.runPromise(
    Effect.flatMap(suitesOf(platform), (suites) =>
      run(
        suites
          .filter(({ name }) => name.startsWith(address.suite ?? ""))
          .map(({ cases, probe, ...suite }) => ({
            ...suite,
            probe: probe === undefined ? undefined : provide(probe),
            cases: cases.map((one) => ({ ...one, run: provide(one.run) }))
          }))
      )
    )
  )
}
