import { startSqlite } from "./stores.ts"
import { suite } from "./suite.ts"

suite("SQLite", startSqlite)
