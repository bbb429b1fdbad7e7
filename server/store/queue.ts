import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { IncidentStatus, Severity } from '../microsoft/microsoft.ts'
import type { Database } from './database.ts'
import { severityRank } from './incidents.ts'
import {
  beyond,
  type Cursor,
  decodeCursor,
  encodeCursor,
  ordering,
  type Place,
  type QueueOrder,
} from './queue-place.ts'
import { conditions, type QueueFilter, runsOf, type Scope, scopeOf } from './queue-scope.ts'

export type { QueueOrder } from './queue-place.ts'
export type { QueueFilter } from './queue-scope.ts'

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
  page: { order: QueueOrder; limit: number; at?: string | undefined },
): Promise<QueuePage> {
  const cursor = page.at === undefined ? null : decodeCursor(page.at)
  const backwards = cursor?.direction === 'before'
  const scope = await scopeOf(db, filter)
  const rows = scope === null ? [] : await linesOf(db, scope, page.order, cursor, page.limit + 1)
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
): Promise<{ previous: QueueItem | null; next: QueueItem | null }> {
  const place: Place = {
    open: incident.open ? 1 : 0,
    rank: severityRank[incident.severity],
    updated: incident.lastUpdateAt,
    tenant: incident.tenantId,
    incident: incident.incidentId,
  }
  const beside = async (direction: Cursor['direction']) => {
    const page = await readQueue(db, filter, { order, limit: 1, at: encodeCursor({ direction, place }) })
    return page.items[0] ?? null
  }
  return { previous: await beside('before'), next: await beside('after') }
}

/** Text that many incidents hold is counted no further than this: each of them has to be read for it. */
const textCap = 500

/** How many incidents match, counted up to `cap`: `exact` is false when there are at least that many. */
export async function countQueue(
  db: Database,
  filter: QueueFilter,
  cap = 10_000,
): Promise<{ count: number; exact: boolean }> {
  const scope = await scopeOf(db, filter)
  if (scope === null) return { count: 0, exact: true }
  const limit = scope.text !== null && scope.text.candidates === null ? Math.min(cap, textCap) : cap
  const parts = (scope.text?.candidates ? [{}] : runsOf(scope, 'newest')).map(
    (run) => sql`select incident_id from incidents where ${conditions(scope, run)}`,
  )
  const { rows } = await sql<{ n: number }>`select count(*) as n from (
    ${sql.join(parts, sql` union all `)} limit ${limit}) as counted`.execute(db)
  const count = Number(rows[0]?.n ?? 0)
  return { count, exact: count < limit }
}

/** New incidents per UTC day and severity, from the day of `from` on: for the chart of the overview. */
export async function createdPerDay(
  db: Database,
  from: Date,
): Promise<{ day: string; severity: Severity; count: number }[]> {
  const rows = await db
    .selectFrom('incidents')
    .select(({ fn }) => ['created_day', 'severity', fn.countAll<number>().as('n')])
    .where('created_day', '>=', from.toISOString().slice(0, 10))
    .where('redirect_id', 'is', null)
    .groupBy(['created_day', 'severity'])
    .orderBy('created_day')
    .orderBy('severity')
    .execute()
  return rows.map((row) => ({ day: row.created_day, severity: row.severity as Severity, count: Number(row.n) }))
}

async function linesOf(db: Database, scope: Scope, order: QueueOrder, cursor: Cursor | null, limit: number) {
  const backwards = cursor?.direction === 'before'
  const sorted = (conditions: RawBuilder<SqlBool>) => sql`
    select open, severity_rank, last_update_at, tenant_id, incident_id from incidents
    where ${conditions} order by ${ordering(order, backwards)} limit ${limit}`
  // What is found by its text is few enough to be sorted as it is.
  const runs = scope.text?.candidates ? [{}] : runsOf(scope, order)
  const parts = runs.flatMap((run) => {
    const bound = cursor === null ? 'all' : beyond(cursor, order, run)
    if (bound === 'none') return []
    const within = conditions(scope, run)
    return [sorted(bound === 'all' ? within : sql<SqlBool>`${within} and ${bound}`)]
  })
  if (parts.length === 0) return []
  const merged = sql.join(
    parts.map((part) => sql`select * from (${part}) as run`),
    sql` union all `,
  )
  const keys = sql<
    Pick<QueueRow, 'tenant_id' | 'incident_id'>
  >`(select * from (${merged}) as merged order by ${ordering(order, backwards)} limit ${limit})`
  return (
    db
      .selectFrom(keys.as('line'))
      // SQLite joins in the order written when the joins are cross joins: the page first, and not all there is for it.
      .crossJoin('incidents')
      .crossJoin('tenants')
      .crossJoin('customers')
      .whereRef('incidents.tenant_id', '=', 'line.tenant_id')
      .whereRef('incidents.incident_id', '=', 'line.incident_id')
      .whereRef('tenants.tenant_id', '=', 'incidents.tenant_id')
      .whereRef('customers.id', '=', 'tenants.customer_id')
      .select([
        'incidents.tenant_id',
        'incidents.incident_id',
        'incidents.title',
        'incidents.severity',
        'incidents.severity_rank',
        'incidents.open',
        'incidents.status',
        'incidents.assigned_to',
        'incidents.created_at',
        'incidents.last_update_at',
        'incidents.alert_count',
        'customers.id as customer_id',
        'customers.name as customer_name',
        'tenants.display_name as tenant_name',
        'tenants.default_domain as tenant_domain',
        'tenants.last_read_at',
        'tenants.first_active_at',
        'tenants.access_state',
      ])
      .orderBy(ordering(order, backwards, 'incidents'))
      .execute()
  )
}

interface QueueRow {
  open: number
  severity_rank: number
  last_update_at: string
  tenant_id: string
  incident_id: string
}

const placeOf = (row: QueueRow): Place => ({
  open: row.open,
  rank: row.severity_rank,
  updated: row.last_update_at,
  tenant: row.tenant_id,
  incident: row.incident_id,
})
