/**
 * The error of a database that this subpath does not speak to.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Fails the construction of a storage or lock on a database that is neither PostgreSQL nor SQLite.
 *
 * **Example** (Keeping sessions elsewhere then)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { TokenStorage } from "effect-oneentry"
 * import { SqlTokenStorage } from "effect-oneentry/sql"
 *
 * export const layer = SqlTokenStorage.layer().pipe(
 *   Layer.tapError((error) => Effect.logError(error.message)),
 *   Layer.catch(() => TokenStorage.layerMemory)
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class UnsupportedDialectError extends Schema.TaggedError<UnsupportedDialectError>(
  "effect-oneentry/sql/UnsupportedDialectError"
)("UnsupportedDialectError", { driver: Schema.String }) {
  override get message(): string {
    return `Sessions are kept in PostgreSQL or SQLite, and the driver "${this.driver}" is for neither`
  }
}
