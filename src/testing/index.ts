/**
 * What tests need: conformance suites for storages and locks of one's own, a
 * fault script, and layers in memory.
 *
 * @since 0.1.0
 */
export * as Conformance from "./Conformance.ts"
export * as Faults from "./Faults.ts"
export * as InMemory from "./InMemory.ts"
export * as SessionLockSuite from "./SessionLockSuite.ts"
export * as TokenStorageSuite from "./TokenStorageSuite.ts"
