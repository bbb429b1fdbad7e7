import { randomBytes } from 'node:crypto'
import { type RawBuilder, type Selectable, sql } from 'kysely'
import { ClaimLostError, type DueClaim } from '../engine/claim.ts'
import { among, type Database, type Tx } from '../engine/dialect.ts'
import { claimDueRows, type DueWork, endDueClaim, firstDueAt } from '../engine/due.ts'
import { offloaded } from '../engine/offload.ts'
import type { Schema } from '../engine/schema.ts'
import { write } from '../engine/write.ts'
import type { DestinationKind } from './kinds.ts'

/** What a message is about: an alarm, an audit event, or nothing but that it arrives. */
export type Topic = 'alarm' | 'audit' | 'test'

/**
 * waiting: to be sent, or tried again · held: the destination was switched off before it could be · delivered · handed-over:
 * the other side took it and does not say what became of it · failed: given up.
 */
export const messageStates = ['failed', 'waiting', 'held', 'delivered', 'handed-over'] as const
export type MessageState = (typeof messageStates)[number]

/** What became of one try. Holds nothing of the message and nothing of the address. */
export interface Try {
  at: string
  /** `delivered`, `interrupted`, or why not: a word of deliver.ts. */
  outcome: string
  status: number | null
  ms: number | null
  /** What the other side said, made safe to show; short. */
  answer: string | null
}

export interface OutboxMessage {
  id: string
  destinationId: string | null
  /** An operator's ID. */
  recipient: string | null
  topic: Topic
  subjectId: string
  change: string
  createdAt: string
  nextAt: string | null
  attempts: number
  state: MessageState
  endedAt: string | null
  tries: Try[]
}

export interface ClaimedMessage {
  claim: DueClaim
  message: OutboxMessage
}

export interface NewMessage {
  destinationId: string | null
  recipient?: string
  topic: Topic
  subjectId: string
  change: string
  /** Null holds it until an operator has it sent. */
  dueAt: Date | null
}

/** Messages that are to be sent. */
export const sending: DueWork = {
  name: 'message',
  table: 'outbox',
  key: 'id',
  due: 'next_at',
  lease: 'lease_until',
  fence: 'fence',
}

/** Longer than any try lasts: what is due again after it was interrupted. */
export const sendLeaseMs = 60_000

/** `msg_` and 120 random bits, without a full stop: Standard Webhooks signs it between two. */
const newMessageId = () => `msg_${randomBytes(15).toString('base64url')}`

/** Writes messages in the transaction of what they tell. @returns their IDs */
export async function addMessages(tx: Tx, messages: readonly NewMessage[], now: Date): Promise<string[]> {
  const rows = messages.map((one) => ({
    id: newMessageId(),
    destination_id: one.destinationId,
    recipient: one.recipient ?? null,
    topic: one.topic,
    subject_id: one.subjectId,
    change: one.change,
    created_at: now.toISOString(),
    next_at: one.dueAt?.toISOString() ?? null,
    lease_until: null,
    state: one.dueAt === null ? 'held' : 'waiting',
    ended_at: null,
  }))
  for (let from = 0; from < rows.length; from += 500) {
    await tx
      .insertInto('outbox')
      .values(rows.slice(from, from + 500))
      .execute()
  }
  return rows.map((row) => row.id)
}

/** Messages of one destination that are claimed at once. Of one that is failing it is a single one, to see whether it still is. */
export const mostAtOnce: Record<DestinationKind, number> = { mail: 2, teams: 2, slack: 1, webhook: 16, siem: 100 }
/** Mails to people who have no destination. */
const peopleAtOnce = 2

export interface ClaimRoom {
  /** Messages in all. */
  limit: number
  /** Destinations that have as many under way in this process as they may. */
  busy: readonly string[]
}

/**
 * Claims messages that are due, no more than `mostAtOnce` of one destination however many wait for it. Left out are destinations
 * that are paused, switched off or to be left alone, and what follows a message on the same matter that is not sent yet.
 */
export const claimMessages = offloaded(
  'claimMessages',
  (db: Database, now: Date, room: ClaimRoom): Promise<ClaimedMessage[]> =>
    write(db, async (tx) => {
      const ids = await candidates(tx, now, room)
      if (ids.length === 0) return []
      // Found by their IDs: in the order of due times the engine would look at everything that is due.
      const where = sql`${among(tx, 'id', ids)}`
      const order = sql.ref('created_at')
      const claims = await claimDueRows(tx, sending, { now, limit: room.limit, leaseMs: sendLeaseMs, where, order })
      if (claims.length === 0) return []
      const keys = claims.map((claim) => claim.key)
      const rows = await tx.selectFrom('outbox').selectAll().where('id', 'in', keys).execute()
      return claims.flatMap((claim) => {
        const row = rows.find((one) => one.id === claim.key)
        return row ? [{ claim, message: fromRow(row) }] : []
      })
    }),
)

/** IDs of messages that may be sent now: a few of each destination, the longest waiting first. */
async function candidates(tx: Tx, now: Date, { limit, busy }: ClaimRoom): Promise<string[]> {
  const at = now.toISOString()
  const waiting = await sql<{ id: string; kind: DestinationKind; failing_since: string | null }>`
    select id, kind, failing_since from (
      select d.id, d.kind, d.failing_since,
        (select min(o.next_at) from outbox as o where o.destination_id = d.id and o.next_at is not null) as due_at
      from destinations as d where d.paused_at is null and d.off_at is null
        and (d.not_before is null or d.not_before <= ${at})
        and ${busy.length === 0 ? sql`1 = 1` : sql`not ${among(tx, 'd.id', busy)}`}
    ) as awake where due_at <= ${at} order by due_at, id limit ${limit}`.execute(tx)
  const some = (of: RawBuilder<unknown>, most: number) => sql`select id from (
    select o.id from outbox as o where ${of} and o.next_at <= ${at} and not exists (
      select 1 from outbox as e where e.subject_id = o.subject_id and e.topic = 'alarm' and o.topic = 'alarm'
        and e.destination_id = o.destination_id and e.next_at is not null and e.created_at < o.created_at)
    order by o.next_at limit ${sql.lit(most)}) as few`
  const lists = waiting.rows.map(({ id, kind, failing_since }) =>
    some(sql`o.destination_id = ${id}`, failing_since === null ? mostAtOnce[kind] : 1),
  )
  const toPeople = some(sql`o.destination_id is null`, peopleAtOnce)
  const { rows } = await sql<{ id: string }>`${sql.join([...lists, toPeople], sql` union all `)}`.execute(tx)
  return rows.map((row) => row.id)
}

/** Writes a message that its writer sends at once; a worker may claim it only after the lease. */
export async function addClaimedMessage(tx: Tx, message: NewMessage, now: Date): Promise<ClaimedMessage> {
  const [id = ''] = await addMessages(tx, [message], now)
  const [claim] = await claimDueRows(tx, sending, { now, limit: 1, leaseMs: sendLeaseMs, where: sql`id = ${id}` })
  const row = await tx.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirst()
  if (!claim || !row) throw new Error('a message vanished inside the transaction that wrote it')
  return { claim, message: fromRow(row) }
}

/** How a try ended, and what follows for the message and its destination. */
export interface Ending {
  claim: DueClaim
  tries: Try[]
  state: MessageState
  /** When it is tried again; null where it is not. */
  nextAt: string | null
}

/**
 * Notes how tries ended. A message whose claim was overtaken is passed over: its new holder notes it.
 * @returns the IDs of what was noted
 */
export async function noteEndings(tx: Tx, endings: readonly Ending[], now: Date): Promise<string[]> {
  const noted: string[] = []
  for (const { claim, tries, state, nextAt } of endings) {
    try {
      const set = sql`state = ${state}, attempts = attempts + 1, tries = ${JSON.stringify(tries)},
        ended_at = ${state === 'waiting' ? null : now.toISOString()}`
      await endDueClaim(tx, sending, claim, nextAt === null ? null : new Date(nextAt), set)
    } catch (error) {
      if (error instanceof ClaimLostError) continue
      throw error
    }
    noted.push(claim.key)
  }
  return noted
}

/** When the first message is due that may be claimed; null for none. */
export const nextMessageAt = (db: Database, now: Date): Promise<string | null> =>
  firstDueAt(
    db,
    sending,
    now,
    sql`(destination_id is null or exists (select 1 from destinations as d where d.id = outbox.destination_id
      and d.paused_at is null and d.off_at is null and (d.not_before is null or d.not_before <= ${now.toISOString()})))`,
  )

/** Holds the waiting messages of a destination that was switched off. */
export async function holdMessages(tx: Tx, destinationId: string): Promise<void> {
  await tx
    .updateTable('outbox')
    .set({ next_at: null, lease_until: null, state: 'held' })
    .where('destination_id', '=', destinationId)
    .where('state', '=', 'waiting')
    .where('lease_until', 'is', null)
    .execute()
}

/**
 * Has a message sent again, under its own ID, from the first try on.
 * @returns false where it is being sent, or is not there
 */
export async function replayMessage(tx: Tx, id: string, now: Date): Promise<boolean> {
  const replayed = await again(tx, now).where('id', '=', id).where('state', '!=', 'waiting').executeTakeFirst()
  return replayed.numUpdatedRows === 1n
}

/** Has everything sent again that failed for a destination or is held for it. @returns how many */
export async function replayFailed(tx: Tx, destinationId: string, now: Date): Promise<number> {
  const replayed = await again(tx, now)
    .where('destination_id', '=', destinationId)
    .where('state', 'in', ['failed', 'held'])
    .executeTakeFirst()
  return Number(replayed.numUpdatedRows)
}

const again = (tx: Tx, now: Date) =>
  tx
    .updateTable('outbox')
    .set({ next_at: now.toISOString(), lease_until: null, attempts: 0, state: 'waiting', ended_at: null })

/** Removes messages that ended, or were written and held, before then: a few in a step. @returns how many went */
export async function pruneMessages(tx: Tx, before: Date, limit: number): Promise<number> {
  const old = await tx
    .selectFrom('outbox')
    .select('id')
    .where('created_at', '<', before.toISOString())
    .where('next_at', 'is', null)
    .orderBy('created_at')
    .limit(limit)
    .execute()
  if (old.length === 0) return 0
  const ids = old.map((row) => row.id)
  await tx.deleteFrom('outbox').where('id', 'in', ids).execute()
  return ids.length
}

export function fromRow(row: Selectable<Schema['outbox']>): OutboxMessage {
  return {
    id: row.id,
    destinationId: row.destination_id,
    recipient: row.recipient,
    topic: row.topic as Topic,
    subjectId: row.subject_id,
    change: row.change,
    createdAt: row.created_at,
    nextAt: row.next_at,
    attempts: row.attempts,
    state: row.state as MessageState,
    endedAt: row.ended_at,
    tries: JSON.parse(row.tries) as Try[],
  }
}
