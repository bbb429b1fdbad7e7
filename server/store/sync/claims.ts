import { type RawBuilder, sql } from 'kysely'
import { type Claim, ClaimLostError, type Work } from '../engine/claim.ts'
import { type Database, isPostgres, type Tx } from '../engine/dialect.ts'
import { offloaded } from '../engine/offload.ts'
import { write } from '../engine/write.ts'
import { type CallLimits, takeOneEach } from './budgets.ts'

const holdOf: Record<Work, 'check' | 'sync'> = { check: 'check', sync: 'sync', window: 'sync' }

/**
 * Where work waits for a place. First sync runs are long, and tenants whose last polls failed may hang: both wait apart, and
 * as many as there are, they hold up nobody whose polls are quick.
 */
export type Lane = 'check' | 'first' | 'sync' | 'troubled' | 'window'

export const workOf: Record<Lane, Work> = {
  check: 'check',
  first: 'sync',
  sync: 'sync',
  troubled: 'sync',
  window: 'window',
}

export interface ClaimOptions {
  /** Only tenants of this lane. */
  lane?: Lane
  /** Takes one call of each tenant's budget, where there is one left. */
  callLimits?: CallLimits
}

/**
 * Claims up to `limit` tenants whose work is due and that nobody holds. The due time moves to the end of the lease in
 * the same statement: a worker that dies costs one lease, and a tenant that kills its worker is no hot loop. What an
 * operator paused is not claimed, nor a tenant before the time Microsoft or our own budget set for it.
 */
export const claimDue = offloaded(
  'claimDue',
  async (
    db: Database,
    work: Work,
    now: Date,
    limit: number,
    leaseMs: number,
    options: ClaimOptions = {},
  ): Promise<Claim[]> => {
    const due = sql.ref(`next_${work}_at`)
    const where = sql`${due} <= ${now.toISOString()} and ${laneIs(options.lane)}`
    return claimWhere(db, work, { where, order: due, limit }, now, leaseMs, options.callLimits)
  },
)

/**
 * Claims the check of the tenant that was checked longest ago, due or not: what tries a credential again that fails for
 * everybody. Turn by turn, so that one tenant with a trouble of its own does not speak for all.
 */
export function claimOldestCheck(db: Database, now: Date, leaseMs: number): Promise<Claim[]> {
  const which = { where: sql`next_check_at is not null`, order: sql`coalesce(last_check_at, '')`, limit: 1 }
  return claimWhere(db, 'check', which, now, leaseMs)
}

/** What waits, without taking any of it. */
export interface Outlook {
  /** When the first of a lane that may be claimed is due; null for none. */
  due: Record<Lane, string | null>
  /** Somebody paused everything. */
  paused: boolean
  /** A credential or registration of the partner's own fails. */
  partnerFault: boolean
  /** When the proof of a claim is to be looked for next; null for none. */
  proof: string | null
}

/** One look at what there is to do: a statement that reads a few rows, however many tenants there are. */
export async function lookAhead(db: Database, now: Date): Promise<Outlook> {
  const first = (lane: Lane) => {
    const due = sql.ref(`next_${workOf[lane]}_at`)
    return sql`select * from (select ${sql.lit(lane)} as what, ${due} as at from tenants
      where ${due} is not null and ${laneIs(lane)} and ${claimable(workOf[lane], now)} order by ${due} limit 1) as ${sql.ref(lane)}`
  }
  const { rows } = await sql<{ what: string; at: string | null }>`
    ${first('check')} union all ${first('first')} union all ${first('sync')} union all ${first('troubled')} union all ${first('window')}
    union all select 'pause' as what, changed_at as at from settings where name = 'pause'
    union all select 'partner-fault' as what, seen_at as at from partner_faults
    union all select 'proof' as what, min(next_at) as at from awaited_proofs`.execute(db)
  const at = (what: string) => rows.find((row) => row.what === what)?.at ?? null
  return {
    due: { check: at('check'), first: at('first'), sync: at('sync'), troubled: at('troubled'), window: at('window') },
    paused: at('pause') !== null,
    partnerFault: at('partner-fault') !== null,
    proof: at('proof'),
  }
}

/** How many tenants are due and not yet taken up, by kind of work. Counts: for a gauge, not for every look. */
export async function countDue(db: Database, now: Date): Promise<Record<Work, number>> {
  const count = (work: Work) =>
    sql`(select count(*) from tenants where ${sql.ref(`next_${work}_at`)} <= ${now.toISOString()}
      and ${claimable(work, now)}) as ${sql.ref(work)}`
  const { rows } = await sql<Record<Work, number>>`
    select ${count('check')}, ${count('sync')}, ${count('window')}`.execute(db)
  return rows[0] ?? { check: 0, sync: 0, window: 0 }
}

const laneIs = (lane: Lane | undefined) => {
  if (lane === 'first') return sql`sync_phase <> 'following' and sync_failures = 0`
  if (lane === 'sync') return sql`sync_phase = 'following' and sync_failures = 0`
  return lane === 'troubled' ? sql`sync_failures > 0` : sql`1 = 1`
}

/** Held by nobody, paused by nobody, and not to be left alone yet. */
function claimable(work: Work, now: Date): RawBuilder<unknown> {
  const at = now.toISOString()
  const lease = sql.ref(`${holdOf[work]}_lease_until`)
  const free = sql`paused_at is null and (${lease} is null or ${lease} <= ${at})`
  const running = sql`not exists (select 1 from settings where name = 'pause')`
  // The proof that a customer's administrator is waiting for goes on.
  if (work === 'check') return sql`${free} and (access_state = 'proving' or ${running})`
  const allowed = sql`${free} and ${running} and (sync_not_before is null or sync_not_before <= ${at})`
  if (work === 'sync') return allowed
  // What has changed comes before what lies back, in one tenant as in all.
  return sql`${allowed} and (next_sync_at is null or next_sync_at > ${at})`
}

async function claimWhere(
  db: Database,
  work: Work,
  which: { where: RawBuilder<unknown>; order: RawBuilder<unknown>; limit: number },
  now: Date,
  leaseMs: number,
  callLimits?: CallLimits,
): Promise<Claim[]> {
  const at = now.toISOString()
  const until = new Date(now.getTime() + leaseMs).toISOString()
  const due = sql.ref(`next_${work}_at`)
  const lease = sql.ref(`${holdOf[work]}_lease_until`)
  const fence = sql.ref(`${holdOf[work]}_fence`)
  return write(db, async (tx) => {
    // PostgreSQL: rows another worker is claiming this instant are passed over instead of waited for.
    const lock = isPostgres(db) ? sql`for update skip locked` : sql``
    const { rows } = await sql<{ tenant_id: string; fence: number; due_at: string }>`
      select tenant_id, ${fence} as fence, ${due} as due_at from tenants
      where ${which.where} and ${claimable(work, now)}
      order by ${which.order}, tenant_id limit ${which.limit} ${lock}`.execute(tx)
    if (rows.length === 0) return []
    const ids = rows.map((row) => row.tenant_id)
    // Nobody changes these rows between the look and this: they are held until the transaction ends.
    await sql`
      update tenants set ${fence} = ${fence} + 1, ${lease} = ${until}, ${due} = ${until}
        ${work === 'check' ? sql`` : sql`, sync_started_at = ${at}`}
      where tenant_id in (${sql.join(ids)})`.execute(tx)
    const paid = callLimits ? await takeOneEach(tx, ids, callLimits, now) : null
    return rows.map((row) => ({
      work,
      tenantId: row.tenant_id,
      fence: row.fence + 1,
      dueAt: row.due_at,
      calls: paid?.has(row.tenant_id) ? 1 : 0,
    }))
  })
}

/**
 * Makes a write of this claim conditional on still holding it, inside the write's own transaction.
 * @throws ClaimLostError
 */
export async function holdClaim(tx: Tx, claim: Claim): Promise<void> {
  const fence = sql.ref(`${holdOf[claim.work]}_fence`)
  // PostgreSQL: the row is held until this transaction ends, so that nobody overtakes between this look and the write.
  const { rows } = await sql`
    select 1 from tenants where tenant_id = ${claim.tenantId} and ${fence} = ${claim.fence}
    ${isPostgres(tx) ? sql`for update` : sql``}`.execute(tx)
  if (rows.length !== 1) throw new ClaimLostError(claim)
}

/**
 * Lengthens the lease of work that is still going on; where it has just ended, nothing changes. What was asked for
 * meanwhile stays due when it was asked for.
 * @throws ClaimLostError
 */
export async function extendClaim(db: Database, claim: Claim, now: Date, leaseMs: number): Promise<void> {
  const until = new Date(now.getTime() + leaseMs).toISOString()
  const due = sql.ref(`next_${claim.work}_at`)
  const lease = sql.ref(`${holdOf[claim.work]}_lease_until`)
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await sql`update tenants set ${lease} = ${until}, ${due} = case when ${due} < ${lease} then ${due} else ${until} end
      where tenant_id = ${claim.tenantId} and ${lease} is not null`.execute(tx)
  })
}

/** Gives a claim back undone, due again at `dueAt`: what a worker does that is told to stop. */
export async function releaseClaim(db: Database, claim: Claim, dueAt: Date): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await sql`update tenants set ${sql.ref(`${holdOf[claim.work]}_lease_until`)} = null
      ${claim.work === 'check' ? sql`` : sql`, sync_started_at = null`},
      ${sql.ref(`next_${claim.work}_at`)} = ${dueAt.toISOString()} where tenant_id = ${claim.tenantId}`.execute(tx)
  })
}
