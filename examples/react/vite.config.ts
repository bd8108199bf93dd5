import { defineConfig } from "vite"

export default defineConfig({
  // For this repository, where the package is its sources; an application needs none of this.
  resolve: { conditions: ["effect-oneentry-source", "module", "browser", "development|production"] },
  build: { chunkSizeWarningLimit: 1000 }
})
