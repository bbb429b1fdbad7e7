import { setTimeout as sleep } from 'node:timers/promises'
import { incidentsRemoved } from '../../metrics.ts'
import { Refusal } from '../../model/refusal.ts'
import type { Portal } from '../../portal.ts'
import { leastClosedDays, readSettings } from '../../store/partner/settings.ts'
import {
  closedLongAgo,
  type MissingSurvivor,
  missingSurvivors,
  offboardedLongAgo,
  removeClosed,
  removeOffboarded,
} from '../../store/upkeep/retention.ts'
import {
  sweepAttempts,
  sweepBudgets,
  sweepDepartures,
  sweepRejected,
  sweepSurplusAttempts,
  sweepWindows,
} from '../../store/upkeep/sweeps.ts'
import { day, hour } from '../../time.ts'

/** Incidents in one transaction: over in some ten milliseconds, so that other writers hardly wait. */
const atOnce = 20
const pauseMs = 10
/** A run ends after this long, done or not; the next one, a minute later, goes on. */
const runMs = 15_000
const survivorsAtOnce = 500
const tombstonesAtOnce = 50

/** With a clock further from Microsoft's than this, nobody can say what is old. */
const clockTolerance = hour

const keptRejected = 30 * day
const keptBudgets = hour
const keptWindows = 50
const keptAttempts = 400 * day
/** Runs over all customers that holders of links can have kept here at once. */
const mostAttemptsInAll = 20_000

/**
 * Removes what the settings say is no longer to be kept, and what nothing needs any more, in small steps. What a killed
 * process left undone the next run finds again.
 */
export async function removeOld(portal: Portal, stopping?: AbortSignal): Promise<void> {
  const { db } = portal
  const now = portal.now()
  const ago = (ms: number) => new Date(now.getTime() - ms)
  const turn = new RunBudget(stopping)
  const { closedDays, offboardedDays } = await readSettings(db)
  const clock = new Clock(portal)
  if (offboardedDays > 0) await removeTombstones(portal, ago(offboardedDays * day), clock, turn)
  if (closedDays > 0) {
    const before = ago(Math.max(closedDays, leastClosedDays) * day)
    await removeClosedIncidents(portal, before, clock, turn)
    await removeMergedAlone(portal, before, clock, turn)
  }
  if (!turn.goesOn) return
  await sweepRejected(db, ago(keptRejected))
  await sweepBudgets(db, ago(keptBudgets))
  await sweepWindows(db, keptWindows)
  await sweepAttempts(db, ago(keptAttempts))
  await sweepDepartures(db, ago(day))
  await sweepSurplusAttempts(db, mostAttemptsInAll, now)
}

/** How long a run may go on. */
class RunBudget {
  readonly #ends = performance.now() + runMs
  readonly #stopping: AbortSignal | undefined

  constructor(stopping?: AbortSignal) {
    this.#stopping = stopping
  }

  get goesOn(): boolean {
    return !this.#stopping?.aborted && performance.now() < this.#ends
  }

  /** Leaves the database to other writers for a moment. @returns whether the run goes on */
  async rest(): Promise<boolean> {
    await sleep(pauseMs, undefined, { signal: this.#stopping }).catch(() => undefined)
    return this.goesOn
  }
}

/** Whether our clock may be trusted with a removal: Microsoft's is asked once in a run, and only when it matters. */
class Clock {
  readonly #portal: Portal
  #right: Promise<boolean> | undefined

  constructor(portal: Portal) {
    this.#portal = portal
  }

  right(): Promise<boolean> {
    this.#right ??= this.#compare()
    return this.#right
  }

  async #compare(): Promise<boolean> {
    const { log, microsoft } = this.#portal
    try {
      const ahead = await microsoft.clockAhead()
      if (Math.abs(ahead) <= clockTolerance) return true
      log.warn({ aheadMs: ahead }, 'nothing is removed while this machine’s clock is wrong')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      log.info({ reason: error.code }, 'nothing is removed while Microsoft cannot be asked the time')
    }
    return false
  }
}

async function removeTombstones(portal: Portal, before: Date, clock: Clock, turn: RunBudget): Promise<void> {
  const tenantIds = await offboardedLongAgo(portal.db, before, tombstonesAtOnce)
  if (tenantIds.length === 0 || !(await clock.right())) return
  for (const tenantId of tenantIds) {
    let removed = 0
    for (let more = true; more && turn.goesOn; await turn.rest()) {
      const step = await removeOffboarded(portal.db, tenantId, before, atOnce, portal.now())
      removed += step.incidents
      incidentsRemoved.inc({ reason: 'offboarded' }, step.incidents)
      more = step.more
    }
    portal.log.info({ tenantId, removed }, 'what was read of an offboarded tenant was removed')
  }
}

async function removeClosedIncidents(portal: Portal, before: Date, clock: Clock, turn: RunBudget): Promise<void> {
  let removed = 0
  while (turn.goesOn) {
    const incidents = await closedLongAgo(portal.db, before, atOnce)
    if (incidents.length === 0 || !(await clock.right())) break
    let count = 0
    for (const tenantId of new Set(incidents.map((one) => one.tenantId))) {
      const incidentIds = incidents.filter((one) => one.tenantId === tenantId).map((one) => one.incidentId)
      count += await removeClosed(portal.db, tenantId, { incidentIds }, before)
      if (!(await turn.rest())) break
    }
    incidentsRemoved.inc({ reason: 'closed' }, count)
    removed += count
    // All of them changed since they were chosen: the next run looks again.
    if (count === 0) break
  }
  if (removed > 0) portal.log.info({ removed, before: before.toISOString() }, 'closed incidents were removed')
}

/** All survivors are looked for in turn, a few in a run. */
class SurvivorSearch {
  /** Where the next run goes on; null for the beginning. */
  next: MissingSurvivor | null = null
}

/** Merged incidents whose survivor is not there: it was never stored, or went before they were old enough. */
async function removeMergedAlone(portal: Portal, before: Date, clock: Clock, turn: RunBudget): Promise<void> {
  if (!turn.goesOn) return
  const search = portal.memory.of(SurvivorSearch)
  const { missing, next } = await missingSurvivors(portal.db, search.next, survivorsAtOnce)
  search.next = next
  if (missing.length === 0 || !(await clock.right())) return
  for (const { tenantId, survivorId } of missing) {
    const count = await removeClosed(portal.db, tenantId, { survivorIds: [survivorId] }, before)
    incidentsRemoved.inc({ reason: 'closed' }, count)
    if (!turn.goesOn) return
  }
}
