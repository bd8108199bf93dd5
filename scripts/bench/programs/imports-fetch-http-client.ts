/** What anybody pays who has Effect's own client: nothing but its import. */
import * as FetchHttpClient from "effect/http/FetchHttpClient"

console.log(typeof FetchHttpClient.layer)
process.exit(0)
