/** The endpoints of FileUploading, and the place that download links lead to. */
import * as Effect from "effect/Effect"
import type * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Multipart from "effect/http/Multipart"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { File } from "../Snapshot.ts"
import * as answers from "./answers.ts"
import type { Backend } from "./backend.ts"
import { type Endpoint, type Exchange, openRoute, route, withHeaders } from "./endpoint.ts"
import { place, text } from "./paging.ts"
import { type Refusal, refusal, refuse } from "./refusal.ts"

const segment = (text: string | undefined, fallback: string): string => {
  const clean = (text ?? "").replace(/[^A-Za-z0-9_-]/g, "").slice(0, 64)
  return clean === "" ? fallback : clean
}

const extension = (name: string): string => {
  const match = /\.([A-Za-z0-9]{1,10})$/.exec(name)
  return match?.[1] === undefined ? "" : `.${match[1].toLowerCase()}`
}

/**
 * The parts of an upload. Bytes are read whole first, within the limit of bodies; a form that was never written as
 * bytes (an `HttpClient` in the process) gives its parts at once.
 */
const parts = (
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<Stream.Stream<Multipart.Part, Multipart.MultipartError>, Refusal> => {
  const contentType = request.headers["content-type"]?.toLowerCase() ?? ""
  if (!contentType.includes("multipart/form-data") || !contentType.includes("boundary=")) {
    return contentType === "" || contentType.includes("multipart/form-data")
      ? Effect.succeed(request.multipartStream)
      : refuse("FilesMissing")
  }
  return Effect.matchEffect(request.arrayBuffer, {
    onSuccess: (buffer) =>
      buffer.byteLength === 0
        ? refuse("MultipartMalformed")
        : Effect.succeed(
            Stream.pipeThroughChannel(Stream.succeed(new Uint8Array(buffer)), Multipart.makeChannel(request.headers))
          ),
    onFailure: (error) =>
      refuse(String(error.reason.cause ?? "").includes("exceeds") ? "BodyTooLarge" : "MultipartMalformed")
  })
}

const uploadQuery = {
  ...place,
  width: text("Pixels to scale pictures to. The emulator stores what came.", "800"),
  height: text("Pixels to scale pictures to. The emulator stores what came.", "600"),
  compress: text("Whether pictures are made smaller. The emulator stores what came.", "true"),
  template: text("The preset that pictures get a preview for.", "thumbnail")
}

const fileQuery = {
  ...uploadQuery,
  filename: text("The stored path, or its last segment together with `type`, `entity` and `id`.", "2e3.png")
}

/** What the parts of an upload are; they are read from the stream. */
const Upload = Schema.Struct({
  files: Schema.Array(Schema.String.annotate({ format: "binary" })).annotate({ description: "Parts of this name." })
})

const upload: Endpoint<undefined, typeof answers.Files.Type, keyof typeof uploadQuery> = {
  operation: "upload",
  summary: "Upload files",
  query: uploadQuery,
  multipart: Upload,
  refuses: ["BodyTooLarge", "MultipartMalformed", "FilesMissing", "FileTooLarge"],
  method: "POST",
  path: "/api/content/files",
  answer: answers.Files,
  handle: Effect.fnUntraced(function* (exchange) {
    const { backend, now, query } = exchange
    const request = exchange.request.source()
    if (Number(request.headers["content-length"] ?? 0) > backend.limits.bodyBytes) return yield* refuse("BodyTooLarge")
    const limit = backend.project.files.maxFileSize
    const tooLarge = () => refusal("FileTooLarge", [String(limit), backend.project.files.storage])
    const received: Array<{ readonly name: string; readonly contentType: string; readonly content: Uint8Array }> = []
    // Effect's parser throws at a part without headers.
    const stream = Stream.catchDefect(yield* parts(request), () => Stream.fail(refusal("MultipartMalformed")))
    yield* Stream.runForEach(stream, (part) => {
      if (!Multipart.isFile(part)) return Effect.void
      return Effect.flatMap(part.contentEffect, (content) => {
        if (part.key !== "files") return Effect.void
        if (content.byteLength > limit) return Effect.fail(tooLarge())
        received.push({ name: part.name, contentType: part.contentType, content: new Uint8Array(content) })
        return Effect.void
      })
    }).pipe(
      Effect.mapError((error) => {
        if (error._tag === "Refusal") return error
        switch (error.reason._tag) {
          case "FileTooLarge":
            return tooLarge()
          case "BodyTooLarge":
            return refusal("BodyTooLarge")
          default:
            return refusal("MultipartMalformed")
        }
      })
    )
    if (received.length === 0) return yield* refuse("FilesMissing")

    const type = query("type") ?? null
    const entity = query("entity") ?? null
    const id = query("id") ?? null
    const template = query("template")
    const folder = `files/project/${segment(type ?? undefined, "page")}/${segment(id ?? undefined, "0")}/${segment(entity ?? undefined, "editor")}`
    return received.map((file) => {
      const row = backend.state.files.set({
        filename: `${folder}/${backend.random.uuid()}${extension(file.name)}`,
        contentType: file.contentType === "" ? "application/octet-stream" : file.contentType,
        type,
        entity,
        id,
        content: file.content,
        at: now
      })
      const downloadLink = `${backend.url}/cloud-static/${row.filename}`
      return {
        filename: row.filename,
        downloadLink,
        size: row.content.byteLength,
        contentType: row.contentType,
        // The placeholder and the preview of a picture; nothing here scales, so both are the picture.
        ...(template === undefined || template === "" || !row.contentType.startsWith("image/")
          ? {}
          : { previewLink: { [template]: [downloadLink, downloadLink] } })
      }
    })
  })
}

/** By the full stored path, or by its last segment and whatever else the query names. */
const find = (exchange: Exchange<undefined, keyof typeof fileQuery>): File | undefined => {
  const { backend, query } = exchange
  const name = query("filename") ?? ""
  if (name === "") return undefined
  const matches = (file: File): boolean => {
    for (const key of ["type", "entity", "id"] as const) {
      const wanted = query(key)
      if (wanted !== undefined && wanted !== "" && wanted !== file[key]) return false
    }
    return true
  }
  const whole = backend.state.files.get(name)
  if (whole !== undefined) return whole
  for (const file of backend.state.files.rows.values()) {
    if (file.filename.endsWith(`/${name}`) && matches(file)) return file
  }
  return undefined
}

const serve = (now: number, file: File): HttpServerResponse.HttpServerResponse =>
  withHeaders(
    now,
    HttpServerResponse.uint8Array(file.content, {
      contentType: file.contentType,
      // Whatever was uploaded runs no script here.
      headers: { "x-content-type-options": "nosniff", "content-security-policy": "sandbox" }
    })
  )

const getFile: Endpoint<undefined, HttpServerResponse.HttpServerResponse, keyof typeof fileQuery> = {
  operation: "getFile",
  summary: "Read a file",
  query: fileQuery,
  refuses: ["FileNotFound"],
  method: "GET",
  path: "/api/content/files",
  answer: "raw",
  handle: (exchange) => {
    const file = find(exchange)
    return file === undefined ? refuse("FileNotFound") : Effect.succeed(serve(exchange.now, file))
  }
}

const deleteFile: Endpoint<undefined, true, keyof typeof fileQuery> = {
  operation: "deleteFile",
  summary: "Delete a file",
  query: fileQuery,
  refuses: ["FileNotFound"],
  method: "DELETE",
  path: "/api/content/files",
  answer: answers.True,
  handle: (exchange) => {
    const file = find(exchange)
    if (file === undefined) return refuse("FileNotFound")
    exchange.backend.state.files.delete(file.filename)
    return Effect.succeed(true)
  }
}

const download = {
  operation: "download",
  summary: "What a download link leads to",
  path: "/cloud-static/*",
  refuses: ["FileNotFound"]
} as const

export const routes = (
  backend: Backend
): ReadonlyArray<HttpRouter.Route<never, HttpServerRequest.HttpServerRequest>> => [
  route(backend, upload),
  route(backend, getFile),
  route(backend, deleteFile),
  openRoute(backend, download, (path, now) => {
    const file = backend.state.files.get(path.slice("/cloud-static/".length))
    return file === undefined ? refusal("FileNotFound") : serve(now, file)
  })
]
