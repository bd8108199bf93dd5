import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { root } from "../../scripts/lib/package.ts"

/** Writes files into a fresh directory that borrows this repository's `node_modules`; gone when the scope closes. */
export const directoryWith = (files: Readonly<Record<string, string>>): Disposable & { readonly path: string } => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "effect-oneentry-"))
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true })
    fs.writeFileSync(path.join(directory, name), text)
  }
  fs.symlinkSync(path.join(root, "node_modules"), path.join(directory, "node_modules"))
  return {
    path: directory,
    [Symbol.dispose]: () => fs.rmSync(directory, { recursive: true, force: true })
  }
}
