/** A form of the project, asked field by field in a terminal. */
import { Console, Effect, Result } from "effect"
import { Prompt } from "effect/cli"
import type { FormSchema, SignUpForm } from "effect-oneentry"

const ask = (field: SignUpForm.Field): Prompt.Prompt<unknown> => {
  const message = field.required ? field.label : `${field.label} (may stay empty)`
  return field.role === "password" ? Prompt.Password({ message }) : Prompt.String({ message })
}

const askAll = (fields: ReadonlyArray<SignUpForm.Field>) =>
  Effect.map(
    Effect.forEach(fields, (field) => Effect.map(ask(field), (answer) => [field.marker, answer] as const)),
    (answers): FormSchema.FormValues => Object.fromEntries(answers)
  )

/** Asks for all fields of the sign-up page, then again for those that the form does not take. */
export const fillIn = Effect.fn("fillIn")(function* (form: SignUpForm.SignUpForm) {
  let fields = form.fields("signUp")
  let values = yield* askAll(fields)
  for (;;) {
    const result = yield* Effect.result(form.encode(values))
    if (Result.isSuccess(result)) return { values, data: result.success }
    const { byMarker } = result.failure
    fields = fields.filter(({ marker }) => marker in byMarker)
    // What is wrong is not on the page: nobody can put it right here.
    if (fields.length === 0) return yield* result.failure
    for (const { label, marker } of fields) {
      yield* Console.log(`! ${label}: ${byMarker[marker]?.map(({ message }) => message).join(", ")}`)
    }
    values = { ...values, ...(yield* askAll(fields)) }
  }
})
