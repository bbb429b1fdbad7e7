import type { Selectable } from 'kysely'
import type { RemoteAlert, RemoteIncident, Severity } from '../microsoft/microsoft.ts'
import { type Change, type Counted, type Counters, count } from './counters.ts'
import type { Tx } from './database.ts'
import { alertsAsKept, alertsOf, openStatuses, searchText, toRow } from './incident-rows.ts'
import type { Named } from './incidents.ts'
import type { Schema } from './schema.ts'

/** Rows in one statement: far below both engines' limits on parameters, and soon over for whoever waits. */
const incidentBatch = 200
/** Clocks differ by less; a time further ahead, in milliseconds, is not believed. */
export const believedAhead = 15 * 60_000

/** What a batch of readings did. */
export interface StoredIncidents {
  added: ReadonlySet<string>
  /** Those that were added, and those that are newer now. */
  changed: ReadonlySet<string>
  /** Last update of those that were kept before, by ID. */
  keptBefore: ReadonlyMap<string, string>
}

/**
 * Stores incidents of one tenant: new ones are added, known ones overwritten only by a newer reading; the counters
 * follow. The alerts of a changed incident replace its former ones; where `alerts` is null they become due for reading.
 * Each incident has the alerts that its own newest reading lists: one that moves between incidents may for a while be
 * with both or with none, as Microsoft said; in whatever order their readings arrive, the newest of each decides.
 */
export async function storeIncidents(
  tx: Tx,
  tenantId: string,
  incidents: readonly RemoteIncident[],
  now: Date,
): Promise<StoredIncidents> {
  const latest = new Map<string, RemoteIncident>()
  for (const incident of incidents) {
    const known = latest.get(incident.id)
    if (!known || known.lastUpdateAt <= incident.lastUpdateAt) latest.set(incident.id, incident)
  }
  const added = new Set<string>()
  const changed = new Set<string>()
  const keptBefore = new Map<string, string>()
  const changes: Change[] = []
  for (const batch of batches([...latest.values()], incidentBatch)) {
    const ids = batch.map(({ id }) => id)
    changes.push(...(await takeBack(tx, tenantId, ids)))
    const kept = await keptOf(tx, tenantId, ids)
    const carrying = batch.filter((incident) => alertsOf(incident) !== null)
    const without = batch.filter((incident) => alertsOf(incident) === null)
    for (const row of [
      ...(await upsert(tx, tenantId, carrying, now, true)),
      ...(await upsert(tx, tenantId, without, now, false)),
    ]) {
      const before = kept.get(row.incident_id)
      if (!before) added.add(row.incident_id)
      changed.add(row.incident_id)
      changes.push([before ? countedOf(before) : null, countedOf(row)])
    }
    for (const [id, { last_update_at }] of kept) keptBefore.set(id, last_update_at)
  }
  await count(tx, tenantId, changes)
  return { added, changed, keptBefore }
}

/** The columns that say what an incident counts as. */
const countedColumns = ['incident_id', 'severity', 'open', 'assigned_to', 'redirect_id', 'created_day'] as const

type CountedRow = Pick<Selectable<Schema['incidents']>, (typeof countedColumns)[number]>

const countedOf = (row: CountedRow): Counted => ({
  severity: row.severity as Severity,
  open: row.open === 1,
  unassigned: row.assigned_to === null,
  listed: row.redirect_id === null,
  day: row.created_day,
})

async function keptOf(tx: Tx, tenantId: string, ids: readonly string[]) {
  const rows = await tx
    .selectFrom('incidents')
    .select([...countedColumns, 'last_update_at'])
    .where('tenant_id', '=', tenantId)
    .where('incident_id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.incident_id, row]))
}

/** Microsoft lists again what it had been found to know no longer: it counts as what it was, whatever its reading says. */
async function takeBack(tx: Tx, tenantId: string, ids: readonly string[]): Promise<Change[]> {
  // The index of what is gone answers, which is next to nothing.
  const gone = await tx
    .selectFrom('incidents')
    .select('incident_id')
    .where('tenant_id', '=', tenantId)
    .where('gone_at', 'is not', null)
    .where('incident_id', 'in', ids)
    .execute()
  if (gone.length === 0) return []
  const rows = await tx
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
      gone.map((row) => row.incident_id),
    )
    .returning(countedColumns)
    .execute()
  return rows.map((row) => [{ ...countedOf(row), open: false }, countedOf(row)])
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
  const gone = await tx
    .deleteFrom('incidents')
    .where('tenant_id', '=', tenantId)
    .where('incident_id', 'in', ids)
    .returning(countedColumns)
    .execute()
  const changes = gone.map((row): Change => [countedOf(row), null])
  await count(tx, tenantId, changes, counted)
}

function* batches<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size)
}

async function upsert(
  tx: Tx,
  tenantId: string,
  incidents: readonly RemoteIncident[],
  now: Date,
  carriesAlerts: boolean,
): Promise<CountedRow[]> {
  if (incidents.length === 0) return []
  const believed = new Date(now.getTime() + believedAhead).toISOString()
  return tx
    .insertInto('incidents')
    .values(incidents.map((incident) => toRow(tenantId, incident, now)))
    .onConflict((oc) =>
      oc
        .columns(['tenant_id', 'incident_id'])
        .doUpdateSet((eb) => ({
          title: eb.ref('excluded.title'),
          severity: eb.ref('excluded.severity'),
          severity_rank: eb.ref('excluded.severity_rank'),
          status: eb.ref('excluded.status'),
          open: eb.ref('excluded.open'),
          assigned_to: eb.ref('excluded.assigned_to'),
          classification: eb.ref('excluded.classification'),
          determination: eb.ref('excluded.determination'),
          redirect_id: eb.ref('excluded.redirect_id'),
          created_at: eb.ref('excluded.created_at'),
          created_day: eb.ref('excluded.created_day'),
          last_update_at: eb.ref('excluded.last_update_at'),
          alerts_read_at: eb.ref('excluded.alerts_read_at'),
          content_hash: eb.ref('excluded.content_hash'),
          facts: eb.ref('excluded.facts'),
          original: eb.ref('excluded.original'),
          stored_at: eb.ref('excluded.stored_at'),
          ...(carriesAlerts
            ? {
                alert_count: eb.ref('excluded.alert_count'),
                alerts: eb.ref('excluded.alerts'),
                alert_originals: eb.ref('excluded.alert_originals'),
                search_text: eb.ref('excluded.search_text'),
              }
            : {}),
        }))
        .where((eb) =>
          eb.or([
            eb('excluded.last_update_at', '>', eb.ref('incidents.last_update_at')),
            eb.and([
              eb('excluded.last_update_at', '=', eb.ref('incidents.last_update_at')),
              eb('excluded.content_hash', '!=', eb.ref('incidents.content_hash')),
            ]),
            // A time from the future would stand against every reading after it.
            eb.and([
              eb('incidents.last_update_at', '>', believed),
              eb('excluded.content_hash', '!=', eb.ref('incidents.content_hash')),
            ]),
          ]),
        ),
    )
    .returning(countedColumns)
    .execute()
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
    })
    .where('tenant_id', '=', tenantId)
    .where('incident_id', '=', incident.id)
    .execute()
}
