import type { RemoteAlert } from '../../model/incident.ts'
import { among, type Tx } from '../engine/dialect.ts'
import { type Change, type Counters, count } from '../tenants/counters.ts'
import { countedColumns, countedOf } from './counted.ts'
import type { Named } from './incidents.ts'
import { alertsAsKept, type IncidentRow, openStatuses, readingVersion, searchText } from './rows.ts'
import { upsert } from './upsert.ts'

/** What a batch of readings did. */
export interface StoredIncidents {
  added: ReadonlySet<string>
  /** IDs of added incidents, and of newer ones. */
  changed: ReadonlySet<string>
  /** Last update of each incident that was kept before, by ID. */
  keptBefore: ReadonlyMap<string, string>
}

/** Rows compared at once: far below both engines' limits on parameters. */
const comparedAtOnce = 200

/**
 * Stores incidents of one tenant: new ones are added, known ones overwritten only by a newer reading; the counters
 * follow. The alerts of a changed incident replace its former ones; where `alerts` is null they become due for reading.
 * Each incident has the alerts that its own newest reading lists: one that moves between incidents may for a while be
 * with both or with none, as Microsoft said; in whatever order their readings arrive, the newest of each decides.
 * @param partial the readings are incomplete by their own account: what is kept of the same instant may be more
 */
export async function storeIncidents(
  tx: Tx,
  tenantId: string,
  rows: readonly IncidentRow[],
  now: Date,
  partial = false,
): Promise<StoredIncidents> {
  const latest = new Map<string, IncidentRow>()
  for (const row of rows) {
    const known = latest.get(row.incident_id)
    if (!known || known.last_update_at <= row.last_update_at) latest.set(row.incident_id, row)
  }
  const added = new Set<string>()
  const changed = new Set<string>()
  const keptBefore = new Map<string, string>()
  const changes: Change[] = []
  for (const batch of batches([...latest.values()], comparedAtOnce)) {
    const ids = batch.map((row) => row.incident_id)
    const rowsBefore = await keptOf(tx, tenantId, ids)
    const goneRows = [...rowsBefore.values()].filter((row) => row.gone_at !== null)
    for (const row of await takeBack(tx, tenantId, goneRows)) {
      changes.push([countedOf({ ...row, open: 0 }), countedOf(row)])
      rowsBefore.set(row.incident_id, { ...row, gone_at: null })
    }
    const stale = (row: IncidentRow) =>
      partial && (rowsBefore.get(row.incident_id)?.last_update_at ?? '') >= row.last_update_at
    for (const id of await upsert(
      tx,
      batch.filter((row) => !stale(row)),
      now,
    )) {
      const before = rowsBefore.get(id)
      if (!before) added.add(id)
      changed.add(id)
      changes.push([before ? countedOf(before) : null, countedOf(latest.get(id) as IncidentRow)])
    }
    for (const [id, { last_update_at }] of rowsBefore) keptBefore.set(id, last_update_at)
  }
  await count(tx, tenantId, changes)
  return { added, changed, keptBefore }
}

async function keptOf(tx: Tx, tenantId: string, ids: readonly string[]) {
  const rows = await tx
    .selectFrom('incidents')
    .select([...countedColumns, 'last_update_at', 'gone_at'])
    .where('tenant_id', '=', tenantId)
    .where(among(tx, 'incident_id', ids))
    .execute()
  return new Map(rows.map((row) => [row.incident_id, row]))
}

/** Microsoft lists again what it had been found to know no longer: it counts as what it was, whatever its reading says. */
async function takeBack(tx: Tx, tenantId: string, rows: readonly { incident_id: string }[]) {
  if (rows.length === 0) return []
  return tx
    .updateTable('incidents')
    .set((eb) => ({
      gone_at: null,
      open: eb
        .case()
        .when(eb.and([eb('redirect_id', 'is', null), eb('status', 'in', [...openStatuses])]))
        .then(1)
        .else(0)
        .end(),
    }))
    .where('tenant_id', '=', tenantId)
    .where(
      'incident_id',
      'in',
      rows.map((row) => row.incident_id),
    )
    .returning([...countedColumns, 'last_update_at'])
    .execute()
}

/** Microsoft knows it no longer: it is kept, and is no open work any more. */
export async function markGone(tx: Tx, tenantId: string, incidentId: string, now: Date): Promise<void> {
  const open = await tx
    .selectFrom('incidents')
    .select(countedColumns)
    .where('tenant_id', '=', tenantId)
    .where('incident_id', '=', incidentId)
    .where('gone_at', 'is', null)
    .execute()
  await tx
    .updateTable('incidents')
    .set({ gone_at: now.toISOString(), open: 0 })
    .where('tenant_id', '=', tenantId)
    .where('incident_id', '=', incidentId)
    .where('gone_at', 'is', null)
    .execute()
  await count(
    tx,
    tenantId,
    open.map((row) => [countedOf(row), { ...countedOf(row), open: false }]),
  )
}

/** Deletes incidents by their IDs; alerts and notes are the caller's. */
export async function deleteIncidents(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
  counted: Counters,
): Promise<void> {
  const goneRow = await tx
    .deleteFrom('incidents')
    .where('tenant_id', '=', tenantId)
    .where('incident_id', 'in', ids)
    .returning(countedColumns)
    .execute()
  const changes = goneRow.map((row): Change => [countedOf(row), null])
  await count(tx, tenantId, changes, counted)
}

function* batches<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size)
}

/** The alerts of one incident, read by themselves. `readAt` is null while some of them are still to be read. */
export async function storeAlertsOf(
  tx: Tx,
  tenantId: string,
  incident: Named,
  alerts: readonly RemoteAlert[],
  readAt: Date | null,
): Promise<void> {
  await tx
    .updateTable('incidents')
    .set({
      ...alertsAsKept(alerts),
      alerts_read_at: readAt?.toISOString() ?? null,
      search_text: searchText(incident, alerts),
      reading_version: readingVersion,
    })
    .where('tenant_id', '=', tenantId)
    .where('incident_id', '=', incident.id)
    .execute()
}
