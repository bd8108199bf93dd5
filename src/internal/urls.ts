/** Which addresses may be trusted with what, and what may stand in them. */

/** Half a character: no URL can hold it. */
export const half = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

/** What keeps a text from being a segment of a path. */
export const segmentIssue = (name: string, text: string): string | undefined => {
  if (text.trim() === "") return `\`${name}\` must not be empty`
  if (half.test(text)) return `\`${name}\` holds half a character`
  // A path with them leads to another resource.
  return text === "." || text === ".." ? `\`${name}\` must not be "${text}"` : undefined
}

/** This machine to a browser: it asks nobody for a name under `localhost`. */
const isBrowserLoopback = (hostname: string): boolean =>
  hostname === "[::1]" || /^(127(\.\d{1,3}){3}|(.+\.)?localhost)$/.test(hostname)

/** This machine. Outside of browsers a name under `localhost` is anybody's who answers for it in DNS. */
export const isLoopback = (hostname: string): boolean =>
  isBrowserLoopback(hostname) && ("document" in globalThis || !hostname.endsWith(".localhost"))

/**
 * An absolute `https:` URL, or `http:` on loopback, without credentials in it; otherwise what is wrong with it. For what
 * a browser opens, or what is fetched without credentials.
 */
export const safeUrl = (name: string, text: string | URL): URL | string => {
  const url = URL.canParse(String(text)) ? new URL(String(text)) : undefined
  if (url === undefined) return `${name} must be an absolute URL`
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isBrowserLoopback(url.hostname))) {
    return `${name} must begin with https: (http: is for loopback)`
  }
  return url.username !== "" || url.password !== "" ? `${name} must not carry credentials` : url
}
