/**
 * Run by a test in a process of its own: fills the memory with idle sessions and prints how many bytes of heap each
 * takes beyond its tokens. Arguments: how many sessions; whether the storage is in this process (`memory`, with the
 * usual bound of slots) or not (`remote`, with all slots in memory).
 */
import { Effect, Layer } from "effect"
import { HttpClient } from "effect/http"
import { OneEntry, Session, Sessions, TokenStorage } from "effect-oneentry"

const count = Number(process.argv[2])
const inMemory = process.argv[3] === "memory"

const base64Url = (text: string) => Buffer.from(text).toString("base64url")

/** What a storage would send: a new string each time. */
const envelope = (index: number): { readonly text: string; readonly tokenBytes: number } => {
  const claims = {
    sub: index,
    iat: 1,
    exp: 3_601,
    userIdentifier: `user-${index}@example.com`,
    filler: "x".repeat(200)
  }
  const accessToken = `${base64Url(`{"alg":"HS256","typ":"JWT"}`)}.${base64Url(JSON.stringify(claims))}.${"s".repeat(43)}`
  const refreshToken = `${1_700_000_000_000 + index}-${"0".repeat(8)}-0000-4000-8000-${String(index).padStart(12, "0")}`
  const session = {
    version: 1,
    marker: "email",
    accessToken,
    refreshToken,
    device: {
      fingerprint: `web-${String(index).padStart(22, "f")}`,
      deviceInfo: { os: "Windows", browser: "Chrome/141", location: "en-US" }
    },
    receivedAt: Date.now(),
    lifetime: 3_600_000,
    clockOffset: 0,
    userIdentifier: `user-${index}@example.com`
  }
  // Through bytes, so that the text holds on to nothing that it was made of.
  return {
    text: Buffer.from(JSON.stringify(session)).toString("latin1"),
    tokenBytes: accessToken.length + refreshToken.length
  }
}

const remote = TokenStorage.make({
  get: (slot) => Effect.sync(() => envelope(Number(slot)).text),
  set: () => Effect.void,
  remove: () => Effect.void,
  compareAndSet: () => Effect.succeed(true)
})

const collected = () => {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const program = Effect.gen(function* () {
  const session = yield* Session.Session
  const storage = yield* TokenStorage.TokenStorage
  // Everything that is compiled and cached once is there before the first measurement.
  for (let index = count; index < count + 1_000; index++) yield* Sessions.withSlot(String(index))(session.current)
  const before = collected()
  let tokenBytes = 0
  for (let index = 0; index < count; index++) {
    const one = envelope(index)
    tokenBytes += one.tokenBytes
    if (inMemory) yield* storage.set(String(index), one.text)
    yield* Sessions.withSlot(String(index))(session.current)
  }
  const bytes = (collected() - before - tokenBytes) / count
  // What was measured is still there.
  const info = yield* Sessions.withSlot("0")(session.current)
  return { bytes: Math.round(bytes), tokenBytes: Math.round(tokenBytes / count), there: info._tag === "Some" }
})

const result = await Effect.runPromise(
  program.pipe(
    Effect.provide(
      OneEntry.layer({ url: "https://project.test" }).pipe(
        Layer.provideMerge(inMemory ? TokenStorage.layerMemory : Layer.succeed(TokenStorage.TokenStorage, remote)),
        Layer.provide([
          inMemory ? Layer.empty : Sessions.layer({ maxIdle: count + 2_000, idleTimeToLive: "1 hour" }),
          Layer.succeed(
            HttpClient.HttpClient,
            HttpClient.make(() => Effect.die("nothing is sent"))
          )
        ])
      )
    )
  )
)
console.log(JSON.stringify(result))
