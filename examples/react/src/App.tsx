import { Effect, Option } from "effect"
import { Forms, type Session, SignUpForm } from "effect-oneentry"
import { useEffect, useRef, useState } from "react"
import { useLoaded, useVisitor } from "./hooks.ts"
import { sentence } from "./problems.ts"
import { Profile } from "./Profile.tsx"
import { SignIn } from "./SignIn.tsx"
import { SignUp } from "./SignUp.tsx"

const loadForm = Forms.Forms.use((forms) => forms.getFormByMarker("reg")).pipe(
  Effect.map((form) => SignUpForm.make(form, { notifications: "emailOnly" }))
)

const farewell: Record<Session.SignedOutReason, string> = {
  SignOut: "You have signed out.",
  Elsewhere: "You have signed out in another tab.",
  PasswordChanged: "Your password was changed. Please sign in with the new one.",
  Rejected: "Your session has ended. Please sign in again.",
  Ambiguous: "Your session has ended. Please sign in again."
}

/** The heading of a page, which has the focus when the page has changed: that is where to read on. */
const Heading = ({ moved, text }: { readonly text: string; readonly moved: boolean }) => {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${text} – The Reading Room`
    if (moved) heading.current?.focus()
  }, [text, moved])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {text}
    </h1>
  )
}

const Stranger = ({ changed, form }: { readonly changed: boolean; readonly form: SignUpForm.SignUpForm }) => {
  const [page, setPage] = useState<"signIn" | "signUp">("signIn")
  const [moved, setMoved] = useState(changed)
  const go = (next: typeof page) => {
    setMoved(true)
    setPage(next)
  }
  return page === "signIn" ? (
    <>
      <Heading text="Welcome back" moved={moved} />
      <SignIn form={form} />
      <p>
        New here?{" "}
        <button type="button" className="link" onClick={() => go("signUp")}>
          Sign up
        </button>
      </p>
    </>
  ) : (
    <>
      <Heading text="Become a reader" moved={moved} />
      <SignUp form={form} />
      <p>
        You have an account?{" "}
        <button type="button" className="link" onClick={() => go("signIn")}>
          Sign in
        </button>
      </p>
    </>
  )
}

export const App = () => {
  const { changed, ended, session } = useVisitor()
  const [form] = useLoaded(loadForm)
  return (
    <div className="page">
      <header>
        <p className="brand">The Reading Room</p>
        <p className="claim">A quiet place for people who read.</p>
      </header>
      <main>
        <output className="farewell">{ended === undefined ? "" : farewell[ended]}</output>
        {session === undefined || form._tag === "Idle" || form._tag === "Running" ? (
          <output>One moment…</output>
        ) : form._tag === "Failed" ? (
          <p role="alert">{sentence(form.error)}</p>
        ) : Option.isSome(session) ? (
          <>
            <Heading text="Your profile" moved={changed} />
            <Profile form={form.value} />
          </>
        ) : (
          <Stranger changed={changed} form={form.value} />
        )}
      </main>
    </div>
  )
}
