import { type RawBuilder, type SqlBool, sql } from 'kysely'
import type { IncidentStatus, Severity } from '../../model/incident.ts'
import type { Database } from '../engine/dialect.ts'
import { everything, type Scope, within } from '../scope.ts'
import { severityRank } from './incidents.ts'
import type { Place, QueueOrder } from './queue-cursor.ts'
import { isQuicklyLocated, type Located, locate, matches, mayMatch, type TextMatch, textMatch } from './queue-search.ts'

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

/** A filter in the terms of the indexes. */
export interface Selection {
  /** Null for every tenant that is not offboarded. */
  tenants: readonly string[] | null
  open: 0 | 1 | null
  ranks: readonly number[] | null
  status: string | null
  text: TextMatch | null
  /** Null until the index has been asked. */
  located: Located | null
}

const closedStatuses: ReadonlySet<string> = new Set(['closed', 'resolved'])

/** Null when nothing can match. */
export async function selectionOf(db: Database, filter: QueueFilter, scope: Scope): Promise<Selection | null> {
  const tenants = await tenantsIn(db, filter, scope)
  if (tenants?.length === 0) return null
  const { status, severities } = filter
  const text = filter.text === undefined ? null : textMatch(filter.text)
  const located = text !== null && isQuicklyLocated(db) ? await locate(db, text) : null
  if (located?.candidates?.length === 0) return null
  return {
    tenants,
    // Said beside an exact status as well: it is what the indexes begin with.
    open: status === undefined ? null : closedStatuses.has(status) ? 0 : 1,
    ranks: severities?.length ? [...new Set(severities.map((severity) => severityRank[severity]))] : null,
    status: status === undefined || status === 'open' || status === 'closed' ? null : status,
    text,
    located,
  }
}

async function tenantsIn(db: Database, filter: QueueFilter, scope: Scope): Promise<string[] | null> {
  const { tenantId, customerIds = [], groups = [] } = filter
  if (scope === everything && customerIds.length === 0 && groups.length === 0) {
    return tenantId === undefined ? null : [tenantId]
  }
  let query = db
    .selectFrom('tenants')
    .select('tenant_id')
    .where(within(db, scope, 'customer_id'))
  if (tenantId === undefined) query = query.where('access_state', '!=', 'offboarded')
  else query = query.where('tenant_id', '=', tenantId)
  if (customerIds.length > 0) query = query.where('customer_id', 'in', [...customerIds])
  if (groups.length > 0) {
    query = query.where('customer_id', 'in', (eb) =>
      eb
        .selectFrom('customer_groups')
        .select('customer_groups.customer_id')
        .where('name', 'in', [...groups]),
    )
  }
  return (await query.execute()).map((row) => row.tenant_id)
}

/** More runs than this cost more than they save. */
const mostRuns = 60
const allRanks = Object.values(severityRank)

/**
 * The parts of a selection that an index holds in the order asked for: a page is the merge of their beginnings, however
 * many incidents there are and however few of them match.
 */
export function runsOf(selection: Selection, order: QueueOrder): Partial<Place>[] {
  const byRank = order === 'newest' || selection.ranks !== null
  const opens = selection.open !== null ? [selection.open] : byRank ? [1, 0] : [undefined]
  const ranks = selection.ranks ?? (byRank ? allRanks : [undefined])
  const parts = opens.flatMap((open) =>
    ranks.map((rank) => ({ ...(open === undefined ? {} : { open }), ...(rank === undefined ? {} : { rank }) })),
  )
  if (selection.tenants === null || selection.tenants.length * parts.length > mostRuns) return parts
  return selection.tenants.flatMap((tenant) => parts.map((part) => ({ ...part, tenant })))
}

/** A selection within one run, as SQL over `incidents`. */
export function conditions(selection: Selection, run: Partial<Place>): RawBuilder<SqlBool> {
  const open = run.open ?? selection.open
  const all: RawBuilder<unknown>[] = [sql`redirect_id is null`]
  if (open !== null) all.push(sql`open = ${open}`)
  if (run.rank !== undefined) all.push(sql`severity_rank = ${run.rank}`)
  else if (selection.ranks !== null) all.push(sql`severity_rank in (${sql.join(selection.ranks)})`)
  if (run.tenant !== undefined) all.push(sql`tenant_id = ${run.tenant}`)
  else if (selection.tenants !== null) all.push(sql`tenant_id in (${sql.join(selection.tenants)})`)
  // What an offboarded customer's tenants held is history: it is nobody's to work on.
  else all.push(sql`tenant_id not in (select tenant_id from tenants where access_state = 'offboarded')`)
  if (selection.status !== null) all.push(sql`status = ${selection.status}`)
  const { text, located } = selection
  if (located?.candidates) all.push(sql`number in (${sql.join(located.candidates)})`)
  else if (text && located) all.push(...[mayMatch(text, located)].filter((one) => one !== null))
  if (text) all.push(matches(text))
  return sql<SqlBool>`${sql.join(all, sql` and `)}`
}
