import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Redacted, Schedule, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { FetchClient, FieldValue, Forms, FormSchema, FormsData, TokenStorage } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { operations, project, sentBy } from "./helpers/content.ts"
import { count, deepFreeze, failsWith, inProcess, login, overHttp, register, signIn } from "./helpers/scenario.ts"

const here = inProcess(undefined, { project })

const query: FieldValue.FileQuery = { type: "page", entity: "editor", id: 3492 }
const cv = () => new File(["curriculum"], "cv.pdf", { type: "application/pdf" })

const contact = (name = "Ann"): FormsData.NewSubmission => ({
  formIdentifier: "contact_us",
  formModuleConfigId: 2,
  moduleEntityIdentifier: "blog",
  formData: [FieldValue.string("name", name)]
})

const formOf = (marker: string) => Forms.Forms.use((forms) => forms.getFormByMarker(marker))

const issuesOf = (error: { readonly _tag: string }) =>
  error instanceof FormSchema.FormInvalid ? error.issues.map(({ code, marker }) => [marker, code]) : []

/** Every operation once, as one after the other is used. */
const everything = Effect.gen(function* () {
  const data = yield* FormsData.FormsData
  const emulator = yield* Emulator.Emulator
  yield* register()
  yield* signIn()

  const form = yield* formOf("contact_us")
  const posted = yield* data.post(
    {
      ...contact(),
      status: "sent",
      formData: [
        FieldValue.string("name", "Ann"),
        FieldValue.date("day", "1990-05-07"),
        FieldValue.file("cv", cv(), query),
        FieldValue.image("photo", new Blob(["pixels"], { type: "image/png" }), query),
        { marker: "send", type: "button" },
        FieldValue.string("mail", "")
      ]
    },
    { form }
  )
  const { submission } = posted
  assert.strictEqual(posted.actionMessage, "Thank you")
  assert.deepStrictEqual(
    submission.formData.map(({ marker, type }) => [marker, type]),
    [
      ["name", "string"],
      ["day", "date"],
      ["cv", "file"],
      ["photo", "image"]
    ]
  )
  const file = submission.formData.find(({ marker }) => marker === "cv")
  assert(file?.type === "file" && file.value !== null)
  assert.match(String(file.value[0]?.filename), /^files\/project\/page\/3492\/editor\/.+\.pdf$/)
  assert.strictEqual(file.value[0]?.size, 10)
  assert.deepInclude(submission, {
    formIdentifier: "contact_us",
    formModuleConfigId: 2,
    entityIdentifier: "blog",
    userIdentifier: login,
    isUserAdmin: false
  })
  assert.isFalse("parentId" in submission)
  assert(submission.time !== undefined && DateTime.isUtc(submission.time))
  assert(Redacted.isRedacted(submission.fingerprint))

  const answer = yield* data.post({ ...contact("Bob"), replayTo: submission.id }, { langCode: "de_DE" })
  assert.strictEqual(answer.actionMessage, "Danke")
  assert.strictEqual(answer.submission.parentId, submission.id)

  const page = yield* data.getByMarker("contact_us", { formModuleConfigId: 2, isExtended: true, limit: 1 })
  assert.strictEqual(page.total, 2)
  assert.deepStrictEqual(
    page.items.map(({ depth, id, status }) => ({ depth, id, status })),
    [{ depth: 0, id: submission.id, status: "sent" }]
  )
  const answers = yield* data.getByMarker("contact_us", { filter: { parentId: submission.id }, langCode: "de_DE" })
  assert.deepStrictEqual(
    answers.items.map(({ depth, formData, id }) => [id, depth, formData[0]?.value]),
    [[answer.submission.id, 1, "Bob"]]
  )

  const changed = yield* data.updateById(submission.id, { formData: FieldValue.string("name", "Anna") }, { form })
  assert.deepStrictEqual(
    changed.formData.map(({ value }) => value),
    ["Anna"]
  )
  assert.isUndefined(yield* data.updateStatusById(submission.id, "approved"))
  const approved = yield* data.getByMarker("contact_us", { filter: { status: ["approved"] }, isExtended: true })
  assert.deepStrictEqual(
    approved.items.map(({ id, status }) => [id, status]),
    [[submission.id, "approved"]]
  )
  assert.isUndefined(yield* data.deleteById(submission.id))
  assert.strictEqual((yield* data.getByMarker("contact_us")).total, 1)
  assert.isTrue(
    (yield* emulator.requests).every(
      ({ operation, status }) => operation === "generateCode" || (status !== null && status < 300)
    )
  )
})

describe("every operation", () => {
  it.effect("without a socket", () => everything.pipe(Effect.provide(here)))
  it.effect("over HTTP, by Effect's client", () =>
    everything.pipe(Effect.provide(overHttp(FetchHttpClient.layer, undefined, { project })))
  )
  it.effect("over HTTP, by our own", () =>
    everything.pipe(Effect.provide(overHttp(FetchClient.layer, undefined, { project })))
  )

  it.effect("with the layer of the module alone", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const layer = FormsData.layer({ url: emulator.url, appToken: emulator.appToken }).pipe(
        Layer.provide(TokenStorage.layerMemory)
      )
      const posted = yield* FormsData.FormsData.use((data) => data.post(contact())).pipe(Effect.provide(layer))
      assert.isFalse("userIdentifier" in posted.submission)
    }).pipe(Effect.provide(Emulator.layerClient({ passwordCost: 1, project })))
  )
})

describe("post", () => {
  it.effect("reports every field that is wrong, with nothing sent, where the form is given", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const form = yield* formOf("contact_us")
      const { result, sent } = yield* sentBy(
        Effect.flip(
          data.post(
            {
              formIdentifier: "contact_us",
              formData: [
                FieldValue.string("mail", "no address"),
                FieldValue.date("day", "2024-02-31"),
                FieldValue.file("cv", cv()),
                FieldValue.string("typo", "x")
              ]
            },
            { form }
          )
        )
      )
      assert.deepStrictEqual(sent, [])
      assert.sameDeepMembers(issuesOf(result), [
        ["name", "missing"],
        ["mail", "validator"],
        ["day", "type"],
        ["cv", "file"],
        ["typo", "unknownMarker"]
      ])
      assert(result instanceof FormSchema.FormInvalid)
      assert.strictEqual(result.byMarker["mail"]?.[0]?.message, "Please give an address")
      assert.match(result.message, /cv: .*fileQuery/)
    }).pipe(Effect.provide(here))
  )

  it.effect("finds values that cannot be sent without the form too", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const bad = (field: FieldValue.FormField) => data.post({ formIdentifier: "contact_us", formData: field })
      const { result, sent } = yield* sentBy(
        Effect.all([
          Effect.flip(bad(FieldValue.date("day", "the day after"))),
          Effect.flip(bad(FieldValue.file("cv", cv()))),
          Effect.flip(bad({ marker: "cv", type: "file", value: [] }))
        ])
      )
      assert.deepStrictEqual(sent, [])
      assert.deepStrictEqual(result.map(issuesOf), [[["day", "type"]], [["cv", "file"]], [["contact_us", "form"]]])
    }).pipe(Effect.provide(here))
  )

  it.effect("a form without attributes, a sign-up form, and no fields: the form and the remedy, nothing sent", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const blank = yield* formOf("blank")
      const reg = yield* formOf("reg")
      const { result, sent } = yield* sentBy(
        Effect.all([
          Effect.flip(data.post({ formIdentifier: "blank", formData: FieldValue.string("x", "y") }, { form: blank })),
          Effect.flip(
            data.post({ formIdentifier: "reg", formData: FieldValue.string("name_reg", "y") }, { form: reg })
          ),
          Effect.flip(data.post({ formIdentifier: "contact_us", formData: [{ marker: "send", type: "button" }] })),
          Effect.flip(data.post({ formIdentifier: "contact_us", formData: {} }))
        ])
      )
      assert.deepStrictEqual(sent, [])
      assert.deepStrictEqual(
        result.map(({ message }) => message),
        [
          "blank: has no fields: add attributes to the form in the admin panel",
          "reg: is a form for signing up: send it with AuthProvider.signUp or Users.updateUser",
          "contact_us: has nothing to send: give at least one field of the form a value",
          "contact_us: has nothing to send: give at least one field of the form a value"
        ]
      )
      for (const error of result) assert.strictEqual(error._tag, "FormInvalid")
    }).pipe(Effect.provide(here))
  )

  it.effect("a file of two gigabytes names its field and what to change, with nothing sent", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const huge = new File(["x"], "film.mp4")
      Object.defineProperty(huge, "size", { value: 2 * 1024 ** 3 })
      const { result, sent } = yield* sentBy(
        Effect.flip(
          data.post({
            formIdentifier: "contact_us",
            formData: [
              FieldValue.string("name", "Ann"),
              FieldValue.file("cv", cv(), query),
              FieldValue.image("photo", huge, query)
            ]
          })
        )
      )
      assert.deepStrictEqual(sent, [])
      assert(result._tag === "UploadFailed")
      assert.strictEqual(result.marker, "photo")
      assert.match(String(result.cause), /film\.mp4.*2147483648 bytes.*104857600.*maxBytes/)

      const small = yield* sentBy(
        Effect.flip(
          data.post({ formIdentifier: "contact_us", formData: FieldValue.file("cv", cv(), query) }, { maxFileBytes: 9 })
        )
      )
      assert.deepStrictEqual(small.sent, [])
      assert(small.result._tag === "UploadFailed" && small.result.marker === "cv")
    }).pipe(Effect.provide(here))
  )

  it.effect("an upload that fails names its field, and nothing is posted", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.add({ kind: "status", operation: "upload", status: 500 })
      const error = yield* failsWith(
        data.post({
          formIdentifier: "contact_us",
          formData: [FieldValue.string("name", "Ann"), FieldValue.file("cv", cv(), query)]
        }),
        "UploadFailed"
      )
      assert(error._tag === "UploadFailed" && error.marker === "cv")
      assert.strictEqual(yield* count("postFormsData"), 0)
    }).pipe(Effect.provide(here))
  )

  it.effect("what the server refuses of a field comes back by its marker, in the form's words where it has some", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const post = (formData: FieldValue.FormFields) => data.post({ formIdentifier: "contact_us", formData })
      const missing = yield* failsWith(post(FieldValue.string("mail", "ann@example.com")), "FormInvalid")
      assert.deepStrictEqual(issuesOf(missing), [["name", "server"]])
      const type = yield* failsWith(
        post([FieldValue.string("name", "Ann"), FieldValue.string("day", "x")]),
        "FormInvalid"
      )
      assert.deepStrictEqual(issuesOf(type), [["day", "server"]])
      const unknown = yield* failsWith(
        post([FieldValue.string("name", "Ann"), FieldValue.string("typo", "x")]),
        "FormInvalid"
      )
      assert.deepStrictEqual(issuesOf(unknown), [["", "server"]])

      // A form that the server has changed since: what was valid yesterday.
      const form = yield* formOf("contact_us")
      const stale: FormSchema.Form = {
        ...form,
        attributes: form.attributes.map((one) => ({
          ...one,
          rules: { ...one.rules, validators: one.marker === "mail" ? [] : one.rules.validators }
        }))
      }
      const words = yield* failsWith(
        data.post(
          {
            formIdentifier: "contact_us",
            formData: [FieldValue.string("name", "Ann"), FieldValue.string("mail", "x")]
          },
          { form: stale }
        ),
        "FormInvalid"
      )
      assert.deepStrictEqual(issuesOf(words), [["mail", "server"]])
    }).pipe(Effect.provide(here))
  )

  it.effect("a captcha that is missing or stale is an issue of its field", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const post = (formData: FieldValue.FormFields) => data.post({ formIdentifier: "guarded", formData })
      const none = yield* failsWith(post(FieldValue.string("text", "x")), "FormInvalid")
      assert.deepStrictEqual(issuesOf(none), [["", "server"]])
      const stale = yield* failsWith(
        post([FieldValue.string("text", "x"), FieldValue.spam("captcha", "emulator-invalid", "key")]),
        "FormInvalid"
      )
      assert.deepStrictEqual(issuesOf(stale), [["captcha", "server"]])
      yield* post([FieldValue.string("text", "x"), FieldValue.spam("captcha", Redacted.make("fresh"), "key")])
    }).pipe(Effect.provide(here))
  )

  it.effect("causes that a program treats on their own have tags of their own", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const text = FieldValue.string("text", "Good")
      yield* failsWith(data.post({ formIdentifier: "typo", formData: text }), "FormNotFound")
      const anonymous = yield* failsWith(data.post({ formIdentifier: "review", formData: text }), "AnonymousNotAllowed")
      assert(anonymous._tag === "AnonymousNotAllowed")
      assert.deepStrictEqual([anonymous.marker, anonymous.statusCode], ["review", 400])
      yield* failsWith(
        data.post({ formIdentifier: "rich", formData: FieldValue.string("string", "x") }),
        "FormMismatch"
      )
      yield* failsWith(data.post({ ...contact(), formModuleConfigId: 99 }), "FormMismatch")
      yield* failsWith(data.post({ ...contact(), moduleEntityIdentifier: "shop" }), "FormMismatch")
      yield* failsWith(data.post({ ...contact(), replayTo: 99 }), "SubmissionNotFound")
      const rate = data.post({
        formIdentifier: "stars",
        moduleEntityIdentifier: "blog",
        formData: FieldValue.integer("stars", 5)
      })
      yield* rate
      yield* failsWith(rate, "AlreadyRated")
      yield* register()
      yield* signIn()
      yield* data.post({ formIdentifier: "review", formData: text })
    }).pipe(Effect.provide(here))
  )

  it.effect("a token that has ended is refreshed, and the change sent once more", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const emulator = yield* Emulator.Emulator
      yield* register()
      yield* signIn()
      const { submission } = yield* data.post(contact())
      yield* emulator.expireAccessTokens
      const { sent } = yield* sentBy(data.updateStatusById(submission.id, "approved"))
      assert.deepStrictEqual(sent, ["updateFormsDataStatusByid", "refresh", "updateFormsDataStatusByid"])
    }).pipe(Effect.provide(here))
  )

  it.effect("changes nothing that it is given", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const form = yield* formOf("contact_us")
      const input = deepFreeze({ ...contact(), formData: { en_US: [FieldValue.string("name", "Ann")] } })
      yield* data.post(input, { form })
      yield* data.post(input)
      const { items } = yield* data.getByMarker("contact_us")
      assert.deepStrictEqual(
        items.map(({ formData }) => formData[0]?.value),
        ["Ann", "Ann"]
      )
    }).pipe(Effect.provide(here))
  )
})

describe("reading", () => {
  it.effect("pages by itself, whatever a page holds", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      yield* Effect.forEach(
        Array.from({ length: 7 }, (_, n) => String(n)),
        (name) => data.post(contact(name))
      )
      const { result, sent } = yield* sentBy(Stream.runCollect(data.streamByMarker("contact_us", { pageSize: 3 })))
      assert.deepStrictEqual(
        Array.from(result, ({ formData }) => formData[0]?.value),
        ["0", "1", "2", "3", "4", "5", "6"]
      )
      assert.lengthOf(sent, 3)
      const some = yield* sentBy(Stream.runCollect(Stream.take(data.streamByMarker("contact_us", { pageSize: 3 }), 2)))
      assert.lengthOf(some.sent, 1)
      const none = yield* sentBy(
        Stream.runCollect(data.streamByMarker("contact_us", { filter: { status: ["banned"] } }))
      )
      assert.deepStrictEqual([none.result.length, none.sent.length], [0, 1])
    }).pipe(Effect.provide(here))
  )

  it.effect("filters by date, in every way to write one", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      yield* data.post(contact())
      const between = (
        dateFrom: FormsData.SubmissionFilter["dateFrom"],
        dateTo: FormsData.SubmissionFilter["dateTo"]
      ) => Effect.map(data.getByMarker("contact_us", { filter: { dateFrom, dateTo } }), ({ total }) => total)
      const now = yield* DateTime.now
      const day = DateTime.formatIso(now).slice(0, 10)
      assert.strictEqual(yield* between(day, day), 1)
      assert.strictEqual(
        yield* between(DateTime.subtract(now, { minutes: 1 }), DateTime.toDateUtc(DateTime.add(now, { minutes: 1 }))),
        1
      )
      assert.strictEqual(yield* between("1960-01-01 00:00:00", "1960-01-01 23:59"), 0)
      for (const wrong of ["2024-02-31", "yesterday", "", "2024-13-01", new Date(Number.NaN)]) {
        const { result, sent } = yield* sentBy(Effect.flip(between(wrong, undefined)))
        assert.deepStrictEqual(sent, [])
        assert.match(result.message, /filter\.dateFrom.*must be a date that exists/)
      }
    }).pipe(Effect.provide(here))
  )

  it.effect("a private form is a matter of permissions, an unknown one is not found", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      yield* failsWith(data.getByMarker("private"), "OneEntryError/PermissionDenied")
      yield* failsWith(data.getByMarker("typo"), "FormNotFound")
      yield* failsWith(data.getByMarker("contact_us", { formModuleConfigId: 99 }), "FormMismatch")
      yield* failsWith(Stream.runCollect(data.streamByMarker("typo")), "FormNotFound")
    }).pipe(Effect.provide(here))
  )

  it.effect("goes on after a failure that passes", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.add({ kind: "status", operation: "getFormsDataByMarker", status: 503, count: 1 })
      assert.strictEqual((yield* data.getByMarker("contact_us")).total, 0)
      assert.strictEqual(yield* count("getFormsDataByMarker"), 2)
    }).pipe(Effect.provide(inProcess({ retry: Schedule.recurs(1) }, { project })))
  )
})

describe("🔐", () => {
  it.effect("nobody is signed in: NotAuthenticated, nothing sent", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const { sent } = yield* sentBy(
        Effect.all([
          failsWith(data.updateById(1, { formData: FieldValue.string("name", "x") }), "NotAuthenticated"),
          failsWith(data.updateStatusById(1, "approved"), "NotAuthenticated"),
          failsWith(data.deleteById(1), "NotAuthenticated")
        ])
      )
      assert.deepStrictEqual(sent, [])
    }).pipe(Effect.provide(here))
  )

  it.effect("somebody else's is not permitted, and none is not found", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const { submission } = yield* data.post(contact())
      yield* register()
      yield* signIn()
      const change = { formData: FieldValue.string("name", "x") }
      yield* failsWith(data.updateById(submission.id, change), "OneEntryError/PermissionDenied")
      yield* failsWith(data.updateStatusById(submission.id, "approved"), "OneEntryError/PermissionDenied")
      yield* failsWith(data.deleteById(submission.id), "OneEntryError/PermissionDenied")
      yield* failsWith(data.updateById(99, change), "SubmissionNotFound")
      yield* failsWith(data.updateStatusById(99, "approved"), "SubmissionNotFound")
      const error = yield* failsWith(data.deleteById(99), "SubmissionNotFound")
      assert(error._tag === "SubmissionNotFound" && error.marker === "99")
    }).pipe(Effect.provide(here))
  )

  it.effect("a change is checked as a submission is", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const form = yield* formOf("contact_us")
      yield* register()
      yield* signIn()
      const { submission } = yield* data.post(contact())
      const { result, sent } = yield* sentBy(
        Effect.flip(data.updateById(submission.id, { formData: FieldValue.string("mail", "x") }, { form }))
      )
      assert.deepStrictEqual(
        [sent, issuesOf(result)],
        [
          [],
          [
            ["name", "missing"],
            ["mail", "validator"]
          ]
        ]
      )
      const refused = yield* failsWith(
        data.updateById(submission.id, { formData: FieldValue.string("mail", "a@b.io") }),
        "FormInvalid"
      )
      assert.deepStrictEqual(issuesOf(refused), [["name", "server"]])
    }).pipe(Effect.provide(here))
  )

  it.effect("arguments that cannot be right send nothing", () =>
    Effect.gen(function* () {
      const data = yield* FormsData.FormsData
      const wrongStatus: string = "gone"
      const { sent } = yield* sentBy(
        Effect.all([
          failsWith(data.deleteById(Number.NaN), "OneEntryError/InvalidRequest"),
          failsWith(data.deleteById(-1), "OneEntryError/InvalidRequest"),
          failsWith(data.updateStatusById(1, wrongStatus as FormsData.Status), "OneEntryError/InvalidRequest"),
          failsWith(data.post({ ...contact(), formIdentifier: " " }), "OneEntryError/InvalidRequest"),
          failsWith(data.post({ ...contact(), formModuleConfigId: 1.5 }), "OneEntryError/InvalidRequest"),
          failsWith(data.getByMarker(".."), "OneEntryError/InvalidRequest")
        ])
      )
      assert.deepStrictEqual(sent, [])
      assert.deepStrictEqual(yield* operations, [])
    }).pipe(Effect.provide(here))
  )
})
