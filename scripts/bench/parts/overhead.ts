/**
 * What a call adds over raw `fetch` and `json()`, with a `fetch` that answers at once: `overhead.ts [--jit] [--short]`,
 * a process for each, as the schema JIT is on or off for all. Prints JSON.
 */
import { AuthClient } from "@supabase/auth-js"
import { AuthProvider, FetchClient, OneEntry, TokenStorage, Users } from "effect-oneentry"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { defineOneEntry } from "oneentry"
import { parseArgs } from "node:util"
import * as Fixtures from "../lib/fixtures.ts"
import { measure, quietFigureOf, type Variant } from "../lib/rounds.ts"

const { values: options } = parseArgs({
  options: {
    jit: { type: "boolean", default: false },
    short: { type: "boolean", default: false },
    only: { type: "string" }
  }
})
if (options.jit) await import("effect/schema/SchemaJITCompiler/enable")

const url = "https://project.test"
const access = Fixtures.accessToken(Math.floor(Date.now() / 1000))
const pair = Fixtures.pair(access, "refresh")
const supabaseSession = JSON.stringify({
  access_token: access,
  refresh_token: "refresh",
  token_type: "bearer",
  expires_in: 36_000,
  user: { id: "8", aud: "authenticated", app_metadata: {}, user_metadata: {}, created_at: "2026-01-01T00:00:00Z" }
})

const answers = (text: string) => ({
  text,
  init: { status: 200, headers: { "content-type": "application/json", "content-length": String(text.length) } }
})
const profileAnswer = answers(Fixtures.profile)
const pairAnswer = answers(pair)
const supabaseAnswer = answers(supabaseSession)
// The session that supabase's `getUser` asks for, in its own shape.
globalThis.fetch = (input) => {
  const target = typeof input === "string" ? input : input instanceof URL ? input.href : input.url
  const { init, text } =
    target.includes("/users/me") || target.endsWith("/user")
      ? profileAnswer
      : target.includes("/token")
        ? supabaseAnswer
        : pairAnswer
  return Promise.resolve(new Response(text, init))
}

const times = (run: () => Promise<unknown>) => async (count: number) => {
  for (let i = 0; i < count; i++) await run()
}

const official = defineOneEntry(url, { token: "t" })
await official.AuthProvider.auth("email", { authData: Fixtures.authData })

const supabase = new AuthClient({
  url,
  autoRefreshToken: false,
  persistSession: false,
  headers: {}
})
await supabase.signInWithPassword({ email: "a@b.c", password: "12345678" })

const clients = { FetchClient: FetchClient.layer, FetchHttpClient: FetchHttpClient.layer } as const

const ours = async (name: keyof typeof clients) => {
  const runtime = ManagedRuntime.make(
    OneEntry.layer({ url, appToken: "t" }).pipe(Layer.provide([TokenStorage.layerMemory, clients[name]]))
  )
  const [users, auth] = await runtime.runPromise(Effect.all([Users.Users, AuthProvider.AuthProvider]))
  await runtime.runPromise(auth.auth("email", { authData: Fixtures.authData }))
  const repeat =
    <E>(call: () => Effect.Effect<unknown, E>) =>
    (count: number) =>
      runtime.runPromise(
        Effect.gen(function* () {
          for (let i = 0; i < count; i++) yield* call()
        })
      )
  return {
    get: [
      { name: `effect-oneentry, ${name}`, run: repeat(() => users.getUser()) },
      ...(name === "FetchClient"
        ? [
            {
              name: "effect-oneentry, FetchClient, runPromise a call",
              run: times(() => runtime.runPromise(users.getUser()))
            }
          ]
        : [])
    ],
    post: [{ name: `effect-oneentry, ${name}`, run: repeat(() => auth.auth("email", { authData: Fixtures.authData })) }]
  }
}

const lean = await ours("FetchClient")
const stock = await ours("FetchHttpClient")

const headers = { accept: "application/json", "x-app-token": "t", authorization: `Bearer ${access}` }
const get: ReadonlyArray<Variant> = [
  { name: "raw fetch", run: times(async () => (await fetch(url + Fixtures.profilePath, { headers })).json()) },
  { name: "oneentry", run: times(() => official.Users.getUser()) },
  { name: "@supabase/auth-js", run: times(() => supabase.getUser(access)) },
  ...lean.get,
  ...stock.get
]
const post: ReadonlyArray<Variant> = [
  {
    name: "raw fetch",
    run: times(async () =>
      (
        await fetch(url + Fixtures.signInPath, {
          method: "POST",
          headers: { ...headers, "content-type": "application/json" },
          body: JSON.stringify({ authData: Fixtures.authData })
        })
      ).json()
    )
  },
  { name: "oneentry", run: times(() => official.AuthProvider.auth("email", { authData: Fixtures.authData })) },
  {
    name: "@supabase/auth-js",
    run: times(() => supabase.signInWithPassword({ email: "a@b.c", password: "12345678" }))
  },
  ...lean.post,
  ...stock.post
]

const plan = options.short ? { rounds: 60, times: 30, warmup: 1_500 } : { rounds: 400, times: 30, warmup: 6_000 }
const summary = async (variants: ReadonlyArray<Variant>) => {
  const results = await measure(
    variants.filter(
      ({ name }) =>
        options.only === undefined || name.startsWith("raw") || name === "oneentry" || name.includes(options.only)
    ),
    plan
  )
  const figures = new Map([...results].map(([name, values]) => [name, quietFigureOf(values)]))
  const raw = figures.get("raw fetch")
  const official = figures.get("oneentry")
  if (raw === undefined || official === undefined) throw new Error("nothing to compare with")
  return {
    raw,
    variants: [...figures].map(([name, micros]) => ({
      name,
      micros,
      adds: micros.median - raw.median,
      /** What it adds, as a multiple of what the official SDK adds. */
      ratio: (micros.median - raw.median) / (official.median - raw.median)
    }))
  }
}

console.log(JSON.stringify({ jit: options.jit, get: await summary(get), post: await summary(post) }))
process.exit(0)
