/**
 * The error of every form: public as `FormSchema.FormInvalid` and `SignUpForm.FormInvalid`. It stands here because
 * field values, schemas of forms and the sign-up form all fail with it.
 */
import * as Schema from "effect/Schema"

/**
 * What kind of problem an issue is.
 *
 * `missing`: a required value is absent. `type`: the value is not of the field's type. `validator`: a validator of the
 * form refused it. `file`: a file field without a usable file. `unknownMarker`: the form has no such field. `form`: the
 * form itself cannot be used like that. `server`: the server refused the field.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const code: FormSchema.FormIssueCode = "missing"
 * console.log(code)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type FormIssueCode = "missing" | "type" | "validator" | "file" | "unknownMarker" | "form" | "server"

/**
 * One problem of one field, in words for the person who fills the form in. Never contains the value.
 *
 * ```ts
 * import type { FormSchema } from "effect-oneentry"
 *
 * const issue: FormSchema.FormIssue = { marker: "name_reg", message: "is required", code: "missing" }
 * console.log(issue.message)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const FormIssue = Schema.Struct({
  marker: Schema.String,
  message: Schema.String,
  code: Schema.Literals(["missing", "type", "validator", "file", "unknownMarker", "form", "server"]),
  validator: Schema.optionalKey(Schema.String)
})

/**
 * One problem of one field: its marker (`""` when it is the form as a whole), the message, the kind, and the name of
 * the validator where one refused.
 *
 * @category models
 * @since 0.1.0
 */
export type FormIssue = typeof FormIssue.Type

const shownIssues = 20

/**
 * The values of a form cannot be sent: every problem there is, by marker. Nothing was sent to the server, unless the
 * issues have the code `"server"`.
 *
 * ```ts
 * import { FormSchema } from "effect-oneentry"
 *
 * const error = new FormSchema.FormInvalid({
 *   issues: [{ marker: "email_reg", message: "Enter an e-mail address", code: "validator" }]
 * })
 * console.log(error.byMarker["email_reg"]?.[0]?.message)
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class FormInvalid extends Schema.TaggedError<FormInvalid>("effect-oneentry/FormSchema/FormInvalid")(
  "FormInvalid",
  { issues: Schema.Array(FormIssue) }
) {
  /** All issues in words, one a line, at most twenty. */
  override get message(): string {
    const lines = this.issues
      .slice(0, shownIssues)
      .map((issue) => (issue.marker === "" ? issue.message : `${issue.marker}: ${issue.message}`))
    if (this.issues.length > shownIssues) lines.push(`… and ${this.issues.length - shownIssues} more`)
    return lines.length === 0 ? "the form's values are invalid" : lines.join("\n")
  }

  /** The issues by the marker of their field; a record without a prototype, so that any marker is safe to look up. */
  get byMarker(): Readonly<Record<string, ReadonlyArray<FormIssue>>> {
    const out: Record<string, Array<FormIssue>> = Object.create(null)
    for (const issue of this.issues) (out[issue.marker] ??= []).push(issue)
    return out
  }
}
