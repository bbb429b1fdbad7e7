import { randomUUID } from 'node:crypto'
import { type Request, type Response, Router } from 'express'
import { correlationOf, refusedOnPage, weathered } from '../apis/answers.ts'
import {
  elsewhereNote,
  sendAccountPage,
  sendApprovalPage,
  sendConsentPage,
  sendErrorPage,
  sendPostBackPage,
} from '../pages/login-pages.ts'
import type { SimulatorParts } from '../parts.ts'
import type { Person, Tenant } from '../world/directory.ts'
import { accountsOf } from './accounts.ts'
import { authorityOf, tenantIdOf } from './discovery.ts'
import {
  appDisabled,
  describe,
  type LoginRefusal,
  notInThisTenant,
  parameterMissing,
  refusalOf,
  traceOf,
} from './refusals.ts'
import { type Decision, judgeClient, missingPrincipal, paramsOf, roleHolder } from './requests.ts'
import type { Errand } from './sessions.ts'

const codeLifetimeMs = 10 * 60_000

/** Authorization endpoints: the current one, and v1 with the classic consent link. */
export function authorizeRoutes(ground: SimulatorParts): Router {
  const routes = Router()
  routes.get('/:tenant/oauth2/v2.0/authorize', (req, res) => authorize(ground, req, res, 2))
  routes.get('/:tenant/oauth2/authorize', (req, res) => authorize(ground, req, res, 1))
  return routes
}

async function authorize(ground: SimulatorParts, req: Request, res: Response, version: 1 | 2): Promise<void> {
  const named = String(req.params.tenant)
  const authority = authorityOf(ground, named)
  if (await weathered(ground, req, res, 'login', tenantIdOf(authority))) return
  const params = paramsOf(req)
  const judged = judgeClient(ground, params, authority)
  if ('error' in judged) return sendErrorPage(ground, res, judged, traceOf(ground.world, correlationOf(req)))
  const { app, redirectUri } = judged
  const errand = ground.sessions.begin({
    kind: 'authorize',
    authority: named,
    version,
    params: { ...params, redirect_uri: redirectUri },
    personId: null,
  })

  const fault = refusedOnPage(res) ?? parameterFault(params, version)
  if (fault) return redirectRefusal(ground, req, res, errand, fault)

  const known = accountsOf(ground, req)
  const hinted = params.login_hint?.toLowerCase()
  const candidates = known.filter((person) => {
    const tenant = authority.kind === 'tenant' ? authority.tenant : ground.world.find(person.tenantId)
    return tenant && ground.world.accountIn(person, tenant) && (!hinted || person.username.toLowerCase() === hinted)
  })
  if (params.prompt === 'none') {
    const [only, ...others] = candidates
    if (!only)
      return redirectRefusal(
        ground,
        req,
        res,
        errand,
        silentRefusal(50058, 'login_required', 'Session information is not sufficient for single-sign-on.'),
      )
    if (others.length > 0) {
      return redirectRefusal(
        ground,
        req,
        res,
        errand,
        silentRefusal(
          16000,
          'interaction_required',
          'Either multiple user identities are available for the current request or selected account is not supported for the scenario.',
        ),
      )
    }
    errand.personId = only.id
    return authorizeAs(ground, req, res, errand, only)
  }
  const [only, ...others] = candidates
  if (
    only &&
    others.length === 0 &&
    !['select_account', 'login', 'consent', 'admin_consent'].includes(params.prompt ?? '')
  ) {
    errand.personId = only.id
    return authorizeAs(ground, req, res, errand, only)
  }
  sendAccountPage(ground, res, errand, app, known)
}

function parameterFault(params: Record<string, string>, version: 1 | 2): LoginRefusal | null {
  if (params.response_type !== 'code') {
    return params.response_type
      ? {
          code: 700054,
          error: 'unsupported_response_type',
          status: 400,
          message: `response_type '${params.response_type}' is not enabled for the application.`,
        }
      : parameterMissing('response_type')
  }
  if (version === 2 && !params.scope) return parameterMissing('scope')
  if (params.code_challenge && params.code_challenge_method !== 'S256') {
    return {
      code: 501491,
      error: 'invalid_request',
      status: 400,
      message: 'The code_challenge_method is not supported here; only S256 is.',
    }
  }
  if (params.response_mode && !['query', 'fragment', 'form_post'].includes(params.response_mode)) {
    return {
      code: 70007,
      error: 'unsupported_response_mode',
      status: 400,
      message: `The response_mode '${params.response_mode}' is not supported.`,
    }
  }
  return null
}

/** Goes on once the account is known: the directory, the app in it, consent, and then the code. */
export async function authorizeAs(
  ground: SimulatorParts,
  req: Request,
  res: Response,
  errand: Errand,
  person: Person,
  decision?: Decision,
): Promise<void> {
  const { params } = errand
  const authority = authorityOf(ground, errand.authority)
  const judged = judgeClient(ground, params, authority)
  if ('error' in judged) return sendErrorPage(ground, res, judged, traceOf(ground.world, correlationOf(req)))
  const { app } = judged
  const silent = params.prompt === 'none'
  const tenant = authority.kind === 'tenant' ? authority.tenant : ground.world.tenant(person.tenantId)
  const account = ground.world.accountIn(person, tenant)
  if (!account) {
    const refusal = notInThisTenant(person.username, person.tenantId, tenant.displayName, app.clientId)
    if (silent) return redirectRefusal(ground, req, res, errand, { ...refusal, error: 'interaction_required' })
    const wayOn = elsewhereNote(errand, tenant.displayName)
    return sendErrorPage(ground, res, refusal, traceOf(ground.world, correlationOf(req)), wayOn)
  }

  if (decision) {
    if (!decision.accepted) return redirectRefusal(ground, req, res, errand, refusalOf(65004))
    if (decision.organisation && roleHolder(account, app)) ground.world.consent(tenant.id, app.clientId)
    else ground.world.consentForOne(tenant.id, app.clientId, account.id)
    return redirectCode(ground, res, errand, tenant, person)
  }

  const enterprise = tenant.apps.get(app.clientId.toLowerCase())
  if (enterprise && !enterprise.enabled) {
    const refusal = appDisabled(app.clientId, app.displayName)
    if (silent) return redirectRefusal(ground, req, res, errand, refusal)
    return sendErrorPage(ground, res, refusal, traceOf(ground.world, correlationOf(req)))
  }
  const asksAll = errand.version === 1 || (params.scope ?? '').includes('/.default')
  const consented = enterprise !== undefined && (enterprise.tenantWide || enterprise.users.includes(account.id))
  const asking = params.prompt === 'consent' || params.prompt === 'admin_consent'
  if (consented && !asking) return redirectCode(ground, res, errand, tenant, person)
  if (silent) return redirectRefusal(ground, req, res, errand, { ...refusalOf(65001), error: 'consent_required' })

  const needsAdmin = asksAll && app.requiredResources.some(({ roles }) => roles.length > 0)
  if (!needsAdmin) return sendConsentPage(res, errand, app, account, 'self')
  const missing = missingPrincipal(tenant, app)
  if (missing) return redirectRefusal(ground, req, res, errand, missing)
  if (!roleHolder(account, app)) return sendApprovalPage(res, errand, app, account, false)
  // Without the box the classic page grants for this one person: the app appears, its permissions do not.
  sendConsentPage(res, errand, app, account, params.prompt === 'admin_consent' ? 'organisation' : 'tick')
}

/** Sends the browser home without a code. */
export function declineAuthorize(
  ground: SimulatorParts,
  res: Response,
  errand: Errand,
  answer: Record<string, string>,
): void {
  ground.sessions.end(errand)
  goHome(res, errand, { ...answer, ...(errand.params.state === undefined ? {} : { state: errand.params.state }) })
}

function redirectCode(ground: SimulatorParts, res: Response, errand: Errand, tenant: Tenant, person: Person): void {
  const { params } = errand
  const code = ground.sessions.issueCode({
    clientId: ground.world.registration(params.client_id ?? '').clientId,
    redirectUri: params.redirect_uri ?? '',
    personId: person.id,
    tenantId: tenant.id,
    nonce: params.nonce ?? null,
    challenge: params.code_challenge ?? null,
    scope: params.scope ?? 'openid profile',
    expiresAt: ground.world.clock.now() + codeLifetimeMs,
  })
  ground.sessions.end(errand)
  goHome(res, errand, {
    code,
    ...(params.state === undefined ? {} : { state: params.state }),
    session_state: randomUUID(),
  })
}

function silentRefusal(code: number, error: string, message: string): LoginRefusal {
  return { code, error, status: 400, message }
}

function redirectRefusal(
  ground: SimulatorParts,
  req: Request,
  res: Response,
  errand: Errand,
  refusal: LoginRefusal,
): void {
  const trace = traceOf(ground.world, correlationOf(req))
  declineAuthorize(ground, res, errand, {
    error: refusal.error,
    error_description: describe(ground.world, refusal, trace),
    error_uri: `${ground.origin}/error?code=${refusal.code}`,
  })
}

function goHome(res: Response, errand: Errand, answer: Record<string, string>): void {
  const target = errand.params.redirect_uri ?? ''
  const mode = errand.params.response_mode ?? 'query'
  if (mode === 'form_post') {
    sendPostBackPage(res, target, answer)
    return
  }
  const query = new URLSearchParams(answer).toString()
  const mark = mode === 'fragment' ? '#' : target.includes('?') ? '&' : '?'
  res.set('Cache-Control', 'no-store').redirect(302, `${target}${mark}${query}`)
}
