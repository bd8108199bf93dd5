/** What holds for many processes over one session, whatever keeps it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Schedule, type Scope } from "effect"
import { Emulator, Project } from "effect-oneentry/emulator"
import { hosted } from "../helpers/hosted.ts"
import { makePool, type Process } from "./pool.ts"
import type { ClientConfig, Outcome, Step } from "./protocol.ts"
import type { Store } from "./stores.ts"

const ann = "ann@example.com"
const key = Buffer.alloc(32, 7).toString("base64url")
const hour = 3_600_000

/** The lease of the process that dies; that of the others is as long as it is by default, for the machine may be slow. */
const shortLease = 1_000

const success: Outcome = { _tag: "Success", user: ann }

/** How many of each: `{ Success: 7, "TokenExpired Ambiguous": 1 }`. */
const tally = (outcomes: ReadonlyArray<Outcome>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const one of outcomes) {
    const what = one._tag === "Success" ? one.user : `${one.error} ${one.reason}`.trim()
    counts[what] = (counts[what] ?? 0) + 1
  }
  return counts
}

const isAmbiguous = (outcome: Outcome | undefined) => outcome?._tag === "Failure" && outcome.reason === "Ambiguous"

/** Waits for something that has no event of its own. */
const until = (condition: Effect.Effect<boolean>) =>
  Effect.repeat(condition, { until: (yes) => yes, schedule: Schedule.spaced("20 millis") })

const project = {
  providers: [{ identifier: "email", formIdentifier: "reg" }],
  users: [{ provider: "email", login: ann, password: "123456" }]
}

export const suite = (name: string, start: Effect.Effect<Store, never, Scope.Scope>) => {
  const world = hosted(
    Effect.gen(function* () {
      // Before the processes: it goes after them.
      const store = yield* start
      const [emulator, pool] = yield* Effect.all(
        [Emulator.makeServer({ passwordCost: 1, project: { ...Project.defaultProject, ...project } }), makePool(8)],
        { concurrency: "unbounded" }
      )
      return { store, emulator, pool }
    })
  )

  /** A slot of its own with somebody signed in, and so many processes that know of it. */
  const signedIn = (slot: string, count: number, options: (index: number) => Partial<ClientConfig> = () => ({})) =>
    Effect.gen(function* () {
      const { emulator, pool, store } = world()
      yield* emulator.reset
      const processes = yield* pool.take(count, (index) => ({
        store: store.config,
        slot,
        url: emulator.url,
        appToken: Redacted.value(emulator.appToken),
        ...options(index)
      }))
      const [first] = processes
      if (first === undefined) return yield* Effect.die(new Error("no process"))
      assert.deepStrictEqual(yield* first.signIn, [success])
      // Everybody has the session in memory.
      yield* callAll(processes)
      yield* emulator.expireAccessTokens
      return processes
    })

  const callAll = (processes: ReadonlyArray<Process>, count = 1) =>
    Effect.map(
      Effect.forEach(processes, (one) => one.call(count), { concurrency: "unbounded" }),
      (outcomes) => outcomes.flat()
    )

  /** What the refreshes were answered, oldest first: 200, or why not. */
  const refreshes = Effect.suspend(() =>
    Effect.map(world().emulator.requests, (entries) =>
      entries
        .filter((entry) => entry.operation === "refresh")
        .map((entry) => (entry.refusal === null ? "accepted" : (entry.detail ?? entry.refusal)))
    )
  )

  describe(`eight processes over ${name}`, () => {
    for (const secret of [undefined, key]) {
      it.live(`one refresh for all${secret === undefined ? "" : ", encrypted"}`, () =>
        Effect.gen(function* () {
          const { store } = world()
          const slot = `eight-${secret === undefined ? "plain" : "sealed"}`
          const processes = yield* signedIn(slot, 8, () => ({ key: secret, timeToLive: hour }))
          assert.deepStrictEqual(tally(yield* callAll(processes, 5)), { [ann]: 40 })
          assert.deepStrictEqual(yield* refreshes, ["accepted"])
          const raw = (yield* store.raw(slot)) ?? ""
          if (secret === undefined) assert.include(raw, '"refreshToken":')
          else assert.match(raw, /^v1\.[\w-]+$/)
          assert.strictEqual(yield* store.lease(slot), 0)
          // It was written anew, and ends with its refresh token.
          const left = yield* store.timeToLive(slot)
          assert.isTrue(left > 0 && left <= hour, `${left}`)
          // And again.
          yield* world().emulator.expireAccessTokens
          assert.deepStrictEqual(tally(yield* callAll(processes, 5)), { [ann]: 40 })
          assert.deepStrictEqual(yield* refreshes, ["accepted", "accepted"])
        })
      )
    }

    it.live("processes that know nothing yet read the session, and make one refresh", () =>
      Effect.gen(function* () {
        const { emulator, pool, store } = world()
        yield* signedIn("late", 1)
        const processes = yield* pool.take(8, () => ({
          store: store.config,
          slot: "late",
          url: emulator.url,
          appToken: Redacted.value(emulator.appToken)
        }))
        assert.deepStrictEqual(tally(yield* callAll(processes, 3)), { [ann]: 24 })
        assert.deepStrictEqual(yield* refreshes, ["accepted"])
      })
    )

    it.live("an entry ends with its refresh token, for everybody", () =>
      Effect.gen(function* () {
        const { emulator, pool, store } = world()
        const slot = "ended"
        yield* signedIn(slot, 1, () => ({ timeToLive: 1_500 }))
        yield* until(Effect.map(store.timeToLive(slot), (left) => left <= 0))
        const processes = yield* pool.take(3, () => ({
          store: store.config,
          slot,
          url: emulator.url,
          appToken: Redacted.value(emulator.appToken)
        }))
        assert.deepStrictEqual(tally(yield* callAll(processes)), { NotAuthenticated: 3 })
        assert.deepStrictEqual(yield* refreshes, [])
      })
    )
  })

  describe(`a process over ${name} that is killed`, () => {
    const cases: ReadonlyArray<readonly [Step | "on the wire", "refreshed" | "adopted" | "lost"]> = [
      ["locked", "refreshed"],
      ["marking", "refreshed"],
      ["marked", "refreshed"],
      ["sending", "refreshed"],
      ["on the wire", "lost"],
      ["answered", "lost"],
      ["writing", "lost"],
      ["written", "adopted"],
      ["releasing", "adopted"]
    ]
    for (const [step, expected] of cases) {
      const what = {
        refreshed: "the others refresh",
        adopted: "the others take over its pair",
        lost: "the others report the loss as ambiguous"
      }[expected]
      it.live(`${step}: ${what}`, () =>
        Effect.gen(function* () {
          const { emulator, pool, store } = world()
          const slot = `kill-${step.replaceAll(" ", "-")}`
          const wire = step === "on the wire"
          const [victim, ...others] = yield* signedIn(slot, 4, (index) => ({
            key,
            ...(index === 0 ? { lease: shortLease, ...(wire ? {} : { stopAt: step }) } : {})
          }))
          if (victim === undefined) return assert.fail("no victim")
          if (wire)
            yield* emulator.faults.add({
              operation: "refresh",
              kind: "delay",
              phase: "after",
              delay: "1 minute",
              count: 1
            })
          const before = yield* store.raw(slot)
          const dying = yield* Effect.forkChild(Effect.exit(victim.call()), { startImmediately: true })
          if (wire) yield* until(Effect.map(emulator.sessions, (sessions) => sessions[0]?.refreshes === 1))
          else assert.strictEqual(yield* victim.stopped, step)
          const going = yield* Effect.forkChild(callAll(others), { startImmediately: true })
          // All of them want the lock now, but for those who have heard of a new pair already.
          yield* Effect.raceFirst(
            Effect.forEach(others, (one) => one.locking, { concurrency: "unbounded" }),
            Fiber.await(going)
          )
          // Nobody waits for longer than that.
          assert.isAtMost(yield* store.lease(slot), shortLease)
          yield* pool.kill(victim)
          yield* Fiber.interrupt(dying)
          const outcomes = yield* Fiber.join(going)
          const sent = yield* refreshes
          if (expected === "lost") {
            // The spent token went out once more, for nobody could know; and then never again.
            assert.deepStrictEqual(
              sent.filter((one) => one !== "accepted"),
              ["already spent"]
            )
            assert.deepStrictEqual(tally(outcomes), { NotAuthenticated: 2, "TokenExpired Ambiguous": 1 })
            const reporter = others.find((_, index) => isAmbiguous(outcomes[index]))
            for (const one of others) {
              yield* one.heard(one === reporter ? "SignedOut Ambiguous" : "SignedOut Elsewhere")
            }
            assert.isUndefined(yield* store.raw(slot))
            assert.deepStrictEqual(tally(yield* callAll(others)), { NotAuthenticated: 3 })
            assert.strictEqual((yield* refreshes).length, sent.length)
            // Whoever signs in again has a session as before.
            assert.deepStrictEqual(yield* others[0]?.signIn ?? Effect.succeed([]), [success])
          } else {
            assert.deepStrictEqual(tally(outcomes), { [ann]: 3 })
            assert.deepStrictEqual(sent, ["accepted"])
            assert.notStrictEqual(yield* store.raw(slot), before)
          }
          // Nothing is left behind: all go on, and the next refresh is one.
          yield* emulator.expireAccessTokens
          const count = (yield* refreshes).length
          assert.deepStrictEqual(tally(yield* callAll(others, 2)), { [ann]: 6 })
          assert.deepStrictEqual((yield* refreshes).slice(count), ["accepted"])
        })
      )
    }
  })

  describe(`a process over ${name} that is stopped for longer than its lease`, () => {
    const cases: ReadonlyArray<readonly [Step, "adopts" | "sends" | "lost"]> = [
      ["locked", "adopts"],
      ["marking", "adopts"],
      ["marked", "adopts"],
      ["sending", "sends"],
      ["answered", "lost"],
      ["writing", "lost"],
      ["written", "adopts"],
      ["releasing", "adopts"]
    ]
    for (const [step, expected] of cases) {
      it.live(
        `${step}: ${
          expected === "lost"
            ? "its late pair overwrites nothing, and it goes on with the session that came after"
            : expected === "sends"
              ? "a request that nobody could hold back any more costs no session"
              : "it wakes up, sends nothing and goes on with the pair of the others"
        }`,
        () =>
          Effect.gen(function* () {
            const { emulator, store } = world()
            const slot = `stop-${step}`
            const [sleeper, ...others] = yield* signedIn(slot, 4, (index) => ({
              key,
              ...(index === 0 ? { lease: shortLease, stopAt: step } : {})
            }))
            const [first] = others
            if (sleeper === undefined || first === undefined) return assert.fail("no processes")
            const sleeping = yield* Effect.forkChild(sleeper.call(), { startImmediately: true })
            yield* sleeper.stopped
            const outcomes = yield* callAll(others)
            if (expected === "lost") {
              assert.deepStrictEqual(tally(outcomes), { NotAuthenticated: 2, "TokenExpired Ambiguous": 1 })
              assert.deepStrictEqual(yield* first.signIn, [success])
            } else {
              assert.deepStrictEqual(tally(outcomes), { [ann]: 3 })
            }
            const stored = yield* store.raw(slot)
            const sent = yield* refreshes
            yield* sleeper.goOn
            assert.deepStrictEqual(yield* Fiber.join(sleeping), [success])
            assert.strictEqual(yield* store.raw(slot), stored)
            assert.deepStrictEqual(yield* refreshes, expected === "sends" ? [...sent, "already spent"] : sent)
            // Everybody is one again.
            yield* emulator.expireAccessTokens
            const count = (yield* refreshes).length
            assert.deepStrictEqual(tally(yield* callAll([sleeper, ...others], 2)), { [ann]: 8 })
            assert.deepStrictEqual((yield* refreshes).slice(count), ["accepted"])
          })
      )
    }
  })

  describe(`while ${name} is out of reach`, () => {
    const unreachable = (outcome: Outcome) =>
      outcome._tag === "Failure" && (outcome.error === "SessionLockError" || outcome.error === "TokenStorageError")

    it.live("calls fail typed, nothing is sent, the session is kept, and the same processes recover", () =>
      Effect.gen(function* () {
        const { store } = world()
        const processes = yield* signedIn("away", 3, () => ({ key, timeout: 2_000 }))
        yield* store.down
        for (let round = 0; round < 2; round++) {
          const outcomes = yield* callAll(processes, 2)
          assert.isTrue(outcomes.every(unreachable), JSON.stringify(outcomes))
        }
        assert.deepStrictEqual(yield* refreshes, [])
        for (const one of processes) assert.deepStrictEqual(yield* one.peek, [success])
        yield* store.up
        yield* until(Effect.map(callAll(processes), (outcomes) => outcomes.every((one) => one._tag === "Success")))
        assert.deepStrictEqual(yield* refreshes, ["accepted"])
        for (const one of processes) assert.isFalse(one.events.some((event) => event.startsWith("SignedOut")))
      })
    )

    it.live("a pair that could not be written is used, written as soon as possible, and taken over by the others", () =>
      Effect.gen(function* () {
        const { emulator, store } = world()
        const slot = "away-writing"
        // Longer than the store is away: nobody else may begin before the pair is written.
        const [holder, ...others] = yield* signedIn(slot, 3, (index) => ({
          key,
          timeout: 2_000,
          ...(index === 0 ? { lease: 15_000, stopAt: "answered" } : {})
        }))
        if (holder === undefined) return assert.fail("no holder")
        const before = yield* store.raw(slot)
        const holding = yield* Effect.forkChild(holder.call(), { startImmediately: true })
        yield* holder.stopped
        yield* store.down
        yield* holder.goOn
        assert.deepStrictEqual(yield* Fiber.join(holding), [success])
        yield* holder.heard("StorageDegraded")
        assert.isTrue((yield* callAll(others)).every(unreachable))
        assert.deepStrictEqual(tally(yield* holder.call(3)), { [ann]: 3 })
        yield* store.up
        assert.isDefined(before)
        yield* until(Effect.map(callAll(others), (outcomes) => outcomes.every((one) => one._tag === "Success")))
        assert.deepStrictEqual(yield* refreshes, ["accepted"])
        for (const one of [holder, ...others]) {
          assert.isFalse(
            one.events.some((event) => event.startsWith("SignedOut")),
            one.events.join(", ")
          )
        }
        // One session for all again.
        yield* emulator.expireAccessTokens
        assert.deepStrictEqual(tally(yield* callAll([holder, ...others])), { [ann]: 3 })
        assert.deepStrictEqual(yield* refreshes, ["accepted", "accepted"])
      })
    )

    it.live("a lock that cannot be given back ends by itself", () =>
      Effect.gen(function* () {
        const { emulator, store } = world()
        const slot = "away-releasing"
        const [holder, ...others] = yield* signedIn(slot, 3, (index) => ({
          key,
          timeout: 2_000,
          ...(index === 0 ? { lease: shortLease, stopAt: "releasing" } : {})
        }))
        if (holder === undefined) return assert.fail("no holder")
        const holding = yield* Effect.forkChild(holder.call(), { startImmediately: true })
        yield* holder.stopped
        yield* store.down
        yield* holder.goOn
        assert.deepStrictEqual(yield* Fiber.join(holding), [success])
        yield* store.up
        yield* until(Effect.map(callAll(others), (outcomes) => outcomes.every((one) => one._tag === "Success")))
        assert.deepStrictEqual(yield* refreshes, ["accepted"])
        yield* emulator.expireAccessTokens
        yield* until(
          Effect.map(callAll([holder, ...others]), (outcomes) => outcomes.every((one) => one._tag === "Success"))
        )
        assert.deepStrictEqual(yield* refreshes, ["accepted", "accepted"])
      })
    )
  })
}
