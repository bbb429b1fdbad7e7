import type { IncidentPage, Instant, PartialAnswer } from '../../model/incident.ts'
import type { RefusalCode } from '../../model/refusal.ts'
import type { Claim } from '../engine/claim.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { offloaded } from '../engine/offload.ts'
import { write } from '../engine/write.ts'
import { newId } from '../identifiers.ts'
import { type PageOfRows, rowsOf } from '../incidents/rows.ts'
import type { SyncPhase } from '../tenants/tenants.ts'
import { holdClaim, releaseClaim } from './claims.ts'
import { type PageStored, storeItems } from './page-items.ts'
import { forgetPartialAnswers, notePartialAnswer } from './partial.ts'
import { type Begun, countsOf, finishRow, insertRow, lengthenQuietRow, type SyncRunKind } from './rows.ts'
import { openWindow, type ReadWindow } from './windows.ts'

export const startSync = offloaded(
  'startSync',
  async (db: Database, claim: Claim, kind: SyncRunKind, now: Date, about: Partial<Begun> = {}): Promise<string> => {
    const run: Begun = { id: newId(), startedAt: now, windowId: null, requestId: null, ...about, kind }
    await write(db, async (tx) => {
      await holdClaim(tx, claim)
      await insertRow(tx, claim, run, now)
    })
    return run.id
  },
)

/** Stores one page whole, with its counters and what was rejected of it, or not at all. @throws ClaimLostError */
export async function storePage(
  db: Database,
  claim: Claim,
  syncId: string,
  page: IncidentPage,
  now: Date,
): Promise<PageStored> {
  return offloadedStorePage(db, claim, syncId, rowsOf(claim.tenantId, page, now), now)
}

const offloadedStorePage = offloaded(
  'storePage',
  async (db: Database, claim: Claim, syncId: string, page: PageOfRows, now: Date): Promise<PageStored> => {
    return write(db, async (tx) => {
      await holdClaim(tx, claim)
      return storePageOf(tx, claim.tenantId, syncId, page, now, null)
    })
  },
)

/**
 * Stores a page of a sync run, in the transaction that holds the claim.
 * @param settledBefore counts as differences what is new or newer and changed before this: it should have been there
 */
export async function storePageOf(
  tx: Tx,
  tenantId: string,
  syncId: string,
  page: PageOfRows,
  now: Date,
  settledBefore: Instant | null,
): Promise<PageStored> {
  const counts = await storeItems(tx, tenantId, page, now, settledBefore)
  await tx
    .updateTable('syncs')
    .set((eb) => ({
      pages: eb('pages', '+', 1),
      seen: eb('seen', '+', page.rows.length),
      stored: eb('stored', '+', counts.changed),
      added: eb('added', '+', counts.added),
      rejected: eb('rejected', '+', page.rejected.length),
      differences: eb('differences', '+', counts.differences),
    }))
    .where('id', '=', syncId)
    .execute()
  return counts
}

export interface Completed {
  /** The newest time seen; null leaves the cursor where it is. */
  cursor: Instant | null
  /** What answers of this sync run lacked by their own account; null when all were whole. */
  partial?: PartialAnswer | null
  /**
   * How far its lists were read that were incomplete by their own account; null when they are whole again. Left out, it
   * stays as it is.
   */
  partialCursor?: Instant | null
  /** The lists were whole, from the cursor on: nothing that there was to be seen is missing. True when left out. */
  whole?: boolean
  phase: SyncPhase
  nextSyncAt: Date
  /** Instead of `nextSyncAt`, when the last page brought something. */
  nextSyncIfChangedAt?: Date | null
  /** The sync run did not bring all that it should have. */
  incomplete?: boolean
  /** Not before this is anything asked again. */
  notBefore?: Date | null
  calls?: number
  /** Not all of what changed has been read yet: the tenant is as fresh as it was. */
  behind?: boolean
  changed?: boolean
  /** Opened with the end of the sync run. */
  windows?: Pick<ReadWindow, 'kind' | 'from' | 'to' | 'step'>[]
}

/**
 * Ends a sync run that read everything it set out to: only now does the cursor move, to the newest time seen at Microsoft
 * and never to our own clock.
 * @param run the ID of its row, or the sync run itself when there is none yet: then the row of the polls before it is
 * lengthened if it brought nothing either
 * @param last the last page, stored in the same transaction
 * @throws ClaimLostError
 */
export async function completeSync(
  db: Database,
  claim: Claim,
  run: string | Begun,
  done: Completed,
  now: Date,
  last: IncidentPage | null = null,
): Promise<PageStored> {
  return offloadedCompleteSync(db, claim, run, done, now, last && rowsOf(claim.tenantId, last, now))
}

const offloadedCompleteSync = offloaded(
  'completeSync',
  async (
    db: Database,
    claim: Claim,
    run: string | Begun,
    done: Completed,
    now: Date,
    last: PageOfRows | null,
  ): Promise<PageStored> => {
    return write(db, async (tx) => {
      await holdClaim(tx, claim)
      let id = typeof run === 'string' ? run : null
      let counts: PageStored = { added: 0, changed: 0, differences: 0 }
      if (typeof run === 'string') {
        if (last) counts = await storePageOf(tx, claim.tenantId, run, last, now, null)
      } else {
        if (last) counts = await storeItems(tx, claim.tenantId, last, now, null)
        // A run that an operator asked for is listed by itself.
        const quiet =
          run.requestId === null && counts.changed === 0 && (last?.rejected.length ?? 0) === 0 && !done.incomplete
        if (!quiet || !(await lengthenQuietRow(tx, claim, last, done.calls ?? 0, now))) {
          id = run.id
          await insertRow(tx, claim, run, now)
          await tx.updateTable('syncs').set(countsOf(last, counts)).where('id', '=', id).execute()
        }
      }
      const outcome = done.incomplete ? 'partial' : 'complete'
      if (id !== null) await finishRow(tx, id, outcome, null, done.calls ?? 0, now, done.partial)
      const nextSyncAt = (counts.changed > 0 && done.nextSyncIfChangedAt) || done.nextSyncAt
      await endSync(tx, claim, { ...done, nextSyncAt, changed: done.changed === true || counts.changed > 0 }, now)
      return counts
    })
  },
)

async function endSync(tx: Tx, claim: Claim, end: Completed, now: Date): Promise<void> {
  const due = await dueOf(tx, claim, end.nextSyncAt, end.notBefore ?? null)
  const { access_state, ...times } = due
  const { partialCursor } = end
  // What waits for whole answers need wait no longer.
  const wholeAgain = partialCursor === null && access_state === 'active'
  await tx
    .updateTable('tenants')
    .set({
      ...times,
      sync_phase: end.phase,
      ...(end.cursor === null ? {} : { cursor: end.cursor }),
      ...(partialCursor === undefined ? {} : { partial_cursor: partialCursor }),
      ...(end.behind || end.whole === false ? {} : { last_read_at: now.toISOString() }),
      ...(end.changed ? { last_change_at: now.toISOString() } : {}),
      last_read_code: null,
      sync_failures: 0,
      ...((end.windows || wholeAgain) && access_state === 'active' ? { next_window_at: now.toISOString() } : {}),
    })
    .where('tenant_id', '=', claim.tenantId)
    .execute()
  if (end.partial) await notePartialAnswer(tx, claim.tenantId, end.partial, now)
  else if (end.whole !== false && !end.behind) await forgetPartialAnswers(tx, claim.tenantId)
  for (const window of end.windows ?? []) {
    await openWindow(tx, { ...window, tenantId: claim.tenantId, createdBy: null }, now)
  }
}

/**
 * When the tenant is due again, its lease given back. A run that was requested during this one is due at once; an access
 * check may have found meanwhile that there is nothing to read any more, and then no sync run follows this one.
 */
async function dueOf(tx: Tx, claim: Claim, next: Date, notBefore: Date | null) {
  const row = await tx
    .selectFrom('tenants')
    .select(['access_state', 'next_sync_at', 'sync_lease_until', 'next_window_at'])
    .where('tenant_id', '=', claim.tenantId)
    .executeTakeFirstOrThrow()
  const floor = notBefore?.toISOString() ?? ''
  const later = (at: string) => (at < floor ? floor : at)
  const { next_sync_at: dueAt, sync_lease_until: lease } = row
  const askedMeanwhile = dueAt !== null && lease !== null && dueAt < lease
  const active = row.access_state === 'active'
  return {
    access_state: row.access_state,
    next_sync_at: active ? later(askedMeanwhile ? dueAt : next.toISOString()) : null,
    next_window_at: active && row.next_window_at !== null ? later(row.next_window_at) : null,
    sync_not_before: notBefore === null ? null : floor,
    sync_lease_until: null,
    sync_started_at: null,
  }
}

/**
 * Part of a sync run is done for good: the cursor moves up to there, and the sync run goes on.
 * @param column `partial_cursor` for lists that are incomplete by their own account
 * @throws ClaimLostError
 */
export async function advanceCursor(
  db: Database,
  claim: Claim,
  cursor: Instant,
  column: 'cursor' | 'partial_cursor',
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await tx
      .updateTable('tenants')
      .set({ [column]: cursor })
      .where('tenant_id', '=', claim.tenantId)
      .execute()
  })
}

export interface Failure {
  code: RefusalCode | 'internal'
  nextSyncAt: Date
  checkAccess: boolean
  notBefore?: Date | null
  calls?: number
  /** Our own budget of calls is used up: no failure of the tenant's. */
  budget?: boolean
}

/** Ends a sync run that Microsoft or we broke off: pages already stored stay, the cursor stays where it was. */
export async function failSync(
  db: Database,
  claim: Claim,
  run: string | Begun,
  failure: Failure,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    if (typeof run !== 'string') await insertRow(tx, claim, run, now)
    const id = typeof run === 'string' ? run : run.id
    await finishRow(tx, id, failure.budget ? 'partial' : 'failed', failure.code, failure.calls ?? 0, now)
    const { access_state: _, ...times } = await dueOf(tx, claim, failure.nextSyncAt, failure.notBefore ?? null)
    await tx
      .updateTable('tenants')
      .set((eb) => ({
        ...times,
        last_read_code: failure.code,
        sync_failures: eb('sync_failures', '+', failure.budget ? 0 : 1),
        ...(failure.checkAccess ? { next_check_at: now.toISOString() } : {}),
      }))
      .where('tenant_id', '=', claim.tenantId)
      .execute()
  })
}

/** Gives a sync run back that is told to stop: what it stored stays, and the rest is due at once. @throws ClaimLostError */
export async function stopSync(
  db: Database,
  claim: Claim,
  syncId: string | null,
  outcome: 'overtaken' | 'paused',
  calls: number,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    if (syncId !== null) await finishRow(tx, syncId, outcome, null, calls, now)
    await releaseClaim(tx, claim, now)
  })
}
