/** The official SDK, whole: it has one entry. */
export * from "oneentry"
