import { type Expression, type SqlBool, sql } from 'kysely'
import type { IncidentStatus, Severity } from '../microsoft/microsoft.ts'
import type { Database } from './database.ts'
import { severityRank } from './incidents.ts'

/** What narrows the queue. Empty lists narrow nothing. */
export interface QueueFilter {
  customerIds?: readonly string[]
  tenantId?: string
  groups?: readonly string[]
  severities?: readonly Severity[]
  /** `open` and `closed` stand for the statuses that are. */
  status?: 'open' | 'closed' | Exclude<IncidentStatus, 'redirected'>
  /** Found in title, people, devices, addresses, files; or the incident's number. */
  text?: string
}

/** Worst first: severity, then the newest change. Newest: by the last change alone. */
export type QueueOrder = 'worst' | 'newest'

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

/** The place between two lines of the queue, held by the sort key of a line and not by a count: stable while incidents come. */
interface Place {
  rank: number
  updated: string
  tenant: string
  incident: string
}

/**
 * One page of the queue, out of our own store.
 * @param at a cursor from a page before; one that cannot be read begins at the start
 */
export async function readQueue(
  db: Database,
  filter: QueueFilter,
  page: { order: QueueOrder; limit: number; at?: string | undefined },
): Promise<QueuePage> {
  const place = page.at === undefined ? null : decode(page.at)
  const backwards = place?.direction === 'before'
  let query = matching(db, filter)
    .innerJoin('customers', 'customers.id', 'tenants.customer_id')
    .select([
      'incidents.tenant_id',
      'incidents.incident_id',
      'incidents.title',
      'incidents.severity',
      'incidents.severity_rank',
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
    .limit(page.limit + 1)
  const down = backwards ? ('asc' as const) : ('desc' as const)
  const up = backwards ? ('desc' as const) : ('asc' as const)
  if (page.order === 'worst') query = query.orderBy('incidents.severity_rank', down)
  query = query
    .orderBy('incidents.last_update_at', down)
    .orderBy('incidents.tenant_id', up)
    .orderBy('incidents.incident_id', up)
  if (place) query = query.where(beyond(place.place, page.order, backwards))
  const rows = await query.execute()
  const more = rows.length > page.limit
  const shown = rows.slice(0, page.limit)
  if (backwards) shown.reverse()
  const first = shown[0]
  const last = shown.at(-1)
  const keyOf = (row: (typeof rows)[number]): Place => ({
    rank: row.severity_rank,
    updated: row.last_update_at,
    tenant: row.tenant_id,
    incident: row.incident_id,
  })
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
    next: last && (backwards || more) ? encode('after', keyOf(last)) : null,
    previous: first && (backwards ? more : place !== null) ? encode('before', keyOf(first)) : null,
  }
}

/** How many incidents match, counted up to `cap`: `exact` is false when there are at least that many. */
export async function countQueue(
  db: Database,
  filter: QueueFilter,
  cap = 10_000,
): Promise<{ count: number; exact: boolean }> {
  const row = await db
    .selectFrom(matching(db, filter).select('incidents.incident_id').limit(cap).as('some'))
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return { count: Number(row.n), exact: Number(row.n) < cap }
}

/** New incidents per UTC day and severity since `from`, for the chart of the overview. */
export async function createdPerDay(
  db: Database,
  from: Date,
): Promise<{ day: string; severity: Severity; count: number }[]> {
  const day = sql<string>`substr(created_at, 1, 10)`
  const rows = await db
    .selectFrom('incidents')
    .select(({ fn }) => [day.as('day'), 'severity', fn.countAll<number>().as('n')])
    .where('created_at', '>=', from.toISOString())
    .where('redirect_id', 'is', null)
    .groupBy([day, 'severity'])
    .execute()
  return rows.map((row) => ({ day: row.day, severity: row.severity as Severity, count: Number(row.n) }))
}

function matching(db: Database, filter: QueueFilter) {
  let query = db
    .selectFrom('incidents')
    .innerJoin('tenants', 'tenants.tenant_id', 'incidents.tenant_id')
    .where('incidents.redirect_id', 'is', null)
  if (filter.tenantId !== undefined) query = query.where('incidents.tenant_id', '=', filter.tenantId)
  if (filter.customerIds?.length) query = query.where('tenants.customer_id', 'in', [...filter.customerIds])
  if (filter.groups?.length) {
    query = query.where('tenants.customer_id', 'in', (eb) =>
      eb
        .selectFrom('customer_groups')
        .select('customer_groups.customer_id')
        .where('customer_groups.name', 'in', [...(filter.groups ?? [])]),
    )
  }
  if (filter.severities?.length) {
    query = query.where(
      'incidents.severity_rank',
      'in',
      filter.severities.map((severity) => severityRank[severity]),
    )
  }
  if (filter.status === 'open') query = query.where('incidents.open', '=', 1)
  else if (filter.status === 'closed') query = query.where('incidents.open', '=', 0)
  else if (filter.status !== undefined) query = query.where('incidents.status', '=', filter.status)
  const text = filter.text?.trim().toLowerCase()
  if (text) {
    const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`
    const number = text.replace(/^#/, '')
    query = query.where((eb) =>
      eb.or([
        sql<SqlBool>`incidents.search_text like ${pattern} escape '\\'`,
        eb('incidents.incident_id', '=', number),
      ]),
    )
  }
  return query
}

/** The lines after a place, or before it; the first comparison is what lets the index skip to it. */
function beyond(place: Place, order: QueueOrder, backwards: boolean): Expression<SqlBool> {
  const down = backwards ? sql`>` : sql`<`
  const up = backwards ? sql`<` : sql`>`
  const tail = sql`(incidents.last_update_at ${down} ${place.updated} or (incidents.last_update_at = ${place.updated} and (
    incidents.tenant_id ${up} ${place.tenant} or (incidents.tenant_id = ${place.tenant} and incidents.incident_id ${up} ${place.incident}))))`
  if (order === 'newest') return sql<SqlBool>`incidents.last_update_at ${down}= ${place.updated} and ${tail}`
  return sql<SqlBool>`incidents.severity_rank ${down}= ${place.rank} and
    (incidents.severity_rank ${down} ${place.rank} or ${tail})`
}

function encode(direction: 'after' | 'before', place: Place): string {
  return Buffer.from(JSON.stringify([direction, place.rank, place.updated, place.tenant, place.incident])).toString(
    'base64url',
  )
}

function decode(cursor: string): { direction: 'after' | 'before'; place: Place } | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor.slice(0, 600), 'base64url').toString())
    if (!Array.isArray(parts) || parts.length !== 5) return null
    const [direction, rank, ...texts] = parts as unknown[]
    if (direction !== 'after' && direction !== 'before') return null
    if (typeof rank !== 'number' || !Number.isInteger(rank)) return null
    const [updated, tenant, incident] = texts
    if (typeof updated !== 'string' || typeof tenant !== 'string' || typeof incident !== 'string') return null
    return { direction, place: { rank, updated, tenant, incident } }
  } catch {
    return null
  }
}
