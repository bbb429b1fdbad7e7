import type { PartialAnswer } from '../../model/incident.ts'
import type { RefusalCode } from '../../model/refusal.ts'
import type { Claim } from '../engine/claim.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import type { PageOfRows } from '../incidents/rows.ts'
import type { SyncPhase } from '../tenants/tenants.ts'
import type { PageStored } from './page-items.ts'
import type { WindowKind } from './windows.ts'

export type SyncRunKind = SyncPhase | WindowKind

/** `overtaken`: broken off by a kill, a stop, or a later claim of the tenant. */
export type SyncOutcome = 'complete' | 'partial' | 'failed' | 'overtaken' | 'paused'

/** One sync run over one tenant, or several polls in a row that brought nothing. */
export interface Sync {
  id: string
  tenantId: string
  kind: SyncRunKind
  /** Of the first of several polls. */
  startedAt: string
  /** Of the last of them. */
  finishedAt: string | null
  outcome: SyncOutcome | null
  code: RefusalCode | 'internal' | null
  pages: number
  seen: number
  stored: number
  rejected: number
  windowId: string | null
  /** The request with which an operator asked for it. */
  requestId: string | null
  /** Of what was stored, the incidents that were not there before. */
  added: number
  /** What the sync runs before should have brought. */
  differences: number
  calls: number
  polls: number
}

/** A sync run that has begun and that no row stands for yet: one that brings nothing needs none of its own. */
export interface Begun {
  id: string
  kind: SyncRunKind
  startedAt: Date
  windowId: string | null
  requestId: string | null
}

/** Rows of one tenant that are kept at most, however quickly they come. */
const mostKept = 1_000

/** Writes the row of a sync run that has begun: it is to be seen from now on. */
export async function insertRow(tx: Tx, claim: Claim, run: Begun, now: Date): Promise<void> {
  await markOvertaken(tx, claim, now)
  await tx
    .insertInto('syncs')
    .values({
      id: run.id,
      tenant_id: claim.tenantId,
      kind: run.kind,
      started_at: run.startedAt.toISOString(),
      finished_at: null,
      outcome: null,
      code: null,
      window_id: run.windowId,
      request_id: run.requestId,
      partial_sources: null,
    })
    .execute()
  const last = await tx
    .selectFrom('syncs')
    .select('started_at')
    .where('tenant_id', '=', claim.tenantId)
    .orderBy('started_at', 'desc')
    .offset(mostKept)
    .limit(1)
    .executeTakeFirst()
  if (!last) return
  await tx
    .deleteFrom('syncs')
    .where('tenant_id', '=', claim.tenantId)
    .where('started_at', '<=', last.started_at)
    .execute()
}

/** The processes that began these are dead or overtaken: the claim is ours now. */
async function markOvertaken(tx: Tx, claim: Claim, now: Date): Promise<void> {
  const left = await tx
    .selectFrom('syncs')
    .select('id')
    .where('tenant_id', '=', claim.tenantId)
    .where('finished_at', 'is', null)
    .execute()
  if (left.length === 0) return
  await tx
    .updateTable('syncs')
    .set({ finished_at: now.toISOString(), outcome: 'overtaken' })
    .where('tenant_id', '=', claim.tenantId)
    .where('finished_at', 'is', null)
    .execute()
}

export const countsOf = (page: PageOfRows | null, counts: PageStored) => ({
  pages: page ? 1 : 0,
  seen: page?.rows.length ?? 0,
  stored: counts.changed,
  added: counts.added,
  rejected: page?.rejected.length ?? 0,
})

/** @returns false when the newest row is not one of polls that brought nothing */
export async function lengthenQuietRow(
  tx: Tx,
  claim: Claim,
  page: PageOfRows | null,
  calls: number,
  now: Date,
): Promise<boolean> {
  const newest = await tx
    .selectFrom('syncs')
    .select(['id', 'kind', 'outcome', 'stored', 'rejected', 'request_id'])
    .where('tenant_id', '=', claim.tenantId)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const quiet = newest?.kind === 'following' && newest.outcome === 'complete'
  if (!quiet || newest.stored > 0 || newest.rejected > 0 || newest.request_id !== null) return false
  await tx
    .updateTable('syncs')
    .set((eb) => ({
      polls: eb('polls', '+', 1),
      pages: eb('pages', '+', page ? 1 : 0),
      seen: eb('seen', '+', page?.rows.length ?? 0),
      calls: eb('calls', '+', calls),
      finished_at: now.toISOString(),
    }))
    .where('id', '=', newest.id)
    .execute()
  return true
}

/** Ends the row of a sync run; its calls are known only now. */
export async function finishRow(
  tx: Tx,
  syncId: string,
  outcome: SyncOutcome,
  code: Sync['code'],
  calls: number,
  now: Date,
  partial: PartialAnswer | null = null,
): Promise<void> {
  const sources = partial === null ? null : JSON.stringify(partial.sources)
  await tx
    .updateTable('syncs')
    .set({ finished_at: now.toISOString(), outcome, code, calls, partial_sources: sources })
    .where('id', '=', syncId)
    .execute()
}

/** In one go, so that no deletion holds everybody up. */
const prunedAtOnce = 2_000

/** Sync runs that began before `before`, except the newest of each tenant: their counts are history. */
export async function pruneSyncs(db: Database, before: Date): Promise<number> {
  return write(db, async (tx) => {
    const result = await tx
      .deleteFrom('syncs')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('syncs as old')
          .select('old.id')
          .where('old.started_at', '<', before.toISOString())
          .where(({ exists, selectFrom }) =>
            exists(
              selectFrom('syncs as later')
                .select('later.id')
                .whereRef('later.tenant_id', '=', 'old.tenant_id')
                .whereRef('later.started_at', '>', 'old.started_at'),
            ),
          )
          .limit(prunedAtOnce),
      )
      .executeTakeFirst()
    return Number(result.numDeletedRows)
  })
}
