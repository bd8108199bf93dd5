/**
 * What `pack-smoke.ts` compiles and runs in the empty project: a user signs up, activates with the code of the outbox and
 * signs in, with the packed package on both sides.
 */
import { Effect, Layer, Redacted } from "effect"
import { AuthProvider, FieldValue, OneEntry, TokenStorage } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"

const login = "ann@example.com"
const password = Redacted.make("correct horse")

const program = Effect.gen(function* () {
  const auth = yield* AuthProvider.AuthProvider
  const emulator = yield* Emulator.Emulator
  const user = yield* auth.signUp("email", {
    formIdentifier: "reg",
    authData: [FieldValue.auth("email_reg", login), FieldValue.auth("password_reg", password)],
    formData: [FieldValue.string("name_reg", "Ann"), FieldValue.string("phone_reg", "+1 800 798 6545")],
    notificationData: { email: login, phonePush: [], phoneSMS: "+18007986545" }
  })
  const code = yield* emulator.awaitCode(login)
  yield* auth.activateUser("email", { userIdentifier: login, code })
  const session = yield* auth.auth("email", {
    authData: [
      { marker: "email_reg", value: login },
      { marker: "password_reg", value: password }
    ]
  })
  const sessions = yield* auth.getActiveSessionsByMarker("email")
  return { user: user.identifier, session: session.userIdentifier, sessions: sessions.length }
})

const OneEntryLive = Layer.unwrap(
  Effect.map(Emulator.Emulator, ({ appToken, url }) => OneEntry.layer({ url, appToken }))
)

const result = await Effect.runPromise(
  program.pipe(
    Effect.provide(
      OneEntryLive.pipe(
        Layer.provide(TokenStorage.layerMemory),
        Layer.provideMerge(Emulator.layerClient({ passwordCost: 1 }))
      )
    )
  )
)
const expected = JSON.stringify({ user: login, session: login, sessions: 1 })
if (JSON.stringify(result) !== expected) throw new Error(`${JSON.stringify(result)} is not ${expected}`)
