/**
 * The server that the cases talk to: an emulator in another process, and its control API. A case begins with `fresh`.
 */
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import type { HttpClient } from "effect/http"
import {
  AuthProvider,
  type ClientOptions,
  FetchClient,
  FileUploading,
  Forms,
  FormsData,
  OAuth,
  OneEntry,
  OneEntryClient,
  Session,
  SessionLock,
  TokenStorage,
  Users
} from "effect-oneentry"
import { Control } from "effect-oneentry/emulator"

export interface Address {
  readonly url: string
  readonly appToken: string
  /** Where the control API answers: of the same origin as the page, where there is one. */
  readonly control: string
  /** Only the suites whose names begin so. */
  readonly suite?: string
}

export class Host extends Context.Service<
  Host,
  { readonly url: string; readonly appToken: Redacted.Redacted; readonly control: Control.Client }
>()("test/contract/Host") {}

export const layer = ({ appToken, control, url }: Address): Layer.Layer<Host> =>
  Layer.effect(
    Host,
    Effect.map(Control.client({ url: control }), (control) =>
      Host.of({ url, appToken: Redacted.make(appToken), control })
    )
  ).pipe(Layer.provide(FetchClient.layer))

export const ann = "ann@example.com"
export const bob = "bob@example.com"
export const password = "correct horse battery staple"

export const authData = (login = ann, secret: string | Redacted.Redacted = Redacted.make(password)) => [
  { marker: "email_reg", value: login },
  { marker: "password_reg", value: secret }
]

/** Back to the beginning: Ann and Bob are known, nobody is signed in, nothing was sent. */
export const fresh = Effect.flatMap(Host, ({ control }) => control.state.reset())

/** The statuses of an operation, one for each time that it reached the server. */
export const statuses = (operation: string) =>
  Effect.map(
    Effect.flatMap(Host, ({ control }) => control.requests.list({ query: {} })),
    (entries) => entries.filter((entry) => entry.operation === operation).map(({ status }) => status)
  )

export const expireAccessTokens = Effect.flatMap(Host, ({ control }) => control.sessions.expireAll())

export interface ConnectOptions extends Partial<ClientOptions.ClientOptions> {
  readonly storage?: TokenStorage.TokenStorage["Service"] | undefined
  readonly lock?: SessionLock.SessionLock | undefined
  readonly http?: Layer.Layer<HttpClient.HttpClient> | undefined
}

/** A client with a memory of its own: as another tab or process. */
export const connect = (options: ConnectOptions = {}) =>
  Effect.gen(function* () {
    const { appToken, url } = yield* Host
    const { http = FetchClient.layer, lock, storage, ...rest } = options
    const context = yield* Layer.build(
      Layer.fresh(
        OneEntry.layer({ url, appToken, retry: false, ...rest }).pipe(
          Layer.provide([
            Layer.succeed(TokenStorage.TokenStorage, storage ?? TokenStorage.makeMemory()),
            Layer.succeed(SessionLock.SessionLock, lock ?? SessionLock.makeInProcess()),
            http
          ])
        )
      )
    )
    const auth = Context.get(context, AuthProvider.AuthProvider)
    const users = Context.get(context, Users.Users)
    return {
      auth,
      users,
      session: Context.get(context, Session.Session),
      forms: Context.get(context, Forms.Forms),
      formsData: Context.get(context, FormsData.FormsData),
      files: Context.get(context, FileUploading.FileUploading),
      oauth: Context.get(context, OAuth.OAuth),
      client: Context.get(context, OneEntryClient.OneEntryClient),
      signIn: (login?: string) => auth.auth("email", { authData: authData(login) }),
      me: Effect.map(users.getUser(), (user) => user.identifier)
    }
  })

export type Client = Effect.Success<ReturnType<typeof connect>>

/** Everything that a case may ask for. */
export type Needs = Host | Scope.Scope
