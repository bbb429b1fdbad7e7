import type { Selectable } from 'kysely'
import type { SignedInPerson } from '../../model/access.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import type { Schema } from '../engine/schema.ts'
import { write } from '../engine/write.ts'
import type { OperatorLimits } from './limits.ts'

export type Theme = 'light' | 'dark'

/** One of the partner's people. `id` is `<tid>.<oid>`; name and username are for display and may change. */
export interface Operator {
  id: string
  tid: string
  oid: string
  name: string | null
  username: string | null
  /** App roles as of the latest sign-in. */
  roles: string[]
  guest: boolean
  language: string | null
  timeZone: string | null
  /** Null follows the system. */
  theme: Theme | null
  /** What an Admin limited her to in Settings; null for everything. */
  limits: OperatorLimits | null
  firstSeenAt: string
  lastSeenAt: string
}

export interface Preferences {
  language?: string | null
  timeZone?: string | null
  theme?: Theme | null
}

export const operatorId = (person: { tid: string; oid: string }): string => `${person.tid}.${person.oid}`

/** Remembers who signed in, and with which roles: the latest sign-in decides. */
export async function recordSignIn(tx: Tx, person: SignedInPerson, now: Date): Promise<Operator> {
  const at = now.toISOString()
  const latest = {
    name: person.name,
    username: person.username,
    roles: JSON.stringify(person.roles),
    guest: person.guest ? 1 : 0,
    last_seen_at: at,
  }
  await tx
    .insertInto('operators')
    .values({ id: operatorId(person), tid: person.tid, oid: person.oid, ...latest, first_seen_at: at })
    .onConflict((oc) => oc.column('id').doUpdateSet(latest))
    .execute()
  const operator = await findOperator(tx, operatorId(person))
  if (!operator) throw new Error('an operator vanished inside the transaction that wrote it')
  return operator
}

/** Someone signed in without a role: what an earlier sign-in brought is gone, in every session. Strangers leave no row. */
export async function dropRoles(tx: Tx, person: SignedInPerson): Promise<void> {
  await tx
    .updateTable('operators')
    .set({ roles: '[]', guest: person.guest ? 1 : 0 })
    .where('id', '=', operatorId(person))
    .execute()
}

export async function findOperator(db: Database, id: string): Promise<Operator | null> {
  const row = await db.selectFrom('operators').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? toOperator(row) : null
}

/** Everyone who ever signed in, the latest first. */
export async function listOperators(db: Database): Promise<Operator[]> {
  const rows = await db.selectFrom('operators').selectAll().orderBy('last_seen_at', 'desc').orderBy('id').execute()
  return rows.map(toOperator)
}

/** Changes the preferences that are given and leaves the others. */
export async function savePreferences(db: Database, id: string, preferences: Preferences): Promise<void> {
  const change = {
    ...(preferences.language === undefined ? {} : { language: preferences.language }),
    ...(preferences.timeZone === undefined ? {} : { time_zone: preferences.timeZone }),
    ...(preferences.theme === undefined ? {} : { theme: preferences.theme }),
  }
  if (Object.keys(change).length === 0) return
  await write(db, (tx) => tx.updateTable('operators').set(change).where('id', '=', id).execute())
}

export function toOperator(row: Selectable<Schema['operators']>): Operator {
  return {
    id: row.id,
    tid: row.tid,
    oid: row.oid,
    name: row.name,
    username: row.username,
    roles: JSON.parse(row.roles) as string[],
    guest: row.guest === 1,
    language: row.language,
    timeZone: row.time_zone,
    theme: row.theme === 'light' || row.theme === 'dark' ? row.theme : null,
    limits: row.limits === null ? null : (JSON.parse(row.limits) as OperatorLimits),
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  }
}
