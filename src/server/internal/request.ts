/** What a visit reads of a request, whoever made the request: the platform, Effect, Next. */
import type { RequestLike } from "../Visitor.ts"

const hasGet = (headers: RequestLike["headers"]): headers is { readonly get: (name: string) => string | null } =>
  typeof headers["get"] === "function"

/** A header by its name in lower case. */
export const header = (request: RequestLike, name: string): string | undefined => {
  const { headers } = request
  if (hasGet(headers)) return headers.get(name) ?? undefined
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  return value === undefined || typeof value === "string" ? value : value.join(name === "cookie" ? "; " : ", ")
}

/** The host with its port, as the visitor wrote it. */
export const hostOf = (request: RequestLike): string | undefined =>
  request.url !== undefined && URL.canParse(request.url) ? new URL(request.url).host : header(request, "host")

/** Whether a host is this machine. */
export const isLoopback = (host: string | undefined): boolean =>
  host !== undefined && /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host)
