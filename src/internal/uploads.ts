/** Files on their way to the server: from a form's fields, a `File` or `Blob`, or a stream that nobody reads whole. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Pull from "effect/Pull"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as AuthError from "../AuthError.ts"
import * as FieldValue from "../FieldValue.ts"
import * as OneEntryError from "../OneEntryError.ts"
import type { Internal, RefreshError } from "../Session.ts"
import { files as rules } from "./classification.ts"
import { extraHeaders, optionally } from "./authorizedCall.ts"
import * as DomainErrors from "./domainErrors.ts"
import { isBlob } from "./fieldEncoding.ts"
import type { FormInvalid } from "./formInvalid.ts"
import { inOrder } from "./inOrder.ts"
import { type Endpoint, interpret, path, something } from "./invoke.ts"
import { type Transport, transferTime } from "./transport.ts"
import { refused } from "./refused.ts"

const decode = Schema.decodeUnknownExit(Schema.Array(FieldValue.UploadedFile))

/** POST /files */
export const uploadEndpoint: Endpoint<"upload", ReadonlyArray<FieldValue.UploadedFile>> = something(
  rules,
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

// ---------------------------------------------------------------------------------------------------------------------
// what is uploaded
// ---------------------------------------------------------------------------------------------------------------------

/** Bytes that come as a stream, with what a `File` would say of itself. */
export interface StreamSource<E> {
  readonly name: string
  readonly type?: string | undefined
  readonly size?: number | undefined
  readonly stream: Stream.Stream<Uint8Array, E>
}

export type Source<E> = Blob | StreamSource<E>

/** Bytes that one file may have, where a call does not say. */
export const defaultMaxBytes = 100 * 1024 * 1024

/** The name that a file goes by. */
const nameOf = (source: Source<unknown>): string =>
  "name" in source && typeof source.name === "string" && source.name !== "" ? source.name : "file"

const tooLarge = (marker: string, limit: number, size: number | undefined) =>
  new DomainErrors.FileTooLarge({ marker, messages: [], limit, ...(size === undefined ? {} : { size }) })

/** The first file that is known to be too large. */
const checkSizes = (
  sources: ReadonlyArray<Source<unknown>>,
  maxBytes: number
): DomainErrors.FileTooLarge | undefined => {
  for (const source of sources) {
    if (source.size !== undefined && source.size > maxBytes) return tooLarge(nameOf(source), maxBytes, source.size)
  }
  return undefined
}

/** The body of an upload: each file a part named `files`. The runtime sets the boundary, and reads a file as it sends. */
export const uploadBody = (files: ReadonlyArray<Blob>): FormData => {
  const form = new FormData()
  for (const file of files) form.append("files", file, nameOf(file))
  return form
}

// ---------------------------------------------------------------------------------------------------------------------
// streams
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Whether a request may be a stream here. In a browser it may not, or over HTTP/2 only, which nobody knows beforehand;
 * a phone's runtime has no such thing. Those have `XMLHttpRequest`, and servers have not.
 */
const canStream = (): boolean => !("XMLHttpRequest" in globalThis) && typeof ReadableStream === "function"

const unreadable = (name: string) =>
  OneEntryError.invalidRequest("upload", `the file "${name}" could not be read: was it changed or removed meanwhile?`)

const bytesOf = <E>(source: Source<E>): Stream.Stream<Uint8Array, E | OneEntryError.OneEntryError> =>
  isBlob(source)
    ? Stream.fromReadableStream({ evaluate: () => source.stream(), onError: () => unreadable(nameOf(source)) })
    : source.stream

/** What went wrong with the bytes themselves, which the HTTP client can only call a broken connection. */
interface Watch<E> {
  failure: E | DomainErrors.FileTooLarge | OneEntryError.OneEntryError | undefined
}

/** The bytes of a file, counted: no more than allowed, and as many as announced. */
const counted = <E>(
  source: Source<E>,
  maxBytes: number,
  watch: Watch<E>,
  onBytes: (bytes: number) => void
): Stream.Stream<Uint8Array, E | DomainErrors.FileTooLarge | OneEntryError.OneEntryError> =>
  Stream.transformPull(bytesOf(source), (pull) => {
    let bytes = 0
    const name = nameOf(source)
    const count = Effect.flatMap(pull, (chunks) => {
      for (const { byteLength } of chunks) {
        bytes += byteLength
        if (bytes > maxBytes) return Effect.fail(tooLarge(name, maxBytes, undefined))
        onBytes(byteLength)
      }
      return Effect.succeed(chunks)
    })
    return Effect.succeed(
      Pull.catchDone(count, (): Pull.Pull<never, OneEntryError.OneEntryError> =>
        source.size === undefined || source.size === bytes
          ? Cause.done()
          : Effect.fail(
              OneEntryError.invalidRequest(
                "upload",
                `the file "${name}" has ${bytes} bytes, not the ${source.size} that its \`size\` says`
              )
            )
      )
    )
  }).pipe(
    Stream.tapError((error) =>
      Effect.sync(() => {
        watch.failure ??= error
      })
    )
  )

const encoder = new TextEncoder()

/** As browsers write a name into a multipart header. */
const quoted = (name: string): string => `"${name.replace(/\r\n|\r|\n/g, "%0D%0A").replace(/"/g, "%22")}"`

const mediaType = (type: string | undefined): string =>
  type !== undefined && /^[\x20-\x7e]{3,255}$/.test(type) ? type : "application/octet-stream"

const boundaryOf = (): string => {
  let out = "----effect-oneentry-"
  for (const byte of globalThis.crypto.getRandomValues(new Uint8Array(16))) out += byte.toString(16).padStart(2, "0")
  return out
}

const contentBytes = (sources: ReadonlyArray<Source<unknown>>): number | undefined => {
  let total = 0
  for (const { size } of sources) {
    if (size === undefined) return undefined
    total += size
  }
  return total
}

/** A multipart body that is made while it is sent. */
const streamedBody = <E>(
  sources: ReadonlyArray<Source<E>>,
  maxBytes: number,
  watch: Watch<E>,
  onSent: (sent: number) => void
): HttpBody.Stream => {
  const boundary = boundaryOf()
  const heads = sources.map((source) =>
    encoder.encode(
      `--${boundary}\r\ncontent-disposition: form-data; name="files"; filename=${quoted(nameOf(source))}\r\n` +
        `content-type: ${mediaType(source.type)}\r\n\r\n`
    )
  )
  const end = encoder.encode("\r\n")
  const tail = encoder.encode(`--${boundary}--\r\n`)
  const content = contentBytes(sources)
  const length =
    content === undefined
      ? undefined
      : heads.reduce((sum, head) => sum + head.byteLength + end.byteLength, content + tail.byteLength)
  const stream = Stream.suspend(() => {
    let sent = 0
    onSent(0)
    const count = (bytes: number) => {
      sent += bytes
      onSent(sent)
    }
    return inOrder(function* () {
      for (const [index, source] of sources.entries()) {
        yield Stream.succeed(heads[index] ?? end)
        yield counted(source, maxBytes, watch, count)
        yield Stream.succeed(end)
      }
      yield Stream.succeed(tail)
    })
  })
  return HttpBody.stream(stream, `multipart/form-data; boundary=${boundary}`, length)
}

/** Takes a stream in, where a request cannot be one: a browser may keep a `Blob` on the disk. */
const collected = <E>(
  source: Source<E>,
  maxBytes: number
): Effect.Effect<Blob, E | DomainErrors.FileTooLarge | OneEntryError.OneEntryError> => {
  if (isBlob(source)) return Effect.succeed(source)
  return Effect.suspend(() => {
    const parts: Array<BlobPart> = []
    return Effect.map(
      Stream.runForEach(
        counted(source, maxBytes, { failure: undefined }, () => undefined),
        (chunk) =>
          Effect.sync(() => {
            parts.push(new Uint8Array(chunk))
          })
      ),
      () => new File(parts, nameOf(source), { type: mediaType(source.type) })
    )
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// uploading
// ---------------------------------------------------------------------------------------------------------------------

export interface UploadOptions {
  readonly maxBytes: number
  /** Called with the bytes of the files that were handed to the connection. */
  readonly onSent?: ((sent: number) => void) | undefined
}

const send = (transport: Transport, session: Internal, query: FieldValue.FileQuery, body: FormData | HttpBody.Stream) =>
  optionally(transport, session, uploadEndpoint, {
    path: uploadPath(query),
    body,
    marker: "",
    langCode: transport.project.langCode
  })

/** An upload whose bytes come once: where the access token turns out to have ended, it is not sent again. */
const sendOnce = (
  transport: Transport,
  session: Internal,
  query: FieldValue.FileQuery,
  body: FormData | HttpBody.Stream
) =>
  transport.observe(
    "upload",
    "",
    session.optionally((headers) =>
      Effect.gen(function* () {
        const extra = yield* extraHeaders(session, "POST", body)
        const parts = {
          path: uploadPath(query),
          headers: { ...headers, ...extra },
          body,
          marker: "",
          langCode: transport.project.langCode
        }
        const answer = yield* transport.send({ operation: "upload", method: "POST", ...parts })
        const bearer = headers["authorization"]
        if (answer.status === 401) {
          if (bearer === undefined) return yield* refused(headers)
          yield* session.service.renew(Redacted.make(bearer.slice("Bearer ".length)))
          return yield* OneEntryError.invalidRequest(
            "upload",
            "the access token had ended, and a stream cannot be sent again: the session is refreshed now, upload anew"
          )
        }
        return yield* interpret(uploadEndpoint, parts, parts, answer)
      })
    )
  )

/** Uploads files in one request. */
export const upload = <E>(
  transport: Transport,
  session: Internal,
  sources: ReadonlyArray<Source<E>>,
  query: FieldValue.FileQuery,
  { maxBytes, onSent }: UploadOptions
): Effect.Effect<
  ReadonlyArray<FieldValue.UploadedFile>,
  E | DomainErrors.FileTooLarge | OneEntryError.OneEntryError | RefreshError
> =>
  Effect.suspend(() => {
    const large = checkSizes(sources, maxBytes)
    if (large !== undefined) return Effect.fail(large)
    const blobs = sources.filter((source): source is Blob => isBlob(source))
    const whole = (files: ReadonlyArray<Blob>) => send(transport, session, query, uploadBody(files))
    if (blobs.length === sources.length && (onSent === undefined || !canStream())) return whole(blobs)
    if (!canStream()) {
      return Effect.flatMap(
        Effect.forEach(sources, (source) => collected(source, maxBytes)),
        whole
      )
    }
    const watch: Watch<E> = { failure: undefined }
    const body = streamedBody(sources, maxBytes, watch, onSent ?? (() => undefined))
    // Files can be read again, and so be sent again.
    const sent =
      blobs.length === sources.length
        ? send(transport, session, query, body)
        : sendOnce(transport, session, query, body)
    const after = transferTime(transport.project, maxBytes * sources.length)
    const bounded =
      body.contentLength === undefined
        ? Effect.timeoutOrElse(sent, {
            duration: after,
            orElse: () =>
              Effect.fail(
                new OneEntryError.OneEntryError({ operation: "upload", reason: new OneEntryError.Timeout({ after }) })
              )
          })
        : sent
    return Effect.mapError(bounded, (error) => watch.failure ?? error)
  })

// ---------------------------------------------------------------------------------------------------------------------
// fields
// ---------------------------------------------------------------------------------------------------------------------

/** How many uploads of one call run at the same time. */
const concurrency = 3

/** Uploads what the fields hold, and completes them, in their order. Nothing is sent before everything has encoded. */
export const completeFields = <E>(
  prepared: ReadonlyArray<FieldValue.Prepared>,
  upload: (
    files: ReadonlyArray<Blob>,
    query: FieldValue.FileQuery
  ) => Effect.Effect<ReadonlyArray<FieldValue.UploadedFile>, E>,
  maxBytes = defaultMaxBytes
): Effect.Effect<ReadonlyArray<FieldValue.WireField>, AuthError.UploadFailed> => {
  for (const item of prepared) {
    if (item._tag === "Ready") continue
    const cause = checkSizes(FieldValue.newFiles(item), maxBytes)
    if (cause !== undefined) return Effect.fail(new AuthError.UploadFailed({ marker: item.marker, cause }))
  }
  return Effect.forEach(
    prepared,
    (item) => {
      if (item._tag === "Ready") return Effect.succeed(item.field)
      const failed = (cause: E | FormInvalid) => new AuthError.UploadFailed({ marker: item.marker, cause })
      return upload(FieldValue.newFiles(item), item.fileQuery).pipe(
        Effect.mapError(failed),
        Effect.flatMap((uploaded) =>
          Result.match(FieldValue.attach(item, uploaded), {
            onFailure: (error) => Effect.fail(failed(error)),
            onSuccess: (field) => Effect.succeed(field)
          })
        )
      )
    },
    { concurrency }
  )
}

/** Encodes fields by language, all of them before the first upload. */
export const prepareFields = (
  fields: FieldValue.FormFields,
  langCode: string
): Result.Result<ReadonlyArray<readonly [langCode: string, fields: ReadonlyArray<FieldValue.Prepared>]>, FormInvalid> =>
  Result.all(
    FieldValue.byLanguage(fields, langCode).map(([language, list]) =>
      Result.map(FieldValue.prepare(list), (items) => [language, items] as const)
    )
  )

/**
 * Completes lists of fields, each of its language. As one list, so that nothing is sent before the last file has been
 * looked at, whatever its language.
 */
export const completeEach = <E>(
  prepared: ReadonlyArray<readonly [langCode: string, fields: ReadonlyArray<FieldValue.Prepared>]>,
  upload: Parameters<typeof completeFields<E>>[1],
  maxBytes = defaultMaxBytes
): Effect.Effect<
  ReadonlyArray<readonly [langCode: string, fields: ReadonlyArray<FieldValue.WireField>]>,
  AuthError.UploadFailed
> =>
  Effect.map(
    completeFields(
      prepared.flatMap(([, items]) => items),
      upload,
      maxBytes
    ),
    (completed) => {
      let next = 0
      return prepared.map(([language, { length }]) => {
        const start = next
        next += length
        return [language, completed.slice(start, next)] as const
      })
    }
  )

/** Uploads the files of prepared fields and gives the fields by language, languages without any left out. */
export const completeLanguages = (
  transport: Transport,
  session: Internal,
  prepared: ReadonlyArray<readonly [langCode: string, fields: ReadonlyArray<FieldValue.Prepared>]>,
  maxBytes: number
): Effect.Effect<Readonly<Record<string, ReadonlyArray<FieldValue.WireField>>>, AuthError.UploadFailed> =>
  Effect.map(
    completeEach(prepared, (files, query) => upload(transport, session, files, query, { maxBytes }), maxBytes),
    (lists) => Object.fromEntries(lists.filter(([, fields]) => fields.length > 0))
  )
