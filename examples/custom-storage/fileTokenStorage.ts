/**
 * Sessions in files, for programs on somebody's own machine: one file a slot, readable by its owner only, written beside
 * and renamed into place, so that a crash leaves the old pair or the new one and never a half.
 */
import { Effect, FileSystem, Layer, Path } from "effect"
import { TokenStorage } from "effect-oneentry"
import { createHash, randomUUID } from "node:crypto"

const isMissing = (error: { readonly reason: { readonly _tag: string } }) => error.reason._tag === "NotFound"

export const layer = (
  directory: string
): Layer.Layer<TokenStorage.TokenStorage, TokenStorage.TokenStorageError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    TokenStorage.TokenStorage,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path

      // A slot's name may be anything; a file's may not.
      const fileOf = (slot: string) => path.join(directory, createHash("sha256").update(slot).digest("hex"))
      const failed = (operation: TokenStorage.TokenStorageError["operation"], slot: string) =>
        Effect.mapError((cause) => new TokenStorage.TokenStorageError({ operation, slot, cause }))

      yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 }).pipe(failed("get", "*"))

      return TokenStorage.make({
        get: (slot) =>
          fs.readFileString(fileOf(slot)).pipe(
            Effect.catchIf(isMissing, () => Effect.undefined),
            failed("get", slot)
          ),
        set: (slot, value) =>
          Effect.gen(function* () {
            const temporary = `${fileOf(slot)}.${randomUUID()}`
            yield* Effect.gen(function* () {
              const file = yield* fs.open(temporary, { flag: "wx", mode: 0o600 })
              yield* file.writeAll(new TextEncoder().encode(value))
              yield* file.sync
            }).pipe(
              Effect.scoped,
              Effect.andThen(fs.rename(temporary, fileOf(slot))),
              Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
            )
          }).pipe(Effect.uninterruptible, failed("set", slot)),
        remove: (slot) => fs.remove(fileOf(slot), { force: true }).pipe(failed("remove", slot))
      })
    })
  )
