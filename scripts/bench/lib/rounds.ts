/**
 * Variants of one task, measured in turns in one process: a busy machine slows all of them alike, so that their ratios
 * hold where the microseconds do not.
 */

export interface Variant {
  readonly name: string
  /** Does the task that many times, one after the other. */
  readonly run: (times: number) => Promise<unknown>
}

export interface Figure {
  readonly median: number
  /** The quartiles. */
  readonly low: number
  readonly high: number
}

const at = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

export const figureOf = (values: ReadonlyArray<number>): Figure => {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: at(sorted, 0.5), low: at(sorted, 0.25), high: at(sorted, 0.75) }
}

export const quantile = (values: ReadonlyArray<number>, share: number): number =>
  at(
    values.toSorted((a, b) => a - b),
    share
  )

/**
 * Of many short rounds the faster ones: a round that another process interrupted says nothing of the code. (The time that
 * the system gives to a thread has too coarse a clock.)
 */
export const quietFigureOf = (values: ReadonlyArray<number>): Figure => {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: at(sorted, 0.2), low: at(sorted, 0.1), high: at(sorted, 0.3) }
}

/**
 * The variants of a round, in another order each time: nobody always pays for the garbage of the same one. A stride that
 * shares no factor with their number visits all of them.
 */
export const turns = <A>(variants: ReadonlyArray<A>, round: number): ReadonlyArray<A> => {
  const size = variants.length
  const coprime = (a: number, b: number): boolean => (b === 0 ? a === 1 : coprime(b, a % b))
  const strides = variants.map((_, index) => index + 1).filter((stride) => coprime(size, stride))
  const stride = strides[round % strides.length] ?? 1
  return variants
    .map((_, index) => variants[(round + index * stride) % size])
    .filter((variant): variant is A => variant !== undefined)
}

/** Microseconds a task by variant, round by round. */
export const measure = async (
  variants: ReadonlyArray<Variant>,
  options: { readonly rounds: number; readonly times: number; readonly warmup: number }
): Promise<ReadonlyMap<string, ReadonlyArray<number>>> => {
  for (const variant of variants) await variant.run(options.warmup)
  const results = new Map<string, Array<number>>(variants.map(({ name }) => [name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const variant of turns(variants, round)) {
      const before = performance.now()
      await variant.run(options.times)
      results.get(variant.name)?.push(((performance.now() - before) * 1000) / options.times)
    }
  }
  return results
}
