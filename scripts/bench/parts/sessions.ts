/**
 * What idle sessions and waiting callers cost, and how that grows: `sessions.ts [--short]`, with `--expose-gc`. Prints
 * JSON.
 */
import { FetchClient, Session, Sessions, TokenStorage, Users } from "effect-oneentry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { defineOneEntry } from "oneentry"
import * as Fixtures from "../lib/fixtures.ts"
import { figureOf } from "../lib/rounds.ts"

const short = process.argv.includes("--short")
const { gc } = globalThis
if (gc === undefined) throw new Error("run with --expose-gc")
const used = () => {
  for (let i = 0; i < 3; i++) void gc()
  return process.memoryUsage().heapUsed
}

const seconds = Math.floor(Date.now() / 1000)
let pairs = 0
/** Strings as a parser makes them: flat, and nobody else's. */
const tokens = (index: number): { readonly accessToken: string; readonly refreshToken: string } =>
  JSON.parse(Fixtures.pair(Fixtures.accessToken(seconds, 1_000_000 + index), `refresh-${String(1_000_000 + index)}`))

globalThis.fetch = async (input) => {
  if (String(input).includes("/users/me"))
    return new Response(Fixtures.profile, { headers: { "content-length": String(Fixtures.profile.length) } })
  await new Promise((resolve) => setTimeout(resolve, 5))
  const text = Fixtures.pair(Fixtures.accessToken(seconds, ++pairs), `next-${pairs}`)
  return new Response(text, { headers: { "content-length": String(text.length) } })
}

const url = "https://project.test"
const open = async () => {
  const scope = Scope.makeUnsafe()
  const layer = Layer.mergeAll(Session.layer({ url }), Users.layer({ url })).pipe(
    Layer.provide([
      TokenStorage.layerMemory,
      FetchClient.layer,
      Sessions.layer({ maxIdle: 10_000_000, idleTimeToLive: "1 day" })
    ])
  )
  const context = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  return {
    session: Context.get(context, Session.Session),
    users: Context.get(context, Users.Users),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

const sizes = short ? [10, 100, 1_000, 10_000] : [10, 100, 1_000, 10_000, 100_000]

/** Time and memory of so many sessions, each restored and asked for its token once. */
const sessions = async (size: number) => {
  const before = used()
  const { close, session } = await open()
  const base = used()
  const all = Array.from({ length: size }, (_, index) => tokens(index))
  const strings = used() - base
  const began = performance.now()
  await Effect.runPromise(
    Effect.gen(function* () {
      for (let index = 0; index < size; index++) {
        const pair = all[index]
        if (pair === undefined) continue
        yield* Effect.andThen(session.restore({ ...pair, userIdentifier: "test@test.ru" }), session.accessToken).pipe(
          Sessions.withSlot(`user-${index}`)
        )
      }
    })
  )
  const millis = performance.now() - began
  const bytes = used() - base - strings
  // The strings are alive until here, so that what was measured beyond them is not theirs.
  const kept = all.length
  await close()
  return { size: kept, microsEach: (millis * 1000) / size, bytesEach: bytes / size, clientBytes: base - before }
}

/** So many callers wait for one refresh. */
const waiters = async (size: number) => {
  const values: Array<number> = []
  for (let round = 0; round < (short ? 3 : 9); round++) {
    const { close, session } = await open()
    await Effect.runPromise(session.restore({ refreshToken: `first-${round}-${size}` }))
    const before = pairs
    const began = performance.now()
    await Effect.runPromise(
      Effect.all(
        Array.from({ length: size }, () => session.accessToken),
        { concurrency: "unbounded", discard: true }
      )
    )
    values.push(performance.now() - began)
    if (pairs !== before + 1) throw new Error(`${pairs - before} refreshes for ${size} waiters`)
    await close()
  }
  return { size, millis: figureOf(values) }
}

const officialInstances = () => {
  const size = short ? 500 : 5_000
  const base = used()
  const all = Array.from({ length: size }, (_, index) =>
    defineOneEntry(url, { token: "t", auth: { refreshToken: `refresh-${index}` } })
  )
  const bytes = used() - base
  return { size: all.length, bytesEach: bytes / size }
}

const grown = []
await sessions(100)
for (const size of sizes) grown.push(await sessions(size))
const waited = []
await waiters(100)
for (const size of short ? [1, 10, 100, 1_000] : [1, 10, 100, 1_000, 10_000]) waited.push(await waiters(size))
console.log(JSON.stringify({ sessions: grown, waiters: waited, official: officialInstances() }))
process.exit(0)
