/** What is not the client itself: sessions in cookies, the Promise facade, the emulator in the runtime, compiled schemas. */
import { Effect, Layer, Redacted } from "effect"
import { AuthProvider, FetchClient, OneEntry, TokenStorage, Users } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { defineOneEntry, isError } from "effect-oneentry/promise"
import { CookieSession, WebSession } from "effect-oneentry/server"
import { type Case, fails, same, type Suite } from "./check.ts"
import { ann, authData, bob, expireAccessTokens, fresh, Host, type Needs, password, statuses } from "./host.ts"
import { project } from "./project.ts"

// -----------------------------------------------------------------------------
// sessions in cookies
// -----------------------------------------------------------------------------

const shop = "https://shop.example"

/** An application of plain `Request → Response`, with its session in a sealed cookie or in a cookie by reference. */
const application = (mode: "sealed" | "reference") =>
  Effect.gen(function* () {
    const { appToken, url } = yield* Host
    const options = { keys: Redacted.make(new Uint8Array(32).fill(7)) }
    const cookies =
      mode === "sealed"
        ? CookieSession.layerSealed(options)
        : CookieSession.layerReference(options).pipe(Layer.provide(TokenStorage.layerMemory))
    const app = yield* Effect.acquireRelease(
      Effect.sync(() =>
        WebSession.make(
          OneEntry.layer({ url, appToken, retry: false }).pipe(
            Layer.provideMerge(cookies),
            Layer.provide(FetchClient.layer)
          )
        )
      ),
      (app) => Effect.promise(() => app.dispose())
    )
    const handler = app.withSession(async (request, visit) => {
      const [, what, login = ""] = new URL(request.url).pathname.split("/")
      if (what === "sign-in") {
        await visit.run(AuthProvider.AuthProvider.use((auth) => auth.auth("email", { authData: authData(login) })))
        return Response.redirect(`${shop}/`, 303)
      }
      if (what === "sign-out") await visit.run(AuthProvider.AuthProvider.use((auth) => auth.logout()))
      const who = await visit.run(
        Users.Users.use((users) => users.getUser()).pipe(
          Effect.match({ onFailure: (error) => error._tag, onSuccess: (user) => user.identifier })
        )
      )
      return new Response(who)
    })
    const jar = new Map<string, string>()
    const visit = (method: string, path: string, cookies = jar) =>
      Effect.promise(async () => {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ")
        const headers = { cookie, origin: shop, "sec-fetch-site": "same-origin" }
        const response = await handler(new Request(shop + path, { method, headers }))
        const set = response.headers.getSetCookie()
        for (const text of set) {
          const [name = "", value = ""] = (text.split(";")[0] ?? "").split("=")
          if (value === "") cookies.delete(name)
          else cookies.set(name, value)
        }
        return { set, text: await response.text(), cache: response.headers.get("cache-control") }
      })
    return {
      jar,
      get: (path: string, cookies?: Map<string, string>) => visit("GET", path, cookies),
      post: (path: string) => visit("POST", path)
    }
  })

const cookieCases: ReadonlyArray<Case<Needs>> = (["sealed", "reference"] as const).flatMap((mode) => [
  {
    name: `${mode}: signed in, refreshed once for requests at once, signed out`,
    run: Effect.gen(function* () {
      yield* fresh
      const { get, jar, post } = yield* application(mode)
      const signedIn = yield* post(`/sign-in/${ann}`)
      yield* same("whether the answer may be cached", signedIn.cache, "private, no-store")
      yield* same("who it is", (yield* get("/")).text, ann)
      yield* expireAccessTokens
      const before = new Map(jar)
      const answers = yield* Effect.forEach([1, 2, 3, 4], () => get("/", new Map(before)), { concurrency: "unbounded" })
      yield* same(
        "who they are",
        answers.map(({ text }) => text),
        [ann, ann, ann, ann]
      )
      yield* same("the refreshes", yield* statuses("refresh"), [201])
      yield* same("who it is with the cookie before", (yield* get("/")).text, ann)
      yield* same("after the sign-out", (yield* post("/sign-out")).text, "NotAuthenticated")
      yield* same("who it is then", (yield* get("/")).text, "NotAuthenticated")
    })
  },
  {
    name: `${mode}: a cookie that was tampered with counts as signed out, and is cleared`,
    run: Effect.gen(function* () {
      yield* fresh
      const { get, jar, post } = yield* application(mode)
      yield* post(`/sign-in/${bob}`)
      for (const [name, value] of jar) if (!name.includes("device")) jar.set(name, `${value.slice(0, -4)}AAAA`)
      const { set, text } = yield* get("/")
      yield* same("who it is", text, "NotAuthenticated")
      yield* same(
        "whether it is cleared",
        set.some((one) => /Max-Age=0|Expires=Thu, 01 Jan 1970/i.test(one)),
        true
      )
    })
  }
])

/** Browsers keep cookies to themselves: their `Request` and `Response` have no such headers. */
const lacksCookieHeaders = (): string | undefined => {
  const there = new Request(shop, { headers: { cookie: "a=b" } }).headers.get("cookie") === "a=b"
  const response = new Response(null)
  response.headers.append("set-cookie", "a=b")
  return there && response.headers.getSetCookie().length === 1 ? undefined : "cookie headers of requests and responses"
}

// -----------------------------------------------------------------------------
// the Promise facade
// -----------------------------------------------------------------------------

const facadeCases: ReadonlyArray<Case<Needs>> = [
  {
    name: "signs in, saves each refresh token, refreshes once, signs out",
    run: Effect.gen(function* () {
      yield* fresh
      const { appToken, url } = yield* Host
      const saved: Array<string> = []
      const api = yield* Effect.acquireRelease(
        Effect.sync(() =>
          defineOneEntry(url, {
            token: Redacted.value(appToken),
            auth: { saveFunction: (token) => void saved.push(token) }
          })
        ),
        (api) => Effect.promise(() => api.dispose())
      )
      const credentials = [
        { marker: "email_reg", value: ann },
        { marker: "password_reg", value: password }
      ]
      const wait = <A>(f: () => Promise<A>) => Effect.promise(f)
      const refused = yield* wait(() =>
        api.AuthProvider.auth("email", {
          authData: [...credentials.slice(0, 1), { marker: "password_reg", value: "no" }]
        })
      )
      yield* same("a wrong password", isError(refused) && refused._tag, "InvalidCredentials")
      const signedIn = yield* wait(() => api.AuthProvider.auth("email", { authData: credentials }))
      yield* same("who signed in", !isError(signedIn) && signedIn.userIdentifier, ann)
      yield* expireAccessTokens
      const users = yield* wait(() => Promise.all(Array.from({ length: 10 }, () => api.Users.getUser())))
      yield* same(
        "who they are",
        [...new Set(users.map((user) => (isError(user) ? user._tag : user.identifier)))],
        [ann]
      )
      yield* same("the refreshes", yield* statuses("refresh"), [201])
      yield* same("the tokens saved", new Set(saved).size, 2)
      const refreshToken = saved.at(-1) ?? ""
      yield* same("the sign-out", yield* wait(() => api.AuthProvider.logout("email", refreshToken)), true)
      const nobody = yield* wait(() => api.Users.getUser())
      yield* same("a call afterwards", isError(nobody) && nobody._tag, "NotAuthenticated")
    })
  }
]

// -----------------------------------------------------------------------------
// the emulator in the runtime itself
// -----------------------------------------------------------------------------

const registration = Effect.gen(function* () {
  const auth = yield* AuthProvider.AuthProvider
  const emulator = yield* Emulator.Emulator
  const login = "eve@example.com"
  yield* auth.signUp("email", {
    formIdentifier: "reg",
    authData: authData(login),
    formData: [
      { marker: "name_reg", type: "string", value: "Eve" },
      { marker: "phone_reg", type: "string", value: "+1" }
    ]
  })
  yield* auth.activateUser("email", { userIdentifier: login, code: yield* emulator.awaitCode(login) })
  yield* fails("a wrong password", auth.auth("email", { authData: authData(login, "no") }), "InvalidCredentials")
  yield* auth.auth("email", { authData: authData(login) })
  yield* emulator.expireAccessTokens
  const user = yield* Users.Users.use((users) => users.getUser())
  yield* same("who it is", user.identifier, login)
})

const client = Layer.unwrap(
  Effect.map(Emulator.Emulator, ({ appToken, url }) => OneEntry.layer({ url, appToken }))
).pipe(Layer.provideMerge(TokenStorage.layerMemory))

const emulatorSuites: Effect.Effect<ReadonlyArray<Suite<Needs>>> = Effect.gen(function* () {
  const options = { passwordCost: 1, project }
  const overHttp = client.pipe(Layer.provideMerge(FetchClient.layer), Layer.provideMerge(Emulator.layer(options)))
  const listens = yield* Effect.scoped(Layer.build(Emulator.layer(options))).pipe(
    Effect.as(true),
    Effect.catch((error) => Effect.succeed(error.reason !== "NotSupported"))
  )
  return [
    {
      name: "emulator in the process",
      cases: [
        {
          name: "a registration, without a socket",
          run: Effect.provide(registration, client.pipe(Layer.provideMerge(Emulator.layerClient(options))))
        }
      ]
    },
    {
      name: "emulator on a port",
      lacks: listens ? undefined : "sockets to listen on",
      cases: [{ name: "a registration, over HTTP", run: Effect.provide(registration, overHttp) }]
    }
  ]
})

// -----------------------------------------------------------------------------
// code from strings
// -----------------------------------------------------------------------------

const lacksEval = (): string | undefined => {
  try {
    return new Function("return true")() === true ? undefined : "code from strings (eval)"
  } catch {
    return "code from strings (eval)"
  }
}

export const suites: Effect.Effect<ReadonlyArray<Suite<Needs>>> = Effect.map(emulatorSuites, (emulators) => [
  { name: "sessions in cookies", lacks: lacksCookieHeaders(), cases: cookieCases },
  { name: "Promise facade", cases: facadeCases },
  ...emulators,
  {
    name: "compiled schemas",
    lacks: lacksEval(),
    cases: [
      {
        name: "a sign-in, with the schema JIT of Effect asked for",
        run: Effect.gen(function* () {
          yield* Effect.promise(() => import("effect/schema/SchemaJITCompiler/enable"))
          yield* Effect.provide(
            registration,
            client.pipe(Layer.provideMerge(Emulator.layerClient({ passwordCost: 1, project })))
          )
        })
      }
    ]
  }
])
