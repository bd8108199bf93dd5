/**
 * The server of a runtime's run, in a process of its own: the emulator, and beside it a site for browsers, which has the
 * control API under its own origin. Tells its address, then the results that a page sends.
 */
import { Effect, Redacted } from "effect"
import { Control, Emulator } from "effect-oneentry/emulator"
import * as fs from "node:fs"
import { createServer } from "node:http"
import process from "node:process"
import { text } from "node:stream/consumers"
import type { Address } from "../../../test/contract/host.ts"
import { project } from "../../../test/contract/project.ts"

const [script, suite = ""] = process.argv.slice(2)
const html = "<!doctype html><meta charset=utf-8><title>contract</title><script type=module src=/page.js></script>"
// No code from strings, as a careful application has it.
const policy = "default-src 'none'; script-src 'self'; connect-src 'self' http://127.0.0.1:*"

const main = Effect.gen(function* () {
  const emulator = yield* Emulator.makeServer({ passwordCost: 1, project, routes: Control.routes })
  const appToken = Redacted.value(emulator.appToken)
  const site = createServer(async (request, response) => {
    const url = request.url ?? "/"
    const body = await text(request)
    const send = (type: string, content: string) =>
      response.writeHead(200, { "content-type": type, "content-security-policy": policy }).end(content)
    if (url.startsWith("/__emulator")) {
      const answer = await fetch(emulator.url + url, {
        method: request.method ?? "GET",
        headers: { "content-type": request.headers["content-type"] ?? "" },
        ...(body === "" ? {} : { body })
      })
      const type = answer.headers.get("content-type")
      response.writeHead(answer.status, type === null ? {} : { "content-type": type }).end(await answer.text())
    } else if (url === "/results") {
      process.send?.({ results: JSON.parse(body) })
      send("text/plain", "")
    } else if (url === "/address") {
      const address: Address = { url: emulator.url, appToken, control: `http://${request.headers.host}`, suite }
      send("application/json", JSON.stringify(address))
    } else if (url === "/page.js" && script !== undefined) {
      send("text/javascript; charset=utf-8", fs.readFileSync(script, "utf8"))
    } else {
      send("text/html; charset=utf-8", url === "/gone" ? "<!doctype html><title>gone</title>" : html)
    }
  })
  yield* Effect.promise(() => new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve)))
  const address = site.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  process.send?.({
    address: { url: emulator.url, appToken, control: emulator.url, suite },
    site: `http://127.0.0.1:${port}/`
  })
  return yield* Effect.never
})

process.on("disconnect", () => process.exit(0))
Effect.runFork(Effect.scoped(main))
