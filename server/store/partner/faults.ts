import { sql } from 'kysely'
import type { RefusalFacts } from '../../model/refusal.ts'
import { minute } from '../../time.ts'
import { muster, recordAudit } from '../audit.ts'
import type { DueClaim } from '../engine/claim.ts'
import type { Database, Tx } from '../engine/dialect.ts'
import { claimDueRows, type DueWork, endDueClaim } from '../engine/due.ts'

/** A trouble of the partner's own, felt by every tenant at once: one row, however often it is met. */
export interface PartnerFault {
  code: 'partner-credential' | 'partner-registration'
  since: string
  seenAt: string
  facts: RefusalFacts
  /** When it is to be found out whether the credential works again; where somebody is at it, when their lease ends. */
  nextProbeAt: string
}

/** While a fault stands, one process of all tries again this often. */
const probeEveryMs = minute
/** Longer than the partner's own tenant is asked for a token. */
const leaseMs = minute

const probing: DueWork = {
  name: 'probe of the credential',
  table: 'partner_faults',
  key: 'code',
  due: 'next_probe_at',
  lease: 'probe_lease_until',
  fence: 'probe_fence',
}

/** Notes a fault, or that it was met again: the next probe waits from then on. */
export async function recordPartnerFault(
  tx: Tx,
  code: PartnerFault['code'],
  facts: RefusalFacts,
  now: Date,
): Promise<void> {
  const at = now.toISOString()
  const seen = { seen_at: at, facts: JSON.stringify(facts), next_probe_at: probeAfter(now).toISOString() }
  const raised = await tx
    .insertInto('partner_faults')
    .values({ code, since: at, ...seen, probe_lease_until: null })
    .onConflict((oc) => oc.column('code').doNothing())
    .executeTakeFirst()
  if (raised.numInsertedOrUpdatedRows === 0n) {
    await tx.updateTable('partner_faults').set(seen).where('code', '=', code).execute()
    return
  }
  await recordAudit(tx, muster, { action: 'alarm.raised', at: now, facts: { code, aadsts: facts.aadsts } })
}

const probeAfter = (now: Date) => new Date(now.getTime() + probeEveryMs)

/** The partner's own credential and registration work: whatever faults stood are over. */
export async function clearPartnerFaults(tx: Tx, now: Date): Promise<void> {
  const gone = await tx.deleteFrom('partner_faults').returning('code').execute()
  for (const { code } of gone) await recordAudit(tx, muster, { action: 'alarm.cleared', at: now, facts: { code } })
}

export async function readPartnerFaults(db: Database): Promise<PartnerFault[]> {
  const rows = await db.selectFrom('partner_faults').selectAll().orderBy('since').execute()
  return rows.map((row) => ({
    code: row.code as PartnerFault['code'],
    since: row.since,
    seenAt: row.seen_at,
    facts: JSON.parse(row.facts) as RefusalFacts,
    nextProbeAt: row.next_probe_at ?? row.seen_at,
  }))
}

/**
 * While the partner's own credential fails, one of any number of processes that ask may try again, once a minute.
 * @returns null when that fault is over, or its probe is not due, or somebody has it
 */
export async function claimFaultProbe(tx: Tx, code: PartnerFault['code'], now: Date): Promise<DueClaim | null> {
  const where = sql`code = ${code}`
  const set = sql`seen_at = ${now.toISOString()}`
  const [claim] = await claimDueRows(tx, probing, { now, limit: 1, leaseMs, where, set })
  return claim ?? null
}

/** The fault still stands, or nobody can tell: the next probe is due in a minute. @throws ClaimLostError once it is over */
export async function endFaultProbe(tx: Tx, claim: DueClaim, now: Date): Promise<void> {
  await endDueClaim(tx, probing, claim, probeAfter(now))
}
