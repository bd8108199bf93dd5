import { assert } from "@effect/vitest"
import { Effect, Layer, type Redacted } from "effect"
import type { HttpClient } from "effect/http"
import { AuthProvider, type ClientOptions, type FieldValue, OneEntry, TokenStorage } from "effect-oneentry"
import { Emulator, Project } from "effect-oneentry/emulator"

export const login = "ann@example.com"
export const password = "correct horse"

const attribute = (type: Project.AttributeType, position: number) => ({ type, marker: type, position })

/** The project of the registration scenario, with a form of every attribute type and a provider of each kind. */
export const project: Project.Input = {
  ...Project.defaultProject,
  languages: ["en_US", "de_DE"],
  providers: [
    ...(Project.defaultProject.providers ?? []),
    {
      id: 2,
      identifier: "google",
      type: "oauth",
      config: { oauthAuthUrl: "https://accounts.example.com/auth" },
      localizeInfos: { en_US: { title: "Google" }, de_DE: { title: "Gugel" } }
    },
    { id: 3, identifier: "simple", formIdentifier: "reg", isCheckCode: false },
    { id: 4, identifier: "asleep", formIdentifier: "reg", isActive: false },
    { id: 5, identifier: "formless" },
    { id: 6, identifier: "rich", formIdentifier: "rich" }
  ],
  forms: [
    ...(Project.defaultProject.forms ?? []),
    {
      identifier: "rich",
      type: "sing_in_up",
      attributes: [
        { type: "string", marker: "login", isLogin: true },
        { type: "string", marker: "secret", isPassword: true },
        ...(
          [
            "string",
            "integer",
            "float",
            "real",
            "date",
            "dateTime",
            "time",
            "text",
            "textWithHeader",
            "list",
            "radioButton",
            "entity",
            "timeInterval",
            "image",
            "groupOfImages",
            "file",
            "json"
          ] as const
        ).map(attribute),
        { ...attribute("spam", 90), isVisible: false },
        { ...attribute("button", 91), isVisible: false }
      ]
    }
  ]
}

export const authData = (
  name = login,
  secret: string | Redacted.Redacted<string> = password
): ReadonlyArray<FieldValue.AuthField> => [
  { marker: "email_reg", value: name },
  { marker: "password_reg", value: secret }
]

export const signUpData = (
  name = login,
  secret: string | Redacted.Redacted<string> = password
): FieldValue.SignUpData => ({
  formIdentifier: "reg",
  authData: authData(name, secret),
  formData: [
    { marker: "name_reg", type: "string", value: "Ann" },
    { marker: "phone_reg", type: "string", value: "+18007986545" },
    { marker: "email_notification_reg", type: "string", value: name }
  ],
  notificationData: { email: name, phonePush: [], phoneSMS: "+18007986545" }
})

/** A client over the emulator and whatever `HttpClient` there is. */
export const clientLayer = (options?: Partial<ClientOptions.ClientOptions>) =>
  Layer.unwrap(
    Effect.map(Emulator.Emulator, (emulator) =>
      OneEntry.layer({ url: emulator.url, appToken: emulator.appToken, ...options })
    )
  )

/** A client and an emulator without a socket between them. */
export const inProcess = (options?: Partial<ClientOptions.ClientOptions>, emulator?: Emulator.Options) =>
  clientLayer(options).pipe(
    Layer.provideMerge(TokenStorage.layerMemory),
    Layer.provideMerge(Emulator.layerClient({ passwordCost: 1, project, ...emulator }))
  )

/** A client and an emulator with a real connection between them. */
export const overHttp = <E>(
  http: Layer.Layer<HttpClient.HttpClient, E>,
  options?: Partial<ClientOptions.ClientOptions>,
  emulator?: Emulator.Options
) =>
  clientLayer(options).pipe(
    Layer.provideMerge(TokenStorage.layerMemory),
    Layer.provideMerge(http),
    Layer.provideMerge(Emulator.layer({ passwordCost: 1, project, ...emulator }))
  )

/** Registers and activates a user. */
export const register = Effect.fnUntraced(function* (name = login, secret = password) {
  const emulator = yield* Emulator.Emulator
  const auth = yield* AuthProvider.AuthProvider
  yield* auth.signUp("email", signUpData(name, secret))
  yield* auth.activateUser("email", { userIdentifier: name, code: yield* emulator.awaitCode(name) })
})

export const signIn = (name = login, secret = password) =>
  AuthProvider.AuthProvider.use((auth) => auth.auth("email", { authData: authData(name, secret) }))

/** How often an operation reached the server. */
export const count = (operation: string) =>
  Effect.map(
    Emulator.Emulator.use((emulator) => emulator.requests),
    (entries) => entries.filter((entry) => entry.operation === operation).length
  )

/** Freezes whatever is reachable, so that writing to it throws. */
export const deepFreeze = <A>(value: A): A => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value
  Object.freeze(value)
  for (const key of Reflect.ownKeys(value)) deepFreeze(Reflect.get(value, key))
  return value
}

/** The failure of an effect, by its tag; reasons of `OneEntryError` as `OneEntryError/Reason`. */
export const tagOf = (error: { readonly _tag: string; readonly reason?: unknown }): string =>
  error._tag === "OneEntryError" && typeof error.reason === "object" && error.reason !== null && "_tag" in error.reason
    ? `OneEntryError/${String(error.reason._tag)}`
    : error._tag

/** Asserts how an effect fails. */
export const failsWith = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>, tag: string) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.strictEqual(tagOf(error), tag, String(error))
    return error
  })
