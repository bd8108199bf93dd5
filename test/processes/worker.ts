/** One process of many over one session: does what the test tells it to, and stops where it is told to. */
import { Context, Effect, Exit, Layer, Option, Predicate, Redacted, Scope, Stream } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { AuthProvider, OneEntry, Session, SessionLock, TokenStorage, Users } from "effect-oneentry"
import { RedisSessionLock, RedisTokenStorage } from "effect-oneentry/redis"
import { SqlSessionLock, SqlTokenStorage } from "effect-oneentry/sql"
import * as postgres from "../helpers/postgres.ts"
import * as redis from "../helpers/redis.ts"
import { layerSqlite } from "../helpers/sqlite.ts"
import type { ClientConfig, Message, Outcome, Request, Step } from "./protocol.ts"

const send = (message: Message): Promise<void> =>
  new Promise((resolve, reject) => {
    if (process.send === undefined) return reject(new Error("no parent"))
    process.send(message, (error: Error | null) => (error === null ? resolve() : reject(error)))
  })

const storeLayer = ({ lease, store, timeToLive, timeout }: ClientConfig) => {
  const storage = { timeToLive, timeout }
  const lock = { lease, timeout }
  if (store.kind === "redis") {
    return Layer.merge(RedisTokenStorage.layer(storage), RedisSessionLock.layer(lock)).pipe(
      Layer.provide(redis.layerClient(store.port)),
      Layer.orDie
    )
  }
  const client = store.kind === "postgres" ? postgres.layerClient(store.port) : layerSqlite(store.file)
  return Layer.merge(SqlTokenStorage.layer(storage), SqlSessionLock.layer(lock)).pipe(
    Layer.provide(client),
    Layer.orDie
  )
}

/** Stops this whole process where it stands: timers, renewals of leases and all. */
const stopper = (stopAt: Step | undefined) => {
  let left = stopAt
  return (step: Step): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (step !== left) return Effect.void
      left = undefined
      return Effect.promise(async () => {
        await send({ _tag: "At", step })
        process.kill(process.pid, "SIGSTOP")
        await send({ _tag: "Awake" })
      })
    })
}

const isMark = (text: string | undefined): boolean => {
  const value: unknown = text === undefined ? undefined : JSON.parse(text)
  return Predicate.hasProperty(value, "exchangeStartedAt")
}

const stepping = (at: (step: Step) => Effect.Effect<void>) => {
  const storage = (inner: TokenStorage.TokenStorage["Service"]): TokenStorage.TokenStorage["Service"] => ({
    ...inner,
    compareAndSet: (slot, expected, next) => {
      const mark = isMark(next)
      return at(mark ? "marking" : "writing").pipe(
        Effect.andThen(inner.compareAndSet(slot, expected, next)),
        Effect.tap(() => at(mark ? "marked" : "written"))
      )
    }
  })
  const lock = (inner: SessionLock.SessionLock): SessionLock.SessionLock => ({
    withLock: (slot, options) => (effect) =>
      Effect.andThen(
        Effect.promise(() => send({ _tag: "Locking" })),
        inner.withLock(
          slot,
          options
        )(
          at("locked").pipe(
            Effect.andThen(effect),
            Effect.onExit(() => at("releasing"))
          )
        )
      )
  })
  const http = (client: HttpClient.HttpClient) =>
    HttpClient.transform(client, (effect, request) =>
      request.url.endsWith("/users/refresh")
        ? at("sending").pipe(
            Effect.andThen(effect),
            Effect.tap(() => at("answered"))
          )
        : effect
    )
  return Layer.mergeAll(
    Layer.effect(TokenStorage.TokenStorage, Effect.map(TokenStorage.TokenStorage, storage)),
    Layer.effect(SessionLock.SessionLock, Effect.map(SessionLock.SessionLock, lock)),
    Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, http))
  )
}

const reasonOf = (value: unknown): string =>
  Predicate.hasProperty(value, "reason")
    ? Predicate.hasProperty(value.reason, "_tag")
      ? String(value.reason._tag)
      : String(value.reason)
    : ""

const outcomeOf = <E>(effect: Effect.Effect<string, E>): Effect.Effect<Outcome> =>
  Effect.map(Effect.exit(effect), (exit): Outcome => {
    if (Exit.isSuccess(exit)) return { _tag: "Success", user: exit.value }
    const error = Exit.findErrorOption(exit)
    return Option.isNone(error) || !Predicate.hasProperty(error.value, "_tag")
      ? { _tag: "Failure", error: "Defect", reason: String(exit.cause) }
      : { _tag: "Failure", error: String(error.value._tag), reason: reasonOf(error.value) }
  })

const open = (config: ClientConfig) =>
  Effect.gen(function* () {
    const encrypted =
      config.key === undefined ? Layer.empty : TokenStorage.layerEncrypted(Redacted.make(config.key)).pipe(Layer.orDie)
    const context = yield* Layer.build(
      OneEntry.layer({ url: config.url, appToken: config.appToken, slot: config.slot, retry: false }).pipe(
        Layer.provide(stepping(stopper(config.stopAt))),
        Layer.provide(encrypted),
        Layer.provide([storeLayer(config), FetchHttpClient.layer])
      )
    )
    const session = Context.get(context, Session.Session)
    const users = Context.get(context, Users.Users)
    const auth = Context.get(context, AuthProvider.AuthProvider)
    yield* Effect.forkScoped(
      Stream.runForEach(session.changes, (event) =>
        Effect.promise(() => send({ _tag: "Event", event: event._tag, reason: reasonOf(event) }))
      )
    )
    const call = Effect.map(users.getUser(), (user) => user.identifier)
    const signIn = auth.auth("email", {
      authData: [
        { marker: "email_reg", value: "ann@example.com" },
        { marker: "password_reg", value: Redacted.make("123456") }
      ]
    })
    const peek = Effect.flatMap(session.current, (current) =>
      Option.isNone(current) ? Effect.fail({ _tag: "Nobody" }) : Effect.succeed(current.value.userIdentifier ?? "")
    )
    return { call, signIn: Effect.as(signIn, "ann@example.com"), peek }
  })

type Client = Effect.Success<ReturnType<typeof open>>

let client: Client | undefined
let scope: Scope.Closeable | undefined

const perform = (request: Request): Effect.Effect<ReadonlyArray<Outcome>> =>
  Effect.gen(function* () {
    if (request._tag === "Open") {
      if (scope !== undefined) yield* Scope.close(scope, Exit.void)
      scope = Scope.makeUnsafe()
      client = yield* Scope.provide(open(request.config), scope).pipe(Effect.orDie)
      return []
    }
    if (client === undefined) return yield* Effect.die(new Error("nothing is open"))
    switch (request._tag) {
      case "SignIn":
        return [yield* outcomeOf(client.signIn)]
      case "Peek":
        return [yield* outcomeOf(client.peek)]
      case "Call": {
        const { call } = client
        return yield* Effect.forEach(Array.from({ length: request.count }), () => outcomeOf(call), {
          concurrency: "unbounded"
        })
      }
    }
  })

process.on("message", (request: Request) => {
  Effect.runPromise(perform(request)).then(
    (outcomes) => send({ _tag: "Reply", id: request.id, outcomes }),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    }
  )
})
process.on("disconnect", () => process.exit(0))
await send({ _tag: "Ready" })
