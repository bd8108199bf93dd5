import { assert, describe, it } from "@effect/vitest"
import { DeviceMetadata } from "effect-oneentry"
import { lifetimeOf, readClaims } from "../../src/internal/jwt.ts"
import * as Stored from "../../src/internal/storedSession.ts"
import { jwt } from "../helpers/session.ts"

const device = Stored.toDevice(DeviceMetadata.make({ fingerprint: "f" }))
const at = 1_790_000_000_000

const make = (
  claims: object | string,
  options?: Partial<Parameters<typeof Stored.fromPair>[0]>
): Stored.StoredSession =>
  Stored.fromPair({
    pair: {
      accessToken: typeof claims === "string" ? claims : jwt(claims),
      refreshToken: "r",
      userIdentifier: "ann"
    },
    marker: "email",
    device,
    sentAt: at - 1_000,
    receivedAt: at + 1_000,
    serverDate: undefined,
    ...options
  })

const hour = (iat: number) => ({ iat, exp: iat + 3_600 })

describe("claims", () => {
  it("are own keys of an object, and nothing else", () => {
    const claims = readClaims(`a.${Buffer.from(`{"__proto__":{"iat":1},"sub":"x"}`).toString("base64url")}.c`)
    assert.isUndefined(claims.iat)
    assert.deepStrictEqual(
      claims.entries().map(([key]) => key),
      ["__proto__", "sub"]
    )
    assert.isUndefined(Reflect.get({}, "iat"))
    for (const token of ["", "a", "a.b", "a.b.c.d", "a.e30.", "..", `a.${"x".repeat(20_000)}.c`]) {
      assert.strictEqual(readClaims(token).entries().length, 0)
    }
  })

  it("give a lifetime only where it makes sense", () => {
    const life = (claims: object, serverDate?: number) => lifetimeOf(readClaims(jwt(claims)), serverDate)
    assert.strictEqual(life({ iat: 10, exp: 20 }), 10_000)
    assert.strictEqual(life({ iat: 10, exp: 20 }, 0), 10_000)
    assert.strictEqual(life({ exp: 20 }, 15_000), 5_000)
    assert.isNull(life({ exp: 20 }))
    assert.isNull(life({ iat: 20 }))
    assert.isNull(life({ iat: 20, exp: 20 }))
    assert.isNull(life({ iat: 20, exp: 10 }))
    assert.isNull(life({ iat: 0, exp: 1e12 }))
    assert.isNull(life({ iat: "0", exp: "20" }))
  })
})

describe("a session", () => {
  it("goes through its envelope and back", () => {
    for (const session of [make(hour(at / 1000)), make("opaque"), make(hour(1), { adopted: true })]) {
      for (const one of [
        session,
        Stored.withDoubt(session, { exchangeStartedAt: 7, rejected: false }),
        Stored.withDoubt(session, { exchangeStartedAt: 7, rejected: true })
      ]) {
        assert.deepStrictEqual(Stored.decode(Stored.encode(one)), { _tag: "Session", session: one })
      }
      const marked = Stored.withDoubt(session, { exchangeStartedAt: 7, rejected: true })
      assert.strictEqual(
        Stored.encode(Stored.withDoubt(marked, { exchangeStartedAt: undefined, rejected: false })),
        Stored.encode(session)
      )
    }
    assert.strictEqual(make("x").device.fingerprint, "f")
  })

  it("knows the server's clock at the middle of the exchange, where anything says so", () => {
    assert.strictEqual(make(hour(at / 1000)).clockOffset, 500)
    assert.strictEqual(make(hour(at / 1000 + 86_400)).clockOffset, 86_400_500)
    assert.strictEqual(make("opaque", { serverDate: at + 5_000 }).clockOffset, 5_000)
    assert.isNull(make("opaque").clockOffset)
    assert.isNull(make(hour(at / 1000), { adopted: true }).clockOffset)
    // Asleep, or set in between.
    assert.isNull(make(hour(at / 1000), { sentAt: at - 3_600_000 }).clockOffset)
    assert.isNull(make(hour(at / 1000), { sentAt: at + 3_600_000 }).clockOffset)
  })

  it("counts life from receipt", () => {
    const session = make(hour(at / 1000 + 86_400))
    const after = (seconds: number, margin = 30_000, offset: number | null = null) =>
      Stored.freshness(session, session.receivedAt + seconds * 1000, margin, offset)
    assert.strictEqual(after(0), "fresh")
    assert.strictEqual(after(3_569), "fresh")
    assert.strictEqual(after(3_570), "due")
    assert.strictEqual(after(3_599), "due")
    assert.strictEqual(after(3_600), "expired")
    assert.strictEqual(after(3_239, 3_600_000), "fresh")
    assert.strictEqual(after(3_240, 3_600_000), "due")
    assert.strictEqual(after(-60), "fresh")
    assert.strictEqual(after(-61), "distrusted")
    // A device whose clock was set back by a day since, and which has learned so.
    assert.strictEqual(after(600 - 86_400, 30_000, (session.clockOffset ?? 0) + 86_400_000), "fresh")
    assert.strictEqual(after(3_600 - 86_400, 30_000, (session.clockOffset ?? 0) + 86_400_000), "expired")
    assert.strictEqual(Stored.freshness(make("opaque"), at + 1e12, 30_000, null), "fresh")
    assert.strictEqual(Stored.freshness(make(""), at, 30_000, null), "expired")
    assert.deepStrictEqual(Stored.remaining(session, session.receivedAt + 600_000, 30_000, null), {
      due: 2_970_000,
      end: 3_000_000
    })
    assert.isUndefined(Stored.remaining(make("opaque"), at, 0, null))
  })

  it("is somebody's, as far as it says whose", () => {
    const ann = make("x")
    const unknown = make("x", { pair: { accessToken: "x", refreshToken: "r", userIdentifier: undefined } })
    const bob = make("x", { pair: { accessToken: "x", refreshToken: "r", userIdentifier: "bob" } })
    assert.isTrue(Stored.sameOwner(ann, ann))
    assert.isTrue(Stored.sameOwner(ann, unknown))
    assert.isFalse(Stored.sameOwner(ann, bob))
    assert.isFalse(Stored.sameOwner(ann, { ...ann, marker: "phone" }))
  })

  it("holds a refresh token", () => {
    assert.isTrue(Stored.holds(Stored.encode(make("x")), "r"))
    assert.isFalse(Stored.holds(Stored.encode(make("x")), "q"))
    assert.isFalse(Stored.holds(Stored.encode(make("x")), undefined))
    assert.isFalse(Stored.holds("r", "r"))
    assert.isFalse(Stored.holds(undefined, "r"))
  })
})
