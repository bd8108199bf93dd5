/** The user-registration scenario, in Effect: the same calls, each failure with its tag. */
import { Effect, Redacted } from "effect"
import { AuthProvider, Forms } from "effect-oneentry"

const userIdentifier = "your-user@email.com"

/** `prompt` asks the user for the code that came by mail. */
export const registration = (prompt: (question: string) => Effect.Effect<string>) =>
  Effect.gen(function* () {
    const auth = yield* AuthProvider.AuthProvider
    const forms = yield* Forms.Forms

    // 3. The registration form; `SignUpForm.make(form)` makes of it what a page shows, and a schema.
    const form = yield* forms.getFormByMarker("reg")

    // 4. The user registers.
    const authData = [
      { marker: "email_reg", value: userIdentifier },
      { marker: "password_reg", value: Redacted.make("123456") }
    ]
    const newUser = yield* auth.signUp("email", {
      formIdentifier: "reg",
      authData,
      formData: [
        { marker: "name_reg", type: "string", value: "UserName" },
        { marker: "phone_reg", type: "string", value: "+18007986545" },
        { marker: "email_notification_reg", type: "string", value: userIdentifier }
      ],
      notificationData: { email: userIdentifier, phonePush: [], phoneSMS: "+18007986545" }
    })

    // 5. Sign-up has sent a code already, which is no reason to stop.
    const generateCode = yield* auth.generateCode("email", { userIdentifier, eventIdentifier: "auth" }).pipe(
      Effect.as("sent" as const),
      Effect.catchTag("UserAlreadyHasCode", (error) => Effect.succeed(error))
    )

    // 6. The user enters the code.
    const code = yield* prompt("Enter verification code:")

    // 7. A wrong code is a failure with a tag: nothing after it runs.
    yield* auth.checkCode("email", { userIdentifier, eventIdentifier: "1", code })
    yield* auth.activateUser("email", { userIdentifier, code })

    // 8. The user signs in.
    const authResponse = yield* auth.auth("email", { authData })
    return { form, newUser, generateCode, authResponse }
  })
