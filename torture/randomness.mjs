// One seed, one stream of choices per concern: what the weather chooses does not depend on how many mutations there were.
import { hashOf, Random } from '../dist/simulator/world/random.js'

export const streamOf = (seed, concern) => new Random(hashOf(`${seed}/${concern}`))

/** One of `[weight, choice]`. */
export function weighted(random, choices) {
  let left = random.next() * choices.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, choice] of choices) {
    left -= weight
    if (left < 0) return choice
  }
  return choices.at(-1)[1]
}
