/**
 * Dates as form fields carry them: reading what a program or an `<input>` gives, writing `{ fullDate, formattedValue,
 * formatString }`. Strict where JavaScript is not: the 31st of February is no date.
 */
import * as DateTime from "effect/DateTime"

/** Formats that the server's own admin uses. */
export const defaultFormats = {
  date: "DD-MM-YYYY",
  dateTime: "DD-MM-YYYY HH:mm",
  time: "HH:mm"
} as const

const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d{2}:?\d{2})?)?$/
const timePattern = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/

const daysIn = (year: number, month: number): number =>
  month === 2
    ? (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31

const millis = (fraction: string | undefined): string => `${fraction ?? ""}000`.slice(0, 3)

const offsetOf = (text: string | undefined): string =>
  text === undefined || text === "z" ? "Z" : text.length === 5 ? `${text.slice(0, 3)}:${text.slice(3)}` : text

/**
 * An ISO 8601 date, date and time, or (for the type `time`) time of day; without an offset it is UTC, a time of day is
 * that of 1970-01-01. `undefined` when it is none.
 */
const parse = (text: string): DateTime.Utc | undefined => {
  if (text.length > 40) return undefined
  const time = timePattern.exec(text)
  const iso =
    time === null
      ? isoPattern.exec(text)
      : isoPattern.exec(`1970-01-01T${time[1]}:${time[2]}:${time[3] ?? "00"}.${millis(time[4])}Z`)
  if (iso === null) return undefined
  const [, year = "", month = "", day = "", hour = "00", minute = "00", second = "00", fraction, offset] = iso
  const m = Number(month)
  const d = Number(day)
  if (m < 1 || m > 12 || d < 1 || d > daysIn(Number(year), m)) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const instant = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millis(fraction)}${offsetOf(offset)}`)
  return Number.isNaN(instant.getTime()) ? undefined : inRange(DateTime.fromDateUnsafe(instant))
}

/** Years of four digits only: what follows after 9999 has another ISO form, which the server does not know. */
const inRange = <A extends DateTime.DateTime>(value: A): A | undefined => {
  const { year } = DateTime.toPartsUtc(value)
  return year >= 0 && year <= 9999 ? value : undefined
}

/** What a program may give for a date; `undefined` when it is no date. A `DateTime.Zoned` keeps its zone. */
export const from = (input: unknown): DateTime.DateTime | undefined => {
  if (typeof input === "string") return parse(input.trim())
  if (DateTime.isDateTime(input)) return inRange(input)
  if (input instanceof Date) return Number.isNaN(input.getTime()) ? undefined : inRange(DateTime.fromDateUnsafe(input))
  return undefined
}

const pad = (n: number, length: number): string => String(n).padStart(length, "0")

const tokens = /\[([^\]]*)\]|YYYY|YY|MM|M|DD|D|HH|H|hh|h|mm|m|ss|s|SSS|A|a/g

/** Formats in the zone of `value` (UTC for a `DateTime.Utc`) with the tokens of the server's admin (those of Day.js). */
export const format = (value: DateTime.DateTime, formatString: string): string => {
  const p = DateTime.toParts(value)
  const twelve = p.hour % 12 === 0 ? 12 : p.hour % 12
  return formatString.replace(tokens, (token: string, literal: string | undefined) => {
    switch (token) {
      case "YYYY":
        return pad(p.year, 4)
      case "YY":
        return pad(p.year % 100, 2)
      case "MM":
        return pad(p.month, 2)
      case "M":
        return String(p.month)
      case "DD":
        return pad(p.day, 2)
      case "D":
        return String(p.day)
      case "HH":
        return pad(p.hour, 2)
      case "H":
        return String(p.hour)
      case "hh":
        return pad(twelve, 2)
      case "h":
        return String(twelve)
      case "mm":
        return pad(p.minute, 2)
      case "m":
        return String(p.minute)
      case "ss":
        return pad(p.second, 2)
      case "s":
        return String(p.second)
      case "SSS":
        return pad(p.millisecond, 3)
      case "A":
        return p.hour < 12 ? "AM" : "PM"
      case "a":
        return p.hour < 12 ? "am" : "pm"
      default:
        return literal ?? ""
    }
  })
}

/** The instant as the server writes it. */
export const iso = (value: DateTime.DateTime): string => DateTime.formatIso(DateTime.toUtc(value))
