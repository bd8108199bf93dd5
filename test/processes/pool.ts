/** The processes of a test, from the parent's side. */
import { Effect } from "effect"
import type { ChildProcess } from "node:child_process"
import { fork } from "node:child_process"
import * as path from "node:path"
import type { ClientConfig, Command, Message, Outcome, Step } from "./protocol.ts"

const program = path.join(import.meta.dirname, "worker.ts")

export class Process {
  private readonly child: ChildProcess
  private readonly waiting = new Set<() => void>()
  private messages: Array<Message> = []
  private readonly unanswered = new Set<number>()
  private started = false
  private gone: string | undefined
  private serial = 0

  constructor(file: string = program) {
    this.child = fork(file, {
      execArgv: ["--conditions=effect-oneentry-source"],
      stdio: ["ignore", "inherit", "inherit", "ipc"]
    })
    this.child.on("message", (message: Message) => {
      if (message._tag === "Reply") this.unanswered.delete(message.id)
      if (message._tag === "Ready") this.started = true
      else this.messages.push(message)
      this.wake()
    })
    this.child.on("exit", (code, signal) => {
      this.gone = signal ?? `code ${code}`
      this.wake()
    })
  }

  private wake(): void {
    for (const look of this.waiting) look()
  }

  /** The first message that fits, as soon as it is there. */
  private wait<A>(find: (messages: ReadonlyArray<Message>) => A | undefined): Effect.Effect<A> {
    return Effect.callback<A>((resume) => {
      const look = () => {
        const found = find(this.messages)
        if (found === undefined && this.gone === undefined) return
        this.waiting.delete(look)
        resume(
          found === undefined ? Effect.die(new Error(`the process has ended (${this.gone})`)) : Effect.succeed(found)
        )
      }
      this.waiting.add(look)
      look()
      return Effect.sync(() => this.waiting.delete(look))
    })
  }

  private request(command: Command): Effect.Effect<ReadonlyArray<Outcome>> {
    return Effect.suspend(() => {
      const id = ++this.serial
      this.unanswered.add(id)
      this.child.send({ ...command, id })
      return this.wait((messages) => {
        for (const message of messages) if (message._tag === "Reply" && message.id === id) return message.outcomes
        return undefined
      })
    })
  }

  readonly ready = Effect.asVoid(this.wait(() => (this.started ? true : undefined)))

  /** A new client with nothing in memory; what was heard of the one before is forgotten. */
  open(config: ClientConfig): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.messages = []
      return Effect.asVoid(this.request({ _tag: "Open", config }))
    })
  }

  readonly signIn = Effect.suspend(() => this.request({ _tag: "SignIn" }))
  readonly peek = Effect.suspend(() => this.request({ _tag: "Peek" }))
  readonly call = (count = 1) => this.request({ _tag: "Call", count })

  /** Waits until it has stopped at its step. */
  readonly stopped: Effect.Effect<Step> = this.wait((messages) => {
    for (const message of messages) if (message._tag === "At") return message.step
    return undefined
  })

  /** Waits until it asks for the lock. */
  readonly locking: Effect.Effect<void> = Effect.asVoid(
    this.wait((messages) => messages.find((message) => message._tag === "Locking"))
  )

  /** What its session has told so far, but for the state at the beginning. */
  get events(): ReadonlyArray<string> {
    return this.messages.flatMap((message) =>
      message._tag === "Event" && message.event !== "State"
        ? [message.reason === "" ? message.event : `${message.event} ${message.reason}`]
        : []
    )
  }

  /** Waits until its session has told this. */
  readonly heard = (event: string): Effect.Effect<void> =>
    Effect.asVoid(this.wait(() => (this.events.includes(event) ? true : undefined)))

  /** Wakes it up. It says that it will stop just before it does: a signal that comes in between is lost, so it is repeated. */
  readonly goOn = Effect.raceFirst(
    this.wait((messages) => messages.find((message) => message._tag === "Awake")),
    Effect.forever(
      Effect.andThen(
        Effect.sync(() => this.child.kill("SIGCONT")),
        Effect.sleep("10 millis")
      )
    )
  )

  /** `kill -9` */
  readonly kill: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.gone !== undefined) return resume(Effect.void)
    this.child.once("exit", () => resume(Effect.void))
    this.child.kill("SIGKILL")
  })

  /** Whether it can be told something new: a test that failed may have left it in the middle of things. */
  get usable(): boolean {
    return this.gone === undefined && this.unanswered.size === 0
  }
}

/** Processes that tests use one after the other; one that was killed is replaced at once. */
export const makePool = (size: number) =>
  Effect.gen(function* () {
    const processes = Array.from({ length: size }, () => new Process())
    yield* Effect.addFinalizer(() => Effect.forEach(processes, (one) => one.kill, { concurrency: "unbounded" }))
    yield* Effect.forEach(processes, (one) => one.ready, { concurrency: "unbounded" })
    return {
      /** So many of them, each with a client made by its place. */
      take: (count: number, config: (index: number) => ClientConfig) =>
        Effect.gen(function* () {
          for (const [index, one] of processes.entries()) {
            if (one.usable) continue
            yield* one.kill
            processes[index] = new Process()
          }
          const taken = processes.slice(0, count)
          yield* Effect.forEach(taken, (one) => one.ready, { concurrency: "unbounded" })
          yield* Effect.forEach(taken, (one, index) => one.open(config(index)), { concurrency: "unbounded" })
          return taken
        }),
      kill: (one: Process) =>
        Effect.tap(one.kill, () =>
          Effect.sync(() => {
            const index = processes.indexOf(one)
            if (index >= 0) processes[index] = new Process()
          })
        )
    }
  })

export type Pool = Effect.Success<ReturnType<typeof makePool>>
