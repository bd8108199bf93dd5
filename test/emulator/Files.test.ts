import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HttpClient } from "effect/http"
import { Emulator, Messages, Project } from "effect-oneentry/emulator"
import { call, inProcess, login, ok, onPort, project, refused, registered } from "./support.ts"

const text = (name: Messages.Name) => Messages.table[name].text
const path = "/api/content/files"

const formOf = (
  ...files: ReadonlyArray<
    readonly [part: string, content: string | Uint8Array<ArrayBuffer>, name: string, type: string]
  >
) => {
  const form = new FormData()
  for (const [part, content, name, type] of files) form.append(part, new File([content], name, { type }))
  return form
}

const tenant = project(Project.defaultProject, {
  files: { maxFileSize: 1000, storage: "local" },
  permissions: [{ operation: "deleteFile", rule: "granted" }]
})

const bytes = new Uint8Array([0, 1, 2, 255, 254, 13, 10, 45, 45])

for (const [name, live] of [
  ["in the process", inProcess],
  ["on a port", onPort]
] as const) {
  describe(`files ${name}`, () => {
    it.effect("are uploaded, read back byte for byte and deleted", () =>
      Effect.gen(function* () {
        const emulator = yield* Emulator.Emulator
        const answer = yield* call("POST", `${path}?type=page&entity=editor&id=3492&template=small`, {
          form: formOf(["files", bytes, "a b.PNG", "image/png"], ["files", "<script>", "x.html", "text/html"])
        })
        assert.strictEqual(answer.status, 201, answer.text)
        const [image, page] = Object(answer.json)
        assert.match(image.filename, /^files\/project\/page\/3492\/editor\/[0-9a-f-]{36}\.png$/)
        assert.deepInclude(image, { size: 9, contentType: "image/png" })
        assert.strictEqual(image.downloadLink, `${emulator.url}/cloud-static/${image.filename}`)
        assert.deepStrictEqual(image.previewLink, { small: [image.downloadLink, image.downloadLink] })
        assert.notProperty(page, "previewLink")

        const get = (query: string) =>
          HttpClient.get(`${emulator.url}${path}?${query}`, { headers: { "x-app-token": "emulator-app-token" } })
        const response = yield* get(`type=page&entity=editor&id=3492&filename=${image.filename}`)
        assert.deepStrictEqual(new Uint8Array(yield* response.arrayBuffer), bytes)
        assert.strictEqual(response.headers["content-type"], "image/png")
        const last = String(image.filename).split("/").at(-1)
        assert.strictEqual((yield* get(`filename=${last}`)).status, 200)
        refused(yield* call("GET", `${path}?filename=${last}&id=1`), 404, text("FileNotFound"))

        const download = yield* HttpClient.get(page.downloadLink)
        assert.strictEqual(yield* download.text, "<script>")
        assert.strictEqual(download.headers["content-security-policy"], "sandbox")
        assert.strictEqual(download.headers["x-content-type-options"], "nosniff")
        refused(yield* call("GET", "/cloud-static/nope"), 404, text("FileNotFound"))

        ok(yield* call("DELETE", `${path}?filename=${last}&type=page&entity=editor&id=3492`), 200, true)
        refused(yield* call("DELETE", `${path}?filename=${last}`), 404, text("FileNotFound"))
        refused(yield* call("DELETE", path), 404, text("FileNotFound"))
        assert.lengthOf((yield* emulator.snapshot).files, 1)
      }).pipe(Effect.provide(live({ project: tenant })))
    )

    it.effect("are refused when too large, absent or malformed", () =>
      Effect.gen(function* () {
        const large = formOf(["files", "x".repeat(1001), "a.txt", "text/plain"])
        refused(
          yield* call("POST", path, { form: large }),
          400,
          `File size exceeds the setting "maxFileSize" (1000 bytes) of the storage "local"`
        )
        refused(
          yield* call("POST", path, { form: formOf(["other", "x", "a.txt", "text/plain"]) }),
          400,
          `"files" is required`
        )
        refused(yield* call("POST", path, { body: { files: [] } }), 400, `"files" is required`)
        const type = "multipart/form-data; boundary=abc"
        for (const raw of [
          "nonsense",
          '--abc\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx',
          "--abc",
          "--abc--",
          "\r\n--abc\r\n\r\n"
        ]) {
          const answer = yield* call("POST", path, { raw, headers: { "content-type": type } })
          assert.strictEqual(answer.status, 400, `${raw} ${answer.text}`)
          assert.strictEqual(Object(answer.json).pageData, null)
        }
        assert.lengthOf((yield* Emulator.Emulator.use((emulator) => emulator.snapshot)).files, 0)
      }).pipe(Effect.provide(live({ project: tenant })))
    )

    it.effect("are not larger than a body may be", () =>
      Effect.gen(function* () {
        const answer = yield* call("POST", path, { form: formOf(["files", "x".repeat(5000), "a.txt", "text/plain"]) })
        assert.include([400, 413], answer.status)
        assert.strictEqual(Object(answer.json).pageData, null)
      }).pipe(Effect.provide(live({ project: tenant, limits: { bodyBytes: 2000 } })))
    )
  })
}

describe("by default", () => {
  it.effect("guests upload, and cannot delete", () =>
    Effect.gen(function* () {
      const tokens = yield* registered(login)
      const uploaded = yield* call("POST", path, { form: formOf(["files", "x", "a.txt", ""]) })
      const [file] = Object(uploaded.json)
      assert.deepInclude(file, { contentType: "application/octet-stream", size: 1 })
      refused(yield* call("DELETE", `${path}?filename=${file.filename}`), 403, text("PermissionDenied"))
      refused(
        yield* call("DELETE", `${path}?filename=${file.filename}`, { bearer: tokens.accessToken }),
        403,
        text("PermissionDenied")
      )
    }).pipe(Effect.provide(inProcess()))
  )
})
