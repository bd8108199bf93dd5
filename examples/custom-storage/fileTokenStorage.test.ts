/** The conformance suite of `effect-oneentry/testing`, and a sign-in that outlives its process. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Option } from "effect"
import { AuthProvider, FetchClient, OneEntry, Session } from "effect-oneentry"
import { TokenStorageSuite } from "effect-oneentry/testing"
import { emulator, signIn } from "../support.ts"
import * as FileTokenStorage from "./fileTokenStorage.ts"

const temporaryDirectory = FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped())

describe("sessions in files", () => {
  TokenStorageSuite.register(
    it,
    Layer.unwrap(Effect.map(temporaryDirectory, FileTokenStorage.layer)).pipe(Layer.provide(NodeServices.layer))
  )

  it.live("the next process is signed in, and nobody else can read the file", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* temporaryDirectory
      const { ann, url, appToken } = yield* emulator()
      // Each a process: nothing is shared but the directory.
      const inProcess = Effect.provide(
        Layer.fresh(
          OneEntry.layer({ url, appToken }).pipe(Layer.provide([FileTokenStorage.layer(directory), FetchClient.layer]))
        ),
        { local: true }
      )
      yield* inProcess(signIn(ann))
      const current = yield* inProcess(Session.Session.use((session) => session.current))
      assert.strictEqual(Option.getOrThrow(current).userIdentifier, ann.login)

      const [file = ""] = yield* fs.readDirectory(directory)
      assert.strictEqual((yield* fs.stat(`${directory}/${file}`)).mode & 0o777, 0o600)

      yield* inProcess(AuthProvider.AuthProvider.use((auth) => auth.logout()))
      assert.deepStrictEqual(yield* fs.readDirectory(directory), [])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
