/**
 * The edge runtime, in a process of its own, because its `fetch` shares the dispatcher of any other undici that is loaded
 * beside it: `edge.ts NODE_MODULES BUNDLE ADDRESS` prints the results.
 */
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"

interface EdgeModule {
  readonly EdgeRuntime: new (options: {
    readonly initialCode: string
    readonly extend: (context: Record<string, unknown>) => Record<string, unknown>
  }) => { readonly dispatchFetch: (url: string) => Promise<Response> }
}

const [installed = "", bundle = "", address = ""] = process.argv.slice(2)
const { EdgeRuntime }: EdgeModule = createRequire(path.join(installed, "x.js"))("edge-runtime")
const runtime = new EdgeRuntime({
  initialCode: fs.readFileSync(bundle, "utf8"),
  extend: (context) => Object.assign(context, { ADDRESS: JSON.parse(address) })
})
const answer = await runtime.dispatchFetch("http://contract.example/")
const text = await answer.text()
if (answer.status !== 200) throw new Error(text)
process.stdout.write(`${text}\n`, () => process.exit(0))
