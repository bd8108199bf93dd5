/** Query parameters: what each means, how one is read, and the pages of lists. */
import * as Schema from "effect/Schema"
import type { Backend } from "./backend.ts"
import { Refusal, refusal } from "./refusal.ts"

/** Reads a parameter of the query, one that the endpoint has said it reads. */
export type Query<Q extends string> = (name: Q) => string | undefined

/** Where a parameter stands twice, the last one counts. */
export const queryOf =
  (parameters: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>): Query<string> =>
  (name) => {
    const value = parameters[name]
    return typeof value === "string" || value === undefined ? value : value.at(-1)
  }

export const text = (description: string, example: string) =>
  Schema.String.annotate({ description, examples: [example] })

const natural = (description: string, value: number, maximum?: number) => {
  const schema = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
  const bounded = maximum === undefined ? schema : schema.check(Schema.isLessThanOrEqualTo(maximum))
  return bounded.annotate({ description, default: value })
}

export const langCode = {
  langCode: text("The language of what is chosen by the server; texts come in all of them.", "en_US")
}

export const page = {
  offset: natural("Rows to leave out at the beginning.", 0),
  limit: natural("Rows at most; more than 1000 count as 1000.", 30)
}

/** Which files are meant. */
export const place = {
  type: text("What the file belongs to.", "page"),
  entity: text("The part of it.", "editor"),
  id: text("The number of it.", "3492")
}

type PageQuery = Query<keyof typeof page>

const whole = (query: PageQuery, name: keyof typeof page, fallback: number, maximum: number): number | Refusal => {
  const value = query(name)
  if (value === undefined || value === "") return fallback
  if (!/^\d{1,9}$/.test(value)) return new Refusal("ValidationFailed", 400, [`${name} must be an integer number`])
  return Math.min(Number(value), maximum)
}

/** What a restricted read gives at most. */
const restrictedRows = 10

export const paging = ({
  backend,
  query,
  restricted
}: {
  readonly backend: Backend
  readonly query: PageQuery
  readonly restricted: boolean
}): { readonly offset: number; readonly limit: number } | Refusal => {
  const offset = whole(query, "offset", 0, 1_000_000_000)
  if (offset instanceof Refusal) return offset
  const limit = whole(query, "limit", 30, 1000)
  if (limit instanceof Refusal) return limit
  if (!restricted || limit <= restrictedRows) return { offset, limit }
  return backend.switches.restrictedReads === "400" ? refusal("ReadRestricted") : { offset, limit: restrictedRows }
}
