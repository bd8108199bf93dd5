/** What the server says of the fields of a form, as the error that checks here give. */
import * as Option from "effect/Option"
import * as FormSchema from "../FormSchema.ts"
import type * as OneEntryError from "../OneEntryError.ts"

const messagesOf = ({ reason }: OneEntryError.OneEntryError): ReadonlyArray<string> => {
  switch (reason._tag) {
    case "InvalidRequest":
      return reason.statusCode === undefined ? [] : reason.issues
    case "Unexpected":
      return reason.statusCode === 400 || reason.statusCode === 422 ? reason.messages : []
    default:
      return []
  }
}

const issue = (marker: string, message: string): FormSchema.FormIssue => ({ marker, message, code: "server" })

/** The fields that a refusal is about; `undefined` when it is about something else. */
export const refusedFields = (
  error: OneEntryError.OneEntryError,
  form: FormSchema.Form | undefined,
  fields: ReadonlyArray<{ readonly marker: string; readonly type: string }>
): FormSchema.FormInvalid | undefined => {
  const messages = messagesOf(error)
  const named = FormSchema.fromServerError(messages, form)
  if (Option.isSome(named)) return named.value
  const issues: Array<FormSchema.FormIssue> = []
  for (const message of messages) {
    if (/spam attribute|span attribute|captcha/i.test(message)) {
      const marker = fields.find(({ type }) => type === "spam")?.marker ?? ""
      issues.push(
        issue(marker, `${message}: the form needs one fresh answer of its captcha, as a field of type "spam"`)
      )
    } else if (/empty form data section/i.test(message)) {
      issues.push(issue("", `${message}: is \`langCode\` a language of the project, and are there fields to send?`))
    } else if (/wrong form's attribute type/i.test(message)) {
      issues.push(issue("", `${message}: a marker or a type is not that of the form (\`form\` finds out which)`))
    }
  }
  return issues.length === 0 ? undefined : new FormSchema.FormInvalid({ issues })
}
