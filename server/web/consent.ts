import type { Request, Response } from 'express'
import { PortalError } from '../errors.ts'
import { type ConsentClaim, readConsentClaim } from '../microsoft/consent.ts'
import { receiveClaim, type Step } from '../onboarding.ts'
import type { Portal } from '../portal.ts'
import { browserOf, customerActor, keepBrowser } from './access.ts'
import { proofCookie } from './journey.ts'
import type { Handler } from './route.ts'
import { dropSealed, seal, unseal } from './sealed.ts'

/**
 * Where Microsoft sends a browser back to after a consent, and after the sign-in that proves its tenant. Whatever cannot
 * be read, is not known, or belongs to another browser is answered alike: who made it up learns nothing from it.
 * @throws PortalError `CONSENT_NOT_YOURS`
 */
export const returnFromConsent: Handler = async (portal, req, res) => {
  const step = await receive(portal, req, res, claimIn(req))
  if (step.kind === 'stranger') throw new PortalError('CONSENT_NOT_YOURS')
  await goOn(portal, res, step)
}

/** Leads the browser on, with what it has to keep until it comes back. */
export async function goOn(portal: Portal, res: Response, step: Exclude<Step, { kind: 'stranger' }>): Promise<void> {
  keepBrowser(portal.config, res, step.browser)
  if (step.kind === 'attempt') return res.redirect(303, `/consent/${step.attemptId}`)
  if (step.sealed !== null) await seal(portal, res, proofCookie(step.sealed.state), step.sealed)
  res.redirect(303, step.url)
}

async function receive(portal: Portal, req: Request, res: Response, claim: ConsentClaim): Promise<Step> {
  const visitor = { browser: browserOf(portal.config, req) ?? null, actor: customerActor(req) }
  if (claim.state === null) return receiveClaim(portal, visitor, claim, null)
  const kept = proofCookie(claim.state)
  const sealed = await unseal(portal, req, kept)
  if (sealed !== null) dropSealed(portal, res, kept)
  return receiveClaim(portal, visitor, claim, sealed)
}

function claimIn(req: Request): ConsentClaim {
  try {
    return readConsentClaim(req.query)
  } catch (error) {
    if (!(error instanceof PortalError)) throw error
    throw new PortalError('CONSENT_NOT_YOURS', { cause: error })
  }
}
