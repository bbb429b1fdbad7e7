import type { Database, Tx } from '../engine/dialect.ts'

const name = 'roles-unseen'

/** Since when customers' sign-ins have come without any directory roles, in UTC; null when the latest came with some. */
export async function readRolesUnseen(db: Database): Promise<string | null> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  return row?.value ?? null
}

/** Notes whether a member's sign-in came with directory roles: a setting of the partner's app, and nobody's of the customer. */
export async function noteRolesSeen(tx: Tx, rolesSeen: boolean, now: Date): Promise<void> {
  const since = await readRolesUnseen(tx)
  if (rolesSeen === (since === null)) return
  if (rolesSeen) {
    await tx.deleteFrom('settings').where('name', '=', name).execute()
    return
  }
  const at = now.toISOString()
  const row = { name, value: at, changed_at: at }
  await tx
    .insertInto('settings')
    .values(row)
    .onConflict((oc) => oc.doNothing())
    .execute()
}
