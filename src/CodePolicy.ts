/**
 * What the codes of a provider look like, how long they are good, and when a new
 * one may be asked for: everything that a page with a code field needs to know,
 * from the provider's config. Pure, but for the countdown, a `Stream` on
 * Effect's clock.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Stream from "effect/Stream"
import type * as AuthError from "./AuthError.ts"
import type * as AuthSchema from "./AuthSchema.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * The codes of a provider.
 *
 * `length` and `lifetime` are absent where the server does not say them. `alphabet`: `"digits"`, or upper-case letters
 * and digits. `reissueAfter`: how long after a code the next one may be asked for, on servers that allow it before the
 * first has ended; older ones refuse a new code until then (see `waitAfter`).
 *
 * **Example** (The attributes of an input)
 *
 * ```ts
 * import type { CodePolicy } from "effect-oneentry"
 *
 * export const attributes = (policy: CodePolicy.CodePolicy) => ({
 *   inputMode: policy.alphabet === "digits" ? "numeric" : "text",
 *   maxLength: policy.length,
 *   autoComplete: "one-time-code"
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface CodePolicy {
  readonly length?: number
  readonly alphabet: "digits" | "alphanumeric"
  readonly lifetime?: Duration.Duration
  readonly reissueAfter: Duration.Duration
}

/**
 * What a config does not say: `reissueAfter`, 30 seconds on the servers that have such a window.
 *
 * **Example** (A tenant with a longer window)
 *
 * ```ts
 * import type { CodePolicy } from "effect-oneentry"
 *
 * export const options: CodePolicy.Options = { reissueAfter: "1 minute" }
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly reissueAfter?: Duration.Input | undefined
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

const defaultReissue = Duration.seconds(30)

const atLeastZero = (duration: Duration.Duration): Duration.Duration => Duration.max(duration, Duration.zero)

/**
 * The codes of a provider, from its config.
 *
 * **Example** (As many boxes as the code has characters)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { AuthProvider, CodePolicy } from "effect-oneentry"
 *
 * export const boxes = AuthProvider.AuthProvider.use((auth) => auth.getAuthProviderByMarker("email")).pipe(
 *   Effect.map((provider) => CodePolicy.fromProvider(provider).length ?? 6)
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromProvider = (
  provider: Pick<AuthSchema.AuthProviderEntity, "config">,
  options?: Options
): CodePolicy => {
  const { systemCodeLength, systemCodeOnlyNumbers, systemCodeTtl } = provider.config
  const reissueAfter =
    options?.reissueAfter === undefined
      ? defaultReissue
      : Option.getOrElse(Duration.fromInput(options.reissueAfter), () => defaultReissue)
  return {
    ...(systemCodeLength === undefined || !Number.isInteger(systemCodeLength) || systemCodeLength < 1
      ? {}
      : { length: systemCodeLength }),
    alphabet: systemCodeOnlyNumbers === true ? "digits" : "alphanumeric",
    ...(systemCodeTtl === undefined ? {} : { lifetime: systemCodeTtl }),
    reissueAfter: atLeastZero(reissueAfter)
  }
}

// -----------------------------------------------------------------------------
// codes
// -----------------------------------------------------------------------------

/**
 * A code as the server compares it, from what a person typed or pasted: without spaces and hyphens, full-width
 * characters of an Asian keyboard made plain, letters in upper case. The server itself trims and changes nothing.
 *
 * **Example** (Copied out of a message)
 *
 * ```ts
 * import { CodePolicy } from "effect-oneentry"
 *
 * console.log(CodePolicy.normalise(" ew3-2rf\n")) // => "EW32RF"
 * ```
 *
 * @category codes
 * @since 0.1.0
 */
export const normalise = (input: string): string =>
  input
    .normalize("NFKC")
    .replace(/[\s\u200b-\u200f\u2060\ufeff\-\u2010-\u2015\u2212]/g, "")
    .toUpperCase()

/**
 * Whether an input can be a code of the provider, after `normalise`: of its length and alphabet.
 *
 * **Example** (When to send it)
 *
 * ```ts
 * import { CodePolicy } from "effect-oneentry"
 *
 * const policy = CodePolicy.fromProvider({ config: { systemCodeLength: 6, systemCodeOnlyNumbers: true } })
 * console.log(CodePolicy.matches(policy, "407 063")) // => true
 * console.log(CodePolicy.matches(policy, "EW32RF")) // => false
 * ```
 *
 * @category codes
 * @since 0.1.0
 */
export const matches = (policy: CodePolicy, input: string): boolean => {
  const code = normalise(input)
  return (
    (policy.length === undefined ? code !== "" : code.length === policy.length) &&
    (policy.alphabet === "digits" ? /^[0-9]*$/ : /^[0-9A-Z]*$/).test(code)
  )
}

/**
 * A schema of the provider's codes: decoding normalises and checks an input, for forms.
 *
 * **Example** (In the schema of a form)
 *
 * ```ts
 * import { Schema } from "effect"
 * import { CodePolicy } from "effect-oneentry"
 *
 * const policy = CodePolicy.fromProvider({ config: { systemCodeLength: 6 } })
 * const Form = Schema.Struct({ code: CodePolicy.schema(policy) })
 * console.log(Schema.decodeUnknownSync(Form)({ code: "ew32rf " }).code) // => "EW32RF"
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const schema = (policy: CodePolicy): Schema.Codec<string> => {
  const characters = policy.alphabet === "digits" ? "digits" : "letters and digits"
  const expected = policy.length === undefined ? `a code of ${characters}` : `a code of ${policy.length} ${characters}`
  return Schema.String.pipe(
    Schema.decodeTo(
      Schema.String.check(Schema.makeFilter((code: string) => matches(policy, code) || expected, { expected })),
      SchemaTransformation.transform({ decode: normalise, encode: (code) => code })
    )
  )
}

// -----------------------------------------------------------------------------
// when the next one
// -----------------------------------------------------------------------------

/**
 * How long to wait with the next `generateCode` after it failed with `UserAlreadyHasCode`: what the server said
 * (`Retry-After`); on newer servers (429) the window; on older ones (400) as long as the code lives, for it may have
 * been sent just now.
 *
 * **Example** (Saying it)
 *
 * ```ts
 * import { Duration, Effect } from "effect"
 * import { AuthProvider, CodePolicy } from "effect-oneentry"
 *
 * export const ask = (policy: CodePolicy.CodePolicy) => AuthProvider.AuthProvider.use((auth) =>
 *   auth.generateCode("email", { userIdentifier: "ann@example.com", eventIdentifier: "auth" })
 * ).pipe(
 *   Effect.catchTag("UserAlreadyHasCode", (error) =>
 *     Effect.logInfo(`Again in ${Duration.toSeconds(CodePolicy.waitAfter(policy, error))} seconds`))
 * )
 * ```
 *
 * @category waiting
 * @since 0.1.0
 */
export const waitAfter = (policy: CodePolicy, error: AuthError.UserAlreadyHasCode): Duration.Duration =>
  atLeastZero(
    error.retryAfter ?? (error.statusCode === 429 ? policy.reissueAfter : (policy.lifetime ?? policy.reissueAfter))
  )

/**
 * What a countdown begins with: when the last code was asked for, the refusal of the next one, or both (an older server
 * refuses until the code of `requestedAt` ends).
 *
 * **Example** (The moment of a click)
 *
 * ```ts
 * import { DateTime, Effect } from "effect"
 * import type { CodePolicy } from "effect-oneentry"
 *
 * export const since: Effect.Effect<CodePolicy.Since> = Effect.map(DateTime.now, (requestedAt) => ({ requestedAt }))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Since {
  readonly requestedAt?: DateTime.DateTime | undefined
  readonly error?: AuthError.UserAlreadyHasCode | undefined
}

/**
 * Counts down to the next allowed `generateCode`: the time that is left at once, then as each second of it begins, then
 * zero, and the end. Nothing to wait for is a zero at once. By Effect's clock: what a sleeping device missed is left out.
 *
 * **Example** (The text of a button)
 *
 * ```ts
 * import { DateTime, Duration, Effect, Stream } from "effect"
 * import { CodePolicy } from "effect-oneentry"
 *
 * export const show = (policy: CodePolicy.CodePolicy, setText: (text: string) => void) =>
 *   Effect.gen(function*() {
 *     const requestedAt = yield* DateTime.now
 *     yield* CodePolicy.countdown(policy, { requestedAt }).pipe(
 *       Stream.runForEach((left) => Effect.sync(() =>
 *         setText(Duration.isZero(left) ? "Send a new code" : `Again in ${Math.ceil(Duration.toSeconds(left))} s`)))
 *     )
 *   })
 * ```
 *
 * @category waiting
 * @since 0.1.0
 */
export const countdown = (policy: CodePolicy, since: Since): Stream.Stream<Duration.Duration> =>
  Stream.unwrap(
    Effect.map(Clock.currentTimeMillis, (start) => {
      const end = endOf(policy, since, start)
      // A clock that is set back must not make the wait longer than it was.
      const longest = Math.max(0, end - start)
      return Stream.paginate(true, (first: boolean) =>
        Effect.gen(function* () {
          const before = Math.min(longest, end - (yield* Clock.currentTimeMillis))
          if (!first) yield* Effect.sleep(Duration.millis(before <= 0 ? 0 : before % 1000 === 0 ? 1000 : before % 1000))
          const left = Math.min(longest, Math.max(0, end - (yield* Clock.currentTimeMillis)))
          return [[Duration.millis(left)], left === 0 ? Option.none<boolean>() : Option.some(false)] as const
        })
      )
    })
  )

const endOf = (policy: CodePolicy, { error, requestedAt }: Since, now: number): number => {
  // What has not been yet was asked for now, by another clock.
  const asked = requestedAt === undefined ? undefined : Math.min(now, DateTime.toEpochMillis(requestedAt))
  if (error === undefined) return asked === undefined ? now : asked + Duration.toMillis(policy.reissueAfter)
  const wait = Duration.toMillis(waitAfter(policy, error))
  // Without `Retry-After` the wait counts from when the code was sent, which the request for it came close to.
  return error.retryAfter === undefined && asked !== undefined ? asked + wait : now + wait
}
