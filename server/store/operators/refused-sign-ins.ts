import { type Actor, recordAudit } from '../audit.ts'
import type { Database, Tx } from '../engine/dialect.ts'

/** Beyond so many in one hour, all others share one row: whoever has many addresses writes no more than that. */
const mostPerHour = 100
const everybodyElse = '*'
/** The row in which the places of an hour are counted; no address or operator is called so. */
const places = '#'

/**
 * Notes that a sign-in was refused. The first of an hour and of whoever it was is written to the audit log; those that
 * follow are counted. `who` is what a limit is counted by: the operator whom Microsoft vouched for, or a network address.
 */
export async function recordRefusedSignIn(
  tx: Tx,
  actor: Exclude<Actor, { kind: 'muster' }>,
  refusal: { who: string; at: Date; facts: Record<string, string | number | null> },
): Promise<void> {
  const hour = refusal.at.toISOString().slice(0, 13)
  if (await countAgain(tx, hour, refusal.who, refusal.at)) return
  const shared = !(await takePlace(tx, hour, refusal.at))
  const who = shared ? everybodyElse : refusal.who
  if (shared && (await countAgain(tx, hour, who, refusal.at))) return
  const inserted = await tx
    .insertInto('refused_sign_ins')
    .values({ hour, who, times: 1, last_at: refusal.at.toISOString() })
    .onConflict((oc) => oc.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows !== 1n) {
    // The same address, at the same moment, in another transaction: it has one place.
    if (!shared) await giveBack(tx, hour)
    await countAgain(tx, hour, who, refusal.at)
    return
  }
  await recordAudit(tx, shared ? { kind: 'customer', id: null, name: null, address: null, requestId: null } : actor, {
    action: 'operator.sign-in-refused',
    at: refusal.at,
    subjectId: subjectOf(hour, who),
    facts: shared ? { reason: 'many-addresses' } : refusal.facts,
  })
}

/**
 * Takes one of the places of an hour. They are counted in one row, which transactions at the same moment wait for: what each
 * of them had counted for itself would let all of them in.
 * @returns false when none is left
 */
async function takePlace(tx: Tx, hour: string, at: Date): Promise<boolean> {
  const row = { hour, who: places, times: 0, last_at: at.toISOString() }
  await tx
    .insertInto('refused_sign_ins')
    .values(row)
    .onConflict((oc) => oc.doNothing())
    .execute()
  const taken = await tx
    .updateTable('refused_sign_ins')
    .set((eb) => ({ times: eb('times', '+', 1) }))
    .where('hour', '=', hour)
    .where('who', '=', places)
    .where('times', '<', mostPerHour)
    .executeTakeFirst()
  return taken.numUpdatedRows === 1n
}

async function giveBack(tx: Tx, hour: string): Promise<void> {
  await tx
    .updateTable('refused_sign_ins')
    .set((eb) => ({ times: eb('times', '-', 1) }))
    .where('hour', '=', hour)
    .where('who', '=', places)
    .execute()
}

/** @returns whether it was counted: there was a row already */
async function countAgain(tx: Tx, hour: string, who: string, at: Date): Promise<boolean> {
  const counted = await tx
    .updateTable('refused_sign_ins')
    .set((eb) => ({ times: eb('times', '+', 1), last_at: at.toISOString() }))
    .where('hour', '=', hour)
    .where('who', '=', who)
    .executeTakeFirst()
  return counted.numUpdatedRows === 1n
}

const subjectOf = (hour: string, who: string) => `${hour} ${who}`

/** How often what an event of the audit log tells happened until its hour was over, by the subject of the event. */
export async function countRefusedSignIns(
  db: Database,
  subjects: readonly string[],
): Promise<Map<string, { times: number; lastAt: string }>> {
  const hours = [...new Set(subjects.map((subject) => subject.slice(0, 13)))]
  if (hours.length === 0) return new Map()
  const rows = await db.selectFrom('refused_sign_ins').selectAll().where('hour', 'in', hours).execute()
  return new Map(rows.map(({ hour, who, times, last_at: lastAt }) => [subjectOf(hour, who), { times, lastAt }]))
}
