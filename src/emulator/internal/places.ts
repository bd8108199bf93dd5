/**
 * Where requests went: the endpoint that the router found for a method and a URL, with the parameters that it read.
 * Applications ask for the same few URLs again and again, and what was found once need not be searched and decoded again.
 */
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Query } from "./paging.ts"
import type { Arrived } from "./request.ts"

/** Where a request goes: an endpoint, with what stands in the path and the query. */
export interface Place {
  readonly serve: Serve
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: Query<string>
}

/** Answers a request. What is done at once comes as an `Exit`, so that it needs no fiber. */
export type Serve = (
  request: Arrived,
  place: Place,
  clock: Clock.Clock
) => Effect.Effect<HttpServerResponse.HttpServerResponse>

const maxPlaces = 1000
const maxLength = 512

export class Places {
  private readonly known = new Map<string, Place>()
  find(method: string, url: string): Place | undefined {
    return this.known.get(`${method} ${url}`)
  }
  remember(method: string, url: string, place: Place): void {
    if (url.length > maxLength) return
    if (this.known.size >= maxPlaces) this.known.clear()
    this.known.set(`${method} ${url}`, place)
  }
}
