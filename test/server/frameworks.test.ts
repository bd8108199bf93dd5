/** The wrapper, called as frameworks call their handlers: the table of docs/servers.md. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { AuthProvider, Session, Users } from "effect-oneentry"
import { type CookieSession, type Visitor, WebSession } from "effect-oneentry/server"
import { type App, origin, type Services, withApp } from "./support.ts"

const signIn = AuthProvider.AuthProvider.use((auth) =>
  auth.auth("email", {
    authData: [
      { marker: "email_reg", value: "ann" },
      { marker: "password_reg", value: Redacted.make("secret") }
    ]
  })
)

const name = Effect.map(
  Users.Users.use((users) => users.getUser()),
  (user) => user.identifier
)

type Inside = Exclude<Services, CookieSession.CookieSession>

/** What Next gives beside the request. */
interface NextContext {
  readonly params: Promise<{ readonly id: string }>
}

/** `NextRequest` is a `Request` and more. */
class NextRequest extends Request {
  readonly nextUrl = new URL(this.url)
}

const cookieOf = (response: Response) =>
  response.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ")

/** Each takes a request the way that its framework hands it over. */
const frameworksOf = (web: WebSession.WebSession<Inside>) => {
  const me = web.withSession(async (_, visit) => new Response(await visit.run(name)))
  const GET = web.withSession(async (request: NextRequest, visit, context: NextContext) => {
    const { id } = await context.params
    return Response.json({ id, path: request.nextUrl.pathname, name: await visit.run(name) })
  })
  const sveltekit = ({ request }: { readonly request: Request; readonly cookies: object }) => me(request)
  const astro = ({ request }: { readonly request: Request; readonly locals: object }) => me(request)
  const loader = ({ request }: { readonly request: Request; readonly params: object }) => me(request)
  const hono = (c: { readonly req: { readonly raw: Request } }) => me(c.req.raw)
  // As Workers, Bun and Deno hand more over than the request.
  const fetch = web.withSession(
    async (_, visit, env: { readonly greeting: string }, _ctx: object) =>
      new Response(`${env.greeting}${await visit.run(name)}`)
  )
  return {
    "Next, a route handler": (request: Request) =>
      GET(new NextRequest(request), { params: Promise.resolve({ id: "7" }) }),
    "SvelteKit, an endpoint": (request: Request) => sveltekit({ request, cookies: {} }),
    "Astro, an endpoint": (request: Request) => astro({ request, locals: {} }),
    "Remix, a loader": (request: Request) => loader({ request, params: {} }),
    Hono: (request: Request) => hono({ req: { raw: request } }),
    "Bun and Deno": (request: Request) => me(request),
    "a Worker": (request: Request) => fetch(request, { greeting: "" }, {})
  }
}

describe("a handler of the wrapper", () => {
  const withWeb = (f: (app: App, web: WebSession.WebSession<Inside>) => Promise<void>) =>
    withApp({ mode: "sealed" }, (app) =>
      Effect.promise(async () => {
        const web = WebSession.make(Layer.succeedContext(app.context))
        await f(app, web)
        await web.dispose()
      })
    )

  it.live("is a handler of each framework, and the session goes on in all of them", () =>
    withWeb(async (app, web) => {
      const signedIn = await web.withSession(async (_, visit) => {
        await visit.run(signIn)
        return Response.redirect(`${origin}/me`, 303)
      })(new Request(`${origin}/sign-in`, { method: "POST", headers: { origin } }))
      assert.strictEqual(signedIn.status, 303)
      let cookie = cookieOf(signedIn)
      const device = cookie.split("; ").filter((pair) => pair.includes("-device="))
      let refreshes = 0
      for (const [framework, handler] of Object.entries(frameworksOf(web))) {
        app.server.expire()
        const response = await handler(new Request(`${origin}/me`, { headers: { cookie } }))
        const text = framework.startsWith("Next") ? `{"id":"7","path":"/me","name":"ann"}` : "ann"
        assert.strictEqual(await response.text(), text, framework)
        assert.strictEqual(app.server.count("refresh"), ++refreshes, framework)
        assert.strictEqual(response.headers.get("cache-control"), "private, no-store", framework)
        cookie = [cookieOf(response), ...device].join("; ")
        const again = await handler(new Request(`${origin}/me`, { headers: { cookie } }))
        assert.strictEqual(await again.text(), text, framework)
        assert.deepStrictEqual(again.headers.getSetCookie(), [], framework)
      }
    })
  )

  it.live("rejects where nobody is signed in, for the framework to answer", () =>
    withWeb(async (_, web) => {
      for (const [framework, handler] of Object.entries(frameworksOf(web))) {
        const error: unknown = await handler(new Request(`${origin}/me`)).then(
          () => undefined,
          (error: unknown) => error
        )
        assert.deepInclude(error, { _tag: "NotAuthenticated" }, framework)
      }
    })
  )

  it.live("of a page reads by `readOnly`, which takes the headers alone", () =>
    withWeb(async (_, web) => {
      const request: Visitor.RequestLike = { headers: new Headers() }
      const current = await web.readOnly(request, (visit) =>
        visit.run(Session.Session.use((session) => session.current))
      )
      assert.isTrue(Option.isNone(current))
    })
  )
})
