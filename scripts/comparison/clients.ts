/**
 * Each SDK as clients whose session has an access token that has ended: tabs of a Chromium that share a storage; the
 * official one, which is made for Node, in this process.
 */
import { build } from "esbuild"
import { defineOneEntry } from "oneentry"
import { inspect } from "node:util"
import type { Page, Route } from "playwright-core"
import { root } from "../lib/package.ts"
import { startChromium } from "../../test/helpers/chromium.ts"
import { auth0Pair, issuer, msalPair, oneEntryPair, supabasePair, url } from "./dialects.ts"
import type { Tab } from "./page.ts"
import { type Dialect, makeServer, type Server } from "./server.ts"

export interface Client {
  /** So many calls at once that need a good access token: how many of them failed. */
  readonly calls: (count: number) => Promise<number>
  /** The session as the SDK gives it, for a log. */
  readonly shown: () => Promise<{ readonly text: string; readonly secret: string }>
}

export interface Sdk {
  readonly name: string
  /** So many clients on one storage, and the server that they talk to. */
  readonly start: (clients: number) => Promise<Started>
}

interface Started {
  readonly server: Server
  readonly clients: ReadonlyArray<Client>
  readonly stop: () => Promise<void>
}

// -----------------------------------------------------------------------------
// in this process
// -----------------------------------------------------------------------------

const official: Sdk = {
  name: "oneentry",
  start: async (count) => {
    const server = makeServer({ isRefresh: (address) => address.endsWith("/users/refresh"), pair: oneEntryPair })
    globalThis.fetch = server.fetch
    const clients = Array.from({ length: count }, () => {
      let saved = server.ended.refreshToken
      const { AuthProvider, Users } = defineOneEntry(url, {
        token: "token",
        auth: { refreshToken: saved, saveFunction: (token: string) => (saved = token) }
      })
      const call = async () => {
        const user: object = Object(await Users.getUser())
        return "identifier" in user
      }
      return {
        calls: async (count: number) => {
          const answers = await Promise.all(Array.from({ length: count }, call))
          return answers.filter((answered) => !answered).length
        },
        shown: async () => {
          const entity = await AuthProvider.refresh("email", server.ended.refreshToken)
          return { text: inspect(entity, { depth: 10 }) + JSON.stringify(entity), secret: saved }
        }
      }
    })
    return { server, clients, stop: async () => {} }
  }
}

// -----------------------------------------------------------------------------
// in Chromium
// -----------------------------------------------------------------------------

const app = "https://app.example/"
const html = "<!doctype html><meta charset=utf-8><title>client</title><script src=/page.js></script>"

const once = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

const browser = once(startChromium)
const script = once(async () => {
  const { outputFiles } = await build({
    entryPoints: [`${import.meta.dirname}/page.ts`],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2022",
    conditions: ["effect-oneentry-source"],
    logLevel: "error"
  })
  return outputFiles[0]?.text ?? ""
})

/** What an OpenID client asks for first. */
const configuration = {
  issuer,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  jwks_uri: `${url}/keys`
}

/** The requests of a tab, answered by the server. */
const serve = (server: Server) => async (route: Route) => {
  const request = route.request()
  const asked = await request.headerValue("access-control-request-headers")
  const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": asked ?? "*" }
  if (request.method() === "OPTIONS") return route.fulfill({ status: 204, headers })
  if (request.url().endsWith("/.well-known/openid-configuration")) {
    return route.fulfill({ headers, json: configuration })
  }
  const body = request.postData()
  const answer = await server
    .fetch(request.url(), {
      method: request.method(),
      headers: await request.allHeaders(),
      ...(body === null ? {} : { body })
    })
    .catch(() => undefined)
  // It could not be reached.
  if (answer === undefined) return route.abort("connectionrefused")
  const contentType = answer.headers.get("content-type") ?? "application/json"
  return route.fulfill({ status: answer.status, headers, contentType, body: await answer.text() })
}

const inTab = <A>(page: Page, expression: string): Promise<A> => page.evaluate<A>(expression)

const inChromium = (name: string, dialect: Dialect): Sdk => ({
  name,
  start: async (count) => {
    const server = makeServer(dialect)
    const source = await script()
    // A new profile: nothing is stored in it.
    const context = await (await browser()).newContext()
    await context.route(`${app}**`, (route) =>
      route.request().url() === `${app}page.js`
        ? route.fulfill({ contentType: "text/javascript", body: source })
        : route.fulfill({ contentType: "text/html", body: html })
    )
    await context.route(`${url}/**`, serve(server))
    const clients: Array<Client> = []
    for (let index = 0; index < count; index++) {
      const page = await context.newPage()
      await page.goto(app)
      await inTab<void>(
        page,
        `tab.open(${JSON.stringify(name)}, ${index === 0 ? JSON.stringify(server.ended) : "undefined"})`
      )
      clients.push({
        calls: (count) => inTab(page, `tab.calls(${count})`),
        shown: () => inTab(page, "tab.shown()") satisfies ReturnType<Tab["shown"]>
      })
    }
    return { server, clients, stop: () => context.close() }
  }
})

export const sdks: ReadonlyArray<Sdk> = [
  inChromium("effect-oneentry", { isRefresh: (address) => address.endsWith("/users/refresh"), pair: oneEntryPair }),
  official,
  inChromium("@supabase/auth-js", {
    isRefresh: (address) => address.includes("grant_type=refresh_token"),
    pair: supabasePair
  }),
  inChromium("@auth0/auth0-spa-js", { isRefresh: (address) => address.endsWith("/oauth/token"), pair: auth0Pair }),
  inChromium("@azure/msal-browser", { isRefresh: (address) => new URL(address).pathname === "/token", pair: msalPair })
]
