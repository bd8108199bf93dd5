/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_ONEENTRY_URL?: string
  readonly VITE_ONEENTRY_TOKEN?: string
}
