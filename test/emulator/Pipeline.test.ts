import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Emulator, Messages, Project } from "effect-oneentry/emulator"
import {
  auth,
  authData,
  call,
  device,
  inProcess,
  login,
  me,
  ok,
  onPort,
  project,
  refused,
  register,
  registered,
  users
} from "./support.ts"

const closed = Messages.table.ResourceClosed.text

describe("the app token", () => {
  it.effect("is wanted as x-app-token on every route", () =>
    Effect.gen(function* () {
      refused(yield* call("GET", "/api/content/forms", { appToken: null }), 403, closed)
      refused(yield* call("GET", "/api/content/forms", { appToken: "wrong" }), 403, closed)
      refused(yield* call("GET", "/api/content/forms", { appToken: null, bearer: "emulator-app-token" }), 403, closed)
      refused(yield* call("POST", `${users}/auth`, { appToken: "undefined", body: {} }), 403, closed)
      refused(yield* call("GET", "/api/content/users/me", { appToken: null }), 403, closed)
      assert.strictEqual((yield* call("GET", "/api/content/forms")).status, 200)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("is what the options say", () =>
    Effect.gen(function* () {
      refused(yield* call("GET", "/api/content/forms"), 403, closed)
      assert.strictEqual((yield* call("GET", "/api/content/forms", { appToken: "mine" })).status, 200)
    }).pipe(Effect.provide(inProcess({ appToken: "mine" })))
  )
})

describe("routes", () => {
  it.effect("that do not exist answer 404 with the verb and the path, app token or not", () =>
    Effect.gen(function* () {
      refused(yield* call("GET", "/api/content/auth/me"), 404, "Cannot GET /api/content/auth/me")
      refused(yield* call("POST", "/nope?x=1", { appToken: null, body: {} }), 404, "Cannot POST /nope?x=1")
      refused(yield* call("POST", "/api/content/forms", { body: {} }), 404, "Cannot POST /api/content/forms")
      refused(yield* call("DELETE", `${users}/auth`), 404, `Cannot DELETE ${users}/auth`)
      const log = (yield* Emulator.Emulator.use((e) => e.requests)).at(0)
      assert.deepInclude(log, { operation: null, status: 404, refusal: "RouteNotFound", handled: false })
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("take a slash at the end, and HEAD where there is GET", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* call("GET", "/api/content/forms/")).status, 200)
      const head = yield* call("HEAD", "/api/content/forms")
      assert.strictEqual(head.status, 200)
      assert.strictEqual(head.text, "")
    }).pipe(Effect.provide(onPort()))
  )

  // What the router found is remembered, and goes past it from then on.
  for (const [name, live] of [
    ["in the process", inProcess],
    ["on a port", onPort]
  ] as const) {
    it.effect(`answer the same request again as they did at first ${name}`, () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const ann = yield* registered()
        const known = { bearer: ann.accessToken }
        const body = { userIdentifier: login, eventIdentifier: "auth", code: "wrong" }
        for (const [method, path, options] of [
          ["GET", "/api/content/users/me", known],
          ["GET", "/api/content/users/me", {}],
          ["GET", "/api/content/users/me", { appToken: "wrong" }],
          ["GET", "/api/content/users/me?langCode=en_US", known],
          ["GET", "/api/content/forms/marker/reg/", {}],
          ["GET", "/api/content/forms/marker/%72eg", {}],
          ["GET", "/api/content/forms/marker/none", {}],
          ["GET", "/api/content/forms?limit=1&limit=2&offset=1", {}],
          ["GET", "/api/content/forms?limit=x", {}],
          ["HEAD", "/api/content/forms", {}],
          ["PUT", "/api/content/users/me/", { ...known, raw: "{" }],
          ["POST", `${users}/check-code`, { body }],
          ["POST", `${users}/check-code`, { body: { ...body, extra: 1 } }],
          ["POST", `${users}/check-code`, {}],
          ["POST", `${users}/logout-all`, {}],
          ["POST", `${users}/refresh`, { body: {} }],
          ["POST", `${users}/refresh`, { body: {}, device: device() }]
        ] as const) {
          const first = yield* call(method, path, options)
          const logged = (yield* emulator.requests).at(-1)
          for (const again of [yield* call(method, path, options), yield* call(method, path, options)]) {
            assert.deepStrictEqual(again, first, `${method} ${path}`)
            const { durationMs: _, id: __, ...entry } = { durationMs: 0, id: 0, ...(yield* emulator.requests).at(-1) }
            assert.deepInclude(logged, entry, `${method} ${path}`)
          }
        }
        // and a fault meets it all the same
        yield* emulator.faults.add({ kind: "status", status: 503, operation: "getUser", count: 1 })
        assert.strictEqual((yield* call("GET", "/api/content/users/me", known)).status, 503)
        assert.strictEqual((yield* call("GET", "/api/content/users/me", known)).status, 200)
      }).pipe(Effect.provide(live()))
    )
  }

  it.effect("answer preflights of browsers, and allow any origin", () =>
    Effect.gen(function* () {
      const preflight = yield* call("OPTIONS", `${users}/auth`, { appToken: null })
      assert.strictEqual(preflight.status, 204)
      assert.strictEqual(preflight.headers["access-control-allow-origin"], "*")
      const allowed = preflight.headers["access-control-allow-headers"] ?? ""
      for (const name of [
        "content-type",
        "authorization",
        "x-app-token",
        "x-device-metadata",
        "x-guest-id",
        "accept"
      ]) {
        assert.include(allowed, name)
      }
      assert.include(preflight.headers["access-control-allow-methods"] ?? "", "PUT")
      const answer = yield* call("GET", "/api/content/forms", { appToken: null })
      assert.strictEqual(answer.headers["access-control-allow-origin"], "*")
      assert.strictEqual(answer.headers["content-type"], "application/json; charset=utf-8")
    }).pipe(Effect.provide(onPort()))
  )
})

describe("permissions", () => {
  const missing = Messages.table.PermissionMissing.text
  const denied = Messages.table.PermissionDenied.text

  it.effect("come before the device header and the body", () =>
    Effect.gen(function* () {
      refused(yield* call("POST", `${users}/refresh`, { raw: "{" }), 403, missing)
      refused(yield* call("GET", "/api/content/users/me"), 403, denied)
      const answer = yield* call("POST", `${users}/check-code`, { body: {} })
      assert.strictEqual(answer.status, 403)
      assert.match(answer.text, /requires the \\"addRule\\" rule .*\(permissionId: 3\)/)
    }).pipe(
      Effect.provide(
        inProcess({
          project: project(Project.defaultProject, {
            permissions: [
              { operation: "refresh", rule: "missing" },
              { route: "/api/content/users/*", method: "GET", rule: "denied" },
              { operation: "checkCode", rule: "addRule" }
            ]
          })
        })
      )
    )
  )

  it.effect("can be of one group; the last rule that matches decides", () =>
    Effect.gen(function* () {
      yield* register()
      refused(yield* call("GET", "/api/content/forms"), 403, denied)
      const answer = yield* auth()
      const bearer = String(Object(answer.json).accessToken)
      assert.strictEqual((yield* call("GET", "/api/content/forms", { bearer })).status, 200)
    }).pipe(
      Effect.provide(
        inProcess({
          project: project(Project.defaultProject, {
            groups: [
              { id: 1, identifier: "guest" },
              { id: 2, identifier: "members" }
            ],
            providers: (Project.defaultProject.providers ?? []).map((provider) => ({
              ...provider,
              userGroupIdentifier: "members"
            })),
            permissions: [
              { operation: "getAllForms", rule: "denied" },
              { operation: "getAllForms", group: "members", rule: "granted" }
            ]
          })
        })
      )
    )
  )
})

describe("other rules", () => {
  const many = (switches: NonNullable<Project.Input["switches"]>) =>
    inProcess({
      project: project(Project.defaultProject, {
        switches,
        events: Array.from({ length: 12 }, (_, index) => ({ identifier: `event-${index}` })),
        permissions: [
          { operation: "getAllEvents", rule: "restricted" },
          { operation: "changePassword", rule: "notInPlan" }
        ]
      })
    })
  const rows = (query: string) =>
    Effect.map(call("GET", `/api/content/events${query}`), (answer) => Object(answer.json).items?.length)

  it.effect("a restricted read has ten rows at most, an operation outside of the plan 405", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual([yield* rows(""), yield* rows("?limit=3"), yield* rows("?offset=10")], [10, 3, 2])
      refused(yield* call("POST", `${users}/change-password`, { raw: "{" }), 405, Messages.table.PlanNotIncluded.text)
    }).pipe(Effect.provide(many({})))
  )

  it.effect("or refuses larger pages", () =>
    Effect.gen(function* () {
      refused(yield* call("GET", "/api/content/events"), 400, "maximum allowed data length = 10")
      assert.strictEqual(yield* rows("?limit=10"), 10)
    }).pipe(Effect.provide(many({ restrictedReads: "400" })))
  )
})

describe("x-device-metadata", () => {
  it.effect("is checked before the body where it is wanted", () =>
    Effect.gen(function* () {
      for (const path of ["users/auth", "users/refresh", "users/logout", "oauth"]) {
        const url = `/api/content/users-auth-providers/marker/email/${path}`
        refused(yield* call("POST", url, { raw: "{" }), 400, "Missing x-device-metadata header")
        for (const header of [
          "nonsense",
          "[]",
          "null",
          "1",
          "{}",
          `{"fingerprint":1,"deviceInfo":{}}`,
          `{"fingerprint":"a"}`,
          `{"fingerprint":"a","deviceInfo":"x"}`,
          `{"fingerprint":"a","deviceInfo":[]}`
        ]) {
          refused(yield* call("POST", url, { raw: "{", device: header }), 400, "Invalid x-device-metadata format")
        }
      }
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("is not wanted elsewhere, unless the project says so", () =>
    Effect.gen(function* () {
      const answer = yield* call("POST", `${users}/check-code`, { body: { userIdentifier: "a", code: "b" } })
      refused(answer, 404, "User not found")
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("is wanted on every POST with the switch", () =>
    Effect.gen(function* () {
      refused(yield* call("POST", `${users}/check-code`, { body: {} }), 400, "Missing x-device-metadata header")
      refused(yield* call("PUT", "/api/content/users/me", { body: {} }), 400, `"formIdentifier" is required`)
    }).pipe(
      Effect.provide(
        inProcess({
          project: project(Project.defaultProject, { switches: { deviceMetadata: "every-post" } })
        })
      )
    )
  )
})

describe("bodies", () => {
  const url = `${users}/generate-code`
  const malformed = Messages.table.BodyMalformed.text

  it.effect("must be JSON objects, not too deep, without prototype keys", () =>
    Effect.gen(function* () {
      for (const raw of ["{", "nonsense", "1", "null", '"text"', '{"a":}', "\u0000"]) {
        refused(yield* call("POST", url, { raw }), 400, malformed)
      }
      const deep = Messages.table.BodyTooDeep.text
      refused(yield* call("POST", url, { raw: "[".repeat(100_000) + "]".repeat(100_000) }), 400, deep)
      const prototype = Messages.table.BodyPrototype.text
      refused(yield* call("POST", url, { raw: `{"__proto__":{"admin":true}}` }), 400, prototype)
      refused(yield* call("POST", url, { raw: `{"a":[{"\\u005f_proto__":1}]}` }), 400, prototype)
      assert.isUndefined(Object(Object.prototype).admin)
      assert.strictEqual((yield* call("POST", url, { raw: "[]" })).status, 400)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("that do not call themselves JSON count as empty", () =>
    Effect.gen(function* () {
      const empty = ["userIdentifier should not be empty", "eventIdentifier should not be empty"]
      refused(yield* call("POST", url), 400, empty)
      refused(yield* call("POST", url, { raw: "" }), 400, empty)
      const raw = JSON.stringify({ userIdentifier: login, eventIdentifier: "auth" })
      refused(yield* call("POST", url, { raw, headers: { "content-type": "text/plain" } }), 400, empty)
    }).pipe(Effect.provide(inProcess()))
  )

  for (const [name, live] of [
    ["in the process", inProcess],
    ["on a port", onPort]
  ] as const) {
    it.effect(`have a largest size ${name}`, () =>
      Effect.gen(function* () {
        const raw = JSON.stringify({ userIdentifier: "x".repeat(2000), eventIdentifier: "auth" })
        refused(yield* call("POST", url, { raw }), 413, "request entity too large")
        refused(
          yield* call("POST", url, { raw: "{}", headers: { "x-long": "y".repeat(5000) } }),
          431,
          Messages.table.HeadersTooLarge.text
        )
        assert.strictEqual((yield* call("GET", "/api/content/forms")).status, 200)
      }).pipe(Effect.provide(live({ limits: { bodyBytes: 1000, headerBytes: 4000 } })))
    )
  }

  it.effect("are validated before the bearer is looked at", () =>
    Effect.gen(function* () {
      refused(yield* call("PUT", "/api/content/users/me", { body: {} }), 400, `"formIdentifier" is required`)
      refused(
        yield* call("PUT", "/api/content/users/me", { body: { formIdentifier: "reg", langCode: "en_US" } }),
        401,
        "Unauthorized"
      )
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("the bearer", () => {
  it.effect("is wanted where a session is needed, and ignored elsewhere", () =>
    Effect.gen(function* () {
      const tokens = yield* registered()
      for (const bearer of ["", "nonsense", tokens.refreshToken, `${tokens.accessToken}x`]) {
        refused(yield* me(bearer), 401, "Unauthorized")
        assert.strictEqual((yield* call("GET", "/api/content/forms", { bearer })).status, 200)
      }
      refused(yield* call("GET", "/api/content/users/me"), 401, "Unauthorized")
      const basic = yield* call("GET", "/api/content/users/me", {
        headers: { authorization: `Basic ${tokens.accessToken}` }
      })
      refused(basic, 401, "Unauthorized")
      assert.strictEqual((yield* me(tokens.accessToken)).status, 200)
      const again = yield* call("POST", `${users}/auth`, {
        bearer: "expired",
        body: { authData: authData() },
        device: device()
      })
      assert.strictEqual(again.status, 201)
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("may be missing with a 500 on some servers", () =>
    Effect.gen(function* () {
      refused(yield* call("GET", "/api/content/users/me"), 500, "Internal server error")
      refused(yield* me("dead"), 401, "Unauthorized")
    }).pipe(
      Effect.provide(
        inProcess({ project: project(Project.defaultProject, { switches: { usersWithoutSession: 500 } }) })
      )
    )
  )
})

describe("the table of messages", () => {
  it("has a source for each row, and a status of an error", () => {
    for (const [name, row] of Object.entries(Messages.table)) {
      assert.isTrue(row.status >= 400 && row.status < 600, name)
      assert.isTrue(row.text.length > 0 && row.source.length > 0, name)
    }
  })
  it("has what was captured word by word", () => {
    assert.deepInclude(Messages.table.UserAlreadyHasCode, { status: 400, text: "User already has a code" })
    assert.deepInclude(Messages.table.RefreshTokenIncorrect, { status: 400, text: "Provided token is incorrect" })
    assert.deepInclude(Messages.table.LoginOrPasswordMissed, {
      status: 400,
      text: "Login or password values are missed"
    })
    assert.deepInclude(Messages.table.PermissionMissing, {
      status: 403,
      text: "Permission data not found. Provide the permission for requested url"
    })
  })
})

describe("validation messages", () => {
  it.effect("can be one text instead of a list", () =>
    Effect.gen(function* () {
      refused(yield* call("POST", `${users}/generate-code`, { body: {} }), 400, "userIdentifier should not be empty")
      ok(yield* call("GET", "/api/content/system/api-stat"), 200, { date: "1970-01-01T00:00:00.000Z", count: 2 })
    }).pipe(
      Effect.provide(
        inProcess({ project: project(Project.defaultProject, { switches: { validationMessages: "string" } }) })
      )
    )
  )
})
