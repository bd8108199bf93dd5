/** Small pieces of reading an answer. */
import * as DateTime from "effect/DateTime"

/** What is no JSON, or nests deeper than any honest answer, is this. */
export const notJson: unique symbol = Symbol.for("effect-oneentry/notJson")

const maxDepth = 200

/** Only a text longer than this can nest deep enough to hurt whoever walks it. */
const depthMatters = 4_096

const nestsTooDeep = (text: string): boolean => {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === 0x5c /* \ */) i++
      else if (code === 0x22 /* " */) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x7b /* { */ || code === 0x5b /* [ */) {
      if (++depth > maxDepth) return true
    } else if (code === 0x7d || code === 0x5d) depth--
  }
  return false
}

/** Parses a body; an empty one is `undefined`. */
export const parseJson = (text: string): unknown => {
  if (text === "") return undefined
  if (text.length > depthMatters && nestsTooDeep(text)) return notJson
  try {
    return JSON.parse(text)
  } catch {
    return notJson
  }
}

/** An HTTP date in milliseconds. It begins with a day: left to themselves, engines see a date in "-5". */
export const parseDate = (value: string | undefined): number | undefined => {
  if (value === undefined || !/^\s*(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value)) return undefined
  const date = DateTime.make(value)
  return date._tag === "Some" ? DateTime.toEpochMillis(date.value) : undefined
}

/** `Retry-After` (seconds, or a date) in milliseconds from now. */
export const parseRetryAfter = (value: string | undefined, now: number): number | undefined => {
  if (value === undefined) return undefined
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000
  const at = parseDate(value)
  return at === undefined ? undefined : Math.max(0, at - now)
}
