import { createHash } from 'node:crypto'
import type { RemoteAlert, RemoteIncident } from '../microsoft/microsoft.ts'
import { type Named, severityRank } from './incidents.ts'

const searchLimit = 4_000
/** Statuses that are open work. */
export const openStatuses: ReadonlySet<string> = new Set(['active', 'inProgress', 'awaitingAction', 'unknown'])

const isMerged = (incident: RemoteIncident) => incident.redirectId !== null || incident.status === 'redirected'

/** A merged incident has no alerts of its own any more, whether its reading says so or not: they are the survivor's. */
export const alertsOf = (incident: RemoteIncident) => incident.alerts ?? (isMerged(incident) ? [] : null)

/** An incident as its row. */
export function toRow(tenantId: string, incident: RemoteIncident, now: Date) {
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

/** What text search looks in: names and titles, lower case, bounded. */
export function searchText(incident: Named, alerts: readonly RemoteAlert[]): string {
  const names = new Set([incident.title, incident.assignedTo ?? '', ...incident.tags])
  for (const alert of alerts) {
    names.add(alert.title)
    for (const entity of alert.entities) names.add(entity.name)
  }
  const text = [...names].filter((name) => name !== '').join('\n')
  return storable(text.toLowerCase().slice(0, searchLimit))
}
