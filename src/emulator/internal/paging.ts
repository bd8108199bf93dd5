/** Query parameters of lists. */
import { Refusal } from "./refusal.ts"

export type Query = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** The last one, when a parameter stands twice. */
export const one = (query: Query, name: string): string | undefined => {
  const value = query[name]
  return typeof value === "string" || value === undefined ? value : value.at(-1)
}

const whole = (query: Query, name: string, fallback: number, maximum: number): number | Refusal => {
  const text = one(query, name)
  if (text === undefined || text === "") return fallback
  if (!/^\d{1,9}$/.test(text)) return new Refusal("ValidationFailed", 400, [`${name} must be an integer number`])
  return Math.min(Number(text), maximum)
}

export const paging = (query: Query): { readonly offset: number; readonly limit: number } | Refusal => {
  const offset = whole(query, "offset", 0, 1_000_000_000)
  if (offset instanceof Refusal) return offset
  const limit = whole(query, "limit", 30, 1000)
  return limit instanceof Refusal ? limit : { offset, limit }
}
