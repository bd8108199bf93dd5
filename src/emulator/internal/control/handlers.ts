/** What the endpoints of the control API do. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ControlApi from "../../ControlApi.ts"
import type { Service } from "../../Emulator.ts"
import { backends } from "../backend.ts"
import { check } from "./guard.ts"
import * as views from "./views.ts"

const found = (what: string, id: number) => (exists: boolean) =>
  exists ? Effect.void : Effect.fail(new ControlApi.NotFound({ message: `There is no ${what} ${id}` }))

// The end of the year 9999: dates after it are written in another way.
const lastTime = 253_402_300_799_999

/** The time just after the last of the live ones has expired. */
const pastExpiry = (emulator: Service, what: "codes" | "accessTokens" | "refreshTokens") =>
  Effect.gen(function* () {
    const backend = backends.get(emulator)
    const times =
      what === "codes"
        ? [...(backend?.state.codes.rows.values() ?? [])].map((code) => code.expiresAt)
        : (yield* emulator.sessions).map((session) =>
            what === "accessTokens" ? session.accessExpiresAt : session.refreshExpiresAt
          )
    return times.reduce((latest, time) => Math.max(latest, time), 0)
  })

const group = {
  outbox: (emulator: Service) =>
    HttpApiBuilder.group(ControlApi.Api, "outbox", (handlers) =>
      handlers.handleAll({
        list: ({ query }) =>
          Effect.map(views.outbox(emulator), (messages) =>
            messages.filter(
              (message) =>
                (query.userIdentifier === undefined || message.userIdentifier === query.userIdentifier) &&
                (query.marker === undefined || message.marker === query.marker)
            )
          ),
        code: ({ query }) =>
          emulator.awaitCode(query.userIdentifier, { marker: query.marker }).pipe(
            Effect.timeoutOption(query.waitMs ?? 0),
            Effect.flatMap(
              Option.match({
                onNone: () =>
                  Effect.fail(new ControlApi.NotFound({ message: `"${query.userIdentifier}" has no live code` })),
                onSome: (code) => Effect.succeed({ code })
              })
            )
          )
      })
    ),
  users: (emulator: Service) =>
    HttpApiBuilder.group(ControlApi.Api, "users", (handlers) =>
      handlers.handleAll({
        list: () => views.users(emulator),
        activate: ({ params }) => Effect.flatMap(emulator.activateUser(params.id), found("user", params.id)),
        delete: ({ params }) => Effect.flatMap(emulator.deleteUser(params.id), found("user", params.id))
      })
    ),
  sessions: (emulator: Service) =>
    HttpApiBuilder.group(ControlApi.Api, "sessions", (handlers) =>
      handlers.handleAll({
        list: ({ query }) =>
          Effect.map(views.sessions(emulator), (sessions) =>
            sessions.filter(
              (session) => query.userIdentifier === undefined || session.userIdentifier === query.userIdentifier
            )
          ),
        expire: ({ params, query }) =>
          Effect.flatMap(emulator.expireSession(params.id, query.token), found("session", params.id)),
        expireAll: () => Effect.map(emulator.expireAccessTokens, (count) => ({ count })),
        revoke: ({ params }) => Effect.flatMap(emulator.revokeSession(params.id), found("session", params.id)),
        revokeAll: ({ query }) => Effect.map(emulator.revokeSessions(query.userIdentifier), (count) => ({ count }))
      })
    ),
  requests: (emulator: Service) =>
    HttpApiBuilder.group(ControlApi.Api, "requests", (handlers) =>
      handlers.handleAll({
        list: ({ query }) =>
          Effect.map(emulator.requests, (entries) =>
            entries.filter(
              (entry) =>
                (query.after === undefined || entry.id > query.after) &&
                (query.operation === undefined || entry.operation === query.operation)
            )
          )
      })
    ),
  clock: (emulator: Service) =>
    HttpApiBuilder.group(ControlApi.Api, "clock", (handlers) =>
      handlers.handleAll({
        get: () => views.clockOf(emulator),
        advance: ({ payload }) =>
          Effect.gen(function* () {
            const now = yield* emulator.clock.now
            const step =
              "past" in payload
                ? Math.max(0, (yield* pastExpiry(emulator, payload.past)) - now)
                : Duration.toMillis(payload.duration)
            if (!(step >= 0 && now + step <= lastTime)) {
              return yield* new ControlApi.BadRequest({ message: "The clock goes forward, to the year 9999 at most" })
            }
            yield* emulator.clock.advance(step)
            return yield* views.clockOf(emulator)
          }),
        reset: () => Effect.andThen(emulator.clock.reset, views.clockOf(emulator))
      })
    ),
  faults: (emulator: Service) =>
    HttpApiBuilder.group(ControlApi.Api, "faults", (handlers) =>
      handlers.handleAll({
        list: () => emulator.faults.list,
        add: ({ payload }) =>
          Effect.mapError(emulator.faults.add(payload), ({ message }) => new ControlApi.BadRequest({ message })),
        remove: ({ params }) => Effect.flatMap(emulator.faults.remove(params.id), found("fault", params.id)),
        clear: () => emulator.faults.clear
      })
    ),
  state: (emulator: Service) =>
    HttpApiBuilder.group(ControlApi.Api, "state", (handlers) =>
      handlers.handleAll({
        reset: () => emulator.reset,
        snapshot: () => emulator.snapshot,
        restore: ({ payload }) => emulator.restore(payload),
        events: () => Effect.succeed(views.updates(emulator))
      })
    )
}

const guard = (emulator: Service) =>
  Layer.succeed(
    ControlApi.Guard,
    Effect.fnUntraced(function* (httpEffect) {
      const refused = check(emulator, yield* HttpServerRequest.HttpServerRequest)
      if (refused === undefined) return yield* httpEffect
      const { message } = refused
      return yield* refused.status === 415
        ? new ControlApi.UnsupportedMediaType({ message })
        : new ControlApi.Forbidden({ message })
    })
  )

const wording = HttpApiMiddleware.layerSchemaErrorTransform(ControlApi.Wording, (error) =>
  Effect.fail(new ControlApi.BadRequest({ message: error.cause.message }))
)

/** The control API of an emulator, ready to be built. */
export const handlers = (emulator: Service) =>
  Layer.mergeAll(
    group.outbox(emulator),
    group.users(emulator),
    group.sessions(emulator),
    group.requests(emulator),
    group.clock(emulator),
    group.faults(emulator),
    group.state(emulator)
  ).pipe(Layer.provideMerge(Layer.mergeAll(guard(emulator), wording)))
