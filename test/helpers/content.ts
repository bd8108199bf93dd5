import { Effect } from "effect"
import { AuthProvider } from "effect-oneentry"
import { Emulator, type Project } from "effect-oneentry/emulator"
import { project as scenario } from "./scenario.ts"

const required = { requiredValidator: { strict: true } }

/** The scenario's project with forms of content, and the rights to read submissions and to delete files. */
export const project: Project.Input = {
  ...scenario,
  forms: [
    ...(scenario.forms ?? []),
    {
      identifier: "contact_us",
      type: "data",
      localizeInfos: { en_US: { title: "Contact", successMessage: "Thank you" }, de_DE: { successMessage: "Danke" } },
      attributes: [
        { type: "string", marker: "name", position: 1, validators: required },
        {
          type: "string",
          marker: "mail",
          position: 2,
          validators: { emailInspectionValidator: { customErrorText: "Please give an address" } }
        },
        { type: "date", marker: "day", position: 3 },
        { type: "file", marker: "cv", position: 4 },
        { type: "image", marker: "photo", position: 5 },
        { type: "button", marker: "send", position: 6 }
      ],
      moduleFormConfigs: [
        { id: 2, entityIdentifiers: [{ id: "blog" }] },
        { id: 3, isGlobal: true, isModerate: true }
      ]
    },
    {
      identifier: "review",
      type: "data",
      attributes: [{ type: "string", marker: "text", position: 1, validators: required }],
      moduleFormConfigs: [{ id: 4, isAnonymous: false }]
    },
    {
      identifier: "stars",
      type: "rating",
      attributes: [{ type: "integer", marker: "stars", position: 1, isRatingValue: true, validators: required }],
      moduleFormConfigs: [{ id: 5, isRating: true, isGlobal: true }]
    },
    {
      identifier: "guarded",
      type: "data",
      attributes: [
        { type: "string", marker: "text", position: 1 },
        { type: "spam", marker: "captcha", position: 2 }
      ]
    },
    {
      identifier: "private",
      type: "data",
      attributes: [{ type: "string", marker: "text" }],
      moduleFormConfigs: [{ id: 6, isClosed: true }]
    },
    { identifier: "blank", type: "data" }
  ],
  permissions: [
    { operation: "getFormsDataByMarker", rule: "granted" },
    { operation: "deleteFile", rule: "granted" }
  ]
}

/** What reached the server so far, by operation. */
export const operations = Effect.map(
  Emulator.Emulator.use((emulator) => emulator.requests),
  (entries) => entries.map((entry) => entry.operation)
)

/** Runs an effect and gives what it sent. */
export const sentBy = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = (yield* operations).length
    const result = yield* effect
    return { result, sent: (yield* operations).slice(before) }
  })

/** Signs in by the built-in fake of a network. */
export const signInByNetwork = (email = "eve@example.com") =>
  AuthProvider.AuthProvider.use((auth) =>
    auth.oauth("google", { code: `emulator-${email}`, redirect_uri: "https://app.example.com/callback" })
  )
