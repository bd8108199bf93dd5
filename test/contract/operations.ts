/** The operations, one after the other as users live through them, and how they fail. */
import { Deferred, Effect, Fiber, type Layer, Option, Redacted, Stream } from "effect"
import { FetchHttpClient, type HttpClient } from "effect/http"
import { FetchClient, FieldValue, SignUpForm } from "effect-oneentry"
import { type Case, fails, same } from "./check.ts"
import {
  ann,
  authData,
  bob,
  connect,
  type ConnectOptions,
  fresh,
  Host,
  type Needs,
  password,
  statuses
} from "./host.ts"

const eve = "eve@example.com"
const query: FieldValue.FileQuery = { type: "page", entity: "editor", id: 3492 }

const codeOf = (userIdentifier: string) =>
  Effect.flatMap(Host, ({ control }) =>
    Effect.map(control.outbox.code({ query: { userIdentifier } }), ({ code }) => code)
  )

/** An upload that is a stream itself. */
export const streamed = (http: Layer.Layer<HttpClient.HttpClient>): ReadonlyArray<Case<Needs>> => [
  {
    name: "a stream is uploaded as it comes",
    run: Effect.gen(function* () {
      yield* fresh
      const { files } = yield* connect({ http })
      const stream = Stream.fromIterable([new TextEncoder().encode("one "), new TextEncoder().encode("two")])
      const [file] = yield* files.upload({ name: "two.txt", type: "text/plain", stream }, query)
      yield* same("its size", file?.size, 7)
      const chunks = yield* Stream.runCollect(files.getFile({ filename: file?.filename ?? "", ...query }))
      const text = Array.from(chunks, (chunk) => new TextDecoder().decode(chunk)).join("")
      yield* same("what was read", text, "one two")
    })
  }
]

/** The cases over one HTTP client. */
export const cases = (http: Layer.Layer<HttpClient.HttpClient>): ReadonlyArray<Case<Needs>> => {
  const client = (options?: ConnectOptions) => Effect.andThen(fresh, connect({ http, ...options }))
  return [
    {
      name: "a form becomes a sign-up, a code activates it, the password signs in",
      run: Effect.gen(function* () {
        const { auth, forms, signIn, users } = yield* client()
        const form = SignUpForm.make(yield* forms.getFormByMarker("reg"))
        yield* same(
          "the fields",
          form.fields("signUp").map(({ kind, marker }) => [marker, kind]),
          [
            ["email_reg", "email"],
            ["name_reg", "text"],
            ["phone_reg", "tel"],
            ["password_reg", "password"],
            ["email_notification_reg", "email"]
          ]
        )
        const invalid = yield* fails("a form without values", form.encode({ email_reg: "nobody" }), "FormInvalid")
        yield* same("that it names the field", invalid._tag === "FormInvalid" && invalid.issues[0]?.marker, "email_reg")
        const data = yield* form.encode({
          email_reg: eve,
          name_reg: "Eve",
          phone_reg: "+18007986545",
          password_reg: Redacted.make(password),
          email_notification_reg: eve
        })
        const user = yield* auth.signUp("email", data)
        yield* same("who signed up", [user.identifier, user.isActive], [eve, false])
        yield* fails("signing in too early", signIn(eve), "UserNotActivated")
        yield* fails(
          "a code too many",
          auth.generateCode("email", { userIdentifier: eve, eventIdentifier: "auth" }),
          "UserAlreadyHasCode"
        )
        const code = yield* codeOf(eve)
        const wrong = { userIdentifier: eve, eventIdentifier: "auth", code: "000000000" }
        yield* fails("a wrong code", auth.checkCode("email", wrong), "InvalidCode")
        yield* auth.checkCode("email", { ...wrong, code })
        yield* auth.activateUser("email", { userIdentifier: eve, code: Redacted.make(code) })
        yield* same("who signed in", (yield* signIn(eve)).userIdentifier, eve)
        yield* same("whose profile it is", (yield* users.getUser()).identifier, eve)
      })
    },
    {
      name: "a file of a sign-up is uploaded first, and is read back byte for byte",
      run: Effect.gen(function* () {
        const { files } = yield* client()
        const bytes = Uint8Array.from({ length: 5_000 }, (_, index) => index % 256)
        const [one] = yield* files.upload(new File([bytes], 'me "and" you.png', { type: "image/png" }), query)
        yield* same("what was uploaded", [one?.size, one?.contentType], [5_000, "image/png"])
        const filename = one?.filename ?? ""
        const chunks = yield* Stream.runCollect(files.getFile({ filename, ...query }))
        const read = Array.from(chunks).flatMap((chunk) => Array.from(chunk))
        yield* same("what was read", read, Array.from(bytes))
        yield* files.delete(filename, query)
        yield* fails("a file that is gone", files.delete(filename), "FileNotFound")
      })
    },
    {
      name: "sign-in fails with a tag for each cause, and stores nothing then",
      run: Effect.gen(function* () {
        const { auth, session } = yield* client()
        yield* fails("a wrong password", auth.auth("email", { authData: authData(ann, "no") }), "InvalidCredentials")
        yield* fails("an unknown provider", auth.auth("nobody", { authData: authData() }), "ProviderNotFound")
        yield* fails(
          "a login that is taken",
          auth.signUp("email", {
            formIdentifier: "reg",
            authData: authData(),
            formData: [FieldValue.string("name_reg", "Ann"), FieldValue.string("phone_reg", "+1")]
          }),
          "UserAlreadyExists"
        )
        yield* same("whether somebody is signed in", Option.isSome(yield* session.current), false)
      })
    },
    {
      name: "a changed password ends the session",
      run: Effect.gen(function* () {
        const { auth, session, signIn } = yield* client()
        yield* signIn()
        const about = { userIdentifier: ann, eventIdentifier: "auth" }
        yield* auth.generateCode("email", about)
        const change = { ...about, type: "change", newPassword: "better" } as const
        yield* fails("a wrong code", auth.changePassword("email", { ...change, code: "000000000" }), "InvalidCode")
        yield* auth.changePassword("email", { ...change, code: yield* codeOf(ann) })
        yield* same("whether somebody is signed in", Option.isSome(yield* session.current), false)
        yield* fails("the password before", signIn(), "InvalidCredentials")
        yield* auth.auth("email", { authData: authData(ann, "better") })
      })
    },
    {
      name: "sessions are listed, refreshed by hand and ended on every device",
      run: Effect.gen(function* () {
        const { auth, me, session, signIn } = yield* client()
        const other = yield* connect({ http })
        const first = yield* signIn()
        yield* other.signIn()
        yield* same("how many devices there are", (yield* auth.getActiveSessionsByMarker("email")).length, 2)
        const next = yield* auth.refresh()
        yield* same(
          "whether the token changed",
          Redacted.value(next.refreshToken) === Redacted.value(first.refreshToken),
          false
        )
        yield* same("the sign-out everywhere", yield* auth.logoutAll("email"), { revoked: true })
        yield* same("whether somebody is signed in", Option.isSome(yield* session.current), false)
        yield* fails("a call afterwards", me, "NotAuthenticated")
        yield* fails("a call of the other device", other.me, "TokenExpired Rejected")
        yield* same("a sign-out too many", yield* auth.logout(), { revoked: false })
      })
    },
    {
      name: "OAuth: a way out with state and PKCE, one callback, one session",
      run: Effect.gen(function* () {
        const { auth, me, oauth } = yield* client()
        const provider = yield* auth.getAuthProviderByMarker("network")
        const away = yield* oauth.authorizationUrl(provider, {
          clientId: "app",
          redirectUri: "https://app.example/callback",
          returnTo: "/cart"
        })
        const asked = new URL(away).searchParams
        yield* same("the method of the challenge", asked.get("code_challenge_method"), "S256")
        const back = `https://app.example/callback?code=emulator-${eve}&state=${asked.get("state")}`
        const taken = yield* oauth.callback(back)
        yield* same("where it leads", [taken.marker, taken.returnTo], ["network", "/cart"])
        yield* fails("the callback again", oauth.callback(back), "CallbackReplayed")
        yield* auth.oauth(taken.marker, taken.data)
        yield* same("who is signed in", yield* me, eve)
      })
    },
    {
      name: "providers and forms are read, in pages too",
      run: Effect.gen(function* () {
        const { auth, forms } = yield* client()
        const providers = yield* Stream.runCollect(auth.streamAuthProviders({ pageSize: 1 }))
        yield* same(
          "the providers",
          Array.from(providers, ({ identifier }) => identifier),
          ["email", "network"]
        )
        const all = yield* forms.getAllForms()
        yield* same(
          "the forms",
          all.items.map(({ identifier }) => identifier),
          ["reg", "contact_us"]
        )
        yield* fails("an unknown form", forms.getFormByMarker("nobody"), "FormNotFound")
      })
    },
    {
      name: "form data is sent with a file, read, changed and deleted",
      run: Effect.gen(function* () {
        const { formsData, signIn } = yield* client()
        yield* signIn()
        const { actionMessage, submission } = yield* formsData.post({
          formIdentifier: "contact_us",
          formModuleConfigId: 2,
          moduleEntityIdentifier: "blog",
          formData: [
            FieldValue.string("name", "Ann"),
            FieldValue.date("day", "1990-05-07"),
            FieldValue.file("cv", new File(["curriculum"], "cv.pdf", { type: "application/pdf" }), query)
          ]
        })
        yield* same("the answer", [actionMessage, submission.userIdentifier], ["Thank you", ann])
        yield* formsData.updateById(submission.id, { formData: FieldValue.string("name", "Anna") })
        yield* formsData.updateStatusById(submission.id, "approved")
        const page = yield* formsData.getByMarker("contact_us", { isExtended: true })
        yield* same(
          "what is kept",
          page.items.map(({ formData, status }) => [formData[0]?.value, status]),
          [["Anna", "approved"]]
        )
        yield* formsData.deleteById(submission.id)
        yield* same("what is left", (yield* formsData.getByMarker("contact_us")).total, 0)
      })
    },
    {
      name: "a profile is changed, and its account deleted",
      run: Effect.gen(function* () {
        const { session, signIn, users } = yield* client()
        yield* signIn(bob)
        yield* users.updateUser({ formData: FieldValue.string("name_reg", "Robert"), state: { theme: "dark" } })
        const user = yield* users.getUser()
        yield* same("the state", user.state, { theme: "dark" })
        yield* same("the name", user.formData.find(({ marker }) => marker === "name_reg")?.value, "Robert")
        yield* users.addFCMToken("device-token")
        yield* users.deleteFCMToken("device-token")
        yield* users.deleteUser()
        yield* same("whether somebody is signed in", Option.isSome(yield* session.current), false)
        yield* fails("signing in afterwards", signIn(bob), "InvalidCredentials")
      })
    },
    {
      name: "what goes wrong below the domain has a reason",
      run: Effect.gen(function* () {
        const { forms } = yield* client({ requestTimeout: "1 second" })
        const { control } = yield* Host
        const call = forms.getAllForms()
        const faults = [
          [{ kind: "status", status: 503 }, "ServerFailure"],
          [{ kind: "status", status: 429, headers: { "retry-after": "7" } }, "TooManyRequests"],
          [{ kind: "status", status: 302, headers: { location: "https://elsewhere.example/" } }, "Redirected"],
          [{ kind: "malformed" }, "ResponseInvalid"],
          [{ kind: "malformed", body: "<html>", contentType: "text/html" }, "ResponseInvalid"],
          [{ kind: "delay", delay: 30_000 }, "Timeout"]
        ] as const
        for (const [fault, reason] of faults) {
          yield* control.faults.add({ payload: { ...fault, operation: "getAllForms", count: 1 } })
          const error = yield* fails(`a ${JSON.stringify(fault)}`, call, `OneEntryError/${reason}`)
          if (error._tag === "OneEntryError" && error.reason._tag === "TooManyRequests") {
            yield* same("when to try again", Option.isSome(Option.fromUndefinedOr(error.reason.retryAfter)), true)
          }
        }
        // For good: runtimes send a read once more whose connection breaks.
        yield* control.faults.add({ payload: { kind: "drop", operation: "getAllForms" } })
        yield* fails("a connection that breaks", call, "OneEntryError/Network")
        yield* control.faults.clear()
        yield* call
        const nowhere = yield* connect({ http, url: "http://127.0.0.1:9" })
        yield* fails("a server that is not there", nowhere.forms.getAllForms(), "OneEntryError/Network")
      })
    },
    {
      name: "reads are tried again after a failure that passes, writes are not",
      run: Effect.gen(function* () {
        const { auth, forms } = yield* client({ retry: undefined })
        const { control } = yield* Host
        yield* control.faults.add({ payload: { kind: "status", status: 503, operation: "getAllForms", count: 1 } })
        yield* control.faults.add({ payload: { kind: "status", status: 503, operation: "generateCode", count: 1 } })
        yield* forms.getAllForms()
        yield* same("the attempts of the read", yield* statuses("getAllForms"), [503, 200])
        const write = auth.generateCode("email", { userIdentifier: ann, eventIdentifier: "auth" })
        yield* fails("the write", write, "OneEntryError/ServerFailure")
        yield* same("the attempts of the write", yield* statuses("generateCode"), [503])
      })
    },
    {
      name: "a call that is interrupted ends at once, and so does its request",
      run: Effect.gen(function* () {
        const { forms } = yield* client({ requestTimeout: "50 seconds" })
        const { control } = yield* Host
        const [begun, aborted] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        yield* control.faults.add({ payload: { kind: "delay", delay: 40_000, operation: "getAllForms", count: 1 } })
        const fiber = yield* Effect.forkChild(
          forms
            .getAllForms()
            .pipe(
              Effect.provideService(FetchHttpClient.Fetch, watchedFetch(begun, aborted)),
              Effect.provideService(FetchClient.Fetch, watchedFetch(begun, aborted))
            )
        )
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        yield* Deferred.await(aborted)
        yield* control.faults.clear()
        yield* forms.getAllForms()
      })
    },
    {
      name: "another client over the project takes any endpoint",
      run: Effect.gen(function* () {
        const { client: both, signIn } = yield* client()
        yield* signIn()
        const response = yield* both.authorized.get("/api/content/users/me")
        const body = yield* response.json
        yield* same("the status", response.status, 200)
        yield* same(
          "whose it is",
          typeof body === "object" && body !== null && "identifier" in body && body.identifier,
          ann
        )
        yield* fails(
          "a foreign address",
          both.authorized.get("https://elsewhere.example/"),
          "OneEntryError/InvalidRequest"
        )
      })
    }
  ]
}

/** A `fetch` that tells when it is called, and when it is told to stop. */
const watchedFetch =
  (begun: Deferred.Deferred<void>, aborted: Deferred.Deferred<void>): typeof globalThis.fetch =>
  (input, init) => {
    Deferred.doneUnsafe(begun, Effect.void)
    init?.signal?.addEventListener("abort", () => Deferred.doneUnsafe(aborted, Effect.void))
    return globalThis.fetch(input, init)
  }
