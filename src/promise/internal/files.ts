/** Files as the web has them: a response with its headers, and a `File` of what a URL holds. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { files as rules } from "../../internal/classification.ts"
import * as FetchTransport from "../../internal/fetchTransport.ts"
import { type Endpoint, checked, emptyArguments, interpret, path } from "../../internal/invoke.ts"
import { describeCause } from "../../internal/lean.ts"
import type { Transport } from "../../internal/transport.ts"
import * as OneEntryError from "../../OneEntryError.ts"
import type * as Session from "../../Session.ts"
import { Recorder } from "./recorder.ts"
import { refused } from "../../internal/refused.ts"

export interface Place {
  readonly id: number | string
  readonly type: string
  readonly entity: string
  readonly filename: string
  readonly template: number | string | undefined
}

/** Only refusals are read here. */
const endpoint: Endpoint<"getFile", never> = {
  rules,
  operation: "getFile",
  method: "GET",
  decode: () => Exit.interrupt()
}

export const getFile = (transport: Transport, session: Session.Internal, place: Place) =>
  checked("getFile", emptyArguments({ filename: place.filename }), () => {
    const { project } = transport
    const filePath = path(["files"], { ...place, template: place.template || undefined })
    return transport.observe(
      "getFile",
      "",
      session.optionally((headers) =>
        Effect.gen(function* () {
          const call = { operation: "getFile", method: "GET", path: filePath, headers } as const
          const response = yield* FetchTransport.open(transport, call)
          const { status } = response
          if (status >= 200 && status < 300) return response
          const text = yield* Effect.promise(() => response.text().catch(() => ""))
          if (status === 401) return yield* refused(headers)
          const answer = { status, text, header: (name: string) => response.headers.get(name) ?? undefined }
          const recorder = yield* Recorder
          if (recorder !== undefined) recorder.answer = answer
          return yield* interpret(endpoint, { marker: place.filename, langCode: project.langCode }, call, answer)
        })
      )
    )
  })

/** What a URL holds, as a `File`. Nothing of the client goes along. */
export const fileFromUrl = (
  fetch: typeof globalThis.fetch,
  url: string,
  filename: string,
  type: string | undefined
) => {
  const failed = (reason: OneEntryError.Reason) =>
    new OneEntryError.OneEntryError({ operation: "createFileFromUrl", reason })
  return Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(url, { signal, credentials: "omit" })
      return { status: response.status, ok: response.ok, blob: await response.blob() }
    },
    catch: (cause) => failed(new OneEntryError.Network({ description: describeCause(cause) ?? "fetch failed" }))
  }).pipe(
    Effect.flatMap(({ blob, ok, status }) =>
      ok
        ? Effect.succeed(new File([blob], filename, { type: type ?? blob.type }))
        : Effect.fail(failed(new OneEntryError.Unexpected({ statusCode: status, messages: [] })))
    )
  )
}
