/** The layers without an `HttpClient`: the same rules over the platform's `fetch` (see `internal/fetchTransport`). */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option } from "effect"
import { FetchHttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import {
  AuthProvider,
  FetchClient,
  type FieldValue,
  Forms,
  FormsData,
  Session,
  TokenStorage,
  Users
} from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { count, failsWith, login, password, project, register, signIn } from "./helpers/scenario.ts"

const clients = Layer.unwrap(
  Effect.map(Emulator.Emulator, ({ appToken, url }) => {
    const options = { url, appToken }
    return Layer.mergeAll(
      AuthProvider.layerFetch(options),
      Session.layerFetch(options),
      Users.layerFetch(options),
      FormsData.layerFetch(options),
      Forms.layerFetch(options)
    )
  })
).pipe(Layer.provideMerge(TokenStorage.layerMemory), Layer.provideMerge(Emulator.layer({ passwordCost: 1, project })))

const fileQuery = { type: "page", entity: "editor", id: 3492 }

const withPicture = (name: string): FieldValue.SignUpData => ({
  authData: [
    { marker: "login", value: name },
    { marker: "secret", value: password }
  ],
  formData: [{ marker: "image", type: "image", value: new File(["…"], "me.png", { type: "image/png" }), fileQuery }]
})

/** Calls with a `fetch` of one's own. */
const fetching = (fetch: typeof globalThis.fetch) => Effect.provideService(FetchClient.Fetch, fetch)

const alone = AuthProvider.layerFetch({ url: "https://api.example.com", requestTimeout: "10 seconds" }).pipe(
  Layer.provide(TokenStorage.layerMemory)
)

describe("without an HttpClient", () => {
  it.live("a user registers, signs in, is read, and signs out", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      yield* register()
      yield* signIn()
      const session = yield* Session.Session
      assert.strictEqual(Option.getOrThrow(yield* session.current).userIdentifier, login)
      assert.strictEqual((yield* Users.Users.use((users) => users.getUser())).identifier, login)
      assert.strictEqual((yield* Forms.Forms.use((forms) => forms.getFormByMarker("reg"))).identifier, "reg")
      yield* failsWith(
        FormsData.FormsData.use((data) =>
          data.post({ formIdentifier: "nowhere", formData: [{ marker: "text", type: "string", value: "x" }] })
        ),
        "FormNotFound"
      )
      assert.isTrue((yield* auth.logout()).revoked)
      yield* failsWith(auth.getActiveSessionsByMarker("email"), "NotAuthenticated")
    }).pipe(Effect.provide(clients))
  )

  it.live("files are uploaded as the form data that they are", () =>
    Effect.gen(function* () {
      const auth = yield* AuthProvider.AuthProvider
      const user = yield* auth.signUp("rich", withPicture("rich@example.com"))
      const [image] = user.formData
      assert(image?.type === "image" && image.value !== null)
      assert.match(image.value[0]?.filename ?? "", /^files\/project\/page\/3492\//)
      assert.strictEqual(yield* count("upload"), 1)
    }).pipe(Effect.provide(clients))
  )

  it.live("what the caller adds to every request goes along, beneath the headers of the client", () =>
    Effect.gen(function* () {
      const seen: Array<RequestInit | undefined> = []
      const auth = yield* AuthProvider.AuthProvider
      yield* auth.getAuthProviders().pipe(
        fetching(async (_, init) => {
          seen.push(init)
          return Response.json([])
        }),
        Effect.provideService(FetchHttpClient.RequestInit, {
          cache: "no-store",
          redirect: "follow",
          headers: { accept: "text/html", "x-tenant": "acme" }
        })
      )
      const headers = new Headers(seen[0]?.headers)
      assert.strictEqual(headers.get("x-tenant"), "acme")
      assert.strictEqual(headers.get("accept"), "application/json")
      assert.strictEqual(seen[0]?.cache, "no-store")
      assert.strictEqual(seen[0]?.redirect, "manual")
    }).pipe(Effect.provide(alone))
  )

  it.live("a redirect is not followed, and its body not waited for", () =>
    Effect.gen(function* () {
      let signal: AbortSignal | null | undefined
      const auth = yield* AuthProvider.AuthProvider
      yield* failsWith(
        auth.generateCode("email", { userIdentifier: login, eventIdentifier: "auth" }).pipe(
          fetching(async (_, init) => {
            signal = init?.signal
            return new Response(new ReadableStream(), {
              status: 302,
              headers: { location: "https://elsewhere.example" }
            })
          })
        ),
        "OneEntryError/Redirected"
      )
      assert.isTrue(signal?.aborted)
    }).pipe(Effect.provide(alone))
  )

  it.effect("a file that never arrives is given up, later than a call is", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<AbortSignal | null | undefined>()
      const auth = yield* AuthProvider.AuthProvider
      const fiber = yield* Effect.forkChild(
        Effect.flip(
          auth.signUp("rich", withPicture("slow@example.com")).pipe(
            fetching((_, init) => {
              Deferred.doneUnsafe(asked, Effect.succeed(init?.signal))
              return new Promise(() => undefined)
            })
          )
        )
      )
      const signal = yield* Deferred.await(asked)
      // The time of a request, and that of its bytes on a slow line.
      yield* TestClock.adjust("10 seconds")
      assert.isFalse(signal?.aborted)
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(fiber)
      assert(error._tag === "UploadFailed" && error.marker === "image")
      assert.include(String(error.cause), "No answer within")
      assert.isTrue(signal?.aborted)
    }).pipe(Effect.provide(alone))
  )

  it.live("a fetch that a layer is given is that of its every request, refreshes too", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const options = { url: emulator.url, appToken: emulator.appToken }
      const paths: Array<string> = []
      const own = Layer.succeed(FetchClient.Fetch, (input, init) => {
        paths.push(new URL(input instanceof Request ? input.url : input).pathname.replace(/^.*\//, ""))
        return globalThis.fetch(input, init)
      })
      const program = Effect.gen(function* () {
        const auth = yield* AuthProvider.AuthProvider
        yield* signIn()
        yield* auth.refresh()
        yield* auth.logout()
      })
      yield* register().pipe(Effect.provide(AuthProvider.layerFetch(options)))
      for (const layer of [
        AuthProvider.layerFetch(options).pipe(Layer.provide(own)),
        AuthProvider.layer(options).pipe(Layer.provide(FetchClient.layer), Layer.provide(own))
      ]) {
        yield* program.pipe(Effect.provide(layer))
        assert.deepStrictEqual(paths.splice(0), ["auth", "refresh", "logout"])
      }
    }).pipe(Effect.provide(Layer.mergeAll(TokenStorage.layerMemory, Emulator.layer({ passwordCost: 1, project }))))
  )
})
