/** The contract in workerd, in a Durable Object, whose storage is the one that a worker has of its own. */
import { Effect, Layer } from "effect"
import { SessionLock, TokenStorage } from "effect-oneentry"
import type { Address } from "../../../test/contract/host.ts"
import { contract } from "../../../test/contract/suite.ts"

/** What is used of Cloudflare's types. */
interface Transaction {
  readonly get: (key: string) => Promise<unknown>
  readonly put: (key: string, value: string) => Promise<void>
  readonly delete: (key: string) => Promise<boolean>
}
interface State {
  readonly storage: Transaction & { readonly transaction: <A>(run: (inside: Transaction) => Promise<A>) => Promise<A> }
}
interface Env {
  readonly ADDRESS: Address
  readonly CONTRACT: {
    readonly idFromName: (name: string) => unknown
    readonly get: (id: unknown) => { readonly fetch: (request: Request) => Promise<Response> }
  }
}

const durable = ({ storage }: State): TokenStorage.TokenStorage["Service"] => {
  const attempt = <A>(operation: "get" | "set" | "remove" | "compareAndSet", slot: string, run: () => Promise<A>) =>
    Effect.tryPromise({
      try: run,
      catch: (cause) => new TokenStorage.TokenStorageError({ operation, slot, cause })
    })
  const read = async (from: Transaction, slot: string) => {
    const value = await from.get(`session:${slot}`)
    return typeof value === "string" ? value : undefined
  }
  return TokenStorage.make({
    get: (slot) => attempt("get", slot, () => read(storage, slot)),
    set: (slot, value) => attempt("set", slot, () => storage.put(`session:${slot}`, value)),
    remove: (slot) => Effect.asVoid(attempt("remove", slot, () => storage.delete(`session:${slot}`))),
    compareAndSet: (slot, expected, next) =>
      attempt("compareAndSet", slot, () =>
        storage.transaction(async (inside) => {
          if ((await read(inside, slot)) !== expected) return false
          await (next === undefined ? inside.delete(`session:${slot}`) : inside.put(`session:${slot}`, next))
          return true
        })
      )
  })
}

export class Contract {
  readonly state: State
  readonly env: Env
  constructor(state: State, env: Env) {
    this.state = state
    this.env = env
  }
  async fetch(): Promise<Response> {
    const storage = Layer.sync(TokenStorage.TokenStorage, () => durable(this.state))
    return Response.json(
      await contract(this.env.ADDRESS, {
        storages: {
          // A Durable Object is one place: whatever runs in it shares one lock.
          "Durable Object": {
            storage,
            lock: Layer.succeed(SessionLock.SessionLock, SessionLock.makeInProcess()),
            changes: false
          },
          files: "a file system",
          SQLite: "node:sqlite"
        },
        locks: { SQLite: "node:sqlite" }
      })
    )
  }
}

export default {
  fetch: (request: Request, { CONTRACT }: Env): Promise<Response> =>
    CONTRACT.get(CONTRACT.idFromName("contract")).fetch(request)
}
