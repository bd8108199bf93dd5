/**
 * Sessions in Durable Objects: one object a slot, of which there is one in the world, with a storage that is never out of
 * date. So its compare-and-set is atomic and its lock holds for every isolate. (Workers KV is not for this: a refresh token
 * that is spent can be read from it for a minute.)
 */
import type { DurableObjectNamespace, DurableObjectState } from "@cloudflare/workers-types"
import { Duration, Effect, Layer, Schedule } from "effect"
import { SessionLock, TokenStorage } from "effect-oneentry"

interface Commands {
  readonly get: Record<never, never>
  readonly set: { readonly next?: string | undefined }
  readonly compareAndSet: { readonly expected?: string | undefined; readonly next?: string | undefined }
  readonly lock: { readonly owner: string; readonly millis: number }
  readonly unlock: { readonly owner: string }
}

type Command = { readonly [K in keyof Commands]: { readonly operation: K } & Commands[K] }[keyof Commands]

interface Answer {
  readonly held?: string | undefined
  readonly done?: boolean
}

/** Bind this as a Durable Object class. */
export class SessionObject {
  readonly #storage: DurableObjectState["storage"]
  #lease: { readonly owner: string; readonly until: number } | undefined

  constructor({ storage }: DurableObjectState) {
    this.#storage = storage
  }

  async fetch(request: Request): Promise<Response> {
    return Response.json(await this.#answer(await request.json()))
  }

  async #answer(command: Command): Promise<Answer> {
    switch (command.operation) {
      case "get":
        return { held: await this.#storage.get<string>("session") }
      case "set":
        await this.#write(command.next)
        return {}
      case "compareAndSet":
        // While it reads, the object takes no other request.
        if ((await this.#storage.get<string>("session")) !== command.expected) return { done: false }
        await this.#write(command.next)
        return { done: true }
      case "lock":
        if (this.#lease !== undefined && Date.now() < this.#lease.until) return { done: false }
        this.#lease = { owner: command.owner, until: Date.now() + command.millis }
        return { done: true }
      case "unlock":
        if (this.#lease?.owner === command.owner) this.#lease = undefined
        return {}
    }
  }

  async #write(session: string | undefined): Promise<void> {
    await (session === undefined ? this.#storage.delete("session") : this.#storage.put("session", session))
  }
}

const sender = (objects: DurableObjectNamespace) => (slot: string, command: Command) =>
  Effect.tryPromise(async () => {
    const object = objects.get(objects.idFromName(slot))
    const response = await object.fetch("https://session/", { method: "POST", body: JSON.stringify(command) })
    return response.json<Answer>()
  })

const makeStorage = (objects: DurableObjectNamespace): TokenStorage.TokenStorage["Service"] => {
  const send = sender(objects)
  const ask = (operation: TokenStorage.TokenStorageError["operation"], slot: string, command: Command) =>
    Effect.mapError(send(slot, command), ({ cause }) => new TokenStorage.TokenStorageError({ operation, slot, cause }))
  return TokenStorage.make({
    get: (slot) => Effect.map(ask("get", slot, { operation: "get" }), ({ held }) => held),
    set: (slot, next) => Effect.asVoid(ask("set", slot, { operation: "set", next })),
    remove: (slot) => Effect.asVoid(ask("remove", slot, { operation: "set" })),
    compareAndSet: (slot, expected, next) =>
      Effect.map(
        ask("compareAndSet", slot, { operation: "compareAndSet", expected, next }),
        ({ done }) => done === true
      )
  })
}

const makeLock = (objects: DurableObjectNamespace): SessionLock.SessionLock => {
  const send = sender(objects)
  return {
    withLock:
      (slot, { maxHold }) =>
      (effect) =>
        Effect.uninterruptibleMask((restore) => {
          const owner = crypto.randomUUID()
          const failed = (reason: SessionLock.SessionLockError["reason"]) =>
            new SessionLock.SessionLockError({ slot, reason })
          const unlock = Effect.ignore(send(slot, { operation: "unlock", owner }))
          const lock = send(slot, { operation: "lock", owner, millis: Duration.toMillis(maxHold) }).pipe(
            Effect.mapError(() => failed("Unavailable")),
            Effect.repeat({ until: ({ done }) => done === true, schedule: Schedule.spaced("50 millis") }),
            Effect.timeoutOrElse({
              duration: SessionLock.maxWait(maxHold),
              orElse: () => Effect.fail(failed("Timeout"))
            })
          )
          return Effect.ensuring(restore(Effect.andThen(lock, effect)), unlock)
        })
  }
}

export const layer = (objects: DurableObjectNamespace): Layer.Layer<TokenStorage.TokenStorage> =>
  Layer.merge(
    Layer.succeed(TokenStorage.TokenStorage, makeStorage(objects)),
    Layer.succeed(SessionLock.SessionLock, makeLock(objects))
  )
