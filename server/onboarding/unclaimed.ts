import type { ConsentClaim } from '../microsoft/login/consent.ts'
import type { Portal } from '../portal.ts'
import { type Actor, muster } from '../store/audit.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { write } from '../store/engine/write.ts'
import { digest } from '../store/identifiers.ts'
import { makeRoom } from '../store/onboarding/attempt-room.ts'
import {
  abandonedAttempts,
  attemptById,
  type ConsentAttempt,
  isBeforeSignIn,
  latestAttemptOfBrowser,
  recordReturn,
} from '../store/onboarding/attempts.ts'
import { type ConsentLink, findLink, holdLink } from '../store/onboarding/links.ts'
import { openReview } from '../store/onboarding/reviews.ts'
import { linkIdsIn } from './consent-state.ts'
import { endAttemptRefused, keepForReview, outcomeOf } from './outcome.ts'
import type { Departure, Step, Visitor } from './steps.ts'

/** After this, a browser that went to prove its tenant is not expected back. */
const proofPatience = 30 * 60_000

/**
 * A return whose link we know, but that came lost or through another browser: kept for an operator, never bound by itself.
 * Of a link that was withdrawn as well: the consent may be there.
 */
export async function keepUnclaimed(
  portal: Portal,
  tx: Tx,
  actor: Actor,
  { linkId, customerId }: Pick<ConsentAttempt, 'linkId' | 'customerId'>,
  claim: ConsentClaim,
  kind: 'unclaimed' | 'mangled' = 'unclaimed',
): Promise<void> {
  if (claim.kind !== 'granted') return
  const { tenantId } = claim
  const kept = { kind, tenantId, evidence: 'callback' } as const
  if (await openReview(tx, actor, { ...kept, ...nobody, customerId, linkId }, portal.now())) return
  portal.log.info({ customerId }, 'too many returns wait for a decision; one more was dropped')
}

const nobody = { attemptId: null, tenantName: null, tenantDomain: null, person: null }

/**
 * A code came with a classic link that had ended. It names no tenant and is not redeemed: that it came is kept for an
 * operator, once for a customer, and the code itself is not.
 */
export async function keepCode(
  portal: Portal,
  tx: Tx,
  actor: Actor,
  { linkId, customerId }: Pick<ConsentAttempt, 'linkId' | 'customerId'>,
  claim: ConsentClaim,
): Promise<void> {
  if (claim.kind !== 'code') return
  const kept = { kind: 'code', tenantId: null, evidence: 'callback' } as const
  await openReview(tx, actor, { ...kept, ...nobody, customerId, linkId }, portal.now())
}

/** This very run came back too late; its page says that somebody looks at it. */
export async function keepLate(
  portal: Portal,
  tx: Tx,
  actor: Actor,
  attempt: ConsentAttempt,
  claim: ConsentClaim,
): Promise<void> {
  if (claim.kind !== 'granted') return
  const kept = { kind: 'unclaimed', tenantId: claim.tenantId, evidence: 'callback' } as const
  await keepForReview(portal, tx, actor, attempt, kept)
}

/**
 * Claims whose browser never came back from the sign-in that was to prove them: kept for an operator's decision.
 * @returns how many
 */
export async function keepAbandonedClaims(portal: Portal): Promise<number> {
  const now = portal.now()
  const abandoned = await abandonedAttempts(portal.db, new Date(now.getTime() - proofPatience))
  for (const { id } of abandoned) {
    await write(portal.db, async (tx) => {
      const attempt = await attemptById(tx, id)
      // The browser came back after all, or another worker was faster.
      if (!isBeforeSignIn(attempt.outcome)) return
      if (attempt.claimedTenantId === null) await endAttemptRefused(tx, muster, attempt, 'sign-in-failed', now)
      else {
        const claimed = { kind: 'unpinned', tenantId: attempt.claimedTenantId, evidence: 'callback' } as const
        await keepForReview(portal, tx, muster, attempt, claimed)
      }
    })
  }
  return abandoned.length
}

/**
 * The state is nobody's that this browser has: made up, altered on the way, or somebody else's. What it is about is kept for
 * an operator where the state names a link of ours, or the browser set out from here; nothing is kept of what anybody could
 * make up.
 */
export async function receiveUnknown(
  portal: Portal,
  visitor: Visitor,
  claim: ConsentClaim,
  others: readonly Departure[],
): Promise<Step> {
  portal.log.warn({ event: 'sequence_fail', kind: claim.kind }, 'a consent callback with an unknown state was refused')
  const { browser, actor } = visitor
  return write(portal.db, async (tx): Promise<Step> => {
    const link = claim.state === null ? null : await linkOf(portal, tx, claim.state)
    if (link !== null) {
      await keepUnclaimed(portal, tx, actor, { linkId: link.id, customerId: link.customerId }, claim)
      return { kind: 'stranger' }
    }
    if (browser === null) return { kind: 'stranger' }
    const own = await latestAttemptOfBrowser(tx, browser)
    const left = others.find((departure) => own === null || departure.leftAt > own.startedAt)
    // No code comes back from where a departure leads: whose it is, it does not say.
    if (left !== undefined && claim.kind !== 'code') {
      return receiveMangled(portal, tx, { ...visitor, browser }, claim, left)
    }
    if (own === null) return { kind: 'stranger' }
    // A sign-in that lost its cookie, or an address that is loaded again: this browser has a page of its own.
    await keepUnclaimed(portal, tx, actor, own, claim)
    return { kind: 'attempt', attemptId: own.id, browser }
  })
}

/** A browser that did set out from here comes back with a state that was altered on the way, as mail programs and scanners do. */
async function receiveMangled(
  portal: Portal,
  tx: Tx,
  visitor: Visitor & { browser: string },
  claim: ConsentClaim | null,
  departure: Departure,
): Promise<Step> {
  const now = portal.now()
  const { browser, addressHash, actor } = visitor
  const link = await holdLink(tx, departure.linkId)
  const { customerId, id: linkId, pinnedTenantId } = link
  const browserHash = digest(browser)
  if (claim?.kind === 'granted') await keepUnclaimed(portal, tx, actor, { linkId, customerId }, claim, 'mangled')
  if (!(await makeRoom(tx, { linkId, customerId, browserHash, addressHash, now }))) {
    return { kind: 'landing', linkId, browser }
  }
  const attempt = await recordReturn(tx, {
    ...departure,
    customerId,
    browserHash,
    addressHash,
    pinnedTenantId,
    outcome: 'mangled',
    claimedTenantId: null,
    now,
    expiresAt: now,
  })
  if (attempt === null) return { kind: 'stranger' }
  // A no is one, however its address was altered: nothing follows from it.
  if (claim?.kind === 'refused') await endAttemptRefused(tx, actor, attempt, outcomeOf[claim.reason], now, claim)
  return { kind: 'attempt', attemptId: attempt.id, browser }
}

/**
 * What came back cannot be read at all: parameters that repeat, that are cut off, or with text glued to them. A browser that
 * set out from here has a page that says so; nothing is kept of what it said.
 */
export async function receiveUnreadable(
  portal: Portal,
  visitor: Visitor,
  departures: readonly Departure[],
): Promise<Step> {
  const { browser } = visitor
  if (browser === null) return { kind: 'stranger' }
  return write(portal.db, async (tx): Promise<Step> => {
    const own = await latestAttemptOfBrowser(tx, browser)
    const left = departures.find((departure) => own === null || departure.leftAt > own.startedAt)
    if (left !== undefined) return receiveMangled(portal, tx, { ...visitor, browser }, null, left)
    return own === null ? { kind: 'stranger' } : { kind: 'attempt', attemptId: own.id, browser }
  })
}

async function linkOf(portal: Portal, tx: Tx, state: string): Promise<ConsentLink | null> {
  for (const id of linkIdsIn(portal.config, state)) {
    const link = await findLink(tx, id)
    if (link !== null) return link
  }
  return null
}
