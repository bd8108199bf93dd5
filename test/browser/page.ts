/**
 * What the pages of the browser tests can do; `window.tab` is driven from outside.
 */
import { Cause, Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Redacted, Scope, Stream } from "effect"
import * as DeviceMetadata from "effect-oneentry/DeviceMetadata"
import * as SessionLock from "effect-oneentry/SessionLock"
import * as TokenStorage from "effect-oneentry/TokenStorage"
import * as Browser from "effect-oneentry/browser"
import { SessionLockSuite, TokenStorageSuite } from "effect-oneentry/testing"

const { BrowserPage, BrowserSessionLock, BrowserTokenStorage } = Browser

const key = Redacted.make(new Uint8Array(32).fill(9))

const storages = {
  localStorage: BrowserTokenStorage.layerLocalStorage(),
  sessionStorage: BrowserTokenStorage.layerSessionStorage(),
  indexedDb: BrowserTokenStorage.layerIndexedDb(),
  encrypted: TokenStorage.layerEncrypted(key).pipe(
    Layer.provide(BrowserTokenStorage.layerIndexedDb({ name: "encrypted" })),
    Layer.orDie
  )
}
export type StorageName = keyof typeof storages

const locks = {
  best: BrowserSessionLock.layer(),
  webLocks: Layer.sync(SessionLock.SessionLock, () => BrowserSessionLock.makeWebLocks()),
  leases: Layer.effect(SessionLock.SessionLock, BrowserSessionLock.makeLeases())
}
export type LockName = keyof typeof locks

const storageChecks = (name: StorageName) =>
  // Two instances of one tab hear each other through a BroadcastChannel only.
  TokenStorageSuite.checks({ other: storages[name], changes: name === "indexedDb" || name === "encrypted" })
const lockChecks = (name: LockName) => SessionLockSuite.checks({ other: locks[name] })

const scope = Scope.makeUnsafe()
const built = new Map<string, Promise<unknown>>()
const once = <A>(name: string, make: Effect.Effect<A, never, Scope.Scope>): Promise<A> => {
  const known = built.get(name) as Promise<A> | undefined
  const value = known ?? Effect.runPromise(Scope.provide(make, scope))
  built.set(name, value)
  return value
}
const storageOf = (name: StorageName) =>
  once(`storage ${name}`, Effect.map(Layer.build(storages[name]), Context.get(TokenStorage.TokenStorage)))
const lockOf = (name: LockName) =>
  once(`lock ${name}`, Effect.map(Layer.build(locks[name]), Context.get(SessionLock.SessionLock)))
const everything = () => once("everything", Layer.build(Browser.layer()))

const said = (exit: Exit.Exit<unknown, unknown>) => {
  if (Exit.isSuccess(exit)) return { ok: true, value: exit.value as string | boolean | null }
  const error = Cause.squash(exit.cause)
  return {
    ok: false,
    tag: error instanceof Error && "_tag" in error ? String(error._tag) : "",
    reason: error instanceof Error && "reason" in error ? String(error.reason) : "",
    message: String(error)
  }
}
const run = async <A, E>(effect: Effect.Effect<A, E>) => said(await Effect.runPromiseExit(effect))

const heard: Array<string> = []
const active: Array<boolean> = []
const log: Array<string> = []
const releases = new Map<string, () => void>()

const tab = {
  checks: (kind: "storage" | "lock", name: string) =>
    kind === "storage"
      ? storageChecks(name as StorageName).map((check) => check.name)
      : lockChecks(name as LockName).map((check) => check.name),
  runStorageCheck: (name: StorageName, check: string) => {
    const found = storageChecks(name).find((one) => one.name === check)
    return found === undefined
      ? Promise.resolve("no such check")
      : Effect.runPromise(
          found.effect.pipe(
            Effect.provide(storages[name], { local: true }),
            Effect.match({ onFailure: (error) => error.message, onSuccess: () => "good" })
          )
        )
  },
  runLockCheck: (name: LockName, check: string) => {
    const found = lockChecks(name).find((one) => one.name === check)
    return found === undefined
      ? Promise.resolve("no such check")
      : Effect.runPromise(
          found.effect.pipe(
            Effect.provide(locks[name], { local: true }),
            Effect.match({ onFailure: (error) => error.message, onSuccess: () => "good" })
          )
        )
  },

  get: async (name: StorageName, slot: string) =>
    run(Effect.map((await storageOf(name)).get(slot), (value) => value ?? null)),
  set: async (name: StorageName, slot: string, value: string) =>
    run(Effect.as((await storageOf(name)).set(slot, value), null)),
  remove: async (name: StorageName, slot: string) => run(Effect.as((await storageOf(name)).remove(slot), null)),
  compareAndSet: async (name: StorageName, slot: string, expected: string | null, next: string | null) =>
    run((await storageOf(name)).compareAndSet(slot, expected ?? undefined, next ?? undefined)),
  atomic: async (name: StorageName) => (await storageOf(name)).atomic,
  /** Many at once; the numbers of those that won. */
  race: async (name: StorageName, slot: string, expected: string | null, who: string, count: number) => {
    const storage = await storageOf(name)
    return Effect.runPromise(
      Effect.map(
        Effect.forEach(
          Array.from({ length: count }),
          (_, n) => storage.compareAndSet(slot, expected ?? undefined, `${who} ${n}`),
          { concurrency: "unbounded" }
        ),
        (wins) => wins.flatMap((won, n) => (won ? [`${who} ${n}`] : []))
      )
    )
  },

  listen: async (name: StorageName) => {
    const storage = await storageOf(name)
    Effect.runFork(Stream.runForEach(storage.changes, (slot) => Effect.sync(() => heard.push(slot))))
  },
  heard: () => [...heard],

  /** Reads, waits and writes: adds up only where one is inside at a time. */
  increment: async (name: LockName, slot: string, times: number, kept: StorageName = "indexedDb") => {
    const lock = await lockOf(name)
    const storage = await storageOf(kept)
    const step = lock.withLock(slot, { maxHold: Duration.seconds(30) })(
      Effect.gen(function* () {
        const value = Number((yield* storage.get(`count ${slot}`)) ?? "0")
        yield* Effect.sleep(1)
        yield* storage.set(`count ${slot}`, String(value + 1))
      })
    )
    return run(
      Effect.as(
        Effect.forEach(Array.from({ length: times }), () => step, { discard: true }),
        null
      )
    )
  },
  /** Comes back when the lock is held; holds it until `release`, or for ever. */
  hold: async (name: LockName, slot: string, maxHold: number) => {
    const lock = await lockOf(name)
    return Effect.runPromise(
      Effect.gen(function* () {
        const held = yield* Deferred.make<string>()
        const go = yield* Deferred.make<void>()
        releases.set(slot, () => Deferred.doneUnsafe(go, Effect.void))
        yield* Effect.forkDetach(
          lock
            .withLock(slot, { maxHold: Duration.millis(maxHold) })(
              Effect.andThen(Deferred.succeed(held, "held"), Deferred.await(go))
            )
            .pipe(Effect.catch((error) => Deferred.succeed(held, error.reason)))
        )
        return yield* Deferred.await(held)
      })
    )
  },
  release: (slot: string) => releases.get(slot)?.(),
  acquire: async (name: LockName, slot: string, maxHold: number) =>
    run((await lockOf(name)).withLock(slot, { maxHold: Duration.millis(maxHold) })(Effect.succeed("in"))),

  fingerprint: async () => {
    const context = await everything()
    const source = Context.get(context, DeviceMetadata.DeviceMetadata)
    if (typeof source !== "function") return undefined
    const metadata = await Effect.runPromise(source("default"))
    return { fingerprint: Redacted.value(metadata.fingerprint), info: metadata.deviceInfo }
  },
  lockOfEverything: async () => {
    const lock = Context.get(await everything(), SessionLock.SessionLock)
    return run(lock.withLock("default", { maxHold: Duration.seconds(1) })(Effect.succeed("in")))
  },

  watchActive: () => {
    Effect.runFork(Stream.runForEach(BrowserPage.active, (now) => Effect.sync(() => active.push(now))))
    Effect.runFork(
      BrowserPage.whileActive(
        Effect.acquireRelease(
          Effect.sync(() => log.push("start")),
          () => Effect.sync(() => log.push("stop"))
        )
      )
    )
  },
  active: () => [...active],
  log: () => [...log],
  now: () => Effect.runPromise(Effect.all([BrowserPage.isVisible, BrowserPage.isOnline])),
  interruptWaiter: async (name: LockName, slot: string) => {
    const lock = await lockOf(name)
    const fiber = Effect.runFork(lock.withLock(slot, { maxHold: Duration.seconds(30) })(Effect.succeed("in")))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await Effect.runPromise(Fiber.interrupt(fiber))
    return navigator.locks === undefined ? 0 : ((await navigator.locks.query()).pending ?? []).length
  }
}

declare global {
  interface Window {
    tab: typeof tab
  }
}
window.tab = tab
