import { pruneTold, resealOlder, watch } from '../../notify/watch.ts'
import { keepAbandonedClaims } from '../../onboarding/consent-return.ts'
import { probeLinks } from '../../onboarding/probe.ts'
import { lookAtPermissions } from '../../partner/asked-permissions.ts'
import { sealAudit } from '../../partner/audit-seal.ts'
import { watchCredentials } from '../../partner/expiry.ts'
import type { Portal } from '../../portal.ts'
import { isUnavailable, write } from '../../store/engine/write.ts'
import { sweepSessions } from '../../store/operators/sessions.ts'
import { sweepSpentTokens } from '../../store/operators/spent-states.ts'
import { lookEveryMs } from '../../store/partner/asked-permissions.ts'
import { pruneSyncs } from '../../store/sync/rows.ts'
import { readPause } from '../../store/tenants/pauses.ts'
import { day } from '../../time.ts'
import { removeOld } from './retention.ts'

const keptSyncs = 14 * day

/** What is due without a row of its own. A chore that fails keeps no other from being done. */
export async function keepHouse(portal: Portal, stopping?: AbortSignal): Promise<void> {
  const now = portal.now()
  const chores: [string, () => Promise<unknown>][] = [
    ['alarms', () => watch(portal)],
    ['credentials', () => watchCredentials(portal)],
    ['abandoned claims', () => keepAbandonedClaims(portal)],
    ['probes', () => probeLinks(portal, stopping)],
    ['permissions', () => lookUnlessPaused(portal)],
    ['sessions', () => write(portal.db, (tx) => sweepSessions(tx, now))],
    ['spent tokens', () => write(portal.db, (tx) => sweepSpentTokens(tx, now))],
    ['old sync runs', () => pruneSyncs(portal.db, new Date(now.getTime() - keptSyncs))],
    ['what was told', () => pruneTold(portal, stopping)],
    ['older keys', () => resealOlder(portal)],
    ['audit seal', () => sealAudit(portal, stopping)],
    ['what is not to be kept', () => removeOld(portal, stopping)],
  ]
  for (const [chore, run] of chores) {
    if (stopping?.aborted) return
    try {
      await run()
    } catch (error) {
      portal.log[isUnavailable(error) ? 'warn' : 'error']({ err: error, chore }, 'housekeeping failed')
    }
  }
}

/** While everything is paused, nothing leaves for Microsoft by itself. */
async function lookUnlessPaused(portal: Portal): Promise<void> {
  if (!(await readPause(portal.db))) await lookAtPermissions(portal, lookEveryMs)
}
