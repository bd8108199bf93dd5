/** The same scenario in both styles, each against a backend of its own, to the same end. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { FetchClient, OneEntry, TokenStorage } from "effect-oneentry"
import { isError } from "effect-oneentry/promise"
import * as InPromises from "../promise/registration.ts"
import { emulator } from "../support.ts"
import * as InEffect from "./registration.ts"

const login = "your-user@email.com"

it.live("in Effect and in Promises: the same requests, the same user signed in", () =>
  Effect.gen(function* () {
    const first = yield* emulator()
    const effect = yield* InEffect.registration(() => first.awaitCode(login)).pipe(
      Effect.provide(
        OneEntry.layer({ url: first.url, appToken: first.appToken }).pipe(
          Layer.provide([TokenStorage.layerMemory, FetchClient.layer])
        )
      )
    )
    const second = yield* emulator()
    const run = Effect.runPromiseWith(yield* Effect.context())
    const promise = yield* Effect.promise(() =>
      InPromises.registration(second.url, Redacted.value(second.appToken), () => run(second.awaitCode(login)))
    )

    const sent = (backend: typeof first) =>
      Effect.map(backend.requests, (requests) =>
        requests.map(({ method, path, status }) => `${method} ${path} ${status}`)
      )
    assert.deepStrictEqual(yield* sent(first), yield* sent(second))

    assert.strictEqual(effect.newUser.identifier, login)
    assert.isFalse(isError(promise.newUser))
    assert.isTrue(effect.generateCode !== "sent" && effect.generateCode.messages.includes("User already has a code"))
    assert.isTrue(isError(promise.generateCode) && promise.generateCode.message === "User already has a code")
    assert.isTrue(promise.isCorrect === true && promise.activated === true)
    assert.strictEqual(effect.authResponse.userIdentifier, login)
    assert.isTrue(!isError(promise.authResponse) && promise.authResponse.userIdentifier === login)
  })
)
