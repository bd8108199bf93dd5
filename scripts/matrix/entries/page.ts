/** The contract in a browser: the page runs it and sends the results back; with `?tab` it is one of several tabs. */
import { Cause, Effect, Exit, Layer, ManagedRuntime, Option, Redacted, Schedule } from "effect"
import { AuthProvider, FetchClient, OneEntry, Session, SessionLock, Users } from "effect-oneentry"
import * as Browser from "effect-oneentry/browser"
import { type Case, same, type Suite, Unmet } from "../../../test/contract/check.ts"
import {
  type Address,
  ann,
  authData,
  bob,
  expireAccessTokens,
  fresh,
  Host,
  type Needs,
  statuses
} from "../../../test/contract/host.ts"
import { contract } from "../../../test/contract/suite.ts"

const channelName = "contract"

// -----------------------------------------------------------------------------
// a tab
// -----------------------------------------------------------------------------

interface Start {
  readonly url: string
  readonly appToken: string
  readonly storage: "indexedDb" | "localStorage"
  readonly lock: "Web Locks" | "leases"
}
interface Order {
  readonly tab: string
  readonly number: number
  readonly command: "start" | "signIn" | "calls" | "current" | "logout" | "hang" | "leave"
  readonly argument?: string
}
interface Answer {
  readonly from: string
  readonly number: number
  readonly value: string
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has one origin
const send = (channel: BroadcastChannel, message: Order | Answer) => channel.postMessage(message)

const said = (exit: Exit.Exit<string, unknown>): string => {
  if (Exit.isSuccess(exit)) return exit.value
  const error = Cause.squash(exit.cause)
  return error instanceof Error && "_tag" in error ? String(error._tag) : String(error)
}

const makeRuntime = ({ appToken, lock, storage, url }: Start) => {
  const name = "tabs"
  const leases = Layer.effect(SessionLock.SessionLock, Browser.BrowserSessionLock.makeLeases({ name }))
  const browser = Browser.layer({ storage, name })
  return ManagedRuntime.make(
    OneEntry.layer({ url, appToken, retry: false }).pipe(
      Layer.provide([lock === "leases" ? Layer.merge(browser, leases) : browser, FetchClient.layer])
    )
  )
}

const beTab = (tab: string) => {
  const channel = new BroadcastChannel(channelName)
  let runtime: ReturnType<typeof makeRuntime> | undefined
  let hanging = false
  const { fetch } = globalThis
  globalThis.fetch = (input, init) => {
    if (!hanging || !String(input).endsWith("/users/refresh")) return fetch(input, init)
    // This tab's refresh never leaves it, and then the tab is gone.
    location.replace("/gone")
    return new Promise(() => {})
  }
  const me = Effect.map(
    Users.Users.use((users) => users.getUser()),
    (user) => user.identifier
  )
  const obey = async ({ argument = "", command }: Order): Promise<string> => {
    if (command === "start") runtime = makeRuntime(JSON.parse(argument))
    if (runtime === undefined) return "not started"
    switch (command) {
      case "start":
        // Built now, so that it hears what the others do.
        return said(
          await runtime.runPromiseExit(
            Effect.as(
              Session.Session.use((session) => session.current),
              "started"
            )
          )
        )
      case "signIn":
        return said(
          await runtime.runPromiseExit(
            AuthProvider.AuthProvider.use((auth) => auth.auth("email", { authData: authData(argument) })).pipe(
              Effect.map(({ userIdentifier }) => userIdentifier)
            )
          )
        )
      case "calls": {
        const runs = Array.from({ length: Number(argument) }, () => runtime?.runPromiseExit(me))
        const exits = await Promise.all(runs)
        return [...new Set(exits.map((exit) => (exit === undefined ? "" : said(exit))))].join()
      }
      case "current":
        return said(
          await runtime.runPromiseExit(
            Effect.map(
              Session.Session.use((session) => session.current),
              Option.match({ onNone: () => "nobody", onSome: (info) => info.userIdentifier ?? "somebody" })
            )
          )
        )
      case "logout":
        return said(
          await runtime.runPromiseExit(
            Effect.as(
              AuthProvider.AuthProvider.use((auth) => auth.logout()),
              "out"
            )
          )
        )
      case "hang":
        hanging = true
        runtime.runFork(me)
        return "gone"
      case "leave":
        location.replace("/gone")
        return "gone"
    }
  }
  channel.addEventListener("message", ({ data }: MessageEvent<Order | Answer>) => {
    if (!("tab" in data) || data.tab !== tab) return
    void obey(data).then((value) => send(channel, { from: tab, number: data.number, value }))
  })
  send(channel, { from: tab, number: 0, value: "ready" })
}

// -----------------------------------------------------------------------------
// the page that opens tabs
// -----------------------------------------------------------------------------

let opened = 0

const openTabs = (count: number, kind: Pick<Start, "storage" | "lock">) =>
  Effect.gen(function* () {
    const { appToken, url } = yield* Host
    const channel = yield* Effect.acquireRelease(
      Effect.sync(() => new BroadcastChannel(channelName)),
      (channel) => Effect.sync(() => channel.close())
    )
    const waiting = new Map<string, (value: string) => void>()
    channel.addEventListener("message", ({ data }: MessageEvent<Order | Answer>) => {
      if ("from" in data) waiting.get(`${data.from} ${data.number}`)?.(data.value)
    })
    const answer = (tab: string, number: number, ask: () => void) =>
      Effect.callback<string>((resume) => {
        waiting.set(`${tab} ${number}`, (value) => resume(Effect.succeed(value)))
        ask()
      }).pipe(
        Effect.timeoutOrElse({
          duration: "30 seconds",
          orElse: () =>
            Effect.fail(new Unmet({ what: `tab ${tab}`, expected: `an answer to ${number}`, actual: "silent" }))
        })
      )
    let number = 0
    const order = (tab: string, command: Order["command"], argument?: string) =>
      Effect.suspend(() => {
        const next = ++number
        const message: Order = { tab, number: next, command, ...(argument === undefined ? {} : { argument }) }
        return answer(tab, next, () => send(channel, message))
      })
    const gone = new Set<string>()
    const tabs = yield* Effect.forEach(Array.from({ length: count }), () =>
      Effect.gen(function* () {
        const tab = String(++opened)
        yield* answer(tab, 0, () => void window.open(`/?tab=${tab}`, "_blank", "noopener"))
        const start: Start = { url, appToken: Redacted.value(appToken), ...kind }
        yield* Effect.flatMap(order(tab, "start", JSON.stringify(start)), (value) => same("the tab", value, "started"))
        return {
          signIn: (login: string) =>
            Effect.flatMap(order(tab, "signIn", login), (value) => same("who signed in", value, login)),
          calls: (count: number) => order(tab, "calls", String(count)),
          logout: order(tab, "logout"),
          hang: Effect.andThen(
            Effect.sync(() => gone.add(tab)),
            order(tab, "hang")
          ),
          leave: Effect.suspend(() => (gone.has(tab) ? Effect.void : order(tab, "leave"))),
          /** Waits until the tab knows. */
          knows: (who: string) =>
            order(tab, "current").pipe(
              Effect.flatMap((value) => same("who it takes itself for", value, who)),
              Effect.retry({ times: 200, schedule: Schedule.spaced("25 millis") })
            )
        }
      })
    )
    const [first, second] = tabs
    if (first === undefined || second === undefined) {
      return yield* new Unmet({ what: "the tabs", expected: "two at least", actual: "fewer" })
    }
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.forEach(tabs, (tab) => tab.leave)))
    yield* first.logout
    yield* fresh
    return { tabs, first, second }
  })

const kinds = [
  { storage: "indexedDb", lock: "Web Locks" },
  { storage: "localStorage", lock: "Web Locks" },
  { storage: "indexedDb", lock: "leases" }
] as const

type Kind = (typeof kinds)[number]
const nameOf = ({ lock, storage }: Kind) => `${storage}, ${lock}`

const closing = (kind: Kind): Case<Needs> => ({
  name: `${nameOf(kind)}: a tab that is closed before its refresh was sent leaves it to the others`,
  run: Effect.gen(function* () {
    const { first, second } = yield* openTabs(2, kind)
    yield* first.signIn(ann)
    yield* second.knows(ann)
    yield* expireAccessTokens
    yield* first.hang
    yield* same("who the other is", yield* second.calls(3), ann)
    yield* same("the refreshes", yield* statuses("refresh"), [201])
  })
})

const cases: ReadonlyArray<Case<Needs>> = kinds.flatMap((kind) => {
  const name = nameOf(kind)
  return [
    {
      name: `${name}: eight tabs whose token ends at once make one refresh, and every call succeeds`,
      run: Effect.gen(function* () {
        const { first, tabs } = yield* openTabs(8, kind)
        yield* first.signIn(ann)
        yield* Effect.forEach(tabs, (tab) => tab.knows(ann))
        for (const round of [1, 2]) {
          yield* expireAccessTokens
          const seen = yield* Effect.forEach(tabs, (tab) => tab.calls(5), { concurrency: "unbounded" })
          yield* same("who they are", [...new Set(seen)], [ann])
          yield* same(
            "the refreshes",
            yield* statuses("refresh"),
            Array.from({ length: round }, () => 201)
          )
        }
      })
    },
    {
      name: `${name}: sign-in, another user and sign-out reach the other tabs`,
      run: Effect.gen(function* () {
        const { first, second, tabs } = yield* openTabs(3, kind)
        yield* first.signIn(ann)
        yield* Effect.forEach(tabs, (tab) => tab.knows(ann))
        yield* second.signIn(bob)
        yield* Effect.forEach(tabs, (tab) => tab.knows(bob))
        yield* same("whose profile the first gets", yield* first.calls(1), bob)
        yield* first.logout
        yield* Effect.forEach(tabs, (tab) => tab.knows("nobody"))
      })
    },
    // A lease of a closed tab ends with its time, half a minute: too long to wait for here.
    ...(kind.lock === "leases" ? [] : [closing(kind)])
  ]
})

const tabs: Suite<Needs> = { name: "tabs", cases }

const tab = new URLSearchParams(location.search).get("tab")
if (tab === null) {
  const address: Address = await (await fetch("/address")).json()
  const results = await contract(address, {
    storages: { files: "a file system", SQLite: "node:sqlite" },
    locks: { SQLite: "node:sqlite" },
    more: [tabs]
  })
  await fetch("/results", { method: "POST", body: JSON.stringify(results) })
} else {
  beTab(tab)
}
