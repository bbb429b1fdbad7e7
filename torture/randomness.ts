// One seed, one stream of choices per concern: what the weather chooses does not depend on how many mutations there were.
import { hashOf, Random } from '../server/simulator/world/random.ts'

export const streamOf = (seed: number, concern: string): Random => new Random(hashOf(`${seed}/${concern}`))

/** @throws RangeError when there is nothing to choose from */
export function weighted<Choice>(
  random: Random,
  choices: readonly (readonly [weight: number, choice: Choice])[],
): Choice {
  let left = random.next() * choices.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, choice] of choices) {
    left -= weight
    if (left < 0) return choice
  }
  const last = choices.at(-1)
  if (!last) throw new RangeError('nothing to choose from')
  return last[1]
}

/** How often something was done, by its kind. */
export type Counts = Record<string, number>

export function count(counts: Counts, kind: string, by = 1): void {
  counts[kind] = (counts[kind] ?? 0) + by
}
