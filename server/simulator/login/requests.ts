import type { Request } from 'express'
import type { SimulatorParts } from '../parts.ts'
import { mayConsent, type Person, type Tenant } from '../world/directory.ts'
import type { Authority } from './discovery.ts'
import { appNotFound, type LoginRefusal, parameterMissing, refusalOf, resourceUnknownToTenant } from './refusals.ts'
import { resources, type SimulatorRegistration } from './registration.ts'

/** What a person decided on a consent page. */
export interface Decision {
  accepted: boolean
  /** The box "Consent on behalf of your organization". */
  organisation: boolean
}

/** Query parameters that came exactly once. */
export function paramsOf(req: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(req.query).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/**
 * The registration and redirect URI a request may use. Refusals here are shown at Microsoft: there is nowhere that
 * could be trusted with a redirect yet.
 */
export function judgeClient(
  parts: SimulatorParts,
  params: Record<string, string>,
  authority: Authority,
): { app: SimulatorRegistration; redirectUri: string } | LoginRefusal {
  if (authority.kind === 'refused') return authority.refusal
  if (!params.client_id) return parameterMissing('client_id')
  const directory = authority.kind === 'tenant' ? authority.tenant.displayName : authority.name
  const app = parts.world.registrations.get(params.client_id.toLowerCase())
  if (!app) return appNotFound(params.client_id, directory)
  const redirectUri = params.redirect_uri ?? app.redirectUris[0]
  if (redirectUri === undefined)
    return { ...refusalOf(500113), message: 'no reply address is registered for the application.' }
  if (!app.redirectUris.includes(redirectUri)) {
    return {
      ...refusalOf(50011),
      message: `The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured for the application '${app.clientId}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error.`,
    }
  }
  if (app.audience === 'single') {
    if (authority.kind === 'any') {
      return {
        ...refusalOf(50194),
        message: `Application '${app.clientId}'(${app.displayName}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.`,
      }
    }
    if (authority.tenant.id !== app.homeTenantId.toLowerCase()) return appNotFound(app.clientId, directory)
  }
  return { app, redirectUri }
}

/** The role that consent to everything this registration asks for takes. */
export function roleHolder(account: Person, app: SimulatorRegistration): boolean {
  return (
    app.requiredResources.every(({ resource }) => mayConsent(account, resource)) && account.directoryRole !== 'User'
  )
}

/** AADSTS650052 when the registration asks for a resource this tenant has never had a licence for. */
export function missingPrincipal(tenant: Tenant, app: SimulatorRegistration): LoginRefusal | null {
  if (tenant.licensed || !app.requiredResources.some(({ resource }) => resource === 'mtp')) return null
  return resourceUnknownToTenant(resources.mtp.appId, resources.mtp.name, tenant.id)
}
