import { type RawBuilder, sql } from 'kysely'
import { ClaimLostError, type DueClaim } from './claim.ts'
import { type Database, isPostgres, type Tx } from './dialect.ts'
import type { Schema } from './schema.ts'
import { write } from './write.ts'

/**
 * Work that comes due on the rows of a table: three columns hold when, who has it and which claim was the last. Several
 * kinds of work may share a lease and a fence, and then only one of them is done on a row at a time.
 */
export interface DueWork {
  /** For messages and metrics. */
  name: string
  table: keyof Schema
  /** The column that names a row. */
  key: string
  /** When the work is due, UTC ISO text; null for never. */
  due: string
  /** End of the lease, UTC ISO text; null for an unclaimed row. */
  lease: string
  /** Counts claims: a number. */
  fence: string
}

export interface DueQuery {
  now: Date
  limit: number
  leaseMs: number
  /** A further condition on the row. */
  where?: RawBuilder<unknown>
  /** What comes first; what is due longest unless said. */
  order?: RawBuilder<unknown>
  /** Claims rows before they are due as well. */
  early?: boolean
  /** Further assignments made along with the claim: `sync_started_at = …`. */
  set?: RawBuilder<unknown>
}

/**
 * Claims up to `limit` rows that are due and that nobody holds, in the transaction in hand. The due time moves to the end
 * of the lease in the same step: a process that dies costs one lease, and a row that kills its process is no hot loop.
 * No two claimers get the same row, however many processes ask.
 */
export async function claimDueRows(tx: Tx, work: DueWork, query: DueQuery): Promise<DueClaim[]> {
  const { now, limit, leaseMs, where = sql`1 = 1`, order = sql.ref(work.due), early = false } = query
  const until = new Date(now.getTime() + leaseMs).toISOString()
  const [table, key, due, lease, fence] = columnsOf(work)
  const free = isFree(work, now)
  const ripe = early ? sql`${due} is not null` : sql`${due} <= ${now.toISOString()}`
  // PostgreSQL: rows another process is claiming this instant are passed over instead of waited for.
  const lock = isPostgres(tx) ? sql`for update skip locked` : sql``
  const { rows } = await sql<{ row_key: string; fence: number; due_at: string; held: string | null }>`
    select ${key} as row_key, ${fence} as fence, ${due} as due_at, ${lease} as held from ${table}
    where ${ripe} and ${free} and ${where}
    order by ${order}, ${key} limit ${limit} ${lock}`.execute(tx)
  if (rows.length === 0) return []
  const keys = rows.map((row) => row.row_key)
  // Nobody changes these rows between the look and this: they are held until the transaction ends.
  await sql`update ${table} set ${fence} = ${fence} + 1, ${lease} = ${until}, ${due} = ${until}
    ${query.set ? sql`, ${query.set}` : sql``} where ${key} in (${sql.join(keys)})`.execute(tx)
  return rows.map((row) => ({
    work: work.name,
    key: row.row_key,
    fence: row.fence + 1,
    dueAt: row.due_at,
    interrupted: row.held !== null,
  }))
}

/**
 * Makes a write of this claim conditional on still holding it, inside the write's own transaction.
 * @throws ClaimLostError
 */
export async function holdDueRow(tx: Tx, work: DueWork, claim: DueClaim): Promise<void> {
  const [table, key, , , fence] = columnsOf(work)
  // PostgreSQL: the row is held until this transaction ends, so that nobody overtakes between this look and the write.
  const { rows } = await sql`select 1 from ${table} where ${key} = ${claim.key} and ${fence} = ${claim.fence}
    ${isPostgres(tx) ? sql`for update` : sql``}`.execute(tx)
  if (rows.length !== 1) throw new ClaimLostError(claim)
}

/**
 * Lengthens the lease of work that is still going on; where it has just ended, nothing changes. What was asked for
 * meanwhile stays due when it was asked for.
 * @throws ClaimLostError
 */
export async function extendDueRow(
  db: Database,
  work: DueWork,
  claim: DueClaim,
  now: Date,
  leaseMs: number,
): Promise<void> {
  const until = new Date(now.getTime() + leaseMs).toISOString()
  const [table, key, due, lease] = columnsOf(work)
  await write(db, async (tx) => {
    await holdDueRow(tx, work, claim)
    await sql`update ${table} set ${lease} = ${until}, ${due} = case when ${due} < ${lease} then ${due} else ${until} end
      where ${key} = ${claim.key} and ${lease} is not null`.execute(tx)
  })
}

/**
 * Ends a claim: the row is unclaimed and due at `next`, or never where that is null. An earlier time that was requested
 * meanwhile stays. `set` are further assignments made along with it.
 * @throws ClaimLostError
 */
export async function endDueClaim(
  tx: Tx,
  work: DueWork,
  claim: DueClaim,
  next: Date | null,
  set: RawBuilder<unknown> | null = null,
): Promise<void> {
  await holdDueRow(tx, work, claim)
  const [table, key, due, lease] = columnsOf(work)
  const at = next?.toISOString() ?? null
  const earlier = sql`${due} < ${lease} and ${at === null ? sql`1 = 1` : sql`${due} < ${at}`}`
  await sql`update ${table} set ${due} = case when ${earlier} then ${due} else ${at} end, ${lease} = null
    ${set ? sql`, ${set}` : sql``} where ${key} = ${claim.key}`.execute(tx)
}

/**
 * Gives a claim back undone: the row is unclaimed and due at `at`; a time that was requested meanwhile is lost.
 * @throws ClaimLostError
 */
export async function releaseDueRow(
  tx: Tx,
  work: DueWork,
  claim: DueClaim,
  at: Date,
  set: RawBuilder<unknown> | null = null,
): Promise<void> {
  await holdDueRow(tx, work, claim)
  const [table, key, due, lease] = columnsOf(work)
  await sql`update ${table} set ${due} = ${at.toISOString()}, ${lease} = null ${set ? sql`, ${set}` : sql``}
    where ${key} = ${claim.key}`.execute(tx)
}

/** True for rows of this work that nobody holds: for looks at what is due that take nothing. */
export const isFree = ({ lease }: Pick<DueWork, 'lease'>, now: Date): RawBuilder<unknown> =>
  sql`(${sql.ref(lease)} is null or ${sql.ref(lease)} <= ${now.toISOString()})`

/** When the first row that may be claimed is due; null for none. Reads one row of an index on the due time. */
export async function firstDueAt(
  db: Database,
  work: DueWork,
  now: Date,
  where: RawBuilder<unknown> = sql`1 = 1`,
): Promise<string | null> {
  const [table, , due] = columnsOf(work)
  const { rows } = await sql<{ at: string }>`select ${due} as at from ${table}
    where ${due} is not null and ${isFree(work, now)} and ${where}
    order by ${due} limit 1`.execute(db)
  return rows[0]?.at ?? null
}

const columnsOf = ({ table, key, due, lease, fence }: DueWork) =>
  [sql.table(table), sql.ref(key), sql.ref(due), sql.ref(lease), sql.ref(fence)] as const
