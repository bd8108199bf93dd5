/**
 * A refusal on its way to the error envelope. A plain object on purpose: refusals are frequent and need no stack.
 */
import * as Effect from "effect/Effect"
import * as Messages from "../Messages.ts"

export class Refusal {
  readonly _tag = "Refusal"
  readonly name: string
  readonly status: number
  readonly message: string | ReadonlyArray<string>
  readonly headers: Readonly<Record<string, string>> | undefined
  constructor(
    name: string,
    status: number,
    message: string | ReadonlyArray<string>,
    headers?: Readonly<Record<string, string>>
  ) {
    this.name = name
    this.status = status
    this.message = message
    this.headers = headers
  }
}

export interface RefusalOptions {
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export const refusal = (name: Messages.Name, values: ReadonlyArray<string> = [], options?: RefusalOptions): Refusal => {
  const row: Messages.Row = Messages.table[name]
  const text =
    values.length === 0 ? row.text : row.text.replace(/\{(\d)\}/g, (match, index) => values[Number(index)] ?? match)
  return new Refusal(name, options?.status ?? row.status, text, options?.headers)
}

export const refuse = (
  name: Messages.Name,
  values?: ReadonlyArray<string>,
  options?: RefusalOptions
): Effect.Effect<never, Refusal> => Effect.fail(refusal(name, values, options))
