import { probeAwaited } from '../onboarding/probe.ts'
import { probePartner } from '../partner/fault.ts'
import type { Portal } from '../portal.ts'
import type { Claim } from '../store/engine/claim.ts'
import { isUnavailable } from '../store/engine/write.ts'
import { claimDue, claimOldestCheck, type Lane, type Outlook, workOf } from '../store/sync/claims.ts'

export const isDue = (outlook: Outlook, lane: Lane, now: Date): boolean => {
  const due = outlook.due[lane]
  return due !== null && due <= now.toISOString()
}

/** Claims up to `limit` due tenants of a lane, one call of each one's budget included where it is about to be read. */
export const claimLane = (portal: Portal, lane: Lane, limit: number): Promise<Claim[]> =>
  claimDue(portal.db, workOf[lane], portal.now(), limit, portal.config.sync.leaseMs, {
    lane,
    ...(workOf[lane] === 'sync' ? { callLimits: portal.config.sync } : {}),
  })

/** While everything is paused, a credential is tried again only for those who wait for a proof. */
export const mayProbe = (outlook: Outlook, now: Date) => !outlook.paused || isDue(outlook, 'check', now)

/**
 * While a fault of the partner's own stands, every tenant would fail alike: once a minute it is found out whether it
 * works again. Where the partner's own tenant cannot be asked, one tenant's check is what tries it: a due one, or else
 * that of the tenant checked longest ago. All other tenants stay due.
 * @returns the checks that are to try the credential; none when the partner's own tenant answered
 */
export async function probeCredential(portal: Portal, stopping?: AbortSignal): Promise<Claim[]> {
  if ((await probePartner(portal)) !== 'unknown' || stopping?.aborted) return []
  const due = await claimDue(portal.db, 'check', portal.now(), 1, portal.config.sync.leaseMs)
  if (due.length > 0) return due
  const oldest = await claimOldestCheck(portal.db, portal.now(), portal.config.sync.leaseMs)
  // No tenant is bound yet: the first claim is what can tell whether the credential works.
  if (oldest.length === 0) await Promise.all(await probeAwaited(portal, 1))
  return oldest
}

/** For the `catch` of a probe for an awaited proof: it is due again when its lease ends. */
export const logFailedProbe =
  ({ log }: Portal) =>
  (error: unknown) =>
    log[isUnavailable(error) ? 'warn' : 'error']({ err: error }, 'a claimed tenant could not be asked for')
