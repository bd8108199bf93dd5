/**
 * Files of the project: uploading them without reading them whole, with their
 * progress where it is asked for, reading them back as bytes, and deleting them.
 * Everything here runs in the name of whoever is signed in, and anonymously
 * where nobody is: which of it is allowed, the permissions of the project say.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type * as ClientOptions from "./ClientOptions.ts"
import type * as FieldValue from "./FieldValue.ts"
import { optionally } from "./internal/authorizedCall.ts"
import { FileNotFound, FileTooLarge } from "./internal/domainErrors.ts"
import { files as rules } from "./internal/classification.ts"
import * as Invoke from "./internal/invoke.ts"
import * as Lean from "./internal/lean.ts"
import * as HttpTransport from "./internal/httpTransport.ts"
import * as Mailbox from "./internal/mailbox.ts"
import * as Uploads from "./internal/uploads.ts"
import { safeUrl } from "./internal/urls.ts"
import * as OneEntryError from "./OneEntryError.ts"
import * as Session from "./Session.ts"
import type * as TokenStorage from "./TokenStorage.ts"
import { refused } from "./internal/refused.ts"

export { FileNotFound, FileTooLarge }

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Bytes that come as a stream, with what a `File` would say of itself: `size` in bytes, where it is known.
 *
 * The stream is run once, as the request is sent: nothing holds it whole. In a browser, where a request cannot be a
 * stream (or over HTTP/2 only), it is first taken into a `Blob`, which the browser may keep on the disk.
 *
 * **Example** (A report that is written while it is sent)
 *
 * ```ts
 * import { Stream } from "effect"
 * import type { FileUploading } from "effect-oneentry"
 *
 * const lines = Stream.range(1, 1_000_000).pipe(Stream.map((n) => `${n}\n`))
 *
 * export const report: FileUploading.StreamSource<never> = {
 *   name: "report.csv",
 *   type: "text/csv",
 *   stream: Stream.encodeText(lines)
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamSource<E> extends Uploads.StreamSource<E> {}

/**
 * What can be uploaded: a `File`, a `Blob`, or a stream of bytes with a name.
 *
 * **Example** (From an input)
 *
 * ```ts
 * import type { FileUploading } from "effect-oneentry"
 *
 * export const chosen = (input: HTMLInputElement): ReadonlyArray<FileUploading.Source<never>> =>
 *   Array.from(input.files ?? [])
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Source<E> = Blob | StreamSource<E>

/**
 * How files are uploaded. `maxBytes`: what one file may have; 100 MiB. A file that is known to be larger fails the call
 * before anything is sent, a stream as soon as it has given more.
 *
 * **Example** (At most two megabytes)
 *
 * ```ts
 * import type { FileUploading } from "effect-oneentry"
 *
 * export const options: FileUploading.UploadOptions = { maxBytes: 2_000_000 }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface UploadOptions {
  readonly maxBytes?: number | undefined
}

/**
 * What happens during an upload: `sent` of `total` bytes of the files were handed to the connection (`total` is absent
 * where a stream did not say its size), and at the end what the server made of them.
 *
 * **Example** (A bar)
 *
 * ```ts
 * import type { FileUploading } from "effect-oneentry"
 *
 * export const percent = (event: FileUploading.UploadEvent): number =>
 *   event._tag === "Uploaded" ? 100 : event.total === undefined ? 0 : 100 * event.sent / Math.max(event.total, 1)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type UploadEvent =
  | { readonly _tag: "Sent"; readonly sent: number; readonly total?: number }
  | { readonly _tag: "Uploaded"; readonly files: ReadonlyArray<FieldValue.UploadedFile> }

/**
 * Which file: its name as the upload returned it (the whole path, or its last part), and the place it belongs to.
 *
 * **Example** (A picture of a page)
 *
 * ```ts
 * import type { FileUploading } from "effect-oneentry"
 *
 * export const picture: FileUploading.FileLocation = { filename: "me.png", type: "page", entity: "editor", id: 3492 }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface FileLocation {
  readonly filename: string
  readonly type?: string | undefined
  readonly entity?: string | undefined
  readonly id?: number | string | undefined
  /** A preset of previews, instead of the file itself. */
  readonly template?: number | string | undefined
}

/**
 * What to make of a URL's content: the name of the file (otherwise the URL's last segment), its media type (otherwise
 * what the server says), and how many bytes it may have; 100 MiB.
 *
 * **Example** (An avatar from elsewhere)
 *
 * ```ts
 * import type { FileUploading } from "effect-oneentry"
 *
 * export const options: FileUploading.FromUrlOptions = { filename: "avatar.png", type: "image/png", maxBytes: 1_000_000 }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface FromUrlOptions {
  readonly filename?: string | undefined
  readonly type?: string | undefined
  readonly maxBytes?: number | undefined
}

type Failure = OneEntryError.OneEntryError | Session.RefreshError

// -----------------------------------------------------------------------------
// service
// -----------------------------------------------------------------------------

/**
 * Files of the project.
 *
 * An upload takes as long as its bytes take on a slow line: `requestTimeout`, and a second for every 16 KiB.
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
 * **Example** (With a bar)
 *
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { FileUploading } from "effect-oneentry"
 *
 * export const upload = (film: File, show: (sent: number) => void) =>
 *   Effect.gen(function*() {
 *     const files = yield* FileUploading.FileUploading
 *     yield* files.uploadWithProgress(film, { type: "page", entity: "editor", id: 3492 }).pipe(
 *       Stream.runForEach((event) => Effect.sync(() => event._tag === "Sent" && show(event.sent)))
 *     )
 *   })
 * ```
 *
 * **Example** (Reading a file, and leaving off when it is enough)
 *
 * ```ts
 * import { Stream } from "effect"
 * import { FileUploading } from "effect-oneentry"
 *
 * export const firstBytes = FileUploading.FileUploading.use((files) =>
 *   files.getFile({ filename: "film.mp4", type: "page", entity: "editor", id: 3492 }).pipe(
 *     Stream.take(1),
 *     Stream.runCollect
 *   )
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class FileUploading extends Context.Service<
  FileUploading,
  {
    /**
     * Uploads files to the place that the query names, in one request. The failure of a stream is the failure of the
     * call. Files are sent once more if the access token turns out to have ended; streams cannot be, and fail with
     * `InvalidRequest` then, the session refreshed.
     */
    readonly upload: <E = never>(
      files: Source<E> | ReadonlyArray<Source<E>>,
      query: FieldValue.FileQuery,
      options?: UploadOptions
    ) => Effect.Effect<ReadonlyArray<FieldValue.UploadedFile>, E | FileTooLarge | Failure>
    /**
     * As `upload`, telling how far it is: `Sent` at the start and from then on, the latest for who is slow to listen, and
     * `Uploaded` at the end. Leaving the stream ends the upload. In a browser, which does not say how much of a request
     * it has sent, only the first and the last of it come.
     */
    readonly uploadWithProgress: <E = never>(
      files: Source<E> | ReadonlyArray<Source<E>>,
      query: FieldValue.FileQuery,
      options?: UploadOptions
    ) => Stream.Stream<UploadEvent, E | FileTooLarge | Failure>
    /** Deletes a file, by its name and its place. */
    readonly delete: (
      filename: string,
      query?: Omit<FileLocation, "filename">
    ) => Effect.Effect<void, FileNotFound | Failure>
    /**
     * The bytes of a file. Nothing holds it whole, it may be of any size, and leaving the stream ends the download; it
     * fails where no byte comes for `requestTimeout`.
     */
    readonly getFile: (file: FileLocation) => Stream.Stream<Uint8Array, FileNotFound | Failure>
    /**
     * Makes a `File` of what a URL holds, in memory: `https:`, `http:` on loopback, or `data:`. Neither the app token nor
     * a session nor cookies go along, and no redirect is followed.
     */
    readonly createFileFromUrl: (
      url: string | URL,
      options?: FromUrlOptions
    ) => Effect.Effect<File, FileTooLarge | OneEntryError.OneEntryError>
  }
>()("effect-oneentry/FileUploading") {}

// -----------------------------------------------------------------------------
// make
// -----------------------------------------------------------------------------

const deleteEndpoint = Invoke.nothing(rules, "deleteFile", "DELETE")
const getEndpoint = Invoke.nothing(rules, "getFile", "GET")

const isList = <E>(files: Source<E> | ReadonlyArray<Source<E>>): files is ReadonlyArray<Source<E>> =>
  Array.isArray(files)

const sourceIssues = (sources: ReadonlyArray<Source<unknown>>, maxBytes: number): ReadonlyArray<string> => {
  const issues: Array<string> = sources.length === 0 ? ["there must be a file to upload"] : []
  for (const [index, source] of sources.entries()) {
    const { size } = source
    if (!("stream" in source)) issues.push(`file ${index} must be a File, a Blob, or { name, stream }`)
    if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0)) {
      issues.push(`the \`size\` of file ${index} must be a whole number of bytes`)
    }
  }
  return issues.concat(limitIssues(maxBytes))
}

const limitIssues = (maxBytes: number): ReadonlyArray<string> =>
  maxBytes > 0 ? [] : ["`maxBytes` must be a number of bytes, more than none"]

const queryIssues = (query: FieldValue.FileQuery): ReadonlyArray<string> => {
  const id: unknown = query.id
  return [
    ...Invoke.emptyArguments({ "query.type": query.type, "query.entity": query.entity }),
    ...((typeof id === "number" && Number.isFinite(id)) || (typeof id === "string" && id !== "")
      ? []
      : ["`query.id` must be the id of the object that the file belongs to"])
  ]
}

const totalOf = (sources: ReadonlyArray<Source<unknown>>): { readonly total?: number } => {
  let total = 0
  for (const { size } of sources) {
    if (size === undefined) return {}
    total += size
  }
  return { total }
}

const locationPath = ({ entity, filename, id, template, type }: FileLocation): string =>
  Invoke.path(["files"], { id, type, entity, filename, template })

/** The content of a `data:` URL. */
const decodeDataUrl = (url: URL): { readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined => {
  const text = url.href.slice("data:".length).replace(/#.*$/s, "")
  const comma = text.indexOf(",")
  if (comma === -1) return undefined
  const head = text.slice(0, comma)
  const isBase64 = /;\s*base64\s*$/i.test(head)
  const type = head.replace(/;\s*base64\s*$/i, "").trim()
  const media = type === "" || type.startsWith(";") ? `text/plain${type === "" ? ";charset=US-ASCII" : type}` : type
  const raw = text.slice(comma + 1)
  const bytes = isBase64 ? Result.getOrUndefined(Base64.decode(percentDecodedText(raw))) : percentDecoded(raw)
  return bytes === undefined ? undefined : { type: media, bytes: new Uint8Array(bytes) }
}

const percentDecoded = (text: string): Uint8Array => {
  const bytes = new TextEncoder().encode(text)
  const out = new Uint8Array(bytes.length)
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    const hex = bytes[i] === 0x25 /* % */ ? String.fromCharCode(...bytes.subarray(i + 1, i + 3)) : ""
    const escaped = /^[0-9a-f]{2}$/i.test(hex)
    out[length++] = escaped ? Number.parseInt(hex, 16) : (bytes[i] ?? 0)
    if (escaped) i += 2
  }
  return out.subarray(0, length)
}

const percentDecodedText = (text: string): string =>
  new TextDecoder().decode(percentDecoded(text)).replace(/[\t\n\f\r ]/g, "")

const lastSegment = (url: URL): string => {
  const segment = url.protocol === "data:" ? "" : (url.pathname.split("/").pop() ?? "")
  const name = new TextDecoder().decode(percentDecoded(segment)).replace(/[/\\\p{Cc}]/gu, "_")
  return name === "" ? "file" : name
}

/** @internal */
export const makeInternal = (
  transport: HttpTransport.HttpTransport,
  session: Session.Internal
): FileUploading["Service"] => {
  const { project } = transport

  const uploadFiles = <E>(
    files: Source<E> | ReadonlyArray<Source<E>>,
    query: FieldValue.FileQuery,
    options: UploadOptions | undefined,
    onSent?: (sent: number) => void
  ) => {
    const sources = isList(files) ? files : [files]
    const maxBytes = options?.maxBytes ?? Uploads.defaultMaxBytes
    return Invoke.checked("upload", [...sourceIssues(sources, maxBytes), ...queryIssues(query)], () =>
      Uploads.upload(transport, session, sources, query, { maxBytes, onSent })
    )
  }

  /** The answer to a GET of a file, its body unread. */
  const open = (file: FileLocation) => {
    const path = locationPath(file)
    const attempt = (headers: Readonly<Record<string, string>>) => {
      const parts = { path, headers, marker: file.filename, langCode: project.langCode }
      const request = HttpClientRequest.get(project.baseUrl + path, { headers: { ...headers, accept: "*/*" } })
      return Effect.gen(function* () {
        const response = yield* transport.stream("getFile", request)
        const { status } = response
        if (status >= 200 && status < 300) return response
        const text = yield* errorText(response)
        if (status === 401) return yield* refused(headers)
        const answer = { status, text, header: (name: string) => response.headers[name] }
        yield* Invoke.interpret(getEndpoint, parts, parts, answer)
        // Not reached: `interpret` makes no value of such an answer.
        return yield* broken("getFile")(undefined)
      })
    }
    return transport.observe("getFile", "", Invoke.retryTransient(project, session.optionally(attempt)))
  }

  const broken = (operation: string) => (error: unknown) =>
    OneEntryError.isOneEntryError(error)
      ? error
      : new OneEntryError.OneEntryError({
          operation,
          reason: new OneEntryError.Network({ description: "the answer broke off" })
        })

  const bodyOf = (operation: string, response: HttpClientResponse.HttpClientResponse) =>
    response.stream.pipe(
      Stream.catchTag("HttpClientError", (error) =>
        error.reason._tag === "EmptyBodyError" ? Stream.empty : Stream.fail(broken(operation)(error))
      ),
      (stream) =>
        Stream.transformPull(stream, (pull) =>
          Effect.succeed(
            Effect.timeoutOrElse(pull, {
              duration: project.requestTimeout,
              orElse: () =>
                Effect.fail(
                  new OneEntryError.OneEntryError({
                    operation,
                    reason: new OneEntryError.Timeout({ after: project.requestTimeout })
                  })
                )
            })
          )
        )
    )

  /** The body of a refusal: an envelope, or nothing that matters. */
  const errorText = (response: HttpClientResponse.HttpClientResponse) =>
    bodyOf("getFile", response).pipe(
      Stream.runFoldEffect(
        () => ({ text: "", decoder: new TextDecoder() }),
        ({ decoder, text }, chunk) =>
          text.length > 65_536
            ? Effect.fail(broken("getFile")(undefined))
            : Effect.succeed({ text: text + decoder.decode(chunk, { stream: true }), decoder })
      ),
      Effect.map(({ text }) => text),
      Effect.orElseSucceed(() => "")
    )

  return FileUploading.of({
    upload: (files, query, options) => uploadFiles(files, query, options),

    uploadWithProgress: (files, query, options) =>
      Mailbox.during(16, (put: (event: UploadEvent) => void) => {
        const total = totalOf(isList(files) ? files : [files])
        let last = -1
        const onSent = (sent: number) => {
          if (sent === last) return
          last = sent
          put({ _tag: "Sent", sent, ...total })
        }
        onSent(0)
        return Effect.map(uploadFiles(files, query, options, onSent), (uploaded) => {
          if (total.total !== undefined) onSent(total.total)
          put({ _tag: "Uploaded", files: uploaded })
        })
      }),

    delete: (filename, query) =>
      Invoke.checked("deleteFile", Invoke.emptyArguments({ filename }), () =>
        optionally(transport, session, deleteEndpoint, {
          path: locationPath({ ...query, filename }),
          marker: filename,
          langCode: project.langCode
        })
      ),

    getFile: (file) =>
      Stream.unwrap(
        Invoke.checked("getFile", Invoke.emptyArguments({ filename: file.filename }), () =>
          Effect.map(open(file), (response) => bodyOf("getFile", response))
        )
      ),

    createFileFromUrl: (input, options) =>
      Effect.suspend(() => {
        const maxBytes = options?.maxBytes ?? Uploads.defaultMaxBytes
        const operation = "createFileFromUrl"
        const isData = /^\s*data:/i.test(String(input))
        const parsed = isData && URL.canParse(String(input)) ? new URL(String(input)) : safeUrl("`url`", input)
        const issues = [...(typeof parsed === "string" ? [parsed] : []), ...limitIssues(maxBytes)]
        if (typeof parsed === "string" || issues.length > 0) {
          return Effect.fail(OneEntryError.invalidRequest(operation, ...issues))
        }
        const name = options?.filename ?? lastSegment(parsed)
        const tooLarge = (size: number | undefined) =>
          new FileTooLarge({ marker: name, messages: [], limit: maxBytes, ...(size === undefined ? {} : { size }) })
        if (isData) {
          const data = decodeDataUrl(parsed)
          if (data === undefined)
            return Effect.fail(OneEntryError.invalidRequest(operation, "`url` is no valid data: URL"))
          return data.bytes.byteLength > maxBytes
            ? Effect.fail(tooLarge(data.bytes.byteLength))
            : Effect.succeed(new File([data.bytes], name, { type: options?.type ?? data.type }))
        }
        parsed.hash = ""
        return Effect.gen(function* () {
          const response = yield* transport.stream(
            operation,
            HttpClientRequest.get(parsed.href, { headers: { accept: "*/*" } })
          )
          if (response.status < 200 || response.status >= 300) {
            yield* errorText(response)
            return yield* new OneEntryError.OneEntryError({
              operation,
              reason: new OneEntryError.Unexpected({ statusCode: response.status, messages: [] })
            })
          }
          const { headers } = response
          const announced = Lean.announcedBytes((name) => headers[name])
          const parts: Array<BlobPart> = []
          let bytes = 0
          yield* bodyOf(operation, response).pipe(
            Stream.runForEach((chunk) =>
              Effect.suspend(() => {
                bytes += chunk.byteLength
                if (bytes > maxBytes || (announced ?? 0) > maxBytes) return Effect.fail(tooLarge(announced))
                parts.push(new Uint8Array(chunk))
                return Effect.void
              })
            )
          )
          return new File(parts, name, { type: options?.type ?? response.headers["content-type"] ?? "" })
        }).pipe(
          // Nothing that the caller's requests carry elsewhere belongs to whoever serves this URL.
          Effect.provideService(Lean.RequestInit, { credentials: "omit", referrerPolicy: "no-referrer" })
        )
      })
  })
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

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
    Effect.flatMap(HttpTransport.connect(options), (transport) =>
      Effect.map(Session.makeInternal(transport), (session) => makeInternal(transport, session))
    )
  )
