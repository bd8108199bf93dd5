/** What the control API and the page show of an emulator. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Struct from "effect/Struct"
import type * as ControlApi from "../../ControlApi.ts"
import type { Service } from "../../Emulator.ts"
import type * as Snapshot from "../../Snapshot.ts"
import { backends } from "../backend.ts"
import { makeViews } from "../page/views.ts"

export const clockOf = (emulator: Service): Effect.Effect<ControlApi.Clock> =>
  Effect.all({ now: emulator.clock.now, offset: emulator.clock.offset })

const viewUser = (user: Snapshot.User): ControlApi.User => ({
  ...Struct.omit(user, ["passwordHash"]),
  hasPassword: user.passwordHash !== null
})

export const users = (emulator: Service) => Effect.map(emulator.users, (rows) => rows.map(viewUser))

const viewSession = (session: Snapshot.Session): ControlApi.Session =>
  Struct.omit(session, ["accessToken", "refreshToken"])

export const sessions = (emulator: Service) => Effect.map(emulator.sessions, (rows) => rows.map(viewSession))

const statusOf = (emulator: Service, message: Snapshot.Message, now: number): ControlApi.Message["status"] => {
  if (now >= message.expiresAt) return "expired"
  const state = backends.get(emulator)?.state
  const user = state?.userByLogin(message.marker, message.userIdentifier)
  const code = user === undefined ? undefined : state?.codes.get(user.id)
  return code?.code === message.code && code.sentAt === message.at ? "live" : "spent"
}

export const outbox = (emulator: Service) =>
  Effect.zipWith(emulator.outbox, emulator.clock.now, (rows, now) =>
    rows.map((message): ControlApi.Message => ({ ...message, status: statusOf(emulator, message, now) }))
  )

const { limit: shown } = makeViews()

const newest = <A>(rows: ReadonlyArray<A>) => ({ total: rows.length, items: rows.slice(-shown) })

interface Known {
  readonly offset: number
  readonly outbox: string
  readonly users: string
  readonly sessions: string
  readonly faults: string
  readonly oldest: number | null
  readonly newest: number
}

const nothing: Known = { offset: 0, outbox: "", users: "", sessions: "", faults: "", oldest: null, newest: 0 }

/** What changed since `known`, and what is known afterwards. */
const look = Effect.fnUntraced(function* (emulator: Service, known: Known) {
  const clock = yield* clockOf(emulator)
  const parts = {
    outbox: newest(yield* outbox(emulator)),
    users: newest(yield* users(emulator)),
    sessions: newest(yield* sessions(emulator))
  }
  const faults = yield* emulator.faults.list
  const entries = (yield* emulator.requests).slice(-shown)
  const oldest = entries[0]?.id ?? null
  const fresh = entries.filter((entry) => entry.id > known.newest)
  const now: Known = {
    offset: clock.offset,
    outbox: JSON.stringify(parts.outbox),
    users: JSON.stringify(parts.users),
    sessions: JSON.stringify(parts.sessions),
    faults: JSON.stringify(faults),
    oldest,
    newest: Math.max(known.newest, entries.at(-1)?.id ?? 0)
  }
  const update: ControlApi.Update = {
    clock,
    ...(now.outbox === known.outbox ? {} : { outbox: parts.outbox }),
    ...(now.users === known.users ? {} : { users: parts.users }),
    ...(now.sessions === known.sessions ? {} : { sessions: parts.sessions }),
    ...(now.faults === known.faults ? {} : { faults }),
    ...(fresh.length === 0 && oldest === known.oldest && known !== nothing
      ? {}
      : { requests: { oldest, entries: fresh } })
  }
  return [update, now] as const
})

/** Everything there is to show. */
export const everything = (emulator: Service): Effect.Effect<ControlApi.Update> =>
  Effect.map(look(emulator, nothing), ([update]) => update)

// People's time is not that of a test: a TestClock that stands still must not hold their page back.
const livingClock = Clock.Clock.defaultValue()

const pause = Effect.provideService(Effect.sleep(50), Clock.Clock, livingClock)

/** Everything once, then what changes, some times a second at most. */
export const updates = (emulator: Service): Stream.Stream<ControlApi.Update> =>
  emulator.changes.pipe(
    Stream.mapAccumEffect(
      () => nothing,
      (known: Known) =>
        Effect.map(
          known === nothing ? look(emulator, known) : Effect.andThen(pause, look(emulator, known)),
          ([update, now]) => [
            now,
            Object.keys(update).length === 1 && update.clock.offset === known.offset ? [] : [update]
          ]
        )
    )
  )
