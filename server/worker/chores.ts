import type { Portal } from '../portal.ts'
import { isUnavailable } from '../store/engine/write.ts'
import type { InFlight } from './in-flight.ts'

/** Chores beside the loop, one at a time of each: what Microsoft leaves hanging must not keep tenants from being read. */
export class Chores {
  readonly #portal: Portal
  readonly #inFlight: InFlight
  readonly #running = new Set<string>()

  constructor(portal: Portal, inFlight: InFlight) {
    this.#portal = portal
    this.#inFlight = inFlight
  }

  /** Begins a chore, unless the one of that name is still going on. What it throws is logged. */
  begin(name: string, chore: () => Promise<unknown>): void {
    if (this.#running.has(name)) return
    this.#running.add(name)
    this.#inFlight.track(this.#run(name, chore), () => void this.#running.delete(name))
  }

  async #run(name: string, chore: () => Promise<unknown>): Promise<void> {
    try {
      await chore()
    } catch (error) {
      this.#portal.log[isUnavailable(error) ? 'warn' : 'error']({ err: error, chore: name }, 'housekeeping failed')
    }
  }
}
