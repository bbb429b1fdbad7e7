import { createHash } from 'node:crypto'
import type { Insertable } from 'kysely'
import type { RemoteAlert, RemoteIncident } from '../microsoft/microsoft.ts'
import type { Tx } from './database.ts'
import { type Named, severityRank } from './incidents.ts'
import type { Schema } from './schema.ts'

const searchLimit = 4_000
/** Rows in one statement: far below both engines' limits on parameters, and soon over for whoever waits. */
const incidentBatch = 200
const alertBatch = 500
const openStatuses = new Set(['active', 'inProgress', 'awaitingAction', 'unknown'])

/**
 * Stores incidents of one tenant: new ones are added, known ones overwritten only by a newer reading. The alerts of a
 * changed incident replace its former ones; where `alerts` is null they become due for reading.
 * @returns the IDs that were added or changed
 */
export async function storeIncidents(
  tx: Tx,
  tenantId: string,
  incidents: readonly RemoteIncident[],
  now: Date,
): Promise<Set<string>> {
  const latest = new Map<string, RemoteIncident>()
  for (const incident of incidents) {
    const known = latest.get(incident.id)
    if (!known || known.lastUpdateAt <= incident.lastUpdateAt) latest.set(incident.id, incident)
  }
  const changed = new Set<string>()
  for (const batch of batches([...latest.values()], incidentBatch)) {
    const carrying = batch.filter((incident) => alertsOf(incident) !== null)
    const without = batch.filter((incident) => alertsOf(incident) === null)
    for (const id of await upsert(tx, tenantId, carrying, now, true)) changed.add(id)
    for (const id of await upsert(tx, tenantId, without, now, false)) changed.add(id)
    const carried = carrying.filter((incident) => changed.has(incident.id))
    await replaceAlertRows(
      tx,
      tenantId,
      carried.map((incident) => ({ incidentId: incident.id, alerts: alertsOf(incident) ?? [] })),
      'within',
    )
  }
  return changed
}

function* batches<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size)
}

const isMerged = (incident: RemoteIncident) => incident.redirectId !== null || incident.status === 'redirected'

/** A merged incident has no alerts of its own any more, whether its reading says so or not: they are the survivor's. */
const alertsOf = (incident: RemoteIncident) => incident.alerts ?? (isMerged(incident) ? [] : null)

async function upsert(
  tx: Tx,
  tenantId: string,
  incidents: readonly RemoteIncident[],
  now: Date,
  carriesAlerts: boolean,
): Promise<string[]> {
  if (incidents.length === 0) return []
  const changed = await tx
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
            ? { alert_count: eb.ref('excluded.alert_count'), search_text: eb.ref('excluded.search_text') }
            : {}),
        }))
        .where((eb) =>
          eb.or([
            eb('excluded.last_update_at', '>', eb.ref('incidents.last_update_at')),
            eb.and([
              eb('excluded.last_update_at', '=', eb.ref('incidents.last_update_at')),
              eb('excluded.content_hash', '!=', eb.ref('incidents.content_hash')),
            ]),
          ]),
        ),
    )
    .returning('incident_id')
    .execute()
  return changed.map((row) => row.incident_id)
}

/** The alerts of one incident, read by themselves. */
export async function storeAlertsOf(
  tx: Tx,
  tenantId: string,
  incident: Named,
  alerts: readonly RemoteAlert[],
  now: Date,
): Promise<void> {
  await replaceAlertRows(tx, tenantId, [{ incidentId: incident.id, alerts }], 'apart')
  await tx
    .updateTable('incidents')
    .set({ alert_count: alerts.length, alerts_read_at: now.toISOString(), search_text: searchText(incident, alerts) })
    .where('tenant_id', '=', tenantId)
    .where('incident_id', '=', incident.id)
    .execute()
}

/**
 * Each incident has the alerts that its own newest reading lists. One that moves between incidents may for a while be
 * with both or with none, as Microsoft said; in whatever order their readings arrive, the newest of each decides.
 */
async function replaceAlertRows(
  tx: Tx,
  tenantId: string,
  incidents: readonly { incidentId: string; alerts: readonly RemoteAlert[] }[],
  came: 'within' | 'apart',
): Promise<void> {
  if (incidents.length === 0) return
  await tx
    .deleteFrom('alerts')
    .where('tenant_id', '=', tenantId)
    .where(
      'incident_id',
      'in',
      incidents.map((incident) => incident.incidentId),
    )
    .execute()
  const rows = new Map<string, Insertable<Schema['alerts']>>()
  for (const { incidentId, alerts } of incidents) {
    for (const { original, ...facts } of alerts) {
      rows.set(JSON.stringify([incidentId, facts.id]), {
        tenant_id: tenantId,
        alert_id: facts.id,
        incident_id: incidentId,
        first_activity_at: facts.firstActivityAt ?? facts.createdAt,
        facts: JSON.stringify(facts),
        // What came within an incident stands in the original of that incident already.
        original: came === 'apart' ? JSON.stringify(original) : null,
      })
    }
  }
  for (const batch of batches([...rows.values()], alertBatch)) await tx.insertInto('alerts').values(batch).execute()
}

function toRow(tenantId: string, incident: RemoteIncident, now: Date) {
  const { alerts: _, original, ...facts } = incident
  const alerts = alertsOf(incident)
  const originalText = JSON.stringify(original)
  return {
    tenant_id: tenantId,
    incident_id: incident.id,
    title: storable(incident.title),
    severity: incident.severity,
    severity_rank: severityRank[incident.severity],
    status: incident.status,
    open: !isMerged(incident) && openStatuses.has(incident.status) ? 1 : 0,
    assigned_to: storable(incident.assignedTo),
    classification: storable(incident.classification),
    determination: storable(incident.determination),
    redirect_id: incident.redirectId,
    created_at: incident.createdAt,
    created_day: incident.createdAt.slice(0, 10),
    last_update_at: incident.lastUpdateAt,
    alert_count: alerts?.length ?? 0,
    alerts_read_at: alerts !== null ? now.toISOString() : null,
    search_text: searchText(incident, alerts ?? []),
    content_hash: createHash('sha256').update(originalText).digest('base64url'),
    facts: JSON.stringify(facts),
    original: originalText,
    first_seen_at: now.toISOString(),
    stored_at: now.toISOString(),
  }
}

/** PostgreSQL takes no NUL and SQLite stops reading at one; half a surrogate pair is no text to either. */
function storable<T extends string | null>(text: T): T {
  return (text === null ? null : text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\ufffd')) as T
}

function searchText(incident: Named, alerts: readonly RemoteAlert[]): string {
  const names = new Set([incident.title, incident.assignedTo ?? '', ...incident.tags])
  for (const alert of alerts) {
    names.add(alert.title)
    for (const entity of alert.entities) names.add(entity.name)
  }
  const text = [...names].filter((name) => name !== '').join('\n')
  return storable(text.toLowerCase().slice(0, searchLimit))
}
