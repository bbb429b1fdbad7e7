import type { Selectable } from 'kysely'
import type { RefusalCode } from '../../model/refusal.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { write } from '../engine/write.ts'

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
const quickScheduleMs = 10 * 60_000
/** However many claims come, they have a tenant asked for once in so long. */
const claimGapMs = 60_000

/**
 * A browser named a tenant: from now on a proof is looked for, at once where that was not done within a minute. Whoever
 * holds a link can claim as often as they like; a tenant is asked for no more often for it than this pace allows.
 */
export async function awaitProof(tx: Tx, tenantId: string, now: Date): Promise<void> {
  const at = now.toISOString()
  const inserted = await tx
    .insertInto('awaited_proofs')
    .values({ tenant_id: tenantId, since: at, claimed_at: at, tries: 0, next_at: at, last_at: null, last_code: null })
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

/**
 * Takes the tenants that are to be asked for now. Their next try is moved to the end of `leaseMs` first: a process that
 * dies meanwhile costs that long, and no other process asks for the same one.
 */
export async function claimAwaitedProofs(
  db: Database,
  now: Date,
  limit: number,
  leaseMs: number,
): Promise<AwaitedProof[]> {
  const at = now.toISOString()
  return write(db, async (tx) => {
    const due = await tx
      .selectFrom('awaited_proofs')
      .selectAll()
      .where('next_at', '<=', at)
      .orderBy('next_at')
      .limit(limit)
      .execute()
    const claimed: AwaitedProof[] = []
    for (const row of due) {
      const moved = await tx
        .updateTable('awaited_proofs')
        .set({ next_at: new Date(now.getTime() + leaseMs).toISOString(), last_at: at })
        .where('tenant_id', '=', row.tenant_id)
        .where('next_at', '=', row.next_at)
        .executeTakeFirst()
      if (moved.numUpdatedRows === 1n) claimed.push(fromRow(row))
    }
    return claimed
  })
}

/** A try that proved nothing: when to try again. A claim that came meanwhile may have asked for an earlier time. */
export async function postponeProof(
  tx: Tx,
  proof: AwaitedProof,
  next: { at: Date; code: RefusalCode | null },
): Promise<void> {
  const unclaimed = await tx
    .updateTable('awaited_proofs')
    .set((eb) => ({ tries: eb('tries', '+', 1), next_at: next.at.toISOString(), last_code: next.code }))
    .where('tenant_id', '=', proof.tenantId)
    .where('claims', '=', proof.claims)
    .executeTakeFirst()
  if (unclaimed.numUpdatedRows === 1n) return
  await tx
    .updateTable('awaited_proofs')
    .set((eb) => ({ tries: eb('tries', '+', 1), last_code: next.code }))
    .where('tenant_id', '=', proof.tenantId)
    .execute()
}

/** Nothing is looked for any more: it was proven, or given up. A claim that came meanwhile is looked into on its own. */
export async function endAwaitedProof(tx: Tx, proof: Pick<AwaitedProof, 'tenantId' | 'claims'>): Promise<void> {
  await tx
    .deleteFrom('awaited_proofs')
    .where('tenant_id', '=', proof.tenantId)
    .where('claims', '=', proof.claims)
    .execute()
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
