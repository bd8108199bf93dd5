/** The pages, as HTML. They work without a script. */
import type { AuthSchema, SignUpForm } from "effect-oneentry"
import { type Html, html } from "./html.ts"

const page = (title: string, body: Html): string =>
  html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <meta name="color-scheme" content="light dark" />
      <title>${title}</title>
      <style>
        body {
          max-width: 24rem;
          margin: 4rem auto;
          padding: 0 1rem;
          font: 1rem/1.5 system-ui;
        }
        form,
        dl {
          display: grid;
          gap: 0.75rem;
        }
        label {
          display: grid;
        }
        input,
        button {
          font: inherit;
          padding: 0.5rem;
        }
        dt {
          opacity: 0.7;
        }
        dd {
          margin: 0;
        }
      </style>
      <h1>${title}</h1>
      ${body}
    </html>`.text

/** The fields come from the project's form; nothing about them is written here. */
export const signIn = (fields: ReadonlyArray<SignUpForm.Field>, entered = "", problem = ""): string =>
  page(
    "Sign in",
    html`<form method="post" action="/sign-in">
      ${problem === "" ? "" : html`<p role="alert" id="problem">${problem}</p>`}
      ${fields.map(
        (field) =>
          html`<label
            >${field.label}
            <input
              name="${field.marker}"
              type="${field.kind}"
              autocomplete="${field.autocomplete}"
              value="${field.role === "login" ? entered : ""}"
              required
              ${problem === "" ? "" : html`aria-describedby="problem"`}
          /></label>`
      )}
      <button>Sign in</button>
    </form>`
  )

export const profile = (user: AuthSchema.UserEntity): string =>
  page(
    `Hello, ${user.identifier}`,
    html`<dl>
        ${user.formData
          .filter(({ value }) => typeof value === "string")
          .map(
            ({ marker, value }) =>
              html`<div>
                <dt>${marker}</dt>
                <dd>${value}</dd>
              </div>`
          )}
      </dl>
      <form method="post" action="/sign-out"><button>Sign out</button></form>`
  )
