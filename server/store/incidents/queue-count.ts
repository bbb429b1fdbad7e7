import { sql } from 'kysely'
import type { Database } from '../engine/dialect.ts'
import { everything, type Scope } from '../scope.ts'
import { conditions, type QueueFilter, runsOf, type Selection, selectionOf } from './queue-filter.ts'
import { gathers, keysOf, located, lookedThrough, withoutText } from './queue-lines.ts'
import { matches } from './queue-search.ts'

/** How many incidents there are; when it is not exact, there are at least that many. */
export interface QueueCount {
  count: number
  exact: boolean
}

export const mostCounted = 10_000
/** Text that many incidents hold is counted no further than this: each of them has to be read for it. */
const mostCountedByText = 500

/** How many incidents match, counted up to `cap`. */
export async function countQueue(
  db: Database,
  filter: QueueFilter,
  cap = mostCounted,
  scope: Scope = everything,
): Promise<QueueCount> {
  return countOf(db, await selectionOf(db, filter, scope), cap)
}

export async function countOf(db: Database, selection: Selection | null, cap: number): Promise<QueueCount> {
  if (selection === null) return { count: 0, exact: true }
  const { text } = selection
  if (text === null || selection.located?.candidates) return countUpTo(db, selection, cap)
  const parts = runsOf(selection, 'newest').map(
    (run) => sql`select * from (select case when ${matches(text)} then 1 else 0 end as hit from incidents
      where ${conditions(withoutText(selection), run)} limit ${lookedThrough}) as run`,
  )
  const { rows } = await sql<{ looked: number; hits: number | null }>`select count(*) as looked, sum(hit) as hits from (
    select * from (${sql.join(parts, sql` union all `)}) as runs limit ${lookedThrough}) as lines`.execute(db)
  const looked = Number(rows[0]?.looked ?? 0)
  const hits = Number(rows[0]?.hits ?? 0)
  if (looked < lookedThrough) return { count: hits, exact: true }
  // What is frequent among some is frequent among all: a round number does.
  const round = Math.min(cap, hits - (hits % 50))
  if (round > 0) return { count: round, exact: false }
  if ((await located(db, selection, text)).candidates) return countUpTo(db, selection, cap)
  const most = Math.min(cap, mostCountedByText)
  const { rows: counted } = await sql<{ n: number }>`select count(*) as n from
    ${keysOf(db, selection, 'worst', null, most)} as line`.execute(db)
  const count = Number(counted[0]?.n ?? 0)
  return { count, exact: count < most }
}

async function countUpTo(db: Database, selection: Selection, limit: number): Promise<QueueCount> {
  if (selection.located?.candidates?.length === 0) return { count: 0, exact: true }
  const parts = (gathers(db, selection) ? [{}] : runsOf(selection, 'newest')).map(
    (run) => sql`select incident_id from incidents where ${conditions(selection, run)}`,
  )
  const { rows } = await sql<{ n: number }>`select count(*) as n from (
    ${sql.join(parts, sql` union all `)} limit ${limit}) as counted`.execute(db)
  const count = Number(rows[0]?.n ?? 0)
  return { count, exact: count < limit }
}
