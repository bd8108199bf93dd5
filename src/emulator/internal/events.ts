/** Events and the system: what stands beside the endpoints of users and forms. */
import * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as answers from "./answers.ts"
import { iso } from "./auth.ts"
import type { Backend } from "./backend.ts"
import * as bodies from "./bodies.ts"
import { type Endpoint, type Exchange, route } from "./endpoint.ts"
import { page, paging } from "./paging.ts"
import { Refusal, refuse } from "./refusal.ts"
import { subscriptionKey } from "./state.ts"

const events: Endpoint<undefined, typeof answers.Events.Type, keyof typeof page> = {
  operation: "getAllEvents",
  summary: "The events",
  bearer: "optional",
  query: page,
  refuses: ["Unauthorized"],
  method: "GET",
  path: "/api/content/events",
  answer: answers.Events,
  handle: (exchange) => {
    const { backend, user } = exchange
    if (backend.switches.eventsList === "session" && user === undefined) return refuse("Unauthorized")
    const rows = paging(exchange)
    if (rows instanceof Refusal) return Effect.fail(rows)
    const all = backend.project.events.map((event, index) => ({
      id: event.id ?? index + 1,
      identifier: event.identifier,
      formType: event.formType,
      localizeInfos: event.localizeInfos
    }))
    return Effect.succeed({ total: all.length, items: all.slice(rows.offset, rows.offset + rows.limit) })
  }
}

const subscriptions: Endpoint<undefined, typeof answers.Subscriptions.Type, keyof typeof page> = {
  operation: "getAllSubscriptions",
  summary: "The events that the user follows",
  query: page,
  method: "GET",
  path: "/api/content/events/subscriptions",
  bearer: "required",
  answer: answers.Subscriptions,
  handle: (exchange) => {
    const { backend, user } = exchange
    const rows = paging(exchange)
    if (rows instanceof Refusal) return Effect.fail(rows)
    const mine = [...backend.state.subscriptions.rows.values()].filter((row) => row.userId === user?.id)
    return Effect.succeed({
      total: mine.length,
      items: mine
        .slice(rows.offset, rows.offset + rows.limit)
        .map((row) => ({ eventMarker: row.event, productId: row.productId, locale: row.locale }))
    })
  }
}

type SubscriptionBody = Exclude<ReturnType<typeof bodies.subscription>, Refusal>

const rowOf = (exchange: Exchange<SubscriptionBody>) => {
  const { backend, body, params, user } = exchange
  const event = backend.project.events.find((event) => event.identifier === params["marker"])
  return event === undefined || user === undefined
    ? undefined
    : {
        userId: user.id,
        event: event.identifier,
        productId: body.productId,
        locale: body.locale ?? body.langCode ?? null
      }
}

const subscribe: Endpoint<SubscriptionBody, void> = {
  operation: "subscribeByMarker",
  summary: "Follow an event",
  refuses: ["EventMarkerNotFound"],
  method: "POST",
  path: "/api/content/events/subscribe/marker/:marker",
  bearer: "required",
  body: bodies.subscription,
  answer: "empty",
  status: 204,
  handle: (exchange) => {
    const row = rowOf(exchange)
    if (row === undefined) return refuse("EventMarkerNotFound")
    exchange.backend.state.subscriptions.set(row)
    return Effect.void
  }
}

const unsubscribe: Endpoint<SubscriptionBody, void> = {
  operation: "unsubscribeByMarker",
  summary: "Follow an event no longer",
  refuses: ["EventMarkerNotFound"],
  method: "DELETE",
  path: "/api/content/events/unsubscribe/marker/:marker",
  bearer: "required",
  body: bodies.subscription,
  answer: "empty",
  status: 204,
  handle: (exchange) => {
    const row = rowOf(exchange)
    if (row === undefined) return refuse("EventMarkerNotFound")
    exchange.backend.state.subscriptions.delete(subscriptionKey(row))
    return Effect.void
  }
}

const test = (name: "Test404" | "Test500"): Endpoint<undefined, never> => ({
  operation: name === "Test404" ? "test404" : "test500",
  summary: `Answers ${name === "Test404" ? 404 : 500}, to try error handling`,
  refuses: [name],
  method: "GET",
  path: name === "Test404" ? "/api/content/system/test404" : "/api/content/system/test500",
  answer: "refusal",
  handle: () => refuse(name)
})

const apiStat: Endpoint<undefined, typeof answers.ApiStat.Type> = {
  operation: "getApiStat",
  summary: "How many requests there were",
  method: "GET",
  path: "/api/content/system/api-stat",
  answer: answers.ApiStat,
  handle: ({ backend, now }) => Effect.succeed({ date: iso(now), count: backend.requestCount })
}

const captcha: Endpoint<Exclude<ReturnType<typeof bodies.captcha>, Refusal>, boolean> = {
  operation: "validateCapcha",
  summary: "Whether a captcha was solved; all were but `emulator-invalid`",
  method: "POST",
  path: "/api/content/system/captcha/validate",
  body: bodies.captcha,
  answer: answers.Bool,
  handle: ({ body }) => {
    const event = body["event"]
    const inner = typeof event === "object" && event !== null && "token" in event ? event["token"] : body["token"]
    return Effect.succeed(typeof inner === "string" && inner !== "" && inner !== "emulator-invalid")
  }
}

export const routes = (
  backend: Backend
): ReadonlyArray<HttpRouter.Route<never, HttpServerRequest.HttpServerRequest>> => [
  route(backend, events),
  route(backend, subscriptions),
  route(backend, subscribe),
  route(backend, unsubscribe),
  route(backend, test("Test404")),
  route(backend, test("Test500")),
  route(backend, apiStat),
  route(backend, captcha)
]
