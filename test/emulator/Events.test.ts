import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Messages, Project } from "effect-oneentry/emulator"
import { call, inProcess, ok, project, refused, registered } from "./support.ts"

const text = (name: Messages.Name) => Messages.table[name].text
const path = "/api/content/events"

describe("events", () => {
  it.effect("are listed", () =>
    Effect.gen(function* () {
      ok(yield* call("GET", path), 200, {
        total: 1,
        items: [{ id: 1, identifier: "auth", formType: "send_code", localizeInfos: {} }]
      })
      ok(yield* call("GET", `${path}?offset=1`), 200, { total: 1, items: [] })
    }).pipe(Effect.provide(inProcess()))
  )

  it.effect("are for signed-in users on some servers", () =>
    Effect.gen(function* () {
      refused(yield* call("GET", path), 401, "Unauthorized")
      const { accessToken: bearer } = yield* registered()
      assert.strictEqual((yield* call("GET", path, { bearer })).status, 200)
    }).pipe(
      Effect.provide(inProcess({ project: project(Project.defaultProject, { switches: { eventsList: "session" } }) }))
    )
  )

  it.effect("are subscribed to and unsubscribed from, with 204 and no body", () =>
    Effect.gen(function* () {
      const { accessToken: bearer } = yield* registered()
      const body = { locale: "en_US", productId: 14 }
      const subscribe = `${path}/subscribe/marker/auth`
      refused(yield* call("POST", subscribe, { body }), 401, "Unauthorized")
      const added = yield* call("POST", subscribe, { body, bearer })
      assert.deepStrictEqual([added.status, added.text], [204, ""])
      ok(yield* call("GET", `${path}/subscriptions`, { bearer }), 200, {
        total: 1,
        items: [{ eventMarker: "auth", productId: 14, locale: "en_US" }]
      })
      refused(yield* call("POST", `${path}/subscribe/marker/nope`, { body, bearer }), 404, text("EventMarkerNotFound"))
      refused(yield* call("POST", subscribe, { body: {}, bearer }), 400, ["productId should not be empty"])
      const removed = yield* call("DELETE", `${path}/unsubscribe/marker/auth`, { body, bearer })
      assert.deepStrictEqual([removed.status, removed.text], [204, ""])
      refused(
        yield* call("DELETE", `${path}/unsubscribe/marker/nope`, { body, bearer }),
        404,
        text("EventMarkerNotFound")
      )
      ok(yield* call("GET", `${path}/subscriptions`, { bearer }), 200, { total: 0, items: [] })
      refused(yield* call("GET", `${path}/subscriptions`), 401, "Unauthorized")
    }).pipe(Effect.provide(inProcess()))
  )
})

describe("the system", () => {
  it.effect("has routes that fail on purpose, and checks captchas", () =>
    Effect.gen(function* () {
      refused(yield* call("GET", "/api/content/system/test404"), 404, "Not Found")
      refused(yield* call("GET", "/api/content/system/test500"), 500, "Internal Server Error")
      const validate = (body: object) => call("POST", "/api/content/system/captcha/validate", { body })
      ok(yield* validate({ event: { token: "x", siteKey: "k" } }), 201, true)
      ok(yield* validate({ token: "emulator-invalid" }), 201, false)
      ok(yield* validate({}), 201, false)
    }).pipe(Effect.provide(inProcess()))
  )
})
