/** One entry through each bundler, minified for browsers. */
import { nodeResolve } from "@rollup/plugin-node-resolve"
import { build } from "esbuild"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { rolldown } from "rolldown"
import { rollup } from "rollup"
import { minify } from "terser"

export interface Bundle {
  readonly bytes: number
  readonly gzip: number
  readonly brotli: number
  /** Minified bytes by module, the largest first; esbuild only. */
  readonly modules: ReadonlyArray<readonly [module: string, bytes: number]>
  readonly code: Uint8Array
}

/** What the official SDK imports and browsers do not have; it needs shims, which are not counted. */
const nodeOnly = ["https", "http", "buffer", "fs", "path", "url", "util", "stream", "zlib"]

const bundleOf = (code: string | Uint8Array, modules: Bundle["modules"] = []): Bundle => {
  const bytes = Buffer.from(code)
  return {
    bytes: bytes.length,
    gzip: zlib.gzipSync(bytes, { level: 9 }).length,
    brotli: zlib.brotliCompressSync(bytes).length,
    modules,
    code: bytes
  }
}

/** `node_modules/effect/dist/Schema.js` as `effect/Schema`. */
const moduleName = (file: string): string =>
  file
    .split(path.sep)
    .join("/")
    .replace(/^.*node_modules\//, "")
    .replace(/^(effect|effect-oneentry)\/dist\//, "$1/")
    .replace(/\.js$/, "")

const withEsbuild = async (entry: string): Promise<Bundle> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    external: nodeOnly,
    write: false,
    metafile: true,
    logLevel: "error",
    // The repository's would lead to `src`, and not to the package as it is installed.
    tsconfigRaw: {}
  })
  const [output] = Object.values(metafile.outputs)
  const modules = Object.entries(output?.inputs ?? {})
    .map(([file, { bytesInOutput }]) => [moduleName(file), bytesInOutput] as const)
    .filter(([, bytes]) => bytes > 0)
    .sort(([, a], [, b]) => b - a)
  return bundleOf(outputFiles[0]?.contents ?? "", modules)
}

const withRolldown = async (entry: string): Promise<Bundle> => {
  const bundle = await rolldown({ input: entry, platform: "browser", external: nodeOnly, logLevel: "silent" })
  const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false })
  await bundle.close()
  return bundleOf(output[0].code)
}

const withRollup = async (entry: string): Promise<Bundle> => {
  const bundle = await rollup({
    input: entry,
    external: nodeOnly,
    plugins: [nodeResolve({ browser: true })],
    onwarn: () => {}
  })
  const { output } = await bundle.generate({ format: "esm", inlineDynamicImports: true })
  await bundle.close()
  const { code } = await minify(output[0].code, { ecma: 2020, module: true })
  return bundleOf(code ?? "")
}

export const bundlers = { esbuild: withEsbuild, rolldown: withRolldown, rollup: withRollup } as const
