/**
 * One IndexedDB database: opened when it is first needed, opened again when it
 * was lost, each use a transaction of its own.
 */
import * as Effect from "effect/Effect"

/** The database could not be opened, or a transaction of it did not commit. */
export class IndexedDbFailure {
  readonly stage: "open" | "transaction"
  readonly cause: unknown
  constructor(stage: "open" | "transaction", cause: unknown) {
    this.stage = stage
    this.cause = cause
  }
}

export type StoreName = "sessions" | "leases" | "versions"
const storeNames: ReadonlyArray<StoreName> = ["sessions", "leases", "versions"]

export interface Database {
  /**
   * Reads a key and lets `decide` put, delete or leave it, in one transaction;
   * gives what `decide` gave once that has been committed.
   */
  readonly update: <A>(
    store: StoreName,
    key: string,
    decide: (stored: unknown) => Decision<A>
  ) => Effect.Effect<A, IndexedDbFailure>
  readonly read: (store: StoreName, key: string) => Effect.Effect<unknown, IndexedDbFailure>
  readonly close: Effect.Effect<void>
}

export interface Decision<A> {
  readonly result: A
  /** `undefined` leaves the entry as it is. */
  readonly write?: { readonly value: unknown } | "delete" | undefined
}

export const make = (name: string): Database => {
  let opened: Promise<IDBDatabase> | undefined

  const open = (): Promise<IDBDatabase> => {
    const opening =
      opened ??
      new Promise<IDBDatabase>((resolve, reject) => {
        // Reading the property throws where storage is blocked, and there is none on a server.
        const request = globalThis.indexedDB.open(name, 1)
        request.onupgradeneeded = () => {
          for (const store of storeNames) request.result.createObjectStore(store)
        }
        request.addEventListener("error", () => reject(request.error))
        request.onblocked = () => reject(new Error("An older version of the database is open in another tab"))
        request.onsuccess = () => {
          const database = request.result
          // Another tab wants a newer version, or the user cleared the site's data.
          database.onversionchange = () => {
            opened = undefined
            database.close()
          }
          database.addEventListener("close", () => {
            opened = undefined
          })
          resolve(database)
        }
      })
    opened = opening
    opening.catch(() => {
      if (opened === opening) opened = undefined
    })
    return opening
  }

  const transaction = async (store: StoreName, mode: IDBTransactionMode): Promise<IDBTransaction> => {
    const begin = (database: IDBDatabase) =>
      // A rotated token that is lost with the power is lost for good.
      database.transaction(store, mode, { durability: "strict" })
    const database = await open()
    try {
      return begin(database)
    } catch {
      // The connection was closing under our hands: once more, on a new one.
      opened = undefined
      return begin(await open())
    }
  }

  const run = <A>(store: StoreName, mode: IDBTransactionMode, use: (entries: IDBObjectStore) => () => A) =>
    Effect.callback<A, IndexedDbFailure>((resume) => {
      const fail = (stage: IndexedDbFailure["stage"]) => (cause: unknown) =>
        resume(Effect.fail(new IndexedDbFailure(stage, cause)))
      transaction(store, mode).then((tx) => {
        try {
          const result = use(tx.objectStore(store))
          tx.addEventListener("complete", () => resume(Effect.sync(result)))
          tx.addEventListener("abort", () => fail("transaction")(tx.error))
        } catch (cause) {
          fail("transaction")(cause)
        }
      }, fail("open"))
    })

  return {
    read: (store, key) =>
      run(store, "readonly", (entries) => {
        const request = entries.get(key)
        return (): unknown => request.result
      }),
    update: <A>(store: StoreName, key: string, decide: (stored: unknown) => Decision<A>) =>
      Effect.flatMap(
        run(store, "readwrite", (entries) => {
          const made: { decision?: Decision<A> } = {}
          const request = entries.get(key)
          request.onsuccess = () => {
            const decision = decide(request.result)
            made.decision = decision
            if (decision.write === "delete") entries.delete(key)
            else if (decision.write !== undefined) entries.put(decision.write.value, key)
          }
          return () => made.decision
        }),
        (decision) =>
          decision === undefined
            ? Effect.fail(new IndexedDbFailure("transaction", undefined))
            : Effect.succeed(decision.result)
      ),
    close: Effect.sync(() => {
      const closing = opened
      opened = undefined
      closing?.then(
        (database) => database.close(),
        () => {}
      )
    })
  }
}
