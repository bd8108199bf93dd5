import { Effect } from "effect"
import { AuthProvider, type FormSchema, type SignUpForm } from "effect-oneentry"
import { Form } from "./Form.tsx"
import { useAction } from "./hooks.ts"
import { provider } from "./oneentry.ts"
import { useIssues } from "./problems.ts"

// That somebody is signed in then, the page hears from the session, as the other tabs do.
const signIn = (form: SignUpForm.SignUpForm, values: FormSchema.FormValues) =>
  Effect.flatMap(form.encodeSignIn(values), (data) =>
    AuthProvider.AuthProvider.use((auth) => auth.auth(provider, data))
  )

export const SignIn = ({ form }: { readonly form: SignUpForm.SignUpForm }) => {
  const [state, run] = useAction(signIn)
  const issues = useIssues(state)
  return (
    <Form
      fields={form.fields("signIn")}
      action="Sign in"
      busy={state._tag === "Running"}
      issues={issues}
      onSubmit={(values) => run(form, values)}
    />
  )
}
