import { sql } from 'kysely'
import { hour } from '../../time.ts'
import type { Database } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'

/** Rows in one go, so that no deletion holds everybody up. */
const sweptAtOnce = 500

const rowsOf = (result: { numAffectedRows?: bigint }) => Number(result.numAffectedRows ?? 0)

/**
 * Items that no sync run met again since `before`, in tenants that have been read since: they are tried again for as long
 * as they are listed, and while a tenant cannot be read, nobody tries.
 */
export function sweepRejected(db: Database, before: Date): Promise<number> {
  const at = before.toISOString()
  return write(db, async (tx) =>
    rowsOf(
      await sql`delete from rejected_items where (tenant_id, item) in (
        select rejected_items.tenant_id, item from rejected_items
        join tenants on tenants.tenant_id = rejected_items.tenant_id
        where last_seen_at < ${at} and last_read_at >= ${at} limit ${sweptAtOnce})`.execute(tx),
    ),
  )
}

/** Budgets of tenants that were offboarded before `before`, and of none at all. */
export function sweepBudgets(db: Database, before: Date): Promise<number> {
  return write(db, async (tx) =>
    rowsOf(
      await sql`delete from call_budgets where tenant_id in (
        select call_budgets.tenant_id from call_budgets
        left join tenants on tenants.tenant_id = call_budgets.tenant_id
        where tenants.tenant_id is null or offboarded_at < ${before.toISOString()} limit ${sweptAtOnce})`.execute(tx),
    ),
  )
}

/** Of each tenant's finished windows all but the newest `kept`. */
export async function sweepWindows(db: Database, most: number): Promise<number> {
  const { rows } = await sql<{ tenant_id: string }>`
    select tenant_id from windows group by tenant_id having count(*) > ${most} limit ${sweptAtOnce}`.execute(db)
  let swept = 0
  for (const { tenant_id } of rows) {
    swept += await write(db, async (tx) =>
      rowsOf(
        await sql`delete from windows where id in (
          select id from windows where tenant_id = ${tenant_id} and finished_at is not null
          order by created_at desc, id limit ${sweptAtOnce} offset ${most})`.execute(tx),
      ),
    )
  }
  return swept
}

/** What a run must not be to go: waited for, rested on by a review, or the latest of its customer. */
const mayGo = sql`old.kind <> 'proof' and old.outcome not in ('claimed', 'proving-tenant', 'awaiting-proof')
  and not exists (select 1 from reviews where reviews.attempt_id = old.id)
  and exists (select 1 from consent_attempts as later where later.customer_id = old.customer_id
    and later.kind <> 'proof' and later.returned_at > old.returned_at)`

/** Runs that came back before `before` and are over. */
export function sweepAttempts(db: Database, before: Date): Promise<number> {
  return write(db, async (tx) =>
    rowsOf(
      await sql`delete from consent_attempts where id in (
        select old.id from consent_attempts as old
        where old.returned_at < ${before.toISOString()} and ${mayGo} limit ${sweptAtOnce})`.execute(tx),
    ),
  )
}

/** Rows of a version that kept departures, and sign-ins under way, which nobody came back to before `before`. */
export function sweepDepartures(db: Database, before: Date): Promise<number> {
  return write(db, async (tx) =>
    rowsOf(
      await sql`delete from consent_attempts where id in (
        select old.id from consent_attempts as old where old.returned_at is null and old.kind <> 'classic'
          and old.expires_at < ${before.toISOString()}
          and not exists (select 1 from reviews where reviews.attempt_id = old.id) limit ${sweptAtOnce})`.execute(tx),
    ),
  )
}

/** Of runs that came back, beyond the newest `kept` over all customers, those that are over; none younger than an hour. */
export async function sweepSurplusAttempts(db: Database, most: number, now: Date): Promise<number> {
  const newest = await db
    .selectFrom('consent_attempts')
    .select('returned_at')
    .where('returned_at', 'is not', null)
    .where('kind', '!=', 'proof')
    .orderBy('returned_at', 'desc')
    .offset(most)
    .limit(1)
    .executeTakeFirst()
  if (!newest?.returned_at) return 0
  const before = new Date(Math.min(Date.parse(newest.returned_at), now.getTime() - hour)).toISOString()
  return write(db, async (tx) =>
    rowsOf(
      await sql`delete from consent_attempts where id in (
        select old.id from consent_attempts as old
        where old.returned_at <= ${before} and ${mayGo} order by old.returned_at limit ${sweptAtOnce})`.execute(tx),
    ),
  )
}
