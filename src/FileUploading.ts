/**
 * Files of the project. Everything here runs in the name of whoever is signed
 * in, and anonymously where nobody is: which of it is allowed, the permissions
 * of the project say.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as ClientOptions from "./ClientOptions.ts"
import type * as FieldValue from "./FieldValue.ts"
import { optionally } from "./internal/authorizedCall.ts"
import { checked } from "./internal/invoke.ts"
import * as Transport from "./internal/transport.ts"
import * as Uploads from "./internal/uploads.ts"
import type * as OneEntryError from "./OneEntryError.ts"
import * as Session from "./Session.ts"
import type * as TokenStorage from "./TokenStorage.ts"

/**
 * Files of the project.
 *
 * **Example** (Uploading a picture)
 *
 * ```ts
 * import { FileUploading } from "effect-oneentry"
 *
 * export const upload = (picture: File) =>
 *   FileUploading.FileUploading.use((files) => files.upload(picture, { type: "page", entity: "editor", id: 3492 }))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class FileUploading extends Context.Service<FileUploading, {
  /** Uploads files to the place that the query names. */
  readonly upload: (
    files: Blob | ReadonlyArray<Blob>,
    query: FieldValue.FileQuery
  ) => Effect.Effect<ReadonlyArray<FieldValue.UploadedFile>, OneEntryError.OneEntryError | Session.RefreshError>
}>()("effect-oneentry/FileUploading") {}

/** @internal */
export const makeInternal = (transport: Transport.Transport, session: Session.Internal): FileUploading["Service"] =>
  FileUploading.of({
    upload: (files, query) => {
      const list = files instanceof Blob ? [files] : files
      return checked("upload", list.length === 0 ? ["there must be a file to upload"] : [], () =>
        optionally(transport, session, Uploads.uploadEndpoint, {
          path: Uploads.uploadPath(query),
          body: Uploads.uploadBody(list),
          marker: "",
          langCode: transport.project.langCode
        }))
    }
  })

/**
 * The files alone.
 *
 * **Example** (An upload page)
 *
 * ```ts
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 * import { FileUploading, TokenStorage } from "effect-oneentry"
 *
 * export const layer = FileUploading.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
 *   Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: ClientOptions.ClientOptions
): Layer.Layer<FileUploading, OneEntryError.OneEntryError, HttpClient.HttpClient | TokenStorage.TokenStorage> =>
  Layer.effect(
    FileUploading,
    Effect.gen(function*() {
      const project = yield* ClientOptions.resolve(options)
      const transport = yield* Transport.make(project, yield* HttpClient.HttpClient)
      return makeInternal(transport, yield* Session.makeInternal(transport))
    })
  )
