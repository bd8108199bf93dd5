/**
 * A refusal on its way to the error envelope. A plain object on purpose: refusals are frequent and need no stack.
 */
import * as Effect from "effect/Effect"
import * as Messages from "../Messages.ts"
import type { Switches } from "../Project.ts"

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

/** The statuses that a switch decides. */
const switched: Readonly<Record<string, (switches: Switches) => number>> = {
  UserNotFound: (switches) => switches.userNotFoundStatus,
  UserExists: (switches) => switches.userExistsStatus,
  UserNotActivated: (switches) => switches.notActivatedStatus,
  RefreshTokenIncorrect: (switches) => switches.refreshFailureStatus,
  FormType: (switches) => switches.formTypeStatus
} satisfies Partial<Record<Messages.Name, (switches: Switches) => number>>

export const statusOf = (refused: { readonly name: string; readonly status: number }, switches: Switches): number =>
  switched[refused.name]?.(switches) ?? refused.status

export const refusal = (
  name: Messages.Name,
  values: ReadonlyArray<string> = [],
  headers?: Readonly<Record<string, string>>
): Refusal => {
  const row: Messages.Row = Messages.table[name]
  const text =
    values.length === 0 ? row.text : row.text.replace(/\{(\d)\}/g, (match, index) => values[Number(index)] ?? match)
  return new Refusal(name, row.status, text, headers)
}

export const refuse = (
  name: Messages.Name,
  values?: ReadonlyArray<string>,
  headers?: Readonly<Record<string, string>>
): Effect.Effect<never, Refusal> => Effect.fail(refusal(name, values, headers))
