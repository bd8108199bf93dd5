import { describe } from "@effect/vitest"
import { postgres } from "../helpers/postgres.ts"
import { startPostgres } from "./stores.ts"
import { suite } from "./suite.ts"

describe.skipIf(!postgres.available)("many processes on PostgreSQL", () => {
  suite("PostgreSQL", startPostgres)
})
