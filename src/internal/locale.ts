/**
 * Locale maps, unwrapped where a schema says that one may stand and nowhere else.
 *
 * The server sends some values keyed by language (`{ "en_US": X }`), some already unwrapped, depending on its version.
 * `localized(schema, shape)` decodes either into one representation, once, without knowing a language; `unwrap` takes
 * the language of the call out of it afterwards. So a decoder is built once per module, not once per call.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** A decoded value that may depend on the language; the language of a value that came bare is `""`. */
export interface Localized<out A> {
  readonly entries: ReadonlyArray<readonly [language: string, value: A]>
}

/**
 * What the value itself looks like once unwrapped. An `"object"` is told from a locale map by keys and values, an
 * `"array"` or a `"scalar"` (string, number, boolean, null) by not being an object at all.
 */
export type Shape = "object" | "array" | "scalar"

/** `en`, `en_US`, `zh-Hant-TW`: no field name of the wire format (`title`, `value`, `marker`…) looks like one. */
const languageKey = /^[a-z]{2,3}(?:[_-][A-Za-z0-9]{2,8}){0,3}$/

const isObject = (u: unknown): u is { readonly [key: string]: unknown } =>
  typeof u === "object" && u !== null && !Array.isArray(u)

/** Tells whether `u` is a locale map around a value of the given shape. Looks at own keys only. */
export const isLocaleMap = (u: unknown, shape: Shape): u is { readonly [language: string]: unknown } => {
  if (!isObject(u)) return false
  const keys = Object.keys(u)
  // An empty object is an empty struct, but cannot be an array or a scalar: there it is a map without any language.
  if (keys.length === 0) return shape !== "object"
  for (const key of keys) {
    if (!languageKey.test(key)) return false
    if (shape === "object" && u[key] !== null && !isObject(u[key])) return false
  }
  return true
}

const toEntries = (u: unknown, shape: Shape): ReadonlyArray<readonly [string, unknown]> => {
  if (!isLocaleMap(u, shape)) return [["", u]]
  const entries: Array<readonly [string, unknown]> = []
  for (const key of Object.keys(u)) {
    // A language without a translation is `null` on some servers: as good as absent.
    if (u[key] !== null && u[key] !== undefined) entries.push([key, u[key]])
  }
  return entries
}

const fromEntries = (entries: ReadonlyArray<readonly [string, unknown]>): unknown => {
  const first = entries[0]
  if (first !== undefined && first[0] === "") return first[1]
  return Object.fromEntries(entries)
}

/**
 * A schema for a place where either a value or a locale map of such values may stand.
 *
 * `schema` decodes one value; `shape` says what that value looks like. Build it once, at module level, and call
 * `unwrap` on what it decoded.
 */
export const localized = <A, RD, RE>(
  schema: Schema.Codec<A, unknown, RD, RE>,
  shape: Shape
): Schema.Codec<Localized<A>, unknown, RD, RE> =>
  Schema.Unknown.pipe(
    Schema.decodeTo(
      Schema.Struct({ entries: Schema.Array(Schema.Tuple([Schema.String, schema])) }),
      SchemaTransformation.transform({
        decode: (u: unknown) => ({ entries: toEntries(u, shape) }),
        encode: ({ entries }): unknown => fromEntries(entries)
      })
    )
  )

/**
 * The value for a language: a bare value as it is, else the one of `langCode`, else the first (with one language, the
 * only) one there is; `undefined` when there is none. Allocates nothing.
 */
export const unwrap = <A>(self: Localized<A>, langCode: string): A | undefined => {
  for (const entry of self.entries) {
    if (entry[0] === langCode || entry[0] === "") return entry[1]
  }
  return self.entries[0]?.[1]
}

/** As `unwrap`, with a value for "none in any language". */
export const unwrapOr = <A, B>(self: Localized<A>, langCode: string, orElse: B): A | B => {
  const value = unwrap(self, langCode)
  return value === undefined ? orElse : value
}
