/**
 * A tab with one client, for what runs in Chromium: `open` makes it, `calls` makes so many calls at once and counts those
 * that failed, and `shown` is what a log of the session would have.
 */
import { Auth0Client } from "@auth0/auth0-spa-js"
import { CacheLookupPolicy, createStandardPublicClientApplication, loadExternalTokens } from "@azure/msal-browser"
import { AuthClient } from "@supabase/auth-js"
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { FetchClient, OneEntry, Session, Users } from "effect-oneentry"
import * as Browser from "effect-oneentry/browser"
import { auth0Pair, issuer, msalPair, supabasePair, url } from "./dialects.ts"

export interface Ended {
  readonly accessToken: string
  readonly refreshToken: string
}

interface Client {
  readonly call: () => Promise<boolean>
  readonly shown: () => Promise<{ readonly session: unknown; readonly secret: string }>
}

/** What runs in the tab, for the script outside. */
export interface Tab {
  /** `ended`: the session that the first of the tabs puts into the storage. */
  readonly open: (name: string, ended: Ended | undefined) => Promise<void>
  readonly calls: (count: number) => Promise<number>
  readonly shown: () => Promise<{ readonly text: string; readonly secret: string }>
}

const answered = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    () => false
  )

/** A call of an SDK that hands out tokens and leaves the rest to the application. */
const withToken = async (token: Promise<string | undefined>): Promise<boolean> => {
  try {
    const accessToken = await token
    if (accessToken === undefined) return false
    return (await fetch(`${url}/me`, { headers: { authorization: `Bearer ${accessToken}` } })).ok
  } catch {
    return false
  }
}

const ours = async (ended: Ended | undefined): Promise<Client> => {
  const runtime = ManagedRuntime.make(
    OneEntry.layer({ url, appToken: "token" }).pipe(Layer.provide([Browser.layer(), FetchClient.layer]))
  )
  if (ended !== undefined) await runtime.runPromise(Session.Session.use((session) => session.restore(ended)))
  return {
    call: () => answered(runtime.runPromise(Users.Users.use((users) => users.getUser()))),
    shown: async () => {
      const session = await runtime.runPromise(Session.Session.use((one) => Effect.all([one.current, one.accessToken])))
      return { session, secret: Redacted.value(session[1]) }
    }
  }
}

const supabase = async (ended: Ended | undefined): Promise<Client> => {
  if (ended !== undefined) {
    const session = { ...supabasePair(ended.accessToken, ended.refreshToken), expires_at: 1 }
    localStorage.setItem("session", JSON.stringify(session))
  }
  const client = new AuthClient({
    url,
    storageKey: "session",
    autoRefreshToken: false,
    persistSession: true,
    detectSessionInUrl: false
  })
  return {
    call: () => withToken(client.getSession().then(({ data }) => data.session?.access_token)),
    shown: async () => {
      const { data } = await client.getSession()
      return { session: data, secret: data.session?.access_token ?? "" }
    }
  }
}

const auth0 = async (ended: Ended | undefined): Promise<Client> => {
  if (ended !== undefined) {
    const body = {
      client_id: "client",
      audience: "default",
      ...auth0Pair(ended.accessToken, ended.refreshToken),
      decodedToken: { claims: { __raw: "" }, user: { sub: "ann" } }
    }
    const key = "@@auth0spajs@@::client::default::openid profile email offline_access"
    localStorage.setItem(key, JSON.stringify({ body, expiresAt: 1 }))
  }
  const client = new Auth0Client({
    domain: new URL(url).host,
    clientId: "client",
    useRefreshTokens: true,
    cacheLocation: "localstorage"
  })
  return {
    call: () => withToken(client.getTokenSilently()),
    shown: async () => {
      const token = (await client.getTokenSilently()) ?? ""
      return { session: token, secret: token }
    }
  }
}

const msal = async (ended: Ended | undefined): Promise<Client> => {
  const configuration = {
    auth: { clientId: "client", authority: issuer, knownAuthorities: [new URL(issuer).host], redirectUri: "/" },
    cache: { cacheLocation: "localStorage" },
    system: { protocolMode: "OIDC" as const }
  }
  const request = {
    scopes: ["openid", "profile", "offline_access"],
    // Its last resort is a hidden frame, for which the server would have to know the browser by a cookie.
    cacheLookupPolicy: CacheLookupPolicy.AccessTokenAndRefreshToken
  }
  if (ended !== undefined) {
    const pair = { ...msalPair(ended.accessToken, ended.refreshToken), expires_in: 1 }
    await loadExternalTokens(configuration, request, pair, {})
  }
  const client = await createStandardPublicClientApplication(configuration)
  const acquire = async () => {
    const [account] = client.getAllAccounts()
    if (account === undefined) throw new Error("nobody is signed in")
    return client.acquireTokenSilent({ ...request, account })
  }
  return {
    call: () => withToken(acquire().then(({ accessToken }) => accessToken)),
    shown: async () => {
      const session = await acquire()
      return { session, secret: session.accessToken }
    }
  }
}

const makers: Readonly<Record<string, (ended: Ended | undefined) => Promise<Client>>> = {
  "effect-oneentry": ours,
  "@supabase/auth-js": supabase,
  "@auth0/auth0-spa-js": auth0,
  "@azure/msal-browser": msal
}

/** Everything that a console shows of a value whose arrows are opened. */
const opened = (value: unknown, seen = new Set<unknown>()): string => {
  if (typeof value !== "object" || value === null) return String(value)
  if (seen.has(value)) return ""
  seen.add(value)
  const own = Reflect.ownKeys(value).map((key) => `${String(key)}: ${opened(Reflect.get(value, key), seen)}`)
  return `{ ${own.join(", ")} }`
}

let client: Client | undefined

const tab: Tab = {
  open: async (name, ended) => {
    client = await makers[name]?.(ended)
    if (client === undefined) throw new Error(`${name} does not run here`)
  },
  calls: async (count) => {
    const answers = await Promise.all(Array.from({ length: count }, () => client?.call()))
    return answers.filter((one) => one !== true).length
  },
  shown: async () => {
    const seen = await client?.shown()
    if (seen === undefined) throw new Error("not opened")
    return { text: opened(seen.session) + String(seen.session) + JSON.stringify(seen.session), secret: seen.secret }
  }
}

Object.assign(globalThis, { tab })
