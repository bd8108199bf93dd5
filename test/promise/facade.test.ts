/** What the official SDK lacks: signals, an end, a session to listen to, a save that is waited for, errors with a tag. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { AuthError, OneEntryError, TokenStorage } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import {
  type Config,
  defineOneEntry,
  type IError,
  isError,
  OneEntryException,
  type OneEntry,
  type SessionEvent
} from "effect-oneentry/promise"
import { createRequire } from "node:module"
import { accessToken, rejection, scripted, type Server } from "./support.ts"

const wait = <A>(f: () => Promise<A>) => Effect.promise(f)
const equal = (actual: unknown, expected: unknown) => assert.deepStrictEqual(actual, expected)

const login = "ann@example.com"
const credentials = {
  authData: [
    { marker: "email_reg", value: login },
    { marker: "password_reg", value: "123456" }
  ]
}

const project = {
  users: [{ provider: "email", login, password: "123456" }]
}

/** An emulator with a user, and a client of it that is disposed of at the end. */
const world = (config: Config = {}) =>
  Effect.gen(function* () {
    const emulator = yield* Emulator.makeServer({
      project: { ...(yield* defaultProject), ...project },
      passwordCost: 1
    })
    const client = (more: Config = {}) =>
      Effect.acquireRelease(
        Effect.sync(() =>
          defineOneEntry(emulator.url, { token: Redacted.value(emulator.appToken), ...config, ...more })
        ),
        (api) => wait(() => api.dispose())
      )
    return { emulator, client, api: yield* client() }
  })

const defaultProject = Effect.promise(async () => (await import("effect-oneentry/emulator")).Project.defaultProject)

const client = (server: Server, config: Config = {}) =>
  defineOneEntry(server.url, { token: "t", client: { retry: false }, ...config })

const pair = (refreshToken: string, secondsLeft = 36_000) => ({
  userIdentifier: login,
  authProviderIdentifier: "email",
  accessToken: accessToken(secondsLeft),
  refreshToken
})

const profile = { id: 1, total: "1", identifier: login, formData: [], groups: [1], state: {} }

const envelope = (statusCode: number, message: string) => ({
  statusCode,
  timestamp: "2025-04-30T20:07:39.755Z",
  message,
  pageData: null
})

/** A gate to hold something back with. */
const gate = () => {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

// A caller of the facade has no Effect to get a signal from.
const controllerOf = () => new AbortController()

describe("AbortSignal", () => {
  for (const [name, options] of [
    ["a signal", (signal: AbortSignal) => signal],
    ["an object", (signal: AbortSignal) => ({ signal })]
  ] as const) {
    it.live(`as ${name}: ends the call with its reason, and the request with it`, () =>
      Effect.gen(function* () {
        const server = yield* scripted
        const { open, opened } = gate()
        server.answer({ until: opened, body: [] }, { body: [] })
        const api = client(server)
        const controller = controllerOf()
        const reason = new Error("left the page")
        const asked = server.nextRequest()
        const result = rejection(api.AuthProvider.getAuthProviders("en_US", 0, 30, options(controller.signal)))
        yield* wait(() => asked)
        controller.abort(reason)
        assert.strictEqual(yield* wait(() => result), reason)
        open()
        // Whoever comes after that is served.
        equal(yield* wait(() => api.AuthProvider.getAuthProviders()), [])
      })
    )
  }

  it.live("that is aborted already sends nothing", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const api = client(server)
      const error = yield* wait(() => rejection(api.Forms.getFormByMarker("reg", "en_US", AbortSignal.abort())))
      assert.strictEqual(Object(error).name, "AbortError")
      equal(server.seen, [])
    })
  )

  it.live("is the last argument of every method", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const api = client(server)
      const signal = AbortSignal.abort()
      const calls: ReadonlyArray<() => Promise<unknown>> = [
        () => api.AuthProvider.signUp("email", credentials, "en_US", { signal }),
        () => api.AuthProvider.generateCode("email", login, "auth", { signal }),
        () => api.AuthProvider.checkCode("email", login, "auth", "1", { signal }),
        () => api.AuthProvider.activateUser("email", login, "1", { signal }),
        () => api.AuthProvider.auth("email", credentials, { signal }),
        () => api.AuthProvider.refresh("email", "r", { signal }),
        () => api.AuthProvider.logout("email", "r", { signal }),
        () => api.AuthProvider.logoutAll("email", { signal }),
        () => api.AuthProvider.changePassword("email", login, "auth", 1, "1", "a", "a", { signal }),
        () => api.AuthProvider.getAuthProviders("en_US", 0, 30, { signal }),
        () => api.AuthProvider.getAuthProviderByMarker("email", "en_US", { signal }),
        () => api.AuthProvider.getActiveSessionsByMarker("email", { signal }),
        () =>
          api.AuthProvider.oauth("google", { code: "c", redirect_uri: "https://a.example.com" }, "en_US", { signal }),
        () => api.Forms.getAllForms("en_US", 0, 30, { signal }),
        () => api.Forms.getFormByMarker("reg", "en_US", { signal }),
        () => api.FormData.postFormsData({ formIdentifier: "f", formData: [] }, "en_US", { signal }),
        () => api.FormData.getFormsDataByMarker("f", 1, {}, 0, "en_US", 0, 30, { signal }),
        () => api.FormData.updateFormsDataByid(1, { formData: [] }, { signal }),
        () => api.FormData.updateFormsDataStatusByid(1, { status: "sent" }, { signal }),
        () => api.FormData.deleteFormsDataByid(1, { signal }),
        () => api.FileUploading.upload(new Blob(["a"]), { type: "page", entity: "editor", id: 1 }, { signal }),
        () => api.FileUploading.delete("a", {}, { signal }),
        () => api.FileUploading.getFile(1, "page", "editor", "a", undefined, { signal }),
        () => api.FileUploading.createFileFromUrl("data:,a", "a", "text/plain", { signal }),
        () => api.Users.getUser("en_US", { signal }),
        () => api.Users.updateUser({ state: {} }, "en_US", { signal }),
        () => api.Users.archiveUser({ signal }),
        () => api.Users.deleteUser({ signal }),
        () => api.Users.addFCMToken("t", { signal }),
        () => api.Users.deleteFCMToken("t", { signal })
      ]
      for (const call of calls) assert.strictEqual(yield* wait(() => rejection(call())), signal.reason)
      equal(server.seen, [])
    })
  )
})

describe("dispose", () => {
  it.live("interrupts what is under way, waits for the last save, and is over", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const never = gate()
      const saving = gate()
      const order: Array<string> = []
      const api = client(server, {
        auth: {
          saveFunction: async (token) => {
            await saving.opened
            order.push(`saved ${token}`)
          }
        }
      })
      server.answer({ body: pair("r1") }, { until: never.opened })
      const events: Array<string> = []
      const heard = new Promise<void>((resolve) => {
        api.session.subscribe((event) => {
          events.push(event._tag)
          if (event._tag === "SignedIn") resolve()
        })
      })
      const signIn = api.AuthProvider.auth("email", credentials)
      yield* wait(() => heard)
      const asked = server.nextRequest()
      const pending = api.Users.getUser()
      yield* wait(() => asked)
      const disposed = api.dispose().then(() => order.push("disposed"))
      saving.open()
      yield* wait(() => disposed)
      equal(order, ["saved r1", "disposed"])
      yield* wait(() => signIn.catch(() => undefined))
      for (const result of [yield* wait(() => pending), yield* wait(() => api.Users.getUser())]) {
        assert.deepInclude(Object(result), { _tag: "OneEntryError", reason: "InvalidRequest", statusCode: 400 })
      }
      // Twice is no error.
      yield* wait(() => api.dispose())
      never.open()
    })
  )

  it.live("is what `await using` does", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: [] })
      let kept: OneEntry | undefined
      yield* wait(async () => {
        await using api = client(server)
        kept = api
        equal(await api.AuthProvider.getAuthProviders(), [])
      })
      const after = yield* wait(async () => kept?.AuthProvider.getAuthProviders())
      assert.deepInclude(Object(after), {
        _tag: "OneEntryError",
        message: "the client was disposed of: make another one"
      })
    })
  )
})

describe("session", () => {
  it.live("subscribe tells the state, then what happens, until it is ended", () =>
    Effect.gen(function* () {
      const { api, emulator } = yield* world()
      const events: Array<SessionEvent> = []
      const waiting = new Map<string, () => void>()
      const heard = (tag: string) => new Promise<void>((resolve) => waiting.set(tag, resolve))
      const first = heard("State")
      const end = api.session.subscribe((event) => {
        events.push(event)
        waiting.get(event._tag)?.()
        // What a listener throws is its own affair.
        throw new Error("a listener")
      })
      yield* wait(() => first)
      for (const [tag, act] of [
        ["SignedIn", () => api.AuthProvider.auth("email", credentials)],
        ["Refreshed", () => api.AuthProvider.refresh("email")],
        ["SignedOut", () => api.AuthProvider.logout("email")]
      ] as const) {
        const told = heard(tag)
        assert.isFalse(isError(yield* wait<unknown>(act)), tag)
        yield* wait(() => told)
      }
      equal(
        events.map(({ _tag }) => _tag),
        ["State", "SignedIn", "Refreshed", "SignedOut"]
      )
      equal(events[0], { _tag: "State", session: undefined })
      assert.deepInclude(Object(Object(events[1]).session), { marker: "email", userIdentifier: login })
      assert.match(Object(events[1]).session.accessTokenEndsAt, /^\d{4}-\d\d-\d\dT.*Z$/)
      equal(events[3], { _tag: "SignedOut", reason: "SignOut" })
      // No token is in what is told.
      const tokens = (yield* emulator.sessions).flatMap((session) => [session.accessToken, session.refreshToken])
      for (const token of tokens) assert.notInclude(JSON.stringify(events), token)

      end()
      yield* wait(() => api.AuthProvider.auth("email", credentials))
      assert.strictEqual(events.length, 4)
      assert.deepInclude(Object(yield* wait(() => api.session.current())), { marker: "email", userIdentifier: login })
    }).pipe(Effect.scoped)
  )

  it.live("fifty calls after the end of the token make one refresh", () =>
    Effect.gen(function* () {
      const saved: Array<string> = []
      const { api, emulator } = yield* world({ auth: { saveFunction: (token) => void saved.push(token) } })
      yield* wait(() => api.AuthProvider.auth("email", credentials))
      yield* emulator.expireAccessTokens
      const results = yield* wait(() => Promise.all(Array.from({ length: 50 }, () => api.Users.getUser())))
      for (const result of results) assert.deepInclude(Object(result), { identifier: login })
      const refreshes = (yield* emulator.requests).filter(({ operation }) => operation === "refresh")
      equal(
        refreshes.map(({ status }) => status),
        [201]
      )
      const [session] = yield* emulator.sessions
      equal(saved.length, 2)
      equal(saved.at(-1), session?.refreshToken)
    }).pipe(Effect.scoped)
  )

  it.live("a wrong password refreshes nothing, and leaves the session", () =>
    Effect.gen(function* () {
      const { api, emulator } = yield* world()
      yield* wait(() => api.AuthProvider.auth("email", credentials))
      const wrong = yield* wait(() =>
        api.AuthProvider.auth("email", {
          authData: [credentials.authData[0] ?? { marker: "" }, { marker: "password_reg", value: "wrong" }]
        })
      )
      assert.deepInclude(Object(wrong), { _tag: "InvalidCredentials", statusCode: 401 })
      assert.deepInclude(Object(yield* wait(() => api.Users.getUser())), { identifier: login })
      equal(
        (yield* emulator.requests).filter(({ operation }) => operation === "refresh"),
        []
      )
    }).pipe(Effect.scoped)
  )
})

describe("saveFunction", () => {
  it.live("is waited for: sign-in, refresh and sign-out resolve after it, in order", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      let turn = gate()
      const { api, emulator } = yield* world({
        auth: {
          saveFunction: async (token) => {
            order.push(token === "" ? "saving nothing" : "saving")
            await turn.opened
            order.push("saved")
          }
        }
      })
      const step = (name: string, act: () => Promise<unknown>) =>
        wait(async () => {
          turn = gate()
          const acted = act().then((result) => {
            assert.isFalse(isError(result), JSON.stringify(result))
            order.push(name)
          })
          const opened = turn
          // The call has had its answer long ago when the save ends.
          await new Promise((resolve) => setImmediate(resolve))
          await Promise.race([
            acted,
            new Promise<void>((resolve) => {
              const look = () => (order.at(-1)?.startsWith("saving") === true ? resolve() : void setImmediate(look))
              look()
            })
          ])
          opened.open()
          await acted
        })
      yield* step("signed in", () => api.AuthProvider.auth("email", credentials))
      yield* emulator.expireAccessTokens
      yield* step("asked", () => api.Users.getUser())
      yield* step("signed out", () => api.AuthProvider.logout("email"))
      equal(order, [
        "saving",
        "saved",
        "signed in",
        "saving",
        "saved",
        "asked",
        "saving nothing",
        "saved",
        "signed out"
      ])
    }).pipe(Effect.scoped)
  )

  it.live("that fails leaves the session in memory, and says so to who listens", () =>
    Effect.gen(function* () {
      const events: Array<SessionEvent> = []
      const cause = new Error("quota")
      const { api } = yield* world({ auth: { saveFunction: () => Promise.reject(cause) } })
      const degraded = new Promise<void>((resolve) => {
        api.session.subscribe((event) => {
          events.push(event)
          if (event._tag === "StorageDegraded") resolve()
        })
      })
      yield* wait(() => api.session.current())
      assert.deepInclude(Object(yield* wait(() => api.AuthProvider.auth("email", credentials))), {
        userIdentifier: login
      })
      yield* wait(() => degraded)
      const last = events.at(-1)
      assert.strictEqual(last?._tag === "StorageDegraded" ? last.error.cause : undefined, cause)
      assert.deepInclude(Object(yield* wait(() => api.Users.getUser())), { identifier: login })
    }).pipe(Effect.scoped)
  )

  it.live("may use the client", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const made: Array<OneEntry> = []
      const { api } = yield* world({
        auth: {
          saveFunction: async (token) => {
            if (token !== "") seen.push(await made[0]?.Users.getUser())
          }
        }
      })
      made.push(api)
      yield* wait(() => api.AuthProvider.auth("email", credentials))
      assert.deepInclude(Object(seen[0]), { identifier: login })
    }).pipe(Effect.scoped)
  )

  it.live("is told that nothing is left when the server rejects the token", () =>
    Effect.gen(function* () {
      const saved: Array<string> = []
      const server = yield* scripted
      server.answer({ status: 400, body: envelope(400, "Provided token is incorrect") })
      const api = client(server, { auth: { refreshToken: "dead", saveFunction: (token) => void saved.push(token) } })
      const result = yield* wait(() => api.Users.getUser())
      assert.deepInclude(Object(result), {
        _tag: "TokenExpired",
        statusCode: 401,
        message: "Unauthorized",
        pageData: null
      })
      equal(saved, [""])
      // And nothing is sent for it again.
      assert.deepInclude(Object(yield* wait(() => api.Users.getUser())), { _tag: "NotAuthenticated", statusCode: 401 })
      assert.strictEqual(server.seen.length, 1)
    })
  )

  it.live("is not told when the network fails", () =>
    Effect.gen(function* () {
      const saved: Array<string> = []
      const server = yield* scripted
      server.answer({ broken: true }, { broken: true })
      const api = client(server, { auth: { refreshToken: "good", saveFunction: (token) => void saved.push(token) } })
      assert.deepInclude(Object(yield* wait(() => api.Users.getUser())), {
        _tag: "OneEntryError",
        reason: "Network",
        statusCode: 503
      })
      assert.deepInclude(Object(yield* wait(() => api.AuthProvider.auth("email", credentials))), { reason: "Network" })
      equal(saved, [])
      assert.isDefined(yield* wait(() => api.session.current()))
    })
  )
})

describe("errors", () => {
  it.live("are values with a tag by default, and the hook of their status hears them", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const heard: Array<unknown> = []
      server.answer({ status: 400, body: envelope(400, "User already has a code") })
      const api = client(server, { errors: { customErrors: { 400: (error) => heard.push(error) } } })
      const result = yield* wait(() => api.AuthProvider.generateCode("email", login, "auth"))
      equal(result, { ...envelope(400, "User already has a code"), _tag: "UserAlreadyHasCode" })
      equal(heard, [result])
      assert.isTrue(isError(result))
      // The typed error is at hand, and in no copy.
      const error = result as IError
      assert.instanceOf(error.cause, AuthError.UserAlreadyHasCode)
      assert.notInclude(JSON.stringify(result), "cause")
    })
  )

  it.live("are thrown where the configuration says so, with the same members", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ status: 403, body: envelope(403, "Resource is closed") }, { body: [] })
      const api = defineOneEntry(server.url, { token: "t", errors: { isShell: false } })
      const thrown = yield* wait(() => rejection(api.Forms.getFormByMarker("reg")))
      assert.instanceOf(thrown, OneEntryException)
      assert.instanceOf(thrown, Error)
      assert.instanceOf(Object(thrown).cause, OneEntryError.OneEntryError)
      const { _tag, message, pageData, reason, statusCode, timestamp } = thrown as OneEntryException
      equal(
        { _tag, reason, message, pageData, statusCode, timestamp },
        {
          ...envelope(403, "Resource is closed"),
          _tag: "OneEntryError",
          reason: "ResourceClosed"
        }
      )
      // The type has no error beside the result then.
      const providers = yield* wait(() => api.AuthProvider.getAuthProviders())
      assert.strictEqual(providers.length, 0)
    })
  )

  it.live("have a status where no server gave one", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ broken: true }, { status: 502, body: "<html>" }, { status: 201, body: "<html>" }, { status: 302 })
      const api = client(server)
      const of = (f: () => Promise<unknown>) =>
        Effect.map(wait(f), (result) => {
          assert.isTrue(isError(result), JSON.stringify(result))
          const { message, timestamp, ...rest } = result as IError
          assert.isNotEmpty(message)
          assert.match(timestamp, /^\d{4}-\d\d-\d\dT.*Z$/)
          return rest
        })
      const signIn = () => api.AuthProvider.auth("email", credentials)
      const at = (_tag: string, statusCode: number, reason?: string) => ({
        _tag,
        statusCode,
        pageData: null,
        ...(reason === undefined ? {} : { reason })
      })
      equal(yield* of(signIn), at("OneEntryError", 503, "Network"))
      equal(yield* of(signIn), at("OneEntryError", 502, "ServerFailure"))
      equal(yield* of(signIn), at("OneEntryError", 502, "ResponseInvalid"))
      equal(yield* of(signIn), at("OneEntryError", 502, "Redirected"))
      equal(yield* of(() => api.Users.getUser()), at("NotAuthenticated", 401))
      equal(
        yield* of(() => api.AuthProvider.generateCode("", login, "auth")),
        at("OneEntryError", 400, "InvalidRequest")
      )
      equal(
        yield* of(() => api.AuthProvider.changePassword("email", login, "auth", 1, "1", "a", "b")),
        at("PasswordsDoNotMatch", 400)
      )
      equal(
        yield* of(() =>
          api.AuthProvider.signUp("email", {
            ...credentials,
            formData: { marker: "d", type: "date", value: "no date" }
          })
        ),
        at("InvalidData", 400)
      )
      const bad = defineOneEntry("not a url", {})
      equal(yield* of(() => bad.Forms.getAllForms()), at("OneEntryError", 400, "InvalidRequest"))
    })
  )

  it.live("name the field whose file failed", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ status: 403, body: envelope(403, "Permission data not found") })
      const api = client(server)
      const result = yield* wait(() =>
        api.AuthProvider.signUp("email", {
          ...credentials,
          formData: [
            {
              marker: "photo",
              type: "image",
              value: [new File(["a"], "a.png")],
              fileQuery: { type: "page", entity: "editor", id: 1 }
            }
          ]
        })
      )
      assert.deepInclude(Object(result), { _tag: "UploadFailed", statusCode: 403 })
      assert.include(Object(result).message, "photo")
      assert.strictEqual(server.seen.length, 1)
    })
  )
})

describe("configuration", () => {
  it.live("validation: an answer of another shape is passed on, or an error where it is strict", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const odd = { id: "8", identifier: 7, localizeInfos: { en_US: { title: "odd" } } }
      server.answer({ body: odd }, { body: odd }, { body: { accessToken: 1 } })
      const loose = client(server)
      equal(yield* wait(() => loose.AuthProvider.getAuthProviderByMarker("email")), {
        ...odd,
        localizeInfos: { title: "odd" }
      })
      const strict = client(server, { validation: { enabled: true, strictMode: true } })
      const refused = yield* wait(() => strict.AuthProvider.getAuthProviderByMarker("email"))
      assert.deepInclude(Object(refused), {
        _tag: "OneEntryError",
        reason: "ResponseInvalid",
        statusCode: 422,
        message: "Response validation failed"
      })
      // Tokens that are none are no session, whatever the mode.
      assert.deepInclude(Object(yield* wait(() => loose.AuthProvider.auth("email", credentials))), {
        reason: "ResponseInvalid"
      })
      assert.isUndefined(yield* wait(() => loose.session.current()))
    })
  )

  it.live("customAuth: the tokens are the program's, and nothing refreshes them", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: profile }, { status: 401, body: envelope(401, "Unauthorized") })
      const api = client(server, { auth: { customAuth: true } })
      assert.deepInclude(Object(yield* wait(() => api.Users.getUser())), { _tag: "NotAuthenticated" })
      equal(yield* wait(() => api.Users.setAccessToken("mine").getUser()), profile)
      assert.deepInclude(Object(yield* wait(() => api.Users.getUser())), { _tag: "TokenExpired", statusCode: 401 })
      equal(
        server.seen.map(({ headers, path }) => [path, headers.authorization]),
        [
          ["/api/content/users/me?langCode=en_US", "Bearer mine"],
          ["/api/content/users/me?langCode=en_US", "Bearer mine"]
        ]
      )
    })
  )

  it.live("setRefreshToken: the session goes on with it", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      server.answer({ body: pair("r2") }, { body: profile })
      const api = client(server)
      equal(yield* wait(() => api.Users.setRefreshToken("r1").getUser()), profile)
      equal(server.seen[0]?.body, { refreshToken: "r1" })
    })
  )

  it.live("storage: another client goes on with the whole session, and `refreshToken` yields to it", () =>
    Effect.gen(function* () {
      const kept = new Map<string, string>()
      const storage = () =>
        TokenStorage.make({
          get: (slot) => Effect.sync(() => kept.get(slot)),
          set: (slot, value) => Effect.sync(() => void kept.set(slot, value)),
          remove: (slot) => Effect.sync(() => void kept.delete(slot))
        })
      const server = yield* scripted
      server.answer({ body: pair("r1") }, { body: profile })
      yield* wait(() => client(server, { storage: storage() }).AuthProvider.auth("email", credentials))
      const second = client(server, { storage: storage(), auth: { refreshToken: "older" } })
      equal(yield* wait(() => second.Users.getUser()), profile)
      equal(
        server.seen.map(({ method }) => method),
        ["POST", "GET"]
      )
    })
  )

  it.live("deviceMetadata: the server takes the refresh token from the same device only", () =>
    Effect.gen(function* () {
      const { client, emulator } = yield* world()
      const deviceMetadata = { fingerprint: "device-1" }
      const first = yield* client({ deviceMetadata })
      const tokens = yield* wait(() => first.AuthProvider.auth("email", credentials))
      const { refreshToken } = Object(tokens)
      const same = yield* client({ deviceMetadata, auth: { refreshToken } })
      assert.deepInclude(Object(yield* wait(() => same.Users.getUser())), { identifier: login })
      const [session] = yield* emulator.sessions
      assert.strictEqual(session?.fingerprint, "device-1")
      const other = yield* client({ auth: { refreshToken: session?.refreshToken } })
      assert.deepInclude(Object(yield* wait(() => other.Users.getUser())), { _tag: "TokenExpired", statusCode: 401 })
    }).pipe(Effect.scoped)
  )

  it.live("its fetch is that of every request, a refresh too", () =>
    Effect.gen(function* () {
      const { client } = yield* world()
      const paths: Array<string> = []
      const watched: typeof fetch = (input, init) => {
        paths.push(new URL(input instanceof Request ? input.url : input).pathname.replace(/^.*\//, ""))
        return fetch(input, init)
      }
      const deviceMetadata = { fingerprint: "device-1" }
      const first = yield* client({ deviceMetadata })
      const { refreshToken } = Object(yield* wait(() => first.AuthProvider.auth("email", credentials)))
      const api = yield* client({ auth: { refreshToken }, deviceMetadata, fetch: watched })
      yield* wait(() => api.Users.getUser())
      equal(paths, ["refresh", "me"])
    }).pipe(Effect.scoped)
  )

  it.live("fetch and langCode", () =>
    Effect.gen(function* () {
      const urls: Array<string> = []
      const api = defineOneEntry("https://my-project.oneentry.cloud/", {
        langCode: "de_DE",
        fetch: (input) => {
          urls.push(String(input))
          return Promise.resolve(
            Response.json({ id: 1, identifier: "reg", localizeInfos: { de_DE: { title: "Anmeldung" } } })
          )
        }
      })
      assert.deepInclude(Object(yield* wait(() => api.Forms.getFormByMarker("reg"))), {
        localizeInfos: { title: "Anmeldung" }
      })
      equal(urls, ["https://my-project.oneentry.cloud/api/content/forms/marker/reg?langCode=de_DE"])
    })
  )

  it.live("rawData leaves `additionalFields` the array that it is", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const additionalFields = [{ marker: "a", type: "string", value: 1 }]
      const form = {
        id: 1,
        identifier: "f",
        attributes: [{ marker: "m", type: "string", position: 1, additionalFields }]
      }
      server.answer({ body: form }, { body: form })
      const raw = yield* wait(() => client(server, { rawData: true }).Forms.getFormByMarker("f"))
      equal(Object(raw).attributes[0].additionalFields, additionalFields)
      const record = yield* wait(() => client(server).Forms.getFormByMarker("f"))
      equal(Object(record).attributes[0].additionalFields, { a: additionalFields[0] })
    })
  )

  it.live("in a browser the device outlives the page, and is that of the official SDK where it was there before", () =>
    Effect.gen(function* () {
      const server = yield* scripted
      const store = new Map([["oneentry_device_id", "lq9k0a1b2c3dxyz"]])
      const localStorage = {
        getItem: (key: string) => store.get(key) ?? null,
        setItem: (key: string, value: string) => void store.set(key, value),
        removeItem: (key: string) => void store.delete(key)
      }
      const before = Object.getOwnPropertyDescriptor(globalThis, "localStorage")
      const fingerprint = (index: number) =>
        JSON.parse(String(server.seen[index]?.headers["x-device-metadata"])).fingerprint
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          Object.defineProperty(globalThis, "window", { value: { localStorage }, configurable: true })
          Object.defineProperty(globalThis, "localStorage", { value: localStorage, configurable: true })
        }),
        () =>
          Effect.sync(() => {
            Reflect.deleteProperty(globalThis, "window")
            if (before === undefined) Reflect.deleteProperty(globalThis, "localStorage")
            else Object.defineProperty(globalThis, "localStorage", before)
          })
      )
      Object.defineProperty(globalThis, "window", {
        value: { localStorage, navigator: globalThis.navigator },
        configurable: true
      })
      // What the official SDK, which does not export it, says of the same browser.
      const SyncModules = createRequire(import.meta.url)("oneentry/dist/base/syncModules.js").default
      const official = JSON.parse(new SyncModules({ url: "" })._getDeviceMetadata()).fingerprint
      server.answer({ body: pair("r1") }, { body: pair("r2") })
      yield* wait(() => client(server).AuthProvider.auth("email", credentials))
      assert.strictEqual(fingerprint(0), official)
      // It stays, even where the original's would change with the browser's next version.
      store.set("oneentry_device_id", "another")
      yield* wait(() => client(server).AuthProvider.auth("email", credentials))
      assert.strictEqual(fingerprint(1), official)
    }).pipe(Effect.scoped)
  )
})
