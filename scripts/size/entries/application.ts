/** An application that has Effect, its HTTP client and Schema already, and nothing of this package. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

class NoOrder extends Schema.TaggedError<NoOrder>("app/NoOrder")("NoOrder", { id: Schema.Finite }) {}

const Order = Schema.Struct({
  id: Schema.Finite,
  note: Schema.optional(Schema.NullOr(Schema.String)),
  placed: Schema.DateTimeUtcFromString,
  items: Schema.Array(Schema.Struct({ name: Schema.String, amount: Schema.Union([Schema.Finite, Schema.String]) })),
  extra: Schema.Record(Schema.String, Schema.Unknown)
})

export const order = Effect.fnUntraced(function* (id: number, token: Redacted.Redacted<string>) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.bearerToken(token)),
    HttpClient.retryTransient({ schedule: Schedule.exponential("200 millis"), times: 2 })
  )
  const response = yield* client.get(`https://api.example.com/orders/${id}`)
  return response.status === 404
    ? yield* new NoOrder({ id })
    : yield* HttpClientResponse.schemaBodyJson(Order)(response)
}, Effect.timeout("10 seconds"))

export const follow = (orders: ReadonlyArray<number>, token: string): Promise<void> =>
  Stream.fromIterable(orders).pipe(
    Stream.mapEffect((id) => order(id, Redacted.make(token))),
    Stream.runForEach((found) => Effect.logInfo(found.id)),
    Effect.provide(Layer.mergeAll(FetchHttpClient.layer)),
    Effect.runPromise
  )
