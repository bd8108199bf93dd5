import { assert, describe, it } from "@effect/vitest"
import { type Circumstances, decide, type Outcome } from "../../src/internal/refreshOutcome.ts"

/**
 * The table, row by row, as a person would read it: which outcome, in which circumstances (`*`: whatever they are), does
 * what. Columns: access token valid, token in doubt, generation held, storage held. The first row that fits counts.
 */
const table: ReadonlyArray<readonly [Outcome, string, string]> = [
  ["rotated", "* * yes yes", "Commit"],
  ["rotated", "* * no *", "Discard"],
  ["rotated", "* * yes no", "Discard"],
  ["malformed", "* * no *", "Nothing"],
  ["malformed", "* yes yes *", "Keep in doubt"],
  ["malformed", "* no yes *", "Keep"],
  ["refused", "* * no *", "Nothing"],
  ["refused", "* yes yes *", "Keep in doubt"],
  ["refused", "* no yes *", "Keep"],
  ["lost", "* * no *", "Nothing"],
  ["lost", "* * yes *", "Keep in doubt"],
  ["rejected", "* * no *", "Nothing"],
  ["rejected", "* * yes no", "Adopt"],
  ["rejected", "yes * yes yes", "Bury"],
  ["rejected", "no yes yes yes", "Drop Ambiguous"],
  ["rejected", "no no yes yes", "Drop Rejected"]
]

const word = (value: boolean) => (value ? "yes" : "no")

const expected = (outcome: Outcome, circumstances: Circumstances): string => {
  const actual = [
    circumstances.accessValid,
    circumstances.inDoubt,
    circumstances.generationHeld,
    circumstances.storageHeld
  ].map(word)
  const row = table.find(
    ([name, pattern]) =>
      name === outcome && pattern.split(" ").every((cell, index) => cell === "*" || cell === actual[index])
  )
  return row?.[2] ?? "no row"
}

const shown = (outcome: Outcome, circumstances: Circumstances): string => {
  const decision = decide(outcome, circumstances)
  switch (decision._tag) {
    case "Keep":
      return decision.inDoubt ? "Keep in doubt" : "Keep"
    case "Drop":
      return `Drop ${decision.reason}`
    default:
      return decision._tag
  }
}

const outcomes: ReadonlyArray<Outcome> = ["rotated", "malformed", "rejected", "refused", "lost"]

describe("the outcome table", () => {
  const cases = outcomes.flatMap((outcome) =>
    Array.from({ length: 16 }, (_, bits): readonly [Outcome, Circumstances] => [
      outcome,
      {
        accessValid: (bits & 1) !== 0,
        inDoubt: (bits & 2) !== 0,
        generationHeld: (bits & 4) !== 0,
        storageHeld: (bits & 8) !== 0
      }
    ])
  )

  it("has a row for all 80 cases, and every row is reached", () => {
    assert.strictEqual(new Set(cases.map((one) => JSON.stringify(one))).size, 80)
    const reached = new Set(cases.map(([outcome, circumstances]) => `${outcome}: ${expected(outcome, circumstances)}`))
    assert.deepStrictEqual(reached, new Set(table.map(([outcome, , result]) => `${outcome}: ${result}`)))
  })

  for (const [outcome, circumstances] of cases) {
    const known = Object.entries(circumstances)
      .map(([name, value]) => `${name} ${word(value)}`)
      .join(", ")
    it(`${outcome}; ${known}`, () => {
      assert.strictEqual(shown(outcome, circumstances), expected(outcome, circumstances))
    })
  }

  it("only a rejection ends a session", () => {
    for (const [outcome, circumstances] of cases) {
      if (outcome !== "rejected") assert.notInclude(shown(outcome, circumstances), "Drop")
    }
  })
})
