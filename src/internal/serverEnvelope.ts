/** The server's error envelope (WIRE.md §4.1), as fields that every error made from an answer carries. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as Codecs from "./codecs.ts"

export const envelopeFields = {
  /** HTTP status of the answer. */
  statusCode: Schema.Int,
  /** The server's message or messages, in English. */
  messages: Schema.Array(Schema.String),
  /** When the server says it happened. */
  timestamp: Schema.optionalKey(Codecs.Instant),
  /** The error page configured in the CMS, where there is one. */
  pageData: Schema.optionalKey(Schema.Unknown)
} as const

/** A read envelope. */
export interface ServerEnvelope {
  readonly statusCode: number
  readonly messages: ReadonlyArray<string>
  readonly timestamp?: DateTime.Utc
  readonly pageData?: unknown
}

const own = (value: object, key: string): unknown => {
  const descriptor = Object.getOwnPropertyDescriptor(value, key)
  return descriptor !== undefined && "value" in descriptor ? descriptor.value : undefined
}

const maxMessages = 50
/** How much of a message is looked at, and shown: it is cut once its secrets are hidden. */
export const maxMessageLength = 2_000

const toMessages = (message: unknown): ReadonlyArray<string> | undefined => {
  if (typeof message === "string") return [message]
  if (Array.isArray(message)) {
    return message.filter((one): one is string => typeof one === "string").slice(0, maxMessages)
  }
  return undefined
}

/** Reads an envelope; `undefined` if the body is none (an HTML page of a proxy, say). The HTTP status is the truth. */
export const readEnvelope = (status: number, body: unknown): ServerEnvelope | undefined => {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined
  const messages = toMessages(own(body, "message"))
  if (messages === undefined) return undefined
  const timestamp = own(body, "timestamp")
  const date = typeof timestamp === "string" ? DateTime.make(timestamp) : undefined
  const pageData = own(body, "pageData")
  return {
    statusCode: status,
    messages,
    ...(date !== undefined && date._tag === "Some" ? { timestamp: DateTime.toUtc(date.value) } : {}),
    ...(pageData !== undefined && pageData !== null ? { pageData } : {})
  }
}

/** What is known of an answer whose body says nothing. */
export const emptyEnvelope = (status: number): ServerEnvelope => ({ statusCode: status, messages: [] })
