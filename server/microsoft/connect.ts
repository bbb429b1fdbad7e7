import type { Config } from '../config/config.ts'
import type { Log } from '../log.ts'
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
import { CredentialOrder } from './login/credentials.ts'
import { discoverFrom, findTenant } from './login/discovery.ts'
import { signInWith } from './login/sign-in.ts'
import { TenantProfiles } from './login/tenant-profiles.ts'
import { TokenStore } from './login/tokens.ts'
import type { Microsoft } from './microsoft.ts'
import { graphResource, permissionsFor, resourceFor } from './permissions.ts'
import { proveEach } from './registration/credentials.ts'
import { readOwnExcess, readRegisteredPermissions, readSecretEnds } from './registration/permissions.ts'
import { inspectRegistration } from './registration/registration.ts'
import { clockAhead } from './wire/clock.ts'
import { outbound } from './wire/http.ts'
import { fetchThrough } from './wire/proxied-fetch.ts'
import { signInAnswers } from './wire/sign-in-answers.ts'
import { requireTenantId } from './wire/tenant-id.ts'

/** Microsoft as the configuration names it. Nothing is sent until something is asked; nothing is kept but in memory. */
export function connectMicrosoft(
  config: Config,
  options: { log: Log; now: () => Date; fetch?: typeof globalThis.fetch },
): Microsoft {
  const { log, now } = options
  const send = outbound({ fetch: options.fetch ?? fetchThrough(config.proxy), now })
  const discovery = discoverFrom(config.authorityHost, { send, now })
  const order = new CredentialOrder()
  const signIn = signInWith({ config, discovery, order, send, now })
  const tokens = new TokenStore({ config, order, send, now })
  const ownTokens = new TokenStore({ config: { ...config, app: config.signIn }, order, send, now })
  const sources = { defender: defenderIncidents(config), graph: graphIncidents(config) }
  const source = sources[config.incidentsApi]
  const profiles = new TenantProfiles({ config, tokens, send, now, log })
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
    describeTenant: (tenantId) => profiles.describe(tenantId),
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
    async readIncident(tenantId, incidentId, calls) {
      const id = requireTenantId(tenantId, now())
      return readIncidentById({ source, tenantId: id, get: (url) => getRecord(api, id, url, calls) }, incidentId)
    },
    readAgain: (tenantId, kept) => readKept(sources, tenantId, kept),
    async alertsOf(tenantId, incidentId, calls) {
      const id = requireTenantId(tenantId, now())
      return readAlertsOf({ source, tenantId: id, get: (url) => getRecord(api, id, url, calls), now }, incidentId)
    },
    forget: (tenantId) => tokens.forget(tenantId),
    signInAnswers: () => signInAnswers({ config, send }),
    clockAhead: () => clockAhead({ config, send, now }),
    readRegisteredPermissions: () => readRegisteredPermissions({ config, order, send, now }),
    readSecretEnds: () => readSecretEnds({ config, order, send, now }),
    proveEachCredential: () => proveEach({ config, send, now }),
    readOwnExcess: () => readOwnExcess({ config, order, send, now }),
    inspectRegistration: () => inspectRegistration({ config, discovery, order, source, send, now }),
  }
}
