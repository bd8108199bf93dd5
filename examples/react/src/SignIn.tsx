import { Effect, Option } from "effect"
import { AuthProvider, type FormSchema, type SignUpForm } from "effect-oneentry"
import { useState } from "react"
import { CodeStep, type Pending, sendCode } from "./CodeStep.tsx"
import { Form } from "./Form.tsx"
import { useAction } from "./hooks.ts"
import { provider } from "./oneentry.ts"
import { useIssues } from "./problems.ts"

// That somebody is signed in then, the page hears from the session, as the other tabs do.
const signIn = (form: SignUpForm.SignUpForm, values: FormSchema.FormValues) =>
  Effect.gen(function* () {
    const auth = yield* AuthProvider.AuthProvider
    const credentials = yield* form.encodeSignIn(values)
    return yield* auth.auth(provider, credentials).pipe(
      Effect.as(Option.none<Pending>()),
      // Somebody who left before the code was entered.
      Effect.catchTag("UserNotActivated", () => {
        const marker = form.fields("signIn").find(({ role }) => role === "login")?.marker ?? ""
        const login = String(values[marker])
        return Effect.map(sendCode(login), (since) => Option.some<Pending>({ login, credentials, since }))
      })
    )
  })

export const SignIn = ({ form }: { readonly form: SignUpForm.SignUpForm }) => {
  const [state, run] = useAction(signIn)
  const [left, setLeft] = useState(false)
  const issues = useIssues(state)
  if (state._tag === "Done" && Option.isSome(state.value) && !left) {
    return <CodeStep {...state.value.value} onBack={() => setLeft(true)} />
  }
  return (
    <Form
      fields={form.fields("signIn")}
      action="Sign in"
      busy={state._tag === "Running"}
      issues={issues}
      onSubmit={(values) => {
        setLeft(false)
        run(form, values)
      }}
    />
  )
}
