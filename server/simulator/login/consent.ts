import { type Request, type Response, Router } from 'express'
import { correlationOf, refusedOnPage, weathered } from '../apis/answers.ts'
import { sendAccountPage, sendApprovalPage, sendConsentPage, sendErrorPage } from '../pages/login-pages.ts'
import type { SimulatorParts } from '../parts.ts'
import type { Person } from '../world/directory.ts'
import { accountsOf } from './accounts.ts'
import { authorityOf, tenantIdOf } from './discovery.ts'
import { describe, type LoginRefusal, notInThisTenant, parameterMissing, refusalOf, traceOf } from './refusals.ts'
import { type Decision, judgeClient, missingPrincipal, paramsOf, roleHolder } from './requests.ts'
import type { Errand } from './sessions.ts'

/**
 * Admin consent endpoints.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent; callbacks as they were observed where that
 * differs from the page.
 */
export function consentRoutes(parts: SimulatorParts): Router {
  const routes = Router()
  routes.get('/:tenant/v2.0/adminconsent', (req, res) => adminConsent(parts, req, res, 2))
  routes.get('/:tenant/adminconsent', (req, res) => adminConsent(parts, req, res, 1))
  return routes
}

async function adminConsent(parts: SimulatorParts, req: Request, res: Response, version: 1 | 2): Promise<void> {
  const name = String(req.params.tenant)
  const authority = authorityOf(parts, name)
  if (await weathered(parts, req, res, 'login', tenantIdOf(authority))) return
  const params = paramsOf(req)
  const client = judgeClient(parts, params, authority)
  if ('error' in client) return sendErrorPage(parts, res, client, traceOf(parts.world, correlationOf(req)))
  const errand = parts.sessions.begin({
    kind: 'adminconsent',
    authority: name,
    version,
    params: { ...params, redirect_uri: client.redirectUri },
    personId: null,
  })
  const refused = refusedOnPage(res)
  if (refused) return refuse(parts, req, res, errand, refused)
  if (version === 2 && name === 'common') {
    return declineAdminConsent(parts, res, errand, {
      error: 'invalid_request',
      error_description: "The provided request must include a 'response_type' input parameter.",
    })
  }
  if (version === 2 && !params.scope) {
    return sendErrorPage(parts, res, parameterMissing('scope'), traceOf(parts.world, correlationOf(req)))
  }
  sendAccountPage(parts, res, errand, client.app, accountsOf(parts, req))
}

/** Goes on once the account is known. */
export async function adminConsentAs(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  errand: Errand,
  person: Person,
  decision?: Decision,
): Promise<void> {
  const authority = authorityOf(parts, errand.authority)
  const client = judgeClient(parts, errand.params, authority)
  if ('error' in client) return sendErrorPage(parts, res, client, traceOf(parts.world, correlationOf(req)))
  const { app } = client
  const tenant = authority.kind === 'tenant' ? authority.tenant : parts.world.tenant(person.tenantId)
  const account = parts.world.accountIn(person, tenant)
  if (!account) {
    return refuse(
      parts,
      req,
      res,
      errand,
      notInThisTenant(person.username, person.tenantId, tenant.displayName, app.clientId),
    )
  }
  const missing = missingPrincipal(tenant, app)
  if (missing) return refuse(parts, req, res, errand, missing)
  if (!roleHolder(account, app)) return sendApprovalPage(res, errand, app, account, false)
  if (!decision) return sendConsentPage(res, errand, app, account, 'organisation')
  if (!decision.accepted) return refuse(parts, req, res, errand, refusalOf(65004), '#')

  const { params } = errand
  // Single permission names instead of `.default` were seen to come back as success without granting anything.
  if (errand.version === 1 || /\/\.default(\s|$)/.test(params.scope ?? '')) parts.world.consent(tenant.id, app.clientId)
  parts.sessions.end(errand)
  const state = params.state === undefined ? {} : { state: params.state }
  returnTo(
    res,
    errand,
    errand.version === 1
      ? { tenant: tenant.id, ...state, admin_consent: 'True' }
      : { admin_consent: 'True', tenant: tenant.id, scope: params.scope ?? '', ...state },
  )
}

/** Sends the browser home without consent. */
export function declineAdminConsent(
  parts: SimulatorParts,
  res: Response,
  errand: Errand,
  answer: Record<string, string>,
): void {
  parts.sessions.end(errand)
  returnTo(res, errand, { ...answer, ...(errand.params.state === undefined ? {} : { state: errand.params.state }) })
}

/** As observed: no tenant, and `admin_consent=True` even though nothing was consented to. */
function refuse(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  errand: Errand,
  refusal: LoginRefusal,
  tail = '',
): void {
  const trace = traceOf(parts.world, correlationOf(req))
  parts.sessions.end(errand)
  returnTo(
    res,
    errand,
    {
      error: refusal.error,
      error_description: describe(parts.world, refusal, trace),
      error_uri: `${parts.origin}/error?code=${refusal.code}`,
      admin_consent: 'True',
      ...(errand.params.state === undefined ? {} : { state: errand.params.state }),
    },
    tail,
  )
}

function returnTo(res: Response, errand: Errand, answer: Record<string, string>, tail = ''): void {
  const target = errand.params.redirect_uri ?? ''
  const query = new URLSearchParams(answer).toString()
  res.set('Cache-Control', 'no-store').redirect(302, `${target}${target.includes('?') ? '&' : '?'}${query}${tail}`)
}
