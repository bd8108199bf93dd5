import { assert, describe, it } from "@effect/vitest"
import { Exit, Schema } from "effect"
import * as AuthSchema from "effect-oneentry/AuthSchema"

const field = { marker: "name_reg", type: "string", value: "Ann" }

const profile = {
  id: 8,
  identifier: "ann@example.com",
  authProviderIdentifier: "email",
  formIdentifier: "reg",
  formData: [field],
  groups: [1, "vip"],
  state: { seen: true },
  rating: { value: 4 },
  moduleFormConfigs: [{ id: 1 }],
  notificationData: { email: "ann@example.com", phonePush: ["token"], phoneSMS: null },
  locale: "en_US",
  total: "1"
}

/** What servers might answer in any place. */
const values: ReadonlyArray<unknown> = [
  undefined,
  null,
  true,
  0,
  -1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "",
  "12",
  "text",
  [],
  [1, "a"],
  [Number.NaN],
  ["a", null],
  [field],
  [{ type: "string" }],
  {},
  { en_US: [field] },
  { en_US: null },
  { en_US: [{}] },
  { email: 1 },
  { email: "a@b.c", phonePush: "token" },
  { phonePush: [1] },
  { phonePush: 7, phoneSMS: "+100" },
  { phoneSMS: {} }
]

const bySchema = Schema.decodeUnknownExit(AuthSchema.UserWire)

describe("a profile", () => {
  it("is accepted by the check written by hand exactly where its schema accepts it", () => {
    let accepted = 0
    let refused = 0
    const compare = (body: unknown) => {
      const exit = bySchema(body)
      assert.strictEqual(AuthSchema.isUserWire(body), Exit.isSuccess(exit), JSON.stringify(body))
      if (!AuthSchema.isUserWire(body) || Exit.isFailure(exit)) {
        refused++
        return
      }
      accepted++
      assert.deepStrictEqual(AuthSchema.toUser(body, "en_US"), AuthSchema.toUser(exit.value, "en_US"))
    }
    compare(profile)
    for (const value of values) {
      compare(value)
      for (const key of Object.keys(profile)) compare({ ...profile, [key]: value })
    }
    for (const key of Object.keys(profile)) {
      compare(Object.fromEntries(Object.entries(profile).filter(([other]) => other !== key)))
    }
    assert.isAbove(accepted, 50)
    assert.isAbove(refused, 100)
  })

  it("that is none is told apart by the schema, which names the place", () => {
    const exit = AuthSchema.decodeUser({ ...profile, identifier: 5 })
    assert.isTrue(Exit.isFailure(exit))
    assert.match(String(exit), /identifier/)
  })
})
