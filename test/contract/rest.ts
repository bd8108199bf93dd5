/** What is not the client itself: sessions in cookies, the Promise facade, the emulator in the runtime, compiled schemas. */
import { Effect, Layer, Redacted } from "effect"
import { AuthProvider, FetchClient, OAuth, OneEntry, TokenStorage, Users } from "effect-oneentry"
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

/** A way out to the network, with the provider that the project has. */
const begin = Effect.gen(function* () {
  const auth = yield* AuthProvider.AuthProvider
  const oauth = yield* OAuth.OAuth
  const provider = yield* auth.getAuthProviderByMarker("network")
  return yield* oauth.authorizationUrl(provider, {
    clientId: "app",
    redirectUri: `${shop}/callback`,
    returnTo: "/cart"
  })
})

/** Back from it: signed in and where to go on, or the tag of what is wrong. */
const complete = (search: string) =>
  Effect.gen(function* () {
    const auth = yield* AuthProvider.AuthProvider
    const oauth = yield* OAuth.OAuth
    const taken = yield* oauth.callback(search)
    yield* auth.oauth(taken.marker, taken.data)
    return taken.returnTo ?? ""
  }).pipe(Effect.catch((error) => Effect.succeed(error._tag)))

const eve = "eve@example.com"
const callbackOf = (address: string) =>
  `/callback?${new URLSearchParams({ code: `emulator-${eve}`, state: new URL(address).searchParams.get("state") ?? "" })}`

/** An application of plain `Request → Response`, with its session in a sealed cookie or in a cookie by reference. */
const application = (mode: "sealed" | "reference", inner = TokenStorage.makeMemory()) =>
  Effect.gen(function* () {
    const { appToken, url } = yield* Host
    const options = { keys: Redacted.make(new Uint8Array(32).fill(7)) }
    const cookies =
      mode === "sealed"
        ? CookieSession.layerSealed(options)
        : CookieSession.layerReference(options).pipe(Layer.provide(Layer.succeed(TokenStorage.TokenStorage, inner)))
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
      const { pathname, search } = new URL(request.url)
      const [, what, login = ""] = pathname.split("/")
      if (what === "begin") return new Response(await visit.run(begin))
      if (what === "callback") return new Response(await visit.run(complete(search)))
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

const cookieCases = (["sealed", "reference"] as const).flatMap((mode) => [
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
  },
  {
    name: `${mode}: OAuth begins in one visit and ends in another, for this browser only and once`,
    run: Effect.gen(function* () {
      yield* fresh
      const { get } = yield* application(mode)
      const away = yield* get("/begin")
      const callback = callbackOf(away.text)
      // Somebody who is made to open the callback of another is not signed in as that one.
      const stranger = new Map<string, string>()
      yield* same("the callback in another browser", (yield* get(callback, stranger)).text, "FlowLost")
      yield* same("who the other one is", (yield* get("/", stranger)).text, "NotAuthenticated")
      yield* same("the exchanges so far", yield* statuses("oauth"), [])
      const signedIn = yield* get(callback)
      yield* same(
        "where it leads, and whether it may be cached",
        [signedIn.text, signedIn.cache],
        ["/cart", "private, no-store"]
      )
      yield* same("who it is", (yield* get("/")).text, eve)
      yield* expireAccessTokens
      yield* same("who it is after a refresh", (yield* get("/")).text, eve)
      yield* same(
        "whether the callback leads anywhere again",
        ["FlowLost", "CallbackReplayed"].includes((yield* get(callback)).text),
        true
      )
      yield* same("who it is then", (yield* get("/")).text, eve)
      yield* same("the exchanges", yield* statuses("oauth"), [201])
    })
  },
  {
    name: `${mode}: OAuth takes the place of a session, and ends what else was begun before it`,
    run: Effect.gen(function* () {
      yield* fresh
      const { get, post } = yield* application(mode)
      yield* post(`/sign-in/${ann}`)
      const first = yield* get("/begin")
      const second = yield* get("/begin")
      yield* same("who it is meanwhile", (yield* get("/")).text, ann)
      yield* same("a state that nobody made", (yield* get("/callback?code=x&state=y")).text, "StateUnknown")
      yield* same("the second", (yield* get(callbackOf(second.text))).text, "/cart")
      yield* same("who it is", (yield* get("/")).text, eve)
      // Signing in gave the browser another slot: what was begun before it is over.
      yield* same("the first", (yield* get(callbackOf(first.text))).text, "FlowLost")
      yield* same("who it is in the end", (yield* get("/")).text, eve)
    })
  }
])

/** By reference, whoever has the storage can go on. */
const acrossProcesses: Case<Needs> = {
  name: "reference: OAuth begins in one process and ends in another",
  run: Effect.gen(function* () {
    yield* fresh
    const shared = TokenStorage.makeMemory()
    // Each process knows the storage by a view of its own.
    const view = () => TokenStorage.TokenStorage.of({ ...shared })
    const [one, two] = [yield* application("reference", view()), yield* application("reference", view())]
    const away = yield* one.get("/begin")
    yield* same("where it leads", (yield* two.get(callbackOf(away.text), one.jar)).text, "/cart")
    yield* same("who it is in the first", (yield* one.get("/")).text, eve)
    yield* expireAccessTokens
    yield* same("who it is in the second", (yield* two.get("/", one.jar)).text, eve)
    yield* same("who it is in the first afterwards", (yield* one.get("/")).text, eve)
    yield* same("the refreshes", yield* statuses("refresh"), [201])
  })
}

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
  { name: "sessions in cookies", lacks: lacksCookieHeaders(), cases: [...cookieCases, acrossProcesses] },
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
