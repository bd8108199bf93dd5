/** The token pair on the wire, as `auth`, `oauth` and `refresh` answer it. Plain strings: this is the wire layer. */
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

const Token = Schema.String.check(
  Schema.makeFilter(({ length }: string) => (length > 0 && length <= 16_384) || "a token of a possible length")
)

const schema = Schema.Struct({
  userIdentifier: Schema.String,
  authProviderIdentifier: Schema.String,
  accessToken: Token,
  refreshToken: Token
})

export type AuthEntityWire = typeof schema.Type

const decode: (body: unknown) => Exit.Exit<AuthEntityWire, Schema.SchemaError> = Schema.decodeUnknownExit(schema)

export const AuthEntityWire = { schema, decode }
