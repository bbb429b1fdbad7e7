import { PortalError } from '../../errors.ts'
import { type Actor, recordAudit } from '../audit.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { digest } from '../identifiers.ts'
import { type Operator, toOperator } from './operators.ts'

/** A session that is not over, with whose it is. */
export interface OpenSession {
  /** The hash of the session's ID: it names a session and opens none. */
  hash: string
  operator: Operator
  signedInAt: string
  /** When it ends, unless its person does something until then. */
  expiresAt: string
  /** JSON, as the web wrote it. */
  data: string
}

export const sessionHash = (id: string): string => digest(id)

/** Every session of everybody who is signed in, the latest first. At most ten of a person are kept. */
export async function openSessions(db: Database, now: Date): Promise<OpenSession[]> {
  const rows = await db
    .selectFrom('sessions')
    .innerJoin('operators', 'operators.id', 'sessions.operator_id')
    .selectAll('operators')
    .select(['sessions.id_hash', 'sessions.created_at', 'sessions.expires_at', 'sessions.data'])
    .where('sessions.expires_at', '>', now.toISOString())
    .orderBy('sessions.created_at', 'desc')
    .orderBy('sessions.id_hash')
    .execute()
  return rows.map((row) => ({
    hash: row.id_hash,
    operator: toOperator(row),
    signedInAt: row.created_at,
    expiresAt: row.expires_at,
    data: row.data,
  }))
}

/** Ends one session; its browser has to sign in again with its next request. @throws PortalError NOT_FOUND */
export async function endSessionOf(tx: Tx, actor: Actor, hash: string, now: Date): Promise<void> {
  const session = await tx
    .selectFrom('sessions')
    .innerJoin('operators', 'operators.id', 'sessions.operator_id')
    .select(['operators.id', 'operators.name', 'operators.username'])
    .where('sessions.id_hash', '=', hash)
    .where('sessions.expires_at', '>', now.toISOString())
    .executeTakeFirst()
  const ended = await tx.deleteFrom('sessions').where('id_hash', '=', hash).executeTakeFirst()
  if (session === undefined || ended.numDeletedRows !== 1n) throw new PortalError('NOT_FOUND')
  const facts = { person: session.name ?? session.username ?? session.id, sessions: 1 }
  await recordAudit(tx, actor, { action: 'session.ended', at: now, subjectId: session.id, facts })
}

/** Ends every session but one. @returns how many */
export async function endSessionsBut(tx: Tx, actor: Actor, kept: string, now: Date): Promise<number> {
  const ended = await tx.deleteFrom('sessions').where('id_hash', '!=', kept).executeTakeFirst()
  const sessions = Number(ended.numDeletedRows)
  if (sessions > 0)
    await recordAudit(tx, actor, { action: 'session.ended', at: now, facts: { person: null, sessions } })
  return sessions
}
