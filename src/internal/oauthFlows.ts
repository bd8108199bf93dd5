/**
 * The OAuth sign-ins that are under way, as one value of the token storage beside the session's slot: what they begin
 * with is kept there, and taken out once.
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { parseJson } from "./wire.ts"

/** A sign-in under way: what its callback needs. `state` names it. */
const Pending = Schema.TaggedStruct("Pending", {
  state: Schema.String,
  marker: Schema.String,
  /** The project's address: two projects may share a storage. */
  project: Schema.String,
  redirectUri: Schema.String,
  verifier: Schema.optionalKey(Schema.String),
  issuer: Schema.optionalKey(Schema.String),
  returnTo: Schema.optionalKey(Schema.String),
  startedAt: Schema.Finite
})
export type Pending = typeof Pending.Type

/** What is left of one that ended, so that a second callback can be told from an unknown one. */
const Ended = Schema.Struct({
  _tag: Schema.Literals(["Used", "Expired"]),
  state: Schema.String,
  marker: Schema.String,
  project: Schema.String,
  returnTo: Schema.optionalKey(Schema.String),
  startedAt: Schema.Finite
})
export type Ended = typeof Ended.Type

const Flow = Schema.Union([Pending, Ended])
export type Flow = typeof Flow.Type

const Flows = Schema.Struct({ version: Schema.Literal(1), flows: Schema.Array(Flow) })

const decodeFlows = Schema.decodeUnknownExit(Flows)

/** The slot beside that of a session; no session is ever kept under such a name. */
export const slotOf = (slot: string): string => `~oauth:${slot}`

/** How long a flow may take. */
const lifetimeMillis = 10 * 60 * 1000

/** How long it is remembered that there was one. */
const rememberedMillis = 60 * 60 * 1000

/** How many may be under way in one slot; the oldest makes room. */
const maxPending = 16

const maxEnded = 32

/** What a storage holds; what does not decode is as good as nothing. */
export const read = (text: string | undefined): ReadonlyArray<Flow> => {
  if (text === undefined) return []
  const exit = decodeFlows(parseJson(text))
  return Exit.isSuccess(exit) ? exit.value.flows : []
}

export const write = (flows: ReadonlyArray<Flow>): string | undefined =>
  flows.length === 0 ? undefined : JSON.stringify({ version: 1, flows })

export const ended = (flow: Flow, tag: Ended["_tag"]): Ended => ({
  _tag: tag,
  state: flow.state,
  marker: flow.marker,
  project: flow.project,
  ...(flow.returnTo === undefined ? {} : { returnTo: flow.returnTo }),
  startedAt: flow.startedAt
})

/** A clock that was set back far makes no flow live longer. */
const age = (flow: Flow, now: number): number => Math.abs(now - flow.startedAt)

/** What is left of the flows by now: verifiers of expired ones gone, the forgettable forgotten, no more than fit. */
export const prune = (flows: ReadonlyArray<Flow>, now: number): ReadonlyArray<Flow> => {
  const kept = flows.flatMap((flow) =>
    age(flow, now) > rememberedMillis
      ? []
      : [flow._tag === "Pending" && age(flow, now) > lifetimeMillis ? ended(flow, "Expired") : flow]
  )
  const pending = kept.filter((flow) => flow._tag === "Pending").slice(-maxPending)
  const rest = kept.filter((flow) => flow._tag !== "Pending").slice(-maxEnded)
  const stay = new Set<Flow>([...pending, ...rest])
  return kept.filter((flow) => stay.has(flow))
}
