import type { IncidentStatus, Severity } from '../../model/incident.ts'
import type { Database } from '../engine/dialect.ts'
import { everything, type Scope, tenantWithin } from '../scope.ts'
import { severityRank } from './incidents.ts'
import { countOf, mostCounted, type QueueCount } from './queue-count.ts'
import { type Cursor, decodeCursor, encodeCursor, type Place, type QueueOrder } from './queue-cursor.ts'
import { type QueueFilter, type Selection, selectionOf } from './queue-filter.ts'
import { linesOf, type QueueRow } from './queue-lines.ts'

export { countQueue, type QueueCount } from './queue-count.ts'
export type { QueueOrder } from './queue-cursor.ts'
export type { QueueFilter } from './queue-filter.ts'

export interface QueueItem {
  tenantId: string
  incidentId: string
  customerId: string
  customerName: string
  tenantName: string | null
  tenantDomain: string | null
  /** When this tenant was last read: how fresh this line is. */
  lastReadAt: string | null
  firstActiveAt: string | null
  syncFailures: number
  partialSince: string | null
  pausedAt: string | null
  accessState: string
  title: string
  severity: Severity
  status: IncidentStatus
  assignedTo: string | null
  createdAt: string
  lastUpdateAt: string
  alertCount: number
}

export interface QueuePage {
  items: QueueItem[]
  /** Cursors for the neighbouring pages; null where there is none. Opaque, safe in a URL. */
  next: string | null
  previous: string | null
}

/**
 * One page of the queue, out of our own store.
 * @param page.at a cursor from a page before; one that cannot be read begins at the start
 */
export async function readQueue(
  db: Database,
  filter: QueueFilter,
  page: PageWanted,
  scope: Scope = everything,
): Promise<QueuePage> {
  return pageOf(db, await selectionOf(db, filter, scope), page)
}

interface PageWanted {
  order: QueueOrder
  limit: number
  at?: string | undefined
}

/** One page, and how many incidents there are on all of them. */
export async function openQueue(
  db: Database,
  filter: QueueFilter,
  wanted: PageWanted,
  scope: Scope = everything,
): Promise<QueuePage & { count: QueueCount }> {
  const selection = await selectionOf(db, filter, scope)
  const page = await pageOf(db, selection, wanted)
  const whole = page.next === null && page.previous === null
  return {
    ...page,
    count: whole ? { count: page.items.length, exact: true } : await countOf(db, selection, mostCounted),
  }
}

async function pageOf(db: Database, selection: Selection | null, page: PageWanted): Promise<QueuePage> {
  const cursor = page.at === undefined ? null : decodeCursor(page.at)
  const backwards = cursor?.direction === 'before'
  const rows = selection === null ? [] : await linesOf(db, selection, page.order, cursor, page.limit + 1)
  const more = rows.length > page.limit
  const shown = rows.slice(0, page.limit)
  if (backwards) shown.reverse()
  const first = shown[0]
  const last = shown.at(-1)
  return {
    items: shown.map((row) => ({
      tenantId: row.tenant_id,
      incidentId: row.incident_id,
      customerId: row.customer_id,
      customerName: row.customer_name,
      tenantName: row.tenant_name,
      tenantDomain: row.tenant_domain,
      lastReadAt: row.last_read_at,
      firstActiveAt: row.first_active_at,
      syncFailures: row.sync_failures,
      partialSince: row.partial_since,
      pausedAt: row.paused_at,
      accessState: row.access_state,
      title: row.title,
      severity: row.severity as Severity,
      status: row.status as IncidentStatus,
      assignedTo: row.assigned_to,
      createdAt: row.created_at,
      lastUpdateAt: row.last_update_at,
      alertCount: row.alert_count,
    })),
    next: last && (backwards || more) ? encodeCursor({ direction: 'after', place: placeOf(last) }) : null,
    previous:
      first && (backwards ? more : cursor !== null)
        ? encodeCursor({ direction: 'before', place: placeOf(first) })
        : null,
  }
}

/** The lines next to an incident in a queue, whether or not it still is in it itself. */
export async function neighboursOf(
  db: Database,
  filter: QueueFilter,
  order: QueueOrder,
  incident: { tenantId: string; incidentId: string; severity: Severity; open: boolean; lastUpdateAt: string },
  scope: Scope = everything,
): Promise<{ previous: QueueItem | null; next: QueueItem | null }> {
  const place: Place = {
    open: incident.open ? 1 : 0,
    rank: severityRank[incident.severity],
    updated: incident.lastUpdateAt,
    tenant: incident.tenantId,
    incident: incident.incidentId,
  }
  const beside = async (direction: Cursor['direction']) => {
    const page = await readQueue(db, filter, { order, limit: 1, at: encodeCursor({ direction, place }) }, scope)
    return page.items[0] ?? null
  }
  return { previous: await beside('before'), next: await beside('after') }
}

/** New incidents per UTC day and severity, from the day of `from` on: for the chart of the overview. */
export async function createdPerDay(
  db: Database,
  from: Date,
  scope: Scope = everything,
): Promise<{ day: string; severity: Severity; count: number }[]> {
  const since = from.toISOString().slice(0, 10)
  const rows = scope === everything ? await summedDays(db, since) : await countedDays(db, since, scope)
  return rows
    .map((row) => ({ day: row.day, severity: row.severity as Severity, count: Number(row.n) }))
    .filter(({ count }) => count > 0)
}

const summedDays = (db: Database, since: string) =>
  db
    .selectFrom('created_days')
    .select(({ fn }) => ['day', 'severity', fn.sum<number>('incidents').as('n')])
    .where('day', '>=', since)
    .groupBy(['day', 'severity'])
    .orderBy('day')
    .orderBy('severity')
    .execute()

/** The sums per day are over all tenants: those of some tenants are counted in an index of their incidents. */
const countedDays = (db: Database, since: string, scope: Scope) =>
  db
    .selectFrom('incidents')
    .select(({ fn }) => ['created_day as day', 'severity', fn.countAll<number>().as('n')])
    .where('created_day', '>=', since)
    .where('redirect_id', 'is', null)
    .where(tenantWithin(db, scope, 'tenant_id'))
    .groupBy(['created_day', 'severity'])
    .orderBy('created_day')
    .orderBy('severity')
    .execute()

const placeOf = (row: QueueRow): Place => ({
  open: row.open,
  rank: row.severity_rank,
  updated: row.last_update_at,
  tenant: row.tenant_id,
  incident: row.incident_id,
})
