/** What the tests of the examples share: an emulator with a person in it, and a browser's cookies. */
import { Effect, Redacted } from "effect"
import { AuthProvider } from "effect-oneentry"
import { Emulator, Project } from "effect-oneentry/emulator"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { CookieJar } from "tough-cookie"

export interface Person {
  readonly login: string
  readonly password: string
}

/** A backend on a free port, with Ann signed up. */
export const emulator = (project: Project.Input = Project.defaultProject) =>
  Effect.gen(function* () {
    const ann: Person = { login: "ann@example.com", password: "correct horse" }
    const service = yield* Emulator.makeServer({
      passwordCost: 1,
      project: { ...project, users: [...(project.users ?? []), ann] }
    })
    /** How often the refresh route was called, and with what answers. */
    const refreshes = Effect.map(service.requests, (requests) =>
      requests.filter(({ operation }) => operation === "refresh").map(({ status }) => status)
    )
    return { ...service, ann, refreshes }
  })

export const signIn = ({ login, password }: Person) =>
  AuthProvider.AuthProvider.use((auth) =>
    auth.auth("email", {
      authData: [
        { marker: "email_reg", value: login },
        { marker: "password_reg", value: Redacted.make(password) }
      ]
    })
  )

/** A browser without a window: it keeps cookies, follows redirects, and says where its requests come from. */
export const makeBrowser = (origin: string, fetch: (request: Request) => Promise<Response> = globalThis.fetch) => {
  const cookies = new CookieJar()
  const visit = async (route: string, form?: Readonly<Record<string, string>>): Promise<Response> => {
    const url = new URL(route, origin).href
    const response = await fetch(
      new Request(url, {
        redirect: "manual",
        headers: {
          cookie: await cookies.getCookieString(url),
          ...(form === undefined ? {} : { origin, "sec-fetch-site": "same-origin" })
        },
        ...(form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) })
      })
    )
    for (const cookie of response.headers.getSetCookie()) await cookies.setCookie(cookie, url)
    const location = response.headers.get("location")
    return location === null ? response : visit(location)
  }
  const page = (route: string, form?: Readonly<Record<string, string>>) =>
    Effect.promise(async () => {
      const response = await visit(route, form)
      return { status: response.status, text: await response.text(), headers: response.headers }
    })
  return { page, cookies: Effect.promise(() => cookies.getCookies(origin)) }
}

const root = path.resolve(import.meta.dirname, "..")

export interface Program {
  readonly process: ChildProcess
  /** Waits until the program says that, after what was waited for before. */
  readonly says: (text: string) => Effect.Effect<void>
  readonly type: (text: string) => Effect.Effect<void>
  readonly output: () => string
  readonly exit: Effect.Effect<{ readonly code: number | null; readonly output: string }>
}

/** Runs a file of the examples as a program of its own, and ends it with the scope. */
export const program = (file: string, env: Readonly<Record<string, string>>, args: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--conditions=effect-oneentry-source", path.join(root, "examples", file), ...args], {
          cwd: root,
          env: { ...process.env, NO_COLOR: "1", ...env },
          stdio: ["pipe", "pipe", "pipe"]
        })
      ),
      (child) =>
        Effect.promise(async () => {
          if (child.exitCode !== null || child.signalCode !== null) return
          const gone = once(child, "exit")
          child.kill("SIGKILL")
          await gone
        })
    )
    let output = ""
    let from = 0
    const listeners = new Set<() => void>()
    const changed = () => {
      for (const listener of listeners) listener()
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString()
        changed()
      })
    }
    const ended = once(child, "close").then(() => changed())
    const says: Program["says"] = (text) =>
      Effect.promise(
        () =>
          new Promise<void>((resolve, reject) => {
            const look = () => {
              const found = output.indexOf(text, from)
              if (found !== -1) {
                from = found + text.length
                resolve()
              } else if (child.exitCode !== null) reject(new Error(`It ended without "${text}":\n${output}`))
              else return
              listeners.delete(look)
            }
            listeners.add(look)
            look()
          })
      )
    const made: Program = {
      process: child,
      says,
      type: (text) => Effect.sync(() => void child.stdin.write(text)),
      output: () => output,
      exit: Effect.promise(async () => {
        await ended
        return { code: child.exitCode, output }
      })
    }
    return made
  })
