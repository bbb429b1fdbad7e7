import { sql } from 'kysely'
import { muster, recordAudit } from '../audit.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { deleteIncidents } from '../incidents/write.ts'
import type { Counters } from '../tenants/counters.ts'

/** One incident, and where it belongs. */
interface Removable {
  tenantId: string
  incidentId: string
}

/** The survivor of a merge that is not kept, or not any more. */
export interface MissingSurvivor {
  tenantId: string
  survivorId: string
}

const ranks = [0, 1, 2, 3, 4]

/** Merges of merges: more than anybody saw. */
const deepestMerge = 20

/** Keys in one statement, far below both engines' limits. */
const keysAtOnce = 500

/**
 * Closed incidents that last changed before `before`, oldest first within each severity, at most `limit`. One that was
 * given a merge since then is left, so that the merged one's link goes on leading somewhere.
 */
export async function closedLongAgo(db: Database, before: Date, limit: number): Promise<Removable[]> {
  const at = before.toISOString()
  const removables: Removable[] = []
  // Severity by severity: each is one stretch of the index that the queue has anyway.
  for (const rank of ranks) {
    const rows = await db
      .selectFrom('incidents as old')
      .select(['old.tenant_id', 'old.incident_id'])
      .where('old.redirect_id', 'is', null)
      .where('old.open', '=', 0)
      .where('old.severity_rank', '=', rank)
      .where('old.last_update_at', '<', at)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('incidents as merged')
              .select('merged.incident_id')
              .whereRef('merged.tenant_id', '=', 'old.tenant_id')
              .whereRef('merged.redirect_id', '=', 'old.incident_id')
              // An expression, or SQLite goes through all that is younger in the tenant instead of what was merged.
              .where(sql<string>`coalesce(merged.last_update_at, '')`, '>=', at),
          ),
        ),
      )
      .orderBy('old.last_update_at')
      .limit(limit - removables.length)
      .execute()
    removables.push(...rows.map((row) => ({ tenantId: row.tenant_id, incidentId: row.incident_id })))
    if (removables.length >= limit) break
  }
  return removables
}

/**
 * Looks at `limit` survivors of merges, from `after` on, for those that are not there themselves.
 * @returns them, and where to go on; null at the end
 */
export async function missingSurvivors(
  db: Database,
  after: MissingSurvivor | null,
  limit: number,
): Promise<{ missing: MissingSurvivor[]; next: MissingSurvivor | null }> {
  const from = after ? sql`and (tenant_id, redirect_id) > (${after.tenantId}, ${after.survivorId})` : sql``
  const { rows } = await sql<{ tenant_id: string; redirect_id: string; missing: number }>`
    select tenant_id, redirect_id, case when exists (
        select 1 from incidents where incidents.tenant_id = pair.tenant_id and incident_id = pair.redirect_id
      ) then 0 else 1 end as missing
    from (select distinct tenant_id, redirect_id from incidents where redirect_id is not null ${from}
      order by tenant_id, redirect_id limit ${limit}) as pair
    order by tenant_id, redirect_id`.execute(db)
  const pairs = rows.map((row) => ({ tenantId: row.tenant_id, survivorId: row.redirect_id, gone: row.missing === 1 }))
  return {
    missing: pairs.filter(({ gone }) => gone),
    next: pairs.length < limit ? null : (pairs.at(-1) ?? null),
  }
}

/**
 * Removes closed incidents of one tenant that last changed before `before`, with what was merged into them, their
 * alerts and their notes; whole or not at all. What was opened or changed since it was chosen stays.
 * @returns how many incidents went
 */
export async function removeClosed(
  db: Database,
  tenantId: string,
  chosen: { incidentIds?: readonly string[]; survivorIds?: readonly string[] },
  before: Date,
): Promise<number> {
  return write(db, async (tx) => {
    await holdRow(tx, tenantId)
    const at = before.toISOString()
    // Expressions, so that SQLite looks rows up by their IDs and not through all that is closed in the tenant.
    const old = sql`coalesce(incidents.open, 1) = 0 and coalesce(incidents.last_update_at, '') < ${at}`
    const roots = chosen.incidentIds
      ? sql`redirect_id is null and incident_id in (${sql.join(chosen.incidentIds)})`
      : sql`redirect_id in (${sql.join(chosen.survivorIds ?? [])}) and not exists (select 1 from incidents as survivor
          where survivor.tenant_id = ${tenantId} and survivor.incident_id = incidents.redirect_id)`
    const { rows } = await sql<{ incident_id: string }>`
      with recursive family (incident_id, depth) as (
        select incident_id, 0 from incidents
        where tenant_id = ${tenantId} and ${roots} and ${old}
        union
        select incidents.incident_id, family.depth + 1 from incidents
        join family on incidents.redirect_id = family.incident_id
        where incidents.tenant_id = ${tenantId} and incidents.redirect_id is not null and ${old}
          and family.depth < ${deepestMerge}
      )
      select distinct incident_id from family`.execute(tx)
    const ids = rows.map((row) => row.incident_id)
    await removeIncidents(tx, tenantId, ids, 'all')
    return ids.length
  })
}

/** Passes over the tenant hold this row first as well: nobody stores into what is being removed. */
async function holdRow(tx: Tx, tenantId: string): Promise<void> {
  if (!isPostgres(tx)) return
  await tx.selectFrom('tenants').select('tenant_id').where('tenant_id', '=', tenantId).forUpdate().execute()
}

/** With notes, and what is still to be read of them. */
async function removeIncidents(tx: Tx, tenantId: string, ids: readonly string[], counted: Counters): Promise<void> {
  for (let start = 0; start < ids.length; start += keysAtOnce) {
    const some = ids.slice(start, start + keysAtOnce)
    await tx.deleteFrom('incident_notes').where('tenant_id', '=', tenantId).where('incident_id', 'in', some).execute()
    const items = some.flatMap((id) => [id, `${id} alerts`])
    await tx.deleteFrom('rejected_items').where('tenant_id', '=', tenantId).where('item', 'in', items).execute()
    await deleteIncidents(tx, tenantId, some, counted)
  }
}

/** What a tombstone may still have from when its tenant was read. */
const leftovers = ['incidents', 'incident_notes', 'rejected_items', 'syncs', 'windows'] as const

/** Tenants offboarded before `before` of which something that was read is still kept, at most `limit`. */
export async function offboardedLongAgo(db: Database, before: Date, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('tenants')
    .select('tenant_id')
    .where('access_state', '=', 'offboarded')
    .where('offboarded_at', '<', before.toISOString())
    .where(
      sql<boolean>`(${sql.join(
        leftovers.map(
          (table) => sql`exists (select 1 from ${sql.table(table)} as rest where rest.tenant_id = tenants.tenant_id)`,
        ),
        sql` or `,
      )})`,
    )
    .orderBy('offboarded_at')
    .limit(limit)
    .execute()
  return rows.map((row) => row.tenant_id)
}

/**
 * Removes up to `limit` rows of what was read in a tenant that was offboarded before `before`. The tombstone, the access
 * checks and the audit log stay. The last step sets the tombstone back to never having been read, so that a customer who
 * comes back is read from the beginning, and is what the audit log tells of.
 * @returns how many incidents went, and whether something is left; nothing is when the tenant came back meanwhile
 */
export async function removeOffboarded(
  db: Database,
  tenantId: string,
  before: Date,
  limit: number,
  now: Date,
): Promise<{ incidents: number; more: boolean }> {
  return write(db, async (tx) => {
    await holdRow(tx, tenantId)
    const tombstone = await tx
      .selectFrom('tenants')
      .select(['customer_id', 'incident_count'])
      .where('tenant_id', '=', tenantId)
      .where('access_state', '=', 'offboarded')
      .where('offboarded_at', '<', before.toISOString())
      .executeTakeFirst()
    if (!tombstone) return { incidents: 0, more: false }
    const some = await tx
      .selectFrom('incidents')
      .select('incident_id')
      .where('tenant_id', '=', tenantId)
      .limit(limit)
      .execute()
    if (some.length > 0) {
      await removeIncidents(
        tx,
        tenantId,
        some.map((row) => row.incident_id),
        // How many there were is told once all are gone.
        'days',
      )
      return { incidents: some.length, more: true }
    }
    if ((await removeRows(tx, tenantId, limit)) === limit) return { incidents: 0, more: true }
    await tx
      .updateTable('tenants')
      .set({ ...neverRead, incident_count: 0 })
      .where('tenant_id', '=', tenantId)
      .execute()
    await recordAudit(tx, muster, {
      action: 'tenant.data-removed',
      at: now,
      customerId: tombstone.customer_id,
      tenantId,
      facts: { incidents: tombstone.incident_count },
    })
    return { incidents: 0, more: false }
  })
}

/** Deletes up to `limit` of the rows that are no incidents. @returns how many it were */
async function removeRows(tx: Tx, tenantId: string, limit: number): Promise<number> {
  let count = 0
  for (const table of ['incident_notes', 'rejected_items', 'syncs', 'windows', 'call_budgets'] as const) {
    // What addresses a row by itself, whatever its key: https://www.sqlite.org/rowidtable.html, PostgreSQL's ctid.
    const row = isPostgres(tx) ? sql`ctid` : sql`rowid`
    const { numAffectedRows } = await sql`delete from ${sql.table(table)} where ${row} in (
      select ${row} from ${sql.table(table)} where tenant_id = ${tenantId} limit ${limit - count})`.execute(tx)
    count += Number(numAffectedRows ?? 0)
    if (count >= limit) break
  }
  return count
}

const neverRead = {
  sync_phase: 'open',
  cursor: null,
  last_change_at: null,
  backfilled_at: null,
  next_window_at: null,
  next_reconcile_at: null,
  next_deep_reconcile_at: null,
  reconciled_at: null,
  reconcile_differences: 0,
  open_high: 0,
  open_medium: 0,
  open_low: 0,
  open_informational: 0,
  open_unknown: 0,
  unassigned_high: 0,
  unassigned_medium: 0,
  unassigned_low: 0,
  unassigned_informational: 0,
  unassigned_unknown: 0,
} as const
