import { type RawBuilder, sql } from 'kysely'
import type { Claim, Work } from '../engine/claim.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import {
  claimDueRows,
  type DueQuery,
  type DueWork,
  extendDueRow,
  holdDueRow,
  isFree,
  releaseDueRow,
} from '../engine/due.ts'
import { offloaded } from '../engine/offload.ts'
import { write } from '../engine/write.ts'
import { type CallLimits, takeOneEach } from './budgets.ts'

const table = { table: 'tenants', key: 'tenant_id' } as const
const reading = { ...table, lease: 'sync_lease_until', fence: 'sync_fence' } as const

/** Windows and what changed are read under one lease and one fence. */
const works = {
  check: { ...table, name: 'check', due: 'next_check_at', lease: 'check_lease_until', fence: 'check_fence' },
  sync: { ...reading, name: 'sync', due: 'next_sync_at' },
  window: { ...reading, name: 'window', due: 'next_window_at' },
} as const satisfies Record<Work, DueWork>

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
    return claimTenants(db, work, { now, limit, leaseMs, where: laneIs(options.lane) }, options.callLimits)
  },
)

/**
 * Claims the check of the tenant that was checked longest ago, due or not: what tries a credential again that fails for
 * everybody. Turn by turn, so that one tenant with a trouble of its own does not speak for all.
 */
export function claimOldestCheck(db: Database, now: Date, leaseMs: number): Promise<Claim[]> {
  return claimTenants(db, 'check', { now, limit: 1, leaseMs, order: sql`coalesce(last_check_at, '')`, early: true })
}

/** What waits, without taking any of it. */
export interface Outlook {
  /** When the first of a lane that may be claimed is due; null for none. */
  due: Record<Lane, string | null>
  /** An operator paused all reading. */
  paused: boolean
  /** A credential or registration of the partner's own fails. */
  partnerFault: boolean
  /** When the proof of a claim is to be looked for next; null for none. */
  proof: string | null
}

/** One look at what there is to do: a statement that reads a few rows, however many tenants there are. */
export async function lookAhead(db: Database, now: Date): Promise<Outlook> {
  const first = (lane: Lane) => {
    const due = sql.ref(works[workOf[lane]].due)
    return sql`select * from (select ${sql.lit(lane)} as what, ${due} as at from tenants
      where ${due} is not null and ${isFree(works[workOf[lane]], now)} and ${laneIs(lane)}
        and ${mayBegin(workOf[lane], now)} order by ${due} limit 1) as ${sql.ref(lane)}`
  }
  const { rows } = await sql<{ what: string; at: string | null }>`
    ${first('check')} union all ${first('first')} union all ${first('sync')} union all ${first('troubled')} union all ${first('window')}
    union all select 'pause' as what, changed_at as at from settings where name = 'pause'
    union all select 'partner-fault' as what, seen_at as at from partner_faults
    union all select 'proof' as what, min(next_at) as at from awaited_proofs where ${isFree({ lease: 'lease_until' }, now)}`.execute(
    db,
  )
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
    sql`(select count(*) from tenants where ${sql.ref(works[work].due)} <= ${now.toISOString()}
      and ${isFree(works[work], now)} and ${mayBegin(work, now)}) as ${sql.ref(work)}`
  const { rows } = await sql<Record<Work, number>>`
    select ${count('check')}, ${count('sync')}, ${count('window')}`.execute(db)
  return rows[0] ?? { check: 0, sync: 0, window: 0 }
}

const laneIs = (lane: Lane | undefined) => {
  if (lane === 'first') return sql`sync_phase <> 'following' and sync_failures = 0`
  if (lane === 'sync') return sql`sync_phase = 'following' and sync_failures = 0`
  return lane === 'troubled' ? sql`sync_failures > 0` : sql`1 = 1`
}

/** Paused by nobody, and not to be left alone yet. */
function mayBegin(work: Work, now: Date): RawBuilder<unknown> {
  const at = now.toISOString()
  const running = sql`not exists (select 1 from settings where name = 'pause')`
  // The proof that a customer's administrator is waiting for goes on.
  if (work === 'check') return sql`paused_at is null and (access_state = 'proving' or ${running})`
  const allowed = sql`paused_at is null and ${running} and (sync_not_before is null or sync_not_before <= ${at})`
  if (work === 'sync') return allowed
  // What has changed comes before what lies back, in one tenant as in all.
  return sql`${allowed} and (next_sync_at is null or next_sync_at > ${at})`
}

async function claimTenants(db: Database, work: Work, query: DueQuery, callLimits?: CallLimits): Promise<Claim[]> {
  const { now, where = sql`1 = 1` } = query
  const started = work === 'check' ? {} : { set: sql`sync_started_at = ${now.toISOString()}` }
  return write(db, async (tx) => {
    const allowed = sql`${where} and ${mayBegin(work, now)}`
    const claims = await claimDueRows(tx, works[work], { ...query, ...started, where: allowed })
    const ids = claims.map(({ key }) => key)
    const paid = callLimits && ids.length > 0 ? await takeOneEach(tx, ids, callLimits, now) : null
    return claims.map((claim) => ({ ...claim, work, tenantId: claim.key, calls: paid?.has(claim.key) ? 1 : 0 }))
  })
}

/**
 * Makes a write of this claim conditional on still holding it, inside the write's own transaction.
 * @throws ClaimLostError
 */
export const holdClaim = (tx: Tx, claim: Claim): Promise<void> => holdDueRow(tx, works[claim.work], claim)

/**
 * Lengthens the lease of work that is still going on; where it has just ended, nothing changes. What was asked for
 * meanwhile stays due when it was asked for.
 * @throws ClaimLostError
 */
export const extendClaim = (db: Database, claim: Claim, now: Date, leaseMs: number): Promise<void> =>
  extendDueRow(db, works[claim.work], claim, now, leaseMs)

/** Gives a claim back undone, due again at `dueAt`: what a worker does that is told to stop. @throws ClaimLostError */
export async function releaseClaim(db: Database, claim: Claim, dueAt: Date): Promise<void> {
  const ended = claim.work === 'check' ? null : sql`sync_started_at = null`
  await write(db, (tx) => releaseDueRow(tx, works[claim.work], claim, dueAt, ended))
}
