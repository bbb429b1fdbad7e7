import type { ReadWindow } from '../store/sync/windows.ts'
import type { Tenant } from '../store/tenants/tenants.ts'
import { day } from '../time.ts'
import { backfillDays } from './lists.ts'
import { jittered } from './pace.ts'
import { instant, type SyncRun } from './run.ts'

const reconcileDays = 3
/** A step that takes all that is left; in milliseconds, as an integer of 32 bits holds them. */
export const everything = 2_000_000_000

/** The first reading has nothing to be compared with. */
export const compares = ({ kind }: ReadWindow) => kind !== 'open' && kind !== 'backfill'

export const isDue = (at: string | null, now: Date) => at !== null && at <= now.toISOString()
/** The comparison that is due goes over all of the days that are kept. */
const isDeep = (tenant: Tenant, now: Date) =>
  tenant.nextDeepReconcileAt === null || isDue(tenant.nextDeepReconcileAt, now)

/** What the comparison that is due goes over. What has changed since the cursor is the business of the sync runs that follow. */
export function stretchOf(tenant: Tenant, now: Date): Pick<ReadWindow, 'from' | 'to' | 'step'> {
  const days = isDeep(tenant, now) ? backfillDays : reconcileDays
  const from = instant(now.getTime() - days * day)
  // The end is not part of a window, and what the cursor stands on is to be compared as well.
  const end = tenant.cursor === null ? now.getTime() : Date.parse(tenant.cursor) + 1
  // Where nothing has changed for longer than that, there is only what is open and older.
  if (end <= Date.parse(from)) return { from, to: from, step: everything }
  return { from, to: instant(end), step: day }
}

/** When a tenant is compared next, after a window that was read whole. */
export function comparisonsAfter(
  { portal, tenant, now }: SyncRun,
  { kind, from, to }: ReadWindow,
): { nextReconcileAt: Date | null; nextDeepReconcileAt: Date | null } {
  const { reconcileMs, deepReconcileMs } = portal.config.sync
  const after = (ms: number) => new Date(now.getTime() + jittered(ms))
  // The first comparison is a deep one: lists that moved while the first days were paged through may have skipped some.
  const wasDeep = Date.parse(to) - Date.parse(from) > (reconcileDays + 1) * day
  return {
    nextReconcileAt: kind === 'reread' || kind === 'open' ? null : after(reconcileMs),
    nextDeepReconcileAt: kind === 'reconcile' && (wasDeep || isDeep(tenant, now)) ? after(deepReconcileMs) : null,
  }
}
