import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { Backend } from "./backend.ts"

export const routes = (
  _backend: Backend
): ReadonlyArray<HttpRouter.Route<never, HttpServerRequest.HttpServerRequest>> => []
