import type { Portal } from '../../portal.ts'
import { believedClockMs } from '../../store/tenants/blind.ts'
import { moveBack, writtenAhead } from '../../store/upkeep/clock-set-back.ts'

/** How often what is stored is looked at for times from the future. */
const mendEvery = 15_000

/** Compares the clock with the time that passes. */
export class ClockWatch {
  readonly #now: () => Date
  readonly #passed: () => number
  #last: { clock: number; passed: number }

  /** @param passed milliseconds that only grow, also when the clock is set back */
  constructor(now: () => Date, passed: () => number = () => performance.now()) {
    this.#now = now
    this.#passed = passed
    this.#last = this.#look()
  }

  #look() {
    return { clock: this.#now().getTime(), passed: this.#passed() }
  }

  /** By how many milliseconds the clock was put back since the last look; 0 when it was not. */
  setBack(): number {
    const { clock, passed } = this.#last
    this.#last = this.#look()
    return Math.max(0, clock + (this.#last.passed - passed) - this.#last.clock)
  }
}

/**
 * Puts right what was written while the clock was ahead: due times an hour ahead of every clock would leave tenants unread
 * for that hour, and a success in the future would pass for a fresh one.
 * @param setBackMs by how much this process saw the clock put back; 0 where it did not see it: then what is stored tells
 */
export async function mendFutureTimes(portal: Portal, setBackMs: number): Promise<void> {
  const { db, log } = portal
  const now = portal.now()
  const byMs = Math.max(setBackMs, await writtenAhead(db, now))
  const rows = await moveBack(db, now, byMs)
  if (rows > 0)
    log.warn({ byMs: Math.round(byMs), rows }, 'the clock was put back: times from ahead of it were moved back')
}

/** A clock that is put back leaves times behind that no clock reaches for long: at once where it was seen, else now and then. */
export class ClockMender {
  readonly #portal: Portal
  readonly #watch: ClockWatch
  #nextMend = 0

  constructor(portal: Portal) {
    this.#portal = portal
    this.#watch = new ClockWatch(portal.now)
  }

  async mend(): Promise<void> {
    const setBackMs = this.#watch.setBack()
    if (setBackMs < believedClockMs && performance.now() < this.#nextMend) return
    this.#nextMend = performance.now() + mendEvery
    await mendFutureTimes(this.#portal, setBackMs)
  }
}
