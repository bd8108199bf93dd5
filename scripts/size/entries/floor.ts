/** What a program pays that has one layer, one schema, one error and one retry, and does nothing: the floor under ours. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"

class Nothing extends Schema.TaggedError<Nothing>("app/Nothing")("Nothing", { id: Schema.String }) {}

class Service extends Context.Service<Service, { readonly find: (body: unknown) => Effect.Effect<string, Nothing> }>()(
  "app/Service"
) {}

const Answer = Schema.Struct({ id: Schema.String, names: Schema.Array(Schema.String) })

const layer = Layer.succeed(Service, {
  find: (body) =>
    Schema.decodeUnknownEffect(Answer)(body).pipe(
      Effect.map(({ id }) => id),
      Effect.mapError(() => new Nothing({ id: "" })),
      Effect.retry(Schedule.exponential("1 second"))
    )
})

export const find = (body: unknown): Promise<string> =>
  Service.use((service) => service.find(body)).pipe(Effect.provide(layer), Effect.runPromise)
