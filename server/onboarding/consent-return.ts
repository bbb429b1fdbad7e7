import type { ConsentClaim } from '../microsoft/login/consent.ts'
import type { Portal } from '../portal.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { write } from '../store/engine/write.ts'
import { digest, newToken } from '../store/identifiers.ts'
import { makeRoom } from '../store/onboarding/attempt-room.ts'
import {
  type ConsentAttempt,
  findAttemptByState,
  latestOwnAttempt,
  recordOutcome,
  recordReturn,
  redeemState,
} from '../store/onboarding/attempts.ts'
import { type ConsentLink, holdLink, linkById, linkState } from '../store/onboarding/links.ts'
import { linkIdsIn } from './consent-state.ts'
import { endAttemptRefused, endAttemptWithClaim, outcomeOf } from './outcome.ts'
import { beginTenantProof, finishOldProof, finishTenantProof } from './proof.ts'
import type { Departure, SealedProof, Step, Visitor } from './steps.ts'
import { keepCode, keepLate, keepUnclaimed, receiveUnknown } from './unclaimed.ts'

/** Milliseconds: long enough to find a phone for the second factor; a later return is kept for review. */
const attemptLasts = 60 * 60_000

/** What the browser brings back of what it was given. */
export interface Carried {
  /** Of the sign-in whose state came back. */
  proof: SealedProof | null
  /** Of the departure whose state came back. */
  departure: Departure | null
  /** Departures of this browser whose state did not, the latest first. */
  others: readonly Departure[]
}

export const nothingCarried: Carried = { proof: null, departure: null, others: [] }

/** A visitor whose browser has a secret, old or new. */
type Known = Visitor & { browser: string }

/**
 * A browser comes back from Microsoft. Its word is a claim: the state is consumed once and atomically, together with
 * all that the claim changes, and leads on to a proof, a sign-in, a review, or a page that says what happened.
 */
export async function receiveClaim(
  portal: Portal,
  visitor: Visitor,
  claim: ConsentClaim,
  carried: Carried = nothingCarried,
): Promise<Step> {
  const known: Known = { ...visitor, browser: visitor.browser ?? newToken() }
  const { proof, departure } = carried
  if (proof !== null && proof.tenantId !== undefined) return finishTenantProof(portal, known, proof, claim)
  const kept = claim.state === null ? null : await findAttemptByState(portal.db, claim.state)
  if (kept !== null && isClassicLink(portal, kept, claim)) return receiveClassic(portal, known, claim, kept)
  if (kept !== null) return receiveKept(portal, visitor, known, claim, proof)
  if (departure !== null) return receiveFresh(portal, known, claim, departure)
  return receiveUnknown(portal, visitor, claim, carried.others)
}

/** Whether a state is that of a classic link itself. States of departures name their link; that of a link names nothing. */
function isClassicLink({ config }: Portal, kept: ConsentAttempt, claim: ConsentClaim): boolean {
  return kept.kind === 'classic' && claim.state !== null && !linkIdsIn(config, claim.state).includes(kept.linkId)
}

/**
 * Somebody comes back with the classic link. It was tied to no browser, and one link serves everybody it is sent to: each
 * has a run of his own, and no end of one of them is the end of the link.
 */
async function receiveClassic(
  portal: Portal,
  visitor: Known,
  claim: ConsentClaim,
  kept: ConsentAttempt,
): Promise<Step> {
  const now = portal.now()
  const { browser, addressHash, actor } = visitor
  return write(portal.db, async (tx): Promise<Step> => {
    const link = await holdLink(tx, kept.linkId)
    const { customerId, pinnedTenantId } = link
    const own = await latestOwnAttempt(tx, link.id, browser)
    if (own !== null && standsFor(own, claim)) return { kind: 'attempt', attemptId: own.id, browser }
    const departure = { state: newToken(), linkId: link.id, kind: 'classic', leftAt: now.toISOString() } as const
    const browserHash = digest(browser)
    if (!(await makeRoom(tx, { linkId: link.id, customerId, browserHash, addressHash, now }))) {
      return goOnUnkept(portal, visitor, claim, departure, link)
    }
    const late = linkState(link, now) === 'expired'
    const attempt = await recordReturn(tx, {
      ...departure,
      customerId,
      browserHash,
      addressHash,
      pinnedTenantId,
      outcome: late ? 'late' : 'claimed',
      claimedTenantId: null,
      now,
      expiresAt: new Date(link.expiresAt),
    })
    if (attempt === null) return { kind: 'stranger' }
    if (!late) return follow(portal, tx, visitor, attempt, claim)
    await keepLate(portal, tx, actor, attempt, claim)
    await keepCode(portal, tx, actor, attempt, claim)
    return { kind: 'attempt', attemptId: attempt.id, browser }
  })
}

/** An address that is loaded again, or one run more of a browser that is still at another, has a page already. */
function standsFor(own: ConsentAttempt, claim: ConsentClaim): boolean {
  if (!own.finishedAt || own.outcome === 'bound' || own.outcome === 'review') return true
  return own.kind === 'classic' && claim.kind === 'refused' && own.outcome === outcomeOf[claim.reason]
}

/** The run has a row: one that came back before, or one that left before departures lost theirs. */
async function receiveKept(
  portal: Portal,
  visitor: Visitor,
  known: Known,
  claim: ConsentClaim,
  proof: SealedProof | null,
): Promise<Step> {
  const { browser } = known
  const received = await write(portal.db, async (tx): Promise<Step | { kind: 'proof'; attempt: ConsentAttempt }> => {
    const redemption = await redeemState(tx, claim.state ?? '', visitor.browser, portal.now())
    if (redemption.found === 'unknown') return { kind: 'stranger' }
    const { attempt, found } = redemption
    if (found !== 'fresh') {
      const { mine } = redemption
      if (found !== 'spent') {
        const own = mine && attempt.kind !== 'proof'
        await (own
          ? keepLate(portal, tx, visitor.actor, attempt, claim)
          : keepUnclaimed(portal, tx, visitor.actor, attempt, claim))
      }
      if (!mine) return { kind: 'stranger' }
      const own = attempt.kind === 'proof' ? await latestOwnAttempt(tx, attempt.linkId, browser) : attempt
      return own === null ? { kind: 'stranger' } : { kind: 'attempt', attemptId: own.id, browser }
    }
    if (attempt.kind === 'proof') return { kind: 'proof', attempt }
    return follow(portal, tx, known, attempt, claim)
  })
  if (received.kind !== 'proof') return received
  return finishOldProof(portal, known, received.attempt, claim, proof)
}

/** The first return of a departure: from here on there is a run, where there is room for one. */
async function receiveFresh(portal: Portal, visitor: Known, claim: ConsentClaim, departure: Departure): Promise<Step> {
  const now = portal.now()
  const { browser, addressHash } = visitor
  return write(portal.db, async (tx): Promise<Step> => {
    const link = await holdLink(tx, departure.linkId)
    // Somebody was faster with the same state: there is a page for it now.
    const spent = await findAttemptByState(tx, departure.state)
    if (spent !== null) return { kind: 'attempt', attemptId: spent.id, browser }
    const { customerId } = link
    const browserHash = digest(browser)
    if (!(await makeRoom(tx, { linkId: link.id, customerId, browserHash, addressHash, now }))) {
      return goOnUnkept(portal, visitor, claim, departure, link)
    }
    const expiresAt = new Date(Date.parse(departure.leftAt) + attemptLasts)
    const late = expiresAt <= now
    const attempt = await recordReturn(tx, {
      ...departure,
      customerId,
      browserHash,
      addressHash,
      pinnedTenantId: link.pinnedTenantId,
      outcome: late ? 'late' : 'claimed',
      claimedTenantId: null,
      now,
      expiresAt,
    })
    if (attempt === null) return { kind: 'stranger' }
    if (!late) return follow(portal, tx, visitor, attempt, claim)
    await keepLate(portal, tx, visitor.actor, attempt, claim)
    return { kind: 'attempt', attemptId: attempt.id, browser }
  })
}

/**
 * So many runs of this link are kept that none can give way: a stranger pressed on. Nothing is kept of this one before its
 * browser has shown by a sign-in whom it belongs to; then it has a row like any other.
 */
async function goOnUnkept(
  portal: Portal,
  visitor: Known,
  claim: ConsentClaim,
  { kind, leftAt }: Departure,
  link: ConsentLink,
): Promise<Step> {
  const landing: Step = { kind: 'landing', linkId: link.id, browser: visitor.browser }
  const state = linkState(link, portal.now())
  if (claim.kind === 'refused' || state === 'withdrawn' || state === 'completed') return landing
  const claimedTenantId = claim.kind === 'granted' ? claim.tenantId : null
  if (link.pinnedTenantId !== null && claimedTenantId !== null && link.pinnedTenantId !== claimedTenantId)
    return landing
  const run = { linkId: link.id, kind, claimedTenantId, leftAt }
  return beginTenantProof(portal, run, { browser: visitor.browser, tenantId: claimedTenantId, silent: true })
}

/** Acts on the word of a run that has just come back, in time and in its own browser. */
async function follow(
  portal: Portal,
  tx: Tx,
  visitor: Known,
  attempt: ConsentAttempt,
  claim: ConsentClaim,
): Promise<Step> {
  const now = portal.now()
  const { browser, actor } = visitor
  const page: Step = { kind: 'attempt', attemptId: attempt.id, browser }
  if (claim.kind === 'refused') {
    await endAttemptRefused(tx, actor, attempt, outcomeOf[claim.reason], now, claim)
    return page
  }
  const link = await linkById(tx, attempt.linkId)
  if (linkState(link, now) === 'withdrawn') {
    await endAttemptRefused(tx, actor, attempt, 'link-withdrawn', now)
    await keepUnclaimed(portal, tx, actor, attempt, claim)
    if (attempt.kind === 'classic') await keepCode(portal, tx, actor, attempt, claim)
    return page
  }
  if (claim.kind === 'code') {
    // Whichever organisation it was: asking only for the expected one would never tell that it was another.
    return beginTenantProof(portal, { tx, attempt }, { browser, tenantId: null, silent: true })
  }
  await recordOutcome(tx, attempt.id, 'claimed', now, { claimedTenantId: claim.tenantId })
  if (attempt.pinnedTenantId === null) {
    return beginTenantProof(portal, { tx, attempt }, { browser, tenantId: claim.tenantId, silent: true })
  }
  await endAttemptWithClaim(portal, tx, actor, attempt, { tenantId: claim.tenantId, how: 'pinned', by: '' })
  return page
}
