import { assert, describe, it } from "@effect/vitest"
import { createRequire } from "node:module"
import { normalize, normalizeForm, type Options } from "../../src/promise/internal/normalize.ts"

interface Official {
  _normalizeData: (data: unknown, langCode: string) => unknown
  _dataPostProcess: (data: unknown, langCode: string) => unknown
}

// The official SDK's own normaliser, which it does not export.
const require = createRequire(import.meta.url)
const SyncModules = require("oneentry/dist/base/syncModules.js").default
const official = (rawData = false): Official => new SyncModules({ url: "", lang: "en_US", rawData })

const options: Options = { langCodes: ["en_US"], rawData: false }
const copy = <A>(value: A): A => JSON.parse(JSON.stringify(value))

/** Both, each on a copy of its own: the official one changes what it is given. */
const same = (data: unknown, rawData = false) => {
  assert.deepStrictEqual(
    normalize(copy(data), { ...options, rawData }),
    official(rawData)._normalizeData(copy(data), "en_US")
  )
  assert.deepStrictEqual(
    normalizeForm(copy(data), { ...options, rawData }),
    official(rawData)._dataPostProcess(copy(data), "en_US")
  )
}

const attribute = (rest: object) => ({
  marker: "m",
  position: 1,
  isVisible: true,
  settings: {},
  listTitles: [],
  validators: {},
  localizeInfos: { en_US: { title: "M" } },
  additionalFields: [
    { marker: "hint", type: "string", value: "h" },
    { marker: "type", type: "string", value: "password" }
  ],
  isLogin: null,
  isPassword: null,
  isSignUp: true,
  isNotificationEmail: null,
  isNotificationPhoneSMS: null,
  isNotificationPhonePush: null,
  ...rest
})

const form = (attributes: unknown) => ({
  id: 4,
  identifier: "reg",
  type: "sing_in_up",
  localizeInfos: { en_US: { title: "Registration" }, de_DE: { title: "Anmeldung" } },
  attributes
})

const schedule = (rest: object) => ({
  id: "c6466cd8-c55d-4583-97c5-42b684210f12",
  range: ["2025-03-03T00:00:00.000Z", "2025-03-05T00:00:00.000Z"],
  intervals: [
    { id: "1", start: { hours: 9, minutes: 30 }, end: { hours: 12, minutes: 0 }, period: 45 },
    { id: "2", start: { hours: 22, minutes: 0 }, end: { hours: 23, minutes: 59 }, period: 60 }
  ],
  ...rest
})

describe("the official SDK's normalisation", () => {
  it("unwraps locale maps, wherever they stand", () => {
    same({ id: 1, localizeInfos: { en_US: { title: "Email" } }, formData: { en_US: [{ marker: "a", value: 1 }] } })
    same([{ localizeInfos: { en_US: { title: "a" } } }, { localizeInfos: { de_DE: { title: "b" } } }])
    same({ deep: { deeper: [{ x: { en_US: [1, 2] } }] }, null: null, zero: 0, empty: "", flag: false })
    for (const scalar of [null, true, 1, "text", []]) same(scalar)
  })

  it("leaves a language that there is none of wrapped", () => {
    same({ localizeInfos: { de_DE: { title: "b" } } })
  })

  it("puts the attributes of a form in order, in an array or by name", () => {
    same(form([attribute({ type: "string" }), attribute({ type: "integer" }), attribute({ type: "list" })]))
    same(form({ one: attribute({ type: "string" }), two: attribute({ type: "integer" }) }))
    same(form({ en_US: [attribute({ type: "string" })] }))
    same(form({}))
    same(form([]))
    same(form([attribute({ type: "string" })]), true)
  })

  it("reads numbers of single attributes", () => {
    for (const value of ["12", "1.5", "x", "", null, 7, "  "]) {
      same({ type: "integer", marker: "a", value })
      same({ type: "float", marker: "a", value })
      same({ type: "real", marker: "a", value })
    }
    same({ type: "integer", isLogin: null, isPassword: null })
  })

  it("sorts attribute values, and takes a lone image out of its array", () => {
    same({
      attributeValues: {
        en_US: {
          c: { type: "image", position: 3, value: [{ filename: "a" }] },
          a: { type: "integer", position: 1, value: "5", additionalFields: [{ marker: "x" }] },
          b: { type: "image", position: 2, value: [{ filename: "a" }, { filename: "b" }] }
        }
      }
    })
    same({
      attributeValues: {
        b: { type: "string", position: 2, value: "b" },
        a: { type: "string", position: 1, value: "a" }
      }
    })
  })

  it("expands the intervals of forms: weekly, monthly, both, neither, one day or a range", () => {
    for (const inEveryWeek of [true, false, undefined]) {
      for (const inEveryMonth of [true, false, null]) {
        const range = ["2025-01-31T00:00:00.000Z", "2025-01-31T00:00:00.000Z"]
        const intervals = [schedule({ inEveryWeek, inEveryMonth }), schedule({ inEveryWeek, inEveryMonth, range })]
        same(form([attribute({ type: "timeInterval", localizeInfos: { en_US: { title: "When", intervals } } })]))
        same(form([attribute({ type: "timeInterval", localizeInfos: { title: "When", intervals } })]))
      }
    }
    same(form([attribute({ type: "timeInterval", localizeInfos: { en_US: { intervals: [{ intervals: null }] } } })]))
    same(form([attribute({ type: "timeInterval", localizeInfos: { en_US: { intervals: [] } } })]))
  })

  it("expands the schedules of attribute values", () => {
    for (const inEveryWeek of [true, false]) {
      for (const inEveryMonth of [true, false]) {
        const values = [
          {
            id: "1",
            dates: ["2025-05-07T00:00:00.000Z", "2025-05-09T00:00:00.000Z"],
            times: [
              [
                { hours: 9, minutes: 0 },
                { hours: 17, minutes: 30 }
              ],
              [
                { hours: 1, minutes: 5 },
                { hours: 2, minutes: 0 }
              ]
            ],
            inEveryWeek,
            inEveryMonth
          },
          {
            id: "2",
            dates: ["2025-05-07T00:00:00.000Z", "2025-05-07T00:00:00.000Z"],
            times: [],
            inEveryWeek,
            inEveryMonth
          }
        ]
        same({
          attributeValues: { en_US: { t: { type: "timeInterval", position: 1, value: [{ values }, null, {}] } } }
        })
        same({ type: "timeInterval", value: [{ values }] })
      }
    }
  })

  it("of any JSON that does not make the original throw", () => {
    // The same two thousand values on every run.
    let seed = 1
    const below = (n: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((seed / 2 ** 32) * n)
    }
    const keys = [
      "en_US",
      "de_DE",
      "title",
      "type",
      "value",
      "marker",
      "attributes",
      "attributeValues",
      "isLogin",
      "formData"
    ]
    const leaves = ["integer", "float", "string", "image", "12", "", null, true, 0, 7]
    const attributeOf = (depth: number): unknown => ({
      type: leaves[below(4)],
      position: below(9),
      value: json(depth),
      additionalFields: [{ marker: "a" }, { marker: "b" }].slice(below(3))
    })
    // Of other shapes than these two the original makes records of indices.
    const member = (key: string | undefined, depth: number): unknown => {
      if (key === "attributes") return Array.from({ length: below(3) }, () => attributeOf(depth))
      return key === "attributeValues"
        ? Object.fromEntries(["x", "y", "z"].slice(below(4)).map((name) => [name, attributeOf(depth)]))
        : json(depth)
    }
    const json = (depth: number): unknown => {
      switch (depth === 0 ? 0 : below(3)) {
        case 0:
          return leaves[below(leaves.length)]
        case 1:
          return Array.from({ length: below(4) }, () => json(depth - 1))
        default:
          return Object.fromEntries(
            Array.from({ length: below(5) }, () => {
              const key = keys[below(keys.length)]
              return [key, member(key, depth - 1)]
            })
          )
      }
    }
    let compared = 0
    for (let run = 0; run < 2_000; run++) {
      const data = json(6)
      try {
        official()._dataPostProcess(copy(data), "en_US")
      } catch {
        normalizeForm(data, options)
        continue
      }
      same(data)
      compared++
    }
    assert.isAbove(compared, 1_000)
  })
})

describe("where it is our own", () => {
  it("leaves the application's state as it is stored", () => {
    const state = { en_US: 5, type: "integer", value: "7", nested: { en_US: { a: 1 } } }
    assert.deepStrictEqual(normalize({ state }, options), { state })
    assert.notDeepEqual(official()._normalizeData({ state: copy(state) }, "en_US"), { state })
  })

  it("falls back to the language of the client where there is no text in that of the call", () => {
    const data = { localizeInfos: { en_US: { title: "a" } }, formData: { de_DE: [1], en_US: [2] } }
    assert.deepStrictEqual(normalize(data, { ...options, langCodes: ["de_DE", "en_US"] }), {
      localizeInfos: { title: "a" },
      formData: [1]
    })
  })

  it("throws at nothing, and ends", () => {
    const odd: ReadonlyArray<unknown> = [
      { attributes: null },
      { attributes: [null, 1, "x"] },
      { attributeValues: null },
      { attributeValues: { a: null, b: { type: "image", value: null } } },
      { type: "string", additionalFields: [null, 3] },
      { type: "timeInterval", value: [{ values: [null, {}, { dates: ["x", "y"] }] }] },
      form([
        attribute({
          type: "timeInterval",
          localizeInfos: { intervals: [schedule({ range: [] }), schedule({ range: undefined })] }
        })
      ]),
      form([
        attribute({
          type: "timeInterval",
          localizeInfos: {
            intervals: [
              schedule({
                inEveryWeek: true,
                intervals: [{ start: { hours: 0, minutes: 0 }, end: { hours: 9, minutes: 0 }, period: 0 }]
              }),
              schedule({
                inEveryWeek: true,
                range: ["0001-01-01T00:00:00.000Z", "9999-01-01T00:00:00.000Z"],
                intervals: []
              })
            ]
          }
        })
      ])
    ]
    for (const data of odd) normalizeForm(data, options)
  })

  it("changes no prototype", () => {
    const hostile = JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"en_US":1}}}')
    const result = Object(normalize(hostile, options))
    assert.isUndefined(Object.getPrototypeOf(result).polluted)
    assert.deepStrictEqual(Object.keys(result), ["__proto__", "a"])
  })

  it("changes nothing that it is given", () => {
    const data = form([
      attribute({ type: "timeInterval", localizeInfos: { en_US: { intervals: [schedule({ inEveryWeek: true })] } } })
    ])
    const before = copy(data)
    normalizeForm(data, options)
    assert.deepStrictEqual(data, before)
  })
})
