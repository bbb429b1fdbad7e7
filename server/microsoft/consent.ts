import type { Config } from '../config.ts'
import { PortalError } from '../errors.ts'
import { redirectUris, withQuery } from './addresses.ts'
import { resourceFor } from './permissions.ts'
import { aadstsIn, codeOf, idIn } from './read-refusal.ts'
import { requireTenantId, tenantIdOf } from './tenant-id.ts'

/** https://learn.microsoft.com/entra/identity-platform/v2-admin-consent; `common` is refused there, `organizations` is not. */
export function consentUrl(config: Config, request: { tenantId: string | null; state: string }, now: Date): string {
  const tenant = request.tenantId === null ? 'organizations' : requireTenantId(request.tenantId, now)
  return withQuery(`${config.authorityHost}/${tenant}/v2.0/adminconsent`, {
    client_id: config.app.clientId,
    scope: `${resourceFor(config).uri}/.default`,
    redirect_uri: redirectUris(config).consent,
    state: request.state,
  })
}

/** https://learn.microsoft.com/defender-xdr/api-partner-access, with the redirect URI and state that it leaves out. */
export function classicConsentUrl(config: Config, request: { state: string }): string {
  return withQuery(`${config.authorityHost}/common/oauth2/authorize`, {
    prompt: 'consent',
    client_id: config.app.clientId,
    response_type: 'code',
    sso_reload: 'true',
    redirect_uri: redirectUris(config).consent,
    state: request.state,
  })
}

type ConsentRefusal = 'declined' | 'not-admin' | 'wrong-tenant' | 'unlicensed' | 'misconfigured' | 'cancelled' | 'other'

/**
 * What a browser says at the consent callback. Every word of it can be forged: it names whom to ask, never whom to
 * believe. Microsoft's own text is dropped; only its number and correlation ID are kept.
 */
export type ConsentClaim =
  | { kind: 'granted'; tenantId: string; state: string | null }
  /** The classic link's answer, which names no tenant. */
  | { kind: 'code'; code: string; state: string | null }
  | {
      kind: 'refused'
      reason: ConsentRefusal
      aadsts: number | null
      correlationId: string | null
      state: string | null
    }

/**
 * Reads the callback's query as a bag: order and letter case of `True` differ between Microsoft's own pages, and
 * `admin_consent=True` stands on refusals as well, so `error` is looked at first.
 * @throws PortalError `CALLBACK_UNREADABLE` for repeated or over-long parameters, no tenant ID, or nothing at all
 */
export function readConsentClaim(query: unknown): ConsentClaim {
  const said = bagOf(query)
  const state = said('state', 512)
  const error = said('error', 200)
  const tenant = said('tenant', 100)
  if (error !== null) {
    const description = said('error_description', 8_000)
    const aadsts = aadstsIn(description) ?? numberIn(said('error_uri', 1_000))
    const reason = consentRefusal({ error, subcode: said('error_subcode', 200), aadsts })
    const correlationId = idIn(/Correlation ID:\s*(\S{36})/i.exec(description ?? '')?.[1])
    return { kind: 'refused', reason, aadsts, correlationId, state }
  }
  if (tenant !== null) {
    const tenantId = tenantIdOf(tenant)
    if (tenantId === null || said('admin_consent', 20)?.toLowerCase() !== 'true') throw unreadable()
    return { kind: 'granted', tenantId, state }
  }
  const code = said('code', 8_000)
  if (code === null) throw unreadable()
  return { kind: 'code', code, state }
}

/** What a browser brings back from a sign-in, before anything of it is believed. */
export type SignInReturn =
  | { kind: 'code'; code: string; state: string | null }
  /** A silent attempt that needs a person: ask again, visibly. */
  | { kind: 'interaction-required'; state: string | null }
  | { kind: 'refused'; aadsts: number | null; correlationId: string | null; state: string | null }

/**
 * https://openid.net/specs/openid-connect-core-1_0.html#AuthError
 * @throws PortalError `CALLBACK_UNREADABLE`
 */
export function readSignInReturn(query: unknown): SignInReturn {
  const said = bagOf(query)
  const state = said('state', 512)
  const error = said('error', 200)
  if (error === null) {
    const code = said('code', 8_000)
    if (code === null) throw unreadable()
    return { kind: 'code', code, state }
  }
  const description = said('error_description', 8_000)
  const aadsts = aadstsIn(description)
  const meaning = codeOf({ status: null, aadsts, error })
  if (meaning === 'interaction-required' || meaning === 'not-consented') return { kind: 'interaction-required', state }
  const correlationId = idIn(/Correlation ID:\s*(\S{36})/i.exec(description ?? '')?.[1])
  return { kind: 'refused', aadsts, correlationId, state }
}

/**
 * "Need admin approval", in its variants. Normally a page of Microsoft's from which nobody comes back.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const adminNeeded = new Set([90093, 90094, 90095])

function consentRefusal(said: { error: string; subcode: string | null; aadsts: number | null }): ConsentRefusal {
  if (said.aadsts === 65004) return 'declined'
  if (said.aadsts === 50020) return 'wrong-tenant'
  if (said.aadsts !== null && adminNeeded.has(said.aadsts)) return 'not-admin'
  const code = codeOf({ status: null, aadsts: said.aadsts, error: said.error })
  if (code === 'unlicensed') return 'unlicensed'
  if (code === 'partner-registration' || said.error === 'invalid_request') return 'misconfigured'
  if (said.subcode === 'cancel') return 'cancelled'
  if (said.aadsts === null && ['access_denied', 'permission_denied', 'consent_required'].includes(said.error)) {
    return 'declined'
  }
  return said.error === 'invalid_client' ? 'misconfigured' : 'other'
}

const unreadable = () => new PortalError('CALLBACK_UNREADABLE')

/** Single, bounded strings of a query; an empty one counts as absent. */
function bagOf(query: unknown): (name: string, limit: number) => string | null {
  if (typeof query !== 'object' || query === null) throw unreadable()
  const bag = query as Record<string, unknown>
  return (name, limit) => {
    const value = Object.hasOwn(bag, name) ? bag[name] : undefined
    if (value === undefined || value === '') return null
    if (typeof value !== 'string' || value.length > limit) throw unreadable()
    return value
  }
}

function numberIn(errorUri: string | null): number | null {
  const found = /[?&]code=(\d{4,8})\b/.exec(errorUri ?? '')?.[1]
  return found === undefined ? null : Number(found)
}
