import { setTimeout as sleep } from 'node:timers/promises'
import type { Portal } from '../portal.ts'
import { type Claim, ClaimLostError, type Work } from '../store/engine/claim.ts'
import { isUnavailable } from '../store/engine/write.ts'
import { extendClaim, type Lane, releaseClaim } from '../store/sync/claims.ts'
import type { Slot } from '../sync/context.ts'
import { type JobContext, ReadingPausedError } from '../sync/context.ts'
import { syncTenant } from '../sync/follow.ts'
import { readWindows } from '../sync/windows.ts'
import { proveTenant } from '../tenants/access-check.ts'
import { lanes } from './lanes.ts'
import type { Room } from './room.ts'
import type { Slots } from './slots.ts'

/** What failed in a way nobody foresaw is tried again after this. */
const failurePause = 60_000
/** And so is what our own database was away for, after this. */
const databasePause = 5_000

const does: Record<Work, (portal: Portal, claim: Claim, turn: JobContext) => Promise<unknown>> = {
  check: proveTenant,
  sync: syncTenant,
  window: readWindows,
}

/** What the jobs of one worker share. */
export interface Shared {
  room: Room
}

/** One claim being worked on, in a place of its lane. */
export class Job {
  readonly claim: Claim
  readonly #portal: Portal
  readonly #places: Slots
  readonly #shared: Shared
  /** Whose answers are let in first: the smaller, the sooner. */
  readonly #rank: number
  readonly #ending = new AbortController()
  #place: Slot
  #over = false

  /** Takes a place, which must be free. */
  constructor(portal: Portal, claim: Claim, places: Slots, shared: Shared, lane: Lane) {
    this.#portal = portal
    this.claim = claim
    this.#places = places
    this.#shared = shared
    this.#rank = lanes.indexOf(lane)
    this.#place = places.take()
  }

  /** Ends the work at the edge of a page. */
  stop(): void {
    this.#ending.abort()
  }

  /** Ends a sync run at the edge of a page; a check goes on: an administrator may be waiting for it. */
  pause(): void {
    if (this.claim.work !== 'check' && !this.#ending.signal.aborted) this.#ending.abort(new ReadingPausedError())
  }

  /** Never throws: what goes wrong becomes a later due time, or a claim whose lease ends. */
  async run(): Promise<void> {
    const { claim } = this
    const portal = this.#portal
    const beat = setInterval(() => void this.#beat(), portal.config.sync.leaseMs / 3)
    const { signal } = this.#ending
    try {
      await does[claim.work](portal, claim, this.#turn())
    } catch (error) {
      if (error instanceof ClaimLostError) {
        portal.log.info(
          { work: claim.work, tenantId: claim.tenantId },
          'a claim was overtaken; nothing of it was written',
        )
        return
      }
      const ended = signal.aborted && error === signal.reason
      const away = isUnavailable(error)
      if (!ended) {
        const facts = { err: error, work: claim.work, tenantId: claim.tenantId }
        portal.log[away ? 'warn' : 'error'](facts, 'work on a tenant failed')
      }
      const pause = away ? databasePause : failurePause
      const dueAt = new Date(portal.now().getTime() + (ended ? 0 : pause))
      await releaseClaim(portal.db, claim, dueAt).catch((lost: unknown) => {
        portal.log.warn({ err: lost, tenantId: claim.tenantId }, 'a claim could not be given back; its lease will end')
      })
    } finally {
      clearInterval(beat)
      this.#over = true
      this.#place.leave()
    }
  }

  #turn(): JobContext {
    const { signal } = this.#ending
    return {
      stopping: signal,
      prepaid: { calls: this.claim.calls, at: this.#portal.now() },
      rest: async (ms) => {
        this.#place.leave()
        await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
        const place = await this.#places.enter(signal)
        this.#place.leave()
        this.#place = place
        if (this.#over) place.leave()
      },
      room: (bytes) => this.#shared.room.enter(bytes, this.#rank, signal),
    }
  }

  /** Where the database is away, the next beat may still be in time. */
  async #beat(): Promise<void> {
    const { db, now, config } = this.#portal
    try {
      await extendClaim(db, this.claim, now(), config.sync.leaseMs)
    } catch (error) {
      if (error instanceof ClaimLostError) this.#ending.abort(error)
    }
  }
}
