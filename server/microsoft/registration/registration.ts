import { randomBytes } from 'node:crypto'
import type { Config } from '../../config/config.ts'
import type { Registration } from '../../config/credentials.ts'
import { Refusal } from '../../model/refusal.ts'
import { callWith } from '../incidents/api.ts'
import type { IncidentSource } from '../incidents/incidents.ts'
import type { CredentialOrder } from '../login/credentials.ts'
import type { Discovery } from '../login/discovery.ts'
import type { AppToken, RegistrationFinding } from '../microsoft.ts'
import { graphResource, missingRoles, namesTenants, resourceFor, unexpectedRoles } from '../permissions.ts'
import { redirectUris, withQuery } from '../wire/addresses.ts'
import type { Send } from '../wire/http.ts'
import { numbersIn, readApiRefusal } from '../wire/read-refusal.ts'
import { certificateFindings, credentialFindings, refusalOr, tryCredentials } from './credentials.ts'
import { inspectDirectoryRoles } from './directory-roles.ts'

interface Wiring {
  config: Config
  discovery: Discovery
  order: CredentialOrder
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
  const credentials = app.filter(({ check }) => check === 'credential')
  const rest = app.filter(({ check }) => check !== 'credential')
  return [tenant, ...credentials, audience, directoryRoles, consentUri, ...rest, ...signIn]
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
  const trials = await tryCredentials(wiring, config.app, resourceFor(config).uri)
  const ends = certificateFindings('credential', config.app, now())
  const outcomes = trials.map(({ outcome }) => outcome)
  const token = outcomes.find((one): one is AppToken => !(one instanceof Refusal)) ?? null
  const unlicensed = outcomes.find(isUnlicensed)
  if (token === null && unlicensed) {
    // The partner's own tenant may have no Defender; its credential can still be tried on a resource every tenant has.
    const elsewhere = await tryCredentials(wiring, config.app, graphResource(config).uri)
    const unseen = {
      check: 'permissions',
      outcome: 'warning',
      code: 'permissions-unseen',
      facts: { resource: resourceFor(config).name },
      refusal: unlicensed,
    } as const
    return [...credentialFindings(wiring, 'credential', config.app, elsewhere), ...ends, finding(unseen)]
  }
  const found = [...credentialFindings(wiring, 'credential', config.app, trials), ...ends]
  if (token === null) return found
  return [...found, ...permissionFindings(wiring, token), await inspectApi(wiring, token)]
}

const isUnlicensed = (outcome: AppToken | Refusal): outcome is Refusal =>
  outcome instanceof Refusal && outcome.code === 'unlicensed'

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
  const [redirect, trials] = await Promise.all([
    inspectRedirect(wiring, 'sign-in', config.signIn, redirectUris(config).signIn),
    tryCredentials(wiring, config.signIn, graphResource(config).uri),
  ])
  return [
    redirect,
    ...credentialFindings(wiring, 'sign-in', config.signIn, trials),
    ...certificateFindings('sign-in', config.signIn, wiring.now()),
  ]
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
