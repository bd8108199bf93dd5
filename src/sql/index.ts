/**
 * Sessions of many processes in PostgreSQL or SQLite, on Effect's own
 * `SqlClient`: a storage with an atomic compare-and-set, a lock with leases,
 * and the migration that makes their tables.
 *
 * @since 0.1.0
 */
export * as SqlMigrations from "./SqlMigrations.ts"
export * as SqlSessionLock from "./SqlSessionLock.ts"
export * as SqlTokenStorage from "./SqlTokenStorage.ts"
export { UnsupportedDialectError } from "./UnsupportedDialectError.ts"
