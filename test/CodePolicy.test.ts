import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Fiber, Option, Schema, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { AuthError, AuthProvider, CodePolicy } from "effect-oneentry"
import { Emulator, type Project } from "effect-oneentry/emulator"
import { inProcess, login, overHttp, project, register, signUpData } from "./helpers/scenario.ts"

const withProvider = (
  config: NonNullable<NonNullable<Project.Input["providers"]>[number]["config"]>,
  switches: Project.Input["switches"] = {}
): Project.Input => ({
  ...project,
  switches,
  providers: (project.providers ?? []).map((provider) =>
    provider.identifier === "email" ? { ...provider, config } : provider
  )
})

const policyOf = Effect.map(
  AuthProvider.AuthProvider.use((auth) => auth.getAuthProviderByMarker("email")),
  (provider) => CodePolicy.fromProvider(provider)
)

const seconds = (durations: Iterable<Duration.Duration>) => Array.from(durations, Duration.toSeconds)

const hasCode = (statusCode: number, retryAfter?: Duration.Duration) =>
  new AuthError.UserAlreadyHasCode({
    marker: "email",
    statusCode,
    messages: [],
    ...(retryAfter === undefined ? {} : { retryAfter })
  })

const plain = CodePolicy.fromProvider({ config: {} })
const digits = CodePolicy.fromProvider({ config: { systemCodeLength: 6, systemCodeOnlyNumbers: true } })
const letters = CodePolicy.fromProvider({ config: { systemCodeLength: 6 } })

describe("fromProvider", () => {
  it.effect("says what the provider says", () =>
    Effect.gen(function* () {
      const policy = yield* policyOf
      assert.deepStrictEqual(
        {
          ...policy,
          lifetime: Duration.toSeconds(policy.lifetime ?? 0),
          reissueAfter: Duration.toSeconds(policy.reissueAfter)
        },
        { length: 8, alphabet: "digits", lifetime: 300, reissueAfter: 30 }
      )
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      yield* auth.signUp("email", signUpData())
      const code = yield* emulator.awaitCode(login)
      assert.isTrue(CodePolicy.matches(policy, code))
      assert.isFalse(CodePolicy.matches(policy, code.slice(1)))
      yield* auth.activateUser("email", {
        userIdentifier: login,
        code: CodePolicy.normalise(` ${code.slice(0, 4)} ${code.slice(4)}\n`)
      })
    }).pipe(
      Effect.provide(
        overHttp(FetchHttpClient.layer, undefined, {
          project: withProvider(
            { systemCodeLength: 8, systemCodeOnlyNumbers: true, systemCodeTlsSec: 300 },
            { configNumbers: "string" }
          )
        })
      )
    )
  )

  it.effect("codes of letters match too, in either case", () =>
    Effect.gen(function* () {
      const policy = yield* policyOf
      assert.deepInclude(policy, { length: 6, alphabet: "alphanumeric" })
      const auth = yield* AuthProvider.AuthProvider
      const emulator = yield* Emulator.Emulator
      yield* auth.signUp("email", signUpData())
      const typed = (yield* emulator.awaitCode(login)).toLowerCase()
      assert.isTrue(CodePolicy.matches(policy, typed))
      const code = yield* Schema.decodeEffect(CodePolicy.schema(policy))(typed)
      yield* auth.activateUser("email", { userIdentifier: login, code })
    }).pipe(Effect.provide(inProcess()))
  )

  it("leaves open what nobody knows, and takes no nonsense", () => {
    assert.deepStrictEqual(Object.keys(plain).sort(), ["alphabet", "reissueAfter"])
    assert.notProperty(CodePolicy.fromProvider({ config: { systemCodeLength: 0 } }), "length")
    assert.notProperty(CodePolicy.fromProvider({ config: { systemCodeLength: 2.5 } }), "length")
    assert.strictEqual(
      Duration.toSeconds(CodePolicy.fromProvider({ config: {} }, { reissueAfter: "1 minute" }).reissueAfter),
      60
    )
    assert.strictEqual(
      Duration.toSeconds(CodePolicy.fromProvider({ config: {} }, { reissueAfter: Duration.seconds(-5) }).reissueAfter),
      0
    )
  })
})

describe("codes", () => {
  it("are normalised as people type and paste them", () => {
    assert.strictEqual(CodePolicy.normalise(" ew3-2rf\n"), "EW32RF")
    assert.strictEqual(CodePolicy.normalise("407\u00a0063"), "407063")
    assert.strictEqual(CodePolicy.normalise("４０７０６３"), "407063")
    assert.strictEqual(CodePolicy.normalise("4\u200b07\u2013063\ufeff"), "407063")
    assert.strictEqual(CodePolicy.normalise(""), "")
  })

  it("match by length and alphabet", () => {
    for (const code of ["407063", "407 063"]) assert.isTrue(CodePolicy.matches(digits, code))
    for (const code of ["", "40706", "4070630", "EW32RF", "40706३", "407063\u0000"])
      assert.isFalse(CodePolicy.matches(digits, code))
    assert.isTrue(CodePolicy.matches(letters, "ew32rf"))
    for (const code of ["EW32R!", "EW32RÄ", "EW32R"]) assert.isFalse(CodePolicy.matches(letters, code))
    assert.isTrue(CodePolicy.matches(plain, "X"))
    assert.isFalse(CodePolicy.matches(plain, " "))
  })

  it("have a schema that normalises, and says what it expects", () => {
    const decode = Schema.decodeUnknownOption(CodePolicy.schema(letters))
    assert.deepStrictEqual(decode(" ew3 2rf "), Option.some("EW32RF"))
    assert.deepStrictEqual(decode("short"), Option.none())
    assert.deepStrictEqual(decode(407063), Option.none())
    assert.throws(() => Schema.decodeSync(CodePolicy.schema(digits))("x"), /a code of 6 digits/)
    assert.throws(() => Schema.decodeSync(CodePolicy.schema(plain))("!"), /a code of letters and digits/)
    assert.strictEqual(Schema.encodeSync(CodePolicy.schema(digits))("407063"), "407063")
  })
})

describe("countdown", () => {
  const policy: CodePolicy.CodePolicy = { ...letters, lifetime: Duration.seconds(120) }

  it("waits for what the server says, for the window of newer servers, for the code's life on older ones", () => {
    assert.strictEqual(Duration.toSeconds(CodePolicy.waitAfter(policy, hasCode(429, Duration.seconds(7)))), 7)
    assert.strictEqual(Duration.toSeconds(CodePolicy.waitAfter(policy, hasCode(429))), 30)
    assert.strictEqual(Duration.toSeconds(CodePolicy.waitAfter(policy, hasCode(400))), 120)
    assert.strictEqual(Duration.toSeconds(CodePolicy.waitAfter(letters, hasCode(400))), 30)
  })

  it.effect("counts each second down to zero, and ends", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const fiber = yield* CodePolicy.countdown(policy, { error: hasCode(429, Duration.millis(3500)) }).pipe(
        Stream.runForEach((left) => Effect.sync(() => seen.push(Duration.toMillis(left)))),
        Effect.forkChild
      )
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(seen, [3500])
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(seen, [3500, 3000])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(seen, [3500, 3000, 2000, 1000])
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, [3500, 3000, 2000, 1000, 0])
    })
  )

  it.effect("counts from the last request, of which part may have passed", () =>
    Effect.gen(function* () {
      const requestedAt = yield* DateTime.now
      yield* TestClock.adjust("28 seconds")
      const fiber = yield* Effect.forkChild(Stream.runCollect(CodePolicy.countdown(policy, { requestedAt })))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(seconds(yield* Fiber.join(fiber)), [2, 1, 0])
      assert.deepStrictEqual(seconds(yield* Stream.runCollect(CodePolicy.countdown(policy, { requestedAt }))), [0])
      assert.deepStrictEqual(seconds(yield* Stream.runCollect(CodePolicy.countdown(policy, {}))), [0])
    })
  )

  it.effect("an older server refuses until the code of the last request ends", () =>
    Effect.gen(function* () {
      const requestedAt = yield* DateTime.now
      yield* TestClock.adjust("100 seconds")
      const first = CodePolicy.countdown(policy, { requestedAt, error: hasCode(400) })
      assert.deepStrictEqual(seconds(yield* Stream.runCollect(Stream.take(first, 1))), [20])
      // What the server says of now counts from now.
      const said = CodePolicy.countdown(policy, { requestedAt, error: hasCode(429, Duration.seconds(7)) })
      assert.deepStrictEqual(seconds(yield* Stream.runCollect(Stream.take(said, 1))), [7])
      const unknown = CodePolicy.countdown(policy, { error: hasCode(400) })
      assert.deepStrictEqual(seconds(yield* Stream.runCollect(Stream.take(unknown, 1))), [120])
    })
  )

  it.effect("leaves out what a sleeping device missed, and a clock set back does not make it longer", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const fiber = yield* CodePolicy.countdown(policy, { error: hasCode(429) }).pipe(
        Stream.runForEach((left) => Effect.sync(() => seen.push(Duration.toSeconds(left)))),
        Effect.forkChild
      )
      yield* TestClock.adjust(0)
      yield* TestClock.setTime(25_000)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual([seen[0], seen.at(-1)], [30, 0])
      assert.isTrue(seen.every((left, index) => index === 0 || left < (seen[index - 1] ?? 0)))
      const future = DateTime.makeUnsafe(1_000_000)
      const odd = CodePolicy.countdown(policy, { requestedAt: future, error: hasCode(400) })
      assert.deepStrictEqual(seconds(yield* Stream.runCollect(Stream.take(odd, 1))), [120])
      const ahead = CodePolicy.countdown(policy, { requestedAt: future })
      assert.deepStrictEqual(seconds(yield* Stream.runCollect(Stream.take(ahead, 1))), [30])
    })
  )

  it.effect("ends when the emulator allows the next code, in both eras", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const ask = auth.generateCode("email", { userIdentifier: login, eventIdentifier: "auth" })
      yield* register()
      yield* ask
      const error = yield* Effect.flip(ask)
      assert(error._tag === "UserAlreadyHasCode" && error.statusCode === 400)
      const current = yield* policyOf
      const fiber = yield* Effect.forkChild(Stream.runDrain(CodePolicy.countdown(current, { error })))
      yield* TestClock.adjust("119 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      yield* ask
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("ends when the emulator allows the next code: 429 with Retry-After", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const ask = auth.generateCode("email", { userIdentifier: login, eventIdentifier: "auth" })
      yield* register()
      yield* ask
      yield* TestClock.adjust("10 seconds")
      const error = yield* Effect.flip(ask)
      assert(error._tag === "UserAlreadyHasCode" && error.statusCode === 429)
      const fiber = yield* Effect.forkChild(Stream.runCollect(CodePolicy.countdown(yield* policyOf, { error })))
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).length, 21)
      yield* ask
    }).pipe(
      Effect.provide(
        inProcess(undefined, {
          project: withProvider({}, { codePolicy: "reissue-window-429", retryAfter: true })
        })
      )
    )
  )
})
