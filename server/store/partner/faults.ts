import type { RefusalFacts } from '../../model/refusal.ts'
import { muster, recordAudit } from '../audit.ts'
import type { Database } from '../engine/dialect.ts'
import { write } from '../engine/write.ts'

/** A trouble of the partner's own, felt by every tenant at once: one row, however often it is met. */
export interface PartnerFault {
  code: 'partner-credential' | 'partner-registration'
  since: string
  seenAt: string
  facts: RefusalFacts
}

export async function recordPartnerFault(
  db: Database,
  code: PartnerFault['code'],
  facts: RefusalFacts,
  now: Date,
): Promise<void> {
  await write(db, async (tx) => {
    const at = now.toISOString()
    const raised = await tx
      .insertInto('partner_faults')
      .values({ code, since: at, seen_at: at, facts: JSON.stringify(facts) })
      .onConflict((oc) => oc.column('code').doNothing())
      .executeTakeFirst()
    if (raised.numInsertedOrUpdatedRows === 0n) {
      await tx
        .updateTable('partner_faults')
        .set({ seen_at: at, facts: JSON.stringify(facts) })
        .where('code', '=', code)
        .execute()
      return
    }
    await recordAudit(tx, muster, { action: 'alarm.raised', at: now, facts: { code, aadsts: facts.aadsts } })
  })
}

export async function clearPartnerFault(db: Database, code: PartnerFault['code'], now: Date): Promise<void> {
  await write(db, async (tx) => {
    const gone = await tx.deleteFrom('partner_faults').where('code', '=', code).executeTakeFirst()
    if (gone.numDeletedRows > 0n) await recordAudit(tx, muster, { action: 'alarm.cleared', at: now, facts: { code } })
  })
}

/** The partner's own credential and registration work: whatever alarms stood are over. Writes nothing when none did. */
export async function clearPartnerFaults(db: Database, now: Date): Promise<void> {
  for (const { code } of await readPartnerFaults(db)) await clearPartnerFault(db, code, now)
}

export async function readPartnerFaults(db: Database): Promise<PartnerFault[]> {
  const rows = await db.selectFrom('partner_faults').selectAll().orderBy('since').execute()
  return rows.map((row) => ({
    code: row.code as PartnerFault['code'],
    since: row.since,
    seenAt: row.seen_at,
    facts: JSON.parse(row.facts) as RefusalFacts,
  }))
}

/**
 * While the partner's own credential fails, one caller in `everyMs` may try again; everybody else waits. True for
 * exactly one of any number of processes that ask.
 */
export async function mayProbePartnerFault(
  db: Database,
  alarm: PartnerFault,
  now: Date,
  everyMs: number,
): Promise<boolean> {
  if (now.getTime() - Date.parse(alarm.seenAt) < everyMs) return false
  const taken = await write(db, (tx) =>
    tx
      .updateTable('partner_faults')
      .set({ seen_at: now.toISOString() })
      .where('code', '=', alarm.code)
      .where('seen_at', '=', alarm.seenAt)
      .executeTakeFirst(),
  )
  return taken.numUpdatedRows === 1n
}
