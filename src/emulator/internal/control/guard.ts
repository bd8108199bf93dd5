/** Who may control an emulator: this machine, or who has the app token; never a web page of another origin. */
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Redacted from "effect/Redacted"
import type { Service } from "../../Emulator.ts"
import { equalText } from "../bytes.ts"
import { defaultAppToken } from "../defaultAppToken.ts"

/** Why a request is refused. */
export interface Refused {
  readonly status: 403 | 415
  readonly message: string
}

/** The name in a `Host` header or an authority, without the port. */
const nameOf = (host: string): string => {
  const bracketed = /^\[([^\]]*)\]/.exec(host)
  return (bracketed?.[1] ?? host.replace(/:\d*$/, "")).toLowerCase()
}

/** Whether a name or an address can only mean this machine. */
export const isLoopback = (name: string): boolean =>
  name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name)

/** Whether it is an address, or a name of this network such as a container's: nobody on the web can make it lead here. */
const isNearby = (name: string): boolean =>
  name.includes(":") || !name.includes(".") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name)

const authorityOf = (url: string): string | undefined => /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1]

const tokenOf = (request: HttpServerRequest.HttpServerRequest): string => {
  const header = request.headers["x-app-token"]
  if (header !== undefined) return header
  const start = request.url.indexOf("?")
  return start === -1 ? "" : (new URLSearchParams(request.url.slice(start + 1)).get("token") ?? "")
}

const refused = (message: string): Refused => ({ status: 403, message })

/** `undefined` for a request that may go on. */
export const check = (emulator: Service, request: HttpServerRequest.HttpServerRequest): Refused | undefined => {
  // Without a socket there need be no host at all; HTTP itself insists on one.
  const host = request.headers["host"] ?? authorityOf(request.originalUrl)
  const name = host === undefined ? undefined : nameOf(host)
  const appToken = Redacted.value(emulator.appToken)
  const known = equalText(tokenOf(request), appToken)
  if (!known && emulator.host !== undefined && !isLoopback(emulator.host)) {
    return refused("This emulator listens off loopback: send the app token as x-app-token, or as ?token=")
  }
  if (name !== undefined && !isLoopback(name)) {
    const shown = `"${name.slice(0, 200)}" is no name of this machine`
    if (!known) return refused(`${shown}: send the app token as x-app-token`)
    // Any page on the web can make a name lead here, and knows the default token as well as everybody.
    if (appToken === defaultAppToken && !isNearby(name)) {
      return refused(`${shown}, and everybody knows the default app token: choose one, as with --app-token`)
    }
  }
  const { method } = request
  const origin = request.headers["origin"]
  if (origin !== undefined && authorityOf(origin)?.toLowerCase() !== host?.toLowerCase()) {
    return refused("A page of another origin may not control the emulator")
  }
  const site = request.headers["sec-fetch-site"]
  if (site === "cross-site" || site === "same-site") {
    // Following a link to the page is fine; it changes nothing.
    if (method !== "GET" || request.headers["sec-fetch-mode"] !== "navigate") {
      return refused("A page of another site may not control the emulator")
    }
  }
  if ((method === "POST" || method === "PUT") && !/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    return { status: 415, message: "Send changes with the content type application/json" }
  }
  return undefined
}
