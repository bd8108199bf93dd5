/**
 * Signing up in a terminal, and staying signed in:
 *
 *     ONEENTRY_URL=… ONEENTRY_TOKEN=… node examples/cli/main.ts sign-up
 *     ONEENTRY_URL=… ONEENTRY_TOKEN=… node examples/cli/main.ts whoami
 *     ONEENTRY_URL=… ONEENTRY_TOKEN=… node examples/cli/main.ts sign-out
 *
 * The session is kept in `~/.oneentry-example`, or in SESSION_DIR. Without ONEENTRY_URL it is only a trial: an emulator
 * that lives as long as the command, and prints the codes.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Console, Effect, Layer, Option } from "effect"
import { Command, Prompt } from "effect/cli"
import {
  AuthProvider,
  type AuthSchema,
  CodePolicy,
  FetchClient,
  Forms,
  OneEntry,
  SignUpForm,
  Users
} from "effect-oneentry"
import { homedir } from "node:os"
import { join } from "node:path"
import * as FileTokenStorage from "../custom-storage/fileTokenStorage.ts"
import { fillIn } from "./prompts.ts"
import * as Trial from "./trial.ts"

const marker = Config.NonEmptyString("ONEENTRY_PROVIDER").pipe(Config.withDefault("email"))
const eventIdentifier = Config.NonEmptyString("ONEENTRY_EVENT").pipe(Config.withDefault("auth"))

/** Asks for the code until it is the right one; for a code that is used up or has ended there is a new one. */
const activate = Effect.fn("activate")(function* (provider: AuthSchema.AuthProviderEntity, userIdentifier: string) {
  const auth = yield* AuthProvider.AuthProvider
  const event = yield* eventIdentifier
  const policy = CodePolicy.fromProvider(provider)
  const explain = auth.generateCode(provider.identifier, { userIdentifier, eventIdentifier: event }).pipe(
    Effect.andThen(Console.log("! That code is no good any more. A new one is on its way.")),
    Effect.catchTag("UserAlreadyHasCode", () => Console.log("! That is another code than the one that was sent."))
  )
  yield* Prompt.String({
    message: `The code that was sent to ${userIdentifier}`,
    validate: (text) => (CodePolicy.matches(policy, text) ? Effect.succeed(text) : Effect.fail("That is no code"))
  }).pipe(
    Effect.flatMap((text) =>
      auth.activateUser(provider.identifier, { userIdentifier, code: CodePolicy.normalise(text) })
    ),
    Effect.tapErrorTag(["InvalidCode", "CodeAttemptsExceeded"], () => explain),
    Effect.retry({ while: ({ _tag }) => _tag === "InvalidCode" || _tag === "CodeAttemptsExceeded" })
  )
})

const signUp = Command.make(
  "sign-up",
  {},
  Effect.fn(function* () {
    const auth = yield* AuthProvider.AuthProvider
    const forms = yield* Forms.Forms
    const provider = yield* auth.getAuthProviderByMarker(yield* marker)
    const form = SignUpForm.make(yield* forms.getFormByMarker(provider.formIdentifier ?? "reg"))

    const { data, values } = yield* fillIn(form)
    const user = yield* auth.signUp(provider.identifier, data)
    if (!user.isActive) yield* activate(provider, user.identifier)
    const { userIdentifier } = yield* auth.auth(provider.identifier, yield* form.encodeSignIn(values))
    yield* Console.log(`Welcome. You are signed in as ${userIdentifier}.`)
  })
).pipe(Command.withDescription("Sign up, enter the code, and sign in"))

const whoami = Command.make("whoami", {}, () =>
  Users.Users.use((users) => users.getUser()).pipe(
    Effect.flatMap((user) => Console.log(user.identifier)),
    Effect.catchTag(["NotAuthenticated", "TokenExpired"], () => Console.log("Nobody is signed in."))
  )
).pipe(Command.withDescription("Say who is signed in"))

const signOut = Command.make("sign-out", {}, () =>
  AuthProvider.AuthProvider.use((auth) => auth.logout()).pipe(
    Effect.flatMap(({ revoked }) => Console.log(revoked ? "Signed out." : "Signed out on this machine."))
  )
).pipe(Command.withDescription("Sign out, here and on the server"))

const Storage = Layer.unwrap(
  Effect.map(
    Config.NonEmptyString("SESSION_DIR").pipe(Config.withDefault(join(homedir(), ".oneentry-example"))),
    FileTokenStorage.layer
  )
)

const Project = Layer.unwrap(
  Effect.gen(function* () {
    const url = yield* Config.option(Config.NonEmptyString("ONEENTRY_URL"))
    return OneEntry.layer(Option.isSome(url) ? yield* OneEntry.config : yield* Trial.options)
  })
)

const Services = Project.pipe(Layer.provide([Storage, FetchClient.layer]), Layer.provideMerge(NodeServices.layer))

Command.make("oneentry-example").pipe(
  Command.withSubcommands([signUp, whoami, signOut]),
  Command.run({ version: "1.0.0" }),
  Effect.provide(Services),
  NodeRuntime.runMain
)
