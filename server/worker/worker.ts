import { probeAwaited } from '../onboarding/probe.ts'
import type { Portal } from '../portal.ts'
import { type Lane, lookAhead } from '../store/sync/claims.ts'
import { sendDue, startCourier } from './courier.ts'
import { claimLane, logFailedProbe, mayProbe, probeCredential } from './due.ts'
import { Job, type Shared } from './job.ts'
import { atOnce, lanes, proofsAtOnce, roomBytes, slow } from './lanes.ts'
import { Room } from './room.ts'
import { Slots } from './slots.ts'
import { TenantLoop } from './tenant-loop.ts'

export interface Worker {
  /** Takes nothing new on, and waits for what is under way: sync runs end at their next page. Done within 25 s. */
  stop(): Promise<void>
}

/**
 * Runs what is due, by itself, until stopped. Due times live on rows: nothing is forgotten by a restart.
 * @param most tenants in flight at once, of each lane
 */
export function startWorker(portal: Portal, most: Record<Lane, number> = atOnce): Worker {
  const loop = new TenantLoop(portal, most)
  const courier = startCourier(portal)
  return {
    async stop() {
      await Promise.all([loop.stop(), courier.stop()])
    },
  }
}

/** Does everything that is due now, once: the worker's own steps, for tests and commands that must see the end of them. */
export async function runDue(portal: Portal): Promise<number> {
  const shared: Shared = { room: new Room(roomBytes) }
  let done = await sendDue(portal)
  const outlook = await lookAhead(portal.db, portal.now())
  if (outlook.partnerFault) {
    if (!mayProbe(outlook, portal.now())) return 0
    const claims = await probeCredential(portal)
    await Promise.all(claims.map((claim) => new Job(portal, claim, new Slots(1, slow.check), shared, 'check').run()))
    // The alarm may be over: what it held up is due.
    return claims.length > 0 || !(await lookAhead(portal.db, portal.now())).partnerFault ? 1 : 0
  }
  const probes = await probeAwaited(portal, proofsAtOnce)
  await Promise.all(probes.map((one) => one.catch(logFailedProbe(portal))))
  done += probes.length
  for (const lane of lanes) {
    const slots = new Slots(atOnce[lane], slow[lane])
    const claims = await claimLane(portal, lane, atOnce[lane])
    await Promise.all(claims.map((claim) => new Job(portal, claim, slots, shared, lane).run()))
    done += claims.length
  }
  return done
}
