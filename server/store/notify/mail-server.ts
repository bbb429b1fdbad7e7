import { type Actor, recordAudit } from '../audit.ts'
import type { Database, Tx } from '../engine/dialect.ts'

/** The mail server as Settings keep it. */
export interface SealedMailServer {
  sealed: string
  /** Host and port: what may be shown. */
  shown: string
  from: string
}

const name = 'mail'

/** Where a mail server's address belongs: sealed for this, it opens in no other place. */
export const mailServerPurpose = 'mail server'
export const mailServerPlace = 'settings mail'

/** Null when none was entered. */
export async function findSealedMailServer(db: Database): Promise<SealedMailServer | null> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  return row ? (JSON.parse(row.value) as SealedMailServer) : null
}

/** Keeps a mail server, or none. */
export async function changeMailServer(
  tx: Tx,
  actor: Actor,
  server: SealedMailServer | null,
  now: Date,
): Promise<void> {
  const at = now.toISOString()
  if (server === null) await tx.deleteFrom('settings').where('name', '=', name).execute()
  else {
    const value = JSON.stringify(server)
    await tx
      .insertInto('settings')
      .values({ name, value, changed_at: at })
      .onConflict((oc) => oc.column('name').doUpdateSet({ value, changed_at: at }))
      .execute()
  }
  await recordAudit(tx, actor, { action: 'settings.changed', at: now, facts: { names: 'mailServer' } })
}

/** The same, sealed anew; nothing where it was changed meanwhile. */
export async function resealMailServer(tx: Tx, sealed: string, anew: string): Promise<void> {
  const kept = await findSealedMailServer(tx)
  if (kept?.sealed !== sealed) return
  const value = JSON.stringify({ ...kept, sealed: anew })
  await tx
    .updateTable('settings')
    .set({ value })
    .where('name', '=', name)
    .where('value', '=', JSON.stringify(kept))
    .execute()
}
