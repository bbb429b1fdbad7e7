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
export function signInRoutes(parts: SimulatorParts): Router {
  const routes = Router()

  routes.post('/:tenant/login', async (req, res) => {
    const errand = errandOf(parts, req, res)
    if (!errand) return
    if (await weathered(parts, req, res, 'login', tenantIdOf(authorityOf(parts, errand.authority)))) return
    const fields = fieldsOf(req)
    if (fields.cancel) return endErrand(parts, res, errand, { error: 'access_denied', error_subcode: 'cancel' })
    const person = parts.world.person(fields.account ?? '')
    if (!person || person.home)
      return sendErrorPage(
        parts,
        res,
        { ...refusalOf(50034), message: 'The user account does not exist.' },
        traceOf(parts.world, undefined),
      )
    rememberAccount(parts, req, res, person)
    await proceed(parts, req, res, { ...errand, personId: person.id })
  })

  routes.post('/:tenant/consent', async (req, res) => {
    const errand = errandOf(parts, req, res)
    if (!errand) return
    const person = parts.world.person(errand.personId ?? '')
    const app = parts.world.registrations.get(errand.params.client_id?.toLowerCase() ?? '')
    if (!person || !app) return sendLost(res)
    const fields = fieldsOf(req)
    if (fields.decision === 'another') {
      errand.personId = null
      return sendAccountPage(parts, res, errand, app, accountsOf(parts, req))
    }
    if (fields.decision === 'request') {
      parts.sessions.end(errand)
      return sendApprovalPage(res, errand, app, person, true)
    }
    await proceed(parts, req, res, errand, {
      accepted: fields.decision === 'accept',
      organisation: fields.organisation === '1',
    })
  })

  routes.get(['/:tenant/oauth2/v2.0/logout', '/:tenant/oauth2/logout'], (req, res) => {
    forgetAccounts(parts, req, res)
    const target = String(req.query.post_logout_redirect_uri ?? '')
    const registered = [...parts.world.registrations.values()].some(({ redirectUris }) => redirectUris.includes(target))
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
  parts: SimulatorParts,
  req: Request,
  res: Response,
  errand: Errand,
  decision?: Decision,
): Promise<void> {
  const errandNow = parts.sessions.errand(errand.id)
  if (errandNow) errandNow.personId = errand.personId
  const person = parts.world.person(errand.personId ?? '')
  if (!person) return sendLost(res)
  if (errand.kind === 'authorize') return authorizeAs(parts, req, res, errand, person, decision)
  return adminConsentAs(parts, req, res, errand, person, decision)
}

function endErrand(parts: SimulatorParts, res: Response, errand: Errand, answer: Record<string, string>): void {
  parts.sessions.end(errand)
  if (errand.kind === 'authorize') declineAuthorize(parts, res, errand, answer)
  else declineAdminConsent(parts, res, errand, answer)
}

/** The errand of a posted form; answers by itself when the form is foreign or forgotten. */
function errandOf(parts: SimulatorParts, req: Request, res: Response): Errand | null {
  if (!isSameOrigin(req)) {
    sendPage(res, 403, 'Refused', html`<section class="card"><h1>This form came from another site</h1></section>`)
    return null
  }
  const errand = parts.sessions.errand(fieldsOf(req).flow ?? '')
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
