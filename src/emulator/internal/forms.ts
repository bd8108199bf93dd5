/** The endpoints of Forms. */
import * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Project from "../Project.ts"
import * as answers from "./answers.ts"
import type { Backend } from "./backend.ts"
import { type Endpoint, route } from "./endpoint.ts"
import { isList } from "./fields.ts"
import { langCode, page, paging } from "./paging.ts"
import { Refusal, refuse } from "./refusal.ts"

type NumberedForm = Project.Form & { readonly id: number }

const shownAttribute = (attribute: Project.Attribute, langCode: string): typeof answers.Attribute.Type => ({
  ...attribute,
  listTitles: isList(attribute.listTitles)
    ? attribute.listTitles
    : (attribute.listTitles[langCode] ?? Object.values(attribute.listTitles)[0] ?? [])
})

const shownForm = (form: NumberedForm, langCode: string): typeof answers.Form.Type => ({
  id: form.id,
  attributeSetId: form.attributeSetId,
  type: form.type,
  version: form.version,
  position: form.position,
  identifier: form.identifier,
  processingType: form.processingType,
  templateId: form.templateId,
  localizeInfos: form.localizeInfos,
  // a form without fields has an object here
  attributes:
    form.attributes.length === 0 ? {} : form.attributes.map((attribute) => shownAttribute(attribute, langCode)),
  moduleFormConfigs: form.moduleFormConfigs.map(({ isModerate: _, ...config }) => config)
})

const shown = new WeakMap<NumberedForm, Map<string, typeof answers.Form.Type>>()

/** The same object for the same form and language. Languages come from callers: only those of the project are kept. */
const stableForm = (backend: Backend, form: NumberedForm, langCode: string): typeof answers.Form.Type => {
  if (!backend.project.languages.includes(langCode)) return shownForm(form, langCode)
  let byLanguage = shown.get(form)
  if (byLanguage === undefined) shown.set(form, (byLanguage = new Map()))
  let answer = byLanguage.get(langCode)
  if (answer === undefined) byLanguage.set(langCode, (answer = shownForm(form, langCode)))
  return answer
}

const getForms: Endpoint<undefined, typeof answers.Forms.Type, keyof typeof langCode | keyof typeof page> = {
  operation: "getAllForms",
  summary: "The forms",
  query: { ...langCode, ...page },
  method: "GET",
  path: "/api/content/forms",
  answer: answers.Forms,
  handle: (exchange) => {
    const { backend, query } = exchange
    const rows = paging(exchange)
    if (rows instanceof Refusal) return Effect.fail(rows)
    const forms = [...backend.forms.values()]
    const language = query("langCode") ?? backend.defaultLanguage
    return Effect.succeed({
      total: forms.length,
      items: forms.slice(rows.offset, rows.offset + rows.limit).map((form) => stableForm(backend, form, language))
    })
  }
}

const getForm: Endpoint<undefined, typeof answers.Form.Type, keyof typeof langCode> = {
  operation: "getFormByMarker",
  summary: "One form",
  query: langCode,
  refuses: ["FormNotFound"],
  method: "GET",
  path: "/api/content/forms/marker/:marker",
  answer: answers.Form,
  stable: "answer",
  handle: ({ backend, params, query }) => {
    const form = backend.forms.get(params["marker"] ?? "")
    return form === undefined
      ? refuse("FormNotFound")
      : Effect.succeed(stableForm(backend, form, query("langCode") ?? backend.defaultLanguage))
  }
}

export const routes = (
  backend: Backend
): ReadonlyArray<HttpRouter.Route<never, HttpServerRequest.HttpServerRequest>> => [
  route(backend, getForms),
  route(backend, getForm)
]
