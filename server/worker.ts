import { setTimeout as sleep } from 'node:timers/promises'
import { probePinned } from './binding.ts'
import { PortalError } from './errors.ts'
import { Refusal } from './microsoft/refusals.ts'
import type { Portal } from './portal.ts'
import { alarmProbeEvery, proveTenant } from './proving.ts'
import { mayProbeAlarm, readAlarms } from './store/alarms.ts'
import { type Claim, ClaimLostError, claimDue, releaseClaim, type Work } from './store/claims.ts'
import { isUnavailable, write } from './store/database.ts'
import { claimDueProbes } from './store/links.ts'
import { sweepSessions } from './store/sessions.ts'
import { sweepSpentTokens } from './store/spent-tokens.ts'
import { pruneSyncs } from './store/syncs.ts'
import { syncLease, syncTenant } from './sync.ts'
import { keepAbandonedClaims } from './unclaimed.ts'

const checkLease = 60_000
const probeEvery = 3_600_000
const housekeepingEvery = 60_000
const keptSyncs = 14 * 86_400_000
/** How long the worker rests when nothing is due: what an operator who pressed a button waits at most. */
const rest = 250
/** Tenants in flight at once, of each kind of work. */
const atOnce: Record<Work, number> = { check: 8, sync: 8 }

const does: Record<Work, (portal: Portal, claim: Claim) => Promise<unknown>> = { check: proveTenant, sync: syncTenant }
const leases: Record<Work, number> = { check: checkLease, sync: syncLease }

export interface Worker {
  /** Takes nothing new on, and waits for what is under way. */
  stop(): Promise<void>
}

/** Runs what is due, by itself, until stopped. Due times live on rows: nothing is forgotten by a restart. */
export function startWorker(portal: Portal): Worker {
  const running = new Set<Promise<void>>()
  const counts: Record<Work, number> = { check: 0, sync: 0 }
  const stopping = new AbortController()
  let nextHousekeeping = 0

  const launch = (claim: Claim) => {
    counts[claim.work]++
    const job = runClaim(portal, claim).finally(() => {
      counts[claim.work]--
      running.delete(job)
    })
    running.add(job)
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
    if (Date.now() >= nextHousekeeping) {
      nextHousekeeping = Date.now() + housekeepingEvery
      await keepHouse(portal)
    }
    return taken
  }

  const loop = async () => {
    while (!stopping.signal.aborted) {
      let taken = 0
      try {
        taken = await tick()
      } catch (error) {
        portal.log[isUnavailable(error) ? 'warn' : 'error']({ err: error }, 'the worker could not look for work')
      }
      if (taken === 0) await sleep(rest, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  const looping = loop()

  return {
    async stop() {
      stopping.abort()
      await looping
      await Promise.all(running)
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

/**
 * While the partner's own credential fails, every tenant would fail alike: one claim in a minute tries whether it works
 * again, the others stay due.
 */
async function claimAllowed(portal: Portal, work: Work, free: number): Promise<Claim[]> {
  const alarm = (await readAlarms(portal.db)).find(({ code }) => code === 'partner-credential')
  if (!alarm) return claimDue(portal.db, work, portal.now(), free, leases[work])
  if (work === 'sync' || !(await mayProbeAlarm(portal.db, alarm, portal.now(), alarmProbeEvery))) return []
  return claimDue(portal.db, work, portal.now(), 1, leases[work])
}

async function runClaim(portal: Portal, claim: Claim): Promise<void> {
  try {
    await does[claim.work](portal, claim)
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
  }
}

/** What is due without a row of its own. */
export async function keepHouse(portal: Portal): Promise<void> {
  const now = portal.now()
  await keepAbandonedClaims(portal)
  for (const link of await claimDueProbes(portal.db, now, 20, probeEvery)) {
    try {
      await probePinned(portal, link)
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof PortalError)) throw error
    }
  }
  await write(portal.db, async (tx) => {
    await sweepSessions(tx, now)
    await sweepSpentTokens(tx, now)
  })
  await pruneSyncs(portal.db, new Date(now.getTime() - keptSyncs))
}
