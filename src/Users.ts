/**
 * The signed-in user: all operations need a session (🔐).
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as AuthSchema from "./AuthSchema.ts"
import * as ClientOptions from "./ClientOptions.ts"
import { authorized } from "./internal/authorizedCall.ts"
import { path, something } from "./internal/invoke.ts"
import * as Transport from "./internal/transport.ts"
import type * as OneEntryError from "./OneEntryError.ts"
import * as Session from "./Session.ts"
import type * as TokenStorage from "./TokenStorage.ts"

/**
 * The signed-in user.
 *
 * **Example** (The profile)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Users } from "effect-oneentry"
 *
 * export const login = Users.Users.use((users) => users.getUser()).pipe(
 *   Effect.map((user) => user.identifier)
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Users extends Context.Service<Users, {
  /** 🔐 The profile. */
  readonly getUser: (options?: {
    readonly langCode?: string | undefined
  }) => Effect.Effect<AuthSchema.UserEntity, OneEntryError.OneEntryError | Session.RefreshError>
}>()("effect-oneentry/Users") {}

const getUser = something("getUser", "GET", AuthSchema.decodeUser, AuthSchema.toUser)

/** @internal */
export const makeInternal = (transport: Transport.Transport, session: Session.Internal): Users["Service"] => {
  const { project } = transport
  return Users.of({
    getUser: ({ langCode = project.langCode } = {}) =>
      authorized(transport, session, getUser, { path: path(["users", "me"], { langCode }), marker: "", langCode })
  })
}

/**
 * The user alone.
 *
 * **Example** (A profile page)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { TokenStorage, Users } from "effect-oneentry"
 *
 * export const layer = Users.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<Users, OneEntryError.OneEntryError, HttpClient.HttpClient | TokenStorage.TokenStorage> =>
  Layer.effect(
    Users,
    Effect.gen(function*() {
      const project = yield* ClientOptions.resolve(options)
      const transport = yield* Transport.make(project, yield* HttpClient.HttpClient)
      return makeInternal(transport, yield* Session.makeInternal(transport))
    })
  )
