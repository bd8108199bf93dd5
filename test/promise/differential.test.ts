/**
 * The official SDK and the facade through the same script, each against an emulator of its own with the same seed. Every
 * result must be equal but for those in `differences`, and those must differ exactly as they say.
 *
 * The tag of an error, which the original does not have, is checked and set aside.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { DeviceMetadata } from "effect-oneentry"
import { Emulator, Project } from "effect-oneentry/emulator"
import { defineOneEntry, isError } from "effect-oneentry/promise"
import * as fs from "node:fs"
import * as official from "oneentry"
import { normalizeForm } from "../../src/promise/internal/normalize.ts"

// ---------------------------------------------------------------------------------------------------------------------
// the world
// ---------------------------------------------------------------------------------------------------------------------

const [registration] = Project.defaultProject.forms ?? []
assert.isDefined(registration)

const project: Project.Input = {
  ...Project.defaultProject,
  languages: ["en_US", "de_DE"],
  providers: [
    ...(Project.defaultProject.providers ?? []).map((provider) => ({
      ...provider,
      localizeInfos: { en_US: { title: "Email" }, de_DE: { title: "E-Mail" } }
    })),
    {
      id: 2,
      identifier: "google",
      type: "oauth",
      config: { oauthAuthUrl: "https://accounts.example.com/auth" },
      localizeInfos: { en_US: { title: "Google" } },
      formIdentifier: "reg"
    }
  ],
  forms: [
    { ...registration, localizeInfos: { ...registration.localizeInfos, de_DE: { title: "Anmeldung" } } },
    {
      id: 5,
      identifier: "contact",
      type: "data",
      localizeInfos: { en_US: { title: "Contact", successMessage: "Thank you" } },
      attributes: [
        {
          type: "string",
          marker: "name",
          position: 1,
          localizeInfos: { en_US: { title: "Name" } },
          validators: { requiredValidator: { strict: true } }
        },
        {
          type: "integer",
          marker: "age",
          position: 2,
          localizeInfos: { en_US: { title: "Age" } },
          additionalFields: [{ marker: "hint", type: "string", value: "years" }]
        },
        {
          type: "list",
          marker: "topic",
          position: 3,
          localizeInfos: { en_US: { title: "Topic" } },
          listTitles: { en_US: [{ title: "One", value: "1", position: 1 }] }
        },
        {
          type: "timeInterval",
          marker: "when",
          position: 4,
          localizeInfos: {
            en_US: {
              title: "When",
              intervals: [
                {
                  id: "c6466cd8-c55d-4583-97c5-42b684210f12",
                  inEveryWeek: true,
                  inEveryMonth: false,
                  range: ["2025-03-03T00:00:00.000Z", "2025-03-03T00:00:00.000Z"],
                  intervals: [{ id: "1", start: { hours: 9, minutes: 0 }, end: { hours: 11, minutes: 0 }, period: 60 }]
                }
              ]
            }
          }
        },
        { type: "image", marker: "photo", position: 5, localizeInfos: { en_US: { title: "Photo" } } },
        { type: "button", marker: "send", position: 6, localizeInfos: { en_US: { title: "Send" } } }
      ],
      moduleFormConfigs: [{ id: 2, moduleIdentifier: "content", entityIdentifiers: [{ id: "blog" }] }]
    },
    { id: 6, identifier: "empty", type: "data", localizeInfos: { en_US: { title: "Empty" } }, attributes: [] }
  ],
  events: [
    { identifier: "auth", formType: "send_code" },
    { identifier: "reset", formType: "send_code" }
  ]
}

type Method = (...args: ReadonlyArray<unknown>) => Promise<unknown>
type Module = "AuthProvider" | "Forms" | "FormData" | "FileUploading" | "Users"
type Api = { readonly [M in Module]: Readonly<Record<string, Method>> }

interface World {
  readonly api: Api
  readonly emulator: Emulator.Service
  /** The code that is out for a user. */
  readonly code: (user: string) => Promise<string>
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
  /** What earlier calls gave, by the step's name. */
  readonly results: Map<string, unknown>
}

const field = (world: World, step: string, key: string): unknown => {
  const result: unknown = world.results.get(step)
  return Array.isArray(result) ? Object(result[0])[key] : Object(result)[key]
}

// ---------------------------------------------------------------------------------------------------------------------
// the script
// ---------------------------------------------------------------------------------------------------------------------

const ann = "ann@example.com"
const bob = "bob@example.com"

const credentials = (login = ann, password = "123456") => ({
  authData: [
    { marker: "email_reg", value: login },
    { marker: "password_reg", value: password }
  ]
})

const signUpData = (login = ann, rest: object = {}) => ({
  formIdentifier: "reg",
  ...credentials(login),
  formData: [
    { marker: "name_reg", type: "string", value: "Ann" },
    { marker: "phone_reg", type: "string", value: "+18007986545" },
    { marker: "email_notification_reg", type: "string", value: login }
  ],
  notificationData: { email: login, phonePush: [], phoneSMS: "+18007986545" },
  ...rest
})

const contact = (rest: object = {}) => ({
  formIdentifier: "contact",
  formModuleConfigId: 2,
  moduleEntityIdentifier: "blog",
  replayTo: null,
  status: "sent",
  formData: [
    { marker: "name", type: "string", value: "Ann" },
    { marker: "age", type: "integer", value: 33 },
    { marker: "topic", type: "list", value: ["1"] },
    { marker: "send", type: "button", value: "" }
  ],
  ...rest
})

type Step = readonly [name: string, run: (world: World) => unknown]

/** The same arguments for both. */
const call = (name: string, module: Module, method: string, ...args: ReadonlyArray<unknown>): Step => [
  name,
  ({ api }) => api[module][method]?.(...structuredClone(args))
]

/** Something that happens to the world; what it gives is not compared. */
const happens = (name: string, run: (world: World) => Effect.Effect<unknown, Emulator.EmulatorError>): Step => [
  name,
  async (world) => {
    await world.run(run(world))
    return name
  }
]

const sharedBody = (): object => signUpData("carol@example.com")

const script: ReadonlyArray<Step> = [
  // forms
  call("form", "Forms", "getFormByMarker", "reg"),
  call("form in German", "Forms", "getFormByMarker", "reg", "de_DE"),
  call("form with every kind of field", "Forms", "getFormByMarker", "contact"),
  call("form in a language without texts", "Forms", "getFormByMarker", "contact", "de_DE"),
  call("form without fields", "Forms", "getFormByMarker", "empty"),
  call("no such form", "Forms", "getFormByMarker", "nope"),
  call("all forms", "Forms", "getAllForms"),
  call("second page of forms", "Forms", "getAllForms", "en_US", 1, 1),
  call("no more forms", "Forms", "getAllForms", "en_US", 30, 30),
  // providers
  call("providers", "AuthProvider", "getAuthProviders"),
  call("second page of providers", "AuthProvider", "getAuthProviders", "en_US", 1, 1),
  call("providers in German", "AuthProvider", "getAuthProviders", "de_DE"),
  call("provider", "AuthProvider", "getAuthProviderByMarker", "email"),
  call("provider in German", "AuthProvider", "getAuthProviderByMarker", "email", "de_DE"),
  call("no such provider", "AuthProvider", "getAuthProviderByMarker", "nope"),
  // signing up
  call("sign up", "AuthProvider", "signUp", "email", signUpData()),
  call("sign up again", "AuthProvider", "signUp", "email", signUpData()),
  call("sign up in another case", "AuthProvider", "signUp", "email", signUpData("ANN@example.com")),
  call("sign up without a password", "AuthProvider", "signUp", "email", {
    ...signUpData(bob),
    authData: [{ marker: "email_reg", value: bob }]
  }),
  call("sign up with a field of another type", "AuthProvider", "signUp", "email", {
    ...signUpData(bob),
    formData: [{ marker: "name_reg", type: "integer", value: 5 }]
  }),
  call("sign up with a field that the form has not", "AuthProvider", "signUp", "email", {
    ...signUpData(bob),
    formData: [{ marker: "nope", type: "string", value: "x" }]
  }),
  call("sign up at no provider", "AuthProvider", "signUp", "nope", signUpData(bob)),
  call(
    "sign up without a phone",
    "AuthProvider",
    "signUp",
    "email",
    signUpData(bob, {
      notificationData: { email: bob, phonePush: [], phoneSMS: "" }
    })
  ),
  call("sign up with one field", "AuthProvider", "signUp", "email", {
    ...signUpData("dan@example.com"),
    formData: { marker: "name_reg", type: "string", value: "Dan" }
  }),
  call("sign up in German", "AuthProvider", "signUp", "email", signUpData("eve@example.com"), "de_DE"),
  [
    "sign up with the object of before",
    async ({ api }) => {
      const body = sharedBody()
      await api.AuthProvider["signUp"]?.("nope", body)
      return api.AuthProvider["signUp"]?.("email", body)
    }
  ],
  // codes
  call("another code", "AuthProvider", "generateCode", "email", ann, "auth"),
  call("a code for nobody", "AuthProvider", "generateCode", "email", "nobody@example.com", "auth"),
  call("a code for no event", "AuthProvider", "generateCode", "email", ann, "nope"),
  call("check a wrong code", "AuthProvider", "checkCode", "email", ann, "auth", "wrong"),
  ["check the code", async ({ api, code }) => api.AuthProvider["checkCode"]?.("email", ann, "auth", await code(ann))],
  call("check a code of nobody", "AuthProvider", "checkCode", "email", "nobody@example.com", "auth", "wrong"),
  call("sign in before activation", "AuthProvider", "auth", "email", credentials()),
  call("activate with a wrong code", "AuthProvider", "activateUser", "email", ann, "wrong"),
  ["activate", async ({ api, code }) => api.AuthProvider["activateUser"]?.("email", ann, await code(ann))],
  call("activate twice", "AuthProvider", "activateUser", "email", ann, "wrong"),
  // signing in
  call("wrong password", "AuthProvider", "auth", "email", credentials(ann, "wrong")),
  call("unknown login", "AuthProvider", "auth", "email", credentials("nobody@example.com")),
  call("wrong markers", "AuthProvider", "auth", "email", {
    authData: [
      { marker: "login", value: ann },
      { marker: "password", value: "123456" }
    ]
  }),
  call("sign in at no provider", "AuthProvider", "auth", "nope", credentials()),
  call("profile of nobody", "Users", "getUser"),
  call("sessions of nobody", "AuthProvider", "getActiveSessionsByMarker", "email"),
  call("a network that is none", "AuthProvider", "oauth", "email", {
    client_id: "",
    client_secret: "",
    code: "c",
    grant_type: "authorization_code",
    redirect_uri: "https://app.example.com"
  }),
  call("sign in", "AuthProvider", "auth", "email", credentials()),
  call("sessions", "AuthProvider", "getActiveSessionsByMarker", "email"),
  call("profile", "Users", "getUser"),
  call("profile in German", "Users", "getUser", "de_DE"),
  call("change the profile", "Users", "updateUser", {
    formIdentifier: "reg",
    formData: [{ marker: "name_reg", type: "string", value: "Anna" }],
    state: { theme: "dark", en_US: "not a text" }
  }),
  call("changed profile", "Users", "getUser"),
  call("change nothing of the credentials", "Users", "updateUser", {
    formIdentifier: "reg",
    authData: [],
    formData: [{ marker: "name_reg", type: "string", value: "Anna" }]
  }),
  call("change the password in the profile", "Users", "updateUser", {
    formIdentifier: "reg",
    authData: [{ marker: "password_reg", value: "654321" }]
  }),
  call("add a push token", "Users", "addFCMToken", "fcm_token_1234567890abcdefg"),
  call("delete a push token", "Users", "deleteFCMToken", "fcm_token_1234567890abcdefg"),
  // form data
  call("post a form", "FormData", "postFormsData", contact()),
  call(
    "post a form with a wrong type",
    "FormData",
    "postFormsData",
    contact({
      formData: [{ marker: "name", type: "text", value: "x" }]
    })
  ),
  call(
    "post a form without what it must have",
    "FormData",
    "postFormsData",
    contact({
      formData: [{ marker: "age", type: "integer", value: 1 }]
    })
  ),
  call("post a form of another config", "FormData", "postFormsData", contact({ formModuleConfigId: 99 })),
  call("post a form of another entity", "FormData", "postFormsData", contact({ moduleEntityIdentifier: "nope" })),
  call("post no such form", "FormData", "postFormsData", contact({ formIdentifier: "nope" })),
  call("submissions", "FormData", "getFormsDataByMarker", "contact", 2),
  call(
    "submissions of a status",
    "FormData",
    "getFormsDataByMarker",
    "contact",
    2,
    { status: ["approved"] },
    1,
    "en_US",
    0,
    5
  ),
  [
    "change a submission",
    ({ api, ...world }) =>
      api.FormData["updateFormsDataByid"]?.(Object(Object(world.results.get("post a form")).formData).id, {
        ...contact({ formData: { en_US: [{ marker: "name", type: "string", value: "Anna" }] } })
      })
  ],
  [
    "approve a submission",
    ({ api, ...world }) =>
      api.FormData["updateFormsDataStatusByid"]?.(Object(Object(world.results.get("post a form")).formData).id, {
        status: "approved"
      })
  ],
  [
    "delete a submission",
    ({ api, ...world }) =>
      api.FormData["deleteFormsDataByid"]?.(Object(Object(world.results.get("post a form")).formData).id)
  ],
  call("delete no submission", "FormData", "deleteFormsDataByid", 4711),
  // files
  [
    "upload",
    ({ api }) =>
      api.FileUploading["upload"]?.(new File(["abc"], "a.txt", { type: "text/plain" }), {
        type: "page",
        entity: "editor",
        id: 3492
      })
  ],
  [
    "file",
    async (world) => {
      const response = await world.api.FileUploading["getFile"]?.(
        3492,
        "page",
        "editor",
        String(field(world, "upload", "filename"))
      )
      return response instanceof Response ? { status: response.status, text: await response.text() } : response
    }
  ],
  [
    "no such file",
    async (world) => {
      const response = await world.api.FileUploading["getFile"]?.(3492, "page", "editor", "nope.txt")
      return response instanceof Response ? { status: response.status } : response
    }
  ],
  [
    "delete a file",
    (world) =>
      world.api.FileUploading["delete"]?.(field(world, "upload", "filename"), {
        type: "page",
        entity: "editor",
        id: 3492
      })
  ],
  ["delete a file twice", (world) => world.api.FileUploading["delete"]?.(field(world, "upload", "filename"))],
  [
    "post a form with a file",
    ({ api }) =>
      api.FormData["postFormsData"]?.(
        contact({
          formData: [
            { marker: "name", type: "string", value: "Ann" },
            {
              marker: "photo",
              type: "image",
              value: [new File(["abc"], "a.png", { type: "image/png" })],
              fileQuery: { type: "page", entity: "editor", id: 1 }
            }
          ]
        })
      )
  ],
  // sessions
  ["refresh", (world) => world.api.AuthProvider["refresh"]?.("email", field(world, "sign in", "refreshToken"))],
  happens("access tokens end", ({ emulator }) => emulator.expireAccessTokens),
  call("providers with a session that ended", "AuthProvider", "getAuthProviders"),
  call("sessions after the end of the token", "AuthProvider", "logoutAll", "email"),
  call("profile after signing out everywhere", "Users", "getUser"),
  call("sign in once more", "AuthProvider", "auth", "email", credentials(ann, "654321")),
  happens("access tokens end again", ({ emulator }) => emulator.expireAccessTokens),
  call("profile after the end of the token", "Users", "getUser"),
  call("sign in for the third time", "AuthProvider", "auth", "email", credentials(ann, "654321")),
  [
    "sign out",
    (world) => world.api.AuthProvider["logout"]?.("email", field(world, "sign in for the third time", "refreshToken"))
  ],
  [
    "sign out twice",
    (world) => world.api.AuthProvider["logout"]?.("email", field(world, "sign in for the third time", "refreshToken"))
  ],
  call("sign out everywhere without a session", "AuthProvider", "logoutAll", "email"),
  // passwords
  happens("codes end", ({ emulator }) => emulator.clock.advance("3 minutes")),
  call("a code for a new password", "AuthProvider", "generateCode", "email", ann, "reset"),
  call(
    "a new password with a wrong code",
    "AuthProvider",
    "changePassword",
    "email",
    ann,
    "reset",
    2,
    "wrong",
    "abcdef"
  ),
  [
    "two passwords that differ",
    async ({ api, code }) =>
      api.AuthProvider["changePassword"]?.("email", ann, "reset", 2, await code(ann), "abcdef", "abcdeg")
  ],
  [
    "a new password",
    async ({ api, code }) =>
      api.AuthProvider["changePassword"]?.("email", ann, "reset", 2, await code(ann), "abcdef", "abcdef")
  ],
  call("the old password", "AuthProvider", "auth", "email", credentials(ann, "654321")),
  call("the new password", "AuthProvider", "auth", "email", credentials(ann, "abcdef")),
  // the end of the account
  call("archive the account", "Users", "archiveUser"),
  call("profile of an archived account", "Users", "getUser"),
  call("sign in to an archived account", "AuthProvider", "auth", "email", credentials(ann, "abcdef")),
  [
    "activate another one",
    async ({ api, code, emulator, run }) => {
      const user = (await run(emulator.users)).find(({ login }) => login === bob)
      await run(emulator.activateUser(user?.id ?? 0))
      await code
      return api.AuthProvider["auth"]?.("email", credentials(bob))
    }
  ],
  call("delete the account", "Users", "deleteUser"),
  // what goes wrong below
  happens("the server fails", ({ emulator }) =>
    emulator.faults.add({ kind: "status", status: 500, message: "Internal server error" })
  ),
  call("a form of a server that fails", "Forms", "getFormByMarker", "reg"),
  call("signing in to a server that fails", "AuthProvider", "auth", "email", credentials(bob)),
  happens("a proxy answers", ({ emulator }) =>
    Effect.andThen(
      emulator.faults.clear,
      emulator.faults.add({ kind: "malformed", body: "<html>", contentType: "text/html" })
    )
  ),
  call("signing in through a proxy", "AuthProvider", "auth", "email", credentials(bob)),
  happens("the connection breaks", ({ emulator }) =>
    Effect.andThen(emulator.faults.clear, emulator.faults.add({ kind: "drop" }))
  ),
  call("a form without a connection", "Forms", "getFormByMarker", "reg"),
  call("signing in without a connection", "AuthProvider", "auth", "email", credentials(bob))
]

// ---------------------------------------------------------------------------------------------------------------------
// what is compared
// ---------------------------------------------------------------------------------------------------------------------

const times = new Set(["timestamp", "time", "createdDate", "updatedDate", "deletedAt"])

/** What no two runs have in common, by what it looks like. */
const masked = (value: unknown, key = ""): unknown => {
  if (typeof value === "string") {
    if (times.has(key) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return "<time>"
    if (key === "accessToken" && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(value)) return "<access token>"
    if (key === "refreshToken" && /^\d{13}-[0-9a-f-]{36}$/.test(value)) return "<refresh token>"
    if (key === "fingerprint") return "<fingerprint>"
    return value
      .replace(/http:\/\/127\.0\.0\.1:\d+/g, "<url>")
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}\.(txt|png)/g, "<uuid>.$1")
  }
  if (value instanceof Error) return { "<error>": value.constructor.name, message: value.message }
  if (Array.isArray(value)) return value.map((item) => masked(item, key))
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, masked(member, name)]))
  }
  return value
}

const outcome = async (step: Step, world: World): Promise<unknown> => {
  try {
    const result: unknown = await step[1](world)
    world.results.set(step[0], result)
    return result
  } catch (error) {
    return { "<rejected>": masked(error) }
  }
}

const untagged = (result: unknown): unknown => {
  if (!isError(result)) return result
  const { _tag, reason: _, ...rest } = result
  assert.match(_tag, /^[A-Z][A-Za-z]+$/)
  return rest
}

const envelope = (statusCode: number, message: string) => ({ statusCode, timestamp: "<time>", message, pageData: null })

interface Results {
  readonly official: unknown
  readonly ours: unknown
}

/** What is exactly so, or how the two differ. */
type Difference = Results | ((results: Results) => void)

/** The texts of a language that the original leaves wrapped are what they are in ours. */
const unwrapped: Difference = ({ official, ours }) => {
  assert.notDeepEqual(official, ours)
  // Normalised twice, a number that is absent would be 0.
  const text = JSON.stringify(official).replaceAll(',"value":null', "")
  assert.deepStrictEqual(normalizeForm(JSON.parse(text), { langCodes: ["en_US"], rawData: false }), ours)
}

/** Both give this, but for that. */
const but =
  (change: (ours: object) => unknown): Difference =>
  ({ official, ours }) => {
    assert.deepStrictEqual(change(structuredClone(Object(ours))), official)
    assert.notDeepEqual(official, ours)
  }

const titles =
  (...titles: ReadonlyArray<string>) =>
  (providers: object) =>
    Object.values(providers).map((provider, index) => ({ ...provider, localizeInfos: { title: titles[index] } }))

const eve = [
  { marker: "name_reg", type: "string", value: "Ann" },
  { marker: "phone_reg", type: "string", value: "+18007986545" },
  { marker: "email_notification_reg", type: "string", value: "eve@example.com" }
]

const unreachable = (results: Results) => {
  assert.deepInclude(Object(results.ours), { statusCode: 503, pageData: null, timestamp: "<time>" })
  assert.match(Object(results.ours).message, /^The server could not be reached/)
}

/** By the name of the step; `docs/promise-differences.md` says why. */
const differences: Readonly<Record<string, Difference>> = {
  "form in German": unwrapped,
  "form in a language without texts": unwrapped,
  "providers in German": but(titles("Email", "Google")),
  "provider in German": but((provider) => titles("Email")([provider])[0]),
  "sign up in German": but((user) => ({ ...user, formData: { de_DE: eve } })),
  "sign up with the object of before": ({ official, ours }) => {
    assert.deepStrictEqual(official, envelope(400, '"formData.en_US[0].marker" is required'))
    assert.deepInclude(Object(ours), { identifier: "carol@example.com", isActive: false })
  },
  sessions: ({ official, ours }) => {
    const [theirs] = [official].flat()
    const [mine] = [ours].flat()
    assert.deepInclude(Object(theirs).deviceInfo, { os: "Node.js", location: "en-US" })
    assert.match(Object(theirs).deviceInfo.browser, /^Node\.js\/[0-9a-z]{10}$/)
    assert.deepStrictEqual(Object(mine).deviceInfo, DeviceMetadata.make().deviceInfo)
  },
  "changed profile": but((user) => ({ ...user, state: "not a text" })),
  "no such file": { official: { status: 404 }, ours: envelope(404, "File not found") },
  "profile after the end of the token": ({ official, ours }) => {
    assert.deepStrictEqual(official, envelope(401, "Unauthorized"))
    assert.deepInclude(Object(ours), { identifier: ann })
  },
  "two passwords that differ": {
    official: envelope(400, "Passwords do not match"),
    ours: envelope(400, "The two passwords differ")
  },
  "signing in through a proxy": ({ official, ours }) => {
    assert.deepInclude(Object(official), { "<error>": "SyntaxError" })
    assert.deepStrictEqual(ours, envelope(401, "The login is unknown or the password wrong"))
  },
  "a form without a connection": (results) => {
    assert.deepStrictEqual(results.official, {})
    unreachable(results)
  },
  "signing in without a connection": (results) => {
    assert.deepStrictEqual(results.official, { "<error>": "TypeError", message: "fetch failed" })
    unreachable(results)
  }
}

/** The names in the table of the page, each with its row of the wire contract. */
const documented = fs
  .readFileSync(new URL("../../docs/promise-differences.md", import.meta.url), "utf8")
  .split("\n")
  .flatMap((line) => /^\| `([^`]+)`\s*\|.*\| §(?:6|8 #\d+)[^|]*\|$/.exec(line)?.[1] ?? [])

const problemOf = (expected: Difference | undefined, results: Results): string | undefined => {
  try {
    if (expected === undefined) assert.deepStrictEqual(results.ours, results.official)
    else if (typeof expected === "function") expected(results)
    else assert.deepStrictEqual(results, expected)
    return undefined
  } catch (error) {
    return String(error)
  }
}

describe("the official SDK (1.0.149) and the facade", () => {
  it.live(
    `give the same through ${script.length} steps, but for what is written down`,
    () =>
      Effect.gen(function* () {
        const run = Effect.runPromiseWith(yield* Effect.context())
        const world = Effect.fnUntraced(function* (make: (url: string, token: string) => unknown) {
          const emulator = yield* Emulator.makeServer({ project, passwordCost: 1, seed: 42 })
          const made: World = {
            // Both have these modules; what their methods take and give differs in type only.
            api: make(emulator.url, Redacted.value(emulator.appToken)) as Api,
            emulator,
            code: (user) => run(emulator.awaitCode(user)),
            run,
            results: new Map()
          }
          return made
        })
        const theirs = yield* world((url, token) => official.defineOneEntry(url, { token }))
        const ours = yield* world((url, token) => defineOneEntry(url, { token, client: { retry: false } }))

        const failed: Array<string> = []
        for (const step of script) {
          const results = {
            official: masked(yield* Effect.promise(() => outcome(step, theirs))),
            ours: masked(untagged(yield* Effect.promise(() => outcome(step, ours))))
          }
          const problem = problemOf(differences[step[0]], results)
          if (problem !== undefined) failed.push(`${step[0]}: ${problem}\n  ${JSON.stringify(results)}`)
        }
        assert.deepStrictEqual(failed, [], failed.join("\n"))
      }).pipe(Effect.scoped),
    60_000
  )

  it("differ where the page says so, and nowhere else", () => {
    assert.deepStrictEqual([...documented].sort(), Object.keys(differences).sort())
    const names = script.map(([name]) => name)
    assert.strictEqual(new Set(names).size, names.length)
    for (const name of documented) assert.include(names, name)
  })
})
