/**
 * The whole client as one layer.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as AuthProvider from "./AuthProvider.ts"
import * as ClientOptions from "./ClientOptions.ts"
import * as FileUploading from "./FileUploading.ts"
import * as Forms from "./Forms.ts"
import * as FormsData from "./FormsData.ts"
import * as HttpTransport from "./internal/httpTransport.ts"
import * as OAuth from "./OAuth.ts"
import * as OneEntryClient from "./OneEntryClient.ts"
import type * as OneEntryError from "./OneEntryError.ts"
import * as Session from "./Session.ts"
import * as SessionLock from "./SessionLock.ts"
import * as TokenStorage from "./TokenStorage.ts"
import * as Users from "./Users.ts"

/**
 * Every service of the package.
 *
 * **Example** (A program that needs the whole)
 *
 * ```ts
 * import type { Effect } from "effect"
 * import type { OneEntry } from "effect-oneentry"
 *
 * export type Program = Effect.Effect<void, never, OneEntry.Services>
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Services =
  | AuthProvider.AuthProvider
  | FileUploading.FileUploading
  | Forms.Forms
  | FormsData.FormsData
  | OAuth.OAuth
  | OneEntryClient.OneEntryClient
  | Session.Session
  | Users.Users

const make = Effect.fnUntraced(function* (options: ClientOptions.ClientOptions) {
  const project = yield* ClientOptions.resolve(options)
  const transport = yield* HttpTransport.make(project, yield* HttpClient.HttpClient)
  const session = yield* Session.makeInternal(transport)
  return Context.make(Session.Session, session.service).pipe(
    Context.add(AuthProvider.AuthProvider, AuthProvider.makeInternal(transport, session)),
    Context.add(FileUploading.FileUploading, FileUploading.makeInternal(transport, session)),
    Context.add(Forms.Forms, Forms.makeInternal(transport)),
    Context.add(FormsData.FormsData, FormsData.makeInternal(transport, session)),
    Context.add(
      OAuth.OAuth,
      OAuth.makeInternal(project, yield* TokenStorage.TokenStorage, yield* SessionLock.SessionLock)
    ),
    Context.add(OneEntryClient.OneEntryClient, OneEntryClient.makeInternal(transport, session)),
    Context.add(Users.Users, Users.makeInternal(transport, session))
  )
})

/**
 * Every service, over the `HttpClient` and the `TokenStorage` that you provide.
 *
 * Fails with a `OneEntryError` of reason `InvalidRequest` that says which option to change.
 *
 * **Example** (An application)
 *
 * ```ts
 * import { Layer, Redacted } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { OneEntry, TokenStorage } from "effect-oneentry"
 *
 * export const OneEntryLive = OneEntry.layer({
 *   url: "https://my-project.oneentry.cloud",
 *   appToken: Redacted.make("…")
 * }).pipe(Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer]))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<Services, OneEntryError.OneEntryError, HttpClient.HttpClient | TokenStorage.TokenStorage> =>
  Layer.effectContext(make(options))

/**
 * What `layerConfig` reads where nothing else is said: `ONEENTRY_URL`, `ONEENTRY_TOKEN` (redacted),
 * `ONEENTRY_LANG_CODE` and `ONEENTRY_PROVIDER`, all but the first optional.
 *
 * **Example** (Reading it by hand)
 *
 * ```ts
 * import { ConfigProvider, Effect } from "effect"
 * import { OneEntry } from "effect-oneentry"
 *
 * const options = Effect.flatMap(OneEntry.config, (options) => Effect.succeed(options.url)).pipe(
 *   Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({ ONEENTRY_URL: "https://my-project.oneentry.cloud" })))
 * )
 *
 * Effect.runPromise(options).then(console.log) // => https://my-project.oneentry.cloud
 * ```
 *
 * @category config
 * @since 0.1.0
 */
export const config: Config.Config<ClientOptions.ClientOptions> = Config.all({
  url: Config.NonEmptyString("ONEENTRY_URL"),
  appToken: Config.Redacted("ONEENTRY_TOKEN").pipe(Config.withDefault(undefined)),
  langCode: Config.NonEmptyString("ONEENTRY_LANG_CODE").pipe(Config.withDefault(undefined)),
  providerMarker: Config.NonEmptyString("ONEENTRY_PROVIDER").pipe(Config.withDefault(undefined))
})

/**
 * Every service, configured from the environment (or any `ConfigProvider`).
 *
 * **Example** (Twelve-factor)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { OneEntry, TokenStorage } from "effect-oneentry"
 *
 * export const OneEntryLive = OneEntry.layerConfig().pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<ClientOptions.ClientOptions> = config
): Layer.Layer<
  Services,
  OneEntryError.OneEntryError | Config.ConfigError,
  HttpClient.HttpClient | TokenStorage.TokenStorage
> => Layer.effectContext(Effect.flatMap(Config.unwrap(options), make))
