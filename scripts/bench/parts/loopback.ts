/** Calls per second over loopback, and the storm: `loopback.ts URL [--short]`. Prints JSON. */
import { AuthProvider, FetchClient, OneEntry, TokenStorage, Users } from "effect-oneentry"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { defineOneEntry } from "oneentry"
import * as Fixtures from "../lib/fixtures.ts"
import { figureOf, quantile, turns } from "../lib/rounds.ts"

const [url = "", mode] = process.argv.slice(2)
const short = mode === "--short"
// Before undici, which would make `fetch` use its own connections instead of Node's.
await fetch(`${url}/stats`)
const { UndiciClient } = await import("effect-oneentry/undici")
const Undici = await import("undici")

const control = async (path: string): Promise<Record<string, unknown>> => (await fetch(url + path)).json()

const clients = {
  FetchClient: FetchClient.layer,
  FetchHttpClient: FetchHttpClient.layer,
  UndiciClient: UndiciClient.layer
} as const

const signedIn = async (name: keyof typeof clients, marker: string) => {
  const runtime = ManagedRuntime.make(
    OneEntry.layer({ url, appToken: "t" }).pipe(Layer.provide([TokenStorage.layerMemory, clients[name]]))
  )
  const [users, auth] = await runtime.runPromise(Effect.all([Users.Users, AuthProvider.AuthProvider]))
  await runtime.runPromise(auth.auth(marker, { authData: Fixtures.authData }))
  return { runtime, users }
}

const headers = { accept: "application/json", authorization: "Bearer good", "x-app-token": "t" }
const rawFetch = async (authorization = headers.authorization) => {
  const response = await fetch(url + Fixtures.profilePath, { headers: { ...headers, authorization } })
  await response.json()
}

/** Microseconds of CPU that this process has used: what a busy machine does not change much. */
const cpuMicros = (): number => {
  const { system, user } = process.cpuUsage()
  return user + system
}

/** Runs `total` calls, `atOnce` at a time; how long each took, in milliseconds. */
type Runner = (total: number, atOnce: number) => Promise<ReadonlyArray<number>>

const promises =
  (call: () => Promise<unknown>): Runner =>
  async (total, atOnce) => {
    const took: Array<number> = []
    let left = total
    const worker = async () => {
      while (left-- > 0) {
        const began = performance.now()
        await call()
        took.push(performance.now() - began)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    return took
  }

const effects = async (name: keyof typeof clients): Promise<Runner> => {
  const { runtime, users } = await signedIn(name, "email")
  return (total, atOnce) => {
    const took: Array<number> = []
    let left = total
    const worker = Effect.gen(function* () {
      while (left-- > 0) {
        const began = performance.now()
        yield* users.getUser()
        took.push(performance.now() - began)
      }
    })
    return runtime.runPromise(
      Effect.as(
        Effect.all(
          Array.from({ length: atOnce }, () => worker),
          { concurrency: "unbounded", discard: true }
        ),
        took
      )
    )
  }
}

const official = defineOneEntry(url, { token: "t" })
await official.AuthProvider.auth("email", { authData: Fixtures.authData })
const agent = new Undici.Agent({ connections: 512 })

const runners: ReadonlyArray<readonly [string, Runner]> = [
  ["raw fetch", promises(() => rawFetch())],
  [
    "raw undici",
    promises(async () => {
      const { body } = await Undici.request(url + Fixtures.profilePath, { headers, dispatcher: agent })
      await body.json()
    })
  ],
  ["oneentry", promises(() => official.Users.getUser())],
  ["effect-oneentry, FetchClient", await effects("FetchClient")],
  ["effect-oneentry, FetchHttpClient", await effects("FetchHttpClient")],
  ["effect-oneentry, UndiciClient", await effects("UndiciClient")]
]

const throughput = async (atOnce: number) => {
  const total = (short ? 100 : 400) + atOnce * (short ? 1 : 2)
  const rounds = short ? 3 : 25
  const rates = new Map<string, Array<number>>()
  const latencies = new Map<string, Array<number>>()
  const cpus = new Map<string, Array<number>>()
  for (const [, run] of runners) await run(total, atOnce)
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of turns(runners, round)) {
      const [began, cpu] = [performance.now(), cpuMicros()]
      const took = await run(total, atOnce)
      cpus.set(name, [...(cpus.get(name) ?? []), (cpuMicros() - cpu) / total])
      rates.set(name, [...(rates.get(name) ?? []), (total / (performance.now() - began)) * 1000])
      latencies.set(name, [...(latencies.get(name) ?? []), ...took])
    }
  }
  const officialRate = figureOf(rates.get("oneentry") ?? []).median
  return {
    atOnce,
    clients: [...rates].map(([name, values]) => ({
      name,
      perSecond: figureOf(values),
      cpuMicros: figureOf(cpus.get(name) ?? []),
      ratio: figureOf(values).median / officialRate,
      p50: quantile(latencies.get(name) ?? [], 0.5),
      p99: quantile(latencies.get(name) ?? [], 0.99)
    }))
  }
}

/** A thousand calls with a token that the server takes for expired. */
const storm = async () => {
  const calls = 1_000
  const timed = async (run: () => Promise<unknown>) => {
    const [began, cpu] = [performance.now(), cpuMicros()]
    await run()
    return { millis: performance.now() - began, cpu: cpuMicros() - cpu }
  }
  const many = (call: () => Promise<unknown>) => Promise.all(Array.from({ length: calls }, call))

  const bound = () =>
    timed(async () => {
      await many(() => rawFetch("Bearer old"))
      const signedIn = await fetch(url + Fixtures.signInPath, { method: "POST", body: "{}" })
      const { refreshToken } = (await signedIn.json()) as { refreshToken: string }
      await (await fetch(`${url}/refresh`, { method: "POST", body: JSON.stringify({ refreshToken }) })).json()
      await many(() => rawFetch())
    })

  const ours = async () => {
    const { runtime, users } = await signedIn("FetchClient", "stale")
    await control("/reset")
    let failures = 0
    const { cpu, millis } = await timed(() =>
      runtime.runPromise(
        Effect.all(
          Array.from({ length: calls }, () => Effect.catch(users.getUser(), () => Effect.sync(() => void failures++))),
          { concurrency: "unbounded", discard: true }
        )
      )
    )
    const stats = await control("/stats")
    await runtime.dispose()
    return { millis, cpu, failures, ...stats }
  }

  const officials = async () => {
    const client = defineOneEntry(url, { token: "t" })
    await client.AuthProvider.auth("stale", { authData: Fixtures.authData })
    await control("/reset")
    let failures = 0
    const { cpu, millis } = await timed(() =>
      many(async () => {
        try {
          const result: unknown = await client.Users.getUser()
          if (typeof result !== "object" || result === null || !("identifier" in result)) failures++
        } catch {
          failures++
        }
      })
    )
    const stats = await control("/stats")
    await control("/reset")
    return { millis, cpu, failures, ...stats }
  }

  const rounds = short ? 2 : 7
  const bounds: Array<Awaited<ReturnType<typeof bound>>> = []
  const runs: Array<Awaited<ReturnType<typeof ours>>> = []
  // Raw `fetch` has had thousands of calls by now; what refuses and refreshes has had none.
  for (let round = 0; round < 4; round++) {
    await bound()
    await ours()
  }
  for (let round = 0; round < rounds; round++) {
    bounds.push(await bound())
    runs.push(await ours())
  }
  return {
    calls,
    bound: figureOf(bounds.map(({ millis }) => millis)),
    ratio: figureOf(runs.map(({ millis }, i) => millis / (bounds[i]?.millis ?? 1))),
    cpuRatio: figureOf(runs.map(({ cpu }, i) => cpu / (bounds[i]?.cpu ?? 1))),
    runs,
    official: await officials()
  }
}

const loops = []
for (const atOnce of [1, 50, 500]) loops.push(await throughput(atOnce))
console.log(JSON.stringify({ loopback: loops, storm: await storm() }))
process.exit(0)
