/** What went wrong, in words for the person who is asked to do something about it. */
import { type FormSchema, SignUpForm } from "effect-oneentry"
import { useMemo } from "react"
import type { State } from "./hooks.ts"

const sentences: Readonly<Record<string, string>> = {
  InvalidCredentials: "That e-mail and password do not belong together.",
  InvalidCode: "That is not the code that was sent, or it has ended.",
  CodeAttemptsExceeded: "Too many wrong codes. Send a new one.",
  FileTooLarge: "That file is too large."
}

export const sentence = (error: { readonly _tag: string }): string =>
  sentences[error._tag] ?? "That did not work. Please try again in a moment."

/** The issues of a form that failed: by field where that is known, otherwise one of the form as a whole. */
export const useIssues = <A, E extends { readonly _tag: string }>(
  state: State<A, E>
): ReadonlyArray<FormSchema.FormIssue> =>
  useMemo(() => {
    if (state._tag !== "Failed") return []
    const { error } = state
    return error instanceof SignUpForm.FormInvalid
      ? error.issues
      : [{ marker: "", message: sentence(error), code: "server" }]
  }, [state])
