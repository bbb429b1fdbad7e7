import type { Database, Tx } from '../engine/dialect.ts'

/** Since when alarms have been watched without a gap. */
interface Watch {
  since: string
  lastAt: string
}

const name = 'alarm watch'

/**
 * Notes that alarms are watched now, and since when without a gap longer than `gapMs`: what was missed because no process
 * ran is no alarm.
 * @returns milliseconds
 */
export async function noteWatch(tx: Tx, now: Date, gapMs: number): Promise<number> {
  const row = await tx.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  const record = row ? (JSON.parse(row.value) as Watch) : null
  const at = now.toISOString()
  const unbroken = record !== null && now.getTime() - Date.parse(record.lastAt) <= gapMs
  const watch: Watch = { since: unbroken ? record.since : at, lastAt: at }
  const value = JSON.stringify(watch)
  await tx
    .insertInto('settings')
    .values({ name, value, changed_at: at })
    .onConflict((oc) => oc.column('name').doUpdateSet({ value, changed_at: at }))
    .execute()
  return now.getTime() - Date.parse(watch.since)
}

/** Subjects of open alarms about decisions that nobody has to take any more. */
export async function decidedClaims(db: Database): Promise<string[]> {
  const rows = await db
    .selectFrom('notify_alarms as a')
    .leftJoin('reviews as r', 'r.id', 'a.subject')
    .select('a.subject')
    .where('a.kind', '=', 'claim-waiting')
    .where('a.over_at', 'is', null)
    .where((eb) => eb.or([eb('r.id', 'is', null), eb('r.decided_at', 'is not', null)]))
    .execute()
  return rows.map((row) => row.subject)
}
