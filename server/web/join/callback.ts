import type { Request, Response } from 'express'
import { PortalError } from '../../errors.ts'
import { browserOf, customerActor, keepBrowser } from '../../http/access.ts'
import { hashOfAddress } from '../../http/client-address.ts'
import type { Handler } from '../../http/route.ts'
import { dropSealed, seal, unseal } from '../../http/session/sealed.ts'
import { type ConsentClaim, readConsentClaim } from '../../microsoft/login/consent.ts'
import { receiveClaim } from '../../onboarding/consent-return.ts'
import type { Step, Visitor } from '../../onboarding/steps.ts'
import type { Portal } from '../../portal.ts'
import { departureCookie, departuresOf, keepDeparture } from './departures.ts'
import { findJourney, proofCookie } from './journey.ts'

/**
 * Where Microsoft sends a browser back to after a consent, and after the sign-in that proves its tenant. Whatever cannot
 * be read, is not known, or belongs to another browser is answered alike: who made it up learns nothing from it.
 * @throws PortalError `CONSENT_NOT_YOURS`
 */
export const returnFromConsent: Handler = async (portal, req, res) => {
  const step = await receive(portal, req, res, claimIn(req))
  if (step.kind === 'stranger') throw new PortalError('CONSENT_NOT_YOURS')
  await goOn(portal, req, res, step)
}

/** Leads the browser on, with what it has to keep until it comes back. */
export async function goOn(
  portal: Portal,
  req: Request,
  res: Response,
  step: Exclude<Step, { kind: 'stranger' }>,
): Promise<void> {
  keepBrowser(portal.config, res, step.browser)
  if (step.kind === 'attempt') return res.redirect(303, `/consent/${step.attemptId}`)
  if (step.kind === 'landing') {
    const journey = await findJourney(portal, req, step.linkId)
    if (journey === null) throw new PortalError('CONSENT_NOT_YOURS')
    return res.redirect(303, `/join/${journey.token}`)
  }
  if (step.sealed !== null) await seal(portal, res, proofCookie(step.sealed.state), step.sealed)
  if (step.departure !== null) await keepDeparture(portal, req, res, step.departure)
  res.redirect(303, step.url)
}

/** Whoever holds a link, in which browser, and from where. */
export const visitorOf = (portal: Portal, req: Request): Visitor => ({
  browser: browserOf(portal.config, req) ?? null,
  actor: customerActor(req),
  addressHash: hashOfAddress(portal.config, req),
})

async function receive(portal: Portal, req: Request, res: Response, claim: ConsentClaim | null): Promise<Step> {
  const state = claim?.state ?? null
  const departures = await departuresOf(portal, req)
  const others = departures.filter((departure) => departure.state !== state)
  const departure = departures.find((one) => one.state === state) ?? null
  const proof = state === null ? null : await unseal(portal, req, proofCookie(state))
  if (proof !== null && claim?.kind === 'code') await res.locals.countCode(req)
  const step = await receiveClaim(portal, visitorOf(portal, req), claim, { proof, departure, others })
  // Dropped when it is spent, and not before: a database that was away leaves the way open.
  if (proof !== null) dropSealed(portal, res, proofCookie(proof.state))
  if (departure !== null) dropSealed(portal, res, departureCookie(departure.state))
  return step
}

/** Null for what cannot be read. */
function claimIn(req: Request): ConsentClaim | null {
  try {
    return readConsentClaim(req.query)
  } catch (error) {
    if (!(error instanceof PortalError)) throw error
    return null
  }
}
