import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import { Effect, FileSystem, Redacted } from "effect"
import { emulator, program } from "../support.ts"

it.live("sign up by answering questions; the next command knows who it is", () =>
  Effect.gen(function* () {
    const { appToken, awaitCode, url } = yield* emulator()
    const directory = yield* FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped())
    const env = { ONEENTRY_URL: url, ONEENTRY_TOKEN: Redacted.value(appToken), SESSION_DIR: directory }
    const run = (command: string) => program("cli/main.ts", env, [command])

    const signUp = yield* run("sign-up")
    const answer = Effect.fnUntraced(function* (question: string, text: string) {
      yield* signUp.says(`? ${question}`)
      yield* signUp.type(`${text}\n`)
    })
    yield* answer("E-mail", "eve")
    yield* answer("Name", "Eve")
    yield* answer("Phone", "+18007986545")
    yield* answer("Password", "correct horse")
    yield* answer("email for notification", "")
    // What the form does not take is asked again, and nothing else.
    yield* signUp.says("! E-mail: ")
    yield* answer("E-mail", "eve@example.com")
    yield* answer("The code", "AAAAAA")
    yield* signUp.says("! That is another code")
    yield* answer("The code", (yield* awaitCode("eve@example.com")).toLowerCase())
    const { code, output } = yield* signUp.exit
    assert.strictEqual(code, 0, output)
    assert.include(output, "You are signed in as eve@example.com.")
    assert.notInclude(output, "correct horse")

    assert.include((yield* (yield* run("whoami")).exit).output, "eve@example.com")
    assert.include((yield* (yield* run("sign-out")).exit).output, "Signed out.")
    assert.include((yield* (yield* run("whoami")).exit).output, "Nobody is signed in.")
  }).pipe(Effect.provide(NodeServices.layer))
)

it.live("without a project it is a trial", () =>
  Effect.gen(function* () {
    const directory = yield* FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped())
    const signUp = yield* program("cli/main.ts", { ONEENTRY_URL: "", SESSION_DIR: directory }, ["sign-up"])
    for (const [question, text] of [
      ["E-mail", "eve@example.com"],
      ["Name", "Eve"],
      ["Phone", "+18007986545"],
      ["Password", "correct horse"],
      ["email for notification", ""]
    ]) {
      yield* signUp.says(`? ${question}`)
      yield* signUp.type(`${text}\n`)
    }
    yield* signUp.says("(mail to eve@example.com: your code is ")
    yield* signUp.says("? The code")
    const code = /your code is (\w+)/.exec(signUp.output())?.[1] ?? ""
    yield* signUp.type(`${code}\n`)
    assert.include((yield* signUp.exit).output, "You are signed in as eve@example.com.")
  }).pipe(Effect.provide(NodeServices.layer))
)
