import { setTimeout as sleep } from 'node:timers/promises'
import { probePinned } from './binding.ts'
import { PortalError } from './errors.ts'
import { Refusal } from './microsoft/refusals.ts'
import type { Portal } from './portal.ts'
import { alarmProbeEvery, proveTenant } from './proving.ts'
import { mayProbeAlarm, readAlarms } from './store/alarms.ts'
import {
  type Claim,
  ClaimLostError,
  claimDue,
  claimOldestCheck,
  extendClaim,
  releaseClaim,
  type Work,
} from './store/claims.ts'
import { isUnavailable, write } from './store/database.ts'
import { claimDueProbes } from './store/links.ts'
import { sweepSessions } from './store/sessions.ts'
import { sweepSpentTokens } from './store/spent-tokens.ts'
import { pruneSyncs } from './store/syncs.ts'
import { syncTenant } from './sync.ts'
import { keepAbandonedClaims } from './unclaimed.ts'

/** Prolonged for as long as the work goes on: what a killed worker leaves behind is taken up this soon. */
const lease = 30_000
const probeEvery = 3_600_000
const probesAtOnce = 20
const housekeepingEvery = 60_000
const keptSyncs = 14 * 86_400_000
/** How long the worker rests when nothing is due: what an operator who pressed a button waits at most. */
const rest = 250
/** Tenants in flight at once, of each kind of work. */
const atOnce: Record<Work, number> = { check: 8, sync: 8 }

/** Work under way may take this long once the worker is stopping; what takes longer is left to its lease. */
const stopPatience = 20_000

const does: Record<Work, (portal: Portal, claim: Claim, stopping?: AbortSignal) => Promise<unknown>> = {
  check: proveTenant,
  sync: syncTenant,
}

export interface Worker {
  /** Takes nothing new on, and waits for what is under way: passes end at their next page. Done within 25 s. */
  stop(): Promise<void>
}

/** Runs what is due, by itself, until stopped. Due times live on rows: nothing is forgotten by a restart. */
export function startWorker(portal: Portal): Worker {
  const running = new Set<Promise<void>>()
  const counts: Record<Work, number> = { check: 0, sync: 0 }
  const stopping = new AbortController()
  const { signal } = stopping
  let housekeeping = false
  let nextHousekeeping = 0

  const track = (work: Promise<void>, ended: () => void) => {
    const job = work.finally(() => {
      ended()
      running.delete(job)
    })
    running.add(job)
  }

  const launch = (claim: Claim) => {
    counts[claim.work]++
    track(runClaim(portal, claim, signal), () => {
      counts[claim.work]--
    })
  }

  const tick = async (): Promise<number> => {
    let taken = 0
    for (const work of ['check', 'sync'] as const) {
      const free = atOnce[work] - counts[work]
      if (free <= 0) continue
      const claims = await claimAllowed(portal, work, free)
      taken += claims.length
      for (const claim of claims) launch(claim)
    }
    // Beside the loop: a probe that Microsoft leaves hanging must not keep tenants from being read.
    if (!housekeeping && Date.now() >= nextHousekeeping) {
      housekeeping = true
      nextHousekeeping = Date.now() + housekeepingEvery
      track(keepHouse(portal, signal), () => {
        housekeeping = false
      })
    }
    return taken
  }

  const loop = async () => {
    while (!signal.aborted) {
      let taken = 0
      try {
        taken = await tick()
      } catch (error) {
        portal.log[isUnavailable(error) ? 'warn' : 'error']({ err: error }, 'the worker could not look for work')
      }
      if (taken === 0) await sleep(rest, undefined, { signal }).catch(() => undefined)
    }
  }
  const looping = loop()

  return {
    async stop() {
      stopping.abort()
      await looping
      await Promise.race([Promise.all(running), sleep(stopPatience, undefined, { ref: false })])
    },
  }
}

/** Does everything that is due now, once: the worker's own steps, for tests and commands that must see the end of them. */
export async function runDue(portal: Portal): Promise<number> {
  let done = 0
  for (const work of ['check', 'sync'] as const) {
    const claims = await claimAllowed(portal, work, atOnce[work])
    await Promise.all(claims.map((claim) => runClaim(portal, claim)))
    done += claims.length
  }
  return done
}

const credentialAlarm = async (portal: Portal) =>
  (await readAlarms(portal.db)).find(({ code }) => code === 'partner-credential')

/**
 * While the partner's own credential fails, every tenant would fail alike: one check in a minute tries whether it works
 * again, a due one or else that of the tenant checked longest ago. All others stay due.
 */
async function claimAllowed(portal: Portal, work: Work, free: number): Promise<Claim[]> {
  const alarm = await credentialAlarm(portal)
  if (!alarm) return claimDue(portal.db, work, portal.now(), free, lease)
  if (work === 'sync' || !(await mayProbeAlarm(portal.db, alarm, portal.now(), alarmProbeEvery))) return []
  const due = await claimDue(portal.db, work, portal.now(), 1, lease)
  return due.length > 0 ? due : claimOldestCheck(portal.db, portal.now(), lease)
}

async function runClaim(portal: Portal, claim: Claim, stopping?: AbortSignal): Promise<void> {
  const beat = setInterval(() => {
    // A lost claim the work finds out about by itself; where the database is away, the next beat may still be in time.
    extendClaim(portal.db, claim, portal.now(), lease).catch(() => undefined)
  }, lease / 3)
  try {
    await does[claim.work](portal, claim, stopping)
  } catch (error) {
    if (error instanceof ClaimLostError) {
      portal.log.info(
        { work: claim.work, tenantId: claim.tenantId },
        'a claim was overtaken; nothing of it was written',
      )
      return
    }
    portal.log.error({ err: error, work: claim.work, tenantId: claim.tenantId }, 'work on a tenant failed')
    await releaseClaim(portal.db, claim, new Date(portal.now().getTime() + 60_000)).catch((lost: unknown) => {
      portal.log.warn({ err: lost, tenantId: claim.tenantId }, 'a claim could not be given back; its lease will end')
    })
  } finally {
    clearInterval(beat)
  }
}

/** What is due without a row of its own. A chore that fails keeps none of the others from being done. */
export async function keepHouse(portal: Portal, stopping?: AbortSignal): Promise<void> {
  const now = portal.now()
  const chores: [string, () => Promise<unknown>][] = [
    ['abandoned claims', () => keepAbandonedClaims(portal)],
    ['probes', () => probeLinks(portal, stopping)],
    ['sessions', () => write(portal.db, (tx) => sweepSessions(tx, now))],
    ['spent tokens', () => write(portal.db, (tx) => sweepSpentTokens(tx, now))],
    ['old passes', () => pruneSyncs(portal.db, new Date(now.getTime() - keptSyncs))],
  ]
  for (const [chore, run] of chores) {
    if (stopping?.aborted) return
    try {
      await run()
    } catch (error) {
      portal.log[isUnavailable(error) ? 'warn' : 'error']({ err: error, chore }, 'housekeeping failed')
    }
  }
}

/** While the partner's own credential fails, no probe can find anything: the links stay due. */
async function probeLinks(portal: Portal, stopping?: AbortSignal): Promise<void> {
  if (await credentialAlarm(portal)) return
  for (const link of await claimDueProbes(portal.db, portal.now(), probesAtOnce, probeEvery)) {
    if (stopping?.aborted) return
    try {
      await probePinned(portal, link)
    } catch (error) {
      if (error instanceof Refusal || error instanceof PortalError) continue
      portal.log.error({ err: error, linkId: link.id }, 'the tenant of a link could not be probed')
    }
  }
}
