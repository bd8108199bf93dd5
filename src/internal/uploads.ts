/** Uploading the files of a form's fields, before the form is sent. */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as AuthError from "../AuthError.ts"
import * as FieldValue from "../FieldValue.ts"
import type { FormInvalid } from "./formInvalid.ts"
import { type Endpoint, path, something } from "./invoke.ts"

const decode = Schema.decodeUnknownExit(Schema.Array(FieldValue.UploadedFile))

/** POST /files */
export const uploadEndpoint: Endpoint<"upload", ReadonlyArray<FieldValue.UploadedFile>> = something(
  "upload",
  "POST",
  decode,
  (files) => files
)

/** The path of an upload. */
export const uploadPath = (query: FieldValue.FileQuery): string =>
  path(["files"], {
    type: query.type,
    entity: query.entity,
    id: query.id,
    width: query.width,
    height: query.height,
    compress: query.compress,
    template: query.template
  })

/** The body of an upload: each file a part named `files`. The runtime sets the boundary. */
export const uploadBody = (files: ReadonlyArray<Blob>): HttpBody.HttpBody => {
  const form = new FormData()
  for (const file of files) form.append("files", file, "name" in file && typeof file.name === "string" ? file.name : "file")
  return HttpBody.formData(form)
}

/** How many uploads of one call run at the same time. */
const concurrency = 3

/** Uploads what the fields hold, and completes them, in their order. Nothing is sent before everything has encoded. */
export const completeFields = <E>(
  prepared: ReadonlyArray<FieldValue.Prepared>,
  upload: (
    files: ReadonlyArray<Blob>,
    query: FieldValue.FileQuery
  ) => Effect.Effect<ReadonlyArray<FieldValue.UploadedFile>, E>
): Effect.Effect<ReadonlyArray<FieldValue.WireField>, AuthError.UploadFailed> =>
  Effect.forEach(
    prepared,
    (item) => {
      if (item._tag === "Ready") return Effect.succeed(item.field)
      const failed = (cause: E | FormInvalid) => new AuthError.UploadFailed({ marker: item.marker, cause })
      return upload(FieldValue.newFiles(item), item.fileQuery).pipe(
        Effect.mapError(failed),
        Effect.flatMap((uploaded) => Result.match(FieldValue.attach(item, uploaded), {
          onFailure: (error) => Effect.fail(failed(error)),
          onSuccess: (field) => Effect.succeed(field)
        }))
      )
    },
    { concurrency }
  )
