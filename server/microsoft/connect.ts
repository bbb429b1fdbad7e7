import { LRUCache } from 'lru-cache'
import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
import type { TenantProfile } from '../model/access.ts'
import { Refusal } from '../model/refusal.ts'
import { checkAccess } from './incidents/access-check.ts'
import { readAlertsOf } from './incidents/alerts.ts'
import { type Api, getPage, getRecord } from './incidents/api.ts'
import { defenderIncidents } from './incidents/defender.ts'
import { graphIncidents } from './incidents/graph.ts'
import { readIncidentById } from './incidents/incidents.ts'
import { readIncidents } from './incidents/lists.ts'
import { rememberPageSizes } from './incidents/page-sizes.ts'
import { readKept } from './incidents/read-again.ts'
import { classicConsentUrl, consentUrl } from './login/consent.ts'
import { discoverFrom, findTenant } from './login/discovery.ts'
import { signInWith } from './login/sign-in.ts'
import { keepTokens } from './login/tokens.ts'
import type { Microsoft } from './microsoft.ts'
import { graphResource, permissionsFor, resourceFor } from './permissions.ts'
import { readOwnExcess, readRegisteredPermissions, readSecretEnds } from './registration/permissions.ts'
import { inspectRegistration } from './registration/registration.ts'
import { clockAhead } from './wire/clock.ts'
import { outbound } from './wire/http.ts'
import { objectIn } from './wire/read-refusal.ts'
import { requireTenantId } from './wire/tenant-id.ts'

/** What a tenant is called is looked up by pages that refresh themselves: kept for so long, and no answer for less. */
const keptMs = 10 * 60_000
const retriedMs = 60_000

/** Microsoft as the configuration names it. Nothing is sent until something is asked; nothing is kept but in memory. */
export function connectMicrosoft(
  config: Config,
  options: { log: Log; now: () => Date; fetch?: typeof globalThis.fetch },
): Microsoft {
  const { log, now } = options
  const send = outbound({ fetch: options.fetch ?? globalThis.fetch, now })
  const discovery = discoverFrom(config.authorityHost, { send, now })
  const signIn = signInWith({ config, discovery, send, now })
  const tokens = keepTokens({ config, send, now })
  const ownTokens = keepTokens({ config: { ...config, app: config.signIn }, send, now })
  const sources = { defender: defenderIncidents(config), graph: graphIncidents(config) }
  const source = sources[config.incidentsApi]
  const profiles = new LRUCache<string, { profile: TenantProfile | null; readAt: number }>({ max: 1_000 })
  const sizes = rememberPageSizes(now)
  const api: Api = { source, resource: resourceFor(config).uri, tokens, send, now, log }

  return {
    api: config.incidentsApi,
    openLists: source.openLists,
    permissions: permissionsFor(config.incidentsApi),
    resource: resourceFor(config),
    consentUrl: (request) => consentUrl(config, request, now()),
    classicConsentUrl: (request) => classicConsentUrl(config, request),
    resolveTenant: (typed) => findTenant(discovery, typed),
    async describeTenant(tenantId) {
      const held = profiles.get(tenantId)
      const age = held ? now().getTime() - held.readAt : Number.POSITIVE_INFINITY
      if (held && age >= 0 && age < (held.profile === null ? retriedMs : keptMs)) return held.profile
      const profile = await describeTenant(tenantId).catch((error: unknown) => {
        log[error instanceof Refusal ? 'debug' : 'error']({ err: error, tenantId }, 'tenant not described')
        return null
      })
      profiles.set(tenantId, { profile, readAt: now().getTime() })
      return profile
    },
    signInUrl: (request) => signIn.url(request),
    redeemSignIn: (request) => signIn.redeem(request),
    async proveCredential() {
      await tokens.prove(config.partnerTenantId, graphResource(config).uri)
    },
    async mailToken() {
      if (config.signIn.clientId === config.app.clientId) {
        throw new Refusal('partner-registration', { at: now().toISOString() })
      }
      return (await ownTokens.get(config.partnerTenantId, 'https://outlook.office365.com')).value
    },
    checkAccess: (tenantId) => checkAccess(api, tenantId),
    listIncidents(tenantId, query, calls) {
      const id = requireTenantId(tenantId, now())
      return readIncidents({ source, tenantId: id, query, get: (url) => getPage(api, id, url, calls), now, log, sizes })
    },
    async incidentById(tenantId, incidentId, calls) {
      const id = requireTenantId(tenantId, now())
      return readIncidentById({ source, tenantId: id, get: (url) => getRecord(api, id, url, calls) }, incidentId)
    },
    readAgain: (tenantId, kept) => readKept(sources, tenantId, kept),
    async alertsOf(tenantId, incidentId, calls) {
      const id = requireTenantId(tenantId, now())
      return readAlertsOf({ source, tenantId: id, get: (url) => getRecord(api, id, url, calls), now }, incidentId)
    },
    forget: (tenantId) => tokens.forget(tenantId),
    clockAhead: () => clockAhead({ config, send, now }),
    readRegisteredPermissions: () => readRegisteredPermissions({ config, send, now }),
    readSecretEnds: () => readSecretEnds({ config, send, now }),
    readOwnExcess: () => readOwnExcess({ config, send, now }),
    inspectRegistration: () => inspectRegistration({ config, discovery, source, send, now }),
  }

  /** https://learn.microsoft.com/graph/api/tenantrelationship-findtenantinformationbytenantid, asked in the partner's name. */
  async function describeTenant(tenantId: string): Promise<TenantProfile | null> {
    const id = requireTenantId(tenantId, now())
    const token = await tokens.get(config.partnerTenantId, graphResource(config).uri)
    const answer = await send({
      url: `${config.graphUrl}/v1.0/tenantRelationships/findTenantInformationByTenantId(tenantId='${id}')`,
      api: 'graph',
      headers: { authorization: `Bearer ${token.value}` },
      deadlineMs: 5_000,
      limitBytes: 100_000,
      tries: 1,
    })
    if (answer.status !== 200) {
      // The permission may be granted any minute, and a token carries what was granted when it was issued.
      if (answer.status === 403) tokens.forget(config.partnerTenantId)
      throw new Refusal('unexpected-answer', { at: now().toISOString(), status: answer.status })
    }
    const said = objectIn(answer.text)
    if (typeof said.tenantId !== 'string' || said.tenantId.toLowerCase() !== id) return null
    return { tenantId: id, displayName: shown(said.displayName), defaultDomain: shown(said.defaultDomainName) }
  }
}

function shown(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.replaceAll('\0', '\ufffd').trim().slice(0, 300) : null
}
