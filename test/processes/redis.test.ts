import { describe } from "@effect/vitest"
import { redis } from "../helpers/redis.ts"
import { startRedis } from "./stores.ts"
import { suite } from "./suite.ts"

describe.skipIf(!redis.available)("many processes on Redis", () => {
  suite("Redis", startRedis)
})
