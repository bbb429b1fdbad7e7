import { type Selectable, sql } from 'kysely'
import { type DataKeys, type Macs, macsFor } from '../../config/data-keys.ts'
import type { Log } from '../../log.ts'
import type { DueClaim } from '../engine/claim.ts'
import { connectDatabase } from '../engine/database.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import { claimDueRows, type DueWork, endDueClaim, holdDueRow } from '../engine/due.ts'
import type { Schema } from '../engine/schema.ts'

type Event = Selectable<Schema['audit_events']>

/** The one row of the one job that seals. */
const sealing: DueWork = {
  name: 'audit seal',
  table: 'audit_sealing',
  key: 'id',
  due: 'next_at',
  lease: 'lease_until',
  fence: 'fence',
}
const leaseMs = 60_000
const eventsAtOnce = 1_000
const purpose = 'audit seal'
/** What the first seal has before it. */
const beginning = '-'

/** The newest seal, as it is told to a log and to SIEMs. */
export interface Seal {
  sequence: number
  eventId: number
  mac: string
}

/** The first thing that is wrong with what was sealed; `none` where nothing is. */
export interface SealVerdict {
  kind: 'none' | 'missing' | 'added' | 'changed' | 'key-lost'
  /** The event; null for `none` and `key-lost`. */
  eventId: number | null
  newest: Seal | null
}

/** Null while another process seals, or it is not due. */
export async function claimSealing(tx: Tx, now: Date): Promise<DueClaim | null> {
  return (await claimDueRows(tx, sealing, { now, limit: 1, leaseMs }))[0] ?? null
}

/** @throws ClaimLostError */
export const endSealing = (tx: Tx, claim: DueClaim, next: Date): Promise<void> => endDueClaim(tx, sealing, claim, next)

/**
 * Up to which event no open transaction can still bring one. SQLite has one writer at a time. PostgreSQL gives out an ID
 * when a row is written, which others see when its transaction ends: what was given out is safe once all transactions
 * that were writing events at that moment have ended.
 */
export async function safeHorizon(db: Database): Promise<number> {
  if (!isPostgres(db)) {
    const { id } = await db
      .selectFrom('audit_events')
      .select(({ fn }) => fn.max<number | null>('id').as('id'))
      .executeTakeFirstOrThrow()
    return Number(id ?? 0)
  }
  const state = await db.selectFrom('audit_sealing').select(['mark', 'holders']).executeTakeFirstOrThrow()
  const given = await sql<{ id: string | null }>`
    select pg_sequence_last_value(pg_get_serial_sequence('audit_events', 'id')::regclass)::text as id`.execute(db)
  const mark = Number(given.rows[0]?.id ?? 0)
  // After the look at what was given out: whoever has an ID of those and is not here has ended.
  const held = await sql<{ holder: string }>`select distinct virtualtransaction as holder from pg_locks
    where locktype = 'relation' and relation = 'audit_events'::regclass and mode = 'RowExclusiveLock'
    and database = (select oid from pg_database where datname = current_database())`.execute(db)
  const holders = held.rows.map(({ holder }) => holder)
  if (holders.length === 0) return mark
  const waited = new Set(JSON.parse(state.holders ?? '[]') as string[])
  const isOver = state.mark !== null && !holders.some((one) => waited.has(one))
  if (state.mark === null || isOver) {
    await db
      .updateTable('audit_sealing')
      .set({ mark, holders: JSON.stringify(holders) })
      .execute()
  }
  return isOver ? Number(state.mark) : 0
}

/** Seals the next events up to the horizon, a thousand at most. @returns how many @throws ClaimLostError */
export async function sealEvents(tx: Tx, claim: DueClaim, keys: DataKeys, horizon: number): Promise<number> {
  await holdDueRow(tx, sealing, claim)
  let last = await findNewestSeal(tx)
  const events = await tx
    .selectFrom('audit_events')
    .selectAll()
    .where('id', '>', last?.eventId ?? 0)
    .where('id', '<=', horizon)
    .orderBy('id')
    .limit(eventsAtOnce)
    .execute()
  if (events.length === 0) return 0
  const seals: Schema['audit_seals'][] = []
  const macs = macsFor(keys, purpose)
  for (const event of events) {
    const sequence: number = (last?.sequence ?? 0) + 1
    const previous: string = last?.mac ?? beginning
    const { keyId, mac } = macs.make(contentOf(sequence, event, previous))
    seals.push({ sequence, event_id: Number(event.id), key_id: keyId, mac, previous })
    last = { sequence, eventId: Number(event.id), mac }
  }
  // SQLite takes so many values in one statement, and no more.
  for (let at = 0; at < seals.length; at += 100) {
    await tx
      .insertInto('audit_seals')
      .values(seals.slice(at, at + 100))
      .execute()
  }
  return seals.length
}

/** All of an event, in one order, with its place in the chain. */
const contentOf = (sequence: number, event: Event, previous: string): string =>
  JSON.stringify([
    sequence,
    previous,
    Number(event.id),
    event.at,
    event.actor_kind,
    event.actor_id,
    event.actor_name,
    event.action,
    event.customer_id,
    event.tenant_id,
    event.subject_id,
    event.facts,
    event.address,
    event.request_id,
  ])

export async function findNewestSeal(db: Database): Promise<Seal | null> {
  const row = await db.selectFrom('audit_seals').selectAll().orderBy('sequence', 'desc').limit(1).executeTakeFirst()
  return row ? { sequence: Number(row.sequence), eventId: Number(row.event_id), mac: row.mac } : null
}

/** Takes the turn to tell the newest seal, where it was last told before `before`. @returns whether it is ours to tell */
export async function takeTelling(tx: Tx, seal: Seal, now: Date, before: Date): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('audit_sealing')
    .set({ told_at: now.toISOString(), told_sequence: seal.sequence })
    .where(({ or, eb }) => or([eb('told_at', 'is', null), eb('told_at', '<=', before.toISOString())]))
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/**
 * Goes through the seals and the events under them, and names the first event that is missing, was added, or is not what
 * it was. @param most how many of the newest seals; null for all
 */
export async function verifySeals(db: Database, keys: DataKeys, most: number | null): Promise<SealVerdict> {
  const newest = await findNewestSeal(db)
  const { told_sequence: told } = await db.selectFrom('audit_sealing').select('told_sequence').executeTakeFirstOrThrow()
  if (newest === null) {
    return { kind: told === null ? 'none' : 'missing', eventId: told === null ? null : 1, newest }
  }
  const from = most === null ? 0 : Math.max(0, newest.sequence - most)
  const chain = await firstBreak(db, macsFor(keys, purpose), from)
  if (chain?.kind === 'key-lost') return { kind: 'key-lost', eventId: null, newest }
  const added = await firstUnsealed(db, from, newest.eventId)
  if (added !== null && (chain === null || added <= chain.eventId)) return { kind: 'added', eventId: added, newest }
  if (chain !== null) return { ...chain, newest }
  // The end was cut off, seals and all: a later one was told.
  if (Number(told ?? 0) > newest.sequence) return { kind: 'missing', eventId: newest.eventId + 1, newest }
  return { kind: 'none', eventId: null, newest }
}

type Break = { kind: 'missing' | 'changed' | 'key-lost'; eventId: number }

async function firstBreak(db: Database, macs: Macs, from: number): Promise<Break | null> {
  let last: { sequence: number; mac: string } | null = from === 0 ? { sequence: 0, mac: beginning } : null
  for (let after = from; ; ) {
    const seals = await db
      .selectFrom('audit_seals')
      .selectAll()
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(eventsAtOnce)
      .execute()
    if (seals.length === 0) return null
    const ids = seals.map((seal) => Number(seal.event_id))
    const found = await db
      .selectFrom('audit_events')
      .selectAll()
      .where('id', '>=', Math.min(...ids))
      .where('id', '<=', Math.max(...ids))
      .execute()
    const events = new Map(found.map((event) => [Number(event.id), event]))
    for (const seal of seals) {
      const [sequence, eventId] = [Number(seal.sequence), Number(seal.event_id)]
      const event = events.get(eventId)
      if (event === undefined) return { kind: 'missing', eventId }
      if (last !== null && (sequence !== last.sequence + 1 || seal.previous !== last.mac))
        return { kind: 'changed', eventId }
      const proof = macs.prove(contentOf(sequence, event, seal.previous), seal.key_id, seal.mac)
      if (proof !== 'right') return { kind: proof === 'wrong' ? 'changed' : 'key-lost', eventId }
      last = { sequence, mac: seal.mac }
      after = sequence
    }
  }
}

/** The first event below the newest seal that none is over. */
async function firstUnsealed(db: Database, from: number, until: number): Promise<number | null> {
  const first = await db
    .selectFrom('audit_seals')
    .select('event_id')
    .where('sequence', '>=', from)
    .orderBy('sequence')
    .limit(1)
    .executeTakeFirst()
  const row = await db
    .selectFrom('audit_events')
    .select('id')
    .where('id', '<=', until)
    .where('id', '>=', from === 0 ? 0 : Number(first?.event_id ?? 0))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(selectFrom('audit_seals').select('sequence').whereRef('audit_seals.event_id', '=', 'audit_events.id')),
      ),
    )
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? null : Number(row.id)
}

/** The same of a database that no process need have opened, and that has this version's schema. */
export async function verifySealsIn(
  at: { databaseUrl: string | null; dataDir: string },
  keys: DataKeys,
  log: Log,
): Promise<SealVerdict> {
  const db = connectDatabase({ ...at, log })
  try {
    return await verifySeals(db, keys, null)
  } finally {
    await db.destroy()
  }
}
