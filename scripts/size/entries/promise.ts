/** Everything that the Promise facade exports. */
export * from "effect-oneentry/promise"
