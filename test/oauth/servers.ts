import { Effect } from "effect"
import { Events, OAuth2Server } from "oauth2-mock-server"
import { type Configuration, Provider } from "oidc-provider"
import { generateKeyPairSync } from "node:crypto"
import type { RequestListener } from "node:http"
import { rawServer } from "../helpers/rawServer.ts"

export const redirectUri = "http://127.0.0.1:5999/callback"
/** A client with a secret, as a OneEntry project is one. */
export const confidential = { clientId: "project", clientSecret: "project-secret" }
/** A client without one, from which the server demands PKCE. */
export const open = { clientId: "app" }

const jwk = () => ({
  ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
  use: "sig"
})

/** What a network is to a client. */
export interface Network {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly userInfoUrl: string
}

/**
 * A strict OpenID provider: one-time codes, exact redirect URIs, S256 only. Its people sign in with the address that
 * `login_hint` says, at once, and refuse where the hint is "nobody".
 */
export const strict = Effect.gen(function* () {
  // The provider wants its address, and the server its listener.
  const route: { listener?: RequestListener } = {}
  const issuer = yield* rawServer((request, response) => {
    if (route.listener === undefined) response.destroy()
    else route.listener(request, response)
  })
  const common = {
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code"],
    response_types: ["code" as const],
    scope: "openid email profile"
  }
  const configuration: Configuration = {
    clients: [
      {
        ...common,
        client_id: confidential.clientId,
        client_secret: confidential.clientSecret,
        token_endpoint_auth_method: "client_secret_post"
      },
      { ...common, client_id: open.clientId, token_endpoint_auth_method: "none" }
    ],
    cookies: { keys: ["a key of the test"] },
    jwks: { keys: [jwk()] },
    pkce: { required: (_context, client) => client.clientId === open.clientId },
    features: { devInteractions: { enabled: false }, userinfo: { enabled: true } },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: sub, email_verified: true, name: "Network Person" })
    }),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` }
  }
  const provider = new Provider(issuer, configuration)
  const callback = provider.callback()

  /** The page where a person would sign in and agree. */
  const interaction: RequestListener = async (request, response) => {
    const { params, prompt, session } = await provider.interactionDetails(request, response)
    const person = String(params["login_hint"] ?? "")
    if (person === "nobody") {
      const refusal = { error: "access_denied", error_description: "The person refused" }
      await provider.interactionFinished(request, response, refusal)
      return
    }
    if (prompt.name === "login") {
      await provider.interactionFinished(request, response, { login: { accountId: person } })
      return
    }
    const grant = new provider.Grant({ accountId: session?.accountId ?? person, clientId: String(params["client_id"]) })
    grant.addOIDCScope(String(params["scope"]))
    const grantId = await grant.save()
    await provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true })
  }

  route.listener = (request, response) => {
    if (request.url?.startsWith("/interaction/") !== true) {
      void callback(request, response)
      return
    }
    Promise.resolve(interaction(request, response)).catch(() => response.destroy())
  }
  const network: Network = { authorizeUrl: `${issuer}/auth`, tokenUrl: `${issuer}/token`, userInfoUrl: `${issuer}/me` }
  return network
})

/** A lenient server whose answers can be changed as they leave. */
export const lenient = Effect.gen(function* () {
  const server = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const server = new OAuth2Server()
      await server.issuer.keys.generate("RS256")
      await server.start(0, "127.0.0.1")
      return server
    }),
    (server) => Effect.promise(() => server.stop())
  )
  const { port } = server.address()
  const base = `http://127.0.0.1:${port}`
  server.issuer.url = base
  server.service.on(Events.BeforeUserinfo, (answer: { body: Record<string, unknown> }) => {
    answer.body = { sub: "mock-1", email: "mock@example.com", email_verified: true, name: "Mock" }
  })
  const network: Network = {
    authorizeUrl: `${base}/authorize`,
    tokenUrl: `${base}/token`,
    userInfoUrl: `${base}/userinfo`
  }
  return { ...network, service: server.service }
})

/** A browser that follows redirects with its cookies, up to the application's own address. */
export const browse = (address: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const cookies = new Map<string, string>()
    let at = address
    for (let hops = 0; hops < 20; hops++) {
      const response = await fetch(at, {
        redirect: "manual",
        headers: { cookie: Array.from(cookies, ([name, value]) => `${name}=${value}`).join("; ") }
      })
      for (const cookie of response.headers.getSetCookie()) {
        const [name = "", value = ""] = (cookie.split(";")[0] ?? "").split("=")
        if (value === "") cookies.delete(name)
        else cookies.set(name, value)
      }
      const location = response.headers.get("location")
      const text = await response.text()
      if (location === null) throw new Error(`${response.status} at ${new URL(at).pathname}: ${text.slice(0, 500)}`)
      at = new URL(location, at).href
      if (at.startsWith(redirectUri)) return at
    }
    throw new Error("too many redirects")
  })

/** The exchange that a server of one's own makes: a plain form, straight to the network. */
export const exchange = (network: Network, form: Readonly<Record<string, string>>) =>
  Effect.promise(async () => {
    const response = await fetch(network.tokenUrl, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "authorization_code", redirect_uri: redirectUri, ...form })
    })
    const body: unknown = await response.json()
    return { status: response.status, body }
  })
