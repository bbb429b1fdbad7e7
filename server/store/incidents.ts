import { sql } from 'kysely'
import { PortalError } from '../errors.ts'
import type { RemoteAlert, RemoteIncident, Severity } from '../microsoft/microsoft.ts'
import type { Database } from './database.ts'

/** One incident with everything its page shows. `original` is what Microsoft sent. */
export type StoredIncident = Omit<RemoteIncident, 'alerts' | 'original'> & {
  tenantId: string
  customerId: string
  customerName: string
  tenantName: string | null
  tenantDomain: string | null
  tenantLastReadAt: string | null
  /** The first 500 in time; `alertCount` is all of them. */
  alerts: RemoteAlert[]
  alertCount: number
  /** Null while the alerts of this version are still to be read. */
  alertsReadAt: string | null
  original: unknown
  firstSeenAt: string
  storedAt: string
}

export const severityRank: Record<Severity, number> = { high: 4, medium: 3, low: 2, informational: 1, unknown: 0 }

/** What of an incident the text search looks in, beside its alerts. */
export type Named = Pick<RemoteIncident, 'id' | 'title' | 'assignedTo' | 'tags'>

/** What cannot be read of one incident is often a matter of its size, and lasts. */
const alertsTriedEvery = 3_600_000

/** Incidents whose alerts are still to be read and were not refused lately: open ones first, worst first. */
export async function alertsDue(db: Database, tenantId: string, limit: number, now: Date): Promise<Named[]> {
  const before = new Date(now.getTime() - alertsTriedEvery).toISOString()
  const rows = await db
    .selectFrom('incidents')
    .select(['incident_id', 'title', 'assigned_to', 'facts'])
    .where('tenant_id', '=', tenantId)
    .where('alerts_read_at', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('rejected_items')
            .select('item')
            .whereRef('rejected_items.tenant_id', '=', 'incidents.tenant_id')
            .where('rejected_items.item', '=', sql<string>`incidents.incident_id || ' alerts'`)
            .where('rejected_items.last_seen_at', '>', before),
        ),
      ),
    )
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
      'incidents.alert_count',
      'incidents.alerts_read_at',
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
      original: alert.original === null ? null : (JSON.parse(alert.original) as unknown),
    })),
    alertCount: row.alert_count,
    alertsReadAt: row.alerts_read_at,
    original: JSON.parse(row.original) as unknown,
    firstSeenAt: row.first_seen_at,
    storedAt: row.stored_at,
  }
}

/** Merges of merges: more than anybody saw, and soon over. */
const longestMerge = 200

/** The incident at the end of a chain of merges; null when the chain leaves what is stored, or loops. */
export async function survivorOf(db: Database, tenantId: string, redirectId: string): Promise<string | null> {
  const passed = new Set<string>()
  let id = redirectId
  while (!passed.has(id) && passed.size < longestMerge) {
    passed.add(id)
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
