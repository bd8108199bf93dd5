/** Who may control an emulator: this machine, or who has the app token; never a web page of another origin. */
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Redacted from "effect/Redacted"
import type { Service } from "../../Emulator.ts"
import { equalText } from "../bytes.ts"

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
  const known = equalText(tokenOf(request), Redacted.value(emulator.appToken))
  if (!known) {
    if (emulator.host !== undefined && !isLoopback(emulator.host)) {
      return refused("This emulator listens off loopback: send the app token as x-app-token, or as ?token=")
    }
    if (host !== undefined && !isLoopback(nameOf(host))) {
      return refused(`"${nameOf(host).slice(0, 200)}" is no name of this machine: send the app token as x-app-token`)
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
