import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { AuthProvider, FetchClient, TokenStorage } from "effect-oneentry"
import { operationsOf } from "../../scripts/docs-site/operations.ts"
import { Modules } from "../../scripts/lib/exports.ts"
import { root } from "../../scripts/lib/package.ts"

const modules = new Modules(root)
const operations = (modules.exportsOf("src/AuthProvider.ts").get("AuthProvider")?.declarations ?? []).flatMap((one) =>
  operationsOf(modules, one)
)

describe("the reference of a service", () => {
  it.effect("has each of its members", () =>
    Effect.gen(function* () {
      const service = yield* AuthProvider.AuthProvider
      assert.sameMembers(
        operations.map(({ name }) => name),
        Object.keys(service)
      )
    }).pipe(
      Effect.provide(
        AuthProvider.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
          Layer.provide([TokenStorage.layerMemory, FetchClient.layer])
        )
      )
    )
  )

  it("calls the errors of each by their names", () => {
    const errorsOf = (wanted: string) => operations.find(({ name }) => name === wanted)?.errors
    assert.sameMembers(
      [...(errorsOf("checkCode") ?? [])],
      ["CodeAttemptsExceeded", "InvalidCode", "OneEntryError", "ProviderNotFound", "UserNotFound"]
    )
    assert.sameMembers(
      [...(errorsOf("getActiveSessionsByMarker") ?? [])],
      ["NotAuthenticated", "OneEntryError", "SessionLockError", "TokenExpired", "TokenStorageError"]
    )
    for (const { docstring, signature } of operations) {
      assert.notInclude(signature, "Failure")
      assert.notStrictEqual(docstring, "")
    }
  })
})
