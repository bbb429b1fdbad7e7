import { type Request, type Response, Router } from 'express'
import { weathered } from '../apis/answers.ts'
import { isSameOrigin } from '../control/loopback.ts'
import { html } from '../pages/html.ts'
import { sendAccountPage, sendApprovalPage, sendErrorPage, sendPage } from '../pages/login-pages.ts'
import type { SimulatorParts } from '../parts.ts'
import { accountsOf, forgetAccounts, rememberAccount } from './accounts.ts'
import { authorizeAs, declineAuthorize } from './authorize.ts'
import { adminConsentAs, declineAdminConsent } from './consent.ts'
import { fieldsOf } from './credentials.ts'
import { authorityOf, tenantIdOf } from './discovery.ts'
import { refusalOf, traceOf } from './refusals.ts'
import type { Decision } from './requests.ts'
import type { Errand } from './sessions.ts'

/** The buttons people press on the pages of sign-in and consent, and signing out. */
export function signInRoutes(ground: SimulatorParts): Router {
  const routes = Router()

  routes.post('/:tenant/login', async (req, res) => {
    const errand = errandOf(ground, req, res)
    if (!errand) return
    if (await weathered(ground, req, res, 'login', tenantIdOf(authorityOf(ground, errand.authority)))) return
    const fields = fieldsOf(req)
    if (fields.cancel) return endErrand(ground, res, errand, { error: 'access_denied', error_subcode: 'cancel' })
    const person = ground.world.person(fields.account ?? '')
    if (!person || person.home)
      return sendErrorPage(
        ground,
        res,
        { ...refusalOf(50034), message: 'The user account does not exist.' },
        traceOf(ground.world, undefined),
      )
    rememberAccount(ground, req, res, person)
    await proceed(ground, req, res, { ...errand, personId: person.id })
  })

  routes.post('/:tenant/consent', async (req, res) => {
    const errand = errandOf(ground, req, res)
    if (!errand) return
    const person = ground.world.person(errand.personId ?? '')
    const app = ground.world.registrations.get(errand.params.client_id?.toLowerCase() ?? '')
    if (!person || !app) return sendLost(res)
    const fields = fieldsOf(req)
    if (fields.decision === 'another') {
      errand.personId = null
      return sendAccountPage(ground, res, errand, app, accountsOf(ground, req))
    }
    if (fields.decision === 'request') {
      ground.sessions.end(errand)
      return sendApprovalPage(res, errand, app, person, true)
    }
    await proceed(ground, req, res, errand, {
      accepted: fields.decision === 'accept',
      organisation: fields.organisation === '1',
    })
  })

  routes.get(['/:tenant/oauth2/v2.0/logout', '/:tenant/oauth2/logout'], (req, res) => {
    forgetAccounts(ground, req, res)
    const target = String(req.query.post_logout_redirect_uri ?? '')
    const registered = [...ground.world.registrations.values()].some(({ redirectUris }) =>
      redirectUris.includes(target),
    )
    if (registered) return res.redirect(302, target)
    sendPage(
      res,
      200,
      'Signed out',
      html`<section class="card"><h1>You signed out of your account</h1><p>It’s a good idea to close all browser windows.</p></section>`,
    )
  })
  return routes
}

async function proceed(
  ground: SimulatorParts,
  req: Request,
  res: Response,
  errand: Errand,
  decision?: Decision,
): Promise<void> {
  const stored = ground.sessions.errand(errand.id)
  if (stored) stored.personId = errand.personId
  const person = ground.world.person(errand.personId ?? '')
  if (!person) return sendLost(res)
  if (errand.kind === 'authorize') return authorizeAs(ground, req, res, errand, person, decision)
  return adminConsentAs(ground, req, res, errand, person, decision)
}

function endErrand(ground: SimulatorParts, res: Response, errand: Errand, answer: Record<string, string>): void {
  ground.sessions.end(errand)
  if (errand.kind === 'authorize') declineAuthorize(ground, res, errand, answer)
  else declineAdminConsent(ground, res, errand, answer)
}

/** The errand of a posted form; answers by itself when the form is foreign or forgotten. */
function errandOf(ground: SimulatorParts, req: Request, res: Response): Errand | null {
  if (!isSameOrigin(req)) {
    sendPage(res, 403, 'Refused', html`<section class="card"><h1>This form came from another site</h1></section>`)
    return null
  }
  const errand = ground.sessions.errand(fieldsOf(req).flow ?? '')
  if (!errand) sendLost(res)
  return errand ?? null
}

function sendLost(res: Response): void {
  sendPage(
    res,
    400,
    'Start again',
    html`<section class="card"><h1>This page was open for too long</h1><p>Go back to the app and start again.</p></section>`,
  )
}
