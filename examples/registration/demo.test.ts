import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { emulator, program } from "../support.ts"

it.live("the scenario against the emulator that comes with it", () =>
  Effect.gen(function* () {
    const demo = yield* program("registration/demo.ts", { ONEENTRY_URL: "" })
    const { code, output } = yield* demo.exit
    assert.strictEqual(code, 0, output)
    assert.include(output, "users/refresh → 201\n")
    assert.include(output, "signed out here and on the server")
  })
)

it.live("and against a project, asking for what only you know", () =>
  Effect.gen(function* () {
    const { appToken, awaitCode, refreshes, url } = yield* emulator()
    const demo = yield* program("registration/demo.ts", {
      ONEENTRY_URL: url,
      ONEENTRY_TOKEN: Redacted.value(appToken)
    })
    const answer = Effect.fnUntraced(function* (question: string, text: Effect.Effect<string> | string) {
      yield* demo.says(`? ${question}`)
      yield* demo.type(`${typeof text === "string" ? text : yield* text}\n`)
    })
    yield* answer("E-mail", "eve@example.com")
    yield* answer("Name", "Eve")
    yield* answer("Phone", "+18007986545")
    yield* answer("Password", "correct horse")
    yield* answer("email for notification", "")
    yield* answer("The code", awaitCode("eve@example.com"))
    yield* answer("A new password", "battery staple")
    yield* answer("The code", awaitCode("eve@example.com"))
    const { code, output } = yield* demo.exit
    assert.strictEqual(code, 0, output)
    assert.include(output, "signed out here and on the server")
    assert.notInclude(output, "correct horse")
    assert.deepStrictEqual(yield* refreshes, [201])
  })
)
