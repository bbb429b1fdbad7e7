import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { type Database, isPostgres } from '../engine/dialect.ts'
import { beyond, type Cursor, ordering, type QueueOrder } from './queue-cursor.ts'
import { conditions, runsOf, type Selection } from './queue-filter.ts'
import { type Located, locate, matches, type TextMatch } from './queue-search.ts'

/** So many lines are looked through for a text that many hold, before all that hold it are gathered. */
export const lookedThrough = 500

export const withoutText = (selection: Selection): Selection => ({ ...selection, text: null, located: null })

/** Asks the index, once for the page and its count. */
export async function located(db: Database, selection: Selection, text: TextMatch): Promise<Located> {
  selection.located ??= await locate(db, text)
  return selection.located
}

/**
 * Whether what matches is found by its text and sorted then, instead of being met in the order of an index: candidates
 * are few enough, and PostgreSQL's index names all that hold a text at once.
 */
export const gathers = (db: Database, { text, located }: Selection) =>
  text !== null && (Boolean(located?.candidates) || isPostgres(db))

/** The first lines of a selection beyond a cursor, with what the queue shows of them. */
export async function linesOf(
  db: Database,
  selection: Selection,
  order: QueueOrder,
  cursor: Cursor | null,
  limit: number,
) {
  const { text } = selection
  if (text === null || selection.located?.candidates)
    return linesAt(db, keysOf(db, selection, order, cursor, limit), order, cursor)
  // A word that many hold is found among the first lines there are, and the others need not be known for it.
  const first = keysOf(db, withoutText(selection), order, cursor, lookedThrough)
  const lines = await linesAt(db, first, order, cursor, { text, limit })
  if (lines.length >= limit || first === null) return lines
  const { rows } = await sql<{ n: number }>`select count(*) as n from ${first} as line`.execute(db)
  if (Number(rows[0]?.n ?? 0) < lookedThrough) return lines
  if ((await located(db, selection, text)).candidates?.length === 0) return []
  return linesAt(db, keysOf(db, selection, order, cursor, limit), order, cursor)
}

/** The keys of the first lines there are beyond the cursor, as a table; null when there can be none. */
export function keysOf(
  db: Database,
  selection: Selection,
  order: QueueOrder,
  cursor: Cursor | null,
  limit: number,
): Keys | null {
  const backwards = cursor?.direction === 'before'
  const columns = sql`open, severity_rank, last_update_at, tenant_id, incident_id`
  const sorted = (conditions: RawBuilder<SqlBool>) => sql`
    select ${columns} from incidents where ${conditions} order by ${ordering(order, backwards)} limit ${limit}`
  if (selection.text !== null && gathers(db, selection)) {
    const bound = cursor === null ? null : beyond(cursor, order, {})
    // Materialized: expecting the next match just around the corner, PostgreSQL would walk the queue for it.
    const keys = sql`select ${columns} from incidents where ${conditions(selection, {})}`
    return sql`(with found as materialized (${keys}) select * from found
      ${bound === null || bound === 'all' || bound === 'none' ? sql`` : sql`where ${bound}`}
      order by ${ordering(order, backwards)} limit ${limit})`
  }
  const parts = runsOf(selection, order).flatMap((run) => {
    const bound = cursor === null ? 'all' : beyond(cursor, order, run)
    if (bound === 'none') return []
    const within = conditions(selection, run)
    return [sorted(bound === 'all' ? within : sql<SqlBool>`${within} and ${bound}`)]
  })
  if (parts.length === 0) return null
  const merged = sql.join(
    parts.map((part) => sql`select * from (${part}) as run`),
    sql` union all `,
  )
  return sql`(select * from (${merged}) as merged order by ${ordering(order, backwards)} limit ${limit})`
}

type Keys = RawBuilder<Pick<QueueRow, 'tenant_id' | 'incident_id'>>

/** The lines of these keys, or those of them that hold a text. */
async function linesAt(
  db: Database,
  keys: Keys | null,
  order: QueueOrder,
  cursor: Cursor | null,
  holding: { text: TextMatch; limit: number } | null = null,
) {
  if (keys === null) return []
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
      .$if(holding !== null, (query) =>
        holding === null ? query : query.where(matches(holding.text)).limit(holding.limit),
      )
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
        'tenants.sync_failures',
        'tenants.partial_since',
        'tenants.paused_at',
        'tenants.access_state',
      ])
      .orderBy(ordering(order, cursor?.direction === 'before', 'incidents'))
      .execute()
  )
}

export interface QueueRow {
  open: number
  severity_rank: number
  last_update_at: string
  tenant_id: string
  incident_id: string
}
