import type { Selectable } from 'kysely'
import { PortalError } from '../../errors.ts'
import type { Instant } from '../../model/incident.ts'
import { day } from '../../time.ts'
import { type Actor, recordAudit } from '../audit.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { write } from '../engine/write.ts'
import { newId } from '../identifiers.ts'
import { readSettings } from '../partner/settings.ts'
import { readPause } from '../tenants/pauses.ts'
import { holdTenant } from '../tenants/tenants.ts'

/**
 * `open`: open incidents, where there are too many for the first sync run · `backfill`: the first 30 days · `reconcile`:
 * compared with what is kept · `reread`: what an operator asked for.
 */
export type WindowKind = 'open' | 'backfill' | 'reconcile' | 'reread'

/** A stretch of time at Microsoft, read in slices from its end to its beginning, over as many sync runs as it takes. */
export interface ReadWindow {
  id: string
  tenantId: string
  kind: WindowKind
  from: Instant
  to: Instant
  /**
   * Everything from here to `to` has been read and stored: where a sync run goes on, also after a kill. Before `from` it is
   * what is open alone.
   */
  reached: Instant
  /** Milliseconds of the next slice. */
  step: number
  createdAt: string
  /** The operator's name; null for Muster's own. */
  createdBy: string | null
  startedAt: string | null
  finishedAt: string | null
  /** About how many incidents there are in it; null while nobody can tell. */
  expected: number | null
  seen: number
  stored: number
  added: number
  /** What the sync runs before should have brought and did not. */
  differences: number
  pages: number
  calls: number
  /** Answers of this round were incomplete by their own account: the window begins anew at its end. */
  partial: boolean
  /** How often it began anew for that. */
  rounds: number
}

/** Unfinished ones, and of the finished the newest, newest first. */
export async function windowsOf(db: Database, tenantId: string, limit: number): Promise<ReadWindow[]> {
  const rows = await db
    .selectFrom('windows')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy((eb) => eb.case().when('finished_at', 'is', null).then(0).else(1).end())
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(windowFromRow)
}

/** Opens a window, due at once, in the transaction that decides it. */
export async function openWindow(
  tx: Tx,
  opened: Pick<ReadWindow, 'tenantId' | 'kind' | 'from' | 'to' | 'step' | 'createdBy'> & { expected?: number | null },
  now: Date,
): Promise<string> {
  const id = newId()
  await tx
    .insertInto('windows')
    .values({
      id,
      tenant_id: opened.tenantId,
      kind: opened.kind,
      from_at: opened.from,
      to_at: opened.to,
      reached_at: opened.to,
      step_ms: opened.step,
      created_at: now.toISOString(),
      created_by: opened.createdBy,
      started_at: null,
      finished_at: null,
      expected: opened.expected ?? null,
    })
    .execute()
  return id
}

/** How far back Microsoft keeps incidents: https://learn.microsoft.com/defender-xdr/data-privacy */
const rereadDays = 180

/**
 * An operator asks for a stretch of time to be read again, and what is found to be compared with what is kept.
 * @param stretch at most 180 days back, as ISO times; it begins no earlier than what the settings keep of closed incidents
 * @throws PortalError NOT_FOUND; BAD_REQUEST for no stretch at all; TENANT_PAUSED, READING_PAUSED; CONFLICT for a tenant
 * that cannot be read, or that is asked so already
 */
export async function requestReread(
  db: Database,
  actor: Actor & { kind: 'operator' },
  tenantId: string,
  stretch: { from: string; to: string },
  now: Date,
): Promise<void> {
  const { closedDays } = await readSettings(db)
  // What retention has removed, or is about to, is not brought back.
  const keptSince = closedDays === 0 ? Number.NEGATIVE_INFINITY : now.getTime() - (closedDays - 1) * day
  const from = Math.max(Date.parse(stretch.from), keptSince)
  const to = Math.min(Date.parse(stretch.to), now.getTime())
  // Filling the form in takes a while: a day more does no harm.
  if (!(from < to && from >= now.getTime() - (rereadDays + 1) * day)) throw new PortalError('BAD_REQUEST')
  await write(db, async (tx) => {
    const tenant = await holdTenant(tx, tenantId)
    if (tenant.accessState !== 'active') throw new PortalError('CONFLICT')
    if (tenant.pausedAt !== null) throw new PortalError('TENANT_PAUSED')
    if ((await readPause(tx)) !== null) throw new PortalError('READING_PAUSED')
    const openRequest = await tx
      .selectFrom('windows')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('kind', '=', 'reread')
      .where('finished_at', 'is', null)
      .executeTakeFirst()
    if (openRequest) throw new PortalError('CONFLICT')
    const window = { tenantId, kind: 'reread', from: instantOf(from), to: instantOf(to), step: day } as const
    await openWindow(tx, { ...window, createdBy: actor.name }, now)
    const at = now.toISOString()
    await tx
      .updateTable('tenants')
      .set({ next_window_at: tenant.notBefore !== null && tenant.notBefore > at ? tenant.notBefore : at })
      .where('tenant_id', '=', tenantId)
      .execute()
    await recordAudit(tx, actor, {
      action: 'tenant.reread-requested',
      at: now,
      customerId: tenant.customerId,
      tenantId,
      facts: { from: stretch.from, to: stretch.to },
    })
  })
}

const instantOf = (time: number): Instant => new Date(time).toISOString().replace('Z', '0000Z')

export function windowFromRow(row: Selectable<Schema['windows']>): ReadWindow {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    kind: row.kind as WindowKind,
    from: row.from_at,
    to: row.to_at,
    reached: row.reached_at,
    step: row.step_ms,
    createdAt: row.created_at,
    createdBy: row.created_by,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    expected: row.expected,
    seen: row.seen,
    stored: row.stored,
    added: row.added,
    differences: row.differences,
    pages: row.pages,
    calls: row.calls,
    partial: row.partial === 1,
    rounds: row.rounds,
  }
}
