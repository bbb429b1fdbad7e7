import { PortalError } from '../errors.ts'
import type { Portal } from '../portal.ts'
import type { Tx } from '../store/engine/dialect.ts'
import { write } from '../store/engine/write.ts'
import { newToken } from '../store/identifiers.ts'
import { findAttemptOfBrowser } from '../store/onboarding/attempt-list.ts'
import { probeAfterDepartureMs } from '../store/onboarding/link-probes.ts'
import { recordDeparture, recordOpening } from '../store/onboarding/link-visits.ts'
import { type ConsentLink, getLink, refuseEnded, usableLink } from '../store/onboarding/links.ts'
import { newState } from './consent-state.ts'
import type { Departure, Step, Visitor } from './steps.ts'

/** On the way to Microsoft, with what has to come back. */
export type Leaving = Step & { kind: 'microsoft' } & { departure: Departure }

/** A person has the page of a link open. */
export async function noteOpening({ db, now }: Portal, actor: Visitor['actor'], link: ConsentLink): Promise<void> {
  await write(db, (tx) => recordOpening(tx, actor, link, now()))
}

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
    const attempt = await findAttemptOfBrowser(tx, attemptId, visitor.browser)
    if (!attempt) throw new PortalError('CONSENT_NOT_YOURS')
    const link = await getLink(tx, attempt.linkId)
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
  await recordDeparture(tx, visitor.actor, link, now, new Date(now.getTime() + probeAfterDepartureMs))
  return {
    kind: 'microsoft',
    url: portal.microsoft.consentUrl({ tenantId: link.pinnedTenantId, state }),
    sealed: null,
    departure: { state, linkId: link.id, kind, leftAt: now.toISOString() },
    browser: visitor.browser ?? newToken(),
  }
}
