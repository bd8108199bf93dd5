/**
 * What a visitor's headers say of the browser, in the few words that a list of active sessions shows. Only what is
 * plainly there: the family and its major version, no model, no guess.
 */

const maxLength = 1_024

/** The order matters: everybody claims to be everybody, and the last to come adds his own name. */
const browsers: ReadonlyArray<readonly [name: string, pattern: RegExp]> = [
  ["Edge", /\b(?:Edg|EdgA|EdgiOS)\/(\d{1,4})/],
  ["Opera", /\b(?:OPR|OPT)\/(\d{1,4})/],
  ["Samsung Internet", /\bSamsungBrowser\/(\d{1,4})/],
  ["Yandex", /\bYaBrowser\/(\d{1,4})/],
  ["Vivaldi", /\bVivaldi\/(\d{1,4})/],
  ["Firefox", /\b(?:Firefox|FxiOS)\/(\d{1,4})/],
  ["Chrome", /\b(?:Chrome|CriOS|HeadlessChrome)\/(\d{1,4})/],
  ["Safari", /\bVersion\/(\d{1,4})[\d.]* (?:Mobile\/\S+ )?Safari\//]
]

const systems: ReadonlyArray<readonly [name: string, pattern: RegExp]> = [
  ["iOS", /\b(?:iPhone|iPod)\b/],
  ["iPadOS", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b|\bMacintosh\b/],
  ["Linux", /\bLinux\b|\bX11\b/]
]

const unknown = "unknown"

/** `Firefox/141`, the first product of anything else, or `unknown`. */
export const browserOf = (userAgent: string | undefined): string => {
  const text = (userAgent ?? "").slice(0, maxLength)
  for (const [name, pattern] of browsers) {
    const version = pattern.exec(text)?.[1]
    if (version !== undefined) return `${name}/${version}`
  }
  return /^[A-Za-z][\w.-]{0,31}(?:\/\d{1,4})?/.exec(text)?.[0] ?? unknown
}

/** The operating system; Chromium's hint where it is sent, because its user agent is frozen. */
export const systemOf = (userAgent: string | undefined, platformHint: string | undefined): string => {
  const hint = /^"([A-Za-z][A-Za-z ]{0,31})"$/.exec(platformHint ?? "")?.[1]
  if (hint !== undefined && hint !== "Unknown")
    return hint === "Chrome OS" || hint === "Chromium OS" ? "ChromeOS" : hint
  const text = (userAgent ?? "").slice(0, maxLength)
  return systems.find(([, pattern]) => pattern.test(text))?.[0] ?? unknown
}

/** The language that the visitor likes best, as `en-US`. */
export const languageOf = (acceptLanguage: string | undefined): string => {
  let best: { readonly tag: string; readonly weight: number } | undefined
  for (const part of (acceptLanguage ?? "").slice(0, maxLength).split(",")) {
    const match = /^\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})\s*(?:;\s*q=([01](?:\.\d{1,3})?)\s*)?$/.exec(part)
    const tag = match?.[1]
    if (tag === undefined) continue
    const weight = match?.[2] === undefined ? 1 : Number(match[2])
    if (weight > 0 && weight > (best?.weight ?? 0)) best = { tag, weight }
  }
  return best?.tag ?? "en-US"
}
