import { sql } from 'kysely'
import { day, hour, minute } from '../../time.ts'
import type { DueClaim } from '../engine/claim.ts'
import type { Tx } from '../engine/dialect.ts'
import { claimDueRows, type DueWork, endDueClaim, holdDueRow } from '../engine/due.ts'
import { type ConsentLink, getLink } from './links.ts'

/** The pinned tenant of an open link may have consented without a browser that came back. */
const probing: DueWork = {
  name: 'link probe',
  table: 'consent_links',
  key: 'id',
  due: 'next_probe_at',
  lease: 'probe_lease_until',
  fence: 'probe_fence',
}

/** An approval given by somebody else, or a closed tab, never calls back: this long after a departure we look for ourselves. */
export const probeAfterDepartureMs = 5 * minute
const everyMs = hour
/** A link past its days is looked at for so long more: a late approval still counts. */
const lateMs = 2 * day
/** Longer than a tenant is asked. */
const leaseMs = 2 * minute

export interface LinkProbe {
  claim: DueClaim
  link: ConsentLink
}

/** Claims the probe that is due longest; null for none. Links that are over for good are never due again. */
export async function claimLinkProbe(tx: Tx, now: Date): Promise<LinkProbe | null> {
  const over = new Date(now.getTime() - lateMs).toISOString()
  await tx
    .updateTable('consent_links')
    .set({ next_probe_at: null })
    .where(sql<boolean>`next_probe_at <= ${now.toISOString()}
    and expires_at <= ${over}`)
    .execute()
  const [claim] = await claimDueRows(tx, probing, { now, limit: 1, leaseMs })
  return claim ? { claim, link: await getLink(tx, claim.key) } : null
}

/** @throws ClaimLostError */
export const holdLinkProbe = (tx: Tx, claim: DueClaim): Promise<void> => holdDueRow(tx, probing, claim)

/**
 * Ends a probe: the next is due in an hour, or so long after the latest departure where somebody left while this one ran;
 * never, where the link ended meanwhile.
 * @throws ClaimLostError
 */
export async function endLinkProbe(tx: Tx, claim: DueClaim, now: Date): Promise<void> {
  await holdLinkProbe(tx, claim)
  const { completedAt, withdrawnAt, lastDepartedAt } = await getLink(tx, claim.key)
  if (completedAt !== null || withdrawnAt !== null) return endDueClaim(tx, probing, claim, null)
  const after = lastDepartedAt === null ? 0 : Date.parse(lastDepartedAt) + probeAfterDepartureMs
  const next = now.getTime() + everyMs
  await endDueClaim(tx, probing, claim, new Date(after > now.getTime() ? Math.min(after, next) : next))
}
