/** The contract in the Vercel edge runtime; `ADDRESS` is a global there. */
import type { Address } from "../../../test/contract/host.ts"
import { contract } from "../../../test/contract/suite.ts"

declare const ADDRESS: Address

interface FetchEvent extends Event {
  readonly respondWith: (response: Promise<Response>) => void
}
const isFetchEvent = (event: Event): event is FetchEvent => "respondWith" in event

addEventListener("fetch", (event) => {
  if (!isFetchEvent(event)) return
  event.respondWith(
    contract(ADDRESS, {
      storages: { files: "a file system", SQLite: "node:sqlite" },
      locks: { SQLite: "node:sqlite" }
    }).then((results) => Response.json(results))
  )
})
