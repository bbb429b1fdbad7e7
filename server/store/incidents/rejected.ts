import type { RejectedItem } from '../../model/incident.ts'
import { hour } from '../../time.ts'
import type { Claim } from '../engine/claim.ts'
import { among, type Database, type Tx } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { holdClaim } from '../sync/claims.ts'
import { partialTriedEvery, partlyAnswered } from '../sync/partial.ts'

const mostOfAPage = 100

/** Items of a page that were not understood: kept by name, once, so that a person can look. */
export async function recordRejected(
  tx: Tx,
  tenantId: string,
  items: readonly RejectedItem[],
  now: Date,
): Promise<void> {
  for (const { id, reason, detail } of items.slice(0, mostOfAPage)) {
    const reading = { reason, detail: detail.slice(0, 1_000), last_seen_at: now.toISOString() }
    await tx
      .insertInto('rejected_items')
      .values({
        tenant_id: tenantId,
        item: (id ?? `?${reason}`).slice(0, 200),
        ...reading,
        first_seen_at: now.toISOString(),
      })
      .onConflict((oc) => oc.columns(['tenant_id', 'item']).doUpdateSet(reading))
      .execute()
  }
}

/** Items that were understood in the end are no longer listed. */
export async function forgetRejected(tx: Tx, tenantId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx
    .deleteFrom('rejected_items')
    .where('tenant_id', '=', tenantId)
    .where(among(tx, 'item', ids))
    .execute()
}

/** Not tried again sooner. */
const triedEvery = hour

/** Items with an ID that were rejected a while ago: asked for by themselves, they may be readable by now. */
export async function rejectedDue(db: Database, tenantId: string, limit: number, now: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('rejected_items')
    .select('item')
    .where('tenant_id', '=', tenantId)
    .where(({ eb, or, and }) => {
      const ago = (ms: number) => eb('last_seen_at', '<=', new Date(now.getTime() - ms).toISOString())
      return or([ago(triedEvery), and([eb('reason', 'in', [...partlyAnswered]), ago(partialTriedEvery)])])
    })
    .where('item', 'not like', '?%')
    .where('reason', 'not in', ['alerts-unread', 'alerts-partly-answered'])
    .orderBy('last_seen_at')
    .limit(limit)
    .execute()
  return rows.map((row) => row.item)
}

/** Microsoft knows no such incident any more. @throws ClaimLostError */
export async function dropRejected(db: Database, claim: Claim, item: string): Promise<void> {
  await write(db, async (tx) => {
    await holdClaim(tx, claim)
    await forgetRejected(tx, claim.tenantId, [item])
  })
}

/** What was rejected without a name can never be asked for: it is listed for as long as a person may look into it. */
export async function sweepUnnamed(tx: Tx, tenantId: string, before: Date): Promise<void> {
  await tx
    .deleteFrom('rejected_items')
    .where('tenant_id', '=', tenantId)
    .where('item', 'like', '?%')
    .where('last_seen_at', '<', before.toISOString())
    .execute()
}

export async function rejectedOf(
  db: Database,
  tenantId: string,
): Promise<
  { item: string; reason: RejectedItem['reason']; detail: string; firstSeenAt: string; lastSeenAt: string }[]
> {
  const rows = await db
    .selectFrom('rejected_items')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('last_seen_at', 'desc')
    .limit(100)
    .execute()
  return rows.map((row) => ({
    item: row.item,
    reason: row.reason as RejectedItem['reason'],
    detail: row.detail,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  }))
}
