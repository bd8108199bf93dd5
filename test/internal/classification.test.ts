import { assert, describe, it } from "@effect/vitest"
import { Duration, Redacted } from "effect"
import { type Answer, classify, type Operation, type Row, rowOf } from "../../src/internal/classification.ts"
import { unquoted } from "../../src/internal/quoted.ts"
import { emptyEnvelope, readEnvelope } from "../../src/internal/serverEnvelope.ts"
import { rulesOf, table } from "../helpers/classification.ts"
import { tagOf } from "../helpers/scenario.ts"

const rows: ReadonlyArray<Row> = table

interface Given {
  readonly operation: Operation
  readonly status: number
  readonly message?: string | ReadonlyArray<string>
  readonly withCode?: boolean
  readonly refused?: boolean
  readonly retryAfter?: number
}

const answer = ({ message, operation, refused = false, retryAfter, status, withCode = false }: Given): Answer => ({
  rules: rulesOf(operation),
  operation,
  marker: "email",
  sent: { path: "", headers: {} },
  envelope: (message === undefined ? undefined : readEnvelope(status, { message })) ?? emptyEnvelope(status),
  retryAfter,
  withCode,
  refused
})

const tag = (given: Given) => tagOf(classify(answer(given)))

const told = (operation: Operation, status: number, message?: string | ReadonlyArray<string>): Given => ({
  operation,
  status,
  ...(message === undefined ? {} : { message })
})

const no = (operation: Operation, status = 201): Given => ({ operation, status, refused: true })

const withCode = (status: number, message?: string): Given => ({ ...told("auth", status, message), withCode: true })

/** What the server says, as WIRE.md has it, and what it must become. In the order of the table. */
const cases: ReadonlyArray<readonly [Given, string]> = [
  [told("auth", 400, "User is not activated"), "UserNotActivated"],
  [told("auth", 401, "User is not activated"), "UserNotActivated"],
  [withCode(403, "User is not activated"), "UserNotActivated"],
  [told("getUser", 403, "Resource is closed"), "OneEntryError/ResourceClosed"],
  [
    told("oauth", 403, "Permission data not found. Provide the permission for requested url"),
    "OneEntryError/PermissionDenied"
  ],
  [told("getUser", 403, "Forbidden resource"), "OneEntryError/PermissionDenied"],
  [told("auth", 403), "OneEntryError/PermissionDenied"],
  [told("auth", 400, "Missing x-device-metadata header"), "OneEntryError/DeviceMetadataRejected"],
  [told("oauth", 400, "Invalid x-device-metadata format"), "OneEntryError/DeviceMetadataRejected"],
  [told("changePassword", 405), "OneEntryError/NotInPlan"],
  [told("signUp", 404, "Cannot POST /api/content/x"), "OneEntryError/Unexpected"],
  [told("changePassword", 500, "code is expired"), "OneEntryError/ServerFailure"],
  [told("generateCode", 599), "OneEntryError/ServerFailure"],
  [no("checkCode"), "InvalidCode"],
  [no("activateUser"), "InvalidCode"],
  [no("changePassword", 200), "InvalidCode"],
  [{ ...no("auth"), withCode: true }, "InvalidCode"],
  [no("generateCode"), "OneEntryError/Unexpected"],
  [no("logout"), "OneEntryError/Unexpected"],
  [told("generateCode", 400, "User already has a code"), "UserAlreadyHasCode"],
  [told("generateCode", 429), "UserAlreadyHasCode"],
  [told("generateCode", 404, 'Event "typo" with formType "send_code" not found'), "EventNotFound"],
  [told("generateCode", 400, ["eventIdentifier should not be empty"]), "EventNotFound"],
  [told("generateCode", 404, "User not found"), "UserNotFound"],
  [told("checkCode", 400, "User not found"), "UserNotFound"],
  [told("activateUser", 404, "User not found"), "UserNotFound"],
  [told("changePassword", 400, "User not found"), "UserNotFound"],
  [told("checkCode", 429), "CodeAttemptsExceeded"],
  [told("activateUser", 429), "CodeAttemptsExceeded"],
  [told("changePassword", 429), "CodeAttemptsExceeded"],
  [withCode(429), "CodeAttemptsExceeded"],
  [told("auth", 429), "OneEntryError/TooManyRequests"],
  [told("changePassword", 400, "User code is expired or incorrect"), "InvalidCode"],
  [withCode(400, "User code is expired or incorrect"), "InvalidCode"],
  [told("changePassword", 400, "Passwords do not match"), "PasswordsDoNotMatch"],
  [told("changePassword", 400, '"password2" must be [ref:password1]'), "PasswordsDoNotMatch"],
  [told("changePassword", 400, "password1 and password2 must be equal"), "PasswordsDoNotMatch"],
  [told("activateUser", 401), "InvalidCode"],
  [told("auth", 400, "auth provider not defined"), "ProviderNotFound"],
  [told("signUp", 400, "form is not defined"), "ProviderNotFound"],
  [told("getFormByMarker", 400, "form is not defined"), "FormNotFound"],
  [
    told("postFormsData", 400, "This form doesn't allow anonymous users sending data. You must authorize."),
    "AnonymousNotAllowed"
  ],
  [told("postFormsData", 400, "You have already rated this entity"), "AlreadyRated"],
  [told("postFormsData", 404, "Form has incorrect type: sing_in_up"), "FormMismatch"],
  [told("deleteFormsDataById", 404), "SubmissionNotFound"],
  [told("postFormsData", 404, "Form data not found"), "SubmissionNotFound"],
  [told("upload", 413), "FileTooLarge"],
  [told("upload", 400, "File size exceeds the setting"), "FileTooLarge"],
  [told("getFile", 404, "File not found"), "FileNotFound"],
  [told("updateUser", 400, "User with this identifier already exists"), "UserAlreadyExists"],
  [withCode(401), "InvalidCode"],
  [withCode(400, "Wrong code"), "InvalidCode"],
  [withCode(400, '"code" is not allowed'), "InvalidData"],
  [told("auth", 400, "Wrong code"), "InvalidData"],
  [told("auth", 401, "Wrong password"), "InvalidCredentials"],
  [told("auth", 404, "User not found"), "InvalidCredentials"],
  [told("oauth", 400, "We couldn't pass the oauth authentication with provided data…"), "OAuthRejected"],
  [told("oauth", 401), "OAuthRejected"],
  [told("auth", 400, "Login or password values are missed"), "InvalidData"],
  [told("auth", 400, '"authData[0].type" is not allowed'), "InvalidData"],
  [told("signUp", 400, "User with this identifier already exists"), "UserAlreadyExists"],
  [told("signUp", 400, "This login is already taken"), "UserAlreadyExists"],
  [told("signUp", 409), "UserAlreadyExists"],
  // What should not exist, or does not, is no user that does.
  [told("signUp", 400, "property type should not exist"), "InvalidData"],
  [told("signUp", 400, "The form doesn't exist"), "InvalidData"],
  [told("signUp", 422, '"notificationData.phoneSMS" is not allowed to be empty'), "InvalidData"],
  [told("signUp", 404, "Form not found"), "InvalidData"],
  [told("signUp", 404), "ProviderNotFound"],
  [told("getAuthProviderByMarker", 404, "Not Found"), "ProviderNotFound"],
  [told("activateUser", 400, "Wrong code"), "InvalidCode"],
  [told("getFormByMarker", 404), "FormNotFound"],
  [told("getUser", 429), "OneEntryError/TooManyRequests"],
  [told("generateCode", 400, ["property x should not exist"]), "OneEntryError/InvalidRequest"],
  [told("getUser", 422, "name must be a string"), "OneEntryError/InvalidRequest"],
  // What no row knows.
  [told("getUser", 418, "I am a teapot"), "OneEntryError/Unexpected"],
  [told("logout", 401, "Unauthorized"), "OneEntryError/Unexpected"],
  [told("generateCode", 400), "OneEntryError/Unexpected"],
  [told("getAllForms", 304), "OneEntryError/Unexpected"]
]

describe("the table", () => {
  for (const [given, expected] of cases) {
    const said = given.refused === true ? "false" : (given.message ?? "")
    const code = given.withCode === true ? " with a code" : ""
    it(`${given.operation}${code} ${given.status} ${said} is ${expected}`, () => {
      assert.strictEqual(tag(given), expected)
    })
  }

  it("has no row that is never reached", () => {
    const reached = new Set(cases.map(([given]) => rowOf(answer(given))))
    assert.deepStrictEqual(
      rows.filter((row) => !reached.has(row)),
      []
    )
  })

  it("says of every row where it is known from, and how sure it is", () => {
    for (const row of rows) {
      assert.match(row.source, /\S/)
      assert.include(["captured", "stated", "app", "inferred"], row.certainty)
    }
  })

  it("first match wins: the order of rows that both match decides", () => {
    assert.strictEqual(tag(told("generateCode", 403, "Resource is closed")), "OneEntryError/ResourceClosed")
    const closed = rows.findIndex((row) => row.error === "ResourceClosed")
    assert.isTrue(rows.findIndex((row) => row.error === "PermissionDenied") > closed)
    // Messages that two rows of one operation know.
    const message = "User not found: eventIdentifier"
    assert.strictEqual(tag(told("generateCode", 400, message)), "EventNotFound")
    assert.strictEqual(tag(told("generateCode", 404, message)), "UserNotFound")
    assert.strictEqual(tag(told("oauth", 400, "auth provider not defined")), "ProviderNotFound")
  })

  it("never goes by a message without an operation, but for what every route answers", () => {
    for (const row of rows) {
      if (row.operations !== "*" || row.message === undefined) continue
      assert.include(["ResourceClosed", "DeviceMetadataRejected", "Unexpected", "InvalidRequest"], row.error)
    }
    assert.strictEqual(tag(told("getUser", 404, "User not found")), "OneEntryError/Unexpected")
    assert.strictEqual(tag(told("getAuthProviders", 404, "auth provider not defined")), "OneEntryError/Unexpected")
  })

  it("has no expression that remembers where it stood", () => {
    for (const row of rows) assert.notMatch(row.message?.flags ?? "", /[gy]/)
  })
})

describe("the error", () => {
  it("carries marker and envelope", () => {
    const error = classify({
      ...answer(told("generateCode", 400)),
      retryAfter: 12_000,
      envelope:
        readEnvelope(400, {
          statusCode: 999,
          timestamp: "2025-04-30T20:07:39.755Z",
          message: "User already has a code",
          pageData: { id: 1 }
        }) ?? assert.fail("no envelope")
    })
    if (error._tag !== "UserAlreadyHasCode") return assert.fail(error._tag)
    assert.strictEqual(error.marker, "email")
    // The HTTP status is the truth.
    assert.strictEqual(error.statusCode, 400)
    assert.deepStrictEqual(error.messages, ["User already has a code"])
    assert.strictEqual(error.timestamp?.toJSON(), "2025-04-30T20:07:39.755Z")
    assert.deepStrictEqual(error.pageData, { id: 1 })
    assert.strictEqual(Duration.toSeconds(error.retryAfter ?? 0), 12)
    assert.include(error.message, "User already has a code")
  })

  it("has a retryAfter only where one means something", () => {
    assert.notProperty(classify({ ...answer(told("checkCode", 429)), retryAfter: 1 }), "retryAfter")
    const retryAfter = (status: number) => {
      const error = classify({ ...answer(told("getUser", status)), retryAfter: 2_000 })
      return error._tag === "OneEntryError" ? error.retryAfter : assert.fail(error._tag)
    }
    assert.strictEqual(Duration.toSeconds(retryAfter(429) ?? 0), 2)
    assert.strictEqual(Duration.toSeconds(retryAfter(503) ?? 0), 2)
    assert.isUndefined(retryAfter(418))
  })

  it("InvalidRequest holds the issues", () => {
    const error = classify(answer(told("getUser", 400, ["a is required", "b must be c"])))
    if (error._tag !== "OneEntryError" || error.reason._tag !== "InvalidRequest") return assert.fail(error._tag)
    assert.deepStrictEqual(error.reason.issues, ["a is required", "b must be c"])
    assert.strictEqual(error.reason.statusCode, 400)
  })

  it("knows whether the same call may succeed later", () => {
    const retryable = (status: number) => {
      const error = classify(answer(told("getUser", status)))
      return error._tag === "OneEntryError" && error.isRetryable
    }
    for (const status of [304, 408, 425, 429, 500, 502, 503, 599]) assert.isTrue(retryable(status), String(status))
    for (const status of [400, 401, 403, 404, 405, 409, 418, 422]) assert.isFalse(retryable(status), String(status))
  })
})

describe("the envelope", () => {
  it("is read from own properties, and where there is no message there is none", () => {
    assert.isUndefined(readEnvelope(400, JSON.parse('{"__proto__":{"message":"x"}}')))
    const none = [
      undefined,
      null,
      "text",
      1,
      true,
      [],
      ["message"],
      {},
      { message: null },
      { message: {} },
      { message: 1 }
    ]
    for (const body of none) assert.isUndefined(readEnvelope(400, body), JSON.stringify(body))
    assert.deepStrictEqual(readEnvelope(400, { message: "x", timestamp: "yesterday", pageData: null }), {
      statusCode: 400,
      messages: ["x"]
    })
    assert.deepStrictEqual(readEnvelope(400, { message: ["a", 1, null, "b"] })?.messages, ["a", "b"])
  })

  it("is bounded", () => {
    const envelope = readEnvelope(400, { message: Array.from({ length: 1000 }, () => "x".repeat(100_000)) })
    const { messages } = unquoted(envelope ?? emptyEnvelope(400), { path: "/", headers: {} })
    assert.strictEqual(messages.length, 50)
    assert.isTrue(messages.every((message) => message.length === 2_000))
  })

  it("does not quote what was redacted in the fields, however deep, and looks at a cycle once", () => {
    const wiped = Redacted.make("wiped")
    Redacted.wipeUnsafe(wiped)
    const given = {
      en_US: [{ value: Redacted.make(12345) }, { value: Redacted.make(["alpha", { b: "beta", c: null }]) }, wiped],
      plain: "plain"
    }
    const { messages } = unquoted(
      { statusCode: 400, messages: ["12345 alpha beta null plain wiped"] },
      { path: "/", headers: {}, given: Object.assign(given, { given }) }
    )
    assert.deepStrictEqual(messages, ["<redacted> <redacted> <redacted> null plain wiped"])
  })
})
