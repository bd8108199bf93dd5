/**
 * Where an emulator keeps its rows between runs. Without one it forgets everything at its end.
 *
 * Before an answer leaves, the changes behind it are handed to `append` and waited for: an answered write is a kept
 * write.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Change, Snapshot } from "./Snapshot.ts"

/**
 * The rows could not be read or written.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Persistence } from "effect-oneentry/emulator"
 *
 * const readOnly: Persistence.Persistence = {
 *   load: Effect.undefined,
 *   append: () => Effect.fail(new Persistence.PersistenceError({ operation: "append", description: "read only" }))
 * }
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class PersistenceError extends Schema.TaggedError<PersistenceError>(
  "effect-oneentry/emulator/Persistence/PersistenceError"
)("PersistenceError", {
  operation: Schema.Literals(["load", "append"]),
  description: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return this.description
  }
}

/**
 * Keeps the rows: `load` at the start gives what was kept (or `undefined` when there is nothing yet), `append` takes
 * changes in the order in which they happened. Keys are unique within a table; `row` is a decoded row of that table,
 * or `undefined` for a removed one.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Emulator, type Persistence, type Snapshot } from "effect-oneentry/emulator"
 *
 * const journal: Array<Snapshot.Change> = []
 * const persistence: Persistence.Persistence = {
 *   load: Effect.undefined,
 *   append: (changes) => Effect.sync(() => void journal.push(...changes))
 * }
 * const layer = Emulator.layerClient({ persistence })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Persistence {
  readonly load: Effect.Effect<Snapshot | undefined, PersistenceError>
  readonly append: (changes: ReadonlyArray<Change>) => Effect.Effect<void, PersistenceError>
}
