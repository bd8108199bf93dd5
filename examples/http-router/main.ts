/** `ONEENTRY_URL=… ONEENTRY_TOKEN=… SESSION_KEY=… node examples/http-router/main.ts` */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { FetchClient, OneEntry } from "effect-oneentry"
import { CookieSession } from "effect-oneentry/server"
import { createServer } from "node:http"
import { App } from "./app.ts"

const Sessions = Layer.unwrap(
  Effect.map(Config.Redacted("SESSION_KEY"), (keys) => CookieSession.layerSealed({ keys, insecureLoopback: true }))
)

const Services = OneEntry.layerConfig().pipe(Layer.provideMerge(Sessions), Layer.provide(FetchClient.layer))

const Server = Layer.unwrap(
  Effect.map(Config.Port("PORT").pipe(Config.withDefault(3000)), (port) =>
    NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" })
  )
)

HttpRouter.serve(App).pipe(Layer.provide([Services, Server]), Layer.launch, NodeRuntime.runMain)
