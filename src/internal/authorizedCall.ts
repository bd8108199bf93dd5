/** Runs an operation in the name of the signed-in user. */
import * as Effect from "effect/Effect"
import type { Internal, RefreshError } from "../Session.ts"
import type { ErrorOf, Operation } from "./classification.ts"
import { type Endpoint, interpret, type Parts, retryTransient } from "./invoke.ts"
import { unquoted } from "./quoted.ts"
import { emptyEnvelope, readEnvelope } from "./serverEnvelope.ts"
import { deviceHeader, type Transport } from "./transport.ts"
import { parseJson } from "./wire.ts"
import { type Refused, refused } from "./refused.ts"

/** What differs from call to call; the headers are the session's, with the content type and the device where due. */
export type AuthorizedParts = Omit<Parts, "headers">

const attempt = <Op extends Operation, A>(
  transport: Transport,
  endpoint: Endpoint<Op, A>,
  parts: AuthorizedParts,
  headers: Readonly<Record<string, string>>
): Effect.Effect<A, ErrorOf<Op> | Refused> => {
  const { body, given, path } = parts
  const call = { operation: endpoint.operation, method: endpoint.method, path, headers, body, given }
  return Effect.flatMap(transport.send(call), (answer): Effect.Effect<A, ErrorOf<Op> | Refused> =>
    answer.status === 401
      ? refused(headers, unquoted(readEnvelope(401, parseJson(answer.text)) ?? emptyEnvelope(401), call).messages)
      : interpret(endpoint, parts, call, answer)
  )
}

/** Runs an operation that needs a session: bearer token, refresh on 401, once more. */
export const authorized = <Op extends Operation, A>(
  transport: Transport,
  session: Internal,
  endpoint: Endpoint<Op, A>,
  parts: AuthorizedParts
): Effect.Effect<A, ErrorOf<Op> | RefreshError> => {
  const { project } = transport
  const call =
    endpoint.method === "GET"
      ? retryTransient(
          project,
          session.authorized((headers) => attempt(transport, endpoint, parts, headers))
        )
      : session.authorized((headers) =>
          Effect.flatMap(extraHeaders(session, endpoint.method, parts.body), (extra) =>
            attempt(transport, endpoint, parts, { ...headers, ...extra })
          )
        )
  return transport.observe(endpoint.operation, parts.path, call)
}

/** Runs an operation in the name of whoever is signed in, if anybody is. */
export const optionally = <Op extends Operation, A>(
  transport: Transport,
  session: Internal,
  endpoint: Endpoint<Op, A>,
  parts: AuthorizedParts
): Effect.Effect<A, ErrorOf<Op> | RefreshError> => {
  const run = session.optionally((headers) =>
    Effect.flatMap(extraHeaders(session, endpoint.method, parts.body), (extra) =>
      attempt(transport, endpoint, parts, { ...headers, ...extra })
    )
  )
  const call = endpoint.method === "GET" ? retryTransient(transport.project, run) : run
  return transport.observe(endpoint.operation, parts.path, call)
}

/** The device goes with every POST; JSON and a stream say what they are. */
export const extraHeaders = (
  session: Internal,
  method: Endpoint<Operation, unknown>["method"],
  body: Parts["body"]
): Effect.Effect<Readonly<Record<string, string>>> => {
  const content: Readonly<Record<string, string>> =
    typeof body === "string"
      ? { "content-type": "application/json" }
      : body === undefined || body instanceof FormData
        ? {}
        : { "content-type": body.contentType }
  return method === "POST"
    ? Effect.map(session.device, (device) => ({ ...content, "x-device-metadata": deviceHeader(device) }))
    : Effect.succeed(content)
}
