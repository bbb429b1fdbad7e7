import type { Database } from '../engine/dialect.ts'
import { fromRow, type MessageState, type OutboxMessage, type Topic } from './outbox.ts'

/** Null when there is none. */
export async function findMessage(db: Database, id: string): Promise<OutboxMessage | null> {
  const row = await db.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? fromRow(row) : null
}

export interface MessageQuery {
  destinationId?: string
  states?: readonly MessageState[]
  topic?: Topic
  /** Of the last message of the page before: its time and ID. */
  before?: { at: string; id: string }
  limit: number
}

/** Newest first. */
export async function listMessages(db: Database, query: MessageQuery): Promise<OutboxMessage[]> {
  const { before } = query
  const rows = await db
    .selectFrom('outbox')
    .selectAll()
    .$if(query.destinationId !== undefined, (q) => q.where('destination_id', '=', query.destinationId ?? ''))
    .$if(query.states !== undefined, (q) => q.where('state', 'in', [...(query.states ?? [])]))
    .$if(query.topic !== undefined, (q) => q.where('topic', '=', query.topic ?? ''))
    .$if(before !== undefined, (q) =>
      q.where((eb) =>
        eb.or([
          eb('created_at', '<', before?.at ?? ''),
          eb.and([eb('created_at', '=', before?.at ?? ''), eb('id', '<', before?.id ?? '')]),
        ]),
      ),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit)
    .execute()
  return rows.map(fromRow)
}

/** How many messages there are of each state; of all destinations, or of one. */
export async function countMessages(db: Database, destinationId?: string): Promise<Record<MessageState, number>> {
  const rows = await db
    .selectFrom('outbox')
    .select(['state', (eb) => eb.fn.countAll<number>().as('n')])
    .$if(destinationId !== undefined, (q) => q.where('destination_id', '=', destinationId ?? ''))
    .groupBy('state')
    .execute()
  const of = (state: MessageState) => Number(rows.find((row) => row.state === state)?.n ?? 0)
  return {
    waiting: of('waiting'),
    held: of('held'),
    delivered: of('delivered'),
    'handed-over': of('handed-over'),
    failed: of('failed'),
  }
}

/** How many messages are held for each destination that has any. */
export async function countHeld(db: Database): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('outbox')
    .select(['destination_id', (eb) => eb.fn.countAll<number>().as('n')])
    .where('state', '=', 'held')
    .groupBy('destination_id')
    .execute()
  return new Map(rows.flatMap((row) => (row.destination_id === null ? [] : [[row.destination_id, Number(row.n)]])))
}
