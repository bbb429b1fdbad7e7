import { tenantsInFlight } from '../metrics.ts'
import type { Portal } from '../portal.ts'
import type { Claim, Work } from '../store/engine/claim.ts'
import type { Lane, Outlook } from '../store/sync/claims.ts'
import { claimLane, isDue } from './due.ts'
import type { InFlight } from './in-flight.ts'
import { Job, type Shared } from './job.ts'
import { lanes, roomBytes, slow } from './lanes.ts'
import type { Rest } from './rest.ts'
import { Room } from './room.ts'
import { Slots } from './slots.ts'

/** The jobs of one worker, in the slots of their lanes. */
export class Jobs {
  readonly #portal: Portal
  readonly #inFlight: InFlight
  readonly #rest: Rest
  readonly #jobs = new Set<Job>()
  readonly #slots: Record<Lane, Slots>
  readonly #shared: Shared = { room: new Room(roomBytes) }
  /** Lanes in which more is due than there are slots for. */
  readonly #full = new Set<Lane>()

  /**
   * @param most tenants in flight at once, of each lane
   * @param rest of the loop that takes work; ended when a full lane has room again
   */
  constructor(portal: Portal, most: Record<Lane, number>, inFlight: InFlight, rest: Rest) {
    const slots = lanes.map((lane) => [lane, new Slots(most[lane], slow[lane])])
    this.#slots = Object.fromEntries(slots) as Record<Lane, Slots>
    this.#portal = portal
    this.#inFlight = inFlight
    this.#rest = rest
  }

  /** Runs a claim in a slot of the lane, which must be free. */
  launch(claim: Claim, lane: Lane): void {
    const job = new Job(this.#portal, claim, this.#slots[lane], this.#shared, lane)
    this.#jobs.add(job)
    this.#count(claim.work)
    this.#inFlight.track(job.run(), () => {
      this.#jobs.delete(job)
      this.#count(claim.work)
      if (this.#full.has(lane)) this.#rest.end()
    })
  }

  /** Claims and launches what is due, lane by lane, as far as there are slots. */
  async take(outlook: Outlook, now: Date): Promise<void> {
    for (const lane of lanes) {
      const { free } = this.#slots[lane]
      if (!isDue(outlook, lane, now) || free === 0 || this.#givesWay(lane, outlook, now)) continue
      for (const claim of await claimLane(this.#portal, lane, free)) this.launch(claim, lane)
    }
  }

  /** What is open in every tenant comes before what any of them has closed. */
  #givesWay(lane: Lane, outlook: Outlook, now: Date): boolean {
    return lane === 'window' && this.#slots.first.free === 0 && isDue(outlook, 'first', now)
  }

  /**
   * When the first lane with room has something due; empty lanes and full ones aside. A full lane ends the loop's rest when
   * one of its jobs ends.
   * @returns times as the outlook has them
   */
  dueTimes(outlook: Outlook): string[] {
    this.#full.clear()
    return lanes.flatMap((lane) => {
      const due = outlook.due[lane]
      if (due === null) return []
      if (this.#slots[lane].free > 0) return [due]
      this.#full.add(lane)
      return []
    })
  }

  pause(): void {
    for (const job of this.#jobs) job.pause()
  }

  stop(): void {
    for (const job of this.#jobs) job.stop()
  }

  #count(work: Work): void {
    tenantsInFlight.set({ work }, [...this.#jobs].filter((job) => job.claim.work === work).length)
  }
}
