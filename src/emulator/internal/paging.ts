/** Query parameters of lists. */
import type { Backend } from "./backend.ts"
import { Refusal, refusal } from "./refusal.ts"

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

/** What a restricted read gives at most. */
const restrictedRows = 10

export const paging = ({
  backend,
  query,
  restricted
}: {
  readonly backend: Backend
  readonly query: Query
  readonly restricted: boolean
}): { readonly offset: number; readonly limit: number } | Refusal => {
  const offset = whole(query, "offset", 0, 1_000_000_000)
  if (offset instanceof Refusal) return offset
  const limit = whole(query, "limit", 30, 1000)
  if (limit instanceof Refusal) return limit
  if (!restricted || limit <= restrictedRows) return { offset, limit }
  return backend.switches.restrictedReads === "400" ? refusal("ReadRestricted") : { offset, limit: restrictedRows }
}
