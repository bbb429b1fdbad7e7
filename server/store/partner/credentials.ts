import { type Actor, recordAudit } from '../audit.ts'
import type { Database, Tx } from '../engine/dialect.ts'

/** What Microsoft last said to one of the partner's own credentials. */
export interface KeptTrial {
  /** As partner/expiry names credentials. */
  name: string
  /** Microsoft does not take it; null where it does, or did not say. */
  refused: { aadsts: number | null } | null
}

/** The latest trial of all credentials. */
export interface KeptTrials {
  at: string
  trials: KeptTrial[]
}

const trialsName = 'credential trials'

/** Null before anybody has tried them: as long as there is only one of each. */
export async function readTrials(db: Database): Promise<KeptTrials | null> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', trialsName).executeTakeFirst()
  return row ? (JSON.parse(row.value) as KeptTrials) : null
}

export async function keepTrials(tx: Tx, trials: readonly KeptTrial[], now: Date): Promise<void> {
  await put(tx, trialsName, { at: now.toISOString(), trials }, now)
}

/** There is one credential of each: what was said to two is of the past. */
export async function forgetTrials(tx: Tx): Promise<void> {
  await tx.deleteFrom('settings').where('name', '=', trialsName).execute()
}

/** When a secret ends, as a person said. The hint is its first three characters: another secret has another end. */
export interface EnteredEnd {
  clientId: string
  hint: string
  /** `YYYY-MM-DD`; it ends at the end of that day, UTC. */
  date: string
  by: string
}

const endsName = 'entered secret ends'

export async function readEnteredEnds(db: Database): Promise<EnteredEnd[]> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', endsName).executeTakeFirst()
  return row ? (JSON.parse(row.value) as EnteredEnd[]) : []
}

/**
 * Keeps when a secret ends, or with `date` null that nobody knows.
 * @param name what the audit log calls it
 */
export async function enterEnd(
  tx: Tx,
  actor: Actor & { kind: 'operator' },
  { name, clientId, hint, date }: { name: string; clientId: string; hint: string; date: string | null },
  now: Date,
): Promise<void> {
  // The row is there and held before it is read: two people who enter different ones both succeed.
  await tx
    .insertInto('settings')
    .values({ name: endsName, value: '[]', changed_at: now.toISOString() })
    .onConflict((oc) => oc.column('name').doUpdateSet({ changed_at: now.toISOString() }))
    .execute()
  const others = (await readEnteredEnds(tx)).filter((one) => one.clientId !== clientId || one.hint !== hint)
  await put(tx, endsName, date === null ? others : [...others, { clientId, hint, date, by: actor.name }], now)
  await recordAudit(tx, actor, { action: 'settings.changed', at: now, facts: { names: `${name} end` } })
}

async function put(tx: Tx, name: string, content: unknown, now: Date): Promise<void> {
  const value = JSON.stringify(content)
  const changed_at = now.toISOString()
  await tx
    .insertInto('settings')
    .values({ name, value, changed_at })
    .onConflict((oc) => oc.column('name').doUpdateSet({ value, changed_at }))
    .execute()
}
