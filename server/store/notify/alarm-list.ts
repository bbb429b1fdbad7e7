import { type ExpressionBuilder, sql } from 'kysely'
import type { Database, Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { everything, type Scope, within } from '../scope.ts'
import type { AlarmKind } from './alarms.ts'
import { type NamedAlarm, namedAlarms, namedFromRow, selectNamed } from './subjects.ts'

/** new: no operator has seen it · seen: an operator has · over: it ended, or was news that an operator has seen. */
export const alarmStates = ['new', 'seen', 'over'] as const
export type AlarmListState = (typeof alarmStates)[number]

export interface AlarmQuery {
  state: AlarmListState
  kind?: AlarmKind
  customerId?: string
  limit: number
}

export interface SeenBy {
  name: string | null
  at: string
}

export interface ListedAlarm extends NamedAlarm {
  seenBy: SeenBy[]
  /** Destinations it was sent to, by name, with what became of the latest message. */
  told: { destination: string; state: string }[]
}

/** Newest first; ended alarms by their end. An alarm of no customer is in the scope `everything` alone. */
export async function listAlarms(db: Database, query: AlarmQuery, scope: Scope = everything): Promise<ListedAlarm[]> {
  const rows = await selectNamed(db)
    .where((eb) => stateIs(eb, query.state))
    .$if(query.kind !== undefined, (q) => q.where('a.kind', '=', query.kind ?? ''))
    .$if(query.customerId !== undefined, (q) => q.where('a.customer_id', '=', query.customerId ?? ''))
    .where(within(db, scope, 'a.customer_id'))
    .orderBy(query.state === 'over' ? 'a.over_at' : 'a.raised_at', 'desc')
    .orderBy('a.id')
    .limit(query.limit)
    .execute()
  const ids = rows.map((row) => row.id)
  const [seen, told] = await Promise.all([seenBy(db, ids), toldTo(db, ids)])
  return rows.map((row) => ({
    ...namedFromRow(row),
    seenBy: seen.get(row.id) ?? [],
    told: told.get(row.id) ?? [],
  }))
}

/** How many there are of each state. */
export async function countAlarms(db: Database, scope: Scope = everything): Promise<Record<AlarmListState, number>> {
  const rows = await db
    .selectFrom('notify_alarms as a')
    .where(within(db, scope, 'a.customer_id'))
    .select((eb) => [
      eb.fn.sum<number | null>(eb.case().when(stateIs(eb, 'new')).then(1).else(0).end()).as('new'),
      eb.fn.sum<number | null>(eb.case().when(stateIs(eb, 'seen')).then(1).else(0).end()).as('seen'),
      eb.fn.sum<number | null>(eb.case().when(stateIs(eb, 'over')).then(1).else(0).end()).as('over'),
    ])
    .execute()
  const [row] = rows
  return { new: Number(row?.new ?? 0), seen: Number(row?.seen ?? 0), over: Number(row?.over ?? 0) }
}

/** Notes that an operator has seen these; a time that was noted before stays. */
export async function seeAlarms(
  tx: Tx,
  operator: { id: string; name: string | null },
  ids: readonly string[],
  now: Date,
  scope: Scope = everything,
): Promise<void> {
  if (ids.length === 0) return
  const there = await tx
    .selectFrom('notify_alarms')
    .select('id')
    .where('id', 'in', [...ids])
    .where(within(tx, scope, 'customer_id'))
    .execute()
  if (there.length === 0) return
  await tx
    .insertInto('notify_seen')
    .values(
      there.map(({ id }) => ({ alarm_id: id, operator_id: operator.id, name: operator.name, at: now.toISOString() })),
    )
    .onConflict((oc) => oc.doNothing())
    .execute()
}

/** Null when there is none, or it is outside the scope. */
export async function findListedAlarm(
  db: Database,
  id: string,
  scope: Scope = everything,
): Promise<ListedAlarm | null> {
  const row = await db
    .selectFrom('notify_alarms')
    .select('id')
    .where('id', '=', id)
    .where(within(db, scope, 'customer_id'))
    .executeTakeFirst()
  const alarm = row && (await namedAlarms(db, [id])).get(id)
  if (!alarm) return null
  const [seen, told] = await Promise.all([seenBy(db, [id]), toldTo(db, [id])])
  return { ...alarm, seenBy: seen.get(id) ?? [], told: told.get(id) ?? [] }
}

type Builder = ExpressionBuilder<Schema & { a: Schema['notify_alarms'] }, 'a'>

function stateIs(eb: Builder, state: AlarmListState) {
  const isSeen = sql<boolean>`exists (select 1 from notify_seen as s where s.alarm_id = a.id)`
  const news = eb('a.kind', 'in', ['consent-refused', 'customer-proven'])
  const goesOn = eb('a.over_at', 'is', null)
  // News is over from the first; it is new all the same until an operator has seen it.
  if (state === 'new') return eb.and([eb.or([goesOn, news]), eb.not(isSeen)])
  if (state === 'seen') return eb.and([goesOn, isSeen])
  return eb.and([eb('a.over_at', 'is not', null), eb.or([eb.not(news), isSeen])])
}

async function seenBy(db: Database, ids: readonly string[]): Promise<Map<string, SeenBy[]>> {
  const byAlarm = new Map<string, SeenBy[]>()
  if (ids.length === 0) return byAlarm
  const rows = await db
    .selectFrom('notify_seen')
    .selectAll()
    .where('alarm_id', 'in', [...ids])
    .orderBy('at')
    .execute()
  for (const { alarm_id, name, at } of rows) byAlarm.set(alarm_id, [...(byAlarm.get(alarm_id) ?? []), { name, at }])
  return byAlarm
}

async function toldTo(db: Database, ids: readonly string[]): Promise<Map<string, ListedAlarm['told']>> {
  const byAlarm = new Map<string, ListedAlarm['told']>()
  if (ids.length === 0) return byAlarm
  const rows = await db
    .selectFrom('outbox as o')
    .innerJoin('destinations as d', 'd.id', 'o.destination_id')
    .select(['o.subject_id', 'o.state', 'd.name'])
    .where('o.topic', '=', 'alarm')
    .where('o.subject_id', 'in', [...ids])
    .orderBy('o.created_at')
    .execute()
  for (const { subject_id, state, name } of rows) {
    const others = (byAlarm.get(subject_id) ?? []).filter((one) => one.destination !== name)
    byAlarm.set(subject_id, [...others, { destination: name, state }])
  }
  return byAlarm
}
