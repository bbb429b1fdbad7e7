import { type RawBuilder, sql } from 'kysely'
import { type AuditAction, type AuditEvent, eventFromRow, selectEvents } from '../audit.ts'
import { type Database, isPostgres } from '../engine/dialect.ts'
import { storableText } from '../engine/storable-text.ts'
import { type Scope, within } from '../scope.ts'

export interface AuditFilter {
  /** The ID of an operator or a key, or `kind:muster` and `kind:customer`. */
  who: string | null
  /** Any of these; null for all. */
  actions: readonly AuditAction[] | null
  customerId: string | null
  /** UTC ISO text; from it on, and before it. */
  from: string | null
  until: string | null
  /** Part of a name, an address, an ID or what an event says, in whatever case. */
  text: string | null
  requestId: string | null
}

/** Where a page ends: the time and the ID of an event. */
export interface AuditPlace {
  at: string
  id: number
}

export interface AuditPage {
  /** Newest first. */
  events: AuditEvent[]
  /** From where to go on; null at the beginning of the log. */
  next: AuditPlace | null
}

/** A text is looked for in so many events at once: it has no index, and the log has no end. */
export const searchedAtOnce = 20_000

/**
 * Events that fit, newest first, at most `limit`. With a text, the newest 20,000 that otherwise fit are looked through, and
 * `next` goes on behind them, found or not. What concerns no customer is in `everything` alone.
 */
export async function auditPage(
  db: Database,
  filter: AuditFilter,
  after: AuditPlace | null,
  limit: number,
  scope: Scope,
): Promise<AuditPage> {
  const narrow = conditions(db, filter, after, scope)
  if (filter.text === null) {
    const ids = newest(narrow, filter.actions, limit + 1)
    const events = await eventsOf(db, ids)
    return { events: events.slice(0, limit), next: events.length > limit ? placeOf(events[limit - 1]) : null }
  }
  const window = newest(narrow, null, searchedAtOnce)
  const found = await eventsOf(
    db,
    sql`select hit.id, hit.at from audit_events as hit join (${window}) as looked on looked.id = hit.id
      where ${saying(db, filter.text)} ${filter.actions === null ? sql`` : sql`and hit.action in (${sql.join(filter.actions)})`}
      order by hit.at desc, hit.id desc limit ${limit + 1}`,
  )
  if (found.length > limit) return { events: found.slice(0, limit), next: placeOf(found[limit - 1]) }
  const { rows } = await sql<AuditPlace & { n: number }>`select at, id, count(*) over () as n from (${window}) as looked
    order by at, id limit 1`.execute(db)
  const [last] = rows
  return { events: found, next: last && Number(last.n) >= searchedAtOnce ? placeOf(last) : null }
}

/** The place behind an event, by its ID; null when there is none of that ID. */
export async function findPlaceOfEvent(db: Database, id: number): Promise<AuditPlace | null> {
  const row = await db.selectFrom('audit_events').select(['at', 'id']).where('id', '=', id).executeTakeFirst()
  return row ? placeOf(row) : null
}

const placeOf = (event: AuditPlace | undefined): AuditPlace | null =>
  event === undefined ? null : { at: event.at, id: Number(event.id) }

type Part = RawBuilder<unknown>

/** All conditions but those on the action and the text. */
function conditions(db: Database, filter: AuditFilter, after: AuditPlace | null, scope: Scope): Part[] {
  const { who, customerId, from, until, requestId } = filter
  const all: Part[] = [within(db, scope, 'customer_id')]
  if (who?.startsWith('kind:')) all.push(sql`actor_id is null and actor_kind = ${who.slice('kind:'.length)}`)
  else if (who !== null) all.push(sql`actor_id = ${who}`)
  if (customerId !== null) all.push(sql`customer_id = ${customerId}`)
  if (requestId !== null) all.push(sql`request_id = ${requestId}`)
  if (from !== null) all.push(sql`at >= ${from}`)
  if (until !== null) all.push(sql`at < ${until}`)
  if (after !== null) all.push(sql`(at, id) < (${after.at}, ${after.id})`)
  return all
}

/**
 * IDs and times of the newest events. Several actions are looked up one by one: the newest of each stand together in an
 * index, where those of all of them are strewn over the log.
 */
function newest(narrow: readonly Part[], actions: readonly AuditAction[] | null, limit: number): Part {
  const select = (more: readonly Part[]) => sql`select id, at from audit_events
    where ${sql.join([...narrow, ...more], sql` and `)} order by at desc, id desc limit ${limit}`
  if (actions === null) return select([])
  if (actions.length === 0) return select([sql`1 = 0`])
  const each = actions.map((action) => sql`select * from (${select([sql`action = ${action}`])}) as newest`)
  return sql`select id, at from (${sql.join(each, sql` union all `)}) as chosen order by at desc, id desc limit ${limit}`
}

function saying(db: Database, text: string): Part {
  const pattern = `%${storableText(text).replace(/[\\%_]/g, '\\$&')}%`
  const like = isPostgres(db) ? sql.raw('ilike') : sql.raw('like')
  const columns = [
    'hit.actor_name',
    'hit.action',
    'hit.facts',
    'hit.address',
    'hit.subject_id',
    'hit.tenant_id',
    'hit.request_id',
  ]
  const ways = columns.map((column) => sql`${sql.ref(column)} ${like} ${pattern} escape '\\'`)
  const named = sql`hit.customer_id in (select customers.id from customers where customers.name ${like} ${pattern} escape '\\')`
  return sql`(${sql.join([...ways, named], sql` or `)})`
}

async function eventsOf(db: Database, ids: Part): Promise<AuditEvent[]> {
  const rows = await selectEvents(db)
    .innerJoin(sql<{ id: number; at: string }>`(${ids})`.as('page'), (join) =>
      join.onRef('page.id', '=', 'audit_events.id'),
    )
    .orderBy('audit_events.at', 'desc')
    .orderBy('audit_events.id', 'desc')
    .execute()
  return rows.map(eventFromRow)
}
