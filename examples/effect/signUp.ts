/** Registering a user with fields of every type, as the page of `signUp` has it. Each type has a constructor. */
import { Effect, Redacted } from "effect"
import { AuthProvider, FieldValue } from "effect-oneentry"

export const minimal = AuthProvider.AuthProvider.use((auth) =>
  auth.signUp("email", {
    formIdentifier: "reg",
    authData: [
      { marker: "login", value: "example@oneentry.cloud" },
      { marker: "password", value: Redacted.make("12345") }
    ],
    formData: [{ marker: "last_name", type: "string", value: "Name" }],
    notificationData: {
      email: "example@oneentry.cloud",
      phonePush: ["+99999999999"],
      phoneSMS: "+99999999999"
    }
  })
)

const signUp = (formData: FieldValue.FormFields) =>
  Effect.flatMap(AuthProvider.AuthProvider, (auth) =>
    auth.signUp("email", {
      formIdentifier: "reg",
      authData: [FieldValue.auth("login", "test"), FieldValue.auth("password", Redacted.make("12345"))],
      formData,
      notificationData: { email: "your-email@test.zone", phonePush: [], phoneSMS: "+19991234567" }
    })
  )

/** Simple types: "string", "integer", "float". */
export const simple = signUp([FieldValue.string("last_name", "Fyodor Ivanov")])

/** One field instead of a list. */
export const single = signUp(FieldValue.string("last_name", "Name"))

/** Types "date", "dateTime" and "time": of a `Date`, a `DateTime` or an ISO string the three parts are made. */
export const date = signUp([
  FieldValue.date("birthday", {
    fullDate: "2024-05-07T21:02:00.000Z",
    formattedValue: "08-05-2024 00:02",
    formatString: "DD-MM-YYYY HH:mm"
  })
])

/** Type "text": one of `htmlValue`, `plainValue` and `mdValue`, which is in the type. */
export const text = signUp([{ marker: "about", type: "text", value: { htmlValue: "<p>This is me</p>" } }])

/** Type "textWithHeader". */
export const textWithHeader = signUp([
  { marker: "about", type: "textWithHeader", value: { header: "Header", htmlValue: "<p>This is me</p>" } }
])

/** Types "image", "groupOfImages" and "file": with a `fileQuery` the file is uploaded first. */
export const image = (file: File) =>
  signUp([FieldValue.image("image", [file], { type: "page", entity: "editor", id: 3492 })])

/** Types "radioButton" and "list". */
export const list = signUp([FieldValue.list("list", "1")])

/** Type "entity" (nested list). */
export const entity = signUp([FieldValue.entity("entity", [2954, 2957])])
