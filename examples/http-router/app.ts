/**
 * A sign-in form, a profile and a sign-out, rendered on the server. `HttpSession.layer` makes each request a visit: inside
 * a handler `Session` is the visitor's, and a form that another site's page posts is refused before it gets here.
 */
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { AuthProvider, Forms, SignUpForm, Users } from "effect-oneentry"
import { HttpSession } from "effect-oneentry/server"
import * as Pages from "./pages.ts"

const signInForm = Forms.Forms.use((forms) => forms.getFormByMarker("reg")).pipe(
  Effect.map((form) => SignUpForm.make(form))
)

const page = (html: string, status = 200) =>
  HttpServerResponse.text(html, {
    status,
    contentType: "text/html; charset=utf-8",
    headers: {
      "cache-control": "private, no-store",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    }
  })

const home = HttpServerResponse.redirect("/", { status: 303 })

const Profile = HttpRouter.add(
  "GET",
  "/",
  Users.Users.use((users) => users.getUser()).pipe(
    Effect.map((user) => page(Pages.profile(user))),
    Effect.catchTag(["NotAuthenticated", "TokenExpired"], () =>
      Effect.map(signInForm, (form) => page(Pages.signIn(form.fields("signIn"))))
    )
  )
)

const SignIn = HttpRouter.add(
  "POST",
  "/sign-in",
  Effect.gen(function* () {
    const form = yield* signInForm
    const fields = form.fields("signIn")
    const values = yield* HttpServerRequest.schemaBodyUrlParams(Schema.Record(Schema.String, Schema.String))
    const again = (problem: string) => {
      const login = fields.find(({ role }) => role === "login")?.marker ?? ""
      return page(Pages.signIn(fields, values[login], problem), 422)
    }
    return yield* form.encodeSignIn(values).pipe(
      Effect.flatMap((data) => AuthProvider.AuthProvider.use((auth) => auth.auth("email", data))),
      Effect.as(home),
      Effect.catchTags({
        FormInvalid: (error) => Effect.succeed(again(error.message)),
        InvalidCredentials: () => Effect.succeed(again("That e-mail and password do not belong together")),
        UserNotActivated: () => Effect.succeed(again("Please enter the code that was sent to you first"))
      })
    )
  })
)

const SignOut = HttpRouter.add(
  "POST",
  "/sign-out",
  Effect.as(
    AuthProvider.AuthProvider.use((auth) => auth.logout()),
    home
  )
)

export const App = Layer.mergeAll(Profile, SignIn, SignOut).pipe(Layer.merge(HttpSession.layer()))
