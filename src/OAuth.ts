/**
 * Signing in with a network account: the way to the network and back. The URL
 * of the authorization page is made with a fresh `state` and a PKCE challenge;
 * what belongs to them is kept in the `TokenStorage`, beside the session, until
 * the callback takes it out, once. What comes of the callback goes to
 * `AuthProvider.oauth`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as AuthProvider from "./AuthProvider.ts"
import type * as AuthSchema from "./AuthSchema.ts"
import * as ClientOptions from "./ClientOptions.ts"
import * as Flows from "./internal/oauthFlows.ts"
import { safeUrl } from "./internal/urls.ts"
import * as Visitor from "./internal/visitor.ts"
import * as OneEntryError from "./OneEntryError.ts"
import * as Session from "./Session.ts"
import * as SessionLock from "./SessionLock.ts"
import * as TokenStorage from "./TokenStorage.ts"

// -----------------------------------------------------------------------------
// errors
// -----------------------------------------------------------------------------

const returning = {
  /** The provider that the sign-in began with. */
  marker: Schema.String,
  /** Where the person wanted to go, if that was said at the beginning. */
  returnTo: Schema.optionalKey(Schema.String)
} as const

/**
 * Fails a callback. What came is no callback: not a URL, or one without a `state`, or with neither a `code` nor an
 * `error`, or with one of them twice. Or it is not the one that its sign-in waits for: it came to another address than
 * the `redirectUri`, or from another `issuer`. Nothing was taken.
 *
 * **Example** (Somebody opened the page by hand)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { OAuth } from "effect-oneentry"
 *
 * export const program = (url: string) => OAuth.OAuth.use((oauth) => oauth.callback(url)).pipe(
 *   Effect.catchTag("CallbackInvalid", (error) => Effect.logInfo(error.message))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class CallbackInvalid extends Schema.TaggedError<CallbackInvalid>("effect-oneentry/OAuth/CallbackInvalid")(
  "CallbackInvalid",
  {
    issue: Schema.String
  }
) {
  override get message(): string {
    return `This is no OAuth callback: ${this.issue}`
  }
}

/**
 * Fails a callback. Its `state` is none that was given out here: the address was made up, or belongs to a sign-in of
 * somebody else. Nothing was taken; sign-ins under way go on.
 *
 * **Example** (Not one of ours)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { OAuth } from "effect-oneentry"
 *
 * export const program = (url: string) => OAuth.OAuth.use((oauth) => oauth.callback(url)).pipe(
 *   Effect.catchTag("StateUnknown", () => Effect.logWarning("Please begin once more from the sign-in page"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class StateUnknown extends Schema.TaggedError<StateUnknown>("effect-oneentry/OAuth/StateUnknown")(
  "StateUnknown",
  {}
) {
  override get message(): string {
    return "The callback's `state` was not given out here: begin the sign-in once more"
  }
}

/**
 * Fails a callback. The storage holds no sign-in at all: it was cleared since, or the sign-in began in another browser
 * (or on a server under another slot).
 *
 * **Example** (Once more from the start)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { OAuth } from "effect-oneentry"
 *
 * export const program = (url: string) => OAuth.OAuth.use((oauth) => oauth.callback(url)).pipe(
 *   Effect.catchTag("FlowLost", () => Effect.logInfo("Did you begin in another window? Please sign in here"))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class FlowLost extends Schema.TaggedError<FlowLost>("effect-oneentry/OAuth/FlowLost")("FlowLost", {}) {
  override get message(): string {
    return "No sign-in is under way here: the storage was cleared, or it began elsewhere; begin it once more"
  }
}

/**
 * Fails a callback. Its sign-in took longer than ten minutes.
 *
 * **Example** (Back to the sign-in page)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { OAuth } from "effect-oneentry"
 *
 * export const program = (url: string) => OAuth.OAuth.use((oauth) => oauth.callback(url)).pipe(
 *   Effect.catchTag("FlowExpired", (error) => Effect.logInfo(`Please sign in with ${error.marker} once more`))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class FlowExpired extends Schema.TaggedError<FlowExpired>("effect-oneentry/OAuth/FlowExpired")(
  "FlowExpired",
  returning
) {
  override get message(): string {
    return "The sign-in took longer than ten minutes: begin it once more"
  }
}

/**
 * Fails a callback. It was taken before: the page was loaded again, or ran twice (React's StrictMode does that in
 * development). The first one has, or had, its own answer; leave this one alone.
 *
 * **Example** (The second run of an effect)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { OAuth } from "effect-oneentry"
 *
 * export const program = (url: string) => OAuth.OAuth.use((oauth) => oauth.callback(url)).pipe(
 *   Effect.catchTag("CallbackReplayed", () => Effect.interrupt)
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class CallbackReplayed extends Schema.TaggedError<CallbackReplayed>("effect-oneentry/OAuth/CallbackReplayed")(
  "CallbackReplayed",
  returning
) {
  override get message(): string {
    return "This callback was taken before"
  }
}

/**
 * Fails a callback. The network sent the person back with an `error` instead of a code: `"access_denied"` when the
 * person refused, otherwise a word of RFC 6749 or of the network's own. `description` is the network's text: show it as
 * text, never as markup.
 *
 * **Example** (A person who changed their mind)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { OAuth } from "effect-oneentry"
 *
 * export const program = (url: string) => OAuth.OAuth.use((oauth) => oauth.callback(url)).pipe(
 *   Effect.catchTag("AuthorizationRefused", (error) =>
 *     error.error === "access_denied" ? Effect.logInfo("Another time, then") : Effect.logError(error.message))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class AuthorizationRefused extends Schema.TaggedError<AuthorizationRefused>(
  "effect-oneentry/OAuth/AuthorizationRefused"
)("AuthorizationRefused", {
  ...returning,
  error: Schema.String,
  description: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return `The network refused: ${this.error}${this.description === undefined ? "" : ` (${this.description})`}`
  }
}

/**
 * Every way in which a callback can fail.
 *
 * **Example** (One text for all)
 *
 * ```ts
 * import type { OAuth } from "effect-oneentry"
 *
 * export const title = (error: OAuth.CallbackError): string => error.message
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export type CallbackError =
  | CallbackInvalid
  | StateUnknown
  | FlowLost
  | FlowExpired
  | CallbackReplayed
  | AuthorizationRefused

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What the authorization page is asked with.
 *
 * - `redirectUri`: where the network sends the person back to; `https:`, `http:` on loopback, or an app's own scheme
 *   with a dot in it. It must be registered at the network.
 * - `returnTo`: a path of the application, kept until the callback: it begins with one `/`, so that it cannot lead to
 *   another site.
 * - `pkce`: S256, unless it is `false`. Who challenges must answer: the code can be exchanged with the verifier only, so
 *   say `false` where the network insists on it and whoever exchanges (see `CallbackOptions`) does not pass it on.
 * - `issuer`: the network's name for itself, such as `https://accounts.google.com`: a callback that says who it is from
 *   (`iss` of RFC 9207) must say this one. Give it wherever people choose among networks.
 * - `parameters`: more of the URL, such as `prompt` or `login_hint`.
 *
 * **Example** (For Google)
 *
 * ```ts
 * import type { OAuth } from "effect-oneentry"
 *
 * export const options: OAuth.AuthorizationOptions = {
 *   clientId: "….apps.googleusercontent.com",
 *   redirectUri: "https://app.example.com/callback",
 *   scopes: ["openid", "email"],
 *   returnTo: "/cart",
 *   pkce: false,
 *   parameters: { prompt: "select_account" }
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface AuthorizationOptions {
  readonly clientId: string
  readonly redirectUri: string
  readonly scopes?: ReadonlyArray<string> | undefined
  readonly returnTo?: string | undefined
  readonly pkce?: false | undefined
  readonly issuer?: string | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

/**
 * How a callback is taken. `withVerifier: true` puts the PKCE verifier into `data` as `code_verifier`: for a server that
 * passes it on to the network. OneEntry's documents name no such key, and servers refuse keys that they do not know, so
 * it is left out by default; `codeVerifier` of the result has it in any case.
 *
 * **Example** (A server that passes it on)
 *
 * ```ts
 * import type { OAuth } from "effect-oneentry"
 *
 * export const options: OAuth.CallbackOptions = { withVerifier: true }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface CallbackOptions {
  readonly withVerifier?: boolean | undefined
}

/**
 * A callback that was taken: the provider it belongs to, and what `AuthProvider.oauth` needs.
 *
 * **Example** (Signing in)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider, type OAuth } from "effect-oneentry"
 *
 * export const signIn = (callback: OAuth.Callback) =>
 *   AuthProvider.AuthProvider.use((auth) => auth.oauth(callback.marker, callback.data)).pipe(
 *     Effect.as(callback.returnTo ?? "/")
 *   )
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Callback {
  readonly marker: string
  readonly data: AuthProvider.OAuthData
  /** Absent where the sign-in began with `pkce: false`. */
  readonly codeVerifier?: Redacted.Redacted<string>
  readonly returnTo?: string
}

// -----------------------------------------------------------------------------
// service
// -----------------------------------------------------------------------------

/**
 * The way to a network and back.
 *
 * Several sign-ins may be under way at once, sixteen in a slot at the most. Each is good for ten minutes and for one
 * callback, which is taken before anything is exchanged, so that of two only one goes on. On a server that speaks for
 * many people, run both steps under the visitor's slot (`Sessions.withSlot`): it is what binds the callback to the
 * browser that began.
 *
 * **Example** (A button, and the page that it leads back to)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider, OAuth } from "effect-oneentry"
 *
 * export const begin = Effect.gen(function*() {
 *   const auth = yield* AuthProvider.AuthProvider
 *   const oauth = yield* OAuth.OAuth
 *   const provider = yield* auth.getAuthProviderByMarker("google")
 *   const url = yield* oauth.authorizationUrl(provider, {
 *     clientId: "….apps.googleusercontent.com",
 *     redirectUri: "https://app.example.com/callback",
 *     scopes: ["openid", "email"],
 *     pkce: false
 *   })
 *   window.location.assign(url)
 * })
 *
 * export const finish = Effect.gen(function*() {
 *   const auth = yield* AuthProvider.AuthProvider
 *   const oauth = yield* OAuth.OAuth
 *   const { data, marker, returnTo } = yield* oauth.callback(window.location.href)
 *   yield* auth.oauth(marker, data)
 *   return returnTo ?? "/"
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class OAuth extends Context.Service<
  OAuth,
  {
    /**
     * The address of the network's authorization page, from the provider's `oauthAuthUrl` (`https:`, or `http:` on
     * loopback); a sign-in is under way from then on.
     */
    readonly authorizationUrl: (
      provider: Pick<AuthSchema.AuthProviderEntity, "identifier" | "config">,
      options: AuthorizationOptions
    ) => Effect.Effect<
      string,
      OneEntryError.OneEntryError | TokenStorage.TokenStorageError | SessionLock.SessionLockError
    >
    /**
     * Takes the callback of a sign-in under way: the whole address, its path and query, or only its query. What is
     * given of the address must be that of the `redirectUri`; a server behind a proxy that changes it gives the query.
     */
    readonly callback: (
      url: string | URL,
      options?: CallbackOptions
    ) => Effect.Effect<Callback, CallbackError | TokenStorage.TokenStorageError | SessionLock.SessionLockError>
  }
>()("effect-oneentry/OAuth") {}

// -----------------------------------------------------------------------------
// make
// -----------------------------------------------------------------------------

const reserved = [
  "response_type",
  "client_id",
  "redirect_uri",
  "scope",
  "state",
  "code_challenge",
  "code_challenge_method",
  "client_secret"
] as const

const nowhere = "https://local.invalid"

/** A path of the same site, wherever it is used: as a link, in a `Location` header, or for a router. */
const isLocalPath = (path: string): boolean => {
  if (!/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(path) || path.length > 2_048) return false
  if (!URL.canParse(path, nowhere)) return false
  const url = new URL(path, nowhere)
  // `/.//elsewhere` begins with two slashes once its dots are gone.
  return url.origin === nowhere && !url.pathname.startsWith("//")
}

const redirectIssue = (redirectUri: string): string | undefined => {
  const remedy =
    "`redirectUri` must be an absolute https: URL (http: is for loopback, an app's own scheme has a dot in it)"
  if (!URL.canParse(redirectUri)) return remedy
  const { hash, password, protocol, username } = new URL(redirectUri)
  if (hash !== "" || redirectUri.includes("#")) return "`redirectUri` must not have a fragment"
  if (username !== "" || password !== "") return "`redirectUri` must not carry credentials"
  if (/^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(protocol)) return undefined
  return typeof safeUrl("", redirectUri) === "string" ? remedy : undefined
}

const optionIssues = (options: AuthorizationOptions): ReadonlyArray<string> => {
  const { clientId, parameters, redirectUri, returnTo, scopes } = options
  const redirect = redirectIssue(redirectUri)
  return [
    ...(clientId.trim() === "" ? ["`clientId` must not be empty"] : []),
    ...(redirect === undefined ? [] : [redirect]),
    ...(scopes ?? []).flatMap((scope) =>
      /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope) ? [] : [`"${scope}" is no scope: each is a word of its own`]
    ),
    ...(returnTo === undefined || isLocalPath(returnTo)
      ? []
      : ["`returnTo` must be a path of this site: it begins with one slash, and has no backslash in it"]),
    ...Object.keys(parameters ?? {}).flatMap((name) =>
      reserved.some((taken) => taken === name) ? [`\`parameters\` must not set ${name}`] : []
    )
  ]
}

/** Where an address leads to, however it is written: a server behind a proxy sees `http:` where the browser has `https:`. */
const placeOf = ({ host, pathname, protocol }: URL): string =>
  `${protocol === "https:" ? "http:" : protocol}//${host}${pathname}`

/** What a URL brings back, or why it is no callback. */
const readCallback = (
  input: string | URL
):
  | {
      readonly state: string
      readonly code: string
      readonly error: string
      readonly description: string | null
      readonly issuer: string | null
      /** Whether it came there, as far as the input tells. */
      readonly isAt: (redirectUri: string) => boolean
    }
  | string => {
  const text = String(input)
  if (text.length > 16_384) return "the address is too long"
  const isUrl = URL.canParse(text)
  const address = isUrl || text.includes("?") ? text : `?${text}`
  if (!URL.canParse(address, nowhere) || (!isUrl && !/[?=]/.test(text))) return "it is no address"
  const query = new URL(address, nowhere).searchParams
  for (const name of ["state", "code", "error", "iss"]) {
    if (query.getAll(name).length > 1) return `it has \`${name}\` twice`
  }
  const state = query.get("state") ?? ""
  const code = query.get("code") ?? ""
  const error = query.get("error") ?? ""
  if (state === "") return "it has no `state`"
  if (code === "" && error === "") return "it has neither a `code` nor an `error`"
  return {
    state,
    code,
    error: shown(error, 100),
    description: query.get("error_description"),
    issuer: query.get("iss"),
    isAt: (redirectUri) =>
      address.startsWith("?") ||
      (URL.canParse(address, redirectUri) && placeOf(new URL(address, redirectUri)) === placeOf(new URL(redirectUri)))
  }
}

/** Text that came by way of an address: short, on one line. */
const shown = (text: string, length: number): string => text.replace(/\p{Cc}+/gu, " ").slice(0, length)

const aboutOf = ({ marker, returnTo }: Flows.Flow) => ({
  marker,
  ...(returnTo === undefined || !isLocalPath(returnTo) ? {} : { returnTo })
})

/** As long as any storage may take, so that a lock with a lease does not end meanwhile. */
const maxHold = Duration.seconds(30)

/** @internal */
export const makeInternal = (
  project: ClientOptions.Project,
  storage: TokenStorage.TokenStorage["Service"],
  lock: SessionLock.SessionLock
): OAuth["Service"] => {
  const currentSlot = Effect.map(
    Effect.withFiber<string | undefined>((fiber) =>
      Effect.succeed(Visitor.slotName(fiber.getRef(Session.CurrentSlot)))
    ),
    (slot) => Flows.slotOf(slot ?? project.slot)
  )

  /** Changes the flows of the slot in one atomic step, again where somebody else was first. */
  const modify = <A>(
    change: (flows: ReadonlyArray<Flows.Flow>, now: number) => readonly [result: A, next: ReadonlyArray<Flows.Flow>]
  ): Effect.Effect<A, TokenStorage.TokenStorageError | SessionLock.SessionLockError> =>
    Effect.flatMap(currentSlot, (slot) => {
      const attempt = Effect.gen(function* () {
        for (let tries = 0; tries < 100; tries++) {
          const before = yield* storage.get(slot)
          const [result, next] = change(Flows.read(before), yield* Clock.currentTimeMillis)
          const text = Flows.write(next)
          if (text === before) return result
          if (yield* storage.compareAndSet(slot, before, text)) return result
        }
        return yield* new TokenStorage.TokenStorageError({ operation: "compareAndSet", slot })
      })
      return storage.atomic ? attempt : lock.withLock(slot, { maxHold })(attempt)
    })

  return OAuth.of({
    authorizationUrl: (provider, options) =>
      Effect.gen(function* () {
        const { oauthAuthUrl } = provider.config
        const base =
          oauthAuthUrl === undefined
            ? `the provider "${provider.identifier}" has no \`oauthAuthUrl\`: set it in the admin panel`
            : safeUrl(`the \`oauthAuthUrl\` of the provider "${provider.identifier}"`, oauthAuthUrl)
        const crypto = yield* WebCrypto.WebCrypto
        // Absent in insecure contexts of browsers, whatever its type says.
        const subtle: SubtleCrypto | undefined = crypto?.subtle
        const withPkce = options.pkce !== false
        const issues = [
          ...(typeof base === "string" ? [base] : []),
          ...optionIssues(options),
          ...(withPkce && subtle === undefined
            ? ["PKCE needs crypto.subtle, which a browser has in secure contexts (https) only"]
            : [])
        ]
        if (typeof base === "string" || issues.length > 0) {
          return yield* OneEntryError.invalidRequest("authorizationUrl", ...issues)
        }
        const random = () => Base64Url.encode(crypto.getRandomValues(new Uint8Array(32)))
        const state = random()
        const verifier = withPkce ? random() : undefined
        const url = new URL(base)
        url.hash = ""
        for (const [name, value] of Object.entries(options.parameters ?? {})) url.searchParams.set(name, value)
        for (const name of reserved) url.searchParams.delete(name)
        url.searchParams.set("response_type", "code")
        url.searchParams.set("client_id", options.clientId)
        url.searchParams.set("redirect_uri", options.redirectUri)
        // A scope that stands in the provider's address is its own default.
        const scopes = options.scopes ?? base.searchParams.get("scope")?.split(" ") ?? []
        if (scopes.length > 0) url.searchParams.set("scope", scopes.join(" "))
        url.searchParams.set("state", state)
        if (verifier !== undefined && subtle !== undefined) {
          const digest = yield* Effect.tryPromise({
            try: () => subtle.digest("SHA-256", new TextEncoder().encode(verifier)),
            catch: () =>
              OneEntryError.invalidRequest("authorizationUrl", "PKCE needs SHA-256, which this runtime has not")
          })
          url.searchParams.set("code_challenge", Base64Url.encode(new Uint8Array(digest)))
          url.searchParams.set("code_challenge_method", "S256")
        }
        yield* modify((flows, now) => [
          undefined,
          Flows.prune(
            [
              ...flows,
              {
                _tag: "Pending",
                state,
                marker: provider.identifier,
                project: project.baseUrl,
                redirectUri: options.redirectUri,
                ...(verifier === undefined ? {} : { verifier }),
                ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
                ...(options.returnTo === undefined ? {} : { returnTo: options.returnTo }),
                startedAt: now
              }
            ],
            now
          )
        ])
        return url.href
      }),

    callback: (input, options) =>
      Effect.gen(function* () {
        const read = readCallback(input)
        if (typeof read === "string") return yield* new CallbackInvalid({ issue: read })
        const { code, description, error, issuer, state } = read
        // Taken first: whoever comes second finds that it was.
        const flow = yield* modify<Flows.Pending | CallbackError>((stored, now) => {
          const flows = Flows.prune(stored, now)
          const own = flows.filter((one) => one.project === project.baseUrl)
          const found = own.find((one) => one.state === state)
          if (found === undefined) return [own.length === 0 ? new FlowLost() : new StateUnknown(), flows]
          const about = aboutOf(found)
          if (found._tag !== "Pending") {
            return [found._tag === "Used" ? new CallbackReplayed(about) : new FlowExpired(about), flows]
          }
          // Another network may have sent it, after a code that was meant for it (RFC 9700, mix-up).
          const issue = !read.isAt(found.redirectUri)
            ? "it came to another address than the `redirectUri`"
            : issuer !== null && found.issuer !== undefined && found.issuer !== issuer
              ? "its `iss` is not the `issuer`"
              : undefined
          if (issue !== undefined) return [new CallbackInvalid({ issue }), flows]
          return [found, flows.map((one) => (one === found ? Flows.ended(found, "Used") : one))]
        })
        if (flow._tag !== "Pending") return yield* flow
        const about = aboutOf(flow)
        if (code === "" || error !== "") {
          return yield* new AuthorizationRefused({
            ...about,
            error: error === "" ? "unknown" : error,
            ...(description === null ? {} : { description: shown(description, 500) })
          })
        }
        const codeVerifier =
          flow.verifier === undefined ? undefined : Redacted.make(flow.verifier, { label: "codeVerifier" })
        const callback: Callback = {
          ...about,
          data: {
            code: Redacted.make(code, { label: "code" }),
            redirect_uri: flow.redirectUri,
            ...(options?.withVerifier === true && codeVerifier !== undefined ? { code_verifier: codeVerifier } : {})
          },
          ...(codeVerifier === undefined ? {} : { codeVerifier })
        }
        return callback
      })
  })
}

/**
 * On a server: adds the client's credentials to what a callback gave, for a tenant that does not keep them in the
 * provider. In a browser, whose every visitor could read the secret, it fails.
 *
 * **Example** (In the route that the network leads back to)
 *
 * ```ts
 * import { Config, Effect } from "effect"
 * import { AuthProvider, OAuth } from "effect-oneentry"
 *
 * export const finish = (url: string) => Effect.gen(function*() {
 *   const auth = yield* AuthProvider.AuthProvider
 *   const { data, marker } = yield* OAuth.OAuth.use((oauth) => oauth.callback(url))
 *   const clientSecret = yield* Config.Redacted("GOOGLE_CLIENT_SECRET")
 *   const clientId = yield* Config.String("GOOGLE_CLIENT_ID")
 *   return yield* auth.oauth(marker, yield* OAuth.withClientSecret(data, { clientId, clientSecret }))
 * })
 * ```
 *
 * @category server
 * @since 0.1.0
 */
export const withClientSecret = (
  data: AuthProvider.OAuthData,
  credentials: { readonly clientId: string; readonly clientSecret: AuthProvider.Secret }
): Effect.Effect<AuthProvider.OAuthData, OneEntryError.OneEntryError> =>
  Effect.suspend(() =>
    "document" in globalThis
      ? Effect.fail(
          OneEntryError.invalidRequest(
            "withClientSecret",
            "a client secret must not reach a browser: do this on the server, or keep the credentials in the provider"
          )
        )
      : Effect.succeed({ ...data, client_id: credentials.clientId, client_secret: credentials.clientSecret })
  )

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * The way to a network and back alone: no HTTP client, only a storage.
 *
 * **Example** (A sign-in page)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { OAuth, TokenStorage } from "effect-oneentry"
 *
 * export const layer = OAuth.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide(TokenStorage.layerMemory)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<OAuth, OneEntryError.OneEntryError, TokenStorage.TokenStorage> =>
  Layer.effect(
    OAuth,
    Effect.gen(function* () {
      const project = yield* ClientOptions.resolve(options)
      return makeInternal(project, yield* TokenStorage.TokenStorage, yield* SessionLock.SessionLock)
    })
  )
