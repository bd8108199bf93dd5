import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted, Result, Schema } from "effect"
import * as FieldValue from "effect-oneentry/FieldValue"
import * as FormSchema from "effect-oneentry/FormSchema"
import { isSuspicious } from "../src/internal/regexps.ts"
import * as Validators from "../src/internal/validators.ts"
import * as seed from "./fixtures/seed1.ts"

const formOf = (...attributes: ReadonlyArray<Record<string, unknown>>) =>
  FormSchema.decode({ id: 1, identifier: "contact_us", type: "data", attributes }, "en_US")

/** What a form with one field says about a value, as its messages, or "ok". */
const say = (attribute: Record<string, unknown>, value: unknown, options?: FormSchema.CheckOptions) =>
  Effect.gen(function* () {
    const form = yield* formOf({ marker: "m", type: "string", ...attribute })
    const result = yield* Effect.result(FormSchema.validate(form, value === undefined ? {} : { m: value }, options))
    return Result.isSuccess(result)
      ? "ok"
      : result.failure.issues
          .map((issue) => {
            assert.strictEqual(issue.marker, "m")
            return `${issue.code}${issue.validator === undefined ? "" : ` ${issue.validator}`}: ${issue.message}`
          })
          .join("; ")
  })

const valid = (validators: unknown, values: ReadonlyArray<unknown>, attribute: Record<string, unknown> = {}) =>
  Effect.gen(function* () {
    for (const value of values) {
      assert.strictEqual(yield* say({ ...attribute, validators }, value), "ok", JSON.stringify(value))
    }
  })

const invalid = (validators: unknown, values: ReadonlyArray<unknown>, attribute: Record<string, unknown> = {}) =>
  Effect.gen(function* () {
    for (const value of values) {
      const said = yield* say({ ...attribute, validators }, value)
      assert.notStrictEqual(said, "ok", JSON.stringify(value))
    }
  })

const deepFreeze = <A>(value: A): A => {
  if (typeof value === "object" && value !== null && !(value instanceof Blob)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}

describe("decoding a form", () => {
  it.effect("the captured form of SEED1", () =>
    Effect.gen(function* () {
      const form = yield* FormSchema.decode(deepFreeze(seed.form), "en_US")
      assert.deepStrictEqual(
        form.attributes.map(({ marker }) => marker),
        ["email_reg", "name_reg", "phone_reg", "password_reg", "email_notification_reg"]
      )
      const [email, , , password] = form.attributes
      assert.strictEqual(email?.title, "E-mail")
      assert.isTrue(email?.isLogin)
      assert.strictEqual(email?.isPassword, false)
      assert.deepStrictEqual(email?.undecided, [
        "isPassword",
        "isSignUpRequired",
        "isNotificationPhoneSMS",
        "isNotificationPhonePush"
      ])
      assert.deepStrictEqual(
        email?.rules.validators.map(({ name, rule }) => [name, rule]),
        [
          ["requiredValidator", { _tag: "Required", strict: true }],
          ["emailInspectionValidator", { _tag: "Email" }]
        ]
      )
      // All three lengths are 0, which means unset.
      assert.deepStrictEqual(
        password?.rules.validators.map(({ name }) => name),
        ["requiredValidator"]
      )
      assert.deepStrictEqual(form.localizeInfos, seed.form.localizeInfos)
      assert.isTrue(FormSchema.isSignUpForm(form))
      assert.deepStrictEqual(FormSchema.problems(form), [])
      assert.deepStrictEqual(
        [form.id, form.attributeSetId, form.version, form.position, form.processingType, form.templateId],
        [4, 5, 0, 1, "script", null]
      )
    })
  )

  it.effect("localised by the wire, for the language of the call", () =>
    Effect.gen(function* () {
      const json = {
        id: "7",
        identifier: "contact",
        type: null,
        attributeSetId: "3",
        localizeInfos: { en_US: { title: "Contact" }, de_DE: { title: "Kontakt", successMessage: "Danke" } },
        attributes: [
          {
            marker: "b",
            type: "list",
            position: "2",
            multiselect: true,
            localizeInfos: { en_US: { title: "Colour" }, de_DE: { title: "Farbe" } },
            listTitles: {
              en_US: [{ title: "Red", value: "1", position: 1, extended: { value: "#f00", type: "color" } }],
              de_DE: [{ title: "Rot", value: "1", position: 1, extendedValue: "#f00", extendedValueType: "color" }]
            },
            validators: { en_US: { requiredValidator: {} }, de_DE: {} },
            additionalFields: { de_DE: [{ marker: "hint", type: "string", value: "Wähle" }] },
            initialValue: { de_DE: "1" }
          },
          {
            marker: "a",
            type: "string",
            position: 1,
            isVisible: null,
            localizeInfos: null,
            listTitles: {},
            validators: [],
            additionalFields: { min: { marker: "min", type: "string", value: "x" } }
          }
        ],
        moduleFormConfigs: [
          {
            id: 2,
            moduleIdentifier: "content",
            entityIdentifiers: [{ id: "blog", isNested: false }, { id: 12 }],
            exceptionIds: ["x", 3],
            isRating: null,
            isAnonymous: false,
            maxRatingScale: "5"
          }
        ],
        total: "12"
      }
      const form = yield* FormSchema.decode(deepFreeze(json), "de_DE")
      assert.deepStrictEqual([form.id, form.type, form.attributeSetId, form.total], [7, null, 3, 12])
      assert.deepStrictEqual(form.localizeInfos, { title: "Kontakt", successMessage: "Danke" })
      const [a, b] = form.attributes
      assert.strictEqual(a?.marker, "a")
      assert.strictEqual(a?.title, "a")
      assert.isTrue(a?.isVisible)
      assert.deepStrictEqual(a?.listTitles, [])
      // A record by marker is no locale map, though every key of it looks like a language.
      assert.deepStrictEqual({ ...a?.additionalFields }, { min: { marker: "min", type: "string", value: "x" } })
      assert.strictEqual(b?.title, "Farbe")
      assert.deepStrictEqual(b?.listTitles, [
        { title: "Rot", value: "1", position: 1, extended: { value: "#f00", type: "color" } }
      ])
      assert.deepStrictEqual(b?.rules.validators, [])
      assert.deepStrictEqual({ ...b?.additionalFields }, { hint: { marker: "hint", type: "string", value: "Wähle" } })
      assert.strictEqual(b?.initialValue, "1")
      assert.strictEqual(b?.multiselect, true)
      assert.isFalse(a !== undefined && "multiselect" in a)
      const [config] = form.moduleFormConfigs
      assert.deepStrictEqual(config?.entityIdentifiers, [
        { id: "blog", isNested: false },
        { id: "12", isNested: false }
      ])
      assert.deepStrictEqual(config?.exceptionIds, ["x", "3"])
      assert.deepStrictEqual([config?.isRating, config?.isAnonymous, config?.maxRatingScale], [false, false, 5])
      const english = yield* FormSchema.decode(json, "en_US")
      assert.strictEqual(english.attributes[1]?.listTitles[0]?.title, "Red")
      assert.strictEqual(english.attributes[1]?.rules.validators[0]?.name, "requiredValidator")
    })
  )

  it.effect("forms without fields, with the least there is, and such that are none", () =>
    Effect.gen(function* () {
      for (const attributes of [{}, [], null, undefined]) {
        const form = yield* FormSchema.decode({ id: 1, identifier: "f", attributes }, "en_US")
        assert.deepStrictEqual(form.attributes, [])
        const refused = yield* Effect.flip(FormSchema.validate(form, { a: 1 }))
        assert.strictEqual(refused.issues[0]?.code, "unknownMarker")
      }
      for (const json of [null, 5, "x", [], {}, { id: 1 }, { id: "x", identifier: "f" }]) {
        assert.strictEqual((yield* Effect.flip(FormSchema.decode(json, "en_US")))._tag, "SchemaError")
      }
      const attributes = [{ marker: "x" }]
      const error = yield* Effect.flip(FormSchema.decode({ id: 1, identifier: "f", attributes }, "en_US"))
      assert.include(error.message, "type")
    })
  )

  it.effect("pages of both kinds", () =>
    Effect.gen(function* () {
      const decode = Schema.decodeEffect(FormSchema.WireFormsPage)
      const page = FormSchema.fromWirePage(yield* decode({ items: [seed.form], total: "1" }), "en_US")
      assert.deepStrictEqual([page.total, page.items[0]?.identifier], [1, "reg"])
      const bare = FormSchema.fromWirePage(yield* decode([seed.form, seed.form]), "en_US")
      assert.strictEqual(bare.items.length, 2)
      assert.isFalse("total" in bare)
    })
  )

  it.effect("hostile markers stay data", () =>
    Effect.gen(function* () {
      const json: unknown = JSON.parse(
        `{"id":1,"identifier":"f","__proto__":{"polluted":1},"attributes":[
          {"marker":"__proto__","type":"string","validators":{"requiredValidator":{},"__proto__":{"x":1}},
           "additionalFields":[{"marker":"__proto__","value":"h"}],"localizeInfos":{"__proto__":{"title":"x"}}},
          {"marker":"constructor","type":"integer"}]}`
      )
      const form = yield* FormSchema.decode(json, "en_US")
      assert.isFalse("polluted" in {})
      const missing = yield* Effect.flip(FormSchema.validate(form, {}))
      assert.deepStrictEqual(
        missing.issues.map(({ code, marker }) => [marker, code]),
        [["__proto__", "missing"]]
      )
      const values: Record<string, unknown> = JSON.parse(`{"__proto__":"x","constructor":5}`)
      assert.deepStrictEqual(yield* FormSchema.validate(form, values), [
        { marker: "__proto__", type: "string", value: "x" },
        { marker: "constructor", type: "integer", value: 5 }
      ])
      const decoded = yield* Schema.decodeEffect(FormSchema.fieldsSchema(form))(values)
      assert.strictEqual(Object.getOwnPropertyDescriptor(decoded, "__proto__")?.value, "x")
    })
  )
})

describe("validators", () => {
  it("knows exactly the eighteen names, and which the server enforces", () => {
    assert.strictEqual(Validators.names.length, 18)
    const all = Validators.parse({
      requiredValidator: {},
      trimValidator: true,
      stringInspectionValidator: { stringMax: "5" },
      urlInspectionValidator: true,
      emailInspectionValidator: {},
      checkForNumberValidator: {},
      roundingNumberValidator: { precision: "2" },
      booleanValidator: true,
      comparisonValidator: { marker: "x" },
      checkForAGivenList: { list: ["a"] },
      regExpValidator: { patternValue: "^a" },
      fieldMaskValidator: { maskValue: "##" },
      defaultValueValidator: { fieldDefaultValue: "x" },
      sizeInPixelsValidator: { maxX: "5" },
      checkingFilesValidator: { maxUnits: "kb", maxValue: "1" },
      minMaxDateValidator: { minDate: "2024-01-01" },
      valueValidator: { minValue: 1 },
      checkForLettersValidator: true
    })
    assert.deepStrictEqual(all.problems, [])
    assert.deepStrictEqual(
      all.validators.map(({ name }) => name),
      [...Validators.names]
    )
    assert.deepStrictEqual(
      all.validators.filter((v) => !v.enforcedByServer).map(({ name }) => name),
      [
        "defaultValueValidator",
        "sizeInPixelsValidator",
        "checkingFilesValidator",
        "minMaxDateValidator",
        "valueValidator",
        "checkForLettersValidator"
      ]
    )
  })

  it("lists what is unknown, broken or not understood, and throws nothing", () => {
    const { problems, validators } = Validators.parse({
      futureValidator: { x: 1 },
      regExpValidator: { patternValue: "([" },
      comparisonValidator: { what: "ever" },
      checkingFilesValidator: { maxUnits: "parsec", maxValue: "1" },
      emailInspectionValidator: false,
      trimValidator: null,
      stringInspectionValidator: { stringMin: 0, stringMax: "", stringLength: "0" },
      __proto__: { requiredValidator: {} }
    })
    assert.deepStrictEqual(validators, [])
    assert.deepStrictEqual(
      problems.map(({ validator }) => validator),
      ["futureValidator", "regExpValidator", "comparisonValidator", "checkingFilesValidator"]
    )
    assert.include(problems[1]?.message ?? "", "broken")
    for (const raw of [null, undefined, 5, "x", [], () => 1]) {
      assert.deepStrictEqual(Validators.parse(raw), { validators: [], problems: [] })
    }
  })

  it.effect("required: present in any notation; white space is nothing", () =>
    Effect.gen(function* () {
      for (const payload of [true, {}, { strict: true }, { strict: false }]) {
        yield* invalid({ requiredValidator: payload }, [undefined, null, "", "  ", "\t\n", Redacted.make(" ")])
        yield* valid({ requiredValidator: payload }, ["x", " x ", Redacted.make("x")])
      }
      yield* valid({}, [undefined, null, "", " "])
      assert.strictEqual(
        yield* say({ validators: { requiredValidator: { customErrorText: "Required field!" } } }, ""),
        "missing requiredValidator: Required field!"
      )
      assert.strictEqual(
        yield* say({ validators: { requiredValidator: { strict: true, errorMessage: "First name is required" } } }, ""),
        "missing requiredValidator: First name is required"
      )
      yield* valid({ requiredValidator: {} }, [0], { type: "integer" })
      yield* invalid({ requiredValidator: {} }, [undefined, ""], { type: "integer" })
      yield* invalid({ requiredValidator: {} }, [[], undefined], { type: "list" })
      // The server does not say that it asks less of what a page hides.
      assert.match(
        yield* say({ isVisible: false, validators: { requiredValidator: {} } }, undefined),
        /^missing requiredValidator: .*make it visible in the admin panel$/
      )
      yield* valid({ requiredValidator: {} }, ["by the program"], { isVisible: false })
      yield* invalid({ requiredValidator: {} }, [[]], { type: "json" })
      assert.strictEqual(yield* say({ validators: { requiredValidator: {} } }, undefined, { partial: true }), "ok")
    })
  )

  it.effect("trim: before any other check, and in what is submitted", () =>
    Effect.gen(function* () {
      const attribute = {
        marker: "m",
        type: "string",
        validators: { trimValidator: true, stringInspectionValidator: { stringMax: "3" } }
      }
      const form = yield* formOf(attribute)
      assert.deepStrictEqual(yield* FormSchema.validate(form, { m: "  abc  " }), [
        { marker: "m", type: "string", value: "abc" }
      ])
      const [secret] = yield* FormSchema.validate(form, { m: Redacted.make(" abc ") })
      assert.isTrue(Redacted.isRedacted(secret?.value) && Redacted.value(secret.value) === "abc")
      yield* invalid({ stringInspectionValidator: { stringMax: "3" } }, ["  abc  "])
    })
  )

  it.effect("string length: numbers as strings, 0 and empty as unset", () =>
    Effect.gen(function* () {
      const range = { stringInspectionValidator: { stringMin: "3", stringMax: "5", stringLength: 0 } }
      yield* valid(range, ["abc", "abcde", undefined, ""])
      yield* invalid(range, ["ab", "abcdef"])
      yield* valid({ stringInspectionValidator: { stringMin: 0, stringMax: "", stringLength: "2" } }, ["ab"])
      yield* invalid({ stringInspectionValidator: { stringLength: "2" } }, ["a", "abc"])
      yield* valid({ stringInspectionValidator: { stringMin: 0, stringMax: 0, stringLength: 0 } }, ["x".repeat(1000)])
      yield* invalid(range, [[{ plainValue: "ab" }], { htmlValue: "<p>x</p>" }], { type: "text" })
    })
  )

  it.effect("url and e-mail", () =>
    Effect.gen(function* () {
      yield* valid({ urlInspectionValidator: true }, ["https://example.com", "http://localhost:3000/a?b=c#d"])
      yield* invalid({ urlInspectionValidator: {} }, [
        "example.com",
        "javascript:alert(1)",
        "ftp://example.com/a",
        "https://",
        "https://a b"
      ])
      yield* valid({ emailInspectionValidator: true }, [`${"a".repeat(31)}.${"b".repeat(32)}@x.io`])
      yield* invalid({ emailInspectionValidator: true }, [`${"a".repeat(32)}.${"b".repeat(32)}@x.io`])
      yield* valid({ emailInspectionValidator: true }, [
        "your-user@email.com",
        "a.b+c@x.io",
        "o'neil@sub.example.co.uk",
        "юзер@пример.рф"
      ])
      yield* invalid({ emailInspectionValidator: {} }, [
        "x",
        "a@b",
        "@x.io",
        "a@.io",
        "a..b@x.io",
        ".a@x.io",
        "a b@x.io",
        "a@x.io ",
        "a@b@x.io",
        "a@-x.io",
        `${"a".repeat(65)}@x.io`,
        `${"a.".repeat(200)}a@x.io`,
        "a@".repeat(100_000)
      ])
      assert.strictEqual(
        yield* say({ validators: { emailInspectionValidator: { customErrorText: "Email incorrect" } } }, "x"),
        "validator emailInspectionValidator: Email incorrect"
      )
    })
  )

  it.effect("numbers", () =>
    Effect.gen(function* () {
      const range = { checkForNumberValidator: { integerOnly: true, minValue: "18", maxValue: "99" } }
      yield* valid(range, [18, 99, "42"], { type: "integer" })
      yield* invalid(range, [17, 100, "x", 42.5], { type: "integer" })
      yield* invalid(range, ["x", "42.5", "17"])
      yield* valid({ checkForNumberValidator: { integerOnly: "", minValue: 0, maxValue: "" } }, [-5, "1.5"], {
        type: "float"
      })
      yield* valid({ roundingNumberValidator: { precision: "2" } }, [1.25, "1.500", 3], { type: "real" })
      yield* invalid({ roundingNumberValidator: { precision: "2" } }, [1.255, "1e-3"], { type: "real" })
      assert.strictEqual(
        yield* say({ type: "integer", validators: { checkForNumberValidator: { customErrorText: "Digits!" } } }, "x"),
        "type: Digits!"
      )
      yield* valid({ valueValidator: { minValue: 1, maxValue: "5" } }, [1, 5], { type: "integer" })
      yield* invalid({ valueValidator: { minValue: 1, maxValue: "5" } }, [-1, 6], { type: "integer" })
    })
  )

  it.effect("booleans, lists, letters", () =>
    Effect.gen(function* () {
      yield* valid({ booleanValidator: true }, [true, false, "true", "0"])
      yield* invalid({ booleanValidator: {} }, ["yes", 2])
      for (const list of [["a", "b"], "a, b", [{ title: "A", value: "a" }, { value: "b" }]]) {
        yield* valid({ checkForAGivenList: { list } }, ["a", "b"])
        yield* invalid({ checkForAGivenList: { list } }, ["c", "a, b"])
      }
      yield* valid({ checkForLettersValidator: true }, ["Ann", "Łukasz O'Neil", "Иван"])
      yield* invalid({ checkForLettersValidator: true }, ["Ann1", "a@b"])
    })
  )

  it.effect("comparison of two fields, once each is valid by itself", () =>
    Effect.gen(function* () {
      const form = yield* formOf(
        { marker: "password", type: "string", validators: { stringInspectionValidator: { stringMin: "3" } } },
        {
          marker: "repeat",
          type: "string",
          localizeInfos: { title: "Repeat" },
          validators: { comparisonValidator: { marker: "password", customErrorText: "They differ" } }
        },
        { marker: "from", type: "integer" },
        { marker: "to", type: "integer", validators: { comparisonValidator: { field: "from", operator: ">" } } }
      )
      const said = (values: FormSchema.FormValues) =>
        Effect.match(FormSchema.validate(form, values), {
          onFailure: ({ issues }) => issues.map(({ marker, message }) => `${marker}: ${message}`),
          onSuccess: () => []
        })
      assert.deepStrictEqual(yield* said({ password: "abc", repeat: Redacted.make("abc"), from: 9, to: 10 }), [])
      assert.deepStrictEqual(yield* said({ password: "abc", repeat: "abd" }), ["repeat: They differ"])
      assert.deepStrictEqual(yield* said({ password: "1", repeat: "1.0" }), [
        "password: must have at least 3 characters"
      ])
      assert.deepStrictEqual(yield* said({ from: 10, to: 9 }), ["to: does not go with from"])
      assert.deepStrictEqual(yield* said({ repeat: "x", to: 1 }), [])
      const schema = Schema.toStandardSchemaV1(FormSchema.fieldsSchema(form))
      const standard = yield* Effect.promise(async () => schema["~standard"].validate({ password: "abc", repeat: "x" }))
      assert.deepStrictEqual(standard.issues, [{ path: ["repeat"], message: "They differ" }])
    })
  )

  it.effect("regular expressions, with flags and inverted", () =>
    Effect.gen(function* () {
      const pattern = { regExpValidator: { patternValue: "^[0-9+\\- ]{1,20}$", customErrorText: "Digits" } }
      yield* valid(pattern, ["+1 800-798", undefined])
      assert.strictEqual(yield* say({ validators: pattern }, "abc"), "validator regExpValidator: Digits")
      yield* valid({ regExpValidator: { patternValue: "^abc$", flags: ["i", "g"] } }, ["ABC", "ABC"])
      yield* invalid({ regExpValidator: { patternValue: "^abc$", flags: ["i"], invert: true } }, ["ABC"])
      yield* valid({ regExpValidator: { patternValue: "^abc$", invert: true } }, ["x"])
      // Not run where it is broken: the server remains the judge.
      yield* valid({ regExpValidator: { patternValue: "([" } }, ["x"])
      yield* invalid({ regExpValidator: { patternValue: "x" } }, ["x".repeat(Validators.maxTested + 1)])
    })
  )

  it.effect("an expression that may run for ever is listed and not run", () =>
    Effect.gen(function* () {
      const form = yield* formOf({
        marker: "m",
        type: "string",
        validators: { regExpValidator: { patternValue: "^(a+)+$" } }
      })
      assert.include(FormSchema.problems(form)[0]?.message ?? "", "for ever")
      yield* FormSchema.validate(form, { m: `${"a".repeat(5_000)}!` })
    })
  )

  it("tells harmless expressions from those with repeated repetitions", () => {
    for (const source of [
      "^[\\w-\\.]+@([\\w-]+\\.)+[\\w-]{2,4}$",
      "^(\\d{1,3}\\.){3}\\d{1,3}$",
      "^(?=.*[A-Z])(?=.*\\d).{8,}$",
      "^(?:[a-z]|\\d)*$",
      "^([- ]?\\d)+$",
      "^\\+?\\d{1,3}( \\d{3})*$",
      "^[(+*)]+$",
      "\\(+\\)+"
    ]) {
      assert.isFalse(isSuspicious(source), source)
    }
    for (const source of [
      "(a+)+$",
      "([a-zA-Z]+)*",
      "(a|aa)+",
      "(a|a)*",
      "(.*)*",
      "(x+x+)+y",
      "((a+)b)+",
      "(\\w?\\d)*",
      "(?:a{2,}){3,}",
      "(?<n>\\s*)+",
      "^(([a-z])+.)+[A-Z]$"
    ]) {
      assert.isTrue(isSuspicious(source), source)
    }
  })

  it.effect("masks: # and 9 are digits, the hint a prefix", () =>
    Effect.gen(function* () {
      yield* valid({ fieldMaskValidator: { maskValue: "(###) 99-99" } }, ["(123) 45-67"])
      yield* invalid({ fieldMaskValidator: { maskValue: "(###) 99-99" } }, [
        "(12) 45-67",
        "x(123) 45-67",
        "(123) 45-678"
      ])
      yield* valid({ fieldMaskValidator: { maskValue: "999-99", hint: "+62" } }, ["+62123-45", "123-45"])
      yield* valid({ fieldMaskValidator: { maskValue: "$9[[space]]999" } }, ["+1 415"])
      yield* valid({ fieldMaskValidator: { maskValue: "" } }, ["anything"])
    })
  )

  it.effect("files: size and kind", () =>
    Effect.gen(function* () {
      const fileQuery = { type: "page", entity: "editor", id: 1 }
      const attribute = {
        type: "image",
        validators: { checkingFilesValidator: { maxUnits: "kb", maxValue: "2", extensions: [".png", "JPG"] } }
      }
      const one = (name: string, size: number) => new File(["x".repeat(size)], name)
      assert.strictEqual(yield* say(attribute, one("a.PNG", 2048), { fileQuery }), "ok")
      assert.strictEqual(yield* say(attribute, [one("a.jpg", 1)], { fileQuery: () => fileQuery }), "ok")
      assert.strictEqual(yield* say(attribute, new Blob(["x"], { type: "image/jpeg" }), { fileQuery }), "ok")
      assert.include(yield* say(attribute, one("a.png", 2049), { fileQuery }), "larger than 2048 bytes")
      assert.include(yield* say(attribute, one("a.gif", 1), { fileQuery }), "another kind")
      assert.include(yield* say(attribute, one("a.png", 1)), "fileQuery")
      const stored = { filename: "a/b.gif", downloadLink: "https://x.io/b.gif", size: 1 }
      assert.include(yield* say(attribute, [stored]), "another kind")
      const huge = { filename: "a.png", downloadLink: "https://x.io", size: 2 * 1024 ** 3 }
      assert.include(yield* say(attribute, [huge]), "larger")
    })
  )

  it.effect("dates between bounds", () =>
    Effect.gen(function* () {
      const validators = {
        minMaxDateValidator: { minDate: "2020-01-01", maxDate: { fullDate: "2024-12-31T00:00:00.000Z" } }
      }
      yield* valid(validators, ["2020-01-01", "2024-12-31"], { type: "date" })
      yield* invalid(validators, ["2019-12-31", "2025-01-01", "2024-02-31"], { type: "date" })
    })
  )
})

describe("checking values", () => {
  it.effect("choices as the form spells them", () =>
    Effect.gen(function* () {
      const listTitles = [
        { title: "Red", value: "1", position: 2 },
        { title: "Blue", value: 2, position: 1 }
      ]
      const form = yield* formOf(
        { marker: "many", type: "list", listTitles, multiselect: true },
        { marker: "one", type: "list", listTitles, multiselect: false },
        { marker: "radio", type: "radioButton", listTitles },
        { marker: "free", type: "list" }
      )
      assert.deepStrictEqual(
        yield* FormSchema.validate(form, { many: [1, "2"], one: "1", radio: 2, free: ["x", "y"] }),
        [
          { marker: "many", type: "list", value: ["1", 2] },
          { marker: "one", type: "list", value: ["1"] },
          { marker: "radio", type: "radioButton", value: [2] },
          { marker: "free", type: "list", value: ["x", "y"] }
        ]
      )
      const refused = yield* Effect.flip(FormSchema.validate(form, { many: ["3"], one: ["1", "2"], radio: ["1", "2"] }))
      assert.deepStrictEqual(
        refused.issues.map(({ marker }) => marker),
        ["many", "one", "radio"]
      )
    })
  )

  it.effect("what no server takes: numbers against rules of text, ids that are none, two captchas", () =>
    Effect.gen(function* () {
      const long = { stringInspectionValidator: { stringMin: 3 } }
      yield* invalid(long, [12], { type: "integer" })
      yield* valid(long, [123], { type: "integer" })
      yield* invalid({ emailInspectionValidator: true }, ["red"], { type: "radioButton" })
      yield* invalid({ checkForNumberValidator: { maxValue: 4 } }, [5], { type: "json" })
      yield* invalid({}, [["page"], [1.5], [{ title: "Three" }], "p-1"], { type: "entity" })
      yield* valid({}, [[2954], "p-3-14", [{ id: 3, title: "Three" }]], { type: "entity" })
      yield* invalid({}, [[{ title: "Red" }]], { type: "list" })
      yield* invalid({}, [[{ plainValue: "a" }, { plainValue: "b" }]], { type: "text" })
      const form = yield* formOf({ marker: "one", type: "spam" }, { marker: "two", type: "spam" })
      const answer = { event: { token: "fresh", siteKey: "key" } }
      const error = yield* Effect.flip(FormSchema.validate(form, { one: answer, two: answer }))
      assert.match(error.message, /^two: is a second captcha beside "one": hide or remove one of them/)
    })
  )

  it.effect("every problem at once, unknown markers among them", () =>
    Effect.gen(function* () {
      const form = yield* formOf(
        { marker: "name", type: "string", validators: { requiredValidator: {} } },
        {
          marker: "mail",
          type: "string",
          validators: { emailInspectionValidator: true, stringInspectionValidator: { stringMin: 9 } }
        },
        { marker: "born", type: "date" },
        { marker: "photo", type: "image" },
        { marker: "captcha", type: "spam" },
        { marker: "send", type: "button" }
      )
      const error = yield* Effect.flip(
        FormSchema.validate(form, { mail: "x", born: "2024-02-31", photo: "x", send: "Send", nmae: "Ann" })
      )
      assert.deepStrictEqual(
        error.issues.map(({ code, marker }) => [marker, code]),
        [
          ["name", "missing"],
          ["mail", "validator"],
          ["mail", "validator"],
          ["born", "type"],
          ["photo", "file"],
          ["captcha", "missing"],
          ["nmae", "unknownMarker"]
        ]
      )
      assert.strictEqual(error.byMarker["mail"]?.length, 2)
      assert.strictEqual(error._tag, "FormInvalid")
      const nothing = yield* Effect.flip(FormSchema.validate(form, JSON.parse("null")))
      assert.strictEqual(nothing.issues[0]?.marker, "")
    })
  )

  it.effect("fields that are written out", () =>
    Effect.gen(function* () {
      const form = yield* formOf(
        { marker: "name", type: "string", validators: { requiredValidator: {} } },
        { marker: "about", type: "text" },
        { marker: "photo", type: "image" }
      )
      const blob = new Blob(["x"])
      const fileQuery = { type: "page", entity: "editor", id: 1 }
      assert.deepStrictEqual(
        yield* FormSchema.validateFields(form, [
          FieldValue.string("name", "Ann"),
          { marker: "about", type: "text", value: { htmlValue: "<p>me</p>" } },
          FieldValue.image("photo", blob, fileQuery)
        ]),
        [
          { marker: "name", type: "string", value: "Ann" },
          { marker: "about", type: "text", value: [{ htmlValue: "<p>me</p>" }] },
          { marker: "photo", type: "image", value: [blob], fileQuery }
        ]
      )
      const error = yield* Effect.flip(
        FormSchema.validateFields(form, [
          FieldValue.integer("name", 5),
          FieldValue.text("about", "x"),
          FieldValue.text("about", "y"),
          FieldValue.string("other", "x")
        ])
      )
      assert.deepStrictEqual(
        error.issues.map(({ code, marker }) => [marker, code]),
        [
          ["name", "type"],
          ["about", "type"],
          ["other", "unknownMarker"]
        ]
      )
    })
  )

  it.effect("the schema says what validate says", () =>
    Effect.gen(function* () {
      const form = yield* formOf(
        { marker: "name", type: "string", validators: { requiredValidator: { customErrorText: "Your name?" } } },
        {
          marker: "mail",
          type: "string",
          validators: { emailInspectionValidator: true, stringInspectionValidator: { stringMin: 9 } }
        },
        { marker: "send", type: "button" }
      )
      const schema = FormSchema.fieldsSchema(form)
      const values = { name: "Ann", mail: "ann@example.com", extra: 1 }
      assert.deepStrictEqual(yield* Schema.decodeEffect(schema)(values), { name: "Ann", mail: "ann@example.com" })
      const standard = Schema.toStandardSchemaV1(schema)["~standard"]
      const messages = (values: FormSchema.FormValues) =>
        Effect.map(
          Effect.promise(async () => standard.validate(values)),
          ({ issues }) => issues
        )
      assert.deepStrictEqual(yield* messages({ mail: "x" }), [
        { path: ["name"], message: "Your name?" },
        { path: ["mail"], message: "must be an e-mail address" },
        { path: ["mail"], message: "must have at least 9 characters" }
      ])
      assert.deepStrictEqual(yield* messages({ name: "", mail: undefined }), [
        { path: ["name"], message: "Your name?" }
      ])
      assert.isUndefined(yield* messages({ name: "x" }))
    })
  )

  it.effect("10,000 fields, huge values", () =>
    Effect.gen(function* () {
      const form = yield* formOf(
        ...Array.from({ length: 10_000 }, (_, i) => ({
          marker: `m${i}`,
          type: "string",
          validators: { requiredValidator: {}, emailInspectionValidator: true }
        }))
      )
      const error = yield* Effect.flip(FormSchema.validate(form, { m0: "a@".repeat(1_000_000) }))
      assert.strictEqual(error.issues.length, 10_000)
      assert.isBelow(error.message.length, 2_000)
    })
  )
})

describe("refusals of the server", () => {
  it.effect("become the same error, in the form's own words", () =>
    Effect.gen(function* () {
      const form = yield* formOf(
        {
          marker: "first_name",
          type: "string",
          validators: { stringInspectionValidator: { stringMin: 3, customErrorText: "At least 3" } }
        },
        { marker: "age", type: "integer" },
        { marker: "captcha", type: "spam" },
        { marker: "phone", type: "string", isNotificationPhoneSMS: true }
      )
      const said = (messages: string | ReadonlyArray<string>) =>
        Option.match(FormSchema.fromServerError(messages, form), {
          onNone: () => [],
          onSome: ({ issues }) => issues.map(({ code, marker, message }) => `${code} ${marker}: ${message}`)
        })
      assert.deepStrictEqual(said("formData's marker 'first_name' value is missing or incorrect"), [
        "server first_name: At least 3"
      ])
      assert.deepStrictEqual(
        said(["formData's marker 'age' type must be one of [integer]", "x", "formData's marker 'age' again"]),
        ["server age: formData's marker 'age' type must be one of [integer]"]
      )
      assert.deepStrictEqual(said("required values are missing or incorrect: first_name, age"), [
        "server first_name: At least 3",
        "server age: required values are missing or incorrect: first_name, age"
      ])
      assert.deepStrictEqual(said("formData doesn't have spam attribute"), [
        "server captcha: formData doesn't have spam attribute"
      ])
      assert.deepStrictEqual(said(`"notificationData.phoneSMS" is not allowed to be empty`), [
        `server phone: "notificationData.phoneSMS" is not allowed to be empty`
      ])
      assert.deepStrictEqual(said("empty form data section"), [])
      assert.deepStrictEqual(said("User already has a code"), [])
      assert.deepStrictEqual(said([]), [])
      assert.isTrue(
        Option.isSome(FormSchema.fromServerError("formData's marker '__proto__' value is missing or incorrect"))
      )
      assert.isTrue(Option.isNone(FormSchema.fromServerError("marker ''".repeat(1_000_000))))
    })
  )

  it("the error is a codec, as every error of the package", () => {
    const error = new FormSchema.FormInvalid({
      issues: [{ marker: "a", message: "m", code: "validator", validator: "v" }]
    })
    const json = Schema.encodeSync(FormSchema.FormInvalid)(error)
    assert.deepStrictEqual(Schema.decodeSync(FormSchema.FormInvalid)(json).issues, error.issues)
  })
})

// -- properties -------------------------------------------------------------------------------------------------------

const Validator = Schema.Record(Schema.Literals([...Validators.names, "unknownValidator"]), Schema.Json)
const Attribute = Schema.Struct({
  marker: Schema.Literals(["a", "b", "c", "d", "__proto__"]),
  type: Schema.Literals([...FieldValue.types, "hologram"]),
  validators: Validator,
  listTitles: Schema.Json,
  additionalFields: Schema.Json,
  localizeInfos: Schema.Json,
  isLogin: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  multiselect: Schema.optionalKey(Schema.NullOr(Schema.Boolean))
})

describe("properties", () => {
  it.effect.prop(
    "random forms and values: no defect, no change of the input, and validate agrees with the schema",
    {
      attributes: Schema.Array(Attribute),
      values: Schema.Record(Schema.Literals(["a", "b", "c", "d"]), Schema.Json)
    },
    ({ attributes, values }) =>
      Effect.gen(function* () {
        const before = JSON.stringify([attributes, values])
        const form = yield* formOf(...deepFreeze(attributes))
        const result = yield* Effect.result(FormSchema.validate(form, deepFreeze(values)))
        assert.strictEqual(JSON.stringify([attributes, values]), before)
        const unique = new Set(attributes.map(({ marker }) => marker)).size === attributes.length
        const decoded = yield* Effect.result(
          Schema.decodeEffect(FormSchema.fieldsSchema(form), { errors: "all" })(values)
        )
        if (Result.isSuccess(result)) {
          // What was accepted encodes for the wire, and is accepted again.
          const wire = Result.getOrThrow(FieldValue.encode(result.success))
          assert.strictEqual(wire.length, result.success.length)
          if (unique) assert.isTrue(Result.isSuccess(decoded))
          if (unique) assert.deepStrictEqual(yield* FormSchema.validateFields(form, result.success), result.success)
        } else if (unique && result.failure.issues.every(({ code }) => code !== "unknownMarker")) {
          assert.isTrue(Result.isFailure(decoded))
        }
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "any JSON as a form: decodes or fails with a typed error",
    { json: Schema.Json },
    ({ json }) =>
      Effect.gen(function* () {
        for (const attributes of [json, [json], [{ marker: "a", type: "string", validators: json, settings: json }]]) {
          const result = yield* Effect.result(FormSchema.decode({ id: 1, identifier: "f", attributes }, "en_US"))
          if (Result.isFailure(result)) assert.strictEqual(result.failure._tag, "SchemaError")
        }
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect.prop(
    "an expression judged harmless ends in time on any text",
    {
      source: Schema.Literals(["^([\\w-]+\\.)+$", "^([- ]?\\d)+$", "^(?:[a-z]|\\d)*$"]),
      text: Schema.String
    },
    ({ source, text }) =>
      Effect.sync(() => {
        assert.isFalse(isSuspicious(source))
        assert.isBoolean(new RegExp(source).test(`${text.repeat(100)}${"a".repeat(5_000)}!`))
      })
  )
})
