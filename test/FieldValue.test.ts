import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Redacted, Result, Schema } from "effect"
import * as FieldValue from "effect-oneentry/FieldValue"
import type * as FormSchema from "effect-oneentry/FormSchema"
import * as seed from "./fixtures/seed1.ts"

const encodeOne = (field: FieldValue.FormField): unknown => Result.getOrThrow(FieldValue.encode([field]))[0]?.value

const issuesOf = <A>(result: Result.Result<A, FormSchema.FormInvalid>): ReadonlyArray<FormSchema.FormIssue> => {
  assert.isTrue(Result.isFailure(result))
  return Result.isFailure(result) ? result.failure.issues : []
}

const issueOf = (field: unknown): FormSchema.FormIssue | undefined => issuesOf(FieldValue.encode([field]))[0]

const deepFreeze = <A>(value: A): A => {
  if (typeof value === "object" && value !== null && !(value instanceof Blob)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}

const stored = { filename: "files/a.png", downloadLink: "https://x.io/a.png", size: 12 }
const query = { type: "page", entity: "editor", id: 3492 }

describe("encoding, type by type", () => {
  it("string, with secrets opened", () => {
    assert.deepStrictEqual(
      Result.getOrThrow(FieldValue.encode([FieldValue.string("a", "x"), FieldValue.string("b", Redacted.make("y"))])),
      [
        { marker: "a", type: "string", value: "x" },
        { marker: "b", type: "string", value: "y" }
      ]
    )
    assert.strictEqual(issueOf({ marker: "a", type: "string", value: 5 })?.marker, "a")
  })

  it("integer", () => {
    assert.strictEqual(encodeOne(FieldValue.integer("a", 5)), 5)
    assert.strictEqual(encodeOne(FieldValue.integer("a", 0)), 0)
    assert.strictEqual(encodeOne(FieldValue.integer("a", " 17 ")), 17)
    assert.strictEqual(encodeOne(FieldValue.integer("a", 12345678901234567890n)), "12345678901234567890")
    assert.strictEqual(encodeOne(FieldValue.integer("a", "12345678901234567890")), "12345678901234567890")
    for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, "1.5", "abc", "0x10", {}, [], true]) {
      assert.strictEqual(issueOf({ marker: "age", type: "integer", value })?.marker, "age", String(value))
    }
  })

  it("float and real", () => {
    assert.strictEqual(encodeOne(FieldValue.float("a", 1.5)), 1.5)
    assert.strictEqual(encodeOne(FieldValue.real("a", "-.5")), -0.5)
    assert.strictEqual(encodeOne(FieldValue.real("a", "0.12345678901234567890")), "0.12345678901234567890")
    for (const value of [Number.NaN, "1,5", "1e99999", "--1", {}]) {
      assert.strictEqual(issueOf({ marker: "w", type: "float", value })?.code, "type")
    }
  })

  it("date, from every notation", () => {
    const expected = { fullDate: "1990-05-07T00:00:00.000Z", formattedValue: "07-05-1990", formatString: "DD-MM-YYYY" }
    assert.deepStrictEqual(encodeOne(FieldValue.date("b", "1990-05-07")), expected)
    assert.deepStrictEqual(encodeOne(FieldValue.date("b", new Date("1990-05-07T00:00:00Z"))), expected)
    assert.deepStrictEqual(encodeOne(FieldValue.date("b", DateTime.makeUnsafe("1990-05-07T00:00:00Z"))), expected)
    assert.deepStrictEqual(encodeOne(FieldValue.date("b", { fullDate: "1990-05-07" })), expected)
    assert.deepStrictEqual(encodeOne(FieldValue.date("b", "1990-05-07", { formatString: "[on] YYYY/M/D" })), {
      fullDate: "1990-05-07T00:00:00.000Z",
      formattedValue: "on 1990/5/7",
      formatString: "[on] YYYY/M/D"
    })
  })

  it("the date of the signUp page passes as it is", () => {
    const value = {
      fullDate: "2024-05-07T21:02:00.000Z",
      formattedValue: "08-05-2024 00:02",
      formatString: "DD-MM-YYYY HH:mm"
    }
    assert.deepStrictEqual(encodeOne({ marker: "birthday", type: "date", value }), value)
  })

  it("dateTime formats in the zone of a zoned DateTime", () => {
    const at = DateTime.makeZonedUnsafe("2024-05-07T21:02:00Z", { timeZone: "Europe/Istanbul" })
    assert.deepStrictEqual(encodeOne(FieldValue.dateTime("t", at)), {
      fullDate: "2024-05-07T21:02:00.000Z",
      formattedValue: "08-05-2024 00:02",
      formatString: "DD-MM-YYYY HH:mm"
    })
  })

  it("time, also as a time of day", () => {
    assert.deepStrictEqual(encodeOne(FieldValue.time("t", "14:30")), {
      fullDate: "1970-01-01T14:30:00.000Z",
      formattedValue: "14:30",
      formatString: "HH:mm"
    })
    assert.deepStrictEqual(encodeOne(FieldValue.time("t", "14:30:15.5", { formatString: "h:mm:ss.SSS a" })), {
      fullDate: "1970-01-01T14:30:15.500Z",
      formattedValue: "2:30:15.500 pm",
      formatString: "h:mm:ss.SSS a"
    })
  })

  it("a date that is none names its marker and the remedy", () => {
    for (const value of [
      "2024-02-31",
      "2023-02-29",
      "2024-13-01",
      "tomorrow",
      "07-05-2024",
      "2024-05-07T25:00",
      "24:00",
      new Date(Number.NaN),
      { fullDate: "x" },
      { formattedValue: "07-05-2024" },
      5,
      true,
      "9".repeat(1_000_000)
    ]) {
      const issue = issueOf({ marker: "birthday", type: "date", value })
      assert.strictEqual(issue?.marker, "birthday")
      assert.include(issue?.message ?? "", "date that exists")
    }
    assert.isDefined(encodeOne(FieldValue.date("b", "2024-02-29")))
  })

  it("text keeps the shape that it was given in", () => {
    assert.deepStrictEqual(encodeOne(FieldValue.text("a", "me")), [{ plainValue: "me" }])
    assert.deepStrictEqual(encodeOne({ marker: "a", type: "text", value: "me" }), [{ plainValue: "me" }])
    assert.deepStrictEqual(encodeOne({ marker: "a", type: "text", value: { htmlValue: "<p>me</p>" } }), {
      htmlValue: "<p>me</p>"
    })
    assert.deepStrictEqual(encodeOne(FieldValue.text("a", { mdValue: "**me**" })), [{ mdValue: "**me**" }])
    assert.include(
      issueOf({ marker: "a", type: "text", value: { htmlValue: "x", plainValue: "y" } })?.message ?? "",
      "exactly one"
    )
    // The old README sent the other keys empty.
    assert.deepStrictEqual(
      encodeOne({ marker: "a", type: "text", value: JSON.parse(`{"htmlValue":"x","plainValue":"","params":{"e":1}}`) }),
      { htmlValue: "x", params: { e: 1 } }
    )
    assert.isDefined(issueOf({ marker: "a", type: "text", value: { header: "h", htmlValue: "x" } }))
    assert.isDefined(issueOf({ marker: "a", type: "text", value: { htmlValue: 5 } }))
  })

  it("textWithHeader", () => {
    assert.deepStrictEqual(encodeOne(FieldValue.textWithHeader("a", "Header", { htmlValue: "<p>me</p>" })), [
      { header: "Header", htmlValue: "<p>me</p>" }
    ])
    assert.deepStrictEqual(
      encodeOne({ marker: "a", type: "textWithHeader", value: { header: "Header", htmlValue: "<p>me</p>" } }),
      { header: "Header", htmlValue: "<p>me</p>" }
    )
    assert.isDefined(issueOf({ marker: "a", type: "textWithHeader", value: { header: "only" } }))
  })

  it("list is always an array, radioButton as given, entity an array of ids", () => {
    assert.deepStrictEqual(encodeOne(FieldValue.list("l", "1")), ["1"])
    assert.deepStrictEqual(encodeOne({ marker: "l", type: "list", value: ["1", "2"] }), ["1", "2"])
    assert.deepStrictEqual(encodeOne({ marker: "l", type: "list", value: 3 }), [3])
    assert.deepStrictEqual(encodeOne({ marker: "l", type: "list", value: [{ title: "Red", value: "1" }] }), [
      { title: "Red", value: "1" }
    ])
    assert.deepStrictEqual(encodeOne(FieldValue.radioButton("r", "1")), ["1"])
    assert.strictEqual(encodeOne({ marker: "r", type: "radioButton", value: "1" }), "1")
    assert.deepStrictEqual(encodeOne(FieldValue.entity("e", [2954, "p-10-2957"])), [2954, "p-10-2957"])
    for (const type of ["list", "radioButton", "entity"]) {
      assert.isDefined(issueOf({ marker: "l", type, value: true }))
      assert.isDefined(issueOf({ marker: "l", type, value: [Number.NaN] }))
    }
  })

  it("timeInterval in UTC", () => {
    const at = DateTime.makeZonedUnsafe("2024-05-07T10:00:00Z", { timeZone: "Europe/Berlin" })
    const expected = [["2024-05-07T10:00:00.000Z", "2024-05-07T11:30:00.000Z"]]
    assert.deepStrictEqual(encodeOne(FieldValue.timeInterval("i", [at, "2024-05-07T13:30:00+02:00"])), expected)
    assert.deepStrictEqual(
      encodeOne(FieldValue.timeInterval("i", [[new Date("2024-05-07T10:00:00Z"), "2024-05-07T11:30:00Z"]])),
      expected
    )
    assert.include(
      issueOf(FieldValue.timeInterval("i", ["2024-05-08", "2024-05-07"]))?.message ?? "",
      "before it starts"
    )
    assert.isDefined(issueOf({ marker: "i", type: "timeInterval", value: [["2024-05-08"]] }))
    assert.isDefined(issueOf({ marker: "i", type: "timeInterval", value: "2024-05-08" }))
  })

  it("stored files lose contentType, which older servers refuse", () => {
    assert.deepStrictEqual(
      encodeOne(FieldValue.image("f", { ...stored, contentType: "image/png", previewLink: "https://x.io/p.png" })),
      [{ ...stored, previewLink: "https://x.io/p.png" }]
    )
    assert.deepStrictEqual(encodeOne(FieldValue.groupOfImages("f", [stored, stored])), [stored, stored])
  })

  it("a file field without a file names the marker and the remedy", () => {
    for (const value of ["a.png", 5, {}, [{}], { filename: "x" }, [stored, "x"], { ...stored, size: -1 }]) {
      const issue = issueOf({ marker: "avatar", type: "image", value })
      assert.strictEqual(issue?.marker, "avatar")
      assert.strictEqual(issue?.code, "file")
      assert.include(issue?.message ?? "", "File or Blob")
    }
    for (const fileQuery of [undefined, {}, { type: "page" }, { type: "page", entity: "editor" }]) {
      const issue = issueOf({ marker: "avatar", type: "image", value: new Blob(["x"]), fileQuery })
      assert.include(issue?.message ?? "", "fileQuery")
    }
  })

  it("new files wait for their upload, in order with stored ones", () => {
    const [a, b] = [new File(["a"], "a.png"), new Blob(["b"])]
    const prepared = Result.getOrThrow(
      FieldValue.prepare([
        FieldValue.string("name", "Ann"),
        FieldValue.image("avatar", [a, stored, b], { ...query, width: 100, compress: true })
      ])
    )
    assert.deepStrictEqual(prepared[0], { _tag: "Ready", field: { marker: "name", type: "string", value: "Ann" } })
    const pending = prepared[1]
    if (pending?._tag !== "Upload") return assert.fail("expected an upload")
    assert.deepStrictEqual(pending.fileQuery, { ...query, width: 100, compress: true })
    assert.deepStrictEqual(FieldValue.newFiles(pending), [a, b])
    const up = (name: string) => ({
      filename: name,
      downloadLink: `https://x.io/${name}`,
      size: 1,
      contentType: "image/png"
    })
    assert.deepStrictEqual(Result.getOrThrow(FieldValue.attach(pending, [up("1"), up("2")])), {
      marker: "avatar",
      type: "image",
      value: [
        { filename: "1", downloadLink: "https://x.io/1", size: 1 },
        stored,
        { filename: "2", downloadLink: "https://x.io/2", size: 1 }
      ]
    })
    assert.strictEqual(issuesOf(FieldValue.attach(pending, [up("1")]))[0]?.marker, "avatar")
    assert.strictEqual(issuesOf(FieldValue.encode([FieldValue.file("doc", a, query)]))[0]?.code, "file")
  })

  it("spam", () => {
    assert.deepStrictEqual(encodeOne(FieldValue.spam("s", Redacted.make("tok"), "key")), {
      event: { token: "tok", siteKey: "key" }
    })
    assert.isDefined(issueOf({ marker: "s", type: "spam", value: { event: { token: "", siteKey: "k" } } }))
    assert.isDefined(issueOf({ marker: "s", type: "spam", value: "tok" }))
  })

  it("json, as text or as a value", () => {
    assert.strictEqual(encodeOne(FieldValue.json("j", `{"a":1}`)), `{"a":1}`)
    assert.deepStrictEqual(encodeOne(FieldValue.json("j", { a: [1, null] })), { a: [1, null] })
    assert.strictEqual(encodeOne(FieldValue.json("j", false)), false)
    const cycle: Record<string, unknown> = {}
    cycle["self"] = cycle
    let deep: unknown = 1
    for (let i = 0; i < 10_000; i++) deep = [deep]
    for (const value of ["{", "{'a':1}", cycle, deep, { f: () => 1 }, new Map(), Number.NaN, 1n, new Date(0)]) {
      const issue = issueOf({ marker: "settings", type: "json", value })
      assert.strictEqual(issue?.marker, "settings")
      assert.include(issue?.message ?? "", "JSON")
    }
  })

  it("button is never sent; an unknown type goes as it is", () => {
    assert.deepStrictEqual(
      Result.getOrThrow(FieldValue.encode([{ marker: "send", type: "button", value: "Send" }])),
      []
    )
    assert.deepStrictEqual(Result.getOrThrow(FieldValue.encode([FieldValue.custom("x", "hologram", { a: 1 })])), [
      { marker: "x", type: "hologram", value: { a: 1 } }
    ])
    assert.deepStrictEqual(Result.getOrThrow(FieldValue.encode([{ marker: "x", type: "email", value: "a@b.cc" }])), [
      { marker: "x", type: "email", value: "a@b.cc" }
    ])
  })
})

describe("rules of encoding", () => {
  it("drops empty values of every type", () => {
    for (const type of FieldValue.types) {
      for (const value of ["", null, undefined]) {
        assert.deepStrictEqual(Result.getOrThrow(FieldValue.encode([{ marker: "m", type, value }])), [], type)
      }
    }
    for (const type of ["text", "textWithHeader", "list", "radioButton", "entity", "timeInterval", "image", "file"]) {
      assert.deepStrictEqual(Result.getOrThrow(FieldValue.encode([{ marker: "m", type, value: [] }])), [], type)
    }
  })

  it("collects every issue, and its error groups them by marker", () => {
    const result = FieldValue.encode([
      { marker: "a", type: "integer", value: "x" },
      { marker: "b", type: "date", value: "x" },
      { marker: "__proto__", type: "json", value: "{" },
      { type: "string", value: "x" },
      { marker: "c", value: "x" },
      null
    ])
    assert.deepStrictEqual(
      issuesOf(result).map(({ marker }) => marker),
      ["a", "b", "__proto__", "", "c", ""]
    )
    if (Result.isSuccess(result)) return assert.fail("expected a failure")
    const { byMarker, message } = result.failure
    assert.strictEqual(byMarker["a"]?.length, 1)
    assert.strictEqual(byMarker["__proto__"]?.length, 1)
    assert.strictEqual(byMarker[""]?.length, 2)
    assert.isUndefined(byMarker["constructor"])
    assert.include(message, "a: must be a whole number")
  })

  it("an issue never repeats the value", () => {
    const secret = "hunter2-canary"
    for (const type of FieldValue.types) {
      for (const value of [
        secret,
        { plainValue: 1, x: secret },
        [secret, { a: secret }],
        Redacted.make({ a: secret })
      ]) {
        const result = FieldValue.encode([{ marker: "m", type, value }])
        if (Result.isFailure(result)) {
          assert.notInclude(result.failure.message, secret)
          assert.notInclude(JSON.stringify(result.failure), secret)
        }
      }
    }
  })

  it("authData has markers and values only, without empty ones", () => {
    assert.deepStrictEqual(
      Result.getOrThrow(
        FieldValue.encodeAuthData([
          FieldValue.auth("login", "test"),
          { marker: "password", type: "string", value: Redacted.make("12345") },
          { marker: "empty", value: "" },
          { marker: "absent" }
        ])
      ),
      [
        { marker: "login", value: "test" },
        { marker: "password", value: "12345" }
      ]
    )
    assert.deepStrictEqual(
      issuesOf(FieldValue.encodeAuthData([{ marker: "password", value: 12345 }, { value: "x" }])).map((i) => i.marker),
      ["password", ""]
    )
  })

  it("notificationData without empty contacts", () => {
    assert.deepStrictEqual(FieldValue.encodeNotificationData({ email: "a@b.cc", phonePush: "+1", phoneSMS: "" }), {
      email: "a@b.cc",
      phonePush: ["+1"]
    })
    assert.deepStrictEqual(FieldValue.encodeNotificationData({ email: "", phonePush: ["", "+1"] }), {
      phonePush: ["+1"]
    })
    assert.deepStrictEqual(FieldValue.encodeNotificationData({ phonePush: [] }), { phonePush: [] })
    assert.deepStrictEqual(FieldValue.encodeNotificationData({}), {})
  })

  it("formData as one field, several, or keyed by language already", () => {
    const field = FieldValue.string("last_name", "Name")
    assert.deepStrictEqual(FieldValue.byLanguage(field, "en_US"), [["en_US", [field]]])
    assert.deepStrictEqual(FieldValue.byLanguage([field], "de_DE"), [["de_DE", [field]]])
    assert.deepStrictEqual(FieldValue.byLanguage({ en_US: [field] }, "de_DE"), [["en_US", [field]]])
  })

  it("takes 10,000 fields and huge strings", () => {
    const fields = Array.from({ length: 10_000 }, (_, i) => FieldValue.string(`m${i}`, "x"))
    assert.strictEqual(Result.getOrThrow(FieldValue.encode(fields)).length, 10_000)
    const huge = "x".repeat(5_000_000)
    assert.strictEqual(encodeOne(FieldValue.string("m", huge)), huge)
    assert.isDefined(issueOf({ marker: "m", type: "integer", value: "9".repeat(5_000_000) }))
    const issues = issuesOf(FieldValue.encode(fields.map((field) => ({ ...field, type: "integer" }))))
    assert.strictEqual(issues.length, 10_000)
  })
})

describe("decoding", () => {
  const decode = Schema.decodeUnknownEffect(FieldValue.FieldEntry)

  it.effect("what SEED1 and SEED3 show", () =>
    Effect.gen(function* () {
      const entries = yield* Schema.decodeEffect(FieldValue.FieldEntries)(seed.user.formData)
      assert.deepStrictEqual<unknown>(FieldValue.entries(entries, "en_US"), seed.user.formData)
      const wrapped = yield* Schema.decodeEffect(FieldValue.FieldEntries)({ en_US: seed.user.formData })
      assert.deepStrictEqual<unknown>(FieldValue.entries(wrapped, "en_US"), seed.user.formData)
      assert.deepStrictEqual(yield* decode({ marker: "login", value: "test" }), { marker: "login", value: "test" })
    })
  )

  it.effect("values in the type of their field", () =>
    Effect.gen(function* () {
      const entry = yield* decode({ marker: "age", type: "integer", value: "42", extra: 1 })
      assert.deepStrictEqual(entry, { marker: "age", type: "integer", value: 42 })
      if (entry.type === "integer") {
        const value: number | null = entry.value
        assert.strictEqual(value, 42)
      }
      const value = (type: string, value: unknown) => Effect.map(decode({ marker: "m", type, value }), (e) => e.value)
      assert.strictEqual(yield* value("real", "1.50"), 1.5)
      assert.strictEqual(yield* value("float", ""), null)
      assert.deepStrictEqual(yield* value("text", { plainValue: "x", htmlValue: null }), [{ plainValue: "x" }])
      assert.deepStrictEqual(yield* value("text", "x"), [{ plainValue: "x" }])
      assert.deepStrictEqual(yield* value("list", "1"), ["1"])
      assert.deepStrictEqual(yield* value("entity", [{ id: 1, title: "x" }, 2]), [{ id: 1, title: "x" }, 2])
      assert.deepStrictEqual(yield* value("image", { ...stored, contentType: "image/png" }), [
        { ...stored, contentType: "image/png" }
      ])
      assert.strictEqual(yield* value("date", null), null)
      assert.deepStrictEqual(yield* value("json", { a: 1 }), { a: 1 })
    })
  )

  it.effect("what does not fit its type, or has an unknown one, stays readable", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* decode({ marker: "m", type: "integer", value: { a: 1 } }), {
        marker: "m",
        rawType: "integer",
        value: { a: 1 }
      })
      assert.deepStrictEqual(yield* decode({ marker: "m", type: "hologram", value: 1 }), {
        marker: "m",
        rawType: "hologram",
        value: 1
      })
      assert.deepStrictEqual(yield* decode({ marker: "m", type: 7 }), { marker: "m", value: undefined })
      assert.isTrue(Result.isFailure(yield* Effect.result(decode({ type: "string", value: "x" }))))
    })
  )
})

// -- properties -------------------------------------------------------------------------------------------------------

const Text = Schema.NonEmptyString
const Moment = Schema.Date.check(
  Schema.isBetweenDate({ minimum: new Date("0001-01-01T00:00:00Z"), maximum: new Date("9999-12-31T00:00:00Z") })
)
const Choices = Schema.NonEmptyArray(Schema.Union([Text, Schema.Int]))
const Files = Schema.NonEmptyArray(
  Schema.Struct({
    filename: Text,
    downloadLink: Schema.String,
    size: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e12 })),
    previewLink: Schema.optionalKey(Schema.String)
  })
)

const field = <T extends string, S extends Schema.Constraint>(type: T, value: S) =>
  Schema.Struct({ marker: Text, type: Schema.Literal(type), value })

/** Any field that is not empty and needs no upload. */
const AnyField = Schema.Union([
  field("string", Text),
  field("integer", Schema.Int.check(Schema.isBetween({ minimum: -(2 ** 53) + 1, maximum: 2 ** 53 - 1 }))),
  field("float", Schema.Finite),
  field("real", Schema.Finite),
  field("date", Moment),
  field("dateTime", Moment),
  field("time", Moment),
  field(
    "text",
    Schema.Union([Text, Schema.Struct({ htmlValue: Text }), Schema.Tuple([Schema.Struct({ mdValue: Text })])])
  ),
  field("textWithHeader", Schema.Tuple([Schema.Struct({ header: Text, plainValue: Text })])),
  field("list", Choices),
  field("radioButton", Schema.Tuple([Text])),
  field("entity", Schema.NonEmptyArray(Schema.Union([Schema.Int, Schema.Literals(["2954", "p-3-14"])]))),
  field("image", Files),
  field("groupOfImages", Files),
  field("file", Files),
  field("spam", Schema.Struct({ event: Schema.Struct({ token: Text, siteKey: Text }) })),
  field("json", Schema.Union([Schema.Record(Schema.String, Schema.Finite), Schema.Boolean]))
])

describe("properties", () => {
  it.effect.prop(
    "what is encoded is wire data, comes back as the same field, and encodes to itself",
    {
      fields: Schema.Array(AnyField)
    },
    ({ fields }) =>
      Effect.gen(function* () {
        const before = JSON.stringify(fields)
        const wire = Result.getOrThrow(FieldValue.encode(deepFreeze(fields)))
        assert.strictEqual(JSON.stringify(fields), before)
        assert.strictEqual(wire.length, fields.length)
        assert.deepStrictEqual(
          JSON.parse(JSON.stringify(wire)),
          wire.map((item) => JSON.parse(JSON.stringify(item)))
        )
        assert.deepStrictEqual(Result.getOrThrow(FieldValue.encode(wire)), wire)
        const back = yield* Schema.decodeUnknownEffect(Schema.Array(FieldValue.FieldEntry))(
          JSON.parse(JSON.stringify(wire))
        )
        back.forEach((entry, i) => {
          const sent = fields[i]
          assert.strictEqual(entry.marker, sent?.marker)
          assert.strictEqual(entry.type, sent?.type)
          const value = wire[i]?.value
          assert.deepStrictEqual<unknown>(
            entry.value,
            JSON.parse(JSON.stringify(entry.type === "text" && !Array.isArray(value) ? [value] : value))
          )
        })
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect.prop(
    "a date keeps its instant",
    { at: Moment },
    ({ at }) =>
      Effect.sync(() => {
        const value = encodeOne(FieldValue.dateTime("t", at))
        assert.propertyVal(value, "fullDate", at.toISOString())
        assert.deepStrictEqual(encodeOne(FieldValue.dateTime("t", at.toISOString())), value)
        assert.deepStrictEqual(encodeOne(FieldValue.dateTime("t", DateTime.makeUnsafe(at))), value)
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect.prop(
    "any JSON as a value: encoded or refused with its marker, never thrown, never changed",
    {
      type: Schema.Literals([...FieldValue.types, "hologram"]),
      value: Schema.Json
    },
    ({ type, value }) =>
      Effect.sync(() => {
        const input = [{ marker: "m", type, value }]
        const before = JSON.stringify(input)
        const result = FieldValue.encode(deepFreeze(input))
        assert.strictEqual(JSON.stringify(input), before)
        if (Result.isFailure(result))
          assert.deepStrictEqual(
            result.failure.issues.map(({ marker }) => marker),
            ["m"]
          )
        else assert.isAtMost(result.success.length, 1)
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "any JSON with a marker decodes",
    { value: Schema.Json, type: Schema.Json },
    ({ type, value }) =>
      Effect.gen(function* () {
        const entry = yield* Schema.decodeEffect(FieldValue.FieldEntry)({ marker: "m", type, value })
        const known = yield* Schema.decodeEffect(FieldValue.FieldEntry)({ marker: "m", type: "image", value })
        assert.strictEqual(entry.marker, "m")
        assert.strictEqual(known.marker, "m")
      }),
    { arbitrary: { runs: 300 } }
  )
})
