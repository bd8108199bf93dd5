/**
 * Sessions of visitors on a server: kept by cookies, sealed or by reference, as
 * middleware of Effect's HTTP router and as a wrapper of `Request` → `Response`
 * handlers; the visitor's device, for signing in on the server as well as in a
 * browser. Web standards only.
 *
 * @since 0.1.0
 */
export * as CookieSession from "./CookieSession.ts"
export * as HttpSession from "./HttpSession.ts"
export * as OriginCheck from "./OriginCheck.ts"
export * as Visitor from "./Visitor.ts"
export * as WebSession from "./WebSession.ts"
