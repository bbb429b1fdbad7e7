import { sql } from 'kysely'
import { PortalError } from '../../errors.ts'
import type { RemoteAlert, RemoteIncident, Severity } from '../../model/incident.ts'
import type { Database } from '../engine/dialect.ts'

/** One incident with everything its page shows. `original` is what Microsoft sent. */
export type StoredIncident = Omit<RemoteIncident, 'alerts' | 'original' | 'fingerprint'> & {
  tenantId: string
  customerId: string
  customerName: string
  tenantName: string | null
  tenantDomain: string | null
  tenantLastReadAt: string | null
  /** The earliest activity first. */
  alerts: StoredAlert[]
  alertCount: number
  /** Null while the alerts of this version are still to be read. */
  alertsReadAt: string | null
  /** JSON. */
  original: string
  /** JSON: what Microsoft sent of each alert, where they came by themselves; otherwise null. */
  alertOriginals: string | null
  firstSeenAt: string
  storedAt: string
  /** When Microsoft was found to list it no longer; what was read of it stays. */
  goneAt: string | null
}

export type StoredAlert = Omit<RemoteAlert, 'original'>

export const severityRank: Record<Severity, number> = { high: 4, medium: 3, low: 2, informational: 1, unknown: 0 }

/** What of an incident the text search looks in, beside its alerts. */
export type Named = Pick<RemoteIncident, 'id' | 'title' | 'assignedTo' | 'tags'>

/** @throws PortalError NOT_FOUND */
export async function getIncident(db: Database, tenantId: string, incidentId: string): Promise<StoredIncident> {
  const row = await db
    .selectFrom('incidents')
    .innerJoin('tenants', 'tenants.tenant_id', 'incidents.tenant_id')
    .innerJoin('customers', 'customers.id', 'tenants.customer_id')
    .where('incidents.tenant_id', '=', tenantId)
    .where('incidents.incident_id', '=', incidentId)
    .select([
      'incidents.facts',
      'incidents.original',
      'incidents.alerts',
      'incidents.alert_originals',
      'incidents.alert_count',
      'incidents.alerts_read_at',
      'incidents.first_seen_at',
      'incidents.stored_at',
      'incidents.gone_at',
      'customers.id as customer_id',
      'customers.name as customer_name',
      'tenants.display_name as tenant_name',
      'tenants.default_domain as tenant_domain',
      'tenants.last_read_at as tenant_last_read_at',
    ])
    .executeTakeFirst()
  if (!row) throw new PortalError('NOT_FOUND')
  return {
    ...(JSON.parse(row.facts) as Omit<RemoteIncident, 'alerts' | 'original' | 'fingerprint'>),
    tenantId,
    customerId: row.customer_id,
    customerName: row.customer_name,
    tenantName: row.tenant_name,
    tenantDomain: row.tenant_domain,
    tenantLastReadAt: row.tenant_last_read_at,
    alerts: JSON.parse(row.alerts ?? '[]') as StoredAlert[],
    alertCount: row.alert_count,
    alertsReadAt: row.alerts_read_at,
    original: row.original,
    alertOriginals: row.alert_originals,
    firstSeenAt: row.first_seen_at,
    storedAt: row.stored_at,
    goneAt: row.gone_at,
  }
}

/** Merges of merges: more than anybody saw, and soon over. */
const longestMerge = 200

/** The incident at the end of a chain of merges; null when the chain leaves what is stored, or loops. */
export async function findSurvivor(db: Database, tenantId: string, redirectId: string): Promise<string | null> {
  // A loop never comes to an incident without a redirect: it ends at the longest merge, with nothing found.
  const { rows } = await sql<{ incident_id: string }>`
    with recursive chain (incident_id, redirect_id, length) as (
      select incident_id, redirect_id, 1 from incidents where tenant_id = ${tenantId} and incident_id = ${redirectId}
      union all
      select next.incident_id, next.redirect_id, chain.length + 1 from chain join incidents as next
        on next.tenant_id = ${tenantId} and next.incident_id = chain.redirect_id
        where chain.length < ${longestMerge}
    )
    select incident_id from chain where redirect_id is null`.execute(db)
  return rows[0]?.incident_id ?? null
}

/** The incidents that were merged into this one, directly or by way of another, newest first. */
export async function mergedInto(
  db: Database,
  tenantId: string,
  incidentId: string,
): Promise<{ incidentId: string; title: string; lastUpdateAt: string }[]> {
  // `union` alone drops what came before: a loop ends by itself.
  const { rows } = await sql<{ incident_id: string; title: string; last_update_at: string }>`
    with recursive merged (incident_id, title, last_update_at) as (
      select incident_id, title, last_update_at from incidents
        where tenant_id = ${tenantId} and redirect_id = ${incidentId}
      union
      select former.incident_id, former.title, former.last_update_at from merged join incidents as former
        on former.tenant_id = ${tenantId} and former.redirect_id = merged.incident_id
    )
    select * from merged where incident_id <> ${incidentId} order by last_update_at desc, incident_id limit 50`.execute(
    db,
  )
  return rows.map((row) => ({ incidentId: row.incident_id, title: row.title, lastUpdateAt: row.last_update_at }))
}
