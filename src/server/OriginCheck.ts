/**
 * Whether a request that changes something was made by a page of this site.
 *
 * The session cookie is `SameSite=Lax`: no other site can make a browser send
 * it with a POST. That leaves other origins of the same site (subdomains), and
 * signing a visitor in as somebody else, for which no cookie is needed. So the
 * middleware and the wrapper of this package refuse such requests unless they
 * are told otherwise.
 *
 * @since 0.1.0
 */
import { header, hostOf } from "./internal/request.ts"
import type { RequestLike } from "./Visitor.ts"

const safeMethods = new Set(["GET", "HEAD", "OPTIONS", "TRACE"])

/**
 * Whether a request of an unsafe method comes from another origin. `trustedOrigins` are origins that may, such as
 * `"https://admin.example.com"`.
 *
 * The browser's own `Sec-Fetch-Site` decides where it is sent, otherwise `Origin` against the request's host. A request
 * with neither is no page's: browsers send at least one of them with every POST.
 *
 * **Example** (In a handler of one's own)
 *
 * ```ts
 * import { OriginCheck } from "effect-oneentry/server"
 *
 * export const POST = (request: Request): Response =>
 *   OriginCheck.isCrossOrigin(request) ? new Response("Not from there", { status: 403 }) : new Response("done")
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isCrossOrigin = (request: RequestLike, trustedOrigins: ReadonlyArray<string> = []): boolean => {
  if (safeMethods.has(request.method?.toUpperCase() ?? "GET")) return false
  const origin = header(request, "origin")
  if (origin !== undefined && trustedOrigins.includes(origin)) return false
  const site = header(request, "sec-fetch-site")
  if (site !== undefined) return site !== "same-origin" && site !== "none"
  if (origin === undefined) return false
  return !URL.canParse(origin) || new URL(origin).host !== hostOf(request)
}
