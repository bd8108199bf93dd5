import { DateTime, Duration, Effect } from "effect"
import { AuthProvider, CodePolicy, type FieldValue } from "effect-oneentry"
import { type FormEvent, useEffect, useId, useMemo, useRef } from "react"
import { useAction, useLoaded, useStream } from "./hooks.ts"
import { event, provider } from "./oneentry.ts"
import { sentence } from "./problems.ts"

/** Somebody whose code is still to be entered. */
export interface Pending {
  readonly login: string
  /** For when it is: nobody types a password twice. */
  readonly credentials: { readonly authData: ReadonlyArray<FieldValue.AuthField> }
  /** When the code was sent. */
  readonly since: CodePolicy.Since
}

interface Props extends Pending {
  readonly onBack: () => void
}

const loadPolicy = AuthProvider.AuthProvider.use((auth) => auth.getAuthProviderByMarker(provider)).pipe(
  Effect.map((entity) => CodePolicy.fromProvider(entity))
)

const enter = ({ credentials, login }: Props, code: string) =>
  Effect.gen(function* () {
    const auth = yield* AuthProvider.AuthProvider
    yield* auth.activateUser(provider, { userIdentifier: login, code: CodePolicy.normalise(code) })
    yield* auth.auth(provider, credentials)
  })

/** Asks for a code, and says from when on the next may be asked for. */
export const sendCode = (login: string) =>
  AuthProvider.AuthProvider.use((auth) =>
    auth.generateCode(provider, { userIdentifier: login, eventIdentifier: event })
  ).pipe(
    Effect.andThen(DateTime.now),
    Effect.map((requestedAt): CodePolicy.Since => ({ requestedAt })),
    Effect.catchTag("UserAlreadyHasCode", (error): Effect.Effect<CodePolicy.Since> => Effect.succeed({ error }))
  )

const Code = ({ policy, ...props }: Props & { readonly policy: CodePolicy.CodePolicy }) => {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [entered, submit] = useAction(enter)
  const [sent, resend] = useAction(sendCode)
  const since = sent._tag === "Done" ? sent.value : props.since
  const countdown = useMemo(() => CodePolicy.countdown(policy, since), [policy, since])
  const left = useStream(countdown, policy.reissueAfter)
  const waiting = !Duration.isZero(left) || sent._tag === "Running"
  const busy = entered._tag === "Running"
  const problem =
    entered._tag === "Failed" ? sentence(entered.error) : sent._tag === "Failed" ? sentence(sent.error) : ""

  useEffect(() => input.current?.focus(), [])
  useEffect(() => {
    if (entered._tag === "Failed") input.current?.select()
  }, [entered])

  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!busy) submit(props, input.current?.value ?? "")
  }
  return (
    <form onSubmit={onSubmit} noValidate aria-busy={busy}>
      <p>
        We have sent a code to <strong>{props.login}</strong>.
      </p>
      <div className="field">
        <label htmlFor={id}>Code</label>
        <input
          ref={input}
          id={id}
          className="code"
          autoComplete="one-time-code"
          inputMode={policy.alphabet === "digits" ? "numeric" : "text"}
          size={policy.length}
          aria-invalid={problem !== "" || undefined}
          aria-describedby={problem === "" ? undefined : `${id}-problem`}
        />
        <div role="alert" id={`${id}-problem`} className="problem">
          {problem}
        </div>
      </div>
      <button type="submit" aria-disabled={busy}>
        {busy ? "One moment…" : "Continue"}
      </button>
      <button type="button" className="quiet" aria-disabled={waiting} onClick={() => waiting || resend(props.login)}>
        {waiting ? `Send a new code in ${Math.ceil(Duration.toSeconds(left))} s` : "Send a new code"}
      </button>
      <button type="button" className="quiet" onClick={props.onBack}>
        Start again
      </button>
      <output className="hint">
        {sent._tag === "Done" && sent.value.requestedAt !== undefined ? "A new code is on its way." : ""}
      </output>
    </form>
  )
}

export const CodeStep = (props: Props) => {
  const [policy] = useLoaded(loadPolicy)
  switch (policy._tag) {
    case "Done":
      return <Code {...props} policy={policy.value} />
    case "Failed":
      return <p role="alert">{sentence(policy.error)}</p>
    default:
      return <output>One moment…</output>
  }
}
