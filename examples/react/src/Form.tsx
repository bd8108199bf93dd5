/** A form whose fields, labels, rules and messages are those of the project. */
import { Redacted } from "effect"
import type { FormSchema, SignUpForm } from "effect-oneentry"
import { type FormEvent, type ReactNode, useEffect, useId, useRef } from "react"

type Field = SignUpForm.Field

/** What the form holds, by marker. */
const valuesOf = (form: HTMLFormElement, fields: ReadonlyArray<Field>): FormSchema.FormValues => {
  const data = new FormData(form)
  const valueOf = ({ choices, kind, marker, multiple, role }: Field): unknown => {
    if (multiple) return data.getAll(marker)
    if (kind === "checkbox" && choices.length === 0) return data.has(marker)
    const value = data.get(marker)
    return role === "password" && typeof value === "string" ? Redacted.make(value) : value
  }
  return Object.fromEntries(fields.map((field) => [field.marker, valueOf(field)]))
}

/** The attributes that tie a control to its hint and its problems. */
const described = (id: string, field: Field, problems: ReadonlyArray<string>) => ({
  "aria-invalid": problems.length > 0 || undefined,
  "aria-describedby":
    [field.hint === undefined ? "" : `${id}-hint`, problems.length > 0 ? `${id}-problems` : ""].join(" ").trim() ||
    undefined
})

const Choices = ({ field }: { readonly field: Field }) =>
  field.choices.map(({ label, value }) => (
    <label key={value} className="choice">
      <input
        type={field.kind}
        name={field.marker}
        value={value}
        required={field.kind === "radio" && field.required}
        defaultChecked={field.defaultValue === value}
      />
      {label}
    </label>
  ))

const Control = ({ field, id, problems }: FieldProps & { readonly id: string }) => {
  const common = {
    id,
    name: field.marker,
    required: field.required,
    ...described(id, field, problems),
    ...(typeof field.defaultValue === "string" || typeof field.defaultValue === "number"
      ? { defaultValue: field.defaultValue }
      : undefined)
  }
  switch (field.kind) {
    case "select":
      return (
        <select {...common} multiple={field.multiple} defaultValue={common.defaultValue ?? (field.multiple ? [] : "")}>
          {field.multiple ? null : <option value="">Choose…</option>}
          {field.choices.map(({ label, value }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )
    case "textarea":
    case "json":
      return <textarea {...common} rows={4} maxLength={field.maxLength} placeholder={field.placeholder} />
    case "file":
      return <input {...common} type="file" multiple={field.multiple} accept={field.accept?.join()} />
    default:
      return (
        <input
          {...common}
          type={field.kind}
          autoComplete={field.autocomplete}
          placeholder={field.placeholder}
          min={field.min}
          max={field.max}
          step={field.step}
          maxLength={field.maxLength}
        />
      )
  }
}

interface FieldProps {
  readonly field: Field
  readonly problems: ReadonlyArray<string>
}

const FormField = ({ field, problems }: FieldProps) => {
  const id = useId()
  const notes = (
    <>
      {field.hint === undefined ? null : (
        <p className="hint" id={`${id}-hint`}>
          {field.hint}
        </p>
      )}
      {problems.length === 0 ? null : (
        <p className="problem" id={`${id}-problems`}>
          {problems.join(" ")}
        </p>
      )}
    </>
  )
  const label = (
    <>
      {field.label}
      {field.required ? null : <span className="optional"> (optional)</span>}
    </>
  )
  return field.kind === "radio" || (field.kind === "checkbox" && field.choices.length > 0) ? (
    <fieldset {...described(id, field, problems)}>
      <legend>{label}</legend>
      <div className="choices">
        <Choices field={field} />
      </div>
      {notes}
    </fieldset>
  ) : (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <Control id={id} field={field} problems={problems} />
      {notes}
    </div>
  )
}

export interface FormProps {
  readonly fields: ReadonlyArray<Field>
  readonly action: string
  readonly busy: boolean
  /** What is wrong, by field; under a marker that is not on the page, with the form as a whole. */
  readonly issues: ReadonlyArray<FormSchema.FormIssue>
  readonly onSubmit: (values: FormSchema.FormValues) => void
  readonly children?: ReactNode
}

export const Form = ({ action, busy, children, fields, issues, onSubmit }: FormProps) => {
  const form = useRef<HTMLFormElement>(null)
  // Who submitted by keyboard goes on at the first field that is wrong.
  useEffect(() => {
    if (issues.length > 0) form.current?.querySelector<HTMLElement>("[aria-invalid], [aria-invalid] input")?.focus()
  }, [issues])
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!busy) onSubmit(valuesOf(event.currentTarget, fields))
  }
  const general = issues.filter(({ marker }) => !fields.some((field) => field.marker === marker))
  return (
    <form ref={form} onSubmit={submit} noValidate aria-busy={busy}>
      <div role="alert">
        {general.map(({ message }) => (
          <p key={message} className="problem">
            {message}
          </p>
        ))}
      </div>
      {fields.map((field) => (
        <FormField
          key={field.marker}
          field={field}
          problems={issues.filter(({ marker }) => marker === field.marker).map(({ message }) => message)}
        />
      ))}
      <button type="submit" aria-disabled={busy}>
        {busy ? "One moment…" : action}
      </button>
      {children}
    </form>
  )
}
