import type { Selectable } from 'kysely'
import type { PartialAnswer } from '../../model/incident.ts'
import type { Database } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import type { SyncPhase } from '../tenants/tenants.ts'
import { partialFromText } from './partial.ts'
import type { Sync, SyncOutcome } from './rows.ts'
import type { WindowKind } from './windows.ts'

export const pastKinds = ['open', 'following', 'backfill', 'reconcile', 'reread'] as const satisfies (
  | SyncPhase
  | WindowKind
)[]

export const pastOutcomes = ['complete', 'partial', 'failed', 'overtaken', 'paused'] as const

/** One sync run, or several polls in a row that brought nothing. */
export interface PastSync {
  id: string
  kind: SyncPhase | WindowKind
  /** Of the first of several polls. */
  startedAt: string
  /** Of the last of several polls; null while it is under way. */
  finishedAt: string | null
  outcome: SyncOutcome | 'paused' | null
  /** Why it failed. */
  code: Sync['code']
  polls: number
  pages: number
  calls: number
  seen: number
  added: number
  /** Those that were there before and are newer now. */
  changed: number
  rejected: number
  differences: number
  /** What answers of Microsoft's lacked by their own account. */
  partial: PartialAnswer | null
  /** The operator who asked for it; null when nobody did. */
  askedBy: string | null
}

export interface PastFilter {
  kind?: PastSync['kind']
  outcome?: Exclude<PastSync['outcome'], null>
}

/**
 * The sync runs over one tenant, newest first: those before the sync run `before`, or from the sync run `from` on. A sync run that is
 * no longer kept leads to an empty page, because nothing older is kept either.
 */
export async function syncsPage(
  db: Database,
  tenantId: string,
  page: PastFilter & { before?: string; from?: string; limit: number },
): Promise<PastSync[]> {
  const cursor = page.before ?? page.from
  const at = cursor === undefined ? null : await findStart(db, tenantId, cursor)
  if (cursor !== undefined && at === null) return []
  let query = db.selectFrom('syncs').selectAll().where('tenant_id', '=', tenantId)
  if (page.kind !== undefined) query = query.where('kind', '=', page.kind)
  if (page.outcome !== undefined) query = query.where('outcome', '=', page.outcome)
  if (cursor !== undefined && at !== null) {
    query = query.where((eb) =>
      eb.or([
        eb('started_at', '<', at),
        eb.and([eb('started_at', '=', at), eb('id', page.before === undefined ? '<=' : '<', cursor)]),
      ]),
    )
  }
  const rows = await query.orderBy('started_at', 'desc').orderBy('id', 'desc').limit(page.limit).execute()
  const askers = await askersOf(db, tenantId, rows)
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind as PastSync['kind'],
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome as PastSync['outcome'],
    code: row.code as PastSync['code'],
    polls: row.polls,
    pages: row.pages,
    calls: row.calls,
    seen: row.seen,
    added: row.added,
    changed: Math.max(0, row.stored - row.added),
    rejected: row.rejected,
    differences: row.differences,
    partial: partialFromText(row.partial_sources),
    askedBy: askers.get(row.window_id ?? '') ?? askers.get(row.request_id ?? '') ?? null,
  }))
}

async function findStart(db: Database, tenantId: string, id: string): Promise<string | null> {
  const row = await db
    .selectFrom('syncs')
    .select('started_at')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.started_at ?? null
}

/** Who asked, by the window or the request that a sync run names. */
async function askersOf(
  db: Database,
  tenantId: string,
  rows: readonly Selectable<Schema['syncs']>[],
): Promise<Map<string, string>> {
  const windows = [...new Set(rows.map((row) => row.window_id))].filter((id) => id !== null)
  const requests = [...new Set(rows.map((row) => row.request_id))].filter((id) => id !== null)
  const askers = new Map<string, string>()
  if (windows.length > 0) {
    const windowRows = await db
      .selectFrom('windows')
      .select(['id', 'created_by'])
      .where('id', 'in', windows)
      .where('tenant_id', '=', tenantId)
      .execute()
    for (const { id, created_by } of windowRows) if (created_by !== null) askers.set(id, created_by)
  }
  if (requests.length > 0) {
    const requestRows = await db
      .selectFrom('audit_events')
      .select(['request_id', 'actor_name'])
      .where('tenant_id', '=', tenantId)
      .where('action', 'in', ['tenant.sync-requested', 'tenant.reread-requested'])
      .where('request_id', 'in', requests)
      .execute()
    for (const { request_id, actor_name } of requestRows) {
      if (request_id !== null && actor_name !== null) askers.set(request_id, actor_name)
    }
  }
  return askers
}
