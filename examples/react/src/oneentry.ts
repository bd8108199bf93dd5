/** The client of this page: one runtime, with the session in IndexedDB, a lock and signals between its tabs. */
import { Layer, ManagedRuntime } from "effect"
import { FetchClient, OneEntry } from "effect-oneentry"
import * as Browser from "effect-oneentry/browser"

export const runtime = ManagedRuntime.make(
  OneEntry.layer({
    url: import.meta.env.VITE_ONEENTRY_URL ?? "http://127.0.0.1:4010",
    appToken: import.meta.env.VITE_ONEENTRY_TOKEN ?? "emulator-app-token"
  }).pipe(Layer.provide([Browser.layer(), FetchClient.layer]))
)

export const provider = "email"
export const event = "auth"
