/** `ONEENTRY_URL=… ONEENTRY_TOKEN=… SESSION_KEY=… node examples/hono/main.ts`: a key is 32 random bytes in base64url. */
import { serve } from "@hono/node-server"
import { Config, Effect } from "effect"
import { OneEntry } from "effect-oneentry"
import { makeApp } from "./app.ts"

const config = Config.all({
  options: OneEntry.config,
  key: Config.Redacted("SESSION_KEY"),
  port: Config.Port("PORT").pipe(Config.withDefault(3000))
})

const { key, options, port } = await Effect.runPromise(config)
serve({ fetch: makeApp(options, key).fetch, port, hostname: "127.0.0.1" }, ({ port }) =>
  console.log(`listening on http://127.0.0.1:${port}`)
)
