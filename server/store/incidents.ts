import { createHash } from 'node:crypto'
import { type Insertable, sql } from 'kysely'
import { PortalError } from '../errors.ts'
import type { RejectedItem, RemoteAlert, RemoteIncident, Severity } from '../microsoft/microsoft.ts'
import type { Database, Tx } from './database.ts'
import type { Schema } from './schema.ts'

/** One incident with everything its page shows. `original` is what Microsoft sent. */
export type StoredIncident = Omit<RemoteIncident, 'alerts' | 'original'> & {
  tenantId: string
  customerId: string
  customerName: string
  tenantName: string | null
  tenantDomain: string | null
  tenantLastReadAt: string | null
  alerts: RemoteAlert[]
  original: unknown
  firstSeenAt: string
  storedAt: string
}

export const severityRank: Record<Severity, number> = { high: 4, medium: 3, low: 2, informational: 1, unknown: 0 }

const searchLimit = 4_000
/** Rows in one statement: far below both engines' limits on parameters. */
const alertBatch = 500
const openStatuses = new Set(['active', 'inProgress', 'awaitingAction', 'unknown'])

/** What of an incident the text search looks in, beside its alerts. */
type Named = Pick<RemoteIncident, 'id' | 'title' | 'assignedTo' | 'tags'>

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
  const all = [...latest.values()]
  const withAlerts = all.filter((incident) => incident.alerts !== null)
  const without = all.filter((incident) => incident.alerts === null)
  const changed = new Set([
    ...(await upsert(tx, tenantId, withAlerts, now, true)),
    ...(await upsert(tx, tenantId, without, now, false)),
  ])
  const carried = withAlerts.filter((incident) => changed.has(incident.id))
  await replaceAlertRows(
    tx,
    tenantId,
    carried.map((incident) => ({ incidentId: incident.id, alerts: incident.alerts ?? [] })),
  )
  return changed
}

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
  await replaceAlertRows(tx, tenantId, [{ incidentId: incident.id, alerts }])
  await tx
    .updateTable('incidents')
    .set({ alert_count: alerts.length, alerts_read_at: now.toISOString(), search_text: searchText(incident, alerts) })
    .where('tenant_id', '=', tenantId)
    .where('incident_id', '=', incident.id)
    .execute()
}

/** Incidents whose alerts are still to be read: open ones first, worst first. */
export async function alertsDue(db: Database, tenantId: string, limit: number): Promise<Named[]> {
  const rows = await db
    .selectFrom('incidents')
    .select(['incident_id', 'title', 'assigned_to', 'facts'])
    .where('tenant_id', '=', tenantId)
    .where('alerts_read_at', 'is', null)
    .orderBy('open', 'desc')
    .orderBy('severity_rank', 'desc')
    .orderBy('last_update_at', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    id: row.incident_id,
    title: row.title,
    assignedTo: row.assigned_to,
    tags: (JSON.parse(row.facts) as RemoteIncident).tags,
  }))
}

/** An alert that moved here from a merged incident is taken over: it belongs to one incident at a time. */
async function replaceAlertRows(
  tx: Tx,
  tenantId: string,
  incidents: readonly { incidentId: string; alerts: readonly RemoteAlert[] }[],
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
      rows.set(facts.id, {
        tenant_id: tenantId,
        alert_id: facts.id,
        incident_id: incidentId,
        first_activity_at: facts.firstActivityAt ?? facts.createdAt,
        facts: JSON.stringify(facts),
        original: JSON.stringify(original),
      })
    }
  }
  const distinct = [...rows.values()]
  for (let start = 0; start < distinct.length; start += alertBatch) {
    await tx
      .insertInto('alerts')
      .values(distinct.slice(start, start + alertBatch))
      .onConflict((oc) =>
        oc.columns(['tenant_id', 'alert_id']).doUpdateSet((eb) => ({
          incident_id: eb.ref('excluded.incident_id'),
          first_activity_at: eb.ref('excluded.first_activity_at'),
          facts: eb.ref('excluded.facts'),
          original: eb.ref('excluded.original'),
        })),
      )
      .execute()
  }
}

/** Keeps the tenant's counters in step with its incidents; called in the transaction that changed them. */
export async function recount(tx: Tx, tenantId: string, now: Date): Promise<{ firstIncident: boolean }> {
  const groups = await tx
    .selectFrom('incidents')
    .select(({ fn, eb }) => [
      'severity',
      fn.countAll<number>().as('n'),
      fn.sum<number | null>(eb.case().when('assigned_to', 'is', null).then(1).else(0).end()).as('unassigned'),
    ])
    .where('tenant_id', '=', tenantId)
    .where('open', '=', 1)
    .where('redirect_id', 'is', null)
    .groupBy('severity')
    .execute()
  const total = await tx
    .selectFrom('incidents')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where('tenant_id', '=', tenantId)
    .where('redirect_id', 'is', null)
    .executeTakeFirstOrThrow()
  const count = (severity: Severity) => Number(groups.find((group) => group.severity === severity)?.n ?? 0)
  await tx
    .updateTable('tenants')
    .set({
      open_high: count('high'),
      open_medium: count('medium'),
      open_low: count('low'),
      open_informational: count('informational'),
      open_unknown: count('unknown'),
      open_unassigned: groups.reduce((sum, group) => sum + Number(group.unassigned ?? 0), 0),
      incident_count: Number(total.n),
    })
    .where('tenant_id', '=', tenantId)
    .execute()
  if (Number(total.n) === 0) return { firstIncident: false }
  const first = await tx
    .updateTable('tenants')
    .set({ first_incident_at: now.toISOString() })
    .where('tenant_id', '=', tenantId)
    .where('first_incident_at', 'is', null)
    .executeTakeFirst()
  return { firstIncident: first.numUpdatedRows > 0n }
}

/** What of a page was not understood: kept by name, once, so that somebody can look. */
export async function recordRejected(
  tx: Tx,
  tenantId: string,
  items: readonly RejectedItem[],
  now: Date,
): Promise<void> {
  for (const item of items.slice(0, 100)) {
    await tx
      .insertInto('rejected_items')
      .values({
        tenant_id: tenantId,
        item: item.id ?? `?${item.reason}`,
        reason: item.reason,
        detail: item.detail,
        first_seen_at: now.toISOString(),
        last_seen_at: now.toISOString(),
      })
      .onConflict((oc) =>
        oc.columns(['tenant_id', 'item']).doUpdateSet({
          reason: item.reason,
          detail: item.detail,
          last_seen_at: now.toISOString(),
        }),
      )
      .execute()
  }
}

/** Items that were understood in the end are no longer listed. */
export async function forgetRejected(tx: Tx, tenantId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx
    .deleteFrom('rejected_items')
    .where('tenant_id', '=', tenantId)
    .where('item', 'in', [...ids])
    .execute()
}

export async function rejectedOf(
  db: Database,
  tenantId: string,
): Promise<
  { item: string; reason: RejectedItem['reason']; detail: string; firstSeenAt: string; lastSeenAt: string }[]
> {
  const rows = await db
    .selectFrom('rejected_items')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('last_seen_at', 'desc')
    .limit(100)
    .execute()
  return rows.map((row) => ({
    item: row.item,
    reason: row.reason as RejectedItem['reason'],
    detail: row.detail,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  }))
}

/** @throws PortalError NOT_FOUND */
export async function incidentById(db: Database, tenantId: string, incidentId: string): Promise<StoredIncident> {
  const row = await db
    .selectFrom('incidents')
    .innerJoin('tenants', 'tenants.tenant_id', 'incidents.tenant_id')
    .innerJoin('customers', 'customers.id', 'tenants.customer_id')
    .where('incidents.tenant_id', '=', tenantId)
    .where('incidents.incident_id', '=', incidentId)
    .select([
      'incidents.facts',
      'incidents.original',
      'incidents.first_seen_at',
      'incidents.stored_at',
      'customers.id as customer_id',
      'customers.name as customer_name',
      'tenants.display_name as tenant_name',
      'tenants.default_domain as tenant_domain',
      'tenants.last_read_at as tenant_last_read_at',
    ])
    .executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  const alerts = await db
    .selectFrom('alerts')
    .select(['facts', 'original'])
    .where('tenant_id', '=', tenantId)
    .where('incident_id', '=', incidentId)
    .orderBy(sql`coalesce(first_activity_at, '')`)
    .orderBy('alert_id')
    .limit(500)
    .execute()
  return {
    ...(JSON.parse(row.facts) as Omit<RemoteIncident, 'alerts' | 'original'>),
    tenantId,
    customerId: row.customer_id,
    customerName: row.customer_name,
    tenantName: row.tenant_name,
    tenantDomain: row.tenant_domain,
    tenantLastReadAt: row.tenant_last_read_at,
    alerts: alerts.map((alert) => ({
      ...(JSON.parse(alert.facts) as Omit<RemoteAlert, 'original'>),
      original: JSON.parse(alert.original) as unknown,
    })),
    original: JSON.parse(row.original) as unknown,
    firstSeenAt: row.first_seen_at,
    storedAt: row.stored_at,
  }
}

/** The incident at the end of a chain of merges; null when the chain leaves what is stored, or loops. */
export async function survivorOf(db: Database, tenantId: string, redirectId: string): Promise<string | null> {
  let id = redirectId
  for (let hops = 0; hops < 20; hops++) {
    const row = await db
      .selectFrom('incidents')
      .select('redirect_id')
      .where('tenant_id', '=', tenantId)
      .where('incident_id', '=', id)
      .executeTakeFirst()
    if (!row) return null
    if (row.redirect_id === null) return id
    id = row.redirect_id
  }
  return null
}

/** The incidents that were merged into this one directly, newest first. */
export async function mergedInto(
  db: Database,
  tenantId: string,
  incidentId: string,
): Promise<{ incidentId: string; title: string; lastUpdateAt: string }[]> {
  const rows = await db
    .selectFrom('incidents')
    .select(['incident_id', 'title', 'last_update_at'])
    .where('tenant_id', '=', tenantId)
    .where('redirect_id', '=', incidentId)
    .orderBy('last_update_at', 'desc')
    .limit(50)
    .execute()
  return rows.map((row) => ({ incidentId: row.incident_id, title: row.title, lastUpdateAt: row.last_update_at }))
}

function toRow(tenantId: string, incident: RemoteIncident, now: Date) {
  const { alerts, original, ...facts } = incident
  const originalText = JSON.stringify(original)
  const merged = incident.redirectId !== null || incident.status === 'redirected'
  return {
    tenant_id: tenantId,
    incident_id: incident.id,
    title: incident.title,
    severity: incident.severity,
    severity_rank: severityRank[incident.severity],
    status: incident.status,
    open: !merged && openStatuses.has(incident.status) ? 1 : 0,
    assigned_to: incident.assignedTo,
    classification: incident.classification,
    determination: incident.determination,
    redirect_id: incident.redirectId,
    created_at: incident.createdAt,
    last_update_at: incident.lastUpdateAt,
    alert_count: alerts?.length ?? 0,
    // A merged incident has no alerts of its own any more: nothing is due.
    alerts_read_at: alerts !== null || merged ? now.toISOString() : null,
    search_text: searchText(incident, alerts ?? []),
    content_hash: createHash('sha256').update(originalText).digest('base64url'),
    facts: JSON.stringify(facts),
    original: originalText,
    first_seen_at: now.toISOString(),
    stored_at: now.toISOString(),
  }
}

function searchText(incident: Named, alerts: readonly RemoteAlert[]): string {
  const names = new Set([incident.title, incident.assignedTo ?? '', ...incident.tags])
  for (const alert of alerts) {
    names.add(alert.title)
    for (const entity of alert.entities) names.add(entity.name)
  }
  return [...names]
    .filter((name) => name !== '')
    .join('\n')
    .toLowerCase()
    .slice(0, searchLimit)
}
