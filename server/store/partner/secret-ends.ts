import type { Database, Tx } from '../engine/dialect.ts'

/** When secrets of the partner's registrations end, as Entra last said. */
export interface KeptSecretEnds {
  at: string
  ends: { clientId: string; hint: string; endsAt: string }[]
}

const name = 'secret ends'

/** Null before anybody has asked. */
export async function readKeptSecretEnds(db: Database): Promise<KeptSecretEnds | null> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  return row ? (JSON.parse(row.value) as KeptSecretEnds) : null
}

export async function keepSecretEnds(tx: Tx, ends: KeptSecretEnds['ends'], now: Date): Promise<void> {
  const at = now.toISOString()
  const value = JSON.stringify({ at, ends } satisfies KeptSecretEnds)
  await tx
    .insertInto('settings')
    .values({ name, value, changed_at: at })
    .onConflict((oc) => oc.column('name').doUpdateSet({ value, changed_at: at }))
    .execute()
}
