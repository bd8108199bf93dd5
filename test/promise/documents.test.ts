/**
 * The examples of the starting documents, on the facade and in Effect: the same calls with the same arguments in the
 * same order, through the answers that the documents show.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { KeyValueStore } from "effect/persistence"
import { AuthProvider, type AuthSchema, FetchClient, OneEntry, TokenStorage } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { defineOneEntry } from "effect-oneentry/promise"
import * as official from "oneentry"
import * as AuthEffect from "../../examples/effect/auth.ts"
import * as IntroductionEffect from "../../examples/effect/introduction.ts"
import * as RegistrationEffect from "../../examples/effect/registration.ts"
import * as SignUpEffect from "../../examples/effect/signUp.ts"
import * as AuthPromise from "../../examples/promise/auth.ts"
import * as IntroductionPromise from "../../examples/promise/introduction.ts"
import * as RegistrationPromise from "../../examples/promise/registration.ts"
import * as SignUpPromise from "../../examples/promise/signUp.ts"
import * as seed1 from "../fixtures/seed1.ts"
import { accessToken, scripted, type Scripted, type Server } from "./support.ts"

const APP_TOKEN = "your-app-token"

const wait = <A>(f: () => Promise<A>) => Effect.promise(f)

/** Results are compared as data, whatever their types say. */
const equal = (actual: unknown, expected: unknown) => assert.deepStrictEqual(actual, expected)

/** The services in Effect, over the same server. */
const live = (server: Pick<Server, "url">, appToken = APP_TOKEN) =>
  OneEntry.layer({ url: server.url, appToken }).pipe(Layer.provide([TokenStorage.layerMemory, FetchClient.layer]))

/** The answer of the page of `auth`. */
const signedIn = {
  userIdentifier: "test@test.ru",
  authProviderIdentifier: "email",
  accessToken:
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6OCwiYXV0aFByb3ZpZGVySWRlbnRpZmllciI6ImVtYWlsIiwidXNlcklkZW50aWZpZXIiOiJ0ZXN0QHRlc3QucnUiLCJpYXQiOjE3NTkyNjQzNjEsImV4cCI6MTc1OTMwMDM2MX0.rEa9MeA540H7NYUngnlz6zPUM9G-VqoFbFkGrqy8buw",
  refreshToken: "1759264361355-493c46b6-0a99-4871-9808-9a5524eef515"
}

/** The answer of the page of `signUp`. */
const signedUp = {
  createdDate: "2025-12-26T12:17:46.115Z",
  deletedAt: null,
  formData: [
    { marker: "login", value: "test" },
    { marker: "f-name", value: "Second name" }
  ],
  id: 286,
  identifier: "user_email@gmail.com",
  isActive: false,
  isDeleted: false,
  locale: "en_US",
  notificationData: { email: "user_email@gmail.com" },
  email: "user_email@gmail.com",
  state: {},
  updatedDate: "2025-12-26T12:17:46.115Z",
  version: 0
}

/** What the domain makes of it. */
const signedUpEntity = (entity: AuthSchema.SignUpEntity) => ({
  id: entity.id,
  identifier: entity.identifier,
  isActive: entity.isActive,
  email: entity.email,
  formData: entity.formData.map(({ marker, value }) => ({ marker, value })),
  notificationData: { email: entity.notificationData.email }
})

const hasCode = {
  statusCode: 400,
  timestamp: "2025-04-30T20:07:39.755Z",
  message: "User already has a code",
  pageData: null
}

/** The form of the document after the normalisation that the current official SDK adds: records, and no `null` flags. */
const form = {
  ...seed1.form,
  attributes: seed1.form.attributes.map((attribute) => ({
    ...attribute,
    additionalFields: {},
    isLogin: attribute.isLogin ?? false,
    isSignUp: attribute.isSignUp ?? false,
    isNotificationPhoneSMS: false,
    isNotificationPhonePush: false
  }))
}

const users = "/api/content/users-auth-providers/marker/email/users"

/** What was asked, without headers. */
const asked = (server: Server, from = 0) =>
  server.seen.slice(from).map(({ body, method, path }) => ({ method, path, body }))

describe("the introduction (documents/000)", () => {
  it.live("quickstart: `auth` gives both tokens, in both styles", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: signedIn }, { body: signedIn })

      const plain = yield* wait(() => IntroductionPromise.quickstart(server.url, APP_TOKEN))
      equal(plain, [signedIn.accessToken, signedIn.refreshToken])
      const typed = yield* Effect.provide(IntroductionEffect.quickstart, live(server))
      equal(typed, plain)

      const call = {
        method: "POST",
        path: `${users}/auth`,
        body: {
          authData: [
            { marker: "login", value: "example@oneentry.cloud" },
            { marker: "password", value: "12345" }
          ]
        }
      }
      equal(asked(server), [call, call])
      assert.strictEqual(server.seen[0]?.headers["x-app-token"], APP_TOKEN)
    })
  )

  it.live("a page that is loaded again stays signed in", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const store = new Map<string, string>()
      const localStorage = {
        getItem: (key: string) => store.get(key) ?? null,
        setItem: (key: string, value: string) => void store.set(key, value)
      }
      const rotated = { ...signedIn, accessToken: accessToken(36_000), refreshToken: "1759264399999-rotated" }
      const profile = { id: 8, identifier: "test@test.ru", formData: [], groups: [1], state: {}, total: "1" }

      // The first page signs in, and is closed.
      server.answer({ body: { ...signedIn, accessToken: accessToken(36_000) } })
      const first = IntroductionPromise.persistent(server.url, APP_TOKEN, localStorage)
      yield* wait(() => AuthPromise.complete(first))
      yield* wait(() => first.dispose())
      assert.strictEqual(store.get("refreshToken"), signedIn.refreshToken)

      // The second one has nothing but what was saved: it refreshes, asks, and saves the new token.
      server.answer({ body: rotated }, { body: profile })
      const second = IntroductionPromise.persistent(server.url, APP_TOKEN, localStorage)
      equal(yield* wait(() => second.Users.getUser()), profile)
      equal(asked(server, 1), [
        { method: "POST", path: `${users}/refresh`, body: { refreshToken: signedIn.refreshToken } },
        { method: "GET", path: "/api/content/users/me?langCode=en_US", body: undefined }
      ])
      assert.strictEqual(server.seen[2]?.headers.authorization, `Bearer ${rotated.accessToken}`)
      assert.strictEqual(store.get("refreshToken"), rotated.refreshToken)

      // Signed out, nothing is left.
      server.answer({ body: true })
      assert.strictEqual(yield* wait(() => second.AuthProvider.logout("email", rotated.refreshToken)), true)
      assert.strictEqual(store.get("refreshToken"), "")
      yield* wait(() => second.dispose())

      // The same in Effect: the whole session in a store.
      const kept = KeyValueStore.layerMemory
      yield* Effect.gen(function* () {
        const values = yield* Layer.build(kept)
        const page = <A, E>(program: Effect.Effect<A, E, OneEntry.Services>) =>
          program.pipe(
            Effect.provide(IntroductionEffect.persistent(server.url, APP_TOKEN)),
            Effect.provideContext(values)
          )
        server.answer({ body: { ...signedIn, accessToken: accessToken(36_000) } }, { body: [] })
        yield* page(AuthEffect.complete)
        const sessions = yield* page(AuthProvider.AuthProvider.use((auth) => auth.getActiveSessionsByMarker("email")))
        equal(sessions, [])
      })
    })
  )
})

describe("user registration (documents/001)", () => {
  const answers = (tokens: object): ReadonlyArray<Scripted> => [
    { body: seed1.form },
    { body: { ...seed1.user, formData: { en_US: seed1.user.formData } } },
    { status: 400, body: hasCode },
    { body: true },
    { body: true },
    { body: tokens }
  ]
  const { langCode: _, ...data } = seed1.data
  const calls: ReadonlyArray<unknown> = [
    { method: "GET", path: "/api/content/forms/marker/reg?langCode=en_US", body: undefined },
    { method: "POST", path: `${users}/sign-up`, body: seed1.data },
    {
      method: "POST",
      path: `${users}/generate-code`,
      body: { userIdentifier: "your-user@email.com", eventIdentifier: "auth" }
    },
    {
      method: "POST",
      path: `${users}/check-code`,
      body: { userIdentifier: "your-user@email.com", eventIdentifier: "1", code: "WTGC9E" }
    },
    { method: "POST", path: `${users}/activate`, body: { userIdentifier: "your-user@email.com", code: "WTGC9E" } },
    { method: "POST", path: `${users}/auth`, body: { authData: seed1.data.authData } }
  ]
  const tokens = {
    userIdentifier: "your-user@email.com",
    authProviderIdentifier: "email",
    accessToken: "eyJhbGciOiJIUzI1NiIsInR...pZCI6MTYsImF1dGhQ",
    refreshToken: "1745494429101-...-2834edf8"
  }

  it.live("the final example, call by call and answer by answer", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer(...answers(tokens))
      const results = yield* wait(() => RegistrationPromise.registration(server.url, APP_TOKEN, () => "WTGC9E"))
      equal(results, {
        form,
        newUser: seed1.user,
        generateCode: { ...hasCode, _tag: "UserAlreadyHasCode" },
        isCorrect: true,
        activated: true,
        authResponse: tokens
      })
      equal(asked(server), calls)
    })
  )

  it.live("the same in Effect", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer(...answers(tokens))
      const results = yield* Effect.provide(
        RegistrationEffect.registration(() => Effect.succeed("WTGC9E")),
        live(server)
      )
      equal(asked(server), calls)
      equal(
        results.form.attributes.map(({ marker }) => marker),
        ["email_reg", "name_reg", "phone_reg", "password_reg", "email_notification_reg"]
      )
      assert.deepInclude(results.newUser, { id: 33, identifier: "your-user@email.com", isActive: false })
      equal(
        results.newUser.formData.map(({ value }) => value),
        seed1.user.formData.map(({ value }) => value)
      )
      assert.deepInclude(Object(results.generateCode), { _tag: "UserAlreadyHasCode", statusCode: 400 })
      assert.strictEqual(Redacted.value(results.authResponse.refreshToken), tokens.refreshToken)
    })
  )

  it.live("steps 2 and 3: the form of the document is the form that the official SDK gives", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: seed1.form }, { body: seed1.form })
      const { Forms, FormData } = defineOneEntry(server.url, {
        token: APP_TOKEN
      })
      assert.isFunction(FormData.postFormsData)
      const theirs = official.defineOneEntry(server.url, { token: APP_TOKEN })
      const ours = yield* wait(() => Forms.getFormByMarker("reg"))
      equal(ours, yield* wait(() => theirs.Forms.getFormByMarker("reg")))
      equal(ours, form)
    })
  )

  it.live("step 4: data that is by language already goes as it is, and nothing that is passed in changes", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: seed1.user }, { body: seed1.user })
      const api = defineOneEntry(server.url, { token: APP_TOKEN })
      const before = structuredClone(data)
      equal(yield* wait(() => api.AuthProvider.signUp("email", seed1.data)), seed1.user)
      equal(yield* wait(() => api.AuthProvider.signUp("email", data)), seed1.user)
      equal(data, before)
      equal(asked(server), [calls[1], calls[1]])
    })
  )

  it.live("steps 5 to 7: a wrong code is a plain `false`, and is not activated", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: seed1.form }, { body: seed1.user }, {}, { body: false }, { body: tokens })
      const results = yield* wait(() => RegistrationPromise.registration(server.url, APP_TOKEN, () => "wrong"))
      equal(
        { generateCode: results.generateCode, isCorrect: results.isCorrect, activated: results.activated },
        { generateCode: {}, isCorrect: false, activated: false }
      )
      assert.notInclude(
        server.seen.map(({ path }) => path),
        `${users}/activate`
      )
    })
  )

  it.live("on the emulator, with the code from its outbox", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const appToken = Redacted.value(emulator.appToken)
      const run = Effect.runPromiseWith(yield* Effect.context())
      const results = yield* wait(() =>
        RegistrationPromise.registration(emulator.url, appToken, () => run(emulator.awaitCode("your-user@email.com")))
      )
      assert.deepInclude(Object(results.newUser), {
        identifier: "your-user@email.com",
        isActive: false,
        formData: seed1.user.formData,
        notificationData: seed1.user.notificationData
      })
      equal(results.generateCode, {
        ...hasCode,
        timestamp: Object(results.generateCode).timestamp,
        _tag: "UserAlreadyHasCode"
      })
      equal([results.isCorrect, results.activated], [true, true])
      assert.deepInclude(Object(results.authResponse), { userIdentifier: "your-user@email.com" })

      yield* emulator.reset
      const typed = yield* Effect.provide(
        RegistrationEffect.registration(() => emulator.awaitCode("your-user@email.com")),
        live(emulator, appToken)
      )
      assert.deepInclude(Object(typed.generateCode), { _tag: "UserAlreadyHasCode" })
      assert.strictEqual(typed.authResponse.userIdentifier, "your-user@email.com")
    }).pipe(Effect.provide(Emulator.layer({ passwordCost: 1 })))
  )
})

describe("auth (documents/002)", () => {
  it.live("the minimal example, the value of whose login is missing, sends the password and gives the answer", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: signedIn })
      const api = defineOneEntry(server.url, { token: APP_TOKEN })
      equal(yield* wait(() => AuthPromise.minimal(api)), signedIn)
      equal(asked(server), [
        { method: "POST", path: `${users}/auth`, body: { authData: [{ marker: "password", value: "12345" }] } }
      ])
    })
  )

  it.live("the example of the parameters, in both styles", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: signedIn }, { body: signedIn })
      const api = defineOneEntry(server.url, { token: APP_TOKEN })
      equal(yield* wait(() => AuthPromise.complete(api)), signedIn)
      const typed = yield* Effect.provide(AuthEffect.complete, live(server))
      equal(
        {
          ...typed,
          accessToken: Redacted.value(typed.accessToken),
          refreshToken: Redacted.value(typed.refreshToken)
        },
        signedIn
      )
      const [first, second] = asked(server)
      equal(first?.body, {
        authData: [
          { marker: "login", value: "example@oneentry.cloud" },
          { marker: "password", value: "12345" }
        ]
      })
      equal(second, first)
    })
  )
})

describe("signUp (documents/003)", () => {
  const sent = (formData: unknown, login = "test") => ({
    formIdentifier: "reg",
    langCode: "en_US",
    authData: [
      { marker: "login", value: login },
      { marker: "password", value: "12345" }
    ],
    formData: { en_US: formData },
    notificationData: { email: "your-email@test.zone", phonePush: [], phoneSMS: "+19991234567" }
  })

  const examples = {
    simple: [{ marker: "last_name", type: "string", value: "Fyodor Ivanov" }],
    single: [{ marker: "last_name", type: "string", value: "Name" }],
    date: [
      {
        marker: "birthday",
        type: "date",
        value: {
          fullDate: "2024-05-07T21:02:00.000Z",
          formattedValue: "08-05-2024 00:02",
          formatString: "DD-MM-YYYY HH:mm"
        }
      }
    ],
    text: [{ marker: "about", type: "text", value: { htmlValue: "<p>This is me</p>" } }],
    textWithHeader: [
      { marker: "about", type: "textWithHeader", value: { header: "Header", htmlValue: "<p>This is me</p>" } }
    ],
    list: [{ marker: "list", type: "list", value: ["1"] }],
    entity: [{ marker: "entity", type: "entity", value: [2954, 2957] }]
  } as const

  const styles = {
    simple: [SignUpPromise.simple, SignUpEffect.simple],
    single: [SignUpPromise.single, SignUpEffect.single],
    date: [SignUpPromise.date, SignUpEffect.date],
    text: [SignUpPromise.text, SignUpEffect.text],
    textWithHeader: [SignUpPromise.textWithHeader, SignUpEffect.textWithHeader],
    list: [SignUpPromise.list, SignUpEffect.list],
    entity: [SignUpPromise.entity, SignUpEffect.entity]
  } as const
  const names = ["simple", "single", "date", "text", "textWithHeader", "list", "entity"] as const

  it.live("the minimal example gives the answer of the page", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: signedUp }, { body: signedUp })
      const api = defineOneEntry(server.url, { token: APP_TOKEN })
      equal(yield* wait(() => SignUpPromise.minimal(api)), signedUp)
      const typed = yield* Effect.provide(SignUpEffect.minimal, live(server))
      equal(signedUpEntity(typed), {
        id: 286,
        identifier: "user_email@gmail.com",
        isActive: false,
        email: "user_email@gmail.com",
        formData: signedUp.formData,
        notificationData: { email: "user_email@gmail.com" }
      })
      const [first, second] = asked(server)
      equal(first, {
        method: "POST",
        path: `${users}/sign-up`,
        body: {
          ...sent([{ marker: "last_name", type: "string", value: "Name" }], "example@oneentry.cloud"),
          notificationData: { email: "example@oneentry.cloud", phonePush: ["+99999999999"], phoneSMS: "+99999999999" }
        }
      })
      equal(second, first)
    })
  )

  for (const name of names) {
    it.live(`fields of the example "${name}"`, () =>
      Effect.gen(function* () {
        const server = yield* scripted
        server.answer({ body: signedUp }, { body: signedUp })
        const api = defineOneEntry(server.url, { token: APP_TOKEN })
        const [plain, typed] = styles[name]
        equal(yield* wait(() => plain(api)), signedUp)
        yield* Effect.provide(typed, live(server))
        const [first, second] = asked(server)
        equal(first?.body, sent(examples[name]))
        equal(second, first)
      })
    )
  }

  it.live("a file with a `fileQuery` is uploaded first, in both styles", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const uploaded = [
        {
          filename: "files/project/page/3492/editor/2e3.png",
          downloadLink: "https://my-project.oneentry.cloud/cloud-static/files/2e3.png",
          size: 3
        }
      ]
      const file = new File(["abc"], "me.png", { type: "image/png" })
      server.answer({ body: uploaded }, { body: signedUp }, { body: uploaded }, { body: signedUp })
      const api = defineOneEntry(server.url, { token: APP_TOKEN })
      equal(yield* wait(() => SignUpPromise.image(api, file)), signedUp)
      yield* Effect.provide(SignUpEffect.image(file), live(server))
      for (const from of [0, 2]) {
        const [upload, signUp] = asked(server, from)
        assert.deepInclude(upload, { method: "POST", path: "/api/content/files?type=page&entity=editor&id=3492" })
        assert.match(String(upload?.body), /name="files"; filename="me\.png"[\s\S]*abc/)
        equal(signUp?.body, sent([{ marker: "image", type: "image", value: uploaded }]))
      }
    })
  )

  it.live("the language is the third argument, or part of the body", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const german = { ...signedUp, formData: { de_DE: signedUp.formData }, locale: "de_DE" }
      server.answer({ body: german }, { body: german })
      const api = defineOneEntry(server.url, { token: APP_TOKEN })
      const body = {
        authData: [{ marker: "login", value: "test" }],
        formData: { marker: "a", type: "string", value: "b" }
      }
      const expected = { ...signedUp, locale: "de_DE" }
      equal(yield* wait(() => api.AuthProvider.signUp("email", body, "de_DE")), expected)
      equal(yield* wait(() => api.AuthProvider.signUp("email", { ...body, langCode: "de_DE" })), expected)
      const [first, second] = asked(server)
      assert.deepInclude(Object(first?.body), {
        langCode: "de_DE",
        formData: { de_DE: [{ marker: "a", type: "string", value: "b" }] }
      })
      equal(second, first)
    })
  )
})
