/** The answers of the API as schemas; every answer is encoded through one of them. */
import * as Schema from "effect/Schema"
import { FormData, NotificationData } from "../Snapshot.ts"

const Text = Schema.String
const Int = Schema.Int
const Flag = Schema.Boolean
const optional = Schema.optionalKey
const nullable = Schema.NullOr
const JsonRecord = Schema.Record(Schema.String, Schema.Json)

export const True = Schema.Literal(true)
export const Bool = Schema.Boolean

export const SignUp = Schema.Struct({
  id: Int,
  identifier: Text,
  isActive: Flag,
  formData: FormData,
  notificationData: nullable(NotificationData),
  locale: Text,
  createdDate: Text,
  updatedDate: Text,
  deletedAt: nullable(Text),
  isDeleted: Flag,
  version: Int,
  state: JsonRecord
}).annotate({ identifier: "SignedUpUser" })

export const Tokens = Schema.Struct({
  userIdentifier: Text,
  authProviderIdentifier: Text,
  accessToken: Text,
  refreshToken: Text
}).annotate({ identifier: "TokenPair" })

const ConfigValue = nullable(Schema.Union([Schema.Finite, Text, Flag]))

export const Provider = Schema.Struct({
  id: Int,
  localizeInfos: JsonRecord,
  version: Int,
  identifier: Text,
  type: Text,
  formIdentifier: nullable(Text),
  userGroupIdentifier: Text,
  isActive: Flag,
  isCheckCode: Flag,
  config: Schema.Struct({
    accessTokenTtlSec: ConfigValue,
    refreshTokenTtlMc: ConfigValue,
    deleteNoneActiveUsersAfterDays: ConfigValue,
    systemCodeTlsSec: ConfigValue,
    systemCodeLength: ConfigValue,
    systemCodeOnlyNumbers: ConfigValue,
    oauthAuthUrl: ConfigValue
  })
}).annotate({ identifier: "AuthProvider" })

export const Providers = Schema.Array(Provider)

export const Session = Schema.Struct({ deviceInfo: JsonRecord })

export const Sessions = Schema.Array(Session)

const MaybeFlag = optional(nullable(Flag))

export const Attribute = Schema.Struct({
  type: Text,
  marker: Text,
  position: optional(Schema.Finite),
  isVisible: Flag,
  settings: JsonRecord,
  listTitles: Schema.Array(Schema.Json),
  validators: JsonRecord,
  localizeInfos: JsonRecord,
  additionalFields: Schema.Array(JsonRecord),
  initialValue: optional(Schema.Json),
  isLogin: MaybeFlag,
  isPassword: MaybeFlag,
  isSignUp: MaybeFlag,
  isSignUpRequired: MaybeFlag,
  isNotificationEmail: MaybeFlag,
  isNotificationPhoneSMS: MaybeFlag,
  isNotificationPhonePush: MaybeFlag,
  multiselect: MaybeFlag,
  isRatingValue: MaybeFlag
}).annotate({ identifier: "FormField" })

export const Form = Schema.Struct({
  id: Int,
  attributeSetId: nullable(Int),
  type: nullable(Text),
  version: Int,
  position: Schema.Finite,
  identifier: Text,
  processingType: Text,
  templateId: nullable(Int),
  localizeInfos: JsonRecord,
  attributes: Schema.Union([Schema.Array(Attribute), Schema.Struct({})]),
  moduleFormConfigs: Schema.Array(
    Schema.Struct({
      id: Int,
      moduleIdentifier: Text,
      isGlobal: Flag,
      isClosed: Flag,
      viewOnlyUserData: Flag,
      commentOnlyUserData: Flag,
      entityIdentifiers: Schema.Array(Schema.Struct({ id: Schema.Union([Text, Schema.Finite]), isNested: Flag })),
      exceptionIds: Schema.Array(Schema.Union([Text, Schema.Finite])),
      isRating: nullable(Flag),
      isAnonymous: nullable(Flag),
      allowHalfRatings: nullable(Flag),
      allowRerating: nullable(Flag),
      maxRatingScale: nullable(Schema.Finite)
    })
  )
}).annotate({ identifier: "Form" })

export const Forms = Schema.Struct({ total: Int, items: Schema.Array(Form) })

export const Profile = Schema.Struct({
  id: Int,
  total: Text,
  identifier: Text,
  authProviderIdentifier: Text,
  formIdentifier: nullable(Text),
  formData: FormData,
  groups: Schema.Array(Int),
  state: JsonRecord,
  rating: JsonRecord,
  moduleFormConfigs: Schema.Array(Schema.Json)
}).annotate({ identifier: "Profile" })

const Entity = nullable(Schema.Union([Text, Schema.Finite]))

const Items = Schema.Array(Schema.Struct({ marker: Text, type: optional(Text), value: optional(Schema.Json) }))

const submission = {
  id: Int,
  formIdentifier: Text,
  time: Text,
  entityIdentifier: Entity,
  fingerprint: nullable(Text),
  isUserAdmin: Flag,
  formModuleId: nullable(Schema.Finite),
  userIdentifier: nullable(Text),
  parentId: nullable(Int)
}

export const Submission = Schema.Struct({
  formData: Schema.Struct({ ...submission, formData: FormData }),
  actionMessage: Schema.Union([Text, JsonRecord])
}).annotate({ identifier: "SubmissionAnswer" })

export const UpdatedSubmission = Schema.Struct({ ...submission, formData: Items }).annotate({
  identifier: "UpdatedSubmission"
})

export const Submissions = Schema.Struct({
  items: Schema.Array(
    Schema.Struct({
      id: Int,
      formIdentifier: Text,
      formData: FormData,
      time: Text,
      parentId: nullable(Int),
      depth: Int,
      userIdentifier: nullable(Text),
      entityIdentifier: Entity,
      isUserAdmin: Flag,
      formModuleConfigId: nullable(Schema.Finite),
      ip: optional(nullable(Text)),
      fingerprint: optional(nullable(Text)),
      status: optional(nullable(Text)),
      attributeSetIdentifier: optional(nullable(Text)),
      moduleIdentifier: optional(nullable(Text))
    })
  ),
  total: Int
})

export const Files = Schema.Array(
  Schema.Struct({
    filename: Text,
    downloadLink: Text,
    size: Int,
    contentType: Text,
    previewLink: optional(Schema.Record(Schema.String, Schema.Array(Text)))
  })
)

export const Events = Schema.Struct({
  total: Int,
  items: Schema.Array(Schema.Struct({ id: Int, identifier: Text, formType: nullable(Text), localizeInfos: JsonRecord }))
})

export const Subscriptions = Schema.Struct({
  total: Int,
  items: Schema.Array(
    Schema.Struct({ eventMarker: Text, productId: Schema.Union([Text, Schema.Finite]), locale: nullable(Text) })
  )
})

export const ApiStat = Schema.Struct({ date: Text, count: Int })
