import { type Selectable, sql } from 'kysely'
import type { RefusalCode } from '../../model/refusal.ts'
import { minute } from '../../time.ts'
import type { DueClaim } from '../engine/claim.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { claimDueRows, type DueWork, endDueClaim, holdDueRow, releaseDueRow } from '../engine/due.ts'
import type { Schema } from '../engine/schema.ts'

/** A tenant of which somebody says that it has consented, and how the search for a proof goes. */
export interface AwaitedProof {
  tenantId: string
  /** When the quick schedule began, in UTC. */
  since: string
  /** When the latest claim came, in UTC. */
  claimedAt: string
  claims: number
  tries: number
  nextAt: string
  lastAt: string | null
  /** Why the latest try was refused. */
  lastCode: RefusalCode | null
}

/** The quick schedule begins again for a claim that comes later than this after it began. */
const quickScheduleMs = 10 * minute
/** However many claims come, they have a tenant asked for once in so long. */
const claimGapMs = minute

/**
 * A browser named a tenant: from now on a proof is looked for, at once where that was not done within a minute. Whoever
 * holds a link can claim as often as they like; a tenant is asked for no more often for it than this pace allows.
 */
export async function awaitProof(tx: Tx, tenantId: string, now: Date): Promise<void> {
  const at = now.toISOString()
  const inserted = await tx
    .insertInto('awaited_proofs')
    .values({
      tenant_id: tenantId,
      since: at,
      claimed_at: at,
      tries: 0,
      next_at: at,
      lease_until: null,
      last_at: null,
      last_code: null,
    })
    .onConflict((oc) => oc.column('tenant_id').doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows === 1n) return
  const row = await tx.selectFrom('awaited_proofs').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()
  // Proven and gone between the two statements: the next claim, or the probe of the link, begins anew.
  if (!row) return awaitProof(tx, tenantId, now)
  const soonest = row.last_at === null ? 0 : Date.parse(row.last_at) + claimGapMs
  const next = Math.min(Date.parse(row.next_at), Math.max(now.getTime(), soonest))
  const restarted = now.getTime() - Date.parse(row.since) >= quickScheduleMs
  await tx
    .updateTable('awaited_proofs')
    .set((eb) => ({
      claimed_at: at,
      claims: eb('claims', '+', 1),
      next_at: new Date(next).toISOString(),
      ...(restarted ? { since: at, tries: 0 } : {}),
    }))
    .where('tenant_id', '=', tenantId)
    .execute()
}

/** Tenants that are asked for a proof of somebody's claim. */
const proving: DueWork = {
  name: 'proof',
  table: 'awaited_proofs',
  key: 'tenant_id',
  due: 'next_at',
  lease: 'lease_until',
  fence: 'fence',
}

/** Longer than a tenant is asked. */
const leaseMs = 2 * minute

/** One that is to be asked for now, by whoever claimed it. */
export interface ClaimedProof extends AwaitedProof {
  claim: DueClaim
}

/** Claims the tenants that are to be asked for now, those that are due longest first. */
export async function claimAwaitedProofs(tx: Tx, now: Date, limit: number): Promise<ClaimedProof[]> {
  const set = sql`last_at = ${now.toISOString()}`
  const claims = await claimDueRows(tx, proving, { now, limit, leaseMs, set })
  if (claims.length === 0) return []
  const keys = claims.map(({ key }) => key)
  const rows = await tx.selectFrom('awaited_proofs').selectAll().where('tenant_id', 'in', keys).execute()
  return claims.flatMap((claim) => {
    const row = rows.find((one) => one.tenant_id === claim.key)
    return row ? [{ ...fromRow(row), claim }] : []
  })
}

/** @throws ClaimLostError */
export const holdAwaitedProof = (tx: Tx, claim: DueClaim): Promise<void> => holdDueRow(tx, proving, claim)

/**
 * A try that proved nothing: when to try again. A claim that came meanwhile may have asked for an earlier time.
 * @throws ClaimLostError
 */
export async function postponeProof(
  tx: Tx,
  { claim }: ClaimedProof,
  next: { at: Date; code: RefusalCode | null },
): Promise<void> {
  await endDueClaim(tx, proving, claim, next.at, sql`tries = tries + 1, last_code = ${next.code}`)
}

/**
 * Nothing is looked for any more: it was proven, or given up. A claim that came meanwhile is looked into on its own.
 * @throws ClaimLostError for one that was claimed
 */
export async function endAwaitedProof(tx: Tx, proof: AwaitedProof | ClaimedProof): Promise<void> {
  const { tenantId, claims } = proof
  if ('claim' in proof) await holdAwaitedProof(tx, proof.claim)
  const gone = await tx
    .deleteFrom('awaited_proofs')
    .where('tenant_id', '=', tenantId)
    .where('claims', '=', claims)
    .executeTakeFirst()
  if (gone.numDeletedRows > 0n || !('claim' in proof)) return
  const { next_at } = await tx
    .selectFrom('awaited_proofs')
    .select('next_at')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  await releaseDueRow(tx, proving, proof.claim, new Date(next_at))
}

/** Null when no proof is awaited for the tenant. */
export async function findAwaitedProof(db: Database, tenantId: string): Promise<AwaitedProof | null> {
  const row = await db.selectFrom('awaited_proofs').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()
  return row ? fromRow(row) : null
}

function fromRow(row: Selectable<Schema['awaited_proofs']>): AwaitedProof {
  return {
    tenantId: row.tenant_id,
    since: row.since,
    claimedAt: row.claimed_at,
    claims: row.claims,
    tries: row.tries,
    nextAt: row.next_at,
    lastAt: row.last_at,
    lastCode: row.last_code as RefusalCode | null,
  }
}
