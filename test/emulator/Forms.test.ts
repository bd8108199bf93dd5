import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Emulator, Messages, Project } from "effect-oneentry/emulator"
import { call, device, inProcess, login, ok, project, refused, registered } from "./support.ts"

const text = (name: Messages.Name) => Messages.table[name].text

type Attribute = NonNullable<NonNullable<Project.Input["forms"]>[number]["attributes"]>[number]
type Form = NonNullable<Project.Input["forms"]>[number]

const form = (identifier: string, attributes: ReadonlyArray<Attribute>, more: Partial<Form> = {}): Form => ({
  identifier,
  attributes,
  ...more
})

const choices = [
  { title: "One", value: "1", position: 1, extended: { value: null, type: null } },
  { title: "Two", value: 2, position: 2 }
]

const types: ReadonlyArray<Attribute> = [
  { type: "string", marker: "string" },
  { type: "integer", marker: "integer" },
  { type: "float", marker: "float" },
  { type: "real", marker: "real" },
  { type: "date", marker: "date" },
  { type: "dateTime", marker: "dateTime" },
  { type: "time", marker: "time" },
  { type: "text", marker: "text" },
  { type: "textWithHeader", marker: "textWithHeader" },
  { type: "list", marker: "list", listTitles: choices, multiselect: false },
  { type: "list", marker: "many", listTitles: { en_US: choices }, multiselect: true },
  { type: "radioButton", marker: "radioButton", listTitles: choices },
  { type: "entity", marker: "entity" },
  { type: "timeInterval", marker: "timeInterval" },
  { type: "image", marker: "image" },
  { type: "groupOfImages", marker: "groupOfImages" },
  { type: "file", marker: "file" },
  { type: "button", marker: "button" },
  { type: "json", marker: "json" }
]

const validated: ReadonlyArray<Attribute> = [
  {
    type: "string",
    marker: "sized",
    validators: { stringInspectionValidator: { stringMin: "2", stringMax: 4, stringLength: 0 } }
  },
  { type: "string", marker: "exact", validators: { stringInspectionValidator: { stringLength: "3", stringMin: "" } } },
  { type: "string", marker: "url", validators: { urlInspectionValidator: {} } },
  { type: "string", marker: "email", validators: { emailInspectionValidator: { customErrorText: "no" } } },
  {
    type: "string",
    marker: "number",
    validators: { checkForNumberValidator: { integerOnly: true, minValue: "5", maxValue: 9 } }
  },
  { type: "float", marker: "rounded", validators: { roundingNumberValidator: { precision: 2 } } },
  { type: "string", marker: "boolean", validators: { booleanValidator: true } },
  { type: "string", marker: "given", validators: { checkForAGivenList: { list: ["a", { value: "b" }] } } },
  { type: "string", marker: "twin", validators: { comparisonValidator: { marker: "given" } } },
  { type: "string", marker: "pattern", validators: { regExpValidator: { patternValue: "^x", flags: ["i", "g"] } } },
  { type: "string", marker: "inverted", validators: { regExpValidator: { patternValue: "^x", invert: true } } },
  { type: "string", marker: "mask", validators: { fieldMaskValidator: { maskValue: "(##) 99", hint: "+7" } } },
  {
    type: "string",
    marker: "trimmed",
    validators: { trimValidator: true, stringInspectionValidator: { stringMax: 3 } }
  },
  {
    type: "string",
    marker: "kept",
    validators: {
      checkForLettersValidator: true,
      valueValidator: {},
      defaultValueValidator: { fieldDefaultValue: "x" }
    }
  }
]

const contact = form(
  "contact_us",
  [
    { type: "string", marker: "name", position: 1, validators: { requiredValidator: { strict: true } } },
    { type: "string", marker: "note", position: 2, validators: { stringInspectionValidator: { stringMax: 5 } } }
  ],
  {
    localizeInfos: { en_US: { title: "Contact", successMessage: "Thank you" } },
    moduleFormConfigs: [
      { id: 2, entityIdentifiers: [{ id: "blog" }, { id: 7 }], exceptionIds: ["secret"] },
      { id: 3, isAnonymous: false, isGlobal: true },
      { id: 4, viewOnlyUserData: true, isGlobal: true },
      { id: 5, isClosed: true, isModerate: true, isGlobal: true }
    ]
  }
)

const tenant = project(Project.defaultProject, {
  languages: ["en_US", "de_DE"],
  forms: [
    ...(Project.defaultProject.forms ?? []),
    contact,
    form("types", types),
    form("validated", validated),
    form("empty", []),
    form("captcha", [
      { type: "spam", marker: "spam" },
      { type: "string", marker: "name", validators: { requiredValidator: {} } }
    ]),
    form("captchas", [
      { type: "spam", marker: "spam" },
      { type: "spam", marker: "spam2" }
    ]),
    form("order", [{ type: "string", marker: "name" }], { type: "order" }),
    form("rating", [{ type: "integer", marker: "stars", isRatingValue: true }], {
      type: "rating",
      moduleFormConfigs: [{ id: 9, isRating: true, maxRatingScale: 5, isGlobal: true }]
    }),
    form("halves", [{ type: "float", marker: "stars", isRatingValue: true }], {
      type: "rating",
      moduleFormConfigs: [{ id: 10, isRating: true, allowHalfRatings: true, allowRerating: true, isGlobal: true }]
    })
  ],
  permissions: [{ operation: "getFormsDataByMarker", rule: "granted" }]
})

const live = (switches?: Project.Input["switches"]) =>
  inProcess({ project: { ...tenant, ...(switches === undefined ? {} : { switches }) } })

const post = (formIdentifier: string, items: unknown, more: object = {}, options: object = {}) =>
  call("POST", "/api/content/form-data", {
    body: { formIdentifier, formData: Array.isArray(items) ? { en_US: items } : items, ...more },
    ...options
  })

const incorrect = (marker: string) => `formData's marker '${marker}' value is missing or incorrect`

describe("forms", () => {
  it.effect("are listed with their number, and found by marker, raw", () =>
    Effect.gen(function* () {
      const list = yield* call("GET", "/api/content/forms?langCode=en_US&offset=1&limit=2")
      assert.deepInclude(Object(list.json), { total: 10 })
      assert.deepStrictEqual(
        Object(list.json).items.map((item: { identifier: string }) => item.identifier),
        ["contact_us", "types"]
      )
      const reg = Object((yield* call("GET", "/api/content/forms/marker/reg")).json)
      assert.deepInclude(reg, {
        id: 4,
        attributeSetId: 5,
        type: "sing_in_up",
        processingType: "script",
        templateId: null
      })
      assert.deepStrictEqual(reg.localizeInfos.en_US.title, "Registration")
      assert.deepStrictEqual(reg.attributes[0], {
        type: "string",
        marker: "email_reg",
        position: 1,
        isVisible: true,
        settings: {},
        listTitles: [],
        validators: { requiredValidator: { strict: true }, emailInspectionValidator: true },
        localizeInfos: { en_US: { title: "E-mail" } },
        additionalFields: [],
        isLogin: true,
        isSignUp: false,
        isNotificationEmail: false,
        isNotificationPhoneSMS: null,
        isNotificationPhonePush: null
      })
      assert.strictEqual(reg.attributes[3].isPassword, true)
      const empty = Object((yield* call("GET", "/api/content/forms/marker/empty")).json)
      assert.deepStrictEqual(empty.attributes, {})
      const shown = Object((yield* call("GET", "/api/content/forms/marker/contact_us")).json)
      assert.deepStrictEqual(shown.moduleFormConfigs[0], {
        id: 2,
        moduleIdentifier: "content",
        isGlobal: false,
        isClosed: false,
        viewOnlyUserData: false,
        commentOnlyUserData: false,
        entityIdentifiers: [
          { id: "blog", isNested: false },
          { id: 7, isNested: false }
        ],
        exceptionIds: ["secret"],
        isRating: null,
        isAnonymous: null,
        allowHalfRatings: null,
        allowRerating: null,
        maxRatingScale: null
      })
      refused(yield* call("GET", "/api/content/forms/marker/nope"), 404, text("FormNotFound"))
      refused(yield* call("GET", "/api/content/forms?limit=1.5"), 400, ["limit must be an integer number"])
    }).pipe(Effect.provide(live()))
  )
})

describe("a submission", () => {
  it.effect("answers with the record and the form's message", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 second")
      const items = [{ marker: "name", type: "string", value: "Ann" }]
      const answer = yield* post("contact_us", items, {
        formModuleConfigId: 2,
        moduleEntityIdentifier: "blog",
        replayTo: null,
        status: "sent"
      })
      ok(answer, 201, {
        formData: {
          id: 1,
          formIdentifier: "contact_us",
          time: "1970-01-01T00:00:01.000Z",
          entityIdentifier: "blog",
          fingerprint: null,
          isUserAdmin: false,
          formModuleId: 2,
          userIdentifier: null,
          parentId: null,
          formData: { en_US: items }
        },
        actionMessage: "Thank you"
      })
      const tokens = yield* registered()
      const reply = yield* post(
        "contact_us",
        items,
        { replayTo: "1" },
        { bearer: tokens.accessToken, device: device() }
      )
      assert.deepInclude(Object(reply.json).formData, {
        parentId: 1,
        userIdentifier: login,
        fingerprint: "device-1"
      })
    }).pipe(Effect.provide(live()))
  )

  it.effect("is checked in order: body, locale, markers, presence, types, form type, config", () =>
    Effect.gen(function* () {
      refused(yield* call("POST", "/api/content/form-data", { body: {} }), 400, [
        "formIdentifier should not be empty",
        "formData should not be empty"
      ])
      refused(yield* post("contact_us", [], { extra: 1 }), 400, ["property extra should not exist"])
      refused(yield* post("nope", []), 404, text("FormNotFound"))
      refused(yield* post("contact_us", { xx: [{ marker: "nope", value: 1 }] }), 400, "empty form data section")
      refused(yield* post("contact_us", []), 400, "empty form data section")
      refused(yield* post("contact_us", {}), 400, "empty form data section")
      refused(
        yield* post("contact_us", [{ marker: "nope", type: "string", value: "x" }], { formModuleConfigId: 99 }),
        400,
        "wrong form's attribute type"
      )
      refused(
        yield* post("contact_us", [{ marker: "note", type: "text", value: "too long" }], { formModuleConfigId: 99 }),
        400,
        incorrect("name")
      )
      const name = { marker: "name", type: "string", value: "x" }
      refused(yield* post("contact_us", [{ ...name, value: " " }], { formModuleConfigId: 99 }), 400, incorrect("name"))
      refused(
        yield* post("contact_us", [name, { marker: "note", type: "text", value: "x" }], { formModuleConfigId: 99 }),
        400,
        "formData's marker 'note' type must be one of [string]"
      )
      refused(
        yield* post("contact_us", [name, { marker: "note", type: "string", value: "too long" }], {
          formModuleConfigId: 99
        }),
        400,
        incorrect("note")
      )
      refused(yield* post("order", [name], { formModuleConfigId: 99 }), 404, "Form has incorrect type: order")
      refused(
        yield* post("contact_us", [name], { formModuleConfigId: 99 }),
        400,
        "Incorrect formIdentifier for provided config"
      )
      refused(
        yield* post("contact_us", [name], { formModuleConfigId: 9 }),
        400,
        "Incorrect formIdentifier for provided config"
      )
      const entity = text("EntityUnknown")
      refused(yield* post("contact_us", [name], { formModuleConfigId: 2, moduleEntityIdentifier: "shop" }), 400, entity)
      refused(
        yield* post("contact_us", [name], { formModuleConfigId: 2, moduleEntityIdentifier: "secret" }),
        400,
        entity
      )
      assert.strictEqual(
        (yield* post("contact_us", [name], { formModuleConfigId: 2, moduleEntityIdentifier: 7 })).status,
        201
      )
      refused(yield* post("contact_us", [name], { formModuleConfigId: 3 }), 400, text("AnonymousNotAllowed"))
      refused(yield* post("contact_us", [name], { replayTo: 77 }), 404, text("SubmissionNotFound"))
      const reg = yield* post("reg", [
        { marker: "name_reg", type: "string", value: "x" },
        { marker: "email_reg", type: "string", value: "a@b.io" },
        { marker: "phone_reg", type: "string", value: "1" }
      ])
      refused(reg, 400, incorrect("password_reg"))
    }).pipe(Effect.provide(live()))
  )

  it.effect("values can be refused in other words", () =>
    Effect.gen(function* () {
      const items = [{ marker: "note", type: "string", value: "x" }]
      refused(yield* post("contact_us", items), 400, "required values are missing or incorrect: name")
    }).pipe(Effect.provide(live({ fieldWording: "required" })))
  )

  it.effect("the type of a form can be refused with 400", () =>
    Effect.gen(function* () {
      const name = { marker: "name", type: "string", value: "x" }
      refused(yield* post("order", [name]), 400, "Form has incorrect type: order")
    }).pipe(Effect.provide(live({ formTypeStatus: 400 })))
  )

  const date = {
    fullDate: "2024-05-07T21:02:00.000Z",
    formattedValue: "08-05-2024 00:02",
    formatString: "DD-MM-YYYY HH:mm"
  }
  const stored = { filename: "files/a.png", downloadLink: "http://x/a.png", size: 1 }
  const values: Record<string, { readonly good: ReadonlyArray<unknown>; readonly bad: ReadonlyArray<unknown> }> = {
    string: { good: ["x", ""], bad: [1, null, ["x"], {}] },
    integer: { good: [1, "1", -5], bad: [1.5, "x", "", "1.5", null, true] },
    float: { good: [1.5, "1.5", 1], bad: ["x", null, {}, "1e999"] },
    real: { good: ["0.5", 2], bad: ["half"] },
    date: { good: [date], bad: ["", null, "2024-05-07", { ...date, fullDate: "never" }, { fullDate: date.fullDate }] },
    dateTime: { good: [date], bad: [[date]] },
    time: { good: [date], bad: [{ ...date, formatString: 1 }] },
    text: {
      good: [[{ plainValue: "x" }], [{ htmlValue: "<p>", params: {} }], { mdValue: "x" }],
      bad: [
        "x",
        [],
        [{ plainValue: "x", htmlValue: "y" }],
        [{ plainValue: "x" }, { plainValue: "y" }],
        [{ other: "x" }],
        [{ plainValue: "x", header: "h" }]
      ]
    },
    textWithHeader: {
      good: [[{ header: "h", htmlValue: "x" }]],
      bad: [[{ header: "h" }], [{ header: 1, htmlValue: "x" }]]
    },
    list: { good: [["1"], [2], [{ title: "One", value: "1" }]], bad: ["1", ["3"], ["1", "2"], [null]] },
    many: { good: [["1", "2"], []], bad: [["1", "x"]] },
    radioButton: { good: [["1"], "2", 2], bad: [["1", "2"], "3", null] },
    entity: { good: [[2954, 2957], ["p-1-2"], ["12"], [{ id: 1, title: "x" }]], bad: [1, ["x"], [1.5]] },
    timeInterval: {
      good: [[["2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z"]]],
      bad: [["2024-01-01T00:00:00Z"], [["x", "y"]]]
    },
    image: {
      good: [[stored], [{ ...stored, contentType: "image/png", previewLink: {} }]],
      bad: [stored, [{ filename: "x" }], [{ ...stored, size: "1" }], [{ ...stored, fileQuery: {} }]]
    },
    groupOfImages: { good: [[stored, stored]], bad: ["x"] },
    file: { good: [[stored]], bad: [[{ ...stored, filename: "" }]] },
    json: { good: [{ a: [1] }, "text", null, 5], bad: [] }
  }

  it.effect("takes and refuses the values of every type", () =>
    Effect.gen(function* () {
      for (const [marker, { bad, good }] of Object.entries(values)) {
        const type = types.find((attribute) => attribute.marker === marker)?.type
        for (const value of good) {
          const answer = yield* post("types", [{ marker, type, value }])
          assert.strictEqual(answer.status, 201, `${marker} ${JSON.stringify(value)} ${answer.text}`)
        }
        for (const value of bad) refused(yield* post("types", [{ marker, type, value }]), 400, incorrect(marker))
      }
      refused(yield* post("types", [{ marker: "button", type: "button", value: "x" }]), 400, text("FieldUnknown"))
      assert.deepStrictEqual(
        [...new Set(types.map((attribute) => attribute.marker))].filter((marker) => !(marker in values)),
        ["button"]
      )
    }).pipe(Effect.provide(live()))
  )

  it.effect("refuses contentType in files on older servers", () =>
    Effect.gen(function* () {
      const value = [{ ...stored, contentType: "image/png" }]
      refused(yield* post("types", [{ marker: "image", type: "image", value }]), 400, incorrect("image"))
    }).pipe(Effect.provide(live({ fileContentType: "refuse" })))
  )

  it.effect("runs the validators that servers enforce", () =>
    Effect.gen(function* () {
      const rows: Record<string, { readonly good: ReadonlyArray<unknown>; readonly bad: ReadonlyArray<unknown> }> = {
        sized: { good: ["ab", "abcd"], bad: ["a", "abcde"] },
        exact: { good: ["abc"], bad: ["ab", "abcd"] },
        url: { good: ["https://a.b/c"], bad: ["a.b", "ftp://a", "javascript:alert(1)"] },
        email: { good: ["a@b.io"], bad: ["a", "a@b", "a b@c.io"] },
        number: { good: ["5", "9"], bad: ["4", "10", "5.5", "x"] },
        rounded: { good: [1.25, "1.2"], bad: [1.234] },
        boolean: { good: ["true", "0"], bad: ["maybe"] },
        given: { good: ["a", "b"], bad: ["c"] },
        pattern: { good: ["Xy", "xy"], bad: ["yx"] },
        inverted: { good: ["yx"], bad: ["xy"] },
        mask: { good: ["(12) 34", "+7(12) 34"], bad: ["12 34", "(1a) 34"] },
        trimmed: { good: ["  abc  "], bad: ["abcd"] },
        kept: { good: ["123"], bad: [] }
      }
      for (const [marker, { bad, good }] of Object.entries(rows)) {
        const type = validated.find((attribute) => attribute.marker === marker)?.type
        for (const value of good) {
          const answer = yield* post("validated", [{ marker, type, value }])
          assert.strictEqual(answer.status, 201, `${marker} ${JSON.stringify(value)} ${answer.text}`)
        }
        for (const value of bad) refused(yield* post("validated", [{ marker, type, value }]), 400, incorrect(marker))
      }
      const twins = (a: string, b: string) =>
        post("validated", [
          { marker: "given", type: "string", value: a },
          { marker: "twin", type: "string", value: b }
        ])
      assert.strictEqual((yield* twins("a", "a")).status, 201)
      refused(yield* twins("a", "b"), 400, incorrect("twin"))
    }).pipe(Effect.provide(live()))
  )

  it.effect("with a captcha is refused without one, before anything else", () =>
    Effect.gen(function* () {
      const spam = (token: string) => ({ marker: "spam", type: "spam", value: { event: { token, siteKey: "key" } } })
      const name = { marker: "name", type: "string", value: "x" }
      refused(yield* post("captcha", [{ ...name, value: "" }]), 400, text("CaptchaMissing"))
      refused(yield* post("captcha", [spam("good")]), 400, incorrect("name"))
      refused(yield* post("captcha", [spam(""), name]), 400, text("CaptchaFailed"))
      refused(yield* post("captcha", [spam("emulator-invalid"), name]), 400, text("CaptchaFailed"))
      assert.strictEqual((yield* post("captcha", [spam("good"), name])).status, 201)
      refused(yield* post("captchas", [spam("good")]), 400, text("CaptchaTwice"))
    }).pipe(Effect.provide(live()))
  )

  it.effect("can be a rating: once for a device or a user, within the scale", () =>
    Effect.gen(function* () {
      const stars = (value: unknown) => [{ marker: "stars", type: "integer", value }]
      const rate = (value: unknown, entity: string, fingerprint?: string) =>
        post(
          "rating",
          stars(value),
          { moduleEntityIdentifier: entity },
          fingerprint === undefined ? {} : { device: device(fingerprint) }
        )
      refused(yield* rate(5, "a"), 400, "Missing x-device-metadata header")
      refused(yield* post("rating", stars(5), {}, { device: "x" }), 400, "Invalid x-device-metadata format")
      refused(yield* rate(6, "a", "d"), 400, incorrect("stars"))
      refused(yield* rate(-1, "a", "d"), 400, incorrect("stars"))
      assert.strictEqual((yield* rate(5, "a", "d")).status, 201)
      refused(yield* rate(4, "a", "d"), 400, text("AlreadyRated"))
      assert.strictEqual((yield* rate(4, "b", "d")).status, 201)
      assert.strictEqual((yield* rate(4, "a", "e")).status, 201)
      const half = (value: number) =>
        post("halves", [{ marker: "stars", type: "float", value }], {}, { device: device("d") })
      assert.strictEqual((yield* half(3.5)).status, 201)
      assert.strictEqual((yield* half(4)).status, 201)
      refused(yield* half(3.25), 400, incorrect("stars"))
    }).pipe(Effect.provide(live()))
  )
})

describe("submissions", () => {
  const name = (value: string) => [{ marker: "name", type: "string", value }]
  const list = (body: object = {}, query = "", options: object = {}) =>
    call("POST", `/api/content/form-data/marker/contact_us${query}`, { body, ...options })
  const names = (answer: { readonly json: unknown }): ReadonlyArray<string> =>
    Object(answer.json).items.map(
      (item: { formData: { en_US: ReadonlyArray<{ value: string }> } }) => item.formData.en_US[0]?.value
    )

  it.effect("are not readable by default", () =>
    Effect.gen(function* () {
      const answer = yield* call("POST", "/api/content/form-data/marker/reg", { body: {} })
      assert.strictEqual(answer.status, 403)
      assert.include(answer.text, `rule to be enabled on the permission (permissionId: 36) linked to the user group`)
      refused(yield* call("GET", "/api/content/form-data"), 405, text("ListPerForm"))
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("are listed with filters and pages", () =>
    Effect.gen(function* () {
      yield* post("contact_us", name("first"), { formModuleConfigId: 2, moduleEntityIdentifier: "blog" })
      yield* TestClock.adjust("1 day")
      const tokens = yield* registered()
      yield* post(
        "contact_us",
        name("second"),
        { status: "approved" },
        { bearer: tokens.accessToken, device: device() }
      )
      yield* post("contact_us", name("third"), { formModuleConfigId: 5, replayTo: 1 })
      yield* post("contact_us", name("fourth"), { replayTo: 3 })
      assert.deepStrictEqual(names(yield* list()), ["first", "second", "third", "fourth"])
      assert.deepStrictEqual(names(yield* list({}, "?offset=1&limit=2")), ["second", "third"])
      assert.deepInclude(Object((yield* list({}, "?offset=1&limit=2")).json), { total: 4 })
      assert.deepStrictEqual(names(yield* list({ entityIdentifier: "blog" })), ["first"])
      assert.deepStrictEqual(names(yield* list({ parentId: 1 })), ["third"])
      assert.deepStrictEqual(names(yield* list({ userIdentifier: login })), ["second"])
      assert.deepStrictEqual(names(yield* list({ status: ["approved", "moderation"] })), ["second", "third"])
      assert.deepStrictEqual(names(yield* list({ status: "" })), ["first", "second", "third", "fourth"])
      assert.deepStrictEqual(names(yield* list({ dateTo: "1970-01-01" })), ["first"])
      assert.deepStrictEqual(names(yield* list({ dateFrom: "1970-01-02 00:00:00" })), ["second", "third", "fourth"])
      assert.deepStrictEqual(names(yield* list({ isSentByAdmin: true })), [])
      refused(yield* list({}, "?formModuleConfigId=4"), 403, text("SubmissionsPrivate"))
      assert.deepStrictEqual(names(yield* list({}, "?formModuleConfigId=4", { bearer: tokens.accessToken })), [])
      refused(yield* list({ entityparentIdentifier: "x" }), 400, ["property entityparentIdentifier should not exist"])
      refused(yield* list({ dateFrom: "yesterday" }), 400, ["dateFrom is not valid"])
      refused(yield* list({ dateFrom: "1970-99-99" }), 400, ["dateFrom is not valid"])
      refused(yield* list({}, "?formModuleConfigId=99"), 400, text("FormConfigMismatch"))
      refused(yield* list({}, "?formModuleConfigId=5"), 403, text("SubmissionsPrivate"))
      refused(yield* call("POST", "/api/content/form-data/marker/nope", { body: {} }), 404, text("FormNotFound"))
      const plain = Object((yield* list({}, "?isExtended=0")).json).items[3]
      assert.deepStrictEqual(plain, {
        id: 4,
        formIdentifier: "contact_us",
        formData: { en_US: name("fourth") },
        time: "1970-01-02T00:00:00.000Z",
        parentId: 3,
        depth: 2,
        userIdentifier: null,
        entityIdentifier: null,
        isUserAdmin: false,
        formModuleConfigId: 2
      })
      const extended = Object((yield* list({}, "?isExtended=1")).json).items[1]
      assert.deepInclude(extended, {
        ip: null,
        fingerprint: "device-1",
        status: "approved",
        attributeSetIdentifier: null,
        moduleIdentifier: "content"
      })
    }).pipe(Effect.provide(live()))
  )

  it.effect("belong to who sent them", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const ann = yield* registered()
      const bob = yield* registered("bob@example.com")
      yield* post("contact_us", name("mine"), {}, { bearer: ann.accessToken })
      yield* post("contact_us", name("nobody's"))
      const body = { langCode: "en_US", formData: { en_US: name("changed") } }
      const put = (id: number | string, options: object) =>
        call("PUT", `/api/content/form-data/${id}`, { body, ...options })
      refused(yield* put(1, {}), 401, "Unauthorized")
      refused(yield* put(1, { bearer: bob.accessToken }), 403, "Forbidden resource")
      refused(yield* put(2, { bearer: bob.accessToken }), 403, "Forbidden resource")
      refused(yield* put(3, { bearer: bob.accessToken }), 404, text("SubmissionNotFound"))
      refused(yield* put("x", { bearer: bob.accessToken }), 404, text("SubmissionNotFound"))
      ok(yield* put(1, { bearer: ann.accessToken }), 200, {
        id: 1,
        formIdentifier: "contact_us",
        time: "1970-01-01T00:00:00.000Z",
        entityIdentifier: null,
        fingerprint: null,
        isUserAdmin: false,
        formModuleId: 2,
        userIdentifier: login,
        parentId: null,
        formData: name("changed")
      })
      const bare = yield* put(1, { bearer: ann.accessToken, body: { formData: name("array") } })
      assert.deepStrictEqual(Object(bare.json).formData, name("array"))
      refused(yield* put(1, { bearer: ann.accessToken, body: { formData: name("") } }), 400, incorrect("name"))
      const status = (value: unknown, bearer: string) =>
        call("PUT", "/api/content/form-data/1/update-status", { body: { status: value }, bearer })
      ok(yield* status("approved", ann.accessToken), 200, true)
      refused(yield* status("nope", ann.accessToken), 400, ["status is not valid"])
      refused(yield* status("banned", bob.accessToken), 403, "Forbidden resource")
      assert.strictEqual((yield* emulator.snapshot).submissions[0]?.status, "approved")
      refused(yield* call("DELETE", "/api/content/form-data/1", { bearer: bob.accessToken }), 403, "Forbidden resource")
      ok(yield* call("DELETE", "/api/content/form-data/1", { bearer: ann.accessToken }), 200, true)
      refused(
        yield* call("DELETE", "/api/content/form-data/1", { bearer: ann.accessToken }),
        404,
        text("SubmissionNotFound")
      )
    }).pipe(Effect.provide(live()))
  )
})
