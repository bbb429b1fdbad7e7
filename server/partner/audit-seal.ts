import type { Portal } from '../portal.ts'
import { muster, recordAudit } from '../store/audit.ts'
import type { DueClaim } from '../store/engine/claim.ts'
import { write } from '../store/engine/write.ts'
import {
  claimSealing,
  endSealing,
  findNewestSeal,
  type Seal,
  safeHorizon,
  sealEvents,
  takeTelling,
} from '../store/partner/audit-seals.ts'
import { hour, minute } from '../time.ts'

const sealEvery = minute
const tellEvery = hour
/** A backlog, such as the log of a Muster that sealed nothing yet, is sealed in several goes. */
const batchesAtOnce = 20

/**
 * Seals what was written to the audit log, whichever process is first to do it, and tells the newest seal hourly: to the
 * process's log, and as an event to the SIEMs that are given the audit log. What was told elsewhere cannot be cut off here.
 */
export async function sealAudit(portal: Portal, stopping?: AbortSignal): Promise<void> {
  const { db, now } = portal
  const claim = await write(db, (tx) => claimSealing(tx, now()))
  if (claim === null) return
  try {
    await sealUpTo(portal, claim, await safeHorizon(db), stopping)
  } finally {
    await write(db, (tx) => endSealing(tx, claim, new Date(now().getTime() + sealEvery)))
  }
  const newest = await findNewestSeal(db)
  if (newest !== null) await tell(portal, newest)
}

async function sealUpTo(
  { db, config }: Portal,
  claim: DueClaim,
  horizon: number,
  stopping?: AbortSignal,
): Promise<void> {
  for (let batch = 0; batch < batchesAtOnce && !stopping?.aborted; batch++) {
    if ((await write(db, (tx) => sealEvents(tx, claim, config, horizon))) === 0) return
  }
}

async function tell({ db, now, log }: Portal, seal: Seal): Promise<void> {
  const at = now()
  const isOurs = await write(db, async (tx) => {
    if (!(await takeTelling(tx, seal, at, new Date(at.getTime() - tellEvery)))) return false
    await recordAudit(tx, muster, { action: 'audit.sealed', at, facts: { ...seal } })
    return true
  })
  if (isOurs) log.info({ sequence: seal.sequence, eventId: seal.eventId, mac: seal.mac }, 'the audit log is sealed')
}
