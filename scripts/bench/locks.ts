/**
 * What happens when many share one session and its access token ends for all of them at once: for each lock and for the
 * official SDK, how many refreshes reach the server, how many calls fail, how many sessions are lost, and when the last
 * caller goes on: `npm run bench:locks`. `--short` measures once, with fewer contenders, `--write` writes
 * docs/bench/locks.md and locks.json. A lock whose server is not installed is left out, and said so.
 */
import { Context, Effect, Exit, Layer, Redacted, Schedule, type Scope } from "effect"
import { FetchHttpClient } from "effect/http"
import { AuthProvider, OneEntry, TokenStorage, Users } from "effect-oneentry"
import { Emulator, Project } from "effect-oneentry/emulator"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import type { Page } from "playwright-core"
import { defineOneEntry } from "oneentry"
import { requirementOfChromium, type Site, startSite } from "../../test/helpers/chromium.ts"
import { postgres } from "../../test/helpers/postgres.ts"
import { redis } from "../../test/helpers/redis.ts"
import { makePool, type Pool } from "../../test/processes/pool.ts"
import { startPostgres, startRedis, startSqlite, type Store } from "../../test/processes/stores.ts"
import { root } from "../lib/package.ts"

const { values: options } = parseArgs({
  options: { short: { type: "boolean", default: false }, write: { type: "boolean", default: false } }
})
const sizes = options.short ? [2, 8] : [2, 8, 32]
const rounds = options.short ? 1 : 5

const user = "ann@example.com"
const authData = [
  { marker: "email_reg", value: user },
  { marker: "password_reg", value: "123456" }
]

interface Result {
  readonly lock: string
  readonly contenders: number
  /** Medians of the rounds. */
  readonly refreshes: number
  readonly callsFailed: number
  readonly sessionsLost: number
  readonly lastWentOnMillis: number
  readonly rounds: number
}

/** Those who share one session: `call` makes one call each and says whose succeeded. */
interface Contenders {
  readonly call: Effect.Effect<ReadonlyArray<boolean>>
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const measure = (
  emulator: Emulator.Service,
  lock: string,
  contenders: number,
  start: (round: number) => Effect.Effect<Contenders, never, Scope.Scope>
) =>
  Effect.gen(function* () {
    const refreshes: Array<number> = []
    const failed: Array<number> = []
    const lost: Array<number> = []
    const millis: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* emulator.reset
          const { call } = yield* start(round)
          yield* emulator.expireAccessTokens
          const began = performance.now()
          const first = yield* call
          millis.push(performance.now() - began)
          failed.push(first.filter((success) => !success).length)
          refreshes.push((yield* emulator.requests).filter(({ operation }) => operation === "refresh").length)
          const second = yield* call
          lost.push(second.filter((success) => !success).length)
        })
      )
    }
    const result: Result = {
      lock,
      contenders,
      refreshes: median(refreshes),
      callsFailed: median(failed),
      sessionsLost: median(lost),
      lastWentOnMillis: median(millis),
      rounds
    }
    process.stderr.write(`${lock}, ${contenders}: ${result.refreshes} refreshes, ${result.callsFailed} failed\n`)
    return result
  })

/** Clients of one process over one storage. */
const inProcess = (emulator: Emulator.Service, contenders: number) =>
  Effect.gen(function* () {
    const shared = Layer.succeed(TokenStorage.TokenStorage, TokenStorage.makeMemory())
    const clients = yield* Effect.forEach(Array.from({ length: contenders }), () =>
      Layer.build(
        Layer.fresh(OneEntry.layer({ url: emulator.url, appToken: emulator.appToken, retry: false })).pipe(
          Layer.provide([shared, FetchHttpClient.layer])
        )
      )
    ).pipe(Effect.orDie)
    const [first] = clients
    if (first !== undefined)
      yield* Effect.orDie(Context.get(first, AuthProvider.AuthProvider).auth("email", { authData }))
    const call = Effect.forEach(
      clients,
      (client) => Effect.map(Effect.exit(Context.get(client, Users.Users).getUser()), Exit.isSuccess),
      { concurrency: "unbounded" }
    )
    yield* call
    return { call }
  })

/** A process for each. */
const processes = (emulator: Emulator.Service, pool: Pool, store: Store, contenders: number, round: number) =>
  Effect.gen(function* () {
    const taken = yield* pool.take(contenders, () => ({
      store: store.config,
      slot: `bench-${contenders}-${round}`,
      url: emulator.url,
      appToken: Redacted.value(emulator.appToken)
    }))
    const call = Effect.forEach(
      taken,
      (one) => Effect.map(one.call(), (outcomes) => outcomes.every(({ _tag }) => _tag === "Success")),
      { concurrency: "unbounded" }
    )
    yield* Effect.suspend(() => taken[0]?.signIn ?? Effect.void)
    yield* call
    return { call }
  })

/** A tab of one profile for each. */
const tabs = (emulator: Emulator.Service, all: ReadonlyArray<Page>, contenders: number) =>
  Effect.gen(function* () {
    const taken = all.slice(0, contenders)
    const call = Effect.forEach(
      taken,
      (page) => Effect.promise(async () => (await page.evaluate(() => window.app.me())).value === user),
      { concurrency: "unbounded" }
    )
    const [first] = taken
    const signIn = Effect.promise(async () => first?.evaluate((login) => window.app.signIn(login, "123456"), user))
    yield* signIn
    // The others hear of it from the first; each has called once then.
    yield* Effect.filterOrFail(call, (results) => results.every(Boolean)).pipe(
      Effect.retry({ times: 100, schedule: Schedule.spaced("50 millis") }),
      Effect.orDie
    )
    return { call }
  })

/** Tabs of a fresh profile, as many as any measurement wants. */
const openTabs = (emulator: Emulator.Service, site: Site, count: number, webLocks: boolean) =>
  Effect.gen(function* () {
    const context = yield* Effect.acquireRelease(site.context, (context) => Effect.promise(() => context.close()))
    return yield* Effect.forEach(Array.from({ length: count }), () =>
      Effect.tap(site.open(context), (page) =>
        Effect.promise(() =>
          page.evaluate((options) => window.app.start(options), {
            url: emulator.url,
            appToken: Redacted.value(emulator.appToken),
            storage: "indexedDb" as const,
            webLocks
          })
        )
      )
    )
  })

/**
 * Instances of the official SDK that keep the refresh token in one `localStorage`, as its README shows: the tabs of a
 * browser. Its device id lives there, too, so that all of them are one device.
 */
const official = (emulator: Emulator.Service, contenders: number) =>
  Effect.gen(function* () {
    const stored = new Map<string, string>()
    const localStorage = {
      getItem: (name: string) => stored.get(name) ?? null,
      setItem: (name: string, value: string) => void stored.set(name, value),
      removeItem: (name: string) => void stored.delete(name)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => Object.assign(globalThis, { window: { localStorage } })),
      () => Effect.sync(() => Reflect.deleteProperty(globalThis, "window"))
    )
    const open = () =>
      defineOneEntry(emulator.url, {
        token: Redacted.value(emulator.appToken),
        auth: {
          refreshToken: localStorage.getItem("refreshToken") ?? "",
          saveFunction: (token: string) => localStorage.setItem("refreshToken", token),
          providerMarker: "email"
        }
      })
    yield* Effect.promise(() => open().AuthProvider.auth("email", { authData }))
    const tabs = Array.from({ length: contenders }, open)
    const call = Effect.forEach(
      tabs,
      (tab) =>
        Effect.promise(() =>
          // It gives errors as values, and throws some of them.
          tab.Users.getUser().then(
            (result) => "identifier" in result && result.identifier === user,
            () => false
          )
        ),
      { concurrency: "unbounded" }
    )
    return { call }
  })

const program = Effect.gen(function* () {
  const emulator = yield* Emulator.makeServer({
    passwordCost: 1,
    project: {
      ...Project.defaultProject,
      providers: [{ identifier: "email", formIdentifier: "reg" }],
      users: [{ provider: "email", login: user, password: "123456" }]
    }
  })
  const results: Array<Result> = []
  const left: Array<string> = []
  for (const size of sizes) {
    results.push(yield* measure(emulator, "in the process", size, () => inProcess(emulator, size)))
  }
  const pool = yield* makePool(Math.max(...sizes))
  const stores = [
    ["Redis", redis.available, startRedis],
    ["PostgreSQL", postgres.available, startPostgres],
    ["SQLite", true, startSqlite]
  ] as const
  for (const [name, available, start] of stores) {
    if (!available) {
      left.push(name)
      continue
    }
    const store = yield* start
    for (const size of sizes) {
      results.push(yield* measure(emulator, name, size, (round) => processes(emulator, pool, store, size, round)))
    }
  }
  if (requirementOfChromium.available) {
    const site = yield* startSite("test/browser/sessionPage.ts")
    for (const [name, webLocks] of [
      ["Web Locks", true],
      ["leases in IndexedDB", false]
    ] as const) {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const all = yield* openTabs(emulator, site, Math.max(...sizes), webLocks)
          for (const size of sizes) {
            results.push(yield* measure(emulator, name, size, () => tabs(emulator, all, size)))
          }
        })
      )
    }
  } else left.push("Web Locks and leases (Chromium)")
  for (const size of sizes) {
    results.push(yield* measure(emulator, "official SDK", size, () => official(emulator, size)))
  }
  return { results, left }
})

const { left, results } = await Effect.runPromise(Effect.scoped(program))

const machine = `Node ${process.version}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? "?"}`
const markdown = [
  "# Many over one session",
  "",
  `Made by \`npm run bench:locks\` on ${new Date().toISOString().slice(0, 10)}: ${machine}, load ${os
    .loadavg()
    .map((value) => value.toFixed(1))
    .join(" ")}; medians of ${rounds} rounds.`,
  "The access token ends for all contenders at once, and each makes one call, then another. *Refreshes* and *failed* are of the first calls,",
  "*lost* are contenders whose second call fails, too. *Last* is when the last first call was through, failed ones included.",
  "Redis, PostgreSQL and SQLite: a process for each contender; Web Locks and leases: a tab of one Chromium for each. Their times have the messages to and from them in it. The",
  "official SDK: instances that share a `localStorage` with its refresh token and device id, as tabs do.",
  ...(left.length === 0 ? [] : ["", `Left out, because they are not installed: ${left.join(", ")}.`]),
  "",
  "| lock | contenders | refreshes | calls failed | sessions lost | last, ms |",
  "|---|---:|---:|---:|---:|---:|",
  ...results.map(
    (one) =>
      `| ${one.lock} | ${one.contenders} | ${one.refreshes} | ${one.callsFailed} | ${one.sessionsLost} | ${one.lastWentOnMillis.toFixed(0)} |`
  ),
  ""
].join("\n")
const json = `${JSON.stringify({ date: new Date().toISOString(), machine, left, results }, null, 2)}\n`

console.log(markdown)
console.log(json)
if (options.write) {
  const folder = path.join(root, "docs/bench")
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, "locks.md"), markdown)
  fs.writeFileSync(path.join(folder, "locks.json"), json)
  execFileSync(path.join(root, "node_modules/.bin/oxfmt"), ["locks.md", "locks.json"], { cwd: folder })
}
