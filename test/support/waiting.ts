import { setTimeout as sleep } from 'node:timers/promises'

interface Patience {
  /** Milliseconds. 90 seconds where none are given. */
  withinMs?: number
  /** Between two looks. 20 ms where none are given. */
  everyMs?: number
  /** For the error: what should have come to be. */
  what?: string
}

/**
 * Looks until the condition holds.
 * @returns how long it took, in milliseconds
 * @throws Error when it does not hold in time; whatever `holds` throws
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  { withinMs = 90_000, everyMs = 20, what = 'what was waited for' }: Patience = {},
): Promise<number> {
  for (const started = performance.now(); ; await sleep(everyMs)) {
    if (await holds()) return performance.now() - started
    if (performance.now() - started > withinMs) throw new Error(`${what}: not within ${withinMs} ms`)
  }
}
