import { PortalError } from './errors.ts'
import { findLinkObstacle } from './link-obstacle.ts'
import type { ConsentClaim } from './microsoft/consent.ts'
import type { Portal } from './portal.ts'
import { settleClaim, settleRefusal } from './settling.ts'
import {
  type AttemptOutcome,
  adoptAttempt,
  attemptOfBrowser,
  type ConsentAttempt,
  knowsState,
  latestAttemptOfBrowser,
  latestOwnAttempt,
  recordOutcome,
  redeemState,
  startAttempt,
} from './store/attempts.ts'
import { type Actor, recordAudit } from './store/audit.ts'
import { customerById } from './store/customers.ts'
import { type Tx, write } from './store/database.ts'
import { newToken } from './store/identifiers.ts'
import {
  type ConsentLink,
  issueLink,
  linkById,
  linkState,
  recordOpening,
  refuseEnded,
  scheduleProbe,
  usableLink,
} from './store/links.ts'
import { beginTenantProof, finishTenantProof } from './tenant-proof.ts'
import { keepUnclaimed } from './unclaimed.ts'

const minute = 60_000
/** Long enough to find a phone for the second factor; a later return is kept for review. */
const attemptLasts = 60 * minute
/** An approval given by somebody else, or a closed tab, never calls back: this is when we look for ourselves. */
const firstProbeAfter = 5 * minute

/** A browser on its way: the secret of its cookie, and who it is for the audit log. */
export interface Visitor {
  browser: string | null
  actor: Actor & { kind: 'customer' }
}

/** Where to send the browser next. */
export type Step =
  /** On to Microsoft; `sealed` must come back with the browser, and `browser` be kept as its cookie. */
  | { kind: 'microsoft'; url: string; sealed: SealedProof | null; browser: string }
  /** To the page of its attempt. */
  | { kind: 'attempt'; attemptId: string; browser: string }
  /** Nothing to show to whoever this is. */
  | { kind: 'stranger' }

/** The secrets of a sign-in that proves a tenant; they live in the browser's sealed cookie alone. */
export interface SealedProof {
  /** Of the sign-in: what the browser will come back with. */
  state: string
  /** The run that is being proven. */
  attemptId: string
  nonce: string
  codeVerifier: string
  silent: boolean
}

/**
 * Issues a consent link for a customer, pinned to its expected tenant, and with it the classic link of the original
 * documentation.
 * @returns both addresses; neither can ever be shown again
 * @throws PortalError NOT_FOUND, CUSTOMER_OFFBOARDED, and whatever `findLinkObstacle` finds
 */
export async function issueConsentLink(
  portal: Portal,
  actor: Actor & { kind: 'operator' },
  request: { customerId: string; days: number },
): Promise<{ link: ConsentLink; url: string; classicUrl: string }> {
  const { db, config, microsoft } = portal
  const now = portal.now()
  return write(db, async (tx) => {
    const customer = await customerById(tx, request.customerId)
    if (customer.offboardedAt !== null) throw new PortalError('CUSTOMER_OFFBOARDED')
    const obstacle = await findLinkObstacle({ ...portal, db: tx })
    if (obstacle) throw obstacle
    const { link, token } = await issueLink(tx, actor, {
      customerId: customer.id,
      pinnedTenantId: customer.expectedTenantId,
      pinnedDomain: customer.expectedDomain,
      days: request.days,
      now,
    })
    const { state } = await startAttempt(tx, {
      linkId: link.id,
      customerId: customer.id,
      kind: 'classic',
      browser: null,
      pinnedTenantId: link.pinnedTenantId,
      now,
      expiresAt: new Date(link.expiresAt),
    })
    return {
      link,
      url: `${config.publicUrl}/join/${token}`,
      classicUrl: microsoft.classicConsentUrl({ state }),
    }
  })
}

/** On the way to Microsoft, with the link that it is about. */
export type Departure = Step & { kind: 'microsoft' } & { linkId: string }

/**
 * The visitor goes on from the landing page: an attempt of its own starts, with a single-use state tied to this browser.
 * @throws PortalError LINK_UNKNOWN, LINK_WITHDRAWN, LINK_EXPIRED, LINK_COMPLETED
 */
export async function beginConsent(portal: Portal, visitor: Visitor, token: string): Promise<Departure> {
  const now = portal.now()
  return write(portal.db, async (tx) => {
    const link = await usableLink(tx, token, now)
    if (link.openedAt === null) await recordOpening(tx, visitor.actor, link, now)
    return depart(portal, tx, visitor, link, 'landing')
  })
}

/**
 * The browser of an attempt that came to nothing tries again. What began with the classic link goes on by its rules: it
 * was tied to no browser when the consent was asked for.
 * @throws PortalError CONSENT_NOT_YOURS, LINK_WITHDRAWN, LINK_EXPIRED, LINK_COMPLETED
 */
export async function beginAgain(portal: Portal, visitor: Visitor, attemptId: string): Promise<Departure> {
  return write(portal.db, async (tx) => {
    const attempt = await attemptOfBrowser(tx, attemptId, visitor.browser)
    if (!attempt) throw new PortalError('CONSENT_NOT_YOURS')
    const link = await linkById(tx, attempt.linkId)
    refuseEnded(link, portal.now())
    return depart(portal, tx, visitor, link, attempt.kind === 'classic' ? 'classic' : 'landing')
  })
}

async function depart(
  portal: Portal,
  tx: Tx,
  visitor: Visitor,
  link: ConsentLink,
  kind: 'landing' | 'classic',
): Promise<Departure> {
  const now = portal.now()
  const browser = visitor.browser ?? newToken()
  const { attempt, state } = await startAttempt(tx, {
    linkId: link.id,
    customerId: link.customerId,
    kind,
    browser,
    pinnedTenantId: link.pinnedTenantId,
    now,
    expiresAt: new Date(now.getTime() + attemptLasts),
  })
  await recordAudit(tx, visitor.actor, {
    action: 'attempt.started',
    at: now,
    customerId: link.customerId,
    subjectId: attempt.id,
  })
  await scheduleProbe(tx, link.id, new Date(now.getTime() + firstProbeAfter))
  const url = portal.microsoft.consentUrl({ tenantId: link.pinnedTenantId, state })
  return { kind: 'microsoft', url, sealed: null, browser, linkId: link.id }
}

/**
 * A browser comes back from Microsoft. Its word is a claim: the state is consumed once and atomically, together with
 * all that the claim changes, and leads on to a binding, a sign-in that proves it, a review, or a page that says what
 * happened.
 */
export async function receiveClaim(
  portal: Portal,
  visitor: Visitor,
  claim: ConsentClaim,
  sealed: SealedProof | null,
): Promise<Step> {
  if (visitor.browser === null && (claim.state === null || !(await knowsState(portal.db, claim.state)))) {
    portal.log.warn({ event: 'sequence_fail', kind: claim.kind }, unknownState)
    return { kind: 'stranger' }
  }
  const browser = visitor.browser ?? newToken()
  const received = await write(portal.db, (tx) => receive({ ...portal, db: tx }, visitor, browser, claim))
  if (received.kind === 'proof')
    return finishTenantProof(portal, { ...visitor, browser }, received.attempt, claim, sealed)
  return received
}

const unknownState = 'a consent callback with an unknown state was refused'

type Received = Step | { kind: 'proof'; attempt: ConsentAttempt }

async function receive(portal: Portal, visitor: Visitor, browser: string, claim: ConsentClaim): Promise<Received> {
  const { db, log } = portal
  const now = portal.now()
  const redemption =
    claim.state === null ? ({ found: 'unknown' } as const) : await redeemState(db, claim.state, visitor.browser, now)
  if (redemption.found === 'unknown') {
    log.warn({ event: 'sequence_fail', kind: claim.kind }, unknownState)
    // Nothing is kept of a return anybody can make up, except from a browser that did set out from here.
    const known = visitor.browser === null ? null : await latestAttemptOfBrowser(db, visitor.browser)
    if (known) await keepUnclaimed(portal, visitor.actor, known, claim, false)
    return { kind: 'stranger' }
  }
  const { attempt, found } = redemption
  if (found !== 'fresh') {
    const { mine } = redemption
    if (found !== 'spent') await keepUnclaimed(portal, visitor.actor, attempt, claim, mine && attempt.kind !== 'proof')
    if (!mine) return { kind: 'stranger' }
    const own = attempt.kind === 'proof' ? await latestOwnAttempt(db, attempt.linkId, browser) : attempt
    return own === null ? { kind: 'stranger' } : { kind: 'attempt', attemptId: own.id, browser }
  }
  if (attempt.kind === 'proof') return { kind: 'proof', attempt }
  const page: Step = { kind: 'attempt', attemptId: attempt.id, browser }
  if (attempt.browserHash === null) await adoptAttempt(db, attempt.id, browser)
  if (claim.kind === 'refused') {
    await settleRefusal(db, visitor.actor, attempt, outcomeOf[claim.reason], now, claim)
    return page
  }
  const link = await linkById(db, attempt.linkId)
  if (linkState(link, now) === 'withdrawn') {
    await settleRefusal(db, visitor.actor, attempt, 'link-withdrawn', now)
    await keepUnclaimed(portal, visitor.actor, attempt, claim, false)
    return page
  }
  if (claim.kind === 'code') {
    // Whichever organisation it was: asking only for the expected one would never tell that it was another.
    return beginTenantProof(portal, { attempt, browser, tenantId: null, silent: true })
  }
  await recordOutcome(db, attempt.id, 'claimed', now, { claimedTenantId: claim.tenantId })
  if (attempt.pinnedTenantId === null) {
    return beginTenantProof(portal, { attempt, browser, tenantId: claim.tenantId, silent: true })
  }
  await settleClaim(portal, visitor.actor, attempt, { tenantId: claim.tenantId, how: 'pinned', by: '' })
  return page
}

const outcomeOf: Record<(ConsentClaim & { kind: 'refused' })['reason'], AttemptOutcome> = {
  declined: 'declined',
  cancelled: 'declined',
  'not-admin': 'not-admin',
  'wrong-tenant': 'wrong-tenant',
  unlicensed: 'unlicensed',
  misconfigured: 'misconfigured',
  other: 'refused',
}
