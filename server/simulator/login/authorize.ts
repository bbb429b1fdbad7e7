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
export function authorizeRoutes(parts: SimulatorParts): Router {
  const routes = Router()
  routes.get('/:tenant/oauth2/v2.0/authorize', (req, res) => authorize(parts, req, res, 2))
  routes.get('/:tenant/oauth2/authorize', (req, res) => authorize(parts, req, res, 1))
  return routes
}

async function authorize(parts: SimulatorParts, req: Request, res: Response, version: 1 | 2): Promise<void> {
  const name = String(req.params.tenant)
  const authority = authorityOf(parts, name)
  if (await weathered(parts, req, res, 'login', tenantIdOf(authority))) return
  const params = paramsOf(req)
  const client = judgeClient(parts, params, authority)
  if ('error' in client) return sendErrorPage(parts, res, client, traceOf(parts.world, correlationOf(req)))
  const { app, redirectUri } = client
  const errand = parts.sessions.begin({
    kind: 'authorize',
    authority: name,
    version,
    params: { ...params, redirect_uri: redirectUri },
    personId: null,
  })

  const fault = refusedOnPage(res) ?? parameterFault(params, version)
  if (fault) return redirectRefusal(parts, req, res, errand, fault)

  const accounts = accountsOf(parts, req)
  const hinted = params.login_hint?.toLowerCase()
  const candidates = accounts.filter((person) => {
    const tenant = authority.kind === 'tenant' ? authority.tenant : parts.world.find(person.tenantId)
    return tenant && parts.world.accountIn(person, tenant) && (!hinted || person.username.toLowerCase() === hinted)
  })
  const [only, ...others] = candidates
  const silent = params.prompt === 'none'
  if (silent && !only) return redirectRefusal(parts, req, res, errand, nobodySignedIn)
  if (silent && others.length > 0) return redirectRefusal(parts, req, res, errand, severalSignedIn)
  const asks = ['select_account', 'login', 'consent', 'admin_consent'].includes(params.prompt ?? '')
  if (only && others.length === 0 && !asks) {
    errand.personId = only.id
    return authorizeAs(parts, req, res, errand, only)
  }
  sendAccountPage(parts, res, errand, app, accounts)
}

const nobodySignedIn: LoginRefusal = {
  code: 50058,
  error: 'login_required',
  status: 400,
  message: 'Session information is not sufficient for single-sign-on.',
}
const severalSignedIn: LoginRefusal = {
  code: 16000,
  error: 'interaction_required',
  status: 400,
  message:
    'Either multiple user identities are available for the current request or selected account is not supported for the scenario.',
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
  parts: SimulatorParts,
  req: Request,
  res: Response,
  errand: Errand,
  person: Person,
  decision?: Decision,
): Promise<void> {
  const { params } = errand
  const authority = authorityOf(parts, errand.authority)
  const client = judgeClient(parts, params, authority)
  if ('error' in client) return sendErrorPage(parts, res, client, traceOf(parts.world, correlationOf(req)))
  const { app } = client
  const silent = params.prompt === 'none'
  const tenant = authority.kind === 'tenant' ? authority.tenant : parts.world.tenant(person.tenantId)
  const account = parts.world.accountIn(person, tenant)
  if (!account) {
    const refusal = notInThisTenant(person.username, person.tenantId, tenant.displayName, app.clientId)
    if (silent) return redirectRefusal(parts, req, res, errand, { ...refusal, error: 'interaction_required' })
    const wayOn = elsewhereNote(errand, tenant.displayName)
    return sendErrorPage(parts, res, refusal, traceOf(parts.world, correlationOf(req)), wayOn)
  }

  if (decision) {
    if (!decision.accepted) return redirectRefusal(parts, req, res, errand, refusalOf(65004))
    if (decision.organisation && roleHolder(account, app)) parts.world.consent(tenant.id, app.clientId)
    else parts.world.consentForOne(tenant.id, app.clientId, account.id)
    return redirectCode(parts, res, errand, tenant, person)
  }

  const enterprise = tenant.apps.get(app.clientId.toLowerCase())
  if (enterprise && !enterprise.enabled) {
    const refusal = appDisabled(app.clientId, app.displayName)
    if (silent) return redirectRefusal(parts, req, res, errand, refusal)
    return sendErrorPage(parts, res, refusal, traceOf(parts.world, correlationOf(req)))
  }
  const asksAll = errand.version === 1 || (params.scope ?? '').includes('/.default')
  const consented = enterprise !== undefined && (enterprise.tenantWide || enterprise.users.includes(account.id))
  const asking = params.prompt === 'consent' || params.prompt === 'admin_consent'
  if (consented && !asking) return redirectCode(parts, res, errand, tenant, person)
  if (silent) return redirectRefusal(parts, req, res, errand, { ...refusalOf(65001), error: 'consent_required' })

  const needsAdmin = asksAll && app.requiredResources.some(({ roles }) => roles.length > 0)
  if (!needsAdmin) return sendConsentPage(res, errand, app, account, 'self')
  const missing = missingPrincipal(tenant, app)
  if (missing) return redirectRefusal(parts, req, res, errand, missing)
  if (!roleHolder(account, app)) return sendApprovalPage(res, errand, app, account, false)
  // Without the box the classic page grants for this one person: the app appears, its permissions do not.
  sendConsentPage(res, errand, app, account, params.prompt === 'admin_consent' ? 'organisation' : 'tick')
}

/** Sends the browser home without a code. */
export function declineAuthorize(
  parts: SimulatorParts,
  res: Response,
  errand: Errand,
  answer: Record<string, string>,
): void {
  parts.sessions.end(errand)
  goHome(res, errand, { ...answer, ...(errand.params.state === undefined ? {} : { state: errand.params.state }) })
}

function redirectCode(parts: SimulatorParts, res: Response, errand: Errand, tenant: Tenant, person: Person): void {
  const { params } = errand
  const code = parts.sessions.issueCode({
    clientId: parts.world.registration(params.client_id ?? '').clientId,
    redirectUri: params.redirect_uri ?? '',
    personId: person.id,
    tenantId: tenant.id,
    nonce: params.nonce ?? null,
    challenge: params.code_challenge ?? null,
    scope: params.scope ?? 'openid profile',
    expiresAt: parts.world.clock.now() + codeLifetimeMs,
  })
  parts.sessions.end(errand)
  goHome(res, errand, {
    code,
    ...(params.state === undefined ? {} : { state: params.state }),
    session_state: randomUUID(),
  })
}

function redirectRefusal(
  parts: SimulatorParts,
  req: Request,
  res: Response,
  errand: Errand,
  refusal: LoginRefusal,
): void {
  const trace = traceOf(parts.world, correlationOf(req))
  declineAuthorize(parts, res, errand, {
    error: refusal.error,
    error_description: describe(parts.world, refusal, trace),
    error_uri: `${parts.origin}/error?code=${refusal.code}`,
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
