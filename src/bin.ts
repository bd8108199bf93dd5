#!/usr/bin/env node
/**
 * The command `effect-oneentry`. It imports nothing before it knows the Node that runs it.
 *
 * @since 0.1.0
 */
import process from "node:process"

const [major = 0] = process.versions.node.split(".").map(Number)

if (major < 20) {
  process.stderr.write(`effect-oneentry needs Node 22 or newer, and this is Node ${process.versions.node}.\n`)
  process.exit(1)
}
if (major < 22) {
  process.stderr.write(
    `Node ${process.versions.node} is older than 22, which effect-oneentry is made for; it goes on, without promises.\n`
  )
}

const { main } = await import("./emulator/internal/cli/main.ts")
process.exit(await main(process.argv.slice(2)))
