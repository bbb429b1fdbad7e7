import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a slow server or caller does. A test itself waits for a condition: see waiting.ts. */
export const afterMs = (ms: number): Promise<void> => sleep(ms)

/** Writes the text again and again, until the other side has enough. */
export function drip(to: Writable, text: string, everyMs: number): void {
  const timer = setInterval(() => to.write(text), everyMs)
  to.once('close', () => clearInterval(timer))
}

/** Counts how often the event loop comes round, until `stop`. */
export function turnsOfLoop(): { turns(): number; stop(): void } {
  let turns = 0
  let stopped = false
  const turn = () => {
    turns++
    if (!stopped) setImmediate(turn)
  }
  setImmediate(turn)
  return {
    turns: () => turns,
    stop() {
      stopped = true
    },
  }
}
