import { probeAwaited } from '../onboarding/probe.ts'
import type { Portal } from '../portal.ts'
import type { Outlook } from '../store/sync/claims.ts'
import { logFailedProbe } from './due.ts'
import type { InFlight } from './in-flight.ts'
import { proofsAtOnce } from './lanes.ts'
import type { Rest } from './rest.ts'

/** Probes for awaited proofs. What a browser claimed waits apart from the tenants: it is nobody's yet. */
export class ProofProbes {
  readonly #portal: Portal
  readonly #inFlight: InFlight
  readonly #rest: Rest
  #running = 0

  /** @param rest of the loop that takes work; ended with each probe */
  constructor(portal: Portal, inFlight: InFlight, rest: Rest) {
    this.#portal = portal
    this.#inFlight = inFlight
    this.#rest = rest
  }

  async take({ proof }: Outlook, now: Date): Promise<void> {
    const room = proofsAtOnce - this.#running
    if (proof === null || proof > now.toISOString() || room <= 0) return
    for (const probe of await probeAwaited(this.#portal, room)) {
      this.#running++
      this.#inFlight.track(probe.catch(logFailedProbe(this.#portal)), () => {
        this.#running--
        this.#rest.end()
      })
    }
  }

  /** When the next probe is due, if there is room for it. */
  dueTimes({ proof }: Outlook): string[] {
    return proof !== null && this.#running < proofsAtOnce ? [proof] : []
  }
}
