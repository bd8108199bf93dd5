/**
 * What people fill in: sending a form, reading, changing and deleting what was
 * sent. A submission is checked against its form where that is given, its files
 * are uploaded first, and what the server refuses of it comes back as the same
 * `FormInvalid`, by the marker of the field. Calls run in the name of whoever
 * is signed in; 🔐 marks those that need a session.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as AuthError from "./AuthError.ts"
import type * as ClientOptions from "./ClientOptions.ts"
import * as FieldValue from "./FieldValue.ts"
import * as FormSchema from "./FormSchema.ts"
import { authorized, optionally } from "./internal/authorizedCall.ts"
import { forms as rules, type DomainErrorOf, type Operation } from "./internal/classification.ts"
import { AlreadyRated, AnonymousNotAllowed, FormMismatch, SubmissionNotFound } from "./internal/domainErrors.ts"
import * as Invoke from "./internal/invoke.ts"
import { refusedFields } from "./internal/serverFields.ts"
import * as FetchTransport from "./internal/fetchTransport.ts"
import * as HttpTransport from "./internal/httpTransport.ts"
import type * as Transport from "./internal/transport.ts"
import * as Uploads from "./internal/uploads.ts"
import * as OneEntryError from "./OneEntryError.ts"
import * as Session from "./Session.ts"
import type * as TokenStorage from "./TokenStorage.ts"

export { AlreadyRated, AnonymousNotAllowed, FormMismatch, SubmissionNotFound }

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What the state of a submission is called. A form that is moderated makes `"moderation"` of whatever is sent.
 *
 * **Example** (What may be shown)
 *
 * ```ts
 * import type { FormsData } from "effect-oneentry"
 *
 * export const shown: ReadonlyArray<FormsData.Status> = ["sent", "approved"]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "sent" | "moderation" | "approved" | "banned" | "deleted"

/**
 * What is sent: the fields, as `FieldValue` has them, for which form, and for which page, product or comment.
 *
 * `formModuleConfigId` is one of the form's `moduleFormConfigs`, `moduleEntityIdentifier` the entity in it that the
 * submission belongs to, and `replayTo` (the API's spelling) the id of the submission that this one answers.
 *
 * **Example** (An answer to a comment)
 *
 * ```ts
 * import type { FormsData } from "effect-oneentry"
 *
 * export const answer: FormsData.NewSubmission = {
 *   formIdentifier: "comments",
 *   formModuleConfigId: 2,
 *   moduleEntityIdentifier: "blog",
 *   replayTo: 42,
 *   formData: [{ marker: "text", type: "string", value: "I think so too" }]
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface NewSubmission {
  readonly formIdentifier: string
  readonly formData: FieldValue.FormFields
  readonly formModuleConfigId?: number | undefined
  readonly moduleEntityIdentifier?: string | number | undefined
  readonly replayTo?: string | number | null | undefined
  readonly status?: Status | undefined
}

/**
 * A new content for a submission: all of its fields, as the server replaces what it has in the language of the call.
 *
 * **Example** (Another text)
 *
 * ```ts
 * import type { FormsData } from "effect-oneentry"
 *
 * export const change: FormsData.SubmissionChange = {
 *   formData: [{ marker: "text", type: "string", value: "I have changed my mind" }]
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmissionChange extends Partial<Omit<NewSubmission, "formData">> {
  readonly formData: FieldValue.FormFields
}

/**
 * How a submission is sent. With `form`, its fields are checked before anything is: markers, types, what is required and
 * the form's validators. `maxFileBytes`: what one file may have; 100 MiB.
 *
 * **Example** (Checked here first)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FieldValue, Forms, FormsData } from "effect-oneentry"
 *
 * export const send = Effect.gen(function*() {
 *   const form = yield* Forms.Forms.use((forms) => forms.getFormByMarker("contact_us"))
 *   const data = yield* FormsData.FormsData
 *   return yield* data.post(
 *     { formIdentifier: form.identifier, formData: [FieldValue.string("name", "Ann")] },
 *     { form }
 *   )
 * }).pipe(
 *   Effect.catchTag("FormInvalid", (error) => Effect.logInfo(error.byMarker))
 * )
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmitOptions {
  readonly langCode?: string | undefined
  readonly form?: FormSchema.Form | undefined
  readonly maxFileBytes?: number | undefined
}

/**
 * Something that was sent. What a server or a kind of list leaves out is absent.
 *
 * **Example** (One field of it)
 *
 * ```ts
 * import type { FormsData } from "effect-oneentry"
 *
 * export const name = (submission: FormsData.Submission): unknown =>
 *   submission.formData.find((field) => field.marker === "name")?.value
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Submission {
  readonly id: number
  readonly formIdentifier: string
  readonly formData: ReadonlyArray<FieldValue.FieldEntry>
  readonly isUserAdmin: boolean
  readonly time?: DateTime.Utc
  /** The submission that this one answers. */
  readonly parentId?: number
  /** How deep it stands below the first one, in lists. */
  readonly depth?: number
  readonly status?: string
  /** The login of who sent it. */
  readonly userIdentifier?: string
  readonly entityIdentifier?: string | number
  readonly entityId?: string | number
  readonly moduleIdentifier?: string
  readonly formModuleConfigId?: number
  readonly attributeSetIdentifier?: string
  readonly ip?: string
  readonly fingerprint?: Redacted.Redacted<string>
}

/**
 * What became of a submission: the record, and what the form says to whoever sent it.
 *
 * **Example** (Thank you)
 *
 * ```ts
 * import type { FormsData } from "effect-oneentry"
 *
 * export const text = (posted: FormsData.PostedSubmission): string => posted.actionMessage ?? "Thank you"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface PostedSubmission {
  readonly submission: Submission
  /** In the language of the call; absent where the form has none. */
  readonly actionMessage?: string
}

/**
 * A page of submissions; `total` counts all that the filter lets through.
 *
 * **Example** (Whether there are more)
 *
 * ```ts
 * import type { FormsData } from "effect-oneentry"
 *
 * export const more = (page: FormsData.SubmissionsPage, offset: number): boolean =>
 *   offset + page.items.length < page.total
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmissionsPage {
  readonly items: ReadonlyArray<Submission>
  readonly total: number
}

/**
 * Which submissions: what is left out does not matter. Dates are `YYYY-MM-DD` (a whole day), `YYYY-MM-DD HH:mm:ss`, a
 * `Date` or a `DateTime`, in UTC.
 *
 * **Example** (What was approved in May)
 *
 * ```ts
 * import type { FormsData } from "effect-oneentry"
 *
 * export const filter: FormsData.SubmissionFilter = {
 *   entityIdentifier: "blog",
 *   status: ["approved"],
 *   dateFrom: "2026-05-01",
 *   dateTo: "2026-05-31"
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmissionFilter {
  readonly entityIdentifier?: string | number | undefined
  readonly parentId?: string | number | undefined
  readonly userIdentifier?: string | undefined
  readonly status?: ReadonlyArray<Status> | undefined
  readonly dateFrom?: string | Date | DateTime.DateTime | undefined
  readonly dateTo?: string | Date | DateTime.DateTime | undefined
  readonly isSentByAdmin?: boolean | undefined
}

/**
 * How submissions are read: which (`filter`), of which config of the form, in which language, and with `isExtended` all
 * that the server knows of each (status, address, module).
 *
 * **Example** (Everything of one config)
 *
 * ```ts
 * import type { FormsData } from "effect-oneentry"
 *
 * export const options: FormsData.ListOptions = { formModuleConfigId: 2, isExtended: true }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions {
  readonly filter?: SubmissionFilter | undefined
  readonly formModuleConfigId?: number | undefined
  readonly isExtended?: boolean | undefined
  readonly langCode?: string | undefined
}

type Failure<Op extends Operation> = DomainErrorOf<Op> | OneEntryError.OneEntryError | Session.RefreshError

// -----------------------------------------------------------------------------
// service
// -----------------------------------------------------------------------------

/**
 * Submissions of forms.
 *
 * **Example** (A contact form)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { FormsData } from "effect-oneentry"
 *
 * export const contact = (name: string, file: File) => Effect.gen(function*() {
 *   const data = yield* FormsData.FormsData
 *   const posted = yield* data.post({
 *     formIdentifier: "contact_us",
 *     formData: [
 *       { marker: "name", type: "string", value: name },
 *       { marker: "cv", type: "file", value: file, fileQuery: { type: "page", entity: "editor", id: 3492 } }
 *     ]
 *   })
 *   return posted.actionMessage
 * }).pipe(
 *   Effect.catchTag("FormInvalid", (error) => Effect.succeed(error.message)),
 *   Effect.catchTag("UploadFailed", (error) => Effect.succeed(`The file of ${error.marker} did not get through`))
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class FormsData extends Context.Service<
  FormsData,
  {
    /**
     * Sends a form. Files are uploaded first; where one fails, nothing is sent. Buttons and empty values are left out.
     * Fails with `FormInvalid` for the fields that are wrong, before anything is sent where `form` is given, otherwise
     * with the one that the server names.
     */
    readonly post: (
      submission: NewSubmission,
      options?: SubmitOptions
    ) => Effect.Effect<PostedSubmission, Failure<"postFormsData"> | FormSchema.FormInvalid | AuthError.UploadFailed>
    /** A page of submissions: 30 from the start, where nothing else is said. */
    readonly getByMarker: (
      marker: string,
      options?: ListOptions & { readonly offset?: number | undefined; readonly limit?: number | undefined }
    ) => Effect.Effect<SubmissionsPage, Failure<"getFormsDataByMarker">>
    /** All submissions, page by page. */
    readonly streamByMarker: (
      marker: string,
      options?: ListOptions & { readonly pageSize?: number | undefined }
    ) => Stream.Stream<Submission, Failure<"getFormsDataByMarker">>
    /** 🔐 Changes a submission of one's own. */
    readonly updateById: (
      id: number,
      change: SubmissionChange,
      options?: SubmitOptions
    ) => Effect.Effect<Submission, Failure<"updateFormsDataById"> | FormSchema.FormInvalid | AuthError.UploadFailed>
    /** 🔐 Changes the status of a submission. */
    readonly updateStatusById: (id: number, status: Status) => Effect.Effect<void, Failure<"updateFormsDataStatusById">>
    /** 🔐 Deletes a submission of one's own. */
    readonly deleteById: (id: number) => Effect.Effect<void, Failure<"deleteFormsDataById">>
  }
>()("effect-oneentry/FormsData") {}

// -----------------------------------------------------------------------------
// wire
// -----------------------------------------------------------------------------

const nullish = <S extends Schema.Constraint>(schema: S) => Schema.optional(Schema.NullOr(schema))

const NumberLike = Schema.Union([Schema.Finite, Schema.String])

const SubmissionWire = Schema.Struct({
  id: Schema.Finite,
  formIdentifier: Schema.String,
  formData: nullish(FieldValue.FieldEntries),
  isUserAdmin: nullish(Schema.Boolean),
  time: nullish(Schema.String),
  parentId: nullish(NumberLike),
  depth: nullish(Schema.Finite),
  status: nullish(Schema.String),
  userIdentifier: nullish(Schema.String),
  entityIdentifier: nullish(NumberLike),
  entityId: nullish(NumberLike),
  moduleIdentifier: nullish(Schema.String),
  // Lists have the one, answers to a submission the other.
  formModuleConfigId: nullish(Schema.Finite),
  formModuleId: nullish(Schema.Finite),
  attributeSetIdentifier: nullish(Schema.String),
  ip: nullish(Schema.String),
  fingerprint: nullish(Schema.String)
})

const PostedWire = Schema.Struct({
  formData: SubmissionWire,
  actionMessage: nullish(Schema.Union([Schema.String, Schema.Record(Schema.String, Schema.Unknown)]))
})

const PageWire = Schema.Struct({ items: Schema.Array(SubmissionWire), total: NumberLike })

const present = <K extends string, A>(key: K, value: A | null | undefined): { readonly [P in K]?: A } =>
  // A computed key has no better type than this.
  (value === undefined || value === null ? {} : { [key]: value }) as { readonly [P in K]?: A }

const toNumber = (value: number | string | null | undefined): number | undefined => {
  const number = value === null || value === undefined || value === "" ? undefined : Number(value)
  return number === undefined || !Number.isFinite(number) ? undefined : number
}

const toSubmission = (wire: typeof SubmissionWire.Type, langCode: string): Submission => {
  const time = wire.time == null ? Option.none() : DateTime.make(wire.time)
  return {
    id: wire.id,
    formIdentifier: wire.formIdentifier,
    formData: wire.formData == null ? [] : FieldValue.entries(wire.formData, langCode),
    isUserAdmin: wire.isUserAdmin ?? false,
    ...present("time", Option.isSome(time) ? DateTime.toUtc(time.value) : undefined),
    ...present("parentId", toNumber(wire.parentId)),
    ...present("depth", wire.depth),
    ...present("status", wire.status),
    ...present("userIdentifier", wire.userIdentifier),
    ...present("entityIdentifier", wire.entityIdentifier),
    ...present("entityId", wire.entityId),
    ...present("moduleIdentifier", wire.moduleIdentifier),
    ...present("formModuleConfigId", wire.formModuleConfigId ?? wire.formModuleId),
    ...present("attributeSetIdentifier", wire.attributeSetIdentifier),
    ...present("ip", wire.ip),
    ...present(
      "fingerprint",
      wire.fingerprint == null ? undefined : Redacted.make(wire.fingerprint, { label: "fingerprint" })
    )
  }
}

const toMessage = (message: (typeof PostedWire.Type)["actionMessage"], langCode: string): string | undefined => {
  if (typeof message === "string") return message === "" ? undefined : message
  if (message === null || message === undefined) return undefined
  const text = Object.hasOwn(message, langCode) ? message[langCode] : Object.values(message)[0]
  return typeof text === "string" && text !== "" ? text : undefined
}

const endpoints = {
  post: Invoke.something(
    rules,
    "postFormsData",
    "POST",
    Schema.decodeUnknownExit(PostedWire),
    (wire, langCode): PostedSubmission => ({
      submission: toSubmission(wire.formData, langCode),
      ...present("actionMessage", toMessage(wire.actionMessage, langCode))
    })
  ),
  list: Invoke.something(
    rules,
    "getFormsDataByMarker",
    "POST",
    Schema.decodeUnknownExit(PageWire),
    (wire, langCode): SubmissionsPage => ({
      items: wire.items.map((item) => toSubmission(item, langCode)),
      total: toNumber(wire.total) ?? wire.items.length
    })
  ),
  update: Invoke.something(rules, "updateFormsDataById", "PUT", Schema.decodeUnknownExit(SubmissionWire), toSubmission),
  status: Invoke.nothing(rules, "updateFormsDataStatusById", "PUT"),
  remove: Invoke.nothing(rules, "deleteFormsDataById", "DELETE")
} as const

// -----------------------------------------------------------------------------
// make
// -----------------------------------------------------------------------------

const invalidForm = (marker: string, message: string) =>
  new FormSchema.FormInvalid({ issues: [{ marker, message, code: "form" }] })

/** A submission is stored and shown as it is. */
const passwordIssues = (
  form: FormSchema.Form,
  fields: ReadonlyArray<FieldValue.FormField>
): Array<FormSchema.FormIssue> =>
  form.attributes
    .filter(({ isPassword, marker }) => isPassword && fields.some((field) => field?.marker === marker))
    .map(({ marker }) => ({
      marker,
      message: "is a password, which a submission would show: leave it out, or unflag it in the admin panel",
      code: "form"
    }))

const twoDigits = (n: number) => String(n).padStart(2, "0")

/** A filter's date as the server reads it. */
const toDateText = (value: string | Date | DateTime.DateTime): string | undefined => {
  if (typeof value === "string") {
    const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?))?$/.exec(value.trim())
    if (match?.[1] === undefined) return undefined
    const [, date, time] = match
    const full = time === undefined ? undefined : time.length === 5 ? `${time}:00` : time
    const at = DateTime.make(`${date}T${full ?? "00:00:00"}Z`)
    // The 31st of a short month must not become the 1st of the next.
    if (Option.isNone(at) || DateTime.formatIso(at.value).slice(0, 10) !== date) return undefined
    return full === undefined ? date : `${date} ${full}`
  }
  const at = DateTime.make(value)
  if (Option.isNone(at)) return undefined
  const { day, hour, minute, month, second, year } = DateTime.toPartsUtc(at.value)
  return (
    `${String(year).padStart(4, "0")}-${twoDigits(month)}-${twoDigits(day)} ` +
    `${twoDigits(hour)}:${twoDigits(minute)}:${twoDigits(second)}`
  )
}

const statuses: ReadonlyArray<string> = [
  "sent",
  "moderation",
  "approved",
  "banned",
  "deleted"
] satisfies ReadonlyArray<Status>

const statusIssues = (status: string | undefined): ReadonlyArray<string> =>
  status === undefined || statuses.includes(status) ? [] : [`\`status\` must be one of ${statuses.join(", ")}`]

const idIssues = (id: number): ReadonlyArray<string> =>
  Number.isSafeInteger(id) && id > 0 ? [] : ["`id` must be the number of a submission"]

const configIssues = (id: number | undefined): ReadonlyArray<string> =>
  id === undefined || Number.isSafeInteger(id)
    ? []
    : ["`formModuleConfigId` must be the number of a config of the form"]

const encodeFilter = (filter: SubmissionFilter, issues: Array<string>): Readonly<Record<string, unknown>> => {
  const dates: Record<string, string> = {}
  for (const name of ["dateFrom", "dateTo"] as const) {
    const value = filter[name]
    if (value === undefined) continue
    const text = toDateText(value)
    if (text === undefined) {
      issues.push(
        `\`filter.${name}\` must be a date that exists: YYYY-MM-DD, YYYY-MM-DD HH:mm:ss, a Date or a DateTime`
      )
    } else dates[name] = text
  }
  for (const status of filter.status ?? []) issues.push(...statusIssues(status))
  return {
    ...present("entityIdentifier", filter.entityIdentifier),
    ...present("parentId", filter.parentId),
    ...present("userIdentifier", filter.userIdentifier),
    ...present("status", filter.status === undefined || filter.status.length === 0 ? undefined : filter.status),
    ...dates,
    ...present("isSentByAdmin", filter.isSentByAdmin)
  }
}

/** @internal */
export const makeInternal = (transport: Transport.Transport, session: Session.Internal): FormsData["Service"] => {
  const { project } = transport

  /** The fields as they go over the wire: checked, encoded, their files uploaded. */
  const encodeFields = Effect.fnUntraced(function* (
    marker: string,
    formData: FieldValue.FormFields,
    langCode: string,
    options: SubmitOptions | undefined
  ) {
    const form = options?.form
    let fields = formData
    if (form !== undefined) {
      if (FormSchema.isSignUpForm(form)) {
        return yield* invalidForm(
          form.identifier,
          "is a form for signing up: send it with AuthProvider.signUp or Users.updateUser"
        )
      }
      if (form.attributes.length === 0) {
        return yield* invalidForm(form.identifier, "has no fields: add attributes to the form in the admin panel")
      }
      const checked: Record<string, ReadonlyArray<FieldValue.FormField>> = {}
      for (const [language, list] of FieldValue.byLanguage(formData, langCode)) {
        const result = yield* Effect.result(FormSchema.validateFields(form, list))
        const issues = passwordIssues(form, list)
        if (Result.isFailure(result)) issues.push(...result.failure.issues)
        else checked[language] = result.success
        if (issues.length > 0) return yield* new FormSchema.FormInvalid({ issues })
      }
      fields = checked
    }
    const prepared = yield* Effect.fromResult(Uploads.prepareFields(fields, langCode))
    if (prepared.every(([, items]) => items.length === 0)) {
      return yield* invalidForm(marker, "has nothing to send: give at least one field of the form a value")
    }
    return yield* Uploads.completeLanguages(
      transport,
      session,
      prepared,
      options?.maxFileBytes ?? Uploads.defaultMaxBytes
    )
  })

  /** What the server refuses of the fields, by their markers. */
  const fieldErrors = <A, E>(
    effect: Effect.Effect<A, E | OneEntryError.OneEntryError>,
    form: FormSchema.Form | undefined,
    formData: Readonly<Record<string, ReadonlyArray<FieldValue.WireField>>>
  ): Effect.Effect<A, E | OneEntryError.OneEntryError | FormSchema.FormInvalid> =>
    Effect.mapError(effect, (error) =>
      OneEntryError.isOneEntryError(error)
        ? (refusedFields(error, form, Object.values(formData).flat()) ?? error)
        : error
    )

  const getByMarker: FormsData["Service"]["getByMarker"] = (
    marker,
    { filter = {}, formModuleConfigId, isExtended, langCode = project.langCode, limit = 30, offset = 0 } = {}
  ) => {
    const issues = [...Invoke.emptyArguments({ marker }), ...configIssues(formModuleConfigId)]
    const body = encodeFilter(filter, issues)
    return Invoke.checked("getFormsDataByMarker", issues, () =>
      // Reading changes nothing, whatever its method.
      Invoke.retryTransient(
        project,
        optionally(transport, session, endpoints.list, {
          path: Invoke.path(["form-data", "marker", marker], {
            formModuleConfigId,
            isExtended: isExtended === undefined ? undefined : isExtended ? 1 : 0,
            langCode,
            offset,
            limit
          }),
          body: JSON.stringify(body),
          marker,
          langCode
        })
      )
    )
  }

  return FormsData.of({
    post: (submission, options) => {
      const { formIdentifier, formModuleConfigId, moduleEntityIdentifier, replayTo, status } = submission
      const langCode = options?.langCode ?? project.langCode
      return Invoke.checked(
        "postFormsData",
        [
          ...Invoke.emptyArguments({ formIdentifier, langCode }),
          ...configIssues(formModuleConfigId),
          ...statusIssues(status)
        ],
        () =>
          Effect.flatMap(encodeFields(formIdentifier, submission.formData, langCode, options), (formData) =>
            fieldErrors(
              optionally(transport, session, endpoints.post, {
                path: Invoke.path(["form-data"]),
                body: JSON.stringify({
                  formIdentifier,
                  ...present("formModuleConfigId", formModuleConfigId),
                  ...present("moduleEntityIdentifier", moduleEntityIdentifier),
                  replayTo: replayTo === undefined || replayTo === null ? null : String(replayTo),
                  ...present("status", status),
                  formData
                }),
                given: submission.formData,
                marker: formIdentifier,
                langCode
              }),
              options?.form,
              formData
            )
          )
      )
    },

    getByMarker,

    streamByMarker: (marker, { pageSize = 30, ...options } = {}) =>
      Stream.paginate(0, (offset) =>
        Effect.map(getByMarker(marker, { ...options, limit: pageSize, offset }), ({ items, total }) => {
          // A group's permission may cap a page below what was asked for.
          const next = offset + items.length
          return [items, items.length === 0 || next >= total ? Option.none() : Option.some(next)]
        })
      ),

    updateById: (id, change, options) => {
      const { formData: fields, formIdentifier, formModuleConfigId, moduleEntityIdentifier, replayTo, status } = change
      const langCode = options?.langCode ?? project.langCode
      return Invoke.checked(
        "updateFormsDataById",
        [
          ...idIssues(id),
          ...Invoke.emptyArguments({ langCode, ...present("formIdentifier", formIdentifier) }),
          ...configIssues(formModuleConfigId),
          ...statusIssues(status)
        ],
        () =>
          Effect.flatMap(
            encodeFields(formIdentifier ?? options?.form?.identifier ?? String(id), fields, langCode, options),
            (formData) =>
              fieldErrors(
                authorized(transport, session, endpoints.update, {
                  path: Invoke.path(["form-data", String(id)]),
                  body: JSON.stringify({
                    ...present("formIdentifier", formIdentifier),
                    ...present("formModuleConfigId", formModuleConfigId),
                    ...present("moduleEntityIdentifier", moduleEntityIdentifier),
                    ...(replayTo === undefined ? {} : { replayTo: replayTo === null ? null : String(replayTo) }),
                    ...present("status", status),
                    formData
                  }),
                  given: fields,
                  marker: String(id),
                  langCode
                }),
                options?.form,
                formData
              )
          )
      )
    },

    updateStatusById: (id, status) =>
      Invoke.checked("updateFormsDataStatusById", [...idIssues(id), ...statusIssues(status)], () =>
        authorized(transport, session, endpoints.status, {
          path: Invoke.path(["form-data", String(id), "update-status"]),
          body: JSON.stringify({ status }),
          marker: String(id),
          langCode: project.langCode
        })
      ),

    deleteById: (id) =>
      Invoke.checked("deleteFormsDataById", idIssues(id), () =>
        authorized(transport, session, endpoints.remove, {
          path: Invoke.path(["form-data", String(id)]),
          marker: String(id),
          langCode: project.langCode
        })
      )
  })
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

/**
 * The submissions alone.
 *
 * **Example** (A contact page)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { FormsData, TokenStorage } from "effect-oneentry"
 *
 * export const layer = FormsData.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<FormsData, OneEntryError.OneEntryError, HttpClient.HttpClient | TokenStorage.TokenStorage> =>
  Layer.effect(FormsData, Effect.flatMap(HttpTransport.connect(options), withSession))

/**
 * The same on the platform's `fetch` (or that of `FetchClient.Fetch`), without an `HttpClient`: 7 KiB less in a bundle
 * that has no other use for one.
 *
 * **Example** (A form on a page)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FormsData, TokenStorage } from "effect-oneentry"
 *
 * export const layer = FormsData.layerFetch({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide(TokenStorage.layerMemory)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFetch = (
  options: ClientOptions.ClientOptions
): Layer.Layer<FormsData, OneEntryError.OneEntryError, TokenStorage.TokenStorage> =>
  Layer.effect(FormsData, Effect.flatMap(FetchTransport.connect(options), withSession))

const withSession = (transport: Transport.Transport) =>
  Effect.map(Session.makeInternal(transport), (session) => makeInternal(transport, session))
