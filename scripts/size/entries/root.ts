/** Everything that the root exports. */
export * from "effect-oneentry"
