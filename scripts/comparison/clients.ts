/**
 * Each SDK as a client whose session is in a storage, with an access token that has ended.
 */
import { Auth0Client } from "@auth0/auth0-spa-js"
import { AuthClient } from "@supabase/auth-js"
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { FetchClient, OneEntry, Session, SessionLock, TokenStorage, Users } from "effect-oneentry"
import { InMemory } from "effect-oneentry/testing"
import { defineOneEntry } from "oneentry"
import { inspect } from "node:util"
import { makeServer, type Server } from "./server.ts"

export interface Client {
  /** A call that needs a good access token: whether it was answered. */
  readonly call: () => Promise<boolean>
  /** The session as the SDK gives it, for a log. */
  readonly shown: () => Promise<{ readonly text: string; readonly secret: string }>
}

export interface Sdk {
  readonly name: string
  /** So many clients on one storage, and the server that they talk to. */
  readonly start: (clients: number) => Promise<{ readonly server: Server; readonly clients: ReadonlyArray<Client> }>
}

const looked = (value: unknown): string => inspect(value, { depth: 10 }) + String(JSON.stringify(value))
const oneEntry = {
  isRefresh: (url: string) => url.endsWith("/users/refresh"),
  pair: (accessToken: string, refreshToken: string) => ({
    userIdentifier: "ann@example.com",
    authProviderIdentifier: "email",
    accessToken,
    refreshToken
  })
}
const url = "https://project.example"

const ours: Sdk = {
  name: "effect-oneentry",
  start: async (count) => {
    const server = makeServer(oneEntry)
    globalThis.fetch = server.fetch
    const shared = InMemory.makeShared()
    const lock = SessionLock.makeInProcess()
    const runtimes = Array.from({ length: count }, () =>
      ManagedRuntime.make(
        OneEntry.layer({ url, appToken: "token" }).pipe(
          Layer.provide([
            Layer.succeed(TokenStorage.TokenStorage, shared.view()),
            Layer.succeed(SessionLock.SessionLock, lock),
            FetchClient.layer
          ])
        )
      )
    )
    await runtimes[0]?.runPromise(Session.Session.use((session) => session.restore(server.ended)))
    const clients = runtimes.map((runtime) => ({
      call: () =>
        runtime.runPromise(
          Users.Users.use((users) => users.getUser()).pipe(
            Effect.as(true),
            Effect.orElseSucceed(() => false)
          )
        ),
      shown: async () => {
        const session = await runtime.runPromise(
          Session.Session.use((one) => Effect.all([one.current, one.accessToken]))
        )
        return { text: looked(session), secret: Redacted.value(session[1]) }
      }
    }))
    return { server, clients }
  }
}

const official: Sdk = {
  name: "oneentry",
  start: async (count) => {
    const server = makeServer(oneEntry)
    globalThis.fetch = server.fetch
    const clients = Array.from({ length: count }, () => {
      let saved = server.ended.refreshToken
      const { AuthProvider, Users } = defineOneEntry(url, {
        token: "token",
        auth: { refreshToken: saved, saveFunction: (token: string) => (saved = token) }
      })
      return {
        call: async () => {
          const user: object = Object(await Users.getUser())
          return "identifier" in user
        },
        shown: async () => {
          const entity = await AuthProvider.refresh("email", server.ended.refreshToken)
          return { text: looked(entity), secret: saved }
        }
      }
    })
    return { server, clients }
  }
}

const supabase: Sdk = {
  name: "@supabase/auth-js",
  start: async (count) => {
    const user = {
      id: "1",
      aud: "authenticated",
      app_metadata: {},
      user_metadata: {},
      created_at: "2026-01-01T00:00:00Z"
    }
    const pair = (access_token: string, refresh_token: string) => ({
      access_token,
      refresh_token,
      token_type: "bearer",
      expires_in: 3600,
      expires_at: Math.floor(Date.now() / 1000) + 3600,
      user
    })
    const server = makeServer({ isRefresh: (address) => address.includes("grant_type=refresh_token"), pair })
    const stored = new Map([
      ["session", JSON.stringify({ ...pair(server.ended.accessToken, server.ended.refreshToken), expires_at: 1 })]
    ])
    const clients = Array.from({ length: count }, () => {
      const client = new AuthClient({
        url,
        fetch: server.fetch,
        storageKey: "session",
        autoRefreshToken: false,
        persistSession: true,
        detectSessionInUrl: false,
        storage: {
          getItem: (key) => stored.get(key) ?? null,
          setItem: (key, value) => void stored.set(key, value),
          removeItem: (key) => void stored.delete(key)
        }
      })
      return {
        call: async () => (await client.getSession()).data.session !== null,
        shown: async () => {
          const { data } = await client.getSession()
          return { text: looked(data), secret: data.session?.access_token ?? "" }
        }
      }
    })
    return { server, clients }
  }
}

/** It asks for a browser; what it asks for, Node has under other names. */
const auth0: Sdk = {
  name: "@auth0/auth0-spa-js",
  start: async (count) => {
    const pair = (access_token: string, refresh_token: string) => ({
      access_token,
      refresh_token,
      // Its claims are those of the access token here.
      id_token: access_token,
      token_type: "Bearer",
      expires_in: 3600,
      scope: "openid profile email offline_access"
    })
    const server = makeServer({ isRefresh: (address) => address.endsWith("/oauth/token"), pair })
    globalThis.fetch = server.fetch
    const target = new EventTarget()
    Object.assign(globalThis, {
      window: Object.assign(globalThis, {
        addEventListener: target.addEventListener.bind(target),
        removeEventListener: target.removeEventListener.bind(target),
        location: { origin: "https://app.example", search: "" }
      }),
      document: { cookie: "" }
    })
    const cache = new Map<string, unknown>()
    const clients = Array.from(
      { length: count },
      () =>
        new Auth0Client({
          domain: "tenant.example",
          clientId: "client",
          useRefreshTokens: true,
          cache: {
            get: <A>(key: string) => cache.get(key) as A | undefined,
            set: (key, value) => void cache.set(key, value),
            remove: (key) => void cache.delete(key),
            allKeys: () => [...cache.keys()]
          }
        })
    )
    const key = "@@auth0spajs@@::client::default::openid profile email offline_access"
    cache.set(key, {
      body: {
        client_id: "client",
        audience: "default",
        ...pair(server.ended.accessToken, server.ended.refreshToken),
        decodedToken: { claims: { __raw: "" }, user: { sub: "ann" } }
      },
      expiresAt: 1
    })
    return {
      server,
      clients: clients.map((client) => ({
        call: () =>
          client.getTokenSilently().then(
            () => true,
            () => false
          ),
        shown: async () => {
          const token: string = (await client.getTokenSilently()) ?? ""
          return { text: looked(token), secret: token }
        }
      }))
    }
  }
}

export const sdks: ReadonlyArray<Sdk> = [ours, official, supabase, auth0]
