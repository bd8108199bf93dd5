/** The token pair on the wire, as `auth`, `oauth` and `refresh` answer it. Plain strings: this is the wire layer. */
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

/** What no server issues is longer. */
export const maxTokenLength = 16_384

const isToken = ({ length }: string): boolean => length > 0 && length <= maxTokenLength

/** Whether a token can be sent as a bearer token: ASCII that a header carries as it is. With another, no call leaves. */
export const isBearer = (token: string): boolean =>
  isToken(token) && /^[\x20-\x7e]+$/.test(token) && token.trim() === token

const Token = Schema.String.check(
  Schema.makeFilter((token: string) => isToken(token) || "a token of a possible length")
)

const Bearer = Schema.String.check(Schema.makeFilter((token: string) => isBearer(token) || "a token for a header"))

const schema = Schema.Struct({
  userIdentifier: Schema.String,
  authProviderIdentifier: Schema.String,
  accessToken: Bearer,
  refreshToken: Token
})

export type AuthEntityWire = typeof schema.Type

const decode: (body: unknown) => Exit.Exit<AuthEntityWire, Schema.SchemaError> = Schema.decodeUnknownExit(schema)

export const AuthEntityWire = { schema, decode }
