import { PortalError } from '../errors.ts'
import type { Portal } from '../portal.ts'
import type { Actor } from '../store/audit.ts'
import { customerById } from '../store/customers/customers.ts'
import { type Tx, write } from '../store/engine/database.ts'
import { newToken } from '../store/identifiers.ts'
import { attemptOfBrowser, startAttempt } from '../store/onboarding/attempts.ts'
import {
  type ConsentLink,
  issueLink,
  linkById,
  recordDeparture,
  recordOpening,
  refuseEnded,
  usableLink,
} from '../store/onboarding/links.ts'
import { newState } from './consent-state.ts'
import { findLinkObstacle } from './link-obstacle.ts'

const minute = 60_000
/** An approval given by somebody else, or a closed tab, never calls back: this is when we look for ourselves. */
const firstProbeAfter = 5 * minute

/** A browser on its way: the secret of its cookie, and who it is for the audit log. */
export interface Visitor {
  browser: string | null
  actor: Actor & { kind: 'customer' }
  /** Keyed hash of its network address, by which is counted; null when nobody knows it. */
  addressHash: string | null
}

/**
 * That a browser left for Microsoft, which the browser alone keeps, in a sealed cookie: whoever presses the button ten
 * thousand times leaves nothing here but a count.
 */
export interface Departure {
  /** What Microsoft is to send back with it. */
  state: string
  linkId: string
  /** `classic` where it goes on by the rules of the classic link. */
  kind: 'landing' | 'classic'
  /** In UTC. */
  leftAt: string
}

/** Where to send the browser next. */
export type Step =
  /** On to Microsoft; `sealed` or `departure` must come back with the browser, and `browser` be kept as its cookie. */
  | {
      kind: 'microsoft'
      url: string
      sealed: SealedProof | null
      departure: Departure | null
      browser: string
    }
  /** To the page of its attempt. */
  | { kind: 'attempt'; attemptId: string; browser: string }
  /** Back to the page of its link: nothing was kept of this run. */
  | { kind: 'landing'; linkId: string; browser: string }
  /** Nothing to show to whoever this is. */
  | { kind: 'stranger' }

/** The secrets of a sign-in that proves a tenant; they live in the browser's sealed cookie alone. */
export interface SealedProof {
  /** Of the sign-in: what the browser will come back with. */
  state: string
  /** The run that is being proven; null for one of which nothing is kept yet. */
  attemptId: string | null
  /** What is not kept here of that run; null for one that is. A cookie of the version before has neither this nor `tenantId`. */
  unkept?: UnkeptRun | null | undefined
  /** The tenant that was asked to sign in; null for whichever it is. */
  tenantId?: string | null | undefined
  nonce: string
  codeVerifier: string
  silent: boolean
}

/** A run of which nothing is kept, because too many of its link are: it goes on to its proof, and is kept with that. */
export interface UnkeptRun {
  linkId: string
  kind: 'landing' | 'classic'
  /** What the browser claimed; null for a code. */
  claimedTenantId: string | null
  leftAt: string
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

/** On the way to Microsoft, with what has to come back. */
export type Leaving = Step & { kind: 'microsoft' } & { departure: Departure }

/**
 * The visitor goes on from the landing page: an attempt of its own starts, with a single-use state tied to this browser.
 * @throws PortalError LINK_UNKNOWN, LINK_WITHDRAWN, LINK_EXPIRED, LINK_COMPLETED
 */
export async function beginConsent(portal: Portal, visitor: Visitor, token: string): Promise<Leaving> {
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
export async function beginAgain(portal: Portal, visitor: Visitor, attemptId: string): Promise<Leaving> {
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
  kind: Departure['kind'],
): Promise<Leaving> {
  const now = portal.now()
  const state = newState(portal.config, link.id)
  await recordDeparture(tx, visitor.actor, link, now, new Date(now.getTime() + firstProbeAfter))
  return {
    kind: 'microsoft',
    url: portal.microsoft.consentUrl({ tenantId: link.pinnedTenantId, state }),
    sealed: null,
    departure: { state, linkId: link.id, kind, leftAt: now.toISOString() },
    browser: visitor.browser ?? newToken(),
  }
}
