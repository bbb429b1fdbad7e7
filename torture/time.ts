// A run has minutes, the portal's waits have hours: what would be due some day is due now. Nothing else is changed.
import type { Eyes } from './database.ts'

const at = (ms: number) => `'${new Date(ms).toISOString()}'`
const unheld = (hold: 'sync' | 'check', now: number) =>
  `(${hold}_lease_until is null or ${hold}_lease_until <= ${at(now)})`

/** Back-offs and Retry-After of more than a few seconds have passed. */
export async function pressTime(eyes: Eyes, longestMs = 3_000): Promise<void> {
  const now = Date.now()
  const soon = at(now + longestMs)
  await eyes.run(`update tenants set sync_not_before = ${soon} where sync_not_before > ${soon}`)
  await eyes.run(`update tenants set next_sync_at = ${soon}
    where access_state = 'active' and ${unheld('sync', now)} and next_sync_at > ${soon}`)
  await eyes.run(`update tenants set next_window_at = ${soon}
    where access_state = 'active' and ${unheld('sync', now)} and next_window_at > ${soon}
      and exists (select 1 from windows where windows.tenant_id = tenants.tenant_id and finished_at is null)`)
  await eyes.run(`update rejected_items set last_seen_at = ${at(now - 86_400_000)} where last_seen_at > ${at(now - 86_400_000)}
    and item like '% alerts'`)
  await eyes.run(`update tenants set next_check_at = ${at(now)}
    where access_state not in ('active', 'offboarded') and ${unheld('check', now)}
      and (next_check_at is null or next_check_at > ${at(now)})`)
}

/** The next poll is due now, in one tenant or all, where the last was before `since`. */
export async function pollNow(eyes: Eyes, since: number, tenantId?: string): Promise<void> {
  const now = Date.now()
  const one = tenantId === undefined ? '' : `and tenant_id = '${tenantId}'`
  await eyes.run(`update tenants set sync_not_before = null, next_sync_at = ${at(now)}
    where access_state = 'active' and ${unheld('sync', now)} and (last_read_at is null or last_read_at <= ${at(since)})
      and (next_sync_at is null or next_sync_at > ${at(now)}) ${one}`)
}

/**
 * A reconcile of the whole 30 days is due now, in every tenant not reconciled since `since`; a Retry-After of the weather
 * before has passed.
 */
export async function reconcileNow(eyes: Eyes, since: number): Promise<void> {
  const now = at(Date.now())
  await eyes.run(`update tenants set next_reconcile_at = ${now}, next_deep_reconcile_at = ${now}, next_window_at = ${now},
      sync_not_before = null
    where access_state = 'active' and ${unheld('sync', Date.now())}
      and (reconciled_at is null or reconciled_at <= ${at(since)})`)
}

/** No reconcile for as long as the run lasts: what is found now, the polls found. */
export async function reconcileLater(eyes: Eyes): Promise<void> {
  const later = at(Date.now() + 86_400_000)
  await eyes.run(`update tenants set next_reconcile_at = ${later}, next_deep_reconcile_at = ${later}`)
}
