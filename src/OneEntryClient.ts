/**
 * Two `HttpClient`s bound to the project, for every endpoint that this package
 * does not name yet. Both take paths relative to the project, send credentials
 * to its origin only, follow no redirect, and read answers whole, within the
 * client's limits of time and size (`FileUploading` is for files). The
 * authorized one carries the session and refreshes it on a 401.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as ClientOptions from "./ClientOptions.ts"
import * as HttpTransport from "./internal/httpTransport.ts"
import * as Transport from "./internal/transport.ts"
import * as OneEntryError from "./OneEntryError.ts"
import * as Session from "./Session.ts"
import type * as TokenStorage from "./TokenStorage.ts"
import { type Refused, refused } from "./internal/refused.ts"

/**
 * The two clients.
 *
 * Answers of any status are answers, as with any `HttpClient`, but for redirects (an error) and, on `authorized`, a
 * 401 that a refresh does not mend.
 *
 * **Example** (An endpoint of one's own choice)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { HttpClientResponse } from "effect/http"
 * import { Schema } from "effect"
 * import { OneEntryClient } from "effect-oneentry"
 *
 * export const pages = Effect.gen(function*() {
 *   const { anonymous } = yield* OneEntryClient.OneEntryClient
 *   const response = yield* anonymous.get("/api/content/pages", { urlParams: { langCode: "en_US" } })
 *   return yield* HttpClientResponse.schemaBodyJson(Schema.Array(Schema.Struct({ id: Schema.Int })))(response)
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class OneEntryClient extends Context.Service<
  OneEntryClient,
  {
    readonly anonymous: HttpClient.HttpClient.With<OneEntryError.OneEntryError>
    readonly authorized: HttpClient.HttpClient.With<Session.RefreshError>
  }
>()("effect-oneentry/OneEntryClient") {}

/** The URL of a request if it stays with the project; what is wrong with it otherwise. */
const resolveUrl = (project: ClientOptions.Project, url: string): URL | string => {
  // Browsers read a backslash as a slash, and drop tabs and line breaks: what looks relative may not be.
  if (/[\\\t\r\n]/.test(url)) return "the URL must not have backslashes or control characters"
  if (url.startsWith("//")) return "the URL must be a path, or an absolute URL of the project"
  const absolute = /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `${project.baseUrl}/${url.replace(/^\//, "")}`
  if (!URL.canParse(absolute)) return "the URL cannot be read"
  const parsed = new URL(absolute)
  if (parsed.username !== "" || parsed.password !== "") return "the URL must not carry credentials"
  // Not by `origin`: that of `blob:https://…` is the one that is in it.
  return parsed.href.startsWith(`${project.origin}/`)
    ? parsed
    : `credentials are sent to ${project.origin} only: use a client of your own for ${parsed.protocol}//${parsed.host}`
}

/** @internal */
export const makeInternal = (
  transport: HttpTransport.HttpTransport,
  session: Session.Internal
): OneEntryClient["Service"] => {
  const { project } = transport

  const prepared = (
    request: HttpClientRequest.HttpClientRequest,
    headers: Readonly<Record<string, string>>
  ): Effect.Effect<HttpClientRequest.HttpClientRequest, OneEntryError.OneEntryError> => {
    const url = resolveUrl(project, request.url)
    if (typeof url === "string") return Effect.fail(OneEntryError.invalidRequest("request", url))
    const bound = request.pipe(
      HttpClientRequest.setUrl(url.href),
      // What the caller accepts is the caller's business, the rest is not.
      HttpClientRequest.setHeaders({ ...headers, accept: request.headers["accept"] ?? headers["accept"] })
    )
    return request.method === "POST"
      ? Effect.map(session.device, (device) =>
          HttpClientRequest.setHeader(bound, "x-device-metadata", Transport.deviceHeader(device))
        )
      : Effect.succeed(bound)
  }

  const withExecute = <E>(
    execute: (request: HttpClientRequest.HttpClientRequest) => ReturnType<HttpClient.HttpClient.With<E>["execute"]>
  ): HttpClient.HttpClient.With<E> =>
    HttpClient.makeWith<E, never, E, never>(
      Effect.flatMap((request) => transport.observe("request", "", execute(request))),
      Effect.succeed
    )

  return OneEntryClient.of({
    anonymous: withExecute((request) =>
      Effect.flatMap(prepared(request, transport.headers), (bound) => transport.whole("request", bound))
    ),
    authorized: withExecute<Session.RefreshError>((request) =>
      session.authorized((headers, accessToken) =>
        Effect.flatMap(prepared(request, headers), (bound) =>
          Effect.flatMap(
            transport.whole("request", bound),
            (response): Effect.Effect<HttpClientResponse.HttpClientResponse, Session.RefreshError | Refused> => {
              if (response.status !== 401) return Effect.succeed(response)
              if (request.body._tag !== "Stream") return refused(headers)
              // What has been read of a stream cannot be sent again: the session is refreshed, and the caller told.
              return Effect.andThen(
                session.service.renew(Redacted.make(accessToken, { label: "accessToken" })),
                Effect.fail(
                  OneEntryError.invalidRequest(
                    "request",
                    "the access token had ended, and a body that is a stream cannot be sent again: the session is refreshed now, make the request anew"
                  )
                )
              )
            }
          )
        )
      )
    )
  })
}

/**
 * The clients alone.
 *
 * **Example** (Only the clients)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { OneEntryClient, TokenStorage } from "effect-oneentry"
 *
 * export const layer = OneEntryClient.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<OneEntryClient, OneEntryError.OneEntryError, HttpClient.HttpClient | TokenStorage.TokenStorage> =>
  Layer.effect(
    OneEntryClient,
    Effect.flatMap(HttpTransport.connect(options), (transport) =>
      Effect.map(Session.makeInternal(transport), (session) => makeInternal(transport, session))
    )
  )
