/**
 * What a client is told when it is made. Every `layer(options)` of the package
 * takes these, checks them before anything is built, and fails with a
 * `OneEntryError` whose reason `InvalidRequest` lists what to change.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { isLoopback, segmentIssue } from "./internal/urls.ts"
import * as OneEntryError from "./OneEntryError.ts"

/**
 * Options of every layer.
 *
 * **Example** (The usual ones)
 *
 * ```ts
 * import { Redacted } from "effect"
 * import type { ClientOptions } from "effect-oneentry"
 *
 * export const options: ClientOptions.ClientOptions = {
 *   url: "https://my-project.oneentry.cloud",
 *   appToken: Redacted.make("…"),
 *   langCode: "de_DE"
 * }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientOptions {
  /**
   * The project's address: `https:`, or `http:` on loopback (`localhost`, `127.0.0.0/8`, `::1`; in browsers names under
   * `localhost` too). A path before `/api` is kept.
   */
  readonly url: string | URL
  /** The app token of the project; left out where the project is protected otherwise (mTLS). */
  readonly appToken?: string | Redacted.Redacted<string> | undefined
  /** Language of what comes back, where a call does not say; `en_US`. */
  readonly langCode?: string | undefined
  /** The provider that `refresh` and `logout` mean when they are told none and no session is stored; `email`. */
  readonly providerMarker?: string | undefined
  /** Where the session is kept when `Sessions.withSlot` names no other; `default`. */
  readonly slot?: string | undefined
  /** How long one request may take, the body of the answer included; 30 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
  /** How long before its end an access token is refreshed, a tenth of its life at the most; 30 seconds. */
  readonly refreshMargin?: Duration.Input | undefined
  /**
   * When calls that change nothing (GET) are made again after a failure that may pass: a schedule that sees the error,
   * or `false`. By default twice, after 200 and 400 milliseconds (with jitter), or when `Retry-After` says.
   */
  readonly retry?: Schedule.Schedule<unknown, OneEntryError.OneEntryError> | false | undefined
  /** Allows `http:` to other hosts than loopback: credentials travel in the clear. */
  readonly allowInsecureHttp?: boolean | undefined
  /** Bytes that an answer may have, files apart; 10 MiB. */
  readonly maxResponseBytes?: number | undefined
}

/**
 * Options after checking.
 *
 * @internal
 */
export interface Project {
  /** Address without a slash at the end. */
  readonly baseUrl: string
  readonly origin: string
  readonly appToken: Redacted.Redacted<string> | undefined
  readonly langCode: string
  readonly providerMarker: string
  readonly slot: string
  readonly requestTimeout: Duration.Duration
  readonly refreshMarginMillis: number
  readonly retry: Schedule.Schedule<unknown, OneEntryError.OneEntryError> | false | undefined
  readonly maxResponseBytes: number
}

const durationOption = (
  name: string,
  input: Duration.Input | undefined,
  fallback: Duration.Input,
  issues: Array<string>
): Duration.Duration => {
  const duration = Duration.fromInput(input ?? fallback)
  // What is no number counts as zero in a duration.
  const parts: ReadonlyArray<unknown> =
    typeof input === "object" && !Duration.isDuration(input) ? Object.values(input) : [input]
  if (duration._tag === "Some" && !parts.some(Number.isNaN)) {
    const millis = Duration.toMillis(duration.value)
    if (
      Number.isFinite(millis) &&
      millis >= 0 &&
      millis <= 2_147_483_647 &&
      (millis > 0 || name !== "requestTimeout")
    ) {
      return duration.value
    }
  }
  issues.push(
    `\`${name}\` must be a duration of less than 24 days${name === "requestTimeout" ? ", more than nothing" : ""}`
  )
  return Duration.zero
}

/**
 * Checks options.
 *
 * @internal
 */
export const resolve = (options: ClientOptions): Effect.Effect<Project, OneEntryError.OneEntryError> =>
  Effect.suspend(() => {
    const issues: Array<string> = []
    // A program without types may hand over anything.
    const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)
    const url = URL.canParse(String(options.url)) ? new URL(String(options.url)) : undefined
    if (url === undefined) {
      issues.push("`url` must be an absolute URL such as https://my-project.oneentry.cloud")
    } else {
      if (url.protocol !== "https:" && url.protocol !== "http:") {
        issues.push("`url` must begin with https:")
      } else if (url.protocol === "http:" && options.allowInsecureHttp !== true && !isLoopback(url.hostname)) {
        issues.push(
          "`url` must begin with https: (http: would send tokens in the clear; it is for loopback, or with `allowInsecureHttp`)"
        )
      }
      if (url.username !== "" || url.password !== "") issues.push("`url` must not carry credentials")
      if (url.search !== "" || url.hash !== "") issues.push("`url` must have neither a query nor a fragment")
    }
    const token = text(Redacted.isRedacted(options.appToken) ? Redacted.value(options.appToken) : options.appToken)
    if (options.appToken !== undefined && !/^[\x21-\x7e]{1,8192}$/.test(token ?? "")) {
      issues.push("`appToken` must be a token as the admin panel shows it: neither empty nor with spaces")
    }
    const {
      langCode = "en_US",
      maxResponseBytes = 10 * 1024 * 1024,
      providerMarker = "email",
      slot = "default"
    } = options
    if (!/^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$/.test(langCode)) {
      issues.push("`langCode` must be a language code such as en_US")
    }
    const markerIssue = segmentIssue("providerMarker", text(providerMarker) ?? "")
    if (markerIssue !== undefined) issues.push(markerIssue)
    if (!text(slot)) issues.push("`slot` must not be empty")
    if (options.retry !== undefined && options.retry !== false && !Schedule.isSchedule(options.retry)) {
      issues.push("`retry` must be a schedule, or false")
    }
    if (!Number.isSafeInteger(maxResponseBytes) || maxResponseBytes <= 0) {
      issues.push("`maxResponseBytes` must be a whole number of bytes")
    }
    const requestTimeout = durationOption("requestTimeout", options.requestTimeout, "30 seconds", issues)
    const refreshMargin = durationOption("refreshMargin", options.refreshMargin, "30 seconds", issues)
    if (url === undefined || issues.length > 0) {
      return Effect.fail(OneEntryError.invalidRequest("layer", ...issues))
    }
    return Effect.succeed({
      baseUrl: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
      origin: url.origin,
      appToken: token === undefined ? undefined : Redacted.make(token, { label: "appToken" }),
      langCode,
      providerMarker,
      slot,
      requestTimeout,
      refreshMarginMillis: Duration.toMillis(refreshMargin),
      retry: options.retry,
      maxResponseBytes
    })
  })
