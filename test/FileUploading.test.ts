import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Redacted, Schema, Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { FetchClient, type FieldValue, FileUploading, OneEntry, TokenStorage } from "effect-oneentry"
import { Emulator } from "effect-oneentry/emulator"
import { operations, project, sentBy } from "./helpers/content.ts"
import { rawServer, recorded } from "./helpers/rawServer.ts"
import { failsWith, inProcess, overHttp, register, signIn } from "./helpers/scenario.ts"

const here = inProcess(undefined, { project })

const query: FieldValue.FileQuery = { type: "page", entity: "editor", id: 3492 }

const text = new TextEncoder()

const chunks = (count: number, size = 1024) =>
  Array.from({ length: count }, (_, n) => new Uint8Array(size).fill(n % 256))

const joined = (parts: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(Array.from(parts)))

const read = (filename: string) =>
  FileUploading.FileUploading.use((files) =>
    Stream.runCollect(files.getFile({ filename, type: "page", entity: "editor", id: 3492 }))
  ).pipe(Effect.map(joined))

const source = (name: string, parts: ReadonlyArray<Uint8Array>, size?: number): FileUploading.StreamSource<never> => ({
  name,
  type: "application/x-test",
  stream: Stream.fromIterable(parts),
  ...(size === undefined ? {} : { size })
})

class Broken extends Schema.TaggedError<Broken>("test/Broken")("Broken", {}) {}

/** A file that says it is larger than any memory. */
const huge = () => {
  const file = new File(["x"], "film.mp4")
  Object.defineProperty(file, "size", { value: 2 * 1024 ** 3 })
  return file
}

const everything = Effect.gen(function* () {
  const files = yield* FileUploading.FileUploading

  const picture = new File([joined(chunks(3))], 'me "and" you.png', { type: "image/png" })
  const [one] = yield* files.upload(picture, { ...query, template: 1 })
  assert(one !== undefined)
  assert.deepInclude(one, { size: 3072, contentType: "image/png" })
  assert.match(one.filename, /^files\/project\/page\/3492\/editor\/.+\.png$/)
  assert.isDefined(one.previewLink)
  assert.deepStrictEqual(yield* read(one.filename), joined(chunks(3)))
  // By the last part of its name too.
  assert.deepStrictEqual(yield* read(one.filename.split("/").pop() ?? ""), joined(chunks(3)))

  const many = yield* files.upload(
    [new Blob(["a"]), source("b.bin", [text.encode("bb")]), source("c.txt", [text.encode("c"), text.encode("cc")], 3)],
    query
  )
  assert.deepStrictEqual(
    many.map(({ contentType, size }) => [size, contentType]),
    [
      [1, "application/octet-stream"],
      [2, "application/x-test"],
      [3, "application/x-test"]
    ]
  )
  assert.strictEqual(new TextDecoder().decode(yield* read(many[2]?.filename ?? "")), "ccc")

  const [empty] = yield* files.upload(source("empty", []), query)
  assert(empty !== undefined)
  assert.strictEqual(empty.size, 0)
  assert.deepStrictEqual(yield* read(empty.filename), new Uint8Array())

  const events = yield* Stream.runCollect(files.uploadWithProgress(picture, query))
  assert.deepStrictEqual(events[0], { _tag: "Sent", sent: 0, total: 3072 })
  assert.deepStrictEqual(events.at(-2), { _tag: "Sent", sent: 3072, total: 3072 })
  const last = events.at(-1)
  assert(last?._tag === "Uploaded" && last.files[0]?.size === 3072)

  assert.isUndefined(yield* files.delete(one.filename, query))
  const gone = yield* failsWith(files.delete(one.filename), "FileNotFound")
  assert(gone._tag === "FileNotFound" && gone.marker === one.filename)
  yield* failsWith(read(one.filename), "FileNotFound")

  const copy = yield* files.createFileFromUrl(many[2]?.downloadLink ?? "")
  assert.deepStrictEqual([copy.size, copy.type], [3, "application/x-test"])
})

describe("every operation", () => {
  it.effect("without a socket", () => everything.pipe(Effect.provide(here)))
  it.effect("over HTTP, by Effect's client", () =>
    everything.pipe(Effect.provide(overHttp(FetchHttpClient.layer, undefined, { project })))
  )
  it.effect("over HTTP, by our own", () =>
    everything.pipe(Effect.provide(overHttp(FetchClient.layer, undefined, { project })))
  )
  it.effect("over HTTP, by undici", () =>
    everything.pipe(Effect.provide(overHttp(NodeHttpClient.layerUndici, undefined, { project })))
  )

  it.effect("with the layer of the module alone", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const layer = FileUploading.layer({ url: emulator.url, appToken: emulator.appToken }).pipe(
        Layer.provide(TokenStorage.layerMemory)
      )
      const [file] = yield* FileUploading.FileUploading.use((files) => files.upload(new Blob(["x"]), query)).pipe(
        Effect.provide(layer)
      )
      assert.strictEqual(file?.size, 1)
    }).pipe(Effect.provide(Emulator.layerClient({ passwordCost: 1, project })))
  )
})

describe("limits", () => {
  it.effect("two gigabytes name the file, the limit and what to change; nothing is sent", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      let pulled = false
      const stream = Stream.fromEffect(
        Effect.sync(() => {
          pulled = true
          return new Uint8Array(1)
        })
      )
      const { result, sent } = yield* sentBy(
        Effect.all([
          failsWith(files.upload(huge(), query), "FileTooLarge"),
          failsWith(files.upload({ name: "film.mp4", size: 2 * 1024 ** 3, stream }, query), "FileTooLarge"),
          failsWith(files.upload([new Blob(["small"]), huge()], query, { maxBytes: 5 }), "FileTooLarge"),
          failsWith(Stream.runDrain(files.uploadWithProgress(huge(), query)), "FileTooLarge")
        ])
      )
      assert.deepStrictEqual([sent, pulled], [[], false])
      for (const error of result) {
        assert(error._tag === "FileTooLarge" && error.marker === "film.mp4" && error.statusCode === undefined)
        assert.strictEqual(error.size, 2 * 1024 ** 3)
        assert.match(error.message, /"film\.mp4" has 2147483648 bytes, more than the (104857600|5) .*raise `maxBytes`/)
      }
    }).pipe(Effect.provide(here))
  )

  it.effect("a stream of unknown size ends where it becomes too large", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      let pulled = 0
      const endless = Stream.tap(Stream.forever(Stream.succeed(new Uint8Array(1024))), () =>
        Effect.sync(() => void pulled++)
      )
      const error = yield* failsWith(
        files.upload({ name: "log", stream: endless }, query, { maxBytes: 10_000 }),
        "FileTooLarge"
      )
      assert(error._tag === "FileTooLarge" && error.limit === 10_000 && error.size === undefined)
      assert.strictEqual(pulled, 10)
      yield* failsWith(
        Stream.runDrain(files.uploadWithProgress({ name: "log", stream: endless }, query, { maxBytes: 10_000 })),
        "FileTooLarge"
      )
    }).pipe(Effect.provide(overHttp(FetchHttpClient.layer, undefined, { project })))
  )

  it.effect("the server's own limit is the same error, with its status", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const error = yield* failsWith(files.upload(new Blob(["12345"]), query), "FileTooLarge")
      assert(error._tag === "FileTooLarge" && error.statusCode === 400 && error.limit === undefined)
      assert.match(error.message, /maxFileSize/)
    }).pipe(Effect.provide(inProcess(undefined, { project: { ...project, files: { maxFileSize: 4 } } })))
  )

  it.effect("arguments that cannot be right send nothing", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const blob = new Blob(["x"])
      const { sent } = yield* sentBy(
        Effect.all([
          failsWith(files.upload([], query), "OneEntryError/InvalidRequest"),
          failsWith(files.upload(blob, { ...query, type: "" }), "OneEntryError/InvalidRequest"),
          failsWith(files.upload(blob, { ...query, id: Number.NaN }), "OneEntryError/InvalidRequest"),
          failsWith(files.upload(blob, query, { maxBytes: 0 }), "OneEntryError/InvalidRequest"),
          failsWith(files.upload(source("x", [], -1), query), "OneEntryError/InvalidRequest"),
          failsWith(files.delete(""), "OneEntryError/InvalidRequest"),
          failsWith(Stream.runDrain(files.getFile({ filename: "" })), "OneEntryError/InvalidRequest")
        ])
      )
      assert.deepStrictEqual(sent, [])
    }).pipe(Effect.provide(here))
  )
})

describe("streams", () => {
  it.effect("are not read ahead of the connection: what is on its way is bounded", () =>
    Effect.gen(function* () {
      const total = 48 * 1024 * 1024
      let pulled = 0
      let received = 0
      let ahead = 0
      const url = yield* rawServer((request, response) => {
        request.on("data", (chunk: Uint8Array) => {
          received += chunk.byteLength
          ahead = Math.max(ahead, pulled - received)
        })
        request.on("end", () => {
          response.writeHead(201, { "content-type": "application/json" })
          response.end(JSON.stringify([{ filename: "a", downloadLink: "b", size: pulled }]))
        })
      })
      const stream = Stream.range(1, total / 65_536).pipe(
        Stream.rechunk(1),
        Stream.map(() => {
          pulled += 65_536
          return new Uint8Array(65_536)
        })
      )
      const layer = FileUploading.layer({ url }).pipe(Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer]))
      const [file] = yield* FileUploading.FileUploading.use((files) =>
        files.upload({ name: "film", size: total, stream }, query)
      ).pipe(Effect.provide(layer))
      assert.strictEqual(file?.size, total)
      assert.isAbove(received, total)
      assert.isBelow(ahead, total / 4)
    })
  )

  it.effect("fail with their own error, and nothing is stored", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const emulator = yield* Emulator.Emulator
      const stream = Stream.concat(Stream.succeed(new Uint8Array(10)), Stream.fail(new Broken()))
      const error = yield* Effect.flip(files.upload({ name: "x", stream }, query))
      assert.instanceOf(error, Broken)
      assert.instanceOf(
        yield* Effect.flip(Stream.runDrain(files.uploadWithProgress({ name: "x", stream }, query))),
        Broken
      )
      assert.deepStrictEqual((yield* emulator.snapshot).files, [])
    }).pipe(Effect.provide(overHttp(FetchHttpClient.layer, undefined, { project })))
  )

  it.effect("must have the size that they say", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const error = yield* failsWith(
        files.upload(source("x", [new Uint8Array(5)], 6), query),
        "OneEntryError/InvalidRequest"
      )
      assert.match(error.message, /"x" has 5 bytes, not the 6/)
    }).pipe(Effect.provide(here))
  )

  it.effect("are not sent twice: the session is refreshed, and the caller told; a file is sent again", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const emulator = yield* Emulator.Emulator
      yield* register()
      yield* signIn()
      // A server that wants a session for uploads, and finds that it has ended.
      const end = emulator.faults.add({ kind: "status", operation: "upload", status: 401, count: 1 })
      yield* end
      const one = yield* sentBy(
        failsWith(files.upload(source("x", [new Uint8Array(5)]), query), "OneEntryError/InvalidRequest")
      )
      assert.match(one.result.message, /a stream cannot be sent again: the session is refreshed now/)
      assert.deepStrictEqual(one.sent, ["upload", "refresh"])
      assert.deepStrictEqual((yield* sentBy(files.upload(source("x", [new Uint8Array(5)]), query))).sent, ["upload"])

      yield* end
      const two = yield* sentBy(files.upload(new Blob(["12345"]), query))
      assert.deepStrictEqual([two.sent, two.result[0]?.size], [["upload", "refresh", "upload"], 5])

      yield* end
      const three = yield* sentBy(Stream.runCollect(files.uploadWithProgress(new Blob(["12345"]), query)))
      assert.deepStrictEqual(three.sent, ["upload", "refresh", "upload"])
      assert.strictEqual(three.result.at(-1)?._tag, "Uploaded")
    }).pipe(Effect.provide(here))
  )

  it.effect("are NotAuthenticated where nobody is signed in and the server wants somebody", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.add({ kind: "status", operation: "upload", status: 401, count: 2 })
      yield* failsWith(files.upload(source("x", [new Uint8Array(5)]), query), "NotAuthenticated")
      yield* failsWith(files.upload(new Blob(["x"]), query), "NotAuthenticated")
    }).pipe(Effect.provide(here))
  )

  it.effect("are taken in first where a request cannot be one, and progress is what is known", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(globalThis, { XMLHttpRequest: () => undefined })),
        () => Effect.sync(() => Reflect.deleteProperty(globalThis, "XMLHttpRequest"))
      )
      const [file] = yield* files.upload(source("x.bin", chunks(4)), query)
      assert.deepStrictEqual([file?.size, file?.contentType], [4096, "application/x-test"])
      assert.deepStrictEqual(yield* read(file?.filename ?? ""), joined(chunks(4)))
      const events = yield* Stream.runCollect(files.uploadWithProgress(new Blob(["12345"]), query))
      assert.deepStrictEqual(
        events.map((event) => (event._tag === "Sent" ? event.sent : event._tag)),
        [0, 5, "Uploaded"]
      )
      const { result, sent } = yield* sentBy(
        failsWith(
          files.upload({ name: "log", stream: Stream.forever(Stream.succeed(new Uint8Array(1024))) }, query, {
            maxBytes: 9_999
          }),
          "FileTooLarge"
        )
      )
      assert(result._tag === "FileTooLarge" && sent.length === 0)
      const broken = yield* Effect.flip(files.upload({ name: "x", stream: Stream.fail(new Broken()) }, query))
      assert.instanceOf(broken, Broken)
    }).pipe(Effect.provide(here))
  )

  it.effect("leaving a stream of progress ends the upload", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<boolean>()
      const context = yield* Effect.context<never>()
      const run = Effect.runForkWith(context)
      const url = yield* rawServer((request) => {
        request.once("data", () => run(Deferred.succeed(begun, undefined)))
        request.on("close", () => run(Deferred.succeed(closed, request.complete)))
        request.on("error", () => undefined)
      })
      const layer = FileUploading.layer({ url }).pipe(Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer]))
      const stream = Stream.concat(Stream.succeed(new Uint8Array(1024)), Stream.never)
      const fiber = yield* FileUploading.FileUploading.use((files) =>
        Stream.runDrain(files.uploadWithProgress({ name: "x", stream }, query))
      ).pipe(Effect.provide(layer), Effect.forkChild)
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.isFalse(yield* Deferred.await(closed))
    })
  )
})

describe("time", () => {
  const slow = (reply: () => Response) =>
    Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request) =>
        Effect.as(request.method === "POST" ? Effect.never : Effect.void, HttpClientResponse.fromWeb(request, reply()))
      )
    )
  const client = (http: Layer.Layer<HttpClient.HttpClient>) =>
    FileUploading.layer({ url: "https://my-project.oneentry.cloud" }).pipe(
      Layer.provide([TokenStorage.layerMemory, http])
    )

  it.effect("a file has as much of it as a slow line takes", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const sources = [new Blob([new Uint8Array(160 * 1024)]), source("x", [], 160 * 1024)]
      for (const one of sources) {
        const fiber = yield* Effect.forkChild(Effect.flip(files.upload(one, query)))
        yield* TestClock.adjust("39 seconds")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("2 seconds")
        const error = yield* Fiber.join(fiber)
        assert(error._tag === "OneEntryError" && error.reason._tag === "Timeout")
        assert.approximately(Duration.toSeconds(error.reason.after), 40, 1)
      }
      const unknown = yield* Effect.forkChild(Effect.flip(files.upload(source("x", []), query, { maxBytes: 16_384 })))
      yield* TestClock.adjust("30 seconds")
      assert.isUndefined(unknown.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(unknown))._tag, "OneEntryError")
    }).pipe(Effect.provide(client(slow(() => new Response()))))
  )

  it.effect("a download fails where no byte comes, and takes as long as it likes where they do", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const fiber = yield* Effect.forkChild(Effect.flip(Stream.runDrain(files.getFile({ filename: "x" }))))
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      const error = yield* Fiber.join(fiber)
      assert(error._tag === "OneEntryError" && error.reason._tag === "Timeout")
    }).pipe(Effect.provide(client(slow(() => new Response(new ReadableStream({ start: () => undefined }))))))
  )
})

describe("getFile", () => {
  it.effect("ends the download when nobody reads on", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>()
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const url = yield* rawServer((_, response) => {
        response.writeHead(200, { "content-type": "application/octet-stream" })
        response.write(new Uint8Array(1024))
        response.on("close", () => run(Deferred.succeed(closed, undefined)))
      })
      for (const http of [FetchHttpClient.layer, FetchClient.layer]) {
        const layer = FileUploading.layer({ url }).pipe(Layer.provide([TokenStorage.layerMemory, http]))
        const bytes = yield* FileUploading.FileUploading.use((files) =>
          Stream.runCollect(Stream.take(files.getFile({ filename: "x" }), 1))
        ).pipe(Effect.provide(layer))
        assert.strictEqual(joined(bytes).byteLength, 1024)
        yield* Deferred.await(closed)
      }
    })
  )

  it.effect("is of any size: the limit of answers is not that of files", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const large = joined(chunks(300))
      const [file] = yield* files.upload(new Blob([new Uint8Array(large)]), query)
      assert.deepStrictEqual(yield* read(file?.filename ?? ""), large)
    }).pipe(Effect.provide(overHttp(FetchHttpClient.layer, { maxResponseBytes: 10_000 }, { project })))
  )

  it.effect("follows no redirect, and sends the credentials to the project only", () =>
    Effect.gen(function* () {
      const elsewhere = recorded((_, response) => response.end("stolen"))
      const other = yield* rawServer(elsewhere.listener)
      const own = recorded((_, response) => {
        response.writeHead(302, { location: `${other}/file` })
        response.end()
      })
      const url = yield* rawServer(own.listener)
      const layer = FileUploading.layer({ url, appToken: "app", retry: false }).pipe(
        Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer])
      )
      yield* failsWith(
        FileUploading.FileUploading.use((files) => Stream.runDrain(files.getFile({ filename: "x" }))).pipe(
          Effect.provide(layer)
        ),
        "OneEntryError/Redirected"
      )
      assert.deepStrictEqual([own.requests.length, elsewhere.requests.length], [1, 0])
      assert.strictEqual(own.requests[0]?.headers["x-app-token"], "app")
    })
  )

  it.effect("is refreshed for, encodes its path, and is a matter of permissions", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const emulator = yield* Emulator.Emulator
      yield* register()
      yield* signIn()
      yield* failsWith(Stream.runDrain(files.getFile({ filename: "a/../b?c=d&e#f" })), "FileNotFound")
      assert.deepStrictEqual((yield* emulator.requests).at(-1)?.path, "/api/content/files")
      yield* emulator.faults.add({ kind: "status", operation: "getFile", status: 401, count: 1 })
      const { sent } = yield* sentBy(failsWith(Stream.runDrain(files.getFile({ filename: "x" })), "FileNotFound"))
      assert.deepStrictEqual(sent, ["getFile", "refresh", "getFile"])
      yield* emulator.faults.add({ kind: "status", operation: "getFile", status: 403, count: 1 })
      yield* failsWith(Stream.runDrain(files.getFile({ filename: "x" })), "OneEntryError/PermissionDenied")
    }).pipe(Effect.provide(here))
  )

  it.effect("a download that breaks off is a failure, not an end", () =>
    Effect.gen(function* () {
      const url = yield* rawServer((_, response) => {
        response.writeHead(200, { "content-length": "4096" })
        response.write(new Uint8Array(1024), () => response.destroy())
      })
      const layer = FileUploading.layer({ url }).pipe(Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer]))
      yield* failsWith(
        FileUploading.FileUploading.use((files) => Stream.runDrain(files.getFile({ filename: "x" }))).pipe(
          Effect.provide(layer)
        ),
        "OneEntryError/Network"
      )
    })
  )
})

describe("createFileFromUrl", () => {
  const withClient = <A, E>(
    f: (files: FileUploading.FileUploading["Service"]) => Effect.Effect<A, E>
  ): Effect.Effect<A, E> =>
    Effect.gen(function* () {
      return yield* f(yield* FileUploading.FileUploading)
    }).pipe(
      Effect.provide(
        FileUploading.layer({ url: "https://my-project.oneentry.cloud", appToken: Redacted.make("app-token") }).pipe(
          Layer.provide([TokenStorage.layerMemory, FetchHttpClient.layer]),
          Layer.orDie
        )
      )
    )

  it.effect("takes nothing of the project or the caller along", () =>
    Effect.gen(function* () {
      const server = recorded((_, response) => {
        response.writeHead(200, { "content-type": "image/png" })
        response.end("pixels")
      })
      const url = yield* rawServer(server.listener)
      const file = yield* withClient((files) => files.createFileFromUrl(`${url}/a/my%20face.png?size=2#top`)).pipe(
        Effect.provideService(FetchHttpClient.RequestInit, { headers: { authorization: "Bearer x", cookie: "a=b" } })
      )
      assert.deepStrictEqual(
        [file.name, file.type, yield* Effect.promise(() => file.text())],
        ["my face.png", "image/png", "pixels"]
      )
      const headers = server.requests[0]?.headers
      for (const name of ["x-app-token", "x-device-metadata", "authorization", "cookie", "referer"])
        assert.notProperty(headers, name)
      assert.strictEqual(server.requests[0]?.url, "/a/my%20face.png?size=2")
      const named = yield* withClient((files) =>
        files.createFileFromUrl(new URL(url), { filename: "x.bin", type: "text/x" })
      )
      assert.deepStrictEqual([named.name, named.type], ["x.bin", "text/x"])
      assert.strictEqual((yield* withClient((files) => files.createFileFromUrl(url))).name, "file")
    })
  )

  it.effect("has a limit, announced or not", () =>
    Effect.gen(function* () {
      const url = yield* rawServer((request, response) => {
        if (request.url === "/announced") response.setHeader("content-length", 100)
        else response.setHeader("transfer-encoding", "chunked")
        response.end(new Uint8Array(100))
      })
      for (const path of ["/announced", "/chunked"]) {
        const error = yield* failsWith(
          withClient((files) => files.createFileFromUrl(url + path, { maxBytes: 99 })),
          "FileTooLarge"
        )
        assert(error._tag === "FileTooLarge" && error.limit === 99)
      }
      assert.strictEqual((yield* withClient((files) => files.createFileFromUrl(url, { maxBytes: 100 }))).size, 100)
    })
  )

  it.effect("fails with the status of whoever serves it, and follows no redirect", () =>
    Effect.gen(function* () {
      const server = recorded((request, response) => {
        response.writeHead(request.url === "/moved" ? 302 : 404, { location: "/there" })
        response.end("no")
      })
      const url = yield* rawServer(server.listener)
      const error = yield* failsWith(
        withClient((files) => files.createFileFromUrl(`${url}/x`)),
        "OneEntryError/Unexpected"
      )
      assert(error._tag === "OneEntryError" && error.reason._tag === "Unexpected" && error.reason.statusCode === 404)
      yield* failsWith(
        withClient((files) => files.createFileFromUrl(`${url}/moved`)),
        "OneEntryError/Redirected"
      )
      assert.lengthOf(server.requests, 2)
    })
  )

  it.effect("goes to https, loopback and data only", () =>
    Effect.gen(function* () {
      const refused = [
        "http://example.com/a.png",
        "ftp://127.0.0.1/a",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "/a.png",
        "https://me:secret@example.com/",
        ""
      ]
      for (const url of refused) {
        const error = yield* failsWith(
          withClient((files) => files.createFileFromUrl(url)),
          "OneEntryError/InvalidRequest"
        )
        assert.notInclude(error.message, "secret")
      }
    })
  )

  it.effect("reads data: URLs by itself", () =>
    Effect.gen(function* () {
      const make = (url: string, options?: FileUploading.FromUrlOptions) =>
        withClient((files) => files.createFileFromUrl(url, options))
      const content = (file: File) => Effect.promise(() => file.text())
      const plain = yield* make("data:,Gr%C3%BC%C3%9Fe%20100%")
      assert.deepStrictEqual(
        [plain.name, plain.type, yield* content(plain)],
        ["file", "text/plain;charset=us-ascii", "Grüße 100%"]
      )
      const image = yield* make("data:image/png;base64,cGl4%0AZWxz", { filename: "a.png" })
      assert.deepStrictEqual([image.name, image.type, yield* content(image)], ["a.png", "image/png", "pixels"])
      assert.strictEqual(yield* content(yield* make("data:text/html,<b>x</b>#part")), "<b>x</b>")
      yield* failsWith(make("data:image/png;base64,cGl4ZWxz", { maxBytes: 5 }), "FileTooLarge")
      yield* failsWith(make("data:image/png;base64,***"), "OneEntryError/InvalidRequest")
      yield* failsWith(make("data:nothing"), "OneEntryError/InvalidRequest")
    })
  )
})

describe("a project", () => {
  it.effect("that denies guests the deletion of files says so", () =>
    Effect.gen(function* () {
      const files = yield* FileUploading.FileUploading
      const [file] = yield* files.upload(new Blob(["x"]), query)
      yield* failsWith(files.delete(file?.filename ?? ""), "OneEntryError/PermissionDenied")
      assert.deepStrictEqual(yield* operations, ["upload", "deleteFile"])
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("whose client is the whole of the package has the files too", () =>
    Effect.gen(function* () {
      const emulator = yield* Emulator.Emulator
      const layer = OneEntry.layer({ url: emulator.url, appToken: emulator.appToken }).pipe(
        Layer.provide(TokenStorage.layerMemory)
      )
      const [file] = yield* FileUploading.FileUploading.use((files) => files.upload(new Blob(["x"]), query)).pipe(
        Effect.provide(layer)
      )
      assert.strictEqual(file?.size, 1)
    }).pipe(Effect.provide(Emulator.layerClient({ passwordCost: 1, project })))
  )
})
