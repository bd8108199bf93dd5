/** The endpoints of FormData: sending, reading, changing and deleting submissions. */
import * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Project from "../Project.ts"
import type { FormData, Submission } from "../Snapshot.ts"
import * as answers from "./answers.ts"
import { iso } from "./auth.ts"
import type { Backend } from "./backend.ts"
import * as bodies from "./bodies.ts"
import { type Endpoint, type Exchange, route } from "./endpoint.ts"
import { checkItems, fieldRefusals, localeOf } from "./fields.ts"
import { langCode, page, paging, text } from "./paging.ts"
import { Refusal, refusal, refuse } from "./refusal.ts"

const shown = (row: Submission) => ({
  id: row.id,
  formIdentifier: row.formIdentifier,
  time: iso(row.time),
  entityIdentifier: row.entityIdentifier,
  fingerprint: row.fingerprint,
  isUserAdmin: false,
  formModuleId: row.formModuleConfigId,
  userIdentifier: row.userIdentifier,
  parentId: row.parentId
})

/** What the form says after a submission: a text by language, one language of it, or nothing. */
const actionMessage = (form: Project.Form, locale: string): string => {
  const infos = form.localizeInfos[locale]
  const message =
    typeof infos === "object" && infos !== null && "successMessage" in infos ? infos["successMessage"] : ""
  return typeof message === "string" ? message : ""
}

/** The config that a submission belongs to; a form without configs takes submissions without one. */
const configOf = (
  backend: Backend,
  form: Project.Form,
  id: number | null | undefined
): Project.FormConfig | undefined | Refusal => {
  if (id === undefined || id === null) return form.moduleFormConfigs[0]
  const config = form.moduleFormConfigs.find((config) => config.id === id)
  return config ?? refusal("FormConfigMismatch")
}

const checkEntity = (
  config: Project.FormConfig | undefined,
  entity: string | number | null | undefined
): Refusal | undefined => {
  if (config === undefined || entity === undefined || entity === null || entity === "") return undefined
  const same = (id: string | number) => String(id) === String(entity)
  if (config.exceptionIds.some(same)) return refusal("EntityUnknown")
  if (config.isGlobal || config.entityIdentifiers.length === 0) return undefined
  return config.entityIdentifiers.some((known) => same(known.id)) ? undefined : refusal("EntityUnknown")
}

const checkRating = (
  exchange: Exchange<unknown>,
  form: Project.Form,
  config: Project.FormConfig | undefined,
  entity: string | number | null | undefined,
  items: ReadonlyArray<FormData[string][number]>
): Refusal | undefined => {
  if (form.type !== "rating" && config?.isRating !== true) return undefined
  const { backend, device, request, user } = exchange
  if (device === undefined) {
    return refusal(
      request.header("x-device-metadata") === undefined ? "DeviceMetadataMissing" : "DeviceMetadataInvalid"
    )
  }
  for (const field of form.attributes) {
    if (field.isRatingValue !== true) continue
    const value = items.find((item) => item.marker === field.marker)?.value
    if (value === undefined) continue
    const number = Number(value)
    const step = config?.allowHalfRatings === true ? 0.5 : 1
    const scale = config?.maxRatingScale ?? 5
    if (!(number >= 0 && number <= scale) || !Number.isInteger(number / step)) {
      return refusal("FieldIncorrect", [field.marker])
    }
  }
  if (config?.allowRerating === true) return undefined
  for (const row of backend.state.submissions.rows.values()) {
    if (row.formIdentifier !== form.identifier || String(row.entityIdentifier) !== String(entity ?? null)) continue
    if (row.userId === null ? row.fingerprint === device.fingerprint : row.userId === user?.id) {
      return refusal("AlreadyRated")
    }
  }
  return undefined
}

const parentOf = (value: string | number | null | undefined): number | null => {
  if (value === null || value === undefined || value === "") return null
  const id = Number(value)
  return Number.isSafeInteger(id) ? id : null
}

const post: Endpoint<Exclude<ReturnType<typeof bodies.postFormData>, Refusal>, typeof answers.Submission.Type> = {
  operation: "postFormsData",
  summary: "Submit a form",
  device: "optional",
  bearer: "optional",
  refuses: [
    "FormNotFound",
    "FormType",
    "FormConfigMismatch",
    "EntityUnknown",
    "AnonymousNotAllowed",
    "DeviceMetadataMissing",
    "DeviceMetadataInvalid",
    "AlreadyRated",
    "SubmissionNotFound",
    ...fieldRefusals
  ],
  method: "POST",
  path: "/api/content/form-data",
  body: bodies.postFormData,
  answer: answers.Submission,
  handle: (exchange) => {
    const { backend, body, device, now, user } = exchange
    exchange.log.marker = body.formIdentifier
    const form = backend.forms.get(body.formIdentifier)
    if (form === undefined) return refuse("FormNotFound")
    const locale = localeOf(backend.project, Object.keys(body.formData)[0] ?? "")
    if (locale === undefined) return refuse("FormDataEmpty")
    const items = checkItems({
      form,
      formData: body.formData,
      locale,
      required: "submission",
      switches: backend.switches
    })
    if (items instanceof Refusal) return Effect.fail(items)
    if (form.type === "sing_in_up" || form.type === "sign_in_up" || form.type === "order") {
      return refuse("FormType", [form.type])
    }
    const config = configOf(backend, form, body.formModuleConfigId)
    if (config instanceof Refusal) return Effect.fail(config)
    const entity = checkEntity(config, body.moduleEntityIdentifier)
    if (entity !== undefined) return Effect.fail(entity)
    if (config?.isAnonymous === false && user === undefined) return refuse("AnonymousNotAllowed")
    const rating = checkRating(exchange, form, config, body.moduleEntityIdentifier, items)
    if (rating !== undefined) return Effect.fail(rating)
    const parentId = parentOf(body.replayTo)
    if (parentId !== null && backend.state.submissions.get(parentId) === undefined) return refuse("SubmissionNotFound")

    const status = body.status === "" || body.status === undefined || body.status === null ? "sent" : body.status
    const row = backend.state.submissions.set({
      id: backend.state.nextId("submission"),
      formIdentifier: form.identifier,
      formModuleConfigId: config?.id ?? null,
      moduleIdentifier: config?.moduleIdentifier ?? null,
      entityIdentifier: body.moduleEntityIdentifier ?? null,
      userId: user?.id ?? null,
      userIdentifier: user?.login ?? null,
      fingerprint: device?.fingerprint ?? null,
      parentId,
      status: config?.isModerate === true ? "moderation" : status,
      formData: { [locale]: items },
      time: now
    })
    return Effect.succeed({
      formData: { ...shown(row), formData: row.formData },
      actionMessage: actionMessage(form, locale)
    })
  }
}

const depthOf = (backend: Backend, row: Submission): number => {
  let depth = 0
  for (let parent = row.parentId; parent !== null && depth < 100; depth++) {
    parent = backend.state.submissions.get(parent)?.parentId ?? null
  }
  return depth
}

const day = /^\d{4}-\d{2}-\d{2}$/

/** The moment that a filter's date means; a date alone covers the whole day. */
const moment = (text: string | null | undefined, end: boolean): number | undefined => {
  if (text === undefined || text === null || text === "") return undefined
  return Date.parse(day.test(text) ? `${text}T${end ? "23:59:59.999" : "00:00:00.000"}Z` : `${text.replace(" ", "T")}Z`)
}

const listQuery = {
  formModuleConfigId: text("The form config whose submissions are meant; all of the form when absent.", "2"),
  isExtended: text("`1` for more of each submission: its status, its module, the device.", "1")
}

const list: Endpoint<
  Exclude<ReturnType<typeof bodies.listFormData>, Refusal>,
  typeof answers.Submissions.Type,
  keyof typeof langCode | keyof typeof page | keyof typeof listQuery
> = {
  operation: "getFormsDataByMarker",
  summary: "The submissions of a form",
  bearer: "optional",
  query: { ...langCode, ...page, ...listQuery },
  refuses: ["FormNotFound", "FormConfigMismatch", "SubmissionsPrivate"],
  method: "POST",
  path: "/api/content/form-data/marker/:marker",
  body: bodies.listFormData,
  answer: answers.Submissions,
  handle: (exchange) => {
    const { backend, body, params, query, user } = exchange
    const form = backend.forms.get(params["marker"] ?? "")
    if (form === undefined) return refuse("FormNotFound")
    const rowsOf = paging(exchange)
    if (rowsOf instanceof Refusal) return Effect.fail(rowsOf)
    const configId = query("formModuleConfigId")
    const config = configOf(backend, form, configId === undefined || configId === "" ? null : Number(configId))
    if (config instanceof Refusal) return Effect.fail(config)
    if (config?.isClosed === true) return refuse("SubmissionsPrivate")
    if (config?.viewOnlyUserData === true && user === undefined) return refuse("SubmissionsPrivate")
    const from = moment(body.dateFrom, false)
    const to = moment(body.dateTo, true)
    if (Number.isNaN(from)) return Effect.fail(new Refusal("ValidationFailed", 400, ["dateFrom is not valid"]))
    if (Number.isNaN(to)) return Effect.fail(new Refusal("ValidationFailed", 400, ["dateTo is not valid"]))
    const statuses = (typeof body.status === "string" ? [body.status] : (body.status ?? [])).filter(
      (status) => status !== ""
    )
    const parent = parentOf(body.parentId)
    const isSet = (value: unknown) => value !== undefined && value !== null && value !== ""
    const rows: Array<Submission> = []
    for (const row of backend.state.submissions.rows.values()) {
      if (row.formIdentifier !== form.identifier) continue
      if (isSet(configId) && row.formModuleConfigId !== Number(configId)) continue
      if (config?.viewOnlyUserData === true && row.userId !== user?.id) continue
      if (isSet(body.entityIdentifier) && String(row.entityIdentifier) !== String(body.entityIdentifier)) continue
      if (isSet(body.parentId) && row.parentId !== parent) continue
      if (isSet(body.userIdentifier) && row.userIdentifier !== body.userIdentifier) continue
      if (statuses.length > 0 && !statuses.some((status) => status === row.status)) continue
      if (from !== undefined && row.time < from) continue
      if (to !== undefined && row.time > to) continue
      if (body.isSentByAdmin === true) continue
      rows.push(row)
    }
    const extended = query("isExtended") === "1" || query("isExtended") === "true"
    return Effect.succeed({
      items: rows.slice(rowsOf.offset, rowsOf.offset + rowsOf.limit).map((row) => ({
        id: row.id,
        formIdentifier: row.formIdentifier,
        formData: row.formData,
        time: iso(row.time),
        parentId: row.parentId,
        depth: depthOf(backend, row),
        userIdentifier: row.userIdentifier,
        entityIdentifier: row.entityIdentifier,
        isUserAdmin: false,
        formModuleConfigId: row.formModuleConfigId,
        ...(extended
          ? {
              ip: null,
              fingerprint: row.fingerprint,
              status: row.status,
              attributeSetIdentifier: null,
              moduleIdentifier: row.moduleIdentifier
            }
          : {})
      })),
      total: rows.length
    })
  }
}

/** The caller's own submission that the path names. */
const own = (exchange: Exchange<unknown>): Submission | Refusal => {
  const id = exchange.params["id"] ?? ""
  const row = /^\d{1,15}$/.test(id) ? exchange.backend.state.submissions.get(Number(id)) : undefined
  if (row === undefined) return refusal("SubmissionNotFound")
  return row.userId !== null && row.userId === exchange.user?.id ? row : refusal("SubmissionNotYours")
}

const isArray = (
  value: FormData | ReadonlyArray<FormData[string][number]>
): value is ReadonlyArray<FormData[string][number]> => Array.isArray(value)

const update: Endpoint<
  Exclude<ReturnType<typeof bodies.putFormData>, Refusal>,
  typeof answers.UpdatedSubmission.Type
> = {
  operation: "updateFormsDataByid",
  summary: "Change a submission of your own",
  refuses: ["SubmissionNotFound", "SubmissionNotYours", "FormNotFound", "FormConfigMismatch", ...fieldRefusals],
  method: "PUT",
  path: "/api/content/form-data/:id",
  bearer: "required",
  body: bodies.putFormData,
  answer: answers.UpdatedSubmission,
  handle: (exchange) => {
    const { backend, body, now } = exchange
    const row = own(exchange)
    if (row instanceof Refusal) return Effect.fail(row)
    const form = backend.forms.get(row.formIdentifier)
    if (form === undefined) return refuse("FormNotFound")
    if (body.formIdentifier !== undefined && body.formIdentifier !== row.formIdentifier) {
      return refuse("FormConfigMismatch")
    }
    // Sources disagree about what is sent, and both is taken; that the answer has a list they say with one voice.
    const sent = body.formData
    const locale = localeOf(
      backend.project,
      isArray(sent) ? (body.langCode ?? backend.defaultLanguage) : (Object.keys(sent)[0] ?? "")
    )
    if (locale === undefined) return refuse("FormDataEmpty")
    const items = checkItems({
      form,
      formData: isArray(sent) ? { [locale]: sent } : sent,
      locale,
      required: "submission",
      switches: backend.switches
    })
    if (items instanceof Refusal) return Effect.fail(items)
    const changed = backend.state.submissions.set({
      ...row,
      formData: { ...row.formData, [locale]: items },
      time: now
    })
    return Effect.succeed({ ...shown(changed), formData: items })
  }
}

const updateStatus: Endpoint<Exclude<ReturnType<typeof bodies.putStatus>, Refusal>, true> = {
  operation: "updateFormsDataStatusByid",
  summary: "Change the status of a submission of your own",
  refuses: ["SubmissionNotFound", "SubmissionNotYours"],
  method: "PUT",
  path: "/api/content/form-data/:id/update-status",
  bearer: "required",
  body: bodies.putStatus,
  answer: answers.True,
  handle: (exchange) => {
    const row = own(exchange)
    if (row instanceof Refusal) return Effect.fail(row)
    exchange.backend.state.submissions.set({ ...row, status: exchange.body.status })
    return Effect.succeed(true)
  }
}

const remove: Endpoint<undefined, true> = {
  operation: "deleteFormsDataByid",
  summary: "Delete a submission of your own",
  refuses: ["SubmissionNotFound", "SubmissionNotYours"],
  method: "DELETE",
  path: "/api/content/form-data/:id",
  bearer: "required",
  answer: answers.True,
  handle: (exchange) => {
    const row = own(exchange)
    if (row instanceof Refusal) return Effect.fail(row)
    exchange.backend.state.submissions.delete(row.id)
    return Effect.succeed(true)
  }
}

const flat: Endpoint<undefined, never> = {
  operation: "getAllFormsData",
  summary: "Refused: submissions are read by form",
  refuses: ["ListPerForm"],
  method: "GET",
  path: "/api/content/form-data",
  answer: "refusal",
  handle: () => refuse("ListPerForm")
}

export const routes = (
  backend: Backend
): ReadonlyArray<HttpRouter.Route<never, HttpServerRequest.HttpServerRequest>> => [
  route(backend, post),
  route(backend, list),
  route(backend, update),
  route(backend, updateStatus),
  route(backend, remove),
  route(backend, flat)
]
