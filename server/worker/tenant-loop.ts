import type { Portal } from '../portal.ts'
import { isUnavailable } from '../store/engine/write.ts'
import { type Lane, lookAhead, type Outlook, releaseClaim } from '../store/sync/claims.ts'
import { Chores } from './chores.ts'
import { mayProbe, probeCredential } from './due.ts'
import { InFlight } from './in-flight.ts'
import { Jobs } from './jobs.ts'
import { ProofProbes } from './proof-probes.ts'
import { Rest } from './rest.ts'
import { ClockMender } from './upkeep/clock-watch.ts'
import { keepHouse } from './upkeep/housekeeping.ts'
import { readOlderAgain } from './upkeep/older-readings.ts'

const housekeepingEvery = 60_000
/** How long the worker rests when nothing is due: what an operator who pressed a button waits at most. */
const longestRest = 500
/** Between two looks: what ends in quick succession is followed by one claim, not by one each. */
const shortestRest = 25
/** Work under way may take this long once the worker is stopping; what takes longer is left to its lease. */
const stopPatience = 20_000

/** Takes up the work that is due on tenants and claims, and does the housekeeping beside it, from its start until stopped. */
export class TenantLoop {
  readonly #portal: Portal
  readonly #stopping = new AbortController()
  readonly #rest = new Rest()
  readonly #inFlight = new InFlight()
  readonly #jobs: Jobs
  readonly #proofs: ProofProbes
  readonly #chores: Chores
  readonly #clock: ClockMender
  readonly #loop: Promise<void>
  #nextHousekeeping = 0

  constructor(portal: Portal, most: Record<Lane, number>) {
    this.#portal = portal
    this.#jobs = new Jobs(portal, most, this.#inFlight, this.#rest)
    this.#proofs = new ProofProbes(portal, this.#inFlight, this.#rest)
    this.#chores = new Chores(portal, this.#inFlight)
    this.#clock = new ClockMender(portal)
    this.#loop = this.#run()
  }

  /** Takes nothing new on, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#rest.end()
    await this.#loop
    this.#jobs.stop()
    await this.#inFlight.settle(stopPatience)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const restMs = await this.#tick().catch((error: unknown) => {
        this.#portal.log[isUnavailable(error) ? 'warn' : 'error']({ err: error }, 'the worker could not look for work')
        return longestRest
      })
      await this.#rest.take(shortestRest)
      if (restMs > shortestRest && !signal.aborted) await this.#rest.take(restMs - shortestRest)
    }
  }

  /** @returns how long there is nothing to look for, in milliseconds */
  async #tick(): Promise<number> {
    await this.#clock.mend()
    const now = this.#portal.now()
    const outlook = await lookAhead(this.#portal.db, now)
    if (outlook.paused) this.#jobs.pause()
    if (outlook.partnerFault) {
      if (mayProbe(outlook, now)) this.#chores.begin('probe of the credential', () => this.#probeCredential())
    } else {
      await this.#proofs.take(outlook, now)
      await this.#jobs.take(outlook, now)
    }
    this.#keepHouse()
    return outlook.partnerFault ? longestRest : this.#restUntil(outlook, now)
  }

  async #probeCredential(): Promise<void> {
    const { signal } = this.#stopping
    for (const claim of await probeCredential(this.#portal, signal)) {
      // Nobody would wait for it any more.
      if (signal.aborted) await releaseClaim(this.#portal.db, claim, new Date(claim.dueAt))
      else this.#jobs.launch(claim, 'check')
    }
  }

  #keepHouse(): void {
    if (performance.now() < this.#nextHousekeeping) return
    this.#nextHousekeeping = performance.now() + housekeepingEvery
    const { signal } = this.#stopping
    this.#chores.begin('housekeeping', () => keepHouse(this.#portal, signal))
    this.#chores.begin('reading again', () => readOlderAgain(this.#portal, signal))
  }

  /** Milliseconds until something is due for which there is room, at most `longestRest`. */
  #restUntil(outlook: Outlook, now: Date): number {
    const times = [...this.#proofs.dueTimes(outlook), ...this.#jobs.dueTimes(outlook)]
    return Math.max(0, Math.min(longestRest, ...times.map((time) => Date.parse(time) - now.getTime())))
  }
}
