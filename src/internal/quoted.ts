/** A refusal may quote what was sent: what is secret of it stays out of the error. */
import type { ServerEnvelope } from "./serverEnvelope.ts"
import type { Call } from "./transport.ts"
import { parseJson } from "./wire.ts"

/** What a request says: all of it may come back. */
export type Sent = Pick<Call, "path" | "headers" | "body">

type Json = { readonly [key: string]: unknown }

const isObject = (u: unknown): u is Json => typeof u === "object" && u !== null

const secretKeys = ["code", "code_verifier", "client_secret", "password1", "password2", "refreshToken"]

/** Shorter texts are no secret worth the name, and stand in many words. */
const shortest = 4

/** A login, which a server may name. */
const isAddress = (text: string): boolean => /^[^@\s]+@[^@\s]+\.[a-z]{2,}$/i.test(text)

const read = (text: Call["body"]): Json => {
  const json = typeof text === "string" ? parseJson(text) : undefined
  return isObject(json) ? json : {}
}

/** The secrets that a call has sent, the longest first. */
const secretsOf = ({ body, headers, path }: Sent): ReadonlyArray<string> => {
  const json = read(body)
  const { authData } = json
  const credentials: ReadonlyArray<unknown> = Array.isArray(authData) ? authData : []
  const [, pushToken = ""] = /\/fcm-token\/([^/?]+)/.exec(path) ?? []
  return [
    headers["x-app-token"],
    headers["authorization"]?.slice("Bearer ".length),
    read(headers["x-device-metadata"])["fingerprint"],
    pushToken,
    decodeURIComponent(pushToken),
    ...secretKeys.map((key) => json[key]),
    ...credentials.map((item) => (isObject(item) ? item["value"] : undefined))
  ]
    .filter((u): u is string => typeof u === "string" && u.length >= shortest && !isAddress(u))
    .toSorted((one, other) => other.length - one.length)
}

/** What the server said to a call, without the call's secrets. */
export const unquoted = (envelope: ServerEnvelope, sent: Sent): ServerEnvelope => {
  const secrets = secretsOf(sent)
  const hide = (text: string): string => secrets.reduce((rest, secret) => rest.replaceAll(secret, "<redacted>"), text)
  const hideAll = (u: unknown): unknown => {
    if (typeof u === "string") return hide(u)
    if (Array.isArray(u)) return u.map(hideAll)
    return isObject(u) ? Object.fromEntries(Object.entries(u).map(([key, value]) => [hide(key), hideAll(value)])) : u
  }
  return secrets.length === 0
    ? envelope
    : {
        ...envelope,
        messages: envelope.messages.map(hide),
        ...(envelope.pageData === undefined ? {} : { pageData: hideAll(envelope.pageData) })
      }
}
