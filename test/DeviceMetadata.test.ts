import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import * as DeviceMetadata from "effect-oneentry/DeviceMetadata"
import { inspect } from "node:util"

describe("DeviceMetadata", () => {
  it.effect("is absent by default, and provided for everything below a layer or for one call", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* DeviceMetadata.DeviceMetadata)
      const kiosk = DeviceMetadata.make({ fingerprint: "kiosk-17" })
      assert.strictEqual(
        yield* Effect.provide(
          Effect.map(DeviceMetadata.DeviceMetadata, (d) => d),
          DeviceMetadata.layer(kiosk)
        ),
        kiosk
      )
      assert.strictEqual(
        yield* Effect.provideService(
          Effect.map(DeviceMetadata.DeviceMetadata, (d) => d),
          DeviceMetadata.DeviceMetadata,
          kiosk
        ),
        kiosk
      )
    })
  )

  it("makes 128 random bits, another each time", () => {
    const prints = Array.from({ length: 100 }, () => Redacted.value(DeviceMetadata.make().fingerprint))
    assert.strictEqual(new Set(prints).size, 100)
    for (const print of prints) assert.match(print, /^[\w-]{22}$/)
  })

  it("takes what it is given", () => {
    const metadata = DeviceMetadata.make({
      fingerprint: Redacted.make("device"),
      os: "Linux",
      browser: "Firefox/141",
      location: "de-DE"
    })
    assert.strictEqual(Redacted.value(metadata.fingerprint), "device")
    assert.deepStrictEqual(metadata.deviceInfo, { os: "Linux", browser: "Firefox/141", location: "de-DE" })
  })

  it("does not show the fingerprint", () => {
    const metadata = DeviceMetadata.make({ fingerprint: "CANARY" })
    assert.isFalse(`${JSON.stringify(metadata)}${inspect(metadata, { depth: 9 })}`.includes("CANARY"))
  })

  it.effect("goes to storage and back", () =>
    Effect.gen(function* () {
      const metadata = DeviceMetadata.make({ fingerprint: "device" })
      const encoded = yield* Schema.encodeEffect(DeviceMetadata.Metadata)(metadata)
      assert.strictEqual(encoded.fingerprint, "device")
      const decoded = yield* Schema.decodeEffect(DeviceMetadata.Metadata)(encoded)
      assert.strictEqual(Redacted.value(decoded.fingerprint), "device")
      assert.deepStrictEqual(decoded.deviceInfo, metadata.deviceInfo)
    })
  )
})
