/** The contract on Node, Bun and Deno: `process.js ADDRESS MODULES` prints the results. */
import { Effect } from "effect"
import process from "node:process"
import type { Case } from "../../../test/contract/check.ts"
import type { Address } from "../../../test/contract/host.ts"
import { nodePlatform } from "../../../test/contract/node.ts"
import { contract } from "../../../test/contract/suite.ts"

const [address = "", modules = ""] = process.argv.slice(2)
const where: Address = JSON.parse(address)
const specifiers: ReadonlyArray<string> = JSON.parse(modules)

const imports: ReadonlyArray<Case<never>> = specifiers.map((specifier) => ({
  name: `import ${specifier}`,
  run: Effect.tryPromise(() => import(specifier))
}))

const results = await contract(where, {
  ...(await nodePlatform()),
  more: [{ name: "every subpath imports", cases: imports }]
})
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit(0))
