import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { FetchClient, Forms } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { project, sentBy } from "./helpers/content.ts"
import { failsWith, inProcess, overHttp } from "./helpers/scenario.ts"

const here = inProcess(undefined, { project })

const markers = (project.forms ?? []).map((form) => form.identifier)

const everything = Effect.gen(function* () {
  const forms = yield* Forms.Forms
  const page = yield* forms.getAllForms({ offset: 2, limit: 2, langCode: "de_DE" })
  assert.deepStrictEqual(
    page.items.map((form) => form.identifier),
    markers.slice(2, 4)
  )
  assert.strictEqual(page.total, markers.length)
  const form = yield* forms.getFormByMarker("contact_us")
  assert.strictEqual(form.localizeInfos.title, "Contact")
  assert.deepStrictEqual(
    form.attributes.map(({ marker, type }) => [marker, type]),
    [
      ["name", "string"],
      ["mail", "string"],
      ["day", "date"],
      ["cv", "file"],
      ["photo", "image"],
      ["send", "button"]
    ]
  )
  const { result, sent } = yield* sentBy(Stream.runCollect(forms.streamForms({ pageSize: 3 })))
  assert.deepStrictEqual(
    result.map((one) => one.identifier),
    markers
  )
  assert.lengthOf(sent, Math.ceil(markers.length / 3))
})

describe("Forms", () => {
  it.effect("every operation without a socket", () => everything.pipe(Effect.provide(here)))
  it.effect("over HTTP, by Effect's client", () =>
    everything.pipe(Effect.provide(overHttp(FetchHttpClient.layer, undefined, { project })))
  )
  it.effect("over HTTP, by our own", () =>
    everything.pipe(Effect.provide(overHttp(FetchClient.layer, undefined, { project })))
  )

  it.effect("the layer of the module alone needs no storage", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const form = yield* Forms.Forms.use((forms) => forms.getFormByMarker("reg")).pipe(
        Effect.provide(Forms.layer({ url: emulator.url, appToken: emulator.appToken }))
      )
      assert.strictEqual(form.identifier, "reg")
    }).pipe(Effect.provide(Emulator.layerClient({ passwordCost: 1, project })))
  )

  it.effect("a form without attributes has none, and an unknown one is not found", () =>
    Effect.gen(function* () {
      const forms = yield* Forms.Forms
      assert.deepStrictEqual((yield* forms.getFormByMarker("blank")).attributes, [])
      const error = yield* failsWith(forms.getFormByMarker("typo"), "FormNotFound")
      assert(error._tag === "FormNotFound" && error.marker === "typo")
      const { sent } = yield* sentBy(failsWith(forms.getFormByMarker(""), "OneEntryError/InvalidRequest"))
      assert.deepStrictEqual(sent, [])
    }).pipe(Effect.provide(here))
  )

  it.effect("the stream takes no page more than it is asked for, and fails as a page does", () =>
    Effect.gen(function* () {
      const forms = yield* Forms.Forms
      const emulator = yield* Emulator.Emulator
      const { result, sent } = yield* sentBy(Stream.runCollect(Stream.take(forms.streamForms({ pageSize: 2 }), 2)))
      assert.deepStrictEqual([result.length, sent.length], [2, 1])
      yield* emulator.faults.add({ kind: "status", operation: "getAllForms", status: 403 })
      yield* failsWith(Stream.runCollect(forms.streamForms()), "OneEntryError/PermissionDenied")
    }).pipe(Effect.provide(here))
  )
})
