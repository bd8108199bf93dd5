/**
 * The person at the other end of a request, as a service that exists only
 * while one is handled: what needs it does not compile outside of the
 * middleware. Who is signed in, `Session` knows; this says by what device.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as DeviceMetadata from "../DeviceMetadata.ts"
import * as UserAgent from "./internal/userAgent.ts"
import { header } from "./internal/request.ts"

/**
 * A request, or what is known of it: a web `Request`, Effect's `HttpServerRequest`, or only the headers where a
 * framework shows no more.
 *
 * **Example** (The headers that Next gives to a server component)
 *
 * ```ts
 * import type { Visitor } from "effect-oneentry/server"
 *
 * export const requestOf = (headers: Headers): Visitor.RequestLike => ({ headers })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestLike {
  /** `GET` where it is left out. */
  readonly method?: string | undefined
  /** Absolute, or only a path: then the host is taken from the headers. */
  readonly url?: string | undefined
  readonly headers:
    | { readonly get: (name: string) => string | null }
    | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
}

/**
 * The visitor of the request that is being handled.
 *
 * **Example** (Greeting a device)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Visitor } from "effect-oneentry/server"
 *
 * export const greeting = Visitor.Visitor.use((visitor) => visitor.device).pipe(
 *   Effect.map((device) => `Hello, ${device.deviceInfo.browser}`)
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Visitor extends Context.Service<
  Visitor,
  {
    /** The visitor's browser: its fingerprint is kept in a signed cookie, which is set when it is first needed. */
    readonly device: Effect.Effect<DeviceMetadata.Metadata>
    /** Nothing can be written for the visitor: nothing is refreshed, and signing in fails. */
    readonly readOnly: boolean
  }
>()("effect-oneentry/server/Visitor") {}

/**
 * What a request's headers say of the visitor's browser: system, family with major version, preferred language.
 * `unknown` for what they do not say, `en-US` for the language.
 *
 * **Example** (A browser)
 *
 * ```ts
 * import { Visitor } from "effect-oneentry/server"
 *
 * const info = Visitor.deviceInfo({
 *   headers: {
 *     "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
 *     "accept-language": "de-AT,de;q=0.8,en;q=0.5"
 *   }
 * })
 *
 * console.log(info) // => { os: 'Linux', browser: 'Firefox/141', location: 'de-AT' }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const deviceInfo = (request: RequestLike): DeviceMetadata.DeviceInfo => ({
  os: UserAgent.systemOf(header(request, "user-agent"), header(request, "sec-ch-ua-platform")),
  browser: UserAgent.browserOf(header(request, "user-agent")),
  location: UserAgent.languageOf(header(request, "accept-language"))
})
