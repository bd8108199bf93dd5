/**
 * One way to run an operation: send, read, decode, classify. The decoders are built once per module; parsing, decoding
 * and error mapping run in one synchronous step.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import type { Project } from "../ClientOptions.ts"
import * as OneEntryError from "../OneEntryError.ts"
import { classify, type ErrorOf, type Operation, type Rules } from "./classification.ts"
import type * as Lean from "./lean.ts"
import type { Sent } from "./quoted.ts"
import { emptyEnvelope, readEnvelope } from "./serverEnvelope.ts"
import type { Call, Transport } from "./transport.ts"
import { half, segmentIssue } from "./urls.ts"
import { notJson, parseJson, parseRetryAfter } from "./wire.ts"

/** What is fixed about an operation. */
export interface Endpoint<Op extends Operation, A> {
  /** What its refusals mean. */
  readonly rules: Rules
  readonly operation: Op
  readonly method: Call["method"]
  /** What the body is in the language of the call; a `string` says why it is none. */
  readonly decode: (body: unknown, langCode: string) => Exit.Exit<A, Schema.SchemaError | string>
  /** A success whose body says no is a refusal. */
  readonly refuses?: (body: unknown, withCode: boolean) => boolean
}

/** What differs from call to call. */
export interface Parts extends Sent {
  /** The marker of the provider or form, for errors. */
  readonly marker: string
  readonly langCode: string
  readonly withCode?: boolean
}

const isObject = (u: unknown): u is { readonly [key: string]: unknown } =>
  typeof u === "object" && u !== null && !Array.isArray(u)

const saysNo = (body: unknown): boolean => body === false || (isObject(body) && body["success"] === false)

const saysYes = (body: unknown): boolean => body === true || (isObject(body) && body["success"] === true)

/** Servers answer `true`, nothing, or an object that is of no interest. */
const isAcknowledgement = (body: unknown): boolean =>
  body === undefined || body === null || body === true || isObject(body)

const acknowledged = <Op extends Operation>(
  rules: Rules,
  operation: Op,
  method: Call["method"],
  isYes: (body: unknown) => boolean
): Endpoint<Op, void> => ({
  rules,
  operation,
  method,
  decode: (body) => (isYes(body) ? Exit.void : Exit.fail("Expected true")),
  refuses: saysNo
})

/** The endpoint of an operation whose success says nothing more. */
export const nothing = <Op extends Operation>(
  rules: Rules,
  operation: Op,
  method: Call["method"]
): Endpoint<Op, void> => acknowledged(rules, operation, method, isAcknowledgement)

/** The endpoint of a question: only a yes is one. */
export const question = <Op extends Operation>(
  rules: Rules,
  operation: Op,
  method: Call["method"]
): Endpoint<Op, void> => acknowledged(rules, operation, method, saysYes)

/** The endpoint of an operation whose answer is decoded by a schema and then unwrapped for a language. */
export const something = <Op extends Operation, W, A>(
  rules: Rules,
  operation: Op,
  method: Call["method"],
  decode: (body: unknown) => Exit.Exit<W, Schema.SchemaError>,
  toDomain: (wire: W, langCode: string) => A,
  refuses: NonNullable<Endpoint<Op, A>["refuses"]> = () => false
): Endpoint<Op, A> => ({
  rules,
  operation,
  method,
  decode: (body, langCode) => {
    const exit = decode(body)
    return Exit.isSuccess(exit) ? Exit.succeed(toDomain(exit.value, langCode)) : Exit.failCause(exit.cause)
  },
  refuses
})

const invalidResponse = (operation: Operation, statusCode: number, issue: string) =>
  Exit.fail(
    new OneEntryError.OneEntryError({ operation, reason: new OneEntryError.ResponseInvalid({ statusCode, issue }) })
  )

/** What an answer means for an endpoint: its value, or the error that the table knows it by. */
export const interpret = <Op extends Operation, A>(
  endpoint: Endpoint<Op, A>,
  parts: Pick<Parts, "marker" | "langCode" | "withCode">,
  sent: Sent,
  answer: Lean.Answer
): Effect.Effect<A, ErrorOf<Op>> => {
  const { status } = answer
  const { operation } = endpoint
  const body = parseJson(answer.text)
  const success = status >= 200 && status < 300
  const withCode = parts.withCode === true
  if (success && endpoint.refuses?.(body, withCode) !== true) {
    if (body === notJson) return invalidResponse(operation, status, "no JSON")
    const exit = endpoint.decode(body, parts.langCode)
    if (Exit.isSuccess(exit)) return Exit.succeed(exit.value)
    const [reason] = exit.cause.reasons
    const issue = reason?._tag === "Fail" ? reason.error : "another shape"
    return invalidResponse(operation, status, typeof issue === "string" ? issue : issue.message)
  }
  return Effect.clockWith((clock) => {
    const error = classify({
      rules: endpoint.rules,
      operation,
      marker: parts.marker,
      envelope: readEnvelope(status, body) ?? emptyEnvelope(status),
      retryAfter: parseRetryAfter(answer.header("retry-after"), clock.currentTimeMillisUnsafe()),
      withCode,
      refused: success,
      sent
    })
    // The table's rows for an operation are what `ErrorOf` is computed from, so that this is what they made.
    return Effect.fail(error as ErrorOf<Op>)
  })
}

/** What came and could not be understood is not downloaded again. */
const isTransient = (error: unknown): error is OneEntryError.OneEntryError =>
  OneEntryError.isOneEntryError(error) && error.isRetryable && error.reason._tag !== "ResponseInvalid"

const maxRetryAfter = Duration.seconds(30)

const defaultRetry: Schedule.Schedule<unknown, OneEntryError.OneEntryError> = Schedule.exponential("200 millis").pipe(
  Schedule.setInputType<OneEntryError.OneEntryError>(),
  Schedule.jittered,
  Schedule.modifyDelay(({ duration, input }) =>
    Effect.succeed(input.retryAfter === undefined ? duration : Duration.max(duration, input.retryAfter))
  ),
  // Whoever asks for more patience than a caller has is not asked again before that.
  Schedule.while(({ attempt, input }) =>
    Effect.succeed(
      attempt <= 2 && (input.retryAfter === undefined || Duration.isLessThanOrEqualTo(input.retryAfter, maxRetryAfter))
    )
  )
)

/**
 * Makes a call that changes nothing again after a failure that may pass. The schedule is entered only after a failure:
 * entering it costs more than a call.
 */
export const retryTransient = <A, E, R>(
  project: Project,
  attempt: Effect.Effect<A, E, R>
): Effect.Effect<A, E | OneEntryError.OneEntryError, R> => {
  if (project.retry === false) return attempt
  const schedule = project.retry ?? defaultRetry
  return Effect.catch(attempt, (first) => {
    if (!isTransient(first)) return Effect.fail(first)
    let pending: OneEntryError.OneEntryError | undefined = first
    // Only what may pass is a failure to the schedule.
    const again = Effect.matchEffect(attempt, {
      onSuccess: (value): Effect.Effect<Result.Result<A, E>> => Effect.succeed(Result.succeed(value)),
      onFailure: (error): Effect.Effect<Result.Result<A, E>, OneEntryError.OneEntryError> =>
        isTransient(error) ? Effect.fail(error) : Effect.succeed(Result.fail(error))
    })
    const step = Effect.suspend(() => {
      if (pending === undefined) return again
      const error = pending
      pending = undefined
      return Effect.fail(error)
    })
    return Effect.flatMap(Effect.retry(step, schedule), Effect.fromResult)
  })
}

/** Runs an operation without a session. */
export const anonymous = <Op extends Operation, A>(
  transport: Transport,
  endpoint: Endpoint<Op, A>,
  parts: Parts
): Effect.Effect<A, ErrorOf<Op>> => {
  const attempt = Effect.flatMap(
    transport.send({
      operation: endpoint.operation,
      method: endpoint.method,
      path: parts.path,
      headers: parts.headers,
      body: parts.body
    }),
    (answer) => interpret(endpoint, parts, parts, answer)
  )
  const call = endpoint.method === "GET" ? retryTransient(transport.project, attempt) : attempt
  return transport.observe(endpoint.operation, parts.path, call)
}

/** Half a character cannot stand in a URL: it becomes the one that says so. Most texts need no encoding. */
const encode = (text: string): string =>
  plain.test(text) ? text : encodeURIComponent(half.test(text) ? text.replace(new RegExp(half, "g"), "\uFFFD") : text)

const plain = /^[\w-]*$/

/** Path segments and query, encoded; parameters that are `undefined` are left out. */
export const path = (
  segments: ReadonlyArray<string>,
  query?: Readonly<Record<string, string | number | boolean | undefined>>
): string => {
  let out = "/api/content"
  for (const segment of segments) out += `/${encode(segment)}`
  let separator = "?"
  for (const key in query) {
    const value = query[key]
    if (value === undefined) continue
    out += `${separator}${encode(key)}=${encode(String(value))}`
    separator = "&"
  }
  return out
}

/** A secret as the wire needs it. */
export const reveal = (value: string | Redacted.Redacted<string>): string =>
  typeof value === "string" ? value : Redacted.value(value)

const argumentIssue = (name: string, value: unknown): string | undefined => {
  const text = Redacted.isRedacted(value) ? Redacted.value(value) : value
  return typeof text === "string" ? segmentIssue(name, text) : `\`${name}\` must be a string`
}

/** The issues of arguments that must not be empty, or contain what no path can. */
export const emptyArguments = (
  values: Readonly<Record<string, string | Redacted.Redacted<string>>>
): ReadonlyArray<string> => Object.entries(values).flatMap(([name, value]) => argumentIssue(name, value) ?? [])

/** Fails with what is wrong with the arguments, or goes on. */
export const checked = <A, E>(
  operation: Operation,
  issues: ReadonlyArray<string>,
  run: () => Effect.Effect<A, E>
): Effect.Effect<A, E | OneEntryError.OneEntryError> =>
  issues.length === 0 ? Effect.suspend(run) : Effect.fail(OneEntryError.invalidRequest(operation, ...issues))
