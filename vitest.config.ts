import * as path from "node:path"
import { defineConfig } from "vitest/config"

const src = path.resolve(import.meta.dirname, "src")
const folders = "browser|server|redis|sql|undici|promise|emulator|testing"

export default defineConfig({
  resolve: {
    // Tests import the package by its name, as users do.
    alias: [
      { find: /^effect-oneentry$/, replacement: `${src}/index.ts` },
      { find: new RegExp(`^effect-oneentry/(${folders})$`), replacement: `${src}/$1/index.ts` },
      { find: /^effect-oneentry\/(.+)$/, replacement: `${src}/$1.ts` }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    // Some start processes and servers, and a busy machine takes its time.
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
