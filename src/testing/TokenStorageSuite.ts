/**
 * The conformance suite for token storages: the one that the storages of this
 * package pass. It writes to slots with random names and removes them again,
 * so it can run against a server that is in use.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TokenStorage } from "../TokenStorage.ts"
import type { TokenStorageError } from "../TokenStorage.ts"
import * as Conformance from "./Conformance.ts"
import { check, randomSlot } from "./internal/expect.ts"

/**
 * What else is known of the storage.
 *
 * **Example** (A storage that tells of foreign writes)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import { InMemory, type TokenStorageSuite } from "effect-oneentry/testing"
 *
 * const shared = InMemory.makeShared()
 *
 * export const options: TokenStorageSuite.Options = {
 *   other: Layer.sync(TokenStorage.TokenStorage, shared.view),
 *   changes: true
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The same storage, seen by somebody else: another connection, tab or process. Adds the checks between two. */
  readonly other?: Layer.Layer<TokenStorage, unknown> | undefined
  /** Whether `changes` tells of the writes of `other`. */
  readonly changes?: boolean | undefined
}

/**
 * Registers the suite with a test runner's `it`.
 *
 * **Example** (With vitest)
 *
 * ```ts no-run
 * import { describe, it } from "vitest"
 * import { TokenStorage } from "effect-oneentry"
 * import { TokenStorageSuite } from "effect-oneentry/testing"
 *
 * describe("my storage", () => TokenStorageSuite.register(it, TokenStorage.layerMemory))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const register = <E>(
  it: Conformance.TestFunction,
  layer: Layer.Layer<TokenStorage, E>,
  options?: Options
): void => Conformance.register(it, checks(options), layer)

/**
 * The checks themselves, for a runner that wants Effects.
 *
 * Those with `other` and `changes` wait on the live clock.
 *
 * **Example** (With `it.live` of `@effect/vitest`)
 *
 * ```ts no-run
 * import { it } from "@effect/vitest"
 * import { Effect } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import { TokenStorageSuite } from "effect-oneentry/testing"
 *
 * for (const check of TokenStorageSuite.checks()) {
 *   it.live(check.name, () => Effect.provide(check.effect, TokenStorage.layerMemory))
 * }
 * ```
 *
 * @category checks
 * @since 0.1.0
 */
export const checks = (options?: Options): ReadonlyArray<Conformance.Check<TokenStorage>> => [
  ...single,
  ...(options?.other === undefined ? [] : shared(options.other)),
  ...(options?.other === undefined || options.changes !== true ? [] : announced(options.other))
]

type Service = TokenStorage["Service"]

/** Slots whose names trip up paths, queries, patterns and plain objects. */
const oddNames: ReadonlyArray<string> = [
  "",
  " ",
  "a",
  "A",
  "two words",
  "ünïcødé 日本 🦊",
  'it\'s "quoted" `well`',
  "line\nbreak\r\ttab",
  "per%cent%2F%00",
  "slash/../../etc",
  "back\\slash",
  "colon:semicolon;",
  "*?[a-z]{1}",
  "'; DROP TABLE sessions; --",
  "$1 ${2} :3 ?",
  "__proto__",
  "constructor",
  "x".repeat(150)
]

const oddValues: ReadonlyArray<readonly [name: string, value: string]> = [
  ["the empty string", ""],
  ["a blank", " "],
  ["text with quotes", 'it\'s "quoted" `well` \\ $1 ?'],
  ["text with line breaks", "\n one\r\ntwo\t\u2028three \n"],
  ["unicode", "ünïcødé 日本 🦊 e\u0301 \u00e9 \ufeffbom"],
  ["JSON", JSON.stringify({ version: 1, accessToken: "a.b.c", nested: { __proto__: null, 'quote"': [1, 2] } })],
  ["a word that databases know", "NULL"],
  ["a number", "0"],
  ["64 KiB", "0123456789abcdef".repeat(4096)],
  ["64 KiB of wide characters", "日本語🦊".repeat(13_108)]
]

/** Runs with a slot of its own, removed at the end. */
const withSlot = <A, E, R>(
  use: (storage: Service, slot: string) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | TokenStorageError, R | TokenStorage> =>
  Effect.gen(function* () {
    const storage = yield* TokenStorage
    const slot = yield* randomSlot
    return yield* Effect.ensuring(use(storage, slot), Effect.ignore(storage.remove(slot)))
  })

const single: ReadonlyArray<Conformance.Check<TokenStorage>> = [
  check("gives undefined for a slot that was never written", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, slot) {
        yield* expect.same("an unknown slot", yield* storage.get(slot), undefined)
        for (const name of ["__proto__", "constructor", "toString"]) {
          yield* expect.same(`slot ${name}`, yield* storage.get(name), undefined)
        }
      })
    )
  ),

  check("keeps what plain objects have a meaning of their own for", (expect) =>
    Effect.gen(function* () {
      const storage = yield* TokenStorage
      const slot = "__proto__"
      yield* Effect.ensuring(
        Effect.gen(function* () {
          yield* storage.set(slot, "a session")
          yield* expect.same(`slot ${slot}`, yield* storage.get(slot), "a session")
        }),
        Effect.ignore(storage.remove(slot))
      )
    })
  ),

  check("gives back what was set, and the last of it", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, slot) {
        yield* storage.set(slot, "first")
        yield* expect.same("the value", yield* storage.get(slot), "first")
        yield* storage.set(slot, "second")
        yield* expect.same("the value set later", yield* storage.get(slot), "second")
        yield* storage.set(slot, "second")
        yield* expect.same("the value set twice", yield* storage.get(slot), "second")
      })
    )
  ),

  check("removes, and removing what is absent is no error", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, slot) {
        yield* storage.remove(slot)
        yield* storage.set(slot, "value")
        yield* storage.remove(slot)
        yield* expect.same("the removed value", yield* storage.get(slot), undefined)
        yield* storage.remove(slot)
        yield* storage.set(slot, "again")
        yield* expect.same("a value set after that", yield* storage.get(slot), "again")
      })
    )
  ),

  ...oddValues.map(([name, value]) =>
    check(`keeps ${name} as it is`, (expect) =>
      withSlot(
        Effect.fnUntraced(function* (storage, slot) {
          yield* storage.set(slot, value)
          yield* expect.same("the value", yield* storage.get(slot), value)
          yield* expect.same("compareAndSet from it", yield* storage.compareAndSet(slot, value, "other"), true)
          yield* expect.same("compareAndSet to it", yield* storage.compareAndSet(slot, "other", value), true)
          yield* expect.same("the value after compareAndSet", yield* storage.get(slot), value)
        })
      )
    )
  ),

  check("keeps slots apart, whatever their names", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, prefix) {
        const slots = oddNames.map((name) => `${prefix}${name}`)
        const removeAll = Effect.forEach(slots, (slot) => storage.remove(slot), { discard: true })
        yield* Effect.gen(function* () {
          yield* Effect.forEach(slots, (slot) => storage.set(slot, `value of ${slot}`), { discard: true })
          for (const slot of slots) {
            yield* expect.same(`slot ${JSON.stringify(slot)}`, yield* storage.get(slot), `value of ${slot}`)
          }
          for (const slot of slots) {
            yield* expect.same(
              `compareAndSet of ${JSON.stringify(slot)}`,
              yield* storage.compareAndSet(slot, `value of ${slot}`, "next"),
              true
            )
          }
          for (const slot of slots) {
            yield* storage.remove(slot)
            yield* expect.same(`removed ${JSON.stringify(slot)}`, yield* storage.get(slot), undefined)
            const rest = slots.slice(slots.indexOf(slot) + 1)
            if (rest[0] !== undefined) {
              yield* expect.same(`the slot beside it, ${JSON.stringify(rest[0])},`, yield* storage.get(rest[0]), "next")
            }
          }
        }).pipe(Effect.ensuring(Effect.ignore(removeAll)))
      })
    )
  ),

  ...[undefined, "stored"].flatMap((stored) =>
    [undefined, "stored", "another"].flatMap((expected) =>
      [undefined, "stored", "next"].map((next) => {
        const wins = stored === expected
        return check(`compareAndSet(${expected} → ${next}) of a slot that holds ${stored}: ${wins}`, (expect) =>
          withSlot(
            Effect.fnUntraced(function* (storage, slot) {
              if (stored !== undefined) yield* storage.set(slot, stored)
              yield* expect.same("its result", yield* storage.compareAndSet(slot, expected, next), wins)
              yield* expect.same("the value after it", yield* storage.get(slot), wins ? next : stored)
            })
          )
        )
      })
    )
  ),

  check("compareAndSet takes an empty string for a value", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, slot) {
        yield* expect.same('compareAndSet("" → x) of nothing', yield* storage.compareAndSet(slot, "", "x"), false)
        yield* storage.set(slot, "")
        yield* expect.same(
          'compareAndSet(nothing → x) of ""',
          yield* storage.compareAndSet(slot, undefined, "x"),
          false
        )
        yield* expect.same('compareAndSet("" → x) of ""', yield* storage.compareAndSet(slot, "", "x"), true)
      })
    )
  ),

  check("compareAndSet compares every character", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, slot) {
        const long = "0".repeat(65_535)
        const pairs = [
          [`${long}a`, `${long}b`],
          ["case", "CASE"],
          ["blank", "blank "],
          ["caf\u00e9", "cafe\u0301"],
          ["1", "01"]
        ] as const
        for (const [stored, similar] of pairs) {
          yield* storage.set(slot, stored)
          yield* expect.same(
            `compareAndSet that expects ${JSON.stringify(similar.slice(-6))} of a slot that holds ${JSON.stringify(
              stored.slice(-6)
            )}`,
            yield* storage.compareAndSet(slot, similar, "next"),
            false
          )
          yield* expect.same("the value after it", yield* storage.get(slot), stored)
        }
      })
    )
  ),

  check("of 100 concurrent compareAndSet on a slot exactly one wins", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, slot) {
        for (const expected of [undefined, "stored"]) {
          if (expected !== undefined) yield* storage.set(slot, expected)
          const winners = yield* race(100, (n) => storage.compareAndSet(slot, expected, `writer ${n}`))
          yield* expect.same(`the number of winners over ${expected}`, winners.length, 1)
          yield* expect.same("the value after it", yield* storage.get(slot), `writer ${winners[0]}`)
        }
        const removed = yield* Effect.flatMap(storage.get(slot), (stored) =>
          race(100, () => storage.compareAndSet(slot, stored, undefined))
        )
        yield* expect.same("the number of those who removed it", removed.length, 1)
      })
    )
  ),

  check("no increment by compareAndSet is lost", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, slot) {
        const increment: Effect.Effect<void, TokenStorageError> = Effect.gen(function* () {
          const stored = yield* storage.get(slot)
          const won = yield* storage.compareAndSet(slot, stored, String(Number(stored ?? 0) + 1))
          if (!won) yield* increment
        })
        yield* Effect.forEach(Array.from({ length: 20 }), () => increment, { concurrency: "unbounded", discard: true })
        yield* expect.same("the counter", yield* storage.get(slot), "20")
      })
    )
  ),

  check("compareAndSet on one slot does not hinder another", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, prefix) {
        const slots = Array.from({ length: 20 }, (_, n) => `${prefix}-${n}`)
        const results = yield* Effect.forEach(slots, (slot) => storage.compareAndSet(slot, undefined, slot), {
          concurrency: "unbounded"
        }).pipe(
          Effect.ensuring(Effect.ignore(Effect.forEach(slots, (slot) => storage.remove(slot), { discard: true })))
        )
        yield* expect.same("the number of winners", results.filter(Boolean).length, slots.length)
      })
    )
  ),

  check("an interrupted write leaves the slot as it was, or written", (expect) =>
    withSlot(
      Effect.fnUntraced(function* (storage, slot) {
        yield* storage.set(slot, "before")
        const fiber = yield* Effect.forkChild(storage.compareAndSet(slot, "before", "after"), {
          startImmediately: true
        })
        yield* Fiber.interrupt(fiber)
        const stored = yield* storage.get(slot)
        if (stored !== "before" && stored !== "after") {
          return yield* expect.fail("the value to be the old or the new one", `it is ${JSON.stringify(stored)}`)
        }
        // An outcome that nobody waited for may still arrive; a later write must not be lost to it.
        yield* storage.set(slot, "later")
        yield* expect.same("a value set later", yield* storage.get(slot), "later")
      })
    )
  )
]

const race = <E>(count: number, attempt: (n: number) => Effect.Effect<boolean, E>) =>
  Effect.map(
    Effect.forEach(Array.from({ length: count }), (_, n) => attempt(n), { concurrency: "unbounded" }),
    (results) => results.flatMap((won, n) => (won ? [n] : []))
  )

/** The other view, built apart from everything that the check has. */
const otherView = (other: Layer.Layer<TokenStorage, unknown>): Effect.Effect<Service, unknown, Scope.Scope> =>
  Effect.map(Layer.build(Layer.fresh(other)), Context.get(TokenStorage))

const withTwo = <A, E, R>(
  other: Layer.Layer<TokenStorage, unknown>,
  use: (storage: Service, foreign: Service, slot: string) => Effect.Effect<A, E, R>
) =>
  Effect.scoped(Effect.flatMap(otherView(other), (foreign) => withSlot((storage, slot) => use(storage, foreign, slot))))

const shared = (other: Layer.Layer<TokenStorage, unknown>): ReadonlyArray<Conformance.Check<TokenStorage>> => [
  check("shows what somebody else wrote and removed", (expect) =>
    withTwo(
      other,
      Effect.fnUntraced(function* (storage, foreign, slot) {
        yield* foreign.set(slot, "theirs")
        yield* expect.same("the value that the other set", yield* storage.get(slot), "theirs")
        yield* expect.same("compareAndSet of it", yield* storage.compareAndSet(slot, "theirs", "ours"), true)
        yield* expect.same("what the other sees of that", yield* foreign.get(slot), "ours")
        yield* foreign.remove(slot)
        yield* expect.same("the value that the other removed", yield* storage.get(slot), undefined)
      })
    )
  ),

  check("of 100 concurrent compareAndSet from two sides exactly one wins, where atomic", (expect) =>
    withTwo(
      other,
      Effect.fnUntraced(function* (storage, foreign, slot) {
        if (!storage.atomic) return
        for (let round = 0; round < 5; round++) {
          const expected = yield* storage.get(slot)
          const winners = yield* race(100, (n) =>
            (n % 2 === 0 ? storage : foreign).compareAndSet(slot, expected, `round ${round} writer ${n}`)
          )
          yield* expect.same("the number of winners", winners.length, 1)
          yield* expect.same("the value after it", yield* foreign.get(slot), `round ${round} writer ${winners[0]}`)
        }
      })
    )
  )
]

const announced = (other: Layer.Layer<TokenStorage, unknown>): ReadonlyArray<Conformance.Check<TokenStorage>> => [
  check("changes names the slots that somebody else wrote, and no value", (expect) =>
    withTwo(
      other,
      Effect.fnUntraced(function* (storage, foreign, slot) {
        const seen = yield* follow(storage)
        const value = "a value that must not be seen"
        const writes = [
          foreign.set(slot, value),
          foreign.compareAndSet(slot, value, `${value} 2`),
          foreign.remove(slot)
        ]
        // The first is repeated until it is heard: nobody knows when a subscription is up.
        yield* heard(seen, slot, foreign.set(slot, value)).pipe(
          Effect.flatMap((ok) =>
            ok ? Effect.void : Effect.fail(expect.fail("changes to name the slot that the other set", "nothing came"))
          )
        )
        for (const write of writes) {
          yield* drain(seen)
          yield* write
          const name = yield* next(seen)
          if (Option.isNone(name)) return yield* expect.fail("changes to name the slot of each write", "nothing came")
          yield* expect.same("the element of changes", name.value, slot)
        }
      })
    )
  ),

  check("changes tells of foreign writes only", (expect) =>
    withTwo(
      other,
      Effect.fnUntraced(function* (storage, foreign, slot) {
        const mine = `${slot}-mine`
        const seen = yield* follow(storage)
        yield* heard(seen, slot, foreign.set(slot, "x"))
        yield* storage.set(mine, "1")
        yield* storage.compareAndSet(mine, "1", "2")
        yield* storage.remove(mine)
        // What the other writes afterwards comes after an echo, if there is one.
        for (const last of ["y", "z"]) {
          yield* foreign.set(slot, last)
          const name = yield* next(seen)
          yield* expect.same("the element of changes after writes of one's own", Option.getOrUndefined(name), slot)
        }
      })
    )
  )
]

const follow = (storage: Service) =>
  Effect.gen(function* () {
    const queue = yield* Queue.unbounded<string>()
    yield* storage.changes.pipe(
      Stream.runForEach((slot) => Queue.offer(queue, slot)),
      Effect.forkScoped({ startImmediately: true })
    )
    return queue
  })

const next = (queue: Queue.Queue<string>) => Effect.timeoutOption(Queue.take(queue), "5 seconds")

const drain = (queue: Queue.Queue<string>) =>
  Effect.gen(function* () {
    // Repeated writes may still be under way.
    while (Option.isSome(yield* Effect.timeoutOption(Queue.take(queue), "150 millis"))) {
      /* drop */
    }
  })

const heard = <E>(queue: Queue.Queue<string>, slot: string, write: Effect.Effect<void, E>) =>
  Effect.gen(function* () {
    for (let attempt = 0; attempt < 50; attempt++) {
      yield* write
      const name = yield* Effect.timeoutOption(Queue.take(queue), "100 millis")
      if (Option.isSome(name) && name.value === slot) return true
    }
    return false
  })
