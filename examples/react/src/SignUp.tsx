import { DateTime, Effect, Option } from "effect"
import { AuthProvider, type FormSchema, SignUpForm } from "effect-oneentry"
import { useState } from "react"
import { CodeStep, type Pending } from "./CodeStep.tsx"
import { Form } from "./Form.tsx"
import { useAction } from "./hooks.ts"
import { provider } from "./oneentry.ts"
import { useIssues } from "./problems.ts"

const register = (form: SignUpForm.SignUpForm, values: FormSchema.FormValues) =>
  Effect.gen(function* () {
    const auth = yield* AuthProvider.AuthProvider
    const user = yield* auth.signUp(provider, yield* form.encode(values))
    const credentials = yield* form.encodeSignIn(values)
    // Signing up has sent a code.
    const pending: Pending = { login: user.identifier, credentials, since: { requestedAt: yield* DateTime.now } }
    return pending
  }).pipe(
    Effect.catchTags({
      UserAlreadyExists: () => {
        const marker = form.fields("signIn").find(({ role }) => role === "login")?.marker ?? ""
        const message = "Somebody has signed up with this already. If it is you, sign in."
        return Effect.fail(new SignUpForm.FormInvalid({ issues: [{ marker, message, code: "server" }] }))
      },
      // What only the server knows of a field.
      InvalidData: (error) => Effect.fail(Option.getOrElse(form.fromServerError(error.messages), () => error))
    })
  )

export const SignUp = ({ form }: { readonly form: SignUpForm.SignUpForm }) => {
  const [state, run] = useAction(register)
  const [left, setLeft] = useState(false)
  const issues = useIssues(state)
  if (state._tag === "Done" && !left) return <CodeStep {...state.value} onBack={() => setLeft(true)} />
  return (
    <Form
      fields={form.fields("signUp")}
      action="Sign up"
      busy={state._tag === "Running"}
      issues={issues}
      onSubmit={(values) => {
        setLeft(false)
        run(form, values)
      }}
    />
  )
}
