import type { Database, Tx } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'
import { digest } from '../identifiers.ts'

/** What is kept of a session; its ID is kept as a hash, so that a copy of the table opens none. */
export interface KeptSession {
  operatorId: string | null
  /** JSON, as the web wrote it. */
  data: string
  createdAt: string
  expiresAt: string
}

/** The session behind an ID, unless its time is over. */
export async function findSession(db: Database, id: string, now: Date): Promise<KeptSession | null> {
  const row = await db
    .selectFrom('sessions')
    .select(['operator_id', 'data', 'created_at', 'expires_at'])
    .where('id_hash', '=', digest(id))
    .where('expires_at', '>', now.toISOString())
    .executeTakeFirst()
  if (!row) return null
  return { operatorId: row.operator_id, data: row.data, createdAt: row.created_at, expiresAt: row.expires_at }
}

/** Writes a session, new or known; `createdAt` of a known one stands. */
export async function saveSession(db: Database, id: string, session: KeptSession): Promise<void> {
  const content = { operator_id: session.operatorId, data: session.data, expires_at: session.expiresAt }
  await write(db, (tx) =>
    tx
      .insertInto('sessions')
      .values({ id_hash: digest(id), created_at: session.createdAt, ...content })
      .onConflict((oc) => oc.column('id_hash').doUpdateSet(content))
      .execute(),
  )
}

/** Moves the end of a session; a session that is gone stays gone. */
export async function prolongSession(db: Database, id: string, expiresAt: string): Promise<void> {
  await write(db, (tx) =>
    tx
      .updateTable('sessions')
      .set({ expires_at: expiresAt })
      .where('id_hash', '=', digest(id))
      .where('expires_at', '<', expiresAt)
      .execute(),
  )
}

export async function destroySession(db: Database, id: string): Promise<void> {
  await write(db, (tx) => tx.deleteFrom('sessions').where('id_hash', '=', digest(id)).execute())
}

/** Ends the oldest sessions of an operator beyond the newest `keep`. */
export async function capSessions(tx: Tx, operatorId: string, keep: number): Promise<void> {
  const newest = await tx
    .selectFrom('sessions')
    .select('id_hash')
    .where('operator_id', '=', operatorId)
    .orderBy('created_at', 'desc')
    .limit(keep)
    .execute()
  let excess = tx.deleteFrom('sessions').where('operator_id', '=', operatorId)
  if (newest.length > 0) {
    excess = excess.where(
      'id_hash',
      'not in',
      newest.map((row) => row.id_hash),
    )
  }
  await excess.execute()
}

export async function sweepSessions(tx: Tx, now: Date): Promise<void> {
  await tx.deleteFrom('sessions').where('expires_at', '<=', now.toISOString()).execute()
}
