/**
 * What idle sessions and waiting callers cost, and how that grows: `sessions.ts [--short]`, with `--expose-gc`. Prints
 * JSON.
 */
import { FetchClient, Session, Sessions, TokenStorage } from "effect-oneentry"
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
const everySlot = Sessions.layer({ maxIdle: 10_000_000, idleTimeToLive: "1 day" })
const open = async (storage = TokenStorage.layerMemory, slots: Layer.Layer<never> = everySlot) => {
  const scope = Scope.makeUnsafe()
  const layer = Session.layer({ url }).pipe(Layer.provideMerge(storage), Layer.provide([FetchClient.layer, slots]))
  const context = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  return {
    session: Context.get(context, Session.Session),
    storage: Context.get(context, TokenStorage.TokenStorage),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

const sizes = short ? [10, 100, 1_000, 10_000] : [10, 100, 1_000, 10_000, 100_000]

/** What a storage would send of one: a new string each time, that holds on to nothing that it was made of. */
const envelope = (index: number) => {
  const { accessToken, refreshToken } = tokens(index)
  const text = JSON.stringify({
    version: 1,
    marker: "email",
    accessToken,
    refreshToken,
    device: {
      fingerprint: `web-${String(index).padStart(22, "f")}`,
      deviceInfo: { os: "Windows", browser: "Mozilla/5.0 (Windows NT 10.0) Chrome/141", location: "en-US" }
    },
    receivedAt: seconds * 1000,
    lifetime: 36_000_000,
    clockOffset: 0,
    userIdentifier: `user-${index}@example.com`
  })
  return {
    text: Buffer.from(text).toString("latin1"),
    tokenBytes: accessToken.length + refreshToken.length
  }
}

const elsewhere = Layer.sync(TokenStorage.TokenStorage, () =>
  TokenStorage.make({
    get: (slot) => Effect.sync(() => envelope(Number(slot)).text),
    set: () => Effect.void,
    remove: () => Effect.void,
    compareAndSet: () => Effect.succeed(true)
  })
)

/** Time and memory of so many sessions, each read and asked for its token once. */
const sessions = async (size: number, where: "elsewhere" | "memory") => {
  const { close, session, storage } =
    where === "elsewhere" ? await open(elsewhere) : await open(TokenStorage.layerMemory, Layer.empty)
  const visit = Effect.fnUntraced(function* (from: number, to: number) {
    let tokenBytes = 0
    for (let index = from; index < to; index++) {
      if (where === "memory") {
        const one = envelope(index)
        tokenBytes += one.tokenBytes
        yield* storage.set(String(index), one.text)
      } else tokenBytes += tokenBytesEach
      yield* Sessions.withSlot(String(index))(session.accessToken)
    }
    return tokenBytes
  })
  // What is made and cached once is there before the first measurement.
  await Effect.runPromise(visit(size, size + 100))
  const base = used()
  const began = performance.now()
  const tokenBytes = await Effect.runPromise(visit(0, size))
  const millis = performance.now() - began
  const bytes = used() - base - tokenBytes
  // All of it is there until here.
  await Effect.runPromise(Sessions.withSlot("0")(session.accessToken))
  await close()
  return { size, microsEach: (millis * 1000) / size, bytesEach: bytes / size }
}

const tokenBytesEach = envelope(0).tokenBytes

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
await sessions(1_000, "elsewhere")
for (const size of sizes) grown.push(await sessions(size, "elsewhere"))
const stored = await sessions(short ? 20_000 : 100_000, "memory")
const waited = []
await waiters(100)
for (const size of short ? [1, 10, 100, 1_000] : [1, 10, 100, 1_000, 10_000]) waited.push(await waiters(size))
console.log(JSON.stringify({ sessions: grown, stored, waiters: waited, official: officialInstances() }))
process.exit(0)
