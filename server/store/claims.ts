import { type RawBuilder, sql } from 'kysely'
import { type Database, isPostgres, type Tx, write } from './database.ts'

/** Work that is due on a row: proving a tenant's access, or reading its incidents. */
export type Work = 'check' | 'sync'

/** The right to do one piece of work on one tenant until the lease ends. The fence tells a claim from a later one. */
export interface Claim {
  work: Work
  tenantId: string
  fence: number
  /** When it was due: what the row said before it was claimed. */
  dueAt: string
}

/**
 * Claims up to `limit` tenants whose work is due and that nobody holds. The due time moves to the end of the lease in
 * the same statement: a worker that dies costs one lease, and a tenant that kills its worker is no hot loop.
 */
export function claimDue(db: Database, work: Work, now: Date, limit: number, leaseMs: number): Promise<Claim[]> {
  const due = sql.ref(`next_${work}_at`)
  return claimWhere(db, work, { where: sql`${due} <= ${now.toISOString()}`, order: due, limit }, now, leaseMs)
}

/**
 * Claims the check of the tenant that was checked longest ago, due or not: what tries a credential again that fails for
 * everybody. Turn by turn, so that one tenant with a trouble of its own does not speak for all.
 */
export function claimOldestCheck(db: Database, now: Date, leaseMs: number): Promise<Claim[]> {
  const which = { where: sql`next_check_at is not null`, order: sql`coalesce(last_check_at, '')`, limit: 1 }
  return claimWhere(db, 'check', which, now, leaseMs)
}

async function claimWhere(
  db: Database,
  work: Work,
  which: { where: RawBuilder<unknown>; order: RawBuilder<unknown>; limit: number },
  now: Date,
  leaseMs: number,
): Promise<Claim[]> {
  const at = now.toISOString()
  const until = new Date(now.getTime() + leaseMs).toISOString()
  const due = sql.ref(`next_${work}_at`)
  const lease = sql.ref(`${work}_lease_until`)
  const fence = sql.ref(`${work}_fence`)
  return write(db, async (tx) => {
    // PostgreSQL: rows another worker is claiming this instant are passed over instead of waited for.
    const lock = isPostgres(db) ? sql`for update skip locked` : sql``
    const { rows } = await sql<{ tenant_id: string; fence: number; due_at: string }>`
      select tenant_id, ${fence} as fence, ${due} as due_at from tenants
      where ${which.where} and (${lease} is null or ${lease} <= ${at})
      order by ${which.order}, tenant_id limit ${which.limit} ${lock}`.execute(tx)
    const claims: Claim[] = []
    for (const row of rows) {
      const { numAffectedRows } = await sql`
        update tenants set ${fence} = ${fence} + 1, ${lease} = ${until}, ${due} = ${until}
        where tenant_id = ${row.tenant_id} and ${fence} = ${row.fence}`.execute(tx)
      if (numAffectedRows === 1n)
        claims.push({ work, tenantId: row.tenant_id, fence: row.fence + 1, dueAt: row.due_at })
    }
    return claims
  })
}

/** The claim was overtaken: its lease ended and somebody else works on the tenant, or the tenant was offboarded. */
export class ClaimLostError extends Error {
  constructor(claim: Claim) {
    super(`the claim on the ${claim.work} of ${claim.tenantId} was overtaken`)
    this.name = 'ClaimLostError'
  }
}

/**
 * Makes a write of this claim conditional on still holding it, inside the write's own transaction.
 * @throws ClaimLostError
 */
export async function holdClaim(tx: Tx, claim: Claim): Promise<void> {
  const fence = sql.ref(`${claim.work}_fence`)
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
  const lease = sql.ref(`${claim.work}_lease_until`)
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
    await sql`update tenants set ${sql.ref(`${claim.work}_lease_until`)} = null,
      ${sql.ref(`next_${claim.work}_at`)} = ${dueAt.toISOString()} where tenant_id = ${claim.tenantId}`.execute(tx)
  })
}
