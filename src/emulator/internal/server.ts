/** The routes of a backend as one effect, and what carries requests to it: `fetch`, an `HttpClient`, `node:http`. */
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import * as auth from "./auth.ts"
import type { Backend } from "./backend.ts"
import { broken, envelope, unrouted } from "./endpoint.ts"
import * as events from "./events.ts"
import * as files from "./files.ts"
import * as formData from "./formData.ts"
import * as forms from "./forms.ts"
import { refusal } from "./refusal.ts"
import { type Arrived, arrivedAs } from "./request.ts"
import * as users from "./users.ts"

/** Extra routes, such as those of a page for people. */
export type Routes = Layer.Layer<never, never, HttpRouter.HttpRouter>

export type App = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  HttpServerRequest.HttpServerRequest | Scope.Scope
>

/** For who was interrupted at the end of the emulator, or failed in a way that nobody foresaw. */
const unanswered = (
  backend: Backend,
  cause: Cause.Cause<unknown>,
  clock: Clock.Clock
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Cause.hasInterruptsOnly(cause)
    ? Effect.succeed(broken)
    : Effect.as(
        Effect.logError("The emulator failed", cause),
        envelope(backend, refusal("InternalError"), clock.currentTimeMillisUnsafe() + backend.clockOffset)
      )

/** Builds the router. */
export const makeApp = (backend: Backend, extra: Routes | undefined): Effect.Effect<App, never, Scope.Scope> => {
  const endpoints = [
    ...auth.routes(backend),
    ...forms.routes(backend),
    ...formData.routes(backend),
    ...files.routes(backend),
    ...users.routes(backend),
    ...events.routes(backend)
  ]
  const api = HttpRouter.addAll(endpoints)
  // tokens of devices stand in paths and are long
  const config = Layer.succeed(HttpRouter.RouterConfig, { maxParamLength: 4096, ignoreTrailingSlash: true })
  const routes = extra === undefined ? api : Layer.merge(extra, api)
  return Effect.map(
    Layer.build(routes.pipe(Layer.provideMerge(HttpRouter.layer), Layer.provide(config))),
    (context) => {
      const app = Context.get(context, HttpRouter.HttpRouter).asHttpEffect()
      return Effect.catchCause(app, (cause) =>
        Effect.withFiber<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>((fiber) => {
          const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
          const error = Cause.findErrorOption(cause)
          const clock = fiber.getRef(Clock.Clock)
          // the router fails where it finds no route
          if (Option.isSome(error)) return unrouted(backend, request, clock)
          return unanswered(backend, cause, clock)
        })
      )
    }
  )
}

/** Runs requests, and ends those that are still under way when the emulator does. */
export interface Runner {
  /**
   * Starts a request; without the router and a fiber where neither is needed. Whoever waits for the answer may go away:
   * what has arrived is handled to its end, as on a real server.
   */
  readonly serve: (
    request: Arrived,
    clock: Clock.Clock,
    answer: (response: HttpServerResponse.HttpServerResponse) => void
  ) => void
  readonly context: Context.Context<never>
}

export const makeRunner = Effect.fnUntraced(function* (
  backend: Backend,
  app: App
): Effect.fn.Return<Runner, never, Scope.Scope> {
  const context = (yield* Effect.context<never>()).pipe(
    Context.add(HttpServerRequest.MaxBodySize, ByteSize.bytes(backend.limits.bodyBytes))
  )
  const answers = new WeakMap<
    HttpServerRequest.HttpServerRequest,
    (response: HttpServerResponse.HttpServerResponse) => void
  >()
  const handled = HttpEffect.toHandled(app, (request, response) => {
    const answer = answers.get(request)
    answers.delete(request)
    answer?.(HttpEffect.scopeTransferToStream(response))
    return Effect.void
  })
  const running = new Set<Fiber.Fiber<void>>()
  yield* Effect.addFinalizer(() => Fiber.interruptAll(running))
  const keep = (fiber: Fiber.Fiber<void>) => {
    if (fiber.pollUnsafe() !== undefined) return
    running.add(fiber)
    fiber.addObserver(() => running.delete(fiber))
  }
  const route = (
    request: HttpServerRequest.HttpServerRequest,
    clock: Clock.Clock,
    answer: (response: HttpServerResponse.HttpServerResponse) => void
  ) => {
    answers.set(request, answer)
    keep(
      Effect.runForkWith(
        context.pipe(Context.add(Clock.Clock, clock), Context.add(HttpServerRequest.HttpServerRequest, request))
      )(handled)
    )
  }
  // Spans of requests are made by what runs the router.
  const traced = Context.get(context, Tracer.Tracer) !== Tracer.nativeTracer
  return {
    context,
    serve: (request, clock, answer) => {
      const place = traced ? undefined : backend.places.find(request.method, request.url)
      if (place === undefined) return route(request.source(), clock, answer)
      let effect: Answering
      try {
        effect = place.serve(request, place, clock)
      } catch (defect) {
        effect = unanswered(backend, Cause.die(defect), clock)
      }
      if (isAnswered(effect)) return answer(effect.value)
      const rest = effect.pipe(
        Effect.catchCause((cause) => unanswered(backend, cause, clock)),
        Effect.map(answer),
        Effect.uninterruptible
      )
      keep(Effect.runForkWith(Context.add(context, Clock.Clock, clock))(rest))
    }
  }
})

type Answering = Effect.Effect<HttpServerResponse.HttpServerResponse>

const isAnswered = (effect: Answering): effect is Exit.Success<HttpServerResponse.HttpServerResponse> =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

/** A `fetch` handler; a broken connection rejects, as `fetch` does. */
export const webHandler =
  (runner: Runner, clock: Clock.Clock) =>
  (request: Request): Promise<Response> =>
    new Promise((resolve, reject) => {
      runner.serve(arrivedAs(HttpServerRequest.fromWeb(request)), clock, (response) => {
        if (response === broken) return reject(new TypeError("fetch failed: the connection was closed"))
        resolve(HttpServerResponse.toWeb(response, { withoutBody: request.method === "HEAD", context: runner.context }))
      })
    })

/** An `HttpClient` that answers without a socket. */
export const httpClient = (runner: Runner): HttpClient.HttpClient =>
  HttpClient.make((request, url, _signal, fiber) =>
    Effect.callback((resume) => {
      // The clock of the caller: a test that moves it moves the server with it.
      const clock = fiber.getRef(Clock.Clock)
      const arrived = HttpClientRequest.setUrl(request, url)
      runner.serve(arrivedAs(HttpServerRequest.fromClientRequest(arrived)), clock, (response) =>
        resume(
          response === broken
            ? Effect.fail(
                new HttpClientError.HttpClientError({
                  reason: new HttpClientError.TransportError({
                    request,
                    description: "The connection was closed"
                  })
                })
              )
            : Effect.succeed(HttpServerResponse.toClientResponse(response, { request }))
        )
      )
    })
  )
