import { randomBytes } from 'node:crypto'
import { datesOf } from '../../config/certificate.ts'
import type { Config } from '../../config/config.ts'
import type { Registration } from '../../config/credentials.ts'
import { Refusal } from '../../model/refusal.ts'
import { day } from '../../time.ts'
import { callWith } from '../incidents/api.ts'
import type { IncidentSource } from '../incidents/incidents.ts'
import type { Discovery } from '../login/discovery.ts'
import { acquireToken } from '../login/tokens.ts'
import type { AppToken, RegistrationFinding } from '../microsoft.ts'

import { graphResource, missingRoles, namesTenants, resourceFor, unexpectedRoles } from '../permissions.ts'
import { redirectUris, withQuery } from '../wire/addresses.ts'
import type { Send } from '../wire/http.ts'
import { numbersIn, readApiRefusal } from '../wire/read-refusal.ts'
import { inspectDirectoryRoles } from './directory-roles.ts'

interface Wiring {
  config: Config
  discovery: Discovery
  source: IncidentSource
  send: Send
  now: () => Date
}

type Found = Omit<RegistrationFinding, 'facts' | 'refusal'> & Partial<Pick<RegistrationFinding, 'facts' | 'refusal'>>

const finding = (found: Found): RegistrationFinding => ({ facts: {}, refusal: null, ...found })

/**
 * What can be seen of the registration without any right to read it: how Microsoft treats its credential, its redirect
 * URIs and its tenant. Nothing is changed anywhere.
 */
export async function inspectRegistration(wiring: Wiring): Promise<RegistrationFinding[]> {
  const { config } = wiring
  const [tenant, app, audience, directoryRoles, consentUri, signIn] = await Promise.all([
    inspectTenant(wiring),
    inspectApp(wiring),
    inspectAudience(wiring),
    inspectDirectoryRoles(wiring),
    inspectRedirect(wiring, 'redirect-uris', config.app, redirectUris(config).consent),
    inspectSignIn(wiring),
  ])
  return [tenant, ...app.slice(0, 1), audience, directoryRoles, consentUri, ...app.slice(1), ...signIn]
}

async function inspectTenant({ config, discovery }: Wiring): Promise<RegistrationFinding> {
  const facts = { tenantId: config.partnerTenantId }
  try {
    const found = await discovery.configuration(config.partnerTenantId)
    if (found?.tenantId === config.partnerTenantId) {
      return finding({ check: 'tenant', outcome: 'ok', code: 'tenant-found', facts })
    }
    return finding({ check: 'tenant', outcome: 'fault', code: 'tenant-unknown', facts })
  } catch (error) {
    const refusal = refusalOr(error)
    const code = refusal.code === 'other-cloud' ? 'tenant-other-cloud' : 'login-unreachable'
    return finding({ check: 'tenant', outcome: 'fault', code, facts, refusal })
  }
}

/** Credential, permissions and one call, in this order: each needs the one before. */
async function inspectApp(wiring: Wiring): Promise<RegistrationFinding[]> {
  const { config, now } = wiring
  const credential = await proveCredential(wiring, config.app, resourceFor(config).uri)
  const ends = certificateEnd(config.app, now())
  if (credential instanceof Refusal && credential.code === 'unlicensed') {
    // The partner's own tenant may have no Defender; its credential can still be tried on a resource every tenant has.
    const elsewhere = await proveCredential(wiring, config.app, graphResource(config).uri)
    const unseen = {
      check: 'permissions',
      outcome: 'warning',
      code: 'permissions-unseen',
      facts: { resource: resourceFor(config).name },
      refusal: credential,
    } as const
    return [credentialFinding(wiring, 'credential', config.app, elsewhere), ...ends, finding(unseen)]
  }
  const found = [credentialFinding(wiring, 'credential', config.app, credential), ...ends]
  if (credential instanceof Refusal) return found
  return [...found, ...permissionFindings(wiring, credential), await inspectApi(wiring, credential)]
}

async function proveCredential(
  { config, send, now }: Wiring,
  registration: Registration,
  resource: string,
): Promise<AppToken | Refusal> {
  try {
    const request = { registration, tenantId: config.partnerTenantId, resource, repeatable: true }
    return await acquireToken({ config, send, now }, request)
  } catch (error) {
    return refusalOr(error)
  }
}

function credentialFinding(
  { config }: Wiring,
  check: 'credential' | 'sign-in',
  registration: Registration,
  outcome: AppToken | Refusal,
): RegistrationFinding {
  const facts = { clientId: registration.clientId, tenantId: config.partnerTenantId }
  if (!(outcome instanceof Refusal)) return finding({ check, outcome: 'ok', code: 'credential-works', facts })
  const { aadsts } = outcome.facts
  const doubtful = outcome.code === 'unavailable' || outcome.code === 'throttled'
  if (doubtful) return finding({ check, outcome: 'unknown', code: 'credential-unchecked', facts, refusal: outcome })
  const code =
    aadsts === 7000222
      ? 'secret-expired'
      : aadsts === 7000215
        ? 'secret-wrong'
        : outcome.code === 'not-consented'
          ? 'app-unknown'
          : outcome.code === 'partner-credential'
            ? 'credential-refused'
            : 'token-refused'
  return finding({ check, outcome: 'fault', code, facts, refusal: outcome })
}

const warnDays = 60

function certificateEnd({ clientId, credential }: Registration, now: Date): RegistrationFinding[] {
  if (credential.kind !== 'certificate') return []
  const days = Math.floor((credential.expiresAt.getTime() - now.getTime()) / day)
  if (datesOf(credential, now) === 'not-yet') {
    const facts = { clientId, date: credential.validFrom.toISOString().slice(0, 10) }
    return [finding({ check: 'credential', outcome: 'fault', code: 'certificate-not-yet', facts })]
  }
  if (days >= warnDays) return []
  const facts = { clientId, date: credential.expiresAt.toISOString().slice(0, 10), days: String(Math.max(0, days)) }
  return [
    days < 0
      ? finding({ check: 'credential', outcome: 'fault', code: 'certificate-expired', facts })
      : finding({ check: 'credential', outcome: 'warning', code: 'certificate-ends', facts }),
  ]
}

function permissionFindings({ config, source }: Wiring, { claims }: AppToken): RegistrationFinding[] {
  const check = 'permissions'
  const facts = { resource: resourceFor(config).name }
  if (claims === null) return [finding({ check, outcome: 'unknown', code: 'permissions-unreadable', facts })]
  const missing = missingRoles(source.api, claims.roles)
  const excess = unexpectedRoles(source.api, claims.roles).filter((role) => role !== namesTenants)
  return [
    missing.length > 0
      ? finding({
          check,
          outcome: 'fault',
          code: 'permissions-missing',
          facts: { ...facts, roles: missing.join(', ') },
        })
      : finding({ check, outcome: 'ok', code: 'permissions-complete', facts }),
    ...(excess.length > 0
      ? [
          finding({
            check,
            outcome: 'warning',
            code: 'permissions-excess',
            facts: { ...facts, roles: excess.join(', ') },
          }),
        ]
      : []),
  ]
}

async function inspectApi(wiring: Wiring, token: AppToken): Promise<RegistrationFinding> {
  const { source, now } = wiring
  const facts = { host: new URL(source.origin).host }
  try {
    const answer = await callWith(wiring, token, source.listUrl({}, { top: 1, skip: 0 }), { tries: 2 })
    // In part is an answer as well.
    if (answer.status === 200 || answer.status === 206)
      return finding({ check: 'api', outcome: 'ok', code: 'api-answers', facts })
    throw readApiRefusal(answer, { about: 'list', roleHeld: null }, now())
  } catch (error) {
    const refusal = refusalOr(error)
    // This is about the partner's own licence; customers' tenants are proven one by one.
    if (refusal.facts.status === 403 || refusal.code === 'not-set-up') {
      return finding({ check: 'api', outcome: 'warning', code: 'api-no-data', facts, refusal })
    }
    const code = refusal.facts.status === null ? 'api-unreachable' : 'api-refused'
    return finding({ check: 'api', outcome: 'fault', code, facts, refusal })
  }
}

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes: 50194 is a single-tenant app at a shared endpoint. */
async function inspectAudience(wiring: Wiring): Promise<RegistrationFinding> {
  const check = 'audience'
  const facts = { clientId: wiring.config.app.clientId }
  const seen = await knock(wiring, 'organizations', wiring.config.app, redirectUris(wiring.config).consent)
  if (seen.aadsts === 50194) return finding({ check, outcome: 'fault', code: 'audience-single', facts })
  if (seen.returned) return finding({ check, outcome: 'ok', code: 'audience-multi', facts })
  return finding({ check, outcome: 'unknown', code: 'audience-unknown', facts, refusal: seen.refusal })
}

async function inspectRedirect(
  wiring: Wiring,
  check: 'redirect-uris' | 'sign-in',
  registration: Registration,
  uri: string,
): Promise<RegistrationFinding> {
  const facts = { uri, clientId: registration.clientId }
  const seen = await knock(wiring, wiring.config.partnerTenantId, registration, uri)
  if (seen.returned) return finding({ check, outcome: 'ok', code: 'redirect-registered', facts })
  const missing = seen.aadsts !== null && [50011, 500113, 900971].includes(seen.aadsts)
  if (missing) return finding({ check, outcome: 'fault', code: 'redirect-missing', facts })
  return finding({ check, outcome: 'unknown', code: 'redirect-unknown', facts, refusal: seen.refusal })
}

async function inspectSignIn(wiring: Wiring): Promise<RegistrationFinding[]> {
  const { config } = wiring
  if (config.signIn.clientId === config.app.clientId) {
    return [
      await inspectRedirect(wiring, 'redirect-uris', config.app, redirectUris(config).signIn),
      finding({
        check: 'sign-in',
        outcome: 'warning',
        code: 'sign-in-shared',
        facts: { clientId: config.app.clientId },
      }),
    ]
  }
  return Promise.all([
    inspectRedirect(wiring, 'sign-in', config.signIn, redirectUris(config).signIn),
    proveCredential(wiring, config.signIn, graphResource(config).uri).then((outcome) =>
      credentialFinding(wiring, 'sign-in', config.signIn, outcome),
    ),
  ])
}

interface Seen {
  /** Microsoft sent the browser back to our address, which it does for registered ones alone. */
  returned: boolean
  aadsts: number | null
  refusal: Refusal | null
}

/**
 * A sign-in that nobody is there for. `prompt=none` answers at once: back to a registered redirect URI with an error, or
 * with a page of Microsoft's own that carries the reason.
 */
async function knock({ config, send }: Wiring, tenant: string, registration: Registration, uri: string): Promise<Seen> {
  const url = withQuery(`${config.authorityHost}/${tenant}/oauth2/v2.0/authorize`, {
    client_id: registration.clientId,
    response_type: 'code',
    redirect_uri: uri,
    response_mode: 'query',
    scope: 'openid',
    prompt: 'none',
    state: 'inspection',
    nonce: randomBytes(16).toString('base64url'),
    code_challenge: randomBytes(32).toString('base64url'),
    code_challenge_method: 'S256',
  })
  try {
    const answer = await send({
      url,
      headers: { accept: 'text/html' },
      deadlineMs: 10_000,
      limitBytes: 2_000_000,
      tries: 2,
    })
    const location = answer.headers.get('location') ?? ''
    const returned =
      answer.status >= 300 &&
      answer.status < 400 &&
      /^[?#]/.test(location.startsWith(uri) ? location.slice(uri.length) : '')
    const [aadsts = null] = numbersIn(returned ? decoded(location) : mentioned(answer.text))
    return { returned, aadsts, refusal: null }
  } catch (error) {
    return { returned: false, aadsts: null, refusal: refusalOr(error) }
  }
}

/** Microsoft's page is long, and the number may stand far down in it. */
function mentioned(page: string): string {
  return /AADSTS\d{4,8}/.exec(page)?.[0] ?? ''
}

function decoded(location: string): string {
  try {
    return decodeURIComponent(location)
  } catch {
    return location
  }
}

/** @throws what is no refusal: a fault of our own says nothing about the registration */
function refusalOr(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  throw error
}
