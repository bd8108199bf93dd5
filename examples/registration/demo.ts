/**
 * The registration scenario, over HTTP: `npm run demo`.
 *
 * It runs against the embedded emulator, on a free port. With ONEENTRY_URL (and ONEENTRY_TOKEN) set it runs against that
 * project instead and asks for what only you know.
 */
import { Config, Console, Effect, Layer, Option, Redacted, Terminal } from "effect"
import type { Prompt } from "effect/cli"
import { HttpClient } from "effect/http"
import {
  AuthProvider,
  FetchClient,
  Forms,
  type FormSchema,
  OneEntry,
  Session,
  SignUpForm,
  TokenStorage,
  Users
} from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { came, handled, note, step, title, watched } from "./output.ts"

interface FilledIn {
  readonly values: FormSchema.FormValues
  readonly data: SignUpForm.SignUpData
}

/** What the scenario needs from outside: who registers, and the codes that come by mail. */
interface Person {
  readonly provider: string
  readonly form: string
  readonly event: string
  readonly fillIn: (form: SignUpForm.SignUpForm) => Effect.Effect<FilledIn, SignUpForm.FormInvalid>
  readonly code: (login: string) => Effect.Effect<string>
  readonly newPassword: Effect.Effect<Redacted.Redacted>
  /** Lets the access token end; `false` where that takes too long. */
  readonly expire: Effect.Effect<boolean>
}

const calls = 50

const scenario = (person: Person, traffic: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const auth = yield* AuthProvider.AuthProvider
    const session = yield* Session.Session
    const users = yield* Users.Users
    const { event, provider } = person

    yield* step("Fetch the registration form")
    const form = SignUpForm.make(yield* Forms.Forms.use((forms) => forms.getFormByMarker(person.form)))
    yield* traffic
    yield* came(
      form
        .fields("signUp")
        .map((field) => `${field.label}${field.required ? "*" : ""}`)
        .join(", ")
    )

    yield* step("Sign up")
    const { data, values } = yield* person.fillIn(form)
    yield* note(
      form
        .fields("signUp")
        .map(({ marker, role }) => `${marker}: ${role === "password" ? "******" : String(values[marker] ?? "")}`)
        .join(", ")
    )
    const user = yield* auth.signUp(provider, data)
    const login = user.identifier
    yield* traffic
    yield* came(`user ${user.id}, ${login}, ${user.isActive ? "active" : "waiting for the activation code"}`)

    if (!user.isActive) {
      yield* step("Ask for a code")
      const asked = yield* auth.generateCode(provider, { userIdentifier: login, eventIdentifier: event }).pipe(
        Effect.as(came("a code is on its way")),
        Effect.catchTag("UserAlreadyHasCode", (error) =>
          Effect.succeed(
            handled("UserAlreadyHasCode", `${error.messages.join()} - signing up has sent one, and it is still good`)
          )
        )
      )
      yield* traffic
      yield* asked

      yield* step("Enter a wrong code")
      yield* note("000000")
      const checked = yield* auth
        .checkCode(provider, { userIdentifier: login, eventIdentifier: event, code: "000000" })
        .pipe(
          Effect.as(came("that was the right one, against all odds")),
          Effect.catchTag("InvalidCode", (error) => Effect.succeed(handled("InvalidCode", error.message)))
        )
      yield* traffic
      yield* checked

      yield* step("Enter the right code, and activate")
      const code = yield* person.code(login)
      yield* auth.checkCode(provider, { userIdentifier: login, eventIdentifier: event, code })
      yield* auth.activateUser(provider, { userIdentifier: login, code })
      yield* traffic
      yield* came("activated")
    }

    yield* step("Sign in")
    const credentials = yield* form.encodeSignIn(values)
    const entity = yield* auth.auth(provider, credentials)
    yield* traffic
    yield* came(`signed in as ${entity.userIdentifier}; the tokens print as ${entity.accessToken}`)

    yield* step("Read the profile")
    const profile = yield* users.getUser()
    yield* traffic
    yield* came(profile.formData.map((field) => `${field.marker} = ${String(field.value)}`).join(", "))

    yield* step(`Let the access token end, and make ${calls} calls at once`)
    if (yield* person.expire) {
      yield* Effect.forEach(Array.from({ length: calls }), () => users.getUser(), { concurrency: "unbounded" })
    } else {
      yield* note(`its end is too far away here: ${calls} refreshes at once instead`)
      yield* Effect.forEach(Array.from({ length: calls }), () => session.refresh, { concurrency: "unbounded" })
    }
    yield* traffic
    yield* came(`${calls} answers, and the one-time refresh token was spent once`)

    yield* step("List the devices that are signed in")
    const devices = yield* auth.getActiveSessionsByMarker(provider)
    yield* traffic
    yield* came(devices.map(({ deviceInfo }) => `${deviceInfo.browser} on ${deviceInfo.os}`).join("; "))

    yield* step("Change the password")
    yield* auth
      .generateCode(provider, { userIdentifier: login, eventIdentifier: event })
      .pipe(Effect.catchTag("UserAlreadyHasCode", () => handled("UserAlreadyHasCode", "the one that was sent will do")))
    const newPassword = yield* person.newPassword
    yield* auth.changePassword(provider, {
      userIdentifier: login,
      eventIdentifier: event,
      type: "change",
      code: yield* person.code(login),
      newPassword,
      repeatPassword: newPassword
    })
    yield* traffic
    yield* came(
      `changed; that ended every session of the account: ${Option.isNone(yield* session.current) ? "nobody is signed in" : "still signed in?"}`
    )

    yield* step("Sign in with the new password, and sign out")
    const password = form.fields("signIn").find((field) => field.role === "password")?.marker ?? ""
    yield* auth.auth(provider, {
      authData: credentials.authData.map((item) => (item.marker === password ? { ...item, value: newPassword } : item))
    })
    const { revoked } = yield* auth.logout(provider)
    yield* traffic
    yield* came(revoked ? "signed out here and on the server" : "signed out here")
  })

/** The scenario's own data, and the emulator's outbox for a mailbox. */
const againstEmulator = Effect.gen(function* () {
  const emulator = yield* Emulator.Emulator
  yield* title(`effect-oneentry: the registration scenario against the emulator at ${emulator.url}`)
  const { client, traffic } = watched(yield* HttpClient.HttpClient)
  const person: Person = {
    provider: "email",
    form: "reg",
    event: "auth",
    fillIn: (form) => {
      const values = {
        email_reg: "your-user@email.com",
        password_reg: Redacted.make("123456"),
        name_reg: "UserName",
        phone_reg: "+18007986545",
        email_notification_reg: "your-user@email.com"
      }
      return Effect.map(form.encode(values), (data) => ({ values, data }))
    },
    code: (login) =>
      Effect.tap(emulator.awaitCode(login), (code) => note(`the outbox of the emulator has the code ${code}`)),
    newPassword: Effect.succeed(Redacted.make("654321")),
    expire: Effect.as(
      Effect.andThen(emulator.clock.advance("11 hours"), note("eleven hours later, by the emulator's clock")),
      true
    )
  }
  yield* scenario(person, traffic).pipe(
    Effect.provide(OneEntry.layer({ url: emulator.url, appToken: emulator.appToken })),
    Effect.provideService(HttpClient.HttpClient, client)
  )
}).pipe(Effect.provide(Emulator.layer()))

/** A project of your own: whatever the demo cannot know is asked for. */
const againstProject = Effect.gen(function* () {
  // Only a person at a terminal needs prompts.
  const { Prompt } = yield* Effect.promise(() => import("effect/cli"))
  const { fillIn } = yield* Effect.promise(() => import("../cli/prompts.ts"))
  const NodeServices = yield* Effect.promise(() => import("@effect/platform-node/NodeServices"))
  const options = yield* OneEntry.config
  const provider = options.providerMarker ?? "email"
  const form = yield* Config.NonEmptyString("ONEENTRY_FORM").pipe(Config.withDefault("reg"))
  const event = yield* Config.NonEmptyString("ONEENTRY_EVENT").pipe(Config.withDefault("auth"))
  yield* title(`effect-oneentry: the registration scenario against ${String(options.url)}`)
  yield* note(
    "ONEENTRY_PROVIDER, ONEENTRY_FORM and ONEENTRY_EVENT name the provider, its form and the event that sends codes"
  )
  const { client, traffic } = watched(yield* HttpClient.HttpClient)
  const atTerminal = <A, E>(asking: Effect.Effect<A, E | Terminal.QuitError, Prompt.Environment>) =>
    asking.pipe(
      Effect.provide(NodeServices.layer),
      // Ctrl-C at a prompt ends the demo.
      Effect.catchIf(Terminal.isQuitError, () => Effect.interrupt)
    )
  const person: Person = {
    provider,
    form,
    event,
    fillIn: (form) => atTerminal(fillIn(form)),
    code: (login) => atTerminal(Prompt.String({ message: `The code that was sent to ${login}` })),
    newPassword: atTerminal(Prompt.Password({ message: "A new password" })),
    expire: Effect.succeed(false)
  }
  yield* scenario(person, traffic).pipe(
    Effect.provide(OneEntry.layer(options)),
    Effect.provideService(HttpClient.HttpClient, client)
  )
})

const program = Effect.gen(function* () {
  const url = yield* Config.option(Config.NonEmptyString("ONEENTRY_URL"))
  yield* Option.isSome(url) ? againstProject : againstEmulator
}).pipe(
  Effect.provide(Layer.mergeAll(TokenStorage.layerMemory, FetchClient.layer)),
  Effect.tapError((error) => Console.error(`\n${error._tag}: ${error.message}`))
)

Effect.runPromise(program).catch(() => {
  process.exitCode = 1
})
