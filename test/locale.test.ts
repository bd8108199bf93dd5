import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import * as Locale from "../src/internal/locale.ts"

const Info = Schema.Struct({ title: Schema.String, en: Schema.optionalKey(Schema.String) })
const infos = Schema.decodeUnknownEffect(Locale.localized(Info, "object"))
const lists = Schema.decodeUnknownEffect(Locale.localized(Schema.Array(Schema.Int), "array"))
const words = Schema.decodeUnknownEffect(Locale.localized(Schema.String, "scalar"))

describe("localized", () => {
  it.effect("unwraps the language of the call", () =>
    Effect.gen(function* () {
      const decoded = yield* infos({ en_US: { title: "E-mail" }, de_DE: { title: "E-Mail-Adresse" } })
      assert.deepStrictEqual(Locale.unwrap(decoded, "de_DE"), { title: "E-Mail-Adresse" })
      assert.deepStrictEqual(Locale.unwrap(decoded, "en_US"), { title: "E-mail" })
    })
  )

  it.effect("falls back to the first language, and to undefined where there is none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(Locale.unwrap(yield* infos({ ru_RU: { title: "Почта" } }), "en_US"), { title: "Почта" })
      assert.isUndefined(Locale.unwrap(yield* lists({}), "en_US"))
      assert.deepStrictEqual(Locale.unwrapOr(yield* lists({}), "en_US", []), [])
    })
  )

  it.effect("a language that is null counts as absent", () =>
    Effect.gen(function* () {
      const decoded = yield* infos({ en_US: null, de_DE: { title: "Name" } })
      assert.deepStrictEqual(Locale.unwrap(decoded, "en_US"), { title: "Name" })
    })
  )

  it.effect("passes what is unwrapped already", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(Locale.unwrap(yield* infos({ title: "x" }), "en_US"), { title: "x" })
      assert.deepStrictEqual(Locale.unwrap(yield* lists([1, 2]), "en_US"), [1, 2])
      assert.strictEqual(Locale.unwrap(yield* words("thanks"), "en_US"), "thanks")
      assert.strictEqual(Locale.unwrap(yield* words({ en_US: "thanks", de_DE: "danke" }), "de_DE"), "danke")
    })
  )

  it.effect("a key that merely looks like a language does not collapse its object", () =>
    Effect.gen(function* () {
      // The official SDK replaces any object that owns the key of the client's language.
      assert.deepStrictEqual(Locale.unwrap(yield* infos({ title: "x", en: "y" }), "en"), { title: "x", en: "y" })
      const inner = Schema.decodeUnknownEffect(
        Locale.localized(Schema.Struct({ title: Schema.String, settings: Schema.Unknown }), "object")
      )
      const decoded = yield* inner({ title: "x", settings: { en_US: { a: 1 } } })
      assert.deepStrictEqual(Locale.unwrap(decoded, "en_US"), { title: "x", settings: { en_US: { a: 1 } } })
    })
  )

  it.effect("keys that are no languages make no locale map", () =>
    Effect.gen(function* () {
      assert.isTrue(Result.isFailure(yield* Effect.result(lists({ markers: [1] }))))
      assert.isTrue(Result.isFailure(yield* Effect.result(words({ message: "x" }))))
      assert.isTrue(Result.isFailure(yield* Effect.result(lists({ en_US: ["no number"] }))))
    })
  )

  it.effect("hostile keys are harmless", () =>
    Effect.gen(function* () {
      const hostile: unknown = JSON.parse(`{"__proto__":[1],"en_US":[2]}`)
      assert.isTrue(Result.isFailure(yield* Effect.result(lists(hostile))))
      const decoded = yield* infos(JSON.parse(`{"title":"x","__proto__":{"polluted":true},"constructor":1}`))
      assert.deepStrictEqual(Locale.unwrap(decoded, "__proto__"), { title: "x" })
      assert.isFalse("polluted" in {})
      assert.deepStrictEqual(Locale.unwrap(yield* lists({ en_US: [1] }), "constructor"), [1])
    })
  )

  it.effect.prop(
    "every language of a map is found again, and encodes back",
    {
      map: Schema.Record(Schema.Literals(["en_US", "de_DE", "ru_RU", "en", "zh-Hant-TW"]), Schema.Array(Schema.Int))
    },
    ({ map }) =>
      Effect.gen(function* () {
        const schema = Locale.localized(Schema.Array(Schema.Int), "array")
        const decoded = yield* Schema.decodeEffect(schema)(map)
        for (const [language, list] of Object.entries(map))
          assert.deepStrictEqual(Locale.unwrap(decoded, language), list)
        assert.deepStrictEqual(yield* Schema.encodeEffect(schema)(decoded), map)
      })
  )
})
