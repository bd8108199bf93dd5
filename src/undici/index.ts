/**
 * The fastest way to the network on Node: an `HttpClient` on undici.
 *
 * @since 0.1.0
 */
export * as UndiciClient from "./UndiciClient.ts"
