/**
 * What the official SDK makes of an answer before it hands it out: locale maps unwrapped, attributes put in order. Its
 * results in our own words; the tests compare the two.
 *
 * Two things are different on purpose. `state` is the application's own and comes back as it was stored, whatever its
 * keys look like. And nothing here throws or runs for ever, whatever a server sends.
 */
import { isObject } from "../../internal/fieldEncoding.ts"

export interface Options {
  /** The language of the call, and those to fall back to. */
  readonly langCodes: ReadonlyArray<string>
  /** Leaves `additionalFields` the array that the server sent. */
  readonly rawData: boolean
}

type Json = { readonly [key: string]: unknown }

const isArray: (u: unknown) => u is ReadonlyArray<unknown> = Array.isArray

/** Unwraps the locale maps of an answer, and puts its attributes in order. */
export const normalize = (data: unknown, options: Options): unknown => {
  if (isArray(data)) return data.map((item) => normalize(item, options))
  if (!isObject(data)) return data
  return attributes(Object.fromEntries(Object.keys(data).map((key) => [key, member(key, data[key], options)])), options)
}

const member = (key: string, value: unknown, options: Options): unknown => {
  if (key === "state" || typeof value !== "object" || value === null) return value
  const language = isObject(value) ? options.langCodes.find((langCode) => Object.hasOwn(value, langCode)) : undefined
  return isObject(value) && language !== undefined ? value[language] : normalize(value, options)
}

/** As `normalize`, for forms and their data: an image that stands alone comes out of its array. */
export const normalizeForm = (data: unknown, options: Options): unknown => withoutArrays(normalize(data, options))

const withoutArrays = (data: unknown): unknown => {
  if (isArray(data)) return data.map(withoutArrays)
  if (!isObject(data)) return data
  return Object.fromEntries(
    Object.keys(data).map((key) => {
      const value = data[key]
      return [key, key === "attributeValues" && isObject(value) ? mapValues(value, withoutArray) : withoutArrays(value)]
    })
  )
}

const withoutArray = (attribute: unknown): unknown =>
  isObject(attribute) && attribute["type"] === "image" && isArray(attribute["value"]) && attribute["value"].length === 1
    ? { ...attribute, value: attribute["value"][0] }
    : attribute

const mapValues = (record: Json, f: (value: unknown) => unknown): Json =>
  Object.fromEntries(Object.keys(record).map((key) => [key, f(record[key])]))

// ---------------------------------------------------------------------------------------------------------------------
// Attributes
// ---------------------------------------------------------------------------------------------------------------------

const flags = ["isLogin", "isSignUp", "isNotificationEmail", "isNotificationPhonePush", "isNotificationPhoneSMS"]

const attributes = (data: Json, options: Options): Json => {
  if (Object.hasOwn(data, "attributeValues")) {
    const values = data["attributeValues"]
    return isObject(values)
      ? { ...data, attributeValues: sorted(mapValues(values, (value) => single(value, options, []))) }
      : data
  }
  if (Object.hasOwn(data, "attributes")) {
    const all = data["attributes"]
    const each = (value: unknown) => ofForm(value, options)
    return { ...data, attributes: isArray(all) ? all.map(each) : isObject(all) ? mapValues(all, each) : all }
  }
  return Object.hasOwn(data, "type") ? single(data, options, flags) : data
}

const sorted = (values: Json): Json => {
  const position = (value: unknown): number => (isObject(value) ? Number(value["position"]) : Number.NaN)
  return Object.fromEntries(Object.entries(values).sort(([, a], [, b]) => position(a) - position(b)))
}

const common = (data: Json, options: Options, nullable: ReadonlyArray<string>): Record<string, unknown> => {
  const out: Record<string, unknown> = { ...data }
  const fields = data["additionalFields"]
  if (!options.rawData && isArray(fields)) {
    out["additionalFields"] = Object.fromEntries(
      fields.map((field) => [isObject(field) ? String(field["marker"]) : "undefined", field])
    )
  }
  for (const flag of nullable) if (out[flag] === null) out[flag] = false
  return out
}

function single(data: Json, options: Options, nullable: ReadonlyArray<string>): Json
function single(data: unknown, options: Options, nullable: ReadonlyArray<string>): unknown
function single(data: unknown, options: Options, nullable: ReadonlyArray<string>): unknown {
  if (!isObject(data)) return data
  const out = common(data, options, nullable)
  if (data["type"] === "integer" || data["type"] === "float") {
    const number = Number(data["value"])
    out["value"] = Number.isNaN(number) ? null : number
  }
  if (data["type"] === "timeInterval" && isArray(data["value"])) out["value"] = data["value"].map(withTimes)
  return out
}

const ofForm = (data: unknown, options: Options): unknown => {
  if (!isObject(data)) return data
  const out = common(data, options, flags)
  const infos = data["localizeInfos"]
  if (data["type"] === "timeInterval" && isObject(infos) && isArray(infos["intervals"])) {
    out["localizeInfos"] = { ...infos, intervals: infos["intervals"].map(withSlots) }
  }
  return out
}

// ---------------------------------------------------------------------------------------------------------------------
// Time intervals
// ---------------------------------------------------------------------------------------------------------------------

/** A start and an end, ISO. */
type Interval = readonly [start: string, end: string]

interface Time {
  readonly hours: number
  readonly minutes: number
}

/** A server that sends a range of a thousand years gets this many days of it. */
const maxDays = 3_700

/** Slots of a day; `period` of a minute gives 1,440. */
const maxSlots = 1_440

/** Intervals of one schedule. A year of half hours has 17,520. */
const maxIntervals = 100_000

const timeOf = (u: unknown): Time | undefined =>
  isObject(u) && typeof u["hours"] === "number" && typeof u["minutes"] === "number"
    ? { hours: u["hours"], minutes: u["minutes"] }
    : undefined

const dateOf = (u: unknown): Date | undefined => {
  const date = typeof u === "string" || typeof u === "number" ? new Date(u) : undefined
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date
}

const addDays = (date: Date, days: number): Date => {
  const result = new Date(date)
  result.setUTCDate(result.getUTCDate() + days)
  return result
}

const addMonths = (date: Date, months: number): Date => {
  const result = new Date(date)
  result.setUTCMonth(result.getUTCMonth() + months)
  return result
}

const at = (day: Date, time: Time): string | undefined => {
  const result = new Date(day)
  result.setUTCHours(time.hours, time.minutes, 0, 0)
  return Number.isNaN(result.getTime()) ? undefined : result.toISOString()
}

/** The days that a schedule means, from its first one on. */
const daysOf = (first: Date, weekly: boolean, monthly: boolean): ReadonlyArray<Date> => {
  const days: Array<Date> = []
  if (weekly && !monthly) {
    // To the end of the month, as the calendar of this device has it.
    const end = new Date(first.getFullYear(), first.getMonth() + 1, 0)
    // A month has five of a weekday at the most; the end of a month of the year 1 is in 1901.
    for (let day = new Date(first); day <= end && days.length < 5; day = addDays(day, 7)) days.push(day)
  }
  if (monthly && !weekly) {
    for (let i = 0; i < 12; i++) {
      const day = addMonths(first, i)
      day.setUTCDate(first.getUTCDate())
      // A month without that day is left out.
      if (day.getUTCMonth() === (first.getUTCMonth() + i) % 12) days.push(day)
    }
  }
  if (monthly && weekly) {
    for (let i = 0; i < 12; i++) {
      const start = addMonths(first, i)
      start.setUTCDate(1)
      const month = (first.getUTCMonth() + i) % 12
      let day = addDays(start, (first.getUTCDay() - start.getUTCDay() + 7) % 7)
      while (day.getUTCMonth() === month) {
        days.push(day)
        day = addDays(day, 7)
      }
    }
  }
  return days
}

/** Every interval of a range of days, in the order of their texts. */
const expand = (
  range: unknown,
  schedule: Json,
  intervalsOf: (day: Date) => ReadonlyArray<Interval>
): ReadonlyArray<Interval> | undefined => {
  const first = isArray(range) ? dateOf(range[0]) : undefined
  const last = isArray(range) ? dateOf(range[1]) : undefined
  if (first === undefined || last === undefined) return undefined
  const weekly = Boolean(schedule["inEveryWeek"])
  const monthly = Boolean(schedule["inEveryMonth"])
  const out: Array<Interval> = []
  let day = first
  for (let count = 0; day <= last && count < maxDays; count++, day = addDays(day, 1)) {
    for (const one of daysOf(day, weekly, monthly)) {
      for (const interval of intervalsOf(one)) out.push(interval)
      if (out.length > maxIntervals) return undefined
    }
  }
  return out.sort((a, b) => (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0))
}

/** A group of schedules of an attribute's value. */
const withTimes = (group: unknown): unknown =>
  isObject(group) && isArray(group["values"]) ? { ...group, values: group["values"].map(withScheduleTimes) } : group

const withScheduleTimes = (schedule: unknown): unknown => {
  if (!isObject(schedule)) return schedule
  const times = isArray(schedule["times"]) ? schedule["times"] : []
  const timeIntervals = expand(schedule["dates"], schedule, (day) =>
    times.flatMap((range): ReadonlyArray<Interval> => {
      const from = isArray(range) ? timeOf(range[0]) : undefined
      const to = isArray(range) ? timeOf(range[1]) : undefined
      const start = from === undefined ? undefined : at(day, from)
      const end = to === undefined ? undefined : at(day, to)
      return start === undefined || end === undefined ? [] : [[start, end]]
    })
  )
  return timeIntervals === undefined ? schedule : { ...schedule, timeIntervals }
}

/** A schedule of a form's attribute: each window in slots of `period` minutes. */
const withSlots = (schedule: unknown): unknown => {
  if (!isObject(schedule) || !isArray(schedule["intervals"])) return schedule
  const windows = schedule["intervals"]
  const timeIntervals = expand(schedule["range"], schedule, (day) => windows.flatMap((window) => slotsOf(day, window)))
  return timeIntervals === undefined ? schedule : { ...schedule, timeIntervals }
}

const slotsOf = (day: Date, window: unknown): ReadonlyArray<Interval> => {
  const out: Array<Interval> = []
  if (!isObject(window)) return out
  let from = timeOf(window["start"])
  const end = timeOf(window["end"])
  const period = window["period"]
  if (end === undefined || typeof period !== "number" || !(period > 0)) return out
  const minutesOf = (time: Time) => time.hours * 60 + time.minutes
  while (from !== undefined && minutesOf(from) < minutesOf(end) && out.length < maxSlots) {
    const minutes: number = from.minutes + period
    const to: Time = { hours: from.hours + Math.floor(minutes / 60), minutes: minutes % 60 }
    // What would end past the window is left out.
    if (minutesOf(to) > minutesOf(end)) break
    const start = at(day, from)
    const stop = at(day, to)
    if (start === undefined || stop === undefined) break
    out.push([start, stop])
    from = to
  }
  return out
}
