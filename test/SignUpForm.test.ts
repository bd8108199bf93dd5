import { assert, describe, it } from "@effect/vitest"
import { Effect, Inspectable, Option, Redacted, Result, Schema } from "effect"
import * as FieldValue from "effect-oneentry/FieldValue"
import * as FormSchema from "effect-oneentry/FormSchema"
import * as SignUpForm from "effect-oneentry/SignUpForm"
import * as seed from "./fixtures/seed1.ts"

const make = (attributes: ReadonlyArray<unknown>, options?: SignUpForm.Options) =>
  Effect.map(FormSchema.decode({ id: 4, identifier: "reg", type: "sign_in_up", attributes }, "en_US"), (form) =>
    SignUpForm.make(form, options)
  )

const seedForm = Effect.map(FormSchema.decode(seed.form, "en_US"), (form) => SignUpForm.make(form))

const seedValues = {
  email_reg: "your-user@email.com",
  password_reg: "123456",
  name_reg: "UserName",
  phone_reg: "+18007986545",
  email_notification_reg: "your-user@email.com"
}

/** The body that `signUp` sends for the data, as WIRE has it. */
const wireOf = (data: FieldValue.SignUpData, langCode: string) => ({
  formIdentifier: data.formIdentifier,
  authData: Result.getOrThrow(FieldValue.encodeAuthData(data.authData)),
  formData: Object.fromEntries(
    FieldValue.byLanguage(data.formData ?? [], langCode).map(([language, fields]) => [
      language,
      Result.getOrThrow(FieldValue.encode(fields))
    ])
  ),
  notificationData: FieldValue.encodeNotificationData(data.notificationData ?? {}),
  langCode
})

/** A form of today: every flag is there. */
const attribute = (marker: string, more: Record<string, unknown> = {}) => ({
  marker,
  type: "string",
  isVisible: true,
  settings: {},
  listTitles: [],
  validators: {},
  localizeInfos: { title: marker },
  additionalFields: [],
  isLogin: false,
  isPassword: false,
  isSignUp: true,
  isSignUpRequired: false,
  isNotificationEmail: false,
  isNotificationPhoneSMS: false,
  isNotificationPhonePush: false,
  ...more
})

const login = attribute("user_mail_id", { isLogin: true, validators: { emailInspectionValidator: true } })
const password = attribute("secret", {
  isPassword: true,
  validators: { stringInspectionValidator: { stringMin: "8" } }
})

const said = (error: FormSchema.FormInvalid) => error.issues.map(({ marker, message }) => `${marker}: ${message}`)

describe("the registration scenario (SEED1)", () => {
  it.effect("gives exactly the data that was sent", () =>
    Effect.gen(function* () {
      const form = yield* seedForm
      const data = yield* form.encode(seedValues)
      assert.deepStrictEqual<unknown>(wireOf(data, "en_US"), seed.data)
      assert.deepStrictEqual(data, {
        formIdentifier: "reg",
        authData: [
          { marker: "email_reg", value: "your-user@email.com" },
          { marker: "password_reg", value: "123456" }
        ],
        formData: [
          { marker: "name_reg", type: "string", value: "UserName" },
          { marker: "phone_reg", type: "string", value: "+18007986545" },
          { marker: "email_notification_reg", type: "string", value: "your-user@email.com" }
        ],
        notificationData: { email: "your-user@email.com", phonePush: [], phoneSMS: "+18007986545" }
      })
    })
  )

  it.effect("a redacted password stays closed until the wire", () =>
    Effect.gen(function* () {
      const form = yield* seedForm
      const data = yield* form.encode({ ...seedValues, password_reg: Redacted.make("123456") })
      assert.isTrue(Redacted.isRedacted(data.authData[1]?.value))
      assert.notInclude(JSON.stringify(data), "123456")
      assert.notInclude(Inspectable.toStringUnknown(data), "123456")
      assert.deepStrictEqual<unknown>(wireOf(data, "en_US"), seed.data)
    })
  )

  it.effect("shows the five fields, and the two of the sign-in", () =>
    Effect.gen(function* () {
      const form = yield* seedForm
      const shown = (page: SignUpForm.Page) =>
        form
          .fields(page)
          .map(({ autocomplete, kind, label, marker, required, role }) => [
            marker,
            label,
            kind,
            role,
            required,
            autocomplete
          ])
      assert.deepStrictEqual(shown("signUp"), [
        ["email_reg", "E-mail", "email", "login", true, "email"],
        ["name_reg", "Name", "text", "data", true, "name"],
        ["phone_reg", "Phone", "tel", "notificationPhoneSMS", true, "tel"],
        ["password_reg", "Password", "password", "password", true, "new-password"],
        ["email_notification_reg", "email for notification", "email", "notificationEmail", false, "email"]
      ])
      assert.deepStrictEqual(shown("signIn"), [
        ["email_reg", "E-mail", "email", "login", true, "username"],
        ["password_reg", "Password", "password", "password", true, "current-password"]
      ])
      // The guess at the password is no secret.
      assert.deepStrictEqual(
        form.problems.map(({ marker }) => marker),
        ["password_reg"]
      )
    })
  )

  it.effect("the sign-in of the same values", () =>
    Effect.gen(function* () {
      const form = yield* seedForm
      assert.deepStrictEqual(yield* form.encodeSignIn(seedValues), {
        authData: [
          { marker: "email_reg", value: "your-user@email.com" },
          { marker: "password_reg", value: "123456" }
        ]
      })
    })
  )

  it.effect("says everything that is wrong at once", () =>
    Effect.gen(function* () {
      const form = yield* seedForm
      const error = yield* Effect.flip(form.encode({ email_reg: "x", name_reg: " ", pasword_reg: "1" }))
      assert.deepStrictEqual(said(error), [
        "email_reg: must be an e-mail address",
        "name_reg: is required",
        "phone_reg: is required",
        "password_reg: is required",
        "pasword_reg: the form has no such field; leave it out or correct its marker"
      ])
      assert.deepStrictEqual(Object.keys(error.byMarker), [
        "email_reg",
        "name_reg",
        "phone_reg",
        "password_reg",
        "pasword_reg"
      ])
    })
  )
})

describe("routing by the flags", () => {
  const contacts = [
    login,
    password,
    attribute("name"),
    attribute("mail_to", { isNotificationEmail: true }),
    attribute("sms", { isNotificationPhoneSMS: true }),
    attribute("push", { isNotificationPhonePush: true })
  ]
  const values = { user_mail_id: "ann@x.io", secret: "12345678", name: "Ann", mail_to: "b@x.io", sms: "+1", push: "+2" }

  it.effect("contacts go into formData and notificationData, credentials into authData alone", () =>
    Effect.gen(function* () {
      const form = yield* make(contacts)
      const data = yield* form.encode(values)
      assert.deepStrictEqual(
        data.authData.map(({ marker }) => marker),
        ["user_mail_id", "secret"]
      )
      assert.deepStrictEqual(
        data.formData.map(({ marker }) => marker),
        ["name", "mail_to", "sms", "push"]
      )
      assert.deepStrictEqual(data.notificationData, { email: "b@x.io", phonePush: ["+2"], phoneSMS: "+1" })
    })
  )

  it.effect("phones are left out of notificationData for servers that refuse them", () =>
    Effect.gen(function* () {
      const form = yield* make(contacts, { notifications: "emailOnly" })
      const data = yield* form.encode(values)
      assert.deepStrictEqual(data.notificationData, { email: "b@x.io" })
      assert.deepStrictEqual(
        data.formData.map(({ marker }) => marker),
        ["name", "mail_to", "sms", "push"]
      )
    })
  )

  it.effect("the login stands in as e-mail, when it is one", () =>
    Effect.gen(function* () {
      const form = yield* make(contacts)
      const { mail_to: _, ...rest } = values
      assert.strictEqual((yield* form.encode(rest)).notificationData.email, "ann@x.io")
      const byName = yield* make([{ ...login, validators: {} }, password])
      const data = yield* byName.encode({ user_mail_id: "ann", secret: "12345678" })
      assert.deepStrictEqual(data.notificationData, { phonePush: [] })
    })
  )

  it.effect("empty values are dropped everywhere", () =>
    Effect.gen(function* () {
      const form = yield* make(contacts)
      const data = yield* form.encode({ ...values, name: "", sms: "", push: null, mail_to: undefined })
      assert.deepStrictEqual(data.formData, [])
      assert.deepStrictEqual(data.notificationData, { email: "ann@x.io", phonePush: [] })
    })
  )

  it.effect("a phone that the form says is no SMS contact is not made one", () =>
    Effect.gen(function* () {
      const form = yield* make([login, password, attribute("phone")])
      const data = yield* form.encode({ user_mail_id: "ann@x.io", secret: "12345678", phone: "+1" })
      assert.deepStrictEqual(data.notificationData, { email: "ann@x.io", phonePush: [] })
    })
  )

  it.effect("fields of every type reach formData in their own shape", () =>
    Effect.gen(function* () {
      const fileQuery = { type: "page", entity: "editor", id: 3492 }
      const form = yield* make(
        [
          login,
          password,
          attribute("birthday", { type: "date" }),
          attribute("about", { type: "text" }),
          attribute("colour", { type: "list", listTitles: [{ title: "Red", value: "1", position: 1 }] }),
          attribute("avatar", { type: "image" }),
          attribute("age", { type: "integer" }),
          attribute("news", { validators: { booleanValidator: true } })
        ],
        { fileQuery }
      )
      const avatar = new File(["x"], "a.png")
      const data = yield* form.encode({
        user_mail_id: "ann@x.io",
        secret: "12345678",
        birthday: "1990-05-07",
        about: "me",
        colour: "1",
        avatar,
        age: "33",
        news: true
      })
      assert.deepStrictEqual<unknown>(data.formData, [
        {
          marker: "birthday",
          type: "date",
          value: { fullDate: "1990-05-07T00:00:00.000Z", formattedValue: "07-05-1990", formatString: "DD-MM-YYYY" }
        },
        { marker: "about", type: "text", value: [{ plainValue: "me" }] },
        { marker: "colour", type: "list", value: ["1"] },
        { marker: "avatar", type: "image", value: [avatar], fileQuery },
        { marker: "age", type: "integer", value: 33 },
        { marker: "news", type: "string", value: "true" }
      ])
    })
  )
})

describe("the password", () => {
  const old = (marker: string, more: Record<string, unknown> = {}) => ({
    marker,
    type: "string",
    isVisible: true,
    isLogin: null,
    isSignUp: null,
    ...more
  })
  const required = { validators: { requiredValidator: {} } }
  const passwordOf = (attributes: ReadonlyArray<unknown>) =>
    Effect.map(make(attributes), (form) => form.fields("signIn").find(({ role }) => role === "password")?.marker)

  it.effect("is the flagged field, in forms of today", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* passwordOf([login, password]), "secret")
      assert.isUndefined(yield* passwordOf([login, attribute("password", required)]))
    })
  )

  it.effect("was marked by an additional field in older ones", () =>
    Effect.gen(function* () {
      const additionalFields = [{ marker: "type", type: "string", value: "password" }]
      assert.strictEqual(
        yield* passwordOf([
          old("login", { isLogin: true }),
          old("my_password", required),
          old("x", { additionalFields })
        ]),
        "x"
      )
    })
  )

  it.effect("is guessed by marker where the form says nothing", () =>
    Effect.gen(function* () {
      const mail = old("login", { isLogin: true })
      assert.strictEqual(yield* passwordOf([mail, old("password_reg", required)]), "password_reg")
      assert.isUndefined(yield* passwordOf([mail, old("password_hint")]))
      assert.isUndefined(yield* passwordOf([mail, old("password_reg", { ...required, isSignUp: true })]))
      assert.isUndefined(yield* passwordOf([mail, old("password_reg", { ...required, isNotificationEmail: true })]))
      assert.isUndefined(yield* passwordOf([mail, old("password_reg", { ...required, type: "integer" })]))
    })
  )
})

describe("required", () => {
  it.effect("comes from isSignUpRequired, else from the validator", () =>
    Effect.gen(function* () {
      const requiredValidator = { requiredValidator: {} }
      const form = yield* make([
        login,
        password,
        attribute("a", { isSignUpRequired: true }),
        attribute("b", { isSignUpRequired: false, validators: requiredValidator }),
        attribute("c", { isSignUpRequired: null, validators: requiredValidator }),
        attribute("d", { isSignUpRequired: null }),
        attribute("hidden", { isSignUpRequired: true, isVisible: false }),
        attribute("profile", { isSignUpRequired: true, isSignUp: false })
      ])
      assert.deepStrictEqual(
        form.fields("signUp").map(({ marker, required }) => [marker, required]),
        [
          ["user_mail_id", true],
          ["secret", true],
          ["a", true],
          ["b", false],
          ["c", true],
          ["d", false],
          ["profile", true]
        ]
      )
      // Not on the page, but demanded by the server.
      const error = yield* Effect.flip(form.encode({}))
      assert.deepStrictEqual(
        error.issues.map(({ marker }) => marker),
        ["user_mail_id", "secret", "a", "c", "hidden", "profile"]
      )
      assert.match(error.byMarker["hidden"]?.[0]?.message ?? "", /the form hides it: give it a value/)
    })
  )

  it.effect("a form that flags nothing for sign-up shows all its visible fields", () =>
    Effect.gen(function* () {
      const form = yield* make([
        { ...login, isSignUp: false },
        { ...password, isSignUp: null },
        attribute("a", { isSignUp: null }),
        attribute("b", { isSignUp: false }),
        attribute("send", { type: "button" })
      ])
      assert.deepStrictEqual(
        form.fields("signUp").map(({ marker }) => marker),
        ["user_mail_id", "secret", "a", "b"]
      )
    })
  )
})

describe("fields", () => {
  it.effect("say what a page needs to draw them", () =>
    Effect.gen(function* () {
      const form = yield* make([
        login,
        password,
        attribute("mail", { validators: { emailInspectionValidator: {} } }),
        attribute("mobile_no", { validators: { fieldMaskValidator: { maskValue: "999[[space]]99", hint: "+62" } } }),
        attribute("site", { validators: { urlInspectionValidator: true } }),
        attribute("note", {
          type: "text",
          validators: { stringInspectionValidator: { stringMin: "2", stringMax: "9" } }
        }),
        attribute("age", {
          type: "integer",
          validators: { checkForNumberValidator: { minValue: "18", maxValue: "99" } }
        }),
        attribute("height", { type: "real", validators: { roundingNumberValidator: { precision: 2 } } }),
        attribute("born", { type: "date", validators: { minMaxDateValidator: { minDate: "1900-01-01" } } }),
        attribute("at", { type: "dateTime" }),
        attribute("when", { type: "time" }),
        attribute("slots", { type: "timeInterval" }),
        attribute("colour", {
          type: "list",
          listTitles: [{ title: "Red", value: "1", position: 1, extended: { value: "#f00", type: "color" } }]
        }),
        attribute("tags", { type: "list", multiselect: true }),
        attribute("plan", { type: "radioButton" }),
        attribute("page", { type: "entity" }),
        attribute("photo", {
          type: "image",
          validators: {
            checkingFilesValidator: { maxUnits: "mb", maxValue: "2", extensions: ["png"] },
            sizeInPixelsValidator: { maxX: "500", maxY: 0 }
          }
        }),
        attribute("docs", { type: "file" }),
        attribute("raw", { type: "json" }),
        attribute("agree", { validators: { booleanValidator: {} } }),
        attribute("first_name", {
          additionalFields: [
            { marker: "placeholder", value: "Enter first name" },
            { marker: "hint", value: "As in your passport" }
          ],
          validators: {
            regExpValidator: { patternValue: "^[A-Z]+$" },
            defaultValueValidator: { fieldDefaultValue: "Ann", fieldDefaultValue2: "" }
          }
        }),
        attribute("send", { type: "button" })
      ])
      const fields = form.fields("signUp")
      const of = (marker: string) => fields.find((field) => field.marker === marker)
      assert.deepStrictEqual(
        fields.map(({ kind }) => kind),
        [
          "email",
          "password",
          "email",
          "tel",
          "url",
          "textarea",
          "number",
          "number",
          "date",
          "datetime-local",
          "time",
          "interval",
          "select",
          "checkbox",
          "radio",
          "select",
          "file",
          "file",
          "json",
          "checkbox",
          "text"
        ]
      )
      assert.strictEqual(of("secret")?.minLength, 8)
      assert.deepStrictEqual([of("mobile_no")?.mask, of("mobile_no")?.maskPrefix], ["999 99", "+62"])
      assert.deepStrictEqual([of("note")?.minLength, of("note")?.maxLength], [2, 9])
      assert.deepStrictEqual([of("age")?.min, of("age")?.max, of("age")?.step], [18, 99, 1])
      assert.strictEqual(of("height")?.step, 0.01)
      assert.deepStrictEqual([of("born")?.min, of("born")?.max], ["1900-01-01", undefined])
      assert.deepStrictEqual(of("colour")?.choices, [
        { value: "1", label: "Red", extended: { value: "#f00", type: "color" } }
      ])
      assert.deepStrictEqual(
        [of("colour")?.multiple, of("tags")?.multiple, of("photo")?.multiple, of("docs")?.multiple],
        [false, true, false, true]
      )
      assert.deepStrictEqual(
        [of("photo")?.accept, of("photo")?.maxSize, of("photo")?.maxWidth],
        [[".png"], 2 * 1024 * 1024, 500]
      )
      assert.isFalse("maxHeight" in (of("photo") ?? {}))
      const name = of("first_name")
      assert.deepStrictEqual(
        [name?.placeholder, name?.hint, name?.pattern, name?.defaultValue, name?.autocomplete],
        ["Enter first name", "As in your passport", "[A-Z]+", "Ann", "given-name"]
      )
    })
  )

  it.effect("a captcha carries its keys, and is a problem of a sign-up form", () =>
    Effect.gen(function* () {
      const form = yield* make([
        login,
        password,
        attribute("captcha", { type: "spam", settings: { captcha: { key: "site-key", action: "signup" } } })
      ])
      const field = form.fields("signUp").find(({ kind }) => kind === "captcha")
      assert.deepStrictEqual(field?.captcha, { siteKey: "site-key", action: "signup" })
      assert.include(form.problems[0]?.message ?? "", "captcha")
      const error = yield* Effect.flip(form.encode({ user_mail_id: "a@x.io", secret: "12345678" }))
      assert.deepStrictEqual(
        error.issues.map(({ code, marker }) => [marker, code]),
        [["captcha", "form"]]
      )
      assert.match(error.message, /hide or remove it in the admin panel/)
    })
  )
})

describe("sign-in", () => {
  it.effect("asks only that the credentials are there", () =>
    Effect.gen(function* () {
      const form = yield* make([login, password, attribute("name", { isSignUpRequired: true })])
      // Shorter than today's rule, and of a form of address that the validator would refuse.
      assert.deepStrictEqual((yield* form.encodeSignIn({ user_mail_id: "ann", secret: "old" })).authData, [
        { marker: "user_mail_id", value: "ann" },
        { marker: "secret", value: "old" }
      ])
      const error = yield* Effect.flip(form.encodeSignIn({ user_mail_id: "", secert: "x" }))
      assert.deepStrictEqual(
        error.issues.map(({ code, marker }) => [marker, code]),
        [
          ["user_mail_id", "missing"],
          ["secret", "missing"],
          ["secert", "unknownMarker"]
        ]
      )
      const byCode = yield* form.encodeSignIn({ user_mail_id: "ann@x.io" }, { withCode: true })
      assert.deepStrictEqual(byCode.authData, [{ marker: "user_mail_id", value: "ann@x.io" }])
      const decode = Schema.decodeEffect(form.signInSchema)
      assert.deepStrictEqual(yield* decode({ user_mail_id: "ann", secret: "old" }), {
        user_mail_id: "ann",
        secret: "old"
      })
      assert.strictEqual((yield* Effect.flip(decode({ user_mail_id: "ann" })))._tag, "SchemaError")
    })
  )

  it.effect("the case of a login changes on request only", () =>
    Effect.gen(function* () {
      const values = { user_mail_id: "Ann@X.io", secret: Redacted.make("PassWord") }
      const plain = yield* make([login, password])
      assert.strictEqual((yield* plain.encodeSignIn(values)).authData[0]?.value, "Ann@X.io")
      const lower = yield* make([login, password], { normalizeLogin: "lowercase" })
      for (const { authData } of [yield* lower.encodeSignIn(values), yield* lower.encode(values)]) {
        assert.strictEqual(authData[0]?.value, "ann@x.io")
        const secret = authData[1]?.value
        assert.isTrue(Redacted.isRedacted(secret) && Redacted.value(secret) === "PassWord")
      }
      const hidden = yield* lower.encodeSignIn({ ...values, user_mail_id: Redacted.make("Ann@X.io") })
      const login_ = hidden.authData[0]?.value
      assert.isTrue(Redacted.isRedacted(login_) && Redacted.value(login_) === "ann@x.io")
    })
  )

  it.effect("a credential that is no text is a fault of the form", () =>
    Effect.gen(function* () {
      const form = yield* make([
        { ...login, validators: {} },
        { ...password, type: "list", validators: {} }
      ])
      const values = { user_mail_id: "ann", secret: ["x"] }
      for (const error of [yield* Effect.flip(form.encode(values)), yield* Effect.flip(form.encodeSignIn(values))]) {
        assert.deepStrictEqual(
          error.issues.map(({ code, marker }) => [marker, code]),
          [["secret", "form"]]
        )
      }
      const numeric = yield* make([{ ...login, type: "integer", validators: {} }, password])
      const { authData } = yield* numeric.encodeSignIn({ user_mail_id: 123, secret: "x" })
      assert.strictEqual(authData[0]?.value, "123")
    })
  )

  it.effect("a form without a login says so", () =>
    Effect.gen(function* () {
      const form = yield* make([attribute("a")])
      for (const error of [yield* Effect.flip(form.encode({})), yield* Effect.flip(form.encodeSignIn({}))]) {
        assert.strictEqual(error.issues[0]?.code, "form")
        assert.include(error.message, "no login field")
      }
      const none = yield* make([])
      assert.deepStrictEqual(none.fields("signUp"), [])
      assert.strictEqual((yield* Effect.flip(none.encode({})))._tag, "FormInvalid")
    })
  )
})

describe("errors", () => {
  it.effect("problems of the definition are listed, not thrown", () =>
    Effect.gen(function* () {
      const form = yield* make([
        login,
        password,
        attribute("zip", { validators: { regExpValidator: { patternValue: "([" }, holographicValidator: true } })
      ])
      assert.deepStrictEqual(
        form.problems.map(({ marker, validator }) => [marker, validator]),
        [
          ["zip", "regExpValidator"],
          ["zip", "holographicValidator"]
        ]
      )
      yield* form.encode({ user_mail_id: "a@x.io", secret: "12345678", zip: "any" })
    })
  )

  it.effect("a refusal of the server is the same error, in the form's words", () =>
    Effect.gen(function* () {
      const form = yield* make([
        login,
        password,
        attribute("name", { validators: { requiredValidator: { customErrorText: "Your name, please" } } })
      ])
      const error = form.fromServerError("formData's marker 'name' value is missing or incorrect")
      assert.deepStrictEqual(Option.map(error, said), Option.some(["name: Your name, please"]))
      assert.deepStrictEqual(form.fromServerError(["Forbidden resource"]), Option.none())
    })
  )

  it.effect("no issue and no schema error repeats a password", () =>
    Effect.gen(function* () {
      const form = yield* make([login, password])
      const secret = "canary"
      for (const value of [secret, Redacted.make(secret), { secret }, [secret]]) {
        const error = yield* Effect.flip(form.encode({ user_mail_id: "a@x.io", secret: value }))
        const schema = yield* Effect.flip(Schema.decodeEffect(form.schema)({ user_mail_id: "a@x.io", secret: value }))
        for (const text of [error.message, JSON.stringify(error), Inspectable.toStringUnknown(error), schema.message]) {
          assert.notInclude(text, secret)
        }
      }
    })
  )

  it.effect("the schema works for form libraries", () =>
    Effect.gen(function* () {
      const form = yield* seedForm
      const standard = Schema.toStandardSchemaV1(form.schema)["~standard"]
      const good = yield* Effect.promise(async () => standard.validate(seedValues))
      assert.deepStrictEqual(good, { value: seedValues })
      const bad = yield* Effect.promise(async () => standard.validate({ ...seedValues, email_reg: "x", name_reg: "" }))
      assert.deepStrictEqual(bad.issues, [
        { path: ["email_reg"], message: "must be an e-mail address" },
        { path: ["name_reg"], message: "is required" }
      ])
    })
  )
})

// -- properties -------------------------------------------------------------------------------------------------------

const Flag = Schema.NullOr(Schema.Boolean)
const AnyAttribute = Schema.Struct({
  marker: Schema.Literals(["a", "b", "c", "phone", "password", "__proto__", "constructor"]),
  type: Schema.Literals(["string", "string", "string", "integer", "text", "list", "button"]),
  isVisible: Flag,
  isLogin: Flag,
  isPassword: Schema.optionalKey(Flag),
  isSignUp: Flag,
  isSignUpRequired: Schema.optionalKey(Flag),
  isNotificationEmail: Flag,
  isNotificationPhoneSMS: Flag,
  isNotificationPhonePush: Flag,
  validators: Schema.Record(Schema.Literals(["requiredValidator", "trimValidator", "futureValidator"]), Schema.Boolean)
})
const Value = Schema.Union([Schema.Literals(["", "7", "12", "345"]), Schema.Null])
const Values = Schema.Struct({ a: Value, b: Value, c: Value, phone: Value, password: Value, constructor: Value })

describe("properties", () => {
  const counted = { accepted: 0, refused: 0 }

  it.effect.prop(
    "every value goes where the flags say, once, and the input is left as it was",
    {
      attributes: Schema.Array(AnyAttribute).check(Schema.isMinLength(3)),
      values: Values
    },
    ({ attributes, values: all }) =>
      Effect.gen(function* () {
        const unique = attributes.filter((a, i) => attributes.findIndex((b) => b.marker === a.marker) === i)
        const values = Object.fromEntries(
          Object.entries(all).filter(([marker]) => unique.some((a) => a.marker === marker))
        )
        const form = yield* make(unique)
        const before = JSON.stringify(values)
        const result = yield* Effect.result(form.encode(Object.freeze(values)))
        assert.strictEqual(JSON.stringify(values), before)
        if (Result.isFailure(result)) {
          counted.refused++
          assert.isAbove(result.failure.issues.length, 0)
          return
        }
        counted.accepted++
        const data = result.success
        const auth = data.authData.map(({ marker }) => marker)
        const formMarkers = data.formData.map(({ marker }) => marker)
        const guessed = form.problems.find(({ message }) => message.includes("taken for the password"))?.marker
        for (const { isLogin, isPassword, marker, type } of unique) {
          const value = Object.hasOwn(values, marker) ? values[marker] : ""
          const sent = type !== "button" && value !== "" && value !== null
          const credential = isLogin === true || isPassword === true || marker === guessed
          assert.strictEqual(auth.filter((m) => m === marker).length, sent && credential ? 1 : 0, marker)
          assert.strictEqual(formMarkers.filter((m) => m === marker).length, sent && !credential ? 1 : 0, marker)
        }
        // What is required was there, and all of it encodes for the wire.
        for (const { marker, required } of form.fields("signUp")) {
          if (required) assert.isTrue(auth.includes(marker) || formMarkers.includes(marker), marker)
        }
        assert.isTrue(Result.isSuccess(FieldValue.encode(data.formData)))
        assert.isTrue(Result.isSuccess(FieldValue.encodeAuthData(data.authData)))
      }),
    { arbitrary: { runs: 2000 } }
  )

  it("both outcomes were seen often", () => {
    assert.isAbove(counted.accepted, 50)
    assert.isAbove(counted.refused, 50)
  })
})
