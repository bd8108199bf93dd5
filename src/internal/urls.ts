/** Which addresses may be trusted with what. */

export const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" ||
  hostname.endsWith(".localhost") ||
  hostname === "[::1]" ||
  /^127(\.\d{1,3}){3}$/.test(hostname)

/** An absolute `https:` URL, or `http:` on loopback, without credentials in it; otherwise what is wrong with it. */
export const safeUrl = (name: string, text: string | URL): URL | string => {
  const url = URL.canParse(String(text)) ? new URL(String(text)) : undefined
  if (url === undefined) return `${name} must be an absolute URL`
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    return `${name} must begin with https: (http: is for loopback)`
  }
  return url.username !== "" || url.password !== "" ? `${name} must not carry credentials` : url
}
