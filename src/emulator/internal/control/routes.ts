/** Everything under `/__emulator`. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Layer from "effect/Layer"
import { Api } from "../../ControlApi.ts"
import type { Service } from "../../Emulator.ts"
import { linkQuery, page } from "../page/page.ts"
import { reference } from "../page/reference.ts"
import { projectJsonSchema } from "../projectSchema.ts"
import { check } from "./guard.ts"
import { handlers } from "./handlers.ts"
import { describe } from "./openApi.ts"

/** A route beside the control API, behind the same guard. */
const guarded = (emulator: Service, path: `/${string}`, answer: Effect.Effect<HttpServerResponse.HttpServerResponse>) =>
  HttpRouter.add(
    "GET",
    path,
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      const refused = check(emulator, request)
      return refused === undefined
        ? answer
        : Effect.succeed(HttpServerResponse.text(`${refused.message}\n`, { status: refused.status }))
    })
  )

const json = (value: () => unknown) =>
  Effect.sync(() =>
    HttpServerResponse.text(`${JSON.stringify(value(), null, 2)}\n`, { contentType: "application/json; charset=utf-8" })
  )

export const controlRoutes = (emulator: Service): Layer.Layer<never, never, HttpRouter.HttpRouter> =>
  Layer.mergeAll(
    HttpApiBuilder.layer(Api).pipe(Layer.provide(handlers(emulator)), Layer.provide(HttpServer.layerServices)),
    guarded(emulator, "/__emulator", page(emulator)),
    guarded(
      emulator,
      "/__emulator/api",
      Effect.sync(() => reference(describe(emulator), linkQuery(emulator)))
    ),
    guarded(
      emulator,
      "/__emulator/openapi.json",
      json(() => describe(emulator))
    ),
    guarded(emulator, "/__emulator/project.schema.json", json(projectJsonSchema))
  )
