import type { RejectedItem } from '../microsoft/microsoft.ts'
import type { Database, Tx } from './database.ts'

const mostOfAPage = 100

/** What of a page was not understood: kept by name, once, so that somebody can look. */
export async function recordRejected(
  tx: Tx,
  tenantId: string,
  items: readonly RejectedItem[],
  now: Date,
): Promise<void> {
  for (const { id, reason, detail } of items.slice(0, mostOfAPage)) {
    const said = { reason, detail: detail.replaceAll('\0', '').slice(0, 1_000), last_seen_at: now.toISOString() }
    await tx
      .insertInto('rejected_items')
      .values({
        tenant_id: tenantId,
        item: (id ?? `?${reason}`).replaceAll('\0', '').slice(0, 200),
        ...said,
        first_seen_at: now.toISOString(),
      })
      .onConflict((oc) => oc.columns(['tenant_id', 'item']).doUpdateSet(said))
      .execute()
  }
}

/** Items that were understood in the end are no longer listed. */
export async function forgetRejected(tx: Tx, tenantId: string, ids: readonly string[]): Promise<void> {
  for (let start = 0; start < ids.length; start += 500) {
    await tx
      .deleteFrom('rejected_items')
      .where('tenant_id', '=', tenantId)
      .where('item', 'in', ids.slice(start, start + 500))
      .execute()
  }
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
