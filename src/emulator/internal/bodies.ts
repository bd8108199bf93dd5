/** The request bodies of the API, and what decodes them. */
import * as Schema from "effect/Schema"
import { classBody, joiBody, maxItems, maxLength, notEmpty } from "./validate.ts"

const Text = Schema.String.check(maxLength(10_000))
const Filled = Schema.String.check(notEmpty, maxLength(10_000))
const LangCode = Schema.String.check(notEmpty, maxLength(64))
const optional = Schema.optionalKey

const AuthItem = Schema.Struct({ marker: Filled, value: Filled })

const FormItem = Schema.Struct({
  marker: Filled,
  type: optional(Filled),
  value: optional(Schema.Json)
})
type FormItem = typeof FormItem.Type

const FormDataByLocale = Schema.Record(Schema.String, Schema.Array(FormItem).check(maxItems(1000)))

const NotificationData = Schema.Struct({
  email: optional(Filled),
  phonePush: optional(Schema.Union([Schema.Array(Text).check(maxItems(100)), Text])),
  phoneSMS: optional(Filled)
})
export type NotificationBody = typeof NotificationData.Type

export const signUp = joiBody(
  Schema.Struct({
    formIdentifier: optional(Filled),
    langCode: LangCode,
    authData: Schema.Array(AuthItem).check(maxItems(100)),
    formData: optional(FormDataByLocale),
    notificationData: optional(NotificationData)
  })
)

export const auth = joiBody(
  Schema.Struct({ authData: Schema.Array(AuthItem).check(maxItems(100)), code: optional(Schema.String) })
)

export const updateUser = joiBody(
  Schema.Struct({
    formIdentifier: Filled,
    langCode: LangCode,
    formData: optional(FormDataByLocale),
    authData: optional(Schema.Array(AuthItem).check(maxItems(1))),
    notificationData: optional(NotificationData),
    state: optional(Schema.Record(Schema.String, Schema.Json))
  })
)

export const generateCode = classBody(Schema.Struct({ userIdentifier: Filled, eventIdentifier: Filled }))

// Only generate-code looks at the event; the others take whatever stands there.
const Event = optional(Schema.NullOr(Text))

export const checkCode = classBody(Schema.Struct({ userIdentifier: Filled, eventIdentifier: Event, code: Filled }))

export const activate = classBody(Schema.Struct({ userIdentifier: Filled, code: Filled }))

export const changePassword = classBody(
  Schema.Struct({
    userIdentifier: Filled,
    eventIdentifier: Event,
    code: Filled,
    type: optional(Schema.Finite),
    password1: Filled,
    password2: Filled
  })
)

// A missing token is an incorrect token, as when the official SDK refreshes without one.
export const refresh = classBody(Schema.Struct({ refreshToken: optional(Schema.NullOr(Text)) }))

export const logout = classBody(Schema.Struct({ refreshToken: Filled }))

// With the credentials stored in the provider, those of the body may be empty or absent.
export const oauth = classBody(
  Schema.Struct({
    client_id: optional(Text),
    client_secret: optional(Text),
    code: Filled,
    grant_type: optional(Text),
    redirect_uri: optional(Text)
  })
)

const Status = Schema.Literals(["", "sent", "moderation", "approved", "banned", "deleted"])

export const postFormData = classBody(
  Schema.Struct({
    formIdentifier: Filled,
    formModuleConfigId: optional(Schema.NullOr(Schema.Finite)),
    moduleEntityIdentifier: optional(Schema.NullOr(Schema.Union([Text, Schema.Finite]))),
    replayTo: optional(Schema.NullOr(Schema.Union([Text, Schema.Finite]))),
    status: optional(Schema.NullOr(Status)),
    langCode: optional(LangCode),
    formData: FormDataByLocale
  })
)

export const putFormData = classBody(
  Schema.Struct({
    formIdentifier: optional(Filled),
    formModuleConfigId: optional(Schema.NullOr(Schema.Finite)),
    moduleEntityIdentifier: optional(Schema.NullOr(Schema.Union([Text, Schema.Finite]))),
    replayTo: optional(Schema.NullOr(Schema.Union([Text, Schema.Finite]))),
    status: optional(Schema.NullOr(Status)),
    langCode: optional(LangCode),
    formData: Schema.Union([FormDataByLocale, Schema.Array(FormItem).check(maxItems(1000))])
  })
)

export const putStatus = classBody(
  Schema.Struct({ status: Schema.Literals(["sent", "moderation", "approved", "banned", "deleted"]) })
)

const DateText = Schema.String.check(
  Schema.isPattern(/^(\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2})?)?$/, { message: "value" })
)

export const listFormData = classBody(
  Schema.Struct({
    entityIdentifier: optional(Schema.NullOr(Schema.Union([Text, Schema.Finite]))),
    parentId: optional(Schema.NullOr(Schema.Union([Text, Schema.Finite]))),
    userIdentifier: optional(Schema.NullOr(Text)),
    status: optional(Schema.NullOr(Schema.Union([Schema.Array(Status).check(maxItems(10)), Status]))),
    dateFrom: optional(Schema.NullOr(DateText)),
    dateTo: optional(Schema.NullOr(DateText)),
    isSentByAdmin: optional(Schema.NullOr(Schema.Boolean))
  })
)

export const subscription = classBody(
  Schema.Struct({
    locale: optional(Text),
    langCode: optional(Text),
    productId: Schema.Union([Schema.Finite, Filled])
  })
)

export const captcha = classBody(Schema.Record(Schema.String, Schema.Json))
