/** What the types promise; `tsc` is the judge, and vitest runs the file so that it is seen to be checked. */
import { describe, expectTypeOf, it } from "@effect/vitest"
import type { Effect, Redacted, Schedule, Stream } from "effect"
import type { HttpClient } from "effect/http"
import type {
  AuthError,
  AuthProvider,
  AuthSchema,
  FieldValue,
  FormSchema,
  Forms,
  OneEntryClient,
  OneEntryError,
  SessionLock,
  TokenStorage,
  Users
} from "effect-oneentry"
import { Session } from "effect-oneentry"
import type { DomainErrorOf, Operation } from "../src/internal/classification.ts"
import type { table } from "./helpers/classification.ts"

type Api = AuthProvider.AuthProvider["Service"]

type FailuresOf<F> = F extends (...args: infer _) => Effect.Effect<infer _A, infer E, infer _R> ? E : never
type ResultOf<F> = F extends (...args: infer _) => Effect.Effect<infer A, infer _E, infer _R> ? A : never
type NeedsOf<F> = F extends (...args: infer _) => Effect.Effect<infer _A, infer _E, infer R> ? R : never

/** The rows of API.md's table, each with `OneEntryError`. */
interface Declared {
  signUp: AuthError.UserAlreadyExists | AuthError.InvalidData | AuthError.ProviderNotFound | AuthError.UploadFailed
  generateCode:
    | AuthError.UserAlreadyHasCode
    | AuthError.UserNotFound
    | AuthError.EventNotFound
    | AuthError.ProviderNotFound
  checkCode:
    | AuthError.InvalidCode
    | AuthError.CodeAttemptsExceeded
    | AuthError.UserNotFound
    | AuthError.ProviderNotFound
  activateUser:
    | AuthError.InvalidCode
    | AuthError.CodeAttemptsExceeded
    | AuthError.UserNotFound
    | AuthError.ProviderNotFound
  auth:
    | AuthError.InvalidCredentials
    | AuthError.InvalidCode
    | AuthError.CodeAttemptsExceeded
    | AuthError.UserNotActivated
    | AuthError.InvalidData
    | AuthError.ProviderNotFound
    | TokenStorage.TokenStorageError
  oauth: AuthError.OAuthRejected | AuthError.ProviderNotFound | TokenStorage.TokenStorageError
  refresh:
    | AuthError.TokenExpired
    | AuthError.NotAuthenticated
    | TokenStorage.TokenStorageError
    | SessionLock.SessionLockError
  logout: TokenStorage.TokenStorageError
  logoutAll:
    | AuthError.TokenExpired
    | AuthError.NotAuthenticated
    | TokenStorage.TokenStorageError
    | SessionLock.SessionLockError
  changePassword:
    | AuthError.InvalidCode
    | AuthError.CodeAttemptsExceeded
    | AuthError.PasswordsDoNotMatch
    | AuthError.UserNotFound
    | AuthError.ProviderNotFound
  getAuthProviders: never
  getAuthProviderByMarker: AuthError.ProviderNotFound
  getActiveSessionsByMarker:
    | AuthError.TokenExpired
    | AuthError.NotAuthenticated
    | TokenStorage.TokenStorageError
    | SessionLock.SessionLockError
}

/** What the client itself adds to what the table makes of the server's answers. */
interface ClientSide {
  signUp: AuthError.UploadFailed
  auth: TokenStorage.TokenStorageError
  oauth: TokenStorage.TokenStorageError
  logout: TokenStorage.TokenStorageError
  refresh: Session.RefreshError
  logoutAll: Session.RefreshError
  getActiveSessionsByMarker: Session.RefreshError
}

type Thirteen = Exclude<keyof Api, "streamAuthProviders">

type FromTable<Op extends Thirteen> =
  | DomainErrorOf<Op>
  | (Op extends keyof ClientSide ? ClientSide[Op] : never)
  | OneEntryError.OneEntryError

describe("errors", () => {
  it("there are thirteen operations", () => {
    expectTypeOf<Thirteen>().toEqualTypeOf<keyof Declared>()
  })

  it("the declared union of each operation is API.md's", () => {
    expectTypeOf<{ [Op in Thirteen]: FailuresOf<Api[Op]> }>().toEqualTypeOf<{
      [Op in Thirteen]: Declared[Op] | OneEntryError.OneEntryError
    }>()
  })

  it("and equals what the table can produce, with what the client adds", () => {
    expectTypeOf<{ [Op in Thirteen]: FailuresOf<Api[Op]> }>().toEqualTypeOf<{ [Op in Thirteen]: FromTable<Op> }>()
  })

  it("every operation of the table is one that the package names", () => {
    type Named = Exclude<(typeof table)[number]["operations"], "*">[number]
    expectTypeOf<Named>().toExtend<Operation>()
  })

  it("the stream of providers fails as its pages do", () => {
    expectTypeOf<Api["streamAuthProviders"]>().returns.toEqualTypeOf<
      Stream.Stream<AuthSchema.AuthProviderEntity, OneEntryError.OneEntryError>
    >()
  })

  it("no operation needs anything from its caller", () => {
    expectTypeOf<NeedsOf<Api[Thirteen]>>().toEqualTypeOf<never>()
  })

  it("RefreshError is what keeping a session alive fails with", () => {
    expectTypeOf<Session.RefreshError>().toEqualTypeOf<
      | AuthError.TokenExpired
      | AuthError.NotAuthenticated
      | TokenStorage.TokenStorageError
      | SessionLock.SessionLockError
      | OneEntryError.OneEntryError
    >()
    expectTypeOf(Session.refreshOnUnauthorized).toEqualTypeOf<
      Schedule.Schedule<void, unknown, Session.RefreshError, Session.Session>
    >()
  })

  it("forms and users", () => {
    expectTypeOf<FailuresOf<Forms.Forms["Service"]["getFormByMarker"]>>().toEqualTypeOf<
      AuthError.FormNotFound | OneEntryError.OneEntryError
    >()
    expectTypeOf<FailuresOf<Users.Users["Service"]["getUser"]>>().toEqualTypeOf<Session.RefreshError>()
    expectTypeOf<OneEntryClient.OneEntryClient["Service"]["anonymous"]>().toEqualTypeOf<
      HttpClient.HttpClient.With<OneEntryError.OneEntryError>
    >()
  })
})

describe("results", () => {
  it("of each operation", () => {
    expectTypeOf<{ [Op in Thirteen]: ResultOf<Api[Op]> }>().toEqualTypeOf<{
      signUp: AuthSchema.SignUpEntity
      generateCode: void
      checkCode: void
      activateUser: void
      auth: AuthSchema.AuthEntity
      oauth: AuthSchema.AuthEntity
      refresh: AuthSchema.AuthEntity
      logout: AuthProvider.LogoutResult
      logoutAll: AuthProvider.LogoutResult
      changePassword: void
      getAuthProviders: ReadonlyArray<AuthSchema.AuthProviderEntity>
      getAuthProviderByMarker: AuthSchema.AuthProviderEntity
      getActiveSessionsByMarker: ReadonlyArray<AuthSchema.ActiveSession>
    }>()
  })

  it("tokens come back redacted", () => {
    expectTypeOf<AuthSchema.AuthEntity["accessToken"]>().toEqualTypeOf<Redacted.Redacted<string>>()
    expectTypeOf<AuthSchema.AuthEntity["refreshToken"]>().toEqualTypeOf<Redacted.Redacted<string>>()
  })

  it("of a form is a form", () => {
    expectTypeOf<ResultOf<Forms.Forms["Service"]["getFormByMarker"]>>().toEqualTypeOf<FormSchema.Form>()
  })
})

describe("inputs", () => {
  it("secrets may be plain or redacted", () => {
    expectTypeOf<AuthProvider.Secret>().toEqualTypeOf<string | Redacted.Redacted<string>>()
    expectTypeOf<FieldValue.AuthField["value"]>().toEqualTypeOf<AuthProvider.Secret>()
    expectTypeOf<AuthProvider.PasswordChange["newPassword"]>().toEqualTypeOf<AuthProvider.Secret>()
    expectTypeOf<Parameters<Api["refresh"]>[1]>().toEqualTypeOf<AuthProvider.Secret | undefined>()
  })

  it("each attribute type has a value type of its own", () => {
    type Valued<F, T extends string> = F extends { readonly type: infer U; readonly value: infer V }
      ? T extends U
        ? V
        : never
      : never
    type ValueOf<T extends string> = Valued<FieldValue.FormField, T>
    expectTypeOf<ValueOf<"integer">>().toEqualTypeOf<number | bigint | string>()
    expectTypeOf<ValueOf<"date">>().toEqualTypeOf<FieldValue.DateInput>()
    expectTypeOf<ValueOf<"string">>().toEqualTypeOf<FieldValue.Secret>()
    expectTypeOf<boolean>().not.toExtend<ValueOf<"integer">>()
    expectTypeOf<number>().not.toExtend<ValueOf<"string">>()
    expectTypeOf<number>().not.toExtend<ValueOf<"date">>()
    expectTypeOf<string>().not.toExtend<ValueOf<"image">>()
    expectTypeOf<Blob>().toExtend<ValueOf<"file">>()
    expectTypeOf<Blob>().not.toExtend<ValueOf<"json">>()
    expectTypeOf<{ readonly plainValue: string; readonly htmlValue: string }>().not.toExtend<ValueOf<"text">>()
    expectTypeOf<FieldValue.FormField["type"]>().toEqualTypeOf<FieldValue.AttributeType | "custom">()
  })

  it("what takes nothing else takes nothing else", () => {
    expectTypeOf<AuthProvider.PasswordChange["type"]>().toEqualTypeOf<"change" | "recovery">()
    expectTypeOf<{ readonly userIdentifier: string }>().not.toExtend<AuthProvider.CodeRequest>()
  })
})
