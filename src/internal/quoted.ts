/** A refusal may quote what was sent: what is secret of it stays out of the error. */
import * as Redacted from "effect/Redacted"
import { maxMessageLength, type ServerEnvelope } from "./serverEnvelope.ts"
import type { Call } from "./transport.ts"
import { parseJson } from "./wire.ts"

/** What a request says: all of it may come back. */
export interface Sent extends Pick<Call, "path" | "headers" | "body"> {
  /** The fields as the caller gave them: what was `Redacted` stays secret. */
  readonly given?: unknown
}

type Json = { readonly [key: string]: unknown }

const isObject = (u: unknown): u is Json => typeof u === "object" && u !== null

const secretKeys = ["code", "code_verifier", "client_secret", "password1", "password2", "refreshToken"]

/** Shorter texts are no secret worth the name, and stand in many words. */
const shortest = 4

/** A login, which a server may name. */
const isAddress = (u: unknown): boolean => /^[^@\s]+@[^@\s]+\.[a-z]{2,}$/i.test(String(u))

const read = (text: Call["body"]): Json => {
  const json = typeof text === "string" ? parseJson(text) : undefined
  return isObject(json) ? json : {}
}

/** The texts and numbers that are `Redacted`, wherever they stand. */
const redactedIn = (root: unknown): ReadonlyArray<string> => {
  const found: Array<string> = []
  const seen = new Set<unknown>()
  const queue: Array<readonly [unknown, secret: boolean]> = [[root, false]]
  for (const [u, secret] of queue) {
    if (!isObject(u)) {
      if (secret && (typeof u === "string" || typeof u === "number")) found.push(String(u))
    } else if (Redacted.isRedacted(u)) {
      try {
        queue.push([Redacted.value(u), true])
      } catch {
        // One that was wiped meanwhile has no value any more.
      }
    } else if (!seen.has(u)) {
      seen.add(u)
      for (const value of Object.values(u)) queue.push([value, secret])
    }
  }
  return found
}

/** The secrets that a call has sent, the longest first. */
const secretsOf = ({ body, given, headers, path }: Sent): ReadonlyArray<string> => {
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
    ...redactedIn(given),
    ...credentials.map((item) => (isObject(item) ? item["value"] : undefined)).filter((u) => !isAddress(u))
  ]
    .filter((u): u is string => typeof u === "string" && u.length >= shortest)
    .toSorted((one, other) => other.length - one.length)
}

/** What the server said to a call, without the call's secrets, and no more of it than people read. */
export const unquoted = (envelope: ServerEnvelope, sent: Sent): ServerEnvelope => {
  const secrets = secretsOf(sent)
  const hide = (text: string): string => secrets.reduce((rest, secret) => rest.replaceAll(secret, "<redacted>"), text)
  const hideAll = (u: unknown): unknown => {
    if (typeof u === "string") return hide(u)
    if (Array.isArray(u)) return u.map(hideAll)
    return isObject(u) ? Object.fromEntries(Object.entries(u).map(([key, value]) => [hide(key), hideAll(value)])) : u
  }
  return {
    ...envelope,
    // Half a secret would not be known again: they are hidden first.
    messages: envelope.messages.map((message) => hide(message).slice(0, maxMessageLength)),
    ...(envelope.pageData === undefined ? {} : { pageData: hideAll(envelope.pageData) })
  }
}
