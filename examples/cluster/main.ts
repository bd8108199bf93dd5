/**
 * The server of `http-router` in as many processes as you like, which share their sessions by Redis: the cookie is a
 * random id, the session is in Redis, and a lock there sees to it that one process refreshes for all.
 *
 *     REDIS_URL=redis://127.0.0.1 ONEENTRY_URL=… ONEENTRY_TOKEN=… SESSION_KEY=… node examples/cluster/main.ts
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer } from "effect"
import { HttpEffect, HttpRouter, HttpServerResponse } from "effect/http"
import { FetchClient, OneEntry } from "effect-oneentry"
import { RedisSessionLock, RedisTokenStorage } from "effect-oneentry/redis"
import { CookieSession } from "effect-oneentry/server"
import cluster from "node:cluster"
import { createServer } from "node:http"
import { App } from "../http-router/app.ts"

const settings = Config.all({
  redis: Config.NonEmptyString("REDIS_URL"),
  keys: Config.Redacted("SESSION_KEY"),
  port: Config.Port("PORT").pipe(Config.withDefault(3000)),
  workers: Config.Int("WORKERS").pipe(Config.withDefault(2))
})

const Worker = Layer.unwrap(
  Effect.map(settings, ({ keys, port, redis }) => {
    const Redis = NodeRedis.layer({ url: redis, disableOfflineQueue: true })
    const Sessions = CookieSession.layerReference({ keys, insecureLoopback: true }).pipe(
      Layer.provide(RedisTokenStorage.layer({ timeToLive: "7 days" })),
      Layer.merge(RedisSessionLock.layer()),
      Layer.provide(Redis)
    )
    const Services = OneEntry.layerConfig().pipe(Layer.provideMerge(Sessions), Layer.provide(FetchClient.layer))
    return HttpRouter.serve(Layer.merge(App, WhoAnswers)).pipe(
      Layer.provide([Services, NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" })])
    )
  })
)

/** Says in a header which process it was. */
const WhoAnswers = HttpRouter.middleware(
  (handler) =>
    Effect.andThen(
      HttpEffect.appendPreResponseHandler((_, response) =>
        Effect.succeed(HttpServerResponse.setHeader(response, "x-process", String(process.pid)))
      ),
      handler
    ),
  { global: true }
)

const primary = Effect.map(settings, ({ workers }) => {
  for (let worker = 0; worker < workers; worker++) cluster.fork()
})

NodeRuntime.runMain(cluster.isPrimary ? primary : Layer.launch(Worker))
