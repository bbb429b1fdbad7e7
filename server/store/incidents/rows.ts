import type { Selectable } from 'kysely'
import { isIdentifying } from '../../model/entity-identity.ts'
import type { EntityFact, IncidentPage, RejectedItem, RemoteAlert, RemoteIncident } from '../../model/incident.ts'
import type { Schema } from '../engine/schema.ts'
import { storableText } from '../engine/storable-text.ts'
import { type Named, severityRank } from './incidents.ts'

/**
 * Rises when what is stored is to be understood anew from what Microsoft sent. The index over older rows names it as well:
 * a migration puts another in its place.
 */
export const readingVersion = 2

/** As it is inserted: what Microsoft sent as the bytes that came. */
export type IncidentRow = Omit<Selectable<Schema['incidents']>, 'number' | 'gone_at' | 'original'> & {
  original: Uint8Array
}

/** A page as it is handed to the store: rows of plain text, which go to another thread for next to nothing. */
export interface PageOfRows {
  rows: IncidentRow[]
  rejected: RejectedItem[]
  /** The page says of itself that it is incomplete: it overwrites what is newer, and nothing that is as new. */
  partial: boolean
}

/** One incident that no engine would take is listed among the rejected, and takes no page with it. */
export function rowsOf(tenantId: string, page: IncidentPage, now: Date): PageOfRows {
  const rows: IncidentRow[] = []
  const rejected: RejectedItem[] = page.rejected.map(({ cause: _, ...item }) => item)
  for (const incident of page.incidents) {
    const row = toRow(tenantId, incident, now)
    const column = Object.entries(row).find(([, value]) => !isStorable(value))?.[0]
    if (column === undefined) rows.push(row)
    else rejected.push({ id: incident.id, reason: 'unreadable', detail: `${column} cannot be stored` })
  }
  return { rows, rejected, partial: page.partial !== undefined }
}

/** What both engines take; PostgreSQL would write a function as its source, and SQLite refuse it. */
const isStorable = (value: unknown) =>
  value === null ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  (typeof value === 'string' && value.isWellFormed() && !value.includes('\0')) ||
  value instanceof Uint8Array

const storableOrNull = (text: string | null) => (text === null ? null : storableText(text))

const searchLimit = 16_000
const longestSearched = 400
/** Statuses that are open work. */
export const openStatuses: ReadonlySet<string> = new Set(['active', 'inProgress', 'awaitingAction', 'unknown'])

const isMerged = (incident: RemoteIncident) => incident.redirectId !== null || incident.status === 'redirected'

/** A merged incident has no alerts of its own any more, whether its reading says so or not: they are the survivor's. */
const alertsOf = (incident: RemoteIncident) => incident.alerts ?? (isMerged(incident) ? [] : null)

/** An incident as its row. */
export function toRow(tenantId: string, incident: RemoteIncident, now: Date): IncidentRow {
  const { alerts: _, original, fingerprint, ...facts } = incident
  const alerts = alertsOf(incident)
  return {
    tenant_id: tenantId,
    incident_id: incident.id,
    title: storableText(incident.title),
    severity: incident.severity,
    severity_rank: severityRank[incident.severity],
    status: incident.status,
    open: !isMerged(incident) && openStatuses.has(incident.status) ? 1 : 0,
    assigned_to: storableOrNull(incident.assignedTo),
    classification: storableOrNull(incident.classification),
    determination: storableOrNull(incident.determination),
    redirect_id: incident.redirectId,
    created_at: incident.createdAt,
    created_day: incident.createdAt.slice(0, 10),
    last_update_at: incident.lastUpdateAt,
    alerts_read_at: alerts !== null ? now.toISOString() : null,
    search_text: searchText(incident, alerts ?? []),
    content_hash: fingerprint,
    facts: JSON.stringify(facts),
    original,
    ...alertsAsKept(alerts),
    first_seen_at: now.toISOString(),
    stored_at: now.toISOString(),
    reading_version: readingVersion,
  }
}

/** Each alert once, the earliest activity first. */
export const inStory = (alerts: readonly RemoteAlert[]): RemoteAlert[] =>
  [...new Map(alerts.map((alert) => [alert.id, alert])).values()].sort(byFirstActivity)

/** What is known of entities beyond their names stands in the original, and is more than all the rest. */
const withoutFacts = ({ original: _, entities, ...alert }: RemoteAlert) => ({
  ...alert,
  entities: entities.map(({ facts: _facts, ...entity }) => entity),
})

/** The alerts of an incident, as its row keeps them. */
export function alertsAsKept(alerts: readonly RemoteAlert[] | null) {
  if (alerts === null) return { alert_count: 0, alerts: null, alert_originals: null }
  const sorted = inStory(alerts)
  const apart = sorted.some(({ original }) => original !== null)
  return {
    alert_count: sorted.length,
    alerts: JSON.stringify(sorted.map(withoutFacts)),
    alert_originals: apart ? `[${sorted.map(({ original }) => original ?? 'null').join(',')}]` : null,
  }
}

const byFirstActivity = (a: RemoteAlert, b: RemoteAlert) => {
  const [one, other] = [a.firstActivityAt ?? a.createdAt ?? '', b.firstActivityAt ?? b.createdAt ?? '']
  if (one !== other) return one < other ? -1 : 1
  return a.id < b.id ? -1 : 1
}

/** What text search looks in: names and titles first, then what tells entities apart; lower case, bounded. */
export function searchText(incident: Named, alerts: readonly RemoteAlert[]): string {
  const names = new Set([incident.title, incident.assignedTo ?? '', ...incident.tags])
  const facts = new Set<string>()
  for (const alert of alerts) {
    names.add(alert.title)
    for (const entity of alert.entities) {
      names.add(entity.name)
      for (const fact of entity.facts ?? []) if (isSearched(fact)) facts.add(fact[1])
    }
  }
  const text = [...names, ...facts].filter((one) => one !== '').join('\n')
  return storableText(text.toLowerCase().slice(0, searchLimit))
}

/** Times and yes or no find everything; what is longer than a path is nobody's to type. */
const isSearched = (fact: EntityFact) => {
  const [code, value] = fact
  if (value.length < 3 || (value.length > longestSearched && code !== 'json')) return false
  return isIdentifying(fact) && value !== 'true' && value !== 'false' && !/^\d{4}-\d\d-\d\dT/.test(value)
}
