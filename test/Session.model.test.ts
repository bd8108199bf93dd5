/**
 * Random interleavings of everything that can happen to a session, against a small model. A run is a script of steps
 * drawn from a seed; one that breaks a promise is cut down to the steps that it takes, and printed.
 *
 * SESSION_MODEL_SEED=… repeats a run, SESSION_MODEL_RUNS=… sets how many there are.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Queue, Redacted, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { SessionLock } from "effect-oneentry"
import { Sessions, type TokenStorage } from "effect-oneentry"
import {
  answer,
  type Behaviour,
  device,
  type Exchange,
  type Gate,
  hang,
  lose,
  makeClient,
  makeWorld,
  status,
  type StorageFault,
  storageOver,
  type StorageOperation,
  usual
} from "./helpers/session.ts"

const runs = Number(process.env["SESSION_MODEL_RUNS"] ?? 2_000)
const onlySeed = process.env["SESSION_MODEL_SEED"]
const firstSeed = onlySeed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(onlySeed)

// -----------------------------------------------------------------------------
// scripts
// -----------------------------------------------------------------------------

const slots = ["default", "second"]
/** Nobody signs in to both slots: whoever is seen in the wrong one was mixed up. */
const people: ReadonlyArray<ReadonlyArray<string>> = [
  ["ann", "bob", "cyd"],
  ["xan", "yve", "zoe"]
]

const answers = {
  usual,
  loseBefore: lose(false),
  loseAfter: lose(true),
  hangBefore: hang(false),
  hangAfter: hang(true),
  malformed: answer(201, "{}", { handled: false }),
  malformedAfter: answer(200, "<html>"),
  "400": status(400),
  "401": status(401),
  "403": status(403),
  "404": status(404),
  "429": status(429, { "retry-after": "20" }),
  "503": status(503),
  "302": status(302, { location: "https://elsewhere.test/" }),
  proxy: answer(403, "<html>", { handled: false })
} satisfies Record<string, Behaviour>

type Answer = keyof typeof answers

type Step =
  | { readonly do: "call" | "refresh" | "token" | "logout" | "signOut"; readonly client: number; readonly slot: number }
  | { readonly do: "signIn"; readonly client: number; readonly slot: number; readonly person: number }
  | {
      readonly do: "restore"
      readonly client: number
      readonly slot: number
      readonly person: number
      readonly fresh: boolean
    }
  | { readonly do: "pass"; readonly seconds: number }
  | { readonly do: "jump"; readonly seconds: number }
  | { readonly do: "serverForgetsAccess" | "serverRevokes" | "signal" }
  | { readonly do: "interrupt"; readonly which: number }
  | { readonly do: "answer"; readonly route: "refresh" | "auth" | "me"; readonly as: Answer }
  | { readonly do: "hold"; readonly route: "refresh" | "auth" | "me" }
  | { readonly do: "handle" | "release"; readonly which: number }
  | { readonly do: "fault"; readonly on: StorageOperation; readonly as: StorageFault }
  | { readonly do: "close"; readonly client: number }
  | { readonly do: "settle"; readonly ticks: number }

/**
 * - `processes`: three clients, two of them on one storage object, the third as another process; storage and lock are sound
 * - `faults`: two clients on one storage object, which fails in every way that there is
 * - `chaos`: all of it at once, the lock perhaps good for nothing, clients that close
 */
type Family = "processes" | "faults" | "chaos"

interface Script {
  readonly family: Family
  readonly atomic: boolean
  readonly locked: boolean
  readonly steps: ReadonlyArray<Step>
}

/** Numbers in [0, 1) that only the seed decides (mulberry32). */
const generator = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const scriptOf = (seed: number): Script => {
  const random = generator(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const pick = <A>(items: ReadonlyArray<A>): A => {
    const item = items[below(items.length)]
    if (item === undefined) throw new Error("nothing to pick from")
    return item
  }
  const family = pick<Family>(["processes", "faults", "chaos"])
  const clients = family === "faults" ? 2 : 3
  const who = () => ({ client: below(clients), slot: random() < 0.8 ? 0 : 1 })
  const routes = ["refresh", "refresh", "refresh", "auth", "me"] as const
  const kinds: ReadonlyArray<readonly [number, () => Step]> = [
    [22, () => ({ do: "call", ...who() })],
    [5, () => ({ do: "refresh", ...who() })],
    [3, () => ({ do: "token", ...who() })],
    [9, () => ({ do: "signIn", ...who(), person: below(3) })],
    [3, () => ({ do: "signOut", ...who() })],
    [2, () => ({ do: "logout", ...who() })],
    [3, () => ({ do: "restore", ...who(), person: below(3), fresh: random() < 0.5 })],
    [6, () => ({ do: "pass", seconds: pick([1, 3, 40, 400]) })],
    [8, () => ({ do: "pass", seconds: pick([3_575, 7_200]) })],
    [2, () => ({ do: "jump", seconds: pick([-86_400, -3_600, 3_600, 86_400]) })],
    [4, () => ({ do: "serverForgetsAccess" })],
    [1, () => ({ do: "serverRevokes" })],
    [2, () => ({ do: "signal" })],
    [6, () => ({ do: "interrupt", which: below(100) })],
    [9, () => ({ do: "answer", route: pick(routes), as: pick(Object.keys(answers) as ReadonlyArray<Answer>) })],
    [9, () => ({ do: "hold", route: pick(routes) })],
    [6, () => ({ do: "handle", which: below(100) })],
    [8, () => ({ do: "release", which: below(100) })],
    [10, () => ({ do: "settle", ticks: 1 + below(6) })]
  ]
  const faults: ReadonlyArray<readonly [number, () => Step]> = [
    [
      14,
      () => ({
        do: "fault",
        on: pick(["get", "set", "remove", "compareAndSet", "compareAndSet"] as const),
        as: pick(["fail", "loseAnswer", "hang", "die", "interrupt", "throw"] as const)
      })
    ]
  ]
  const closing: ReadonlyArray<readonly [number, () => Step]> = [[3, () => ({ do: "close", client: below(clients) })]]
  const all = [...kinds, ...(family === "processes" ? [] : faults), ...(family === "chaos" ? closing : [])]
  const total = all.reduce((sum, [weight]) => sum + weight, 0)
  const draw = (): Step => {
    let left = random() * total
    for (const [weight, make] of all) {
      left -= weight
      if (left < 0) return make()
    }
    return { do: "settle", ticks: 1 }
  }
  return {
    family,
    atomic: random() < 0.7,
    locked: family !== "chaos" || random() < 0.7,
    steps: [{ do: "signIn", client: 0, slot: 0, person: 0 }, ...Array.from({ length: 6 + below(30) }, draw)]
  }
}

// -----------------------------------------------------------------------------
// a run
// -----------------------------------------------------------------------------

const start = 1_790_000_000_000

const ticks = (count: number) =>
  Effect.promise(async () => {
    for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  })

/** What was done to who is signed in to a slot, in order. */
interface Change {
  readonly kind: "in" | "out"
  readonly user: string | undefined
  readonly began: number
  ended: number | undefined
  good: boolean
}

const nameOf = (exit: Exit.Failure<unknown, { readonly _tag: string }>): string => {
  const reason = exit.cause.reasons[0]
  return reason?._tag === "Fail" ? reason.error._tag : (reason?._tag ?? "?")
}

/** Runs a script; what went wrong, if anything did. A run that stands still is what must not be: it is told, and left. */
const run = async (script: Script, trace: Array<string> = []): Promise<ReadonlyArray<string>> => {
  const fiber = Effect.runFork(
    Effect.gen(function* () {
      const inner = yield* TestClock.testClockWith(Effect.succeed)
      const device = { offset: 0 }
      // What a person can set, and what nobody can: sleeping and the monotonic clock stay the test's.
      const clock: TestClock.TestClock = {
        ...inner,
        currentTimeMillisUnsafe: () => inner.currentTimeMillisUnsafe() + device.offset,
        currentTimeMillis: Effect.sync(() => inner.currentTimeMillisUnsafe() + device.offset)
      }
      return yield* Effect.scoped(body(script, trace, device)).pipe(Effect.provideService(Clock.Clock, clock))
    }).pipe(Effect.provide(TestClock.layer()))
  )
  let standstill: NodeJS.Timeout | undefined
  const exit = await Promise.race([
    Effect.runPromise(Fiber.await(fiber)),
    new Promise<undefined>((resolve) => {
      standstill = setTimeout(() => resolve(undefined), 5_000)
    })
  ])
  clearTimeout(standstill)
  if (exit === undefined) return ["it stands still"]
  return Exit.isSuccess(exit) ? exit.value : [`the run itself failed: ${Cause.pretty(exit.cause)}`]
}

const body = (
  script: Script,
  trace: Array<string>,
  clock: { offset: number }
): Effect.Effect<ReadonlyArray<string>, never, Scope.Scope> =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const world = yield* makeWorld
    const { backing, server } = world
    const problems: Array<string> = []
    const faults = new Map<StorageOperation, StorageFault>()
    let hadFault = false
    const signals = [yield* Queue.unbounded<string>(), yield* Queue.unbounded<string>()] as const
    const noLock: SessionLock.SessionLock = { withLock: () => (effect) => effect }
    const lock = script.locked ? world.lock : noLock
    const storageOf = (process: 0 | 1) =>
      storageOver(backing, {
        atomic: script.atomic,
        changes: Stream.fromQueue(signals[process]),
        fault: (operation, slot) => {
          const fault = faults.get(operation)
          faults.delete(operation)
          if (fault !== undefined) hadFault = true
          trace.push(`    ${operation} ${slot}${fault === undefined ? "" : ` ${fault}`}`)
          return fault
        }
      })
    const shared = storageOf(0)
    const open = (storage: TokenStorage.TokenStorage["Service"]) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        return { scope, storage, client: yield* Scope.provide(makeClient({ server, storage, lock }), scope) }
      })
    let [first, second, third] = [yield* open(shared), yield* open(shared), yield* open(storageOf(1))]
    const memberAt = (index: number) => (index === 0 ? first : index === 1 ? second : third)
    const members = () => [first, second, third]

    // Events, as the program would hear them.
    let endings = 0
    for (const { client } of members()) {
      for (const slot of slots) {
        yield* Effect.forkScoped(
          Stream.runForEach(client.session.changes, (event) =>
            Effect.sync(() => {
              if (event._tag === "SignedOut" && (event.reason === "Rejected" || event.reason === "Ambiguous")) endings++
              if ((event._tag === "SignedIn" || event._tag === "Refreshed") && event.session.slot !== slot) {
                problems.push(`an event of ${event.session.slot} was heard in ${slot}`)
              }
            })
          ).pipe(Sessions.withSlot(slot)),
          { startImmediately: true }
        )
      }
    }

    // What is never to be sent.
    let checked = 0
    const checkExchanges = Effect.sync(() => {
      for (; checked < server.exchanges.length; checked++) {
        const exchange = server.exchanges[checked]
        if (exchange === undefined) return
        const name = exchange.refreshToken
        const bound = server.bindings.get(name)
        if (bound === undefined) problems.push(`${name} was never issued`)
        else if (bound.marker !== exchange.marker || bound.fingerprint !== exchange.fingerprint) {
          problems.push(`${name} was sent to ${exchange.marker} from another device`)
        }
        if (script.family === "chaos") continue
        for (const before of server.exchanges.slice(0, checked)) {
          if (before.refreshToken !== name) continue
          if (atSend.get(exchange)?.includes(before) === true)
            problems.push(`${name} was sent while it was on the wire`)
          else if (before.rotated) problems.push(`${name} was sent after it had been exchanged`)
          else if (isRejection(before)) problems.push(`${name} was sent after it had been rejected`)
        }
      }
    })
    const isRejection = (exchange: Exchange) =>
      !exchange.rotated &&
      (exchange.status === 400 || exchange.status === 401 || exchange.status === 403) &&
      !proxied.has(exchange)
    const proxied = new Set<Exchange>()
    const startedAt = new Map<Exchange, number>()
    const atSend = new Map<Exchange, ReadonlyArray<Exchange>>()
    server.onRequest = ({ route, text }, behaviour) => trace.push(`    ${route} ${text} ${JSON.stringify(behaviour)}`)
    server.onExchange = (exchange, behaviour) => {
      if (behaviour === answers.proxy) proxied.add(exchange)
      const now = Number(server.clock.monotonicTimeNanosUnsafe() / 1_000_000n)
      startedAt.set(exchange, now)
      // One that has timed out is being torn down.
      atSend.set(
        exchange,
        server.exchanges.filter((one) => one !== exchange && !one.ended && now - (startedAt.get(one) ?? 0) < 30_000)
      )
    }

    const history: ReadonlyArray<Array<Change>> = slots.map(() => [])
    let clockTick = 0
    const changing = <A, E>(
      slot: number,
      kind: Change["kind"],
      user: string | undefined,
      effect: Effect.Effect<A, E>
    ) =>
      Effect.suspend(() => {
        const change: Change = { kind, user, began: ++clockTick, ended: undefined, good: false }
        history[slot]?.push(change)
        return Effect.onExit(effect, (exit) =>
          Effect.sync(() => {
            change.ended = ++clockTick
            change.good = Exit.isSuccess(exit)
          })
        )
      })

    const running: Array<Fiber.Fiber<unknown, unknown>> = []
    const interrupted = new Set<Fiber.Fiber<unknown, unknown>>()
    const gates: Array<Gate> = []

    const launch = (name: string, slot: number, effect: Effect.Effect<unknown, unknown>) =>
      Effect.gen(function* () {
        const fiber: Fiber.Fiber<unknown, unknown> = yield* Effect.forkScoped(
          Effect.onExit(Sessions.withSlot(slots[slot] ?? "default")(effect), (exit) =>
            Effect.sync(() => {
              if (Exit.isSuccess(exit)) return
              for (const reason of exit.cause.reasons) {
                if (reason._tag === "Die") problems.push(`${name} died: ${String(reason.defect)}`)
                if (reason._tag === "Interrupt" && !interrupted.has(fiber))
                  problems.push(`${name} was interrupted by somebody else`)
              }
            })
          ),
          { startImmediately: true }
        )
        running.push(fiber)
      })

    const mustBeOf = (slot: number, what: string) => (user: string | undefined) =>
      Effect.sync(() => {
        if (user !== undefined && !people[slot]?.includes(user)) problems.push(`${what} of ${user} in ${slots[slot]}`)
      })

    const ownerOf = (token: string) => {
      const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())
      return typeof claims === "object" && claims !== null && "user" in claims ? String(claims.user) : undefined
    }

    let restored = 0
    const take = (step: Step): Effect.Effect<void, never, Scope.Scope> => {
      switch (step.do) {
        case "call":
          return launch(
            "a call",
            step.slot,
            Effect.flatMap(memberAt(step.client).client.me, mustBeOf(step.slot, "the profile"))
          )
        case "token":
          return launch(
            "a token",
            step.slot,
            Effect.flatMap(memberAt(step.client).client.session.accessToken, (token) =>
              mustBeOf(step.slot, "a token")(ownerOf(Redacted.value(token)))
            )
          )
        case "refresh":
          return launch(
            "a refresh",
            step.slot,
            Effect.flatMap(memberAt(step.client).client.session.refresh, (info) =>
              mustBeOf(step.slot, "a session")(info.userIdentifier)
            )
          )
        case "signIn": {
          const user = people[step.slot]?.[step.person] ?? "ann"
          return launch(
            "a sign-in",
            step.slot,
            changing(step.slot, "in", user, memberAt(step.client).client.signIn(user))
          )
        }
        case "signOut":
          return launch(
            "a sign-out",
            step.slot,
            changing(step.slot, "out", undefined, memberAt(step.client).client.session.signOutLocally)
          )
        case "logout":
          return launch(
            "a logout",
            step.slot,
            changing(step.slot, "out", undefined, memberAt(step.client).client.auth.logout())
          )
        case "restore": {
          const user = people[step.slot]?.[step.person] ?? "ann"
          const fingerprint = `restored-${restored++}`
          const pair = server.issue(user, step.fresh ? "phone" : "email", fingerprint)
          return launch(
            "a restore",
            step.slot,
            changing(
              step.slot,
              "in",
              user,
              memberAt(step.client).client.session.restore({
                refreshToken: pair.refreshToken,
                marker: pair.marker,
                userIdentifier: user,
                device: device(fingerprint),
                ...(step.fresh ? { accessToken: pair.accessToken } : {})
              })
            )
          )
        }
        case "pass":
          return TestClock.adjust(step.seconds * 1_000)
        case "jump":
          // The device's clock is set. Timers run on, and so does the server's clock.
          return Effect.sync(() => {
            clock.offset += step.seconds * 1_000
            server.skew -= step.seconds * 1_000
          })
        case "serverForgetsAccess":
          return Effect.sync(() => server.expire())
        case "serverRevokes":
          return Effect.sync(() => server.revokeAll())
        case "signal":
          return Effect.forEach(signals, (signal) => Queue.offerAll(signal, slots), { discard: true })
        case "interrupt": {
          const fiber = running[step.which % Math.max(1, running.length)]
          if (fiber === undefined) return Effect.void
          interrupted.add(fiber)
          return Effect.asVoid(Effect.forkScoped(Fiber.interrupt(fiber), { startImmediately: true }))
        }
        case "answer":
          return Effect.sync(() => server.script(step.route, answers[step.as]))
        case "hold":
          return Effect.sync(() => void gates.push(server.gate(step.route)))
        case "handle":
        case "release": {
          const gate = gates[step.which % Math.max(1, gates.length)]
          if (gate === undefined) return Effect.void
          return step.do === "release"
            ? gate.answer
            : Effect.asVoid(Effect.forkScoped(gate.handle, { startImmediately: true }))
        }
        case "fault":
          return Effect.sync(() => void faults.set(step.on, step.as))
        case "close":
          return Effect.gen(function* () {
            const old = memberAt(step.client)
            yield* Effect.forkScoped(Scope.close(old.scope, Exit.void), { startImmediately: true })
            // The third is a process of its own, and starts with an empty memory.
            const next = yield* open(step.client === 2 ? storageOf(1) : old.storage)
            if (step.client === 0) first = next
            else if (step.client === 1) second = next
            else third = next
          })
        case "settle":
          return ticks(step.ticks)
      }
    }

    for (const step of script.steps) {
      trace.push(JSON.stringify(step))
      yield* take(step)
      yield* ticks(1)
      yield* checkExchanges
    }

    // The world comes right again: everything has to end.
    trace.push("healing")
    server.heal()
    faults.clear()
    for (const gate of gates) yield* gate.answer
    for (let round = 0; round < 40; round++) {
      yield* ticks(4)
      if (running.every((fiber) => fiber.pollUnsafe() !== undefined) && round > 2) break
      yield* TestClock.adjust("30 seconds")
    }
    yield* checkExchanges
    const stuck = running.filter((fiber) => fiber.pollUnsafe() === undefined).length
    if (stuck > 0) problems.push(`${stuck} calls never end`)
    const rejections = server.exchanges.filter(isRejection).length
    if (endings > rejections * 3) problems.push(`${endings} ends for ${rejections} rejections`)

    // Nobody has lost a session but where the table says so.
    yield* TestClock.adjust("10 minutes")
    yield* ticks(4)
    const fresh = yield* open(storageOf(1))
    for (const [index, slot] of slots.entries()) {
      const as = Sessions.withSlot(slot)
      // What could not be written is in memory only; what was, is what a new process finds.
      const known = script.family === "faults" ? [first.client, second.client] : [fresh.client]
      const seen: Array<string> = []
      for (const client of known) {
        const fiber = yield* Effect.forkScoped(as(Effect.exit(client.me)), { startImmediately: true })
        for (let round = 0; round < 20 && fiber.pollUnsafe() === undefined; round++) {
          yield* ticks(4)
          if (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("30 seconds")
        }
        const ended = fiber.pollUnsafe()
        if (ended === undefined || Exit.isFailure(ended)) {
          problems.push("a last call never ends")
          continue
        }
        const result = ended.value
        seen.push(Exit.isSuccess(result) ? result.value : nameOf(result))
        if (Exit.isSuccess(result)) yield* mustBeOf(index, "the last profile")(result.value)
      }
      const changes = history[index] ?? []
      const last = changes.at(-1)
      // Overlapping changes may come in any order, and one that failed half-way may have been done or not.
      const isPlain =
        last !== undefined &&
        last.good &&
        changes.every((one) => one === last || (one.ended !== undefined && one.ended < last.began))
      if (script.family === "chaos" || !isPlain || (script.family === "faults" && last.kind === "out" && hadFault))
        continue
      if (last.kind === "out") {
        if (seen[0] !== "NotAuthenticated") problems.push(`signed out of ${slot}, and there is ${seen.join(", ")}`)
        continue
      }
      const session = server.sessions.findLast((one) => one.user === last.user && one.refreshToken.length > 0)
      const isLost =
        session === undefined ||
        !session.alive ||
        !session.delivered ||
        server.exchanges.some((one) => one.refreshToken === session.refreshToken && isRejection(one))
      if (!isLost && seen.some((one) => one !== last.user)) {
        problems.push(`${last.user} was signed in to ${slot}, and there is ${seen.join(", ")}`)
      }
    }
    yield* checkExchanges
    for (const { scope } of [...members(), fresh])
      yield* Effect.forkScoped(Scope.close(scope, Exit.void), { startImmediately: true })
    yield* TestClock.adjust("2 minutes")
    trace.push("closing")
    return problems
  })

/** The fewest steps of a script that still go wrong. */
const shrunk = async (script: Script, goesWrong: (script: Script) => Promise<boolean>): Promise<Script> => {
  let best = script
  let size = Math.ceil(best.steps.length / 2)
  let attempts = 0
  while (size >= 1 && attempts < 400) {
    let removed = false
    for (let at = 0; at < best.steps.length && attempts < 400; at += size) {
      attempts++
      const shorter = { ...best, steps: [...best.steps.slice(0, at), ...best.steps.slice(at + size)] }
      if (await goesWrong(shorter)) {
        best = shorter
        removed = true
        break
      }
    }
    if (!removed) size = size === 1 ? 0 : Math.ceil(size / 2)
  }
  return best
}

const printed = (script: Script): string =>
  [
    `${script.family}, storage ${script.atomic ? "atomic" : "not atomic"}, lock ${script.locked ? "good" : "good for nothing"}`,
    ...script.steps.map((step) => `  ${JSON.stringify(step)}`)
  ].join("\n")

describe("a session, whatever happens to it", () => {
  it(
    `keeps its promises in ${onlySeed === undefined ? runs : 1} random interleavings`,
    { timeout: 300_000 },
    async () => {
      console.log(`SESSION_MODEL_SEED=${firstSeed} (the first of ${onlySeed === undefined ? runs : 1})`)
      for (let index = 0; index < (onlySeed === undefined ? runs : 1); index++) {
        const seed = (firstSeed + index) % 2 ** 31
        const script = scriptOf(seed)
        const problems = await run(script)
        if (problems.length === 0) continue
        const least = await shrunk(script, async (shorter) => (await run(shorter)).length > 0)
        const trace: Array<string> = []
        const left = await run(least, trace)
        assert.fail(
          [
            `SESSION_MODEL_SEED=${seed}`,
            ...new Set(left),
            printed(least),
            "what happened:",
            ...trace,
            `at first: ${problems.join("; ")}`
          ].join("\n")
        )
      }
    }
  )
})
