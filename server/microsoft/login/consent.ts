import type { Config } from '../../config/config.ts'
import { PortalError } from '../../errors.ts'
import type { ConsentRefusal, LoginWords } from '../../model/aadsts.ts'
import { findEntry, meaningOf } from '../../model/dictionary.ts'
import type { RefusalCode } from '../../model/refusal.ts'
import { resourceFor } from '../permissions.ts'
import { redirectUris, withQuery } from '../wire/addresses.ts'
import { idIn, numbersIn } from '../wire/read-refusal.ts'
import { requireTenantId, tenantIdOf } from '../wire/tenant-id.ts'

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
  const parameter = bagOf(query)
  const state = parameter('state', 512)
  const error = parameter('error', 200)
  const tenant = parameter('tenant', 100)
  if (error !== null) {
    const refusal = refusalIn(parameter, error)
    return { kind: 'refused', ...endOfConsent(refusal), correlationId: refusal.correlationId, state }
  }
  if (tenant !== null) {
    const tenantId = tenantIdOf(tenant)
    if (tenantId === null || parameter('admin_consent', 20)?.toLowerCase() !== 'true') throw unreadable()
    return { kind: 'granted', tenantId, state }
  }
  const code = parameter('code', 8_000)
  if (code === null) throw unreadable()
  return { kind: 'code', code, state }
}

/** What a browser brings back from a sign-in, before anything of it is believed. */
export type SignInReturn =
  | { kind: 'code'; code: string; state: string | null }
  | {
      kind: 'refused'
      /** What it would be as the answer of a token: a sign-in that needs its person, Microsoft being away … */
      code: RefusalCode
      /** What the person reads about it; null when Microsoft gave no reason that is known. */
      login: LoginWords | null
      aadsts: number | null
      correlationId: string | null
      state: string | null
    }

/**
 * https://openid.net/specs/openid-connect-core-1_0.html#AuthError
 * @throws PortalError `CALLBACK_UNREADABLE`
 */
export function readSignInReturn(query: unknown): SignInReturn {
  const parameter = bagOf(query)
  const state = parameter('state', 512)
  const error = parameter('error', 200)
  if (error === null) {
    const code = parameter('code', 8_000)
    if (code === null) throw unreadable()
    return { kind: 'code', code, state }
  }
  const { numbers, cancelled, correlationId } = refusalIn(parameter, error)
  const { code, login, aadsts } = meaningOf({ numbers, word: error })
  return {
    kind: 'refused',
    code,
    login: login === null && cancelled ? 'declined' : login,
    aadsts,
    correlationId,
    state,
  }
}

interface BrowserRefusal {
  error: string
  numbers: number[]
  /** A person pressed Back or Cancel before any consent was shown. */
  cancelled: boolean
  correlationId: string | null
}

/** A refusal that a browser brings: Microsoft's own text is dropped, its numbers and correlation ID are kept. */
function refusalIn(parameter: ReadParameter, error: string): BrowserRefusal {
  const description = parameter('error_description', 8_000)
  const linked = numberIn(parameter('error_uri', 1_000))
  return {
    error,
    numbers: [...numbersIn(description), ...(linked === null ? [] : [linked])],
    cancelled: parameter('error_subcode', 200) === 'cancel',
    correlationId: idIn(/Correlation ID:\s*(\S{36})/i.exec(description ?? '')?.[1]),
  }
}

/** Words of OAuth that mean no when nothing else is said. */
const declining: ReadonlySet<string> = new Set(['access_denied', 'permission_denied', 'consent_required'])

/** A number is worth more than OAuth's word, which is `access_denied` for a dozen different things. */
function endOfConsent({ error, numbers, cancelled }: BrowserRefusal): {
  reason: ConsentRefusal
  aadsts: number | null
} {
  const { aadsts, outcome } = meaningOf({ numbers, word: error })
  if (findEntry(aadsts) !== null) return { reason: outcome, aadsts }
  if (cancelled) return { reason: 'cancelled', aadsts }
  if (error === 'invalid_request') return { reason: 'misconfigured', aadsts }
  if (aadsts === null && declining.has(error)) return { reason: 'declined', aadsts }
  return { reason: outcome, aadsts }
}

const unreadable = () => new PortalError('CALLBACK_UNREADABLE')

/** A single, bounded string of a query; an empty one counts as absent. @throws PortalError `CALLBACK_UNREADABLE` */
type ReadParameter = (name: string, limit: number) => string | null

function bagOf(query: unknown): ReadParameter {
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
  const digits = /[?&]code=(\d{4,8})\b/.exec(errorUri ?? '')?.[1]
  return digits === undefined ? null : Number(digits)
}
