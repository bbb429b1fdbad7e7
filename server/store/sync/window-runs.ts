import { sql } from 'kysely'
import type { PartialAnswer } from '../../model/incident.ts'
import type { RefusalCode } from '../../model/refusal.ts'
import { day } from '../../time.ts'
import type { Claim } from '../engine/claim.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { offloaded } from '../engine/offload.ts'
import { write } from '../engine/write.ts'
import { sweepUnnamed } from '../incidents/rejected.ts'
import { recount } from '../tenants/counters.ts'
import { holdClaim } from './claims.ts'
import { notePartialAnswer } from './partial.ts'
import { finishRow } from './rows.ts'
import { openWindow, type ReadWindow, windowFromRow } from './windows.ts'

const urgency = sql`case kind when 'open' then 0 when 'reread' then 1 when 'backfill' then 2 else 3 end`

/** The most urgent window of a tenant: open incidents, then rereads that an operator asked for, the first days, comparisons. */
export async function findUrgentWindow(db: Database, tenantId: string): Promise<ReadWindow | null> {
  const row = await db
    .selectFrom('windows')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('finished_at', 'is', null)
    .orderBy(urgency)
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row ? windowFromRow(row) : null
}

/** Opens the comparison that is due, for the sync run that begins with it. @throws ClaimLostError */
export async function openReconcile(
  db: Database,
  claim: Claim,
  stretch: Pick<ReadWindow, 'from' | 'to' | 'step'>,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await openWindow(tx, { ...stretch, kind: 'reconcile', tenantId: claim.tenantId, createdBy: null }, now)
  })
}

export interface WindowRunEnd {
  syncId: string
  window: ReadWindow
  calls: number
  /** The sync run did not bring all that it should have. */
  incomplete: boolean
  /** What its answers lacked by their own account; null when all were whole. */
  partial: PartialAnswer | null
  /** The window has been read to its beginning, and is whole. */
  finished: boolean
  /** It has been read to its beginning and is not whole: it begins anew then. */
  beginsAnewAt: Date | null
  changed: boolean
  /** When the next comparison is due, once this one or the first days are done. */
  nextReconcileAt: Date | null
  nextDeepReconcileAt: Date | null
}

/** Ends a sync run over a window, and with it perhaps the window. @throws ClaimLostError */
export const endWindowRun = offloaded(
  'endWindowRun',
  async (db: Database, claim: Claim, end: WindowRunEnd, now: Date): Promise<void> => {
    const at = now.toISOString()
    await write(db, async (tx) => {
      await holdClaim(tx, claim)
      await finishRow(tx, end.syncId, end.incomplete ? 'partial' : 'complete', null, end.calls, now, end.partial)
      if (end.partial !== null) await notePartialAnswer(tx, claim.tenantId, end.partial, now)
      await tx
        .updateTable('windows')
        .set((eb) => ({
          calls: eb('calls', '+', end.calls),
          ...(end.partial === null ? {} : { partial: 1 }),
          ...(end.finished ? { finished_at: at, expected: eb.ref('seen') } : {}),
          ...(end.beginsAnewAt === null
            ? {}
            : { reached_at: eb.ref('to_at'), seen: 0, expected: null, partial: 0, rounds: eb('rounds', '+', 1) }),
        }))
        .where('id', '=', end.window.id)
        .execute()
      if (end.finished) {
        await recount(tx, claim.tenantId)
        await sweepUnnamed(tx, claim.tenantId, new Date(now.getTime() - unnamedKept))
        const { differences } = await tx
          .selectFrom('windows')
          .select('differences')
          .where('id', '=', end.window.id)
          .executeTakeFirstOrThrow()
        const { kind } = end.window
        await tx
          .updateTable('tenants')
          .set({
            sync_started_at: null,
            ...(kind === 'backfill' ? { backfilled_at: at } : {}),
            ...(kind === 'reconcile' ? { reconciled_at: at, reconcile_differences: differences } : {}),
            ...(end.nextReconcileAt ? { next_reconcile_at: end.nextReconcileAt.toISOString() } : {}),
            ...(end.nextDeepReconcileAt ? { next_deep_reconcile_at: end.nextDeepReconcileAt.toISOString() } : {}),
          })
          .where('tenant_id', '=', claim.tenantId)
          .execute()
      }
      if (end.changed) {
        await tx.updateTable('tenants').set({ last_change_at: at }).where('tenant_id', '=', claim.tenantId).execute()
      }
      await leave(tx, claim, { windowNotBefore: end.beginsAnewAt, tenantNotBefore: null }, now)
    })
  },
)

const unnamedKept = 30 * day

/** There was nothing to read: the tenant is due when its next comparison is. @throws ClaimLostError */
export async function endIdleWindowRun(db: Database, claim: Claim, now: Date): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await leave(tx, claim, { windowNotBefore: null, tenantNotBefore: null }, now)
  })
}

/** Gives the tenant back; polls are due when they were. */
async function leave(
  tx: Tx,
  claim: Claim,
  wait: { windowNotBefore: Date | null; tenantNotBefore: Date | null },
  now: Date,
): Promise<void> {
  const tenant = await tx
    .selectFrom('tenants')
    .select(['access_state', 'next_reconcile_at', 'next_sync_at'])
    .where('tenant_id', '=', claim.tenantId)
    .executeTakeFirstOrThrow()
  const open = await findUrgentWindow(tx, claim.tenantId)
  // Never compared: a version before windows set no time.
  const soonest = open ? now.toISOString() : (tenant.next_reconcile_at ?? now.toISOString())
  const later = (at: string | null, floor: Date | null) =>
    at !== null && floor !== null && at < floor.toISOString() ? floor.toISOString() : at
  const active = tenant.access_state === 'active'
  const { tenantNotBefore } = wait
  await tx
    .updateTable('tenants')
    .set({
      next_window_at: active ? later(later(soonest, wait.windowNotBefore), tenantNotBefore) : null,
      ...(tenantNotBefore === null
        ? {}
        : {
            sync_not_before: tenantNotBefore.toISOString(),
            next_sync_at: later(tenant.next_sync_at, tenantNotBefore),
          }),
      sync_lease_until: null,
      sync_started_at: null,
    })
    .where('tenant_id', '=', claim.tenantId)
    .execute()
}

/** Sync runs over this window that failed one after the other, up to now. */
export async function failuresInARow(db: Database, { id, tenantId }: ReadWindow): Promise<number> {
  const rows = await db
    .selectFrom('syncs')
    .select('outcome')
    .where('tenant_id', '=', tenantId)
    .where('window_id', '=', id)
    .where('finished_at', 'is not', null)
    .orderBy('started_at', 'desc')
    .limit(10)
    .execute()
  const end = rows.findIndex(({ outcome }) => outcome !== 'failed')
  return end === -1 ? rows.length : end
}

export interface WindowFailure {
  code: RefusalCode | 'internal'
  calls: number
  /** The window goes on then; polls do not wait for it. */
  resumeAt: Date
  /** Microsoft asked to be left alone until then: polls wait as well. */
  notBefore: Date | null
  checkAccess: boolean
  /** Our own budget of calls is used up: no failure of the tenant's. */
  budget: boolean
}

/** Ends a sync run over a window that was broken off: what is stored stays, and it goes on where it was. @throws ClaimLostError */
export async function failWindowRun(
  db: Database,
  claim: Claim,
  at: { syncId: string; windowId: string },
  failure: WindowFailure,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await finishRow(tx, at.syncId, failure.budget ? 'partial' : 'failed', failure.code, failure.calls, now)
    await tx
      .updateTable('windows')
      .set((eb) => ({ calls: eb('calls', '+', failure.calls) }))
      .where('id', '=', at.windowId)
      .execute()
    if (failure.checkAccess) {
      await tx
        .updateTable('tenants')
        .set({ next_check_at: now.toISOString() })
        .where('tenant_id', '=', claim.tenantId)
        .execute()
    }
    await leave(tx, claim, { windowNotBefore: failure.resumeAt, tenantNotBefore: failure.notBefore }, now)
  })
}
