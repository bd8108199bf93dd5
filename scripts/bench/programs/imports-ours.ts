/** The sign-in app, imported and not run. */
import * as AuthProvider from "effect-oneentry/AuthProvider"
import * as TokenStorage from "effect-oneentry/TokenStorage"
import * as FetchHttpClient from "effect/http/FetchHttpClient"

console.log(typeof FetchHttpClient.layer, typeof AuthProvider.layer, typeof TokenStorage.layerMemory)
process.exit(0)
