/**
 * The operations whose answers go out as they came: forms, submissions, files and the profile. They run through the same
 * pipeline as the services of the package (session, classification, retries); what they leave out is what those make of
 * forms, which a facade over raw answers has no use for and would have to carry.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as AuthSchema from "../../AuthSchema.ts"
import * as FieldValue from "../../FieldValue.ts"
import { authorized, optionally } from "../../internal/authorizedCall.ts"
import { files, forms, type Operation, type Rules, users } from "../../internal/classification.ts"
import type { FormInvalid } from "../../internal/formInvalid.ts"
import * as FormModel from "../../internal/formModel.ts"
import * as Invoke from "../../internal/invoke.ts"
import type * as Transport from "../../internal/transport.ts"
import * as Uploads from "../../internal/uploads.ts"
import type * as Session from "../../Session.ts"

type Method = Transport.Call["method"]

/** An endpoint whose answer is looked at, and goes by as it is. */
const endpoint = <Op extends Operation>(
  rules: Rules,
  operation: Op,
  method: Method,
  decode: (body: unknown) => Exit.Exit<unknown, Schema.SchemaError> = Exit.succeed
): Invoke.Endpoint<Op, unknown> => Invoke.something(rules, operation, method, decode, (body) => body)

const Submission = Schema.Struct({ id: Schema.Finite, formIdentifier: Schema.String, formData: Schema.Unknown })

const endpoints = {
  allForms: endpoint(forms, "getAllForms", "GET", Schema.decodeUnknownExit(FormModel.WireFormsPage)),
  form: endpoint(forms, "getFormByMarker", "GET", Schema.decodeUnknownExit(FormModel.WireForm)),
  post: endpoint(forms, "postFormsData", "POST", Schema.decodeUnknownExit(Schema.Struct({ formData: Submission }))),
  list: endpoint(
    forms,
    "getFormsDataByMarker",
    "POST",
    Schema.decodeUnknownExit(Schema.Struct({ items: Schema.Array(Submission), total: Schema.Finite }))
  ),
  update: endpoint(forms, "updateFormsDataById", "PUT", Schema.decodeUnknownExit(Submission)),
  status: endpoint(forms, "updateFormsDataStatusById", "PUT"),
  remove: endpoint(forms, "deleteFormsDataById", "DELETE"),
  deleteFile: endpoint(files, "deleteFile", "DELETE"),
  getUser: endpoint(users, "getUser", "GET", AuthSchema.decodeUser),
  updateUser: endpoint(users, "updateUser", "PUT"),
  archiveUser: endpoint(users, "archiveUser", "DELETE"),
  deleteUser: endpoint(users, "deleteUser", "DELETE"),
  addFCMToken: endpoint(users, "addFCMToken", "POST"),
  deleteFCMToken: endpoint(users, "deleteFCMToken", "DELETE")
}

/** A query; what is `null` is not sent. */
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>

const present = (query: Query): Readonly<Record<string, string | number | boolean | undefined>> =>
  Object.fromEntries(Object.entries(query).map(([key, value]) => [key, value ?? undefined]))

const idIssues = (id: number): ReadonlyArray<string> =>
  Number.isSafeInteger(Number(id)) ? [] : ["`id` must be a whole number"]

/** A body with fields in it, as programs give it. */
export interface Body {
  readonly [key: string]: unknown
}

/** Fields by language: checked, encoded, and what is to be uploaded first. */
type Prepared = Result.Result<
  ReadonlyArray<readonly [langCode: string, fields: ReadonlyArray<FieldValue.Prepared>]>,
  FormInvalid
>

/** What the two hold together, for `make`. */
export interface Parts {
  readonly transport: Transport.Transport
  readonly session: Session.Internal
}

export const make = ({ session, transport }: Parts) => {
  const { headers, project } = transport

  const upload = (files: ReadonlyArray<Blob>, query: Query) =>
    optionally(transport, session, Uploads.uploadEndpoint, {
      path: Invoke.path(["files"], present(query)),
      body: Uploads.uploadBody(files),
      marker: "",
      langCode: project.langCode
    })

  const fieldsOf = (formData: unknown, langCode: string): Prepared =>
    // What comes from plain JavaScript is of any type: the encoders look at it.
    Uploads.prepareFields(formData as FieldValue.FormFields, langCode)

  const complete = Effect.fnUntraced(function* (formData: unknown, langCode: string) {
    const languages = yield* Effect.fromResult(fieldsOf(formData, langCode))
    const out: Record<string, ReadonlyArray<FieldValue.WireField>> = {}
    for (const [language, fields] of languages) {
      out[language] = yield* Uploads.completeFields(fields, (files, query) => upload(files, { ...query }))
    }
    return out
  })

  /** The body with its fields by language, files uploaded. */
  const withFields = (body: Body, langCode: string) =>
    body["formData"] === undefined || body["formData"] === null
      ? Effect.succeed(body)
      : Effect.map(complete(body["formData"], langCode), (formData): Body => ({ ...body, formData }))

  const me = (segments: ReadonlyArray<string>) => Invoke.path(["users", "me", ...segments])
  const plain = { marker: "", langCode: project.langCode }

  /** The account is gone: so is its session. */
  const leaving = <A, E>(effect: Effect.Effect<A, E>) => Effect.tap(effect, () => session.signOut("SignOut"))

  return {
    getAllForms: (langCode = project.langCode, offset = 0, limit = 30) =>
      Invoke.anonymous(transport, endpoints.allForms, {
        path: Invoke.path(["forms"], { langCode, offset, limit }),
        headers,
        marker: "",
        langCode
      }),

    getFormByMarker: (marker: string, langCode = project.langCode) =>
      Invoke.checked("getFormByMarker", Invoke.emptyArguments({ marker }), () =>
        Invoke.anonymous(transport, endpoints.form, {
          path: Invoke.path(["forms", "marker", marker], { langCode }),
          headers,
          marker,
          langCode
        })
      ),

    postFormsData: (body: Body, langCode = project.langCode) =>
      Effect.flatMap(withFields(body, langCode), (complete) =>
        optionally(transport, session, endpoints.post, {
          path: Invoke.path(["form-data"]),
          body: JSON.stringify(complete),
          marker: String(body["formIdentifier"] ?? ""),
          langCode
        })
      ),

    getFormsDataByMarker: (marker: string, query: Query, body: object) =>
      Invoke.checked("getFormsDataByMarker", Invoke.emptyArguments({ marker }), () =>
        // Reading changes nothing, whatever its method.
        Invoke.retryTransient(
          project,
          optionally(transport, session, endpoints.list, {
            path: Invoke.path(["form-data", "marker", marker], {
              ...present(query),
              langCode: String(query["langCode"] ?? project.langCode)
            }),
            body: JSON.stringify(body),
            marker,
            langCode: project.langCode
          })
        )
      ),

    updateFormsDataByid: (id: number, body: Body, langCode = project.langCode) =>
      Invoke.checked("updateFormsDataById", idIssues(id), () =>
        Effect.flatMap(withFields(body, langCode), (complete) =>
          authorized(transport, session, endpoints.update, {
            path: Invoke.path(["form-data", String(id)]),
            body: JSON.stringify(complete),
            marker: String(id),
            langCode
          })
        )
      ),

    updateFormsDataStatusByid: (id: number, body: object) =>
      Invoke.checked("updateFormsDataStatusById", idIssues(id), () =>
        authorized(transport, session, endpoints.status, {
          ...plain,
          path: Invoke.path(["form-data", String(id), "update-status"]),
          body: JSON.stringify(body),
          marker: String(id)
        })
      ),

    deleteFormsDataByid: (id: number) =>
      Invoke.checked("deleteFormsDataById", idIssues(id), () =>
        authorized(transport, session, endpoints.remove, {
          ...plain,
          path: Invoke.path(["form-data", String(id)]),
          marker: String(id)
        })
      ),

    upload: (file: Blob, query: Query) => upload([file], query),

    deleteFile: (filename: string, query: Query) =>
      Invoke.checked("deleteFile", Invoke.emptyArguments({ filename }), () =>
        optionally(transport, session, endpoints.deleteFile, {
          ...plain,
          path: Invoke.path(["files"], { filename, ...present(query) }),
          marker: filename
        })
      ),

    getUser: (langCode = project.langCode) =>
      authorized(transport, session, endpoints.getUser, {
        path: Invoke.path(["users", "me"], { langCode }),
        marker: "",
        langCode
      }),

    updateUser: Effect.fnUntraced(function* (body: Body, langCode = project.langCode) {
      const { authData, notificationData } = body
      const credentials =
        authData === undefined || authData === null
          ? {}
          : {
              authData: yield* Effect.fromResult(
                FieldValue.encodeAuthData(authData as ReadonlyArray<FieldValue.AuthField>)
              )
            }
      const contacts =
        notificationData === undefined || notificationData === null
          ? {}
          : { notificationData: FieldValue.encodeNotificationData(notificationData as FieldValue.NotificationData) }
      const complete = yield* withFields(body, langCode)
      return yield* authorized(transport, session, endpoints.updateUser, {
        path: me([]),
        body: JSON.stringify({ ...complete, langCode, ...credentials, ...contacts }),
        marker: String(body["formIdentifier"] ?? ""),
        langCode
      })
    }),

    archiveUser: leaving(authorized(transport, session, endpoints.archiveUser, { ...plain, path: me([]) })),

    deleteUser: leaving(authorized(transport, session, endpoints.deleteUser, { ...plain, path: me(["account"]) })),

    addFCMToken: (token: string) =>
      Invoke.checked("addFCMToken", Invoke.emptyArguments({ token }), () =>
        authorized(transport, session, endpoints.addFCMToken, {
          ...plain,
          path: me(["fcm-token", token])
        })
      ),

    deleteFCMToken: (token: string) =>
      Invoke.checked("deleteFCMToken", Invoke.emptyArguments({ token }), () =>
        authorized(transport, session, endpoints.deleteFCMToken, {
          ...plain,
          path: me(["fcm-token", token])
        })
      )
  }
}

export type Endpoints = ReturnType<typeof make>
