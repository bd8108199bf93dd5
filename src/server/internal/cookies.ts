/** Cookies as they travel: names, attributes, and values that are cut into pieces where one cookie cannot hold them. */
import * as Cookies from "effect/http/Cookies"
import * as Result from "effect/Result"

/** What a browser takes: name, value and attributes of one cookie together. */
const maxCookieBytes = 4_095

/** What all cookies of one session may have: servers refuse headers of 16 KB, and then a visitor is locked out. */
const maxChunks = 3

export interface Attributes {
  readonly secure: boolean
  /** Seconds. */
  readonly maxAge: number
}

/** How a request's cookies are called: `__Host-` binds them to this host, over https. */
export const nameOf = (name: string, secure: boolean): string => (secure ? `__Host-${name}` : name)

/** Names come from the options, which are checked, or from a request, whose names are matched against them. */
const make = (name: string, value: string, { maxAge, secure }: Attributes): ReadonlyArray<Cookies.Cookie> => {
  const cookie = Cookies.makeCookie(name, value, {
    httpOnly: true,
    maxAge: maxAge * 1_000,
    path: "/",
    sameSite: "lax",
    secure,
    // Long past: for clients that know no Max-Age.
    ...(maxAge === 0 ? { expires: new Date(0) } : {})
  })
  return Result.isSuccess(cookie) ? [cookie.success] : []
}

/** One cookie. */
export const set = make

/** Removes a cookie. */
export const clear = (name: string, secure: boolean): ReadonlyArray<Cookies.Cookie> =>
  make(name, "", { secure, maxAge: 0 })

const chunkName = (name: string, index: number): string => (index === 0 ? name : `${name}.${index}`)

const capacity = (name: string, attributes: Attributes): number =>
  make(chunkName(name, maxChunks), "", attributes).reduce(
    (left, cookie) => left - Cookies.serializeCookie(cookie).length,
    maxCookieBytes
  )

/** How long a value may be. */
export const maxValueLength = (name: string, attributes: Attributes): number =>
  capacity(name, attributes) * maxChunks - 2

/** A value in as many cookies as it needs; the first says how many there are. */
export const split = (name: string, value: string, attributes: Attributes): ReadonlyArray<Cookies.Cookie> => {
  const size = capacity(name, attributes)
  // One digit and a dot: there are never ten.
  const count = Math.ceil((value.length + 2) / size)
  const text = `${count}.${value}`
  return Array.from({ length: count }, (_, index) =>
    make(chunkName(name, index), text.slice(index * size, (index + 1) * size), attributes)
  ).flat()
}

/** Which piece a cookie is, if it is one. */
const chunkIndex = (name: string, candidate: string): number | undefined => {
  if (candidate === name) return 0
  if (!candidate.startsWith(`${name}.`)) return undefined
  const suffix = candidate.slice(name.length + 1)
  return /^[1-9][0-9]?$/.test(suffix) ? Number(suffix) : undefined
}

/**
 * The cookies of a `Cookie` header that are asked for; of several with one name, the first. Nothing is trimmed but what
 * HTTP calls space: any subdomain can set "\u00a0__Host-name", which must not become the name that it could not set.
 */
const wanted = (header: string, isWanted: (name: string) => boolean): Map<string, string> => {
  const found = new Map<string, string>()
  for (const pair of header.split(/;[ \t]*/)) {
    const equals = pair.indexOf("=")
    if (equals === -1) continue
    const name = pair.slice(0, equals)
    if (found.has(name) || !isWanted(name)) continue
    const value = pair.slice(equals + 1)
    found.set(name, value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value)
  }
  return found
}

/** What a request brings under a name. */
export interface Brought {
  /** The names of its cookies. */
  readonly names: ReadonlyArray<string>
  /** The whole value; `undefined`: none, or not whole. */
  readonly value: string | undefined
  /** Exactly the pieces that there should be. */
  readonly exact: boolean
}

/** Puts a value together. */
export const join = (header: string | undefined, name: string): Brought => {
  if (header === undefined || header === "") return { names: [], value: undefined, exact: true }
  const found = wanted(header, (candidate) => chunkIndex(name, candidate) !== undefined)
  const names = [...found.keys()]
  const first = found.get(name)
  const count = first !== undefined && /^[1-9]\./.test(first) ? Number(first.slice(0, 1)) : 0
  if (first === undefined || count === 0 || count > maxChunks) return { names, value: undefined, exact: false }
  const pieces = Array.from({ length: count }, (_, index) => found.get(chunkName(name, index)))
  if (pieces.some((piece) => piece === undefined || piece.length > maxCookieBytes)) {
    return { names, value: undefined, exact: false }
  }
  return { names, value: pieces.join("").slice(2), exact: names.length === count }
}

/** One cookie of a request. */
export const get = (header: string | undefined, name: string): string | undefined =>
  header === undefined ? undefined : wanted(header, (candidate) => candidate === name).get(name)

/** The names among `before` that are no longer needed. */
export const surplus = (before: ReadonlyArray<string>, after: ReadonlyArray<Cookies.Cookie>): ReadonlyArray<string> =>
  before.filter((name) => !after.some((cookie) => cookie.name === name))

/** `Vary` with `Cookie` in it. */
export const varyByCookie = (vary: string | null | undefined): string => {
  if (vary === null || vary === undefined || vary.trim() === "") return "Cookie"
  const names = vary.split(",").map((name) => name.trim().toLowerCase())
  return names.includes("*") || names.includes("cookie") ? vary : `${vary}, Cookie`
}

/** What every response says that sets a cookie: no cache may hand it to somebody else. */
export const cacheControl = "private, no-store"

/**
 * Whether a header goes before `Cache-Control` in a CDN or proxy (RFC 9213: `CDN-Cache-Control` and others that end so, and
 * what is older): it must not be there then.
 */
export const overrulesCacheControl = (name: string): boolean =>
  /^.+-cache-control$|^(?:surrogate-control|edge-control|x-accel-expires)$/i.test(name)

/** Takes out what goes before `Cache-Control`. */
export const removeOverruling = (headers: Headers): void => {
  for (const name of [...headers.keys()].filter(overrulesCacheControl)) headers.delete(name)
}
